"""Pictures of models: roles and colours, modules in frames and folded, large graphs, backward passes, a browser."""

import copy
import gc
import itertools
import math
import os
import pathlib
import pickle
import re
import shutil
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import matplotlib.image
import numpy as np
import pytest

import minigrad
import nn
import nn.functional as F
import viz
from minigrad import Tensor, Value
from tests.support.comparison import normal
from tests.support.pictures import NASTY, Seen, seen
from viz import graph

X = np.array([[0, 1, 2], [3, 4, 5], [6, 0, 1], [2, 2, 2]])
Y = np.array([1, 2, 0, 6])


def classified(model: Any) -> tuple[Tensor, dict[str, Any]]:
    """The loss of a model of seven characters, and what its variables are called."""
    inputs, targets = minigrad.tensor(X), minigrad.tensor(Y)
    return F.cross_entropy(model(inputs), targets), {"model": model, "X": inputs, "Y": targets}


def mlp(hidden: Any = 5) -> Any:
    return nn.MLP(7, embedding=2, hidden=hidden)


def first_words(picture: Seen) -> list[str]:
    return [words[0] for words in picture.words.values()]


# Roles, colours and the legend


def test_roles_have_colours_of_their_own_and_operations_another_shape() -> None:
    layer, x, w = nn.Linear(3, 2), minigrad.ones(4, 3), minigrad.ones(2, requires_grad=True)
    h = layer(x) * w
    h.retain_grad()
    total = (h + minigrad.ones(2)).sum()
    picture = seen(total, names={"module": layer, "input": x, "parameter": w, "result": h, "root": total}, depth=0)
    fills = {name: picture.fills[picture.node(name)] for name in ("input", "parameter", "result", "root")}
    fills["module"] = picture.fills[picture.node("module: Linear(3, 2)")]
    (constant,) = [title for title, words in picture.words.items() if words == ["(2,) float32", "data", "1", "1"]]
    fills["constant"] = picture.fills[constant]
    assert len(set(fills.values())) == 6
    operations = [picture.node(word) for word in ("*", "+", "sum(0, 1)")]
    assert {picture.shapes[title] for title in operations} == {"ellipse"}
    assert {picture.shapes[title] for title in picture.words if title not in operations} == {"path"}
    assert picture.legend == {**fills, "operation": picture.fills[operations[0]]}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: (Value(1.0), {}), {"parameter"}),
        (lambda: (Value(1.0) + 2.0, {}), {"parameter", "root", "operation"}),
        (lambda: ((Value(1.0) + 2.0).tanh(), {}), {"parameter", "result", "root", "operation"}),
        (lambda: (minigrad.ones(2), {}), {"constant"}),
        (lambda: (minigrad.ones(2, requires_grad=True), {}), {"parameter"}),
        (
            lambda: (minigrad.ones(2, requires_grad=True) * minigrad.ones(2), {}),
            {"parameter", "constant", "root", "operation"},
        ),
        (lambda: (nn.Linear(2, 2)(minigrad.ones(1, 2)), {}), {"parameter", "constant", "root", "operation"}),
        (lambda: (nn.Linear(2, 2)(minigrad.ones(1, 2)), {"depth": 0}), {"parameter", "constant", "root"}),
    ],
)
def test_the_legend_has_what_is_there(make: Any, expected: set[str]) -> None:
    root, options = make()
    assert set(seen(root, **options).legend) == expected


def test_the_legend_of_a_folded_model() -> None:
    loss, names = classified(mlp())
    assert set(seen(loss, names=names, depth=0).legend) == {"input", "module", "root", "operation"}
    assert set(seen(loss, names=names).legend) == {"parameter", "input", "result", "root", "operation"}


def linear_light(colour: str) -> np.ndarray:
    """The red, green and blue light of a colour such as #ff8000."""
    parts = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


# Of sRGB light: the CIE's X, Y and Z, and what is left of it in the three kinds of dichromacy, after G. M. Machado,
# M. M. Oliveira, L. A. F. Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency, 2009.
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900],
    ],
}  # fmt: skip


def lab(light: np.ndarray) -> np.ndarray:
    """Light in CIELAB, where equal distances look about equal."""
    t = XYZ @ light.clip(0, 1) / XYZ.sum(1)
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(first: str, second: str) -> float:
    """The contrast of two colours as the WCAG define it, from 1 to 21."""
    dark, light = sorted(float(XYZ[1] @ linear_light(colour)) for colour in (first, second))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(scope="module")
