"""Functions that keep the elements and change their shape, or the order of the dims.

Most results are views. Pieces and joins are in `pieces.py`, and other arrangements of elements in `arrangements.py`.
"""

import builtins
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api.arguments import Dims, array_of, axes_of, axis_of, dim_of, is_empty_list, named, sizes_of, tensors_of
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.pointwise import clone
from minigrad.checks import shown
from minigrad.core import ops
from minigrad.core.methods import method, methods
from minigrad.core.primitive import Shape
from minigrad.core.tensor import Tensor


def _read_only(array: np.ndarray) -> np.ndarray:
    """The same array, which cannot be made writeable again, as a view could. It is of the same class, marked or not."""
    return np.asarray(array.data.toreadonly()).view(type(array))


# Another shape


@method
@named("shape")
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


@method
def ravel(input: Tensor) -> Tensor:
    """Return the elements in one dim (`torch.ravel`); the result is a view if possible."""
    return _reshaped(input, (array_of("ravel", input).size,)).contiguous()


@method
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Replace a dim by several ones, of which one size may be -1 (`torch.unflatten`); the result is a view.

    Raises a RuntimeError if the sizes do not multiply to that of the dim.

    >>> import minigrad
    >>> minigrad.ones(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    if not isinstance(sizes, tuple | list):
        raise TypeError(f"unflatten: expected a tuple of sizes, got {shown(sizes)}")
    shape, axis = array_of("unflatten", input).shape, dim_of("unflatten", input, dim)
    if not shape or not sizes_of("unflatten", (sizes,)):
        raise RuntimeError(f"unflatten: expected a dim to replace, and sizes; got {shape} and {shown(sizes)}")
    return input.view((*shape[:axis], *_fitted("unflatten", shape[axis : axis + 1], (sizes,)), *shape[axis + 1 :]))


# Another order of dims


@method
@named("dims")
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
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Do the same as `transpose` (`torch.swapaxes`)."""
    return transpose(input, axis0, axis1)


@method
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Do the same as `transpose` (`torch.swapdims`)."""
    return transpose(input, dim0, dim1)


@method
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Move dims to other positions; the remaining dims keep their order (`torch.movedim`); the result is a view.

    >>> import minigrad
    >>> minigrad.ones(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    pairs = [sizes_of("movedim", (dims,)) for dims in (source, destination)]
    old, new = ([axis_of("movedim", dim, array_of("movedim", input).ndim) for dim in dims] for dims in pairs)
    if len(old) != len(new) or len(set(old)) < len(old) or len(set(new)) < len(new):
        raise RuntimeError(f"movedim: {shown(source)} and {shown(destination)} must name as many dims, each once")
    order = [axis for axis in range(input.ndim) if axis not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return permute(input, order[: input.ndim])


@method
def moveaxis(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Do the same as `movedim` (`torch.moveaxis`)."""
    return movedim(input, source, destination)


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


# Broadcasting


@method
def broadcast_to(input: Tensor, size: Any) -> Tensor:
    """Repeat dims of size 1, and add dims in front, without a copy, as `expand` does (`torch.broadcast_to`).

    >>> import minigrad
    >>> minigrad.broadcast_to(minigrad.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    array_of("broadcast_to", input)
    return input.expand(size)


def broadcast_tensors(*tensors: Any) -> tuple[Tensor, ...]:
    """Expand tensors to their common shape (`torch.broadcast_tensors`). Raises a RuntimeError if there is none."""
    shapes = [array_of("broadcast_tensors", t).shape for t in tensors]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(f"broadcast_tensors: {', '.join(map(str, shapes))} do not broadcast") from None
    return tuple([t.expand(shape) for t in tensors])


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

    def reshape_as(self, other: Tensor) -> Tensor:
        """Return the same elements in the shape of another tensor (`torch.Tensor.reshape_as`)."""
        tensors_of("reshape_as", (self, other))
        return reshape(self, other.array.shape)

    def expand_as(self, other: Tensor) -> Tensor:
        """Expand to the shape of another tensor (`torch.Tensor.expand_as`)."""
        tensors_of("expand_as", (self, other))
        return self.expand(other.array.shape)

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
        result.array = _read_only(result.array)  # its elements share memory
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
