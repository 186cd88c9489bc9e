"""Walks over the recorded graph, for everything that reads it besides the reverse pass: pictures, `derive`, `grad`.

They are loops, not recursive functions, because a graph may be a million nodes deep.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from minigrad.core.record import Node


def ancestors(roots: Iterable[Any]) -> list[Any]:
    """Return the roots and all nodes that they were computed from, each once, operands before results."""
    found = [*dict.fromkeys(roots)]
    seen = set(found)
    for node in found:  # the loop appends to `found`
        new = [x for x in dict.fromkeys(recorded(node.inputs)) if x not in seen]
        seen.update(new)
        found += new
    return sorted(found, key=lambda node: node.seq)


def refuse_compiled(what: str, things: Iterable[Any]) -> None:
    """Raise a RuntimeError if a compiled function computed one of the things: its steps are not in the graph."""
    for thing in things:
        plan = getattr(thing, "plan", None)
        if plan is not None and plan.primitive.name == "CompiledFunction":
            raise RuntimeError(
                f"{what}: the graph has no steps of a compiled function; call the function itself, without compile"
            )


def nodes_between(roots: Iterable[Node], targets: Iterable[Node]) -> set[Node]:
    """Return the nodes on all paths from `roots` back to `targets`, including both ends."""
    targets = set(targets)
    first = min(target.seq for target in targets)
    found, open_ends = set(roots), list(roots)
    while open_ends:
        new = {x for x in recorded(open_ends.pop().inputs) if x.seq >= first} - found
        found |= new
        open_ends += new
    passed = found & targets
    for node in sorted(found, key=lambda node: node.seq):
        if not passed.isdisjoint(recorded(node.inputs)):
            passed.add(node)
    return passed


def recorded(inputs: Iterable[Any]) -> Iterator[Any]:
    """Yield the inputs of a node that are recorded results: the ones that have a sequence number."""
    return (x for x in inputs if hasattr(x, "seq"))
