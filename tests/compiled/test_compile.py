"""compile: what a compiled function returns, refuses, changes and draws, beside the function itself and PyTorch."""

import copy
import gc
import itertools
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
import nn.functional as F
from nn import optim
from tests.support import ROOT

NAMES = ROOT / "examples" / "data" / "names.txt"


def numbers(*shape: int, seed: int = 0, requires_grad: bool = False) -> minigrad.Tensor:
    """Random numbers in float32."""
    array = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return minigrad.tensor(array, requires_grad=requires_grad)


def net() -> nn.Sequential:
    """A net of the course: a table, BatchNorm and dropout."""
    minigrad.manual_seed(1)
    parts = [nn.Embedding(27, 4), nn.Flatten(), nn.Linear(12, 20, bias=False), nn.BatchNorm1d(20), nn.Tanh()]
    return nn.Sequential(*parts, nn.Dropout(0.25), nn.Linear(20, 27))


def batch(seed: int, n: int = 16) -> tuple[minigrad.Tensor, minigrad.Tensor]:
    """Contexts of three characters, and the characters that follow."""
    random = np.random.default_rng(seed)
    return minigrad.tensor(random.integers(0, 27, (n, 3))), minigrad.tensor(random.integers(0, 27, n))


def assert_same_state(one: nn.Module, other: nn.Module) -> None:
    """Require the same bits in all parameters and buffers."""
    for (name, x), y in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=name)


# Training


@pytest.mark.parametrize(
    "make",
    [
        lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
        lambda p: optim.Adam(p, lr=0.01),
        lambda p: optim.AdamW(p, lr=0.01),
        lambda p: optim.NAdam(p, lr=0.01),
        lambda p: optim.Adamax(p, lr=0.01),
        lambda p: optim.RMSprop(p, lr=0.01),
        lambda p: optim.Adagrad(p, lr=0.1),
        lambda p: optim.Adadelta(p),
    ],
)
def test_100_steps_of_every_optimizer_have_the_same_bits(make: Callable[[Any], optim.Optimizer]) -> None:
    models = net(), net()
    compiled = minigrad.compile(models[0])
    losses: list[list[float]] = []
    for model, run in zip(models, (compiled, models[1]), strict=True):
        optimizer = make(model.parameters())
        minigrad.manual_seed(7)
        losses.append([])
        for i in range(100):
            X, Y = batch(i)
            loss = F.cross_entropy(run(X), Y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
    assert losses[0] == losses[1]
    assert losses[0][-1] != losses[0][0]
    assert_same_state(*models)


def test_a_step_agrees_with_pytorch() -> None:
    C, W, b = numbers(27, 4, seed=1), numbers(12, 27, seed=2), numbers(27, seed=3)
    mine = [x.requires_grad_() for x in (C, W, b)]
    theirs = [torch.tensor(x.detach().numpy().copy(), requires_grad=True) for x in mine]

    @minigrad.compile
    def loss_of(X: Any, Y: Any) -> Any:
        return F.cross_entropy((C[X].view(-1, 12) @ W + b).tanh(), Y)

    for i in range(3):
        X, Y = batch(i)
        loss = loss_of(X, Y)
        loss.backward()
        x, y = torch.tensor(X.numpy()), torch.tensor(Y.numpy())
        expected = torch.nn.functional.cross_entropy((theirs[0][x].view(-1, 12) @ theirs[1] + theirs[2]).tanh(), y)
        expected.backward()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        for p, q in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-3, atol=1e-5)


def test_evaluation_uses_the_running_statistics() -> None:
    model = net()
    compiled = minigrad.compile(model)
    X, _ = batch(0)
    compiled(X)
    model.eval()
    assert not compiled.training
    with minigrad.no_grad():
        for i in range(3):
            X, _ = batch(i)
            result = compiled(X)
            assert not result.requires_grad
            np.testing.assert_array_equal(result.numpy(), model(X).numpy())
    compiled.train()
    assert model.training
    minigrad.manual_seed(3)
    a = compiled(X)
    minigrad.manual_seed(3)
    np.testing.assert_array_equal(a.detach().numpy(), copy.deepcopy(model)(X).detach().numpy())


