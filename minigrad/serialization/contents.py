"""What a file may hold beside Tensors: numbers of bounded length, and dtypes."""

from typing import Any

from minigrad.checks import shown
from minigrad.core.dtypes import BY_NUMPY

DTYPES = {kind.name: known for kind, known in BY_NUMPY.items()}
LONGEST = 255  # bytes of an integer, in PyTorch's format


def check_number(x: float) -> float:
    """Return a number as Python has it. Raises a ValueError for an integer that is too long for a file."""
    if isinstance(x, int) and x.bit_length() >= 8 * LONGEST:
        raise ValueError(f"save: an integer of {x.bit_length()} bits is too long; save it as a text")
    return x


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
