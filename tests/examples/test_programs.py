"""Whole programs, as they are written for PyTorch: they print the same with PyTorch and by `python -m minigrad`.

They are of the same kind as those of the course: language models of characters, from a table of pairs to a GPT. Losses
are printed with four decimals, and the text that the models write must be the same, character by character. PyTorch
runs the programs in this process, which has imported it already; minigrad runs each in a process of its own.
"""

import contextlib
import os
import runpy
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from tests.support import ROOT

PROGRAMS = ROOT / "tests" / "examples" / "programs"
NAMES = ROOT / "examples" / "data" / "names.txt"
COURSE = ROOT.parent / "shared" / "data" / "names-course.txt"


def with_torch(
    program: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What a program prints with PyTorch."""
    monkeypatch.setattr(sys, "argv", [program, *arguments])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch, about memory that is not pinned without a GPU
        with contextlib.suppress(SystemExit):
            runpy.run_path(str(PROGRAMS / program), run_name="__main__")
    return capsys.readouterr().out


def with_minigrad(program: str, arguments: list[str]) -> str:
    """What a program prints by `python -m minigrad`, with warnings as errors."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "minigrad", str(PROGRAMS / program), *arguments],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


@pytest.fixture
def in_both(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    """Run a program in both libraries, require the same text of them, and return it.

    Where an argument has a `{}`, each library gets a folder of its own there.
    """

    def run(program: str, *arguments: str) -> str:
        printed = []
        for library in ("torch", "minigrad"):
            given = [argument.format(tmp_path / library) for argument in arguments]
            theirs = library == "torch"
            printed.append(with_torch(program, given, monkeypatch, capsys) if theirs else with_minigrad(program, given))
        assert printed[1] == printed[0]
        return printed[0]

    return run


@pytest.mark.parametrize("program", ["bigram.py", "gpt.py"])
def test_the_gpt_lectures_program(program: str, in_both) -> None:
    text = in_both(program, str(NAMES))
    assert "val loss" in text
    assert len(text.splitlines()) > 10


TYPES = ["bigram", "mlp", "rnn", "gru", "bow", "transformer"]


@pytest.mark.parametrize("kind", TYPES)
def test_makemore(kind: str, in_both) -> None:
    """Each type of model trains, is saved, and is sampled again from what was saved."""
    settings = ["-i", str(NAMES), "-o", "{}", "--type", kind, "--num-workers", "0"]
    text = in_both("makemore.py", *settings, "--max-steps", "42")
    assert "is the best so far, saving model to model.pt" in text
    assert "samples that are new" in in_both("makemore.py", *settings, "--sample-only", "--top-k", "5")


def test_makemore_with_workers_writes_for_tensorboard(tmp_path: Path, in_both) -> None:
    """With workers the batches are the same; PyTorch needs another process for them, so the text is that without."""
    settings = ["-i", str(NAMES), "-o", str(tmp_path), "--type", "bigram", "--max-steps", "42"]
    text = with_minigrad("makemore.py", [*settings, "--num-workers", "4", "--tensorboard"])
    plain = in_both("makemore.py", "-i", str(NAMES), "-o", "{}", *settings[4:], "--num-workers", "0")
    assert text.splitlines()[1:] == plain.splitlines()[1:]  # the first line shows the settings
    assert [*tmp_path.glob("events*")]


@pytest.mark.skipif(not COURSE.is_file(), reason="the course's list of names is not part of the project")
def test_makemore_with_the_courses_names(in_both) -> None:
    in_both("makemore.py", "-i", str(COURSE), "-o", "{}", "--type", "mlp", "--max-steps", "42", "--num-workers", "0")


NANOGPT = {
    "fused": [],
    "by hand, with dropout": ["dropout=0.1", "bias=False", "flash=False", "save_optimizer=False"],
}


@pytest.mark.parametrize("settings", NANOGPT.values(), ids=NANOGPT)
def test_nanogpt(settings: list[str], in_both) -> None:
    text = in_both("nanogpt.py", str(NAMES), "out_dir={}", *settings)
    assert "using fused AdamW: False" in text
    assert text.count("---------------") == 3


def test_a_difference_is_seen(in_both, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison is no empty one: another seed makes another text."""
    monkeypatch.setattr(f"{__name__}.with_minigrad", lambda program, arguments: "step 0: train loss 3.1416")
    with pytest.raises(AssertionError):
        in_both("bigram.py", str(NAMES))
