"""A table in a terminal, or as plain text.

Drawn line by line rather than by ``rich.table``, which takes longer for the rows of one network than all the
rest of the program. In a pipe rich is not even imported; in a terminal it decides about colour and width.

Where the width does not suffice nothing is cut. In this order: paths leave out parents that say nothing, texts and
formulas go on in the next line, columns are hidden and named below the table (where an option shows them), the table
is split into blocks of columns, and at last every row is written as a list of its values.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from convcost.records import NamedTuple
from convcost.tables.table import RIGHT, Branch
from convcost.tables.values import plain, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from convcost.tables.table import Column, Table

_GAP, _INDENT = "  ", "  "
_ESSENTIAL = 9  # what `keep` is of a column that is never hidden
_LEAST_TEXT, _LEAST_NAME = 24, 32  # cells on several lines are at least so wide, if they need be
_NARROWEST = 8
_BAR = 16
_NARROW = r"[ -~\u00a0-\u02ff\u2010-\u2027\u2500-\u259f]*"  # characters that take one cell each
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_ASCII = str.maketrans("├└│─╭╮╰╯…█▉▊▋▌▍▎▏", "|`|-++++*####:...")
_AFTER_OPERATORS = r"(?<=[-+*/=,;&|<>_)\]])(?![=*>])"


class Line(NamedTuple):
    """One line of output, and how it is set off: ``bold``, ``dim`` or not at all."""

    text: str
    style: str = ""


class TableView:
    """A table drawn for a width; a rich renderable too.

    Args:
        table: what to draw.
        exact: every digit in place of SI units.
        ascii_only: whether the terminal has no other characters.
    """

    def __init__(self, table: Table, *, exact: bool = False, ascii_only: bool = False) -> None:
        self._table = table
        self._ascii = ascii_only
        rows = [*table.rows, *([table.total] if table.total else [])]
        forms = [column.form for column in table.columns]
        cells = [[written(value, form, exact=exact) for value, form in zip(row, forms, strict=True)] for row in rows]
        self._parts = [
            _Part(column, [row[place] for row in rows], [row[place] for row in cells], len(table.rows))
            for place, column in enumerate(table.columns)
        ]
        self._count = len(rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """What rich asks for: segments of text and style."""
        from rich.segment import Segment  # noqa: PLC0415 - a pipe does not pay for rich
        from rich.style import Style  # noqa: PLC0415

        styles = {"": None, "bold": Style(bold=True), "dim": Style(dim=True)}
        for line in self.lines(options.max_width):
            yield Segment(line.text, styles[line.style])
            yield Segment.line()

    def text(self, width: int | None = None) -> str:
        """The table without styles, for files and pipes; as wide as its rows where ``width`` is None."""
        return "".join(f"{line.text}\n" for line in self.lines(width))

    def lines(self, width: int | None = None) -> Iterator[Line]:
        """The table, nowhere wider than ``width``."""
        for line in self._lines(width):
            yield Line(line.text.translate(_ASCII), line.style) if self._ascii else line

    def _lines(self, width: int | None) -> Iterator[Line]:
        table = self._table
        if table.title:
            yield from (Line(text, "bold") for text in wrapped(plain(table.title), width))
        hidden: list[_Part] = []
        if self._parts:
            shown, hidden = self._fitting(width)
            yield from self._body(shown, width)
        yield from _box([(plain(name), plain(text)) for name, text in table.box], width)
        notes = list(table.notes)
        if hidden:
            notes.insert(0, f"hidden: {', '.join(part.column.title for part in hidden)} ({table.hint})")
        for note in notes:
            yield from (Line(text, "dim") for text in wrapped(plain(note), width))

    def _fitting(self, width: int | None) -> tuple[list[_Part], list[_Part]]:
        """The columns to show and those to hide: the least important first, only where an option shows them."""
        shown, hidden = list(self._parts), []
        while width is not None and self._table.hint and _needed(shown) > width:
            weakest = min(shown, key=lambda part: (part.column.keep, -shown.index(part)))
            if weakest.column.keep >= _ESSENTIAL:
                break
            shown.remove(weakest)
            hidden.append(weakest)
        return shown, [part for part in self._parts if part in hidden]

    def _body(self, shown: list[_Part], width: int | None) -> Iterator[Line]:
        if width is None or _needed(shown) <= width:
            yield from self._block(shown, width)
            return
        first, *others = shown
        if not others or max(_needed([first, part]) for part in others) > width:
            yield from self._records(shown, width)
            return
        block = [first]
        for part in others:
            if _needed([*block, part]) > width:
                yield from self._block(block, width)
                yield Line("")
                block = [first]
            block.append(part)
        yield from self._block(block, width)

    def _block(self, shown: list[_Part], width: int | None) -> Iterator[Line]:
        widths = _shared_out(shown, width)
        cells = [part.fitted(size) for part, size in zip(shown, widths, strict=True)]
        header = [wrapped(part.column.title, size) for part, size in zip(shown, widths, strict=True)]
        yield from _row(header, shown, widths, "bold")
        rule = Line("-" * (sum(widths) + len(_GAP) * (len(widths) - 1)), "dim")
        yield rule
        total = self._count - 1 if self._table.total else self._count
        for place in range(self._count):
            if place == total:
                yield rule
            yield from _row([column[place] for column in cells], shown, widths, "bold" if place == total else "")

    def _records(self, shown: list[_Part], width: int) -> Iterator[Line]:
        """Every row as a list of its values, one or more lines each."""
        for place in range(self._count):
            if place:
                yield Line("")
            for part in shown:
                text = part.cells[place]
                if text:
                    heading = f"{part.column.title}: " if part.column.title else ""
                    yield from (Line(line) for line in wrapped(heading + text.strip(), width))


class _Part:
    """One column of a view: its cells, and how narrow and wide it may be.

    Args:
        column: what the cells are of.
        values: those of all rows.
        cells: the same as text.
        rows: how many of them are no totals.
    """

    def __init__(self, column: Column, values: list[Any], cells: list[str], rows: int) -> None:
        self.column = column
        self.values = values
        self.cells = cells
        self._rows = rows
        self._longest = max(map(_length, cells), default=0)
        self.natural = max(self._longest, _length(column.title))
        if column.form == "bar":
            self.natural = max(self.natural, self._longest + 1 + _BAR)

    @cached_property
    def least(self) -> int:
        """The least width."""
        form, cells, longest = self.column.form, self.cells, self._longest
        title = max((_length(word) for word in self.column.title.split()), default=0)
        if form == "name":
            return max(min(max(map(_length, self.short), default=0), _LEAST_NAME), title)
        if form in ("text", "formula"):
            atoms = (atom for cell in set(cells) for word in cell.split() for atom in re.split(_AFTER_OPERATORS, word))
            atom = max(map(_length, atoms), default=0) + len(_INDENT)
            return max(min(longest, max(_NARROWEST, min(atom, _LEAST_TEXT))), title)
        return max(longest, title)

    @cached_property
    def short(self) -> list[str]:
        """The cells, paths without parents that say nothing."""
        cells, rows = self.cells, self._rows
        if self.column.form != "name" or not all(isinstance(value, str) for value in self.values[:rows]):
            return cells
        known = shortened(cells[:rows])
        return [known[cell] for cell in cells[:rows]] + cells[rows:]

    def fitted(self, width: int) -> list[list[str]]:
        """The cells in a column of this width, each as its lines."""
        if self.column.form == "bar":
            return [[_bar(value, text, width)] for value, text in zip(self.values, self.cells, strict=True)]
        if self.column.form not in _FLEXIBLE or self.natural <= width:
            return [[cell] for cell in self.cells]
        if self.column.form == "name":
            return [_name_lines(value, cell, width) for value, cell in zip(self.values, self.short, strict=True)]
        return [wrapped(cell, width) for cell in self.cells]


_FLEXIBLE = ("name", "text", "formula", "bar")


def _needed(parts: Sequence[_Part]) -> int:
    return sum(part.least for part in parts) + len(_GAP) * (len(parts) - 1)


def _shared_out(parts: Sequence[_Part], width: int | None) -> list[int]:
    """A width for each column; those that could use more share what is left, the ones that need little first."""
    if width is None:
        return [part.natural for part in parts]
    widths = [part.least for part in parts]
    left = width - _needed(parts)
    wanting = sorted(range(len(parts)), key=lambda place: parts[place].natural - parts[place].least)
    for done, place in enumerate(wanting):
        more = min(parts[place].natural - widths[place], max(left, 0) // (len(wanting) - done))
        widths[place] += more
        left -= more
    return widths


def _row(cells: Sequence[list[str]], parts: Sequence[_Part], widths: Sequence[int], style: str) -> Iterator[Line]:
    for number in range(max(map(len, cells))):
        texts = []
        for lines, part, width in zip(cells, parts, widths, strict=True):
            text = lines[number] if number < len(lines) else ""
            space = " " * (width - _length(text))
            texts.append(space + text if part.column.form in RIGHT and part.column.form != "bar" else text + space)
        yield Line(_GAP.join(texts).rstrip(), style)


def _bar(share: Any, text: str, width: int) -> str:
    """``  12.5 % ██``: a share, and a bar where there is room for it."""
    room = width - 9
    number = f"{text:>7}"
    if room < 1 or share is None:
        return f"{text:>{min(width, 7)}}" if text else ""
    eighths = round(float(share) * room * 8)
    return f"{number} {'█' * (eighths // 8)}{_EIGHTHS[eighths % 8]}".rstrip()


def _box(facts: Sequence[tuple[str, str]], width: int | None) -> Iterator[Line]:
    if not facts:
        return
    names = max(_length(name) for name, _ in facts)
    room = max(1, *(_length(text) for _, text in facts))
    if width is not None:
        room = min(room, max(width - names - 7, _NARROWEST))
    edge = "─" * (names + room + 5)
    yield Line(f"╭{edge}╮", "dim")
    for name, text in facts:
        for number, line in enumerate(wrapped(text, room)):
            head = "" if number else name
            yield Line(f"│ {head}{' ' * (names - _length(head))}   {line}{' ' * (room - _length(line))} │")
    yield Line(f"╰{edge}╯", "dim")


# --- texts on several lines ---


def wrapped(text: str, width: int | None, indent: str = _INDENT) -> list[str]:
    """``text`` on lines of at most ``width``: between words, then after operators; what follows is indented.

    No character is left out but the spaces at the ends of lines.

    >>> wrapped("M < (sqrt(4*I*K^4*O + I^2) - I)/(2*K^2)", 20)
    ['M < (sqrt(4*I*K^4*O', '  + I^2) -', '  I)/(2*K^2)']
    """
    if width is None or _length(text) <= width:
        return [text]
    start = text[: len(text) - len(text.lstrip())]
    if len(start) + len(indent) > width // 2:
        start = indent = ""
    lines: list[str] = []
    line, empty = start, True
    for word in text.split():
        joined = f"{line}{'' if empty else ' '}{word}"
        if _length(joined) <= width:
            line, empty = joined, False
            continue
        if not empty:
            lines.append(line)
            line = start + indent
        line, more = _broken(word, line, width, start + indent)
        lines += more
        empty = False
    return [*lines, line]


def _broken(word: str, line: str, width: int, indent: str) -> tuple[str, list[str]]:
    """``word`` after ``line``, broken after operators where it is too long: the last line, and those before it."""
    lines = []
    fresh = True
    for piece in re.split(_AFTER_OPERATORS, word):
        if _length(line + piece) > width and not fresh:
            lines.append(line)
            line = indent
        while _length(line + piece) > width:  # nowhere to break: as much as there is room for
            size = max(_fitting_prefix(piece, width - _length(line)), 1)
            lines.append(line + piece[:size])
            piece = piece[size:]  # noqa: PLW2901 - what is left of it
            line = indent
        line += piece
        fresh = False
    return line, lines


def _fitting_prefix(text: str, width: int) -> int:
    size = min(len(text), max(width, 0))
    while size and _length(text[:size]) > width:
        size -= 1
    return size


@lru_cache(maxsize=4096)
def _length(text: str) -> int:
    """How many cells of a terminal ``text`` takes."""
    if (text.isascii() and text.isprintable()) or re.fullmatch(_NARROW, text):
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - only wide characters pay for rich

    return cell_len(text)


# --- paths ---


def _name_lines(value: Any, cell: str, width: int) -> list[str]:
    """A path on one or more lines; of a tree, lines and labels stay in their place."""
    if isinstance(value, Branch):
        return wrapped(value.lines + plain(value.label), width, _INDENT + value.lines)
    return wrapped(cell, width)


def shortened(paths: Iterable[str]) -> dict[str, str]:
    """Paths without parents that say nothing, which leave ``…``: different paths stay different.

    A parent says nothing where all that lies beside it has the same name; its number stays.

    >>> shortened(["net/unit[1]/main/conv", "net/unit[2]/main/conv", "net/unit[2]/main/norm"])["net/unit[2]/main/norm"]
    '…/…[2]/…/norm'
    """
    beside: dict[tuple[str, ...], set[str]] = {}
    split = {path: tuple(path.split("/")) for path in paths}
    for parts in split.values():
        for depth, part in enumerate(parts):
            beside.setdefault(parts[:depth], set()).add(_word(part))
    short = {path: _without_parents(parts, lambda parent: len(beside[parent]) == 1) for path, parts in split.items()}
    times: dict[str, int] = {}
    for text in short.values():
        times[text] = times.get(text, 0) + 1
    return {path: path if times[text] > 1 or text in split else text for path, text in short.items()}


def _word(part: str) -> str:
    return re.sub(r"(\[[\d,-]+\]|#\d+)$", "", part)


def _without_parents(parts: tuple[str, ...], alone: Callable[[tuple[str, ...]], bool]) -> str:
    kept: list[str] = []
    for depth, part in enumerate(parts[:-1]):
        text = f"…{part[len(_word(part)) :]}" if alone(parts[:depth]) else part
        if text == "…" and kept[-1:] == ["…"]:
            continue
        kept.append(text)
    short = "/".join([*kept, parts[-1]])
    return short if len(short) < len("/".join(parts)) else "/".join(parts)
