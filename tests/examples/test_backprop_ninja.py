"""examples/backprop_ninja.py: its gradients are PyTorch's, its grades are fair, and its hints are right.

The backward pass by hand, below, is the reference for the grading, and is compared with PyTorch itself.
"""

import ast
import importlib
import os
import random
import re
import shlex
import signal
import socket
import string
import subprocess
import sys
import time
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
from tests.support.runs import Outcome

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


PREFACE = ["import os, sys, time", "import numpy as np", "import minigrad", "import nn.functional as F"]


class Runner(NamedTuple):
    """The program as a module, a list of names for it, and a folder."""

    program: ModuleType
    names: Path
    folder: Path
    capfd: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Outcome:
        """Run it with some arguments."""
        try:
            code = self.program.main(["--names", str(self.names), *arguments])
        except SystemExit as end:
            code = end.code
        return Outcome(code, *self.capfd.readouterr())

    def check(self, answers: Mapping[str, str]) -> Outcome:
        """Write the exercise, fill these answers in, and have it graded."""
        path = self.folder / "mine.py"
        path.unlink(missing_ok=True)
        assert self("--exercise", str(path)).code == 0
        text = path.read_text(encoding="utf-8")
        for name, answer in answers.items():
            assert f"\nd{name} = None  # your turn\n" in text
            text = text.replace(f"\nd{name} = None  # your turn\n", f"\n{answer}\n")
        return self.graded(text)

    def graded(self, text: str, *options: str) -> Outcome:
        """Have a file of this text graded."""
        path = self.folder / "mine.py"
        path.write_text(text, encoding="utf-8")
        return self("--check", str(path), *options)

    def options(self) -> Any:
        """The options of a run without arguments."""
        return self.program.parse(["--names", str(self.names)])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The program, which finds its neighbours, and two hundred names of a consonant and a vowel in turn."""
    monkeypatch.syspath_prepend(PROGRAM.parent)
    source = random.Random(0)
    syllables = [consonant + vowel for consonant in "bdklmnrst" for vowel in "aeio"]
    names = ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(200)]
    (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
    return Runner(importlib.import_module(PROGRAM.stem), tmp_path / "names.txt", tmp_path, capfd)


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
    outcome = run("--walk", "--steps", "20")
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
    assert ("bnvar", "wrong") in rows(run("--walk", "--steps", "1").output)


def test_the_first_example_is_shown_as_pytorch_computes_it(run: Runner, reference: dict[str, Any]) -> None:
    output = run("--walk", "--steps", "1").output
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
    outcome = run("--walk", "--steps", str(steps))
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
    before, after = re.findall(r"validation loss \w+ +(\d\.\d{4})", run("--walk", "--steps", "400").output)
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


@pytest.mark.parametrize("arguments", [[], ["--exercise"]])
def test_an_exercise_has_a_name_without_being_given_one(
    arguments: list[str], run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder)
    assert "my_backprop.py" in run(*arguments).output
    assert closing(run("--check", "my_backprop.py")) == "0 of 26 are right; next: dlogprobs"


def test_the_bare_command_begins_the_exercise_or_says_how_to_go_on(
    run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(run.folder)
    first = run()
    path = run.folder / "my_backprop.py"
    assert "dprobs = None  # your turn" in path.read_text(encoding="utf-8")
    path.write_text("a night's work")
    second = run()
    assert (first.code, first.errors, second.code, second.errors) == (0, "", 0, "")
    assert path.read_text() == "a night's work"
    assert second.output.startswith("my_backprop.py is there already")
    assert first.output.splitlines()[1:] == second.output.splitlines()[1:]
    assert "of 26 are right" not in first.output + second.output  # and the answers are not told


@pytest.mark.parametrize("place", ["the folder above", "another folder"])
def test_each_command_that_it_names_works_where_it_is_named(place: str, run: Runner, tmp_path: Path) -> None:
    """From the folder in which the program was started."""
    here = ROOT if place == "the folder above" else tmp_path
    answers = tmp_path / "mine.py"

    def outcome(command: str) -> subprocess.CompletedProcess[str]:
        words = shlex.split(command)
        assert words[0] == "python"
        words += ["--names", str(run.names)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, *words[1:]], cwd=here, env=environment, capture_output=True, text=True)

    program = PROGRAM.relative_to(ROOT) if here == ROOT else PROGRAM
    written = outcome(f"python {program} --exercise {answers}").stdout
    checked = outcome(command_in(written, "--check"))
    assert "0 of 26 are right" in checked.stdout
    hinted = outcome(command_in(checked.stdout, "--hint"))
    assert "1. dlogprobs has the shape" in hinted.stdout
    again = outcome(command_in(hinted.stdout, "--more"))
    assert "2. logprobs is used" in again.stdout
    assert "1. dprobs has the shape" in outcome(command_in(answers.read_text(encoding="utf-8"), "--hint")).stdout


def command_in(text: str, option: str) -> str:
    """The command in a text that has an option."""
    (found,) = re.findall(rf"python \S+ {option} [^\n)]*|python \S+ --hint \w+ {option}", text)
    return str(found)


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


@pytest.mark.parametrize("first", [0, 1])
def test_each_gradient_is_judged_on_its_own(first: int, run: Runner) -> None:
    """Every second one is twice too large and wrong, and those that are computed from it are right."""
    spoiled = [name for name in [*BY_HAND][first::2] if name not in ZERO]
    outcome = run.check(BY_HAND | {name: f"{BY_HAND[name]}\nd{name} = 2 * d{name}" for name in spoiled})
    assert closing(outcome) == f"{26 - len(spoiled)} of 26 are right; next: d{spoiled[0]}"
    for name in BY_HAND:
        assert ("a factor of 1/2 is missing" in row_of(name, outcome)) == (name in spoiled)


def test_where_the_gradient_is_zero_but_for_rounding_zero_is_right(run: Runner) -> None:
    assert run.check(BY_HAND | {name: f"d{name} = minigrad.zeros_like({name})" for name in ZERO}).code == 0
    outcome = run.check(BY_HAND | {name: f"d{name} = minigrad.ones_like({name}) / 1000" for name in ZERO})
    assert closing(outcome) == "24 of 26 are right; next: dlogit_maxes"


MISTAKES = {
    "bnvar": ("dbnvar = 0.5 * (bnvar + 1e-5) ** -1.5 * dbnvar_inv", "a minus is missing"),
    "b2": ("db2 = dlogits", "after .sum(0) the numbers agree"),
    "bnbias": ("dbnbias = dhpreact.sum(0)", "with keepdim=True"),
    "bndiff2": ("dbndiff2 = minigrad.ones_like(bndiff2) / n * dbnvar", "Bessel"),
    "counts": ("dcounts = counts_sum_inv * dprobs", "wrong"),
    "h": ("dh = None", "your turn: it is None"),
    "W2": ("", "missing: nothing is called dW2"),
    "hpreact": ("dhpreact = (1 - h**2) * dh\ndel dhpreact", "your turn: it is None"),
    "bngain": ("dbngain = 'bnraw * dhpreact'", "it is a str"),
    "bnraw": ("dbnraw = [[1.0], [1.0, 2.0]]", "it is a list"),
    "bndiff": ("dbndiff = np.ones((32, 64)) * 1j", "it is a ndarray"),
    "emb": ("demb = np.tanh", "it is a ufunc"),
    "bnmeani": ("class Odd:\n    def __array__(self): raise KeyError\ndbnmeani = Odd()", "it is a Odd"),
    "embcat": ("dembcat = np.zeros((32, 30), [('x', 'f4')])", "it is a ndarray"),
    "W1": ("dW1 = np.zeros(10**8)", "it is a ndarray"),
    "C": ("dC = 0 * C.numpy() + np.inf", "wrong"),
}


def test_a_mistake_is_named(run: Runner) -> None:
    outcome = run.check(BY_HAND | {name: answer for name, (answer, _) in MISTAKES.items()})
    assert closing(outcome) == f"{26 - len(MISTAKES)} of 26 are right; next: dcounts"
    for name, (_, words) in MISTAKES.items():
        assert words in row_of(name, outcome)


def test_of_several_mistakes_the_first_is_next(run: Runner) -> None:
    spoiled = {"bnvar": "dbnvar = dbnvar_inv", "W1": "dW1 = None", "emb": "demb = dembcat"}
    assert closing(run.check(BY_HAND | spoiled)) == "23 of 26 are right; next: dbnvar"


EXCEPTIONS = {
    "h": ("dh = dlogits @ W2", "RuntimeError: "),
    "W2": ("dW2 = h.T @ dlogit", "NameError: name 'dlogit' is not defined"),
    "b2": ("db2 = 1 / 0", "ZeroDivisionError: "),
    "bnraw": ("dbnraw = exec('raise KeyboardInterrupt')", "KeyboardInterrupt: "),
    "C": ("raise ValueError('first\\nsecond')\ndC = 1", "ValueError: first"),
}


def test_an_exception_is_told_with_its_line_and_the_rest_goes_on(run: Runner) -> None:
    outcome = run.check(BY_HAND | {name: answer for name, (answer, _) in EXCEPTIONS.items()})
    lines = (run.folder / "mine.py").read_text(encoding="utf-8").splitlines()
    for answer, error in EXCEPTIONS.values():
        assert f"mine.py, line {lines.index(answer.splitlines()[0]) + 1}: {error}" in outcome.output
    assert "second" not in outcome.output
    assert closing(outcome) == "21 of 26 are right; next: dh"


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


def test_the_help_says_that_the_file_is_run(run: Runner) -> None:
    text = " ".join(run("--help").output.split())
    assert "--check runs the code in FILE, so check only files that you trust" in text
    assert "--time-limit SECONDS" in text


# A file that does not come to its end

ENDINGS = {
    "os._exit": ("os._exit(0)", "the process ended here, with the exit code 0"),
    "a signal": ("os.kill(os.getpid(), 15)", "the process ended here, by the signal SIGTERM"),
    "a loop": (
        "while True:\n    try: time.sleep(100)\n    except BaseException: pass",
        "no end after 5 seconds (see --time-limit)",
    ),
    "closed files": ("os.closerange(3, 99), time.sleep(100)", "the file has broken the connection"),
    "a fake grade": (
        "print('26 of 26 are right: you are a backprop ninja.'); os._exit(0)",
        "the process ended here, with the exit code 0",
    ),
}


@pytest.mark.parametrize(("statement", "words"), ENDINGS.values(), ids=ENDINGS)
def test_a_file_that_does_not_come_to_its_end_has_not_passed(statement: str, words: str, run: Runner) -> None:
    answers = [*BY_HAND.values()]
    text = "\n".join([*PREFACE, *answers[:5], statement, *answers[5:]])
    outcome = run.graded(text, "--time-limit", "5")  # which a busy machine needs for the first five
    assert closing(outcome) == "5 of 26 are right; next: dnorm_logits"
    line = text.splitlines().index(statement.splitlines()[0]) + 1
    assert re.search(rf"mine\.py, line {line}: {re.escape(words)}", outcome.output)


@pytest.mark.parametrize("statement", ["os._exit(0)", "sys.exit()"])
def test_all_right_is_not_enough_if_the_file_ends_the_program(statement: str, run: Runner) -> None:
    outcome = run.graded("\n".join([*PREFACE, *BY_HAND.values(), statement]))
    assert (outcome.code, outcome.errors) == (1, "")
    assert outcome.output.splitlines()[-1] == "26 of 26 are right, but the file did not pass"
    assert "mine.py, line " in outcome.output.splitlines()[-2]


def is_running(process: int) -> bool:
    """Whether a process runs. One that has ended, and waits for its parent to notice, does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def wait_for_the_end(process: int) -> None:
    """Wait until a process does not run any more."""
    end = time.monotonic() + 20
    while is_running(process):
        assert time.monotonic() < end
        time.sleep(0.02)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


