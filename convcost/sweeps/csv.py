"""Points of a sweep as CSV, many at a time.

Digits are computed column by column for all points at once, which takes a tenth of the time of writing each number.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from convcost.sweeps.sweep import columns_of
from convcost.tables.text import csv_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from convcost.sweeps.sweep import Piece, Plan

_COMMA, _END, _MINUS, _ZERO = b",\n-0"


def write(plan: Plan, pieces: Iterator[Piece], put: Callable[[bytes], Any]) -> int:
    """Write the names of the columns and all points.

    Args:
        plan: of the sweep.
        pieces: its points.
        put: writes bytes.

    Returns:
        How many points were written.
    """
    put(",".join(map(_quoted, columns_of(plan))).encode() + b"\n")
    tables = [_table(axis.values) for axis in plan.axes]
    count = 0
    for piece in pieces:
        fields = [(table[place], lengths[place]) for (table, lengths), place in zip(tables, piece.places, strict=True)]
        columns = [_texts(table, lengths) for table, lengths in fields]
        columns += [_column(own) for own in piece.values.values()]
        put(_lines(columns) if len(piece) else b"")
        count += len(piece)
    return count


_Field = tuple[Any, Any]  # bytes by point and position, and which of them are part of the text


def _lines(columns: Sequence[_Field]) -> bytes:
    count = len(columns[0][0])
    parts, shown = [], []
    for number, (characters, mask) in enumerate(columns, 1):
        parts += [characters, np.full((count, 1), _END if number == len(columns) else _COMMA, np.uint8)]
        shown += [mask, np.ones((count, 1), bool)]
    text: bytes = np.concatenate(parts, axis=1)[np.concatenate(shown, axis=1)].tobytes()
    return text


def _column(values: Any) -> _Field:
    if values.dtype == np.int64:
        return _digits(values)
    distinct = values.tolist()
    return _texts(*_table(distinct))


def _digits(values: Any) -> _Field:
    """Whole numbers, right-aligned."""
    left = np.abs(values)
    width = len(str(int(left.max())))
    characters = np.empty((len(values), width + 1), np.uint8)
    shown = np.empty((len(values), width + 1), bool)
    characters[:, 0], shown[:, 0] = _MINUS, values < 0
    for place in range(width, 0, -1):
        shown[:, place] = left > 0
        rest = left // 10
        characters[:, place] = left - rest * 10 + _ZERO
        left = rest
    shown[:, width] = True
    return characters, shown


def _table(values: Iterable[Any]) -> tuple[Any, Any]:
    """Texts as rows of bytes of equal length, and the lengths of the texts."""
    texts = [_quoted(csv_cell(value)).encode("utf-8", "backslashreplace") for value in values]
    width = max(1, *map(len, texts)) if texts else 1
    characters = np.frombuffer(b"".join(text.ljust(width) for text in texts), np.uint8).reshape(len(texts), width)
    return characters, np.array([len(text) for text in texts], np.int64)


def _texts(characters: Any, lengths: Any) -> _Field:
    return characters, np.arange(characters.shape[1]) < lengths[:, None]


def _quoted(text: str) -> str:
    """A field of CSV, in quotes where it needs them."""
    if text.isalnum():
        return text
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([text, ""])
    return line.getvalue()[:-1]
