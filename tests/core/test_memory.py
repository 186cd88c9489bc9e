"""What goes when its last name goes, without the garbage collector, and that training holds on to nothing.

The programs call the library `torch`, as the course does. A million operations in a chain, see test_backward.py.
"""

import gc
import itertools
import platform
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad
import nn
from minigrad.core import graph, ops
from minigrad.core.primitive import Primitive, parameter_names
from minigrad.core.record import Node
from minigrad.core.tensor import wrap
from minigrad.core.value import Value
from minigrad.core.versions import bump_version, changes, check_unchanged, sequence
from tests.support.comparison import Function, normal, ours


@pytest.fixture(autouse=True, scope="module")
def what_was_there_before() -> Iterator[None]:
    """Leave it out of `gc.get_objects`, which would take long otherwise."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_garbage_collection() -> Iterator[None]:
    """Let only the reference counts free what is no longer named."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def living() -> int:
    """How many Tensors, Values and nodes there are, and changes in place that are remembered."""
    there = sum(issubclass(type(x), Node | minigrad.Tensor | Value) for x in gc.get_objects())
    return there + remembered()


def remembered() -> int:
    """How many arrays there are whose changes in place are remembered."""
    return len(graph.changes)


def lines(table: str) -> dict[str, Any]:
    """The `parametrize` arguments that try each line of a text."""
    return {"argvalues": [line.strip() for line in table.splitlines() if line.strip()], "ids": lambda line: line}


def run(program: str) -> None:
    """Run a program, whose names go at its end."""
    names = {"torch": minigrad, "nn": nn, "F": nn.functional, "Value": Value}
    x, v = normal(4, 3, dtype=np.float32), normal(3, dtype=np.float32)
    names |= {"x": ours(x, requires_grad=True), "v": ours(v, requires_grad=True)}
    exec(program, names)


def run_alone(program: str) -> str:
    """What a program prints in a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


# Graphs

GRAPHS = """
    y = (x * v).sum()
    y = (x * v).sum(); y.backward()
    y = (x * v).sum(); y.backward(retain_graph=True); y.backward()
    y = ((x + v - 1) / (x * x + 2) ** v.exp()).tanh().sigmoid().relu(); y.mean().backward()
    y = x.std(0) + x.var() + x.max(1).values.sum() + x.min() + x.abs().sqrt().sum(); y.sum().backward()
    y = torch.cat([x, x.T.reshape(4, 3)], 1)[:, [0, 1, 1]].cumsum(0); y.sum().backward()
    y = torch.where(x > 0, x, v); y = y.softmax(1).log_softmax(0).logsumexp(1); y.sum().backward()
    y = torch.einsum("ij,kj->ik", x, x) @ x; y.clamp(-1, 1).sum().backward()
    y = x.unsqueeze(0).expand(2, 4, 3).permute(2, 0, 1).flatten().repeat(2); y.sum().backward()
    a, b = x.split(2); rows = [row for row in x]; y = torch.stack(rows)[0] + a[0] + b[1]; y.sum().backward()
    y = F.cross_entropy(F.linear(x, x, x[:, 0]), torch.tensor([0, 1, 2, 3])); y.backward()
    y = F.layer_norm(F.batch_norm(x, None, None, training=True), (3,), v); F.gelu(F.dropout(y)).sum().backward()
    m = nn.MLP(5, hidden=4); y = F.cross_entropy(m(torch.tensor([[0, 1, 2], [1, 2, 3]])), torch.tensor([1, 2]))
    m = nn.MLP(5, hidden=4); F.cross_entropy(m(torch.tensor([[0, 1, 2]] * 2)), torch.tensor([1, 2])).backward()
    y = x.detach() * 2 + x.data; z = y.clone(); z += 1
    with torch.no_grad(): y = x * v; y += 1
    y = v.sum(); y.name = "loss"; y.backward()
    y = x * 2; y.grad_fn; z = y.T; z.grad_fn; repr(z)
"""

RETAINED = """
    y = x * v; y.retain_grad(); z = y.tanh(); z.retain_grad(); z.sum().backward()
    y = x * v; y.retain_grad(); z = y.view(-1); z.retain_grad(); z.sum().backward(); z.grad += 1
    y = x.sum(); y.retain_grad(); y.backward(retain_graph=True); y.backward()
    y = x * v; y.retain_grad(); torch.autograd.grad(y.sum(), x)
