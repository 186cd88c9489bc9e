"""What a picture shows, as plain data: boxes, folded modules, and the frames around them.

`walk.py` finds and groups the nodes, and `dot.py` writes the data for Graphviz. Nothing here knows Graphviz.
"""

import enum
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from minigrad import Tensor, Value, walks
from minigrad.checks import flag_of, shown
from minigrad.core.record import Node
from minigrad.derive.formula import formula, gradients, said
from minigrad.derive.infix import infix_of
from minigrad.derive.naming import Key, Names, key, variables
from minigrad.scopes import Scope

from .walk import (
    Frames,
    Item,
    Part,
    constants,
    folded_repeats,
    frames_of,
    gradients_behind,
    indices,
    items_of,
    nearest,
    operands,
    parts_of,
    places_of,
    states_of,
    things_behind,
)

FORWARD, BACKWARD = Part("forward pass"), Part("backward pass")


class Role(enum.Enum):
    """The role of a box in the computation."""

    PARAMETER = "parameter"
    INPUT = "input"
    CONSTANT = "constant"
    RESULT = "result"
    ROOT = "root"
    MODULE = "module"


class Number(NamedTuple):
    """A Python number as an operand. It has no box."""

    value: float


@dataclass(frozen=True)
class Operation:
    """The operation that computed a box: its primitive and parameter, and its operands.

    An operand is a place in `Picture.items`, a number, or None if it is not in the picture. `sign` is the primitive's
    operator in Python, or empty. `called` and `gradients` hold the name and the gradient's formula of each operand.
    """

    name: str
    sign: str
    parameter: str
    operands: tuple[int | Number | None, ...]
    called: tuple[str, ...]
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A Tensor or a Value. `array` is None if the node did not keep its data. A Value has no `shape` and no `dtype`."""

    role: Role
    name: str
    array: np.ndarray | None
    shape: tuple[int, ...] | None = None
    dtype: str = ""
    gradient: np.ndarray | None = None
    awaits_gradient: bool = False
    operation: Operation | None = None
    frame: int | None = None


@dataclass(frozen=True)
class Folded:
    """A module call as one box: the number of trained parameters, and its operands with their shapes.

    An operand is a place in `Picture.items`, or None if it is not in the picture.
    """

    title: str
    trained: int
    operands: tuple[tuple[int | None, str], ...]
    role: Role = Role.MODULE
    frame: int | None = None


class Frame(NamedTuple):
    """A frame around items: a module call, a part that repeats, or a pass. `outer` is the frame around it."""

    title: str
    outer: int | None


@dataclass(frozen=True)
class Picture:
    """The items and frames to draw, operands before results, and a note that says what is left out."""

    items: list[Box | Folded]
    frames: list[Frame] = field(default_factory=list)
    note: str = ""


def picture(
    root: Any,
    names: Mapping[str, Any],
    limit: int | None = None,
    depth: int | None = None,
    around: str | None = None,
    backward: bool = False,
) -> Picture:
    """Build the picture of `root` and everything that it was computed from; for the arguments, see `viz.draw`.

    TypeError if `root` is neither a Tensor nor a Value, or if `names` is not a dict. ValueError if `limit` or `depth`
    is too small, or if nothing in the graph has the name `around`.
    """
    if not isinstance(root, Tensor | Value):
        raise TypeError(
            f"draw: expected a Tensor or a Value, got {type(root).__name__}; give the result, such as the loss"
        )
    if not isinstance(names, Mapping):
        raise TypeError(f"draw: names must be a dict such as locals(), got {type(names).__name__}")
    for argument, value, least in (("limit", limit, 1), ("depth", depth, 0)):
        if not isinstance(value, int | None) or isinstance(value, bool):
            raise TypeError(f"draw: {argument} must be a whole number, got {shown(value)}")
        if value is not None and value < least:
            raise ValueError(f"draw: {argument} must be at least {least}, got {shown(value)}")
    if not isinstance(around, str | None):
        raise TypeError(f"draw: around must be the name of a box, got {type(around).__name__}")
    flag_of("draw", "backward", backward)
    start = root.node if isinstance(root, Tensor) and root.requires_grad else root
    labels = parts_of(names) | variables(names)
    things = things_behind([start], labels)
    walks.refuse_compiled("draw", things)
    state = states_of(things, names)
    labels |= state
    frames = frames_of(things, {*state, *constants(things, labels)})
    if backward:
        things, labels, frames = _with_backward(root, things, labels, frames)
    items, note = _fitting(things, frames, depth, limit, labels)
    places = places_of(items)
    center = key(start)
    if around is not None:
        center = next((key(thing) for thing in things if name_of(thing, labels) == around), None)
    if center not in places:
        raise ValueError(f"draw: nothing in the graph is called {around!r}; give names=locals(), or a tensor's .name")
    if limit is not None and len(items) > limit:
        note = f"The {limit:,} nearest of {len(items):,} boxes; limit= draws more."
        items = [items[place] for place in nearest(items, places[center], limit)]
    return _drawn(items, labels, start, note)


def _with_backward(
    root: Any, things: list[Any], labels: Names, frames: dict[Key, Frames]
) -> tuple[list[Any], Names, dict[Key, Frames]]:
    """Add the backward pass to the things, their names and their frames."""
    if not getattr(root, "requires_grad", True):
        raise ValueError(
            "draw: backward=True, but the root requires no gradient; create a parameter with requires_grad=True"
        )
    made, named = gradients_behind(root, things, labels)
    known = {key(thing) for thing in things}
    both = things_behind([*made, things[-1]], labels)
    around = {key(thing): (FORWARD if key(thing) in known else BACKWARD, *frames.get(key(thing), ())) for thing in both}
    return both, named | labels, around


def _fitting(
    things: list[Any], frames: dict[Key, Frames], depth: int | None, limit: int | None, labels: Names
) -> tuple[list[Item], str]:
    """Return the items at `depth`, or, without a depth, fold modules until at most `limit` items are left."""
    items = items_of(things, frames, depth)
    if depth is not None:
        return folded_repeats(items, _alike), ""
    if limit is not None and len(items) > limit:
        for fewer in range(max(len(around) for around in frames.values()) - 1, -1, -1):
            folded, _ = _fitting(things, frames, fewer, limit, labels)
            if len(folded) <= limit:
                return folded, f"Modules are folded, depth={fewer}, instead of {len(items):,} boxes; limit= draws more."
    return items, ""


def _alike(item: Item) -> Any:
    """Return a key that is equal for module calls that repeat: same modules, same operations, same leaf shapes."""
    recorded = [thing.operation or thing.shape for thing in item.things if isinstance(thing, Node)]
    return [_text(frame) for frame in item.frames if isinstance(frame, Scope)], recorded


def _drawn(items: Sequence[Item], labels: Names, start: Any, note: str) -> Picture:
    places = places_of(items)
    frames: dict[tuple[int, ...], int] = {}
    drawn: list[Frame] = []

    def place_of(around: Frames) -> int | None:
        """Return the place of the innermost frame of `around`."""
        if not around:
            return None
        each = tuple(map(id, around))
        if each not in frames:
            outer = place_of(around[:-1])
            frames[each] = len(drawn)
            drawn.append(Frame(title_of(around[-1], labels), outer))
        return frames[each]

    shown: list[Box | Folded] = []
    for item in items:
        if item.folded:
            is_root = any(thing is start for thing in (*item.things, *item.repeated))
            shown.append(_folded(item, places, is_root, labels, place_of(item.frames[:-1])))
        else:
            shown.append(_box(item, item.things[0] is start, places, labels, place_of(item.frames)))
    return Picture(shown, drawn, note)


def title_of(frame: Scope | Part, labels: Names) -> str:
    """Return the title of a frame; for a module, its name in the outer module, or its variable's name, and its kind."""
    if isinstance(frame, Part):
        return frame.title
    module, outer = frame.module(), frame.outer and frame.outer.module()
    name = labels.get(id(module))
    if outer is not None:
        name = next((name for name, inner in outer.named_modules() if inner is module), None)
    return f"{name}: {_text(frame)}" if name else _text(frame)


