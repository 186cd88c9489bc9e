"""Copies by pickle and deepcopy, also into another process, and threads and tasks that compute at the same time.

Copies of names, dtypes and generators, see test_names.py and test_random.py.
"""

import asyncio
import copy
import functools
import operator
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import Function, assert_refused, in_both, normal, ours, random, refusal

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def pickled(protocol: int = pickle.DEFAULT_PROTOCOL) -> Function:
    """The copy that pickle makes."""
    return lambda original: pickle.loads(pickle.dumps(original, protocol))


DUPLICATES: dict[str, Function] = {"deepcopy": copy.deepcopy} | {f"pickle {i}": pickled(i) for i in PROTOCOLS}
every_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES.values(), ids=DUPLICATES)

# Tensors

TENSORS: dict[str, Function] = {
    "float32": lambda T: T.tensor([1.5, -0.0, 3e38]),
    "float64": lambda T: T.tensor([[1e300], [float("inf")]], dtype=T.float64),
    "nan": lambda T: T.tensor([float("nan")]),
    "float16": lambda T: T.tensor([0.1]).to(T.float16),
    "int64": lambda T: T.tensor([-(2**63), 2**63 - 1]),
    "int32": lambda T: T.arange(3).int(),
    "uint8": lambda T: T.arange(3).to(T.uint8),
    "bool": lambda T: T.tensor([[True, False]]),
    "a number": lambda T: T.tensor(7.0),
    "empty": lambda T: T.zeros(2, 0, 3),
    "4-D": lambda T: T.arange(24.0).view(2, 3, 1, 4),
    "requires a gradient": lambda T: T.arange(6.0).view(2, 3).requires_grad_(),
    "a view": lambda T: T.arange(6.0).view(2, 3)[1, 1:],
    "transposed": lambda T: T.arange(6.0).view(2, 3).T,
    "every second": lambda T: T.arange(6.0)[::2],
    "expanded": lambda T: T.arange(3.0).expand(2, 3),
    "of .data": lambda T: T.ones(2, requires_grad=True).data,
    "detached": lambda T: (T.ones(2, requires_grad=True) * 2).detach(),
    "changed": lambda T: T.zeros(3).fill_(2).add_(1),
    "several": lambda T: [T.zeros(2), (T.ones(1), T.arange(3))],
}


@every_duplicate
@pytest.mark.parametrize("make", TENSORS.values(), ids=TENSORS)
def test_a_copy_is_what_pytorchs_is(make: Function, duplicate: Function) -> None:
    in_both(lambda library: duplicate(make(library)))


@every_duplicate
def test_a_copy_is_a_leaf_of_its_own(duplicate: Function) -> None:
    def scenario(library: Any) -> Any:
        original = library.arange(6.0).view(2, 3).requires_grad_()
        twin = duplicate(original)
        (twin * original).sum().backward()
        with library.no_grad():
            twin += 100
        return original, original.grad, twin, twin.grad, twin.is_leaf, original.is_leaf

    in_both(scenario)


def test_the_gradient_goes_along_with_a_deep_copy_but_not_with_a_pickle() -> None:
    def scenario(library: Any) -> Any:
        x = library.ones(3, requires_grad=True)
        (x * 2).sum().backward()
        twin, other = copy.deepcopy(x), pickled()(x)
        (twin * 3).sum().backward()
        return x.grad, twin.grad, other.grad

    in_both(scenario)


@every_duplicate
def test_a_copy_of_a_view_is_no_view(duplicate: Function) -> None:
    def scenario(library: Any) -> Any:
        base = library.zeros(2, 3)
        twin = duplicate(base[0])
        twin += 1
        base += 5
        return base, twin

    in_both(scenario)


def test_a_result_cannot_be_copied_deep_and_its_pickle_is_a_leaf() -> None:
    assert_refused(lambda library, x: copy.deepcopy([x * 2]), normal(3), message="deepcopy: this is a result of mul")

    def scenario(library: Any) -> Any:
        x = library.ones(3, requires_grad=True)
        twin = pickled()(x * 2)
        (twin * twin).sum().backward()
        return twin, twin.is_leaf, twin.grad, x.grad

    in_both(scenario)


