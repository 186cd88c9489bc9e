"""Items joined to a batch, whatever they are made of."""

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from minigrad.api.creation import tensor
from minigrad.api.pieces import stack
from minigrad.core.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Join the items of a batch (`torch.utils.data.default_collate`).

    Tensors and arrays of one shape are stacked along a new first dimension. Numbers become a Tensor: floats float64,
    ints int64, bools bool. Strings and bytes stay a sequence. Dicts, namedtuples, tuples and lists are joined part by
    part; tuples become a list. TypeError for items of other kinds, RuntimeError for items that differ in length or
    shape.
    """
    try:
        first = batch[0]
    except (TypeError, KeyError):
        raise TypeError(f"default_collate: expected a list of items, got {type(batch).__name__}") from None
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray):
        if first.dtype.kind in "SUO":
            raise TypeError(_expected(first.dtype))
        return stack([tensor(array) for array in batch])
    if isinstance(first, np.bool_ | np.number | int):
        return tensor(batch)
    if isinstance(first, float):
        return tensor(batch, dtype=np.float64)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([each[key] for each in batch]) for key in first})
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return type(first)(*map(default_collate, zip(*batch, strict=False)))
    if isinstance(first, Sequence):
        lengths = {len(each) for each in batch}
        if len(lengths) > 1:
            raise RuntimeError(
                f"default_collate: each element in list of batch should be of equal size, but got {sorted(lengths)}; "
                "pad them, or give the DataLoader a collate_fn"
            )
        return _like(first, [default_collate(parts) for parts in zip(*batch, strict=True)])
    raise TypeError(_expected(type(first)))


def default_convert(data: Any) -> Any:
    """Return an item with each array and numpy number in it as a Tensor (`torch.utils.data.default_convert`).

    A DataLoader does so that makes no batches. What holds no numbers is left as it is.
    """
    if isinstance(data, np.ndarray | np.bool_ | np.number):
        return data if data.dtype.kind in "SUO" else tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*map(default_convert, data))
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _like(data, [default_convert(each) for each in data])
    return data


def _like(first: Any, parts: Any) -> Any:
    """The parts in a container of the kind of `first`, where there can be one; a tuple's parts stay a list.

    What can be changed is copied and filled, because it may have more attributes.
    """
    make: Callable[[Any], Any] = type(first)
    try:
        if isinstance(first, tuple):
            return parts
        if isinstance(first, MutableMapping):
            twin: Any = copy.copy(first)
            twin.update(parts)
            return twin
        if isinstance(first, MutableSequence):
            twin = copy.copy(first)
            for i, part in enumerate(parts):
                twin[i] = part
            return twin
        return make(parts)
    except TypeError:
        return parts


def _expected(found: Any) -> str:
    told = "batch must contain tensors, numpy arrays, numbers, strings, dicts or lists"
    return f"default_collate: {told}; found {found}; give the DataLoader a collate_fn for it"
