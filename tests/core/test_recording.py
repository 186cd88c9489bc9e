"""The functions that are written out for the rows of the table, which compute and record."""

import ast
import builtins
import linecache
import operator
import traceback
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
from minigrad import ops, recording
from minigrad.rows import Row
from tests.support.comparison import REFUSALS, ours, theirs

ROWS = [row for row in vars(ops).values() if isinstance(row, Row)]
TEXTS = {f"{row.name} on tensors": recording.text(row) for row in ROWS if not row.variadic}
TEXTS |= {f"{row.name} on values": recording.text_on_values(row) for row in ROWS}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_uses_all_that_it_names_and_nothing_else(text: str) -> None:
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    arguments = {argument.arg for argument in function.args.args}
    known = {*recording.names_in_texts(), "row", "function", *dir(builtins), "error"}
    assert read - assigned - arguments <= known
    assert arguments | assigned <= read | {"grad_fn"}  # of a row without a derivative nothing prints one


def test_a_row_that_was_never_asked_for_is_written_when_it_is() -> None:
    row = Row("twice", lambda x: 2 * x, x=lambda g: 2 * g)
    assert "on_tensors" not in vars(row)
    x = ours(np.array([1.0, 2.0]), requires_grad=True)
    row.on_tensors(x).sum().backward()
    assert "on_tensors" in vars(row)
    np.testing.assert_array_equal(x.grad.array, [2, 2])


def test_a_traceback_shows_the_line_that_was_written() -> None:
    try:
        minigrad.ones(2, 3) + minigrad.ones(4)
    except RuntimeError as error:
        *_, last = traceback.extract_tb(error.__traceback__)
    assert last.line == "raise explained(row.name, [a_array, b_array], error) from None"
    linecache.checkcache(last.filename)
    assert linecache.getline(last.filename, 1) == recording.text(ops.add).splitlines(keepends=True)[0]


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


def test_a_row_of_any_number_of_operands_keeps_nothing_for_each_number() -> None:
    parts = [minigrad.ones(1, 2) for _ in range(40)]
    minigrad.cat(parts[:2])
    before = len(linecache.cache)
    for count in range(1, 40):
        assert minigrad.cat(parts[:count]).shape == (count, 2)
    assert len(linecache.cache) == before


@pytest.mark.parametrize("name", ["result", "x_array", "row", "grad_fn", "Node"])
def test_a_row_whose_names_are_those_of_the_text_is_refused(name: str) -> None:
    forward = eval(f"lambda x, {name}: x * {name}")
    with pytest.raises(ValueError, match=f"scaled: '{name}' is a name in the text"):
        Row("scaled", forward, x=lambda g: g).on_tensors(minigrad.ones(2), 3.0)


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
