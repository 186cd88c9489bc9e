"""How the public functions read their arguments: Tensors, dims, sizes, and what they refuse, in PyTorch's words."""

import builtins
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minigrad.core.primitive import Axes, Shape

if TYPE_CHECKING:
    from minigrad.core.tensor import Tensor

Dims = int | Sequence[int] | None

Number = builtins.bool | int | float

Result = TypeVar("Result")

Operand = Any  # a Tensor, a number, or a numpy array

MOST_ELEMENTS = 2**48  # beyond that no memory is asked for


def array_of(name: str, x: Any) -> np.ndarray:
    """The array of a Tensor; TypeError for anything else, which has none."""
    try:
        return x.array
    except AttributeError:
        raise TypeError(f"{name}: expected a Tensor, got {type(x).__name__}; make one with tensor(...)") from None


def tensors_of(name: str, tensors: Any, none: type[Exception] = RuntimeError) -> "tuple[Tensor, ...]":
    """The Tensors in a tuple or list; TypeError for anything else, and the error `none` if there are none."""
    if not isinstance(tensors, tuple | list):
        raise TypeError(f"{name}: expected a tuple or list of Tensors, got {type(tensors).__name__}")
    for t in tensors:
        if not hasattr(t, "array"):
            raise TypeError(f"{name}: expected Tensors, got {type(t).__name__}; make one with tensor(...)")
    if not tensors:
        raise none(f"{name}: expected at least one tensor, got none")
    return tuple(tensors)


def check_floating(name: str, input: "Tensor") -> None:
    """Refuse with a RuntimeError a Tensor that does not hold floating numbers, and with a TypeError anything else."""
    if array_of(name, input).dtype.kind != "f":
        raise RuntimeError(f"{name}: needs a floating dtype, got {input.array.dtype}; convert with .float() first")


def check_no_bools(name: str, input: "Tensor") -> None:
    if array_of(name, input).dtype.kind == "b":
        raise RuntimeError(f"{name}: is not defined for bools; convert with .long() or .float() first")


def axes_of(name: str, input: "Tensor", dim: Dims) -> Axes:
    """The dims meant by `dim`, none of them negative; all of them for None and for ()."""
    ndim = array_of(name, input).ndim
    if type(dim) is int and 0 <= dim < ndim:
        return (dim,)
    dims = [dim] if not isinstance(dim, tuple | list | None) else dim
    if not dims:
        return tuple(range(ndim))
    axes = tuple([axis_of(name, d, ndim) for d in dims])
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"{name}: dim {dim} names one of the {ndim} dims of {input.array.shape} twice")
    return axes[:ndim]  # a single number counts as one dim, which is not there to be reduced


def is_empty_list(dim: Dims) -> bool:
    return isinstance(dim, tuple | list) and not dim


def dim_of(name: str, input: "Tensor", dim: Any) -> int:
    """The dim of a Tensor that is meant by `dim`, not negative."""
    return axis_of(name, dim, array_of(name, input).ndim)


def axis_of(name: str, dim: Any, ndim: int) -> int:
    """`dim`, of `ndim` dims, counted from the first. TypeError unless an int, IndexError if there is none such."""
    n = ndim or 1
    if type(dim) is int and -n <= dim < n:
        return dim % n
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool):
        raise TypeError(f"{name}: dim must be an int, not {type(dim).__name__}")
    if not -n <= dim < n:
        raise IndexError(f"{name}: dim {dim} is out of range for {ndim} dims: expected -{n} to {n - 1}")
    return int(dim) % n


def sizes_of(name: str, given: tuple[Any, ...]) -> Shape:
    """Sizes, or dims, given either as arguments or as one sequence. TypeError unless they are integers."""
    sizes = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
    kinds = {*map(type, sizes)}
    if kinds == {int}:
        return tuple(sizes)
    try:
        if given and bool not in kinds:
            return tuple([operator.index(size) for size in sizes])
    except TypeError:
        pass
    raise TypeError(f"{name}: expected integers, got {', '.join(map(repr, sizes)) or 'none'}")


def int_of(name: str, x: Any) -> int:
    """An int of Python's or numpy's; TypeError for anything else."""
    if not isinstance(x, int | np.integer) or isinstance(x, bool):
        raise TypeError(f"{name}: expected an integer, got {x!r}")
    return int(x)


def shown_as_fields(pair: Any) -> str:
    """What PyTorch shows of a pair that a function returns."""
    fields = ",\n".join(f"{name}={value!r}" for name, value in pair._asdict().items())
    return f"torch.return_types.{type(pair).__name__.lower()}(\n{fields})"
