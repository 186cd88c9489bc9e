"""What a function can reach: the Tensors from outside of it, and the settings that its steps may depend on.

A compiled function holds for the settings with which it was recorded: the mode of a module, a number in a variable of
the file, the Tensor that an attribute holds. `Reach` finds them, and tells whether all are what they were.
"""

import operator
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from minigrad.core.tensor import Tensor

OURS = ("minigrad", "numpy", "torch")
PLAIN = (int, float, complex, str, bytes, type(None), type(...))
END = object()
LONG = 10_000  # items: of a longer list, only the length is looked at


class Reach:
    """The objects behind a function and other roots, and what they hold now.

    `tensors` and `arrays` are those that were found, with the names by which the function knows them.
    """

    def __init__(self, roots: Iterable[tuple[str, Any]]) -> None:
        self.tensors: dict[int, tuple[Tensor, str]] = {}
        self.arrays: dict[int, tuple[np.ndarray, str]] = {}
        self._dicts: list[dict[Any, Any]] = []
        self._lists: list[list[Any]] = []
        self._called: dict[int, str] = {}  # names of dicts and lists, by id
        self._cells: list[CellType] = []
        self._globals: list[tuple[dict[str, Any], str]] = []
        self._seen: dict[int, Any] = {}
        ahead = [*roots]
        while ahead:
            name, thing = ahead.pop()
            if id(thing) not in self._seen and not isinstance(thing, PLAIN):
                self._seen[id(thing)] = thing
                ahead += reversed([*self._within(name, thing)])
        self._values = [*self._now()]
        self._named = self._looked_up()

    def _within(self, name: str, thing: Any) -> Iterator[tuple[str, Any]]:
        """What a thing holds, with names. What changes is noted."""
        if isinstance(thing, Tensor):
            self.tensors[id(thing)] = thing, name
        elif isinstance(thing, np.ndarray):
            self.arrays[id(thing)] = thing, name
        elif isinstance(thing, FunctionType):
            if not _is_library(thing):
                yield from self._of_function(thing)
        elif isinstance(thing, MethodType):
            yield from ((name, thing.__self__), (name, thing.__func__))
        elif isinstance(thing, dict):
            self._dicts.append(thing)
            self._called[id(thing)] = name
            yield from ((f"{name}.{key}" if isinstance(key, str) else name, value) for key, value in thing.items())
        elif isinstance(thing, list):
            if len(thing) <= LONG:
                self._lists.append(thing)
                self._called[id(thing)] = name
                yield from ((f"{name}.{i}", part) for i, part in enumerate(thing))
        elif isinstance(thing, tuple | set | frozenset):
            yield from ((f"{name}.{i}", part) for i, part in enumerate(thing))
        elif not isinstance(thing, type | ModuleType | CodeType):
            yield from self._of_object(name, thing)

    def _of_function(self, function: FunctionType) -> Iterator[tuple[str, Any]]:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._cells.append(cell)
            yield name, _content(cell)
        for each in (function.__defaults__ or (), (function.__kwdefaults__ or {}).values()):
            yield from ((function.__name__, part) for part in each)
        space = function.__globals__
        for name in _names(function.__code__):
            if name in space:
                self._globals.append((space, name))
                thing = space[name]
                yield name, thing
                if isinstance(thing, ModuleType) and not _is_library(thing):
                    for inner in _names(function.__code__):
                        if inner in vars(thing):
                            self._globals.append((vars(thing), inner))
                            yield inner, vars(thing)[inner]
                elif isinstance(thing, type) and not _is_library(thing):
                    yield from self._of_class(thing)
        if hasattr(function, "__wrapped__"):
            yield function.__name__, function.__wrapped__

    def _of_object(self, name: str, thing: Any) -> Iterator[tuple[str, Any]]:
        kind = type(thing)
        attributes = getattr(thing, "__dict__", None)
        if hasattr(kind, "named_parameters") or not _is_library(kind):
            if isinstance(attributes, dict):
                self._dicts.append(attributes)
                self._called[id(attributes)] = name
                for attribute, value in attributes.items():
                    if attribute not in ("_kinds", "_transient"):
                        yield f"{name}.{attribute}", value
            for slot in chain.from_iterable(vars(each).get("__slots__", ()) for each in kind.__mro__):
                if hasattr(thing, slot):
                    yield f"{name}.{slot}", getattr(thing, slot)
            yield from self._of_class(kind)
        elif isinstance(attributes, dict) and kind.__module__ == "functools":  # such as a partial
            yield from ((name, part) for part in (thing.func, thing.args, thing.keywords))

    def _of_class(self, kind: type) -> Iterator[tuple[str, Any]]:
        for each in kind.__mro__:
            if not _is_library(each) and id(each) not in self._seen:
                self._seen[id(each)] = each
                for name, thing in vars(each).items():
                    if name in ("__dict__", "__weakref__", "__doc__", "__module__"):
                        continue
                    thing = getattr(thing, "__func__", getattr(thing, "fget", thing))
                    if isinstance(thing, FunctionType | Tensor | np.ndarray | list | dict):
                        yield name, thing

    # Whether it is what it was

    def _now(self) -> Iterator[Any]:
        attributes = chain.from_iterable(map(dict.values, self._dicts))
        return chain(attributes, chain.from_iterable(self._lists), map(_content, self._cells), (END,))

    def _looked_up(self) -> list[Any]:
        return [space.get(name) for space, name in self._globals]

    def is_unchanged(self) -> bool:
        """Whether all objects still hold what they held."""
        same = all(map(operator.is_, self._now(), self._values))  # END differs if one holds more
        return (same and all(map(operator.is_, self._looked_up(), self._named))) or self._is_equal()

    def _is_equal(self) -> bool:
        """Whether what has changed are numbers and texts that equal the ones before."""
        now, named = [*self._now()], self._looked_up()
        if len(now) != len(self._values):
            return False
        pairs = chain(zip(now, self._values, strict=True), zip(named, self._named, strict=True))
        return all(a is b or (type(a) is type(b) and isinstance(a, PLAIN) and a == b) for a, b in pairs)

    def change(self) -> str:
        """What has changed, for a message."""
        before = {*map(id, self._values)}
        for attributes in self._dicts:
            for name, value in attributes.items():
                if id(value) not in before:
                    return f"{self._called[id(attributes)]}.{name}".lstrip(".")
        for items in self._lists:
            if any(id(item) not in before for item in items):
                return f"items of {self._called[id(items)]}"
        for (space, name), thing in zip(self._globals, self._named, strict=True):
            if space.get(name) is not thing:
                return name
        return "a variable"


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None


def _names(code: CodeType) -> list[str]:
    """The names that a function looks up, also within the functions that it defines."""
    names = [*code.co_names]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names += _names(constant)
    return [*dict.fromkeys(names)]


def _is_library(thing: Any) -> bool:
    """Whether a function, class or module is of this project, of numpy or of Python: it does not change."""
    module = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None) or ""
    home = module.partition(".")[0]
    return home in OURS or (home in sys.stdlib_module_names and home != "__main__")
