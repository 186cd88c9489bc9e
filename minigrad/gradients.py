"""`backward` and `grad`: they start the reverse pass at Tensors, and store or return the gradients.

The loop itself is `core/graph.py`, which knows nothing of `.grad`, of `create_graph`, or of PyTorch's arguments.
"""

import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from minigrad.checks import flag_of, members_of
from minigrad.core import graph
from minigrad.core.methods import methods
from minigrad.core.modes import current_mode
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor, unshared_gradient, wrap
from minigrad.core.versions import bump_version, lock
from minigrad.grad_mode import Within, enable_grad
from minigrad.walks import nodes_between

Tensors = Tensor | Sequence[Tensor]
Found = tuple[Node, Any, bool]  # see graph.reverse

if hasattr(os, "register_at_fork"):
    # A fork waits for the lock. The new process would wait for ever, if a thread that it does not have held it.
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """Compute the gradients of `tensors` and add them to the `.grad` of their leaves (`torch.autograd.backward`).

    `grad_tensors` holds one output gradient for each tensor, of the tensor's shape. For a tensor with a single element
    it may be None, which means 1. The saved values are released unless `retain_graph` is set. With `create_graph` the
    gradients are recorded, so that they can be differentiated again; the graph is then retained by default. With
    `inputs`, only these Tensors get a gradient, leaves or not.

    RuntimeError if a tensor does not require a gradient, if an output gradient is missing or has another shape, or if
    the saved values have been released already.
    """
    _check_flags("backward", retain_graph, create_graph)
    seeds = _seeds("backward", tensors, grad_tensors)
    targets = None if inputs is None else _targets("backward", _sequence("backward", inputs))
    found = _found(seeds, retain_graph, create_graph, targets)
    with lock:
        for node, g, unshared in found:
            if node.requires_grad:
                if node.plan is None and type(g) is np.ndarray and g.strides != node.strides:
                    g, unshared = _in_order_of(node, g), True
                node.grad = unshared_gradient(g, unshared) if node.grad is None else _sum(node, g)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Return the gradients of the sum of `outputs` with respect to each of `inputs` (`torch.autograd.grad`).

    Each gradient has the shape and the dtype of its input. The `.grad` of leaves does not change. `grad_outputs` holds
    the output gradients, as in `backward`. With `create_graph` the results are recorded, so that they can be
    differentiated again, to any order. RuntimeError for an input that the outputs do not depend on; with `allow_unused`
    its gradient is None instead, and with `materialize_grads` it is zero.

    >>> import minigrad
    >>> x = minigrad.tensor(2.0, requires_grad=True)
    >>> (slope,) = minigrad.grad(x**3, x, create_graph=True)
    >>> slope, *minigrad.grad(slope, x)
    (tensor(12., grad_fn=<MulBackward0>), tensor(12.))
    """
    _check_flags("grad", retain_graph, create_graph)
    flag_of("grad", "allow_unused", False if allow_unused is None else allow_unused)
    if flag_of("grad", "materialize_grads", materialize_grads) and allow_unused is False:
        raise ValueError("grad: materialize_grads gives zeros for unused inputs; leave allow_unused out")
    seeds = _seeds("grad", outputs, grad_outputs)
    inputs = _sequence("grad", inputs)
    targets = _targets("grad", inputs)
    gradients: dict[Any, Tensor] = {}
    for node, g, unshared in _found(seeds, retain_graph, create_graph, targets):
        if node in targets:
            gradients[node] = unshared_gradient(g, unshared)
        if node.retains_grad and node.plan is not None:
            with lock:
                node.grad = unshared_gradient(g, False) if node.grad is None else _sum(node, g)
    for place, x in enumerate(inputs):
        if x.node not in gradients and not (allow_unused or materialize_grads):
            raise RuntimeError(
                f"grad: the outputs were not computed from input {place}, of shape {x.array.shape}; is it the Tensor "
                "that was used, and not a copy? With allow_unused=True its gradient is None"
            )
        if x.node not in gradients and materialize_grads:
            gradients[x.node] = wrap(np.zeros_like(x.array)).requires_grad_(create_graph)
    return tuple([gradients.get(x.node) for x in inputs])


def _check_flags(name: str, retain_graph: bool | None, create_graph: bool) -> None:
    if retain_graph is not None and retain_graph is not True:
        flag_of(name, "retain_graph", retain_graph)
    if create_graph is not False:
        flag_of(name, "create_graph", create_graph)


def _found(
    seeds: list[tuple[Any, Any]], retain_graph: bool | None, create_graph: bool, targets: dict[Any, Tensor] | None
) -> list[Found]:
    """Run the reverse pass and keep its results for targets, and for nodes that retain their gradient.

    Without targets all results are kept.
    """
    release = not (create_graph if retain_graph is None else retain_graph)
    needed = None if targets is None else nodes_between([node for node, _ in seeds], targets)
    if not create_graph:
        arrays = [(node, seed.array if isinstance(seed, Tensor) else seed) for node, seed in seeds]
        return _wanted(graph.reverse(arrays, release=release, needed=needed), targets)
    tensors = [(node, seed if isinstance(seed, Tensor) else wrap(seed)) for node, seed in seeds]
    mode = current_mode()
    with Within(grad=True, watch=_locate if mode.check else mode.watch):
        return _wanted(graph.reverse(tensors, saved_of=saved_as_tensors, release=release, needed=needed), targets)


def _wanted(found: Iterable[Found], targets: dict[Any, Tensor] | None) -> list[Found]:
    return [*found] if targets is None else [each for each in found if each[0].retains_grad or each[0] in targets]


def _seeds(name: str, tensors: Tensors, gradients: Any) -> list[tuple[Any, Any]]:
    """Pair the node of every tensor with its output gradient: a Tensor if one was given, else an array of ones."""
    if gradients is None and isinstance(tensors, Tensor):
        return [_seed(name, tensors, None)]
    tensors = _sequence(name, tensors)
    if gradients is None:
        gradients = [None] * len(tensors)
    elif not isinstance(gradients, list | tuple):
        gradients = [gradients]
    if len(gradients) != len(tensors):
        raise RuntimeError(
            f"{name}: {len(gradients)} gradients for {len(tensors)} tensors; give one, or None, for each"
        )
    return [_seed(name, *pair) for pair in zip(tensors, gradients, strict=True)]


def _seed(name: str, tensor: Tensor, gradient: Any) -> tuple[Any, Any]:
    node = tensor.stored_node if tensor.base is None else tensor.node
    if node is None or not node.requires_grad:
        raise RuntimeError(
            f"{name}: this Tensor does not require a gradient, and nothing that it was computed from does; set "
            "requires_grad=True on a leaf before computing with it"
        )
    shape = tensor.array.shape
    if gradient is None:
        if tensor.array.size != 1:
            argument = "gradient" if name == "backward" else "grad_outputs"
            raise RuntimeError(
                f"{name}: of a result of shape {shape}, not a single number, it needs the gradient that arrives here, "
                f"as {argument}; or reduce it first with .sum() or .mean()"
            )
        one = np.empty(shape, tensor.array.dtype)
        one.fill(1)  # as np.ones does, in a third of the time
        return node, one
    if not isinstance(gradient, (Tensor, np.ndarray)):
        raise TypeError(
            f"{name}: a gradient must be a Tensor, got {type(gradient).__name__}; make one with tensor(...)"
        )
    seed = gradient if isinstance(gradient, Tensor) else wrap(gradient)
    if seed.array.shape != shape:
        raise RuntimeError(f"{name}: a gradient of shape {seed.array.shape} for a result of shape {shape}")
    return node, seed.to(tensor.dtype)


def _targets(name: str, inputs: tuple[Tensor, ...]) -> dict[Any, Tensor]:
    """Map the node of each input to the input; RuntimeError for an input that requires no gradient."""
    if not inputs:
        raise RuntimeError(f"{name}: there are no inputs; give at least one Tensor")
    for place, x in enumerate(inputs):
        if not x.requires_grad:
            raise RuntimeError(f"{name}: input {place}, of shape {x.array.shape}, does not require a gradient")
    return {x.node: x for x in inputs}


def _sequence(name: str, tensors: Any) -> tuple[Tensor, ...]:
    """Return one Tensor, or an iterable of Tensors such as a module's parameters, as a tuple; else TypeError."""
    return (tensors,) if isinstance(tensors, Tensor) else tuple(members_of(name, "Tensors", Tensor, tensors))


