"""Output formats of tables. A new format is a function from tables to text, and a record in ``FORMATS``."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Protocol

from convcost.records import NamedTuple
from convcost.tables.table import NUMBERS, RIGHT, Branch, Math, Note
from convcost.tables.terminal import TableView
from convcost.tables.values import exact as exactly
from convcost.tables.values import latex_text, plain, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.tables.table import Column, Table

_SPREADSHEET = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # what a spreadsheet would compute
_MARKUP = r"[\\|`*_\[\]<>&$]"
_THOUSANDS = r"(?<=\d),(?=\d{3})"


class Writer(Protocol):
    """Tables as one text; ``exact`` asks for every digit in place of SI units."""

    def __call__(self, tables: Sequence[Table], *, exact: bool) -> str:
        """The text."""


def as_text(tables: Sequence[Table], *, exact: bool) -> str:
    """For people, as wide as the rows are."""
    return "\n".join(TableView(table, exact=exact).text() for table in tables)


def as_markdown(tables: Sequence[Table], *, exact: bool) -> str:
    """Markdown tables; text from specs is escaped."""
    return "\n".join(_markdown(table, exact=exact) for table in tables)


def _markdown(table: Table, *, exact: bool) -> str:
    columns = table.columns
    lines = [f"**{escaped(table.title)}**", ""] if table.title else []
    lines.append("| " + " | ".join(escaped(column.title) for column in columns) + " |")
    lines.append("|" + "|".join("---:" if column.form in RIGHT else "---" for column in columns) + "|")
    for row in [*table.rows, *([table.total] if table.total else [])]:
        cells = (written(value, column.form, exact=exact) for value, column in zip(row, columns, strict=True))
        lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    facts = [f"{name}: {value}" for name, value in table.box]
    lines += ["", *map(escaped, (*facts, *table.notes))]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """``text`` so that Markdown shows it as it is."""
    return re.sub(_MARKUP, r"\\\g<0>", plain(text))


def as_csv(tables: Sequence[Table], *, exact: bool) -> str:  # noqa: ARG001 - always exact
    """Comma-separated values with a header of column keys; exact, and nothing that a spreadsheet would run."""
    import csv  # noqa: PLC0415 - only this format pays for it

    texts = []
    for table in tables:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(column.key for column in table.columns)
        for row in table.rows:
            writer.writerow(map(csv_cell, row))
        texts.append(out.getvalue())
    return "\n".join(texts)


def csv_cell(value: Any) -> str:
    """A value in CSV: exact, and nothing that a spreadsheet would run."""
    text = exactly(value)
    if not isinstance(value, str | Math | Branch):
        return text
    text = plain(text)
    return f"'{text}" if text.lstrip().startswith(_SPREADSHEET) else text


def as_html(tables: Sequence[Table], *, exact: bool) -> str:
    """A page of tables, which works alone; text from specs is escaped."""
    from convcost.tables.html import html_page  # noqa: PLC0415 - only this format pays for it

    return html_page(tables, exact=exact)


def as_latex(tables: Sequence[Table], *, exact: bool) -> str:
    """Tables for LaTeX with the package ``booktabs``; formulas in math mode, text from specs escaped."""
    return "\n".join(_latex(table, exact=exact) for table in tables)


def _latex(table: Table, *, exact: bool) -> str:
    columns = table.columns
    lines = ["% needs \\usepackage{booktabs}", r"\begin{table}", r"\centering"]
    if table.title:
        lines.append(rf"\caption{{{latex_text(table.title)}}}")
    alignment = "".join("r" if column.form in RIGHT else "l" for column in columns)
    lines += [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule"]
    lines += [" & ".join(latex_text(column.title) for column in columns) + r" \\", r"\midrule"]
    lines += [_latex_row(row, columns, exact=exact) for row in table.rows]
    if table.total:
        lines += [r"\midrule", _latex_row(table.total, columns, exact=exact)]
    lines += [r"\bottomrule", r"\end{tabular}"]
    facts = [f"{name}: {value}" for name, value in table.box]
    notes = [note.latex() if isinstance(note, Note) else latex_text(note) for note in (*facts, *table.notes) if note]
    lines += [rf"\par{{\footnotesize {note}}}" for note in notes]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _latex_row(row: Sequence[Any], columns: Sequence[Column], *, exact: bool) -> str:
    cells = [_latex_cell(value, column, exact=exact) for value, column in zip(row, columns, strict=True)]
    if cells[0].startswith(("[", "*")):  # after the end of a row these would be an argument of it
        cells[0] = f"{{{cells[0]}}}"
    return " & ".join(cells) + r" \\"


def _latex_cell(value: Any, column: Column, *, exact: bool) -> str:
    if isinstance(value, Math):
        return f"${value.latex()}$"
    if isinstance(value, Branch):
        return rf"\hspace*{{{value.level}em}}{latex_text(value.label)}"
    text = latex_text(written(value, column.form, exact=exact))
    if column.form in ("shape", "sizes"):
        return text.replace("x", r"$\times$")
    if column.form in RIGHT:
        text = re.sub(_THOUSANDS, r"\\,", text)
        text = text.replace(" ", r"\,") if column.form in NUMBERS else text
        return f"$-${text[1:]}" if text.startswith("-") else text
    return text


class Format(NamedTuple):
    """An output format of tables.

    Attributes:
        write: the function that makes the text.
        suffix: of the files that ``-o`` writes in this format.
        for_programs: whether programs read it: then it has every digit, a row for every layer without folding, and
            keys as headings.
    """

    write: Writer
    suffix: str
    for_programs: bool = False


FORMATS: dict[str, Format] = {  # the first is the default
    "table": Format(as_text, ".txt"),
    "csv": Format(as_csv, ".csv", for_programs=True),
    "markdown": Format(as_markdown, ".md"),
    "latex": Format(as_latex, ".tex"),
    "html": Format(as_html, ".html"),
}
