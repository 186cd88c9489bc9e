"""What layers compute, as functions of Tensors (`torch.nn.functional`)."""

import numpy as np

from minigrad import ops
from minigrad.functions import log_softmax, record, relu, softmax, tanh
from minigrad.tensor import Tensor, wrap

__all__ = [
    "batch_norm", "cross_entropy", "embedding", "linear", "log_softmax", "one_hot", "relu", "softmax", "tanh"
]  # fmt: skip


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input @ weight.T + bias, for an input of shape (..., in), a weight (out, in) and a bias (out).

    RuntimeError where the two `in` differ.
    """
    if input.shape[-1:] != weight.shape[1:]:
        raise RuntimeError(
            f"linear: an input of shape {input.shape} for a weight of shape {weight.shape}: their last sizes differ"
        )
    if bias is None:
        return input @ weight.mT
    if input.ndim == 2:
        return record(ops.linear, input, weight, bias)
    return record(ops.linear, input.reshape(-1, weight.shape[1]), weight, bias).reshape(*input.shape[:-1], -1)


def embedding(input: Tensor, weight: Tensor) -> Tensor:
    """The rows of a table `weight` that the integers in `input` name, as a new last dim.

    RuntimeError unless they are integers, IndexError where there is no such row.
    """
    _check_classes("embedding", input, len(weight))
    return record(ops.index, weight, (input.array,))


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
    """Each channel of an input (n, channels) or (n, channels, length) made standard, times `weight`, plus `bias`.

    In training the mean and the biased variance (divided by n) of the batch normalise, and a share `momentum` of them,
    the variance now unbiased (divided by n - 1), goes into the running statistics, in place; otherwise those normalise.
    As in PyTorch. ValueError for other shapes, and for a batch of one number a channel in training.
    Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    if input.ndim not in (2, 3):
        raise ValueError(f"batch_norm: expected 2 or 3 dims, (n, channels[, length]), got {input.shape}")
    axes = (0, 2)[: input.ndim - 1]
    channels = (-1, 1)[: input.ndim - 1]
    scale, shift = (x if x is None or input.ndim == 2 else x.reshape(channels) for x in (weight, bias))
    scale, shift = 1.0 if scale is None else scale, 0.0 if shift is None else shift  # type: ignore[assignment]
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: outside of training it needs running statistics")
        mean, var = running_mean.reshape(channels), running_var.reshape(channels)
        return (input - mean) * (scale / (var + eps).sqrt()) + shift
    n = input.nelement() // max(input.shape[1], 1)
    if n == 1:
        raise ValueError(f"batch_norm: training needs more than one number a channel, got {input.shape}; use .eval()")
    result, _, _, mean, var = record(ops.batch_norm, input, scale, shift, axes, eps)
    if running_mean is not None and running_var is not None:
        for running, now in ((running_mean, mean), (running_var, var * (n / (n - 1)))):
            running.array[...] = (1 - momentum) * running.array + momentum * now.reshape(-1)
    return result


def cross_entropy(input: Tensor, target: Tensor) -> Tensor:
    """The mean negative log-likelihood of the classes `target`, (n), under the logits `input`, (n, classes).

    RuntimeError unless the targets are integers, ValueError where the numbers of rows differ, IndexError for a class
    that there is not.
    """
    if input.ndim != 2 or target.array.shape != input.array.shape[:1]:
        raise ValueError(
            f"cross_entropy: logits of shape {input.shape}, targets of shape {target.shape}; expected (n, classes), (n)"
        )
    _check_classes("cross_entropy", target, input.shape[1])
    return record(ops.cross_entropy, input, target)[0]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Each integer as a new last dim of zeros with a one at its place, int64; -1 makes room for the largest."""
    classes = int(tensor.array.max(initial=-1)) + 1 if num_classes == -1 else num_classes
    _check_classes("one_hot", tensor, classes)
    return wrap(np.eye(classes, dtype=np.int64)[tensor.array])


def _check_classes(name: str, tensor: Tensor, classes: int) -> None:
    """Refuse what is not an integer in range(classes)."""
    array = tensor.array
    if array.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: needs integers, got {array.dtype}; convert with .long()")
    if array.size and not 0 <= array.min() <= array.max() < classes:
        odd = next(x for x in array.ravel().tolist() if not 0 <= x < classes)
        raise IndexError(f"{name}: {odd} is out of range for {classes} classes: expected 0 to {classes - 1}")
