"""float16 on ordinary data, whose sums and squares are too large for it: as PyTorch, which computes it wider."""

from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import FUNCTIONAL, Function, assert_close, normal, ours, theirs


def half(*shape: int, scale: float = 1.0) -> np.ndarray:
    return (normal(*shape) * scale).astype(np.float16)


def zeros_and_ones(library: Any, count: int) -> tuple[Any, Any]:
    return library.zeros(count, dtype=library.float16), library.ones(count, dtype=library.float16)


TRIALS: dict[str, tuple[Function, list[np.ndarray]]] = {
    "std": (lambda library, x: x.std(1), [half(4, 1000, scale=10)]),
    "var": (lambda library, x: x.var(0), [half(300, 5, scale=100)]),
    "mean of many": (lambda library, x: x.mean(), [np.full(70000, 2, np.float16)]),
    "mean of rows": (lambda library, x: x.mean(0), [half(3000, 4, scale=300)]),
    "sum of rows": (lambda library, x: x.sum(0), [abs(half(3000, 4))]),
    "cumsum": (lambda library, x: x.cumsum(0), [np.ones(5000, np.float16)]),
    "gradient of a bias": (lambda library, x, b: x + b, [half(5000, 4), half(4)]),
    "softmax": (lambda library, x: x.softmax(-1), [half(2, 9000)]),
    "log_softmax": (lambda library, x: x.log_softmax(-1), [half(3, 5000)]),
    "logsumexp": (lambda library, x: x.logsumexp(-1), [half(3, 50)]),
    "layer_norm": (
        lambda library, x, w, b: FUNCTIONAL[library].layer_norm(x, (50,), w, b),
        [half(4, 50, scale=300), half(50), half(50)],
    ),
    "layer_norm of three": (
        lambda library, x: FUNCTIONAL[library].layer_norm(x, (3,)),
        [np.float16([300, -300, 200])],
    ),
    "batch_norm": (
        lambda library, x, w, b: FUNCTIONAL[library].batch_norm(x, *zeros_and_ones(library, 5), w, b, training=True),
        [half(40, 5, scale=300), half(5), half(5)],
    ),
    "batch_norm with statistics": (
        lambda library, x, w, b: FUNCTIONAL[library].batch_norm(x, *zeros_and_ones(library, 5), w, b),
        [half(40, 5, scale=3), half(5), half(5)],
    ),
    "mse_loss": (lambda library, x, y: FUNCTIONAL[library].mse_loss(x, y), [half(40, 5, scale=30), half(40, 5)]),
    "cross_entropy": (
        lambda library, x: FUNCTIONAL[library].cross_entropy(x, library.zeros(9000).long()),
        [half(9000, 4)],
    ),
    "gelu": (lambda library, x: FUNCTIONAL[library].gelu(x), [half(50, scale=900)]),
    "gelu by tanh": (lambda library, x: FUNCTIONAL[library].gelu(x, approximate="tanh"), [half(50, scale=900)]),
    "silu": (lambda library, x: FUNCTIONAL[library].silu(x), [half(50, scale=900)]),
}


@pytest.mark.parametrize("name", TRIALS)
def test_float16_is_computed_wider_and_rounded_once(name: str) -> None:
    function, arrays = TRIALS[name]
    found = []
    for library, make in (minigrad, ours), (torch, theirs):
        leaves = [make(x, requires_grad=True) for x in arrays]
        result = function(library, *leaves)
        assert str(result.dtype) == "torch.float16"
        upstream = np.resize(np.float16([1.0, -0.5, 0.25, 2.0]), tuple(result.shape))
        result.backward(make(upstream))
        found.append([result.detach(), *(leaf.grad for leaf in leaves)])
    for mine, reference in zip(*found, strict=True):
        reference = reference.numpy().astype(np.float64)
        assert np.isfinite(reference).all()
        # One rounding to float16 is within 2**-11; sums of rounded numbers are compared on the scale of the sum.
        scale = np.abs(reference).max()
        np.testing.assert_allclose(mine.numpy().astype(np.float64), reference, rtol=4e-3, atol=2e-3 * scale)


def test_running_statistics_of_float16() -> None:
    found = []
    x = half(40, 5, scale=100)
    for library, make in (minigrad, ours), (torch, theirs):
        mean, var = zeros_and_ones(library, 5)
        FUNCTIONAL[library].batch_norm(make(x), mean, var, training=True)
        found.append((mean.numpy(), var.numpy()))
    for mine, reference in zip(*found, strict=True):
        np.testing.assert_allclose(mine.astype(float), reference.astype(float), rtol=2e-3)


def test_the_node_has_the_name_of_the_function() -> None:
    x = ours(half(4, 3), requires_grad=True)
    assert "LogSoftmaxBackward0" in repr(x.log_softmax(1))
    assert "NativeLayerNormBackward0" in repr(minigrad.nn.functional.layer_norm(x, (3,)))


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
@pytest.mark.parametrize("size", [3, 10, 27, 200])
def test_layer_norm_of_equal_numbers_is_zero(scale: float, size: int) -> None:
    """What rounding the mean leaves is not taken for a variance."""
    x = np.repeat((normal(200, 1) * scale).astype(np.float32), size, 1)
    results = [
        FUNCTIONAL[library].layer_norm(make(x), (size,)) for library, make in ((minigrad, ours), (torch, theirs))
    ]
    assert_close(results[0].numpy(), results[1].numpy())


ROWS = [(2**21, 2), (10**6, 3), (3, 2**19, 2), (700, 5), (513, 1), (512, 4)]


