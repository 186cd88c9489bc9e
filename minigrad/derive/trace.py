"""A recorded graph, run once more on Symbols: forward by its primitives, backward by their vjps.

Nothing here knows a derivative.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from minigrad import walks
from minigrad.checks import shown
from minigrad.core import graph, ops
from minigrad.core.primitive import Primitive, Shape
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor
from minigrad.core.value import Value
from minigrad.derive.forms import ARGMAX, ARGMIN, RESERVED
from minigrad.derive.naming import Names, identifier, key, states, unused, variables
from minigrad.derive.plain import array_text
from minigrad.derive.symbols import Symbol

# These primitives get the places of the greatest or least elements as a parameter. The source computes the places.
PLACES = {ops.max: ARGMAX, ops.min: ARGMIN}


class Symbols:
    """A Symbol for each node of a recorded graph, and for what its vjps need; and the reverse pass over them."""

    def __init__(self) -> None:
        self.symbols: dict[Any, Any] = {}  # of nodes
        self.residuals: dict[Any, tuple[Any, ...]] = {}  # those of fused primitives, by node
        self.params: dict[Any, tuple[Any, ...]] = {}  # of primitives, by node, with Symbols in place of arrays
        self.operands: dict[Any, list[Any]] = {}  # by node

    def apply(self, primitive: Primitive, operands: list[Any], params: tuple[Any, ...], like: Any) -> tuple[Any, ...]:
        """The Symbols of a primitive's result, which has the shape and dtype of `like`, and of its residuals."""
        result = Symbol.record(primitive, *operands, *params)
        result, *residuals = result if primitive.residuals else (result,)
        if isinstance(result, Symbol) and result.array is None:
            result.array = Symbol("", like.shape, like.dtype).array
        return (result, *residuals)

    def keep(self, node: Any, operands: list[Any], params: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
        """Remember what `apply` was given for a node, and what it returned."""
        self.operands[node], self.params[node] = operands, params
        self.symbols[node], self.residuals[node] = outputs[0], outputs[1:]

    def reverse(self, seeds: list[tuple[Any, Any]], needed: set[Any] | None = None) -> list[tuple[Any, Any]]:
        """The gradients that the seeds give: pairs of a node and a Symbol, in the order of the reverse pass."""
        return [(node, g) for node, g, _ in graph.reverse(seeds, saved_of=self.saved, needed=needed)]

    def saved(self, node: Any) -> tuple[Any, ...]:
        """The Symbols of the values that a node saved for its vjps."""
        operands = self.operands[node]
        shapes = [operands[i].shape for i in node.plan.primitive.shaped]
        values = (self.symbols[node], *self.residuals[node], *self.params[node], *operands, *shapes)
        return tuple([values[i] for i in node.plan.saved])


class Trace(Symbols):
    """The graph behind a loss: a Symbol for each node, and for each gradient.

    A node is a recorded result, a leaf, or a Value. `parameters` and `constants` are what a function that computes the
    same would take: see `Derived`.
    """

    def __init__(self, loss: Any, names: Mapping[str, Any]) -> None:
        super().__init__()
        self.root: Any = loss.node if isinstance(loss, Tensor) else loss
        self.is_value = isinstance(loss, Value)
        self.labels: Names = variables(names)
        for name, module in names.items():
            self.labels |= {each: f"{name}.{inner}" for each, inner in states([module]).items()}
        self.taken: set[str] = {"step", "np", "math", "range", "max", "slice", "_", *RESERVED}
        self.parameters: dict[str, Shape] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.arrays: dict[int, Any] = {}  # Symbols of arrays that require no gradient, by id
        self.nodes = walks.ancestors([self.root])
        walks.refuse_compiled("derive", self.nodes)
        self.leaves = {label: node for node in self.nodes if node.plan is None and (label := self.label(node))}
        self.names = {node: self.free_name(label) for node, label in self._labelled()}
        for node in self.nodes:
            self._enter(node)
        seed = Symbol("", getattr(self.root, "shape", ()), getattr(self.root, "dtype", np.float64), 1.0)
        self.gradients = self.reverse([(self.root, seed)], None if self.is_value else set(self.nodes))

    # Names

    def _labelled(self) -> list[tuple[Any, str]]:
        """The nodes that get a name: those that have one, all leaves, and the loss."""
        pairs = [(node, self.label(node)) for node in self.nodes]
        pairs = [(node, "loss" if node is self.root and not label else label) for node, label in pairs]
        return [(node, label or "x" * (node.plan is None)) for node, label in pairs if label or node.plan is None]

    def label(self, node: Any) -> str:
        """The name that a node has itself, or else the name of the variable that holds it."""
        own = node.label if isinstance(node, Value) else node.user_name
        return own or self.labels.get(key(node), "")

    def free_name(self, label: str) -> str:
        """A Python name for a label, which nothing else has from now on."""
        name = unused(identifier(label), self.taken)
        self.taken.add(name)
        return name

    # Forward

    def _enter(self, node: Any) -> None:
        """Make the Symbol of a node: a parameter for a leaf, else what its primitive makes of its operands."""
        like = node if isinstance(node, Node) else np.empty(())
        if node.plan is None:
            self.parameters[self.names[node]] = like.shape
            self.symbols[node] = Symbol(self.names[node], like.shape, like.dtype)
            return
        primitive, operands = node.plan.primitive, [self._operand(x) for x in node.inputs]
        params = self._params(primitive, operands, node.params)
        needed = (*params[:-1], None) if primitive in PLACES else params  # only the vjp needs the places
        self.keep(node, operands, params, self.apply(primitive, operands, needed, like))

    def _operand(self, x: Any) -> Any:
        if isinstance(x, Node | Value):
            return self.symbols[x]
        array = x.array if isinstance(x, Tensor) else x
        if not isinstance(array, np.ndarray):
            return array
        return self._constant(array, (x.name if isinstance(x, Tensor) else None) or self.labels.get(key(x)))

    def _params(self, primitive: Primitive, operands: list[Any], params: tuple[Any, ...]) -> tuple[Any, ...]:
        if primitive in PLACES:
            return (*params[:-1], Symbol.record(PLACES[primitive], operands[0], *params[0]))
        return tuple([self._param(x) for x in params])

    def _param(self, x: Any) -> Any:
        if isinstance(x, tuple):
            return tuple([self._param(part) for part in x])
        return self._constant(x, self.labels.get(key(x))) if isinstance(x, np.ndarray) else x

    def _constant(self, array: np.ndarray, label: str | None) -> Any:
        """The Symbol of an array that requires no gradient: a parameter, or numbers that can be written out."""
        leaf = self.leaves.get(label or "")
        if leaf is not None and leaf.shape == array.shape:
            return self.symbols[leaf]  # .detach() or .data gave this array
        if id(array) not in self.arrays:
            self.arrays[id(array)] = _written_out(array) if label is None else None
        if self.arrays[id(array)] is None:
            name = self.free_name(label or "constant")
            self.parameters[name] = array.shape
            if label is None:
                self.constants[name] = array
            self.arrays[id(array)] = symbol = Symbol(name, array.shape, array.dtype)
            symbol.array = array  # the shape of `x[mask]` depends on the numbers in the mask
        return self.arrays[id(array)]

    # What is asked for

    def targets(self, wrt: Iterable[Any] | None, retain: Iterable[str]) -> list[Any]:
        """The nodes whose gradients are asked for, each once. ValueError for one that gets none."""
        by_name = {name: node for node, name in self.names.items()} | {self.label(node): node for node in self.nodes}
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
        node = by_name.get(x) if isinstance(x, str) else x.node if isinstance(x, Tensor) else None
        node = x if isinstance(x, Value) else node
        if node is None or node not in self.symbols:
            what = f"called {shown(x)}; give names=locals()" if isinstance(x, str) else f"this {type(x).__name__}"
            raise ValueError(f"derive: nothing in the graph of this loss that requires a gradient is {what}")
        return node


def _written_out(array: np.ndarray) -> Any:
    """The Symbol of an array that a few words can say: one number everywhere, or 0, 1, 2, ...; None for any other."""
    if array.ndim == 0 or (array.size and (array == array.flat[0]).all() and array.dtype.kind == "f"):
        return Symbol("", array.shape, array.dtype, array.flat[0])
    text = array_text(array) if array.ndim == 1 and array.dtype.kind == "i" else ""
    return Symbol(text, array.shape, array.dtype) if text.startswith("np.arange(") else None
