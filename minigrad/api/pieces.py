"""Pieces of a tensor, which are views, and joins of several tensors."""

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api.arguments import array_of, axis_of, dim_of, sizes_of, tensors_of
from minigrad.api.grad_fn import labelled
from minigrad.api.shapes import reshape, unsqueeze
from minigrad.checks import int_of, shown
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor

MOST_EMPTY_PIECES = 2**16  # of tensor_split, which would take a second to make them

# Pieces


@method
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Split a tensor along a dim into pieces of one size, or of the sizes in a list (`torch.split`).

    If one size is given, the last piece may be smaller. The pieces are views. Raises a RuntimeError if a size is not
    valid or if listed sizes do not sum to the size of the dim.

    >>> import minigrad
    >>> minigrad.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    axis, length = _long_axis("split", tensor, dim)
    sizes = sizes_of("split", (split_size_or_sections,))
    if not isinstance(split_size_or_sections, tuple | list):
        (size,) = sizes
        if size < (1 if length else 0):
            raise RuntimeError(f"split: the size is {shown(size)}; expected at least 1")
        starts = [*range(0, length, size)][1:] if length else []
        return _made_at_once("split", _pieces(tensor, starts, axis, "split"))
    if builtins.min(sizes, default=0) < 0 or builtins.sum(sizes) != length:
        raise RuntimeError(
            f"split: {shown([*sizes])} must be sizes of at least 0 that sum to {length}, the size of dim {axis}"
        )
    pieces = _pieces(tensor, np.cumsum(sizes)[:-1].tolist(), axis, "split_with_sizes")
    return _made_at_once("split", pieces[: len(sizes)])


