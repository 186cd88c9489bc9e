"""Activations as Modules: each keeps the settings of a function of `nn.functional` and calls it."""

from minigrad.checks import number_of
from minigrad.core.tensor import Tensor

from . import functional as F
from .module import Module


class _Choice(Module):
    """An activation that can write its result into the memory of its input, with `inplace`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the settings."""
        return "inplace=True" if self.inplace else ""


class _AlongDim(Module):
    """An activation that combines the elements along a dim."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the dim."""
        return f"dim={self.dim}"


class Tanh(Module):
    """The hyperbolic tangent of each element (`torch.nn.Tanh`).

    >>> import minigrad
    >>> Tanh()(minigrad.zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.tanh(input)`."""
        return F.tanh(input)


class Sigmoid(Module):
    """1 / (1 + exp(-x)) for each element (`torch.nn.Sigmoid`).

    >>> import minigrad
    >>> Sigmoid()(minigrad.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.sigmoid(input)`."""
        return F.sigmoid(input)


class LogSigmoid(Module):
    """log(sigmoid(x)) for each element (`torch.nn.LogSigmoid`).

    >>> import minigrad
    >>> LogSigmoid()(minigrad.zeros(2))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.logsigmoid(input)`."""
        return F.logsigmoid(input)


class Softsign(Module):
    """x / (1 + abs(x)) for each element (`torch.nn.Softsign`).

    >>> import minigrad
    >>> Softsign()(minigrad.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.softsign(input)`."""
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x) for each element (`torch.nn.Tanhshrink`).

    >>> import minigrad
    >>> Tanhshrink()(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2384])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.tanhshrink(input)`."""
        return F.tanhshrink(input)


class ReLU(_Choice):
    """max(x, 0) for each element (`torch.nn.ReLU`).

    >>> import minigrad
    >>> ReLU()(minigrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.relu(input)`."""
        return F.relu(input, self.inplace)


class SiLU(_Choice):
    """x * sigmoid(x) for each element (`torch.nn.SiLU`).

    >>> import minigrad
    >>> SiLU()(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.silu(input)`."""
        return F.silu(input, self.inplace)


class SELU(_Choice):
    """`nn.functional.selu` of each element (`torch.nn.SELU`).

    >>> import minigrad
    >>> SELU()(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 1.0507])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.selu(input)`."""
        return F.selu(input, self.inplace)


class Mish(_Choice):
    """x * tanh(softplus(x)) for each element (`torch.nn.Mish`).

    >>> import minigrad
    >>> Mish()(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8651])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.mish(input)`."""
        return F.mish(input, self.inplace)


class Hardsigmoid(_Choice):
    """min(max(x + 3, 0), 6) / 6 for each element (`torch.nn.Hardsigmoid`).

    >>> import minigrad
    >>> Hardsigmoid()(minigrad.tensor([0.0, 4.0]))
    tensor([0.5000, 1.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.hardsigmoid(input)`."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_Choice):
    """x * min(max(x + 3, 0), 6) / 6 for each element (`torch.nn.Hardswish`).

    >>> import minigrad
    >>> Hardswish()(minigrad.tensor([0.0, 4.0]))
    tensor([0., 4.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.hardswish(input)`."""
        return F.hardswish(input, self.inplace)


class LeakyReLU(_Choice):
    """x where it is positive, and `negative_slope` * x elsewhere (`torch.nn.LeakyReLU`).

    >>> import minigrad
    >>> LeakyReLU()(minigrad.tensor([1.0, -2.0]))
    tensor([ 1.0000, -0.0200])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.leaky_relu(input, negative_slope)`."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """Return the settings."""
        return ", ".join(filter(None, (f"negative_slope={self.negative_slope}", super().extra_repr())))


class ELU(_Choice):
    """x where it is positive, and `alpha` * (exp(x) - 1) elsewhere (`torch.nn.ELU`).

    >>> import minigrad
    >>> ELU()(minigrad.tensor([1.0, -2.0]))
    tensor([ 1.0000, -0.8647])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.elu(input, alpha)`."""
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Return the settings."""
        return ", ".join(filter(None, (f"alpha={self.alpha}", super().extra_repr())))


class CELU(_Choice):
    """x where it is positive, and `alpha` * (exp(x / `alpha`) - 1) elsewhere (`torch.nn.CELU`).

    >>> import minigrad
    >>> CELU()(minigrad.tensor([1.0, -2.0]))
    tensor([ 1.0000, -0.8647])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.celu(input, alpha)`."""
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """Return the settings."""
        return ", ".join(filter(None, (f"alpha={self.alpha}", super().extra_repr())))


class Hardtanh(_Choice):
    """Each element, limited to the range from `min_val` to `max_val` (`torch.nn.Hardtanh`).

    >>> import minigrad
    >>> Hardtanh()(minigrad.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        if number_of("Hardtanh", "min_val", min_val) >= number_of("Hardtanh", "max_val", max_val):
            raise ValueError(f"Hardtanh: min_val must be below max_val, got {min_val} and {max_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.hardtanh(input, min_val, max_val)`."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        """Return the settings."""
        limits = f"min_val={self.min_val}, max_val={self.max_val}"
        return ", ".join(filter(None, (limits, super().extra_repr())))


class ReLU6(Hardtanh):
    """min(max(x, 0), 6) for each element (`torch.nn.ReLU6`).

    >>> import minigrad
    >>> ReLU6()(minigrad.tensor([-1.0, 9.0]))
    tensor([0., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Return the settings."""
        return _Choice.extra_repr(self)


class GELU(Module):
    """x * P(X <= x) for a standard normal X (`torch.nn.GELU`).

    >>> import minigrad
    >>> GELU()(minigrad.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8413])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.gelu(input)`."""
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self) -> str:
        """Return the kind of approximation."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """log(1 + exp(`beta` * x)) / `beta` for each element (`torch.nn.Softplus`).

    >>> import minigrad
    >>> Softplus()(minigrad.zeros(2))
    tensor([0.6931, 0.6931])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.softplus(input, beta, threshold)`."""
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(_AlongDim):
    """exp(x) / sum(exp(x)) along `dim` (`torch.nn.Softmax`).

    >>> import minigrad
    >>> Softmax(dim=0)(minigrad.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.softmax(input, dim)`."""
        return F.softmax(input, self.dim)


class Softmin(_AlongDim):
    """`Softmax` of the negative input (`torch.nn.Softmin`).

    >>> import minigrad
    >>> Softmin(dim=0)(minigrad.tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.softmin(input, dim)`."""
        return F.softmin(input, self.dim)


class LogSoftmax(_AlongDim):
    """The logarithm of `Softmax` (`torch.nn.LogSoftmax`).

    >>> import minigrad
    >>> LogSoftmax(dim=0)(minigrad.zeros(2))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.log_softmax(input, dim)`."""
        return F.log_softmax(input, self.dim)


class GLU(Module):
    """a * sigmoid(b), where a and b are the halves of the input along `dim` (`torch.nn.GLU`).

    >>> import minigrad
    >>> GLU()(minigrad.tensor([4.0, 0.0]))
    tensor([2.])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Return `nn.functional.glu(input, dim)`."""
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        """Return the dim."""
        return f"dim={self.dim}"
