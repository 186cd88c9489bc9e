"""Changes in place: what the arrays that share memory hold after one of them has changed, as Symbols.

A Symbol never changes. So a change makes a new Symbol for the array, for what it is a view of, and for all other views.
"""

from typing import Any

import numpy as np

from minigrad.compiled.calls import ITEM, called
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive.symbols import Symbol


def after_change(target: Symbol, changed: Symbol, sharing: list[Symbol]) -> dict[int, Symbol]:
    """What the arrays that share memory hold after a change of one of them, by the ids of their Symbols before.

    The change goes up to what the target is a view of, and from there down to the other views of that.
    """
    known = {id(x) for symbol in sharing for x in (*_steps_to(symbol), symbol)}
    known |= {id(step.arguments[0]) for symbol in sharing for step in _steps_to(symbol)}
    steps = _steps_to(target)
    while steps and id(steps[-1].arguments[0]) not in known:
        steps.pop()
    for step in steps:
        changed = _put_back(step, changed)
    found = {id(steps[-1].arguments[0] if steps else target): changed}
    for symbol in (target, *sharing):
        for step in reversed(_steps_to(symbol)):
            before, setting = step.arguments
            if id(before) in found and id(step) not in found:
                found[id(step)] = made_by(step.primitive, (found[id(before)], setting), step)
    return found


def _steps_to(view: Symbol) -> list[Symbol]:
    """The steps that make a view, the last one first."""
    steps = []
    while view.primitive in (ops.index, ops.reshape, ops.permute, called(ITEM)):
        steps.append(view)
        view = view.arguments[0]
    return steps


def _put_back(view: Symbol, changed: Symbol) -> Symbol:
    """The array that a Symbol is a view of, after a change of the view."""
    x, setting = view.arguments
    if view.primitive is ops.reshape:
        return made_by(ops.reshape, (changed, x.shape), x)
    if view.primitive is ops.permute:
        return made_by(ops.permute, (changed, tuple(np.argsort(setting).tolist())), x)
    return made_by(ops.assign, (x, changed, setting), x)


def made_by(primitive: Primitive | None, arguments: tuple[Any, ...], like: Symbol | np.ndarray) -> Symbol:
    """The Symbol of a step whose result has the shape and dtype of another."""
    symbol = Symbol("", like.shape, like.dtype)
    symbol.primitive, symbol.arguments = primitive, arguments
    return symbol
