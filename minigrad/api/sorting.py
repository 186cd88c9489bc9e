"""Order: sorting, the largest of each row, medians, different elements and their counts.

These functions return elements together with the indices at which they stood. Gradients flow through the elements.
"""

import math
from typing import Any

import numpy as np

from minigrad.api.arguments import array_of, check_floating, dim_of
from minigrad.api.grad_fn import relabelled
from minigrad.api.reductions import _numpy_spelling
from minigrad.api.refusals import named_refusals
from minigrad.api.return_types import return_type
from minigrad.api.selection import chosen
from minigrad.checks import flag_of, int_of, number_of
from minigrad.core import ops
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor, wrap

Sorted, Top = return_type("sort", "values", "indices"), return_type("topk", "values", "indices")
Median, KthValue = return_type("median", "values", "indices"), return_type("kthvalue", "values", "indices")


@method
def sort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Return the elements in order along a dim, and the indices at which they stood (`torch.sort`).

    nan counts as the largest. Equal elements keep their order, whether `stable` is set or not.

    >>> import minigrad
    >>> minigrad.tensor([3, 1, 2]).sort().values
    tensor([1, 2, 3])
    """
    flag_of("sort", "stable", stable)
    return _sorted("sort", input, dim, descending, Sorted)


@method
def argsort(input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False) -> Tensor:
    """Return the indices that put the elements in order along a dim (`torch.argsort`).

    >>> import minigrad
    >>> minigrad.tensor([3, 1, 2]).argsort()
    tensor([1, 2, 0])
    """
    flag_of("argsort", "stable", stable)
    indices: Tensor = wrap(_order("argsort", input, dim_of("argsort", input, dim), descending))
    return indices


@method
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """Return the `k` largest (or smallest) elements along a dim, in order, and their indices (`torch.topk`).

    Raises a RuntimeError if there are fewer than `k` elements.

    >>> import minigrad
    >>> minigrad.tensor([1, 5, 3]).topk(2).values
    tensor([5, 3])
    """
    flag_of("topk", "sorted", sorted)
    axis, k = dim_of("topk", input, dim), int_of("topk", k.item() if isinstance(k, Tensor) else k)
    length = (input.array.shape or (1,))[axis]
    if not 0 <= k <= length:
        raise RuntimeError(f"topk: k={k} is out of range for {length} elements along dim {dim}")
    return _sorted("topk", input, dim, flag_of("topk", "largest", largest), Top, slice(k))


@method
@_numpy_spelling
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """Return the median, or the pair `(values, indices)` along a dim (`torch.median`).

    Of an even number of elements, it is the lower one of the two in the middle. It is nan if an element is nan.
    Without a dim, elements equal to it share the gradient evenly.

    >>> import minigrad
    >>> minigrad.tensor([3, 1, 2, 9]).median()
    tensor(2)
    """
    flag_of("median", "keepdim", keepdim)
    if dim is None:
        x = array_of("median", input).reshape(-1)
        if not x.size:
            return input.sum() * math.nan
        missing = np.isnan(x)
        equal = missing if missing.any() else x == np.partition(x, (x.size - 1) // 2)[(x.size - 1) // 2]
        # The greatest of equal elements shares its gradient between them.
        return relabelled(ops.amax.on_tensors(input.reshape(-1)[wrap(equal)], (0,), False), "median")
    axis = dim_of("median", input, dim)
    x = array_of("median", input)
    if x.ndim and not x.shape[axis]:
        raise IndexError(f"median: {x.shape} has no elements along dim {dim}")
    order = _order("median", input, axis, False)
    lower = (np.shape(order)[axis] - 1) // 2 if x.ndim else 0
    places = order if not x.ndim else order.take([lower], axis)
    if x.dtype.kind == "f" and x.ndim:
        missing = np.isnan(x)
        places = np.where(missing.any(axis, keepdims=True), missing.argmax(axis, keepdims=True), places)
    return _selected("median", input, axis, places, keepdim, Median)


@method
@_numpy_spelling
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """Return the k-th smallest element along a dim, counted from 1, and its index (`torch.kthvalue`).

    Raises a RuntimeError if there are fewer than `k` elements.

    >>> import minigrad
    >>> minigrad.tensor([3, 1, 2]).kthvalue(2).values
    tensor(2)
    """
    flag_of("kthvalue", "keepdim", keepdim)
    axis, k = dim_of("kthvalue", input, dim), int_of("kthvalue", k)
    order = _order("kthvalue", input, axis, False)
    length = order.shape[axis] if order.ndim else 1
    if not 1 <= k <= length:
        raise RuntimeError(f"kthvalue: k={k} is out of range for {length} elements along dim {dim}")
    places = order.take([k - 1], axis) if order.ndim else order
    return _selected("kthvalue", input, axis, places, keepdim, KthValue)


def _order(name: str, input: Tensor, axis: int, descending: bool) -> np.ndarray:
    """Return the indices that put the elements in order along an axis; equal elements keep their order."""
    x = array_of(name, input)
    if not x.ndim:
        return np.zeros((), np.int64)
    if not flag_of(name, "descending", descending):
        return np.asanyarray(x.argsort(axis, kind="stable"), np.int64)
    # Sorted backwards, and then read backwards, equal elements keep their order.
    backwards = np.flip(x, axis).argsort(axis, kind="stable")
    return np.asanyarray(x.shape[axis] - 1 - np.flip(backwards, axis), np.int64)


def _sorted(name: str, input: Tensor, dim: int, descending: bool, kind: Any, part: slice = slice(None)) -> Any:
    """Return the first elements in order along a dim, and their indices."""
    axis = dim_of(name, input, dim)
    order = _order(name, input, axis, descending)
    if order.ndim:
        order = order[(*[slice(None)] * axis, part)]
    return kind((chosen(name, input, axis, order), wrap(order.copy())))


def _selected(name: str, input: Tensor, axis: int, places: np.ndarray, keepdim: bool, kind: Any) -> Any:
    """Return the elements at one index along an axis, and the indices."""
    values, indices = chosen(name, input, axis, places), wrap(places)
    if keepdim or not input.ndim:
        return kind((values, indices))
    return kind((relabelled(values.squeeze(axis), name), indices.squeeze(axis)))


# Different elements


@method
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """Return the different elements in order, or the different slices along a dim (`torch.unique`).

    With `return_inverse`, also return for each element its index in the result, and with `return_counts`, how often
    each occurs.

    >>> import minigrad
    >>> minigrad.tensor([3, 1, 3]).unique(return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    x, axis = array_of("unique", input), None if dim is None else dim_of("unique", input, dim)
    flag_of("unique", "sorted", sorted)
    wanted = [flag_of("unique", "return_inverse", return_inverse), flag_of("unique", "return_counts", return_counts)]
    found, inverse, counts = np.unique(x, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    shape = x.shape if axis is None else (x.shape[axis],)
    results = [wrap(found)]
    results += [wrap(inverse.astype(np.int64).reshape(shape))] * wanted[0]
    results += [wrap(counts.astype(np.int64))] * wanted[1]
    return tuple(results) if any(wanted) else results[0]


@method
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """Count how often each integer from 0 on occurs, or sum the weights of its places (`torch.bincount`).

    The result has a count for each integer up to the largest, and at least `minlength` counts. Raises a RuntimeError if
    the input is not 1-D, or has negative integers.

    >>> import minigrad
    >>> minigrad.tensor([0, 1, 1, 3]).bincount()
    tensor([1, 2, 0, 1])
    """
    x = array_of("bincount", input)
    if x.dtype.kind not in "iu":
        raise NotImplementedError(f"bincount: counts integers, not {x.dtype}; convert with .long()")
    if x.ndim != 1 or (x.size and x.min() < 0) or int_of("bincount", minlength) < 0:
        raise RuntimeError(
            f"bincount: expected a 1-D tensor of integers from 0 on, got {x.shape}; minlength={minlength}"
        )
    if weights is not None and array_of("bincount", weights).shape != x.shape:
        raise RuntimeError(f"bincount: weights of shape {weights.array.shape} for an input of {x.shape}")
    each = None if weights is None else weights.array
    counts = np.bincount(x.astype(np.intp, copy=False), each, minlength)
    kept = (
        np.float32 if each is not None and each.dtype == np.float32 else counts.dtype if each is not None else np.int64
    )
    return wrap(counts.astype(kept))


@method
@named_refusals
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """Count the elements in `bins` equal parts of the range from `min` to `max` (`torch.histc`).

    If both are 0, the range is that of the elements. Raises a RuntimeError if `bins` is not positive.

    >>> import minigrad
    >>> minigrad.tensor([1.0, 2.0, 1.0]).histc(4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    check_floating("histc", input)
    low, high = number_of("histc", "min", min), number_of("histc", "max", max)
    x = input.array
    if int_of("histc", bins) <= 0 or not low <= high:
        raise RuntimeError(f"histc: expected bins > 0 and min <= max, got {bins} bins from {low} to {high}")
    if low == high and x.size:
        low, high = x.min(), x.max()
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"histc: the range from {low} to {high} is not finite; give min and max")
    return wrap(np.histogram(x, bins, (float(low), float(high)))[0].astype(x.dtype))
