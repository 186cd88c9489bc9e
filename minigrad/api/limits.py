"""Whether a number fits into a dtype, for functions that write numbers: `full`, `fill_`, `masked_fill`, `x[0] = 1`."""

import math
from typing import Any, NoReturn

import numpy as np


def fitting(name: str, number: Any, dtype: np.dtype[Any]) -> np.ndarray:
    """Return a number as an array of a dtype. Raises a RuntimeError if the dtype cannot hold it.

    As in PyTorch, a negative integer wraps around in an unsigned dtype, and infinity fits into any floating dtype.
    """
    number = number.item() if isinstance(number, np.generic) else number
    if not isinstance(number, int | float):
        raise TypeError(f"{name}: expected a number, got {type(number).__name__}")
    if dtype.kind == "b":
        return np.asarray(bool(number))
    if dtype.kind == "f":
        fits = not abs(number) > float(np.finfo(dtype).max) or abs(number) == math.inf
        return np.asarray(float(number) if fits else _unfit(name, number, dtype), dtype)
    least, greatest = np.iinfo(dtype).min, np.iinfo(dtype).max
    if dtype.kind == "u" and isinstance(number, int):
        least = -greatest
    return np.asarray(int(number) if least <= number <= greatest else _unfit(name, number, dtype)).astype(dtype)


def _unfit(name: str, number: Any, dtype: np.dtype[Any]) -> NoReturn:
    raise RuntimeError(f"{name}: {number} does not fit into {dtype}; use another number or dtype")