@every_duplicate
def test_what_stands_in_two_places_still_does(duplicate: Function) -> None:
    for library in (minigrad, torch):
        x = library.ones(2, requires_grad=True)
        first, second = duplicate([x, {"again": x}])
        assert first is second["again"]
        assert first is not x


@every_duplicate
def test_a_copy_has_its_name(duplicate: Function) -> None:
    x = minigrad.ones(2)
    x.name = "weight"
    assert duplicate(x).name == "weight"
    assert not duplicate(x).requires_grad


@every_duplicate
def test_a_change_of_a_copy_of_data_is_noticed(duplicate: Function) -> None:
    """Unlike .data itself it shares nobody's memory."""
    twin = duplicate(minigrad.ones(2, requires_grad=True).data)
    x = minigrad.ones(2, requires_grad=True)
    y = x * twin
    twin += 1
    with pytest.raises(RuntimeError, match="changed by add_"):
        y.sum().backward()


# Modules

MODULES: dict[str, tuple[Callable[[], nn.Module], np.ndarray]] = {
    "Linear": (lambda: nn.Linear(3, 2), normal(5, 3, dtype=np.float32)),
    "Embedding": (lambda: nn.Embedding(4, 2), np.array([[0, 3], [1, 1]])),
    "BatchNorm1d": (lambda: nn.BatchNorm1d(3), normal(5, 3, dtype=np.float32)),
    "LayerNorm": (lambda: nn.LayerNorm(3), normal(5, 3, dtype=np.float32)),
    "Dropout": (lambda: nn.Dropout(0.3).eval(), normal(5, 3, dtype=np.float32)),
    "Tanh": (lambda: nn.Tanh(), normal(5, 3, dtype=np.float32)),
    "ReLU": (lambda: nn.ReLU(), normal(5, 3, dtype=np.float32)),
    "Flatten": (lambda: nn.Flatten(), normal(5, 3, 2, dtype=np.float32)),
    "Sequential": (
        lambda: nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh()),
        normal(5, 3, dtype=np.float32),
    ),
    "MLP": (lambda: nn.MLP(5, hidden=[4, 3]), random.integers(0, 5, (6, 3))),
}
WITHOUT_AN_INPUT = {"Module", "ModuleList", "CrossEntropyLoss"}


