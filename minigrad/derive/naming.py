"""Names for the nodes, Values and arrays of a graph: from the variables that hold them, and from modules."""

import keyword
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.core.record import Node
from minigrad.core.tensor import Tensor
from minigrad.core.value import Value

Key = int | None
Names = dict[Key, str]


def key(thing: Any) -> Key:
    """What identifies a thing: the id of its node, Value or array.

    It is None for a number. An array without dims counts as a number too, because numbers may have become such arrays.
    """
    if isinstance(thing, Tensor):
        thing = thing.array
    elif isinstance(thing, np.ndarray) and not thing.ndim:
        return None
    return id(thing) if isinstance(thing, Node | Value | np.ndarray) else None


def variables(names: Mapping[str, Any]) -> Names:
    """Name things after the variables that hold them. The first name counts; private names do not."""
    found: Names = {}
    for name, thing in names.items():
        if isinstance(name, str) and not name.startswith("_"):
            for each in keys(thing):
                found.setdefault(each, name)
    return found


def states(modules: Iterable[Any]) -> Names:
    """Name the parameters and buffers of modules as the modules do."""
    state: Names = {}
    for module in {id(module): module for module in modules}.values():
        if hasattr(type(module), "named_parameters"):
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
                state |= dict.fromkeys(keys(tensor), name)
    return state


def keys(thing: Any) -> list[Key]:
    """All keys of what a variable holds. A Tensor has two: that of its array and that of its node."""
    if isinstance(thing, Tensor | Value | np.ndarray):
        return [key(thing), *([key(thing.node)] if isinstance(thing, Tensor) and thing.node is not None else ())]
    return [id(thing)] if hasattr(type(thing), "named_parameters") else []


def identifier(label: str) -> str:
    """A valid Python name that looks like `label`."""
    letters = unicodedata.normalize("NFKC", label)  # Python normalises names in the same way
    name = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in letters)
    is_free = name.isidentifier() and not keyword.iskeyword(name) and name != "__debug__"  # a constant of Python
    return name if is_free else f"_{name}"


def unused(name: str, taken: Collection[str]) -> str:
    """The first of `name`, `name_2`, `name_3`, ... that is not taken."""
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}_{count}"
    return free
