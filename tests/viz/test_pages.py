"""viz.page: the data of a page, compared with the engine, with PyTorch and with what is known from the mathematics."""

import itertools
import json
import pathlib
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

import minigrad
import viz
from minigrad import Tensor, Value, nn
from minigrad.core import ops
from minigrad.derive.formula import formula
from minigrad.derive.symbols import Symbol
from minigrad.extras import remedy
from minigrad.nn import functional as F
from minigrad.nn.scalar import MLP
from tests.support import lecture
from viz.pages import mathml
from viz.pages.lineage import sources
from viz.pages.passes import Passes


def steps_of(page: viz.Page, kind: str) -> list[dict[str, Any]]:
    return [step for step in page.data["steps"] if step["kind"] == kind]


def names_of(page: viz.Page) -> list[str]:
    return [node["name"] for node in page.data["nodes"]]


def final_gradients(page: viz.Page) -> dict[str, np.ndarray]:
    """The gradient of each node after the last step, as far as the page shows it."""
    found = {}
    for step in page.data["steps"]:
        for node, number in step.get("grads", ()):
            array = page.data["arrays"][number]
            found[names_of(page)[node]] = np.array(array["cells"], dtype=np.float64).reshape(array["rows"], -1)
    return found


def course() -> tuple[Tensor, dict[str, Any]]:
    minigrad.manual_seed(3)
    leaves = {name: minigrad.randn(*shape, requires_grad=True) for name, shape in lecture.shapes(hidden=200).items()}
    Xb, Yb = minigrad.randint(0, 27, (32, 3)), minigrad.randint(0, 27, (32,))
    variables = lecture.forward(minigrad, **leaves, Xb=Xb, Yb=Yb)
    return variables["loss"], {**leaves, **variables, "Xb": Xb, "Yb": Yb}


class Square(minigrad.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return g * x * 2


def leaves(*shapes: tuple[int, ...]) -> list[Tensor]:
    minigrad.manual_seed(1)
    return [minigrad.randn(*shape, requires_grad=True) for shape in shapes]


def broadcast() -> dict[str, Any]:
    x, b, c = leaves((4, 3), (3,), (4, 1))
    return {"x": x, "b": b, "c": c, "loss": ((x + b) * c * b).tanh().mean()}


def selected() -> dict[str, Any]:
    (x,) = leaves((4, 3))
    return {
        "x": x,
        "loss": x[[0, 2, 2]].sum() + x.max(1).values.prod() + minigrad.cat([x[1:], x], 0).logsumexp(0).sum(),
    }


def mixed() -> dict[str, Any]:
    a, b = leaves((2, 3), (2, 3))
    return {"a": a, "b": b, "loss": (a.double() * b).sum() + (a.half() * 2).float().sum()}


def fused() -> dict[str, Any]:
    minigrad.manual_seed(1)
    net = nn.Sequential(
        nn.Embedding(5, 4), nn.Flatten(), nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)
    )
    loss = F.cross_entropy(net(minigrad.tensor([[0, 1], [1, 4], [2, 2]])), minigrad.tensor([0, 1, 2]))
    return {**dict(net.named_parameters()), "loss": loss}


def by_function() -> dict[str, Any]:
    (x,) = leaves((3,))
    return {"x": x, "loss": (Square.apply(x) * x).sum()}


def inplace() -> dict[str, Any]:
    (x,) = leaves((4, 3))
    y = x * 2
    y[0] = x[1]
    y[1:] *= 3
    return {"x": x, "loss": y.var() + y.T.cumsum(0).sum()}


