"""Methods that PyTorch has on Tensor only: conversions, sizes, and the protocols of Python and numpy.

Methods that are public functions too stand beside their functions, in the other modules of `api/`.
"""

import builtins
import copy
import math
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.api.arguments import array_of, axis_of
from minigrad.api.device import CPU, Device
from minigrad.api.legacy import TYPES
from minigrad.api.pointwise import abs
from minigrad.api.printing import format_tensor
from minigrad.api.shapes import permute
from minigrad.checks import flag_of, shown
from minigrad.core.dtypes import DType, get_default_dtype, number_dtype
from minigrad.core.methods import methods
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import owner


class Size(tuple[int, ...]):
    """A shape: a tuple of ints that prints as PyTorch's (`torch.Size`)."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __getitem__(self, i: Any) -> Any:
        return Size(super().__getitem__(i)) if isinstance(i, slice) else super().__getitem__(i)

    def __add__(self, other: Any) -> "Size":
        return Size(super().__add__(other))

    def __repr__(self) -> str:
        return f"torch.Size({[*self]})"


@methods
class Conversions(Tensor):
    """Conversions of dtype, and what a Tensor contains."""

    __slots__ = ()

    def to(
        self,
        *target: Any,
        dtype: DType = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """Convert to a dtype, or to the dtype of another Tensor (`torch.Tensor.to`).

        The result is the Tensor itself if nothing changes, unless `copy` is true. A device is accepted if it is the
        CPU; `non_blocking` has no effect.

        >>> import minigrad
        >>> minigrad.tensor([1, 2]).to(minigrad.float64)
        tensor([1., 2.], dtype=torch.float64)
        """
        for x in (*target, device):
            if isinstance(x, Tensor):
                dtype = x.array.dtype
            elif isinstance(x, Device | str):
                Device(x)
            elif x is not None:
                dtype = x
        flag_of("to", "non_blocking", non_blocking)
        flag_of("to", "copy", copy)
        kind = number_dtype("to", dtype, self.array.dtype)
        return self._converted(kind, copy)

    is_cuda = is_sparse = is_quantized = False

    def pin_memory(self, device: Any = None) -> Tensor:
        """Return the Tensor itself: there is no device to which memory would be copied (`torch.Tensor.pin_memory`)."""
        return self

    def get_device(self) -> builtins.int:
        """Return -1, which means the CPU (`torch.Tensor.get_device`)."""
        return -1

    def cpu(self) -> Tensor:
        """Return the Tensor itself, because it is on the CPU already (`torch.Tensor.cpu`)."""
        return self

    def float(self) -> Tensor:
        """Convert to float32 (`torch.Tensor.float`)."""
        return self.to(np.float32)

    def double(self) -> Tensor:
        """Convert to float64 (`torch.Tensor.double`)."""
        return self.to(np.float64)

    def half(self) -> Tensor:
        """Convert to float16 (`torch.Tensor.half`)."""
        return self.to(np.float16)

    def int(self) -> Tensor:
        """Convert to int32; fractions are rounded towards 0 (`torch.Tensor.int`)."""
        return self.to(np.int32)

    def long(self) -> Tensor:
        """Convert to int64; fractions are rounded towards 0 (`torch.Tensor.long`).

        >>> import minigrad
        >>> minigrad.tensor([1.7, -1.7]).long()
        tensor([ 1, -1])
        """
        return self.to(np.int64)

    def short(self) -> Tensor:
        """Convert to int16 (`torch.Tensor.short`)."""
        return self.to(np.int16)

    def char(self) -> Tensor:
        """Convert to int8 (`torch.Tensor.char`)."""
        return self.to(np.int8)

    def byte(self) -> Tensor:
        """Convert to uint8 (`torch.Tensor.byte`)."""
        return self.to(np.uint8)

    def bool(self) -> Tensor:
        """Convert to bools: False for 0, True for all other numbers (`torch.Tensor.bool`)."""
        return self.to(np.bool_)

    def type(self, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
        """Return PyTorch's name for the class of such tensors, or convert to a dtype (`torch.Tensor.type`).

        The dtype may be given by such a name, too.

        >>> import minigrad
        >>> minigrad.tensor([1, 2]).type(), minigrad.tensor([1.7]).type(minigrad.LongTensor)
        ('torch.LongTensor', tensor([1]))
        """
        if dtype is None:
            return f"torch.{TYPES[self.dtype]}"
        if isinstance(dtype, Tensor):
            raise TypeError("type: expected a dtype or the name of one, got a Tensor; use type_as")
        name = dtype if isinstance(dtype, str) else getattr(dtype, "__name__", "")
        named = [kind for kind, known in TYPES.items() if known == name.removeprefix("torch.")]
        return self.to(named[0] if named else dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """Convert to the dtype of another Tensor (`torch.Tensor.type_as`)."""
        return self.to(array_of("type_as", other).dtype)

    @property
    def device(self) -> Device:
        """The device of the Tensor: the CPU (`torch.Tensor.device`)."""
        return CPU

    def size(self, dim: builtins.int | None = None) -> Any:
        """Return the shape, or the size of one dim (`torch.Tensor.size`).

        >>> import minigrad
        >>> minigrad.ones(2, 3).size(1)
        3
        """
        if dim is not None and not self.ndim:
            raise IndexError("size: a single number (a 0-d tensor) has no dims")
        return self.shape if dim is None else self.shape[axis_of("size", dim, self.ndim)]

    def ndimension(self) -> builtins.int:
        """Return the number of dims (`torch.Tensor.ndimension`)."""
        return self.array.ndim

    def dim(self) -> builtins.int:
        """Return the number of dims (`torch.Tensor.dim`)."""
        return self.array.ndim

    def nelement(self) -> builtins.int:
        """Return the number of elements (`torch.Tensor.nelement`)."""
        return self.array.size

    def item(self) -> Any:
        """Return the only element as a Python number (`torch.Tensor.item`).

        Raises a RuntimeError if the Tensor does not have exactly one element.

        >>> import minigrad
        >>> minigrad.tensor([2.5]).item()
        2.5
        """
        if self.array.size != 1:
            raise RuntimeError(f"item: {self.array.shape} holds {self.array.size} numbers, not one; use .tolist()")
        return self.array.item()

    def numpy(self) -> np.ndarray:
        """Return the array, which shares its memory with the Tensor (`torch.Tensor.numpy`).

        Raises a RuntimeError if the Tensor requires a gradient.
        """
        if self.requires_grad:
            raise RuntimeError("numpy: this Tensor requires a gradient, which numpy would lose; use .detach().numpy()")
        if type(self.array) is not np.ndarray and hasattr(self.array, "given_away"):
            self.array.given_away("numpy")  # while `compile` follows what is computed of it
        return self.array

    @property
    def data(self) -> "Tensor":
        """A constant that shares the memory of this Tensor and has no version counter (`torch.Tensor.data`).

        The backward pass does not notice in-place changes that are made through `data`, even if it needs the old
        values.
        """
        alias = Data.__new__(Data)
        alias.array, alias.stored_node, alias.base = self.array, None, None
        return alias

    @data.setter
    def data(self, new: "Tensor") -> None:
        if not isinstance(new, Tensor):
            raise TypeError(f"data: expected a Tensor, got {type(new).__name__}; make one with tensor(...)")
        if new.array is self.array:
            return
        self.array = new.array
        if self.node is not None:
            self.node.shape, self.node.dtype, self.node.value = new.array.shape, new.array.dtype, new.array
            self.node.strides = new.array.strides

    @property
    def name(self) -> str | None:
        """The name of the Tensor in pictures and messages."""
        return None if self.node is None else self.node.user_name

    @name.setter
    def name(self, name: str | None) -> None:
        self._leaf().user_name = name

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self.array.shape)

    def detach_(self) -> "Tensor":
        """Cut this Tensor off from the graph, in place (`torch.Tensor.detach_`). Raises a RuntimeError for a view."""
        if self.base is not None:
            raise RuntimeError("detach_: a view cannot be cut off in place; use .detach()")
        self.node = None
        return self

    def detach(self) -> "Tensor":
        """A constant that shares the memory (`torch.Tensor.detach`)."""
        return wrap(self.array)

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers (`torch.Tensor.tolist`).

        >>> import minigrad
        >>> minigrad.tensor([[1, 2], [3, 4]]).tolist()
        [[1, 2], [3, 4]]
        """
        return self.array.tolist()

    @property
    def T(self) -> Tensor:
        """The transpose, with all dims in reverse order (`torch.Tensor.T`).

        >>> import minigrad
        >>> minigrad.tensor([[1, 2], [3, 4]]).T
        tensor([[1, 3],
                [2, 4]])
        """
        return permute(self, tuple(reversed(range(self.ndim))))


