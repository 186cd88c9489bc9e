"""viz: pictures of the graph behind a result. It needs minigrad and graphviz: pip install 'minigrad[viz]'.

`graph.py` walks from a result to what it was computed from, `text.py` shortens numbers, `dot.py` writes the graph in
Graphviz's language, and `layout.py` turns that into pictures.
"""

import os
from collections.abc import Mapping
from typing import Any

from viz import dot, graph, layout
from viz.layout import Drawing


def draw(
    root: Any, names: Mapping[str, Any] | None = None, format: str = "svg", rankdir: str = "LR", limit: int = 500
) -> Drawing:
    """The graph behind a Tensor or a Value, as a `graphviz.Digraph`, which a notebook shows.

    `names`, such as `locals()`, labels what its variables hold, where it has no name of its own. `format` is what
    `.render()` and `.pipe()` make if not told otherwise, and `rankdir` the direction: LR, RL, TB or BT. Of more than
    `limit` boxes only those nearest to `root` are drawn, and the picture says so.
    TypeError if `root` is neither Tensor nor Value; ValueError for an unknown format or direction.

    >>> from minigrad import Value
    >>> a = Value(3.0)
    >>> picture = draw(a * a, names={"a": a})
    >>> "<B>a</B>" in picture.source
    True
    """
    return dot.drawing(graph.picture(root, names or {}, limit), format, rankdir)


def render(
    root: Any,
    path: str | os.PathLike[str],
    names: Mapping[str, Any] | None = None,
    view: bool = False,
    rankdir: str = "LR",
    limit: int = 500,
) -> str:
    """Draw the graph behind a Tensor or a Value into a file of the kind its name ends in: .svg, .png, .pdf or .dot.

    `view` opens the file, which appears whole or not at all; the rest is as in `draw`. Its path is returned.
    ValueError for another ending, FileNotFoundError where the folder is missing, RuntimeError where this kind cannot be
    made here, which says what to install.
    """
    format = layout.format_of(path)
    drawing = draw(root, names, format, rankdir, limit)
    layout.write(drawing.source, path, format)
    if view:
        layout.view(path)
    return os.fspath(path)