GRAPHS = [broadcast, selected, mixed, fused, by_function, inplace, lambda: course()[1]]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("make", GRAPHS)
def test_parts_add_up_to_the_gradients_of_the_engine_bit_for_bit(make: Any, after: bool) -> None:
    variables = make()
    loss = variables["loss"]
    recorded = {name: x for name, x in variables.items() if isinstance(x, Tensor) and x.requires_grad and x.is_leaf}
    if not after:
        passes = Passes(loss)
    loss.backward()
    if after:  # what the backward pass has released is restored
        passes = Passes(loss, recorded.values())
    sums: dict[Any, np.ndarray] = {}
    for visit in passes.visits:
        for part in visit.parts:
            sums[part.operand] = sums[part.operand] + part.part if part.operand in sums else part.part
            assert np.array_equal(sums[part.operand], part.after, equal_nan=True)
            assert part.part.dtype == part.operand.dtype
    assert recorded
    for x in recorded.values():
        assert sums[x.node].tobytes() == x.grad.array.tobytes()


def test_values_too() -> None:
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = (a * b + a) ** 2 / (a + 5.0).exp() + b.relu() + a
    page = viz.page(c)
    assert (a.grad, b.grad) == (0, 0)  # a page changes no gradient
    c.backward()
    found = final_gradients(page)
    assert (found["a"].item(), found["b"].item()) == (a.grad, b.grad)


def test_what_stands_in_lists_and_in_networks_has_a_name() -> None:
    n, xs = MLP(2, [2, 1]), [Value(1.0), Value(2.0)]
    xs.append(xs)  # type: ignore[arg-type]
    assert {*names_of(viz.page(n(xs[:2]), names=locals()))} >= {
        *(f"n.layers[0].neurons[{i}].{each}" for i in range(2) for each in ("w[0]", "w[1]", "b")),
        *("n.layers[1].neurons[0].w[0]", "n.layers[1].neurons[0].w[1]", "n.layers[1].neurons[0].b", "xs[0]", "xs[1]"),
    }
    weights = leaves((2, 2))
    names = {"weights": weights}
    assert "weights[0]" in names_of(viz.page(weights[0].sum(), names=names))
    assert "<B>weights[0]</B>" in viz.draw(weights[0].sum(), names=names).source


def test_gradients_of_the_course_are_those_of_pytorch() -> None:
    loss, variables = course()
    page = viz.page(loss, names=variables)
    theirs = {
        name: torch.tensor(x.detach().numpy(), requires_grad=name in lecture.LEAVES)
        for name, x in variables.items()
        if name in [*lecture.LEAVES, "Xb", "Yb"]
    }
    results = lecture.forward(torch, **theirs)
    for name in lecture.RESULTS:
        results[name].retain_grad()
    results["loss"].backward()
    found = final_gradients(page)
    for name in lecture.LEAVES + lecture.RESULTS:
        expected = {**theirs, **results}[name].grad.reshape(-1, {**theirs, **results}[name].shape[-1])
        shown = found[name]
        expected = expected[: shown.shape[0], : shown.shape[1]].numpy()
        np.testing.assert_allclose(shown, expected, rtol=1e-4, atol=1e-7, err_msg=name)
    assert len(page.html) < 1_000_000


def test_steps_are_in_the_order_of_the_engine() -> None:
    loss, variables = course()
    page = viz.page(loss, names=variables)
    steps = page.data["steps"]
    kinds = [step["kind"] for step in steps]
    turn = kinds.index("seed")
    forward = [step["node"] for step in steps[1:turn]]
    assert {*kinds[1:turn]} == {"forward"}
    assert forward == sorted(forward)  # nodes are in the order of their sequence numbers
    arrived = [step["node"] for step in steps if step["kind"] in ("seed", "arrive")]
    results = [node for node in arrived if node in forward]
    assert results == sorted(results, reverse=True)
    parts = Counter(step["operand"] for step in steps if step["kind"] == "rule")
    again = Counter(step["operand"] for step in steps if step["kind"] == "accumulate")
    assert {node: count - 1 for node, count in parts.items() if count > 1} == again
    for before, step in itertools.pairwise(steps):
        if step["kind"] in ("unbroadcast", "accumulate"):
            assert before["kind"] in ("rule", "unbroadcast")
            assert before["operand"] == step["operand"]
            assert "grads" not in before or step["kind"] == "unbroadcast"


