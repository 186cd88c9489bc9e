"""Functions that keep the elements and change their arrangement: shapes, order of dims, repeats, pieces, joins.

They select with slices at most; indexing with arbitrary keys is in `selection.py`.
"""

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api.arguments import (
    MOST_ELEMENTS,
    Dims,
    array_of,
    axes_of,
    axis_of,
    dim_of,
    is_empty_list,
    sizes_of,
    tensors_of,
)
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.pointwise import clone, where
from minigrad.checks import int_of, shown
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method, methods
from minigrad.core.primitive import Shape
from minigrad.core.tensor import Tensor

MOST_EMPTY_PIECES = 2**16  # of tensor_split, which would take a second to make them

# Another shape


@method
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """Return the same elements in another shape, in which one size may be -1 (`torch.reshape`).

    The result is a view if possible. Raises a RuntimeError if the number of elements differs.

    >>> import minigrad
    >>> minigrad.arange(6).reshape(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return _reshaped(input, _fitted("reshape", array_of("reshape", input).shape, shape))


@method
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dims from `start_dim` to `end_dim` into one (`torch.flatten`).

    The result is a view if possible. Raises a RuntimeError if `start_dim` comes after `end_dim`.

    >>> import minigrad
    >>> minigrad.ones(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    shape = array_of("flatten", input).shape
    start, end = axis_of("flatten", start_dim, len(shape)), axis_of("flatten", end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in {shape}")
    if start == end and shape:
        return input
    return _reshaped(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def _reshaped(input: Tensor, shape: Shape) -> Tensor:
    """Reshape, and label the node as PyTorch does if the result is a copy."""
    result = ops.reshape.on_tensors(input, shape)
    return result if result.base is not None else relabelled(result, "unsafe_view")


def _fitted(name: str, shape: Shape, given: tuple[Any, ...]) -> Shape:
    """Return the given sizes with -1 replaced.

    Raises a RuntimeError if they do not have as many elements as `shape`.
    """
    wanted, count = sizes_of(name, given), math.prod(shape)
    if wanted.count(-1) == 1 and (known := -math.prod(wanted)):
        wanted = tuple([count // known if size == -1 else size for size in wanted])
    if math.prod(wanted) != count or builtins.min(wanted, default=0) < 0:
        raise RuntimeError(f"{name}: {shape} has {count} elements and does not fit into {shown(sizes_of(name, given))}")
    return wanted


@method
def squeeze(input: Tensor, dim: Dims = None) -> Tensor:
    """Remove all dims of size 1, or only the ones in `dim` (`torch.squeeze`); the result is a view.

    >>> import minigrad
    >>> minigrad.ones(1, 3, 1).squeeze().shape
    torch.Size([3])
    """
    axes = () if is_empty_list(dim) else axes_of("squeeze", input, dim)
    shape = tuple(size for axis, size in enumerate(array_of("squeeze", input).shape) if size != 1 or axis not in axes)
    label = "squeeze" if dim is None else "squeeze.dim" if isinstance(dim, int) else "squeeze.dims"
    return ops.reshape.on_tensors(input, shape, label=label)


@method
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """Insert a dim of size 1 at position `dim` (`torch.unsqueeze`); the result is a view.

    >>> import minigrad
    >>> minigrad.ones(3).unsqueeze(0).shape
    torch.Size([1, 3])
    """
    shape = array_of("unsqueeze", input).shape
    axis = axis_of("unsqueeze", dim, len(shape) + 1)
    return ops.reshape.on_tensors(input, (*shape[:axis], 1, *shape[axis:]), label="unsqueeze")


# Another order of dims


@method
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Put the dims in another order (`torch.permute`); the result is a view.

    Raises a RuntimeError if `dims` does not name each dim once.

    >>> import minigrad
    >>> minigrad.ones(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    shape, order = array_of("permute", input).shape, sizes_of("permute", dims)
    axes = tuple([axis_of("permute", dim, len(shape)) for dim in order]) if len(order) == len(shape) else ()
    if len(set(axes)) < len(order):
        raise RuntimeError(f"permute: {shown(order)} must name each of the {len(shape)} dims of {shape} once")
    return ops.permute.on_tensors(input, axes)


@method
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Exchange two dims (`torch.transpose`); the result is a view.

    >>> import minigrad
    >>> minigrad.ones(2, 3).transpose(0, 1).shape
    torch.Size([3, 2])
    """
    first, second = dim_of("transpose", input, dim0), dim_of("transpose", input, dim1)
    axes = list(range(input.ndim))
    if axes:
        axes[first], axes[second] = second, first
    return ops.permute.on_tensors(input, tuple(axes), label="transpose")


