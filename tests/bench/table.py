"""The table: medians, and the ratios of minigrad to every other contender, round by round."""

from collections.abc import Iterable
from statistics import median
from typing import Any

from .rows import OURS
from .runner import Measured

UNITS = {
    "seconds": ((1e-6, "us"), (1e-3, "ms"), (1.0, "s")),
    "bytes": ((1.0, "B"), (2**10, "KiB"), (2**20, "MiB")),
}
HEADER = ("row", "contender", "median", "minigrad over it", "rounds", "to reach", "")


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median over the rounds of one measure over the other of the same round."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def shown(value: float, measure: str) -> str:
    """A measure in the unit in which it is a number of few digits."""
    units = UNITS.get(measure, UNITS["seconds"])
    size, unit = next((pair for pair in units if value < 1000 * pair[0]), units[-1])
    return f"{value / size:.3g} {unit}" if value < 1000 * size else f"{value / size:.0f} {unit}"


def results(measured: Measured) -> list[dict[str, Any]]:
    """A line of the table for each contender."""
    row, rounds, _ = measured
    lines = []
    for name, values in rounds.items():
        limit = row.budget if name == OURS else row.targets.get(name)
        over = [a / b for a, b in zip(rounds[OURS], values, strict=True)]
        line = {"row": row.name, "contender": name, "median": median(values), "measure": row.measure, "rounds": values}
        reached = median(values) if name == OURS else ratio(rounds[OURS], values)
        if name != OURS:
            line |= {"ratio": reached, "lowest": min(over), "highest": max(over)}
        if limit is not None:
            line |= {"target": limit, "reached": reached <= limit}
        lines.append(line)
    return lines


def text(every: Iterable[Measured]) -> str:
    """All rows as aligned text, and who was left out."""
    cells, notes = [HEADER], []
    for measured in every:
        for line in results(measured):
            target, first = line.get("target"), line["contender"] == OURS
            over = (f"{line['ratio']:.2f}", f"{line['lowest']:.2f} to {line['highest']:.2f}") if not first else ("", "")
            limit = "" if target is None else shown(target, line["measure"]) if first else f"{target:.2f}"
            verdict = {True: "reached", False: "not reached", None: ""}[line.get("reached")]
            measure = shown(line["median"], line["measure"])
            cells.append((line["row"] if first else "", line["contender"], measure, *over, limit, verdict))
        notes += [f"{measured.row.name}: {name} left out: {why}" for name, why in measured.left_out.items()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([*lines, *notes])
