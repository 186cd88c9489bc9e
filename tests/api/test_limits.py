"""Numbers that a dtype cannot hold are refused, as by PyTorch, wherever numbers are written."""

import math
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import FUNCTIONAL, Function, compare, ours, refusal, theirs

WRITERS: dict[str, Function] = {
    "full": lambda library, number, dtype: library.full((2,), number, dtype=getattr(library, dtype)),
    "fill_": lambda library, number, dtype: _zeros(library, dtype).fill_(number),
    "masked_fill": lambda library, number, dtype: _zeros(library, dtype).masked_fill(
        library.tensor([True, False]), number
    ),
    "assign": lambda library, number, dtype: _assigned(_zeros(library, dtype), 0, number),
    "assign by a list": lambda library, number, dtype: _assigned(_zeros(library, dtype), [0], number),
    "assign by a mask": lambda library, number, dtype: _assigned(
        _zeros(library, dtype), library.tensor([True, False]), number
    ),
}
NUMBERS = [math.inf, -math.inf, math.nan, 1e9, -1e9, 7e4, 300, 256, 255, -1, -255, -256, 2.5, -2.7, 2**40, 1e39, True]
DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]


def _zeros(library: Any, dtype: str) -> Any:
    return library.zeros(2, dtype=getattr(library, dtype))


def _assigned(x: Any, key: Any, number: Any) -> Any:
    x[key] = number
    return x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", WRITERS)
def test_a_number_is_written_or_refused(name: str, dtype: str) -> None:
    for number in NUMBERS:
        expected = refusal(WRITERS[name], torch, number, dtype)
        error = refusal(WRITERS[name], minigrad, number, dtype)
        assert type(error) is type(expected), (number, error, expected)
        if error is None:
            mine, reference = (WRITERS[name](library, number, dtype) for library in (minigrad, torch))
            np.testing.assert_array_equal(mine.numpy(), reference.numpy())
        else:
            assert f"{number} does not fit into {dtype}" in str(error)
    for number in 2**63, 10**30:
        if dtype != "bool":
            assert dtype.startswith("float") or refusal(WRITERS[name], minigrad, number, dtype) is not None


def test_fill_takes_one_number() -> None:
    for value in [[1.0]], [[1.0, 2.0]]:
        for library in minigrad, torch:
            given = library.tensor(value, requires_grad=True)
            assert isinstance(refusal(lambda _, x: x.fill_(given), library, library.zeros(())), RuntimeError)  # noqa: B023
    compare(lambda library, x: library.zeros(3).fill_(x), np.array(2.0, np.float32))


# Dtypes of numpy's that PyTorch does not have


def test_numbers_of_numpy_count_as_pythons() -> None:
    x = minigrad.ones(2)
    assert x.clamp(np.float64(1.1)).dtype == minigrad.float32
    assert x.clamp(max=np.float64(0.5)).tolist() == [0.5, 0.5]
    assert x.clamp(np.int64(2), np.float64(3)).dtype == minigrad.float32
    assert minigrad.where(x > 0, np.float64(2), x).dtype == minigrad.float32


ODD: dict[str, Function] = {
    "complex bound": lambda x: x.clamp(max=np.complex128(1)),
    "long double": lambda x: minigrad.where(x > 0, np.ones(2, np.longdouble), 2.0),
    "long double operand": lambda x: x + np.ones(2, np.longdouble),
    "complex operand": lambda x: x * np.ones(2, np.complex64),
    "other byte order": lambda x: x - np.array([1, 2], ">f4"),
    "other byte order first": lambda x: np.array([1, 2], ">f4") - x,
    "unsigned": lambda x: x + np.ones(2, np.uint32),
    "complex number": lambda x: x.fill_(np.complex64(1)),
}


@pytest.mark.parametrize("name", ODD)
def test_other_dtypes_are_refused(name: str) -> None:
    if "double" in name and np.longdouble is np.float64:
        pytest.skip("here a long double is a float64")
    with pytest.raises(TypeError):
        ODD[name](minigrad.ones(2))


@pytest.mark.parametrize("bound", [[math.nan, 5.0], [0.5, math.nan], [-1.0, 2.0]])
def test_a_bound_that_is_nan_gives_nan(bound: list[float]) -> None:
    x = np.array([1.0, math.nan], np.float32)
    for function in (
        lambda library, x: x.clamp(min=library.tensor(bound)),
        lambda library, x: x.clamp(max=library.tensor(bound)),
        lambda library, x: x.clamp(library.tensor(bound), library.tensor([3.0, math.nan])),
    ):
        mine, reference = function(minigrad, ours(x)), function(torch, theirs(x))
        np.testing.assert_array_equal(mine.numpy(), reference.numpy())


def test_gelu_of_large_numbers_has_finite_gradients() -> None:
    x = np.array([1000.0, -1000.0, 1e10, 30.0], np.float32)
    compare(lambda library, x: FUNCTIONAL[library].gelu(x, approximate="tanh"), x)
