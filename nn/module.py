"""Module, the base class of layers and models (`torch.nn.Module`).

It finds parameters, names them and moves state in and out; no computation of a layer is here.
"""

import builtins
import reprlib
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import UnionType
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.api import missing
from minigrad.api.device import Device
from minigrad.checks import flag_of, shown
from minigrad.core.dtypes import DType, category, number_dtype
from minigrad.core.modes import current_scope, enter_scope, leave_scope
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version
from minigrad.scopes import Scope

from .hooks import Hook, RemovableHandle, call_with_hooks, registered
from .parameter import Parameter, clear_grad


class LoadedKeys(NamedTuple):
    """The result of `load_state_dict`: names that the state dict lacks, and names that the Module does not have."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        keys = f"missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys}"
        return f"_IncompatibleKeys({keys})" if any(self) else "<All keys matched successfully>"


class Module:
    """The base class of layers and models (`torch.nn.Module`).

    The `__init__` of a subclass calls `super().__init__()`, then assigns Parameters and Modules to attributes; without
    this call they raise a RuntimeError. A subclass also defines `forward`. `training` is the mode: layers such as
    BatchNorm1d and Dropout compute different things in training and in eval mode.
    """

    training: bool
    # By the names of attributes, in the order of assignment: Parameter, Module, or Tensor for a buffer.
    _kinds: dict[str, builtins.type]
    _transient: set[str]  # the names of buffers that are not part of the state dict

    def __init__(self) -> None:
        self._kinds, self._transient, self.training = {}, set(), True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        state = self.__dict__
        if "_kinds" not in state:
            raise self._without_init()
        # Scope(...) would do the same, but takes twice as long.
        before = enter_scope(tuple.__new__(Scope, (weakref.ref(self), type(self), current_scope())))
        try:
            if "_hooks" in state:
                return call_with_hooks(self, state["_hooks"], args, kwargs)
            return self.forward(*args, **kwargs)
        finally:
            leave_scope(before)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result of the Module; a subclass defines this."""
        raise NotImplementedError(f"{type(self).__name__}: defines no forward; a subclass must define it")

    __getattr__ = missing.of_class("torch.nn.Module")

    def _without_init(self) -> RuntimeError:
        # PyTorch raises an AttributeError, which `hasattr`, and `getattr` with a default, would hide.
        return RuntimeError(
            f"{type(self).__name__}: super().__init__() was not called; call it first in {type(self).__name__}.__init__"
        )

    def _registered(self) -> dict[str, builtins.type]:
        """Return `_kinds`. Raises a RuntimeError if `Module.__init__` was not called."""
        if "_kinds" not in self.__dict__:
            raise self._without_init()
        return self._kinds

    def __setattr__(self, name: str, value: Any) -> None:
        kind = Parameter if isinstance(value, Parameter) else Module if isinstance(value, Module) else None
        kinds = self._registered() if kind else vars(self).get("_kinds", {})
        place = kinds.get(name)
        if kind is Parameter or (kind is Module and place is not Parameter):
            if place is not kind:
                self._forget(name)
                kinds[name] = kind
        elif place is not None and not isinstance(value, place | None):
            what = "buffer, which holds a Tensor" if place is Tensor else place.__name__
            raise TypeError(
                f"{type(self).__name__}: {name} is a {what}, and a {type(value).__name__} is not; make one of it, or "
                f"delete {name} first"
            )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        self._forget(name)

    def _forget(self, name: str) -> None:
        """Drop what is known of an attribute, because it is deleted or becomes another kind."""
        self._registered().pop(name, None)
        self._transient.discard(name)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Set an attribute to a Tensor that is not trained (`torch.nn.Module.register_buffer`).

        It is part of the state dict only if `persistent` is true. Raises a TypeError for anything but a Tensor or None,
        and a KeyError if the name is empty, has a dot, or is that of another attribute.
        """
        flag_of("register_buffer", "persistent", persistent)
        self._register("register_buffer", name, tensor, Tensor)
        self._transient.discard(name)
        if not persistent:
            self._transient.add(name)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Set an attribute to a Parameter, or to None where only a Parameter may follow.

        The errors are those of `register_buffer` (`torch.nn.Module.register_parameter`).
        """
        self._register("register_parameter", name, param, Parameter)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Set an attribute to a Module, or to None where only a Module may follow.

        The errors are those of `register_buffer` (`torch.nn.Module.add_module`).
        """
        self._register("add_module", name, module, Module)

    register_module = add_module

    def _register(self, function: str, name: str, value: Any, kind: builtins.type) -> None:
        kinds = self._registered()
        if not isinstance(name, str) or not isinstance(value, kind | None):
            given = f"{type(name).__name__} and {type(value).__name__}"
            raise TypeError(f"{function}: expected a name and a {kind.__name__} or None, got {given}")
        if not name or "." in name:
            raise KeyError(f"{function}: the name must not be empty and must not have a dot, got {name!r}")
        if hasattr(self, name) and kinds.get(name) is not kind:
            raise KeyError(f"{function}: {type(self).__name__} has an attribute {name!r} already; use another name")
        kinds[name] = kind
        super().__setattr__(name, value)

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """Yield the direct child Modules, each once, with the names of their attributes."""
        return _each_once(self._parts())

    def _direct(self, kind: builtins.type) -> list[tuple[str, Any]]:
        """Return the attributes of a kind that are not None, with their names, in the order of assignment."""
        values = vars(self)
        named = [(name, values.get(name)) for name, place in self._registered().items() if place is kind]
        return [pair for pair in named if pair[1] is not None]

    def _parts(self) -> list[tuple[str, "Module"]]:
        return self._direct(Module)

    def children(self) -> Iterator["Module"]:
        """Yield the direct child Modules."""
        return (child for _, child in self.named_children())

    def named_modules(
        self, memo: set["Module"] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, "Module"]]:
        """Yield this Module as `prefix` and all Modules inside, each once, with their dotted names.

        Modules in `memo` are left out. Without `remove_duplicate`, a Module that has several names is repeated
        (`torch.nn.Module.named_modules`).
        """
        flag_of("named_modules", "remove_duplicate", remove_duplicate)
        _check_kind("named_modules", "memo", memo, set | None)
        _check_kind("named_modules", "prefix", prefix, str)
        for name, module in self._walk(set() if memo is None else memo, again=not remove_duplicate):
            yield ".".join(filter(None, (prefix, name))), module

    def _walk(self, entered: set["Module"], again: bool) -> Iterator[tuple[str, "Module"]]:
        """Yield this Module as "" and all Modules inside, with dotted names, unless they are in `entered`.

        With `again`, a Module that has several names is repeated for each; it is never repeated inside itself.
        """
        if self in entered:
            return
        entered.add(self)
        yield "", self
        for name, child in self._parts():
            for inner, module in child._walk(entered, again):
                yield f"{name}.{inner}" if inner else name, module
        if again:
            entered.remove(self)

    def modules(self) -> Iterator["Module"]:
        """Yield this Module and all Modules inside."""
        return (module for _, module in self.named_modules())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the Parameters of this Module and of all Modules inside, each once, with their dotted names.

        Without `recurse`, only those of this Module; without `remove_duplicate`, each as often as it has names
        (`torch.nn.Module.named_parameters`).
        """
        return self._named_tensors("named_parameters", Module._direct_parameters, prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the Parameters of this Module and, with `recurse`, of all inside (`torch.nn.Module.parameters`)."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers of this Module and of all Modules inside, with the arguments of `named_parameters`."""
        return self._named_tensors("named_buffers", Module._direct_buffers, prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this Module and, with `recurse`, of all Modules inside (`torch.nn.Module.buffers`)."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named_tensors(
        self,
        function: str,
        direct: Callable[["Module"], Iterable[tuple[str, Any]]],
        prefix: str,
        recurse: bool,
        remove_duplicate: bool,
    ) -> Iterator[tuple[str, Any]]:
        flag_of(function, "recurse", recurse)
        flag_of(function, "remove_duplicate", remove_duplicate)
        _check_kind(function, "prefix", prefix, str)
        places = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        named = _with_names(places, direct)
        return _each_once(named) if remove_duplicate else named

    def get_submodule(self, target: str) -> "Module":
        """Return the Module with a dotted name, this Module for "" (`torch.nn.Module.get_submodule`).

        Raises an AttributeError if there is none.
        """
        _check_kind("get_submodule", "target", target, str)
        module: Any = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"{self._get_name()}: {name} in {target!r} is no Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Return the Parameter with a dotted name (`torch.nn.Module.get_parameter`). The errors are the same."""
        return self._tensor_at(target, Parameter)

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer with a dotted name (`torch.nn.Module.get_buffer`). The errors are the same."""
        return self._tensor_at(target, Tensor)

    def _tensor_at(self, target: str, kind: builtins.type) -> Any:
        _check_kind("get_buffer" if kind is Tensor else "get_parameter", "target", target, str)
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        tensor = getattr(owner, name)
        if owner._kinds.get(name) is not kind or tensor is None:
            raise AttributeError(f"{self._get_name()}: {target!r} is no {'buffer' if kind is Tensor else 'Parameter'}")
        return tensor

    def set_submodule(self, target: str, module: "Module", strict: bool = False) -> None:
        """Put a Module in the place of a dotted name (`torch.nn.Module.set_submodule`).

        With `strict`, there must be a Module already. Raises an AttributeError if the place is not that of a Module,
        and a ValueError if the name is empty or `module` is no Module.
        """
        _check_kind("set_submodule", "target", target, str)
        if not target or not isinstance(module, Module):
            raise ValueError(f"set_submodule: expected a name and a Module, got {target!r} and {type(module).__name__}")
        flag_of("set_submodule", "strict", strict)
        path, _, name = target.rpartition(".")
        owner = self.get_submodule(path)
        if strict or hasattr(owner, name):
            self.get_submodule(target)
        setattr(owner, name, module)

    def state_dict(
        self, *, destination: dict[str, Tensor] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Tensor]:
        """Return the Parameters and persistent buffers by dotted name (`torch.nn.Module.state_dict`).

        The Tensors are constants that share the memory of the Module; with `keep_vars` they are the Parameters and
        buffers themselves. A Tensor that has several names is repeated for each, but a Module that contains itself is
        not repeated inside itself. The names start with `prefix`. If `destination` is given, they are added to it.
        """
        flag_of("state_dict", "keep_vars", keep_vars)
        _check_kind("state_dict", "destination", destination, dict | None)
        _check_kind("state_dict", "prefix", prefix, str)
        state = {} if destination is None else destination
        for name, tensor in _with_names(self._walk(set(), again=True), Module._direct_state):
            state[prefix + name] = tensor if keep_vars else tensor.detach()
        return state

    def _direct_parameters(self) -> list[tuple[str, Parameter]]:
        return self._direct(Parameter)

    def _direct_buffers(self) -> list[tuple[str, Tensor]]:
        return self._direct(Tensor)

    def _direct_state(self) -> list[tuple[str, Tensor]]:
        persistent = [(name, x) for name, x in self._direct_buffers() if name not in self._transient]
        return [*self._direct_parameters(), *persistent]

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> LoadedKeys:
        """Copy the values of a state dict into Parameters and buffers (`torch.nn.Module.load_state_dict`).

        A value is a Tensor, an array or anything else that numpy converts to an array of numbers. With `assign`, it
        takes the place of the Parameter or buffer, with its dtype. Raises a RuntimeError if a value does not hold
        numbers, if a shape differs, if the memory is read-only, or if `strict` and a name is missing or unknown. Then
        nothing is changed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict of names and Tensors, got {type(state_dict).__name__}")
        flag_of("load_state_dict", "strict", strict)
        flag_of("load_state_dict", "assign", assign)
        expected = self.state_dict()
        given = {name: _numbers(name, value) for name, value in state_dict.items()}
        missing = [name for name in expected if name not in given]
        keys = LoadedKeys(missing, [name for name in given if name not in expected])
        faults = [f"{name} is missing" for name in keys.missing_keys if strict]
        faults += [f"{name} is unknown" for name in keys.unexpected_keys if strict]
        targets = {name: tensor.array for name, tensor in expected.items() if name in given}
        faults += [
            f"{name} has shape {given[name].shape} instead of {array.shape}"
            for name, array in targets.items()
            if given[name].shape != array.shape
        ]
        faults += [
            f"{name} is read-only; copy it into memory of its own first"
            for name, array in targets.items()
            if not (array.flags.writeable or assign)
        ]
        if faults:
            raise RuntimeError(f"load_state_dict: {type(self).__name__}: {'; '.join(faults)}")
        if assign:
            self._assign({name: _tensor_of(state_dict[name], given[name]) for name in targets})
            return keys
        with np.errstate(invalid="ignore", over="ignore"):  # a NaN for an integer becomes one, as in PyTorch
            converted = {name: given[name].astype(array.dtype, copy=False) for name, array in targets.items()}
        for name, array in targets.items():  # from here on nothing can fail
            array[...] = converted[name]
            bump_version("load_state_dict", array)
        return keys

    def _assign(self, state: Mapping[str, Tensor]) -> None:
        """Put Tensors in the places of the Parameters and buffers of dotted names."""
        places = []
        for name, tensor in state.items():
            path, _, attribute = name.rpartition(".")
            owner = self.get_submodule(path)
            old = getattr(owner, attribute)
            if isinstance(old, Parameter):
                tensor = tensor if isinstance(tensor, Parameter) else Parameter(tensor, old.requires_grad)
            places.append((owner, attribute, tensor, old.requires_grad))
        for owner, attribute, tensor, requires_grad in places:  # from here on nothing can fail
            if isinstance(tensor, Parameter):
                tensor.requires_grad_(requires_grad)
            setattr(owner, attribute, tensor)

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call `fn` with all Modules inside, then with this one, and return this Module (`torch.nn.Module.apply`).

        Raises a TypeError if `fn` cannot be called.
        """
        if not callable(fn):
            raise TypeError(f"apply: expected a function of a Module, got {type(fn).__name__}")
        self._apply(fn, set())
        return self

    def _apply(self, fn: Callable[["Module"], Any], entered: set["Module"]) -> None:
        """Call `fn` with the Modules inside that are not in `entered`, then with this one."""
        entered.add(self)
        for child in self.children():
            if child not in entered:
                child._apply(fn, entered)
        entered.remove(self)
        fn(self)

    def to(self, *target: Any, dtype: DType = None, device: Any = None) -> Self:
        """Convert the floating Parameters and buffers, as `Tensor.to` does, and return the Module."""
        kind = wrap(np.zeros(0, np.float32)).to(*target, dtype=dtype, device=device, copy=True)
        if kind.array.dtype.kind != "f":
            raise TypeError(f"to: expected a floating dtype, not {kind.array.dtype}")
        return self._convert(kind.array.dtype)

    def _convert(self, dtype: Any) -> Self:
        """Convert the floating Parameters, their gradients, and the floating buffers."""
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.array.dtype.kind == "f":
                grad = tensor.grad
                tensor.data = tensor.data.to(dtype)
                if grad is not None:
                    grad.data = grad.data.to(dtype)
        return self

    def float(self) -> Self:
        """Convert the floating Parameters and buffers to float32, and return the Module (`torch.nn.Module.float`)."""
        return self._convert(np.float32)

    def double(self) -> Self:
        """Convert the floating Parameters and buffers to float64, and return the Module (`torch.nn.Module.double`)."""
        return self._convert(np.float64)

    def half(self) -> Self:
        """Convert the floating Parameters and buffers to float16, and return the Module (`torch.nn.Module.half`)."""
        return self._convert(np.float16)

    def type(self, dst_type: DType) -> Self:
        """Convert all Parameters and buffers, and return the Module (`torch.nn.Module.type`).

        Raises a RuntimeError if there are Parameters and the dtype is not floating.
        """
        kind = number_dtype("type", dst_type)
        if kind.kind != "f" and any(True for _ in self.parameters()):
            raise RuntimeError(f"type: Parameters need a floating dtype, not {kind}")
        for buffer in self.buffers():
            buffer.data = buffer.data.to(kind)
        return self._convert(kind) if kind.kind == "f" else self

    def cpu(self) -> Self:
        """Return the Module, which is on the CPU already (`torch.nn.Module.cpu`)."""
        return self

    def cuda(self, device: Any = None) -> Self:
        """Raise a RuntimeError: there is no other device than the CPU (`torch.nn.Module.cuda`)."""
        Device("cuda")
        return self

    def share_memory(self) -> Self:
        """Return the Module; there is nothing to share with other processes (`torch.nn.Module.share_memory`)."""
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether all Parameters require gradients, and return the Module."""
        flag_of("requires_grad_", "requires_grad", requires_grad)
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the training mode of this Module and all Modules inside, and return it (`torch.nn.Module.train`).

        A Module inside whose class has a `train` of its own does this itself. Raises a ValueError if `mode` is not a
        bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, got {shown(mode)}")
        pending: list[Module] = [self]
        entered = set()
        while pending:
            module = pending.pop()
            if module in entered:
                continue
            entered.add(module)
            if module is not self and type(module).train is not Module.train:
                module.train(mode)
            else:
                module.training = mode
                pending += reversed([*module.children()])
        return self

    def eval(self) -> Self:
        """Set the eval mode of this Module and all Modules inside, and return it (`torch.nn.Module.eval`)."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all Parameters to None, or to zeros (`torch.nn.Module.zero_grad`)."""
        flag_of("zero_grad", "set_to_none", set_to_none)
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each forward (`torch.nn.Module.register_forward_pre_hook`).

        What it returns, unless it is None, takes the place of the arguments. With `with_kwargs`, it gets the keyword
        arguments too, and returns both. With `prepend`, it comes before the other hooks. Raises a TypeError if it
        cannot be called.
        """
        hooks = self._own_hooks()[0]
        return registered("register_forward_pre_hook", hooks, hook, prepend, with_kwargs=with_kwargs)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, result)` after each forward (`torch.nn.Module.register_forward_hook`).

        What it returns, unless it is None, takes the place of the result. With `with_kwargs`, it gets the keyword
        arguments after `args`. With `always_call`, it is called after an error, too.
        """
        flags = {"with_kwargs": with_kwargs, "always_call": always_call}
        return registered("register_forward_hook", self._own_hooks()[1], hook, prepend, **flags)

    def _own_hooks(self) -> tuple[dict[int, Hook], dict[int, Hook]]:
        """Return the hooks before and after `forward`. A Module without hooks has no such attribute."""
        self._registered()
        hooks: tuple[dict[int, Hook], dict[int, Hook]] = vars(self).setdefault("_hooks", ({}, {}))
        return hooks

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """Return the text between the brackets of the repr."""
        return ""

    @reprlib.recursive_repr()  # a Module inside itself is "..."
    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [f"({place}): {text}".replace("\n", "\n  ") for place, text in self._described()]
        if lines or "\n" in extra:
            extra = "\n  ".join(["", *extra.splitlines(), *lines]) + "\n"
        return f"{self._get_name()}({extra})"

    def _described(self) -> Iterator[tuple[str, str]]:
        return ((name, repr(child)) for name, child in self._parts())


def _check_kind(function: str, argument: str, value: Any, kind: type | UnionType) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{function}: {argument} must be a {getattr(kind, '__name__', kind)}, got {shown(value)}")


def _with_names(
    places: Iterable[tuple[str, Module]], direct: Callable[[Module], Iterable[tuple[str, Any]]]
) -> Iterator[tuple[str, Any]]:
    """Yield what `direct` returns for each Module, with the names of the Modules before those of the Tensors."""
    for prefix, module in places:
        for name, tensor in direct(module):
            yield f"{prefix}.{name}" if prefix else name, tensor


def _numbers(name: str, value: Any) -> np.ndarray:
    """Return the array of an entry of a state dict. Raises a RuntimeError if it does not hold numbers."""
    try:
        value = value.detach() if hasattr(value, "detach") else value  # PyTorch's own need this, too
        array = np.asarray(getattr(value, "array", value))
        category(array.dtype)
    except (ValueError, TypeError):
        raise RuntimeError(f"load_state_dict: {shown(name)} must hold numbers, got {shown(value)}") from None
    return array


def _tensor_of(value: Any, array: np.ndarray) -> Tensor:
    return value if isinstance(value, Tensor) else wrap(array)


def _each_once(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the pairs of a name and an object, without repeats of an object."""
    seen = set()
    for name, thing in named:
        if thing not in seen:
            seen.add(thing)
            yield name, thing
