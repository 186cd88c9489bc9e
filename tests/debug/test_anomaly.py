"""detect_anomaly: the first NaN or infinity is refused, with its operation, its operands and the line of the user's.

The tables hold programs as a notebook has them, whose lines are known under the name `CELL`.
"""

import linecache
import math
import textwrap
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from minigrad import Value
from tests.support.comparison import Function, assert_refused, compare, normal, ours

pytestmark = [
    pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled:UserWarning"),  # PyTorch's, that it is slow
    pytest.mark.filterwarnings("ignore:Error detected in:UserWarning"),  # and where, which it only prints
]

CELL = "<ipython-input-7>"
LIBRARIES = [minigrad, torch]


@pytest.fixture(autouse=True)
def switched_off_again() -> Iterator[None]:
    """Fail a test that leaves the detection on."""
    yield
    assert not minigrad.is_anomaly_enabled()
    assert not torch.is_anomaly_enabled()


def run(program: str, **names: Any) -> None:
    """Run a program as a cell of a notebook, whose lines Python can show."""
    source = textwrap.dedent(program).strip() + "\n"
    linecache.cache[CELL] = (len(source), None, source.splitlines(True), CELL)
    exec(compile(source, CELL, "exec"), {"torch": minigrad, "nn": nn, "F": nn.functional, "Value": Value, **names})


def message(function: Function, *arguments: Any, **settings: Any) -> str:
    """What is said where a call is refused while anomalies are detected."""
    with pytest.raises(RuntimeError) as caught, minigrad.detect_anomaly(**settings):
        function(*arguments)
    return str(caught.value)


def in_cell(number: int, text: str, function: str = "<module>") -> str:
    """How a message tells a line of the cell."""
    return f'(File "{CELL}", line {number}, in {function}: {text})'


# Programs with a fault: the line, the operation, and what is said of it

