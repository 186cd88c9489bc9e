"""nn.optim.lr_scheduler against torch.optim.lr_scheduler: the same rates after each step, resumed, and refused."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from nn.optim import lr_scheduler
from tests.support.comparison import ours, theirs

STEPS = 100
OPTIM: dict[Any, Any] = {minigrad: nn.optim, torch: torch.optim}
Make = Callable[[Any, Any], Any]  # makes a schedule, of a library's module and an optimizer


class Halving:
    """A callable object with an attribute, which a state dict keeps."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, step: int) -> float:
        self.calls += 1
        return 0.5 ** (step // 10)


SCHEDULES: dict[str, Make] = {
    "StepLR": lambda m, o: m.StepLR(o, 7),
    "StepLR, gamma": lambda m, o: m.StepLR(o, step_size=3, gamma=0.9),
    "MultiStepLR": lambda m, o: m.MultiStepLR(o, [5, 5, 20], gamma=0.5),
    "ConstantLR": lambda m, o: m.ConstantLR(o),
    "ConstantLR, long": lambda m, o: m.ConstantLR(o, factor=0.25, total_iters=30),
    "LinearLR": lambda m, o: m.LinearLR(o),
    "LinearLR, down": lambda m, o: m.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=60),
    "ExponentialLR": lambda m, o: m.ExponentialLR(o, 0.97),
    "PolynomialLR": lambda m, o: m.PolynomialLR(o, total_iters=50, power=2.0),
    "PolynomialLR by default": lambda m, o: m.PolynomialLR(o),
    "LambdaLR": lambda m, o: m.LambdaLR(o, lambda step: 1 / (1 + step)),
    "LambdaLR, for each group": lambda m, o: m.LambdaLR(o, [lambda step: 0.9**step, lambda step: 1.0]),
    "LambdaLR of an object": lambda m, o: m.LambdaLR(o, Halving()),
    "MultiplicativeLR": lambda m, o: m.MultiplicativeLR(o, lambda step: 0.95),
    "CosineAnnealingLR": lambda m, o: m.CosineAnnealingLR(o, 100),
    "CosineAnnealingLR, several times": lambda m, o: m.CosineAnnealingLR(o, T_max=13, eta_min=1e-3),
    "CosineAnnealingWarmRestarts": lambda m, o: m.CosineAnnealingWarmRestarts(o, 9),
    "CosineAnnealingWarmRestarts, longer": lambda m, o: m.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.01),
    "CyclicLR": lambda m, o: m.CyclicLR(o, 0.01, 0.1, step_size_up=8),
    "CyclicLR, triangular2": lambda m, o: m.CyclicLR(o, 0.01, [0.1, 0.2], 8, 4, mode="triangular2"),
    "CyclicLR, exp_range": lambda m, o: m.CyclicLR(o, 0.01, 0.1, 8, mode="exp_range", gamma=0.97),
    "CyclicLR, without momentum": lambda m, o: m.CyclicLR(o, 0.01, 0.1, 8, cycle_momentum=False),
    "CyclicLR by a function": lambda m, o: m.CyclicLR(o, 0.01, 0.1, 8, scale_fn=lambda x: 1 / x),
    "OneCycleLR": lambda m, o: m.OneCycleLR(o, 0.5, total_steps=STEPS + 1),
    "OneCycleLR, linear": lambda m, o: m.OneCycleLR(
        o, [0.5, 0.7], epochs=11, steps_per_epoch=10, anneal_strategy="linear", pct_start=0.4
    ),
    "OneCycleLR, three phases": lambda m, o: m.OneCycleLR(o, 0.5, total_steps=STEPS + 1, three_phase=True),
    "SequentialLR": lambda m, o: m.SequentialLR(
        o, [m.LinearLR(o, 0.1, total_iters=10), m.CosineAnnealingLR(o, 80), m.ExponentialLR(o, 0.9)], [10, 60]
    ),
    "ChainedScheduler": lambda m, o: m.ChainedScheduler([m.LinearLR(o, 0.1, total_iters=10), m.StepLR(o, 30)]),
    "two at once": lambda m, o: m.ChainedScheduler([m.ExponentialLR(o, 0.99), m.CosineAnnealingLR(o, 20)], o),
}

every_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


def optimizer_of(library: Any, kind: str = "SGD", **settings: Any) -> Any:
    """An optimizer with two groups, of rates of their own."""
    tensor = ours if library is minigrad else theirs
    first, second = tensor(np.ones(2), requires_grad=True), tensor(np.ones(3), requires_grad=True)
    groups = [{"params": [first]}, {"params": [second], "lr": 0.03}]
    return getattr(OPTIM[library], kind)(groups, **{"lr": 0.1, **settings})


