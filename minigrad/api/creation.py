"""Functions that make new Tensors: from data, filled with a number, and counted. Random ones are in `sampling.py`."""

import contextlib
import math
from typing import Any

import numpy as np

from minigrad.api.arguments import MOST_ELEMENTS, Number, array_of, named
from minigrad.api.limits import fitting
from minigrad.api.making import count_of, leaf, numbers_of, on_device, shape_of
from minigrad.checks import flag_of
from minigrad.core import dtypes
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.methods import methods
from minigrad.core.tensor import Tensor, wrap

# From data


@on_device
def tensor(data: Any, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a Tensor with a copy of `data`: a number, nested sequences, a numpy array or a Tensor (`torch.tensor`).

    Python floats become the default dtype, ints int64 and bools bool; numpy numbers keep their dtype. A Tensor inside a
    sequence stands for its only number. Raises a ValueError if it has more than one or if nested sequences differ in
    length, a TypeError if they hold anything but numbers, and a RuntimeError if a Tensor inside requires a gradient.

    >>> tensor([[1, 2.5], [3, 4]])
    tensor([[1.0000, 2.5000],
            [3.0000, 4.0000]])
    """
    flag_of("tensor", "requires_grad", requires_grad)
    data = [*data] if isinstance(data, bytearray | memoryview) else data  # integers, of which numpy would make uint8
    array = data.array.copy("K") if isinstance(data, Tensor) else _array(data)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"tensor: expected numbers, got {_odd_one(data)}")
    # numpy has its own dtypes for Python's numbers; that for ints depends on the platform.
    default: dict[Any, Any] = {np.array(0.0).dtype: dtypes.get_default_dtype(), np.array(0).dtype: np.int64}
    wanted = default.get(array.dtype, array.dtype)
    if dtype is None and array.dtype != wanted and not _holds(array.dtype, data):
        array = array.astype(wanted)
    return leaf(array.astype(number_dtype("tensor", dtype, array.dtype), copy=False), requires_grad)


def _array(data: Any) -> np.ndarray:
    """Return the numbers in `data` as an array."""
    first = data
    for _ in range(64):  # numpy's arrays have no more dims, and a list may contain itself
        first = first[0] if isinstance(first, list | tuple) and first else first
    if not isinstance(first, Tensor):
        with contextlib.suppress(ValueError, RuntimeError):  # a Tensor may stand further back
            array = np.array(data)
            if array.dtype not in (object, np.uint64) or isinstance(data, np.ndarray | np.generic):
                return array
    try:
        plain = _plain(data)
    except (OverflowError, RecursionError) as error:
        raise ValueError(f"tensor: {error}") from None
    try:
        return np.array(plain)
    except ValueError as error:
        raise ValueError(f"tensor: nested sequences must have equal lengths at every depth: {error}") from None


def _plain(data: Any) -> Any:
    """Return `data` with a 0-d array for each Tensor inside. Raises an OverflowError for ints beyond int64."""
    if isinstance(data, list | tuple):
        return [_plain(x) for x in data]
    if not isinstance(data, Tensor):
        return np.int64(data) if type(data) is int else data
    if data.array.size != 1:
        raise ValueError(
            f"tensor: a Tensor of shape {data.array.shape} in a list is not a single number; join Tensors with stack"
        )
    if data.requires_grad:
        raise RuntimeError(
            "tensor: a Tensor in the list requires a gradient, which the copy would not pass on; join Tensors with "
            "stack, or copy their numbers with .item()"
        )
    return data.array.reshape(())


def _holds(dtype: np.dtype[Any], data: Any) -> bool:
    """Return whether `data` contains a number of numpy's with this dtype: it keeps it, unlike a number of Python's."""
    if isinstance(data, list | tuple):
        return any(_holds(dtype, x) for x in data)
    return getattr(data, "dtype", None) is not None and data.dtype == dtype


def _odd_one(data: Any) -> str:
    """Return the type name of the first element of `data` that is not a number."""
    if isinstance(data, list | tuple):
        return next((odd for odd in map(_odd_one, data) if odd), "")
    return "" if isinstance(data, int | float | Tensor) else type(data).__name__


@on_device
def as_tensor(data: Any, dtype: DType = None) -> Tensor:
    """Return a Tensor of `data`, which shares the memory of a numpy array; a Tensor stays itself (`torch.as_tensor`).

    It is a copy if the dtype differs, or if the data are numbers or lists.

    >>> as_tensor([1, 2])
    tensor([1, 2])
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and data.dtype in dtypes.BY_NUMPY:
        return wrap(data.astype(number_dtype("as_tensor", dtype, data.dtype), copy=False))
    return tensor(data, dtype=dtype)


@on_device
def asarray(obj: Any, *, dtype: DType = None) -> Tensor:
    """Do the same as `as_tensor` (`torch.asarray`)."""
    if dtype is not None:
        number_dtype("asarray", dtype)
    return as_tensor(obj, dtype)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """Return a Tensor that shares the memory of a numpy array (`torch.from_numpy`).

    Raises a TypeError for anything but an array of numbers, and a ValueError for one whose strides are negative.

    >>> array = np.zeros(2)
    >>> x = from_numpy(array)
    >>> array[0] = 5
    >>> x
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray) or ndarray.dtype not in dtypes.BY_NUMPY:
        raise TypeError(f"from_numpy: expected an array of numbers, got {getattr(ndarray, 'dtype', type(ndarray))}")
    if min(ndarray.strides, default=0) < 0:
        raise ValueError("from_numpy: the array has a negative stride; pass array.copy()")
    return wrap(np.asarray(ndarray))


@on_device
def scalar_tensor(s: Number, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a 0-d Tensor of a number, in the default dtype unless another is given (`torch.scalar_tensor`)."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    return full((), s, dtype=kind, requires_grad=requires_grad)


# Filled and counted


@on_device
@named("size")
def zeros(*size: Any, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of a shape, given as sizes or as one sequence (`torch.zeros`).

    >>> zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return full(shape_of("zeros", size), 0.0, dtype=dtype, requires_grad=requires_grad)


@on_device
@named("size")
def ones(*size: Any, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return ones of a shape, given as sizes or as one sequence (`torch.ones`).

    >>> ones(2, 3)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    return full(shape_of("ones", size), 1.0, dtype=dtype, requires_grad=requires_grad)


@on_device
def full(size: Any, fill_value: Number, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a Tensor filled with one number, in the dtype of the number (`torch.full`).

    >>> full((2, 3), 7)
    tensor([[7, 7, 7],
            [7, 7, 7]])
    """
    (number,) = numbers_of("full", fill_value)
    chosen = number_dtype("full", dtype, dtypes.result_dtype([number]))
    return leaf(np.full(shape_of("full", (size,)), fitting("full", number, chosen)), requires_grad)


@on_device
@named("size")
def empty(*size: Any, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a Tensor of a shape, whose elements have no meaning yet (`torch.empty`).

    >>> empty(2, 3).shape
    torch.Size([2, 3])
    """
    kind = number_dtype("empty", dtype, dtypes.get_default_dtype())
    return leaf(np.empty(shape_of("empty", size), kind), requires_grad)


@on_device
def empty_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a Tensor of the shape and dtype of another, whose elements have no meaning yet (`torch.empty_like`)."""
    array = array_of("empty_like", input)
    return leaf(np.empty_like(array, number_dtype("empty_like", dtype, array.dtype)), requires_grad)


@on_device
def full_like(input: Tensor, fill_value: Number, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a Tensor of the shape and dtype of another, filled with one number (`torch.full_like`).

    >>> full_like(tensor([1.5, 2.5]), 7)
    tensor([7., 7.])
    """
    array = array_of("full_like", input)
    kind = number_dtype("full_like", dtype, array.dtype)
    (number,) = numbers_of("full_like", fill_value)
    return leaf(np.full_like(array, fitting("full_like", number, kind), kind), requires_grad)


@on_device
def zeros_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of the shape and dtype of another Tensor (`torch.zeros_like`).

    >>> zeros_like(tensor([1.5, 2.5]))
    tensor([0., 0.])
    """
    return _like("zeros_like", input, 0, dtype, requires_grad)


@on_device
def ones_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return ones of the shape and dtype of another Tensor (`torch.ones_like`).

    >>> ones_like(tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    return _like("ones_like", input, 1, dtype, requires_grad)


def _like(name: str, input: Tensor, number: int, dtype: DType, requires_grad: bool) -> Tensor:
    """Return a Tensor with the shape of `input`, filled with `number`."""
    array = array_of(name, input)
    return leaf(np.full_like(array, number, number_dtype(name, dtype, array.dtype)), requires_grad)


@on_device
def eye(n: int, m: int | None = None, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a matrix of n rows and m columns (default n) with ones on its diagonal (`torch.eye`).

    >>> eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    n, m = shape_of("eye", (n, n if m is None else m))
    return leaf(np.eye(n, m, dtype=number_dtype("eye", dtype, dtypes.get_default_dtype())), requires_grad)


@on_device
def arange(
    start: Number, end: Number | None = None, step: Number = 1, *, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return the numbers from `start` (default 0) to `end`, without `end`, in steps of `step` (`torch.arange`).

    The dtype is int64 if all arguments are ints. Raises a RuntimeError if the step is 0 or leads away from `end`.

    >>> arange(1, 10, 3)
    tensor([1, 4, 7])
    """
    if end is None:
        start, end = 0, start
    start, end, step = numbers = numbers_of("arange", start, end, step)
    if not step or not 0 <= (end - start) / step <= MOST_ELEMENTS:
        raise RuntimeError(f"arange: steps of {step} do not lead from {start} to {end}")
    chosen = number_dtype("arange", dtype, dtypes.result_dtype(numbers))
    if chosen.kind == "f":
        return leaf(np.arange(start, end, step).astype(chosen), requires_grad)
    count = math.ceil((end - start) / step)
    start, end, step = int(start), int(end), int(step)  # PyTorch counts with integers, from the first integer on
    if not step:
        raise ValueError(f"arange: a step of {numbers[2]} is 0 as an integer; use a floating dtype")
    count = len(range(start, end, step)) if chosen == np.int64 else count
    return leaf((start + step * np.arange(count, dtype=np.int64)).astype(chosen), requires_grad)


@on_device
def linspace(start: Number, end: Number, steps: int, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return `steps` evenly spaced numbers from `start` to `end`, both included (`torch.linspace`).

    >>> linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    start, end = numbers_of("linspace", start, end)
    return leaf(_spaced("linspace", start, end, steps, dtype, lambda numbers: numbers), requires_grad)


@on_device
def logspace(
    start: Number, end: Number, steps: int, base: float = 10.0, *, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return `base` to the powers of `linspace(start, end, steps)` (`torch.logspace`).

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, end, base = numbers_of("logspace", start, end, base)
    return leaf(_spaced("logspace", start, end, steps, dtype, lambda numbers: base**numbers), requires_grad)


def _spaced(name: str, start: Number, end: Number, steps: int, dtype: DType, function: Any) -> np.ndarray:
    """Return a function of evenly spaced numbers. For an integer dtype, the ends are rounded towards 0 first."""
    kind = number_dtype(name, dtype, dtypes.get_default_dtype())
    low, high = (float(start), float(end)) if kind.kind == "f" else (float(int(start)), float(int(end)))
    with np.errstate(all="ignore"):
        return function(np.linspace(low, high, count_of(name, steps))).astype(kind)


# Like another Tensor


@methods
class Likes(Tensor):
    """Methods that make new Tensors with the dtype of this one."""

    __slots__ = ()

    def new_tensor(self, data: Any, *, dtype: DType = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        """Return a Tensor of `data`, with the dtype of this one (`torch.Tensor.new_tensor`)."""
        kind = self.array.dtype if dtype is None else dtype
        return tensor(data, dtype=kind, device=device, requires_grad=requires_grad)

    def new_zeros(self, *size: Any, dtype: DType = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        """Return zeros of a shape, with the dtype of this Tensor (`torch.Tensor.new_zeros`)."""
        return self.new_full(size, 0, dtype=dtype, device=device, requires_grad=requires_grad)

    def new_ones(self, *size: Any, dtype: DType = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        """Return ones of a shape, with the dtype of this Tensor (`torch.Tensor.new_ones`)."""
        return self.new_full(size, 1, dtype=dtype, device=device, requires_grad=requires_grad)

    def new_empty(self, *size: Any, dtype: DType = None, device: Any = None, requires_grad: bool = False) -> Tensor:
        """Return elements without meaning in a shape, with the dtype of this Tensor (`torch.Tensor.new_empty`)."""
        kind = self.array.dtype if dtype is None else dtype
        return empty(*size, dtype=kind, device=device, requires_grad=requires_grad)

    def new_full(
        self, size: Any, fill_value: Number, *, dtype: DType = None, device: Any = None, requires_grad: bool = False
    ) -> Tensor:
        """Return one number in a shape, with the dtype of this Tensor (`torch.Tensor.new_full`)."""
        sizes = size[0] if isinstance(size, tuple) and len(size) == 1 and isinstance(size[0], tuple | list) else size
        kind = self.array.dtype if dtype is None else dtype
        return full(sizes, fill_value, dtype=kind, device=device, requires_grad=requires_grad)
