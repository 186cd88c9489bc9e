"""Initial values: functions that fill a tensor in place with PyTorch's distributions (`torch.nn.init`).

They draw the same random numbers as PyTorch. The layers in `layers.py` choose among them.
"""

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.api.arguments import array_of, check_floating
from minigrad.checks import number_of, shown
from minigrad.core.tensor import Tensor, wrap
from minigrad.grad_mode import no_grad
from minigrad.random import Generator, default_generator, source_of

_LINEAR = ["linear", *(f"conv{kind}{dims}d" for kind in ("", "_transpose") for dims in (1, 2, 3))]
_GAINS = dict.fromkeys(_LINEAR, 1.0) | {"sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


__getattr__ = missing.of_module(__name__, "torch.nn.init")


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor for initial weights that suits a nonlinearity (`torch.nn.init.calculate_gain`).

    With this factor, activations keep their spread from layer to layer. For "leaky_relu", `param` is the negative slope
    (default 0.01). Raises a ValueError if the name is unknown or the slope is not a number.

    >>> calculate_gain("relu")
    1.4142135623730951
    """
    if not isinstance(nonlinearity, str):
        raise TypeError(f"calculate_gain: expected the name of a nonlinearity, got {shown(nonlinearity)}")
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, int | float):
            raise ValueError(f"calculate_gain: the negative slope of leaky_relu must be a number, not {shown(slope)}")
        number_of("calculate_gain", "param", slope)
        return math.sqrt(2 / (1 + slope**2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: unknown {shown(nonlinearity)}; known are leaky_relu, {', '.join(_GAINS)}")
    return _GAINS[nonlinearity]


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with random numbers, uniform on [a, b) (`torch.nn.init.uniform_`)."""
    array_of("uniform_", tensor)
    return tensor.uniform_(a, b, generator=generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal random numbers of the given mean and standard deviation (`torch.nn.init.normal_`)."""
    array_of("normal_", tensor)
    return tensor.normal_(mean, std, generator=generator)


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with one number (`torch.nn.init.constant_`).

    >>> import minigrad
    >>> constant_(minigrad.zeros(2), 3)
    tensor([3., 3.])
    """
    array_of("constant_", tensor)
    return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros (`torch.nn.init.zeros_`)."""
    return constant_(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones (`torch.nn.init.ones_`)."""
    return constant_(tensor, 1)


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with uniform random numbers of standard deviation gain / sqrt(fan) (`torch.nn.init.kaiming_uniform_`).

    The tensor is a weight (out, in). The fan is `in`, or `out` if the mode is "fan_out"; the gain is
    `calculate_gain(nonlinearity, a)`. Raises a ValueError for fewer than 2 dims or an unknown mode. He et al., "Delving
    Deep into Rectifiers", 2015.
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal random numbers of standard deviation gain / sqrt(fan) (`torch.nn.init.kaiming_normal_`).

    The fan, the gain and the errors are the same as for `kaiming_uniform_`.
    """
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """Return gain / sqrt(fan), the standard deviation of the weights."""
    _fans(name, tensor)
    if not isinstance(mode, str) or mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', got {shown(mode)}")
    fan = _fans(name, tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """Return the numbers of inputs and outputs of a weight (out, in, ...)."""
    shape = array_of(name, tensor).shape
    if len(shape) < 2:
        raise ValueError(f"{name}: expected a weight of at least 2 dims, (out, in), got {shape}")
    rest = math.prod(shape[2:])
    return shape[1] * rest, shape[0] * rest


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with uniform random numbers of the standard deviation gain * sqrt(2 / (in + out)).

    The tensor is a weight (out, in). Raises a ValueError for fewer than 2 dims (`torch.nn.init.xavier_uniform_`; Glorot
    and Bengio, "Understanding the Difficulty of Training Deep Feedforward Neural Networks", 2010).
    """
    bound = math.sqrt(3) * _xavier_std("xavier_uniform_", tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal random numbers, otherwise as `xavier_uniform_` (`torch.nn.init.xavier_normal_`)."""
    return normal_(tensor, 0.0, _xavier_std("xavier_normal_", tensor, gain), generator)


def _xavier_std(name: str, tensor: Tensor, gain: float) -> float:
    return float(number_of(name, "gain", gain)) * math.sqrt(2 / max(sum(_fans(name, tensor)), 1))


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on the diagonal and zeros elsewhere (`torch.nn.init.eye_`).

    Raises a ValueError for other than 2 dims.

    >>> import minigrad
    >>> eye_(minigrad.zeros(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    rows, columns = _matrix("eye_", tensor)
    return tensor.copy_(wrap(np.eye(rows, columns, dtype=tensor.array.dtype)))


def _matrix(name: str, tensor: Tensor) -> tuple[int, int]:
    shape = array_of(name, tensor).shape
    if len(shape) != 2:
        raise ValueError(f"{name}: expected a matrix, got shape {shape}")
    return shape


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Fill with a random matrix whose rows, or else columns, are orthogonal and of length `gain`.

    A tensor of more dims counts as a matrix of as many rows (`torch.nn.init.orthogonal_`; Saxe et al., "Exact Solutions
    to the Nonlinear Dynamics of Learning in Deep Linear Neural Networks", 2014). Raises a ValueError for fewer than 2
    dims.
    """
    array = array_of("orthogonal_", tensor)
    number_of("orthogonal_", "gain", gain)
    if array.ndim < 2:
        raise ValueError(f"orthogonal_: expected at least 2 dims, got {array.shape}")
    check_floating("orthogonal_", tensor)
    if not array.size:
        return tensor
    rows = array.shape[0]
    numbers = source_of("orthogonal_", generator).normal((rows, array.size // rows), array.dtype)
    is_wide = rows < numbers.shape[1]
    q, r = np.linalg.qr(numbers.T if is_wide else numbers)
    q = q * np.sign(np.diagonal(r))  # which makes the factorization unique, and the distribution uniform
    return tensor.copy_(wrap((q.T if is_wide else q).reshape(array.shape))).mul_(gain)


@no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal random numbers, drawn again where they are outside of [a, b] (`torch.nn.init.trunc_normal_`).

    Warns if the mean is more than two standard deviations outside. Raises a ValueError if the standard deviation is
    not positive, or if a is not below b.
    """
    array, source = array_of("trunc_normal_", tensor), source_of("trunc_normal_", generator)
    for name, value in (("mean", mean), ("std", std), ("a", a), ("b", b)):
        number_of("trunc_normal_", name, value)
    check_floating("trunc_normal_", tensor)
    if not std > 0 or not a < b:
        raise ValueError(f"trunc_normal_: expected std > 0 and a < b, got std={std}, a={a}, b={b}")
    if not a - 2 * std <= mean <= b + 2 * std:
        warnings.warn("trunc_normal_: the mean is far outside of [a, b]; the numbers may be poor", stacklevel=3)
    low, high = array.dtype.type(a), array.dtype.type(b)
    share = 0.5 * (math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2)))
    if share > 0.3:  # most draws are accepted
        numbers = source.normal(array.shape, array.dtype, mean, std)
        while (outside := (numbers < low) | (numbers > high)).any():
            numbers = np.where(outside, source.normal(array.shape, array.dtype, mean, std), numbers)
        return tensor.copy_(wrap(numbers))
    # Uniform numbers, each accepted with a probability in proportion to the density. The peak has probability 1.
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    numbers, pending = np.empty_like(array), np.full(array.shape, True)
    while pending.any():
        candidates = source.uniform(array.shape, array.dtype, a, b)
        numbers = np.where(pending, candidates, numbers)
        log_density = ((candidates - array.dtype.type(mean)) / array.dtype.type(std)) ** 2 * array.dtype.type(-0.5)
        with np.errstate(divide="ignore"):
            refused = np.log(source.uniform(array.shape, array.dtype)) > log_density - array.dtype.type(peak)
        pending = pending & refused
    return tensor.copy_(wrap(numbers))


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Fill with normal random numbers, and set the share `sparsity` of each column to 0 (`torch.nn.init.sparse_`).

    Raises a ValueError for other than 2 dims, or if `sparsity` is not between 0 and 1. Martens, "Deep Learning via
    Hessian-free Optimization", 2010.
    """
    rows, columns = _matrix("sparse_", tensor)
    if not 0 <= number_of("sparse_", "sparsity", sparsity) <= 1:
        raise ValueError(f"sparse_: sparsity must be from 0 to 1, got {sparsity}")
    normal_(tensor, 0.0, std, generator)
    for column in range(columns):
        zeros = default_generator.permutation(rows)[: math.ceil(sparsity * rows)]
        tensor[wrap(zeros), column] = 0
    return tensor


def _old(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    """Return a function under the name that PyTorch gave it first. It warns."""

    @functools.wraps(function)
    def warned(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(f"{name}: an old name; use {name}_", FutureWarning, stacklevel=2)
        return function(*args, **kwargs)

    warned.__name__ = warned.__qualname__ = name
    return warned


uniform, normal, constant, eye = (
    _old(uniform_, "uniform"),
    _old(normal_, "normal"),
    _old(constant_, "constant"),
    _old(eye_, "eye"),
)
xavier_uniform, xavier_normal = _old(xavier_uniform_, "xavier_uniform"), _old(xavier_normal_, "xavier_normal")
kaiming_uniform, kaiming_normal = _old(kaiming_uniform_, "kaiming_uniform"), _old(kaiming_normal_, "kaiming_normal")
orthogonal, sparse = _old(orthogonal_, "orthogonal"), _old(sparse_, "sparse")
