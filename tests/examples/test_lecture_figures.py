"""examples/lecture_figures.py: the first of the lecture's figures, and what it does about others and other names."""

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT

PROGRAM = ROOT / "examples" / "lecture_figures.py"
NAMES = ROOT.parent / "shared" / "data" / "names-course.txt"

with_the_names = pytest.mark.skipif(not NAMES.is_file(), reason="the course's names are not part of the project")


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a module, which finds its neighbours."""
    monkeypatch.syspath_prepend(PROGRAM.parent)
    return importlib.import_module(PROGRAM.stem)


def complaint(program: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The last line of stderr, when the program refuses its arguments with exit code 2 and prints nothing."""
    try:
        code = program.main(arguments)
    except SystemExit as end:
        code = end.code
    output, errors = capsys.readouterr()
    assert (code, output) == (2, "")
    return str(errors.splitlines()[-1])


@with_the_names
def test_the_first_figures_are_the_published() -> None:
    command = [sys.executable, str(PROGRAM), "--names", str(NAMES), "--steps", "20001"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.splitlines() == [
        "           loss   lecture  minigrad",
        "         step 0   3.3239   3.3239",
        "     step 10000   2.0322   2.0322",
        "     step 20000   2.5675   2.5675",
    ]


@with_the_names
def test_a_figure_that_differs_is_marked(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "MINIBATCH_LOSSES", [3.3238])
    assert program.main(["--names", str(NAMES), "--steps", "1"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "         step 0   3.3238   3.3239   differs"


def test_more_steps_than_the_lecture_takes(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--steps" in complaint(program, capsys, "--names", "names.txt", "--steps", "200001")


def test_the_names_must_be_given(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--names" in complaint(program, capsys)


def test_a_list_of_names_that_is_not_the_course_s(
    program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "names.txt"
    path.write_text("anna\nbo\n" * 10)
    line = complaint(program, capsys, "--names", str(path))
    assert line == f"lecture_figures.py: {path}: 20 names, so this is not the course's list, which has 32033"
