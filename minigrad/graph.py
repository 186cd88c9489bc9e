"""What is recorded, and the reverse pass over it: one loop, for Tensors and for Values.

Every recorded result has a `Node`, which knows the nodes of its operands. Nodes are numbered as they are made, operands
before results, so that falling numbers are a topological order for the reverse pass.
"""

import functools
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.anomaly import Line, at
from minigrad.modes import Scope, local
from minigrad.rows import Plan, Row, Shape

numbers = itertools.count()


class Change:
    """The last change in place of some memory: its number, the operation, and the line that called it, if known.

    `version` counts the changes so far. `memory` is the array that owns it; with that the note goes away.
    """

    __slots__ = ("line", "memory", "number", "operation", "version")

    def __init__(self, memory: weakref.ref[np.ndarray]) -> None:
        self.memory = memory
        self.number, self.operation, self.version = 0, "", 0
        self.line: Line | None = None


class Changes(dict[int, Change]):
    """The changes, by the id of the array that owns the memory, and the number of the latest; see inplace.py."""

    latest = 0


changes = Changes()


class Node:
    """One recorded result: where it came from, what its rules will need, and the gradient it was asked to retain.

    A leaf has no `plan`. `inputs` holds, for each operand, its node, or the operand itself where it needs no gradient.
    `params` are the operation's. `saved` holds the values that the plan keeps, and None after a backward pass has
    released them. `value` is the result, where it is small enough to look at later, `scope` the module that recorded
    it, and `line` the one that called the operation, where it is known.
    """

    __slots__ = (
        *("__weakref__", "dtype", "grad", "inputs", "label", "line", "name", "number", "params", "plan"),
        *("requires_grad", "retains", "saved", "scope", "shape", "value"),
    )

    def __init__(self, array: np.ndarray) -> None:
        """A leaf's. Results are recorded by `recording.py`."""
        self.number = next(numbers)
        self.shape, self.dtype = array.shape, array.dtype
        self.value = array if array.size <= KEPT_TO_LOOK_AT else None
        self.plan: Plan | None = None
        self.inputs: tuple[Any, ...] = ()
        self.params: tuple[Any, ...] = ()
        self.saved: tuple[Any, ...] | None = ()
        self.label: str | None = None
        self.scope: Scope | None = local.mode.scope
        self.requires_grad = self.retains = True
        self.grad: Any = None
        self.name: str | None = None
        self.line: Line | None = None

    def become(self, plan: Plan, inputs: tuple[Any, ...], params: tuple[Any, ...], saved: tuple[Any, ...]) -> "Node":
        """Be that of a result, and return itself."""
        self.plan, self.inputs, self.params, self.saved, self.retains = plan, inputs, params, saved, False
        return self

    def __repr__(self) -> str:
        return f"<{self.label or _grad_fn_name(self)}>" if self.plan else "<AccumulateGrad>"

    @property
    def operation(self) -> str:
        """The name of the operation that made this, or an empty text for a leaf."""
        return self.plan.row.name if self.plan else ""


KEPT_TO_LOOK_AT = 1 << 14  # elements

_GRAD_FN_NAMES = {
    "amax": "MaxBackward1",
    "amin": "MinBackward1",
    "batch_norm": "NativeBatchNormBackward0",
    "cast": "ToCopyBackward0",
    "cross_entropy": "NllLossBackward0",
    "linear": "AddmmBackward0",
    "linear_map": "MmBackward0",
    "matmul": "MmBackward0",
    "reshape": "ViewBackward0",
    "assign": "CopySlices",
}


def shown_as(result: Any, grad_fn: str) -> Any:
    """`result`, a new Tensor, which is to print the `grad_fn` that PyTorch's prints."""
    if result.node is not None and result.node.plan is not None:
        result.node.label = grad_fn
    return result


def _grad_fn_name(node: Node) -> str:
    """What PyTorch's `grad_fn` calls the operation of a node."""
    name, numbers = node.operation, [isinstance(x, int | float) for x in node.inputs]
    if numbers[:1] == [True]:
        name = {"sub": "RsubBackward1", "div": "MulBackward0", "pow": "PowBackward2"}.get(name, name)
    elif name == "pow" and not numbers[1]:
        return "PowBackward1"
    return _GRAD_FN_NAMES.get(name) or (name if "Backward" in name else name.title().replace("_", "") + "Backward0")


def fit(g: Any, node: Node, row: Row) -> Any:
    """Make `g` a gradient of `node`: sum what broadcasting repeated, and restore the dtype.

    Raises RuntimeError where no broadcasting can have led from the node's shape to that of `g`.
    """
    if g.shape != node.shape:
        axes = _repeated(g.shape, node.shape)
        if axes is None:
            raise RuntimeError(
                f"{row.name}: its rule gave a gradient of shape {g.shape} for an operand of {node.shape}"
            )
        if axes:
            sum = ops.sum.on_arrays if isinstance(g, np.ndarray) else ops.sum
            g = sum(g, axes, len(g.shape) == len(node.shape))
        if g.shape != node.shape:
            g = g.reshape(node.shape) if isinstance(g, np.ndarray) else ops.reshape(g, node.shape)
    return g if g.dtype == node.dtype else ops.cast(g, node.dtype)


