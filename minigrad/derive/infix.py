"""Operators: how a primitive with a symbol, such as `+`, is written in a formula, and how strongly it binds."""

from typing import NamedTuple

from minigrad.core import ops
from minigrad.core.primitive import Primitive

# How strongly the parts of an expression hold together, from the weakest to the strongest.
COMPARISON, SUM, PRODUCT, SIGN, POWER, WHOLE = range(6)


class Infix(NamedTuple):
    """An operator between two operands: its sign in Python, its sign in a formula, and its strength."""

    python: str
    formula: str
    strength: int

    def brackets_on_the_right(self, strength: int) -> bool:
        """Whether an operand on the right needs brackets: if it binds no stronger, or has a sign, as in `a · (−b)`."""
        return strength <= self.strength or (strength == SIGN and self.strength > COMPARISON)


INFIX = {
    infix.python: infix
    for infix in (
        Infix("==", "=", COMPARISON),
        Infix("!=", "≠", COMPARISON),
        Infix(">=", "≥", COMPARISON),
        Infix(">", ">", COMPARISON),
        Infix("<=", "≤", COMPARISON),
        Infix("<", "<", COMPARISON),
        Infix("+", "+", SUM),
        Infix("-", "−", SUM),
        Infix("*", "·", PRODUCT),
        Infix("/", "/", PRODUCT),
        Infix("@", "@", PRODUCT),
        Infix("**", "^", POWER),
    )
}
# A primitive without a symbol has that of the primitive of the table with the same forward function.
_SYMBOLS = {primitive.forward: primitive.symbol for primitive in vars(ops).values() if isinstance(primitive, Primitive)}


def infix_of(primitive: Primitive) -> Infix | None:
    """The operator that a primitive is written with; None if it is written as a call, or has one operand."""
    if len(primitive.operands) != 2:
        return None
    return INFIX.get(primitive.symbol or _SYMBOLS.get(primitive.forward, ""))
