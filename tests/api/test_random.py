"""minigrad.random against PyTorch: the same seeds, the same draws, the same numbers."""

import copy
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
from minigrad.random import DEFAULT_SEED, PART, STATE, Generator

SEEDS = (0, 1, 42, 2147483647, -1, 2**40 + 5)
SIZES = (0, 1, 2, 7, 15, 16, 17, 31, 32, 33, 100, 1000, 10007)
DTYPES = {np.float32: torch.float32, np.float64: torch.float64}
# Without AVX, PyTorch's kernels multiply and add in two roundings; with it they fuse, as we do.
FUSED = torch.backends.cpu.get_cpu_capability() != "DEFAULT"
# With AVX, PyTorch has a float32 logarithm, cosine and sine of its own, and ours take the same steps. Without, it calls
# the C library, whose answers differ by a few units in the last place, and by more where a cosine is close to 0.
SAME_STEPS = torch.backends.cpu.get_cpu_capability() in {"AVX2", "AVX512"}

every_seed = pytest.mark.parametrize("seed", SEEDS)
every_size = pytest.mark.parametrize("size", SIZES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


def pair(seed: int) -> tuple[Generator, torch.Generator]:
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_same(ours: np.ndarray, theirs: torch.Tensor) -> None:
    """Bit for bit, shape and dtype too."""
    expected = theirs.numpy()
    assert isinstance(ours, np.ndarray)
    assert (ours.dtype, ours.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(ours, expected)


def assert_close(ours: np.ndarray, theirs: torch.Tensor, scale: float = 1.0) -> None:
    """Up to the last bits of a logarithm and a cosine."""
    expected = theirs.numpy()
    assert isinstance(ours, np.ndarray)
    assert (ours.dtype, ours.shape) == (expected.dtype, expected.shape)
    precision = float(np.finfo(expected.dtype).eps)
    np.testing.assert_allclose(ours, expected, rtol=8 * precision, atol=24 * precision * scale)


def assert_normal(ours: np.ndarray, theirs: torch.Tensor, scale: float = 1.0) -> None:
    """Float32 normals: bit for bit from 16 on; fewer are float64 of the C library rounded, to 1 unit in the last place.

    Float64 normals come from the C library whatever their number: `assert_close`.
    """
    assert_close(ours, theirs, scale)
    if ours.dtype == np.float32 and ours.size < 16:
        np.testing.assert_array_max_ulp(ours, theirs.numpy(), maxulp=1)
    elif ours.dtype == np.float32 and SAME_STEPS:
        np.testing.assert_array_equal(ours.view(np.int32), theirs.numpy().view(np.int32))


def assert_in_step(ours: Generator, theirs: torch.Generator) -> None:
    """Both streams stand at the same word, with the same spare normal."""
    mine, yours = ours.get_state().view(STATE)[0], theirs.get_state().numpy().view(STATE)[0]
    for name in ("initial_seed", "words_left", "words", "spare_count", "seeded"):
        np.testing.assert_array_equal(mine[name], yours[name], err_msg=name)
    np.testing.assert_allclose(mine["spare_normal"], yours["spare_normal"], rtol=1e-14, atol=1e-14)


@every_seed
@every_size
@every_dtype
def test_uniform_is_rand(seed: int, size: int, dtype: type) -> None:
    ours, theirs = pair(seed)
    assert_same(ours.uniform((size,), dtype), torch.rand(size, dtype=DTYPES[dtype], generator=theirs))
    assert_in_step(ours, theirs)


@every_size
@every_dtype
@pytest.mark.parametrize("bounds", [(-1, 1), (-0.123, 0.123), (-1 / 28, 1 / 28), (3.3, 1e5), (0.1, 0.3), (2, 2)])
def test_uniform_between_bounds(size: int, dtype: type, bounds: tuple[float, float]) -> None:
    ours, theirs = pair(42)
    mine = ours.uniform((size,), dtype, *bounds)
    expected = torch.empty(size, dtype=DTYPES[dtype]).uniform_(*bounds, generator=theirs)
    if dtype is np.float32 and FUSED:
        assert_same(mine, expected)
    assert_close(mine, expected, scale=max(map(abs, bounds)))
    assert_in_step(ours, theirs)


@every_seed
@every_size
@every_dtype
def test_normal_is_randn(seed: int, size: int, dtype: type) -> None:
    ours, theirs = pair(seed)
    for _ in range(2):
        assert_normal(ours.normal((size,), dtype), torch.randn(size, dtype=DTYPES[dtype], generator=theirs))
        assert_in_step(ours, theirs)


@every_dtype
@pytest.mark.parametrize("size", [PART - 1, PART, PART + 1, PART + 16, 2 * PART + 7, 1_000_003])
def test_normal_in_parts(size: int, dtype: type) -> None:
    ours, theirs = pair(3)
    assert_normal(ours.normal((size,), dtype), torch.randn(size, dtype=DTYPES[dtype], generator=theirs))
    assert_in_step(ours, theirs)


@pytest.mark.parametrize("zeros", [slice(0, 8), slice(8, 16), slice(0, 16)])
def test_normal_at_the_edges(zeros: slice) -> None:
    """A height of 0 leaves a radius of 0, and no -0 whatever its cosine; a turn of 0 is the first angle there is."""
    ours, theirs = pair(5)
    ours.uniform((16,))
    state = ours.get_state()
    state.view(STATE)["words"].reshape(-1, 16)[:, zeros] = 0
    ours.set_state(state)
    theirs.set_state(torch.from_numpy(state))
    mine = ours.normal((608,))
    assert not np.signbit(mine[mine == 0]).any()
    assert_normal(mine, torch.randn(608, generator=theirs))


@every_size
@every_dtype
@pytest.mark.parametrize(("mean", "std"), [(0.5, 0.02), (3, 2), (-1, 0)])
def test_normal_with_mean_and_std(size: int, dtype: type, mean: float, std: float) -> None:
    ours, theirs = pair(1)
    expected = torch.empty(size, dtype=DTYPES[dtype]).normal_(mean, std, generator=theirs)
    assert_normal(ours.normal((size,), dtype, mean, std), expected, scale=abs(mean) + std)
    assert_in_step(ours, theirs)


def test_normal_keeps_its_spare_across_other_draws() -> None:
    ours, theirs = pair(0)
    for size in (3, 0, 20, 1, 2, 5, 4):
        assert_normal(ours.normal((size,)), torch.randn(size, generator=theirs))
        assert_same(ours.uniform((size,)), torch.rand(size, generator=theirs))
        assert_in_step(ours, theirs)


def test_manual_seed_forgets_the_spare() -> None:
    ours, theirs = pair(0)
    ours.normal((1,))
    assert_normal(ours.manual_seed(0).normal((3,)), torch.randn(3, generator=theirs))
    assert_in_step(ours, theirs)


@every_seed
@every_size
@every_dtype
def test_exponential(seed: int, size: int, dtype: type) -> None:
    ours, theirs = pair(seed)
    for rate in (1, 2.5):
        expected = torch.empty(size, dtype=DTYPES[dtype]).exponential_(rate, generator=theirs)
        mine = ours.exponential((size,), dtype, rate)
        np.testing.assert_array_max_ulp(mine, expected.numpy(), maxulp=1 if dtype is np.float32 else 4)
        assert_in_step(ours, theirs)


@every_seed
@every_size
def test_bernoulli_of_a_number(seed: int, size: int) -> None:
    ours, theirs = pair(seed)
    for probability in (0, 0.3, 0.5, 1.0):
        expected = torch.empty(size, dtype=torch.bool).bernoulli_(probability, generator=theirs)
        assert_same(ours.bernoulli(probability, (size,)), expected)
        assert_in_step(ours, theirs)


@every_seed
@every_dtype
def test_bernoulli_of_an_array(seed: int, dtype: type) -> None:
    ours, theirs = pair(seed)
    chances = np.random.default_rng(seed % 99).random((30, 7)).astype(dtype)
    assert_same(ours.bernoulli(chances), torch.bernoulli(torch.tensor(chances), generator=theirs).bool())
    expected = torch.empty(30, 7, dtype=torch.bool).bernoulli_(torch.tensor(chances[0]), generator=theirs)
    assert_same(ours.bernoulli(chances[0], (30, 7)), expected)
    assert_in_step(ours, theirs)


@every_seed
@every_dtype
def test_bernoulli_is_the_mask_of_dropout(seed: int, dtype: type) -> None:
    torch.manual_seed(seed)
    kept = torch.nn.functional.dropout(torch.ones(100, 33, dtype=DTYPES[dtype]), 0.2) != 0
    assert_same(Generator().manual_seed(seed).bernoulli(1 - 0.2, (100, 33)), kept)


@every_seed
@every_size
def test_integers_is_randint(seed: int, size: int) -> None:
    ours, theirs = pair(seed)
    for bounds in (0, 1), (-5, 5), (0, 2**28 - 1), (0, 2**28), (-3, 2**40), (-(2**63), 2**63 - 1):
        assert_same(ours.integers(*bounds, (size,)), torch.randint(*bounds, (size,), generator=theirs))
        assert_in_step(ours, theirs)


@every_seed
def test_integers_of_the_whole_range_is_random_(seed: int) -> None:
    """The draw by which a DataLoader seeds its sampler."""
    ours, theirs = pair(seed)
    assert_same(ours.integers(0, 2**63, ()), torch.empty((), dtype=torch.int64).random_(generator=theirs))


@every_seed
@every_size
def test_permutation_is_randperm(seed: int, size: int) -> None:
    ours, theirs = pair(seed)
    assert_same(ours.permutation(size), torch.randperm(size, generator=theirs))
    assert_in_step(ours, theirs)


@every_seed
def test_permutation_splits_as_random_split(seed: int) -> None:
    ours, theirs = pair(seed)
    first, second = torch.utils.data.random_split(range(25), [20, 5], generator=theirs)
    assert ours.permutation(25).tolist() == [*first.indices, *second.indices]


@every_seed
@every_dtype
@pytest.mark.parametrize("shape", [(1,), (7,), (5, 7), (1000,), (3, 1000)])
def test_multinomial(seed: int, dtype: type, shape: tuple[int, ...]) -> None:
    ours, theirs = pair(seed)
    weights = np.random.default_rng(seed % 99).random(shape).astype(dtype)
    without = [(samples, False) for samples in (1, 2, 7, 50) if samples <= shape[-1]]
    for samples, replacement in [*without, (1, True), (2, True), (50, True)]:
        expected = torch.multinomial(torch.tensor(weights), samples, replacement, generator=theirs)
        assert_same(ours.multinomial(weights, samples, replacement), expected)
        assert_in_step(ours, theirs)


def test_multinomial_never_draws_a_weight_of_zero() -> None:
    weights = np.array([0, 1, 0, 2, 0], np.float32)
    assert set(Generator().multinomial(weights, 200, replacement=True)) == {1, 3}
    assert set(Generator().multinomial(weights, 2)) == {1, 3}


@pytest.mark.parametrize("shape", [(), (2, 3), (4, 0, 2), (3, 5, 7)])
def test_shapes(shape: tuple[int, ...]) -> None:
    ours, theirs = pair(42)
    assert_same(ours.uniform(shape), torch.rand(shape, generator=theirs))
    assert_close(ours.uniform(shape, low=-1, high=2), torch.empty(shape).uniform_(-1, 2, generator=theirs))
    assert_close(ours.exponential(shape), torch.empty(shape).exponential_(generator=theirs))
    assert_normal(ours.normal(shape), torch.randn(shape, generator=theirs))
    assert_same(ours.integers(0, 9, shape), torch.randint(9, shape, generator=theirs))
    assert_same(ours.bernoulli(0.5, shape), torch.empty(shape, dtype=torch.bool).bernoulli_(generator=theirs))
    assert_in_step(ours, theirs)


floating = st.sampled_from(list(DTYPES))
sizes = st.integers(0, 40)
draws = st.one_of(
    st.tuples(st.sampled_from(["uniform", "normal", "exponential"]), sizes, floating),
    st.tuples(st.just("integers"), sizes, st.sampled_from([2, 1000, 2**28, 2**50])),
    st.tuples(st.just("permutation"), sizes, st.none()),
    st.tuples(st.just("bernoulli"), sizes, st.floats(0, 1)),
    st.tuples(st.just("multinomial"), st.integers(1, 20), st.booleans()),
    st.tuples(st.just("state"), st.none(), st.none()),
)


def draw_both(ours: Generator, theirs: torch.Generator, kind: str, size: int, choice: Any) -> None:
    if kind == "uniform":
        assert_same(ours.uniform((size,), choice), torch.rand(size, dtype=DTYPES[choice], generator=theirs))
    elif kind == "normal":
        assert_normal(ours.normal((size,), choice), torch.randn(size, dtype=DTYPES[choice], generator=theirs))
    elif kind == "exponential":
        expected = torch.empty(size, dtype=DTYPES[choice]).exponential_(generator=theirs)
        assert_close(ours.exponential((size,), choice), expected)
    elif kind == "integers":
        assert_same(ours.integers(0, choice, (size,)), torch.randint(choice, (size,), generator=theirs))
    elif kind == "permutation":
        assert_same(ours.permutation(size), torch.randperm(size, generator=theirs))
    elif kind == "bernoulli":
        expected = torch.empty(size, dtype=torch.bool).bernoulli_(choice, generator=theirs)
        assert_same(ours.bernoulli(choice, (size,)), expected)
    elif kind == "multinomial":
        weights = np.linspace(0.1, 1, 20, dtype=np.float32)
        expected = torch.multinomial(torch.tensor(weights), size, choice, generator=theirs)
        assert_same(ours.multinomial(weights, size, choice), expected)
    else:
        ours.set_state(theirs.get_state().numpy())
        theirs.set_state(torch.from_numpy(ours.get_state()))


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(-(2**63), 2**64 - 1), program=st.lists(draws, max_size=12))
def test_any_program_of_draws_keeps_in_step(seed: int, program: list[tuple[str, int, Any]]) -> None:
    ours, theirs = pair(seed)
    for draw in program:
        draw_both(ours, theirs, *draw)
        assert_in_step(ours, theirs)


def test_a_new_generator_starts_from_the_default_seed() -> None:
    assert DEFAULT_SEED == torch.Generator().initial_seed() == Generator().initial_seed()
    assert_same(Generator().uniform((5,)), torch.rand(5, generator=torch.Generator()))


@pytest.mark.parametrize("seed", [*SEEDS, -(2**63), 2**64 - 1])
def test_manual_seed(seed: int) -> None:
    ours, theirs = pair(seed)
    assert ours.initial_seed() == theirs.initial_seed()
    assert ours.manual_seed(seed) is ours
    assert_in_step(ours, theirs)


def test_seed_is_new_every_time_and_repeats_its_stream() -> None:
    generator = Generator()
    first, second = generator.seed(), generator.seed()
    assert first != second == generator.initial_seed()
    np.testing.assert_array_equal(generator.uniform((5,)), Generator().manual_seed(second).uniform((5,)))


def copied_state(generator: Generator) -> Generator:
    return Generator().set_state(generator.get_state())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, copied_state, lambda g: pickle.loads(pickle.dumps(g))])
