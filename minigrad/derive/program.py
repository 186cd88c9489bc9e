"""The source of a derived module: imports and helper functions, the signature of `step`, and its statements."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from minigrad.derive.derived import Derived
from minigrad.derive.forms import word_for
from minigrad.derive.source import WIDTH, Writer
from minigrad.derive.symbols import Symbol
from minigrad.derive.trace import Trace


class Located(NamedTuple):
    """A derived function, and the lines of its source that compute each node, and the gradient of each node."""

    derived: Derived
    forward: dict[Any, list[int]]
    backward: dict[Any, list[int]]


def derived(trace: Trace, wrt: Iterable[Any] | None, retain: Iterable[str]) -> Derived:
    """The function that returns the loss, and the gradients of `wrt`, or of all leaves, and of `retain`."""
    return located(trace, wrt, retain).derived


def located(trace: Trace, wrt: Iterable[Any] | None = None, retain: Iterable[str] = ()) -> Located:
    """The same function, with the lines that compute each node and each gradient. The first line is line 1."""
    found, targets = dict(trace.gradients), trace.targets(wrt, retain)
    results = {node: trace.free_name(f"d{trace.names[node]}") for node, _ in trace.gradients if node in trace.names}
    outputs = [trace.symbols[trace.root], *(found[node] for node in targets)]
    writer = Writer(outputs, _assigned(trace, results), trace.taken, trace.is_value)
    if not trace.is_value:
        writer.returned = {id(writer.canonical(found[node])) for node in targets}
    writer.lines.append("# forward")
    _write_forward(trace, writer)
    loss = writer.part(trace.symbols[trace.root])
    if not trace.is_value and (trace.root.plan is None or trace.root.plan.primitive.views):
        loss += ".copy()"
    writer.lines += ["", "# backward"]
    _write_backward(trace, writer)
    returned = [writer.result(found[node], results[node]) for node in targets]
    writer.lines.append(wrapped("return ", [loss, *returned], "") if returned else f"return ({loss},)")
    source, places = _module(trace, writer), writer.lines_of()
    first = source.count("\n") - "\n".join(writer.lines).count("\n")  # the number of the first of `writer.lines`
    symbols = [trace.symbols.items(), trace.gradients]
    lines = [{node: [first + i for i in places.get(id(writer.canonical(x)), ())] for node, x in of} for of in symbols]
    return Located(Derived(source, trace.parameters, returned, trace.constants), *lines)


def _assigned(trace: Trace, results: dict[Any, str]) -> dict[int, str]:
    """The names that Symbols are assigned to, by their ids: those of nodes, and `results`, those of gradients."""
    named: dict[int, str] = {}
    for node in trace.nodes:
        if node.plan is not None and node in trace.names and isinstance(trace.symbols[node], Symbol):
            named.setdefault(id(trace.symbols[node]), trace.names[node])
    for node, g in trace.gradients:
        if node in trace.names and isinstance(g, Symbol) and g.primitive is not None:
            named.setdefault(id(g), results[node])
    return named


def _write_forward(trace: Trace, writer: Writer) -> None:
    for node in trace.nodes:
        words = node.plan.primitive.residuals if node.plan else ()
        for word, symbol in zip(words, trace.residuals.get(node, ()), strict=True):
            writer.hint(symbol, word)
        if writer.is_needed(trace.symbols[node]):
            writer.visit(trace.symbols[node])


def _write_backward(trace: Trace, writer: Writer) -> None:
    """Write the gradients. The comment behind each is the line that computes what it is the gradient of."""
    lines = {name: line for line in writer.lines for name in line.partition(" = ")[0].split(", ")}
    for node, g in trace.gradients:
        if node.plan is not None:
            name = writer.part(trace.symbols[node]) if writer.is_needed(trace.symbols[node]) else ""
            writer.hint(g, f"d{name if name.isidentifier() else word_for(node.plan.primitive)}")
        if node in trace.names and writer.is_needed(g):
            name = trace.names[node]
            writer.visit(g, lines.get(name, name), total=True)


def _module(trace: Trace, writer: Writer) -> str:
    """The source of the module: imports, helper functions, and the function `step`."""
    body = "\n".join(f"    {line}".rstrip() for text in writer.lines for line in text.split("\n"))
    head = wrapped("def step(", list(trace.parameters), "):")
    text = "\n\n\n".join([*writer.helpers.sources, f"{head}\n{body}"])
    imports = [line for line, word in (("import math", "math."), ("import numpy as np", "np.")) if word in text]
    imports += writer.helpers.imports
    return "\n".join(imports) + "\n" * 3 * bool(imports) + text + "\n"


def wrapped(start: str, parts: list[str], end: str) -> str:
    """A list on one line, or, if that is too long, in brackets over several."""
    line = f"{start}{', '.join(parts)}{end}"
    if len(line) + 4 <= WIDTH:
        return line
    opening, closing = (start, end) if start.endswith("(") else (f"{start}(", f"){end}")
    return "\n".join([opening, *(f"    {part}," for part in parts), closing])
