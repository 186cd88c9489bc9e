"""The base classes of layers and models: Parameter, Module, Sequential and ModuleList, with PyTorch's names.

They find parameters, name them and move state in and out; no computation of a layer is here.
"""

import itertools
import reprlib
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.api import missing
from minigrad.api.arguments import array_of
from minigrad.checks import flag_of, members_of, shown
from minigrad.core.dtypes import DType
from minigrad.core.modes import current_scope, enter_scope, leave_scope
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version
from minigrad.scopes import Scope


class Parameter(Tensor):
    """A Tensor that a Module trains (`torch.nn.Parameter`).

    It requires a gradient, and it shares the memory of `data`.

    >>> import minigrad
    >>> Parameter(minigrad.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        flag_of("Parameter", "requires_grad", requires_grad)
        self.array, self.stored_node, self.base = array_of("Parameter", data), None, None
        self.requires_grad = requires_grad

    def __deepcopy__(self, memo: dict[int, Any]) -> "Parameter":
        """Return a copy without the gradient, as PyTorch does for Parameters."""
        memo[id(self)] = twin = type(self)(self.data.clone(), self.requires_grad)
        if self.name is not None:
            twin.name = self.name
        return twin

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Set the gradient of a parameter to None, or fill it with zeros."""
    if set_to_none:
        node = parameter.node
        if node is not None:
            node.grad = None
    elif parameter.grad is not None:
        parameter.grad.data.zero_()


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
    _kinds: dict[str, type]  # Parameter, Module, or Tensor for a buffer: of attributes, in the order of assignment
    _transient: set[str]  # the names of buffers that are not part of the state dict

    def __init__(self) -> None:
        self._kinds, self._transient, self.training = {}, set(), True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_kinds" not in self.__dict__:
            raise self._without_init()
        # Scope(...) would do the same, but takes twice as long.
        before = enter_scope(tuple.__new__(Scope, (weakref.ref(self), type(self), current_scope())))
        try:
            return self.forward(*args, **kwargs)
        finally:
            leave_scope(before)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result of the Module; a subclass defines this."""
        raise NotImplementedError(f"{type(self).__name__}: defines no forward; a subclass must define it")

    __getattr__ = missing.of_class(
        "torch.nn.Module",
        {
            "cpu": "model itself: minigrad computes on the CPU",
            "cuda": "model itself: minigrad computes on the CPU",
            "double": "model.to(minigrad.float64)",
            "float": "model.to(minigrad.float32)",
            "half": "model.to(minigrad.float16)",
        },
    )

    def _without_init(self) -> RuntimeError:
        # PyTorch raises an AttributeError, which `hasattr`, and `getattr` with a default, would hide.
        return RuntimeError(
            f"{type(self).__name__}: super().__init__() was not called; call it first in {type(self).__name__}.__init__"
        )

    def _registered(self) -> dict[str, type]:
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

    def _register(self, function: str, name: str, value: Any, kind: type) -> None:
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

    def _direct(self, kind: type) -> list[tuple[str, Any]]:
        """Return the attributes of a kind that are not None, with their names, in the order of assignment."""
        values = vars(self)
        named = [(name, values.get(name)) for name, place in self._registered().items() if place is kind]
        return [pair for pair in named if pair[1] is not None]

    def _parts(self) -> list[tuple[str, "Module"]]:
        return self._direct(Module)

    def children(self) -> Iterator["Module"]:
        """Yield the direct child Modules."""
        return (child for _, child in self.named_children())

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """Yield this Module as "" and all Modules inside, each once, with their dotted names."""
        return self._walk(set(), again=False)

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

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield the Parameters of this Module and of all Modules inside, each once, with their dotted names."""
        return _each_once(_named_tensors(self.named_modules(), Module._direct_parameters))

    def parameters(self) -> Iterator[Parameter]:
        """Yield the Parameters of this Module and of all Modules inside (`torch.nn.Module.parameters`)."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers of this Module and of all Modules inside, each once, with their dotted names."""
        return _each_once(_named_tensors(self.named_modules(), Module._direct_buffers))

    def buffers(self) -> Iterator[Tensor]:
        """Yield the buffers of this Module and of all Modules inside."""
        return (buffer for _, buffer in self.named_buffers())

    def state_dict(self) -> dict[str, Tensor]:
        """Return the Parameters and persistent buffers by dotted name (`torch.nn.Module.state_dict`).

        The Tensors are constants that share the memory of the Module. A Tensor that has several names is repeated for
        each, but a Module that contains itself is not repeated inside itself.
        """
        places = self._walk(set(), again=True)
        return {name: tensor.detach() for name, tensor in _named_tensors(places, Module._direct_state)}

    def _direct_parameters(self) -> list[tuple[str, Parameter]]:
        return self._direct(Parameter)

    def _direct_buffers(self) -> list[tuple[str, Tensor]]:
        return self._direct(Tensor)

    def _direct_state(self) -> list[tuple[str, Tensor]]:
        persistent = [(name, x) for name, x in self._direct_buffers() if name not in self._transient]
        return [*self._direct_parameters(), *persistent]

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Copy the values of a state dict into Parameters and buffers (`torch.nn.Module.load_state_dict`).

        A value is a Tensor, an array or anything else that numpy converts to an array. Raises a RuntimeError if a shape
        differs, or if `strict` and a name is missing or unknown; then nothing is copied.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict of names and Tensors, got {type(state_dict).__name__}")
        flag_of("load_state_dict", "strict", strict)
        expected = self.state_dict()
        given = {name: _numbers(name, value) for name, value in state_dict.items()}
        missing = [name for name in expected if name not in given]
        keys = LoadedKeys(missing, [name for name in given if name not in expected])
        faults = [f"{name} is missing" for name in keys.missing_keys if strict]
        faults += [f"{name} is unknown" for name in keys.unexpected_keys if strict]
        faults += [
            f"{name} has shape {given[name].shape} instead of {tensor.array.shape}"
            for name, tensor in expected.items()
            if name in given and given[name].shape != tensor.array.shape
        ]
        if faults:
            raise RuntimeError(f"load_state_dict: {type(self).__name__}: {'; '.join(faults)}")
        for name, tensor in expected.items():
            if name in given:
                tensor.array[...] = given[name]
                bump_version("load_state_dict", tensor.array)
        return keys

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
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.array.dtype.kind == "f":
                tensor.data = tensor.data.to(*target, dtype=dtype, device=device)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether all Parameters require gradients, and return the Module."""
        flag_of("requires_grad_", "requires_grad", requires_grad)
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the training mode of this Module and all Modules inside, and return it (`torch.nn.Module.train`).

        Raises a ValueError if `mode` is not a bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, got {shown(mode)}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set the eval mode of this Module and all Modules inside, and return it (`torch.nn.Module.eval`)."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all Parameters to None, or to zeros (`torch.nn.Module.zero_grad`)."""
        flag_of("zero_grad", "set_to_none", set_to_none)
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    def extra_repr(self) -> str:
        """Return the text between the brackets of the repr."""
        return ""

    @reprlib.recursive_repr()  # a Module inside itself is "..."
    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = [f"({place}): {text}".replace("\n", "\n  ") for place, text in self._described()]
        if lines:
            extra = "\n  ".join(["", *extra.splitlines(), *lines]) + "\n"
        return f"{type(self).__name__}({extra})"

    def _described(self) -> Iterator[tuple[str, str]]:
        return ((name, repr(child)) for name, child in self._parts())


