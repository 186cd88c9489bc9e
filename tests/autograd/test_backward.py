"""The reverse pass: what it adds where, what it lets go, what it refuses, and that it needs no recursion."""

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from minigrad.core.record import SMALL
from tests.support.comparison import (
    Function,
    assert_close,
    assert_refused,
    assert_same,
    compare,
    in_both,
    leaves,
    normal,
    ours,
    random,
    refusal,
    theirs,
)

LIBRARIES = [minigrad, torch]


# What arrives in .grad


def test_a_leaf_has_no_gradient_before_the_first_backward() -> None:
    assert minigrad.ones(2, requires_grad=True).grad is None


def test_gradients_of_two_backwards_add_up() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], requires_grad=True)
        (x * x).sum().backward()
        (x * 3).sum().backward()
        return x.grad

    in_both(scenario)


def test_a_gradient_can_be_set_to_none_and_starts_anew() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], requires_grad=True)
        for _ in range(2):
            x.grad = None
            (x * x).sum().backward()
        return x.grad

    in_both(scenario)


def test_a_gradient_can_be_given_beforehand() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], requires_grad=True)
        x.grad = library.tensor([10.0, 20.0])
        (x * x).sum().backward()
        return x.grad

    in_both(scenario)


def test_a_constant_gets_no_gradient() -> None:
    def scenario(library: Any) -> Any:
        x, constant = library.ones(2, requires_grad=True), library.ones(2)
        (x * constant).sum().backward()
        return [x.grad, constant.grad]

    in_both(scenario)


def test_only_operands_that_need_a_gradient_have_their_rules_run() -> None:
    compare(lambda library, x: x ** library.zeros(3).to(library.float64), np.array([0.0, -1.0, 2.0]))


def test_a_leaf_that_the_result_does_not_depend_on_keeps_none() -> None:
    compare(lambda library, a, b: (a * 2, b.detach() * a), normal(3), normal(3))


@pytest.mark.parametrize("shared", [lambda x: x + x, lambda x: x * x, lambda x: x / x, lambda x: x**x, lambda x: x @ x])
def test_the_same_tensor_on_both_sides(shared: Function) -> None:
    compare(lambda library, x: shared(x), random.uniform(1, 2, (3, 3)))


def test_a_diamond() -> None:
    compare(lambda library, x: (x * 2) * (x + 1) + (x * 2), normal(3))


def test_a_chain_of_diamonds_costs_one_step_each() -> None:
    def diamonds(library: Any, x: Any) -> Any:
        for _ in range(200):
            x = x * 0.5 + x * 0.5
        return x

    compare(diamonds, normal(2))


def test_branches_of_unequal_length() -> None:
    compare(lambda library, x: x.tanh().exp().sum() * x + x.sum(0, keepdim=True), normal(3, 2))


def test_a_small_network_as_in_the_lesson() -> None:
    def network(library: Any, x: Any, hidden: Any, bias: Any, gain: Any, output: Any) -> Any:
        linear = x.detach() @ hidden
        normalised = gain * (linear - linear.mean(0, keepdim=True)) / linear.std(0, keepdim=True) + bias
        logits = normalised.tanh() @ output
        counts = (logits - logits.max(1, keepdim=True).values).exp()
        probabilities = counts / counts.sum(1, keepdims=True)
        return -probabilities.log()[range(8), [0, 1, 2, 0, 1, 2, 0, 1]].mean()

    compare(network, normal(8, 5), normal(5, 6), normal(6), normal(1, 6), normal(6, 3))


def test_several_roots() -> None:
    compare(lambda library, x: (x.sum(), x * 2, x.max(0), x[0] * x[1]), normal(3, 2))


# Results, which are not leaves


def test_the_gradient_of_a_result_is_let_go_and_asking_for_it_warns() -> None:
    for library in LIBRARIES:
        x = library.ones(2, requires_grad=True)
        y = x * 2
        y.sum().backward()
        with pytest.warns(UserWarning, match="retain_grad"):
            assert y.grad is None


