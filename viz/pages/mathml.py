"""Writes Symbols in MathML, the notation of browsers for formulas. Nothing but strings is needed for that.

`minigrad/derive/formula.py` writes the same expressions as plain text, in the same order and with the same brackets.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import numpy as np

from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive.formula import formula, is_associative, said
from minigrad.derive.infix import POWER, PRODUCT, SIGN, WHOLE, infix_of
from minigrad.derive.symbols import Symbol, is_mT

from ..text import number

MOST_ROWS, MOST_COLUMNS = 4, 4  # of a matrix that stands in a formula as numbers
Arrays = Mapping[str, np.ndarray]  # what stands in place of a name
Text = tuple[str, int]  # MathML, and how strongly its parts hold together


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


def expression(x: Any, arrays: Arrays | None = None) -> str:
    """Write a Symbol or a number: its names with their shapes, or `arrays` in place of names.

    >>> g, y = Symbol("g"), Symbol("y")
    >>> expression(g / y)
    '<mfrac><mi>g</mi><mi>y</mi></mfrac>'
    """
    if isinstance(x, Symbol) and x.primitive is ops.reshape:
        x = x.arguments[0]  # as in `formula`
    return _written(x, arrays or {})[0]


def _number(x: float, digits: int = 4) -> str:
    text = number(x, digits)
    return f"<mrow>{sign('−')}<mn>{text[1:]}</mn></mrow>" if text.startswith("-") else f"<mn>{text}</mn>"


def _bracketed(text: str) -> str:
    return f"<mrow>{sign('(')}{text}{sign(')')}</mrow>"


def _written(x: Any, arrays: Arrays) -> Text:
    if not isinstance(x, Symbol):
        if isinstance(x, int | float) and not isinstance(x, bool):
            return _number(x), SIGN if x < 0 else WHOLE
        return f"<mtext>{escape(formula(x))}</mtext>", WHOLE
    if x.primitive is None:
        if x.value is not None:
            return _written(np.asarray(x.value).item(), arrays)
        if x.name in arrays:
            array = arrays[x.name]
            return numbers(array), SIGN if array.ndim == 0 and array < 0 else WHOLE
        return name(x.name, x.shape), WHOLE
    form = _BY_FORWARD.get(x.primitive.forward)
    return (form and form(x, arrays)) or _infix(x, arrays) or _call(x, arrays)


def _part(x: Symbol, i: int, least: int, arrays: Arrays) -> str:
    text, strength = _written(x.arguments[i], arrays)
    return _bracketed(text) if strength < least else text


def _infix(x: Symbol, arrays: Arrays) -> Text | None:
    assert x.primitive
    infix = infix_of(x.primitive)
    if infix is None:
        return None
    left, (right, strength) = _part(x, 0, infix.strength, arrays), _written(x.arguments[1], arrays)
    if infix.brackets_on_the_right(strength) and not is_associative(x):
        right = _bracketed(right)
    return f"{left}{sign(infix.formula)}{right}", infix.strength


def _call(x: Symbol, arrays: Arrays) -> Text:
    assert x.primitive
    operands, params = x.primitive.split(x.arguments)
    words = [_written(operand, arrays)[0] for operand in operands]
    parameter = said(x.primitive, params, {})
    words += [f"<mtext>{escape(parameter)}</mtext>"] * bool(parameter)
    return f"<mi>{escape(x.primitive.name)}</mi>{_bracketed(sign(',').join(words))}", WHOLE


def _square(x: Symbol, arrays: Arrays) -> Text | None:
    if x.arguments[0] is not x.arguments[1]:
        return None
    return f"<msup>{_part(x, 0, WHOLE, arrays)}<mn>2</mn></msup>", POWER


def _negative(x: Symbol, arrays: Arrays) -> Text:
    return f"{sign('−')}{_part(x, 0, SIGN, arrays)}", SIGN


def _power(x: Symbol, arrays: Arrays) -> Text:
    return f"<msup>{_part(x, 0, WHOLE, arrays)}<mrow>{_written(x.arguments[1], arrays)[0]}</mrow></msup>", POWER


def _fraction(x: Symbol, arrays: Arrays) -> Text:
    above, below = (_written(part, arrays)[0] for part in x.arguments)
    return f"<mfrac>{_row(above)}{_row(below)}</mfrac>", PRODUCT


def _root(x: Symbol, arrays: Arrays) -> Text:
    return f"<msqrt>{_written(x.arguments[0], arrays)[0]}</msqrt>", WHOLE


def _total(x: Symbol, arrays: Arrays) -> Text:
    assert x.primitive
    axes = said(x.primitive, x.arguments[1:], {})
    return f"<munder>{sign('∑')}<mtext>{escape(f'dim {axes}')}</mtext></munder>{_part(x, 0, PRODUCT, arrays)}", PRODUCT


def _transposed(x: Symbol, arrays: Arrays) -> Text | None:
    return (f"<msup>{_part(x, 0, WHOLE, arrays)}<mi>T</mi></msup>", WHOLE) if is_mT(x.arguments[1]) else None


def _same(x: Symbol, arrays: Arrays) -> Text:
    """Leave out what changes no number: the shapes below the names say it."""
    return _written(x.arguments[0], arrays)


def _repeated(x: Symbol, arrays: Arrays) -> Text:
    """Write what is repeated as a product with ones."""
    ones = name("ones", x.arguments[1])
    return f"{ones}{sign('·')}{_part(x, 0, PRODUCT, arrays)}", PRODUCT


def _indexed(x: Symbol, arrays: Arrays) -> Text:
    assert x.primitive
    key = escape(said(x.primitive, x.arguments[1:], {}))
    return f"{_part(x, 0, WHOLE, arrays)}<mtext>{key}</mtext>", WHOLE


def _row(text: str) -> str:
    """Make one element of several."""
    return text if text.count("<") == 2 else f"<mrow>{text}</mrow>"


FORMS: dict[Primitive, Callable[[Symbol, Arrays], Text | None]] = {  # None: as any other operator or call
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
