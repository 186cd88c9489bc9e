"""Functions that make new Tensors: from data, filled with a number, counted, and random.

The random streams themselves are in `minigrad/random.py`; the methods that fill an existing Tensor are in `inplace.py`.
"""

import contextlib
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.api.arguments import MOST_ELEMENTS, Number, array_of, sizes_of
from minigrad.api.device import Device
from minigrad.api.limits import fitting
from minigrad.checks import flag_of, int_of, number_of, shown
from minigrad.core import dtypes
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.primitive import Shape
from minigrad.core.tensor import Tensor, wrap
from minigrad.random import Generator, default_generator, source_of


def _on_device(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function accept a `device`, which must be the CPU. A result that is too large raises a RuntimeError.

    `requires_grad` must be a bool.
    """

    @functools.wraps(function)
    def placed(*args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        if device is not None:
            Device(device)
        if "requires_grad" in kwargs:
            flag_of(function.__name__, "requires_grad", kwargs["requires_grad"])
        try:
            return function(*args, **kwargs)
        except (MemoryError, OverflowError) as error:
            raise RuntimeError(f"{function.__name__}: too large: {error}") from None

    return placed


# From data


@_on_device
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
    array = np.array(data.array) if isinstance(data, Tensor) else _array(data)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"tensor: expected numbers, got {_odd_one(data)}")
    # numpy has its own dtypes for Python's numbers; that for ints depends on the platform.
    default: dict[Any, Any] = {np.array(0.0).dtype: dtypes.get_default_dtype(), np.array(0).dtype: np.int64}
    wanted = default.get(array.dtype, array.dtype)
    if dtype is None and array.dtype != wanted and not _holds(array.dtype, data):
        array = array.astype(wanted)
    return _leaf(array.astype(number_dtype("tensor", dtype, array.dtype), copy=False), requires_grad)


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


# Filled and counted


@_on_device
def zeros(*size: Any, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of a shape, given as sizes or as one sequence (`torch.zeros`).

    >>> zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return full(_shape("zeros", size), 0.0, dtype=dtype, requires_grad=requires_grad)


@_on_device
def ones(*size: Any, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return ones of a shape, given as sizes or as one sequence (`torch.ones`).

    >>> ones(2, 3)
    tensor([[1., 1., 1.],
            [1., 1., 1.]])
    """
    return full(_shape("ones", size), 1.0, dtype=dtype, requires_grad=requires_grad)


@_on_device
def full(size: Any, fill_value: Number, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a Tensor filled with one number, in the dtype of the number (`torch.full`).

    >>> full((2, 3), 7)
    tensor([[7, 7, 7],
            [7, 7, 7]])
    """
    (number,) = _numbers("full", fill_value)
    chosen = number_dtype("full", dtype, dtypes.result_dtype([number]))
    return _leaf(np.full(_shape("full", (size,)), fitting("full", number, chosen)), requires_grad)


@_on_device
def zeros_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return zeros of the shape and dtype of another Tensor (`torch.zeros_like`).

    >>> zeros_like(tensor([1.5, 2.5]))
    tensor([0., 0.])
    """
    return _like("zeros_like", input, 0, dtype, requires_grad)


@_on_device
def ones_like(input: Tensor, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return ones of the shape and dtype of another Tensor (`torch.ones_like`).

    >>> ones_like(tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    return _like("ones_like", input, 1, dtype, requires_grad)


def _like(name: str, input: Tensor, number: int, dtype: DType, requires_grad: bool) -> Tensor:
    """Return a Tensor with the shape of `input`, filled with `number`."""
    array = array_of(name, input)
    return _leaf(np.full_like(array, number, number_dtype(name, dtype, array.dtype)), requires_grad)


@_on_device
def eye(n: int, m: int | None = None, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return a matrix of n rows and m columns (default n) with ones on its diagonal (`torch.eye`).

    >>> eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    n, m = _shape("eye", (n, n if m is None else m))
    return _leaf(np.eye(n, m, dtype=number_dtype("eye", dtype, dtypes.get_default_dtype())), requires_grad)


@_on_device
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
    start, end, step = numbers = _numbers("arange", start, end, step)
    if not step or not 0 <= (end - start) / step <= MOST_ELEMENTS:
        raise RuntimeError(f"arange: steps of {step} do not lead from {start} to {end}")
    chosen = number_dtype("arange", dtype, dtypes.result_dtype(numbers))
    return _leaf(np.arange(start, end, step).astype(chosen), requires_grad)


@_on_device
def linspace(start: Number, end: Number, steps: int, *, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return `steps` evenly spaced numbers from `start` to `end`, both included (`torch.linspace`).

    >>> linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    start, end = _numbers("linspace", start, end)
    with np.errstate(all="ignore"):
        numbers = np.linspace(float(start), float(end), _count("linspace", steps))
    return _leaf(numbers.astype(number_dtype("linspace", dtype, dtypes.get_default_dtype())), requires_grad)


@_on_device
def logspace(
    start: Number, end: Number, steps: int, base: float = 10.0, *, dtype: DType = None, requires_grad: bool = False
) -> Tensor:
    """Return `base` to the powers of `linspace(start, end, steps)` (`torch.logspace`).

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, end, base = _numbers("logspace", start, end, base)
    with np.errstate(all="ignore"):
        powers = np.logspace(float(start), float(end), _count("logspace", steps), base=base)
    return _leaf(powers.astype(number_dtype("logspace", dtype, dtypes.get_default_dtype())), requires_grad)


# Random


def initial_seed() -> int:
    """Return the seed of the default generator (`torch.initial_seed`)."""
    return default_generator.initial_seed()


def manual_seed(seed: int) -> Generator:
    """Set the seed of the default generator, and return this generator (`torch.manual_seed`).

    >>> generator = manual_seed(0)
    >>> rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(seed)


@_on_device
def rand(*size: Any, generator: Generator | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return random numbers, uniform on [0, 1) (`torch.rand`).

    >>> rand(2, generator=Generator().manual_seed(0))
    tensor([0.4963, 0.7682])
    """
    return _leaf(source_of("rand", generator).uniform(_shape("rand", size), _floating("rand", dtype)), requires_grad)


@_on_device
def randn(*size: Any, generator: Generator | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return random numbers from the normal distribution with mean 0 and standard deviation 1 (`torch.randn`).

    >>> randn(2, generator=Generator().manual_seed(0))
    tensor([ 1.5410, -0.2934])
    """
    return _leaf(source_of("randn", generator).normal(_shape("randn", size), _floating("randn", dtype)), requires_grad)


@_on_device
def randint(
    low: int, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: DType = dtypes.int64
) -> Tensor:
    """Return random integers from `low` to `high`, without `high` (`torch.randint`).

    `randint(high, size)` starts at 0. Raises a RuntimeError if the range is empty.

    >>> randint(0, 10, (3,), generator=Generator().manual_seed(0))
    tensor([4, 9, 3])
    """
    if size is None:
        low, high, size = 0, low, high
    low, high = sizes_of("randint", (low, high))
    numbers = source_of("randint", generator).integers(low, high, _shape("randint", (size,)))
    return wrap(numbers.astype(number_dtype("randint", dtype, np.int64), copy=False))


@_on_device
def randperm(n: int, *, generator: Generator | None = None, dtype: DType = dtypes.int64) -> Tensor:
    """Return the integers from 0 to n - 1 in random order (`torch.randperm`).

    >>> randperm(4, generator=Generator().manual_seed(0))
    tensor([0, 1, 3, 2])
    """
    order = source_of("randperm", generator).permutation(_count("randperm", n))
    return wrap(order.astype(number_dtype("randperm", dtype, np.int64), copy=False))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Draw indices with the probabilities in `input` (`torch.multinomial`).

    An input of shape (n) gives (num_samples), and (rows, n) gives (rows, num_samples). The probabilities need not sum
    to 1. Raises a RuntimeError if one is negative or all are 0, or if there are fewer of them than samples without
    `replacement`.

    >>> multinomial(tensor([0.0, 3.0, 1.0]), 4, replacement=True, generator=Generator().manual_seed(0))
    tensor([2, 1, 1, 2])
    """
    weights = array_of("multinomial", input)
    count = int_of("multinomial", num_samples)
    return wrap(source_of("multinomial", generator).multinomial(weights, count, replacement))


# Arguments


def _numbers(name: str, *given: Any) -> list[Any]:
    """Return Python numbers for Python or numpy numbers and one-element Tensors.

    Raises a TypeError for anything else.
    """
    numbers = [x.item() if isinstance(x, Tensor | np.generic) else x for x in given]
    if not all(isinstance(x, int | float) for x in numbers):
        raise TypeError(f"{name}: expected numbers, got {', '.join(map(shown, given))}")
    return [number_of(name, "each argument", x) for x in numbers]


def _floating(name: str, dtype: DType) -> np.dtype[Any]:
    """Return the dtype to use. Raises a RuntimeError if it is not floating."""
    chosen = number_dtype(name, dtype, dtypes.get_default_dtype())
    if chosen.kind != "f":
        raise RuntimeError(f"{name}: the result is floating, so its dtype cannot be {chosen}; use randint for integers")
    return chosen


def _shape(name: str, size: tuple[Any, ...]) -> Shape:
    """Return the shape that is given as sizes or as one sequence.

    Raises a RuntimeError if a size is negative or the shape is too large.
    """
    shape = sizes_of(name, size)
    if min(shape, default=0) < 0:
        raise RuntimeError(f"{name}: sizes must not be negative, got {shown(shape)}")
    if max(math.prod(shape), *shape, 0) > MOST_ELEMENTS:
        raise RuntimeError(f"{name}: {shown(shape)} needs more memory than any machine has")
    return shape


def _count(name: str, number: Any) -> int:
    """Return the number of elements to make. Raises a RuntimeError if it is negative."""
    return _shape(name, (int_of(name, number),))[0]


def _leaf(array: np.ndarray, requires_grad: bool) -> Tensor:
    """Return a leaf with this array."""
    return wrap(array).requires_grad_(requires_grad)
