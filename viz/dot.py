"""Writes a picture in DOT, Graphviz's language: a table for each tensor, an ellipse for each operation."""

import html
import re

from viz.graph import Box, Number, Operation, Picture, Role
from viz.layout import FORMATS, Drawing
from viz.text import Cells, cells, number

DIRECTIONS = ("LR", "RL", "TB", "BT")
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "matmul": "@"}
COMMUTATIVE = {"add", "mul"}

# Blue and orange (Okabe and Ito) stay apart for every kind of colour vision; grey and white differ in lightness.
FILL = {Role.PARAMETER: "#d6eaf8", Role.CONSTANT: "#ececec", Role.RESULT: "#ffffff", Role.ROOT: "#fde3b0"}
BORDER = {Role.PARAMETER: "#0072b2", Role.CONSTANT: "#8c8c8c", Role.RESULT: "#595959", Role.ROOT: "#e69f00"}
FAINT = "#666666"

FONT = {"fontname": "Helvetica"}  # graphviz-pure knows the widths of few fonts, and this is one
EFFORT = 300  # how long to search for the best places: shared by all boxes, or a large graph could take hours
BEFORE_ESCAPED = re.compile(r"(?<=\\)(?=[EGHLNT\\])")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # what XML has no way to write


def drawing(picture: Picture, format: str, rankdir: str) -> Drawing:
    """The picture as a `graphviz.Digraph`; the same picture always becomes the same text.

    ValueError for an unknown format or direction.
    """
    for kind, wanted, known in (("format", format, FORMATS), ("rankdir", rankdir, DIRECTIONS)):
        if wanted not in known:
            raise ValueError(f"draw: {kind} must be one of {', '.join(known)}, got {wanted!r}")
    effort = f"{EFFORT / len(picture.boxes):.3g}"
    layout = {"rankdir": rankdir, "nodesep": "0.15", "ranksep": "0.25", "nslimit": effort, "nslimit1": effort}
    graph = Drawing(
        format=format,
        graph_attr={**layout, **FONT},
        node_attr={"fontsize": "12", "margin": "0.08,0.05", "height": "0", "width": "0", **FONT},
        edge_attr={"arrowsize": "0.6", "color": FAINT, "fontsize": "9", "fontcolor": FAINT, **FONT},
    )
    if len(picture.boxes) < picture.total:
        hint = f"The {len(picture.boxes):,} nearest of {picture.total:,} boxes; limit= draws more."
        graph.attr(label=hint, fontsize="12", fontcolor=FAINT)
    for place, box in enumerate(picture.boxes):
        _draw_box(graph, place, box)
    return graph


def _draw_box(graph: Drawing, place: int, box: Box) -> None:
    """Draw a box, and the operation that made it, with an arrow from each of its operands."""
    result, maker, more = f"box{place}", f"operation{place}", f"more{place}"
    colours = {"fillcolor": FILL[box.role], "color": BORDER[box.role]}
    graph.node(result, _label(box), shape="box", style="rounded,filled", **colours)
    if box.operation is None:
        return
    caption = _caption(box.operation)
    shape = {"shape": "circle", "width": "0.3", "fixedsize": "true"} if len(caption) < 3 else {"shape": "ellipse"}
    graph.node(maker, caption, style="filled", fillcolor="#404040", fontcolor="white", **shape)
    graph.edge(maker, result)
    if None in box.operation.operands:
        graph.node(more, "...", shape="plaintext", fontcolor=FAINT)
        graph.edge(more, maker, style="dashed")
    for operand, label in zip(box.operation.operands, _edge_labels(box.operation), strict=True):
        if isinstance(operand, int):
            graph.edge(f"box{operand}", maker, label=label)


def _caption(operation: Operation) -> str:
    """An operation as Python writes it, with the numbers among its operands: `@`, `** 2`, `where(_, _, 0)`, `tanh`."""
    words = [number(operand.value) if isinstance(operand, Number) else "_" for operand in operation.operands]
    if operation.name in SYMBOLS:
        return " ".join(word for word in (words[0], SYMBOLS[operation.name], words[1]) if word != "_")
    numbers = any(isinstance(operand, Number) for operand in operation.operands)
    return f"{operation.name}({', '.join(words)})" if numbers else operation.name


def _edge_labels(operation: Operation) -> tuple[str | None, ...]:
    """What tells the operands apart, where that matters."""
    count = len(operation.operands)
    if operation.name in COMMUTATIVE or sum(not isinstance(operand, Number) for operand in operation.operands) < 2:
        return (None,) * count
    if operation.name in SYMBOLS:
        return ("left", "right")
    return operation.parameters if len(operation.parameters) == count else tuple(map(str, range(1, count + 1)))


def _label(box: Box) -> str:
    """The table in a box: name, shape and dtype, then the data and the gradient."""
    title = [_bold(box.name)] if box.name else []
    if box.shape is not None:
        title.append(_faint(f"{box.shape if box.shape else 'scalar'} {box.dtype}"))
    rows = [f'<TD COLSPAN="2">{" ".join(title)}</TD>'] if title else []
    if box.array is not None:
        rows.append(_row("data", cells(box.array)))
    if box.gradient is not None:
        rows.append(_row("grad", cells(box.gradient)))
    elif box.awaits_gradient:
        rows.append(f'<TD COLSPAN="2">{_faint("no gradient yet")}</TD>')
    return f"<{_table(rows, padding=0)}>"


def _row(label: str, content: Cells) -> str:
    """A row of a box: what it is, and a table of numbers."""
    lines = ["".join(f'<TD ALIGN="RIGHT">{cell}</TD>' for cell in line) for line in content]
    return f'<TD ALIGN="LEFT" CELLPADDING="2">{_faint(label)}</TD><TD ALIGN="RIGHT">{_table(lines, padding=2)}</TD>'


def _table(rows: list[str], padding: int) -> str:
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{body}</TABLE>'


def _faint(text: str) -> str:
    return f'<FONT COLOR="{FAINT}" POINT-SIZE="10">{text}</FONT>'


def _bold(name: str) -> str:
    """A name, its lines below each other, with a sign for what cannot be drawn."""
    text = html.escape(CONTROL.sub("�", name)).replace("\n", "<BR/>")
    # Within one piece of text, Graphviz would put its own name of the node for a backslash and N, and so on.
    return f"<B>{BEFORE_ESCAPED.sub('</B><B>', text)}</B>"
