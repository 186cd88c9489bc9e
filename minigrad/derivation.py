"""How `derive` writes: from a recorded graph to the source of a function.

The graph runs once more on Symbols, forward by its operations and backward by the rules of the table, and `source.py`
writes what comes out. Nothing here knows a derivative.
"""

import keyword
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad import graph, ops
from minigrad.derive import Derived
from minigrad.graph import Node
from minigrad.naming import Names, key, states, variables
from minigrad.rows import Row, Shape
from minigrad.source import COPIED, WIDTH, Writer, word_for
from minigrad.symbols import Symbol
from minigrad.tensor import Tensor
from minigrad.value import Value

# Where the greatest and the least elements are, which the rows `max` and `min` are told.
_ARGMAX = Row("argmax", lambda x, axis: x.argmax(axis, keepdims=True), x=None)
_ARGMIN = Row("argmin", lambda x, axis: x.argmin(axis, keepdims=True), x=None)


class Derivation:
    """The graph behind a loss, run on Symbols."""

    def __init__(self, loss: Any, names: Mapping[str, Any]) -> None:
        self.root: Any = loss.node if isinstance(loss, Tensor) else loss
        self.is_value = isinstance(loss, Value)
        self.labels: Names = variables(names)
        for name, module in names.items():
            self.labels |= {each: f"{name}.{inner}" for each, inner in states([module]).items()}
        self.taken: set[str] = {"step", "np", "math", "range", "max", "slice", *COPIED}
        self.parameters: dict[str, Shape] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.symbols: dict[Any, Any] = {}  # of nodes, of Values, and of arrays by their id
        self.extras: dict[Any, tuple[Any, ...]] = {}
        self.read: dict[Any, tuple[Any, ...]] = {}  # the parameters of operations, with Symbols for arrays
        self.gradients: list[tuple[Any, Any]] = []  # of nodes, in the order of the reverse pass
        self.nodes = self._nodes()
        self.leaves = {label: node for node in self.nodes if node.plan is None and (label := self._label(node))}
        self.names = {node: self._identifier(label) for node, label in self._labelled()}
        for node in self.nodes:
            self.symbols[node] = self._symbol(node)
        self._reverse()

    def _nodes(self) -> list[Any]:
        found, keys = [self.root], {id(self.root)}
        for node in found:  # which grows meanwhile
            for x in node.inputs:
                if isinstance(x, Node | Value) and id(x) not in keys:
                    keys.add(id(x))
                    found.append(x)
        return sorted(found, key=lambda node: node.number)

    def _labelled(self) -> "list[tuple[Any, str]]":
        pairs = [(node, self._label(node)) for node in self.nodes]
        pairs = [(node, "loss" if node is self.root and not label else label) for node, label in pairs]
        return [(node, label or "x" * (node.plan is None)) for node, label in pairs if label or node.plan is None]

    def _label(self, node: Any) -> str:
        own = node.label if isinstance(node, Value) else node.name
        return own or self.labels.get(key(node), "")

    def _identifier(self, label: str) -> str:
        """A name that is free, and one in Python."""
        letters = unicodedata.normalize("NFKC", label)  # as Python reads names
        name = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in letters)
        name = name if name.isidentifier() and not keyword.iskeyword(name) else f"_{name}"
        free, count = name, 1
        while free in self.taken:
            count += 1
            free = f"{name}_{count}"
        self.taken.add(free)
        return free

    # Forward

    def _symbol(self, node: Any) -> Any:
        shape, dtype = getattr(node, "shape", ()), getattr(node, "dtype", np.float64)
        if node.plan is None:
            self.parameters[self.names[node]] = shape
            return Symbol(self.names[node], shape, dtype)
        row, operands = node.plan.row, [self._operand(x) for x in node.inputs]
        pairs = zip(row.params, node.params, strict=True)
        axes = node.params[:1][0] if "indices" in row.params else ()
        self.read[node] = params = tuple([self._param(row, operands, axes, name, x) for name, x in pairs])
        if row.extras:
            symbol, *extras = row.forward(*operands, *params)
            self.extras[node] = tuple(extras)
        else:
            # What `max` is told of its places, its rule needs alone.
            symbol = Symbol.record(row, *operands, *((*params[:-1], None) if "indices" in row.params else params))
        if isinstance(symbol, Symbol) and symbol.array is None:
            symbol.array = Symbol("", shape, dtype).array
        return symbol

    def _operand(self, x: Any) -> Any:
        if isinstance(x, Node | Value):
            return self.symbols[x]
        array = x.array if isinstance(x, Tensor) else x
        if not isinstance(array, np.ndarray):
            return array
        return self._constant(array, (x.name if isinstance(x, Tensor) else None) or self.labels.get(key(x)))

    def _constant(self, array: np.ndarray, label: str | None) -> Any:
        """The Symbol of an array that requires no gradient: a parameter, or what can be written out."""
        leaf = self.leaves.get(label or "")
        if leaf is not None and leaf.shape == array.shape:
            return self.symbols[leaf]  # which .detach() or .data gave
        if id(array) not in self.symbols:
            self.symbols[id(array)] = self._written_out(array) if label is None else None
        if self.symbols[id(array)] is None:
            name = self._identifier(label or "constant")
            self.parameters[name] = array.shape
            if label is None:
                self.constants[name] = array
            self.symbols[id(array)] = Symbol(name, array.shape, array.dtype)
            self.symbols[id(array)].array = array  # how much a mask chooses, its shape does not tell
        return self.symbols[id(array)]

    def _written_out(self, array: np.ndarray) -> Any:
        if array.ndim == 0 or (array.size and (array == array.flat[0]).all() and array.dtype.kind == "f"):
            return Symbol("", array.shape, array.dtype, array.flat[0])
        if array.ndim == 1 and array.dtype.kind == "i" and np.array_equal(array, np.arange(len(array))):
            return Symbol(f"range({len(array)})", array.shape, array.dtype)
        return None

    def _param(self, row: Row, operands: list[Any], axes: tuple[int, ...], name: str, x: Any) -> Any:
        if name == "indices":
            return Symbol.record(_ARGMAX if row is ops.max else _ARGMIN, operands[0], *axes)
        if isinstance(x, tuple):
            return tuple([self._param(row, operands, axes, "", part) for part in x])
        return self._constant(x, self.labels.get(key(x))) if isinstance(x, np.ndarray) else x

    # Backward

    def _reverse(self) -> None:
        seed = Symbol("", getattr(self.root, "shape", ()), getattr(self.root, "dtype", np.float64), 1.0)
        found = graph.reverse(
            [(self.root, seed)],
            fit=None if self.is_value else graph.fit,
            lift=self._lifted,
            within=None if self.is_value else set(self.nodes),
        )
        self.gradients += [(node, g) for node, g, _ in found]

    def _lifted(self, node: Any) -> tuple[Any, ...]:
        operands = [self._operand(x) for x in node.inputs]
        values = (self.symbols[node], *self.extras.get(node, ()), *self.read[node], *operands)
        return tuple([values[i] for i in node.plan.kept])

    # Source

    def derived(self, wrt: Iterable[Any] | None, retain: Iterable[str]) -> Derived:
        """The function that returns the gradients of `wrt`, or of all leaves, and of `retain`."""
        found, targets = dict(self.gradients), self._targets(wrt, retain)
        results, named = self._results()
        outputs = [self.symbols[self.root], *(found[node] for node in targets)]
        writer = Writer(outputs, named, self.taken, self.is_value)
        if not self.is_value:
            writer.returned = {id(writer.canonical(found[node])) for node in targets}
        writer.lines.append("# forward")
        self._write_forward(writer)
        loss = writer.text_of(self.symbols[self.root])
        if not self.is_value and (self.root.plan is None or self.root.plan.row.views):
            loss += ".copy()"
        writer.lines += ["", "# backward"]
        self._write_backward(writer)
        returned = [writer.result(found[node], results[node]) for node in targets]
        writer.lines.append(_wrapped("return ", [loss, *returned], "") if returned else f"return ({loss},)")
        return Derived(self._module(writer), self.parameters, returned, self.constants)

    def _write_forward(self, writer: Writer) -> None:
        for node in self.nodes:
            for word, symbol in zip(node.plan.row.extras if node.plan else (), self.extras.get(node, ()), strict=True):
                writer.hint(symbol, word)
            if writer.is_needed(self.symbols[node]):
                writer.visit(self.symbols[node])

    def _write_backward(self, writer: Writer) -> None:
        lines = {line.partition(" = ")[0]: line for line in writer.lines}
        for node, g in self.gradients:
            if node.plan is not None:
                name = writer.text_of(self.symbols[node]) if writer.is_needed(self.symbols[node]) else ""
                writer.hint(g, f"d{name if name.isidentifier() else word_for(node.plan.row)}")
            if node in self.names and writer.is_needed(g):
                name = self.names[node]
                writer.visit(g, lines.get(name, name), total=True)

    def _results(self) -> tuple[dict[Any, str], dict[int, str]]:
        """What to call the gradients of nodes that have names; and all Symbols to be assigned to, by their ids."""
        results = {node: self._identifier(f"d{self.names[node]}") for node, _ in self.gradients if node in self.names}
        named: dict[int, str] = {}
        for node in self.nodes:
            if node.plan is not None and node in self.names and isinstance(self.symbols[node], Symbol):
                named.setdefault(id(self.symbols[node]), self.names[node])
        for node, g in self.gradients:
            if node in self.names and isinstance(g, Symbol) and g.row is not None:
                named.setdefault(id(g), results[node])
        return results, named

    def _targets(self, wrt: Iterable[Any] | None, retain: Iterable[str]) -> list[Any]:
        """The nodes whose gradients are asked for, each once."""
        by_name = {name: node for node, name in self.names.items()} | {self._label(node): node for node in self.nodes}
        found = dict(self.gradients)
        wanted = [node for node in self.nodes if node.plan is None and node in found]
        if wrt is not None:
            wanted = [self._target(x, by_name) for x in ([wrt] if isinstance(wrt, str | Tensor | Value) else wrt)]
        wanted += [self._target(name, by_name) for name in ([retain] if isinstance(retain, str) else retain)]
        for node in wanted:
            if node not in found:
                raise ValueError(f"derive: {self.names.get(node)} gets no gradient from this loss")
        return list(dict.fromkeys(wanted))

    def _target(self, x: Any, by_name: Mapping[str, Any]) -> Any:
        node = by_name.get(x) if isinstance(x, str) else x.node if isinstance(x, Tensor) else x
        if node is None or node not in self.symbols:
            what = x if isinstance(x, str) else f"this {type(x).__name__}"
            raise ValueError(f"derive: nothing in the graph of this loss that requires a gradient is {what}")
        return node

    def _module(self, writer: Writer) -> str:
        body = "\n".join(f"    {line}".rstrip() for text in writer.lines for line in text.split("\n"))
        head = _wrapped("def step(", list(self.parameters), "):")
        text = "\n\n\n".join([*writer.helpers.values(), f"{head}\n{body}"])
        imports = [f"import {name}{alias}" for name, alias in (("math", ""), ("numpy", " as np"))]
        used = [line for line, word in zip(imports, ("math.", "np."), strict=True) if word in text]
        return "\n".join(used) + "\n" * 3 * bool(used) + text + "\n"


def _wrapped(start: str, parts: list[str], end: str) -> str:
    """A list in one line, or in brackets over several."""
    line = f"{start}{', '.join(parts)}{end}"
    if len(line) + 4 <= WIDTH:
        return line
    opening, closing = (start, end) if start.endswith("(") else (f"{start}(", f"){end}")
    return "\n".join([opening, *(f"    {part}," for part in parts), closing])