FORWARD: dict[str, tuple[str, int, str, str]] = {
    "the logarithm of 0": (
        "x = torch.tensor([1.0, 0.0, 2.0])\ny = x.log()",
        *(2, "log", "the result is infinite in 1 of 3 elements, first at (1,), where x of shape (3,) is 0 to 2;"),
    ),
    "the logarithm of a negative number": (
        "x = torch.tensor([[1.0, 1.0], [-3.0, -3.0]])\ny = x.log()",
        *(2, "log", "the result is NaN in 2 of 4 elements, first at (1, 0), where x of shape (2, 2) is -3 to 1;"),
    ),
    "a division by 0": (
        "x = torch.zeros(2, 1)\ny = 1 / x",
        *(2, "div", "infinite in 2 of 2 elements, first at (0, 0), where a of shape () is 1, b of shape (2, 1) is 0;"),
    ),
    "0 divided by 0": (
        "x = torch.tensor(0.0)\ny = x / x",
        *(2, "div", "the result is NaN, where a of shape () is 0, b of shape () is 0; keep away from there"),
    ),
    "an exponential out of range": (
        "x = torch.tensor([1.0, 100.0])\n\ny = x.exp()",
        *(3, "exp", "the result is infinite in 1 of 2 elements, first at (1,), where x of shape (2,) is 1 to 100;"),
    ),
    "a root of a negative number": ("y = torch.sqrt(torch.tensor([-0.25]))", 1, "sqrt", "x of shape (1,) is -0.25;"),
    "a power out of range": (
        "x = torch.full((2,), 1e20)\ny = x**2",
        *(2, "pow", "where a of shape (2,) is 1e+20, b of shape () is 2;"),
    ),
    "a sum out of range": ("y = torch.full((2,), 3e38).sum()", 1, "sum", "is infinite, where x of shape (2,) is 3e+38"),
    "a product of matrices": (
        "a = torch.full((2, 3), 1e30)\nb = a @ a.T",
        *(2, "matmul", "first at (0, 0), where a of shape (2, 3) is 1e+30, b of shape (3, 2) is 1e+30;"),
    ),
    "infinity minus infinity": (
        "x = torch.tensor([1.0, float('inf')])\ny = x - x",
        *(2, "sub", "the result is NaN in 1 of 2 elements, first at (1,), where a of shape (2,) is 1 to inf,"),
    ),
    "0 times infinity": ("x = torch.tensor([float('inf')])\ny = 0 * x", 2, "mul", "b of shape (1,) is inf;"),
    "a conversion out of range": (
        "x = torch.tensor([1e300], dtype=torch.float64)\ny = x.float()",
        *(2, "cast", "the result is infinite in 1 of 1 elements, first at (0,), where x of shape (1,) is 1e+300;"),
    ),
    "a mean of nothing": ("y = torch.zeros(0).mean()", 1, "mean", "the result is NaN, where x of shape (0,) is empty;"),
    "a NaN that was there": (
        "x = torch.tensor([2.0, float('nan'), 3.0])\ny = x + 1",
        *(2, "add", "first at (1,), as what it was given does already, where a of shape (3,) is 2 to 3 or NaN,"),
    ),
    "NaN alone": (
        "x = torch.tensor([float('nan')])\ny = x.exp()",
        *(2, "exp", "where x of shape (1,) is NaN; look where that comes from"),
    ),
    "a NaN among several": (
        "x = torch.cat([torch.ones(2), torch.tensor([float('nan')])])",
        *(1, "cat", "where operand 0 of shape (2,) is 1, operand 1 of shape (1,) is NaN;"),
    ),
    "a row of which all is masked": (
        "x = torch.zeros(1, 2).masked_fill(torch.ones(1, 2) > 0, float('-inf'))\ny = F.softmax(x, 1)",
        *(2, "softmax", "the result is NaN in 2 of 2 elements"),
    ),
    "within no_grad": ("with torch.no_grad():\n    y = torch.zeros(1).log()", 2, "log", "infinite"),
    "through nn.functional": (
        "w = torch.full((2, 3), 1e30)\ny = F.linear(torch.full((4, 3), 1e30), w, torch.zeros(2))",
        *(2, "linear", "where x of shape (4, 3) is 1e+30, weight of shape (2, 3) is 1e+30, bias of shape (2,) is 0;"),
    ),
    "through a layer": (
        "layer = nn.BatchNorm1d(2)\ny = layer(torch.tensor([[1.0, 2.0], [float('inf'), 3.0]]))",
        *(2, "batch_norm", "where x of shape (2, 2) is 1 to inf, weight of shape (2,) is 1, bias of shape (2,) is 0;"),
    ),
    "through layers in layers": (
        "model = nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(2, 3)), nn.Tanh())"
        "\nmodel[0][1].weight.data.fill_(3e38)\ny = model(torch.ones(4, 2))",
        *(3, "linear", "the result is infinite in 12 of 12 elements"),
    ),
    "in place": ("x = torch.ones(2)\nx /= 0", 2, "div", "where a of shape (2,) is 1, b of shape () is 0;"),
    "by numpy's name": ("x = torch.zeros(2)\ny = np.log(x)", 2, "log", "infinite in 2 of 2 elements"),
    "of a Value": ("a = Value(1e308)\nb = a * 10", 2, "mul", "where a of shape () is 1e+308, b of shape () is 10;"),
}

BACKWARD: dict[str, tuple[str, int, str, str]] = {
    "a root at 0": (
        "x = torch.zeros(2, requires_grad=True)\ny = x.sqrt()\ny.sum().backward()",
        *(2, "sqrt", "gradient of x is infinite in 2 of 2 elements, first at (0,), where g of shape (2,) is 1, y of"),
    ),
    "0 times the slope of a root at 0": (
        "x = torch.zeros(2, requires_grad=True)\ny = x.sqrt()\n(y * 0).sum().backward()",
        *(2, "sqrt", "gradient of x is NaN in 2 of 2 elements, first at (0,), where g of shape (2,) is 0, y of shape"),
    ),
    "a length of 0": (
        "x = torch.zeros(3, requires_grad=True)\ny = (x * x).sum()\nlength = y.sqrt()\nlength.backward()",
        *(3, "sqrt", "the gradient of x is infinite, where g of shape () is 1, y of shape () is 0;"),
    ),
    "an exponent of a negative number": (
        "x = torch.tensor([-1.0, 2.0])\nn = torch.tensor(2.0, requires_grad=True)\ny = x**n\ny.sum().backward()",
        *(3, "pow", "the gradient of b is NaN, where g of shape (2,) is 1, y of shape (2,) is 1 to 4, a of shape (2,)"),
    ),
    "a quotient by a tiny number": (
        "a = torch.ones(2)\nb = torch.full((2,), 1e-25, requires_grad=True)\ny = a / b\ny.sum().backward()",
        *(3, "div", "the gradient of b is infinite in 2 of 2 elements"),
    ),
    "by grad": (
        "x = torch.zeros(2, requires_grad=True)\ny = x.sqrt().sum()\n\n\ntorch.grad(y, [x])",
        *(2, "sqrt", "the gradient of x is infinite"),
    ),
    "by a recorded grad": (
        "x = torch.zeros(2, requires_grad=True)\ny = x.sqrt().sum()\n\ntorch.grad(y, x, create_graph=True)",
        *(2, "sqrt", "the gradient of x is infinite in 2 of 2 elements"),
    ),
    "of a quotient of Values": (
        "a = Value(1e-200)\nb = 1 / a\nb.backward()",
        *(2, "div", "the gradient of b is infinite, where g of shape () is 1, "),
    ),
}


