"""`tensor[...]` against PyTorch: every kind of index and their mixtures, value, gradient, and refusals."""

import enum
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies

import minigrad
from tests.support.comparison import Function, assert_refused, compare, in_both, normal, ours, random, refusal, theirs
from tests.support.indices import INDICES, for_library


@pytest.mark.parametrize(("shape", "key"), INDICES, ids=str)
def test_an_index(shape: tuple[int, ...], key: Any) -> None:
    compare(lambda library, x: x[for_library(library, key)], normal(*shape))


@pytest.mark.parametrize(("shape", "key"), INDICES, ids=str)
def test_an_index_with_the_arrays_of_numpy(shape: tuple[int, ...], key: Any) -> None:
    compare(lambda library, x: x[key if library is minigrad else for_library(torch, key)], normal(*shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("batch", [(), (7,), (32, 3), (0,), (2, 3, 4)], ids=str)
def test_the_rows_of_an_embedding_add_up_where_they_repeat(batch: tuple[int, ...], dtype: Any) -> None:
    compare(lambda library, table, rows: table[rows], normal(5, 2, dtype=dtype), random.integers(-5, 5, batch))


@pytest.mark.parametrize("rows", [5, 2_000, 70_000], ids=["long runs", "short runs", "beyond 16 bits"])
def test_the_gradients_of_many_rows_add_up_where_they_repeat(rows: int) -> None:
    """Which sorts the places, and sums the runs of equal ones in one of two ways."""
    places = random.integers(-rows, rows, (40, 50))
    places[0] = places[1]
    compare(lambda library, table, places: table[places], normal(rows, 9), places)


def test_many_rows_by_small_integers() -> None:
    places = np.array([0, 2, -2] * 40, np.int8)
    compare(lambda library, table: table[places if library is minigrad else places.astype(int)], normal(300, 200))


def test_the_chosen_probabilities_of_the_lesson() -> None:
    compare(lambda library, x, y: -x[range(len(y)), y].mean(), normal(8, 5), random.integers(0, 5, 8))


def test_an_index_of_an_index() -> None:
    compare(lambda library, x: x[1:][[0, 0, 2]][:, 1] * x[0, 0], normal(4, 3))


@pytest.mark.parametrize("dtype", [np.bool_, np.int64, np.float32])
def test_an_index_keeps_the_dtype(dtype: Any) -> None:
    compare(lambda library, x: [x[0], x[[0, 1]], x[:, 1]], np.ones((3, 2), dtype))


class Index:
    """Something that is an index, and no number."""

    def __index__(self) -> int:
        return 2


class Two(enum.IntEnum):
    TWO = 2


@pytest.mark.parametrize("two", [Index(), Two.TWO, np.int8(2)], ids=["object", "enum", "int8"])
def test_what_can_be_an_index_is_one(two: Any) -> None:
    compare(lambda library, x: [x[two], x[:two, 1:two], x[::two], x[..., two], x[two, two]], normal(4, 5))

    def changed(library: Any, x: Any) -> Any:
        x = x * 1
        x[two].mul_(3)
        x[1:two] = 5
        return x

    compare(changed, normal(4, 5))


def test_an_index_that_changes_later_has_chosen_already() -> None:
    def scenario(library: Any) -> Any:
        x, end = library.ones(4, requires_grad=True), library.tensor(2)
        chosen = x[:end]
        end += 1
        chosen.sum().backward()
        return x.grad

    in_both(scenario)


def test_a_tensor_as_an_int() -> None:
    compare(lambda library, x, i: [x[i], x[i, i], x[:, i]], normal(4, 5), np.array(2))


REFUSED = [
    ("IndexError", lambda library, x: x[4]),
    ("IndexError", lambda library, x: x[-5]),
    ("IndexError", lambda library, x: x[:, 3]),
    ("IndexError", lambda library, x: x[0, 0, 0]),
    ("IndexError", lambda library, x: x[..., 0, 0, 0]),
    ("IndexError", lambda library, x: x[[0, 4]]),
    ("IndexError", lambda library, x: x[[0, -5]]),
    ("IndexError", lambda library, x: x[:, [3]]),
    ("IndexError", lambda library, x: x[[0, 1, 2], [0, 1]]),
    ("IndexError", lambda library, x: x[1.0]),
    ("IndexError", lambda library, x: x["rows"]),
    ("IndexError", lambda library, x: x[library.zeros(2)]),
    ("IndexError", lambda library, x: x[[True, False]]),
    ("IndexError", lambda library, x: x[library.ones(3, 3) > 0]),
    ("IndexError", lambda library, x: x[library.ones(4, 3, 1) > 0]),
    ("IndexError", lambda library, x: x[0][0][0]),
    ("ValueError", lambda library, x: x[::-1]),
    ("ValueError", lambda library, x: x[::0]),
    ("TypeError", lambda library, x: x[0:1.5]),
    ("IndexError", lambda library, x: x[library.zeros(0) > 0]),
]


@pytest.mark.parametrize(("kind", "function"), REFUSED)
def test_an_index_that_does_not_fit_is_refused(kind: str, function: Function) -> None:
    assert_refused(function, normal(4, 3), message="index: ")


def test_an_index_out_of_range_is_told_with_the_shape() -> None:
    assert_refused(lambda library, x: x[4], normal(4, 3), message="index: of shape (4, 3)")


@pytest.mark.parametrize("key", [([0], True), (..., False, [1, 1]), (np.array(False), [1]), (0, None, False)], ids=str)
def test_a_single_bool_beside_other_indices_is_refused_though_pytorch_takes_it(key: Any) -> None:
    with pytest.raises(IndexError, match=r"index: of shape .*a single bool beside other indices"):
        minigrad.ones(4, 3)[key]


# Any index

shapes = strategies.lists(strategies.integers(0, 4), max_size=4).map(tuple)
places = strategies.integers(-5, 4)
bounds = strategies.none() | places
slices = strategies.builds(slice, bounds, bounds, strategies.none() | strategies.integers(1, 3))
arrays = strategies.lists(strategies.integers(0, 3), max_size=2).flatmap(
    lambda shape: strategies.lists(
        strategies.integers(-2, 1), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))
    ).map(lambda numbers: np.array(numbers, int).reshape(shape))
)
masks = strategies.lists(strategies.integers(0, 4), min_size=1, max_size=2).flatmap(
    lambda shape: strategies.lists(
        strategies.booleans(), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))
    ).map(lambda truths: np.array(truths, bool).reshape(shape))
)
parts = strategies.one_of(places, slices, slices, arrays, arrays, masks, strategies.none(), strategies.just(...))
keys = strategies.lists(parts, max_size=4).map(tuple).filter(lambda key: sum(part is ... for part in key) < 2)


@hypothesis.settings(max_examples=1000)
@hypothesis.given(shape=shapes, key=keys)
def test_any_index_does_as_in_pytorch(shape: tuple[int, ...], key: tuple[Any, ...]) -> None:
    array = normal(*shape)

    def index(library: Any, x: Any) -> Any:
        return x[for_library(library, key)]

    if refusal(index, torch, theirs(array)) is not None:
        assert_refused(index, array)
    elif array.size or refusal(index, minigrad, ours(array)) is None:  # PyTorch checks no index into nothing; we may
        compare(index, array)