CHANGES_IN_PLACE: dict[str, Function] = {
    "none": lambda x: None,
    "the result": lambda x: x.mul_(2),
    "a part of it": lambda x: x[0].mul_(2),
    "an assignment": lambda x: x.__setitem__(0, 5.0),
}


@pytest.mark.parametrize("change", CHANGES_IN_PLACE.values(), ids=CHANGES_IN_PLACE)
def test_the_warning_about_the_gradient_of_a_result_says_how_to_keep_it(change: Function) -> None:
    def scenario(library: Any, retains: bool) -> Any:
        x = library.ones(2, requires_grad=True) * 3
        change(x)
        if retains:
            x.retain_grad()
        (x * x).sum().backward()
        return x.grad

    with pytest.warns(
        UserWarning, match=r"call \.retain_grad\(\) on it before backward\(\) and after changes in place"
    ):
        assert scenario(minigrad, retains=False) is None
    assert_same(scenario(minigrad, retains=True), scenario(torch, retains=True))


def test_the_gradient_of_a_result_is_kept_where_it_was_asked_for() -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(2, requires_grad=True)
        y = x * 2
        z = y.exp()
        y.retain_grad()
        z.retain_grad()
        (z * y).sum().backward()
        return [x.grad, y.grad, z.grad]

    in_both(scenario)


def test_the_gradients_of_two_passes_that_a_result_keeps() -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(2, requires_grad=True)
        y = x * 2
        z = y.sum()
        y.retain_grad()
        z.retain_grad()
        (z * 3).backward(retain_graph=True)
        before = y.grad
        (z * 3).backward()
        z.grad += 1
        y.grad[0] = 7
        return [x.grad, before, y.grad, z.grad]

    in_both(scenario)


def test_a_root_can_retain_its_gradient_and_a_leaf_does_anyway() -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(2, requires_grad=True)
        x.retain_grad()
        y = (x * 3).sum()
        y.retain_grad()
        y.backward()
        return [x.grad, y.grad]

    in_both(scenario)


def test_what_is_a_leaf() -> None:
    def scenario(library: Any) -> Any:
        x, constant = library.ones(2, requires_grad=True), library.ones(2)
        y, z = x * 2, constant * 2
        tensors = [x, constant, y, z, y.detach(), x.data, x.detach()]
        return [[t.is_leaf, t.requires_grad, t.grad_fn is None] for t in tensors]

    in_both(scenario)


# The gradient that arrives


def test_a_single_number_needs_no_gradient() -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(1, 1, requires_grad=True)
        (x * 3).backward()
        return x.grad

    in_both(scenario)


def test_the_arriving_gradient_is_used_as_given() -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(3, requires_grad=True)
        (x * 2).backward(gradient=library.tensor([0.0, -1.0, 0.5]))
        x.backward(library.ones(3))
        return x.grad

    in_both(scenario)


REFUSED: list[tuple[str, Function]] = [
    ("backward: of a result of shape (3,)", lambda library, x: (x * 2).backward()),
    ("backward: a gradient of shape (1, 3) for a result of shape (3,)", lambda library, x: x.backward(x.view(1, 3))),
    ("backward: a gradient of shape () for a result of shape (3,)", lambda library, x: (x * 2).backward(x.sum())),
    ("backward", lambda library, x: (x[:0] * 2).backward()),
    ("does not require a gradient", lambda library, x: x.detach().sum().backward()),
    ("does not require a gradient", lambda library, x: (x > 0).sum().backward()),
    ("does not require a gradient", lambda library, x: x.argmax().backward()),
    ("requires_grad: needs a floating dtype, got int64", lambda library, x: library.tensor([1], requires_grad=True)),
    ("requires_grad: needs a floating dtype, got int64", lambda library, x: library.arange(3).requires_grad_()),
    ("requires_grad: needs a floating dtype, got bool", lambda library, x: (x > 0).requires_grad_()),
    ("requires_grad: ", lambda library, x: (x * 2).requires_grad_(False)),
    ("requires_grad: ", lambda library, x: setattr(x * 2, "requires_grad", False)),
    ("requires_grad: ", lambda library, x: setattr(x * 2, "requires_grad", True)),
    ("retain_grad", lambda library, x: x.detach().retain_grad()),
    ("grad: a gradient of shape (2,)", lambda library, x: setattr(x, "grad", x.detach()[:2])),
    ("grad: ", lambda library, x: setattr(x, "grad", x.detach().to(library.float32))),
    ("grad: expected a Tensor or None, got float", lambda library, x: setattr(x, "grad", 1.0)),
    ("numpy", lambda library, x: x.numpy()),
    ("numpy", lambda library, x: (x * 2).numpy()),
    ("numpy", lambda library, x: np.asarray(x)),
]


