"""Elementwise operations and `@` beside PyTorch: their spellings, the edges of their domains, dtypes, and refusals.

Each primitive by itself, see core/test_table.py.
"""

import enum
import operator
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import Function, assert_refused, compare, normal, random
from tests.support.table import MATMUL_SHAPES, SHAPE_PAIRS, SHAPES, Domain, integral, nonzero, positive

DTYPES = [np.float32, np.float64]


class Operation(NamedTuple):
    """A function of the library and its operands, and the numbers that each operand is drawn from."""

    name: str
    function: Function
    domains: tuple[Domain, ...]


def huge(*shape: int) -> np.ndarray:
    """Numbers whose exponentials over- or underflow, even as float64."""
    return random.choice([-1e3, -100.0, -30.0, 30.0, 100.0, 1e3], shape)


def natural(*shape: int) -> np.ndarray:
    """Few different exponents, among them 0."""
    return random.integers(0, 4, shape).astype(float)


UNARY = [
    Operation("torch.neg", lambda library, x: library.neg(x), (normal,)),
    Operation("abs", lambda library, x: abs(x), (normal,)),
    Operation("torch.abs at 0", lambda library, x: library.abs(x), (integral,)),
    Operation("square", lambda library, x: library.square(x), (integral,)),
    Operation("tanh of huge", lambda library, x: library.tanh(x), (huge,)),
    Operation("sigmoid of huge", lambda library, x: library.sigmoid(x), (huge,)),
    Operation("relu at 0", lambda library, x: library.relu(x), (integral,)),
    Operation("number + tensor", lambda library, x: 2 + x, (normal,)),
    Operation("tensor + number", lambda library, x: x + 2.5, (normal,)),
    Operation("number - tensor", lambda library, x: 2 - x, (normal,)),
    Operation("tensor - number", lambda library, x: x - 2.5, (normal,)),
    Operation("number * tensor", lambda library, x: 3 * x, (normal,)),
    Operation("tensor * number", lambda library, x: x * -2.5, (normal,)),
    Operation("number / tensor", lambda library, x: 2 / x, (nonzero,)),
    Operation("tensor / number", lambda library, x: x / 3, (normal,)),
    Operation("number ** tensor", lambda library, x: 2.5**x, (normal,)),
    Operation("1 ** tensor", lambda library, x: 1**x, (integral,)),
    Operation("0 ** tensor", lambda library, x: 0**x, (natural,)),
    Operation("tensor ** 2", lambda library, x: x**2, (integral,)),
    Operation("tensor ** 3", lambda library, x: x**3, (integral,)),
    Operation("tensor ** 0", lambda library, x: x**0, (integral,)),
    Operation("tensor ** 1", lambda library, x: x**1, (integral,)),
    Operation("tensor ** 0.5", lambda library, x: x**0.5, (positive,)),
    Operation("tensor ** -0.5", lambda library, x: x**-0.5, (positive,)),
    Operation("tensor ** -1", lambda library, x: x**-1, (nonzero,)),
    Operation("tensor ** -2", lambda library, x: x**-2.0, (nonzero,)),
    Operation("x * x", lambda library, x: x * x, (normal,)),
    Operation("x - x", lambda library, x: x - x, (normal,)),
    Operation("x / x", lambda library, x: x / x, (nonzero,)),
    Operation("clone", lambda library, x: library.clone(x), (normal,)),
    Operation("detach", lambda library, x: x * x.detach(), (normal,)),
    Operation("where with a number", lambda library, x: library.where(x > 0, x, 0.0), (normal,)),
    Operation("where of two numbers", lambda library, x: library.where(x > 0, 1.0, 2.0), (normal,)),
]

