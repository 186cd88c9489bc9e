"""What a picture shows: the walk from a result to all that it was computed from, in a small typed form."""

import enum
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad import Tensor, Value
from minigrad.graph import Node

COMMUTATIVE = {"add", "mul"}
OPERATORS = {"sub", "div", "pow", "matmul"}


class Role(enum.Enum):
    """What a box is in the computation."""

    PARAMETER = "parameter"
    CONSTANT = "constant"
    NUMBER = "number"
    RESULT = "result"
    ROOT = "root"


@dataclass(frozen=True)
class Operation:
    """What made a box, from which: places in `Picture.boxes`, or None for an operand beyond the edge of the picture.

    `labels` tell the operands apart, where that matters.
    """

    name: str
    operands: tuple[int | None, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A Tensor, a Value or a number: `array` is None if it was too large to keep, `shape` and `dtype` if it has none."""

    role: Role
    name: str
    array: np.ndarray | None
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    gradient: np.ndarray | None = None
    retains: bool = False
    operation: Operation | None = None


@dataclass(frozen=True)
class Picture:
    """The boxes to draw, operands before results, and how many there would be without the limit."""

    boxes: list[Box]
    total: int


class Found(NamedTuple):
    """Something met on the walk, by what it is known again, and its place in the order of the picture."""

    thing: Any
    key: Any
    rank: tuple[int, int, int]


def picture(root: Any, names: Mapping[str, Any], limit: int) -> Picture:
    """The picture of `root`, and of the up to `limit` boxes nearest to it.

    TypeError if `root` is neither a Tensor nor a Value, ValueError if the limit leaves nothing to draw.
    """
    if not isinstance(root, Tensor | Value):
        raise TypeError(f"draw: expected a Tensor or a Value, got {type(root).__name__}")
    if limit < 1:
        raise ValueError(f"draw: limit must be at least 1, got {limit}")
    start = root.node if isinstance(root, Tensor) and root.requires_grad else root
    found = _walk(start)
    shown = sorted(found[:limit], key=lambda each: each.rank)
    places = {each.key: place for place, each in enumerate(shown)}
    variables = _variables(names)
    return Picture([_box(each, start, places, variables) for each in shown], len(found))


def _walk(root: Any) -> list[Found]:
    """`root` and all that it was computed from, each once, nearest first."""
    found = [Found(root, _key(root), _rank(root))]
    keys = {found[0].key}
    for consumer in found:  # grows as it goes
        for operand in _operands(consumer):
            if operand.key not in keys:
                keys.add(operand.key)
                found.append(operand)
    return found


def _operands(consumer: Found) -> Iterator[Found]:
    """What went into the operation behind `consumer`, in order; its constants come just before it in the picture."""
    if isinstance(consumer.thing, Node | Value):
        for position, operand in enumerate(consumer.thing.inputs):
            if isinstance(operand, Node | Value):
                yield Found(operand, _key(operand), _rank(operand))
            else:
                key = _key(operand) or (consumer.key, position)
                yield Found(operand, key, (consumer.thing.number, 0, position))


def _key(thing: Any) -> Any:
    """By what a thing is known again; None for a number, which is drawn wherever it occurs."""
    if isinstance(thing, Node | Value):
        return id(thing)
    array = thing.array if isinstance(thing, Tensor) else thing
    return id(array) if isinstance(array, np.ndarray) else None


def _rank(thing: Any) -> tuple[int, int, int]:
    return (thing.number, 1, 0) if isinstance(thing, Node | Value) else (0, 0, 0)


def _variables(names: Mapping[str, Any]) -> dict[Any, str]:
    """The first name, not private, of everything that can be in a picture."""
    variables: dict[Any, str] = {}
    for name, thing in names.items():
        if isinstance(thing, Tensor | Value | np.ndarray) and not name.startswith("_"):
            variables.setdefault(_key(thing), name)
            if isinstance(thing, Tensor) and thing.node is not None:
                variables.setdefault(_key(thing.node), name)
    return variables


def _box(found: Found, root: Any, places: Mapping[Any, int], variables: Mapping[Any, str]) -> Box:
    thing = found.thing
    name = variables.get(found.key, "")
    if isinstance(thing, Node | Value):
        operation = _operation(found, places)
        role = Role.PARAMETER if operation is None else Role.ROOT if thing is root else Role.RESULT
        if isinstance(thing, Value):
            data, gradient = np.asarray(thing.data), np.asarray(thing.grad)
            return Box(role, thing.label or name, data, None, None, gradient, True, operation)
        gradient = None if thing.grad is None else thing.grad.array
        name = thing.name or name
        return Box(role, name, thing.value, thing.shape, str(thing.dtype), gradient, thing.retains, operation)
    if isinstance(thing, Tensor):
        name, thing = thing.name or name, thing.array
    if isinstance(thing, np.ndarray):
        return Box(Role.CONSTANT, name, thing, thing.shape, str(thing.dtype))
    return Box(Role.NUMBER, "", np.asarray(thing))


def _operation(found: Found, places: Mapping[Any, int]) -> Operation | None:
    if found.thing.plan is None:
        return None
    row = found.thing.plan.row
    operands = tuple(places.get(operand.key) for operand in _operands(found))
    labels: tuple[str, ...] = ()
    if row.name in OPERATORS:
        labels = ("left", "right")
    elif len(operands) > 1 and row.name not in COMMUTATIVE:
        labels = row.operands if len(row.operands) == len(operands) else tuple(map(str, range(1, len(operands) + 1)))
    return Operation(row.name, operands, labels)
