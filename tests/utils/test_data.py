"""Data sets, samplers and loaders beside PyTorch's: the same items in the same order, and as many random numbers drawn.

A scenario is a function of the library. It returns what is compared; the next random number is compared after it.
"""

import collections
import copy
import itertools
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from tests.support.comparison import assert_same, refusal

Scenario = Callable[[Any], Any]
Point = collections.namedtuple("Point", "x y")
SEEDS = [0, 1, 42, 2147483647, 2**63, -5]


def outcome(scenario: Scenario, library: Any, seed: int) -> Any:
    """What a scenario returns from a seed, and the random number that comes after it."""
    library.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch, about pinned memory and the number of workers
        return scenario(library), library.rand(1), library.randn(3)


def alike(scenario: Scenario, *seeds: int) -> None:
    """Require the same of both libraries, from some seeds."""
    for seed in seeds or SEEDS:
        assert_parts_same(outcome(scenario, minigrad, seed), outcome(scenario, torch, seed))


def assert_parts_same(mine: Any, reference: Any) -> None:
    """Require the same containers of the same things."""
    if isinstance(reference, dict | list | tuple):
        assert type(mine) is type(reference)
        assert len(mine) == len(reference)
        pairs = [(mine[key], reference[key]) for key in reference] if isinstance(reference, dict) else []
        for pair in pairs or zip(mine, reference, strict=True):
            assert_parts_same(*pair)
    else:
        assert_same(mine, reference)


def refused(scenario: Scenario, told: str) -> None:
    """Require that both libraries refuse with the same kind of error, and that ours says what was given."""
    errors = []
    for library in (minigrad, torch):
        with pytest.raises((TypeError, ValueError, RuntimeError, AssertionError, IndexError)) as caught:
            scenario(library)
        errors.append(caught.value)
    assert type(errors[0]) is type(errors[1])
    assert told in str(errors[0])


# Data sets


