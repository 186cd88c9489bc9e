"""Tensor as a Python object: what it holds, how it prints, converts, iterates and copies, as in PyTorch."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import Function, assert_close, assert_refused, assert_same, compare, normal

LIBRARIES = [minigrad, torch]

# What it prints

CONTENTS: list[Any] = [1.0, -2.5, 3, True, [], [1.0, 2.0], [1.5, -2.25], [1, 20, -300], [True, False]]
CONTENTS += [[[1.0, 2.0], [3.0, 4.5]], [1e-5, 1.0], [1e9, 1.0], [float("nan"), 1.0], [float("inf"), 0.5], [[], []]]
CONTENTS += [list(range(2000)), [[0.1 * i for i in range(40)]] * 3]


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: str(content)[:30])
def test_the_repr(content: Any) -> None:
    assert repr(minigrad.tensor(content)) == repr(torch.tensor(content))


@pytest.mark.parametrize("content", [2.0, [1.0, 2.0], [[0.125, 100.0], [-1.0, 3.0]], []], ids=str)
def test_the_repr_of_a_leaf_that_requires_a_gradient(content: Any) -> None:
    mine, reference = (library.tensor(content, requires_grad=True) for library in LIBRARIES)
    assert repr(mine) == repr(reference)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
def test_the_repr_of_a_dtype(dtype: str) -> None:
    mine, reference = (library.tensor([0, 1, 2], dtype=getattr(library, dtype)) for library in LIBRARIES)
    assert repr(mine) == repr(reference)


RECORDED: list[Function] = [
    lambda library, x: x + x,
    lambda library, x: x + 1,
    lambda library, x: x - 1,
    lambda library, x: x * 2,
    lambda library, x: x / 2,
    lambda library, x: -x,
    lambda library, x: x**2,
    lambda library, x: x.exp(),
    lambda library, x: x.log(),
    lambda library, x: x.sqrt(),
    lambda library, x: x.tanh(),
    lambda library, x: x.sigmoid(),
    lambda library, x: x.relu(),
    lambda library, x: x.abs(),
    lambda library, x: x.sum(),
    lambda library, x: x.max(0).values,
    lambda library, x: x.permute(1, 0),
    lambda library, x: x.T,
    lambda library, x: x[0].expand(3, 2),
    lambda library, x: library.cat([x, x]),
    lambda library, x: library.where(x > 1, x, 0.0),
    lambda library, x: x[[0, 1]],
]


@pytest.mark.parametrize("function", RECORDED)
def test_the_repr_of_a_result_names_the_operation(function: Function) -> None:
    mine, reference = (
        function(library, library.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)) for library in LIBRARIES
    )
    assert repr(mine) == repr(reference)


def test_the_repr_of_a_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    minigrad.set_default_dtype(minigrad.float64)
    try:
        mine, reference = (library.tensor([1.0]) for library in LIBRARIES)
        assert_same(mine, reference)
        assert repr(mine) == repr(reference)
        assert_same(minigrad.ones(2) / 3, torch.ones(2) / 3)
    finally:
        for library in LIBRARIES:
            library.set_default_dtype(library.float32)


# What it converts to

CONVERSIONS: list[tuple[Any, Function]] = [
    (2.5, lambda x: x.item()),
    ([[3]], lambda x: x.item()),
    ([True], lambda x: x.item()),
    ([[1.5, 2.5]], lambda x: x.tolist()),
    (1.5, lambda x: x.tolist()),
    ([True, False], lambda x: x.tolist()),
    ([[], []], lambda x: x.tolist()),
    ([2.7], lambda x: int(x)),
    (-2.7, lambda x: int(x)),
    ([[3]], lambda x: float(x)),
    (0.0, lambda x: bool(x)),
    ([0.5], lambda x: bool(x)),
    ([[0]], lambda x: bool(x)),
    (2, lambda x: "abc"[x]),
    ([1], lambda x: "abc"[x]),
    (True, lambda x: "abc"[x]),
    (2, lambda x: list(range(x))),
    (3, lambda x: [0] * x),
    (2.5, lambda x: f"{x:.3f}"),
    (2, lambda x: f"{x:>5}"),
    ([1.0, 2.0], lambda x: f"{x}"),
    ([1.0, 2.0], lambda x: 2.0 in x),
    ([1.0, 2.0], lambda x: 3.0 in x),
    ([[1.0, 2.0], [3.0, 4.0]], lambda x: len(x)),
    ([[1.0, 2.0], [3.0, 4.0]], lambda x: [row.tolist() for row in x]),
    ([[1.0, 2.0], [3.0, 4.0]], lambda x: [int(number) for row in x for number in row]),
    ([[1.0, 2.0], [3.0, 4.0]], lambda x: [row.tolist() for row in reversed(list(x))]),
    ([1.0, 2.0], lambda x: x.numpy().tolist()),
    ([1.0, 2.0], lambda x: np.asarray(x).dtype.name),
    ([1.0, 2.0], lambda x: np.asarray(x, dtype=np.int64).tolist()),
    ([1.0, 2.0], lambda x: float(np.mean(np.asarray(x)))),
    ([1.0, 2.0], lambda x: x == "text"),
    ([1.0, 2.0], lambda x: x is not None and x != None),  # noqa: E711
    ([1.0, 2.0], lambda x: len({x, x})),
    ([1.0, 2.0], lambda x: [tuple(x.shape), x.ndim, x.numel(), x.requires_grad, x.is_leaf, x.grad]),
]


@pytest.mark.parametrize(("content", "convert"), CONVERSIONS)
def test_a_conversion(content: Any, convert: Function) -> None:
    assert_same(convert(minigrad.tensor(content)), convert(torch.tensor(content)))


REFUSED: list[tuple[str, Function]] = [
    ("item: (3,)", lambda library, x: x.item()),
    ("item: (0,)", lambda library, x: x[:0].item()),
    ("(3,)", lambda library, x: float(x)),
    ("(3,)", lambda library, x: int(x)),
    ("bool: (3,)", lambda library, x: bool(x)),
    ("bool: (3,)", lambda library, x: 1 if x > 0 else 2),
    ("bool: (0,)", lambda library, x: bool(x[:0])),
    ("float64", lambda library, x: "abc"[x[0]]),
    ("(2,)", lambda library, x: "abc"[library.tensor([1, 2])]),
    ("0-d", lambda library, x: len(x[0])),
    ("0-d", lambda library, x: iter(x[0])),
    ("0-d", lambda library, x: list(x.sum())),
    ("format", lambda library, x: f"{x:.2f}"),
    ("str", lambda library, x: "text" in x),
    ("NaN", lambda library, x: int(x[0] * float("nan"))),
    ("data", lambda library, x: setattr(x, "data", 1.0)),
]


@pytest.mark.parametrize(("message", "function"), REFUSED)
def test_what_cannot_be_converted_is_refused(message: str, function: Function) -> None:
    assert_refused(function, normal(3), message=message)


def test_a_method_that_does_not_exist_is_an_attribute_error() -> None:
    for library in LIBRARIES:
        with pytest.raises(AttributeError, match="no attribute 'backwards'"):
            library.ones(2).backwards()


# Memory


def test_numpy_and_data_and_detach_share_the_memory() -> None:
    x = minigrad.tensor([1.0, 2.0])
    x.numpy()[0] = 5.0
    x.data.array[1] = 6.0
    assert x.tolist() == [5.0, 6.0]
    assert np.may_share_memory(x.detach().array, x.array)


def test_an_update_of_data_is_not_recorded() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
        x.data = x.data - 0.1 * x.grad
        (x * x).sum().backward()
        return [x.is_leaf, x.requires_grad, x.grad, x]

    assert_same(scenario(minigrad), scenario(torch))


def test_an_update_of_data_in_place_as_the_lesson_writes_it() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], requires_grad=True)
        for _ in range(3):
            x.grad = None
            (x * x).sum().backward()
            x.data += -0.1 * x.grad
        return [x.is_leaf, x.grad, x]

    assert_same(scenario(minigrad), scenario(torch))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_copy_of_a_leaf(duplicate: Function, requires_grad: bool) -> None:
    x = minigrad.tensor([1.0, 2.0], requires_grad=requires_grad)
    twin = duplicate(x)
    assert twin is not x
    assert twin.requires_grad == requires_grad
    assert twin.is_leaf
    assert_close(twin.array, x.array)


def test_a_deep_copy_is_independent() -> None:
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    twin = copy.deepcopy(x)
    (twin * 3).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [2.0, 4.0]
    assert twin.grad.tolist() == [5.0, 7.0]
    twin.array[0] = 9.0
    assert x.tolist() == [1.0, 2.0]


def test_a_result_is_not_copied() -> None:
    assert_refused(lambda library, x: copy.deepcopy(x * 2), normal(3), message="detach")


def test_tensors_are_compared_by_element_and_hashed_by_identity() -> None:
    compare(lambda library, a, b: [a == b, a != b, a < 1, a >= b, a == 2.0], np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    x, y = minigrad.ones(2), minigrad.ones(2)
    assert {x: "x", y: "y"}[y] == "y"


def test_a_name() -> None:
    x = minigrad.ones(2)
    x.name = "weight"
    assert x.name == "weight"
    assert not x.requires_grad