@pytest.mark.parametrize(("message", "function"), REFUSED)
def test_what_has_no_gradient_is_refused(message: str, function: Function) -> None:
    assert_refused(function, normal(3), message=message)


# A second pass

SAVES = [
    ("exp", lambda x: x.exp()),
    ("tanh", lambda x: x.tanh()),
    ("log", lambda x: x.log()),
    ("square", lambda x: x * x),
    ("quotient", lambda x: 1 / x),
    ("power", lambda x: x**3),
    ("matmul", lambda x: x @ x),
    ("relu", lambda x: x.relu()),
    ("std", lambda x: x.std()),
    ("sum", lambda x: x.sum()),
    ("add", lambda x: x + x),
    ("sub", lambda x: x - 1),
    ("neg", lambda x: -x),
    ("mean", lambda x: x.mean()),
    ("view", lambda x: x.view(-1)),
    ("transpose", lambda x: x.T),
    ("slice", lambda x: x[1:]),
    ("clone", lambda x: x.clone()),
    ("times a number", lambda x: x * 2),
    ("by a number", lambda x: x / 2),
]


@pytest.mark.parametrize("function", [function for _, function in SAVES], ids=[name for name, _ in SAVES])
def test_a_second_backward_is_refused_where_pytorch_refuses_it(function: Function) -> None:
    errors = []
    for make in (ours, theirs):
        result = function(make(np.full((2, 2), 0.5), requires_grad=True)).sum()
        result.backward()
        errors.append(refusal(result.backward))
    assert [error is None or "second time" in str(error) for error in errors] == [True, True]
    assert (errors[0] is None) == (errors[1] is None)


@pytest.mark.parametrize("function", [function for _, function in SAVES], ids=[name for name, _ in SAVES])
def test_a_second_backward_is_allowed_where_the_graph_was_retained(function: Function) -> None:
    def scenario(make: Function) -> Any:
        x = make(np.full((2, 2), 0.5), requires_grad=True)
        result = function(x).sum()
        result.backward(retain_graph=True)
        result.backward()
        return x.grad

    assert_same(scenario(ours), scenario(theirs))


def test_the_refusal_of_a_second_backward_names_the_operation_and_the_remedy() -> None:
    y = minigrad.ones(2, requires_grad=True).tanh().sum()
    y.backward()
    with pytest.raises(RuntimeError, match=r"tanh.*second time.*retain_graph=True"):
        y.backward()


def test_a_backward_through_a_part_that_was_released_is_refused() -> None:
    for library in LIBRARIES:
        y = library.ones(2, requires_grad=True).exp()
        y.sum().backward()
        with pytest.raises(RuntimeError, match="second time"):
            (y * 2).sum().backward()


# Switching the recording off


@pytest.mark.parametrize("library", LIBRARIES)
def test_nothing_is_recorded_within_no_grad(library: Any) -> None:
    x = library.ones(2, requires_grad=True)
    with library.no_grad():
        assert not library.is_grad_enabled()
        y = x * 2
        with library.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert not y.requires_grad
    assert y.grad_fn is None
    assert (x * 2).requires_grad


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_leaf_made_within_no_grad_can_require_a_gradient(library: Any) -> None:
    with library.no_grad():
        x = library.ones(2, requires_grad=True)
    assert x.requires_grad
    assert (x * 2).requires_grad


