"""Scores into probabilities, and counts of elements."""

import builtins
from typing import NamedTuple

import numpy as np

from minigrad.api.arguments import (
    Dims,
    array_of,
    axes_of,
    check_floating,
    dim_of,
    int_of,
    shown_as_fields,
)
from minigrad.api.reductions import _numpy_spelling
from minigrad.core import ops
from minigrad.core.dtypes import get_default_dtype
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor


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
@_numpy_spelling
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
        return shown_as_fields(self)


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
