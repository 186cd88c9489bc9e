"""Recording: what an operation does on Tensors and on Values. It is written out for each row, as a function of its own.

A loop over the operands would say the same for all rows at once, and take twice as long. The text of `mul` reads:

>>> from minigrad import ops
>>> print(text(ops.mul, ("a", "b")))
def mul(a, b, grad_fn=None, alike=False):
    if isinstance(a, Tensor):
        a_array = a.array
        a_node = a.own_node if a.origin is None else a.node
        a_kind = a.array.dtype
    else:
        a_array = a
        a_node = None
        a_kind = type(a)
    if isinstance(b, Tensor):
        b_array = b.array
        b_node = b.own_node if b.origin is None else b.node
        b_kind = b.array.dtype
    else:
        b_array = b
        b_node = None
        b_kind = type(b)
    if (a_kind, b_kind) not in ALIKE and not alike:
        return otherwise(row, (a, b), grad_fn)
    try:
        result = function(a_array, b_array)
    except ERRORS as error:
        raise explained(row.name, [a_array, b_array], error) from None
    if type(result) is not np.ndarray:
        result = np.asarray(result)
    tensor = new(Tensor)
    tensor.array, tensor.own_node, tensor.origin = result, None, None
    a_needs = a_node is not None and a_node.requires_grad
    b_needs = b_node is not None and b_node.requires_grad
    if (a_needs or b_needs) and mode.grad:
        plan = row.plans[(a_needs, b_needs)]
        inputs = (a_node if a_needs else constant(a), b_node if b_needs else constant(b))
        tensor.own_node = Node(result, plan, inputs, (), plan.keep((result, a_array, b_array)), grad_fn)
    if mode.watch is not None:
        mode.watch(row, (a, b), (), tensor)
    return tensor
"""

import functools
import itertools
import linecache
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad import functions, ops
from minigrad.dtypes import float16, float32, float64, get_default_dtype, result_dtype
from minigrad.graph import Node, numbers
from minigrad.inplace import Origin
from minigrad.modes import mode
from minigrad.rows import Recorded, Row
from minigrad.tensor import Tensor, wrap
from minigrad.value import Value

ERRORS = (ValueError, TypeError, IndexError, OverflowError)  # of numpy

# The kinds of operands that need no promotion: floating arrays of one dtype, and Python numbers beside them.
ALIKE = {
    kinds
    for kind in (float16.dtype, float32.dtype, float64.dtype)
    for kinds in ((kind,), (kind, kind), (kind, float), (float, kind), (kind, int), (int, kind))
}


def on_tensors(row: Row) -> Callable[..., Any]:
    """The function that applies a row to Tensors."""
    if not row.variadic:
        return _written(row, text(row, row.operands), row.on_arrays)

    @functools.cache
    def of(count: int) -> Callable[..., Any]:
        return _written(row, text(row, [f"{row.operands[0]}_{i}" for i in range(count)]), row.on_arrays)

    return lambda *arguments: of(len(arguments) - len(row.params))(*arguments)


def on_values(row: Row) -> Callable[..., Any]:
    """The function that applies a row to Values."""
    return _written(row, text_on_values(row), row.number)


def _written(row: Row, source: str, function: Callable[..., Any]) -> Callable[..., Any]:
    names, file = names_in_texts() | {"row": row, "function": function}, f"<minigrad: {source.partition(':')[0]}>"
    exec(compile(source, file, "exec"), names)
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file  # for tracebacks
    written: Callable[..., Any] = names[row.name]
    return written


def names_in_texts() -> dict[str, Any]:
    """What the texts name, beside a row and its function: what lives in this module."""
    ours = (Node, Origin, Tensor, Value, constant, explained, otherwise, refused)
    others = {"ALIKE": ALIKE, "ERRORS": ERRORS, "mode": mode, "new": object.__new__, "np": np, "numbers": numbers}
    return {each.__name__: each for each in ours} | others | {"__name__": __name__}


# On Tensors


