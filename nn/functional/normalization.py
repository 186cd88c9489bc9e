"""Normalization: of channels over a batch, of elements over dims or groups of channels, by the mean square."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api.arguments import array_of, check_floating
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.half import HALF, rounded, rounded_as_input, widened
from minigrad.checks import flag_of, int_of, number_of
from minigrad.core import ops
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version

from .arguments import check_parameters, check_shapes, sizes_at_the_end


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize each channel to mean 0 and variance 1 (`torch.nn.functional.batch_norm`).

    Then multiply by `weight` and add `bias`. The input is (n, channels, ...); each other tensor has one number per
    channel.

    In training, the mean and the biased variance of the batch (divided by n) normalize. The running statistics are
    updated in place: each moves by the share `momentum` to the mean or the unbiased variance (divided by n - 1) of the
    batch. Outside of training, the running statistics normalize. Ioffe and Szegedy, "Batch Normalization", 2015.

    Raises a ValueError for less than two dims, or if training gets one number per channel. Raises a RuntimeError if
    another tensor does not have one number per channel.

    >>> import minigrad
    >>> batch_norm(minigrad.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    shape = array_of("batch_norm", input).shape
    if len(shape) < 2:
        raise ValueError(f"batch_norm: expected at least 2 dims, (n, channels, ...), got {shape}")
    check_floating("batch_norm", input)
    flag_of("batch_norm", "training", training)
    number_of("batch_norm", "momentum", momentum)
    number_of("batch_norm", "eps", eps)
    channels = shape[1]
    check_parameters(
        *("batch_norm", input, (channels,)),
        running_mean=running_mean,
        running_var=running_var,
        weight=weight,
        bias=bias,
    )
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: running_mean and running_var go together; give both or neither")
    rest = len(shape) - 2
    axes, across = ((0, *range(2, len(shape))), (channels, *[1] * rest)) if rest else ((0,), (channels,))
    scale = 1.0 if weight is None else weight.view(across) if rest else weight
    shift = 0.0 if bias is None else bias.view(across) if rest else bias
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: outside of training it needs running_mean and running_var")
        return _with_statistics(input, running_mean.view(across), running_var.view(across), scale, shift, eps)
    n = input.array.size // max(channels, 1)
    if n == 1:
        raise ValueError(
            f"batch_norm: training needs more than one number per channel, got {input.array.shape}; use .eval()"
        )
    if not n:
        return relabelled(input * scale + shift, "batch_norm")
    is_half, operands = input.array.dtype == HALF, (input, scale, shift)
    if is_half:
        operands = tuple(map(widened, operands))
    result, _, _, mean, var = ops.batch_norm.on_tensors(*operands, axes, float(eps), False)
    if running_mean is not None and running_var is not None:
        for running, now, share in ((running_mean, mean, momentum), (running_var, var, momentum * n / (n - 1))):
            array = running.array
            array *= 1 - momentum
            array += share * now.reshape(-1)
        bump_version("batch_norm", running_mean.array, running_var.array)
    return rounded(result) if is_half else result


@rounded_as_input
def _with_statistics(input: Tensor, mean: Tensor, var: Tensor, scale: Any, shift: Any, eps: float) -> Tensor:
    """Return the input normalized with a given mean and variance, scaled and shifted."""
    return (input.contiguous() - mean) * (scale / (var + eps).sqrt()) + shift


@labelled
def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Normalize over the last dims, then multiply by `weight` and add `bias` (`torch.nn.functional.layer_norm`).

    `normalized_shape` has the sizes of these dims; `weight` and `bias` have this shape, too. Raises a RuntimeError if
    the shapes do not fit. Ba et al., "Layer Normalization", 2016.

    >>> import minigrad
    >>> layer_norm(minigrad.tensor([[1.0, 3.0]]), (2,))
    tensor([[-1.0000,  1.0000]])
    """
    sizes = sizes_at_the_end("layer_norm", input, normalized_shape)
    check_floating("layer_norm", input)
    number_of("layer_norm", "eps", eps)
    check_parameters("layer_norm", input, sizes, weight=weight, bias=bias)
    return _over_dims(input, weight, bias, tuple(range(input.ndim - len(sizes), input.ndim)), float(eps))


@rounded_as_input
def _over_dims(input: Tensor, weight: Tensor | None, bias: Tensor | None, axes: tuple[int, ...], eps: float) -> Tensor:
    result = ops.batch_norm.on_tensors(input, 1.0, 0.0, axes, eps, True)[0]  # the same as over a batch
    result = result if weight is None else result * weight
    return result if bias is None else result + bias


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """Divide by the root of the mean square over the last dims (`torch.nn.functional.rms_norm`).

    Then multiply by `weight`. `normalized_shape` has the sizes of these dims. The mean square is increased by `eps`: by
    default the distance of 1 to the next number of the dtype. Raises a RuntimeError if the shapes do not fit. Zhang and
    Sennrich, "Root Mean Square Layer Normalization", 2019.

    >>> import minigrad
    >>> rms_norm(minigrad.tensor([[3.0, 4.0]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    sizes = sizes_at_the_end("rms_norm", input, normalized_shape)
    check_floating("rms_norm", input)
    check_shapes("rms_norm", sizes, weight=weight)
    dtype = np.float32 if input.array.dtype == HALF else input.array.dtype
    least = float(np.finfo(dtype).eps) if eps is None else number_of("rms_norm", "eps", eps)
    return _by_mean_square(input, weight, least, tuple(range(input.ndim - len(sizes), input.ndim)))


@rounded_as_input
def _by_mean_square(input: Tensor, weight: Tensor | None, eps: float, dims: tuple[int, ...]) -> Tensor:
    result = input * ((input * input).mean(dims, keepdim=True) + eps) ** -0.5
    return result if weight is None else (result * weight).to(input.dtype)


@labelled
@rounded_as_input
def native_group_norm(input: Tensor, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """Compute `group_norm` of checked arguments; the name is that of PyTorch's `grad_fn`."""
    shape = input.array.shape
    parts = input.reshape(shape[0] * groups, -1) if input.array.size else input.reshape(shape[0] * groups, 0)
    result = ops.batch_norm.on_tensors(parts, 1.0, 0.0, (1,), eps, True)[0].reshape(shape)
    across = (shape[1], *[1] * (len(shape) - 2))
    result = result if weight is None else result * weight.view(across)
    return result if bias is None else result + bias.view(across)


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Normalize groups of channels, each to mean 0 and variance 1 (`torch.nn.functional.group_norm`).

    Then multiply by `weight` and add `bias`, which have one number per channel. The input is (n, channels, ...), and
    the channels are divided into `num_groups` groups. Raises a RuntimeError if they cannot be divided, or if shapes do
    not fit. Wu and He, "Group Normalization", 2018.

    >>> import minigrad
    >>> group_norm(minigrad.tensor([[1.0, 3.0, 5.0, 5.0]]), 2)
    tensor([[-1.0000,  1.0000,  0.0000,  0.0000]])
    """
    shape, groups = array_of("group_norm", input).shape, int_of("group_norm", num_groups)
    check_floating("group_norm", input)
    if len(shape) < 2 or groups <= 0 or shape[1] % groups:
        raise RuntimeError(f"group_norm: the channels (dim 1) of {shape} cannot be divided into {groups} groups")
    check_parameters("group_norm", input, shape[1:2], weight=weight, bias=bias)
    return native_group_norm(input, groups, weight, bias, float(number_of("group_norm", "eps", eps)))
