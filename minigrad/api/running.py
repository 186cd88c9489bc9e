"""Products of all elements, and running sums and products along a dim.

The products are made of products of two halves, so their gradients divide by no factor, which may be 0.
"""

from typing import Any

import numpy as np

from minigrad.api.arguments import dim_of, in_dtype
from minigrad.api.grad_fn import labelled
from minigrad.api.pieces import cat
from minigrad.api.pointwise import clone
from minigrad.api.reductions import _numpy_spelling
from minigrad.checks import flag_of
from minigrad.core import ops
from minigrad.core.dtypes import DType
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor


@method
@_numpy_spelling
@labelled
def prod(input: Tensor, dim: int | None = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """Return the product of all elements, or along a dim (`torch.prod`).

    The product of bools or integers is an int64, unless `dtype` says to what they are converted first.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).prod(1)
    tensor([ 2, 12])
    """
    flag_of("prod", "keepdim", keepdim)
    x = in_dtype("prod", input, dtype, np.int64)
    if dim is None:
        return prod(x.reshape(-1), 0, keepdim=False)
    axis = dim_of("prod", x, dim)
    if not x.ndim:
        return clone(x)
    x = x.transpose(0, axis)
    if not len(x.array):
        x = x.sum(0, keepdim=True) + 1
    while (count := len(x.array)) > 1:
        product = x[: count // 2] * x[count // 2 : count // 2 * 2]
        x = cat([product, x[-1:]]) if count % 2 else product
    x = x.transpose(0, axis)
    return x if keepdim else x.squeeze(axis)


@method
def cumsum(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """Return, for each element, the sum of it and all elements before it along a dim (`torch.cumsum`).

    >>> import minigrad
    >>> minigrad.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    axis = dim_of("cumsum", input, dim)
    x = in_dtype("cumsum", input, dtype, np.int64)
    return ops.cumsum.on_tensors(x, axis) if input.ndim else clone(x)


@method
@labelled
def cumprod(input: Tensor, dim: int, *, dtype: DType = None) -> Tensor:
    """Return, for each element, the product of it and all elements before it along a dim (`torch.cumprod`).

    >>> import minigrad
    >>> minigrad.tensor([1, 2, 3]).cumprod(0)
    tensor([1, 2, 6])
    """
    axis = dim_of("cumprod", input, dim)
    x, reach = clone(in_dtype("cumprod", input, dtype, np.int64)), 1
    before: Any = (slice(None),) * axis
    # Each step doubles how many factors an element has.
    while x.ndim and reach < x.array.shape[axis]:
        later = x[(*before, slice(reach, None))] * x[(*before, slice(-reach))]
        x, reach = cat([x[(*before, slice(reach))], later], axis), 2 * reach
    return x
