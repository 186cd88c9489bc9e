"""Norms of vectors, whose gradient is 0 where they are 0. `norm` and `minigrad.linalg` are their public names."""

import builtins
import math

from minigrad.api.arguments import Dims, axes_of, check_floating, in_dtype
from minigrad.api.choices import where
from minigrad.api.extremes import amax, amin
from minigrad.api.half import HALF, rounded, widened
from minigrad.api.pointwise import abs, sqrt, square
from minigrad.api.reductions import sum
from minigrad.checks import flag_of, number_of
from minigrad.core import ops
from minigrad.core.dtypes import DType
from minigrad.core.tensor import Tensor


def vector_norm(name: str, input: Tensor, order: float, dim: Dims, keepdim: bool, dtype: DType = None) -> Tensor:
    """Return the sum of |x|**order to the power of 1 / order, as `name`.

    Orders 0, inf and -inf stand for their limits: how many elements are not 0, the largest and the smallest |x|. Where
    the norm is 0, its gradient is 0.
    """
    input = in_dtype(name, input, dtype)
    check_floating(name, input)
    if input.array.dtype == HALF:
        return rounded(vector_norm(name, widened(input), order, dim, keepdim))
    flag_of(name, "keepdim", keepdim)
    order = number_of(name, "the order", order)
    axes = axes_of(name, input, dim)
    if order == 0:
        return sum(ops.is_nonzero.on_tensors(input), axes, keepdim)
    if builtins.abs(order) == math.inf:
        return (amax if order > 0 else amin)(abs(input), axes, keepdim)
    if order == 1:
        return ops.sum.on_tensors(abs(input), axes, keepdim)
    if order == 2:
        return root(ops.sum.on_tensors(square(input), axes, keepdim), 2)
    # The slope of a power below 1 is infinite at 0, and infinity times 0 would be a gradient of nan.
    flat = input == 0
    powers = where(flat, 0.0 if order > 0 else math.inf, where(flat, 1.0, abs(input)) ** order)
    return root(ops.sum.on_tensors(powers, axes, keepdim), order)


def root(total: Tensor, order: float) -> Tensor:
    """Return total ** (1 / order), whose gradient is 0 where the total is 0."""
    flat = total == 0
    if not flat.array.any():
        return sqrt(total) if order == 2 else total ** (1 / order)
    return where(flat, 0.0 if order > 0 else math.inf, root(where(flat, 1.0, total), order))
