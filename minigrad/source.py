"""Numpy source for Symbols: what has a name, or is used more than once, is a statement; the rest stands within one.

`OPERATORS` and `CALLS` say how each operation is written. What is in neither is copied from the table: the forward
function itself goes in front of the source.
"""

import ast
import inspect
import itertools
import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.rows import Row, Shape
from minigrad.symbols import COMPARISON, POWER, PRODUCT, SIGN, SUM, WHOLE, Symbol, is_mT

WIDTH = 120  # of a line
MOST = 100  # characters behind a name
LONGEST = 76  # characters of an expression that stands within another

# How an operation is written: by an operator, and how strongly that holds its operands together, ...
OPERATORS = {
    "equal": ("==", COMPARISON),
    "unequal": ("!=", COMPARISON),
    "at_least": (">=", COMPARISON),
    "more": (">", COMPARISON),
    "at_most": ("<=", COMPARISON),
    "less": ("<", COMPARISON),
    "add": ("+", SUM),
    "sub": ("-", SUM),
    "mul": ("*", PRODUCT),
    "div": ("/", PRODUCT),
    "matmul": ("@", PRODUCT),
}
# ... or in the words of its operands and parameters.
CALLS = {
    "abs": "np.abs({x})",
    "amax": "{x}.max({axes})",
    "amin": "{x}.min({axes})",
    "argmax": "{x}.argmax({axis}, keepdims=True)",
    "argmin": "{x}.argmin({axis}, keepdims=True)",
    "cast": "{x}.astype({dtype})",
    "clamp": "np.clip({x}, {min}, {max})",
    "cumsum": "np.add.accumulate({x}, {axis})",
    "einsum": "np.einsum({terms}, {a}, {b}, optimize=True)",
    "exp": "np.exp({x})",
    "expand": "np.broadcast_to({x}, {shape})",
    "index": "{x}[{key}]",
    "log": "np.log({x})",
    "log10": "np.log10({x})",
    "max": "{x}.max({axes})",
    "min": "{x}.min({axes})",
    "permute": "{x}.transpose({axes})",
    "relu": "np.maximum({x}, 0)",
    "reshape": "{x}.reshape({shape})",
    "sign": "np.sign({x})",
    "sqrt": "np.sqrt({x})",
    "sum": "{x}.sum({axes})",
    "tanh": "np.tanh({x})",
    "where": "np.where({condition}, {input}, {other})",
}
IN_MATH = {  # for Values
    "exp": "math.exp({x})",
    "log": "math.log({x})",
    "relu": "max({x}, 0.0)",
    "tanh": "math.tanh({x})",
    "where": "({input} if {condition} else {other})",
}
COPIED = {
    "erf",
    "log_softmax",
    "logsumexp",
    "one_hot",
    "put",
    "sigmoid",
    "softmax",
    "ties",
}  # from the table, as functions of their own

# What to call a result that no variable holds, where the operation's own name would not do.
WORDS = {
    "abs": "size",
    "add": "shifted",
    "amax": "greatest",
    "amin": "least",
    "argmax": "place",
    "argmin": "place",
    "cat": "joined",
    "div": "quotient",
    "index": "chosen",
    "matmul": "product",
    "max": "greatest",
    "min": "least",
    "mul": "product",
    "neg": "negative",
    "permute": "turned",
    "pow": "power",
    "sub": "difference",
    "sum": "total",
}

Text = tuple[str, int]  # and how strongly it holds together