def text(row: Row, operands: Sequence[str]) -> str:
    """The text of that function."""
    params, results = _tuple(row.params), ", ".join(["tensor", *row.extras])
    lines = [
        f"def {row.name}({', '.join([*operands, *row.params])}, grad_fn=None{', alike=False' * row.elementwise}):",
        *_read(row, operands),
        *_computed(row, operands),
        *_recorded(row, operands),
        "    if mode.watch is not None:",
        f"        mode.watch(row, {_tuple(operands)}, {params}, tensor)",
        f"    return {results}",
    ]
    return "\n".join(lines)


def _read(row: Row, operands: Sequence[str]) -> Iterator[str]:
    """What each operand is: an array or a number, of which kind, and with which node."""
    for x in operands:
        known = [("array", f"{x}.array", x)]
        if x in _differentiable(row, operands):
            known += [("node", f"{x}.own_node if {x}.origin is None else {x}.node", "None")]
        if row.elementwise:
            known += [("kind", f"{x}.array.dtype", f"type({x})")]
        yield f"    if isinstance({x}, Tensor):"
        yield from (f"        {x}_{what} = {of_tensor}" for what, of_tensor, _ in known)
        yield "    else:"
        yield from (f"        {x}_{what} = {of_other}" for what, _, of_other in known)
    if row.elementwise:
        yield f"    if {_tuple(f'{x}_kind' for x in operands)} not in ALIKE and not alike:"
        yield f"        return otherwise(row, {_tuple(operands)}, grad_fn)"


def _computed(row: Row, operands: Sequence[str]) -> Iterator[str]:
    """The result, as a Tensor."""
    arrays = [f"{x}_array" for x in operands]
    yield "    try:"
    yield f"        result = function({', '.join([*arrays, *row.params])})"
    yield "    except ERRORS as error:"
    yield f"        raise explained(row.name, [{', '.join(arrays)}], error) from None"
    if row.extras:
        yield f"    result, {', '.join(row.extras)} = result"
    yield "    if type(result) is not np.ndarray:"
    yield "        result = np.asarray(result)"
    yield "    tensor = new(Tensor)"
    yield "    tensor.array, tensor.own_node, tensor.origin = result, None, None"


def _recorded(row: Row, operands: Sequence[str]) -> Iterator[str]:
    """Its node, if an operand requires a gradient, and its origin, if it is a view."""
    params, differentiable = _tuple(row.params), _differentiable(row, operands)
    if differentiable:
        several = len(differentiable) > 1
        needs = " or ".join(f"{x}_needs" for x in differentiable)
        wanted = _tuple(f"{x}_needs" if x in differentiable else "False" for x in operands)
        own = "{0}_node if {0}_needs else constant({0})" if several else "{0}_node"
        inputs = _tuple((own if x in differentiable else "constant({0})").format(x) for x in operands)
        values = _tuple(["result", *row.extras, *row.params, *(f"{x}_array" for x in operands)])
        yield from (f"    {x}_needs = {x}_node is not None and {x}_node.requires_grad" for x in differentiable)
        yield f"    if ({needs}) and mode.grad:" if several else f"    if {needs} and mode.grad:"
        yield f"        plan = row.plans[{wanted}]"
        yield f"        inputs = {inputs}"
        yield f"        tensor.own_node = Node(result, plan, inputs, {params}, plan.keep({values}), grad_fn)"
    if row.views:
        array = f"{operands[0]}_array"
        yield f"    if result.base is not None and (result.base is {array} or result.base is {array}.base):"
        yield f"        tensor.origin = Origin.of({operands[0]}, row, {params})"


def _differentiable(row: Row, operands: Sequence[str]) -> list[str]:
    """The operands that have a rule; all, where there is one for all."""
    return [x for x, rule in itertools.zip_longest(operands, row.rules) if rule or row.joint]


def _tuple(parts: Iterable[str]) -> str:
    parts = list(parts)
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def constant(x: Any) -> Any:
    """An operand that needs no gradient, as the node holds it."""
    # A Tensor may get this very node, when it is changed in place: it is not held itself.
    return wrap(x.array, x.own_node) if isinstance(x, Tensor) else x


