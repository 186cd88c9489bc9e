"""Indexing: what stands between the brackets of `x[...]`, read as PyTorch reads it, and assignment to it."""

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import ops
from minigrad.functions import check_operand
from minigrad.inplace import become, changed, is_recorded
from minigrad.rows import Recorded, Shape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


def index(input: "Tensor", key: Any) -> "Tensor":
    """`input[key]`: ints, slices, None, `...`, lists, integer and bool arrays or Tensors, and mixtures.

    IndexError for an index out of range, for a mask of another shape, and for what cannot index.
    """
    for part in _parts(input.array.shape, key):
        input = ops.index.on_tensors(input, part, _grad_fn(part))
    return input


def assign(input: "Tensor", key: Any, value: Any) -> None:
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
        become(input, _assigned(input, parts, value), "assign")
        return
    try:
        places[parts[-1]] = getattr(value, "array", value)
    except ValueError as error:
        raise RuntimeError(f"assign: to places in {input.array.shape}: {error}") from None
    if input.tracked:
        changed("assign", input.array)


def _assigned(input: "Tensor", parts: list[tuple[Any, ...]], value: Any) -> "Tensor":
    first, *rest = parts
    if rest:
        value = _assigned(ops.index.on_tensors(input, first), rest, value)
    elif isinstance(value, Recorded) and value.array.shape[:1] == (1,):  # type: ignore[attr-defined]
        value = _without_leading_ones(value, input.array[first].ndim)
    return ops.assign.on_tensors(input, value, first)


def _without_leading_ones(value: Any, ndim: int) -> "Tensor":
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


def _grad_fn(part: tuple[Any, ...]) -> str:
    """What PyTorch's `grad_fn` is after indexing; without arrays it is the last step, of one for each index."""
    if np.ndarray in map(type, part):
        return "IndexBackward0"
    kinds = [type(k) for k in part if k != slice(None) and k is not ...] or [
        slice if slice(None) in part else type(...)
    ]
    return _STEPS.get(kinds[-1], "AliasBackward0")


_STEPS: dict[type, str] = {int: "SelectBackward0", type(None): "UnsqueezeBackward0", slice: "SliceBackward0"}


# As in PyTorch, a list with one of these in it stands for a tuple.
_TUPLE_MAKERS = (list, tuple, range, slice, type(None), type(...), np.ndarray, Recorded)


def _dims(key: Any) -> int:
    """How many dims an index is for."""
    return 0 if key is None else key.ndim if isinstance(key, np.ndarray) and key.dtype == bool else 1


def _plain(key: Any) -> Any:
    """One index as an int, a slice, an array, or None, `...` or a bool."""
    if isinstance(key, Recorded):
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
