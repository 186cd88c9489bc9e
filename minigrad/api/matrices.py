"""Products of vectors and matrices under their own names, and sums of them. `matmul` and `@` are in `products.py`."""

import math
from typing import Any

from minigrad.api.arguments import Number, array_of, axis_of, check_dtypes, check_floating, tensors_of
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.products import matmul
from minigrad.api.refusals import named_refusals
from minigrad.api.shapes import permute, reshape
from minigrad.checks import int_of, shown
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor


def _dims(name: str, *wanted: tuple[Tensor, int]) -> None:
    """Raise a RuntimeError unless each tensor has its number of dims."""
    if any(array_of(name, x).ndim != ndim for x, ndim in wanted):
        shapes = " and ".join(str(x.array.shape) for x, _ in wanted)
        raise RuntimeError(f"{name}: expected {' and '.join(f'{n}-D' for _, n in wanted)} tensors, got {shapes}")


@method
@named_refusals
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the product of two matrices, (n, k) and (k, m) (`torch.mm`).

    >>> import minigrad
    >>> minigrad.mm(minigrad.ones(2, 3), minigrad.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    _dims("mm", (input, 2), (mat2, 2))
    return matmul(input, mat2)


@method
@named_refusals
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Return the products of two batches of matrices, (b, n, k) and (b, k, m) (`torch.bmm`)."""
    _dims("bmm", (input, 3), (mat2, 3))
    if len(input.array) != len(mat2.array):
        raise RuntimeError(f"bmm: {input.array.shape} and {mat2.array.shape}: the batches must have one size; use @")
    return relabelled(matmul(input, mat2), "bmm")


@method
@named_refusals
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Return the product of a matrix (n, k) and a vector (k) (`torch.mv`)."""
    _dims("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


@method
@named_refusals
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Return the products of each element of one vector and each of another (`torch.outer`).

    >>> import minigrad
    >>> minigrad.outer(minigrad.tensor([1, 2]), minigrad.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    _dims("outer", (input, 1), (vec2, 1))
    return reshape(input, -1, 1) * vec2


@method
@named_refusals
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Return the sums of products along the last dims of two tensors (`torch.inner`)."""
    a, b = array_of("inner", input), array_of("inner", other)
    if a.ndim and b.ndim:
        return tensordot(input, other, ([-1], [-1]))
    return input * other


@method
@labelled
def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """Return beta * input + alpha * (mat1 @ mat2), for matrices (`torch.addmm`).

    >>> import minigrad
    >>> minigrad.addmm(minigrad.ones(2), minigrad.ones(1, 3), minigrad.ones(3, 2))
    tensor([[4., 4.]])
    """
    return _added("addmm", input, mm(mat1, mat2), beta, alpha)


@method
@labelled
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """Return beta * input + alpha * (mat @ vec), for a matrix and a vector (`torch.addmv`)."""
    return _added("addmv", input, mv(mat, vec), beta, alpha)


@method
@labelled
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """Return beta * input + alpha * bmm(batch1, batch2), for batches of matrices (`torch.baddbmm`)."""
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def _added(name: str, input: Tensor, product: Tensor, beta: Any, alpha: Any) -> Tensor:
    """Return beta * input + alpha * product. For beta 0, the input has no influence, not even its nan."""
    if array_of(name, input).dtype != product.array.dtype:
        raise RuntimeError(f"{name}: dtypes {input.array.dtype} and {product.array.dtype} differ; convert one")
    if product.array.dtype.kind != "f":
        if name == "addmm" and float in map(type, (beta, alpha)):
            raise RuntimeError(
                f"{name}: {beta} and {alpha} would multiply integers; use ints, or convert with .float()"
            )
        beta, alpha = int(beta), int(alpha)
    added = input.expand(product.array.shape)
    if isinstance(beta, int | float) and beta == 0:
        return alpha * product
    return beta * added + alpha * product if (beta, alpha) != (1, 1) else added + product


@named_refusals
def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Return the sums of products over dims of both tensors (`torch.tensordot`).

    `dims` is a number n, for the last n dims of `a` and the first n dims of `b`, or a pair of lists of dims. Raises a
    RuntimeError if the sizes differ.

    >>> import minigrad
    >>> minigrad.tensordot(minigrad.ones(2, 3), minigrad.ones(3, 4), 1).shape
    torch.Size([2, 4])
    """
    tensors_of("tensordot", (a, b))
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, int):
        if not 0 <= dims <= min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot: {dims} dims of {a.array.shape} and {b.array.shape}")
        dims = [*range(a.ndim - dims, a.ndim)], [*range(dims)]
    of_a, of_b = ([dim] if isinstance(dim, int) else list(dim) for dim in dims)
    summed_a = [axis_of("tensordot", int_of("tensordot", dim), a.ndim) for dim in of_a]
    summed_b = [axis_of("tensordot", int_of("tensordot", dim), b.ndim) for dim in of_b]
    for axis, other in zip(summed_a, summed_b, strict=False):  # a size of 1 broadcasts
        if (a.array.shape[axis] == 1) != (b.array.shape[other] == 1):
            a = a.sum(axis, keepdim=True, dtype=a.dtype) if b.array.shape[other] == 1 else a
            b = b.sum(other, keepdim=True, dtype=b.dtype) if a.array.shape[axis] == 1 else b
    sizes = [[x.array.shape[axis] for axis in axes] for x, axes in ((a, summed_a), (b, summed_b))]
    if len(set(summed_a)) < len(summed_a) or len(set(summed_b)) < len(summed_b) or sizes[0] != sizes[1]:
        raise RuntimeError(f"tensordot: dims {shown(dims)} of {a.array.shape} and {b.array.shape} do not match")
    kept_a = [axis for axis in range(a.ndim) if axis not in summed_a]
    kept_b = [axis for axis in range(b.ndim) if axis not in summed_b]
    count = math.prod(sizes[0])
    outer_a, outer_b = ([x.array.shape[i] for i in axes] for x, axes in ((a, kept_a), (b, kept_b)))
    left = reshape(permute(a, [*kept_a, *summed_a]), math.prod(outer_a), count)
    right = reshape(permute(b, [*summed_b, *kept_b]), count, math.prod(outer_b))
    return reshape(matmul(left, right), [*outer_a, *outer_b])


@named_refusals
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "") -> Tensor:
    """Return the distance of each row of (..., n, m) from each row of (..., k, m), as (..., n, k) (`torch.cdist`).

    There is one way to compute it, so `compute_mode` has no effect.
    """
    if array_of("cdist", x1).ndim < 2 or array_of("cdist", x2).ndim < 2:
        raise RuntimeError(f"cdist: expected rows in matrices, got {x1.array.shape} and {x2.array.shape}")
    check_floating("cdist", x1)
    check_dtypes("cdist", x1, x2)
    return relabelled((x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, -1), "cdist")
