"""A chart for a terminal: a bar of eighth blocks for each row, or of ASCII."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.drawing.text import cells_of
from convcost.tables.values import plain

if TYPE_CHECKING:
    from convcost.drawing.chart import Chart

_EIGHTHS = " \u258f\u258e\u258d\u258c\u258b\u258a\u2589"
_BLOCK = "\u2588"
_LABEL = 0.4  # the part of a line that labels take at most
_NARROWEST = 8  # of the bars


def chart_text(chart: Chart, width: int = 80, *, ascii_only: bool = False) -> str:
    """The rows of a chart as bars.

    Args:
        chart: what to draw.
        width: columns of the terminal.
        ascii_only: draw without block characters.
    """
    lines = _wrapped(chart.title, width)
    rows = [(plain(bar.label), plain(bar.text), bar.value) for bar in chart.rows]
    room = max((len(cells_of(label)) for label, _, _ in rows), default=0)
    right = max((len(text) for _, text, _ in rows), default=0)
    room = min(room, max(int(width * _LABEL), 10), max(width - right - _NARROWEST - 2, 1))
    most = max((value for _, _, value in rows), default=0)
    length = max(width - room - right - 2, _NARROWEST)
    for label, text, value in rows:
        bar = _bar(float(value / most * length) if most else 0, ascii_only=ascii_only)
        lines.append(f"{_fitted(label, room)} {bar}{' ' * (length - len(bar))} {text:>{right}}".rstrip())
    for note in filter(None, (chart.about_rows, *chart.notes)):
        lines += _wrapped(note, width)
    return "\n".join(lines) + "\n"


def _bar(length: float, *, ascii_only: bool) -> str:
    if ascii_only:
        return "#" * round(length)
    eighths = round(length * 8)
    whole, rest = divmod(eighths, 8)
    return _BLOCK * whole + (_EIGHTHS[rest] if rest else "")


def _fitted(label: str, room: int) -> str:
    """``label`` in exactly ``room`` cells; of a long path, the end says most."""
    cells = cells_of(label)
    if len(cells) > room:
        cells = ["~", *cells[len(cells) - room + 1 :]]
    return "".join(cells) + " " * (room - len(cells))


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in plain(text).split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and len(cells_of(joined)) > width:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines
