"""Comparisons and logic: truth values of elements. The operands broadcast, and the results have no gradient."""

import builtins
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import Operand, array_of, tensors_of
from minigrad.api.inplace import method_and_in_place
from minigrad.api.refusals import named_refusals
from minigrad.checks import flag_of, number_of
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import method, methods
from minigrad.core.promotion import check_operand, python_number, translated
from minigrad.core.tensor import Tensor, wrap

# Comparisons


def _comparison(compare: np.ufunc) -> Callable[[Tensor, Any], Any]:
    name = compare.__name__

    def method(self: Tensor, other: Any) -> Any:
        if not isinstance(other, self.partners):
            return NotImplemented
        array = other.array if isinstance(other, Tensor) else other
        if array is other and type(other) not in (int, float):
            check_operand(name, other)
        try:
            return wrap(np.asanyarray(compare(self.array, array)))
        except (ValueError, OverflowError, MemoryError) as error:
            raise translated(name, [self.array, array], error) from None

    return method


@methods
class Comparisons(Tensor):
    """The operators `== != < <= > >=`, with Tensors, arrays and numbers."""

    __slots__ = ()

    __eq__ = _comparison(np.equal)
    __ne__ = _comparison(np.not_equal)
    __lt__, __le__ = _comparison(np.less), _comparison(np.less_equal)
    __gt__, __ge__ = _comparison(np.greater), _comparison(np.greater_equal)
    __hash__ = object.__hash__