def test_a_gpt_prints_the_same(tmp_path: Path) -> None:
    text = (ROOT / "tests" / "examples" / "programs" / "gpt.py").read_text(encoding="utf-8")
    short = text.replace("max_iters = 60", "max_iters = 6").replace("max_new_tokens=100", "max_new_tokens=2")
    compiled = short.replace("model = GPTLanguageModel()", "model = torch.compile(GPTLanguageModel())")
    assert len({text, short, compiled}) == 3
    printed = []
    for number, program in enumerate((short, compiled)):
        path = tmp_path / f"program_{number}.py"
        path.write_text(program, encoding="utf-8")
        command = [sys.executable, "-W", "error", "-m", "minigrad", str(path), str(NAMES)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        printed.append(done.stdout)
    assert "step 5: train loss" in printed[0]
    assert printed[0] == printed[1]


# The graph around it


def test_gradients_flow_through_it() -> None:
    inner = minigrad.compile(lambda x, y: (x * y).tanh())
    for i in range(3):
        x, y = numbers(3, 4, seed=i, requires_grad=True), numbers(4, seed=i + 5, requires_grad=True)
        u, v = (minigrad.tensor(a.detach().numpy().copy(), requires_grad=True) for a in (x, y))
        (inner(x.exp(), y) * 2).sum().backward()
        ((u.exp() * v).tanh() * 2).sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), u.grad.numpy())
        np.testing.assert_array_equal(y.grad.numpy(), v.grad.numpy())


def test_results_that_are_alive_keep_their_values() -> None:
    compiled = minigrad.compile(lambda x: (x.exp() * x).sum())
    inputs = [numbers(50, seed=i, requires_grad=True) for i in range(5)]
    results = [compiled(x) for x in inputs]
    for x, result in reversed([*zip(inputs, results, strict=True)]):
        result.backward()
        e = np.exp(x.detach().numpy())
        np.testing.assert_allclose(x.grad.numpy(), e * x.detach().numpy() + e, rtol=1e-5)


def test_retain_graph_and_a_second_pass() -> None:
    x = numbers(5, requires_grad=True)
    compiled = minigrad.compile(lambda x: (x.exp() * x).sum())
    for _ in range(2):
        x.grad = None
        loss = compiled(x)
        loss.backward(retain_graph=True)
        once = x.grad.numpy().copy()
        loss.backward()
        np.testing.assert_array_equal(x.grad.numpy(), once + once)
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            loss.backward()


def test_several_results() -> None:
    W = numbers(4, 4, seed=9, requires_grad=True)

    def function(x: Any) -> Any:
        h = x @ W
        return {"h": h, "pair": (h.tanh(), h.detach()), "sine": h.sin(), "x": x, "n": 3}

    compiled = minigrad.compile(function)
    for i in range(3):
        x = numbers(2, 4, seed=i)
        found, expected = compiled(x), function(x)
        assert found["x"] is x
        assert found["n"] == 3
        assert not found["pair"][1].requires_grad
        W.grad = None
        (found["h"].sum() + found["pair"][0].sum() + found["sine"].sum()).backward()
        mine, W.grad = W.grad, None
        (expected["h"].sum() + expected["pair"][0].sum() + expected["sine"].sum()).backward()
        np.testing.assert_array_equal(mine.numpy(), W.grad.numpy())
        W.grad = None
        compiled(x)["pair"][0].sum().backward()
        mine, W.grad = W.grad, None
        function(x)["pair"][0].sum().backward()
        np.testing.assert_array_equal(mine.numpy(), W.grad.numpy())


def test_gradients_of_three_results_arrive_at_once() -> None:
    def function(x: Any) -> Any:
        return x.exp(), x.tanh(), x * 2

    compiled = minigrad.compile(function)
    for seed in range(2):
        gradients = []
        for run in (function, compiled):
            x = numbers(3, seed=seed, requires_grad=True)
            minigrad.autograd.backward(run(x), [numbers(3, seed=i) for i in range(3)])
            gradients.append(x.grad.numpy())
        np.testing.assert_array_equal(*gradients)


