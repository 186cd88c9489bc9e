"""The refusals of functions that call other functions."""

import functools
import re
from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

WITH_A_NAME = re.compile(r"[\w.]+: ")


def named_refusals(function: Function) -> Function:
    """Decorate a function so that an error of Python or numpy inside becomes a refusal with its name."""

    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            if WITH_A_NAME.match(str(error)):
                raise
            kind = TypeError if isinstance(error, AttributeError | TypeError) else RuntimeError
            raise kind(f"{function.__name__}: {error}") from None

    return named  # type: ignore[return-value]
