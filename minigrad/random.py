"""PyTorch's random numbers, from the same seeds, in numpy.

Everything random begins with one machine: the Mersenne Twister MT19937, which turns a seed into an endless row of
32-bit words. A `Generator` walks along that row, and each kind of draw is a recipe that spends words: a float32
uniform spends one, a float64 uniform two, a coin flip as many as the uniform it is made of. Two programs that make
the same draws in the same order therefore see the same numbers, and here the recipes are PyTorch's for the CPU.

What is made of words by whole-number arithmetic (uniforms, integers, permutations, coin flips) equals PyTorch bit for
bit; what passes through a logarithm or a cosine may differ in its last bits, as PyTorch itself does between processors.
This module knows numpy alone: it returns arrays, and the rest of minigrad wraps them in tensors.
"""

import math
import secrets
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Shape = tuple[int, ...]
Floats = NDArray[np.floating[Any]]

DEFAULT_SEED = 67280421310721
FLOAT64 = np.dtype(np.float64)

# The dtypes that can be drawn, each with one wide enough to multiply and add in before rounding once.
WIDER: dict[Any, type[np.floating[Any]]] = {np.dtype(np.float32): np.float64, FLOAT64: np.longdouble}

# The bytes of a PyTorch CPU generator, so that a saved state can cross from either library to the other.
STATE = np.dtype(
    {
        "names": ["initial_seed", "words_left", "seeded", "position", "words", "spare_normal", "spare_count"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", 624), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": 5056,
    }
)


class Generator:
    """A stream of random numbers that a seed decides, as `torch.Generator`.

    A new one starts from PyTorch's default seed, not from chance. Each draw returns an array of the shape asked for
    and moves the stream on; a draw of no elements leaves it where it was. Generators can be pickled and deep-copied.
    """

    def __init__(self, device: str = "cpu") -> None:
        """Start from the default seed; RuntimeError for any device but "cpu"."""
        if device != "cpu":
            raise RuntimeError(f"Generator: there is none for device {device!r}; minigrad computes on 'cpu'")
        self.device = device
        self._twister = np.random.MT19937()
        self.manual_seed(DEFAULT_SEED)

    def manual_seed(self, seed: int) -> "Generator":
        """Restart the stream from `seed` and return the generator, as `torch.Generator.manual_seed`.

        Any int of 64 bits is a seed, signed or not, and its low 32 bits decide the stream. RuntimeError for what is
        no int, ValueError for one out of range.
        """
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}; pass an int")
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"manual_seed: Overflow when unpacking long long {seed}; pass a seed of at most 64 bits")
        self._initial_seed = seed % 2**64
        twister: Any = np.random.RandomState(seed % 2**32).get_state(legacy=False)
        self._twister.state = twister
        self._spare_normals = np.empty(0)
        return self

    def seed(self) -> int:
        """Restart the stream from a seed that nobody can foresee and return it, as `torch.Generator.seed`."""
        return self.manual_seed(secrets.randbits(64)).initial_seed()

    def initial_seed(self) -> int:
        """The seed the stream started from, brought into [0, 2**64), as `torch.Generator.initial_seed`."""
        return self._initial_seed

    def get_state(self) -> NDArray[np.uint8]:
        """Where the stream stands, as the 5056 bytes of `torch.Generator.get_state`."""
        twister = self._twister.state["state"]
        state = np.zeros(1, STATE)
        state["initial_seed"], state["seeded"] = self._initial_seed, True
        state["words"], state["position"] = twister["key"], twister["pos"]
        state["words_left"] = 625 - twister["pos"]
        state["spare_count"] = spares = self._spare_normals.size
        state["spare_normal"][:spares] = self._spare_normals
        return state.view(np.uint8)

    def set_state(self, state: NDArray[np.uint8]) -> "Generator":
        """Take the stream back to where `get_state` found it, as `torch.Generator.set_state`.

        TypeError for what is not a uint8 array, RuntimeError for bytes that no generator saved.
        """
        if not isinstance(state, np.ndarray) or state.dtype != np.uint8:
            raise TypeError(f"set_state: expected a uint8 array, but got {type(state).__name__}; pass a get_state()")
        if state.size != STATE.itemsize:
            raise RuntimeError(f"set_state: expected {STATE.itemsize} bytes, but got {state.size}; pass a get_state()")
        saved = np.frombuffer(state.tobytes(), STATE)[0]
        if not (1 <= saved["words_left"] <= 624 and 0 <= saved["spare_count"] <= 1):
            raise RuntimeError("set_state: Invalid mt19937 state; pass the bytes of a get_state()")
        self._initial_seed = int(saved["initial_seed"])
        key, position = saved["words"].astype(np.uint32), 625 - int(saved["words_left"])
        self._twister.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": position}}
        self._spare_normals = np.full(saved["spare_count"], saved["spare_normal"])
        return self

    def uniform(self, shape: Shape, dtype: DTypeLike = np.float32, low: float = 0.0, high: float = 1.0) -> Floats:
        """Draw numbers from [low, high), all equally likely, as `torch.rand` and `Tensor.uniform_`.

        RuntimeError if low > high or if high - low overflows the dtype.
        """
        dtype = _drawable("uniform_", dtype)
        if not low <= high:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
        if not high - low <= float(np.finfo(dtype).max):
            raise RuntimeError(f"uniform_ expects to-from to fit in {dtype}, but found to={high} and from={low}")
        units = self._units(_count(shape), dtype)
        width = dtype.type(high) - dtype.type(low)
        return (units if (low, high) == (0, 1) else _stretched(units, width, low)).reshape(shape)

    def normal(self, shape: Shape, dtype: DTypeLike = np.float32, mean: float = 0.0, std: float = 1.0) -> Floats:
        """Draw from the bell curve about `mean`, as `torch.randn` and `Tensor.normal_`.

        Fewer than 16 numbers are made in float64, two at a time, and an odd one is kept for the next such draw. From
        16 on they are made in their own dtype, in blocks of 16. RuntimeError if std is negative.
        """
        dtype, count = _drawable("normal", dtype), _count(shape)
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std {std}; pass a width, not a direction")
        if count < 16:
            return (self._few_normals(count) * std + mean).astype(dtype).reshape(shape)
        normals = self._units(count, dtype)
        whole = count - count % 16
        normals[:whole] = _normal_blocks(normals[:whole])
        if whole < count:
            normals[-16:] = _normal_blocks(self._units(16, dtype))
        return (normals if (mean, std) == (0, 1) else _stretched(normals, std, mean)).reshape(shape)

    def exponential(self, shape: Shape, dtype: DTypeLike = np.float32, rate: float = 1.0) -> Floats:
        """Draw waits for an event that comes `rate` times in a unit of time, as `Tensor.exponential_`.

        RuntimeError unless the rate is positive.
        """
        dtype = _drawable("exponential_", dtype)
        if not rate > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate}; pass a positive rate")
        return (-1 / rate * np.log1p(-self._units(_count(shape), FLOAT64))).astype(dtype).reshape(shape)

    def bernoulli(self, probability: float | Floats, shape: Shape | None = None) -> NDArray[np.bool_]:
        """Flip coins that fall True with `probability`, as `torch.bernoulli` and the mask of dropout.

        The shape is that of `probability` unless given. A number is compared with float64 uniforms, an array with
        uniforms of its own dtype. RuntimeError for probabilities outside [0, 1].
        """
        chances: Floats = np.asarray(probability if isinstance(probability, np.ndarray) else float(probability))
        outside = chances[~((chances >= 0) & (chances <= 1))]
        if outside.size:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={outside[0]}; clamp it first")
        shape = chances.shape if shape is None else shape
        units = self._units(_count(shape), _drawable("bernoulli_", chances.dtype))
        return (units < np.broadcast_to(chances, shape).ravel()).reshape(shape)

    def integers(self, low: int, high: int, shape: Shape) -> NDArray[np.int64]:
        """Draw int64 from low, ..., high - 1, as `torch.randint`; RuntimeError unless low < high."""
        if low >= high:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
        if low < -(2**63) or high > 2**63:
            raise ValueError(f"randint: Overflow when unpacking long long, from={low} to={high}; stay within int64")
        # The remainder of a word favours small numbers, and the more so the wider the range: wide ones take long words.
        draw = self._words if high - low < 2**28 else self._long_words
        return ((draw(_count(shape)) % (high - low)).astype(np.int64) + low).reshape(shape)

    def permutation(self, n: int) -> NDArray[np.int64]:
        """Shuffle 0, ..., n - 1 by the method of Fisher and Yates, as `torch.randperm`; RuntimeError if n < 0."""
        order = list(range(_count((n,))))
        unplaced = np.arange(n, 1, -1)
        steps = self._words(unplaced.size) % unplaced.astype(np.uint64)
        for place, step in enumerate(steps.tolist()):
            order[place], order[place + step] = order[place + step], order[place]
        return np.array(order, np.int64)

    def multinomial(self, probabilities: Floats, num_samples: int, replacement: bool = False) -> NDArray[np.int64]:
        """Draw categories in proportion to their `probabilities`, as `torch.multinomial`.

        A vector (n,) gives (num_samples,) and a matrix (m, n) gives (m, num_samples); no row need sum to 1.
        RuntimeError for weights that are negative, infinite, NaN or all zero in a row, and for more samples than
        categories without replacement.
        """
        _check_multinomial(probabilities, num_samples, replacement)
        if num_samples == 1 or not replacement:
            # A race: the greater its weight, the sooner a category tends to arrive, and the first to arrive are drawn.
            speeds = probabilities / self.exponential(probabilities.shape, probabilities.dtype)
            return np.argsort(-speeds, axis=-1, kind="stable")[..., :num_samples]
        cumulative = np.cumsum(probabilities, axis=-1)
        cumulative /= cumulative[..., -1:]
        units = self.uniform((*probabilities.shape[:-1], num_samples), FLOAT64)
        rows = zip(np.atleast_2d(cumulative), np.atleast_2d(units), strict=True)
        return np.array([np.searchsorted(row, unit) for row, unit in rows], np.int64).reshape(units.shape)

    def _words(self, count: int) -> NDArray[np.uint64]:
        """The next words of 32 bits."""
        return self._twister.random_raw(count)

    def _long_words(self, count: int) -> NDArray[np.uint64]:
        """The next words of 64 bits, each of two short ones, the high half first."""
        words = self._words(2 * count)
        return words[::2] << np.uint64(32) | words[1::2]

    def _units(self, count: int, dtype: np.dtype[Any]) -> Floats:
        """The next uniforms in [0, 1): the low bits of words, as many as the dtype holds exactly."""
        if dtype == FLOAT64:
            return (self._long_words(count) & np.uint64(2**53 - 1)) * 2.0**-53
        return (self._words(count) & np.uint64(2**24 - 1)).astype(np.float32) * np.float32(2**-24)

    def _few_normals(self, count: int) -> NDArray[np.float64]:
        """Float64 normals made in pairs: first the spare of an earlier draw, and a new spare if one is left over."""
        pairs = (count - self._spare_normals.size + 1) // 2
        turns, heights = self._units(2 * pairs, FLOAT64).reshape(pairs, 2).T
        normals = np.concatenate([self._spare_normals, _box_muller(np.log1p(-heights), turns)])
        self._spare_normals = normals[count:]
        return normals[:count]