@pytest.mark.parametrize("fault", (FORWARD | BACKWARD).values(), ids=FORWARD | BACKWARD)
def test_a_fault_is_named_with_its_operands_and_the_line(fault: tuple[str, int, str, str]) -> None:
    program, number, operation, said = fault
    error = message(lambda: run(program, np=np))
    line = [line.strip() for line in program.splitlines()][number - 1]
    assert error.startswith(f"{operation} {in_cell(number, line)}: the "), error
    assert said in error
    assert error.endswith(("keep away from there: clamp, or add a small number", "look where that comes from"))


def test_a_gradient_of_a_constant_operand_is_not_looked_at() -> None:
    with minigrad.detect_anomaly():
        run("x = torch.zeros(2)\na = torch.ones(2, requires_grad=True)\n(a * x.sqrt()).sum().backward()")


@pytest.mark.parametrize("place", [0, 1, 57, 99])
def test_the_first_of_many_faults_is_named(place: int) -> None:
    lines = ["x = x * 1.25 - x"] * 100
    lines[place] = "x = (x - x) / (x * 0)"
    program = "\n".join([*lines[: place + 1], *(["x = x.tanh().exp().log()"] * 100)])
    assert message(lambda: run(program, x=minigrad.ones(3))).startswith(f"div {in_cell(place + 1, lines[place])}")


def test_backwards_the_fault_nearest_to_the_loss_is_named() -> None:
    program = """
        x = torch.zeros(3, requires_grad=True)
        a = (x * x).sqrt()
        b = a.sqrt()
        c = b.exp().tanh()
        (c + a).sum().backward()
    """
    assert message(lambda: run(program)).startswith(f"sqrt {in_cell(3, 'b = a.sqrt()')}: the gradient of x")


def test_a_refused_backward_leaves_no_gradient() -> None:
    x, w = minigrad.zeros(2, requires_grad=True), minigrad.ones(2, requires_grad=True)
    loss = (x.sqrt() + w * x).sum()
    assert "sqrt" in message(loss.backward)
    assert x.grad is None


# Whose line it is


def test_a_line_of_a_file() -> None:
    def slope(x: minigrad.Tensor) -> None:
        x.log()  # here

    assert f'File "{__file__}", line ' in message(slope, minigrad.zeros(1))
    assert ", in slope: x.log()  # here): the result" in message(slope, minigrad.zeros(1))


@pytest.mark.parametrize("decorator", [minigrad.detect_anomaly(), minigrad.enable_grad(), minigrad.no_grad()])
def test_a_line_of_a_decorated_function(decorator: Any) -> None:
    @decorator
    def decorated(x: minigrad.Tensor) -> Any:
        return x.log()  # in it

    assert ", in decorated: return x.log()  # in it)" in message(decorated, minigrad.zeros(1))


def test_a_line_of_a_generator() -> None:
    def batches() -> Iterator[minigrad.Tensor]:
        for i in (2.0, 1.0, 0.0):
            yield minigrad.tensor(i).log()  # in the generator

    assert ", in batches: yield minigrad.tensor(i).log()  # in the generator)" in message(lambda: [*batches()])


def test_a_line_of_a_users_own_module() -> None:
    class Inverse(nn.Module):
        def forward(self, x: Any) -> Any:
            return 1 / x  # in forward

    model = nn.Sequential(nn.Flatten(), Inverse(), nn.Tanh())
    assert ", in forward: return 1 / x  # in forward)" in message(model, minigrad.zeros(2, 2))


@pytest.mark.parametrize("name", ["nnet", "nn_models.mlp", "minigrad_lessons", "__main__"])
def test_a_line_of_a_module_with_a_name_much_like_ours(name: str) -> None:
    assert in_cell(1, "y = x.log()") in message(lambda: run("y = x.log()", x=minigrad.zeros(1), __name__=name))


