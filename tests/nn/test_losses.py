"""The losses and distances of nn.functional against PyTorch's: settings, edges, old arguments, what is refused."""

import warnings
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
    normal,
    orders,
    ours,
    random,
    theirs,
)

Loss = Callable[..., Any]  # of nn.functional or its like, tensors, and a reduction

NUMBERS: dict[str, Loss] = {
    "mse_loss": lambda f, x, t, r: f.mse_loss(x, t, reduction=r),
    "mse_loss with factors": lambda f, x, t, r: f.mse_loss(x, t, reduction=r, weight=t * t),
    "l1_loss": lambda f, x, t, r: f.l1_loss(x, t, reduction=r),
    "l1_loss with factors": lambda f, x, t, r: f.l1_loss(x, t, reduction=r, weight=t * t),
    "smooth_l1_loss": lambda f, x, t, r: f.smooth_l1_loss(x, t, reduction=r),
    "smooth_l1_loss, beta": lambda f, x, t, r: f.smooth_l1_loss(x, t, reduction=r, beta=0.3),
    "smooth_l1_loss without beta": lambda f, x, t, r: f.smooth_l1_loss(x, t, reduction=r, beta=0.0),
    "huber_loss": lambda f, x, t, r: f.huber_loss(x, t, r),
    "huber_loss, delta": lambda f, x, t, r: f.huber_loss(x, t, reduction=r, delta=0.3),
    "huber_loss with factors": lambda f, x, t, r: f.huber_loss(x, t, r, weight=t * t),
    "kl_div of logarithms": lambda f, x, t, r: f.kl_div(x, t, reduction=r, log_target=True),
    "with logits": lambda f, x, t, r: f.binary_cross_entropy_with_logits(x, t.sigmoid(), reduction=r),
    "with logits and factors": lambda f, x, t, r: f.binary_cross_entropy_with_logits(
        x, t.sigmoid(), (t * t).detach(), reduction=r, pos_weight=x.detach()[:1] ** 2
    ),
}
PROBABILITIES: dict[str, Loss] = {
    "kl_div": lambda f, x, t, r: f.kl_div(x, t, reduction=r),
    "binary_cross_entropy": lambda f, x, t, r: f.binary_cross_entropy(x, t, reduction=r),
    "binary_cross_entropy with factors": lambda f, x, t, r: f.binary_cross_entropy(
        x, t, t[:1].detach() * 2, reduction=r
    ),
}

every_reduction = pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
quiet = pytest.mark.filterwarnings("ignore:.*(kl_div|reduction).*:UserWarning")


@quiet
@every_reduction
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (0, 2), (1,)], ids=str)
@pytest.mark.parametrize("loss", NUMBERS.values(), ids=NUMBERS)
def test_a_loss_of_numbers(loss: Loss, shape: tuple[int, ...], dtype: Any, reduction: str) -> None:
    arrays = normal(*shape, dtype=dtype), normal(*shape, dtype=dtype)
    compare(lambda library, x, t: loss(FUNCTIONAL[library], x, t, reduction), *arrays)


@quiet
@every_reduction
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", PROBABILITIES.values(), ids=PROBABILITIES)
def test_a_loss_of_probabilities(loss: Loss, dtype: Any, reduction: str) -> None:
    arrays = random.uniform(0.05, 0.95, (3, 4)).astype(dtype), random.uniform(0.05, 0.95, (3, 4)).astype(dtype)
    compare(lambda library, x, t: loss(FUNCTIONAL[library], x, t, reduction), *arrays)


def test_kl_div_of_a_batch() -> None:
    for log_target in (False, True):
        compare(
            lambda library, x, t, log=log_target: FUNCTIONAL[library].kl_div(
                x, t, reduction="batchmean", log_target=log
            ),
            normal(4, 3),
            random.uniform(0.1, 1, (4, 3)),
        )
    with pytest.warns(UserWarning, match="batchmean"):
        nn.functional.kl_div(ours(normal(2)), ours(np.ones(2)))


