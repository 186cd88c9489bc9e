"""Value: micrograd's face over the table, for single numbers in float64."""

import operator
from typing import Any

import numpy as np

from minigrad.core import graph, ops
from minigrad.core.modes import current_mode
from minigrad.core.operators import Arithmetic, function
from minigrad.core.primitive import Plan, Primitive, Recorder
from minigrad.core.versions import sequence


class Value(Arithmetic):
    """One number that records what is computed from it, as in micrograd's `engine.py`.

    `data` and `grad` are floats, and `label` is its name in pictures. A Value is its own node: it has the fields of
    `record.Node` that the reverse pass reads. A result that is no float is refused as Python refuses it: with
    OverflowError, ValueError or ZeroDivisionError. With `_children` and `_op`, it is the result of an operation whose
    gradients the user computes in `_backward`, as in micrograd; see `micrograd.py`.

    >>> a, b = Value(-4.0), Value(2.0)
    >>> c = (a * b + b**3).relu() + b
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (2.0, 0.0, 1.0)
    """

    __slots__ = ("__weakref__", "data", "grad", "inputs", "label", "line", "params", "plan", "seq")
    __array_ufunc__ = None  # so that `numpy.float64(2) * value` asks the Value

    retains_grad = True
    recorder = staticmethod(operator.attrgetter("on_values"))

    _record_by_hand: Any  # of a result whose gradients the user computes; see micrograd.py

    def __init__(self, data: Any, _children: Any = (), _op: str = "", label: str = "") -> None:
        self.data, self.grad, self.label = _number("Value", data), 0.0, label
        self.plan: Plan | None = None
        self.inputs = self.params = tuple[Any, ...]()
        self.line, self.seq = None, next(sequence)
        if _children:
            self._record_by_hand(_children, _op)

    @property
    def saved(self) -> tuple[Any, ...]:
        """What the vjps can ask for, in the order of `Primitive.values`. Numbers need not be copied to be kept."""
        if len(self.inputs) == 2 and not self.params:  # the most frequent case, for speed
            a, b = self.inputs
            return self.data, a if type(a) is float else a.data, b if type(b) is float else b.data
        return (self.data, *self.params, *[x if type(x) is float else x.data for x in self.inputs])

    def backward(self) -> None:
        """Set this Value's `grad` to 1, and add to the `grad` of all that it was computed from."""
        self.grad = 0.0
        for value, g, _ in graph.reverse([(self, 1.0)]):
            value.grad += g

    exp, log, tanh, relu = map(function, (ops.exp, ops.log, ops.tanh, ops.relu))
    sigmoid, sin, cos = map(function, (ops.sigmoid, ops.sin, ops.cos))

    @property
    def _prev(self) -> "set[Value]":
        """The Values that it was computed from, as micrograd keeps them."""
        return {x if isinstance(x, Value) else Value(x) for x in self.inputs}

    @property
    def _op(self) -> str:
        """The operation that made it, as micrograd writes it."""
        return (self.plan.primitive.symbol or self.plan.primitive.name) if self.plan else ""

    def __reduce__(self) -> Any:
        if self.plan is not None:
            name = self.plan.primitive.name
            raise RuntimeError(f"copy: this Value is a result of {name}, not a leaf; copy Value(x.data)")
        return _rebuilt, (self.data, self.grad, self.label)

    def __repr__(self) -> str:
        made = f", op={self._op!r}" if self.plan else ""
        return f"Value(data={self.data}, grad={self.grad}{made})"


Value.partners = (Value, int, float, np.generic)  # and no Tensor, whose gradient would be lost


def _number(name: str, x: Any) -> float:
    try:
        return float(x)
    except (TypeError, ValueError, OverflowError) as error:
        raise type(error)(f"{name}: {error}") from None


def _rebuilt(data: float, grad: float, label: str) -> Value:
    value = Value(data, label=label)
    value.grad = grad
    return value


def recorder(primitive: Primitive) -> Recorder:
    """The function that applies a primitive to Values and numbers.

    `_any_operands` says all of it. Most operations have two operands; for these `_two_operands` does the same without
    loops, in half the time.
    """
    is_binary = len(primitive.operands) == 2 and not primitive.params
    return _two_operands(primitive) if is_binary else _any_operands(primitive)


def _any_operands(primitive: Primitive) -> Recorder:
    plans, compute = primitive.value_plans, primitive.scalar or primitive.forward

    def record(*arguments: Any) -> Value:
        operands, params = primitive.split(arguments)
        inputs = tuple([x if isinstance(x, Value) else _number(primitive.name, x) for x in operands])
        numbers = [x.data if isinstance(x, Value) else x for x in inputs]
        try:
            data = float(compute(*numbers, *params))
        except (ArithmeticError, ValueError) as error:
            raise _translated(primitive, numbers, error) from None
        plan = plans[tuple([isinstance(x, Value) for x in inputs])]
        return _result(data, plan, inputs, params)

    return record


def _two_operands(primitive: Primitive) -> Recorder:
    plans, compute = primitive.value_plans, primitive.scalar or primitive.forward

    def record(a: Any, b: Any) -> Value:
        a_needs, b_needs = isinstance(a, Value), isinstance(b, Value)
        x = a.data if a_needs else (a := _number(primitive.name, a))
        y = b.data if b_needs else (b := _number(primitive.name, b))
        try:
            data = float(compute(x, y))
        except (ArithmeticError, ValueError) as error:
            raise _translated(primitive, [x, y], error) from None
        return _result(data, plans[a_needs, b_needs], (a, b), ())

    return record


def _result(data: float, plan: Plan, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Value:
    value: Value = new(Value)
    value.data, value.seq = data, next(sequence)
    value.grad, value.label, value.line = 0.0, "", None
    value.plan, value.inputs, value.params = plan, inputs, params
    watch = current_mode().watch
    if watch is not None:
        watch(plan.primitive, inputs, params, value, ())
    return value


def _translated(primitive: Primitive, numbers: list[float], error: Exception) -> Exception:
    """Python's own error, with the operation and the numbers."""
    return type(error)(f"{primitive.name}: of {', '.join(map(str, numbers))}: {error}")


new = object.__new__

Primitive.recorders["Value"] = recorder
