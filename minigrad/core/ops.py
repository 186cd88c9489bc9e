"""The table: every operation with a derivative of its own, and the derivative beside it.

    tanh = Primitive("tanh", np.tanh, x=lambda g, y: g * (1 - y * y))

reads: the primitive `tanh` has one operand, `x`, and `np.tanh` computes it. If `g` is the gradient of the loss with
respect to the result `y`, then `g * (1 - y * y)` is the gradient with respect to `x`. This function is the vjp of `x`.
A vjp names what it needs, and only that is saved for it:

    g                the gradient with respect to the result (the cotangent, or output gradient)
    y                the result
    a, b, x, ...     the operands, by the names that the table gives them
    x_shape          the shape of an operand
    axes, key, ...   the operation's parameters, by the names that its forward function gives them

A vjp is an expression. It changes nothing that it is given. It is written with operators, `.mT` and primitives, so that
it holds for floats (`Value`), for numpy arrays (`Tensor`), for Tensors (whose gradients can be differentiated again)
and for symbols (which print it). It knows nothing of broadcasting or mixed dtypes: `graph.unbroadcast` takes care of
both, for all of them. `primitive.py` says what a primitive is, and `record.py` how it is applied to Tensors.
"""

import functools
import itertools
import math
import operator
from typing import Any

import numpy as np

from minigrad.core import kernels
from minigrad.core.primitive import Axes, Primitive, Shape


