"""The methods of Tensor that come from `gradients.py` and `api/`.

Written by `python -m tests.support.stubs`."""

import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from minigrad.api.arguments import Dims, Operand
from minigrad.api.device import Device
from minigrad.api.distributions import Histogram
from minigrad.api.methods import Size
from minigrad.core.dtypes import DType
from minigrad.core.record import Node
from minigrad.core.tensor import Tensor
from minigrad.random import Generator

Function = TypeVar("Function", bound=Callable[..., Any])
Extension = TypeVar("Extension", bound=type)

def method(function: Function) -> Function: ...
def methods(extension: Extension) -> Extension: ...

class Methods:
    __slots__ = ()
    def add(self, other: Operand) -> Tensor:
        """Return the sum of two operands, which broadcast (`torch.add`)."""

    def sub(self, other: Operand) -> Tensor:
        """Return the difference of two operands, which broadcast (`torch.sub`)."""

    def mul(self, other: Operand) -> Tensor:
        """Return the elementwise product of two operands, which broadcast (`torch.mul`)."""

    def div(self, other: Operand) -> Tensor:
        """Return the quotient of two operands, which broadcast; integers give a floating result (`torch.div`)."""

    def pow(self, exponent: Operand) -> Tensor:
        """Return `input` to the power of `exponent`; both broadcast (`torch.pow`)."""

    def neg(self) -> Tensor:
        """Return each element with its sign changed (`torch.neg`)."""

    def square(self) -> Tensor:
        """Return the square of each element (`torch.square`)."""

    def exp(self) -> Tensor:
        """Return e to the power of each element (`torch.exp`)."""

    def log(self) -> Tensor:
        """Return the natural logarithm: -inf for 0, nan for negative elements (`torch.log`)."""

    def log10(self) -> Tensor:
        """Return the logarithm to base 10: -inf for 0, nan for negative elements (`torch.log10`)."""

    def sqrt(self) -> Tensor:
        """Return the square root: nan for negative elements (`torch.sqrt`)."""

    def abs(self) -> Tensor:
        """Return the absolute value (`torch.abs`)."""

    def sin(self) -> Tensor:
        """The sine of each element, in radians (`torch.sin`)."""

    def cos(self) -> Tensor:
        """The cosine of each element, in radians (`torch.cos`)."""

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent (`torch.tanh`)."""

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-x)), which lies between 0 and 1 (`torch.sigmoid`)."""

    def relu(self) -> Tensor:
        """Return max(x, 0) for each element (`torch.relu`)."""

    def clamp(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Return each element, limited to the range from `min` to `max` (`torch.clamp`)."""

    def clamp_min(self, min: Operand) -> Tensor:
        """Return each element, or `min` where the element is smaller (`torch.clamp_min`)."""

    def __eq__(self, other: Any) -> Any: ...
    def __ne__(self, other: Any) -> Any: ...
    def __lt__(self, other: Any) -> Any: ...
    def __le__(self, other: Any) -> Any: ...
    def __gt__(self, other: Any) -> Any: ...
    def __ge__(self, other: Any) -> Any: ...
    def eq(self, other: Operand) -> Tensor:
        """Return whether the elements are equal, as `input == other` does; the operands broadcast (`torch.eq`)."""

    def masked_fill(self, mask: Tensor, value: Operand) -> Tensor:
        """Return `value` where the mask is true and `input` elsewhere (`torch.masked_fill`)."""

    def clone(self) -> Tensor:
        """Return a copy with new memory; gradients flow through it (`torch.clone`)."""

    def sum(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return the sum over all dims, or over `dim` (`torch.sum`)."""

    def mean(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return the mean over all dims, or over `dim` (`torch.mean`)."""

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

    def cumsum(self, dim: builtins.int) -> Tensor:
        """Return, for each element, the sum of it and all elements before it along a dim (`torch.cumsum`)."""

    def all(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return whether all elements are nonzero, over all dims or over `dim` (`torch.all`)."""

    def any(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return whether any element is nonzero, over all dims or over `dim` (`torch.any`)."""

    def allclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> builtins.bool:
        """Return whether |input - other| <= atol + rtol * |other| everywhere; the operands broadcast (`torch.allclose`)."""

    def softmax(self, dim: builtins.int) -> Tensor:
        """Return exp(x) / sum(exp(x)) along a dim: positive numbers that sum to 1 (`torch.softmax`)."""

    def log_softmax(self, dim: builtins.int) -> Tensor:
        """Return the logarithm of `softmax`; it is finite even where softmax rounds to 0 (`torch.log_softmax`)."""

    def logsumexp(
        self, dim: Dims, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Return log(sum(exp(x))) over the given dims, computed without overflow (`torch.logsumexp`)."""

    def histogram(
        self,
        bins: builtins.int = 100,
        *,
        range: builtins.tuple[builtins.float, builtins.float] | None = None,
        density: builtins.bool = False,
    ) -> Histogram:
        """Count how many elements fall into each of `bins` equal parts of a range (`torch.histogram`)."""

    def reshape(self, *shape: Any) -> Tensor:
        """Return the same elements in another shape, in which one size may be -1 (`torch.reshape`)."""

    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """Join the dims from `start_dim` to `end_dim` into one (`torch.flatten`)."""

    def squeeze(self, dim: Dims = None) -> Tensor:
        """Remove all dims of size 1, or only the ones in `dim` (`torch.squeeze`); the result is a view."""

    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """Insert a dim of size 1 at position `dim` (`torch.unsqueeze`); the result is a view."""

    def permute(self, *dims: Any) -> Tensor:
        """Put the dims in another order (`torch.permute`); the result is a view."""

    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Exchange two dims (`torch.transpose`); the result is a view."""

    def t(self) -> Tensor:
        """Exchange the two dims of a matrix; 0-D and 1-D tensors stay as they are (`torch.t`)."""

    def repeat_interleave(self, repeats: Any, dim: builtins.int | None = None) -> Tensor:
        """Repeat each element along a dim, or of the flattened tensor, `repeats` times (`torch.repeat_interleave`)."""

    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """Set the elements above a diagonal of a matrix to 0 (`torch.tril`)."""

    def split(
        self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0
    ) -> builtins.tuple[Tensor, ...]:
        """Split a tensor along a dim into pieces of one size, or of the sizes in a list (`torch.split`)."""

    def tensor_split(
        self, indices_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0
    ) -> builtins.tuple[Tensor, ...]:
        """Split a tensor along a dim into a number of pieces, or at the indices in a list (`torch.tensor_split`)."""

    def unbind(self, dim: builtins.int = 0) -> builtins.tuple[Tensor, ...]:
        """Return the slices along a dim, without this dim (`torch.unbind`); they are views."""

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

    def expand(self, *sizes: Any) -> Tensor:
        """Repeat dims of size 1, and add dims in front, without a copy (`torch.Tensor.expand`)."""

    def repeat(self, *sizes: Any) -> Tensor:
        """Repeat the whole tensor along each dim, and along new dims in front (`torch.Tensor.repeat`)."""

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

    def to(
        self,
        *target: Any,
        dtype: DType = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """Convert to a dtype, or to the dtype of another Tensor (`torch.Tensor.to`)."""

    def cpu(self) -> Tensor:
        """Return the Tensor itself, because it is on the CPU already (`torch.Tensor.cpu`)."""

    def float(self) -> Tensor:
        """Convert to float32 (`torch.Tensor.float`)."""

    def double(self) -> Tensor:
        """Convert to float64 (`torch.Tensor.double`)."""

    def int(self) -> Tensor:
        """Convert to int32; fractions are rounded towards 0 (`torch.Tensor.int`)."""

    def long(self) -> Tensor:
        """Convert to int64; fractions are rounded towards 0 (`torch.Tensor.long`)."""

    def bool(self) -> Tensor:
        """Convert to bools: False for 0, True for all other numbers (`torch.Tensor.bool`)."""

    @property
    def device(self) -> Device:
        """The device of the Tensor: the CPU (`torch.Tensor.device`)."""

    def size(self, dim: builtins.int | None = None) -> Any:
        """Return the shape, or the size of one dim (`torch.Tensor.size`)."""

    def dim(self) -> builtins.int:
        """Return the number of dims (`torch.Tensor.dim`)."""

    def nelement(self) -> builtins.int:
        """Return the number of elements (`torch.Tensor.nelement`)."""

    def numel(self) -> builtins.int:
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

    def matmul(self, other: Tensor) -> Tensor:
        """Return the matrix product of two tensors, as `@` does (`torch.matmul`)."""

    def dot(self, other: Tensor) -> Tensor:
        """Return the sum of the elementwise products of two 1-D tensors (`torch.dot`)."""

    def __matmul__(self, other: Any) -> Any:
        """Return `input @ other`, where `other` is a Tensor or a numpy array."""

    def __iadd__(self, other: Any) -> Self: ...
    def __isub__(self, other: Any) -> Self: ...
    def __imul__(self, other: Any) -> Self: ...
    def __itruediv__(self, other: Any) -> Self: ...
    def __ipow__(self, other: Any) -> Self: ...
    def add_(self, other: Any, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times `other` in place (`torch.Tensor.add_`)."""

    def mul_(self, other: Any) -> Self:
        """Multiply by `other` in place (`torch.Tensor.mul_`)."""

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

    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times each slice of `source` along `dim` at its index in `index` (`torch.Tensor.index_add_`)."""

    @property
    def _version(self) -> builtins.int:
        """The number of in-place changes to the memory of this Tensor (`torch.Tensor._version`)."""

    def __getitem__(self, key: Any) -> Tensor:
        """Return `input[key]`: ints, slices, None, `...`, lists, integer or bool arrays or Tensors, and mixtures of these."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Set `input[key]` in place to a Tensor, an array or a number, which broadcasts."""

    def __iter__(self) -> Iterator[Tensor]:
        """Return an iterator over the slices along the first dim."""

    @property
    def grad(self) -> Tensor | None:
        """The sum of the gradients from all backward passes; for a result only after `retain_grad()`, else None."""

    @grad.setter
    def grad(self, grad: Tensor | None) -> None: ...
    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that computed this Tensor; None for a leaf."""

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
