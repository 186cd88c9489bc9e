"""`autograd.grad`, `autograd.backward` and `backward(inputs=...)` against PyTorch, and derivatives of every order.

What a backward pass adds to `.grad` of leaves, see test_backward.py.
"""

import functools
import itertools
import math
import warnings
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from tests.support import lecture
from tests.support.comparison import (
    FUNCTIONAL,
    Function,
    assert_near,
    assert_refused,
    assert_same,
    compare,
    in_both,
    leaves,
    normal,
    orders,
    ours,
    random,
    refusal,
    theirs,
)

LIBRARIES: list[tuple[Any, Function]] = [(minigrad, ours), (torch, theirs)]


# What grad returns

Grad = Function  # `autograd.grad` of a library


def changed(a: Any) -> Any:
    """A result of which one row was changed in place."""
    y = a * 1
    y[0] *= 3
    return y


def with_intermediate(grad: Grad, a: Any, b: Any) -> Any:
    """The gradients with respect to what lies between the leaves and the result."""
    y = a * b
    z = y.exp() + y
    return grad((z * y).sum(), [y, z, a])


def with_retained(grad: Grad, a: Any, b: Any) -> Any:
    """The gradients, and those that results on the way were told to retain."""
    y = a * b
    z = y.tanh()
    y.retain_grad()
    z.retain_grad()
    return grad((z * y).sum(), a), y.grad.detach(), z.grad.detach()


GRADS: dict[str, Function] = {
    "of one with respect to one": lambda grad, library, a, b: grad((a * a).sum(), a),
    "of a tuple with respect to a tuple": lambda grad, library, a, b: grad(((a * b).sum(),), (b,)),
    "with respect to several": lambda grad, library, a, b: grad((a * b.exp()).sum(), [b, a]),
    "of several": lambda grad, library, a, b: grad([(a * b).sum(), a.exp().sum(), b.tanh().mean()], [a, b]),
    "of several, with gradients": lambda grad, library, a, b: grad([a * b, a.exp()], [a, b], [b.detach(), a.detach()]),
    "with a gradient": lambda grad, library, a, b: grad(a.exp() * b, [a, b], b.detach()),
    "with a gradient by its name": lambda grad, library, a, b: grad(a * b, a, grad_outputs=a.detach()),
    "with None as the gradient": lambda grad, library, a, b: grad((a * a).sum(), a, None),
    "with None in a list": lambda grad, library, a, b: grad((a * a).sum(), a, [None]),
    "with None beside a gradient": lambda grad, library, a, b: grad([a.sum(), a * b], [a, b], [None, a.detach()]),
    "with a gradient of another dtype": lambda grad, library, a, b: grad(a * b, a, b.detach().float()),
    "with a gradient of integers": lambda grad, library, a, b: grad(a * b, a, library.ones(2, 3).long()),
    "of one element": lambda grad, library, a, b: grad((a * b)[:1, :1], [a, b]),
    "of no elements": lambda grad, library, a, b: grad((a * b)[:0], [a, b], a.detach()[:0]),
    "of the sum of no elements": lambda grad, library, a, b: grad((a * b)[:0].sum(), [a, b]),
    "with respect to the same twice": lambda grad, library, a, b: grad((a * b).sum(), [a, b, a]),
    "of the same twice": lambda grad, library, a, b: grad([a * b] * 2, [a, b], [a.detach(), b.detach()]),
    "of two that share a part": lambda grad, library, a, b: grad([(y := a * b).sum(), y.exp().sum()], [a, b]),
    "of one that another was computed from": lambda grad, library, a, b: grad([y := (a * b).sum(), y * y], [a, b]),
    "of a result with respect to itself": lambda grad, library, a, b: grad(y := a * b, y, a.detach()),
    "of a leaf with respect to itself": lambda grad, library, a, b: grad(a, a, b.detach()),
    "of leaves with respect to leaves": lambda grad, library, a, b: grad([a, b], [b, a], [a.detach(), b.detach()]),
    "with respect to results on the way": lambda grad, library, a, b: with_intermediate(grad, a, b),
    "with respect to a view": lambda grad, library, a, b: grad((v := (a * 1)[0]).exp() @ b[1], [v, b]),
    "with respect to what was changed": lambda grad, library, a, b: grad(((y := changed(a)) * y * b).sum(), [y, a]),
    "with results that retain theirs": lambda grad, library, a, b: with_retained(grad, a, b),
    "of an unused one: None": lambda grad, library, a, b: grad((a * a).sum(), [b, a], allow_unused=True),
    "cut off: None": lambda grad, library, a, b: grad((a * b.detach()).sum(), [a, b], allow_unused=True),
    "of none: None": lambda grad, library, a, b: grad([], [a, b], allow_unused=True),
    "through another dtype": lambda grad, library, a, b: grad((a.float() * 3).sum(), a),
    "with respect to another dtype": lambda grad, library, a, b: grad(((y := a.float()) * y).sum(), [y, a]),
    "of a single number": lambda grad, library, a, b: grad((x := a[0, 0] * 1) * x, x),
    "with respect to a generator": lambda grad, library, a, b: grad((a * b).sum(), (x for x in [a, b])),
    "of a generator": lambda grad, library, a, b: grad((x.sum() for x in [a * b, a]), a),
    "beside a leaf that leads nowhere": lambda grad, library, a, b: grad([a, b * 2], b, [b.detach(), a.detach()]),
    "through broadcasting": lambda grad, library, a, b: grad((a[0] * b).sum() * a[0, :1], [a, b]),
}


