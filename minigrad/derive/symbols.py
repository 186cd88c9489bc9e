"""Symbols: names in place of numbers. Primitives and vjps that are applied to them build expressions.

The vjp of tanh, `lambda g, y: g * (1 - y * y)`, turns the symbols g and y into the expression `g · (1 − y²)`. So the
formula in a picture and the derived source come from the vjp that runs, and cannot disagree with it.
"""

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core import ops
from minigrad.core.operators import Arithmetic
from minigrad.core.primitive import Primitive, Shape
from minigrad.derive.plain import plain

# Rules compare with these. They have no gradient.
EQUAL = Primitive("equal", operator.eq, symbol="==", a=None, b=None)
UNEQUAL = Primitive("unequal", operator.ne, symbol="!=", a=None, b=None)
AT_LEAST = Primitive("at_least", operator.ge, symbol=">=", a=None, b=None)
MORE = Primitive("more", operator.gt, symbol=">", a=None, b=None)
AT_MOST = Primitive("at_most", operator.le, symbol="<=", a=None, b=None)
LESS = Primitive("less", operator.lt, symbol="<", a=None, b=None)

# One of the results of a fused primitive that could not be traced: the result itself, or one of the residuals.
OUTPUT = Primitive("output", lambda outputs, place: outputs[place], outputs=None)


def _comparison(primitive: Primitive) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        return self.record(primitive, self, other)

    return compare


class Symbol(Arithmetic):
    """A name that stands for an array of some shape and dtype; or a primitive applied to Symbols and numbers.

    A Symbol with a `value` is the same number everywhere. Arithmetic on such Symbols gives such a Symbol. `in_place`
    says of a result that it is written into the first operand, and so lies in memory as that does.
    """

    __slots__ = ("arguments", "array", "in_place", "name", "primitive", "value")
    __array_ufunc__ = None  # so that `numpy.float64(2) * symbol` asks the symbol, and `np.exp(symbol)` is refused

    def __init__(self, name: str, shape: Shape = (), dtype: Any = np.float32, value: Any = None) -> None:
        self.name, self.value, self.in_place = name, value, False
        self.primitive: Primitive | None = None
        self.arguments: tuple[Any, ...] = ()
        self.array: np.ndarray | None = _zeros(shape, np.dtype(dtype))

    @staticmethod
    def recorder(primitive: Primitive, /) -> Callable[..., Any]:
        """The function that applies `primitive` to Symbols."""
        return functools.partial(Symbol.record, primitive)

    @staticmethod
    def record(primitive: Primitive, *arguments: Any) -> Any:
        """Apply a primitive to operands, at least one of them a Symbol, followed by its parameters.

        A step that changes nothing is left out. A fused primitive returns its residuals too, as it does for Tensors.
        """
        arguments = plain(arguments)
        if primitive.residuals:
            return _outputs(primitive, arguments)
        simpler = _simpler(primitive, arguments)
        if simpler is not None:
            return simpler
        result = Symbol("")
        result.primitive, result.arguments, result.array = primitive, arguments, None
        if primitive is ops.add:  # a gradient with thousands of branches nests thousands of sums: no recursion later
            result.like()
        return result

    def like(self) -> np.ndarray:
        """An array of zeros with this shape and dtype."""
        if self.array is None:
            assert self.primitive
            self.array = _zeros_like_result(self.primitive, likes(self.arguments))
        return self.array

    @property
    def shape(self) -> Shape:
        """The size of each dim."""
        return self.like().shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The kind of number."""
        return self.like().dtype

    @property
    def mT(self) -> "Symbol":
        """The transpose of each matrix."""
        first, (row, column) = range(len(self.shape) - 2), range(len(self.shape))[-2:]
        return self.record(ops.permute, self, (*first, column, row))

    def __matmul__(self, other: Any) -> Any:
        return self.record(ops.matmul, self, other)

    def __iadd__(self, other: Any) -> Any:
        result = self + other
        if result is not self and result is not other:
            result.in_place = True
        return result

    __eq__, __ne__ = _comparison(EQUAL), _comparison(UNEQUAL)
    __ge__, __gt__ = _comparison(AT_LEAST), _comparison(MORE)
    __le__, __lt__ = _comparison(AT_MOST), _comparison(LESS)
    __hash__ = object.__hash__

    def __len__(self) -> int:
        return self.shape[0]

    def __bool__(self) -> bool:
        raise TypeError("a symbol is neither true nor false; a vjp is an expression, without branches")

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("a symbol has no numbers; write vjps with operators and primitives")


def _outputs(primitive: Primitive, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The result and the residuals of a fused primitive.

    A forward function that is made of primitives and operators runs on the Symbols. One that needs numbers, say because
    it calls numpy, becomes a single call with several outputs.
    """
    try:
        outputs: tuple[Any, ...] = tuple(primitive.forward(*arguments))
    except (TypeError, AttributeError):
        call = Symbol("")
        call.primitive, call.arguments = primitive, arguments
        with np.errstate(all="ignore"):
            zeros = [np.asarray(x) for x in primitive.forward(*map(likes, arguments))]
        outputs = tuple([Symbol("", x.shape, x.dtype) for x in zeros])
        for place, output in enumerate(outputs):
            output.primitive, output.arguments = OUTPUT, (call, place)
    return outputs


def likes(x: Any) -> Any:
    """An argument with arrays of zeros in place of its Symbols."""
    if isinstance(x, tuple):
        return tuple([likes(part) for part in x])
    return x.like() if isinstance(x, Symbol) else x


