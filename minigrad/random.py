"""PyTorch's random numbers, from the same seeds, in numpy.

All random numbers come from the Mersenne Twister MT19937, which turns a seed into a sequence of 32-bit words. Each kind
of draw consumes words of this sequence: a float32 uniform consumes one, a float64 uniform two, and a coin flip as many
as the uniform that it is made from. So two programs that make the same draws in the same order get the same numbers.
The algorithms of the draws are PyTorch's for the CPU.

Draws that need integer arithmetic alone (uniforms, integers, permutations, coin flips) equal PyTorch's bit for bit. So
do 16 or more float32 normals, where PyTorch finds AVX2, as on any current x86 processor. Other draws pass through a
logarithm or a cosine, and may differ in the last bits, as PyTorch does between processors. This module
returns arrays, and `api/creation.py` makes Tensors of them.
"""

from __future__ import annotations

import copy
import functools
import math
import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from minigrad.checks import flag_of, int_of, is_int, number_of, shown
from minigrad.core.dtypes import number_dtype

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.floating[Any]]

Shape = tuple[int, ...]

DEFAULT_SEED = 67280421310721
FLOAT64 = np.dtype(np.float64)

# The dtypes that can be drawn. Each has a wider dtype, in which a product and a sum are computed before one rounding.
WIDER: dict[Any, type[np.floating[Any]]] = {np.dtype(np.float32): np.float64, FLOAT64: np.longdouble}

MOST_NUMBERS = 2**48  # a larger array is refused before memory is requested

# Normals are computed in parts of this size, which fit into the processor's cache.
PART = 2**16

# Coefficients of the float32 logarithm, cosine and sine, the highest power first. log(2) and pi/4 are sums of parts.
# All parts but the last have so few bits that their multiples are exact.
LOG_SPLIT, LOG_2_HIGH, LOG_2_LOW = np.array([0.5**0.5, 0.693359375, -2.12194440e-4], np.float32)
LOG_LOW_POWERS = [-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1]
LOG_HIGH_POWERS = [7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1]
LOG = np.array(LOG_HIGH_POWERS + LOG_LOW_POWERS, np.float32)
QUARTER_PI = np.array([0.78515625, 2.4187564849853515625e-4, 3.77489497744594108e-8], np.float32)
COSINE = [2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]
SINE = [-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]
COSINE_AND_SINE = np.array([COSINE, SINE], np.float32).T.reshape(3, 2, 1, 1)

