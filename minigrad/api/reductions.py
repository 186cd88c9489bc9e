"""Reductions: one number from many, over some dims or all."""

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import (
    Dims,
    Number,
    Result,
    array_of,
    axes_of,
    check_floating,
    dim_of,
    is_empty_list,
)
from minigrad.api.grad_fn import relabelled
from minigrad.api.pointwise import clone, sqrt, where
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.primitive import Traced
from minigrad.core.tensor import Tensor


def _numpy_spelling(function: Callable[..., Result]) -> Callable[..., Result]:
    """Let a function of `dim` and `keepdim` be called with `axis` and `keepdims` instead."""

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
    """The sum over one, several or all dims; of bools and integers, an int64 (`torch.sum`)."""
    axes = axes_of("sum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.sum.on_tensors(x, axes, keepdim, label=None if dim is None else "sum.dim")


@method
@_numpy_spelling
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The mean over one, several or all dims (`torch.mean`). RuntimeError unless the dtype is floating."""
    check_floating("mean", input)
    return ops.mean.on_tensors(input, axes_of("mean", input, dim), keepdim, label=None if dim is None else "mean.dim")


@method
@_numpy_spelling
def var(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """The variance over one, several or all dims (`torch.var`).

    The sum of squared differences from the mean is divided by n - `correction`; the correction is 1 (Bessel's) unless
    `unbiased` is False, which may also come first: `var(False)`. RuntimeError unless the dtype is floating.
    """
    return _variance("var", input, dim, unbiased, keepdim, correction)


@method
@_numpy_spelling
def std(
    input: Tensor,
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> Tensor:
    """The square root of `var`, with the same arguments; its gradient where it is 0 is 0 (`torch.std`)."""
    variance = _variance("std", input, dim, unbiased, keepdim, correction)
    if variance.array.all():
        return ops.sqrt.on_tensors(variance, label="std")
    # Where it is 0 the square root's slope is infinite, and infinity times 0 would be nan.
    flat = variance == 0
    return relabelled(where(flat, 0.0, sqrt(where(flat, 1.0, variance))), "std")


def _variance(
    name: str, input: Tensor, dim: Dims | bool, unbiased: bool, keepdim: bool, correction: int | None
) -> Tensor:
    check_floating(name, input)
    if isinstance(dim, bool):
        unbiased = dim
    axes = axes_of(name, input, None if isinstance(dim, bool) else dim)
    if correction is None:
        correction = int(unbiased)
    elif isinstance(correction, Traced | np.generic):
        correction = correction.item()  # type: ignore[union-attr]
    if not isinstance(correction, Number):
        raise TypeError(f"{name}: correction must be a number, not {type(correction).__name__}")
    degrees = ops.count(input.array.shape, axes) - correction
    return ops.var.on_tensors(input, axes, keepdim, builtins.max(degrees, 0))[0]


@method
def cumsum(input: Tensor, dim: int) -> Tensor:
    """The sum of each element and of those before it along a dim (`torch.cumsum`)."""
    axis = dim_of("cumsum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.cumsum.on_tensors(x, axis) if input.ndim else clone(x)


# Truth


@method
@_numpy_spelling
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element is true, that is not 0, over one, several or all dims (`torch.all`)."""
    return _truth("all", np.all, input, dim, keepdim)


@method
@_numpy_spelling
def any(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true, that is not 0, over one, several or all dims (`torch.any`)."""
    return _truth("any", np.any, input, dim, keepdim)


def _truth(name: str, reduce: Any, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """`np.all` or `np.any` as bools; of uint8, as in PyTorch, as uint8."""
    axes = () if is_empty_list(dim) else axes_of(name, input, dim)
    truth = np.asarray(reduce(array_of(name, input), axis=axes, keepdims=keepdim))
    return input.wrap(truth.astype(np.uint8) if input.array.dtype == np.uint8 else truth)


@method
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether every |input - other| <= atol + rtol * |other|, broadcast (`torch.allclose`)."""
    a, b = array_of("allclose", input), array_of("allclose", other)
    if a.dtype != b.dtype:
        raise RuntimeError(f"allclose: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    if not (isinstance(rtol, Number) and isinstance(atol, Number)):
        raise TypeError(f"allclose: rtol and atol must be numbers, got {rtol!r} and {atol!r}")
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise RuntimeError(f"allclose: rtol and atol must be finite and not negative, got {rtol} and {atol}")
    try:
        return builtins.bool(np.allclose(a, b, rtol, atol, equal_nan))
    except ValueError:
        raise RuntimeError(f"allclose: {a.shape} and {b.shape} do not broadcast") from None