BINARY = [
    Operation("** at 0", lambda library, a, b: a**b, (natural, natural)),
    Operation("** of negatives", lambda library, a, b: a ** b.detach(), (integral, natural)),
    Operation("add", lambda library, a, b: library.add(a, b), (normal, normal)),
    Operation("sub", lambda library, a, b: library.sub(a, b), (normal, normal)),
    Operation("mul", lambda library, a, b: library.mul(a, b), (normal, normal)),
    Operation("div", lambda library, a, b: library.div(a, b), (normal, nonzero)),
    Operation("pow", lambda library, a, b: library.pow(a, b), (positive, normal)),
    Operation("where", lambda library, a, b: library.where(a > b, a, b), (normal, normal)),
    Operation("where of one", lambda library, a, b: library.where(a > 0, b, -1.0), (normal, normal)),
    Operation("a compound", lambda library, a, b: (a * 1 - b) * b - a, (normal, normal)),
    Operation("comparisons", lambda library, a, b: [a == b, a != b, a < b, a <= b, a > b, a >= b], (integral,) * 2),
]

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]


def names(operations: list[Operation]) -> dict[str, Any]:
    """The `parametrize` arguments that try each operation under its name."""
    return {"argvalues": operations, "ids": [operation.name for operation in operations]}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("operation", **names(UNARY))