@method
@labelled
def t(input: Tensor) -> Tensor:
    """Exchange the two dims of a matrix; 0-D and 1-D tensors stay as they are (`torch.t`).

    Raises a RuntimeError for more than 2 dims.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).t()
    tensor([[1, 3],
            [2, 4]])
    """
    if array_of("t", input).ndim > 2:
        raise RuntimeError(f"t: expected at most 2 dims, got {input.array.shape}; use .mT or .transpose(dim0, dim1)")
    return permute(input, tuple(reversed(range(input.ndim))))


# Repeats and masks


@method
@labelled
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Repeat each element along a dim, or of the flattened tensor, `repeats` times (`torch.repeat_interleave`).

    `repeats` is an int, or a Tensor with an int for each element.

    >>> import minigrad
    >>> minigrad.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if dim is None:
        return repeat_interleave(reshape(input, -1), repeats, 0)
    axis = dim_of("repeat_interleave", input, dim)
    if not input.ndim:
        raise IndexError("repeat_interleave: a single number has no dim; leave dim out")
    counts = repeats if isinstance(repeats, np.ndarray) else getattr(repeats, "array", None)
    if counts is None:
        counts = int_of("repeat_interleave", repeats)
    elif counts.dtype.kind != "i":
        raise RuntimeError(f"repeat_interleave: repeats must be integers, not {counts.dtype}; convert with .long()")
    old = np.arange(input.array.shape[axis])
    try:
        if np.broadcast_to(counts, old.shape).sum(dtype=np.float64) > MOST_ELEMENTS:  # numpy would crash
            raise MemoryError("the result needs more memory than any machine has")
        places = np.repeat(old, np.asarray(counts, np.intp))
    except (ValueError, MemoryError) as error:
        raise RuntimeError(
            f"repeat_interleave: {shown(repeats)} times along dim {dim} of {input.array.shape}: {error}"
        ) from None
    return ops.index.on_tensors(input, (*[slice(None)] * axis, places))


