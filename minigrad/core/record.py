"""Recording: how an operation on Tensors becomes a result and a `Node`.

`_any_operands` says all of it, for any primitive. Most operations have one or two operands; for these `_one_operand`
and `_two_operands` do the same without loops, in two thirds of the time.
"""

from typing import Any

import numpy as np

from minigrad.core.dtypes import float16, float32, float64
from minigrad.core.modes import current_mode, current_scope
from minigrad.core.primitive import Plan, Primitive, Recorder
from minigrad.core.promotion import promote_and_apply, translated
from minigrad.core.versions import sequence

SMALL = 1 << 14  # elements; a node keeps the values of results up to this size, for pictures


class Node:
    """One recorded result: how it came about, what its vjps need, and its gradient, if that is to be retained.

    - `seq`: its sequence number. `shape`, `dtype`: those of the result. `strides`: those of a leaf.
    - `plan`: which vjps run; None for a leaf. `params`: the operation's parameters.
    - `inputs`: for each operand its node, or the operand itself where it needs no gradient.
    - `saved`: the values that the plan saves; None after a backward pass has released them.
    - `retains_grad`: whether a pass keeps the gradient, as of leaves, and of results after `retain_grad()`.
    - `value`: the result, if it is small. `scope`: the module that recorded it. `line`: the user's line, if known.
    - `label`: the public function that made it, if that is not the primitive. `user_name`: what the user calls it.
    """

    __slots__ = (
        *("__weakref__", "dtype", "grad", "inputs", "label", "line", "params", "plan"),
        *("requires_grad", "retains_grad", "saved", "scope", "seq", "shape", "strides", "user_name", "value"),
    )

    def __init__(
        self,
        array: np.ndarray,
        plan: Plan | None = None,
        inputs: tuple[Any, ...] = (),
        params: tuple[Any, ...] = (),
        saved: tuple[Any, ...] | None = (),
        label: str | None = None,
    ) -> None:
        self.seq = next(sequence)
        self.shape, self.dtype = array.shape, array.dtype
        self.value = array if array.size <= SMALL else None
        self.plan, self.inputs, self.params = plan, inputs, params
        self.saved, self.label = saved, label
        self.scope = current_scope()
        self.requires_grad = True
        self.retains_grad = plan is None
        self.strides = array.strides if plan is None else ()
        self.grad: Any = None
        self.user_name: str | None = None
        self.line: Any = None

    @property
    def operation(self) -> str:
        """The name of the primitive that made this; an empty text for a leaf."""
        return self.plan.primitive.name if self.plan else ""

    def __repr__(self) -> str:
        return f"<{self.label or self.operation or 'leaf'}>"


NUMPY_ERRORS = (ValueError, TypeError, IndexError, OverflowError, MemoryError)

# The kinds of operands that need no promotion: floating arrays of one dtype, and Python numbers beside them. (A set
# finds an element by its hash and then by equality: float64 equals float, but their hashes differ.)
UNIFORM = {
    kinds
    for kind in (float16.dtype, float32.dtype, float64.dtype)
    for kinds in ((kind,), (kind, kind), (kind, float), (float, kind), (kind, int), (int, kind))
}


def recorder(primitive: Primitive, Tensor: Any) -> Recorder:
    """The function that applies a primitive to Tensors, and to numbers and arrays beside them.

    `tensor.py`, which needs nodes itself, passes the class Tensor.
    """
    count = 0 if primitive.variadic else len(primitive.operands)
    if count == 1:
        return _one_operand(primitive, Tensor)
    if count == 2 and not primitive.shaped:
        return _two_operands(primitive, Tensor)
    return _any_operands(primitive, Tensor)


def _any_operands(primitive: Primitive, Tensor: Any) -> Recorder:
    """The recorder for any number of operands."""
    kernel, plans, shaped = primitive.kernel, primitive.plans, primitive.shaped
    order: Any = "C" if primitive.contiguous else None
    elementwise, has_residuals, param_count = primitive.elementwise, bool(primitive.residuals), len(primitive.params)

    def record(*arguments: Any, label: str | None = None, promoted: bool = False) -> Any:
        count = len(arguments) - param_count
        operands, params = arguments[:count], arguments[count:]
        arrays = [x.array if isinstance(x, Tensor) else x for x in operands]
        # Operands of mixed dtypes are brought to one dtype first, and come back here.
        if elementwise and not promoted:
            kinds = {x.dtype if isinstance(x, np.ndarray) else type(x) for x in arrays}
            if not any((kind,) in UNIFORM and kinds <= {kind, int, float} for kind in kinds):
                return promote_and_apply(primitive, operands, params, label, Tensor)
        # Compute the result with numpy.
        try:
            result = kernel(*arrays, *params)
        except NUMPY_ERRORS as error:
            raise translated(primitive.name, arrays, error) from None
        residuals: Any = ()
        if has_residuals:
            result, *residuals = result
        tensor = new(Tensor)
        tensor.array, tensor.stored_node, tensor.base = np.asarray(result, order=order), None, None
        mode = current_mode()
        # Record it: the node refers to the nodes of the operands, and has what the vjps will need.
        nodes = [None if not isinstance(x, Tensor) else x.stored_node if x.base is None else x.node for x in operands]
        needs = tuple([node is not None and node.requires_grad for node in nodes])
        if mode.grad and True in needs and primitive.differentiable:
            nodes = [nodes[i] if need else _constant(operands[i], Tensor) for i, need in enumerate(needs)]
            shapes = [arrays[i].shape for i in shaped]
            saved = plans[needs].save((tensor.array, *residuals, *params, *arrays, *shapes))
            tensor.stored_node = Node(tensor.array, plans[needs], tuple(nodes), params, saved, label)
        if mode.watch is not None:
            mode.watch(primitive, operands, params, tensor, residuals)
        return (tensor, *residuals) if has_residuals else tensor

    return record