def test_a_line_whose_text_nobody_knows() -> None:
    error = message(lambda: exec("\ny = x.log()", {"x": minigrad.zeros(1)}))
    assert error.startswith('log (File "<string>", line 2, in <module>): the result is infinite')


def test_no_line_is_known_of_what_was_computed_before() -> None:
    y = minigrad.zeros(2, requires_grad=True).sqrt().sum()
    assert message(y.backward).startswith("sqrt: the gradient of x is infinite")


# Programs without a fault

FINE = """
    wei = x.masked_fill(torch.tril(torch.ones(3, 3)) == 0, float("-inf")); F.softmax(wei, dim=-1).sum().backward()
    wei = x.masked_fill(torch.tril(torch.ones(3, 3)) == 0, -math.inf); (torch.softmax(wei, -1) @ x).sum().backward()
    wei = x.masked_fill(torch.tril(torch.ones(3, 3)) == 0, -math.inf); F.log_softmax(wei, 1)[:, 0].sum().backward()
    wei = x.masked_fill(torch.tril(torch.ones(3, 3)) == 0, -math.inf); wei.max(1).values.sum().backward()
    wei = x.masked_fill(torch.tril(torch.ones(3, 3)) == 0, -math.inf); wei.logsumexp(1).sum().backward()
    wei = torch.where(x > 0, x, -math.inf); torch.cat([wei, x], 1).softmax(1).sum().backward()
    F.cross_entropy(torch.tensor([[0.0, -math.inf, 1.0]], requires_grad=True), torch.tensor([2])).backward()
    torch.tensor([math.inf, 1.0]) + 1; torch.tensor([-math.inf, 1.0]).exp(); 1 / torch.tensor([math.inf])
    x.clamp(-math.inf, 0.5).sum().backward(); x.clamp(min=0.0).sum().backward()
    torch.arange(5) * 2; torch.arange(5).sum(); (torch.arange(5) > 2).all(); torch.arange(6).view(2, 3).T[0]
    torch.zeros(0, 3).exp().sum(); (torch.zeros(0, requires_grad=True) * 2).sum().backward(); torch.zeros(0).sum()
    torch.ones(3, 2, requires_grad=True).std(0).sum().backward()
    z = torch.zeros(3, requires_grad=True); (z**2 + z**3 + 2**z + z.relu() + z.abs()).sum().backward()
    F.dropout(x).sum().backward(); x.max().backward(); x[[0, 0]].sum().backward()
    y = torch.zeros(3, 3); y[0] = x[1]; y[1:] += 2 * x[1:]; y.softmax(1).sum().backward()
    y = nn.BatchNorm1d(3)(x.float()); z = nn.LayerNorm(3)(y); nn.Linear(3, 2)(z).tanh().sum().backward()
    (g,) = torch.autograd.grad((x.tanh() ** 3).sum(), x, create_graph=True); (g * g).sum().backward()
    a = Value(-4.0); b = Value(2.0); c = ((a * b + b**3).relu() / b).tanh() + (-a).log() + b.exp(); c.backward()
    m = nn.MLP(5, hidden=4); F.cross_entropy(m(torch.tensor([[0, 1, 2], [3, 4, 0]])), torch.tensor([1, 2])).backward()
    print(x, x.sum().item(), x.tolist(), f"{x.sum():.4f}")
"""


@pytest.mark.parametrize("program", [line.strip() for line in FINE.strip().splitlines()])
def test_a_program_without_a_fault_runs(program: str) -> None:
    with minigrad.detect_anomaly():
        run(program, math=math, x=ours(normal(3, 3), requires_grad=True))


def test_the_numbers_are_the_same_as_without_it() -> None:
    def function(library: Any, x: Any, w: Any) -> Any:
        with library.autograd.detect_anomaly():
            return ((x @ w).tanh().softmax(1) * x.exp().sum()).log()

    compare(function, normal(4, 3), normal(3, 2))


# What PyTorch raises for

