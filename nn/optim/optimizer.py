"""The base class of optimizers: groups of parameters, their settings, states, hooks, and what is loaded and saved."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.checks import flag_of, members_of, number_of, shown
from minigrad.core.dtypes import category
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version
from minigrad.grad_mode import enable_grad

from ..hooks import Hooks, RemovableHandle, registered
from ..parameter import clear_grad

Group = dict[str, Any]

# What a setting must be. The numbers are not negative, except for those of `ANY`, and those of `SHARES` are below 1.
NUMBERS = {"lr", "lr_decay", "weight_decay", "momentum", "momentum_decay", "alpha", "eps", "initial_accumulator_value"}
ANY, SHARES = {"dampening"}, {"rho"}
FLAGS = {"nesterov", "maximize", "amsgrad", "centered", "decoupled_weight_decay", "capturable", "differentiable"}
# PyTorch has several implementations; these flags choose among them. Here they have no effect.
IMPLEMENTATIONS = {"foreach", "fused"}


class Optimizer:
    """The base class of optimizers: parameters in groups, and a state for each parameter (`torch.optim.Optimizer`).

    `params` is an iterable of Tensors, of pairs of names and Tensors, or of dicts, which are groups. `defaults` are the
    settings of a group that does not have its own. `param_groups` is a list of dicts: a group has `params` and settings
    such as `lr`, which may change between steps.

    A subclass defines `update`, or a `step` of its own.
    """

    __getattr__ = missing.of_class("torch.optim.Optimizer")

    def __init__(self, params: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        kind = type(self).__name__
        if isinstance(params, Tensor):
            raise TypeError(f"{kind}: expected an iterable of Tensors, or of dicts, such as model.parameters()")
        if not isinstance(defaults, Mapping):
            raise TypeError(f"{kind}: defaults must be a dict of settings, got {shown(defaults)}")
        groups = members_of(kind, "Tensors", Tensor | dict | tuple, params)
        if not groups:
            raise ValueError(f"{kind}: got no parameters to optimize")
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._before_step: Hooks = {}
        self._after_step: Hooks = {}
        for group in groups if isinstance(groups[0], dict) else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Add a group: a dict with `params`, and perhaps settings (`torch.optim.Optimizer.add_param_group`).

        Raises a TypeError if a parameter is no Tensor. Raises a ValueError if one is not a leaf or has a group already,
        if only some have names, or if a setting is out of range.
        """
        kind = type(self).__name__
        if not isinstance(param_group, dict):
            raise TypeError(f"{kind}: a group must be a dict, or else all must be Tensors, got {shown(param_group)}")
        if "params" not in param_group:
            raise ValueError(f"{kind}: a group must have params, got {[*param_group]}")
        params = param_group["params"]
        if isinstance(params, set):
            raise TypeError(f"{kind}: a set has no order; give a list of parameters")
        if not isinstance(params, Tensor):
            params = members_of(kind, "Tensors", Tensor | tuple, params)
        group = {
            **self.defaults,
            **param_group,
            **_with_names(kind, [params] if isinstance(params, Tensor) else params),
        }
        self._check_parameters(kind, group)
        check_settings(kind, {name: group[name] for name in self.defaults})
        self.param_groups.append(group)

    def _check_parameters(self, kind: str, group: Group) -> None:
        for parameter in group["params"]:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{kind}: expected Tensors, got {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError(f"{kind}: a result of {parameter.grad_fn} is not a leaf, so it cannot be optimized")
        every = [parameter for each in (*self.param_groups, group) for parameter in each["params"]]
        if len(set(every)) < len(every):
            raise ValueError(f"{kind}: a parameter is given twice")
        if any(("param_names" in each) != ("param_names" in group) for each in self.param_groups):
            raise ValueError(f"{kind}: give names to the parameters of all groups, or of none")

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
        for hook in [*self._before_step.values()]:
            (closure,) = _changed(hook.function(self, (self, closure), {}), (closure,))
        if closure is not None and not callable(closure):
            raise TypeError(f"{type(self).__name__}.step: closure must be a function, got {shown(closure)}")
        if closure is not None:
            with enable_grad():
                loss = closure()
        updated: list[np.ndarray] = []
        try:
            for group in self.param_groups:
                if isinstance(group.get("lr"), Tensor):
                    group = group | {"lr": group["lr"].item()}
                sign = -1 if group.get("maximize") else 1
                for parameter in group["params"]:
                    grad = parameter.grad
                    if grad is not None:
                        updated.append(parameter.array)
                        gradient = grad.array if sign == 1 else -grad.array
                        self.update(parameter.array, gradient, self.state[parameter], group)
        finally:
            bump_version(f"{type(self).__name__}.step", *updated)
        self.was_stepped = True
        for hook in [*self._after_step.values()]:
            hook.function(self, (self, closure), {})
        return loss

    was_stepped = False  # a scheduler warns if its own step comes first

    def update(self, array: np.ndarray, grad: np.ndarray, state: dict[str, Any], group: Group) -> None:
        """Update the array of one parameter in place; a subclass defines this."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step (`torch.optim.Optimizer.register_step_pre_hook`).

        It returns None, or new args and kwargs. Raises a TypeError if it cannot be called.
        """
        return registered("register_step_pre_hook", self._before_step, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step (`torch.optim.Optimizer.register_step_post_hook`)."""
        return registered("register_step_post_hook", self._after_step, hook)

    def state_dict(self) -> dict[str, Any]:
        """Return the states and settings, with numbers in place of the parameters (`torch.optim.Optimizer.state_dict`).

        The keys are PyTorch's, so that either library can load the state of the other, if its tensors are converted.
        """
        places: dict[Tensor, int] = {}
        groups = []
        for group in self.param_groups:
            numbers = [places.setdefault(parameter, len(places)) for parameter in group["params"]]
            groups.append({name: value for name, value in group.items() if name != "params"} | {"params": numbers})
        state = {places[parameter]: dict(of_it) for parameter, of_it in self.state.items() if of_it}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over copies of the states and settings of a state dict (`torch.optim.Optimizer.load_state_dict`).

        Tensors of other libraries and arrays become Tensors, and get the dtypes of their parameters, except for `step`.
        Raises a ValueError if there are other numbers of groups or of parameters, or if a setting is out of
        range, and a TypeError for what has a wrong kind. Then nothing is changed.
        """
        kind = type(self).__name__
        if not isinstance(state_dict, Mapping) or not {"state", "param_groups"} <= {*state_dict}:
            raise TypeError(
                f"{kind}.load_state_dict: expected a dict with state and param_groups, got {shown(state_dict)}"
            )
        groups, state_of = state_dict["param_groups"], state_dict["state"]
        if not isinstance(state_of, Mapping) or not isinstance(groups, list | tuple):
            raise TypeError(
                f"{kind}.load_state_dict: expected a dict of states and a list of groups, got {shown(state_dict)}"
            )
        for entry in (*groups, *state_of.values()):
            if not isinstance(entry, Mapping):
                raise TypeError(f"{kind}.load_state_dict: a group and a state must be a dict, got {shown(entry)}")
        given, own = ([len(group.get("params", ())) for group in each] for each in (groups, self.param_groups))
        if given != own:
            raise ValueError(f"{kind}.load_state_dict: got groups of {given} parameters, but there are groups of {own}")
        by_number: dict[Any, Tensor] = {}
        settings = []
        for group, theirs in zip(self.param_groups, groups, strict=True):
            by_number |= dict(zip(theirs["params"], group["params"], strict=True))
            settings.append({name: _copied(value) for name, value in theirs.items() if name != "params"})
            check_settings(kind, {name: value for name, value in settings[-1].items() if name in self.defaults})
        states = {}
        for number, state in state_of.items():
            if number in by_number:
                dtype = by_number[number].array.dtype
                states[by_number[number]] = {
                    name: _copied(value, None if name == "step" else dtype) for name, value in state.items()
                }
        for group, theirs in zip(self.param_groups, settings, strict=True):  # from here on nothing can fail
            group.update(theirs)
        self.state.clear()
        self.state.update(states)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            settings = [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
            lines += [f"Parameter Group {i}", *settings]
        return "\n".join([*lines, ")"])


def check_settings(kind: str, settings: Mapping[str, Any]) -> None:
    """Raise a TypeError for a setting of a wrong kind, and a ValueError for a number that is out of range."""
    for name, value in settings.items():
        if name == "betas":
            if not isinstance(value, tuple | list) or len(value) != 2:
                raise TypeError(f"{kind}: betas must be two numbers, got {shown(value)}")
            for beta in value:
                _check_number(kind, name, beta, below_one=True)
        elif name in NUMBERS | ANY | SHARES:
            _check_number(kind, name, value, name in SHARES, name in ANY)
        elif name in FLAGS or (name in IMPLEMENTATIONS and value is not None):
            flag_of(kind, name, value)
    if settings.get("differentiable"):
        raise NotImplementedError(
            f"{kind}: steps are not recorded; write p - lr * p.grad to differentiate through them"
        )
    if settings.get("foreach") and settings.get("fused"):
        raise RuntimeError(f"{kind}: foreach and fused are two implementations; choose one, or none")


def _check_number(kind: str, name: str, value: Any, below_one: bool = False, is_free: bool = False) -> None:
    if isinstance(value, Tensor) and name == "lr":
        if value.array.size != 1:
            raise ValueError(f"{kind}: lr as a Tensor must have one element, got shape {value.array.shape}")
        value = value.item()
    if not number_of(kind, name, value) >= 0 and not is_free:
        raise ValueError(f"{kind}: {name} must not be negative, got {value}")
    if below_one and value >= 1:
        raise ValueError(f"{kind}: {name} must be from 0 to below 1, got {value}")


def _with_names(kind: str, params: list[Any]) -> Group:
    """Return parameters as the entry of a group; pairs of names and parameters give their names too."""
    named = [isinstance(parameter, tuple) for parameter in params]
    if not any(named):
        return {"params": params}
    if not all(named) or any(len(pair) != 2 for pair in params):
        raise ValueError(f"{kind}: give names to all parameters, as pairs of a name and a Tensor, or to none")
    return {"params": [parameter for _, parameter in params], "param_names": [name for name, _ in params]}


def _changed(result: Any, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arguments of a step after a hook, which returned None, or new args and kwargs."""
    if result is None:
        return arguments
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(f"step: a pre-hook must return None, or a tuple of args and kwargs, got {shown(result)}")
    (_, *args), kwargs = result
    return (args[0] if args else kwargs.get("closure"),)


def _copied(value: Any, dtype: Any = None) -> Any:
    """Return a copy of an entry of a state dict, with Tensors in place of the tensors of any library."""
    if isinstance(value, Tensor | np.ndarray) or hasattr(value, "detach"):
        value = value.detach() if hasattr(value, "detach") else value
        array = np.array(np.asarray(value))
        category(array.dtype)
        return wrap(array if dtype is None or array.dtype.kind != "f" else array.astype(dtype))
    return list(value) if isinstance(value, list) else value


def arrays_of(state: dict[str, Any], array: np.ndarray, *names: str) -> list[np.ndarray]:
    """Return the arrays of entries of a state, which are zeros of the shape of `array` at first."""
    for name in names:
        if state.get(name) is None:
            state[name] = wrap(np.zeros_like(array))
    return [state[name].array for name in names]


def counted(state: dict[str, Any]) -> int:
    """Count a step of one parameter, and return the number of steps so far."""
    if "step" not in state:
        state["step"] = wrap(np.zeros((), np.float32))
    step = state["step"]
    if not isinstance(step, Tensor):  # a number, as in old state dicts
        step = state["step"] = wrap(np.array(step, np.float32))
    count = int(step.array.item()) + 1
    step.array.fill(count)
    return count