@pytest.mark.parametrize("create_graph", [False, True], ids=["", "create_graph"])
@pytest.mark.parametrize("function", GRADS.values(), ids=GRADS)
def test_grad(function: Function, create_graph: bool) -> None:
    """The same gradients, of which the same require a gradient; and no `.grad` of a leaf is touched."""
    arrays, results = [normal(2, 3), normal(2, 3)], []
    for library, make in LIBRARIES:
        inputs = leaves(make, arrays)
        results.append(function(functools.partial(library.autograd.grad, create_graph=create_graph), library, *inputs))
        assert [x.grad for x in inputs] == [None, None]
    assert_same(*results)


def test_grad_has_a_short_name() -> None:
    assert minigrad.grad is minigrad.autograd.grad


@pytest.mark.parametrize("create_graph", [False, True])
def test_unused_inputs_have_zeros_where_they_are_asked_for(create_graph: bool) -> None:
    def scenario(library: Any) -> Any:
        a, b = (library.ones(*shape, requires_grad=True) for shape in ((2, 3), (4,)))
        cut = b.double() * 2
        return library.autograd.grad((a * a).sum(), [b, a, cut], materialize_grads=True, create_graph=create_graph)

    in_both(scenario)


def test_a_gradient_there_before_stays_as_it_is() -> None:
    def scenario(library: Any) -> Any:
        a = library.ones(2, requires_grad=True)
        (a * 3).sum().backward()
        gradients = library.autograd.grad((a * a).sum(), a)
        return gradients, a.grad

    in_both(scenario)


@pytest.mark.parametrize("backward", [False, True], ids=["grad", "backward"])
def test_a_gradient_is_recorded_where_that_was_asked_for_even_within_no_grad(backward: bool) -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(2, requires_grad=True)
        y = (x**3).sum()
        with library.no_grad():
            if backward:
                y.backward(inputs=[x], create_graph=True)
            else:
                (x.grad,) = library.autograd.grad(y, x, create_graph=True)
            off = library.is_grad_enabled()
        return library.autograd.grad(x.grad.sum(), x), off

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using backward")
        in_both(scenario)


def test_a_leaf_that_no_longer_requires_a_gradient_gets_none() -> None:
    def scenario(library: Any) -> Any:
        a, b = (library.ones(2, requires_grad=True) for _ in range(2))
        y = (a * b).sum()
        a.requires_grad_(False)
        y.backward()
        return a.grad, b.grad

    in_both(scenario)


REFUSED: dict[str, tuple[Function, str]] = {
    "no inputs": (lambda T, a, b: T.autograd.grad(a.sum(), []), "grad: there are no inputs"),
    "no inputs of a backward": (lambda T, a, b: a.sum().backward(inputs=[]), "backward: there are no inputs"),
    "no outputs": (lambda T, a, b: T.autograd.grad([], [a]), "grad: "),
    "an unused input": (lambda T, a, b: T.autograd.grad(a.sum(), [a, b]), "input 1, of shape (2, 3)"),
    "an input cut off": (lambda T, a, b: T.autograd.grad((a.detach() * b).sum(), a), "allow_unused=True"),
    "a copy of the input": (lambda T, a, b: T.autograd.grad(a.sum(), a * 1), "not a copy"),
    "an input changed since": (
        lambda T, a, b: T.autograd.grad([(y := a * 1).sum(), y.mul_(2).sum()][0], y),
        "input 0",
    ),
    "unused refused in words": (lambda T, a, b: T.autograd.grad(a.sum(), b, allow_unused=False), "input 0"),
    "zeros and a refusal": (
        lambda T, a, b: T.autograd.grad(a.sum(), b, allow_unused=False, materialize_grads=True),
        "materialize_grads",
    ),
    "a constant as an input": (lambda T, a, b: T.autograd.grad(a.sum(), [a, b.detach()]), "input 1, of shape (2, 3)"),
    "a constant, unused or not": (lambda T, a, b: T.autograd.grad(a.sum(), b.detach(), allow_unused=True), "input 0"),
    "a constant for a backward": (lambda T, a, b: a.sum().backward(inputs=[a, b.detach()]), "backward: input 1"),
    "a constant as the output": (lambda T, a, b: T.autograd.grad(a.detach().sum(), a), "does not require a gradient"),
    "a constant among the outputs": (lambda T, a, b: T.autograd.grad([a.sum(), b.detach().sum()], a), "grad: "),
    "no gradient for many numbers": (lambda T, a, b: T.autograd.grad(a * b, a), "as grad_outputs"),
    "none for one of several": (lambda T, a, b: T.autograd.grad([a.sum(), a], a, [None, None]), "as grad_outputs"),
    "none for a backward": (lambda T, a, b: T.autograd.backward([a.sum(), a * b]), "as gradient"),
    "too few gradients": (lambda T, a, b: T.autograd.backward([a, b], [b.detach()]), "1 gradients for 2 tensors"),
    "one gradient for two": (lambda T, a, b: T.autograd.backward([a, b], b.detach()), "1 gradients for 2 tensors"),
    "a gradient of another shape": (lambda T, a, b: T.autograd.grad(a * b, a, b[0].detach()), "shape (3,)"),
    "a gradient that would broadcast": (lambda T, a, b: T.autograd.grad(a * b, a, a[:1].detach()), "shape (1, 3)"),
    "a number as the gradient": (lambda T, a, b: T.autograd.backward(a.sum(), 2.0), "backward: a gradient must be"),
    "a number as the output": (lambda T, a, b: T.autograd.grad(1.0, a), ""),
    "released by a backward": (
        lambda T, a, b: [(y := a.exp().sum()).backward(), T.autograd.grad(y, a)],
        "exp: backward through the graph a second time",
    ),
}


