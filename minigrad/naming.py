"""What things are called: by the variables that hold them, and by the modules that they are parameters of."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.graph import Node
from minigrad.tensor import Tensor
from minigrad.value import Value

Key = int | None
Names = dict[Key, str]


def key(thing: Any) -> Key:
    """By what a thing is known again; nothing for a number, which may have become an array without dims."""
    if isinstance(thing, Tensor):
        thing = thing.array
    elif isinstance(thing, np.ndarray) and not thing.ndim:
        return None
    return id(thing) if isinstance(thing, Node | Value | np.ndarray) else None


def variables(names: Mapping[str, Any]) -> Names:
    """What to call things: as the first variable that holds them, if it is not private."""
    found: Names = {}
    for name, thing in names.items():
        if isinstance(name, str) and not name.startswith("_"):
            for each in keys(thing):
                found.setdefault(each, name)
    return found


def states(modules: Iterable[Any]) -> Names:
    """What modules call their parameters and buffers."""
    state: Names = {}
    for module in {id(module): module for module in modules}.values():
        if hasattr(type(module), "named_parameters"):
            for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
                state |= dict.fromkeys(keys(tensor), name)
    return state


def keys(thing: Any) -> list[Key]:
    """All that what a variable holds may be known by."""
    if isinstance(thing, Tensor | Value | np.ndarray):
        return [key(thing), *([key(thing.node)] if isinstance(thing, Tensor) and thing.node is not None else ())]
    return [id(thing)] if hasattr(type(thing), "named_parameters") else []
