"""Value against PyTorch's float64: every operator, gradients through a whole graph, and depth without recursion."""

import math
import operator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from minigrad import Value
from tests.support.comparison import Function, random
from tests.support.table import PRIMITIVES, SCALAR, TABLE

ROUNDING = 1e-14  # Python's pow, exp and tanh differ from PyTorch's in the last bits


def compare(function: Function, *numbers: float) -> None:
    """Require the same number of a function of Values and of float64 tensors, and the same gradients."""
    values = [Value(number) for number in numbers]
    tensors = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]
    result, expected = function(*values), function(*tensors)
    result.backward()
    expected.backward()
    assert type(result.data) is float
    assert result.data == pytest.approx(expected.item(), rel=ROUNDING)
    for value, tensor in zip(values, tensors, strict=True):
        assert type(value.grad) is float
        assert value.grad == pytest.approx(0 if tensor.grad is None else tensor.grad.item(), rel=ROUNDING)


@pytest.mark.parametrize("name", SCALAR)
def test_a_primitive_of_numbers(name: str) -> None:
    operation, primitive = TABLE[name], PRIMITIVES[name]
    for _ in range(10):
        numbers = [float(domain()) for domain in operation.domains]
        compare(lambda *xs: primitive(*xs) if isinstance(xs[0], Value) else operation.call(torch, *xs), *numbers)


def test_an_expression_that_uses_its_parts_again_and_again() -> None:
    def expression(x: Any) -> Any:
        doubled = 2 * x + 2 + x
        rectified = (doubled + doubled * x).relu()
        squared = (doubled * doubled).relu()
        return squared + rectified + rectified * x

    for number in (-4.0, -0.5, 0.0, 0.3, 2.0):
        compare(expression, number)


def test_an_expression_of_every_operator() -> None:
    def expression(a: Any, b: Any) -> Any:
        c = a + b
        d = a * b - b**3
        c = c + (c + 1) - (-a)
        d = d * 2 - (b + a).relu() / 3
        d = 3 * d + (b - a).relu() * c
        e = (c - d) ** 2
        f = e / 2.0 + 10.0 / (e + 1) - (1 - e)
        return f + f * f

    for numbers in ((-4.0, 2.0), (2.0, -4.0), (0.5, 0.25), (0.0, 1.0)):
        compare(expression, *numbers)


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
PAIRS = [(3.0, 2.0), (0.5, -1.5), (2.0, 0.5), (1.0, 1.0)]


@pytest.mark.parametrize("apply", OPERATORS)
@pytest.mark.parametrize("numbers", PAIRS)
def test_an_operator_of_two_values(apply: Function, numbers: tuple[float, float]) -> None:
    compare(apply, *numbers)


@pytest.mark.parametrize("apply", OPERATORS)
@pytest.mark.parametrize("number", [2, 0.5, -3, True, np.float64(2.5), np.float32(0.5), np.int64(2)], ids=str)
def test_an_operator_of_a_value_and_a_number(apply: Function, number: Any) -> None:
    as_given = {Value: number, torch.Tensor: float(number)}
    compare(lambda x: apply(x, as_given[type(x)]), 1.5)
    if apply is not operator.pow or number > 0:
        compare(lambda x: apply(as_given[type(x)], x), 1.5)


@pytest.mark.parametrize("apply", OPERATORS)
def test_an_operator_of_a_value_and_itself(apply: Function) -> None:
    compare(lambda x: apply(x, x), 1.5)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.exp(),
        lambda x: x.tanh(),
        lambda x: x.relu(),
        lambda x: -x,
        lambda x: x**2,
        lambda x: x**3,
        lambda x: x**0,
        lambda x: x**1,
        lambda x: 2**x,
        lambda x: 1**x,
    ],
)
@pytest.mark.parametrize("number", [-2.0, -0.5, 0.0, 0.5, 3.0, 20.0])
def test_a_function(function: Function, number: float) -> None:
    compare(function, number)


@pytest.mark.parametrize(
    "function", [lambda x: x.log(), lambda x: x**0.5, lambda x: x**-1, lambda x: x**-0.5, lambda x: 1 / x]
)
@pytest.mark.parametrize("number", [0.1, 1.0, 7.5])
def test_a_function_of_positive_numbers(function: Function, number: float) -> None:
    compare(function, number)


def test_an_operation_is_called_what_micrograd_and_the_table_call_it() -> None:
    x = Value(2.0)
    results = [x + 1, x - 1, x * 3, x / 2, x**2, -x, x.relu(), x.exp(), x.log(), x.tanh()]
    assert [y._op for y in results] == ["+", "-", "*", "/", "**", "neg", "ReLU", "exp", "log", "tanh"]


