"""Finds which cells of a gradient came from which cells of what its rule was given.

The rule itself is run, on numbers with a single NaN: every cell of the result that is NaN then was computed from that
cell, even if it was multiplied by zero. So this holds for every rule, and no rule is described a second time.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Window = tuple[int, int]  # the rows and columns that are shown of an array, as a matrix

MOST_NUMBERS = 5_000_000  # computed by all runs of one rule


def matrix(array: np.ndarray) -> np.ndarray:
    """Return an array as a matrix: its last dim as the columns, and all others as the rows."""
    return array.reshape(-1, array.shape[-1]) if array.ndim > 1 else np.atleast_2d(array)


class Sources(NamedTuple):
    """For each cell of a result the number of a set of cells, in `of`, and these sets. Cells count row by row."""

    of: list[int]
    sets: list[list[int]]


def sources(rule: Callable[[np.ndarray], Any], given: np.ndarray, result: np.ndarray, window: Window) -> Sources | None:
    """Return the cells of `given` that each cell of `result` came from, within the window that is shown of each.

    None if `given` does not consist of floats, or if it would take too long to find out.
    """
    cells, wanted = (matrix(array)[: window[0], : window[1]] for array in (given, result))
    if given.dtype.kind != "f" or cells.size * max(result.size, given.size) > MOST_NUMBERS:
        return None
    found: list[list[int]] = [[] for _ in range(wanted.size)]
    clean = np.nan_to_num(given)
    with np.errstate(all="ignore"):
        before = np.isnan(rule(clean))
        for cell in range(cells.size):
            marked = clean.copy()
            matrix(marked)[divmod(cell, cells.shape[1])] = np.nan
            reached = np.isnan(rule(marked)) & ~before
            for place in np.flatnonzero(matrix(reached)[: window[0], : window[1]]).tolist():
                found[place].append(cell)
    sets = {tuple(each): i for i, each in enumerate(dict.fromkeys(map(tuple, found)))}
    return Sources([sets[tuple(each)] for each in found], [[*each] for each in sets])
