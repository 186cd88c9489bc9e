"""What PyTorch has as methods of Tensor alone: conversions, sizes, and the protocols of Python and numpy."""

import builtins
import copy
import math
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.api.arguments import axis_of
from minigrad.api.device import CPU, Device
from minigrad.api.pointwise import abs
from minigrad.api.printing import format_tensor
from minigrad.api.shapes import permute
from minigrad.core.dtypes import DType, get_default_dtype, number_dtype
from minigrad.core.methods import methods
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor, wrap


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
    """The elements in another dtype, and what a Tensor holds."""

    __slots__ = ()

    def to(
        self,
        *target: Any,
        dtype: DType = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """With its elements converted to a dtype, or to that of another Tensor; itself if they have it already.

        A device is taken too, and must be the CPU; `non_blocking` means nothing there. With `copy` it is never itself.
        """
        for x in (*target, device):
            if isinstance(x, Tensor):
                dtype = x.array.dtype
            elif isinstance(x, Device | str):
                Device(x)
            elif x is not None:
                dtype = x
        kind = number_dtype("to", dtype, self.array.dtype)
        return self._converted(kind, copy)

    def cpu(self) -> Tensor:
        """The Tensor itself."""
        return self

    def float(self) -> Tensor:
        """As float32."""
        return self.to(np.float32)

    def double(self) -> Tensor:
        """As float64."""
        return self.to(np.float64)

    def int(self) -> Tensor:
        """As int32, rounded towards 0."""
        return self.to(np.int32)

    def long(self) -> Tensor:
        """As int64, rounded towards 0."""
        return self.to(np.int64)

    def bool(self) -> Tensor:
        """As bools: whether each element is not 0."""
        return self.to(np.bool_)

    @property
    def device(self) -> Device:
        """Where it is: the CPU."""
        return CPU

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or one of its sizes (`torch.Tensor.size`)."""
        return self.shape if dim is None else self.shape[axis_of("size", dim, self.ndim)]

    def dim(self) -> builtins.int:
        """The number of dims."""
        return self.array.ndim

    def nelement(self) -> builtins.int:
        """The number of elements."""
        return self.array.size

    numel = nelement

    def item(self) -> Any:
        """The only element, as a Python number; RuntimeError if there are more or none."""
        if self.array.size != 1:
            raise RuntimeError(f"item: {self.array.shape} holds {self.array.size} numbers, not one; use .tolist()")
        return self.array.item()

    def numpy(self) -> np.ndarray:
        """The array itself, sharing its memory. RuntimeError if the Tensor requires a gradient."""
        if self.requires_grad:
            raise RuntimeError("numpy: this Tensor requires a gradient, which numpy would lose; use .detach().numpy()")
        return self.array

    @property
    def data(self) -> "Tensor":
        """A constant that shares the memory and has no version counter (`torch.Tensor.data`).

        A backward pass does not notice what is changed in place here, even if it needs the values from before.
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

    @property
    def name(self) -> str | None:
        """What to call it in pictures and messages."""
        return None if self.node is None else self.node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self._leaf().name = name

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self.array.shape)

    def detach(self) -> "Tensor":
        """A constant that shares the memory (`torch.Tensor.detach`)."""
        return wrap(self.array)

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.array.tolist()

    @property
    def T(self) -> Tensor:
        """The transpose: all dims in reverse order."""
        return permute(self, tuple(reversed(range(self.ndim))))


@methods
class Protocols(Tensor):
    """What Python and numpy ask of a Tensor."""

    __slots__ = ()

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
                f"only a single integer can be an index, not {self.array.dtype} of shape {self.array.shape}"
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

    def __getattr__(self, name: str) -> Any:
        raise missing.explain("minigrad.Tensor", name, missing.METHODS)

    def __reduce__(self) -> Any:
        kind = Tensor if isinstance(self, Data) else type(self)
        return _rebuilt, (kind, self.array, self.requires_grad, self.name)  # a leaf, without its gradient

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> Tensor:
        if self.grad_fn:
            raise RuntimeError(
                f"deepcopy: this is a result of {self.grad_fn.operation}, not a leaf; copy .detach() instead"
            )
        rebuild, (kind, array, *rest) = self.__reduce__()
        memo[id(self)] = twin = rebuild(kind, array.copy(), *rest)
        if self.node is not None and self.node.grad is not None:
            twin.grad = copy.deepcopy(self.node.grad, memo)
        return twin

    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """What numpy's functions do with a Tensor: `np.exp(t)` is `t.exp()`, and `array * t` is recorded."""
        call = getattr(Tensor, NUMPY_NAMES.get(ufunc.__name__, ufunc.__name__), None)
        if call is None or method != "__call__" or kwargs:
            raise TypeError(f"numpy.{ufunc.__name__} is not defined for Tensors; use .detach().numpy() for its array")
        return call(*(wrap(x) if isinstance(x, np.ndarray) else x for x in inputs))


class Data(Tensor):
    """What `.data` of a Tensor is."""

    __slots__ = ()

    @property
    def counts_versions(self) -> bool:  # type: ignore[override]
        """Only after it has become a leaf that requires a gradient."""
        return self.stored_node is not None and self.stored_node.requires_grad


# What numpy calls by another name than PyTorch.
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
}


def _single(x: Tensor, name: str) -> Any:
    if x.array.size != 1:
        raise ValueError(f"{name}: a tensor of shape {x.array.shape} holds {x.array.size} numbers, not one")
    return x.array.item()


def _rebuilt(kind: type[Tensor], array: np.ndarray, requires_grad: bool, name: str | None) -> Tensor:
    tensor = kind.__new__(kind)
    tensor.array, tensor.stored_node, tensor.base = array, None, None
    if requires_grad or name is not None:
        tensor.node = Node(array)
        tensor.node.requires_grad, tensor.node.name = requires_grad, name
    return tensor