def _zeros_like_result(primitive: Primitive, arguments: tuple[Any, ...]) -> np.ndarray:
    """Zeros with the shape and dtype of a result. The most frequent kinds of primitive need not compute it."""
    shape: Shape | None = None
    operands = [x for x in arguments if isinstance(x, np.ndarray)]
    if primitive.elementwise:
        shape = np.broadcast_shapes(*(x.shape for x in operands))
    elif primitive is ops.matmul and all(x.ndim > 1 for x in operands):
        a, b = (x.shape for x in operands)
        shape = (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])
    elif primitive in REDUCED:
        x, axes, keepdims, *_ = arguments
        kept = ops.keepdims_shape(x.shape, axes)
        shape = kept if keepdims else tuple([size for axis, size in enumerate(kept) if axis not in axes])
    if shape is not None:
        arguments = tuple([np.zeros((1,) * x.ndim, x.dtype) if isinstance(x, np.ndarray) else x for x in arguments])
    # `x ** y` of numpy before 2.3 has the dtype of x alone, if y is a 0-d array of a small number.
    forward = np.power if primitive is ops.pow else primitive.forward
    with np.errstate(all="ignore"):
        result = np.asarray(forward(*arguments))
    return _zeros(result.shape if shape is None else shape, result.dtype)


def _zeros(shape: Shape, dtype: np.dtype[Any]) -> np.ndarray:
    """Zeros that need no memory: all elements are one. (It is `np.broadcast_to`, in a tenth of the time.)"""
    return np.ndarray(shape, dtype, bytes(dtype.itemsize), 0, (0,) * len(shape))


def is_mT(axes: tuple[int, ...]) -> bool:
    """Whether a permutation is that of `.mT`: it exchanges the last two axes."""
    count = len(axes)
    return axes == (*range(count - 2), count - 1, count - 2)


# Simplification. Each of these takes the operands and parameters of a primitive, and returns something simpler that is
# equal to the last bit, or None.


def _same_shape(x: Any, shape: Shape) -> Any:
    return x if isinstance(x, Symbol) and x.shape == shape else None


def _in_order(x: Any, axes: tuple[int, ...]) -> Any:
    return x if isinstance(x, Symbol) and axes == tuple(range(len(x.shape))) else None


def _same_dtype(x: Any, dtype: Any) -> Any:
    return x if isinstance(x, Symbol) and x.dtype == dtype else None


def _double_negative(x: Any) -> Any:
    return x.arguments[0] if isinstance(x, Symbol) and x.primitive is ops.neg else None


def _by_one(x: Any, other: Any) -> Any:
    return x if isinstance(x, Symbol) and _is_one(other, x) else None


def _one_by(other: Any, x: Any) -> Any:
    return _by_one(x, other)


def _by_false(x: Any, other: Any) -> Any:
    for factor, beside in ((x, other), (other, x)):
        if factor is False and (beside.dtype == bool if isinstance(beside, Symbol) else True):  # not NaN
            return False
    return None


def _by_minus_one(a: Any, b: Any) -> Any:
    for x, other in ((a, b), (b, a)):
        if isinstance(other, int | float) and other == -1:
            return -x
    return None


def _by_step(g: Any, step: Any) -> Any:
    is_step = isinstance(step, Symbol) and step.primitive is ops.is_nonzero
    return g * (step.arguments[0] != 0) if is_step and isinstance(g, Symbol) and g.dtype == step.dtype else None


def _over_no_axes(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return x if axes == () else None


SIMPLER: dict[Primitive, tuple[Callable[..., Any], ...]] = {
    ops.reshape: (_same_shape,),
    ops.expand: (_same_shape,),
    ops.permute: (_in_order,),
    ops.cast: (_same_dtype,),
    ops.neg: (_double_negative,),
    ops.div: (_by_one,),
    ops.pow: (_by_one,),
    ops.mul: (_by_false, _by_one, _one_by, _by_minus_one, _by_step),
    **dict.fromkeys((ops.amax, ops.amin), (_over_no_axes,)),  # a sum makes 0.0 of -0.0
}
FOLDED = {ops.neg, ops.add, ops.sub, ops.mul, ops.div, ops.cast}  # element by element
REDUCED = {ops.sum, ops.mean, ops.amax, ops.amin}
MOVED = {ops.reshape, ops.expand, ops.permute}  # these keep every number


def _simpler(primitive: Primitive, arguments: tuple[Any, ...]) -> Any:
    for simpler in SIMPLER.get(primitive, ()):
        found = simpler(*arguments)
        if found is not None:
            return found
    return _folded(primitive, *primitive.split(arguments))


def _folded(primitive: Primitive, operands: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """The constant that a primitive makes of constants; None if an operand is not one."""
    if primitive not in FOLDED and primitive not in MOVED:
        return None
    values = [_value_of(x) for x in operands]
    if any(value is None for value in values):
        return None
    if primitive in MOVED:
        moved = primitive.forward(operands[0].like(), *params)
        return Symbol("", moved.shape, moved.dtype, operands[0].value)
    result = np.asarray(primitive.forward(*values, *params))
    return Symbol("", np.broadcast_shapes(*(getattr(x, "shape", ()) for x in operands)), result.dtype, result)


def _value_of(x: Any) -> Any:
    """The number that an operand is everywhere, in its dtype; None if it is not constant."""
    if isinstance(x, Symbol):
        return None if x.value is None else np.asarray(x.value, x.dtype)
    return x if isinstance(x, int | float) else None


def _is_one(x: Any, beside: Symbol) -> bool:
    """Whether `x` is 1 everywhere, and changes neither the shape nor the dtype of `beside`."""
    if isinstance(x, Symbol):
        fits = x.value is not None and x.dtype == beside.dtype
        return fits and np.broadcast_shapes(x.shape, beside.shape) == beside.shape and bool(x.value == 1)
    kinds = "f" if isinstance(x, float) else "fi"  # a float would change the dtype of an array of integers
    return isinstance(x, int | float) and x == 1 and beside.dtype.kind in kinds
