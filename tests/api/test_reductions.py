"""Reductions against PyTorch: over all, one and several dims, with their gradients, ties, dtypes and refusals."""

from typing import Any

import numpy as np
import pytest

import minigrad
from tests.support.comparison import Function, assert_refused, compare, normal, random

DTYPES = [np.float32, np.float64]

SHAPES_AND_DIMS: list[tuple[tuple[int, ...], Any]] = [
    ((), None),
    ((), 0),
    ((), -1),
    ((5,), None),
    ((5,), 0),
    ((1, 4), 0),
    ((1, 4), 1),
    ((4, 1), 1),
    ((3, 4), None),
    ((3, 4), 0),
    ((3, 4), -1),
    ((3, 4), (0, 1)),
    ((3, 4), ()),
    ((2, 3, 4), 1),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4), (-1, 1)),
    ((2, 3, 4), [0, 1, 2]),
]

# PyTorch's own gradient of a variance over dim=() is wrong (it divides by 1 - correction), and of one number it is nan.
SPREADS = [(shape, dim) for shape, dim in SHAPES_AND_DIMS if len(shape) > 1 and 1 not in shape and dim != ()]

REDUCTIONS = ["sum", "mean", "var", "std"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "dim"), SHAPES_AND_DIMS, ids=str)
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_a_reduction(name: str, shape: tuple[int, ...], dim: Any, keepdim: bool, dtype: Any) -> None:
    array = normal(*shape, dtype=dtype)
    compare(lambda library, x: getattr(library, name)(x, dim, keepdim), array)
    compare(lambda library, x: getattr(x, name)(dim=dim, keepdim=keepdim), array)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("correction", [0, 1, 2])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(("shape", "dim"), SPREADS, ids=str)
@pytest.mark.parametrize("name", ["var", "std"])
def test_a_spread(name: str, shape: tuple[int, ...], dim: Any, keepdim: bool, correction: int, dtype: Any) -> None:
    array = normal(*shape, dtype=dtype)
    compare(lambda library, x: getattr(library, name)(x, dim, correction=correction, keepdim=keepdim), array)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("correction", [np.int64(1), np.float64(0.5), np.float32(2), True], ids=repr)
def test_a_correction_changes_no_dtype(correction: Any, dtype: Any) -> None:
    assert minigrad.tensor([1.0, 2.0, 4.0]).to(dtype).var(0, correction=correction).dtype == dtype


@pytest.mark.parametrize("correction", ["1", [1], int], ids=repr)
def test_a_correction_that_is_no_number_is_refused(correction: Any) -> None:
    with pytest.raises(TypeError, match="var: correction must be a number, got"):
        minigrad.ones(3).var(0, correction=correction)


@pytest.mark.parametrize("name", ["var", "std"])
@pytest.mark.parametrize("unbiased", [False, True])
def test_a_spread_with_or_without_bessels_correction(name: str, unbiased: bool) -> None:
    compare(lambda library, x: getattr(x, name)(unbiased=unbiased), normal(3, 4))
    compare(lambda library, x: getattr(x, name)(unbiased), normal(3, 4))
    compare(lambda library, x: getattr(x, name)(0, unbiased), normal(3, 4))
    compare(lambda library, x: getattr(x, name)(0, unbiased, True), normal(3, 4))


def test_the_standard_deviation_of_equal_numbers_has_a_gradient_of_0() -> None:
    compare(lambda library, x: x.std(0), np.array([[1.0, 2.0], [1.0, 3.0]]))


@pytest.mark.filterwarnings("ignore:(var|std)... degrees of freedom is <= 0:UserWarning")
@pytest.mark.parametrize("shape", [(), (1,), (0,), (1, 3)], ids=str)
@pytest.mark.parametrize("name", ["var", "std"])
def test_a_spread_of_too_few_numbers_is_nan(name: str, shape: tuple[int, ...]) -> None:
    compare(lambda library, x: getattr(library, name)(x, 0).detach(), normal(*shape))


@pytest.mark.parametrize("name", REDUCTIONS)
def test_numpys_spelling_of_the_arguments(name: str) -> None:
    compare(lambda library, x: getattr(x, name)(axis=0, keepdims=True), normal(3, 4))


@pytest.mark.parametrize(("shape", "dim"), [((0,), None), ((0,), 0), ((2, 0), 0), ((2, 0), 1), ((2, 0), None)])
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_a_reduction_of_nothing(name: str, shape: tuple[int, ...], dim: Any) -> None:
    compare(lambda library, x: getattr(library, name)(x, dim), np.zeros(shape))


