"""The table: every operation with a derivative of its own, and that derivative beside it.

    tanh = row("tanh", np.tanh, x=lambda g, y: g * (1 - y * y))

reads: the operation `tanh` of one operand `x` is computed by `np.tanh`; when `g` is the gradient that arrives at its
result `y`, then `g * (1 - y * y)` is the gradient of `x`. A rule names what it needs, and only that is kept for it:

    g                the gradient of the loss with respect to the result
    y                the result
    a, b, x, ...     the operands, as the row names them
    x_shape          the shape of an operand
    axes, key, ...   the operation's parameters, as its forward function names them

A rule is an expression: it changes nothing it is given, and is written with operators, `.mT` and rows of this table,
so that it holds for floats (`Value`), numpy arrays (`Tensor`), Tensors (their gradients can be differentiated again)
and symbols (they print themselves). It knows nothing of broadcasting or of mixed dtypes: the reverse pass, in
`graph.py`, makes every gradient fit its operand. What a row is, and how its rules come to run, is in `rows.py`; how it
is applied to Tensors and Values, in `recording.py`.
"""

import functools
import itertools
import math
import operator
from typing import Any

import numpy as np

from minigrad.rows import Axes, Row, Shape

row = functools.partial(Row, table=globals())


@functools.lru_cache
def keepdims_shape(shape: Shape, axes: Axes) -> Shape:
    """What reducing `shape` over `axes` leaves where the reduced axes stay, with size 1."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


# Arithmetic

add = row("add", operator.add, elementwise=True, a=lambda g: g, b=lambda g: g)
sub = row("sub", operator.sub, elementwise=True, a=lambda g: g, b=lambda g: -g)
mul = row("mul", operator.mul, elementwise=True, a=lambda g, b: g * b, b=lambda g, a: g * a)
div = row("div", operator.truediv, floating=True, a=lambda g, b: g / b, b=lambda g, a, b: -g * (a / b / b))
neg = row("neg", operator.neg, elementwise=True, x=lambda g: -g)
pow: Row = row(  # the two comparisons keep 0 * 0**-1 and 0 * log(0), which are nan, out of the gradients
    "pow",
    operator.pow,
    number=math.pow,
    elementwise=True,
    a=lambda g, a, b: g * (b * a ** (b - 1.0 * (b != 0))),
    b=lambda g, y, a, b: g * (y * log(where((a == 0) * (b >= 0), 1.0, a))),
)
matmul = row("matmul", np.matmul, a=lambda g, b: g @ b.mT, b=lambda g, a: a.mT @ g)

einsum: Row = row(  # of two operands, whose dims have the letters in `terms`, as those of the result have
    "einsum",
    lambda a, b, terms: np.einsum("{},{}->{}".format(*terms), a, b, optimize=True),
    a=lambda g, b, terms: einsum(g, b, (terms[2], terms[1], terms[0])),
    b=lambda g, a, terms: einsum(g, a, (terms[2], terms[0], terms[1])),
)

# Functions of one number


def _erf(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.frompyfunc(math.erf, 1, 1)(x)).astype(x.dtype)  # numpy has no error function


def _sigmoid(x: Any) -> Any:
    e = np.exp(-np.abs(x))  # of a number that is not positive, so that it cannot overflow
    return np.where(x >= 0, 1, e) / (1 + e)


exp = row("exp", np.exp, number=math.exp, floating=True, x=lambda g, y: g * y)
log: Row = row("log", np.log, number=math.log, floating=True, x=lambda g, x: g / x)
log10 = row("log10", np.log10, floating=True, x=lambda g, x: g / (x * math.log(10)))
erf = row("erf", _erf, number=math.erf, floating=True, x=lambda g, x: g * (2 / math.sqrt(math.pi) * exp(-x * x)))
sqrt = row("sqrt", np.sqrt, number=math.sqrt, floating=True, x=lambda g, y: g / (2 * y))
tanh = row("tanh", np.tanh, number=math.tanh, floating=True, x=lambda g, y: g * (1 - y * y))
sigmoid = row("sigmoid", _sigmoid, floating=True, x=lambda g, y: g * (y * (1 - y)))
relu = row(
    "relu",
    lambda x: np.maximum(x, 0),
    number=lambda x: x if x > 0 else 0.0,
    elementwise=True,
    x=lambda g, y: g * (y != 0),
)
abs = row("abs", np.abs, number=math.fabs, elementwise=True, x=lambda g, x: g * sign(x))
clamp = row("clamp", lambda x, min, max: np.clip(x, min, max), x=lambda g, x, min, max: g * ((x >= min) * (x <= max)))
sign: Row = row("sign", np.sign, number=lambda x: float((x > 0) - (x < 0)), elementwise=True, x=None)

# Reductions


@functools.lru_cache
def count(shape: Shape, axes: Axes) -> int:
    """How many elements of `shape` go into one, where `axes` are reduced."""
    return math.prod(shape[axis] for axis in axes)


def _var(x: Any, axes: Axes, keepdims: bool, degrees: float) -> tuple[Any, Any]:
    centred = x - mean(x, axes, True)
    return sum(centred * centred, axes, keepdims) / degrees, centred


def _softmax(x: np.ndarray, axes: Axes) -> np.ndarray:
    counts = np.exp(x - np.maximum.reduce(x, axes, keepdims=True, initial=-math.inf))
    return counts / np.add.reduce(counts, axes, keepdims=True)


def _log_softmax(x: np.ndarray, axes: Axes) -> np.ndarray:
    shifted = x - np.maximum.reduce(x, axes, keepdims=True, initial=-math.inf)
    return shifted - np.log(np.add.reduce(np.exp(shifted), axes, keepdims=True))


def _logsumexp(x: np.ndarray, axes: Axes, keepdims: bool) -> np.ndarray:
    greatest = np.maximum.reduce(x, axes, keepdims=True, initial=-math.inf)
    greatest = np.where(np.isfinite(greatest), greatest, 0)  # infinity minus itself would be nan
    total = np.log(np.add.reduce(np.exp(x - greatest), axes, keepdims=True)) + greatest
    return total if keepdims else total.squeeze(axes)


def _to_greatest(g: Any, x: Any, y: Any, axes: Axes) -> Any:
    kept = keepdims_shape(x.shape, axes)
    return reshape(g, kept) * exp(x - reshape(y, kept))


def _backwards(x: Any, axis: int) -> Any:
    return index(x, (*[slice(None)] * axis, slice(None, None, -1)))


def _to_chosen(g: Any, x_shape: Shape, axes: Axes, indices: np.ndarray) -> Any:
    return reshape(g, indices.shape) * one_hot(indices, x_shape, axes[0], g.dtype)


def _to_ties(g: Any, x: Any, y: Any, axes: Axes) -> Any:
    kept = keepdims_shape(x.shape, axes)
    return reshape(g, kept) * ties(x, reshape(y, kept), axes)


def _ties(x: np.ndarray, y: np.ndarray, axes: Axes) -> np.ndarray:
    equal = (x == y).astype(x.dtype)
    return equal / equal.sum(axes, keepdims=True)


sum = row(
    "sum",
    lambda x, axes, keepdims: np.add.reduce(x, axes, keepdims=keepdims),
    x=lambda g, x_shape, axes: expand(reshape(g, keepdims_shape(x_shape, axes)), x_shape),
)
mean = row(
    "mean",
    lambda x, axes, keepdims: np.add.reduce(x, axes, keepdims=keepdims) / count(x.shape, axes),
    x=lambda g, x_shape, axes: expand(reshape(g / count(x_shape, axes), keepdims_shape(x_shape, axes)), x_shape),
)
var = row(  # divided by `degrees`, of freedom
    "var",
    _var,
    extras=("centred",),
    x=lambda g, centred, axes, degrees: reshape(2 * g / degrees, keepdims_shape(centred.shape, axes)) * centred,
)
softmax = row("softmax", _softmax, x=lambda g, y, axes: y * (g - sum(g * y, axes, True)))
log_softmax = row("log_softmax", _log_softmax, x=lambda g, y, axes: g - exp(y) * sum(g, axes, True))
logsumexp = row("logsumexp", _logsumexp, x=_to_greatest)
cumsum: Row = row(
    "cumsum",
    lambda x, axis: np.add.accumulate(x, axis),
    x=lambda g, axis: _backwards(cumsum(_backwards(g, axis), axis), axis),
)
max = row("max", lambda x, axes, keepdims, indices: np.maximum.reduce(x, axes, keepdims=keepdims), x=_to_chosen)
min = row("min", lambda x, axes, keepdims, indices: np.minimum.reduce(x, axes, keepdims=keepdims), x=_to_chosen)
amax = row("amax", lambda x, axes, keepdims: np.maximum.reduce(x, axes, keepdims=keepdims), x=_to_ties)
amin = row("amin", lambda x, axes, keepdims: np.minimum.reduce(x, axes, keepdims=keepdims), x=_to_ties)
ties: Row = row("ties", _ties, x=None, y=None)

# Shape and dtype. What `expand` repeats and `cast` rounds, the reverse pass undoes on the edge, as everywhere.


@functools.lru_cache
def _repeating(shape: Shape, strides: tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """The strides with which an array repeats itself along dims of size 1, and new ones in front."""
    inner = [0 if size == 1 else stride for size, stride in zip(shape, strides, strict=True)]
    return (*[0] * (ndim - len(shape)), *inner)


def _expand(x: np.ndarray, shape: Shape) -> np.ndarray:
    if not x.size or not x.flags.c_contiguous:
        return np.broadcast_to(x, shape)
    # The same, quicker, which the gradient of every sum takes.
    repeated: np.ndarray = np.ndarray(shape, x.dtype, x, 0, _repeating(x.shape, x.strides, len(shape)))
    repeated.flags.writeable = False
    return repeated


reshape: Row = row("reshape", lambda x, shape: x.reshape(shape), views=True, x=lambda g, x_shape: reshape(g, x_shape))
permute: Row = row(
    "permute",
    lambda x, axes: x.transpose(axes),
    views=True,
    x=lambda g, axes: permute(g, tuple(np.argsort(axes).tolist())),
)
expand: Row = row("expand", _expand, x=lambda g: g)
cast = row("cast", lambda x, dtype: x.astype(dtype), x=lambda g: g)

# Selection


def _one_hot(indices: np.ndarray, shape: Shape, axis: int, dtype: Any) -> np.ndarray:
    choices = np.arange(shape[axis]).reshape(-1, *[1] * (len(shape) - axis - 1))
    return (choices == indices).astype(dtype)


_identity = functools.lru_cache(maxsize=8)(np.eye)


def _one_hot_rows(indices: np.ndarray, shape: Shape, axis: int, dtype: Any) -> np.ndarray:
    """The same, as rows of an identity that is kept, where there are few classes along the last axis."""
    if axis < len(shape) - 1 or shape[axis] > 256:
        return _one_hot(indices, shape, axis, dtype)
    rows: np.ndarray = _identity(shape[axis], dtype=dtype).take(indices.reshape(indices.shape[:-1]), 0)
    return rows


def _index(x: np.ndarray, key: tuple[Any, ...]) -> np.ndarray:
    """x[key]; of a list of rows, `take` is quicker."""
    rows = key[0] if len(key) == 1 and x.size and x.ndim else None
    return x.take(rows, 0) if isinstance(rows, np.ndarray) and rows.dtype.kind != "b" else x[key]


def _put(x: np.ndarray, key: tuple[Any, ...], shape: Shape) -> np.ndarray:
    whole = np.zeros(shape, x.dtype)
    lists = [k for k in key if isinstance(k, np.ndarray) and k.dtype.kind != "b"]
    if not lists:  # ints, slices and masks name no place twice
        whole[key] = x
    elif x.size <= 64:  # few, one by one
        np.add.at(whole, key, x)
    elif len(key) == 1 and len(shape) > 1 and x.size > 2**14:  # many rows: sorted, each one's run is summed at once
        places = lists[0].ravel().astype(np.intp) % shape[0]
        small = places.astype(np.uint16) if shape[0] <= 2**16 else places  # which are sorted several times as fast
        order = small.argsort(kind="stable")
        rows, starts = np.unique(places[order], return_index=True)
        x = x.reshape(len(places), *shape[1:])
        if len(places) < 16 * len(rows):
            whole[rows] = np.add.reduceat(x.take(order, 0), starts)
        else:  # long runs are summed one by one, while they are in the cache
            for row, run in zip(rows, np.split(order, starts[1:]), strict=True):
                np.add.reduce(x.take(run, 0), 0, out=whole[row])
    else:
        places = np.arange(whole.size).reshape(shape)
        places = places.take(lists[0], 0) if len(key) == 1 else places[key]
        whole = np.bincount(places.ravel(), x.ravel(), whole.size).reshape(shape).astype(x.dtype)
    return whole


def _assign(x: np.ndarray, value: Any, key: tuple[Any, ...]) -> np.ndarray:
    changed = np.array(x)
    changed[key] = value
    return changed


index: Row = row(
    "index", lambda x, key: x[key], arrays=_index, views=True, x=lambda g, x_shape, key: put(g, key, x_shape)
)
put: Row = row("put", _put, x=lambda g, key: index(g, key))  # index's mirror: zeros, to which x is added at key
assign: Row = row(  # x, with `value` put at `key`
    "assign",
    _assign,
    x=lambda g, key: assign(g, 0.0, key),
    value=lambda g, key: index(g, key),
)
one_hot = row("one_hot", _one_hot, arrays=_one_hot_rows, indices=None)  # ones at the indices along an axis, else zeros
where: Row = row(
    "where",
    np.where,
    number=lambda condition, a, b: a if condition else b,
    condition=None,
    input=lambda g, condition: where(condition, g, 0.0),
    other=lambda g, condition: where(condition, 0.0, g),
)
cat = row(  # `bounds` are the places along `axis` where one operand ends and the next begins
    "cat",
    lambda *arguments: np.concatenate(arguments[:-2], arguments[-2]),
    params=("axis", "bounds"),
    joint=lambda g, axis, bounds: [
        index(g, (*[slice(None)] * axis, slice(*pair))) for pair in itertools.pairwise(bounds)
    ],
    tensors=None,
)

# Fused: composable from the rows above, and worth their lines in speed. What they have made themselves they finish in
# place, which in a batch that no cache holds takes a third of the time; a Tensor records it, a symbol cannot tell.


def _batch_norm(x: Any, weight: Any, bias: Any, axes: Axes, eps: float) -> tuple[Any, ...]:
    average = mean(x, axes, True)
    centred = x - average
    var = mean(centred * centred, axes, True)
    rstd = 1 / sqrt(var + eps)
    result = centred * (weight * rstd)
    result += bias
    return result, centred, rstd, average, var


def _batch_norm_gradients(g: Any, weight: Any, centred: Any, rstd: Any, axes: Axes) -> tuple[Any, Any, Any]:
    n = count(centred.shape, axes)
    g_bias = sum(g, axes, True)
    g_weight = sum(g * centred, axes, True) * rstd
    g_x = centred * (g_weight * rstd / -n)
    g_x -= g_bias / n
    g_x += g
    g_x *= weight * rstd
    return g_x, g_weight, g_bias


def _cross_entropy(logits: Any, target: np.ndarray) -> tuple[Any, Any]:
    shifted = logits - amax(logits, (1,), True)
    counts = exp(shifted)
    total = sum(counts, (1,), True)
    chosen = index(shifted, (np.arange(len(target)), target))
    return sum(reshape(log(total), (-1,)) - chosen, (0,), False) / len(target), counts / total


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    result = x @ weight.mT
    result += bias
    return result


linear_map = row(  # without a bias
    "linear_map",
    lambda x, weight: x @ weight.mT,
    x=lambda g, weight: g @ weight,
    weight=lambda g, x: g.mT @ x,
)
linear = row(
    "linear",
    _linear,
    x=lambda g, weight: g @ weight,
    weight=lambda g, x: g.mT @ x,
    bias=lambda g: g,
)
batch_norm = row(
    "batch_norm",
    _batch_norm,
    extras=("centred", "rstd", "mean", "var"),
    joint=_batch_norm_gradients,
    x=None,
    weight=None,
    bias=None,
)
cross_entropy = row(
    "cross_entropy",
    _cross_entropy,
    extras=("probs",),
    logits=lambda g, probs, target: (
        (probs - one_hot(reshape(target, (-1, 1)), probs.shape, 1, probs.dtype)) * (g / len(target))
    ),
    target=None,
)
