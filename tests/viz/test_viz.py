"""viz: what a picture says, compared with what is known from the expression; and the files it is written to."""

import errno
import html
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import minigrad
import viz
from minigrad import Tensor, Value
from minigrad.extras import remedy
from tests.support.pictures import NASTY, Seen, seen
from viz import graph, layout, text

# What a picture says


def test_neuron_of_values() -> None:
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.75, label="b")
    p = x * w
    n = p + b
    o = n.tanh()
    n.label, p.label, o.label = "n", "p", "o"
    o.backward()
    slope = 1 - np.tanh(0.75) ** 2
    picture = seen(o)
    assert picture.arrows() == sorted(
        [("x", "*"), ("w", "*"), ("*", "p"), ("p", "+"), ("b", "+"), ("+", "n"), ("n", "tanh"), ("tanh", "o")]
    )
    assert picture.words[picture.node("b")] == ["b", "data", "6.75", "grad", f"{slope:.4f}"]
    assert picture.words[picture.node("w")] == ["w", "data", "-3", "grad", f"{2 * slope:.4f}"]
    assert picture.words[picture.node("o")] == ["o", "data", f"{np.tanh(0.75):.4f}", "grad", "1"]


def test_tensors_show_shape_dtype_data_and_gradient() -> None:
    x = minigrad.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]])
    weight = minigrad.tensor([[1.0], [0.5], [-0.25]], requires_grad=True)
    y = x @ weight
    loss = y.sum()
    before = seen(loss, names=locals())
    title = ["weight", "(3, 1) float32"]
    assert before.words[before.node("weight")] == [*title, "data", "1", "0.5", "-0.25", "no gradient yet"]
    y.retain_grad()
    loss.backward()
    after = seen(loss, names=locals())
    assert after.words[after.node("weight")] == [*title, "data", "1", "0.5", "-0.25", "grad", "5", "7", "9.5"]
    assert after.words[after.node("x")] == ["x", "(2, 3) float32", "data", "1", "2", "3", "4", "5", "6.5"]
    assert after.words[after.node("y")] == ["y", "(2, 1) float32", "data", "1.25", "4.875", "grad", "1", "1"]
    assert after.words[after.node("loss")] == ["loss", "scalar float32", "data", "6.125"]
    assert after.labels() == {"x": "a", "weight": "b ← aᵀ @ g", "y": "← expand(g, (2, 1))"}


def test_roles_differ_in_colour() -> None:
    weight, x = minigrad.ones(2, requires_grad=True), minigrad.ones(2)
    h = weight * x
    loss = h.sum()
    picture = seen(loss, names=locals())
    colours = {name: picture.fills[picture.node(name)] for name in ("weight", "x", "h", "loss")}
    assert len(set(colours.values())) == 4
    other = minigrad.ones(2, requires_grad=True)
    again = seen((other + weight).sum(), names={"other": other, "weight": weight})
    assert again.fills[again.node("other")] == again.fills[again.node("weight")] == colours["weight"]


def test_large_tensors_are_summarised() -> None:
    array = np.arange(1000.0).reshape(10, 100)
    weight = minigrad.tensor(array, requires_grad=True)
    (weight * 2.0).sum().backward()
    words = seen(weight).words["box0"]
    expected = ["(10, 100) float64", "data", "mean", "499.5", "std", "288.675", "min", "0", "max", "999"]
    assert words == [*expected, "grad", "all 2"]


def test_too_large_to_keep_shows_its_shape() -> None:
    weight = minigrad.ones(300, 100, requires_grad=True)
    assert seen(weight).words["box0"] == ["(300, 100) float32", "no gradient yet"]


@pytest.mark.parametrize(
    ("write", "caption"),
    [
        (lambda x: x**2, "** 2"),
        (lambda x: 10 / x, "10 /"),
        (lambda x: x - 0.5, "- 0.5"),
        (lambda x: 3 * x, "3 *"),
    ],
)
@pytest.mark.parametrize("make", [Value, lambda data: minigrad.tensor(data, requires_grad=True)])
def test_numbers_are_part_of_the_operation(write: Any, caption: str, make: Any) -> None:
    x = make(4.0)
    picture = seen(write(x), names={"x": x})
    assert len(picture.words) == 3
    assert ["".join(words) for words in picture.words.values()].count(caption) == 1


