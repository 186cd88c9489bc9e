"""The settings of a thread: whether operations are recorded, and who is told of each."""

import threading
from collections.abc import Callable
from typing import Any


class Mode:
    """The settings of one thread, with the values that it starts with.

    - `grad`: whether operations are recorded (`torch.is_grad_enabled`).
    - `scope`: the innermost module that is running, a `Scope` (see `scopes.py`).
    - `watch(primitive, operands, params, result)` is called after every operation.
    - `check(node, operand, g, part)` is called for every gradient `part` that a vjp of `node` makes of `g`.
    - `locate()` returns the user's line that is running, while anomalies are being detected.
    """

    __slots__ = ("check", "grad", "locate", "scope", "watch")

    def __init__(self) -> None:
        self.grad = True
        self.scope: Any = None
        self.watch: Callable[..., None] | None = None
        self.check: Callable[..., None] | None = None
        self.locate: Callable[[], Any] | None = None


class Local(threading.local):
    """One `Mode` for each thread."""

    def __init__(self) -> None:
        self.mode = Mode()


local = Local()