def test_a_parameter_that_is_used_twice() -> None:
    w, scale = numbers(3, seed=1, requires_grad=True), numbers(3, seed=2, requires_grad=True)
    w_twin, scale_twin = (torch.tensor(p.detach().numpy().copy(), requires_grad=True) for p in (w, scale))
    outside, outside_twin = scale.exp(), scale_twin.exp()

    def function(x: Any, w: Any, outside: Any) -> Any:
        return (x * w * outside).sum() + (w * w).sum(), w.sin() * outside

    compiled = minigrad.compile(lambda x: function(x, w, outside))
    for i in range(3):
        x = numbers(3, seed=i)
        results, expected = compiled(x), function(torch.tensor(x.numpy()), w_twin, outside_twin)
        (results[0] + results[1].sum()).backward(retain_graph=True)
        (expected[0] + expected[1].sum()).backward(retain_graph=True)
        for mine, theirs in ((w, w_twin), (scale, scale_twin)):
            np.testing.assert_allclose(mine.grad.numpy(), theirs.grad.numpy(), rtol=1e-5)


def test_a_gradient_whose_parts_lie_in_different_orders() -> None:
    """The order in which numpy adds follows from the layout of the sum of the parts."""

    def function(x: Any) -> Any:
        x = x - x.sum(1, keepdim=True)
        x = (x * 2)[1:].mean() - x
        return x.T.reshape(x.shape)

    compiled = minigrad.compile(function)
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        array, upstream = random.standard_normal((2, 70, 9), np.float32)
        gradients = []
        for run in (function, compiled):
            x = minigrad.tensor(array, requires_grad=True)
            run(x).backward(minigrad.tensor(upstream))
            gradients.append(x.grad.numpy())
        np.testing.assert_array_equal(*gradients)


def test_hooks_of_parameters_are_called_once() -> None:
    w = numbers(3, requires_grad=True)
    seen: list[int] = []
    w.register_hook(lambda g: seen.append(1) or g * 2)
    compiled = minigrad.compile(lambda x: (x * w).sum())
    for i in range(3):
        w.grad = None
        x = numbers(3, seed=i)
        compiled(x).backward()
        np.testing.assert_array_equal(w.grad.numpy(), 2 * x.numpy())
    assert len(seen) == 3


def test_a_change_before_the_backward_pass_is_refused() -> None:
    w = numbers(3, requires_grad=True)
    compiled = minigrad.compile(lambda x: (x * w * w).sum())
    for i in range(3):
        loss = compiled(numbers(3, seed=i))
        with minigrad.no_grad():
            w += 1
        with pytest.raises(RuntimeError, match=r"a value of shape .* that its gradient needs was changed by add_"):
            loss.backward()


def test_a_change_that_the_function_allows_before_the_backward_pass_is_allowed() -> None:
    table = numbers(5, 3, seed=9, requires_grad=True)

    def function(x: Any, places: Any) -> Any:
        return (x.clone() ** 2 * table[places]) / x.sum(1, keepdim=True)

    compiled = minigrad.compile(function)
    for seed in range(3):
        gradients = []
        for run in (compiled, function):
            x, places = numbers(4, 3, seed=seed, requires_grad=True), minigrad.tensor([1, 0, 4, 1])
            result = run(x, places)
            result *= 2
            places.zero_()
            result.sum().backward()
            gradients.append(x.grad.numpy())
        np.testing.assert_array_equal(*gradients)


def test_the_copy_of_a_result_lies_as_the_result() -> None:
    compiled = minigrad.compile(lambda x, y: y / x.T)
    for seed in range(2):
        x = numbers(3, 4, seed=seed, requires_grad=True)
        assert compiled(x, minigrad.tensor(2.0)).stride() == (1, 4)


@pytest.mark.parametrize("function", [lambda x: x.exp().sum(), lambda x: (x * x).sum()])  # which saves its operand
def test_second_gradients_are_refused(function: Any) -> None:
    x = numbers(3, requires_grad=True)
    compiled = minigrad.compile(function)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="gradients of gradients"):
            minigrad.grad(compiled(x), x, create_graph=True)


def test_a_number_that_is_a_view_shares_memory() -> None:
    compiled = minigrad.compile(lambda x: x[0])
    for _ in range(2):
        x = numbers(3)
        compiled(x).zero_()
        assert x[0].item() == 0


def test_results_do_not_share_memory() -> None:
    compiled = minigrad.compile(lambda x: (x * 1, x + 0, x * 2))
    for i in range(3):
        x = numbers(4, seed=i)
        before = x.numpy().copy()
        a, b, _ = compiled(x)
        a += 1
        b -= 1
        np.testing.assert_array_equal(x.numpy(), before)
        np.testing.assert_array_equal(a.numpy(), before + 1)


