"""Functions that treat each element by itself: arithmetic, exp and similar functions, comparisons and choices.

They broadcast their operands. Functions that combine elements along a dim are in `reductions.py` and its neighbours.
"""

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import Number, Operand, array_of, check_no_bools
from minigrad.api.grad_fn import labelled
from minigrad.api.limits import fitting
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method, methods
from minigrad.core.primitive import Traced
from minigrad.core.promotion import check_operand, python_number, translated
from minigrad.core.tensor import Tensor, wrap

# Arithmetic: the operators of Tensor apply the same primitives


@method
def add(input: Operand, other: Operand) -> Tensor:
    """Return the sum of two operands, which broadcast (`torch.add`).

    >>> import minigrad
    >>> minigrad.add(minigrad.tensor([1, 2]), 10)
    tensor([11, 12])
    """
    return ops.add.on_tensors(input, other)


@method
def sub(input: Operand, other: Operand) -> Tensor:
    """Return the difference of two operands, which broadcast (`torch.sub`).

    >>> import minigrad
    >>> minigrad.sub(minigrad.tensor([1, 2]), 10)
    tensor([-9, -8])
    """
    return ops.sub.on_tensors(input, other)


@method
def mul(input: Operand, other: Operand) -> Tensor:
    """Return the elementwise product of two operands, which broadcast (`torch.mul`).

    >>> import minigrad
    >>> minigrad.mul(minigrad.tensor([1, 2]), 10)
    tensor([10, 20])
    """
    return ops.mul.on_tensors(input, other)


