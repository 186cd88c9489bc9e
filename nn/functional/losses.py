"""Losses: how far predictions are from their targets, as the mean, the sum, or one number for each prediction."""

import warnings

import numpy as np

from minigrad.api.arguments import array_of, check_dtypes, check_floating
from minigrad.api.choices import where
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.half import in_float32
from minigrad.api.pointwise import abs, square
from minigrad.checks import flag_of, int_of, number_of, shown
from minigrad.core import ops
from minigrad.core.tensor import Tensor, wrap

from .activations import log_softmax, logsigmoid
from .arguments import (
    CLASSES,
    REDUCTIONS,
    are_below,
    check_choices,
    check_integers,
    check_reduction,
    check_shapes,
    reduced,
)
from .primitives import binary_cross_entropy as cross_entropy_of_two

# Classes


@in_float32
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
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
    check_reduction("cross_entropy", reduction, size_average, reduce)
    default = weight is None and reduction == "mean" and not label_smoothing
    plain = default and len(shape) == 2 and classes.shape == shape[:1] and classes.dtype in CLASSES
    if plain and not 0 <= ignore_index < shape[1] and are_below(shape[1], classes):
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
    return reduced(losses, reduction)


@labelled
@in_float32
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    ignore_index: int = -100,
    reduce: None = None,
    reduction: str = "mean",
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
    check_reduction("nll_loss", reduction, size_average, reduce)
    ignore_index = int_of("nll_loss", ignore_index)
    return _nll("nll_loss", input, target, weight, ignore_index, reduction, 0.0)


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
    check_integers(name, target.array, CLASSES)
    counted = np.asanyarray(target.array != ignored)
    classes = np.where(counted, target.array, 0)
    check_choices(name, classes, shape[dim], "classes")
    check_dtypes(name, scores, weight)
    weighted = _weighted(name, scores, weight, dim)
    places: list[np.ndarray] = [*np.indices(classes.shape, sparse=True)]
    places.insert(dim, classes)
    losses = -ops.index.on_tensors(weighted, tuple(places))
    if smoothing:
        losses = (1 - smoothing) * losses - smoothing / shape[dim] * weighted.sum(dim)
    losses = losses.masked_fill(wrap(~counted), 0.0)
    counts = counted if weight is None else weight.array[classes] * counted
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.sum() / counts.sum().item()


def _weighted(name: str, scores: Tensor, weight: Tensor | None, dim: int) -> Tensor:
    """Return the scores, multiplied by the weights of the classes along `dim`."""
    check_shapes(name, scores.array.shape[dim : dim + 1], weight=weight)
    return scores if weight is None else scores * weight.view(-1, *[1] * (scores.ndim - dim - 1))


# Numbers


@in_float32
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the squared differences of two tensors: mean, sum, or all of them (`torch.nn.functional.mse_loss`).

    If the shapes differ, it warns and broadcasts, as in PyTorch: (n, 1) and (n) give (n, n). With `weight`, each
    difference has a factor, and the mean is divided by the sum of the factors.

    >>> import minigrad
    >>> mse_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
    tensor(2.)
    """
    difference = _difference("mse_loss", input, target, reduction, size_average, reduce)
    check_floating("mse_loss", difference)
    if weight is not None:
        return _with_factors("mse_loss", square(difference), input, weight, reduction)
    return relabelled(reduced(square(difference), reduction), "mse_loss")


@in_float32
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """Return the absolute differences of two tensors, with the arguments of `mse_loss` (`torch.nn.functional.l1_loss`).

    >>> import minigrad
    >>> l1_loss(minigrad.tensor([1.0, 2.0]), minigrad.tensor([1.0, 4.0]))
    tensor(1.)
    """
    difference = _difference("l1_loss", input, target, reduction, size_average, reduce)
    if weight is not None:
        return _with_factors("l1_loss", abs(difference), input, weight, reduction)
    return reduced(abs(difference), reduction)


@in_float32
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return `huber_loss` with `beta` as `delta`, divided by `beta` (`torch.nn.functional.smooth_l1_loss`).

    If `beta` is 0, this is `l1_loss`. Raises a RuntimeError if it is negative. Girshick, "Fast R-CNN", 2015.

    >>> import minigrad
    >>> smooth_l1_loss(minigrad.tensor([0.0, 0.0]), minigrad.tensor([1.0, 4.0]), reduction="none")
    tensor([0.5000, 3.5000])
    """
    difference = _difference("smooth_l1_loss", input, target, reduction, size_average, reduce)
    if number_of("smooth_l1_loss", "beta", beta) < 0:
        raise RuntimeError(f"smooth_l1_loss: beta must not be negative, got {beta}")
    if beta == 0:
        return reduced(abs(difference), reduction)
    check_floating("smooth_l1_loss", difference)
    return relabelled(reduced(_huber(difference, beta) / beta, reduction), "smooth_l1_loss")


@in_float32
def huber_loss(
    input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0, weight: Tensor | None = None
) -> Tensor:
    """Return half of the squared difference, and a line of slope `delta` from `delta` on.

    The other arguments are those of `mse_loss` (`torch.nn.functional.huber_loss`). Raises a RuntimeError if `delta` is
    not positive. Huber, "Robust Estimation of a Location Parameter", 1964.

    >>> import minigrad
    >>> huber_loss(minigrad.tensor([0.0, 0.0]), minigrad.tensor([1.0, 4.0]), reduction="none", delta=2.0)
    tensor([0.5000, 6.0000])
    """
    difference = _difference("huber_loss", input, target, reduction)
    if not number_of("huber_loss", "delta", delta) > 0:
        raise RuntimeError(f"huber_loss: delta must be positive, got {delta}")
    check_floating("huber_loss", input)  # whose dtype the losses have
    losses = _huber(difference, delta).to(input.dtype)
    if weight is not None:
        _check_factors("huber_loss", input, weight)
        return reduced(losses * weight, reduction)
    return relabelled(reduced(losses, reduction), "huber_loss")