"""

IN_PLACE = """
    y = x * 1; y += v; y *= 2; y[0] = v; y.zero_(); y.sum().backward()
    y = x * 1; y *= y; y.sum()
    y = x * 1; z = y[1]; z += v; z *= 2; y.sum().backward()
    y = x * 1; z = y.view(-1)[2:]; z.mul_(3); w = y.T; w += 1; (y.sum() + z.sum() + w.sum()).backward()
    y = x * 1; z = y[1]; y += 1; z.sum().backward()
    y = torch.zeros(4, 3); y[0] = v; y.sum().backward()
    y = torch.zeros(4, 3); y[[0, 1]] = x[:2]; y.sum().backward()
    y = torch.zeros(4, 3); y[0, [1, 2]] = v[:2]; y.sum().backward()
    y = torch.zeros(4, 3); y[0] += v; y.sum().backward()
    y = torch.zeros(4, 3); y[y == 0] = v[0]; y.sum().backward()
    y = torch.zeros(4, 3); y += x; y.sum().backward()
    y = torch.zeros(4, 3); y.add_(x); y.sum().backward()
    y = torch.zeros(4, 3); y.copy_(v); y.sum().backward()
    y = torch.zeros(4, 3); y.fill_(v[0]); y.sum().backward()
    y = torch.zeros(4, 3); y.index_add_(0, torch.tensor([0, 0]), x.float()[:2]); y.sum().backward()
    y = torch.zeros(4, 3); z = y[1]; z += v; y.sum().backward()
    y = torch.zeros(4, 3); z = y.view(2, 6)[:, 1:4]; z.copy_(x[:2]); y.sum().backward()
    y = torch.zeros(4, 3); z = y.T; z[0] = x[:, 0]; y.sum().backward()
    y = torch.zeros(4, 3); y.name = "table"; y[0] = v; y[1] = y[0] * 2; y.sum().backward()
    y = torch.zeros(3); y[0] = 1; y += 1; z = y.view(3, 1); z -= 1
"""

HIGHER = """
    (g,) = torch.autograd.grad((x * v).tanh().sum(), x, create_graph=True)
    (g,) = torch.autograd.grad((x * v).tanh().sum(), x, create_graph=True); (g * g).sum().backward()
    g = torch.autograd.grad((x * v).exp().sum(), [x, v], create_graph=True); (g[0].sum() * g[1].sum()).backward()
    g = x.tanh(); g = [g := torch.autograd.grad(g.sum(), x, create_graph=True)[0] for _ in range(4)]
    y = F.batch_norm(x, None, None, training=True).softmax(1); g = torch.autograd.grad(y[0].sum(), x, create_graph=True)
    y = x * v; z = y.exp(); g = torch.autograd.grad(z.sum(), [y, x], create_graph=True)
    g = torch.autograd.grad((x * v).sum(), [x, v], materialize_grads=True, create_graph=True)
    y = (x * v).sum(); y.backward(inputs=[x])
    y = x * v; y.exp().sum().backward(inputs=[y])
"""

VALUES = """
    a, b = Value(2.0), Value(-3.0); c = (a * b + a**2).tanh() / b - a.exp() + b.relu(); c.backward()
    a = Value(1.0); b = a + a; b = b * b; b._prev; repr(b); b.backward()
    n = nn.scalar.MLP(2, [3, 1]); y = n([1.0, -2.0]); y.backward(); n.zero_grad()
