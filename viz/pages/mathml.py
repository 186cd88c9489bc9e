"""Writes Symbols in MathML, the notation of browsers for formulas. Nothing but strings is needed for that.

`minigrad/derive/formula.py` writes the same expressions as plain text, in the same order and with the same brackets.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive.formula import Names, formula, is_associative, said
from minigrad.derive.infix import POWER, PRODUCT, SIGN, WHOLE, infix_of
from minigrad.derive.symbols import Symbol, is_mT

from ..text import number

MOST_ROWS, MOST_COLUMNS = 4, 4  # of a matrix that stands in a formula as numbers
Text = tuple[str, int]  # MathML, and how strongly its parts hold together


class Given(NamedTuple):
    """What an expression is written with: the arrays that stand in place of names, and the names of index arrays."""

    arrays: Mapping[str, np.ndarray]
    names: Names


def math(*parts: str) -> str:
    """Join parts to one formula."""
    return f'<math display="block"><mrow>{"".join(parts)}</mrow></math>'


def name(word: str, shape: tuple[int, ...] = ()) -> str:
    """Write a name, with its shape below if it has dims."""
    letter = f"<mi>{escape(word)}</mi>"
    return f"<munder>{letter}<mtext>{'×'.join(map(str, shape))}</mtext></munder>" if shape else letter


def sign(text: str) -> str:
    """Write an operator or an equals sign."""
    return f"<mo>{escape(text)}</mo>"


def dims(axes: tuple[int, ...]) -> str:
    """Name dims, as in `dims 0, 1`."""
    return f"dim{'s' * (len(axes) > 1)} {', '.join(map(str, axes))}"


def total(axes: tuple[int, ...]) -> str:
    """Write the sign of a sum over dims."""
    return f"<munder>{sign('∑')}<mtext>{dims(axes)}</mtext></munder>"


def is_small(array: np.ndarray) -> bool:
    """Whether an array can stand in a formula as numbers."""
    shape = np.atleast_2d(array).shape
    return len(shape) == 2 and 0 < shape[0] <= MOST_ROWS and 0 < shape[1] <= MOST_COLUMNS


def numbers(array: np.ndarray) -> str:
    """Write a small array as a number or a matrix."""
    rows = np.atleast_2d(array).tolist()
    cells = ["".join(f"<mtd>{_number(x, 3)}</mtd>" for x in row) for row in rows]
    if array.ndim == 0:
        return _number(array.item())
    table = "".join(f"<mtr>{row}</mtr>" for row in cells)
    return f"<mtable>{table}</mtable>"  # whose brackets are borders: few fonts have brackets of every height


def expression(x: Any, arrays: Mapping[str, np.ndarray] | None = None, names: Names | None = None) -> str:
    """Write a Symbol or a number: its names with their shapes, or `arrays` in place of names.

    `names` are the names of arrays that it is indexed by, as in `formula`.

    >>> g, y = Symbol("g"), Symbol("y")
    >>> expression(g / y)
    '<mfrac><mi>g</mi><mi>y</mi></mfrac>'
    """
    if isinstance(x, Symbol) and x.primitive is ops.reshape:
        x = x.arguments[0]  # as in `formula`
    return _written(x, Given(arrays or {}, names or {}))[0]


def _number(x: float, digits: int = 4) -> str:
    text = number(x, digits)
    return f"<mrow>{sign('−')}<mn>{text[1:]}</mn></mrow>" if text.startswith("-") else f"<mn>{text}</mn>"


def _bracketed(text: str) -> str:
    return f"<mrow>{sign('(')}{text}{sign(')')}</mrow>"


def _written(x: Any, given: Given) -> Text:
    if not isinstance(x, Symbol):
        if isinstance(x, int | float) and not isinstance(x, bool):
            return _number(x), SIGN if x < 0 else WHOLE
        return f"<mtext>{escape(formula(x))}</mtext>", WHOLE
    if x.primitive is None:
        if x.value is not None:
            return _written(np.asarray(x.value).item(), given)
        if x.name in given.arrays:
            array = given.arrays[x.name]
            return numbers(array), SIGN if array.ndim == 0 and array < 0 else WHOLE
        return name(x.name, x.shape), WHOLE
    form = _BY_FORWARD.get(x.primitive.forward)
    return (form and form(x, given)) or _infix(x, given) or _call(x, given)


def _part(x: Symbol, i: int, least: int, given: Given) -> str:
    text, strength = _written(x.arguments[i], given)
    return _bracketed(text) if strength < least else text


def _infix(x: Symbol, given: Given) -> Text | None:
    assert x.primitive
    infix = infix_of(x.primitive)
    if infix is None:
        return None
    left, (right, strength) = _part(x, 0, infix.strength, given), _written(x.arguments[1], given)
    first = x.arguments[0]
    if infix.strength == PRODUCT and isinstance(first, Symbol) and first.primitive is ops.sum:
        left = _bracketed(left)  # or the sum would seem to go on to the end of the product
    if infix.brackets_on_the_right(strength) and not is_associative(x):
        right = _bracketed(right)
    return f"{left}{sign(infix.formula)}{right}", infix.strength


def _call(x: Symbol, given: Given) -> Text:
    assert x.primitive
    operands, params = x.primitive.split(x.arguments)
    words = [_written(operand, given)[0] for operand in operands]
    parameter = said(x.primitive, params, given.names)
    words += [f"<mtext>{escape(parameter)}</mtext>"] * bool(parameter)
    return f"<mi>{escape(x.primitive.name)}</mi>{_bracketed(sign(',').join(words))}", WHOLE


def _square(x: Symbol, given: Given) -> Text | None:
    if x.arguments[0] is not x.arguments[1]:
        return None
    return f"<msup>{_part(x, 0, WHOLE, given)}<mn>2</mn></msup>", POWER


def _negative(x: Symbol, given: Given) -> Text:
    return f"{sign('−')}{_part(x, 0, SIGN, given)}", SIGN


def _power(x: Symbol, given: Given) -> Text:
    return f"<msup>{_part(x, 0, WHOLE, given)}<mrow>{_written(x.arguments[1], given)[0]}</mrow></msup>", POWER


def _fraction(x: Symbol, given: Given) -> Text:
    above, below = (_written(part, given)[0] for part in x.arguments)
    return f"<mfrac>{_row(above)}{_row(below)}</mfrac>", PRODUCT


def _root(x: Symbol, given: Given) -> Text:
    return f"<msqrt>{_written(x.arguments[0], given)[0]}</msqrt>", WHOLE


def _total(x: Symbol, given: Given) -> Text:
    return f"{total(x.arguments[1])}{_part(x, 0, PRODUCT, given)}", PRODUCT


def _transposed(x: Symbol, given: Given) -> Text | None:
    return (f"<msup>{_part(x, 0, WHOLE, given)}<mi>T</mi></msup>", WHOLE) if is_mT(x.arguments[1]) else None


def _same(x: Symbol, given: Given) -> Text:
    """Leave out what changes no number: the shapes below the names say it."""
    return _written(x.arguments[0], given)


def _repeated(x: Symbol, given: Given) -> Text:
    """Write what is repeated as a product with ones."""
    ones = name("ones", x.arguments[1])
    return f"{ones}{sign('·')}{_part(x, 0, PRODUCT, given)}", PRODUCT


def _indexed(x: Symbol, given: Given) -> Text:
    assert x.primitive
    key = escape(said(x.primitive, x.arguments[1:], given.names))
    return f"{_part(x, 0, WHOLE, given)}<mtext>{key}</mtext>", WHOLE


def _row(text: str) -> str:
    """Make one element of several."""
    return text if text.count("<") == 2 else f"<mrow>{text}</mrow>"


FORMS: dict[Primitive, Callable[[Symbol, Given], Text | None]] = {  # None: as any other operator or call
    ops.mul: _square,
    ops.neg: _negative,
    ops.pow: _power,
    ops.div: _fraction,
    ops.sqrt: _root,
    ops.sum: _total,
    ops.permute: _transposed,
    ops.reshape: _same,
    ops.expand: _repeated,
    ops.cast: _same,
    ops.index: _indexed,
}
# Another primitive with the same forward function reads the same.
_BY_FORWARD = {primitive.forward: form for primitive, form in FORMS.items()}
