"""gradcheck and gradgradcheck: they pass what is right, hard as it may be to measure, and say what is wrong."""

import contextlib
import gc
import re
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn.functional as F
from minigrad import Value
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.core.tensor import wrap
from minigrad.debug.gradcheck import GradcheckError, gradcheck, gradgradcheck
from tests.support import lecture
from tests.support.comparison import normal, theirs
from tests.support.table import SMOOTH, TABLE, few

Function = Callable[..., Any]


def t(*numbers: Any, dtype: Any = np.float64) -> minigrad.Tensor:
    return wrap(np.array(numbers, dtype))


def random(*shape: int) -> minigrad.Tensor:
    return wrap(normal(*shape))


def positive(*shape: int) -> minigrad.Tensor:
    return wrap(np.abs(normal(*shape)) + 0.5)


def message(fn: Function, inputs: Any, check: Function = gradcheck) -> str:
    """What a failing check says."""
    assert check(fn, inputs, raise_exception=False) is False
    with pytest.raises(GradcheckError) as caught:
        check(fn, inputs)
    return str(caught.value)


# Every primitive


def assigned(x: Any, value: Any) -> Any:
    y = x * 1
    y[1:, 0] = value
    return y


def indexed(x: Any) -> Any:
    return minigrad.zeros(4, 3, dtype=x.dtype).index_add_(0, minigrad.tensor([0, 0, 2]), x)


letters = minigrad.tensor([0, 2, 2])
mask = minigrad.tensor([[True, False, True]])


def tried(name: str, shapes: Any) -> tuple[Function, list[minigrad.Tensor]]:
    """An operation of the table as a function of its operands, and these."""
    operation = TABLE[name]
    return lambda *xs: operation.call(minigrad, *xs), [wrap(x) for x in operation.arrays(shapes)]


@pytest.mark.parametrize(("name", "shapes"), **few(SMOOTH))
def test_every_primitive_passes(name: str, shapes: Any) -> None:
    fn, inputs = tried(name, shapes)
    assert gradcheck(fn, inputs)
    assert gradgradcheck(fn, inputs)


@pytest.mark.parametrize("name", SMOOTH)
def test_every_primitive_passes_within_a_longer_function(name: str) -> None:
    fn, inputs = tried(name, None)

    def longer(*xs: Any) -> Any:
        return fn(*(x * x if x.dtype.is_floating_point else x for x in xs))

    assert gradcheck(longer, inputs)
    assert gradgradcheck(longer, inputs)


COMPOSED: dict[str, tuple[Function, Function]] = {
    "sub": (lambda a, b: a - b, lambda: (random(3, 1), random(1, 2))),
    "einsum": (lambda a, b: minigrad.einsum("bij,bkj->bik", a, b), lambda: (random(2, 3, 2), random(2, 1, 2))),
    "gelu": (F.gelu, lambda: (random(3),)),
    "var": (lambda x: x.var((0, 2), keepdim=True), lambda: (random(2, 3, 2),)),
    "index": (lambda x: x[letters, 1:], lambda: (random(3, 3),)),
    "index_add_": (indexed, lambda: (random(3, 3),)),
    "an assignment": (assigned, lambda: (random(3, 2), random(2))),
    "where": (lambda a, b: minigrad.where(mask, a, b), lambda: (random(2, 3), random(3))),
}


@pytest.mark.parametrize(("fn", "make"), COMPOSED.values(), ids=COMPOSED)
def test_functions_of_several_operations_pass(fn: Function, make: Function) -> None:
    inputs = make()
    assert gradcheck(fn, inputs)
    assert gradgradcheck(fn, inputs)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "mul", "matmul", "batch_norm"])
def test_pytorch_agrees_that_these_are_right(name: str) -> None:
    functions: dict[str, Function] = {
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "mul": torch.mul,
        "matmul": torch.matmul,
        "batch_norm": lambda x, w, b: torch.nn.functional.batch_norm(x, None, None, w, b, training=True),
    }
    inputs = [theirs(x, requires_grad=True) for x in TABLE[name].arrays()]
    assert torch.autograd.gradcheck(functions[name], inputs)


