"""Tables as HTML, for pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from convcost.tables.mathml import typeset
from convcost.tables.page import page, text
from convcost.tables.table import RIGHT, Branch, Math
from convcost.tables.values import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.tables.table import Column, Table

_MANY = 9  # columns, from which a page is printed in smaller type
_LIMIT = re.compile(r"(.+) as (.+) -> oo")


def html_page(tables: Sequence[Table], *, exact: bool) -> str:
    """A page of tables."""
    title = next((table.title for table in tables if table.title), "convcost")
    body = "\n".join(html_table(table, exact=exact) for table in tables)
    return page(title, f"<main>\n{body}\n</main>", styles=("page.css",))


def html_table(table: Table, *, exact: bool) -> str:
    """A table with its title, facts and notes, as a section of a page."""
    parts = ["<section>"]
    if table.title:
        parts.append(f"<h2>{text(table.title)}</h2>")
    size = "wide many" if len(table.columns) > _MANY else "wide"
    heads = "".join(f'<th scope="col"{_side(column)}>{text(column.title)}</th>' for column in table.columns)
    parts.append(f'<div class="scroll" tabindex="0"><table class="{size}"><thead><tr>{heads}</tr></thead><tbody>')
    parts += [_row(row, table.columns, exact=exact) for row in table.rows]
    parts.append("</tbody>")
    if table.total:
        parts.append(f"<tfoot>{_row(table.total, table.columns, exact=exact)}</tfoot>")
    parts.append("</table></div>")
    if table.box:
        facts = "".join(f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in table.box)
        parts.append(f"<dl>{facts}</dl>")
    parts += [f'<p class="small">{text(note)}</p>' for note in table.notes if note]
    return "\n".join([*parts, "</section>"])


def _side(column: Column) -> str:
    return "" if column.form in RIGHT else ' class="left"'


def _row(row: Sequence[Any], columns: Sequence[Column], *, exact: bool) -> str:
    cells = [
        f"<td{_side(column)}>{_cell(value, column, exact=exact)}</td>"
        for value, column in zip(row, columns, strict=True)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _limit(formula: str) -> str:
    """A formula, or what it tends to: ``1/K^2 as O -> oo``."""
    match = _LIMIT.fullmatch(formula)
    return typeset(formula) if match is None else f"{typeset(match[1])} as {text(match[2])} → ∞"


def _cell(value: Any, column: Column, *, exact: bool) -> str:
    if isinstance(value, Math):
        return "; ".join(map(_limit, value.shown.split("; ")))
    if isinstance(value, Branch):
        return f'<span class="branch">{text(value.lines)}</span>{text(value.label)}'
    return text(written(value, column.form, exact=exact))
