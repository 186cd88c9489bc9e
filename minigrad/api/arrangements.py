"""Other arrangements of elements: reversed, rolled, repeated, in triangles, on diagonals, on grids."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api.arguments import (
    MOST_ELEMENTS,
    Dims,
    array_of,
    axes_of,
    dim_of,
    is_empty_list,
    named,
    sizes_of,
    tensors_of,
)
from minigrad.api.choices import where
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.inplace import method_and_in_place
from minigrad.api.pieces import cat
from minigrad.api.refusals import named_refusals
from minigrad.api.shapes import _read_only, broadcast_tensors, movedim, reshape
from minigrad.checks import int_of, shown
from minigrad.core import ops
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.methods import method, methods
from minigrad.core.tensor import Tensor, wrap

# Reversed, rolled and repeated


@method
@named("dims")
@labelled
def flip(input: Tensor, *dims: Any) -> Tensor:
    """Reverse the order of the elements along dims; the result is a copy (`torch.flip`).

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).flip(0)
    tensor([[3, 4],
            [1, 2]])
    """
    wanted = sizes_of("flip", dims) if dims and not is_empty_list(dims[0]) else ()
    axes = axes_of("flip", input, wanted) if wanted else ()
    # A slice with a negative step would be a view of the input.
    backwards = [np.arange(n)[::-1] for n in array_of("flip", input).shape]
    result = input.contiguous().clone() if not axes else input
    for axis in axes:
        result = ops.index.on_tensors(result, (*[slice(None)] * axis, backwards[axis]))
    return result


@method
def fliplr(input: Tensor) -> Tensor:
    """Reverse the order of the columns: dim 1 (`torch.fliplr`)."""
    if array_of("fliplr", input).ndim < 2:
        raise RuntimeError(f"fliplr: expected at least 2 dims, got {input.array.shape}; use flip")
    return flip(input, 1)


@method
def flipud(input: Tensor) -> Tensor:
    """Reverse the order of the rows: dim 0 (`torch.flipud`)."""
    if not array_of("flipud", input).ndim:
        raise RuntimeError("flipud: a single number has no rows")
    return flip(input, 0)


@method
@labelled
def roll(input: Tensor, shifts: int | Sequence[int], dims: Dims = None) -> Tensor:
    """Shift the elements along dims; those that leave at one end come back at the other (`torch.roll`).

    Without dims, the tensor is flattened, and keeps its shape. Raises a RuntimeError unless there is a shift for each
    dim.

    >>> import minigrad
    >>> minigrad.arange(4).roll(1)
    tensor([3, 0, 1, 2])
    """
    steps = sizes_of("roll", (shifts,))
    if dims is None or is_empty_list(dims):
        if len(steps) != 1:
            raise RuntimeError(f"roll: {shown(shifts)}: without dims, expected one shift")
        return reshape(roll(reshape(input, -1), steps, 0), input.array.shape)
    axes = [dim_of("roll", input, dim) for dim in sizes_of("roll", (dims,))]
    if len(axes) != len(steps):
        raise RuntimeError(f"roll: {shown(shifts)} and {shown(dims)} must have one shift for each dim")
    if not input.ndim:
        raise IndexError("roll: a single number has no dims; leave dims out")
    for step, axis in zip(steps, axes, strict=True):
        places = np.roll(np.arange(input.array.shape[axis]), step)
        input = ops.index.on_tensors(input, (*[slice(None)] * axis, places))
    return input


@method
@named("dims")
@named_refusals
def tile(input: Tensor, *dims: Any) -> Tensor:
    """Repeat the whole tensor along its dims, the last ones if fewer numbers are given (`torch.tile`).

    >>> import minigrad
    >>> minigrad.tensor([[1, 2]]).tile(2)
    tensor([[1, 2, 1, 2]])
    """
    times = sizes_of("tile", dims) if dims and not is_empty_list(dims[0]) else ()
    return input.repeat((1,) * (array_of("tile", input).ndim - len(times)) + tuple(times))


@method
@labelled
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Repeat each element along a dim, or of the flattened tensor, `repeats` times (`torch.repeat_interleave`).

    `repeats` is an int, or a Tensor with an int for each element. If only a 1-D Tensor of counts is given, the result
    has each of its indices as often as its count says. Raises a RuntimeError if `output_size` is given and wrong.

    >>> import minigrad
    >>> minigrad.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    """
    if repeats is None:
        places = np.arange(array_of("repeat_interleave", input).size)
        return repeat_interleave(wrap(places), input, 0, output_size=output_size)
    if dim is None:
        return repeat_interleave(reshape(input, -1), repeats, 0, output_size=output_size)
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
        places = np.repeat(old, np.array(np.asanyarray(counts).tolist(), np.intp))
    except (ValueError, MemoryError) as error:
        raise RuntimeError(
            f"repeat_interleave: {shown(repeats)} times along dim {dim} of {input.array.shape}: {error}"
        ) from None
    if output_size is not None and int_of("repeat_interleave", output_size) != len(places):
        raise RuntimeError(f"repeat_interleave: output_size is {output_size}, but the repeats sum to {len(places)}")
    return ops.index.on_tensors(input, (*[slice(None)] * axis, places))