@quiet
@pytest.mark.parametrize("loss", (NUMBERS | PROBABILITIES).values(), ids=NUMBERS | PROBABILITIES)
def test_second_derivatives_are_pytorchs(loss: Loss) -> None:
    def function(library: Any, x: Any, t: Any) -> Any:
        return loss(FUNCTIONAL[library], x, t, "none")

    arrays = [random.uniform(0.1, 0.9, (2, 3)), random.uniform(0.1, 0.9, (2, 3))]
    for mine, reference in zip(
        orders(minigrad, ours, function, arrays, 2), orders(torch, theirs, function, arrays, 2), strict=True
    ):
        assert_near(mine, reference, 1e-9)


DIFFERENCES = np.array([0.0, 1.0, -1.0, 0.3, -0.3, 50.0, 1e200, -1e200, np.inf, -np.inf, np.nan])


@pytest.mark.parametrize("name", [name for name in NUMBERS if "loss" in name and "factors" not in name])
def test_differences_at_the_edges(name: str) -> None:
    """Ties, the edges of the Huber losses, and differences whose square is infinite."""
    # The gradient of abs at nan is nan here, and 0 in PyTorch.
    for value in DIFFERENCES[: -1 if name in ("l1_loss", "smooth_l1_loss without beta") else None]:
        array = np.array([value])
        compare(lambda library, x, t: NUMBERS[name](FUNCTIONAL[library], x, t, "sum"), array, np.zeros(1))


def test_probabilities_at_the_edges() -> None:
    """The logarithms are at least -100, and the gradients finite."""
    inputs, targets = (np.ravel(x) for x in np.meshgrid([0.0, 1e-45, 1e-20, 0.5, 1 - 1e-16, 1.0], [0.0, 0.3, 1.0]))
    x, t = ours(inputs, requires_grad=True), ours(targets, requires_grad=True)
    their_x, their_t = theirs(inputs, requires_grad=True), theirs(targets, requires_grad=True)
    mine, expected = (
        f(a, b, reduction="none")
        for f, a, b in (
            (nn.functional.binary_cross_entropy, x, t),
            (torch.nn.functional.binary_cross_entropy, their_x, their_t),
        )
    )
    np.testing.assert_allclose(mine.detach().numpy(), expected.detach().numpy(), 1e-14)
    mine.sum().backward()
    expected.sum().backward()
    for found, reference in ((x.grad, their_x.grad), (t.grad, their_t.grad)):
        np.testing.assert_allclose(found.numpy(), reference.numpy(), 1e-7)  # PyTorch's 1e-12 is a float32
    compare(
        lambda library, x: FUNCTIONAL[library].kl_div(x, library.tensor([0.0, 1.0]), reduction="none"),
        normal(2, dtype=np.float32),
    )


def test_logits_at_the_edges() -> None:
    inputs, targets = (np.ravel(x) for x in np.meshgrid([0.0, -0.0, 50, -50, 1e4, -1e4, np.nan], [0.0, 0.3, 1.0]))
    compare(
        lambda library, x, t: FUNCTIONAL[library].binary_cross_entropy_with_logits(x, t, reduction="none"),
        inputs,
        targets,
    )


def test_shapes_that_differ_are_broadcast_with_a_warning() -> None:
    for name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
        for library in (minigrad, torch):
            with pytest.warns(UserWarning, match="broadcast") as caught:
                getattr(FUNCTIONAL[library], name)(library.ones(3, 1), library.ones(3))
        assert caught[0].filename == torch.nn.functional.__file__ or caught[0].filename == __file__
        with warnings.catch_warnings(record=True) as ours_caught:
            warnings.simplefilter("always")
            getattr(nn.functional, name)(minigrad.ones(3, 1), minigrad.ones(3))
        assert ours_caught[0].filename == __file__


