"""Hooks: functions that a Module, or an optimizer, calls before and after its work.

They stand apart so that a Module without hooks, which is the rule, is called without looking for any.
"""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.checks import flag_of
from minigrad.hooks import RemovableHandle


class Hook(NamedTuple):
    """A function to call, whether it gets the keyword arguments too, and whether it is called after an error too."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


Hooks = dict[int, Hook]


def registered(name: str, hooks: Hooks, function: Any, prepend: bool = False, **flags: bool) -> RemovableHandle:
    """Add a hook at the end, or with `prepend` at the start. Raises a TypeError for anything but a function."""
    if not callable(function):
        raise TypeError(f"{name}: expected a function, got {type(function).__name__}")
    for flag, value in {"prepend": prepend, **flags}.items():
        flag_of(name, flag, value)
    handle, before = RemovableHandle(hooks), dict(hooks)
    if prepend:
        hooks.clear()
    hooks[handle.id] = Hook(function, **flags)
    hooks.update(before)
    return handle


def call_with_hooks(module: Any, hooks: tuple[Hooks, Hooks], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call the first hooks with the arguments, then `forward`, then the second hooks with the result.

    What a hook returns, unless it is None, replaces the arguments or the result.
    """
    before, after = hooks
    result: Any = None
    called = set()
    try:
        for hook in [*before.values()]:
            args, kwargs = _changed(module, hook, args, kwargs)
        result = module.forward(*args, **kwargs)
        for number, hook in [*after.items()]:
            called.add(number)
            result = _followed(module, hook, args, kwargs, result)
        return result
    except Exception:
        for number, hook in [*after.items()]:
            if hook.always_call and number not in called:
                try:
                    result = _followed(module, hook, args, kwargs, result)
                except Exception as error:
                    warnings.warn(f"a hook raised an error after another error: {error}", stacklevel=3)
        raise


def _changed(
    module: Any, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments after a hook has seen them."""
    changed = hook.function(module, args, kwargs) if hook.with_kwargs else hook.function(module, args)
    if changed is None:
        return args, kwargs
    if not hook.with_kwargs:
        return (changed if isinstance(changed, tuple) else (changed,)), kwargs
    if not isinstance(changed, tuple) or len(changed) != 2:
        raise RuntimeError(f"{type(module).__name__}: a pre-hook must return None, or a tuple of args and kwargs")
    return changed


def _followed(module: Any, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    """Return the result after a hook has seen it."""
    given = (module, args, kwargs, result) if hook.with_kwargs else (module, args, result)
    changed = hook.function(*given)
    return result if changed is None else changed
