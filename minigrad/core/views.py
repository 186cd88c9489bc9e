"""Views: a Tensor that shares the memory of another knows its base, so that both follow a change in place.

When a view is changed in place, its base gets a new node (see `api/inplace.py`). The other views of that base notice
this when they are next used, and get new nodes too.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad.core.primitive import Primitive
from minigrad.core.record import Node

if TYPE_CHECKING:
    from minigrad.core.tensor import Tensor


class Base(NamedTuple):
    """Of which Tensor another is a view, and by which primitive with which parameters.

    `root` is the Tensor at the end of the chain of bases. `node` was the root's node when the view got its own: if the
    root has another one by now, the view's node is out of date. `made_by` is the function that returned this view, or
    one of its bases, as one of several at once; it is empty for other views.
    """

    tensor: "Tensor"
    primitive: Primitive
    params: tuple[Any, ...]
    root: "Tensor"
    node: Node | None
    made_by: str = ""


def regenerate_node(view: "Tensor") -> None:
    """Give a view a new node, if a Tensor that shares its memory was changed in place since it got its node."""
    asked, stale = view, []
    while view.base is not None and view.base.node is not view.base.root.stored_node:
        stale.append(view)
        view = view.base.tensor
    for view in reversed(stale):
        assert view.base is not None
        base = view.base
        node = node_for(base.primitive, (base.tensor,), base.params, view.array)
        succeed(view, node, retain=view is asked)
        view.base = base._replace(node=base.root.stored_node)


def node_for(
    primitive: Primitive, operands: tuple[Any, ...], params: tuple[Any, ...], array: np.ndarray
) -> Node | None:
    """The node of `array` as the result of a primitive on Tensors; None if none of them needs a gradient."""
    plan = primitive.plans[tuple([x.requires_grad for x in operands])]
    if not plan.steps:
        return None
    inputs = tuple([x.node if x.requires_grad else x.wrap(x.array, x.stored_node) for x in operands])
    arrays = [x.array for x in operands]
    shapes = [arrays[i].shape for i in primitive.shaped]
    return Node(array, plan, inputs, params, plan.save((array, *params, *arrays, *shapes)))


def succeed(tensor: "Tensor", node: Node | None, retain: bool = True) -> None:
    """Give a Tensor a new node after a change in place, which takes over what `retain_grad()` asked for."""
    before, tensor.stored_node = tensor.stored_node, node
    if retain and before is not None and before.plan is not None and node is not None:
        node.retains_grad, before.retains_grad = before.retains_grad, False
        node.grad, before.grad = before.grad, None
