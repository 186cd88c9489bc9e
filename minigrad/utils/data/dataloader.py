"""DataLoader: the batches of a data set, one after the other."""

import itertools
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from minigrad.checks import int_of, number_of, shown
from minigrad.random import Generator
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import Dataset, IterableDataset
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, long_seed

T = TypeVar("T", covariant=True)

FIXED = ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")


class DataLoader(Generic[T]):
    """Iterates over the batches of a data set (`torch.utils.data.DataLoader`).

    All items are loaded in this process, when their batch is asked for. `num_workers` and what belongs to it
    (`timeout`, `worker_init_fn`, `multiprocessing_context`, `persistent_workers`, `in_order`) and `pin_memory` are
    accepted, and start no process: `get_worker_info()` is None, and `worker_init_fn` is not called. With workers the
    sampler is `prefetch_factor` * `num_workers` batches ahead of the items, as in PyTorch.

    `shuffle` uses a RandomSampler; `sampler` gives other indices, and `batch_sampler` lists of them. `collate_fn` joins
    the items of a batch (`default_collate` unless given). With a `batch_size` of None the items come one by one. An
    IterableDataset gives its items in its own order. ValueError for arguments that contradict each other.
    """

    def __init__(
        self,
        dataset: Dataset[T] | Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if int_of("DataLoader", num_workers) < 0:
            raise ValueError(f"DataLoader: num_workers should not be negative, but got {num_workers}; use 0")
        if number_of("DataLoader", "timeout", timeout) < 0:
            raise ValueError(f"DataLoader: timeout should not be negative, but got {timeout}; use 0")
        if num_workers == 0:
            for name, given in {
                "prefetch_factor": prefetch_factor,
                "multiprocessing_context": multiprocessing_context,
            }.items():
                if given is not None:
                    raise ValueError(f"DataLoader: {name} needs workers, but got {shown(given)}; pass num_workers > 0")
            if persistent_workers:
                raise ValueError("DataLoader: persistent_workers needs workers; pass num_workers > 0")
        if prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError(f"DataLoader: prefetch_factor should not be negative, but got {prefetch_factor}; use 2")
        iterable = isinstance(dataset, IterableDataset)
        given_samplers = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
        for name, given in given_samplers.items():
            if iterable and given is not None:
                raise ValueError(
                    f"DataLoader: an IterableDataset has its own order, but got {name}={shown(given)}; leave it out"
                )
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: sampler excludes shuffle; leave out one of them")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ValueError(
                f"DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last, but got "
                f"{batch_size}, {shuffle}, {shown(sampler)} and {drop_last}; leave them out"
            )
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: batch_size=None makes no batches, so it excludes drop_last; leave out one")
        if sampler is None:
            in_turn = _Endless() if iterable else SequentialSampler(dataset)
            sampler = RandomSampler(dataset, generator=generator) if shuffle else in_turn
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.sampler, self.batch_sampler = dataset, sampler, batch_sampler
        self.batch_size, self.drop_last, self.generator = batch_size, drop_last, generator
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)
        self.num_workers, self.worker_init_fn, self.in_order, self.timeout = (
            num_workers,
            worker_init_fn,
            in_order,
            timeout,
        )
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory, self.pin_memory_device = pin_memory, pin_memory_device
        self.multiprocessing_context = multiprocessing_context
        self._iterator: _Batches | None = None
        self._length_told: int | None = None
        self.persistent_workers = persistent_workers

    def __setattr__(self, name: str, value: Any) -> None:
        if name in FIXED and "persistent_workers" in vars(self):
            raise ValueError(
                f"DataLoader: {name} attribute should not be set after it was made; make another DataLoader"
            )
        super().__setattr__(name, value)

    def __iter__(self) -> Iterator[Any]:
        if not self.persistent_workers:
            return _Batches(self)
        if self._iterator is None:
            self._iterator = _Batches(self)
        else:
            self._iterator.restart()
        return self._iterator

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            indices: Any = self.sampler if self.batch_sampler is None else self.batch_sampler
            return len(indices)
        length = self._length_told = len(self.dataset)  # type: ignore[arg-type]
        if self.batch_size is None:
            return length
        batches, rest = divmod(length, self.batch_size)
        return batches + (rest > 0 and not self.drop_last)


class _Batches(Iterator[Any]):
    """One pass over the batches of a DataLoader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self.loader = loader
        self.restart(first=True)

    def restart(self, first: bool = False) -> None:
        """Start from the first batch. The first time draws the seed that PyTorch's workers get, in PyTorch's order."""
        loader = self.loader
        self.indices: Iterator[Any] = iter(loader.sampler if loader.batch_sampler is None else loader.batch_sampler)
        if first:
            long_seed("DataLoader", loader.generator)
            if loader.timeout and not loader.num_workers:
                raise AssertionError(
                    f"DataLoader: timeout needs workers, but got {loader.timeout}; pass num_workers > 0"
                )
        self.items = iter(loader.dataset) if isinstance(loader.dataset, IterableDataset) else None
        self.taken, self.ended = 0, False
        ahead = loader.num_workers * (loader.prefetch_factor or 0)
        self.queue = deque(itertools.islice(self.indices, ahead))

    def __next__(self) -> Any:
        self.queue.extend(itertools.islice(self.indices, 1))
        if not self.queue or self.ended:
            raise StopIteration
        batch = self.loader.collate_fn(self._items_of(self.queue.popleft()))
        self.taken += 1
        told = self.loader._length_told
        if told is not None and self.taken > told:
            warnings.warn(f"DataLoader: len() of the data set is {told}, but it has given more items", stacklevel=2)
        return batch

    def _items_of(self, index: Any) -> Any:
        """The items of the next batch; StopIteration if a data set that gives them in its own order has no more."""
        loader = self.loader
        dataset: Any = loader.dataset
        if self.items is not None:
            if loader.batch_sampler is None:
                return next(self.items)
            items = [*itertools.islice(self.items, len(index))]
            self.ended = len(items) < len(index)
            if not items or (loader.drop_last and self.ended):
                raise StopIteration
            return items
        if loader.batch_sampler is None:
            return dataset[index]
        if getattr(dataset, "__getitems__", None):
            return dataset.__getitems__(index)
        return [dataset[i] for i in index]


class _Endless(Sampler[None]):
    """A sampler for data sets that give their items in their own order."""

    def __iter__(self) -> Iterator[None]:
        return itertools.repeat(None)


def get_worker_info() -> None:
    """None: items are loaded in the process that asks for them (`torch.utils.data.get_worker_info`)."""
