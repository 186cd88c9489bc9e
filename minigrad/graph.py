"""What is recorded, and the reverse pass over it: one loop, for Tensors and for Values.

Every recorded result has a `Node`, which knows the nodes of its operands. Nodes are numbered as they are made, operands
before results, so that falling numbers are a topological order for the reverse pass.
"""

import functools
import heapq
import inspect
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from minigrad import ops
from minigrad.ops import Plan

Function = TypeVar("Function", bound=Callable[..., Any])
Deposit = Callable[[Any, Any, bool], None]

numbers = itertools.count()
changes: dict[int, tuple[int, str]] = {}  # by the id of the array that owns the memory; see inplace.py


class Node:
    """One recorded result: where it came from, what its rules will need, and the gradient it was asked to retain.

    A leaf has no `plan`. `inputs` holds, for each operand, its node, or the operand itself where it needs no gradient.
    `saved` holds the values that the plan keeps, and None after a backward pass has released them. `value` is the
    result, where it is small enough to look at later.
    """

    __slots__ = (
        "__weakref__",
        "dtype",
        "grad",
        "inputs",
        "label",
        "name",
        "number",
        "plan",
        "requires_grad",
        "retains",
        "saved",
        "shape",
        "value",
    )

    def __init__(
        self,
        array: np.ndarray,
        plan: Plan | None = None,
        inputs: tuple[Any, ...] = (),
        saved: tuple[Any, ...] | None = (),
        requires_grad: bool = True,
    ) -> None:
        self.number = next(numbers)
        self.plan, self.inputs, self.saved, self.requires_grad = plan, inputs, saved, requires_grad
        self.shape, self.dtype = array.shape, array.dtype
        self.value = array if array.size <= KEPT_TO_LOOK_AT else None
        self.retains = plan is None
        self.grad: Any = None
        self.name: str | None = None
        self.label: str | None = None

    @classmethod
    def of(
        cls, row: ops.Row, wanted: tuple[bool, ...], inputs: tuple[Any, ...], values: tuple[Any, ...]
    ) -> "Node | None":
        """The node of a row's result, the first of `values`; None if the wanted operands have no gradient."""
        plan = row.plan(wanted)
        return cls(values[0], plan, inputs, tuple([values[i] for i in plan.kept])) if plan.steps else None

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


class Mode(threading.local):
    """The calling thread's settings."""

    grad = True


mode = Mode()


def is_grad_enabled() -> bool:
    """Whether operations are being recorded in this thread (`torch.is_grad_enabled`)."""
    return mode.grad


class no_grad:
    """Within it nothing is recorded: a with-block, or a decorator of functions and generators (`torch.no_grad`).

    >>> import minigrad
    >>> weight = minigrad.ones(2, requires_grad=True)
    >>> with minigrad.no_grad():
    ...     print((weight * 2).requires_grad)
    False
    """

    enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        if function is None:
            return super().__new__(cls)
        return cls()(function)

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(mode.grad)
        mode.grad = self.enabled

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mode.grad = self.before.pop()

    def __call__(self, function: Function) -> Function:
        """Decorate `function`; a generator runs so between one yield and the next, and its caller as it was."""
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                generator = function(*args, **kwargs)
                send, value = generator.send, None
                while True:
                    try:
                        with type(self)():
                            result = send(value)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        send, value = generator.send, (yield result)
                    except GeneratorExit:
                        with type(self)():
                            generator.close()
                        raise
                    except BaseException as error:
                        send, value = generator.throw, error
        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with type(self)():
                    return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


class enable_grad(no_grad):
    """Within it operations are recorded again, inside of a `no_grad` (`torch.enable_grad`)."""

    enabled = True


def inference_mode(mode: Any = True) -> Any:
    """`no_grad` by its other name; `inference_mode(False)` is `enable_grad` (`torch.inference_mode`)."""
    return no_grad()(mode) if callable(mode) else no_grad() if mode else enable_grad()


