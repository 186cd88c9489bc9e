"""The computations of layers as functions of Tensors, without state (`torch.nn.functional`).

The layers, which keep parameters and call these functions, are in `layers.py`.
"""

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api import distributions, missing
from minigrad.api.arguments import array_of, check_floating
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.half import HALF, in_float32, rounded, widened
from minigrad.api.pointwise import relu, sigmoid, square, tanh
from minigrad.checks import flag_of, int_of, number_of, shown
from minigrad.core import ops
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version
from minigrad.random import default_generator, for_each_element

__all__ = [
    "batch_norm", "cross_entropy", "dropout", "embedding", "gelu", "layer_norm", "linear", "log_softmax", "mse_loss",
    "nll_loss", "one_hot", "relu", "sigmoid", "silu", "softmax", "tanh"
]  # fmt: skip

__getattr__ = missing.of_module(
    __name__,
    "torch.nn.functional",
    {
        "l1_loss": "(input - target).abs().mean(), whose gradient at nan is nan",
        "leaky_relu": "minigrad.where(x > 0, x, 0.01 * x)",
        "scaled_dot_product_attention": "softmax(q @ k.mT / k.shape[-1] ** 0.5, -1) @ v, without a mask",
    },
)


def __dir__() -> list[str]:
    return __all__


# Activations: tanh, relu and sigmoid are minigrad's functions


