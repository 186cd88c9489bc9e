"""Functions for probability distributions: softmax and its relatives, and histograms.

They stand apart from `reductions.py`: softmax keeps the shape, and a histogram returns counts in bins.
"""

import builtins
from typing import NamedTuple

import numpy as np

from minigrad.api.arguments import Dims, array_of, axes_of, check_floating, dim_of, shown_as_fields
from minigrad.api.half import in_float32
from minigrad.api.reductions import _numpy_spelling
from minigrad.checks import flag_of, int_of, shown
from minigrad.core import ops
from minigrad.core.dtypes import get_default_dtype
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor


@method
@in_float32
def softmax(input: Tensor, dim: int) -> Tensor:
    """Return exp(x) / sum(exp(x)) along a dim: positive numbers that sum to 1 (`torch.softmax`).

    Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> minigrad.tensor([[0.0, 0.0], [0.0, 1.0]]).softmax(1)
    tensor([[0.5000, 0.5000],
            [0.2689, 0.7311]])
    """
    axis = dim_of("softmax", input, dim)
    check_floating("softmax", input)
    return ops.softmax.on_tensors(input, (axis,)[: input.ndim])


@method
@in_float32
def log_softmax(input: Tensor, dim: int) -> Tensor:
    """Return the logarithm of `softmax`; it is finite even where softmax rounds to 0 (`torch.log_softmax`).

    Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> minigrad.tensor([0.0, 200.0]).log_softmax(0)
    tensor([-200.,    0.])
    """
    axes = (dim_of("log_softmax", input, dim),)[: array_of("log_softmax", input).ndim]
    check_floating("log_softmax", input)
    return ops.log_softmax.on_tensors(input, axes)


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


class Histogram(NamedTuple):
    """The result of `histogram`: a count or density for each bin, and the `bins + 1` edges of the bins."""

    hist: Tensor
    bin_edges: Tensor

    def __repr__(self) -> str:
        return shown_as_fields(self)


@method
def histogram(
    input: Tensor, bins: int = 100, *, range: tuple[float, float] | None = None, density: builtins.bool = False
) -> Histogram:
    """Count how many elements fall into each of `bins` equal parts of a range (`torch.histogram`).

    The default range is from the smallest to the largest element. With `density`, the counts are scaled so that their
    integral is 1. Raises a RuntimeError if the dtype is not floating, or if `bins` or `range` is not valid.

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0, 1.5, 2.0]).histogram(2).hist
    tensor([1., 3.])
    """
    check_floating("histogram", input)
    bins = int_of("histogram", bins)
    flag_of("histogram", "density", density)
    if not isinstance(range, tuple | list | None):
        raise TypeError(f"histogram: range must be two numbers, not {shown(range)}")
    try:
        with np.errstate(all="ignore"):
            counts, edges = np.histogram(input.array, bins, range, density=density)
    except (ValueError, TypeError, IndexError, MemoryError, OverflowError) as error:
        raise RuntimeError(f"histogram: {bins} bins over {shown(range)}: {error}") from None
    return Histogram(*(input.wrap(x.astype(input.array.dtype)) for x in (counts, edges)))
