"""``convcost layers``."""

from __future__ import annotations

from typing import Any

import click

from convcost.cli.completion import names_of
from convcost.cli.options import output_options, show
from convcost.layers import REGISTRY
from convcost.layers.docs import LayerDoc, layer_doc, layers
from convcost.render.results import schema
from convcost.tables.table import Column, Table
from convcost.tables.values import plain

_LIST = (
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


@click.command("layers")
@click.argument("name", required=False, shell_complete=names_of(lambda: REGISTRY))
@output_options
def command(name: str | None, format_: str, output: str | None, *, exact: bool) -> None:
    """Reference of the layers: fields, formulas, source. With NAME, of one."""
    docs = layers() if name is None else [layer_doc(name)]
    table = _list_table if name is None else _layer_table
    show(format_, output, exact=exact, tables=lambda: [table(docs)], data=lambda: _data(docs))


def _data(docs: list[LayerDoc]) -> dict[str, Any]:
    data = [{**doc._asdict(), "fields": [field._asdict() for field in doc.fields]} for doc in docs]
    return {"schema": schema("layers"), "layers": data}


def _list_table(docs: list[LayerDoc]) -> Table:
    return Table("", _LIST, [(doc.family, doc.key, doc.summary) for doc in docs], None, ())


def _layer_table(docs: list[LayerDoc]) -> Table:
    doc = docs[0]
    notes = [f"{quantity} = {formula}" for quantity, formula in doc.formulas.items()]
    text = [line for line in doc.text.split("\n") if line]
    title = f"{doc.key}: {plain(doc.summary)}"
    rows = [tuple(field) for field in doc.fields]
    return Table(title, _FIELDS, rows, None, ("", *notes, "", *text, f"source: {doc.source}"))