@method
def div(input: Operand, other: Operand) -> Tensor:
    """Return the quotient of two operands, which broadcast; integers give a floating result (`torch.div`).

    >>> import minigrad
    >>> minigrad.div(minigrad.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    return ops.div.on_tensors(input, other)


@method
def pow(input: Operand, exponent: Operand) -> Tensor:
    """Return `input` to the power of `exponent`; both broadcast (`torch.pow`).

    >>> import minigrad
    >>> minigrad.pow(minigrad.tensor([1, 2, 3]), 2)
    tensor([1, 4, 9])
    """
    return ops.pow.on_tensors(input, exponent)


@method
def neg(input: Tensor) -> Tensor:
    """Return each element with its sign changed (`torch.neg`).

    >>> import minigrad
    >>> minigrad.neg(minigrad.tensor([1, -2]))
    tensor([-1,  2])
    """
    return ops.neg.on_tensors(input)


@method
def square(input: Tensor) -> Tensor:
    """Return the square of each element (`torch.square`).

    >>> import minigrad
    >>> minigrad.square(minigrad.tensor([1, -2]))
    tensor([1, 4])
    """
    return ops.pow.on_tensors(input, 2)


# Functions of one number


@method
def exp(input: Tensor) -> Tensor:
    """Return e to the power of each element (`torch.exp`).

    >>> import minigrad
    >>> minigrad.exp(minigrad.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return ops.exp.on_tensors(input)


@method
def log(input: Tensor) -> Tensor:
    """Return the natural logarithm: -inf for 0, nan for negative elements (`torch.log`).

    >>> import minigrad
    >>> minigrad.log(minigrad.tensor([1.0, 0.0, -1.0]))
    tensor([0., -inf, nan])
    """
    return ops.log.on_tensors(input)


@method
def log10(input: Tensor) -> Tensor:
    """Return the logarithm to base 10: -inf for 0, nan for negative elements (`torch.log10`).

    >>> import minigrad
    >>> minigrad.log10(minigrad.tensor([2.0, 50.0]))
    tensor([0.3010, 1.6990])
    """
    return ops.log10.on_tensors(input)


@method
def sqrt(input: Tensor) -> Tensor:
    """Return the square root: nan for negative elements (`torch.sqrt`).

    >>> import minigrad
    >>> minigrad.sqrt(minigrad.tensor([4.0, -1.0]))
    tensor([2., nan])
    """
    return ops.sqrt.on_tensors(input)


@method
def abs(input: Tensor) -> Tensor:
    """Return the absolute value (`torch.abs`).

    The gradient at 0 is 0. Raises a RuntimeError for bools.

    >>> import minigrad
    >>> minigrad.abs(minigrad.tensor([1, -2]))
    tensor([1, 2])
    """
    check_no_bools("abs", input)
    return ops.abs.on_tensors(input)


@method
def sin(input: Tensor) -> Tensor:
    """The sine of each element, in radians (`torch.sin`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0]).sin()
    tensor([0.0000, 0.8415])
    """
    return ops.sin.on_tensors(input)


@method
def cos(input: Tensor) -> Tensor:
    """The cosine of each element, in radians (`torch.cos`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0]).cos()
    tensor([1.0000, 0.5403])
    """
    return ops.cos.on_tensors(input)


@method
def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent (`torch.tanh`).

    >>> import minigrad
    >>> minigrad.tanh(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return ops.tanh.on_tensors(input)


@method
def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), which lies between 0 and 1 (`torch.sigmoid`).

    >>> import minigrad
    >>> minigrad.sigmoid(minigrad.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return ops.sigmoid.on_tensors(input)


@method
def relu(input: Tensor) -> Tensor:
    """Return max(x, 0) for each element (`torch.relu`).

    The gradient at 0 is 0. Raises a RuntimeError for bools.

    >>> import minigrad
    >>> minigrad.relu(minigrad.tensor([1.0, -2.0]))
    tensor([1., 0.])
    """
    check_no_bools("relu", input)
    return ops.relu.on_tensors(input)


@method
@labelled
def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Return each element, limited to the range from `min` to `max` (`torch.clamp`).

    A bound is a number or a Tensor that broadcasts. Raises a RuntimeError if both bounds are missing.

    >>> import minigrad
    >>> minigrad.clamp(minigrad.tensor([-2, 0, 5]), min=-1, max=1)
    tensor([-1,  0,  1])
    """
    min, max = (python_number(bound) for bound in (min, max))
    x, bounds = array_of("clamp", input), [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise RuntimeError("clamp: expected min, max or both")
    for bound in bounds:
        check_operand("clamp", bound)
    if builtins.any(isinstance(bound, Traced | np.ndarray) for bound in bounds):
        # A bound that is nan gives nan, so it counts as exceeded; the sum of two masks is their disjunction.
        input = input if min is None else where((input < min) + (min != min), min, input)
        return input if max is None else where((input > max) + (max != max), max, input)
    low, high = (-math.inf if min is None else min), (math.inf if max is None else max)
    if x.dtype.kind == "f":
        return ops.clamp.on_tensors(input, low, high)
    try:
        return input.wrap(np.asarray(np.clip(x, min, max), result_dtype([x, *bounds])))
    except OverflowError as error:
        raise translated("clamp", [x], error) from None


@method
@labelled
def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """Return each element, or `min` where the element is smaller (`torch.clamp_min`).

    >>> import minigrad
    >>> minigrad.clamp_min(minigrad.tensor([-2, 0, 5]), 0)
    tensor([0, 0, 5])
    """
    return clamp(input, min)


# Comparisons, which have no gradient, and choices


def _comparison(compare: np.ufunc) -> Callable[[Tensor, Any], Any]:
    name = compare.__name__

    def method(self: Tensor, other: Any) -> Any:
        if not isinstance(other, self.partners):
            return NotImplemented
        array = other.array if isinstance(other, Tensor) else other
        if array is other and type(other) not in (int, float):
            check_operand(name, other)
        try:
            return wrap(np.asarray(compare(self.array, array)))
        except (ValueError, OverflowError, MemoryError) as error:
            raise translated(name, [self.array, array], error) from None

    return method


@methods
class Comparisons(Tensor):
    """The operators `== != < <= > >=`, with Tensors, arrays and numbers."""

    __slots__ = ()

    __eq__ = _comparison(np.equal)
    __ne__ = _comparison(np.not_equal)
    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __hash__ = object.__hash__


@method
def eq(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements are equal, as `input == other` does; the operands broadcast (`torch.eq`).

    >>> import minigrad
    >>> minigrad.eq(minigrad.tensor([1, 2]), 2)
    tensor([False,  True])
    """
    array_of("eq", input)
    check_operand("eq", other)
    return input == other


def where(condition: Tensor, input: Operand | None = None, other: Operand | None = None) -> Any:
    """Return `input` where the condition is true and `other` elsewhere; all three broadcast (`torch.where`).

    `where(condition)` returns the indices of the elements that are not 0, as a tuple with a Tensor for each dim. Raises
    a RuntimeError if the condition is not a Tensor of bools, and a TypeError if only one of the others is given.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, -2.0])
    >>> minigrad.where(x > 0, x, 0.1 * x)
    tensor([ 1.0000, -0.2000])
    """
    if input is None and other is None:
        return tuple(
            wrap(places.astype(np.int64, copy=False))
            for places in np.atleast_1d(array_of("where", condition)).nonzero()
        )
    if input is None or other is None:
        raise TypeError("where: got one operand to choose from; give two, or the condition alone for its indices")
    if array_of("where", condition).dtype != bool:
        raise RuntimeError("where: the condition must be a Tensor of bools, such as x > 0")
    choices = [python_number(x) for x in (input, other)]
    for x in choices:
        check_operand("where", x)
    dtype = result_dtype(getattr(x, "array", x) for x in choices)
    try:
        converted = [np.asarray(x, dtype) if isinstance(x, Number | np.ndarray) else x.to(dtype) for x in choices]
    except OverflowError as error:
        raise RuntimeError(f"where: a number does not fit into {dtype}: {error}") from None
    return ops.where.on_tensors(condition, *converted)


@method
@labelled
def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """Return `value` where the mask is true and `input` elsewhere (`torch.masked_fill`).

    The mask broadcasts to `input`, and the result has the dtype of `input`. Raises a RuntimeError if the mask does not
    hold bools, or if `value` is not a single number.

    >>> import minigrad
    >>> x = minigrad.tensor([1, 2, 3])
    >>> minigrad.masked_fill(x, x > 1, 0)
    tensor([1, 0, 0])
    """
    array_of("masked_fill", input)
    if array_of("masked_fill", mask).dtype != bool:
        raise RuntimeError("masked_fill: the mask must be a Tensor of bools, such as x > 0")
    check_operand("masked_fill", value)
    values: Any = value
    if not isinstance(value, Traced):
        number = value if np.ndim(value) else fitting("masked_fill", value, input.array.dtype)
        values = input.wrap(np.asarray(number))
    if values.array.ndim:
        raise RuntimeError(
            f"masked_fill: the value has shape {values.array.shape}; expected a single number; use where for more"
        )
    return where(mask, values.to(input.dtype), input.contiguous())


@method
def clone(input: Tensor) -> Tensor:
    """Return a copy with new memory; gradients flow through it (`torch.clone`).

    >>> import minigrad
    >>> minigrad.clone(minigrad.tensor([1, 2]))
    tensor([1, 2])
    """
    return ops.cast.on_tensors(input, array_of("clone", input).dtype, label="clone")
