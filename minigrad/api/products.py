"""Products of vectors and matrices: `@`, `matmul`, `dot`."""

from typing import Any

import numpy as np

from minigrad.api.arguments import tensors_of
from minigrad.api.grad_fn import relabelled
from minigrad.api.shapes import squeeze, unsqueeze
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor, wrap

# What PyTorch calls the product: by whether a row stands on the left, and a column on the right.
_LABELS = {(False, False): "mm", (False, True): "mv", (True, False): "squeeze_", (True, True): "dot"}


@method
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """The matrix product, as `@` (`torch.matmul`).

    (n, k) @ (k, m) is (n, m), and further dimensions in front are broadcast batches; a 1-D operand is a row on the left
    and a column on the right, and its dimension is not in the result. RuntimeError where the inner sizes differ.
    """
    try:
        a, b = input.array, other.array
    except AttributeError:
        odd = other if hasattr(input, "array") else input
        raise TypeError(f"matmul: expected two Tensors, got {type(odd).__name__}; make one with tensor(...)") from None
    if not a.ndim or not b.ndim:
        raise RuntimeError(f"matmul: {a.shape} @ {b.shape}: both need a dimension; use * for single numbers")
    if a.dtype != b.dtype:
        raise RuntimeError(f"matmul: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    row, column = a.ndim == 1, b.ndim == 1
    inner = a.shape[-1], b.shape[-1 if column else -2]
    if inner[0] != inner[1]:
        raise RuntimeError(f"matmul: {a.shape} @ {b.shape}: inner sizes {inner[0]} and {inner[1]} differ")
    if a.ndim == b.ndim == 2:
        return ops.matmul.on_tensors(input, other)
    left = unsqueeze(input, 0) if row else input
    right = unsqueeze(other, 1) if column else other
    product = ops.matmul.on_tensors(left, right)
    if row or column:
        product = squeeze(product, (-2,) * row + (-1,) * column)
    if product.ndim > 2 or a.ndim > 2 or b.ndim > 2:
        return relabelled(product, "unsafe_view")
    return relabelled(product, _LABELS[row, column])


@method
def dot(input: Tensor, other: Tensor) -> Tensor:
    """The sum of the products of the elements of two 1-D tensors (`torch.dot`)."""
    tensors_of("dot", (input, other))
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"dot: expected two 1-D tensors, got {input.array.shape} and {other.array.shape}; use @")
    return matmul(input, other)


@method
def __matmul__(input: Tensor, other: Any) -> Any:
    other = wrap(other) if isinstance(other, np.ndarray) else other
    return matmul(input, other) if isinstance(other, Tensor) else NotImplemented
