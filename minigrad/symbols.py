"""Symbols: what a rule of the table becomes when it is given names in place of numbers, namely its own formula.

tanh's rule, `lambda g, y: g * (1 - y * y)`, makes of the symbols g and y one that reads `g · (1 − y²)`. So what a
picture says of a derivative is the rule that runs, and cannot disagree with it.
"""

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.operators import Arithmetic
from minigrad.rows import Plan, Recorded, Row, Shape, names_of

# How strongly the parts of a formula hold together.
COMPARISON, SUM, PRODUCT, SIGN, POWER, WHOLE = range(6)
INFIX = {
    "equal": ("=", COMPARISON),
    "unequal": ("≠", COMPARISON),
    "at_least": ("≥", COMPARISON),
    "more": (">", COMPARISON),
    "at_most": ("≤", COMPARISON),
    "less": ("<", COMPARISON),
    "add": ("+", SUM),
    "sub": ("−", SUM),
    "mul": ("·", PRODUCT),
    "div": ("/", PRODUCT),
    "matmul": ("@", PRODUCT),
}
ALIKE = {"add": (ops.add,), "mul": (ops.mul, ops.div)}  # on the right these need no brackets
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SAID = {  # the parameter that a formula tells, if any
    "assign": "key",
    "cast": "dtype",
    "cat": "axis",
    "cumsum": "axis",
    "einsum": "terms",
    "expand": "shape",
    "index": "key",
    "max": "axes",
    "mean": "axes",
    "min": "axes",
    "permute": "axes",
    "put": "key",
    "reshape": "shape",
    "softmax": "axes",
    "sum": "axes",
    "var": "axes",
}

Names = Mapping[Any, str]  # of arrays, by their id


