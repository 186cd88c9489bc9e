"""Turns DOT into pictures, with Graphviz's `dot` if it is installed, else with the Python package graphviz-pure.

Only this module starts another program or writes a file.
"""

import functools
import html
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sysconfig
from typing import Any

from minigrad.extras import remedy
from minigrad.files import replacing

try:
    import graphviz  # type: ignore[import-untyped]
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"viz: needs the package graphviz; {remedy('viz')}", name=error.name) from None

FORMATS = ("svg", "png", "pdf", "dot")
SHARP_BUT_BOUNDED = ("-Gdpi=192", "-Gsize=30,30")  # a large PNG is scaled down before it fills the memory
PATIENCE = 120  # seconds
LARGE = 700, 450  # points: a larger picture would be squeezed to the width of a notebook, so there it can be moved
FONTS = "Helvetica,Arial,Liberation Sans,DejaVu Sans,sans-serif"
METRICS = "mpl-data/fonts/pdfcorefonts"
HEIGHT = 600  # pixels of a frame in which a large picture moves, at most
READABLE, HINT = 1.1, 30  # pixels for a point there (as in picture.js), and for the hint below the picture


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A `graphviz.Digraph` that whichever engine is installed lays out, in a notebook too."""

    def pipe(self, format: str | None = None, encoding: str | None = None) -> bytes | str:
        """Return the picture in a format such as svg: as bytes, or, with an encoding, as text."""
        picture = lay_out(self.source, format or self.format)
        return picture.decode(encoding) if encoding else picture

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        """Return the picture for a notebook: SVG, HTML in which a large picture moves, and PNG.

        A notebook that is not trusted shows no SVG, and of HTML neither frames nor scripts.
        """
        formats = {"image/svg+xml", "image/png", "text/html"} if include is None else {*include}
        formats -= {*(exclude or ())}
        svg = self.pipe("svg", "utf-8")
        assert isinstance(svg, str)
        shown: dict[str, Any] = {"image/svg+xml": svg, "text/html": _frame(svg)}
        if "image/png" in formats:
            shown["image/png"] = self.pipe("png")
        return {format: picture for format, picture in shown.items() if format in formats and picture}

    def _render(self, engine: str, format: str, filepath: Any, outfile: Any = None, **options: Any) -> str:
        """Write the picture to a file. `graphviz` calls this for `.render()` and `.view()`."""
        path = os.fspath(outfile or f"{filepath}.{format}")
        write(self.source, path, format)
        return path


def _frame(svg: str) -> str:
    """Return HTML in which a large picture can be moved and zoomed; an empty text for a small picture."""
    size = [float(x) for x in re.findall(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', svg)[0]]
    if size[0] <= LARGE[0] and size[1] <= LARGE[1]:
        return ""
    picture = svg[svg.index("<svg") :]
    page = filled(text_of("picture.html"), picture=picture, script=text_of("picture.js"))
    return in_frame(page, "A graph", min(HEIGHT, round(READABLE * size[1]) + HINT))


def text_of(name: str) -> str:
    """Return the text of a file of this package."""
    return (pathlib.Path(__file__).parent / name).read_text(encoding="utf-8")


def filled(template: str, **parts: str) -> str:
    """Put texts into a template, each at its name in double braces."""
    before, *rest = template.split("{{")
    return "".join([before, *(parts[name] + after for name, after in (each.split("}}", 1) for each in rest))])


def in_frame(page: str, title: str, height: int) -> str:
    """Return a frame that shows an HTML page within another, such as a notebook.

    A notebook that is not trusted removes the frame, and the style that hides a sentence in its place.
    """
    style = f"width: 100%; height: {height}px; border: 0"
    return (
        f'<iframe title="{html.escape(title)}" srcdoc="{html.escape(page)}" style="{style}"></iframe>'
        "<style>.minigrad-untrusted { display: none }</style>"
        '<p class="minigrad-untrusted">Run this cell, or trust the notebook, to see what it shows.</p>'
    )


def format_of(path: str | os.PathLike[str]) -> str:
    """Return the format that a file's name ends in; ValueError if it is not in `FORMATS`."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"render: expected the path of a file, got {type(path).__name__}")
    format = pathlib.Path(path).suffix.lower().removeprefix(".")
    if format not in FORMATS:
        endings = ", ".join(f".{known}" for known in FORMATS)
        raise ValueError(f"render: the name of the file must end in one of {endings}, got {os.fspath(path)!r}")
    return format


