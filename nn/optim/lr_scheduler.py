"""Schedules: they change the learning rates of an optimizer from step to step (`torch.optim.lr_scheduler`).

Here stand those that look at other schedules or at the loss; the others are in `schedules.py` and `cycles.py`.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.api import missing
from minigrad.checks import int_of, number_of, shown

from .cycles import CosineAnnealingLR, CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from .optimizer import Optimizer
from .schedules import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
    checked,
    for_each_group,
    set_rate,
    value_of,
)

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR"
]  # fmt: skip

__getattr__ = missing.of_module(__name__, "torch.optim.lr_scheduler")


def __dir__() -> list[str]:
    return __all__


class _Several(LRScheduler):
    """A schedule of other schedules of one optimizer."""

    def _take(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None) -> None:
        name = type(self).__name__
        if not isinstance(schedulers, Sequence) or not schedulers:
            raise ValueError(f"{name}: expected a list of at least one schedule, got {shown(schedulers)}")
        for scheduler in schedulers:
            if not isinstance(scheduler, LRScheduler):
                raise TypeError(f"{name}: expected schedules, got {type(scheduler).__name__}")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(f"{name}: ReduceLROnPlateau needs a number in each step; step it by itself")
        self.optimizer = optimizer or schedulers[0].optimizer
        if any(scheduler.optimizer is not self.optimizer for scheduler in schedulers):
            raise ValueError(f"{name}: all schedules must be of one optimizer")
        self._schedulers = schedulers

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with those of the schedules inside."""
        return super().state_dict() | {"_schedulers": [scheduler.state_dict() for scheduler in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state, and give their states to the schedules inside."""
        schedulers = self._schedulers
        super().load_state_dict(state_dict)
        for scheduler, state in zip(schedulers, state_dict["_schedulers"], strict=True):
            scheduler.load_state_dict(state)
        self._schedulers = schedulers


class SequentialLR(_Several):
    """One schedule after the other; each but the first begins at its step in `milestones`.

    (`torch.optim.lr_scheduler.SequentialLR`.)
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: list[LRScheduler], milestones: list[int], last_epoch: int = -1
    ) -> None:
        self._take(schedulers, checked("SequentialLR", optimizer))
        if not isinstance(milestones, Sequence) or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: {len(schedulers)} schedules need one milestone less, got {shown(milestones)}"
            )
        self._milestones, self.last_epoch = milestones, int_of("SequentialLR", last_epoch) + 1
        for group in optimizer.param_groups:
            set_rate(group, group["initial_lr"])
        _undo(self)
        first = schedulers[bisect_right(milestones, 0)]
        first._initial_step()
        self._last_lr = first.get_last_lr()

    def step(self, epoch: Any = None) -> None:
        """Let the schedule whose turn it is set the rates."""
        self.last_epoch += 1
        turn = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[turn]
        if turn > 0 and self._milestones[turn - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _undo(scheduler: LRScheduler) -> None:
    """Take back the first step of the schedules inside."""
    if isinstance(scheduler, _Several):
        for inner in scheduler._schedulers:
            _undo(inner)
    else:
        scheduler.last_epoch -= 1


class ChainedScheduler(_Several):
    """Several schedules at once: each changes the rates in each step (`torch.optim.lr_scheduler.ChainedScheduler`)."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        self._take(schedulers, optimizer)
        self._last_lr = self._rates()

    def step(self, epoch: Any = None) -> None:
        """Let all schedules set the rates, one after the other."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = self._rates()


class ReduceLROnPlateau(LRScheduler):
    """The rate times `factor` when a number has not become better for `patience` steps.

    Better is less, or more if the mode is "max", by `threshold`: by this share of the best number, or by this amount if
    `threshold_mode` is "abs". After a change, `cooldown` steps do not count. The rate stays above `min_lr`, and does
    not change by less than `eps` (`torch.optim.lr_scheduler.ReduceLROnPlateau`).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | list[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        if number_of(name, "factor", factor) >= 1:
            raise ValueError(f"{name}: factor must be below 1, got {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"{name}: mode must be 'min' or 'max', and threshold_mode 'rel' or 'abs', got {shown(mode)} and "
                f"{shown(threshold_mode)}"
            )
        self.optimizer = checked(name, optimizer)
        self.default_min_lr = None if isinstance(min_lr, tuple | list) else min_lr
        self.min_lrs = for_each_group(name, optimizer, min_lr)
        self.factor, self.eps = factor, number_of(name, "eps", eps)
        self.patience, self.cooldown = number_of(name, "patience", patience), number_of(name, "cooldown", cooldown)
        self.mode, self.threshold_mode = mode, threshold_mode
        self.threshold = number_of(name, "threshold", threshold)
        self.best = self.mode_worse = math.inf if mode == "min" else -math.inf
        self.last_epoch = self.cooldown_counter = self.num_bad_epochs = 0
        self._last_lr = self._rates()

    @property
    def in_cooldown(self) -> bool:
        """Whether the steps after a change do not count yet."""
        return self.cooldown_counter > 0

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at a number, such as the loss, and change the rates if it has not become better for long."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self._is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.in_cooldown:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = self._rates()

    def _reduce(self) -> None:
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise RuntimeError(
                    f"ReduceLROnPlateau: there are {len(groups)} groups, but {len(self.min_lrs)} min_lrs"
                )
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, least in zip(groups, self.min_lrs, strict=True):
            old = float(value_of(group["lr"]))
            new = max(old * self.factor, least)
            if old - new > self.eps:
                set_rate(group, new)

    def _is_better(self, new: float, best: float) -> bool:
        if self.mode == "min":
            return new < (best * (1.0 - self.threshold) if self.threshold_mode == "rel" else best - self.threshold)
        return new > (best * (self.threshold + 1.0) if self.threshold_mode == "rel" else best + self.threshold)