def assert_same_bits(function: Callable[..., Any], make: Callable[[int], minigrad.Tensor]) -> None:
    """Require the results and the argument of the function itself, call by call."""
    compiled = minigrad.compile(function)
    for seed in range(3):
        ours, theirs = make(seed), make(seed)
        minigrad.manual_seed(seed)
        found = compiled(ours)
        minigrad.manual_seed(seed)
        expected = function(theirs)
        for x, y in zip((*found, ours), (*expected, theirs), strict=True):
            assert (x.dtype, x.stride()) == (y.dtype, y.stride())
            np.testing.assert_array_equal(x.numpy(), y.numpy())


def assert_same_gradients(function: Callable[..., Any], *shapes: tuple[int, ...]) -> None:
    """Require the results and gradients of the function itself, call by call."""
    compiled = minigrad.compile(function)
    for seed in range(3):
        found = []
        for run in (compiled, function):
            inputs = [numbers(*shape, seed=seed + i, requires_grad=True) for i, shape in enumerate(shapes)]
            results = run(*inputs)
            minigrad.autograd.backward(results, [numbers(*x.shape, seed=seed + 7) for x in results])
            found.append([*(x.detach() for x in results), *(x.grad for x in inputs)])
        for ours, theirs in zip(*found, strict=True):
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("base", [2, 1.7, 0, -2, -0.5])
@pytest.mark.parametrize("shape", [(), (20,)])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_number_to_the_power_of_a_tensor(base: float, shape: tuple[int, ...]) -> None:
    assert_same_gradients(lambda x: (base**x,), shape)


def test_a_normalized_transposed_tensor_is_laid_out_in_rows() -> None:
    assert_same_bits(lambda x: (F.layer_norm(x.mT, (4, 3)), x.sum(0).mT), lambda seed: numbers(2, 3, 4, seed=seed))


def test_the_gradient_of_a_normalized_transposed_tensor() -> None:
    assert_same_gradients(lambda x, y: (F.layer_norm((x - y).T, (33, 33)),), (33, 33), ())


def test_a_sum_of_what_is_repeated_is_as_large() -> None:
    assert_same_gradients(lambda x: (x.mean(-1, keepdim=True), x.mean(-1, keepdim=True)), (4, 1, 3))
    assert_same_gradients(lambda x, y: (x.expand(4, 3) + y.expand(4, 3),), (4, 1), (1, 1))


def test_the_sum_of_a_number_has_no_negative_zero() -> None:
    compiled = minigrad.compile(lambda x: (x.sum(0), x.mean(0)))
    for _ in range(2):
        for y in compiled(minigrad.tensor(-0.0)):
            assert not np.signbit(y.numpy())


def test_what_is_expanded_or_in_windows_is_followed() -> None:
    def function(x: Any) -> Any:
        repeated, windows, diagonal = x.expand(2, 3, 4), x.unfold(1, 2, 1), x.T.diagonal()
        return repeated > 0, repeated.sort(-1, descending=True).indices, windows.argmax(0), diagonal < 0

    assert_same_bits(function, lambda seed: numbers(3, 4, seed=seed))


def test_what_is_chosen_of_a_transposed_tensor_is_followed() -> None:
    places = minigrad.tensor([0, 2, 0])
    assert_same_bits(lambda x: (x[places], x[places].sum(0)), lambda seed: numbers(4, 5, 3, seed=seed).mT)


def test_changes_through_views() -> None:
    def function(x: Any) -> Any:
        y = x * 2
        y.mT[0] *= 3
        y[:, 1:].zero_()
        x[0] += 1
        x.view(3, 2, 2)[1].T.uniform_()
        x[2, minigrad.tensor([0, 1])] = 5.0
        x.T[1:1] *= 3
        first, last = x[0], x.mT[-1]
        last += first[:3]
        return y, y.exp(), x * 2, first, last, first.exp()

    assert_same_bits(function, lambda seed: numbers(3, 4, seed=seed))


def test_what_is_written_into_a_new_tensor_is_followed() -> None:
    def function(x: Any) -> Any:
        means, chosen, doubled = minigrad.zeros(3, 4), minigrad.zeros(4), minigrad.ones(3, 4)
        for i in range(3):
            means[i] = x[: i + 1].mean(0)
        chosen[x[:, 0].argmax()] = 1.0
        doubled[x > 0] = 2.0
        return means, chosen, doubled * 3

    assert_same_bits(function, lambda seed: numbers(3, 4, seed=seed))
    places = minigrad.tensor([[0, 0, 2, 1]])
    assert_same_bits(
        lambda x: (minigrad.zeros(3, 4).scatter(0, places, x, reduce="add"),), lambda seed: numbers(3, 4, seed=seed)
    )