class Symbol(Arithmetic):
    """A name that stands for an array of a shape and dtype, or what a row makes of Symbols and numbers.

    One with a `value` is the same number everywhere, and so is what arithmetic makes of such.
    """

    __slots__ = ("arguments", "array", "name", "row", "value")

    def __init__(self, name: str, shape: Shape = (), dtype: Any = np.float32, value: Any = None) -> None:
        self.name, self.value = name, value
        self.row: Row | None = None
        self.arguments: tuple[Any, ...] = ()
        self.array: np.ndarray | None = np.broadcast_to(np.zeros((), dtype), shape) if shape else np.zeros((), dtype)

    @staticmethod
    def recorder(row: Row, /) -> Callable[..., Any]:
        """`record` of a row."""
        return functools.partial(Symbol.record, row)

    @staticmethod
    def record(row: Row, *arguments: Any) -> Any:
        """What `row` makes of operands, one of them a Symbol at least; a step that changes nothing is left out."""
        simpler = _simpler(row, *row.split(arguments))
        if simpler is not None:
            return simpler
        result = Symbol("")
        result.row, result.arguments, result.array = row, arguments, None
        if row is ops.add:  # thousands of which may stand one in the other, where a gradient has as many branches
            result._like()
        return result

    def _like(self) -> np.ndarray:
        """An array of the shape and dtype that this one stands for."""
        if self.array is None:
            assert self.row
            with np.errstate(all="ignore"):
                result = np.asarray(self.row.forward(*map(_likes, self.arguments)))
            self.array = np.broadcast_to(np.zeros((), result.dtype), result.shape)
        return self.array

    @property
    def shape(self) -> Shape:
        """The size of each dim."""
        return self._like().shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number."""
        return self._like().dtype

    @property
    def mT(self) -> "Symbol":
        """The transpose of each matrix."""
        first, (row, column) = range(len(self.shape) - 2), range(len(self.shape))[-2:]
        return self.record(ops.permute, self, (*first, column, row))

    def __matmul__(self, other: Any) -> Any:
        return self.record(ops.matmul, self, other)

    def __len__(self) -> int:
        return self.shape[0]

    def __eq__(self, other: Any) -> Any:
        return self.record(_EQUAL, self, other)

    def __ne__(self, other: Any) -> Any:
        return self.record(_UNEQUAL, self, other)

    def __ge__(self, other: Any) -> Any:
        return self.record(_AT_LEAST, self, other)

    def __gt__(self, other: Any) -> Any:
        return self.record(_MORE, self, other)

    def __le__(self, other: Any) -> Any:
        return self.record(_AT_MOST, self, other)

    def __lt__(self, other: Any) -> Any:
        return self.record(_LESS, self, other)

    __hash__ = object.__hash__


# What rules compare with, which has no gradient.
_EQUAL = Row("equal", operator.eq, a=None, b=None)
_UNEQUAL = Row("unequal", operator.ne, a=None, b=None)
_AT_LEAST, _MORE = Row("at_least", operator.ge, a=None, b=None), Row("more", operator.gt, a=None, b=None)
_AT_MOST, _LESS = Row("at_most", operator.le, a=None, b=None), Row("less", operator.lt, a=None, b=None)


def _likes(x: Any) -> Any:
    """Arrays in place of the Symbols in an argument."""
    if isinstance(x, tuple):
        return tuple([_likes(part) for part in x])
    return x._like() if isinstance(x, Symbol) else x


def _simpler(row: Row, operands: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """What is equal to a result to the last bit, and simpler; None if there is no such thing."""
    name, (x, *others) = row.name, operands
    if name == "mul" and any(operand is False for operand in operands):
        return False
    if name in ("reshape", "expand") and isinstance(x, Symbol):
        if params[0] == x.shape:
            return x
        if x.value is not None:
            return Symbol("", params[0], x.dtype, x.value)
    if name in ("sum", "mean", "amax", "amin") and params[0] == ():
        return x
    if name == "permute" and isinstance(x, Symbol):
        if params[0] == tuple(range(len(x.shape))):
            return x
        if x.value is not None:
            return Symbol("", tuple(x.shape[axis] for axis in params[0]), x.dtype, x.value)
    if name == "cast" and isinstance(x, Symbol) and (x.dtype == params[0] or x.value is not None):
        return x if x.value is None else Symbol("", x.shape, params[0], np.asarray(x.value, x.dtype).astype(params[0]))
    if name == "neg" and isinstance(x, Symbol) and x.row is ops.neg:
        return x.arguments[0]
    if name in ("mul", "div", "pow") and isinstance(x, Symbol) and _is_one(others[0], x):
        return x
    if name == "mul" and isinstance(others[0], Symbol) and _is_one(x, others[0]):
        return others[0]
    if name == "mul" and any(isinstance(number, int | float) and number == -1 for number in operands):
        return -next(operand for operand in operands if isinstance(operand, Symbol))
    if name in ("neg", "add", "sub", "mul", "div") and all(_value_of(operand) is not None for operand in operands):
        result = np.asarray(row.forward(*map(_value_of, operands)))
        return Symbol(
            "", np.broadcast_shapes(*(getattr(operand, "shape", ()) for operand in operands)), result.dtype, result
        )
    return None


def _is_one(x: Any, beside: "Symbol") -> bool:
    """Whether `x` is 1 wherever it stands, and makes nothing else of `beside`."""
    if isinstance(x, Symbol):
        fits = x.value is not None and x.dtype == beside.dtype
        return fits and np.broadcast_shapes(x.shape, beside.shape) == beside.shape and x.value == 1
    kinds = "f" if isinstance(x, float) else "fi"  # of which it is none else's
    return isinstance(x, int | float) and x == 1 and beside.dtype.kind in kinds


def _value_of(x: Any) -> Any:
    """A number that an operand is everywhere, in its dtype; None if it is not."""
    if isinstance(x, Symbol):
        return None if x.value is None else np.asarray(x.value, x.dtype)
    return x if isinstance(x, int | float) else None


def gradients(plan: Plan, operands: Sequence[Any], params: tuple[Any, ...], shape: Shape, dtype: Any) -> dict[int, Any]:
    """What the rules of a plan make of symbols: the gradient of each operand that gets one, by its place.

    `operands` are arrays, of which only shape and dtype count, or numbers; `shape` and `dtype` those of the result. The
    symbols are called what the rules call them: `g`, `y`, and the names that the row gives its operands.
    """
    row = plan.row
    names = row.operands if len(row.operands) == len(operands) else [f"x{place}" for place in range(len(operands))]
    values = dict(zip(names, operands, strict=True)) | dict(zip(row.params, params, strict=True))
    values = {name: _named(name, x) for name, x in values.items()}
    shapes = {f"{name}_shape": getattr(x, "shape", ()) for name, x in values.items()}
    values |= {name: Symbol(name, shape, dtype) for name in ("g", "y")}
    if row.extras:
        likes = [x._like() if isinstance(x, Symbol) else x for x in values.values()][: len(names) + len(params)]
        extras = zip(row.extras, row.forward(*likes)[1:], strict=True)
        values |= {name: Symbol(name, x.shape, x.dtype) for name, x in extras}
    found: dict[int, Any] = {}
    for place, rule, _ in plan.steps:
        result = rule(*[values[name] if name in values else shapes[name] for name in names_of(rule)])
        found |= {place: result} if row.joint is None else dict(enumerate(result))
    return found


def _named(name: str, x: Any) -> Any:
    """A symbol in place of a Tensor, a node, an array or a Value; a number or another parameter as it is."""
    if hasattr(x, "dtype"):
        return Symbol(name, x.shape, x.dtype)
    return Symbol(name, (), float) if isinstance(x, Recorded) else x


def formula(x: Any, names: Names | None = None) -> str:
    """What a Symbol or a number reads as; `names` are those of arrays that it is indexed by.

    >>> g, y = Symbol("g"), Symbol("y")
    >>> formula(g * (1 - y * y))
    'g · (1 − y²)'
    """
    if isinstance(x, Symbol) and x.row is ops.reshape:
        x = x.arguments[0]  # a gradient has its operand's shape in any case
    return _written(x, names or {})[0]


def _written(x: Any, names: Names) -> tuple[str, int]:
    """The text, and how strongly it holds together."""
    if not isinstance(x, Symbol):
        return _value(x, names), SIGN if isinstance(x, int | float) and x < 0 else WHOLE
    if x.row is None:
        return x.name, WHOLE

    def part(i: int, least: int) -> str:
        text, strength = _written(x.arguments[i], names)
        return f"({text})" if strength < least else text

    row, params = x.row, dict(zip(x.row.params, x.arguments[len(x.arguments) - len(x.row.params) :], strict=True))
    if row.name == "mul" and x.arguments[0] is x.arguments[1]:
        return f"{part(0, WHOLE)}²", POWER
    if row.name in INFIX:
        sign, strength = INFIX[row.name]
        alike = row.name in ALIKE and isinstance(right := x.arguments[1], Symbol) and right.row in ALIKE[row.name]
        return f"{part(0, strength)} {sign} {part(1, strength + (not alike))}", strength
    if row.name == "neg":
        return f"−{part(0, SIGN)}", SIGN
    if row.name == "pow":
        exponent = x.arguments[1]
        if isinstance(exponent, int | float) and abs(exponent) < 1000 and exponent == int(exponent):
            return f"{part(0, WHOLE)}{str(int(exponent)).translate(SUPERSCRIPTS)}", POWER
        return f"{part(0, WHOLE)}^{part(1, WHOLE)}", POWER
    if row.name == "permute" and is_mT(params["axes"]):
        return f"{part(0, WHOLE)}ᵀ", WHOLE
    if row.name == "reshape":
        before = x.arguments[0]
        if _without_leading_ones(x.shape) == _without_leading_ones(before.shape) or before.dtype.kind == "i":
            return _written(before, names)  # broadcasting says the same; and indices are told apart by their numbers
    if row.name == "index":
        return f"{part(0, WHOLE)}{said(row, tuple(params.values()), names)}", WHOLE
    operands = [_written(argument, names)[0] for argument in x.arguments[: len(row.operands)]]
    parameter = said(row, tuple(params.values()), names)
    return f"{row.name}({', '.join([*operands, *([parameter] if parameter else [])])})", WHOLE


def said(row: Row, params: tuple[Any, ...], names: Names) -> str:
    """The parameter of an operation that a formula tells, or an empty text."""
    kind = SAID.get(row.name)
    if kind is None:
        return ""
    values = dict(zip(row.params, params, strict=True))
    # Where the leading dims are reduced, broadcasting makes up for those that are gone.
    keepdims = values.get("keepdims", False) and values["axes"] != tuple(range(len(values["axes"])))
    return _parameter(kind, values[kind], names) + ", keepdims" * keepdims


def _value(x: Any, names: Names) -> str:
    """A parameter, or a number, in few characters."""
    match x:
        case bool() | None:
            return str(x)
        case int() | float():
            return f"{x:.5g}".replace("-", "−") if isinstance(x, float) else str(x).replace("-", "−")
        case slice():
            ends = (x.start, x.stop) if x.step is None else (x.start, x.stop, x.step)
            return ":".join("" if end is None else _value(end, names) for end in ends)
        case tuple():
            return f"({', '.join(_value(part, names) for part in x)}{',' * (len(x) == 1)})"
        case np.ndarray() if x.ndim:
            return names.get(id(x), f"{np.count_nonzero(x) if x.dtype == bool else x.size:,} places")
        case _ if x is ...:
            return "..."
    return str(x)


def _parameter(kind: str, x: Any, names: Names) -> str:
    if kind == "key":
        return f"[{', '.join(_value(part, names) for part in x)}]"
    if kind == "terms":
        return "{},{}→{}".format(*x)
    return _value(x[0] if kind == "axes" and len(x) == 1 else x, names)


def is_mT(axes: tuple[int, ...]) -> bool:
    """Whether axes in this order are those of `.mT`: the last two exchanged."""
    count = len(axes)
    return axes == (*range(count - 2), count - 1, count - 2)


def _without_leading_ones(shape: Shape) -> Shape:
    return shape[next((axis for axis, size in enumerate(shape) if size != 1), len(shape)) :]