RAISED_BY_PYTORCH: dict[str, Function] = {
    "0 times infinity": lambda library, x: (x.sqrt() * 0).sum().backward(),
    "the length of 0": lambda library, x: (x * x).sum().sqrt().backward(),
    "a branch not taken": lambda library, x: library.where(x > 0, x.log(), x * 0.0).sum().backward(),
    "a root of a negative number": lambda library, x: (x - 1).sqrt().sum().backward(),
    "a logarithm of a negative number": lambda library, x: ((x - 1) ** (x + 0.5)).sum().backward(),
    "0 / 0": lambda library, x: (x / x).sum().backward(),
    "a fully masked row": lambda library, x: (x.masked_fill(x == 0, float("-inf")).softmax(0).sum() * 2).backward(),
    "by grad": lambda library, x: library.autograd.grad((x.sqrt() * 0).sum(), x),
    "a gradient of a gradient": lambda library, x: library.autograd.grad(
        library.autograd.grad((x**1.5).sum(), x, create_graph=True)[0].sum() * 0, x
    ),
}


@pytest.mark.parametrize("function", RAISED_BY_PYTORCH.values(), ids=RAISED_BY_PYTORCH)
def test_what_pytorch_raises_for(function: Function) -> None:
    def detected(library: Any, x: Any) -> None:
        with library.autograd.detect_anomaly():
            function(library, x)

    assert_refused(detected, np.zeros(3), message=f'(File "{__file__}"')


# On and off


@pytest.mark.parametrize("library", LIBRARIES)
def test_on_within_a_block_and_off_after_it(library: Any) -> None:
    states = [library.is_anomaly_enabled()]
    with library.autograd.detect_anomaly():
        states.append(library.is_anomaly_enabled())
        with library.autograd.detect_anomaly(check_nan=False):
            states.append(library.is_anomaly_enabled())
        with library.autograd.set_detect_anomaly(False):
            states.append(library.is_anomaly_enabled())
        states.append(library.is_anomaly_enabled())
    assert [*states, library.is_anomaly_enabled()] == [False, True, True, False, True, False]


@pytest.mark.parametrize("library", LIBRARIES)
def test_switched_on_from_here_on(library: Any) -> None:
    library.autograd.set_detect_anomaly(True)
    assert library.is_anomaly_enabled()
    with library.autograd.set_detect_anomaly(True, check_nan=False):
        assert library.is_anomaly_enabled()
    assert library.is_anomaly_enabled()
    library.autograd.set_detect_anomaly(False)
    assert not library.is_anomaly_enabled()


@pytest.mark.parametrize("library", LIBRARIES)
def test_off_again_after_an_exception(library: Any) -> None:
    for settings in ({}, {"check_nan": False}):
        with pytest.raises(KeyError), library.autograd.detect_anomaly(**settings):
            raise KeyError
        assert not library.is_anomaly_enabled()


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_leaves_recording_as_it_is(library: Any) -> None:
    states = []
    with library.autograd.detect_anomaly(), library.no_grad():
        states += [library.is_anomaly_enabled(), library.is_grad_enabled()]
        with library.enable_grad():
            states += [library.is_anomaly_enabled(), library.is_grad_enabled()]
    with library.no_grad():
        with library.autograd.detect_anomaly():
            states += [library.is_anomaly_enabled(), library.is_grad_enabled()]
        states += [library.is_anomaly_enabled(), library.is_grad_enabled()]
    assert states == [True, False, True, True, True, False, False, False]


def test_an_anomaly_without_recording() -> None:
    x = minigrad.zeros(1, requires_grad=True)
    with minigrad.no_grad():
        assert "infinite" in message(x.log)
        x.log()


def test_off_after_it_nothing_is_refused() -> None:
    x = minigrad.zeros(1, requires_grad=True)
    assert "infinite" in message(x.log)
    x.log().sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [np.inf]


def test_of_a_decorated_function_the_caller_is_left_as_it_was() -> None:
    @minigrad.detect_anomaly()
    def fall(depth: int) -> None:
        """Say what it does."""
        assert minigrad.is_anomaly_enabled()
        if not depth:
            raise KeyError
        fall(depth - 1)

    with pytest.raises(KeyError):
        fall(2)
    assert fall.__name__ == "fall"
    assert fall.__doc__ == "Say what it does."


def test_a_decorated_generator_detects_between_its_yields_and_its_caller_does_not() -> None:
    @minigrad.detect_anomaly()
    def steps() -> Iterator[bool]:
        try:
            yield minigrad.is_anomaly_enabled()
            yield minigrad.is_anomaly_enabled()
            minigrad.zeros(1).log()
        finally:
            assert minigrad.is_anomaly_enabled()

    running = steps()
    for _ in range(2):
        assert next(running) is True
        assert not minigrad.is_anomaly_enabled()
        minigrad.zeros(1).log()
    with pytest.raises(RuntimeError, match=r"log .*in steps"):
        next(running)


