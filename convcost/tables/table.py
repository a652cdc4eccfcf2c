"""A table: columns and rows of plain values, independent of any output format.

A column says how its values combine; which rows and columns there are is decided before.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

FORMS = (
    *("name", "text", "formula", "shape", "sizes"),
    *("count", "bytes", "share", "bar", "times", "decimal", "duration"),
)
NUMBERS = ("count", "bytes", "share", "bar", "decimal", "duration")  # forms whose values can be combined
RIGHT = (*NUMBERS, "times")  # forms that are aligned to the right


class Ratio(NamedTuple):
    """A value that is one column divided by another: of several rows, the sums are divided."""

    over: str
    under: str


Combine: TypeAlias = Literal["sum", "same", "max"] | Ratio
COMBINATIONS = ("sum", "same", "max")  # the other ones are ratios


class Column(NamedTuple):
    """One column.

    Attributes:
        key: its name in ``--columns`` and in machine formats.
        title: its heading for people.
        form: how its values are written: ``name`` (a path), ``text``, ``formula``, ``shape``, ``sizes``, ``count``,
            ``bytes``, ``share``, ``bar`` (a share with a bar), ``times``, ``decimal``, ``duration``.
        keep: where space is short, columns with the smallest are hidden first; 9 is never hidden.
        combine: what several rows have together: the ``sum`` of their values, the ``same`` value, the largest
            (``max``), or a :class:`Ratio`.
    """

    key: str
    title: str
    form: str
    keep: int
    combine: Combine | None = None


class Table(NamedTuple):
    """Columns, rows, an optional row of totals, a box of facts, and lines below.

    Attributes:
        title: one line above.
        columns: what a row holds.
        rows: a value for each column.
        total: likewise, of all rows.
        notes: lines below.
        box: facts under the rows that are read first, as pairs of a name and a text.
        hint: how a reader gets to see columns that a narrow terminal has no room for; where it is empty no column
            is hidden.
    """

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    total: tuple[Any, ...] | None
    notes: tuple[str, ...]
    box: tuple[tuple[str, str], ...] = ()
    hint: str = ""


class Math:
    """A cell that is a formula: plain text, and LaTeX for math mode, which is only made where it is asked for."""

    __slots__ = ("latex", "shown")

    def __init__(self, shown: str, latex: Callable[[], str]) -> None:
        self.shown = shown
        self.latex = latex

    def __str__(self) -> str:
        return self.shown


class AtLeast:
    """A cell of which only a lower bound is known; ``null`` in JSON."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __str__(self) -> str:
        return f">= {self.value}"


class Note(str):
    """A line with formulas: plain text, and LaTeX with math, which is only made where it is asked for."""

    __slots__ = ("latex",)
    latex: Callable[[], str]

    @classmethod
    def of(cls, shown: str, latex: Callable[[], str]) -> Note:
        """A line.

        Args:
            shown: as plain text.
            latex: makes it as LaTeX.
        """
        note = cls(shown)
        note.latex = latex
        return note


class Branch:
    """A cell that is a line of a tree.

    Attributes:
        lines: what is drawn before the label.
        label: the last part of the path.
        path: all of it, for machines.
        level: how deep in the tree, from 0.
    """

    __slots__ = ("label", "level", "lines", "path")

    def __init__(self, lines: str, label: str, path: str, level: int) -> None:
        self.lines = lines
        self.level = level
        self.label = label
        self.path = path

    @property
    def shown(self) -> str:
        """The line as it is drawn."""
        return self.lines + self.label

    def __str__(self) -> str:
        return self.path


HINT = "--columns shows them"
_COPY = re.compile(r"\[(\d+)\]")


def labelled(total: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row of totals that says that it is one, where its first cell is free."""
    return ("total", *total[1:]) if total and total[0] is None else total


def rank(value: Any) -> tuple[int, Any]:
    """A key to sort by: the largest number first, then texts in order of the alphabet, nothing last."""
    if value is None:
        return (2, 0)
    if isinstance(value, AtLeast):
        return rank(value.value)
    return (0, -value) if isinstance(value, int | float | Fraction) else (1, str(value))


def without_copies(path: str) -> str:
    """``path`` without the numbers of its copies: ``unit[]/conv``."""
    return _COPY.sub("[]", path) if "[" in path else path


def common_path(paths: list[str]) -> str:
    """One path for several that differ only in the numbers of their copies.

    >>> common_path(["a/unit[2]/conv", "a/unit[3]/conv", "a/unit[5]/conv"])
    'a/unit[2-3,5]/conv'
    """
    if len(paths) == 1:
        return paths[0]
    numbers = [[int(number) for number in _COPY.findall(path)] for path in paths]
    spans = iter([_span(sorted(set(column))) for column in zip(*numbers, strict=True)])
    return _COPY.sub(lambda _: f"[{next(spans)}]", paths[0])


def _span(numbers: list[int]) -> str:
    """``2-4`` for 2, 3, 4; ``2-4,7`` where there is a gap."""
    parts: list[str] = []
    start = previous = numbers[0]
    for number in [*numbers[1:], None]:
        if number is not None and number == previous + 1:
            previous = number
            continue
        parts.append(str(start) if start == previous else f"{start}-{previous}")
        if number is not None:
            start = previous = number
    return ",".join(parts)
