"""What a node prints as: the names that PyTorch gives its `grad_fn`.

PyTorch names a node after the operation, `TanhBackward0`, with a number for the variant of the operation. `SPELLED`
lists the names that are not made like this. A function that is composed of several primitives labels the last node
with its own name.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from minigrad.core.record import Node

Function = TypeVar("Function", bound=Callable[..., Any])

# By the label of a node, or else by the name of its primitive.
SPELLED = {
    "amax": "MaxBackward1",
    "amin": "MinBackward1",
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
# An operation whose first operand is a number is another one in PyTorch.
WITH_NUMBER_FIRST = {"sub": "RsubBackward1", "div": "MulBackward0", "pow": "PowBackward2"}
# Indexing without arrays is one operation for each index; the last of them gives the name.
INDEXED_BY: dict[type, str] = {int: "select", type(None): "unsqueeze", slice: "slice"}


def grad_fn_name(node: Node) -> str:
    """PyTorch's name for the `grad_fn` that a node is; that of a leaf is `AccumulateGrad`."""
    if node.plan is None:
        return "AccumulateGrad"
    name = node.label or node.operation
    numbers = [isinstance(x, int | float) for x in node.inputs]
    if name in WITH_NUMBER_FIRST and numbers[0]:
        return WITH_NUMBER_FIRST[name]
    if name == "pow" and not numbers[1]:
        name = "pow.Tensor"
    if name == "index":
        name = _indexed_by(node.params[0])
    return SPELLED.get(name) or name.title().replace("_", "") + "Backward0"


def _indexed_by(key: tuple[Any, ...]) -> str:
    if np.ndarray in map(type, key):
        return "index"
    kinds = [type(k) for k in key if k != slice(None) and k is not ...]
    last = kinds[-1] if kinds else slice if slice(None) in key else type(...)
    return INDEXED_BY.get(last, "alias")


def relabelled(result: Any, label: str) -> Any:
    """`result`, a new Tensor, whose node is to print as that of the operation `label`."""
    if result.node is not None and result.node.plan is not None:
        result.node.label = label
    return result


def labelled(function: Function) -> Function:
    """Let the result of a composition print as that of one operation, which has the name of the function."""

    @functools.wraps(function)
    def composed(*args: Any, **kwargs: Any) -> Any:
        return relabelled(function(*args, **kwargs), function.__name__)

    return composed  # type: ignore[return-value]


def _repr(node: Node) -> str:
    return f"<{grad_fn_name(node)}>"


Node.__repr__ = _repr  # type: ignore[method-assign]