def test_what_broadcasting_repeated_is_summed_in_a_step_of_its_own() -> None:
    page = viz.page(**{"root": (v := broadcast())["loss"], "names": v})
    says = [step["say"] for step in steps_of(page, "unbroadcast")]
    assert says[-1].startswith("b, of shape 3, was repeated to fit 4×3. So its gradient is the sum over dim 0,")
    assert any(say.startswith("c, of shape 4×1, was repeated to fit 4×3.") and "dim 1" in say for say in says)
    b = steps_of(page, "unbroadcast")[-1]
    unsummed, total = (page.data["arrays"][each["array"]] for each in b["maps"])
    np.testing.assert_allclose(np.reshape(unsummed["cells"], (4, 3)).sum(0), total["cells"], rtol=1e-6)
    assert b["maps"][1]["sources"][0]["sets"] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    assert b["ask"]["wrong"]["4×3"].endswith("after .sum(0) the numbers agree")


def test_rules_are_well_formed_and_have_the_names_and_numbers_of_the_learner() -> None:
    loss, variables = course()
    for step in viz.page(loss, names=variables).data["steps"]:
        for text in (step.get("math"), step.get("numbers")):
            if text:
                assert ElementTree.fromstring(text).tag == "math"
    n = Value(0.5, label="n")
    o = n.tanh()
    o.label = "o"
    (rule,) = steps_of(viz.page(o), "rule")
    words = ["".join(ElementTree.fromstring(rule[key]).itertext()) for key in ("math", "numbers")]
    y = np.tanh(0.5)
    assert words == ["dn=do·(1−o2)", f"1·(1−{y:.4f}2)={1 - y * y:.4f}"]
    assert rule["say"] == f"tanh passes do on to n: dn = do · (1 − o²) = {1 - y * y:.4f}."


def test_brackets_stand_where_they_are_needed() -> None:
    g, x = Symbol("g"), Symbol("x")
    expected = {
        g * (2 * x): "g·2·x",
        g * -x: "g·(−x)",
        g - (x - g): "g−(x−g)",
        g + (x + g): "g+x+g",
        (g + x) * x: "(g+x)·x",
        -g * x: "−g·x",
    }
    for symbol, text in expected.items():
        assert "".join(ElementTree.fromstring(f"<mrow>{mathml.expression(symbol)}</mrow>").itertext()) == text
        assert formula(symbol).replace(" ", "") == text


def test_lines_of_the_derived_source_and_of_the_program() -> None:
    (x,) = leaves((4, 3))
    with minigrad.detect_anomaly(check_nan=False):
        h = x.tanh()
        loss = (h * h).sum()
    page = viz.page(loss, names=locals())
    data = page.data
    for node in data["nodes"]:
        lines = [data["derived"][line - 1].strip() for line in node["forward"]]
        if node["name"] != "x":
            assert [line.partition(" = ")[0] for line in lines] == [node["name"]]
        if node["name"] in ("x", "h"):
            assert data["derived"][node["backward"][0] - 1].strip().startswith(f"d{node['name']} = ")
    h_node = data["nodes"][names_of(page).index("h")]
    assert data["program"][h_node["line"]]["text"].strip() == "h = x.tanh()"


def test_the_line_of_a_change_of_a_view_is_that_of_its_base_too() -> None:
    (x,) = leaves((3,))
    with minigrad.detect_anomaly(check_nan=False):
        y = x * 2
        y[1:].unsqueeze(0).mul_(3)
    page = viz.page(y, names=locals())
    lines = [page.data["program"][node["line"]]["text"].strip() for node in page.data["nodes"] if node["name"] != "x"]
    assert lines[0] == "y = x * 2"
    assert {*lines[1:]} == {"y[1:].unsqueeze(0).mul_(3)"}


