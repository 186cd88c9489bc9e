"""The lessons run, their exercises can be solved as they say, and their notebooks are those of their texts."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import lesson
import pytest

import minigrad
from minigrad import Value
from tests.support import ROOT

make = pytest.importorskip("make", reason="needs the extra [lessons]")
nbformat = pytest.importorskip("nbformat")

README = (make.FOLDER / "README.md").read_text(encoding="utf-8")
LARGEST = 600_000  # bytes of a notebook


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's packages on the newest Python
@pytest.mark.parametrize("name", make.LESSONS)
def test_a_lesson_runs_and_its_solutions_are_correct(name: str) -> None:
    said = make.solved(name)  # raises if a cell does, or if it writes on stderr
    assert len(said) >= 5
    for check, (before, after) in said.items():
        calls = check.count("check(") + check.count("check_value(") + check.count("check_gradient(")
        assert len(before) == len(after) == calls
        assert all(line.startswith("○ ") and ": open; " in line for line in before), before
        assert all(line.startswith("✔ ") and line.endswith(": correct") for line in after), after


@pytest.mark.parametrize("name", make.LESSONS)
def test_a_notebook_is_that_of_its_text(name: str) -> None:
    """If this fails: python examples/lessons/make.py, which also takes the names of lessons."""
    path = make.LESSONS[name].with_suffix(".ipynb")
    notebook, text = nbformat.read(path, as_version=4), make.notebook_of(name)
    nbformat.validate(notebook)
    assert [source(cell) for cell in notebook.cells] == [source(cell) for cell in text.cells]
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"] == [
        *range(1, sum(cell.cell_type == "code" for cell in text.cells) + 1)
    ]
    assert path.stat().st_size < LARGEST


@pytest.mark.parametrize("name", make.LESSONS)
def test_a_notebook_shows_pictures_and_open_exercises_and_no_error(name: str) -> None:
    notebook = nbformat.read(make.LESSONS[name].with_suffix(".ipynb"), as_version=4)
    outputs = [*make.outputs(notebook)]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not make.errors(notebook)
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert kinds >= {"text/html", "image/png"}  # a page to step through, and a picture that needs no script
    for exercise in make.exercises(notebook):
        assert make.lines(exercise.check)
        assert all(line.startswith("○ ") for line in make.lines(exercise.check))
    assert str(ROOT) not in json.dumps(notebook)


def source(cell: Any) -> tuple[str, str, str, Any]:
    """What a cell is without its outputs."""
    return cell.id, cell.cell_type, cell.source, cell.metadata.get("tags")


@pytest.mark.parametrize("name", make.LESSONS)
def test_a_lesson_has_hints_and_says_what_comes_next(name: str) -> None:
    notebook = make.notebook_of(name)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    titles = re.findall(r"^### Exercise ([\d.]+): ", text, re.MULTILINE)
    assert titles == [f"{name[0]}.{i}" for i in range(1, len(make.exercises(notebook)) + 1)]
    for part in re.split(r"^### Exercise ", text, flags=re.MULTILINE)[1:]:
        numbers = re.findall(r"<summary>Hint (\d)</summary>", part)
        assert len(numbers) >= 2
        assert numbers == [str(i) for i in range(1, len(numbers) + 1)]
    assert text.count("<details>") == text.count("</details>") == text.count("<summary>")
    for link in re.findall(r"\]\(([\w/.]+)\)", text):
        assert (make.FOLDER / link).exists(), link


def test_the_index_has_every_lesson() -> None:
    assert [*make.LESSONS] == re.findall(r"^\| \[\d [^]]*\]\((\d_\w+)\.ipynb\) \|", README, re.MULTILINE)
    for link in re.findall(r"\]\(([\w/.]+)\)", README):
        assert (make.FOLDER / link).exists(), link


# The checks


def told(capsys: pytest.CaptureFixture[str], verdict: lesson.Verdict) -> str:
    """The line that a check has printed, whose verdict is true only if the answer is correct."""
    line = capsys.readouterr().out.removesuffix("\n")
    assert bool(verdict) == line.startswith("✔ ")
    return line


def test_a_gradient_is_graded_as_cmp_does(capsys: pytest.CaptureFixture[str]) -> None:
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward()
    assert told(capsys, lesson.check("dx", 3 * x**2, x)) == "✔ dx: correct"
    assert told(capsys, lesson.check("dx", [3.0, 12.0], x)) == "✔ dx: correct"
    assert told(capsys, lesson.check("dx", None, x)).startswith("○ dx: open; ")
    wrong = told(capsys, lesson.check("dx", -3 * x**2, x))
    assert wrong.startswith("✘ dx: not yet; at (1,) it is -12.0 instead of 12.0; a minus is missing")
    assert "the shape is () instead of (2,)" in told(capsys, lesson.check("dx", 3.0, x))


def test_a_single_number_is_not_given_away(capsys: pytest.CaptureFixture[str]) -> None:
    a = Value(7.0)
    (a * a).backward()
    assert told(capsys, lesson.check("da", 14, a)) == "✔ da: correct"
    assert told(capsys, lesson.check("da", 7.0, a)) == "✘ da: not yet; it is 7; a factor of 2 is missing"
    assert "13" not in told(capsys, lesson.check_value("n", 12, 13)).removeprefix("✘ n: not yet; it is 12")


def test_a_gradient_that_is_not_there_is_a_mistake_of_the_order_of_cells() -> None:
    with pytest.raises(ValueError, match="x has no gradient to compare with; run the cells above"):
        lesson.check("x", 1.0, minigrad.ones(2, requires_grad=True))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (2.0000001, 2.0),
        (minigrad.tensor([1, 2]), minigrad.tensor([1, 2])),
        ([[1, 2], [3, 4]], minigrad.tensor([[1, 2], [3, 4]])),
        ([32, 27], (32, 27)),
        (minigrad.zeros(2, 3).shape, (2, 3)),
        (True, True),
        (minigrad.tensor([1.0]) > 0, minigrad.tensor([True])),
        ("overfits", "overfits"),
    ],
)
def test_a_value_that_is_right(answer: Any, expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, lesson.check_value("it", answer, expected)) == "✔ it: correct"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (2.1, 2.0),
        ("two", 2.0),
        ([[1], [2, 3]], minigrad.tensor([1, 2])),
        (object(), 2.0),
        (minigrad.tensor([[1, 2]]), minigrad.tensor([1, 2])),
        ((32, 28), (32, 27)),
        (32, (32, 27)),
        (False, True),
        (1, True),
        (minigrad.tensor([True, False]), minigrad.tensor([True, True])),
        ("underfits", "overfits"),
        (float("nan"), 1.0),
    ],
)
def test_a_value_that_is_wrong(answer: Any, expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, lesson.check_value("it", answer, expected)).startswith("✘ it: not yet; ")


@pytest.mark.parametrize("answer", [None, (None, None), [1.0, None]])
@pytest.mark.parametrize("expected", [2.0, (1, 2), "text", True])
def test_a_value_that_is_missing(answer: Any, expected: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, lesson.check_value("it", answer, expected)).startswith("○ it: open; ")


def test_a_tolerance_lets_a_measured_number_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, lesson.check_value("slope", 4.0004, 4.0, tolerance=1e-3)).startswith("✔")
    assert told(capsys, lesson.check_value("slope", 4.04, 4.0, tolerance=1e-3)).startswith("✘")


def test_a_function_is_checked_by_its_slopes(capsys: pytest.CaptureFixture[str]) -> None:
    x = minigrad.tensor([0.5, -1.0])
    assert told(capsys, lesson.check_gradient("f", lambda x: x.tanh(), x)) == "✔ f: correct"
    assert told(capsys, lesson.check_gradient("f", lambda x: x * x.detach(), x)).startswith("✘ f: not yet; ")
    assert told(capsys, lesson.check_gradient("f", lambda x: None, x)).startswith("○ f: open; ")
    assert told(capsys, lesson.check_gradient("f", None, x)).startswith("○ f: open; ")


def test_the_data_are_those_of_the_examples() -> None:
    names = lesson.read_names()
    assert len(names) > 30_000
    train, dev, held_out = lesson.split(names)
    assert sorted(train + dev + held_out) == sorted(names)
    assert len(dev) == pytest.approx(len(held_out), abs=1)
    inputs, targets = lesson.contexts(["ava"])
    assert inputs.tolist() == [[0, 0, 0], [0, 0, 1], [0, 1, 22], [1, 22, 1]]
    assert targets.tolist() == [1, 22, 1, 0]


# The program


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run make.py."""
    command = [sys.executable, make.FOLDER / "make.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


@pytest.mark.parametrize("name", make.LESSONS)
def test_an_assignment_has_what_nbgrader_needs(name: str, tmp_path: Path) -> None:
    path = make.write_assignment(name, tmp_path)
    assert {each.name for each in path.parent.iterdir()} == {f"{name}.ipynb", "lesson.py", "names.txt"}
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    graded = [(cell, cell.metadata.nbgrader) for cell in notebook.cells if "nbgrader" in cell.metadata]
    exercises = make.exercises(make.notebook_of(name))
    assert len(graded) == 2 * len(exercises)
    assert len({about.grade_id for _, about in graded}) == len(graded)
    for (answer, about), (check, of_check), exercise in zip(graded[::2], graded[1::2], exercises, strict=True):
        assert (about.solution, about.grade, about.locked) == (True, False, False)
        assert (of_check.solution, of_check.grade, of_check.locked, of_check.points) == (False, True, True, 1)
        _, solution = answer.source.split("### BEGIN SOLUTION\n")
        assert solution == f"{exercise.code}\n### END SOLUTION"
        assert all(line.startswith("assert check") for line in check.source.splitlines())
    assert "<summary>Solution</summary>" not in "".join(cell.source for cell in notebook.cells)


def test_an_unknown_lesson_is_named() -> None:
    done = run("--check", "8_moon")
    assert done.returncode == 2
    assert "no lesson is called 8_moon; there are 1_value" in done.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_solution_that_is_wrong_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail."""
    text = make.LESSONS["1_value"].read_text(encoding="utf-8")
    exercise = text.index("### Exercise 1.1"), text.index("# ## Many inputs")
    wrong = tmp_path / "1_value.py"
    beginning = text[: text.index("# %% [markdown]\n# ## A derivative")]
    shorter = "\n# %%\ndef f(x):\n    return x**3\n\n\n# %% [markdown]\n# " + text[exercise[0] : exercise[1]]
    wrong.write_text(beginning + shorter.replace("- f(-1)", "+ f(-1)"), encoding="utf-8")
    monkeypatch.setitem(make.LESSONS, "1_value", wrong)
    with pytest.raises(RuntimeError, match="instead of ✔ for each check"):
        make.checked("1_value")