def squares(library: Any, n: int) -> Any:
    """A data set with a length."""

    class Squares(library.utils.data.Dataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return n

        def __getitem__(self, i: int) -> Any:
            if not 0 <= i < n:
                raise IndexError(i)
            return library.tensor(i * i), i

    return Squares()


def stream(library: Any, n: int, sized: bool = False) -> Any:
    """A data set that gives one item after the other."""

    class Stream(library.utils.data.IterableDataset):  # type: ignore[misc]
        def __iter__(self) -> Iterator[int]:
            return iter(range(n))

    class Sized(Stream):
        def __len__(self) -> int:
            return n

    return Sized() if sized else Stream()


DATA_SETS: dict[str, Scenario] = {
    "tensors": lambda T: (
        [*T.utils.data.TensorDataset(T.arange(6).view(3, 2), T.arange(3.0))],
        len(T.utils.data.TensorDataset(T.zeros(4, 2))),
        T.utils.data.TensorDataset(T.arange(5))[1:3],
        T.utils.data.TensorDataset(T.arange(5))[-1],
    ),
    "a sum": lambda T: [[*(squares(T, 3) + squares(T, 2))], len(squares(T, 3) + squares(T, 2))],
    "concatenated": lambda T: [T.utils.data.ConcatDataset([range(3), [], "abcd", range(5)])[i] for i in range(-12, 12)],
    "concatenated sizes": lambda T: T.utils.data.ConcatDataset([range(3), [], "abcd"]).cumulative_sizes,
    "a subset": lambda T: [
        [*T.utils.data.Subset("abcdef", [4, 0, 0, -1])],
        len(T.utils.data.Subset(squares(T, 9), [4, 0])),
        T.utils.data.Subset(squares(T, 9), [4, 0])[1],
        T.utils.data.Subset(T.arange(9), [4, 0, 7])[[0, 2]],
        T.utils.data.Subset(squares(T, 9), [4, 0, 3]).__getitems__([2, 1]),
        T.utils.data.Subset(T.utils.data.Subset(squares(T, 9), [4, 0, 3]), [2, 1]).__getitems__([1]),
    ],
    "chained": lambda T: [
        [*(stream(T, 3) + stream(T, 2))],
        len(T.utils.data.ChainDataset([stream(T, 3, True), stream(T, 2, True)])),
    ],
    "stacked": lambda T: [
        [*map(T.utils.data.StackDataset(range(3), "abc").__getitem__, range(3))],
        T.utils.data.StackDataset(a=range(3), b="abc")[1],
        len(T.utils.data.StackDataset(a=range(3), b="abc")),
    ],
    "split": lambda T: [[*part.indices] for part in T.utils.data.random_split(squares(T, 10), [3, 7])],
    "split by shares": lambda T: [[*part] for part in T.utils.data.random_split(squares(T, 11), [0.5, 0.3, 0.2])],
    "split from a generator": lambda T: [
        part.indices for part in T.utils.data.random_split(range(10), [3, 7], generator=T.Generator().manual_seed(4))
    ],
    "no worker": lambda T: T.utils.data.get_worker_info(),
    "generic": lambda T: [T.utils.data.Dataset[int] is not None, T.utils.data.DataLoader[int] is not None],
}


@pytest.mark.parametrize("scenario", DATA_SETS.values(), ids=DATA_SETS)
def test_a_data_set_has_pytorchs_items(scenario: Scenario) -> None:
    alike(scenario, 0, 42)


def test_an_empty_share_is_warned_of() -> None:
    for library in (minigrad, torch):
        with pytest.warns(UserWarning, match="empty"):
            library.utils.data.random_split(range(3), [0.9, 0.1])


# Samplers

SAMPLERS: dict[str, Scenario] = {
    "in order": lambda T: [*T.utils.data.SequentialSampler(range(5))],
    "random": lambda T: [[*T.utils.data.RandomSampler(range(n))] for n in (1, 2, 10, 100)],
    "random, repeated": lambda T: [[*sampler] for sampler in [T.utils.data.RandomSampler(range(9))] * 3],
    "random, more than there are": lambda T: [*T.utils.data.RandomSampler(range(7), num_samples=19)],
    "random, fewer than there are": lambda T: [*T.utils.data.RandomSampler(range(70), num_samples=5)],
    "with replacement": lambda T: [
        [*T.utils.data.RandomSampler(range(9), True, num_samples=n)] for n in (None, 1, 31, 32, 33, 64, 100)
    ],
    "without end": lambda T: [
        *itertools.islice(T.utils.data.RandomSampler(range(9), replacement=True, num_samples=int(1e10)), 70)
    ],
    "from a large set": lambda T: [*T.utils.data.RandomSampler(range(2**40), replacement=True, num_samples=5)],
    "some, at random": lambda T: [*T.utils.data.SubsetRandomSampler([5, 3, 5, 9, 1])],
    "some, of a tensor": lambda T: [*T.utils.data.SubsetRandomSampler(T.tensor([5, 3, 9]))],
    "weighted": lambda T: [*T.utils.data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0, 0.6], 20)],
    "weighted, once each": lambda T: [*T.utils.data.WeightedRandomSampler([0.1, 0.9, 4, 7, 3.0], 5, False)],
    "weighted by a tensor": lambda T: [*T.utils.data.WeightedRandomSampler(T.arange(5), 9)],
    "one of weighted": lambda T: [*T.utils.data.WeightedRandomSampler(np.ones(3), 1)],
    "in batches": lambda T: [
        [[*sampler], len(sampler)]
        for n, size, drop in itertools.product((1, 2, 3, 7), (1, 2, 3, 9), (False, True))
        for sampler in [T.utils.data.BatchSampler(T.utils.data.RandomSampler(range(n)), size, drop)]
    ],
    "batches of a list": lambda T: [*T.utils.data.BatchSampler("abcde", 2, False)],
    "lengths": lambda T: [
        len(T.utils.data.SequentialSampler(range(5))),
        len(T.utils.data.RandomSampler(range(5))),
        len(T.utils.data.RandomSampler(range(5), num_samples=int(1e10))),
        T.utils.data.RandomSampler(range(5)).num_samples,
        len(T.utils.data.SubsetRandomSampler([1, 2])),
        len(T.utils.data.WeightedRandomSampler([1.0], 6)),
    ],
}


