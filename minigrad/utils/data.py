"""Parts of data sets (`torch.utils.data`)."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from minigrad.api import missing
from minigrad.checks import number_of, shown
from minigrad.random import Generator, source_of

__getattr__ = missing.of_module(__name__, "torch.utils.data")


class Subset(Sequence[Any]):
    """The items of a data set at some of its places (`torch.utils.data.Subset`)."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, i: Any) -> Any:
        return [self.dataset[j] for j in self.indices[i]] if isinstance(i, slice) else self.dataset[self.indices[i]]

    def __iter__(self) -> Iterator[Any]:
        return (self.dataset[i] for i in self.indices)


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset]:
    """Split a data set at random into subsets of these lengths, or of these fractions if they sum to 1.

    Lengths from fractions are rounded down, and the remaining items go to the first subsets, one each. ValueError if
    the lengths do not sum to that of the data set, or a fraction is not from 0 to 1 (`torch.utils.data.random_split`).
    """
    if not hasattr(dataset, "__len__"):
        raise TypeError(f"random_split: expected a data set with a length, got {type(dataset).__name__}")
    total = len(dataset)
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
    if sum(sizes) != total:
        raise ValueError(
            f"random_split: lengths {shown(lengths)} sum to {shown(sum(sizes))}, but the data set has {total} items"
        )
    order = source_of("random_split", generator).permutation(total).tolist()
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return [Subset(dataset, order[end - size : end]) for size, end in zip(sizes, ends, strict=True)]
