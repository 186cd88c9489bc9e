"""Plain values, and how Python writes them.

A subclass of int or str may have any `__repr__`, and the source is executed. So all that gets into the source is first
converted to a class of Python's or numpy's own, whose text is known.
"""

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.core.primitive import Traced


def plain(x: Any) -> Any:
    """An argument of a primitive without its subclass. An index becomes an int, and another object stays as it is."""
    if isinstance(x, tuple):
        return tuple([plain(part) for part in x])
    if isinstance(x, slice):
        return slice(_as_int(x.start), _as_int(x.stop), _as_int(x.step))
    if isinstance(x, np.ndarray):
        return np.asarray(x)
    if isinstance(x, str):
        return str.__str__(x)
    if isinstance(x, np.generic):
        return x.dtype.type(x) if is_number(x.dtype) else x
    if isinstance(x, float):
        return float(x)
    return x if isinstance(x, bool | Traced) else _as_int(x)


def _as_int(x: Any) -> Any:
    try:
        return operator.index(x)
    except TypeError:
        return x


def is_number(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is one whose numbers can be written: bool, integer or floating, of this machine's byte order."""
    return dtype.kind in "biuf" and dtype.isnative


def literal(x: Any) -> str:
    """A plain number, as source."""
    if isinstance(x, np.longdouble):  # which a float does not hold
        return f'np.longdouble("{np.format_float_scientific(x)}")'
    if isinstance(x, np.generic):
        return f"{dtype_text(x.dtype)}({literal(x.item())})"
    if isinstance(x, float) and not math.isfinite(x):
        return "-np.inf" if x < 0 else "np.inf" if x > 0 else "np.nan"
    if isinstance(x, int) and x.bit_length() > 2000:  # Python refuses to read or write many decimals
        return hex(x)
    if type(x) not in (bool, int, float):
        raise TypeError(f"derive: a {type(x).__name__} cannot be written in the source; use a number")
    return repr(x)


def ints_text(x: Iterable[Any]) -> str:
    """A tuple of ints, as source."""
    return str(tuple([operator.index(part) for part in x]))


def array_text(x: np.ndarray) -> str:
    """An array of numbers, as source."""
    if x.dtype.kind == "i" and np.array_equal(x, np.arange(x.size)):
        return f"np.arange({x.size}{f', dtype={dtype_text(x.dtype)}' * (x.dtype != np.int64)})"
    if not x.size:
        return f"np.zeros({x.shape}, {dtype_text(x.dtype)})"
    return f"np.array({list_text(x)}, {dtype_text(x.dtype)})"


def list_text(x: np.ndarray) -> str:
    """The numbers of an array as nested lists, as source."""
    return f"[{', '.join(map(list_text, x))}]" if x.ndim else literal(x.item())


def dtype_text(dtype: Any) -> str:
    """A dtype, as source."""
    return f"np.{np.dtype(dtype).name}".replace("np.bool", "np.bool_")
