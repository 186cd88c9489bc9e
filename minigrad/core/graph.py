"""The reverse pass over the recorded graph: one loop, for Tensors and for Values.

Every recorded result has a `Node` (`record.py`), which refers to the nodes of its operands. Nodes get their sequence
numbers in the order in which they are made, operands before results. So falling sequence numbers are a topological
order, and no sorting is needed.
"""

import functools
import math
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from minigrad.core import ops
from minigrad.core.modes import current_mode
from minigrad.core.primitive import Primitive, Shape
from minigrad.core.record import Node
from minigrad.core.versions import at, changes, check_unchanged

# Functions that see, and may replace, the complete gradient of a node; see `hooks.py`.
hooks: WeakKeyDictionary[Any, Callable[[Any], Any]] = WeakKeyDictionary()


def reverse(
    seeds: Iterable[tuple[Any, Any]],
    *,
    saved_of: Callable[[Any], tuple[Any, ...]] | None = None,
    release: bool = False,
    needed: set[Any] | None = None,
) -> Iterator[tuple[Any, Any, bool]]:
    """Run the reverse pass from `seeds`, pairs of a node and the gradient that arrives there, to the leaves.

    This is reverse-mode automatic differentiation: a heap holds the nodes whose gradient is being added up. The node
    with the greatest sequence number comes next. All that was computed from it has been visited by then, so its
    gradient is complete, and its vjps turn it into gradients of its operands.

    Every node that retains its gradient is yielded with it, and with whether nothing else refers to that array.

    - `saved_of(node)` returns the saved values of a node as Tensors or symbols. The pass is then recorded itself.
    - `release` drops the saved values when they have been used. A second pass through them is refused.
    - `needed`: run only vjps whose gradients go to these nodes, and yield the gradients of all of these.
    """
    check = current_mode().check
    # By -seq, so that the last node comes first: [node, gradient so far, is that array shared?].
    pending: dict[int, list[Any]] = {}
    heap: list[int] = []
    has_shape = False  # Values have none, and their gradients are floats
    for node, g in seeds:
        if needed is None or node in needed:
            key, has_shape = -node.seq, isinstance(node, Node)
            if key in pending:
                g = pending[key][1] + g
            else:
                heappush(heap, key)
            pending[key] = [node, g, True]
    in_place = has_shape and saved_of is None
    while heap:
        node, g, shared = pending.pop(heappop(heap))
        if hooks and node in hooks:
            g, shared = hooks[node](g), True
        if node.retains_grad or needed is not None:
            yield node, g, not shared
        plan = node.plan
        if plan is None or (needed is not None and needed.isdisjoint(x for x in node.inputs if hasattr(x, "seq"))):
            continue
        saved: Any = ()
        if plan.uses_saved:
            saved = node.saved if saved_of is None else saved_of(node)
            if in_place and (saved is None or node.seq < changes.latest):
                saved = saved_values(node)
        if plan.joint is not None:  # it computes all gradients, and the steps below pick from them
            _, vjp, _, pick = plan.joint
            saved = vjp(g, *pick(saved))
        inputs = node.inputs
        for position, vjp, arity, pick in plan.steps:
            operand = inputs[position]
            if needed is not None and operand not in needed:
                continue
            try:
                h = vjp(g, pick(saved)) if arity == 1 else vjp(g, *pick(saved)) if arity else vjp(g)
            except (ArithmeticError, ValueError) as error:  # of floats, where arrays would have nan or infinity
                if has_shape or isinstance(error, ArithmeticError):
                    raise type(error)(
                        f"{plan.primitive.name}: no gradient{at(node.line)} at {saved}: {error}"
                    ) from None
                h = math.nan  # outside of the domain of a function, as in (-2.0) ** b
            if has_shape and (h.shape != operand.shape or h.dtype is not operand.dtype):
                h = unbroadcast(h, operand, plan.primitive)
            if check is not None:
                check(node, operand, g, h)
            key = -operand.seq
            so_far = pending.get(key)
            if so_far is None:
                pending[key] = [operand, h, not in_place or h is g or h.base is not None]
                heappush(heap, key)
            elif so_far[2] or so_far[1].strides != h.strides:
                # The sum is a new array, to which gradients of its layout can be added in place. The layout must not
                # depend on whether that is done, because numpy adds rows and columns in different orders.
                so_far[1], so_far[2] = so_far[1] + h, not in_place
            else:
                so_far[1] += h
        if release and (plan.releases or (plan.key is not None and np.ndarray in map(type, node.saved[plan.key]))):
            node.saved = None


def saved_values(node: Node) -> tuple[Any, ...]:
    """The values saved for the vjps of a node. RuntimeError if they were released, or changed in place since then."""
    if node.saved is None:
        raise RuntimeError(
            f"{node.operation}: backward through the graph a second time, but the first released what it had saved; "
            f"call backward(retain_graph=True) the first time, or compute the result anew{at(node.line)}"
        )
    for value in node.saved:
        if isinstance(value, np.ndarray):
            check_unchanged(value, node)
    return node.saved


def unbroadcast(g: Any, node: Node, primitive: Primitive) -> Any:
    """Turn `g` into a gradient of `node`: sum over the axes that broadcasting repeated, and restore the dtype.

    RuntimeError if no broadcasting leads from the node's shape to that of `g`.
    """
    if g.shape != node.shape:
        axes = _broadcast_axes(g.shape, node.shape)
        if axes is None:
            raise RuntimeError(
                f"{primitive.name}: its vjp returned a gradient of shape {g.shape} for an operand of {node.shape}"
            )
        is_array, keepdims = isinstance(g, np.ndarray), len(g.shape) == len(node.shape)
        if axes:
            g = ops.sum.kernel(g, axes, keepdims) if is_array else ops.sum(g, axes, keepdims)
        if g.shape != node.shape:
            g = g.reshape(node.shape) if is_array else ops.reshape(g, node.shape)
    return g if g.dtype == node.dtype else ops.cast(g, node.dtype)


@functools.lru_cache
def _broadcast_axes(shape: Shape, before: Shape) -> tuple[int, ...] | None:
    """The axes of `shape` that broadcasting added to `before` or made longer; None if it cannot have made `shape`."""
    extra = len(shape) - len(before)
    inner = shape[extra:] if extra >= 0 else None
    if inner is None or any(size not in (1, large) for size, large in zip(before, inner, strict=True)):
        return None
    repeated = [axis + extra for axis, size in enumerate(before) if size != inner[axis]]
    leading = range(extra) if repeated or shape[:extra] != (1,) * extra else ()
    return (*leading, *repeated)