@needs_proc
def test_what_the_file_has_started_ends_with_it(run: Runner) -> None:
    start = "import subprocess\nprint('started', subprocess.Popen(['sleep', '1000']).pid)"
    outcome = run.graded("\n".join([*PREFACE, start, *BY_HAND.values()]))
    assert closing(outcome).startswith("26 of 26")
    (process,) = re.findall(r"^started (\d+)$", outcome.output, re.MULTILINE)
    wait_for_the_end(int(process))


@needs_proc
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGKILL"])
def test_an_interrupt_leaves_no_process_behind(name: str, run: Runner) -> None:
    """SIGKILL, which no program can catch, leaves one that ends with the time limit."""
    path = run.folder / "mine.py"
    path.write_text("import os\nprint(os.getpid())\nwhile True: pass")
    limit = "0.5" if name == "SIGKILL" else "60"
    command = [sys.executable, str(PROGRAM), "--check", str(path), "--time-limit", limit]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        child = int(process.stdout.readline())
        process.send_signal(getattr(signal, name))
        process.wait(20)
        wait_for_the_end(child)
        if name != "SIGKILL":
            assert process.stderr.read() == "backprop_ninja.py: interrupted; nothing was written\n"
            assert process.returncode == 130


# Cheats


def autograd(variable: str, loss: str, way: str) -> str:
    """Statements that rebuild a part of the graph with recording on, and let the engine go back through it."""
    return (
        f"x = {variable}.clone().requires_grad_()\nwith minigrad.enable_grad(): y = F.cross_entropy({loss}, Yb)\n"
        f"{way}\nd{variable} = x.grad"
    )


