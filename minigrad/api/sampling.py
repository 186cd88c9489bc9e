"""Functions that draw random Tensors. The random streams themselves are in `minigrad/random.py`.

The methods that fill an existing Tensor with random numbers are in `inplace.py`.
"""

from typing import Any

import numpy as np

from minigrad.api.arguments import array_of, named, sizes_of
from minigrad.api.making import count_of, floating_of, leaf, on_device, shape_of
from minigrad.checks import int_of, number_of
from minigrad.core import dtypes
from minigrad.core.dtypes import DType, number_dtype
from minigrad.core.methods import method
from minigrad.core.tensor import Tensor, wrap
from minigrad.random import Generator, default_generator, source_of


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


@on_device
@named("size")
def rand(*size: Any, generator: Generator | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return random numbers, uniform on [0, 1) (`torch.rand`).

    >>> rand(2, generator=Generator().manual_seed(0))
    tensor([0.4963, 0.7682])
    """
    return leaf(source_of("rand", generator).uniform(shape_of("rand", size), floating_of("rand", dtype)), requires_grad)


@on_device
@named("size")
def randn(*size: Any, generator: Generator | None = None, dtype: DType = None, requires_grad: bool = False) -> Tensor:
    """Return random numbers from the normal distribution with mean 0 and standard deviation 1 (`torch.randn`).

    >>> randn(2, generator=Generator().manual_seed(0))
    tensor([ 1.5410, -0.2934])
    """
    return leaf(
        source_of("randn", generator).normal(shape_of("randn", size), floating_of("randn", dtype)), requires_grad
    )


@on_device
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
    numbers = source_of("randint", generator).integers(low, high, shape_of("randint", (size,)))
    return wrap(numbers.astype(number_dtype("randint", dtype, np.int64), copy=False))


@on_device
def randperm(n: int, *, generator: Generator | None = None, dtype: DType = dtypes.int64) -> Tensor:
    """Return the integers from 0 to n - 1 in random order (`torch.randperm`).

    >>> randperm(4, generator=Generator().manual_seed(0))
    tensor([0, 1, 3, 2])
    """
    order = source_of("randperm", generator).permutation(count_of("randperm", n))
    return wrap(order.astype(number_dtype("randperm", dtype, np.int64), copy=False))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Draw indices with the probabilities in `input` (`torch.multinomial`).

    An input of shape (n) gives (num_samples), and (rows, n) gives (rows, num_samples). The probabilities need not sum
    to 1. Raises a RuntimeError if one is negative or all are 0, or if there are fewer of them than samples without
    `replacement`.

    >>> from minigrad import tensor
    >>> multinomial(tensor([0.0, 3.0, 1.0]), 4, replacement=True, generator=Generator().manual_seed(0))
    tensor([2, 1, 1, 2])
    """
    weights = array_of("multinomial", input)
    count = int_of("multinomial", num_samples)
    return wrap(source_of("multinomial", generator).multinomial(weights, count, replacement))


def seed() -> int:
    """Set the seed of the default generator at random, and return it (`torch.seed`)."""
    return default_generator.seed()


def get_rng_state() -> Tensor:
    """Return the state of the default generator, as uint8 (`torch.get_rng_state`)."""
    return wrap(default_generator.get_state())


def set_rng_state(new_state: Tensor) -> None:
    """Set the default generator to a state that `get_rng_state` returned (`torch.set_rng_state`)."""
    default_generator.set_state(array_of("set_rng_state", new_state))


def rand_like(input: Tensor, *, dtype: DType = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return random numbers, uniform on [0, 1), in the shape and dtype of another Tensor (`torch.rand_like`)."""
    kind = number_dtype("rand_like", dtype, array_of("rand_like", input).dtype)
    return rand(input.array.shape, dtype=kind, device=device, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: DType = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """Return standard normal random numbers in the shape and dtype of another Tensor (`torch.randn_like`)."""
    kind = number_dtype("randn_like", dtype, array_of("randn_like", input).dtype)
    return randn(input.array.shape, dtype=kind, device=device, requires_grad=requires_grad)


def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: DType = None, device: Any = None
) -> Tensor:
    """Return random integers in the shape and dtype of another Tensor, as `randint` does (`torch.randint_like`)."""
    kind = number_dtype("randint_like", dtype, array_of("randint_like", input).dtype)
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.array.shape, dtype=kind, device=device)


@on_device
def normal(
    mean: Tensor | float,
    std: Tensor | float = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return normal random numbers with the means and standard deviations of Tensors, or of numbers (`torch.normal`).

    Two numbers need a `size`. Raises a RuntimeError if a standard deviation is negative.

    >>> normal(0.0, 2.0, (2,), generator=Generator().manual_seed(0))
    tensor([ 3.0820, -0.5869])
    """
    arrays: list[Any] = [
        x.array if isinstance(x, Tensor) else number_of("normal", "mean and std", x) for x in (mean, std)
    ]
    if not np.all(np.asanyarray(arrays[1]) >= 0):
        raise RuntimeError("normal: the standard deviation must not be negative")
    source = source_of("normal", generator)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal: two numbers need a size, as in normal(0.0, 1.0, (2, 3))")
        drawn = source.normal(shape_of("normal", (size,)), floating_of("normal", dtype), *arrays)
        return leaf(drawn, requires_grad)
    if size is not None:
        raise TypeError("normal: a Tensor gives the size; leave size out")
    dtype = dtypes.result_dtype(x for x in arrays if isinstance(x, np.ndarray))
    drawn = source.normal(np.broadcast_shapes(*map(np.shape, arrays)), dtype)
    return wrap(np.asanyarray(drawn * arrays[1] + arrays[0], dtype))


@method
def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """Return 1 with the probability of each element, or with probability `p`, and else 0 (`torch.bernoulli`).

    Raises a RuntimeError if a probability is not from 0 to 1.

    >>> bernoulli(rand(3, generator=Generator().manual_seed(1)), generator=Generator().manual_seed(0))
    tensor([1., 0., 1.])
    """
    chances = array_of("bernoulli", input)
    drawn = source_of("bernoulli", generator).bernoulli(chances if p is None else p, chances.shape)
    return wrap(drawn.astype(chances.dtype))
