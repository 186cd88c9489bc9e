"""Derivatives of functions: Jacobians, Hessians, and their products with vectors (`torch.autograd.functional`)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.creation import ones_like, zeros_like
from minigrad.api.pieces import stack
from minigrad.checks import shown
from minigrad.core.tensor import Tensor, wrap
from minigrad.grad_mode import enable_grad
from minigrad.gradients import grad

Function = Callable[..., Any]
Tensors = tuple[Tensor, ...]


def jacobian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """Return the derivative of each element of a function's result with respect to each element of its inputs.

    For a result of shape (...) and an input of shape (---), its shape is (..., ---). For tuples of inputs or results it
    is a tuple, or a tuple of tuples, results first (`torch.autograd.functional.jacobian`).

    >>> import minigrad
    >>> jacobian(lambda x: x**2, minigrad.tensor([1.0, 3.0]))
    tensor([[2., 0.],
            [0., 6.]])
    """
    leaves, outputs, returned = _called("jacobian", func, inputs, create_graph)
    rows: list[Any] = []
    for output in outputs:
        slopes = [_slopes(element, leaves, None, create_graph) for element in output.reshape(-1)]
        columns = [[slope[i] for slope in slopes] for i in range(len(leaves))]
        rows.append(
            tuple(
                stack(column).reshape(*output.array.shape, *x.array.shape)
                if column
                else wrap(np.zeros((*output.array.shape, *x.array.shape), x.array.dtype))
                for column, x in zip(columns, leaves, strict=True)
            )
        )
    rows = [_as_given(row, inputs) for row in rows]
    return tuple(rows) if isinstance(returned, tuple) else rows[0]


def hessian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """Return the second derivatives of a function with a single number as result (`torch.autograd.functional.hessian`).

    For one input of shape (---), its shape is (---, ---); for a tuple of inputs it is a tuple of tuples. Raises a
    RuntimeError if the result is not a single number.

    >>> import minigrad
    >>> hessian(lambda x: x.prod(), minigrad.tensor([2.0, 3.0]))
    tensor([[0., 1.],
            [1., 0.]])
    """

    def gradient(*given: Tensor) -> Any:
        result = func(*given)
        if not isinstance(result, Tensor) or result.array.size != 1:
            raise RuntimeError(f"hessian: the function must return a single number, got {shown(result)}")
        return _as_given(_slopes(result.reshape(()), given, None, True), inputs)

    return jacobian(gradient, inputs, create_graph)


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return a function's result, and the product of a vector and its Jacobian (`torch.autograd.functional.vjp`).

    `v` has the shape of the result; it may be left out for a single number, and is then 1.

    >>> import minigrad
    >>> vjp(lambda x: x**2, minigrad.tensor([1.0, 3.0]), minigrad.tensor([1.0, 10.0]))
    (tensor([1., 9.]), tensor([ 2., 60.]))
    """
    leaves, outputs, returned = _called("vjp", func, inputs, create_graph)
    vectors = _vectors("vjp", v, outputs)
    slopes = _slopes(outputs, leaves, vectors, create_graph)
    return _as_given(_finished(outputs, create_graph), returned), _as_given(_finished(slopes, create_graph), inputs)


def jvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return a function's result, and the product of its Jacobian and a vector (`torch.autograd.functional.jvp`).

    `v` has the shape of the inputs; it may be left out for a single number, and is then 1. The product is the gradient
    of a gradient: vjp is linear in its vector u, so its derivative with respect to u, times v, is the product.

    >>> import minigrad
    >>> jvp(lambda x: x**2, minigrad.tensor([1.0, 3.0]), minigrad.tensor([1.0, 10.0]))
    (tensor([1., 9.]), tensor([ 2., 60.]))
    """
    leaves, outputs, returned = _called("jvp", func, inputs, True)
    vectors = _vectors("jvp", v, leaves)
    dummies = tuple([ones_like(x, requires_grad=True) for x in outputs])
    slopes = _slopes(outputs, leaves, dummies, True)
    connected = [i for i, slope in enumerate(slopes) if slope.requires_grad]
    products = tuple([zeros_like(x) for x in outputs])
    if connected:
        products = _slopes([slopes[i] for i in connected], dummies, [vectors[i] for i in connected], create_graph)
    return _as_given(_finished(outputs, create_graph), returned), _as_given(_finished(products, create_graph), returned)


def hvp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """Return a function's result, and the product of its Hessian and a vector (`torch.autograd.functional.hvp`)."""
    leaves, outputs, returned = _called("hvp", func, inputs, True)
    vectors = _vectors("hvp", v, leaves)
    slopes = _slopes(outputs, leaves, None, True)
    connected = [i for i, slope in enumerate(slopes) if slope.requires_grad]
    products = tuple([zeros_like(x) for x in leaves])
    if connected:
        products = _slopes([slopes[i] for i in connected], leaves, [vectors[i] for i in connected], create_graph)
    return _as_given(_finished(outputs, create_graph), returned), _as_given(_finished(products, create_graph), inputs)


def _called(name: str, func: Function, inputs: Any, create_graph: bool) -> tuple[Tensors, Tensors, Any]:
    """Return the inputs as Tensors that require a gradient, the results as a tuple, and what the function returned."""
    given = inputs if isinstance(inputs, tuple | list) else (inputs,)
    if not all(isinstance(x, Tensor) for x in given):
        raise TypeError(f"{name}: the inputs must be a Tensor or a tuple of Tensors, got {shown(inputs)}")
    with enable_grad():
        leaves = tuple(
            [x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in given]
        )
        returned = func(*leaves)
    outputs = returned if isinstance(returned, tuple | list) else (returned,)
    if not all(isinstance(x, Tensor) for x in outputs):
        raise TypeError(f"{name}: the function must return a Tensor or a tuple of Tensors, got {shown(returned)}")
    return leaves, tuple(outputs), returned


def _slopes(outputs: Any, inputs: Any, vectors: Any, create_graph: bool) -> Tensors:
    """Return the gradients of the outputs, with zeros for inputs that they do not depend on."""
    outputs = [outputs] if isinstance(outputs, Tensor) else [*outputs]
    kept = [i for i, x in enumerate(outputs) if x.requires_grad]
    if not kept:
        return tuple([zeros_like(x) for x in inputs])
    vectors = None if vectors is None else [vectors[i] for i in kept]
    with enable_grad():
        slopes = grad([outputs[i] for i in kept], inputs, vectors, True, create_graph, True)
    return tuple([zeros_like(x) if slope is None else slope for slope, x in zip(slopes, inputs, strict=True)])


def _vectors(name: str, v: Any, like: Tensors) -> Tensors:
    """Return the vectors of a product, which must have the shapes of `like`."""
    if v is None:
        if len(like) != 1 or like[0].array.size != 1:
            raise RuntimeError(f"{name}: v may be left out only for a single number; give one of {like[0].array.shape}")
        return (ones_like(like[0]),)
    vectors = tuple(v) if isinstance(v, tuple | list) else (v,)
    shapes = [getattr(x, "shape", None) for x in vectors]
    if shapes != [x.shape for x in like]:
        raise RuntimeError(f"{name}: v has the shapes {shapes} instead of {[x.array.shape for x in like]}")
    return vectors


def _finished(tensors: Tensors, create_graph: bool) -> Tensors:
    return tensors if create_graph else tuple([x.detach() for x in tensors])


def _as_given(tensors: Tensors, given: Any) -> Any:
    """Return a tuple where a tuple was given, and its only Tensor where a Tensor was given."""
    return tuple(tensors) if isinstance(given, tuple | list) else tensors[0]
