"""Making tensors, against PyTorch: shapes, dtypes, copies, and refusals."""

from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import Function, assert_refused, assert_same, compare, refusal

DATA: list[Any] = [
    1.5,
    2,
    True,
    [],
    [[], []],
    (1, 2),
    range(3),
    [1.0, 2.0],
    [1, 2],
    [1, 2.5],
    [True, False],
    [True, 2],
    [True, 2.5],
    [[1, 2], [3, 4]],
    [(1, 2), (3, 4.0)],
    [[[1.0]], [[2.0]]],
    [float("nan"), float("inf")],
    np.array([1.0, 2.0]),
    np.array([1, 2], np.int32),
    np.array([True]),
    np.array(2.5, np.float32),
    np.zeros((2, 0)),
    np.arange(6.0).reshape(2, 3).T,
    np.float64(1.5),
    np.float32(1.5),
    np.int64(3),
    np.bool_(True),
    [np.float64(1.5), np.float64(2.5)],
    [np.float32(1.5)],
    [np.int32(1), np.int32(2)],
    [1, np.float64(1.5)],
    [np.array([1.0, 2.0]), np.array([3.0, 4.0])],
]


@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy.ndarrays:UserWarning")
@pytest.mark.parametrize("data", DATA, ids=lambda data: f"{type(data).__name__} {data}")
def test_a_tensor_of_data(data: Any) -> None:
    assert_same(minigrad.tensor(data), torch.tensor(data))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool"])
@pytest.mark.parametrize("data", [1, 2.5, [0, 1, 2], [0.0, 1.5, -2.7], [True, False], np.array([1.5, 0.0])], ids=str)
def test_a_tensor_of_a_dtype(data: Any, dtype: str) -> None:
    assert_same(*(library.tensor(data, dtype=getattr(library, dtype)) for library in (minigrad, torch)))


NESTED: list[Function] = [
    lambda library: library.tensor([library.tensor(1.0), library.tensor(2.0)]),
    lambda library: library.tensor([library.tensor(1.0), 2]),
    lambda library: library.tensor([[library.tensor(1), library.tensor(2)], [3, 4]]),
    lambda library: library.tensor([library.tensor(1.0, dtype=library.float64)]),
    lambda library: library.tensor([library.tensor(1), library.tensor(2.5)]),
    lambda library: library.tensor([library.ones(2).sum(), library.ones(2).mean()]),
    lambda library: library.tensor([library.ones(1), library.zeros(1)]),
    lambda library: library.tensor((library.ones(1, 1),)),
    lambda library: library.tensor([[library.ones(1)], [library.ones(1, 1)]]),
    lambda library: library.tensor([1, library.ones(1)]),
    lambda library: library.tensor([[1.0, 2.0], library.ones(2)]),
    lambda library: library.tensor([library.tensor(True), 2]),
    lambda library: library.tensor([library.tensor(1, dtype=library.int32)]),
    lambda library: library.tensor([library.tensor(1, dtype=library.float16), 1.0]),
    lambda library: library.tensor([library.tensor(1, dtype=library.uint8), library.tensor(1, dtype=library.int8)]),
]


@pytest.mark.parametrize("function", NESTED)
def test_a_tensor_of_nested_tensors(function: Function) -> None:
    assert_same(function(minigrad), function(torch))


@pytest.mark.parametrize("shape", [(2,), (0,), (1, 2)], ids=str)
@pytest.mark.parametrize("requires_grad", [False, True])
def test_longer_tensors_in_a_list_are_refused_and_stack_joins_them(shape: Any, requires_grad: bool) -> None:
    x = np.zeros(shape)
    for function in (lambda library, x: library.tensor([x, x]), lambda library, x: library.tensor([1.0, x])):
        assert isinstance(refusal(function, torch, torch.zeros(shape)), ValueError)
        with pytest.raises(ValueError, match=r"tensor: a Tensor of shape .* in a list .*; join Tensors with stack"):
            function(minigrad, minigrad.zeros(shape, requires_grad=requires_grad))
    compare(lambda library, x: library.stack([x, x]), x)


RESULTS: list[Function] = [
    lambda library, w: [w, w * 2],
    lambda library, w: (1.0, w),
    lambda library, w: [[w], [w]],
    lambda library, w: [w.reshape(1), w.reshape(1)],
    lambda library, w: [w.detach(), w],
]


@pytest.mark.parametrize("function", RESULTS)
def test_numbers_that_require_a_gradient_are_refused_in_a_list_and_stack_joins_them(function: Function) -> None:
    w = minigrad.tensor(2.0, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"^tensor: .* requires a gradient, .*; join Tensors with stack,"):
        minigrad.tensor(function(minigrad, w))
    compare(lambda library, w: library.stack([w, w * 2]), np.array(2.0))


def test_a_tensor_of_a_tensor_is_a_leaf_with_its_dtype() -> None:
    copied = minigrad.tensor(minigrad.tensor([1.0, 2.0], dtype=minigrad.float64))
    assert copied.dtype == minigrad.float64
    assert copied.is_leaf


def test_a_tensor_copies_its_data() -> None:
    array, original = np.ones(3), minigrad.ones(3)
    from_array, from_tensor = minigrad.tensor(array), minigrad.tensor(original)
    array[0] = original.array[0] = 5
    assert from_array.tolist() == from_tensor.tolist() == [1.0, 1.0, 1.0]