class Writer:
    """Statements for Symbols, in the order in which they are asked for.

    `names` are the names of Symbols that are to be assigned to, and `taken` those that mean something else; `numbers`
    says that Symbols stand for floats, not for arrays.
    """

    def __init__(self, outputs: Iterable[Any], names: Mapping[int, str], taken: Iterable[str], numbers: bool) -> None:
        self.numbers = numbers
        self.taken = {*taken, *names.values()}
        self.lines: list[str] = []
        self.helpers: dict[str, str] = {}
        self.texts: dict[int, Text] = {}
        self.same: dict[Any, Symbol] = {}  # by what makes it, so that each thing is computed once
        self.first: dict[int, Symbol] = {}
        self.names: dict[int, str] = {}
        self.hints: dict[int, str] = {}  # of what has no name, for when it needs one
        self.returned: set[int] = set()  # what is to be an array of its own
        self.lent: set[int] = set()  # what only a result sees, from here on
        self.uses: Counter[int] = Counter()
        for output in outputs:
            for symbol in self._behind(output):
                self._intern(symbol)
            self.uses[id(self.canonical(output))] += 1
        for each, name in names.items():
            if each in self.first:
                self.names.setdefault(id(self.first[each]), name)

    # The graph of Symbols

    def canonical(self, symbol: Any) -> Any:
        """The Symbol that stands for all that are computed alike; a number as it is."""
        return self.first.get(id(symbol), symbol)

    def is_needed(self, symbol: Any) -> bool:
        """Whether an output is computed from it."""
        return id(symbol) in self.first

    def _behind(self, output: Any) -> Iterator[Symbol]:
        """A Symbol and all that it is computed from, operands first, each once."""
        open_ends = [(output, False)] if isinstance(output, Symbol) else []
        while open_ends:
            symbol, done = open_ends.pop()
            if id(symbol) in self.first:
                continue
            if done:
                yield symbol
            else:
                open_ends.append((symbol, True))
                open_ends += [(part, False) for part in reversed([*_symbols_in(symbol.arguments)])]

    def _intern(self, symbol: Symbol) -> None:
        parts = [self.canonical(part) for part in _symbols_in(symbol.arguments)]
        made: Any = (symbol.row.name, _identity(symbol.arguments, self)) if symbol.row else id(symbol)
        if symbol.value is not None:
            made = symbol.shape, symbol.dtype, np.asarray(symbol.value).tobytes()
        first = self.first[id(symbol)] = self.same.setdefault(made, symbol)
        if first is symbol:
            self.uses.update(map(id, parts))

    def hint(self, symbol: Any, word: str) -> None:
        """What to call a result, if it has no name and needs one."""
        self.hints.setdefault(id(self.canonical(symbol)), word)

    # Statements

    def visit(self, symbol: Any, comment: str = "", total: bool = False) -> None:
        """Write what a Symbol needs; and its own statement, if it gets one. `total` allows for `+=`."""
        wanted = self.canonical(symbol)
        open_ends = [(wanted, False)]
        while open_ends:
            each, done = open_ends.pop()
            if not isinstance(each, Symbol) or id(each) in self.texts:
                continue
            if done:
                self._finish(each, comment if each is wanted else "", total and each is wanted)
            else:
                open_ends.append((each, True))
                open_ends += [(self.canonical(part), False) for part in reversed([*_symbols_in(each.arguments)])]

    def _finish(self, symbol: Symbol, comment: str, total: bool) -> None:
        if symbol.row is None:
            self.texts[id(symbol)] = (symbol.name, WHOLE) if symbol.value is None else _number(symbol)
            return
        if symbol.row is ops.put and self._are_different(symbol.arguments[1]):
            x, key, shape = symbol.arguments
            self._assign(symbol, f"np.zeros({shape}, {_dtype(symbol.dtype)})", comment)
            self._line(f"{self.texts[id(symbol)][0]}[{self._key(key)}] = {self._filling(x)}", "")
            return
        if symbol.row is ops.assign:
            x, value, key = symbol.arguments
            self._assign(symbol, f"np.array({self._part(x, COMPARISON)})", comment)
            self._line(f"{self.texts[id(symbol)][0]}[{self._key(key)}] = {self._filling(value)}", "")
            return
        if total and self._added(symbol, comment):
            return
        text = self._text(symbol)
        while len(text[0]) > MOST and (longest := self._longest_in(symbol)) is not None:
            self._assign(longest, self.texts[id(longest)][0], "")
            text = self._text(symbol)
        if id(symbol) in self.names or self.uses[id(symbol)] > 1 or len(text[0]) > LONGEST:
            self._assign(symbol, text[0], comment)
        else:
            self.texts[id(symbol)] = text

    def _assign(self, symbol: Symbol, text: str, comment: str) -> None:
        """Write that a name is what a Symbol's text says, and call it so from here on."""
        name = self.names.get(id(symbol)) or self._fresh_name(symbol)
        if id(symbol) in self.returned and not self._is_own(symbol) and not self._is_lent(symbol):
            text = f"{text}.copy()"
        self._line(f"{name} = {text}", comment)
        self.texts[id(symbol)] = (name, WHOLE)

    def _line(self, statement: str, comment: str) -> None:
        if comment and len(statement) + len(comment) + 8 > WIDTH:
            self.lines.append(f"# {comment}")
            comment = ""
        self.lines.append(statement + (f"  # {comment}" if comment else ""))

    def _longest_in(self, symbol: Symbol) -> Symbol | None:
        """The operand that takes most room, if it could stand in a line of its own."""
        operands = [self.canonical(part) for part in _symbols_in(symbol.arguments)]
        written = [
            x for x in operands if x.row is not None and x.value is None and not self.texts[id(x)][0].isidentifier()
        ]
        return max(written, key=lambda x: len(self.texts[id(x)][0]), default=None)

    def _fresh_name(self, symbol: Symbol) -> str:
        """A name for a result that no variable holds: a hint, or else after the operation."""
        assert symbol.row
        word = self.hints.get(id(symbol)) or word_for(symbol.row)
        numbered = (f"{word}_{i}" for i in itertools.count(2))
        name = next(each for each in itertools.chain([word], numbered) if each not in self.taken)
        self.taken.add(name)
        return name

    def _added(self, symbol: Symbol, comment: str) -> bool:
        """A sum of two branches, one after the other, if the first is an array of its own, of the whole shape."""
        if symbol.row is not ops.add or id(symbol) not in self.names or self.numbers:
            return False
        first, second = (self.canonical(part) for part in symbol.arguments)
        if not self._is_inner(first) or not self._is_own(first):
            return False
        if (first.shape, first.dtype) != (symbol.shape, symbol.dtype):
            return False
        self._assign(symbol, self.texts[id(first)][0], comment)
        self._line(f"{self.names[id(symbol)]} += {self._operand(second, COMPARISON, symbol)}", "")
        return True

    def _is_inner(self, symbol: Any) -> bool:
        """Whether it stands in another expression, and nowhere else."""
        return (
            self.uses[id(symbol)] == 1 and id(symbol) not in self.names and not self.texts[id(symbol)][0].isidentifier()
        )

    def _is_own(self, symbol: Any) -> bool:
        """Whether it is an array that shares its memory with nothing that has a name."""
        if not isinstance(symbol, Symbol) or symbol.row is None or symbol.row is ops.expand:
            return False
        if not symbol.row.views:
            return True
        viewed = self.canonical(symbol.arguments[0])
        return isinstance(viewed, Symbol) and viewed.row is not None and self._is_inner(viewed) and self._is_own(viewed)

    def _is_lent(self, symbol: Symbol) -> bool:
        """Whether it is a view of what no other result is, nor sees; from now on it is."""
        viewed = self.canonical(symbol.arguments[0])
        if not (symbol.row and symbol.row.views and isinstance(viewed, Symbol) and viewed.row) or viewed.row.views:
            return False
        if not self._is_own(viewed) or id(viewed) in self.returned | self.lent:
            return False
        self.lent.add(id(viewed))
        return True

    def _are_different(self, key: tuple[Any, ...]) -> bool:
        """Whether a key names no place twice: it has no lists, or one that counts while the others go along."""
        lists = [part for part in key if isinstance(part, Symbol | np.ndarray) and part.dtype != bool]
        counting = any("range(" in self._index(part) for part in lists)
        return not lists or (counting and len({part.shape for part in lists}) == 1)

    def text_of(self, symbol: Any) -> str:
        """What a Symbol is called by now."""
        return self._part(symbol, COMPARISON)

    def result(self, symbol: Any, name: str) -> str:
        """The name of a result, which is an array of nobody else's."""
        symbol = self.canonical(symbol)
        if self.names.get(id(symbol)) != name:
            copied = isinstance(symbol, Symbol) and symbol.value is None and not self.numbers
            text = f"{self._part(symbol, WHOLE)}.copy()" if copied else self._part(symbol, COMPARISON)
            self._line(f"{name} = {text}", "")
        return name

    # Expressions

    def _text(self, symbol: Symbol) -> Text:
        row = symbol.row
        assert row
        name, count = row.name, len(symbol.arguments) - len(row.params)
        operands, params = symbol.arguments[:count], dict(zip(row.params, symbol.arguments[count:], strict=True))
        if name == "mul" and not self.numbers and self.canonical(operands[0]) is self.canonical(operands[1]):
            base = self._part(operands[0], WHOLE)
            return f"{base}**2" if base.isidentifier() else f"{base} ** 2", POWER
        if name in OPERATORS:
            sign, strength = OPERATORS[name]
            place = self._operand if row.elementwise else lambda x, least, whole: self._part(x, least)
            return f"{place(operands[0], strength, symbol)} {sign} {place(operands[1], strength + 1, symbol)}", strength
        if name == "neg":
            return f"-{self._operand(operands[0], WHOLE, symbol)}", SIGN
        if name == "pow":
            base, exponent = self._operand(operands[0], WHOLE, symbol), self._operand(operands[1], SIGN, symbol)
            if not symbol.shape and not self.numbers:
                # numpy raises its scalars in another way than its arrays
                base = f"np.asarray({self._part(operands[0], COMPARISON)})"
            plain = all(re.fullmatch(r"-?[\w.]+", text) for text in (base, exponent))
            return f"{base}**{exponent}" if plain else f"{base} ** {exponent}", POWER
        if name == "mean":
            total = f"{self._part(operands[0], WHOLE)}.sum({_axes(params, operands[0])})"
            count = math.prod(operands[0].shape[axis] for axis in params["axes"])
            return (total, WHOLE) if count == 1 else (f"{total} / {count}", PRODUCT)
        if name in ("linear", "linear_map"):
            x, weight, *bias = (self._part(operand, WHOLE) for operand in operands)
            return " + ".join([f"{x} @ {weight}.T", *bias]), SUM if bias else PRODUCT
        if name == "cat":
            return (
                f"np.concatenate([{', '.join(self._part(x, COMPARISON) for x in operands)}], {params['axis']})",
                WHOLE,
            )
        if name == "permute" and params["axes"] == tuple(reversed(range(len(params["axes"])))):
            return f"{self._part(operands[0], WHOLE)}.T", WHOLE
        if name == "permute" and is_mT(params["axes"]):
            return f"{self._part(operands[0], WHOLE)}.mT", WHOLE
        if (
            name == "one_hot"
            and (rows := _column(operands[0])) is not None
            and params["axis"] == len(params["shape"]) - 1
        ):
            return f"np.eye({params['shape'][-1]}, dtype={_dtype(params['dtype'])})[{self._rows(rows)}]", WHOLE
        if name in COPIED:
            self.helpers[name] = _function(row)
            arguments = [self._part(x, COMPARISON) for x in operands]
            arguments += [self._in_call(kind, x) for kind, x in params.items()]
            return f"{name}({', '.join(arguments)})", WHOLE
        forms = IN_MATH if self.numbers else CALLS
        of_its_own = f"{{{row.operands[0]}}}." in forms[name] or forms[name].startswith(f"{{{row.operands[0]}}}")
        words = {kind: self._in_call(kind, x) for kind, x in params.items()}
        if "keepdims" in params:
            words["axes"] = _axes(params, operands[0])
        if name == "index":
            words["key"] = self._key(params["key"])
        if name == "reshape":
            words["shape"] = ", ".join(map(str, params["shape"])) or "()"
        words |= {
            kind: self._part(x, WHOLE if of_its_own else COMPARISON)
            for kind, x in zip(row.operands, operands, strict=True)
        }
        return forms[name].format(**words), WHOLE

    def _rows(self, x: Any) -> str:
        """A list of places, one for each row."""
        if x.row is not None and x.row.name in ("argmax", "argmin"):
            return f"{self._part(x.arguments[0], WHOLE)}.{x.row.name}({x.arguments[1]})"
        return self._part(x, COMPARISON)

    def _part(self, x: Any, least: int) -> str:
        """The text of an operand, in brackets if it does not hold together strongly enough."""
        x = self.canonical(x)
        if isinstance(x, Symbol) and x.value is not None:
            text, strength = _number(x)
            if not self.numbers:
                full = f"np.full({x.shape}, {text}, {_dtype(x.dtype)})"
                text, strength = full if x.shape else f"{_dtype(x.dtype)}({text})", WHOLE
        elif isinstance(x, Symbol):
            text, strength = self.texts[id(x)]
        else:
            text, strength = _number(x)
        return f"({text})" if strength < least else text

    def _operand(self, x: Any, least: int, whole: Symbol) -> str:
        """The same, where broadcasting repeats what is too small for the whole, so that nothing else has to."""
        x = self.canonical(x)
        others = [other for part in whole.arguments if (other := self.canonical(part)) is not x]
        arrays = [other for other in others if isinstance(other, Symbol) and other.value is None]

        def is_broadcast(shape: Shape) -> bool:
            return np.broadcast_shapes(shape, *(other.shape for other in arrays)) == whole.shape

        if isinstance(x, Symbol) and x.value is not None:
            alike = x.dtype == whole.dtype and any(other.dtype == whole.dtype for other in arrays)
            if alike and is_broadcast(()):
                return self._bare(x, least)
        elif isinstance(x, Symbol) and x.row is ops.expand and self.texts[id(x)][0].startswith("np.broadcast_to("):
            repeated = self.canonical(x.arguments[0])
            if is_broadcast(repeated.shape):
                return self._reshaped(repeated, least)
        return self._part(x, least)

    def _bare(self, x: Any, least: int) -> str:
        """A number without its dtype, beside an array that has it."""
        text, strength = _number(x)
        return f"({text})" if strength < least else text

    def _reshaped(self, x: Any, least: int) -> str:
        """An operand without dims of size 1 in front, which broadcasting puts there."""
        if isinstance(x, Symbol) and x.row is ops.reshape and id(x) not in self.names and self.uses[id(x)] == 1:
            before = self.canonical(x.arguments[0])
            if x.shape == (1,) * (len(x.shape) - len(before.shape)) + before.shape:
                return self._part(before, least)
        return self._part(x, least)

    def _filling(self, x: Any) -> str:
        """What stands on the right of an assignment to places: one number, if it is the same for all."""
        x = self.canonical(x)
        return _number(x)[0] if isinstance(x, Symbol) and x.value is not None else self._part(x, COMPARISON)

    def _in_call(self, kind: str, x: Any) -> str:
        """A parameter as an argument of a function."""
        if kind == "key":
            start, end = ("np.s_[", "]") if any(isinstance(part, slice) for part in x) else ("(", ")")
            return f"{start}{self._key(x)}{',' * (len(x) == 1)}{end}"
        if kind == "dtype":
            return _dtype(x)
        if kind == "terms":
            return '"{},{}->{}"'.format(*x)
        return _number(x)[0] if isinstance(x, float) else str(x)

    def _key(self, key: tuple[Any, ...]) -> str:
        return ", ".join(self._index(part) for part in key)

    def _index(self, part: Any) -> str:
        if isinstance(part, slice):
            ends = (part.start, part.stop) if part.step is None else (part.start, part.stop, part.step)
            return ":".join("" if end is None else str(end) for end in ends)
        if isinstance(part, np.ndarray):
            counted = np.array_equal(part, np.arange(part.size))
            return f"np.arange({part.size})" if counted else str(part.tolist())
        return "..." if part is ... else self._part(part, COMPARISON) if isinstance(part, Symbol) else str(part)