@pytest.mark.parametrize(("function", "message"), REFUSED.values(), ids=REFUSED)
def test_what_pytorch_refuses(function: Function, message: str) -> None:
    assert_refused(function, normal(2, 3), normal(2, 3), message=message)


def test_a_refused_grad_leaves_the_gradients_as_they_were() -> None:
    a, b = leaves(ours, [normal(2), normal(2)])
    with pytest.raises(RuntimeError, match="input 1"):
        minigrad.autograd.grad((a * a).sum(), [a, b])
    assert (a.grad, b.grad) == (None, None)


# backward with inputs, and of several tensors

BACKWARDS: dict[str, Function] = {
    "one of two leaves": lambda T, a, b: (a * b).sum().backward(inputs=[b]),
    "one that is no list": lambda T, a, b: (a * b).sum().backward(inputs=a),
    "from a generator": lambda T, a, b: (a * b).sum().backward(inputs=(x for x in [a, b])),
    "the same twice": lambda T, a, b: (a * b).sum().backward(inputs=[a, a]),
    "an unused one": lambda T, a, b: (a * a).sum().backward(inputs=[a, b]),
    "with a gradient": lambda T, a, b: (a * b).backward(b.detach(), inputs=[a]),
    "of several tensors": lambda T, a, b: T.autograd.backward([a * b, b.exp()], [b.detach(), a.detach()]),
    "of several numbers": lambda T, a, b: T.autograd.backward([(a * b).sum(), b.exp().mean()]),
    "of several, for one": lambda T, a, b: T.autograd.backward([(a * b).sum(), b.exp().mean()], inputs=a),
    "of none": lambda T, a, b: T.autograd.backward([]),
    "of none, for one": lambda T, a, b: T.autograd.backward([], inputs=[a]),
    "of leaves": lambda T, a, b: T.autograd.backward([a, b], [b.detach(), a.detach()]),
    "of a leaf that leads nowhere": lambda T, a, b: T.autograd.backward([a, b * 2], [a.detach()] * 2, inputs=[b]),
    "twice, which adds up": lambda T, a, b: [(a * b).sum().backward(inputs=[x]) for x in (a, b, a)],
}


@pytest.mark.parametrize("function", BACKWARDS.values(), ids=BACKWARDS)
def test_backward(function: Function) -> None:
    arrays, results = [normal(2, 3), normal(2, 3)], []
    for library, make in LIBRARIES:
        inputs = leaves(make, arrays)
        function(library, *inputs)
        results.append([x.grad for x in inputs])
    assert_same(*results)


def test_backward_for_a_result_adds_to_its_gradient() -> None:
    """A result among the inputs keeps its gradient, as a leaf does, from this pass and from the next."""

    def scenario(library: Any) -> Any:
        a = library.ones(3, requires_grad=True)
        y = a.exp()
        y.sum().backward(inputs=[y], retain_graph=True)
        (y * y).sum().backward(inputs=[y, a])
        return a.grad, y.grad

    in_both(scenario)


def test_a_result_that_leads_to_none_of_the_inputs_retains_nothing() -> None:
    def scenario(library: Any) -> Any:
        a, b = (library.ones(3, requires_grad=True) for _ in range(2))
        y, z = a * 3, b * 3
        y.retain_grad()
        z.retain_grad()
        library.autograd.backward([y.sum(), y.exp().sum(), z.sum()], inputs=[b])
        return a.grad, b.grad, y.grad, z.grad

    in_both(scenario)


