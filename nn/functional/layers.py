"""The computations of layers without state: linear maps, tables, dropout, padding and attention."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.api.arguments import array_of, check_dtypes, check_floating
from minigrad.api.arrangements import repeat_interleave
from minigrad.api.choices import where
from minigrad.api.creation import full
from minigrad.api.grad_fn import relabelled
from minigrad.api.half import in_float32
from minigrad.checks import flag_of, int_of, is_int, number_of, shown
from minigrad.core import ops
from minigrad.core.tensor import Tensor, wrap
from minigrad.random import default_generator, for_each_element

from .activations import in_place
from .arguments import CLASSES, ROWS, check_choices, check_integers, check_shapes


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight.T + bias (`torch.nn.functional.linear`).

    The shapes are (..., in) for the input, (out, in) for the weight and (out) for the bias. Raises a RuntimeError if
    they do not fit, or if the dtypes differ.

    >>> import minigrad
    >>> linear(minigrad.ones(1, 2), minigrad.tensor([[1.0, 2.0]]), minigrad.tensor([10.0]))
    tensor([[13.]])
    """
    x, w = array_of("linear", input), array_of("linear", weight)
    if bias is not None and x.ndim == w.ndim == 2:  # the most frequent case, for speed
        b = array_of("linear", bias)
        if x.shape[1] == w.shape[1] and b.shape == w.shape[:1] and x.dtype is w.dtype is b.dtype:
            return ops.linear.on_tensors(input, weight, bias)
    check_dtypes("linear", input, weight, bias)
    if w.ndim not in (1, 2) or not x.ndim or x.shape[-1] != w.shape[-1]:
        raise RuntimeError(
            f"linear: an input of shape {input.array.shape} for a weight of shape {weight.array.shape}: "
            "expected (..., in) and (out, in)"
        )
    if bias is None and (x.ndim < 2 or w.ndim < 2):
        return input @ weight.mT
    check_shapes("linear", w.shape[:1], bias=bias)
    *leading, features = x.shape
    rows = input if x.ndim == 2 else input.reshape(math.prod(leading), features)  # one product, not one for each matrix
    result = ops.linear_map.on_tensors(rows, weight) if bias is None else ops.linear.on_tensors(rows, weight, bias)
    return result if x.ndim == 2 else result.reshape(*leading, len(w))


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """Return the rows of the table `weight` that the integers in `input` select (`torch.nn.functional.embedding`).

    The result has the shape of `input` with the columns of the table as last dim. The row `padding_idx` gets no
    gradient. Raises a RuntimeError if the input does not hold integers, and an IndexError if a row does not exist. Of
    `max_norm`, `scale_grad_by_freq` and `sparse`, only the defaults are supported.

    >>> import minigrad
    >>> embedding(minigrad.tensor([2, 0]), minigrad.eye(3))
    tensor([[0., 0., 1.],
            [1., 0., 0.]])
    """
    places, table = array_of("embedding", input), array_of("embedding", weight)
    if table.ndim != 2:
        raise RuntimeError(f"embedding: expected a table (rows, columns), got a weight of shape {table.shape}")
    check_choices("embedding", places, len(table), "rows", ROWS)
    if padding_idx is None and max_norm is None and not scale_grad_by_freq and not sparse:
        return ops.index.on_tensors(weight, (places,), label="embedding")
    check_table("embedding", max_norm, scale_grad_by_freq, sparse)
    rows = ops.index.on_tensors(weight, (places,))
    if padding_idx is None:
        return relabelled(rows, "embedding")
    padding = row_of("embedding", padding_idx, len(table))
    return relabelled(where(wrap(places == padding)[..., None], rows.detach(), rows), "embedding")


def row_of(name: str, padding_idx: int, rows: int) -> int:
    """Return `padding_idx`, of which negative ones count from the end. Raises an IndexError for no row."""
    if not -rows <= int_of(name, padding_idx) < rows:
        raise IndexError(f"{name}: padding_idx {padding_idx} is out of range for {rows} rows")
    return padding_idx % rows


