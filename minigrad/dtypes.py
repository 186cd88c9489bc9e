"""Which dtype numbers have: PyTorch's default, and PyTorch's rule for mixed operands, on numpy's dtypes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

float32, float64 = np.dtype(np.float32), np.dtype(np.float64)
int32, int64 = np.dtype(np.int32), np.dtype(np.int64)
bool = np.dtype(np.bool_)

DType = DTypeLike | None  # None for the default of the function that takes it

_CATEGORIES = {"b": 0, "u": 1, "i": 1, "f": 2}
_NUMBERS = {True.__class__: bool, int: int64}
_default: np.dtype[Any] = float32


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats become (`torch.get_default_dtype`); float32 unless it was set."""
    return _default


def set_default_dtype(dtype: DTypeLike) -> None:
    """Let Python floats become `dtype` (`torch.set_default_dtype`); TypeError unless that is a floating one."""
    global _default
    if np.dtype(dtype).kind != "f":
        raise TypeError(f"set_default_dtype: {np.dtype(dtype)} is not a floating dtype; use float32 or float64")
    _default = np.dtype(dtype)


def result_dtype(operands: Iterable[Any]) -> np.dtype[Any]:
    """The dtype of an operation on arrays and Python numbers (`torch.result_type`).

    The highest category (bool, int, float) decides; within it arrays outrank 0-d arrays, and those outrank numbers.
    """
    ranks: tuple[list[np.dtype[Any]], ...] = ([], [], [])
    for x in operands:
        if isinstance(x, np.ndarray):
            ranks[0 if x.ndim else 1].append(x.dtype)
        else:
            ranks[2].append(_NUMBERS.get(type(x), _default))
    result: np.dtype[Any] | None = None
    for dtypes in filter(None, ranks):
        highest = max(_category(dtype) for dtype in dtypes)
        if result is None or highest > _category(result):
            result = np.result_type(*(dtype for dtype in dtypes if _category(dtype) == highest))
    assert result is not None
    return result


def _category(dtype: np.dtype[Any]) -> int:
    if dtype.kind not in _CATEGORIES:
        raise TypeError(f"numbers of dtype {dtype} are not supported; use a bool, integer or floating dtype")
    return _CATEGORIES[dtype.kind]
