"""``convcost list``."""

from __future__ import annotations

import click

from convcost.cli.options import convention_option, output_options, show
from convcost.conventions import DEFAULT
from convcost.listing import Entry, catalogue
from convcost.render.results import schema
from convcost.tables.table import Column, Table

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
    of_blocks = tuple(column for column in columns if column.key not in ("family", "year"))
    groups = {"networks": (networks, columns), "blocks": (parts, of_blocks)}
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [_table(name, group, chosen) for name, (group, chosen) in groups.items() if group],
        data=lambda: {
            "schema": schema("list"),
            "convention": {"name": convention_},
            **{name: [entry._asdict() for entry in group] for name, (group, _) in groups.items()},
        },
        flat=lambda: _table("", entries, columns),
    )


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