@method
@labelled
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """Set the elements above a diagonal of a matrix to 0 (`torch.tril`).

    `diagonal` counts from the main diagonal; positive numbers are above it. Leading dims are batch dims. Raises a
    RuntimeError for fewer than 2 dims.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).tril()
    tensor([[1, 0],
            [3, 4]])
    """
    if array_of("tril", input).ndim < 2:
        raise RuntimeError(f"tril: expected a matrix, got {input.array.shape}")
    below = np.tril(np.ones(input.array.shape[-2:], np.bool_), int_of("tril", diagonal))
    return where(input.wrap(below), input.contiguous(), np.zeros((), input.array.dtype))


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
def tensor_split(input: Tensor, indices_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Split a tensor along a dim into a number of pieces, or at the indices in a list (`torch.tensor_split`).

    The pieces are views, and their sizes differ by at most 1 if a number is given.

    >>> import minigrad
    >>> minigrad.arange(5).tensor_split(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    axis, length = _long_axis("tensor_split", input, dim)
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


# Methods only


@methods
class ShapeMethods(Tensor):
    """Shape operations that PyTorch has as methods only."""

    __slots__ = ()

    def view(self, *shape: Any) -> Tensor:
        """Return a view in another shape (`torch.Tensor.view`).

        Raises a RuntimeError if the order of the elements in memory requires a copy.

        >>> import minigrad
        >>> minigrad.arange(6).view(2, 3)
        tensor([[0, 1, 2],
                [3, 4, 5]])
        """
        result = ops.reshape.on_tensors(self, _fitted("view", array_of("view", self).shape, shape))
        if result.base is None and result.array.size and not np.may_share_memory(result.array, self.array):
            raise RuntimeError(
                f"view: {self.array.shape} cannot be seen as {result.array.shape} without a copy, because of its order "
                "in memory (a transposed tensor, for example); use .reshape(...)"
            )
        return result

    def contiguous(self) -> Tensor:
        """Return the same Tensor, or a copy if its elements are not in row-major order (`torch.Tensor.contiguous`).

        >>> import minigrad
        >>> minigrad.ones(2, 3).t().contiguous().stride()
        (2, 1)
        """
        # To join a tensor with nothing is to copy it in row-major order.
        contiguous = self.array.flags.c_contiguous
        return self if contiguous else ops.cat.on_tensors(self, 0, [0, len(self.array)], label="clone")

    def is_contiguous(self) -> bool:
        """Return whether the elements are in row-major order in memory (`torch.Tensor.is_contiguous`)."""
        return self.array.flags.c_contiguous

    def stride(self, dim: int | None = None) -> Any:
        """Return the step in memory along each dim, or along `dim`, in elements (`torch.Tensor.stride`).

        >>> import minigrad
        >>> minigrad.ones(2, 3).t().stride()
        (1, 3)
        """
        strides = tuple([stride // self.array.itemsize for stride in self.array.strides])
        return strides if dim is None else strides[dim_of("stride", self, dim)]

    def view_as(self, other: Tensor) -> Tensor:
        """Return a view in the shape of another tensor (`torch.Tensor.view_as`)."""
        tensors_of("view_as", (self, other))
        return self.view(other.array.shape)

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat dims of size 1, and add dims in front, without a copy (`torch.Tensor.expand`).

        A size of -1 keeps the size of the dim. Raises a RuntimeError if another size would change.

        >>> import minigrad
        >>> minigrad.tensor([[1], [2]]).expand(2, 3)
        tensor([[1, 1, 1],
                [2, 2, 2]])
        """
        shape, wanted = array_of("expand", self).shape, sizes_of("expand", sizes)
        extra = len(wanted) - len(shape)
        full = tuple(shape[i - extra] if size == -1 and i >= extra else size for i, size in enumerate(wanted))
        if (
            extra < 0
            or builtins.any(have not in (1, size) for have, size in zip(shape, full[extra:], strict=True))
            or -1 in full
        ):
            raise RuntimeError(
                f"expand: {self.array.shape} does not expand to {shown(wanted)}: only sizes of 1 can grow"
            )
        result = ops.expand.on_tensors(self, full)
        # Its elements share memory. A view of a numpy array could be made writeable again; this cannot.
        result.array = np.asarray(memoryview(result.array).toreadonly())
        return result

    @labelled
    def repeat(self, *sizes: Any) -> Tensor:
        """Repeat the whole tensor along each dim, and along new dims in front (`torch.Tensor.repeat`).

        >>> import minigrad
        >>> minigrad.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
        """
        shape, times = array_of("repeat", self).shape, sizes_of("repeat", sizes)
        if len(times) < len(shape) or builtins.min(times, default=0) < 0:
            raise RuntimeError(f"repeat: {shown(times)} must have a number of at least 0 for each dim of {shape}")
        shape = (1,) * (len(times) - len(shape)) + shape
        single = reshape(self, [n for size in shape for n in (1, size)])
        tiled = single.expand([n for pair in zip(times, shape, strict=True) for n in pair])
        result = reshape(tiled, [n * size for n, size in zip(times, shape, strict=True)]).contiguous()
        shared = np.may_share_memory(result.array, self.array) or not result.array.size
        return clone(result) if shared else result
