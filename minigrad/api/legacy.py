"""Old names: `FloatTensor` and its neighbours, which PyTorch's older tutorials use."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.checks import shown
from minigrad.core import dtypes
from minigrad.core.tensor import Tensor, wrap


def _maker(name: str, kind: dtypes.dtype) -> Callable[..., Tensor]:
    """Return the function that makes Tensors of one dtype."""

    def make(*data: Any) -> Tensor:
        sizes = all(isinstance(size, int) for size in data)
        same = len(data) == 1 and isinstance(data[0], Tensor) and data[0].dtype == kind
        if not (sizes or same or (len(data) == 1 and isinstance(data[0], list | tuple | np.ndarray))):
            raise TypeError(
                f"{name}: expected a list of numbers, sizes, or a Tensor of {kind.dtype}; got {shown(data)}"
            )
        tensor = Tensor(*data)
        numbers = (
            np.array(data[0]) if len(data) == 1 and isinstance(data[0], list | tuple | np.ndarray) else tensor.array
        )
        if numbers.dtype.kind not in "biuf":
            raise TypeError(f"{name}: expected numbers, got {shown(data)}")
        return wrap(numbers.astype(kind.dtype))

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""Return a {kind.dtype} Tensor of a list of numbers, or of the given sizes (`torch.{name}`)."""
    return make


FloatTensor, DoubleTensor = _maker("FloatTensor", dtypes.float32), _maker("DoubleTensor", dtypes.float64)
HalfTensor, BoolTensor = _maker("HalfTensor", dtypes.float16), _maker("BoolTensor", dtypes.bool_)
LongTensor, IntTensor = _maker("LongTensor", dtypes.int64), _maker("IntTensor", dtypes.int32)
ShortTensor, CharTensor = _maker("ShortTensor", dtypes.int16), _maker("CharTensor", dtypes.int8)
ByteTensor = _maker("ByteTensor", dtypes.uint8)

# PyTorch's name of the class of each dtype's tensors, which `x.type()` returns.
TYPES = {
    dtypes.float32: "FloatTensor",
    dtypes.float64: "DoubleTensor",
    dtypes.float16: "HalfTensor",
    dtypes.bool_: "BoolTensor",
    dtypes.int64: "LongTensor",
    dtypes.int32: "IntTensor",
    dtypes.int16: "ShortTensor",
    dtypes.int8: "CharTensor",
    dtypes.uint8: "ByteTensor",
}