def test_a_tensor_of_a_read_only_array_can_be_written_into() -> None:
    array = np.ones(3)
    array.flags.writeable = False
    minigrad.tensor(array).array[0] = 2


@pytest.mark.parametrize("data", ["text", None, {}, [None], ["text"], [[1, 2], ["3", 4]], slice(2), 1j, [{}]], ids=str)
def test_what_holds_no_numbers_is_a_type_error(data: Any) -> None:
    with pytest.raises(TypeError, match="tensor: expected numbers, got"):
        minigrad.tensor(data)


@pytest.mark.parametrize("data", [[[1, 2], [3]], [1, [2]], [[1], 2], [[1.0], [[2.0]]]], ids=str)
def test_a_ragged_list_is_refused(data: Any) -> None:
    assert isinstance(refusal(torch.tensor, data), ValueError | TypeError)
    with pytest.raises(ValueError, match="tensor: nested sequences must have equal lengths"):
        minigrad.tensor(data)


FILLED: list[Function] = [
    lambda library: library.zeros(3),
    lambda library: library.zeros(2, 3),
    lambda library: library.zeros((2, 3)),
    lambda library: library.zeros([2, 0]),
    lambda library: library.zeros(()),
    lambda library: library.zeros(2, dtype=library.int64),
    lambda library: library.zeros(np.int64(2), 3),
    lambda library: library.zeros(library.ones(2, 3).shape),
    lambda library: library.zeros(2, requires_grad=True),
    lambda library: library.ones(2, 3),
    lambda library: library.ones((3, 1), dtype=library.float64, requires_grad=True),
    lambda library: library.ones(2, dtype=library.bool),
    lambda library: library.full((2, 3), 1.5),
    lambda library: library.full((2,), 7),
    lambda library: library.full((), True),
    lambda library: library.full((2,), 7, dtype=library.float64),
    lambda library: library.full([2], -1.0, requires_grad=True),
    lambda library: library.zeros_like(library.ones(2, 3, dtype=library.float64)),
    lambda library: library.zeros_like(library.tensor([1, 2])),
    lambda library: library.zeros_like(library.ones(2, requires_grad=True)),
    lambda library: library.ones_like(library.tensor([1, 2]), dtype=library.float32),
    lambda library: library.ones_like(library.tensor([True, False])),
    lambda library: library.ones_like(library.tensor(2.5), requires_grad=True),
    lambda library: library.eye(3),
    lambda library: library.eye(2, 3),
    lambda library: library.eye(0),
    lambda library: library.eye(2, dtype=library.int64),
    lambda library: library.arange(5),
    lambda library: library.arange(5.0),
    lambda library: library.arange(2, 5),
    lambda library: library.arange(0, 1, 0.25),
    lambda library: library.arange(0, 1, 0.1),
    lambda library: library.arange(5, 0, -2),
    lambda library: library.arange(3, dtype=library.float32),
    lambda library: library.arange(-1.0, 1.0, 0.3, dtype=library.float64),
    lambda library: library.arange(0),
    lambda library: library.arange(3, 3),
    lambda library: library.arange(3.0, requires_grad=True),
    lambda library: library.linspace(0, 1, 5),
    lambda library: library.linspace(-3, 3, 11),
    lambda library: library.linspace(1, 0, 4, dtype=library.float64),
    lambda library: library.linspace(2.5, 7, 1),
    lambda library: library.linspace(0, 1, 0),
    lambda library: library.linspace(0, 1, 3, requires_grad=True),
    lambda library: library.Tensor([1, 2]),
    lambda library: library.Tensor([[1.5], [2]]),
    lambda library: library.Tensor([]),
    lambda library: library.Tensor(),
    lambda library: library.Tensor(2, 0),
]


@pytest.mark.parametrize("function", FILLED)
def test_a_filled_or_counted_tensor(function: Function) -> None:
    assert_same(function(minigrad), function(torch))


def test_a_tensor_of_a_size_only_has_that_shape() -> None:
    assert minigrad.Tensor(2, 3).shape == tuple(torch.Tensor(2, 3).shape)


REFUSED: list[tuple[str, Function]] = [
    ("requires_grad", lambda library: library.ones(2, dtype=library.int64, requires_grad=True)),
    ("requires_grad", lambda library: library.full((2,), 7, requires_grad=True)),
    ("zeros", lambda library: library.zeros(-1)),
    ("zeros", lambda library: library.zeros(2, -3)),
    ("zeros", lambda library: library.zeros(2.5)),
    ("zeros", lambda library: library.zeros("text")),
    ("ones", lambda library: library.ones(-1)),
    ("full", lambda library: library.full((-1,), 1.0)),
    ("zeros_like", lambda library: library.zeros_like([1, 2])),
    ("ones_like", lambda library: library.ones_like([1, 2])),
    ("eye", lambda library: library.eye(-1)),
    ("arange: steps of 0", lambda library: library.arange(0, 2, 0)),
    ("arange: steps of -1", lambda library: library.arange(1, 2, -1)),
    ("arange: steps of 1", lambda library: library.arange(2, 1)),
    ("arange", lambda library: library.arange("text")),
    ("linspace", lambda library: library.linspace(0, 1, -1)),
    ("tensor", lambda library: library.tensor(2**63)),
    ("set_default_dtype", lambda library: library.set_default_dtype(library.int64)),
]


@pytest.mark.parametrize(("message", "function"), REFUSED)
def test_what_cannot_be_made_is_refused(message: str, function: Function) -> None:
    assert_refused(function, message=message)
