"""The course's diagnostic plots, on matplotlib: the loss, the layers' outputs, their gradients, and the updates.

Each plot is one call that returns a `matplotlib.figure.Figure`; a notebook shows it. With `axes` the call draws into
your figure instead, which should have layout="constrained". No function uses pyplot or changes the data that it draws.
The other modules of viz draw graphs; they do not need matplotlib.
"""

import functools
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import Tensor, enable_grad, grad, no_grad, tensor
from minigrad.checks import int_of, members_of, number_of, shown
from minigrad.extras import remedy
from minigrad.random import default_generator

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kinds = Iterable[str | type] | None

COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
)  # by Okabe and Ito, for every kind of colour vision
TAIL = 4  # a distribution is drawn up to so many standard deviations from its mean
GOAL = -3.0  # an update of a thousandth of the data, in log10
SMALLEST_TEXT = 5.0  # points

# The outputs of a nonlinearity that let almost no gradient through, and the word for them.
SATURATION: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "Tanh": ("saturated", lambda y: abs(y) > 0.97),
    "Sigmoid": ("saturated", lambda y: (y < 0.03) | (y > 0.97)),
    "ReLU": ("dead", lambda y: y == 0),
}


def loss_curve(losses: Any, *, axes: "Axes | None" = None, smooth: int | None = None) -> "Figure":
    """Plot the loss at every step, pale, and its mean over `smooth` steps, by default a hundredth of all steps.

    `losses` is a sequence of numbers, or a dict of several by their names. The scale is logarithmic if all losses are
    above 0. Losses that are not finite leave a gap, and the plot says so. ValueError if `losses` is not a sequence of
    numbers, if none of them is finite, or if `smooth` is less than 1.
    """
    histories = losses if isinstance(losses, Mapping) else {"": losses}
    rows = {str(name): _history(str(name), history) for name, history in histories.items()}
    if not rows:
        raise ValueError("loss_curve: the dict of histories is empty")
    window = max(1, max(map(len, rows.values())) // 100) if smooth is None else int_of("loss_curve", smooth)
    if window < 1:
        raise ValueError(f"loss_curve: smooth is a number of steps, from 1, got {smooth}")
    figure, axes = _canvas("loss_curve", axes, 8, 4.5)
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
    """Plot the distribution of each layer's output, with its mean, its standard deviation, and how much is saturated.

    `layers` is a Module or a mapping of names to outputs. A Module runs on `inputs`, in training or evaluation mode as
    it is set; the outputs of its nonlinearities are drawn, or of the classes in `kinds`. Its running statistics and the
    random generator do not change.

    The words Tanh, Sigmoid and ReLU in a name say what is counted: a tanh is saturated beyond 0.97, a sigmoid within
    0.03 of its ends, and a ReLU is dead where it is 0. These zeros are not drawn. ValueError if there is nothing to
    draw, TypeError if `layers` is neither a Module nor a mapping.
    """
    if isinstance(layers, Mapping):
        outputs = _chosen("activations", layers, kinds)
    else:
        with no_grad():
            _, outputs = _run("activations", layers, inputs, kinds)
    rows = []
    for name, output in outputs.items():
        values = _numbers("activations", output).ravel()
        text = _mean_and_std(values, "5.2f")
        for kind in SATURATION.keys() & _words(name):
            word, saturated = SATURATION[kind]
            text += f", {word} {saturated(values).sum() / max(values.size, 1):5.1%}"
            values = values[values != 0] if kind == "ReLU" else values
        rows.append((name, values, text))
    return _distributions("activations", rows, axes, "activations", "output")


def gradients(
    layers: Any,
    inputs: Any = None,
    targets: Any = None,
    loss: Callable[[Any, Any], Tensor] | None = None,
    *,
    kinds: Kinds = None,
    axes: "Axes | None" = None,
) -> "Figure":
    """Plot the distribution of the gradient of each layer's output, with its mean and standard deviation.

    `layers` is a Module or a mapping of names to outputs. A Module runs on `inputs`, forward to `loss(outputs,
    targets)` and backward; no `.grad` changes, and the rest is as in `activations`. Outputs in a mapping must have a
    gradient: call `retain_grad` on them, then `backward`. ValueError if there is nothing to draw or a gradient is
    missing, TypeError for a Module without inputs or loss.
    """
    if isinstance(layers, Mapping):
        outputs = _chosen("gradients", layers, kinds)
        arrived = [_gradient("gradients", name, output) for name, output in outputs.items()]
    elif not callable(loss):
        raise TypeError("gradients: a Module needs inputs, targets and a loss, such as nn.functional.cross_entropy")
    else:
        with enable_grad():
            result, outputs = _run("gradients", layers, inputs, kinds)
            arrived = [*grad(loss(result, targets), [*outputs.values()])]
    arrays = [_numbers("gradients", g) for g in arrived]
    rows = [(name, g, _mean_and_std(g, "8.1e")) for name, g in zip(outputs, arrays, strict=True)]
    return _distributions("gradients", rows, axes, "gradients of the outputs", "gradient")


def weight_gradients(parameters: Any, *, axes: "Axes | None" = None) -> "Figure":
    """Plot the distribution of the gradient of each weight matrix, and its size relative to the weights.

    `parameters` is a Module, a mapping of names to Tensors, or an iterable of Tensors. Only Tensors with two dims are
    drawn. The relative size is the standard deviation of the gradient divided by that of the data. ValueError if a
    gradient is missing.
    """
    rows = []
    for name, x in _matrices("weight_gradients", parameters).items():
        g = _gradient("weight_gradients", name, x)
        numbers = _numbers("weight_gradients", g)
        text = f"{_mean_and_std(numbers, '8.1e')}, grad:data {float(g.std() / x.data.std()):.1e}"
        rows.append((f"{name} ({x.shape[0]} x {x.shape[1]})", numbers, text))
    return _distributions("weight_gradients", rows, axes, "gradients of the weights", "gradient")


def update_to_data(parameters: Any, lr: float) -> list[float]:
    """Return one step's entry for `update_ratios`: the size of SGD's update relative to each weight matrix, in log10.

    It is `((lr * p.grad).std() / p.data.std()).log10().item()` for each matrix. `parameters` are as in
    `weight_gradients`. Call it between `backward` and the update. ValueError if a gradient is missing.
    """
    number_of("update_to_data", "lr", lr)
    matrices = _matrices("update_to_data", parameters)
    gradients = [_gradient("update_to_data", name, x).detach() for name, x in matrices.items()]
    pairs = zip(gradients, matrices.values(), strict=True)
    return [((lr * g).std() / x.data.std()).log10().item() for g, x in pairs]


def update_ratios(
    history: Sequence[Any], names: Iterable[str] | None = None, *, axes: "Axes | None" = None
) -> "Figure":
    """Plot the size of the updates relative to each parameter, in log10, with a line at the rough goal of 1e-3.

    `history` holds the result of `update_to_data` for every step, and `names` the names of the parameters. ValueError
    if the history is empty, if its entries have different lengths, or if the number of names is wrong.
    """
    entries = [
        _numbers("update_ratios", entry)
        for entry in members_of(
            "update_ratios", "results of update_to_data", list | tuple | np.ndarray | Tensor | float, history
        )
    ]
    shapes = sorted({entry.shape for entry in entries})
    if len(shapes) != 1 or len(shapes[0]) != 1 or shapes == [(0,)]:
        what = f"entries of shapes {', '.join(map(str, shapes))}" if shapes else "nothing in it"
        raise ValueError(f"update_ratios: the history has {what}; append update_to_data(parameters, lr) at every step")
    ratios = _finite(np.stack(entries))
    names = [f"parameter {i}" for i in range(ratios.shape[1])] if names is None else _labels("update_ratios", names)
    if len(names) != ratios.shape[1]:
        raise ValueError(f"update_ratios: {len(names)} names for {ratios.shape[1]} parameters, which have two dims")
    figure, axes = _canvas("update_ratios", axes, 9, 4.5)
    for name, colour, line in zip(names, _shades(len(names)), ratios.T, strict=True):
        axes.plot(np.arange(len(line)), line, color=colour, linewidth=1.2, label=name)
    axes.axhline(GOAL, color="black", linestyle="--", linewidth=1.2, zorder=3, label="1e-3, a rough goal")
    axes.set_ylabel("update : data  (log10 of the ratio of their stds)")
    _count_steps(axes, np.flatnonzero(np.isnan(ratios).any(axis=1)))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def embedding(weights: Any, characters: Sequence[str], *, axes: "Axes | None" = None) -> "Figure":
    """Plot the rows of an embedding table as points in the plane, each labelled with its character.

    `weights` has the shape (n, dims). Two dims are drawn as they are; of more dims the first two principal components
    are drawn. ValueError for other shapes, for numbers that are not finite, and if there are not n characters.
    """
    characters = _labels("embedding", characters)
    table, labels = _numbers("embedding", weights), ["first dimension", "second dimension"]
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
    figure, axes = _canvas("embedding", axes, 8, 8)
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
    """Plot a matrix of counts in shades of blue; each cell shows its row's and column's characters and its count.

    `characters` label the rows, and also the columns unless `columns` is given. If the cells are too small for text,
    the labels are at the axes. ValueError if the shape of the matrix does not match the labels.
    """
    characters = _labels("bigrams", characters)
    columns = characters if columns is None else _labels("bigrams", columns)
    matrix = _numbers("bigrams", counts)
    if matrix.shape != (len(characters), len(columns)) or not matrix.size:
        raise ValueError(f"bigrams: labels for {len(characters)} x {len(columns)} counts, which have {matrix.shape}")
    inches = 16 / max(27, *matrix.shape)
    figure, axes = _canvas("bigrams", axes, inches * matrix.shape[1], inches * matrix.shape[0])
    image = axes.imshow(matrix, cmap="Blues")
    axes.axis("off")
    figure.draw_without_rendering()  # now the size of a cell is known
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
    """Return the losses of one history, with nan where they are not finite; ValueError if they cannot be drawn."""
    row, which = _numbers("loss_curve", losses), f"the history {name!r}" if name else "the history"
    if row.ndim != 1:
        raise ValueError(f"loss_curve: {which} has shape {row.shape}; it takes one number a step")
    if not np.isfinite(row).any():
        what = f"no finite loss in {len(row)} steps" if len(row) else "no losses"
        raise ValueError(f"loss_curve: {which} has {what}; append loss.item() at every step")
    return _finite(row)


def _run(what: str, model: Any, inputs: Any, kinds: Kinds) -> tuple[Any, dict[str, Any]]:
    """Run a Module; return its result and the outputs of the inner Modules of some kinds, by default nonlinearities.

    During the run each Module has other attributes: a `forward` that stores its result, and copies of the buffers.
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
    """Return the outputs whose names contain one of the kinds; without kinds, all of them."""
    names = {str(name): output for name, output in outputs.items()}
    if kinds is not None:
        kinds = (
            [kinds]
            if isinstance(kinds, str | type)
            else members_of(what, "names or classes as kinds", str | type, kinds)
        )
        wanted = {kind if isinstance(kind, str) else kind.__name__ for kind in kinds}
        names = {name: output for name, output in names.items() if _words(name) & wanted}
    if not names:
        raise ValueError(
            f"{what}: nothing to draw among {', '.join(map(str, outputs)) or 'no outputs'}; choose with kinds, such as "
            "kinds=['Linear'], or give a mapping of names to outputs"
        )
    return names


def _matrices(what: str, parameters: Any) -> dict[str, Tensor]:
    """Return the parameters with two dims, by their names; ValueError if there are none."""
    if hasattr(parameters, "named_parameters"):
        parameters = dict(parameters.named_parameters())
    elif not isinstance(parameters, Mapping):
        parameters = {f"parameter {i}": x for i, x in enumerate(members_of(what, "Tensors", Tensor, parameters))}
    members_of(what, "Tensors", Tensor, parameters.values())
    matrices = {str(name): x for name, x in parameters.items() if x.ndim == 2}
    if not matrices:
        raise ValueError(f"{what}: none of the {len(parameters)} parameters has two dims")
    return matrices


def _gradient(what: str, name: str, x: Tensor) -> Tensor:
    """Return the gradient of a Tensor; ValueError if it has none."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{what}: expected Tensors, got {type(x).__name__}")
    if x.node is None or x.node.grad is None:
        raise ValueError(
            f"{what}: {name!r} has no gradient yet; call loss.backward() first, and .retain_grad() on a layer's output "
            "before that"
        )
    return x.node.grad