@method_and_in_place
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
    return _triangle("tril", np.tril, input, diagonal)


@method_and_in_place
@labelled
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """Set the elements below a diagonal of a matrix to 0, with the arguments of `tril` (`torch.triu`).

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).triu()
    tensor([[1, 2],
            [0, 4]])
    """
    return _triangle("triu", np.triu, input, diagonal)


def _triangle(name: str, part: Any, input: Tensor, diagonal: int) -> Tensor:
    """Return zeros in place of what is not in the lower or upper part of a matrix."""
    if array_of(name, input).ndim < 2:
        raise RuntimeError(f"{name}: expected a matrix, got {input.array.shape}")
    kept = part(np.ones(input.array.shape[-2:], np.bool_), int_of(name, diagonal))
    return where(wrap(kept), input.contiguous(), np.zeros((), input.array.dtype))


@named_refusals
def tril_indices(row: int, col: int, offset: int = 0, *, dtype: DType = None, device: Any = None) -> Tensor:
    """Return the rows and the columns of the lower triangle of a matrix, as (2, n) (`torch.tril_indices`).

    >>> import minigrad
    >>> minigrad.tril_indices(2, 2)
    tensor([[0, 1, 1],
            [0, 0, 1]])
    """
    return _triangle_indices("tril_indices", True, row, col, offset, dtype)


@named_refusals
def triu_indices(row: int, col: int, offset: int = 0, *, dtype: DType = None, device: Any = None) -> Tensor:
    """Return the rows and the columns of the upper triangle of a matrix, as (2, n) (`torch.triu_indices`).

    >>> import minigrad
    >>> minigrad.triu_indices(2, 2)
    tensor([[0, 0, 1],
            [0, 1, 1]])
    """
    return _triangle_indices("triu_indices", False, row, col, offset, dtype)


def _triangle_indices(name: str, lower: bool, row: int, col: int, offset: int, dtype: DType) -> Tensor:
    rows, columns = (int_of(name, size) for size in (row, col))
    if min(rows, columns) < 0 or rows * columns > MOST_ELEMENTS // 2**16:
        raise RuntimeError(f"{name}: a matrix of {row} rows and {col} columns is too large, or its size is negative")
    edges = np.clip(np.arange(rows) + int_of(name, offset) + lower, 0, columns)  # where the parts of each row meet
    counts = edges if lower else columns - edges
    starts = np.cumsum(counts) - counts  # of each row in the result
    places = np.arange(counts.sum()) - np.repeat(starts if lower else starts - edges, counts)
    return wrap(np.stack([np.repeat(np.arange(rows), counts), places]).astype(number_dtype(name, dtype, np.int64)))


# Diagonals


@method
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """Return the diagonal of the matrices in two dims, as a new last dim (`torch.diagonal`).

    A positive `offset` is above the main diagonal. The result is a view of a contiguous matrix. Of another tensor it is
    a copy, which cannot be changed in place.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).diagonal()
    tensor([1, 4])
    """
    if array_of("diagonal", input).ndim < 2:
        raise IndexError(f"diagonal: expected at least 2 dims, got {input.array.shape}")
    first, second, offset = dim_of("diagonal", input, dim1), dim_of("diagonal", input, dim2), int_of("diagonal", offset)
    if first == second:
        raise RuntimeError(f"diagonal: the dims must differ, got {dim1} and {dim2}")
    rows, columns = input.array.shape[first], input.array.shape[second]
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    start = max(-offset, 0), max(offset, 0)
    if input.ndim == 2 and first == 0 and input.array.flags.c_contiguous and length:
        step, begin = columns + 1, start[0] * columns + start[1]
        return relabelled(reshape(input, -1)[begin : begin + (length - 1) * step + 1 : step], "diagonal")
    moved = movedim(input, (first, second), (0, 1))
    steps = np.arange(length)
    chosen = ops.index.on_tensors(moved, (steps + start[0], steps + start[1]))
    result = relabelled(movedim(chosen, 0, -1), "diagonal")
    result.array = _read_only(result.array) if result.array.size else result.array
    return result


