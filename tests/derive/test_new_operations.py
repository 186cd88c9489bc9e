"""Primitives that are added at run time, and listed nowhere, do all that those of the table do.

Each is compared with PyTorch: its value, its first and its second gradients. It passes gradcheck and gradgradcheck, has
a formula and a picture, can be derived, and, if it computes single numbers, works on Values.
"""

import ast
import builtins
import functools
import math
import operator
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import numpy as np
import pytest
import torch

import minigrad
import viz
from minigrad import Value, derive, gradcheck, gradgradcheck
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive.forms import FORMS
from minigrad.derive.infix import INFIX
from tests.support.comparison import normal
from viz.graph import picture

# New primitives: a ufunc, Python functions, a numpy function that is no ufunc, and fused ones


arctan = Primitive("arctan", np.arctan, scalar=math.atan, floating=True, x=lambda g, x: g / (1 + x * x))
hypot = Primitive(
    "hypot",
    np.hypot,
    scalar=math.hypot,
    floating=True,
    joint_vjp=lambda g, y, a, b: (g * a / y, g * b / y),
    a=None,
    b=None,
)
inverse = Primitive("inverse", np.linalg.inv, x=lambda g, y: -(y.mT @ g @ y.mT))

SHARPNESS = 2.0
GRID = np.array([0.5, 1.5])


def _exponential(x: Any) -> Any:
    return np.exp(SHARPNESS * x)


def _softplus(x: np.ndarray) -> np.ndarray:
    """The logarithm of 1 + exp(2 x), halved."""
    result: np.ndarray = numpy.log(1 + _exponential(x)) / SHARPNESS
    return result


def _softplus_number(x: float) -> float:
    return math.log1p(math.exp(SHARPNESS * x)) / SHARPNESS


softplus = Primitive(
    "softplus", _softplus, scalar=_softplus_number, floating=True, x=lambda g, x: g * ops.sigmoid(2.0 * x)
)


def _norm(x: np.ndarray, axes: tuple[int, ...], keepdims: bool) -> np.ndarray:
    return np.sqrt(np.add.reduce(x * x, axes, keepdims=keepdims))


norm = Primitive(
    "norm",
    _norm,
    x=lambda g, x, y, axes: x * ops.reshape(g / y, ops.keepdims_shape(x.shape, axes)),
)