# What is released

SECOND_PASSES: dict[str, Function] = {
    "the same again": lambda grad, x: (grad(y := x.exp().sum(), x), y, x),
    "a part that it did not run through": lambda grad, x: (grad((y := x.exp()).tanh().sum(), y), y.sum(), x),
    "a part that it ran through": lambda grad, x: (grad((z := (y := x.exp()).tanh()).sum(), y), z.sum(), y),
    "a branch to another leaf": lambda grad, x: (grad(((y := x.exp()) * (z := x.tanh())).sum(), y), z.sum(), x),
    "a branch of the same node": lambda grad, x: (grad((y := x.exp()).tanh().sum(), x), (y * y).sum(), x),
    "a branch above what it ran through": lambda grad, x: (grad((y := x.exp()).sum(), x), y.tanh().sum(), y),
    "retained": lambda grad, x: (grad(y := x.exp().sum(), x, retain_graph=True), y, x),
    "recorded, and so retained": lambda grad, x: (grad(y := x.exp().sum(), x, create_graph=True), y, x),
    "recorded, but not retained": lambda grad, x: (
        grad(y := x.exp().sum(), x, create_graph=True, retain_graph=False),
        y,
        x,
    ),
    "nothing saved": lambda grad, x: (grad(y := (x + 1).sum(), x), y, x),
}


@pytest.mark.parametrize("function", SECOND_PASSES.values(), ids=SECOND_PASSES)
def test_a_second_pass_is_refused_where_pytorch_refuses_it(function: Function) -> None:
    array, refused = normal(3), []
    for library, make in LIBRARIES:
        _, output, input = function(library.autograd.grad, make(array, requires_grad=True))
        error = refusal(library.autograd.grad, output, input)
        assert error is None or "second time" in str(error)
        refused.append(error is not None)
    assert refused[0] == refused[1]


# Nobody's array is changed behind their back


@pytest.mark.parametrize("name", [name for name in GRADS if "generator" not in name and "of none" not in name])
def test_results_share_no_memory_with_the_graph(name: str) -> None:
    """Writing into them changes no operand, no gradient that arrived, and nothing that another pass needs."""
    inputs = leaves(ours, [normal(2, 3), normal(2, 3)])
    given: list[Any] = []

    def grad(*arguments: Any, **settings: Any) -> Any:
        given[:] = [functools.partial(minigrad.autograd.grad, *arguments, **settings | {"retain_graph": True})]
        return given[0]()

    def again() -> list[Any]:
        return [None if x is None else x.tolist() for x in given[0]()]

    GRADS[name](grad, minigrad, *inputs)
    before, operands = again(), [x.tolist() for x in inputs]
    results = given[0]()
    for first, second in itertools.combinations({id(x): x for x in results if x is not None}.values(), 2):
        assert not np.shares_memory(first.array, second.array)
    for x in results:
        if x is not None:
            x.array[...] = 1000
    assert again() == before
    assert [x.tolist() for x in inputs] == operands


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # PyTorch's, of a memory leak
def test_recorded_gradients_of_two_leaves_are_apart() -> None:
    """Though the rule of a sum gives one gradient to both."""

    def scenario(library: Any) -> Any:
        a, b = (library.ones(2, requires_grad=True) for _ in range(2))
        (a + b).backward(library.tensor([1.0, 2.0]), create_graph=True)
        (a * 2 + b * 3).sum().backward()
        return a.grad.detach(), b.grad.detach()

    in_both(scenario)


def test_recorded_results_are_apart_from_one_another_and_from_the_gradient_that_arrived() -> None:
    a, b = leaves(ours, [normal(3), normal(3)])
    upstream = minigrad.ones(3, dtype=minigrad.float64)
    first, second = minigrad.autograd.grad(a + b, [a, b], upstream, create_graph=True)
    first += 1000
    assert (second.tolist(), upstream.tolist()) == ([1.0] * 3, [1.0] * 3)


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # PyTorch's, of a memory leak
def test_what_a_recorded_gradient_is_needed_for_is_refused_once_another_backward_has_added_to_it() -> None:
    def scenario(library: Any, x: Any) -> None:
        (x**3).sum().backward(create_graph=True)
        penalty = (x.grad**2).sum()
        (x * 100).sum().backward()
        penalty.backward()

    assert_refused(scenario, normal(3), message="changed by backward")


def test_the_gradient_that_a_result_retained_is_its_own() -> None:
    x = minigrad.ones(3, requires_grad=True)
    y = x * 2
    y.retain_grad()
    (gradient,) = minigrad.autograd.grad((y * y).sum(), y)
    gradient += 1000
    assert y.grad is not None
    assert y.grad.tolist() == [4.0] * 3


# Only what is needed


class Ran(list[str]):
    """The rules that were run, in order: called by a rule, it adds a name, and gives back the gradient."""

    def __call__(self, name: str, g: Any) -> Any:
        self.append(name)
        return g

    def by(self, run: Function) -> list[str]:
        """The rules that a call runs."""
        self.clear()
        run()
        return [*self]


