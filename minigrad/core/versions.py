"""Version counters: how the reverse pass notices that a saved array was changed in place.

Nodes and changes get their sequence numbers from one count. So a saved array is stale if the last change of its memory
has a greater number than the node that saved it. Changes are kept by the array that owns the memory, since views share
it, and cost the nodes nothing.
"""

import functools
import itertools
import threading
import weakref
from typing import Any

import numpy as np

from minigrad.core.modes import current_mode

sequence = itertools.count()


class Change:
    """The last change of some memory: its sequence number, the operation, and the user's line, if it is known.

    `version` counts the changes so far (`torch.Tensor._version`). `memory` refers to the array that owns the memory.
    """

    __slots__ = ("line", "memory", "operation", "seq", "version")

    def __init__(self, memory: weakref.ref[np.ndarray]) -> None:
        self.memory, self.seq, self.operation, self.version = memory, 0, "", 0
        self.line: Any = None


class Changes(dict[int, Change]):
    """The changes, by the `id` of the array that owns the memory; `latest` is the sequence number of the last one.

    The entry of an array that is freed is dropped, since another array may get its id. Python code that ran then would
    swallow an interrupt, so `dict.pop` itself does it. It fails where the recursion limit is reached; so `memory` tells
    whose entry it is.
    """

    latest = 0


changes = Changes()
# `latest` must not go backward, so one thread at a time; reentrant, since a finalizer may run in between.
lock = threading.RLock()


def bump_version(operation: str, *arrays: np.ndarray) -> None:
    """Note that `operation` has changed arrays in place."""
    locate = current_mode().locate
    line = locate() if locate else None
    with lock:
        changes.latest = seq = next(sequence)
        for array in arrays:
            memory = array if array.base is None else owner(array)
            change = changes.get(id(memory))
            if change is None or change.memory() is not memory:
                change = Change(weakref.ref(memory, functools.partial(changes.pop, id(memory))))
                changes[id(memory)] = change
            change.seq, change.operation, change.line = seq, operation, line
            change.version += 1


def owner(array: np.ndarray) -> np.ndarray:
    """The array that owns the memory of this one, which may be a view of it."""
    while isinstance(base := getattr(array.base, "obj", array.base), np.ndarray):  # a memoryview has its array as `obj`
        array = base
    return array


def check_unchanged(array: np.ndarray, node: Any) -> None:
    """Refuse with a RuntimeError an array that a node has saved, if it was changed in place since then."""
    memory = array if array.base is None else owner(array)
    change = changes.get(id(memory))
    if change is None or change.seq <= node.seq or change.memory() is not memory:
        return
    known = current_mode().locate or node.line or change.line
    raise RuntimeError(
        f"{node.operation}{at(node.line)}: a value of shape {array.shape} that its gradient needs was changed by "
        f"{change.operation}{at(change.line)}: compute a new tensor, x = x + 1 for x += 1, or change a .clone()"
        + ("" if known else "; detect_anomaly() tells the lines of both")
    )


def at(line: Any) -> str:
    """The user's line in brackets, for a message, if the line is known."""
    return f" ({line})" if line else ""