def test_an_argument_is_kept() -> None:
    kept = numbers(3)
    compiled = minigrad.compile(lambda x: kept.copy_(x))
    for seed in range(3):
        x = numbers(3, seed=seed)
        compiled(x)
        np.testing.assert_array_equal(kept.numpy(), x.numpy())


def test_what_is_written_lies_as_what_is_changed() -> None:
    def function(x: Any) -> Any:
        x.uniform_()
        return (F.layer_norm(x, (50,)), x.sum(0))

    assert_same_bits(function, lambda seed: numbers(50, 20, seed=seed).T)


def test_views_of_what_is_changed_share_its_memory() -> None:
    def function(x: Any) -> Any:
        x.view(-1)[3:] *= 2
        return x[1], x.view(-1), x.mT[0].unsqueeze(0), x.exp()

    compiled = minigrad.compile(function)
    for seed in range(3):
        ours, theirs = numbers(3, 4, seed=seed), numbers(3, 4, seed=seed)
        found, expected = compiled(ours), function(theirs)
        ours += 1
        theirs += 1
        for x, y in zip((*found, ours), (*expected, theirs), strict=True):
            np.testing.assert_array_equal(x.numpy(), y.numpy())


def test_what_is_empty_or_repeated_once_is_followed() -> None:
    assert_same_bits(lambda x: (minigrad.einsum("ij,ij->i", x, x),), lambda seed: minigrad.zeros(3, 0))
    one = minigrad.zeros(1, 1, 1)
    assert_same_bits(
        lambda x: (F.rms_norm(minigrad.broadcast_tensors(x, one)[0], (4,)),), lambda seed: numbers(3, 4, seed=seed)
    )


# What it depends on


def test_new_shapes_dtypes_and_flags_compile_anew() -> None:
    def counted(x: Any, scale: float = 2.0) -> Any:
        return x * scale

    compiled = minigrad.compile(counted, cache_size=3)
    for x, scale in ((numbers(3), 2.0), (numbers(4), 2.0), (numbers(3).double(), 2.0), (numbers(3), 3.0)):
        for _ in range(2):
            np.testing.assert_array_equal(compiled(x, scale).numpy(), x.numpy() * scale)
    assert sum(map(len, compiled._entries.values())) == 3
    assert compiled(numbers(3, requires_grad=True)).requires_grad
    assert not compiled(numbers(3)).requires_grad


def test_shapes_that_always_change_are_not_always_compiled() -> None:
    runs = itertools.count()

    def function(x: Any) -> Any:
        next(runs)
        return x.cumsum(0) * 2

    compiled = minigrad.compile(function, cache_size=2)
    for n in (1, 2, 3, 4, 2, 1):
        x = numbers(n)
        np.testing.assert_array_equal(compiled(x).numpy(), x.cumsum(0).numpy() * 2)
    assert next(runs) == 4  # twice to compile, twice as it is


