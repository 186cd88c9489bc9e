"""Indexing: `x[key]` and `x[key] = value`, where `key` means what it means in PyTorch."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.api.inplace import is_recorded, replace
from minigrad.api.shapes import unbind
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.primitive import Shape, Traced
from minigrad.core.promotion import check_operand
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version


@method
def __getitem__(input: Tensor, key: Any) -> Tensor:
    """`input[key]`: ints, slices, None, `...`, lists, integer and bool arrays or Tensors, and mixtures.

    IndexError for an index out of range, for a mask of another shape, and for what cannot index.
    """
    for part in _parts(input.array.shape, key):
        input = ops.index.on_tensors(input, part)
    return input


@method
def __setitem__(input: Tensor, key: Any, value: Any) -> None:
    """`input[key] = value`, in place, where `value` is a Tensor, an array or a number that broadcasts to `input[key]`.

    RuntimeError where it does not, or where a Tensor is to be put at listed places of one of another dtype.
    """
    check_operand("assign", value)
    parts = _parts(input.array.shape, key)
    places = input.array
    for part in parts[:-1]:
        places = places[part]
    dtype = getattr(value, "dtype", None)
    if dtype is not None and dtype != input.array.dtype and any(isinstance(k, np.ndarray) for k in parts[-1]):
        raise RuntimeError(
            f"assign: values of {dtype} for listed places of {input.array.dtype}; convert with .to(dtype)"
        )
    if is_recorded(input, value):
        replace(input, _assigned(input, parts, value), "assign")
        return
    try:
        places[parts[-1]] = getattr(value, "array", value)
    except ValueError as error:
        raise RuntimeError(f"assign: to places in {input.array.shape}: {error}") from None
    if input.counts_versions:
        bump_version("assign", input.array)


@method
def __iter__(self: Tensor) -> Iterator[Tensor]:
    if not self.ndim:
        raise TypeError("iteration over a single number (a 0-d tensor)")
    return iter(unbind(self))


def _assigned(input: Tensor, parts: list[tuple[Any, ...]], value: Any) -> Tensor:
    first, *rest = parts
    if rest:
        value = _assigned(ops.index.on_tensors(input, first), rest, value)
    elif isinstance(value, Traced) and value.array.shape[:1] == (1,):  # type: ignore[attr-defined]
        value = _without_leading_ones(value, input.array[first].ndim)
    return ops.assign.on_tensors(input, value, first)


def _without_leading_ones(value: Any, ndim: int) -> Tensor:
    """`value`, with as many dims of size 1 in front left out as it takes to have `ndim` dims."""
    while value.ndim > ndim and value.array.shape[0] == 1:
        value = value.reshape(value.array.shape[1:])
    return value


def _parts(shape: Shape, key: Any) -> list[tuple[Any, ...]]:
    """`key` as the keys that numpy is to apply one after the other, each a tuple.

    There are two where ints stand beside arrays: PyTorch applies ints first, so that they do not move the arrays' dims.
    """
    if isinstance(key, list) and any(isinstance(k, _TUPLE_MAKERS) for k in key):
        key = tuple(key)
    key = tuple([_plain(k) for k in (key if isinstance(key, tuple) else (key,))])
    kinds = {*map(type, key)}
    if kinds.isdisjoint((np.ndarray, bool)):
        # Of ints alone, or nothing, numpy would make a number, not a view.
        return [(*key, ...) if kinds <= {int} and len(key) == len(shape) else key]
    if kinds == {np.ndarray} and "b" not in [k.dtype.kind for k in key]:
        return [key]
    key = _spelled_out(shape, key)
    if not any(type(k) is int for k in key):
        return [key]
    places = [[slice(None)] * _dims(k) if isinstance(k, np.ndarray) else [k] for k in key]
    rest = tuple([k if isinstance(k, np.ndarray) else slice(None) for k in key if type(k) is not int])
    return [tuple(itertools.chain(*places)), rest]


# As in PyTorch, a list with one of these in it stands for a tuple.
_TUPLE_MAKERS = (list, tuple, range, slice, type(None), type(...), np.ndarray, Traced)


def _dims(key: Any) -> int:
    """How many dims an index is for."""
    return 0 if key is None else key.ndim if isinstance(key, np.ndarray) and key.dtype == bool else 1


def _plain(key: Any) -> Any:
    """One index as an int, a slice, an array, or None, `...` or a bool."""
    if isinstance(key, Traced):
        key = key.array  # type: ignore[attr-defined]
    elif isinstance(key, range):
        key = np.arange(key.start, key.stop, key.step)
    elif isinstance(key, (list, tuple)):
        key = np.asarray(key)
        key = key if key.size else key.astype(int)
    if isinstance(key, np.ndarray):
        key = np.asarray(key)  # of the class itself, as _parts takes it to be
        if key.dtype.kind not in "biu":
            raise IndexError(f"index: an array of dtype {key.dtype} cannot index; use integers or bools")
        return key if key.ndim or key.dtype == bool else int(key)
    if isinstance(key, slice) and key.step is not None and key.step < 1:
        raise ValueError(f"index: the step of a slice must be positive, not {key.step}")
    return key.item() if isinstance(key, (np.integer, np.bool_)) else key


def _spelled_out(shape: Shape, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """`key` with slices in place of `...`; IndexError for masks that numpy, unlike PyTorch, would let pass."""
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
