"""The layers, with PyTorch's names, defaults, initial values and state dicts.

A layer keeps parameters and settings; the computation is in `functional/`, and the base class in `module.py`.
"""

import math
from collections.abc import Sequence
from typing import Any, Self

from minigrad.api.arguments import array_of, dim_of, sizes_of
from minigrad.api.creation import ones, tensor, zeros
from minigrad.api.shapes import flatten
from minigrad.checks import flag_of, int_of, number_of, shown, size_of
from minigrad.core.dtypes import DType
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version

from . import functional as F
from . import init
from .functional.layers import check_probability, check_table, row_of
from .module import Module
from .parameter import Parameter


class Linear(Module):
    """The affine map x @ weight.T + bias, from (..., in_features) to (..., out_features) (`torch.nn.Linear`).

    `weight` is (out_features, in_features). Initial weights and biases are uniform within 1 / sqrt(in_features).

    >>> Linear(3, 2)(ones(4, 3)).shape
    torch.Size([4, 2])
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: DType = None
    ) -> None:
        super().__init__()
        flag_of("Linear", "bias", bias)
        self.in_features = in_features = size_of("Linear", "in_features", in_features)
        self.out_features = out_features = size_of("Linear", "out_features", out_features)
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.weight = Parameter(zeros(out_features, in_features, **place))
        self.register_parameter("bias", Parameter(zeros(out_features, **place)) if bias else None)
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

    `weight` is (num_embeddings, embedding_dim). Initial weights are standard normal. The row `padding_idx` is 0 at
    first and gets no gradient. Of `max_norm`, `scale_grad_by_freq` and `sparse`, only the defaults are supported.

    >>> Embedding(27, 10)(tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 10])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        check_table("Embedding", max_norm, scale_grad_by_freq, sparse)
        self.num_embeddings = num_embeddings = size_of("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = embedding_dim = size_of("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else row_of("Embedding", padding_idx, num_embeddings)
        if _weight is None:
            weight = zeros(num_embeddings, embedding_dim, device=device, dtype=dtype)
            self.weight = Parameter(weight, not flag_of("Embedding", "_freeze", _freeze))
            self.reset_parameters()
        else:
            if array_of("Embedding", _weight).shape != (num_embeddings, embedding_dim):
                raise ValueError(
                    f"Embedding: a weight of shape {_weight.array.shape} for {num_embeddings} rows of {embedding_dim}"
                )
            self.weight = Parameter(_weight, not flag_of("Embedding", "_freeze", _freeze))

    @classmethod
    def from_pretrained(
        cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None, **settings: Any
    ) -> Self:
        """Return a table whose weight is `embeddings`, which is trained unless `freeze`.

        Raises a ValueError for anything but 2 dims (`torch.nn.Embedding.from_pretrained`).
        """
        shape = array_of("from_pretrained", embeddings).shape
        if len(shape) != 2:
            raise ValueError(f"from_pretrained: expected a table (rows, columns), got shape {shape}")
        return cls(*shape, padding_idx, _weight=embeddings, _freeze=freeze, **settings)

    def reset_parameters(self) -> None:
        """Draw new initial values."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows that `input` selects."""
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Return the sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


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
        device: Any = None,
        dtype: DType = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        for name, flag in (("affine", affine), ("track_running_stats", track_running_stats), ("bias", bias)):
            flag_of("BatchNorm1d", name, flag)
        number_of("BatchNorm1d", "eps", eps)
        number_of("BatchNorm1d", "momentum", 0.0 if momentum is None else momentum)
        self.num_features = num_features = size_of("BatchNorm1d", "num_features", num_features)
        self.eps, self.momentum = eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(num_features, **place)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_features, **place)) if affine and bias else None)
        self.register_buffer("running_mean", zeros(num_features, **place) if track_running_stats else None)
        self.register_buffer("running_var", ones(num_features, **place) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", tensor(0) if track_running_stats else None)

    def reset_running_stats(self) -> None:
        """Set the running mean to 0, the running variance to 1, and the number of batches to 0."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Set the initial values again."""
        self.reset_running_stats()
        _reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized batch. Raises a ValueError if it does not have `num_features` channels."""
        shape = array_of("BatchNorm1d", input).shape
        if len(shape) not in (2, 3) or shape[1] != self.num_features:
            raise ValueError(f"BatchNorm1d: expected (n, {self.num_features}[, length]), got {input.array.shape}")
        momentum = self.momentum or 0.0
        if self.training and self.num_batches_tracked is not None:
            tracked = self.num_batches_tracked.array
            tracked += 1
            bump_version("batch_norm", tracked)
            if self.momentum is None:
                momentum = 1 / tracked.item()
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
        device: Any = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        flag_of("LayerNorm", "elementwise_affine", elementwise_affine)
        flag_of("LayerNorm", "bias", bias)
        number_of("LayerNorm", "eps", eps)
        self.normalized_shape = sizes_of("LayerNorm", (normalized_shape,))
        self.eps, self.elementwise_affine = eps, elementwise_affine
        sizes, place = self.normalized_shape, {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(sizes, **place)) if elementwise_affine else None)
        self.register_parameter("bias", Parameter(zeros(sizes, **place)) if elementwise_affine and bias else None)

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        _reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Division by the root of the mean square over the last dims (`torch.nn.RMSNorm`).

    The result is scaled by `weight`, element by element.

    >>> RMSNorm(2)(tensor([[3.0, 4.0]])).shape
    torch.Size([1, 2])
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        flag_of("RMSNorm", "elementwise_affine", elementwise_affine)
        number_of("RMSNorm", "eps", 0.0 if eps is None else eps)
        self.normalized_shape = sizes_of("RMSNorm", (normalized_shape,))
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = ones(self.normalized_shape, device=device, dtype=dtype)
        self.register_parameter("weight", Parameter(weight) if elementwise_affine else None)

    def reset_parameters(self) -> None:
        """Set the weight to ones."""
        _reset_affine(self.weight, None)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(Module):
    """Normalization of groups of channels of (n, num_channels, ...) (`torch.nn.GroupNorm`).

    The result is scaled by `weight` and shifted by `bias`, channel by channel. Raises a ValueError if the channels
    cannot be divided into `num_groups` groups.

    >>> GroupNorm(1, 2)(tensor([[3.0, 3.0]])).tolist()
    [[0.0, 0.0]]
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: DType = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if int_of("GroupNorm", num_groups) <= 0 or int_of("GroupNorm", num_channels) % num_groups:
            raise ValueError(f"GroupNorm: {num_channels} channels cannot be divided into {num_groups} groups")
        flag_of("GroupNorm", "affine", affine)
        flag_of("GroupNorm", "bias", bias)
        number_of("GroupNorm", "eps", eps)
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.register_parameter("weight", Parameter(ones(num_channels, **place)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(num_channels, **place)) if affine and bias else None)

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        _reset_affine(self.weight, self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalized input."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Return the settings."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


def _reset_affine(weight: Parameter | None, bias: Parameter | None) -> None:
    if weight is not None:
        init.ones_(weight)
    if bias is not None:
        init.zeros_(bias)


class Dropout(Module):
    """Zeros in place of a random share `p` of the elements, in training only (`torch.nn.Dropout`).

    Raises a ValueError if `p` is not between 0 and 1.

    >>> Dropout(0.5).eval()(ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        check_probability("Dropout", p)
        self.p, self.inplace = p, flag_of("Dropout", "inplace", inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with some elements set to 0 and the others divided by 1 - p."""
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}, inplace={self.inplace}"


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


class Unflatten(Module):
    """One dim divided into several, of the sizes `unflattened_size` (`torch.nn.Unflatten`).

    One of the sizes may be -1, which stands for what remains. Raises a TypeError for anything but a tuple of sizes.

    >>> Unflatten(1, (2, 3))(ones(4, 6)).shape
    torch.Size([4, 2, 3])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(unflattened_size, tuple | list):
            raise TypeError(f"Unflatten: expected a tuple of sizes, got {shown(unflattened_size)}")
        self.dim, self.unflattened_size = int_of("Unflatten", dim), unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        """Return the input with more dims."""
        axis = dim_of("Unflatten", input, self.dim)
        shape, sizes = input.array.shape, sizes_of("Unflatten", (self.unflattened_size,))
        known = math.prod(size for size in sizes if size != -1)
        if -1 not in sizes and known != shape[axis]:
            raise RuntimeError(f"Unflatten: sizes {sizes} do not multiply to {shape[axis]}, dim {self.dim} of {shape}")
        filled = [shape[axis] // max(known, 1) if size == -1 else size for size in sizes]
        return input.view(*shape[:axis], *filled, *shape[axis + 1 :])

    def extra_repr(self) -> str:
        """Return the dim and the sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"


class Identity(Module):
    """The input itself; all arguments are ignored (`torch.nn.Identity`).

    >>> Identity()(ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return the input."""
        return input


class CosineSimilarity(Module):
    """The cosines of the angles between vectors along `dim` (`torch.nn.CosineSimilarity`).

    >>> CosineSimilarity()(tensor([[3.0, 4.0]]), tensor([[0.0, 2.0]]))
    tensor([0.8000])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return `nn.functional.cosine_similarity(x1, x2, dim, eps)`."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """The `p`-norms of x1 - x2 along the last dim (`torch.nn.PairwiseDistance`).

    >>> PairwiseDistance()(tensor([[3.0, 4.0]]), zeros(1, 2))
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        """Return `nn.functional.pairwise_distance(x1, x2, p, eps, keepdim)`."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)
