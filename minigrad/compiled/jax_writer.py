"""The readable source of a program for JAX: derive's statements, with `jax.numpy` for numpy.

A jax array never changes. So what numpy assigns in place has a form of its own here, `x.at[key].set(value)`, and so
have the few functions of `core/kernels.py` that need the memory of an array. `FORMS` lists them. All else is written as
`derive` writes it.

The source has two functions. `forward` returns the results, the new values of what the function changes in place, the
numbers that checks of arguments read, and what `backward` needs.
"""

import ast
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.compiled.calls import CONTIGUOUS, ITEM, Call, called
from minigrad.compiled.layout import Wanted
from minigrad.core import ops
from minigrad.core.primitive import Primitive, Shape
from minigrad.derive import forms
from minigrad.derive.copying import library_name
from minigrad.derive.expressions import Text, axes_text, dtype_of
from minigrad.derive.infix import WHOLE
from minigrad.derive.naming import identifier, unused
from minigrad.derive.plain import ints_text
from minigrad.derive.program import wrapped
from minigrad.derive.sharing import symbols_in
from minigrad.derive.source import Writer
from minigrad.derive.symbols import Symbol

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
        guards = [*wanted.guards, *((symbol, True) for symbol in _checks(wanted, constants))]
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
        names, draws, seeds = (
            [self.texts[id(x)][0] for x in each] for each in (wanted.given, wanted.draws, wanted.seeds)
        )
        results = [self._tuple(symbols) for symbols in (wanted.outputs, self.changes, self.checks)]
        forward, self.lines = self.lines, []
        gradients = self._tuple(wanted.gradients)
        read, read_later = _names([*forward, *results]), _names([*self.lines, gradients])
        saved = [name for name in (*names, *draws, *_names(forward, ast.Store)) if name in read_later]
        self.given = [place for place, name in enumerate(names) if name in read or name in saved]
        self.saved = [place for place, name in enumerate(names) if name in saved]
        returned = wrapped("return ", [*results, _tuple(saved)], "")
        functions = [_function("forward", [*(names[place] for place in self.given), *draws], [*forward, returned])]
        if seeds:
            functions.append(_function("backward", [*seeds, *saved], [*self.lines, f"return {gradients}"]))
        text = "\n\n\n".join([*self.helpers.sources, *functions])
        imports = [f"import {name}" for name in ("jax", "math") if f"{name}." in text]
        return "\n".join([*imports, "import jax.numpy as np", *self.helpers.imports]) + f"\n\n\n{text}\n"

    def _tuple(self, symbols: Iterable[Any]) -> str:
        """A tuple of results, after the statements that they need."""
        texts = []
        for symbol in symbols:
            self.visit(symbol)
            texts.append(self.part(symbol))
        return _tuple(texts)

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
            return CALLS[primitive.name].format(*texts, None)
        count = len(arguments) - len(primitive.keywords)
        named = zip(primitive.keywords, texts[count:], strict=True)
        texts = [*texts[:count], *(f"{key}={text}" for key, text in named)]
        if getattr(function, "__objclass__", None) is np.ndarray:
            return f"{self.array(arguments[0])}.{primitive.name}({', '.join(texts[1:])})"
        name = library_name(function) or self.helpers.name_of(function, primitive.name, primitive)
        return f"{name}({', '.join(texts)})"


def _place(writer: Any, key: tuple[Any, ...]) -> str:
    return writer.key(key) or "..."


def _index(writer: Any, symbol: Symbol) -> str:
    x, key = symbol.arguments
    return f"{writer.array(x)}[{_place(writer, key)}]"


def _put(writer: Any, symbol: Symbol) -> str:
    x, key, shape = symbol.arguments
    added = "max" if symbol.dtype == bool else "add"
    return f"np.zeros({ints_text(shape)}, {dtype_of(symbol)}).at[{_place(writer, key)}].{added}({writer.part(x)})"


