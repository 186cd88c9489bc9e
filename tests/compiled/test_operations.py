"""Every operation, compiled, computes what it computes as it is, also with other numbers; or it is refused.

What a function computes outside of the table of primitives would become a constant of the first call, if it were not
followed. So the second call has other numbers than the first.
"""

import copy
from typing import Any

import numpy as np
import pytest
from torch.testing._internal.opinfo.core import OpInfo

import minigrad
from minigrad.compiled.recording import Refused
from tests.support.comparison import REFUSALS, tensors
from tests.support.op_db import calls, function_of, operations

WITHOUT = {
    "empty": "its numbers have no meaning",
    "empty_like": "its numbers have no meaning",
    "new_empty": "its numbers have no meaning",
}
OPERATIONS = [op for op in operations() if op.name not in WITHOUT]
MOST = 8  # samples of each dtype, to save time


def renewed(x: Any, turn: int) -> Any:
    """The same arguments with the numbers of each Tensor in another order, as leaves."""
    if isinstance(x, minigrad.Tensor):
        array = x.array
        moved = np.roll(array.ravel(), turn).reshape(array.shape)
        laid_out = np.empty_like(array)
        laid_out[...] = moved
        return minigrad.Tensor.wrap(laid_out).requires_grad_(x.requires_grad)
    if isinstance(x, list | tuple):
        parts = [renewed(part, turn) for part in x]
        return minigrad.Size(parts) if isinstance(x, minigrad.Size) else type(x)(parts)
    if isinstance(x, dict):
        return {name: renewed(part, turn) for name, part in x.items()}
    return copy.copy(x)


def leaves(x: Any) -> list[Any]:
    """The Tensors among arguments that require a gradient."""
    if isinstance(x, minigrad.Tensor):
        return [x] if x.requires_grad else []
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else ()
    return [leaf for part in parts for leaf in leaves(part)]


def outcome(function: Any, arguments: Any, keywords: Any) -> Any:
    """What a call returns and the gradients that it gives, or the error that it raises."""
    minigrad.manual_seed(42)
    try:
        result = function(*arguments, **keywords)
    except REFUSALS as error:
        return error
    made = tensors(result if isinstance(result, list | tuple) else [result])
    numbers = np.random.default_rng(0)
    for x in made:
        if x.requires_grad:
            x.backward(minigrad.tensor(numbers.normal(size=x.shape), dtype=x.dtype), retain_graph=True)
    grads = [x.grad for x in leaves([*arguments, keywords])]
    return [*(x.detach() for x in made), *grads], [x.requires_grad for x in made]


def assert_equal(found: Any, expected: Any) -> None:
    """Require the same bits, or the same refusal."""
    if isinstance(expected, Exception):
        assert type(found) is type(expected), (found, expected)
        assert str(found) == str(expected)
        return
    assert not isinstance(found, Exception), found
    assert found[1] == expected[1]
    for x, y in zip(found[0], expected[0], strict=True):
        assert (x is None) == (y is None)
        if x is not None:
            assert (x.array.shape, x.array.dtype, x.array.strides) == (y.array.shape, y.array.dtype, y.array.strides)
            np.testing.assert_array_equal(x.array, y.array)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: f"{op.name}-{op.variant_test_name}".rstrip("-"))
def test_an_operation_with_other_numbers(op: OpInfo) -> None:
    function: Any = function_of(op.name)
    for dtype in sorted(op.dtypes, key=str):
        if str(dtype) not in ("torch.float32", "torch.int64", "torch.bool"):
            continue
        samples = op.sample_inputs("cpu", dtype, requires_grad=dtype.is_floating_point)
        for number, call in enumerate(calls(samples)):
            if number == MOST:
                break
            arguments, keywords = call.ours
            compiled = minigrad.compile(lambda *args, **kwargs: function(*args, **kwargs))
            for turn in (0, 1, 2):
                given = renewed(arguments, turn), renewed(keywords, turn)
                again = renewed(arguments, turn), renewed(keywords, turn)
                try:
                    found = outcome(compiled, *given)
                except Refused:
                    break
                if isinstance(found, Refused):
                    break
                assert_equal(found, outcome(function, *again))