def otherwise(row: Row, operands: tuple[Any, ...], grad_fn: str | None) -> Any:
    """Apply an elementwise row to operands of other kinds: brought to one dtype, as PyTorch does it.

    TypeError for what is no operand, and where none is a Tensor.
    """
    for x in operands:
        if isinstance(x, Recorded) and not isinstance(x, Tensor):
            return x.recorder(row)(*operands)
    if not any(isinstance(x, Tensor) for x in operands):
        given = ", ".join(type(x).__name__ for x in operands)
        raise TypeError(f"{row.name}: expected a Tensor, got {given}; make one with tensor(...)")
    operands = tuple(
        [wrap(x) if isinstance(x, np.ndarray) else x.item() if isinstance(x, np.generic) else x for x in operands]
    )
    for x in operands:
        functions.check_operand(row.name, x)
    dtype = result_dtype(x.array if isinstance(x, Tensor) else x for x in operands)
    if row is ops.pow and dtype.kind == "b":
        raise RuntimeError("pow: bools have no powers; convert with .float() or .long()")
    if row is ops.sub and any(getattr(x, "dtype", type(x)) in (bool,) for x in operands):
        raise RuntimeError("sub: bools are not subtracted; invert a mask with mask == 0, or convert with .float()")
    if row.floating and dtype.kind != "f":
        dtype = get_default_dtype().dtype
    promoted = [x.to(dtype) if isinstance(x, Tensor) else x for x in operands]
    return row.on_tensors(*promoted, grad_fn, alike=True)


def explained(name: str, arrays: list[Any], error: Exception) -> Exception:
    """The error that PyTorch would raise where numpy raised `error`, with the operation, the shapes and the remedy."""
    shapes = [x.shape if isinstance(x, np.ndarray) else () for x in arrays]
    if isinstance(error, IndexError | TypeError) and name in ("index", "assign"):
        return type(error)(f"{name}: of shape {shapes[0]}: {error}")
    if isinstance(error, ValueError) and "broadcast" in str(error) and len(shapes) > 1:
        for dim, sizes in enumerate(zip(*(reversed(shape) for shape in shapes[-2:]), strict=False), start=1):
            if 1 not in sizes and sizes[0] != sizes[1]:
                return RuntimeError(
                    f"{name}: shapes {shapes[-2]} and {shapes[-1]} do not broadcast: sizes {sizes[0]} and {sizes[1]} "
                    f"at dim -{dim} must be equal, or one of them 1"
                )
    dtypes = ", ".join(str(x.dtype) for x in arrays if isinstance(x, np.ndarray))
    return RuntimeError(f"{name}: not possible for shapes {shapes} and dtypes {dtypes}: {error}")


# On Values


def text_on_values(row: Row) -> str:
    """The text of the function that applies a row to Values and numbers."""
    operands, params = row.operands, _tuple(row.params)
    numbers = [f"{x}_number" for x in operands]
    lines = [f"def {row.name}({', '.join([*operands, *row.params])}):"]
    for x in operands:
        lines += [
            f"    if isinstance({x}, Value):",
            f"        {x}_number, {x}_needs = {x}.data, True",
            "    else:",
            f"        {x} = {x}_number = float({x})",
            f"        {x}_needs = False",
        ]
    lines += [
        "    result = new(Value)",
        "    try:",
        f"        result.data = float(function({', '.join([*numbers, *row.params])}))",
        "    except (ArithmeticError, ValueError) as error:",
        f"        raise refused(row.name, {_tuple(numbers)}, error) from None",
        '    result.grad, result.label, result.line, result.number = 0.0, "", None, next(numbers)',
        f"    result.plan = row.number_plans[{_tuple(f'{x}_needs' for x in operands)}]",
        f"    result.inputs, result.params = {_tuple(operands)}, {params}",
        "    if mode.watch is not None:",
        f"        mode.watch(row, {_tuple(operands)}, {params}, result)",
        "    return result",
    ]
    return "\n".join(lines)


def refused(name: str, numbers: tuple[float, ...], error: Exception) -> Exception:
    """Python's own error, with the operation and the numbers."""
    return type(error)(f"{name}: of {', '.join(map(str, numbers))}: {error}")