ran = Ran()
tanh = Primitive("tanh", np.tanh, x=lambda g, y: ran("tanh", g * (1 - y * y)))
exp = Primitive("exp", np.exp, x=lambda g, y: ran("exp", g * y))
log = Primitive("log", np.log, x=lambda g, x: ran("log", g / x))
total = Primitive("sum", lambda x: np.asarray(x.sum()), x=lambda g, x_shape: ran("sum", ops.expand(g, x_shape)))
mul = Primitive("mul", np.multiply, a=lambda g, b: ran("mul a", g * b), b=lambda g, a: ran("mul b", g * a))
add = Primitive("add", np.add, a=lambda g: ran("add a", g), b=lambda g: ran("add b", g))
linear = Primitive(
    "linear",
    lambda x, weight, bias: x @ weight.mT + bias,
    x=lambda g, weight: ran("linear x", g @ weight),
    weight=lambda g, x: ran("linear weight", g.mT @ x),
    bias=lambda g: ran("linear bias", g),
)


def test_only_rules_on_the_way_to_the_inputs_run() -> None:
    a, b = minigrad.ones(3, requires_grad=True), minigrad.ones(2, 1, requires_grad=True)
    loss = add(total(mul(tanh(a), exp(b))), total(log(b)))
    expected = {
        a: ["add a", "sum", "mul a", "tanh"],
        b: ["add a", "add b", "sum", "log", "sum", "mul b", "exp"],
    }
    for x, rules in expected.items():
        for run in (minigrad.autograd.grad, lambda y, x, **settings: y.backward(inputs=[x], **settings)):
            assert ran.by(functools.partial(run, loss, x, retain_graph=True)) == rules


def test_the_pass_ends_at_the_inputs() -> None:
    a = minigrad.ones(3, requires_grad=True)
    y = tanh(exp(a))
    assert ran.by(lambda: minigrad.autograd.grad(total(y), y)) == ["sum"]
    assert ran.by(lambda: minigrad.autograd.grad(y, y, y.detach())) == []


def test_no_gradient_of_a_matrix_is_computed_for_a_bias() -> None:
    weight, bias = minigrad.ones(2, 3, requires_grad=True), minigrad.ones(2, requires_grad=True)
    loss = total(linear(minigrad.ones(4, 3), weight, bias))
    assert ran.by(lambda: minigrad.autograd.grad(loss, bias, retain_graph=True)) == ["sum", "linear bias"]
    assert ran.by(loss.backward) == ["sum", "linear weight", "linear bias"]  # and none for the inputs


# Derivatives of higher order


def derivatives(library: Any, function: Function, x: Any, order: int) -> list[Any]:
    """The first `order` derivatives of a function of each element of x."""
    result, found = function(x), []
    for _ in range(order):
        (result,) = library.autograd.grad(result.sum(), x, create_graph=True)
        found.append(result)
    return found


def polynomials(step: Sequence[int]) -> Function:
    """Derivatives of a y with dy/dx = step(y), a polynomial of y as they are: their exact coefficients, low to high."""

    def derivative(y: float, order: int) -> Fraction:
        coefficients = [0, 1]
        for _ in range(order):
            slope = [i * c for i, c in enumerate(coefficients)][1:]
            coefficients = [0] * (len(slope) + len(step) - 1)
            for (i, c), (j, s) in itertools.product(enumerate(slope), enumerate(step)):
                coefficients[i + j] += c * s
        return sum((c * Fraction(y) ** i for i, c in enumerate(coefficients)), Fraction())

    return derivative


def of_power(exponent: float) -> Function:
    """The derivatives of x ** exponent."""
    return lambda x, n: math.prod(exponent - i for i in range(n)) * (x ** (exponent - n) if exponent - n else 1.0)


HIGH: dict[str, tuple[int, Function, Function]] = {
    "tanh": (10, lambda x: x.tanh(), lambda x, n: polynomials([1, 0, -1])(math.tanh(x), n)),
    "sigmoid": (10, lambda x: x.sigmoid(), lambda x, n: polynomials([0, 1, -1])(1 / (1 + math.exp(-x)), n)),
    "exp": (10, lambda x: x.exp(), lambda x, n: math.exp(x)),
    "log": (8, lambda x: x.log(), lambda x, n: (-1) ** (n - 1) * math.factorial(n - 1) / x**n),
    "1 / x": (6, lambda x: 1 / x, of_power(-1)),
    "sqrt": (6, lambda x: x.sqrt(), of_power(0.5)),
    "x ** -1": (10, lambda x: x**-1, of_power(-1)),
    "x ** 13": (10, lambda x: x**13, of_power(13)),
    "x ** 10": (10, lambda x: x**10, of_power(10)),
    "x ** -2.5": (10, lambda x: x**-2.5, of_power(-2.5)),
    "2 ** x": (10, lambda x: 2**x, lambda x, n: 2**x * math.log(2) ** n),
}


