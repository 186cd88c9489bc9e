"""The refusals of functions that call other functions."""

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

WITH_A_NAME = re.compile(r"[\w.]+: ")
REFUSABLE = AttributeError, TypeError, ValueError, OverflowError


def named_refusals(function: Function) -> Function:
    """Decorate a function so that an error of Python or numpy inside becomes a refusal with its name."""

    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except REFUSABLE as error:
            raise refusal(function.__name__, error) from None

    return named  # type: ignore[return-value]


def refusal(name: str, error: Exception) -> Exception:
    """Return the refusal that names the function `name` instead of an error inside it.

    An error that names a function already is returned itself. Others become a TypeError or a RuntimeError, as in
    PyTorch.
    """
    if WITH_A_NAME.match(str(error)):
        return error
    kind = TypeError if isinstance(error, AttributeError | TypeError) else RuntimeError
    return kind(f"{name}: {error}")
