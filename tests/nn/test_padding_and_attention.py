"""pad, attention, embedding with padding, and normalization of more dims: values, gradients, text, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import (
    FUNCTIONAL,
    Function,
    assert_near,
    assert_refused,
    compare,
    leaves,
    normal,
    orders,
    ours,
    theirs,
)

# pad

PADS: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((3,), (1, 2), {}),
    ((2, 3), (1, 0, 0, 2), {"value": -1.5}),
    ((2, 3), (-1, 2), {}),
    ((2, 3), (-1, -1, 3, -1), {"value": 2}),
    ((2, 3), (), {}),
    ((0, 3), (1, 1, 1, 1), {}),
    ((2, 3, 4), (1, 1, 0, 0, 2, 0), {}),
    *(((2, 5), (2, 1), {"mode": mode}) for mode in ("reflect", "replicate", "circular")),
    *(((2, 3, 5), (2, 1), {"mode": mode}) for mode in ("reflect", "replicate", "circular")),
    *(((2, 3, 5), (2, 1, 1, 0), {"mode": mode}) for mode in ("reflect", "replicate", "circular")),
    *(((1, 2, 4, 3), (1, 2, 3, 0), {"mode": mode}) for mode in ("reflect", "replicate", "circular")),
    *(((1, 2, 3, 4, 3), (1, 1, 1, 2, 0, 1), {"mode": mode}) for mode in ("reflect", "replicate", "circular")),
    ((2, 5), (-1, 2), {"mode": "circular"}),
    ((2, 5), (-1, 2), {"mode": "reflect"}),
    ((2, 5), (7, 9), {"mode": "replicate"}),
]


@pytest.mark.parametrize(("shape", "counts", "settings"), PADS, ids=str)
def test_pad(shape: tuple[int, ...], counts: tuple[int, ...], settings: dict[str, Any]) -> None:
    compare(lambda library, x: FUNCTIONAL[library].pad(x, counts, **settings), normal(*shape))


@pytest.mark.parametrize(
    "array", [np.arange(6).reshape(2, 3), np.array([[True, False]]), normal(2, 2, dtype=np.float16)]
)
def test_pad_keeps_the_dtype(array: np.ndarray) -> None:
    compare(lambda library, x: FUNCTIONAL[library].pad(x, (1, 1), value=1), array)


def test_the_nodes_of_pad_have_pytorchs_names() -> None:
    for shape, counts, settings in PADS:
        if settings.get("mode") != "circular":
            (x,), (reference,) = (leaves(make, [normal(*shape)]) for make in (ours, theirs))
            mine = nn.functional.pad(x, counts, **settings)
            assert repr(mine.grad_fn)[1:-1] == torch.nn.functional.pad(reference, counts, **settings).grad_fn.name()


PAD_REFUSALS: dict[str, Function] = {
    "an odd number of counts": lambda f, x: f.pad(x, (1, 2, 3)),
    "too many counts": lambda f, x: f.pad(x, (1,) * 8),
    "more removed than there is": lambda f, x: f.pad(x, (-2, -2)),
    "an unknown mode": lambda f, x: f.pad(x, (1, 1), mode="mirror"),
    "reflection of more than there is": lambda f, x: f.pad(x, (3, 0), mode="reflect"),
    "more than one way around": lambda f, x: f.pad(x, (4, 0), mode="circular"),
    "reflection of all dims": lambda f, x: f.pad(x, (1, 1, 1, 1, 1, 1), mode="reflect"),
    "reflection by a number": lambda f, x: f.pad(x, (1, 1), mode="reflect", value=1.0),
    "a text": lambda f, x: f.pad(x, "ab"),
}


@pytest.mark.parametrize("act", PAD_REFUSALS.values(), ids=PAD_REFUSALS)
def test_pad_refuses(act: Function) -> None:
    assert_refused(lambda library, x: act(FUNCTIONAL[library], x), normal(2, 3, 3), message="pad: ")


# Attention

MASK = np.tri(3, 5, 1, dtype=bool)
ATTENTION: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "matrices": ((), {}),
    "a batch": ((2,), {}),
    "heads": ((2, 4), {}),
    "scale": ((2,), {"scale": 0.3}),
    "scale of 0": ((2,), {"scale": 0.0}),
    "causal": ((2, 4), {"is_causal": True}),
    "a mask": ((2,), {"attn_mask": MASK}),
    "a mask that hides a query from all": ((2,), {"attn_mask": MASK & (np.arange(3) != 1)[:, None]}),
    "a mask for each head": ((2, 4), {"attn_mask": np.broadcast_to(MASK, (2, 1, 3, 5)).copy()}),
    "numbers": ((2,), {"attn_mask": np.linspace(-1, 1, 15).reshape(3, 5)}),
    "infinite numbers": ((2, 4), {"attn_mask": np.where(MASK, 0.5, -np.inf)}),
    "dropout": ((2,), {"dropout_p": 0.4}),
}


def attention(settings: dict[str, Any]) -> Function:
    """Attention with these settings, in either library."""

    def function(library: Any, q: Any, k: Any, v: Any) -> Any:
        library.manual_seed(4)
        given = {key: library.tensor(x) if isinstance(x, np.ndarray) else x for key, x in settings.items()}
        return FUNCTIONAL[library].scaled_dot_product_attention(q, k, v, **given)

    return function


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("batch", "settings"), ATTENTION.values(), ids=ATTENTION)
def test_attention(batch: tuple[int, ...], settings: dict[str, Any], dtype: Any) -> None:
    settings = dict(settings)
    if settings.get("attn_mask", MASK).dtype.kind == "f":
        settings["attn_mask"] = settings["attn_mask"].astype(dtype)
    arrays = [normal(*batch, *sizes, dtype=dtype) for sizes in ((3, 4), (5, 4), (5, 6))]
    compare(attention(settings), *arrays)


def test_the_second_derivatives_of_attention() -> None:
    arrays = [normal(2, *sizes) for sizes in ((3, 4), (5, 4), (5, 2))]
    function = attention({"attn_mask": MASK})
    pairs = zip(orders(minigrad, ours, function, arrays, 2), orders(torch, theirs, function, arrays, 2), strict=True)
    for mine, reference in pairs:
        assert_near(mine, reference, 1e-9)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_heads_that_are_shared(heads: int) -> None:
    arrays = normal(2, 4, 3, 5), normal(2, heads, 6, 5), normal(2, heads, 6, 5)
    compare(attention({"enable_gqa": True}), *arrays)


def test_the_gradient_of_a_mask() -> None:
    compare(
        lambda library, q, m: FUNCTIONAL[library].scaled_dot_product_attention(q, q, q, m),
        normal(2, 3, 4),
        normal(3, 3),
    )


def test_the_node_of_attention_has_pytorchs_name() -> None:
    for shape in ((1, 2, 3, 4), (3, 4)):
        (x,), (reference,) = (leaves(make, [normal(*shape)]) for make in (ours, theirs))
        mine = nn.functional.scaled_dot_product_attention(x, x, x)
        expected = torch.nn.functional.scaled_dot_product_attention(reference, reference, reference)
        assert repr(mine.grad_fn)[1:-1] == expected.grad_fn.name()


ATTENTION_REFUSALS: dict[str, Callable[..., Any]] = {
    "other sizes": lambda f, x: f.scaled_dot_product_attention(x, x[..., :2], x),
    "a mask and causal": lambda f, x: f.scaled_dot_product_attention(x, x, x, x > 0, is_causal=True),
    "another dtype": lambda f, x: f.scaled_dot_product_attention(x, x.float(), x),
    "a mask of integers": lambda f, x: f.scaled_dot_product_attention(x, x, x, x.detach().long()),
    "a vector": lambda f, x: f.scaled_dot_product_attention(x[0], x[0], x[0]),
    "heads that do not divide": lambda f, x: f.scaled_dot_product_attention(
        x.view(1, 3, 1, 3), x.view(1, 3, 1, 3)[:, :2], x.view(1, 3, 1, 3)[:, :2], enable_gqa=True
    ),
}


@pytest.mark.parametrize("act", ATTENTION_REFUSALS.values(), ids=ATTENTION_REFUSALS)
def test_attention_refuses(act: Callable[..., Any]) -> None:
    assert_refused(lambda library, x: act(FUNCTIONAL[library], x), normal(3, 3), message="scaled_dot_product_attention")


# Embedding, normalization


@pytest.mark.parametrize("padding", [0, 2, -1, -4])
def test_a_row_of_padding_gets_no_gradient(padding: int) -> None:
    places = np.array([[0, 2, 1], [2, 2, 3]])
    compare(lambda library, w: FUNCTIONAL[library].embedding(library.tensor(places), w, padding), normal(4, 3))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(3, 2, 4, 5), (3, 2, 2, 3, 2), (4, 2, 0, 3)], ids=str)
def test_batch_norm_of_more_dims(shape: tuple[int, ...], training: bool) -> None:
    def function(library: Any, x: Any, w: Any, b: Any) -> list[Any]:
        running = [library.zeros(2, dtype=library.float64), library.ones(2, dtype=library.float64)]
        return [FUNCTIONAL[library].batch_norm(x, *running, w, b, training), *running]

    compare(function, normal(*shape), normal(2), normal(2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_rms_norm(dtype: Any) -> None:
    for settings in ({}, {"eps": 0.1}):
        compare_norm("rms_norm", [normal(3, 2, 4, dtype=dtype)], (4,), dtype, settings)
        compare_norm("rms_norm", [normal(3, 2, 4, dtype=dtype), normal(2, 4, dtype=dtype)], (2, 4), dtype, settings)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 6), (2, 6, 5), (2, 6, 3, 2), (0, 6, 2)], ids=str)
@pytest.mark.parametrize("groups", [1, 2])
def test_group_norm(groups: int, shape: tuple[int, ...], dtype: Any) -> None:
    arrays = [normal(*shape, dtype=dtype), normal(6, dtype=dtype), normal(6, dtype=dtype)]
    compare_norm("group_norm", arrays, groups, dtype, {})
    compare_norm("group_norm", arrays[:1], groups, dtype, {"eps": 0.1})


def compare_norm(name: str, arrays: list[np.ndarray], sizes: Any, dtype: Any, settings: dict[str, Any]) -> None:
    """Require the same of a normalization; float16 is rounded in other places in PyTorch."""
    if dtype != np.float16:
        compare(lambda library, x, *rest: getattr(FUNCTIONAL[library], name)(x, sizes, *rest, **settings), *arrays)
        return
    mine = getattr(nn.functional, name)(ours(arrays[0]), sizes, *map(ours, arrays[1:]), **settings)
    expected = getattr(torch.nn.functional, name)(theirs(arrays[0]), sizes, *map(theirs, arrays[1:]), **settings)
    np.testing.assert_allclose(mine.array, expected.numpy(), rtol=3e-3, atol=3e-3)


NORM_REFUSALS: dict[str, Function] = {
    "rms_norm of other sizes": lambda f, x: f.rms_norm(x, (5,)),
    "rms_norm with a weight of other sizes": lambda f, x: f.rms_norm(x, (3,), x[0, :2]),
    "groups that do not divide": lambda f, x: f.group_norm(x, 2),
    "group_norm of a vector": lambda f, x: f.group_norm(x[0], 1),
    "group_norm with a bias of another size": lambda f, x: f.group_norm(x, 1, None, x[0, :2]),
}


@pytest.mark.parametrize("act", NORM_REFUSALS.values(), ids=NORM_REFUSALS)
def test_a_normalization_refuses(act: Function) -> None:
    assert_refused(lambda library, x: act(FUNCTIONAL[library], x), normal(2, 3))