def write(source: str, path: str | os.PathLike[str], format: str) -> None:
    """Write the picture of a DOT text to a file, completely or not at all; FileNotFoundError if there is no folder."""
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"render: there is no folder {str(path.parent)!r}")
    picture = lay_out(source, format)
    with replacing(path) as file:
        file.write(picture)


def view(path: str | os.PathLike[str]) -> None:
    """Open a picture with the system's viewer."""
    graphviz.view(path)


def lay_out(source: str, format: str) -> bytes:
    """Return the picture of a DOT text; RuntimeError if no installed engine can write the format, or if it fails."""
    if format == "dot":
        return source.encode()
    command = [*_engine(format), f"-T{format}", *(SHARP_BUT_BOUNDED if format == "png" else ())]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"draw: no layout after {PATIENCE} seconds; draw less of the graph with limit=") from None
    errors = done.stderr.decode(errors="replace").strip()
    # A message "lost ..." is no failure: the engine left out one edge, and the rest of the picture is complete.
    if not done.stdout or (done.returncode and "lost " not in errors):
        raise RuntimeError(f"draw: {command[0]} failed: {errors or f'exit code {done.returncode}'}")
    return _in_its_place(done.stdout.decode()).encode() if format == "svg" else done.stdout


def _in_its_place(svg: str) -> str:
    """Give every text the width that the layout has reserved for it, so that other fonts stay within their boxes too.

    The layout has the widths of Helvetica. Where it is missing, another font stands in, which may be wider.
    """
    return re.sub(r"<text ([^>]*)>([^<]+)</text>", _with_its_width, svg)


def _with_its_width(found: re.Match[str]) -> str:
    attributes, text = found[1].replace('"Helvetica,sans-Serif"', f'"{FONTS}"'), html.unescape(found[2])
    widths, size = _widths("bold" in attributes), re.search(r'font-size="([\d.]+)"', attributes)
    if size is None or len(text) < 2 or not widths.keys() >= set(text):
        return f"<text {attributes}>{found[2]}</text>"
    width = sum(widths[letter] for letter in text) * float(size[1]) / 1000
    return f'<text {attributes} textLength="{width:.2f}" lengthAdjust="spacingAndGlyphs">{found[2]}</text>'


@functools.cache
def _widths(bold: bool) -> dict[str, int]:
    """Return the widths of ASCII letters in Helvetica, for a size of 1000, from the metrics that matplotlib has."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return {}
    path = pathlib.Path(spec.origin).parent / METRICS / f"Helvetica{'-Bold' * bold}.afm"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = re.findall(r"^C (\d+) ; WX (\d+) ;", text, re.MULTILINE)
    return {chr(int(code)): int(width) for code, width in lines if int(code) < 127 and chr(int(code)) not in "'`"}


def _engine(format: str) -> list[str]:
    """Return the command that lays out a graph; RuntimeError if no engine for the format is installed."""
    native = shutil.which("dot")
    if native:
        return [native, "-Kdot", "-q"]
    folders = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    pure = shutil.which("graphviz-pure", path=folders)
    if pure is None:
        raise RuntimeError(f"draw: no Graphviz to draw with; {remedy('viz')}, or write a .dot file")
    if format == "pdf":
        raise RuntimeError("draw: a pdf needs Graphviz's own `dot`: install it from graphviz.org, or write .svg")
    return [pure, "-Kdot", "-q"]
