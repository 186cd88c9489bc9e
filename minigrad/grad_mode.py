"""Recording on and off: `no_grad` and its relatives, and the with-blocks that they are (`torch.autograd.grad_mode`)."""

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from minigrad.core.modes import local

Function = TypeVar("Function", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread (`torch.is_grad_enabled`)."""
    return local.mode.grad


class Within:
    """A with-block, or a decorator of functions and generators, within which some settings are others.

    What was there before is there again after it, whether it is left by its end, an exception, or a yield.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.before: list[dict[str, Any]] = []

    def __enter__(self) -> None:
        self.before.append({name: getattr(local.mode, name) for name in self.settings})
        self._set(self.settings)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._set(self.before.pop())

    @staticmethod
    def _set(settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            setattr(local.mode, name, value)

    def __call__(self, function: Function) -> Function:
        """Decorate `function`; a generator runs so between one yield and the next, and its caller as it was."""
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
    """Settings that count from here on; at the head of a with-block, only to its end."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        super().__enter__()

    def __enter__(self) -> None:
        pass

    def __call__(self, function: Function) -> Function:
        """Decorate `function`, and let them count within it alone."""
        self.__exit__(None, None, None)
        return super().__call__(function)


class no_grad(Within):
    """Within it nothing is recorded: a with-block, or a decorator of functions and generators (`torch.no_grad`).

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
    """Within it operations are recorded again, inside of a `no_grad` (`torch.enable_grad`)."""

    enabled = True


class set_grad_enabled(From):
    """Record or not from here on, or within a with-block or a decorated function (`torch.set_grad_enabled`)."""

    def __init__(self, mode: bool) -> None:
        super().__init__(grad=bool(mode))


def inference_mode(mode: Any = True) -> Any:
    """`no_grad` by its other name; `inference_mode(False)` is `enable_grad` (`torch.inference_mode`)."""
    return no_grad()(mode) if callable(mode) else no_grad() if mode else enable_grad()
