"""Tensor: a numpy array, and the node that says how the array came about.

What stands here is what the graph needs. All other methods, `exp`, `sum`, `view`, come from `api/`; see `methods.py`.
"""

import functools
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from minigrad.core import ops
from minigrad.core.dtypes import BY_NUMPY, DType
from minigrad.core.methods import Methods
from minigrad.core.operators import Arithmetic
from minigrad.core.primitive import Primitive
from minigrad.core.promotion import translated
from minigrad.core.record import Node, leaf, recorder
from minigrad.core.views import Base, regenerate_node


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
    """A Tensor of an array, which is not copied, and of the node that the array came from."""
    tensor = Tensor.__new__(Tensor)
    tensor.array, tensor.stored_node, tensor.base = array, node, None
    return tensor


def _comparison(compare: np.ufunc) -> Callable[["Tensor", Any], Any]:
    def method(self: "Tensor", other: Any) -> Any:
        if not isinstance(other, self.partners):
            return NotImplemented
        array = other.array if isinstance(other, Tensor) else other
        try:
            return wrap(np.asarray(compare(self.array, array)))
        except ValueError as error:
            raise translated(compare.__name__, [self.array, array], error) from None

    return method


def own_gradient(g: Any, owned: bool) -> "Tensor":
    """A gradient from the reverse pass as a Tensor whose memory nothing else uses; `owned` says that of `g` already."""
    if isinstance(g, Tensor):
        return wrap(np.array(g.array), g.node)
    return wrap(g if owned and type(g) is np.ndarray else np.array(g))


class Tensor(Methods, Arithmetic):
    """An n-dimensional array of numbers that records what is computed from it (`torch.Tensor`).

    `Tensor([...])` holds float32, and `Tensor(2, 3)` zeros of that shape; `tensor(...)` and its neighbours in
    `api/creation.py` make every other kind. `array` is the numpy array itself, `node` its place in the graph, and
    `base` says of which Tensor it is a view.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ("__weakref__", "array", "base", "stored_node")
    partners: ClassVar[tuple[type, ...]] = (*Arithmetic.partners, np.ndarray)

    array: np.ndarray
    base: Base | None
    stored_node: Node | None
    counts_versions = True  # whether changes in place are noted, for backward passes that need the values from before

    def __init__(self, *data: Any) -> None:
        sizes = all(isinstance(size, int) for size in data)
        self.array = np.zeros(data or 0, np.float32) if sizes else np.array(data[0], dtype=np.float32)
        self.stored_node, self.base = None, None

    wrap = staticmethod(wrap)
    recorder = staticmethod(operator.attrgetter("on_tensors"))

    # The array

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self.array.shape)

    @property
    def dtype(self) -> DType:
        """The dtype of its numbers."""
        return BY_NUMPY[self.array.dtype]

    @property
    def ndim(self) -> int:
        """The number of dims."""
        return self.array.ndim

    @property
    def mT(self) -> "Tensor":
        """The transpose of each matrix: the last two dims exchanged. RuntimeError for fewer than two dims."""
        if self.ndim < 2:
            raise RuntimeError(f"mT: a tensor of shape {self.array.shape} is no matrix; it needs two dims")
        first, (row, column) = range(self.ndim - 2), range(self.ndim)[-2:]
        return ops.permute.on_tensors(self, (*first, column, row), label="transpose")

    def _converted(self, dtype: np.dtype[Any], copy: bool = False) -> "Tensor":
        """The elements converted to a dtype; the Tensor itself if it has that dtype, unless `copy`."""
        if dtype == self.array.dtype and not copy:
            return self
        return ops.cast.on_tensors(self, dtype) if dtype.kind == "f" else wrap(self.array.astype(dtype))

    def detach(self) -> "Tensor":
        """A constant that shares the memory (`torch.Tensor.detach`)."""
        return wrap(self.array)

    # The node

    @property
    def node(self) -> Node | None:
        """Its place in the graph; None for a constant that has neither a gradient nor a name."""
        if self.base is not None:
            regenerate_node(self)
        return self.stored_node

    @node.setter
    def node(self, node: Node | None) -> None:
        self.stored_node = node

    def base_of_view(self, primitive: Primitive, params: tuple[Any, ...]) -> Base:
        """The base of a view of this Tensor that `primitive` makes."""
        return Base.of(self, primitive, params)

    @property
    def requires_grad(self) -> bool:
        """Whether what is computed from it is recorded; it can be set on a leaf of floating dtype."""
        node = self.node
        return node is not None and node.requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not self.is_leaf:
            raise RuntimeError("requires_grad: only a leaf can change it; use .detach() to cut off a result")
        if wanted and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"requires_grad: needs a floating dtype, got {self.array.dtype}; convert with .float() first"
            )
        if wanted or self.node is not None:
            self._leaf().requires_grad = bool(wanted)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self.node is None or self.node.plan is None

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made it; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def grad(self) -> "Tensor | None":
        """The gradient that backward passes have added up: of a leaf, or of a result after `retain_grad()`."""
        node = self.stored_node if self.base is None else self.node
        if node is None:
            return None
        if node.grad is None and not node.retains_grad:
            warnings.warn(
                f"grad: this Tensor is a result of {node.operation}, not a leaf, and a backward pass lets the "
                "gradients of results go; call .retain_grad() on it before backward()",
                stacklevel=2,
            )
        return node.grad

    @grad.setter
    def grad(self, grad: "Tensor | None") -> None:
        if grad is None:
            if self.node is not None:
                self.node.grad = None
            return
        if not isinstance(grad, Tensor):
            raise TypeError(f"grad: expected a Tensor or None, got {type(grad).__name__}")
        if grad.shape != self.shape or grad.dtype != self.dtype:
            raise RuntimeError(
                f"grad: a gradient of shape {grad.array.shape} and dtype {grad.array.dtype} is not for a Tensor of "
                f"shape {self.array.shape} and dtype {self.array.dtype}"
            )
        self._leaf().grad = grad

    def _leaf(self) -> Node:
        """The node. A constant gets one now, to hold a name or a gradient."""
        if self.node is None:
            self.node = leaf(self.array)
            self.node.requires_grad = False
        return self.node

    # Comparisons, which have no gradient. The arithmetic operators are those of Arithmetic.

    __eq__ = _comparison(np.equal)
    __ne__ = _comparison(np.not_equal)
    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __hash__ = object.__hash__


Primitive.recorders["Tensor"] = functools.partial(recorder, Tensor=Tensor)
