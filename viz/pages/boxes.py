"""Where the boxes of a page stand: a small box for each thing, or for each folded module, placed by Graphviz.

The page draws them itself, because their numbers change from step to step. So all that is taken from Graphviz are the
places, in pixels, and the paths of the arrows.
"""

import itertools
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from minigrad.derive.naming import Key, Names, key

from ..dot import plain
from ..graph import title_of
from ..layout import Drawing, lay_out
from ..walk import Frames, Item, frames_of, items_of, links_of, nearest

LETTER, LINE, MARGIN = 6.7, 14, 8  # pixels: the width of a letter, the height of a line, the space around the text
GAP, ARROW = 28.0, 7  # pixels between boxes, and for the head of an arrow
MAP_WIDTH, MAP_HEIGHT = 62, 40  # of the maps of the data and of the gradient, side by side
INCH = 72  # pixels
LONGEST = 4000  # ranks that all arrows span together: Graphviz takes minutes for more
SVG = "{http://www.w3.org/2000/svg}"


class View(NamedTuple):
    """A picture at one depth of folding: items and their rectangles, arrows between their places, and frames."""

    items: list[Item]
    boxes: list[dict[str, Any]]
    edges: list[dict[str, Any]]
    frames: list[dict[str, Any]]
    width: float
    height: float
    note: str = ""


def depths(things: Sequence[Any], frames: Mapping[Key, Frames], limit: int) -> dict[int, list[Item]]:
    """Return the items at each depth of folding at which there are at most `limit`, without those that look alike."""
    found: dict[int, list[Item]] = {}
    for depth in range(max(map(len, frames.values()), default=0) + 1):
        items = items_of(things, frames, depth)
        if len(items) <= limit and len(items) not in map(len, found.values()):
            found[depth] = items
    return found


def views(
    things: Sequence[Any],
    state: Collection[Key],
    labels: Names,
    words: Mapping[Key, Sequence[str]],
    limit: int,
    root: int,
) -> list[View]:
    """Lay out the picture at each depth of folding; `words` are the lines of text in the box of each thing."""
    frames = frames_of(things, state)
    found = depths(things, frames, limit)
    note = ""
    if not found:
        items = items_of(things, frames, None)
        note = f"The {limit:,} nearest of {len(items):,} boxes; limit= shows more."
        found = {0: [items[place] for place in nearest(items, root, limit)]}
    return [_laid_out(items, labels, words, note) for items in found.values()]


