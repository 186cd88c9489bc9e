"""symbols: what the rules print of themselves, read back, computed, and compared with PyTorch's gradients."""

import itertools
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad
import nn
import nn.functional as F
from minigrad import Value
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.derive.formula import formula
from minigrad.derive.symbols import Symbol
from tests.support.comparison import normal, ours, theirs
from tests.support.pictures import seen
from tests.support.table import SMOOTH, TABLE, few, operand_names

DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
POSITIVE = np.array([[0.5, 1.5, 2.0, 0.25], [3.0, 0.75, 1.25, 2.5], [0.1, 4.0, 1.0, 0.3]])

Arrays = dict[str, Any]


def evaluate(text: str, arrays: Arrays) -> Any:
    """What a formula says, computed by numpy, which reads it as Python once the signs are Python's."""
    text = re.sub(f"⁻?[{DIGITS}]+", lambda power: f"**({power[0].replace('⁻', '-')})", text)
    text = text.translate(str.maketrans(DIGITS + "−·", "0123456789-*")).replace("^", "**").replace("ᵀ", ".mT")
    text = text.replace(" = ", " == ").replace("≠", "!=").replace("≥", ">=").replace("≤", "<=")
    text = re.sub(r"(\w+),(\w+)→(\w+)", r"'\1,\2->\3'", text)
    text = re.sub(r", \[", ", s_[", text)  # a place, and not a list
    return eval(text, {"__builtins__": {}}, Words({**WORDS, **of_a_shape(arrays), **arrays}))


class Words(dict[str, Any]):
    """What the words in a formula mean: one that is not in it means what it does in numpy."""

    def __missing__(self, word: str) -> Any:
        try:
            return getattr(np, word)
        except AttributeError:
            raise KeyError(word) from None


def of_a_shape(arrays: Arrays) -> Arrays:
    """The words that need to know a shape: of the operand, or of the probabilities."""

    def put(g: np.ndarray, key: Any) -> np.ndarray:
        whole = np.zeros_like(arrays["x"])
        np.add.at(whole, key, g)
        return whole

    def one_hot(target: np.ndarray) -> np.ndarray:
        hot = np.zeros_like(arrays["x" if "x" in arrays else "probs"])
        places = target if target.ndim == hot.ndim else target[:, None]
        changed = [axis for axis, size in enumerate(places.shape) if size != hot.shape[axis]]
        np.put_along_axis(hot, places, 1, changed[0] if changed else places.shape.index(1))
        return hot

    return {"put": put, "one_hot": one_hot}


def assign(x: np.ndarray, value: float, key: Any) -> np.ndarray:
    x = x.copy()
    x[key] = value
    return x


def ties(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x == y) / (x == y).sum()


WORDS: Arrays = {
    "sum": lambda x, axes, keepdims=False: x.sum(axes, keepdims=keepdims),
    "einsum": lambda a, b, terms: np.einsum(terms, a, b),
    "expand": np.broadcast_to,
    "permute": np.transpose,
    "ties": ties,
    "assign": assign,
    "keepdims": True,
}