@methods
class Protocols(Tensor):
    """The special methods that Python and numpy call."""

    __slots__ = ()

    def __init__(self, *data: Any) -> None:
        sizes = all(isinstance(size, int) for size in data)
        try:
            self.array = np.zeros(data or 0, np.float32) if sizes else np.array(data[0], dtype=np.float32)
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            kind = RuntimeError if sizes else TypeError
            raise kind(f"Tensor: expected numbers or sizes, got {shown(data)}: {error}") from None
        self.stored_node, self.base = None, None

    def __abs__(self) -> Tensor:
        return abs(self)

    def __bool__(self) -> builtins.bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"bool: {self.array.shape} holds {self.array.size} truth values, not one; use .any() or .all()"
            )
        return bool(self.array.item())

    def __float__(self) -> builtins.float:
        return float(_single(self, "float"))

    def __int__(self) -> builtins.int:
        return int(_single(self, "int"))

    def __index__(self) -> builtins.int:
        if self.array.size != 1 or self.array.dtype.kind == "f":
            raise TypeError(
                f"index: only a single integer can be an index, not {self.array.dtype} of shape {self.array.shape}"
            )
        return int(self.array.item())

    def __len__(self) -> builtins.int:
        if not self.ndim:
            raise TypeError("len: a single number (a 0-d tensor) has no length")
        return len(self.array)

    def __contains__(self, element: Any) -> builtins.bool:
        if not isinstance(element, self.partners):
            raise RuntimeError(f"in: a tensor holds numbers, not {type(element).__name__}")
        return bool((self == element).array.any())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if not self.ndim else object.__format__(self, spec)

    def __repr__(self) -> str:
        made = [f"grad_fn={self.grad_fn}"] if self.grad_fn else ["requires_grad=True"] * self.requires_grad
        return format_tensor(self.array, made, get_default_dtype())

    __getattr__ = missing.of_class("torch.Tensor", missing.METHODS, "minigrad.Tensor")

    def __reduce__(self) -> Any:
        kind = Tensor if isinstance(self, Data) else type(self)
        return _rebuilt, (kind, self.array, self.requires_grad, self.name)  # the copy is a leaf without a gradient

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        if self.grad_fn:
            raise RuntimeError(
                f"deepcopy: this is a result of {self.grad_fn.operation}, not a leaf; copy .detach() instead"
            )
        rebuild, (kind, array, *rest) = self.__reduce__()
        memo[id(self)] = twin = rebuild(kind, _copy_of_view(array, memo), *rest)
        if self.node is not None and self.node.grad is not None:
            twin.grad = copy.deepcopy(self.node.grad, memo)
        return twin

    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Apply the Tensor method of a numpy function: `np.exp(t)` is `t.exp()`, and `array * t` is recorded."""
        call = getattr(Tensor, NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__), None)
        if call is None or method != "__call__" or kwargs:
            raise TypeError(f"numpy.{ufunc.__name__} is not defined for Tensors; use .detach().numpy() for its array")
        return call(*(wrap(x) if isinstance(x, np.ndarray) else x for x in inputs))


class Data(Tensor):
    """The class of `Tensor.data`."""

    __slots__ = ()

    @property
    def counts_versions(self) -> bool:  # type: ignore[override]
        """Whether in-place changes are counted: only after it has become a leaf that requires a gradient."""
        return self.stored_node is not None and self.stored_node.requires_grad


# PyTorch's names for numpy's functions, where they differ.
NUMPY_NAMES = {
    "absolute": "abs",
    "divide": "div",
    "equal": "__eq__",
    "greater": "__gt__",
    "greater_equal": "__ge__",
    "less": "__lt__",
    "less_equal": "__le__",
    "multiply": "mul",
    "not_equal": "__ne__",
    "power": "pow",
    "subtract": "sub",
    "arctan": "atan",
    "arctan2": "atan2",
    "invert": "bitwise_not",
    "rint": "round",
}


def _copy_of_view(array: np.ndarray, memo: dict[int, Any]) -> np.ndarray:
    """Return a view of a copy of the memory of `array`: deep copies of Tensors that share memory share it too."""
    memory = owner(array)
    copied = copy.deepcopy(memory, memo)
    if array is memory:
        return copied
    start = array.__array_interface__["data"][0] - memory.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, copied.ravel("K").data, start, array.strides)


def _single(x: Tensor, name: str) -> Any:
    """Return the only element as a Python number. Raises a ValueError if there is not exactly one."""
    if x.array.size != 1:
        raise ValueError(f"{name}: a tensor of shape {x.array.shape} holds {x.array.size} numbers, not one")
    return x.array.item()


def _rebuilt(kind: type[Tensor], array: np.ndarray, requires_grad: bool, name: str | None) -> Tensor:
    """Return the leaf that pickle or deepcopy makes."""
    tensor = kind.__new__(kind)
    tensor.array, tensor.stored_node, tensor.base = array, None, None
    if requires_grad or name is not None:
        tensor.node = Node(array)
        tensor.node.requires_grad, tensor.node.user_name = requires_grad, name
    return tensor
