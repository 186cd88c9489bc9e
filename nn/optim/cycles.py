"""Schedules that come back: along cosines, up and down, and in one cycle."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from minigrad.checks import flag_of, is_int, number_of, shown

from .optimizer import Optimizer
from .schedules import LRScheduler, for_each_group, set_rate


class CosineAnnealingLR(LRScheduler):
    """The rate from its initial value to `eta_min` in `T_max` steps along a cosine, and back, and so on.

    (`torch.optim.lr_scheduler.CosineAnnealingLR`; Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
    Restarts", 2017.)
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if not number_of("CosineAnnealingLR", "T_max", T_max):
            raise ValueError("CosineAnnealingLR: T_max must not be 0")
        self.T_max, self.eta_min = T_max, number_of("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        if self._is_initial:
            return self._rates()
        if self._step_count == 1 and self.last_epoch > 0:
            return self.closed()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            first = (1 - math.cos(math.pi / self.T_max)) / 2
            pairs = zip(self._rates(), self.base_lrs, strict=True)
            return [rate + (base - self.eta_min) * first for rate, base in pairs]
        now, before = (1 + math.cos(math.pi * step / self.T_max) for step in (self.last_epoch, self.last_epoch - 1))
        return [now / before * (rate - self.eta_min) + self.eta_min for rate in self._rates()]

    def closed(self) -> list[float]:
        """Return the rates by a formula."""
        share = (1 + math.cos(math.pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (rate - self.eta_min) * share for rate in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """The rate from its initial value to `eta_min` along a cosine, in `T_0` steps, and then from the start again.

    Each time takes `T_mult` times as many steps as the time before
    (`torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`; Loshchilov and Hutter, 2017).
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        for argument, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not is_int(value) or value < 1:
                raise ValueError(f"{name}: {argument} must be a positive integer, got {shown(value)}")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, number_of(name, "eta_min", eta_min)
        self.T_i: float = T_0
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups."""
        share = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (rate - self.eta_min) * share for rate in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Set the rates for the next step, or those of the step `epoch`, which may be a fraction."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch, self.T_cur = self.last_epoch + 1, self.T_cur + 1
            if self.T_cur >= self.T_i:
                self.T_cur, self.T_i = self.T_cur % self.T_i, self.T_i * self.T_mult
        elif not number_of("CosineAnnealingWarmRestarts", "epoch", epoch) >= 0:
            raise ValueError(f"CosineAnnealingWarmRestarts: epoch must not be negative, got {epoch}")
        else:
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            set_rate(group, rate)
        self._last_lr = self._rates()

    def _jump(self, epoch: float) -> None:
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**restarts


class _WithMomentum(LRScheduler):
    """A schedule that changes the momentum against the rate: `momentum`, or the first of `betas`."""

    cycle_momentum: bool

    def _start_momentum(self, optimizer: Optimizer, base: Any, highest: Any, last_epoch: int) -> None:
        name = type(self).__name__
        if not flag_of(name, "cycle_momentum", self.cycle_momentum):
            return
        if not {"momentum", "betas"} & {*optimizer.defaults}:
            raise ValueError(f"{name}: {type(optimizer).__name__} has no momentum; pass cycle_momentum=False")
        self.use_beta1 = "betas" in optimizer.defaults
        self.base_momentums = for_each_group(name, optimizer, base)
        self.max_momentums = for_each_group(name, optimizer, highest)
        if last_epoch == -1:
            for group, low, high in zip(optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """The rate from `base_lr` to `max_lr` and back, again and again, and the momentum in the other direction.

    `mode` is "triangular", "triangular2" with half of the height in each cycle, or "exp_range" with the height times
    `gamma` in each step; or `scale_fn` gives the height (`torch.optim.lr_scheduler.CyclicLR`; Smith, "Cyclical Learning
    Rates for Training Neural Networks", 2017).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        base_lrs = for_each_group("CyclicLR", optimizer, base_lr)
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, base_lrs, strict=True):
                set_rate(group, rate)
        self.max_lrs = for_each_group("CyclicLR", optimizer, max_lr)
        up = float(number_of("CyclicLR", "step_size_up", step_size_up))
        down = up if step_size_down is None else float(number_of("CyclicLR", "step_size_down", step_size_down))
        if up <= 0 or down <= 0:
            raise ValueError(f"CyclicLR: the sizes of steps must be positive, got {up} and {down}")
        self.total_size, self.step_ratio = up + down, up / (up + down)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(f"CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', got {shown(mode)}")
        self.mode, self.gamma, self._scale_fn_custom = mode, number_of("CyclicLR", "gamma", gamma), scale_fn
        by_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = by_mode if scale_fn is None else scale_mode
        self.cycle_momentum = cycle_momentum
        self._start_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Return the height of a cycle, of which `x` is the number, or the number of the step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        return 1.0 if self.mode == "triangular" else 0.5 ** (x - 1) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[float]:
        """Return the rates of the groups, and set the momentums."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            triples = zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, low, high in triples:
                self._set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return the state, without a function."""
        return super().state_dict() | {"_scale_fn_custom": None}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over a state; the function stays."""
        super().load_state_dict({**state_dict, "_scale_fn_custom": self._scale_fn_custom})


class OneCycleLR(_WithMomentum):
    """The rate up to `max_lr` and down to almost 0 in one cycle, and the momentum in the other direction.

    The number of steps is `total_steps`, or `epochs` * `steps_per_epoch`; the share `pct_start` of them goes up. The
    first rate is max_lr / `div_factor`, and the last one the first / `final_div_factor`. With `three_phase`, the rate
    comes back to the first one before it goes down. `anneal_strategy` is "cos" or "linear"
    (`torch.optim.lr_scheduler.OneCycleLR`; Smith and Topin, "Super-Convergence", 2018).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        rates = for_each_group("OneCycleLR", optimizer, max_lr)
        counts = (total_steps,) if total_steps is not None else (epochs, steps_per_epoch)
        if not all(is_int(count) and int(count or 0) > 0 for count in counts):
            raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch, as positive integers")
        self.total_steps = math.prod(int(count) for count in counts if count is not None)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be a float from 0 to 1, got {shown(pct_start)}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', got {shown(anneal_strategy)}")
        first = pct_start * self.total_steps
        names = [(first - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if flag_of("OneCycleLR", "three_phase", three_phase):
            names.append((2 * first - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum"))
            names.append((self.total_steps - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum"))
        else:
            names.append((self.total_steps - 1, "max_lr", "min_lr", "base_momentum", "max_momentum"))
        keys = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        self._schedule_phases: list[dict[str, Any]] = [dict(zip(keys, phase, strict=True)) for phase in names]
        self._anneal_func_type = anneal_strategy
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["initial_lr"], group["max_lr"] = rate / div_factor, rate
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        self._start_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "linear":
            return (end - start) * share + start
        return end + (start - end) / 2.0 * (math.cos(math.pi * share) + 1)

    def get_lr(self) -> list[float]:
        """Return the rates of the groups, and set the momentums. Raises a ValueError after the last step."""
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: this is step {step}, but total_steps is {self.total_steps}")
        phases, start = self._schedule_phases, 0.0
        for phase in phases[:-1]:
            if step <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = phases[-1]
        share = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], share))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, self._between(*ends, share))
        return rates
