"""Checks of arguments that are no Tensors: flags, numbers and sequences; and how a message quotes an argument.

They stand below all that uses them. Checks that need Tensors are in `api/arguments.py`.
"""

import operator
import reprlib
from types import UnionType
from typing import Any

import numpy as np

LARGEST_INT = 2**63 - 1  # of an int64


def shown(x: Any) -> str:
    """Return a short repr of an argument. It never fails, however long, deep or odd the argument is."""
    try:
        return reprlib.repr(x)
    except Exception:  # such as the ValueError of an int with thousands of digits
        return f"a {type(x).__name__}"


def flag_of(name: str, argument: str, x: Any) -> bool:
    """Return a flag. Raises a TypeError for anything but a bool, as PyTorch does."""
    if type(x) is not bool:
        raise TypeError(f"{name}: {argument} must be True or False, got {shown(x)}")
    return x


def is_int(x: Any) -> bool:
    """Return whether an argument is a Python or numpy integer. To numpy, but not here, a time is one too."""
    return isinstance(x, int | np.integer) and not isinstance(x, np.timedelta64)


def int_of(name: str, x: Any) -> int:
    """Return a Python or numpy integer as an int.

    Raises a TypeError for anything else, and a ValueError for an integer beyond int64.
    """
    if type(x) is int and -LARGEST_INT <= x <= LARGEST_INT:  # the most frequent case, for speed
        return x
    if not is_int(x) or isinstance(x, bool):
        raise TypeError(f"{name}: expected an integer, got {shown(x)}")
    if abs(int(x)) > LARGEST_INT:
        raise ValueError(f"{name}: expected an integer of at most 64 bits, got {shown(x)}")
    return int(x)


def size_of(name: str, argument: str, x: Any) -> int:
    """Return the size of a dim. Raises a TypeError for anything but an integer, and a RuntimeError for one below 0."""
    try:
        size = operator.index(x)
    except TypeError:
        raise TypeError(f"{name}: {argument} must be an integer, got {shown(x)}") from None
    if size < 0:
        raise RuntimeError(f"{name}: {argument} must not be negative, got {size}")
    return size


def number_of(name: str, argument: str, x: Any) -> Any:
    """Return a Python or numpy number.

    Raises a TypeError for anything else, and a ValueError for an integer beyond every float.
    """
    if type(x) is float:  # the most frequent case, for speed
        return x
    if not is_int(x) and not isinstance(x, float | np.floating):
        raise TypeError(f"{name}: {argument} must be a number, got {shown(x)}")
    try:
        float(x)
    except OverflowError:
        raise ValueError(f"{name}: {argument} must be a number that a float can hold, got {shown(x)}") from None
    return x


def members_of(name: str, things: str, kind: type | UnionType, x: Any) -> list[Any]:
    """Return the members of an iterable as a list. Raises a TypeError for anything else, and for other members.

    `things` says in the message what the members should be.
    """
    try:
        iterator = iter(x)
    except TypeError:
        raise TypeError(f"{name}: expected {things}, got {shown(x)}; give a list of them") from None
    members = []
    for member in iterator:
        if not isinstance(member, kind):
            raise TypeError(f"{name}: expected {things}, got {type(member).__name__}")
        members.append(member)
    return members
