"""Module: what layers and models are, with PyTorch's names for their parts and their parameters."""

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.api.arguments import array_of
from minigrad.core.dtypes import DType
from minigrad.core.modes import Scope, local
from minigrad.core.tensor import Tensor, wrap
from minigrad.core.versions import bump_version


class Parameter(Tensor):
    """A Tensor that a Module trains: it requires a gradient, and shares its data's memory (`torch.nn.Parameter`)."""

    __slots__ = ()

    def __init__(self, data: Tensor, requires_grad: bool = True) -> None:
        self.array, self.stored_node, self.base = array_of("Parameter", data), None, None
        self.requires_grad = requires_grad

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


def clear_grad(parameter: Tensor, set_to_none: bool) -> None:
    """Forget a gradient, or fill it with zeros."""
    if set_to_none:
        node = parameter.node
        if node is not None:
            node.grad = None
    elif parameter.grad is not None:
        parameter.grad.data.zero_()


class LoadedKeys(NamedTuple):
    """What `load_state_dict` returns: the names that it missed, and those that it has no place for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        keys = f"missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys}"
        return f"_IncompatibleKeys({keys})" if any(self) else "<All keys matched successfully>"


class Module:
    """A part of a model (`torch.nn.Module`): a subclass assigns its Parameters and Modules, and defines `forward`.

    `training` says in which of two modes it is: layers such as BatchNorm1d compute something else in each.
    """

    training = True
    _buffers: Mapping[str, bool] = {}  # their names, and whether they belong to the state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        mode = local.mode
        outer = mode.scope
        # As Scope(...) would, which takes twice as long.
        mode.scope = tuple.__new__(Scope, (weakref.ref(self), type(self), outer))
        try:
            return self.forward(*args, **kwargs)
        finally:
            mode.scope = outer

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the Module computes."""
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def __setattr__(self, name: str, value: Any) -> None:
        place = vars(self).get(name)
        for kind in (Parameter, Module):
            if isinstance(place, kind) and not isinstance(value, (kind, Parameter, type(None))):
                raise TypeError(
                    f"{type(self).__name__}: {name} is a {kind.__name__}, and a {type(value).__name__} is not; "
                    f"make one of it, or delete {name} first"
                )
        super().__setattr__(name, value)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Set a Tensor that is not trained as an attribute; unless `persistent` it does not belong to the state."""
        if not isinstance(name, str) or not isinstance(tensor, Tensor | None):
            raise TypeError(f"register_buffer: expected a name and a Tensor or None, got {name!r} and {tensor!r}")
        if hasattr(self, name) and name not in self._buffers:
            raise KeyError(f"register_buffer: {type(self).__name__} has an attribute {name!r} already")
        self._buffers = {**self._buffers, name: persistent}
        setattr(self, name, tensor)

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The Modules directly within, each once, with the names of their attributes."""
        return _each_once(self._parts())

    def _parts(self) -> list[tuple[str, "Module"]]:
        return [(name, part) for name, part in vars(self).items() if isinstance(part, Module)]

    def children(self) -> Iterator["Module"]:
        """The Modules directly within."""
        return (child for _, child in self.named_children())

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """This Module, as "", and all within, each once, with their dotted names."""
        return _each_once(self._named_places())

    def _named_places(self) -> Iterator[tuple[str, "Module"]]:
        """As `named_modules`, with a Module that stands in several places once for each."""
        yield "", self
        for name, child in self._parts():
            for inner, module in child._named_places():
                yield f"{name}.{inner}" if inner else name, module

    def modules(self) -> Iterator["Module"]:
        """This Module and all within."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The Parameters of this Module and of all within, each once, with their dotted names."""
        return _each_once(self._named_tensors(Module._own_parameters))

    def parameters(self) -> Iterator[Parameter]:
        """The Parameters of this Module and of all within."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The buffers of this Module and of all within, each once, with their dotted names."""
        return _each_once(self._named_tensors(Module._own_buffers))

    def buffers(self) -> Iterator[Tensor]:
        """The buffers of this Module and of all within."""
        return (buffer for _, buffer in self.named_buffers())

    def state_dict(self) -> dict[str, Tensor]:
        """The Parameters and persistent buffers by their dotted names, as constants that share their memory."""
        return {name: tensor.detach() for name, tensor in self._named_tensors(Module._own_state)}

    def _named_tensors(self, own: Callable[["Module"], Iterable[tuple[str, Any]]]) -> Iterator[tuple[str, Any]]:
        """What `own` gives of this Module and of all within, with dotted names, in every place where it stands."""
        for prefix, module in self._named_places():
            for name, tensor in own(module):
                yield f"{prefix}.{name}" if prefix else name, tensor

    def _own_parameters(self) -> list[tuple[str, Parameter]]:
        return [(name, x) for name, x in vars(self).items() if isinstance(x, Parameter)]

    def _own_buffers(self) -> list[tuple[str, Tensor]]:
        return [(name, getattr(self, name)) for name in self._buffers if getattr(self, name) is not None]

    def _own_state(self) -> list[tuple[str, Tensor]]:
        return [*self._own_parameters(), *((name, x) for name, x in self._own_buffers() if self._buffers[name])]

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Copy the numbers of a state dict into Parameters and buffers; its values are whatever numpy reads as arrays.

        RuntimeError, with nothing copied, where a shape differs, and if `strict` where a name is missing or unknown.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict: expected a dict of names and Tensors, got {type(state_dict).__name__}")
        own = self.state_dict()
        given = {name: np.asarray(getattr(value, "array", value)) for name, value in state_dict.items()}
        keys = LoadedKeys([name for name in own if name not in given], [name for name in given if name not in own])
        faults = [f"{name} is missing" for name in keys.missing_keys if strict]
        faults += [f"{name} is unknown" for name in keys.unexpected_keys if strict]
        faults += [
            f"{name} has shape {given[name].shape} instead of {tensor.array.shape}"
            for name, tensor in own.items()
            if name in given and given[name].shape != tensor.array.shape
        ]
        if faults:
            raise RuntimeError(f"load_state_dict: {type(self).__name__}: {'; '.join(faults)}")
        for name, tensor in own.items():
            if name in given:
                tensor.array[...] = given[name]
                bump_version("load_state_dict", tensor.array)
        return keys

    def apply(self, fn: Callable[["Module"], Any]) -> Self:
        """Call `fn` with all Modules within and then with this one, and return it."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *target: Any, dtype: DType = None, device: Any = None) -> Self:
        """Convert the Parameters and buffers of floating dtype, as `Tensor.to` does, and return the Module."""
        kind = wrap(np.zeros(0, np.float32)).to(*target, dtype=dtype, device=device, copy=True)
        if kind.array.dtype.kind != "f":
            raise TypeError(f"to: a Module takes floating dtypes, not {kind.array.dtype}")
        for tensor in [*self.parameters(), *self.buffers()]:
            if tensor.array.dtype.kind == "f":
                tensor.data = tensor.data.to(*target, dtype=dtype, device=device)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether the Parameters require gradients, and return the Module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the training mode, here and within, and return the Module. ValueError for what is no bool."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode must be True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Leave the training mode, here and within, and return the Module."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Set the gradients of all Parameters to None, or to zeros."""
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    def extra_repr(self) -> str:
        """What stands between the brackets of the Module's repr."""
        return ""

    def __repr__(self) -> str:
        lines = [f"({place}): {text}".replace("\n", "\n  ") for place, text in self._described()]
        inner = "\n  ".join(["", *lines]) + "\n" if lines else self.extra_repr()
        return f"{type(self).__name__}({inner})"

    def _described(self) -> Iterator[tuple[str, str]]:
        return ((name, repr(child)) for name, child in self._parts())


