"""Runs the contenders of a row turn about, each time in a fresh process, and keeps what they measured."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .rows import OURS, Row

ROOT = Path(__file__).parents[2]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NPROC")  # NPROC: jax
CLOSE = 1e-3  # losses in float32, after up to two steps by different roundings

Work = Callable[[str, str, float, int], dict[str, Any]]


class Measured(NamedTuple):
    """What every contender of a row measured, round by round, and why others were left out."""

    row: Row
    rounds: dict[str, list[float]]
    left_out: dict[str, str]


class LeftOut(Exception):
    """Why a contender cannot take part."""


def work(row: str, contender: str, seconds: float, threads: int) -> dict[str, Any]:
    """Run one contender in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.worker", row, contender, str(seconds)]
    environment = os.environ | dict.fromkeys(THREADS, str(threads)) | {"JAX_PLATFORMS": "cpu"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or an import would compile every time
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        missing = reason.startswith("ModuleNotFoundError")
        raise LeftOut("not installed: " + reason.split("'")[1] if missing else reason)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def run(row: Row, rounds: int, seconds: float, contenders: Sequence[str], work: Work = work) -> Measured:
    """Check that the contenders of a row find the same losses, then let them measure, one after the other, in rounds.

    RuntimeError if minigrad itself fails; any other is left out, and why is said.
    """
    left_out: dict[str, str] = {}
    losses: dict[str, list[float]] = {}
    for name in contenders:
        try:
            losses[name] = work(row.name, name, 0, row.threads)["losses"]
        except LeftOut as reason:
            if name == OURS:
                raise RuntimeError(f"{row.name}: minigrad cannot take part: {reason}") from None
            left_out[name] = str(reason)
    for name, own in list(losses.items()):
        if not _same(own, losses[OURS]):
            left_out[name] = f"its losses {own} differ from minigrad's {losses[OURS]}"
            del losses[name]
    times: dict[str, list[float]] = {name: [] for name in losses}
    for turn in range(rounds):
        order = list(losses) if turn % 2 == 0 else list(reversed(losses))
        for name in order:
            times[name].append(work(row.name, name, seconds, row.threads)["value"])
    return Measured(row, times, left_out)


def _same(one: list[float], other: list[float]) -> bool:
    pairs = zip(one, other, strict=False)  # slow contenders check fewer
    return all(abs(a - b) <= CLOSE * max(abs(a), abs(b)) for a, b in pairs)