def legend() -> dict[str, str]:
    layer, x, w = nn.Linear(3, 2), minigrad.ones(4, 3), minigrad.ones(2, requires_grad=True)
    total = ((layer(x) * w) + minigrad.ones(2)).sum()
    return seen(total, names={"x": x}, depth=0).legend


@pytest.mark.parametrize("vision", VISIONS)
def test_colours_stay_apart(legend: dict[str, str], vision: str) -> None:
    assert len(legend) == 7
    places = {name: lab(np.array(VISIONS[vision]) @ linear_light(colour)) for name, colour in legend.items()}
    for first, second in itertools.combinations(places, 2):
        assert np.linalg.norm(places[first] - places[second]) > 10, (first, second)


def test_words_can_be_read(legend: dict[str, str]) -> None:
    x = minigrad.ones(2, requires_grad=True)
    svg = str(viz.draw(x).pipe("svg", encoding="utf-8"))
    inks = {found or "#000000" for found in re.findall(r'<text(?:[^>]* fill="(#\w+)")?[^>]*>', svg)}
    assert len(inks) == 2
    for name, colour in legend.items():
        for ink in ["#ffffff"] if name == "operation" else inks:
            assert contrast(ink, colour) >= 4.5, (name, ink)


# Numbers


def test_a_matrix_has_a_map_of_its_signs_and_sizes() -> None:
    array = normal(10, 8)
    array[3, 4] = 0
    weight = minigrad.tensor(array, requires_grad=True)
    (weight * minigrad.tensor(-array)).sum().backward()
    tiles = seen(weight).tiles["box0"]
    assert len(tiles) == 160
    for values, colours in ((array, tiles[:80]), (-array, tiles[80:])):
        light = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in colours]).reshape(10, 8, 3)
        np.testing.assert_array_equal(np.sign(light[..., 0] - light[..., 2]), np.sign(values))
        strength = (255 - light).max(-1)
        order = np.abs(values).ravel().argsort()
        assert (np.diff(strength.ravel()[order][values.ravel()[order] > 0]) >= 0).all()
        assert (np.diff(strength.ravel()[order][values.ravel()[order] < 0]) >= 0).all()
        assert colours[3 * 8 + 4] == "#ffffff"


@pytest.mark.parametrize("shape", [(3, 3), (33, 8), (8, 33), (40,), (8, 8, 8), (1, 30)])
def test_what_fits_or_is_too_large_or_no_matrix_has_no_map(shape: tuple[int, ...]) -> None:
    assert seen(minigrad.randn(*shape)).tiles["box0"] == []


@pytest.mark.parametrize("array", [np.ones((8, 8)), np.full((8, 8), np.nan), np.arange(64).reshape(8, 8)])
def test_what_is_the_same_or_not_finite_or_counts_has_no_map(array: np.ndarray) -> None:
    assert seen(minigrad.tensor(array)).tiles["box0"] == []


def test_a_large_picture_says_its_formulas_under_the_pointer() -> None:
    x = minigrad.tensor(normal(8, 8), requires_grad=True)
    for _ in range(100):
        x = x.tanh()
    picture = seen(x.sum())
    assert picture.tips.count("← g · (1 − y²)") == 100
    assert picture.labels() == {}
    assert not any(picture.tiles[title] for title in picture.words)


# Names


def test_parameters_are_called_as_their_module_calls_them() -> None:
    loss, names = classified(mlp())
    picture = seen(loss, names=names)
    assert {word for word in first_words(picture) if word.endswith(("weight", "bias"))} == {
        name for name, _ in names["model"].named_parameters()
    }


def test_an_index_is_an_input_and_is_named_where_it_is_used() -> None:
    C = minigrad.tensor(normal(7, 2), requires_grad=True)
    Xb = minigrad.tensor(X)
    picture = seen(C[Xb].sum(), names=locals())
    assert ("Xb", "[Xb]") in picture.arrows()
    assert ("C", "[Xb]") in picture.arrows()
    assert "[Xb]" in picture.labels()["C"]
    assert picture.fills[picture.node("Xb")] == picture.legend["input"]
    unnamed = seen(C[Xb].sum())
    assert not [words for words in unnamed.words.values() if "int64" in words[0]]