# The lecture's network


def test_the_network_of_the_lecture_passes() -> None:
    shapes = lecture.shapes(classes=4, embedding=2, context=2, hidden=5)
    inputs = [*(random(*shape) for shape in shapes.values()), minigrad.tensor([[0, 1], [2, 3], [1, 1], [3, 0]])]

    def loss(*given: Any) -> Any:
        return lecture.forward(minigrad, *given, minigrad.tensor([0, 2, 1, 2]))["loss"]

    assert gradcheck(loss, inputs)
    assert gradgradcheck(loss, inputs)


def test_a_module_passes_with_its_parameters() -> None:
    layer = minigrad.nn.Linear(3, 2).to(minigrad.float64)
    assert gradcheck(lambda x, *parameters: layer(x), (random(4, 3), *layer.parameters()))


# What it is given, and what it gets


def test_float32_is_checked_in_float64_and_left_as_it_was() -> None:
    x = minigrad.randn(3, requires_grad=True)
    before, dtypes = x.array.copy(), []

    def fn(x: Any) -> Any:
        dtypes.append(x.dtype)
        return x.tanh() * 1e3

    assert gradcheck(fn, x)
    assert gradgradcheck(fn, x)
    assert gradcheck(lambda x, y: fn(y) * x, (x, minigrad.ones(3)))
    assert set(dtypes) == {minigrad.float64}
    assert x.grad is None
    assert x.dtype == minigrad.float32
    np.testing.assert_array_equal(x.array, before)


def test_float32_within_the_function_is_measured_all_the_same() -> None:
    x = wrap(np.linspace(-1, 1, 20))
    assert gradcheck(lambda x: x.float().tanh() * 3, x)
    assert gradcheck(lambda x: (x.float() * 2).double().exp(), x)
    assert gradcheck(lambda x: x.float() + 100, x)


def test_the_inputs_that_require_a_gradient_are_checked_and_all_if_none_does() -> None:
    def half(a: Any, b: Any) -> Any:
        return a * b.detach()

    a, b = random(3), random(3)
    assert not gradcheck(half, (a, b), raise_exception=False)
    assert gradcheck(half, (a.clone().requires_grad_(), b))
    assert not gradcheck(half, (a, b.clone().requires_grad_()), raise_exception=False)


def test_whatever_else_is_passed_through() -> None:
    label = object()

    def fn(x: Any, i: Any, power: int, key: Any, array: Any) -> Any:
        assert key is label
        assert i.dtype == minigrad.int64
        assert type(power) is int
        return x[i] ** power * array, i, label, (x > 0)

    assert gradcheck(fn, [random(3), minigrad.tensor([0, 0, 2]), 3, label, np.arange(3.0)])


def test_a_function_is_checked_under_no_grad_too() -> None:
    with minigrad.no_grad():
        assert gradcheck(minigrad.tanh, random(3))
        assert gradgradcheck(minigrad.tanh, random(3))


def test_several_results_are_checked_at_once() -> None:
    assert gradcheck(lambda x: (x * 2, x.sum(), [1]), random(3))
    assert "instead of" in message(lambda x: (x * 2, x.detach() * 3), random(3))
    assert gradgradcheck(lambda x: (x * x, x.exp().sum(), x > 0), random(3))


def test_functions_without_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no input is a floating Tensor"):
        gradcheck(lambda i: i, minigrad.tensor([1]))
    with pytest.raises(ValueError, match="returned neither"):
        gradcheck(lambda x: x > 0, random(3))


def test_a_constant_function_passes() -> None:
    assert gradcheck(lambda x: minigrad.ones(3), random(3))
    assert gradcheck(lambda x: (x > 0).double(), random(3))


def test_a_single_number_no_number_and_an_input_that_is_returned_pass() -> None:
    assert gradcheck(lambda x: x * x, t(3.0)[0])
    assert gradcheck(lambda x: x * x, random(0, 3))
    assert gradcheck(lambda x: x, random(2))


