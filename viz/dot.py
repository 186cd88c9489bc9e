"""Writes a picture in DOT, Graphviz's language: a table for each tensor, an ellipse for each operation."""

import html
import re

from viz.graph import Box, Picture, Role
from viz.layout import FORMATS, Drawing
from viz.text import Cells, cells, number

DIRECTIONS = ("LR", "RL", "TB", "BT")
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@"}

# Blue and orange (Okabe and Ito) stay apart for every kind of colour vision; grey and white differ in lightness.
FILL = {Role.PARAMETER: "#d6eaf8", Role.CONSTANT: "#ececec", Role.RESULT: "#ffffff", Role.ROOT: "#fde3b0"}
BORDER = {Role.PARAMETER: "#0072b2", Role.CONSTANT: "#8c8c8c", Role.RESULT: "#595959", Role.ROOT: "#e69f00"}
FAINT = "#666666"

FONT = {"fontname": "Helvetica"}  # graphviz-pure knows the widths of few fonts, and this is one
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # what XML has no way to write


def drawing(picture: Picture, format: str, rankdir: str) -> Drawing:
    """The picture as a `graphviz.Digraph`; the same picture always becomes the same text.

    ValueError for an unknown format or direction.
    """
    for kind, wanted, known in (("format", format, FORMATS), ("rankdir", rankdir, DIRECTIONS)):
        if wanted not in known:
            raise ValueError(f"draw: {kind} must be one of {', '.join(known)}, got {wanted!r}")
    graph = Drawing(
        format=format,
        graph_attr={"rankdir": rankdir, "nodesep": "0.15", "ranksep": "0.3", "fontsize": "12", "labelloc": "b", **FONT},
        node_attr={"fontsize": "12", "margin": "0.08,0.05", "height": "0", "width": "0", **FONT},
        edge_attr={"arrowsize": "0.6", "color": FAINT, "fontsize": "9", "fontcolor": FAINT, **FONT},
    )
    if len(picture.boxes) < picture.total:
        graph.attr(
            label=f"The {len(picture.boxes):,} nearest of {picture.total:,} boxes; limit= draws more.", fontcolor=FAINT
        )
    for place, box in enumerate(picture.boxes):
        _draw_box(graph, place, box)
    return graph


def _draw_box(graph: Drawing, place: int, box: Box) -> None:
    """Draw a box, and before it the operation that made it, with an arrow from each of its operands."""
    name = f"box{place}"
    if box.role is Role.NUMBER:
        assert box.array is not None
        graph.node(name, number(box.array.item()), shape="plaintext", fontsize="11", margin="0.04,0.02")
        return
    colours = {"fillcolor": FILL[box.role], "color": BORDER[box.role]}
    graph.node(name, _label(box), shape="box", style="rounded,filled", **colours)
    if box.operation is None:
        return
    maker, more = f"operation{place}", f"more{place}"
    symbol = SYMBOLS.get(box.operation.name)
    shape = {"shape": "circle", "width": "0.3", "fixedsize": "true"} if symbol else {"shape": "ellipse"}
    graph.node(maker, symbol or box.operation.name, style="filled", fillcolor="#404040", fontcolor="white", **shape)
    graph.edge(maker, name)
    if None in box.operation.operands:
        graph.node(more, "...", shape="plaintext", fontcolor=FAINT)
        graph.edge(more, maker, style="dashed")
    for position, operand in enumerate(box.operation.operands):
        if operand is not None:
            label = {"label": box.operation.labels[position]} if box.operation.labels else {}
            graph.edge(f"box{operand}", maker, **label)


def _label(box: Box) -> str:
    """The table in a box: name, shape and dtype, then the data and the gradient."""
    title = [f"<B>{escape(box.name)}</B>"] if box.name else []
    if box.shape is not None:
        title.append(_faint(f"{box.shape if box.shape else 'scalar'} {box.dtype}"))
    rows = [f'<TR><TD COLSPAN="2">{" ".join(title)}</TD></TR>'] if title else []
    if box.array is not None:
        rows.append(_row("data", cells(box.array)))
    if box.gradient is not None:
        rows.append(_row("grad", cells(box.gradient)))
    elif box.retains:
        rows.append(f'<TR><TD COLSPAN="2">{_faint("no gradient yet")}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>>'


def _row(label: str, content: Cells) -> str:
    """A row of a box: what it is, and a table of numbers."""
    lines = ["".join(f'<TD ALIGN="RIGHT">{cell}</TD>' for cell in line) for line in content]
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2"><TR>{"</TR><TR>".join(lines)}</TR></TABLE>'
    return f'<TR><TD ALIGN="LEFT">{_faint(label)}</TD><TD ALIGN="RIGHT">{table}</TD></TR>'


def _faint(text: str) -> str:
    return f'<FONT COLOR="{FAINT}" POINT-SIZE="10">{text}</FONT>'


def escape(name: str) -> str:
    """A name as part of an HTML-like label: its lines below each other, and a sign for what cannot be drawn."""
    return "<BR/>".join(html.escape(CONTROL.sub("�", line)) for line in name.split("\n"))
