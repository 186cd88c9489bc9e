"""A picture read back from its SVG."""

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import viz

NASTY = [
    "<b>",
    "a|b{c}",
    'say "x"',
    "back\\slash\\N\\G\\n\\\\L",
    "a & b",
    "&amp;",
    "ünï ∇ 漢字",
    "'",
    "\\",
    "-->",
    "%",
    "</TD>",
]


class Seen:
    """A picture read back from its SVG: the words of every node and frame, its place and colour, and the arrows.

    `legend` holds the colour behind each of its samples, `notes` all other words that stand alone. `tips` are the words
    that appear under a pointer over an arrow. A place is a left, a top, a right and a bottom.
    """

    def __init__(self, svg: str) -> None:
        self.words: dict[str, list[str]] = {}
        self.fills: dict[str, str] = {}
        self.strokes: dict[str, str] = {}
        self.shapes: dict[str, str] = {}
        self.tiles: dict[str, list[str]] = {}
        self.places: dict[str, tuple[float, ...]] = {}
        self.edges: list[tuple[str, str, list[str]]] = []
        self.tips: list[str] = []
        self.frames: dict[str, tuple[float, ...]] = {}
        for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
            if group.get("class") == "graph":
                self._read_notes(group)
            elif group.get("class"):
                self._read(group, group.findtext(f"{SVG}title", ""))

    def _read(self, group: ElementTree.Element, title: str) -> None:
        words = [text for text in (each.text or "" for each in group.iter(f"{SVG}text")) if text.strip()]
        outlines = [each for each in group.iter() if each.tag in OUTLINES]
        if group.get("class") == "edge":
            source, target = title.split("->")
            self.edges.append((source, target, words))
            self.tips += [str(each.get(TIP)) for each in group.iter(f"{SVG}a")]
        elif group.get("class") == "cluster":
            self.frames["".join(words)] = place(outlines[0])
        else:
            self.words[title] = words
            if outlines:
                first = outlines[0]
                self.places[title], self.shapes[title] = place(first), first.tag.removeprefix(SVG)
                self.fills[title], self.strokes[title] = first.get("fill", ""), first.get("stroke", "")
            self.tiles[title] = [each.get("fill", "") for each in outlines[1:]]

    def _read_notes(self, graph: ElementTree.Element) -> None:
        self.legend: dict[str, str] = {}
        self.notes: list[str] = []
        fill = ""
        for each in graph:
            if each.tag == f"{SVG}polygon" and each.get("fill") not in ("none", "white"):
                fill = each.get("fill", "")
            elif each.tag == f"{SVG}text":
                if fill:
                    self.legend[each.text or ""] = fill
                else:
                    self.notes.append(each.text or "")
                fill = ""

    @classmethod
    def of(cls, drawing: viz.Drawing) -> "Seen":
        return cls(str(drawing.pipe("svg", encoding="utf-8")))

    def arrows(self) -> list[tuple[str, str]]:
        """The arrows, each end as the first word of its node."""
        return sorted((self.words[a][0], self.words[b][0]) for a, b, _ in self.edges)

    def labels(self) -> dict[str, str]:
        """What stands at the arrows that have words, by the first word of the node they come from."""
        return {self.words[a][0]: " ".join(words) for a, _, words in self.edges if words}

    def node(self, first: str) -> str:
        (title,) = [title for title, words in self.words.items() if words[:1] == [first]]
        return title

    def within(self, frame: str) -> set[str]:
        """The first words of the nodes whose place is within that of a frame."""
        left, top, right, bottom = self.frames[frame]
        return {
            self.words[title][0]
            for title, (a, b, c, d) in self.places.items()
            if left <= a and top <= b and c <= right and d <= bottom
        }


SVG = "{http://www.w3.org/2000/svg}"
TIP = "{http://www.w3.org/1999/xlink}title"
OUTLINES = {f"{SVG}{name}" for name in ("polygon", "path", "ellipse", "polyline")}


def place(shape: ElementTree.Element) -> tuple[float, ...]:
    """The left, top, right and bottom of a shape in an SVG."""
    if shape.tag == f"{SVG}ellipse":
        x, y, width, height = (float(shape.get(name, "")) for name in ("cx", "cy", "rx", "ry"))
        return x - width, y - height, x + width, y + height
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", shape.get("points", "") or shape.get("d", ""))]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def seen(root: Any, **options: Any) -> Seen:
    return Seen.of(viz.draw(root, **options))
