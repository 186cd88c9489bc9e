"""Every primitive, from the table in tests/support/table.py, beside PyTorch: value, and three orders of gradient."""

from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from tests.support.comparison import assert_near, assert_same, compare, orders, ours, theirs
from tests.support.table import PRIMITIVES, SMOOTH, TABLE, few

ALL_SHAPES = [(name, shapes) for name in TABLE for shapes in TABLE[name].shapes]
THIRD = [name for name in SMOOTH if TABLE[name].order >= 3]


def test_every_primitive_is_in_the_table_of_the_tests() -> None:
    assert set(TABLE) == set(PRIMITIVES)


def test_an_entry_of_order_0_is_a_primitive_without_a_gradient() -> None:
    assert {name for name in TABLE if not TABLE[name].order} == {
        name for name, primitive in PRIMITIVES.items() if not primitive.differentiable and not primitive.joint_vjp
    }


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "shapes"), ALL_SHAPES, ids=str)
def test_its_value_and_its_gradient(name: str, shapes: Any, dtype: Any) -> None:
    operation = TABLE[name]
    arrays = operation.arrays(shapes, dtype)
    if operation.order:
        compare(operation.call, *arrays)
    else:
        result = operation.call(minigrad, *[ours(x, x.dtype.kind == "f") for x in arrays])
        assert not result.requires_grad
        assert_same(result, operation.call(torch, *map(theirs, arrays)))


@pytest.mark.parametrize("name", SMOOTH)
def test_it_is_one_operation(name: str) -> None:
    """What an entry calls is the primitive it stands for, and not something that is composed of others."""
    operation = TABLE[name]
    inputs = [ours(x, x.dtype.kind == "f") for x in operation.arrays()]
    made = operation.call(minigrad, *inputs).grad_fn
    assert made.operation == name
    assert {id(x.node) for x in inputs if x.requires_grad} <= {id(x) for x in made.inputs}


@pytest.mark.parametrize(("name", "shapes"), **few(SMOOTH))
def test_the_gradient_of_its_gradient(name: str, shapes: Any) -> None:
    """With respect to the operands and to the gradient that arrived."""
    operation = TABLE[name]
    arrays = operation.arrays(shapes)
    mine = orders(minigrad, ours, operation.call, arrays, 2)
    for gradient, reference in zip(mine, orders(torch, theirs, operation.call, arrays, 2), strict=True):
        assert_near(gradient, reference)


@pytest.mark.parametrize("name", THIRD)
def test_its_third_gradient(name: str) -> None:
    operation = TABLE[name]
    arrays = operation.arrays()
    mine = orders(minigrad, ours, operation.call, arrays, 3)
    reference = orders(torch, theirs, operation.third or operation.call, arrays, 3)
    for gradient, expected in zip(mine, reference, strict=True):
        assert_near(gradient, expected, 1e-9)
