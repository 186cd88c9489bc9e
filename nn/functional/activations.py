"""Activations: functions of each element by itself, and softmax and its relatives, which combine those of a dim."""

import math
import warnings
from collections.abc import Callable

import numpy as np

from minigrad.api import distributions, pointwise
from minigrad.api.arguments import array_of, check_floating, dim_of
from minigrad.api.choices import clamp, where
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.half import HALF, in_float32, rounded, widened
from minigrad.api.inplace import before_change, replace
from minigrad.api.pointwise import erf, expm1, log1p, sigmoid, tanh
from minigrad.checks import flag_of, number_of, shown
from minigrad.core.dtypes import DType
from minigrad.core.tensor import Tensor, wrap
from minigrad.random import default_generator

# tanh and sigmoid are minigrad's functions, as those of torch.nn.functional are torch's


def activated(name: str, input: Tensor, function: Callable[[Tensor], Tensor], inplace: bool, label: str = "") -> Tensor:
    """Apply a function of each element, which prints as one operation and computes float16 in float32.

    With `inplace`, the result is written into the memory of `input`, which is returned. Raises a RuntimeError if the
    dtype is not floating.
    """
    check_floating(name, input)
    x = before_change(input) if flag_of(name, "inplace", inplace) else input
    result = relabelled(function(widened(x)), label or name)
    result = rounded(result) if input.array.dtype == HALF else result
    return in_place(name, input, result) if inplace else result


