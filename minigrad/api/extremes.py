"""The greatest and the least elements, and where they stand."""

from typing import Any, NamedTuple

import numpy as np

from minigrad.api.arguments import (
    array_of,
    check_no_bools,
    dim_of,
    shown_as_fields,
)
from minigrad.api.reductions import _numpy_spelling
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor


class Max(NamedTuple):
    """What `max` returns over a dim: the values, and where along the dim they stood."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return shown_as_fields(self)


class Min(NamedTuple):
    """What `min` returns over a dim: the values, and where along the dim they stood."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return shown_as_fields(self)


@method
@_numpy_spelling
def max(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The greatest element, or over a dim the pair `values, indices` (`torch.max`).

    Over a dim the gradient goes to the index returned, the first of equals; of the whole tensor, to all equals evenly.
    """
    return _extremum("max", input, dim, keepdim)


@method
@_numpy_spelling
def min(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The least element, or over a dim the pair `values, indices`, as `max` (`torch.min`)."""
    return _extremum("min", input, dim, keepdim)


@method
@_numpy_spelling
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """The index of the greatest element, in the flattened tensor or along a dim, as int64 (`torch.argmax`)."""
    check_no_bools("argmax", input)
    return _arg_extremum("argmax", np.ndarray.argmax, input, dim, keepdim)


@method
@_numpy_spelling
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