def test_it_counts_for_its_thread_only() -> None:
    on, done, seen = threading.Event(), threading.Event(), []

    def detecting() -> None:
        with minigrad.detect_anomaly():
            on.set()
            done.wait(10)
            seen.append(minigrad.is_anomaly_enabled())

    thread = threading.Thread(target=detecting)
    thread.start()
    assert on.wait(10)
    assert not minigrad.is_anomaly_enabled()
    assert minigrad.zeros(1).log().tolist() == [-np.inf]
    done.set()
    thread.join()
    assert seen == [True]


def test_a_thread_starts_without_it() -> None:
    seen: list[Any] = []
    with minigrad.detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append((minigrad.is_anomaly_enabled(), minigrad.zeros(1).log())))
        thread.start()
        thread.join()
    assert seen[0][0] is False


# Without a look at the numbers


@pytest.mark.parametrize("library", LIBRARIES)
def test_without_check_nan_nothing_is_refused(library: Any) -> None:
    x = library.zeros(2, requires_grad=True)
    with library.autograd.detect_anomaly(check_nan=False):
        (x.sqrt() * 0).sum().backward()
    assert x.grad is not None
    assert np.isnan(x.grad.numpy()).all()


# The lines of other refusals

CHANGES: dict[str, tuple[str, int, str, int, str]] = {
    "of a result": (
        "x = torch.ones(2, requires_grad=True)\ny = x.exp()\ny += 1\ny.sum().backward()",
        *(2, "exp", 3, "add_"),
    ),
    "of an operand": (
        "x = torch.ones(2, requires_grad=True)\na = x * 1\ny = a * a\n\na[0] = 5\ny.sum().backward()",
        *(3, "mul", 5, "assign"),
    ),
    "through a view": (
        "x = torch.ones(2, 2, requires_grad=True)\ny = x.tanh()\nv = y.view(-1)\nv[0] = 5\ny.sum().backward()",
        *(2, "tanh", 4, "assign"),
    ),
    "by a step": (
        "w = torch.ones(2, requires_grad=True)\nopt = nn.optim.SGD([w], lr=0.1)\ny = (w * w).sum()"
        "\ny.backward(retain_graph=True)\nopt.step()\ny.backward()",
        *(3, "mul", 5, "SGD.step"),
    ),
}


@pytest.mark.parametrize("settings", [{}, {"check_nan": False}], ids=["", "check_nan=False"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_refusal_of_a_change_tells_both_lines(
    change: tuple[str, int, str, int, str], settings: dict[str, bool]
) -> None:
    program, needed_in, operation, changed_in, by = change
    lines = program.splitlines()
    error = message(lambda: run(program), **settings)
    assert error.startswith(f"{operation} {in_cell(needed_in, lines[needed_in - 1])}: a value of shape (2")
    assert f"was changed by {by} {in_cell(changed_in, lines[changed_in - 1])}: compute a new tensor" in error
    assert "detect_anomaly" not in error


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_off_the_refusal_of_a_change_suggests_it(change: tuple[str, int, str, int, str]) -> None:
    program, _, operation, _, by = change
    with pytest.raises(RuntimeError, match=rf"^{operation}: a value.* changed by {by}: .*detect_anomaly\(\)") as caught:
        run(program)
    assert CELL not in str(caught.value)


def test_the_refusal_of_a_second_pass_tells_the_line_of_the_operation() -> None:
    program = "x = torch.ones(2, requires_grad=True)\ny = (x * x).sum()\ny.backward()\ny.backward()"
    error = message(lambda: run(program))
    assert error.startswith("mul: backward through the graph a second time")
    assert error.endswith(in_cell(2, "y = (x * x).sum()"))
    with pytest.raises(RuntimeError, match="second time") as caught:
        run(program)
    assert CELL not in str(caught.value)


# Values


def test_what_python_itself_refuses_of_a_value_stays_its_own_error() -> None:
    for program, kind in [("Value(0.0).log()", ValueError), ("1 / Value(0.0)", ZeroDivisionError)]:
        with pytest.raises(kind), minigrad.detect_anomaly():
            run(program)
    with pytest.raises(OverflowError), minigrad.detect_anomaly():
        run("Value(1000.0).exp()")


def test_values_that_are_infinite_from_the_start_are_let_be() -> None:
    with minigrad.detect_anomaly():
        assert (Value(float("inf")) + 1).data == float("inf")
    assert (Value(1e308) * 10).data == float("inf")
