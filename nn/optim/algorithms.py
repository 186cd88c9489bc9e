"""The optimizers: for each, how one step changes the array of a parameter.

In the formulas, p is the parameter, g its gradient, and t the number of the step. With `weight_decay`, g is the
gradient plus `weight_decay` * p. With `maximize`, g has the opposite sign. `foreach`, `fused` and `capturable` choose
among PyTorch's implementations, and have no effect here.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.checks import flag_of, number_of
from minigrad.core.tensor import Tensor, wrap

from .optimizer import Group, Optimizer, arrays_of, counted

State = dict[str, Any]
Betas = tuple[float, float]


def _decayed(array: np.ndarray, grad: np.ndarray, group: Group) -> np.ndarray:
    """Return the gradient with the weight decay. If that is decoupled, it changes the parameter instead."""
    if not group["weight_decay"]:
        return grad
    if group.get("decoupled_weight_decay"):
        array *= 1 - group["lr"] * group["weight_decay"]
        return grad
    return grad + group["weight_decay"] * array


def _move(mean: np.ndarray, to: np.ndarray, share: float) -> None:
    """Move a running mean by a share."""
    mean += share * (to - mean)


class SGD(Optimizer):
    """Stochastic gradient descent (`torch.optim.SGD`): p -= lr * v.

    v is g. With `momentum`, v is a buffer b instead: b = g in the first step, and b = `momentum` * b + (1 -
    `dampening`) * g after it. With `nesterov`, v = g + `momentum` * b. Sutskever et al., "On the importance of
    initialization and momentum in deep learning", 2013.

    Raises a ValueError if `nesterov` is used without momentum or with dampening.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        number_of("SGD", "momentum", momentum)
        number_of("SGD", "dampening", dampening)
        if flag_of("SGD", "nesterov", nesterov) and (momentum <= 0 or dampening):
            raise ValueError(f"SGD: nesterov needs momentum and no dampening, got {momentum} and {dampening}")
        super().__init__(params, _settings(locals()))

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        momentum = group["momentum"]
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * array
        if momentum:
            if state.get("momentum_buffer") is not None:
                buffer = state["momentum_buffer"].array
                buffer *= momentum
                buffer += (1 - group["dampening"]) * grad
            else:
                buffer = grad.copy()
                state["momentum_buffer"] = wrap(buffer)
            grad = grad + momentum * buffer if group["nesterov"] else buffer
        array -= group["lr"] * grad


class Adam(Optimizer):
    """Gradient descent with a step size for each element (`torch.optim.Adam`): p -= lr * m / (sqrt(v) + eps).

    m and v are running means of g and of its square, corrected for their initial zeros: m = (b1 * m + (1 - b1) * g) /
    (1 - b1^t) and v likewise with b2 and g^2, where b1, b2 = `betas`. With `amsgrad`, v is the greatest so far (Reddi
    et al., "On the Convergence of Adam and Beyond", 2018). Kingma and Ba, "Adam: A Method for Stochastic Optimization",
    2015.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(params, _settings(locals()))

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        step, (beta1, beta2) = counted(state), group["betas"]
        mean, square = arrays_of(state, array, "exp_avg", "exp_avg_sq")
        grad = _decayed(array, grad, group)
        mean += (1 - beta1) * (grad - mean)
        square *= beta2
        square += (1 - beta2) * (grad * grad)
        if group["amsgrad"]:
            (greatest,) = arrays_of(state, array, "max_exp_avg_sq")
            np.maximum(greatest, square, out=greatest)
            square = greatest
        spread = np.sqrt(square) / math.sqrt(1 - beta2**step) + group["eps"]
        array -= group["lr"] / (1 - beta1**step) * (mean / spread)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (`torch.optim.AdamW`).

    p -= lr * weight_decay * p comes before each step of Adam. Loshchilov and Hutter, "Decoupled Weight Decay
    Regularization", 2019.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(**_settings(locals()), params=params, decoupled_weight_decay=True)


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (`torch.optim.NAdam`).

    The momentum of step t is u_t = b1 * (1 - 0.96^(t * `momentum_decay`) / 2), and the running mean of Adam is replaced
    by (1 - u_t) * g / (1 - u_1 ... u_t) + u_t+1 * m / (1 - u_1 ... u_t+1). Dozat, "Incorporating Nesterov Momentum into
    Adam", 2016.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, _settings(locals()))

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        step, (beta1, beta2), lr = counted(state), group["betas"], group["lr"]
        if "mu_product" not in state:
            state["mu_product"] = wrap(np.ones((), np.float32))
        product = state["mu_product"].array
        mean, square = arrays_of(state, array, "exp_avg", "exp_avg_sq")
        grad = _decayed(array, grad, group)
        now, later = (beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1))
        product *= now
        _move(mean, grad, 1 - beta1)
        square *= beta2
        square += (1 - beta2) * (grad * grad)
        spread = np.sqrt(square / (1 - beta2**step)) + group["eps"]
        so_far = product.item()
        array -= lr * (1 - now) / (1 - so_far) * (grad / spread)
        array -= lr * later / (1 - so_far * later) * (mean / spread)


class Adamax(Optimizer):
    """Adam with the greatest gradient in place of the mean square (`torch.optim.Adamax`): p -= lr * m / u / (1 - b1^t).

    m is the running mean of g, and u = max(b2 * u, abs(g) + eps), where b1, b2 = `betas`. Kingma and Ba, 2015.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(params, _settings(locals()))

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        step, (beta1, beta2) = counted(state), group["betas"]
        mean, greatest = arrays_of(state, array, "exp_avg", "exp_inf")
        grad = _decayed(array, grad, group)
        _move(mean, grad, 1 - beta1)
        greatest *= beta2
        np.maximum(greatest, np.abs(grad) + group["eps"], out=greatest)
        array -= group["lr"] / (1 - beta1**step) * (mean / greatest)


