"""The functions on Tensors, which are also their methods: compositions of the rows in `ops.py`.

None of them has a derivative of its own. Names, arguments, results and refusals are PyTorch's; `axis` and `keepdims`
are accepted as numpy's spelling of `dim` and `keepdim`.
"""

import builtins
import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from minigrad import ops
from minigrad.dtypes import get_default_dtype, result_dtype
from minigrad.graph import shown_as
from minigrad.rows import Axes, Recorded, Shape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

Dims = int | Sequence[int] | None
Number = builtins.bool | int | float
Result = TypeVar("Result")
Operand = Any  # a Tensor, a number, or a numpy array

MOST_ELEMENTS = 2**48  # beyond that no memory is asked for


def array_of(name: str, x: Any) -> np.ndarray:
    """The array of a Tensor; TypeError for anything else, which has none."""
    try:
        return x.array
    except AttributeError:
        raise TypeError(f"{name}: expected a Tensor, got {type(x).__name__}; make one with tensor(...)") from None


def prints_as(grad_fn: str) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Let the results of a composition print the `grad_fn` that PyTorch's print."""

    def decorate(function: Callable[..., Result]) -> Callable[..., Result]:
        @functools.wraps(function)
        def labelled(*args: Any, **kwargs: Any) -> Result:
            return shown_as(function(*args, **kwargs), grad_fn)

        return labelled

    return decorate


# Arithmetic. The operators of Tensor are the same rows.


def add(input: Operand, other: Operand) -> "Tensor":
    """The sum of two tensors, broadcast (`torch.add`)."""
    return ops.add.on_tensors(input, other)


def sub(input: Operand, other: Operand) -> "Tensor":
    """The difference of two tensors, broadcast (`torch.sub`)."""
    return ops.sub.on_tensors(input, other)


def mul(input: Operand, other: Operand) -> "Tensor":
    """The product of two tensors, element by element, broadcast (`torch.mul`)."""
    return ops.mul.on_tensors(input, other)


def div(input: Operand, other: Operand) -> "Tensor":
    """The quotient of two tensors, broadcast; of integers, a float (`torch.div`)."""
    return ops.div.on_tensors(input, other)


def pow(input: Operand, exponent: Operand) -> "Tensor":
    """`input` to the power of `exponent`, broadcast (`torch.pow`)."""
    return ops.pow.on_tensors(input, exponent)


def neg(input: "Tensor") -> "Tensor":
    """The negative (`torch.neg`)."""
    return ops.neg.on_tensors(input)


_MATMUL_GRAD_FNS = {  # for a row on the left, a column on the right
    (False, False): "MmBackward0",
    (False, True): "MvBackward0",
    (True, False): "SqueezeBackward4",
    (True, True): "DotBackward0",
}


