"""Dtypes: PyTorch's names for numpy's dtypes, the default dtype, and the result dtype of mixed operands."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

DType = Any  # a dtype of this file or of numpy, or a type such as float; as an argument, None means the default


class dtype:
    """A numpy dtype under PyTorch's name (`torch.dtype`). numpy accepts it as a dtype, and it equals numpy's dtype."""

    __slots__ = ("dtype",)

    def __init__(self, kind: "DTypeLike") -> None:
        try:
            self.dtype = np.dtype(kind)
        except (TypeError, ValueError) as error:
            raise TypeError(f"dtype: {error}") from None

    @property
    def itemsize(self) -> int:
        """The size of one number, in bytes."""
        return self.dtype.itemsize

    @property
    def is_floating_point(self) -> bool:
        """Whether its numbers are floating-point numbers. Only these can have gradients."""
        return self.dtype.kind == "f"

    def __eq__(self, other: object) -> bool:
        return other is not None and not isinstance(other, str) and self.dtype == other

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __repr__(self) -> str:
        return f"torch.{self.dtype.name}"

    def __reduce__(self) -> Any:
        return _known, (self.dtype,)


float16, float32, float64 = dtype(np.float16), dtype(np.float32), dtype(np.float64)
uint8, int8, int16, int32, int64 = (dtype(kind) for kind in (np.uint8, np.int8, np.int16, np.int32, np.int64))
bool_ = dtype(np.bool_)
BY_NUMPY = {kind.dtype: kind for kind in (float16, float32, float64, uint8, int8, int16, int32, int64, bool_)}

_CATEGORIES = {"b": 0, "u": 1, "i": 1, "f": 2}
_default = float32


def _known(kind: np.dtype[Any]) -> dtype:
    return BY_NUMPY[kind]


def number_dtype(name: str, given: DType, default: DType = None) -> np.dtype[Any]:
    """The numpy dtype of the argument `given`, or of `default` for None. TypeError if it is no dtype of this file."""
    given = default if given is None else given
    kind = np.dtype(given) if isinstance(given, dtype | np.dtype | type) else None
    if kind not in BY_NUMPY:
        what = given if isinstance(given, str | np.dtype | type) else type(given).__name__
        raise TypeError(f"{name}: expected a dtype such as float32 or int64, got {what!r}")
    return kind


def get_default_dtype() -> dtype:
    """The dtype that Python floats get (`torch.get_default_dtype`): float32, unless it was set."""
    return _default


def set_default_dtype(d: DType) -> None:
    """Set the dtype that Python floats get (`torch.set_default_dtype`). TypeError if it is not a floating dtype."""
    global _default
    chosen = number_dtype("set_default_dtype", d)
    if chosen.kind != "f":
        raise TypeError(f"set_default_dtype: {chosen} is not a floating dtype; use float32 or float64")
    _default = BY_NUMPY[chosen]


def result_dtype(operands: Iterable[Any]) -> np.dtype[Any]:
    """The dtype of the result of an operation on arrays and numbers (`torch.result_type`).

    The operands of the highest category (bool, integer, floating) decide. Among these, arrays outrank 0-d arrays, and
    0-d arrays outrank Python numbers.
    """
    ranks: tuple[list[np.dtype[Any]], ...] = ([], [], [])
    for x in operands:
        if isinstance(x, np.ndarray):
            ranks[0 if x.ndim else 1].append(x.dtype)
        else:
            known = bool_ if isinstance(x, bool | np.bool_) else int64 if isinstance(x, int | np.integer) else _default
            ranks[2].append(known.dtype)
    result: np.dtype[Any] | None = None
    for found in filter(None, ranks):
        highest = max(category(kind) for kind in found)
        if result is None or highest > category(result):
            result = np.result_type(*(kind for kind in found if category(kind) == highest))
    assert result is not None
    return result


def category(kind: np.dtype[Any]) -> int:
    """The category of a dtype: 0 for bool, 1 for integers, 2 for floating dtypes. TypeError for any other dtype."""
    if kind not in BY_NUMPY:
        raise TypeError(f"numbers of dtype {kind} are not supported; convert them to float64, int64 or the like")
    return _CATEGORIES[kind.kind]