def test_the_librarys_random_numbers_stay_where_they_were() -> None:
    minigrad.manual_seed(5)
    first = minigrad.randn(3).tolist()
    minigrad.manual_seed(5)
    gradcheck(minigrad.tanh, random(3))
    gradgradcheck(minigrad.tanh, random(3))
    assert minigrad.randn(3).tolist() == first


def test_nothing_of_a_check_stays() -> None:
    """Not even the function, whether it passes, fails or raises: nobody listens to operations any more."""
    functions = [minigrad.tanh, lambda x: x.detach() * x, lambda x: x.view(7)]
    for inner in functions:

        def fn(x: Any, inner: Function = inner) -> Any:
            return inner(x)

        watched = weakref.ref(fn)
        with contextlib.suppress(RuntimeError):
            gradcheck(fn, random(3), raise_exception=False)
        del fn
        gc.collect()
        assert watched() is None


def test_a_random_function_is_refused() -> None:
    for fn in (lambda x: F.dropout(x, 0.5), lambda x: x * minigrad.rand(20)):
        assert "is random" in message(fn, random(20))
        assert "is random" in message(fn, random(20), gradgradcheck)


def test_an_error_of_the_function_is_its_own() -> None:
    with pytest.raises(RuntimeError, match="view"):
        gradcheck(lambda x: x.view(7), random(3), raise_exception=False)


def test_a_looser_tolerance_lets_more_pass() -> None:
    def nearly(x: Any) -> Any:
        return Primitive("nearly", np.square, x=lambda g, x: 2.01 * g * x)(x)

    assert not gradcheck(nearly, positive(3), raise_exception=False)
    assert gradcheck(nearly, positive(3), rtol=0.01)
    assert gradcheck(nearly, positive(3), atol=0.1)


# Values


def test_values_pass() -> None:
    assert gradcheck(lambda a, b: (a * b + b**3).relu().tanh() + a.exp() / b, (Value(0.4), Value(0.3)))
    assert gradcheck(lambda a: (a.log(), -a), Value(1e-12))
    assert gradcheck(lambda a: a**1.5, Value(0.0))
    assert gradcheck(lambda a, n: a**n, (Value(2.0), 3))


def test_a_wrong_rule_of_values_is_named() -> None:
    wrong = Primitive("wrong", lambda x: x**3, x=lambda g, x: g * (2 * x**2))
    said = message(lambda a, b: wrong(a * b).tanh() + a, (Value(0.4), Value(0.3)))
    assert "the rule of wrong is wrong: checked alone, operand x, at ()" in said


def test_values_have_kinks() -> None:
    with pytest.warns(UserWarning, match=r"input 0, at \(\): a kink"):
        assert gradcheck(lambda a: a.relu(), Value(0.0))


def test_values_have_no_second_derivatives() -> None:
    with pytest.raises(TypeError, match="use Tensors"):
        gradgradcheck(lambda a: a * a, Value(2.0))


# Wrong rules


