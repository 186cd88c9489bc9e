"""Numpy text for the parts of an expression: operands, numbers, indices, dtypes."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minigrad.core import ops
from minigrad.core.primitive import Primitive, Shape
from minigrad.derive.copying import Helpers
from minigrad.derive.infix import COMPARISON, PRODUCT, SIGN, WHOLE
from minigrad.derive.plain import array_text, dtype_text, ints_text, is_number, list_text, literal, plain
from minigrad.derive.sharing import Sharing
from minigrad.derive.symbols import Symbol

Text = tuple[str, int]  # a text, and how strongly its parts hold together


class Expressions(Sharing):
    """The texts of Symbols so far, and how to put them into larger ones.

    `numbers` says that Symbols stand for floats, not for arrays. `texts` and `names`, the names to assign to, are keyed
    by the ids of Symbols. Of Symbols that are computed in the same way, only the first has a text.
    """

    def __init__(self, helpers: Helpers, numbers: bool) -> None:
        super().__init__()
        self.helpers, self.numbers = helpers, numbers
        self.texts: dict[int, Text] = {}
        self.names: dict[int, str] = {}

    # Operands

    def part(self, x: Any, least: int = COMPARISON) -> str:
        """The text of an operand, in brackets if its parts hold together less strongly than `least`."""
        x = self.canonical(x)
        if isinstance(x, Symbol) and x.value is None:
            text, strength = self.texts[id(x)]
        else:
            text, strength = number(x)
            if isinstance(x, Symbol) and not self.numbers:
                text = f"np.full({x.shape}, {text}, {dtype_of(x)})" if x.shape else f"{dtype_of(x)}({text})"
                strength = WHOLE
        return f"({text})" if strength < least else text

    def operand(self, x: Any, least: int, whole: Symbol) -> str:
        """The text of an operand of an elementwise primitive, without the steps that broadcasting makes needless."""
        x = self.canonical(x)
        arrays: list[Symbol] = []
        shapes: list[Shape] = []  # of the other operands; those before it may be written without what repeats them
        is_before = True
        for part in map(self.canonical, whole.arguments):
            if part is x:
                is_before = False
            elif isinstance(part, Symbol) and part.value is None:
                is_repeated = is_before and part.primitive is ops.expand
                arrays.append(part)
                shapes.append(self.canonical(part.arguments[0]).shape if is_repeated else part.shape)

        def is_broadcast(shape: Shape) -> bool:
            return np.broadcast_shapes(shape, *shapes) == whole.shape

        if isinstance(x, Symbol) and x.value is not None:
            alike = x.dtype == whole.dtype and any(other.dtype == whole.dtype for other in arrays)
            if alike and is_broadcast(()):  # beside an array of the dtype, a Python number takes that dtype
                return self.number_beside(x, least)
        elif isinstance(x, Symbol) and x.primitive is ops.expand and self.is_written_within(x):
            repeated = self.canonical(x.arguments[0])
            if is_broadcast(repeated.shape):
                return self._without_leading_ones(repeated, least)
        return self.part(x, least)

    def number_beside(self, x: Symbol, least: int) -> str:
        """The text of a number beside arrays of its dtype."""
        text, strength = number(x)
        return f"({text})" if strength < least else text

    def is_written_within(self, x: Symbol) -> bool:
        """Whether an `expand` stands within other expressions, and is no statement."""
        return self.texts[id(x)][0].startswith("np.broadcast_to(")

    def _without_leading_ones(self, x: Any, least: int) -> str:
        """An operand without the dims of size 1 in front, which broadcasting puts there."""
        if isinstance(x, Symbol) and x.primitive is ops.reshape and id(x) not in self.names and self.uses[id(x)] == 1:
            before = self.canonical(x.arguments[0])
            if x.shape == (1,) * (len(x.shape) - len(before.shape)) + before.shape:
                return self.part(before, least)
        return self.part(x, least)

    def filling(self, x: Any) -> str:
        """The right-hand side of an assignment to places: one number, if it is the same for all."""
        x = self.canonical(x)
        return number(x)[0] if isinstance(x, Symbol) and x.value is not None else self.part(x)

    # Parameters

    def argument(self, x: Any, primitive: Primitive) -> str:
        """A parameter as an argument of a function."""
        if isinstance(x, tuple) and any(isinstance(part, slice) for part in x):
            parts = [self.index(part) if isinstance(part, slice) else self.argument(part, primitive) for part in x]
            return f"np.s_[{', '.join(parts)}{',' * (len(x) == 1)}]"
        if isinstance(x, tuple):
            return f"({', '.join(self.argument(part, primitive) for part in x)}{',' * (len(x) == 1)})"
        if isinstance(x, slice):
            return f"np.s_[{self.index(x)}]"
        if isinstance(x, np.ndarray) and is_number(x.dtype):
            return array_text(x)
        if isinstance(x, str):
            return repr(plain(x))
        if isinstance(x, type) and x in np.sctypeDict.values():
            x = np.dtype(x)
        if isinstance(x, np.dtype) and is_number(x):
            return dtype_text(x)
        if x is None or x is ...:
            return self.index(x)
        if isinstance(x, Symbol | int | float) or (isinstance(x, np.generic) and is_number(x.dtype)):
            return self.part(x)
        raise ValueError(
            f"derive: {primitive.name}: its parameter of type {type(x).__name__} cannot be written in the source; give "
            "the primitive numbers, strings, arrays, dtypes, or tuples of these"
        )

    def key(self, key: tuple[Any, ...]) -> str:
        """What stands between the brackets of an index."""
        return ", ".join(self.index(part) for part in key)

    def index(self, part: Any) -> str:
        """One part of an index."""
        if isinstance(part, slice):
            ends = (part.start, part.stop) if part.step is None else (part.start, part.stop, part.step)
            return ":".join("" if end is None else self.index(end) for end in ends)
        if isinstance(part, np.ndarray):
            text = array_text(part)
            return list_text(part) if text.startswith("np.array(") else text
        if part is None or part is ... or isinstance(part, bool | np.bool_):
            return "..." if part is ... else str(part)
        if not isinstance(part, Symbol):
            return str(operator.index(part))
        text = self.part(part)
        return f"range({part.shape[0]})" if text.startswith("np.arange(") else text


Form = Callable[[Expressions, Symbol], Text | None]


def number(x: Any) -> Text:
    """A number, or a Symbol with a value. A quotient 1 / n is written so, if that gives the same bits."""
    value = plain(np.asarray(x.value).item() if isinstance(x, Symbol) else x)
    if type(value) is float and value and math.isfinite(value):
        if isinstance(x, Symbol):
            n = round(1 / value) if abs(value) > 1e-300 else 0
            if abs(n) > 1 and x.dtype.type(math.copysign(1.0, n) / abs(n)) == value:
                return f"{'-' * (n < 0)}1.0 / {abs(n)}", PRODUCT
            value = float(np.format_float_scientific(x.dtype.type(value)))
        elif 1e-4 < value < 0.3 and value == 1 / round(1 / value):
            return f"1 / {round(1 / value)}", PRODUCT
    text = literal(value)
    return text, SIGN if text.startswith("-") else WHOLE


def axes_text(params: Mapping[str, Any], x: Symbol) -> str:
    """The arguments that say which axes to reduce."""
    axes, keepdims = params["axes"], params["keepdims"]
    words = [] if len(axes) == len(x.shape) else [literal(axes[0]) if len(axes) == 1 else ints_text(axes)]
    return ", ".join([*words, *["keepdims=True"] * bool(keepdims)])


def dtype_of(x: Symbol) -> str:
    """The dtype of a Symbol, as source."""
    return dtype_text(x.dtype)
