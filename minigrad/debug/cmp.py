"""`cmp`: compares a gradient worked out by hand with the engine's, and guesses why they differ.

`SHAPES` and `HYPOTHESES` list the possible mistakes. Each of them corrects the numbers in one way. `guess` tries them
all and returns the words of the first that makes the numbers right; `gradcheck.py` uses it too.
"""

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from minigrad.checks import shown
from minigrad.core.tensor import Tensor
from minigrad.core.value import Value

Index = tuple[int, ...]
Corrected = Iterator[tuple[np.ndarray, str]]


class Comparison(NamedTuple):
    """The result of `cmp`; it is true unless the grade is "wrong".

    `grade` is "exact", "rounding", "close" or "wrong". `maxdiff` is the largest difference, `ulps` is the same in units
    in the last place, `place` is the element where it occurs, and `note` explains it.
    """

    name: str
    grade: str
    maxdiff: float
    ulps: float
    place: Index | None
    note: str

    def __bool__(self) -> bool:
        return self.grade != "wrong"


ROUNDING = 16  # units in the last place
CLOSE = {"rtol": 1e-5, "atol": 1e-8}  # the tolerances of torch.allclose


def cmp(name: str, computed: Any, tensor: Any) -> Comparison:
    """Compare a gradient worked out by hand with `tensor.grad`, print how they agree, and return a `Comparison`.

    `computed` is a Tensor, an array or a number. `tensor` is a Tensor or a Value that has a gradient. The shapes must
    be equal; they are not broadcast. Another dtype is noted, but it is not an error; a Python number takes the dtype of
    the gradient. The grades are

    - exact: every number is equal. A NaN equals a NaN in the same place, and nothing else.
    - rounding: the largest difference is at most 16 units in the last place of the largest element of `tensor.grad`,
      in the coarser of the two dtypes. A sum in another order can differ as much.
    - close: `torch.allclose` accepts it: a relative difference of 1e-5 or an absolute difference of 1e-8.
    - wrong: anything else. The note says where the numbers differ most and, if a guess fits, what would correct them.

    TypeError if `tensor` is neither a Tensor nor a Value, RuntimeError if it has no gradient.

    >>> import minigrad
    >>> x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    >>> (x**2).sum().backward()
    >>> bool(cmp("x", 2 * x, x))
    x               | exact: True  | approximate: True  | maxdiff: 0.0
    True
    >>> cmp("x", x, x).grade
    x               | exact: False | approximate: False | maxdiff: 2.0 | wrong: at (1,) it is 2.0 instead of 4.0; ...
    'wrong'
    """
    expected = _gradient(tensor)
    try:
        mine = numbers_of(computed)
    except (ValueError, MemoryError) as error:
        raise TypeError(
            f"cmp: expected a Tensor, an array or a number as computed, got {shown(computed)}: {error}"
        ) from None
    if mine.dtype.kind not in "biuf":
        raise TypeError(f"cmp: expected numbers, got dtype {mine.dtype}")
    if type(computed) in (int, float):
        with np.errstate(over="ignore"):
            mine = mine.astype(expected.dtype)
    result = compared(name, mine, expected)
    exact, approximate = result.grade == "exact", mine.shape == expected.shape and bool(_close(mine, expected).all())
    note = "" if exact and not result.note else f" | {result.grade}: {result.note}"
    print(f"{name:15s} | exact: {exact!s:5s} | approximate: {approximate!s:5s} | maxdiff: {result.maxdiff}{note}")
    return result