def _scaled(x: Any, weight: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """x over its root mean square, times a weight, written with primitives."""
    size = ops.sqrt(ops.mean(x * x, axes, True))
    return x / size * weight, size


def _scaled_in_numpy(x: Any, weight: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    size = np.sqrt((x * x).mean(axes, keepdims=True))
    return x / size * weight, size


def _scaled_gradients(g: Any, x: Any, weight: Any, size: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    ratio, inner = x / size, g * weight
    return (inner - ratio * ops.mean(inner * ratio, axes, True)) / size, g * ratio


scaled = Primitive("scaled", _scaled, residuals=("size",), joint_vjp=_scaled_gradients, x=None, weight=None)
scaled_in_numpy = Primitive(
    "scaled_in_numpy", _scaled_in_numpy, residuals=("size",), joint_vjp=_scaled_gradients, x=None, weight=None
)


def torch_scaled(x: Any, weight: Any) -> Any:
    return x / (x * x).mean(1, keepdim=True).sqrt() * weight


class Case(NamedTuple):
    """A primitive applied to Tensors, the same in PyTorch, and the formulas of its gradients."""

    function: Callable[..., Any]
    reference: Callable[..., Any]
    arrays: dict[str, np.ndarray]
    formulas: dict[str, str]
    caption: str


positive = np.abs(normal(3, 2)) + 0.5
CASES = {
    "a ufunc": Case(arctan, torch.arctan, {"x": normal(3, 2)}, {"x": "g / (1 + x²)"}, "arctan"),
    "a Python function": Case(
        softplus,
        lambda x: torch.nn.functional.softplus(x, beta=2),
        {"x": normal(3, 2)},
        {"x": "g · sigmoid(2 · x)"},
        "softplus",
    ),
    "a numpy function": Case(
        inverse, torch.linalg.inv, {"x": normal(3, 3) + 4 * np.eye(3)}, {"x": "−(yᵀ @ g @ yᵀ)"}, "inverse"
    ),
    "a parameter": Case(
        lambda x: norm(x, (1,), False),
        lambda x: torch.linalg.vector_norm(x, dim=1),
        {"x": normal(3, 4)},
        {"x": "x · reshape(g / y, (3, 1))"},
        "norm(1)",
    ),
    "a joint rule": Case(
        hypot,
        torch.hypot,
        {"a": positive, "b": normal(2)},
        {"a": "g · a / y", "b": "g · b / y"},
        "hypot",
    ),
    **{
        name: Case(
            lambda x, weight, primitive=primitive: primitive(x, weight, (1,))[0],
            torch_scaled,
            {"x": normal(3, 4), "weight": normal(4)},
            {
                "x": "(g · weight − x / size · mean(g · weight · x / size, 1, keepdims)) / size",
                "weight": "g · x / size",
            },
            f"{primitive.name}(1)",
        )
        for name, primitive in {"fused": scaled, "fused, in numpy": scaled_in_numpy}.items()
    },
}
NEW = [arctan, softplus, inverse, norm, hypot, scaled, scaled_in_numpy]

parametrize = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def leaves(case: Case) -> dict[str, minigrad.Tensor]:
    return {name: minigrad.tensor(array, requires_grad=True) for name, array in case.arrays.items()}


def test_they_are_listed_nowhere() -> None:
    table = [primitive for primitive in vars(ops).values() if isinstance(primitive, Primitive)]
    for primitive in NEW:
        assert primitive not in table
        assert primitive not in FORMS
        assert primitive.forward not in INFIX


# Numbers


@parametrize
def test_value_gradient_and_second_gradient_are_pytorchs(case: Case) -> None:
    mine, theirs = leaves(case), {name: torch.tensor(x, requires_grad=True) for name, x in case.arrays.items()}
    found: list[list[np.ndarray]] = []
    for library, function, inputs in ((minigrad, case.function, mine), (torch, case.reference, theirs)):
        grad = library.grad if library is minigrad else torch.autograd.grad
        result = function(*inputs.values())
        loss = (result**3).sum()
        first = grad(loss, [*inputs.values()], create_graph=True)
        second = grad(sum((g * g).sum() for g in first), [*inputs.values()])
        found.append([x.detach().numpy() for x in (result, *first, *second)])
    for ours, reference in zip(*found, strict=True):
        np.testing.assert_allclose(ours, reference, rtol=1e-9, atol=1e-12)


@parametrize
def test_gradcheck_and_gradgradcheck_pass(case: Case) -> None:
    inputs = tuple(leaves(case).values())
    assert gradcheck(case.function, inputs)
    assert gradgradcheck(case.function, inputs)


# Pictures


@parametrize
def test_a_picture_shows_the_formula(case: Case) -> None:
    tensors = leaves(case)
    result = case.function(*tensors.values())
    operation = picture(result, tensors).items[-1].operation  # type: ignore[union-attr]
    assert operation is not None
    assert dict(zip(tensors, operation.gradients, strict=True)) == case.formulas
    assert case.caption in viz.draw(result, names=tensors).source
    assert "<svg" in viz.draw((result * result).sum(), names=tensors, backward=True).pipe("svg", encoding="utf-8")


# Derived source


@parametrize
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_derived_numbers_are_the_engines(case: Case, dtype: str) -> None:
    tensors = {name: x.detach().to(getattr(minigrad, dtype)).requires_grad_() for name, x in leaves(case).items()}
    y = case.function(*tensors.values())
    loss = (y * y * y).sum()
    derived = derive(loss, names={**tensors, "y": y})
    loss.backward()
    value, *gradients = derived(**tensors)
    assert value == loss.array
    for name, x, gradient in zip(tensors, tensors.values(), gradients, strict=True):
        assert x.grad is not None
        assert gradient.dtype == dtype
        np.testing.assert_array_equal(gradient, x.grad.array, err_msg=f"{name} of\n{derived.source}")


@parametrize
def test_second_gradients_are_derived_too(case: Case) -> None:
    tensors = leaves(case)
    result = case.function(*tensors.values())
    first = minigrad.grad((result * result).sum(), [*tensors.values()], create_graph=True)
    loss = sum(((g * g).sum() for g in first[1:]), (first[0] * first[0]).sum())
    derived = derive(loss, names=tensors)
    loss.backward()
    value, *gradients = derived(**tensors)
    np.testing.assert_allclose(value, loss.array, rtol=1e-12)
    for x, gradient in zip(tensors.values(), gradients, strict=True):
        assert x.grad is not None
        np.testing.assert_allclose(gradient, x.grad.array, rtol=1e-9, atol=1e-12, err_msg=derived.source)


@parametrize
def test_a_saved_source_runs_without_minigrad(case: Case, tmp_path: pathlib.Path) -> None:
    tensors = leaves(case)
    derived = derive((case.function(*tensors.values()) ** 2).sum(), names=tensors)
    derived.save(tmp_path / "saved.py")
    np.savez(tmp_path / "given.npz", **{name: x.detach().array for name, x in tensors.items()})
    program = "import sys, numpy, saved\nprint(saved.step(**numpy.load('given.npz'))[0], 'minigrad' in sys.modules)"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(derived(**tensors)[0]), "False"]


def source_of(function: Callable[[Any], Any], **names: Any) -> str:
    """The source that is derived for a function of one leaf."""
    x = minigrad.tensor(positive, requires_grad=True)
    loss = function(x).sum()
    derived = derive(loss, names={"x": x, **names})
    loss.backward()
    assert x.grad is not None
    np.testing.assert_array_equal(derived(x=x)[1], x.grad.array, err_msg=derived.source)
    return derived.source


def test_each_kind_is_written_as_one_would() -> None:
    assert "np.arctan(x)" in source_of(arctan)
    square = minigrad.tensor(normal(2, 2), requires_grad=True)
    assert "np.linalg.inv(x)" in derive(inverse(square).sum(), names={"x": square}).source
    assert "hypot = np.hypot(x, 2.0)\n" in source_of(lambda x: hypot(x, 2.0) * 1.5)
    fused = source_of(lambda x: scaled_in_numpy(x, 2.0, (1,))[0])
    assert "scaled_in_numpy_of, size = scaled_in_numpy(x, 2.0, (1,))" in fused
    assert "scaled(" not in source_of(lambda x: scaled(x, 2.0, (1,))[0])


def test_a_copy_comes_with_what_it_uses_and_without_annotations() -> None:
    source = source_of(softplus)
    before, _ = source.split("def step")
    assert before == (
        "import numpy as np\n\n\nSHARPNESS = 2.0\n\n\ndef _exponential(x):\n    return np.exp(SHARPNESS * x)\n\n\n"
        'def softplus(x):\n    """The logarithm of 1 + exp(2 x), halved."""\n'
        "    result = np.log(1 + _exponential(x)) / SHARPNESS\n    return result\n\n\n"
        "def sigmoid(x):\n    e = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, e) / (1 + e)\n\n\n"
    )


def test_a_variable_called_as_something_in_front_of_the_source() -> None:
    for name in ("softplus", "_exponential", "SHARPNESS", "np", "sigmoid"):
        x = minigrad.tensor(positive, requires_grad=True)
        loss = softplus(x).sum()
        derived = derive(loss, names={name.lstrip("_"): x})
        loss.backward()
        (parameter,) = derived.parameters
        assert x.grad is not None
        np.testing.assert_array_equal(derived(**{parameter: x})[1], x.grad.array, err_msg=derived.source)


# Functions of the same name, and functions whose names mean something else elsewhere


def _twice(x: Any) -> Any:
    return 2 * x


def _thrice(x: Any) -> Any:
    return 3 * x


def _builtin(x: Any) -> Any:
    return x * max(len(GRID), 1) + sum(range(3)) * GRID[0] + math.pi


def _shadowed(x: Any) -> Any:
    return step(x) + exp_2(x)


def step(x: Any) -> Any:
    """A function whose name the derived function has."""
    return x if isinstance(x, tuple) else 1 * x


exp_2 = np.exp2
REVERSED = (slice(None, None, -1),)


def _with_a_loop(x: Any, times: int = 2) -> Any:
    total = x
    for _ in range(times):
        total = functools.reduce(np.add, (total, x))
    return total


def plain(name: str, function: Callable[..., Any], slope: float) -> Primitive:
    """A primitive whose gradient is a number times that of its result."""
    return Primitive(name, function, x=lambda g: g * slope)


def test_two_primitives_of_one_name_are_told_apart() -> None:
    twice, thrice = plain("times", _twice, 2.0), plain("times", _thrice, 3.0)
    source = source_of(lambda x: twice(x) + thrice(x))
    assert "times(x)" in source
    assert "times_2(x)" in source


@pytest.mark.parametrize(("function", "slope"), [(_builtin, 2.0), (np.negative, -1.0), (abs, 1.0), (operator.pos, 1.0)])
def test_functions_of_all_kinds(function: Any, slope: float) -> None:
    source = source_of(plain("my function", function, slope))
    assert "minigrad" not in source


def test_parameters_are_written() -> None:
    loop = plain("my function", _with_a_loop, 3.0)
    assert "my_function(x, 2)" in source_of(lambda x: loop(x, 2))
    sums = Primitive(
        "sums",
        np.add.accumulate,
        params=("axis",),
        joint_vjp=lambda g, axis: (ops.index(ops.cumsum(ops.index(g, REVERSED), axis), REVERSED),),
        x=None,
    )
    assert "np.add.accumulate(x, 0)" in source_of(lambda x: sums(x, 0))
    assert "cumsum(x, 0)" in source_of(lambda x: x.cumsum(0))
    shifted = Primitive(
        "shifted", np.roll, params=("by", "axis"), joint_vjp=lambda g, by, axis: (shifted(g, -by, axis),), x=None
    )
    assert "np.roll(x, 1, 0)" in source_of(lambda x: shifted(x, 1, 0) * x)


def test_a_function_may_call_another_that_has_a_name_of_the_source() -> None:
    primitive = Primitive("shadowed", _shadowed, x=lambda g, x: g * (1 + math.log(2) * 2**x))
    x = minigrad.tensor(positive, requires_grad=True)
    loss = primitive(x).sum()
    derived = derive(loss, names={"x": x})
    loss.backward()
    assert x.grad is not None
    assert "def step_2(x)" in derived.source
    value, gradient = derived(x=x)
    assert value == loss.array
    np.testing.assert_allclose(gradient, x.grad.array, rtol=1e-12)


def _mixed(x: Any, how: str, dtype: Any, offset: Any, times: Any) -> Any:
    return (x + offset).astype(dtype) * (2.0 if how == "it's" else 1.0)


def _doubled(x: Any, times: int) -> Any:
    return x if times == 0 else 2 * _doubled(x, times - 1)


def _halved_square(x: Any) -> Any:
    return x * x / 2, x


def test_parameters_of_all_kinds_are_written() -> None:
    mixed = plain("mixed", _mixed, 2.0)
    offset = np.arange(6.0).reshape(3, 2)
    source = source_of(lambda x: mixed(x, "it's", np.float64, offset, None))
    assert 'mixed(x, "it\'s", np.float64, constant, None)' in source
    x = minigrad.tensor(positive, requires_grad=True)
    assert "mixed" in viz.draw(mixed(x, "other", np.float64, offset, None)).source
    with pytest.raises(ValueError, match=r"^derive: mixed: its parameter of type object cannot be written"):
        derive(mixed(x, "other", np.float64, offset, object()).sum())


def test_a_function_that_calls_itself() -> None:
    doubled = plain("re-doubled", _doubled, 4.0)
    assert "re_doubled(x, 2)" in source_of(lambda x: doubled(x, 2))


def test_the_forward_function_of_the_table_with_another_rule() -> None:
    straight_through = Primitive("straight_through", ops.relu.forward, z=lambda g: g)
    assert "np.maximum(x, 0)" in source_of(straight_through)


def test_a_gradient_that_is_an_extra_is_a_copy() -> None:
    halved_square = Primitive("halved_square", _halved_square, residuals=("same",), x=lambda g, same: g * same)
    x = minigrad.tensor(positive, requires_grad=True)
    derived = derive(halved_square(x)[0].sum(), names={"x": x})
    assert not np.shares_memory(derived(x=positive)[1], positive)
    np.testing.assert_array_equal(derived(x=positive)[1], positive)


def _made_of_primitives(x: Any) -> Any:
    return ops.exp(x)


def _decorated_by(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


@_decorated_by
def _decorated(x: Any) -> Any:
    return 1 * x


def closure() -> Callable[..., Any]:
    factor = 1.0

    def inner(x: Any) -> Any:
        return factor * x

    return inner


namespace: dict[str, Any] = {}
exec(compile("def without_source(x):\n    return 1 * x", "<no file>", "exec"), namespace)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: 1 * x, "it is a lambda"),
        (closure(), "uses variables of the function around it"),
        (_decorated, "has a decorator"),
        (_made_of_primitives, "uses the module minigrad.core.ops"),
        (namespace["without_source"], "has no source"),
        (functools.partial(_twice), "partial"),
        (np.frompyfunc(float, 1, 1), "ufunc"),
    ],
)
def test_what_cannot_be_written_is_refused_with_a_remedy(function: Any, why: str) -> None:
    primitive = Primitive("mine", function, x=lambda g: g)
    x = minigrad.tensor(positive, requires_grad=True)
    result = primitive(x).double() if isinstance(function, np.ufunc) else primitive(x)
    with pytest.raises(ValueError, match=rf"^derive: mine: .*{why}.*; give the primitive a numpy function"):
        derive(result.sum(), names={"x": x})
    assert "mine" in viz.draw(result).source