@labelled
@in_float32
def silu(input: Tensor) -> Tensor:
    """Return x * sigmoid(x) (`torch.nn.functional.silu`; Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016).

    Raises a RuntimeError if the dtype is not floating.

    >>> import minigrad
    >>> silu(minigrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    check_floating("silu", input)
    return input * sigmoid(input)


@labelled
@in_float32
def gelu(input: Tensor, *, approximate: str = "none") -> Tensor:
    """Return x * P(X <= x) for a standard normal X (`torch.nn.functional.gelu`; Hendrycks and Gimpel, 2016).

    `approximate="tanh"` uses an approximation by tanh. Raises a RuntimeError for another approximation, or if the dtype
    is not floating.

    >>> import minigrad
    >>> gelu(minigrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    check_floating("gelu", input)
    if not isinstance(approximate, str):
        raise TypeError(f"gelu: approximate must be 'none' or 'tanh', got {shown(approximate)}")
    if approximate == "none":
        balance = ops.erf.on_tensors(input * math.sqrt(0.5))
    elif approximate == "tanh":
        balance = tanh(math.sqrt(2 / math.pi) * (input + 0.044715 * input**3))
    else:
        raise RuntimeError(f"gelu: approximate {shown(approximate)} is neither 'none' nor 'tanh'")
    return input * (0.5 * (1 + balance))


def softmax(input: Tensor, dim: int | None = None, *, dtype: DType = None) -> Tensor:
    """Return `minigrad.softmax`, after a conversion to `dtype` if it is given (`torch.nn.functional.softmax`).

    Without `dim` it warns and uses PyTorch's choice: dim 0 for 0, 1 and 3 dims, and dim 1 for all others.

    >>> import minigrad
    >>> softmax(minigrad.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    return distributions.softmax(*_converted("softmax", input, dim, dtype))


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: DType = None) -> Tensor:
    """Return `minigrad.log_softmax`, with the arguments of `softmax` (`torch.nn.functional.log_softmax`).

    >>> import minigrad
    >>> log_softmax(minigrad.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    return distributions.log_softmax(*_converted("log_softmax", input, dim, dtype))


def _converted(name: str, input: Tensor, dim: int | None, dtype: DType) -> tuple[Tensor, int]:
    """Return the input in the given dtype, and the dim. Warns if no dim is given."""
    ndim = array_of(name, input).ndim
    if dim is None:
        dim = 0 if ndim in (0, 1, 3) else 1
        warnings.warn(f"{name}: no dim was given, so dim {dim} is used; pass dim={dim}", stacklevel=3)
    return input.to(number_dtype(name, dtype, input.array.dtype)), dim


def dropout(input: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """Set each element to 0 with probability `p`, and divide the others by 1 - p (`torch.nn.functional.dropout`).

    Outside of training, the input is returned unchanged. Raises a ValueError if `p` is not between 0 and 1. Srivastava
    et al., "Dropout", 2014.

    >>> import minigrad
    >>> dropout(minigrad.ones(2), p=0.5, training=False)
    tensor([1., 1.])
    """
    check_probability("dropout", p)
    flag_of("dropout", "training", training)
    array_of("dropout", input)
    if not training or p == 0:
        return input
    if p == 1:
        return input * 0
    check_floating("dropout", input)
    kept = for_each_element(input.array, lambda shape: default_generator.bernoulli(1 - p, shape))
    return input * wrap(kept.astype(input.array.dtype) / (1 - p))


def check_probability(name: str, p: float) -> None:
    """Raise a TypeError for anything but a number, and a ValueError for a number that is not between 0 and 1."""
    if not 0 <= number_of(name, "p", p) <= 1:
        raise ValueError(f"{name}: p must be a number from 0 to 1, got {shown(p)}")


# Layers


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias (`torch.nn.functional.linear`).

    The shapes are (..., in) for the input, (out, in) for the weight and (out) for the bias. Raises a RuntimeError if
    they do not fit, or if the dtypes differ.

    >>> import minigrad
    >>> linear(minigrad.ones(1, 2), minigrad.tensor([[1.0, 2.0]]), minigrad.tensor([10.0]))
    tensor([[13.]])
    """
    x, w = array_of("linear", input), array_of("linear", weight)
    _check_dtypes("linear", input, weight, bias)
    if w.ndim not in (1, 2) or not x.ndim or x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            f"linear: an input of shape {input.array.shape} for a weight of shape {weight.array.shape}: "
            "expected (..., in) and (out, in)"
        )
    if bias is None:
        return ops.linear_map.on_tensors(input, weight) if x.ndim == w.ndim == 2 else input @ weight.mT
    _check_shapes("linear", w.shape[:1], bias=bias)
    if x.ndim == 2:
        return ops.linear.on_tensors(input, weight, bias)
    *leading, features = input.shape
    rows = ops.linear.on_tensors(input.reshape(math.prod(leading), features), weight, bias)
    return rows.reshape(*leading, len(weight))


def embedding(input: Tensor, weight: Tensor) -> Tensor:
    """Return the rows of the table `weight` that the integers in `input` select (`torch.nn.functional.embedding`).

    The result has the shape of `input` with the columns of the table as last dim. Raises a RuntimeError if the input
    does not hold integers, and an IndexError if a row does not exist.

    >>> import minigrad
    >>> embedding(minigrad.tensor([2, 0]), minigrad.eye(3))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    places, table = array_of("embedding", input), array_of("embedding", weight)
    if table.ndim != 2:
        raise RuntimeError(f"embedding: expected a table (rows, columns), got a weight of shape {table.shape}")
    _check_choices("embedding", places, len(table), "rows", _ROWS)
    return ops.index.on_tensors(weight, (places,), label="embedding")


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

    Then multiply by `weight` and add `bias`. The input is (n, channels) or (n, channels, length); each other tensor has
    one number per channel.

    In training, the mean and the biased variance of the batch (divided by n) normalize. The running statistics are
    updated in place: each moves by the share `momentum` to the mean or the unbiased variance (divided by n - 1) of the
    batch. Outside of training, the running statistics normalize. Ioffe and Szegedy, "Batch Normalization", 2015.

    Raises a ValueError for other numbers of dims, or if training gets one number per channel. Raises a RuntimeError if
    another tensor does not have one number per channel.

    >>> import minigrad
    >>> batch_norm(minigrad.tensor([[1.0], [3.0]]), None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    shape = array_of("batch_norm", input).shape
    if len(shape) not in (2, 3):
        raise ValueError(f"batch_norm: expected 2 or 3 dims, (n, channels[, length]), got {shape}")
    check_floating("batch_norm", input)
    flag_of("batch_norm", "training", training)
    number_of("batch_norm", "momentum", momentum)
    number_of("batch_norm", "eps", eps)
    channels = shape[1]
    parameters = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
    _check_dtypes("batch_norm", input, *parameters.values())
    _check_shapes("batch_norm", (channels,), **parameters)
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: running_mean and running_var go together; give both or neither")
    long = len(shape) == 3
    axes, across = ((0, 2), (channels, 1)) if long else ((0,), (channels,))
    scale = 1.0 if weight is None else weight.view(across) if long else weight
    shift = 0.0 if bias is None else bias.view(across) if long else bias
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


@in_float32
def _with_statistics(input: Tensor, mean: Tensor, var: Tensor, scale: Any, shift: Any, eps: float) -> Tensor:
    """Return the input normalized with a given mean and variance, scaled and shifted."""
    return (input.contiguous() - mean) * (scale / (var + eps).sqrt()) + shift


@labelled
@in_float32
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
    array_of("layer_norm", input)
    if not isinstance(normalized_shape, tuple | list):
        raise TypeError(f"layer_norm: normalized_shape must be a tuple of sizes, not {shown(normalized_shape)}")
    sizes = tuple(normalized_shape)
    if not sizes or input.array.shape[-len(sizes) :] != sizes:
        raise RuntimeError(
            f"layer_norm: an input of shape {input.array.shape} does not end in the sizes {shown(sizes)}"
        )
    check_floating("layer_norm", input)
    number_of("layer_norm", "eps", eps)
    _check_dtypes("layer_norm", input, weight, bias)
    _check_shapes("layer_norm", sizes, weight=weight, bias=bias)
    axes = tuple(range(input.ndim - len(sizes), input.ndim))
    result = ops.batch_norm.on_tensors(input, 1.0, 0.0, axes, float(eps), True)[0]  # the same, over other dims
    result = result if weight is None else result * weight
    return result if bias is None else result + bias


# Losses


@in_float32
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the negative log-likelihood of the target classes under logits (`torch.nn.functional.cross_entropy`).

    The logits are (n, classes), (classes) or (n, classes, ...). A target of this shape without `classes` holds classes,
    as in `nll_loss`. A target of this same shape holds probabilities. `label_smoothing` is the share of each target
    that is spread evenly over all classes (Szegedy et al., "Rethinking the Inception Architecture", 2016).

    Raises a RuntimeError if the logits are not floating, if the smoothing is not between 0 and 1, or if an
    `ignore_index` is given with probabilities.

    >>> import minigrad
    >>> cross_entropy(minigrad.tensor([[2.0, 0.0], [0.0, 2.0]]), minigrad.tensor([0, 1]))
    tensor(0.1269)
    """
    check_floating("cross_entropy", input)
    shape, classes = input.array.shape, array_of("cross_entropy", target)
    ignore_index = int_of("cross_entropy", ignore_index)
    number_of("cross_entropy", "label_smoothing", label_smoothing)
    _check_reduction("cross_entropy", reduction)
    default = weight is None and reduction == "mean" and not label_smoothing
    plain = default and len(shape) == 2 and classes.shape == shape[:1] and classes.dtype in _CLASSES
    if plain and not 0 <= ignore_index < shape[1] and _are_below(shape[1], classes):
        return ops.cross_entropy.on_tensors(input, target)[0]
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"cross_entropy: label_smoothing must be a number from 0 to 1, got {shown(label_smoothing)}")
    dim = int(len(shape) != 1)
    scores = log_softmax(input, dim)
    if classes.shape != shape:
        losses = _nll("cross_entropy", scores, target, weight, ignore_index, reduction, label_smoothing)
        return relabelled(losses, "nll_loss")
    if classes.dtype.kind != "f" or ignore_index >= 0:
        raise RuntimeError(
            f"cross_entropy: a target of the logits' shape {shape} holds probabilities: of a floating dtype, not "
            f"{classes.dtype}, and without an ignore_index"
        )
    shares = (1 - label_smoothing) * target + label_smoothing / max(shape[dim], 1)
    losses = -(_weighted("cross_entropy", scores, weight, dim) * shares).sum(dim)
    return _reduced("cross_entropy", losses, reduction, losses.nelement())


@labelled
@in_float32
def nll_loss(
    input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """Return the negative log-probabilities of the target classes: mean, sum, or all (`torch.nn.functional.nll_loss`).

    The input holds log-probabilities. The shapes of input and target are (n, classes) and (n), (classes) and (), or (n,
    classes, ...) and (n, ...). `weight` has one factor per class; the mean is divided by the sum of the factors used.
    Targets equal to `ignore_index` do not count.

    Raises a ValueError if the numbers of rows differ, a RuntimeError if other sizes differ or the targets are not
    int64, and an IndexError if a class does not exist.

    >>> import minigrad
    >>> nll_loss(minigrad.tensor([[-0.5, -1.0]]), minigrad.tensor([1]))
    tensor(1.)
    """
    check_floating("nll_loss", input)
    return _nll("nll_loss", input, target, weight, ignore_index, reduction, 0.0)


@labelled
@in_float32
def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """Return the squared differences of two tensors: mean, sum, or all of them (`torch.nn.functional.mse_loss`).

    If the shapes differ, it warns and broadcasts, as in PyTorch: (n, 1) and (n) give (n, n).

    >>> import minigrad
    >>> mse_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
    tensor(2.)
    """
    if array_of("mse_loss", input).shape != array_of("mse_loss", target).shape:
        shapes = f"{input.array.shape} and {target.array.shape}"
        warnings.warn(f"mse_loss: the shapes {shapes} differ and are broadcast; reshape one to the other", stacklevel=4)
    difference = input - target
    check_floating("mse_loss", difference)
    return _reduced("mse_loss", square(difference), reduction, difference.nelement())


def _nll(
    name: str, scores: Tensor, target: Tensor, weight: Tensor | None, ignored: int, reduction: str, smoothing: float
) -> Tensor:
    """Compute `nll_loss` with label smoothing.

    The share `smoothing` of each target is spread evenly over all classes.
    """
    shape, dim = scores.array.shape, int(scores.ndim != 1)
    if array_of(name, target).shape != (*shape[:dim], *shape[dim + 1 :]) or not shape:
        rows_differ = not shape or (dim and target.array.shape[:1] != shape[:1])
        raise (ValueError if rows_differ else RuntimeError)(
            f"{name}: an input of shape {shape} and a target of shape {target.array.shape}; expected (n, classes) and "
            "(n), (classes) and (), or (n, classes, ...) and (n, ...)"
        )
    _check_integers(name, target.array, _CLASSES)
    counted = np.asarray(target.array != ignored)
    classes = np.where(counted, target.array, 0)
    _check_choices(name, classes, shape[dim], "classes")
    _check_dtypes(name, scores, weight)
    weighted = _weighted(name, scores, weight, dim)
    places: list[np.ndarray] = [*np.indices(classes.shape, sparse=True)]
    places.insert(dim, classes)
    losses = -ops.index.on_tensors(weighted, tuple(places))
    if smoothing:
        losses = (1 - smoothing) * losses - smoothing / shape[dim] * weighted.sum(dim)
    losses = losses.masked_fill(wrap(~counted), 0.0)
    counts = counted if weight is None else weight.array[classes] * counted
    return _reduced(name, losses, reduction, counts.sum().item())


def _weighted(name: str, scores: Tensor, weight: Tensor | None, dim: int) -> Tensor:
    """Return the scores, multiplied by the weights of the classes along `dim`."""
    _check_shapes(name, scores.array.shape[dim : dim + 1], weight=weight)
    return scores if weight is None else scores * weight.view(-1, *[1] * (scores.ndim - dim - 1))


def _reduced(name: str, losses: Tensor, reduction: str, count: float) -> Tensor:
    """Return the losses, their sum, or their sum divided by `count`."""
    _check_reduction(name, reduction)
    if reduction == "none":
        return losses
    return losses.sum() / count if reduction == "mean" else losses.sum()


# Integers


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Replace each integer by a vector of zeros with a one at its index (`torch.nn.functional.one_hot`).

    The result is int64 and has a new last dim of `num_classes`; -1 stands for the largest integer plus 1. Raises a
    RuntimeError if an integer is not a class, or if there are no integers and no `num_classes`.

    >>> import minigrad
    >>> one_hot(minigrad.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    array, num_classes = array_of("one_hot", tensor), int_of("one_hot", num_classes)
    if num_classes == -1 and not array.size:
        raise RuntimeError("one_hot: a tensor without elements needs num_classes")
    _check_integers("one_hot", array, _CLASSES[:1])
    classes = max(int(array.max()) + 1, 1) if num_classes == -1 else num_classes
    try:
        _check_choices("one_hot", array, classes, "classes", _CLASSES[:1])
    except IndexError as error:
        raise RuntimeError(str(error)) from None
    try:
        return wrap(np.eye(classes, dtype=np.int64)[array])
    except (MemoryError, ValueError) as error:
        raise RuntimeError(f"one_hot: {classes} classes: {error}") from None


# Checks of arguments


_CLASSES, _ROWS = (np.dtype(np.int64), np.dtype(np.uint8)), (np.dtype(np.int64), np.dtype(np.int32))
_UNSIGNED = {np.dtype(kind): np.dtype(f"u{np.dtype(kind).itemsize}") for kind in (np.int64, np.int32, np.uint8)}


def _are_below(count: int, array: np.ndarray) -> bool:
    """Return whether all integers are in range(count)."""
    # As unsigned numbers, negative ones are the largest. One search for the maximum is faster than two comparisons.
    unsigned = array.view(_UNSIGNED[array.dtype])
    return not unsigned.size or unsigned.item(unsigned.argmax()) < count


def _check_choices(
    name: str, array: np.ndarray, count: int, things: str, dtypes: tuple[np.dtype[Any], ...] = _CLASSES
) -> None:
    """Raise an IndexError if an integer is not in range(count), and a RuntimeError if the dtype is wrong."""
    _check_integers(name, array, dtypes)
    if not _are_below(count, array):
        odd = next(x for x in array.ravel().tolist() if not 0 <= x < count)
        raise IndexError(f"{name}: {odd} is out of range for {count} {things}: expected 0 to {count - 1}")


def _check_reduction(name: str, reduction: str) -> None:
    if not isinstance(reduction, str) or reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{name}: reduction must be 'none', 'mean' or 'sum', got {shown(reduction)}")


def _check_integers(name: str, array: np.ndarray, dtypes: tuple[np.dtype[Any], ...]) -> None:
    if array.dtype not in dtypes:
        raise RuntimeError(f"{name}: needs int64 integers, got {array.dtype}; convert with .long()")


def _check_dtypes(name: str, first: Tensor, *others: Tensor | None) -> None:
    dtype = first.array.dtype
    for x in others:
        if x is not None and array_of(name, x).dtype is not dtype and x.array.dtype != dtype:
            dtypes = ", ".join(str(array_of(name, each).dtype) for each in (first, *others) if each is not None)
            raise RuntimeError(f"{name}: dtypes {dtypes} differ; convert with .to(dtype)")


def _check_shapes(name: str, shape: tuple[int, ...], **parameters: Tensor | None) -> None:
    for role, x in parameters.items():
        if x is not None and array_of(name, x).shape != shape:
            raise RuntimeError(f"{name}: {role} has shape {x.array.shape} instead of {shape}")
