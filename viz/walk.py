"""Walks from a result to everything that it was computed from, and groups it into the boxes of a picture.

A thing is a recorded node, a Value, or a constant. An item is drawn as one box: it is a single thing, or everything
that a folded module recorded. `graph.py` then says what the box of an item shows.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import Tensor, Value, walks
from minigrad.core import graph
from minigrad.core.record import Node
from minigrad.core.tensor import wrap
from minigrad.derive.naming import Key, Names, key, keys, states
from minigrad.grad_mode import Within
from minigrad.gradients import saved_as_tensors
from minigrad.scopes import Scope

MOST_PARTS = 10_000  # that are looked at in lists and networks


class Part(NamedTuple):
    """A frame that is not a call of a module: the forward pass, the backward pass, or a part that repeats."""

    title: str


Frames = tuple[Scope | Part, ...]  # from the outermost to the innermost


class Item(NamedTuple):
    """Things that are drawn as one box, and the frames around them. A folded module is itself the innermost frame.

    If the module repeats, this item stands for all repetitions, and `repeated` holds the things of the others.
    """

    things: list[Any]
    frames: Frames
    folded: bool = False
    repeated: tuple[Any, ...] = ()


def operands(thing: Any) -> tuple[Any, ...]:
    """Return the operands that a thing was computed from."""
    return thing.inputs if isinstance(thing, Node | Value) else ()


def indices(thing: Any) -> Iterator[np.ndarray]:
    """Yield the index arrays of an indexing operation."""
    for param in getattr(thing, "params", ()):
        if isinstance(param, tuple):
            yield from (part for part in param if isinstance(part, np.ndarray))


def things_behind(roots: Sequence[Any], named: Collection[Key] = ()) -> list[Any]:
    """Return the roots and everything that they were computed from, in the order of their computation.

    Constants have no sequence number. A constant comes just before the first thing that was computed from it. Index
    arrays are included if they are in `named`.
    """
    found = {key(root): root for root in roots if not isinstance(root, Node | Value)}
    for thing in walks.ancestors(root for root in roots if isinstance(root, Node | Value)):
        read = [index for index in indices(thing) if key(index) in named]
        for operand in (*operands(thing), *read):
            if key(operand) is not None and not isinstance(operand, Node | Value):
                found.setdefault(key(operand), operand)
        found[key(thing)] = thing
    return [*found.values()]


def states_of(things: Iterable[Any], names: Mapping[str, Any]) -> Names:
    """Name the parameters and buffers of the modules that ran, and of the modules that variables hold."""
    return states([*names.values(), *(scope.module() for thing in things for scope in _scopes(thing)[:1])])


def parts_of(names: Mapping[str, Any]) -> Names:
    """Name what stands in lists, and in networks of Values such as micrograd's: `xs[0]`, `n.layers[0].neurons[1].b`."""
    found: Names = {}
    seen: set[int] = set()
    open_ends = [(name, thing) for name, thing in names.items() if isinstance(name, str) and not name.startswith("_")]
    for name, thing in open_ends:  # the loop appends to `open_ends`
        is_network = hasattr(type(thing), "parameters") and not hasattr(type(thing), "named_parameters")
        if id(thing) in seen or len(open_ends) > MOST_PARTS:
            continue
        if isinstance(thing, list | tuple) or is_network:
            seen.add(id(thing))
            inner = vars(thing).items() if is_network and hasattr(thing, "__dict__") else ()
            open_ends += [(f"{name}.{attribute}", each) for attribute, each in inner]
            open_ends += [(f"{name}[{i}]", each) for i, each in enumerate(() if is_network else thing)]
        else:
            found |= {each: found.get(each, name) for each in keys(thing)}
    return found


def constants(things: Iterable[Any], labels: Names) -> set[Key]:
    """Return the keys of constants that belong to the modules that use them, such as the mask of a Dropout.

    They have no name and always meet a result. What only meets parameters is the input of a module.
    """
    found: set[Key] = set()
    inputs: set[Key] = set()
    for thing in things:
        unnamed = {key(x) for x in operands(thing) if not isinstance(x, Node | Value)} - labels.keys()
        meets_result = any(isinstance(x, Node | Value) and x.plan is not None for x in operands(thing))
        (found if meets_result else inputs).update(unnamed)
    return found - inputs


def _scopes(thing: Any) -> tuple[Scope, ...]:
    """Return the module calls in which a thing was recorded, from the outermost to the innermost."""
    scopes: list[Scope] = []
    scope = getattr(thing, "scope", None) if operands(thing) else None
    while scope is not None:
        scopes.append(scope)
        scope = scope.outer
    return tuple(reversed(scopes))


def frames_of(things: Iterable[Any], state: Collection[Key]) -> dict[Key, Frames]:
    """Return the frames around every thing: the module calls that recorded it.

    Parameters, buffers and unnamed constants (`state`) are in the frames that all of their consumers have in common.
    """
    frames: dict[Key, Frames] = {key(thing): _scopes(thing) for thing in things}
    shared: dict[Key, Frames] = {}
    for thing in things:
        for operand in operands(thing):
            if key(operand) in state:
                own = frames[key(thing)]
                shared[key(operand)] = _shared([shared.get(key(operand), own), own])
    return frames | shared


def items_of(things: Iterable[Any], frames: Mapping[Key, Frames], depth: int | None) -> list[Item]:
    """Make one item for each thing, or for each module call that is inside `depth` others.

    Frames that are not module calls do not count.
    """
    items: dict[int, Item] = {}
    for thing in things:
        around = frames[key(thing)]
        first = sum(isinstance(frame, Part) for frame in around)
        if depth is None or len(around) <= first + depth:
            items[id(thing)] = Item([thing], around)
        else:
            folded = around[: first + depth + 1]
            item = items.pop(id(folded[-1]), Item([], folded, True))  # put back at the end: after its operands
            item.things.append(thing)
            items[id(folded[-1])] = item
    return list(items.values())


