"""Products of vectors and matrices: `matmul`, its operator `@`, and `dot`.

They sum over one shared dim. Sums over any dims that an equation names are in `einsum.py`.
"""

from typing import Any

import numpy as np

from minigrad.api.arguments import tensors_of
from minigrad.api.grad_fn import relabelled
from minigrad.api.shapes import squeeze, unsqueeze
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor, wrap

# PyTorch's names for the product. The key tells whether the left operand is a row and the right one a column.
_LABELS = {(False, False): "mm", (False, True): "mv", (True, False): "squeeze_", (True, True): "dot"}


@method
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Return the matrix product of two tensors, as `@` does (`torch.matmul`).

    (n, k) @ (k, m) gives (n, m). Dims in front of these are batch dims, which broadcast. A 1-D tensor is a row on the
    left and a column on the right; the result does not have this dim. Raises a RuntimeError if the inner sizes or the
    dtypes differ, or if one operand is a single number.

    >>> import minigrad
    >>> minigrad.ones(2, 3) @ minigrad.tensor([1.0, 2.0, 3.0])
    tensor([6., 6.])
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
    """Return the sum of the elementwise products of two 1-D tensors (`torch.dot`).

    Raises a RuntimeError for other numbers of dims, and if the sizes or the dtypes differ.

    >>> import minigrad
    >>> minigrad.tensor([1, 2]).dot(minigrad.tensor([3, 4]))
    tensor(11)
    """
    tensors_of("dot", (input, other))
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"dot: expected two 1-D tensors, got {input.array.shape} and {other.array.shape}; use @")
    return matmul(input, other)


@method
def __matmul__(input: Tensor, other: Any) -> Any:
    """Return `input @ other`, where `other` is a Tensor or a numpy array."""
    other = wrap(other) if isinstance(other, np.ndarray) else other
    return matmul(input, other) if isinstance(other, Tensor) else NotImplemented
