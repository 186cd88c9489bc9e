"""Changes in place: where they are allowed, how they are recorded, and who needs to know.

A change writes into an array that others may see: views share it, and the reverse pass may need what was there. So
every change is noted under the array that owns the memory, with a number from the same count that numbers the nodes; a
node that saved a value finds there whether it has been changed since. And a view knows its origin: when the view is
changed, the tensor that it is a view of gets a new place in the graph too, and so do its other views.
"""

import functools
import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import graph, ops
from minigrad.anomaly import calling_line
from minigrad.dtypes import category
from minigrad.graph import Change, Node
from minigrad.modes import local
from minigrad.rows import Recorded, Row

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Origin(NamedTuple):
    """How a view came about: by a row, with parameters, from a base.

    `root` is the tensor at the end of the line of bases, and `node` was its node when this view's was made: a change of
    any of its views gives the root another one, by which the others know that theirs are out of date. `parted` is the
    function that made several views at once, if one did, of this or of a base that is a view itself.
    """

    base: "Tensor"
    row: Row
    params: tuple[Any, ...]
    root: "Tensor"
    node: Node | None
    parted: str = ""

    @classmethod
    def of(cls, base: "Tensor", row: Row, params: tuple[Any, ...]) -> "Origin":
        """That of a view of `base`."""
        root, parted = (base, "") if base.origin is None else (base.origin.root, base.origin.parted)
        # As cls(...) would, which takes twice as long.
        return tuple.__new__(cls, (base, row, params, root, root.own_node, parted))


def refresh(view: "Tensor") -> None:
    """Give a view a new node where a tensor that shares its memory was changed in place since."""
    stale = []
    while view.origin is not None and view.origin.node is not view.origin.root.own_node:
        stale.append(view)
        view = view.origin.base
    for view in reversed(stale):
        base, row, params, root, *_ = view.origin  # type: ignore[misc]
        view.own_node = _node(row, (base,), params, view.array)
        view.origin = view.origin._replace(node=root.own_node)  # type: ignore[union-attr]


def is_recorded(*tensors: Any) -> bool:
    """Whether an operation on these is recorded now."""
    if local.mode.grad:
        for x in tensors:
            if isinstance(x, Recorded):
                node = x.own_node if x.origin is None else x.node  # type: ignore[attr-defined]
                if node is not None and node.requires_grad:
                    return True
    return False


def become(target: "Tensor", result: "Tensor", name: str) -> None:
    """Give `target` the elements, and the place in the graph, of a result that was computed from it.

    RuntimeError where PyTorch refuses to do `name` in place: on a leaf that requires a gradient or a view of one, and
    for a result of another shape or of a dtype that does not fit.
    """
    recorded = target.array.dtype.kind == "f" and is_recorded(target, result)
    if recorded:
        root = target if target.origin is None else target.origin.root
        if root.requires_grad and root.is_leaf:
            raise RuntimeError(
                f"{name}: a leaf that requires a gradient cannot be changed in place, nor a view of one; do so under "
                "no_grad() or on .data, or compute a new tensor"
            )
        if target.origin is not None and target.origin.parted:
            raise RuntimeError(
                f"{name}: one of several views that {target.origin.parted} made at once cannot be changed in place; "
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
        result = result.to(dtype)
    np.copyto(target.array, result.array)
    if target.tracked:
        changed(name, target.array)
    if recorded:
        target.own_node = result.node
        _write_back(target)


def _write_back(view: "Tensor") -> None:
    """Record, for the tensors that a changed tensor is a view of, that they have changed with it."""
    line = []
    while view.origin is not None:
        base, row, params, *_ = view.origin
        if row is ops.index:
            base.own_node = _node(ops.assign, (base, view), params, base.array)
        elif row is ops.permute:
            base.own_node = _node(row, (view,), (tuple(np.argsort(params[0]).tolist()),), base.array)
        else:
            base.own_node = _node(row, (view,), (base.array.shape,), base.array)
        line.append(view)
        view = base
    for changed_view in line:
        changed_view.origin = changed_view.origin._replace(node=view.own_node)  # type: ignore[union-attr]


def _node(row: Row, operands: "tuple[Tensor, ...]", params: tuple[Any, ...], array: np.ndarray) -> Node | None:
    """The node for an array that already holds what `row` makes of its operands."""
    wanted = tuple([x.requires_grad for x in operands])
    inputs = tuple([x.node if x.requires_grad else x.wrap(x.array, x.own_node) for x in operands])
    plan = row.plans[wanted]
    values = (array, *params, *(x.array for x in operands))
    return Node(array).become(plan, inputs, params, plan.keep(values)) if plan.steps else None


# One thread at a time, or the latest number could be that of an earlier change. (A finalizer may come in between.)
_noting = threading.RLock()


def changed(name: str, *arrays: np.ndarray) -> None:
    """Note that `name` has changed arrays, for the nodes that have saved them."""
    line = calling_line() if local.mode.anomaly else None
    with _noting:
        for array in arrays:
            memory = array if array.base is None else graph.owner(array)
            change = graph.changes.get(id(memory))
            if change is None:
                change = Change(weakref.ref(memory, functools.partial(_forget, graph.changes, id(memory))))
                graph.changes[id(memory)] = change
            change.number = graph.changes.latest = next(graph.numbers)
            change.operation, change.line = name, line
            change.version += 1


def _forget(changes: dict[int, Change], key: int, reference: Any) -> None:
    """Let the note go with the memory, whose id may be another's next."""
    changes.pop(key, None)


def version(array: np.ndarray) -> int:
    """How often the memory of an array has been changed in place."""
    change = graph.changes.get(id(graph.owner(array)))
    return change.version if change else 0
