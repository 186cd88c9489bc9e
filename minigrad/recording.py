"""Recording: what an operation does on Tensors and on Values. It is written out for each row, as a function of its own.

A loop over the operands would say the same for all rows at once, and take twice as long. The text of `mul` reads:

>>> from minigrad import ops
>>> print(text(ops.mul))
def record(a, b, grad_fn=None, promoted=False):
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
    if not promoted and (a_kind, b_kind) not in ALIKE:
        return otherwise(row, (a, b), grad_fn)
    try:
        result = function(a_array, b_array)
    except ERRORS as error:
        raise explained(row.name, [a_array, b_array], error) from None
    if type(result) is not np.ndarray:
        result = np.asarray(result)
    tensor = new(Tensor)
    tensor.array, tensor.own_node, tensor.origin = result, None, None
    mode = local.mode
    a_needs = a_node is not None and a_node.requires_grad
    b_needs = b_node is not None and b_node.requires_grad
    if (a_needs or b_needs) and mode.grad:
        plan = row.plans[(a_needs, b_needs)]
        tensor.own_node = node = new(Node)
        node.number, node.shape, node.dtype = next(numbers), result.shape, result.dtype
        node.value = result if result.size <= KEPT_TO_LOOK_AT else None
        node.plan, node.params, node.saved = plan, (), plan.keep((result, a_array, b_array))
        node.inputs = (a_node if a_needs else constant(a), b_node if b_needs else constant(b))
        node.label, node.scope, node.requires_grad = grad_fn, mode.scope, True
        node.retains = False
        node.grad = node.name = node.line = None
    if mode.watch is not None:
        mode.watch(row, (a, b), (), tensor)
    return tensor
"""

import linecache
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad import functions, ops
from minigrad.dtypes import float16, float32, float64, get_default_dtype, result_dtype
from minigrad.graph import KEPT_TO_LOOK_AT, Node, numbers
from minigrad.inplace import Origin
from minigrad.modes import local
from minigrad.rows import Recorded, Row
from minigrad.tensor import Tensor, wrap
from minigrad.value import Value

ERRORS = (ValueError, TypeError, IndexError, OverflowError)  # of numpy

# The kinds of operands that need no promotion: floating arrays of one dtype, and Python numbers beside them. (A dtype
# equals a type, float64 equals float, but what is looked up in a set must have its hash too.)
ALIKE = {
    kinds
    for kind in (float16.dtype, float32.dtype, float64.dtype)
    for kinds in ((kind,), (kind, kind), (kind, float), (float, kind), (kind, int), (int, kind))
}

# What the texts call by names of their own.
WORDS = {
    "error", "function", "grad_fn", "isinstance", "mode", "node", "plan", "promoted", "result", "row", "tensor", "type"
}  # fmt: skip
OF_AN_OPERAND = ("array", "kind", "needs", "node", "number")


def on_tensors(row: Row) -> Callable[..., Any]:
    """The function that applies a row to Tensors."""
    return _of_any_number(row) if row.variadic else _written(row, "Tensors", text(row), row.on_arrays)


def on_values(row: Row) -> Callable[..., Any]:
    """The function that applies a row to Values."""
    return _written(row, "Values", text_on_values(row), row.number)


