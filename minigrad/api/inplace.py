"""Changes in place: `x += 1`, `x[0] = 1`, `x.add_(1)`, where PyTorch allows them and how they are recorded.

A change in place writes into an array that others may use. Views share it, and the reverse pass may need the values
from before. So every change bumps the version counter of the memory (`core/versions.py`), and a change of a view gives
its bases new nodes (`core/views.py`).
"""

import builtins
import functools
import operator
from collections.abc import Callable
from typing import Any, Self, TypeVar

import numpy as np

from minigrad.api.limits import fitting
from minigrad.checks import int_of
from minigrad.core import ops
from minigrad.core.dtypes import category
from minigrad.core.methods import Methods, method, methods
from minigrad.core.modes import current_mode
from minigrad.core.primitive import Primitive, Traced
from minigrad.core.promotion import check_operand
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version, changes, owner
from minigrad.core.views import node_for, succeed
from minigrad.random import Generator, for_each_element, source_of

Function = TypeVar("Function", bound=Callable[..., Any])


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
        if node is not None and view.stored_node is not None:
            node.line = view.stored_node.line
        succeed(base, node)
        changed.append(view)
        view = base
    for each in changed:
        assert each.base is not None
        each.base = each.base._replace(node=view.stored_node)


def before_change(target: Tensor, *others: Any) -> Tensor:
    """Return a Tensor that has what `target` has now, with memory of its own if a vjp may need it after a change."""
    return wrap(target.array.copy(), target.node) if is_recorded(target, *others) else target


def _in_place(self: Tensor, primitive: Primitive, in_place: Callable[[Any, Any], Any], other: Any) -> Any:
    """Compute `primitive` of `self` and `other` into `self`, by numpy's in-place operator if nothing is recorded."""
    if not isinstance(other, self.partners):
        return NotImplemented
    array = other.array if isinstance(other, Tensor) else other
    if is_recorded(self, other) or current_mode().watch is not None or not _numpy_does_it(self.array, array):
        replace(self, primitive.on_tensors(before_change(self, other), other), f"{primitive.name}_")
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


def method_and_in_place(function: Function) -> Function:
    """Let a function of Tensors be a method, and a second method, `name_`, which writes the result into the Tensor."""
    method(function)
    name = f"{function.__name__}_"

    @functools.wraps(function)
    def in_place(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        replace(self, function(before_change(self, *args), *args, **kwargs), name)
        return self

    setattr(Methods, name, in_place)
    return function


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

    def random_(self, from_: Any = None, to: builtins.int | None = None, *, generator: Generator | None = None) -> Self:
        """Fill with random integers from `from_` (0 by default) to `to`, without `to` (`torch.Tensor.random_`).

        Without bounds they reach as far as the dtype holds all integers. `random_(to)` starts at 0.
        """
        kind = self.array.dtype
        whole = {"f": 2 ** (np.finfo(kind).nmant + 1) + 1 if kind.kind == "f" else 0, "b": 2}
        most = whole.get(kind.kind) or int(np.iinfo(kind).max) + (kind.itemsize < 8)
        low, high = (None, from_) if to is None else (from_, to)
        low, high = (x if x is None else int_of("random_", x) for x in (low, high))
        source = source_of("random_", generator)
        numbers = for_each_element(
            self.array, lambda shape: source.integers(low or 0, most if high is None else high, shape)
        )
        return _filled(self, numbers.astype(kind), "random_")

    def bernoulli_(self, p: Any = 0.5, *, generator: Generator | None = None) -> Self:
        """Fill with 1 with probability `p`, a number or a Tensor, and else with 0 (`torch.Tensor.bernoulli_`)."""
        source, chances = source_of("bernoulli_", generator), p.array if isinstance(p, Tensor) else p
        return _filled(self, source.bernoulli(chances, self.array.shape).astype(self.array.dtype), "bernoulli_")

    def exponential_(self, lambd: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Fill with exponential random numbers, whose mean is 1 / `lambd` (`torch.Tensor.exponential_`)."""
        source = source_of("exponential_", generator)
        numbers = for_each_element(self.array, lambda shape: source.exponential(shape, self.array.dtype, lambd))
        return _filled(self, numbers, "exponential_")

    @property
    def _version(self) -> builtins.int:
        """The number of in-place changes to the memory of this Tensor (`torch.Tensor._version`)."""
        memory = owner(self.array)
        change = changes.get(id(memory)) if self.counts_versions else None
        return change.version if change and change.memory() is memory else 0
