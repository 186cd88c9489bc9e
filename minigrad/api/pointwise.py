"""Functions that treat each element by itself: exp and log, trigonometry, rounding, activations.

Functions of two operands, which broadcast, are in `arithmetic.py`, `comparisons.py` and `choices.py`. Functions that
combine elements along a dim are in `reductions.py` and its neighbours.
"""

import builtins

import numpy as np

from minigrad.api.arguments import array_of, check_floating, check_no_bools
from minigrad.api.grad_fn import labelled
from minigrad.api.inplace import method_and_in_place
from minigrad.api.refusals import named_refusals
from minigrad.checks import int_of
from minigrad.core import ops
from minigrad.core.dtypes import get_default_dtype
from minigrad.core.methods import method
from minigrad.core.primitive import Primitive
from minigrad.core.tensor import Tensor, wrap

# Signs and powers


@method_and_in_place
def neg(input: Tensor) -> Tensor:
    """Return each element with its sign changed (`torch.neg`).

    >>> import minigrad
    >>> minigrad.neg(minigrad.tensor([1, -2]))
    tensor([-1,  2])
    """
    return ops.neg.on_tensors(input)


@method_and_in_place
def abs(input: Tensor) -> Tensor:
    """Return the absolute value (`torch.abs`).

    The gradient at 0 is 0. Raises a RuntimeError for bools.

    >>> import minigrad
    >>> minigrad.abs(minigrad.tensor([1, -2]))
    tensor([1, 2])
    """
    check_no_bools("abs", input)
    return ops.abs.on_tensors(input)


@method_and_in_place
def sign(input: Tensor) -> Tensor:
    """Return -1, 0 or 1 for each element: its sign (`torch.sign`).

    >>> import minigrad
    >>> minigrad.tensor([-2.0, 0.0, 3.0]).sign()
    tensor([-1.,  0.,  1.])
    """
    x = array_of("sign", input)
    if x.dtype.kind == "b":
        return clone(input)
    result = ops.sign.on_tensors(input)
    result.array[np.isnan(x)] = 0  # as in PyTorch
    return result


@method_and_in_place
def square(input: Tensor) -> Tensor:
    """Return the square of each element (`torch.square`).

    >>> import minigrad
    >>> minigrad.square(minigrad.tensor([1, -2]))
    tensor([1, 4])
    """
    return ops.pow.on_tensors(input, 2)


@method_and_in_place
def sqrt(input: Tensor) -> Tensor:
    """Return the square root: nan for negative elements (`torch.sqrt`).

    >>> import minigrad
    >>> minigrad.sqrt(minigrad.tensor([4.0, -1.0]))
    tensor([2., nan])
    """
    return ops.sqrt.on_tensors(input)


@method_and_in_place
@labelled
def rsqrt(input: Tensor) -> Tensor:
    """Return 1 / sqrt(x) for each element: inf for 0, nan for negative elements (`torch.rsqrt`).

    >>> import minigrad
    >>> minigrad.tensor([4.0, 0.0]).rsqrt()
    tensor([0.5000,    inf])
    """
    return 1 / sqrt(input)


@method_and_in_place
@labelled
def reciprocal(input: Tensor) -> Tensor:
    """Return 1 / x for each element (`torch.reciprocal`).

    >>> import minigrad
    >>> minigrad.tensor([2, 4]).reciprocal()
    tensor([0.5000, 0.2500])
    """
    return 1 / _as_floating("reciprocal", input)


# Exponentials and logarithms


