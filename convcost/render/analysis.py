"""The cost of a network as a table of rows, as a tree, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.metrics.registry import METRICS, metric
from convcost.network.cost import CONVENTION_LINE
from convcost.render.headings import reported_notes, reported_title
from convcost.render.results import convention_data, schema, totals_data
from convcost.tables.data import records
from convcost.tables.table import HINT, NUMBERS, Table, labelled, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.metrics.registry import Context, Metric
    from convcost.metrics.report import Analysis
    from convcost.tables.table import Column

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
_WITHOUT_TOTAL = ("kind", "input", "output", "kernel", "stride", "groups", "count", "excess", "repeat")
_EXPLAINED = (*MACHINE_COLUMNS, *_COSTS, "reported", "repeat")  # by the line on the convention, or by themselves


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
    """Metrics of the rows of ``analysis`` as a table.

    Args:
        analysis: what to show.
        columns: metrics by key or heading; ``usual`` where not given.
        sort: metric to sort by, largest first; execution order where not given.
        top: how many rows to keep.
        fold: show repeats that are equal in what is shown as one row, with how many there are.
        title: heading.
        usual: the columns to show where none are asked for; those that suit the grouping where not given.

    Raises:
        UsageError: an unknown metric, or one that needs a device.
        UnsupportedError: a metric cannot be evaluated for this network.
    """
    usual = _default_columns(analysis) if usual is None else usual
    shown = [metric(key) for key in (usual if columns is None else columns)]
    by = None if sort is None else metric(sort)
    rows = analysis.rows
    if fold:
        rows = analysis.folded([record.key for record in (*shown, *([by] if by else [])) if record.key != "repeat"])
        if columns is None and any(row.repeat > 1 for row in rows):
            shown.append(METRICS["repeat"])
    if by is not None:
        rows = tuple(sorted(rows, key=lambda row: rank(by.of(row, analysis.context))))
    notes = [*meanings(shown, analysis.context), CONVENTION_LINE, *reported_notes(analysis.reported)]
    if top is not None and top < len(rows):
        notes.insert(0, f"{len(rows) - top} more rows")
        rows = rows[:top]
    return Table(
        title,
        tuple(titled(record.column, analysis) for record in shown),
        [tuple(record.of(row, analysis.context) for record in shown) for row in rows],
        labelled(tuple(_total(record, analysis) for record in shown)),
        tuple(notes),
        hint=HINT if columns is None else "",
    )


def meanings(shown: Sequence[Metric], context: Context) -> list[str]:
    """What the metrics beyond the plain costs count, and what for."""
    further = [record for record in shown if record.key not in _EXPLAINED]
    if not further:
        return []
    device = "" if context.device is None else f"; device {context.device.title}"
    fused = "fused" if context.fused else "not fused"
    setting = f"maps {context.dtype}, parameters {context.weights_dtype}; norms and activations {fused}{device}"
    return ["; ".join(f"{record.title}: {record.doc}" for record in further), setting]


def _default_columns(analysis: Analysis) -> tuple[str, ...]:
    keys = DEFAULT_COLUMNS[analysis.by]
    if analysis.convention is not PLAIN:
        keys = (*keys, "reported")
    if analysis.by == "layer" and any(type(row.count) is not int or row.count != 1 for row in analysis.rows):
        return (*keys[:7], "count", *keys[7:])
    return keys


def titled(column: Column, analysis: Analysis) -> Column:
    """``column`` with its heading; the reported number is headed by whose it is."""
    return column._replace(title=reported_title(analysis.convention)) if column.key == "reported" else column


def _total(record: Metric, analysis: Analysis) -> Any:
    """A metric of the whole network, where it has one; the path is left free for the word ``total``."""
    return None if record.key in ("path", *_WITHOUT_TOTAL) else record.of(analysis.context.whole, analysis.context)


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
        "totals": {**_shown_totals(rows, analysis), **totals_data(analysis.totals, analysis.reported, analysis.batch)},
        "notes": list(analysis.reported.written.notes),
        "rows": records(rows),
    }


def machine_columns(analysis: Analysis, *, reported: bool = False) -> tuple[str, ...]:
    """The columns that machine formats have where none are asked for."""
    return (*MACHINE_COLUMNS, "reported") if reported or analysis.convention is not PLAIN else MACHINE_COLUMNS


def _shown_totals(rows: Table, analysis: Analysis) -> dict[str, Any]:
    """Totals of the numbers that are shown."""
    shown = [METRICS[column.key] for column in rows.columns if column.key in METRICS and column.form in NUMBERS]
    return {record.key: _total(record, analysis) for record in shown if record.key not in _WITHOUT_TOTAL}
