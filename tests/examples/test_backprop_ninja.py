"""examples/backprop_ninja.py: its gradients are PyTorch's, its grades are fair, and its hints are right.

The backward pass by hand, below, is the reference for the grading, and is compared with PyTorch itself.
"""

import importlib
import random
import re
import string
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import minigrad
from tests.support import ROOT
from tests.support.comparison import assert_close, normal, theirs

PROGRAM = ROOT / "examples" / "backprop_ninja.py"
CHARACTERS = "." + string.ascii_lowercase
ZERO = ["logit_maxes", "b1"]  # whose gradients are zero but for rounding

# The lecture's 26 variables, in its order, and a line or two that finds the gradient of each by hand.
BY_HAND = {
    "logprobs": "dlogprobs = minigrad.zeros_like(logprobs)\ndlogprobs[range(n), Yb] = -1 / n",
    "probs": "dprobs = dlogprobs / probs",
    "counts_sum_inv": "dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)",
    "counts_sum": "dcounts_sum = -(counts_sum**-2) * dcounts_sum_inv",
    "counts": "dcounts = counts_sum_inv * dprobs\ndcounts += dcounts_sum",
    "norm_logits": "dnorm_logits = counts * dcounts",
    "logit_maxes": "dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)",
    "logits": (
        "dlogits = dnorm_logits.clone()\n"
        "dlogits += F.one_hot(logits.max(1).indices, num_classes=logits.shape[1]) * dlogit_maxes"
    ),
    "h": "dh = dlogits @ W2.T",
    "W2": "dW2 = h.T @ dlogits",
    "b2": "db2 = dlogits.sum(0)",
    "hpreact": "dhpreact = (1 - h**2) * dh",
    "bngain": "dbngain = (bnraw * dhpreact).sum(0, keepdim=True)",
    "bnbias": "dbnbias = dhpreact.sum(0, keepdim=True)",
    "bnraw": "dbnraw = bngain * dhpreact",
    "bnvar_inv": "dbnvar_inv = (bndiff * dbnraw).sum(0, keepdim=True)",
    "bnvar": "dbnvar = -0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv",
    "bndiff2": "dbndiff2 = minigrad.ones_like(bndiff2) / (n - 1) * dbnvar",
    "bndiff": "dbndiff = bnvar_inv * dbnraw\ndbndiff += 2 * bndiff * dbndiff2",
    "bnmeani": "dbnmeani = -dbndiff.sum(0, keepdim=True)",
    "hprebn": "dhprebn = dbndiff.clone()\ndhprebn += 1 / n * dbnmeani",
    "embcat": "dembcat = dhprebn @ W1.T",
    "W1": "dW1 = embcat.T @ dhprebn",
    "b1": "db1 = dhprebn.sum(0)",
    "emb": "demb = dembcat.view(emb.shape)",
    "C": (
        "dC = minigrad.zeros_like(C)\n"
        "for i in range(n):\n"
        "    for j in range(Xb.shape[1]):\n"
        "        dC[Xb[i, j]] += demb[i, j]"
    ),
}
NUMPY = {
    "logprobs": "dlogprobs = np.zeros(logprobs.shape, np.float32)\ndlogprobs[range(n), Yb.numpy()] = -1 / n",
    "probs": "dprobs = dlogprobs / probs.numpy()",
    "hpreact": "dhpreact = (1 - np.square(h.numpy())) * dh.numpy()",
    "bnbias": "dbnbias = dhpreact.sum(0, keepdims=True)",
    "b1": "db1 = np.sum(dhprebn.numpy(), axis=0)",
    "C": "dC = np.zeros(C.shape, np.float32)\nnp.add.at(dC, Xb.numpy(), demb.numpy())",
}


class Outcome(NamedTuple):
    """How a run of the program ended: its exit code, and what it wrote on stdout and stderr."""

    code: int
    output: str
    errors: str


