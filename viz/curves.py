"""The course's diagnostic plots, on matplotlib: what the loss, the layers, their gradients and the updates are doing.

Each is one call that returns a `matplotlib.figure.Figure`, which a notebook shows; with `axes` it draws into a figure
of yours instead, best one with layout="constrained". Nothing here uses pyplot, or changes what it draws.
"""

import functools
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import Tensor, enable_grad, grad, no_grad, tensor
from minigrad.random import default_generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kinds = Iterable[str | type] | None

COLOURS = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"  # by Okabe and Ito, for all eyes
TAIL = 4  # standard deviations from the mean at which the drawing of a distribution ends
GOAL = -3.0  # an update of a thousandth of the data, in log10
SMALLEST_TEXT = 5.0  # points

# Which outputs of a nonlinearity let no gradient through, or almost none, and what to call them.
SATURATION: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "Tanh": ("saturated", lambda y: abs(y) > 0.97),
    "Sigmoid": ("saturated", lambda y: (y < 0.03) | (y > 0.97)),
    "ReLU": ("dead", lambda y: y == 0),
}


def loss_curve(losses: Any, *, axes: "Axes | None" = None, smooth: int | None = None) -> "Figure":
    """The loss at every step, pale, and its mean over `smooth` steps, by default a hundredth of all.

    `losses` is a history, a sequence of numbers, or a dict of several by their names. The scale is logarithmic if all
    losses are above 0. Losses that are not finite leave a gap, and the plot says so. ValueError for what is no sequence
    of numbers, for one without a finite number, and for a window of less than a step.
    """
    histories = losses if isinstance(losses, Mapping) else {"": losses}
    rows = {str(name): _history(str(name), history) for name, history in histories.items()}
    if not rows:
        raise ValueError("loss_curve: the dict of histories is empty")
    window = max(1, max(map(len, rows.values())) // 100) if smooth is None else smooth
    if window < 1:
        raise ValueError(f"loss_curve: smooth is a number of steps, from 1, got {smooth}")
    figure, axes = _canvas(axes, 8, 4.5)
    for i, (name, row) in enumerate(rows.items()):
        colour, width = COLOURS[i % len(COLOURS)], min(window, len(row))
        if width > 1:
            axes.plot(np.arange(len(row)), row, color=colour, alpha=0.25, linewidth=0.6, rasterized=True)
        means = np.convolve(row, np.ones(width) / width, mode="valid")
        middles = np.arange(len(means)) + (width - 1) / 2
        marker = "o" if len(means) == 1 else ""
        label = name or f"mean of {window} steps"
        axes.plot(middles, means, color=colour, linewidth=2, marker=marker, zorder=3, label=label)
    everything = np.concatenate([*rows.values()])
    if np.nanmin(everything) > 0:
        _readable_logarithms(axes, decades=np.log10(np.nanmax(everything) / np.nanmin(everything)))
    axes.set_ylabel("loss")
    _count_steps(axes, np.concatenate([np.flatnonzero(np.isnan(row)) for row in rows.values()]))
    if window > 1 or "" not in rows:
        title = f"mean of {window} steps" if window > 1 and "" not in rows else None
        axes.legend(frameon=False, title=title, alignment="left", loc="upper right")
    return figure


def activations(layers: Any, inputs: Any = None, *, kinds: Kinds = None, axes: "Axes | None" = None) -> "Figure":
    """The distribution of each layer's output, with its mean, its standard deviation, and how much is saturated.

    `layers` is a Module, which runs on `inputs` in the mode that it is in, and of which the nonlinearities are drawn,
    or else what is of the classes `kinds`; or a mapping of names to outputs. The words Tanh, Sigmoid and ReLU in a name
    say what saturated means: a tanh beyond 0.97, a sigmoid within 0.03 of its ends; a ReLU is dead where it is 0, which
    is counted and not drawn. Running statistics, modes and random numbers stay as they are.
    ValueError where there is nothing to draw; TypeError for what is neither Module nor mapping.
    """
    if isinstance(layers, Mapping):
        outputs = _chosen("activations", layers, kinds)
    else:
        with no_grad():
            _, outputs = _run("activations", layers, inputs, kinds)
    rows = []
    for name, output in outputs.items():
        values = _numbers(output).ravel()
        text = _mean_and_std(values, "5.2f")
        for kind in SATURATION.keys() & _words(name):
            word, saturated = SATURATION[kind]
            text += f", {word} {saturated(values).sum() / max(values.size, 1):5.1%}"
            values = values[values != 0] if kind == "ReLU" else values
        rows.append((name, values, text))
    return _distributions(rows, axes, "activations", "output")


def gradients(
    layers: Any,
    inputs: Any = None,
    targets: Any = None,
    loss: Callable[[Any, Any], Tensor] | None = None,
    *,
    kinds: Kinds = None,
    axes: "Axes | None" = None,
) -> "Figure":
    """The distribution of the gradients that arrive at each layer's output, with their mean and standard deviation.

    `layers` is a Module, which runs on `inputs` up to `loss(outputs, targets)` and back without touching a `.grad`, all
    else as in `activations`; or a mapping of names to outputs that have a gradient, by `retain_grad` and `backward`.
    ValueError where there is nothing to draw, or no gradient yet; TypeError for a Module without inputs or loss.
    """
    if isinstance(layers, Mapping):
        outputs = _chosen("gradients", layers, kinds)
        arrived = [_gradient("gradients", name, output) for name, output in outputs.items()]
    elif loss is None:
        raise TypeError("gradients: a Module needs inputs, targets and a loss, such as nn.functional.cross_entropy")
    else:
        with enable_grad():
            result, outputs = _run("gradients", layers, inputs, kinds)
            arrived = [*grad(loss(result, targets), [*outputs.values()])]
    arrays = map(_numbers, arrived)
    rows = [(name, g, _mean_and_std(g, "8.1e")) for name, g in zip(outputs, arrays, strict=True)]
    return _distributions(rows, axes, "gradients of the outputs", "gradient")


def weight_gradients(parameters: Any, *, axes: "Axes | None" = None) -> "Figure":
    """The distribution of the gradients of each matrix of weights, and how large they are beside the weights.

    `parameters` is a Module, a mapping of names to Tensors, or Tensors; those that have not two dims are left out. The
    ratio is of standard deviations, the gradient's to the data's. ValueError where there is no gradient yet.
    """
    rows = []
    for name, x in _matrices("weight_gradients", parameters).items():
        g = _gradient("weight_gradients", name, x)
        text = f"{_mean_and_std(_numbers(g), '8.1e')}, grad:data {float(g.std() / x.data.std()):.1e}"
        rows.append((f"{name} ({x.shape[0]} x {x.shape[1]})", _numbers(g), text))
    return _distributions(rows, axes, "gradients of the weights", "gradient")


def update_to_data(parameters: Any, lr: float) -> list[float]:
    """One step's entry for `update_ratios`: how large SGD's update of each matrix of weights is beside it, in log10.

    `((lr * p.grad).std() / p.data.std()).log10().item()` for each of the `parameters`, which are as in
    `weight_gradients`. It goes between `backward` and the update. ValueError where there is no gradient yet.
    """
    matrices = _matrices("update_to_data", parameters)
    gradients = [_gradient("update_to_data", name, x).detach() for name, x in matrices.items()]
    pairs = zip(gradients, matrices.values(), strict=True)
    return [((lr * g).std() / x.data.std()).log10().item() for g, x in pairs]


def update_ratios(
    history: Sequence[Any], names: Iterable[str] | None = None, *, axes: "Axes | None" = None
) -> "Figure":
    """How large the updates of each parameter were beside its data, in log10, with a guide at the rough goal of 1e-3.

    `history` holds for every step what `update_to_data` gave, and `names` how to call the parameters. ValueError if it
    is empty, if its entries are not equally long, or if there are not as many names.
    """
    entries = [_numbers(entry) for entry in history]
    shapes = sorted({entry.shape for entry in entries})
    if len(shapes) != 1 or len(shapes[0]) != 1 or shapes == [(0,)]:
        what = f"entries of shapes {', '.join(map(str, shapes))}" if shapes else "nothing in it"
        raise ValueError(f"update_ratios: the history has {what}; append update_to_data(parameters, lr) at every step")
    ratios = _finite(np.stack(entries))
    names = [f"parameter {i}" for i in range(ratios.shape[1])] if names is None else [*names]
    if len(names) != ratios.shape[1]:
        raise ValueError(f"update_ratios: {len(names)} names for {ratios.shape[1]} parameters, which have two dims")
    figure, axes = _canvas(axes, 9, 4.5)
    for name, colour, line in zip(names, _shades(len(names)), ratios.T, strict=True):
        axes.plot(np.arange(len(line)), line, color=colour, linewidth=1.2, label=name)
    axes.axhline(GOAL, color="black", linestyle="--", linewidth=1.2, zorder=3, label="1e-3, a rough goal")
    axes.set_ylabel("update : data  (log10 of the ratio of their stds)")
    _count_steps(axes, np.flatnonzero(np.isnan(ratios).any(axis=1)))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def embedding(weights: Any, characters: Sequence[str], *, axes: "Axes | None" = None) -> "Figure":
    """The rows of an embedding table as points in the plane, each with its character in it.

    `weights` is (n, dims): two dims are drawn as they are, more by their first two principal components. ValueError for
    other shapes, for numbers that are not finite, and if there are not n characters.
    """
    table, labels = _numbers(weights), ["first dimension", "second dimension"]
    if table.ndim != 2 or table.shape[0] < 1 or table.shape[1] < 2:
        raise ValueError(f"embedding: needs a table (n, dims) with two dims or more, got shape {table.shape}")
    if len(characters) != len(table):
        raise ValueError(f"embedding: {len(characters)} characters for {len(table)} rows")
    if not np.isfinite(table).all():
        raise ValueError(f"embedding: {np.sum(~np.isfinite(table))} of the table's numbers are not finite")
    if table.shape[1] > 2:
        table = table - table.mean(axis=0)
        _, strengths, directions = np.linalg.svd(table, full_matrices=False)
        table = table @ directions[:2].T
        shares = [f"{share:.0%} of the variance" for share in strengths**2 / max(np.sum(strengths**2), 1e-300)]
        labels = [
            f"{which} principal component, {share}" for which, share in zip(["first", "second"], shares, strict=False)
        ]
    figure, axes = _canvas(axes, 8, 8)
    axes.scatter(table[:, 0], table[:, 1], s=260, color=COLOURS[4], alpha=0.4, linewidths=0)
    for character, (x, y) in zip(characters, table, strict=True):
        axes.text(x, y, _shown(character), ha="center", va="center_baseline", size=12, parse_math=False)
    axes.set(xlabel=labels[0], ylabel=labels[1])
    axes.set_aspect("equal", adjustable="datalim")
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    return figure


def bigrams(
    counts: Any, characters: Sequence[str], columns: Sequence[str] | None = None, *, axes: "Axes | None" = None
) -> "Figure":
    """A matrix of counts in shades of blue: each cell with the character of its row, that of its column, and its count.

    `characters` label the rows, and the columns too unless `columns` does. Where the cells are too small for text, the
    labels stand at the axes. ValueError where the matrix and its labels do not fit.
    """
    matrix, columns = _numbers(counts), characters if columns is None else columns
    if matrix.shape != (len(characters), len(columns)) or not matrix.size:
        raise ValueError(f"bigrams: labels for {len(characters)} x {len(columns)} counts, which have {matrix.shape}")
    inches = 16 / max(27, *matrix.shape)
    figure, axes = _canvas(axes, inches * matrix.shape[1], inches * matrix.shape[0])
    image = axes.imshow(matrix, cmap="Blues")
    axes.axis("off")
    figure.draw_without_rendering()  # now a cell has its size
    extent = axes.get_window_extent()
    cell = min(extent.height / matrix.shape[0], extent.width / matrix.shape[1]) * 72 / figure.dpi
    whole, shade = (matrix == np.round(matrix)).all(), np.asarray(image.norm(matrix))
    texts = {place: f"{count:.0f}" if whole else f"{count:.2g}" for place, count in np.ndenumerate(matrix)}
    size = min(0.25 * cell, 1.4 * cell / max(map(len, texts.values())), 14)
    if size < SMALLEST_TEXT:
        axes.axis("on")
        axes.set_yticks(range(len(characters)), [*map(_shown, characters)], parse_math=False)
        axes.set_xticks(range(len(columns)), [*map(_shown, columns)], parse_math=False)
        return figure
    for (i, j), text in texts.items():
        colour = "white" if shade[i, j] > 0.5 else "0.2"
        write = functools.partial(axes.text, j, ha="center", color=colour, size=size, parse_math=False)
        write(i - 0.06, _shown(characters[i]) + _shown(columns[j]), va="bottom")
        write(i + 0.06, text, va="top")
    return figure


def _history(name: str, losses: Any) -> np.ndarray:
    """The losses of one history, nan where they are not finite; refuses what cannot be drawn."""
    row, which = _numbers(losses), f"the history {name!r}" if name else "the history"
    if row.ndim != 1:
        raise ValueError(f"loss_curve: {which} has shape {row.shape}; it takes one number a step")
    if not np.isfinite(row).any():
        what = f"no finite loss in {len(row)} steps" if len(row) else "no losses"
        raise ValueError(f"loss_curve: {which} has {what}; append loss.item() at every step")
    return _finite(row)


def _run(what: str, model: Any, inputs: Any, kinds: Kinds) -> tuple[Any, dict[str, Any]]:
    """The result of a Module, and the outputs of the Modules of some kinds within it, by default nonlinearities.

    While it runs, each has attributes of its own: a `forward` that notes what it returns, and copies of the buffers.
    """
    if not hasattr(model, "named_modules"):
        raise TypeError(
            f"{what}: expected a Module, or a mapping such as {{'1 Tanh': layer.out}}, got {type(model).__name__}"
        )
    if inputs is None:
        raise TypeError(f"{what}: a Module needs inputs to run on")
    outputs: dict[str, Any] = {}

    def noting(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
        def forward_and_note(*args: Any, **kwargs: Any) -> Any:
            result, key = forward(*args, **kwargs), name
            while key in outputs:
                key += " again"
            outputs[key] = result
            return result

        return forward_and_note

    modules = [(name, module, vars(module)) for name, module in model.named_modules()]
    state = default_generator.get_state()
    try:
        for name, module, own in modules:
            kind = type(module).__name__
            copies = {key: x.clone() for key, x in own.items() if isinstance(x, Tensor) and not x.requires_grad}
            forward = noting(f"layer {name} ({kind})" if name else kind, module.forward)
            module.__dict__ = {**own, **copies, "forward": forward}
        result = model(inputs if isinstance(inputs, Tensor) else tensor(inputs))
    finally:
        default_generator.set_state(state)
        for _, module, own in modules:
            module.__dict__ = own
    return result, _chosen(what, outputs, SATURATION if kinds is None else kinds)


def _chosen(what: str, outputs: Mapping[Any, Any], kinds: Kinds) -> dict[str, Any]:
    """The outputs whose names have one of the kinds in them; by default all."""
    names = {str(name): output for name, output in outputs.items()}
    if kinds is not None:
        kinds = [kinds] if isinstance(kinds, str | type) else kinds
        wanted = {kind if isinstance(kind, str) else kind.__name__ for kind in kinds}
        names = {name: output for name, output in names.items() if _words(name) & wanted}
    if not names:
        raise ValueError(
            f"{what}: nothing to draw among {', '.join(map(str, outputs)) or 'no outputs'}; choose with kinds, such as "
            "kinds=['Linear'], or give a mapping of names to outputs"
        )
    return names


def _matrices(what: str, parameters: Any) -> dict[str, Tensor]:
    """The Tensors of two dims among the parameters, by their names."""
    if hasattr(parameters, "named_parameters"):
        parameters = dict(parameters.named_parameters())
    elif not isinstance(parameters, Mapping):
        parameters = {f"parameter {i}": x for i, x in enumerate(parameters)}
    matrices = {str(name): x for name, x in parameters.items() if x.ndim == 2}
    if not matrices:
        raise ValueError(f"{what}: none of the {len(parameters)} parameters has two dims")
    return matrices


def _gradient(what: str, name: str, x: Tensor) -> Tensor:
    """The gradient of a Tensor; refuses one without."""
    if x.node is None or x.node.grad is None:
        raise ValueError(
            f"{what}: {name!r} has no gradient yet; call loss.backward() first, and .retain_grad() on a layer's output "
            "before that"
        )
    return x.node.grad


def _numbers(data: Any) -> np.ndarray:
    """Tensors, arrays and lists of them as one array."""
    if isinstance(data, list | tuple):
        data = [getattr(x, "array", x) for x in data]
    return np.asarray(getattr(data, "array", data), dtype=np.float64)


def _finite(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _words(name: str) -> set[str]:
    return set(re.findall(r"\w+", name))


def _shown(character: str) -> str:
    """A character that can be seen."""
    return "␣" if character == " " else character if character.isprintable() else repr(character)[1:-1]


def _mean_and_std(numbers: np.ndarray, form: str) -> str:
    """Those of the finite numbers, with n - 1 degrees of freedom as in PyTorch, and how many are not finite."""
    finite = numbers[np.isfinite(numbers)]
    if finite.size < 2:
        return f"{finite.size} of {numbers.size} numbers are finite"
    others = f", {numbers.size - finite.size} not finite" if finite.size < numbers.size else ""
    return f"mean {finite.mean():z{form}}, std {finite.std(ddof=1):{form[1:]}}{others}"


def _distributions(rows: list[tuple[str, np.ndarray, str]], axes: "Axes | None", title: str, quantity: str) -> "Figure":
    """A line for the numbers of each name, the deeper the brighter, and above them a table with the texts.

    What is far off in a tail counts, and is not drawn.
    """
    figure, axes = _canvas(axes, 8, 4 + 0.2 * len(rows))
    longest = max(len(name) for name, _, _ in rows)
    for (name, numbers, text), colour in zip(rows, _shades(len(rows)), strict=True):
        finite = numbers[np.isfinite(numbers)]
        near = finite[abs(finite - finite.mean()) <= TAIL * finite.std()] if finite.size else finite
        counts, edges = np.histogram(near, bins=min(50, 10 + finite.size // 40))
        density = counts / (max(finite.size, 1) * np.diff(edges))
        label = f"{name + ':':{longest + 1}} {text}"
        axes.plot((edges[:-1] + edges[1:]) / 2, density, color=colour, linewidth=1.6, label=label)
    axes.set(xlabel=quantity, ylabel="density")
    axes.set_ylim(bottom=0)
    table: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "alignment": "left"}
    font: dict[str, Any] = {"family": "monospace", "size": 9.5}
    axes.legend(frameon=False, title=title, title_fontproperties={"weight": "bold"}, prop=font, **table)
    return figure


def _shades(n: int) -> Any:
    """Colours from dark to bright for things in an order."""
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0, 0.85, n))


def _readable_logarithms(axes: "Axes", decades: float) -> None:
    """A logarithmic y axis whose ticks are plain numbers, also within a decade."""
    from matplotlib import ticker

    axes.set_yscale("log")
    even = ticker.MaxNLocator(9, steps=[1, 2, 2.5, 5, 10])
    uneven = ticker.LogLocator(subs=(1, 2, 5) if decades < 3 else (1,))
    axes.yaxis.set_major_locator(even if decades < 0.7 else uneven)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def _count_steps(axes: "Axes", gaps: np.ndarray) -> None:
    """An x axis of whole steps; above it how many have no finite number, and which is the first."""
    from matplotlib import ticker

    axes.set_xlabel("step")
    axes.margins(x=0.01)
    axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    if gaps.size:
        text = f"not finite at {gaps.size} steps, first at step {gaps.min()}"
        axes.annotate(text, (1, 1), xycoords="axes fraction", ha="right", va="bottom", color=COLOURS[1])


def _canvas(axes: "Axes | None", width: float, height: float) -> "tuple[Figure, Axes]":
    """The axes to draw into, of a new figure of so many inches if there are none, and the figure."""
    if axes is None:
        axes = _picture()(figsize=(width, height), layout="constrained").subplots()
        axes.spines[["top", "right"]].set_visible(False)
    return axes.figure.figure, axes


@functools.cache
def _picture() -> "type[Figure]":
    """The Figure that a notebook shows, sharply, also where pyplot was never imported."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("viz: plots need matplotlib: pip install 'minigrad[viz]'", name=error.name) from None

    class Picture(Figure):
        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=2 * self.dpi)
            return file.getvalue(), {"width": round(self.bbox.width), "height": round(self.bbox.height)}

    return Picture
