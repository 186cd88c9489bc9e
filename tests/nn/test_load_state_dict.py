"""load_state_dict of Modules and optimizers: after a refusal nothing is changed."""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import normal


def model_of() -> Any:
    """A model with parameters and buffers, one of which holds an integer."""
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def state() -> dict[str, Any]:
    """A state that the model takes, with other values than the model has."""
    model = model_of()
    model(minigrad.from_numpy(normal(4, 2, dtype=np.float32)))
    return model.state_dict()


def facts(model: Any) -> list[Any]:
    """All that must not change: the objects, the bits, the versions and what requires gradients."""
    tensors = [*model.named_parameters(), *model.named_buffers()]
    return [(name, id(x), id(x.array), x.array.tobytes(), x._version, x.requires_grad, type(x)) for name, x in tensors]


SHAPE = (1, 3)
WRONG: dict[str, Any] = {
    "another shape": np.ones((3, 1)),
    "a number": 5.0,
    "ragged": [[1.0, 2.0, 3.0], [1.0]],
    "None": None,
    "an object": object(),
    "objects": np.array([[None, print, {}]]),
    "complex": np.ones(SHAPE, complex),
    "complex numbers": [[1j, 2, 3]],
    "dates": np.full(SHAPE, "2020-01-01", "M8[D]"),
    "times": np.ones(SHAPE, "m8[s]"),
    "a date": [[datetime.date(2020, 1, 1)] * 3],
    "numeric texts": np.full(SHAPE, "1.5"),
    "a text": "1.5",
    "bytes": np.full(SHAPE, b"1"),
    "uint16": np.ones(SHAPE, np.uint16),
    "longdouble": np.ones(SHAPE, np.longdouble),
    "the other byte order": np.ones(SHAPE, ">f4"),
    "integers without bound": [[10**30, 1, 1]],
    "bfloat16": torch.ones(SHAPE, dtype=torch.bfloat16),
    "structured": np.ones(SHAPE, [("a", "f4")]),
}


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_a_wrong_value_in_the_end_changes_nothing(value: Any, assign: bool) -> None:
    model = model_of()
    before = facts(model)
    with pytest.raises(RuntimeError, match=r"load_state_dict: .*2\.weight"):
        model.load_state_dict(state() | {"2.weight": value}, assign=assign)
    assert facts(model) == before


def change_of(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda state: state.update(changes)


@pytest.mark.parametrize("assign", [False, True])
@pytest.mark.parametrize(
    "change",
    [change_of(more=np.ones(1)), lambda state: state.pop("2.bias"), lambda state: state.pop("1.running_var")],
    ids=["unknown", "missing", "missing buffer"],
)
def test_wrong_names_change_nothing(change: Callable[[Any], Any], assign: bool) -> None:
    model, given = model_of(), state()
    change(given)
    before = facts(model)
    with pytest.raises(RuntimeError, match=r"load_state_dict: Sequential: .*is (unknown|missing)"):
        model.load_state_dict(given, assign=assign)
    assert facts(model) == before


@pytest.mark.parametrize("name", ["0.bias", "1.num_batches_tracked", "2.bias"])
def test_read_only_memory_half_way_changes_nothing(name: str) -> None:
    model = model_of()
    model.state_dict()[name].array.flags.writeable = False
    before = facts(model)
    with pytest.raises(RuntimeError, match=f"{name} is read-only; copy it into memory of its own first"):
        model.load_state_dict(state())
    assert facts(model) == before
    model.load_state_dict(state(), assign=True)  # which needs no writing


def test_integers_assigned_to_a_parameter_change_nothing() -> None:
    model, given = model_of(), state()
    given["0.weight"] = nn.Parameter(minigrad.ones(3, 2), requires_grad=False)
    before = facts(model)
    with pytest.raises(RuntimeError, match="floating"):
        model.load_state_dict(given | {"2.bias": np.ones(1, np.int64)}, assign=True)
    assert facts(model) == before
    assert not given["0.weight"].requires_grad


@pytest.mark.parametrize("thing", [None, [], 5, "abc", {"a"}])
def test_what_is_no_dict_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="load_state_dict: expected a dict of names and Tensors"):
        model_of().load_state_dict(thing)