class Scaled(nn.Module):
    """A module with a setting."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.scale, self.deep = nn.Parameter(numbers(3)), 2.0, [{"bias": 1.0}]

    def forward(self, x: Any) -> Any:
        return x * self.w * self.scale + self.deep[0]["bias"] + OFFSET


OFFSET = 0.5


def test_settings_are_read_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Scaled()
    compiled, x = minigrad.compile(model), numbers(3, seed=4)

    def check() -> None:
        for _ in range(2):
            np.testing.assert_array_equal(compiled(x).detach().numpy(), model(x).detach().numpy())

    check()
    model.scale = 3.0
    check()
    compiled.scale = 4.0
    assert model.scale == 4.0
    check()
    model.deep[0]["bias"] = -1.0
    check()
    monkeypatch.setitem(globals(), "OFFSET", 7.0)
    check()
    model.w.data = numbers(3, seed=8)
    check()
    model.w = nn.Parameter(numbers(3, seed=9))
    check()
    model.w.requires_grad_(False)
    assert not compiled(x).requires_grad
    check()


def test_a_closed_over_number_is_read_at_every_call() -> None:
    scale = 2.0

    @minigrad.compile
    def function(x: Any) -> Any:
        return x * scale

    x = numbers(3)
    for scale in (2.0, 3.0, 2.0):
        np.testing.assert_array_equal(function(x).numpy(), x.numpy() * scale)


def test_random_numbers_are_drawn_at_every_call() -> None:
    def function(x: Any) -> Any:
        return F.dropout(x, 0.5) + minigrad.rand(4) + minigrad.randn(20)[:4] + minigrad.randint(0, 9, (4,))

    compiled = minigrad.compile(function)
    x = numbers(4)
    for seed in range(4):
        minigrad.manual_seed(seed)
        found = compiled(x)
        after = minigrad.rand(1).item()
        minigrad.manual_seed(seed)
        np.testing.assert_array_equal(found.numpy(), function(x).numpy())
        assert minigrad.rand(1).item() == after


def drawn(function: Callable[..., Any], x: Any) -> list[float]:
    """What ten calls return, one after the other."""
    minigrad.manual_seed(5)
    return [function(x).item() for _ in range(10)]


def test_a_number_is_a_probability_as_any_tensor() -> None:
    def function(x: Any) -> Any:
        return minigrad.bernoulli(x.sigmoid())

    x = minigrad.tensor(0.0)
    assert drawn(minigrad.compile(function), x) == drawn(function, x)


def test_a_check_of_what_was_drawn_draws_nothing_twice() -> None:
    def function(x: Any) -> Any:
        targets = minigrad.where(minigrad.rand(4) < 0.5, 1, -100)
        return F.cross_entropy(x, targets).nan_to_num() + minigrad.rand(1)[0]

    x = numbers(4, 3)
    assert drawn(minigrad.compile(function), x) == drawn(function, x)


# Refusals


def branch(x: Any) -> Any:
    """Branches on a value."""
    return x if x.sum() > 0 else -x


READING = {
    "__bool__": branch,
    "item": lambda x: x * x.sum().item(),
    "numpy": lambda x: x + minigrad.tensor(np.tanh(x.detach().numpy())),
    "tolist": lambda x: x * minigrad.tensor(x.tolist()),
    "__float__": lambda x: x * float(x.sum()),
    "__int__": lambda x: x * int(x.sum()),
}


@pytest.mark.parametrize("name", READING)
def test_reading_a_number_is_refused_with_the_line(name: str) -> None:
    with pytest.raises(
        RuntimeError, match=rf"compile: {name} of a Tensor that depends on the inputs .*test_compile.py"
    ):
        minigrad.compile(READING[name])(numbers(3))


def test_side_effects_are_refused() -> None:
    kept: list[Any] = []
    state = {"x": None}

    def keeps(x: Any) -> Any:
        kept.append(x * 2)
        return x

    def sets(x: Any) -> Any:
        state["x"] = x * 2
        return x

    for function in (keeps, sets):
        with pytest.raises(RuntimeError, match=r"compile: setting .* outside of the function, cannot be compiled"):
            minigrad.compile(function)(numbers(3))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x[x > 0].sum(), "an index by a mask"),
        (lambda x: x.nonzero(), "nonzero"),
        (lambda x: (x * x).sum().backward() or x, "a backward pass within the function"),
        (lambda x: (x, object()), "a result of type object"),
        (lambda x: x * minigrad.manual_seed(3).initial_seed(), "manual_seed within the function"),
    ],
)
def test_what_cannot_be_followed_is_refused(function: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"compile: {message}"):
        minigrad.compile(function)(numbers(3, requires_grad=True))


def test_a_change_in_place_that_gives_an_argument_a_gradient_is_refused() -> None:
    weight = numbers(3, requires_grad=True)

    def function(x: Any) -> Any:
        x.mul_(weight)
        return x * 2

    with pytest.raises(RuntimeError, match="compile: a change in place, through which gradients flow, of a Tensor"):
        minigrad.compile(function)(numbers(3))


def test_bad_input_gets_the_words_of_the_function() -> None:
    table = numbers(5, 2, requires_grad=True)
    compiled = minigrad.compile(lambda x: F.embedding(x, table))
    compiled(minigrad.tensor([1, 2]))
    compiled(minigrad.tensor([0, 4]))
    for bad in ([1, 5], [-1, 0]):
        with pytest.raises(IndexError, match=r"embedding: .* is out of range for 5 rows"):
            compiled(minigrad.tensor(bad))
    with pytest.raises(RuntimeError, match="matmul"):
        minigrad.compile(lambda x: x @ table)(numbers(3, 4))


def test_a_decorator_with_arguments() -> None:
    @minigrad.compile
    def double(x: Any) -> Any:
        return x * 2

    @minigrad.compile(fullgraph=True, mode="reduce-overhead", dynamic=False)
    def triple(x: Any) -> Any:
        return x * 3

    for _ in range(2):
        assert (double(2), triple(2), double.__name__) == (4, 6, "double")
    assert minigrad.compile(double.function, backend="eager") is double.function


def test_a_compiled_call_gives_no_warning() -> None:
    def function(x: Any) -> Any:
        return (
            F.relu(x) + minigrad.maximum(x, -x) + x.clamp(min=0) + F.softmax(x, 0) + x.max() + minigrad.rand(3)
        ).log()

    compiled = minigrad.compile(function)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"minigrad\.")
        for seed in range(3):
            x = numbers(3, seed=seed)
            minigrad.manual_seed(seed)
            found = compiled(x)
            minigrad.manual_seed(seed)
            np.testing.assert_array_equal(found.numpy(), function(x).numpy())


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="compile: backend must be 'inductor', 'eager' or 'jax', got 'onnxrt'"):
        minigrad.compile(print, backend="onnxrt")
    with pytest.raises(TypeError, match="compile: expected a function or a Module, got 3"):
        minigrad.compile(3)
    with pytest.raises(ValueError, match="cache_size must be positive"):
        minigrad.compile(print, cache_size=0)


# Modules, threads, memory


def test_a_compiled_module_is_a_face_of_the_module() -> None:
    model = net()
    compiled = minigrad.compile(model)
    assert isinstance(compiled, nn.Sequential)
    assert [*map(id, compiled.parameters())] == [*map(id, model.parameters())]
    assert [*compiled.state_dict()] == [*model.state_dict()]
    assert repr(compiled) == repr(model)
    assert compiled[0] is model[0]
    X, _ = batch(0)
    compiled(X)
    assert "def forward(" in compiled.source
    twin = copy.deepcopy(compiled)
    compiled(X)
    assert twin[3].num_batches_tracked.item() == 1
    with minigrad.no_grad():
        twin[6].bias.zero_()
        twin[6].weight.zero_()
    assert twin(X).abs().sum().item() == 0
    assert compiled(X).abs().sum().item() > 0
    assert pickle.loads(pickle.dumps(compiled))(X).shape == (16, 27)
    assert minigrad.compile(model, disable=True) is model


def test_methods_can_be_decorated() -> None:
    class Layer:
        def __init__(self, n: int) -> None:
            self.w = numbers(n)

        @minigrad.compile
        def scaled(self, x: Any, *, by: float = 1.0) -> Any:
            return x * self.w * by

    for layer in (Layer(3), Layer(4)):
        for _ in range(2):
            x = numbers(layer.w.shape[0], seed=3)
            np.testing.assert_array_equal(layer.scaled(x, by=2.0).numpy(), x.numpy() * layer.w.numpy() * 2)


def test_threads() -> None:
    w = numbers(20, 20, requires_grad=True)
    compiled = minigrad.compile(lambda x: ((x @ w).tanh() @ w).sum())
    wrong: list[Any] = []

    def work(seed: int) -> None:
        for i in range(50):
            x = numbers(5 + i % 3, 20, seed=seed * 100 + i, requires_grad=True)
            y = minigrad.tensor(x.detach().numpy().copy(), requires_grad=True)
            (a,) = minigrad.grad(compiled(x), x)
            (b,) = minigrad.grad(((y @ w).tanh() @ w).sum(), y)
            if not np.array_equal(a.numpy(), b.numpy()):
                wrong.append((seed, i))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_memory_is_used_again() -> None:
    compiled = minigrad.compile(lambda x: (x.exp() * x).sum())
    for i in range(5):
        compiled(numbers(50, seed=i, requires_grad=True)).backward()
    gc.collect()
    (entries,) = compiled._entries.values()
    assert 1 <= len(entries[0].program._free) <= 2


def test_the_source() -> None:
    compiled = minigrad.compile(lambda x: (x.exp() * x).sum())
    assert compiled.source == ""
    compiled(numbers(50, requires_grad=True))
    assert "exp(x, exp_of)" in compiled.source
    assert "def backward(g0, saved):" in compiled.source
