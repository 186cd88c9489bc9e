"""`page`: the data of a graph, put into the HTML page with its stylesheet and its script."""

import html
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from minigrad import Tensor, Value
from minigrad.checks import shown
from minigrad.files import replacing

from ..layout import filled, in_frame, text_of
from .model import model

HEIGHT = 680  # pixels, in a notebook


class Page:
    """A page that steps through both passes of a graph. `html` is its text, and `data` what it shows.

    A notebook shows the page in place, and keeps it when it is exported to HTML.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.html = filled(
            text_of("pages/page.html"),
            title=html.escape(data["title"]),
            style=text_of("pages/page.css"),
            script=text_of("pages/page.js"),
            data=_json(data),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file, completely or not at all; FileNotFoundError if there is no folder."""
        path = pathlib.Path(path)
        if not path.parent.is_dir():
            raise FileNotFoundError(f"page: there is no folder {str(path.parent)!r}")
        with replacing(path) as file:
            file.write(self.html.encode())

    def _repr_html_(self) -> str:
        return in_frame(self.html, self.data["title"], HEIGHT)

    def __repr__(self) -> str:
        steps, nodes = len(self.data["steps"]), len(self.data["nodes"])
        return f"<page: {self.data['title']}, {steps} steps through {nodes} boxes>"


def _json(data: Any) -> str:
    """Write JSON for a script element, which a `<` in it could end. JSON may have an escape in its place."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def page(
    root: Any,
    path: str | os.PathLike[str] | None = None,
    names: Mapping[str, Any] | None = None,
    limit: int = 1000,
) -> Page:
    """Write one HTML page that steps through the forward and the backward pass behind a Tensor or a Value.

    The page needs no network and no server: it is one file. In a notebook, the returned page shows itself. With `path`,
    it is written to that file too, completely or not at all. `names`, such as `locals()`, labels Tensors and Values
    that have no name with the variables that hold them, as in `viz.draw`. If there are more than `limit` boxes, the
    page shows modules folded, or the boxes nearest to `root`.

    The backward pass runs once more in the engine, and no `.grad` changes. Of a root with several elements, it starts
    with ones. The lines of your own program are known, and shown, for what is computed under
    `minigrad.detect_anomaly(check_nan=False)`.

    TypeError if `root` is neither a Tensor nor a Value, or if `path`, `names` or `limit` is no path, dict or integer.
    ValueError if `limit` is less than 1, FileNotFoundError if the folder does not exist. RuntimeError if a backward
    pass has released values that are too large to be kept, if a value was changed in place since it was computed, or if
    a function that `minigrad.compile` compiled has computed a part: its steps are not in the graph.

    >>> from minigrad import Value
    >>> a = Value(3.0, label="a")
    >>> lesson = page(a * a + a)
    >>> lesson
    <page: loss, 13 steps through 3 boxes>
    >>> lesson.data["steps"][-2]["say"]
    'da = 7 is complete: 3 parts have been added up. It goes to a.grad.'
    """
    if not isinstance(root, Tensor | Value):
        raise TypeError(
            f"page: expected a Tensor or a Value, got {type(root).__name__}; give the result, such as the loss"
        )
    if not isinstance(path, str | os.PathLike | None):
        raise TypeError(f"page: path must be the name of a file, got {shown(path)}; variables go with names=locals()")
    if not isinstance(names, Mapping | None):
        raise TypeError(f"page: names must be a dict such as locals(), got {type(names).__name__}")
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise TypeError(f"page: limit must be a whole number, got {shown(limit)}")
    if limit < 1:
        raise ValueError(f"page: limit must be at least 1, got {shown(limit)}")
    made = Page(model(root, names or {}, limit))
    if path is not None:
        made.save(path)
    return made
