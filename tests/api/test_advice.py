"""The advice for names that minigrad does not have: each piece is run, and gives what PyTorch gives for the name.

Values, shapes, dtypes and gradients are compared, with infinities, nan, 0, empty and 0-d tensors, and integers. Where
the advice names its limits, the variables keep within them.
"""

import ast
import itertools
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import nn
from minigrad.api.missing import METHODS, torch_names
from tests.api.test_missing import OWNERS
from tests.support.comparison import assert_same, normal, ours, tensors, theirs

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
ROWS = [(f(3, 4), [[0, 1], [3, 1], [2, 0]]), (f(3, 4), [[3]]), (EDGES[None], [[7, 2, 0]]), (INTS[None], [[1, 0]])]
ROWS += [(f(3, 4), np.zeros((0, 2), int)), (f(2, 3), np.zeros((2, 0), int)), (f(0, 3), np.zeros((0, 2), int))]
INDICES = [(x, np.array(index)) for x, index in ROWS]
CHANGES = [(EDGES, EDGES[::-1].copy()), (f(2, 3), f(3)), (f(2, 3), 2), (f(3), INTS[:3]), (INF, ONE), (NONE, f(1))]

# By the owner of a name, the name, and the statements of the advice: PyTorch's function, and variables for both.
Runs = dict[tuple[str, str, str], tuple[Callable[..., Any], list[Variables]]]
ADVICE: Runs = {
    ("minigrad", "addmm", "input + a @ b"): (
        torch.addmm,
        [
            {"input": input.astype(a.dtype), "a": a, "b": b}
            for a, b in PRODUCTS
            for input in (f(len(a), b.shape[1]), f(b.shape[1]), ONE)
        ],
    ),
    ("minigrad", "amax", "x.max()"): (torch.amax, each(x=GREATEST)),
    ("minigrad", "amin", "x.min()"): (torch.amin, each(x=GREATEST)),
    ("minigrad", "chunk", "x.split((x.size(dim) + chunks - 1) // chunks, dim)"): (
        lambda x, dim, chunks: torch.chunk(x, chunks, dim),
        each(x=[EDGES, INTS, f(1), f(4, 5), f(5, 3, 2), f(4, 0, 3)], dim=[0, -1], chunks=[1, 2, 3, 4, 5, 9]),
    ),
    ("minigrad", "empty", "zeros(size)"): (
        lambda size: torch.empty(size).zero_(),
        each(size=[(2, 3), 3, (), (0, 2)]),
    ),
    ("minigrad", "empty_like", "zeros_like(x)"): (lambda x: torch.empty_like(x).zero_(), each(x=TENSORS)),
    ("minigrad", "gather", "x[arange(len(index))[:, None], index]"): (
        lambda x, index: torch.gather(x, 1, index),
        pairs("x", "index", INDICES),
    ),
    ("minigrad", "hstack", "cat(tensors, 1)"): (torch.hstack, each(tensors=LISTS[2])),
    ("minigrad", "hstack", "cat(tensors)"): (torch.hstack, each(tensors=LISTS[1])),
    ("minigrad", "hstack", "stack(tensors)"): (torch.hstack, each(tensors=LISTS[0])),
    ("minigrad", "norm", "x.square().sum().sqrt()"): (
        torch.norm,
        each(x=[f(5), f(2, 3), EDGES, INF, NAN, ONE, EDGES[:2], *map(constant, (ZERO, NONE, np.zeros((2, 2))))]),
    ),
    ("minigrad", "outer", "a[:, None] * b"): (
        torch.outer,
        pairs("a", "b", [(EDGES, EDGES), (f(3), f(2)), (INTS, INTS), (NONE, f(3)), (f(3), NONE), (f(2), INTS)]),
    ),
    ("minigrad", "rsqrt", "1 / x.sqrt()"): (torch.rsqrt, each(x=TENSORS)),
    ("minigrad", "triu", "x.mT.tril().mT"): (torch.triu, each(x=MATRICES)),
    ("minigrad", "triu", "x.mT.tril(-diagonal).mT"): (torch.triu, each(x=MATRICES, diagonal=[-4, -1, 0, 1, 2, 5])),
    ("minigrad", "vstack", "cat(tensors)"): (torch.vstack, each(tensors=[*LISTS[2], [f(2, 3), f(1, 3)]])),
    ("minigrad", "vstack", "stack(tensors)"): (torch.vstack, each(tensors=[[f(3), f(3)], [INTS, f(4)], [EDGES]])),
    ("minigrad", "vstack", "stack(tensors)[:, None]"): (torch.vstack, each(tensors=LISTS[0])),
    ("minigrad.Tensor", "cuda", "x"): (torch.Tensor.cpu, each(x=TENSORS)),
    ("minigrad.Tensor", "detach_", "x = x.detach()"): (torch.Tensor.detach_, each(x=TENSORS)),
    ("minigrad.Tensor", "div_", "x /= y"): (torch.Tensor.div_, pairs("x", "y", CHANGES)),
    ("minigrad.Tensor", "scatter_", "x[arange(len(index))[:, None], index] = src"): (
        lambda x, index, src: x.scatter_(1, index, src),
        [{"x": x, "index": index, "src": src} for x, index in INDICES for src in (f(*index.shape).astype(x.dtype), 1)],
    ),
    ("minigrad.Tensor", "scatter_add_", "x.index_add_(0, index, src)"): (
        lambda x, index, src: x.scatter_add_(0, index, src),
        [
            {"x": x, "index": np.array(index, int), "src": f(len(index)).astype(x.dtype)}
            for x, index in [(f(3), [0, 2, 0]), (EDGES, [3, 3, 0, 2]), (INTS, [1, 1]), (f(2), [])]
        ],
    ),
    ("minigrad.Tensor", "sub_", "x -= y"): (torch.Tensor.sub_, pairs("x", "y", [*CHANGES, (INTS, 2), (INTS, INTS)])),
    ("minigrad.Tensor", "type", "x.to(dtype)"): (
        torch.Tensor.type,
        each(x=TENSORS, dtype=[lambda library: library.float64, lambda library: library.float16]),
    ),
    ("nn", "Layer", "nn.scalar.Layer"): (lambda: nn.scalar.Layer, [{}]),  # micrograd's
    ("nn", "Neuron", "nn.scalar.Neuron"): (lambda: nn.scalar.Neuron, [{}]),  # micrograd's
}
for extreme in ("max", "min"):
    distinct = [(f(3, 4), 0), (f(3, 4), -1), (np.arange(6).reshape(2, 3), 1), (INF, 0), (f(0, 3), 1), (EDGES[:2], 0)]
    ties = [(constant(np.resize(EDGES, (3, 5))), 1), (constant(np.ones((2, 3))), 0), (constant(EDGES), 0)]
    function: Any = getattr(torch, f"a{extreme}")
    ADVICE["minigrad", f"a{extreme}", f"x.{extreme}(dim).values"] = (function, pairs("x", "dim", distinct + ties))
    constants = [(constant(a), constant(b)) for a, b in BROADCAST]
    numbers = [
        (np.where(a == a, a, 2), np.where(b == b, b, a.dtype.type(2))) for a, b in BROADCAST if a.dtype == b.dtype
    ]
    function = getattr(torch, f"{extreme}imum")
    ADVICE["minigrad", f"{extreme}imum", f"a.{extreme}(b)"] = (function, pairs("a", "b", constants + numbers))