def state(module: Any) -> list[tuple[str, Any]]:
    """All that is to be the same in a copy: the names, numbers, kinds and modes."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    described = [(name, type(x), x.dtype, x.requires_grad, x.tolist()) for name, x in tensors]
    return [repr(module), described, [(name, type(x), x.training) for name, x in module.named_modules()]]


# Layers that have nothing but settings, or one input, are copied as they are by default.
DEFAULTS = [
    *(nn.CELU, nn.ELU, nn.GELU, nn.SELU, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.Identity, nn.LeakyReLU),
    *(nn.LogSigmoid, nn.Mish, nn.ReLU6, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Softsign, nn.Tanhshrink),
]
MODULES |= {kind.__name__: (kind, normal(5, 3, dtype=np.float32)) for kind in DEFAULTS}
MODULES |= {
    kind.__name__: (functools.partial(kind, 0), normal(4, 3, dtype=np.float32))
    for kind in (nn.GLU, nn.LogSoftmax, nn.Softmax, nn.Softmin)
}
MODULES |= {
    "GroupNorm": (lambda: nn.GroupNorm(1, 3), normal(5, 3, dtype=np.float32)),
    "RMSNorm": (lambda: nn.RMSNorm(3), normal(5, 3, dtype=np.float32)),
    "Unflatten": (lambda: nn.Unflatten(1, (3, 1)), normal(5, 3, dtype=np.float32)),
}
WITHOUT_AN_INPUT |= {"ModuleDict", "ParameterDict", "ParameterList", "CosineSimilarity", "PairwiseDistance"}
WITHOUT_AN_INPUT |= {name for name in vars(nn) if name.endswith("Loss")}


def test_every_module_has_a_case_here() -> None:
    modules = {name for name, x in vars(nn).items() if isinstance(x, type) and issubclass(x, nn.Module)}
    assert modules == MODULES.keys() | WITHOUT_AN_INPUT


@every_duplicate
@pytest.mark.parametrize(("make", "array"), MODULES.values(), ids=MODULES)
def test_a_copy_of_a_module(make: Callable[[], nn.Module], array: np.ndarray, duplicate: Function) -> None:
    """Equal at first, in what it holds and computes, and then apart."""
    model, x = make(), ours(array)
    model(x)
    for parameter in list(model.parameters())[:1]:
        parameter.requires_grad_(False)
    twin, before = duplicate(model), state(model)
    assert state(twin) == before
    assert twin(x).tolist() == model(x).tolist()
    assert state(twin) == state(model)
    before = state(model)
    twin.eval()(x)
    for tensor in [*twin.parameters(), *twin.buffers()]:
        tensor.data += 1
        tensor.requires_grad_(False)
    assert state(model) == before


@every_duplicate
def test_a_copy_of_a_loss_and_of_a_list_of_modules(duplicate: Function) -> None:
    loss = nn.CrossEntropyLoss(minigrad.tensor([1.0, 2.0]), label_smoothing=0.1)
    logits, target = ours(normal(3, 2, dtype=np.float32)), ours(np.array([0, 1, 1]))
    assert duplicate(loss)(logits, target).item() == loss(logits, target).item()
    modules = nn.ModuleList([nn.Linear(2, 3), nn.Tanh()])
    assert state(duplicate(modules)) == state(modules)


@every_duplicate
def test_tied_parameters_stay_tied(duplicate: Function) -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[1].weight = model[0].weight
    twin = duplicate(model)
    assert twin[1].weight is twin[0].weight
    assert len([*twin.parameters()]) == 3


OPTIMIZERS: dict[str, Function] = {
    "SGD": lambda parameters: nn.optim.SGD(parameters, lr=0.1, momentum=0.9),
    "Adam": lambda parameters: nn.optim.Adam(parameters, lr=0.1, weight_decay=0.01),
    "AdamW": lambda parameters: nn.optim.AdamW([{"params": [*parameters], "lr": 0.05}]),
}


@every_duplicate
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_copy_of_a_training_goes_on_as_the_original_does(make: Function, duplicate: Function) -> None:
    model = nn.MLP(5, hidden=4)
    inputs, target = ours(random.integers(0, 5, (6, 3))), ours(random.integers(0, 5, 6))

    def train(model: Any, optimizer: Any) -> list[float]:
        losses = []
        for _ in range(3):
            loss = nn.functional.cross_entropy(model(inputs), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    optimizer = make(model.parameters())
    first = train(model, optimizer)
    twins = duplicate((model, optimizer))
    second = train(model, optimizer)
    assert train(*twins) == second
    assert second[-1] < first[0]
    assert state(twins[0]) == state(model)


@every_duplicate
def test_a_copy_of_a_value_is_a_leaf_that_goes_on_beside_it(duplicate: Function) -> None:
    original = minigrad.Value(3.0, label="a")
    (original * 2).backward()
    twin = duplicate(original)
    assert (twin.data, twin.grad, twin.label) == (3.0, 2.0, "a")
    (original * twin).backward()
    assert (original.grad, twin.grad) == (5.0, 5.0)
    with pytest.raises(RuntimeError, match="copy: this Value is a result of mul"):
        duplicate(original * twin)


@pytest.mark.parametrize("name", DUPLICATES)
def test_a_copy_of_micrograds_mlp(name: str) -> None:
    model = nn.scalar.MLP(2, [3, 1])
    twin = DUPLICATES[name](model)
    assert twin([1.0, -2.0]).data == model([1.0, -2.0]).data
    twin.parameters()[0].data += 1
    twin([1.0, -2.0]).backward()
    assert [p.grad for p in model.parameters()] == [0.0] * len(model.parameters())


# Another process


def test_another_process_computes_the_same() -> None:
    """One that starts anew: whatever it is given is pickled, and so is what it gives back."""
    model, x = nn.MLP(5, hidden=4), ours(random.integers(0, 5, (6, 3)))
    generator = minigrad.Generator().manual_seed(7)
    weight = minigrad.ones(3, requires_grad=True)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        logits = pool.submit(model, x)
        product = pool.submit(operator.mul, weight, minigrad.arange(3.0))
        named = pool.submit(copy.deepcopy, [minigrad.float64, minigrad.Size((2, 3)), minigrad.device("cpu")])
        drawn = pool.submit(minigrad.randn, 20, generator=generator)
        trained = pool.submit(copy.deepcopy, (model, nn.optim.Adam(model.parameters())))
        refused = pool.submit(operator.matmul, minigrad.ones(2, 3), minigrad.ones(2, 3))
        assert logits.result().tolist() == model(x).tolist()
        assert (product.result().tolist(), product.result().is_leaf) == ([0.0, 1.0, 2.0], True)
        assert named.result() == [minigrad.float64, minigrad.Size((2, 3)), minigrad.device("cpu")]
        assert named.result()[0] is minigrad.float64
        assert drawn.result().tolist() == minigrad.randn(20, generator=generator).tolist()
        twin, optimizer = trained.result()
        assert [id(p) for p in optimizer.param_groups[0]["params"]] == [id(p) for p in twin.parameters()]
        with pytest.raises(RuntimeError, match="inner sizes 3 and 2 differ"):
            refused.result()
    (product.result() * 2).sum().backward()
    assert weight.grad is None


# Threads

THREADS = 6


@pytest.fixture
def switching_often() -> Iterator[None]:
    """Let Python switch threads after every few steps."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_threads(work: Function) -> list[Any]:
    """What `work` gives for each of some numbers, in threads that start together."""
    start = threading.Barrier(THREADS)

    def begin(i: int) -> Any:
        start.wait(10)
        return work(i)

    with ThreadPoolExecutor(THREADS) as pool:
        return [*pool.map(begin, range(THREADS))]


