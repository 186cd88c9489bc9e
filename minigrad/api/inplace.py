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
from minigrad.api.limits import fitting
from minigrad.checks import number_of
from minigrad.core import ops
from minigrad.core.dtypes import category
from minigrad.core.methods import methods
from minigrad.core.modes import current_mode
from minigrad.core.primitive import Primitive, Traced
from minigrad.core.promotion import check_operand
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version, changes, owner
from minigrad.core.views import node_for, succeed
from minigrad.random import Generator, for_each_element, source_of


def is_recorded(*tensors: Any) -> bool:
    """Return whether a change by these operands is recorded: one requires a gradient, and grad mode is on.

    A view shares the memory of its root, so it counts as requiring a gradient if the root does.
    """
    if current_mode().grad:
        for x in tensors:
            if isinstance(x, Traced):
                node = x.stored_node if x.base is None else x.node or x.base.root.node
                if node is not None and node.requires_grad:
                    return True
    return False


def replace(target: Tensor, result: Tensor, name: str) -> None:
    """Write a result into the memory of `target`, and give `target` the node of the result.

    Raises a RuntimeError where PyTorch refuses the in-place operation `name`: the target is a leaf that requires a
    gradient, or a view of one; or the shape or dtype of the result does not fit.
    """
    recorded = target.array.dtype.kind == "f" and is_recorded(target, result)
    if recorded:
        root = target if target.base is None else target.base.root
        if root.requires_grad and root.is_leaf:
            raise RuntimeError(
                f"{name}: a leaf that requires a gradient cannot be changed in place, nor a view of one; use "
                "no_grad() or .data, or compute a new tensor"
            )
        if target.node is None and root.requires_grad:
            raise RuntimeError(
                f"{name}: this view was made under no_grad(), so its base would not learn of the change; make the view "
                "outside of no_grad(), or change it inside"
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
        raise RuntimeError(f"{name}: elements of {shape} share memory after .expand(); .clone() the tensor first")
    if result.array.dtype != dtype:
        if category(result.array.dtype) > category(dtype):
            given = result.array.dtype
            raise RuntimeError(f"{name}: a result of {given} does not fit in place into {dtype}; convert it")
        result = result._converted(dtype)
    np.copyto(target.array, result.array)
    if target.counts_versions:
        bump_version(name, target.array)
    if recorded:
        succeed(target, result.node)
        _rebase(target)


def _rebase(view: Tensor) -> None:
    """Give new nodes to the bases of a view that was changed in place, because they have changed with it.

    A base becomes the result of writing the view into it. The inverse of the primitive that made the view does this.
    """
    changed = []
    while view.base is not None:
        base, primitive, params, *_ = view.base
        if primitive is ops.index:
            node = node_for(ops.assign, (base, view), params, base.array)
        elif primitive is ops.permute:
            node = node_for(primitive, (view,), (tuple(np.argsort(params[0]).tolist()),), base.array)
        else:
            node = node_for(primitive, (view,), (base.array.shape,), base.array)
        succeed(base, node)
        changed.append(view)
        view = base
    for each in changed:
        assert each.base is not None
        each.base = each.base._replace(node=view.stored_node)


def _in_place(self: Tensor, primitive: Primitive, in_place: Callable[[Any, Any], Any], other: Any) -> Any:
    """Compute `primitive` of `self` and `other` into `self`, by numpy's in-place operator if nothing is recorded."""
    if not isinstance(other, self.partners):
        return NotImplemented
    array = other.array if isinstance(other, Tensor) else other
    recorded = is_recorded(self, other)
    if recorded or current_mode().watch is not None or not _numpy_does_it(self.array, array):
        # A vjp may need the elements from before the change.
        before = wrap(self.array.copy(), self.node) if recorded else self
        replace(self, primitive.on_tensors(before, other), f"{primitive.name}_")
    else:
        in_place(self.array, array)
        if self.counts_versions:
            bump_version(f"{primitive.name}_", self.array)
    return self


def _numpy_does_it(array: np.ndarray, x: Any) -> bool:
    """Return whether numpy's in-place arithmetic gives PyTorch's result.

    It does for a floating array and a Python number or an array of the same dtype and shape.
    """
    if array.dtype.kind != "f" or not array.flags.writeable:
        return False
    if isinstance(x, np.ndarray):
        return x.dtype is array.dtype and x.shape == array.shape
    return type(x) is float or (type(x) is int and x.bit_length() < 64)


def _filled(self: Tensor, value: Any, name: str) -> Any:
    """Write `value`, which broadcasts, into `self`."""
    check_operand(name, value)
    replace(self, ops.assign.on_tensors(self, value, (...,)), name)
    return self


@methods
class InPlace(Tensor):
    """In-place operators, and methods whose names end in an underscore."""

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
        """Add `alpha` times `other` in place (`torch.Tensor.add_`).

        >>> import minigrad
        >>> minigrad.ones(2).add_(minigrad.ones(2), alpha=3)
        tensor([4., 4.])
        """
        check_operand("add_", other)
        if not isinstance(alpha, Traced):
            number_of("add_", "alpha", alpha)
        replace(self, self + (other if alpha == 1 else alpha * other), "add_")
        return self

    def mul_(self, other: Any) -> Self:
        """Multiply by `other` in place (`torch.Tensor.mul_`).

        >>> import minigrad
        >>> minigrad.ones(2).mul_(3)
        tensor([3., 3.])
        """
        check_operand("mul_", other)
        return _in_place(self, ops.mul, operator.imul, other)

    def copy_(self, other: Tensor) -> Self:
        """Copy the elements of `other`, which is broadcast and converted to the dtype (`torch.Tensor.copy_`).

        Raises a RuntimeError if `other` has more dims.

        >>> import minigrad
        >>> minigrad.zeros(2).copy_(minigrad.tensor([1, 2]))
        tensor([1., 2.])
        """
        if isinstance(other, Tensor) and other.ndim > self.ndim:
            raise RuntimeError(f"copy_: {other.array.shape} has more dims than {self.array.shape}; index or squeeze it")
        return _filled(self, other, "copy_")

    def fill_(self, value: Any) -> Self:
        """Set all elements to one number (`torch.Tensor.fill_`).

        >>> import minigrad
        >>> minigrad.zeros(2).fill_(7)
        tensor([7., 7.])
        """
        check_operand("fill_", value)
        if shape := np.shape(getattr(value, "array", value)):
            raise RuntimeError(f"fill_: expected one number, got a value of shape {shape}; use copy_")
        value = value if isinstance(value, Traced) else fitting("fill_", value, self.array.dtype)
        return _filled(self, wrap(value) if isinstance(value, np.ndarray) else value, "fill_")

    def zero_(self) -> Self:
        """Set all elements to 0 (`torch.Tensor.zero_`).

        >>> import minigrad
        >>> minigrad.ones(2).zero_()
        tensor([0., 0.])
        """
        return _filled(self, 0, "zero_")

    def normal_(self, mean: builtins.float = 0, std: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Fill with normal random numbers of the given mean and standard deviation (`torch.Tensor.normal_`)."""
        source, contiguous = source_of("normal_", generator), self.array.flags.c_contiguous
        numbers = for_each_element(
            self.array, lambda shape: source.normal(shape, self.array.dtype, mean, std, contiguous)
        )
        return _filled(self, numbers, "normal_")

    def uniform_(
        self, from_: builtins.float = 0, to: builtins.float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Fill with random numbers, uniform on [from_, to) (`torch.Tensor.uniform_`)."""
        source = source_of("uniform_", generator)
        numbers = for_each_element(self.array, lambda shape: source.uniform(shape, self.array.dtype, from_, to))
        return _filled(self, numbers, "uniform_")

    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times each slice of `source` along `dim` at its index in `index` (`torch.Tensor.index_add_`).

        An index may occur several times. Raises a RuntimeError if an index is out of range, or if shapes or dtypes do
        not fit.

        >>> import minigrad
        >>> minigrad.zeros(3).index_add_(0, minigrad.tensor([0, 2, 2]), minigrad.ones(3))
        tensor([1., 0., 2.])
        """
        if not self.ndim:
            raise RuntimeError("index_add_: a single number has no dim to index; use +=")
        axis = axis_of("index_add_", dim, self.ndim)
        for x in (index, source):
            array_of("index_add_", x)
        if index.array.dtype.kind not in "iu" or source.array.dtype != self.array.dtype:
            raise RuntimeError(
                f"index_add_: the index has dtype {index.array.dtype} and the source {source.array.dtype}; expected "
                f"integers and {self.array.dtype}"
            )
        if index.array.size and not 0 <= index.array.min() <= index.array.max() < self.array.shape[axis]:
            raise RuntimeError(f"index_add_: an index is out of range for the size {self.array.shape[axis]}")
        key: Any = (*[slice(None)] * axis, index.array)
        if source.array.shape != self.array[key].shape:
            raise RuntimeError(
                f"index_add_: the source has shape {source.array.shape} instead of {self.array[key].shape}"
            )
        return self.add_(ops.put.on_tensors(source, key, self.array.shape), alpha=alpha)

    @property
    def _version(self) -> builtins.int:
        """The number of in-place changes to the memory of this Tensor (`torch.Tensor._version`)."""
        memory = owner(self.array)
        change = changes.get(id(memory)) if self.counts_versions else None
        return change.version if change and change.memory() is memory else 0
