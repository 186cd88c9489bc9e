"""nn.utils against torch.nn.utils: clipped gradients, vectors of parameters, padded sequences."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import assert_same, compare, normal, ours, theirs

UTILS: dict[Any, Any] = {minigrad: nn.utils, torch: torch.nn.utils}
GRADIENTS = [normal(3, 2, dtype=np.float32), normal(4, dtype=np.float32), np.float32(0.5), np.zeros((0, 2), np.float32)]


def parameters(library: Any, gradients: list[Any] = GRADIENTS) -> list[Any]:
    """Parameters with these gradients, and one without."""
    make = ours if library is minigrad else theirs
    found = []
    for gradient in gradients:
        parameter = make(np.ones_like(gradient), requires_grad=True)
        parameter.grad = library.tensor(np.array(gradient))
        found.append(parameter)
    return [*found, make(np.ones(2, np.float32), requires_grad=True)]


@pytest.mark.parametrize("foreach", [None, False])
@pytest.mark.parametrize("norm_type", [2.0, 1, math.inf, 3.0, 0.5])
@pytest.mark.parametrize("limit", [0.1, 1, 1e3])
def test_clip_grad_norm(limit: float, norm_type: float, foreach: bool | None) -> None:
    results = []
    for library in (minigrad, torch):
        given = parameters(library, GRADIENTS[:3])
        total = UTILS[library].clip_grad_norm_(iter(given), limit, norm_type, foreach=foreach)
        results.append([total, *(parameter.grad for parameter in given[:-1])])
        assert given[-1].grad is None
    assert_same(*results)


@pytest.mark.parametrize("limit", [0.3, 10.0])
def test_clip_grad_value(limit: float) -> None:
    results = []
    for library in (minigrad, torch):
        given = parameters(library, [*GRADIENTS, np.array([np.nan, np.inf, -np.inf], np.float32)])
        assert UTILS[library].clip_grad_value_(given, limit) is None
        results.append([parameter.grad for parameter in given[:-1]])
    assert_same(*results)


def test_a_lone_parameter_and_none_at_all() -> None:
    results = []
    for library in (minigrad, torch):
        utils, one = UTILS[library], parameters(library)[0]
        nothing = [parameters(library)[-1]]
        results.append([utils.clip_grad_norm_(one, 0.5), one.grad, utils.clip_grad_norm_(nothing, 1.0)])
        results[-1].append(utils.get_total_norm([library.tensor([3.0]), library.tensor([0.0, 4.0])]))
        with pytest.warns(UserWarning, match="parameters"):
            utils.clip_grad_norm_((x for x in ()), 1.0)
    assert_same(*results)


def test_a_norm_that_is_not_finite() -> None:
    for library in (minigrad, torch):
        given = parameters(library, [np.array([np.nan, 1], np.float32)])
        with pytest.raises(RuntimeError, match="norm"):
            UTILS[library].clip_grad_norm_(given, 1.0, error_if_nonfinite=True)
        assert math.isnan(UTILS[library].clip_grad_norm_(given, 1.0).item())


def test_a_change_of_a_gradient_is_noticed() -> None:
    x = minigrad.ones(3, requires_grad=True)
    (gradient,) = minigrad.autograd.grad((x**3).sum(), x, create_graph=True)
    x.grad = gradient.detach()
    squares = (x.grad * x).sum()
    nn.utils.clip_grad_norm_(x, 0.1)
    with pytest.raises(RuntimeError, match="clip"):
        squares.backward()


def test_parameters_and_a_vector() -> None:
    compare(lambda library, *xs: UTILS[library].parameters_to_vector(xs), normal(2, 3), normal(4), normal(1, 1, 2))
    results = []
    for library in (minigrad, torch):
        layers = nn if library is minigrad else torch.nn
        model = layers.Linear(2, 3)
        vector = library.arange(9, dtype=library.float32)
        UTILS[library].vector_to_parameters(vector, model.parameters())
        vector[0] = 7  # they share its memory
        results.append([x.detach() for x in model.parameters()])
    assert_same(*results)


SEQUENCES = [normal(3, 2), normal(5, 2), normal(1, 2)]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("settings", [{}, {"padding_value": -1.5}, {"padding_side": "left"}], ids=str)
def test_pad_sequence(settings: dict[str, Any], batch_first: bool) -> None:
    compare(lambda library, *xs: UTILS[library].rnn.pad_sequence(xs, batch_first, **settings), *SEQUENCES)


@pytest.mark.parametrize("batch_first", [True, False])
def test_unpad_sequence(batch_first: bool) -> None:
    def function(library: Any, *xs: Any) -> Any:
        rnn = UTILS[library].rnn
        return rnn.unpad_sequence(rnn.pad_sequence(xs, batch_first).clone(), library.tensor([3, 5, 1]), batch_first)

    compare(function, *SEQUENCES)


REFUSALS: dict[str, Callable[[Any, Any], Any]] = {
    "no sequences": lambda rnn, library: rnn.pad_sequence([]),
    "sequences of other widths": lambda rnn, library: rnn.pad_sequence([library.ones(2, 3), library.ones(2, 2)]),
    "an unknown side": lambda rnn, library: rnn.pad_sequence([library.ones(2)], padding_side="top"),
}


@pytest.mark.parametrize("act", REFUSALS.values(), ids=REFUSALS)
def test_pad_sequence_refuses(act: Callable[[Any, Any], Any]) -> None:
    for library in (torch, minigrad):
        with pytest.raises((RuntimeError, ValueError)):
            act(UTILS[library].rnn, library)
