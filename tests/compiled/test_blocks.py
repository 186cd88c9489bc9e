"""Blocks: large arrays, computed some rows at a time and by several threads, have the bits of the function itself."""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad
import minigrad.nn.functional as F
from minigrad import nn
from minigrad.compiled import blocks


@pytest.fixture(autouse=True, params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = minigrad.get_num_threads()
    minigrad.set_num_threads(request.param)
    yield request.param
    minigrad.set_num_threads(before)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small arrays are cut into blocks too, with a last block that is not full."""
    monkeypatch.setattr(blocks, "LARGE", 1 << 9)
    monkeypatch.setattr(blocks, "BLOCK", 1 << 7)
    monkeypatch.setattr(blocks, "FEWEST", 2)


def same_bits(function: Callable[..., Any], *shapes: tuple[int, ...], in_blocks: bool = True) -> str:
    """Compile a function, and compare results and gradients of a second call with those of the function itself."""
    compiled = minigrad.compile(function)
    source = ""
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        arrays = [random.standard_normal(shape, np.float32) for shape in shapes]
        found = []
        for run in (function, compiled):
            inputs = [minigrad.tensor(array, requires_grad=True) for array in arrays]
            result = run(*inputs)
            upstream = np.random.default_rng(3).standard_normal(result.shape, np.float32)
            result.backward(minigrad.tensor(upstream))
            found.append([result.detach().numpy(), *(x.grad.numpy() for x in inputs)])
        source = compiled.source
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert ("in_blocks(" in source) == in_blocks, source
    return source


def test_elementwise_steps() -> None:
    source = same_bits(lambda x, y: ((x * y).tanh() + x.exp() * 2).sum(), (67, 31), (67, 31))
    assert "[thread, :count]" in source  # what only the block reads is not kept


def test_rows_that_are_broadcast() -> None:
    same_bits(lambda x, gain, shift: (x * gain + shift).tanh().sum(), (130, 9), (9,), (1, 9))
    same_bits(lambda x, gain: ((x - gain) * gain).relu().sum(), (130, 9), (130, 1))
    same_bits(lambda x, a, b: ((x - a) * b).tanh().sum(), (130, 9), (130, 1), (9,))
    same_bits(lambda x, table: ((x + table) * 3).tanh().sum(), (40, 5, 7), (5, 7))
    same_bits(lambda x, one: ((x + one) * 3).tanh().sum(), (130, 9), (1, 1))
    same_bits(lambda x, one: ((x + one) * 3).tanh().sum(), (600, 1), (1, 1))


def test_as_many_rows_as_columns() -> None:
    """Rows and columns are told apart by where they lie, not by their lengths."""
    same_bits(lambda x, row, column: ((x - row) * column).tanh().sum(), (33, 33), (33,), (33, 1))
    same_bits(lambda x: (x - x.amax(1).unsqueeze(1)).exp().sum(1).log().sum(), (33, 33))
    same_bits(lambda x: (x - x.mean(0, keepdim=True)).exp().amax(1).sum(), (33, 33))


def test_every_block_reads_what_all_blocks_make() -> None:
    """Sums of the rows, as many as there are columns, stand beside every row."""
    same_bits(lambda x: (x * (x.sum(1).view(1, 33) * 2)).tanh().sum(), (33, 33))
    same_bits(lambda x: (x.exp() - (x.exp().amax(1).unsqueeze(0) * 2).tanh()).exp().sum(1), (33, 33))


def test_reductions_of_rows() -> None:
    same_bits(lambda x: (x - x.mean(-1, keepdim=True)).square().mean(-1, keepdim=True).sqrt().sum(), (150, 8))
    same_bits(lambda x: F.layer_norm(x, (8,)).tanh().sum(), (30, 5, 8))
    same_bits(lambda x: (x.softmax(-1) * x).exp().sum(), (150, 8))
    same_bits(lambda x: (x.softmax(-1) * x).exp().sum(), (600, 1))


def test_views_between_steps() -> None:
    same_bits(lambda x: ((x * 2).view(60, 16).tanh() + 1).view(30, 32).exp().sum(), (120, 8))


def test_a_reshape_that_copies() -> None:
    same_bits(lambda x: ((x * 2).view(30, 8, 4).transpose(1, 2).reshape(120, 8).exp() * 3).tanh().sum(), (120, 8))
    same_bits(lambda x: ((x @ x.mT).transpose(0, 1).reshape(40, 20).exp() * 3).tanh().sum(), (2, 20, 20))


def test_masks_and_choices() -> None:
    same_bits(lambda x, y: minigrad.where(x > 0, x * 2, y * 3).tanh().sum(), (130, 9), (130, 9))
    same_bits(lambda x: F.relu(x * 2).square().sum(), (130, 9))


def test_batch_norm_and_cross_entropy() -> None:
    model = nn.Sequential(nn.Linear(6, 20, bias=False), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 5))
    targets = minigrad.arange(140) % 5

    def loss(x: Any) -> Any:
        return F.cross_entropy(model(x), targets)

    for mode in (True, False):
        model.train(mode)
        twin = nn.Sequential(nn.Linear(6, 20, bias=False), nn.BatchNorm1d(20), nn.Tanh(), nn.Linear(20, 5)).train(mode)
        twin.load_state_dict(model.state_dict())
        compiled = minigrad.compile(loss)
        for _ in range(3):
            x = minigrad.randn(140, 6)
            model.zero_grad()
            twin.zero_grad()
            ours, theirs = compiled(x), F.cross_entropy(twin(x), targets)
            ours.backward()
            theirs.backward()
            assert ours.item() == theirs.item()
            for a, b in zip(model.parameters(), twin.parameters(), strict=True):
                np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())
            for a, b in zip(model.buffers(), twin.buffers(), strict=True):
                np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert "in_blocks(" in compiled.source


steps = st.lists(
    st.sampled_from(
        [
            lambda x, row, column: x * row,
            lambda x, row, column: x - column,
            lambda x, row, column: x.tanh(),
            lambda x, row, column: x - x.mean(1, keepdim=True),
            lambda x, row, column: x - x.mean(0, keepdim=True),
            lambda x, row, column: x.reshape(-1).square().view(x.shape),
            lambda x, row, column: x.T.reshape(x.shape),
            lambda x, row, column: x * x,
            lambda x, row, column: minigrad.where(x > row, x, column * 0.5),
            lambda x, row, column: x @ minigrad.eye(x.shape[1]),
            lambda x, row, column: x.amax(1, keepdim=True) + x,
            lambda x, row, column: (x.sum(1).unsqueeze(1) * 0.1).sigmoid() * x,
        ]
    ),
    min_size=2,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(steps, st.sampled_from([(70, 9), (64, 16), (33, 33), (600, 1)]))
def test_any_steps(steps: list[Callable[..., Any]], shape: tuple[int, int]) -> None:
    def function(x: Any, row: Any, column: Any) -> Any:
        for step in steps:
            x = step(x, row, column)
        return x

    compiled = minigrad.compile(function)
    for seed in (1, 2):
        random = np.random.default_rng(seed)
        arrays = [random.standard_normal(each, np.float32) for each in (shape, shape[1:], (shape[0], 1))]
        upstream = minigrad.tensor(random.standard_normal(shape, np.float32))
        found = []
        for run in (function, compiled):
            inputs = [minigrad.tensor(array, requires_grad=True) for array in arrays]
            result = run(*inputs)
            result.backward(upstream)
            found.append([result.detach().numpy(), *(x.grad.numpy() for x in inputs if x.grad is not None)])
        for ours, theirs in zip(*found, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_two_threads_call_one_function() -> None:
    compiled = minigrad.compile(lambda x: (x * 2).tanh() + x.exp())
    inputs = [minigrad.randn(200, 10) for _ in range(4)]
    expected = [(x * 2).tanh() + x.exp() for x in inputs]
    compiled(inputs[0])
    wrong: list[int] = []

    def work(i: int) -> None:
        wrong.extend(i for _ in range(50) if not minigrad.equal(compiled(inputs[i]), expected[i]))

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_what_a_block_raises_is_raised() -> None:
    compiled = minigrad.compile(lambda x: (x * 2).log().tanh().sum())
    compiled(minigrad.ones(200, 10))
    with warnings.catch_warnings(), np.errstate(all="raise"), pytest.raises(FloatingPointError):
        compiled(minigrad.zeros(200, 10))
    assert compiled(minigrad.ones(200, 10)).isfinite()


def test_small_arrays_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    same_bits(lambda x: (x * 2).tanh().sum(), (20, 5), in_blocks=False)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own() -> None:
    compiled = minigrad.compile(lambda x: (x * 2).tanh().exp())
    x = minigrad.randn(200, 10)
    expected = compiled(x)
    assert minigrad.equal(compiled(x), expected)
    child = os.fork()
    if child == 0:
        os._exit(0 if minigrad.equal(compiled(x), expected) else 1)
    assert os.waitpid(child, 0)[1] == 0
