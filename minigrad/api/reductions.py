"""Reductions with sums and truth values: one number from many, over all dims or over some of them.

Reductions that choose an element are in `extremes.py`; softmax and its relatives are in `distributions.py`.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import Dims, Result, array_of, axes_of, check_floating, in_dtype, is_empty_list
from minigrad.api.half import HALF, rounded, widened
from minigrad.api.refusals import named_refusals
from minigrad.checks import flag_of
from minigrad.core import ops
from minigrad.core.dtypes import DType
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor


def _numpy_spelling(function: Callable[..., Result]) -> Callable[..., Result]:
    """Decorate a function of `dim` and `keepdim` so that it accepts numpy's names, `axis` and `keepdims`, too."""

    @functools.wraps(function)
    def spelled(*args: Any, **kwargs: Any) -> Result:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return spelled


# Sums


@method
@_numpy_spelling
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """Return the sum over all dims, or over `dim` (`torch.sum`).

    The sum of bools or integers is an int64, unless `dtype` says to what they are converted first.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).sum(0)
    tensor([4, 6])
    """
    if keepdim is not False:
        flag_of("sum", "keepdim", keepdim)
    axes = axes_of("sum", input, dim)
    x = input if dtype is None and input.array.dtype.kind == "f" else in_dtype("sum", input, dtype, np.int64)
    if x.array.dtype.kind != "f" and x.array.dtype != np.int64:  # numpy would choose another dtype
        return sum(x, dim, keepdim)._converted(x.array.dtype)
    return ops.sum.on_tensors(x, axes, keepdim, label=None if dim is None else "sum.dim")


@method
@_numpy_spelling
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """Return the mean over all dims, or over `dim` (`torch.mean`).

    The input is converted to `dtype` first. Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]).mean()
    tensor(2.5000)
    """
    if dtype is not None:
        input = in_dtype("mean", input, dtype)
    check_floating("mean", input)
    if keepdim is not False:
        flag_of("mean", "keepdim", keepdim)
    if input.array.dtype == HALF:
        return rounded(mean(widened(input), dim, keepdim))
    return ops.mean.on_tensors(input, axes_of("mean", input, dim), keepdim, label=None if dim is None else "mean.dim")


# Truth values


@method
@_numpy_spelling
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return whether all elements are nonzero, over all dims or over `dim` (`torch.all`).

    >>> import minigrad
    >>> minigrad.tensor([[1, 0], [1, 1]]).all(dim=1)
    tensor([False,  True])
    """
    return _truth("all", np.all, input, dim, keepdim)


@method
@_numpy_spelling
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return whether any element is nonzero, over all dims or over `dim` (`torch.any`).

    >>> import minigrad
    >>> minigrad.tensor([[1, 0], [0, 0]]).any(dim=1)
    tensor([ True, False])
    """
    return _truth("any", np.any, input, dim, keepdim)


def _truth(name: str, reduce: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """Apply `np.all` or `np.any`. The result holds bools, but it is uint8 for a uint8 input, as in PyTorch."""
    flag_of(name, "keepdim", keepdim)
    axes = () if is_empty_list(dim) else axes_of(name, input, dim)
    truth = np.asanyarray(reduce(array_of(name, input), axis=axes, keepdims=keepdim), order="C")
    return input.wrap(truth.astype(np.uint8) if input.array.dtype == np.uint8 else truth)


@method
@named_refusals
def count_nonzero(input: Tensor, dim: Dims = None) -> Tensor:
    """Return the number of elements that are not 0, over all dims or over `dim` (`torch.count_nonzero`).

    >>> import minigrad
    >>> minigrad.tensor([[1, 0], [2, 3]]).count_nonzero(0)
    tensor([2, 1])
    """
    return sum(input.wrap(np.asanyarray(array_of("count_nonzero", input) != 0)), dim)