def wrong_rows() -> Iterator[tuple[str, Primitive, tuple[Any, ...], str]]:
    """Mistakes in rules: the row, the operands and parameters it gets, and what has to be said of it alone."""
    x, matrix = random(3, 2), random(2, 2)
    yield "sign", Primitive("planted", np.tanh, x=lambda g, y: -g * (1 - y * y)), (x,), "operand x.*a minus is missing"
    yield "factor", Primitive("planted", np.square, x=lambda g, x: g * x), (x,), "operand x.*a factor of 2 is missing"
    yield "half", Primitive("planted", np.sin, x=lambda g, x: 2 * g * np.cos(x)), (x,), "a factor of 1/2 is missing"
    yield "ignored", Primitive("planted", np.exp, x=lambda g, y: y), (x,), "the gradient that arrives is ignored"
    yield "squared", Primitive("planted", np.exp, x=lambda g, y: g * g * y), (x,), "not used in proportion"
    yield "zeros", Primitive("planted", np.exp, x=lambda g, y: g * y * 0), (x,), "it is zero everywhere"
    yield "transposed", Primitive("planted", np.negative, x=lambda g: -g.mT), (matrix,), "dims 0 and 1 are transposed"
    yield (
        "mean",
        Primitive("planted", lambda x: x.mean(0), x=lambda g, x_shape: ops.expand(g, x_shape)),
        (x,),
        "1/n is missing, a mean's, for n = 3, the size of dim 0",
    )
    yield (
        "axis",
        Primitive("planted", lambda x: x.sum(0), x=lambda g, x: ops.expand(ops.reshape(g, (2, 1)), (2, 2))),
        (matrix,),
        "operand x.*dims 0 and 1 are transposed: after .* the numbers agree",
    )
    yield (
        "second operand",
        Primitive("planted", np.multiply, a=lambda g, b: g * b, b=lambda g, b: g * b),
        (x, random(3, 2)),
        "operand b",
    )
    yield (
        "shape",
        Primitive("planted", np.exp, x=lambda g, y: (g * y).T),
        (x,),
        r"operand x: the backward pass raised RuntimeError: .*shape \(2, 3\) for an operand of \(3, 2\)",
    )
    yield (
        "numpy's error",
        Primitive("planted", np.matmul, a=lambda g, b: g @ b, b=lambda g, a: a.mT @ g),
        (x, random(2, 4)),
        "operand a: the backward pass raised ValueError",
    )
    yield (
        "no rule's place",
        Primitive("planted", lambda a, b: np.concatenate((a, b)), joint_vjp=lambda g: [g[:3], g[:3]], a=None, b=None),
        (x, random(3, 2)),
        "operand b",
    )
    yield (
        "index assigns where it must add",
        Primitive("planted", lambda x, key: x[key], x=lambda g, x_shape, key: ops.assign(np.zeros(x_shape), g, key)),
        (x, (np.array([0, 1, 1]),)),
        r"operand x, at \(1, \d\)",
    )


@pytest.mark.parametrize("mistake", [name for name, *_ in wrong_rows()])
def test_a_wrong_rule_is_found_alone_and_within_a_longer_function(mistake: str) -> None:
    row, arguments, words = {name: case for name, *case in wrong_rows()}[mistake]
    count = len(row.operands)
    operands, params = arguments[:count], arguments[count:]
    said = message(lambda *xs: row(*xs, *params), operands)
    assert re.search(f"; the rule of planted is wrong: checked alone, .*{words}", said), said

    def longer(*xs: Any) -> Any:
        inner = [(x * 1.5).tanh() + x for x in xs]
        y = row(*inner, *params)
        return (y.sigmoid() * y).sum(), inner[0].mean()

    said = message(longer, operands)
    assert re.search(f"; the rule of planted is wrong: checked alone, .*{words}", said), said


def test_the_values_and_the_place_are_named_where_it_is_worst() -> None:
    factors = np.array([[1, 1.01, 1], [1, 1.5, 1]])
    row = Primitive("planted", lambda x: 3 * x, x=lambda g: 3 * g * factors)
    said = message(lambda i, x: row(x), (minigrad.tensor([1]), random(2, 3)))
    found = re.match(r"gradcheck: input 1, at \(1, 1\): the gradient is (\S+) instead of (\S+), when", said)
    assert found, said
    mine, right = float(found[1]), float(found[2])
    assert 1.5 <= abs(right) <= 4.5
    assert mine == pytest.approx(1.5 * right, rel=1e-6)
    assert "it is right but for 2 of 6 elements" in said


def test_no_cause_is_guessed_of_an_element_that_is_small_beside_others() -> None:
    row = Primitive("planted", lambda x: x * [1e6, 1e-2], x=lambda g: g * np.array([1e6, 1.5e-2]))
    said = message(lambda x: row(x), random(2))
    assert said.count("at (1,)") == 2
    assert re.search("arrive at the results; the rule of planted is wrong: .* arrive at the results$", said)