for name, sign in {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "ne": "!="}.items():
    ADVICE["minigrad", name, f"a {sign} b"] = (
        getattr(torch, name),
        pairs("a", "b", [*BROADCAST, (EDGES, 0), (INTS, 1.5)]),
    )
for name in ("concat", "concatenate"):
    joins = each(tensors=LISTS[1], dim=[0, -1]) + each(tensors=LISTS[2], dim=[0, 1, -1])
    ADVICE["minigrad", name, "cat(tensors, dim)"] = (getattr(torch, name), joins)
for name, factors in {
    "bmm": [*((a[None], b[None]) for a, b in PRODUCTS), (f(3, 2, 4), f(3, 4, 1)), (f(0, 2, 4), f(0, 4, 1))],
    "mm": PRODUCTS,
    "mv": [(a, b[:, 0].copy()) for a, b in PRODUCTS],
}.items():
    ADVICE["minigrad", name, "a @ b"] = (getattr(torch, name), pairs("a", "b", factors))
for name, variable in {"as_tensor": "data", "from_numpy": "array"}.items():
    data = [
        given(x.astype(kind)) for x in (f(2, 3), INTS, np.array(2.5), NONE) for kind in ("f4", "f8", "i8", "i1", "?")
    ]
    data += [given(EDGES), given(EDGES.astype(float))]
    plain = [given(x) for x in ([1.0, 2], 3, [[True]], 2.5, [])] if variable == "data" else []
    ADVICE["minigrad", name, f"tensor({variable})"] = (getattr(torch, name), [{variable: x} for x in data + plain])


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


