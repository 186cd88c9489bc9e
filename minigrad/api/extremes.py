"""The largest and smallest elements, and their indices.

These functions choose an element, so they can return indices; the reductions in `reductions.py` combine elements.
"""

import math
from typing import Any

import numpy as np

from minigrad.api.arguments import Dims, array_of, axes_of, check_no_bools, dim_of, is_empty_list
from minigrad.api.choices import maximum, minimum
from minigrad.api.reductions import _numpy_spelling
from minigrad.api.return_types import return_type
from minigrad.checks import flag_of
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.primitive import Primitive
from minigrad.core.tensor import Tensor

Max, Min = return_type("max", "values", "indices"), return_type("min", "values", "indices")
MinAndMax = return_type("aminmax", "min", "max")


@method
@_numpy_spelling
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Any:
    """Return the largest element, or the pair `(values, indices)` along a dim (`torch.max`).

    With a second Tensor in the place of `dim`, return the larger of each two elements (`torch.maximum`); the Tensors
    broadcast. Equal elements share the gradient evenly, as they do without a dim. Along a dim, the gradient goes to the
    element at the returned index, which is the first of several equal ones. Raises a RuntimeError if the tensor is
    empty and no dim is given.

    >>> import minigrad
    >>> values, indices = minigrad.tensor([[1, 5], [7, 2]]).max(1)
    >>> values, indices
    (tensor([5, 7]), tensor([1, 0]))
    """
    return _extremum("max", input, dim, keepdim)


@method
@_numpy_spelling
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Any:
    """Return the smallest element, or the pair `(values, indices)` along a dim (`torch.min`).

    With a second Tensor in the place of `dim`, return the smaller of each two elements (`torch.minimum`). Gradients and
    errors are the same as for `max`.

    >>> import minigrad
    >>> minigrad.tensor([[1, 5], [7, 2]]).min()
    tensor(1)
    """
    return _extremum("min", input, dim, keepdim)


@method
@_numpy_spelling
def amax(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """Return the largest element over all dims, or over `dim` (`torch.amax`).

    Equal elements share the gradient evenly. Raises an IndexError if there are no elements.

    >>> import minigrad
    >>> minigrad.tensor([[1, 5], [7, 2]]).amax((0, 1))
    tensor(7)
    """
    return _over_dims("amax", ops.amax, input, dim, keepdim)


@method
@_numpy_spelling
def amin(input: Tensor, dim: Dims = (), keepdim: bool = False) -> Tensor:
    """Return the smallest element over all dims, or over `dim` (`torch.amin`).

    Gradients and errors are the same as for `amax`.
    """
    return _over_dims("amin", ops.amin, input, dim, keepdim)


@method
def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the pair `(min, max)` of the smallest and the largest element (`torch.aminmax`).

    Raises a RuntimeError if there are no elements.
    """
    if not array_of("aminmax", input).size and dim is None:
        raise RuntimeError(f"aminmax: {input.array.shape} has no elements; give a dim")
    dims = () if dim is None else (dim,)
    return MinAndMax(function(input, dims, keepdim) for function in (amin, amax))


def _over_dims(name: str, primitive: Primitive, input: Tensor, dim: Dims, keepdim: bool) -> Tensor:
    """Apply `ops.amax` or `ops.amin`."""
    flag_of(name, "keepdim", keepdim)
    axes = axes_of(name, input, dim)
    if not math.prod(input.array.shape[axis] for axis in axes):
        kind = RuntimeError if is_empty_list(dim) else IndexError
        raise kind(f"{name}: {input.array.shape} has no elements along dim {dim}, so there is none to choose")
    return primitive.on_tensors(input, axes, keepdim)


@method
@_numpy_spelling
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the largest element along a dim, or in the flattened tensor (`torch.argmax`).

    Of several equal elements, the first is chosen. Raises a RuntimeError for bools and an IndexError if there are no
    elements.

    >>> import minigrad
    >>> minigrad.tensor([[1, 5], [7, 2]]).argmax(1)
    tensor([1, 0])
    """
    check_no_bools("argmax", input)
    return _arg_extremum("argmax", "argmax", input, dim, keepdim)


@method
@_numpy_spelling
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the smallest element along a dim, or in the flattened tensor (`torch.argmin`).

    Ties and errors are the same as for `argmax`.

    >>> import minigrad
    >>> minigrad.tensor([[1, 5], [7, 2]]).argmin(1)
    tensor([0, 1])
    """
    check_no_bools("argmin", input)
    return _arg_extremum("argmin", "argmin", input, dim, keepdim)


# The primitive along a dim, the primitive over all elements, the search for indices, the type of the result, and the
# function of two tensors.
_EXTREMA: dict[str, tuple[Any, ...]] = {
    "max": (ops.max, ops.amax, "argmax", Max, maximum),
    "min": (ops.min, ops.amin, "argmin", Min, minimum),
}


def _extremum(name: str, input: Tensor, dim: int | Tensor | None, keepdim: bool) -> Any:
    """Return the largest or smallest element; along a dim, return a `Max` or `Min`; of two tensors, a Tensor."""
    along_dim, over_all, arg, pair, of_two = _EXTREMA[name]
    if keepdim is not False:
        flag_of(name, "keepdim", keepdim)
    if isinstance(dim, Tensor):
        if keepdim:
            raise TypeError(f"{name}: keepdim needs a dim, and a second Tensor was given")
        return of_two(input, dim)
    if dim is None:
        if not array_of(name, input).size:
            raise RuntimeError(f"{name}: {input.array.shape} has no elements, so it has no {name}; give a dim")
        if keepdim:
            raise TypeError(f"{name}: keepdim needs a dim, and none was given")
        return over_all.on_tensors(input, tuple(range(input.ndim)), False)
    axis = dim_of(name, input, dim)
    if not input.array.ndim:
        return pair((ops.reshape.on_tensors(input, ()), input.wrap(np.zeros((), np.int64))))
    indices = _places(name, arg, input.array, axis, True)
    values = along_dim.on_tensors(input, (axis,), keepdim, indices)
    return pair((values, input.wrap(indices if keepdim else indices.squeeze(axis))))


def _arg_extremum(name: str, arg: str, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    """Return the index of the largest or smallest element, as a Tensor."""
    x = array_of(name, input)
    flag_of(name, "keepdim", keepdim)
    axis = None if dim is None else dim_of(name, input, dim)
    return input.wrap(np.asanyarray(_places(name, arg, x, axis if x.ndim else None, keepdim)))


def _places(name: str, arg: str, x: np.ndarray, axis: int | None, keepdim: bool) -> Any:
    """Return the indices that the method `arg` finds along an axis. Raises an IndexError if there are no elements."""
    if not (x.size if axis is None else x.shape[axis]):
        raise IndexError(f"{name}: {x.shape} has no elements along dim {axis}, so there is none to choose")
    return np.asanyarray(getattr(x, arg)(axis, keepdims=keepdim), np.int64)