def _assign(writer: Any, symbol: Symbol) -> str:
    x, value, key = symbol.arguments
    filling = writer.filling(value)
    if not isinstance(value, Symbol) or value.value is not None:
        filling = f"{dtype_of(symbol)}({filling})"
    elif value.dtype != symbol.dtype:
        filling = f"{writer.array(value)}.astype({dtype_of(symbol)})"
    is_one = math.prod(getattr(value, "shape", ())) == 1  # so that it does not matter how many places there are
    if is_one and len(key) == 1 and _is_mask(key[0]) and key[0].shape == x.shape:
        return f"np.where({writer.part(key[0])}, {filling}, {writer.part(x)})"
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
# The same for functions and methods of numpy, whose parameters have another order, or are others.
CALLS = {
    "add_at": "{0}.at[{1}].add({2})",
    "argsort": "{0}.argsort({1})",  # which is stable
    "histogram": "np.histogram({0}, {1}, {2}, density={3}, weights={4})",
    "take": "np.take({0}, np.asarray({1}), {2})",
}


def _function(name: str, parameters: list[str], lines: list[str]) -> str:
    body = "\n".join(f"    {line}" for text in lines for line in text.split("\n"))
    return f"{wrapped(f'def {name}(', parameters, '):')}\n{body}"


def _tuple(texts: list[str]) -> str:
    return f"({', '.join(texts)}{',' * (len(texts) == 1)})"


def _names(lines: Iterable[str], kind: Any = ast.expr_context) -> dict[str, None]:
    """The names in some statements, in order; only those that are assigned, if the kind is `ast.Store`."""
    tree = ast.walk(ast.parse("\n".join(lines)))
    return dict.fromkeys(node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, kind))


# Checks that numpy makes itself, and jax does not: whether indices are in range, and the bins of a histogram in order.


def _checks(wanted: Wanted, constants: dict[int, np.ndarray]) -> Iterator[Symbol]:
    """Symbols that are true if numpy would refuse none of the numbers."""
    seen = {*map(id, wanted.draws), *constants}
    ahead = [*wanted.outputs, *(new for _, new in wanted.effects)]
    while ahead:
        symbol = ahead.pop()
        if not isinstance(symbol, Symbol) or id(symbol) in seen:
            continue
        seen.add(id(symbol))
        ahead += symbols_in(symbol.arguments)
        primitive, arguments = symbol.primitive, symbol.arguments
        function = primitive.function if isinstance(primitive, Call) else None
        if function is np.histogram and isinstance(arguments[1], Symbol):
            bins = arguments[1]
            yield _all(Symbol.record(ops.index, bins, (slice(1, None),)) >= bins.record(ops.index, bins, (slice(-1),)))
        indexed: Iterable[tuple[Any, int]] = ()
        if function is np.ndarray.take:
            x, places, *axis = arguments
            indexed = [(places, x.shape[axis[0]] if axis else math.prod(x.shape))]
        elif function is ITEM or primitive in (ops.index, ops.assign):
            indexed = _indexed(arguments[-1], arguments[0].shape)
        for indices, size in indexed:
            if isinstance(indices, Symbol) and id(indices) not in constants and indices.dtype.kind in "iu":
                yield _all(indices < size)
                if indices.dtype.kind == "i":
                    yield _all(indices >= -size)


def _indexed(key: tuple[Any, ...], shape: Shape) -> Iterator[tuple[Any, int]]:
    """The parts of an index that take one dim, each with the size of its dim."""
    takes = [0 if part is None or part is ... else len(part.shape) if _is_mask(part) else 1 for part in key]
    axis = 0
    for part, count in zip(key, takes, strict=True):
        if count == 1:
            yield part, shape[axis]
        axis += len(shape) - sum(takes) if part is ... else count


def _is_mask(part: Any) -> bool:
    return hasattr(part, "dtype") and part.dtype.kind == "b"


def _all(condition: Symbol) -> Symbol:
    step = Symbol("")
    step.primitive, step.arguments, step.array = called(np.all), (condition,), np.zeros((), bool)
    return step