@method
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Split a tensor along a dim into a number of pieces, or at the indices in a list or Tensor (`torch.tensor_split`).

    The pieces are views, and their sizes differ by at most 1 if a number is given.

    >>> import minigrad
    >>> minigrad.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    axis, length = _long_axis("tensor_split", input, dim)
    if isinstance(indices_or_sections, Tensor):
        if indices_or_sections.array.dtype != np.int64 or indices_or_sections.ndim > 1:
            raise RuntimeError("tensor_split: a Tensor of places must be int64, with one dim at most")
        indices_or_sections = indices_or_sections.tolist()
    places = sizes_of("tensor_split", (indices_or_sections,))
    if not isinstance(indices_or_sections, tuple | list):
        (count,) = places
        most = builtins.max(length, MOST_EMPTY_PIECES)
        if not 1 <= count <= most:
            raise RuntimeError(f"tensor_split: {shown(count)} pieces of {length} elements; expected from 1 to {most}")
        larger = length % count  # this many pieces have one element more than the others
        places = tuple([i * (length // count) + builtins.min(i, larger) for i in range(1, count)])
    return _pieces(input, [int_of("tensor_split", place) for place in places], axis, "slice")


@method
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """Split a tensor along a dim into at most `chunks` pieces of one size (`torch.chunk`).

    The last piece may be smaller, and there may be fewer pieces. They are views. Raises a RuntimeError unless `chunks`
    is positive.

    >>> import minigrad
    >>> minigrad.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    _, length = _long_axis("chunk", input, dim)
    if int_of("chunk", chunks) < 1:
        raise RuntimeError(f"chunk: chunks must be at least 1, got {chunks}")
    if not length:
        return split(input, [0] * chunks, dim)
    return split(input, -(-length // chunks), dim)


@method
def split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Split a tensor along a dim into pieces of the given sizes, as `split` does (`torch.split_with_sizes`)."""
    return split(input, list(sizes_of("split_with_sizes", (split_sizes,))), dim)


@method
def narrow(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """Return the part of a dim from `start` on with `length` elements (`torch.narrow`); it is a view.

    Raises an IndexError or a RuntimeError if it does not lie within the dim.

    >>> import minigrad
    >>> minigrad.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    axis, size = _long_axis("narrow", input, dim)
    first, length = int_of("narrow", start.item() if isinstance(start, Tensor) else start), int_of("narrow", length)
    if not -size <= first <= size:
        raise IndexError(f"narrow: start {first} is out of range for a dim of {size}: expected -{size} to {size}")
    first += size * (first < 0)
    if not 0 <= length <= size - first:
        raise RuntimeError(f"narrow: {length} elements from {first} on do not lie within a dim of {size}")
    return ops.index.on_tensors(input, (*[slice(None)] * axis, slice(first, first + length)), label="slice")


@method
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """Return the slice at `index` along a dim, without this dim (`torch.select`); it is a view.

    Raises an IndexError if the index is out of range.
    """
    if not array_of("select", input).ndim:
        raise IndexError("select: a single number has no dim to select from")
    axis, place = dim_of("select", input, dim), int_of("select", index)
    if not -(size := input.array.shape[axis]) <= place < size:
        raise IndexError(f"select: index {place} is out of range for dim {dim} of {input.array.shape}")
    return ops.index.on_tensors(input, (*[slice(None)] * axis, place, ...), label="select")


@method
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Return the slices along a dim, without this dim (`torch.unbind`); they are views.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    axis = dim_of("unbind", input, dim)
    if not input.ndim:
        raise IndexError("unbind: a single number has no dim to split")
    # numpy returns a number for a full set of ints; `...` makes it return a view.
    keys = ((*[slice(None)] * axis, i, ...) for i in range(input.array.shape[axis]))
    return _made_at_once("unbind", tuple(ops.index.on_tensors(input, key, label="unbind") for key in keys))


def _long_axis(name: str, input: Tensor, dim: int) -> tuple[int, int]:
    """Return a dim, not negative, and its size. Raises a RuntimeError for a single number, which has no dims."""
    if not array_of(name, input).ndim:
        raise RuntimeError(f"{name}: a single number has no dim to split")
    axis = dim_of(name, input, dim)
    return axis, input.array.shape[axis]


def _made_at_once(name: str, views: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Note in each view that `name` made several views at once: PyTorch refuses to change one of them in place."""
    for view in views:
        view.base = view.base._replace(made_by=name) if view.base else None
    return views


def _pieces(input: Tensor, places: list[int], axis: int, label: str) -> tuple[Tensor, ...]:
    """Return the slices of `input` between the given places along an axis."""
    bounds = zip([0, *places], [*places, input.array.shape[axis]], strict=True)
    keys = ((*[slice(None)] * axis, slice(start, end)) for start, end in bounds)
    return tuple(ops.index.on_tensors(input, key, label=label) for key in keys)


# Joins


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors along a dim (`torch.cat`).

    A tensor of shape (0,) fits any others, as in PyTorch. Raises a RuntimeError if the sizes of other dims differ.

    >>> import minigrad
    >>> minigrad.cat([minigrad.tensor([1, 2]), minigrad.tensor([3])])
    tensor([1, 2, 3])
    """
    tensors = tensors_of("cat", tensors, ValueError)
    dtype = result_dtype(t.array for t in tensors)
    first = next((t for t in tensors if t.array.shape != (0,)), tensors[0])
    axis = axis_of("cat", dim, first.ndim)
    shape = first.array.shape
    parts = []
    for t in tensors:
        if not t.ndim:
            raise RuntimeError("cat: a single number has no dim to join along; use stack")
        if t.array.shape == (0,):
            t = reshape(t, *shape[:axis], 0, *shape[axis + 1 :])
        others = [(*size[:axis], *size[axis + 1 :]) for size in (t.array.shape, shape)]
        if t.ndim != len(shape) or others[0] != others[1]:
            raise RuntimeError(f"cat: {shape} and {t.array.shape} differ in more than dim {axis}")
        parts.append(t.to(dtype))
    bounds = np.cumsum([0, *(t.shape[axis] for t in parts)]).tolist()
    return ops.cat.on_tensors(*parts, axis, bounds)


@labelled
def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join tensors of one shape along a new dim (`torch.stack`).

    Raises a RuntimeError if the shapes differ.

    >>> import minigrad
    >>> minigrad.stack([minigrad.tensor([1, 2]), minigrad.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    tensors = tensors_of("stack", tensors)
    axis = axis_of("stack", dim, tensors[0].ndim + 1)
    shapes = {t.array.shape for t in tensors}
    if len(shapes) != 1:
        raise RuntimeError(f"stack: the tensors must have one shape, got {', '.join(map(str, sorted(shapes)))}")
    return cat([unsqueeze(t, axis) for t in tensors], axis)


def concat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Do the same as `cat` (`torch.concat`)."""
    return cat(tensors, dim)


def concatenate(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Do the same as `cat` (`torch.concatenate`)."""
    return cat(tensors, dim)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors as rows, along dim 0; a 1-D tensor is one row (`torch.vstack`).

    >>> import minigrad
    >>> minigrad.vstack([minigrad.tensor([1, 2]), minigrad.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([_with_dims(t, 2) for t in tensors_of("vstack", tensors)])


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along dim 1, and 1-D tensors along dim 0 (`torch.hstack`).

    >>> import minigrad
    >>> minigrad.hstack([minigrad.tensor([1, 2]), minigrad.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = [_with_dims(t, 1) for t in tensors_of("hstack", tensors)]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along dim 2, to which 1-D and 2-D tensors are extended (`torch.dstack`)."""
    return cat([_with_dims(t, 3) for t in tensors_of("dstack", tensors)], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Join tensors along dim 1; a 1-D tensor is one column (`torch.column_stack`)."""
    parts = tensors_of("column_stack", tensors)
    return hstack([reshape(t, t.array.size, 1) if t.ndim < 2 else t for t in parts])


def _with_dims(tensor: Tensor, ndim: int) -> Tensor:
    """Return a view with at least `ndim` dims, with those of size 1 where numpy's `atleast_1d` puts them."""
    return reshape(tensor, (np.atleast_1d, np.atleast_2d, np.atleast_3d)[ndim - 1](tensor.array).shape)