# Values

SCALARS: dict[str, tuple[Primitive, Callable[..., float], list[tuple[float, ...]]]] = {
    "arctan": (arctan, lambda x: 1 / (1 + x * x), [(0.5,), (-2.0,)]),
    "softplus": (softplus, lambda x: 1 / (1 + math.exp(-2 * x)), [(0.5,), (-2.0,)]),
    "hypot": (hypot, lambda a, b: a / math.hypot(a, b), [(3.0, 4.0), (-1.0, 0.5)]),
}


@pytest.mark.parametrize("name", ["arctan", "hypot", "softplus"])
def test_values(name: str) -> None:
    primitive, slope, points = SCALARS[name]
    for point in points:
        values = dict(zip("ab", [Value(x) for x in point], strict=False))
        result = primitive(*values.values())
        assert result._op == name
        assert result.data == (primitive.scalar or primitive.forward)(*point)
        loss = result * result
        loss.backward()
        np.testing.assert_allclose(values["a"].grad, 2 * result.data * slope(*point), rtol=1e-12)
        derived = derive(loss, names=values)
        found = derived(**dict(zip(values, point, strict=True)))
        assert all(type(x) is float for x in found)
        assert found == (loss.data, *(value.grad for value in values.values()))
        for backward in (False, True):
            assert name in viz.draw(loss, names=values, backward=backward).source
        inputs = tuple(Value(x) for x in point)
        assert gradcheck(primitive, inputs)


