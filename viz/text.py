"""Numbers as short as they can be read: few digits, no needless zeros, a summary for what is long."""

import numpy as np

LONGEST_ROW, MOST_ROWS = 6, 4

Cells = list[list[str]]


def number(x: float) -> str:
    """A number with about four decimals.

    >>> [number(x) for x in (3.0, -0.0, 0.70710678, 24.70408, 1.5e-7, 123456.789)]
    ['3', '0', '0.7071', '24.7041', '1.5e-7', '1.235e5']
    """
    if isinstance(x, bool | int):
        return str(x)
    text = f"{x:.4f}".rstrip("0").rstrip(".") if 1 <= abs(x) < 1e4 else f"{x + 0.0:.4g}"
    return text.replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")


def cells(array: np.ndarray) -> Cells:
    """The elements of a small array, in its rows; else its mean, standard deviation, least and greatest element."""
    if array.size == 0:
        return [["empty"]]
    rows = np.atleast_2d(array)
    if rows.ndim == 2 and len(rows) <= MOST_ROWS and rows.shape[1] <= LONGEST_ROW:
        return [[number(x) for x in row] for row in rows.tolist()]
    return summary(array)


def summary(array: np.ndarray) -> Cells:
    """The mean, standard deviation, least and greatest of the finite elements; and how many are not finite."""
    finite = array[np.isfinite(array)]
    rows: Cells = []
    if finite.size and finite.min() == finite.max():
        rows.append(["all", brief(finite[0])])
    elif finite.size:
        wide = finite.astype(np.float64)
        rows.append(["mean", brief(wide.mean()), "std", brief(wide.std())])
        rows.append(["min", brief(finite.min()), "max", brief(finite.max())])
    for kind, count in (("nan", np.isnan(array).sum()), ("inf", np.isinf(array).sum())):
        if count:
            rows.append([kind, f"{count} of {array.size}"])
    return rows


def brief(x: np.generic) -> str:
    """A statistic, with three digits."""
    return number(x.item() if x.dtype.kind in "bi" else float(f"{x:.3g}"))