@pytest.mark.parametrize("dtype", [np.bool_, np.int32, np.int64])
def test_the_sum_of_integers_is_an_int64(dtype: Any) -> None:
    compare(lambda library, x: [x.sum(), x.sum(0), x.sum(1, keepdim=True)], np.array([[1, 0], [1, 1]]).astype(dtype))


def test_a_sum_of_float32_is_as_exact_as_pytorchs() -> None:
    compare(lambda library, x: [x.sum(), x.mean(), x.var()], random.uniform(0, 1, 100_000).astype(np.float32))


# Extremes

EXTREMES = ["max", "min"]


def unequal(*shape: int) -> np.ndarray:
    """Different numbers in random order."""
    return random.permutation(np.prod(shape, dtype=int)).reshape(shape).astype(float)


def with_ties(*shape: int) -> np.ndarray:
    """Numbers of which several are equal."""
    return random.integers(0, 2, shape).astype(float)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numbers", [unequal, with_ties])
@pytest.mark.parametrize("shape", [(), (5,), (1, 4), (4, 1), (2, 3, 4)], ids=str)
@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_of_all_shares_its_gradient_among_equals(
    name: str, shape: Any, numbers: Function, dtype: Any
) -> None:
    compare(lambda library, x: getattr(library, name)(x), numbers(*shape).astype(dtype))


@pytest.mark.parametrize("numbers", [unequal, with_ties])
@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    ("shape", "dim"), [((), 0), ((5,), 0), ((1, 4), 0), ((1, 4), 1), ((3, 4), 0), ((3, 4), 1), ((2, 3, 4), -2)], ids=str
)
@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_over_a_dim_gives_its_gradient_to_its_index(
    name: str, shape: Any, dim: int, keepdim: bool, numbers: Function
) -> None:
    compare(lambda library, x: getattr(library, name)(x, dim, keepdim), numbers(*shape))
    compare(lambda library, x: tuple(getattr(x, name)(dim=dim, keepdim=keepdim)), numbers(*shape))


@pytest.mark.parametrize("keepdim", [False, True])
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((), None), ((), 0), ((5,), None), ((5,), 0), ((3, 4), None), ((3, 4), 0), ((2, 3, 4), -1)],
    ids=str,
)
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_the_place_of_an_extreme(name: str, shape: Any, dim: Any, keepdim: bool) -> None:
    compare(lambda library, x: getattr(library, name)(x, dim, keepdim), unequal(*shape))
    compare(lambda library, x: getattr(library, name)(x, dim, keepdim), with_ties(*shape))


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_has_names_for_its_two_parts(name: str) -> None:
    compare(lambda library, x: getattr(x, name)(1).values, unequal(3, 4))
    compare(lambda library, x: getattr(x, name)(1).indices, unequal(3, 4))


@pytest.mark.parametrize("name", EXTREMES)
def test_numpys_spelling_of_the_arguments_of_an_extreme(name: str) -> None:
    assert getattr(minigrad.ones(3, 4), name)(axis=0, keepdims=True).values.shape == (1, 4)


@pytest.mark.parametrize("name", [*EXTREMES, "argmax", "argmin"])
def test_a_nan_is_every_extreme(name: str) -> None:
    array = np.array([[1.0, np.nan, 3.0], [4.0, 5.0, np.nan]])
    compare(lambda library, x: getattr(library, name)(x, 1), array)
    compare(lambda library, x: getattr(library, name)(x.detach()), array)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("name", [*EXTREMES, "argmax", "argmin"])
def test_an_extreme_of_integers(name: str, dtype: Any) -> None:
    compare(lambda library, x: [getattr(x, name)(), getattr(x, name)(1)], unequal(3, 4).astype(dtype))


def test_an_extreme_over_an_empty_rest() -> None:
    compare(lambda library, x: tuple(library.max(x, 0)), np.zeros((2, 0)))


def test_the_bool_extremes() -> None:
    compare(lambda library, x: [library.max(x), library.min(x, 0)], np.array([[True, False], [True, True]]))


