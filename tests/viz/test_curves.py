"""viz.curves: what the plots show, read back from their lines and texts and compared with numbers found otherwise."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import minigrad
import nn
import nn.functional as F
from minigrad import Tensor
from minigrad.extras import remedy
from tests.support import ROOT
from tests.support.comparison import normal
from viz import curves

INPUTS = minigrad.tensor(np.arange(40).reshape(20, 2) % 7)
TARGETS = minigrad.tensor(np.arange(20) % 7)


@pytest.fixture(autouse=True)
def nothing_global_changes() -> Iterator[None]:
    """Fail a test after which matplotlib's settings are others, or pyplot holds a figure."""
    plt.close("all")  # what another test left that was skipped half way, since PyTorch is not installed
    settings = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == settings
    assert plt.get_fignums() == []


def model() -> nn.MLP:
    """Two layers with BatchNorm and tanh."""
    return nn.MLP(7, block_size=2, embedding=3, hidden=[30, 20])


def texts(figure: Figure) -> list[str]:
    """The lines of the legend."""
    legend = figure.axes[0].get_legend()
    assert legend
    return [text.get_text() for text in legend.get_texts()]


def number(label: str, text: str) -> float:
    """The number behind a word."""
    (found,) = re.findall(rf"{label} +([-+.e\d]+)", text)
    return float(found)


def lines(figure: Figure) -> list[np.ndarray]:
    """The points of each line, as (2, n)."""
    return [np.array(line.get_data()) for line in figure.axes[0].lines]


def tick_labels(axis: Any) -> list[tuple[float, str]]:
    """The ticks that are seen, with their labels."""
    axis.get_figure().draw_without_rendering()
    low, high = sorted(axis.get_view_interval())
    return [
        (place, label.get_text().replace("−", "-"))
        for place, label in zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
        if low <= place <= high
    ]


# Losses


def test_a_loss_curve_is_every_loss_and_the_mean_over_a_hundredth_of_the_steps() -> None:
    losses = np.exp(normal(400))
    every, means = lines(curves.loss_curve(losses))
    np.testing.assert_array_equal(every, [np.arange(400), losses])
    np.testing.assert_allclose(means[1], [losses[i : i + 4].mean() for i in range(397)])
    np.testing.assert_allclose(means[0], [np.mean([i, i + 1, i + 2, i + 3]) for i in range(397)])


def test_the_window_can_be_chosen() -> None:
    figure = curves.loss_curve([4.0, 2.0, 1.0, 3.0], smooth=2)
    np.testing.assert_allclose(lines(figure)[1], [[0.5, 1.5, 2.5], [3.0, 1.5, 2.0]])
    assert texts(figure) == ["mean of 2 steps"]
    assert lines(curves.loss_curve([4.0, 2.0], smooth=5))[1].tolist() == [[0.5], [3.0]]


@pytest.mark.parametrize(
    "kind",
    [minigrad.tensor, np.array, tuple, lambda losses: [minigrad.tensor(loss) for loss in losses]],
    ids=["a Tensor", "an array", "a tuple", "a list of Tensors"],
)
def test_losses_of_every_kind(kind: Callable[[Any], Any]) -> None:
    assert lines(curves.loss_curve(kind([3.0, 2.0, 2.5])))[0].tolist() == [[0, 1, 2], [3.0, 2.0, 2.5]]


@pytest.mark.parametrize(("low", "high"), [(1.6, 3.4), (2.0, 2.1), (0.5, 30.0), (1e-5, 100.0)])
def test_losses_above_0_have_a_logarithmic_scale_with_plain_numbers(low: float, high: float) -> None:
    (axes,) = curves.loss_curve(np.linspace(high, low, 50)).axes
    assert axes.get_yscale() == "log"
    ticks = tick_labels(axes.yaxis)
    assert 3 <= len(ticks) <= 12
    assert [float(label) for _, label in ticks] == pytest.approx([place for place, _ in ticks])
    assert axes.yaxis.get_minorticklocs().size == 0
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "loss")


