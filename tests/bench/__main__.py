"""Measure minigrad beside others: python -m tests.bench --help."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from . import plot, table
from .rows import GROWING, OURS, ROWS, Row
from .runner import Measured, run


def parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure minigrad beside others.")
    parser.add_argument("--rows", help=f"some of {','.join(ROWS)}, with commas between them; by default all")
    parser.add_argument("--rounds", type=int, default=3, help="how often each contender measures (default 3)")
    parser.add_argument("--quick", action="store_true", help="one short round, of the contenders with a target")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured to a file")
    parser.add_argument("--plot", metavar="FILE", help="measure growth with batch, width and depth, and draw it")
    return parser


def main(arguments: list[str]) -> str:
    """Run what was asked for; returns the table."""
    options = parser().parse_args(arguments)
    wanted = [name.strip() for name in options.rows.split(",")] if options.rows else list(ROWS)
    if options.quick and not options.rows:
        wanted = ["names"]
    if unknown := [name for name in wanted if name not in ROWS]:
        parser().error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    if options.rounds < 1:
        parser().error("--rounds must be at least 1")

    def measured(row: Row) -> Measured:
        every = not options.quick or not row.targets
        names = [name for name in row.contenders if every or name == OURS or name in row.targets]
        print(f"{row.name}: {row.work}", file=sys.stderr, flush=True)
        return run(row, 1 if options.quick else options.rounds, 0.2 if options.quick else 1.5, names)

    parts = [measured(ROWS[name]) for name in wanted]
    growth = {row.name: measured(row) for row in GROWING} if options.plot else {}
    if options.plot:
        plot.draw(growth, options.plot)
    if options.json:
        lines: list[dict[str, Any]] = [line for part in (*parts, *growth.values()) for line in table.results(part)]
        Path(options.json).write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    return table.text([*parts, *growth.values()])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
