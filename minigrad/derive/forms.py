"""How each primitive is written in numpy.

`FORMS` lists the primitives that need a spelling of their own. All others, new ones too, follow from the function that
computes them: a Python operator is written with its sign, a function of numpy or math is called by its name, and any
other Python function is copied in front of the source.
"""

import json
import math
import re
from typing import Any, NamedTuple

from minigrad.core import ops
from minigrad.core.kernels import LONG, total
from minigrad.core.primitive import Primitive
from minigrad.derive.copying import is_copied
from minigrad.derive.expressions import Expressions, Form, Text, axes_text
from minigrad.derive.infix import POWER, PRODUCT, SIGN, SUM, WHOLE, infix_of
from minigrad.derive.plain import dtype_text, ints_text, literal
from minigrad.derive.symbols import OUTPUT, Symbol, is_mT

# Where the greatest and the least elements are: `max` and `min` are told.
ARGMAX = Primitive("argmax", lambda x, axis: x.argmax(axis, keepdims=True), x=None)
ARGMIN = Primitive("argmin", lambda x, axis: x.argmin(axis, keepdims=True), x=None)


class Call(NamedTuple):
    """The words for a call: operands by their places, parameters by their names. An empty text stands for the default.

    `numbers` are the words for floats, where a derivation has Values.
    """

    arrays: str
    numbers: str = ""


def text(writer: Expressions, symbol: Symbol) -> Text:
    """Write a primitive and its arguments."""
    assert symbol.primitive
    form = _BY_FORWARD.get(symbol.primitive.forward)
    if isinstance(form, Call):
        words = form.numbers if writer.numbers else form.arrays
        return _filled(words, writer, symbol) if words else _called(writer, symbol)
    return (form and form(writer, symbol)) or _infix(writer, symbol) or _called(writer, symbol)


def _filled(words: str, writer: Expressions, symbol: Symbol) -> Text:
    primitive, operands, params = _arguments(symbol)
    least = WHOLE if words.startswith("{0}") else 0  # `{0}.max()` needs brackets where `np.max({0})` does not
    texts = {name: writer.argument(x, primitive) for name, x in params.items() if f"{{{name}}}" in words}
    if "keepdims" in params:
        texts["axes"] = axes_text(params, operands[0])
    return words.format(*(writer.part(x, least) for x in operands), **texts), WHOLE


def _infix(writer: Expressions, symbol: Symbol) -> Text | None:
    assert symbol.primitive
    infix = infix_of(symbol.primitive)
    if infix is None:
        return None
    left, right = symbol.arguments
    strength = infix.strength
    if symbol.primitive.elementwise:
        texts = writer.operand(left, strength, symbol), writer.operand(right, strength + 1, symbol)
    else:
        texts = writer.part(left, strength), writer.part(right, strength + 1)
    return f" {infix.python} ".join(texts), strength


def _called(writer: Expressions, symbol: Symbol) -> Text:
    """A call of the function that computes a primitive."""
    primitive, operands, params = _arguments(symbol)
    function = (primitive.scalar if writer.numbers else None) or primitive.forward
    name = writer.helpers.name_of(function, primitive.name, primitive)
    arguments = [*map(writer.part, operands), *(writer.argument(x, primitive) for x in params.values())]
    call = f"{name}({', '.join(arguments)})"
    if writer.numbers and not name.startswith("math."):  # a Value takes the float of what its function returns
        call = f"{writer.helpers.name_of(float, 'float', primitive)}({call})"
    return call, WHOLE


def _arguments(symbol: Symbol) -> tuple[Primitive, tuple[Any, ...], dict[str, Any]]:
    """A Symbol's primitive, its operands, and its parameters by the names that they have in `FORMS`, or else there."""
    assert symbol.primitive
    operands, params = symbol.primitive.split(symbol.arguments)
    names = _ROWS.get(symbol.primitive.forward, symbol.primitive).params
    return symbol.primitive, operands, dict(zip(names, params, strict=True))


# Forms that need more than words. A form that returns None leaves a case to the default.