def fit(g: Any, node: Node, row: ops.Row) -> Any:
    """Make `g` a gradient of `node`: sum what broadcasting repeated, and restore the dtype.

    Raises RuntimeError where no broadcasting can have led from the node's shape to that of `g`.
    """
    if g.shape != node.shape:
        extra = len(g.shape) - len(node.shape)
        inner = g.shape[extra:] if extra >= 0 else None
        if inner is None or any(size not in (1, large) for size, large in zip(node.shape, inner, strict=True)):
            raise RuntimeError(
                f"{row.name}: its rule gave a gradient of shape {g.shape} for an operand of {node.shape}"
            )
        repeated = [axis + extra for axis, size in enumerate(node.shape) if size != inner[axis]]
        g = ops.sum(g, (*range(extra), *repeated), extra == 0)
        if g.shape != node.shape:
            g = ops.reshape(g, node.shape)
    return g if g.dtype == node.dtype else ops.cast(g, node.dtype)


def reverse(
    seeds: Iterable[tuple[Any, Any]],
    deposit: Deposit,
    *,
    fit: Callable[[Any, Any, ops.Row], Any] | None = fit,
    lift: Callable[[Any], tuple[Any, ...]] | None = None,
    release: bool = False,
) -> None:
    """Run the reverse pass: from `seeds`, pairs of a node and its gradient, to the leaves.

    `deposit(node, g, owned)` receives the complete gradient of every node that retains one; `owned` says that nobody
    else holds `g`. `lift(node)` gives the values kept for a node's rules in a form that records, where the pass is to
    be recorded itself. `release` lets go of those values, after which a second pass through them is refused.
    """
    gradients: dict[Any, Any] = {}
    owned: set[Any] = set()
    ready: list[tuple[int, Any]] = []

    def contribute(node: Any, g: Any, fresh: bool) -> None:
        if node not in gradients:
            gradients[node] = g
            heapq.heappush(ready, (-node.number, node))
        elif node in owned:
            gradients[node] += g
        else:
            gradients[node] = gradients[node] + g
            fresh = True
        if fresh and lift is None:
            owned.add(node)

    for node, g in seeds:
        contribute(node, g, False)
    while ready:
        node = heapq.heappop(ready)[1]
        g = gradients.pop(node)
        if node.retains:
            deposit(node, g, node in owned)
        owned.discard(node)
        if node.plan is None:
            continue
        saved = _saved(node)
        for operand, h in _partials(node, g, saved if lift is None else lift(node)):
            h = h if fit is None else fit(h, operand, node.plan.row)
            contribute(operand, h, h is not g and getattr(h, "base", None) is None)
        if release and (node.plan.releases or any(_holds_arrays(value) for value in saved)):
            node.saved = None


def _partials(node: Any, g: Any, saved: tuple[Any, ...]) -> Iterator[tuple[Any, Any]]:
    """What the rules of a node make of its gradient: the operands that need one, each with its part."""
    inputs, joint = node.inputs, node.plan.row.joint
    for position, rule, arguments in node.plan.steps:
        result = rule(g, *[saved[i] if i >= 0 else inputs[~i].shape for i in arguments])
        if joint is None:
            yield inputs[position], result
        else:
            yield from ((x, part) for x, part in zip(inputs, result, strict=True) if isinstance(x, Node))


def _saved(node: Any) -> tuple[Any, ...]:
    """The values kept for a node's rules. RuntimeError if they were released, or changed in place, since."""
    name, saved = node.plan.row.name, node.saved
    if saved is None:
        raise RuntimeError(
            f"{name}: backward through the graph a second time, but the first released what it had saved; call "
            "backward(retain_graph=True) the first time, or compute the result anew"
        )
    for value in saved if changes else ():
        if isinstance(value, np.ndarray):
            number, culprit = changes.get(id(owner(value)), (-1, ""))
            if number > node.number:
                raise RuntimeError(
                    f"{name}: a value of shape {value.shape} that its gradient needs was changed by {culprit}: "
                    "compute a new tensor, x = x + 1 for x += 1, or change a .clone()"
                )
    return saved


def owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory this one sees."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def _holds_arrays(value: Any) -> bool:
    """Whether a parameter is an index with arrays in it, which is let go, or else a shape or the like, which is not."""
    return isinstance(value, tuple) and any(isinstance(part, np.ndarray) for part in value)
