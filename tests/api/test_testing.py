"""testing.assert_close: it passes and refuses what PyTorch's passes and refuses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad
import minigrad.testing

# Two things, and perhaps settings. None, or the kind of error, comes from PyTorch.
CASES = """
    T([1.0, 2.0]), T([1.0, 2.0])
    T([1.0, 2.0]), T([1.0, 2.1])
    T([1.0, 2.0]), T([1.0, 2.000001])
    T([1.0, 2.0]), T([1.0, 2.1]), rtol=0.1, atol=0
    T([1.0, 2.0]), T([1.0, 2.1]), rtol=0.1
    T([1.0, 2.0]), T([1.0, 2.1]), atol=0.1
    T([1.0, 2.0]), T([1.0, 2.1]), rtol=0, atol=0.2
    T([1.0]), T([1.0]).double()
    T([1.0]), T([1.0]).double(), check_dtype=False
    T([1.0]), T([1]), check_dtype=False
    T([1.5]), T([1]), check_dtype=False
    T([1.0]), T([1.0, 1.0])
    T([[1.0]]), T([1.0])
    T([float("nan")]), T([float("nan")])
    T([float("nan")]), T([float("nan")]), equal_nan=True
    T([float("inf")]), T([float("inf")])
    T([float("inf")]), T([-float("inf")])
    T([1]), T([2])
    T([1]), T([2]), rtol=0, atol=1
    T([2**62]), T([2**62 + 1])
    T([True]), T([True])
    T([True]), T([False])
    T([]), T([])
    T(1.0), T(1.0)
    T(1.0), 1.0
    T([1.0]), [1.0]
    1.0, 1.0
    1.0, 1
    1, 1
    1, 2
    1.0, 1.0 + 1e-8
    1.0, 1.0 + 1e-6
    True, True
    "a", "a"
    None, None
    None, 1
    [1.0], None
    [1.0, T(2.0)], [1.0, T(2.0)]
    [1.0, T(2.0)], (1.0, T(2.0))
    [1.0, T(2.0)], [1.0, T(3.0)]
    [1, 2], [1]
    [], []
    {"a": T(1.0), "b": [2]}, {"b": [2], "a": T(1.0)}
    {"a": T(1.0)}, {"a": T(2.0)}
    {"a": 1}, {"b": 1}
    {"a": 1}, [1]
    np.ones(2), np.ones(2)
    np.ones(2), np.zeros(2)
    T([1.0], requires_grad=True), T([1.0])
    T([1.0]).to(torch.float16), T([1.001]).to(torch.float16)
    T([1.0]), T([2.0]), msg="told"
    T([1.0]), T([2.0]), msg=lambda text: "told"
    1.0, 1.0, check_device=False, check_layout=False, check_stride=False, allow_subclasses=True
"""


def refusal(library: Any, call: str) -> Exception | None:
    """The error of a call, or None."""
    names: dict[str, Any] = {"T": library.tensor, "check": library.testing.assert_close, "np": np}
    names["torch"] = library
    try:
        assert eval(f"check({call})", names) is None
    except (AssertionError, TypeError, ValueError) as error:
        return error
    return None


@pytest.mark.parametrize("case", CASES.strip().splitlines(), ids=str.strip)
def test_it_refuses_what_pytorch_refuses(case: str) -> None:
    mine, reference = refusal(minigrad, case.strip()), refusal(torch, case.strip())
    assert type(mine) is type(reference), mine or reference
    if "msg" in case:
        assert str(mine) == "told"
    elif mine:
        assert str(mine).startswith("assert_close: ")


@given(
    x=st.floats(-1e6, 1e6, width=32),
    difference=st.floats(-1e-4, 1e-4),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_the_tolerance_is_pytorchs(x: float, difference: float, dtype: str) -> None:
    def check(library: Any) -> Callable[[], None]:
        first = library.tensor([x, 0.0], dtype=getattr(library, dtype))
        return lambda: library.testing.assert_close(first + difference, first)

    outcomes = []
    for library in (minigrad, torch):
        try:
            check(library)()
            outcomes.append("close")
        except AssertionError:
            outcomes.append("apart")
    assert outcomes[0] == outcomes[1]


def test_the_message_says_where_and_by_how_much() -> None:
    actual, expected = ({"w": [minigrad.tensor(rows)]} for rows in ([[1.0, 2.0], [3, 4]], [[1.0, 2.0], [3.5, 5]]))
    with pytest.raises(AssertionError) as caught:
        minigrad.testing.assert_close(actual, expected)
    assert str(caught.value) == (
        "assert_close: Tensors at ['w'][0] are not close: 2 of 4 elements differ, first 3.0 instead of 3.5 at (1, 0), "
        "by more than 1e-05 + 1.3e-06 * |expected|"
    )
