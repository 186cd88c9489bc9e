"""The forward functions of primitives that are longer than a line: numpy in, numpy out, no primitive called.

`derive` copies a function from here into the source that it writes, if numpy has no word for it. So each stands alone,
and those that are copied are explained by comments: a docstring would be copied too.
"""

import functools
import math
from typing import Any

import numpy as np

from minigrad.core.primitive import Axes, Shape

# Functions of one number


def erf(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x)).astype(x.dtype)  # numpy has no error function


def sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))  # the exponent is never positive, so exp cannot overflow
    return np.where(x >= 0, 1, e) / (1 + e)


# Reductions. Subtracting the maximum first changes no result, and keeps exp from overflowing. A wider dtype keeps sums
# from rounding away what they add.


@functools.lru_cache
def count(shape: Shape, axes: Axes) -> int:
    """The number of elements of `shape` that are reduced to one over `axes`."""
    return math.prod(shape[axis] for axis in axes)


LONG, PARTS = 512, 32  # from so many rows on, an array is summed in so many parts


def total(x: np.ndarray, axes: Axes, keepdims: Any) -> np.ndarray:
    if x.dtype.char != "e" and (x.size < LONG or max(x.shape) < LONG):
        return np.add.reduce(x, axes, keepdims=keepdims)
    wide: np.ndarray = x.astype(np.float32) if x.dtype.char == "e" else x  # which is float16
    for axis in axes:
        if wide.shape[axis] >= LONG and wide.strides[axis] > wide.itemsize:
            while wide.shape[axis] > 2 * PARTS:
                wide = folded(wide, axis)
    result = np.add.reduce(wide, axes, keepdims=keepdims)
    return result.astype(x.dtype, copy=False)


# numpy adds the rows of an array one after the other, unless they lie side by side in memory. Over many rows the errors
# would add up. So the array is cut into a few parts of many rows each, and these are added, until few rows remain. Then
# the error grows with the logarithm of the number of rows. It is faster, too: numpy adds large parts faster than rows.
def folded(x: np.ndarray, axis: int) -> np.ndarray:
    rows = x.shape[axis] // PARTS
    whole, rest = np.split(x, [PARTS * rows], axis)
    parts = whole.reshape(*x.shape[:axis], PARTS, rows, *x.shape[axis + 1 :])
    return np.concatenate([np.add.reduce(parts, axis), rest], axis)


def mean(x: np.ndarray, axes: Axes, keepdims: bool) -> np.ndarray:
    return total(x, axes, keepdims) / count(x.shape, axes)


def cumsum(x: np.ndarray, axis: int) -> np.ndarray:
    wide = np.float64 if x.dtype.kind == "f" else x.dtype
    return np.add.accumulate(x, axis, wide).astype(x.dtype, copy=False)


def softmax(x: np.ndarray, axes: Axes) -> np.ndarray:
    counts = np.exp(x - np.maximum.reduce(x, axes, keepdims=True, initial=-math.inf))
    return counts / np.add.reduce(counts, axes, np.float64, keepdims=True).astype(x.dtype)


def log_softmax(x: np.ndarray, axes: Axes) -> np.ndarray:
    shifted = x - np.maximum.reduce(x, axes, keepdims=True, initial=-math.inf)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axes, np.float64, keepdims=True)).astype(x.dtype)


def logsumexp(x: np.ndarray, axes: Axes, keepdims: bool) -> np.ndarray:
    greatest = np.maximum.reduce(x, axes, keepdims=True, initial=-math.inf)
    greatest = np.where(np.isfinite(greatest), greatest, 0)  # infinity minus itself would be nan
    counts = np.add.reduce(np.exp(x - greatest), axes, np.float64, keepdims=True)
    result = np.log(counts).astype(x.dtype) + greatest
    return result if keepdims else result.squeeze(axes)


# One over the number of elements that equal `y` along `axes`, at the places of these elements; else 0. (If `y` is nan,
# these are the elements that are nan: no number equals nan.)
def ties(x: np.ndarray, y: np.ndarray, axes: Axes) -> np.ndarray:
    equal = ((x == y) | (x != x)).astype(x.dtype)
    return equal / equal.sum(axes, keepdims=True)