@pytest.mark.parametrize("shape", ROWS)
def test_long_sums_keep_their_digits(shape: tuple[int, ...]) -> None:
    """Sums, means and standard deviations over equal rows, whose roundings all go in one direction."""
    x = np.full(shape, 0.1, np.float32) * np.arange(1, shape[-1] + 1, dtype=np.float32)
    exact = x.astype(np.float64).sum(-2)
    mine, reference = ours(x), theirs(x)
    error = np.abs(mine.sum(-2).numpy() - exact).max()
    assert error <= max(2 * np.abs(reference.sum(-2).numpy() - exact).max(), 1e-6 * exact.max())
    np.testing.assert_allclose(mine.mean(-2).numpy(), x.astype(np.float64).mean(-2), rtol=2e-6)
    np.testing.assert_allclose(mine.std(-2).numpy(), 0, atol=2e-6 * shape[-1])
    np.testing.assert_allclose(mine.cumsum(-2).numpy()[..., -1, :], exact, rtol=2e-6)
    by_columns = ours(np.ascontiguousarray(np.moveaxis(x, -2, -1))).mT
    # numpy before 2.3 sums a long column by pieces of 8,192 elements, and adds these one after another.
    np.testing.assert_allclose(by_columns.sum(-2).numpy(), exact, rtol=3e-6)


def test_the_gradient_of_a_bias_over_many_rows_keeps_its_digits() -> None:
    bias = minigrad.zeros(2, requires_grad=True)
    (minigrad.ones(2**20, 2) * 0.1 * bias).sum().backward()
    np.testing.assert_allclose(bias.grad.numpy(), np.float64(np.float32(0.1)) * 2**20, rtol=1e-6)


def test_a_derived_function_keeps_the_digits_of_long_sums() -> None:
    x = minigrad.ones(2**18, 2, requires_grad=True)
    loss = ((x * 0.1).sum(0) * minigrad.tensor([1.0, 2.0])).sum()
    derived = minigrad.derive(loss, names={"x": x})
    found, _ = derived(x=np.ones((2**18, 2), np.float32))
    np.testing.assert_allclose(found, np.float64(np.float32(0.1)) * 2**18 * 3, rtol=1e-6)


FLOATS = ["float16", "float32", "float64"]
OF_TWO: dict[str, Function] = {
    "mse_loss": lambda library, f, x, y: f.mse_loss(x, y),
    "mse_loss with factors": lambda library, f, x, y: f.mse_loss(x, x * 0, weight=y),
    "l1_loss": lambda library, f, x, y: f.l1_loss(x, y, reduction="none"),
    "smooth_l1_loss": lambda library, f, x, y: f.smooth_l1_loss(x, y),
    # whose gradients PyTorch refuses
    "huber_loss": lambda library, f, x, y: x + f.huber_loss(x.detach(), y.detach(), reduction="none"),
    "kl_div": lambda library, f, x, y: f.kl_div(x, y, reduction="batchmean"),
    "cross_entropy": lambda library, f, x, y: f.cross_entropy(x, y),
    "binary_cross_entropy": lambda library, f, x, y: f.binary_cross_entropy(x, y),
    "with logits": lambda library, f, x, y: f.binary_cross_entropy_with_logits(x, y, reduction="none"),
    "with logits and factors": lambda library, f, x, y: f.binary_cross_entropy_with_logits(x, x * 0 + 1, y.detach()),
    "cosine_similarity": lambda library, f, x, y: f.cosine_similarity(x, y),
    "pairwise_distance": lambda library, f, x, y: f.pairwise_distance(x, y),
    "addcmul": lambda library, f, x, y: library.addcmul(x, y, y),
    "addcdiv": lambda library, f, x, y: library.addcdiv(x, x, y),
    "layer_norm": lambda library, f, x, y: f.layer_norm(x, (3,), y[0], y[1]),
    "layer_norm of three dtypes": lambda library, f, x, y: f.layer_norm(x, (3,), x[0].detach(), y[1]),
    "group_norm": lambda library, f, x, y: f.group_norm(x, 1, y[0], y[1]),
    "batch_norm": lambda library, f, x, y: f.batch_norm(x, *y[:2].detach().clone(), y[2], y[3], training=True),
    "batch_norm with statistics": lambda library, f, x, y: f.batch_norm(x, *y[:2].detach().clone(), y[2], y[3]),
}


@pytest.mark.parametrize("name", OF_TWO)
@pytest.mark.parametrize("second", FLOATS)
@pytest.mark.parametrize("first", FLOATS)
def test_two_dtypes_give_the_dtype_that_they_give_in_pytorch(name: str, first: str, second: str) -> None:
    x, y = np.random.default_rng(1).uniform(0.1, 0.9, (2, 4, 3))
    outcomes: list[Any] = []
    for library, make in (minigrad, ours), (torch, theirs):
        leaves = [make(x.astype(first), requires_grad=True), make(y.astype(second), requires_grad=True)]
        try:
            result = OF_TWO[name](library, FUNCTIONAL[library], *leaves)
        except RuntimeError:
            outcomes.append(None)
            continue
        upstream = np.random.default_rng(2).normal(size=tuple(result.shape))
        result.backward(make(upstream).to(result.dtype))
        found = [result.detach(), *(leaf.grad for leaf in leaves)]
        outcomes.append([None if each is None else (str(each.dtype), each.numpy()) for each in found])
    mine, reference = outcomes
    if mine is None or reference is None:
        assert mine is reference
        return
    digits = {"rtol": 1e-2, "atol": 2e-3} if "float16" in (first, second) else {"rtol": 1e-5, "atol": 1e-6}
    assert [each and each[0] for each in mine] == [each and each[0] for each in reference]  # the dtypes
    for our, their in zip(filter(None, mine), filter(None, reference), strict=True):
        np.testing.assert_allclose(our[1].astype(float), their[1].astype(float), **digits)
