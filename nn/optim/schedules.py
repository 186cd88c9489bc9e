"""The base class of schedules, and those that go one way: by steps, lines, powers, or a function of the user's.

Most compute the next rate from the last one, as PyTorch does, so that several can act on one optimizer. `closed` is the
same schedule as a formula of the number of steps, for a jump to a step.
"""

import warnings
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.checks import int_of, number_of, shown
from minigrad.core.tensor import Tensor

from .optimizer import Optimizer


class LRScheduler:
    """The base class of schedules (`torch.optim.lr_scheduler.LRScheduler`). A subclass defines `get_lr`.

    `last_epoch` is the number of steps so far; -1 is a new start. Raises a TypeError for anything but an optimizer, and
    a KeyError if a schedule is resumed with an optimizer that has no `initial_lr`.
    """

    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(type(self).__name__, optimizer)
        if int_of(type(self).__name__, last_epoch) == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", value_of(group["lr"]))
        elif any("initial_lr" not in group for group in optimizer.param_groups):
            raise KeyError(
                f"{type(self).__name__}: to resume from step {last_epoch}, each group needs an initial_lr; load the "
                "state dict of the optimizer first"
            )
        self.base_lrs = [value_of(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count, self._is_initial = 0, True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """Return the rates of the groups after `last_epoch` steps; a subclass defines this."""
        raise NotImplementedError(f"{type(self).__name__} defines no get_lr")

    def closed(self) -> list[float]:
        """Return the same rates as `get_lr`, without need of the rates before."""
        return self.get_lr()

    def get_last_lr(self) -> list[float]:
        """Return the rates that the last step has set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Set the rates for the next step of the optimizer, or with `epoch` for that step.

        Warns if the optimizer has not made its first step: then the first rate of the schedule would be left out.
        """
        kept = type(self.optimizer).step is Optimizer.step
        if self._step_count == 1 and kept and not self.optimizer.was_stepped:
            warnings.warn(
                f"{type(self).__name__}: step() comes before optimizer.step(), so the first rate is not used; call "
                "optimizer.step() first",
                stacklevel=2,
            )
        if epoch is not None:
            warnings.warn(f"{type(self).__name__}: step(epoch) is an old form; call step()", stacklevel=2)
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else int_of(type(self).__name__, epoch)
        rates = self.get_lr() if epoch is None else self.closed()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            set_rate(group, rate)
        self._last_lr = self._rates()

    def _rates(self) -> list[float]:
        return [value_of(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the settings and the progress, without the optimizer. The keys are PyTorch's."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the settings and the progress of a state dict."""
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{type(self).__name__}: expected a state dict, got {shown(state_dict)}")
        vars(self).update(state_dict)


def checked(name: str, optimizer: Any) -> Optimizer:
    """Return an optimizer. Raises a TypeError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{name}: expected an optimizer, got {type(optimizer).__name__}")
    return optimizer


def value_of(rate: Any) -> Any:
    """Return a rate as a number, if it is a Tensor."""
    return rate.item() if isinstance(rate, Tensor) else rate


def set_rate(group: dict[str, Any], rate: float) -> None:
    """Set the rate of a group; a Tensor is filled."""
    if isinstance(group["lr"], Tensor):
        group["lr"].data.fill_(rate)
    else:
        group["lr"] = rate


def for_each_group(name: str, optimizer: Optimizer, given: Any) -> list[Any]:
    """Return a list with an entry for each group. Raises a ValueError for a list of another length."""
    count = len(checked(name, optimizer).param_groups)
    if not isinstance(given, tuple | list):
        return [given] * count
    if len(given) != count:
        raise ValueError(f"{name}: got {len(given)} values for {count} groups")
    return list(given)


class _ByFunction(LRScheduler):
    """A schedule by a function of the number of steps, or by one function for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1) -> None:
        self.lr_lambdas = for_each_group(type(self).__name__, optimizer, lr_lambda)
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"{type(self).__name__}: expected a function of the step, got {shown(function)}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the attributes of callable objects in place of the functions."""
        attributes = [None if hasattr(function, "__code__") else {**vars(function)} for function in self.lr_lambdas]
        return super().state_dict() | {"lr_lambdas": attributes}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state; the functions stay."""
        functions = self.lr_lambdas
        super().load_state_dict(state_dict)
        for function, attributes in zip(functions, self.lr_lambdas, strict=True):
            if attributes is not None:
                vars(function).update(attributes)
        self.lr_lambdas = functions


class LambdaLR(_ByFunction):
    """The initial rate times `lr_lambda(step)` (`torch.optim.lr_scheduler.LambdaLR`)."""

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        pairs = zip(self.lr_lambdas, self.base_lrs, strict=True)
        return [rate * function(self.last_epoch) for function, rate in pairs]


class MultiplicativeLR(_ByFunction):
    """The rate before times `lr_lambda(step)` (`torch.optim.lr_scheduler.MultiplicativeLR`)."""

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        pairs = zip(self.lr_lambdas, self._rates(), strict=True)
        return self._rates() if self._is_initial else [rate * function(self.last_epoch) for function, rate in pairs]


class StepLR(LRScheduler):
    """The rate times `gamma` every `step_size` steps (`torch.optim.lr_scheduler.StepLR`)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        if int_of("StepLR", step_size) < 1:
            raise ValueError(f"StepLR: step_size must be positive, got {step_size}")
        self.step_size, self.gamma = step_size, number_of("StepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        if self.last_epoch == 0 or self.last_epoch % self.step_size:
            return self._rates()
        return [rate * self.gamma for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        return [rate * self.gamma ** (self.last_epoch // self.step_size) for rate in self.base_lrs]


class MultiStepLR(LRScheduler):
    """The rate times `gamma` at each of the steps `milestones` (`torch.optim.lr_scheduler.MultiStepLR`)."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if not isinstance(milestones, Iterable):
            raise TypeError(f"MultiStepLR: milestones must be a list of steps, got {shown(milestones)}")
        self.milestones = Counter(milestones)
        self.gamma = number_of("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        if self.last_epoch not in self.milestones:
            return self._rates()
        return [rate * self.gamma ** self.milestones[self.last_epoch] for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [rate * self.gamma**passed for rate in self.base_lrs]


class ConstantLR(LRScheduler):
    """The rate times `factor` until step `total_iters` (`torch.optim.lr_scheduler.ConstantLR`)."""

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= number_of("ConstantLR", "factor", factor) <= 1:
            raise ValueError(f"ConstantLR: factor must be from 0 to 1, got {factor}")
        self.factor, self.total_iters = factor, int_of("ConstantLR", total_iters)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        if self.last_epoch == 0:
            return [rate * self.factor for rate in self._rates()]
        if self.last_epoch != self.total_iters:
            return self._rates()
        return [rate * (1.0 / self.factor) for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        return [rate * (1 if self.last_epoch >= self.total_iters else self.factor) for rate in self.base_lrs]


class LinearLR(LRScheduler):
    """The rate times a factor that goes from `start_factor` to `end_factor` in `total_iters` steps.

    (`torch.optim.lr_scheduler.LinearLR`.)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < number_of("LinearLR", "start_factor", start_factor) <= 1:
            raise ValueError(f"LinearLR: start_factor must be above 0 and at most 1, got {start_factor}")
        if not 0 <= number_of("LinearLR", "end_factor", end_factor) <= 1:
            raise ValueError(f"LinearLR: end_factor must be from 0 to 1, got {end_factor}")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = int_of("LinearLR", total_iters)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        if self.last_epoch == 0:
            return [rate * self.start_factor for rate in self._rates()]
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        way = self.end_factor - self.start_factor
        growth = 1.0 + way / (self.total_iters * self.start_factor + (self.last_epoch - 1) * way)
        return [rate * growth for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        share = min(self.total_iters, self.last_epoch) / self.total_iters
        factor = self.start_factor + (self.end_factor - self.start_factor) * share
        return [rate * factor for rate in self.base_lrs]


class ExponentialLR(LRScheduler):
    """The rate times `gamma` at each step (`torch.optim.lr_scheduler.ExponentialLR`)."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = number_of("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        return self._rates() if self._is_initial else [rate * self.gamma for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        return [rate * self.gamma**self.last_epoch for rate in self.base_lrs]


class PolynomialLR(LRScheduler):
    """The initial rate times (1 - step / `total_iters`) ** `power` (`torch.optim.lr_scheduler.PolynomialLR`)."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = int_of("PolynomialLR", total_iters), number_of("PolynomialLR", "power", power)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._rates()
        now, before = (1.0 - step / self.total_iters for step in (self.last_epoch, self.last_epoch - 1))
        return [rate * (now / before) ** self.power for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        remaining = 1.0 - min(self.total_iters, self.last_epoch) / self.total_iters
        return [rate * remaining**self.power for rate in self.base_lrs]