@pytest.mark.parametrize("library", LIBRARIES)
def test_recording_is_on_again_after_an_exception(library: Any) -> None:
    with pytest.raises(KeyError), library.no_grad():
        raise KeyError
    assert library.is_grad_enabled()


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_grad_decorates_a_function_with_and_without_brackets(library: Any) -> None:
    @library.no_grad()
    def with_brackets(number: int, factor: int = 1) -> Any:
        """Say what it does."""
        return library.is_grad_enabled(), number * factor

    @library.no_grad
    def without_brackets() -> bool:
        return library.is_grad_enabled()

    assert with_brackets(2, factor=3) == (False, 6)
    assert without_brackets() is False
    assert with_brackets.__name__ == "with_brackets"
    assert with_brackets.__doc__ == "Say what it does."
    assert library.is_grad_enabled()


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_decorated_function_that_calls_itself_and_raises_leaves_recording_on(library: Any) -> None:
    @library.no_grad()
    def fall(depth: int) -> None:
        assert not library.is_grad_enabled()
        if not depth:
            raise KeyError
        fall(depth - 1)

    with pytest.raises(KeyError):
        fall(3)
    assert library.is_grad_enabled()


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_grad_decorates_a_generator_but_not_its_caller(library: Any) -> None:
    received = []

    @library.no_grad()
    def generator() -> Iterator[bool]:
        received.append((yield library.is_grad_enabled()))
        try:
            yield library.is_grad_enabled()
        except KeyError:
            received.append(library.is_grad_enabled())
            yield library.is_grad_enabled()
        finally:
            received.append(library.is_grad_enabled())

    steps = generator()
    assert next(steps) is False
    assert library.is_grad_enabled()
    assert steps.send("sent") is False  # type: ignore[attr-defined]
    assert library.is_grad_enabled()
    assert steps.throw(KeyError()) is False  # type: ignore[attr-defined]
    steps.close()  # type: ignore[attr-defined]
    assert received == ["sent", False, False]
    assert library.is_grad_enabled()


