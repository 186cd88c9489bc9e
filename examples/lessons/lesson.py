"""What the lessons share: the checks of a reader's answers, and the list of names that the models learn from.

A check prints one line, and raises nothing if an answer is missing or wrong:

    ✔ dlogits: correct
    ✘ dlogits: not yet; at (0, 2) it is 0.5 instead of 0.25; a factor of 1/2 is missing
    ○ dlogits: open; put your answer in place of None, and run both cells
"""

import random
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

import minigrad
from minigrad import Tensor, Value, gradcheck
from minigrad.debug.cmp import compared, guess, numbers_of
from minigrad.debug.gradcheck import GradcheckError

CORRECT, NOT_YET, OPEN = "correct", "not yet", "open"
SIGNS = {CORRECT: "✔", NOT_YET: "✘", OPEN: "○"}
FOLDER = Path(__file__).parent
CHARACTERS = "." + string.ascii_lowercase  # the dot stands before the first letter of a name and after its last

threadpool_limits(limits=1)  # the lessons' matrices are small, and more threads would make them slower


# Checks


class Verdict(NamedTuple):
    """What a check found: the grade is "correct", "not yet" or "open". It is true if the answer is correct."""

    name: str
    grade: str
    note: str = ""

    def __bool__(self) -> bool:
        return self.grade == CORRECT

    def _ipython_display_(self) -> None:
        """Show nothing in a notebook: the check has printed its line."""


def check(name: str, answer: Any, variable: Tensor | Value) -> Verdict:
    """Compare a gradient worked out by hand with the one that `backward()` left in `variable.grad`.

    It grades and explains as `minigrad.cmp` does. ValueError if the variable has no gradient.
    """
    if variable.grad is None:
        raise ValueError(f"check: {name} has no gradient to compare with; run the cells above this one in their order")
    return _numbers(name, answer, numbers_of(variable.grad), 0)


def check_value(name: str, answer: Any, expected: Any, tolerance: float = 0) -> Verdict:
    """Compare an answer with a number, a Tensor, a truth value, a text or a tuple, such as a shape.

    Numbers may differ by rounding. With a `tolerance` they may differ by so much, relative or absolute.
    """
    if not isinstance(expected, bool | str | tuple):
        return _numbers(name, answer, numbers_of(expected), tolerance)
    if _is_open(answer):
        return _told(name, OPEN)
    given = tuple(answer) if isinstance(answer, list | tuple) else answer
    same_kind = isinstance(given, type(expected)) or (isinstance(expected, bool) and isinstance(given, np.bool_))
    return _told(name, CORRECT) if same_kind and given == expected else _told(name, NOT_YET, f"it is {given!r}")


def check_gradient(name: str, function: Callable[..., Any], inputs: Any) -> Verdict:
    """Compare the gradients of a reader's function with slopes that `minigrad.gradcheck` measures."""
    arguments = inputs if isinstance(inputs, tuple) else (inputs,)
    if _is_open(function) or _is_open(function(*arguments)):
        return _told(name, OPEN)
    try:
        gradcheck(function, inputs)
    except (GradcheckError, TypeError, ValueError) as error:
        return _told(name, NOT_YET, str(error).removeprefix("gradcheck: "))
    return _told(name, CORRECT)


def _numbers(name: str, answer: Any, expected: np.ndarray, tolerance: float) -> Verdict:
    """Compare an answer with numbers."""
    if _is_open(answer):
        return _told(name, OPEN)
    try:
        mine = numbers_of(answer)
    except ValueError:  # a list whose rows have different lengths
        mine = np.array(None)
    if mine.dtype.kind not in "biuf":
        return _told(name, NOT_YET, f"it is a {type(answer).__name__}, not a Tensor or a number")
    mine, expected = (array.astype(np.int64) if array.dtype.kind == "b" else array for array in (mine, expected))
    result = compared(name, mine, expected)
    if result or (mine.shape == expected.shape and np.allclose(mine, expected, tolerance, tolerance)):
        return _told(name, CORRECT)
    if expected.size > 1 or mine.shape != expected.shape:
        return _told(name, NOT_YET, result.note)
    return _told(name, NOT_YET, f"it is {mine.item():.6g}{guess(mine, expected, 0)}")  # a number would be the answer


def _is_open(answer: Any) -> bool:
    """Whether an answer is the placeholder None, or has it as a part."""
    return answer is None or (isinstance(answer, list | tuple) and any(part is None for part in answer))


def _told(name: str, grade: str, note: str = "") -> Verdict:
    """Print a check's line."""
    note = note or ("put your answer in place of None, and run both cells" if grade == OPEN else "")
    print(f"{SIGNS[grade]} {name}: {'; '.join(filter(None, [grade, note]))}")
    return Verdict(name, grade, note)


# Data


def read_names() -> list[str]:
    """The names, one per line of a file that stands beside this one or with the examples' data."""
    places = [FOLDER / "names.txt", FOLDER.parent / "data" / "names.txt"]
    return next(path for path in places if path.exists()).read_text(encoding="utf-8").splitlines()


def split(names: Sequence[str], seed: int = 42) -> tuple[list[str], list[str], list[str]]:
    """The names, shuffled and split: 80% to train on, 10% to choose settings with (dev), and 10% for a last test."""
    shuffled = random.Random(seed).sample(names, len(names))
    first, second = int(0.8 * len(names)), int(0.9 * len(names))
    return shuffled[:first], shuffled[first:second], shuffled[second:]


def contexts(names: Sequence[str], block_size: int = 3) -> tuple[Tensor, Tensor]:
    """Contexts (n, block_size) and the characters that follow them (n), as indices into `CHARACTERS`."""
    inputs, targets = [], []
    for name in names:
        context = [0] * block_size
        for character in name + ".":
            inputs.append(context)
            targets.append(CHARACTERS.index(character))
            context = [*context[1:], targets[-1]]
    return minigrad.tensor(inputs), minigrad.tensor(targets)
