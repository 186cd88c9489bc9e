"""The walk from a result to all that it was computed from, and what of that is drawn as one.

A thing is a recorded node, a Value, or a constant. An item is what a picture has one box for: a thing, or all that a
folded module recorded.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad import Tensor, Value, walks
from minigrad.core import graph
from minigrad.core.modes import Scope
from minigrad.core.record import Node
from minigrad.core.tensor import wrap
from minigrad.derive.naming import Key, Names, key, states
from minigrad.grad_mode import Within
from minigrad.gradients import saved_as_tensors


class Part(NamedTuple):
    """What a frame is drawn around that is no run of a module: one of two passes, or what is repeated."""

    title: str


Frames = tuple[Scope | Part, ...]  # from the outermost to the innermost


class Item(NamedTuple):
    """Things that are drawn as one, and the frames around them; of a folded module, the innermost is its own.

    `repeated` are the things of the same module's repetitions, which this item stands for.
    """

    things: list[Any]
    frames: Frames
    folded: bool = False
    repeated: tuple[Any, ...] = ()


def operands(thing: Any) -> tuple[Any, ...]:
    """What a thing was computed from."""
    return thing.inputs if isinstance(thing, Node | Value) else ()


def indices(thing: Any) -> Iterator[np.ndarray]:
    """The arrays that a thing was indexed by."""
    for param in getattr(thing, "params", ()):
        if isinstance(param, tuple):
            yield from (part for part in param if isinstance(part, np.ndarray))


def things_behind(roots: Sequence[Any], named: Collection[Key] = ()) -> list[Any]:
    """The roots and all that they were computed from, in the order in which they were made.

    A constant does not know when it was made: it comes just before the first thing that was computed from it. Arrays
    that something was indexed by are included if they are `named`.
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
    """What modules call their parameters and buffers: those that ran, and those that variables hold."""
    return states([*names.values(), *(scope.module() for thing in things for scope in _scopes(thing)[:1])])


def _scopes(thing: Any) -> tuple[Scope, ...]:
    """The modules in whose runs a thing was recorded."""
    scopes: list[Scope] = []
    scope = getattr(thing, "scope", None) if operands(thing) else None
    while scope is not None:
        scopes.append(scope)
        scope = scope.outer
    return tuple(reversed(scopes))


def frames_of(things: Iterable[Any], state: Collection[Key]) -> dict[Key, Frames]:
    """The frames around every thing: those of the modules that recorded it, or where all of its consumers are."""
    frames: dict[Key, Frames] = {key(thing): _scopes(thing) for thing in things}
    shared: dict[Key, Frames] = {}
    for thing in things:
        for operand in operands(thing):
            if key(operand) in state:
                own = frames[key(thing)]
                shared[key(operand)] = _shared([shared.get(key(operand), own), own])
    return frames | shared


def items_of(things: Iterable[Any], frames: Mapping[Key, Frames], depth: int | None) -> list[Item]:
    """An item for every thing; one for all things within the same module where modules are nested deeper than `depth`.

    Frames that are no modules do not count.
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
    """For every item, the places of the items that its operands are in, each with one of those operands."""
    places = places_of(items)
    links: list[dict[int, Any]] = []
    for place, item in enumerate(items):
        read = [x for thing in item.things for x in (*operands(thing), *indices(thing))]
        found = [(places.get(key(operand)), operand) for operand in read]
        links.append({source: operand for source, operand in found if source is not None and source != place})
    return links


def places_of(items: Sequence[Item]) -> dict[Key, int]:
    """In which item each thing is."""
    return {key(thing): place for place, item in enumerate(items) for thing in (*item.things, *item.repeated)}


def nearest(items: Sequence[Item], center: int, limit: int) -> list[int]:
    """The places of the `limit` items nearest to that at `center`, in order."""
    links = links_of(items)
    neighbours: list[set[int]] = [set(link) for link in links]
    for place, link in enumerate(links):
        for source in link:
            neighbours[source].add(place)
    found, seen = [center], {center}
    for place in found:  # which grows meanwhile
        new = sorted(neighbours[place] - seen, reverse=True)
        seen.update(new)
        found += new
        if len(found) >= limit:
            break
    return sorted(found[:limit])


def repeats(texts: Sequence[Any]) -> Iterator[tuple[int, int, int]]:
    """Where a sequence repeats itself at once: the start, the length of what is repeated, and how often it is there.

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
    """The items, where of modules in a row that repeat, titles and all, only the first are left, in a frame."""
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
    """The frames that are around all of these."""
    alike = itertools.takewhile(lambda frames: len({id(frame) for frame in frames}) == 1, zip(*paths, strict=False))
    return tuple([frames[0] for frames in alike])


def _chains(items: Sequence[Item]) -> Iterator[list[int]]:
    """The places of folded items of which each is computed from the one before alone, and nothing else is."""
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
    """Record the backward pass of `root`: the gradients that it makes, and names for those of named things, `dW1`."""
    is_value = isinstance(root, Value)
    # The seed requires a gradient, so that all that is computed of it is recorded.
    seed = (root, Value(1.0)) if is_value else (root.node, wrap(np.ones_like(root.array)).requires_grad_())
    try:
        with Within(grad=True):
            pairs = graph.reverse(
                [seed],
                saved_of=_lifted if is_value else saved_as_tensors,
                needed=None if is_value else {thing for thing in things if isinstance(thing, Node)},
            )
            found = {node: g for node, g, _ in pairs}
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        raise RuntimeError(
            "draw: the backward pass has been run, and has released what it needs; draw it before loss.backward(), or "
            "after loss.backward(retain_graph=True)"
        ) from None
    made: list[Any] = []
    named: Names = {}
    for thing, g in found.items():
        name = (thing.name if isinstance(thing, Node) else thing.label) or names.get(key(thing))
        result = g.node if isinstance(g, Tensor) else g
        if result is not None:
            made.append(result)
            if name:
                named.setdefault(key(result), f"d{name}")
    return made, named


def _lifted(value: Any) -> tuple[Any, ...]:
    """What the rules of a Value's operation take, as Values."""
    values = (value, *value.params, *value.inputs)
    return tuple([values[i] for i in value.plan.saved])
