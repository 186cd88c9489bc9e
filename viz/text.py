"""Numbers for pictures: few digits, no trailing zeros, and a summary or a map of colours for a large array.

It returns texts and colours; `dot.py` writes the tables that show them.
"""

import numpy as np

LONGEST_ROW, MOST_ROWS = 6, 4
MOST_TILES = 32, 32  # rows and columns of a matrix that is shown in colours
BLUE, ORANGE = np.array([0, 114, 178]), np.array([230, 120, 0])

Cells = list[list[str]]


def number(x: float, digits: int = 4) -> str:
    """Print a number with at most `digits` decimals, or, if it is below 1 or very large, `digits` significant digits.

    >>> [number(x) for x in (3.0, -0.0, 0.70710678, 24.70408, 1.5e-7, 123456.789)]
    ['3', '0', '0.7071', '24.7041', '1.5e-7', '1.235e5']
    """
    if isinstance(x, int):
        return str(x)
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".") if 1 <= abs(x) < 1e4 else f"{x + 0.0:.{digits}g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def cells(array: np.ndarray) -> Cells:
    """Return the elements of a small array, row by row, or the summary of a large array."""
    if array.size == 0:
        return [["empty"]]
    if array.size == 1:
        return [[number(array.item())]]
    rows = np.atleast_2d(array)
    if rows.ndim == 2 and len(rows) <= MOST_ROWS and rows.shape[1] <= LONGEST_ROW:
        return [[number(x, 3) for x in row] for row in rows.tolist()]
    return summary(array)


def summary(array: np.ndarray) -> Cells:
    """Return mean, standard deviation, minimum and maximum of the finite elements, and how many are not finite."""
    finite = array[np.isfinite(array)].astype(np.float64)
    rows: Cells = []
    if finite.size:
        with np.errstate(over="ignore"):
            statistics = (finite.mean(), finite.std(), finite.min(), finite.max())
        mean, deviation, least, greatest = (number(float(x), 3) for x in statistics)
        constant = finite.min() == finite.max()
        rows = [[f"all {least}"]] if constant else [["mean", mean, "std", deviation], ["min", least, "max", greatest]]
    for kind, count in (("nan", np.isnan(array).sum()), ("inf", np.isinf(array).sum())):
        if count:
            rows.append([f"{count:,} {kind}"])
    return rows


def heat(array: np.ndarray) -> list[list[str]]:
    """Return the colours of a matrix that is too large to print and small enough for a map.

    Numbers above 0 are orange, numbers below 0 are blue; the larger the number, the stronger the colour. The result is
    empty if the array is not a matrix, is too large, can be printed, or has the same number everywhere.
    """
    if array.ndim != 2 or array.dtype.kind != "f" or not np.isfinite(array).all():
        return []
    rows, columns = array.shape
    if not (1 < rows <= MOST_TILES[0] and 1 < columns <= MOST_TILES[1]) or (
        rows <= MOST_ROWS and columns <= LONGEST_ROW
    ):
        return []
    largest = np.abs(array).max()
    if array.min() == array.max():
        return []
    strength = (array / largest)[..., None].astype(np.float64)
    colours = 255 - np.abs(strength) * (255 - np.where(strength > 0, ORANGE, BLUE))
    return [["#" + "".join(f"{round(part):02x}" for part in tile) for tile in line] for line in colours.tolist()]
