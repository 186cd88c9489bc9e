"""The largest and smallest elements, and their indices.

These functions choose an element, so they can return indices; the reductions in `reductions.py` combine elements.
"""

from typing import Any, NamedTuple

import numpy as np

from minigrad.api.arguments import array_of, check_no_bools, dim_of, shown_as_fields
from minigrad.api.grad_fn import relabelled
from minigrad.api.reductions import _numpy_spelling
from minigrad.api.shapes import stack
from minigrad.checks import flag_of
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method
from minigrad.core.promotion import translated
from minigrad.core.tensor import Tensor


class Max(NamedTuple):
    """The result of `max` over a dim: the largest values, and their indices along the dim."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return shown_as_fields(self)


class Min(NamedTuple):
    """The result of `min` over a dim: the smallest values, and their indices along the dim."""

    values: Tensor
    indices: Tensor

    def __repr__(self) -> str:
        return shown_as_fields(self)


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
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Return the int64 index of the largest element along a dim, or in the flattened tensor (`torch.argmax`).

    Of several equal elements, the first is chosen. Raises a RuntimeError for bools and an IndexError if there are no
    elements.

    >>> import minigrad
    >>> minigrad.tensor([[1, 5], [7, 2]]).argmax(1)
    tensor([1, 0])
    """
    check_no_bools("argmax", input)
    return _arg_extremum("argmax", np.ndarray.argmax, input, dim, keepdim)


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
    return _arg_extremum("argmin", np.ndarray.argmin, input, dim, keepdim)


# The primitive along a dim, the primitive over all elements, the search for indices, and the type of the result; then
# PyTorch's name for the function of two tensors.
_EXTREMA: dict[str, tuple[Any, ...]] = {
    "max": (ops.max, ops.amax, np.ndarray.argmax, Max, "maximum"),
    "min": (ops.min, ops.amin, np.ndarray.argmin, Min, "minimum"),
}


def _extremum(name: str, input: Tensor, dim: int | Tensor | None, keepdim: bool) -> Any:
    """Return the largest or smallest element; along a dim, return a `Max` or `Min`; of two tensors, a Tensor."""
    along_dim, over_all, arg, pair, of_two = _EXTREMA[name]
    if keepdim is not False:
        flag_of(name, "keepdim", keepdim)
    if isinstance(dim, Tensor):
        if keepdim:
            raise TypeError(f"{name}: keepdim needs a dim, and a second Tensor was given")
        return relabelled(over_all.on_tensors(_paired(name, input, dim), (0,), False), of_two)
    if dim is None:
        if not array_of(name, input).size:
            raise RuntimeError(f"{name}: {input.array.shape} has no elements, so it has no {name}; give a dim")
        if keepdim:
            raise TypeError(f"{name}: keepdim needs a dim, and none was given")
        return over_all.on_tensors(input, tuple(range(input.ndim)), False)
    axis = dim_of(name, input, dim)
    if not input.array.ndim:
        return pair(ops.reshape.on_tensors(input, ()), input.wrap(np.zeros((), np.int64)))
    indices = _places(name, arg, input.array, axis, True)
    values = along_dim.on_tensors(input, (axis,), keepdim, indices)
    return pair(values, input.wrap(indices if keepdim else indices.squeeze(axis)))


def _paired(name: str, a: Tensor, b: Tensor) -> Tensor:
    """Return two tensors as one of their common dtype and shape, which stacks them."""
    dtype = result_dtype([array_of(name, a), b.array])
    try:
        shape = np.broadcast_shapes(a.array.shape, b.array.shape)
    except ValueError as error:
        raise translated(name, [a.array, b.array], error) from None
    return stack([x.to(dtype).expand(shape) for x in (a, b)])


def _arg_extremum(name: str, arg: Any, input: Tensor, dim: int | None, keepdim: bool) -> Tensor:
    """Return the index of the largest or smallest element, as a Tensor."""
    x = array_of(name, input)
    flag_of(name, "keepdim", keepdim)
    axis = None if dim is None else dim_of(name, input, dim)
    return input.wrap(np.asarray(_places(name, arg, x, axis if x.ndim else None, keepdim)))


def _places(name: str, arg: Any, x: np.ndarray, axis: int | None, keepdim: bool) -> Any:
    """Return the indices that `arg` finds along an axis. Raises an IndexError if there are no elements."""
    if not (x.size if axis is None else x.shape[axis]):
        raise IndexError(f"{name}: {x.shape} has no elements along dim {axis}, so there is none to choose")
    return np.asarray(arg(x, axis, keepdims=keepdim), np.int64)