def links_of(items: Sequence[Item]) -> list[dict[int, Any]]:
    """Return, for each item, the places of the items that it reads from, each with one operand from there."""
    places = places_of(items)
    links: list[dict[int, Any]] = []
    for place, item in enumerate(items):
        read = [x for thing in item.things for x in (*operands(thing), *indices(thing))]
        found = [(places.get(key(operand)), operand) for operand in read]
        links.append({source: operand for source, operand in found if source is not None and source != place})
    return links


def places_of(items: Sequence[Item]) -> dict[Key, int]:
    """Return the place of the item that each thing belongs to."""
    return {key(thing): place for place, item in enumerate(items) for thing in (*item.things, *item.repeated)}


def nearest(items: Sequence[Item], center: int, limit: int) -> list[int]:
    """Return the places of the `limit` items nearest to the item at `center`, sorted."""
    links = links_of(items)
    neighbours: list[set[int]] = [set(link) for link in links]
    for place, link in enumerate(links):
        for source in link:
            neighbours[source].add(place)
    found, seen = [center], {center}
    for place in found:  # the loop appends to `found`
        new = sorted(neighbours[place] - seen, reverse=True)
        seen.update(new)
        found += new
        if len(found) >= limit:
            break
    return sorted(found[:limit])


def repeats(texts: Sequence[Any]) -> Iterator[tuple[int, int, int]]:
    """Find the parts of a sequence that repeat without a gap: start, length of one repetition, number of repetitions.

    >>> list(repeats("xababaccy"))
    [(1, 2, 2), (6, 1, 2)]
    """
    start = 0
    while start < len(texts):
        found = (start, 1, 1)
        for length in range(1, (len(texts) - start) // 2 + 1):
            times = 1
            part = texts[start : start + length]
            while texts[start + times * length : start + (times + 1) * length] == part:
                times += 1
            if times > 1 and times * length > found[1] * found[2]:
                found = (start, length, times)
        if found[2] > 1:
            yield found
        start += found[1] * found[2]


def folded_repeats(items: Sequence[Item], title: Callable[[Item], Any]) -> list[Item]:
    """Fold repetitions: keep the first of a chain of modules that repeats, in a frame that says how often."""
    result: list[Item | None] = [*items]
    for chain in _chains(items):
        for start, length, times in repeats([title(items[place]) for place in chain]):
            part = Part(f"× {times}")
            first, *others = ([chain[start + i] for i in range(step, length * times, length)] for step in range(length))
            outer = _shared([items[place].frames for place in chain[start : start + length * times]])
            for place, *rest in (first, *others):
                item = items[place]
                repeated = tuple(thing for other in rest for thing in items[other].things)
                result[place] = item._replace(frames=(*outer, part, *item.frames[len(outer) :]), repeated=repeated)
                for other in rest:
                    result[other] = None
    return [item for item in result if item is not None]


def _shared(paths: Sequence[Frames]) -> Frames:
    """Return the outer frames that all of `paths` have in common."""
    alike = itertools.takewhile(lambda frames: len({id(frame) for frame in frames}) == 1, zip(*paths, strict=False))
    return tuple([frames[0] for frames in alike])


def _chains(items: Sequence[Item]) -> Iterator[list[int]]:
    """Yield chains of folded items, as places: each item reads only the item before it, which nothing else reads."""
    links = links_of(items)
    consumers = Counter(source for link in links for source in link)
    after = {
        next(iter(link)): place
        for place, (item, link) in enumerate(zip(items, links, strict=True))
        if item.folded and len(link) == 1 and items[next(iter(link))].folded and consumers[next(iter(link))] == 1
    }
    for place in sorted(set(after) - set(after.values())):
        chain = [place]
        while chain[-1] in after:
            chain.append(after[chain[-1]])
        yield chain


def gradients_behind(root: Any, things: Sequence[Any], names: Names) -> tuple[list[Any], Names]:
    """Record the backward pass of `root`; return its gradients, and names such as `dW1` for those of named things."""
    is_value = isinstance(root, Value)
    # The seed requires a gradient, so that everything computed from it is recorded.
    seed = (root, Value(1.0)) if is_value else (root.node, wrap(np.ones_like(root.array)).requires_grad_())
    try:
        with Within(grad=True):
            pairs = graph.reverse(
                [seed],
                saved_of=_saved_as_values if is_value else saved_as_tensors,
                needed=None if is_value else {thing for thing in things if isinstance(thing, Node)},
            )
            found = {node: g for node, g, _ in pairs}
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        raise RuntimeError(
            "draw: the backward pass has been run, and has released the saved values; draw it before loss.backward(), "
            "or after loss.backward(retain_graph=True)"
        ) from None
    made: list[Any] = []
    named: Names = {}
    for thing, g in found.items():
        name = (thing.user_name if isinstance(thing, Node) else thing.label) or names.get(key(thing))
        result = g.node if isinstance(g, Tensor) else g
        if result is not None:
            made.append(result)
            if name:
                named.setdefault(key(result), f"d{name}")
    return made, named


def _saved_as_values(value: Any) -> tuple[Any, ...]:
    """Return the saved values of a Value's operation, with Values for its result and operands."""
    values = (value, *value.params, *value.inputs)
    return tuple([values[i] for i in value.plan.saved])
