"""What a reader sees in an SVG file: boxes, lines and texts with their places, read back from the file alone."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"
_WIDTHS = {  # for a size of 1; a whole square for what is not here
    " ijl.,:;'": 0.34,
    '|ftrI()[]/-"': 0.46,
    "sczxkvy_": 0.6,
    "abdeghnopqu0123456789": 0.64,
    "ABCDEFGHJKLNOPQRSTUVXYZ": 0.79,
    "w+<>=~#^": 0.84,
    "M": 0.87,
}


class Rect(NamedTuple):
    """A rectangle; of a text, an upper bound."""

    x: float
    y: float
    right: float
    low: float

    def overlaps(self, other: Rect) -> bool:
        return self.x < other.right and other.x < self.right and self.y < other.low and other.y < self.low

    def contains(self, other: Rect) -> bool:
        return self.x <= other.x and other.right <= self.right and self.y <= other.y and other.low <= self.low


class Words(NamedTuple):
    """A line of text."""

    text: str
    where: Rect


class Shown(NamedTuple):
    """A box or frame with the texts that are drawn with it."""

    form: str
    where: Rect
    texts: list[Words]


Segment = tuple[float, float, float, float]


class Picture(NamedTuple):
    """A drawing as a reader sees it."""

    page: Rect
    boxes: list[Shown]
    lines: list[list[Segment]]
    tips: list[tuple[float, float]]
    loose: list[Words]

    @property
    def solid(self) -> list[Shown]:
        return [box for box in self.boxes if box.form != "frame"]

    @property
    def segments(self) -> list[Segment]:
        return [segment for line in self.lines for segment in line]


def width_of(text: str, size: float, *, bold: bool) -> float:
    """More than any of the fonts of a drawing needs, by classes of characters."""
    units = sum(next((width for marks, width in _WIDTHS.items() if mark in marks), 1.0) for mark in text)
    return units * size * (1.1 if bold else 1)


def words(node: ET.Element) -> Words:
    size, x, y = (float(node.get(name, "0")) for name in ("font-size", "x", "y"))
    text = node.text or ""
    width = width_of(text, size, bold=node.get("font-weight") == "bold")
    left = {"middle": x - width / 2, "end": x - width}.get(node.get("text-anchor", "start"), x)
    return Words(text, Rect(left, y - 0.8 * size, left + width, y + 0.25 * size))


def rect(node: ET.Element) -> Rect:
    x, y, width, height = (float(node.get(name, "0")) for name in ("x", "y", "width", "height"))
    return Rect(x, y, x + width, y + height)


def points_of(node: ET.Element) -> list[tuple[float, float]]:
    numbers = list(map(float, re.findall(r"-?[\d.]+", node.get("d", ""))))
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def read(svg: str) -> Picture:
    """The picture in an SVG file."""
    root = ET.fromstring(svg)  # noqa: S314 - our own file
    boxes: list[Shown] = []
    lines: list[list[Segment]] = []
    tips: list[tuple[float, float]] = []
    for group in root.iter(f"{SVG}g"):
        rects = [node for node in group.findall(f"{SVG}rect") if node.get("class") != "tint"]
        if rects:
            form = rects[0].get("class", "")
            boxes.append(Shown(form, rect(rects[0]), [words(node) for node in group.findall(f"{SVG}text")]))
    for node in root.iter(f"{SVG}path"):
        points = points_of(node)
        if node.get("class") == "line":
            pairs = pairwise(points)
            lines.append([(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in pairs])
        elif node.get("class") == "arrow":
            tips.append(points[0])
    page = next(rect(node) for node in root.findall(f"{SVG}rect") if node.get("class") == "page")
    return Picture(page, boxes, lines, tips, [words(node) for node in root.findall(f"{SVG}text")])


def enters(segment: Segment, area: Rect) -> bool:
    """Whether a horizontal or vertical line passes the inside of an area."""
    x, y, right, low = segment
    across = area.x < x < area.right if x == right else x < area.right and area.x < right
    down = area.y < y < area.low if y == low else y < area.low and area.y < low
    return across and down


def cross(one: Segment, other: Segment) -> bool:
    """Whether a horizontal and a vertical line cross, each at a place inside it."""
    flat, upright = (one, other) if one[1] == one[3] else (other, one)
    if flat[1] != flat[3] or upright[0] != upright[2]:
        return False
    return flat[0] < upright[0] < flat[2] and upright[1] < flat[1] < upright[3]


def crossings(segments: list[Segment]) -> int:
    """How many pairs of lines cross."""
    flat = [segment for segment in segments if segment[1] == segment[3]]
    upright = [segment for segment in segments if segment[0] == segment[2] and segment[1] != segment[3]]
    return sum(left < x < right and top < y < low for left, y, right, _ in flat for x, top, _, low in upright)
