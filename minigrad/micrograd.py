"""micrograd's inner face of Value: `Value(data, children, op)` and `_backward`, for programs that extend it.

micrograd keeps in each result a function, `_backward`, that adds to the gradients of its children. minigrad keeps the
vjps of the table. Here each is made to look like the other.
"""

import functools
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.checks import shown
from minigrad.core.primitive import Primitive
from minigrad.core.value import Value

Backward = Callable[[], None]


class ByHand:
    """An operation of the user's, as the parameter of its primitive: its result, and the function of its gradients."""

    def __init__(self, result: Value) -> None:
        self.result, self.backward = result, _nothing


def _nothing() -> None:
    """Add nothing: what `_backward` does before it is set."""


def record_by_hand(result: Value, children: Iterable[Any], op: str) -> None:
    """Let a new Value be the result of an operation on others, whose `_backward` is set later."""
    inputs = tuple(dict.fromkeys(children))
    if not all(isinstance(x, Value) for x in inputs):
        raise TypeError(f"Value: the children must be Values, got {shown(inputs)}")
    result.inputs, result.params = inputs, (ByHand(result),)
    result.plan = _operation(op).value_plans[(True,) * len(inputs)]


@functools.lru_cache(1000)
def _operation(op: str) -> Primitive:
    return Primitive(
        op, _nothing, params=("by_hand",), joint_vjp=lambda g, by_hand: _gradients(g, by_hand), values=None
    )


def _gradients(g: float, by_hand: ByHand) -> list[float]:
    """Return what `_backward` adds to the gradient of each child, if the gradient of the result is `g`."""
    values = [by_hand.result, *by_hand.result.inputs]
    kept = [value.grad for value in values]
    for value in values:
        value.grad = 0.0
    by_hand.result.grad = g
    by_hand.backward()
    found = [value.grad for value in values[1:]]
    for value, grad in zip(values, kept, strict=True):
        value.grad = grad
    return found


def backward_of(value: Value) -> Backward:
    """The function that adds to the gradients of the children of a Value what its own gradient makes of them."""
    if value.params and isinstance(value.params[0], ByHand):
        return value.params[0].backward

    def backward() -> None:
        for position, vjp, arity, pick in value.plan.steps if value.plan else ():
            saved = pick(value.saved)
            value.inputs[position].grad += vjp(value.grad, saved) if arity == 1 else vjp(value.grad, *saved[:arity])

    return backward


def set_backward(value: Value, backward: Backward) -> None:
    """Set the function that adds to the gradients of the children of a Value that was made with children."""
    if value.params and isinstance(value.params[0], ByHand):
        value.params[0].backward = backward
    elif value.plan is not None:
        raise AttributeError("_backward: this Value is a result of minigrad's; make one with Value(data, children, op)")


Value._record_by_hand = record_by_hand
Value._backward = property(backward_of, set_backward)  # type: ignore[attr-defined]