# Shape


@functools.lru_cache
def _broadcast_strides(shape: Shape, strides: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The strides of an array that is repeated along its dims of size 1, and along new dims in front."""
    inner = [0 if size == 1 else stride for size, stride in zip(shape, strides, strict=True)]
    return (*[0] * (ndim - len(shape)), *inner)


def expand(x: np.ndarray, shape: Shape) -> np.ndarray:
    if not x.size or not x.flags.c_contiguous:
        return np.broadcast_to(x, shape)
    # The gradient of every sum comes through here, and np.broadcast_to takes ten times as long.
    repeated: np.ndarray = np.ndarray(shape, x.dtype, x, 0, _broadcast_strides(x.shape, x.strides, len(shape)))
    repeated.flags.writeable = False
    return repeated


# Selection


def one_hot(indices: np.ndarray, shape: Shape, axis: int, dtype: Any) -> np.ndarray:
    choices = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - axis - 1))
    return (choices == indices).astype(dtype)


_identity = functools.lru_cache(maxsize=8)(np.eye)


def one_hot_rows(indices: np.ndarray, shape: Shape, axis: int, dtype: Any) -> np.ndarray:
    """`one_hot`, faster for few classes along the last axis: as rows of an identity matrix that is kept."""
    if axis < len(shape) - 1 or shape[axis] > 256:
        return one_hot(indices, shape, axis, dtype)
    places = indices.reshape(indices.shape[:-1]).astype(np.intp, copy=False)
    rows: np.ndarray = _identity(shape[axis], dtype=dtype).take(places, 0)
    return rows


def index(x: np.ndarray, key: tuple[Any, ...]) -> np.ndarray:
    """`x[key]`; if the key has arrays, the result is contiguous. For one array of integers, `take` is faster."""
    if np.ndarray not in map(type, key):
        return x[key]
    rows, whole = key[-1], all(type(k) is slice and k == slice(None) for k in key[:-1])
    if whole and type(rows) is np.ndarray and rows.dtype.kind != "b" and x.size and len(key) <= x.ndim:
        return x.take(rows.astype(np.intp, copy=False), len(key) - 1)
    result = x[key]
    return np.asarray(result, order="C") if result.ndim > 1 else result


# Zeros of a shape, to which `x` is added at `key`, as often as `key` names a place.
#
# There are five ways, and the choice is a matter of speed. Ints, slices and masks name no place twice, so one
# assignment will do. Few elements are added one by one. Many rows are sorted by their place, so that the rows of each
# place form a run: short runs are summed by one call for all, long runs one by one, while they are in the cache. For
# anything else, `bincount` sums over flat places.
def put(x: np.ndarray, key: tuple[Any, ...], shape: Shape) -> np.ndarray:
    whole = np.zeros(shape, x.dtype)
    lists = [k for k in key if isinstance(k, np.ndarray) and k.dtype.kind != "b"]
    if not lists:
        whole[key] = x
    elif x.size <= 64:
        np.add.at(whole, key, x)
    elif len(key) == 1 and len(shape) > 1 and x.size > 2**14:
        places = lists[0].ravel().astype(np.intp) % shape[0]
        small = places.astype(np.uint16) if shape[0] <= 2**16 else places  # sorted several times as fast
        order = small.argsort(kind="stable")
        rows, starts = np.unique(places[order], return_index=True)
        x = x.reshape(len(places), *shape[1:])
        if len(places) < 16 * len(rows):
            whole[rows] = np.add.reduceat(x.take(order, 0), starts)
        else:
            for row, run in zip(rows, np.split(order, starts[1:]), strict=True):
                np.add.reduce(x.take(run, 0), 0, out=whole[row])
    else:
        places = np.arange(whole.size).reshape(shape)
        places = places.take(lists[0].astype(np.intp, copy=False), 0) if len(key) == 1 else places[key]
        whole = np.bincount(places.ravel(), x.ravel(), whole.size).reshape(shape).astype(x.dtype)
    return whole


def assign(x: np.ndarray, value: Any, key: tuple[Any, ...]) -> np.ndarray:
    """A copy of `x` with `value` at `key`."""
    changed = np.array(x)
    changed[key] = value
    return changed