def _written(row: Row, kind: str, source: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a text. ValueError if the row's own names are among those of the text."""
    names = names_in_texts()
    taken = WORDS | names.keys() | {f"{x}_{what}" for x in row.operands for what in OF_AN_OPERAND}
    for name in (*row.operands, *row.params, *row.extras):
        if name in taken:
            raise ValueError(f"{row.name}: {name!r} is a name in the text that records it; give the argument another")
    file = f"<minigrad: {row.name} of {kind}>"
    names |= {"row": row, "function": function}
    exec(compile(source, file, "exec"), names)
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file  # for tracebacks
    record: Callable[..., Any] = names["record"]
    return record


def names_in_texts() -> dict[str, Any]:
    """What the texts name, beside a row and its function: what lives in this module."""
    ours = (Node, Origin, Tensor, Value, constant, explained, otherwise, refused)
    others = {"ALIKE": ALIKE, "ERRORS": ERRORS, "KEPT_TO_LOOK_AT": KEPT_TO_LOOK_AT, "local": local}
    others |= {"new": object.__new__, "np": np, "numbers": numbers}
    # By the name of its module `calling_line` tells that a line is no user's.
    return {each.__name__: each for each in ours} | others | {"__name__": __name__}


# On Tensors


def _of_any_number(row: Row) -> Callable[..., Any]:
    """For a row that takes any number of operands: in a loop, what a text for that number would say."""

    def record(*arguments: Any) -> Any:
        operands, params = row.split(arguments)
        arrays = [x.array if isinstance(x, Tensor) else x for x in operands]
        nodes = [x.node if isinstance(x, Tensor) else None for x in operands]
        try:
            result = row.on_arrays(*arrays, *params)
        except ERRORS as error:
            raise explained(row.name, arrays, error) from None
        tensor = wrap(result)
        needs = tuple([node is not None and node.requires_grad for node in nodes])
        if any(needs) and local.mode.grad:
            plan = row.plans[needs]
            inputs = tuple(
                [node if need else constant(x) for node, need, x in zip(nodes, needs, operands, strict=True)]
            )
            tensor.own_node = Node(result).become(plan, inputs, params, plan.keep((result, *params, *arrays)))
        if local.mode.watch is not None:
            local.mode.watch(row, operands, params, tensor)
        return tensor

    return record


def text(row: Row) -> str:
    """The text of the function that applies a row to Tensors, and to numbers and arrays beside them."""
    params, operands = _tuple(row.params), _tuple(row.operands)
    lines = [
        f"def record({', '.join([*row.operands, *row.params])}, grad_fn=None{', promoted=False' * row.elementwise}):",
        *_read(row),
        *_computed(row),
        "    mode = local.mode",
        *_recorded(row),
        "    if mode.watch is not None:",
        f"        mode.watch(row, {operands}, {params}, tensor)",
        f"    return {', '.join(['tensor', *row.extras])}",
    ]
    return "\n".join(lines)


def _read(row: Row) -> Iterator[str]:
    """What each operand is: an array or a number, with which node, and of which kind."""
    for x in row.operands:
        known = [("array", f"{x}.array", x)]
        if x in row.differentiable:
            known += [("node", f"{x}.own_node if {x}.origin is None else {x}.node", "None")]
        if row.elementwise:
            known += [("kind", f"{x}.array.dtype", f"type({x})")]
        yield f"    if isinstance({x}, Tensor):"
        yield from (f"        {x}_{what} = {of_tensor}" for what, of_tensor, _ in known)
        yield "    else:"
        if len(row.operands) == 1 and not row.elementwise:
            yield f"        return otherwise(row, ({x},), grad_fn)"
        else:
            yield from (f"        {x}_{what} = {of_other}" for what, _, of_other in known)
    if row.elementwise:
        yield f"    if not promoted and {_tuple(f'{x}_kind' for x in row.operands)} not in ALIKE:"
        yield f"        return otherwise(row, {_tuple(row.operands)}, grad_fn)"


def _computed(row: Row) -> Iterator[str]:
    """The result, as a Tensor."""
    arrays = [f"{x}_array" for x in row.operands]
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


def _recorded(row: Row) -> Iterator[str]:
    """Its node, if an operand requires a gradient, and its origin, if it is a view."""
    params, several = _tuple(row.params), len(row.differentiable) > 1
    if row.differentiable:
        needs = " or ".join(f"{x}_needs" for x in row.differentiable)
        wanted = _tuple(f"{x}_needs" if x in row.differentiable else "False" for x in row.operands)
        own = "{0}_node if {0}_needs else constant({0})" if several else "{0}_node"
        inputs = _tuple((own if x in row.differentiable else "constant({0})").format(x) for x in row.operands)
        values = _tuple(["result", *row.extras, *row.params, *(f"{x}_array" for x in row.operands)])
        yield from (f"    {x}_needs = {x}_node is not None and {x}_node.requires_grad" for x in row.differentiable)
        yield f"    if ({needs}) and mode.grad:" if several else f"    if {needs} and mode.grad:"
        yield f"        plan = row.plans[{wanted}]"
        yield "        tensor.own_node = node = new(Node)"
        yield "        node.number, node.shape, node.dtype = next(numbers), result.shape, result.dtype"
        yield "        node.value = result if result.size <= KEPT_TO_LOOK_AT else None"
        yield f"        node.plan, node.params, node.saved = plan, {params}, plan.keep({values})"
        yield f"        node.inputs = {inputs}"
        yield "        node.label, node.scope, node.requires_grad = grad_fn, mode.scope, True"
        yield "        node.retains = False"
        yield "        node.grad = node.name = node.line = None"
    if row.views:
        x = row.operands[0]
        yield f"    if result.base is not None and (result.base is {x}_array or result.base is {x}_array.base):"
        yield f"        tensor.origin = Origin.of({x}, row, {params})"


def _tuple(parts: Iterable[str]) -> str:
    parts = list(parts)
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def constant(x: Any) -> Any:
    """An operand that needs no gradient, as the node holds it: a Tensor as it is now.

    Changed in place later, that very Tensor could get a node that leads back to this one.
    """
    return wrap(x.array, x.own_node) if isinstance(x, Tensor) else x


def otherwise(row: Row, operands: tuple[Any, ...], grad_fn: str | None) -> Any:
    """Apply a row to other operands than floating Tensors alike: of an elementwise row, brought to one dtype first.

    As PyTorch does it. TypeError for what is no operand, and where none is a Tensor; if there are only Values, say, it
    is for them to apply the row.
    """
    if not any(isinstance(x, Tensor) for x in operands):
        for x in operands:
            if isinstance(x, Recorded):
                return x.recorder(row)(*operands)
        given = ", ".join(type(x).__name__ for x in operands)
        raise TypeError(f"{row.name}: expected a Tensor, got {given}; make one with tensor(...)")
    # Arrays are constants, and numpy's numbers are Python's.
    operands = tuple(
        [wrap(x) if isinstance(x, np.ndarray) else x.item() if isinstance(x, np.generic) else x for x in operands]
    )
    for x in operands:
        functions.check_operand(row.name, x)
        if isinstance(x, Recorded) and not isinstance(x, Tensor):
            raise TypeError(
                f"{row.name}: expected Tensors or numbers, got {type(x).__name__}; make a Tensor with tensor(...)"
            )
    dtype = result_dtype(x.array if isinstance(x, Tensor) else x for x in operands)
    if row is ops.pow and dtype.kind == "b":
        raise RuntimeError("pow: bools have no powers; convert with .float() or .long()")
    if row is ops.sub and any(getattr(x, "dtype", type(x)) in (bool,) for x in operands):
        raise RuntimeError("sub: bools are not subtracted; invert a mask with mask == 0, or convert with .float()")
    if row.floating and dtype.kind != "f":
        dtype = get_default_dtype().dtype
    operands = tuple([x.to(dtype) if isinstance(x, Tensor) else x for x in operands])
    return row.on_tensors(*operands, grad_fn, promoted=True)


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
    lines = [f"def record({', '.join([*operands, *row.params])}):"]
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
        "    if local.mode.watch is not None:",
        f"        local.mode.watch(row, {_tuple(operands)}, {params}, result)",
        "    return result",
    ]
    return "\n".join(lines)


def refused(name: str, numbers: tuple[float, ...], error: Exception) -> Exception:
    """Python's own error, with the operation and the numbers."""
    return type(error)(f"{name}: of {', '.join(map(str, numbers))}: {error}")
