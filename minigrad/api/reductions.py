"""Reductions: one number from many, over some dims or all."""

import builtins
import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.api.arguments import (
    Dims,
    Number,
    array_of,
    axes_of,
    check_floating,
    check_no_bools,
    dim_of,
    int_of,
    is_empty_list,
    numpy_spelling,
)
from minigrad.api.grad_fn import relabelled
from minigrad.api.pointwise import clone, sqrt, where
from minigrad.core import ops
from minigrad.core.dtypes import get_default_dtype
from minigrad.core.methods import method
from minigrad.core.primitive import Traced
from minigrad.core.tensor import Tensor

# Sums


@method
@numpy_spelling
def sum(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The sum over one, several or all dims; of bools and integers, an int64 (`torch.sum`)."""
    axes = axes_of("sum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.sum.on_tensors(x, axes, keepdim, label=None if dim is None else "sum.dim")


@method
@numpy_spelling
def mean(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """The mean over one, several or all dims (`torch.mean`). RuntimeError unless the dtype is floating."""
    check_floating("mean", input)
    return ops.mean.on_tensors(input, axes_of("mean", input, dim), keepdim, label=None if dim is None else "mean.dim")


@method
@numpy_spelling
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
@numpy_spelling
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


# The greatest and the least


def _shown(pair: Any) -> str:
    """What PyTorch shows of a pair that a function returns."""
    fields = ",\n".join(f"{name}={value!r}" for name, value in pair._asdict().items())
    return f"torch.return_types.{type(pair).__name__.lower()}(\n{fields})"


class Max(NamedTuple):
    """What `max` returns over a dim: the values, and where along the dim they stood."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return _shown(self)


class Min(NamedTuple):
    """What `min` returns over a dim: the values, and where along the dim they stood."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return _shown(self)


@method
@numpy_spelling
def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The greatest element, or over a dim the pair `values, indices` (`torch.max`).

    Over a dim the gradient goes to the index returned, the first of equals; of the whole tensor, to all equals evenly.
    """
    return _extremum("max", input, dim, keepdim)


@method
@numpy_spelling
def min(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The least element, or over a dim the pair `values, indices`, as `max` (`torch.min`)."""
    return _extremum("min", input, dim, keepdim)


@method
@numpy_spelling
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the greatest element, in the flattened tensor or along a dim, as int64 (`torch.argmax`)."""
    check_no_bools("argmax", input)
    return _arg_extremum("argmax", np.ndarray.argmax, input, dim, keepdim)


@method
@numpy_spelling
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the least element, as `argmax` (`torch.argmin`)."""
    check_no_bools("argmin", input)
    return _arg_extremum("argmin", np.ndarray.argmin, input, dim, keepdim)


_EXTREMA: dict[str, tuple[Any, ...]] = {
    "max": (ops.max, ops.amax, np.ndarray.argmax, Max),
    "min": (ops.min, ops.amin, np.ndarray.argmin, Min),
}


def _extremum(name: str, input: Tensor, dim: int | None, keepdim: bool) -> Any:
    row, whole, arg, pair = _EXTREMA[name]
    if dim is None:
        if not array_of(name, input).size:
            raise RuntimeError(f"{name}: {input.array.shape} has no elements, so it has no {name}; give a dim")
        if keepdim:
            raise TypeError(f"{name}: keepdim is for a dim, and none was given")
        return whole.on_tensors(input, tuple(range(input.ndim)), False)
    axis = dim_of(name, input, dim)
    if not input.array.ndim:
        return pair(ops.reshape.on_tensors(input, ()), input.wrap(np.zeros((), np.int64)))
    indices = _places(name, arg, input.array, axis, True)
    values = row.on_tensors(input, (axis,), keepdim, indices)
    return pair(values, input.wrap(indices if keepdim else indices.squeeze(axis)))


def _arg_extremum(name: str, arg: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    x = array_of(name, input)
    axis = None if dim is None else dim_of(name, input, dim)
    return input.wrap(np.asarray(_places(name, arg, x, axis if x.ndim else None, keepdim)))


def _places(name: str, arg: Any, x: np.ndarray, axis: int | None, keepdim: bool) -> Any:
    if not (x.size if axis is None else x.shape[axis]):
        raise IndexError(f"{name}: {x.shape} has no elements along dim {axis}, so there is none to choose")
    return arg(x, axis, keepdims=keepdim)


# Truth


@method
@numpy_spelling
def all(input: Tensor, dim: Dims = None, keepdim: bool = False) -> Tensor:
    """Whether every element is true, that is not 0, over one, several or all dims (`torch.all`)."""
    return _truth("all", np.all, input, dim, keepdim)


@method
@numpy_spelling
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


# Distributions


@method
def softmax(input: Tensor, dim: int) -> Tensor:
    """exp(x) over its sum along a dim: positive numbers that sum to 1 (`torch.softmax`)."""
    axis = dim_of("softmax", input, dim)
    check_floating("softmax", input)
    return ops.softmax.on_tensors(input, (axis,)[: input.ndim])


@method
def log_softmax(input: Tensor, dim: int) -> Tensor:
    """The logarithm of `softmax`, exact where that rounds to 0 (`torch.log_softmax`)."""
    axes = (dim_of("log_softmax", input, dim),)[: array_of("log_softmax", input).ndim]
    check_floating("log_softmax", input)
    return ops.log_softmax.on_tensors(input, axes)


@method
@numpy_spelling
def logsumexp(input: Tensor, dim: Dims, keepdim: builtins.bool = False) -> Tensor:
    """log(sum(exp(x))) over dims, without overflow (`torch.logsumexp`)."""
    axes = axes_of("logsumexp", input, dim)
    input = input if input.array.dtype.kind == "f" else input.to(get_default_dtype())
    return ops.logsumexp.on_tensors(input, axes, keepdim)


class Histogram(NamedTuple):
    """What `histogram` returns: the counts, or densities, and the edges of the bins, one more."""

    hist: Tensor
    bin_edges: Tensor

    def __repr__(self) -> str:
        return _shown(self)


@method
def histogram(
    input: Tensor, bins: int = 100, *, range: tuple[float, float] | None = None, density: builtins.bool = False
) -> Histogram:
    """How many elements fall into each of `bins` equal parts of a range, by default that of the elements.

    With `density` the counts are divided so that their integral is 1 (`torch.histogram`).
    """
    check_floating("histogram", input)
    bins = int_of("histogram", bins)
    if not isinstance(range, tuple | list | None):
        raise TypeError(f"histogram: range must be two numbers, not {range!r}")
    try:
        with np.errstate(all="ignore"):
            counts, edges = np.histogram(input.array, bins, range, density=density)
    except (ValueError, TypeError, MemoryError, OverflowError) as error:
        raise RuntimeError(f"histogram: {bins} bins over {range}: {error}") from None
    return Histogram(*(input.wrap(x.astype(input.array.dtype)) for x in (counts, edges)))
