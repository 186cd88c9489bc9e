"""Tensor: PyTorch's face over the table. It holds an array, and the node that says how the array came about."""

import builtins
import copy
import math
import operator
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self

import numpy as np

from minigrad import functions, missing, ops
from minigrad.device import CPU, Device
from minigrad.dtypes import BY_NUMPY, DType, get_default_dtype, number_dtype
from minigrad.graph import Node
from minigrad.indexing import assign, index
from minigrad.inplace import Origin, become, changed, is_recorded, refresh, version
from minigrad.modes import local
from minigrad.operators import Arithmetic
from minigrad.printing import format_tensor
from minigrad.random import Generator, source_of
from minigrad.rows import Row


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


def wrap(array: np.ndarray, node: Node | None = None) -> "Tensor":
    """The Tensor of an array, which is not copied, and of the node that it came from."""
    tensor = Tensor.__new__(Tensor)
    tensor.array, tensor.own_node, tensor.origin = array, node, None
    return tensor


def _comparison(compare: np.ufunc) -> Callable[["Tensor", Any], Any]:
    def method(self: "Tensor", other: Any) -> Any:
        if not isinstance(other, self.partners):
            return NotImplemented
        array = other.array if isinstance(other, Tensor) else other
        try:
            return wrap(np.asarray(compare(self.array, array)))
        except ValueError as error:
            raise recording.explained(compare.__name__, [self.array, array], error) from None

    return method