def compared(name: str, mine: np.ndarray, expected: np.ndarray) -> Comparison:
    """Compare two arrays as `cmp` does, without printing."""
    coarser = max(mine.dtype, expected.dtype, key=precision_of)
    rounding = ROUNDING * precision_of(coarser)
    if mine.shape != expected.shape:
        note = f"the shape is {mine.shape} instead of {expected.shape}{guess(mine, expected, rounding)}"
        return Comparison(name, "wrong", math.nan, math.nan, None, note)
    difference = np.where(_equal(mine, expected), 0, np.abs(mine - expected))
    maxdiff = float(difference.max(initial=0))
    largest = np.abs(expected[np.isfinite(expected)]).max(initial=0).astype(coarser)
    ulps = maxdiff / float(np.spacing(largest))
    dtypes = "" if mine.dtype == expected.dtype else f", in {mine.dtype} instead of {expected.dtype}"
    if maxdiff == 0:
        return Comparison(name, "exact", maxdiff, ulps, None, dtypes.removeprefix(", "))
    worst = tuple(map(int, np.unravel_index(difference.argmax(), difference.shape)))
    if ulps <= ROUNDING:
        note = f"at most {ulps:.3g} units in the last place{dtypes}"
        return Comparison(name, "rounding", maxdiff, ulps, worst, note)
    where = f"at {worst} " if worst else ""
    note = f"{where}it is {mine[worst]} instead of {expected[worst]}{dtypes}"
    if _close(mine, expected).all():
        return Comparison(name, "close", maxdiff, ulps, worst, note)
    return Comparison(name, "wrong", maxdiff, ulps, worst, note + guess(mine, expected, rounding))


def _gradient(x: Any) -> np.ndarray:
    if isinstance(x, Value):
        return np.asarray(x.grad)
    if not isinstance(x, Tensor):
        raise TypeError(f"cmp: expected a Tensor or a Value with a gradient, got {type(x).__name__}")
    if x.node is None or x.node.grad is None:
        raise RuntimeError(
            "cmp: this Tensor has no gradient yet; call backward() first, and for a result that is not a leaf "
            ".retain_grad() before that"
        )
    return x.node.grad.array


def numbers_of(x: Any) -> np.ndarray:
    return x.array if isinstance(x, Tensor) else np.asarray(x.data if isinstance(x, Value) else x)


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a == b) | (np.isnan(a) & np.isnan(b))