def test_its_numbers_are_floats() -> None:
    x = Value(2)
    x.data = 3  # type: ignore[assignment]
    for y in (minigrad.sigmoid(x), minigrad.log10(x), x.relu(), x + np.float64(1), x * True):
        assert type(y.data) is float
    with pytest.raises(ZeroDivisionError):
        1 / minigrad.sigmoid(Value(-800.0))


@pytest.mark.parametrize("numbers", [(0.0, 2.0), (0.0, 1.0), (0.0, 0.0), (2.0, 0.0), (1.0, -2.0)])
def test_the_gradients_of_a_power_at_its_edges(numbers: tuple[float, float]) -> None:
    compare(lambda a, b: a**b, *numbers)


def test_a_negative_base_has_a_gradient_under_a_whole_exponent() -> None:
    compare(lambda a: a**3, -2.0)
    compare(lambda a: a**-2, -2.0)


def test_the_sum_of_a_list() -> None:
    compare(lambda *values: sum(values), 1.0, 2.0, 3.5)
    compare(lambda *values: sum([value * value for value in values], start=values[0]), 1.0, 2.0, 3.5)


def test_a_value_used_many_times() -> None:
    compare(lambda a, b: a * b + a * a + b + a / b - a, 1.5, -2.5)


def test_diamonds_cost_one_step_each() -> None:
    def diamonds(x: Any) -> Any:
        for _ in range(100):
            x = x * 0.25 + x * 0.75
        return x

    compare(diamonds, 2.0)


def test_a_neuron_as_in_the_lesson() -> None:
    compare(lambda x1, x2, w1, w2, b: (x1 * w1 + x2 * w2 + b).tanh(), 2.0, 0.0, -3.0, 1.0, 6.8813735870195432)
    compare(lambda n: ((2 * n).exp() - 1) / ((2 * n).exp() + 1), 0.8813735870195432)


def test_random_expressions() -> None:
    for _ in range(20):
        choices = [OPERATORS[place] for place in random.integers(0, 3, 30)]
        picks = random.integers(0, 100, (30, 2))

        def expression(*values: Any, choices: list[Function] = choices, picks: np.ndarray = picks) -> Any:
            known = list(values)
            for apply, (left, right) in zip(choices, picks, strict=True):
                known.append(apply(known[left % len(known)], known[right % len(known)]).tanh())
            return sum(known)

        compare(expression, *random.uniform(-2, 2, 4).tolist())


# Gradients


def test_gradients_of_two_backwards_add_up() -> None:
    x = Value(3.0)
    (x * x).backward()
    (x * 2).backward()
    assert x.grad == 8.0


def test_a_second_backward_of_the_same_result_adds_the_same_again_to_the_leaves() -> None:
    x = Value(3.0)
    y = (x * x).tanh()
    y.backward()
    once = x.grad
    y.backward()
    assert x.grad == 2 * once
    assert y.grad == 1.0


def test_every_value_of_the_graph_has_its_gradient() -> None:
    x = Value(2.0)
    square = x * x
    loss = square * 3
    loss.backward()
    assert (loss.grad, square.grad, x.grad) == (1.0, 3.0, 12.0)


def test_a_value_that_was_not_used_keeps_a_gradient_of_0() -> None:
    x, unused = Value(2.0), Value(5.0)
    (x * 2).backward()
    assert unused.grad == 0.0


def test_a_leaf_is_its_own_gradient() -> None:
    x = Value(2.0)
    x.backward()
    assert x.grad == 1.0


def test_a_step_downhill() -> None:
    x = Value(2.0)
    for _ in range(50):
        loss = (x - 3) ** 2
        x.grad = 0.0
        loss.backward()
        x.data -= 0.1 * x.grad
    assert x.data == pytest.approx(3.0, abs=1e-4)


@pytest.mark.parametrize("depth", [100_000])
def test_a_deep_chain_goes_forward_backward_and_away(depth: int) -> None:
    x = Value(1.0)
    y = x
    for _ in range(depth):
        y = y + 1
    y.backward()
    assert y.data == depth + 1
    assert x.grad == 1.0
    del y


# What it holds, and what it refuses


def test_what_a_value_holds() -> None:
    x = Value(2, label="x")
    y = x * 3
    assert (x.data, x.grad, x.label) == (2.0, 0.0, "x")
    assert type(x.data) is float
    assert repr(x) == "Value(data=2.0, grad=0.0)"
    assert repr(y) == "Value(data=6.0, grad=0.0, op='*')"
    assert x in y._prev


@pytest.mark.parametrize(
    ("error", "function"),
    [
        (ZeroDivisionError, lambda x: x / 0),
        (ZeroDivisionError, lambda x: 1 / (x - x)),
        (ValueError, lambda x: (x - x) ** -1),
        (ValueError, lambda x: (-x) ** 0.5),
        (ValueError, lambda x: (-x).log()),
        (ValueError, lambda x: (x - x).log()),
        (OverflowError, lambda x: (x * 1000).exp()),
        (OverflowError, lambda x: (x * 1e200) ** 2),
    ],
)
def test_a_result_outside_of_the_floats_is_refused_and_names_the_operation(error: Any, function: Function) -> None:
    with pytest.raises(error, match=r"^(div|pow|log|exp): of "):
        function(Value(1.0))


