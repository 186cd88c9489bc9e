"""A compiled program: its source, its memory, and the one node that its results have in the graph."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.compiled.layout import Wanted
from minigrad.compiled.printer import Printer
from minigrad.core import graph
from minigrad.core.primitive import Plan, Primitive
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor, wrap

Passes = tuple[Callable[..., Any], Callable[..., Any]]  # a forward and a backward pass that share their arrays


class Memory:
    """The arrays of one call that is under way, in the two passes that use them. When it is gone, they are free."""

    __slots__ = ("_free", "backward", "forward")

    def __init__(self, passes: Passes, free: list[Passes]) -> None:
        self.forward, self.backward = passes
        self._free = free

    def __del__(self) -> None:
        self._free.append((self.forward, self.backward))


class Program:
    """The compiled forward and backward pass.

    A call takes memory that no other call uses: a call uses its memory until its result is gone, or a backward pass has
    released it. So several results may be alive at once, in one thread or in many.
    """

    def __init__(self, wanted: Wanted, constants: dict[int, np.ndarray], in_rows: set[int]) -> None:
        printer = Printer(wanted, constants, in_rows)
        self.reads = printer.reads  # places in `wanted.given`
        self.source = printer.write()
        exec(compile(self.source, "<compiled>", "exec"), printer.space)
        self._make = printer.space["make"]
        self._free: list[Passes] = []

    def memory(self) -> Memory:
        """Memory that no other call uses."""
        try:
            passes = self._free.pop()  # in one step, so that no two threads take the same
        except IndexError:
            passes = self._make()
        return Memory(passes, self._free)


class Gradients:
    """The gradients of several results, on their way to the node that all of them come from."""

    base = True  # as of an array that shares its memory: the reverse pass must not add to it in place
    strides = ()  # it has no layout of its own

    def __init__(self, parts: list[Any], node: Any) -> None:
        self.parts, self.shape, self.dtype = parts, node.shape, node.dtype

    def __add__(self, other: "Gradients") -> "Gradients":
        pairs = zip(self.parts, other.parts, strict=True)
        return Gradients([b if a is None else a if b is None else a + b for a, b in pairs], self)


def _backward(g: Any, call: Any) -> Any:
    """The gradients of all that a compiled function was given."""
    if isinstance(g, Tensor) or (isinstance(g, Gradients) and any(isinstance(part, Tensor) for part in g.parts)):
        raise RuntimeError(
            "compile: gradients of gradients are not compiled; call the function that was compiled, without compile"
        )
    return call(g.parts if isinstance(g, Gradients) else [g])


COMPILED = Primitive("CompiledFunction", lambda *x: x[0], params=("call",), joint_vjp=_backward, tensors=None)


def _part(g: Any, place: int, node: Any, count: int) -> Gradients:
    """The vjp of one of several results."""
    if isinstance(g, Tensor):
        return _backward(g, None)
    return Gradients([g if i == place else None for i in range(count)], node)


PART = Primitive("CompiledFunction", lambda results, place, node, count: results, results=_part)


def plan_of(count: int) -> Plan:
    """The plan of a node that hands gradients to `count` operands, and is released by a backward pass."""
    plan = Plan(COMPILED, (True,) * count, False)
    plan.releases = True
    return plan


def results_of(arrays: Any, needing: list[int], plan: Plan, operands: Any, call: Any, saved: Any) -> list[Tensor]:
    """Tensors of arrays; those at the places `needing` have a node that leads to the operands.

    `call` is its backward pass. The arrays in `saved` must not change before it.
    """
    if len(needing) == 1:
        results = [wrap(array) for array in arrays]
        only = results[needing[0]]
        only.stored_node = Node(only.array, plan, operands, (), (call, *saved))
        return results
    results = [wrap(array) for array in arrays]
    if needing:
        whole = Node(np.empty((), np.float32), plan, operands, (), (call, *saved))
        for i, place in enumerate(needing):
            array = results[place].array
            params = (i, whole, len(needing))
            results[place].stored_node = Node(array, PART.plans[(True,)], (whole,), params, params)
    return results


def eager_pass(nodes: list[Any], leaves: list[Any]) -> Callable[[list[Any]], list[Any]]:
    """The backward pass of the call that was recorded: through the graph that it left."""

    def run(gradients: list[Any]) -> list[Any]:
        seeds = [(node, g) for node, g in zip(nodes, gradients, strict=True) if g is not None]
        found = {node: g for node, g, _ in graph.reverse(seeds)}
        return [found[leaf] if leaf in found else np.zeros(leaf.shape, leaf.dtype) for leaf in leaves]

    return run
