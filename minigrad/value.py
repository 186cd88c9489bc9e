"""Value: micrograd's face over the table, for single numbers in float64."""

import operator
from typing import Any

import numpy as np

from minigrad import graph, ops
from minigrad.anomaly import Line
from minigrad.operators import Arithmetic
from minigrad.rows import Plan

_SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "relu": "ReLU"}


class Value(Arithmetic):
    """One number that records what is computed from it, as in micrograd's `engine.py`.

    `data` and `grad` are floats. `label` is its name in pictures. Results outside of the floats are refused as Python's
    own are: OverflowError, ValueError or ZeroDivisionError.

    >>> a, b = Value(-4.0), Value(2.0)
    >>> c = (a * b + b**3).relu() + b
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (2.0, 0.0, 1.0)
    """

    __slots__ = ("__weakref__", "data", "grad", "inputs", "label", "line", "number", "params", "plan")
    __array_ufunc__ = None  # so that `numpy.float64(2) * value` asks the value

    retains = True
    recorder = staticmethod(operator.attrgetter("on_values"))

    def __init__(self, data: Any, label: str = "") -> None:
        self.data, self.grad, self.label = float(data), 0.0, label
        self.plan: Plan | None = None
        self.inputs: tuple[Any, ...] = ()
        self.params: tuple[Any, ...] = ()
        self.line: Line | None = None
        self.number = next(graph.numbers)

    @property
    def saved(self) -> tuple[Any, ...]:
        """What the rules of the operation that made this take, in the order of its plan."""
        if self.plan is None:
            return ()
        operands = [x.data if isinstance(x, Value) else x for x in self.inputs]
        values = (self.data, *self.params, *operands)
        return tuple([values[i] for i in self.plan.kept])

    def backward(self) -> None:
        """Set this Value's `grad` to 1, and add to the `grad` of all that it was computed from."""
        self.grad = 0.0
        for value, g, _ in graph.reverse([(self, 1.0)], fit=None):
            value.grad += g

    def exp(self) -> "Value":
        """e to its power."""
        return ops.exp.on_values(self)

    def log(self) -> "Value":
        """Its natural logarithm; ValueError unless it is positive."""
        return ops.log.on_values(self)

    def tanh(self) -> "Value":
        """Its hyperbolic tangent."""
        return ops.tanh.on_values(self)

    def relu(self) -> "Value":
        """Itself if it is positive, else 0."""
        return ops.relu.on_values(self)

    @property
    def _op(self) -> str:
        """The operation that made it, as micrograd writes it."""
        return _SYMBOLS.get(self.plan.row.name, self.plan.row.name) if self.plan else ""

    @property
    def _prev(self) -> "set[Value]":
        """The Values that it was computed from, as micrograd keeps them."""
        return {x if isinstance(x, Value) else Value(x) for x in self.inputs}

    def __reduce__(self) -> Any:
        if self.plan is not None:
            raise RuntimeError(f"copy: this Value is a result of {self.plan.row.name}, not a leaf; copy Value(x.data)")
        return _rebuilt, (self.data, self.grad, self.label)

    def __repr__(self) -> str:
        made = f", op={self._op!r}" if self.plan else ""
        return f"Value(data={self.data}, grad={self.grad}{made})"


Value.partners = (Value, int, float, np.generic)  # and no Tensor, whose gradient would be lost


def _rebuilt(data: float, grad: float, label: str) -> Value:
    value = Value(data, label)
    value.grad = grad
    return value
