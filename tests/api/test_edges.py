"""Words at their edges: infinities, nan, 0, empty and 0-d tensors, ties, integers, broadcasting; with gradients.

PyTorch's own samples (test_op_db.py) have ordinary numbers. Here each word is called with odd ones in both libraries.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import Function, assert_same, normal, ours, tensors, theirs

Variables = dict[str, Any]


def each(**choices: Iterable[Any]) -> list[Variables]:
    """Each combination of a choice for each variable."""
    return [dict(zip(choices, chosen, strict=True)) for chosen in itertools.product(*choices.values())]


def pairs(a: str, b: str, values: Iterable[tuple[Any, Any]]) -> list[Variables]:
    """Two variables that have values in pairs."""
    return [{a: first, b: second} for first, second in values]


def constant(array: np.ndarray) -> Callable[[Any], Any]:
    """A tensor that requires no gradient, in either library."""
    return lambda library: (ours if library is minigrad else theirs)(array)


def given(value: Any) -> Callable[[Any], Any]:
    """A value that is no tensor, such as an array."""
    return lambda _: value


def f(*shape: int) -> np.ndarray:
    """Float32 numbers around 0."""
    return normal(*shape, dtype=np.float32)


EDGES = np.array([-np.inf, np.inf, np.nan, 0.0, -0.0, 1.5, -2.0, 2.0], np.float32)
INF, NAN, ZERO, ONE = (np.array(x, np.float32) for x in (-np.inf, np.nan, 0.0, 1.0))
INTS, BOOLS, NONE = np.array([3, -1, 0, 7]), np.array([True, False]), np.zeros(0, np.float32)
TIES = np.array([1.0, 2.0, 2.0, 2.0, 3.0])
TENSORS = [EDGES, INTS, INF, NAN, ZERO, f(2, 3), NONE, np.zeros((2, 0)), BOOLS, np.array(3)]
# Without nan: there PyTorch's amax makes every gradient nan.
GREATEST = [x for x in TENSORS if x.size and not np.isnan(x).any()] + [EDGES[:2], EDGES[3:]]
MATRICES = [f(3, 4), f(4, 3), f(2, 3, 4), np.zeros((0, 3)), np.zeros((3, 0)), f(1, 1), np.resize(INTS, (3, 4))]
MATRICES += [np.full((3, 3), -np.inf), np.full((2, 2), np.nan), np.resize(EDGES, (2, 4, 2)), np.resize(BOOLS, (3, 3))]
BROADCAST = [
    *[(EDGES[:, None], EDGES), (EDGES, ONE), (INF, INF), (INTS, INTS[::-1].copy()), (f(2, 1), f(3)), (NONE, f(1))],
    *[(f(2, 3), np.arange(3)), (np.arange(6).reshape(2, 3), NAN), (BOOLS, BOOLS[:, None]), (f(2, 0), f(1, 0))],
]
PRODUCTS = [(f(2, 3), f(3, 4)), (f(0, 3), f(3, 2)), (f(2, 0), f(0, 3)), (EDGES[None], f(8, 2))]
PRODUCTS += [(INTS[None], INTS[:, None]), (np.full((2, 3), -np.inf, np.float32), np.ones((3, 2), np.float32))]
LISTS = {
    0: [[INF, NAN], [ZERO, np.array(3)], [ONE]],
    1: [[f(3), f(2)], [INTS, np.zeros(0, int)], [EDGES], [f(1), INTS], [NONE, NONE]],
    2: [[f(3, 2), f(3, 2)], [f(2, 1), np.arange(2)[:, None]], [f(0, 2), f(0, 2)], [f(2, 3, 4), f(2, 3, 4)]],
}
PREDICTIONS = [(f(3, 2), f(3, 2)), (f(3), np.zeros(3, np.float32)), (EDGES[3:], f(5)), (NONE, NONE)]
PREDICTIONS += [(np.ones(2), np.ones(2)), (INF, ONE)]
ROWS = [(f(3, 4), [[0, 1], [3, 1], [2, 0]]), (f(3, 4), [[3]]), (EDGES[None], [[7, 2, 0]]), (INTS[None], [[1, 0]])]
ROWS += [(f(3, 4), np.zeros((0, 2), int)), (f(2, 3), np.zeros((2, 0), int)), (f(0, 3), np.zeros((0, 2), int))]
INDICES = [(x, np.array(index)) for x, index in ROWS]
CHANGES = [(EDGES, EDGES[::-1].copy()), (f(2, 3), f(3)), (f(2, 3), 2), (f(3), INTS[:3]), (INF, ONE), (NONE, f(1))]

# Each call, by the word that it tries, and its variables.
Case = tuple[Function, list[Variables]]
MATRIX_PRODUCTS = [
    {"input": input.astype(a.dtype), "a": a, "b": b}
    for a, b in PRODUCTS
    for input in (f(len(a), b.shape[1]), f(b.shape[1]), ONE)
]
CASES: dict[str, Case] = {
    "addmm": (lambda library, input, a, b: library.addmm(input, a, b), MATRIX_PRODUCTS),
    "amax": (lambda library, x: library.amax(x), each(x=GREATEST)),
    "amin": (lambda library, x: library.amin(x), each(x=GREATEST)),
    "chunk": (
        lambda library, x, dim, chunks: library.chunk(x, chunks, dim),
        each(x=[EDGES, INTS, f(1), f(4, 5), f(5, 3, 2), f(4, 0, 3)], dim=[0, -1], chunks=[1, 2, 3, 4, 5, 9]),
    ),
    "gather": (lambda library, x, index: library.gather(x, 1, index), pairs("x", "index", INDICES)),
    "hstack": (lambda library, tensors: library.hstack(tensors), each(tensors=[*LISTS[0], *LISTS[1], *LISTS[2]])),
    "vstack": (
        lambda library, tensors: library.vstack(tensors),
        each(tensors=[*LISTS[0], *LISTS[2], [f(2, 3), f(1, 3)], [f(3), f(3)], [INTS, f(4)], [EDGES]]),
    ),
    "norm": (
        lambda library, x, p: library.norm(x, p),
        each(x=[f(5), f(2, 3), INF, ONE, EDGES[:2], EDGES[3:], ZERO, NONE, np.zeros((2, 2))], p=[2, 1, 3.0, 0.5]),
    ),
    "outer": (
        lambda library, a, b: library.outer(a, b),
        pairs("a", "b", [(EDGES, EDGES), (f(3), f(2)), (INTS, INTS), (NONE, f(3)), (f(3), NONE), (f(2), INTS)]),
    ),
    "rsqrt": (lambda library, x: library.rsqrt(x), each(x=TENSORS)),
    "triu": (lambda library, x, diagonal: library.triu(x, diagonal), each(x=MATRICES, diagonal=[-4, -1, 0, 1, 2, 5])),
    "div_": (lambda library, x, y: x.div_(y), pairs("x", "y", CHANGES)),
    "sub_": (lambda library, x, y: x.sub_(y), pairs("x", "y", [*CHANGES, (INTS, 2), (INTS, INTS)])),
    "mul_": (lambda library, x, y: x.mul_(y), pairs("x", "y", CHANGES)),
    "detach_": (lambda library, x: x.detach_(), each(x=TENSORS)),
    "scatter_": (
        lambda library, x, index, src: x.scatter_(1, index, src),
        [{"x": x, "index": index, "src": src} for x, index in INDICES for src in (f(*index.shape).astype(x.dtype), 1)],
    ),
    "scatter_add_": (
        lambda library, x, index, src: x.scatter_add_(0, index, src),
        [
            {"x": x, "index": np.array(index, int), "src": f(len(index)).astype(x.dtype)}
            for x, index in [(f(3), [0, 2, 0]), (EDGES, [3, 3, 0, 2]), (INTS, [1, 1]), (f(2), [])]
        ],
    ),
    "type": (
        lambda library, x, dtype: x.type(dtype),
        each(x=TENSORS, dtype=[lambda library: library.float64, lambda library: library.float16]),
    ),
    "bmm": (
        lambda library, a, b: library.bmm(a, b),
        pairs(
            "a", "b", [*((a[None], b[None]) for a, b in PRODUCTS), (f(3, 2, 4), f(3, 4, 1)), (f(0, 2, 4), f(0, 4, 1))]
        ),
    ),
    "mm": (lambda library, a, b: library.mm(a, b), pairs("a", "b", PRODUCTS)),
    "mv": (lambda library, a, b: library.mv(a, b), pairs("a", "b", [(a, b[:, 0].copy()) for a, b in PRODUCTS])),
    # Of nan and two zeros PyTorch takes the derivative 0, by a shortcut; here it is nan.
    "prod": (lambda library, x: library.prod(x), each(x=[INTS, f(2, 3), NONE, ONE, EDGES[5:], np.array([2.0, 0, 3])])),
    "cumprod": (lambda library, x: library.cumprod(x, 0), each(x=[INTS, f(7), np.array([2.0, 0, 3, 0, 5])])),
    "sort": (lambda library, x: library.sort(x, dim=0, stable=True), each(x=[EDGES, INTS, f(3, 4), NONE, ONE])),
    "topk": (lambda library, x: library.topk(x, 2).values, each(x=[EDGES, INTS, f(3, 4)])),
    "median": (lambda library, x: library.median(x), each(x=[EDGES, INTS, f(3, 4), ONE, NAN, TIES])),
    "unique": (
        lambda library, x: library.unique(x, return_counts=True),
        each(x=[INTS, constant(np.array([2.0, 1, 2])), constant(NONE)]),
    ),
    "where": (lambda library, x: library.where(x > 0), each(x=TENSORS)),
    "lerp": (
        lambda library, a, b: library.lerp(a, b, 0.25),
        pairs("a", "b", [(f(3), f(3)), (EDGES, EDGES[::-1].copy())]),
    ),
    "masked_select": (lambda library, x: library.masked_select(x, x > 0), each(x=TENSORS)),
    "nan_to_num": (lambda library, x: library.nan_to_num(x), each(x=TENSORS)),
    "remainder": (
        lambda library, a, b: a % b,
        pairs("a", "b", [(EDGES[3:], f(5)), (INTS, 3), (f(3), -2.5), (EDGES, 2)]),
    ),
    "floor_divide": (  # PyTorch has no derivative of it; here it is 0
        lambda library, a, b: a // b,
        pairs("a", "b", [(constant(EDGES), constant(f(8))), (INTS, -3), (constant(f(3)), -2.5)]),
    ),
    "&": (
        lambda library, a, b: (a > 0) & (b > 0) | ~(a > b) ^ (b != b),
        pairs("a", "b", [(EDGES, EDGES[::-1].copy())]),
    ),
}
ROUNDING = ("floor", "ceil", "trunc", "round")
UNARY = "rsqrt reciprocal expm1 log1p log2 sin cos tan atan sinh cosh erf sign isnan isinf isfinite"
for name in (*UNARY.split(), *ROUNDING, "frac"):
    kinds = "f" if name == "frac" else "fi" if name in ROUNDING else "fib"
    CASES[name] = (
        lambda library, x, name=name: getattr(library, name)(x),
        each(x=[x for x in TENSORS if x.dtype.kind in kinds]),
    )
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    CASES[name] = (
        lambda library, a, b, name=name: getattr(library, name)(a, b),
        pairs("a", "b", [*BROADCAST, (EDGES, 0), (INTS, 1.5)]),
    )
for name in ("maximum", "minimum", "atan2", "logical_and", "logical_or", "logical_xor"):
    CASES[name] = (lambda library, a, b, name=name: getattr(library, name)(a, b), pairs("a", "b", BROADCAST))
for name in ("concat", "concatenate"):
    CASES[name] = (
        lambda library, tensors, dim, name=name: getattr(library, name)(tensors, dim),
        each(tensors=LISTS[1], dim=[0, -1]) + each(tensors=LISTS[2], dim=[0, 1, -1]),
    )
ARRAYS = [x.astype(kind) for x in (f(2, 3), INTS, np.array(2.5), NONE) for kind in ("f4", "f8", "i8", "i1", "?")]
CASES["from_numpy"] = (lambda library, array: library.from_numpy(array), each(array=map(given, ARRAYS)))
DATA = [*ARRAYS, [1.0, 2], 3, [[True]], 2.5, []]
CASES["as_tensor"] = (lambda library, data: library.as_tensor(data), each(data=map(given, DATA)))


def made(library: Any, value: Any, leaves: list[Any]) -> Any:
    """The value of a variable in a library; the leaves from which tensors are made are added to `leaves`."""
    if isinstance(value, list):
        return [made(library, x, leaves) for x in value]
    if callable(value):
        return value(library)
    if not isinstance(value, np.ndarray):
        return value
    leaves.append((ours if library is minigrad else theirs)(value, requires_grad=value.dtype.kind == "f"))
    return leaves[-1].clone()  # which an operation in place can change


@pytest.mark.parametrize("word", CASES)
def test_it_gives_what_pytorch_gives(word: str) -> None:
    call, inputs = CASES[word]
    for variables in inputs:
        print(variables)  # which is shown if the test fails
        our_leaves: list[Any] = []
        their_leaves: list[Any] = []
        mine = call(minigrad, *(made(minigrad, value, our_leaves) for value in variables.values()))
        expected = call(torch, *(made(torch, value, their_leaves) for value in variables.values()))
        assert_same(mine, expected)
        for our_result, their_result in zip(tensors(mine), tensors(expected), strict=True):
            if their_result.requires_grad:
                upstream = normal(*their_result.shape, dtype=our_result.array.dtype)
                our_result.backward(ours(upstream), retain_graph=True)
                their_result.backward(theirs(upstream), retain_graph=True)
        for our_leaf, their_leaf in zip(our_leaves, their_leaves, strict=True):
            assert_same(our_leaf.grad, their_leaf.grad)
