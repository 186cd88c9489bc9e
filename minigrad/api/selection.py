"""Indexing: `x[key]`, `x[key] = value` and iteration, where a key means what it means in PyTorch.

The keys are translated for numpy, which moves dims and accepts masks where PyTorch does not.
"""

import itertools
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.api.grad_fn import relabelled
from minigrad.api.inplace import is_recorded, replace
from minigrad.api.limits import fitting
from minigrad.api.pieces import unbind
from minigrad.api.pointwise import clone
from minigrad.checks import shown
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.modes import current_mode
from minigrad.core.primitive import Shape, Traced
from minigrad.core.promotion import check_operand
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version

Key = tuple[Any, ...]


@method
def __getitem__(input: Tensor, key: Any) -> Tensor:
    """Return `input[key]`: ints, slices, None, `...`, lists, integer or bool arrays or Tensors, and mixtures of these.

    Raises an IndexError if an index is out of range, if a mask does not fit, or if a part of the key is no index.

    >>> import minigrad
    >>> x = minigrad.tensor([[1, 2], [3, 4]])
    >>> x[:, 0], x[x > 2]
    (tensor([1, 3]), tensor([3, 4]))
    """
    for part in _parts(input.array.shape, key):
        x, input = input.array, ops.index.on_tensors(input, part)
        if input.base is None and x.size and not x.flags.c_contiguous:
            input.array = _in_order_of_indexed(input.array, x, part)
    return input


@method
def __setitem__(input: Tensor, key: Any, value: Any) -> None:
    """Set `input[key]` in place to a Tensor, an array or a number, which broadcasts.

    Raises a RuntimeError if the value does not broadcast, or if the key has arrays and the dtypes differ.

    >>> import minigrad
    >>> x = minigrad.zeros(3)
    >>> x[1:] = 5
    >>> x
    tensor([0., 5., 5.])
    """
    check_operand("assign", value)
    if not isinstance(value, Traced | np.ndarray):
        # As in PyTorch, a number that is too large for float16 becomes infinite here, where other dtypes refuse it.
        half = input.array.dtype == np.float16
        value = fitting("assign", value, np.dtype(np.float64) if half else input.array.dtype).item()
    parts = _parts(input.array.shape, key)
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype != input.array.dtype and any(isinstance(k, np.ndarray) for k in parts[-1]):
        raise RuntimeError(
            f"assign: values of {dtype} do not fit indexed places of {input.array.dtype}; convert with .to(dtype)"
        )
    if is_recorded(input, value) or current_mode().watch is not None:
        replace(input, _assigned(input, parts, value), "assign")
        return
    try:
        places = input.array
        for part in parts[:-1]:
            places = places[part]
        places[parts[-1]] = getattr(value, "array", value)
    except IndexError as error:
        raise IndexError(f"assign: of shape {input.array.shape}: {error}") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise RuntimeError(f"assign: the value does not fit into {input.array.shape}: {error}") from None
    if input.counts_versions:
        bump_version("assign", input.array)


@method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    """Return an iterator over the slices along the first dim."""
    if not self.ndim:
        raise TypeError("iter: a single number (a 0-d tensor) has no slices")
    return iter(unbind(self))


def chosen(name: str, input: Tensor, axis: int, places: np.ndarray) -> Tensor:
    """Return the elements at `places` along an axis, as the result of `name`."""
    if not input.ndim:
        return relabelled(clone(input), name)
    return ops.index.on_tensors(input, key_along(axis, places), label=name)


def key_along(axis: int, places: np.ndarray) -> Key:
    """Return the key that means `places` along an axis, and for every other dim the place itself."""
    key: list[Any] = [*np.indices(places.shape, sparse=True)]
    key[axis] = places
    return tuple(key)


def _in_order_of_indexed(result: np.ndarray, x: np.ndarray, key: tuple[Any, ...]) -> np.ndarray:
    """Return `result`, which is `x[key]` for a key with arrays, laid out in memory as PyTorch does it.

    The dims that the arrays make stay where they are: in place of the arrays if these are neighbours, and else in
    front. The other dims are in the order of their strides in `x`.
    """
    places = [i for i, k in enumerate(key) if isinstance(k, np.ndarray)]
    zeros = [[0] * _dims(k) if i in places else [k] for i, k in enumerate(key)]
    rest = x[(*itertools.chain(*zeros), ...)].strides
    before = places[0] if places[-1] - places[0] < len(places) else 0
    strides = [*rest[:before], *[0] * (result.ndim - len(rest)), *rest[before:]]
    order = [*range(result.ndim)]
    free = [dim for dim in order if strides[dim] and result.shape[dim] > 1]
    for place, dim in zip(free, sorted(free, key=lambda dim: -strides[dim]), strict=True):
        order[place] = dim
    ordered = result.transpose(order)
    return (ordered if ordered.flags.c_contiguous else ordered.copy()).transpose(np.argsort(order))


def _assigned(input: Tensor, parts: list[tuple[Any, ...]], value: Any) -> Tensor:
    """Return `input` with `value` written at `parts[0]`; a second part indexes what the first one selects."""
    first, *rest = parts
    if rest:
        value = _assigned(ops.index.on_tensors(input, first), rest, value)
    elif isinstance(value, Traced) and value.array.shape[:1] == (1,):  # type: ignore[attr-defined]
        value = _without_leading_ones(value, input.array[first].ndim)
    return ops.assign.on_tensors(input, value, first)