@method_and_in_place
def exp(input: Tensor) -> Tensor:
    """Return e to the power of each element (`torch.exp`).

    >>> import minigrad
    >>> minigrad.exp(minigrad.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return ops.exp.on_tensors(input)


@method_and_in_place
def expm1(input: Tensor) -> Tensor:
    """Return exp(x) - 1 for each element, exact for small elements too (`torch.expm1`).

    >>> import minigrad
    >>> minigrad.tensor([1e-9, 1.0]).expm1()
    tensor([1.0000e-09, 1.7183e+00])
    """
    return ops.expm1.on_tensors(input)


@method_and_in_place
def log(input: Tensor) -> Tensor:
    """Return the natural logarithm: -inf for 0, nan for negative elements (`torch.log`).

    >>> import minigrad
    >>> minigrad.log(minigrad.tensor([1.0, 0.0, -1.0]))
    tensor([0., -inf, nan])
    """
    return ops.log.on_tensors(input)


@method_and_in_place
def log1p(input: Tensor) -> Tensor:
    """Return log(1 + x) for each element, exact for small elements too (`torch.log1p`).

    >>> import minigrad
    >>> minigrad.tensor([1e-9, 1.0]).log1p()
    tensor([1.0000e-09, 6.9315e-01])
    """
    return ops.log1p.on_tensors(input)


@method_and_in_place
def log2(input: Tensor) -> Tensor:
    """Return the logarithm to base 2: -inf for 0, nan for negative elements (`torch.log2`).

    >>> import minigrad
    >>> minigrad.tensor([8.0, 0.5]).log2()
    tensor([ 3., -1.])
    """
    return ops.log2.on_tensors(input)


@method_and_in_place
def log10(input: Tensor) -> Tensor:
    """Return the logarithm to base 10: -inf for 0, nan for negative elements (`torch.log10`).

    >>> import minigrad
    >>> minigrad.log10(minigrad.tensor([2.0, 50.0]))
    tensor([0.3010, 1.6990])
    """
    return ops.log10.on_tensors(input)


# Trigonometric and hyperbolic functions, and the error function


@method_and_in_place
def sin(input: Tensor) -> Tensor:
    """The sine of each element, in radians (`torch.sin`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0]).sin()
    tensor([0.0000, 0.8415])
    """
    return ops.sin.on_tensors(input)


@method_and_in_place
def cos(input: Tensor) -> Tensor:
    """The cosine of each element, in radians (`torch.cos`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0]).cos()
    tensor([1.0000, 0.5403])
    """
    return ops.cos.on_tensors(input)


@method_and_in_place
@labelled
def tan(input: Tensor) -> Tensor:
    """Return the tangent of each element, in radians (`torch.tan`)."""
    return sin(input) / cos(input)


@method_and_in_place
def atan(input: Tensor) -> Tensor:
    """Return the angle in radians, from -pi/2 to pi/2, of which each element is the tangent (`torch.atan`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0]).atan()
    tensor([0.0000, 0.7854])
    """
    return ops.atan.on_tensors(input)


@method_and_in_place
@labelled
def sinh(input: Tensor) -> Tensor:
    """Return the hyperbolic sine of each element (`torch.sinh`)."""
    input = _as_floating("sinh", input)
    return (expm1(input) - expm1(-input)) / 2


@method_and_in_place
@labelled
def cosh(input: Tensor) -> Tensor:
    """Return the hyperbolic cosine of each element (`torch.cosh`)."""
    input = _as_floating("cosh", input)
    half, inverse = exp(input / 2), exp(-input / 2)  # exp(input) would overflow earlier
    return half * (half / 2) + inverse * (inverse / 2)


@method_and_in_place
def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent (`torch.tanh`).

    >>> import minigrad
    >>> minigrad.tanh(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return ops.tanh.on_tensors(input)


@method_and_in_place
def erf(input: Tensor) -> Tensor:
    """Return the error function of each element: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 (`torch.erf`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 1.0]).erf()
    tensor([0.0000, 0.8427])
    """
    return ops.erf.on_tensors(input)


def _as_floating(name: str, input: Tensor) -> Tensor:
    """Return a Tensor of floating numbers: integers and bools are converted to the default dtype."""
    return input if array_of(name, input).dtype.kind == "f" else input.to(get_default_dtype())


# Rounding: the gradients are 0


@method_and_in_place
def floor(input: Tensor) -> Tensor:
    """Return the greatest integer that is not above each element (`torch.floor`).

    >>> import minigrad
    >>> minigrad.tensor([1.5, -1.5]).floor()
    tensor([ 1., -2.])
    """
    return _rounded(ops.floor, input)


@method_and_in_place
@labelled
def ceil(input: Tensor) -> Tensor:
    """Return the least integer that is not below each element (`torch.ceil`).

    >>> import minigrad
    >>> minigrad.tensor([1.5, -1.5]).ceil()
    tensor([ 2., -1.])
    """
    return -_rounded(ops.floor, -input)


@method_and_in_place
def trunc(input: Tensor) -> Tensor:
    """Return each element without its fraction: rounded towards 0 (`torch.trunc`).

    >>> import minigrad
    >>> minigrad.tensor([1.5, -1.5]).trunc()
    tensor([ 1., -1.])
    """
    return _rounded(ops.trunc, input)


@method_and_in_place
@named_refusals
def round(input: Tensor, *, decimals: int = 0) -> Tensor:
    """Return each element rounded to an integer, or to a number of decimals; halves go to even (`torch.round`).

    >>> import minigrad
    >>> minigrad.tensor([0.5, 1.5, -2.7]).round()
    tensor([ 0.,  2., -3.])
    """
    scale = 10.0 ** builtins.abs(int_of("round", decimals))
    if not decimals:
        return _rounded(ops.round, input)
    return _rounded(ops.round, input * scale) / scale if decimals > 0 else _rounded(ops.round, input / scale) * scale


@method_and_in_place
@labelled
def frac(input: Tensor) -> Tensor:
    """Return the fraction of each element, with its sign (`torch.frac`).

    >>> import minigrad
    >>> minigrad.tensor([1.5, -1.25]).frac()
    tensor([ 0.5000, -0.2500])
    """
    check_floating("frac", input)
    return input - trunc(input)


def _rounded(primitive: Primitive, input: Tensor) -> Tensor:
    """Apply a primitive that rounds. Integers are rounded already."""
    check_no_bools(primitive.name, input)
    return clone(input) if input.array.dtype.kind in "iu" else primitive.on_tensors(input)


# Activations


@method_and_in_place
def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x)), which lies between 0 and 1 (`torch.sigmoid`).

    >>> import minigrad
    >>> minigrad.sigmoid(minigrad.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    return ops.sigmoid.on_tensors(input)


@method_and_in_place
def relu(input: Tensor) -> Tensor:
    """Return max(x, 0) for each element (`torch.relu`).

    The gradient at 0 is 0. Raises a RuntimeError for bools.

    >>> import minigrad
    >>> minigrad.relu(minigrad.tensor([1.0, -2.0]))
    tensor([1., 0.])
    """
    check_no_bools("relu", input)
    return ops.relu.on_tensors(input)


# Copies, and what kind of number an element is


@method
def clone(input: Tensor) -> Tensor:
    """Return a copy with new memory; gradients flow through it (`torch.clone`).

    >>> import minigrad
    >>> minigrad.clone(minigrad.tensor([1, 2]))
    tensor([1, 2])
    """
    return ops.cast.on_tensors(input, array_of("clone", input).dtype, label="clone")


@method
def isnan(input: Tensor) -> Tensor:
    """Return whether each element is not a number (`torch.isnan`)."""
    return wrap(np.asanyarray(np.isnan(array_of("isnan", input))))


@method
def isinf(input: Tensor) -> Tensor:
    """Return whether each element is infinite (`torch.isinf`)."""
    return wrap(np.asanyarray(np.isinf(array_of("isinf", input))))


@method
def isfinite(input: Tensor) -> Tensor:
    """Return whether each element is finite: neither infinite nor nan (`torch.isfinite`)."""
    return wrap(np.asanyarray(np.isfinite(array_of("isfinite", input))))
