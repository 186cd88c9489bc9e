"""From DOT to pictures: by Graphviz's own `dot` where it is installed, else by the Python package graphviz-pure."""

import os
import pathlib
import shutil
import subprocess
import sysconfig
from typing import Any

try:
    import graphviz  # type: ignore[import-untyped]
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("viz needs the package graphviz: pip install 'minigrad[viz]'", name=error.name) from None

FORMATS = ("svg", "png", "pdf", "dot")
SHARP_BUT_BOUNDED = ("-Gdpi=192", "-Gsize=30,30")  # a large PNG is scaled down before it fills the memory
PATIENCE = 120  # seconds


class Drawing(graphviz.Digraph):  # type: ignore[misc]
    """A `graphviz.Digraph` that is laid out, also in a notebook, by whichever engine is installed."""

    def pipe(self, format: str | None = None, encoding: str | None = None) -> bytes | str:
        """The picture in a format, svg for one: as bytes, or as text in an encoding."""
        picture = lay_out(self.source, format or self.format)
        return picture.decode(encoding) if encoding else picture

    def _render(self, engine: str, format: str, filepath: Any, outfile: Any = None, **options: Any) -> str:
        """What graphviz calls, for `.render()` and `.view()`, to write a picture."""
        path = os.fspath(outfile or f"{filepath}.{format}")
        write(self.source, path, format)
        return path


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's name ends in; ValueError if it is not one of ours."""
    format = pathlib.Path(path).suffix.lower().removeprefix(".")
    if format not in FORMATS:
        endings = ", ".join(f".{known}" for known in FORMATS)
        raise ValueError(f"render: the name of the file must end in one of {endings}, got {os.fspath(path)!r}")
    return format


def write(source: str, path: str | os.PathLike[str], format: str) -> None:
    """Write the picture of a DOT text to a file, whole or not at all; FileNotFoundError where the folder is missing."""
    path = pathlib.Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"render: there is no folder {str(path.parent)!r}")
    picture = lay_out(source, format)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(picture)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def view(path: str | os.PathLike[str]) -> None:
    """Open a picture with the program that the system has for it."""
    graphviz.view(path)


def lay_out(source: str, format: str) -> bytes:
    """The picture of a DOT text; RuntimeError where no installed engine makes this format, or where it fails."""
    if format == "dot":
        return source.encode()
    command = [*_engine(format), f"-T{format}", *(SHARP_BUT_BOUNDED if format == "png" else ())]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"draw: no layout after {PATIENCE} seconds; draw less of the graph with limit=") from None
    errors = done.stderr.decode(errors="replace").strip()
    # An edge that the engine gave up on is missing in a picture that is whole otherwise.
    if not done.stdout or (done.returncode and "lost " not in errors):
        raise RuntimeError(f"draw: {command[0]} failed: {errors or f'exit code {done.returncode}'}")
    return done.stdout


def _engine(format: str) -> list[str]:
    """The command that lays out a graph."""
    own = shutil.which("dot")
    if own:
        return [own, "-Kdot", "-q"]
    folders = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    pure = shutil.which("graphviz-pure", path=folders)
    if pure is None:
        raise RuntimeError("draw: no Graphviz to draw with: pip install 'minigrad[viz]', or write a .dot file")
    if format == "pdf":
        raise RuntimeError("draw: a pdf needs Graphviz's own `dot`: install it from graphviz.org, or write .svg")
    return [pure, "-Kdot", "-q"]