"""


@pytest.mark.parametrize("detecting", [False, True], ids=["", "detect_anomaly"])
@pytest.mark.parametrize("program", **lines(GRAPHS + RETAINED + IN_PLACE + HIGHER + VALUES))
def test_nothing_of_a_program_stays(program: str, detecting: bool) -> None:
    run(program)  # once before, for what is made at the first use and then kept
    before = living()
    if detecting:
        with minigrad.detect_anomaly():
            run(program)
    else:
        run(program)
    assert living() == before


def test_the_nodes_and_arrays_of_the_courses_mlp_go_with_the_loss() -> None:
    model, inputs, target = nn.MLP(5, hidden=4), ours(np.array([[0, 1, 2], [3, 4, 0]])), ours(np.array([1, 2]))
    loss = nn.functional.cross_entropy(model(inputs), target)
    nodes, waiting = {loss.node}, [loss.node]
    while waiting:
        new = {x for x in waiting.pop().inputs if isinstance(x, Node)} - nodes
        nodes |= new
        waiting += new
    watched = [weakref.ref(node) for node in nodes if node.operation]
    assert len(watched) >= 6
    loss.backward()
    del loss, nodes, waiting, new
    assert [watch() for watch in watched] == [None] * len(watched)
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_a_view_keeps_what_it_is_a_view_of_and_no_longer() -> None:
    x = ours(normal(4, 3), requires_grad=True)
    base = x.exp()
    watched = [weakref.ref(base), weakref.ref(base.array), weakref.ref(base.node)]
    view = base[1:]
    del base
    assert all(watch() is not None for watch in watched)
    del view
    assert [watch() for watch in watched] == [None] * 3


def test_a_gradient_does_not_keep_the_graph() -> None:
    x = ours(normal(4, 3), requires_grad=True)
    hidden = (x * 2).exp()
    watched = weakref.ref(hidden.node)
    (gradient,) = minigrad.autograd.grad(hidden.sum(), x, retain_graph=True)
    hidden.sum().backward()
    del hidden
    assert watched() is None
    assert gradient.tolist() == x.grad.tolist()


def test_a_recorded_gradient_keeps_the_graph_and_no_longer() -> None:
    x = ours(normal(4, 3), requires_grad=True)
    hidden = x.exp()
    watched = weakref.ref(hidden.node)
    (gradient,) = minigrad.autograd.grad(hidden.sum(), x, create_graph=True)
    del hidden
    assert watched() is not None
    del gradient
    assert watched() is None


# Exceptions

MISTAKES = """
    y = (x * v).exp() @ v[:2]
    y = (x * v).exp(); y = y + torch.ones(5)
    y = x.exp(); y += 1; y.sum().backward()
    y = x.exp().sum(); y.backward(); y.backward()
    y = x.exp(); y.backward()
    y = x.exp(); y.sum().backward(torch.ones(2))
    y = x * 1; y[9] = v
    y = torch.zeros(2, 3); y[0] = v; y += torch.ones(4, 2, 3)
    y = (x * v).sum(); torch.autograd.grad(y, [x, torch.ones(2, requires_grad=True)], create_graph=True)
    y = F.cross_entropy(x.exp(), torch.tensor([9, 9, 9, 9]))
    y = x.exp().sum(); raise KeyError
    with torch.detect_anomaly(): (x.exp() * 0).log()
    with torch.detect_anomaly(): y = (x * 0).abs().sqrt(); y.sum().backward()
    with torch.detect_anomaly(): y = (x * 0).abs().sqrt(); torch.autograd.grad(y.sum(), x, create_graph=True)
    with torch.detect_anomaly(): y = x.exp(); y += 1; y.sum().backward()
    y = Value(1.0) / (Value(2.0) - 2.0)
