"""What layers compute, as functions of Tensors (`torch.nn.functional`)."""

import math

import numpy as np

from minigrad import ops
from minigrad.functions import _check_floating, log_softmax, record, relu, softmax, tanh
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
            f"linear: an input of shape {input.array.shape} for a weight of shape {weight.array.shape}: their last sizes differ"
        )
    dtypes = [x.dtype for x in (input, weight, bias) if x is not None]
    if len(set(dtypes)) > 1:
        raise RuntimeError(f"linear: dtypes {', '.join(map(str, dtypes))} differ; convert with .to(dtype)")
    if bias is None:
        return input @ weight.mT
    if bias.shape != weight.shape[:1]:
        raise RuntimeError(
            f"linear: a bias of shape {bias.array.shape} for a weight of shape {weight.array.shape}: sizes differ"
        )
    if input.ndim == 2:
        return record(ops.linear, input, weight, bias)
    *leading, features = input.shape
    rows = record(ops.linear, input.reshape(math.prod(leading), features), weight, bias)
    return rows.reshape(*leading, len(weight))


def embedding(input: Tensor, weight: Tensor) -> Tensor:
    """The rows of a table `weight` that the integers in `input` name, as a new last dim.

    RuntimeError unless they are integers, IndexError where there is no such row.
    """
    _check_choices("embedding", input, len(weight), "rows")
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
    As in PyTorch. ValueError for other numbers of dims, and for one number a channel in training; RuntimeError where
    the other tensors do not have a number for each channel. Ioffe and Szegedy, "Batch Normalization", 2015.
    """
    if input.ndim not in (2, 3):
        raise ValueError(f"batch_norm: expected 2 or 3 dims, (n, channels[, length]), got {input.array.shape}")
    _check_floating("batch_norm", input)
    channels = input.shape[1]
    given = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    for name, x in given.items():
        if x is not None and x.shape != (channels,):
            raise RuntimeError(
                f"batch_norm: {name} has shape {x.array.shape}, but the input {input.array.shape} {channels} channels"
            )
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: running_mean and running_var go together; give both or neither")
    axes, across = ((0,), (channels,)) if input.ndim == 2 else ((0, 2), (channels, 1))
    scale = 1.0 if weight is None else weight.view(across) if input.ndim == 3 else weight
    shift = 0.0 if bias is None else bias.view(across) if input.ndim == 3 else bias
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("batch_norm: outside of training it needs running_mean and running_var")
        factor = scale / (running_var.view(across) + eps).sqrt()
        return (input - running_mean.view(across)) * factor + shift
    n = input.nelement() // max(channels, 1)
    if n == 1:
        raise ValueError(
            f"batch_norm: training needs more than one number a channel, got {input.array.shape}; use .eval()"
        )
    result, _, _, mean, var = record(ops.batch_norm, input, scale, shift, axes, eps)
    if running_mean is not None and running_var is not None and n:
        for running, now in ((running_mean, mean), (running_var, var * (n / (n - 1)))):
            running.array[...] = (1 - momentum) * running.array + momentum * now.reshape(-1)
    return result


def cross_entropy(input: Tensor, target: Tensor) -> Tensor:
    """The mean negative log-likelihood of the classes `target`, (n), under the logits `input`, (n, classes).

    RuntimeError unless the logits are floating and the targets integers, ValueError where the numbers of rows differ,
    IndexError for a class that there is not.
    """
    _check_floating("cross_entropy", input)
    if input.ndim != 2 or target.shape != input.shape[:1]:
        raise ValueError(
            f"cross_entropy: logits of shape {input.array.shape}, targets of shape {target.array.shape}; expected (n, classes), (n)"
        )
    _check_choices("cross_entropy", target, input.shape[1], "classes")
    return record(ops.cross_entropy, input, target)[0]


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Each integer as a new last dim of zeros with a one at its place, int64; -1 makes room for the largest.

    RuntimeError for integers that are negative or have no class, and for no integers without `num_classes`.
    """
    if num_classes == -1 and not tensor.nelement():
        raise RuntimeError("one_hot: of no integers, it needs num_classes")
    classes = max(int(tensor.array.max()) + 1, 1) if num_classes == -1 else num_classes
    try:
        _check_choices("one_hot", tensor, classes, "classes")
    except IndexError as error:
        raise RuntimeError(str(error)) from None
    return wrap(np.eye(classes, dtype=np.int64)[tensor.array])


def _check_choices(name: str, tensor: Tensor, count: int, things: str) -> None:
    """Refuse what is not an integer in range(count)."""
    array = tensor.array
    if array.dtype.kind not in "iu":
        raise RuntimeError(f"{name}: needs integers, got {array.dtype}; convert with .long()")
    if array.size and not 0 <= array.min() <= array.max() < count:
        odd = next(x for x in array.ravel().tolist() if not 0 <= x < count)
        raise IndexError(f"{name}: {odd} is out of range for {count} {things}: expected 0 to {count - 1}")
