"""The cost of a network as a table of rows, as a tree, and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.cost import CONVENTION_LINE
from convcost.render.headings import reported_notes, reported_title
from convcost.render.results import convention_data, schema, totals_data
from convcost.tables.data import records
from convcost.tables.table import Arrangement, Column, Table, arranged, column_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row

COLUMNS = {
    column.key: column
    for column in (
        Column("path", "path", "name", 9, "same"),
        Column("kind", "kind", "text", 8, "same"),
        Column("input", "input", "shape", 5, "same"),
        Column("output", "output", "shape", 7, "same"),
        Column("kernel", "kernel", "sizes", 6, "same"),
        Column("stride", "stride", "sizes", 4, "same"),
        Column("groups", "groups", "times", 4, "same"),
        Column("count", "count", "times", 3, "same"),
        Column("layers", "layers", "times", 3, "sum"),
        Column("params", "params", "count", 9, "sum"),
        Column("params_share", "params %", "share", 2, "sum"),
        Column("macs", "MACs", "count", 9, "sum"),
        Column("macs_share", "MACs %", "share", 3, "sum"),
        Column("flops", "FLOPs", "count", 8, "sum"),
        Column("flops_share", "FLOPs %", "share", 1, "sum"),
        Column("reported", "reported", "count", 9, "sum"),
        Column("weights", "weights", "count", 5, "sum"),
        Column("biases", "biases", "count", 5, "sum"),
        Column("norm_params", "norm params", "count", 5, "sum"),
        Column("other_params", "other params", "count", 5, "sum"),
        Column("buffers", "buffers", "count", 5, "sum"),
        Column("read", "read", "count", 5, "sum"),
        Column("written", "written", "count", 5, "sum"),
    )
}
_COSTS = ("params", "params_share", "macs", "macs_share", "flops", "flops_share")
DEFAULT_COLUMNS = {
    "layer": ("path", "kind", "input", "output", "kernel", "stride", "groups", *_COSTS),
    "block": ("path", "kind", "input", "output", "layers", *_COSTS),
    "stage": ("path", "input", "output", "layers", *_COSTS),
    "kind": ("kind", "layers", *_COSTS),
}
MACHINE_COLUMNS = (
    "path",
    "kind",
    "input",
    "output",
    "kernel",
    "stride",
    "groups",
    "count",
    "layers",
    "params",
    "macs",
    "flops",
)
_OF_ROW = ("path", "kind", "input", "output", "kernel", "stride", "groups", "count", "layers")
_SHARES = {"params_share": "params", "macs_share": "macs", "flops_share": "flops"}


def cost_table(
    analysis: Analysis,
    *,
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    top: int | None = None,
    fold: bool = False,
    title: str = "",
    usual: Sequence[str] | None = None,
) -> Table:
    """The rows of ``analysis`` as a table.

    Args:
        analysis: what to show.
        columns: keys of :data:`COLUMNS`, or their headings; ``usual`` where not given.
        sort: column to sort by, largest first; execution order where not given.
        top: how many rows to keep.
        fold: show equal repeats as one row, with how many there are.
        title: heading.
        usual: the columns to show where none are asked for; those that suit the grouping where not given.

    Raises:
        UsageError: an unknown column.
    """
    usual = _default_columns(analysis) if usual is None else usual
    asked = {column_named(name, COLUMNS.values()).key for name in (*(columns or ()), sort) if name and name != "repeat"}
    keys = [key for key in COLUMNS if key != "reported" or analysis.convention is not PLAIN or key in (*usual, *asked)]
    table = Table(
        title,
        tuple(_titled(COLUMNS[key], analysis) for key in keys),
        [tuple(value_of(row, key, analysis) for key in keys) for row in analysis.rows],
        tuple(_total(key, analysis) for key in keys),
        (CONVENTION_LINE, *reported_notes(analysis.reported)),
    )
    return arranged(table, usual, Arrangement(columns, sort, top, fold))


def _default_columns(analysis: Analysis) -> tuple[str, ...]:
    keys = DEFAULT_COLUMNS[analysis.by]
    if analysis.convention is not PLAIN:
        keys = (*keys, "reported")
    if analysis.by == "layer" and any(type(row.count) is not int or row.count != 1 for row in analysis.rows):
        return (*keys[:7], "count", *keys[7:])
    return keys


def _titled(column: Column, analysis: Analysis) -> Column:
    """``column`` with its heading; the reported number is headed by whose it is."""
    return column._replace(title=reported_title(analysis.convention)) if column.key == "reported" else column


def value_of(row: Row, key: str, analysis: Analysis) -> Any:
    """The value of a row in one of :data:`COLUMNS`."""
    if key in _OF_ROW:
        return getattr(row, key)
    if key == "reported":
        return analysis.reported_of(row)
    if key in _SHARES:
        whole = getattr(analysis.totals, _SHARES[key])
        return Fraction(getattr(row.work, _SHARES[key]), whole) if whole else None
    return getattr(row.work, key)


def _total(key: str, analysis: Analysis) -> Any:
    if key == "reported":
        return analysis.reported.value(analysis.batch)
    if key in _SHARES:
        return Fraction(1) if getattr(analysis.totals, _SHARES[key]) else None
    if key == "layers":
        return sum(row.layers for row in analysis.rows)
    return None if key in _OF_ROW else getattr(analysis.totals, key)


def analysis_data(analysis: Analysis, rows: Table, by: str) -> dict[str, Any]:
    """The result of ``analyze``.

    Args:
        analysis: what was counted.
        rows: its rows, in the columns to print.
        by: what a row stands for.
    """
    graph = analysis.graph
    return {
        "schema": schema("analyze"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "output": graph.nodes[graph.output].shape,
        "batch": analysis.batch,
        "by": by,
        "convention": convention_data(analysis.convention),
        "totals": totals_data(analysis.totals, analysis.reported, analysis.batch),
        "notes": list(analysis.reported.written.notes),
        "rows": records(rows),
    }


def machine_columns(analysis: Analysis, *, reported: bool = False) -> tuple[str, ...]:
    """The columns that machine formats have where none are asked for."""
    return (*MACHINE_COLUMNS, "reported") if reported or analysis.convention is not PLAIN else MACHINE_COLUMNS
