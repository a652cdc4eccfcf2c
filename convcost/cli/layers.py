"""``convcost layers``."""

from __future__ import annotations

import click

from convcost.cli.options import output_options, show_table, write
from convcost.reference import LayerDoc, layer_doc, layers
from convcost.render.results import schema
from convcost.render.values import plain
from convcost.table import Column, Table

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
@click.argument("name", required=False)
@output_options
def command(name: str | None, format_: str, output: str | None, *, exact: bool) -> None:
    """Reference of the layers: fields, formulas, source. With NAME, of one."""
    found = layers() if name is None else [layer_doc(name)]
    if format_ == "json":
        from convcost.render.formats import as_json  # noqa: PLC0415 - tables do not pay for it

        data = [{**doc._asdict(), "fields": [field._asdict() for field in doc.fields]} for doc in found]
        write(as_json({"schema": schema("layers"), "layers": data}), output)
    elif name is None:
        rows = [(doc.family, doc.key, doc.summary) for doc in found]
        show_table(Table("", _LIST, rows, None, ()), format_, output, exact=exact)
    else:
        show_table(_layer_table(found[0]), format_, output, exact=exact)


def _layer_table(doc: LayerDoc) -> Table:
    notes = [f"{quantity} = {formula}" for quantity, formula in doc.formulas.items()]
    text = [line for line in doc.text.split("\n") if line]
    title = f"{doc.key}: {plain(doc.summary)}"
    rows = [tuple(field) for field in doc.fields]
    return Table(title, _FIELDS, rows, None, ("", *notes, "", *text, f"source: {doc.source}"))
