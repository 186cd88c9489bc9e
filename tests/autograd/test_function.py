"""Function, hooks and the functions of `autograd.functional`, beside PyTorch."""

import gc
import weakref
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import viz
from tests.support.comparison import assert_close, assert_same, in_both, normal, ours, theirs


def functions(library: Any) -> Any:
    """A few Functions of a library."""
    base = library.autograd.Function

    class Cube(base):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    class Exp(base):
        """Saves its output."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (y,) = ctx.saved_tensors
            return g * y

    class Scaled(base):
        """Takes a number, has a context of its own, and gives a gradient only where one is needed."""

        @staticmethod
        def forward(x: Any, y: Any, factor: float) -> Any:
            return x * y * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            x, y, ctx.factor = inputs
            ctx.save_for_backward(x, y)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            x, y = ctx.saved_tensors
            needs = ctx.needs_input_grad
            return (g * y * ctx.factor if needs[0] else None), (g * x * ctx.factor if needs[1] else None), None

    class Parts(base):
        """Has three outputs, one of them without a gradient."""

        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            ctx.save_for_backward(x, y)
            places = x.argmax()
            ctx.mark_non_differentiable(places)
            return x * y, x.sum(), places

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any, _: Any) -> Any:
            x, y = ctx.saved_tensors
            return g * y + h, (g * x).sum(0)

    return Cube, Exp, Scaled, Parts


def test_values_and_gradients_of_three_orders() -> None:
    def scenario(library: Any) -> Any:
        cube, exp, scaled, _ = functions(library)
        x = library.tensor([0.5, -1.0, 2.0], dtype=library.float64, requires_grad=True)
        y = library.tensor([1.5, 0.5, -2.0], dtype=library.float64, requires_grad=True)
        loss = (exp.apply(cube.apply(x)) * scaled.apply(x, y, 2.0)).sum()
        found = [loss]
        for _ in range(3):
            slopes = library.autograd.grad(found[-1], (x, y), create_graph=True)
            found.append(sum(slope.sum() for slope in slopes))
        return found

    assert_same([x.detach() for x in scenario(minigrad)], [x.detach() for x in scenario(torch)])


def test_several_outputs() -> None:
    def scenario(library: Any) -> Any:
        *_, parts = functions(library)
        x = library.tensor([[0.5, -1.0], [2.0, 3.0]], requires_grad=True)
        y = library.tensor([1.5, 0.5], requires_grad=True)
        product, total, places = parts.apply(x, y)
        assert not places.requires_grad
        (product[0].sum() + 3 * total).backward()
        first = x.grad.clone(), y.grad.clone()
        x.grad = None
        parts.apply(x, y)[1].backward()
        return product.detach(), total.detach(), places, *first, x.grad

    in_both(scenario)


def test_its_name_and_its_inputs() -> None:
    def scenario(library: Any) -> Any:
        cube, _, _, _ = functions(library)
        x = library.ones(2, requires_grad=True)
        y = cube.apply(x * 2)
        ((inner, _),) = y.grad_fn.next_functions
        return y.grad_fn.name(), inner.name(), inner.next_functions[1][0], library.ones(2).requires_grad

    in_both(scenario)


def test_without_a_gradient_nothing_is_recorded() -> None:
    def scenario(library: Any) -> Any:
        cube, _, _, parts = functions(library)
        x = library.ones(2)
        with library.no_grad():
            inside = cube.apply(library.ones(2, requires_grad=True))
        return cube.apply(x), inside, *parts.apply(x, x)

    in_both(scenario)


@pytest.mark.parametrize("kind", ["count", "type", "shape", "changed", "again"])
def test_what_is_refused(kind: str) -> None:
    def scenario(library: Any) -> None:
        class Wrong(library.autograd.Function):  # type: ignore[misc,name-defined]
            @staticmethod
            def forward(ctx: Any, x: Any, y: Any) -> Any:
                ctx.save_for_backward(x)
                return x * y

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                ctx.saved_tensors  # noqa: B018 (which checks them)
                return {"count": g, "type": (3.0, g), "shape": (g[:1], g)}.get(kind, (g, g))

        x = library.ones(3, requires_grad=True) * 1
        y = library.ones(3, requires_grad=True)
        result = Wrong.apply(x, y).sum()
        if kind == "changed":
            x += 1
        if kind == "again":
            result.backward()
        result.backward()

    for library in (minigrad, torch):
        with pytest.raises((RuntimeError, TypeError)):
            scenario(library)


def test_gradcheck_knows_it() -> None:
    cube, exp, scaled, parts = functions(minigrad)
    x, y = ours(normal(2, 3), True), ours(normal(3), True)
    assert minigrad.gradcheck(lambda x, y: scaled.apply(exp.apply(x), cube.apply(x), 2.0) * y, (x, y))
    assert minigrad.gradgradcheck(lambda x, y: parts.apply(x, y)[0] * exp.apply(y), (x, y))


def test_a_picture_shows_it() -> None:
    cube, *_ = functions(minigrad)
    x = minigrad.ones(2, requires_grad=True)
    source = viz.draw(cube.apply(x).sum(), names={"x": x}).source
    assert "Cube" in source
    assert "Cube.backward(g)" in source


def test_its_memory_is_freed_with_the_graph() -> None:
    cube, exp, *_ = functions(minigrad)
    gc.collect()
    gc.disable()
    try:
        x = minigrad.ones(1000, requires_grad=True)
        y = exp.apply(cube.apply(x))
        array = weakref.ref(y.array)
        y.sum().backward()
        del y
        assert array() is None
    finally:
        gc.enable()


# Hooks


def test_hooks_see_and_replace_gradients() -> None:
    def scenario(library: Any) -> Any:
        seen: list[Any] = []
        x = library.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 2
        z = y * y + y  # y is used twice, and its hook sees the sum
        y.retain_grad()
        handle = y.register_hook(lambda g: seen.append(g.clone()))
        y.register_hook(lambda g: g * 10)
        x.register_hook(lambda g: g + 1)
        z.sum().backward(retain_graph=True)
        found = [x.grad.clone(), y.grad.clone()]
        handle.remove()
        handle.remove()
        with x.register_hook(lambda g: -g):
            z.sum().backward(retain_graph=True)
        (slope,) = library.autograd.grad(z.sum(), x)
        return *found, x.grad, slope, *seen

    in_both(scenario)


def test_hooks_of_recorded_gradients() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], dtype=library.float64, requires_grad=True)
        y = x**2
        y.register_hook(lambda g: g * x)
        (slope,) = library.autograd.grad((y * y).sum(), x, create_graph=True)
        return slope.detach(), *library.autograd.grad(slope.sum(), x)

    in_both(scenario)


def test_hooks_that_are_refused() -> None:
    for library in (minigrad, torch):
        with pytest.raises(RuntimeError, match="gradient"):
            library.ones(2).register_hook(print)
    x = minigrad.ones(2, requires_grad=True)
    x.register_hook(lambda g: g[:1])
    with pytest.raises(RuntimeError, match=r"register_hook: the hook returned .* for a gradient of shape \(2,\)"):
        x.sum().backward()
    with pytest.raises(TypeError, match="register_hook: expected a function"):
        x.register_hook(3)


# Derivatives of functions


def two(x: Any, y: Any) -> Any:
    """Two results of two inputs."""
    return (x * y.sum()).exp(), x.sum() * y


SMALL = normal(3), normal(2)


def inputs(library: Any) -> tuple[Any, ...]:
    """Two inputs."""
    return tuple(ours(x) if library is minigrad else theirs(x) for x in SMALL)


def vector_like(library: Any, *shapes: tuple[int, ...]) -> Any:
    """Fixed vectors of some shapes."""
    draw = np.random.default_rng(7).normal
    return tuple((ours if library is minigrad else theirs)(draw(size=shape)) for shape in shapes)


DERIVATIVES = {
    "jacobian": lambda f, library: f.jacobian(lambda x: x.exp() * x.sum(), inputs(library)[0]),
    "jacobian of two": lambda f, library: f.jacobian(two, inputs(library)),
    "jacobian of a constant": lambda f, library: f.jacobian(lambda x: library.ones(2) * 3, inputs(library)[0]),
    "hessian": lambda f, library: f.hessian(lambda x: (x**3).sum() * x.prod(), inputs(library)[0]),
    "hessian of two": lambda f, library: f.hessian(lambda x, y: (two(x, y)[0] ** 2).sum(), inputs(library)),
    "vjp": lambda f, library: f.vjp(two, inputs(library), vector_like(library, (3,), (2,))),
    "vjp of a number": lambda f, library: f.vjp(lambda x: x.exp().sum(), inputs(library)[0]),
    "jvp": lambda f, library: f.jvp(two, inputs(library), vector_like(library, (3,), (2,))),
    "hvp": lambda f, library: f.hvp(
        lambda x: (x**3).sum() * x.prod(), inputs(library)[0], vector_like(library, (3,))[0]
    ),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives_of_functions(name: str) -> None:
    def flat(result: Any) -> list[Any]:
        return [result] if not isinstance(result, tuple | list) else [x for part in result for x in flat(part)]

    mine = flat(DERIVATIVES[name](minigrad.autograd.functional, minigrad))
    reference = flat(DERIVATIVES[name](torch.autograd.functional, torch))
    assert len(mine) == len(reference)
    for x, expected in zip(mine, reference, strict=True):
        assert_close(x.array, expected.detach().numpy())


def test_a_jacobian_can_be_differentiated_again() -> None:
    def scenario(library: Any) -> Any:
        x = library.tensor([1.0, 2.0], dtype=library.float64, requires_grad=True)
        jacobian = library.autograd.functional.jacobian(lambda x: x**3, x, create_graph=True)
        return library.autograd.grad(jacobian.sum(), x)

    in_both(scenario)


def test_derivatives_that_are_refused() -> None:
    functional = minigrad.autograd.functional
    x = minigrad.ones(2)
    with pytest.raises(RuntimeError, match="hessian: the function must return a single number"):
        functional.hessian(lambda x: x * 2, x)
    with pytest.raises(RuntimeError, match="vjp: v may be left out only for a single number"):
        functional.vjp(lambda x: x * 2, x)
    with pytest.raises(TypeError, match="jacobian: the inputs must be a Tensor"):
        functional.jacobian(lambda x: x, 3)