def _square(writer: Expressions, symbol: Symbol) -> Text | None:
    a, b = symbol.arguments
    if writer.numbers or writer.canonical(a) is not writer.canonical(b):
        return None
    base = writer.part(a, WHOLE)
    return f"{base}**2" if base.isidentifier() else f"{base} ** 2", POWER


def _negative(writer: Expressions, symbol: Symbol) -> Text:
    return f"-{writer.operand(symbol.arguments[0], WHOLE, symbol)}", SIGN


def _power(writer: Expressions, symbol: Symbol) -> Text:
    a, b = symbol.arguments
    base, exponent = writer.operand(a, WHOLE, symbol), writer.operand(b, SIGN, symbol)
    if not symbol.shape and not writer.numbers:
        base = f"np.asarray({writer.part(a)})"  # numpy raises its scalars in another way than its arrays
    plain = all(re.fullmatch(r"-?[\w.]+", part) for part in (base, exponent))
    return f"{base}**{exponent}" if plain else f"{base} ** {exponent}", POWER


def _sum(writer: Expressions, symbol: Symbol) -> Text:
    _, (x, *_), params = _arguments(symbol)
    # numpy would add many rows one after the other, so that rounding errors add up.
    if any(x.shape[axis] >= LONG for axis in params["axes"] if axis < len(x.shape) - 1):
        name = writer.helpers.name_of(total, "total", ops.sum)
        return f"{name}({writer.part(x)}, {params['axes']}, {params['keepdims']})", WHOLE
    return f"{writer.part(x, WHOLE)}.sum({axes_text(params, x)})", WHOLE


def _mean(writer: Expressions, symbol: Symbol) -> Text:
    _, (x, *_), params = _arguments(symbol)
    text, _ = _sum(writer, symbol)
    count = math.prod(x.shape[axis] for axis in params["axes"])
    return (text, WHOLE) if count == 1 else (f"{text} / {count}", PRODUCT)


def _linear(writer: Expressions, symbol: Symbol) -> Text:
    x, weight, *bias = (writer.part(operand, WHOLE) for operand in symbol.arguments)
    return " + ".join([f"{x} @ {weight}.T", *bias]), SUM if bias else PRODUCT


def _cat(writer: Expressions, symbol: Symbol) -> Text:
    _, operands, params = _arguments(symbol)
    return f"np.concatenate([{', '.join(map(writer.part, operands))}], {literal(params['axis'])})", WHOLE


def _einsum(writer: Expressions, symbol: Symbol) -> Text:
    _, (a, b), params = _arguments(symbol)
    terms = json.dumps("{},{}->{}".format(*params["terms"]))  # in double quotes
    return f"np.einsum({terms}, {writer.part(a)}, {writer.part(b)}, optimize=True)", WHOLE


def _permute(writer: Expressions, symbol: Symbol) -> Text:
    x, axes = symbol.arguments
    is_reversed = axes == tuple(reversed(range(len(axes))))
    words = "T" if is_reversed else "mT" if is_mT(axes) else f"transpose({ints_text(axes)})"
    return f"{writer.part(x, WHOLE)}.{words}", WHOLE


def _reshape(writer: Expressions, symbol: Symbol) -> Text:
    x, shape = symbol.arguments
    return f"{writer.part(x, WHOLE)}.reshape({', '.join(map(literal, shape)) or '()'})", WHOLE


def _index(writer: Expressions, symbol: Symbol) -> Text:
    x, key = symbol.arguments
    return f"{writer.part(x, WHOLE)}[{writer.key(key)}]", WHOLE


def _one_hot(writer: Expressions, symbol: Symbol) -> Text | None:
    """Rows of an identity, if there is one index for each row."""
    _, (indices, *_), params = _arguments(symbol)
    rows, shape = _column(indices), params["shape"]
    if rows is None or params["axis"] != len(shape) - 1:
        return None
    text = writer.index(rows)
    if rows is indices:  # argmax or argmin
        text = f"{writer.part(rows.arguments[0], WHOLE)}.{rows.primitive.name}({literal(rows.arguments[1])})"
    return f"np.eye({literal(shape[-1])}, dtype={dtype_text(params['dtype'])})[{text}]", WHOLE


