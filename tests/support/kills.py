"""Training runs that are killed at random moments, and go on until they are complete.

    python -m tests.support.kills --times 100

Each must end with the same bits as a run that nobody killed. It starts in a folder that holds an earlier run, whose
files must never stand beside its own. This process imports the program once, and forks itself for each run.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import minigrad
from tests.support import ROOT

SMALL = (
    *("--steps", "400", "--checkpoint", "25", "--batch", "16", "--block", "2", "--embedding", "4", "--hidden", "12"),
    *("--sample", "5", "--quiet"),
)
KILLED = ("--momentum 0.9", "--optimizer AdamW --lr 0.01", "--derived", "--plain --eager")  # the options of the runs


def run(program: Any, arguments: Sequence[str], output: Path) -> None:
    """Run the program in this process, which it ends. What it prints goes to a file."""
    with output.open("w", buffering=1) as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        code = program.main(arguments)
    sys.exit(code)


def result(folder: Path, output: Path) -> tuple[str, dict[str, bytes], list[str]]:
    """What a complete run printed of losses and names, the bits of its model, and the files that are there."""
    printed = re.search(r"^train loss.*?(?=wrote)", output.read_text(), re.MULTILINE | re.DOTALL)
    assert printed, output.read_text()
    model = minigrad.load(folder / "model.npz")["model"]
    bits = {name: np.ascontiguousarray(x.numpy()).tobytes() for name, x in model.items()}
    return printed[0], bits, [*contents(folder)]


def contents(folder: Path) -> dict[str, bytes]:
    """The files in a folder."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def is_complete(files: Mapping[str, bytes]) -> bool:
    """Whether a run has written all that it writes, and removed its checkpoint."""
    return "model.npz" in files and "checkpoint.npz" not in files


def kill_runs(program: Any, folder: Path, options: Sequence[str], source: random.Random, kills: int) -> list[int]:
    """Kill runs until so many were killed, and return how often each was. AssertionError if one ends otherwise."""
    fork, names = multiprocessing.get_context("fork"), ["--names", str(folder / "names.txt")]

    def started(out: str, *more: str) -> Any:
        arguments = [*names, *SMALL, *options, "--out", str(folder / out), *more]
        process = fork.Process(target=run, args=(program, arguments, folder / f"{out}.txt"))
        process.start()
        return process

    started("earlier", "--seed", "1").join()
    earlier = contents(folder / "earlier")
    start = time.monotonic()
    started("whole").join()
    took = time.monotonic() - start
    expected = result(folder / "whole", folder / "whole.txt")
    counts: list[int] = []
    while sum(counts) < kills:
        out = f"killed-{len(counts)}"
        shutil.copytree(folder / "earlier", folder / out)
        counts.append(0)
        while (files := contents(folder / out)).items() & earlier.items() or not is_complete(files):
            assert len(files.items() & earlier.items()) in (0, len(files)), "a mixture of two runs"
            process = started(out, *["--resume"] * ("checkpoint.npz" in files))
            process.join(source.uniform(0, 1.2) * took)
            counts[-1] += process.exitcode is None
            process.kill()
            process.join()
        assert result(folder / out, folder / f"{out}.txt") == expected
    return counts


def main() -> None:
    """Kill as many runs as asked for, in turn with each of the options in `KILLED`."""
    parser = argparse.ArgumentParser(description="Kill training runs at random moments, and let them go on.")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT / "examples"))
    program, source = importlib.import_module("train_names"), random.Random(asked.seed)
    program.check_pictures()  # which imports what draws them, once for all runs
    names = program.NAMES.read_text(encoding="utf-8").splitlines()[:1000]
    for options in KILLED:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
            counts = kill_runs(program, Path(folder), options.split(), source, -(-asked.times // len(KILLED)))
        print(f"{options}: {sum(counts)} kills of {len(counts)} runs, which ended with the same bits", flush=True)


if __name__ == "__main__":
    main()
