"""Modules that hold others: Sequential applies them, lists and dicts keep them for the Module that contains them.

The children of lists have the names "0", "1", and so on, as in PyTorch; so state dicts fit both libraries.
"""

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from minigrad.checks import int_of, members_of, shown
from minigrad.core.tensor import Tensor

from .module import Module
from .parameter import Parameter


class Numbered(Module):
    """A Module whose children have the names "0", "1", and so on."""

    def __getitem__(self, i: int | slice) -> Any:
        return self._at(i)

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

    def insert(self, index: int, module: Module) -> Self:
        """Add a Module before the place `index`, and return this Module. Raises an IndexError for no place."""
        if not -len(self) <= int_of(type(self).__name__, index) <= len(self):
            raise IndexError(f"{type(self).__name__}: {index} is not a place among its {len(self)} Modules")
        modules = [*self]
        modules.insert(index, module)
        return self._hold(modules)

    def pop(self, key: int | slice) -> Any:
        """Take away a Module, or those in a slice, and return it."""
        removed = self[key]
        del self[key]
        return removed

    def _hold(self, modules: Iterable[Module]) -> Self:
        """Hold these Modules, numbered anew, in place of what there was."""
        modules = [*modules]
        for name, _ in self._parts():
            delattr(self, name)
        return self.extend(modules)

    def __setitem__(self, i: int, module: Module) -> None:
        self._at(int_of(type(self).__name__, i))
        setattr(self, self._parts()[i][0], module)

    def __delitem__(self, i: int | slice) -> None:
        self._at(i)
        modules = [*self]
        del modules[i]
        self._hold(modules)

    def __add__(self, other: Iterable[Module]) -> Self:
        return type(self)().extend(self).extend(other)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)

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

    def __getitem__(self, i: int | slice) -> Any:
        chosen = self._at(i)
        return Sequential(OrderedDict(self._parts()[i])) if isinstance(i, slice) else chosen


class ModuleList(Numbered):
    """A list of Modules, which the Module that contains it calls (`torch.nn.ModuleList`)."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def __getitem__(self, i: int | slice) -> Any:
        chosen = self._at(i)
        return ModuleList(chosen) if isinstance(chosen, list) else chosen

    def _described(self) -> Iterator[tuple[str, str]]:
        """Yield the texts of the Modules; equal neighbors share one line."""
        first = 0
        for text, group in itertools.groupby(map(repr, self)):
            end = first + len([*group])
            yield (str(first), text) if end == first + 1 else (f"{first}-{end - 1}", f"{end - first} x {text}")
            first = end


def _pairs(kind: str, things: Any) -> list[tuple[str, Any]]:
    """Return the pairs of a dict, of a Module with items, or of an iterable of pairs. Raises a TypeError for others."""
    try:
        pairs = [*(things.items() if hasattr(things, "items") else things)]
        return [(name, thing) for name, thing in pairs]
    except (TypeError, ValueError):
        raise TypeError(f"{kind}: expected a dict or pairs of names and members, got {shown(things)}") from None


class ModuleDict(Module):
    """A dict of Modules, which the Module that contains it calls (`torch.nn.ModuleDict`).

    >>> ModuleDict({"first": Module()})["first"]
    Module()
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return dict(self._parts())[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._parts())

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def keys(self) -> Any:
        """Return the names."""
        return dict(self._parts()).keys()

    def items(self) -> Any:
        """Return the pairs of names and Modules."""
        return dict(self._parts()).items()

    def values(self) -> Any:
        """Return the Modules."""
        return dict(self._parts()).values()

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add the Modules of a dict, or of pairs of names and Modules. Raises a TypeError for anything else."""
        for key, module in _pairs("ModuleDict", modules):
            self[key] = module

    def pop(self, key: str) -> Module:
        """Take away a Module and return it. Raises a KeyError if there is none."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take away all Modules."""
        for key in self.keys():
            del self[key]


