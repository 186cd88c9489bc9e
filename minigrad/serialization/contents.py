"""What a file may hold: Tensors of numbers, integers of bounded length, dtypes, and keys that can be compared."""

from typing import Any

import numpy as np

from minigrad.checks import shown
from minigrad.core.dtypes import BY_NUMPY, dtype
from minigrad.core.tensor import Tensor

DTYPES = {kind.name: known for kind, known in BY_NUMPY.items()}
LONGEST = 255  # bytes of an integer, in PyTorch's format
LARGEST_KEY = 1000  # parts of a tuple that is a key


def check_number(x: float) -> float:
    """Return a number as Python has it. Raises a ValueError for an integer that is too long for a file."""
    if isinstance(x, int) and x.bit_length() >= 8 * LONGEST:
        raise ValueError(f"save: an integer of {x.bit_length()} bits is too long; save it as a text")
    return x


def check_key(key: Any) -> Any:
    """Return a key of a dict: None, a number, a text, a dtype or a tuple of these.

    Raises a TypeError for anything else. Raises a ValueError for a tuple of too many parts: a small file can hold one
    that contains itself so often that its hash takes for ever.
    """
    parts = [key]
    for _ in range(LARGEST_KEY):
        if not parts:
            return key
        part = parts.pop()
        if isinstance(part, tuple):
            parts += part
        elif not isinstance(part, int | float | str | dtype | None):
            raise TypeError(f"a key of a dict must be a number, a text or a tuple of them, got {shown(part)}")
    raise ValueError(f"a key of a dict has more than {LARGEST_KEY} parts; use a text")


def array_of(tensor: Tensor) -> np.ndarray:
    """Return the array of a Tensor. Raises a TypeError if it does not hold numbers."""
    if tensor.array.dtype not in BY_NUMPY:
        raise TypeError(f"save: a Tensor holds {tensor.array.dtype}, not numbers; save a state_dict()")
    return tensor.array


def refusal(obj: Any) -> TypeError:
    """Return the refusal of an object that no file may hold."""
    kind = type(obj)
    if kind.__module__ == "numpy":
        remedy = f"minigrad.from_numpy makes a Tensor of an array, and .item() a number of a numpy.{kind.__name__}"
    elif callable(getattr(obj, "state_dict", None)):
        remedy = "save its state_dict()"
    else:
        remedy = "save what it is made of"
    return TypeError(f"save: expected dicts, lists, numbers, texts and Tensors, got {shown(obj)}; {remedy}")