@functools.lru_cache
def _repeated(shape: Shape, before: Shape) -> tuple[int, ...] | None:
    """The axes that broadcasting made, or made longer, between two shapes; None if it cannot have made `shape`."""
    extra = len(shape) - len(before)
    inner = shape[extra:] if extra >= 0 else None
    if inner is None or any(size not in (1, large) for size, large in zip(before, inner, strict=True)):
        return None
    repeated = [axis + extra for axis, size in enumerate(before) if size != inner[axis]]
    leading = range(extra) if repeated or shape[:extra] != (1,) * extra else ()
    return (*leading, *repeated)


def paths(roots: Iterable[Node], targets: Iterable[Node]) -> set[Node]:
    """The nodes that a gradient passes on its way from `roots` to `targets`, both included."""
    targets = set(targets)
    first = min(target.number for target in targets)
    found, open_ends = set(roots), list(roots)
    while open_ends:
        new = {x for x in _nodes(open_ends.pop().inputs) if x.number >= first} - found
        found |= new
        open_ends += new
    passed = found & targets
    for node in sorted(found, key=lambda node: node.number):
        if any(_nodes(node.inputs, passed)):
            passed.add(node)
    return passed


def _nodes(inputs: Iterable[Any], within: set[Node] | None = None) -> Iterator[Node]:
    """The nodes among a node's inputs, or those of them that are `within` some."""
    return (x for x in inputs if isinstance(x, Node) and (within is None or x in within))


def reverse(
    seeds: Iterable[tuple[Any, Any]],
    *,
    fit: Callable[[Any, Any, Row], Any] | None = fit,
    lift: Callable[[Any], tuple[Any, ...]] | None = None,
    release: bool = False,
    within: set[Node] | None = None,
) -> Iterator[tuple[Any, Any, bool]]:
    """Run the reverse pass: from `seeds`, pairs of a node and its gradient, to the leaves.

    It gives every node that retains its gradient, with that gradient as soon as it is complete, and whether nobody else
    holds it. `lift(node)` gives the values kept for a node's rules in a form that records, where the pass is to be
    recorded itself. `release` lets go of those values, after which a second pass through them is refused. A pass
    `within` some nodes leaves all others as they are, and gives the gradients of all of these. Values, whose gradients
    are floats of no shape, have no `fit`.
    """
    check, plain, arrays = local.mode.check, lift is None and within is None, fit is not None and lift is None
    # By their numbers, negative: the node, its gradient so far, and whether that is somebody else's too, not to change.
    open_nodes: dict[int, list[Any]] = {}
    ready: list[int] = []  # those numbers: the last node comes first
    for node, g in seeds:
        number = -node.number
        if within is None or node in within:
            if number in open_nodes:
                g = open_nodes[number][1] + g
            else:
                heappush(ready, number)
            open_nodes[number] = [node, g, True]
    while ready:
        node, g, shared = open_nodes.pop(heappop(ready))
        if node.retains or within is not None:
            yield node, g, not shared
        plan = node.plan
        if plan is None or (within is not None and not any(_nodes(node.inputs, within))):
            continue
        if plain:
            if arrays and (node.saved is None or node.number < changes.latest):
                saved_values(node)
            parts = plan.run(g, node)
        else:
            parts = _partials(node, g, saved_values(node) if lift is None else lift(node), within)
        for operand, h in parts:
            if fit is not None and (h.shape != operand.shape or h.dtype is not operand.dtype):
                h = fit(h, operand, plan.row)
            if check is not None:
                check(node, operand, g, h)
            number = -operand.number
            so_far = open_nodes.get(number)
            if so_far is None:
                open_nodes[number] = [operand, h, not arrays or h is g or h.base is not None]
                heappush(ready, number)
            elif so_far[2]:
                so_far[1], so_far[2] = so_far[1] + h, not arrays
            else:
                so_far[1] += h
        if release and (plan.releases or (plan.key is not None and np.ndarray in map(type, node.saved[plan.key]))):
            node.saved = None


def _partials(node: Any, g: Any, saved: tuple[Any, ...], within: set[Node] | None) -> Iterator[tuple[Any, Any]]:
    """What the rules of a node make of its gradient, one by one: if not all are to run, or they are to be recorded."""
    inputs, joint = node.inputs, node.plan.row.joint
    for position, rule, arguments in node.plan.steps:
        if within is not None and joint is None and inputs[position] not in within:
            continue
        result = rule(g, *[saved[i] if i >= 0 else inputs[~i].shape for i in arguments])
        if joint is None:
            yield inputs[position], result
        else:
            of = zip(inputs, result, strict=True)
            yield from ((x, h) for x, h in of if isinstance(x, Node) and (within is None or x in within))


def saved_values(node: Any) -> tuple[Any, ...]:
    """The values kept for a node's rules. RuntimeError if they were released, or changed in place, since."""
    saved = node.saved
    if saved is None:
        raise RuntimeError(
            f"{node.operation}: backward through the graph a second time, but the first released what it had saved; "
            f"call backward(retain_graph=True) the first time, or compute the result anew{at(node.line)}"
        )
    for value in saved:
        if isinstance(value, np.ndarray):
            change = changes.get(id(value if value.base is None else owner(value)))
            if change is not None and change.number > node.number:
                lines = (
                    ""
                    if local.mode.anomaly or node.line or change.line
                    else "; detect_anomaly() tells the lines of both"
                )
                raise RuntimeError(
                    f"{node.operation}{at(node.line)}: a value of shape {value.shape} that its gradient needs was "
                    f"changed by {change.operation}{at(change.line)}: compute a new tensor, x = x + 1 for x += 1, or "
                    f"change a .clone(){lines}"
                )
    return saved


def owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory this one sees."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array