def test_the_same_index_twice_is_drawn_once() -> None:
    C, i = minigrad.tensor(normal(7, 2), requires_grad=True), minigrad.tensor([1, 2])
    picture = seen((C[i] * C[i]).sum(), names=locals())
    assert first_words(picture).count("i") == 1
    assert picture.arrows().count(("i", "[i]")) == 2


def test_a_tensor_keeps_its_own_name_in_a_module() -> None:
    layer = nn.Linear(2, 2)
    layer.weight.name = "mine"
    assert "mine" in first_words(seen(layer(minigrad.ones(1, 2)), names={"layer": layer}))


# Modules in frames


def test_what_a_module_recorded_stands_in_its_frame() -> None:
    loss, names = classified(mlp())
    picture = seen(loss, names=names)
    assert set(picture.frames) == {
        "model: MLP", "0: Embedding(7, 2)", "1: Flatten", "2: Linear(6, 5, bias=False)", "3: BatchNorm1d(5)", "4: Tanh",
        "5: Linear(5, 7)",
    }  # fmt: skip
    assert picture.within("3: BatchNorm1d(5)") == {"3.weight", "3.bias", "batch_norm", "(4, 5) float32"}
    assert picture.within("4: Tanh") == {"tanh", "(4, 5) float32"}
    assert picture.within("5: Linear(5, 7)") == {"5.weight", "5.bias", "linear", "(4, 7) float32"}
    inside = picture.within("model: MLP")
    assert {"0.weight", "2.weight", "3.weight", "5.weight", "tanh"} <= inside
    assert not inside & {"X", "Y", "cross_entropy"}
    for title, place in picture.frames.items():
        left, top, right, bottom = picture.frames["model: MLP"]
        assert left <= place[0] <= place[2] <= right, title
        assert top <= place[1] <= place[3] <= bottom, title


@pytest.mark.parametrize(
    ("depth", "frames", "modules"),
    [
        (0, set(), ["model: MLP"]),
        (1, {"model: MLP"}, ["0: Embedding(7, 2)", "1: Flatten", "2: Linear(6, 5, bias=False)", "3: BatchNorm1d(5)",
                             "4: Tanh", "5: Linear(5, 7)"]),
    ],
)  # fmt: skip
def test_modules_are_folded_by_depth(depth: int, frames: set[str], modules: list[str]) -> None:
    loss, names = classified(mlp())
    picture = seen(loss, names=names, depth=depth)
    assert set(picture.frames) == frames
    chain = ["X", *modules, "cross_entropy", "scalar float32"]
    assert picture.arrows() == sorted([*itertools.pairwise(chain), ("Y", "cross_entropy")])
    trained = sum(parameter.numel() for parameter in names["model"].parameters())
    counts = [int(words[1].split()[0]) for words in picture.words.values() if words[-1].endswith("parameters")]
    assert sum(counts) == trained


def test_at_the_full_depth_nothing_is_folded() -> None:
    loss, names = classified(mlp())
    assert seen(loss, names=names, depth=2).words == seen(loss, names=names).words


def test_arrows_to_folded_modules_carry_shapes() -> None:
    loss, names = classified(mlp())
    labels = seen(loss, names=names, depth=1).labels()
    assert {name: labels[name] for name in ("X", "0: Embedding(7, 2)", "1: Flatten", "4: Tanh")} == {
        "X": "(4, 3)", "0: Embedding(7, 2)": "(4, 3, 2)", "1: Flatten": "(4, 6)", "4: Tanh": "(4, 5)",
    }  # fmt: skip


def test_sequentials_within_each_other() -> None:
    inner = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
    model = nn.Sequential(nn.Linear(2, 2), inner, nn.Linear(3, 1))
    x = minigrad.ones(4, 2)
    full = seen(model(x), names={"model": model, "x": x})
    assert set(full.frames) == {
        "model: Sequential", "0: Linear(2, 2)", "1: Sequential", "0: Linear(2, 3)", "1: Tanh", "2: Linear(3, 1)",
    }  # fmt: skip
    assert full.within("1: Sequential") >= {"1.0.weight", "1.0.bias", "tanh"}
    assert not full.within("1: Sequential") & {"0.weight", "2.weight"}
    folded = seen(model(x), names={"model": model, "x": x}, depth=1)
    assert folded.words[folded.node("1: Sequential")] == ["1: Sequential", "9 parameters"]


