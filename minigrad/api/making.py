"""What the functions that make Tensors share: the checks of devices, dtypes, shapes and numbers."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import MOST_ELEMENTS, sizes_of
from minigrad.api.device import Device
from minigrad.checks import flag_of, int_of, number_of, shown
from minigrad.core import dtypes
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.primitive import Shape
from minigrad.core.tensor import Tensor, wrap


def on_device(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function accept a `device`, which must be the CPU. A result that is too large raises a RuntimeError.

    `requires_grad` must be a bool.
    """

    @functools.wraps(function)
    def placed(*args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        if device is not None:
            Device(device)
        for name in ("layout", "memory_format", "pin_memory"):  # of which there is one choice here
            kwargs.pop(name, None)
        if "requires_grad" in kwargs:
            flag_of(function.__name__, "requires_grad", kwargs["requires_grad"])
        try:
            return function(*args, **kwargs)
        except (MemoryError, OverflowError) as error:
            raise RuntimeError(f"{function.__name__}: too large: {error}") from None

    return placed


def numbers_of(name: str, *given: Any) -> list[Any]:
    """Return Python numbers for Python or numpy numbers and one-element Tensors.

    Raises a TypeError for anything else.
    """
    numbers = [x.item() if isinstance(x, Tensor | np.generic) else x for x in given]
    if not all(isinstance(x, int | float) for x in numbers):
        raise TypeError(f"{name}: expected numbers, got {', '.join(map(shown, given))}")
    return [number_of(name, "each argument", x) for x in numbers]


def floating_of(name: str, dtype: DType) -> np.dtype[Any]:
    """Return the dtype to use. Raises a RuntimeError if it is not floating."""
    chosen = number_dtype(name, dtype, dtypes.get_default_dtype())
    if chosen.kind != "f":
        raise RuntimeError(f"{name}: the result is floating, so its dtype cannot be {chosen}; use randint for integers")
    return chosen


def shape_of(name: str, size: tuple[Any, ...]) -> Shape:
    """Return the shape that is given as sizes or as one sequence.

    Raises a RuntimeError if a size is negative or the shape is too large.
    """
    shape = sizes_of(name, size)
    if min(shape, default=0) < 0:
        raise RuntimeError(f"{name}: sizes must not be negative, got {shown(shape)}")
    if max(math.prod(shape), *shape, 0) > MOST_ELEMENTS:
        raise RuntimeError(f"{name}: {shown(shape)} needs more memory than any machine has")
    return shape


def count_of(name: str, number: Any) -> int:
    """Return the number of elements to make. Raises a RuntimeError if it is negative."""
    return shape_of(name, (int_of(name, number),))[0]


def leaf(array: np.ndarray, requires_grad: bool) -> Tensor:
    """Return a leaf with this array."""
    return wrap(array).requires_grad_(requires_grad)
