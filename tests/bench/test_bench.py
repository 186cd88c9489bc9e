"""The benchmark: its numpy by hand is right, its ratios are computed right, and it runs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bench import plot, runner, table
from tests.bench.by_hand import Hand, add_at
from tests.bench.data import DEEP, NAMES, Net, indexed
from tests.bench.rows import EVERY, GROWING, HAND, OURS, ROWS, TORCH, Row
from tests.bench.runner import LeftOut, Measured
from tests.bench.same_words import bare, library, model
from tests.support import ROOT

CLOSE = 2e-5  # of the largest gradient of a tensor, after sums in another order


def assert_same_gradients(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE * np.abs(theirs).max())


@pytest.mark.parametrize("name", ["minigrad", "torch"])
@pytest.mark.parametrize("net", [NAMES, DEEP], ids=["names", "deep"])
def test_numpy_by_hand_finds_the_loss_and_the_gradients_of_the_modules(net: Net, name: str) -> None:
    lib = library(name)
    modules, X, Y = model(lib, net)
    loss = lib.F.cross_entropy(modules(X), Y)
    loss.backward()
    by_hand, gradients = Hand(net).gradients()
    assert by_hand == pytest.approx(loss.item(), rel=1e-5)
    table, *others = [np.asarray(parameter.grad) for parameter in modules.parameters()]
    assert_same_gradients(gradients, [table, *(x.T for x in others)])  # modules hold weights as (out, in)


@pytest.mark.parametrize("name", ["minigrad", "torch"])
def test_numpy_by_hand_finds_the_loss_and_the_gradients_of_the_lecture(name: str) -> None:
    parameters, step = bare(library(name), NAMES)
    loss = step()
    by_hand, gradients = Hand(NAMES, spelled=True).gradients()
    assert by_hand == pytest.approx(loss.item(), rel=1e-5)
    assert_same_gradients(gradients, [np.asarray(parameter.grad) for parameter in parameters])


@pytest.mark.parametrize("name", ["minigrad", "torch"])
def test_numpy_by_hand_keeps_the_statistics_of_the_modules(name: str) -> None:
    lib = library(name)
    modules, X, _ = model(lib, DEEP)
    modules(X)
    hand = Hand(DEEP)
    hand.gradients()
    buffers = [x for x in modules.buffers() if len(x.shape)]
    for (mean, var), theirs in zip(hand.running, zip(buffers[::2], buffers[1::2], strict=True), strict=True):
        np.testing.assert_allclose(mean, np.asarray(theirs[0]), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(var, np.asarray(theirs[1]), rtol=1e-4, atol=1e-5)


def test_numpy_by_hand_takes_the_same_steps_as_pytorch() -> None:
    for row in ("names", "spelled", "deep"):
        losses = {}
        for name in (HAND, TORCH):
            step, number = ROWS[row].contenders[name]()
            losses[name] = [number(step()) for _ in range(4)]
        assert losses[HAND] == pytest.approx(losses[TORCH], rel=1e-4)
        assert losses[HAND][-1] < losses[HAND][0]


def test_add_at_is_the_sum_of_the_gradients_at_every_place() -> None:
    table, places, g = indexed()
    chosen = places[:500]
    hot = np.eye(len(table))[chosen]
    np.testing.assert_allclose(add_at(table, chosen, g[:500]), hot.T @ g[:500], rtol=1e-4, atol=1e-5)


def row(**settings: Any) -> Row:
    return Row("made up", "nothing", {}, {"other": 0.5, "slow": 2.0}, **settings)


def test_a_ratio_is_the_median_of_the_rounds_and_not_that_of_medians() -> None:
    ours, theirs = [1.0, 4.0, 9.0], [2.0, 2.0, 3.0]
    assert table.ratio(ours, theirs) == 2.0
    ours, other, slow, third = table.results(
        Measured(row(), {OURS: ours, "other": theirs, "slow": [1.0, 2.0, 3.0], "third": [1.0] * 3}, {})
    )
    assert "ratio" not in ours
    assert (ours["median"], other["median"], other["ratio"]) == (4.0, 2.0, 2.0)
    assert (other["lowest"], other["highest"]) == (0.5, 3.0)
    assert (other["target"], other["reached"]) == (0.5, False)
    assert (slow["ratio"], slow["reached"]) == (2.0, True)
    assert "target" not in third


def test_the_table_shows_every_ratio_and_its_target() -> None:
    times = {OURS: [2e-4, 4e-4], "other": [1e-3, 1e-3], "slow": [1e-4, 1e-4]}
    _, *lines = table.text([Measured(row(), times, {})]).splitlines()
    assert lines[0].split() == ["made", "up", "minigrad", "300", "us"]
    assert lines[1].split() == ["other", "1", "ms", "0.30", "0.20", "to", "0.40", "0.50", "reached"]
    assert lines[2].split() == ["slow", "100", "us", "3.00", "2.00", "to", "4.00", "2.00", "not", "reached"]


def test_a_budget_is_compared_with_what_minigrad_took() -> None:
    measured = Measured(row(measure="bytes", budget=600), {OURS: [700.0, 500.0]}, {})
    (line,) = table.results(measured)
    assert (line["median"], line["target"], line["reached"]) == (600.0, 600, True)
    assert table.text([measured]).splitlines()[1].split() == [
        "made",
        "up",
        "minigrad",
        "600",
        "B",
        "600",
        "B",
        "reached",
    ]


def test_measures_are_shown_in_units_of_their_size() -> None:
    seconds = [table.shown(x, "seconds") for x in (2.5e-7, 1.234e-4, 0.0123, 2.0, 3000.0)]
    assert seconds == ["0.25 us", "123 us", "12.3 ms", "2 s", "3000 s"]
    assert [table.shown(x, "bytes") for x in (640.0, 2048.0, 5 * 2.0**20)] == ["640 B", "2 KiB", "5 MiB"]


def test_a_contender_that_is_missing_or_wrong_is_named() -> None:
    def work(name: str, contender: str, seconds: float, threads: int) -> dict[str, Any]:
        if contender == "absent":
            raise LeftOut("not installed: absent")
        losses = [3.0, 2.0 if contender == "wrong" else 2.5]
        return {"losses": losses, "value": 2.0 if contender == OURS else 4.0}

    measured = runner.run(row(), 2, 1.0, [OURS, "other", "absent", "wrong"], work)
    assert measured.rounds == {OURS: [2.0, 2.0], "other": [4.0, 4.0]}
    text = table.text([measured])
    assert "made up: absent left out: not installed: absent" in text
    assert "made up: wrong left out: its losses [3.0, 2.0] differ from minigrad's [3.0, 2.5]" in text


def test_a_module_that_is_not_installed_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*args: Any, **kwargs: Any) -> Any:
        return subprocess.CompletedProcess(args, 1, "", "Traceback\nModuleNotFoundError: No module named 'jax'\n")

    monkeypatch.setattr(subprocess, "run", absent)
    with pytest.raises(LeftOut, match="not installed: jax"):
        runner.work("names", "jax jitted", 1.0, 1)


def test_minigrad_cannot_be_left_out() -> None:
    def work(*args: Any) -> dict[str, Any]:
        raise LeftOut("ZeroDivisionError")

    with pytest.raises(RuntimeError, match="made up: minigrad cannot take part: ZeroDivisionError"):
        runner.run(row(), 1, 1.0, [OURS], work)


def test_contenders_take_turns_and_each_is_checked_before_any_is_timed() -> None:
    calls = []

    def work(name: str, contender: str, seconds: float, threads: int) -> dict[str, Any]:
        calls.append((contender, seconds))
        return {"losses": [1.0], "value": 1.0}

    runner.run(row(), 2, 1.5, [OURS, "other"], work)
    assert calls == [(OURS, 0), ("other", 0), (OURS, 1.5), ("other", 1.5), ("other", 1.5), (OURS, 1.5)]


def test_every_target_is_of_a_contender() -> None:
    for each in EVERY.values():
        assert {OURS, *each.targets} <= set(each.contenders)


def test_growth_is_drawn(tmp_path: Path) -> None:
    measured = {each.name: Measured(each, {OURS: [1e-3, 2e-3], TORCH: [2e-3, 2e-3]}, {}) for each in GROWING}
    plot.draw(measured, str(tmp_path / "growth.png"))
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


def test_quick_runs_a_row_from_end_to_end(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "tests.bench", "--quick", "--rows", "derived", "--json", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "minigrad over it" in done.stdout
    ours, hand = json.loads(out.read_text())
    assert (ours["contender"], hand["contender"]) == (OURS, HAND)
    assert hand["ratio"] == pytest.approx(ours["median"] / hand["median"])
    assert hand["target"] == 1.0


def test_a_row_that_there_is_not_is_refused() -> None:
    command = [sys.executable, "-m", "tests.bench", "--rows", "names,mistake"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no row mistake; there are names, spelled" in done.stderr