@pytest.mark.parametrize(("order", "function", "mathematics"), HIGH.values(), ids=HIGH)
def test_derivatives_of_high_order(order: int, function: Function, mathematics: Function) -> None:
    """Where the rules have quotients in them they grow fast, and the order is lower."""
    points = np.array([0.3, 0.75, 1.6])
    mine, reference = (
        derivatives(library, function, make(points, requires_grad=True), order) for library, make in LIBRARIES
    )
    for n, (derivative, expected) in enumerate(zip(mine, reference, strict=True), start=1):
        exact = [float(mathematics(x, n)) for x in points.tolist()]
        np.testing.assert_allclose(derivative.detach().numpy(), exact, rtol=1e-10, atol=1e-10 * max(map(abs, exact)))
        assert_near(derivative, expected, 1e-10)


def test_the_derivatives_of_a_power_at_zero() -> None:
    x = ours(np.zeros(1), requires_grad=True)
    assert [derivative.item() for derivative in derivatives(minigrad, lambda x: x**3, x, 5)] == [0, 0, 6, 0, 0]


def test_a_mixed_derivative_does_not_depend_on_the_order() -> None:
    arrays = [normal(3), normal(3)]

    def f(a: Any, b: Any) -> Any:
        return ((a * b).tanh() * a.exp() / (1 + b * b)).sum()

    found = []
    for library, make in LIBRARIES:
        for first, second in ((0, 1), (1, 0)):
            inputs = leaves(make, arrays)
            (slope,) = library.autograd.grad(f(*inputs), inputs[first], create_graph=True)
            found.append(library.autograd.grad(slope.sum(), inputs[second])[0])
    for mixed in found[:2]:
        assert_near(mixed, found[2])
        assert_near(mixed, found[3])


# Hessians

CONTEXT, CLASSES, WIDTH = 3, 7, 5
SHAPES = lecture.shapes(CLASSES, embedding=2, context=CONTEXT, hidden=WIDTH)
Xb, Yb = np.random.default_rng(1).integers(0, CLASSES, (12, CONTEXT)), np.random.default_rng(2).integers(0, CLASSES, 12)


def parameters() -> list[np.ndarray]:
    """Numbers for the parameters of the lecture's network, but for b1, of which no gradient is left by BatchNorm."""
    return [normal(*shape) for name, shape in SHAPES.items() if name != "b1"]


def named(library: Any, C: Any, W1: Any, *others: Any) -> list[Any]:
    """All that the lecture's network takes."""
    b1 = library.zeros(WIDTH, dtype=library.float64)
    return [C, W1, b1, *others, library.tensor(Xb), library.tensor(Yb)]


def fused(library: Any, *given: Any) -> Any:
    """The loss by the functions of nn.functional."""
    return lecture.fused(library, *named(library, *given))


def spelled_out(library: Any, *given: Any) -> Any:
    """The loss by the steps of the lesson."""
    return lecture.forward(library, *named(library, *given), ddof=0)["loss"]


def hessian_times(library: Any, loss: Function, inputs: list[Any], directions: Sequence[Any]) -> Any:
    """The product of the loss's Hessian and a vector, in the parts that belong to the inputs."""
    slopes = library.autograd.grad(loss(library, *inputs), inputs, create_graph=True)
    return library.autograd.grad(slopes, inputs, directions)


@pytest.mark.parametrize("loss", [fused, spelled_out])
def test_a_hessian_vector_product_of_the_courses_mlp(loss: Function) -> None:
    """As in PyTorch, as by the differences of gradients, and the Hessian is symmetric."""
    arrays, directions, others = parameters(), parameters(), parameters()
    mine = hessian_times(minigrad, loss, leaves(ours, arrays), [*map(ours, directions)])
    reference = hessian_times(torch, loss, leaves(theirs, arrays), [*map(theirs, directions)])
    for product, expected in zip(mine, reference, strict=True):
        assert_near(product, expected, 1e-10)

    def slopes(distance: float) -> list[np.ndarray]:
        moved = leaves(ours, [x + distance * v for x, v in zip(arrays, directions, strict=True)])
        return [slope.array for slope in minigrad.autograd.grad(loss(minigrad, *moved), moved)]

    for product, ahead, behind in zip(mine, slopes(1e-5), slopes(-1e-5), strict=True):
        np.testing.assert_allclose(product.array, (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-7)
    mirrored = hessian_times(minigrad, loss, leaves(ours, arrays), [*map(ours, others)])
    forth, back = (
        sum(float((x.array * y).sum()) for x, y in zip(products, vectors, strict=True))
        for products, vectors in ((mine, others), (mirrored, directions))
    )
    assert forth == pytest.approx(back, rel=1e-10)


def test_both_spellings_of_the_mlp_have_one_hessian() -> None:
    arrays, directions = parameters(), [*map(ours, parameters())]
    products = [hessian_times(minigrad, loss, leaves(ours, arrays), directions) for loss in (fused, spelled_out)]
    for mine, other in zip(*products, strict=True):
        assert_near(mine, other, 1e-10)


def test_a_hessian_vector_product_of_a_model_of_layers() -> None:
    """Embedding, Flatten, Linear, BatchNorm1d, Tanh, Linear: the same state in both libraries."""
    mine = nn.MLP(CLASSES, block_size=CONTEXT, embedding=2, hidden=WIDTH).to(minigrad.float64)
    layers = torch.nn
    reference = layers.Sequential(
        layers.Embedding(CLASSES, 2),
        layers.Flatten(),
        layers.Linear(2 * CONTEXT, WIDTH, bias=False),
        layers.BatchNorm1d(WIDTH),
        layers.Tanh(),
        layers.Linear(WIDTH, CLASSES),
    ).double()
    reference.load_state_dict({name: torch.from_numpy(x.array.copy()) for name, x in mine.state_dict().items()})
    directions = [normal(*x.shape) for x in mine.parameters()]
    products = []
    for (library, make), model in zip(LIBRARIES, (mine, reference), strict=True):
        weights: list[Any] = [*model.parameters()]

        def loss(library: Any, *_: Any, model: Any = model) -> Any:
            return FUNCTIONAL[library].cross_entropy(model(library.tensor(Xb)), library.tensor(Yb))

        products.append(hessian_times(library, loss, weights, [*map(make, directions)]))
    for product, expected in zip(*products, strict=True):
        assert_near(product, expected, 1e-10)


def test_the_hessian_of_rosenbrocks_function() -> None:
    """Each of its rows is the gradient of one element of the gradient."""
    array = np.array([0.5, -1.25, 2.0])
    x = ours(array, requires_grad=True)
    value = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
    (slope,) = minigrad.autograd.grad(value, x, create_graph=True)
    rows = [minigrad.autograd.grad(slope[i], x, retain_graph=True)[0].tolist() for i in range(3)]
    a, b, c = array
    expected = [
        [1200 * a**2 - 400 * b + 2, -400 * a, 0.0],
        [-400 * a, 202 + 1200 * b**2 - 400 * c, -400 * b],
        [0.0, -400 * b, 200.0],
    ]
    np.testing.assert_allclose(rows, expected, rtol=1e-13, atol=1e-10)


# Losses that hold gradients

STEPS = 50


def descend(library: Any, weights: list[Any], slopes: Sequence[Any]) -> None:
    with library.no_grad():
        for weight, slope in zip(weights, slopes, strict=True):
            weight -= 0.05 * slope


def test_a_critic_with_a_gradient_penalty_trains_as_in_pytorch() -> None:
    """Gulrajani et al., "Improved Training of Wasserstein GANs", 2017."""
    arrays = [normal(2, 8) * 0.7, normal(8) * 0.1, normal(8, 1) * 0.5]
    real, fake, share = normal(STEPS, 16, 2) + 1, normal(STEPS, 16, 2) - 1, random.uniform(size=(STEPS, 16, 1))
    losses: list[list[float]] = []
    for library, make in LIBRARIES:
        weights, history = [make(array.copy()).clone().requires_grad_() for array in arrays], []

        def critic(x: Any, weights: list[Any] = weights) -> Any:
            return (x @ weights[0] + weights[1]).tanh() @ weights[2]

        for i in range(STEPS):
            between = make(share[i] * real[i] + (1 - share[i]) * fake[i], requires_grad=True)
            (slope,) = library.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = (((slope**2).sum(1) + 1e-12).sqrt() - 1) ** 2
            loss = critic(make(fake[i])).mean() - critic(make(real[i])).mean() + 10 * penalty.mean()
            descend(library, weights, library.autograd.grad(loss, weights))
            history.append(loss.item())
        losses.append(history)
    np.testing.assert_allclose(*losses, rtol=1e-8)
    assert losses[0][-1] < losses[0][0] - 1


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # PyTorch's, of a memory leak
def test_a_classifier_with_small_input_gradients_trains_as_in_pytorch() -> None:
    """The penalty goes backwards through the fused rows. Drucker and LeCun, "Double backpropagation", 1992."""
    arrays = [normal(6, 4) * 0.5, normal(6), normal(3, 6) * 0.5, normal(3)]
    inputs, target = normal(20, 4), random.integers(0, 3, 20)
    losses: list[list[float]] = []
    for library, make in LIBRARIES:
        functional, history = FUNCTIONAL[library], []
        weights = [make(array).clone().requires_grad_() for array in arrays]
        for _ in range(STEPS):
            x = make(inputs, requires_grad=True)
            states = functional.linear(x, *weights[:2]).tanh()
            loss = functional.cross_entropy(functional.linear(states, *weights[2:]), library.tensor(target))
            (slope,) = library.autograd.grad(loss, x, create_graph=True)
            loss = loss + 5 * (slope * slope).sum()
            for weight in weights:
                weight.grad = None
            loss.backward()
            descend(library, weights, [weight.grad for weight in weights])
            history.append(loss.item())
        losses.append(history)
    np.testing.assert_allclose(*losses, rtol=1e-8)
    assert losses[0][-1] < losses[0][0]


# Second gradients of what is composed of several operations


def assigned(x: Any, y: Any) -> Any:
    """`x` with a row put in place, computed from `y`."""
    changed = x * 1
    changed[0] = y[1] * y[0]
    return changed * changed


COMPOSED: dict[str, Function] = {
    "ties": lambda library, x, y: library.where(x > 1, 1.0, x).max() * y,
    "a maximum and a sum": lambda library, x, y: x.max(1).values * y.sum(),
    "a product at a corner": lambda library, x, y: (x - y).abs() * x + (x - y).relu(),
    "clamped squares": lambda library, x, y: (x * x).clamp(0.5, 1.5) * y,
    "a choice": lambda library, x, y: library.where(x > y, x * y, y**3),
    "gelu": lambda library, x, y: FUNCTIONAL[library].gelu(x) * y,
    "a variance": lambda library, x, y: (x * y).var((0, 1), keepdim=True) * y,
    "std": lambda library, x, y: x.std(0) * y,
    "stack": lambda library, x, y: library.stack([x, y]) ** 3,
    "another dtype on the way": lambda library, x, y: x.float().double() * y * x,
    "index_add_": lambda library, x, y: (
        library.zeros(4, 3, dtype=x.dtype).index_add_(0, library.tensor([0, 0]), x * y) ** 2
    ),
    "a row assigned in place": lambda library, x, y: assigned(x, y),
    "a transposed product": lambda library, x, y: x.T @ y,
    "a batch of products": lambda library, x, y: x.expand(4, 2, 3) @ y.T,
    "batch_norm of a transposed batch": lambda library, x, y: FUNCTIONAL[library].batch_norm(
        x.T, None, None, y[:, 0], y[:, 1], True
    ),
    "cross_entropy": lambda library, x, y: FUNCTIONAL[library].cross_entropy(x * y, library.tensor([2, 0])),
}


@pytest.mark.parametrize("function", COMPOSED.values(), ids=COMPOSED)
def test_the_gradient_of_a_gradient_through_several_operations(function: Function) -> None:
    arrays = [random.uniform(0.5, 1.5, (2, 3)) for _ in range(2)]
    mine = orders(minigrad, ours, function, arrays, 2)
    for gradient, reference in zip(mine, orders(torch, theirs, function, arrays, 2), strict=True):
        assert_near(gradient, reference)


# Piecewise linear functions: their second derivatives are zeros where PyTorch connects them

PIECEWISE: dict[str, Any] = {
    "relu": lambda library, x: x.relu(),
    "abs": lambda library, x: x.abs(),
    "relu of a product": lambda library, x: (x * x - 1).relu(),
    "leaky": lambda library, x: x.relu() - 0.1 * (-x).relu(),
    "relu twice": lambda library, x: x.relu().abs().relu(),
}


@pytest.mark.parametrize("name", PIECEWISE)
def test_the_second_derivative_of_a_piecewise_linear_function(name: str) -> None:
    found = []
    for library, make in (minigrad, ours), (torch, theirs):
        x = make(np.array([1.5, -1.0, 0.5, 0.0]), requires_grad=True)
        (slope,) = library.autograd.grad(PIECEWISE[name](library, x).sum(), x, create_graph=True)
        found.append(
            library.autograd.grad(slope.sum(), x)[0] + library.zeros_like(x)
        )  # PyTorch makes no array of zeros
    assert_same(*found)


def test_a_gradient_penalty_gives_every_parameter_a_gradient() -> None:
    weights = [normal(3, 4), normal(4), normal(4, 1), normal(1)]
    found = []
    for library, make in (minigrad, ours), (torch, theirs):
        w1, b1, w2, b2 = (make(array, requires_grad=True) for array in weights)
        x = make(np.linspace(-1, 1, 15).reshape(5, 3), requires_grad=True)
        y = (x @ w1 + b1).relu() @ w2 + b2
        (slope,) = library.autograd.grad(y.sum(), x, create_graph=True)
        ((slope * slope).sum() + y.mean()).backward()
        found.append([w1.grad, b1.grad, w2.grad, b2.grad])
    for mine, reference in zip(*found, strict=True):
        assert_same(mine, reference)


def test_the_greatest_of_numbers_with_nan_has_the_gradient() -> None:
    for array in ([1.0, np.nan, 3.0], [np.nan, np.nan], [[1.0, np.nan], [2.0, 3.0]]):
        compare(lambda library, x: x.max(), np.array(array))
        compare(lambda library, x: x.min(), np.array(array))
