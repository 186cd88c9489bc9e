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
        """The sum of two tensors, broadcast (`torch.add`)."""

    def sub(self, other: Operand) -> Tensor:
        """The difference of two tensors, broadcast (`torch.sub`)."""

    def mul(self, other: Operand) -> Tensor:
        """The product of two tensors, element by element, broadcast (`torch.mul`)."""

    def div(self, other: Operand) -> Tensor:
        """The quotient of two tensors, broadcast; of integers, a float (`torch.div`)."""

    def pow(self, exponent: Operand) -> Tensor:
        """`input` to the power of `exponent`, broadcast (`torch.pow`)."""

    def neg(self) -> Tensor:
        """The negative (`torch.neg`)."""

    def square(self) -> Tensor:
        """Each element times itself (`torch.square`)."""

    def exp(self) -> Tensor:
        """e to the power of each element (`torch.exp`)."""

    def log(self) -> Tensor:
        """The natural logarithm; -inf of 0, nan of less (`torch.log`)."""

    def log10(self) -> Tensor:
        """The logarithm to base 10 (`torch.log10`)."""

    def sqrt(self) -> Tensor:
        """The square root; nan of negative numbers (`torch.sqrt`)."""

    def abs(self) -> Tensor:
        """The absolute value; its gradient at 0 is 0 (`torch.abs`). RuntimeError for bools."""

    def sin(self) -> Tensor:
        """The sine of each element, in radians (`torch.sin`)."""

    def cos(self) -> Tensor:
        """The cosine of each element, in radians (`torch.cos`)."""

    def tanh(self) -> Tensor:
        """The hyperbolic tangent (`torch.tanh`)."""

    def sigmoid(self) -> Tensor:
        """1 / (1 + exp(-x)) (`torch.sigmoid`)."""

    def relu(self) -> Tensor:
        """max(x, 0); its gradient at 0 is 0 (`torch.relu`). RuntimeError for bools."""

    def clamp(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Each element, or the nearer of the bounds where it lies beyond (`torch.clamp`)."""

    def clamp_min(self, min: Operand) -> Tensor:
        """Each element, or `min` where it is less (`torch.clamp_min`)."""

    def __eq__(self, other: Any) -> Any: ...
    def __ne__(self, other: Any) -> Any: ...
    def __lt__(self, other: Any) -> Any: ...
    def __le__(self, other: Any) -> Any: ...
    def __gt__(self, other: Any) -> Any: ...
    def __ge__(self, other: Any) -> Any: ...
    def eq(self, other: Operand) -> Tensor:
        """Whether each element equals the other's, broadcast: `input == other` (`torch.eq`)."""

    def masked_fill(self, mask: Tensor, value: Operand) -> Tensor:
        """`value`, in the dtype of `input`, where the mask is true, and `input` elsewhere (`torch.masked_fill`)."""

    def clone(self) -> Tensor:
        """A copy, through which gradients flow (`torch.clone`)."""

    def sum(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """The sum over one, several or all dims; of bools and integers, an int64 (`torch.sum`)."""

    def mean(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """The mean over one, several or all dims (`torch.mean`). RuntimeError unless the dtype is floating."""

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
        """The variance over one, several or all dims (`torch.var`)."""

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
        """The square root of `var`, with the same arguments; its gradient where it is 0 is 0 (`torch.std`)."""

    def cumsum(self, dim: builtins.int) -> Tensor:
        """The sum of each element and of those before it along a dim (`torch.cumsum`)."""

    def all(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Whether every element is true, that is not 0, over one, several or all dims (`torch.all`)."""

    def any(
        self, dim: Dims = None, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """Whether any element is true, that is not 0, over one, several or all dims (`torch.any`)."""

    def allclose(
        self,
        other: Tensor,
        rtol: builtins.float = 1e-05,
        atol: builtins.float = 1e-08,
        equal_nan: builtins.bool = False,
    ) -> builtins.bool:
        """Whether every |input - other| <= atol + rtol * |other|, broadcast (`torch.allclose`)."""

    def softmax(self, dim: builtins.int) -> Tensor:
        """exp(x) over its sum along a dim: positive numbers that sum to 1 (`torch.softmax`)."""

    def log_softmax(self, dim: builtins.int) -> Tensor:
        """The logarithm of `softmax`, exact where that rounds to 0 (`torch.log_softmax`)."""

    def logsumexp(
        self, dim: Dims, keepdim: builtins.bool = False, *, axis: Any = ..., keepdims: builtins.bool = ...
    ) -> Tensor:
        """log(sum(exp(x))) over dims, without overflow (`torch.logsumexp`)."""

    def histogram(
        self,
        bins: builtins.int = 100,
        *,
        range: builtins.tuple[builtins.float, builtins.float] | None = None,
        density: builtins.bool = False,
    ) -> Histogram:
        """How many elements fall into each of `bins` equal parts of a range, by default that of the elements."""

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in another shape, in which one size may be -1 (`torch.reshape`); a view where possible."""

    def flatten(self, start_dim: builtins.int = 0, end_dim: builtins.int = -1) -> Tensor:
        """The dims from `start_dim` to `end_dim` as one (`torch.flatten`)."""

    def squeeze(self, dim: Dims = None) -> Tensor:
        """Without the dims of size 1, or without those of them that `dim` names (`torch.squeeze`); a view."""

    def unsqueeze(self, dim: builtins.int) -> Tensor:
        """With a new dim of size 1 before `dim` (`torch.unsqueeze`); a view."""

    def permute(self, *dims: Any) -> Tensor:
        """The dims in another order (`torch.permute`); a view."""

    def transpose(self, dim0: builtins.int, dim1: builtins.int) -> Tensor:
        """Two dims exchanged (`torch.transpose`); a view."""

    def t(self) -> Tensor:
        """A matrix with its two dims exchanged; a tensor of fewer dims as it is (`torch.t`)."""

    def repeat_interleave(self, repeats: Any, dim: builtins.int | None = None) -> Tensor:
        """Each element along a dim, or of the flattened tensor, `repeats` times in a row (`torch.repeat_interleave`)."""

    def tril(self, diagonal: builtins.int = 0) -> Tensor:
        """Matrices with zeros above a diagonal, counted from the main one upwards (`torch.tril`)."""

    def split(
        self, split_size_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0
    ) -> builtins.tuple[Tensor, ...]:
        """Pieces of one size along a dim, the last perhaps smaller, or of the sizes listed (`torch.split`)."""

    def tensor_split(
        self, indices_or_sections: builtins.int | Sequence[builtins.int], dim: builtins.int = 0
    ) -> builtins.tuple[Tensor, ...]:
        """As many pieces along a dim as asked for, or those between the places listed (`torch.tensor_split`)."""

    def unbind(self, dim: builtins.int = 0) -> builtins.tuple[Tensor, ...]:
        """The slices along a dim, without it (`torch.unbind`)."""

    def view(self, *shape: Any) -> Tensor:
        """`reshape` without a copy (`torch.Tensor.view`). RuntimeError if the elements' order in memory needs one."""

    def view_as(self, other: Tensor) -> Tensor:
        """`view` in another tensor's shape (`torch.Tensor.view_as`)."""

    def expand(self, *sizes: Any) -> Tensor:
        """Dims of size 1 repeated, and new ones in front, without a copy; -1 leaves a size (`torch.Tensor.expand`)."""

    def repeat(self, *sizes: Any) -> Tensor:
        """The tensor laid out `sizes` times along its dims, and along new ones in front (`torch.Tensor.repeat`)."""

    def max(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The greatest element, or over a dim the pair `values, indices` (`torch.max`)."""

    def min(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Any:
        """The least element, or over a dim the pair `values, indices`, as `max` (`torch.min`)."""

    def argmax(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The index of the greatest element, in the flattened tensor or along a dim, as int64 (`torch.argmax`)."""

    def argmin(
        self,
        dim: builtins.int | None = None,
        keepdim: builtins.bool = False,
        *,
        axis: Any = ...,
        keepdims: builtins.bool = ...,
    ) -> Tensor:
        """The index of the least element, as `argmax` (`torch.argmin`)."""

    def to(
        self,
        *target: Any,
        dtype: DType = None,
        device: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
    ) -> Tensor:
        """With its elements converted to a dtype, or to that of another Tensor; itself if they have it already."""

    def cpu(self) -> Tensor:
        """The Tensor itself."""

    def float(self) -> Tensor:
        """As float32."""

    def double(self) -> Tensor:
        """As float64."""

    def int(self) -> Tensor:
        """As int32, rounded towards 0."""

    def long(self) -> Tensor:
        """As int64, rounded towards 0."""

    def bool(self) -> Tensor:
        """As bools: whether each element is not 0."""

    @property
    def device(self) -> Device:
        """Where it is: the CPU."""

    def size(self, dim: builtins.int | None = None) -> Any:
        """The shape, or one of its sizes (`torch.Tensor.size`)."""

    def dim(self) -> builtins.int:
        """The number of dims."""

    def nelement(self) -> builtins.int:
        """The number of elements."""

    def numel(self) -> builtins.int:
        """The number of elements."""

    def item(self) -> Any:
        """The only element, as a Python number; RuntimeError if there are more or none."""

    def numpy(self) -> np.ndarray:
        """The array itself, sharing its memory. RuntimeError if the Tensor requires a gradient."""

    @property
    def data(self) -> Tensor:
        """A constant that shares the memory and has no version counter (`torch.Tensor.data`)."""

    @data.setter
    def data(self, new: Tensor) -> None: ...
    @property
    def name(self) -> builtins.str | None:
        """What to call it in pictures and messages."""

    @name.setter
    def name(self, name: builtins.str | None) -> None: ...
    @property
    def shape(self) -> Size:
        """The size of each dim."""

    def detach(self) -> Tensor:
        """A constant that shares the memory (`torch.Tensor.detach`)."""

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""

    @property
    def T(self) -> Tensor:
        """The transpose: all dims in reverse order."""

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
        """What numpy's functions do with a Tensor: `np.exp(t)` is `t.exp()`, and `array * t` is recorded."""

    def matmul(self, other: Tensor) -> Tensor:
        """The matrix product, as `@` (`torch.matmul`)."""

    def dot(self, other: Tensor) -> Tensor:
        """The sum of the products of the elements of two 1-D tensors (`torch.dot`)."""

    def __matmul__(self, other: Any) -> Any: ...
    def __iadd__(self, other: Any) -> Self: ...
    def __isub__(self, other: Any) -> Self: ...
    def __imul__(self, other: Any) -> Self: ...
    def __itruediv__(self, other: Any) -> Self: ...
    def __ipow__(self, other: Any) -> Self: ...
    def add_(self, other: Any, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times `other`."""

    def mul_(self, other: Any) -> Self:
        """Multiply by `other`."""

    def copy_(self, other: Tensor) -> Self:
        """Take the elements of `other`, broadcast and converted. RuntimeError if it has more dims."""

    def fill_(self, value: Any) -> Self:
        """Take one number everywhere."""

    def zero_(self) -> Self:
        """Become zeros."""

    def normal_(self, mean: builtins.float = 0, std: builtins.float = 1, *, generator: Generator | None = None) -> Self:
        """Draw normal numbers of a mean and a standard deviation."""

    def uniform_(
        self, from_: builtins.float = 0, to: builtins.float = 1, *, generator: Generator | None = None
    ) -> Self:
        """Draw numbers uniform between two."""

    def index_add_(self, dim: builtins.int, index: Tensor, source: Tensor, *, alpha: builtins.float = 1) -> Self:
        """Add `alpha` times the slices of `source` along `dim` at the places that `index` lists, repeated or not."""

    @property
    def _version(self) -> builtins.int:
        """How often its memory has been changed in place."""

    def __getitem__(self, key: Any) -> Tensor:
        """`input[key]`: ints, slices, None, `...`, lists, integer and bool arrays or Tensors, and mixtures."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """`input[key] = value`, in place, where `value` is a Tensor, an array or a number that broadcasts to `input[key]`."""

    def __iter__(self) -> Iterator[Tensor]: ...
    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have added up: of a leaf, or of a result after `retain_grad()`."""

    @grad.setter
    def grad(self, grad: Tensor | None) -> None: ...
    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made it; None for a leaf."""

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Self:
        """Set `requires_grad`, and return the Tensor itself."""

    def retain_grad(self) -> None:
        """Keep this result's gradient in `.grad` at the next backward pass; a leaf keeps it anyway."""

    def backward(
        self,
        gradient: Any = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Add to `.grad` of every leaf that this was computed from its gradient (`torch.Tensor.backward`)."""
