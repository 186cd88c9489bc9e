"""Functions of each element by itself: arithmetic, exp and its kin, and choices between elements."""

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import Number, Operand, array_of, check_no_bools
from minigrad.api.grad_fn import labelled
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method, methods
from minigrad.core.primitive import Traced
from minigrad.core.promotion import check_operand, translated
from minigrad.core.tensor import Tensor, wrap

# Arithmetic: the operators of Tensor are the same primitives


@method
def add(input: Operand, other: Operand) -> Tensor:
    """The sum of two tensors, broadcast (`torch.add`)."""
    return ops.add.on_tensors(input, other)


@method
def sub(input: Operand, other: Operand) -> Tensor:
    """The difference of two tensors, broadcast (`torch.sub`)."""
    return ops.sub.on_tensors(input, other)


@method
def mul(input: Operand, other: Operand) -> Tensor:
    """The product of two tensors, element by element, broadcast (`torch.mul`)."""
    return ops.mul.on_tensors(input, other)


@method
def div(input: Operand, other: Operand) -> Tensor:
    """The quotient of two tensors, broadcast; of integers, a float (`torch.div`)."""
    return ops.div.on_tensors(input, other)


@method
def pow(input: Operand, exponent: Operand) -> Tensor:
    """`input` to the power of `exponent`, broadcast (`torch.pow`)."""
    return ops.pow.on_tensors(input, exponent)


@method
def neg(input: Tensor) -> Tensor:
    """The negative (`torch.neg`)."""
    return ops.neg.on_tensors(input)


@method
def square(input: Tensor) -> Tensor:
    """Each element times itself (`torch.square`)."""
    return ops.pow.on_tensors(input, 2)


# Functions of one number


@method
def exp(input: Tensor) -> Tensor:
    """e to the power of each element (`torch.exp`)."""
    return ops.exp.on_tensors(input)


@method
def log(input: Tensor) -> Tensor:
    """The natural logarithm; -inf of 0, nan of less (`torch.log`)."""
    return ops.log.on_tensors(input)


@method
def log10(input: Tensor) -> Tensor:
    """The logarithm to base 10 (`torch.log10`)."""
    return ops.log10.on_tensors(input)


@method
def sqrt(input: Tensor) -> Tensor:
    """The square root; nan of negative numbers (`torch.sqrt`)."""
    return ops.sqrt.on_tensors(input)


@method
def abs(input: Tensor) -> Tensor:
    """The absolute value; its gradient at 0 is 0 (`torch.abs`). RuntimeError for bools."""
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
    """The hyperbolic tangent (`torch.tanh`)."""
    return ops.tanh.on_tensors(input)


@method
def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)) (`torch.sigmoid`)."""
    return ops.sigmoid.on_tensors(input)


@method
def relu(input: Tensor) -> Tensor:
    """max(x, 0); its gradient at 0 is 0 (`torch.relu`). RuntimeError for bools."""
    check_no_bools("relu", input)
    return ops.relu.on_tensors(input)


@method
@labelled
def clamp(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Each element, or the nearer of the bounds where it lies beyond (`torch.clamp`)."""
    x, bounds = array_of("clamp", input), [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise RuntimeError("clamp: expected min, max or both")
    for bound in bounds:
        check_operand("clamp", bound)
    if builtins.any(isinstance(bound, Traced | np.ndarray) for bound in bounds):
        input = input if min is None else where(input < min, min, input)
        return input if max is None else where(input > max, max, input)
    low, high = (-math.inf if min is None else min), (math.inf if max is None else max)
    if x.dtype.kind == "f":
        return ops.clamp.on_tensors(input, low, high)
    return input.wrap(np.asarray(np.clip(x, min, max), result_dtype([x, *bounds])))


@method
@labelled
def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """Each element, or `min` where it is less (`torch.clamp_min`)."""
    return clamp(input, min)


# Comparisons, which have no gradient, and choices


def _comparison(compare: np.ufunc) -> Callable[[Tensor, Any], Any]:
    def method(self: Tensor, other: Any) -> Any:
        if not isinstance(other, self.partners):
            return NotImplemented
        array = other.array if isinstance(other, Tensor) else other
        try:
            return wrap(np.asarray(compare(self.array, array)))
        except ValueError as error:
            raise translated(compare.__name__, [self.array, array], error) from None

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
    """Whether each element equals the other's, broadcast: `input == other` (`torch.eq`)."""
    array_of("eq", input)
    check_operand("eq", other)
    return input == other


def where(condition: Tensor, input: Operand, other: Operand) -> Tensor:
    """`input` where the condition holds and `other` elsewhere, all three broadcast (`torch.where`)."""
    if array_of("where", condition).dtype != bool:
        raise RuntimeError("where: the condition must be a Tensor of bools, such as x > 0")
    choices = [np.asarray(x) if isinstance(x, np.generic) else x for x in (input, other)]
    for x in choices:
        check_operand("where", x)
    dtype = result_dtype(getattr(x, "array", x) for x in choices)
    converted = [np.asarray(x, dtype) if isinstance(x, Number | np.ndarray) else x.to(dtype) for x in choices]
    return ops.where.on_tensors(condition, *converted)


@method
@labelled
def masked_fill(input: Tensor, mask: Tensor, value: Operand) -> Tensor:
    """`value`, in the dtype of `input`, where the mask is true, and `input` elsewhere (`torch.masked_fill`)."""
    array_of("masked_fill", input)
    if array_of("masked_fill", mask).dtype != bool:
        raise RuntimeError("masked_fill: the mask must be a Tensor of bools, such as x > 0")
    check_operand("masked_fill", value)
    values: Any = value if isinstance(value, Traced) else input.wrap(np.asarray(value))
    if values.array.ndim:
        raise RuntimeError(f"masked_fill: a value of shape {values.array.shape}; expected a single one, or use where")
    return where(mask, values.to(input.dtype), input)


@method
def clone(input: Tensor) -> Tensor:
    """A copy, through which gradients flow (`torch.clone`)."""
    return ops.cast.on_tensors(input, array_of("clone", input).dtype, label="clone")
