"""Formulas: Symbols printed for people, as on the arrows of pictures."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.core import ops
from minigrad.core.primitive import Plan, Primitive, Shape, Traced, parameter_names
from minigrad.derive.infix import POWER, SIGN, WHOLE, infix_of
from minigrad.derive.symbols import Symbol, is_mT

Names = Mapping[Any, str]  # of arrays, by their id
Text = tuple[str, int]  # a text, and how strongly its parts hold together

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
ASSOCIATIVE = {operator.add: {operator.add}, operator.mul: {operator.mul, operator.truediv}}  # no brackets on the right

# A formula names the first of these parameters that a primitive has: without it `sum(x)` could mean many things.
SAID = ("axes", "axis", "key", "shape", "dtype", "terms")
# In these the parameter is plain from the operands, or always the same.
UNSAID = {ops.amax, ops.amin, ops.ties, ops.log_softmax, ops.logsumexp, ops.one_hot, ops.batch_norm}


def formula(x: Any, names: Names | None = None) -> str:
    """Print a Symbol or a number. `names` are the names of arrays that it is indexed by.

    >>> g, y = Symbol("g"), Symbol("y")
    >>> formula(g * (1 - y * y))
    'g · (1 − y²)'
    """
    if isinstance(x, Symbol) and x.primitive is ops.reshape:
        x = x.arguments[0]  # a gradient has its operand's shape in any case
    return _written(x, names or {})[0]


def gradients(
    plan: Plan,
    operands: Sequence[Any],
    params: tuple[Any, ...],
    shape: Shape,
    dtype: Any,
    called: Mapping[str, str] | None = None,
) -> dict[int, Any]:
    """Apply the vjps of a plan to Symbols: the gradient of each operand that gets one, by its place.

    Of `operands`, arrays or numbers, only shape and dtype count. `shape` and `dtype` are those of the result. The
    Symbols have the names that vjps use: `g`, `y`, and the primitive's names for its operands; or, for each of these,
    the name that `called` has instead.
    """
    called = called or {}
    primitive = plan.primitive
    names = primitive.operands
    if len(names) != len(operands):
        names = tuple([f"x{place}" for place in range(len(operands))])
    values = dict(zip(names, operands, strict=True)) | dict(zip(primitive.params, params, strict=True))
    values = {name: _named(called.get(name, name), x) for name, x in values.items()}
    shapes = {f"{name}_shape": getattr(x, "shape", ()) for name, x in values.items()}
    values |= {name: Symbol(called.get(name, name), shape, dtype) for name in ("g", "y")}
    if primitive.residuals:
        zeros = [x.like() if isinstance(x, Symbol) else x for x in values.values()][: len(names) + len(params)]
        with np.errstate(all="ignore"):
            residuals = zip(primitive.residuals, primitive.forward(*zeros)[1:], strict=True)
        values |= {name: Symbol(name, np.shape(x), np.asarray(x).dtype) for name, x in residuals}
    found: dict[int, Any] = {}
    for place, vjp, *_ in plan.steps if plan.joint is None else [plan.joint]:
        result = vjp(*[values[name] if name in values else shapes[name] for name in parameter_names(vjp)])
        found |= {place: result} if plan.joint is None else dict(enumerate(result))
    return found


def _named(name: str, x: Any) -> Any:
    """A Symbol in place of a Tensor, a node, an array or a Value. Any other parameter stays as it is."""
    if hasattr(x, "dtype") and not isinstance(x, type):
        return Symbol(name, x.shape, x.dtype)
    return Symbol(name, (), float) if isinstance(x, Traced) else x


def _written(x: Any, names: Names) -> Text:
    if not isinstance(x, Symbol):
        return _value(x, names), SIGN if isinstance(x, int | float) and x < 0 else WHOLE
    if x.primitive is None:
        return x.name, WHOLE
    form = _BY_FORWARD.get(x.primitive.forward)
    return (form and form(x, names)) or _infix(x, names) or _call(x, names)


def _part(x: Symbol, i: int, least: int, names: Names) -> str:
    """The text of an argument, in brackets if its parts hold together less strongly than `least`."""
    text, strength = _written(x.arguments[i], names)
    return f"({text})" if strength < least else text


def _infix(x: Symbol, names: Names) -> Text | None:
    assert x.primitive
    infix = infix_of(x.primitive)
    if infix is None:
        return None
    left, (text, strength) = _part(x, 0, infix.strength, names), _written(x.arguments[1], names)
    if infix.brackets_on_the_right(strength) and not is_associative(x):
        text = f"({text})"
    return f"{left} {infix.formula} {text}", infix.strength


def is_associative(x: Symbol) -> bool:
    """Whether an operator and the one on its right may be grouped either way, as in `a · (b · c)`."""
    right = x.arguments[1]
    function = right.primitive.forward if isinstance(right, Symbol) and right.primitive else None
    return x.primitive is not None and function in ASSOCIATIVE.get(x.primitive.forward, ())


def _call(x: Symbol, names: Names) -> Text:
    assert x.primitive
    operands, params = x.primitive.split(x.arguments)
    words = [_written(operand, names)[0] for operand in operands]
    parameter = said(x.primitive, params, names)
    return f"{x.primitive.name}({', '.join([*words, *[parameter] * bool(parameter)])})", WHOLE


def _square(x: Symbol, names: Names) -> Text | None:
    return (f"{_part(x, 0, WHOLE, names)}²", POWER) if x.arguments[0] is x.arguments[1] else None


def _negative(x: Symbol, names: Names) -> Text:
    return f"−{_part(x, 0, SIGN, names)}", SIGN


def _power(x: Symbol, names: Names) -> Text:
    base, exponent = _part(x, 0, WHOLE, names), x.arguments[1]
    if isinstance(exponent, int | float) and abs(exponent) < 1000 and exponent == int(exponent):
        return f"{base}{str(int(exponent)).translate(SUPERSCRIPTS)}", POWER
    return f"{base}^{_part(x, 1, WHOLE, names)}", POWER


def _transposed(x: Symbol, names: Names) -> Text | None:
    return (f"{_part(x, 0, WHOLE, names)}ᵀ", WHOLE) if is_mT(x.arguments[1]) else None


def _reshaped(x: Symbol, names: Names) -> Text | None:
    """Leave out a reshape that broadcasting makes plain, and that of indices."""
    before = x.arguments[0]
    is_plain = _without_leading_ones(x.shape) == _without_leading_ones(before.shape) or before.dtype.kind == "i"
    return _written(before, names) if is_plain else None


def _indexed(x: Symbol, names: Names) -> Text:
    assert x.primitive
    return f"{_part(x, 0, WHOLE, names)}{said(x.primitive, x.arguments[1:], names)}", WHOLE


FORMULAS: dict[Primitive, Callable[[Symbol, Names], Text | None]] = {  # None: as any other operator or call
    ops.mul: _square,
    ops.neg: _negative,
    ops.pow: _power,
    ops.permute: _transposed,
    ops.reshape: _reshaped,
    ops.index: _indexed,
}
# Another primitive with the same forward function reads the same.
_BY_FORWARD = {primitive.forward: form for primitive, form in FORMULAS.items()}


def said(primitive: Primitive, params: tuple[Any, ...], names: Names) -> str:
    """The parameter of an operation that a formula names, or an empty text."""
    values = dict(zip(primitive.params, params, strict=True))
    kind = next((name for name in primitive.params if name in SAID), None)
    if kind is None or primitive in UNSAID:
        return ""
    value = values[kind]
    # If the leading axes are reduced, broadcasting puts them back: keepdims makes no difference.
    leading = kind == "axes" and isinstance(value, tuple) and value == tuple(range(len(value)))
    return _parameter(kind, value, names) + ", keepdims" * bool(values.get("keepdims", False) and not leading)


def _parameter(kind: str, x: Any, names: Names) -> str:
    if not isinstance(x, tuple):
        return _value(x, names)
    if kind == "key":
        return f"[{', '.join(_value(part, names) for part in x)}]"
    if kind == "terms" and len(x) == 3:
        return "{},{}→{}".format(*x)
    return _value(x[0] if kind == "axes" and len(x) == 1 else x, names)


def _value(x: Any, names: Names) -> str:
    """A parameter or a number, in few characters."""
    match x:
        case bool() | None:
            return str(x)
        case int() | float():
            return f"{x:.5g}".replace("-", "−") if isinstance(x, float) else str(x).replace("-", "−")
        case slice():
            ends = (x.start, x.stop) if x.step is None else (x.start, x.stop, x.step)
            return ":".join("" if end is None else _value(end, names) for end in ends)
        case tuple():
            return f"({', '.join(_value(part, names) for part in x)}{',' * (len(x) == 1)})"
        case np.ndarray() if x.ndim:
            count = int(np.count_nonzero(x)) if x.dtype == bool else x.size
            return names.get(id(x), f"{count:,} place{'s' * (count != 1)}")
        case _ if x is ...:
            return "..."
    return str(x)


def _without_leading_ones(shape: Shape) -> Shape:
    return shape[next((axis for axis, size in enumerate(shape) if size != 1), len(shape)) :]