def _numbers(what: str, data: Any) -> np.ndarray:
    """Convert a Tensor, an array, or a list of them to one float64 array; ValueError if it does not hold numbers."""
    if isinstance(data, list | tuple):
        data = [getattr(x, "array", x) for x in data]
    try:
        array = np.asarray(getattr(data, "array", data))
        if array.dtype.kind in "biuf":
            return array.astype(np.float64)
    except (ValueError, MemoryError):
        pass
    raise ValueError(f"{what}: expected numbers, got {shown(data)}")


def _labels(what: str, labels: Any) -> list[str]:
    """Return labels as a list; TypeError if they are not texts."""
    return members_of(what, "texts as labels", str, labels)


def _finite(numbers: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _words(name: str) -> set[str]:
    return set(re.findall(r"\w+", name))


def _shown(character: str) -> str:
    """Return a visible text for a character."""
    return "␣" if character == " " else character if character.isprintable() else repr(character)[1:-1]


def _mean_and_std(numbers: np.ndarray, form: str) -> str:
    """Print the mean and the (n - 1) standard deviation of the finite numbers, and how many are not finite."""
    finite = numbers[np.isfinite(numbers)]
    if finite.size < 2:
        return f"{finite.size} of {numbers.size} numbers are finite"
    others = f", {numbers.size - finite.size} not finite" if finite.size < numbers.size else ""
    return f"mean {finite.mean():z{form}}, std {finite.std(ddof=1):{form[1:]}}{others}"


def _distributions(
    what: str, rows: list[tuple[str, np.ndarray, str]], axes: "Axes | None", title: str, quantity: str
) -> "Figure":
    """Plot one line for the distribution of each row, deeper layers brighter, below a table of the texts.

    Numbers far out in a tail count in the density, but are not drawn.
    """
    figure, axes = _canvas(what, axes, 8, 4 + 0.2 * len(rows))
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
    """Return `n` colours from dark to bright."""
    from matplotlib import colormaps

    return colormaps["viridis"](np.linspace(0, 0.85, n))


def _readable_logarithms(axes: "Axes", decades: float) -> None:
    """Make the y axis logarithmic, with plain numbers at its ticks, also within a decade."""
    from matplotlib import ticker

    axes.set_yscale("log")
    even = ticker.MaxNLocator(9, steps=[1, 2, 2.5, 5, 10])
    uneven = ticker.LogLocator(subs=(1, 2, 5) if decades < 3 else (1,))
    axes.yaxis.set_major_locator(even if decades < 0.7 else uneven)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def _count_steps(axes: "Axes", gaps: np.ndarray) -> None:
    """Label the x axis with whole steps, and say above the plot how many steps are not finite."""
    from matplotlib import ticker

    axes.set_xlabel("step")
    axes.margins(x=0.01)
    axes.xaxis.set_major_locator(ticker.MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    if gaps.size:
        text = f"not finite at {gaps.size} steps, first at step {gaps.min()}"
        axes.annotate(text, (1, 1), xycoords="axes fraction", ha="right", va="bottom", color=COLOURS[1])


def _canvas(what: str, axes: "Axes | None", width: float, height: float) -> "tuple[Figure, Axes]":
    """Return a figure and the axes to draw into: those of the user, or new ones of this size in inches."""
    if axes is None:
        axes = _picture()(figsize=(width, height), layout="constrained").subplots()
        axes.spines[["top", "right"]].set_visible(False)
    if not hasattr(axes, "plot") or not hasattr(axes, "figure"):
        raise TypeError(f"{what}: axes must be those of a matplotlib figure, got {shown(axes)}")
    return axes.figure.figure, axes


@functools.cache
def _picture() -> "type[Figure]":
    """Return a class of Figure that a notebook shows in high resolution, even if pyplot was never imported."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"viz: plots need matplotlib; {remedy('viz')}", name=error.name) from None

    class Picture(Figure):
        def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=2 * self.dpi)
            return file.getvalue(), {"width": round(self.bbox.width), "height": round(self.bbox.height)}

    return Picture
