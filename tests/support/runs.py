"""Runs of programs: how they ended, and what they left in a folder."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    """How a run ended: its exit code, and what it wrote on stdout and stderr."""

    code: int
    output: str
    errors: str


def finish(process: subprocess.Popen[str]) -> Outcome:
    """Wait for the end of a run."""
    output, errors = process.communicate(timeout=60)
    return Outcome(process.returncode, output or "", errors)


def contents(folder: Path) -> dict[str, bytes]:
    """The files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
