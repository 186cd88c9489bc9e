"""One contender in a process of its own: it writes its first losses, and what was measured, as JSON.

python -m tests.bench.worker ROW CONTENDER SECONDS      SECONDS of measuring; 0 is a check of the losses alone
"""

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .rows import EVERY

CHECKED = 3  # steps whose losses are compared: a wrong gradient shows in the second
BATCHES = 7
LONG = 1.0  # seconds, after which a step is checked once


def main(name: str, contender: str, seconds: float) -> dict[str, Any]:
    """The first losses of a contender, and if it is given time, its measure of a step, or of an operation."""
    row = EVERY[name]
    step, number = row.contenders[contender]()
    before = _memory("VmRSS") if row.measure == "bytes" else 0.0
    losses, start = [], time.perf_counter()
    while len(losses) < CHECKED and time.perf_counter() < start + LONG:
        began = time.perf_counter()
        losses.append(number(step()))
        once = time.perf_counter() - began
    if not seconds:
        return {"losses": losses}
    if row.measure == "bytes":
        value = _memory("VmHWM") - before
    elif row.measure == "told":
        value = min(step() for _ in range(BATCHES))
    else:
        value = best(step, once, seconds)
    return {"losses": losses, "value": value / row.counts.get(contender, 1)}


def best(step: Callable[[], Any], once: float, seconds: float) -> float:
    """The seconds of a step in the best of several batches: whatever else runs can only add to them."""
    size = max(1, int(seconds / BATCHES / once))
    end = time.perf_counter() + seconds
    times: list[float] = []
    while not times or (len(times) < BATCHES and time.perf_counter() < end):
        start = time.perf_counter()
        for _ in range(size):
            step()
        times.append((time.perf_counter() - start) / size)
    return min(times)


def _memory(kind: str) -> float:
    """The bytes that this process holds now (`VmRSS`), or held at most (`VmHWM`), which begins anew with each `VmRSS`.

    OSError where there is no /proc, which is Linux's.
    """
    if kind == "VmRSS":
        Path("/proc/self/clear_refs").write_text("5")
    found = re.search(rf"{kind}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return float(found[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
