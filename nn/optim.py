"""Optimizers: they change parameters in place, against the gradients, by PyTorch's formulas (`torch.optim`).

They work on the numpy arrays of the parameters, so nothing that they do is recorded.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.checks import flag_of, members_of, number_of, shown
from minigrad.core.tensor import Tensor
from minigrad.core.versions import bump_version
from minigrad.grad_mode import enable_grad
from nn.parameter import clear_grad

__getattr__ = missing.of_module(
    __name__, "torch.optim", {"lr_scheduler": "optimizer.param_groups[0]['lr'] = lr between steps"}
)


class Optimizer:
    """The base class of optimizers: parameters in groups, and a state for each parameter (`torch.optim.Optimizer`).

    `param_groups` is a list of dicts. A group has `params` and settings such as `lr`, which may change between steps.
    """

    __getattr__ = missing.of_class("torch.optim.Optimizer")

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        kind = type(self).__name__
        groups = _members(kind, params)
        if not groups:
            raise ValueError(f"{kind}: got no parameters to optimize")
        if isinstance(params, Tensor) or len({isinstance(group, dict) for group in groups}) > 1:
            raise TypeError(f"{kind}: expected an iterable of Tensors, or of dicts, such as model.parameters()")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        for group in groups:
            if "params" not in group:
                raise ValueError(f"{kind}: a group must have params, got {[*group]}")
            self.param_groups.append(defaults | group | {"params": _members(kind, group["params"])})
        every = [parameter for group in self.param_groups for parameter in group["params"]]
        for parameter in every:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{kind}: expected Tensors, got {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError(f"{kind}: a result of {parameter.grad_fn} is not a leaf, so it cannot be optimized")
        if len(set(every)) < len(every):
            raise ValueError(f"{kind}: a parameter is given twice")
        for group in self.param_groups:
            betas = group.get("betas", (0.0, 0.0))
            if not isinstance(betas, tuple | list) or len(betas) != 2:
                raise TypeError(f"{kind}: betas must be two numbers, got {shown(betas)}")
            names = [name for name in ("lr", "weight_decay", "momentum", "dampening", "eps") if name in group]
            for name, number in [*((name, group[name]) for name in names), *(("betas", beta) for beta in betas)]:
                if not number_of(kind, name, number) >= 0 and name != "dampening":
                    raise ValueError(f"{kind}: {name} must not be negative, got {number}")
            if max(betas) >= 1:
                raise ValueError(f"{kind}: betas must be from 0 to below 1, got {betas}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set all gradients to None, or to zeros, because backward passes add to them."""
        flag_of("zero_grad", "set_to_none", set_to_none)
        for group in self.param_groups:
            for parameter in group["params"]:
                clear_grad(parameter, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient (`torch.optim.Optimizer.step`).

        A `closure` is called first, to compute the loss and its gradients, and its result is returned.
        """
        loss = None
        if closure is not None and not callable(closure):
            raise TypeError(f"{type(self).__name__}.step: closure must be a function, got {shown(closure)}")
        if closure is not None:
            with enable_grad():
                loss = closure()
        updated: list[np.ndarray] = []
        try:
            for group in self.param_groups:
                for parameter in group["params"]:
                    grad = parameter.grad
                    if grad is not None:
                        state = self.state.get(parameter)
                        if state is None:
                            state = self.state[parameter] = {}
                        updated.append(parameter.array)
                        self.update(parameter.array, grad.array, state, group)
        finally:
            bump_version(f"{type(self).__name__}.step", *updated)
        return loss

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            settings = [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
            lines += [f"Parameter Group {i}", *settings]
        return "\n".join([*lines, ")"])

    def update(self, array: np.ndarray, grad: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Update the array of one parameter in place; a subclass defines this."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")


def _members(kind: str, params: Any) -> list[Any]:
    """Return a Tensor, or an iterable of Tensors or groups, as a list. Raises a TypeError for anything else."""
    return [params] if isinstance(params, Tensor) else members_of(kind, "Tensors", Tensor | dict, params)


class SGD(Optimizer):
    """Stochastic gradient descent (`torch.optim.SGD`): p -= lr * v.

    v is the gradient g, to which `weight_decay` * p is added first. With `momentum`, v is a buffer b instead: b = g in
    the first step, and b = `momentum` * b + (1 - `dampening`) * g after it. With `nesterov`, v = g + `momentum` * b.
    Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.

    Raises a ValueError if `nesterov` is used without momentum or with dampening.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        number_of("SGD", "momentum", momentum)
        number_of("SGD", "dampening", dampening)
        if flag_of("SGD", "nesterov", nesterov) and (momentum <= 0 or dampening):
            raise ValueError(f"SGD: nesterov needs momentum and no dampening, got {momentum} and {dampening}")
        settings = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        super().__init__(params, **settings, nesterov=nesterov)

    def update(self, array: np.ndarray, grad: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Update the array of one parameter in place."""
        momentum = group["momentum"]
        if group["weight_decay"]:
            grad = grad + group["weight_decay"] * array
        if momentum:
            if "momentum_buffer" in state:
                state["momentum_buffer"] *= momentum
                state["momentum_buffer"] += (1 - group["dampening"]) * grad
            else:
                state["momentum_buffer"] = grad.copy()
            velocity = state["momentum_buffer"]
            grad = grad + momentum * velocity if group["nesterov"] else velocity
        array -= group["lr"] * grad


class Adam(Optimizer):
    """Gradient descent with a step size for each element (`torch.optim.Adam`): p -= lr * m / (sqrt(v) + eps).

    m and v are running means of the gradient g and of its square, corrected for their initial zeros: m = (b1 * m + (1 -
    b1) * g) / (1 - b1^step) and v likewise with b2 and g^2, where b1, b2 = `betas`. `weight_decay` * p is added to g
    first. Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015.
    """

    decoupled_weight_decay = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def update(self, array: np.ndarray, grad: np.ndarray, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Update the array of one parameter in place."""
        if not state:
            state.update(step=0, exp_avg=np.zeros_like(array), exp_avg_sq=np.zeros_like(array))
        state["step"] += 1
        lr, (beta1, beta2), mean, square = group["lr"], group["betas"], state["exp_avg"], state["exp_avg_sq"]
        if self.decoupled_weight_decay:
            array *= 1 - lr * group["weight_decay"]
        elif group["weight_decay"]:
            grad = grad + group["weight_decay"] * array
        mean += (1 - beta1) * (grad - mean)
        square *= beta2
        square += (1 - beta2) * (grad * grad)
        spread = np.sqrt(square) / math.sqrt(1 - beta2 ** state["step"]) + group["eps"]
        array -= lr / (1 - beta1 ** state["step"]) * (mean / spread)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (`torch.optim.AdamW`).

    p -= lr * weight_decay * p comes before each step of Adam. Loshchilov and Hutter, "Decoupled Weight Decay
    Regularization", 2019.
    """

    decoupled_weight_decay = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)