class Runner(NamedTuple):
    """The program as a module, a list of names for it, and a folder."""

    program: ModuleType
    names: Path
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Outcome:
        """Run it with some arguments."""
        try:
            code = self.program.main(["--names", str(self.names), *arguments])
        except SystemExit as end:
            code = end.code
        return Outcome(code, *self.capsys.readouterr())

    def check(self, answers: Mapping[str, str]) -> Outcome:
        """Write the exercise, fill these answers in, and have it graded."""
        path = self.folder / "mine.py"
        path.unlink(missing_ok=True)
        assert self("--exercise", str(path)).code == 0
        text = path.read_text(encoding="utf-8")
        for name, answer in answers.items():
            assert f"\nd{name} = None  # your turn\n" in text
            text = text.replace(f"\nd{name} = None  # your turn\n", f"\n{answer}\n")
        path.write_text(text, encoding="utf-8")
        return self("--check", str(path))

    def options(self) -> Any:
        """The options of a run without arguments."""
        return self.program.parse(["--names", str(self.names)])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runner:
    """The program, which finds its neighbours, and two hundred names of a consonant and a vowel in turn."""
    monkeypatch.syspath_prepend(PROGRAM.parent)
    source = random.Random(0)
    syllables = [consonant + vowel for consonant in "bdklmnrst" for vowel in "aeio"]
    names = ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(200)]
    (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
    return Runner(importlib.import_module(PROGRAM.stem), tmp_path / "names.txt", tmp_path, capsys)


@pytest.fixture
def reference(run: Runner) -> dict[str, Any]:
    """The variables of the forward pass, and their gradients, called d..., as PyTorch computes them."""
    data, start = run.program.prepared(run.options())
    parameters = {name: theirs(tensor.detach().numpy(), requires_grad=True) for name, tensor in start.items()}
    v = run.program.forward(**parameters, Xb=theirs(data.Xb.numpy()), Yb=theirs(data.Yb.numpy()))
    for name in BY_HAND:
        v[name].retain_grad()
    v["loss"].backward()
    arrays = {name: x.detach().numpy() if isinstance(x, torch.Tensor) else x for name, x in v.items()}
    return arrays | {f"d{name}": v[name].grad.numpy() for name in BY_HAND}


def assert_same_gradient(name: str, mine: np.ndarray, reference: Mapping[str, Any]) -> None:
    """Require PyTorch's gradient of a variable."""
    expected = reference[f"d{name}"]
    if name in ZERO:
        assert mine.shape == expected.shape
        assert max(np.abs(mine).max(), np.abs(expected).max()) < 1e-7
    else:
        assert_close(mine, expected)


def rows(output: str) -> list[tuple[str, str]]:
    """The names in the rows of `cmp`, each with its grade."""
    found = re.findall(r"^(\w+) +\| exact: (\w+) .*?maxdiff: [^ |\n]+(?: \| (\w+): .*)?$", output, re.MULTILINE)
    return [(name, "exact" if exact == "True" else grade) for name, exact, grade in found]


def closing(outcome: Outcome) -> str:
    """The last line of the grading, without the words in brackets; it agrees with the exit code."""
    line = outcome.output.splitlines()[-1].partition("   (")[0]
    assert outcome.code == (0 if line.startswith("26 of 26") else 1)
    assert outcome.errors == ""
    return line


def row_of(name: str, outcome: Outcome) -> str:
    """The one line about a variable."""
    (line,) = (line for line in outcome.output.splitlines() if re.match(rf"{name} +\| ", line))
    return line


# The walk


def test_the_variables_are_those_of_the_lecture(run: Runner) -> None:
    assert list(run.program.ORDER) == list(BY_HAND)


def test_the_derived_gradients_are_those_of_pytorch(run: Runner, reference: dict[str, Any]) -> None:
    data, start = run.program.prepared(run.options())
    v = run.program.backward(data, start)
    gradients = run.program.results(minigrad.derive(v["loss"], names=v, retain=[*BY_HAND]), v)
    for name in BY_HAND:
        assert_same_gradient(name, gradients[f"d{name}"], reference)
        assert_same_gradient(name, v[name].grad.numpy(), reference)


def test_the_walk_compares_every_gradient_and_all_are_right(run: Runner) -> None:
    outcome = run("--steps", "20")
    assert (outcome.code, outcome.errors) == (0, "")
    found = rows(outcome.output)
    assert [name for name, _ in found] == [*BY_HAND, "logits", "hprebn", "hprebn"]
    assert {grade for _, grade in found} <= {"exact", "rounding"}
    assert [line for line in outcome.output.splitlines() if line.startswith("Exercise")] == [
        "Exercise 1: back through every step",
        "Exercise 2: the cross entropy in one formula",
        "Exercise 3: BatchNorm in one formula",
        "Exercise 4: train with it",
    ]
    assert "    def step(C, W1, b1, W2, b2, bngain, bnbias, Xb, Yb):" in outcome.output


def test_a_gradient_that_is_derived_wrongly_would_show(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    results = run.program.results

    def spoiled(answer: Any, arrays: Any) -> dict[str, Any]:
        return {name: 2 * g if name == "dbnvar" else g for name, g in results(answer, arrays).items()}

    monkeypatch.setattr(run.program, "results", spoiled)
    assert ("bnvar", "wrong") in rows(run("--steps", "1").output)


def test_the_first_example_is_shown_as_pytorch_computes_it(run: Runner, reference: dict[str, Any]) -> None:
    output = run("--steps", "1").output
    shown = {
        label: [
            float(x)
            for line in re.findall(rf"^ +{re.escape(label)} +(.*)$", output, re.MULTILINE)
            for x in line.split()
        ]
        for label in ("softmax", "n * dlogits")
    }
    logits = theirs(reference["logits"], requires_grad=True)
    torch.nn.functional.cross_entropy(logits, theirs(reference["Yb"])).backward()
    assert logits.grad is not None
    assert shown["softmax"] == pytest.approx(torch.softmax(logits, 1)[0].tolist(), abs=0.6e-4)
    assert shown["n * dlogits"] == pytest.approx((32 * logits.grad[0]).tolist(), abs=0.6e-4)
    assert f"next character is {CHARACTERS[reference['Yb'][0]]!r}" in " ".join(output.split())


def test_the_formula_with_bessels_correction_is_what_pytorch_finds(run: Runner) -> None:
    hprebn, gain = theirs(normal(32, 5), requires_grad=True), theirs(normal(1, 5))
    bnvar_inv = (hprebn.var(0, keepdim=True) + 1e-5) ** -0.5
    bnraw = (hprebn - hprebn.mean(0, keepdim=True)) * bnvar_inv
    upstream = theirs(normal(32, 5))
    (gain * bnraw).backward(upstream)
    assert hprebn.grad is not None
    arrays = [x.detach().numpy() for x in (gain, bnraw, bnvar_inv, upstream)]
    assert_close(run.program.bessel_gradient(32, *arrays), hprebn.grad.numpy())


def test_it_trains_as_pytorch_does(run: Runner) -> None:
    """Five steps, of which the last two are slower, and the validation losses before and after."""
    steps, options = 5, run.options()
    outcome = run("--steps", str(steps))
    data, start = run.program.prepared(options)
    X, Y, val_X, val_Y = (theirs(x.numpy()) for x in data[:4])
    p = {name: theirs(tensor.detach().numpy(), requires_grad=True) for name, tensor in start.items()}

    def validation_loss() -> float:
        with torch.no_grad():
            train, hidden = (p["C"][x].view(len(x), -1) @ p["W1"] + p["b1"] for x in (X, val_X))
            normalised = (hidden - train.mean(0)) / (train.var(0) + 1e-5).sqrt()
            logits = (p["bngain"] * normalised + p["bnbias"]).tanh() @ p["W2"] + p["b2"]
            return torch.nn.functional.cross_entropy(logits, val_Y).item()

    expected = [validation_loss()]
    generator = np.random.default_rng(options.seed)
    for i in range(steps):
        batch = generator.integers(0, len(X), 32)
        optimizer = torch.optim.SGD(p.values(), lr=0.1 if i < 3 else 0.01)
        optimizer.zero_grad()
        loss = run.program.forward(**p, Xb=X[batch], Yb=Y[batch])["loss"]
        loss.backward()
        optimizer.step()
        assert f"step {i + 1:6d}   train loss {loss.item():.4f}" in outcome.output
    expected.append(validation_loss())
    printed = re.findall(r"validation loss \w+ +(\d\.\d{4})", outcome.output)
    assert [float(x) for x in printed] == pytest.approx(expected, abs=0.6e-4)


def test_training_lowers_the_loss(run: Runner) -> None:
    before, after = re.findall(r"validation loss \w+ +(\d\.\d{4})", run("--steps", "400").output)
    assert float(after) < 2 < 3 < float(before)


# The exercise, and its grading


def test_the_hand_written_backward_pass_is_that_of_pytorch(run: Runner, reference: dict[str, Any]) -> None:
    """So that it can be a reference itself."""
    space = {
        name: minigrad.tensor(x) if isinstance(x, np.ndarray) else x
        for name, x in reference.items()
        if name.removeprefix("d") not in BY_HAND or name in BY_HAND
    }
    space |= {"minigrad": minigrad, "F": importlib.import_module("nn.functional")}
    for name, answer in BY_HAND.items():
        exec(answer, space)
        assert_same_gradient(name, space[f"d{name}"].numpy(), reference)


def test_the_file_to_fill_in_asks_for_every_gradient_in_order(run: Runner) -> None:
    path = run.folder / "mine.py"
    outcome = run("--exercise", str(path))
    assert (outcome.code, outcome.errors) == (0, "")
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"^d(\w+) = None  # your turn$", text, re.MULTILINE) == [*BY_HAND]
    for words in ("    logprobs = probs.log()\n", f"--check {path}", "--hint probs"):
        assert words in text
    assert f"--check {path}" in outcome.output


def test_an_exercise_has_a_name_without_being_given_one(run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder)
    assert "my_backprop.py" in run("--exercise").output
    assert closing(run("--check", "my_backprop.py")) == "0 of 26 are right; next: dlogprobs"


def test_a_file_that_is_there_is_not_written_over(run: Runner) -> None:
    path = run.folder / "mine.py"
    path.write_text("a night's work")
    assert str(path) in complaint(run("--exercise", str(path)))
    assert path.read_text() == "a night's work"


def test_of_the_unfilled_file_nothing_is_right(run: Runner) -> None:
    outcome = run.check({})
    assert closing(outcome) == "0 of 26 are right; next: dlogprobs"
    assert all("your turn" in row_of(name, outcome) for name in BY_HAND)


@pytest.mark.parametrize("answers", [BY_HAND, BY_HAND | NUMPY], ids=["Tensors", "arrays too"])
def test_of_right_answers_all_are_right(answers: dict[str, str], run: Runner) -> None:
    outcome = run.check(answers)
    assert closing(outcome).startswith("26 of 26 are right")
    found = rows(outcome.output)
    assert [name for name, _ in found] == [*BY_HAND]
    assert {grade for _, grade in found} <= {"exact", "rounding", "close"}


def test_the_first_answers_are_graded_while_the_others_are_open(run: Runner) -> None:
    first = dict([*BY_HAND.items()][:5])
    assert closing(run.check(first)) == "5 of 26 are right; next: dnorm_logits"


@pytest.mark.parametrize("name", [name for name in BY_HAND if name not in ZERO])
def test_each_gradient_is_judged_on_its_own(name: str, run: Runner) -> None:
    """One that is twice too large is wrong, and those that are computed from it are right."""
    outcome = run.check(BY_HAND | {name: f"{BY_HAND[name]}\nd{name} = 2 * d{name}"})
    assert closing(outcome) == f"25 of 26 are right; next: d{name}"
    assert "wrong" in row_of(name, outcome)
    assert "a factor of 1/2 is missing" in row_of(name, outcome)


@pytest.mark.parametrize("name", ZERO)
def test_where_the_gradient_is_zero_but_for_rounding_zero_is_right(name: str, run: Runner) -> None:
    assert run.check(BY_HAND | {name: f"d{name} = minigrad.zeros_like({name})"}).code == 0
    assert run.check(BY_HAND | {name: f"d{name} = minigrad.ones_like({name}) / 1000"}).code == 1


MISTAKES = {
    "a sign": ("bnvar", "dbnvar = 0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv", "a minus is missing"),
    "no sum": ("b2", "db2 = dlogits", "after .sum(0) the numbers agree"),
    "keepdim": ("bnbias", "dbnbias = dhpreact.sum(0)", "with keepdim=True"),
    "1/n for 1/(n-1)": ("bndiff2", "dbndiff2 = minigrad.ones_like(bndiff2) / n * dbnvar", "Bessel"),
    "one use of two": ("counts", "dcounts = counts_sum_inv * dprobs", "wrong"),
    "None": ("h", "dh = None", "None"),
    "nothing": ("h", "", "missing: nothing is called dh"),
    "deleted": ("h", "dh = dlogits @ W2.T\ndel dh", "None"),
    "a text": ("h", "dh = 'dlogits @ W2.T'", "it is a str"),
    "a ragged list": ("h", "dh = [[1.0], [1.0, 2.0]]", "it is a list"),
    "complex": ("h", "dh = np.ones((32, 64)) * 1j", "it is a ndarray"),
    "a function": ("h", "dh = np.tanh", "it is a ufunc"),
}


@pytest.mark.parametrize(("name", "answer", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named(name: str, answer: str, words: str, run: Runner) -> None:
    outcome = run.check(BY_HAND | {name: answer})
    assert closing(outcome) == f"25 of 26 are right; next: d{name}"
    assert words in row_of(name, outcome)


def test_of_several_mistakes_the_first_is_next(run: Runner) -> None:
    spoiled = {"bnvar": "dbnvar = dbnvar_inv", "W1": "dW1 = None", "emb": "demb = dembcat"}
    assert closing(run.check(BY_HAND | spoiled)) == "23 of 26 are right; next: dbnvar"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("dh = dlogits @ W2", "RuntimeError: "),
        ("dh = dlogits @ W3.T", "NameError: name 'W3' is not defined"),
        ("dh = 1 / 0", "ZeroDivisionError: "),
        ("raise ValueError('first\\nsecond'); dh = 1", "ValueError: first"),
        ("dh = exit(0)", "SystemExit: 0"),
    ],
)
def test_an_exception_is_told_with_its_line_and_the_rest_goes_on(answer: str, error: str, run: Runner) -> None:
    outcome = run.check(BY_HAND | {"h": answer.replace("; ", "\n")})
    lines = (run.folder / "mine.py").read_text(encoding="utf-8").splitlines()
    number = lines.index(answer.split("; ")[0]) + 1
    assert f"mine.py, line {number}: {error}" in outcome.output
    assert "second" not in outcome.output
    assert closing(outcome).startswith(
        "26" if "; " in answer and "dh = 1" not in answer else "25 of 26 are right; next: dh"
    )


def test_an_exception_within_a_function_of_the_file_is_told_with_its_line_there(run: Runner) -> None:
    outcome = run.check(BY_HAND | {"h": "def f(x):\n    y = x @ W2\n    return y\n\ndh = f(dlogits)"})
    lines = (run.folder / "mine.py").read_text(encoding="utf-8").splitlines()
    number = lines.index("    y = x @ W2") + 1
    assert f"mine.py, line {number}: RuntimeError: " in row_of("h", outcome)
    assert closing(outcome) == "25 of 26 are right; next: dh"


def test_a_gradient_that_a_later_one_changes_in_place_is_noticed(run: Runner) -> None:
    outcome = run.check(BY_HAND | {"logits": BY_HAND["logits"].replace(".clone()", "")})
    assert closing(outcome) == "25 of 26 are right; next: dnorm_logits"
    assert "changed it in place" in outcome.output


def test_a_file_cannot_change_what_it_is_graded_by(run: Runner) -> None:
    spoiled = "probs *= 2\nlogits += 1\nC.zero_()\n"
    before = {"h": f"dh = dlogits @ W2.T\n{spoiled}"}
    outcome = run.check(BY_HAND | before)
    assert closing(outcome).startswith("26 of 26")


def test_what_the_file_prints_is_shown(run: Runner) -> None:
    outcome = run.check({"h": "print('the shape is', tuple(logits.shape))\ndh = None"})
    assert "the shape is (32, 27)\n" in outcome.output


def test_another_seed_grades_the_same(run: Runner) -> None:
    assert run.check(BY_HAND).code == 0
    assert run("--check", str(run.folder / "mine.py"), "--seed", "-5").code == 0


# Hints


def hints(run: Runner, name: str, more: int) -> str:
    outcome = run("--hint", name, *["--more"] * more)
    assert (outcome.code, outcome.errors) == (0, "")
    return outcome.output


def test_each_call_with_more_gives_one_hint_more(run: Runner) -> None:
    first, second, third = (hints(run, "probs", more).splitlines() for more in range(3))
    assert first == [
        "1. dprobs has the shape of probs, (32, 27).",
        f"The next hint: {run.program.PROGRAM} --hint probs --more",
    ]
    assert second[:1] == first[:1]
    assert second[1:-1] == [
        "2. probs is used once:",
        "     logprobs = probs.log()",
        "         gives  dlogprobs / probs",
    ]
    assert second[-1].endswith("--hint probs --more --more")
    assert third == [*second[:-1], "3. In numpy:", "     dprobs = dlogprobs / probs"]
    assert hints(run, "probs", 5).splitlines() == third


def test_a_hint_may_be_asked_for_by_the_name_of_the_gradient(run: Runner) -> None:
    assert hints(run, "dprobs", 2) == hints(run, "probs", 2)


def test_a_variable_used_twice_has_two_rules(run: Runner) -> None:
    text = hints(run, "counts", 1)
    assert "used twice" in text
    assert text.index("gives  expand(dcounts_sum, (32, 27))") < text.index("gives  dprobs · counts_sum_inv")


def test_what_broadcasting_repeated_is_to_be_summed(run: Runner) -> None:
    assert "of shape (32, 27): sum it to (27,)" in hints(run, "b2", 1)
    assert "sum it" not in hints(run, "probs", 1)


SIGNS = {"·": "*", "−": "-", "ᵀ": ".T", "⁻²": "**-2", "²": "**2", "^": "**", ".view": ".reshape"}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_rules_of_a_hint_make_the_gradient_that_pytorch_finds(
    name: str, run: Runner, reference: dict[str, Any]
) -> None:
    gradient = reference.pop(f"d{name}")

    def put(x: Any, key: list[Any]) -> np.ndarray:
        zeros = np.zeros_like(gradient)
        np.add.at(zeros, tuple(key), x)
        return zeros

    words = {"put": put, "expand": np.broadcast_to, "one_hot": lambda indices: np.eye(27)[indices], "dloss": 1.0}
    indices = {"indices": reference["logits"].argmax(1)}
    total = np.zeros(gradient.shape)
    for formula in re.findall(r"gives  (.*)", hints(run, name, 1)):
        for sign, meaning in SIGNS.items():
            formula = formula.replace(sign, meaning)
        part = eval(formula, reference | words | indices)
        extra = tuple(range(part.ndim - gradient.ndim))
        repeated = tuple(i for i, size in enumerate(gradient.shape) if not extra and part.shape[i] != size)
        total += part.sum(extra or repeated, keepdims=not extra) if extra or repeated else part
    np.testing.assert_allclose(total, gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", BY_HAND)
def test_the_last_hint_is_numpy_that_makes_the_gradient_that_pytorch_finds(
    name: str, run: Runner, reference: dict[str, Any]
) -> None:
    def put(x: np.ndarray, key: tuple[Any, ...], shape: tuple[int, ...]) -> np.ndarray:
        zeros = np.zeros(shape, x.dtype)
        np.add.at(zeros, key, x)
        return zeros

    lines = hints(run, name, 2).partition("3. In numpy:\n")[2].splitlines()
    space = {key: x for key, x in reference.items() if key != f"d{name}"} | {"np": np, "put": put}
    exec("\n".join(line.removeprefix("     ") for line in lines), space)
    assert_same_gradient(name, space[f"d{name}"], reference)


# Bad input


def complaint(outcome: Outcome) -> str:
    """The one line, beside argparse's usage, that a refusal writes on stderr, with exit code 2."""
    assert (outcome.code, outcome.output) == (2, "")
    (line,) = re.sub(r"\Ausage: .*\n(?: .*\n)*", "", outcome.errors).splitlines()
    assert not line.startswith("Traceback")
    return line


@pytest.mark.parametrize(
    "options",
    [
        "--steps 0",
        "--steps -1",
        "--steps 1.5",
        "--steps many",
        "--seed 1.5",
        "--seed 18446744073709551616",
        "--more",
        "--check",
        "--hint",
        "--hint probs --check mine.py",
        "--exercise mine.py --hint probs",
        "--speed 9",
    ],
)
def test_a_bad_option_is_named(options: str, run: Runner) -> None:
    assert options.split()[-2 if options.count("--") > 1 or " " in options else -1].strip() in complaint(
        run(*options.split())
    )


@pytest.mark.parametrize(
    ("name", "near"), [("prob", "probs"), ("dlogit", "logits"), ("bnvarinv", "bnvar_inv"), ("c", "C")]
)
def test_a_variable_that_is_not_there_is_named_with_one_that_is_near(name: str, near: str, run: Runner) -> None:
    line = complaint(run("--hint", name))
    assert f"--hint {name}: " in line
    assert f"did you mean {near}?" in line


def test_where_none_is_near_all_variables_are_named(run: Runner) -> None:
    assert complaint(run("--hint", "zzz")).endswith(f"it is one of {', '.join(BY_HAND)}")


@pytest.mark.parametrize("options", [["--steps", "1"], ["--hint", "probs"], ["--check", "mine.py"]])
def test_bad_names_are_named(options: list[str], run: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder)
    (run.folder / "mine.py").write_text("")
    for text, words in (("anna\nBo\n", ", line 2: 'B'"), ("anna\nbo\n", "at least 10 names"), ("", "empty")):
        run.names.write_text(text)
        assert f"{run.names}" in (line := complaint(run(*options)))
        assert words in line
    run.names.unlink()
    assert str(run.names) in complaint(run(*options))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"dprobs = 1\ndh = (1,\n", ", line 2: "),
        (b"dprobs = 1\n  dh = 2\n", ", line 2: "),
        (b"dprobs = '\xff'\n", ", line 1: "),
        (b"\x00\x01\x02", ": "),
    ],
    ids=["a bracket", "an indentation", "no UTF-8", "no text"],
)
def test_a_file_that_is_no_python_is_named(content: bytes, words: str, run: Runner) -> None:
    path = run.folder / "mine.py"
    path.write_bytes(content)
    assert f"{path}{words}" in complaint(run("--check", str(path)))


def test_a_file_that_cannot_be_read_or_written_is_named(run: Runner) -> None:
    missing = str(run.folder / "no" / "mine.py")
    assert f"--check {missing}" in complaint(run("--check", missing))
    assert f"--check {run.folder}" in complaint(run("--check", str(run.folder)))
    assert f"--exercise {missing}" in complaint(run("--exercise", missing))


def test_an_empty_file_misses_everything(run: Runner) -> None:
    path = run.folder / "mine.py"
    path.write_text("")
    outcome = run("--check", str(path))
    assert closing(outcome) == "0 of 26 are right; next: dlogprobs"
    assert outcome.output.count("missing") == 26


# As a user runs it


def test_it_runs_with_our_names_and_without_a_complaint() -> None:
    command = [sys.executable, str(PROGRAM), "--steps", "10"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert len(rows(finished.stdout)) == 29


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(PROGRAM), "--steps", "10"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1