def check_table(name: str, max_norm: None, scale_grad_by_freq: bool, sparse: bool) -> None:
    """Raise a NotImplementedError for the settings of tables that minigrad does not have."""
    if max_norm is not None:
        raise NotImplementedError(f"{name}: there is no max_norm; scale the rows of weight.data between steps")
    if flag_of(name, "scale_grad_by_freq", scale_grad_by_freq) or flag_of(name, "sparse", sparse):
        raise NotImplementedError(f"{name}: gradients are neither sparse nor scaled by frequency; use the defaults")


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
    check_integers("one_hot", array, CLASSES[:1])
    classes = max(int(array.max()) + 1, 1) if num_classes == -1 else num_classes
    try:
        check_choices("one_hot", array, classes, "classes", CLASSES[:1])
    except IndexError as error:
        raise RuntimeError(str(error)) from None
    try:
        return ops.index.on_tensors(wrap(np.eye(classes, dtype=np.int64)), (array,))
    except (MemoryError, ValueError) as error:
        raise RuntimeError(f"one_hot: {classes} classes: {error}") from None


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Set each element to 0 with probability `p`, and divide the others by 1 - p (`torch.nn.functional.dropout`).

    Outside of training, the input is returned unchanged. With `inplace`, the result is written into the input. Raises
    a ValueError if `p` is not between 0 and 1. Srivastava et al., "Dropout", 2014.

    >>> import minigrad
    >>> dropout(minigrad.ones(2), p=0.5, training=False)
    tensor([1., 1.])
    """
    check_probability("dropout", p)
    flag_of("dropout", "training", training)
    flag_of("dropout", "inplace", inplace)
    array_of("dropout", input)
    if not training or p == 0:
        return input
    if p == 1:
        result = input * 0
    else:
        check_floating("dropout", input)
        kept = for_each_element(input.array, lambda shape: default_generator.bernoulli(1 - p, shape))
        result = input * wrap(kept.astype(input.array.dtype) / (1 - p))
    return in_place("dropout", input, result) if inplace else result


def check_probability(name: str, p: float) -> None:
    """Raise a TypeError for anything but a number, and a ValueError for a number that is not between 0 and 1."""
    if not 0 <= number_of(name, "p", p) <= 1:
        raise ValueError(f"{name}: p must be a number from 0 to 1, got {shown(p)}")


# Padding

# For each mode: how far it can pad a dim of a size, and which element stands at the places of the padded dim.
_MODES: dict[str, Any] = {
    "reflect": (lambda size: size - 1, lambda at, size: size - 1 - np.abs(size - 1 - np.abs(at))),
    "replicate": (lambda size: math.inf, lambda at, size: at.clip(0, size - 1)),
    "circular": (lambda size: size, lambda at, size: at % size),
}
_LABELS = {"reflect": "reflection_pad{}D", "replicate": "replication_pad{}D", "circular": "assign"}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """Add elements before and after the last dims (`torch.nn.functional.pad`).

    `pad` has two counts for each dim, from the last dim on: before and after. A negative count removes elements. The
    mode "constant" pads with `value` (default 0), "reflect" with the elements mirrored at the edge, "replicate" with
    the edge itself, and "circular" with the elements from the other end. These three pad the last dims of 2 to 5, as
    in PyTorch: 1, 2 or 3 dims, with one or two dims before them.

    Raises a RuntimeError if the counts do not fit the shape, and a NotImplementedError for other dims or modes.

    >>> import minigrad
    >>> pad(minigrad.tensor([[1, 2, 3]]), (1, 2))
    tensor([[0, 1, 2, 3, 0, 0]])
    >>> pad(minigrad.tensor([[1, 2, 3]]), (1, 2), "reflect")
    tensor([[2, 1, 2, 3, 2, 1]])
    """
    shape = array_of("pad", input).shape
    if not isinstance(pad, tuple | list) or not all(is_int(count) and not isinstance(count, bool) for count in pad):
        raise TypeError(f"pad: expected a tuple of counts such as (1, 1), got {shown(pad)}")
    if len(pad) % 2 or len(pad) > 2 * len(shape):
        raise RuntimeError(f"pad: {len(pad)} counts for the shape {shape}; expected two for each of the last dims")
    pairs = [(0, 0)] * (len(shape) - len(pad) // 2) + [*zip(pad[-2::-2], pad[::-2], strict=True)]
    sizes = [before + size + after for size, (before, after) in zip(shape, pairs, strict=True)]
    if min(sizes, default=0) < 0:
        raise RuntimeError(f"pad: the counts {tuple(pad)} remove more than there is in the shape {shape}")
    if not isinstance(mode, str) or mode not in ("constant", *_MODES):
        raise NotImplementedError(f"pad: mode must be 'constant', {', '.join(map(repr, _MODES))}, got {shown(mode)}")
    if mode == "constant":
        return _surrounded(input, pairs, sizes, value)
    if value is not None:
        raise RuntimeError(
            f"pad: mode {mode!r} pads with elements of the input, so it takes no value, got {shown(value)}"
        )
    dims = len(pad) // 2
    if dims not in (1, 2, 3) or len(shape) not in (dims + 1, dims + 2):
        raise NotImplementedError(
            f"pad: mode {mode!r} pads the last 1, 2 or 3 dims, after one or two others; got {len(pad)} counts for the "
            f"shape {shape}"
        )
    for axis in range(len(shape) - dims, len(shape)):
        (before, after), size = pairs[axis], shape[axis]
        if mode == "circular" and min(before, after) < 0:  # PyTorch wraps around what remains
            input = input[(*[slice(None)] * axis, slice(max(-before, 0), size + min(after, 0)))]
            before, after, size = max(before, 0), max(after, 0), input.array.shape[axis]
        most, element = _MODES[mode]
        if max(before, after) > most(size) or not sizes[axis]:
            raise RuntimeError(f"pad: mode {mode!r} cannot pad dim {axis} of size {size} by {before} and {after}")
        if before or after:
            places = element(np.arange(-before, size + after), size)
            input = ops.index.on_tensors(input, (*[slice(None)] * axis, places))
    return relabelled(input, _LABELS[mode].format(dims))


def _surrounded(input: Tensor, pairs: list[tuple[int, int]], sizes: list[int], value: float | None) -> Tensor:
    """Return the input inside of a larger tensor of one number, or without the elements that negative counts remove."""
    number = 0 if value is None else number_of("pad", "value", value)
    whole = full(tuple(sizes), bool(number) if input.array.dtype.kind == "b" else number, dtype=input.dtype)
    kept = [
        slice(max(-before, 0), max(size - max(-after, 0), 0))
        for (before, after), size in zip(pairs, input.shape, strict=True)
    ]
    places = [slice(max(before, 0), size - max(after, 0)) for (before, after), size in zip(pairs, sizes, strict=True)]
    inner = ops.index.on_tensors(input, tuple(kept))
    return ops.assign.on_tensors(whole, inner, tuple(places), label="constant_pad_nd")


# Attention


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return softmax(`query` @ `key`.mT * scale + mask) @ `value` (`torch.nn.functional.scaled_dot_product_attention`).

    The shapes are (..., l, e) for the query, (..., s, e) for the key, and (..., s, v) for the value. The default scale
    is 1 / sqrt(e). A mask of bools is True where a query may attend to a key; a mask of numbers is added to the scores.
    `is_causal` masks the keys that come after the query. A query that may attend to no key gets zeros. With
    `enable_gqa`, a head of the key and value serves several heads of the query (dim -3).

    Raises a RuntimeError if shapes or dtypes do not fit, or if both a mask and `is_causal` are given. Vaswani et al.,
    "Attention Is All You Need", 2017.

    >>> import minigrad
    >>> x = minigrad.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.3302, 0.6698]])
    """
    name = "scaled_dot_product_attention"
    check_floating(name, query)
    flag_of(name, "is_causal", is_causal)
    check_probability(name, dropout_p)
    check_dtypes(name, query, key, value)
    shapes = [x.array.shape for x in (query, key, value)]
    if min(map(len, shapes)) < 2 or shapes[0][-1] != shapes[1][-1] or shapes[1][-2] != shapes[2][-2]:
        raise RuntimeError(
            f"{name}: shapes {', '.join(map(str, shapes))} do not fit; expected (..., l, e), (..., s, e), (..., s, v)"
        )
    if flag_of(name, "enable_gqa", enable_gqa):
        key, value = (_repeated_heads(name, x, query) for x in (key, value))
    if is_causal and attn_mask is not None:
        raise RuntimeError(f"{name}: got a mask and is_causal; give one of them")
    if is_causal:
        attn_mask = wrap(np.tri(shapes[0][-2], shapes[1][-2], dtype=bool))
    factor = shapes[0][-1] ** -0.5 if scale is None and shapes[0][-1] else number_of(name, "scale", scale or 0.0)
    return _attention(query, key, value, attn_mask, float(dropout_p), factor)


