"""Data sets: things with items, or things that give one item after the other."""

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from minigrad.checks import members_of, number_of, shown
from minigrad.core.tensor import Tensor
from minigrad.random import Generator, source_of

T = TypeVar("T", covariant=True)


def length_of(name: str, dataset: Any) -> int:
    """Return the length of a data set. TypeError if it has none."""
    try:
        return len(dataset)
    except TypeError:
        raise TypeError(f"{name}: expected a data set with a length, got {type(dataset).__name__}") from None


class Dataset(Generic[T]):
    """The base class of data sets whose items have keys (`torch.utils.data.Dataset`).

    A subclass defines `__getitem__`, and `__len__` if it knows its length. If it defines `__getitems__`, a DataLoader
    asks for all items of a batch at once. `a + b` is a ConcatDataset.
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__} does not define __getitem__; define it to return an item")

    def __add__(self, other: "Dataset[Any]") -> "Dataset[Any]":
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T], Iterable[T]):
    """The base class of data sets that give one item after the other (`torch.utils.data.IterableDataset`).

    A subclass defines `__iter__`. `a + b` is a ChainDataset.
    """

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """The rows of Tensors: item i is the tuple of their i-th rows (`torch.utils.data.TensorDataset`).

    AssertionError, as in PyTorch, if their first dimensions differ in size.
    """

    def __init__(self, *tensors: Tensor) -> None:
        sizes = [tensor.size(0) for tensor in members_of("TensorDataset", "Tensors", Tensor, tensors)]
        if len({*sizes}) > 1:
            raise AssertionError(f"TensorDataset: Size mismatch between tensors, of {sizes} rows; give as many of each")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        return int(self.tensors[0].size(0))


class StackDataset(Dataset[Any]):
    """The items of data sets side by side, in a tuple or a dict (`torch.utils.data.StackDataset`).

    ValueError if the data sets differ in length, if there are none, or if some have names and others have none.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ValueError(
                f"StackDataset: got {len(args)} data sets and {len(kwargs)} with names; give at least one, "
                "and names to all or to none"
            )
        self.datasets: Any = args or kwargs
        lengths = [length_of("StackDataset", dataset) for dataset in args or kwargs.values()]
        if len({*lengths}) > 1:
            raise ValueError(f"StackDataset: Size mismatch between datasets, of {lengths} items; give as many of each")
        self._length = lengths[0]

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T]):
    """Data sets one after the other, as one (`torch.utils.data.ConcatDataset`).

    AssertionError, as in PyTorch, for no data sets and for an IterableDataset.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = members_of("ConcatDataset", "data sets", object, datasets)
        if not self.datasets:
            raise AssertionError("ConcatDataset: datasets should not be an empty iterable; give at least one")
        for each in self.datasets:
            if isinstance(each, IterableDataset):
                raise AssertionError(
                    f"ConcatDataset does not support IterableDataset, but got {type(each).__name__}; use ChainDataset"
                )
        self.cumulative_sizes = [*itertools.accumulate(length_of("ConcatDataset", each) for each in self.datasets)]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> Any:
        if index < 0:
            if -index > len(self):
                raise ValueError(f"ConcatDataset: there is no item {index} of {len(self)}; count from {-len(self)}")
            index += len(self)
        place = bisect.bisect_right(self.cumulative_sizes, index)
        if place == len(self.datasets):
            raise IndexError(f"ConcatDataset: there is no item {index} of {len(self)}; count to {len(self) - 1}")
        return self.datasets[place][index - (self.cumulative_sizes[place - 1] if place else 0)]


class ChainDataset(IterableDataset[Any]):
    """Iterable data sets one after the other (`torch.utils.data.ChainDataset`).

    AssertionError, as in PyTorch, once another kind of data set has its turn.
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _checked(self) -> Iterator[Any]:
        for each in self.datasets:
            if not isinstance(each, IterableDataset):
                raise AssertionError(
                    f"ChainDataset only supports IterableDataset, but got {type(each).__name__}; use ConcatDataset"
                )
            yield each

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self._checked())

    def __len__(self) -> int:
        return sum(map(len, self._checked()))


class Subset(Dataset[T]):
    """The items of a data set at some of its places (`torch.utils.data.Subset`).

    A subclass that overrides `__getitem__` must override `__getitems__` too, because a DataLoader calls the latter.
    Otherwise NotImplementedError is raised, as in PyTorch.
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__; "
                "add `def __getitems__(self, indices): return [self[i] for i in indices]`"
            )
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[[self.indices[i] for i in index] if isinstance(index, list) else self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Any]:
        """Return the items at some places of the subset."""
        places = [self.indices[i] for i in indices]
        if callable(getattr(self.dataset, "__getitems__", None)):
            return list(self.dataset.__getitems__(places))
        return [self.dataset[i] for i in places]


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset[Any]]:
    """Split a data set at random into subsets of these lengths, or of these fractions if they sum to 1.

    Lengths from fractions are rounded down, and the remaining items go to the first subsets, one each. ValueError if
    the lengths do not sum to that of the data set, or a fraction is not from 0 to 1 (`torch.utils.data.random_split`).
    """
    total = length_of("random_split", dataset)
    if not isinstance(lengths, tuple | list):
        raise TypeError(f"random_split: expected a list of lengths, got {type(lengths).__name__}")
    lengths = [number_of("random_split", "a length", x) for x in lengths]
    sizes: Sequence[Any] = lengths
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        if not all(0 <= share <= 1 for share in lengths):
            raise ValueError(f"random_split: shares must be from 0 to 1, got {shown(lengths)}")
        sizes = [math.floor(total * share) for share in lengths]
        rest = total - sum(sizes)
        sizes = [size + (rest - i + len(sizes) - 1) // len(sizes) for i, size in enumerate(sizes)]
        if 0 in sizes:
            warnings.warn(f"random_split: a share of {shown(lengths)} of {total} items is empty", stacklevel=2)
    if sum(sizes) != total:
        raise ValueError(
            f"random_split: lengths {shown(lengths)} sum to {shown(sum(sizes))}, but the data set has {total} items"
        )
    order = source_of("random_split", generator).permutation(total).tolist()
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
