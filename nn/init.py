"""Initial values, drawn in place from PyTorch's distributions and random numbers (`torch.nn.init`)."""

import math

from minigrad.random import Generator, default_generator
from minigrad.tensor import Tensor

_GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2)}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much to scale initial weights so that activations keep their spread through a nonlinearity.

    For "leaky_relu" `param` is its negative slope, 0.01 unless given. ValueError for a name that is not known.
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: unknown {nonlinearity!r}; known are leaky_relu, {', '.join(_GAINS)}")
    return _GAINS[nonlinearity]


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with numbers uniform on [a, b)."""
    tensor.array[...] = (generator or default_generator).uniform(tensor.array.shape, tensor.dtype, a, b)
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill with normal numbers of a mean and a standard deviation."""
    tensor.array[...] = (generator or default_generator).normal(tensor.array.shape, tensor.dtype, mean, std)
    return tensor


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with zeros."""
    tensor.array[...] = 0
    return tensor


def ones_(tensor: Tensor) -> Tensor:
    """Fill with ones."""
    tensor.array[...] = 1
    return tensor


def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0.0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Fill a weight (out, in) with uniform numbers of standard deviation gain / sqrt(fan).

    The fan is `in`, or `out` for the mode "fan_out"; the gain is `calculate_gain(nonlinearity, a)`.
    He et al., "Delving Deep into Rectifiers", 2015.
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
    """Fill a weight (out, in) with normal numbers of standard deviation gain / sqrt(fan), as `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity), generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if tensor.ndim < 2:
        raise ValueError(f"{name}: a weight has at least 2 dims, (out, in), got {tensor.array.shape}")
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode {mode!r} is neither 'fan_in' nor 'fan_out'")
    fan = tensor.shape[mode == "fan_in"] * math.prod(tensor.shape[2:])
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))