def test_number_in_a_named_operation() -> None:
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    mask = minigrad.tensor([True, False])
    picture = seen(minigrad.where(mask, x, 0.0), names=locals())
    assert picture.words[picture.node("where(_, _, 0)")] == ["where(_, _, 0)"]
    assert picture.words[picture.node("mask")] == ["mask", "(2,) bool", "data", "True", "False"]


def test_the_same_operand_twice_has_two_arrows() -> None:
    a = Value(3.0)
    assert seen(a * a, names={"a": a, "": 0}).arrows().count(("a", "*")) == 2


def test_shared_constant_is_drawn_once() -> None:
    x, weight = minigrad.ones(2), minigrad.ones(2, requires_grad=True)
    picture = seen((x * weight + x).sum(), names=locals())
    assert [words[0] for words in picture.words.values()].count("x") == 1
    assert [source for source, _, _ in picture.edges].count(picture.node("x")) == 2


def test_several_operands_are_told_apart() -> None:
    parts = [minigrad.ones(1, requires_grad=True) for _ in range(3)]
    picture = seen(minigrad.cat(parts), names=dict(zip("abc", parts, strict=True)))
    assert {name: label[:3] for name, label in picture.labels().items()} == {"a": "1 ←", "b": "2 ←", "c": "3 ←"}


def test_tensor_without_history_is_one_node() -> None:
    assert seen(minigrad.tensor([1, 2])).words == {"box0": ["(2,) int64", "data", "1", "2"]}
    assert seen(minigrad.zeros(0)).words == {"box0": ["(0,) float32", "data", "empty"]}


# Names


def test_own_name_then_first_public_variable() -> None:
    a, b = minigrad.ones(1, requires_grad=True), minigrad.ones(1, requires_grad=True)
    a.name = "own"
    root = a * b
    names = {"_hidden": b, "a": a, "first": b, "second": b, "other": 3, "text": "b"}
    assert {words[0] for words in seen(root, names=names).words.values()} == {"own", "first", "*", "(1,) float32"}
    plain = Value(1.0)
    assert seen(plain, names={"_": plain, "first": plain, "second": plain}).words["box0"][0] == "first"
    labelled = Value(1.0, label="label")
    assert seen(labelled, names={"variable": labelled}).words["box0"][0] == "label"


def test_numpy_operand_has_the_name_of_its_variable() -> None:
    array, weight = np.ones(2, np.float32), minigrad.ones(2, requires_grad=True)
    assert ("array", "*") in seen(weight * array, names=locals()).arrows()


@pytest.mark.parametrize("name", NASTY)
def test_every_name_draws_as_it_is(name: str) -> None:
    picture = seen(Value(1.0, label=name) + 1)
    *pieces, data, one, grad, zero = picture.words["box0"]
    assert ("".join(pieces), data, one, grad, zero) == (name, "data", "1", "grad", "0")


def test_lines_of_a_name_are_drawn_below_each_other() -> None:
    assert seen(Value(1.0, label="two\nlines")).words["box0"][:2] == ["two", "lines"]


def test_what_cannot_be_drawn_is_replaced() -> None:
    assert seen(Value(1.0, label="a\x00b\x1b\ud800c")).words["box0"][0] == "a�b��c"


# Numbers


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (1.0, "1"), (-2.5, "-2.5"), (0.0, "0"), (-0.0, "0"), (1 / 3, "0.3333"), (6.88137, "6.8814"), (1234.5, "1234.5"),
        (1e6, "1e6"), (1.5e-12, "1.5e-12"), (-2.25e100, "-2.25e100"), (12, "12"), (10**6, "1000000"), (True, "True"),
        (float("nan"), "nan"), (float("-inf"), "-inf"), (9999.99999, "10000"), (100.0, "100"),
    ],
)  # fmt: skip
def test_numbers_are_short(x: float, expected: str) -> None:
    assert text.number(x) == expected