@pytest.mark.usefixtures("switching_often")
def test_threads_that_train_models_of_their_own_compute_what_one_alone_does() -> None:
    inputs, target = ours(random.integers(0, 5, (6, 3))), ours(random.integers(0, 5, 6))
    models = [nn.MLP(5, hidden=4) for _ in range(THREADS)]
    twins = copy.deepcopy(models)

    def train(model: Any) -> list[Any]:
        optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(20):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs), target).backward()
            optimizer.step()
        return state(model)

    assert in_threads(lambda i: train(models[i])) == [train(twin) for twin in twins]


@pytest.mark.usefixtures("switching_often")
def test_threads_that_share_parameters_add_up_all_gradients() -> None:
    """All numbers are whole, and so the sums are exact, in whichever order they come."""
    weight, bias = minigrad.ones(3, 2, requires_grad=True), minigrad.zeros(2, requires_grad=True)
    rounds = 50

    def work(i: int) -> None:
        x = minigrad.full((1, 3), float(i + 1))
        for _ in range(rounds):
            (x @ weight + bias).sum().backward()

    in_threads(work)
    assert weight.grad is not None
    assert bias.grad is not None
    assert weight.grad.tolist() == [[rounds * sum(range(1, THREADS + 1))] * 2] * 3
    assert bias.grad.tolist() == [rounds * THREADS] * 2


@pytest.mark.usefixtures("switching_often")
def test_threads_that_share_a_graph_run_backward_through_it() -> None:
    x = minigrad.tensor([1.0, 2.0, 4.0], requires_grad=True)
    hidden = x * x
    hidden.retain_grad()
    loss = (hidden * x + hidden).sum()
    rounds = 50
    in_threads(lambda _: [loss.backward(retain_graph=True) for _ in range(rounds)])
    assert x.grad is not None
    assert hidden.grad is not None
    assert x.grad.tolist() == [rounds * THREADS * (3 * v * v + 2 * v) for v in (1, 2, 4)]
    assert hidden.grad.tolist() == [rounds * THREADS * (v + 1) for v in (1, 2, 4)]


