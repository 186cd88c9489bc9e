"""The settings of a thread: whether operations are recorded, and who is told of each."""

import threading
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple


class Scope(NamedTuple):
    """One call of a module, inside the call of an outer one. Nodes that are recorded meanwhile belong to it."""

    module: weakref.ref[Any]
    kind: type
    outer: "Scope | None"


class Mode:
    """The settings of one thread, with the values that it starts with.

    - `grad`: whether operations are recorded (`torch.is_grad_enabled`).
    - `scope`: the innermost module that is running.
    - `watch(primitive, operands, params, result)` is called after every operation.
    - `check(node, operand, g, part)` is called for every gradient `part` that a vjp of `node` makes of `g`.
    - `locate()` returns the user's line that is running, while anomalies are being detected.
    """

    __slots__ = ("check", "grad", "locate", "scope", "watch")

    def __init__(self) -> None:
        self.grad = True
        self.scope: Scope | None = None
        self.watch: Callable[..., None] | None = None
        self.check: Callable[..., None] | None = None
        self.locate: Callable[[], Any] | None = None


class Local(threading.local):
    """One `Mode` for each thread."""

    def __init__(self) -> None:
        self.mode = Mode()


local = Local()
