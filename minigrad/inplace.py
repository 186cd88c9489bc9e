"""Changes in place: where they are allowed, how they are recorded, and who needs to know.

A change writes into an array that others may see: views share it, and the reverse pass may need what was there. So
every change is noted under the array that owns the memory, with a number from the same count that numbers the nodes; a
node that saved a value finds there whether it has been changed since.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import graph, ops
from minigrad.ops import Recorded

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

VIEWS = {ops.index, ops.reshape, ops.permute, ops.expand}


def is_recorded(*tensors: Any) -> bool:
    """Whether an operation on these is recorded now."""
    return graph.mode.grad and any(isinstance(x, Recorded) and x.requires_grad for x in tensors)  # type: ignore[attr-defined]


def become(target: "Tensor", result: "Tensor", name: str) -> None:
    """Give `target` the elements, and the place in the graph, of a result that was computed from it.

    RuntimeError where PyTorch refuses to do `name` in place: on a leaf that requires a gradient, on a view of one, for
    a result of another shape or of a dtype that does not fit; and on a view of any Tensor that requires a gradient.
    """
    recorded, node = is_recorded(target, result), target.node
    if recorded and target.requires_grad and target.is_leaf:
        raise RuntimeError(
            f"{name}: a leaf that requires a gradient cannot be changed in place; do so under no_grad() or on .data, "
            "or compute a new tensor"
        )
    if recorded and node and node.plan and node.plan.row in VIEWS and target.array.base is not None:
        raise RuntimeError(
            f"{name}: a view of a tensor that requires a gradient cannot be changed in place; assign to the tensor "
            "itself, as in x[0] = x[0] + 1, or compute a new one"
        )
    shape, dtype = target.array.shape, target.array.dtype
    if result.array.shape != shape:
        raise RuntimeError(f"{name}: a result of shape {result.array.shape} does not fit in place into {shape}")
    if not np.can_cast(result.array.dtype, dtype, "same_kind"):
        raise RuntimeError(
            f"{name}: a result of {result.array.dtype} cannot be put in place into {dtype}; convert first"
        )
    result = result.to(dtype)
    np.copyto(target.array, result.array)
    changed(target.array, name)
    if recorded:
        target.node = result.node


def changed(array: np.ndarray, name: str) -> None:
    """Note that `name` has changed an array, for the nodes that have saved it."""
    graph.changes[id(graph.owner(array))] = (next(graph.numbers), name)