def test_gradients_of_either_sign_arrive() -> None:
    row = Primitive("planted", np.exp, x=lambda g, y: abs(g) * y)
    assert "the rule of planted is wrong: checked alone, operand x" in message(lambda x: row(x), random(5))


def test_a_gradient_of_nan_gets_no_cause() -> None:
    row = Primitive("planted", np.exp, x=lambda g, y: g * np.nan)
    said = message(lambda x: row(x), random(2))
    assert "the gradient is nan instead of" in said
    assert re.search("arrive at the results; the rule of planted is wrong: .* arrive at the results$", said)


def test_a_wrong_rule_in_a_network_is_named() -> None:
    def network(x: Any, W: Any, gain: Any, **wrong: Primitive) -> Any:
        """A layer with batch norm and tanh, of which some primitives may be wrong ones."""
        tanh, pow, matmul, sub = (wrong.get(name, getattr(ops, name)) for name in ("tanh", "pow", "matmul", "sub"))
        hidden = matmul(x, W)
        centred = sub(hidden, hidden.mean(0, keepdim=True))
        states = tanh(gain * centred * pow((centred * centred).mean(0, keepdim=True) + 1e-5, -0.5))
        return F.cross_entropy(states, minigrad.tensor([0, 2, 1, 2]))

    wrong = {
        "tanh": (Primitive("tanh", np.tanh, x=lambda g, y: g * (1 - y)), "operand x"),
        "pow": (Primitive("pow", np.power, a=lambda g, a, b: g * a ** (b - 1), b=None), "operand a"),
        "matmul": (Primitive("matmul", np.matmul, a=lambda g, b: g @ b.mT, b=lambda g, a: g.mT @ a), "operand b"),
        "sub": (Primitive("sub", np.subtract, a=lambda g: g, b=lambda g: g), "operand b.*a minus is missing"),
    }
    inputs = (random(4, 3), random(3, 5), random(5))
    for name, (row, words) in wrong.items():
        said = message(lambda *xs, name=name, row=row: network(*xs, **{name: row}), inputs)
        assert re.search(f"the rule of {name} is wrong: checked alone, {words}", said), said
    assert gradcheck(network, inputs)


def test_a_rule_that_takes_the_first_of_what_broadcasting_repeated_is_found() -> None:
    mul = Primitive("mul", np.multiply, a=lambda g, b: g * b, b=lambda g, a: ops.index(g * a, (0,)))
    assert "the rule of mul is wrong: checked alone, operand b" in message(
        lambda x, b: mul(x, b).tanh(), (random(3, 2), random(2))
    )


def test_the_pass_that_is_not_recorded_is_what_gradcheck_checks() -> None:
    def only_of(kind: type) -> Primitive:
        """A row whose rule is wrong where `kind` arrives."""
        return Primitive("planted", np.tanh, x=lambda g, y: g * (1 - y * y) * (2 if isinstance(g, kind) else 1))

    wrong = only_of(np.ndarray)
    assert "the rule of planted is wrong" in message(lambda x: wrong(x), random(3))
    recorded = only_of(minigrad.Tensor)
    assert gradcheck(lambda x: recorded(x), random(3))


@pytest.mark.parametrize("lost", ["detach", "data", "no_grad", "in place"])
def test_a_gradient_lost_between_the_operations_is_no_rules_fault(lost: str) -> None:
    def fn(x: Any) -> Any:
        y = x.tanh()
        if lost == "no_grad":
            with minigrad.no_grad():
                return y * x + y.exp() * 1
        if lost == "in place":
            y.data *= 2
            return y * x
        return y * (x.detach() if lost == "detach" else x.data)

    said = message(fn, random(3))
    assert re.search(
        r"each operation's rule alone is right \(tanh, .*mul.*\), so the gradient is lost or altered", said
    )
    assert "or when gradients are added up" in said