def word_for(row: Row) -> str:
    """What to call a result of an operation."""
    return WORDS.get(row.name, f"{row.name}_of" if row.name in COPIED else row.name)


def _symbols_in(arguments: Any) -> Iterator[Symbol]:
    """The Symbols among arguments, and in those that are tuples."""
    for argument in arguments:
        if isinstance(argument, Symbol):
            yield argument
        elif isinstance(argument, tuple):
            yield from _symbols_in(argument)


def _identity(argument: Any, writer: Writer) -> Any:
    """By what an argument is known again."""
    if isinstance(argument, tuple):
        return tuple([_identity(part, writer) for part in argument])
    if isinstance(argument, Symbol):
        return id(writer.canonical(argument))
    if isinstance(argument, np.ndarray):
        return argument.shape, str(argument.dtype), argument.tobytes()
    return type(argument), str(argument)


def _number(x: Any) -> Text:
    """A number; 1 / n as that, where the dtype makes the same of it."""
    value = np.asarray(x.value).item() if isinstance(x, Symbol) else x
    if isinstance(value, float) and value and isinstance(x, Symbol):
        n = round(1 / value)
        if abs(n) > 1 and x.dtype.type(math.copysign(1.0, n) / abs(n)) == value:
            return f"{'-' * (n < 0)}1.0 / {abs(n)}", PRODUCT
        value = float(str(x.dtype.type(value)))
    if isinstance(value, float) and not isinstance(x, Symbol) and 1e-4 < value < 0.3 and value == 1 / round(1 / value):
        return f"1 / {round(1 / value)}", PRODUCT
    if isinstance(value, float) and not math.isfinite(value):
        return "-np.inf" if value < 0 else "np.inf" if value > 0 else "np.nan", SIGN if value < 0 else WHOLE
    return repr(value), SIGN if isinstance(value, int | float) and value < 0 else WHOLE


def _axes(params: Mapping[str, Any], x: Symbol) -> str:
    """The arguments that say what to reduce."""
    axes, keepdims = params["axes"], params["keepdims"]
    words = [] if len(axes) == len(x.shape) else [str(axes[0] if len(axes) == 1 else axes)]
    return ", ".join([*words, *["keepdims=True"] * keepdims])


def _dtype(dtype: Any) -> str:
    return f"np.{np.dtype(dtype)}".replace("np.bool", "np.bool_")


def _column(x: Any) -> Any:
    """The list that a column is made of; None for anything else."""
    if not isinstance(x, Symbol) or x.row is None or len(x.shape) != 2:
        return None
    if x.row is ops.reshape and x.arguments[1] == (-1, 1) and len(x.arguments[0].shape) == 1:
        return x.arguments[0]
    return x if x.row.name in ("argmax", "argmin") and x.arguments[1] == 1 else None


def _function(row: Row) -> str:
    """The source of a row's forward function, under the row's name and without annotations."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(row.forward)))
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    function.name, function.returns = row.name, None
    for argument in function.args.args:
        argument.annotation = None
    return re.sub(r"(\w+) \*\* (\w+)", r"\1**\2", ast.unparse(tree).replace("'", '"'))