def _without_leading_ones(value: Any, ndim: int) -> Tensor:
    """Remove dims of size 1 from the front of `value` until it has `ndim` dims."""
    while value.ndim > ndim and value.array.shape[0] == 1:
        value = value.reshape(value.array.shape[1:])
    return value


# As in PyTorch, a list that contains one of these means a tuple.
_TUPLE_MAKERS = (list, tuple, range, slice, type(None), type(...), np.ndarray, Traced)
_PLACES = {int, type(None), type(...)}

# numpy before 2.3 takes any index into an array without elements, and any if the result has none.
_EMPTY_TAKES_ALL = np.lib.NumpyVersion(np.__version__) < "2.3.0"


def _parts(shape: Shape, key: Any) -> list[tuple[Any, ...]]:
    """Return `key` as a list of keys, each a tuple, that numpy applies one after the other.

    There are two keys if ints stand beside arrays. PyTorch applies the ints first, so that they do not move the dims of
    the arrays.
    """
    if isinstance(key, list) and any(isinstance(k, _TUPLE_MAKERS) for k in key):
        key = tuple(key)
    key = tuple([_plain(k) for k in (key if isinstance(key, tuple) else (key,))])
    kinds = {*map(type, key)}
    if kinds.isdisjoint((np.ndarray, bool)):
        # numpy returns a number for a full set of ints, or for (); `...` makes it return a view.
        return [(*key, ...) if kinds <= {int} and len(key) == len(shape) else key]
    if _EMPTY_TAKES_ALL and (0 in shape or slice in kinds):
        _check_places(shape, key)
    if kinds == {np.ndarray} and "b" not in [k.dtype.kind for k in key]:
        return [key]
    key = _spelled_out(shape, key)
    if not any(type(k) is int for k in key):
        return [key]
    places = [[slice(None)] * _dims(k) if isinstance(k, np.ndarray) else [k] for k in key]
    rest = tuple([k if isinstance(k, np.ndarray) else slice(None) for k in key if type(k) is not int])
    return [tuple(itertools.chain(*places)), rest]


def _plain(key: Any) -> Any:
    """Return one index as an int, a slice, an array, None, `...` or a bool."""
    if isinstance(key, Traced):
        key = key.array  # type: ignore[attr-defined]
    elif isinstance(key, (list, tuple, range)):
        try:
            key = np.arange(key.start, key.stop, key.step) if isinstance(key, range) else np.asarray(key)
        except (ValueError, MemoryError) as error:
            raise ValueError(f"index: {shown(key)} cannot index: {error}") from None
        key = key if key.size else key.astype(int)
    if isinstance(key, np.ndarray):
        if key.dtype.kind not in "biu":
            raise IndexError(f"index: an array of dtype {key.dtype} cannot index; use integers or bools")
        if not key.ndim and key.dtype != bool:
            return int(key)
        return np.asarray(key)  # no subclass of ndarray: _parts compares exact types
    if isinstance(key, slice):
        if not {type(key.start), type(key.stop), type(key.step)} <= _PLACES:
            key = slice(_place(key.start), _place(key.stop), _place(key.step))
        if key.step is not None and key.step < 1:
            raise ValueError(f"index: the step of a slice must be positive, not {key.step}")
        return key
    return bool(key) if isinstance(key, (bool, np.bool_)) else _place(key)


def _place(x: Any) -> Any:
    """Return an end of a slice, or an index, as an int of Python's own class. What is no int stays as it is."""
    try:
        return x if type(x) in _PLACES else operator.index(x)
    except TypeError:
        return x  # numpy refuses it, and knows the rest of the key


def _spelled_out(shape: Shape, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return `key` with slices in place of `...`.

    Raises an IndexError for masks that numpy accepts and PyTorch does not.
    """
    spelled: list[Any] = []
    dim = 0
    for k in key:
        if k is ...:
            rest = len(shape) - sum(_dims(k) for k in key if k is not ...)
            spelled += [slice(None)] * rest
            dim += rest
            continue
        if isinstance(k, bool) or (isinstance(k, np.ndarray) and k.dtype == bool):
            if not np.ndim(k) and any(isinstance(other, int | np.ndarray | None) for other in key if other is not k):
                raise IndexError(f"index: of shape {shape}: a single bool beside other indices; use a mask or an int")
            if np.shape(k) != shape[dim : dim + np.ndim(k)]:
                raise IndexError(f"index: of shape {shape}: a mask of shape {np.shape(k)} does not fit at dim {dim}")
        spelled.append(k)
        dim += _dims(k)
    return tuple(spelled)


def _check_places(shape: Shape, key: tuple[Any, ...]) -> None:
    """Raise an IndexError if an array has an index that is out of range, unless the arrays choose nothing at all."""
    if not all(k.any() if k.dtype == bool else k.size for k in key if isinstance(k, np.ndarray)):
        return
    dim = 0
    for k in _spelled_out(shape, key):
        if isinstance(k, np.ndarray) and k.dtype != bool and dim < len(shape):
            wrong = k[(k < -shape[dim]) | (k >= shape[dim])]
            if wrong.size:
                bounds = f"out of bounds for axis {dim} with size {shape[dim]}"
                raise IndexError(f"index: of shape {shape}: index {wrong[0]} is {bounds}")
        dim += _dims(k)


def _dims(key: Any) -> int:
    """Return the number of dims that an index consumes."""
    return 0 if key is None else key.ndim if isinstance(key, np.ndarray) and key.dtype == bool else 1