def _each_once(named: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The pairs of a name and a thing, without those whose thing has come before."""
    seen = set()
    for name, thing in named:
        if thing not in seen:
            seen.add(thing)
            yield name, thing


class Numbered(Module):
    """Modules in a row, named "0", "1", ..."""

    def append(self, module: Module) -> Self:
        """Add a Module at the end, and return the whole."""
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: a {type(module).__name__} is no Module; Sequential takes a list as *modules"
            )
        setattr(self, str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add Modules at the end, and return the whole."""
        for module in modules:
            self.append(module)
        return self

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[Module]:
        return iter([module for module in vars(self).values() if isinstance(module, Module)])


class Sequential(Numbered):
    """Modules applied one after the other, or those of an OrderedDict under their names (`torch.nn.Sequential`)."""

    def __init__(self, *modules: Any) -> None:
        if len(modules) == 1 and isinstance(modules[0], OrderedDict):
            for name, module in modules[0].items():
                setattr(self, name, module)
        else:
            self.extend(modules)

    def forward(self, input: Any) -> Any:
        """The last Module's result."""
        for module in self:
            input = module(input)
        return input

    def __getitem__(self, i: int | slice) -> Module:
        parts = self._parts()
        return Sequential(OrderedDict(parts[i])) if isinstance(i, slice) else parts[i][1]


class ModuleList(Numbered):
    """Modules in a list, each of which its owner calls (`torch.nn.ModuleList`)."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)

    def __getitem__(self, i: int | slice) -> Module:
        chosen = [*self][i]
        return ModuleList(chosen) if isinstance(chosen, list) else chosen

    def _described(self) -> Iterator[tuple[str, str]]:
        """Equal neighbours in one line."""
        first = 0
        for text, group in itertools.groupby(map(repr, self)):
            end = first + len([*group])
            yield (str(first), text) if end == first + 1 else (f"{first}-{end - 1}", f"{end - first} x {text}")
            first = end
