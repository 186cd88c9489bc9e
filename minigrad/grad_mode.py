"""`no_grad`, `enable_grad` and the like: they switch recording on and off (`torch.autograd.grad_mode`).

The switch itself is in `core/modes.py`, where the recorder reads it. `Within` and `From` are the with-blocks and
decorators that set it; `detect_anomaly` uses them too.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from minigrad.checks import flag_of
from minigrad.core.modes import Mode, current_mode, set_mode

Function = TypeVar("Function", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Return whether operations are recorded in this thread or asyncio task (`torch.is_grad_enabled`)."""
    return current_mode().grad


def _but(mode: Mode, settings: Mapping[str, Any]) -> Mode:
    """Return another Mode, with the settings of `mode` but for the ones that are given."""
    other = Mode(mode.grad, mode.watch, mode.check, mode.locate)
    for name, value in settings.items():
        setattr(other, name, value)
    return other


class Within:
    """A with-block, or a decorator for functions and generators, that changes settings of this thread or asyncio task.

    The previous settings return when the block ends, raises an exception, or (in a decorated generator) yields.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.before: dict[Mode, Mode] = {}  # the settings before a block, by those within it

    def __enter__(self) -> None:
        before = current_mode()
        within = _but(before, self.settings)
        self.before[within] = before
        set_mode(within)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode = current_mode()
        if mode in self.before:
            set_mode(self.before.pop(mode))
        else:  # something else has changed since, such as by `set_grad_enabled`
            _, before = self.before.popitem()
            set_mode(_but(mode, {name: getattr(before, name) for name in self.settings}))

    def __call__(self, function: Function) -> Function:
        """Decorate `function`. The settings hold while a generator runs, but not in its caller between two yields."""
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                generator = function(*args, **kwargs)
                send, value = generator.send, None
                while True:
                    try:
                        with Within(**self.settings):
                            result = send(value)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        send, value = generator.send, (yield result)
                    except GeneratorExit:
                        with Within(**self.settings):
                            generator.close()
                        raise
                    except BaseException as error:
                        send, value = generator.throw, error
        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with Within(**self.settings):
                    return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class From(Within):
    """Settings that change when the object is made, and that a with-block sets back at its end."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        super().__enter__()

    def __enter__(self) -> None:
        pass

    def __call__(self, function: Function) -> Function:
        """Decorate `function`: set the settings back now, so that they hold only while it runs."""
        self.__exit__(None, None, None)
        return super().__call__(function)


class no_grad(Within):
    """Switch recording off, in a with-block or in a decorated function or generator (`torch.no_grad`).

    >>> import minigrad
    >>> weight = minigrad.ones(2, requires_grad=True)
    >>> with minigrad.no_grad():
    ...     print((weight * 2).requires_grad)
    False
    """

    enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        return super().__new__(cls) if function is None else cls()(function)

    def __init__(self) -> None:
        super().__init__(grad=self.enabled)


class enable_grad(no_grad):
    """Switch recording on again inside a `no_grad` block (`torch.enable_grad`)."""

    enabled = True


class set_grad_enabled(From):
    """Switch recording on or off, from here on or in a with-block or function (`torch.set_grad_enabled`)."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=flag_of("set_grad_enabled", "mode", mode))


def inference_mode(mode: Any = True) -> Any:
    """Do the same as `no_grad`; `inference_mode(False)` does the same as `enable_grad` (`torch.inference_mode`)."""
    if callable(mode):
        return no_grad()(mode)
    return no_grad() if flag_of("inference_mode", "mode", mode) else enable_grad()
