"""Functions for probability distributions: softmax and its relatives, and histograms.

They stand apart from `reductions.py`: softmax keeps the shape, and a histogram returns counts in bins.
"""

import builtins
from typing import Any

import numpy as np

from minigrad.api.arguments import Dims, array_of, axes_of, check_dtypes, check_floating, dim_of, in_dtype
from minigrad.api.half import in_float32
from minigrad.api.reductions import _numpy_spelling
from minigrad.api.return_types import return_type
from minigrad.checks import flag_of, int_of, shown
from minigrad.core import ops
from minigrad.core.dtypes import DType, get_default_dtype
from minigrad.core.methods import method
from minigrad.core.primitive import Primitive
from minigrad.core.tensor import Tensor


@method
def softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """Return exp(x) / sum(exp(x)) along a dim: positive numbers that sum to 1 (`torch.softmax`).

    The input is converted to `dtype` first. Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> minigrad.tensor([[0.0, 0.0], [0.0, 1.0]]).softmax(1)
    tensor([[0.5000, 0.5000],
            [0.2689, 0.7311]])
    """
    return _normalized(ops.softmax, input, dim, dtype)


@method
def log_softmax(input: Tensor, dim: int, dtype: DType = None) -> Tensor:
    """Return the logarithm of `softmax`; it is finite even where softmax rounds to 0 (`torch.log_softmax`).

    The input is converted to `dtype` first. Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> minigrad.tensor([0.0, 200.0]).log_softmax(0)
    tensor([-200.,    0.])
    """
    return _normalized(ops.log_softmax, input, dim, dtype)


def _normalized(primitive: Primitive, input: Tensor, dim: int, dtype: DType) -> Tensor:
    """Apply `ops.softmax` or `ops.log_softmax`."""
    axis = dim_of(primitive.name, input, dim)
    if dtype is not None:
        input = in_dtype(primitive.name, input, dtype)
    check_floating(primitive.name, input)
    return in_float32(primitive.on_tensors)(input, (axis,)[: input.ndim])


@method
@_numpy_spelling
@in_float32
def logsumexp(input: Tensor, dim: Dims, keepdim: builtins.bool = False) -> Tensor:
    """Return log(sum(exp(x))) over the given dims, computed without overflow (`torch.logsumexp`).

    Bools and integers are converted to the default dtype first.

    >>> import minigrad
    >>> minigrad.tensor([1000.0, 1000.0]).logsumexp(0)
    tensor(1000.6932)
    """
    axes = axes_of("logsumexp", input, dim)
    flag_of("logsumexp", "keepdim", keepdim)
    input = input if input.array.dtype.kind == "f" else input.to(get_default_dtype())
    return ops.logsumexp.on_tensors(input, axes, keepdim)


Histogram = return_type("histogram", "hist", "bin_edges")


@method
def histogram(
    input: Tensor,
    bins: int | Tensor = 100,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: builtins.bool = False,
) -> Any:
    """Count how many elements fall into each of `bins` equal parts of a range, or their weights (`torch.histogram`).

    The default range is from the smallest to the largest element. `bins` may also hold the edges of the bins. With
    `density`, the counts are scaled so that their integral is 1. Raises a RuntimeError if the dtype is not floating, or
    if `bins` or `range` is not valid.

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0, 1.5, 2.0]).histogram(2).hist
    tensor([1., 3.])
    """
    check_floating("histogram", input)
    check_dtypes("histogram", input, bins if isinstance(bins, Tensor) else None, weight)
    parts = bins.array if isinstance(bins, Tensor) else int_of("histogram", bins)
    flag_of("histogram", "density", density)
    if not isinstance(range, tuple | list | None):
        raise TypeError(f"histogram: range must be two numbers, not {shown(range)}")
    try:
        with np.errstate(all="ignore"):
            weights = None if weight is None else array_of("histogram", weight)
            counts, edges = np.histogram(input.array, parts, range, density, weights)
    except (ValueError, TypeError, IndexError, MemoryError, OverflowError) as error:
        raise RuntimeError(f"histogram: {shown(bins)} bins over {shown(range)}: {error}") from None
    return Histogram(input.wrap(x.astype(input.array.dtype)) for x in (counts, edges))
