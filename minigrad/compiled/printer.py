"""The second printer of derive's Symbols: a statement for each, and results that go into arrays made once.

`minigrad.derive` writes for people: expressions within expressions. Here every step is a statement of its own, so that
numpy can write its result into memory that is used again at every call: `np.multiply(a, b, out=product)`.

The source has one function, `make`, which makes these arrays, and returns the forward and the backward pass that use
them. Values from the forward pass that are in no such array are handed over as `saved`.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.compiled.buffers import Buffers
from minigrad.compiled.recording import CONTIGUOUS, ITEM, Call
from minigrad.core import ops
from minigrad.core.kernels import LONG
from minigrad.core.primitive import Primitive
from minigrad.derive.copying import Helpers, library_name
from minigrad.derive.expressions import Expressions
from minigrad.derive.forms import word_for
from minigrad.derive.infix import COMPARISON, WHOLE
from minigrad.derive.naming import identifier, unused
from minigrad.derive.plain import dtype_text, ints_text, is_number, literal
from minigrad.derive.sharing import symbols_in
from minigrad.derive.symbols import OUTPUT, Symbol, is_mT

# What computes a Python operator on arrays.
UFUNCS: dict[Any, np.ufunc] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.divide,
    operator.neg: np.negative,
    operator.eq: np.equal,
    operator.ne: np.not_equal,
    operator.ge: np.greater_equal,
    operator.gt: np.greater,
    operator.le: np.less_equal,
    operator.lt: np.less,
}
REDUCTIONS = {
    ops.sum: np.add,
    ops.mean: np.add,
    ops.amax: np.maximum,
    ops.max: np.maximum,
    ops.amin: np.minimum,
    ops.min: np.minimum,
}
# Primitives whose result lies in rows if their operands do.
KEEPING = {
    *(ops.reshape, ops.relu, ops.where, ops.softmax, ops.log_softmax, ops.cumsum, ops.clamp, ops.is_nonzero, ops.cast),
}
# Functions of arrays whose result has a shape that does not depend on numbers.
STEADY = {
    *("view", "argmax", "argmin", "argsort", "sort", "astype", "take", "sum", "prod", "min", "max", "any", "all"),
    *(
        "mean",
        "std",
        "var",
        "cumsum",
        "cumprod",
        "clip",
        "round",
        "reduce",
        "accumulate",
        "transpose",
        "swapaxes",
        "item",
    ),
    *("concatenate", "stack", "where", "uniform", "normal", "bernoulli", "integers", "permutation", "exponential"),
}
VIEWS = {ops.reshape, ops.permute, ops.expand}


class Wanted(NamedTuple):
    """What a program is to compute: Symbols.

    `given` are those of all arrays that it may read; `shared` says of each output whether it may share memory with one
    of them. `guards` are pairs of a Symbol and the value that it must have; `effects` pairs of a Symbol of what is
    given, and of what it becomes; `seeds` the gradients that arrive at outputs; `gradients` what the backward pass
    returns.
    """

    given: list[Symbol]
    guards: list[tuple[Symbol, Any]]
    draws: list[Symbol]
    outputs: list[Symbol]
    shared: list[bool]
    effects: list[tuple[Symbol, Symbol]]
    seeds: list[Symbol]
    gradients: list[Symbol]


class Printer(Expressions):
    """Statements for the Symbols that a program computes.

    `space` is what the source refers to by name: functions and constant arrays.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray], contiguous: set[int]) -> None:
        super().__init__(Helpers(set(), {}, False), False)
        self.wanted, self.constants, self.in_rows = wanted, constants, contiguous
        self.space: dict[str, Any] = {"np": np, "same": same, "__name__": "minigrad.compiled.source"}
        self.taken = {"np", "math", "same", "make", "forward", "backward", "saved", "memory"}
        self.bound: dict[int, str] = {}  # names in `space`, by the id of what they stand for
        self.known: dict[int, Any] = {}  # keeps alive what has an id in `bound`
        self._add_all()
        self.root: dict[int, int] = {}  # of a view: the Symbol whose memory it shares
        self.rows: dict[int, bool] = {}  # whether an array is known to lie in rows
        self.order: list[list[Symbol]] = [self._forward(), []]
        done = {id(symbol) for symbol in self.order[0]}
        self.order[1] = [x for g in wanted.gradients for x in self._steps(g, done)]
        self.escaping = self._roots_of([*wanted.outputs, *wanted.gradients])
        self.direct = self._written_directly()
        self.buffers = Buffers(self.order, self)
        self.head: list[str] = []
        self.lines: list[str] = []
        self.saved: list[str] = []  # names of the forward pass that the backward pass reads
        self.local: set[str] = set()  # names that the pass being written has assigned

    def _add_all(self) -> None:
        wanted = self.wanted
        before = [symbol for symbol, _ in wanted.guards]
        after = [symbol for _, symbol in wanted.effects]
        changed = [symbol for symbol, _ in wanted.effects]
        for symbol in [*before, *wanted.draws, *wanted.outputs, *changed, *after, *wanted.gradients]:
            self.add(symbol)
        self.reads = [i for i, symbol in enumerate(wanted.given) if self.is_needed(symbol)]

    # The order of steps

    def _forward(self) -> list[Symbol]:
        """All steps of the forward pass: guards first, since nothing must have changed when one of them fails."""
        done: set[int] = set()
        wanted = self.wanted
        roots = [*(x for x, _ in wanted.guards), *wanted.draws, *wanted.outputs, *(x for _, x in wanted.effects)]
        return [x for root in roots for x in self._steps(root, done)]

    def _steps(self, root: Any, done: set[int]) -> Iterator[Symbol]:
        """A Symbol and all that it needs and that is not done, operands first."""
        open_ends = [(self.canonical(root), False)]
        while open_ends:
            symbol, ready = open_ends.pop()
            if not isinstance(symbol, Symbol) or id(symbol) in done:
                continue
            if ready:
                done.add(id(symbol))
                yield symbol
            else:
                open_ends.append((symbol, True))
                open_ends += [(self.canonical(x), False) for x in reversed([*symbols_in(symbol.arguments)])]

    def _written_directly(self) -> dict[int, Symbol]:
        """New values that can be written at once into what they change, because nothing reads the old one later."""
        last: dict[int, int] = {}
        for number, symbol in enumerate(self.order[0] + self.order[1]):
            last |= dict.fromkeys([self.root_of(x) for x in symbols_in(symbol.arguments)], number)
        places = {id(symbol): number for number, symbol in enumerate(self.order[0])}
        direct = {}
        for old, new in self.wanted.effects:
            symbol = self.canonical(new)
            alike = (old.shape, old.dtype) == (symbol.shape, symbol.dtype) and self.uses[id(symbol)] == 1
            is_last = id(old) not in self.escaping and last.get(id(old), -1) <= places.get(id(symbol), -1)
            if alike and is_last and self.ufunc_of(symbol) is not None and self.writes_into(symbol):
                direct[id(symbol)] = old
        return direct

    # Memory

    def root_of(self, symbol: Symbol) -> int:
        """The id of the Symbol whose memory this one may share, or its own."""
        symbol = self.canonical(symbol)
        if id(symbol) not in self.root:
            self.root[id(symbol)] = self.root_of(symbol.arguments[0]) if self._may_view(symbol) else id(symbol)
        return self.root[id(symbol)]

    def _may_view(self, symbol: Symbol) -> bool:
        primitive = symbol.primitive
        if primitive is None or not symbol.arguments or not isinstance(symbol.arguments[0], Symbol):
            return False
        if primitive in VIEWS or primitive in (OUTPUT, CONTIGUOUS):
            return True
        if primitive is ops.index or (isinstance(primitive, Call) and primitive.function is ITEM):
            return not self._is_fancy(symbol.arguments[1])
        return isinstance(primitive, Call) and not isinstance(primitive.function, np.ufunc)

    @staticmethod
    def _is_fancy(key: Any) -> bool:
        return any(isinstance(part, Symbol | np.ndarray) for part in key)

    def _roots_of(self, symbols: Iterable[Any]) -> set[int]:
        return {self.root_of(x) for x in symbols if isinstance(x, Symbol)}

    def is_view(self, symbol: Symbol) -> bool:
        """Whether it is for certain a view of its first operand."""
        primitive = symbol.primitive
        if primitive is ops.reshape:
            return self.in_rows_for_certain(symbol.arguments[0])
        return primitive in VIEWS or (primitive is ops.index and not self._is_fancy(symbol.arguments[1]))

    def in_rows_for_certain(self, symbol: Any) -> bool:
        """Whether an array is known to be contiguous, in C's order."""
        symbol = self.canonical(symbol)
        if id(symbol) not in self.rows:
            self.rows[id(symbol)] = self._lies_in_rows(symbol)
        return self.rows[id(symbol)]

    def _lies_in_rows(self, symbol: Symbol) -> bool:
        primitive = symbol.primitive
        if symbol.value is not None:
            return True
        if primitive is None:
            return id(symbol) in self.in_rows
        if id(symbol) in self.in_rows or primitive is CONTIGUOUS:
            return True
        operands = [x for x in symbol.arguments if isinstance(x, Symbol)]
        if primitive is ops.index and self._is_fancy(symbol.arguments[1]):
            return True
        keeps = primitive in REDUCTIONS or primitive in KEEPING
        if keeps or self.ufunc_of(symbol) is not None:
            return all(self.in_rows_for_certain(x) for x in operands)
        if primitive is ops.matmul and len(symbol.shape) > 2:  # numpy lays out the batch dims as those of its operands
            return all(self.in_rows_for_certain(x) for x in operands)
        return primitive in (ops.matmul, ops.linear, ops.linear_map, ops.put, ops.one_hot)

    @staticmethod
    def ufunc_of(symbol: Symbol) -> np.ufunc | None:
        """The ufunc that computes a Symbol of its arguments, if one does."""
        primitive = symbol.primitive
        if isinstance(primitive, Call):
            function = primitive.function
            is_ufunc = isinstance(function, np.ufunc) and not primitive.keywords and function.nout == 1
            is_ufunc = is_ufunc and function.signature is None  # type: ignore[attr-defined]
            return function if is_ufunc else None  # type: ignore[return-value]
        assert primitive
        forward = primitive.forward
        if isinstance(forward, np.ufunc):
            is_plain = forward.nout == 1 and forward.signature is None and not primitive.params
            return forward if is_plain else None
        if primitive is ops.pow:
            return _power(symbol.arguments[1])
        return UFUNCS.get(forward)

    def writes_into(self, symbol: Symbol) -> bool:
        """Whether numpy can write the result of a step into memory that is given to it."""
        primitive = symbol.primitive
        if primitive is None or symbol.value is not None or not self.in_rows_for_certain(symbol):
            return False
        if id(symbol) in self.escaping or not math.prod(symbol.shape):
            return False
        if primitive in REDUCTIONS:
            return not self._is_long(symbol) and self.in_rows_for_certain(symbol.arguments[0])
        if primitive is ops.where:
            condition, *choices = symbol.arguments
            return condition.dtype == bool and {x.dtype for x in choices if isinstance(x, Symbol)} == {symbol.dtype}
        if primitive is ops.put:
            return not self._is_fancy(symbol.arguments[1])
        if primitive is ops.softmax:
            return bool(self.in_rows_for_certain(symbol.arguments[0]))
        others = (ops.relu, ops.matmul, ops.linear, ops.linear_map)
        return self.ufunc_of(symbol) is not None or primitive in others

    @staticmethod
    def _is_long(symbol: Symbol) -> bool:
        """Whether a sum is computed in parts."""
        if symbol.primitive not in (ops.sum, ops.mean):
            return False
        x = symbol.arguments[0]
        return x.dtype.char == "e" or not (math.prod(x.shape) < LONG or max(x.shape) < LONG)

    # Names

    def bind(self, thing: Any, wanted: str) -> str:
        """The name by which the source refers to a thing."""
        if id(thing) not in self.bound:
            name = unused(identifier(wanted), self.taken)
            self.taken.add(name)
            self.bound[id(thing)], self.space[name] = name, thing
            self.known[id(thing)] = thing
        return self.bound[id(thing)]

    def name(self, symbol: Symbol, wanted: str) -> str:
        """A new name for a result."""
        name = unused(identifier(wanted), self.taken)
        self.taken.add(name)
        self.texts[id(symbol)] = name, WHOLE
        return name

    def part(self, x: Any, least: int = COMPARISON) -> str:
        """The text of an operand."""
        x = self.canonical(x)
        if isinstance(x, Symbol):
            if x.value is not None:
                return self.bind(self._filled(x), "constant")
            if id(x) not in self.texts:
                self._declare(x)
            name = self.texts[id(x)][0]
            if name not in self.local and name not in self.space and name not in self.fixed:
                self.local.add(name)
                self.saved.append(name)
            return name
        return super().part(x, least)

    def _filled(self, x: Symbol) -> np.ndarray:
        key = (x.shape, x.dtype.str, np.asarray(x.value).tobytes())
        return self._constants.setdefault(key, np.full(x.shape, x.value, x.dtype))

    # Writing

    def write(self) -> str:
        """The source."""
        self.fixed: set[str] = set()  # names of arrays that are made once
        self._constants: dict[Any, np.ndarray] = {}
        wanted = self.wanted
        given = []
        for symbol in [wanted.given[i] for i in self.reads]:
            given.append(self.name(symbol, symbol.name.replace(".", "_") or "x"))
            self.local.add(given[-1])
        for symbol in self.order[0] + self.order[1]:
            if id(symbol) in self.constants:
                self.texts[id(symbol)] = self.bind(self.constants[id(symbol)], "constant"), WHOLE
        guards: dict[int, list[Any]] = {}
        for symbol, value in wanted.guards:
            guards.setdefault(id(self.canonical(symbol)), []).append(value)
        for symbol in self.order[0]:
            self._step(symbol)
            for value in guards.get(id(symbol), ()):
                self.lines += [self._guard(symbol, value), "    return None"]
        fresh = {id(x) for x in self.order[0] if x.primitive is not None and id(x) not in self.constants}
        pairs = zip(wanted.outputs, wanted.shared, strict=True)
        outputs = [self._output(x, fresh, is_shared) for x, is_shared in pairs]
        effects = [(old, new) for old, new in wanted.effects if id(self.canonical(new)) not in self.direct]
        changed = [(self.part(old), self._new(new)) for old, new in effects]
        self._keep_what_changes()
        self.lines += [f"np.copyto({old}, {new})" for old, new in _late(changed)]
        forward, self.lines = self.lines, []
        before, self.local = self.local, set()
        seeds = []
        for symbol in wanted.seeds:
            seeds.append(self.name(self.canonical(symbol), symbol.name))
            self.local.add(seeds[-1])
        for symbol in self.order[1]:
            self._step(symbol)
        fresh = {id(x) for x in self.order[1] if x.primitive is not None and id(x) not in self.constants}
        gradients = [self._output(x, fresh) for x in wanted.gradients]
        backward = self.lines
        saved = [*dict.fromkeys(self.saved)]
        assert {*saved} <= before, {*saved} - before
        text = ["def make():"]
        text += [f"    {line}" for line in [*self.buffers.lines(), *self.head]]
        text += ["", f"    def forward({', '.join(given)}):"]
        text += [f"        {line}" for line in forward]
        text += [f"        return {_tuple(outputs)}, {_tuple(saved)}"]
        text += ["", f"    def backward({', '.join([*seeds, 'saved'])}):"]
        text += [f"        {_tuple(saved)} = saved"] if saved else []
        text += [f"        {line}" for line in backward]
        text += [f"        return {_tuple(gradients)}", "", "    return forward, backward", ""]
        return "\n".join(text)

    def _keep_what_changes(self) -> None:
        """Copy what the forward pass changes and the backward pass reads as it was."""
        read = self._roots_of(x for symbol in self.order[1] for x in symbols_in(symbol.arguments))
        for old, _ in self.wanted.effects:
            if id(old) in read:
                self.texts[id(old)] = self._assigned("before", f"{self.part(old)}.copy()"), WHOLE
                for symbol in self.order[0]:
                    if symbol is not old and self.root_of(symbol) == id(old) and self.is_view(symbol):
                        self.texts.pop(id(symbol), None)

    def _new(self, symbol: Any) -> str:
        return self.part(symbol) if isinstance(symbol, Symbol) else literal(symbol)

    def _guard(self, symbol: Symbol, value: Any) -> str:
        name = self.part(symbol)
        if type(value) is bool:
            return f"if {'not ' * value}{name}:"
        if isinstance(value, int | float):
            return f"if not {name} == {literal(value)}:"
        return f"if not same({name}, {self.bind(value, 'expected')}):"

    def _output(self, symbol: Symbol, fresh: set[int], is_shared: bool = False) -> str:
        """A result that is given away. It is copied, unless its memory is one of those that are `fresh`."""
        root, name = self.root_of(symbol), self.part(symbol)
        if not symbol.shape and name not in self.fixed:  # numpy may have made a scalar of it
            return self._assigned("result", f"np.array({name})")
        if root not in fresh and not is_shared:
            return self._assigned("result", f"{name}.copy()")
        fresh.discard(root)
        return name

    def _assigned(self, wanted: str, text: str) -> str:
        """Write an assignment to a new name, and return the name."""
        name = unused(wanted, self.taken)
        self.taken.add(name)
        self.local.add(name)
        self.lines.append(f"{name} = {text}")
        return name

    def _step(self, symbol: Symbol) -> None:
        """Write the statement of a step; none for a view of an array that is made once, until it is asked for."""
        if symbol.primitive is None or symbol.value is not None or id(symbol) in self.texts:
            return
        if self.is_view(symbol) and (self._is_fixed(symbol) or symbol.primitive is ops.expand):
            return
        if id(symbol) in self.direct:
            self.lines += self._into(symbol, self.part(self.direct[id(symbol)]))
            return
        if id(symbol) in self.buffers.place:
            name = self._array(symbol)
            self.lines += self._into(symbol, name)
            return
        text = self._value(symbol)
        name = self.name(symbol, self._word(symbol))
        self.local.add(name)
        self.lines.append(f"{name} = {text}")
        primitive = symbol.primitive
        is_steady = primitive.name in STEADY or not symbol.shape or id(symbol) in self.outputs
        if isinstance(primitive, Call) and not is_steady and self.ufunc_of(symbol) is None:
            self.lines += [f"if {name}.shape != {symbol.shape}:", "    return None"]

    def _declare(self, symbol: Symbol) -> None:
        """Give a name to a view: once for all calls, if it is one of an array that is made once."""
        assert symbol.primitive, symbol
        text = self._viewed(symbol)
        name = self.name(symbol, self._word(symbol))
        if self._is_fixed(symbol):
            self.fixed.add(name)
            self.head.append(f"{name} = {text}")
        else:
            self.local.add(name)
            self.lines.append(f"{name} = {text}")

    def _is_fixed(self, symbol: Any) -> bool:
        """Whether it is an array that is made once, or a view of one."""
        symbol = self.canonical(symbol)
        while isinstance(symbol, Symbol) and id(symbol) not in self.buffers.place:
            if symbol.primitive is None or not self.is_view(symbol):
                return False
            symbol = self.canonical(symbol.arguments[0])
        return isinstance(symbol, Symbol)

    def _array(self, symbol: Symbol) -> str:
        """Declare the array that a step writes into."""
        name = self.name(symbol, self._word(symbol))
        self.fixed.add(name)
        place = self.buffers.place[id(symbol)]
        self.head.append(f"{name} = np.ndarray({ints_text(symbol.shape)}, {dtype_text(symbol.dtype)}, memory[{place}])")
        return name

    @staticmethod
    def _word(symbol: Symbol) -> str:
        primitive = symbol.primitive
        assert primitive
        if primitive is OUTPUT and not isinstance(symbol.arguments[0].primitive, Call):
            call, place = symbol.arguments
            return (f"{call.primitive.name}_of", *call.primitive.residuals)[place]
        return {"getitem": "chosen"}.get(primitive.name, word_for(primitive))

    def _into(self, symbol: Symbol, name: str) -> list[str]:
        """Statements that write the result of a step into the array `name`."""
        primitive, arguments = symbol.primitive, symbol.arguments
        if primitive is ops.relu:
            return [f"np.maximum({self.part(arguments[0])}, 0, out={name})"]
        if primitive in (ops.linear, ops.linear_map):
            x, weight, *bias = arguments
            lines = [f"np.matmul({self.part(x)}, {self._turned(weight)}, {name})"]
            return lines + [f"np.add({name}, {self.part(each)}, {name})" for each in bias]
        if primitive is ops.matmul:
            return [f"np.matmul({self.part(arguments[0])}, {self.part(arguments[1])}, {name})"]
        if primitive is ops.where:
            condition, a, b = arguments
            a, b = (self.operand(x, COMPARISON, symbol) for x in (a, b))
            return [f"np.copyto({name}, {b})", f"np.copyto({name}, {a}, where={self.part(condition)})"]
        if primitive is ops.put:
            x, key, _ = arguments
            places = ", ".join(map(self.index, key)) or "..."
            return [f"{name}.fill(0)", f"{name}[{places}] = {self.part(x)}"]
        if primitive is ops.softmax:  # as in `kernels.softmax`
            x, axes = self.part(arguments[0]), ints_text(arguments[1])
            least, dtype = f"np.maximum.reduce({x}, {axes}, keepdims=True, initial=-np.inf)", dtype_text(symbol.dtype)
            sums = f"np.add.reduce({name}, {axes}, np.float64, keepdims=True).astype({dtype})"
            return [
                f"np.subtract({x}, {least}, {name})",
                f"np.exp({name}, {name})",
                f"np.divide({name}, {sums}, {name})",
            ]
        if primitive in REDUCTIONS:
            x, axes, keepdims, *_ = arguments
            lines = [self._reduced(primitive, x, axes, keepdims, name)]
            if primitive is ops.mean:
                count = float(math.prod(x.shape[axis] for axis in axes))
                lines.append(f"np.divide({name}, {count}, {name})")
            return lines
        into = f"out={name}" if self.ufunc_of(symbol) in (np.maximum, np.minimum) else name  # which warn otherwise
        return [f"{self._applied(symbol)[:-1]}, {into})"]

    def _turned(self, weight: Any) -> str:
        """The transpose of a matrix."""
        weight = self.canonical(weight)
        if self._is_fixed(weight) and id(weight) not in self.turned:
            name = unused(f"{self.part(weight)}_T", self.taken)
            self.taken.add(name)
            self.head.append(f"{name} = {self.part(weight)}.T")
            self.turned[id(weight)] = name
        return self.turned.get(id(weight)) or f"{self.part(weight)}.T"

    @property
    def turned(self) -> dict[int, str]:
        """Names of transposes of arrays that are made once."""
        return self.__dict__.setdefault("_turned_names", {})

    def _reduced(self, primitive: Primitive, x: Any, axes: Any, keepdims: Any, into: str = "") -> str:
        name = f"np.{REDUCTIONS[primitive].__name__}.reduce"
        axis = literal(axes[0]) if len(axes) == 1 else ints_text(axes)
        if into:
            return f"{name}({self.part(x)}, {axis}, None, {into}{', True' * bool(keepdims)})"
        return f"{name}({self.part(x)}, {axis}{', keepdims=True' * bool(keepdims)})"

    def _applied(self, symbol: Symbol) -> str:
        """A call of the ufunc that computes a step."""
        ufunc = self.ufunc_of(symbol)
        count = ufunc.nin  # type: ignore[union-attr]
        texts = [self.operand(x, COMPARISON, symbol) for x in symbol.arguments[:count]]
        return f"{library_name(ufunc)}({', '.join(texts)})"

    def is_written_within(self, x: Symbol) -> bool:
        """Whether no name has been given to an `expand` so far."""
        return id(x) not in self.texts

    def _without_leading_ones(self, x: Any, least: int) -> str:
        return self.part(x, least)

    def _value(self, symbol: Symbol) -> str:
        """The text of a step whose result is a new array."""
        primitive, arguments = symbol.primitive, symbol.arguments
        assert primitive
        if primitive is OUTPUT:
            return f"{self.part(arguments[0])}[{arguments[1]}]"
        if isinstance(primitive, Call):
            return self._called(primitive, arguments, symbol)
        if self.is_view(symbol) or primitive is ops.reshape:
            return self._viewed(symbol)
        if self.ufunc_of(symbol) is not None:
            return self._applied(symbol)
        if primitive in REDUCTIONS and not self._is_long(symbol):
            x, axes, keepdims, *_ = arguments
            text = self._reduced(primitive, x, axes, keepdims)
            if primitive is ops.mean:
                text = f"{text} / {math.prod(x.shape[axis] for axis in axes)}"
            return text
        if primitive in (ops.matmul, ops.linear_map):
            a, b = arguments
            right = self.part(b) if primitive is ops.matmul else self._turned(b)
            return f"np.matmul({self.part(a)}, {right})"
        if primitive is ops.pow and not symbol.shape:
            return f"np.asarray({self.part(arguments[0])}) ** {self.part(arguments[1])}"
        if primitive is ops.pow:
            return f"{self.part(arguments[0])} ** {self.part(arguments[1])}"
        if primitive is ops.relu:
            return f"np.maximum({self.part(arguments[0])}, 0)"
        if primitive is ops.index:
            x, key = arguments
            if len(key) == 1 and isinstance(key[0], Symbol) and key[0].dtype == np.intp and math.prod(x.shape):
                return f"{self.part(x)}.take({self.part(key[0])}, 0)"
            if len(symbol.shape) == 1 and all(isinstance(part, Symbol | np.ndarray) and part.shape for part in key):
                return f"{self.part(x)}[{', '.join(map(self._argument, key))}]"
            name = self.bind(primitive.kernel, "index")
            return f"{name}({self.part(arguments[0])}, {self._argument(arguments[1])})"
        if primitive is ops.one_hot and (rows := self._one_hot(symbol)):
            return rows
        if primitive is ops.put and (counted := self._put(symbol)):
            return counted
        name = self.bind(primitive.kernel, primitive.name)
        text = f"{name}({', '.join(map(self._argument, arguments))})"
        if primitive.residuals:
            return text
        in_rows = symbol.shape and id(symbol) in self.in_rows and primitive is not CONTIGUOUS
        return f'np.asarray({text}, order="C")' if in_rows else text

    def _one_hot(self, symbol: Symbol) -> str:
        """Rows of an identity matrix that is made once, as in `kernels.one_hot_rows`."""
        indices, shape, axis, dtype = symbol.arguments
        if not isinstance(indices, Symbol) or axis < len(shape) - 1 or shape[axis] > 256 or indices.dtype != np.intp:
            return ""
        before = self.canonical(indices.arguments[0]) if indices.primitive is ops.reshape else None
        if isinstance(before, Symbol) and before.shape == indices.shape[:-1]:
            places = self.part(before)
        else:
            places = f"{self.part(indices)}.reshape({ints_text(indices.shape[:-1])})"
        return f"{self.bind(np.eye(shape[axis], dtype=dtype), 'identity')}.take({places}, 0)"

    def _put(self, symbol: Symbol) -> str:
        """A count over flat places, as in `kernels.put`, with a list of all places that is made once."""
        x, key, shape = symbol.arguments
        size = math.prod(x.shape)
        if len(key) != 1 or not isinstance(key[0], Symbol) or key[0].dtype != np.intp or len(shape) < 2:
            return ""
        if not 64 < size <= 2**14:
            return ""
        count = math.prod(shape)
        places = self.bind(np.arange(count).reshape(shape), "places")
        counted = f"np.bincount({places}.take({self.part(key[0])}, 0).ravel(), {self.part(x)}.ravel(), {count})"
        return f"{counted}.reshape({ints_text(shape)}).astype({dtype_text(symbol.dtype)})"

    def _called(self, primitive: Call, arguments: tuple[Any, ...], symbol: Symbol) -> str:
        function, count = primitive.function, len(arguments) - len(primitive.keywords)
        texts = [self._argument(x) for x in arguments]
        if function is ITEM:
            return f"{texts[0]}[{texts[1]}]"
        home = getattr(function, "__objclass__", None)
        name = f"np.ndarray.{function.__name__}" if home is np.ndarray else library_name(function)
        name = name or self.bind(function, primitive.name)
        named = [f"{key}={text}" for key, text in zip(primitive.keywords, texts[count:], strict=True)]
        if home is np.ndarray and texts[0].isidentifier():
            return f"{texts[0]}.{function.__name__}({', '.join([*texts[1:count], *named])})"
        return f"{name}({', '.join([*texts[:count], *named])})"

    def _argument(self, x: Any) -> str:
        if isinstance(x, Symbol):
            return self.part(x)
        if isinstance(x, tuple):
            return f"({', '.join(map(self._argument, x))}{',' * (len(x) == 1)})"
        if isinstance(x, slice):
            return f"slice({', '.join(self._argument(end) for end in (x.start, x.stop, x.step))})"
        if x is None or x is ... or type(x) is bool:
            return str(x) if x is not ... else "..."
        if type(x) is int or (type(x) is float and math.isfinite(x)):
            return repr(x)
        if isinstance(x, type) and x in np.sctypeDict.values():
            x = np.dtype(x)
        if isinstance(x, np.dtype) and is_number(x):
            return dtype_text(x)
        return self.bind(x, "constant")

    def _viewed(self, symbol: Symbol) -> str:
        """A view of an array, by a method of numpy's."""
        x, *rest = symbol.arguments
        text = self.part(x)
        if symbol.primitive is ops.reshape:
            return f"{text}.reshape({ints_text(rest[0])})"
        if symbol.primitive is ops.permute:
            (axes,) = rest
            is_reversed = axes == tuple(reversed(range(len(axes))))
            return f"{text}.{'T' if is_reversed else 'mT' if is_mT(axes) else f'transpose({ints_text(axes)})'}"
        if symbol.primitive is ops.expand:
            return f"np.broadcast_to({text}, {ints_text(rest[0])})"
        return f"{text}[{', '.join(self.index(part) for part in rest[0]) or '()'}]"


def _power(exponent: Any) -> np.ufunc | None:
    """What numpy computes a power by, if not by `**` alone."""
    if isinstance(exponent, Symbol):
        return np.power if exponent.shape and exponent.value is None else None
    shortcuts: dict[float, np.ufunc | None] = {2: np.square, 0.5: np.sqrt, -1: None, 0: None, 1: None}
    return shortcuts.get(exponent, np.power)


def _late(changed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Changes in an order in which none reads what another has changed. ValueError if there is no such order."""
    ordered: list[tuple[str, str]] = []
    while changed:
        ready = [pair for pair in changed if all(pair[0] != new for old, new in changed if old != pair[0])]
        if not ready:
            raise ValueError("compile: Tensors from outside that exchange their values cannot be compiled")
        ordered += ready
        changed = [pair for pair in changed if pair not in ready]
    return ordered


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' * (len(names) == 1)})"


def same(now: Any, then: Any) -> bool:
    """Whether a check of arguments reads what it read before."""
    return np.array_equal(now, then)


Make = Callable[[], tuple[Callable[..., Any], Callable[..., Any]]]