def _one_operand(primitive: Primitive, Tensor: Any) -> Recorder:
    """The same for one operand, which must be a Tensor. Only these primitives make views."""
    kernel, shaped, views = primitive.kernel, primitive.shaped, primitive.views
    elementwise, contiguous = primitive.elementwise, primitive.contiguous
    has_residuals, is_plain = bool(primitive.residuals), len(primitive.values) == 2
    plan = primitive.plans[(True,)] if primitive.differentiable else None

    def record(x: Any, *params: Any, label: str | None = None, promoted: bool = False) -> Any:
        if not isinstance(x, Tensor) or (elementwise and not promoted and (x.array.dtype,) not in UNIFORM):
            return promote_and_apply(primitive, (x,), params, label, Tensor)
        array = x.array
        try:
            result = kernel(array, *params)
        except NUMPY_ERRORS as error:
            raise translated(primitive.name, [array], error) from None
        residuals: Any = ()
        if has_residuals:
            result, *residuals = result
        if contiguous or type(result) is not np.ndarray:
            result = np.asarray(result, order="C")
        tensor = new(Tensor)
        tensor.array, tensor.stored_node, tensor.base = result, None, None
        mode, node = current_mode(), x.stored_node if x.base is None else x.node
        if node is not None and node.requires_grad and mode.grad and plan is not None:
            values = (result, array)
            if not is_plain:
                values = (result, *residuals, *params, array, *[array.shape][: len(shaped)])
            tensor.stored_node = Node(result, plan, (node,), params, plan.save(values), label)
        if views and result.base is not None and (result.base is array or result.base is array.base):
            tensor.base = x.base_of_view(primitive, params)
        if mode.watch is not None:
            mode.watch(primitive, (x,), params, tensor, residuals)
        return (tensor, *residuals) if has_residuals else tensor

    return record


def _two_operands(primitive: Primitive, Tensor: Any) -> Recorder:
    """The same for two operands."""
    kernel, plans = primitive.kernel, primitive.plans
    elementwise, contiguous = primitive.elementwise, primitive.contiguous
    a_counts, b_counts = (name in primitive.differentiable for name in primitive.operands)
    has_residuals, is_plain = bool(primitive.residuals), not primitive.residuals and not primitive.params

    def record(a: Any, b: Any, *params: Any, label: str | None = None, promoted: bool = False) -> Any:
        if isinstance(a, Tensor):
            a_array, a_node = a.array, a.stored_node if a.base is None else a.node
            a_kind = a_array.dtype
        else:
            a_array, a_node, a_kind = a, None, type(a)
        if isinstance(b, Tensor):
            b_array, b_node = b.array, b.stored_node if b.base is None else b.node
            b_kind = b_array.dtype
        else:
            b_array, b_node, b_kind = b, None, type(b)
        if elementwise and not promoted and (a_kind, b_kind) not in UNIFORM:
            return promote_and_apply(primitive, (a, b), params, label, Tensor)
        try:
            result = kernel(a_array, b_array, *params)
        except NUMPY_ERRORS as error:
            raise translated(primitive.name, [a_array, b_array], error) from None
        residuals: Any = ()
        if has_residuals:
            result, *residuals = result
        if contiguous or type(result) is not np.ndarray:
            result = np.asarray(result, order="C")
        tensor = new(Tensor)
        tensor.array, tensor.stored_node, tensor.base = result, None, None
        mode = current_mode()
        a_needs = a_node is not None and a_node.requires_grad and a_counts
        b_needs = b_node is not None and b_node.requires_grad and b_counts
        if (a_needs or b_needs) and mode.grad:
            plan = plans[a_needs, b_needs]
            inputs = (a_node if a_needs else _constant(a, Tensor), b_node if b_needs else _constant(b, Tensor))
            values = (result, a_array, b_array) if is_plain else (result, *residuals, *params, a_array, b_array)
            tensor.stored_node = Node(result, plan, inputs, params, plan.save(values), label)
        if mode.watch is not None:
            mode.watch(primitive, (a, b), params, tensor, residuals)
        return (tensor, *residuals) if has_residuals else tensor

    return record


def _constant(x: Any, Tensor: Any) -> Any:
    """An operand that needs no gradient, as a node refers to it: a Tensor as it is now.

    The Tensor itself may later be changed in place, and get a node that leads back to this one: a cycle.
    """
    if not isinstance(x, Tensor):
        return x
    tensor = new(Tensor)
    tensor.array, tensor.stored_node, tensor.base = x.array, x.stored_node, None
    return tensor


new = object.__new__