@pytest.mark.parametrize("library", LIBRARIES)
def test_no_grad_counts_for_its_thread_only(library: Any) -> None:
    seen = []
    with library.no_grad():
        thread = threading.Thread(target=lambda: seen.append(library.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_threads_that_share_a_leaf_lose_no_gradient() -> None:
    x = minigrad.zeros(3, requires_grad=True)

    def work() -> None:
        for _ in range(200):
            (x * 2).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad is not None
    assert x.grad.tolist() == [1600.0] * 3


def test_the_graph_is_cut_by_detach() -> None:
    compare(lambda library, x: x.exp().detach() * x + (x * 2).data * x, normal(3))


@pytest.mark.parametrize("library", LIBRARIES)
def test_setting_requires_grad(library: Any) -> None:
    x = library.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert not (x * 2).requires_grad
    x.requires_grad = True
    assert (x * 2).requires_grad


# Nobody's array is changed behind their back

SHARING: list[Function] = [
    lambda a, b: a + b,
    lambda a, b: (a + b) + a,
    lambda a, b: a.view(2, 2) + b.view(2, 2),
    lambda a, b: a.reshape(4) + b.T.T,
    lambda a, b: minigrad.cat([a, b]),
    lambda a, b: minigrad.stack([a, b]),
    lambda a, b: a.clone() + b.expand(4),
    lambda a, b: a.unsqueeze(0) + b.squeeze(),
    lambda a, b: a + b.sum(),
]


@pytest.mark.parametrize("function", SHARING)
def test_gradients_share_no_memory_with_one_another_or_with_the_one_that_arrived(function: Function) -> None:
    a, b = leaves(ours, [normal(4), normal(4)])
    y = function(a, b)
    y.retain_grad()
    upstream = minigrad.ones(*y.shape).to(minigrad.float64)
    y.backward(upstream)
    gradients = [a.grad.array, b.grad.array, y.grad.array]
    before = [gradient.copy() for gradient in gradients[1:]]
    gradients[0] += 1000
    assert upstream.array.max() == 1
    for gradient, unchanged in zip(gradients[1:], before, strict=True):
        np.testing.assert_array_equal(gradient, unchanged)
    gradients[2] += 1000
    assert upstream.array.max() == 1
    np.testing.assert_array_equal(gradients[1], before[0])


def test_a_gradient_can_be_written_into() -> None:
    for function in [lambda x: x.sum(), lambda x: x.mean(), lambda x: x.expand(3, 4).sum(), lambda x: x[0]]:
        x = minigrad.ones(4, requires_grad=True)
        function(x).backward()
        assert x.grad is not None
        x.grad.array *= 0.5


def test_a_backward_adds_to_the_gradient_in_place_as_in_pytorch() -> None:
    for library in LIBRARIES:
        x = library.ones(2, requires_grad=True)
        x.sum().backward()
        first = x.grad
        x.sum().backward()
        assert first.tolist() == [2.0, 2.0]


def test_the_same_bits_on_every_run() -> None:
    table, rows, weight = (
        normal(5, 4, dtype=np.float32),
        random.integers(0, 5, (50, 3)),
        normal(12, 6, dtype=np.float32),
    )

    def run() -> list[bytes]:
        embedding, matrix = leaves(ours, [table, weight])
        hidden = (embedding[rows].view(-1, 12) @ matrix).tanh()
        (hidden * hidden.sum(0) + hidden.exp() * hidden.mean(1, keepdim=True)).sum().backward()
        return [embedding.grad.array.tobytes(), matrix.grad.array.tobytes()]

    assert all(run() == first for first in [run()] for _ in range(3))


# Higher derivatives

SMOOTH: list[tuple[str, Function]] = [
    ("x * x", lambda library, x: x * x),
    ("1 / x", lambda library, x: 1 / x),
    ("x / (x + 1)", lambda library, x: x / (x + 1)),
    ("x ** 3", lambda library, x: x**3),
    ("x ** 0.5", lambda library, x: x**0.5),
    ("2 ** x", lambda library, x: 2**x),
    ("x ** x", lambda library, x: x**x),
    ("-x", lambda library, x: -x * x),
    ("x - x * x", lambda library, x: x - x * x),
    ("abs", lambda library, x: (x - 1).abs() * x),
    ("exp", lambda library, x: x.exp()),
    ("log", lambda library, x: x.log()),
    ("sqrt", lambda library, x: x.sqrt()),
    ("square", lambda library, x: x.square()),
    ("tanh", lambda library, x: x.tanh()),
    ("sigmoid", lambda library, x: x.sigmoid()),
    ("relu", lambda library, x: (x - 1).relu() * x),
    ("matmul", lambda library, x: x @ x @ x),
    ("matmul with a vector", lambda library, x: (x @ x[0]) @ x),
    ("sum", lambda library, x: x.sum(0) * x.sum()),
    ("mean", lambda library, x: x.mean(1, keepdim=True) * x),
    ("var", lambda library, x: x.var(0) * x.var()),
    ("std", lambda library, x: x.std(0)),
    ("max", lambda library, x: x.max() * x.max(1).values),
    ("min", lambda library, x: x.min() ** 2 * x.min(0).values),
    ("cat", lambda library, x: library.cat([x, x * x], 1) ** 2),
    ("stack", lambda library, x: library.stack([x, x.exp()]) ** 2),
    ("where", lambda library, x: library.where(x > 1, x**3, x.exp())),
    ("index", lambda library, x: x[[0, 0, 1], [1, 1, 2]] ** 3),
    ("slice", lambda library, x: x[1:, :-1] ** 3),
    ("embedding", lambda library, x: x[library.tensor([[0, 1], [1, 1]])] ** 3),
    ("transpose and view", lambda library, x: (x.T.reshape(-1) ** 2).view(3, 3) * x),
    ("expand", lambda library, x: x.expand(2, 3, 3) ** 3),
    ("float32", lambda library, x: x.to(library.float32).to(library.float64) ** 3),
    ("softmax", lambda library, x: x.exp() / x.exp().sum(1, keepdim=True)),
]


def second_derivatives(library: Any, make: Function, function: Function, x: Any, upstreams: list[np.ndarray]) -> Any:
    """The gradient of a function at x, and what a backward pass through that gradient adds to it."""
    x = make(x, requires_grad=True)
    function(library, x).backward(make(upstreams[0]), create_graph=True)
    first, x.grad = x.grad, None
    second = None
    if first.requires_grad:
        first.backward(make(upstreams[1]))
        second = x.grad
    return first, second


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
@pytest.mark.parametrize("function", [function for _, function in SMOOTH], ids=[name for name, _ in SMOOTH])
def test_the_second_derivative(function: Function) -> None:
    array = random.uniform(0.5, 1.5, (3, 3))
    shape = function(torch, theirs(array)).shape
    upstreams = [normal(*shape), normal(3, 3)]
    mine, my_second = second_derivatives(minigrad, ours, function, array, upstreams)
    reference, second = second_derivatives(torch, theirs, function, array, upstreams)
    tolerance = 1e-6 if "float32" in str(function(torch, theirs(array)).dtype) else 1e-12
    np.testing.assert_allclose(mine.array, reference.detach().numpy(), rtol=tolerance)
    np.testing.assert_allclose(my_second.array, second.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
def test_the_fourth_derivative_of_a_power() -> None:
    x = minigrad.tensor(2.0, requires_grad=True)
    derivative = x**5
    values = []
    for _ in range(4):
        x.grad = None
        derivative.backward(create_graph=True)
        assert x.grad is not None
        derivative = x.grad
        values.append(derivative.item())
    assert values == [80.0, 160.0, 240.0, 240.0]


# No recursion, and no rest

LONG = 1_000_000


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Let only the reference counts free what is no longer named."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_garbage_collection")
def test_a_chain_of_a_million_operations_goes_forward_backward_and_away() -> None:
    x = minigrad.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(LONG):
        y = -y
    y.backward()
    assert y.item() == 1
    assert x.grad is not None
    assert x.grad.item() == 1
    last = weakref.ref(y.node)
    del y
    assert last() is None


@pytest.mark.usefixtures("no_garbage_collection")
@pytest.mark.parametrize("backward", [False, True])
def test_a_graph_goes_with_its_last_name(backward: bool) -> None:
    x = minigrad.ones(3, requires_grad=True)
    hidden = (x * 2).tanh()
    watched = [weakref.ref(hidden), weakref.ref(hidden.node), weakref.ref(hidden.array)]
    loss = (hidden * hidden).sum()
    if backward:
        loss.backward()
    del hidden, loss
    assert [watch() for watch in watched] == [None, None, None]


@pytest.mark.usefixtures("no_garbage_collection")
def test_backward_lets_go_of_what_was_saved() -> None:
    x = minigrad.ones(SMALL + 1, requires_grad=True)
    hidden = x.exp()
    saved = weakref.ref(hidden.array)
    loss = hidden.sum()
    del hidden
    assert saved() is not None
    loss.backward()
    assert saved() is None


def test_a_constant_records_nothing() -> None:
    x = minigrad.ones(3)
    assert (x * 2 + x).exp().node is None


def test_close_enough_is_not_all() -> None:
    """The comparison itself refuses another shape, dtype and number."""
    array = np.ones((1, 3))
    for other in [np.ones(3), np.ones((1, 3), np.float32), array * (1 + 1e-14), array * np.nan]:
        with pytest.raises(AssertionError):
            assert_close(other, array)