def _column(x: Any) -> Any:
    """The list that a column is made of, or the argmax or argmin that is one; None for anything else."""
    if not isinstance(x, Symbol) or x.primitive is None or len(x.shape) != 2:
        return None
    if x.primitive is ops.reshape and x.arguments[1] == (-1, 1) and len(x.arguments[0].shape) == 1:
        return x.arguments[0]
    return x if x.primitive in (ARGMAX, ARGMIN) and x.arguments[1] == 1 else None


FORMS: dict[Primitive, Call | Form] = {
    ops.mul: _square,
    ops.neg: _negative,
    ops.pow: _power,
    ops.einsum: _einsum,
    ops.is_nonzero: Call("({0} != 0).astype({0}.dtype)", numbers="float({0} != 0)"),
    ops.relu: Call("np.maximum({0}, 0)", numbers="max({0}, 0.0)"),
    ops.abs: Call("np.abs({0})"),
    ops.sign: Call("np.sign({0})", numbers="(1.0 * (({0} > 0) - ({0} < 0)))"),
    ops.clamp: Call("np.clip({0}, {min}, {max})"),
    ops.sum: _sum,
    ops.mean: _mean,
    ops.max: Call("{0}.max({axes})"),
    ops.min: Call("{0}.min({axes})"),
    ops.amax: Call("{0}.max({axes})"),
    ops.amin: Call("{0}.min({axes})"),
    ARGMAX: Call("{0}.argmax({axis}, keepdims=True)"),
    ARGMIN: Call("{0}.argmin({axis}, keepdims=True)"),
    ops.reshape: _reshape,
    ops.permute: _permute,
    ops.expand: Call("np.broadcast_to({0}, {shape})"),
    ops.cast: Call("{0}.astype({dtype})"),
    ops.index: _index,
    ops.assign: Call("np.array({0})"),  # the next statement puts the value at its places
    ops.one_hot: _one_hot,
    ops.where: Call("np.where({0}, {1}, {2})", numbers="({1} if {0} else {2})"),
    ops.cat: _cat,
    ops.linear: _linear,
    ops.linear_map: _linear,
    OUTPUT: Call("{0}[{place}]"),
}
# Another primitive with the same forward function is written the same way.
_BY_FORWARD = {primitive.forward: form for primitive, form in FORMS.items()}
_ROWS = {primitive.forward: primitive for primitive in FORMS}

# What to call a result that no variable holds, where the primitive's own name would not do.
WORDS: dict[Primitive, str] = {
    ops.abs: "size",
    ops.add: "shifted",
    ops.amax: "greatest",
    ops.amin: "least",
    ARGMAX: "place",
    ARGMIN: "place",
    ops.cat: "joined",
    ops.div: "quotient",
    ops.index: "chosen",
    ops.matmul: "product",
    ops.max: "greatest",
    ops.min: "least",
    ops.mul: "product",
    ops.neg: "negative",
    ops.permute: "turned",
    ops.pow: "power",
    ops.put: "scattered",
    ops.sub: "difference",
    ops.sum: "total",
}


def word_for(primitive: Primitive) -> str:
    """What to call a result of a primitive. A function that is copied has the primitive's name itself."""
    if primitive in WORDS:
        return WORDS[primitive]
    return f"{primitive.name}_of" if _is_copied(primitive) else primitive.name


def _is_copied(primitive: Primitive) -> bool:
    """Whether the function of a primitive is called by its own name, after a copy of it."""
    form = _BY_FORWARD.get(primitive.forward)
    has_form = form not in (None, _one_hot)  # which does not serve all cases
    return not (has_form or primitive.residuals or infix_of(primitive)) and is_copied(primitive.forward)


# The names of functions that are copied from the table; variables get other names.
RESERVED = {
    primitive.name: primitive.forward
    for primitive in vars(ops).values()
    if isinstance(primitive, Primitive) and _is_copied(primitive)
}
