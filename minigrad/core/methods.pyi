"""The methods of Tensor that come from `gradients.py` and `api/`.

Written by `python -m tests.support.stubs`."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from minigrad.api.arguments import Dims, DType, Number, Operand
from minigrad.api.device import Device
from minigrad.api.methods import Size
from minigrad.api.storage import Storage
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor
from minigrad.hooks import Hook, RemovableHandle
from minigrad.random import Generator

Function = TypeVar("Function", bound=Callable[..., Any])
Extension = TypeVar("Extension", bound=type)

def method(function: Function) -> Function: ...
def methods(extension: Extension) -> Extension: ...

class Methods:
    __slots__ = ()
    def register_hook(self, hook: Hook) -> RemovableHandle:
        """Call `hook` with the gradient of this Tensor in every backward pass (`torch.Tensor.register_hook`)."""

    def __iadd__(self, other: Any) -> Self: ...
    def __isub__(self, other: Any) -> Self: ...
    def __imul__(self, other: Any) -> Self: ...
    def __itruediv__(self, other: Any) -> Self: ...
    def __ipow__(self, other: Any) -> Self: ...
    def copy_(self, other: Tensor) -> Self:
        """Copy the elements of `other`, which is broadcast and converted to the dtype (`torch.Tensor.copy_`)."""

    def fill_(self, value: Any) -> Self:
        """Set all elements to one number (`torch.Tensor.fill_`)."""

    def zero_(self) -> Self:
        """Set all elements to 0 (`torch.Tensor.zero_`)."""

    def normal_(self, mean: builtins.float = 0, std: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Fill with normal random numbers of the given mean and standard deviation (`torch.Tensor.normal_`)."""

    def uniform_(
        self, from_: builtins.float = 0, to: builtins.float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Fill with random numbers, uniform on [from_, to) (`torch.Tensor.uniform_`)."""

    def random_(self, from_: Any = None, to: builtins.int | None = None, *, generator: Generator | None = None) -> Self:
        """Fill with random integers from `from_` (0 by default) to `to`, without `to` (`torch.Tensor.random_`)."""

    def bernoulli_(self, p: Any = 0.5, *, generator: Generator | None = None) -> Self:
        """Fill with 1 with probability `p`, a number or a Tensor, and else with 0 (`torch.Tensor.bernoulli_`)."""

    def exponential_(self, lambd: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Fill with exponential random numbers, whose mean is 1 / `lambd` (`torch.Tensor.exponential_`)."""

    @property
    def _version(self) -> builtins.int:
        """The number of in-place changes to the memory of this Tensor (`torch.Tensor._version`)."""

    def masked_fill(self, mask: Tensor, value: Operand) -> Tensor:
        """Return `value` where the mask is true and `input` elsewhere (`torch.masked_fill`)."""

    def masked_fill_(self, mask: Tensor, value: Operand) -> Tensor:
        """Return `value` where the mask is true and `input` elsewhere (`torch.masked_fill`)."""

    def clamp(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Return each element, limited to the range from `min` to `max` (`torch.clamp`)."""

    def clamp_(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Return each element, limited to the range from `min` to `max` (`torch.clamp`)."""

    def clamp_min(self, min: Operand) -> Tensor:
        """Return each element, or `min` where the element is smaller (`torch.clamp_min`)."""

    def clamp_min_(self, min: Operand) -> Tensor:
        """Return each element, or `min` where the element is smaller (`torch.clamp_min`)."""

    def clamp_max(self, max: Operand) -> Tensor:
        """Return each element, or `max` where the element is larger (`torch.clamp_max`)."""

    def clamp_max_(self, max: Operand) -> Tensor:
        """Return each element, or `max` where the element is larger (`torch.clamp_max`)."""

    def clip(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Do the same as `clamp` (`torch.clip`)."""

    def clip_(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Do the same as `clamp` (`torch.clip`)."""

    def maximum(self, other: Tensor) -> Tensor:
        """Return the greater of each two elements, or nan if one is nan (`torch.maximum`)."""

    def minimum(self, other: Tensor) -> Tensor:
        """Return the lesser of each two elements, or nan if one is nan (`torch.minimum`)."""

    def nan_to_num(
        self, nan: Number | None = None, posinf: Number | None = None, neginf: Number | None = None
    ) -> Tensor:
        """Replace nan (by 0 by default) and infinities (by the largest numbers of the dtype) (`torch.nan_to_num`)."""

    def nan_to_num_(
        self, nan: Number | None = None, posinf: Number | None = None, neginf: Number | None = None
    ) -> Tensor:
        """Replace nan (by 0 by default) and infinities (by the largest numbers of the dtype) (`torch.nan_to_num`)."""

    def neg(self) -> Tensor:
        """Return each element with its sign changed (`torch.neg`)."""

    def neg_(self) -> Tensor:
        """Return each element with its sign changed (`torch.neg`)."""

    def abs(self) -> Tensor:
        """Return the absolute value (`torch.abs`)."""

    def abs_(self) -> Tensor:
        """Return the absolute value (`torch.abs`)."""

    def sign(self) -> Tensor:
        """Return -1, 0 or 1 for each element: its sign (`torch.sign`)."""

    def sign_(self) -> Tensor:
        """Return -1, 0 or 1 for each element: its sign (`torch.sign`)."""

    def square(self) -> Tensor:
        """Return the square of each element (`torch.square`)."""

    def square_(self) -> Tensor:
        """Return the square of each element (`torch.square`)."""

    def sqrt(self) -> Tensor:
        """Return the square root: nan for negative elements (`torch.sqrt`)."""

    def sqrt_(self) -> Tensor:
        """Return the square root: nan for negative elements (`torch.sqrt`)."""

    def rsqrt(self) -> Tensor:
        """Return 1 / sqrt(x) for each element: inf for 0, nan for negative elements (`torch.rsqrt`)."""

    def rsqrt_(self) -> Tensor:
        """Return 1 / sqrt(x) for each element: inf for 0, nan for negative elements (`torch.rsqrt`)."""

    def reciprocal(self) -> Tensor:
        """Return 1 / x for each element (`torch.reciprocal`)."""

    def reciprocal_(self) -> Tensor:
        """Return 1 / x for each element (`torch.reciprocal`)."""

    def exp(self) -> Tensor:
        """Return e to the power of each element (`torch.exp`)."""

    def exp_(self) -> Tensor:
        """Return e to the power of each element (`torch.exp`)."""

    def expm1(self) -> Tensor:
        """Return exp(x) - 1 for each element, exact for small elements too (`torch.expm1`)."""

    def expm1_(self) -> Tensor:
        """Return exp(x) - 1 for each element, exact for small elements too (`torch.expm1`)."""

    def log(self) -> Tensor:
        """Return the natural logarithm: -inf for 0, nan for negative elements (`torch.log`)."""

    def log_(self) -> Tensor:
        """Return the natural logarithm: -inf for 0, nan for negative elements (`torch.log`)."""

    def log1p(self) -> Tensor:
        """Return log(1 + x) for each element, exact for small elements too (`torch.log1p`)."""

    def log1p_(self) -> Tensor:
        """Return log(1 + x) for each element, exact for small elements too (`torch.log1p`)."""

    def log2(self) -> Tensor:
        """Return the logarithm to base 2: -inf for 0, nan for negative elements (`torch.log2`)."""

    def log2_(self) -> Tensor:
        """Return the logarithm to base 2: -inf for 0, nan for negative elements (`torch.log2`)."""

    def log10(self) -> Tensor:
        """Return the logarithm to base 10: -inf for 0, nan for negative elements (`torch.log10`)."""

    def log10_(self) -> Tensor:
        """Return the logarithm to base 10: -inf for 0, nan for negative elements (`torch.log10`)."""

    def sin(self) -> Tensor:
        """The sine of each element, in radians (`torch.sin`)."""

    def sin_(self) -> Tensor:
        """The sine of each element, in radians (`torch.sin`)."""

    def cos(self) -> Tensor:
        """The cosine of each element, in radians (`torch.cos`)."""

    def cos_(self) -> Tensor:
        """The cosine of each element, in radians (`torch.cos`)."""

    def tan(self) -> Tensor:
        """Return the tangent of each element, in radians (`torch.tan`)."""

    def tan_(self) -> Tensor:
        """Return the tangent of each element, in radians (`torch.tan`)."""

    def atan(self) -> Tensor:
        """Return the angle in radians, from -pi/2 to pi/2, of which each element is the tangent (`torch.atan`)."""

    def atan_(self) -> Tensor:
        """Return the angle in radians, from -pi/2 to pi/2, of which each element is the tangent (`torch.atan`)."""

    def sinh(self) -> Tensor:
        """Return the hyperbolic sine of each element (`torch.sinh`)."""

    def sinh_(self) -> Tensor:
        """Return the hyperbolic sine of each element (`torch.sinh`)."""

    def cosh(self) -> Tensor:
        """Return the hyperbolic cosine of each element (`torch.cosh`)."""

    def cosh_(self) -> Tensor:
        """Return the hyperbolic cosine of each element (`torch.cosh`)."""

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent (`torch.tanh`)."""

    def tanh_(self) -> Tensor:
        """Return the hyperbolic tangent (`torch.tanh`)."""

    def erf(self) -> Tensor:
        """Return the error function of each element: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 (`torch.erf`)."""

    def erf_(self) -> Tensor:
        """Return the error function of each element: 2 / sqrt(pi) times the integral of exp(-t**2) from 0 (`torch.erf`)."""

    def floor(self) -> Tensor:
        """Return the greatest integer that is not above each element (`torch.floor`)."""

    def floor_(self) -> Tensor:
        """Return the greatest integer that is not above each element (`torch.floor`)."""

    def ceil(self) -> Tensor:
        """Return the least integer that is not below each element (`torch.ceil`)."""

    def ceil_(self) -> Tensor:
        """Return the least integer that is not below each element (`torch.ceil`)."""

    def trunc(self) -> Tensor:
        """Return each element without its fraction: rounded towards 0 (`torch.trunc`)."""

    def trunc_(self) -> Tensor:
        """Return each element without its fraction: rounded towards 0 (`torch.trunc`)."""

    def round(self, *, decimals: builtins.int = 0) -> Tensor:
        """Return each element rounded to an integer, or to a number of decimals; halves go to even (`torch.round`)."""

    def round_(self, *, decimals: builtins.int = 0) -> Tensor:
        """Return each element rounded to an integer, or to a number of decimals; halves go to even (`torch.round`)."""

    def frac(self) -> Tensor:
        """Return the fraction of each element, with its sign (`torch.frac`)."""

    def frac_(self) -> Tensor:
        """Return the fraction of each element, with its sign (`torch.frac`)."""

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)), which lies between 0 and 1 (`torch.sigmoid`)."""

    def sigmoid_(self) -> Tensor:
        """Return 1 / (1 + exp(-x)), which lies between 0 and 1 (`torch.sigmoid`)."""

    def relu(self) -> Tensor:
        """Return max(x, 0) for each element (`torch.relu`)."""

    def relu_(self) -> Tensor:
        """Return max(x, 0) for each element (`torch.relu`)."""

    def clone(self) -> Tensor:
        """Return a copy with new memory; gradients flow through it (`torch.clone`)."""

    def isnan(self) -> Tensor:
        """Return whether each element is not a number (`torch.isnan`)."""

    def isinf(self) -> Tensor:
        """Return whether each element is infinite (`torch.isinf`)."""

    def isfinite(self) -> Tensor:
        """Return whether each element is finite: neither infinite nor nan (`torch.isfinite`)."""

    def add(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """Return the sum of two operands; `other` is multiplied by `alpha` first (`torch.add`)."""

    def add_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """Return the sum of two operands; `other` is multiplied by `alpha` first (`torch.add`)."""

    def sub(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """Return the difference of two operands; `other` is multiplied by `alpha` first (`torch.sub`)."""

    def sub_(self, other: Operand, *, alpha: Number = 1) -> Tensor:
        """Return the difference of two operands; `other` is multiplied by `alpha` first (`torch.sub`)."""

    def mul(self, other: Operand) -> Tensor:
        """Return the elementwise product of two operands (`torch.mul`)."""

    def mul_(self, other: Operand) -> Tensor:
        """Return the elementwise product of two operands (`torch.mul`)."""

    def div(self, other: Operand, *, rounding_mode: builtins.str | None = None) -> Tensor:
        """Return the quotient of two operands; integers give a floating result (`torch.div`)."""

    def div_(self, other: Operand, *, rounding_mode: builtins.str | None = None) -> Tensor:
        """Return the quotient of two operands; integers give a floating result (`torch.div`)."""

    def pow(self, exponent: Operand) -> Tensor:
        """Return `input` to the power of `exponent` (`torch.pow`)."""

    def pow_(self, exponent: Operand) -> Tensor:
        """Return `input` to the power of `exponent` (`torch.pow`)."""

    def floor_divide(self, other: Operand) -> Tensor:
        """Return the quotient of two operands, rounded down, as `input // other` does (`torch.floor_divide`)."""

    def floor_divide_(self, other: Operand) -> Tensor:
        """Return the quotient of two operands, rounded down, as `input // other` does (`torch.floor_divide`)."""

    def fmod(self, other: Operand) -> Tensor:
        """Return the rest of a division that is rounded towards 0, with the sign of `input` (`torch.fmod`)."""

    def fmod_(self, other: Operand) -> Tensor:
        """Return the rest of a division that is rounded towards 0, with the sign of `input` (`torch.fmod`)."""

    def remainder(self, other: Operand) -> Tensor:
        """Return the rest of a division that is rounded down, with the sign of `other`, as `%` does (`torch.remainder`)."""

    def remainder_(self, other: Operand) -> Tensor:
        """Return the rest of a division that is rounded down, with the sign of `other`, as `%` does (`torch.remainder`)."""

    def atan2(self, other: Tensor) -> Tensor:
        """Return the angle of the points (other, input) in radians, from -pi to pi (`torch.atan2`)."""

    def atan2_(self, other: Tensor) -> Tensor:
        """Return the angle of the points (other, input) in radians, from -pi to pi (`torch.atan2`)."""

    def lerp(self, end: Tensor, weight: Operand) -> Tensor:
        """Return input + weight * (end - input): `input` for weight 0, `end` for weight 1 (`torch.lerp`)."""

    def lerp_(self, end: Tensor, weight: Operand) -> Tensor:
        """Return input + weight * (end - input): `input` for weight 0, `end` for weight 1 (`torch.lerp`)."""

    def addcmul(self, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        """Return input + value * tensor1 * tensor2 (`torch.addcmul`)."""

    def addcmul_(self, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        """Return input + value * tensor1 * tensor2 (`torch.addcmul`)."""

    def addcdiv(self, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        """Return input + value * tensor1 / tensor2 (`torch.addcdiv`)."""

    def addcdiv_(self, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Tensor:
        """Return input + value * tensor1 / tensor2 (`torch.addcdiv`)."""

    def __floordiv__(self, other: Any) -> Any: ...
    def __rfloordiv__(self, other: Any) -> Any: ...
    def __mod__(self, other: Any) -> Any: ...
    def __rmod__(self, other: Any) -> Any: ...
    def __ifloordiv__(self, other: Any) -> Any: ...
    def __imod__(self, other: Any) -> Any: ...
    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape, in which one size may be -1 (`torch.reshape`)."""

    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """Join the dims from `start_dim` to `end_dim` into one (`torch.flatten`)."""

    def squeeze(self, dim: Dims = None) -> Tensor:
        """Remove all dims of size 1, or only the ones in `dim` (`torch.squeeze`); the result is a view."""

    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """Insert a dim of size 1 at position `dim` (`torch.unsqueeze`); the result is a view."""

    def ravel(self) -> Tensor:
        """Return the elements in one dim (`torch.ravel`); the result is a view if possible."""

    def unflatten(self, dim: builtins.int, sizes: Sequence[builtins.int]) -> Tensor:
        """Replace a dim by several ones, of which one size may be -1 (`torch.unflatten`); the result is a view."""

    def permute(self, *dims: Any) -> Tensor:
        """Put the dims in another order (`torch.permute`); the result is a view."""

    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Exchange two dims (`torch.transpose`); the result is a view."""

    def swapaxes(self, axis0: builtins.int, axis1: builtins.int) -> Tensor:
        """Do the same as `transpose` (`torch.swapaxes`)."""

    def swapdims(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Do the same as `transpose` (`torch.swapdims`)."""

    def movedim(
        self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]
    ) -> Tensor:
        """Move dims to other positions; the remaining dims keep their order (`torch.movedim`); the result is a view."""

    def moveaxis(
        self, source: builtins.int | Sequence[builtins.int], destination: builtins.int | Sequence[builtins.int]
    ) -> Tensor:
        """Do the same as `movedim` (`torch.moveaxis`)."""

    def t(self) -> Tensor:
        """Exchange the two dims of a matrix; 0-D and 1-D tensors stay as they are (`torch.t`)."""

    def broadcast_to(self, size: Any) -> Tensor:
        """Repeat dims of size 1, and add dims in front, without a copy, as `expand` does (`torch.broadcast_to`)."""

    def view(self, *shape: Any) -> Tensor:
        """Return a view in another shape (`torch.Tensor.view`)."""

    def contiguous(self) -> Tensor:
        """Return the same Tensor, or a copy if its elements are not in row-major order (`torch.Tensor.contiguous`)."""

    def is_contiguous(self) -> builtins.bool:
        """Return whether the elements are in row-major order in memory (`torch.Tensor.is_contiguous`)."""

    def stride(self, dim: builtins.int | None = None) -> Any:
        """Return the step in memory along each dim, or along `dim`, in elements (`torch.Tensor.stride`)."""

    def view_as(self, other: Tensor) -> Tensor:
        """Return a view in the shape of another tensor (`torch.Tensor.view_as`)."""

    def reshape_as(self, other: Tensor) -> Tensor:
        """Return the same elements in the shape of another tensor (`torch.Tensor.reshape_as`)."""

    def expand_as(self, other: Tensor) -> Tensor:
        """Expand to the shape of another tensor (`torch.Tensor.expand_as`)."""

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat dims of size 1, and add dims in front, without a copy (`torch.Tensor.expand`)."""

    def repeat(self, *sizes: Any) -> Tensor:
        """Repeat the whole tensor along each dim, and along new dims in front (`torch.Tensor.repeat`)."""

    def split(
        self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0
    ) -> builtins.tuple[Tensor, ...]:
        """Split a tensor along a dim into pieces of one size, or of the sizes in a list (`torch.split`)."""

    def tensor_split(self, indices_or_sections: Any, dim: builtins.int = 0) -> builtins.tuple[Tensor, ...]:
        """Split a tensor along a dim into a number of pieces, or at the indices in a list or Tensor (`torch.tensor_split`)."""

    def chunk(self, chunks: builtins.int, dim: builtins.int = 0) -> builtins.tuple[Tensor, ...]:
        """Split a tensor along a dim into at most `chunks` pieces of one size (`torch.chunk`)."""

    def split_with_sizes(
        self, split_sizes: Sequence[builtins.int], dim: builtins.int = 0
    ) -> builtins.tuple[Tensor, ...]:
        """Split a tensor along a dim into pieces of the given sizes, as `split` does (`torch.split_with_sizes`)."""

    def narrow(self, dim: builtins.int, start: Any, length: builtins.int) -> Tensor:
        """Return the part of a dim from `start` on with `length` elements (`torch.narrow`); it is a view."""

    def select(self, dim: builtins.int, index: builtins.int) -> Tensor:
        """Return the slice at `index` along a dim, without this dim (`torch.select`); it is a view."""

    def unbind(self, dim: builtins.int = 0) -> builtins.tuple[Tensor, ...]:
        """Return the slices along a dim, without this dim (`torch.unbind`); they are views."""

    def flip(self, *dims: Any) -> Tensor:
        """Reverse the order of the elements along dims; the result is a copy (`torch.flip`)."""

    def fliplr(self) -> Tensor:
        """Reverse the order of the columns: dim 1 (`torch.fliplr`)."""

    def flipud(self) -> Tensor:
        """Reverse the order of the rows: dim 0 (`torch.flipud`)."""

    def roll(self, shifts: builtins.int | Sequence[builtins.int], dims: Dims = None) -> Tensor:
        """Shift the elements along dims; those that leave at one end come back at the other (`torch.roll`)."""

    def tile(self, *dims: Any) -> Tensor:
        """Repeat the whole tensor along its dims, the last ones if fewer numbers are given (`torch.tile`)."""

    def repeat_interleave(
        self, repeats: Any = None, dim: builtins.int | None = None, *, output_size: builtins.int | None = None
    ) -> Tensor:
        """Repeat each element along a dim, or of the flattened tensor, `repeats` times (`torch.repeat_interleave`)."""

    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """Set the elements above a diagonal of a matrix to 0 (`torch.tril`)."""

    def tril_(self, diagonal: builtins.int = 0) -> Tensor:
        """Set the elements above a diagonal of a matrix to 0 (`torch.tril`)."""

    def triu(self, diagonal: builtins.int = 0) -> Tensor:
        """Set the elements below a diagonal of a matrix to 0, with the arguments of `tril` (`torch.triu`)."""

    def triu_(self, diagonal: builtins.int = 0) -> Tensor:
        """Set the elements below a diagonal of a matrix to 0, with the arguments of `tril` (`torch.triu`)."""

    def diagonal(self, offset: builtins.int = 0, dim1: builtins.int = 0, dim2: builtins.int = 1) -> Tensor:
        """Return the diagonal of the matrices in two dims, as a new last dim (`torch.diagonal`)."""

    def diag_embed(self, offset: builtins.int = 0, dim1: builtins.int = -2, dim2: builtins.int = -1) -> Tensor:
        """Return square matrices with the last dim of `input` on a diagonal, and 0 elsewhere (`torch.diag_embed`)."""

    def diag(self, diagonal: builtins.int = 0) -> Tensor:
        """Return the matrix with a 1-D tensor on its diagonal, or the diagonal of a matrix, as a copy (`torch.diag`)."""

    def trace(self) -> Tensor:
        """Return the sum of the diagonal of a matrix (`torch.trace`)."""

    def unfold(self, dimension: builtins.int, size: builtins.int, step: builtins.int) -> Tensor:
        """Return all windows of `size` elements along a dim, `step` apart, as a new last dim (`torch.Tensor.unfold`)."""

    def __eq__(self, other: Any) -> Any: ...
    def __ne__(self, other: Any) -> Any: ...
    def __lt__(self, other: Any) -> Any: ...
    def __le__(self, other: Any) -> Any: ...
    def __gt__(self, other: Any) -> Any: ...
    def __ge__(self, other: Any) -> Any: ...
    def eq(self, other: Operand) -> Tensor:
        """Return whether the elements are equal, as `input == other` does (`torch.eq`)."""

    def eq_(self, other: Operand) -> Tensor:
        """Return whether the elements are equal, as `input == other` does (`torch.eq`)."""

    def ne(self, other: Operand) -> Tensor:
        """Return whether the elements differ, as `input != other` does (`torch.ne`)."""

    def ne_(self, other: Operand) -> Tensor:
        """Return whether the elements differ, as `input != other` does (`torch.ne`)."""

    def lt(self, other: Operand) -> Tensor:
        """Return whether the elements are less than those of `other`, as `input < other` does (`torch.lt`)."""

    def lt_(self, other: Operand) -> Tensor:
        """Return whether the elements are less than those of `other`, as `input < other` does (`torch.lt`)."""

    def le(self, other: Operand) -> Tensor:
        """Return whether the elements are at most those of `other`, as `input <= other` does (`torch.le`)."""

    def le_(self, other: Operand) -> Tensor:
        """Return whether the elements are at most those of `other`, as `input <= other` does (`torch.le`)."""

    def gt(self, other: Operand) -> Tensor:
        """Return whether the elements are greater than those of `other`, as `input > other` does (`torch.gt`)."""

    def gt_(self, other: Operand) -> Tensor:
        """Return whether the elements are greater than those of `other`, as `input > other` does (`torch.gt`)."""

    def ge(self, other: Operand) -> Tensor:
        """Return whether the elements are at least those of `other`, as `input >= other` does (`torch.ge`)."""

    def ge_(self, other: Operand) -> Tensor:
        """Return whether the elements are at least those of `other`, as `input >= other` does (`torch.ge`)."""

    def equal(self, other: Tensor) -> builtins.bool:
        """Return whether two tensors have one shape and equal elements (`torch.equal`)."""

    def isclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> Tensor:
        """Return for each two elements whether |input - other| <= atol + rtol * |other| (`torch.isclose`)."""

    def allclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> builtins.bool:
        """Return whether |input - other| <= atol + rtol * |other| everywhere (`torch.allclose`)."""

    def logical_not(self) -> Tensor:
        """Return whether each element is 0 (`torch.logical_not`)."""

    def logical_not_(self) -> Tensor:
        """Return whether each element is 0 (`torch.logical_not`)."""

    def logical_and(self, other: Tensor) -> Tensor:
        """Return whether both elements are nonzero (`torch.logical_and`)."""

    def logical_and_(self, other: Tensor) -> Tensor:
        """Return whether both elements are nonzero (`torch.logical_and`)."""

    def logical_or(self, other: Tensor) -> Tensor:
        """Return whether one of two elements is nonzero, or both (`torch.logical_or`)."""

    def logical_or_(self, other: Tensor) -> Tensor:
        """Return whether one of two elements is nonzero, or both (`torch.logical_or`)."""

    def logical_xor(self, other: Tensor) -> Tensor:
        """Return whether exactly one of two elements is nonzero (`torch.logical_xor`)."""

    def logical_xor_(self, other: Tensor) -> Tensor:
        """Return whether exactly one of two elements is nonzero (`torch.logical_xor`)."""

    def bitwise_not(self) -> Tensor:
        """Return integers with all bits inverted, or bools inverted, as `~input` does (`torch.bitwise_not`)."""

    def bitwise_not_(self) -> Tensor:
        """Return integers with all bits inverted, or bools inverted, as `~input` does (`torch.bitwise_not`)."""

    def bitwise_and(self, other: Operand) -> Tensor:
        """Return the bits that both integers have, or whether both bools are true: `input & other` (`torch.bitwise_and`)."""

    def bitwise_and_(self, other: Operand) -> Tensor:
        """Return the bits that both integers have, or whether both bools are true: `input & other` (`torch.bitwise_and`)."""

    def bitwise_or(self, other: Operand) -> Tensor:
        """Return the bits that either integer has, or whether one bool is true: `input | other` (`torch.bitwise_or`)."""

    def bitwise_or_(self, other: Operand) -> Tensor:
        """Return the bits that either integer has, or whether one bool is true: `input | other` (`torch.bitwise_or`)."""

    def bitwise_xor(self, other: Operand) -> Tensor:
        """Return the bits in which integers differ, or whether bools differ: `input ^ other` (`torch.bitwise_xor`)."""

    def bitwise_xor_(self, other: Operand) -> Tensor:
        """Return the bits in which integers differ, or whether bools differ: `input ^ other` (`torch.bitwise_xor`)."""

    def __and__(self, other: Any) -> Any: ...
    def __or__(self, other: Any) -> Any: ...
    def __xor__(self, other: Any) -> Any: ...
    def __rand__(self, other: Any) -> Any: ...
    def __ror__(self, other: Any) -> Any: ...
    def __rxor__(self, other: Any) -> Any: ...
    def __invert__(self) -> Tensor: ...
    def __iand__(self, other: Any) -> Any: ...
    def __ior__(self, other: Any) -> Any: ...
    def __ixor__(self, other: Any) -> Any: ...
    def new_tensor(
        self, data: Any, *, dtype: DType = None, device: Any = None, requires_grad: builtins.bool = False
    ) -> Tensor:
        """Return a Tensor of `data`, with the dtype of this one (`torch.Tensor.new_tensor`)."""

    def new_zeros(
        self, *size: Any, dtype: DType = None, device: Any = None, requires_grad: builtins.bool = False
    ) -> Tensor:
        """Return zeros of a shape, with the dtype of this Tensor (`torch.Tensor.new_zeros`)."""

    def new_ones(
        self, *size: Any, dtype: DType = None, device: Any = None, requires_grad: builtins.bool = False
    ) -> Tensor:
        """Return ones of a shape, with the dtype of this Tensor (`torch.Tensor.new_ones`)."""

    def new_empty(
        self, *size: Any, dtype: DType = None, device: Any = None, requires_grad: builtins.bool = False
    ) -> Tensor:
        """Return elements without meaning in a shape, with the dtype of this Tensor (`torch.Tensor.new_empty`)."""

    def new_full(
        self,
        size: Any,
        fill_value: Number,
        *,
        dtype: DType = None,
        device: Any = None,
        requires_grad: builtins.bool = False,
    ) -> Tensor:
        """Return one number in a shape, with the dtype of this Tensor (`torch.Tensor.new_full`)."""

    def sum(
        self,
        dim: Dims = None,
        keepdim: builtins.bool = False,
        *,
        dtype: DType = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the sum over all dims, or over `dim` (`torch.sum`)."""

    def mean(
        self,
        dim: Dims = None,
        keepdim: builtins.bool = False,
        *,
        dtype: DType = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the mean over all dims, or over `dim` (`torch.mean`)."""

    def all(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return whether all elements are nonzero, over all dims or over `dim` (`torch.all`)."""

    def any(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return whether any element is nonzero, over all dims or over `dim` (`torch.any`)."""

    def count_nonzero(self, dim: Dims = None) -> Tensor:
        """Return the number of elements that are not 0, over all dims or over `dim` (`torch.count_nonzero`)."""

    def softmax(self, dim: builtins.int, dtype: DType = None) -> Tensor:
        """Return exp(x) / sum(exp(x)) along a dim: positive numbers that sum to 1 (`torch.softmax`)."""

    def log_softmax(self, dim: builtins.int, dtype: DType = None) -> Tensor:
        """Return the logarithm of `softmax`; it is finite even where softmax rounds to 0 (`torch.log_softmax`)."""

    def logsumexp(
        self, dim: Dims, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return log(sum(exp(x))) over the given dims, computed without overflow (`torch.logsumexp`)."""

    def histogram(
        self,
        bins: builtins.int | Tensor = 100,
        *,
        range: builtins.tuple[builtins.float, builtins.float] | None = None,
        weight: Tensor | None = None,
        density: builtins.bool = False,
    ) -> Any:
        """Count how many elements fall into each of `bins` equal parts of a range, or their weights (`torch.histogram`)."""

    def max(
        self,
        dim: builtins.int | Tensor | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """Return the largest element, or the pair `(values, indices)` along a dim (`torch.max`)."""

    def min(
        self,
        dim: builtins.int | Tensor | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """Return the smallest element, or the pair `(values, indices)` along a dim (`torch.min`)."""

    def amax(
        self, dim: Dims = (), keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return the largest element over all dims, or over `dim` (`torch.amax`)."""

    def amin(
        self, dim: Dims = (), keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return the smallest element over all dims, or over `dim` (`torch.amin`)."""

    def aminmax(self, *, dim: builtins.int | None = None, keepdim: builtins.bool = False) -> Any:
        """Return the pair `(min, max)` of the smallest and the largest element (`torch.aminmax`)."""

    def argmax(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the int64 index of the largest element along a dim, or in the flattened tensor (`torch.argmax`)."""

    def argmin(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the int64 index of the smallest element along a dim, or in the flattened tensor (`torch.argmin`)."""

    def __getitem__(self, key: Any) -> Tensor:
        """Return `input[key]`: ints, slices, None, `...`, lists, integer or bool arrays or Tensors, and mixtures of these."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Set `input[key]` in place to a Tensor, an array or a number, which broadcasts."""

    def __iter__(self) -> Iterator[Tensor]:
        """Return an iterator over the slices along the first dim."""

    def gather(self, dim: builtins.int, index: Tensor, *, sparse_grad: builtins.bool = False) -> Tensor:
        """Return the elements at the places along `dim` that `index` says (`torch.gather`)."""

    def take_along_dim(self, indices: Tensor, dim: builtins.int | None = None) -> Tensor:
        """Return the elements at `indices` along a dim, or in the flattened tensor (`torch.take_along_dim`)."""

    def take(self, index: Tensor) -> Tensor:
        """Return the elements at `index` of the flattened tensor, in the shape of `index` (`torch.take`)."""

    def index_select(self, dim: builtins.int, index: Tensor) -> Tensor:
        """Return the slices along `dim` at the places in the 1-D `index` (`torch.index_select`)."""

    def scatter(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Tensor | Number | None = None,
        *,
        value: Any = None,
        reduce: builtins.str | None = None,
    ) -> Tensor:
        """Return `input` with the elements of `src` at the places along `dim` that `index` says (`torch.scatter`)."""

    def scatter_(
        self,
        dim: builtins.int,
        index: Tensor,
        src: Tensor | Number | None = None,
        *,
        value: Any = None,
        reduce: builtins.str | None = None,
    ) -> Tensor:
        """Return `input` with the elements of `src` at the places along `dim` that `index` says (`torch.scatter`)."""

    def scatter_add(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """Add the elements of `src` at the places along `dim` that `index` says, each of them (`torch.scatter_add`)."""

    def scatter_add_(self, dim: builtins.int, index: Tensor, src: Tensor) -> Tensor:
        """Add the elements of `src` at the places along `dim` that `index` says, each of them (`torch.scatter_add`)."""

    def index_add(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
        """Add `alpha` times each slice of `source` along `dim` at its place in the 1-D `index` (`torch.index_add`)."""

    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: Number = 1) -> Tensor:
        """Add `alpha` times each slice of `source` along `dim` at its place in the 1-D `index` (`torch.index_add`)."""

    def index_copy(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """Write the slices of `source` along `dim` at their places in the 1-D `index` (`torch.index_copy`)."""

    def index_copy_(self, dim: builtins.int, index: Tensor, source: Tensor) -> Tensor:
        """Write the slices of `source` along `dim` at their places in the 1-D `index` (`torch.index_copy`)."""

    def index_fill(self, dim: builtins.int, index: Tensor, value: Tensor | Number) -> Tensor:
        """Write one number into the slices along `dim` at the places in the 1-D `index` (`torch.index_fill`)."""

    def index_fill_(self, dim: builtins.int, index: Tensor, value: Tensor | Number) -> Tensor:
        """Write one number into the slices along `dim` at the places in the 1-D `index` (`torch.index_fill`)."""

    def masked_select(self, mask: Tensor) -> Tensor:
        """Return the elements where the mask is true, as a 1-D tensor; both broadcast (`torch.masked_select`)."""

    def masked_scatter(self, mask: Tensor, source: Tensor) -> Tensor:
        """Return `input` with the elements of `source`, in order, where the mask is true (`torch.masked_scatter`)."""

    def masked_scatter_(self, mask: Tensor, source: Tensor) -> Tensor:
        """Return `input` with the elements of `source`, in order, where the mask is true (`torch.masked_scatter`)."""

    def index_put(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """Return `input` with `values` at `input[indices]`, or added there with `accumulate` (`torch.index_put`)."""

    def index_put_(self, indices: Any, values: Tensor, accumulate: builtins.bool = False) -> Tensor:
        """Return `input` with `values` at `input[indices]`, or added there with `accumulate` (`torch.index_put`)."""

    def nonzero(self, *, as_tuple: builtins.bool = False) -> Any:
        """Return the indices of the elements that are not 0: a row for each element (`torch.nonzero`)."""

    def argwhere(self) -> Tensor:
        """Return the indices of the elements that are not 0: a row for each element (`torch.argwhere`)."""

    def matmul(self, other: Tensor) -> Tensor:
        """Return the matrix product of two tensors, as `@` does (`torch.matmul`)."""

    def dot(self, other: Tensor) -> Tensor:
        """Return the sum of the elementwise products of two 1-D tensors (`torch.dot`)."""

    def __matmul__(self, other: Any) -> Any:
        """Return `input @ other`, where `other` is a Tensor or a numpy array."""

    def mm(self, mat2: Tensor) -> Tensor:
        """Return the product of two matrices, (n, k) and (k, m) (`torch.mm`)."""

    def bmm(self, mat2: Tensor) -> Tensor:
        """Return the products of two batches of matrices, (b, n, k) and (b, k, m) (`torch.bmm`)."""

    def mv(self, vec: Tensor) -> Tensor:
        """Return the product of a matrix (n, k) and a vector (k) (`torch.mv`)."""

    def outer(self, vec2: Tensor) -> Tensor:
        """Return the products of each element of one vector and each of another (`torch.outer`)."""

    def inner(self, other: Tensor) -> Tensor:
        """Return the sums of products along the last dims of two tensors (`torch.inner`)."""

    def addmm(self, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """Return beta * input + alpha * (mat1 @ mat2), for matrices (`torch.addmm`)."""

    def addmv(self, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """Return beta * input + alpha * (mat @ vec), for a matrix and a vector (`torch.addmv`)."""

    def baddbmm(self, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
        """Return beta * input + alpha * bmm(batch1, batch2), for batches of matrices (`torch.baddbmm`)."""

    def to(
        self,
        *target: Any,
        dtype: DType = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """Convert to a dtype, or to the dtype of another Tensor (`torch.Tensor.to`)."""

    def pin_memory(self, device: Any = None) -> Tensor:
        """Return the Tensor itself: there is no device to which memory would be copied (`torch.Tensor.pin_memory`)."""

    def get_device(self) -> builtins.int:
        """Return -1, which means the CPU (`torch.Tensor.get_device`)."""

    def cpu(self) -> Tensor:
        """Return the Tensor itself, because it is on the CPU already (`torch.Tensor.cpu`)."""

    def float(self) -> Tensor:
        """Convert to float32 (`torch.Tensor.float`)."""

    def double(self) -> Tensor:
        """Convert to float64 (`torch.Tensor.double`)."""

    def half(self) -> Tensor:
        """Convert to float16 (`torch.Tensor.half`)."""

    def int(self) -> Tensor:
        """Convert to int32; fractions are rounded towards 0 (`torch.Tensor.int`)."""

    def long(self) -> Tensor:
        """Convert to int64; fractions are rounded towards 0 (`torch.Tensor.long`)."""

    def short(self) -> Tensor:
        """Convert to int16 (`torch.Tensor.short`)."""

    def char(self) -> Tensor:
        """Convert to int8 (`torch.Tensor.char`)."""

    def byte(self) -> Tensor:
        """Convert to uint8 (`torch.Tensor.byte`)."""

    def bool(self) -> Tensor:
        """Convert to bools: False for 0, True for all other numbers (`torch.Tensor.bool`)."""

    def type(self, dtype: Any = None, non_blocking: builtins.bool = False) -> Any:
        """Return PyTorch's name for the class of such tensors, or convert to a dtype (`torch.Tensor.type`)."""

    def type_as(self, other: Tensor) -> Tensor:
        """Convert to the dtype of another Tensor (`torch.Tensor.type_as`)."""

    @property
    def device(self) -> Device:
        """The device of the Tensor: the CPU (`torch.Tensor.device`)."""

    def size(self, dim: builtins.int | None = None) -> Any:
        """Return the shape, or the size of one dim (`torch.Tensor.size`)."""

    def ndimension(self) -> builtins.int:
        """Return the number of dims (`torch.Tensor.ndimension`)."""

    def dim(self) -> builtins.int:
        """Return the number of dims (`torch.Tensor.dim`)."""

    def nelement(self) -> builtins.int:
        """Return the number of elements (`torch.Tensor.nelement`)."""

    def item(self) -> Any:
        """Return the only element as a Python number (`torch.Tensor.item`)."""

    def numpy(self) -> np.ndarray:
        """Return the array, which shares its memory with the Tensor (`torch.Tensor.numpy`)."""

    @property
    def data(self) -> Tensor:
        """A constant that shares the memory of this Tensor and has no version counter (`torch.Tensor.data`)."""

    @data.setter
    def data(self, new: Tensor) -> None: ...
    @property
    def name(self) -> builtins.str | None:
        """The name of the Tensor in pictures and messages."""

    @name.setter
    def name(self, name: builtins.str | None) -> None: ...
    @property
    def shape(self) -> Size:
        """The size of each dim."""

    def detach_(self) -> Tensor:
        """Cut this Tensor off from the graph, in place (`torch.Tensor.detach_`). Raises a RuntimeError for a view."""

    def detach(self) -> Tensor:
        """A constant that shares the memory (`torch.Tensor.detach`)."""

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers (`torch.Tensor.tolist`)."""

    @property
    def T(self) -> Tensor:
        """The transpose, with all dims in reverse order (`torch.Tensor.T`)."""

    def __init__(self, *data: Any) -> None: ...
    def __abs__(self) -> Tensor: ...
    def __bool__(self) -> builtins.bool: ...
    def __float__(self) -> builtins.float: ...
    def __int__(self) -> builtins.int: ...
    def __index__(self) -> builtins.int: ...
    def __len__(self) -> builtins.int: ...
    def __contains__(self, element: Any) -> builtins.bool: ...
    def __format__(self, spec: builtins.str) -> builtins.str: ...
    def __repr__(self) -> builtins.str: ...
    def __reduce__(self) -> Any: ...
    def __deepcopy__(self, memo: builtins.dict[builtins.int, Any]) -> Tensor: ...
    def __array__(self, dtype: Any = None, copy: builtins.bool | None = None) -> np.ndarray: ...
    def __array_ufunc__(self, ufunc: np.ufunc, method: builtins.str, *inputs: Any, **kwargs: Any) -> Any:
        """Apply the Tensor method of a numpy function: `np.exp(t)` is `t.exp()`, and `array * t` is recorded."""

    def is_floating_point(self) -> builtins.bool:
        """Return whether the dtype is floating, so that there can be gradients (`torch.is_floating_point`)."""

    def is_complex(self) -> builtins.bool:
        """Return False: minigrad has no complex numbers (`torch.is_complex`)."""

    def is_nonzero(self) -> builtins.bool:
        """Return whether the only element is not 0 (`torch.is_nonzero`). Raises a RuntimeError for more or none."""

    def numel(self) -> builtins.int:
        """Return the number of elements (`torch.numel`)."""

    def prod(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        dtype: DType = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the product of all elements, or along a dim (`torch.prod`)."""

    def cumsum(self, dim: builtins.int, *, dtype: DType = None) -> Tensor:
        """Return, for each element, the sum of it and all elements before it along a dim (`torch.cumsum`)."""

    def cumprod(self, dim: builtins.int, *, dtype: DType = None) -> Tensor:
        """Return, for each element, the product of it and all elements before it along a dim (`torch.cumprod`)."""

    def bernoulli(self, p: builtins.float | None = None, *, generator: Generator | None = None) -> Tensor:
        """Return 1 with the probability of each element, or with probability `p`, and else 0 (`torch.bernoulli`)."""

    def sort(self, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = False) -> Any:
        """Return the elements in order along a dim, and the indices at which they stood (`torch.sort`)."""

    def argsort(
        self, dim: builtins.int = -1, descending: builtins.bool = False, stable: builtins.bool = False
    ) -> Tensor:
        """Return the indices that put the elements in order along a dim (`torch.argsort`)."""

    def topk(
        self, k: builtins.int, dim: builtins.int = -1, largest: builtins.bool = True, sorted: builtins.bool = True
    ) -> Any:
        """Return the `k` largest (or smallest) elements along a dim, in order, and their indices (`torch.topk`)."""

    def median(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """Return the median, or the pair `(values, indices)` along a dim (`torch.median`)."""

    def kthvalue(
        self,
        k: builtins.int,
        dim: builtins.int = -1,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """Return the k-th smallest element along a dim, counted from 1, and its index (`torch.kthvalue`)."""

    def unique(
        self,
        sorted: builtins.bool = True,
        return_inverse: builtins.bool = False,
        return_counts: builtins.bool = False,
        dim: builtins.int | None = None,
    ) -> Any:
        """Return the different elements in order, or the different slices along a dim (`torch.unique`)."""

    def bincount(self, weights: Tensor | None = None, minlength: builtins.int = 0) -> Tensor:
        """Count how often each integer from 0 on occurs, or sum the weights of its places (`torch.bincount`)."""

    def histc(self, bins: builtins.int = 100, min: builtins.float = 0, max: builtins.float = 0) -> Tensor:
        """Count the elements in `bins` equal parts of the range from `min` to `max` (`torch.histc`)."""

    def var(
        self,
        dim: Dims | builtins.bool = None,
        unbiased: builtins.bool = True,
        keepdim: builtins.bool = False,
        *,
        correction: builtins.int | None = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the variance over all dims, or over `dim` (`torch.var`)."""

    def std(
        self,
        dim: Dims | builtins.bool = None,
        unbiased: builtins.bool = True,
        keepdim: builtins.bool = False,
        *,
        correction: builtins.int | None = None,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """Return the standard deviation, which is the square root of `var`, with the same arguments (`torch.std`)."""

    def norm(self, p: Any = "fro", dim: Dims = None, keepdim: builtins.bool = False, dtype: DType = None) -> Tensor:
        """Return the norm of all elements, or over `dim`: the root of the sum of squares by default (`torch.norm`)."""

    def storage(self) -> Storage:
        """Return the memory behind this Tensor and all its views, as one row of numbers (`torch.Tensor.storage`)."""

    def storage_offset(self) -> builtins.int:
        """Return at which place of the storage the first element stands (`torch.Tensor.storage_offset`)."""

    def data_ptr(self) -> builtins.int:
        """Return the address of the first element (`torch.Tensor.data_ptr`)."""

    def element_size(self) -> builtins.int:
        """Return the size of an element, in bytes (`torch.Tensor.element_size`)."""

    @property
    def itemsize(self) -> builtins.int:
        """The size of an element, in bytes (`torch.Tensor.itemsize`)."""

    @property
    def nbytes(self) -> builtins.int:
        """The size of all elements, in bytes (`torch.Tensor.nbytes`)."""

    @property
    def grad(self) -> Tensor | None:
        """The sum of the gradients from all backward passes; for a result only after `retain_grad()`, else None."""

    @grad.setter
    def grad(self, grad: Tensor | None) -> None: ...
    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed this Tensor; None for a leaf."""

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether a backward pass keeps the gradient of this result, because of `retain_grad()`."""

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self:
        """Set `requires_grad` in place and return the same Tensor (`torch.Tensor.requires_grad_`)."""

    def retain_grad(self) -> None:
        """Keep this result's gradient in `.grad` at backward passes; leaves always do (`torch.Tensor.retain_grad`)."""

    def backward(
        self,
        gradient: Any = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Compute this Tensor's gradients and add them to the `.grad` of its leaves (`torch.Tensor.backward`)."""