def test_a_backward_pass_that_is_refused_is_reported() -> None:
    def fn(x: Any) -> Any:
        y = x.tanh()
        z = y * y
        y += 1
        return z

    said = message(fn, random(3))
    assert "the backward pass raised RuntimeError: mul: a value" in said
    assert "each operation's rule alone is right" in said


# Wrong second derivatives


def test_a_rule_that_is_not_recorded_has_a_wrong_second_derivative() -> None:
    def constant(y: Any) -> Any:
        return y if isinstance(y, np.ndarray) else y.detach()

    row = Primitive("planted", np.tanh, x=lambda g, y: g * (1 - constant(y) * constant(y)))
    assert gradcheck(lambda x: row(x * 2).exp(), random(3))
    said = message(lambda x: row(x * 2).exp(), random(3), gradgradcheck)
    assert "; the derivative of the rule of planted is wrong: checked alone, operand x" in said
    assert "gradgradcheck: input 0" in said


def test_a_wrong_first_derivative_is_found_by_gradgradcheck_too() -> None:
    row = Primitive("planted", np.square, x=lambda g, x: g * x)
    said = message(lambda x: row(x * 2).exp(), random(3), gradgradcheck)
    assert "; the rule of planted is wrong: checked alone, operand x" in said


def test_gradients_that_arrive_can_be_given() -> None:
    def cubes(x: Any) -> Any:
        return x**3, x.exp()

    x = random(3)
    assert gradgradcheck(cubes, x, (random(3), random(3)))
    assert gradgradcheck(lambda x: x**3, x, random(3))
    wrong = Primitive("planted", np.square, x=lambda g, x: 2 * g * (x if isinstance(x, np.ndarray) else x.detach()))
    assert not gradgradcheck(lambda x: wrong(x), x, minigrad.ones(3), raise_exception=False)


# Kinks

KINKS: dict[str, tuple[Function, minigrad.Tensor, list[tuple[int, float, float]]]] = {
    "relu": (minigrad.relu, t(0, 1, -1), [(0, 0, 1)]),
    "abs": (minigrad.abs, t(-1, 0, 2), [(1, -1, 1)]),
    "a tie in max": (lambda x: x.max(), t(2, 1, 2), [(0, 0, 1), (2, 0, 1)]),
    "a tie in max over a dim": (lambda x: x.max(0).values, t(2, 1, 2), [(0, 0, 1), (2, 0, 1)]),
    "clamp": (lambda x: x.clamp(-1, 1), t(-1, 0.5, 1, 3), [(0, 0, 1), (2, 0, 1)]),
    "two at once": (lambda x: (x.relu(), (-x).relu()), t(0, 2), [(0, 0, 1), (0, -1, 0)]),
    "two scaled": (lambda x: (x.relu(), -5 * (-x).relu()), t(0, 2), [(0, 0, 1), (0, 0, 5)]),
    "beside what is steep": (lambda x: (x.abs() * 1e4, (x + 1).exp()), t(0, 2), [(0, -1e4, 1e4)]),
}


@pytest.mark.parametrize(("fn", "x", "expected"), KINKS.values(), ids=KINKS)
def test_a_gradient_between_the_slopes_of_a_kink_is_right_with_a_warning(
    fn: Function, x: minigrad.Tensor, expected: list[tuple[int, float, float]]
) -> None:
    with pytest.warns(UserWarning, match="kink") as caught:
        assert gradcheck(fn, x)
    pattern = r"gradcheck: input 0, at \((\d),\): a kink, where the slopes are (\S+) and (\S+); the gradient (\S+) lies"
    found = [re.match(pattern, str(warning.message)) for warning in caught]
    slopes = sorted((int(m[1]), float(m[2]), float(m[3])) for m in found if m)
    assert slopes == sorted(expected)
    assert all(float(m[2]) <= float(m[4]) <= float(m[3]) for m in found if m)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("x", [0.0, 1e-9, -1e-9, 1e-300])