def _in_order_of(node: Node, g: np.ndarray) -> np.ndarray:
    """Return a copy of the gradient of a leaf, laid out in memory as the leaf, or contiguous if the leaf has gaps."""
    order = np.argsort([-stride for stride in node.strides], kind="stable")
    copy = g.transpose(order).copy("C").transpose(np.argsort(order))
    is_dense = all(a == b or n == 1 for a, b, n in zip(copy.strides, node.strides, g.shape, strict=True))
    return copy if is_dense else g.copy("C")


def _sum(node: Node, g: Any) -> Tensor:
    """Add a gradient to the one that the node has, in place where nothing else can use its array."""
    if isinstance(g, Tensor):
        with enable_grad():
            return node.grad + g
    if node.plan is not None:
        # The pass that stored the gradient of a result may still use its array.
        return wrap(np.asarray(node.grad.array + g))
    node.grad.array += g
    bump_version("backward", node.grad.array)
    return node.grad


def saved_as_tensors(node: Node) -> tuple[Any, ...]:
    """Return the saved values of a node as Tensors of the graph, so that the vjps that use them are recorded.

    Residuals have no node. The forward function computes them again from the operands, which records them.
    """
    assert node.plan
    primitive = node.plan.primitive
    after_residuals = 1 + len(primitive.residuals)
    first_operand = after_residuals + len(primitive.params)
    saved = dict(zip(node.plan.saved, graph.saved_values(node), strict=False))  # a compiled node has more
    for place in saved:
        operand = node.inputs[place - first_operand] if 0 <= place - first_operand < len(node.inputs) else None
        source = node if place == 0 else operand
        if isinstance(source, Node):
            saved[place] = wrap(saved[place], source)
    if primitive.residuals:
        operands = range(first_operand, first_operand + len(primitive.operands))
        params = range(after_residuals, first_operand)
        _, *residuals = primitive.forward(*(saved[place] for place in (*operands, *params)))
        saved.update(zip(range(1, after_residuals), residuals, strict=True))
    return tuple([saved[place] for place in node.plan.saved])