def _text(frame: Any) -> str:
    """Describe a module by its class and the arguments that are not defaults: `Linear(30, 200, bias=False)`."""
    module, parts = frame.module(), []
    for name, parameter in inspect.signature(frame.kind).parameters.items():
        value, default = getattr(module, name, parameter.default), parameter.default
        if isinstance(default, bool) and not isinstance(value, bool):
            value = value is not None  # such as `bias=True`, which becomes a Tensor or None
        if isinstance(value, int | float | str | tuple) and value != default:
            parts.append(repr(value) if default is parameter.empty else f"{name}={value!r}")
    return f"{frame.kind.__name__}({', '.join(parts)})" if parts else frame.kind.__name__


def _folded(item: Item, places: Mapping[Key, int], is_root: bool, labels: Names, frame: int | None) -> Folded:
    inside = {key(thing) for thing in item.things}
    sources: dict[int | None, str] = {}
    for thing in item.things:
        for operand in (*operands(thing), *(index for index in indices(thing) if key(index) in places)):
            if key(operand) is not None and key(operand) not in inside:
                sources.setdefault(places.get(key(operand)), str(tuple(operand.shape)))
    leaves = [thing for thing in item.things if isinstance(thing, Node) and thing.plan is None]
    trained = sum(math.prod(leaf.shape) for leaf in leaves if leaf.requires_grad)
    role = Role.ROOT if is_root else Role.MODULE
    return Folded(title_of(item.frames[-1], labels), trained, tuple(sources.items()), role, frame)