def test_losses_below_0_have_a_linear_scale() -> None:
    (axes,) = curves.loss_curve([0.3, 0.0, -0.2]).axes
    assert axes.get_yscale() == "linear"


def test_steps_are_whole_numbers() -> None:
    (axes,) = curves.loss_curve([3.0, 2.0, 1.0]).axes
    assert [place for place, _ in tick_labels(axes.xaxis)] == [0, 1, 2]


def test_several_histories_have_their_names_and_colours() -> None:
    figure = curves.loss_curve({"small": np.full(300, 3.0), "large": np.full(100, 2.0)})
    assert texts(figure) == ["small", "large"]
    legend = figure.axes[0].get_legend()
    assert legend.get_title().get_text() == "mean of 3 steps"
    assert len({line.get_color() for line in figure.axes[0].lines}) == 2
    assert [len(line[0]) for line in lines(figure)] == [300, 298, 100, 98]


def test_losses_that_are_not_finite_leave_a_gap_and_are_said() -> None:
    figure = curves.loss_curve([3.0, np.inf, 2.0, 1.0, np.nan], smooth=2)
    assert np.isnan(lines(figure)[0][1]).tolist() == [False, True, False, False, True]
    assert np.isnan(lines(figure)[1][1]).tolist() == [True, True, False, True]
    assert [text.get_text() for text in figure.axes[0].texts] == ["not finite at 2 steps, first at step 1"]


# Layers


def test_activations_of_a_model_are_those_of_its_nonlinearities() -> None:
    """All numbers anew with numpy, in training mode: the statistics of the batch, divided by n."""
    mlp = model()
    x = mlp[0].weight.array[INPUTS.array].reshape(20, -1).astype(np.float64)
    outputs = []
    for linear in (mlp[2], mlp[5]):
        h = x @ linear.weight.array.T
        x = np.tanh((h - h.mean(0)) / np.sqrt(h.var(0) + 1e-5))
        outputs.append(x)
    figure = curves.activations(mlp, INPUTS)
    assert [text.split(":")[0] for text in texts(figure)] == ["layer 4 (Tanh)", "layer 7 (Tanh)"]
    for text, output in zip(texts(figure), outputs, strict=True):
        assert number("mean", text) == pytest.approx(output.mean(), abs=0.0051)
        assert number("std", text) == pytest.approx(output.std(ddof=1), abs=0.0051)
        assert number("saturated", text) == pytest.approx(100 * (abs(output) > 0.97).mean(), abs=0.051)


def test_a_distribution_is_a_density() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 4.0], [100, 200, 60, 40])  # 20 bins, of a fifth
    ((places, density),) = lines(curves.activations({"h": values}))
    np.testing.assert_allclose(places, 0.1 + 0.2 * np.arange(20))
    assert density @ np.full(20, 0.2) == pytest.approx(1)
    np.testing.assert_allclose(density[[0, 5, 10, 19]] * 0.2, [0.25, 0.5, 0.15, 0.1])


def test_a_far_tail_counts_but_is_not_drawn() -> None:
    ((places, density),) = lines(curves.activations({"h": [*normal(999) / 10, 1000.0]}))
    assert max(places) < 1
    assert density.sum() * (places[1] - places[0]) == pytest.approx(0.999)


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("layer 2 (Tanh)", [0.98, -0.98, 0.96, 0.0], "saturated 50.0%"),
        ("Sigmoid", [0.02, 0.5, 0.98, 0.99], "saturated 75.0%"),
        ("1 ReLU", [0.0, 0.0, 0.0, 1e-9], "dead 75.0%"),
    ],
)
def test_saturation_of_outputs_by_name(name: str, values: list[float], told: str) -> None:
    (text,) = texts(curves.activations({name: minigrad.tensor(values)}))
    assert text.startswith(f"{name}: mean")
    assert text.endswith(told)


def test_a_relu_that_is_dead_everywhere_has_an_empty_distribution() -> None:
    figure = curves.activations({"ReLU": np.zeros(9)})
    assert texts(figure) == ["ReLU: mean  0.00, std 0.00, dead 100.0%"]
    assert not lines(figure)[0][1].any()