def _normal_blocks(units: Floats) -> Floats:
    """Normals from blocks of 16 uniforms: eight heights and eight turns become eight cosines and eight sines."""
    heights, turns = units.reshape(-1, 2, 8).swapaxes(0, 1)
    return _box_muller(np.log(1 - heights), turns)


def _box_muller(logarithms: Floats, turns: Floats) -> Floats:
    """Two independent normals, side by side on axis 1, from the log of one uniform and a second one as an angle."""
    radius, angle = np.sqrt(-2 * logarithms), 2 * math.pi * turns
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()


def _stretched(values: Floats, factor: float, offset: float) -> Floats:
    """values * factor + offset rounded only once, as by the fused multiply-add of PyTorch's kernels."""
    number, wide = values.dtype.type, WIDER[values.dtype]
    return (values.astype(wide) * number(factor) + number(offset)).astype(values.dtype)


def _count(shape: Shape) -> int:
    """The number of elements in `shape`, if no dimension is negative."""
    if min(shape, default=0) < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return math.prod(shape)


def _drawable(operation: str, dtype: DTypeLike) -> np.dtype[Any]:
    """`dtype` as an object, if it can be drawn."""
    dtype = np.dtype(dtype)
    if dtype not in WIDER:
        raise NotImplementedError(f'"{operation}" not implemented for {dtype}; draw float32 or float64')
    return dtype


def _check_multinomial(weights: Floats, num_samples: int, replacement: bool) -> None:
    """Raise what `torch.multinomial` raises for arguments it cannot draw from."""
    _drawable("multinomial", weights.dtype)
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
        fault = f"sum of probabilities <= 0) in shape {weights.shape}"
        raise RuntimeError(f"invalid multinomial distribution ({fault}; give each row a positive weight")


default_generator = Generator()