AUTOGRAD = {
    "probs": "loss.backward()\ndprobs = probs.grad",
    "counts": "dcounts, = minigrad.grad(loss, counts)",
    "logits": autograd("logits", "x", "y.backward()"),
    "h": autograd("h", "x @ W2 + b2", "minigrad.autograd.backward(y)"),
    "W2": autograd("W2", "h @ x + b2", "x.grad, = minigrad.autograd.grad(y, x)"),
    "b2": autograd("b2", "h @ W2 + x", "_, x.grad = minigrad.derive(y, {'x': x})(x=x)"),
    "hpreact": autograd(
        *("hpreact", "x.tanh() @ W2 + b2"),
        "x.grad = minigrad.autograd.functional.vjp(lambda x: F.cross_entropy(x.tanh() @ W2 + b2, Yb), x)[1]",
    ),
    "C": (
        "import backprop_ninja as ninja\n"
        "with minigrad.enable_grad(): dC = ninja.backward(*ninja.prepared(ninja.parse([])))['C'].grad"
    ),
}


def test_the_engines_backward_pass_is_switched_off(run: Runner) -> None:
    outcome = run.check(BY_HAND | AUTOGRAD)
    assert closing(outcome) == f"{26 - len(AUTOGRAD)} of 26 are right; next: dprobs"
    assert outcome.output.count("work the gradient out by hand") == len(AUTOGRAD)


