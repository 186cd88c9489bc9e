"""Reductions with sums and truth values: one number from many, over all dims or over some of them.

Reductions that choose an element are in `extremes.py`; softmax and its relatives are in `distributions.py`.
"""

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import Dims, Result, array_of, axes_of, check_floating, dim_of, is_empty_list
from minigrad.api.grad_fn import relabelled
from minigrad.api.half import HALF, in_float32, rounded, widened
from minigrad.api.pointwise import clone, sqrt, where
from minigrad.checks import flag_of, number_of
from minigrad.core import kernels, ops
from minigrad.core.methods import method
from minigrad.core.primitive import Traced
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
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return the sum over all dims, or over `dim` (`torch.sum`).

    The sum of bools or integers is an int64.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).sum(0)
    tensor([4, 6])
    """
    if keepdim is not False:
        flag_of("sum", "keepdim", keepdim)
    axes = axes_of("sum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.sum.on_tensors(x, axes, keepdim, label=None if dim is None else "sum.dim")


@method
@_numpy_spelling
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Return the mean over all dims, or over `dim` (`torch.mean`).

    Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> minigrad.tensor([[1.0, 2.0], [3.0, 4.0]]).mean()
    tensor(2.5000)
    """
    check_floating("mean", input)
    if keepdim is not False:
        flag_of("mean", "keepdim", keepdim)
    if input.array.dtype == HALF:
        return rounded(mean(widened(input), dim, keepdim))
    return ops.mean.on_tensors(input, axes_of("mean", input, dim), keepdim, label=None if dim is None else "mean.dim")


@method
@_numpy_spelling
@in_float32
def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """Return the variance over all dims, or over `dim` (`torch.var`).

    It is the sum of squared differences from the mean, divided by n - `correction`. The default correction is 1
    (Bessel's), or 0 if `unbiased` is False. `var(False)` also sets `unbiased`. Raises a RuntimeError if the dtype is
    not floating.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 3.0]).var()
    tensor(1.)
    """
    return _variance("var", input, dim, unbiased, keepdim, correction)


@method
@_numpy_spelling
@in_float32
def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """Return the standard deviation, which is the square root of `var`, with the same arguments (`torch.std`).

    The gradient is 0 where the result is 0.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 3.0, 5.0]).std()
    tensor(2.)
    """
    variance = _variance("std", input, dim, unbiased, keepdim, correction)
    if variance.array.all():
        return ops.sqrt.on_tensors(variance, label="std")
    # The slope of the square root at 0 is infinite, and infinity times 0 would be a gradient of nan.
    flat = variance == 0
    return relabelled(where(flat, 0.0, sqrt(where(flat, 1.0, variance))), "std")


def _variance(
    name: str, input: Tensor, dim: Dims | bool, unbiased: bool, keepdim: bool, correction: int | None
) -> Tensor:
    """Check the arguments of `var` or `std`, and return the variance."""
    check_floating(name, input)
    flag_of(name, "unbiased", unbiased)
    flag_of(name, "keepdim", keepdim)
    if isinstance(dim, bool):
        unbiased = dim
    axes = axes_of(name, input, None if isinstance(dim, bool) else dim)
    if correction is None:
        correction = int(unbiased)
    elif isinstance(correction, Traced | np.generic):
        correction = correction.item()  # type: ignore[union-attr]
    number_of(name, "correction", correction)
    degrees = kernels.count(input.array.shape, axes) - correction
    return ops.var.on_tensors(input, axes, keepdim, builtins.max(degrees, 0))[0]


@method
def cumsum(input: Tensor, dim: int) -> Tensor:
    """Return, for each element, the sum of it and all elements before it along a dim (`torch.cumsum`).

    >>> import minigrad
    >>> minigrad.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    axis = dim_of("cumsum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.cumsum.on_tensors(x, axis) if input.ndim else clone(x)


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
    truth = np.asarray(reduce(array_of(name, input), axis=axes, keepdims=keepdim), order="C")
    return input.wrap(truth.astype(np.uint8) if input.array.dtype == np.uint8 else truth)


@method
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Return whether |input - other| <= atol + rtol * |other| everywhere; the operands broadcast (`torch.allclose`).

    Raises a RuntimeError if the dtypes differ or the shapes do not broadcast.

    >>> import minigrad
    >>> minigrad.allclose(minigrad.tensor([0.1 + 0.2]), minigrad.tensor([0.3]))
    True
    """
    a, b = array_of("allclose", input), array_of("allclose", other)
    if a.dtype != b.dtype:
        raise RuntimeError(f"allclose: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    flag_of("allclose", "equal_nan", equal_nan)
    rtol, atol = number_of("allclose", "rtol", rtol), number_of("allclose", "atol", atol)
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise RuntimeError(f"allclose: rtol and atol must be finite and not negative, got {rtol} and {atol}")
    try:
        return builtins.bool(np.allclose(a, b, rtol, atol, equal_nan))
    except ValueError:
        raise RuntimeError(f"allclose: {a.shape} and {b.shape} do not broadcast") from None