@pytest.mark.parametrize("words", [0, 1, 623, 624, 625])
def test_copies_go_on_alike(copied: Callable[[Generator], Generator], words: int) -> None:
    generator = Generator().manual_seed(7)
    generator.uniform((words,))
    generator.normal((3,))
    twin = copied(generator)
    assert twin.initial_seed() == 7
    np.testing.assert_array_equal(twin.normal((9,)), generator.normal((9,)))
    np.testing.assert_array_equal(twin.uniform((700,)), generator.uniform((700,)))


DRAWS: dict[str, Callable[[Generator], np.ndarray]] = {
    "uniform": lambda g: g.uniform((3,), np.float64),
    "few normals": lambda g: g.normal((3,)),
    "normals": lambda g: g.normal((20,)),
    "exponential": lambda g: g.exponential((2,)),
    "bernoulli": lambda g: g.bernoulli(0.5, (60,)),
    "integers": lambda g: g.integers(0, 2**40, (3,)),
    "permutation": lambda g: g.permutation(20),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_threads_draw_what_one_alone_would(draw: Callable[[Generator], np.ndarray]) -> None:
    """Each draw has its words one after the other, and no word is drawn twice, whichever thread comes first."""
    generator, alone = Generator().manual_seed(7), Generator().manual_seed(7)
    threads, rounds = 4, 100
    start = threading.Barrier(threads)

    def work(_: int) -> list[np.ndarray]:
        start.wait(10)
        return [draw(generator) for _ in range(rounds)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            drawn = [x for each in pool.map(work, range(threads)) for x in each]
    finally:
        sys.setswitchinterval(interval)
    expected = [draw(alone) for _ in range(threads * rounds)]
    assert sorted(x.tolist() for x in drawn) == sorted(x.tolist() for x in expected)
    np.testing.assert_array_equal(generator.get_state(), alone.get_state())


def test_a_copy_has_a_stream_of_its_own() -> None:
    for library, make, draw in ((minigrad, Generator, minigrad.rand), (torch, torch.Generator, torch.rand)):
        generator = make().manual_seed(7)
        draw(3, generator=generator)
        twin = copy.copy(generator)
        first, second = draw(3, generator=twin), draw(3, generator=generator)
        assert first.tolist() == second.tolist(), library


def test_a_state_is_a_snapshot() -> None:
    generator = Generator()
    state = generator.get_state()
    kept = state.copy()
    first = generator.normal((3,))
    np.testing.assert_array_equal(state, kept)
    np.testing.assert_array_equal(generator.set_state(state).normal((3,)), first)
    generator.normal((30,))
    np.testing.assert_array_equal(state, kept)


def spoiled(name: str, value: int) -> np.ndarray:
    state = Generator().get_state()
    state.view(STATE)[name] = value
    return state


nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("error", "message", "act"),
    [
        (RuntimeError, "device 'cuda'", lambda g: Generator("cuda")),
        (RuntimeError, "manual_seed: expected a long, but got float", lambda g: g.manual_seed(1.5)),
        (RuntimeError, "manual_seed: expected a long, but got bool", lambda g: g.manual_seed(True)),
        (ValueError, "overflows a long long", lambda g: g.manual_seed(2**64)),
        (ValueError, "overflows a long long", lambda g: g.manual_seed(-(2**63) - 1)),
        (TypeError, "expected a uint8 array, but got int", lambda g: g.set_state(3)),
        (RuntimeError, "expected 5056 bytes, but got 3", lambda g: g.set_state(np.zeros(3, np.uint8))),
        (RuntimeError, "Invalid mt19937 state", lambda g: g.set_state(spoiled("words_left", 625))),
        (RuntimeError, "Invalid mt19937 state", lambda g: g.set_state(spoiled("words_left", 0))),
        (RuntimeError, "Invalid mt19937 state", lambda g: g.set_state(spoiled("spare_count", 2))),
        (RuntimeError, "found from=2 > to=1", lambda g: g.uniform((2,), low=2, high=1)),
        (RuntimeError, "found from=nan > to=1", lambda g: g.uniform((2,), low=nan, high=1)),
        (RuntimeError, "expected to-from to fit in float32", lambda g: g.uniform((2,), low=-3e38, high=3e38)),
        (NotImplementedError, "uniform_: not implemented for int64", lambda g: g.uniform((2,), np.int64)),
        (NotImplementedError, "normal: not implemented for int64", lambda g: g.normal((2,), np.int64)),
        (RuntimeError, r"normal: expected std >= 0.0, but found std -1", lambda g: g.normal((2,), std=-1)),
        (
            RuntimeError,
            "exponential_: expected lambda > 0.0, but found lambda=0",
            lambda g: g.exponential((2,), rate=0),
        ),
        (RuntimeError, r"bernoulli_: expected p in \[0, 1\], but got p=1.5", lambda g: g.bernoulli(1.5, (2,))),
        (RuntimeError, r"bernoulli_: expected p in \[0, 1\], but got p=nan", lambda g: g.bernoulli(nan, (2,))),
        (NotImplementedError, "bernoulli_: not implemented for int64", lambda g: g.bernoulli(np.array([0, 1]))),
        (RuntimeError, "'from' must be less than 'to', but got from=3 >= to=3", lambda g: g.integers(3, 3, (0,))),
        (ValueError, "overflows a long long", lambda g: g.integers(0, 2**63 + 1, (2,))),
        (RuntimeError, r"negative dimension -1: \[2, -1\]", lambda g: g.uniform((2, -1))),
        (RuntimeError, r"negative dimension -1: \[-1\]", lambda g: g.permutation(-1)),
        (RuntimeError, "`inf`, `nan` or element < 0", lambda g: g.multinomial(np.array([-1.0, 2]), 1)),
        (RuntimeError, "`inf`, `nan` or element < 0", lambda g: g.multinomial(np.array([inf, 2]), 2, True)),
        (RuntimeError, "`inf`, `nan` or element < 0", lambda g: g.multinomial(np.array([nan, 2]), 1)),
        (RuntimeError, "sum of probabilities <= 0", lambda g: g.multinomial(np.array([[1.0, 1], [0, 0]]), 1)),
        (RuntimeError, "without replacement", lambda g: g.multinomial(np.ones(2), 3)),
        (RuntimeError, "n_sample <= 0", lambda g: g.multinomial(np.ones(2), 0)),
        (RuntimeError, "must be 1 or 2 dim", lambda g: g.multinomial(np.ones((1, 1, 1)), 1)),
        (RuntimeError, "not implemented for int64", lambda g: g.multinomial(np.array([1, 2]), 1)),
    ],
)
def test_errors_leave_the_stream_alone(error: type, message: str, act: Callable[[Generator], Any]) -> None:
    generator = Generator()
    with pytest.raises(error, match=message):
        act(generator)
    assert_in_step(generator, torch.Generator())