@pytest.mark.parametrize("scenario", SAMPLERS.values(), ids=SAMPLERS)
def test_a_sampler_gives_pytorchs_order(scenario: Scenario) -> None:
    alike(scenario)


@pytest.mark.parametrize("name", ["RandomSampler", "SubsetRandomSampler"])
def test_a_generator_is_drawn_from_directly(name: str) -> None:
    def scenario(library: Any) -> Any:
        generator = library.Generator().manual_seed(3)
        sampler = getattr(library.utils.data, name)(range(20), generator=generator)
        return [*sampler], [*sampler], library.rand(2, generator=generator)

    alike(scenario, 0, 1)


def test_a_weighted_sampler_draws_from_its_generator() -> None:
    def scenario(library: Any) -> Any:
        generator = library.Generator().manual_seed(3)
        sampler = library.utils.data.WeightedRandomSampler([1, 2, 3], 9, generator=generator)
        return [*sampler], [*sampler], library.rand(2, generator=generator)

    alike(scenario, 0)


@given(
    n=st.integers(1, 60),
    replacement=st.booleans(),
    num_samples=st.none() | st.integers(1, 150),
    seed=st.integers(-(2**63), 2**64 - 1),
    taken=st.integers(0, 150),
)
def test_a_random_sampler_left_early_has_drawn_as_much(
    n: int, replacement: bool, num_samples: int | None, seed: int, taken: int
) -> None:
    def scenario(library: Any) -> Any:
        generator = library.Generator().manual_seed(seed)
        sampler = library.utils.data.RandomSampler(range(n), replacement, num_samples, generator)
        default = library.utils.data.RandomSampler(range(n), replacement, num_samples)
        return [[*itertools.islice(each, taken)] for each in (sampler, default)], library.rand(2, generator=generator)

    alike(scenario, seed)


# Batches