# The layout of a PyTorch CPU generator's state, so that each library can load a state that the other has saved.
STATE = np.dtype(
    {
        "names": ["initial_seed", "words_left", "seeded", "position", "words", "spare_normal", "spare_count"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


# Held while words are drawn, of any generator. A fork waits for it, or else the new process would wait for ever.
_drawing = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_drawing.acquire, after_in_parent=_drawing.release, after_in_child=_drawing.release)


# Who is told of draws, instead of the generator: a function that is being compiled.
listening: ContextVar[Callable[..., Any] | None] = ContextVar("listening", default=None)
Method = TypeVar("Method", bound="Callable[..., Any]")


def _heard(method: Method) -> Method:
    """Tell `listening` of each call of a method that uses the state of a generator."""

    @functools.wraps(method)
    def heard(self: Any, *args: Any, **kwargs: Any) -> Any:
        listener = listening.get()
        return method(self, *args, **kwargs) if listener is None else listener(method, self, args, kwargs)

    return heard  # type: ignore[return-value]


class Generator:
    """A stream of random numbers that a seed determines (`torch.Generator`).

    A new generator starts from PyTorch's default seed. Each draw returns an array of the given shape and advances the
    stream. A draw of no elements does not advance it. Threads can draw from one generator: each number is drawn once.
    Generators can be pickled and copied.
    """

    def __init__(self, device: str = "cpu") -> None:
        """Start from the default seed; RuntimeError for any device but "cpu"."""
        kind = getattr(device, "type", device)
        if not isinstance(kind, str) or kind != "cpu":
            raise RuntimeError(f"Generator: there is none for device {shown(device)}; minigrad computes on 'cpu'")
        self.device = device
        self.manual_seed(DEFAULT_SEED)

    @functools.cached_property
    def _twister(self) -> Any:
        """The Mersenne Twister at the start of its sequence, made for the first draw: numpy.random imports slowly."""
        twister = np.random.MT19937()
        start: Any = np.random.RandomState(self._initial_seed % 2**32).get_state(legacy=False)
        twister.state = start
        return twister

    @_heard
    def manual_seed(self, seed: int) -> Generator:
        """Restart the stream from `seed` and return the generator, as `torch.Generator.manual_seed`.

        A seed is an int of at most 64 bits, signed or unsigned. Its low 32 bits determine the stream. RuntimeError if
        `seed` is not an int, ValueError if it is out of range.
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise RuntimeError(f"manual_seed: expected a long, but got {type(seed).__name__}; pass an int")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: {shown(seed)} overflows a long long; pass a seed of at most 64 bits")
        with _drawing:
            self._initial_seed = seed % 2**64
            vars(self).pop("_twister", None)
            self._spare_normals = np.empty(0)
        return self

    @_heard
    def seed(self) -> int:
        """Restart the stream from a random seed of the operating system, and return it (`torch.Generator.seed`)."""
        seed = int.from_bytes(os.urandom(8))
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed from which the stream started, modulo 2**64 (`torch.Generator.initial_seed`)."""
        return self._initial_seed

    def get_state(self) -> NDArray[np.uint8]:
        """The state of the stream: an array of 5056 bytes, uint8 (`torch.Generator.get_state`)."""
        with _drawing:
            seed, twister, spares = self._initial_seed, self._twister.state["state"], self._spare_normals
        state = np.zeros(1, STATE)
        state["initial_seed"], state["seeded"] = seed, True
        state["words"], state["position"] = twister["key"], twister["pos"]
        state["words_left"] = 625 - twister["pos"]
        state["spare_count"] = spares.size
        state["spare_normal"][: spares.size] = spares
        return state.view(np.uint8)

    @_heard
    def set_state(self, state: NDArray[np.uint8]) -> Generator:
        """Set the stream to a state that `get_state` returned (`torch.Generator.set_state`).

        TypeError if `state` is not a uint8 array, RuntimeError if it is not the state of a generator.
        """
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            raise TypeError(f"set_state: expected a uint8 array, but got {type(state).__name__}; pass a get_state()")
        if state.size != STATE.itemsize:
            raise RuntimeError(f"set_state: expected {STATE.itemsize} bytes, but got {state.size}; pass a get_state()")
        saved = np.frombuffer(state.tobytes(), STATE)[0]
        if not (1 <= saved["words_left"] <= 624 and 0 <= saved["spare_count"] <= 1):
            raise RuntimeError("set_state: Invalid mt19937 state; pass the bytes of a get_state()")
        key, position = saved["words"].astype(np.uint32), 625 - int(saved["words_left"])
        with _drawing:
            self._initial_seed = int(saved["initial_seed"])
            self._twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
            self._spare_normals = np.full(saved["spare_count"], saved["spare_normal"])
        return self

    def __getstate__(self) -> dict[str, Any]:
        with _drawing:
            return copy.deepcopy(vars(self))

    @_heard
    def uniform(self, shape: Shape, dtype: DTypeLike = np.float32, low: float = 0.0, high: float = 1.0) -> Floats:
        """Draw numbers uniformly from [low, high) (`torch.rand`, `torch.Tensor.uniform_`).

        RuntimeError if low > high or if high - low overflows the dtype.
        """
        dtype = _drawable("uniform_", dtype, low, high)
        if not low <= high:
            raise RuntimeError(f"uniform_: expected a range [from, to), but found from={low} > to={high}")
        if not high - low <= float(np.finfo(dtype).max):
            raise RuntimeError(f"uniform_: expected to-from to fit in {dtype}, but found to={high} and from={low}")
        units = self._units(_count("uniform_", shape), dtype)
        width = dtype.type(high) - dtype.type(low)
        return (units if (low, high) == (0, 1) else _stretched(units, width, low)).reshape(shape)

    @_heard
    def normal(
        self,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        mean: float = 0.0,
        std: float = 1.0,
        contiguous: bool = True,
    ) -> Floats:
        """Draw normal numbers (`torch.randn`, `torch.Tensor.normal_`).

        Fewer than 16 numbers, and those for a tensor that is not contiguous, are computed in float64, in pairs. If one
        of a pair is left over, the next such draw uses it. Other numbers are computed in `dtype`, in blocks of 16.
        RuntimeError if `std` is negative.
        """
        dtype, count = _drawable("normal", dtype, mean, std), _count("normal", shape)
        if not std >= 0:
            raise RuntimeError(f"normal: expected std >= 0.0, but found std {std}; pass a width, not a direction")
        if count < 16 or not contiguous:
            return (self._few_normals(count) * std + mean).astype(dtype).reshape(shape)
        # If the count is no multiple of 16, the last 16 numbers are drawn again, from 16 new uniforms.
        units = self._units(count + (16 if count % 16 else 0), dtype)
        blocks = np.concatenate([units[: count - count % 16], units[count:]])
        parts = [blocks[start : start + PART] for start in range(0, blocks.size, PART)]
        normals = np.concatenate([_normal_blocks(part) for part in parts])
        normals = np.concatenate([normals[: count - 16], normals[-16:]])
        return (normals if (mean, std) == (0, 1) else _stretched(normals, std, mean)).reshape(shape)

    @_heard
    def exponential(self, shape: Shape, dtype: DTypeLike = np.float32, rate: float = 1.0) -> Floats:
        """Draw exponential numbers, whose mean is 1 / `rate` (`torch.Tensor.exponential_`).

        RuntimeError unless the rate is positive.
        """
        dtype = _drawable("exponential_", dtype, rate)
        if not rate > 0:
            raise RuntimeError(f"exponential_: expected lambda > 0.0, but found lambda={rate}; pass a positive rate")
        return (-1 / rate * np.log1p(-self._units(_count("exponential_", shape), FLOAT64))).astype(dtype).reshape(shape)

    @_heard
    def bernoulli(self, probability: float | Floats, shape: Shape | None = None) -> NDArray[np.bool_]:
        """Draw bools that are True with `probability` (`torch.bernoulli`, the mask of dropout).

        The shape is that of `probability` unless given. A number is compared with float64 uniforms, an array with
        uniforms of its own dtype. RuntimeError for probabilities outside [0, 1].
        """
        if not isinstance(probability, np.ndarray):
            probability = np.array(float(number_of("bernoulli_", "p", probability)))
        dtype, chances = _drawable("bernoulli_", probability.dtype), probability
        outside = chances[~((chances >= 0) & (chances <= 1))]
        if outside.size:
            raise RuntimeError(f"bernoulli_: expected p in [0, 1], but got p={outside[0]}; clamp it first")
        shape = chances.shape if shape is None else shape
        count = _count("bernoulli_", shape)
        try:
            chances = np.broadcast_to(chances, shape)
        except ValueError:
            raise RuntimeError(f"bernoulli_: p of shape {chances.shape} does not broadcast to {shown(shape)}") from None
        return (self._units(count, dtype) < chances.ravel()).reshape(shape)

    @_heard
    def integers(self, low: int, high: int, shape: Shape) -> NDArray[np.int64]:
        """Draw int64 from low, ..., high - 1, as `torch.randint`; RuntimeError unless low < high."""
        if not (is_int(low) and is_int(high)):
            raise TypeError(f"randint: expected integers, got from={shown(low)} and to={shown(high)}")
        if low >= high:
            raise RuntimeError(f"randint: 'from' must be less than 'to', but got from={shown(low)} >= to={shown(high)}")
        if low < -(2**63) or high > 2**63:
            raise ValueError(f"randint: from={shown(low)} to={shown(high)} overflows a long long; stay within int64")
        # The remainder of a word favours small numbers, and the more so the wider the range: wide ones take long words.
        draw = self._words if high - low < 2**28 else self._long_words
        return ((draw(_count("randint", shape)) % (high - low)).astype(np.int64) + low).reshape(shape)

    @_heard
    def permutation(self, n: int) -> NDArray[np.int64]:
        """Shuffle 0, ..., n - 1 by the method of Fisher and Yates, as `torch.randperm`; RuntimeError if n < 0."""
        words = self._words(max(_count("randperm", (n,)) - 1, 0))
        order, steps = [*range(n)], words % np.arange(n, 1, -1).astype(np.uint64)
        for place, step in enumerate(steps.tolist()):
            order[place], order[place + step] = order[place + step], order[place]
        return np.array(order, np.int64)

    @_heard
    def multinomial(self, probabilities: Floats, num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """Draw categories in proportion to their `probabilities`, as `torch.multinomial`.

        A vector (n,) gives (num_samples,) and a matrix (m, n) gives (m, num_samples); no row need sum to 1.
        RuntimeError for weights that are negative, infinite, NaN or all zero in a row, and for more samples than
        categories without replacement.
        """
        _check_multinomial(probabilities, num_samples, replacement)
        if num_samples == 1 or not replacement:
            # The categories with the greatest ratios of weight to an exponential number are drawn.
            speeds = probabilities / self.exponential(probabilities.shape, probabilities.dtype)
            return np.argsort(-speeds, axis=-1, kind="stable")[..., :num_samples].astype(np.int64, copy=False)
        cumulative = np.cumsum(probabilities, axis=-1)
        cumulative /= cumulative[..., -1:]
        units = self.uniform((*probabilities.shape[:-1], num_samples), FLOAT64)
        rows = zip(np.atleast_2d(cumulative), np.atleast_2d(units), strict=True)
        return np.array([np.searchsorted(row, unit) for row, unit in rows], np.int64).reshape(units.shape)

    def _words(self, count: int) -> NDArray[np.uint64]:
        """The next 32-bit words. A draw takes all its words at once, so that it gets them one after the other."""
        try:
            with _drawing:
                return self._twister.random_raw(count)
        except MemoryError:
            raise RuntimeError(f"Generator: {count} random numbers do not fit into memory; draw fewer") from None

    def _long_words(self, count: int) -> NDArray[np.uint64]:
        """The next 64-bit words, each made of two 32-bit words, the high half first."""
        words = self._words(2 * count)
        return words[::2] << np.uint64(32) | words[1::2]

    def _units(self, count: int, dtype: np.dtype[Any]) -> Floats:
        """The next uniforms in [0, 1): the low bits of words, as many as the dtype holds exactly."""
        if dtype == FLOAT64:
            return (self._long_words(count) & np.uint64(2**53 - 1)) * 2.0**-53
        return (self._words(count) & np.uint64(2**24 - 1)).astype(np.float32) * np.float32(2**-24)

    def _few_normals(self, count: int) -> NDArray[np.float64]:
        """Float64 normals made in pairs: first the spare of an earlier draw, and a new spare if one is left over."""
        with _drawing:
            pairs = (count - self._spare_normals.size + 1) // 2
            turns, heights = self._units(2 * pairs, FLOAT64).reshape(pairs, 2).T
            normals = np.concatenate([self._spare_normals, _box_muller(np.log1p(-heights), turns)])
            self._spare_normals = normals[count:]
        return normals[:count]


def _normal_blocks(units: Floats) -> Floats:
    """Normals from blocks of 16 uniforms: eight heights and eight turns become eight cosines and eight sines."""
    heights, turns = units.reshape(-1, 2, 8).swapaxes(0, 1)
    return _box_muller(np.log(1 - heights) if units.dtype == FLOAT64 else _logarithm(1 - heights), turns)


def _box_muller(logarithms: Floats, turns: Floats) -> Floats:
    """Two independent normals, side by side on axis 1, from the log of one uniform and a second one as an angle."""
    radius, angle = np.sqrt(-2 * logarithms), 2 * math.pi * turns
    cosine, sine = (np.cos(angle), np.sin(angle)) if angle.dtype == FLOAT64 else _cosine_and_sine(angle)
    return np.stack([radius * cosine, radius * sine], axis=1).ravel() + 0  # adding 0 turns -0 into 0


# For blocks of float32 PyTorch has its own logarithm, cosine and sine, after the Cephes library: first the argument is
# brought close to 0, and there a polynomial stands in for the function. They are a few units off in the last place, so
# to get the same normals we take the same steps, round where PyTorch rounds, and fuse where its compiler fused.


def _logarithm(x: Floats) -> Floats:
    """PyTorch's logarithm of float32 in (0, 1]: x = 2**power * (1 + rest), so it is power * log(2) + log(1 + rest)."""
    fraction, exponent = np.frexp(x)
    small = fraction < LOG_SPLIT
    rest, power = np.ldexp(fraction, small) - 1, (exponent - small).astype(np.float32)
    square = rest * rest
    bend = _fused(_polynomial(LOG, rest) * rest, square, power * LOG_2_LOW) - square / 2
    return _fused(power, LOG_2_HIGH, rest + bend)


def _cosine_and_sine(angle: Floats) -> tuple[Floats, Floats]:
    """PyTorch's cosine and sine of float32 in [0, 2 pi]: polynomials of the angle minus its quarter turns."""
    quarter = ((angle * np.float32(4 / math.pi)).astype(np.int32) + 1) // 2
    eighths, (high, middle, low) = (2 * quarter).astype(np.float32), QUARTER_PI
    rest = _fused(eighths, -low, angle - eighths * high - eighths * middle)
    square = rest * rest
    cosine, sine = _polynomial(COSINE_AND_SINE, square) * square
    cosine, sine = _fused(cosine, square, square / -2) + 1, _fused(sine, rest, rest)
    swapped = quarter & 1
    cosine, sine = np.where(swapped, sine, cosine), np.where(swapped, cosine, sine)
    return np.where((quarter + 1) & 2, -cosine, cosine), np.where(quarter & 2, -sine, sine)


def _polynomial(coefficients: Floats, x: Floats) -> Floats:
    """The polynomial at x by Horner's rule, the coefficient of the highest power first."""
    value: Floats = coefficients[0]
    for coefficient in coefficients[1:]:
        value = _fused(x, value, coefficient)
    return value


def _stretched(values: Floats, factor: float, offset: float) -> Floats:
    """values * factor + offset, both numbers in the dtype of the values."""
    number = values.dtype.type
    return _fused(values, number(factor), number(offset))


def _fused(left: Floats, right: Floats | np.floating[Any], addend: Floats | np.floating[Any]) -> Floats:
    """left * right + addend rounded only once, as by the fused multiply-add of PyTorch's kernels."""
    return (np.multiply(left, right, dtype=WIDER[left.dtype]) + addend).astype(left.dtype)


def _count(name: str, shape: Shape) -> int:
    """The number of elements in `shape`. TypeError if it is no shape, RuntimeError if it is negative or too large."""
    if not isinstance(shape, tuple | list) or not all(map(is_int, shape)):
        raise TypeError(f"{name}: a shape must be a tuple of ints, got {shown(shape)}")
    if min(shape, default=0) < 0:
        raise RuntimeError(f"{name}: there is no negative dimension {shown(min(shape))}: {shown(list(shape))}")
    if math.prod(map(int, shape)) > MOST_NUMBERS:
        raise RuntimeError(f"{name}: {shown(shape)} needs more memory than any machine has")
    return math.prod(map(int, shape))


def _drawable(operation: str, dtype: DTypeLike, *settings: Any) -> np.dtype[Any]:
    """`dtype` as an object, if it can be drawn; TypeError where the distribution's settings are no numbers."""
    for setting in settings:
        number_of(operation, "each setting", setting)
    kind = number_dtype(operation, dtype)
    if kind not in WIDER:
        raise NotImplementedError(f"{operation}: not implemented for {kind}; draw float32 or float64")
    return kind


def _check_multinomial(weights: Floats, num_samples: int, replacement: bool) -> None:
    """Raise what `torch.multinomial` raises for arguments it cannot draw from."""
    if not isinstance(weights, np.ndarray):
        raise TypeError(f"multinomial: expected an array of probabilities, got {type(weights).__name__}")
    _drawable("multinomial", weights.dtype)
    int_of("multinomial", num_samples)
    flag_of("multinomial", "replacement", replacement)
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, but got shape {weights.shape}; reshape it")
    if num_samples <= 0:
        raise RuntimeError(f"multinomial: cannot sample n_sample <= 0 samples, but got {num_samples}; draw 1 or more")
    if num_samples > weights.shape[-1] and not replacement:
        limit = f"cannot sample n_sample > prob_dist.size(-1) samples without replacement: {num_samples}"
        raise RuntimeError(f"multinomial: {limit} > {weights.shape[-1]}; draw fewer or pass replacement=True")
    if not ((weights >= 0) & (weights < np.inf)).all():
        fault = f"`inf`, `nan` or element < 0: {weights.min()} to {weights.max()}"
        raise RuntimeError(f"multinomial: probability tensor contains either {fault}; apply softmax to scores")
    if not weights.any(axis=-1).all():
        fault = f"sum of probabilities <= 0 in shape {weights.shape}"
        raise RuntimeError(f"multinomial: {fault}; give each row a positive weight")


default_generator = Generator()


def for_each_element(array: np.ndarray, draw: Callable[[Shape], Any]) -> Any:
    """The numbers that `draw` returns for the shape of `array`, in the order in which its elements lie in memory."""
    order = np.argsort([-stride for stride in array.strides], kind="stable")
    return draw(tuple([array.shape[axis] for axis in order])).transpose(np.argsort(order))


def source_of(name: str, generator: Generator | None) -> Generator:
    """The generator given to `name`, or else the default one. TypeError for anything else."""
    if generator is not None and not isinstance(generator, Generator):
        raise TypeError(f"{name}: expected a Generator, got {type(generator).__name__}")
    return default_generator if generator is None else generator
