"""The readable source of a program for JAX: derive's statements, with `jax.numpy` for numpy.

A jax array never changes. So what numpy assigns in place has a form of its own here, `x.at[key].set(value)`, and so
have the few functions of `core/kernels.py` that need the memory of an array. `FORMS` lists them. All else is written as
`derive` writes it.

The source has two functions. `forward` returns the results, the new values of what the function changes in place, the
numbers that checks of arguments read, and what `backward` needs.
"""

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.compiled.layout import Wanted
from minigrad.compiled.recording import CONTIGUOUS, ITEM, Call, called
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive import forms
from minigrad.derive.copying import library_name
from minigrad.derive.expressions import Text, axes_text, dtype_of
from minigrad.derive.infix import WHOLE
from minigrad.derive.naming import identifier, unused
from minigrad.derive.plain import ints_text
from minigrad.derive.sharing import symbols_in
from minigrad.derive.source import Writer
from minigrad.derive.symbols import AT_LEAST, LESS, Symbol

TAKEN = {"np", "jax", "math", "forward", "backward", "range", "max", "slice", "_", *forms.RESERVED}


class JaxWriter(Writer):
    """The source of a program, and what its functions take.

    - `given`: the places in `wanted.given` of the arrays that `forward` takes, before the random numbers.
    - `expected`: what each number that a check reads must be.
    - `saved`: the places of the arrays that `backward` reads.
    - `space`: the constants that the source names.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray]) -> None:
        self.wanted, self.constants, self.space = wanted, constants, dict[str, Any]()
        guards = [*wanted.guards, *((symbol, True) for symbol in _ranges(wanted, constants))]
        self.checks, self.expected = [symbol for symbol, _ in guards], [value for _, value in guards]
        self.changes = [new for _, new in wanted.effects]
        taken, names, given = {*TAKEN}, dict[int, str](), dict[int, str]()

        def named(symbol: Symbol, wanted: str, among: dict[int, str]) -> None:
            among[id(symbol)] = unused(identifier(wanted.replace(".", "_")), taken)
            taken.add(among[id(symbol)])

        for symbol in (*wanted.given, *wanted.draws, *wanted.seeds):
            named(symbol, symbol.name or "x", given)
        for key, array in constants.items():
            given[key] = unused("constant", taken)
            taken.add(given[key])
            self.space[given[key]] = array
        for symbol in wanted.outputs:
            named(symbol, "result", names)
        for old, new in wanted.effects:
            if isinstance(new, Symbol):
                named(new, f"new_{old.name}", names)
        for leaf, g in zip(wanted.leaves, wanted.gradients, strict=True):
            named(g, f"d{leaf.name}", names)
        super().__init__([*self.checks, *wanted.outputs, *self.changes, *wanted.gradients], names, taken, False)
        self.texts |= {key: (name, WHOLE) for key, name in given.items()}

    def write(self) -> str:
        """The source."""
        wanted = self.wanted
        names = [self.texts[id(symbol)][0] for symbol in wanted.given]
        draws = [self.texts[id(symbol)][0] for symbol in wanted.draws]
        seeds = [self.texts[id(symbol)][0] for symbol in wanted.seeds]
        results = [self._tuple(symbols) for symbols in (wanted.outputs, self.changes, self.checks)]
        forward, self.lines = self.lines, []
        gradients = self._tuple(wanted.gradients)
        backward = self.lines
        in_forward = _names([*forward, *results])
        before = [*names, *draws, *_names(forward, ast.Store)]
        saved = [name for name in before if name in _names([*backward, gradients])]
        self.given = [place for place, name in enumerate(names) if name in in_forward or name in saved]
        self.saved = [place for place, name in enumerate(names) if name in saved]
        self.residuals = [names.index(name) if name in names else None for name in saved]
        takes = [*(names[place] for place in self.given), *draws]
        returns = f"return {', '.join(results)}, ({', '.join(saved)}{',' * (len(saved) == 1)})"
        functions = [_function("forward", takes, [*forward, returns])]
        functions += [_function("backward", [*seeds, *saved], [*backward, f"return {gradients}"])] * bool(seeds)
        text = "\n\n\n".join([*self.helpers.sources, *functions])
        imports = [f"import {name}" for name in ("jax", "math") if f"{name}." in text]
        return "\n".join([*imports, "import jax.numpy as np", *self.helpers.imports]) + f"\n\n\n{text}\n"

    def _tuple(self, symbols: Iterable[Any]) -> str:
        """A tuple of results, after the statements that they need."""
        texts = []
        for symbol in symbols:
            self.visit(symbol)
            texts.append(self.part(symbol))
        return f"({', '.join(texts)}{',' * (len(texts) == 1)})"

    # The forms of jax

    def array(self, x: Any) -> str:
        """An operand that has the attributes of a jax array: a constant is an array of numpy's."""
        text = self.part(x, WHOLE)
        return f"np.asarray({text})" if id(x) in self.constants else text

    def _finish(self, symbol: Symbol, comment: str, total: bool) -> None:
        if symbol.primitive in (ops.put, ops.assign):  # which are expressions here, and statements in numpy
            self._write(symbol, comment)
        else:
            super()._finish(symbol, comment, total)

    def text(self, symbol: Symbol) -> Text:
        primitive = symbol.primitive
        assert primitive
        if isinstance(primitive, Call):
            return self._called(primitive, symbol), WHOLE
        form = FORMS.get(primitive)
        return (form(self, symbol), WHOLE) if form else super().text(symbol)

    def _called(self, primitive: Call, symbol: Symbol) -> str:
        """A call of a function of numpy's, or of a method of its arrays."""
        function, arguments = primitive.function, symbol.arguments
        if function is ITEM:
            return _index(self, symbol)
        texts = [self.argument(x, primitive) for x in arguments]
        if primitive.name in CALLS:
            return CALLS[primitive.name].format(*texts)
        count = len(arguments) - len(primitive.keywords)
        named = [f"{key}={text}" for key, text in zip(primitive.keywords, texts[count:], strict=True)]
        if getattr(function, "__objclass__", None) is np.ndarray:
            return f"{self.array(arguments[0])}.{primitive.name}({', '.join([*texts[1:count], *named])})"
        name = library_name(function) or self.helpers.name_of(function, primitive.name, primitive)
        return f"{name}({', '.join([*texts[:count], *named])})"