@pytest.mark.parametrize("other", ["text", None, [1.0], {}, np.ones(2)], ids=str)
@pytest.mark.parametrize("apply", OPERATORS)
def test_what_is_not_a_number_is_a_type_error(apply: Function, other: Any) -> None:
    for left, right in [(Value(1.0), other), (other, Value(1.0))]:
        with pytest.raises(TypeError):
            apply(left, right)


@pytest.mark.parametrize("data", ["text", None, [1.0]])
def test_a_value_of_what_is_not_a_number_is_refused(data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Value(data)


def test_a_nan_stays_a_nan() -> None:
    x = Value(math.nan)
    (x * 2 + 1).backward()
    assert x.grad == 2.0


@pytest.mark.parametrize(("a", "b"), [(-2.0, -3.0), (-2.0, 3.0), (-0.5, 2.0), (0.0, 2.0), (2.0, 0.0)])
def test_a_power_has_the_gradient_of_its_base_and_nan_for_the_exponent_of_a_negative_one(a: float, b: float) -> None:
    base, exponent = Value(a), Value(b)
    (base**exponent).backward()
    x, y = (torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in (a, b))
    (x**y).backward()
    np.testing.assert_allclose([base.grad, exponent.grad], [x.grad.item(), y.grad.item()], rtol=1e-15)
    exponent = Value(b)
    (a**exponent).backward()
    np.testing.assert_allclose(exponent.grad, y.grad.item(), rtol=1e-15)


def test_a_gradient_that_is_not_finite_is_refused_by_the_name_of_the_operation() -> None:
    base = Value(0.0)
    with pytest.raises(ZeroDivisionError, match=r"^pow: no gradient at .*0\.0"):
        (base**0.5).backward()


def test_relu_of_nan_is_nan() -> None:
    """So a score that is nan has no loss of 0."""
    diverged = Value(1e200) * 1e200 - Value(1e200) * 1e200
    assert math.isnan(diverged.relu().data)
    assert math.isnan((1 + -diverged).relu().data)
    assert (Value(-0.0).relu().data, Value(-1.0).relu().data, Value(2.0).relu().data) == (0.0, 0.0, 2.0)


# micrograd's inner face


def test_an_operation_by_hand_has_the_gradients_of_the_table() -> None:
    """As a program for micrograd writes it: a result with children, and a function that adds to their gradients."""

    def squashed(x: Value) -> Value:
        t = math.tanh(x.data)
        out = Value(t, (x,), "tanh")

        def backward() -> None:
            x.grad += (1 - t**2) * out.grad

        out._backward = backward  # type: ignore[attr-defined]
        return out

    def product(x: Value, y: Value) -> Value:
        out = Value(x.data * y.data, (x, y), "*")

        def backward() -> None:
            x.grad += y.data * out.grad
            y.grad += x.data * out.grad

        out._backward = backward  # type: ignore[attr-defined]
        return out

    def loss(squash: Any, times: Any, a: Value, b: Value) -> Value:
        c = times(a, b) + squash(a)
        result: Value = squash(times(c, c)) * 2 + times(a, a) - c
        return result

    (a, b), (x, y) = (Value(0.3), Value(-0.7)), (Value(0.3), Value(-0.7))
    mine, expected = loss(squashed, product, a, b), loss(Value.tanh, lambda x, y: x * y, x, y)
    for _ in range(2):  # gradients add up
        mine.backward()
        expected.backward()
    np.testing.assert_allclose([mine.data, a.grad, b.grad], [expected.data, x.grad, y.grad], rtol=1e-14)
    assert squashed(a)._prev == {a}
    assert squashed(a)._op == "tanh"


def test_a_backward_pass_step_by_step() -> None:
    """As the lecture goes through it, one result after the other."""
    x, w, b = Value(2.0), Value(-3.0), Value(6.5)
    xw = x * w
    n = xw + b
    o = n.tanh()
    o.grad = 1.0
    for value in (o, n, xw, b):
        value._backward()  # type: ignore[attr-defined]
    found = [value.grad for value in (x, w, b, xw, n)]
    for value in (x, w, b, xw, n):
        value.grad = 0.0
    o.backward()
    assert found == [value.grad for value in (x, w, b, xw, n)]


def test_what_an_operation_by_hand_refuses() -> None:
    with pytest.raises(TypeError, match="Value: the children must be Values"):
        Value(1.0, (2.0,), "+")
    with pytest.raises(AttributeError, match="_backward: this Value is a result of minigrad's"):
        (Value(1.0) * 2)._backward = print  # type: ignore[attr-defined]
