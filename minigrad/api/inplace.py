"""Changes in place: `x += 1`, `x[0] = 1`, `x.add_(1)`, where PyTorch allows them and how they are recorded.

A change in place writes into an array that others may use. Views share it, and the reverse pass may need the values
from before. So every change bumps the version counter of the memory (`core/versions.py`), and a change of a view gives
its bases new nodes (`core/views.py`).
"""

import builtins
import operator
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from minigrad.api.arguments import array_of, axis_of
from minigrad.core import ops
from minigrad.core.dtypes import category
from minigrad.core.methods import methods
from minigrad.core.modes import local
from minigrad.core.primitive import Primitive, Traced
from minigrad.core.promotion import check_operand
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version, version
from minigrad.core.views import node_for
from minigrad.random import Generator, source_of


def is_recorded(*tensors: Any) -> bool:
    """Whether an operation on these is recorded now."""
    if local.mode.grad:
        for x in tensors:
            if isinstance(x, Traced):
                node = x.stored_node if x.base is None else x.node
                if node is not None and node.requires_grad:
                    return True
    return False


def replace(target: Tensor, result: Tensor, name: str) -> None:
    """Give `target` the elements, and the place in the graph, of a result that was computed from it.

    RuntimeError where PyTorch refuses to do `name` in place: on a leaf that requires a gradient or a view of one, and
    for a result of another shape or of a dtype that does not fit.
    """
    recorded = target.array.dtype.kind == "f" and is_recorded(target, result)
    if recorded:
        root = target if target.base is None else target.base.root
        if root.requires_grad and root.is_leaf:
            raise RuntimeError(
                f"{name}: a leaf that requires a gradient cannot be changed in place, nor a view of one; do so under "
                "no_grad() or on .data, or compute a new tensor"
            )
        if target.base is not None and target.base.made_by:
            raise RuntimeError(
                f"{name}: one of several views that {target.base.made_by} made at once cannot be changed in place; "
                "index the tensor itself, x[i] for the i-th, or .clone() the view"
            )
    shape, dtype = target.array.shape, target.array.dtype
    if result.array.shape != shape:
        raise RuntimeError(f"{name}: a result of shape {result.array.shape} does not fit in place into {shape}")
    if not target.array.flags.writeable:
        raise RuntimeError(f"{name}: elements of {shape} share their memory since .expand(); .clone() it first")
    if result.array.dtype != dtype:
        if category(result.array.dtype) > category(dtype):
            given = result.array.dtype
            raise RuntimeError(f"{name}: a result of {given} does not fit in place into {dtype}; convert it")
        result = result._converted(dtype)
    np.copyto(target.array, result.array)
    if target.counts_versions:
        bump_version(name, target.array)
    if recorded:
        target.stored_node = result.node
        _rebase(target)


def _rebase(view: Tensor) -> None:
    """Record that the bases of a view that was changed in place have changed with it.

    A base becomes the result of writing the view into it, by the inverse of the primitive that made the view.
    """
    changed = []
    while view.base is not None:
        base, primitive, params, *_ = view.base
        if primitive is ops.index:
            base.stored_node = node_for(ops.assign, (base, view), params, base.array)
        elif primitive is ops.permute:
            base.stored_node = node_for(primitive, (view,), (tuple(np.argsort(params[0]).tolist()),), base.array)
        else:
            base.stored_node = node_for(primitive, (view,), (base.array.shape,), base.array)
        changed.append(view)
        view = base
    for each in changed:
        assert each.base is not None
        each.base = each.base._replace(node=view.stored_node)


def _in_place(self: Tensor, primitive: Primitive, in_place: Callable[[Any, Any], Any], other: Any) -> Any:
    if not isinstance(other, self.partners):
        return NotImplemented
    array = other.array if isinstance(other, Tensor) else other
    recorded = is_recorded(self, other)
    if recorded or local.mode.watch is not None or not _numpy_does_it(self.array, array):
        # A vjp may need the elements from before the change.
        before = wrap(self.array.copy(), self.node) if recorded else self
        replace(self, primitive.on_tensors(before, other), f"{primitive.name}_")
    else:
        in_place(self.array, array)
        if self.counts_versions:
            bump_version(f"{primitive.name}_", self.array)
    return self


def _numpy_does_it(array: np.ndarray, x: Any) -> bool:
    """Whether numpy's arithmetic in place, of a floating array with a Python number or an array, is PyTorch's too."""
    if array.dtype.kind != "f" or not array.flags.writeable:
        return False
    if isinstance(x, np.ndarray):
        return x.dtype is array.dtype and x.shape == array.shape
    return type(x) is float or (type(x) is int and x.bit_length() < 64)


def _filled(self: Tensor, value: Any, name: str) -> Any:
    check_operand(name, value)
    replace(self, ops.assign.on_tensors(self, value, (...,)), name)
    return self


@methods
class InPlace(Tensor):
    """The operators that change their left operand, and the methods whose names end in an underscore."""

    __slots__ = ()

    def __iadd__(self, other: Any) -> Self:
        return _in_place(self, ops.add, operator.iadd, other)

    def __isub__(self, other: Any) -> Self:
        return _in_place(self, ops.sub, operator.isub, other)

    def __imul__(self, other: Any) -> Self:
        return _in_place(self, ops.mul, operator.imul, other)

    def __itruediv__(self, other: Any) -> Self:
        return _in_place(self, ops.div, operator.itruediv, other)

    def __ipow__(self, other: Any) -> Self:
        return _in_place(self, ops.pow, operator.ipow, other)

    def add_(self, other: Any, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times `other`."""
        check_operand("add_", other)
        check_operand("add_", alpha)
        replace(self, self + (other if alpha == 1 else alpha * other), "add_")
        return self

    def mul_(self, other: Any) -> Self:
        """Multiply by `other`."""
        check_operand("mul_", other)
        return _in_place(self, ops.mul, operator.imul, other)

    def copy_(self, other: Tensor) -> Self:
        """Take the elements of `other`, broadcast and converted. RuntimeError if it has more dims."""
        if isinstance(other, Tensor) and other.ndim > self.ndim:
            raise RuntimeError(f"copy_: {other.array.shape} has more dims than {self.array.shape}; index or squeeze it")
        return _filled(self, other, "copy_")

    def fill_(self, value: Any) -> Self:
        """Take one number everywhere."""
        return _filled(self, value, "fill_")

    def zero_(self) -> Self:
        """Become zeros."""
        return _filled(self, 0, "zero_")

    def normal_(self, mean: builtins.float = 0, std: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Draw normal numbers of a mean and a standard deviation."""
        source = source_of("normal_", generator)
        return _filled(self, source.normal(self.array.shape, self.array.dtype, mean, std), "normal_")

    def uniform_(
        self, from_: builtins.float = 0, to: builtins.float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Draw numbers uniform between two."""
        source = source_of("uniform_", generator)
        return _filled(self, source.uniform(self.array.shape, self.array.dtype, from_, to), "uniform_")

    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times the slices of `source` along `dim` at the places that `index` lists, repeated or not."""
        if not self.ndim:
            raise RuntimeError("index_add_: a single number has no places to add to; use +=")
        axis = axis_of("index_add_", dim, self.ndim)
        for x in (index, source):
            array_of("index_add_", x)
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

    @property
    def _version(self) -> builtins.int:
        """How often its memory has been changed in place."""
        return version(self.array) if self.counts_versions else 0
