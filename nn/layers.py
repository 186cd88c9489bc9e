"""The layers, with PyTorch's names, defaults, initial values and state dicts.

A layer keeps parameters and settings; the computation is in `functional.py`, and the base class in `module.py`.
"""

import math
from collections.abc import Sequence

from minigrad.api.arguments import array_of, sizes_of
from minigrad.api.creation import ones, tensor, zeros
from minigrad.api.pointwise import relu, tanh
from minigrad.api.shapes import flatten
from minigrad.checks import flag_of, number_of
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version
from nn import functional as F
from nn import init
from nn.functional.layers import check_probability
from nn.module import Module, Parameter


class Linear(Module):
    """The affine map x @ weight.T + bias, from (..., in_features) to (..., out_features) (`torch.nn.Linear`).

    `weight` is (out_features, in_features). Initial weights and biases are uniform within 1 / sqrt(in_features).

    >>> Linear(3, 2)(ones(4, 3)).shape
    torch.Size([4, 2])
    """

    bias: Parameter | None

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__()
        flag_of("Linear", "bias", bias)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(zeros(out_features, in_features))
        self.register_parameter("bias", Parameter(zeros(out_features)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """Return `input @ weight.T + bias`."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A table whose rows are selected by integers: (...) gives (..., embedding_dim) (`torch.nn.Embedding`).

    `weight` is (num_embeddings, embedding_dim). Initial weights are standard normal.

    >>> Embedding(27, 10)(tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 10])
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = Parameter(zeros(num_embeddings, embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows that `input` selects."""
        return F.embedding(input, self.weight)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"


class BatchNorm1d(Module):
    """Normalization of each channel of (n, channels) or (n, channels, length) over the batch (`torch.nn.BatchNorm1d`).

    The result is scaled by `weight` and shifted by `bias`. In training, the mean and the biased variance of the batch
    normalize, and the buffers `running_mean` and `running_var` move to the mean and the unbiased variance by the share
    `momentum`. If `momentum` is None, the buffers are the averages over all batches. In eval mode, the buffers
    normalize.

    >>> BatchNorm1d(2)(tensor([[1.0, 5.0], [3.0, 5.0]])).mean(0).tolist()
    [0.0, 0.0]
    """

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        for name, flag in (("affine", affine), ("track_running_stats", track_running_stats), ("bias", bias)):
            flag_of("BatchNorm1d", name, flag)
        number_of("BatchNorm1d", "eps", eps)
        number_of("BatchNorm1d", "momentum", 0.0 if momentum is None else momentum)
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.register_parameter("weight", Parameter(ones(num_features)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features)) if affine and bias else None)
        self.register_buffer("running_mean", zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized batch. Raises a ValueError if it does not have `num_features` channels."""
        shape = array_of("BatchNorm1d", input).shape
        if len(shape) not in (2, 3) or shape[1] != self.num_features:
            raise ValueError(f"BatchNorm1d: expected (n, {self.num_features}[, length]), got {input.array.shape}")
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            tracked = self.num_batches_tracked.array
            tracked[...] = batches = tracked.item() + 1
            bump_version("batch_norm", tracked)
            if self.momentum is None:
                momentum = 1 / batches
        batch_statistics = self.training or self.running_mean is None
        return F.batch_norm(
            input, self.running_mean, self.running_var, self.weight, self.bias, batch_statistics, momentum, self.eps
        )

    def extra_repr(self) -> str:
        """Return the settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class LayerNorm(Module):
    """Normalization over the last dims, whose sizes are `normalized_shape` (`torch.nn.LayerNorm`).

    The result is scaled by `weight` and shifted by `bias`, element by element. Training and eval mode do the same.

    >>> LayerNorm(2)(tensor([[3.0, 3.0]])).tolist()
    [[0.0, 0.0]]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        flag_of("LayerNorm", "elementwise_affine", elementwise_affine)
        flag_of("LayerNorm", "bias", bias)
        number_of("LayerNorm", "eps", eps)
        self.normalized_shape = sizes_of("LayerNorm", (normalized_shape,))
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.register_parameter("weight", Parameter(ones(self.normalized_shape)) if elementwise_affine else None)
        self.register_parameter(
            "bias", Parameter(zeros(self.normalized_shape)) if elementwise_affine and bias else None
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class Dropout(Module):
    """Zeros in place of a random share `p` of the elements, in training only (`torch.nn.Dropout`).

    Raises a ValueError if `p` is not between 0 and 1.

    >>> Dropout(0.5).eval()(ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        check_probability("Dropout", p)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some elements set to 0 and the others divided by 1 - p."""
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}, inplace=False"


class Tanh(Module):
    """The hyperbolic tangent of each element (`torch.nn.Tanh`).

    >>> Tanh()(zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return tanh(input)."""
        return tanh(input)


class ReLU(Module):
    """max(x, 0) for each element (`torch.nn.ReLU`).

    >>> ReLU()(tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return max(input, 0)."""
        return relu(input)


class Flatten(Module):
    """The dims from `start_dim` to `end_dim` joined into one; the default keeps the batch dim (`torch.nn.Flatten`).

    >>> Flatten()(ones(2, 3, 4)).shape
    torch.Size([2, 12])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """Return the flattened input."""
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Return the dims."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class CrossEntropyLoss(Module):
    """`nn.functional.cross_entropy` with fixed settings (`torch.nn.CrossEntropyLoss`).

    >>> CrossEntropyLoss()(zeros(1, 2), tensor([0]))
    tensor(0.6931)
    """

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction, self.label_smoothing = ignore_index, reduction, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits and a target."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