def advice_of(owner: str, name: str) -> str:
    """What the error for a name says to use; nothing if the name is not missing."""
    try:
        getattr(OWNERS[owner][0], name)
    except AttributeError as error:
        return str(error).partition("; use ")[2]
    except RuntimeError:  # from a property of matrices
        pass
    return ""


def run(code: str, names: dict[str, Any]) -> Any:
    """The value of the last line; that of x if it is a statement."""
    *before, last = code.split("\n")
    exec("\n".join(before), names)
    if not isinstance(ast.parse(last).body[0], ast.Expr):
        exec(last, names)
        return names["x"]
    return eval(last, names)


@pytest.mark.parametrize(("owner", "name", "code"), ADVICE, ids=lambda part: str(part).replace("\n", "; "))
def test_the_advice_gives_what_pytorch_gives(owner: str, name: str, code: str) -> None:
    assert all(line in advice_of(owner, name) for line in code.split("\n"))
    home = OWNERS[owner][0] if owner.startswith("nn.") else minigrad
    reference, inputs = ADVICE[owner, name, code]
    for variables in inputs:
        print(variables)  # which is shown if the test fails
        our_leaves: list[Any] = []
        their_leaves: list[Any] = []
        names = {**vars(home), "nn": nn, "minigrad": minigrad}
        names |= {key: made(minigrad, value, our_leaves) for key, value in variables.items()}
        minigrad.manual_seed(0)
        torch.manual_seed(0)
        mine = run(code, names)
        expected = reference(*(made(torch, value, their_leaves) for value in variables.values()))
        assert_same(mine, expected)
        for our_result, their_result in zip(tensors(mine), tensors(expected), strict=True):
            if their_result.requires_grad:
                upstream = normal(*their_result.shape, dtype=our_result.array.dtype)
                our_result.backward(ours(upstream), retain_graph=True)
                their_result.backward(theirs(upstream), retain_graph=True)
        for our_leaf, their_leaf in zip(our_leaves, their_leaves, strict=True):
            assert_same(our_leaf.grad, their_leaf.grad)


def test_the_advice_for_next_functions_leads_to_the_same_nodes() -> None:
    assert advice_of("grad_fn", "next_functions").startswith("inputs,")
    x, reference = minigrad.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    mine, expected = ((z.exp() * z.tanh()).grad_fn for z in (x, reference))
    assert [repr(node) for node in mine.inputs] == [f"<{node.name()}>" for node, _ in expected.next_functions]


def test_every_piece_of_advice_is_run() -> None:
    for owner, (_, reference) in OWNERS.items():
        for name in torch_names()[reference] | {"Neuron", "Layer", *METHODS}:
            text = advice_of(owner, name)
            codes = [code for _, known, code in ADVICE if known == name]
            for line in sorted("\n".join(codes).split("\n"), key=len, reverse=True):
                text = text.replace(line, "")
            assert not re.search(r"[()\[\]=<>@*/+.]", text), f"{owner}: {name}: {text} is not tried"
