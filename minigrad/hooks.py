"""Hooks: functions of the user's that are called with the gradient of a Tensor during a backward pass."""

import itertools
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from minigrad.checks import shown
from minigrad.core.graph import hooks
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor, wrap

Hook = Callable[..., Any]

_numbers = itertools.count()


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away, as does the end of a with-block."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks, self.id = hooks, next(_numbers)

    def remove(self) -> None:
        """Take the hook away, if it is still there."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.remove()


class TensorHooks(dict[int, Hook]):
    """The hooks of one Tensor. Called with its gradient, it calls them in order and returns what they make of it."""

    def __call__(self, g: Any) -> Any:
        recorded = isinstance(g, Tensor)
        for hook in [*self.values()]:
            result = hook(g if isinstance(g, Tensor) else wrap(np.array(g)))
            if result is None:
                continue
            if not isinstance(result, Tensor) or result.array.shape != g.shape:
                raise RuntimeError(
                    f"register_hook: the hook returned {shown(result)} for a gradient of shape {g.shape}"
                )
            g = result if recorded else result.array.astype(g.dtype, copy=False)
        return g


@method
def register_hook(self: Tensor, hook: Hook) -> RemovableHandle:
    """Call `hook` with the gradient of this Tensor in every backward pass (`torch.Tensor.register_hook`).

    If it returns a Tensor, that is the gradient from there on. `remove()` of the returned handle takes it away. Raises
    a RuntimeError if the Tensor does not require a gradient.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> handle = x.register_hook(lambda grad: grad * 10)
    >>> x.sum().backward()
    >>> x.grad
    tensor([10., 10.])
    """
    if not callable(hook):
        raise TypeError(f"register_hook: expected a function, got {shown(hook)}")
    if self.node is None or not self.node.requires_grad:
        raise RuntimeError("register_hook: this Tensor does not require a gradient, so it will get none")
    registered = hooks.get(self.node)
    if not isinstance(registered, TensorHooks):
        registered = hooks[self.node] = TensorHooks()
    handle = RemovableHandle(registered)
    registered[handle.id] = hook
    return handle
