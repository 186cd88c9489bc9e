"""Which dtype numbers have: PyTorch's names, its default, and its rule for mixed operands, on numpy's dtypes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

DType = Any  # one of the dtypes below, or what numpy takes for one; None for the default of the function it is given to


class dtype:
    """A kind of number, by PyTorch's name (`torch.dtype`). numpy takes it for its own, and it equals numpy's."""

    __slots__ = ("dtype",)

    def __init__(self, kind: "DTypeLike") -> None:
        self.dtype = np.dtype(kind)

    @property
    def itemsize(self) -> int:
        """The bytes of one number."""
        return self.dtype.itemsize

    @property
    def is_floating_point(self) -> bool:
        """Whether it is a kind of floating-point number, which can have a gradient."""
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
    """numpy's for what stands for a dtype, or for a default; TypeError unless it is one of those above."""
    given = default if given is None else given
    kind = np.dtype(given) if isinstance(given, dtype | np.dtype | type) else None
    if kind not in BY_NUMPY:
        raise TypeError(f"{name}: expected a dtype such as float32 or int64, got {given!r}")
    return kind


def get_default_dtype() -> dtype:
    """The dtype that Python floats become (`torch.get_default_dtype`); float32 unless it was set."""
    return _default


def set_default_dtype(d: DType) -> None:
    """Let Python floats become a floating dtype (`torch.set_default_dtype`); TypeError for another one."""
    global _default
    chosen = number_dtype("set_default_dtype", d)
    if chosen.kind != "f":
        raise TypeError(f"set_default_dtype: {chosen} is not a floating dtype; use float32 or float64")
    _default = BY_NUMPY[chosen]


def result_dtype(operands: Iterable[Any]) -> np.dtype[Any]:
    """The dtype of an operation on arrays and single numbers (`torch.result_type`); TypeError for anything else.

    The highest category (bool, int, float) decides; within it arrays outrank 0-d arrays, and those outrank numbers.
    """
    ranks: tuple[list[np.dtype[Any]], ...] = ([], [], [])
    for x in operands:
        if isinstance(x, np.ndarray):
            ranks[0 if x.ndim else 1].append(x.dtype)
        elif isinstance(number := x.item() if isinstance(x, np.generic) else x, int | float):
            known = bool_ if isinstance(number, bool) else int64 if isinstance(number, int) else _default
            ranks[2].append(known.dtype)
        else:
            raise TypeError(f"expected Tensors or numbers, got {type(x).__name__}; make a Tensor with tensor(...)")
    result: np.dtype[Any] | None = None
    for found in filter(None, ranks):
        highest = max(category(kind) for kind in found)
        if result is None or highest > category(result):
            result = np.result_type(*(kind for kind in found if category(kind) == highest))
    assert result is not None
    return result


def category(kind: np.dtype[Any]) -> int:
    """0 for bools, 1 for integers, 2 for floating numbers; TypeError for anything else."""
    if kind.kind not in _CATEGORIES:
        raise TypeError(f"numbers of dtype {kind} are not supported; use a bool, integer or floating dtype")
    return _CATEGORIES[kind.kind]
