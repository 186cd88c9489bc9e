"""`Function`: an operation whose forward and backward pass the user writes (`torch.autograd.Function`).

A subclass becomes a primitive, whose forward function and joint vjp call the user's two functions. So it is recorded,
checked and drawn as every row of the table is.
"""

import functools
import math
from typing import Any
from weakref import ref

import numpy as np

from minigrad.checks import flag_of
from minigrad.core.primitive import Primitive, Shape, Traced
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor, wrap
from minigrad.grad_mode import enable_grad, is_grad_enabled, no_grad


class Context:
    """What the forward pass of a Function keeps for its backward pass: `ctx`, to which it may add attributes.

    `needs_input_grad` says for each argument whether a gradient of it is needed.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.materialize_grads = True
        self.non_differentiable: tuple[Any, ...] = ()
        self._saved: list[tuple[Tensor | None, int]] = []
        self.output_nodes: dict[int, ref[Node]] = {}  # by the id of what the forward pass returned

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep inputs or outputs for the backward pass, where `saved_tensors` returns them."""
        for x in tensors:
            if x is not None and not isinstance(x, Tensor):
                raise TypeError(f"save_for_backward: saves Tensors, not {type(x).__name__}; set an attribute of ctx")
        self._saved = [(x, 0 if x is None else x._version) for x in tensors]

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The Tensors that were saved. RuntimeError if one was changed in place since then."""
        found: list[Tensor | None] = []
        for x, version in self._saved:
            if x is not None and x._version != version:
                raise RuntimeError(
                    f"saved_tensors: a saved Tensor of shape {x.array.shape} was changed in place; save a .clone()"
                )
            # An output got its node after the forward pass. With it, gradients flow through what was saved.
            node = self.output_nodes.get(id(x))
            found.append(wrap(x.array, node()) if x is not None and node is not None else x)
        return tuple(found)

    def mark_non_differentiable(self, *outputs: Tensor) -> None:
        """Say which outputs have no gradient."""
        self.non_differentiable = outputs

    def mark_dirty(self, *inputs: Tensor) -> None:
        """Refuse: a Function that changes its inputs in place is not supported."""
        raise NotImplementedError("mark_dirty: a Function cannot change its inputs in place here; return a new Tensor")

    def set_materialize_grads(self, value: bool) -> None:
        """Set whether the backward pass gets zeros, and not None, as the gradient of an output that is not used."""
        self.materialize_grads = flag_of("set_materialize_grads", "value", value)


class Function:
    """The base class of operations with a backward pass of their own (`torch.autograd.Function`).

    A subclass defines two static methods: `forward(ctx, *args)` computes the result, and `backward(ctx, *gradients)`
    returns the gradient of each argument, or None. It is called as `Subclass.apply(*args)`. If it defines
    `setup_context(ctx, inputs, output)`, its forward method has no `ctx`. If the backward pass consists of Tensor
    operations, it can be differentiated again.

    >>> import minigrad
    >>> class Square(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 2 * x * g
    >>> x = minigrad.tensor(3.0, requires_grad=True)
    >>> y = Square.apply(x)
    >>> y.backward()
    >>> y, x.grad
    (tensor(9., grad_fn=<SquareBackward>), tensor(6.))
    """

    setup_context: Any = None

    @staticmethod
    def forward(*args: Any) -> Any:
        """Compute the result; a subclass defines this."""
        raise NotImplementedError("Function: the subclass must define forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Return a gradient for each argument; a subclass defines this."""
        raise NotImplementedError("Function: the subclass must define backward(ctx, *gradients)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Compute the result of the arguments, and record it."""
        ctx = Context(tuple([isinstance(x, Tensor) and x.requires_grad for x in args]))
        with no_grad():
            if cls.setup_context is None:
                results = cls.forward(ctx, *args)
            else:
                results = cls.forward(*args)
                cls.setup_context(ctx, args, results)
        outputs = results if isinstance(results, tuple) else (results,)
        if not any(ctx.needs_input_grad) or not is_grad_enabled():
            return results
        is_open = [
            isinstance(x, Tensor)
            and x.array.dtype.kind == "f"
            and not any(x is shut for shut in ctx.non_differentiable)
            for x in outputs
        ]
        # A node has one result. Several outputs are pieces of it.
        arrays = [x.array for x, open_ in zip(outputs, is_open, strict=True) if open_]
        call = _Call(cls, ctx, args, [x.shape for x in arrays])
        call.closed = {i: x for i, x in enumerate(outputs) if not is_open[i]}
        call.result = arrays[0].copy() if len(arrays) == 1 else np.concatenate([x.ravel() for x in arrays] or [[]])
        pieces = iter(call.pieces(_primitive(call.function).on_tensors(*[args[i] for i in call.places], call)))
        call.result = None
        recorded = [next(pieces) if open_ else x for x, open_ in zip(outputs, is_open, strict=True)]
        ctx.output_nodes = {
            id(x): ref(y.node) for x, y, open_ in zip(outputs, recorded, is_open, strict=True) if open_ and y.node
        }
        return tuple(recorded) if isinstance(results, tuple) else recorded[0]


class _Call:
    """One call of a Function, as the parameter of its primitive. `shapes` are those of the outputs with gradients."""

    result: np.ndarray | None = None  # while it is being recorded
    closed: dict[int, Any]  # the outputs without a gradient, by their places

    def __init__(self, function: type[Function], ctx: Context, args: tuple[Any, ...], shapes: list[Shape]) -> None:
        self.function: Any = function
        self.ctx, self.shapes = ctx, shapes
        self.places = [i for i, x in enumerate(args) if isinstance(x, Tensor)]  # of the operands, among the arguments
        self.count = len(args)

    def pieces(self, whole: Tensor) -> list[Tensor]:
        """Return the outputs, or their gradients, that are packed into one Tensor."""
        if len(self.shapes) == 1:
            return [whole]
        ends = np.cumsum([math.prod(shape) for shape in self.shapes]).tolist()
        starts = [0, *ends]
        return [whole[a:b].reshape(shape) for a, b, shape in zip(starts, ends, self.shapes, strict=False)]

    def gradients(self, g: Any) -> list[Any]:
        """Return the gradient of each operand, as the user's backward function computes it."""
        if isinstance(g, Traced) and not isinstance(g, Tensor):  # a symbol, for formulas and pictures
            return [_backward_of(self.function)(g, self, i) for i in range(len(self.places))]
        name = self.function.__name__
        arriving: list[Any] = self.pieces(g if isinstance(g, Tensor) else wrap(g))
        for place, x in self.closed.items():
            zeros = isinstance(x, Tensor) and self.ctx.materialize_grads
            arriving.insert(place, wrap(np.zeros_like(x.array)) if zeros else None)
        with enable_grad() if isinstance(g, Tensor) else no_grad():
            found = self.function.backward(self.ctx, *arriving)
        found = found if isinstance(found, tuple | list) else (found,)
        if len(found) < self.count or any(x is not None for x in found[self.count :]):
            raise RuntimeError(f"{name}.backward: returned {len(found)} gradients for {self.count} arguments")
        for x in found:
            if x is not None and not isinstance(x, Tensor):
                raise TypeError(f"{name}.backward: expected Tensors or None, got {type(x).__name__}")
        return [found[i] if isinstance(g, Tensor) or found[i] is None else found[i].array for i in self.places]


@functools.cache
def _primitive(function: Any) -> Primitive:
    """Return the primitive of a Function. Its operands are the Tensors among the arguments."""
    return Primitive(
        function.__name__,
        lambda *arguments: arguments[-1].result,
        params=("call",),
        joint_vjp=lambda g, y, call: call.gradients(g),
        tensors=None,
    )


@functools.cache
def _backward_of(function: Any) -> Primitive:
    """Return the backward pass of a Function as a primitive, as formulas name it."""
    return Primitive(f"{function.__name__}.backward", lambda g, call, place: call.gradients(g)[place], g=None)
