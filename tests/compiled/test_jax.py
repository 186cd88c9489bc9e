"""compile(backend="jax"): training, refusals, random numbers and checks, beside the function itself and PyTorch."""

import copy
import json
import os
import pickle
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
import nn.functional as F
from minigrad.extras import remedy
from nn import optim
from tests.compiled.test_compile import batch, net, numbers
from tests.support import ROOT

jax = pytest.importorskip("jax")

# XLA adds in another order than numpy. Each step rounds to the last bit, 6e-8 beside 1, and training carries that on.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def run(program: str, **environment: str) -> str:
    """What a program prints in a process of its own, in which warnings are errors."""
    settings = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"} | environment
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Training


def test_training_is_that_of_the_function() -> None:
    models, losses = (net(), net()), ([], [])
    for model, step, kept in zip(models, (minigrad.compile(models[0], backend="jax"), models[1]), losses, strict=True):
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        minigrad.manual_seed(7)
        for i in range(30):
            X, Y = batch(i % 3)
            loss = F.cross_entropy(step(X), Y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            kept.append(loss.item())
    np.testing.assert_allclose(*losses, **CLOSE)
    assert losses[0][-1] < losses[0][0] - 0.5
    for (name, x), y in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), err_msg=name, rtol=1e-3, atol=1e-3)
    assert models[0][3].num_batches_tracked.item() == 30


def test_a_step_agrees_with_pytorch() -> None:
    C, W, b = (numbers(*shape, seed=i) for i, shape in enumerate([(27, 4), (12, 27), (27,)]))
    mine = [x.requires_grad_() for x in (C, W, b)]
    theirs = [torch.tensor(x.detach().numpy().copy(), requires_grad=True) for x in mine]
    step = minigrad.compile(lambda X, Y: F.cross_entropy((C[X].view(-1, 12) @ W + b).tanh(), Y), backend="jax")
    for i in range(2):
        X, Y = batch(i)
        loss = step(X, Y)
        loss.backward()
        x, y = torch.tensor(X.numpy()), torch.tensor(Y.numpy())
        expected = torch.nn.functional.cross_entropy((theirs[0][x].view(-1, 12) @ theirs[1] + theirs[2]).tanh(), y)
        expected.backward()
        assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
        for p, q in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), **CLOSE)


def test_the_source_is_readable() -> None:
    compiled = minigrad.compile(lambda x: (x.exp() * x).sum(), backend="jax")
    compiled(numbers(50, requires_grad=True))
    assert compiled.source == (
        "import jax.numpy as np\n\n\n"
        "def forward(x):\n    exp = np.exp(x)\n    result = (exp * x).sum()\n"
        "    return (result,), (), (), (x, exp)\n\n\n"
        "def backward(g0, x, exp):\n    expand = np.broadcast_to(g0.reshape(1), (50,))\n"
        "    dx = expand * exp + expand * x * exp\n    return (dx,)\n"
    )


def test_dtypes_are_kept_and_no_setting_of_jax_changes() -> None:
    compiled = minigrad.compile(lambda x, n: (x * n, n + 1, x > 0), backend="jax")
    for dtype in (np.float64, np.float32, np.float16):
        for _ in range(2):
            x = minigrad.tensor(np.array([1.5, -2.0], dtype), requires_grad=True)
            found = compiled(x, minigrad.tensor([2**40, 3]) if dtype == np.float64 else minigrad.tensor([2, 3]))
            found[0].sum().backward()
            assert [y.detach().numpy().dtype for y in found] == [dtype, np.int64, bool]
            assert x.grad.numpy().dtype == dtype
            assert found[1].numpy()[0] == (2**40 + 1 if dtype == np.float64 else 3)
            found[0].detach().add_(1)  # it can be changed
            x.grad.add_(1)
    assert not jax.config.jax_enable_x64
    assert jax.numpy.ones(1, float).dtype == np.float32


