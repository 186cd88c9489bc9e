"""Samplers: in which order the items of a data set are taken. They give keys, or lists of keys for batches."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.api.creation import tensor
from minigrad.checks import shown
from minigrad.core.tensor import Tensor
from minigrad.random import Generator, source_of
from minigrad.utils.data.dataset import length_of

T = TypeVar("T", covariant=True)


class Sampler(Generic[T]):
    """The base class of samplers (`torch.utils.data.Sampler`).

    A subclass defines `__iter__`, and `__len__` if it knows how many it gives.
    """

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError(f"{type(self).__name__} does not define __iter__; define it to return indices")


class SequentialSampler(Sampler[int]):
    """The indices of a data set in order (`torch.utils.data.SequentialSampler`)."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices of a data set in random order (`torch.utils.data.RandomSampler`).

    `num_samples` of them are given, which is the data set's length by default. Without `replacement` each comes once
    before any comes again. With it they are drawn while they are used, 32 at a time, so `num_samples` may be huge. A
    `generator` is drawn from directly; otherwise each pass draws a seed from the default generator. TypeError if
    `replacement` is no bool, ValueError if `num_samples` is not positive.
    """

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        if not isinstance(replacement, bool):
            raise TypeError(f"RandomSampler: replacement should be True or False, but got {shown(replacement)}")
        self.data_source, self.replacement, self.generator = data_source, replacement, generator
        self._num_samples = num_samples
        _positive("RandomSampler", "num_samples", self.num_samples)

    @property
    def num_samples(self) -> int:
        """How many indices are given: by default the data set's length, which may change."""
        return length_of("RandomSampler", self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        n, count = len(self.data_source), self.num_samples
        generator = source_of("RandomSampler", self.generator)
        if self.generator is None:
            generator = Generator().manual_seed(long_seed("RandomSampler", None))
        if self.replacement:
            for size in itertools.chain(itertools.repeat(32, count // 32), [count % 32]):
                yield from generator.integers(0, n, (size,)).tolist()
        else:
            for _ in range(count // n):
                yield from generator.permutation(n).tolist()
            yield from generator.permutation(n).tolist()[: count % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order (`torch.utils.data.SubsetRandomSampler`)."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in source_of("SubsetRandomSampler", self.generator).permutation(len(self.indices)).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` of the indices 0, ..., n - 1, drawn in proportion to n weights.

    ValueError if `num_samples` is not positive, `replacement` is no bool or the weights are not 1-dimensional
    (`torch.utils.data.WeightedRandomSampler`).
    """

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        _positive("WeightedRandomSampler", "num_samples", num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(
                f"WeightedRandomSampler: replacement should be True or False, but got {shown(replacement)}"
            )
        self.weights = tensor(weights.detach() if isinstance(weights, Tensor) else weights, dtype=np.float64)
        if self.weights.dim() != 1:
            shape = tuple(self.weights.shape)
            raise ValueError(f"WeightedRandomSampler: weights should be 1-dimensional, but have shape {shape}")
        self.num_samples, self.replacement, self.generator = num_samples, replacement, generator

    def __iter__(self) -> Iterator[int]:
        source = source_of("WeightedRandomSampler", self.generator)
        yield from source.multinomial(self.weights.array, self.num_samples, self.replacement).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """What another sampler gives, in lists of `batch_size` (`torch.utils.data.BatchSampler`).

    A shorter rest comes last, or not at all with `drop_last`. ValueError if `batch_size` is no positive int or
    `drop_last` is no bool.
    """

    def __init__(self, sampler: Any, batch_size: int, drop_last: bool) -> None:
        _positive("BatchSampler", "batch_size", batch_size)
        if not isinstance(drop_last, bool):
            raise ValueError(f"BatchSampler: drop_last should be True or False, but got {shown(drop_last)}")
        self.sampler, self.batch_size, self.drop_last = sampler, batch_size, drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := [*itertools.islice(indices, self.batch_size)]:
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        batches, rest = divmod(len(self.sampler), self.batch_size)
        return batches + (rest > 0 and not self.drop_last)


def long_seed(name: str, generator: Generator | None) -> int:
    """Draw a seed of 63 bits for what has this name, from the default generator unless one is given."""
    return int(source_of(name, generator).integers(0, 2**63, ()))


def _positive(kind: str, argument: str, x: Any) -> None:
    if not isinstance(x, int) or isinstance(x, bool) or x <= 0:
        raise ValueError(f"{kind}: {argument} should be a positive integer, but got {shown(x)}")