@pytest.mark.usefixtures("switching_often")
@pytest.mark.parametrize("create_graph", [False, True])
def test_threads_that_share_a_graph_get_gradients_of_their_own(create_graph: bool) -> None:
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    loss = (x**3).sum()

    def work(i: int) -> Any:
        for _ in range(30):
            (g,) = minigrad.grad(loss * i, x, retain_graph=True, create_graph=create_graph)
            assert g.tolist() == [3.0 * i, 12.0 * i]
            if create_graph:
                assert minigrad.grad(g.sum(), x, retain_graph=True)[0].tolist() == [6.0 * i, 12.0 * i]

    in_threads(work)
    assert x.grad is None


@pytest.mark.usefixtures("switching_often")
def test_threads_that_record_at_the_same_time_number_their_nodes_apart() -> None:
    def work(i: int) -> list[int]:
        x = minigrad.ones(1, requires_grad=True)
        nodes = [x.node]
        for _ in range(200):
            x = x * 1
            nodes.append(x.node)
        return [node.seq for node in nodes]

    numbers = in_threads(work)
    assert all(chain == sorted(chain) for chain in numbers)
    assert len({number for chain in numbers for number in chain}) == THREADS * 201


@pytest.mark.usefixtures("switching_often")
def test_threads_that_change_tensors_in_place_notice_their_own_changes_alone() -> None:
    def work(i: int) -> None:
        for _ in range(50):
            x = minigrad.ones(3, requires_grad=True)
            y = x.exp()
            if i % 2:
                y *= 2
                with pytest.raises(RuntimeError, match="changed by mul_"):
                    y.sum().backward()
            else:
                y.sum().backward()

    in_threads(work)


@pytest.mark.usefixtures("switching_often")
def test_every_thread_has_settings_of_its_own() -> None:
    x = minigrad.zeros(2, requires_grad=True)
    settings = [minigrad.no_grad, minigrad.enable_grad, minigrad.detect_anomaly]

    def work(i: int) -> None:
        for _ in range(100):
            with settings[i % 3]():
                assert (x * 2).requires_grad == (i % 3 != 0)
                assert minigrad.is_grad_enabled() == (i % 3 != 0)
                assert minigrad.is_anomaly_enabled() == (i % 3 == 2)
                if i % 3 == 2:
                    with pytest.raises(RuntimeError, match="infinite"):
                        x.log()
                else:
                    x.log()
            assert minigrad.is_grad_enabled()
            assert not minigrad.is_anomaly_enabled()

    in_threads(work)


def test_a_thread_starts_with_the_default_settings() -> None:
    def scenario(library: Any) -> Any:
        with library.no_grad(), ThreadPoolExecutor(1) as pool:
            outside, inside = library.is_grad_enabled(), pool.submit(library.is_grad_enabled).result()
        return outside, inside, library.is_grad_enabled()

    in_both(scenario)


@pytest.mark.usefixtures("switching_often")
def test_threads_can_share_a_block_that_each_enters_from_settings_of_its_own() -> None:
    shared = minigrad.no_grad()

    def work(i: int) -> None:
        for _ in range(100):
            with minigrad.set_grad_enabled(i % 2 == 0):
                with shared:
                    assert not minigrad.is_grad_enabled()
                    with shared:
                        assert not minigrad.is_grad_enabled()
                assert minigrad.is_grad_enabled() == (i % 2 == 0)

    in_threads(work)
    assert not shared.before


def test_what_a_pass_releases_is_released_for_all_threads() -> None:
    """The first pass through a graph succeeds, and those of other threads after it are refused, as in PyTorch."""
    for library in (minigrad, torch):
        loss = library.ones(2, requires_grad=True).exp().sum()
        loss.backward()
        with ThreadPoolExecutor(1) as pool:
            assert "second time" in str(pool.submit(refusal, loss.backward).result())


# Tasks of asyncio


def in_tasks(*tasks: Callable[[Callable[[], Any]], Any]) -> None:
    """Run tasks that take turns: each waits for all others whenever it calls what it is given."""

    async def run() -> None:
        barrier = asyncio.Barrier(len(tasks))
        await asyncio.gather(*[task(barrier.wait) for task in tasks])

    asyncio.run(run())
    assert minigrad.is_grad_enabled()
    assert not minigrad.is_anomaly_enabled()