def test_several_results_and_second_passes() -> None:
    w = numbers(4, 4, seed=9, requires_grad=True)
    compiled = minigrad.compile(lambda x: {"h": x @ w, "pair": ((x @ w).tanh(), x.T)}, backend="jax")
    for i in range(2):
        x = numbers(2, 4, seed=i)
        found = compiled(x)
        np.testing.assert_array_equal(found["pair"][1].numpy(), x.numpy().T)
        w.grad = None
        found["pair"][0].sum().backward(retain_graph=True)
        once = w.grad.numpy().copy()
        np.testing.assert_allclose(once, x.numpy().T @ (1 - np.tanh(x.numpy() @ w.detach().numpy()) ** 2), **CLOSE)
        found["pair"][0].sum().backward(retain_graph=True)
        np.testing.assert_array_equal(w.grad.numpy(), once + once)
        w.grad = None
        (found["h"].sum() + found["pair"][0].sum()).backward()
        np.testing.assert_allclose(w.grad.numpy(), once + x.numpy().sum(0)[:, None], **CLOSE)
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            found["h"].sum().backward()


def test_a_change_before_the_backward_pass_is_refused() -> None:
    w = numbers(3, requires_grad=True)
    compiled = minigrad.compile(lambda x: (x * w * w).sum(), backend="jax")
    for i in range(2):
        loss = compiled(numbers(3, seed=i))
        with minigrad.no_grad():
            w += 1
        with pytest.raises(RuntimeError, match=r"a value of shape .* that its gradient needs was changed by add_"):
            loss.backward()


# Random numbers, changes in place, and checks of arguments


def test_random_numbers_are_those_of_the_function() -> None:
    def function(x: Any) -> Any:
        return F.dropout(x, 0.5) + minigrad.rand(4) + minigrad.bernoulli(x.sigmoid()) + minigrad.randint(0, 9, (4,))

    compiled = minigrad.compile(function, backend="jax")
    for seed in range(3):
        x = numbers(4, seed=seed)
        minigrad.manual_seed(seed)
        found, after = compiled(x), minigrad.rand(1).item()
        minigrad.manual_seed(seed)
        np.testing.assert_allclose(found.numpy(), function(x).numpy(), **CLOSE)
        assert minigrad.rand(1).item() == after


def test_a_check_that_reads_something_else_draws_no_number_twice() -> None:
    """The first target to be ignored takes another way, and so the function itself runs."""

    def function(x: Any, y: Any) -> Any:
        return F.cross_entropy(F.dropout(x, 0.5), y)

    compiled, x = minigrad.compile(function, backend="jax"), numbers(4, 3)
    for seed, y in enumerate(([0, 1, 2, 0], [1, 1, 2, 0], [0, -100, 2, 1], [2, 1, 0, 0])):
        minigrad.manual_seed(seed)
        found, after = compiled(x, minigrad.tensor(y)), minigrad.rand(1).item()
        minigrad.manual_seed(seed)
        assert found.item() == pytest.approx(function(x, minigrad.tensor(y)).item(), rel=1e-5)
        assert minigrad.rand(1).item() == after


