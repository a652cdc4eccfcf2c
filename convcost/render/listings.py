"""Lists of what is bundled, specs and layers, as tables and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.conventions import DEFAULT
from convcost.render.results import schema
from convcost.tables.printable import View
from convcost.tables.table import Column, Table
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.api.specs import Entries, Entry
    from convcost.layers.docs import LayerDoc, LayerDocs

_NETWORKS = (
    Column("family", "family", "text", 6),
    Column("name", "name", "name", 9),
    Column("title", "title", "text", 4),
    Column("year", "year", "times", 5),
    Column("input", "input", "shape", 7),
    Column("params", "params", "count", 9),
    Column("macs", "MACs", "count", 9),
)
_LAYERS = (
    Column("family", "family", "text", 7),
    Column("key", "layer", "name", 9),
    Column("summary", "", "text", 8),
)
_FIELDS = (
    Column("name", "field", "name", 9),
    Column("type", "takes", "text", 8),
    Column("default", "default", "text", 9),
    Column("doc", "", "text", 7),
)


def specs_view(entries: Entries) -> View:
    """Networks, then blocks; CSV has both in one table."""
    convention = entries.convention
    columns = _NETWORKS if convention == DEFAULT else (*_NETWORKS, Column("reported", convention, "count", 9))
    networks = [entry for entry in entries if entry.family != "blocks"]
    parts = [entry for entry in entries if entry.family == "blocks"]
    of_blocks = tuple(column for column in columns if column.key not in ("family", "year"))
    groups = {"networks": (networks, columns), "blocks": (parts, of_blocks)}
    return View(
        tables=lambda: [_specs_table(name, group, chosen) for name, (group, chosen) in groups.items() if group],
        data=lambda: {
            "schema": schema("list"),
            "convention": {"name": convention},
            **{name: [entry._asdict() for entry in group] for name, (group, _) in groups.items()},
        },
        flat=lambda: _specs_table("", entries, columns),
    )


def _specs_table(title: str, entries: Sequence[Entry], columns: tuple[Column, ...]) -> Table:
    rows = []
    previous = ""
    for entry in entries:
        row = entry._asdict()
        if title and row["family"] == previous:
            row["family"] = ""  # a family is named once
        previous = entry.family
        rows.append(tuple(row[column.key] for column in columns))
    return Table(title, columns, rows, None, ())


def layers_view(docs: LayerDocs) -> View:
    """A line for each layer; of a single layer, its fields and formulas."""
    return View(
        tables=lambda: [_layer_table(docs[0]) if len(docs) == 1 else _layers_table(docs)],
        data=lambda: {
            "schema": schema("layers"),
            "layers": [{**doc._asdict(), "fields": [field._asdict() for field in doc.fields]} for doc in docs],
        },
    )


def _layers_table(docs: Sequence[LayerDoc]) -> Table:
    return Table("", _LAYERS, [(doc.family, doc.key, doc.summary) for doc in docs], None, ())


def _layer_table(doc: LayerDoc) -> Table:
    notes = [f"{quantity} = {formula}" for quantity, formula in doc.formulas.items()]
    text = [line for line in doc.text.split("\n") if line]
    title = f"{doc.key}: {plain(doc.summary)}"
    rows = [tuple(field) for field in doc.fields]
    return Table(title, _FIELDS, rows, None, ("", *notes, "", *text, f"source: {doc.source}"))
