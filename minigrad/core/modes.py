"""The settings of a thread, or of an asyncio task: whether operations are recorded, and who is told of each."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any


class Mode:
    """The settings, with the values that a thread starts with. A task starts with those of the task that made it.

    - `grad`: whether operations are recorded (`torch.is_grad_enabled`).
    - `watch(primitive, operands, params, result, residuals)` is called after every operation. Those of a fused
      primitive are a list, whose items it may replace.
    - `check(node, operand, g, part)` is called for every gradient `part` that a vjp of `node` makes of `g`.
    - `locate()` returns the user's line that is running, while anomalies are being detected.

    Tasks share a Mode, so none changes: other settings are another Mode.
    """

    __slots__ = ("check", "grad", "locate", "watch")

    def __init__(self, grad: bool = True, watch: Any = None, check: Any = None, locate: Any = None) -> None:
        self.grad: bool = grad
        self.watch: Callable[..., None] | None = watch
        self.check: Callable[..., None] | None = check
        self.locate: Callable[[], Any] | None = locate


# What each thread and each task has for itself. Calls of modules are frequent, so their scope (see `scopes.py`) is no
# part of the Mode.
_mode: ContextVar[Mode] = ContextVar("mode", default=Mode())
_scope: ContextVar[Any] = ContextVar("scope", default=None)
current_mode, set_mode = _mode.get, _mode.set
current_scope, enter_scope, leave_scope = _scope.get, _scope.set, _scope.reset