class Counted(nn.Module):
    """A table whose rows are chosen, and a buffer that is changed in place at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(numbers(5, 2))
        self.register_buffer("total", minigrad.zeros(2))

    def forward(self, x: Any) -> Any:
        rows = F.dropout(self.table[x], 0.5)
        with minigrad.no_grad():
            self.total.add_(rows.sum(0))
        return rows


def test_a_refused_call_changes_nothing() -> None:
    """JAX itself would take the last row for one that is out of range."""
    model = Counted()
    twin, compiled = copy.deepcopy(model), minigrad.compile(model, backend="jax")
    for places in ([1, 4], [-5, 0], [2, 2]):
        x = minigrad.tensor(places)
        for module in (compiled, twin):
            minigrad.manual_seed(3)
            module(x).sum().backward()
        np.testing.assert_allclose(model.total.numpy(), twin.total.numpy(), **CLOSE)
        np.testing.assert_allclose(model.table.grad.numpy(), twin.table.grad.numpy(), **CLOSE)
        before = model.total.numpy().copy()
        for bad in ([1, 5], [-6, 0]):
            with pytest.raises(IndexError, match="out of "):
                compiled(minigrad.tensor(bad))
        np.testing.assert_array_equal(model.total.numpy(), before)


def test_bad_input_gets_the_words_of_the_function() -> None:
    table = numbers(5, 2, requires_grad=True)
    compiled = minigrad.compile(lambda x: F.embedding(x, table), backend="jax")
    compiled(minigrad.tensor([1, 2]))
    compiled(minigrad.tensor([0, 4]))
    with pytest.raises(IndexError, match=r"embedding: .* is out of range for 5 rows"):
        compiled(minigrad.tensor([1, 5]))


# Refusals


def squares(x: np.ndarray) -> np.ndarray:
    """A function that jax cannot trace."""
    return np.asarray([number**2 for number in x.tolist()])


def test_what_jax_cannot_run_is_refused_at_the_first_call() -> None:
    x, mask = numbers(3), minigrad.tensor([True, False, True])

    def put(x: Any, mask: Any) -> Any:
        y = x.clone()
        y[mask] = x[:2]
        return y

    with pytest.raises(
        RuntimeError, match=re.escape("compile: the backend 'jax' cannot run 'result = x.at[mask].set(")
    ):
        minigrad.compile(put, backend="jax")(x, mask)
    np.testing.assert_array_equal(minigrad.compile(put)(x, mask).numpy(), put(x, mask).numpy())


def test_a_primitive_of_ones_own() -> None:
    from minigrad.core.primitive import Primitive

    cube = Primitive("cube", _cube, x=lambda g, x: g * 3 * x * x)
    listed = Primitive("listed", squares, x=lambda g, x: g * 2 * x)
    x = numbers(4, requires_grad=True)
    compiled = minigrad.compile(lambda x: cube.on_tensors(x).sum(), backend="jax")
    for _ in range(2):
        x.grad = None
        compiled(x).backward()
        np.testing.assert_allclose(x.grad.numpy(), 3 * x.detach().numpy() ** 2, **CLOSE)
    with pytest.raises(RuntimeError, match=r"the backend 'jax' cannot run 'return np\.asarray\(\[number ?\*\* ?2"):
        minigrad.compile(lambda x: listed.on_tensors(x), backend="jax")(x)


def _cube(x: np.ndarray) -> np.ndarray:
    return np.power(x, 3)


def test_options() -> None:
    with pytest.raises(ValueError, match="the backend 'jax' has the option 'in_shardings', and no 'device'"):
        minigrad.compile(print, backend="jax", options={"device": "cpu"})
    with pytest.raises(TypeError, match=r"in_shardings: expected a jax.sharding.NamedSharding, got 'batch'"):
        minigrad.compile(print, backend="jax", options={"in_shardings": "batch"})
    whole = jax.sharding.NamedSharding(jax.make_mesh((1,), ("batch",)), jax.sharding.PartitionSpec())
    with pytest.raises(ValueError, match="in_shardings has 2 shardings, and the arguments have 1 Tensors"):
        minigrad.compile(lambda x: x * 2, backend="jax", options={"in_shardings": [whole, None]})(numbers(2))


def test_a_copy_of_a_compiled_module_is_compiled_alike() -> None:
    model = minigrad.compile(nn.Linear(3, 2), backend="jax")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        sources = []
        for each in (model, twin):
            each(numbers(4, 3))
            sources.append(each(numbers(4, 3)).detach().numpy())
        np.testing.assert_array_equal(*sources)


def test_without_jax_it_says_what_to_install() -> None:
    program = """
import sys, minigrad
assert "jax" not in sys.modules
minigrad.compile(lambda x: x)(minigrad.ones(1))
assert "jax" not in sys.modules
sys.modules["jax"] = None
try: minigrad.compile(print, backend="jax")
except ModuleNotFoundError as error: print(error)
"""
    assert run(program) == f"compile: the backend 'jax' needs the package jax; {remedy('jax')}"


# Several devices

EIGHT = """
import json
import jax
from jax.sharding import NamedSharding, PartitionSpec
import minigrad
import nn
import nn.functional as F