def _laid_out(items: list[Item], labels: Names, words: Mapping[Key, Sequence[str]], note: str) -> View:
    graph = Drawing(
        format="svg",
        graph_attr={"rankdir": "LR", "nodesep": "0.2", "ranksep": "0.35", "nslimit": "1", "nslimit1": "1"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowsize": "0.6"},
    )
    titles = [title_of(item.frames[-1], labels) if item.folded else "" for item in items]
    boxes = []
    for title, item in zip(titles, items, strict=True):
        lines = words[key(item.things[-1])]
        if item.folded:  # it shows the module's result
            lines = [title, f"{len(item.things)} boxes folded", *lines[1:]]
        has_maps = lines[-1] == ""
        width = max(len(line) for line in lines) * LETTER + 2 * MARGIN
        height = (len(lines) - has_maps) * LINE + 2 * MARGIN + has_maps * (MAP_HEIGHT + LINE)
        size = {"w": max(width, has_maps * (2 * MAP_WIDTH + 3 * MARGIN)), "h": height}
        boxes.append({"folded": lines if item.folded else None} | size)
    links = links_of(items)
    ranks = _ranks(links)
    if sum(ranks[target] - ranks[source] for target, link in enumerate(links) for source in link) > LONGEST:
        return _in_columns(items, boxes, links, ranks, note)
    inner = _draw_frames(graph, items, boxes, labels)
    for target, link in enumerate(links):
        for source in link:
            graph.edge(f"box{source}", f"box{target}")
    return _read(ElementTree.fromstring(lay_out(graph.source, "svg")), items, boxes, inner, note)


def _ranks(links: Sequence[Collection[int]]) -> list[int]:
    """Return the column of each item: behind all that it reads from, and leaves just before their first reader."""
    ranks = [0] * len(links)
    for target, link in enumerate(links):
        ranks[target] = max((ranks[source] + 1 for source in link), default=0)
    for target, link in reversed([*enumerate(links)]):
        for source in link:
            if not links[source]:
                ranks[source] = max(0, ranks[target] - 1)
    return ranks


def _in_columns(
    items: list[Item], boxes: list[dict[str, Any]], links: Sequence[Collection[int]], ranks: list[int], note: str
) -> View:
    """Place boxes in columns, without frames: in no time, where Graphviz would take minutes."""
    widths = [0.0] * (max(ranks) + 1)
    for box, rank in zip(boxes, ranks, strict=True):
        widths[rank] = max(widths[rank], box["w"])
    lefts = [*itertools.accumulate((width + GAP for width in widths), initial=GAP)]
    bottoms = [GAP] * len(widths)
    for box, rank in zip(boxes, ranks, strict=True):
        box |= {"x": round(lefts[rank], 1), "y": round(bottoms[rank], 1)}
        bottoms[rank] += box["h"] + GAP
    edges = []
    for target, link in enumerate(links):
        for source in link:
            a, b = boxes[source], boxes[target]
            x, y, u, v = a["x"] + a["w"], a["y"] + a["h"] / 2, b["x"] - ARROW, b["y"] + b["h"] / 2
            edges.append({"from": source, "to": target, "d": f"M{x},{y}C{x + GAP},{y} {u - GAP},{v} {u},{v}"})
    return View(items, boxes, edges, [], lefts[-1], max(bottoms), note)


def _draw_frames(graph: Drawing, items: Sequence[Item], boxes: list[dict[str, Any]], labels: Names) -> list[str]:
    """Draw boxes within their frames, and return the titles of the frames, by their numbers."""
    titles: list[str] = []

    def draw(into: Drawing, places: Sequence[int], level: int) -> None:
        groups: dict[int, list[int]] = {}
        for place in places:
            around = items[place].frames[: len(items[place].frames) - items[place].folded]
            if len(around) == level:
                box = boxes[place]
                into.node(f"box{place}", width=f"{box['w'] / INCH:.3f}", height=f"{box['h'] / INCH:.3f}")
            else:
                groups.setdefault(id(around[level]), []).append(place)
        for group in groups.values():
            title = title_of(items[group[0]].frames[level], labels)
            with into.subgraph(name=f"cluster{len(titles)}") as inside:
                inside.attr(label=plain(title), labeljust="l", fontname="Courier", fontsize="11", margin="8")
                titles.append(title)
                draw(inside, group, level + 1)

    draw(graph, range(len(items)), 0)
    return titles


def _read(
    svg: ElementTree.Element, items: list[Item], boxes: list[dict[str, Any]], titles: list[str], note: str
) -> View:
    """Read the places of the boxes, arrows and frames from the picture that Graphviz has drawn."""
    edges: list[dict[str, Any]] = []
    frames: list[dict[str, Any]] = []
    group = next(svg.iter(f"{SVG}g"))
    shift = [float(x) for x in re.findall(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", group.get("transform", ""))[0]]
    for each in group.iter(f"{SVG}g"):
        name, kind = each.findtext(f"{SVG}title", ""), each.get("class")
        if kind == "edge":
            ends = re.findall(r"\d+", name)
            path = each.find(f"{SVG}path")
            points = re.findall(r"[MC ]?[-\d.]+,[-\d.]+", path.get("d", "") if path is not None else "")
            moved = "".join(_moved(point, shift) for point in points)
            edges.append({"from": int(ends[0]), "to": int(ends[1]), "d": moved})
        elif kind in ("node", "cluster"):
            shape = each.find(f"{SVG}polygon")
            assert shape is not None
            corners = [[float(x) for x in point.split(",")] for point in shape.get("points", "").split()]
            (left, right), (top, bottom) = ((min(side), max(side)) for side in zip(*corners, strict=True))
            place = {"x": round(left + shift[0], 1), "y": round(top + shift[1], 1)}
            size = {"w": round(right - left, 1), "h": round(bottom - top, 1)}
            number = int(re.findall(r"\d+", name)[0])
            if kind == "node":
                boxes[number] |= place | size
            else:
                frames.append({"title": titles[number]} | place | size)
    width, height = (float(x) for x in svg.get("viewBox", "").split()[2:])
    return View(items, boxes, edges, frames, width, height, note)


def _moved(point: str, shift: list[float]) -> str:
    letter = point[0] if point[0] in "MC " else ""
    x, y = (float(part) + by for part, by in zip(point.lstrip("MC ").split(","), shift, strict=True))
    return f"{letter}{x:.1f},{y:.1f}"
