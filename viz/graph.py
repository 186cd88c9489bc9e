"""What a picture shows: the walk from a result to all that it was computed from, in a small typed form."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad import Tensor, Value
from minigrad.graph import Node


class Role(enum.Enum):
    """What a box is in the computation: a leaf, that gets a gradient or not, or what an operation made."""

    PARAMETER = "parameter"
    CONSTANT = "constant"
    RESULT = "result"
    ROOT = "root"


class Number(NamedTuple):
    """An operand that has no box of its own: a Python number."""

    value: float


@dataclass(frozen=True)
class Operation:
    """What made a box: its name, its operands, and what its row in the table calls them.

    An operand is a place in `Picture.boxes`, a number, or None where it lies beyond the edge of the picture.
    """

    name: str
    operands: tuple[int | Number | None, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A Tensor or a Value. `array` is None where it was too large to keep; a Value has no `shape` and no `dtype`."""

    role: Role
    name: str
    array: np.ndarray | None
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    gradient: np.ndarray | None = None
    awaits_gradient: bool = False
    operation: Operation | None = None


@dataclass(frozen=True)
class Picture:
    """The boxes to draw, operands before results, and how many there would be without the limit."""

    boxes: list[Box]
    total: int


def picture(root: Any, names: Mapping[str, Any], limit: int) -> Picture:
    """The picture of `root`, and of the up to `limit` boxes nearest to it.

    TypeError if `root` is neither a Tensor nor a Value, ValueError if the limit leaves nothing to draw.
    """
    if not isinstance(root, Tensor | Value):
        raise TypeError(f"draw: expected a Tensor or a Value, got {type(root).__name__}")
    if limit < 1:
        raise ValueError(f"draw: limit must be at least 1, got {limit}")
    start = root.node if isinstance(root, Tensor) and root.requires_grad else root
    things, total = _nearest(start, limit)
    places = {_key(thing): place for place, thing in enumerate(things)}
    variables = _variables(names)
    return Picture([_box(thing, thing is start, places, variables) for thing in things], total)


def _nearest(root: Any, limit: int) -> tuple[list[Any], int]:
    """The `limit` things nearest to `root`, in the order that they were made in, and how many there are in all.

    A constant, which does not know when it was made, comes just before its first consumer.
    """
    found = [(0, 0, 0, root)]
    keys = {_key(root)}
    for *_, consumer in found:  # which grows meanwhile
        for position, operand in enumerate(_operands(consumer)):
            key = _key(operand)
            if key is not None and key not in keys:
                keys.add(key)
                made = isinstance(operand, Node | Value)
                found.append((operand.number, 1, 0, operand) if made else (consumer.number, 0, position, operand))
    return [*(thing for *_, thing in sorted(found[1:limit], key=lambda each: each[:3])), root], len(found)


def _operands(thing: Any) -> tuple[Any, ...]:
    return thing.inputs if isinstance(thing, Node | Value) else ()


def _key(thing: Any) -> int | None:
    """By what a thing is known again; nothing for a number, which may have become an array without dims."""
    if isinstance(thing, Tensor):
        thing = thing.array
    elif isinstance(thing, np.ndarray) and not thing.ndim:
        return None
    return id(thing) if isinstance(thing, Node | Value | np.ndarray) else None


def _variables(names: Mapping[str, Any]) -> dict[int | None, str]:
    """The first name, not private, of everything that can be in a picture."""
    variables: dict[int | None, str] = {}
    for name, thing in names.items():
        if isinstance(thing, Tensor | Value | np.ndarray) and not name.startswith("_"):
            variables.setdefault(_key(thing), name)
            if isinstance(thing, Tensor) and thing.node is not None:
                variables.setdefault(_key(thing.node), name)
    return variables


def _box(thing: Any, is_root: bool, places: Mapping[int | None, int], variables: Mapping[int | None, str]) -> Box:
    name = variables.get(_key(thing), "")
    if isinstance(thing, Tensor):
        name, thing = thing.name or name, thing.array
    if isinstance(thing, np.ndarray):
        return Box(Role.CONSTANT, name, thing, thing.shape, str(thing.dtype))
    operation = _operation(thing, places)
    role = Role.PARAMETER if operation is None else Role.ROOT if is_root else Role.RESULT
    if isinstance(thing, Value):
        data, grad = np.asarray(thing.data), np.asarray(thing.grad)
        return Box(role, thing.label or name, data, gradient=grad, operation=operation)
    gradient = None if thing.grad is None else thing.grad.array
    awaits = gradient is None and thing.retains
    return Box(role, thing.name or name, thing.value, thing.shape, str(thing.dtype), gradient, awaits, operation)


def _operation(thing: Node | Value, places: Mapping[int | None, int]) -> Operation | None:
    if thing.plan is None:
        return None
    keys = [(operand, _key(operand)) for operand in thing.inputs]
    operands = tuple(Number(np.asarray(operand).item()) if key is None else places.get(key) for operand, key in keys)
    return Operation(thing.plan.row.name, operands, thing.plan.row.operands)
