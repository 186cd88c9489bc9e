"""nn.init against torch.nn.init: the same numbers from the same seed, and what is refused."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import assert_close

INIT: dict[Any, Any] = {minigrad: nn.init, torch: torch.nn.init}
Fill = Callable[[Any, Any], Any]  # fills a tensor, with the functions of a library

FILLS: dict[str, Fill] = {
    "xavier_uniform_": lambda init, x: init.xavier_uniform_(x),
    "xavier_uniform_, gain": lambda init, x: init.xavier_uniform_(x, gain=init.calculate_gain("relu")),
    "xavier_normal_": lambda init, x: init.xavier_normal_(x),
    "xavier_normal_, gain": lambda init, x: init.xavier_normal_(x, 0.5),
    "orthogonal_": lambda init, x: init.orthogonal_(x),
    "orthogonal_, gain": lambda init, x: init.orthogonal_(x, gain=2.0),
    "trunc_normal_": lambda init, x: init.trunc_normal_(x),
    "trunc_normal_, narrow": lambda init, x: init.trunc_normal_(x, mean=0.2, std=0.02, a=0.19, b=0.25),
    "trunc_normal_, in the tail": lambda init, x: init.trunc_normal_(x, a=1.5, b=3.0),
    "trunc_normal_, far out": lambda init, x: init.trunc_normal_(x, mean=1.0, std=0.5, a=-3.0, b=0.2),
    "sparse_": lambda init, x: init.sparse_(x.view(x.shape[0], -1), 0.3),
    "sparse_, std": lambda init, x: init.sparse_(x.view(x.shape[0], -1), sparsity=0.9, std=2.0),
    "eye_": lambda init, x: init.eye_(x.view(x.shape[0], -1)),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 5), (8, 3), (3, 20), (40, 30), (4, 2, 3)], ids=str)
@pytest.mark.parametrize("fill", FILLS.values(), ids=FILLS)
def test_the_numbers_are_pytorchs(fill: Fill, shape: tuple[int, ...], dtype: str) -> None:
    results = []
    for library in (minigrad, torch):
        library.manual_seed(7)
        tensor = library.zeros(*shape, dtype=getattr(library, dtype))
        assert fill(INIT[library], tensor).shape[0] == shape[0]
        results.append([np.array(x.numpy()) for x in (tensor, library.rand(4))])  # the same stream goes on
    (mine, after), (reference, expected) = results
    if "orthogonal" in next(name for name, each in FILLS.items() if each is fill):
        np.testing.assert_allclose(mine, reference, atol=40 * np.finfo(dtype).eps)
    else:
        assert_close(mine, reference)
    np.testing.assert_array_equal(after, expected)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)], ids=str)
def test_an_orthogonal_matrix_is_orthogonal(shape: tuple[int, int]) -> None:
    w = nn.init.orthogonal_(minigrad.zeros(*shape, dtype=minigrad.float64), gain=3.0).array
    product = w @ w.T if shape[0] < shape[1] else w.T @ w
    np.testing.assert_allclose(product, 9 * np.eye(min(shape)), atol=1e-13)


def test_truncated_normals_have_the_moments_of_their_density() -> None:
    x = nn.init.trunc_normal_(minigrad.zeros(200_000, dtype=minigrad.float64), std=2.0, a=-1.0, b=3.0).array
    assert -1 <= x.min() < x.max() <= 3
    phi = [math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) for z in (-0.5, 1.5)]
    mass = (math.erf(1.5 / math.sqrt(2)) + math.erf(0.5 / math.sqrt(2))) / 2
    assert x.mean() == pytest.approx(2 * (phi[0] - phi[1]) / mass, abs=0.01)


def test_a_generator_is_drawn_from() -> None:
    for fill in (nn.init.xavier_uniform_, nn.init.xavier_normal_, nn.init.orthogonal_, nn.init.trunc_normal_):
        first, second = (fill(minigrad.zeros(3, 4), generator=minigrad.Generator().manual_seed(3)) for _ in range(2))
        assert first.tolist() == second.tolist()


def test_a_parameter_is_filled_without_a_record() -> None:
    weight = nn.Parameter(minigrad.zeros(3, 4))
    for fill in (nn.init.xavier_uniform_, nn.init.orthogonal_, nn.init.trunc_normal_, nn.init.eye_):
        assert fill(weight) is weight
        assert weight.is_leaf
        assert weight.requires_grad


@pytest.mark.parametrize(
    "name", ["uniform", "normal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "orthogonal"]
)
def test_an_old_name_warns(name: str) -> None:
    results = []
    for library in (minigrad, torch):
        library.manual_seed(1)
        with pytest.warns(FutureWarning, match=f"{name}_"):
            results.append(getattr(INIT[library], name)(library.zeros(3, 3)).numpy())
    np.testing.assert_allclose(*results, atol=1e-6)


REFUSALS: dict[str, Callable[[Any, Any], Any]] = {
    "xavier of a vector": lambda init, library: init.xavier_uniform_(library.zeros(3)),
    "xavier_normal_ of a vector": lambda init, library: init.xavier_normal_(library.zeros(3)),
    "orthogonal_ of a vector": lambda init, library: init.orthogonal_(library.zeros(3)),
    "eye_ of 3 dims": lambda init, library: init.eye_(library.zeros(3, 3, 3)),
    "sparse_ of a vector": lambda init, library: init.sparse_(library.zeros(3), 0.5),
}


@pytest.mark.parametrize("act", REFUSALS.values(), ids=REFUSALS)
def test_an_initial_value_is_refused(act: Callable[[Any, Any], Any]) -> None:
    for library in (torch, minigrad):
        with pytest.raises(ValueError, match=r"dim|matrix|shape"):
            act(INIT[library], library)


def test_a_mean_far_outside_warns() -> None:
    for library in (torch, minigrad):
        with pytest.warns(UserWarning, match="mean is"):
            INIT[library].trunc_normal_(library.zeros(50), mean=5.0, std=1.0, a=-2.0, b=2.0)
