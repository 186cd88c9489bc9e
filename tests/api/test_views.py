"""Which results share memory, and what follows a change of it, beside PyTorch: pieces, repeats, copies, gradients."""

import copy
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import REFUSALS, Function, in_both, refusal

LIBRARIES: list[Any] = [minigrad, torch]


def outcome(scenario: Function, library: Any) -> Any:
    """What a scenario gives, or the type of its refusal."""
    try:
        result = scenario(library)
    except REFUSALS as error:
        return type(error)
    return None if result is None else np.asarray(result.detach())


def same(scenario: Function) -> None:
    np.testing.assert_equal(outcome(scenario, minigrad), outcome(scenario, torch))


PIECES: dict[str, Function] = {
    "unbind": lambda x: x.unbind(),
    "unbind of the last dim": lambda x: x.unbind(-1),
    "iteration": lambda x: [*x],
    "split": lambda x: x.split(1),
    "index": lambda x: [x[i] for i in range(len(x))],
}


@pytest.mark.parametrize("shape", [(3,), (3, 2), (1,), (2, 0)])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
@pytest.mark.parametrize("name", PIECES)
def test_pieces_are_views(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    def changed(library: Any) -> Any:
        x = library.zeros(shape, dtype=getattr(library, dtype))
        for i, piece in enumerate(PIECES[name](x)):
            piece += i + 1
            piece.mul_(2)
        return x

    in_both(changed)


def test_a_tuple_of_numbers_is_taken_apart_into_views() -> None:
    def changed(library: Any) -> Any:
        x = library.zeros(3)
        a, _, c = x
        a += 5
        c.fill_(7.0)
        return x

    in_both(changed)


@pytest.mark.parametrize("name", [*PIECES][:3])
def test_one_of_several_pieces_is_not_changed_where_gradients_are_recorded(name: str) -> None:
    for shape in (3,), (3, 3):

        def changed(library: Any, shape: Any = shape) -> Any:
            x = library.ones(shape, requires_grad=True).clone()
            PIECES[name](x)[0].mul_(2)
            return x

        assert isinstance(refusal(changed, torch), RuntimeError)
        assert "made at once" in str(refusal(changed, minigrad))


REPEATS = [(1, 2), (2, 1), (1, 1), (3, 1, 1), (0, 1)]


@pytest.mark.parametrize("times", REPEATS)
@pytest.mark.parametrize("shape", [(3, 1), (1, 3), (2, 2)])
def test_repeat_is_a_copy_that_can_be_changed(shape: tuple[int, ...], times: tuple[int, ...]) -> None:
    def changed(library: Any) -> Any:
        x = library.ones(shape, requires_grad=True)
        y = x.repeat(*times)
        with library.no_grad():
            x += 10
        y += 1
        (y * y).sum().backward()
        return x.grad, y

    in_both(changed)
    assert minigrad.ones(shape).repeat(*times).is_contiguous()


def test_what_expand_repeats_cannot_be_written() -> None:
    for x in minigrad.ones(3, 1), minigrad.ones(1, 3).T, minigrad.ones(()):
        array = x.expand(3, 4).array
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
        array[:1].copy()[...] = 2


# Views that no_grad made

FROM_NO_GRAD: dict[str, Function] = {
    "of a result, changed outside": lambda library, x: _view(library, x * 1).mul_(5),
    "of a leaf, changed outside": lambda library, x: _view(library, x).mul_(5),
    "of a result, by +=": lambda library, x: _view(library, x * 1).__iadd__(1),
    "of a result, by assignment": lambda library, x: _view(library, x * 1).__setitem__(0, 1.0),
    "a view of it": lambda library, x: _view(library, x * 1)[:1].mul_(5),
    "with a gradient": lambda library, x: _view(library, x * 1).mul_(x[1:]),
}


def _view(library: Any, x: Any) -> Any:
    with library.no_grad():
        return x[1:]


@pytest.mark.parametrize("name", FROM_NO_GRAD)
def test_a_view_from_no_grad_is_not_changed_outside(name: str) -> None:
    for library in LIBRARIES:
        x = library.ones(3, requires_grad=True)
        assert isinstance(refusal(FROM_NO_GRAD[name], library, x), RuntimeError)
        assert x.tolist() == [1, 1, 1]


def test_a_view_from_no_grad_is_changed_inside() -> None:
    def changed(library: Any) -> Any:
        x = library.ones(3, requires_grad=True)
        y = x * 1
        with library.no_grad():
            y[1:].mul_(5)
            _view(library, x).mul_(2)
        y.sum().backward()
        return x, y, x.grad

    in_both(changed)


def test_a_view_of_what_becomes_a_leaf_later_is_not_changed() -> None:
    def changed(library: Any) -> Any:
        x = library.ones(3)
        view = x[1:]
        x.requires_grad_()
        view.mul_(2)

    for library in LIBRARIES:
        assert isinstance(refusal(changed, library), RuntimeError)


# retain_grad, and changes in place after it

RETAINED = """
x *= 2
x[0] *= 5
x[1:] = torch.ones(2, requires_grad=True)
x += w
x.clamp(0, 1).mul_(3)
x.mul_(w); x.add_(1)
y = x * 3; x *= 5
"""


@pytest.mark.parametrize("statements", RETAINED.strip().splitlines())
def test_a_retained_gradient_is_that_of_the_tensor_after_the_change(statements: str) -> None:
    def changed(library: Any) -> Any:
        w = library.tensor([1.0, 2.0, 3.0], requires_grad=True)
        x = library.ones(3, requires_grad=True) * 1
        x.retain_grad()
        exec(statements, {"torch": library}, names := {"x": x, "w": w})
        x = names["x"]
        (x * w * w).sum().backward()
        return x.grad

    in_both(changed)


def test_a_retained_gradient_of_a_view() -> None:
    def of_a_changed_view(library: Any) -> Any:
        x = library.ones(3, requires_grad=True) * 1
        view = x[1:]
        view.retain_grad()
        view *= 5
        (view * library.tensor([1.0, 2.0])).sum().backward()
        return view.grad

    def of_a_view_whose_base_changed(library: Any) -> Any:
        x = library.ones(3, requires_grad=True) * 1
        view = x[1:]
        view.retain_grad()
        x *= 5
        (view * library.tensor([1.0, 2.0])).sum().backward()
        return view.grad

    in_both(of_a_changed_view)
    in_both(of_a_view_whose_base_changed)


# Deep copies


def test_deep_copies_of_tensors_that_share_memory_share_it_too() -> None:
    def copied(library: Any) -> Any:
        x = library.arange(6.0)
        a, b, c, d = copy.deepcopy([x, x[1:], x.view(2, 3).t(), x[4:].requires_grad_()])
        a.add_(10)
        x.zero_()
        assert c.stride() == (1, 3)
        return b, c, d.detach(), d.requires_grad

    in_both(copied)


def test_a_deep_copy_of_a_parameter_has_no_gradient_and_that_of_a_tensor_has() -> None:
    def copied(library: Any) -> Any:
        model, x = library.nn.Linear(2, 1), library.ones(1, 2, requires_grad=True)
        with library.no_grad():
            model.weight.fill_(0.5)
        model(x).sum().backward()
        twin, y = copy.deepcopy(model), copy.deepcopy(x)
        none = twin.weight.grad is None, twin.bias.grad is None
        twin(y).sum().backward()
        return none, twin.weight.grad, y.grad, x.grad, type(twin.weight).__name__

    in_both(copied)
    parameter = nn.Parameter(minigrad.ones(2))
    parameter.name = "w"
    assert copy.deepcopy(parameter).name == "w"


def test_a_change_is_noticed_through_what_expand_repeats() -> None:
    def changed(library: Any) -> Any:
        x = library.ones(3, 1)
        y = x.expand(3, 4) * library.ones(3, 4, requires_grad=True)
        x.mul_(2)
        y.sum().backward()

    for library in LIBRARIES:
        assert isinstance(refusal(changed, library), RuntimeError)
