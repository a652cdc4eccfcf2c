"""The formats of ``--format``: a table for people, Markdown, CSV; JSON is made from results, not from tables."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from convcost.render.values import exact, json_value, plain, written

if TYPE_CHECKING:
    from convcost.table import Table

FORMATS = ("table", "json", "csv", "markdown")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # what a spreadsheet would compute

_MARKUP = re.compile(r"[\\|`*_\[\]<>&$]")
_UNUSUAL = re.compile(r"[^\n -~]")


def as_markdown(table: Table, *, exactly: bool = False) -> str:
    """A Markdown table; text from specs is escaped."""
    columns = table.columns
    right = ("count", "share", "times", "decimal", "duration")
    lines = [f"**{escaped(table.title)}**", ""] if table.title else []
    lines.append("| " + " | ".join(escaped(column.title) for column in columns) + " |")
    lines.append("|" + "|".join("---:" if column.form in right else "---" for column in columns) + "|")
    rows = [*table.rows, *([table.total] if table.total else [])]
    for row in rows:
        cells = (written(value, column.form, exact=exactly) for value, column in zip(row, columns, strict=True))
        lines.append("| " + " | ".join(map(escaped, cells)) + " |")
    lines += ["", *map(escaped, table.notes)]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """``text`` so that Markdown shows it as it is."""
    return _MARKUP.sub(r"\\\g<0>", plain(text))


def as_csv(table: Table) -> str:
    """Comma-separated values with a header of column keys; exact, and nothing a spreadsheet would run."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(column.key for column in table.columns)
    for row in table.rows:
        writer.writerow(_cell(value) for value in row)
    return out.getvalue()


def _cell(value: Any) -> str:
    if not isinstance(value, str):
        return exact(value)
    text = plain(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def as_json(result: dict[str, Any]) -> str:
    """A result as JSON, keys in the order given; what is not printable stands as an escape."""
    text = json.dumps(json_value(result), indent=2, ensure_ascii=False)
    return _UNUSUAL.sub(_escape, text) + "\n"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]
