"""A diagram as SVG: boxes with their text, frames, lines with arrows, and the share of MACs as tint."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.drawing.scene import FONT_SIZE, PIXELS, scene
from convcost.drawing.svg import document, element, label, number, path, text_width, wrapped
from convcost.drawing.valley import valley

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convcost.drawing.diagram import Diagram
    from convcost.drawing.scene import Box, Line, Scene

_SMALL = 11
_MARGIN = 16
_ALONE, _BESIDE = 340, 250  # the least width of a drawing
_TITLE = 13
_LINE = 0.85  # the part of the page that a line of text is broken at, since fonts differ
_STRONGEST = 0.4  # opacity of the tint of the largest share


class Titled(NamedTuple):
    """A drawing with a title above it and a line of figures below that."""

    drawing: Diagram
    title: str
    figures: str


class Beside(NamedTuple):
    """Drawings beside each other, in their places.

    Attributes:
        scenes: what is drawn of each.
        headings: the lines of each title.
        lefts: where each title begins.
        width: of the page.
        top: of the drawings.
    """

    scenes: tuple[Scene, ...]
    headings: tuple[list[str], ...]
    lefts: tuple[int, ...]
    width: int
    top: int


def beside(drawings: Sequence[Titled]) -> Beside:
    """Places for drawings beside each other, from left to right."""
    least = _ALONE if len(drawings) == 1 else _BESIDE
    scenes = [valley(each.drawing, PIXELS) or scene(each.drawing) for each in drawings]
    widths = [max(made.width, least) for made in scenes]
    headings = [
        wrapped(each.title, width * _LINE, _TITLE, bold=True) for each, width in zip(drawings, widths, strict=True)
    ]
    top = _MARGIN + 17 * max(map(len, headings)) + 26
    left = _MARGIN
    lefts: list[int] = []
    placed: list[Scene] = []
    for made, width in zip(scenes, widths, strict=True):
        lefts.append(left)
        placed.append(made.moved(left + (width - made.width) // 2, top))
        left += width + 2 * _MARGIN
    return Beside(tuple(placed), tuple(headings), tuple(lefts), left - _MARGIN, top)


def svg(drawings: Sequence[Titled], title: str, notes: Sequence[str] = ()) -> str:
    """Drawings beside each other as an SVG file.

    Args:
        drawings: from left to right.
        title: for people who cannot see it.
        notes: lines below them.
    """
    made = beside(drawings)
    content: list[str] = []
    for each, placed, left, heading in zip(drawings, made.scenes, made.lefts, made.headings, strict=True):
        content += [
            label(line, left, _MARGIN + 8 + 17 * index, _TITLE, font_weight="bold")
            for index, line in enumerate(heading)
        ]
        content.append(label(each.figures, left, _MARGIN + 8 + 17 * len(heading), _SMALL, class_="quiet"))
        content += _drawn(placed)
    y = made.top + max(placed.height for placed in made.scenes) + 20
    for note in notes:
        for line in wrapped(note, _LINE * made.width, _SMALL):
            content.append(label(line, _MARGIN, y, _SMALL, class_="quiet"))
            y += 15
    return document(title, made.width, y, *content)


def _drawn(made: Scene) -> Iterator[str]:
    most = max((box.part.share or 0 for box in made.boxes if box.part.form != "frame"), default=0)
    yield element("g", *map(_line, made.lines), shape_rendering="crispEdges")  # sharp, where lines overlap
    for box in made.boxes:
        yield _box(box, float((box.part.share or 0) / most) if most else 0)


def _line(line: Line) -> str:
    (x, y), points = line.points[-1], line.points
    drawn = path(points, class_="line")
    if not line.arrow:
        return drawn
    behind = y - 7 if points[-2][1] < y else y + 7
    head = f"M{number(x)} {number(y)}L{number(x - 4)} {number(behind)}L{number(x + 4)} {number(behind)}Z"
    return drawn + element("path", d=head, class_="arrow")


_CLASSES = {"layer": "box", "summary": "box", "join": "join", "input": "end", "output": "end", "frame": "frame"}


def _box(box: Box, strength: float) -> str:
    part = box.part
    round_ = box.height / 2 if part.form in ("input", "output") else 6 if part.form in ("join", "frame") else 2
    rect = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": round_}
    parts = [element("rect", class_=_CLASSES[part.form], **rect)]
    if part.form == "frame":
        name, portion = part.lines
        x, base = box.port + 8, box.y + (box.height - 7 if box.up else 15)
        parts.append(label(name, x, base, FONT_SIZE, font_weight="bold"))
        after = x + text_width(name, FONT_SIZE, bold=True) + 8
        parts.append(label(portion, after, base, _SMALL, class_="quiet"))
        return element("g", *parts)
    if strength:
        parts.append(element("rect", class_="tint", fill_opacity=strength * _STRONGEST, **rect))
    y = box.y + 6 + 12
    for index, text in enumerate(part.lines):
        small = index > 0
        parts.append(
            label(
                text,
                box.x + box.width / 2,
                y,
                _SMALL if small else FONT_SIZE,
                text_anchor="middle",
                class_="quiet" if small else None,
            )
        )
        y += PIXELS.line
    if part.output:
        base = box.y - 5 if box.up else box.y + box.height + 13
        parts.append(label(part.output, box.port + 5, base, _SMALL, class_="quiet"))
    return element("g", *parts)