class _Values(Module):
    """A Module that holds Parameters, and perhaps other values, by name. A Tensor becomes a Parameter."""

    def __init__(self) -> None:
        super().__init__()
        self._names: list[str] = []

    def _set(self, name: str, value: Any) -> None:
        is_plain = isinstance(value, Tensor) and not isinstance(value, Parameter)
        setattr(self, name, Parameter(value) if is_plain else value)
        if name not in self._names:
            self._names.append(name)

    def _drop(self, name: str) -> None:
        delattr(self, name)
        self._names.remove(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"{type(self).__name__}: holds values and computes nothing; index it")

    def __len__(self) -> int:
        return len(self._names)

    def extra_repr(self) -> str:
        """Return a line for each value."""
        return "\n".join(f"  ({name}): {self._shown(getattr(self, name))}" for name in self._names)

    def _shown(self, value: Any) -> str:
        if not isinstance(value, Tensor):
            return f"Object of type: {type(value).__name__}"
        return f"Parameter containing: [{self._kind(value)} of size {'x'.join(map(str, value.shape))}]"

    def _kind(self, parameter: Tensor) -> str:
        return repr(parameter.dtype)


class ParameterList(_Values):
    """A list of Parameters; Tensors in it become Parameters (`torch.nn.ParameterList`).

    >>> import minigrad
    >>> ParameterList([minigrad.ones(2, 3)])
    ParameterList(  (0): Parameter containing: [torch.float32 of size 2x3])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _at(self, i: int) -> str:
        try:
            return self._names[i]
        except (TypeError, IndexError) as error:
            what = f"{shown(i)} is not a place of its {len(self)} values"
            raise type(error)(f"{type(self).__name__}: {what}") from None

    def __getitem__(self, i: int | slice) -> Any:
        if isinstance(i, slice):
            return type(self)(getattr(self, name) for name in self._names[i])
        return getattr(self, self._at(i))

    def __setitem__(self, i: int, value: Any) -> None:
        self._set(self._at(i), value)

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, name) for name in self._names)

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def append(self, value: Any) -> Self:
        """Add a value at the end, and return this list."""
        self._set(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end, and return this list. Raises a TypeError for a Tensor, or what is no iterable."""
        if isinstance(values, Tensor) or not isinstance(values, Iterable):
            raise TypeError(f"ParameterList: expected an iterable of values, got {type(values).__name__}")
        for value in values:
            self.append(value)
        return self


class ParameterDict(_Values):
    """A dict of Parameters; Tensors in it become Parameters (`torch.nn.ParameterDict`).

    >>> import minigrad
    >>> ParameterDict({"w": minigrad.ones(2)})["w"].requires_grad
    True
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        if parameters is not None:
            self.update(parameters)

    def _checked(self, key: str) -> str:
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: expected a str as key, got {shown(key)}")
        return key

    def __getitem__(self, key: str) -> Any:
        if self._checked(key) not in self._names:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._set(self._checked(key), value)

    def __delitem__(self, key: str) -> None:
        self[key]
        self._drop(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def keys(self) -> Any:
        """Return the names."""
        return dict(self.items()).keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the pairs of names and values."""
        return [(name, getattr(self, name)) for name in self._names]

    def values(self) -> Iterable[Any]:
        """Return the values."""
        return [getattr(self, name) for name in self._names]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a name, or `default` if there is none."""
        return dict(self.items()).get(key, default)

    def update(self, parameters: Any) -> None:
        """Add the values of a dict, or of pairs of names and values. Raises a TypeError for anything else."""
        pairs = _pairs("ParameterDict", parameters)
        keeps_order = isinstance(parameters, OrderedDict | ParameterDict) or not isinstance(parameters, Mapping)
        for key, value in pairs if keeps_order else sorted(pairs, key=lambda pair: pair[0]):
            self[key] = value

    def pop(self, key: str) -> Any:
        """Take away a value and return it. Raises a KeyError if there is none."""
        value = self[key]
        del self[key]
        return value

    def clear(self) -> None:
        """Take away all values."""
        for key in [*self._names]:
            del self[key]

    def _kind(self, parameter: Tensor) -> str:
        names = {"float64": "Double", "float32": "Float", "float16": "Half"}
        return f"torch.{names[parameter.array.dtype.name]}Tensor"
