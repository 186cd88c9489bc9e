"""Choices between elements: where, masks, limits, the greater and the lesser of two. The operands broadcast."""

import builtins
import math
from typing import Any

import numpy as np

from minigrad.api.arguments import Number, Operand, array_of, tensors_of
from minigrad.api.grad_fn import labelled
from minigrad.api.inplace import method_and_in_place
from minigrad.api.limits import fitting
from minigrad.checks import number_of
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method
from minigrad.core.primitive import Traced
from minigrad.core.promotion import check_operand, python_number, translated
from minigrad.core.tensor import Tensor, wrap


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
        converted = [np.asanyarray(x, dtype) if isinstance(x, Number | np.ndarray) else x.to(dtype) for x in choices]
    except OverflowError as error:
        raise RuntimeError(f"where: a number does not fit into {dtype}: {error}") from None
    return ops.where.on_tensors(condition, *converted)


@method_and_in_place
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
        values = input.wrap(np.asanyarray(number))
    if values.array.ndim:
        raise RuntimeError(
            f"masked_fill: the value has shape {values.array.shape}; expected a single number; use where for more"
        )
    return where(mask, values.to(input.dtype), input.contiguous())


@method_and_in_place
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
        return input.wrap(np.asanyarray(np.clip(x, min, max), result_dtype([x, *bounds])))
    except OverflowError as error:
        raise translated("clamp", [x], error) from None


@method_and_in_place
@labelled
def clamp_min(input: Tensor, min: Operand) -> Tensor:
    """Return each element, or `min` where the element is smaller (`torch.clamp_min`).

    >>> import minigrad
    >>> minigrad.clamp_min(minigrad.tensor([-2, 0, 5]), 0)
    tensor([0, 0, 5])
    """
    return clamp(input, min)


@method_and_in_place
@labelled
def clamp_max(input: Tensor, max: Operand) -> Tensor:
    """Return each element, or `max` where the element is larger (`torch.clamp_max`)."""
    return clamp(input, max=max)


@method_and_in_place
@labelled
def clip(input: Tensor, min: Operand | None = None, max: Operand | None = None) -> Tensor:
    """Do the same as `clamp` (`torch.clip`)."""
    return clamp(input, min, max)


@method
@labelled
def maximum(input: Tensor, other: Tensor) -> Tensor:
    """Return the greater of each two elements, or nan if one is nan (`torch.maximum`).

    Equal elements share the gradient evenly.

    >>> import minigrad
    >>> minigrad.maximum(minigrad.tensor([1, 5]), minigrad.tensor([3, 4]))
    tensor([3, 5])
    """
    return _greater("maximum", input, other, input, other)


@method
@labelled
def minimum(input: Tensor, other: Tensor) -> Tensor:
    """Return the lesser of each two elements, or nan if one is nan (`torch.minimum`).

    Equal elements share the gradient evenly.

    >>> import minigrad
    >>> minigrad.minimum(minigrad.tensor([1, 5]), minigrad.tensor([3, 4]))
    tensor([1, 4])
    """
    return _greater("minimum", input, other, other, input)


def _greater(name: str, a: Tensor, b: Tensor, high: Tensor, low: Tensor) -> Tensor:
    """Return elements of `a` where `high > low`, of `b` where `high < low`, and elsewhere something of both."""
    tensors_of(name, (a, b))
    try:
        np.broadcast_shapes(a.array.shape, b.array.shape)
    except ValueError as error:
        raise translated(name, [a.array, b.array], error) from None
    dtype = result_dtype([a.array, b.array])
    a, b = a.to(dtype), b.to(dtype)
    # Two equal numbers share the gradient. If they are not equal either, one is nan.
    both = where(a == b, a / 2 + b / 2, a + b) if dtype.kind == "f" else a
    return where(high > low, a, where(high < low, b, both))


@method_and_in_place
@labelled
def nan_to_num(
    input: Tensor, nan: Number | None = None, posinf: Number | None = None, neginf: Number | None = None
) -> Tensor:
    """Replace nan (by 0 by default) and infinities (by the largest numbers of the dtype) (`torch.nan_to_num`).

    >>> import minigrad
    >>> minigrad.tensor([math.nan, math.inf, 1.0]).nan_to_num(posinf=9.0)
    tensor([0., 9., 1.])
    """
    x = array_of("nan_to_num", input)
    for number in (nan, posinf, neginf):
        number_of("nan_to_num", "each number", 0 if number is None else number)
    if x.dtype.kind != "f":
        return input.clone()
    limits = np.finfo(x.dtype)
    chosen = [0.0 if nan is None else nan, limits.max if posinf is None else posinf]
    chosen += [limits.min if neginf is None else neginf]
    for mask, number in zip((x != x, x == math.inf, x == -math.inf), chosen, strict=True):
        input = where(wrap(np.asanyarray(mask)), np.asarray(number, x.dtype), input)
    return input