"""


@pytest.mark.parametrize("program", **lines(MISTAKES))
def test_nothing_of_a_program_with_a_mistake_stays(program: str) -> None:
    def attempt() -> None:
        try:
            run(program)
        except (RuntimeError, IndexError, KeyError, ZeroDivisionError):
            return
        pytest.fail("there was no mistake")

    attempt()
    before = living()
    attempt()
    assert living() == before


def test_lists_of_all_lengths_keep_few_plans() -> None:
    """Each length has a plan of its own, which is as long as the list."""
    parts = [ours(normal(1), requires_grad=True) for _ in range(300)]
    for count in range(1, len(parts) + 1):
        minigrad.stack(parts[:count]).sum().backward()
    assert sum(map(len, ops.cat.plans)) < 1500
    assert [part.grad.item() for part in parts] == [*range(300, 0, -1)]
    needs = [*itertools.product([False, True], repeat=3)]
    assert all(ops.linear.plans[need] is ops.linear.plans[need] for need in needs)


def test_the_functions_of_a_primitive_go_with_it() -> None:
    def names() -> int:
        return parameter_names.cache_info().currsize

    for i in range(1100):
        Primitive("passing", np.tanh, x=lambda g, y, i=i: g * i)
    assert names() <= 1000


# Changes in place


def changes_of(array: np.ndarray) -> tuple[int, bool]:
    """How often an array was changed, and whether a backward pass takes it as it was when this was called."""
    x = minigrad.tensor(1.0, requires_grad=True)
    node = (x * 1).node
    assert node is not None
    try:
        check_unchanged(array, node)
    except RuntimeError:
        return wrap(array)._version, False
    return wrap(array)._version, True


def test_no_code_runs_when_a_changed_array_goes() -> None:
    """It would swallow an interrupt, as all does that Python calls from there."""
    x = minigrad.zeros(3)
    x += 1
    before, called = remembered(), []
    sys.setprofile(lambda frame, event, argument: called.append(frame) if event == "call" else None)
    try:
        del x
    finally:
        sys.setprofile(None)
    assert not called
    assert remembered() == before - 1


def test_an_array_with_the_id_of_one_that_is_gone_has_not_changed() -> None:
    """Whatever has kept the entry of that one: here it is put back."""
    gone, array = np.zeros(3), np.zeros(3)
    bump_version("add_", gone)
    entry = changes.pop(id(gone))
    del gone
    entry.seq = next(sequence) + 1000
    changes[id(array)] = entry
    changes.latest = entry.seq
    assert changes_of(array) == (0, True)
    assert changes_of(array[1:]) == (0, True)
    bump_version("add_", array[1:])
    assert changes_of(array) == (1, True)
    changes.latest = next(sequence)


def test_a_changed_array_that_goes_where_python_can_call_nothing_more() -> None:
    def dive(arrays: list[Any]) -> None:
        try:
            dive(arrays)
        except RecursionError:
            arrays[:] = []

    before = remembered()
    arrays = []
    for _ in range(50):
        arrays.append(minigrad.zeros(7))
        arrays[-1] += 1
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        dive(arrays)
    finally:
        sys.unraisablehook = hook
    later = [np.zeros(7) for _ in range(200)]
    assert [changes_of(array) for array in later] == [(0, True)] * 200
    for key in [key for key, change in changes.items() if change.memory() is None]:
        del changes[key]
    assert remembered() == before


def test_a_rule_that_fails_leaves_nothing() -> None:
    failing = Primitive("failing", np.tanh, x=lambda g: {}["the rule fails"])

    def attempt() -> None:
        x = ours(normal(3), requires_grad=True)
        loss = (failing(x) * x.exp()).sum()
        try:
            loss.backward()
        except KeyError:
            return
        pytest.fail("it did not fail")

    attempt()
    before = living()
    attempt()
    assert living() == before


# Training

STEPS = 1000


def by_hand(parameters: list[Any]) -> Function:
    """The update of the lecture."""

    def update() -> None:
        for p in parameters:
            p.data += -0.01 * p.grad

    return update


def without_recording(parameters: list[Any]) -> Function:
    """The same within no_grad, in place."""

    def update() -> None:
        with minigrad.no_grad():
            for p in parameters:
                p -= 0.01 * p.grad

    return update


UPDATES: dict[str, Function] = {
    "p.data": by_hand,
    "no_grad": without_recording,
    "SGD": lambda parameters: nn.optim.SGD(parameters, lr=0.01).step,
    "SGD with momentum": lambda parameters: nn.optim.SGD(parameters, lr=0.01, momentum=0.9, nesterov=True).step,
    "Adam": lambda parameters: nn.optim.Adam(parameters).step,
    "AdamW": lambda parameters: nn.optim.AdamW(parameters).step,
}


def grown(step: Function, steps: int = STEPS) -> tuple[int, int]:
    """How many objects many steps leave behind, and how many bytes a part of them."""
    for size in range(20):  # Python keeps so many tuples for later, which would look like growth
        [tuple([None] * size) for _ in range(2000)]
    for _ in range(20):
        step()
    objects, changes = len(gc.get_objects()), remembered()
    tracemalloc.start()
    try:
        for _ in range(50):
            step()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(steps // 10):
            step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    for _ in range(steps):
        step()
    assert remembered() == changes
    return len(gc.get_objects()) - objects, after - before


def training(update: Function, *, retaining: bool = False, set_to_none: bool = True) -> Function:
    """A step of training of a tiny MLP, of which perhaps every result retains its gradient."""
    functional = nn.functional
    shapes = [(3, 2), (4, 4), (4,), (4,), (4,), (3, 4), (3,)]
    parameters = [ours(normal(*shape, dtype=np.float32)).clone().requires_grad_() for shape in shapes]
    inputs, target = minigrad.tensor([[0, 1], [1, 2], [2, 0]]), minigrad.tensor([0, 1, 2])
    change = update(parameters)
    mean, var = minigrad.zeros(4), minigrad.ones(4)

    def step() -> None:
        table, hidden, bias, gain, shift, output, last = parameters
        a = table[inputs].view(3, 4)
        b = functional.linear(a, hidden, bias)
        c = functional.batch_norm(b, mean, var, gain, shift, training=True).tanh()
        logits = functional.linear(c, output, last)
        loss = functional.cross_entropy(logits, target)
        for t in (a, b, c, logits, loss) if retaining else ():
            t.retain_grad()
        for p in parameters:
            if set_to_none:
                p.grad = None
            elif p.grad is not None:
                p.grad.zero_()
        loss.backward()
        change()

    return step


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_training_does_not_grow(update: Function) -> None:
    objects, size = grown(training(update))
    assert objects < 20
    assert size < 2000


def test_ten_thousand_steps_do_not_grow() -> None:
    objects, size = grown(training(UPDATES["SGD"]), 10_000)
    assert objects < 20
    assert size < 2000


@pytest.mark.parametrize(
    "settings", [{"retaining": True}, {"set_to_none": False}, {"retaining": True, "set_to_none": False}], ids=str
)
def test_training_with_other_habits_does_not_grow(settings: dict[str, bool]) -> None:
    objects, size = grown(training(by_hand, **settings))
    assert objects < 20
    assert size < 2000


def test_training_of_layers_with_a_gradient_penalty_and_detection_does_not_grow() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = nn.optim.Adam(model.parameters())
    batch = normal(4, 2, dtype=np.float32)

    def step() -> None:
        x = minigrad.tensor(batch, requires_grad=True)
        with minigrad.detect_anomaly():
            (slope,) = minigrad.autograd.grad(model(x).sum(), x, create_graph=True)
            optimizer.zero_grad()
            ((slope * slope).sum() - model(x).mean()).backward()
            optimizer.step()

    objects, size = grown(step, 100)
    assert objects < 20
    assert size < 2000


def test_training_of_micrograds_mlp_does_not_grow() -> None:
    model = nn.scalar.MLP(2, [3, 1])

    def step() -> None:
        loss = sum(((model(x) - y) ** 2 for x, y in [([1.0, 2.0], 1.0), ([-1.0, 0.5], -1.0)]), Value(0.0))
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data += -0.01 * p.grad

    objects, size = grown(step, 200)
    assert objects < 20
    assert size < 2000


def test_filling_tables_in_place_does_not_grow() -> None:
    """Every table is a memory of its own, of whose changes nobody remembers anything once it is gone."""
    weight = ours(normal(3), requires_grad=True)

    def step() -> None:
        table = minigrad.zeros(4, 3, dtype=np.float64)
        for i in range(4):
            table[i] = weight * i
        table[1:] += 1
        table.view(-1)[2:4].mul_(2)
        table.sum().backward()

    objects, size = grown(step, 300)
    assert objects < 20
    assert size < 2000


PAGES = """
import resource
import minigrad
import numpy
assert minigrad.retain_freed_memory()
def pages():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    for _ in range(20):
        first, second = numpy.ones((512, 1024)), numpy.ones((512, 1024))
        del first, second
work()
before = pages()
work()
print(pages() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have ways of their own")
def test_the_memory_of_large_arrays_is_kept_for_the_next_ones() -> None:
    """40 arrays of 4 MB, of 1,000 pages each."""
    assert int(run_alone(PAGES)) < 100


def test_a_note_of_a_change_goes_with_the_memory() -> None:
    before = remembered()
    x = minigrad.zeros(3)
    view = x[1:]
    view += 1
    x[0] = 5
    assert remembered() == before + 1
    del x
    assert remembered() == before + 1
    del view
    assert remembered() == before


def test_new_memory_in_an_old_place_has_not_been_changed() -> None:
    """Where Python gives a new array the id of one that is gone."""
    for _ in range(50):
        x = minigrad.zeros(3, requires_grad=True)
        assert x._version == 0
        y = x * 1
        y += 1
        y.exp().sum().backward()
        with minigrad.no_grad():
            x += 1
        assert x._version == 1
        del x, y
