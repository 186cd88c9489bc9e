"""Writes a picture in DOT, Graphviz's language: a table for each tensor, an ellipse for each operation.

`graph.py` says what the picture shows. Colours, fonts and labels are here; `layout.py` runs Graphviz.
"""

import html
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from minigrad.checks import shown

from .graph import Box, Folded, Number, Operation, Picture, Role
from .layout import FORMATS, Drawing, graphviz
from .text import cells, heat, number

DIRECTIONS = ("LR", "RL", "TB", "BT")

# Borders have the colours of Okabe and Ito. The fills can be told apart with every kind of colour vision, too.
FILL = {
    Role.PARAMETER: "#b0d2fe",
    Role.INPUT: "#a1ffcf",
    Role.CONSTANT: "#d3d3d3",
    Role.RESULT: "#ffffff",
    Role.ROOT: "#f6ca75",
    Role.MODULE: "#fce0ff",
}
BORDER = {
    Role.PARAMETER: "#0072b2",
    Role.INPUT: "#009e73",
    Role.CONSTANT: "#8c8c8c",
    Role.RESULT: "#595959",
    Role.ROOT: "#e69f00",
    Role.MODULE: "#cc79a7",
}
OPERATION, FAINT, FRAME = "#404040", "#595959", "#a0a0a0"

FONT = {"fontname": "Helvetica"}  # one of the few fonts whose widths graphviz-pure knows
EFFORT = 300  # steps of the search for the best places, shared by all items, or a large graph could take hours
MOST_IN_DETAIL = (
    60  # items: a larger picture has no maps, and formulas only as tooltips, or its layout would take minutes
)
LONGEST_LINE = 36  # characters of a formula on an edge
BEFORE_ESCAPED = re.compile(r"(?<=\\)(?=[EGHLNT\\])")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # XML cannot represent these


def drawing(picture: Picture, format: str, rankdir: str) -> Drawing:
    """Write the picture as a `graphviz.Digraph`. The same picture always gives the same text.

    ValueError for an unknown format or direction.
    """
    graph = _empty(format, rankdir, len(picture.items))
    graph.attr(label=_legend(picture), labelloc="b", labeljust="l")
    within = defaultdict(list)
    for place, item in enumerate(picture.items):
        within[item.frame].append(place)
    for inner, frame in enumerate(picture.frames):
        within[frame.outer].append(~inner)
    _draw_all(graph, picture, within, None)
    for place, item in enumerate(picture.items):
        _draw_edges(graph, place, item, len(picture.items) <= MOST_IN_DETAIL)
    return graph


def lecture(picture: Picture, format: str, rankdir: str) -> Drawing:
    """Write the picture as micrograd draws it: a record for each number, a circle for each operation."""
    graph = _empty(format, rankdir, len(picture.items))
    for place, box in enumerate(picture.items):
        assert isinstance(box, Box)
        assert box.array is not None
        assert box.gradient is not None
        name = plain(box.name)
        for special in "{}|<> ":
            name = name.replace(special, f"\\{special}")
        fields = [name, f"data {box.array.item():.4f}", f"grad {box.gradient.item():.4f}"]
        graph.node(f"box{place}", graphviz.nohtml(f"{{ {' | '.join(fields)} }}"), shape="record", style="solid")
        if box.operation is not None:
            graph.node(f"operation{place}", plain(caption(box.operation)), style="solid")
            graph.edge(f"operation{place}", f"box{place}")
            for operand in box.operation.operands:
                if isinstance(operand, int):
                    graph.edge(f"box{operand}", f"operation{place}")
    return graph


def _empty(format: str, rankdir: str, count: int) -> Drawing:
    for kind, wanted, known in (("format", format, FORMATS), ("rankdir", rankdir, DIRECTIONS)):
        if not isinstance(wanted, str) or wanted not in known:
            raise ValueError(f"draw: {kind} must be one of {', '.join(known)}, got {shown(wanted)}")
    effort = f"{EFFORT / count:.3g}"
    layout = {"rankdir": rankdir, "nodesep": "0.15", "ranksep": "0.25", "nslimit": effort, "nslimit1": effort}
    return Drawing(
        format=format,
        graph_attr={**layout, "fontsize": "12", **FONT},
        node_attr={"fontsize": "12", "margin": "0.08,0.05", "height": "0", "width": "0", "style": "filled", **FONT},
        edge_attr={"arrowsize": "0.6", "color": FAINT, "fontsize": "10", "fontcolor": FAINT, **FONT},
    )


