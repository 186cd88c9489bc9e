"""Functions of two operands, number by number: arithmetic, remainders, angles. The operands broadcast.

The operators `+ - * / **` of Tensor apply the same primitives; `%` and `//` stand here.
"""

from typing import Any

import numpy as np

from minigrad.api.arguments import Number, Operand, array_of, check_dtypes, check_floating, tensors_of
from minigrad.api.choices import where
from minigrad.api.grad_fn import labelled, relabelled
from minigrad.api.half import in_float32
from minigrad.api.inplace import method_and_in_place
from minigrad.api.pointwise import trunc
from minigrad.api.refusals import named_refusals
from minigrad.checks import shown
from minigrad.core import ops
from minigrad.core.dtypes import result_dtype
from minigrad.core.methods import methods
from minigrad.core.promotion import check_operand, python_number
from minigrad.core.tensor import Tensor, wrap


@method_and_in_place
@named_refusals
def add(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """Return the sum of two operands; `other` is multiplied by `alpha` first (`torch.add`).

    >>> import minigrad
    >>> minigrad.add(minigrad.tensor([1, 2]), 10)
    tensor([11, 12])
    """
    return ops.add.on_tensors(input, _scaled("add", input, other, alpha))


@method_and_in_place
@named_refusals
def sub(input: Operand, other: Operand, *, alpha: Number = 1) -> Tensor:
    """Return the difference of two operands; `other` is multiplied by `alpha` first (`torch.sub`).

    >>> import minigrad
    >>> minigrad.sub(minigrad.tensor([1, 2]), 10)
    tensor([-9, -8])
    """
    return ops.sub.on_tensors(input, _scaled("sub", input, other, alpha))


@method_and_in_place
def mul(input: Operand, other: Operand) -> Tensor:
    """Return the elementwise product of two operands (`torch.mul`).

    >>> import minigrad
    >>> minigrad.mul(minigrad.tensor([1, 2]), 10)
    tensor([10, 20])
    """
    return ops.mul.on_tensors(input, other)


@method_and_in_place
def div(input: Operand, other: Operand, *, rounding_mode: str | None = None) -> Tensor:
    """Return the quotient of two operands; integers give a floating result (`torch.div`).

    `rounding_mode` "floor" or "trunc" rounds it down or towards 0; integers then stay integers. Raises a RuntimeError
    for another mode.

    >>> import minigrad
    >>> minigrad.div(minigrad.tensor([1, 2]), 4)
    tensor([0.2500, 0.5000])
    """
    if rounding_mode is None:
        return ops.div.on_tensors(input, other)
    if rounding_mode not in ("floor", "trunc"):
        raise RuntimeError(f"div: rounding_mode must be None, 'floor' or 'trunc', got {shown(rounding_mode)}")
    if rounding_mode == "floor":
        return relabelled(floor_divide(input, other), "div")
    quotient = ops.div.on_tensors(input, other)
    if _common_dtype(input, other).kind == "f":
        return relabelled(trunc(quotient), "div")
    return floor_divide(input - fmod(input, other), other)


@method_and_in_place
def pow(input: Operand, exponent: Operand) -> Tensor:
    """Return `input` to the power of `exponent` (`torch.pow`).

    >>> import minigrad
    >>> minigrad.pow(minigrad.tensor([1, 2, 3]), 2)
    tensor([1, 4, 9])
    """
    return ops.pow.on_tensors(input, exponent)


@method_and_in_place
def floor_divide(input: Operand, other: Operand) -> Tensor:
    """Return the quotient of two operands, rounded down, as `input // other` does (`torch.floor_divide`).

    Its gradients are 0. Raises a RuntimeError if integers are divided by 0.

    >>> import minigrad
    >>> minigrad.tensor([7, -7]) // 2
    tensor([ 3, -4])
    """
    _check_divisor("floor_divide", input, other)
    return ops.floor_divide.on_tensors(input, other)


@method_and_in_place
def fmod(input: Tensor, other: Operand) -> Tensor:
    """Return the rest of a division that is rounded towards 0, with the sign of `input` (`torch.fmod`).

    Raises a RuntimeError if integers are divided by 0.

    >>> import minigrad
    >>> minigrad.tensor([7, -7]).fmod(4)
    tensor([ 3, -3])
    """
    array_of("fmod", input)
    _check_divisor("fmod", input, other)
    return ops.fmod.on_tensors(input, other)


@method_and_in_place
@labelled
def remainder(input: Operand, other: Operand) -> Tensor:
    """Return the rest of a division that is rounded down, with the sign of `other`, as `%` does (`torch.remainder`).

    Raises a RuntimeError if integers are divided by 0.

    >>> import minigrad
    >>> minigrad.tensor([7, -7]) % 4
    tensor([3, 1])
    """
    _check_divisor("remainder", input, other)
    rest = ops.fmod.on_tensors(input, other)
    return where((rest != 0) & ((rest < 0) != (other < 0)), rest + other, rest)


def _check_divisor(name: str, input: Operand, other: Operand) -> None:
    """Raise a RuntimeError for bools, and for integers that are divided by 0."""
    for x in (input, other):
        check_operand(name, x)
    kind = _common_dtype(input, other).kind
    if kind == "b" or (kind != "f" and not np.all(getattr(other, "array", other))):
        raise RuntimeError(f"{name}: " + ("not for bools" if kind == "b" else "integers cannot be divided by 0"))


@method_and_in_place
def atan2(input: Tensor, other: Tensor) -> Tensor:
    """Return the angle of the points (other, input) in radians, from -pi to pi (`torch.atan2`).

    >>> import minigrad
    >>> minigrad.tensor([1.0, 0.0]).atan2(minigrad.tensor([1.0, -1.0]))
    tensor([0.7854, 3.1416])
    """
    return ops.atan2.on_tensors(*tensors_of("atan2", (input, other)))


@method_and_in_place
@labelled
def lerp(input: Tensor, end: Tensor, weight: Operand) -> Tensor:
    """Return input + weight * (end - input): `input` for weight 0, `end` for weight 1 (`torch.lerp`).

    >>> import minigrad
    >>> minigrad.tensor([0.0, 10.0]).lerp(minigrad.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    check_floating("lerp", input)
    check_dtypes("lerp", input, end, weight if isinstance(weight, Tensor) and weight.ndim else None)
    near, far = input + weight * (end - input), end - (end - input) * (1 - weight)
    weights = weight if isinstance(weight, Tensor) else wrap(np.asanyarray(weight))
    return where(weights.abs() < 0.5, near, far)


@method_and_in_place
@labelled
@in_float32
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """Return input + value * tensor1 * tensor2 (`torch.addcmul`)."""
    tensors_of("addcmul", (input, tensor1, tensor2))
    return input + (tensor1 * tensor2 if value == 1 else value * tensor1 * tensor2)


@method_and_in_place
@labelled
@in_float32
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
    """Return input + value * tensor1 / tensor2 (`torch.addcdiv`)."""
    tensors_of("addcdiv", (input, tensor1, tensor2))
    return input + (tensor1 / tensor2 if value == 1 else value * tensor1 / tensor2)


@methods
class Divisions(Tensor):
    """The operators `//` and `%`, with Tensors, arrays and numbers."""

    __slots__ = ()

    def __floordiv__(self, other: Any) -> Any:
        return floor_divide(self, other) if isinstance(other, self.partners) else NotImplemented

    def __rfloordiv__(self, other: Any) -> Any:
        return floor_divide(other, self) if isinstance(other, self.partners) else NotImplemented

    def __mod__(self, other: Any) -> Any:
        return remainder(self, other) if isinstance(other, self.partners) else NotImplemented

    def __rmod__(self, other: Any) -> Any:
        return remainder(other, self) if isinstance(other, self.partners) else NotImplemented

    def __ifloordiv__(self, other: Any) -> Any:
        return self.floor_divide_(other)

    def __imod__(self, other: Any) -> Any:
        return self.remainder_(other)


def _scaled(name: str, input: Operand, other: Operand, alpha: Any) -> Operand:
    """Return `alpha` times `other`. Raises a RuntimeError for an `alpha` of a higher kind than the operands."""
    if type(alpha) is int and alpha == 1:  # the most frequent case, for speed
        return other
    for x in (input, other, alpha):
        check_operand(name, x)
    alpha = alpha.item() if isinstance(alpha, Tensor) else python_number(alpha)
    kind = _common_dtype(input, other).kind
    if (isinstance(alpha, float) and kind != "f") or (isinstance(alpha, bool) and kind != "b"):
        raise RuntimeError(f"{name}: alpha={alpha} does not fit operands of kind {kind!r}; give an int")
    if kind in "iu":  # where a negative number wraps around in an unsigned dtype
        alpha = wrap(np.asanyarray(alpha).astype(_common_dtype(input, other)))
    return other * alpha


def _common_dtype(*operands: Operand) -> np.dtype[Any]:
    return result_dtype(getattr(x, "array", python_number(x)) for x in operands)