def test_every_task_has_settings_of_its_own() -> None:
    x = minigrad.zeros(2, requires_grad=True)

    async def without(turn: Callable[[], Any]) -> None:
        with minigrad.no_grad():
            await turn()
            assert not (x * 2).requires_grad
            await turn()
        assert (x * 2).requires_grad

    async def for_good(turn: Callable[[], Any]) -> None:
        minigrad.set_grad_enabled(False)
        await turn()
        assert not minigrad.is_grad_enabled()
        await turn()
        assert not minigrad.is_grad_enabled()

    async def anomalies(turn: Callable[[], Any]) -> None:
        with minigrad.detect_anomaly():
            await turn()
            with pytest.raises(RuntimeError, match="infinite"):
                x.log()
            await turn()
        x.log()

    async def as_always(turn: Callable[[], Any]) -> None:
        for _ in range(2):
            await turn()
            assert (x * 2).requires_grad
            x.log().sum().backward()

    in_tasks(without, for_good, anomalies, as_always)


def test_a_block_that_tasks_share_ends_for_each_where_it_began() -> None:
    shared = minigrad.enable_grad()

    async def first(turn: Callable[[], Any]) -> None:
        with minigrad.no_grad():
            with shared:
                await turn()
            assert not minigrad.is_grad_enabled()
            await turn()

    async def second(turn: Callable[[], Any]) -> None:
        with shared:
            await turn()
            await turn()
        assert minigrad.is_grad_enabled()

    in_tasks(first, second)
    in_tasks(second, first)


def test_a_task_starts_with_the_settings_of_the_one_that_made_it() -> None:
    async def enabled() -> bool:
        return minigrad.is_grad_enabled()

    async def outer() -> list[bool]:
        with minigrad.no_grad():
            made = asyncio.create_task(enabled())
        return [await made, await asyncio.create_task(enabled()), await enabled()]

    assert asyncio.run(outer()) == [False, True, True]
    with minigrad.no_grad():
        assert asyncio.run(outer()) == [False, False, False]


def test_a_decorated_generator_keeps_its_settings_in_every_task() -> None:
    @minigrad.no_grad()
    def steps() -> Iterator[bool]:
        while True:
            yield minigrad.is_grad_enabled()

    async def take(turn: Callable[[], Any]) -> None:
        own = steps()
        for _ in range(3):
            assert next(own) is False
            assert minigrad.is_grad_enabled()
            await turn()

    in_tasks(take, take)


def test_a_module_that_runs_tasks_is_the_scope_of_these_alone() -> None:
    class Parallel(nn.Module):
        def forward(self, x: Any) -> Any:
            async def run() -> Any:
                return await asyncio.gather(*[asyncio.create_task(asyncio.sleep(0, x * i)) for i in range(3)])

            return asyncio.run(run())

    x = minigrad.ones(2, requires_grad=True)
    inside, outside = Parallel()(x), x * 2
    assert [y.node.scope.kind for y in inside] == [Parallel] * 3
    assert outside.node.scope is None


# Processes that are forked


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("busy", ["with lock: begun.set(); time.sleep(0.05)", "begun.set(); draw()"])
def test_a_process_that_is_forked_beside_a_busy_thread_does_not_wait_for_it(busy: str) -> None:
    """The thread is in the middle of `backward`, or of a draw, and the new process does both."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FORKING.replace("BUSY", busy)], check=True, timeout=60)


FORKING = """
import os, threading, time
import minigrad
from minigrad.core.versions import lock
from minigrad.random import default_generator

begun = threading.Event()

def draw():
    for _ in range(20):
        default_generator.uniform((200_000,))

def work():
    BUSY

for _ in range(3):
    begun.clear()
    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    time.sleep(0.01)
    child = os.fork()
    if not child:
        x = minigrad.rand(3, requires_grad=True)
        for _ in range(2):
            (x * x).sum().backward()
        x.grad.add_(1)
        os._exit(x.grad.tolist() != (4 * x + 1).tolist())
    deadline = time.monotonic() + 20
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.01)
    if done == (0, 0):
        os.kill(child, 9)
    assert done == (child, 0), done
    thread.join()
"""
