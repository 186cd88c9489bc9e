"""nn.optim against torch.optim: the same parameters after every step, and what is refused."""

import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support.comparison import Function, leaves, normal, ours, read_only, theirs

OPTIM = {minigrad: nn.optim, torch: torch.optim}
STEPS = 100

# A step rounds a few times, here and in PyTorch in different places, and starts from what the steps before it left. The
# problems lead all steps to the same place, so that these differences add up and do not grow by themselves.
UNITS_IN_THE_LAST_PLACE_A_STEP = 4

OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"lr": 0.05}),
    "SGD by default": ("SGD", {}),
    "SGD with momentum": ("SGD", {"lr": 0.02, "momentum": 0.9}),
    "SGD with weight decay": ("SGD", {"lr": 0.05, "weight_decay": 0.1}),
    "SGD with both": ("SGD", {"lr": 0.02, "momentum": 0.5, "weight_decay": 0.1}),
    "SGD with dampening": ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.5}),
    "SGD by Nesterov": ("SGD", {"lr": 0.02, "momentum": 0.5, "weight_decay": 0.1, "nesterov": True}),
    "Adam": ("Adam", {"lr": 0.05}),
    "Adam by default": ("Adam", {}),
    "Adam with weight decay": ("Adam", {"lr": 0.01, "weight_decay": 0.5}),
    "Adam with betas and eps": ("Adam", {"lr": 0.02, "betas": (0.5, 0.9), "eps": 0.1}),
    "AdamW": ("AdamW", {"lr": 0.05}),
    "AdamW by default": ("AdamW", {}),
    "AdamW with weight decay": ("AdamW", {"lr": 0.01, "weight_decay": 0.5}),
    "AdamW without weight decay": ("AdamW", {"lr": 0.01, "weight_decay": 0.0}),
    "AdamW with betas": ("AdamW", {"lr": 0.002, "betas": (0.5, 0.9)}),
    "AdamW with eps": ("AdamW", {"lr": 0.02, "eps": 0.1}),
    "AdamW with amsgrad": ("AdamW", {"lr": 0.05, "amsgrad": True}),
    "SGD upwards": ("SGD", {"lr": 1e-4, "momentum": 0.5, "maximize": True}),
    "Adam upwards": ("Adam", {"lr": 1e-3, "maximize": True, "weight_decay": 0.1}),
    "Adam with amsgrad": ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    "Adam with decoupled weight decay": ("Adam", {"lr": 0.01, "weight_decay": 0.5, "decoupled_weight_decay": True}),
    "RMSprop": ("RMSprop", {"lr": 0.001}),
    "RMSprop with all": ("RMSprop", {"lr": 1e-3, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "eps": 0.1}),
    "Adagrad": ("Adagrad", {"lr": 0.1}),
    "Adagrad by default": ("Adagrad", {}),
    "Adagrad with all": (
        "Adagrad",
        {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 0.1},
    ),
    "Adadelta": ("Adadelta", {}),
    "Adadelta with all": ("Adadelta", {"lr": 0.1, "rho": 0.95, "eps": 1e-3, "weight_decay": 0.1}),
    "Adamax": ("Adamax", {"lr": 0.05}),
    "Adamax with all": ("Adamax", {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    "NAdam": ("NAdam", {"lr": 0.02}),
    "NAdam with all": ("NAdam", {"betas": (0.8, 0.9), "momentum_decay": 0.1, "weight_decay": 0.1, "eps": 0.01}),
    "NAdam with decoupled weight decay": ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
}

every_optimizer = pytest.mark.parametrize(("name", "settings"), OPTIMIZERS.values(), ids=OPTIMIZERS)


def quadratic(dtype: Any) -> tuple[Function, list[np.ndarray]]:
    """A bowl in 6 dimensions, five times as steep in one direction as in another."""
    axes, _ = np.linalg.qr(normal(6, 6))
    matrix = (axes * np.linspace(1, 5, 6) @ axes.T).astype(dtype)
    lowest = normal(6, dtype=dtype)

    def loss(library: Any, x: Any) -> Any:
        away = x - library.tensor(lowest)
        return (away * (library.tensor(matrix) @ away)).sum() / 2

    return loss, [normal(6, dtype=dtype)]


def net(dtype: Any) -> tuple[Function, list[np.ndarray]]:
    """A regression by a hidden layer of tanh."""
    inputs, targets = normal(20, 3, dtype=dtype), normal(20, 2, dtype=dtype)

    def loss(library: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        predictions = library.tanh(library.tensor(inputs) @ w1 + b1) @ w2 + b2
        return ((predictions - library.tensor(targets)) ** 2).mean()

    return loss, [normal(*shape, dtype=dtype) for shape in ((3, 8), (8,), (8, 2), (2,))]


Prepare = Callable[[Any, list[Any]], Any]  # makes an optimizer of a library for parameters
Change = Callable[[Any, int], None]  # does something to an optimizer before a step


def unchanged(optimizer: Any, step: int) -> None:
    """Leave the optimizer as it is."""


def path(
    library: Any,
    make: Function,
    prepare: Prepare,
    loss: Function,
    start: list[np.ndarray],
    change: Change,
    steps: int = STEPS,
) -> Iterator[list[np.ndarray]]:
    """The parameters after every step, as arrays."""
    parameters = leaves(make, start)
    optimizer = prepare(library, parameters)
    for step in range(steps):
        optimizer.zero_grad()
        loss(library, *parameters).backward()
        change(optimizer, step)
        optimizer.step()
        yield [np.array(x.detach().numpy()) for x in parameters]


def writeable(array: np.ndarray, requires_grad: bool = False) -> minigrad.Tensor:
    """An array as a minigrad Tensor that may be changed."""
    return minigrad.tensor(array, requires_grad=requires_grad)


def compare_paths(
    prepare: Prepare, loss: Function, start: list[np.ndarray], change: Change = unchanged, steps: int = STEPS // 5
) -> None:
    """Require the same parameters in both libraries, step after step."""
    mine = path(minigrad, writeable, prepare, loss, start, change, steps)
    reference = path(torch, theirs, prepare, loss, start, change, steps)
    tolerance = STEPS * UNITS_IN_THE_LAST_PLACE_A_STEP * float(np.finfo(start[0].dtype).eps)
    for step, arrays in enumerate(zip(mine, reference, strict=True)):
        for array, expected in zip(*arrays, strict=True):
            assert array.dtype == expected.dtype
            np.testing.assert_allclose(array, expected, tolerance, tolerance, err_msg=f"after step {step}")


def optimizer_of(name: str, **settings: Any) -> Prepare:
    """An optimizer with one group of parameters."""
    return lambda library, parameters: getattr(OPTIM[library], name)(parameters, **settings)


@every_optimizer
@pytest.mark.parametrize(("problem", "dtype"), [(quadratic, np.float32), (net, np.float64)])
def test_every_step_is_pytorchs(problem: Callable[[Any], Any], name: str, settings: dict[str, Any], dtype: Any) -> None:
    compare_paths(optimizer_of(name, **settings), *problem(dtype), steps=STEPS)


@every_optimizer
def test_the_learning_rate_may_change_between_steps(name: str, settings: dict[str, Any]) -> None:
    def change(optimizer: Any, step: int) -> None:
        optimizer.param_groups[0]["lr"] *= 1.5 if step < 5 else 0.9

    compare_paths(optimizer_of(name, **settings), *net(np.float64), change)


def in_groups(name: str, **settings: Any) -> Prepare:
    """An optimizer with weights in one group and biases in another, which has its own settings."""

    def prepare(library: Any, parameters: list[Any]) -> Any:
        w1, b1, w2, b2 = parameters
        groups = [{"params": [w1, w2]}, {"params": iter([b1, b2]), "lr": 0.1, "weight_decay": 0.0}]
        return getattr(OPTIM[library], name)(groups, **settings)

    return prepare


@every_optimizer
def test_groups_have_settings_of_their_own(name: str, settings: dict[str, Any]) -> None:
    def change(optimizer: Any, step: int) -> None:
        optimizer.param_groups[1]["lr"] *= 0.9

    compare_paths(in_groups(name, **settings), *net(np.float64), change)


@every_optimizer
def test_a_parameter_without_a_gradient_is_left_alone(name: str, settings: dict[str, Any]) -> None:
    """Neither decay nor momentum moves it, and the step does not count for it."""

    def change(optimizer: Any, step: int) -> None:
        first, *_, last = optimizer.param_groups[0]["params"]
        first.grad = None
        if step % 3 == 0:
            last.grad = None

    compare_paths(optimizer_of(name, **settings), *net(np.float64), change)


@every_optimizer
def test_a_step_changes_arrays_in_place_and_no_gradient(name: str, settings: dict[str, Any]) -> None:
    parameter = writeable(normal(3, 2), requires_grad=True)
    array, before = parameter.array, parameter.array.copy()
    optimizer = getattr(nn.optim, name)(iter([parameter]), **settings)
    for _ in range(3):
        parameter.grad = ours(normal(3, 2))
        optimizer.step()
    assert parameter.array is array
    assert parameter.is_leaf
    assert (array != before).all()


@every_optimizer
def test_the_parameters_keep_their_dtype(name: str, settings: dict[str, Any]) -> None:
    parameter = writeable(normal(3, dtype=np.float32), requires_grad=True)
    parameter.grad = ours(normal(3, dtype=np.float32))
    getattr(nn.optim, name)([parameter], **settings).step()
    assert parameter.dtype == np.float32


def test_zero_grad_leaves_no_gradients() -> None:
    parameters = [writeable(normal(3), requires_grad=True) for _ in range(2)]
    optimizer = nn.optim.SGD([{"params": [parameter]} for parameter in parameters])
    sum((parameter * parameter).sum() for parameter in parameters).backward()
    assert all(parameter.grad is not None for parameter in parameters)
    optimizer.zero_grad()
    assert all(parameter.grad is None for parameter in parameters)


@every_optimizer
def test_a_step_between_a_result_and_its_backward_pass_is_refused(name: str, settings: dict[str, Any]) -> None:
    """The gradient of the square needs the parameter as it was; one that is not needed may have moved."""
    for function, refused in ((lambda x: x * x, True), (lambda x: x + x, False)):
        parameter = writeable(normal(3), requires_grad=True)
        loss = function(parameter).sum()
        parameter.grad = writeable(normal(3))
        getattr(nn.optim, name)([parameter], **settings).step()
        if refused:
            with pytest.raises(RuntimeError, match=rf"changed.* by {name}\.step"):
                loss.backward()
        else:
            loss.backward()


def test_zero_grad_fills_with_zeros_if_asked_to() -> None:
    parameter = writeable(normal(3), requires_grad=True)
    (parameter * parameter).sum().backward()
    gradient = parameter.grad
    nn.optim.SGD([parameter]).zero_grad(set_to_none=False)
    assert parameter.grad is gradient
    assert gradient.tolist() == [0, 0, 0]


def test_adamw_is_an_adam() -> None:
    assert issubclass(nn.optim.AdamW, nn.optim.Adam) == issubclass(torch.optim.AdamW, torch.optim.Adam)


KINDS = ["SGD", "Adam", "AdamW", "NAdam", "Adamax", "RMSprop", "Adagrad", "Adadelta"]


@pytest.mark.parametrize("name", KINDS)
def test_the_defaults_the_signature_and_the_text_are_pytorchs(name: str) -> None:
    mine, reference = getattr(nn.optim, name), getattr(torch.optim, name)
    parameters, expected = (inspect.signature(kind).parameters for kind in (mine, reference))
    assert [*parameters] == [*expected]
    for key, parameter in parameters.items():
        assert (parameter.default, parameter.kind) == (expected[key].default, expected[key].kind)
    optimizers = mine([writeable(normal(1))]), reference([theirs(normal(1))])
    assert repr(optimizers[0]) == repr(optimizers[1])
    assert optimizers[0].defaults == optimizers[1].defaults


RESUMED = ["SGD by Nesterov", "Adam with amsgrad", "AdamW", *(f"{kind} with all" for kind in KINDS[3:])]


@pytest.mark.parametrize("title", RESUMED)
@pytest.mark.parametrize("way", ["from PyTorch", "to PyTorch", "from minigrad"])
def test_a_state_dict_goes_on_where_it_was(title: str, way: str) -> None:
    """Half of the steps in one optimizer, the other half in another, perhaps of the other library."""
    name, settings = OPTIMIZERS[title]
    loss, start = net(np.float64)
    expected = [*path(torch, theirs, in_groups(name, **settings), loss, start, unchanged, 20)][-1]
    source = torch if way == "from PyTorch" else minigrad
    target = torch if way == "to PyTorch" else minigrad
    parameters = leaves(theirs if source is torch else writeable, start)
    optimizer = in_groups(name, **settings)(source, parameters)
    for library in (source, target):
        for _ in range(10):
            optimizer.zero_grad()
            loss(library, *parameters).backward()
            optimizer.step()
        state = copy.deepcopy(optimizer.state_dict())
        if target is torch:
            state["state"] = {
                number: {key: torch.from_numpy(np.array(x.detach().numpy())) for key, x in entries.items()}
                for number, entries in state["state"].items()
            }
        arrays = [np.array(x.detach().numpy()) for x in parameters]
        parameters = leaves(theirs if target is torch else writeable, arrays)
        optimizer = in_groups(name, **settings)(target, parameters)
        optimizer.load_state_dict(state)
    for parameter, array in zip(parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), array, 1e-11, 1e-11)


@pytest.mark.parametrize("name", KINDS)
def test_the_keys_of_a_state_dict_are_pytorchs(name: str) -> None:
    states = []
    for library, make in ((minigrad, writeable), (torch, theirs)):
        parameter = make(np.ones(3), requires_grad=True)
        settings = {"momentum": 0.5} if name in ("SGD", "RMSprop") else {}
        optimizer = getattr(OPTIM[library], name)([("w", parameter)], **settings)
        (parameter * 2).sum().backward()
        optimizer.step()
        state = optimizer.state_dict()
        states.append(
            [
                {key: (tuple(x.shape), str(x.dtype)) for key, x in state["state"][0].items()},
                state["param_groups"],
            ]
        )
    assert states[0] == states[1]


def test_groups_are_added_and_have_names() -> None:
    for library, make in ((minigrad, writeable), (torch, theirs)):
        a, b, c = (make(np.ones(2), requires_grad=True) for _ in range(3))
        optimizer = OPTIM[library].SGD([("a", a)], lr=0.5)
        optimizer.add_param_group({"params": [("b", b)], "lr": 0.1})
        assert [group["param_names"] for group in optimizer.param_groups] == [["a"], ["b"]]
        with pytest.raises(ValueError, match="name"):
            optimizer.add_param_group({"params": [c]})
        with pytest.raises(ValueError, match="names"):
            OPTIM[library].SGD([("a", a), b])
        with pytest.raises(TypeError):
            optimizer.add_param_group({"params": {c}})
        with pytest.raises(TypeError):
            optimizer.add_param_group([c])
        with pytest.raises(ValueError, match=r"twice|more than one"):
            optimizer.add_param_group({"params": [("a", a)]})


def test_a_model_gives_its_named_parameters() -> None:
    model = nn.Linear(2, 1)
    optimizer = nn.optim.AdamW(model.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]


def test_a_closure_and_hooks_of_a_step() -> None:
    def scenario(library: Any, make: Any) -> list[Any]:
        noted: list[Any] = []
        x = make(np.ones(2), requires_grad=True)
        optimizer = OPTIM[library].SGD([x], lr=0.5)

        def closure() -> Any:
            optimizer.zero_grad()
            loss = (x * x).sum()
            loss.backward()
            return loss

        before = optimizer.register_step_pre_hook(lambda o, args, kwargs: noted.append(("before", o is optimizer)))
        optimizer.register_step_post_hook(lambda o, args, kwargs: noted.append(x.tolist()))
        noted.append(float(optimizer.step(closure).detach()))
        before.remove()
        noted.append(optimizer.step())
        return noted

    assert scenario(minigrad, writeable) == scenario(torch, theirs)


def test_an_lr_that_is_a_tensor() -> None:
    rate = minigrad.tensor(0.05, dtype=minigrad.float64)
    x, reference = (make(np.ones(3), requires_grad=True) for make in (writeable, theirs))
    for optimizer, parameter in ((nn.optim.Adam([x], rate), x), (torch.optim.Adam([reference], 0.05), reference)):
        for step in range(4):
            optimizer.zero_grad()
            (parameter * parameter).sum().backward()
            if step == 2 and parameter is x:
                rate.data.fill_(0.01)
            elif step == 2:
                optimizer.param_groups[0]["lr"] = 0.01
            optimizer.step()
    np.testing.assert_allclose(x.array, reference.detach().numpy(), 1e-14)


def test_an_optimizer_of_a_user_in_pytorchs_form() -> None:
    """`__init__` passes the defaults as a dict, and `step` uses groups and states."""

    def scenario(library: Any, make: Any) -> list[float]:
        class Signs(OPTIM[library].Optimizer):  # type: ignore[misc]
            def __init__(self, params: Any, lr: float = 0.1) -> None:
                super().__init__(params, {"lr": lr})

            def step(self, closure: Any = None) -> None:
                for group in self.param_groups:
                    for p in group["params"]:
                        self.state[p]["count"] = self.state[p].get("count", 0) + 1
                        p.data -= group["lr"] * (p.grad > 0).to(p.dtype) * self.state[p]["count"]

        x = make(np.ones(2), requires_grad=True)
        optimizer = Signs([x])
        schedule = OPTIM[library].lr_scheduler.StepLR(optimizer, 1, 0.5)
        for _ in range(3):
            optimizer.zero_grad()
            (x * x).sum().backward()
            optimizer.step()
            schedule.step()
        return [*x.tolist(), optimizer.state[x]["count"]]

    assert scenario(minigrad, writeable) == pytest.approx(scenario(torch, theirs))


def test_a_state_dict_of_other_groups_is_refused() -> None:
    for library, make in ((minigrad, writeable), (torch, theirs)):
        optim = OPTIM[library]
        one = optim.Adam([make(np.ones(2), requires_grad=True)])
        two = optim.Adam([make(np.ones(2), requires_grad=True) for _ in range(2)])
        with pytest.raises(ValueError, match="group"):
            one.load_state_dict(two.state_dict())
    with pytest.raises(TypeError, match="load_state_dict: expected a dict"):
        nn.optim.SGD([writeable(np.ones(1))]).load_state_dict({"a": 1})


def test_a_loaded_state_is_a_copy() -> None:
    first, second = (nn.optim.Adam([writeable(np.ones(2), requires_grad=True)]) for _ in range(2))
    for optimizer in (first, second):
        (parameter,) = optimizer.param_groups[0]["params"]
        parameter.grad = writeable(np.ones(2))
        optimizer.step()
    second.load_state_dict(first.state_dict())
    before = [x.tolist() for x in first.state_dict()["state"][0].values()]
    second.step()
    assert [x.tolist() for x in first.state_dict()["state"][0].values()] == before


def test_steps_are_not_recorded() -> None:
    with pytest.raises(NotImplementedError, match="SGD: steps are not recorded"):
        nn.optim.SGD([writeable(np.ones(1))], differentiable=True)


def test_sgd_halves_the_way_to_the_bottom_of_a_bowl() -> None:
    """Of x ** 2 / 2 the gradient is x, so that a rate of a half leaves x / 2."""
    x = minigrad.tensor([8.0, -4.0], requires_grad=True)
    optimizer = nn.optim.SGD([x], lr=0.5)
    for expected in ([4.0, -2.0], [2.0, -1.0], [1.0, -0.5]):
        optimizer.zero_grad()
        (x * x / 2).sum().backward()
        optimizer.step()
        assert x.tolist() == expected


def test_the_first_step_of_adamw_has_the_size_of_the_learning_rate() -> None:
    x = minigrad.tensor([1.0, -1.0, 1.0], dtype=np.float64, requires_grad=True)
    x.grad = minigrad.tensor(read_only([1e-3, 1.0, -1e3]))
    nn.optim.AdamW([x], lr=0.25, weight_decay=0.0).step()
    np.testing.assert_allclose(x.array, [0.75, -1.25, 1.25], rtol=1e-5)


# Refusals

REFUSALS: dict[str, Callable[[Any, Any], Any]] = {
    "a negative lr": lambda optim, x: optim.SGD([x], lr=-0.1),
    "a negative momentum": lambda optim, x: optim.SGD([x], momentum=-0.1),
    "a negative weight decay": lambda optim, x: optim.SGD([x], weight_decay=-0.1),
    "a negative lr of AdamW": lambda optim, x: optim.AdamW([x], lr=-0.1),
    "a negative eps": lambda optim, x: optim.AdamW([x], eps=-1e-8),
    "a negative weight decay of AdamW": lambda optim, x: optim.AdamW([x], weight_decay=-0.1),
    "a first beta of 1": lambda optim, x: optim.AdamW([x], betas=(1.0, 0.999)),
    "a second beta of 1": lambda optim, x: optim.AdamW([x], betas=(0.9, 1.0)),
    "a negative beta": lambda optim, x: optim.AdamW([x], betas=(-0.1, 0.999)),
    "a second beta of Adam": lambda optim, x: optim.Adam([x], betas=(0.9, 1.0)),
    "Nesterov without momentum": lambda optim, x: optim.SGD([x], nesterov=True),
    "Nesterov with dampening": lambda optim, x: optim.SGD([x], nesterov=True, momentum=0.9, dampening=0.1),
    "no parameters": lambda optim, x: optim.SGD([]),
    "no parameters of a module": lambda optim, x: optim.AdamW(iter(())),
    "a number": lambda optim, x: optim.SGD([x, 3.0]),
    "an array": lambda optim, x: optim.SGD([np.ones(3)]),
    "a result": lambda optim, x: optim.SGD([x * 2]),
    "a lone parameter": lambda optim, x: optim.SGD(x),
    "a group beside a parameter": lambda optim, x: optim.SGD([{"params": [x]}, x]),
    "a parameter in two groups": lambda optim, x: optim.SGD([{"params": [x]}, {"params": [x]}]),
    "a negative alpha": lambda optim, x: optim.RMSprop([x], alpha=-0.1),
    "a negative momentum of RMSprop": lambda optim, x: optim.RMSprop([x], momentum=-0.1),
    "a negative lr_decay": lambda optim, x: optim.Adagrad([x], lr_decay=-0.1),
    "a negative accumulator": lambda optim, x: optim.Adagrad([x], initial_accumulator_value=-0.1),
    "a rho above 1": lambda optim, x: optim.Adadelta([x], rho=1.5),
    "a negative momentum decay": lambda optim, x: optim.NAdam([x], momentum_decay=-0.1),
    "a beta of Adamax": lambda optim, x: optim.Adamax([x], betas=(0.9, 1.5)),
}


@pytest.mark.parametrize("act", REFUSALS.values(), ids=REFUSALS)
def test_an_optimizer_refuses(act: Callable[[Any, Any], Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as expected:
        act(torch.optim, theirs(normal(3), requires_grad=True))
    with pytest.raises(expected.type, match=r"^(SGD|AdamW?|NAdam|Adamax|RMSprop|Adagrad|Adadelta): "):
        act(nn.optim, ours(normal(3), requires_grad=True))


def test_a_negative_learning_rate_of_a_group_is_refused() -> None:
    with pytest.raises(ValueError, match="SGD: lr"):
        nn.optim.SGD([{"params": [ours(normal(3))], "lr": -0.1}])


def test_what_is_recorded_in_the_middle_of_a_step_is_found_out_of_date() -> None:
    weight = minigrad.ones(2, requires_grad=True)
    recorded = []

    class Recording(nn.optim.SGD):
        def update(self, array: np.ndarray, *rest: Any) -> None:
            recorded.append((weight * weight).sum())
            super().update(array, *rest)

    optimizer = Recording([weight], lr=0.5)
    (weight * weight).sum().backward()
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"was changed by Recording\.step"):
        recorded[0].backward()