def test_a_function_of_maths_is_called_there() -> None:
    a, b = Value(3.0), Value(4.0)
    source = derive(hypot(a, b) * arctan(a), names={"a": a, "b": b}).source
    assert "math.hypot(a, b)" in source
    assert "math.atan(a)" in source
    assert {x.names[0].name for x in ast.parse(source).body if isinstance(x, ast.Import)} == {"math"}


def test_a_value_of_a_numpy_function_becomes_a_float_whatever_a_variable_is_called() -> None:
    cube_root = Primitive("cube_root", np.cbrt, x=lambda g, y: g / (3 * y * y))
    for name in ("a", "float", "math"):
        a = Value(8.0)
        loss = cube_root(a)
        derived = derive(loss, names={name: a})
        loss.backward()
        (parameter,) = derived.parameters
        assert derived(**{parameter: 8.0}) == (loss.data, a.grad) == (2.0, 1 / 12)
        assert type(derived(**{parameter: 8.0})[0]) is builtins.float


def test_operators_of_ones_own_are_written_with_their_sign() -> None:
    capped = Primitive("capped", operator.mul, elementwise=True, a=lambda g, b: ops.clamp(g * b, -1.0, 1.0), b=None)
    a, x = Value(2.0), minigrad.tensor(positive, requires_grad=True)
    assert capped(a, 3.0)._op == "capped"
    result = capped(x, 0.5)
    assert "* 0.5" in viz.draw(result).source
    derived = derive((result * 3).sum(), names={"x": x, "y": result})
    assert "y = x * 0.5" in derived.source
    np.testing.assert_array_equal(derived(x=x)[1], np.ones_like(positive))
