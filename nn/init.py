"""Initial values: functions that fill a tensor in place with PyTorch's distributions (`torch.nn.init`).

They draw the same random numbers as PyTorch. The layers in `layers.py` choose among them.
"""

import math

from minigrad.api import missing
from minigrad.api.arguments import array_of
from minigrad.checks import number_of, shown
from minigrad.core.tensor import Tensor
from minigrad.grad_mode import no_grad
from minigrad.random import Generator

_LINEAR = ["linear", *(f"conv{kind}{dims}d" for kind in ("", "_transpose") for dims in (1, 2, 3))]
_GAINS = dict.fromkeys(_LINEAR, 1.0) | {"sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


__getattr__ = missing.of_module(
    __name__,
    "torch.nn.init",
    {
        "xavier_normal_": "normal_(w, std=gain * (2 / sum(w.shape)) ** 0.5), for a matrix",
        "xavier_uniform_": "uniform_(w, -a, a), for a matrix and a = gain * (6 / sum(w.shape)) ** 0.5",
    },
)


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
    if array_of(name, tensor).ndim < 2:
        raise ValueError(f"{name}: expected a weight of at least 2 dims, (out, in), got {tensor.array.shape}")
    if not isinstance(mode, str) or mode not in ("fan_in", "fan_out"):
        raise ValueError(f"{name}: mode must be 'fan_in' or 'fan_out', got {shown(mode)}")
    fan = tensor.shape[mode == "fan_in"] * math.prod(tensor.shape[2:])
    return calculate_gain(nonlinearity, a) / math.sqrt(max(fan, 1))