def fit(g: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A gradient in the shape of its operand: what was repeated is summed, what was reshaped is as before."""
    g = np.asarray(g)
    if g.size == math.prod(shape):
        return g.reshape(shape)
    g = np.asarray(g.sum(tuple(range(g.ndim - len(shape))))) if g.ndim > len(shape) else g
    repeated = tuple(axis for axis, size in enumerate(shape) if size == 1 != g.shape[axis])
    return np.broadcast_to(g.sum(repeated, keepdims=True), shape)


def texts(result: Any, names: Any) -> dict[str, str]:
    """The formula on the arrow from each named thing, without the name of the operand before it."""
    labels = seen(result, names=names).labels()
    return {name: label.rpartition("← ")[2] for name, label in labels.items() if name in names}


def assert_true(function: Callable[..., Any], arrays: Arrays, **further: Any) -> None:
    """Require of each formula in the picture of an operation the numbers of PyTorch's gradient.

    `arrays` are called as the table calls them; `further` is what else a rule names, or another name of an array.
    """
    our = {name: ours(array, array.dtype.kind == "f") for name, array in arrays.items()}
    their = {name: theirs(array, array.dtype.kind == "f") for name, array in arrays.items()}
    mine, reference = function(minigrad, **our), function(torch, **their)
    g = normal(*reference.shape)
    reference.backward(torch.from_numpy(np.asarray(g)))
    known = {**arrays, "g": g, "y": mine.array}
    known |= {name: known[x] if isinstance(x, str) else x for name, x in further.items()}
    found = texts(mine, our)
    assert [found.pop(name, name) for name, tensor in our.items() if not tensor.requires_grad] == [
        name for name, tensor in our.items() if not tensor.requires_grad
    ]
    assert set(found) == {name for name, tensor in our.items() if tensor.requires_grad}
    for name, text in found.items():
        gradient = their[name].grad
        assert gradient is not None
        expected = gradient.numpy()
        actual = fit(evaluate(text, known), expected.shape)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-6, err_msg=f"{name}: {text}")


# True formulas


@pytest.mark.parametrize(("name", "shapes"), **few(SMOOTH))
def test_the_formulas_of_every_primitive(name: str, shapes: Any) -> None:
    operation = TABLE[name]
    arrays = dict(zip(operand_names(name), operation.arrays(shapes), strict=True))
    assert_true(
        lambda library, **operands: operation.call(library, *operands.values()),
        arrays,
        **operation.residuals(**arrays),
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 3 * x,
        lambda x: x - 0.5,
        lambda x: 0.5 - x,
        lambda x: x / 4,
        lambda x: -2.5 / x,
        lambda x: x**2,
        lambda x: x**3,
        lambda x: x**-1,
        lambda x: x**-2,
        lambda x: x**0.5,
        lambda x: x**-1.5,
        lambda x: x**0,
        lambda x: 2**x,
        lambda x: 2.5**x,
    ],
)
def test_formulas_with_a_number(function: Any) -> None:
    assert_true(lambda _, x: function(x), {"x": POSITIVE}, a="x", b="x")


def test_formulas_of_three_dims() -> None:
    assert_true(lambda _, x: x.permute(1, 2, 0), {"x": normal(2, 3, 4)})
    assert_true(lambda _, x: x.transpose(1, 2), {"x": normal(2, 3, 4)})
    assert_true(lambda _, x: x.sum((0, 2)), {"x": normal(2, 3, 4)})
    assert_true(lambda _, x: x.sum(1), {"x": normal(3, 3, 3)})
    assert_true(lambda _, a, b: a @ b, {"a": normal(2, 3, 4), "b": normal(2, 4, 5)})
    both = {"a": normal(3, 4), "b": normal(2, 4)}
    products: dict[Any, Callable[..., Any]] = {
        minigrad: lambda a, b: ops.einsum(a, b, ("ij", "kj", "ik")),
        torch: lambda a, b: torch.einsum("ij,kj->ik", a, b),
    }
    assert_true(lambda library, a, b: products[library](a, b), both)


@pytest.mark.parametrize(
    "function",
    [
        lambda _, x: x.softmax(0),
        lambda _, x: x.sum(),
        lambda _, x: x.sum(0),
        lambda _, x: x.sum(1),
        lambda _, x: x.sum(1, True),
        lambda _, x: x.mean(),
        lambda _, x: x.mean(0),
        lambda _, x: x.mean(1),
        lambda _, x: x.max(),
        lambda _, x: x.min(),
        lambda _, x: x.T,
        lambda _, x: x.reshape(2, 6),
        lambda _, x: x.expand(2, 3, 4),
        lambda _, x: x.float(),
        lambda _, x: x[1],
        lambda _, x: x[:, 1:3],
        lambda _, x: x[..., ::2],
        lambda _, x: x[:, None],
        lambda _, x: x[-1, 2],
    ],
)
@pytest.mark.parametrize("signs", [1, -1])
def test_formulas_of_further_functions_of_one_operand(function: Any, signs: int) -> None:
    x = POSITIVE * np.where(np.indices(POSITIVE.shape).sum(0) % 2, 1, signs)
    if np.isfinite(function(torch, torch.from_numpy(x)).numpy()).all():
        assert_true(function, {"x": x})


def test_formulas_of_a_square_tell_its_rows_from_its_columns() -> None:
    for dim in (0, 1):
        assert_true(lambda _, x, dim=dim: x.sum(dim), {"x": normal(3, 3)})
        assert_true(lambda _, x, dim=dim: x.mean(dim), {"x": normal(3, 3)})


@pytest.mark.parametrize("dim", [0, 1])
def test_formulas_of_the_greatest_and_least_along_a_dim(dim: int) -> None:
    x = normal(3, 4)
    assert_true(lambda _, x: x.max(dim).values, {"x": x}, indices=x.argmax(dim, keepdims=True))
    assert_true(lambda _, x: x.min(dim).values, {"x": x}, indices=x.argmin(dim, keepdims=True))


def test_a_constant_gets_no_formula() -> None:
    x, layer = minigrad.ones(4, 3), nn.BatchNorm1d(3)
    weight = minigrad.ones(3, 3, requires_grad=True)
    for result in (layer(x), x @ weight, x * weight[0], F.linear(x, weight)):
        assert seen(result, names={"x": x}).labels().get("x", "x") in ("x", "a")


def test_formulas_of_an_index() -> None:
    batch = np.array([[0, 2], [2, 1]])
    assert_true(lambda _, x, batch: x[batch], {"x": normal(3, 4), "batch": batch})
    assert_true(lambda _, x, batch: x[:, batch], {"x": normal(3, 4), "batch": batch})
    assert_true(lambda _, x, batch: x[batch, batch], {"x": normal(3, 4), "batch": batch})


@pytest.mark.parametrize("dim", [0, 1])
def test_formulas_of_parts_that_are_joined(dim: int) -> None:
    arrays = {"first": normal(2, 2), "second": normal(2, 2), "third": normal(2, 2)}
    assert_true(lambda library, **parts: library.cat([*parts.values()], dim), arrays)


def test_formulas_of_a_change_in_place() -> None:
    x, value = ours(normal(3, 4), True), ours(normal(2), True)
    result = x + 0
    result[:, 1:3] = value
    g = normal(3, 4)
    labels = {text for text in seen(result, names={"x": x, "value": value}).labels().values() if "[" in text}
    found = dict(label.split(" ← ", 1) for label in labels)
    result.backward(ours(g))
    for name, tensor in (("x", x), ("value", value)):
        assert tensor.grad is not None
        actual = fit(evaluate(found[name], {"g": g, "x": np.zeros((3, 4))}), tensor.shape)
        np.testing.assert_allclose(actual, tensor.grad.array)


@pytest.mark.parametrize("keepdim", [False, True])
def test_formulas_of_var(keepdim: bool) -> None:
    x = normal(5, 3)
    assert_true(lambda _, x: x.var(0, keepdim=keepdim), {"x": x}, centred=x - x.mean(0))
    assert_true(lambda _, x: x.var(keepdim=keepdim, correction=0), {"x": x}, centred=x - x.mean())


def test_formulas_of_values() -> None:
    a, b = Value(1.5, label="a"), Value(-0.5, label="b")
    for result, names in (
        (a * b, {"a": a, "b": b}), (a + b, {"a": a, "b": b}), (a - b, {"a": a, "b": b}), (a / b, {"a": a, "b": b}),
        (a**b, {"a": a, "b": b}), (a**3, {"a": a}), (b.tanh(), {"b": b}), (a.exp(), {"a": a}), (a.log(), {"a": a}),
        (a.relu(), {"a": a}), (b.relu(), {"b": b}), (2 - b, {"b": b}), (2 / a, {"a": a}), (-a, {"a": a}),
    ):  # fmt: skip
        a.grad = b.grad = 0.0
        result.backward()
        for name, text in texts(result, names).items():
            operands = {"a": a.data, "b": b.data} if len(names) == 2 else dict.fromkeys("abx", names[name].data)
            known = {**operands, "y": result.data, "g": 1.0}
            np.testing.assert_allclose(evaluate(text, known), names[name].grad, rtol=1e-4, err_msg=text)


# The rule that runs is what is printed


def test_another_rule_is_another_text() -> None:
    def label(tanh: Callable[..., Any]) -> str:
        x = Value(0.5, label="x")
        return texts(tanh(x), {"x": x})["x"]

    at = {"g": 3.0, "x": 0.5, "y": float(np.tanh(0.5))}
    before = label(ops.tanh)
    np.testing.assert_allclose(evaluate(before, at), 3 / np.cosh(0.5) ** 2)
    other = Primitive("tanh", np.tanh, floating=True, x=lambda g, x: 2 * g / (x + 3))
    assert label(other) != before
    np.testing.assert_allclose(evaluate(label(other), at), 6 / 3.5)


def test_a_row_of_my_own_prints_itself_and_is_what_runs() -> None:
    cubed = Primitive("cubed", lambda x: x * x * x, floating=True, x=lambda g, x: g * (3 * x * x))
    x = minigrad.tensor([0.5, 2.0], requires_grad=True)
    result = cubed(x).sum()
    text = texts(result, {"x": x})["x"]
    result.backward()
    assert x.grad is not None
    np.testing.assert_allclose(evaluate(text, {"g": 1.0, "x": x.array}), x.grad.array)
    np.testing.assert_allclose(x.grad.array, [0.75, 12.0])


def test_a_joint_rule_says_of_each_operand_its_own_part() -> None:
    ratio = Primitive("ratio", lambda a, b: a / b, joint_vjp=lambda g, a, b: (g / b, -g * a / b**2), a=None, b=None)
    a, b = (minigrad.tensor(normal(3), requires_grad=True) for _ in "ab")
    result = ratio(a, b)
    found = texts(result, {"a": a, "b": b})
    result.sum().backward()
    for name, tensor in (("a", a), ("b", b)):
        assert tensor.grad is not None
        np.testing.assert_allclose(evaluate(found[name], {"g": 1.0, "a": a.array, "b": b.array}), tensor.grad.array)
    np.testing.assert_allclose(a.grad.array, 1 / b.array)  # type: ignore[union-attr]


# How it reads

LEAVES = [Symbol(name, (3, 3), np.float64) for name in "abg"]
NUMBERS = [2, 3.0, -1, -2.0, 0.5]
SQUARE: Arrays = dict(zip("abg", np.random.default_rng(1).normal(size=(3, 3, 3)), strict=True))

trees = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*@"), inner, inner),
        st.tuples(st.sampled_from("+-*"), inner, st.sampled_from(NUMBERS)),
        st.tuples(st.sampled_from("+-*"), st.sampled_from(NUMBERS), inner),
        st.tuples(st.just("/"), inner, st.sampled_from(NUMBERS)),
        st.tuples(st.sampled_from("nste"), inner, inner),
        st.tuples(st.just("^"), inner, st.sampled_from([2, 3, 2.0])),
        st.tuples(st.sampled_from("=≠≥"), inner, inner),
    ),
    max_leaves=8,
)


def computed(tree: Any, leaf: Callable[[Any], Any], transposed: Callable[[Any], Any]) -> Any:
    """What a tree of operations makes of symbols, or of arrays."""
    if not isinstance(tree, tuple):
        return leaf(tree)
    sign, *parts = tree
    x, y = (computed(part, leaf, transposed) for part in parts)
    functions: dict[str, Callable[[], Any]] = {
        "+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y, "@": lambda: x @ y,
        "n": lambda: -x, "s": lambda: x * x, "t": lambda: transposed(x), "e": lambda: ops.sign(x), "^": lambda: x**y,
        "=": lambda: (x == y) * 1.5, "≠": lambda: (x != y) * 1.5, "≥": lambda: (x >= y) * 1.5,
    }  # fmt: skip
    return functions[sign]()


def assert_reads_as_computed(tree: Any) -> None:
    symbol = computed(tree, lambda leaf: leaf, lambda x: x.mT)
    with np.errstate(all="ignore"):
        array = computed(tree, lambda leaf: SQUARE[leaf.name] if isinstance(leaf, Symbol) else leaf, lambda x: x.mT)
        read = evaluate(formula(symbol), SQUARE)
    largest = np.abs(array[np.isfinite(array)]).max(initial=0)
    np.testing.assert_allclose(read, array, rtol=1e-9, atol=1e-9 * largest, err_msg=formula(symbol))


@given(trees)
def test_a_formula_reads_as_it_was_computed(tree: Any) -> None:
    assert_reads_as_computed(tree)


def test_brackets_are_where_two_operations_need_them() -> None:
    a, b, g = LEAVES
    signs = "+-*/@nste=≠≥"
    for outer, inner in itertools.product(signs, signs):
        assert_reads_as_computed((outer, (inner, a, b), g))
        assert_reads_as_computed((outer, g, (inner, a, b)))
        assert_reads_as_computed((outer, (inner, a, b), (inner, b, g)))
        assert_reads_as_computed(("^", (outer, (inner, a, b), g), 2))


def test_rules_may_compare() -> None:
    a = Symbol("a", (3, 3), np.float64)
    for compared, expected in (
        (a == 0, SQUARE["a"] == 0), (a != 0, SQUARE["a"] != 0), (a >= 0, SQUARE["a"] >= 0), (a > 0, SQUARE["a"] > 0),
        (a <= 0, SQUARE["a"] <= 0), (a < 0, SQUARE["a"] < 0), (2 - a > 2, SQUARE["a"] < 0),
    ):  # fmt: skip
        np.testing.assert_array_equal(evaluate(formula(compared * 2.0), SQUARE), expected * 2.0)


def test_few_signs() -> None:
    g, y, x = (Symbol(name, (3, 3)) for name in "gyx")
    assert formula(g * (1 - y * y)) == "g · (1 − y²)"
    assert formula(x.mT @ g) == "xᵀ @ g"
    assert formula(x**-1) == formula(x**-1.0) == "x⁻¹"
    assert formula(g * -3) == formula(g * -3.0) == "g · (−3)"
    assert formula(ops.index(g, (slice(None), slice(1, None, 2), ..., None, -1))) == "g[:, 1::2, ..., None, −1]"


@pytest.mark.parametrize(("exponent", "text"), [(float("inf"), "inf"), (float("nan"), "nan"), (1e300, "1e+300")])
def test_exponents_that_are_no_small_whole_numbers(exponent: float, text: str) -> None:
    assert formula(Symbol("x") ** exponent) == f"x^{text}"


def test_steps_that_change_nothing_are_left_out() -> None:
    g = Symbol("g", (3, 3))
    for same in (g * 1, 1.0 * g, g / 1, g**1, ops.reshape(g, (3, 3)), ops.expand(g, (3, 3))):
        assert formula(same) == "g"
    for other in (1 / g, 1**g, g * 2, g + 1, g - 0.5, ops.expand(g, (2, 3, 3))):
        assert formula(other) != "g"


def test_symbols_know_shapes_and_dtypes() -> None:
    a, b = Symbol("a", (2, 3)), Symbol("b", (3, 4), np.float64)
    assert (a @ b).shape == (2, 4)
    assert (a @ b).dtype == np.float64
    assert (a @ b).mT.shape == (4, 2)
    assert len(a) == 2
    assert ops.sum(a, (1,), False).shape == (2,)
    assert (a == 0).shape == (2, 3)
    assert (a == 0).dtype == bool
