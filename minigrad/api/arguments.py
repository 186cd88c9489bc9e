"""Checks and conversions of arguments that the public functions share: Tensors, dims, sizes and integers.

They stand here so that all functions raise the same errors, with the name of the operation in the message.
"""

import builtins
import functools
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minigrad.checks import is_int, shown
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.primitive import Axes, Shape

if TYPE_CHECKING:
    from minigrad.core.tensor import Tensor

Dims = int | Sequence[int] | None

Number = builtins.bool | int | float

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])

Operand = Any  # a Tensor, a number, or a numpy array

MOST_ELEMENTS = 2**48  # a larger array is refused before memory is requested


def array_of(name: str, x: Any) -> np.ndarray:
    """Return the array of a Tensor. Raises a TypeError for anything else."""
    try:
        return x.array
    except AttributeError:
        raise TypeError(f"{name}: expected a Tensor, got {type(x).__name__}; make one with tensor(...)") from None


def tensors_of(name: str, tensors: Any, none: type[Exception] = RuntimeError) -> "tuple[Tensor, ...]":
    """Return the Tensors of a tuple or list.

    Raises a TypeError for anything else, and the error `none` if it is empty.
    """
    if not isinstance(tensors, tuple | list):
        raise TypeError(f"{name}: expected a tuple or list of Tensors, got {type(tensors).__name__}")
    for t in tensors:
        if not hasattr(t, "array"):
            raise TypeError(f"{name}: expected Tensors, got {type(t).__name__}; make one with tensor(...)")
    if not tensors:
        raise none(f"{name}: expected at least one tensor, got none")
    return tuple(tensors)


def check_floating(name: str, input: "Tensor") -> None:
    """Raise a RuntimeError if the dtype of a Tensor is not floating, and a TypeError for anything but a Tensor."""
    if array_of(name, input).dtype.kind != "f":
        raise RuntimeError(f"{name}: needs a floating dtype, got {input.array.dtype}; convert with .float() first")


def check_dtypes(name: str, *tensors: "Tensor | None") -> None:
    """Raise a RuntimeError if the dtypes of Tensors differ."""
    dtypes = [array_of(name, x).dtype for x in tensors if x is not None]
    if any(dtype is not dtypes[0] and dtype != dtypes[0] for dtype in dtypes):
        raise RuntimeError(f"{name}: dtypes {', '.join(map(str, dtypes))} differ; convert with .to(dtype)")


def check_no_bools(name: str, input: "Tensor") -> None:
    """Raise a RuntimeError for a Tensor of bools, and a TypeError for anything but a Tensor."""
    if array_of(name, input).dtype.kind == "b":
        raise RuntimeError(f"{name}: is not defined for bools; convert with .long() or .float() first")


def axes_of(name: str, input: "Tensor", dim: Dims) -> Axes:
    """Return `dim` as a tuple of dims, none of them negative. None and () mean all dims."""
    ndim = array_of(name, input).ndim
    if type(dim) is int and 0 <= dim < ndim:
        return (dim,)
    dims = [dim] if not isinstance(dim, tuple | list | None) else dim
    if not dims:
        return tuple(range(ndim))
    axes = tuple([axis_of(name, d, ndim) for d in dims])
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"{name}: dim {shown(dim)} names one of the {ndim} dims of {input.array.shape} twice")
    return axes[:ndim]  # a single number accepts dim 0 and -1, but has no axis to reduce


def in_dtype(name: str, input: "Tensor", dtype: DType, integers: DType = None) -> "Tensor":
    """Return the input in a dtype. If none is given, bools and integers become `integers`."""
    own = array_of(name, input).dtype
    return input.to(number_dtype(name, dtype, own if integers is None or own.kind == "f" else integers))


def is_empty_list(dim: Dims) -> bool:
    """Return whether `dim` is () or []."""
    return isinstance(dim, tuple | list) and not dim


def dim_of(name: str, input: "Tensor", dim: Any) -> int:
    """Return `dim`, a dim of `input`, as a number that is not negative."""
    return axis_of(name, dim, array_of(name, input).ndim)


def axis_of(name: str, dim: Any, ndim: int) -> int:
    """Return `dim`, one of `ndim` dims, as a number that is not negative.

    Raises a TypeError if it is not an int, and an IndexError if it is out of range.
    """
    n = ndim or 1
    if type(dim) is int and -n <= dim < n:
        return dim % n
    if not is_int(dim) or isinstance(dim, bool):
        raise TypeError(f"{name}: dim must be an int, not {type(dim).__name__}")
    if not -n <= dim < n:
        raise IndexError(f"{name}: dim {shown(dim)} is out of range for {ndim} dims: expected -{n} to {n - 1}")
    return int(dim) % n


def named(keyword: str) -> Callable[[Function], Function]:
    """Let a function of an input and of sizes or dims accept these as one sequence with a name, too."""

    def decorated(function: Function) -> Function:
        @functools.wraps(function)
        def spelled(*args: Any, **kwargs: Any) -> Any:
            if kwargs:
                args = (*args, kwargs.pop(keyword)) if keyword in kwargs else args
            return function(*args, **kwargs)

        return spelled  # type: ignore[return-value]

    return decorated


def sizes_of(name: str, given: tuple[Any, ...]) -> Shape:
    """Return sizes or dims that are given as separate arguments or as one sequence.

    Raises a TypeError if one of them is not an integer.
    """
    sizes = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
    kinds = {*map(type, sizes)}
    if kinds == {int}:
        return tuple(sizes)
    try:
        if given and kinds.isdisjoint((bool, np.bool)):  # a np.bool is an index to numpy before 2.3
            return tuple([operator.index(size) for size in sizes])
    except TypeError:
        pass
    raise TypeError(f"{name}: expected integers, got {', '.join(map(shown, sizes)) or 'none'}")