def test_a_gradient_outside_of_the_slopes_of_a_kink_is_wrong(x: float) -> None:
    row = Primitive("planted", lambda x: np.maximum(x, 0), x=lambda g, x: g * np.where(x == 0, 2.0, x > 0))
    if x == 0:
        said = message(lambda x: row(x), t(x, 1))
        assert "at (0,): at this kink the slopes are 0 and 1, and the gradient 2 lies outside of them" in said
    else:
        assert gradcheck(lambda x: row(x), t(x, 1))


def test_a_wrong_gradient_beside_a_kink_of_another_result_is_found() -> None:
    row = Primitive("planted", np.sin, x=lambda g, x: g * np.cos(x) * 1.5)
    assert "the rule of planted is wrong" in message(lambda x: (x.relu(), row(x)), t(0))


def test_kinks_that_cancel_leave_a_derivative_and_no_rule_to_blame() -> None:
    said = message(lambda x: x.relu() - (-x).relu(), t(0, 1))
    assert "each operation's rule alone is right (relu, neg, sub), but there is not always a derivative: " in said
    assert "the rule of relu, operand x, at (0,): a kink" in said


# Numbers that are hard to measure

HARD: dict[str, tuple[Function, minigrad.Tensor]] = {
    "a logarithm near 0": (minigrad.log, t(1e-8, 1e-12, 1, 1e8)),
    "a large exponential": (minigrad.exp, t(50, 1, -50)),
    "a cube of large and small": (lambda x: x**3, t(1e6, 1e-3, -1e5)),
    "a root next to where there is none": (minigrad.sqrt, t(1e-12, 1e-20, 1)),
    "a power where there is none on one side": (lambda x: x**1.5, t(0, 1)),
    "steep beside flat": (lambda x: (1e6 * x).tanh() + x, t(1e-5, 0.1, -2e-6, 0, 1e-9)),
    "a flat function of a large number": (minigrad.tanh, t(1e8, 0.5, -1)),
    "a shifted one": (lambda x: (x * 50).sigmoid() + 5, t(50, 0.5, 0.001)),
    "a kink that is near": (lambda x: x.relu() + 5, t(1e-9, -1e-9)),
    "a number that has lost its digits": (lambda x: ((1e8 + x) - 1e8).tanh(), t(0.3, -0.7, 1.1)),
    "the reciprocal of a small number": (lambda x: 1 / x, t(1e-9, 1e9)),
    "a tiny number": (lambda x: x * 3 + x.exp(), t(1e-300, 1e-30)),
    "a quick oscillation": (lambda x: (x * 1e3).tanh() * (x * 1e-3).exp(), t(0.001, 0.5)),
}


@pytest.mark.parametrize(("fn", "x"), HARD.values(), ids=HARD)
def test_no_step_accuses_a_right_gradient(fn: Function, x: minigrad.Tensor) -> None:
    assert gradcheck(fn, x)


@pytest.mark.parametrize(("fn", "x"), HARD.values(), ids=HARD)
def test_a_wrong_gradient_of_the_same_numbers_is_accused(fn: Function, x: minigrad.Tensor) -> None:
    doubled = Primitive("doubled", lambda y: y.copy(), y=lambda g: 2 * g)
    assert not gradcheck(lambda x: doubled(fn(x)), x, raise_exception=False)


def test_what_cannot_be_measured_is_said() -> None:
    with pytest.warns(UserWarning, match=r"input 0, at \(1,\): the derivative cannot be measured, and was not checked"):
        assert gradcheck(minigrad.sqrt, t(1, 0))


def test_nan_is_no_gradient_where_the_function_is_defined() -> None:
    said = message(lambda x: minigrad.where(x > 0, x.sqrt(), x * 0), t(0, 1))
    assert "at (0,): the gradient is nan, where the function is defined" in said


def test_a_right_function_passes_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck(lambda x: (x.tanh() / 3).exp(), random(5))
        assert gradcheck(lambda x, w: F.cross_entropy(x @ w, letters), (random(3, 4), random(4, 5)))