def _locate(primitive: Any, operands: tuple[Any, ...], params: tuple[Any, ...], result: Tensor, residuals: Any) -> None:
    """Store the user's line on a node, while a recorded pass runs under `detect_anomaly`.

    The recorder calls this function instead of the check of results. An anomaly inside a vjp is therefore reported when
    the vjp has returned, as in a pass that is not recorded.
    """
    locate = current_mode().locate
    if result.node is not None and locate is not None:
        result.node.line = locate()


@methods
class Gradients(Tensor):
    """Tensor methods that start the reverse pass, or that say which Tensors get a gradient."""

    __slots__ = ()

    @property
    def grad(self) -> "Tensor | None":
        """The sum of the gradients from all backward passes; for a result only after `retain_grad()`, else None."""
        node = self.stored_node if self.base is None else self.node
        if node is None:
            return None
        if node.grad is None and not node.retains_grad:
            warnings.warn(
                f"grad: this Tensor is a result of {node.operation}, not a leaf, and a backward pass does not keep the "
                "gradients of results; call .retain_grad() on it before backward() and after changes in place",
                stacklevel=2,
            )
        return node.grad

    @grad.setter
    def grad(self, grad: "Tensor | None") -> None:
        if grad is None:
            if self.node is not None:
                self.node.grad = None
            return
        if not isinstance(grad, Tensor):
            raise TypeError(f"grad: expected a Tensor or None, got {type(grad).__name__}")
        if grad.shape != self.shape or grad.dtype != self.dtype:
            raise RuntimeError(
                f"grad: a gradient of shape {grad.array.shape} and dtype {grad.array.dtype} is not for a Tensor of "
                f"shape {self.array.shape} and dtype {self.array.dtype}"
            )
        self._leaf().grad = grad

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed this Tensor; None for a leaf."""
        return None if self.is_leaf else self.node

    @property
    def retains_grad(self) -> bool:
        """Whether a backward pass keeps the gradient of this result, because of `retain_grad()`."""
        node = self.node
        return node is not None and node.plan is not None and node.retains_grad

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` in place and return the same Tensor (`torch.Tensor.requires_grad_`)."""
        flag_of("requires_grad_", "requires_grad", requires_grad)
        if not requires_grad or self.is_leaf:
            self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep this result's gradient in `.grad` at backward passes; leaves always do (`torch.Tensor.retain_grad`)."""
        node = self.node
        if node is None or not node.requires_grad:
            raise RuntimeError("retain_grad: this Tensor does not require a gradient, so it will get none")
        node.retains_grad = True

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Compute this Tensor's gradients and add them to the `.grad` of its leaves (`torch.Tensor.backward`).

        `gradient` is the output gradient, of this Tensor's shape. For a single element it may be left out, which means
        1. For the other arguments, see `minigrad.autograd.backward`.
        """
        backward(self, gradient, retain_graph, create_graph, inputs)