def _close(mine: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.isclose(mine, expected, equal_nan=True, **CLOSE)


def precision_of(dtype: np.dtype[Any]) -> float:
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0


# Possible mistakes. Each function yields `mine` after a correction, with the words to print if it then is `expected`.

FIT = 1e-5  # corrected numbers count as equal up to this relative difference


def guess(mine: np.ndarray, expected: np.ndarray, rounding: float) -> str:
    """Return a cause of the difference that the numbers confirm, after a semicolon, or an empty text.

    The corrected numbers may differ by `FIT` times each number plus `rounding` times the largest number.
    """
    slack = rounding * np.abs(expected[np.isfinite(expected)]).max(initial=0)
    mine, expected = mine.astype(np.float64), expected.astype(np.float64)
    sizes = dict(enumerate(max(mine.shape, expected.shape, key=math.prod)))
    for shape in SHAPES:
        for shaped, condition in shape(mine, expected):
            for hypothesis in HYPOTHESES:
                for corrected, words in hypothesis(shaped, expected, sizes):
                    if corrected is not mine and np.isclose(corrected, expected, FIT, slack, equal_nan=True).all():
                        return f"; {condition}{words}"
    return ""


def _as_it_is(mine: np.ndarray, expected: np.ndarray) -> Corrected:
    if mine.shape == expected.shape:
        yield mine, ""


def _reshaped(mine: np.ndarray, expected: np.ndarray) -> Corrected:
    if mine.size == expected.size and mine.shape != expected.shape:
        dims = [[size for size in array.shape if size != 1] for array in (mine, expected)]
        how = "with keepdim=True where it is summed," if mine.ndim < expected.ndim else f"after .view{expected.shape}"
        if dims[0] == dims[1]:
            yield mine.reshape(expected.shape), f"{how} "


def _summed(mine: np.ndarray, expected: np.ndarray) -> Corrected:
    extra = mine.ndim - expected.ndim
    if extra >= 0 and all(n in (1, size) for n, size in zip(expected.shape, mine.shape[extra:], strict=True)):
        repeated = [dim + extra for dim, n in enumerate(expected.shape) if n != mine.shape[dim + extra]]
        dims = (*range(extra), *repeated)
        if dims:
            total = mine.sum(dims, keepdims=True).reshape(expected.shape)
            keepdim = ", keepdim=True" if repeated else ""
            shown = dims[0] if len(dims) == 1 else dims
            yield total, f"sum over what broadcasting repeated: after .sum({shown}{keepdim}) "


def _transposed(mine: np.ndarray, expected: np.ndarray) -> Corrected:
    for i, j in itertools.combinations(range(mine.ndim), 2):
        turned = mine.swapaxes(i, j)
        if turned.shape == expected.shape:
            yield turned, f"dims {i} and {j} are transposed: after .transpose({i}, {j}) "


def _nothing(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    yield mine, "the numbers agree"


def _zeros(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    if not mine.any():
        yield expected, "it is zero everywhere"
    if not expected.any():
        yield expected, "zero is right everywhere"


def _minus(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    yield -mine, "a minus is missing, or one too many"


def _factor(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    factor = float(_ratio(mine, expected, None).item())
    if np.isfinite(factor) and factor != 0 and abs(factor - 1) > FIT:
        words = _named(abs(factor), sizes)
        if words or np.count_nonzero(expected) > 1:  # a single number is always a multiple of another
            words = words or f"a factor of {_number(abs(factor))} is missing"
            yield factor * mine, words + (", and so is a minus" if factor < 0 else "")


def _number(factor: float) -> str:
    simple = Fraction(factor).limit_denominator(100)
    if simple == 1 or abs(factor - simple) > FIT * factor / 10:
        return f"{factor:.6g}"
    n = max(simple.numerator, simple.denominator)
    bessel = f", as Bessel's correction makes where n = {n}" if n - 1 in (simple.numerator, simple.denominator) else ""
    return f"{factor:.6g} ({simple}{bessel * (n > 3)})"


def _named(factor: float, sizes: dict[int, int]) -> str:
    """Explain a missing factor by the size of a dim, or as 2 or 1/2; an empty text if neither fits."""
    for dim, n in sizes.items():
        if n > 2:
            names = {
                1 / n: f"1/n is missing, a mean's, for n = {n}, the size of dim {dim}",
                1 / (n - 1): f"1/(n-1) is missing, a variance's, for n = {n}, the size of dim {dim}",
                float(n): f"a factor n is missing, or 1/n one too many, for n = {n}, the size of dim {dim}",
                float(n - 1): f"a factor n-1 is missing, or 1/(n-1) one too many, for n = {n}, the size of dim {dim}",
                n / (n - 1): f"1/n stands for 1/(n-1) (Bessel's correction), for n = {n}, the size of dim {dim}",
                (n - 1) / n: f"1/(n-1) (Bessel's correction) stands for 1/n, for n = {n}, the size of dim {dim}",
            }
            for value, words in names.items():
                if abs(factor / value - 1) < FIT and value not in (0.5, 1, 2):
                    return words
    return next(
        (f"a factor of {n} is missing" for n, x in {"2": 2, "1/2": 0.5}.items() if abs(factor / x - 1) < FIT), ""
    )


def _ratio(mine: np.ndarray, expected: np.ndarray, axes: Index | None) -> np.ndarray:
    """Return the factor that brings `mine` nearest to `expected`: one number for all elements along `axes`."""
    square = (mine * mine).sum(axes, keepdims=True)
    return (mine * expected).sum(axes, keepdims=True) / np.where(square == 0, 1, square)


def _one_slice(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    for dim, n in enumerate(mine.shape):
        used = np.flatnonzero(mine.any(tuple(i for i in range(mine.ndim) if i != dim)))
        if n > 1 and len(used) == 1:
            key: Any = (*[slice(None)] * dim, used)
            if _close(mine[key], expected[key]).all():
                yield expected, f"it is right at index {used[0]} of dim {dim}, and zero elsewhere"


def _few(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    right = _close(mine, expected)
    wrong = mine.size - np.count_nonzero(right)
    if np.count_nonzero(right & (expected != 0)) > mine.size / 2:
        yield np.where(right, mine, expected), f"it is right but for {wrong} of {mine.size} elements"


def _factor_along_a_dim(mine: np.ndarray, expected: np.ndarray, sizes: dict[int, int]) -> Corrected:
    for dim, n in enumerate(mine.shape):
        others = tuple(i for i in range(mine.ndim) if i != dim)
        if n > 1 and mine.size > n:
            factors = _ratio(mine, expected, others)
            words = f"a factor that varies along dim {dim} only, such as {factors.flat[0]:.6g}, is missing"
            yield factors * mine, words


SHAPES = (_as_it_is, _reshaped, _summed, _transposed)
HYPOTHESES = (_nothing, _zeros, _minus, _factor, _few, _one_slice, _factor_along_a_dim)