@method
@labelled
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return square matrices with the last dim of `input` on a diagonal, and 0 elsewhere (`torch.diag_embed`).

    >>> import minigrad
    >>> minigrad.diag_embed(minigrad.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if not array_of("diag_embed", input).ndim:
        raise IndexError("diag_embed: a single number has no dim for a diagonal")
    *leading, length = input.array.shape
    size = length + abs(int_of("diag_embed", offset))
    steps = np.arange(length)
    key = (..., steps + max(-offset, 0), steps + max(offset, 0))
    matrices = ops.put.on_tensors(input, (*[slice(None)] * len(leading), *key[1:]), (*leading, size, size))
    first, second = dim_of("diag_embed", matrices, dim1), dim_of("diag_embed", matrices, dim2)
    if first == second:
        raise RuntimeError(f"diag_embed: the dims must differ, got {dim1} and {dim2}")
    return movedim(matrices, (-2, -1), (first, second))


@method
@labelled
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """Return the matrix with a 1-D tensor on its diagonal, or the diagonal of a matrix, as a copy (`torch.diag`).

    >>> import minigrad
    >>> minigrad.diag(minigrad.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    if array_of("diag", input).ndim not in (1, 2):
        raise RuntimeError(f"diag: expected 1 or 2 dims, got {input.array.shape}; use diagonal or diag_embed")
    return diag_embed(input, diagonal) if input.ndim == 1 else _diagonal(input, diagonal).clone()


_diagonal = diagonal


@method
@labelled
def trace(input: Tensor) -> Tensor:
    """Return the sum of the diagonal of a matrix (`torch.trace`)."""
    if array_of("trace", input).ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, got {input.array.shape}")
    return diagonal(input).sum()


# Grids


def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Return for each 1-D tensor a grid on which its elements lie along one dim (`torch.meshgrid`).

    With `indexing` "ij", the default, the dims are in the order of the tensors; with "xy", the first two are exchanged.

    >>> import minigrad
    >>> minigrad.meshgrid(minigrad.tensor([1, 2]), minigrad.tensor([3, 4]), indexing="ij")[1]
    tensor([[3, 4],
            [3, 4]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], tuple | list):
        tensors = tuple(tensors[0])
    tensors = tensors_of("meshgrid", tensors)
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f"meshgrid: indexing must be 'ij' or 'xy', got {shown(indexing)}")
    if len({t.array.dtype for t in tensors}) > 1 or any(t.ndim > 1 for t in tensors):
        raise RuntimeError("meshgrid: expected 1-D tensors of one dtype")
    order = [1, 0, *range(2, len(tensors))] if indexing == "xy" and len(tensors) > 1 else [*range(len(tensors))]
    columns = [reshape(t, [-1 if i == order[j] else 1 for i in range(len(tensors))]) for j, t in enumerate(tensors)]
    return broadcast_tensors(*columns)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Return all combinations of an element of each 1-D tensor: a row for each (`torch.cartesian_prod`)."""
    grids = meshgrid(*tensors)
    return reshape(grids[0], -1) if len(grids) == 1 else cat([reshape(grid, -1, 1) for grid in grids], 1)


@methods
class Windows(Tensor):
    """What PyTorch has as a method only."""

    __slots__ = ()

    def unfold(self, dimension: int, size: int, step: int) -> Tensor:
        """Return all windows of `size` elements along a dim, `step` apart, as a new last dim (`torch.Tensor.unfold`).

        The result is a copy, which cannot be changed in place. Raises a RuntimeError if the size or the step does not
        fit.

        >>> import minigrad
        >>> minigrad.arange(4).unfold(0, 2, 1)
        tensor([[0, 1],
                [1, 2],
                [2, 3]])
        """
        axis, whole = dim_of("unfold", self, dimension), (array_of("unfold", self).shape or (1,))
        if not 0 <= int_of("unfold", size) <= whole[axis] or int_of("unfold", step) < 1:
            raise RuntimeError(f"unfold: size {size} and step {step} do not fit a dim of {whole[axis]} elements")
        if not self.ndim:
            return self.reshape(1)[:size]
        places = np.arange(0, whole[axis] - size + 1, step)[:, None] + np.arange(size)
        windows = ops.index.on_tensors(self, (*[slice(None)] * axis, places))
        result = relabelled(movedim(windows, axis + 1, -1), "unfold")
        result.array = _read_only(result.array) if result.array.size else result.array
        return result