ZEROS = [f"d{name} = np.zeros({name}.shape, np.float32)" for name in BY_HAND]
IN_THE_CHILD = """
import gc, minigrad.debug.cmp, backprop_ninja, grading

held = [x for x in gc.get_objects() if isinstance(x, minigrad.Tensor) and x.grad is not None]
frames = [sys._getframe()]
while frames[-1].f_back:
    frames.append(frames[-1].f_back)
names = {name for frame in frames for name in frame.f_locals}
print("held:", len(held), names & {"expected", "gradients"})

for module in (minigrad, sys.modules["minigrad.debug.cmp"], backprop_ninja, grading, sys.modules["__main__"]):
    module.cmp = module.is_right = lambda *arguments: True
np.isclose = np.allclose = np.array_equal = lambda *arguments, **options: True

class Right(np.ndarray):
    __eq__ = lambda self, other: np.ones(self.shape, bool)
    __sub__ = __rsub__ = lambda self, other: zeros(self.shape)
    __array_ufunc__ = lambda self, *arguments, **options: zeros(self.shape)

zeros, np.zeros = np.zeros, lambda *arguments: zeros(*arguments).view(Right)
"""
CHANNEL = "import gc\nchannel = next(x for x in gc.get_objects() if type(x).__name__ == 'Channel')"
ASKING_FOR_ANSWERS = f"""
{CHANNEL}
answers = {{}}
for name in {[*BY_HAND]}:
    channel.send({{"gradient": name, "type": "ndarray"}}, np.zeros(3))
    answers[name] = channel.receive()[1]
for name, answer in answers.items():
    channel.send({{"gradient": name, "type": "ndarray"}}, answer)
"""


def test_nothing_in_the_child_changes_a_grade(run: Runner) -> None:
    outcome = run.graded("\n".join([*PREFACE, IN_THE_CHILD, *ZEROS]))
    assert "held: 0 set()" in outcome.output
    assert closing(outcome) == "2 of 26 are right; next: dlogprobs"
    assert all("wrong" in row_of(name, outcome) for name in BY_HAND if name not in ZERO)


