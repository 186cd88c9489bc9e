"""Every text is compared, character for character, with PyTorch's own `repr`."""

import copy
import pickle
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minigrad
from minigrad.api import printing

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
random = np.random.default_rng(0)


def float32(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def torch_text(array: np.ndarray) -> str:
    return repr(torch.from_numpy(array.copy()))


def set_both(**options: Any) -> None:
    printing.set_printoptions(**options)
    torch.set_printoptions(**options)  # type: ignore[no-untyped-call]


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    yield
    set_both(profile="default")


CASES = {
    "scalar whole": np.array(3.0, np.float32),
    "scalar fixed": np.array(-1.5, np.float32),
    "scalar scientific": np.array(1e-7, np.float32),
    "scalar zero": np.array(-0.0, np.float32),
    "scalar nan": np.array(np.nan, np.float32),
    "scalar int": np.array(7),
    "scalar bool": np.array(True),
    "scalar float64": np.array(2.0),
    "whole": float32(1, -2, 300),
    "fixed": float32(1.5, -22.25, 0.1),
    "ratio of exactly 1000": float32(1, 1000),
    "ratio above 1000": float32(1, 1001),
    "fixed ratio of exactly 1000": float32(0.5, 500),
    "fixed ratio above 1000": float32(0.5, 500.5),
    "largest of 1e8": float32(1e8),
    "largest above 1e8": float32(1.00000008e8),
    "smallest 1e-4 in float32 lies below 1e-4": float32(1e-4),
    "smallest 1e-4 in float64": np.array([1e-4]),
    "ratio overflows float64": np.array([1e-300, 1e300]),
    "subnormal": float32(1e-45),
    "zeros": np.zeros(100, np.float32),
    "negative zeros": float32(-0.0, 0.0, 1),
    "negative zero and fixed": float32(-0.0, 0.5),
    "zero in scientific": float32(0, 1e-9),
    "only inf and nan": float32(np.inf, -np.inf, np.nan),
    "inf among whole": float32(np.inf, 1, -np.inf, np.nan),
    "inf among fixed": float32(np.inf, 1.5, -np.inf, np.nan),
    "inf among scientific": float32(np.inf, 1e-9, -np.inf, np.nan),
    "many nans": np.full(60, np.nan, np.float32),
    "rounds up": float32(0.99999, 9.99999),
    "bools": np.array([True, False, True]),
    "all true": np.array([True, True]),
    "many bools": np.arange(60).reshape(3, 20) % 3 == 0,
    "ints": np.array([1, -20, 300]),
    "extreme ints": np.array([2**63 - 1, -(2**63)]),
    "empty": np.zeros(0, np.float32),
    "empty int64": np.zeros(0, np.int64),
    "empty bool": np.zeros(0, np.bool_),
    "empty float64": np.zeros(0),
    "empty rows": np.zeros((0, 3), np.float32),
    "empty columns": np.zeros((3, 0), np.int64),
    "empty block": np.zeros((2, 0, 3)),
    "one long line": np.arange(30, dtype=np.float32),
    "exactly fills a line": np.full(9, 1.25, np.float32),
    "matrix of wrapped rows": random.standard_normal((3, 25)).astype(np.float32),
    "three dimensions": random.standard_normal((2, 3, 4)).astype(np.float32),
    "four dimensions": random.standard_normal((2, 2, 2, 2)).astype(np.float32),
    "five dimensions": np.arange(32).reshape(2, 2, 2, 2, 2),
    "row": random.standard_normal((1, 40)),
    "column": random.standard_normal((40, 1)),
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "of 1000": np.arange(1000),
    "of 1001": np.arange(1001),
    "of 1001 floats": random.standard_normal(1001).astype(np.float32),
    "outlier hidden by the dots": np.where(np.arange(2000) == 1000, 1e20, 1.0).astype(np.float32),
    "summarized row": random.standard_normal((1, 2000)),
    "summarized column": random.standard_normal((2000, 1)),
    "summarized short axis": random.standard_normal((6, 7, 50)).astype(np.float32),
    "summarized three dimensions": random.standard_normal((20, 20, 20)).astype(np.float32),
    "summarized four dimensions": np.arange(10 * 2 * 8 * 9).reshape(10, 2, 8, 9),
    "summarized wide ints": random.integers(-(2**62), 2**62, (1, 1500)),
    "float64": random.standard_normal((2, 3)),
    "dtype wraps": np.full((2, 8), 0.5),
} | {f"dtype {name}": np.ones((2, 2), name) for name in DTYPES}

OPTIONS: list[dict[str, Any]] = [
    {"profile": "short"},
    {"profile": "full"},
    {"precision": 2},
    {"precision": 0},
    {"precision": 8, "linewidth": 40},
    {"threshold": 5},
    {"threshold": 0, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 0},
    {"edgeitems": 0},
    {"linewidth": 1},
    {"linewidth": 200},
    {"sci_mode": True},
    {"sci_mode": False},
    {"profile": "short", "precision": 6, "sci_mode": True},
]


@pytest.mark.parametrize("name", CASES)
def test_prints_as_pytorch(name: str) -> None:
    assert printing.format_tensor(CASES[name]) == torch_text(CASES[name])


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options_print_as_pytorch(options: dict[str, Any]) -> None:
    set_both(**options)
    for array in CASES.values():
        assert printing.format_tensor(array) == torch_text(array)


def test_options_stay_until_changed_but_sci_mode_returns_to_automatic() -> None:
    array = float32(1.23456, 2)
    steps: list[dict[str, Any]] = [{"sci_mode": True, "precision": 3}, {"linewidth": 10}, {"profile": "full"}]
    for options in steps:
        set_both(**options)
        assert printing.format_tensor(array) == torch_text(array)


def test_a_known_text() -> None:
    array = np.array([[1.0, 2.5], [-3.0, np.inf]])
    expected = "tensor([[ 1.0000,  2.5000],\n        [-3.0000,     inf]], dtype=torch.float64, requires_grad=True)"
    assert printing.format_tensor(array, ["requires_grad=True"]) == expected


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_gradient_suffixes_wrap_as_pytorch(dtype: torch.dtype, rows: int) -> None:
    shapes = [(length,) if rows == 0 else (rows, length) for length in range(30)]
    for shape in shapes:
        leaf = torch.full(shape, 0.5, dtype=dtype, requires_grad=True)
        assert printing.format_tensor(leaf.detach().numpy(), ["requires_grad=True"]) == repr(leaf)
        for result in (leaf * 3, leaf.relu(), leaf.sum(), -leaf, leaf.reshape(-1)):
            suffix = f"grad_fn=<{type(result.grad_fn).__name__}>"
            assert printing.format_tensor(result.detach().numpy(), [suffix]) == repr(result)


def test_suffix_wraps_at_the_same_column() -> None:
    for digits in range(1, 19):
        for count in range(1, 12):
            ints = torch.full((count,), 10**digits // 2)
            leaf = torch.full((count,), float(10 ** min(digits, 8)), requires_grad=True)
            assert printing.format_tensor(ints.numpy()) == repr(ints)
            assert printing.format_tensor(leaf.detach().numpy(), ["requires_grad=True"]) == repr(leaf)


def test_several_notes_wrap_at_every_linewidth() -> None:
    leaf = torch.full((3, 2), 0.5, dtype=torch.float64, requires_grad=True)
    result = torch.zeros((0, 3), dtype=torch.float64, requires_grad=True) * 2
    for linewidth in range(1, 100):
        set_both(linewidth=linewidth)
        assert printing.format_tensor(leaf.detach().numpy(), ["requires_grad=True"]) == repr(leaf)
        assert printing.format_tensor(result.detach().numpy(), ["grad_fn=<MulBackward0>"]) == repr(result)


@pytest.mark.parametrize(("function", "options"), {"sort": {}, "aminmax": {"dim": 0}, "histogram": {"bins": 2}}.items())
def test_results_with_names_are_made_printed_and_pickled_as_in_pytorch(function: str, options: dict[str, Any]) -> None:
    mine, reference = (getattr(library.tensor([2.0, 3.0, 1.0]), function)(**options) for library in (minigrad, torch))
    assert isinstance(mine, tuple)
    assert type(mine).__name__ == type(reference).__name__
    for again in (mine, pickle.loads(pickle.dumps(mine)), copy.deepcopy(mine), type(mine)([*mine])):
        assert type(again) is type(mine)
        assert repr(again) == repr(reference)
    for elements in ([1], [1, 2, 3]):
        for kind in (type(mine), type(reference)):
            with pytest.raises(TypeError, match=str(len(elements))):
                kind(elements)


def test_default_dtype_is_not_shown() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        for array in CASES.values():
            assert printing.format_tensor(array, default_dtype=np.float64) == torch_text(array)
    finally:
        torch.set_default_dtype(torch.float32)


def test_only_shown_elements_are_touched() -> None:
    huge = np.broadcast_to(np.float32(1.5), (10**5, 10**4, 10**5))
    started = time.perf_counter()
    assert printing.format_tensor(huge).count("1.5000") == 6**3
    assert time.perf_counter() - started < 1


shapes = st.one_of(
    st.sampled_from([(), (0,), (0, 3), (2, 0), (7,), (1, 7), (7, 1), (10, 100), (7, 11, 13), (8, 5, 5, 5)]),
    st.tuples(st.integers(0, 60)),
    st.tuples(st.integers(995, 1005)),
    st.tuples(st.just(1), st.integers(1, 1005)),
    st.tuples(st.integers(1, 1005), st.just(1)),
    st.lists(st.integers(1, 12), min_size=2, max_size=4).map(tuple),
)
floats = st.one_of(
    st.floats(-10, 10, width=32),
    st.floats(width=32, min_value=-(2.0**100), max_value=2.0**100),
    st.integers(-3000, 3000).map(float),
    st.integers(-30, 30).map(lambda exponent: 10.0**exponent),
    st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, 1000.0, 1e8, 1e-4, 0.99995, 1.00005]),
)
whole_numbers = st.integers(-300, 300).map(float)
values = st.one_of(st.lists(floats, min_size=1, max_size=8), st.lists(whole_numbers, min_size=1, max_size=8))


@settings(max_examples=200, deadline=None)
@given(shape=shapes, dtype=st.sampled_from(DTYPES), values=values, seed=st.integers(0, 9), scale=st.integers(-30, 30))
@example(shape=(1, 1000), dtype="float64", values=[0.0, np.nan], seed=0, scale=0)
def test_any_tensor_prints_as_pytorch(
    shape: tuple[int, ...], dtype: str, values: list[float], seed: int, scale: int
) -> None:
    generator = np.random.default_rng(seed)
    drawn = generator.choice(np.array(values), size=shape)
    if seed > 5:
        drawn = drawn * generator.standard_normal(shape) * 10.0**scale
    with np.errstate(all="ignore"):
        array = np.asarray(drawn).astype(dtype)
    assert printing.format_tensor(array) == torch_text(array)