class Tensor(Arithmetic):
    """An n-dimensional array of numbers that records what is computed from it (`torch.Tensor`).

    `Tensor([...])` holds float32 and `Tensor(2, 3)` zeros of that shape; `tensor(...)` and its neighbours in
    `creation.py` make every other kind. `array` is the numpy array itself, `node` its place in the graph, and `origin`
    says of which Tensor it is a view.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "array", "origin", "own_node")
    partners: ClassVar[tuple[type, ...]] = (*Arithmetic.partners, np.ndarray)

    array: np.ndarray
    origin: Origin | None
    own_node: Node | None
    tracked = True  # whether changes in place are noted, for backward passes that need what was there before

    def __init__(self, *data: Any) -> None:
        sizes = all(isinstance(size, int) for size in data)
        self.array = np.zeros(data or 0, np.float32) if sizes else np.array(data[0], dtype=np.float32)
        self.own_node, self.origin = None, None

    wrap = staticmethod(wrap)
    recorder = staticmethod(operator.attrgetter("on_tensors"))

    @property
    def node(self) -> Node | None:
        """Its place in the graph; None for a constant that has neither a gradient nor a name."""
        if self.origin is not None:
            refresh(self)
        return self.own_node

    @node.setter
    def node(self, node: Node | None) -> None:
        self.own_node = node

    # What it holds

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self.array.shape)

    @property
    def dtype(self) -> DType:
        """The kind of number that it holds."""
        return BY_NUMPY[self.array.dtype]

    @property
    def device(self) -> Device:
        """Where it is: the CPU."""
        return CPU

    @property
    def ndim(self) -> builtins.int:
        """The number of dims."""
        return self.array.ndim

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or one of its sizes (`torch.Tensor.size`)."""
        return self.shape if dim is None else self.shape[functions.axis_of("size", dim, self.ndim)]

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

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.array.tolist()

    def numpy(self) -> np.ndarray:
        """The array itself, sharing its memory. RuntimeError if the Tensor requires a gradient."""
        if self.requires_grad:
            raise RuntimeError("numpy: this Tensor requires a gradient, which numpy would lose; use .detach().numpy()")
        return self.array

    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    @property
    def data(self) -> "Tensor":
        """The same memory as a constant, of which no account is kept (`torch.Tensor.data`).

        What is changed in place here, a backward pass does not notice, even if it needs what was there before.
        """
        alias = Data.__new__(Data)
        alias.array, alias.own_node, alias.origin = self.array, None, None
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

    def detach(self) -> "Tensor":
        """The same memory as a constant, cut off from the graph."""
        return wrap(self.array)

    def to(
        self,
        *target: Any,
        dtype: DType = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> "Tensor":
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
        if kind == self.array.dtype and not copy:
            return self
        return ops.cast.on_tensors(self, kind) if kind.kind == "f" else wrap(self.array.astype(kind))

    def cpu(self) -> "Tensor":
        """The Tensor itself."""
        return self

    # Its place in the graph

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether what is computed from it is recorded; it can be set on a leaf of floating dtype."""
        node = self.node
        return node is not None and node.requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: builtins.bool) -> None:
        if not self.is_leaf:
            raise RuntimeError("requires_grad: only a leaf can change it; use .detach() to cut off a result")
        if wanted and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"requires_grad: needs a floating dtype, got {self.array.dtype}; convert with .float() first"
            )
        if wanted or self.node is not None:
            self._leaf().requires_grad = bool(wanted)

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self:
        """Set `requires_grad`, and return the Tensor itself."""
        if not requires_grad or self.is_leaf:
            self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether no recorded operation made it."""
        return self.node is None or self.node.plan is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made it; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def name(self) -> str | None:
        """What to call it in pictures and messages."""
        return None if self.node is None else self.node.name

    @name.setter
    def name(self, name: str | None) -> None:
        self._leaf().name = name

    @property
    def grad(self) -> "Tensor | None":
        """The gradient that backward passes have added up: of a leaf, or of a Tensor that was told to `retain_grad`."""
        node = self.own_node if self.origin is None else self.node
        if node is None:
            return None
        if node.grad is None and not node.retains:
            warnings.warn(
                f"grad: this Tensor is a result of {node.operation}, not a leaf, and a backward pass lets the "
                "gradients of results go; call .retain_grad() on it before backward()",
                stacklevel=2,
            )
        return node.grad

    @grad.setter
    def grad(self, grad: "Tensor | None") -> None:
        if grad is None:
            node = self.node
            if node is not None:
                node.grad = None
            return
        if not isinstance(grad, Tensor):
            raise TypeError(f"grad: expected a Tensor or None, got {type(grad).__name__}")
        if grad.shape != self.shape or grad.dtype != self.dtype:
            raise RuntimeError(
                f"grad: a gradient of shape {grad.array.shape} and dtype {grad.array.dtype} is not for a Tensor of "
                f"shape {self.array.shape} and dtype {self.array.dtype}"
            )
        self._leaf().grad = grad

    def retain_grad(self) -> None:
        """Keep this result's gradient in `.grad` at the next backward pass; a leaf keeps it anyway."""
        node = self.own_node if self.origin is None else self.node
        if node is None or not node.requires_grad:
            raise RuntimeError("retain_grad: this Tensor does not require a gradient, so it will get none")
        node.retains = True

    def backward(
        self,
        gradient: Any = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Add to `.grad` of every leaf that this was computed from its gradient (`torch.Tensor.backward`).

        `gradient`, of this Tensor's shape, is the gradient that arrives here; it may be left out for a single number,
        where it is 1. For the rest, see `gradients.backward`.
        """
        gradients.backward(self, gradient, retain_graph, create_graph, inputs)

    @property
    def _version(self) -> builtins.int:
        """How often its memory has been changed in place."""
        return version(self.array) if self.tracked else 0

    def _leaf(self) -> Node:
        """The node; a constant gets one now, to hold a name or a gradient."""
        if self.node is None:
            self.node = Node(self.array)
            self.node.requires_grad = False
        return self.node

    # Operators

    __eq__ = _comparison(np.equal)
    __ne__ = _comparison(np.not_equal)
    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __hash__ = object.__hash__

    def __matmul__(self, other: Any) -> Any:
        other = wrap(other) if isinstance(other, np.ndarray) else other
        return functions.matmul(self, other) if isinstance(other, Tensor) else NotImplemented

    def __abs__(self) -> "Tensor":
        return functions.abs(self)

    def __getitem__(self, key: Any) -> "Tensor":
        return index(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        assign(self, key, value)

    def _replaced(self, row: Row, in_place: Callable[[Any, Any], Any], other: Any) -> Any:
        if not isinstance(other, self.partners):
            return NotImplemented
        array = other.array if isinstance(other, Tensor) else other
        recorded = is_recorded(self, other)
        if recorded or local.mode.watch is not None or not _takes(self.array, array):
            # A rule may need the elements that are there now.
            before = wrap(self.array.copy(), self.node) if recorded else self
            become(self, row.on_tensors(before, other), f"{row.name}_")
        else:
            in_place(self.array, array)
            if self.tracked:
                changed(f"{row.name}_", self.array)
        return self

    def __iadd__(self, other: Any) -> Self:
        return self._replaced(ops.add, operator.iadd, other)

    def __isub__(self, other: Any) -> Self:
        return self._replaced(ops.sub, operator.isub, other)

    def __imul__(self, other: Any) -> Self:
        return self._replaced(ops.mul, operator.imul, other)

    def __itruediv__(self, other: Any) -> Self:
        return self._replaced(ops.div, operator.itruediv, other)

    def __ipow__(self, other: Any) -> Self:
        return self._replaced(ops.pow, operator.ipow, other)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """What numpy's functions do with a Tensor: `np.exp(t)` is `t.exp()`, and `array * t` is recorded."""
        call = _UFUNCS.get(ufunc)
        if call is None or method != "__call__" or kwargs:
            raise TypeError(f"numpy.{ufunc.__name__} is not defined for Tensors; use .detach().numpy() for its array")
        return call(*(wrap(x) if isinstance(x, np.ndarray) else x for x in inputs))

    def __bool__(self) -> builtins.bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"bool: {self.array.shape} holds {self.array.size} truth values, not one; use .any() or .all()"
            )
        return bool(self.array.item())

    def __float__(self) -> builtins.float:
        return float(self._single("float"))

    def __int__(self) -> builtins.int:
        return int(self._single("int"))

    def _single(self, name: str) -> Any:
        if self.array.size != 1:
            raise ValueError(f"{name}: a tensor of shape {self.array.shape} holds {self.array.size} numbers, not one")
        return self.array.item()

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

    def __iter__(self) -> Iterator["Tensor"]:
        if not self.ndim:
            raise TypeError("iteration over a single number (a 0-d tensor)")
        return iter(functions.unbind(self))

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

    def __deepcopy__(self, memo: dict[builtins.int, Any]) -> "Tensor":
        if self.grad_fn:
            raise RuntimeError(
                f"deepcopy: this is a result of {self.grad_fn.operation}, not a leaf; copy .detach() instead"
            )
        rebuild, (kind, array, *rest) = self.__reduce__()
        memo[id(self)] = twin = rebuild(kind, array.copy(), *rest)
        if self.node is not None and self.node.grad is not None:
            twin.grad = copy.deepcopy(self.node.grad, memo)
        return twin

    # In place

    def add_(self, other: Any, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times `other`."""
        functions.check_operand("add_", other)
        functions.check_operand("add_", alpha)
        become(self, self + (other if alpha == 1 else alpha * other), "add_")
        return self

    def mul_(self, other: Any) -> Self:
        """Multiply by `other`."""
        functions.check_operand("mul_", other)
        return self._replaced(ops.mul, operator.imul, other)

    def copy_(self, other: "Tensor") -> Self:
        """Take the elements of `other`, broadcast and converted. RuntimeError if it has more dims."""
        if isinstance(other, Tensor) and other.ndim > self.ndim:
            raise RuntimeError(f"copy_: {other.array.shape} has more dims than {self.array.shape}; index or squeeze it")
        return self._filled(other, "copy_")

    def fill_(self, value: Any) -> Self:
        """Take one number everywhere."""
        return self._filled(value, "fill_")

    def zero_(self) -> Self:
        """Become zeros."""
        return self._filled(0, "zero_")

    def normal_(self, mean: builtins.float = 0, std: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Draw normal numbers of a mean and a standard deviation."""
        source = source_of("normal_", generator)
        return self._filled(source.normal(self.array.shape, self.array.dtype, mean, std), "normal_")

    def uniform_(
        self, from_: builtins.float = 0, to: builtins.float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Draw numbers uniform between two."""
        source = source_of("uniform_", generator)
        return self._filled(source.uniform(self.array.shape, self.array.dtype, from_, to), "uniform_")

    def index_add_(self, dim: builtins.int, index: "Tensor", source: "Tensor", *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times the slices of `source` along `dim` at the places that `index` lists, repeated or not."""
        if not self.ndim:
            raise RuntimeError("index_add_: a single number has no places to add to; use +=")
        axis = functions.axis_of("index_add_", dim, self.ndim)
        for x in (index, source):
            functions.array_of("index_add_", x)
        if index.array.dtype.kind not in "iu" or source.array.dtype != self.array.dtype:
            raise RuntimeError(
                f"index_add_: an index of {index.array.dtype} and a source of {source.array.dtype}; expected integers "
                f"and {self.array.dtype}"
            )
        if index.array.size and not 0 <= index.array.min() <= index.array.max() < self.array.shape[axis]:
            raise RuntimeError(f"index_add_: an index is out of range for the size {self.array.shape[axis]}")
        key: Any = (*[slice(None)] * axis, index.array)
        if source.array.shape != self.array[key].shape:
            raise RuntimeError(
                f"index_add_: a source of shape {source.array.shape} for places of {self.array[key].shape}"
            )
        return self.add_(ops.put.on_tensors(source, key, self.array.shape), alpha=alpha)

    def _filled(self, value: Any, name: str) -> Self:
        functions.check_operand(name, value)
        become(self, ops.assign.on_tensors(self, value, (...,)), name)
        return self

    # The functions are methods too

    add, sub, mul, div, pow, neg, eq = (
        functions.add,
        functions.sub,
        functions.mul,
        functions.div,
        functions.pow,
        functions.neg,
        functions.eq,
    )
    matmul, dot = functions.matmul, functions.dot
    exp, log, log10, sqrt, square = functions.exp, functions.log, functions.log10, functions.sqrt, functions.square
    abs, clamp, clamp_min = functions.abs, functions.clamp, functions.clamp_min
    tanh, sigmoid, relu = functions.tanh, functions.sigmoid, functions.relu
    softmax, log_softmax, logsumexp = functions.softmax, functions.log_softmax, functions.logsumexp
    sum, mean, var, std, cumsum = functions.sum, functions.mean, functions.var, functions.std, functions.cumsum
    max, min, argmax, argmin = functions.max, functions.min, functions.argmax, functions.argmin
    all, any, allclose, histogram = functions.all, functions.any, functions.allclose, functions.histogram
    view, view_as, reshape, flatten = functions.view, functions.view_as, functions.reshape, functions.flatten
    permute, transpose, t, squeeze = functions.permute, functions.transpose, functions.t, functions.squeeze
    unsqueeze, expand, repeat = functions.unsqueeze, functions.expand, functions.repeat
    repeat_interleave, split, unbind = functions.repeat_interleave, functions.split, functions.unbind
    tensor_split, tril = functions.tensor_split, functions.tril
    masked_fill, clone = functions.masked_fill, functions.clone

    def float(self) -> "Tensor":
        """As float32."""
        return self.to(np.float32)

    def double(self) -> "Tensor":
        """As float64."""
        return self.to(np.float64)

    def int(self) -> "Tensor":
        """As int32, rounded towards 0."""
        return self.to(np.int32)

    def long(self) -> "Tensor":
        """As int64, rounded towards 0."""
        return self.to(np.int64)

    def bool(self) -> "Tensor":
        """As bools: whether each element is not 0."""
        return self.to(np.bool_)

    @property
    def T(self) -> "Tensor":
        """The transpose: all dims in reverse order."""
        return functions.permute(self, tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> "Tensor":
        """The transpose of each matrix: the last two dims exchanged. RuntimeError for fewer than two."""
        if self.ndim < 2:
            raise RuntimeError(f"mT: a tensor of shape {self.array.shape} is no matrix; it needs two dims")
        return functions.transpose(self, -2, -1)


class Data(Tensor):
    """What `.data` of a Tensor is."""

    __slots__ = ()

    @property
    def tracked(self) -> builtins.bool:  # type: ignore[override]
        """Only if it has become a leaf of its own."""
        return self.own_node is not None and self.own_node.requires_grad


_UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: functions.add,
    np.subtract: functions.sub,
    np.multiply: functions.mul,
    np.true_divide: functions.div,
    np.power: functions.pow,
    np.matmul: functions.matmul,
    np.equal: lambda a, b: b == a,
    np.not_equal: lambda a, b: b != a,
    np.less: lambda a, b: b > a,
    np.less_equal: lambda a, b: b >= a,
    np.greater: lambda a, b: b < a,
    np.greater_equal: lambda a, b: b <= a,
    np.exp: functions.exp,
    np.log: functions.log,
    np.sqrt: functions.sqrt,
    np.tanh: functions.tanh,
    np.square: functions.square,
    np.absolute: functions.abs,
}


def _takes(array: np.ndarray, x: Any) -> bool:
    """Whether numpy's arithmetic in place, of a floating array with a Python number or an array, is PyTorch's too."""
    if array.dtype.kind != "f" or not array.flags.writeable:
        return False
    if isinstance(x, np.ndarray):
        return x.dtype is array.dtype and x.shape == array.shape
    return type(x) is float or (type(x) is int and x.bit_length() < 64)


def _rebuilt(kind: type[Tensor], array: np.ndarray, requires_grad: bool, name: str | None) -> Tensor:
    tensor = kind.__new__(kind)
    tensor.array, tensor.own_node, tensor.origin = array, None, None
    if requires_grad or name is not None:
        tensor.node = Node(array)
        tensor.node.requires_grad, tensor.node.name = requires_grad, name
    return tensor


from minigrad import gradients, recording  # noqa: E402, which are made of Tensors themselves