def test_cells_come_from_the_cells_that_the_rule_reads() -> None:
    a, b = np.arange(6.0).reshape(2, 3), np.arange(12.0).reshape(3, 4)
    found = sources(lambda x: x @ b, a, a @ b, (9, 9))
    assert found is not None
    assert [found.sets[i] for i in found.of] == [[0, 1, 2]] * 4 + [[3, 4, 5]] * 4
    dead = sources(lambda g: g * np.array([0.0, 1.0]), np.ones(2), np.ones(2), (9, 9))
    assert dead is not None
    assert [dead.sets[i] for i in dead.of] == [[0], [1]]  # a factor of zero hides nothing
    total = sources(lambda x: x.sum(0), a, a.sum(0), (2, 2))
    assert total is not None
    assert [total.sets[i] for i in total.of] == [[0, 2], [1, 3]]  # of the window of 2 by 2
    assert sources(lambda x: x, np.arange(3), np.arange(3), (9, 9)) is None


def test_wrong_answers_get_the_reply_of_cmp() -> None:
    x, w = leaves((2, 3), (3, 4))
    page = viz.page((x @ w).sum(), names={"x": x, "w": w})
    replies = [
        option["reply"]
        for step in steps_of(page, "rule")
        for option in (step.get("ask") or {}).get("options", ())
        if option["reply"]
    ]
    assert any("dims 0 and 1 are transposed" in reply for reply in replies)
    assert any("a minus is missing, or one too many" in reply for reply in replies)
    for step in page.data["steps"]:
        if (step.get("ask") or {}).get("kind") == "choice":
            assert [option["reply"] for option in step["ask"]["options"]].count("") == 1


def test_the_reply_to_a_wrong_number_has_the_digits_of_the_page() -> None:
    d = Value(4.0, label="d")
    page = viz.page(d**3 * 0.5 + d.tanh())
    (ask,) = (step["ask"] for step in steps_of(page, "accumulate"))
    assert ask["wrong"] == {
        "24": "it is 24 instead of 24.0013",
        "0.001341": "it is 0.001341 instead of 24.0013",
    }


def test_an_index_has_the_name_of_its_variable() -> None:
    (C,) = leaves((4, 2))
    ix = minigrad.tensor([1, 1, 3])
    page = viz.page(C[ix].sum(), names={"C": C, "ix": ix})
    first = steps_of(page, "forward")[0]
    assert first["say"].endswith(": chosen = C[ix], of shape 3×2.")
    assert "dC = put(dchosen, [ix])" in steps_of(page, "rule")[-1]["say"]
    assert [names_of(page)[node] for node in first["operands"]] == ["C", "ix"]
    assert [each["label"] for each in first["maps"]] == ["C", "ix", "chosen"]
    assert "[ix]" in first["math"]


def test_a_sum_that_is_multiplied_stands_in_brackets() -> None:
    a, b = Symbol("a", (4, 3)), Symbol("b", (4, 3))
    total = "<munder><mo>∑</mo><mtext>dim 0</mtext></munder>"
    summed = mathml.expression(ops.sum(a * b, (0,), False))
    assert summed.startswith(total)
    assert mathml.expression(ops.sum(a * b, (0,), False) * b).startswith(f"<mrow><mo>(</mo>{total}")
    assert mathml.expression(ops.sum(a * b, (0,), False) + b).startswith(total)


def test_a_large_graph_is_folded_and_its_boxes_stand_apart() -> None:
    net = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(6)))
    page = viz.page(net(minigrad.ones(2, 4)).sum(), names={"net": net}, limit=20)
    assert [view["items"] for view in page.data["views"]][-1] <= 20
    assert "net: Sequential" in [frame["title"].partition("(")[0] for frame in page.data["views"][-1]["frames"]]
    for view in page.data["views"]:
        held = [node for box in view["boxes"] for node in box["nodes"]]
        assert sorted(held) == [*range(len(page.data["nodes"]))]
        for i, a in enumerate(view["boxes"]):
            for b in view["boxes"][:i]:
                beside = a["x"] >= b["x"] + b["w"] or b["x"] >= a["x"] + a["w"]
                assert beside or a["y"] >= b["y"] + b["h"] or b["y"] >= a["y"] + a["h"]