def seen(optimizer: Any, schedule: Any) -> list[Any]:
    """What a schedule has changed."""
    momentums = [(group.get("momentum"), group.get("betas")) for group in optimizer.param_groups]
    return [[float(group["lr"]) for group in optimizer.param_groups], [*map(float, schedule.get_last_lr())], momentums]


def run(optimizer: Any, schedule: Any, steps: int) -> list[Any]:
    """What a schedule changes in some steps."""
    found = [seen(optimizer, schedule)]
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        found.append(seen(optimizer, schedule))
    return found


def assert_equal_rates(mine: list[Any], reference: list[Any]) -> None:
    """Require the same rates and momentums but for rounding."""
    for step, (found, expected) in enumerate(zip(mine, reference, strict=True)):
        for part, expected_part in zip(found[:2], expected[:2], strict=True):
            np.testing.assert_allclose(part, expected_part, rtol=1e-12, err_msg=f"after step {step}")
        for (momentum, betas), (their_momentum, their_betas) in zip(found[2], expected[2], strict=True):
            assert momentum == pytest.approx(their_momentum)
            assert (betas is None) == (their_betas is None)
            assert betas is None or betas == pytest.approx(their_betas)


@every_schedule
@pytest.mark.parametrize(("kind", "settings"), [("SGD", {"momentum": 0.9}), ("AdamW", {})], ids=["SGD", "AdamW"])
def test_the_rates_are_pytorchs(make: Make, kind: str, settings: dict[str, Any]) -> None:
    results = []
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        optimizer = optimizer_of(library, kind, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of the inner steps of SequentialLR
            results.append(run(optimizer, make(module, optimizer), STEPS))
    assert_equal_rates(*results)


@every_schedule
def test_a_schedule_goes_on_from_a_state_dict(make: Make) -> None:
    """The state of half of the steps, of either library, loaded into a new schedule: the other half is the same."""
    expected = None
    states = []
    for library, module in ((torch, torch.optim.lr_scheduler), (minigrad, lr_scheduler)):
        optimizer = optimizer_of(library, momentum=0.9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedule = make(module, optimizer)
            run(optimizer, schedule, 40)
            states.append((copy.deepcopy(schedule.state_dict()), optimizer.state_dict()["param_groups"]))
            expected = expected or run(optimizer, schedule, 40)
    for state, groups in states:
        optimizer = optimizer_of(minigrad, momentum=0.9)
        schedule = make(lr_scheduler, optimizer)
        optimizer.load_state_dict({"state": {}, "param_groups": copy.deepcopy(groups)})
        schedule.load_state_dict(state)
        assert_equal_rates(run(optimizer, schedule, 40), expected)


CLOSED = [name for name in SCHEDULES if name not in ("SequentialLR", "ChainedScheduler", "two at once")]


@pytest.mark.parametrize("name", [name for name in CLOSED if not name.startswith("Multiplicative")])
def test_a_jump_to_a_step_is_pytorchs(name: str) -> None:
    results = []
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        optimizer = optimizer_of(library, momentum=0.9)
        schedule = SCHEDULES[name](module, optimizer)
        found = []
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for step in (0, 3, 40, 7):
                schedule.step(step)
                found.append(seen(optimizer, schedule))
        results.append(found)
    assert_equal_rates(*results)


PLATEAUS: list[dict[str, Any]] = [
    {},
    {"patience": 2},
    {"patience": 3, "factor": 0.5, "cooldown": 4, "threshold": 0.2},
    {"mode": "max", "patience": 1, "threshold_mode": "abs", "threshold": 0.01, "min_lr": [0.001, 0.02]},
    {"patience": 0, "eps": 1e-3, "threshold_mode": "abs"},
    {"mode": "max", "patience": 2, "threshold": 0.1},
]


@pytest.mark.parametrize("settings", PLATEAUS, ids=str)
def test_reduce_on_plateau_is_pytorchs(settings: dict[str, Any]) -> None:
    losses = np.random.default_rng(5).normal(size=STEPS).cumsum() * 0.1 + 2
    results = []
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        optimizer = optimizer_of(library)
        schedule = module.ReduceLROnPlateau(optimizer, **settings)
        found = []
        for step, loss in enumerate(losses):
            schedule.step(library.tensor(loss) if step % 2 else float(loss))
            found.append(seen(optimizer, schedule))
            if step == 50:
                state = copy.deepcopy(schedule.state_dict())
                schedule = module.ReduceLROnPlateau(optimizer)
                schedule.load_state_dict(state)
        results.append(found)
    assert_equal_rates(*results)


def test_a_rate_that_is_a_tensor_stays_one() -> None:
    results = []
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        rate = library.tensor(0.1, dtype=library.float64)
        parameter = (ours if library is minigrad else theirs)(np.ones(2), requires_grad=True)
        optimizer = OPTIM[library].SGD([parameter], lr=rate)
        schedule = module.StepLR(optimizer, 2)
        results.append([float(rate), *(found[0][0] for found in run(optimizer, schedule, 9))])
        assert optimizer.param_groups[0]["lr"] is rate
    np.testing.assert_allclose(results[0], results[1], rtol=1e-12)


def test_a_step_before_that_of_the_optimizer_warns() -> None:
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        with pytest.warns(UserWarning, match=r"optimizer\.step\(\)"):
            module.StepLR(optimizer_of(library), 2).step()
    optimizer = optimizer_of(minigrad)
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    schedule.step()  # and here a warning would be an error


def test_a_schedule_is_resumed_with_last_epoch() -> None:
    results = []
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        optimizer = optimizer_of(library)
        for group in optimizer.param_groups:
            group["initial_lr"] = 0.2
        results.append(run(optimizer, module.CosineAnnealingLR(optimizer, 20, last_epoch=5), 20))
    assert_equal_rates(*results)


def stepped(schedule: Any, steps: int) -> None:
    """Let a schedule make some steps."""
    for _ in range(steps):
        schedule.step()


REFUSALS: dict[str, Make] = {
    "no optimizer": lambda m, o: m.StepLR(5, 2),
    "last_epoch without an initial rate": lambda m, o: m.StepLR(o, 2, last_epoch=3),
    "two functions for two groups, but three": lambda m, o: m.LambdaLR(o, [len, len, len]),
    "no function": lambda m, o: m.MultiplicativeLR(o, 5),
    "a factor above 1": lambda m, o: m.ConstantLR(o, 1.5),
    "a start of 0": lambda m, o: m.LinearLR(o, 0.0),
    "an end above 1": lambda m, o: m.LinearLR(o, 0.5, 1.5),
    "T_0 of 0": lambda m, o: m.CosineAnnealingWarmRestarts(o, 0),
    "T_mult of 0": lambda m, o: m.CosineAnnealingWarmRestarts(o, 1, 0),
    "a negative epoch": lambda m, o: m.CosineAnnealingWarmRestarts(o, 5).step(-1),
    "an unknown cycle": lambda m, o: m.CyclicLR(o, 0.1, 0.2, mode="round"),
    "three rates for two groups": lambda m, o: m.CyclicLR(o, 0.1, [0.2, 0.2, 0.2]),
    "no number of steps": lambda m, o: m.OneCycleLR(o, 0.1),
    "a negative number of steps": lambda m, o: m.OneCycleLR(o, 0.1, total_steps=-3),
    "a share above 1": lambda m, o: m.OneCycleLR(o, 0.1, total_steps=3, pct_start=1.5),
    "an unknown way": lambda m, o: m.OneCycleLR(o, 0.1, total_steps=3, anneal_strategy="round"),
    "too many steps": lambda m, o: stepped(m.OneCycleLR(o, 0.1, total_steps=4, pct_start=0.5), 6),
    "no schedules": lambda m, o: m.ChainedScheduler([]),
    "a plateau among others": lambda m, o: m.ChainedScheduler([m.ReduceLROnPlateau(o)]),
    "too many milestones": lambda m, o: m.SequentialLR(o, [m.ExponentialLR(o, 0.9)], [3]),
    "a plateau with a factor of 1": lambda m, o: m.ReduceLROnPlateau(o, factor=1.0),
    "a plateau of an unknown mode": lambda m, o: m.ReduceLROnPlateau(o, mode="best"),
    "a plateau with three least rates": lambda m, o: m.ReduceLROnPlateau(o, min_lr=[0, 0, 0]),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("act", REFUSALS.values(), ids=REFUSALS)
def test_a_schedule_refuses(act: Make) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)) as expected:
        act(torch.optim.lr_scheduler, optimizer_of(torch, momentum=0.9))
    with pytest.raises(expected.type):
        act(lr_scheduler, optimizer_of(minigrad, momentum=0.9))


def test_momentum_cannot_be_cycled_without_momentum() -> None:
    for library, module in ((minigrad, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        with pytest.raises(ValueError, match="momentum"):
            module.CyclicLR(optimizer_of(library, "Adagrad"), 0.1, 0.2)