def _place(writer: Any, key: tuple[Any, ...]) -> str:
    return writer.key(key) or "..."


def _index(writer: Any, symbol: Symbol) -> str:
    x, key = symbol.arguments
    return f"{writer.array(x)}[{_place(writer, key)}]"


def _put(writer: Any, symbol: Symbol) -> str:
    x, key, shape = symbol.arguments
    return f"np.zeros({ints_text(shape)}, {dtype_of(symbol)}).at[{_place(writer, key)}].add({writer.part(x)})"


def _assign(writer: Any, symbol: Symbol) -> str:
    x, value, key = symbol.arguments
    filling = writer.filling(value)
    if isinstance(value, Symbol) and value.dtype != symbol.dtype and value.value is None:
        filling = f"{writer.part(value, WHOLE)}.astype({dtype_of(symbol)})"
    return f"{writer.array(x)}.at[{_place(writer, key)}].set({filling})"


def _sum(writer: Any, symbol: Symbol) -> str:
    x, axes, keepdims = symbol.arguments
    return f"{writer.part(x, WHOLE)}.sum({axes_text({'axes': axes, 'keepdims': keepdims}, x)})"


def _mean(writer: Any, symbol: Symbol) -> str:
    x, axes, keepdims = symbol.arguments
    return f"{writer.part(x, WHOLE)}.mean({axes_text({'axes': axes, 'keepdims': keepdims}, x)})"


# Primitives whose numpy text assigns in place, or whose function needs the memory of an array.
FORMS: dict[Primitive, Callable[[Any, Symbol], str]] = {
    ops.index: _index,
    ops.put: _put,
    ops.assign: _assign,
    ops.sum: _sum,
    ops.mean: _mean,
    ops.erf: lambda writer, symbol: f"jax.scipy.special.erf({writer.part(symbol.arguments[0])})",
    CONTIGUOUS: lambda writer, symbol: f"np.asarray({writer.part(symbol.arguments[0])})",
}
# The same for functions that numpy's arrays have.
CALLS = {
    "add_at": "{0}.at[{1}].add({2})",
}


def _function(name: str, parameters: list[str], lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for text in lines for line in text.split("\n"))
    return f"def {name}({', '.join(parameters)}):\n{body}"


def _names(lines: Iterable[str], kind: Any = ast.expr_context) -> dict[str, None]:
    """The names in some statements, in order; only those that are assigned, if the kind is `ast.Store`."""
    tree = ast.walk(ast.parse("\n".join(lines)))
    return dict.fromkeys(node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, kind))


# Checks that numpy makes itself, and jax does not: whether each index is in range.


def _ranges(wanted: Wanted, constants: dict[int, np.ndarray]) -> Iterator[Symbol]:
    """Symbols that are true if the indices are in range."""
    seen = {*map(id, wanted.draws), *constants}
    ahead = [*wanted.outputs, *(new for _, new in wanted.effects)]
    while ahead:
        symbol = ahead.pop()
        if not isinstance(symbol, Symbol) or id(symbol) in seen:
            continue
        seen.add(id(symbol))
        ahead += symbols_in(symbol.arguments)
        for indices, size in _indices_of(symbol):
            if isinstance(indices, Symbol) and id(indices) not in constants and indices.value is None:
                yield from _within(indices, size)


def _indices_of(symbol: Symbol) -> Iterator[tuple[Any, int]]:
    """The integer arrays by which a step indexes, each with the size of its dim."""
    primitive, arguments = symbol.primitive, symbol.arguments
    if isinstance(primitive, Call) and primitive.function is np.ndarray.take:
        x, places, *axis = arguments
        yield places, x.shape[axis[0]] if axis and axis[0] is not None else int(np.prod(x.shape))
    elif primitive in (ops.index, ops.assign) or (isinstance(primitive, Call) and primitive.function is ITEM):
        x, key = arguments[0], arguments[-1]
        dims = sum(_dims(part) for part in key if part is not ...)
        axis = 0
        for part in key:
            if isinstance(part, Symbol) and part.dtype.kind in "iu":
                yield part, x.shape[axis]
            axis += len(x.shape) - dims if part is ... else _dims(part)


def _dims(part: Any) -> int:
    """How many dims a part of an index takes."""
    if part is None:
        return 0
    return len(part.shape) if getattr(part, "dtype", None) == bool else 1


def _within(indices: Symbol, size: int) -> Iterator[Symbol]:
    bounds = [Symbol.record(LESS, indices, size)]
    if indices.dtype.kind == "i":
        bounds.append(Symbol.record(AT_LEAST, indices, -size))
    for bound in bounds:
        step = Symbol("")
        step.primitive, step.arguments, step.array = called(np.all), (bound,), np.zeros((), bool)
        yield step