def _named_tensors(
    places: Iterable[tuple[str, Module]], direct: Callable[[Module], Iterable[tuple[str, Any]]]
) -> Iterator[tuple[str, Any]]:
    """Yield what `direct` returns for each Module, with the names of the Modules before those of the Tensors."""
    for prefix, module in places:
        for name, tensor in direct(module):
            yield f"{prefix}.{name}" if prefix else name, tensor


def _numbers(name: str, value: Any) -> np.ndarray:
    """Return the array of an entry of a state dict. Raises a RuntimeError if it does not hold numbers."""
    try:
        array = np.asarray(getattr(value, "array", value))
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "biuf":
        raise RuntimeError(f"load_state_dict: {shown(name)} must hold numbers, got {shown(value)}")
    return array


def _each_once(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the pairs of a name and an object, without repeats of an object."""
    seen = set()
    for name, thing in named:
        if thing not in seen:
            seen.add(thing)
            yield name, thing


class Numbered(Module):
    """A Module whose children have the names "0", "1", and so on."""

    def append(self, module: Module) -> Self:
        """Add a Module at the end, and return this Module."""
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: a {type(module).__name__} is no Module; Sequential takes a list as *modules"
            )
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add Modules at the end, and return this Module."""
        for module in members_of(type(self).__name__, "Modules (a list of them as *modules)", Module, modules):
            self.append(module)
        return self

    def _at(self, i: int | slice) -> Any:
        """Return the Module at a place, or the list of those in a slice."""
        try:
            return [*self][i]
        except (TypeError, IndexError) as error:
            what = f"{shown(i)} is not a place or a slice of its {len(self)} Modules"
            raise type(error)(f"{type(self).__name__}: {what}") from None

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[Module]:
        return iter([module for _, module in self._parts()])


class Sequential(Numbered):
    """Modules that are applied one after the other (`torch.nn.Sequential`).

    They are numbered, or they have the names in an OrderedDict.
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], OrderedDict):
            for name, module in modules[0].items():
                self.add_module(name, module)
        else:
            self.extend(modules)

    def forward(self, input: Any) -> Any:
        """Return the result of the last Module."""
        for module in self:
            input = module(input)
        return input

    def __getitem__(self, i: int | slice) -> Module:
        chosen = self._at(i)
        return Sequential(OrderedDict(self._parts()[i])) if isinstance(i, slice) else chosen


class ModuleList(Numbered):
    """A list of Modules, which the Module that contains it calls (`torch.nn.ModuleList`)."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __getitem__(self, i: int | slice) -> Module:
        chosen = self._at(i)
        return ModuleList(chosen) if isinstance(chosen, list) else chosen

    def _described(self) -> Iterator[tuple[str, str]]:
        """Yield the texts of the Modules; equal neighbors share one line."""
        first = 0
        for text, group in itertools.groupby(map(repr, self)):
            end = first + len([*group])
            yield (str(first), text) if end == first + 1 else (f"{first}-{end - 1}", f"{end - first} x {text}")
            first = end