def test_summary_counts_what_is_not_finite() -> None:
    array = np.array([1.0, np.nan, 3.0, np.inf, -np.inf, np.nan, np.nan, 5.0])
    assert text.cells(array) == [["mean", "3", "std", "1.633"], ["min", "1", "max", "5"], ["3 nan"], ["2 inf"]]
    assert text.cells(np.full(8, np.nan)) == [["8 nan"]]


# Large graphs


def chain(length: int) -> Value:
    value = Value(1.0)
    for _ in range(length):
        value = value + 1.0
    return value


def test_long_graphs_are_walked_in_a_loop() -> None:
    picture = graph.picture(chain(100_000), {}, 5)
    assert "100,001" in picture.note
    values = [item.array.item() for item in picture.items if isinstance(item, graph.Box) and item.array is not None]
    assert values == [99_997 + i for i in range(5)]


def test_the_limit_shows_the_neighbourhood_and_says_so() -> None:
    picture = seen(chain(1999), limit=10)
    boxes = [words for title, words in picture.words.items() if title.startswith("box")]
    assert [words[1] for words in boxes] == [str(1991 + i) for i in range(10)]
    assert len([words for words in picture.words.values() if words == ["..."]]) == 1
    assert [note for note in picture.notes if "limit=" in note] == ["The 10 nearest of 2,000 boxes; limit= draws more."]


def test_a_graph_within_the_limit_says_nothing() -> None:
    picture = seen(chain(9), limit=10)
    assert not [note for note in picture.notes if "limit" in note]
    assert ["..."] not in picture.words.values()


def test_a_hard_graph_of_the_full_limit_does_not_hang() -> None:
    one = total = Value(1.0)
    for _ in range(150):
        total = total + one
    start = time.perf_counter()
    assert len(seen(total).edges) == 450
    assert time.perf_counter() - start < 20


# The same bytes

SCRIPT = """
import minigrad, viz, sys
x, w = minigrad.tensor([1.0, 2.0]), minigrad.tensor([0.5, 1.5], requires_grad=True)
b = minigrad.zeros(2, requires_grad=True)
loss = ((x * w + b).tanh() / (w + 3.0) + x).sum()
loss.backward()
sys.stdout.write(viz.draw(loss, names=locals()).source)
"""


def test_two_processes_write_the_same_bytes() -> None:
    def source(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", SCRIPT], env=environment, check=True, capture_output=True).stdout

    first, second = source("1"), source("2")
    assert first == second
    assert b"0x" not in first


def test_the_same_expression_again_writes_the_same_bytes() -> None:
    def source() -> str:
        x, w = minigrad.ones(2), minigrad.ones(2, requires_grad=True)
        return str(viz.draw((x * w - w).sum(), names=locals()).source)

    assert source() == source()


# Files


@pytest.fixture
def root() -> Value:
    a = Value(2.0, label="a")
    return a * a


@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("PNG", b"\x89PNG"), ("dot", b"digraph")])
def test_render_writes_a_file(root: Value, tmp_path: pathlib.Path, ending: str, start: bytes) -> None:
    path = tmp_path / f"picture.{ending}"
    path.write_text("old")
    assert viz.render(root, path) == str(path)
    assert path.read_bytes().startswith(start)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["graph.gif", "graph", "svg", "graph.svg.gz"])
