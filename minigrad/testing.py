"""Comparison of results in tests (`torch.testing`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.api import missing
from minigrad.checks import shown
from minigrad.core.tensor import Tensor

__getattr__ = missing.of_module(__name__, "torch.testing")

# How far floating numbers may differ, relative to the expected number and in any case. Other numbers must be equal.
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raise an AssertionError unless |actual - expected| <= atol + rtol * |expected| (`torch.testing.assert_close`).

    Tensors, numpy arrays and numbers are compared, and sequences and mappings of them part by part. Shapes and, unless
    `check_dtype` is False, dtypes must be equal. `rtol` and `atol` are given together; by default they depend on the
    dtype. `msg` replaces the message. ValueError if only one of `rtol` and `atol` is given, TypeError for things that
    cannot be compared.
    """
    if (rtol is None) != (atol is None):
        given = f"rtol={shown(rtol)} and atol={shown(atol)}"
        raise ValueError(f"assert_close: rtol and atol must be given together, but got {given}; give both or none")
    try:
        _compare(actual, expected, "", (rtol, atol), equal_nan, check_dtype)
    except AssertionError as error:
        if msg is None:
            raise
        raise AssertionError(msg(str(error)) if callable(msg) else msg) from None


def _compare(actual: Any, expected: Any, place: str, tolerances: Any, equal_nan: bool, check_dtype: bool) -> None:
    """Compare two things, or their parts. `place` says in messages where a part stands."""
    if actual is None or expected is None:
        if actual is not expected:
            raise AssertionError(
                f"assert_close: only one of the two{place} is None: {shown(actual)}, {shown(expected)}"
            )
        return
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        if actual.keys() != expected.keys():
            differ = shown([*actual.keys() ^ expected.keys()])
            raise AssertionError(f"assert_close: the keys{place} do not match: only one of the two has {differ}")
        parts: list[Any] = [*expected]
    elif _is_sequence(actual) and _is_sequence(expected):
        if len(actual) != len(expected):
            raise AssertionError(f"assert_close: the lengths{place} do not match: {len(actual)} != {len(expected)}")
        parts = [*range(len(expected))]
    else:
        _compare_numbers(actual, expected, place, tolerances, equal_nan, check_dtype)
        return
    for part in parts:
        where = f"{place}[{part!r}]" if place else f" at [{part!r}]"
        _compare(actual[part], expected[part], where, tolerances, equal_nan, check_dtype)


def _is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str | bytes)


def _compare_numbers(
    actual: Any, expected: Any, place: str, tolerances: Any, equal_nan: bool, check_dtype: bool
) -> None:
    kinds: Any
    for kinds in (Tensor, np.ndarray, bool | int | float | np.number | np.bool_):
        if isinstance(actual, kinds) and isinstance(expected, kinds):
            break
    else:
        raise TypeError(
            f"assert_close: cannot compare {type(actual).__name__} with {type(expected).__name__}{place}; "
            "give two Tensors, arrays or numbers, or sequences or mappings of them"
        )
    a, b = (x.array if isinstance(x, Tensor) else np.asarray(x) for x in (actual, expected))
    if a.shape != b.shape:
        raise AssertionError(f"assert_close: the shapes{place} do not match: {a.shape} != {b.shape}")
    if check_dtype and a.dtype != b.dtype:
        raise AssertionError(f"assert_close: the dtypes{place} do not match: {a.dtype} != {b.dtype}")
    rtol, atol = tolerances
    if rtol is None:
        rtol, atol = np.max([TOLERANCES.get(x.dtype.name, (0.0, 0.0)) for x in (a, b)], axis=0)
    if rtol == atol == 0 and a.dtype.kind != "f" and b.dtype.kind != "f":
        close = a == b  # exact, also for ints beyond float64
    else:
        close = np.isclose(a.astype(np.float64), b.astype(np.float64), rtol, atol, equal_nan)
    if not close.all():
        index = tuple([int(i) for i in np.argwhere(~close)[0]])
        told = f"{a[index]} instead of {b[index]} at {index}" if index else f"{a} instead of {b}"
        raise AssertionError(
            f"assert_close: Tensors{place} are not close: {np.sum(~close)} of {close.size} elements differ, first "
            f"{told}, by more than {atol:g} + {rtol:g} * |expected|"
        )
