"""Notebooks as programs: their cells found in their text, run with PyTorch or with minigrad in its place, compared.

A text has `In [n]:` before each code cell. After the code stands what the cell displayed, then the markdown that
follows; neither is marked.
"""

import ast
import contextlib
import csv
import io
import random
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from threadpoolctl import threadpool_limits

import minigrad
import nn
import nn.functional
from tests.support import ROOT

DATA = ROOT.parent / "shared" / "data"
FILES = {"names.txt": DATA / "names-course.txt", "dinosaur.csv": DATA / "dinosaur.csv"}
LIBRARIES: dict[str, dict[str, ModuleType]] = {
    "PyTorch": {"torch": torch, "torch.nn": torch.nn, "torch.nn.functional": torch.nn.functional},
    "minigrad": {"torch": minigrad, "torch.nn": nn, "torch.nn.functional": nn.functional},
}

# What is left of the numbers after a float32 computation in another order of steps: a few units in the last place of
# the number itself, and of numbers up to about 1 that cancelled on the way.
RELATIVE, ABSOLUTE = 1e-5, 1e-6


class Cell(NamedTuple):
    """A code cell: the number in its brackets, and its code."""

    label: str
    code: str


class Outcome(NamedTuple):
    """What a program printed, and the exception that ended it, or None."""

    printed: str
    error: Exception | None


# Finding the code


def cells(path: Path) -> list[Cell]:
    """The code cells of a notebook."""
    _, *parts = re.split(r"In \[(\d+|None)\]:\n", path.read_text(encoding="utf-8"))
    return [Cell(label, code(text)) for label, text in zip(parts[::2], parts[1::2], strict=True)]


def code(text: str) -> str:
    """The code that a cell's text begins with.

    It is the longest run of lines that compiles and has no statement which only a cell's output has. Prose does not
    compile; headings do, as comments, which does no harm.
    """
    lines = re.sub(r"^%.*$", "", text, flags=re.MULTILINE).splitlines()
    return next(code for n in range(len(lines), 0, -1) if is_code(code := "\n".join(lines[:n])))


def is_code(text: str) -> bool:
    """Whether a text compiles, without a line of output in it."""
    try:
        statements = ast.parse(text).body
    except SyntaxError:
        return False
    return bool(statements) and not any(is_output(statement) for statement in statements)


def is_output(statement: ast.stmt) -> bool:
    """Whether a statement is a value as Python displays it: made of nothing but literals, `tensor` and `torch.Size`."""
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)}
    return isinstance(statement, ast.Expr) and names <= {"tensor", "torch", "Size"}


# Running it


@contextlib.contextmanager
def importing(modules: dict[str, Any]) -> Iterator[None]:
    """Let `import` find these modules under these names."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(), threadpool_limits(limits=1):
        for name, module in modules.items():
            patch.setitem(sys.modules, name, module)
        warnings.simplefilter("ignore")
        yield


def seed() -> None:
    """Start the random numbers that a program does not seed itself; the library is the one that it imports."""
    random.seed(0)
    sys.modules["torch"].manual_seed(0)


def open_data(path: str, mode: str = "r") -> Any:
    """`open`, which finds the course's files wherever a notebook has them."""
    return FILES[Path(path).name].open(mode, encoding="utf-8")


def read_csv(path: str) -> dict[str, Any]:
    """As much of `pandas.read_csv` as a notebook needs: columns by their names, with `tolist`."""
    with open_data(path) as file:
        rows = list(csv.DictReader(file))
    return {name: SimpleNamespace(tolist=lambda name=name: [row[name] for row in rows]) for name in rows[0]}


def run_program(program: Callable[[Any, Any], None], library: str) -> Outcome:
    """Run a function of a library and of its functional module."""
    with importing(LIBRARIES[library]):
        seed()
        return outcome(lambda: program(sys.modules["torch"], sys.modules["torch.nn.functional"]))


def run_cells(cells: Iterable[Cell], library: str) -> list[Outcome]:
    """Run cells one after the other in the names that those before left, each to its end or its exception.

    The names `open` and `set` are others than Python's: a set's order changes from run to run, a dict's does not.
    pandas and tqdm's bar have stand-ins.
    """
    names: dict[str, Any] = {"open": open_data, "set": dict.fromkeys}
    stand_ins = {"pandas": SimpleNamespace(read_csv=read_csv), "tqdm.notebook": SimpleNamespace(tqdm=iter)}
    with importing(LIBRARIES[library] | stand_ins):
        seed()
        return [outcome(lambda cell=cell: display(cell, names)) for cell in cells]


def display(cell: Cell, names: dict[str, Any]) -> None:
    """Run a cell; if it ends in an expression, print its value."""
    tree = ast.parse(cell.code)
    last = [ast.Expression(tree.body.pop().value)] if isinstance(tree.body[-1], ast.Expr) else []
    exec(compile(tree, f"In [{cell.label}]", "exec"), names)
    for expression in last:
        if (value := eval(compile(expression, f"In [{cell.label}]", "eval"), names)) is not None:
            print(repr(value))


def outcome(program: Callable[[], None]) -> Outcome:
    """Run a program, and keep what it prints."""
    error = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            program()
        except Exception as exception:
            error = exception
    return Outcome(printed.getvalue(), error)


# Comparing


NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)(?!\w)")


def difference(mine: Outcome, reference: Outcome) -> str | None:
    """What minigrad did otherwise than PyTorch, if anything: fail, print another text, or print other numbers.

    Where PyTorch fails, anything goes. Whether two gradients are equal in every bit is a matter of rounding, and an
    object's address one of chance.
    """
    if reference.error:
        return None
    if mine.error:
        return f"{type(mine.error).__name__}: {mine.error}"
    ours, theirs = (re.sub(r"exact: (True |False)|0x[0-9a-f]+", "", outcome.printed) for outcome in (mine, reference))
    if NUMBER.split(ours) != NUMBER.split(theirs):
        return f"prints\n{mine.printed}instead of\n{reference.printed}"
    pairs = zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True)
    wrong = [f"{a} instead of {b}" for a, b in pairs if not same_number(a, b)]
    return f"prints {', '.join(wrong)}" if wrong else None


def same_number(mine: str, reference: str) -> bool:
    """Whether two printed numbers are equal, or differ by float32 rounding or by one in the last printed digit."""
    if mine == reference or not re.search(r"[.e]\d|\.", reference):
        return mine == reference
    digit = 0 if reference.endswith(".") else 10.0 ** int(Decimal(reference).as_tuple().exponent)
    return abs(float(mine) - float(reference)) <= RELATIVE * abs(float(reference)) + ABSOLUTE + 1.01 * digit