def test_render_refuses_other_endings(root: Value, tmp_path: pathlib.Path, name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(".svg, .png, .pdf, .dot, got")):
        viz.render(root, tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_render_names_the_missing_folder(root: Value, tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing"):
        viz.render(root, tmp_path / "missing" / "graph.svg")


def test_a_failed_write_leaves_the_old_file_alone(
    root: Value, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "graph.svg"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        viz.render(root, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == [path.name]


def test_threads_can_render_to_one_file(root: Value, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "graph.dot"
    start = threading.Barrier(8)

    def work(_: int) -> str:
        start.wait(10)
        return {viz.render(root, path) for _ in range(50)}.pop()

    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(work, range(8))} == {str(path)}
    assert path.read_text().rstrip().endswith("}")
    assert os.listdir(tmp_path) == [path.name]


def test_view_opens_the_file(root: Value, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(layout.graphviz, "view", opened.append)
    path = tmp_path / "graph.svg"
    viz.render(root, path, view=True)
    assert opened == [path]


# Engines


@pytest.fixture
def engines(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The folder, empty so far, that holds the only programs there are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(layout.sysconfig, "get_path", lambda name: str(folder))
    return folder


def install(engines: pathlib.Path, name: str, script: str) -> None:
    (engines / name).write_text(f"#!/bin/sh\n{script}\n")
    (engines / name).chmod(0o755)


def test_without_an_engine_the_error_says_what_to_install(
    root: Value, engines: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    with pytest.raises(RuntimeError, match=re.escape(remedy("viz"))):
        viz.render(root, tmp_path / "graph.svg")
    assert not (tmp_path / "graph.svg").exists()
    viz.render(root, tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text() == viz.draw(root).source


def test_pdf_needs_graphviz_itself(root: Value, engines: pathlib.Path, tmp_path: pathlib.Path) -> None:
    install(engines, "graphviz-pure", "echo pure")
    with pytest.raises(RuntimeError, match=r"pdf needs Graphviz's own `dot`.*install"):
        viz.render(root, tmp_path / "graph.pdf")
    install(engines, "dot", 'echo "$@"')
    viz.render(root, tmp_path / "graph.pdf")
    assert (tmp_path / "graph.pdf").read_text().split() == ["-Kdot", "-q", "-Tpdf"]


def test_graphviz_itself_is_preferred(root: Value, engines: pathlib.Path) -> None:
    install(engines, "graphviz-pure", "echo pure")
    assert viz.draw(root).pipe() == b"pure\n"
    install(engines, "dot", "echo own")
    assert viz.draw(root).pipe() == b"own\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [("echo broken >&2; exit 1", "broken"), ("exit 0", "exit code 0"), ("echo half; exit 3", "exit code 3")],
)
def test_a_failing_engine_is_an_error(root: Value, engines: pathlib.Path, script: str, message: str) -> None:
    install(engines, "dot", script)
    with pytest.raises(RuntimeError, match=message):
        viz.draw(root).pipe()


def test_a_lost_edge_is_not_an_error(root: Value, engines: pathlib.Path) -> None:
    install(engines, "dot", "echo picture; echo 'Error: lost box0 box1 edge' >&2; exit 1")
    assert viz.draw(root).pipe() == b"picture\n"


def test_a_layout_that_takes_too_long_is_an_error(
    root: Value, engines: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(engines, "dot", "exec /bin/sleep 60")
    monkeypatch.setattr(layout, "PATIENCE", 0.1)
    with pytest.raises(RuntimeError, match="limit="):
        viz.draw(root).pipe()


# What draw returns


def test_a_notebook_shows_it(root: Value) -> None:
    bundle = viz.draw(root)._repr_mimebundle_()
    assert list(bundle) == ["image/svg+xml", "image/png"]  # the PNG is for a notebook that is not trusted
    assert "a" in Seen(bundle["image/svg+xml"]).words["box0"]
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert list(viz.draw(root)._repr_mimebundle_(include=["image/svg+xml"])) == ["image/svg+xml"]
    assert list(viz.draw(root)._repr_mimebundle_(exclude=["image/png"])) == ["image/svg+xml"]


def test_text_has_the_width_that_is_reserved_for_it() -> None:
    long, narrow = Value(1.0, label="MMMMM"), Value(1.0, label="iiiii")
    svg = viz.draw(long * narrow).pipe("svg", "utf-8")
    widths = dict(re.findall(r'textLength="([\d.]+)" lengthAdjust="spacingAndGlyphs">(M+|i+)<', svg))
    # The widths of M and i in Helvetica-Bold are 833 and 278 thousandths of the size, which is 12.
    assert {text: float(width) for width, text in widths.items()} == {"MMMMM": 49.98, "iiiii": 16.68}
    assert 'font-family="Helvetica,sans-Serif"' not in svg


def test_folded_modules_hide_their_own_constants_but_not_their_inputs() -> None:
    net = minigrad.nn.Sequential(minigrad.nn.Linear(3, 4), minigrad.nn.Dropout(0.5))
    picture = viz.graph.picture(net(minigrad.ones(2, 3)).sum(), {"net": net}, depth=0)
    roles = [item.role.value for item in picture.items]
    assert roles == ["constant", "module", "root"]  # the unnamed input, the network without the mask, the sum


def test_a_notebook_shows_a_large_picture_in_a_frame_in_which_it_moves(root: Value) -> None:
    large = root
    for _ in range(20):
        large = large * 2.0
    bundle = viz.draw(large)._repr_mimebundle_(exclude=["image/png"])
    assert list(bundle) == ["image/svg+xml", "text/html"]
    (frame,) = re.findall(r'<iframe [^>]*srcdoc="([^"]*)"', bundle["text/html"])
    assert "<b>a</b>" not in frame
    page = html.unescape(frame)
    assert Seen(page[page.index("<svg") : page.index("</svg>") + 6]).words == Seen(bundle["image/svg+xml"]).words


def test_it_renders_as_graphviz_does(root: Value, tmp_path: pathlib.Path) -> None:
    path = viz.draw(root, format="png").render(tmp_path / "picture", cleanup=True)
    assert path == str(tmp_path / "picture.png")
    assert pathlib.Path(path).read_bytes().startswith(b"\x89PNG")
    assert os.listdir(tmp_path) == ["picture.png"]
    assert viz.draw(root).render(outfile=tmp_path / "other.svg", cleanup=True) == str(tmp_path / "other.svg")


@pytest.mark.parametrize(("rankdir", "side", "sign"), [("LR", 0, 1), ("RL", 0, -1), ("TB", 1, 1), ("BT", 1, -1)])
def test_directions(root: Value, rankdir: str, side: int, sign: int) -> None:
    for draw in (viz.draw, viz.draw_dot):
        picture = Seen.of(draw(root, rankdir=rankdir))
        middles = [
            (a + b) / 2 for a, b in ((p[side], p[side + 2]) for p in map(picture.places.get, picture.words) if p)
        ]
        along = dict(zip(picture.words, middles, strict=True))
        assert sign * along["box0"] < sign * along["operation1"] < sign * along["box1"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "gif"}, "format must be one of svg, png, pdf, dot, got 'gif'"),
        ({"rankdir": "up"}, "rankdir must be one of LR, RL, TB, BT, got 'up'"),
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"depth": -1}, "depth must be at least 0, got -1"),
        ({"around": "nobody"}, "nothing in the graph is called 'nobody'"),
    ],
)
def test_options_are_checked(root: Value, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        viz.draw(root, **options)
    if not {"limit", "depth", "around"} & set(options):
        with pytest.raises(ValueError, match=re.escape(message)):
            viz.draw_dot(root, **options)


@pytest.mark.parametrize("wrong", [None, 3.0, np.ones(2), [Value(1.0)], "loss", Tensor])
def test_only_tensors_and_values_can_be_drawn(wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"a Tensor or a Value, got {type(wrong).__name__}"):
        viz.draw(wrong)
    with pytest.raises(TypeError, match=f"a Tensor or a Value, got {type(wrong).__name__}"):
        viz.draw_dot(wrong)


def test_drawing_changes_nothing() -> None:
    weight = minigrad.ones(3, requires_grad=True)
    loss = (weight * weight).sum()
    viz.draw(loss, names=locals())
    assert weight.name is None
    loss.backward()
    assert weight.grad is not None
    assert weight.grad.tolist() == [2.0, 2.0, 2.0]


def test_viz_imports_neither_torch_nor_nn() -> None:
    script = "import sys, viz; print({'torch', 'nn', 'minigrad.nn'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_order_is_the_order_of_making() -> None:
    leaves = [Value(float(i), label=f"leaf{i}") for i in range(6)]
    root = leaves[5]
    for leaf in reversed(leaves[:5]):
        root = root + leaf
    picture = graph.picture(root, {}, 500)
    boxes = [item for item in picture.items if isinstance(item, graph.Box)]
    assert [box.name for box in boxes[:6]] == [leaf.label for leaf in leaves]
    for place, box in enumerate(boxes):
        assert box.operation is None or all(isinstance(x, int) and x < place for x in box.operation.operands)