@functools.lru_cache
def keepdims_shape(shape: Shape, axes: Axes) -> Shape:
    """The shape that remains if `axes` are reduced and stay, with size 1."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


# Arithmetic

add = Primitive("add", operator.add, symbol="+", elementwise=True, a=lambda g: g, b=lambda g: g)
sub = Primitive("sub", operator.sub, symbol="-", elementwise=True, a=lambda g: g, b=lambda g: -g)
mul = Primitive("mul", operator.mul, symbol="*", elementwise=True, a=lambda g, b: g * b, b=lambda g, a: g * a)
div = Primitive(
    "div", operator.truediv, symbol="/", floating=True, a=lambda g, b: g / b, b=lambda g, a, b: -g * (a / b / b)
)
neg = Primitive("neg", operator.neg, elementwise=True, x=lambda g: -g)

# d(a**b)/da = b a**(b-1) and d(a**b)/db = a**b log(a). The two comparisons keep 0 * 0**-1 and 0 * log(0), which are
# nan, out of the gradients.
pow: Primitive = Primitive(
    "pow",
    operator.pow,
    symbol="**",
    scalar=math.pow,
    elementwise=True,
    a=lambda g, a, b: g * (b * a ** (b - 1.0 * (b != 0))),
    b=lambda g, y, a, b: g * (y * log(where((a == 0) * (b >= 0), 1.0, a))),
)
matmul = Primitive("matmul", np.matmul, symbol="@", a=lambda g, b: g @ b.mT, b=lambda g, a: a.mT @ g)

# Of two operands. `terms` are the letters of their dims, and of those of the result.
einsum: Primitive = Primitive(
    "einsum",
    lambda a, b, terms: np.einsum("{},{}->{}".format(*terms), a, b, optimize=True),
    a=lambda g, b, terms: einsum(g, b, (terms[2], terms[1], terms[0])),
    b=lambda g, a, terms: einsum(g, a, (terms[2], terms[0], terms[1])),
)

# Functions of one number

exp = Primitive("exp", np.exp, scalar=math.exp, floating=True, x=lambda g, y: g * y)
log: Primitive = Primitive("log", np.log, scalar=math.log, floating=True, x=lambda g, x: g / x)
log2 = Primitive("log2", np.log2, floating=True, x=lambda g, x: g / (x * math.log(2)))
log10 = Primitive("log10", np.log10, floating=True, x=lambda g, x: g / (x * math.log(10)))
log1p = Primitive("log1p", np.log1p, scalar=math.log1p, floating=True, x=lambda g, x: g / (x + 1))
expm1 = Primitive("expm1", np.expm1, scalar=math.expm1, floating=True, x=lambda g, y: g * (y + 1))
erf = Primitive(
    "erf", kernels.erf, scalar=math.erf, floating=True, x=lambda g, x: g * (2 / math.sqrt(math.pi) * exp(-x * x))
)
sqrt = Primitive("sqrt", np.sqrt, scalar=math.sqrt, floating=True, x=lambda g, y: g / (2 * y))
sin: Primitive = Primitive("sin", np.sin, scalar=math.sin, floating=True, x=lambda g, x: g * cos(x))
cos: Primitive = Primitive("cos", np.cos, scalar=math.cos, floating=True, x=lambda g, x: -g * sin(x))
atan = Primitive("atan", np.atan, scalar=math.atan, floating=True, x=lambda g, x: g / (x * x + 1))
atan2 = Primitive(
    "atan2", np.atan2, floating=True, a=lambda g, a, b: g * b / (a**2 + b**2), b=lambda g, a, b: -g * a / (a**2 + b**2)
)
tanh = Primitive("tanh", np.tanh, scalar=math.tanh, floating=True, x=lambda g, y: g * (1 - y * y))
sigmoid = Primitive("sigmoid", kernels.sigmoid, floating=True, x=lambda g, y: g * (y * (1 - y)))
relu = Primitive(
    "relu",
    lambda x: np.maximum(x, 0),
    symbol="ReLU",
    scalar=lambda x: 0.0 if x <= 0 else x,
    elementwise=True,
    x=lambda g, y: g * is_nonzero(y),
)
abs = Primitive("abs", np.abs, scalar=math.fabs, elementwise=True, x=lambda g, x: g * sign(x))
clamp = Primitive(
    "clamp", lambda x, min, max: x.clip(min, max), strided=True, x=lambda g, x, min, max: g * ((x >= min) * (x <= max))
)
# Steps, whose derivative is 0: so second derivatives of relu and abs are 0, and not missing.
is_nonzero: Primitive = Primitive(
    "is_nonzero", lambda x: (x != 0).astype(x.dtype), scalar=lambda x: float(x != 0), x=lambda g: g * 0.0
)
sign: Primitive = Primitive(
    "sign", np.sign, scalar=lambda x: float((x > 0) - (x < 0)), elementwise=True, x=lambda g: g * 0.0
)
floor = Primitive("floor", np.floor, elementwise=True, x=lambda g: g * 0.0)
trunc = Primitive("trunc", np.trunc, scalar=math.trunc, elementwise=True, x=lambda g: g * 0.0)
round = Primitive("round", np.rint, elementwise=True, x=lambda g: g * 0.0)
floor_divide = Primitive("floor_divide", np.floor_divide, elementwise=True, a=lambda g: g * 0.0, b=lambda g: g * 0.0)
fmod = Primitive("fmod", np.fmod, elementwise=True, a=lambda g: g, b=lambda g, a, b: -g * trunc(a / b))

# Reductions

sum = Primitive(
    "sum",
    kernels.total,
    x=lambda g, x_shape, axes: expand(reshape(g, keepdims_shape(x_shape, axes)), x_shape),
)
mean = Primitive(
    "mean",
    kernels.mean,
    x=lambda g, x_shape, axes: expand(
        reshape(g / kernels.count(x_shape, axes), keepdims_shape(x_shape, axes)), x_shape
    ),
)


def _var(x: Any, axes: Axes, keepdims: bool, degrees: float) -> tuple[Any, Any]:
    centred = x - mean(x, axes, True)
    return sum(centred * centred, axes, keepdims) / degrees, centred


# y = sum_j c_j**2 / d with c_j = x_j - mean(x), so dy/dx_i = sum_j 2 c_j (d_ij - 1/n) / d = 2 c_i / d: the term with
# 1/n vanishes, because the c_j sum to 0. `degrees` is d, the degrees of freedom.
var = Primitive(
    "var",
    _var,
    residuals=("centred",),
    x=lambda g, centred, axes, degrees: reshape(2 * g / degrees, keepdims_shape(centred.shape, axes)) * centred,
)

# y_i = exp(x_i) / sum_k exp(x_k), so dy_j/dx_i = y_j (d_ij - y_i), and g_x = y * (g - sum(g * y)).
softmax = Primitive("softmax", kernels.softmax, x=lambda g, y, axes: y * (g - sum(g * y, axes, True)))

# y_i = x_i - log(sum_k exp(x_k)), so dy_j/dx_i = d_ij - softmax_i, where softmax is exp(y).
log_softmax = Primitive("log_softmax", kernels.log_softmax, x=lambda g, y, axes: g - exp(y) * sum(g, axes, True))


def _logsumexp_vjp(g: Any, x: Any, y: Any, axes: Axes) -> Any:
    kept = keepdims_shape(x.shape, axes)
    return reshape(g, kept) * exp(x - reshape(y, kept))


# y = log(sum_k exp(x_k)), so dy/dx_i = exp(x_i) / sum_k exp(x_k) = exp(x_i - y).
logsumexp = Primitive("logsumexp", kernels.logsumexp, x=_logsumexp_vjp)


def _flipped(x: Any, axis: int) -> Any:
    return index(x, (*[slice(None)] * axis, slice(None, None, -1)))


# y_j sums x_i over i <= j, so x_i is in every y_j with j >= i: the gradient is a sum from the other end.
cumsum: Primitive = Primitive(
    "cumsum",
    kernels.cumsum,
    x=lambda g, axis: _flipped(cumsum(_flipped(g, axis), axis), axis),
)


def _chosen_vjp(g: Any, x_shape: Shape, axes: Axes, indices: np.ndarray) -> Any:
    return reshape(g, indices.shape) * one_hot(indices, x_shape, axes[0], g.dtype)


def _ties_vjp(g: Any, x: Any, y: Any, axes: Axes) -> Any:
    kept = keepdims_shape(x.shape, axes)
    return reshape(g, kept) * ties(x, reshape(y, kept), axes)


# `max` and `min` give the gradient to the element at `indices`; `amax` and `amin` share it between equal elements.
max = Primitive("max", lambda x, axes, keepdims, indices: np.maximum.reduce(x, axes, keepdims=keepdims), x=_chosen_vjp)
min = Primitive("min", lambda x, axes, keepdims, indices: np.minimum.reduce(x, axes, keepdims=keepdims), x=_chosen_vjp)
amax = Primitive("amax", lambda x, axes, keepdims: np.maximum.reduce(x, axes, keepdims=keepdims), x=_ties_vjp)
amin = Primitive("amin", lambda x, axes, keepdims: np.minimum.reduce(x, axes, keepdims=keepdims), x=_ties_vjp)
ties: Primitive = Primitive("ties", kernels.ties, x=None, y=None)

# Shape and dtype. What `expand` repeats and `cast` converts, `graph.unbroadcast` reverses, as it does for every vjp.

reshape: Primitive = Primitive(
    "reshape", lambda x, shape: x.reshape(shape), views=True, x=lambda g, x_shape: reshape(g, x_shape)
)
permute: Primitive = Primitive(
    "permute",
    lambda x, axes: x.transpose(axes),
    views=True,
    x=lambda g, axes: permute(g, tuple(np.argsort(axes).tolist())),
)
expand: Primitive = Primitive("expand", kernels.expand, strided=True, x=lambda g: g)
cast = Primitive("cast", lambda x, dtype: x.astype(dtype), strided=True, x=lambda g: g)

# Selection

index: Primitive = Primitive(
    "index", lambda x, key: x[key], kernel=kernels.index, views=True, x=lambda g, x_shape, key: put(g, key, x_shape)
)
put: Primitive = Primitive("put", kernels.put, x=lambda g, key: index(g, key))  # the transpose of `index`
assign: Primitive = Primitive(  # x, with `value` at `key`
    "assign", kernels.assign, x=lambda g, key: assign(g, 0.0, key), value=lambda g, key: index(g, key)
)
one_hot = Primitive("one_hot", kernels.one_hot, kernel=kernels.one_hot_rows, indices=None)  # 1 at indices along an axis
where: Primitive = Primitive(
    "where",
    np.where,
    strided=True,
    scalar=lambda condition, a, b: a if condition else b,
    condition=None,
    input=lambda g, condition: where(condition, g, 0.0),
    other=lambda g, condition: where(condition, 0.0, g),
)
cat = Primitive(  # `bounds` are the places along `axis` where one operand ends and the next begins
    "cat",
    lambda *arguments: np.concatenate(arguments[:-2], arguments[-2]),
    params=("axis", "bounds"),
    joint_vjp=lambda g, axis, bounds: [
        index(g, (*[slice(None)] * axis, slice(*pair))) for pair in itertools.pairwise(bounds)
    ],
    tensors=None,
)

# Fused primitives: compositions of the ones above that are worth their lines in speed. They may change in place what
# they have made themselves; in a batch that no cache holds, that saves a third of the time.

linear_map = Primitive(  # without a bias
    "linear_map", lambda x, weight: x @ weight.mT, x=lambda g, weight: g @ weight, weight=lambda g, x: g.mT @ x
)


def _linear(x: Any, weight: Any, bias: Any) -> Any:
    result = x @ weight.mT
    result += bias
    return result


linear = Primitive("linear", _linear, x=lambda g, weight: g @ weight, weight=lambda g, x: g.mT @ x, bias=lambda g: g)


def _batch_norm(x: Any, weight: Any, bias: Any, axes: Axes, eps: float, twice: bool) -> tuple[Any, ...]:
    average = mean(x, axes, True)
    centred = x - average
    if twice:  # what rounding the mean has left, which is large beside the variance of equal numbers
        centred = centred - mean(centred, axes, True)
    var = mean(centred * centred, axes, True)
    rstd = 1 / sqrt(var + eps)
    result = centred * (weight * rstd)
    result += bias
    return result, centred, rstd, average, var


# With n elements a channel, c = x - mean(x), v = mean(c**2), r = (v + eps)**-0.5 and y = w c r + b:
#
#     g_b = sum(g)      g_w = sum(g c) r      g_x = w r (g - mean(g) - c r mean(g c) r)
#
# The last term comes through v: dr/dx_i = -r**3 c_i / n. The middle one comes through the mean.
def _batch_norm_vjp(g: Any, weight: Any, centred: Any, rstd: Any, axes: Axes) -> tuple[Any, Any, Any]:
    n = kernels.count(centred.shape, axes)
    g_bias = sum(g, axes, True)
    g_weight = sum(g * centred, axes, True) * rstd
    g_x = centred * (g_weight * rstd / -n)
    g_x -= g_bias / n
    g_x += g
    g_x *= weight * rstd
    return g_x, g_weight, g_bias


batch_norm = Primitive(
    "batch_norm",
    _batch_norm,
    residuals=("centred", "rstd", "mean", "var"),
    joint_vjp=_batch_norm_vjp,
    x=None,
    weight=None,
    bias=None,
)


def _cross_entropy(logits: Any, target: np.ndarray) -> tuple[Any, Any]:
    shifted = logits - amax(logits, (1,), True)
    counts = exp(shifted)
    total = sum(counts, (1,), True)
    chosen = index(shifted, (np.arange(len(target)), target))
    return sum(reshape(log(total), (-1,)) - chosen, (0,), False) / len(target), counts / total


# For logits (n, classes) and a target (n) of classes, y = mean_i(log(sum_k exp(x_ik)) - x_i,target_i). So dy/dx_ik is
# (p_ik - 1 where k is the target of i) / n, where p is the softmax of the logits.
cross_entropy = Primitive(
    "cross_entropy",
    _cross_entropy,
    residuals=("probs",),
    logits=lambda g, probs, target: (
        (probs - one_hot(reshape(target, (-1, 1)), probs.shape, 1, probs.dtype)) * (g / len(target))
    ),
    target=None,
)
