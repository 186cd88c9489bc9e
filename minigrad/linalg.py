"""Norms under their linear-algebra names (`torch.linalg`)."""

import math
from typing import Any

from minigrad.api import missing
from minigrad.api.arguments import Dims, array_of, axes_of
from minigrad.api.extremes import amax, amin
from minigrad.api.norms import vector_norm as norm_of
from minigrad.checks import shown
from minigrad.core.dtypes import DType
from minigrad.core.tensor import Tensor

__getattr__ = missing.of_module(__name__, "torch.linalg")


def vector_norm(x: Tensor, ord: float = 2, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """Return the sum of |x|**ord to the power of 1 / ord, over all dims or over `dim` (`torch.linalg.vector_norm`).

    Orders 0, inf and -inf count the elements that are not 0, and take the largest and the smallest |x|. Where the norm
    is 0, its gradient is 0. Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> vector_norm(minigrad.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return norm_of("vector_norm", x, ord, dim, keepdim, dtype)


def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: DType = None
) -> Tensor:
    """Return a norm of the matrices in two dims (`torch.linalg.matrix_norm`).

    "fro" is the root of the sum of squares; 1 and -1 are the largest and the smallest sum of a column of |A|, inf and
    -inf those of a row. Raises a RuntimeError for the norms that need singular values: 2, -2 and "nuc".

    >>> import minigrad
    >>> matrix_norm(minigrad.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    axes = axes_of("matrix_norm", A, dim)
    if len(axes) != 2 or array_of("matrix_norm", A).ndim < 2:
        raise RuntimeError(f"matrix_norm: expected two dims of a matrix, got {shown(dim)} of {A.array.shape}")
    if ord == "fro":
        return norm_of("matrix_norm", A, 2, axes, keepdim, dtype)
    if isinstance(ord, str) or abs(ord) not in (1, math.inf):
        raise RuntimeError(
            f"matrix_norm: {shown(ord)} needs singular values, which minigrad does not compute; use 'fro'"
        )
    summed, chosen = axes if abs(ord) == 1 else axes[::-1]
    sums = norm_of("matrix_norm", A, 1, summed, True, dtype)
    result = (amax if ord > 0 else amin)(sums, chosen, True)
    return result if keepdim else result.squeeze(axes)


def norm(A: Tensor, ord: Any = None, dim: Dims = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
    """Return the norm of a vector or a matrix (`torch.linalg.norm`).

    Without an order, it is the root of the sum of squares over all dims or over `dim`. With one, it is `matrix_norm` of
    two dims, and `vector_norm` of one.
    """
    if ord is None:
        return norm_of("norm", A, 2, dim, keepdim, dtype)
    dims = tuple(range(A.ndim)) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    if isinstance(ord, str) or len(dims) == 2:
        return matrix_norm(A, ord, dims, keepdim, dtype=dtype)
    if len(dims) != 1:
        raise RuntimeError(f"norm: of order {ord} is defined for one or two dims, got {len(dims)}; give dim")
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)