def _draw_all(graph: Drawing, picture: Picture, within: dict[int | None, list[int]], frame: int | None) -> None:
    """Draw the items and frames inside a frame. A frame is listed as the complement `~place` of its place."""
    for place in within[frame]:
        if place >= 0:
            _draw_item(graph, place, picture.items[place], len(picture.items) <= MOST_IN_DETAIL)
            continue
        with graph.subgraph(name=f"cluster{~place}") as inner:
            title = _bold(picture.frames[~place].title)
            inner.attr(label=f"<{title}>", labelloc="t", style="rounded", color=FRAME, fontcolor=FAINT, margin="8")
            _draw_all(inner, picture, within, ~place)


def _draw_item(graph: Drawing, place: int, item: Box | Folded, maps: bool) -> None:
    """Draw a folded module, or a box and the operation that computed it. `maps` allows maps of colours."""
    style = {"shape": "box", "style": "rounded,filled", "fillcolor": FILL[item.role], "color": BORDER[item.role]}
    if isinstance(item, Folded):
        trained = [f"<TD>{_faint(f'{item.trained:,} parameters')}</TD>"] if item.trained else []
        graph.node(f"box{place}", f"<{_table([f'<TD>{_bold(item.title)}</TD>', *trained], padding=1)}>", **style)
        return
    graph.node(f"box{place}", _label(item, maps), **style)
    if item.operation is not None:
        text = plain(caption(item.operation))
        shape = {"shape": "circle", "width": "0.3", "fixedsize": "true"} if len(text) < 3 else {"shape": "ellipse"}
        graph.node(f"operation{place}", text, fillcolor=OPERATION, fontcolor="white", **shape)


def _draw_edges(graph: Drawing, place: int, item: Box | Folded, labels: bool) -> None:
    """Draw an arrow from each operand, labelled with its local gradient rule; in a folded module, with its shape."""
    target = f"box{place}"
    edges: Iterable[tuple[int | Number | None, str]] = ()
    if isinstance(item, Folded):
        edges = item.operands
    elif item.operation is not None:
        target = f"operation{place}"
        edges = [*zip(item.operation.operands, _edge_labels(item.operation), strict=True)]
        graph.edge(target, f"box{place}")
    if any(operand is None for operand, _ in edges):
        graph.node(f"more{place}", "...", shape="plaintext", style="solid", fontcolor=FAINT)
        graph.edge(f"more{place}", target, style="dashed")
    for operand, label in edges:
        if isinstance(operand, int):
            graph.edge(f"box{operand}", target, **{"label" if labels else "tooltip": label or None})


def plain(text: str) -> str:
    """Escape text for a label that is not a table, so that Graphviz shows it unchanged."""
    text = CONTROL.sub("�", text).replace("&", "&amp;")
    return str(graphviz.escape(text)).replace("\n", "\\n")


def caption(operation: Operation) -> str:
    """Write an operation as Python does, with its parameter and its number operands: `@`, `** 2`, `sum(0)`."""
    words = [number(operand.value) if isinstance(operand, Number) else "_" for operand in operation.operands]
    if operation.sign:
        return " ".join(word for word in (words[0], operation.sign, words[1]) if word != "_")
    parameter = operation.parameter.removeprefix("(").removesuffix(")").removesuffix(",")
    if parameter.startswith("["):
        return parameter if operation.name == "index" else operation.name + parameter
    numbers = any(isinstance(operand, Number) for operand in operation.operands)
    inner = ", ".join([*words * numbers, *[parameter] * bool(parameter)])
    return f"{operation.name}({inner})" if inner else operation.name