def test_an_operation_of_one_tensor(operation: Operation, shape: tuple[int, ...], dtype: Any) -> None:
    compare(operation.function, operation.domains[0](*shape).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", SHAPE_PAIRS, ids=str)
@pytest.mark.parametrize("operation", **names(BINARY))
def test_an_operation_of_two_tensors(operation: Operation, shapes: Any, dtype: Any) -> None:
    arrays = [domain(*shape) for domain, shape in zip(operation.domains, shapes, strict=True)]
    compare(operation.function, *(np.asarray(array, dtype) for array in arrays))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", MATMUL_SHAPES, ids=str)
def test_matmul(shapes: Any, dtype: Any) -> None:
    compare(lambda library, a, b: library.matmul(a, b), *(normal(*shape, dtype=dtype) for shape in shapes))


def test_matmul_of_a_tensor_and_its_own_transpose() -> None:
    compare(lambda library, x: x @ x.T, normal(3, 4))
    compare(lambda library, x: x.mT @ x, normal(2, 3, 4))


def test_matmul_of_integers() -> None:
    compare(lambda library, a, b: a @ b, random.integers(-9, 9, (2, 3)), random.integers(-9, 9, (3, 4)))


def test_where_keeps_a_nan_of_the_branch_not_taken_out_of_the_result() -> None:
    compare(lambda library, x: library.where(x > 0, x, 1.0), np.array([1.0, np.nan, -np.inf]))


EDGES = [
    Operation("log of 0 and less", lambda library, x: library.log(x), (0.0, -0.0, -1.0)),
    Operation("sqrt of 0 and less", lambda library, x: library.sqrt(x), (0.0, -1.0)),
    Operation("1 / 0", lambda library, x: 1 / x, (0.0, -0.0, np.inf, np.nan)),
    Operation("0 / 0", lambda library, x: x / 0.0, (0.0, 1.0, -1.0, np.nan)),
    Operation("exp of infinities", lambda library, x: library.exp(x), (np.inf, -np.inf, np.nan, 800.0)),
    Operation("tanh of infinities", lambda library, x: library.tanh(x), (np.inf, -np.inf, np.nan)),
    Operation("sigmoid of infinities", lambda library, x: library.sigmoid(x), (np.inf, -np.inf, np.nan)),
    Operation("relu of infinities", lambda library, x: library.relu(x), (np.inf, -np.inf, np.nan, -0.0)),
    Operation("abs of infinities", lambda library, x: library.abs(x), (np.inf, -np.inf, -0.0)),
    Operation("0 ** negative", lambda library, x: x**-1.0, (0.0, -0.0, np.inf)),
    Operation("0 ** 0.5", lambda library, x: x**0.5, (0.0, 4.0)),
    Operation("0 ** 1", lambda library, x: x**1.0, (0.0, -0.0)),
    Operation("0 ** 0", lambda library, x: x**0, (0.0, np.nan, np.inf)),
    Operation("negative ** 0.5", lambda library, x: x**0.5, (-1.0, -4.0)),
    Operation("0 ** tensor", lambda library, x: 0.0**x, (0.0, 1.0, 2.0)),
    Operation("0 ** tensor below 0", lambda library, x: 0.0**x, (-1.0,)),
    Operation("tensor ** itself", lambda library, x: x**x, (0.0, 1.0, 2.0)),
]


@pytest.mark.parametrize("operation", **names(EDGES))
def test_an_operation_at_the_edges_of_its_domain(operation: Operation) -> None:
    compare(operation.function, np.array(operation.domains))


UNARY_METHODS = "exp log sqrt square abs tanh sigmoid relu neg sum mean var std max min argmax argmin flatten clone"
BINARY_METHODS = "add sub mul div pow matmul"


@pytest.mark.parametrize("name", UNARY_METHODS.split())
def test_a_method_of_one_tensor_is_the_function(name: str) -> None:
    compare(lambda library, x: getattr(x, name)(), positive(3, 4))
    compare(lambda library, x: getattr(library, name)(x), positive(3, 4))


@pytest.mark.parametrize("name", BINARY_METHODS.split())
def test_a_method_of_two_tensors_is_the_function(name: str) -> None:
    compare(lambda library, a, b: getattr(a, name)(b), positive(3, 3), normal(3, 3))
    compare(lambda library, a, b: getattr(library, name)(a, b), positive(3, 3), normal(3, 3))


@pytest.mark.parametrize("method", ["add", "sub", "mul", "div", "pow"])
def test_a_method_takes_a_number(method: str) -> None:
    compare(lambda library, x: getattr(x, method)(2), positive(3))


# Numbers and arrays beside a tensor

NUMBERS = [True, 2, -3, 2.5, np.float32(2.5), np.float64(2.5), np.int64(3), np.int32(3), np.bool_(True)]
ARRAYS = [np.array([1.5, 2.5]), np.array([1.5, 2.5], np.float32), np.array([1, 2]), np.array([[1.5], [2.5]])]
TENSORS = [np.array([0.5, 1.5], np.float32), np.array([0.5, 1.5]), np.array([1, 2]), np.array(1.5, np.float32)]


@pytest.mark.parametrize(
    ("apply", "number"),
    [
        (apply, number)
        for apply in ARITHMETIC
        for number in NUMBERS
        if apply not in (operator.sub, operator.pow) or not isinstance(number, bool | np.bool_)  # PyTorch cannot
        if apply is not operator.pow or number != -3  # nor this, of integers
    ],
)
@pytest.mark.parametrize("array", TENSORS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_a_number_on_either_side(apply: Function, number: Any, array: np.ndarray) -> None:
    as_given = {minigrad: number, torch: number.item() if isinstance(number, np.generic) else number}
    compare(lambda library, x: apply(as_given[library], x), array)
    compare(lambda library, x: apply(x, as_given[library]), array)


class Two(enum.IntEnum):
    TWO = 2


class Half(float):
    """A float by another name."""


@pytest.mark.parametrize("number", [Two.TWO, Half(0.5), np.float64(0.5), np.float32(0.5), np.int8(2)], ids=repr)
@pytest.mark.parametrize("array", TENSORS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_the_class_of_a_number_does_not_change_the_dtype(number: Any, array: np.ndarray) -> None:
    for apply in ARITHMETIC:
        if not isinstance(number, np.generic):  # some of which PyTorch refuses on the left
            compare(lambda library, x, apply=apply: [apply(number, x), apply(x, number)], array)
    compare(lambda library, x: library.where(x > 1, x, number), array)
    if array.dtype.kind == "f":
        compare(lambda library, x: [x.clamp(number), x.clamp(max=number), x.clamp(0, number)], array)
        compare(lambda library, x: library.nn.functional.layer_norm(x.view(1, -1), (x.numel(),), eps=number), array)


@pytest.mark.parametrize("apply", ARITHMETIC)
@pytest.mark.parametrize("other", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
@pytest.mark.parametrize("array", TENSORS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_an_array_on_either_side_is_a_constant(apply: Function, other: np.ndarray, array: np.ndarray) -> None:
    def right(library: Any, x: Any) -> Any:
        return apply(x, other if library is minigrad else torch.from_numpy(other))

    def left(library: Any, x: Any) -> Any:
        return apply(other if library is minigrad else torch.from_numpy(other), x)

    compare(right, array)
    compare(left, array)


def test_matmul_with_an_array_on_either_side() -> None:
    array = normal(3, 3)
    constant = {minigrad: array, torch: torch.from_numpy(array)}
    compare(lambda library, x: constant[library] @ x, normal(3, 2))
    compare(lambda library, x: x @ constant[library], normal(2, 3))


@pytest.mark.parametrize("function", [np.exp, np.log, np.sqrt, np.tanh, np.square, np.absolute])
def test_a_function_of_numpy_is_recorded(function: Any) -> None:
    def apply(library: Any, x: Any) -> Any:
        return function(x) if library is minigrad else getattr(torch, function.__name__)(x)

    compare(apply, positive(3))


def test_a_function_of_numpy_without_a_gradient_is_refused() -> None:
    with pytest.raises(TypeError, match=r"arcsinh.*not defined for Tensors.*\.detach\(\)\.numpy\(\)"):
        np.arcsinh(minigrad.ones(3, requires_grad=True))


# Mixed dtypes

KINDS = [np.bool_, np.int32, np.int64, np.float32, np.float64]


@pytest.mark.parametrize("right_shape", [(), (2,)], ids=str)
@pytest.mark.parametrize("left_shape", [(), (2,)], ids=str)
@pytest.mark.parametrize("right", KINDS)
@pytest.mark.parametrize("left", KINDS)
def test_mixed_dtypes_promote(left: Any, right: Any, left_shape: Any, right_shape: Any) -> None:
    a, b = np.ones(left_shape, left), np.ones(right_shape, right)
    compare(lambda library, a, b: [a + b, a * b, a / b, library.where(a > 0, a, b)], a, b)
    if np.bool_ not in (left, right):
        compare(lambda library, a, b: [a - b, a**b], a, b)


@pytest.mark.parametrize("dtype", KINDS)
def test_functions_of_integers_are_floats(dtype: Any) -> None:
    array = np.array([1, 1, 0]).astype(dtype)
    compare(lambda library, x: [library.exp(x), library.sqrt(x), library.tanh(x), library.sigmoid(x)], array)


@pytest.mark.parametrize("dtype", KINDS[1:])
def test_functions_of_integers_that_stay_integers(dtype: Any) -> None:
    array = np.array([-2, 0, 3]).astype(dtype)
    compare(lambda library, x: [-x, library.abs(x), library.square(x), library.relu(x), x**2], array)


def test_a_tensor_of_another_dtype_takes_part_in_both_dtypes() -> None:
    single, double = normal(3, dtype=np.float32), normal(3)
    compare(lambda library, a, b: a * b + a.to(library.float64) * 2 + b.to(library.float32), single, double)


def test_to_the_same_dtype_is_the_tensor_itself() -> None:
    x = minigrad.ones(2, requires_grad=True)
    assert x.to(minigrad.float32) is x


# Refusals

SHAPES_THAT_DO_NOT_BROADCAST = "shapes (2, 3) and (4,) do not broadcast: sizes 3 and 4 at dim -1"

REFUSED = [
    ("add", lambda library, a, b: a + b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("sub", lambda library, a, b: a - b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("mul", lambda library, a, b: a * b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("div", lambda library, a, b: a / b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("pow", lambda library, a, b: a**b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("where", lambda library, a, b: library.where(a > 0, a, b), SHAPES_THAT_DO_NOT_BROADCAST),
    ("equal", lambda library, a, b: a == b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("less", lambda library, a, b: a < b, SHAPES_THAT_DO_NOT_BROADCAST),
    ("matmul", lambda library, a, b: a @ b, "(2, 3) @ (4,): inner sizes 3 and 4 differ"),
    ("matmul", lambda library, a, b: a @ a, "(2, 3) @ (2, 3): inner sizes 3 and 2 differ"),
    ("matmul", lambda library, a, b: a @ b.sum(), "(2, 3) @ (): both need a dimension"),
    ("matmul", lambda library, a, b: b.sum() @ a, "() @ (2, 3): both need a dimension"),
    ("matmul", lambda library, a, b: a @ b[:3].to(library.float32), "dtypes float64 and float32 differ"),
    ("matmul", lambda library, a, b: library.matmul(a, 2.0), "expected two Tensors, got float"),
    ("matmul", lambda library, a, b: a.expand(2, 2, 3) @ a.T.expand(3, 3, 2), "(2, 2, 3)"),
    ("", lambda library, a, b: a @ 2.0, "float"),
    ("", lambda library, a, b: a + "text", "str"),
    ("", lambda library, a, b: None * a, "NoneType"),
    ("", lambda library, a, b: a ** [1, 2], "list"),
    ("", lambda library, a, b: a < "text", "str"),
    ("exp", lambda library, a, b: library.exp(2.0), "expected a Tensor, got float"),
    ("neg", lambda library, a, b: -(a > 0), "bool"),
    ("sub", lambda library, a, b: (a > 0) - (a > 1), "bool"),
    ("sub", lambda library, a, b: a - (a > 1), "bool"),
    ("sub", lambda library, a, b: 1 - (a > 1), "bool"),
    ("sub", lambda library, a, b: a - True, "bool"),
    ("pow", lambda library, a, b: library.tensor([1, 2]) ** -1, "negative"),
]


@pytest.mark.parametrize(("operation", "function", "message"), REFUSED)
def test_operands_that_do_not_fit_are_refused(operation: str, function: Function, message: str) -> None:
    assert_refused(function, normal(2, 3), normal(4), message=message)
    assert_refused(function, normal(2, 3), normal(4), message=operation)


def test_the_issue_of_a_transposed_weight_is_told_with_both_shapes() -> None:
    message = "matmul: (32, 30) @ (64, 27): inner sizes 30 and 64 differ"
    assert_refused(lambda library, x, weight: x @ weight, normal(32, 30), normal(64, 27), message=message)


MASK_ARITHMETIC: list[Function] = [
    lambda library, mask: -mask,
    lambda library, mask: library.neg(mask),
    lambda library, mask: mask.neg(),
    lambda library, mask: mask - mask,
    lambda library, mask: 1 - mask,
    lambda library, mask: mask.sub(1.5),
    lambda library, mask: mask.clone().__isub__(mask),
]


@pytest.mark.parametrize("mask", [True, [False, True], np.zeros((0, 2), bool)], ids=str)
@pytest.mark.parametrize("function", MASK_ARITHMETIC)
def test_the_sign_of_a_mask_is_refused_with_a_remedy_that_works(function: Function, mask: Any) -> None:
    assert_refused(function, np.array(mask), message="invert a mask with mask == 0, or convert with .float()")
    compare(lambda library, mask: mask == 0 if library is minigrad else ~mask, np.array(mask))
    compare(lambda library, mask: -mask.float(), np.array(mask))


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32])
@pytest.mark.parametrize(
    "condition", [0, 2, np.nan, [0, 3, 0, -1], [[0, 1], [2, 0]], np.ones((2, 0)), np.zeros((2, 3, 1)), []], ids=str
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_where_of_a_condition_alone_returns_its_places(condition: Any, dtype: Any) -> None:
    compare(lambda library, x: library.where(x), np.array(condition).astype(dtype))


def test_where_of_one_operand_is_refused() -> None:
    assert_refused(lambda library, x: library.where(x > 0, x), normal(3), message="where: got one operand")
    assert_refused(lambda library, x: library.where(x > 0, other=x), normal(3), message="where: got one operand")
    assert_refused(lambda library, x: library.where(2.0), normal(3), message="where: expected a Tensor, got float")


def test_the_condition_of_where_must_be_a_tensor_of_bools() -> None:
    with pytest.raises(RuntimeError, match="where: the condition must be a Tensor of bools"):
        minigrad.where(minigrad.ones(3), 1.0, 2.0)