@in_float32
def _attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout_p: float, factor: float
) -> Tensor:
    scores = (query * factor) @ key.mT
    if mask is not None:
        kind = array_of("scaled_dot_product_attention", mask).dtype
        if kind.kind != "b" and kind != query.array.dtype:
            raise RuntimeError(
                f"scaled_dot_product_attention: a mask of {kind} for a query of {query.array.dtype}; use bools, or the "
                "dtype of the query"
            )
        scores = scores + mask if kind.kind == "f" else where(mask, scores, -math.inf)
    weights = ops.softmax.on_tensors(scores, (scores.ndim - 1,))
    if mask is not None:
        # A row of -inf alone has no softmax. Where a query may attend to no key, its weights are 0.
        unseen = (scores.array == -math.inf).all(-1, keepdims=True)
        if unseen.any():
            weights = ops.softmax.on_tensors(scores.masked_fill(wrap(unseen), 0.0), (scores.ndim - 1,))
            weights = weights.masked_fill(wrap(unseen), 0.0)
    result = dropout(weights, dropout_p) @ value
    is_fused = query.ndim == 4 and not dropout_p and not (mask is not None and mask.requires_grad)
    return relabelled(result, "scaled_dot_product_flash_attention_for_cpu") if is_fused else result


def _repeated_heads(name: str, x: Tensor, query: Tensor) -> Tensor:
    """Return keys or values with each head repeated, so that there are as many as of the query."""
    if min(x.ndim, query.ndim) < 3 or query.array.shape[-3] % max(x.array.shape[-3], 1):
        raise RuntimeError(
            f"{name}: enable_gqa needs a number of query heads (dim -3) that is a multiple of those of the key and "
            f"value, got shapes {query.array.shape} and {x.array.shape}"
        )
    return repeat_interleave(x, query.array.shape[-3] // max(x.array.shape[-3], 1), -3)