@pytest.mark.parametrize("cheat", [ASKING_FOR_ANSWERS, f"{CHANNEL}\nchannel.send({{'changed': []}})"])
def test_a_talk_with_the_grading_gains_nothing(cheat: str, run: Runner) -> None:
    outcome = run.graded("\n".join([*PREFACE, cheat, *BY_HAND.values()]))
    assert closing(outcome) == "0 of 26 are right; next: dlogprobs"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"\xff" * 8, "a message of 18446744073709551615 bytes"),
        (b"\x00\x00", "closed"),
        ("{", "Expecting property name"),
        ("\xff", "Expecting value"),
        ("[]", "a message that is no object"),
        ('{"dtype": "O", "shape": [1]}', "no numbers"),
        ('{"dtype": "<f4", "shape": [-1]}', "no numbers"),
        ('{"dtype": "<f4", "shape": [99999999999]}', "a message of 399999999996 bytes"),
        ('{"dtype": "<f4", "shape": 1}', "not iterable"),
        ('{"dtype": "<f4"}', "shape"),
        ('{"dtype": "<f4", "shape": [1]}', "closed"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused(message: str | bytes, error: str, run: Runner) -> None:
    grading = importlib.import_module("grading")
    mine, other = socket.socketpair()
    with mine:
        with other:
            text = message if isinstance(message, bytes) else message.encode()
            other.sendall(text if isinstance(message, bytes) else len(text).to_bytes(8) + text)
        with pytest.raises(grading.Broken, match=error):
            grading.Channel(mine).receive()


@pytest.mark.parametrize("dtype", [">f8", "<f4", "f2", "i8", "u1", "?", "longdouble"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_an_array_arrives_as_it_was_sent(dtype: str, shape: tuple[int, ...], run: Runner) -> None:
    grading = importlib.import_module("grading")
    array = (normal(*shape, 2)[..., ::2].squeeze(-1) * 9).astype(dtype)
    mine, other = socket.socketpair()
    with mine, other:
        grading.Channel(mine).send({"name": "ünï\udcff"}, array)
        message, arrived = grading.Channel(other).receive()
    assert message["name"] == "ünï\udcff"
    assert arrived.dtype == array.dtype
    np.testing.assert_array_equal(arrived, array)


# The name of an exercise

NAMES = [
    "it's.py",
    'a "b".py',
    'a """ b.py',
    "a\\b\\n.py",
    'a\\"""\\.py',
    "a\nb.py",
    "''' \".py",
    "ünï.py",
    "$HOME ;.py",
]


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_of_any_name_is_python_and_says_how_to_check_it(name: str, run: Runner) -> None:
    path = run.folder / name
    assert run("--exercise", str(path)).code == 0
    document = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False)
    assert document
    (command,) = re.findall(r"^    (python .* --check [\s\S]*?)\n\nThis compares", document, re.MULTILINE)
    assert shlex.split(command)[-2:] == ["--check", str(path)]


# Hints


def hints(run: Runner, name: str, more: int) -> str:
    outcome = run("--hint", name, *["--more"] * more)
    assert (outcome.code, outcome.errors) == (0, "")
    return outcome.output


def test_each_call_with_more_gives_one_hint_more(run: Runner) -> None:
    first, second, third = (hints(run, "probs", more).splitlines() for more in range(3))
    assert first == [
        "1. dprobs has the shape of probs, (32, 27).",
        f"The next hint: {run.program.command('--hint', 'probs', '--more')}",
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


# Bad input, beside what is the same for all examples (test_bad_input.py)


def complaint(outcome: Outcome) -> str:
    """The one line, beside argparse's usage, that a refusal writes on stderr, with exit code 2."""
    assert (outcome.code, outcome.output) == (2, "")
    (line,) = re.sub(r"\Ausage: .*\n(?: .*\n)*", "", outcome.errors).splitlines()
    assert not line.startswith("Traceback")
    return line


@pytest.mark.parametrize(
    "options",
    [
        "--time-limit 86401",
        "--more",
        "--check",
        "--hint",
        "--hint probs --check mine.py",
        "--exercise mine.py --hint probs",
    ],
)
def test_a_bad_option_is_named(options: str, run: Runner) -> None:
    *_, named = re.findall(r"--[a-z-]+", options)
    assert f"argument {named}" in complaint(run(*options.split()))


@pytest.mark.parametrize(
    ("name", "near"), [("prob", "probs"), ("dlogit", "logits"), ("bnvarinv", "bnvar_inv"), ("c", "C")]
)
def test_a_variable_that_is_not_there_is_named_with_one_that_is_near(name: str, near: str, run: Runner) -> None:
    line = complaint(run("--hint", name))
    assert f"--hint {name}: " in line
    assert f"did you mean {near}?" in line


def test_where_none_is_near_all_variables_are_named(run: Runner) -> None:
    assert complaint(run("--hint", "zzz")).endswith(f"it is one of {', '.join(BY_HAND)}")


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


def test_an_empty_file_misses_everything(run: Runner) -> None:
    path = run.folder / "mine.py"
    path.write_text("")
    outcome = run("--check", str(path))
    assert closing(outcome) == "0 of 26 are right; next: dlogprobs"
    assert outcome.output.count("missing") == 26


# As a user runs it


def test_it_runs_with_our_names_and_without_a_complaint() -> None:
    command = [sys.executable, str(PROGRAM), "--walk", "--steps", "10"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert len(rows(finished.stdout)) == 29


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", str(PROGRAM), "--walk", "--steps", "10"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1
