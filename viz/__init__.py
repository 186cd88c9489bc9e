"""viz: draws the graph behind a result. It needs minigrad and graphviz; plots need matplotlib (`minigrad/extras.py`).

`walk.py` walks from a result to what it was computed from, `graph.py` says what a picture shows, `text.py` shortens
numbers, `dot.py` writes the picture in Graphviz's language, and `layout.py` lays it out. `pages/` makes pages that step
through both passes. `curves.py` has the course's diagnostic plots, on matplotlib.
"""

import os
from collections.abc import Mapping
from typing import Any

from minigrad import Value
from minigrad.beside import share as _share
from minigrad.checks import flag_of

if __name__ == "viz":  # `import viz` gives the same modules
    _share("minigrad.viz", __name__)

from . import dot, graph, layout
from .curves import (
    activations,
    bigrams,
    embedding,
    gradients,
    loss_curve,
    update_ratios,
    update_to_data,
    weight_gradients,
)
from .layout import Drawing
from .pages import Page, page


def draw(
    root: Any,
    names: Mapping[str, Any] | None = None,
    format: str = "svg",
    rankdir: str = "LR",
    limit: int | None = 500,
    depth: int | None = None,
    around: str | None = None,
    backward: bool = False,
) -> Drawing:
    """Draw the graph behind a Tensor or a Value, as a `graphviz.Digraph` that a notebook shows.

    `names`, such as `locals()`, labels Tensors and Values that have no name with the variables that hold them, also
    within lists (`xs[0]`) and micrograd's networks (`n.layers[0].neurons[1].b`).
    `format` is the default format of `.render()` and `.pipe()`. `rankdir` is the direction: LR, RL, TB or BT.

    Each call of a module has a frame around the boxes that it recorded. With `depth`, each module inside `depth` other
    modules becomes one box; 0 folds the outermost modules. If there are more than `limit` boxes, modules are folded. If
    that is not enough, only the boxes nearest to `root` are drawn, or nearest to the box with the name `around`. The
    picture then says so. `backward` draws the backward pass next to the forward pass.

    TypeError if `root` is neither a Tensor nor a Value. ValueError for an unknown format, direction or name, for a
    negative `depth`, and for `backward` if `root` requires no gradient. RuntimeError for a result of a function that
    `minigrad.compile` compiled: its steps are not in the graph.

    >>> from minigrad import Value
    >>> a = Value(3.0)
    >>> picture = draw(a * a, names={"a": a})
    >>> "<B>a</B>" in picture.source
    True
    """
    return dot.drawing(
        graph.picture(root, {} if names is None else names, limit, depth, around, backward), format, rankdir
    )


def draw_dot(root: Any, format: str = "svg", rankdir: str = "LR") -> Drawing:
    """Draw the graph behind a Value as micrograd's lecture does, or the graph behind a Tensor as `draw` does.

    TypeError if `root` is neither Tensor nor Value; ValueError for an unknown format or direction.
    """
    write = dot.lecture if isinstance(root, Value) else dot.drawing
    return write(graph.picture(root, {}), format, rankdir)


def render(
    root: Any,
    path: str | os.PathLike[str],
    names: Mapping[str, Any] | None = None,
    view: bool = False,
    **options: Any,
) -> str:
    """Draw the graph behind a Tensor or a Value into a file, and return its path.

    The file's ending is the format: .svg, .png, .pdf or .dot. The file is written completely or not at all. `view`
    opens it. The other arguments are those of `draw`. ValueError for another ending, FileNotFoundError if the folder
    does not exist, RuntimeError if no installed program can write the format; the message says what to install.
    """
    flag_of("render", "view", view)
    format = layout.format_of(path)
    drawing = draw(root, names, format, **options)
    layout.write(drawing.source, path, format)
    if view:
        layout.view(path)
    return os.fspath(path)
