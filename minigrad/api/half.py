"""float16 that is computed in float32 and rounded once, as PyTorch does it.

The sums and squares of ordinary float16 data are too large for float16, whose greatest number is 65504.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minigrad.api.grad_fn import relabelled
from minigrad.core import ops
from minigrad.core.tensor import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def in_float32(function: Function) -> Function:
    """Decorate a function of Tensors so that it computes float16 in float32.

    If a Tensor among its arguments is wider than float16, its result is wider too, as that of any operation.
    """
    return _computing(function, lambda tensors: all(x.array.dtype == HALF for x in tensors if x.is_floating_point()))


def rounded_as_input(function: Function) -> Function:
    """Decorate as `in_float32` does, but a result has the dtype of the first argument also if others are wider."""
    return _computing(function, lambda tensors: True)


def _computing(function: Function, is_rounded: Callable[[list[Tensor]], bool]) -> Function:
    """Let a function compute a float16 argument, its first, in float32, if `is_rounded` of all Tensors says so."""

    @functools.wraps(function)
    def computed(*args: Any, **kwargs: Any) -> Any:
        array = getattr(args[0] if args else next(iter(kwargs.values()), None), "array", None)
        if array is None or array.dtype != HALF:
            return function(*args, **kwargs)
        if not is_rounded([x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]):
            return function(*args, **kwargs)
        wide = {name: widened(x) for name, x in kwargs.items()}
        return rounded(function(*map(widened, args), **wide))

    return computed  # type: ignore[return-value]


def widened(x: Any) -> Any:
    """Return a float16 Tensor as float32, and anything else as it is."""
    return ops.cast.on_tensors(x, SINGLE) if isinstance(x, Tensor) and x.array.dtype == HALF else x


def rounded(result: Tensor) -> Tensor:
    """Return a result as float16, whose node has the name of the operation that computed it."""
    node = result.node
    rounded = ops.cast.on_tensors(result, HALF)
    return relabelled(rounded, node.label or node.operation) if node else rounded