@method_and_in_place
def eq(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements are equal, as `input == other` does (`torch.eq`)."""
    return _compared("eq", input, other) == other


@method_and_in_place
def ne(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements differ, as `input != other` does (`torch.ne`)."""
    return _compared("ne", input, other) != other


@method_and_in_place
def lt(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements are less than those of `other`, as `input < other` does (`torch.lt`)."""
    return _compared("lt", input, other) < other


@method_and_in_place
def le(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements are at most those of `other`, as `input <= other` does (`torch.le`)."""
    return _compared("le", input, other) <= other


@method_and_in_place
def gt(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements are greater than those of `other`, as `input > other` does (`torch.gt`)."""
    return _compared("gt", input, other) > other


@method_and_in_place
def ge(input: Tensor, other: Operand) -> Tensor:
    """Return whether the elements are at least those of `other`, as `input >= other` does (`torch.ge`)."""
    return _compared("ge", input, other) >= other


def _compared(name: str, input: Tensor, other: Operand) -> Tensor:
    """Check the operands of a comparison, and return the first."""
    array_of(name, input)
    check_operand(name, other)
    return input


@method
def equal(input: Tensor, other: Tensor) -> builtins.bool:
    """Return whether two tensors have one shape and equal elements (`torch.equal`).

    >>> import minigrad
    >>> minigrad.equal(minigrad.tensor([1, 2]), minigrad.tensor([1, 2]))
    True
    """
    tensors_of("equal", (input, other))
    return np.array_equal(input.array, other.array)


@method
@named_refusals
def isclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> Tensor:
    """Return for each two elements whether |input - other| <= atol + rtol * |other| (`torch.isclose`).

    Raises a RuntimeError if the dtypes differ, if the shapes do not broadcast, or if a tolerance is negative or
    infinite.
    """
    return wrap(_are_close("isclose", input, other, rtol, atol, equal_nan))


@method
@named_refusals
def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Return whether |input - other| <= atol + rtol * |other| everywhere (`torch.allclose`).

    The errors are those of `isclose`.

    >>> import minigrad
    >>> minigrad.allclose(minigrad.tensor([0.1 + 0.2]), minigrad.tensor([0.3]))
    True
    """
    return builtins.bool(_are_close("allclose", input, other, rtol, atol, equal_nan).all())


def _are_close(name: str, input: Tensor, other: Tensor, rtol: float, atol: float, equal_nan: Any) -> np.ndarray:
    """Return which elements are close, as an array of bools."""
    a, b = array_of(name, input), array_of(name, other)
    if a.dtype != b.dtype:
        raise RuntimeError(f"{name}: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    flag_of(name, "equal_nan", equal_nan)
    rtol, atol = number_of(name, "rtol", rtol), number_of(name, "atol", atol)
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise RuntimeError(f"{name}: rtol and atol must be finite and not negative, got {rtol} and {atol}")
    try:
        return np.asanyarray(np.isclose(a, b, rtol, atol, equal_nan))
    except ValueError:
        raise RuntimeError(f"{name}: {a.shape} and {b.shape} do not broadcast") from None


# Logic


@method_and_in_place
def logical_not(input: Tensor) -> Tensor:
    """Return whether each element is 0 (`torch.logical_not`)."""
    return wrap(np.asanyarray(np.logical_not(array_of("logical_not", input))))


@method_and_in_place
def logical_and(input: Tensor, other: Tensor) -> Tensor:
    """Return whether both elements are nonzero (`torch.logical_and`)."""
    return _combined("logical_and", np.logical_and, *tensors_of("logical_and", (input, other)))


@method_and_in_place
def logical_or(input: Tensor, other: Tensor) -> Tensor:
    """Return whether one of two elements is nonzero, or both (`torch.logical_or`)."""
    return _combined("logical_or", np.logical_or, *tensors_of("logical_or", (input, other)))


@method_and_in_place
def logical_xor(input: Tensor, other: Tensor) -> Tensor:
    """Return whether exactly one of two elements is nonzero (`torch.logical_xor`)."""
    return _combined("logical_xor", np.logical_xor, *tensors_of("logical_xor", (input, other)))


@method_and_in_place
def bitwise_not(input: Tensor) -> Tensor:
    """Return integers with all bits inverted, or bools inverted, as `~input` does (`torch.bitwise_not`)."""
    if array_of("bitwise_not", input).dtype.kind == "f":
        raise NotImplementedError(f"bitwise_not: is for bools and integers, not {input.array.dtype}; compare first")
    return wrap(np.asanyarray(np.invert(input.array)))


@method_and_in_place
@named_refusals
def bitwise_and(input: Operand, other: Operand) -> Tensor:
    """Return the bits that both integers have, or whether both bools are true: `input & other` (`torch.bitwise_and`).

    Raises a NotImplementedError for floating numbers.
    """
    return _combined("bitwise_and", np.bitwise_and, input, other)


@method_and_in_place
@named_refusals
def bitwise_or(input: Operand, other: Operand) -> Tensor:
    """Return the bits that either integer has, or whether one bool is true: `input | other` (`torch.bitwise_or`).

    Raises a NotImplementedError for floating numbers.
    """
    return _combined("bitwise_or", np.bitwise_or, input, other)


@method_and_in_place
@named_refusals
def bitwise_xor(input: Operand, other: Operand) -> Tensor:
    """Return the bits in which integers differ, or whether bools differ: `input ^ other` (`torch.bitwise_xor`).

    Raises a NotImplementedError for floating numbers.
    """
    return _combined("bitwise_xor", np.bitwise_xor, input, other)


def _combined(name: str, function: np.ufunc, *operands: Any) -> Tensor:
    """Apply a function of two arrays, which have their common dtype if the function combines bits."""
    for x in operands:
        check_operand(name, x)
    if not any(isinstance(x, Tensor) for x in operands):
        raise TypeError(f"{name}: expected a Tensor among the operands; make one with tensor(...)")
    arrays = [getattr(x, "array", python_number(x)) for x in operands]
    if name.startswith("bitwise"):
        dtype = result_dtype(arrays)
        if dtype.kind == "f":
            raise NotImplementedError(f"{name}: is for bools and integers, not {dtype}; compare first, as in x > 0")
        arrays = [x.astype(dtype) if isinstance(x, np.ndarray) else np.asanyarray(x, dtype) for x in arrays]
    try:
        return wrap(np.asanyarray(function(*arrays)))
    except ValueError as error:
        raise translated(name, arrays, error) from None


@methods
class Logic(Tensor):
    """The operators `& | ^ ~`, with Tensors, arrays and numbers."""

    __slots__ = ()

    def __and__(self, other: Any) -> Any:
        return bitwise_and(self, other) if isinstance(other, self.partners) else NotImplemented

    def __or__(self, other: Any) -> Any:
        return bitwise_or(self, other) if isinstance(other, self.partners) else NotImplemented

    def __xor__(self, other: Any) -> Any:
        return bitwise_xor(self, other) if isinstance(other, self.partners) else NotImplemented

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __invert__(self) -> Tensor:
        if self.array.dtype.kind == "f":
            raise TypeError(f"~: is for bools and integers, not {self.array.dtype}; compare first, as in x > 0")
        return bitwise_not(self)

    def __iand__(self, other: Any) -> Any:
        return self.bitwise_and_(other)

    def __ior__(self, other: Any) -> Any:
        return self.bitwise_or_(other)

    def __ixor__(self, other: Any) -> Any:
        return self.bitwise_xor_(other)
