"""How an operation is recorded: operands of all kinds beside PyTorch, what a node has, and what is refused."""

import itertools
import operator
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from minigrad.core import ops
from minigrad.core.primitive import Primitive
from minigrad.core.record import _any_operands as record_any
from minigrad.core.value import _any_operands as record_any_values
from tests.support.comparison import REFUSALS, normal, ours, theirs


def test_a_primitive_of_ones_own_is_recorded() -> None:
    twice = Primitive("twice", lambda x: 2 * x, x=lambda g: 2 * g)
    x = ours(np.array([1.0, 2.0]), requires_grad=True)
    result = twice(x)
    assert result.grad_fn.operation == "twice"
    result.sum().backward()
    np.testing.assert_array_equal(x.grad.array, [2, 2])
    number = minigrad.Value(3.0)
    result = twice(number)
    result.backward()
    assert (result.data, number.grad) == (6.0, 2.0)
    np.testing.assert_array_equal(twice(np.array([1.0, 2.0])), [2, 4])
    assert twice(1.5) == 3.0


def test_what_is_recorded_has_all_that_its_kind_has() -> None:
    x, number = ours(np.ones(2), requires_grad=True), minigrad.Value(1.0)
    for recorded in (x * x).node, minigrad.cat([x, x]).node, x[:1].node, x.node, number * number, number:
        assert [name for name in type(recorded).__slots__ if not hasattr(recorded, name)] == []


KINDS: dict[str, Any] = {
    **{f"{kind} tensor": np.asarray([1, 2, 3], kind) for kind in ("f2", "f4", "f8", "i8", "u1", "?")},
    **{f"0-d {kind} tensor": np.asarray(2, kind) for kind in ("f4", "f8", "i8")},
    **{"float": 2.5, "int": 3, "bool": True, "nan": float("nan"), "-0.0": -0.0, "large int": 2**40},
}
# A number that numpy finds too large for a dtype is refused, where PyTorch keeps its last bits, or infinity.
NOT_AS_THERE = [{"large int", "u1 tensor"}, {"large int", "f2 tensor"}]
BOOL_TO_A_BOOL = "pow", "? tensor", "bool"  # the one power of bools that PyTorch does not refuse


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "pow"])
@pytest.mark.parametrize("left", KINDS)
def test_operands_of_all_kinds(name: str, left: str) -> None:
    """The result, its dtype and what it requires, or the refusal, as PyTorch has it."""
    for right in KINDS:
        if "tensor" not in left + right or {left, right} in NOT_AS_THERE or (name, left, right) == BOOL_TO_A_BOOL:
            continue
        results = []
        for library, make in (minigrad, ours), (torch, theirs):
            operands = [
                make(x, x.dtype.kind == "f") if isinstance(x, np.ndarray) else x for x in map(KINDS.get, (left, right))
            ]
            try:
                result = getattr(library, name)(*operands) if "tensor" in left else _reflected(name, *operands)
            except REFUSALS as error:
                results.append((type(error),))
                continue
            results.append((str(result.dtype), result.requires_grad, result.detach().numpy()))
        (*mine, my_array), (*reference, array) = results
        assert mine == reference, (left, right)
        if reference:
            np.testing.assert_allclose(my_array, array, rtol=2e-3 if array.dtype == np.float16 else 1e-6, err_msg=right)


def _reflected(name: str, left: Any, right: Any) -> Any:
    return getattr(right, f"__r{'truediv' if name == 'div' else name}__")(left)


def test_a_primitive_takes_any_number_of_operands() -> None:
    parts = [minigrad.ones(1, 2, requires_grad=True) for _ in range(40)]
    for count in range(1, 41):
        joined = minigrad.cat(parts[:count])
        assert joined.shape == (count, 2)
    joined.sum().backward()
    assert all(part.grad.tolist() == [[1.0, 1.0]] for part in parts)


class Other:
    """Something else that has an array."""

    array = np.ones(2)


@pytest.mark.parametrize("function", [minigrad.sum, minigrad.exp, minigrad.clone, lambda x: minigrad.reshape(x, 2)])
def test_what_has_an_array_and_is_no_tensor_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="expected a Tensor, got Other"):
        function(Other())


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "iadd", "imul"])
def test_a_tensor_and_a_value_do_not_mix(name: str) -> None:
    weight = minigrad.tensor(3.0, requires_grad=True)
    for recorded in weight * 1, minigrad.ones(2):
        with pytest.raises(TypeError, match=r"^\w+: expected Tensors or numbers, got Value; make a Tensor"):
            getattr(operator, name)(recorded, minigrad.Value(2.0))
        with pytest.raises(TypeError, match=r"^\w+: expected Tensors or numbers, got Value; make a Tensor"):
            getattr(operator, name)(minigrad.Value(2.0), recorded)


# The recorders without loops do what the recorder for any number of operands does


APPLIED: dict[str, tuple[Any, ...]] = {
    "tanh": (normal(2, 3),),
    "sum": (normal(2, 3), (0,), True),
    "reshape": (normal(2, 3), (6,)),
    "index": (normal(4, 3), (np.array([2, 0, 2]),)),
    "var": (normal(4, 3), (0,), True, 3),
    "mul": (normal(2, 3), normal(3)),
    "pow": (normal(3), 2.0),
    "matmul": (normal(2, 3), normal(3, 4)),
    "assign": (normal(4, 3), normal(3), (1,)),
    "cross_entropy": (normal(4, 3), np.array([0, 2, 1, 1])),
    "where": (np.array([True, False, True]), normal(3), normal(3)),
    "linear": (normal(4, 3), normal(2, 3), normal(2)),
    "batch_norm": (normal(4, 3), normal(3), 0.0, (0,), 1e-5, False),
}


@pytest.mark.parametrize("name", APPLIED)
def test_a_recorder_without_loops_is_the_general_one(name: str) -> None:
    primitive = getattr(ops, name)
    count = len(primitive.operands)
    for needs in itertools.product([False, True], repeat=count):
        results = []
        for record in (primitive.on_tensors, record_any(primitive, minigrad.Tensor)):
            operands = [
                ours(x, need and x.dtype.kind == "f") if isinstance(x, np.ndarray) else x
                for x, need in zip(APPLIED[name][:count], needs, strict=True)
            ]
            result = record(*operands, *APPLIED[name][count:], label="labelled")
            tensor, *residuals = result if isinstance(result, tuple) else (result,)
            if tensor.requires_grad:
                tensor.backward(ours(np.ones(tensor.shape)), retain_graph=True)
            node = tensor.node
            recorded = (
                None if node is None else (node.plan, node.label, node.params, node.saved, node.shape, node.dtype)
            )
            gradients = [x.grad.array for x in operands if isinstance(x, minigrad.Tensor) and x.grad is not None]
            results.append((tensor.array, residuals, recorded, gradients))
        np.testing.assert_equal(results[0], results[1])


@pytest.mark.parametrize("name", ["add", "mul", "div", "pow", "tanh", "relu", "exp"])
def test_a_recorder_of_values_without_loops_is_the_general_one(name: str) -> None:
    primitive = getattr(ops, name)
    found = []
    for record in (primitive.on_values, record_any_values(primitive)):
        operands = [minigrad.Value(1.5), minigrad.Value(0.5)][: len(primitive.operands)]
        result = record(*operands)
        result.backward()
        found.append((result.data, result.saved, result.plan, [x.grad for x in operands]))
    assert found[0] == found[1]
