"""examples/train_data_parallel.py: the losses on eight devices beside those on one, and what it refuses."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minigrad.extras import remedy
from tests.support import ROOT
from tests.support.runs import Outcome

PROGRAM = ROOT / "examples" / "train_data_parallel.py"
SHORT = ["--steps", "20", "--batch", "32"]


def finished(*options: str, **environment: str) -> Outcome:
    """Run the program as a user does, on processors alone."""
    settings = os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"} | environment
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *options], env=settings, capture_output=True, text=True, timeout=120
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def test_the_losses_on_eight_devices_are_those_on_one() -> None:
    """A loss around 3 has units of 2.4e-7 in float32, and 20 steps carry the rounding on."""
    pytest.importorskip("jax")
    outcome = finished(*SHORT, "--devices", "8")
    assert (outcome.code, outcome.errors) == (0, "")
    head, *rows, last = outcome.output.splitlines()
    assert head.split() == ["step", "8", "devices", "one", "device"]
    steps, several, one = zip(*(map(float, row.split()) for row in rows), strict=True)
    assert steps == (*range(0, 20, 2), 19)
    assert several == pytest.approx(one, abs=1.5e-4)  # four digits are printed
    assert several[-1] < several[0]
    assert float(last.rpartition(" ")[2]) < 5e-6


def test_what_does_not_fit_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    program: Any = importlib.import_module("train_data_parallel")
    for options, why in (
        (["--batch", "30"], "argument --batch: 30 is no multiple of --devices 8"),
        (["--batch", "1", "--devices", "1"], "argument --batch: BatchNorm needs at least 2"),
    ):
        with pytest.raises(SystemExit) as end:
            program.main(options)
        assert end.value.code == 2
        assert why in capsys.readouterr().err


def test_without_jax_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "jax.py").write_text("raise ModuleNotFoundError(\"No module named 'jax'\", name='jax')")
    outcome = finished(*SHORT, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    told = f"train_data_parallel.py: the package jax is missing; {remedy('jax')}\n"
    assert outcome == Outcome(2, "", told)
