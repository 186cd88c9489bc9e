"""`cmp`: the lecture's own comparison, and what it says of right gradients and of mistakes planted in a network."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from minigrad.core.tensor import wrap
from minigrad.debug.cmp import Comparison, cmp
from tests.support.comparison import normal

n, V, H = 32, 27, 64  # the batch, the characters, the hidden units


def with_gradient(gradient: Any) -> minigrad.Tensor:
    """A leaf that a backward pass has given this gradient."""
    x = wrap(np.zeros_like(gradient)).requires_grad_()
    x.grad = wrap(np.array(gradient))
    return x


def compared(computed: Any, gradient: Any) -> Comparison:
    return cmp("x", computed, with_gradient(gradient))


# The lecture's network: an embedding, a layer with batch norm, and a cross entropy, in small steps


@pytest.fixture(scope="module")
def net() -> SimpleNamespace:
    """The forward pass in small steps, in float32, and the backward pass of the engine."""
    generator = minigrad.Generator().manual_seed(2147483647)

    def parameter(*shape: int, scale: float) -> minigrad.Tensor:
        return (minigrad.randn(*shape, generator=generator) * scale).requires_grad_()

    s = SimpleNamespace(
        C=parameter(V, 10, scale=1),
        W1=parameter(30, H, scale=0.3),
        b1=parameter(H, scale=0.1),
        W2=parameter(H, V, scale=0.1),
        b2=parameter(V, scale=0.1),
        gain=parameter(1, H, scale=0.5),
        bias=parameter(1, H, scale=0.1),
        X=minigrad.randint(0, V, (n, 3), generator=generator),
        Y=minigrad.randint(0, V, (n,), generator=generator),
    )
    s.emb = s.C[s.X]
    s.embcat = s.emb.view(n, -1)
    s.hprebn = s.embcat @ s.W1 + s.b1
    s.mean = 1 / n * s.hprebn.sum(0, keepdim=True)
    s.diff = s.hprebn - s.mean
    s.diff2 = s.diff**2
    s.var = 1 / (n - 1) * s.diff2.sum(0, keepdim=True)
    s.inv = (s.var + 1e-5) ** -0.5
    s.raw = s.diff * s.inv
    s.hpreact = s.gain * s.raw + s.bias
    s.h = minigrad.tanh(s.hpreact)
    s.logits = s.h @ s.W2 + s.b2
    s.maxes = s.logits.max(1, keepdim=True).values
    s.norm = s.logits - s.maxes
    s.counts = s.norm.exp()
    s.total = s.counts.sum(1, keepdim=True)
    s.probs = s.counts * s.total**-1
    s.logprobs = s.probs.log()
    s.loss = -s.logprobs[range(n), s.Y].mean()
    for x in vars(s).values():
        if x.requires_grad:
            x.retain_grad()
    s.loss.backward()
    return s


def hand(net: SimpleNamespace) -> dict[str, np.ndarray]:
    """The same gradients worked out by hand, in numpy."""
    s = SimpleNamespace(**{name: x.array for name, x in vars(net).items()})
    d = SimpleNamespace()
    d.logprobs = np.zeros_like(s.logprobs)
    d.logprobs[range(n), s.Y] = -1 / n
    d.probs = d.logprobs / s.probs
    d.total = -(d.probs * s.counts).sum(1, keepdims=True) / s.total**2
    d.counts = d.probs / s.total + d.total
    d.norm = d.counts * s.counts
    d.maxes = -d.norm.sum(1, keepdims=True)
    hot = np.eye(V, dtype=np.float32)[s.logits.argmax(1)]
    d.logits = d.norm + hot * d.maxes
    d.h, d.W2, d.b2 = d.logits @ s.W2.T, s.h.T @ d.logits, d.logits.sum(0)
    d.hpreact = (1 - s.h**2) * d.h
    d.gain, d.bias = (s.raw * d.hpreact).sum(0, keepdims=True), d.hpreact.sum(0, keepdims=True)
    d.raw = s.gain * d.hpreact
    d.inv = (s.diff * d.raw).sum(0, keepdims=True)
    d.var = -0.5 * (s.var + 1e-5) ** -1.5 * d.inv
    d.diff2 = np.ones_like(s.diff2) / (n - 1) * d.var
    d.diff = 2 * s.diff * d.diff2 + s.inv * d.raw
    d.mean = -d.diff.sum(0, keepdims=True)
    d.hprebn = d.diff + d.mean / n
    d.embcat, d.W1, d.b1 = d.hprebn @ s.W1.T, s.embcat.T @ d.hprebn, d.hprebn.sum(0)
    d.emb = d.embcat.reshape(s.emb.shape)
    d.C = np.zeros_like(s.C)
    np.add.at(d.C, s.X, d.emb)
    return vars(d)


def test_gradients_worked_out_by_hand_are_right_for_the_whole_network(net: SimpleNamespace) -> None:
    for name, gradient in hand(net).items():
        result = cmp(name, gradient, getattr(net, name))
        assert result, result.note
        assert result.grade in ("exact", "rounding", "close")


# Each mistake: of whose gradient, what was computed instead (from the right gradients d, and the network s), and what
# has to be said of it.
MISTAKES: dict[str, tuple[str, Any, str]] = {
    "a bias not summed": (
        "b2",
        lambda d, s: d["logits"],
        r"sum over what broadcasting repeated: after \.sum\(0\) the numbers",
    ),
    "a gain not summed": (
        "gain",
        lambda d, s: s.raw.array * d["hpreact"],
        r"after \.sum\(0, keepdim=True\) the numbers",
    ),
    "a sum over rows left out": (
        "total",
        lambda d, s: -d["probs"] * s.counts.array / s.total.array**2,
        r"after \.sum\(1, keepdim=True\) the numbers agree",
    ),
    "that, and a minus": (
        "total",
        lambda d, s: d["probs"] * s.counts.array / s.total.array**2,
        r"after \.sum\(1, keepdim=True\) a minus is missing",
    ),
    "keepdim forgotten": (
        "bias",
        lambda d, s: d["bias"][0],
        "with keepdim=True where it is summed, the numbers agree",
    ),
    "keepdim forgotten for rows": (
        "maxes",
        lambda d, s: d["maxes"][:, 0],
        r"\(32,\) instead of \(32, 1\); with keepdim=True ",
    ),
    "keepdim too many": ("b2", lambda d, s: d["b2"][None], r"\(1, 27\) instead of \(27,\); after \.view\(27,\) the"),
    "a transposed weight": (
        "W2",
        lambda d, s: d["W2"].T,
        r"dims 0 and 1 are transposed: after \.transpose\(0, 1\) the",
    ),
    "a mean not divided": (
        "logprobs",
        lambda d, s: d["logprobs"] * n,
        "1/n is missing, a mean's, for n = 32, the size of",
    ),
    "divided twice": ("hprebn", lambda d, s: d["hprebn"] / n, "a factor n is missing, or 1/n one too many, for n = 32"),
    "a variance not divided": (
        "diff2",
        lambda d, s: d["diff2"] * (n - 1),
        r"1/\(n-1\) is missing, .* n = 32, .* dim 0",
    ),
    "Bessel's correction": (
        "diff2",
        lambda d, s: d["diff2"] * ((n - 1) / n),
        r"1/n stands for 1/\(n-1\) \(Bessel's .* 32",
    ),
    "Bessel's too many": ("diff2", lambda d, s: d["diff2"] * (n / (n - 1)), r"1/\(n-1\) \(Bessel's .* stands for 1/n"),
    "the same, of a sum": (
        "var",
        lambda d, s: d["var"] * (n / (n - 1)),
        r"0\.96875 \(31/32, as Bessel.* n = 32\)",
    ),
    "2 forgotten": ("diff", lambda d, s: d["diff"] / 2, "a factor of 2 is missing"),
    "2 too many": ("h", lambda d, s: d["h"] * 2, "a factor of 1/2 is missing"),
    "another factor": ("W1", lambda d, s: d["W1"] / 0.3, r"a factor of 0\.3 \(3/10\) is missing"),
    "a factor and a minus": ("W1", lambda d, s: d["W1"] * -2, "a factor of 1/2 is missing, and so is a minus"),
    "a minus": ("mean", lambda d, s: -d["mean"], "a minus is missing"),
    "the gain forgotten": ("raw", lambda d, s: d["hpreact"], "a factor that varies along dim 1 only, such as"),
    "the counts' sums forgotten": (
        "norm",
        lambda d, s: d["norm"] * s.total.array,
        "a factor that varies along dim 0 only",
    ),
    "one row alone": (
        "logits",
        lambda d, s: d["logits"] * (np.arange(n) == 5)[:, None],
        "it is right at index 5 of dim 0",
    ),
    "one column alone": (
        "h",
        lambda d, s: d["h"] * (np.arange(H) == 0),
        "it is right at index 0 of dim 1, and zero else",
    ),
    "the maxima forgotten": (
        "logits",
        lambda d, s: d["logits"] + 0.5 * (np.arange(V) == s.logits.array.argmax(1)[:, None]),
        "it is right but for 32 of 864 elements",
    ),
    "zeros": ("W2", lambda d, s: np.zeros((H, V), np.float32), "it is zero everywhere"),
}


@pytest.mark.parametrize(("name", "mistaken", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_recognized(
    net: SimpleNamespace, name: str, mistaken: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    right = {key: getattr(net, key).node.grad.array for key in hand(net)}
    result = cmp(name, mistaken(right, net), getattr(net, name))
    assert not result
    assert result.grade == "wrong"
    assert re.search(words, result.note), result.note
    assert result.note in capsys.readouterr().out


def test_the_hard_mistake_of_the_lecture_gets_no_guess(net: SimpleNamespace) -> None:
    right = hand(net)
    result = cmp("hprebn", right["diff"], net.hprebn)  # one of the two branches is left out
    assert not result
    assert ";" not in result.note
    worst = np.unravel_index(np.abs(right["diff"] - net.hprebn.grad.array).argmax(), (n, H))
    assert result.place == tuple(map(int, worst))
    values = f"it is {right['diff'][worst]} instead of {net.hprebn.grad.array[worst]}"
    assert result.note == f"at {result.place} {values}"


def test_an_embedding_whose_repeated_rows_were_not_added_is_right_elsewhere() -> None:
    C = minigrad.randn(V, 4).requires_grad_()
    X = minigrad.tensor([*range(V), 3, 5])
    C[X].sum().backward()
    overwritten = np.ones((V, 4), np.float32)
    assert compared(overwritten, C.grad.array).note.endswith("it is right but for 8 of 108 elements")


# The row that it prints


def lecture_row(name: str, computed: np.ndarray, gradient: np.ndarray) -> str:
    """What the lecture's `cmp` prints in PyTorch."""
    dt, grad = torch.from_numpy(computed), torch.from_numpy(gradient)
    exact, approximate = torch.all(dt == grad).item(), torch.allclose(dt, grad)
    columns = [f"{name:15s}", f"exact: {exact!s:5s}", f"approximate: {approximate!s:5s}"]
    return " | ".join([*columns, f"maxdiff: {(dt - grad).abs().max().item()}"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("error", [0.0, 1e-16, 1e-9, 1e-7, 3e-6, 1e-4, 1.0])
def test_the_row_is_that_of_the_lecture(error: float, dtype: Any, capsys: pytest.CaptureFixture[str]) -> None:
    gradient = normal(4, 3, dtype=dtype)
    computed = (gradient * (1 + error * normal(4, 3))).astype(dtype)
    result = cmp("hpreact", computed, with_gradient(gradient))
    row = lecture_row("hpreact", computed, gradient)
    printed = capsys.readouterr().out
    assert printed.startswith(row)
    assert (printed == row + "\n") == (result.grade == "exact") == (computed == gradient).all()
    assert printed == row + "\n" or printed.removeprefix(row) == f" | {result.grade}: {result.note}\n"


def test_a_result_says_all_that_was_found() -> None:
    result = compared(np.array([1.0, 2.5]), np.array([1.0, 2.0]))
    assert result == Comparison("x", "wrong", 0.5, 0.5 / 2**-51, (1,), "at (1,) it is 2.5 instead of 2.0")
    assert repr(result).startswith("Comparison(name='x', grade='wrong', maxdiff=0.5, ")


# Grades


def test_rounding_is_counted_in_units_of_the_largest_element() -> None:
    gradient = np.array([1.0, 1e-3], np.float32)
    ulp = np.finfo(np.float32).eps
    for units in (1, 16):
        result = compared(gradient + np.array([0, units * ulp], np.float32), gradient)
        assert (result.grade, round(result.ulps), result.place) == ("rounding", units, (1,))
        assert f"{units} units in the last place" in result.note
        assert result
    assert compared(gradient + np.array([18 * ulp, 0], np.float32), gradient).grade == "close"
    assert compared(gradient + np.array([0, 40 * ulp], np.float32), gradient).grade == "wrong"


def test_another_dtype_is_noted_and_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    gradient = np.array([0.5, 0.25], np.float32)
    result = compared(gradient.astype(np.float64), gradient)
    assert (result.grade, result.note) == ("exact", "in float64 instead of float32")
    assert "in float64 instead of float32" in capsys.readouterr().out
    result = compared(np.array([1 / 3, 0.1]), np.array([1 / 3, 0.1], np.float32))
    assert result.grade == "rounding"
    assert result.ulps <= 0.5
    assert "in float64 instead of float32" in result.note


def test_nan_equals_nan_in_the_same_place_only() -> None:
    gradient = np.array([1.0, np.nan, np.inf])
    assert compared(gradient, gradient).grade == "exact"
    for computed in ([np.nan, np.nan, np.inf], [1.0, 2.0, np.inf], [1.0, np.nan, np.nan]):
        result = compared(np.array(computed), gradient)
        assert not result
        assert result.place == next(i for i in [(0,), (1,), (2,)] if not same(computed[i[0]], gradient[i]))
    assert np.isnan(compared(np.array([np.nan, np.nan, np.inf]), gradient).maxdiff)
    assert not compared(np.array([1.0, np.nan, -np.inf]), gradient)


def same(a: float, b: float) -> bool:
    return a == b or (np.isnan(a) and np.isnan(b))


def test_a_shape_that_would_broadcast_is_wrong_all_the_same() -> None:
    for shape, other in [((64,), (1, 64)), ((1, 64), (64,)), ((32, 1), (32,)), ((), (1,)), ((1, 1), ())]:
        numbers = normal(max(np.prod(shape, dtype=int), 1))
        result = compared(numbers.reshape(shape), numbers.reshape(other))
        assert not result
        how = "with keepdim=True where it is summed," if len(shape) < len(other) else f"after .view{other}"
        assert result.note == f"the shape is {shape} instead of {other}; {how} the numbers agree"
    assert compared(normal(3), normal(2)).note == "the shape is (3,) instead of (2,)"


def test_numbers_tensors_and_values_are_compared() -> None:
    x = minigrad.tensor(3.0, requires_grad=True)
    (x * x).backward()
    assert cmp("x", 6.0, x)
    assert cmp("x", 6, x).note == ""  # a Python number has no dtype
    assert cmp("x", minigrad.tensor(6.0), x).grade == "exact"
    assert not cmp("x", 5.0, x)
    a = minigrad.Value(2.0)
    (a * a * a).backward()
    assert cmp("a", 12.0, a).grade == "exact"
    assert cmp("a", 6.0, a).note == "it is 6.0 instead of 12.0; a factor of 2 is missing"
    assert cmp("a", 5.0, a).note == "it is 5.0 instead of 12.0"  # one number alone is some multiple of any other


def test_empty_gradients_are_equal() -> None:
    assert compared(np.zeros((0, 3)), np.zeros((0, 3))).grade == "exact"


def test_a_tensor_without_a_gradient_is_refused() -> None:
    x = minigrad.ones(2, requires_grad=True)
    y = x * 2
    y.sum().backward()
    for tensor in (y, minigrad.ones(2), minigrad.ones(2, requires_grad=True)):
        with pytest.raises(RuntimeError, match=r"no gradient yet; call backward\(\) first.*\.retain_grad\(\)"):
            cmp("y", minigrad.ones(2), tensor)
    with pytest.raises(TypeError, match="got float"):
        cmp("y", 1.0, 2.0)


# Of any numbers

shapes = st.lists(st.integers(1, 5), max_size=3).map(tuple)
seeds = st.integers(0, 2**32)


@given(shapes, seeds, st.sampled_from([np.float16, np.float32, np.float64]))
def test_equal_numbers_are_exact(shape: tuple[int, ...], seed: int, dtype: Any) -> None:
    gradient = np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)
    result = compared(gradient.copy(), gradient)
    assert result.grade == "exact"
    assert (result.maxdiff, result.place, result.note) == (0, None, "")


@given(shapes, seeds, st.floats(1e-3, 1e3), st.booleans())
def test_a_factor_is_found(shape: tuple[int, ...], seed: int, factor: float, negative: bool) -> None:
    gradient = np.random.default_rng(seed).standard_normal((*shape, 2))
    result = compared(gradient / factor * (-1 if negative else 1), gradient)
    if abs(factor - 1) < 1e-4:
        return
    assert result.note.endswith("and so is a minus") == negative
    found = re.search(r"a factor of ([\d.e+-]+|1/2) .*is missing", result.note)
    if found:
        assert (0.5 if found[1] == "1/2" else float(found[1])) == pytest.approx(factor, rel=1e-5)
    else:
        assert re.search(r"n = \d", result.note)


@given(shapes, seeds)
def test_random_numbers_get_no_guess(shape: tuple[int, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    result = compared(random.standard_normal((*shape, 3)), random.standard_normal((*shape, 3)))
    assert not result
    assert ";" not in result.note


@given(st.tuples(st.integers(2, 5), st.integers(2, 5)), shapes, seeds)
def test_random_numbers_of_another_shape_get_no_guess(left: tuple[int, ...], right: tuple[int, ...], seed: int) -> None:
    random = np.random.default_rng(seed)
    result = compared(random.standard_normal(left), random.standard_normal(right))
    if left != right and right:
        assert result.note.startswith("the shape is")
    assert ";" not in result.note or not np.prod(right) > 1
