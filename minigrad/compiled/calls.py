"""Calls of functions that know arrays alone, such as numpy's, as primitives: steps that no row of the table has."""

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.core.primitive import Primitive

ITEM = operator.getitem
CONTIGUOUS = Primitive("contiguous", lambda x: np.asarray(x, order="C"), x=None)


class Call(Primitive):
    """A call of a function of numpy's, or of another that knows arrays alone, as a primitive without gradients.

    Its arguments are followed by those that have the names `keywords`.
    """

    def __init__(self, function: Callable[..., Any], keywords: tuple[str, ...] = ()) -> None:
        name = getattr(function, "__name__", "called")
        super().__init__(name, self.apply, params=(), arguments=None)
        self.function, self.keywords = function, keywords

    def apply(self, *arguments: Any) -> Any:
        """Call the function."""
        count = len(arguments) - len(self.keywords)
        return self.function(*arguments[:count], **dict(zip(self.keywords, arguments[count:], strict=True)))


called = functools.lru_cache(1000)(Call)