def test_parts_that_repeat_are_drawn_once() -> None:
    model = nn.Sequential(nn.Linear(2, 3), *[part for _ in range(12) for part in (nn.Linear(3, 3), nn.Tanh())])
    x = minigrad.ones(4, 2)
    picture = seen(model(x).sum(), names={"model": model, "x": x}, depth=1)
    assert [word for word in first_words(picture) if "Linear" in word or "Tanh" in word] == [
        "0: Linear(2, 3)", "1: Linear(3, 3)", "2: Tanh",
    ]  # fmt: skip
    assert picture.within("× 12") == {"1: Linear(3, 3)", "2: Tanh"}
    assert picture.arrows() == sorted(
        [("x", "0: Linear(2, 3)"), ("0: Linear(2, 3)", "1: Linear(3, 3)"), ("1: Linear(3, 3)", "2: Tanh"),
         ("2: Tanh", "sum(0, 1)"), ("sum(0, 1)", "scalar float32")]
    )  # fmt: skip


class Block(nn.Module):
    """A part whose title does not tell its sizes."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.inner = nn.Linear(fan_in, fan_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x).tanh()


def test_parts_of_other_sizes_are_no_repetition() -> None:
    model = nn.Sequential(Block(2, 3), Block(3, 4), Block(4, 4), Block(4, 4))
    picture = seen(model(minigrad.ones(1, 2)), names={"model": model}, depth=1)
    assert picture.within("× 2") == {"2: Block"}
    assert [picture.words[picture.node(f"{place}: Block")][1] for place in range(3)] == [
        "9 parameters", "16 parameters", "20 parameters",
    ]  # fmt: skip


def test_repeated_modules_stand_whole_within_the_frame_that_counts_them() -> None:
    model = nn.Sequential(*[nn.Sequential(nn.Linear(3, 3), nn.Tanh()) for _ in range(5)])
    picture = seen(model(minigrad.ones(1, 3)), names={"model": model}, depth=2)
    inner, outer = picture.frames["0: Sequential"], picture.frames["× 5"]
    assert outer[0] < inner[0] < inner[2] < outer[2]
    assert outer[1] < inner[1] < inner[3] < outer[3]
    assert picture.within("0: Sequential") == {"0: Linear(3, 3)", "1: Tanh"}


def test_a_result_within_a_repetition_that_is_used_elsewhere_is_not_hidden() -> None:
    layers = [nn.Tanh() for _ in range(4)]
    h = minigrad.ones(3, requires_grad=True)
    results = [h := layer(h) for layer in layers]
    picture = seen((results[1] + results[3]).sum(), depth=0)
    assert first_words(picture).count("Tanh") == 2
    assert len([1 for a, b in picture.arrows() if (a, b) == ("Tanh", "+")]) == 2
    assert set(picture.frames) == {"× 2"}


def test_a_module_that_runs_twice_has_two_frames() -> None:
    layer = nn.Linear(3, 3)
    x = minigrad.ones(4, 3)
    result = layer(layer(x).tanh()).sum()
    picture = graph.picture(result, {"layer": layer, "x": x})
    assert [frame.title for frame in picture.frames] == ["layer: Linear(3, 3)"] * 2
    drawn = seen(result, names={"layer": layer, "x": x})
    assert first_words(drawn).count("weight") == 1
    assert drawn.arrows().count(("weight", "linear")) == 2
    assert "weight" not in drawn.within("layer: Linear(3, 3)")
    folded = seen(result, names={"layer": layer, "x": x}, depth=0)
    assert first_words(folded).count("layer: Linear(3, 3)") == 2
    assert folded.arrows().count(("weight", "layer: Linear(3, 3)")) == 2


def test_shared_weights_stand_around_those_who_share_them() -> None:
    first, last = nn.Linear(3, 3), nn.Linear(3, 3)
    last.weight = first.weight
    model = nn.Sequential(first, nn.Tanh(), last)
    picture = seen(model(minigrad.ones(1, 3)), names={"model": model})
    assert "0.weight" in picture.within("model: Sequential")
    assert "0.weight" not in picture.within("0: Linear(3, 3)") | picture.within("2: Linear(3, 3)")
    assert "2.bias" in picture.within("2: Linear(3, 3)")
    assert picture.arrows().count(("0.weight", "linear")) == 2


def test_modules_in_a_list_are_named_by_their_places() -> None:
    class Chain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = nn.ModuleList([Block(2, 3), Block(3, 2)])

        def forward(self, x: Tensor) -> Tensor:
            for block in self.blocks:
                x = block(x)
            return x

    model = Chain()
    picture = seen(model(minigrad.ones(1, 2)), names={"model": model}, depth=1)
    assert picture.within("model: Chain") >= {"blocks.0: Block", "blocks.1: Block"}


def test_a_module_that_returns_what_it_is_given_frames_nothing() -> None:
    w = minigrad.ones(2, requires_grad=True)
    assert seen(nn.Sequential(nn.Dropout(0.5).eval())(w) * 2, depth=0).frames == {}


def test_a_picture_from_within_a_module() -> None:
    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(minigrad.ones(2))

        def forward(self, x: Tensor) -> Tensor:
            result = x * self.scale
            self.picture = seen((result * result).sum(), names={"watched": self}, backward=True)
            return result

    watched = Watched()
    watched(minigrad.ones(2))
    assert watched.picture.within("watched: Watched") >= {"scale", "*"}
    assert "dscale" in watched.picture.within("backward pass") - watched.picture.within("watched: Watched")


def test_modules_that_are_gone_leave_their_kind() -> None:
    result = nn.Sequential(nn.Linear(3, 2), nn.Tanh())(minigrad.ones(1, 3))
    assert set(seen(result).frames) == {"Sequential", "Linear", "Tanh"}
    assert [word for word in first_words(seen(result, depth=1)) if word in ("Linear", "Tanh")] == ["Linear", "Tanh"]


def test_a_module_that_fails_leaves_no_frame_behind() -> None:
    layer = nn.Linear(3, 2)
    with pytest.raises(RuntimeError):
        nn.Sequential(layer)(minigrad.ones(1, 4))
    assert seen((layer.weight * 2).sum(), names={"layer": layer}).frames == {}


def test_a_module_in_another_thread_frames_nothing_here() -> None:
    inside, done = threading.Event(), threading.Event()

    class Slow(nn.Module):
        def forward(self) -> None:
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=Slow())
    thread.start()
    inside.wait(10)
    result = minigrad.ones(2, requires_grad=True) * 2
    done.set()
    thread.join()
    assert seen(result).frames == {}


def test_copies_of_a_module_that_ran_run_the_same() -> None:
    model = mlp().eval()
    loss, _ = classified(model)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert classified(other)[0].item() == loss.item()
        copied, names = classified(other)
        assert set(seen(copied, names=names).frames) >= {"model: MLP", "5: Linear(5, 7)"}


def test_a_graph_keeps_no_module_and_makes_no_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        result = model(minigrad.ones(1, 3))
        gone = [weakref.ref(part) for part in model.modules()]
        viz.draw(result, names={"model": model}, depth=1)
        del model
        assert [part() for part in gone] == [None] * 3
        node = weakref.ref(result.node)
        viz.draw(result)
        del result
        assert node() is None
    finally:
        gc.enable()


def test_classes_and_other_things_among_the_names_are_no_modules() -> None:
    Linear, layer = nn.Linear, nn.Linear(2, 2)

    class Strange:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name)

    names = {"Linear": Linear, "strange": Strange(), "numpy": np, "layer": layer, "none": None, "list": [layer]}
    assert set(seen(layer(minigrad.ones(1, 2)), names=names).frames) == {"layer: Linear(2, 2)"}


ODD = [*NASTY, "two\nlines", "a\x00b\x1b\ud800c", "two  spaces"]


def plain(words: Iterable[str]) -> str:
    """Words as one, without the ends of lines."""
    return "".join(words).replace("\xa0", " ").replace("\n", "")


def drawn_as(name: str) -> str:
    """A name with a sign for each character that XML does not have."""
    return plain(re.sub("[\x00-\x08\x0b-\x1f\ud800-\udfff]", "�", name))


@pytest.mark.parametrize("name", ODD)
def test_every_name_of_a_module_draws_as_it_is(name: str) -> None:
    class Odd(nn.Module):
        def __init__(self, kind: str) -> None:
            super().__init__()
            self.kind = kind

        def forward(self, x: Tensor) -> Tensor:
            return x.tanh()

    model = nn.Sequential()
    setattr(model, name, Odd(name))
    result = model(minigrad.ones(2, requires_grad=True)).sum()
    title = f"{drawn_as(name)}: Odd({plain(repr(name))})"
    assert title in {plain([frame]) for frame in seen(result, names={"model": model}).frames}
    assert title in {plain(words) for words in seen(result, names={"model": model}, depth=1).words.values()}


@pytest.mark.parametrize("name", ODD)
def test_every_name_of_an_index_draws_as_it_is(name: str) -> None:
    table, places = minigrad.ones(3, 2, requires_grad=True), minigrad.tensor([0, 2])
    picture = seen(table[places], names={"table": table, name: places})
    assert f"[{drawn_as(name)}]" in {plain(words) for words in picture.words.values()}
    assert any(plain(words).startswith(f"{drawn_as(name)}(2,) int64") for words in picture.words.values())
    label = re.sub(r"\s", "", picture.labels()["table"])
    assert re.sub(r"\s", "", f"put(g,[{drawn_as(name)}])") in label


@pytest.mark.parametrize("name", ODD)
def test_every_label_draws_as_it_is_in_the_lecture_s_look(name: str) -> None:
    picture = Seen.of(viz.draw_dot(Value(2.0, label=name)))
    *pieces, data, grad = picture.words["box0"]
    assert plain(pieces).strip() == drawn_as(name)
    assert (data.strip(), grad.strip()) == ("data 2.0000", "grad 0.0000")


# The lecture's look


def test_the_lecture_s_records() -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    c = a * b
    c.label = "c"
    c.backward()
    drawing = viz.draw_dot(c, format="png", rankdir="TB")
    assert drawing.format == "png"
    assert "rankdir=TB" in drawing.source
    for record in (
        "{ a | data 2.0000 | grad 3.0000 }",
        "{ b | data 3.0000 | grad 2.0000 }",
        "{ c | data 6.0000 | grad 1.0000 }",
    ):
        assert f'label="{record}"' in drawing.source
    picture = Seen.of(drawing)
    assert picture.arrows() == sorted([("a", "*"), ("b", "*"), ("*", "c")])
    assert {picture.shapes[picture.node(name)] for name in "abc"} == {"polygon"}
    assert picture.shapes[picture.node("*")] == "ellipse"


def test_the_lecture_s_look_of_a_tensor_is_that_of_draw() -> None:
    root = minigrad.ones(2, requires_grad=True) * 2
    assert viz.draw_dot(root).source == viz.draw(root).source


# Large graphs


def test_too_many_boxes_fold_modules_and_say_so() -> None:
    model = nn.Sequential(nn.Sequential(nn.Linear(3, 3), Block(3, 4), Block(4, 3)), nn.Tanh())
    result, names = model(minigrad.ones(1, 3)).sum(), {"model": model}
    boxes = len(graph.picture(result, names).items)
    for limit in range(3, boxes):
        picture = seen(result, names=names, limit=limit)
        assert len([title for title in picture.words if title.startswith("box")]) <= limit
        (note,) = [note for note in picture.notes if "limit=" in note]
        depth = int(re.search(r"depth=(\d)", note)[1])  # type: ignore[index]
        assert f"{boxes} boxes" in note
        assert picture.words == seen(result, names=names, depth=depth).words
        assert len(graph.picture(result, names, depth=depth + 1).items) > limit
    assert not [note for note in seen(result, names=names, limit=boxes).notes if "limit=" in note]


def test_the_neighbourhood_of_a_name() -> None:
    values = [Value(0.0, label="v0")]
    for place in range(1, 40):
        values.append(values[-1] + 1.0)
        values[-1].label = f"v{place}"
    names = {value.label: value for value in values}
    for draw_with in (names, {}):
        picture = seen(values[-1], names=draw_with, limit=5, around="v20")
        shown = {word for word in first_words(picture) if word.startswith("v")}
        assert "v20" in shown
        assert shown < {f"v{place}" for place in range(16, 25)}
        assert len(shown) == 5
        assert first_words(picture).count("...") == 1
        assert [note for note in picture.notes if "5 nearest of 40" in note]


def test_the_neighbourhood_of_a_tensor_s_own_name() -> None:
    w = minigrad.ones(2, requires_grad=True)
    w.name = "own"
    assert "own" in first_words(seen((w * w).tanh().exp().sum(), limit=2, around="own"))


def test_ten_thousand_nodes_are_written_soon() -> None:
    x = minigrad.ones(3, requires_grad=True)
    for _ in range(5000):
        x = x * 1.01 + 0.1
    start = time.perf_counter()
    source = viz.draw(x.sum(), limit=None).source
    assert time.perf_counter() - start < 60
    assert source.count(" -> ") == 2 * 10_001


def test_a_thousand_modules_in_a_row_are_folded_soon() -> None:
    class Add(nn.Module):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def forward(self, x: Tensor) -> Tensor:
            return x + self.number

    model = nn.Sequential(*[Add(place) for place in range(1000)])
    again = nn.Tanh()
    h = model(minigrad.ones(2, requires_grad=True))
    for _ in range(1000):
        h = again(h)
    start = time.perf_counter()
    assert len(graph.picture(h, {}, depth=1).items) > 1000
    assert len(graph.picture(h, {}, depth=0).items) == 3
    assert time.perf_counter() - start < 30


# Backward passes


def test_the_backward_pass_of_tensors() -> None:
    x, W1, b1 = (minigrad.tensor(normal(*shape)) for shape in ((4, 3), (3, 2), (2,)))
    W1.requires_grad = b1.requires_grad = True
    h = (x @ W1 + b1).tanh()
    loss = (h * h).sum()
    drawn = seen(loss, names=locals(), backward=True)
    assert set(drawn.frames) == {"forward pass", "backward pass"}
    assert {"x", "W1", "b1", "h", "loss"} <= drawn.within("forward pass")
    assert {"dW1", "db1", "dh"} <= drawn.within("backward pass")
    assert "dx" not in first_words(drawn)
    picture = graph.picture(loss, locals(), backward=True)
    arrays = {item.name: np.asarray(item.array) for item in picture.items if isinstance(item, graph.Box)}
    assert W1.grad is None
    loss.backward()
    for name, leaf in (("dW1", W1), ("db1", b1)):
        assert leaf.grad is not None
        np.testing.assert_allclose(arrays[name], leaf.grad.array)
    np.testing.assert_allclose(arrays["dh"], 2 * h.array)


def test_the_backward_pass_of_what_is_linear() -> None:
    x, W = minigrad.tensor(normal(4, 3)), minigrad.tensor(normal(3, 2), requires_grad=True)
    b = minigrad.zeros(2, requires_grad=True)
    root = (x @ W + b).sum()
    assert {"dW", "db"} <= seen(root, names=locals(), backward=True).within("backward pass")
    picture = graph.picture(root, locals(), backward=True)
    arrays = {item.name: np.asarray(item.array) for item in picture.items if isinstance(item, graph.Box)}
    np.testing.assert_allclose(arrays["dW"], np.outer(x.array.sum(0), [1, 1]))
    np.testing.assert_allclose(arrays["db"], [4, 4])


def test_a_released_graph_has_no_backward_pass_to_draw() -> None:
    w = minigrad.ones(2, requires_grad=True)
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    assert "dw" in first_words(seen(loss, names={"w": w}, backward=True))
    loss.backward()
    with pytest.raises(RuntimeError, match=r"draw.*retain_graph=True"):
        viz.draw(loss, backward=True)


def test_drawing_a_backward_pass_leaves_every_gradient_as_it_was() -> None:
    w = minigrad.ones(2, requires_grad=True)
    h = w * w
    h.retain_grad()
    viz.draw(h.sum(), backward=True)
    assert w.grad is None
    assert h.grad is None


def test_the_backward_pass_of_values() -> None:
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    root = (a * b + a).tanh()
    picture = graph.picture(root, {}, backward=True)
    assert (a.grad, b.grad, root.grad) == (0.0, 0.0, 0.0)
    arrays = {item.name: np.asarray(item.array) for item in picture.items if isinstance(item, graph.Box)}
    root.backward()
    np.testing.assert_allclose(arrays["da"], a.grad)
    np.testing.assert_allclose(arrays["db"], b.grad)
    assert {"da", "db"} <= seen(root, backward=True).within("backward pass")


def test_the_backward_pass_of_a_model() -> None:
    loss, names = classified(mlp())
    picture = seen(loss, names=names, backward=True, depth=1)
    assert {f"d{name}" for name, _ in names["model"].named_parameters()} <= picture.within("backward pass")
    assert {"0: Embedding(7, 2)", "5: Linear(5, 7)", "cross_entropy"} <= picture.within("forward pass")
    assert all(parameter.grad is None for parameter in names["model"].parameters())
    loss.backward()
    assert all(parameter.grad is not None for parameter in names["model"].parameters())


def test_without_a_gradient_there_is_no_backward_pass() -> None:
    with pytest.raises(ValueError, match="requires no gradient"):
        viz.draw(minigrad.ones(2), backward=True)


# The order and the bytes


def test_operands_come_before_results() -> None:
    x, w = minigrad.ones(2), minigrad.ones(2, requires_grad=True)
    C, i = minigrad.ones(3, 2, requires_grad=True), minigrad.tensor([0, 1])
    loss, names = classified(mlp())
    for root, variables in (((x * w + x).sum(), {"x": x}), ((C[i] * w + C[i]).sum(), {"i": i}), (loss, names)):
        for options in ({}, {"depth": 1}, {"backward": True}, {"backward": True, "depth": 1}):
            for place, item in enumerate(graph.picture(root, variables, **options).items):
                read = (
                    [operand for operand, _ in item.operands]
                    if isinstance(item, graph.Folded)
                    else (item.operation.operands if item.operation else [])
                )
                assert all(operand < place for operand in read if isinstance(operand, int)), item


SCRIPT = """
import sys, minigrad, nn, viz
import nn.functional as F
minigrad.manual_seed(1)
blocks = [part for _ in range(3) for part in (nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4), nn.Tanh())]
model = nn.Sequential(nn.Embedding(5, 2), nn.Flatten(), *blocks, nn.Linear(4, 5))
X, Y = minigrad.tensor([[0, 1], [2, 3], [4, 0]]), minigrad.tensor([1, 2, 3])
loss = F.cross_entropy(model(X), Y)
for options in ({}, {"depth": 0}, {"depth": 1}, {"backward": True, "limit": None}, {"limit": 9}):
    sys.stdout.buffer.write(viz.draw(loss, names=globals(), **options).source.encode())