def _edge_labels(operation: Operation) -> list[str]:
    """Return the label of each operand's edge: `a ← g · b` says what flows back along it, to the operand `a`.

    An operand has a name if there are several. One without a gradient has its name alone.
    """
    several = sum(not isinstance(operand, Number) for operand in operation.operands) > 1
    labels = []
    for name, formula in zip(operation.called, operation.gradients, strict=True):
        text = " ".join([*[name] * several, *[f"← {formula}"] * bool(formula)])
        lines = textwrap.wrap(text.replace(", ", ",\N{NO-BREAK SPACE}"), LONGEST_LINE, break_long_words=False)
        labels.append("\\n".join(plain(line.replace("\N{NO-BREAK SPACE}", " ")) for line in lines))
    return labels


def _legend(picture: Picture) -> str:
    """Return the legend: the colours that the picture uses, and its note."""
    roles = {item.role for item in picture.items}
    samples = [
        f'<TD BGCOLOR="{FILL[role]}" COLOR="{BORDER[role]}" BORDER="1">{role.value}</TD>'
        for role in Role
        if role in roles
    ]
    where = "on" if len(picture.items) <= MOST_IN_DETAIL else "to be seen by pointing at"
    if any(isinstance(item, Box) and item.operation for item in picture.items):
        samples.append(
            f'<TD BGCOLOR="{OPERATION}"><FONT COLOR="white">operation</FONT></TD>'
            f"<TD>{_faint(f'{where} its arrows: what goes back, where g is the gradient of its result')}</TD>"
        )
    rows = [f'<TR><TD ALIGN="LEFT">{_spaced(samples)}</TD></TR>']
    if picture.note:
        rows.append(f'<TR><TD ALIGN="LEFT">{_faint(html.escape(picture.note))}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLSPACING="0">{"".join(rows)}</TABLE>>'


def _spaced(cells: list[str]) -> str:
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="3">'
    return f"{table}<TR>{''.join(cells)}</TR></TABLE>"


def _label(box: Box, maps: bool) -> str:
    """Return the table in a box: name, shape and dtype, then the data and the gradient."""
    title = [_bold(box.name)] if box.name else []
    if box.shape is not None:
        title.append(_faint(f"{box.shape if box.shape else 'scalar'} {box.dtype}"))
    rows = [f'<TD COLSPAN="2">{" ".join(title)}</TD>'] if title else []
    if box.array is not None:
        rows.append(_row("data", box.array, maps))
    if box.gradient is not None:
        rows.append(_row("grad", box.gradient, maps))
    elif box.awaits_gradient:
        rows.append(f'<TD COLSPAN="2">{_faint("no gradient yet")}</TD>')
    return f"<{_table(rows, padding=0)}>"


def _row(label: str, array: np.ndarray, maps: bool) -> str:
    """Return a row of a box: a word, then a table of numbers, or a map of colours above a summary."""
    lines = ["".join(f'<TD ALIGN="RIGHT">{cell}</TD>' for cell in line) for line in cells(array)]
    content = _table(lines, padding=2)
    colours = heat(array) if maps else []
    if colours:
        tiles = ["".join(f'<TD BGCOLOR="{colour}" WIDTH="4" HEIGHT="4"></TD>' for colour in line) for line in colours]
        content = _table([f"<TD>{_table(tiles, padding=0)}</TD>", f"<TD>{content}</TD>"], padding=1)
    return f'<TD ALIGN="LEFT" CELLPADDING="2">{_faint(label)}</TD><TD ALIGN="RIGHT">{content}</TD>'


def _table(rows: list[str], padding: int) -> str:
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{padding}">{body}</TABLE>'


def _faint(text: str) -> str:
    return f'<FONT COLOR="{FAINT}" POINT-SIZE="10">{text}</FONT>'


def _bold(name: str) -> str:
    """Return a name in bold, with its line breaks, and with a replacement for characters that cannot be drawn."""
    text = html.escape(CONTROL.sub("�", name)).replace("\n", "<BR/>")
    # Graphviz replaces escapes such as `\N` in a text, here by the node's name. Two texts keep the characters apart.
    return f"<B>{BEFORE_ESCAPED.sub('</B><B>', text)}</B>"
