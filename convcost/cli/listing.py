"""``convcost list``."""

from __future__ import annotations

import click

from convcost.cli.options import convention_option, output_options, show_tables, write
from convcost.conventions import DEFAULT
from convcost.listing import Entry, catalogue
from convcost.render.results import schema
from convcost.table import Column, Table

_NETWORKS = (
    Column("family", "family", "text", 6),
    Column("name", "name", "name", 9),
    Column("title", "title", "text", 4),
    Column("year", "year", "times", 5),
    Column("input", "input", "shape", 7),
    Column("params", "params", "count", 9),
    Column("macs", "MACs", "count", 9),
)


@click.command("list")
@click.option("--blocks/--networks", "blocks", default=None, help="Only blocks, or only networks.")
@convention_option
@output_options
def command(*, blocks: bool | None, convention_: str, format_: str, output: str | None, exact: bool) -> None:
    """Bundled networks and blocks, with their cost at default values."""
    entries = catalogue(blocks=blocks, convention=convention_)
    columns = _NETWORKS if convention_ == DEFAULT else (*_NETWORKS, Column("reported", convention_, "count", 9))
    networks = [entry for entry in entries if entry.family != "blocks"]
    parts = [entry for entry in entries if entry.family == "blocks"]
    if format_ == "json":
        from convcost.render.formats import as_json  # noqa: PLC0415 - tables do not pay for it

        groups = {"networks": networks, "blocks": parts}
        data = {name: [entry._asdict() for entry in group] for name, group in groups.items()}
        write(as_json({"schema": schema("list"), "convention": {"name": convention_}, **data}), output)
        return
    if format_ == "csv":
        show_tables([_table("", entries, columns)], format_, output, exact=exact)
        return
    tables = []
    if networks:
        tables.append(_table("networks", networks, columns))
    if parts:
        tables.append(_table("blocks", parts, tuple(c for c in columns if c.key not in ("family", "year"))))
    show_tables(tables, format_, output, exact=exact)


def _table(title: str, entries: list[Entry], columns: tuple[Column, ...]) -> Table:
    rows = []
    previous = ""
    for entry in entries:
        row = entry._asdict()
        if title and row["family"] == previous:
            row["family"] = ""  # a family is named once
        previous = entry.family
        rows.append(tuple(row[column.key] for column in columns))
    return Table(title, columns, rows, None, ())
