"""Numbers as short as they can be read: few digits, no needless zeros, a summary for what is long."""

import numpy as np

LONGEST_ROW, MOST_ROWS = 6, 4

Cells = list[list[str]]


def number(x: float, digits: int = 4) -> str:
    """A number with up to so many digits behind the point, or, where it is small, in all.

    >>> [number(x) for x in (3.0, -0.0, 0.70710678, 24.70408, 1.5e-7, 123456.789)]
    ['3', '0', '0.7071', '24.7041', '1.5e-7', '1.235e5']
    """
    if isinstance(x, int):
        return str(x)
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".") if 1 <= abs(x) < 1e4 else f"{x + 0.0:.{digits}g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def cells(array: np.ndarray) -> Cells:
    """The elements of a small array, in its rows; else its mean, standard deviation, least and greatest element."""
    if array.size == 0:
        return [["empty"]]
    if array.size == 1:
        return [[number(array.item())]]
    rows = np.atleast_2d(array)
    if rows.ndim == 2 and len(rows) <= MOST_ROWS and rows.shape[1] <= LONGEST_ROW:
        return [[number(x) for x in row] for row in rows.tolist()]
    return summary(array)


def summary(array: np.ndarray) -> Cells:
    """The mean, standard deviation, least and greatest of the finite elements; and how many are not finite."""
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