def matmul(input: "Tensor", other: "Tensor") -> "Tensor":
    """The matrix product, as `@` (`torch.matmul`).

    (n, k) @ (k, m) is (n, m), and further dimensions in front are broadcast batches; a 1-D operand is a row on the left
    and a column on the right, and its dimension is not in the result. RuntimeError where the inner sizes differ.
    """
    try:
        a, b = input.array, other.array
    except AttributeError:
        odd = other if hasattr(input, "array") else input
        raise TypeError(f"matmul: expected two Tensors, got {type(odd).__name__}; make one with tensor(...)") from None
    if not a.ndim or not b.ndim:
        raise RuntimeError(f"matmul: {a.shape} @ {b.shape}: both need a dimension; use * for single numbers")
    if a.dtype != b.dtype:
        raise RuntimeError(f"matmul: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    row, column = a.ndim == 1, b.ndim == 1
    inner = a.shape[-1], b.shape[-1 if column else -2]
    if inner[0] != inner[1]:
        raise RuntimeError(f"matmul: {a.shape} @ {b.shape}: inner sizes {inner[0]} and {inner[1]} differ")
    if a.ndim == b.ndim == 2:
        return ops.matmul.on_tensors(input, other)
    left = unsqueeze(input, 0) if row else input
    right = unsqueeze(other, 1) if column else other
    product = ops.matmul.on_tensors(left, right)
    if row or column:
        product = squeeze(product, (-2,) * row + (-1,) * column)
    if product.ndim > 2 or a.ndim > 2 or b.ndim > 2:
        return shown_as(product, "UnsafeViewBackward0")
    return shown_as(product, _MATMUL_GRAD_FNS[row, column])


# Functions of one number


def log10(input: "Tensor") -> "Tensor":
    """The logarithm to base 10 (`torch.log10`)."""
    return ops.log10.on_tensors(input)


def exp(input: "Tensor") -> "Tensor":
    """e to the power of each element (`torch.exp`)."""
    return ops.exp.on_tensors(input)


def log(input: "Tensor") -> "Tensor":
    """The natural logarithm; -inf of 0, nan of less (`torch.log`)."""
    return ops.log.on_tensors(input)


def sqrt(input: "Tensor") -> "Tensor":
    """The square root; nan of negative numbers (`torch.sqrt`)."""
    return ops.sqrt.on_tensors(input)


def square(input: "Tensor") -> "Tensor":
    """Each element times itself (`torch.square`)."""
    return ops.pow.on_tensors(input, 2)


def abs(input: "Tensor") -> "Tensor":
    """The absolute value; its gradient at 0 is 0 (`torch.abs`). RuntimeError for bools."""
    _check_no_bools("abs", input)
    return ops.abs.on_tensors(input)


def tanh(input: "Tensor") -> "Tensor":
    """The hyperbolic tangent (`torch.tanh`)."""
    return ops.tanh.on_tensors(input)


def sigmoid(input: "Tensor") -> "Tensor":
    """1 / (1 + exp(-x)) (`torch.sigmoid`)."""
    return ops.sigmoid.on_tensors(input)


def relu(input: "Tensor") -> "Tensor":
    """max(x, 0); its gradient at 0 is 0 (`torch.relu`). RuntimeError for bools."""
    _check_no_bools("relu", input)
    return ops.relu.on_tensors(input)


@prints_as("ClampBackward1")
def clamp(input: "Tensor", min: Operand | None = None, max: Operand | None = None) -> "Tensor":
    """Each element, or the nearer of the bounds where it lies beyond (`torch.clamp`)."""
    x, bounds = array_of("clamp", input), [bound for bound in (min, max) if bound is not None]
    if not bounds:
        raise RuntimeError("clamp: expected min, max or both")
    for bound in bounds:
        check_operand("clamp", bound)
    if builtins.any(isinstance(bound, Recorded | np.ndarray) for bound in bounds):
        input = input if min is None else where(input < min, min, input)
        return input if max is None else where(input > max, max, input)
    low, high = (-math.inf if min is None else min), (math.inf if max is None else max)
    if x.dtype.kind == "f":
        return ops.clamp.on_tensors(input, low, high)
    return input.wrap(np.asarray(np.clip(x, min, max), result_dtype([x, *bounds])))


@prints_as("ClampMinBackward0")
def clamp_min(input: "Tensor", min: Operand) -> "Tensor":
    """Each element, or `min` where it is less (`torch.clamp_min`)."""
    return clamp(input, min)


# Reductions


def _numpy_spelling(function: Callable[..., Result]) -> Callable[..., Result]:
    """Let a function of `dim` and `keepdim` be called with `axis` and `keepdims` instead."""

    @functools.wraps(function)
    def spelled(*args: Any, **kwargs: Any) -> Result:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        return function(*args, **kwargs)

    return spelled


def _shown(pair: Any) -> str:
    """What PyTorch shows of a pair that a function returns."""
    fields = ",\n".join(f"{name}={value!r}" for name, value in pair._asdict().items())
    return f"torch.return_types.{type(pair).__name__.lower()}(\n{fields})"


class Max(NamedTuple):
    """What `max` returns over a dim: the values, and where along the dim they stood."""

    values: "Tensor"
    indices: "Tensor"

    def __repr__(self) -> str:
        return _shown(self)


class Min(NamedTuple):
    """What `min` returns over a dim: the values, and where along the dim they stood."""

    values: "Tensor"
    indices: "Tensor"

    def __repr__(self) -> str:
        return _shown(self)


@_numpy_spelling
def sum(input: "Tensor", dim: Dims = None, keepdim: bool = False) -> "Tensor":
    """The sum over one, several or all dims; of bools and integers, an int64 (`torch.sum`)."""
    axes = _axes("sum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.sum.on_tensors(x, axes, keepdim, grad_fn="SumBackward0" if dim is None else "SumBackward1")


@_numpy_spelling
def mean(input: "Tensor", dim: Dims = None, keepdim: bool = False) -> "Tensor":
    """The mean over one, several or all dims (`torch.mean`). RuntimeError unless the dtype is floating."""
    check_floating("mean", input)
    grad_fn = "MeanBackward0" if dim is None else "MeanBackward1"
    return ops.mean.on_tensors(input, _axes("mean", input, dim), keepdim, grad_fn=grad_fn)


@_numpy_spelling
def var(
    input: "Tensor",
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> "Tensor":
    """The variance over one, several or all dims (`torch.var`).

    The sum of squared differences from the mean is divided by n - `correction`; the correction is 1 (Bessel's) unless
    `unbiased` is False, which may also come first: `var(False)`. RuntimeError unless the dtype is floating.
    """
    return _variance("var", input, dim, unbiased, keepdim, correction)


@_numpy_spelling
def std(
    input: "Tensor",
    dim: Dims | bool = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: int | None = None,
) -> "Tensor":
    """The square root of `var`, with the same arguments; its gradient where it is 0 is 0 (`torch.std`)."""
    variance = _variance("std", input, dim, unbiased, keepdim, correction)
    if variance.array.all():
        return ops.sqrt.on_tensors(variance, grad_fn="StdBackward0")
    # Where it is 0 the square root's slope is infinite, and infinity times 0 would be nan.
    flat = variance == 0
    return shown_as(where(flat, 0.0, sqrt(where(flat, 1.0, variance))), "StdBackward0")


def _variance(
    name: str, input: "Tensor", dim: Dims | bool, unbiased: bool, keepdim: bool, correction: int | None
) -> "Tensor":
    check_floating(name, input)
    if isinstance(dim, bool):
        unbiased = dim
    axes = _axes(name, input, None if isinstance(dim, bool) else dim)
    if correction is None:
        correction = int(unbiased)
    elif isinstance(correction, Recorded | np.generic):
        correction = correction.item()  # type: ignore[union-attr]
    if not isinstance(correction, Number):
        raise TypeError(f"{name}: correction must be a number, not {type(correction).__name__}")
    degrees = ops.count(input.array.shape, axes) - correction
    return ops.var.on_tensors(input, axes, keepdim, builtins.max(degrees, 0))[0]


@_numpy_spelling
def max(input: "Tensor", dim: int | None = None, keepdim: bool = False) -> Any:
    """The greatest element, or over a dim the pair `values, indices` (`torch.max`).

    Over a dim the gradient goes to the index returned, the first of equals; of the whole tensor, to all equals evenly.
    """
    return _extremum("max", input, dim, keepdim)


@_numpy_spelling
def min(input: "Tensor", dim: int | None = None, keepdim: bool = False) -> Any:
    """The least element, or over a dim the pair `values, indices`, as `max` (`torch.min`)."""
    return _extremum("min", input, dim, keepdim)


@_numpy_spelling
def argmax(input: "Tensor", dim: int | None = None, keepdim: bool = False) -> "Tensor":
    """The index of the greatest element, in the flattened tensor or along a dim, as int64 (`torch.argmax`)."""
    _check_no_bools("argmax", input)
    return _arg_extremum("argmax", np.ndarray.argmax, input, dim, keepdim)


@_numpy_spelling
def argmin(input: "Tensor", dim: int | None = None, keepdim: bool = False) -> "Tensor":
    """The index of the least element, as `argmax` (`torch.argmin`)."""
    _check_no_bools("argmin", input)
    return _arg_extremum("argmin", np.ndarray.argmin, input, dim, keepdim)


@_numpy_spelling
def all(input: "Tensor", dim: Dims = None, keepdim: bool = False) -> "Tensor":
    """Whether every element is true, that is not 0, over one, several or all dims (`torch.all`)."""
    return _truth("all", np.all, input, dim, keepdim)


@_numpy_spelling
def any(input: "Tensor", dim: Dims = None, keepdim: bool = False) -> "Tensor":
    """Whether any element is true, that is not 0, over one, several or all dims (`torch.any`)."""
    return _truth("any", np.any, input, dim, keepdim)


def _truth(name: str, reduce: Any, input: "Tensor", dim: Dims, keepdim: bool) -> "Tensor":
    """`np.all` or `np.any` as bools; of uint8, as in PyTorch, as uint8."""
    axes = () if _lists_none(dim) else _axes(name, input, dim)
    truth = np.asarray(reduce(array_of(name, input), axis=axes, keepdims=keepdim))
    return input.wrap(truth.astype(np.uint8) if input.array.dtype == np.uint8 else truth)


def cumsum(input: "Tensor", dim: int) -> "Tensor":
    """The sum of each element and of those before it along a dim (`torch.cumsum`)."""
    axis = _axis("cumsum", input, dim)
    x = input if input.array.dtype.kind == "f" else input.to(np.int64)
    return ops.cumsum.on_tensors(x, axis) if input.ndim else clone(x)


def dot(input: "Tensor", other: "Tensor") -> "Tensor":
    """The sum of the products of the elements of two 1-D tensors (`torch.dot`)."""
    tensors_of("dot", (input, other))
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"dot: expected two 1-D tensors, got {input.array.shape} and {other.array.shape}; use @")
    return matmul(input, other)


def allclose(
    input: "Tensor", other: "Tensor", rtol: float = 1e-05, atol: float = 1e-08, equal_nan: builtins.bool = False
) -> builtins.bool:
    """Whether every |input - other| <= atol + rtol * |other|, broadcast (`torch.allclose`)."""
    a, b = array_of("allclose", input), array_of("allclose", other)
    if a.dtype != b.dtype:
        raise RuntimeError(f"allclose: dtypes {a.dtype} and {b.dtype} differ; convert one with .to(dtype)")
    if not (isinstance(rtol, Number) and isinstance(atol, Number)):
        raise TypeError(f"allclose: rtol and atol must be numbers, got {rtol!r} and {atol!r}")
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise RuntimeError(f"allclose: rtol and atol must be finite and not negative, got {rtol} and {atol}")
    try:
        return builtins.bool(np.allclose(a, b, rtol, atol, equal_nan))
    except ValueError:
        raise RuntimeError(f"allclose: {a.shape} and {b.shape} do not broadcast") from None


def eq(input: "Tensor", other: Operand) -> "Tensor":
    """Whether each element equals the other's, broadcast: `input == other` (`torch.eq`)."""
    array_of("eq", input)
    check_operand("eq", other)
    return input == other


class Histogram(NamedTuple):
    """What `histogram` returns: the counts, or densities, and the edges of the bins, one more."""

    hist: "Tensor"
    bin_edges: "Tensor"

    def __repr__(self) -> str:
        return _shown(self)


def histogram(
    input: "Tensor", bins: int = 100, *, range: tuple[float, float] | None = None, density: builtins.bool = False
) -> Histogram:
    """How many elements fall into each of `bins` equal parts of a range, by default that of the elements.

    With `density` the counts are divided so that their integral is 1 (`torch.histogram`).
    """
    check_floating("histogram", input)
    bins = int_of("histogram", bins)
    if not isinstance(range, tuple | list | None):
        raise TypeError(f"histogram: range must be two numbers, not {range!r}")
    try:
        with np.errstate(all="ignore"):
            counts, edges = np.histogram(input.array, bins, range, density=density)
    except (ValueError, TypeError, MemoryError, OverflowError) as error:
        raise RuntimeError(f"histogram: {bins} bins over {range}: {error}") from None
    return Histogram(*(input.wrap(x.astype(input.array.dtype)) for x in (counts, edges)))


_EXTREMA: dict[str, tuple[Any, ...]] = {
    "max": (ops.max, ops.amax, np.ndarray.argmax, Max),
    "min": (ops.min, ops.amin, np.ndarray.argmin, Min),
}


def _extremum(name: str, input: "Tensor", dim: int | None, keepdim: bool) -> Any:
    row, whole, arg, pair = _EXTREMA[name]
    if dim is None:
        if not array_of(name, input).size:
            raise RuntimeError(f"{name}: {input.array.shape} has no elements, so it has no {name}; give a dim")
        if keepdim:
            raise TypeError(f"{name}: keepdim is for a dim, and none was given")
        return whole.on_tensors(input, tuple(range(input.ndim)), False)
    axis = _axis(name, input, dim)
    if not input.array.ndim:
        return pair(ops.reshape.on_tensors(input, ()), input.wrap(np.zeros((), np.int64)))
    indices = _places(name, arg, input.array, axis, True)
    values = row.on_tensors(input, (axis,), keepdim, indices)
    return pair(values, input.wrap(indices if keepdim else indices.squeeze(axis)))


def _arg_extremum(name: str, arg: Any, input: "Tensor", dim: int | None, keepdim: bool) -> "Tensor":
    x = array_of(name, input)
    axis = None if dim is None else _axis(name, input, dim)
    return input.wrap(np.asarray(_places(name, arg, x, axis if x.ndim else None, keepdim)))


def _places(name: str, arg: Any, x: np.ndarray, axis: int | None, keepdim: bool) -> Any:
    if not (x.size if axis is None else x.shape[axis]):
        raise IndexError(f"{name}: {x.shape} has no elements along dim {axis}, so there is none to choose")
    return arg(x, axis, keepdims=keepdim)


def check_floating(name: str, input: "Tensor") -> None:
    """Refuse with a RuntimeError a Tensor that does not hold floating numbers, and with a TypeError anything else."""
    if array_of(name, input).dtype.kind != "f":
        raise RuntimeError(f"{name}: needs a floating dtype, got {input.array.dtype}; convert with .float() first")


def _check_no_bools(name: str, input: "Tensor") -> None:
    if array_of(name, input).dtype.kind == "b":
        raise RuntimeError(f"{name}: is not defined for bools; convert with .long() or .float() first")


def _axes(name: str, input: "Tensor", dim: Dims) -> Axes:
    """The dims meant by `dim`, none of them negative; all of them for None and for ()."""
    ndim = array_of(name, input).ndim
    if type(dim) is int and 0 <= dim < ndim:
        return (dim,)
    dims = [dim] if not isinstance(dim, tuple | list | None) else dim
    if not dims:
        return tuple(range(ndim))
    axes = tuple([axis_of(name, d, ndim) for d in dims])
    if len(set(axes)) < len(axes):
        raise RuntimeError(f"{name}: dim {dim} names one of the {ndim} dims of {input.array.shape} twice")
    return axes[:ndim]  # a single number counts as one dim, which is not there to be reduced


def _lists_none(dim: Dims) -> bool:
    return isinstance(dim, tuple | list) and not dim


def _axis(name: str, input: "Tensor", dim: Any) -> int:
    """The dim of a Tensor that is meant by `dim`, not negative."""
    return axis_of(name, dim, array_of(name, input).ndim)


def axis_of(name: str, dim: Any, ndim: int) -> int:
    """`dim`, of `ndim` dims, counted from the first. TypeError unless an int, IndexError if there is none such."""
    n = ndim or 1
    if type(dim) is int and -n <= dim < n:
        return dim % n
    if not isinstance(dim, int | np.integer) or isinstance(dim, bool):
        raise TypeError(f"{name}: dim must be an int, not {type(dim).__name__}")
    if not -n <= dim < n:
        raise IndexError(f"{name}: dim {dim} is out of range for {ndim} dims: expected -{n} to {n - 1}")
    return int(dim) % n


# Shape


def reshape(input: "Tensor", *shape: Any) -> "Tensor":
    """The same elements in another shape, in which one size may be -1 (`torch.reshape`); a view where possible.

    RuntimeError where the sizes do not fit.
    """
    return _reshaped(input, _fitted("reshape", array_of("reshape", input).shape, shape))


def view(input: "Tensor", *shape: Any) -> "Tensor":
    """`reshape` that never copies (`torch.Tensor.view`): RuntimeError where the elements' order in memory needs one."""
    result = ops.reshape.on_tensors(input, _fitted("view", array_of("view", input).shape, shape))
    if result.origin is None and result.array.size and not np.may_share_memory(result.array, input.array):
        raise RuntimeError(
            f"view: {input.array.shape} cannot be seen as {result.array.shape} without a copy, for its order in memory "
            "(a transposed tensor, for example); use .reshape(...)"
        )
    return result


def flatten(input: "Tensor", start_dim: int = 0, end_dim: int = -1) -> "Tensor":
    """The dims from `start_dim` to `end_dim` as one (`torch.flatten`)."""
    shape = array_of("flatten", input).shape
    start, end = axis_of("flatten", start_dim, len(shape)), axis_of("flatten", end_dim, len(shape))
    if start > end:
        raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in {shape}")
    if start == end and shape:
        return input
    return _reshaped(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def _reshaped(input: "Tensor", shape: Shape) -> "Tensor":
    result = ops.reshape.on_tensors(input, shape)
    return result if result.origin is not None else shown_as(result, "UnsafeViewBackward0")


def permute(input: "Tensor", *dims: Any) -> "Tensor":
    """The dims in another order (`torch.permute`); a view."""
    shape, order = array_of("permute", input).shape, sizes_of("permute", dims)
    axes = tuple([axis_of("permute", dim, len(shape)) for dim in order]) if len(order) == len(shape) else ()
    if len(set(axes)) < len(order):
        raise RuntimeError(f"permute: {order} must name each of the {len(shape)} dims of {shape} once")
    return ops.permute.on_tensors(input, axes)


def transpose(input: "Tensor", dim0: int, dim1: int) -> "Tensor":
    """Two dims exchanged (`torch.transpose`); a view."""
    first, second = _axis("transpose", input, dim0), _axis("transpose", input, dim1)
    axes = list(range(input.ndim))
    if axes:
        axes[first], axes[second] = second, first
    return ops.permute.on_tensors(input, tuple(axes), grad_fn="TransposeBackward0")


def squeeze(input: "Tensor", dim: Dims = None) -> "Tensor":
    """Without the dims of size 1, or without those of them that `dim` names (`torch.squeeze`); a view."""
    axes = () if _lists_none(dim) else _axes("squeeze", input, dim)
    shape = tuple(size for axis, size in enumerate(array_of("squeeze", input).shape) if size != 1 or axis not in axes)
    kind = 0 if dim is None else 1 if isinstance(dim, int) else 2
    return ops.reshape.on_tensors(input, shape, grad_fn=f"SqueezeBackward{kind}")


def unsqueeze(input: "Tensor", dim: int) -> "Tensor":
    """With a new dim of size 1 before `dim` (`torch.unsqueeze`); a view."""
    shape = array_of("unsqueeze", input).shape
    axis = axis_of("unsqueeze", dim, len(shape) + 1)
    return ops.reshape.on_tensors(input, (*shape[:axis], 1, *shape[axis:]), grad_fn="UnsqueezeBackward0")


def expand(input: "Tensor", *sizes: Any) -> "Tensor":
    """Dims of size 1 repeated, and new ones in front, without a copy; -1 leaves a size (`torch.Tensor.expand`)."""
    shape, wanted = array_of("expand", input).shape, sizes_of("expand", sizes)
    extra = len(wanted) - len(shape)
    full = tuple(shape[i - extra] if size == -1 and i >= extra else size for i, size in enumerate(wanted))
    if (
        extra < 0
        or builtins.any(have not in (1, size) for have, size in zip(shape, full[extra:], strict=True))
        or -1 in full
    ):
        raise RuntimeError(f"expand: {input.array.shape} does not expand to {wanted}: only sizes of 1 can grow")
    return ops.expand.on_tensors(input, full)


def view_as(input: "Tensor", other: "Tensor") -> "Tensor":
    """`view` in another tensor's shape (`torch.Tensor.view_as`)."""
    tensors_of("view_as", (input, other))
    return view(input, other.array.shape)


@prints_as("TBackward0")
def t(input: "Tensor") -> "Tensor":
    """A matrix with its two dims exchanged; a tensor of fewer dims as it is (`torch.t`)."""
    if array_of("t", input).ndim > 2:
        raise RuntimeError(f"t: expected at most 2 dims, got {input.array.shape}; use .mT or .transpose(dim0, dim1)")
    return permute(input, tuple(reversed(range(input.ndim))))


@prints_as("RepeatBackward0")
def repeat(input: "Tensor", *sizes: Any) -> "Tensor":
    """The tensor laid out `sizes` times along its dims, and along new ones in front (`torch.Tensor.repeat`)."""
    shape, times = array_of("repeat", input).shape, sizes_of("repeat", sizes)
    if len(times) < len(shape) or builtins.min(times, default=0) < 0:
        raise RuntimeError(f"repeat: {times} must have a number, 0 or more, for each of the dims of {shape}")
    shape = (1,) * (len(times) - len(shape)) + shape
    single = reshape(input, [n for size in shape for n in (1, size)])
    tiled = expand(single, [n for pair in zip(times, shape, strict=True) for n in pair])
    return reshape(tiled, [n * size for n, size in zip(times, shape, strict=True)])


@prints_as("ViewBackward0")
def repeat_interleave(input: "Tensor", repeats: Any, dim: int | None = None) -> "Tensor":
    """Each element along a dim, or of the flattened tensor, `repeats` times in a row (`torch.repeat_interleave`).

    `repeats` is an int, or a Tensor with one for each element.
    """
    if dim is None:
        return repeat_interleave(reshape(input, -1), repeats, 0)
    axis = _axis("repeat_interleave", input, dim)
    counts = repeats if isinstance(repeats, np.ndarray) else getattr(repeats, "array", None)
    if counts is None:
        counts = int_of("repeat_interleave", repeats)
    elif counts.dtype.kind != "i":
        raise RuntimeError(f"repeat_interleave: repeats must be integers, not {counts.dtype}; convert with .long()")
    old = np.arange(input.array.shape[axis])
    try:
        if np.broadcast_to(counts, old.shape).sum(dtype=np.float64) > MOST_ELEMENTS:  # numpy does not survive those
            raise MemoryError("more than any memory holds")
        places = np.repeat(old, counts)
    except (ValueError, MemoryError) as error:
        raise RuntimeError(
            f"repeat_interleave: {repeats} times along dim {dim} of {input.array.shape}: {error}"
        ) from None
    return ops.index.on_tensors(input, (*[slice(None)] * axis, places))


@prints_as("TrilBackward0")
def tril(input: "Tensor", diagonal: int = 0) -> "Tensor":
    """Matrices with zeros above a diagonal, counted from the main one upwards (`torch.tril`)."""
    if array_of("tril", input).ndim < 2:
        raise RuntimeError(f"tril: expected a matrix, got {input.array.shape}")
    below = np.tril(np.ones(input.array.shape[-2:], np.bool_), int_of("tril", diagonal))
    return where(input.wrap(below), input, np.zeros((), input.array.dtype))


def split(tensor: "Tensor", split_size_or_sections: int | Sequence[int], dim: int = 0) -> "tuple[Tensor, ...]":
    """Pieces of one size along a dim, the last perhaps smaller, or of the sizes listed (`torch.split`).

    RuntimeError for sizes that are not positive, or do not sum to that of the dim.
    """
    axis, length = _long_axis("split", tensor, dim)
    sizes = sizes_of("split", (split_size_or_sections,))
    if not isinstance(split_size_or_sections, tuple | list):
        (size,) = sizes
        if size < (1 if length else 0):
            raise RuntimeError(f"split: a size of {size}; expected at least 1")
        starts = [*range(0, length, size)][1:] if length else []
        return _parted("split", _pieces(tensor, starts, axis, "SplitBackward0"))
    if builtins.min(sizes, default=0) < 0 or builtins.sum(sizes) != length:
        raise RuntimeError(f"split: {[*sizes]} must sum to the size {length} of dim {axis}, without negative sizes")
    pieces = _pieces(tensor, np.cumsum(sizes)[:-1].tolist(), axis, "SplitWithSizesBackward0")
    return _parted("split", pieces[: len(sizes)])


def tensor_split(input: "Tensor", indices_or_sections: int | Sequence[int], dim: int = 0) -> "tuple[Tensor, ...]":
    """As many pieces along a dim as asked for, or those between the places listed (`torch.tensor_split`)."""
    axis, length = _long_axis("tensor_split", input, dim)
    places = sizes_of("tensor_split", (indices_or_sections,))
    if not isinstance(indices_or_sections, tuple | list):
        (count,) = places
        if not 1 <= count < 2**32:
            raise RuntimeError(f"tensor_split: {count} pieces; expected at least 1, and no more than fit in memory")
        larger = length % count  # so many pieces have one element more than the others
        places = tuple([i * (length // count) + builtins.min(i, larger) for i in range(1, count)])
    return _pieces(input, [*places], axis, "SliceBackward0")


def unbind(input: "Tensor", dim: int = 0) -> "tuple[Tensor, ...]":
    """The slices along a dim, without it (`torch.unbind`)."""
    axis = _axis("unbind", input, dim)
    if not input.ndim:
        raise IndexError("unbind: a single number has no dim to part")
    keys = ((*[slice(None)] * axis, i) for i in range(input.array.shape[axis]))
    return _parted("unbind", tuple(ops.index.on_tensors(input, key, grad_fn="UnbindBackward0") for key in keys))


def _long_axis(name: str, input: "Tensor", dim: int) -> tuple[int, int]:
    """A dim and its size; RuntimeError for a single number, which has none."""
    if not array_of(name, input).ndim:
        raise RuntimeError(f"{name}: a single number has no dim to part")
    axis = _axis(name, input, dim)
    return axis, input.array.shape[axis]


def _parted(name: str, views: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
    """Views that `name` makes at once; like PyTorch, minigrad refuses to change one of those in place."""
    for view in views:
        view.origin = view.origin._replace(parted=name) if view.origin else None
    return views


def _pieces(input: "Tensor", places: list[int], axis: int, grad_fn: str) -> "tuple[Tensor, ...]":
    bounds = zip([0, *places], [*places, input.array.shape[axis]], strict=True)
    keys = ((*[slice(None)] * axis, slice(start, end)) for start, end in bounds)
    return tuple(ops.index.on_tensors(input, key, grad_fn=grad_fn) for key in keys)


def cat(tensors: Sequence["Tensor"], dim: int = 0) -> "Tensor":
    """The tensors one after the other along a dim (`torch.cat`). RuntimeError where their other sizes differ.

    An empty tensor of shape (0,) fits everywhere, as in PyTorch.
    """
    tensors = tensors_of("cat", tensors, ValueError)
    dtype = result_dtype(t.array for t in tensors)
    first = next((t for t in tensors if t.array.shape != (0,)), tensors[0])
    axis = axis_of("cat", dim, first.ndim)
    shape = first.array.shape
    parts = []
    for t in tensors:
        if not t.ndim:
            raise RuntimeError("cat: a single number has no dim to go along; use stack")
        if t.array.shape == (0,):
            t = reshape(t, *shape[:axis], 0, *shape[axis + 1 :])
        others = [(*size[:axis], *size[axis + 1 :]) for size in (t.array.shape, shape)]
        if t.ndim != len(shape) or others[0] != others[1]:
            raise RuntimeError(f"cat: {shape} and {t.array.shape} differ in more than dim {axis}")
        parts.append(t.to(dtype))
    bounds = np.cumsum([0, *(t.shape[axis] for t in parts)]).tolist()
    return ops.cat.on_tensors(*parts, axis, bounds)


@prints_as("StackBackward0")
def stack(tensors: Sequence["Tensor"], dim: int = 0) -> "Tensor":
    """The tensors, all of one shape, along a new dim (`torch.stack`)."""
    tensors = tensors_of("stack", tensors)
    axis = axis_of("stack", dim, tensors[0].ndim + 1)
    shapes = {t.array.shape for t in tensors}
    if len(shapes) != 1:
        raise RuntimeError(f"stack: the tensors must have one shape, got {', '.join(map(str, sorted(shapes)))}")
    return cat([unsqueeze(t, axis) for t in tensors], axis)


def tensors_of(name: str, tensors: Any, none: type[Exception] = RuntimeError) -> "tuple[Tensor, ...]":
    """The Tensors in a tuple or list; TypeError for anything else, and the error `none` if there are none."""
    if not isinstance(tensors, tuple | list):
        raise TypeError(f"{name}: expected a tuple or list of Tensors, got {type(tensors).__name__}")
    for t in tensors:
        if not hasattr(t, "array"):
            raise TypeError(f"{name}: expected Tensors, got {type(t).__name__}; make one with tensor(...)")
    if not tensors:
        raise none(f"{name}: expected at least one tensor, got none")
    return tuple(tensors)


def sizes_of(name: str, given: tuple[Any, ...]) -> Shape:
    """Sizes, or dims, given either as arguments or as one sequence. TypeError unless they are integers."""
    sizes = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
    kinds = {*map(type, sizes)}
    if kinds == {int}:
        return tuple(sizes)
    try:
        if given and bool not in kinds:
            return tuple([operator.index(size) for size in sizes])
    except TypeError:
        pass
    raise TypeError(f"{name}: expected integers, got {', '.join(map(repr, sizes)) or 'none'}")


def int_of(name: str, x: Any) -> int:
    """An int of Python's or numpy's; TypeError for anything else."""
    if not isinstance(x, int | np.integer) or isinstance(x, bool):
        raise TypeError(f"{name}: expected an integer, got {x!r}")
    return int(x)


def _fitted(name: str, shape: Shape, given: tuple[Any, ...]) -> Shape:
    """The sizes given, with that of -1 worked out. RuntimeError unless they hold as many elements as `shape`."""
    wanted, count = sizes_of(name, given), math.prod(shape)
    if wanted.count(-1) == 1 and (known := -math.prod(wanted)):
        wanted = tuple([count // known if size == -1 else size for size in wanted])
    if math.prod(wanted) != count or builtins.min(wanted, default=0) < 0:
        raise RuntimeError(f"{name}: {shape} has {count} elements, which do not fill {sizes_of(name, given)}")
    return wanted


# Distributions


def softmax(input: "Tensor", dim: int) -> "Tensor":
    """exp(x) over its sum along a dim: positive numbers that sum to 1 (`torch.softmax`)."""
    axis = _axis("softmax", input, dim)
    check_floating("softmax", input)
    return ops.softmax.on_tensors(input, (axis,)[: input.ndim])


def log_softmax(input: "Tensor", dim: int) -> "Tensor":
    """The logarithm of `softmax`, exact where that rounds to 0 (`torch.log_softmax`)."""
    axes = (_axis("log_softmax", input, dim),)[: array_of("log_softmax", input).ndim]
    check_floating("log_softmax", input)
    return ops.log_softmax.on_tensors(input, axes)


@_numpy_spelling
def logsumexp(input: "Tensor", dim: Dims, keepdim: builtins.bool = False) -> "Tensor":
    """log(sum(exp(x))) over dims, without overflow (`torch.logsumexp`)."""
    axes = _axes("logsumexp", input, dim)
    input = input if input.array.dtype.kind == "f" else input.to(get_default_dtype())
    return ops.logsumexp.on_tensors(input, axes, keepdim)


# Choosing and copying


def where(condition: "Tensor", input: Operand, other: Operand) -> "Tensor":
    """`input` where the condition holds and `other` elsewhere, all three broadcast (`torch.where`)."""
    if array_of("where", condition).dtype != bool:
        raise RuntimeError("where: the condition must be a Tensor of bools, such as x > 0")
    choices = [np.asarray(x) if isinstance(x, np.generic) else x for x in (input, other)]
    for x in choices:
        check_operand("where", x)
    dtype = result_dtype(getattr(x, "array", x) for x in choices)
    converted = [np.asarray(x, dtype) if isinstance(x, Number | np.ndarray) else x.to(dtype) for x in choices]
    return ops.where.on_tensors(condition, *converted)


@prints_as("MaskedFillBackward0")
def masked_fill(input: "Tensor", mask: "Tensor", value: Operand) -> "Tensor":
    """`value`, in the dtype of `input`, where the mask is true, and `input` elsewhere (`torch.masked_fill`)."""
    array_of("masked_fill", input)
    if array_of("masked_fill", mask).dtype != bool:
        raise RuntimeError("masked_fill: the mask must be a Tensor of bools, such as x > 0")
    check_operand("masked_fill", value)
    values: Any = value if isinstance(value, Recorded) else input.wrap(np.asarray(value))
    if values.array.ndim:
        raise RuntimeError(f"masked_fill: a value of shape {values.array.shape}; expected a single one, or use where")
    return where(mask, values.to(input.dtype), input)


def check_operand(name: str, x: Any) -> None:
    """Refuse with a TypeError what is neither a Tensor nor a number nor an array of numpy's."""
    if not isinstance(x, Recorded | Number | np.generic | np.ndarray):
        raise TypeError(f"{name}: expected Tensors or numbers, got {type(x).__name__}")


def clone(input: "Tensor") -> "Tensor":
    """A copy, through which gradients flow (`torch.clone`)."""
    return ops.cast.on_tensors(input, array_of("clone", input).dtype, grad_fn="CloneBackward0")