def test_outputs_that_no_nonlinearity_made_have_no_saturation() -> None:
    (text,) = texts(curves.activations({"logits": minigrad.tensor([1.0, 3.0])}))
    assert text == "logits: mean  2.00, std 1.41"


def test_numbers_that_are_not_finite_are_said() -> None:
    broken, nothing = texts(curves.activations({"a": [1.0, np.nan, 3.0, np.inf], "b": [np.nan, np.nan]}))
    assert broken == "a: mean  2.00, std 1.41, 2 not finite"
    assert nothing == "b: 0 of 2 numbers are finite"


def test_kinds_are_classes_or_their_names() -> None:
    for kinds in ("Linear", nn.Linear, ["Linear"], [nn.Linear, "Dropout"]):
        names = [text.split(":")[0] for text in texts(curves.activations(model(), INPUTS, kinds=kinds))]
        assert names == ["layer 2 (Linear)", "layer 5 (Linear)", "layer 8 (Linear)"]
    assert len(texts(curves.activations({"0 Tanh": [1.0], "1 Linear": [1.0]}, kinds="Tanh"))) == 1


recorded: list[bool] = []


class Twice(nn.Module):
    """A model that is no Sequential, runs a layer twice, and notes whether it is recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.act, self.drop = nn.Linear(4, 4), nn.ReLU(), nn.Dropout()

    def forward(self, x: Tensor) -> Tensor:
        """Half of the outputs, at random."""
        self.recorded = recorded.append(minigrad.is_grad_enabled())
        return self.drop(self.act(self.linear(self.act(x))))


def test_a_model_of_any_form() -> None:
    figure = curves.activations(Twice(), normal(5, 4, dtype=np.float32))
    assert [text.split(":")[0] for text in texts(figure)] == ["layer act (ReLU)", "layer act (ReLU) again"]
    assert recorded.pop() is False


@pytest.mark.parametrize("training", [True, False])
def test_a_model_stays_as_it_is(training: bool) -> None:
    mlp = model().train(training)
    mlp[7].train(not training)
    F.cross_entropy(mlp(INPUTS), TARGETS).backward()
    modes = [module.training for module in mlp.modules()]
    attributes = [(vars(module), dict(vars(module))) for module in mlp.modules()]
    numbers = [x.array.copy() for x in [*mlp.parameters(), *mlp.buffers()]]
    grads = [
        (grad, grad.array.copy()) for grad in (parameter.grad for parameter in mlp.parameters()) if grad is not None
    ]
    curves.activations(mlp, INPUTS)
    curves.gradients(mlp, INPUTS, TARGETS, F.cross_entropy)
    curves.weight_gradients(mlp)
    assert [module.training for module in mlp.modules()] == modes
    for module, (own, copy) in zip(mlp.modules(), attributes, strict=True):
        assert vars(module) is own
        assert [*own] == [*copy]
        assert all(own[name] is copy[name] for name in own)
    for x, before in zip([*mlp.parameters(), *mlp.buffers()], numbers, strict=True):
        np.testing.assert_array_equal(x.array, before)
    for parameter, (grad, before) in zip(mlp.parameters(), grads, strict=True):
        assert parameter.grad is grad
        np.testing.assert_array_equal(grad.array, before)


def test_random_numbers_go_on_as_if_dropout_had_not_run() -> None:
    twice = Twice()
    minigrad.manual_seed(5)
    curves.activations(twice, normal(5, 4, dtype=np.float32))
    after = minigrad.rand(3)
    minigrad.manual_seed(5)
    assert (after == minigrad.rand(3)).all()
    assert not hasattr(twice, "recorded")


def test_a_model_that_fails_stays_as_it_is() -> None:
    mlp = model()
    own = vars(mlp[4])
    with pytest.raises(RuntimeError):
        curves.activations(mlp, INPUTS[:, :1])
    assert vars(mlp[4]) is own
    assert "forward" not in own


# Gradients


def reference() -> tuple[nn.Sequential, torch.nn.Sequential, np.ndarray, np.ndarray]:
    """The same model in both libraries, inputs and targets."""
    mine = nn.Sequential(nn.Linear(4, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 3))
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 20), torch.nn.Tanh(), torch.nn.Linear(20, 20), torch.nn.Tanh(), torch.nn.Linear(20, 3)
    )
    theirs.load_state_dict({name: torch.tensor(x.numpy()) for name, x in mine.state_dict().items()})
    return mine, theirs, normal(30, 4, dtype=np.float32), np.arange(30) % 3


def close(text: str, g: torch.Tensor) -> None:
    """Require the mean and the standard deviation of a gradient in a text, to the digits there."""
    assert number("std", text) == pytest.approx(g.std().item(), rel=0.051)
    assert number("mean", text) == pytest.approx(g.mean().item(), rel=0.051, abs=1e-8)


def test_gradients_are_those_that_arrive_at_the_outputs() -> None:
    mine, theirs, inputs, targets = reference()
    x, outputs = torch.tensor(inputs), []
    for layer in theirs:
        x = layer(x)
        x.retain_grad()
        outputs += [x] if isinstance(layer, torch.nn.Tanh) else []
    torch.nn.functional.cross_entropy(x, torch.tensor(targets)).backward()
    figure = curves.gradients(mine, minigrad.tensor(inputs), minigrad.tensor(targets), F.cross_entropy)
    assert [text.split(":")[0] for text in texts(figure)] == ["layer 1 (Tanh)", "layer 3 (Tanh)"]
    for text, output in zip(texts(figure), outputs, strict=True):
        close(text, output.grad)
    assert all(parameter.grad is None for parameter in mine.parameters())


def test_gradients_of_outputs_that_kept_theirs() -> None:
    mine, _, inputs, targets = reference()
    x, outputs = minigrad.tensor(inputs), {}
    for i, layer in enumerate(mine):
        x = layer(x)
        if isinstance(layer, nn.Tanh):
            x.retain_grad()
            outputs[f"layer {i} (Tanh)"] = x
    F.cross_entropy(x, minigrad.tensor(targets)).backward()
    whole = curves.gradients(mine, minigrad.tensor(inputs), minigrad.tensor(targets), F.cross_entropy)
    kept = curves.gradients(outputs)
    assert texts(kept) == texts(whole)
    np.testing.assert_array_equal(lines(kept), lines(whole))


def test_gradients_within_no_grad() -> None:
    with minigrad.no_grad():
        assert len(texts(curves.gradients(model(), INPUTS, TARGETS, F.cross_entropy))) == 2


def test_gradients_of_the_weights_and_updates() -> None:
    mine, theirs, inputs, targets = reference()
    F.cross_entropy(mine(minigrad.tensor(inputs)), minigrad.tensor(targets)).backward()
    torch.nn.functional.cross_entropy(theirs(torch.tensor(inputs)), torch.tensor(targets)).backward()
    matrices = [p for p in theirs.parameters() if p.ndim == 2]
    shown = texts(curves.weight_gradients(mine))
    assert [text.split(":")[0] for text in shown] == ["0.weight (20 x 4)", "2.weight (20 x 20)", "4.weight (3 x 20)"]
    for text, p in zip(shown, matrices, strict=True):
        close(text, p.grad)
        assert number("grad:data", text) == pytest.approx((p.grad.std() / p.data.std()).item(), rel=0.051)
    expected = [((0.1 * p.grad).std() / p.data.std()).log10().item() for p in matrices]
    for parameters in (mine, mine.parameters(), [*mine.parameters()], dict(mine.named_parameters())):
        assert curves.update_to_data(parameters, 0.1) == pytest.approx(expected, rel=1e-5)


# Updates


def test_update_ratios_are_a_line_for_each_parameter_and_a_guide() -> None:
    history = normal(50, 3) - 3
    figure = curves.update_ratios(history.tolist(), ["a", "b", "c"])
    *parameters, (_, guide) = lines(figure)
    np.testing.assert_array_equal(parameters, [[np.arange(50), column] for column in history.T])
    assert guide.tolist() == [-3, -3]
    assert texts(figure) == ["a", "b", "c", "1e-3, a rough goal"]
    assert len({mpl.colors.to_hex(line.get_color()) for line in figure.axes[0].lines}) == 4
    assert texts(curves.update_ratios(history))[:3] == ["parameter 0", "parameter 1", "parameter 2"]


def test_an_update_of_nothing_leaves_a_gap_and_is_said() -> None:
    weight = minigrad.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    (weight * 0).sum().backward()
    entry = curves.update_to_data([weight], 0.1)
    assert entry == [-np.inf]
    figure = curves.update_ratios([[-2.0], entry, [-1.0]])
    assert np.isnan(lines(figure)[0][1]).tolist() == [False, True, False]
    assert [text.get_text() for text in figure.axes[0].texts] == ["not finite at 1 steps, first at step 1"]


# Embeddings and bigrams


def points(figure: Figure) -> tuple[np.ndarray, list[str]]:
    """The points, and the letters at them."""
    (axes,) = figure.axes
    places = np.array(axes.collections[0].get_offsets())
    assert [text.get_position() for text in axes.texts] == [tuple(place) for place in places]
    return places, [text.get_text() for text in axes.texts]


def test_an_embedding_of_two_dims_is_drawn_as_it_is() -> None:
    weight = nn.Embedding(4, 2).weight
    figure = curves.embedding(weight, ".a \n")
    places, letters = points(figure)
    np.testing.assert_array_equal(places, weight.array)
    assert letters == [".", "a", "␣", "\\n"]
    assert figure.axes[0].get_xlabel() == "first dimension"


def test_an_embedding_of_more_dims_is_drawn_by_its_principal_components() -> None:
    """Which are the eigenvectors of the covariance, up to their signs."""
    table = normal(10, 5) * [3, 0.1, 0.2, 1, 0.3] + 7
    figure = curves.embedding(table, "abcdefghij")
    variances, directions = np.linalg.eigh(np.cov(table.T))
    expected = (table - table.mean(0)) @ directions[:, [-1, -2]]
    places, _ = points(figure)
    np.testing.assert_allclose(abs(places), abs(expected), atol=1e-9)
    share = f"{100 * variances[-2] / variances.sum():.0f}% of the variance"
    assert figure.axes[0].get_ylabel() == f"second principal component, {share}"


def test_bigrams_have_their_characters_and_counts_in_their_cells() -> None:
    counts = np.arange(27 * 27).reshape(27, 27)
    characters = ".abcdefghijklmnopqrstuvwxyz"
    figure = curves.bigrams(minigrad.tensor(counts), characters)
    assert figure.get_size_inches().tolist() == [16, 16]
    (axes,) = figure.axes
    shown = {(round(t.get_position()[1]), t.get_position()[0], t.get_va()): t.get_text() for t in axes.texts}
    assert len(axes.texts) == len(shown) == 2 * 27 * 27
    for (i, j), count in np.ndenumerate(counts):
        assert shown[i, j, "bottom"] == characters[i] + characters[j]
        assert shown[i, j, "top"] == str(count)
    assert min(text.get_fontsize() for text in axes.texts) >= 8
    assert {t.get_color() for t in axes.texts if t.get_text() == "728"} == {"white"}
    assert {t.get_color() for t in axes.texts if t.get_text() == "0"} != {"white"}


def test_the_texts_of_cells_stay_within_them() -> None:
    figure = curves.bigrams([[123456789.0, 2.0], [3.0, 4.0]], ["a", "b"])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    width = axes.transData.transform([(0, 0), (1, 0)])[:, 0]
    assert all(text.get_window_extent().width < width[1] - width[0] for text in axes.texts)


def test_a_matrix_has_labels_of_rows_and_columns() -> None:
    (axes,) = curves.bigrams([[0.25, 0.5, 1 / 3], [0.0, 1.0, 0.001]], ["ab", "$"], "xy$").axes
    assert [text.get_text() for text in axes.texts] == [
        *("abx", "0.25", "aby", "0.5", "ab$", "0.33"),
        *("$x", "0", "$y", "1", "$$", "0.001"),
    ]


def test_cells_too_small_for_text_have_their_labels_at_the_axes() -> None:
    figure = Figure(figsize=(4, 4))
    axes = figure.subplots()
    characters = [chr(ord("a") + i) for i in range(26)]
    assert curves.bigrams(np.ones((26, 26)), characters, axes=axes) is figure
    assert not axes.texts
    assert [label for _, label in tick_labels(axes.xaxis)] == characters
    assert [label for _, label in tick_labels(axes.yaxis)] == characters


# Figures


def draw_each(axes: Any = None) -> Iterator[Figure]:
    """Each of the plots."""
    mlp = model()
    F.cross_entropy(mlp(INPUTS), TARGETS).backward()
    yield curves.loss_curve([3.0, 2.0], axes=axes)
    yield curves.activations(mlp, INPUTS, axes=axes)
    yield curves.gradients(mlp, INPUTS, TARGETS, F.cross_entropy, axes=axes)
    yield curves.weight_gradients(mlp, axes=axes)
    yield curves.update_ratios([[-3.0], [-2.0]], axes=axes)
    yield curves.embedding(mlp[0].weight, "abcdefg", axes=axes)
    yield curves.bigrams(np.ones((2, 2)), "ab", axes=axes)


def test_each_returns_a_figure_that_a_notebook_shows() -> None:
    for figure in draw_each():
        assert isinstance(figure, Figure)
        picture, size = figure._repr_png_()
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        height, width, _ = plt.imread(io.BytesIO(picture)).shape
        assert (size["height"], size["width"]) == pytest.approx((height / 2, width / 2), abs=1)


def test_each_draws_into_given_axes() -> None:
    figure = Figure(layout="constrained")
    upper, lower = figure.subplots(2)
    for result in draw_each(lower):
        assert result is figure
        assert figure.axes == [upper, lower]
        assert not upper.has_data()
        assert lower.has_data()
        lower.clear()


def test_text_stays_within_the_figure() -> None:
    for figure in draw_each():
        figure.draw_without_rendering()
        for legend in [axes.get_legend() for axes in figure.axes if axes.get_legend()]:
            box = legend.get_window_extent()
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= figure.bbox.width
            assert box.y1 <= figure.bbox.height


# Refusals

MATRIX = minigrad.ones(2, 2, requires_grad=True)
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no losses": (lambda: curves.loss_curve([]), ValueError, r"no losses; append loss\.item\(\)"),
    "no histories": (lambda: curves.loss_curve({}), ValueError, "empty"),
    "no finite loss": (lambda: curves.loss_curve({"a": [np.nan] * 2}), ValueError, "'a' has no finite loss in 2 steps"),
    "losses in two dims": (lambda: curves.loss_curve(np.ones((2, 3))), ValueError, r"shape \(2, 3\)"),
    "a window of nothing": (lambda: curves.loss_curve([1.0], smooth=0), ValueError, "from 1, got 0"),
    "no inputs": (lambda: curves.activations(model()), TypeError, "needs inputs"),
    "no model": (lambda: curves.activations([1.0]), TypeError, "a mapping such as .* got list"),
    "no outputs": (lambda: curves.activations({}), ValueError, "no outputs"),
    "no nonlinearity": (
        lambda: curves.activations(nn.Linear(2, 2), MATRIX),
        ValueError,
        "among Linear; choose with kinds",
    ),
    "no loss": (lambda: curves.gradients(model(), INPUTS, TARGETS), TypeError, "cross_entropy"),
    "no gradient of an output": (
        lambda: curves.gradients({"h": MATRIX.tanh()}),
        ValueError,
        r"'h' has no gradient yet; call loss\.backward\(\) first, and \.retain_grad\(\)",
    ),
    "no gradient of a constant": (lambda: curves.gradients({"h": minigrad.ones(2)}), ValueError, "no gradient yet"),
    "no gradient of a weight": (lambda: curves.weight_gradients(model()), ValueError, r"'0\.weight' has no gradient"),
    "no gradient for an update": (lambda: curves.update_to_data([MATRIX], 0.1), ValueError, "'parameter 0' has no gr"),
    "no matrix": (lambda: curves.update_to_data([minigrad.ones(2)], 0.1), ValueError, "none of the 1 parameters"),
    "no history": (lambda: curves.update_ratios([]), ValueError, "nothing in it; append update_to_data"),
    "an empty entry": (lambda: curves.update_ratios([[]]), ValueError, r"entries of shapes \(0,\)"),
    "entries of two lengths": (lambda: curves.update_ratios([[1.0], [1.0, 2.0]]), ValueError, r"\(1,\), \(2,\)"),
    "entries that are numbers": (lambda: curves.update_ratios([1.0, 2.0]), ValueError, r"entries of shapes \(\)"),
    "names too few": (lambda: curves.update_ratios([[1.0, 2.0]], ["a"]), ValueError, "1 names for 2 parameters"),
    "a table of one dim": (lambda: curves.embedding(np.ones((3, 1)), "abc"), ValueError, r"got shape \(3, 1\)"),
    "characters too few": (lambda: curves.embedding(np.ones((3, 2)), "ab"), ValueError, "2 characters for 3 rows"),
    "a table with nan": (lambda: curves.embedding([[np.nan, 1.0]], "a"), ValueError, "1 of .* not finite"),
    "labels too few": (lambda: curves.bigrams(np.ones((2, 3)), "ab"), ValueError, r"2 x 2 counts, which have \(2, 3\)"),
    "no counts": (lambda: curves.bigrams(np.ones((0, 0)), ""), ValueError, "0 x 0"),
}


@pytest.mark.parametrize(("draw", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_drawn_is_refused(draw: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        draw()


DEEP: list[Any] = []
for _ in range(3000):
    DEEP = [DEEP]

SENSELESS = [None, 5, 1j, "xy", DEEP, {1: 2}, [None], np.array([None]), np.array(True), 10**400, range(10**18)]
GOOD: dict[str, dict[str, Any]] = {
    "loss_curve": {"losses": [1.0, 2.0], "smooth": 1, "axes": None},
    "activations": {"layers": nn.Tanh(), "inputs": MATRIX, "kinds": "Tanh", "axes": None},
    "gradients": {"layers": nn.Tanh(), "inputs": MATRIX, "targets": MATRIX, "loss": F.mse_loss, "axes": None},
    "weight_gradients": {"parameters": nn.Linear(2, 2), "axes": None},
    "update_to_data": {"parameters": nn.Linear(2, 2), "lr": 0.1},
    "update_ratios": {"history": [[-3.0]], "names": "a", "axes": None},
    "embedding": {"weights": [[1.0, 2.0]], "characters": "a", "axes": None},
    "bigrams": {"counts": [[1.0]], "characters": "a", "columns": "b", "axes": None},
}


def refusal(name: str, arguments: dict[str, Any]) -> str:
    """What a plot says that refuses its arguments, after its name; of a plot that is drawn, nothing but this name."""
    try:
        getattr(curves, name)(**arguments)
    except (TypeError, ValueError, RuntimeError) as error:
        return str(error)
    return f"{name}: "


@pytest.mark.filterwarnings("ignore:mse_loss:UserWarning")
@pytest.mark.parametrize("name", GOOD)
def test_what_makes_no_sense_is_refused_by_name(name: str) -> None:
    inner = (
        "|grad|tensor|mse_loss|tanh" if name in ("activations", "gradients") else ""
    )  # a Module's inputs and targets
    for parameter in GOOD[name]:
        for value in SENSELESS:
            said = refusal(name, {**GOOD[name], parameter: value})
            assert re.match(rf"({name}{inner}): ", said), (parameter, said)


# Without matplotlib


def test_the_first_plot_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    curves._picture.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=re.escape(remedy("viz"))):
        curves.loss_curve([1.0])


def test_importing_the_plots_does_not_import_matplotlib_nor_plotting_pyplot() -> None:
    code = (
        "import sys, viz.curves; assert 'matplotlib' not in sys.modules;"
        "viz.curves.loss_curve([3.0, 2.0])._repr_png_(); assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
