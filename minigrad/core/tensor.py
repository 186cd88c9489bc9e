"""Tensor: a numpy array, and the node that says how the array came about.

What stands here is what the graph needs. All other methods, `exp`, `sum`, `view`, come from `api/`; see `methods.py`.
"""

import functools
import operator
from typing import Any, ClassVar

import numpy as np

from minigrad.core import ops
from minigrad.core.dtypes import BY_NUMPY, DType
from minigrad.core.methods import Methods
from minigrad.core.operators import Arithmetic
from minigrad.core.primitive import Primitive
from minigrad.core.record import Node, recorder
from minigrad.core.views import Base, regenerate_node


def wrap(array: np.ndarray, node: Node | None = None) -> "Tensor":
    """A Tensor of an array, which is not copied, and of the node that the array came from."""
    tensor = Tensor.__new__(Tensor)
    tensor.array, tensor.stored_node, tensor.base = array, node, None
    return tensor


def unshared_gradient(g: Any, unshared: bool) -> "Tensor":
    """A gradient from the reverse pass, as a Tensor that shares its memory with nothing: copied unless `unshared`."""
    if isinstance(g, Tensor):
        return wrap(np.array(g.array), g.node)
    return wrap(g if unshared and type(g) is np.ndarray else np.array(g))


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

    wrap = staticmethod(wrap)
    recorder = staticmethod(operator.attrgetter("on_tensors"))

    # The array

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
        root, made_by = (self, "") if self.base is None else (self.base.root, self.base.made_by)
        # The same as Base(...), in half the time.
        return tuple.__new__(Base, (self, primitive, params, root, root.stored_node, made_by))

    @property
    def requires_grad(self) -> bool:
        """Whether what is computed from it is recorded; it can be set on a leaf of floating dtype."""
        node = self.node
        return node is not None and node.requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if not isinstance(wanted, bool):
            raise RuntimeError(f"requires_grad: must be True or False, not a {type(wanted).__name__}")
        if not self.is_leaf:
            raise RuntimeError("requires_grad: only a leaf can change it; use .detach() to cut off a result")
        if wanted and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"requires_grad: needs a floating dtype, got {self.array.dtype}; convert with .float() first"
            )
        if wanted or self.node is not None:
            self._leaf().requires_grad = wanted

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made it."""
        return self.node is None or self.node.plan is None

    def _leaf(self) -> Node:
        """The node. A constant gets one now, to hold a name or a gradient."""
        if self.node is None:
            self.node = Node(self.array)
            self.node.requires_grad = False
        return self.node


Primitive.recorders["Tensor"] = functools.partial(recorder, Tensor=Tensor)