def _huber(difference: Tensor, edge: float) -> Tensor:
    size = abs(difference)
    small = size < edge
    # The square of a large difference may be infinite, and its gradient nan, though it is not chosen.
    return where(small, 0.5 * square(where(small, difference, 0.0)), edge * (size - 0.5 * edge))


def _difference(
    name: str, input: Tensor, target: Tensor, reduction: str, size_average: None = None, reduce: None = None
) -> Tensor:
    """Return input - target. Warns if the shapes differ."""
    check_reduction(name, reduction, size_average, reduce)
    if array_of(name, input).shape != array_of(name, target).shape:
        shapes = f"{input.array.shape} and {target.array.shape}"
        warnings.warn(f"{name}: the shapes {shapes} differ and are broadcast; reshape one to the other", stacklevel=4)
    return input - target


def _check_factors(name: str, input: Tensor, weight: Tensor) -> None:
    if array_of(name, weight).shape != input.array.shape:
        raise ValueError(f"{name}: a weight of shape {weight.array.shape} for an input of shape {input.array.shape}")


def _with_factors(name: str, losses: Tensor, input: Tensor, weight: Tensor, reduction: str) -> Tensor:
    """Return the losses times their factors, the sum of that, or the sum divided by the sum of the factors."""
    _check_factors(name, input, weight)
    losses = losses * weight
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.sum() / weight.sum()


# Probabilities


@in_float32
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return the divergence of Kullback and Leibler, target * (log(target) - input) (`torch.nn.functional.kl_div`).

    The input holds log-probabilities, and the target probabilities, or log-probabilities with `log_target`. The
    reduction "batchmean" divides the sum by the size of dim 0: this is the divergence of distributions in rows. "mean"
    divides by the number of elements, and warns. Kullback and Leibler, "On Information and Sufficiency", 1951.

    >>> import minigrad
    >>> kl_div(minigrad.tensor([[0.5, 0.5]]).log(), minigrad.tensor([[0.0, 1.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    check_reduction("kl_div", reduction, size_average, reduce, (*REDUCTIONS, "batchmean"))
    check_floating("kl_div", input)
    check_floating("kl_div", target)
    shape = input.array.shape
    if reduction == "mean":
        warnings.warn(
            "kl_div: 'mean' divides by the number of elements; use 'batchmean' for the divergence", stacklevel=3
        )
    if flag_of("kl_div", "log_target", log_target):
        losses = target.exp() * (target - input)
    else:
        losses = where(target == 0, 0.0, target * target.log()) - target * input
    if reduction != "batchmean":
        return reduced(losses, reduction)
    return losses.sum() / shape[0] if shape else losses.sum()


@labelled
@in_float32
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return -target * log(input) - (1 - target) * log(1 - input) (`torch.nn.functional.binary_cross_entropy`).

    Input and target hold probabilities. The logarithms are at least -100, so that no loss is infinite. `weight` has
    factors, and is broadcast. Raises a ValueError if the shapes differ, and a RuntimeError if the dtypes differ or if
    the input is not between 0 and 1.

    >>> import minigrad
    >>> binary_cross_entropy(minigrad.tensor([0.5, 1.0]), minigrad.tensor([1.0, 0.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    name = "binary_cross_entropy"
    check_reduction(name, reduction, size_average, reduce)
    check_floating(name, input)
    _check_equal_shapes(name, input, target)
    check_dtypes(name, input, target, weight)
    if not ((input.array >= 0) & (input.array <= 1)).all():
        raise RuntimeError(f"{name}: the input must be between 0 and 1; apply sigmoid, or use {name}_with_logits")
    losses = cross_entropy_of_two.on_tensors(input, target)
    return reduced(losses if weight is None else losses * weight, reduction)


@labelled
@in_float32
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: None = None,
    reduce: None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return `binary_cross_entropy` of sigmoid(input), computed without overflow.

    `pos_weight` has factors for the losses of positive targets, and `weight` for all losses; both are broadcast.
    Raises a ValueError if the shapes of input and target differ.
    (`torch.nn.functional.binary_cross_entropy_with_logits`.)

    >>> import minigrad
    >>> binary_cross_entropy_with_logits(minigrad.tensor([0.0, 1000.0]), minigrad.tensor([1.0, 0.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    name = "binary_cross_entropy_with_logits"
    check_reduction(name, reduction, size_average, reduce)
    check_floating(name, input)
    _check_equal_shapes(name, input, target)
    check_floating(name, target)  # whose dtype the losses have
    for factors in (weight, pos_weight):
        if factors is not None:
            array_of(name, factors)
    positive = 1.0 if pos_weight is None else (pos_weight - 1) * target + 1
    losses = (1 - target) * input - positive * logsigmoid(input)
    losses = losses if weight is None else losses * weight
    return reduced(losses.to(target.dtype), reduction)


def _check_equal_shapes(name: str, input: Tensor, target: Tensor) -> None:
    if array_of(name, target).shape != input.array.shape:
        raise ValueError(
            f"{name}: an input of shape {input.array.shape} and a target of shape {target.array.shape}; reshape one to "
            "the other"
        )
