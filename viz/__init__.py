"""viz: pictures of the graph behind a result. It needs minigrad and graphviz: pip install 'minigrad[viz]'.

`walk.py` walks from a result to what it was computed from, `graph.py` says what a picture shows, `text.py` shortens
numbers, `dot.py` writes the picture in Graphviz's language, and `layout.py` lays it out. `curves.py` has the course's
diagnostic plots, on matplotlib.
"""

import os
from collections.abc import Mapping
from typing import Any

from minigrad import Value
from viz import dot, graph, layout
from viz.curves import (
    activations,
    bigrams,
    embedding,
    gradients,
    loss_curve,
    update_ratios,
    update_to_data,
    weight_gradients,
)
from viz.layout import Drawing


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
    """The graph behind a Tensor or a Value, as a `graphviz.Digraph`, which a notebook shows.

    `names`, such as `locals()`, labels what its variables hold, where it has no name of its own. `format` is what
    `.render()` and `.pipe()` make if not told otherwise, and `rankdir` the direction: LR, RL, TB or BT. What a module
    recorded stands in a frame; with `depth`, modules in so many others are folded to one box, 0 for the outermost.
    Of more than `limit` boxes modules are folded, or else only those nearest to `root` drawn, or to what is called
    `around`, and the picture says so. `backward` draws the backward pass beside the forward one.
    TypeError if `root` is neither Tensor nor Value; ValueError for an unknown format, direction or name, for a negative
    depth, and for a backward pass where there is none.

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
    """The graph behind a Value as micrograd's lecture draws it; a Tensor's as `draw` does.

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
    """Draw the graph behind a Tensor or a Value into a file of the kind its name ends in: .svg, .png, .pdf or .dot.

    `view` opens the file, which appears whole or not at all; the rest is as in `draw`. Its path is returned.
    ValueError for another ending, FileNotFoundError where the folder is missing, RuntimeError where this kind cannot be
    made here, which says what to install.
    """
    format = layout.format_of(path)
    drawing = draw(root, names, format, **options)
    layout.write(drawing.source, path, format)
    if view:
        layout.view(path)
    return os.fspath(path)
