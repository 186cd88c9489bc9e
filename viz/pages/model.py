"""What a page shows, as plain data that becomes JSON: arrays, nodes, views, source lines and steps.

`passes.py` has the numbers and `steps.py` the steps; here both are numbered, shortened and put together. The script
of the page reads the dict that `model` returns, and computes nothing but colours.
"""

import linecache
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minigrad import Tensor, Value, walks
from minigrad.core.record import Node
from minigrad.core.tensor import wrap
from minigrad.derive.forms import word_for
from minigrad.derive.naming import Key, Names, key, states, unused, variables
from minigrad.derive.program import located
from minigrad.derive.trace import Trace

from ..dot import caption
from ..graph import Operation, name_of, operation_of
from ..walk import constants, parts_of, states_of, things_behind
from .boxes import View, views
from .lineage import Window, matrix
from .passes import Passes
from .steps import Steps

# The rows and columns that are shown of an array. The first of these is taken with which all arrays fit into the page.
WINDOWS: tuple[Window, ...] = ((20, 24), (16, 16), (12, 12), (8, 8), (6, 6), (4, 4), (2, 2))
MOST_CELLS = 40_000
CONTEXT = 2  # lines of the program that are shown above and below the ones that computed something


class Arrays:
    """The arrays of a page, each once, cut to a window of rows and columns."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.written: list[dict[str, Any]] = []
        self._known: dict[Any, int] = {}

    def add(self, array: Any) -> int:
        """Return the number of an array."""
        array = np.asarray(array)
        identity = array.shape, str(array.dtype), array.tobytes()
        if identity not in self._known:
            self._known[identity] = len(self.written)
            self.written.append(self._write(array))
        return self._known[identity]

    def _write(self, array: np.ndarray) -> dict[str, Any]:
        cells = matrix(array)[: self.window[0], : self.window[1]]
        finite = np.abs(array[np.isfinite(array)]) if array.dtype.kind == "f" else array
        return {
            "shape": [*array.shape],
            "rows": cells.shape[0],
            "columns": cells.shape[1],
            "all": [*matrix(array).shape],
            "most": json_number(np.abs(finite).max(initial=0)),
            "cells": [json_number(x) for x in cells.flat],
        }


def json_number(x: Any) -> float | str:
    """Return a number as JSON has it: with the digits that numpy prints, which name it exactly, or "nan" or "inf"."""
    if x.dtype.kind in "bui":
        return int(x)
    return float(str(x)) if math.isfinite(x) else str(x)


def model(root: Any, names: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """Return what the page of a root shows; for the arguments, see `viz.page`."""
    start = root.node if isinstance(root, Tensor) and root.requires_grad else root
    labels = parts_of(names) | variables(names)
    things = things_behind([start], labels)
    walks.refuse_compiled("page", things)
    state = states_of(things, names)
    labels |= state
    for name, module in names.items():  # the name of a parameter says whose it is
        labels |= {each: f"{name}.{inner}" for each, inner in states([module]).items()}
    passes = Passes(root, _held(things, names)) if start is not root or isinstance(root, Value) else None
    called = _called(things, labels, start)
    operations = {key(thing): operation_of(thing, {}, labels) for thing in things if isinstance(thing, Node | Value)}
    words = {key(thing): _words(thing, called[key(thing)], operations.get(key(thing))) for thing in things}
    shown = views(things, {*state, *constants(things, labels)}, labels, words, limit, len(things) - 1)
    drawn = {key(thing) for view in shown for item in view.items for thing in item.things}
    things = [thing for thing in things if key(thing) in drawn]
    number = {key(thing): place for place, thing in enumerate(things)}
    arrays = Arrays(_window(things, passes))
    steps = Steps(passes, things, number, called, arrays)
    source, forward, backward = _derived(root, things, called, steps)
    user, lines = _user_lines(things)
    nodes = [
        {
            "name": called[key(thing)],
            "words": words[key(thing)],
            "role": _role(thing, start, labels),
            "data": arrays.add(data) if (data := steps.data(thing)) is not None else None,
            "line": lines.get(key(thing)),
            "forward": forward.get(thing if isinstance(thing, Node | Value) else None, []),
            "backward": backward.get(thing if isinstance(thing, Node | Value) else None, []),
        }
        for thing in things
    ]
    return {
        "title": called[key(start)],
        "nodes": nodes,
        "steps": steps.written,
        "arrays": arrays.written,
        "views": [_view(view, number) for view in shown],
        "derived": source,
        "program": user,
    }


def _held(things: list[Any], names: Mapping[str, Any]) -> Iterator[Tensor]:
    """Yield the Tensors with a node that variables hold, and the parameters of modules that ran or are held."""
    scopes = [scope.module() for thing in things if (scope := getattr(thing, "scope", None)) is not None]
    for thing in [*names.values(), *scopes]:
        if isinstance(thing, Tensor) and thing.node is not None:
            yield thing
        elif hasattr(type(thing), "named_parameters"):
            yield from (parameter for parameter in thing.parameters() if parameter.node is not None)


def _called(things: list[Any], labels: Names, start: Any) -> dict[Key, str]:
    """Name all things: as they are called, or else by a word for their operation."""
    found = {key(thing): name_of(thing, labels) for thing in things}
    taken = {name for name in found.values() if name}
    for thing in things:
        if not found[key(thing)]:
            plan = getattr(thing, "plan", None)
            word = "loss" if thing is start else word_for(plan.primitive) if plan else "constant"
            found[key(thing)] = unused(word, taken)
            taken.add(found[key(thing)])
    return found


def _words(thing: Any, name: str, operation: Operation | None) -> list[str]:
    """Return the lines of text in a box; an empty line stands for maps of the data and of the gradient."""
    made = caption(operation) if operation else name
    title = made if made == name else f"{made} → {name}"
    if isinstance(thing, Value):
        return [title, "data -0.0000", "grad -0.0000"]
    dtype = thing.array.dtype if isinstance(thing, Tensor) else thing.dtype
    shape = f"{'×'.join(map(str, thing.shape)) or 'scalar'} {dtype}"
    return [title, shape, *([""] if math.prod(thing.shape) != 1 else ["data -0.0000", "grad -0.0000"])]


def _role(thing: Any, start: Any, labels: Names) -> str:
    if thing is start:
        return "root"
    if isinstance(thing, Node | Value):
        return "parameter" if thing.plan is None else "result"
    return "input" if key(thing) in labels else "constant"


def _window(things: list[Any], passes: Passes | None) -> Window:
    """Return the first window with which the data and the gradients of all things fit into the page."""
    arrays = [passes.arrays.get(thing) for thing in things if isinstance(thing, Node)] if passes else []
    parts = [part.part for visit in (passes.visits if passes else ()) for part in visit.parts]
    shapes = [matrix(array).shape for array in [*arrays, *parts] if array is not None and array.ndim]
    for window in WINDOWS:
        if sum(min(rows, window[0]) * min(columns, window[1]) for rows, columns in shapes) <= MOST_CELLS:
            return window
    return WINDOWS[-1]


def _derived(
    root: Any, things: list[Any], called: Mapping[Key, str], steps: Steps
) -> tuple[list[str], dict[Any, list[int]], dict[Any, list[int]]]:
    """Return the lines of the derived source, and which of them compute each node and each gradient.

    The source has the names of the page, so that every step has a line of its own.
    """
    held: dict[str, Any] = {}
    for thing in things:
        array = steps.data(thing)
        held[called[key(thing)]] = wrap(array, thing) if isinstance(thing, Node) and array is not None else thing
    try:
        found = located(Trace(root, held))
    except (AttributeError, TypeError, ValueError):  # nothing requires a gradient, or a primitive cannot be written
        return [], {}, {}
    return found.derived.source.splitlines(), found.forward, found.backward


def _user_lines(things: list[Any]) -> tuple[list[dict[str, Any]], dict[Key, int]]:
    """Return the lines of the user's program that are known, with those around them, and which computed what."""
    known = {key(thing): line for thing in things if (line := getattr(thing, "line", None)) is not None}
    wanted: dict[tuple[str, int], None] = {}
    for line in sorted(set(known.values())):
        for number in range(line.number - CONTEXT, line.number + CONTEXT + 1):
            if linecache.getline(line.file, number):
                wanted[line.file, number] = None
    places = {place: i for i, place in enumerate(sorted(wanted))}
    text = [{"number": number, "text": linecache.getline(file, number).rstrip()} for file, number in places]
    return text, {each: places[line.file, line.number] for each, line in known.items() if line[:2] in places}


def _view(view: View, number: Mapping[Key, int]) -> dict[str, Any]:
    boxes = [
        box | {"nodes": [number[key(thing)] for thing in item.things]}
        for box, item in zip(view.boxes, view.items, strict=True)
    ]
    return view._asdict() | {"boxes": boxes, "items": len(boxes)}