OPERANDS = {
    "one shape": (unequal(3, 4), unequal(3, 4)),
    "ties": (with_ties(3, 4), with_ties(3, 4)),
    "broadcast": (with_ties(3, 1), with_ties(2, 1, 4)),
    "0-d": (np.array(2.0), np.array(2.0)),
    "a 0-d operand": (unequal(5), np.array(2.0, np.float32)),
    "infinities": (np.array([np.inf, np.inf, -np.inf, -np.inf]), np.array([np.inf, 1.0, -np.inf, 1.0])),
    "zeros": (np.array([0.0, -0.0, 0.0]), np.array([0.0, 0.0, -0.0])),
    "large": (np.array([3e38, -3e38, 1e-45], np.float32), np.array([3e38, -3e38, 1e-45], np.float32)),
    "empty": (np.zeros((0, 3)), np.zeros(3)),
    "dtypes": (unequal(4).astype(np.float32), unequal(4)),
    "integers": (np.array([1, 5, 3]), np.array([2, 5, -1], np.int32)),
    "an integer and a float": (np.array([1, 5, 3]), np.array([2.5, 5.0, -1.0])),
    "bools": (np.array([True, False, False]), np.array([[True], [False]])),
}


@pytest.mark.parametrize("operands", OPERANDS.values(), ids=OPERANDS)
@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_of_two_tensors(name: str, operands: tuple[np.ndarray, np.ndarray]) -> None:
    compare(lambda library, a, b: getattr(library, name)(a, b), *operands)
    compare(lambda library, a, b: getattr(a, name)(b), *operands)


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_of_two_tensors_with_nan_is_nan(name: str) -> None:
    a, b = np.array([np.nan, 1.0, np.nan, 2.0]), np.array([1.0, np.nan, np.nan, 1.0])
    compare(lambda library, a, b: getattr(library, name)(a.detach(), b.detach()), a, b)


@pytest.mark.parametrize("name", EXTREMES)
def test_the_node_of_an_extreme_of_two_tensors_has_pytorchs_name(name: str) -> None:
    result = getattr(minigrad, name)(minigrad.ones(2, requires_grad=True), minigrad.zeros(2))
    assert repr(result.grad_fn) == f"<{name.title()}imumBackward0>"


@pytest.mark.parametrize("name", EXTREMES)
def test_an_extreme_of_two_tensors_that_do_not_fit_is_refused(name: str) -> None:
    for message, function, a, b in [
        (f"{name}imum: shapes (2, 3) and (4,) do not broadcast", lambda extreme, a, b: extreme(a, b), (2, 3), 4),
        (f"{name}: dim", lambda extreme, a, b: extreme(a, 1.5), 2, 2),
        (f"{name}: keepdim needs a dim", lambda extreme, a, b: extreme(a, b, True), 2, 2),
    ]:
        in_library: Any = lambda library, a, b, function=function: function(getattr(library, name), a, b)  # noqa: E731
        assert_refused(in_library, np.ones(a), np.ones(b), message=message)


# Refusals

REFUSED = [
    ("sum: dim 2", lambda library, x: library.sum(x, 2)),
    ("sum: dim -3", lambda library, x: x.sum(-3)),
    ("mean: dim 2", lambda library, x: x.mean(2)),
    ("var: dim 2", lambda library, x: x.var(2)),
    ("std: dim 2", lambda library, x: x.std(2)),
    ("max: dim 2", lambda library, x: x.max(2)),
    ("min: dim -3", lambda library, x: x.min(-3)),
    ("argmax: dim 2", lambda library, x: x.argmax(2)),
    ("sum: dim 1", lambda library, x: x.sum().sum(1)),
    ("sum: dim (0, 0)", lambda library, x: x.sum((0, 0))),
    ("mean: dim (1, -1)", lambda library, x: x.mean((1, -1))),
    ("sum: dim", lambda library, x: x.sum("rows")),
    ("sum: dim", lambda library, x: x.sum(1.0)),
    ("mean: needs a floating dtype, got int64", lambda library, x: x.to(library.int64).mean()),
    ("var: needs a floating dtype, got bool", lambda library, x: (x > 0).var()),
    ("std: needs a floating dtype, got int64", lambda library, x: x.to(library.int64).std()),
    ("max: (0, 3)", lambda library, x: x[:0].max()),
    ("min: (0, 3)", lambda library, x: x[:0].min()),
    ("max: (0, 3)", lambda library, x: x[:0].max(0)),
    ("argmax: (0, 3)", lambda library, x: x[:0].argmax()),
    ("argmin: (0, 3)", lambda library, x: x[:0].argmin(0)),
]


@pytest.mark.parametrize(("message", "function"), REFUSED)
def test_what_cannot_be_reduced_is_refused(message: str, function: Function) -> None:
    assert_refused(function, normal(2, 3), message=message)