def name_of(thing: Any, labels: Names) -> str:
    """Return the name that a thing has itself, or else the name that `labels` gives it."""
    own = (
        thing.label
        if isinstance(thing, Value)
        else getattr(thing, "user_name" if isinstance(thing, Node) else "name", None)
    )
    return own or labels.get(key(thing), "")


def _box(item: Item, is_root: bool, places: Mapping[Key, int], labels: Names, frame: int | None) -> Box:
    (thing,) = item.things
    name = name_of(thing, labels)
    if isinstance(thing, Tensor):
        thing = thing.array
    if isinstance(thing, np.ndarray):
        role = Role.INPUT if name else Role.CONSTANT
        return Box(role, name, thing, thing.shape, str(thing.dtype), frame=frame)
    operation = operation_of(thing, places, labels)
    role = Role.RESULT
    if operation is None:  # a leaf; in the backward pass that is only the seed
        role = Role.CONSTANT if BACKWARD in item.frames else Role.PARAMETER
    elif is_root:
        role = Role.ROOT
    if isinstance(thing, Value):
        data, grad = np.asarray(thing.data), np.asarray(thing.grad)
        return Box(role, name, data, gradient=grad, operation=operation, frame=frame)
    gradient = None if thing.grad is None else thing.grad.array
    awaits = gradient is None and thing.retains_grad and role is not Role.CONSTANT
    shape, dtype = thing.shape, str(thing.dtype)
    return Box(role, name, thing.value, shape, dtype, gradient, awaits, operation, frame)


def operation_of(thing: Node | Value, places: Mapping[Key, int], labels: Names) -> Operation | None:
    """Describe the operation that computed a thing; None for a leaf."""
    if thing.plan is None:
        return None
    primitive = thing.plan.primitive
    known = [np.asarray(x).item() if key(x) is None else x for x in thing.inputs]
    sources = tuple(places.get(key(x)) if key(x) is not None else Number(x) for x in known)
    called = primitive.operands
    if len(called) != len(known):
        called = tuple(map(str, range(1, len(known) + 1)))
    read = tuple(places[key(index)] for index in indices(thing) if key(index) in places)
    symbols = gradients(thing.plan, known, thing.params, getattr(thing, "shape", ()), getattr(thing, "dtype", float))
    rules = tuple(
        formula(symbols[i], labels) if i in symbols and isinstance(x, Node | Value) else "" for i, x in enumerate(known)
    )
    infix = infix_of(primitive)
    return Operation(
        primitive.name,
        infix.python if infix else "",
        said(primitive, thing.params, labels),
        (*sources, *read),
        called + ("",) * len(read),
        rules + ("",) * len(read),
    )
