"""Runs the backward pass of a graph once more in the engine, and keeps everything that happens on the way.

No derivative is computed here: the numbers are those of the vjps in the table, in the order of the engine.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from minigrad import Tensor, Value, walks
from minigrad.core import graph, ops
from minigrad.core.primitive import Primitive, parameter_names
from minigrad.core.record import Node
from minigrad.core.versions import at, check_unchanged
from minigrad.grad_mode import Within

TABLE = {primitive for primitive in vars(ops).values() if isinstance(primitive, Primitive)}


class Part(NamedTuple):
    """What one vjp adds to the gradient of an operand.

    `position` is the place of `operand` among the operands. `raw` is what the vjp returns, and `part` the same after
    unbroadcasting. `before` is the gradient that the operand has so far, or None, and `after` the sum of both.
    """

    operand: Any
    position: int
    raw: np.ndarray
    part: np.ndarray
    before: np.ndarray | None
    after: np.ndarray


class Visit(NamedTuple):
    """A node that the backward pass visits, its complete gradient `g`, and what its vjps make of `g`."""

    node: Any
    g: np.ndarray
    parts: list[Part]


class Passes:
    """Both passes behind a root: the recorded nodes in the order of their computation, and the visits of the reverse.

    `arrays` holds the data of the nodes that is known; `held` are Tensors that may be among them. The root's gradient
    starts as ones. RuntimeError if the saved values were released and cannot be restored, or if one was changed in
    place since it was saved.
    """

    def __init__(self, root: Any, held: Iterable[Tensor] = ()) -> None:
        self.is_value = isinstance(root, Value)
        self.root: Any = root if self.is_value else root.node
        self.nodes: list[Any] = walks.ancestors([self.root])
        self.arrays: dict[Any, np.ndarray] = {}
        for node in self.nodes:
            self._keep(node, np.asarray(node.data) if self.is_value else node.value)
        if isinstance(root, Tensor):
            for tensor in (root, *held):
                self._keep(tensor.node, tensor.array)
            for node in self.nodes:
                self._keep_saved(node)
        self._restored: dict[Any, tuple[Any, ...]] = {}
        self.visits: list[Visit] = []
        if getattr(root, "requires_grad", True):
            self._reverse()

    def _keep(self, node: Any, array: np.ndarray | None) -> None:
        """Keep the data of a node, unless it was changed in place since then. (That a leaf was is checked later.)"""
        if array is None or node in self.arrays:
            return
        try:
            check_unchanged(array, node)
        except RuntimeError:
            if node.plan is not None:
                return
        self.arrays[node] = array

    def _keep_saved(self, node: Any) -> None:
        """Take the data of operands that are too large for their own nodes from what a node saved for its vjps."""
        if node.plan is None or node.saved is None:
            return
        named = dict(zip([node.plan.primitive.values[i] for i in node.plan.saved], node.saved, strict=True))
        for name, x in zip(node.plan.primitive.operands, node.inputs, strict=False):
            if isinstance(x, Node) and isinstance(named.get(name), np.ndarray):
                self._keep(x, named[name])

    def _reverse(self) -> None:
        """Run the reverse pass. What it needs must not have been changed in place."""
        try:
            self._visit_all()
        except RuntimeError as error:
            changed, remedy, _ = str(error).partition(": compute a new tensor")
            if not remedy:
                raise
            raise RuntimeError(f"page: {changed}; write the page before that") from None

    def _visit_all(self) -> None:
        so_far: dict[Any, np.ndarray] = {}
        seed: Any = 1.0 if self.is_value else np.ones(self.root.shape, self.root.dtype)

        def check(node: Any, operand: Any, g: Any, part: Any) -> None:
            """Keep a part, as the reverse pass reports it: for each node in the order of the plan's steps."""
            parts, before = self.visits[-1].parts, so_far.get(operand)
            position = node.plan.steps[len(parts)][0]
            raw = part if self.is_value else self.rule(node, position)(g, *self.saved_of(node))
            after = so_far[operand] = np.asarray(part if before is None else before + part)
            parts.append(Part(operand, position, np.asarray(raw), np.asarray(part), before, after))

        with Within(check=check, watch=None, locate=None):
            found = graph.reverse(
                [(self.root, seed)],
                saved_of=None if self.is_value else self.saved_of,
                needed=None if self.is_value else set(self.nodes),
            )
            for node, g, _ in found:
                so_far[node] = np.asarray(g)
                self.visits.append(Visit(node, so_far[node], []))

    def saved_of(self, node: Any) -> tuple[Any, ...]:
        """Return what a node saved for its vjps. What a backward pass has released is put together again."""
        if self.is_value:
            return tuple(node.saved)
        if node.saved is not None:
            return graph.saved_values(node)
        if node not in self._restored:
            self._restored[node] = self._restore(node)
        return self._restored[node]

    def _restore(self, node: Any) -> tuple[Any, ...]:
        primitive, plan = node.plan.primitive, node.plan
        operands = [self.arrays.get(x) if isinstance(x, Node) else getattr(x, "array", x) for x in node.inputs]
        is_known = all(x is not None for x in operands)
        for operand in operands:
            if isinstance(operand, np.ndarray):
                check_unchanged(operand, node)
        residuals = [None] * len(primitive.residuals)
        if is_known and primitive in TABLE:
            result = primitive.kernel(*operands, *node.params)
            result, *residuals = result if residuals else (result,)
            self._compare(node, result)
        shapes = [tuple(node.inputs[i].shape) for i in primitive.shaped]
        values = (self.arrays.get(node), *residuals, *node.params, *operands, *shapes)
        saved = tuple([values[i] for i in plan.saved])
        if not is_known and any(x is None for x in saved):
            raise RuntimeError(
                "page: the backward pass has been run, and has released values that are too large to be kept, or were "
                "changed in place; write the page before loss.backward(), or after loss.backward(retain_graph=True)"
            )
        return saved

    def _compare(self, node: Any, result: Any) -> None:
        """Refuse operands that do not give the recorded result again: `.data` changes them without a trace."""
        known = self.arrays.get(node)
        if known is not None and not np.array_equal(known, result, equal_nan=known.dtype.kind == "f"):
            raise RuntimeError(
                f"page: {node.operation}{at(node.line)}: an operand was changed after it was used, such as by "
                "p.data -= ...; write the page before the parameters are updated"
            )

    def rule(self, node: Any, position: int) -> Callable[..., Any]:
        """Return the vjp of an operand, as a function of `g` and of everything that the node saved."""
        plan = node.plan
        if plan.joint is not None:
            _, joint, _, pick = plan.joint
            return lambda g, *saved: joint(g, *pick(saved))[position]
        _, vjp, arity, pick = next(step for step in plan.steps if step[0] == position)
        return lambda g, *saved: vjp(g, pick(saved)) if arity == 1 else vjp(g, *pick(saved)) if arity else vjp(g)

    def reads(self, node: Any, position: int) -> list[str]:
        """Return the names of the values that the vjp of an operand takes besides `g`."""
        plan = node.plan
        vjp = plan.joint[1] if plan.joint is not None else next(s[1] for s in plan.steps if s[0] == position)
        return [*parameter_names(vjp)[1:]]