def test_tensors_of_pytorch_are_loaded_even_if_they_require_gradients() -> None:
    model = model_of()
    reference = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1))
    named = dict(reference.named_parameters())
    model.load_state_dict(named, strict=False)
    for name, parameter in model.named_parameters():
        np.testing.assert_array_equal(parameter.detach().numpy(), named[name].detach().numpy())


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.7, 1e300])
def test_numbers_that_a_buffer_cannot_hold_become_what_they_become_in_pytorch(value: float) -> None:
    """A NaN or inf in an integer is what the processor makes of it, so only finite numbers are compared there."""
    mine, reference = nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    mine.load_state_dict({"num_batches_tracked": np.array(value), "weight": np.array([value])}, strict=False)
    theirs = {"num_batches_tracked": torch.tensor(value, dtype=torch.float64), "weight": torch.tensor([value])}
    reference.load_state_dict(theirs, strict=False)
    np.testing.assert_array_equal(mine.weight.detach().numpy(), reference.weight.detach().numpy())
    if abs(value) < 2**63:
        assert mine.num_batches_tracked.item() == reference.num_batches_tracked.item()
    assert mine.num_batches_tracked.dtype == minigrad.int64


def test_what_is_loaded_is_counted_as_a_change() -> None:
    model = model_of()
    before = [x._version for x in model.parameters()]
    model.load_state_dict(state())
    assert all(x._version > old for x, old in zip(model.parameters(), before, strict=True))


# Optimizers


def optimizer_of() -> Any:
    """An optimizer of two groups that has made a step."""
    first, second = (minigrad.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    optimizer = nn.optim.AdamW([{"params": [first], "lr": 0.5}, {"params": [second]}])
    (first * second).sum().backward()
    optimizer.step()
    return optimizer


def changed(state: dict[str, Any], change: Callable[[Any], Any]) -> Any:
    """A copy of a state dict with settings that differ everywhere, and then a change."""
    state = {
        "state": {number: dict(entries, exp_avg=minigrad.ones(2)) for number, entries in state["state"].items()},
        "param_groups": [dict(group, lr=0.25, params=[*group["params"]]) for group in state["param_groups"]],
    }
    change(state)
    return state


MALFORMED: dict[str, Callable[[Any], Any]] = {
    "a negative rate": lambda state: state["param_groups"][1].update(lr=-1.0),
    "a text as a rate": lambda state: state["param_groups"][1].update(lr="0.1"),
    "nan": lambda state: state["param_groups"][1].update(eps=float("nan")),
    "one beta": lambda state: state["param_groups"][1].update(betas=(0.5,)),
    "betas of 1": lambda state: state["param_groups"][1].update(betas=(0.5, 1.0)),
    "a flag": lambda state: state["param_groups"][1].update(amsgrad=1),
    "no params": lambda state: state["param_groups"][1].pop("params"),
    "too many params": lambda state: state["param_groups"][1]["params"].append(7),
    "one group": lambda state: state["param_groups"].pop(),
    "a group that is no dict": lambda state: state["param_groups"].__setitem__(1, [1]),
    "groups that are no list": lambda state: state.update(param_groups=5),
    "no groups": lambda state: state.pop("param_groups"),
    "no state": lambda state: state.pop("state"),
    "a state that is no dict": lambda state: state.update(state=[1]),
    "a state of None": lambda state: state["state"].update({1: None}),
    "objects in a state": lambda state: state["state"][1].update(exp_avg=np.array([None, print])),
    "complex numbers in a state": lambda state: state["state"][1].update(exp_avg=np.ones(2, complex)),
    "bfloat16 in a state": lambda state: state["state"][1].update(exp_avg=torch.ones(2).bfloat16()),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_wrong_state_of_an_optimizer_changes_nothing(change: Callable[[Any], Any]) -> None:
    optimizer = optimizer_of()
    before = repr(optimizer.state_dict())
    with pytest.raises((TypeError, ValueError)):
        optimizer.load_state_dict(changed(optimizer.state_dict(), change))
    assert repr(optimizer.state_dict()) == before


def test_the_same_state_without_a_fault_is_loaded() -> None:
    optimizer = optimizer_of()
    optimizer.load_state_dict(changed(optimizer.state_dict(), lambda state: None))
    assert [group["lr"] for group in optimizer.state_dict()["param_groups"]] == [0.25, 0.25]
    assert [entries["exp_avg"].tolist() for entries in optimizer.state_dict()["state"].values()] == [[1, 1], [1, 1]]
