"""The names that nodes print, which are the names of PyTorch's `grad_fn`.

They stand here and not in the core because they are PyTorch's. A node has the name of its operation, as in
`TanhBackward0`; the digit tells the variant. `SPELLED` lists the names that do not follow this pattern. A function that
applies several primitives labels the last node with its name.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minigrad.api.refusals import REFUSABLE, refusal
from minigrad.core.record import Node

Function = TypeVar("Function", bound=Callable[..., Any])

# The key is the label of the node, or the name of its primitive if it has no label.
SPELLED = {
    "amax": "MaxBackward1",
    "amin": "MinBackward1",
    "atan2": "Atan2Backward0",
    "floor_divide": "DivBackward2",
    "assign": "CopySlices",
    "batch_norm": "NativeBatchNormBackward0",
    "cast": "ToCopyBackward0",
    "clamp": "ClampBackward1",
    "cross_entropy": "NllLossBackward0",
    "layer_norm": "NativeLayerNormBackward0",
    "linear": "AddmmBackward0",
    "linear_map": "MmBackward0",
    "matmul": "MmBackward0",
    "mean.dim": "MeanBackward1",
    "pow.Tensor": "PowBackward1",
    "repeat_interleave": "ViewBackward0",
    "reshape": "ViewBackward0",
    "squeeze.dim": "SqueezeBackward1",
    "squeeze.dims": "SqueezeBackward2",
    "squeeze_": "SqueezeBackward4",
    "sum.dim": "SumBackward1",
}
# If the first operand is a number, PyTorch uses another operation.
WITH_NUMBER_FIRST = {"sub": "RsubBackward1", "div": "MulBackward0", "pow": "PowBackward2"}
# Without arrays, PyTorch applies one operation for each index; the last one gives the name.
INDEXED_BY: dict[type, str] = {int: "select", type(None): "unsqueeze", slice: "slice"}


def grad_fn_name(node: Node) -> str:
    """Return PyTorch's name for the `grad_fn` of a node; the name of a leaf is `AccumulateGrad`."""
    if node.plan is None:
        return "AccumulateGrad"
    name = node.label or node.operation
    numbers = [isinstance(x, int | float) for x in node.inputs]
    if node.plan.primitive.params == ("call",):  # a Function of the user's
        return f"{name}Backward"
    if name in WITH_NUMBER_FIRST and numbers[0]:
        return WITH_NUMBER_FIRST[name]
    if name == "pow" and not numbers[1]:
        name = "pow.Tensor"
    if name == "index":
        name = _indexed_by(node.params[0])
    return SPELLED.get(name) or name.title().replace("_", "") + "Backward0"


def _indexed_by(key: tuple[Any, ...]) -> str:
    """Return the name of the last operation that PyTorch applies for an index without arrays, or "index"."""
    if np.ndarray in map(type, key):
        return "index"
    kinds = [type(k) for k in key if k != slice(None) and k is not ...]
    last = kinds[-1] if kinds else slice if slice(None) in key else type(...)
    return INDEXED_BY.get(last, "alias")


def relabelled(result: Any, label: str) -> Any:
    """Label the node of `result`, a new Tensor, so that it prints as the operation `label`, and return `result`."""
    if result.node is not None and result.node.plan is not None:
        result.node.label = label
    return result


def labelled(function: Function) -> Function:
    """Decorate a function of several primitives so that its result prints as one operation.

    The operation has the name of the function, and so have its refusals.
    """
    name = function.__name__

    @functools.wraps(function)
    def composed(*args: Any, **kwargs: Any) -> Any:
        try:
            return relabelled(function(*args, **kwargs), name)
        except REFUSABLE as error:
            raise refusal(name, error) from None

    return composed  # type: ignore[return-value]


def _repr(node: Node) -> str:
    return f"<{grad_fn_name(node)}>"


def next_functions(node: Node) -> tuple[tuple[Node | None, int], ...]:
    """The nodes of the operands, each with the number 0; None for an operand without a gradient.

    These are the pairs of `torch.autograd.graph.Node.next_functions`.
    """
    return tuple([(x if isinstance(x, Node) else None, 0) for x in node.inputs])


Node.__repr__ = _repr  # type: ignore[method-assign]
Node.name = grad_fn_name  # type: ignore[attr-defined]
Node.next_functions = property(next_functions)  # type: ignore[attr-defined]