@pytest.mark.parametrize(
    "name", ["mse_loss", "l1_loss", "smooth_l1_loss", "kl_div", "binary_cross_entropy", "nll_loss"]
)
def test_old_arguments_are_refused_with_advice(name: str) -> None:
    for old in ({"size_average": True}, {"reduce": False}):
        with pytest.raises(TypeError, match=f"{name}: .*reduction='mean'"):
            getattr(nn.functional, name)(minigrad.ones(2, 2), minigrad.ones(2, 2), **old)
    with pytest.raises(TypeError, match=r"MSELoss: .*reduction="):
        nn.MSELoss(size_average=False)


def test_a_loss_of_float16_is_computed_in_float32() -> None:
    x = np.full(1000, 200, np.float16)
    for name in ("mse_loss", "l1_loss", "huber_loss"):
        mine = getattr(nn.functional, name)(ours(x), ours(0 * x))
        reference = getattr(torch.nn.functional, name)(theirs(x), theirs(0 * x))
        assert mine.dtype == np.float16
        np.testing.assert_allclose(mine.item(), reference.item(), rtol=1e-2)


# Distances

VECTORS = [np.random.default_rng(seed).normal(size=(4, 3)) for seed in (5, 6)]
SOLID, ROW = np.random.default_rng(7).normal(size=(2, 3, 4)), np.random.default_rng(8).normal(size=(1, 3))
ZEROS = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, -2.0]])


@pytest.mark.parametrize("p", [2, 1.0, 3.0, 0.5, 0.0, float("inf")])
@pytest.mark.parametrize("x", [VECTORS[0], ZEROS, SOLID], ids=["numbers", "zeros", "3-D"])
def test_normalize(x: np.ndarray, p: float) -> None:
    compare(lambda library, x: FUNCTIONAL[library].normalize(x, p), x)
    compare(lambda library, x: FUNCTIONAL[library].normalize(x, p=p, dim=0, eps=0.5), x)


@pytest.mark.parametrize("arrays", [VECTORS, [ZEROS, SOLID[0, :2, :3]], [VECTORS[0], ROW]], ids=["2", "0", "1"])
def test_cosine_similarity(arrays: list[np.ndarray]) -> None:
    compare(lambda library, a, b: FUNCTIONAL[library].cosine_similarity(a, b), *arrays)
    if len(arrays[1]) > 1:  # else the cosines of columns are all 1, and the gradients rounded zeros
        compare(lambda library, a, b: FUNCTIONAL[library].cosine_similarity(a, b, dim=0, eps=0.1), *arrays)


@pytest.mark.parametrize("p", [2, 1.0, 3.0, float("inf")])
@pytest.mark.parametrize("keepdim", [False, True])
def test_pairwise_distance(keepdim: bool, p: float) -> None:
    compare(lambda library, a, b: FUNCTIONAL[library].pairwise_distance(a, b, p, keepdim=keepdim), *VECTORS)


REFUSALS: dict[str, Function] = {
    "an unknown reduction": lambda f, x: f.l1_loss(x, x, reduction="max"),
    "a negative beta": lambda f, x: f.smooth_l1_loss(x, x, beta=-1.0),
    "a delta of 0": lambda f, x: f.huber_loss(x, x, delta=0.0),
    "factors of another shape": lambda f, x: f.mse_loss(x, x, weight=x[:1]),
    "probabilities above 1": lambda f, x: f.binary_cross_entropy(x * 0 + 2, x),
    "probabilities that are nan": lambda f, x: f.binary_cross_entropy(x * float("nan"), x),
    "targets of another shape": lambda f, x: f.binary_cross_entropy(x.sigmoid(), x[:1]),
    "targets of another shape, with logits": lambda f, x: f.binary_cross_entropy_with_logits(x, x[:1]),
    "shapes that do not broadcast": lambda f, x: f.cosine_similarity(x, x[:2]),
    "a dim that there is not": lambda f, x: f.normalize(x, dim=3),
}


@pytest.mark.filterwarnings("ignore:.*size.*:UserWarning")
@pytest.mark.parametrize("act", REFUSALS.values(), ids=REFUSALS)
def test_a_loss_refuses(act: Function) -> None:
    assert_refused(lambda library, x: act(FUNCTIONAL[library], x), normal(3, 2))