sharding = NamedSharding(jax.make_mesh((8,), ("batch",)), PartitionSpec("batch"))
found = []
for settings in (
    {"backend": "eager"},
    {"backend": "jax", "options": {"in_shardings": sharding}},
    {"backend": "jax", "options": {"in_shardings": [sharding, None]}},
):
    minigrad.manual_seed(7)
    model = nn.MLP(27, block_size=3, embedding=4, hidden=20)
    step = minigrad.compile(lambda X, Y: F.cross_entropy(F.dropout(model(X), 0.1), Y), **settings)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    losses, gradients, spread = [], [], []
    for i in range(3):
        loss = step(minigrad.randint(0, 27, (64, 3)), minigrad.randint(0, 27, (64,)))
        if settings["backend"] == "jax" and i:
            spread = sorted({x.sharding.shard_shape(x.shape) for x in loss.node.saved[0].memory.residuals})
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        gradients += [p.grad.numpy().ravel().tolist() for p in model.parameters()]
    state = [x.numpy().ravel().tolist() for x in model.state_dict().values()]
    found.append({"losses": losses, "gradients": gradients, "state": state, "spread": spread})
try:
    step(minigrad.randint(0, 27, (30, 3)), minigrad.randint(0, 27, (30,)))
except ValueError as error:
    found.append(str(error))
print(json.dumps(found))
"""


def test_a_batch_on_eight_devices() -> None:
    """The loss, the gradients and BatchNorm's statistics are those of the whole batch."""
    expected, *several, refusal = json.loads(run(EIGHT, XLA_FLAGS="--xla_force_host_platform_device_count=8"))
    for found in several:
        assert [8, 20] in found["spread"], "each device has its part of the hidden layer"
        assert [64, 20] not in found["spread"]
        for name in ("losses", "gradients", "state"):
            for x, y in zip(found[name], expected[name], strict=True):
                np.testing.assert_allclose(x, y, err_msg=name, rtol=1e-5, atol=1e-6)
    assert refusal.startswith("compile: in_shardings: X of shape (30, 3) cannot be sharded by ")
    assert "over 8 devices along 'batch'; a dim must be a multiple" in refusal


TWO_PROCESSES = """
import jax
jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.config.update("jax_num_cpu_devices", 2)
jax.distributed.initialize("localhost:PORT", 2, RANK)
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import minigrad
import nn
import nn.functional as F

assert (len(jax.devices()), len(jax.local_devices())) == (4, 2)
sharding = NamedSharding(Mesh(jax.devices(), ("batch",)), PartitionSpec("batch"))
for settings in ({"backend": "eager"}, {"backend": "jax", "options": {"in_shardings": sharding}}):
    minigrad.manual_seed(7)
    model = nn.MLP(27, block_size=3, embedding=4, hidden=8)
    step = minigrad.compile(lambda X, Y: F.cross_entropy(model(X), Y), **settings)
    for _ in range(2):
        loss = step(minigrad.randint(0, 27, (16, 3)), minigrad.randint(0, 27, (16,)))
        loss.backward()
    print("found", loss.item(), *(p.grad.square().sum().item() for p in model.parameters()))
"""


def test_a_batch_on_the_devices_of_two_processes() -> None:
    """As on two machines: both processes make the same calls, and get the same results."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        program = TWO_PROCESSES.replace("PORT", str(free.getsockname()[1]))
    with ThreadPoolExecutor() as threads:
        printed = [*threads.map(run, [program.replace("RANK", str(rank)) for rank in range(2)])]
    lines = [line.split() for each in printed for line in each.splitlines()]  # some are of JAX itself
    expected, *found = [[*map(float, words[1:])] for words in lines if words[:1] == ["found"]]
    assert len(found) == 3
    for each in found:
        np.testing.assert_allclose(each, expected, rtol=1e-4)
