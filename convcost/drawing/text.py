"""A diagram for a terminal: boxes and lines of box-drawing characters, or of ASCII."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from convcost.drawing.layout import Spacing
from convcost.drawing.scene import Style, scene
from convcost.tables.values import plain

if TYPE_CHECKING:
    from convcost.drawing.diagram import Diagram
    from convcost.drawing.scene import Box, Line, Scene


def cells_of(text: str) -> list[str]:
    """A character for each cell that ``text`` takes; nothing in the second cell of a wide one."""
    return [cell for mark in plain(text) for cell in ([mark, ""] if east_asian_width(mark) in "WF" else [mark])]


CELLS = Style(
    width=lambda text: len(cells_of(text)),
    line=1,
    pad=2,
    rim=1,
    frame=2,
    spacing=Spacing(boxes=2, lines=2, stub=1, track=1, arrow=1),
    least=5,
    port=2,
    tip=2,
    columns="never",
)
_UP, _RIGHT, _DOWN, _LEFT = 1, 2, 4, 8
_CHARACTERS = " \u2502\u2500\u2514\u2502\u2502\u250c\u251c\u2500\u2518\u2500\u2534\u2510\u2524\u252c\u253c"
_ASCII = " |-+||++-+-+++++"


class _Cells:
    """A grid of characters; lines that meet in a cell are joined."""

    def __init__(self, width: int, height: int) -> None:
        self.lines = [[0] * width for _ in range(height)]
        self.marks: dict[tuple[int, int], str] = {}

    def run(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        (x, y), (far, low) = min(start, end), max(start, end)
        if y == low:
            for column in range(x, far + 1):
                self.lines[y][column] |= (_RIGHT if column < far else 0) | (_LEFT if column > x else 0)
        else:
            for row in range(y, low + 1):
                self.lines[row][x] |= (_DOWN if row < low else 0) | (_UP if row > y else 0)

    def write(self, x: int, y: int, text: str) -> None:
        for offset, mark in enumerate(cells_of(text)):
            self.marks[x + offset, y] = mark

    def text(self, *, ascii_only: bool) -> str:
        characters = _ASCII if ascii_only else _CHARACTERS
        return "".join(
            "".join(self.marks.get((x, y), characters[mask]) for x, mask in enumerate(row)).rstrip() + "\n"
            for y, row in enumerate(self.lines)
        )


def width_of(drawing: Diagram) -> int:
    """How many columns of a terminal the drawing takes."""
    return scene(drawing, CELLS).width + 1


def text_drawing(drawing: Diagram, *, ascii_only: bool = False) -> str:
    """The drawing for a terminal.

    Args:
        drawing: what to draw.
        ascii_only: draw without box-drawing characters.
    """
    made = scene(drawing, CELLS)
    cells = _Cells(made.width + 1, made.height)
    for box in made.boxes:
        _outline(cells, box)
    for line in made.lines:
        _draw(cells, line)
    for box in made.boxes:
        _label(cells, box)
    _arrows(cells, made, "v" if ascii_only else "\u25bc")
    return cells.text(ascii_only=ascii_only)


def _outline(cells: _Cells, box: Box) -> None:
    left, right, top, low = box.x, box.x + box.width, box.y, box.y + box.height - 1
    for start, end in (
        ((left, top), (right, top)),
        ((left, low), (right, low)),
        ((left, top), (left, low)),
        ((right, top), (right, low)),
    ):
        cells.run(start, end)


def _draw(cells: _Cells, line: Line) -> None:
    points = list(line.points)
    (x, y), (far, low) = points[0], points[-1]
    points[0] = (x, y - 1)  # the lower side of a box
    points[-1] = (far, low - 1 if line.arrow else low)
    for start, end in pairwise(points):
        if start != end:
            cells.run(start, end)


def _label(cells: _Cells, box: Box) -> None:
    part = box.part
    if part.form == "frame":
        cells.write(box.port + 2, box.y, " " + "  ".join(filter(None, map(plain, part.lines))) + " ")
        return
    for row, line in enumerate(map(plain, part.lines), start=1):
        cells.write(box.x + 1 + (box.width - 1 - len(cells_of(line))) // 2, box.y + row, line)
    if part.output:
        cells.write(box.port + 2, box.y + box.height, plain(part.output))


def _arrows(cells: _Cells, made: Scene, mark: str) -> None:
    for line in made.lines:
        if line.arrow:
            x, y = line.points[-1]
            cells.write(x, y - 1, mark)