def in_place(name: str, input: Tensor, result: Tensor) -> Tensor:
    """Write a result into the memory of `input`, and return `input`."""
    replace(input, result, f"{name}_")
    return input


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `minigrad.relu`, max(x, 0) for each element (`torch.nn.functional.relu`).

    >>> import minigrad
    >>> relu(minigrad.tensor([1.0, -2.0]))
    tensor([1., 0.])
    """
    if flag_of("relu", "inplace", inplace):
        array_of("relu", input)
        return in_place("relu", input, pointwise.relu(before_change(input)))
    return pointwise.relu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * sigmoid(x) (`torch.nn.functional.silu`; Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).

    Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> silu(minigrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return activated("silu", input, lambda x: x * sigmoid(x), inplace)


@labelled
@in_float32
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """Return x * P(X <= x) for a standard normal X (`torch.nn.functional.gelu`; Hendrycks and Gimpel, 2016).

    `approximate="tanh"` uses an approximation by tanh. Raises a RuntimeError for another approximation, or if the dtype
    is not floating.

    >>> import minigrad
    >>> gelu(minigrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    check_floating("gelu", input)
    if not isinstance(approximate, str):
        raise TypeError(f"gelu: approximate must be 'none' or 'tanh', got {shown(approximate)}")
    if approximate == "none":
        balance = erf(input * math.sqrt(0.5))
    elif approximate == "tanh":
        balance = tanh(math.sqrt(2 / math.pi) * (input + 0.044715 * input**3))
    else:
        raise RuntimeError(f"gelu: approximate {shown(approximate)} is neither 'none' nor 'tanh'")
    return input * (0.5 * (1 + balance))


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where it is positive, and `negative_slope` * x elsewhere (`torch.nn.functional.leaky_relu`).

    >>> import minigrad
    >>> leaky_relu(minigrad.tensor([1.0, -2.0]))
    tensor([ 1.0000, -0.0200])
    """
    slope = number_of("leaky_relu", "negative_slope", negative_slope)
    return activated("leaky_relu", input, lambda x: where(x > 0, x, slope * x), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where it is positive, and `alpha` * (exp(x) - 1) elsewhere (`torch.nn.functional.elu`).

    Clevert et al., "Fast and Accurate Deep Network Learning by Exponential Linear Units", 2016.

    >>> import minigrad
    >>> elu(minigrad.tensor([1.0, -2.0]))
    tensor([ 1.0000, -0.8647])
    """
    alpha = number_of("elu", "alpha", alpha)
    return activated("elu", input, lambda x: _elu(x, alpha, 1.0), inplace)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where it is positive, and `alpha` * (exp(x / alpha) - 1) elsewhere (`torch.nn.functional.celu`).

    Raises a RuntimeError if `alpha` is 0. Barron, "Continuously Differentiable Exponential Linear Units", 2017.

    >>> import minigrad
    >>> celu(minigrad.tensor([1.0, -2.0]), alpha=2.0)
    tensor([ 1.0000, -1.2642])
    """
    if not number_of("celu", "alpha", alpha):
        raise RuntimeError("celu: alpha must not be 0; use relu, its limit")
    return activated("celu", input, lambda x: _elu(x, alpha, 1 / alpha), inplace)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `elu` with constants that keep mean 0 and variance 1 from layer to layer (`torch.nn.functional.selu`).

    Klambauer et al., "Self-Normalizing Neural Networks", 2017.

    >>> import minigrad
    >>> selu(minigrad.tensor([1.0, -2.0]))
    tensor([ 1.0507, -1.5202])
    """
    alpha, scale = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
    return activated("selu", input, lambda x: scale * _elu(x, alpha, 1.0), inplace, "elu")


def _elu(x: Tensor, alpha: float, rate: float) -> Tensor:
    """Return x where it is positive or nan, and alpha * (exp(rate * x) - 1) elsewhere."""
    low = x <= 0
    # The exponential of a large number would be infinite, and its gradient nan, though it is not chosen.
    return where(low, alpha * expm1(where(low, x, 0.0) * rate), x)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(`beta` * x)) / `beta`, and x where `beta` * x is above `threshold`.

    There the two are equal, but for rounding (`torch.nn.functional.softplus`).

    >>> import minigrad
    >>> softplus(minigrad.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    number_of("softplus", "beta", beta)
    number_of("softplus", "threshold", threshold)

    def function(x: Tensor) -> Tensor:
        large = x * beta > threshold
        return where(large, x, log1p(where(large, 0.0, x * beta).exp()) / beta)

    return activated("softplus", input, function, False)


def logsigmoid(input: Tensor) -> Tensor:
    """Return log(sigmoid(x)), computed without overflow (`torch.nn.functional.logsigmoid`).

    >>> import minigrad
    >>> logsigmoid(minigrad.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def function(x: Tensor) -> Tensor:
        low = x < 0
        return where(low, x, 0.0) - log1p(where(low, x, -x).exp())

    return activated("logsigmoid", input, function, False, "log_sigmoid")


def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return each element, limited to the range from `min_val` to `max_val` (`torch.nn.functional.hardtanh`).

    The gradient at the limits is 0, other than that of `minigrad.clamp`. Raises a ValueError if `min_val` is greater
    than `max_val`, and a RuntimeError for bools, and for unsigned integers with a negative limit.

    >>> import minigrad
    >>> hardtanh(minigrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    return _limited("hardtanh", input, min_val, max_val, inplace)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(x, 0), 6) for each element (`torch.nn.functional.relu6`).

    >>> import minigrad
    >>> relu6(minigrad.tensor([-3.0, 0.5, 9.0]))
    tensor([0.0000, 0.5000, 6.0000])
    """
    return _limited("relu6", input, 0.0, 6.0, inplace)


def _limited(name: str, input: Tensor, low: float, high: float, inplace: bool) -> Tensor:
    if number_of(name, "min_val", low) > number_of(name, "max_val", high):
        raise ValueError(f"{name}: min_val {low} is greater than max_val {high}; exchange them")
    kind = array_of(name, input).dtype.kind
    if kind == "i" or (kind == "u" and low >= 0):
        flag_of(name, "inplace", inplace)
        result = clamp(input, int(low), int(high))
        return in_place(name, input, result) if inplace else result
    return activated(name, input, lambda x: where(x <= low, low, where(x >= high, high, x)), inplace, "hardtanh")


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return `relu6`(x + 3) / 6 (`torch.nn.functional.hardsigmoid`).

    >>> import minigrad
    >>> hardsigmoid(minigrad.tensor([-4.0, 0.0, 4.0]))
    tensor([0.0000, 0.5000, 1.0000])
    """

    def function(x: Tensor) -> Tensor:
        return where((x > -3) * (x < 3), (x + 3) / 6, clamp(x.detach() + 3, 0, 6) / 6)

    return activated("hardsigmoid", input, function, inplace)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * `hardsigmoid`(x) (`torch.nn.functional.hardswish`; Howard et al., "Searching for MobileNetV3", 2019).

    >>> import minigrad
    >>> hardswish(minigrad.tensor([-4.0, 1.0, 4.0]))
    tensor([0.0000, 0.6667, 4.0000])
    """
    return activated(
        "hardswish", input, lambda x: where(x <= -3, 0.0, where(x < 3, x * (where(x < 3, x, 0.0) + 3) / 6, x)), inplace
    )


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * tanh(softplus(x)) (`torch.nn.functional.mish`).

    Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.

    >>> import minigrad
    >>> mish(minigrad.tensor([-1.0, 1.0]))
    tensor([-0.3034,  0.8651])
    """
    return activated("mish", input, lambda x: x * tanh(softplus(x)), inplace)


def softsign(input: Tensor) -> Tensor:
    """Return x / (1 + abs(x)) (`torch.nn.functional.softsign`).

    >>> import minigrad
    >>> softsign(minigrad.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """
    return input / (pointwise.abs(input) + 1)


def tanhshrink(input: Tensor) -> Tensor:
    """Return x - tanh(x) (`torch.nn.functional.tanhshrink`).

    >>> import minigrad
    >>> tanhshrink(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """
    return input - tanh(input)


@labelled
@in_float32
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return a * sigmoid(b), where a and b are the halves of the input along `dim` (`torch.nn.functional.glu`).

    Raises a RuntimeError if the size of the dim is odd. Dauphin et al., "Language Modeling with Gated Convolutional
    Networks", 2017.

    >>> import minigrad
    >>> glu(minigrad.tensor([4.0, 0.0]))
    tensor([2.])
    """
    check_floating("glu", input)
    axis = dim_of("glu", input, dim)
    if not input.ndim or input.array.shape[axis] % 2:
        raise RuntimeError(f"glu: the size of dim {dim} of {input.array.shape} is not even, so it has no halves")
    a, b = input.split(input.array.shape[axis] // 2 or 1, axis) if input.array.shape[axis] else (input, input)
    return a * sigmoid(b)


# Softmax and its relatives


def softmax(input: Tensor, dim: int | None = None, *, dtype: DType = None) -> Tensor:
    """Return `minigrad.softmax`, after a conversion to `dtype` if it is given (`torch.nn.functional.softmax`).

    Without `dim` it warns and uses PyTorch's choice: dim 0 for 0, 1 and 3 dims, and dim 1 for all others.

    >>> import minigrad
    >>> softmax(minigrad.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return distributions.softmax(input, _dim("softmax", input, dim), dtype)


def softmin(input: Tensor, dim: int | None = None, *, dtype: DType = None) -> Tensor:
    """Return `softmax` of the negative input, with the arguments of `softmax` (`torch.nn.functional.softmin`).

    >>> import minigrad
    >>> softmin(minigrad.tensor([0.0, 1.0]), dim=0)
    tensor([0.7311, 0.2689])
    """
    array_of("softmin", input)
    return distributions.softmax(-input, _dim("softmin", input, dim), dtype)


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: DType = None) -> Tensor:
    """Return `minigrad.log_softmax`, with the arguments of `softmax` (`torch.nn.functional.log_softmax`).

    >>> import minigrad
    >>> log_softmax(minigrad.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return distributions.log_softmax(input, _dim("log_softmax", input, dim), dtype)


def _dim(name: str, input: Tensor, dim: int | None) -> int:
    """Return the dim. If none is given, it warns and chooses as PyTorch does."""
    ndim = array_of(name, input).ndim
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(f"{name}: no dim was given, so dim {dim} is used; pass dim={dim}", stacklevel=3)
    return dim


def gumbel_softmax(logits: Tensor, tau: float = 1.0, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Return a random sample of the categories whose logits are given, softened by the temperature `tau`.

    With `hard`, the sample is one-hot, and the gradient is that of the soft sample. `eps` has no effect
    (`torch.nn.functional.gumbel_softmax`; Jang et al., "Categorical Reparameterization with Gumbel-Softmax", 2017).

    >>> import minigrad
    >>> gumbel_softmax(minigrad.tensor([0.0, 1000.0]), hard=True)
    tensor([0., 1.])
    """
    check_floating("gumbel_softmax", logits)
    flag_of("gumbel_softmax", "hard", hard)
    axis = dim_of("gumbel_softmax", logits, dim)
    if not number_of("gumbel_softmax", "tau", tau):
        raise ValueError("gumbel_softmax: tau must not be 0; use hard=True for samples of one category")
    if number_of("gumbel_softmax", "eps", eps) != 1e-10:
        warnings.warn("gumbel_softmax: eps has no effect; leave it out", stacklevel=2)
    noise = -np.log(default_generator.exponential(logits.array.shape, logits.array.dtype))
    soft = distributions.softmax((logits + wrap(noise)) / tau, dim)
    if not hard:
        return soft
    chosen = np.zeros_like(soft.array)
    if chosen.ndim:
        np.put_along_axis(chosen, soft.array.argmax(axis, keepdims=True), 1, axis)
    else:
        chosen += 1
    return wrap(chosen) - soft.detach() + soft
