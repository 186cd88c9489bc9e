"""Gradients of gradients, through the rows that are not functions of one number, against PyTorch's double backward.

The rows that are, see test_backward.py; the fused ones, see test_functional.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import minigrad
from tests.support.comparison import assert_same, normal, ours, random, theirs

Function = Callable[[Any, Any, Any], Any]


def assigned(x: Any, y: Any) -> Any:
    """`x` with a row put in place, computed from `y`."""
    changed = x * 1
    changed[0] = y[1] * y[0]
    return changed * changed


FUNCTIONS: dict[str, Function] = {
    "matmul": lambda library, x, y: x @ y.T,
    "einsum": lambda library, x, y: library.einsum("ij,kj->ik", x, y),
    "sum": lambda library, x, y: x.sum(0) * y,
    "mean": lambda library, x, y: x.mean(1, keepdim=True) * y,
    "cumsum": lambda library, x, y: x.cumsum(1) * y,
    "max over a dim": lambda library, x, y: x.max(1).values * y.sum(),
    "min over a dim": lambda library, x, y: x.min(0).values * y,
    "max of all": lambda library, x, y: x.max() * y,
    "std": lambda library, x, y: x.std(0) * y,
    "softmax": lambda library, x, y: library.softmax(x, 1) * y,
    "reshape": lambda library, x, y: x.reshape(-1) * y.view(-1),
    "permute": lambda library, x, y: x.T @ y,
    "expand": lambda library, x, y: x[0].expand(2, 2, 3) * y[0],
    "cast": lambda library, x, y: x.float().double() * y * x,
    "index": lambda library, x, y: x[[0, 1, 1]] * y[:, :1].sum(),
    "put": lambda library, x, y: library.zeros(4, 3, dtype=x.dtype).index_add_(0, library.tensor([0, 0]), x * y) ** 2,
    "assign": lambda library, x, y: assigned(x, y),
    "where": lambda library, x, y: library.where(x > 0, x * y, y**3),
    "cat": lambda library, x, y: library.cat([x, y * y], 1) ** 2,
    "stack": lambda library, x, y: library.stack([x, y]) ** 3,
}


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")  # PyTorch's, of a memory leak
@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_a_gradient_has_pytorchs_gradient(function: Function) -> None:
    inputs, upstream = (normal(2, 3), normal(2, 3)), {}
    gradients = []
    for library, make in ((minigrad, ours), (torch, theirs)):
        x, y = (make(array, requires_grad=True) for array in inputs)
        result = function(library, x, y)
        shape = tuple(result.shape)
        upstream.setdefault("array", random.normal(size=shape))
        (result * make(upstream["array"])).sum().backward(create_graph=True)
        first = [tensor.grad for tensor in (x, y)]
        x.grad = y.grad = None
        sum((g * g).sum() for g in first).backward()
        gradients.append([*first, x.grad, y.grad])
    for mine, reference in zip(*gradients, strict=True):
        assert (mine is None) == (reference is None)
        if mine is not None:
            assert_same(mine.detach(), reference.detach())