"""


def test_two_processes_write_the_same_bytes_of_a_model() -> None:
    def source(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True, capture_output=True).stdout

    first, second = source("1"), source("2")
    assert first == second
    assert "× 3".encode() in first
    assert b"0x" not in first


# A browser

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1",
]  # fmt: skip


def kinds() -> Iterator[Any]:
    """A picture of each kind."""
    a, b = Value(2.0, label="a"), Value(-3.0, label='<b> & "c" \\N 漢字')
    yield viz.draw((a * b).tanh(), backward=True)
    yield viz.draw_dot((a * b).tanh())
    loss, names = classified(mlp(8))
    loss.backward()
    yield viz.draw(loss, names=names)
    yield viz.draw(loss, names=names, depth=1)
    yield viz.draw(loss, names=names, limit=3)


@pytest.mark.skipif(BROWSER is None, reason="neither chromium nor chrome is installed")
def test_a_browser_draws_each_kind(tmp_path: pathlib.Path) -> None:
    assert BROWSER is not None
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    pictures = [str(drawing.pipe("svg", encoding="utf-8")) for drawing in kinds()]
    sizes = [re.search(r'<svg width="(\d+)pt" height="(\d+)pt"', svg) for svg in pictures]
    widths, heights = ([math.ceil(int(size[side]) * 4 / 3) for size in sizes if size] for side in (1, 2))
    for place, svg in enumerate(pictures):
        (tmp_path / f"{place}.svg").write_text(svg, encoding="utf-8")
    # As an image, a picture that a browser cannot parse is not drawn at all.
    images = "".join(
        f'<div style="height: {height}px"><img src="{place}.svg"></div>' for place, height in enumerate(heights)
    )
    page.write_text(f'<body style="margin: 0">{images}')
    size = f"--window-size={max(widths)},{sum(heights) + 200}"
    command = [BROWSER, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", size, f"--screenshot={shot}", page.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pixels = (matplotlib.image.imread(shot)[..., :3] * 255).round().astype(int) @ (1 << 16, 1 << 8, 1)
    bottom = 0
    for svg, height in zip(pictures, heights, strict=True):
        top, bottom = bottom, bottom + height
        fills = set(re.findall(r'<(?:path|polygon|ellipse) fill="#(\w{6})"', svg)) | {"000000"}
        assert {int(fill, 16) for fill in fills} <= set(np.unique(pixels[top:bottom]).tolist())
