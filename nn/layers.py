"""The layers, with PyTorch's names, defaults, initial values and state."""

import math
from collections.abc import Sequence

from minigrad.api.arguments import array_of, sizes_of
from minigrad.api.creation import ones, tensor, zeros
from minigrad.api.pointwise import relu, tanh
from minigrad.api.shapes import flatten
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version
from nn import functional as F
from nn import init
from nn.module import Module, Parameter


class Linear(Module):
    """x @ weight.T + bias, from (..., in_features) to (..., out_features) (`torch.nn.Linear`).

    `weight` is (out_features, in_features); both begin uniform within 1 / sqrt(in_features).
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(zeros(out_features, in_features))
        self.bias = Parameter(zeros(out_features)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features else 0.0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """The affine map."""
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A table of vectors, from which integers choose rows: (...) to (..., embedding_dim) (`torch.nn.Embedding`).

    `weight` is (num_embeddings, embedding_dim) and begins standard normal.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int) -> None:
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.weight = Parameter(zeros(num_embeddings, embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        """The rows that `input` names."""
        return F.embedding(input, self.weight)

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.num_embeddings}, {self.embedding_dim}"


class BatchNorm1d(Module):
    """Each channel of (n, channels) or (n, channels, length) made standard, then scaled and shifted.

    In training it normalises by the mean and the biased variance of the batch, and moves the buffers `running_mean` and
    `running_var` towards the mean and the unbiased variance by a share `momentum` (None: towards the average of all
    batches so far); in eval mode it normalises by those buffers. As `torch.nn.BatchNorm1d`.
    """

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
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine and bias else None
        self.register_buffer("running_mean", zeros(num_features) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def forward(self, input: Tensor) -> Tensor:
        """The normalised batch. ValueError where it does not have `num_features` channels."""
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
        """Its settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class LayerNorm(Module):
    """The last dims, of sizes `normalized_shape`, made standard together, then scaled and shifted element by element.

    The same in training and in eval mode (`torch.nn.LayerNorm`).
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.normalized_shape = sizes_of("LayerNorm", (normalized_shape,))
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ones(self.normalized_shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(self.normalized_shape)) if elementwise_affine and bias else None

    def forward(self, input: Tensor) -> Tensor:
        """The normalised input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Its settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class Dropout(Module):
    """In training, zeros in place of a random share `p` of the elements (`torch.nn.Dropout`)."""

    def __init__(self, p: float = 0.5) -> None:
        F.check_probability("Dropout", p)
        self.p = p

    def forward(self, input: Tensor) -> Tensor:
        """The input with holes, scaled up to the same mean."""
        return F.dropout(input, self.p, self.training)

    def extra_repr(self) -> str:
        """Its probability."""
        return f"p={self.p}, inplace=False"


class Tanh(Module):
    """The hyperbolic tangent of each element."""

    def forward(self, input: Tensor) -> Tensor:
        """tanh(input)."""
        return tanh(input)


class ReLU(Module):
    """The positive elements, and 0 in place of the others."""

    def forward(self, input: Tensor) -> Tensor:
        """max(input, 0)."""
        return relu(input)


class Flatten(Module):
    """All dims from `start_dim` to `end_dim` as one; by default all but that of the batch (`torch.nn.Flatten`)."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        """The flattened input."""
        return flatten(input, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        """Its dims."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class CrossEntropyLoss(Module):
    """`nn.functional.cross_entropy` with settings (`torch.nn.CrossEntropyLoss`)."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        self.register_buffer("weight", weight)
        self.ignore_index, self.reduction, self.label_smoothing = ignore_index, reduction, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """The loss of logits."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