class RMSprop(Optimizer):
    """Division by the root of the mean square of the gradient (`torch.optim.RMSprop`): p -= lr * g / (sqrt(v) + eps).

    v is the running mean of g^2: v = `alpha` * v + (1 - `alpha`) * g^2; if `centered`, less the square of the running
    mean of g. With `momentum`, the quotient is added to a buffer, as in SGD. Tieleman and Hinton, Lecture 6.5 of
    "Neural Networks for Machine Learning", 2012.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, _settings(locals()))

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        counted(state)
        (square,) = arrays_of(state, array, "square_avg")
        grad = _decayed(array, grad, group)
        square *= group["alpha"]
        square += (1 - group["alpha"]) * (grad * grad)
        variance = square
        if group["centered"]:
            (mean,) = arrays_of(state, array, "grad_avg")
            _move(mean, grad, 1 - group["alpha"])
            variance = square - mean * mean
        grad = grad / (np.sqrt(variance) + group["eps"])
        if group["momentum"]:
            (buffer,) = arrays_of(state, array, "momentum_buffer")
            buffer *= group["momentum"]
            buffer += grad
            grad = buffer
        array -= group["lr"] * grad


class Adagrad(Optimizer):
    """Division by the root of the sum of all squared gradients (`torch.optim.Adagrad`): p -= r * g / (sqrt(s) + eps).

    s is the sum of g^2 over all steps, and `initial_accumulator_value`; r = lr / (1 + (t - 1) * `lr_decay`). Duchi et
    al., "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", 2011.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(params, _settings(locals()))

    def add_param_group(self, param_group: Group) -> None:
        """Add a group of parameters, whose states begin at once, as in PyTorch."""
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        for parameter in group["params"]:
            sum = np.full_like(parameter.array, group["initial_accumulator_value"])
            self.state[parameter] = {"step": wrap(np.zeros((), np.float32)), "sum": wrap(sum)}

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        step, sum = counted(state), state["sum"].array
        grad = _decayed(array, grad, group)
        sum += grad * grad
        array -= group["lr"] / (1 + (step - 1) * group["lr_decay"]) * (grad / (np.sqrt(sum) + group["eps"]))


class Adadelta(Optimizer):
    """Steps in proportion to the steps before (`torch.optim.Adadelta`): p -= lr * d.

    d = g * sqrt(u + eps) / sqrt(v + eps), where v is the running mean of g^2, and u that of d^2 in the steps before;
    both keep the share `rho`. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(params, _settings(locals()))

    def update(self, array: np.ndarray, grad: np.ndarray, state: State, group: Group) -> None:
        """Update the array of one parameter in place."""
        counted(state)
        square, steps = arrays_of(state, array, "square_avg", "acc_delta")
        grad, rho, eps = _decayed(array, grad, group), group["rho"], group["eps"]
        square *= rho
        square += (1 - rho) * (grad * grad)
        change = np.sqrt(steps + eps) / np.sqrt(square + eps) * grad
        steps *= rho
        steps += (1 - rho) * (change * change)
        array -= group["lr"] * change


def _settings(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a constructor that are settings of a group."""
    return {name: value for name, value in arguments.items() if name not in ("self", "params", "__class__")}
