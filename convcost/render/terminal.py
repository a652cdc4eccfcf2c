"""A table in a terminal.

Drawn line by line rather than by ``rich.table``, which takes longer for the rows of one network than all the
rest of the program; rich still decides about colour and width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from convcost.render.values import plain, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from convcost.table import Column, Table

_GAP = "  "
_RIGHT = ("count", "share", "times", "decimal", "duration")
_NAME_AT_LEAST = 16
_BOLD, _DIM = Style(bold=True), Style(dim=True)


class TableView:
    """A rich renderable: the title, a header, the rows, the totals and the notes of a table.

    Where the width does not suffice, columns are dropped, the least important first; then names lose their middle.
    """

    def __init__(self, table: Table, *, exact: bool = False) -> None:
        self._table = table
        columns = table.columns
        rows = [*table.rows, *([table.total] if table.total else [])]
        self._cells = [
            [written(value, column.form, exact=exact) for value, column in zip(row, columns, strict=True)]
            for row in rows
        ]
        self._widths = [max((_length(row[index]) for row in self._cells), default=0) for index in range(len(columns))]
        self._widths = [max(w, len(c.title)) for w, c in zip(self._widths, columns, strict=True)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich asks for: segments of text and style."""
        yield from self.segments(options.max_width)

    def segments(self, width: int) -> Iterator[Segment]:
        """The table, at most ``width`` wide where that can be."""
        shown = self._fitting(width)
        widths = self._fitted(shown, width)
        columns = self._table.columns
        if self._table.title:
            yield Segment(plain(self._table.title), _BOLD)
            yield Segment.line()
        header = [columns[index].title for index in shown]
        yield from self._line(header, shown, widths, _BOLD)
        rule = "-" * (sum(widths) + len(_GAP) * (len(widths) - 1))
        yield Segment(rule, _DIM)
        yield Segment.line()
        body = self._cells[:-1] if self._table.total else self._cells
        for row in body:
            yield from self._line([row[index] for index in shown], shown, widths, None)
        if self._table.total:
            yield Segment(rule, _DIM)
            yield Segment.line()
            yield from self._line([self._cells[-1][index] for index in shown], shown, widths, _BOLD)
        for note in self._table.notes:
            yield Segment(plain(note), _DIM)
            yield Segment.line()

    def _fitting(self, width: int) -> list[int]:
        columns = self._table.columns
        shown = list(range(len(columns)))
        while self._needed(shown) > width:
            weakest = min(shown, key=lambda index: (columns[index].keep, -index))
            if columns[weakest].keep >= 9:  # noqa: PLR2004 - never dropped
                break
            shown.remove(weakest)
        return shown

    def _needed(self, shown: list[int]) -> int:
        widths = [self._least(self._table.columns[index], self._widths[index]) for index in shown]
        return sum(widths) + len(_GAP) * (len(shown) - 1)

    @staticmethod
    def _least(column: Column, width: int) -> int:
        return min(width, max(_NAME_AT_LEAST, width // 2)) if column.form == "name" else width

    def _fitted(self, shown: list[int], width: int) -> list[int]:
        """Widths of the columns shown; names give way."""
        widths = [self._widths[index] for index in shown]
        over = sum(widths) + len(_GAP) * (len(shown) - 1) - width
        for place, index in enumerate(shown):
            if over > 0 and self._table.columns[index].form == "name":
                widths[place] = max(widths[place] - over, _NAME_AT_LEAST)
        return widths

    def _line(self, cells: list[str], shown: list[int], widths: list[int], style: Style | None) -> Iterator[Segment]:
        parts = []
        for cell, index, width in zip(cells, shown, widths, strict=True):
            text = _shortened(cell, width)
            space = " " * (width - _length(text))
            parts.append(space + text if self._table.columns[index].form in _RIGHT else text + space)
        yield Segment(_GAP.join(parts).rstrip(), style)
        yield Segment.line()


def text_of(view: TableView, width: int = 10_000) -> str:
    """The table without styles, as wide as it needs to be: for files and pipes."""
    return "".join(segment.text for segment in view.segments(width))


def _length(text: str) -> int:
    return len(text) if text.isascii() else cell_len(text)


def _shortened(text: str, width: int) -> str:
    """``text`` with its middle left out where it is too long."""
    if _length(text) <= width:
        return text
    head = max((width - 1) // 3, 1)
    tail = max(width - 1 - head, 1)
    short = f"{text[:head]}…{text[-tail:]}"
    while _length(short) > width and tail > 1:  # wide characters take two cells
        tail -= 1
        short = f"{text[:head]}…{text[-tail:]}"
    return short
