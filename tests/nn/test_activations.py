"""The activations of nn.functional against PyTorch's: at the edges, in place, in all dtypes, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import (
    FUNCTIONAL,
    assert_near,
    assert_refused,
    assert_same,
    compare,
    leaves,
    normal,
    orders,
    ours,
    theirs,
)

Activation = Callable[[Any, Any], Any]  # of nn.functional or its like, and a tensor

ACTIVATIONS: dict[str, Activation] = {
    "relu": lambda f, x: f.relu(x),
    "silu": lambda f, x: f.silu(x),
    "gelu": lambda f, x: f.gelu(x),
    "leaky_relu": lambda f, x: f.leaky_relu(x),
    "leaky_relu, slope": lambda f, x: f.leaky_relu(x, 0.3),
    "leaky_relu, negative slope": lambda f, x: f.leaky_relu(x, negative_slope=-0.3),
    "elu": lambda f, x: f.elu(x),
    "elu, alpha": lambda f, x: f.elu(x, alpha=0.5),
    "celu": lambda f, x: f.celu(x),
    "celu, alpha": lambda f, x: f.celu(x, 2.0),
    "selu": lambda f, x: f.selu(x),
    "softplus": lambda f, x: f.softplus(x),
    "softplus, beta": lambda f, x: f.softplus(x, beta=3.0, threshold=2.0),
    "softplus, a threshold that is never reached": lambda f, x: f.softplus(x, 1, 1000),
    "logsigmoid": lambda f, x: f.logsigmoid(x),
    "hardtanh": lambda f, x: f.hardtanh(x),
    "hardtanh, limits": lambda f, x: f.hardtanh(x, -2.0, 1.5),
    "relu6": lambda f, x: f.relu6(x),
    "hardswish": lambda f, x: f.hardswish(x),
    "mish": lambda f, x: f.mish(x),
    "softsign": lambda f, x: f.softsign(x),
    "tanhshrink": lambda f, x: f.tanhshrink(x),
    "glu": lambda f, x: f.glu(x),
    "softmin": lambda f, x: f.softmin(x, -1),
}
# Limits, both zeros, where exp overflows, and where 1 + exp(x) rounds to 1.
EDGES = np.array([-2, -1, -0.0, 0.0, 1, 1.5, 3, 6, -3, -6, 20, 20.5, -20, 40, -40, 88, 100, -100, 745, -745, 1e4, -1e4])
LIMITLESS = np.array([np.inf, -np.inf])
NAN = np.array([np.nan, 1.0])

every_activation = pytest.mark.parametrize("function", ACTIVATIONS.values(), ids=ACTIVATIONS)
every_float = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@every_activation
@every_float
@pytest.mark.parametrize("shape", [(2,), (3, 4), (0, 2), (2, 0)], ids=str)
def test_an_activation(function: Activation, shape: tuple[int, ...], dtype: Any) -> None:
    compare(lambda library, x: function(FUNCTIONAL[library], x), 2 * normal(*shape, dtype=dtype))


@every_activation
def test_an_activation_at_the_edges(function: Activation) -> None:
    for array in (EDGES, NAN):
        x, reference = ours(array, requires_grad=True), theirs(array, requires_grad=True)
        mine, expected = function(nn.functional, x), function(torch.nn.functional, reference)
        np.testing.assert_allclose(mine.detach().numpy(), expected.detach().numpy(), 1e-13, 1e-300)
        mine.sum().backward()
        expected.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), reference.grad.numpy(), 1e-13, 1e-16)


def test_hardsigmoid() -> None:
    """In PyTorch, 1/6 is rounded to float32 in the gradient."""
    for array in (EDGES, NAN, LIMITLESS):
        x, reference = ours(array, requires_grad=True), theirs(array, requires_grad=True)
        mine, expected = nn.functional.hardsigmoid(x), torch.nn.functional.hardsigmoid(reference)
        np.testing.assert_allclose(mine.detach().numpy(), expected.detach().numpy(), 1e-15)
        mine.sum().backward()
        expected.sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), reference.grad.numpy(), 1e-7)


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "celu", "selu", "softplus", "logsigmoid", "hardtanh", "relu6"])
def test_an_activation_at_infinity(name: str) -> None:
    compare(lambda library, x: ACTIVATIONS[name](FUNCTIONAL[library], x), LIMITLESS)


def test_far_from_0_the_logarithms_keep_their_precision() -> None:
    """log(1 + exp(x)) is exp(x) for x far below 0: 1 + exp(x) must not be rounded to 1."""
    for function, sign in ((nn.functional.softplus, -1), (nn.functional.logsigmoid, 1)):
        for dtype in (np.float32, np.float64):
            x = np.array([30.0, 40.0, 60.0], dtype) * sign
            np.testing.assert_allclose(abs(function(ours(x)).array), np.exp(-abs(x)), rtol=1e-6)


@every_activation
def test_second_derivatives_are_pytorchs(function: Activation) -> None:
    def of_library(library: Any, x: Any) -> Any:
        return function(FUNCTIONAL[library], x)

    x = [3 * normal(3, 4)]
    for mine, reference in zip(
        orders(minigrad, ours, of_library, x, 2), orders(torch, theirs, of_library, x, 2), strict=True
    ):
        assert_near(mine, reference, 1e-6)


@every_activation
def test_float16_is_rounded_once(function: Activation) -> None:
    compare_half = normal(4, 6, dtype=np.float16)
    mine, reference = function(nn.functional, ours(compare_half)), function(torch.nn.functional, theirs(compare_half))
    assert mine.dtype == np.float16
    np.testing.assert_allclose(mine.array, reference.numpy(), rtol=2e-3, atol=1e-3)


IN_PLACE = [
    "relu",
    "silu",
    "leaky_relu",
    "elu",
    "celu",
    "selu",
    "hardtanh",
    "relu6",
    "hardsigmoid",
    "hardswish",
    "mish",
]


@pytest.mark.parametrize("name", IN_PLACE)
def test_an_activation_in_place(name: str) -> None:
    def function(library: Any, x: Any) -> Any:
        middle = x * 2
        result = getattr(FUNCTIONAL[library], name)(middle, inplace=True)
        assert result is middle
        return result, middle * 3

    compare(function, normal(3, 4, dtype=np.float32))


@pytest.mark.parametrize("name", [*IN_PLACE, "dropout"])
def test_a_leaf_is_not_changed_in_place(name: str) -> None:
    assert_refused(lambda library, x: getattr(FUNCTIONAL[library], name)(x, inplace=True), normal(3))
    x = minigrad.tensor(normal(3))
    before = x._version
    assert getattr(nn.functional, name)(x, inplace=True) is x
    assert x._version == before + 1


def test_dropout_in_place() -> None:
    def function(library: Any, x: Any) -> Any:
        library.manual_seed(5)
        middle = x * 2
        return FUNCTIONAL[library].dropout(middle, 0.4, True, True), middle

    compare(function, normal(4, 5))


@pytest.mark.parametrize("name", ["hardtanh", "relu6", "relu"])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8])
def test_integers(name: str, dtype: Any) -> None:
    settings = {"min_val": 0, "max_val": 2} if name == "hardtanh" else {}
    compare(
        lambda library, x: getattr(FUNCTIONAL[library], name)(x, **settings), np.array([0, 1, 5, 200, 7]).astype(dtype)
    )


NAMES = {name: function for name, function in ACTIVATIONS.items() if "," not in name}


@pytest.mark.parametrize("function", NAMES.values(), ids=NAMES)
def test_the_node_has_pytorchs_name(function: Activation) -> None:
    mine, reference = (
        f(*leaves(make, [normal(2, 2)]))
        for f, make in [
            (lambda x: function(nn.functional, x), ours),
            (lambda x: function(torch.nn.functional, x), theirs),
        ]
    )
    assert repr(mine.grad_fn) == f"<{reference.grad_fn.name()}>"


REFUSALS: dict[str, Activation] = {
    "silu of integers": lambda f, x: f.silu(x.long()),
    "elu of bools": lambda f, x: f.elu(x > 0),
    "softplus of integers": lambda f, x: f.softplus(x.long()),
    "logsigmoid of integers": lambda f, x: f.logsigmoid(x.long()),
    "celu with 0": lambda f, x: f.celu(x, 0.0),
    "hardtanh with exchanged limits": lambda f, x: f.hardtanh(x, 1.0, -1.0),
    "hardtanh of bools": lambda f, x: f.hardtanh(x > 0),
    "glu of an odd size": lambda f, x: f.glu(x),
    "glu of a number": lambda f, x: f.glu(x.sum()),
    "softplus by a text": lambda f, x: f.softplus(x, beta="x"),
}


@pytest.mark.parametrize("act", REFUSALS.values(), ids=REFUSALS)
def test_an_activation_refuses(act: Activation) -> None:
    assert_refused(lambda library, x: act(FUNCTIONAL[library], x), normal(3))


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [0, -1])
def test_gumbel_softmax(dim: int, hard: bool) -> None:
    def function(library: Any, x: Any) -> Any:
        library.manual_seed(11)
        return FUNCTIONAL[library].gumbel_softmax(x, tau=0.7, hard=hard, dim=dim)

    compare(function, normal(3, 4, dtype=np.float32))
    compare(function, normal(20, 3))


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_a_softmax_of_another_dtype(name: str) -> None:
    for array in (np.arange(6).reshape(2, 3), normal(2, 3, dtype=np.float32)):
        compare(lambda library, x: getattr(FUNCTIONAL[library], name)(x, 1, dtype=library.float64), array)


def test_gumbel_softmax_warns_of_eps() -> None:
    for f in (nn.functional, torch.nn.functional):
        library = torch if f is torch.nn.functional else minigrad
        with pytest.warns(UserWarning, match="eps"):
            f.gumbel_softmax(library.zeros(2), eps=0.1)
    assert_same(None, None)
