"""Elements at indices along a dim: gather and scatter and their relatives.

They differ from `x[...]` in that an index stands for a place along one dim, and the other dims stay where they are.
"""

from typing import Any

import numpy as np

from minigrad.api.arguments import Number, array_of, check_dtypes, dim_of, tensors_of
from minigrad.api.arithmetic import add
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.inplace import method_and_in_place
from minigrad.api.limits import fitting
from minigrad.api.refusals import named_refusals
from minigrad.api.selection import Key, chosen, key_along
from minigrad.checks import shown
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor, wrap


def _places(name: str, input: Tensor, axis: int, index: Tensor, source: Tensor | None = None) -> np.ndarray:
    """Check an index, and return its array. `input` and `source` must have a place for each element of it."""
    places = array_of(name, index)
    if places.size and places.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}: the index must be int64, got {places.dtype}; convert with .long()")
    shapes = [x.array.shape or (1,) for x in (input, *([] if source is None else [source]))]
    wanted = places.shape or (1,)
    for shape in shapes:
        free = axis if shape is shapes[0] else None  # along this dim, the index may be longer
        fits = all(i == free or a <= b for i, (a, b) in enumerate(zip(wanted, shape, strict=False)))
        if places.size and (len(shape) != len(wanted) or not fits):
            raise RuntimeError(f"{name}: an index of shape {places.shape} does not fit {shape} along dim {axis}")
    _check_range(name, places, shapes[0][axis], RuntimeError)
    return places.astype(np.int64, copy=False)


def _check_range(name: str, places: np.ndarray, size: int, kind: type[Exception]) -> None:
    """Raise an error if an index is negative or not below a size."""
    if places.size and not 0 <= places.min() <= places.max() < size:
        odd = places.min() if places.min() < 0 else places.max()
        raise kind(f"{name}: index {odd} is out of range for the size {size}: expected 0 to {size - 1}")


@method
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """Return the elements at the places along `dim` that `index` says (`torch.gather`).

    The result has the shape of `index`: for dim 1 of a matrix, result[i, j] = input[i, index[i, j]]. Raises a
    RuntimeError if an index is out of range, or the other sizes of `index` are larger than those of `input`.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).gather(1, minigrad.tensor([[1], [0]]))
    tensor([[2],
            [3]])
    """
    axis = dim_of("gather", input, dim)
    places = _places("gather", input, axis, index)
    if not places.size or not input.ndim:  # where the dims of the index may be any, or also ()
        return relabelled(input.reshape(-1)[places], "gather")
    return chosen("gather", input, axis, places)


