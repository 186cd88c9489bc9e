"""Checks of arguments that the functions of this package share, and the reduction of losses."""

from typing import Any

import numpy as np

from minigrad.api.arguments import array_of
from minigrad.api.half import HALF, SINGLE
from minigrad.checks import shown
from minigrad.core.tensor import Tensor

CLASSES, ROWS = (np.dtype(np.int64), np.dtype(np.uint8)), (np.dtype(np.int64), np.dtype(np.int32))
_UNSIGNED = {kind.itemsize: np.dtype(f"u{kind.itemsize}") for kind in (*CLASSES, *ROWS)}


def are_below(count: int, array: np.ndarray) -> bool:
    """Return whether all integers are in range(count)."""
    # As unsigned numbers, negative ones are the largest. One search for the maximum is faster than two comparisons.
    unsigned = array.view(_UNSIGNED[array.dtype.itemsize])
    return not unsigned.size or bool(unsigned.take(unsigned.argmax()) < count)


def check_choices(
    name: str, array: np.ndarray, count: int, things: str, dtypes: tuple[np.dtype[Any], ...] = CLASSES
) -> None:
    """Raise an IndexError if an integer is not in range(count), and a RuntimeError if the dtype is wrong."""
    check_integers(name, array, dtypes)
    if not are_below(count, array):
        odd = next(x for x in array.ravel().tolist() if not 0 <= x < count)
        raise IndexError(f"{name}: {odd} is out of range for {count} {things}: expected 0 to {count - 1}")


def check_integers(name: str, array: np.ndarray, dtypes: tuple[np.dtype[Any], ...]) -> None:
    """Raise a RuntimeError if the dtype is not one of those given."""
    if array.dtype not in dtypes:
        raise RuntimeError(f"{name}: needs int64 integers, got {array.dtype}; convert with .long()")


def check_shapes(name: str, shape: tuple[int, ...], **parameters: Tensor | None) -> None:
    """Raise a RuntimeError if one of the Tensors does not have this shape."""
    for role, x in parameters.items():
        if x is not None and array_of(name, x).shape != shape:
            raise RuntimeError(f"{name}: {role} has shape {x.array.shape} instead of {shape}")


def check_parameters(name: str, input: Tensor, shape: tuple[int, ...], **parameters: Tensor | None) -> None:
    """Raise a RuntimeError if one of the Tensors does not have this shape, or not the dtype of the input.

    Beside an input of float16, all of them may be float32.
    """
    check_shapes(name, shape, **parameters)
    dtype = input.array.dtype
    dtypes = {x.array.dtype for x in parameters.values() if x is not None}
    if dtypes - {dtype} and not (dtype == HALF and dtypes == {SINGLE}):
        told = ", ".join(f"{role} {x.array.dtype}" for role, x in parameters.items() if x is not None)
        raise RuntimeError(f"{name}: the input has dtype {dtype}, but {told}; convert with .to(dtype)")


def sizes_at_the_end(name: str, input: Tensor, normalized_shape: Any) -> tuple[int, ...]:
    """Return `normalized_shape` as a tuple. Raises a RuntimeError if the shape of the input does not end in it."""
    array = array_of(name, input)
    if not isinstance(normalized_shape, tuple | list):
        raise TypeError(f"{name}: normalized_shape must be a tuple of sizes, not {shown(normalized_shape)}")
    sizes = tuple(normalized_shape)
    if not sizes or array.shape[-len(sizes) :] != sizes:
        raise RuntimeError(f"{name}: an input of shape {array.shape} does not end in the sizes {shown(sizes)}")
    return sizes


# Reductions of losses

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(
    name: str, reduction: str, size_average: None = None, reduce: None = None, known: tuple[str, ...] = REDUCTIONS
) -> None:
    """Raise a ValueError for an unknown reduction, and a TypeError for an argument that `reduction` has replaced."""
    if not isinstance(reduction, str) or reduction not in known:
        *others, last = map(repr, known)
        raise ValueError(f"{name}: reduction must be {', '.join(others)} or {last}, got {shown(reduction)}")
    if size_average is not None or reduce is not None:
        raise TypeError(f"{name}: size_average and reduce are PyTorch's old arguments; use reduction='mean' or 'sum'")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Return the losses, their sum, or their mean."""
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()
