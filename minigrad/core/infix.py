"""Operators: how each is written in Python and in formulas.

The table is keyed by the function that computes the operation. So a new primitive whose forward function is, say,
`operator.mul` is written with the same sign as `mul`, without being listed.
"""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.core.primitive import Primitive

# How strongly the parts of an expression hold together, from the weakest to the strongest.
COMPARISON, SUM, PRODUCT, SIGN, POWER, WHOLE = range(6)


class Infix(NamedTuple):
    """An operator between two operands: its sign in Python, its sign in a formula, and its strength."""

    python: str
    formula: str
    strength: int


INFIX: dict[Callable[..., Any], Infix] = {
    operator.eq: Infix("==", "=", COMPARISON),
    operator.ne: Infix("!=", "≠", COMPARISON),
    operator.ge: Infix(">=", "≥", COMPARISON),
    operator.gt: Infix(">", ">", COMPARISON),
    operator.le: Infix("<=", "≤", COMPARISON),
    operator.lt: Infix("<", "<", COMPARISON),
    operator.add: Infix("+", "+", SUM),
    operator.sub: Infix("-", "−", SUM),
    operator.mul: Infix("*", "·", PRODUCT),
    operator.truediv: Infix("/", "/", PRODUCT),
    np.matmul: Infix("@", "@", PRODUCT),
    operator.pow: Infix("**", "^", POWER),
}


def infix_of(primitive: Primitive) -> Infix | None:
    """The operator that a primitive is written with, or None if it is written as a call."""
    return INFIX.get(primitive.forward)