@method
@named_refusals
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Return the elements at `indices` along a dim, or in the flattened tensor (`torch.take_along_dim`).

    The other dims broadcast. Raises a RuntimeError if the numbers of dims differ, or if an index is out of range.
    """
    places = array_of("take_along_dim", indices)
    if dim is None:
        return take_along_dim(input.reshape(-1), indices.reshape(-1), 0)
    axis = dim_of("take_along_dim", input, dim)
    if places.ndim != input.ndim:
        raise RuntimeError(
            f"take_along_dim: indices of {places.shape} for {input.array.shape}: the dims must be as many"
        )
    if places.dtype != np.int64:
        raise RuntimeError(f"take_along_dim: the indices must be int64, got {places.dtype}; convert with .long()")
    others = [tuple([1 if i == axis else n for i, n in enumerate(x.shape)]) for x in (places, input.array)]
    try:
        shape = list(np.broadcast_shapes(*others))
    except ValueError as error:
        raise RuntimeError(f"take_along_dim: {places.shape} for {input.array.shape}: {error}") from None
    if input.ndim:
        whole, wanted = [*shape], [*shape]
        whole[axis], wanted[axis] = input.array.shape[axis], places.shape[axis]
        input, places = input.expand(whole), np.broadcast_to(places, wanted)
        places = np.where(places < 0, places + whole[axis], places)
    return gather(input, axis, wrap(places))


@method
@labelled
def take(input: Tensor, index: Tensor) -> Tensor:
    """Return the elements at `index` of the flattened tensor, in the shape of `index` (`torch.take`)."""
    array_of("take", input)
    if array_of("take", index).dtype != np.int64:
        raise RuntimeError(f"take: the index must be int64, got {index.array.dtype}; convert with .long()")
    return input.reshape(-1)[index]


@method
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """Return the slices along `dim` at the places in the 1-D `index` (`torch.index_select`).

    Raises an IndexError if the index has more than one dim, or is out of range.

    >>> import minigrad
    >>> minigrad.tensor([[1, 2], [3, 4]]).index_select(0, minigrad.tensor([1, 1]))
    tensor([[3, 4],
            [3, 4]])
    """
    axis = dim_of("index_select", input, dim)
    places = _slices("index_select", input, axis, index)
    if not input.ndim:
        return chosen("index_select", input, 0, places)
    return ops.index.on_tensors(input, (*[slice(None)] * axis, places), label="index_select")


def _slices(name: str, input: Tensor, axis: int, index: Tensor) -> np.ndarray:
    """Check a 1-D index of slices along an axis, and return its array."""
    places = np.atleast_1d(array_of(name, index))
    if places.ndim > 1:
        raise IndexError(f"{name}: the index must be 1-D, got {places.shape}")
    if places.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}: the index must be int64, got {places.dtype}; convert with .long()")
    if not input.ndim and places.size != 1:
        raise RuntimeError(f"{name}: a single number has one place, not {places.size}")
    _check_range(name, places, (input.array.shape or (1,))[axis], IndexError)
    return places


@method_and_in_place
@labelled
def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Any = None,
    reduce: str | None = None,
) -> Tensor:
    """Return `input` with the elements of `src` at the places along `dim` that `index` says (`torch.scatter`).

    For dim 1 of a matrix, result[i, index[i, j]] = src[i, j]. `src` may be a number. With `reduce` "add" or "multiply",
    the elements are added or multiplied, without a gradient. Raises a RuntimeError if an index is out of range, or if
    the sizes or the dtypes do not fit.

    >>> import minigrad
    >>> minigrad.zeros(2, 2).scatter(1, minigrad.tensor([[1], [0]]), 5.0)
    tensor([[0., 5.],
            [5., 0.]])
    """
    src = value if src is None else src
    axis = dim_of("scatter", input, dim)
    key, new = _scattered("scatter", input, axis, index, src)
    if reduce is None:
        return _assigned(input, new, key)
    if reduce not in ("add", "multiply") or input.requires_grad or new.requires_grad:
        raise RuntimeError(f"scatter: reduce={shown(reduce)} is unknown or has no gradient; use scatter_add")
    combined = np.atleast_1d(input.array.copy())
    (np.add if reduce == "add" else np.multiply).at(combined, key, new.array)
    return wrap(combined.reshape(input.array.shape))


@method_and_in_place
@labelled
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """Add the elements of `src` at the places along `dim` that `index` says, each of them (`torch.scatter_add`).

    For dim 1 of a matrix, result[i, index[i, j]] += src[i, j]. The errors are those of `scatter`.

    >>> import minigrad
    >>> minigrad.zeros(2).scatter_add(0, minigrad.tensor([1, 1, 0]), minigrad.ones(3))
    tensor([1., 2.])
    """
    tensors_of("scatter_add", (input, index, src))
    key, new = _scattered("scatter_add", input, dim_of("scatter_add", input, dim), index, src)
    return _added(input, new, key)


def _scattered(name: str, input: Tensor, axis: int, index: Tensor, src: Any) -> tuple[Key, Tensor]:
    """Return the key of the places that an index means, and what is written there."""
    is_tensor = isinstance(src, Tensor)
    if is_tensor and src.array.dtype != input.array.dtype:
        raise RuntimeError(f"{name}: dtypes {input.array.dtype} and {src.array.dtype} differ; convert with .to(dtype)")
    places = np.atleast_1d(_places(name, input, axis, index, src if is_tensor else None))
    if not is_tensor:
        return key_along(axis, places), wrap(fitting(name, src, input.array.dtype))
    src = src if src.ndim else src.reshape(1)
    return key_along(axis, places), src[tuple([slice(size) for size in places.shape])]


def _assigned(input: Tensor, value: Tensor, key: Key) -> Tensor:
    """Return `input` with a value at a key."""
    if not input.ndim:
        return _assigned(input.reshape(1), value, key).reshape(())
    return ops.assign.on_tensors(input, value, key)


def _added(input: Tensor, value: Tensor, key: Key, alpha: Number = 1) -> Tensor:
    """Return `input` to which `alpha` times a value is added at a key, as often as the key names a place."""
    shape = input.array.shape or (1,)
    return add(input, ops.put.on_tensors(value, key, shape).reshape(input.array.shape), alpha=alpha)


@method_and_in_place
@labelled
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
    """Add `alpha` times each slice of `source` along `dim` at its place in the 1-D `index` (`torch.index_add`).

    A place may occur several times. Raises a RuntimeError if shapes or dtypes do not fit, or a place is out of range.

    >>> import minigrad
    >>> minigrad.zeros(3).index_add(0, minigrad.tensor([0, 2, 2]), minigrad.ones(3))
    tensor([1., 0., 2.])
    """
    key, source = _written("index_add", input, dim, index, source, RuntimeError)
    return _added(input, source, key, alpha)


@method_and_in_place
@labelled
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """Write the slices of `source` along `dim` at their places in the 1-D `index` (`torch.index_copy`)."""
    key, source = _written("index_copy", input, dim, index, source, IndexError)
    return _assigned(input, source, key)


@method_and_in_place
@labelled
def index_fill(input: Tensor, dim: int, index: Tensor, value: Tensor | Number) -> Tensor:
    """Write one number into the slices along `dim` at the places in the 1-D `index` (`torch.index_fill`)."""
    axis = dim_of("index_fill", input, dim)
    places, size = array_of("index_fill", index), (input.array.shape or (1,))[axis]
    places = np.where(places < 0, places + size, places).astype(places.dtype)
    places = np.unique(_slices("index_fill", input, axis, wrap(places)))
    if isinstance(value, Tensor) and value.ndim:
        raise RuntimeError(f"index_fill: the value has shape {value.array.shape}; expected a single number")
    new = value if isinstance(value, Tensor) else wrap(fitting("index_fill", value, input.array.dtype))
    return _assigned(input, new.to(input.dtype), (*[slice(None)] * axis, places))


def _written(
    name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, out_of_range: type[Exception]
) -> tuple[Key, Tensor]:
    """Check the arguments of a function that writes slices. Return the key, and the source without missing dims."""
    axis = dim_of(name, input, dim)
    places, new = np.atleast_1d(array_of(name, index)), array_of(name, source)
    if places.dtype not in (np.int64, np.int32):
        raise RuntimeError(f"{name}: the index must be int64, got {places.dtype}; convert with .long()")
    if new.ndim and input.ndim and new.ndim != input.ndim:
        raise out_of_range(
            f"{name}: a source of shape {new.shape} for an input of {input.array.shape}; expected as many dims"
        )
    if places.ndim > 1 or (not new.ndim and out_of_range is IndexError and places.size != 1):
        raise IndexError(f"{name}: the index must be 1-D, with a place for each slice, got {places.shape}")
    if new.dtype != input.array.dtype:
        raise RuntimeError(f"{name}: dtypes {input.array.dtype} and {new.dtype} differ; convert with .to(dtype)")
    shape = list(input.array.shape or (1,))
    _check_range(name, places, shape[axis], out_of_range)
    shape[axis] = len(places)
    if (new.shape or (1,)) != tuple(shape) or (new.ndim and not input.ndim):
        raise RuntimeError(f"{name}: the source has shape {new.shape} instead of {tuple(shape)}")
    return (*[slice(None)] * axis, places), source if source.ndim else source.reshape(1)


# Masks and keys


@method
@labelled
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """Return the elements where the mask is true, as a 1-D tensor; both broadcast (`torch.masked_select`).

    >>> import minigrad
    >>> x = minigrad.tensor([[1, 2], [3, 4]])
    >>> x.masked_select(x > 2)
    tensor([3, 4])
    """
    shape = _broadcast("masked_select", input, mask)
    return input.expand(shape)[wrap(np.broadcast_to(mask.array, shape))]


@method_and_in_place
@labelled
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """Return `input` with the elements of `source`, in order, where the mask is true (`torch.masked_scatter`).

    Raises a RuntimeError if `source` has fewer elements than the mask has true ones.
    """
    shape = _broadcast("masked_scatter", input, mask)
    places = np.broadcast_to(mask.array, shape).nonzero()
    if array_of("masked_scatter", source).dtype != input.array.dtype:
        raise RuntimeError(f"masked_scatter: dtypes {input.array.dtype} and {source.array.dtype} differ")
    count = np.count_nonzero(np.broadcast_to(mask.array, shape))
    if source.array.size < count:
        raise RuntimeError(f"masked_scatter: {source.array.size} elements for {count} places")
    return ops.assign.on_tensors(input.expand(shape), source.reshape(-1)[:count], places or (...,))


def _broadcast(name: str, input: Tensor, mask: Tensor) -> tuple[int, ...]:
    """Return the common shape of an input and a mask."""
    tensors_of(name, (input, mask))
    if mask.array.dtype != bool:
        raise RuntimeError(f"{name}: the mask must be a Tensor of bools, such as x > 0")
    try:
        return np.broadcast_shapes(input.array.shape, mask.array.shape)
    except ValueError:
        raise RuntimeError(f"{name}: {input.array.shape} and {mask.array.shape} do not broadcast") from None


@method_and_in_place
@named_refusals
def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Return `input` with `values` at `input[indices]`, or added there with `accumulate` (`torch.index_put`)."""
    key = tuple([array_of("index_put", index) for index in indices])
    check_dtypes("index_put", input, values)
    if not accumulate:
        return ops.assign.on_tensors(input, values, key, label="index_put")
    values = values.expand(input.array[key].shape)
    return relabelled(input + ops.put.on_tensors(values, key, input.array.shape), "index_put")


@method
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Return the indices of the elements that are not 0: a row for each element (`torch.nonzero`).

    With `as_tuple`, return a tuple with a Tensor for each dim, which can index.

    >>> import minigrad
    >>> minigrad.tensor([0, 5, 6]).nonzero()
    tensor([[1],
            [2]])
    """
    x = array_of("nonzero", input)
    places = np.atleast_1d(x).nonzero()
    if as_tuple:
        return tuple([wrap(each.astype(np.int64, copy=False)) for each in places])
    if not x.ndim:
        return wrap(np.zeros((len(places[0]), 0), np.int64))
    return wrap(np.stack(places, 1).astype(np.int64, "C"))


@method
def argwhere(input: Tensor) -> Tensor:
    """Return the indices of the elements that are not 0: a row for each element (`torch.argwhere`)."""
    indices: Tensor = nonzero(input)
    return indices