def test_of_a_graph_without_modules_the_nearest_boxes_are_drawn() -> None:
    a = Value(1.0, label="a")
    total = a
    for _ in range(50):
        total = total + 1.0
    page = viz.page(total, limit=10)
    assert len(page.data["nodes"]) == 10
    assert page.data["views"][0]["note"] == "The 10 nearest of 51 boxes; limit= shows more."


def test_text_cannot_leave_its_place_in_the_page() -> None:
    label = "</script><script>alert(1)</script>{{style}}<b>"
    page = viz.page(Value(1.0, label=label) * 2.0)
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.html, re.S)
    assert json.loads(text) == json.loads(json.dumps(page.data))
    assert label in names_of(page)
    assert page.html.count("<script") == 2
    assert "&lt;/script" in page._repr_html_()


def test_numbers_that_are_not_finite_are_shown() -> None:
    x = minigrad.tensor([0.0, -1.0, 2.0], requires_grad=True)
    page = viz.page(x.log().sum(), names={"x": x})
    assert [array["cells"] for array in page.data["arrays"] if array["cells"][0] == "-inf"] == [
        ["-inf", "nan", 0.6931472]
    ]


def test_constants_and_leaves() -> None:
    start, end = viz.page(minigrad.ones(2)).data["steps"]
    assert (start["kind"], end["kind"]) == ("start", "end")
    assert end["say"].startswith("There is no backward pass: the result does not require a gradient")
    assert [step["kind"] for step in viz.page(Value(2.0)).data["steps"]] == ["start", "seed", "end"]


def test_bad_arguments(tmp_path: pathlib.Path) -> None:
    with pytest.raises(TypeError, match="page: expected a Tensor or a Value, got int"):
        viz.page(1)
    with pytest.raises(TypeError, match="page: names must be a dict"):
        viz.page(Value(1.0), names=[1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="page: limit must be at least 1, got 0"):
        viz.page(Value(1.0), limit=0)
    for limit in ("1", 2.5, True):
        with pytest.raises(TypeError, match=f"page: limit must be a whole number, got {limit!r}"):
            viz.page(Value(1.0), limit=limit)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"page: path must be the name of a file, got {'a': 1}; variables"):
        viz.page(Value(1.0), {"a": 1})  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="page: there is no folder"):
        viz.page(Value(1.0), tmp_path / "missing" / "page.html")
    viz.page(Value(1.0), tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert "viz" in remedy("viz")


def both(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.sum(), x.tanh().sum()


@pytest.mark.parametrize("show", [viz.draw, viz.page, minigrad.derive])
def test_results_of_compiled_functions_are_refused_because_their_steps_are_missing(show: Any) -> None:
    (x,) = leaves((3,))
    one, two = minigrad.compile(lambda x: x.tanh().sum()), minigrad.compile(both)
    for _ in range(2):  # the first call has a graph of another kind
        for result in (one(x), one(x) * 2, sum(two(x))):
            with pytest.raises(RuntimeError, match=rf"^{show.__name__}: the graph has no steps of a compiled function"):
                show(result)


def test_what_was_changed_or_lost_since_then_is_refused() -> None:
    (w,) = leaves((3, 3))
    loss = ((w @ w) * w).sum()
    loss.backward()
    w.data -= w.grad
    with pytest.raises(RuntimeError, match=r"an operand was changed after it was used, such as by p.data -= \.\.\."):
        viz.page(loss)
    (w,) = leaves((3, 3))
    loss = ((w @ w) * w).sum()
    loss.backward()
    with minigrad.no_grad():
        w -= 1
    with pytest.raises(
        RuntimeError, match=r"^page: mul: a value of shape .* was changed by sub_; write the page before"
    ):
        viz.page(loss)
    (w,) = leaves((200, 200))
    loss = ((w @ w) * w).sum()
    viz.page(loss)
    loss.backward()
    with pytest.raises(RuntimeError, match=r"write the page before loss.backward\(\)"):
        viz.page(loss)