BATCHES: dict[str, list[Any]] = {
    "ints": [1, 2, 3],
    "floats": [1.5, 2.0],
    "an int first": [1, 2.5],
    "bools": [True, False],
    "large ints": [2**62, -1],
    "strings": ["a", "bc"],
    "bytes": [b"a", b"bc"],
    "float32": [np.float32(1.5), np.float32(2)],
    "float64": [np.float64(1.5), np.float64(2)],
    "int32": [np.int32(1), np.int32(2)],
    "numpy's bools": [np.bool_(True), np.bool_(False)],
    "arrays": [np.ones((2, 3)), np.zeros((2, 3))],
    "arrays of float32": [np.ones(3, np.float32), np.zeros(3, np.float32)],
    "arrays of ints": [np.arange(3), np.arange(3)],
    "arrays without dims": [np.array(1.5), np.array(2.5)],
    "dicts": [{"a": 1, "b": [1.5, "x"]}, {"b": [2.5, "y"], "a": 2}],
    "ordered dicts": [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    "points": [Point(1, 2.5), Point(3, 4.5)],
    "tuples": [(1, 2.5, "a"), (3, 4.5, "b")],
    "lists": [[1, 2.5], [3, 4.5]],
    "ranges": [range(3), range(3)],
    "nested": [((1, [2.5]), {"p": Point(1, (2, 3))}), ((3, [4.5]), {"p": Point(4, (5, 6))})],
    "empty tuples": [(), ()],
    "one": [5],
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_items_are_joined_as_in_pytorch(batch: list[Any]) -> None:
    alike(lambda library: library.utils.data.default_collate(batch), 0)
    alike(lambda library: library.utils.data.default_convert(batch), 0)
    alike(lambda library: [library.utils.data.default_convert(each) for each in batch], 0)


TENSORS: dict[str, Scenario] = {
    "tensors": lambda T: [T.arange(3), T.arange(3) + 1],
    "numbers": lambda T: [T.tensor(1.5), T.tensor(2.5)],
    "pairs": lambda T: [(T.ones(2), T.tensor(1)), (T.zeros(2), T.tensor(2))],
    "dicts": lambda T: [{"x": T.ones(2, dtype=T.float64)}, {"x": T.zeros(2, dtype=T.float64)}],
    "results with names": lambda T: [T.tensor([2.0, 1.0]).sort(), T.tensor([3.0, 5.0]).sort()],
    "with gradients": lambda T: [T.ones(2, requires_grad=True), T.zeros(2)],
}


@pytest.mark.parametrize("make", TENSORS.values(), ids=TENSORS)
def test_tensors_are_joined_as_in_pytorch(make: Scenario) -> None:
    alike(lambda library: library.utils.data.default_collate(make(library)), 0)
    alike(lambda library: library.utils.data.default_convert(make(library)), 0)


class Labelled(dict[str, Any]):
    """A dict with an attribute."""

    label = ""


def test_a_container_keeps_its_attributes() -> None:
    def scenario(library: Any) -> Any:
        first = Labelled(a=1)
        first.label = "first"
        joined = library.utils.data.default_collate([first, Labelled(a=2)])
        return type(joined).__name__, joined.label, joined["a"], first["a"]

    alike(scenario, 0)


@pytest.mark.parametrize("batch", [[None], [print], [np.array(["a"])], [[1], [1, 2]], [{1}]], ids=str)
def test_what_cannot_be_joined(batch: list[Any]) -> None:
    refused(lambda library: library.utils.data.default_collate(batch), "default_collate")


def test_tensors_of_two_shapes_cannot_be_joined() -> None:
    refused(lambda T: T.utils.data.default_collate([T.ones(2), T.ones(3)]), "stack")


# Loaders


def loaded(settings: dict[str, Any], n: int = 10) -> Scenario:
    """Two passes over a data set with these settings; a value that is a function is one of the library."""

    def scenario(library: Any) -> Any:
        given = {name: x(library) if callable(x) else x for name, x in settings.items()}
        generator = given.get("generator", library.Generator())
        loader = library.utils.data.DataLoader(squares(library, n), **given)
        return [*loader], len(loader), [*loader], library.rand(2, generator=generator), loader.batch_size

    return scenario


LOADERS: dict[str, dict[str, Any]] = {
    "one by one": {},
    "batches": {"batch_size": 3},
    "dropping the rest": {"batch_size": 3, "drop_last": True},
    "shuffled": {"batch_size": 4, "shuffle": True},
    "not shuffled": {"batch_size": 4, "shuffle": False},
    "by a generator": {"batch_size": 4, "shuffle": True, "generator": lambda T: T.Generator().manual_seed(5)},
    "a generator that is not needed": {"generator": lambda T: T.Generator().manual_seed(5)},
    "pinned": {"batch_size": 4, "pin_memory": True},
    "a sampler": {"sampler": lambda T: T.utils.data.SubsetRandomSampler([1, 5, 7]), "batch_size": 2},
    "a list of indices": {"sampler": [3, 1, 2], "batch_size": 2},
    "batches of indices": {"batch_sampler": [[3, 1], [2], [0, 0, 9]]},
    "a batch sampler": {
        "batch_sampler": lambda T: T.utils.data.BatchSampler(T.utils.data.RandomSampler(range(10)), 3, False)
    },
    "no batches": {"batch_size": None},
    "no batches, shuffled": {"batch_size": None, "shuffle": True},
    "collated by hand": {"batch_size": 4, "collate_fn": lambda T: lambda batch: [i for _, i in batch]},
    "one large batch": {"batch_size": 100, "shuffle": True},
    "a worker's function, without workers": {"worker_init_fn": lambda T: print},
}


@pytest.mark.parametrize("settings", LOADERS.values(), ids=LOADERS)
def test_a_loader_gives_pytorchs_batches(settings: dict[str, Any]) -> None:
    alike(loaded(settings))


@given(
    n=st.integers(1, 30),
    batch_size=st.none() | st.integers(1, 12),
    shuffle=st.booleans(),
    drop_last=st.booleans(),
    own=st.booleans(),
    seed=st.integers(-(2**63), 2**64 - 1),
)
def test_any_loader_gives_pytorchs_batches(
    n: int, batch_size: int | None, shuffle: bool, drop_last: bool, own: bool, seed: int
) -> None:
    settings: dict[str, Any] = {"batch_size": batch_size, "shuffle": shuffle}
    settings["drop_last"] = drop_last and batch_size is not None
    if own:
        settings["generator"] = lambda library: library.Generator().manual_seed(seed)
    alike(loaded(settings, n), seed)


WORKERS: dict[str, dict[str, Any]] = {
    "two": {"num_workers": 2, "shuffle": True, "batch_size": 2},
    "one, far ahead": {"num_workers": 1, "shuffle": True, "prefetch_factor": 5, "batch_size": 2},
    "that stay": {"num_workers": 1, "shuffle": True, "persistent_workers": True, "timeout": 60},
    "of a shared generator": {
        "num_workers": 1,
        "shuffle": True,
        "batch_size": 3,
        "pin_memory": True,
        "generator": lambda T: T.Generator().manual_seed(5),
    },
}


def partly(settings: dict[str, Any]) -> Scenario:
    """A pass that is left early, with random numbers in between; then a whole one and what is drawn after it."""

    def scenario(library: Any) -> Any:
        given = {name: x(library) if callable(x) else x for name, x in settings.items()}
        generator = given.get("generator")
        loader = library.utils.data.DataLoader(library.arange(12), **given)
        seen: list[Any] = []
        for batch in itertools.islice(loader, 3):
            seen += [batch, library.randint(0, 1000, (2,), generator=generator)]
        return seen, [*loader], library.rand(2, generator=generator)

    return scenario


@pytest.mark.parametrize("settings", [*WORKERS.values(), {"shuffle": True}], ids=[*WORKERS, "none"])
def test_with_workers_the_sampler_is_as_far_ahead_as_in_pytorch(settings: dict[str, Any]) -> None:
    alike(partly(settings), 42)


def test_items_are_loaded_when_their_batch_is_asked_for() -> None:
    def scenario(library: Any) -> Any:
        asked: list[int] = []

        class Noted(library.utils.data.Dataset):  # type: ignore[misc]
            def __len__(self) -> int:
                return 6

            def __getitem__(self, i: int) -> int:
                asked.append(i)
                return i

        return [(batch, [*asked]) for batch in library.utils.data.DataLoader(Noted(), batch_size=2)]

    alike(scenario, 0)


def test_a_batch_is_asked_for_at_once_where_the_data_set_can() -> None:
    def scenario(library: Any) -> Any:
        class AtOnce(library.utils.data.Dataset):  # type: ignore[misc]
            def __len__(self) -> int:
                return 5

            def __getitems__(self, indices: list[int]) -> list[int]:
                return [sum(indices)] * len(indices)

        return [*library.utils.data.DataLoader(AtOnce(), batch_size=2)]

    alike(scenario, 0)


@pytest.mark.parametrize(
    "settings", [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True}, {"batch_size": None}]
)
@pytest.mark.parametrize("n", [0, 1, 3, 6, 7])
def test_a_stream_is_taken_in_its_order(settings: dict[str, Any], n: int) -> None:
    def scenario(library: Any) -> Any:
        loader = library.utils.data.DataLoader(stream(library, n, sized=True), **settings)
        return [*loader], len(loader), [*loader]

    alike(scenario, 0)


def test_a_stream_that_is_longer_than_it_says_is_warned_of() -> None:
    for library in (minigrad, torch):

        class Long(library.utils.data.IterableDataset):  # type: ignore[misc]
            def __iter__(self) -> Iterator[int]:
                return iter(range(4))

            def __len__(self) -> int:
                return 2

        loader = library.utils.data.DataLoader(Long())
        assert len(loader) == 2
        with pytest.warns(UserWarning, match="2"):
            assert len([*loader]) == 4


def test_a_loader_without_end() -> None:
    """As makemore has it: one iterator that never ends."""

    def scenario(library: Any) -> Any:
        data = library.utils.data
        dataset = data.TensorDataset(library.arange(50).view(25, 2), library.arange(25))
        sampler = data.RandomSampler(dataset, replacement=True, num_samples=int(1e10))
        iterator = iter(data.DataLoader(dataset, sampler=sampler, batch_size=4, pin_memory=True))
        return [next(iterator) for _ in range(20)]

    alike(scenario)


def test_copies() -> None:
    def scenario(library: Any) -> Any:
        data = library.utils.data
        loader = data.DataLoader(data.TensorDataset(library.arange(5)), batch_size=2, shuffle=True)
        twins = [copy.copy(loader), copy.deepcopy(loader), pickle.loads(pickle.dumps(loader))]
        return [[*each] for each in twins]

    alike(scenario, 0)


# What is refused

REFUSED: dict[str, tuple[Scenario, str]] = {
    "rows that differ": (lambda T: T.utils.data.TensorDataset(T.ones(2), T.ones(3)), "TensorDataset: Size mismatch"),
    "nothing to concatenate": (lambda T: T.utils.data.ConcatDataset([]), "ConcatDataset: "),
    "a stream to concatenate": (lambda T: T.utils.data.ConcatDataset([stream(T, 2)]), "use ChainDataset"),
    "a map to chain": (lambda T: [*(stream(T, 2) + range(2))], "use ConcatDataset"),
    "too far back": (lambda T: T.utils.data.ConcatDataset([range(3)])[-4], "no item -4 of 3"),
    "too far": (lambda T: T.utils.data.ConcatDataset([range(3)])[3], "no item 3 of 3"),
    "stacked lengths": (lambda T: T.utils.data.StackDataset(range(3), range(2)), "[3, 2]"),
    "stacked both ways": (lambda T: T.utils.data.StackDataset(range(3), a=range(3)), "StackDataset"),
    "nothing stacked": (lambda T: T.utils.data.StackDataset(), "at least one"),
    "no item": (lambda T: T.utils.data.Dataset()[0], "define it"),
    "no iterator": (lambda T: iter(T.utils.data.Sampler()), "define it"),
    "an empty data set": (lambda T: T.utils.data.RandomSampler([]), "RandomSampler: num_samples"),
    "an empty shuffle": (lambda T: T.utils.data.DataLoader([], shuffle=True), "RandomSampler: num_samples"),
    "no samples": (lambda T: T.utils.data.RandomSampler([1], num_samples=0), "got 0"),
    "minus samples": (lambda T: T.utils.data.RandomSampler([1], num_samples=-3), "got -3"),
    "a float of samples": (lambda T: T.utils.data.RandomSampler([1], num_samples=1e10), "got 10000000000.0"),
    "a replacement": (lambda T: T.utils.data.RandomSampler([1], replacement=1), "got 1"),
    "weighted by none": (lambda T: T.utils.data.WeightedRandomSampler([1.0], 0), "WeightedRandomSampler: num_samples"),
    "weighted, replaced": (lambda T: T.utils.data.WeightedRandomSampler([1.0], 1, 0), "got 0"),
    "a matrix of weights": (lambda T: T.utils.data.WeightedRandomSampler([[1.0]], 1), "(1, 1)"),
    "a batch of none": (lambda T: T.utils.data.BatchSampler([1], 0, False), "BatchSampler: batch_size"),
    "a batch of True": (lambda T: T.utils.data.BatchSampler([1], True, False), "got True"),
    "a rest of 1": (lambda T: T.utils.data.BatchSampler([1], 1, 1), "drop_last"),
    "no batch": (lambda T: T.utils.data.DataLoader([1], batch_size=0), "batch_size"),
    "both orders": (lambda T: T.utils.data.DataLoader([1], shuffle=True, sampler=[0]), "sampler excludes shuffle"),
    "two batch sizes": (lambda T: T.utils.data.DataLoader([1], 2, batch_sampler=[[0]]), "batch_sampler excludes"),
    "batches shuffled": (lambda T: T.utils.data.DataLoader([1], shuffle=True, batch_sampler=[[0]]), "batch_sampler"),
    "two samplers": (lambda T: T.utils.data.DataLoader([1], sampler=[0], batch_sampler=[[0]]), "batch_sampler"),
    "batches dropped": (lambda T: T.utils.data.DataLoader([1], drop_last=True, batch_sampler=[[0]]), "drop_last"),
    "nothing to drop": (lambda T: T.utils.data.DataLoader([1], None, drop_last=True), "batch_size=None"),
    "minus workers": (lambda T: T.utils.data.DataLoader([1], num_workers=-1), "got -1"),
    "minus seconds": (lambda T: T.utils.data.DataLoader([1], timeout=-1), "got -1"),
    "ahead without workers": (lambda T: T.utils.data.DataLoader([1], prefetch_factor=2), "prefetch_factor"),
    "minus ahead": (lambda T: T.utils.data.DataLoader([1], num_workers=1, prefetch_factor=-2), "got -2"),
    "staying without workers": (lambda T: T.utils.data.DataLoader([1], persistent_workers=True), "num_workers > 0"),
    "a context": (lambda T: T.utils.data.DataLoader([1], multiprocessing_context="fork"), "num_workers > 0"),
    "waiting": (lambda T: iter(T.utils.data.DataLoader([1], timeout=3)), "timeout"),
    "a stream shuffled": (lambda T: T.utils.data.DataLoader(stream(T, 2), shuffle=True), "shuffle=True"),
    "a stream sampled": (lambda T: T.utils.data.DataLoader(stream(T, 2), sampler=[0]), "sampler=[0]"),
    "a stream in batches": (lambda T: T.utils.data.DataLoader(stream(T, 2), batch_sampler=[[0]]), "batch_sampler="),
    "a stream's length": (lambda T: len(T.utils.data.DataLoader(stream(T, 2))), ""),
    "a new size": (lambda T: setattr(T.utils.data.DataLoader([1]), "batch_size", 3), "batch_size attribute"),
    "a new data set": (lambda T: setattr(T.utils.data.DataLoader([1]), "dataset", [3]), "make another"),
    "a subset's item alone": (
        lambda T: type("Mine", (T.utils.data.Subset,), {"__getitem__": lambda self, i: i})([1], [0]),
        "__getitems__",
    ),
}


@pytest.mark.parametrize(("scenario", "told"), REFUSED.values(), ids=REFUSED)
def test_what_pytorch_refuses_is_refused(scenario: Scenario, told: str) -> None:
    refused(scenario, told)


@pytest.mark.parametrize("name", ["RandomSampler", "SubsetRandomSampler", "DataLoader"])
def test_a_generator_that_is_none_is_refused(name: str) -> None:
    settings = {"shuffle": True} if name == "DataLoader" else {}
    make = getattr(minigrad.utils.data, name)
    error = refusal(lambda: [*make([0, 1], **settings, generator=5)])
    assert error is not None
    assert str(error).startswith(f"{name}: expected a Generator, got int")
