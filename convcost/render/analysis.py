"""Rows of a network as a table and as data: what ``analyze`` and the other commands with rows print."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.layers.operator import Hidden
from convcost.metrics.presets import COSTS
from convcost.metrics.registry import METRICS, metric
from convcost.network.cost import ALL_QUANTITIES, CONVENTION_LINE, PER_MODEL, unknown_line
from convcost.network.graph import UNKNOWN
from convcost.network.headings import heading
from convcost.numbers.arithmetic import total
from convcost.records import NamedTuple
from convcost.render.headings import reported_notes, reported_title
from convcost.render.results import convention_data, device_data, schema, totals_data
from convcost.tables.data import data_of, records
from convcost.tables.table import HINT, AtLeast, Column, Table, labelled, rank

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.metrics.registry import Context, Metric
    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row
    from convcost.network.graph import Graph

_WHAT = ("path", "kind", "input", "output", "kernel", "stride", "groups", "count")  # a row is, not what it costs
_OF_ONE_LAYER = ("access_cost", "access_cost_bound", "excess", "through", "shared", "repeat")
_WITHOUT_TOTAL = (*_WHAT[1:], *_OF_ONE_LAYER)
_REGARDLESS = (*ALL_QUANTITIES, "buffers", "saved", "backward_macs", "backward_flops", *_OF_ONE_LAYER)
_REGARDLESS += ("field", "effective_stride", "start", "padding", "everywhere")  # of formats and fusing
_EXPLAINED = (
    *_WHAT,
    *COSTS,
    "layers",
    "reported",
    "shared",
    "repeat",
)  # by the line on the convention, or by themselves
_KNOWN = (
    *_WHAT[:3],
    "layers",
    "count",
    "repeat",
    "params",
    "params_share",
    "size",
    *PER_MODEL,
)  # of unknown layers too
_PARAMETERS = ("params", "params_share", "size", *PER_MODEL)  # known unless the layers of a file hide them
TARGET = Column("target", "target", "name", 9)


class Parts(NamedTuple):
    """What a command adds to its rows.

    Attributes:
        notes: lines below the rows, before those on what is counted.
        tables: further tables for people.
        data: further keys of JSON; those under ``totals`` join the totals.
        doc: a sentence on the model, below the other notes and in JSON.
    """

    notes: Callable[[Analysis], Sequence[str]] = lambda _: ()
    tables: Callable[[Analysis], Sequence[Table]] = lambda _: ()
    data: Callable[[Analysis], dict[str, Any]] = lambda _: {}
    doc: str = ""


NOTHING = Parts()


def cost_table(
    analysis: Analysis,
    *,
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    top: int | None = None,
    fold: bool = False,
    title: str = "",
    usual: Sequence[str] | None = None,
    parts: Parts = NOTHING,
) -> Table:
    """Metrics of the rows of ``analysis`` as a table.

    Args:
        analysis: what to show.
        columns: metrics by key or heading; ``usual`` where not given.
        sort: metric to sort by, largest first; execution order where not given.
        top: how many rows to keep.
        fold: show repeats that are equal in what is shown as one row, with how many there are.
        title: heading.
        usual: the columns to show where none are asked for; those of the preset that apply where not given.
        parts: what the command adds.

    Raises:
        UsageError: an unknown metric, or one that needs a device.
        UnsupportedError: a metric cannot be evaluated for this network.
    """
    rows, notes = (analysis.rows, []) if columns is not None else _with_subject(analysis)
    usual = _applying(analysis, rows) if usual is None else usual
    shown = [metric(key) for key in (usual if columns is None else columns)]
    by = None if sort is None else metric(sort)
    if fold:
        compared = [record.key for record in (*shown, *([by] if by else [])) if record.key != "repeat"]
        rows = analysis.folded(compared, rows)
        if columns is None and any(row.repeat > 1 for row in rows):
            shown.append(METRICS["repeat"])
    if by is not None:
        rows = tuple(sorted(rows, key=lambda row: rank(by.of(row, analysis.context))))
    if top is not None and top < len(rows):
        notes = [f"{len(rows) - top} more rows", *notes]
        rows = rows[:top]
    return Table(
        title,
        tuple(titled(record.column, analysis) for record in shown),
        [tuple([_known(record, row, analysis.context) for record in shown]) for row in rows],
        labelled(tuple(known_total(record, analysis) for record in shown)),
        (*notes, *parts.notes(analysis), *counting_notes(shown, analysis), *([parts.doc] if parts.doc else [])),
        hint=HINT if columns is None and analysis.preset.hides else "",
    )


def counting_notes(shown: Sequence[Metric], analysis: Analysis) -> list[str]:
    """What the metrics of a table count, and what for."""
    plain = [CONVENTION_LINE] if any(record.key in COSTS for record in shown) else []
    own = [*shared_notes(analysis.graph), *file_notes(analysis.graph)]
    return [*own, *meanings(shown, analysis.context), *plain, *reported_notes(analysis.reported)]


def meanings(shown: Sequence[Metric], context: Context) -> list[str]:
    """What the metrics beyond the plain costs count, and what for."""
    further = [record for record in shown if record.key not in _EXPLAINED]
    if not further:
        return []
    words = ["; ".join(f"{record.title}: {record.doc}" for record in further)]
    if all(record.key in _REGARDLESS for record in further):
        return words
    device = "" if context.device is None else f"; device {context.device.title}"
    fused = "fused" if context.fused else "not fused"
    setting = f"maps {context.dtype}, parameters {context.weights_dtype}; norms and activations {fused}{device}"
    return [*words, setting]


def _with_subject(analysis: Analysis) -> tuple[tuple[Row, ...], list[str]]:
    """The rows that have what the preset is about, and how many have not."""
    preset = analysis.preset
    if not preset.subject:
        return analysis.rows, []
    subject = metric(preset.subject)
    rows = tuple(row for row in analysis.rows if subject.of(row, analysis.context) not in (None, 0))
    absent = len(analysis.rows) - len(rows)
    return rows, [f"{absent} more rows, which {preset.absent}"] if absent else []


def _applying(analysis: Analysis, rows: Sequence[Row]) -> tuple[str, ...]:
    """The columns of the preset that say something of these rows, and those that the context asks for."""
    keys = analysis.preset.columns[analysis.by]
    context = analysis.context
    if analysis.by == "layer":
        if any(type(row.count) is not int or row.count != 1 for row in rows):
            what = [key for key in keys if key in _WHAT]
            keys = (*what, "count", *(key for key in keys if key not in _WHAT))
        optional = ("kernel", "stride", "groups", "excess", "through")
        keys = tuple(
            key for key in keys if key not in optional or any(METRICS[key].of(row, context) is not None for row in rows)
        )
    if any(node.shared for row in rows for node in row.nodes):
        keys = (*keys, "shared")
    return keys if analysis.convention is PLAIN else (*keys, "reported")


def titled(column: Column, analysis: Analysis) -> Column:
    """``column`` with its heading; the reported number is headed by whose it is."""
    return column._replace(title=reported_title(analysis.convention)) if column.key == "reported" else column


def known_total(record: Metric, analysis: Analysis) -> Any:
    """A metric of the whole network, where it has one; the path is left free for the word ``total``."""
    if record.key in ("path", *_WITHOUT_TOTAL):
        return None
    return _known(record, analysis.context.whole, analysis.context)


def _known(record: Metric, row: Row, context: Context) -> Any:
    value = record.of(row, context)
    return known_part(record, row, value) if context.partial else value


def known_part(record: Metric, row: Row, value: Any) -> Any:
    """A value as it is shown: of a row with layers of unknown cost a lower bound, or nothing of one such layer alone.

    Shapes are known all the same, and so are parameters unless a layer hides them; ratios and shares are not.
    """
    if value is None or all(node.kind != UNKNOWN for node in row.nodes):
        return value
    hidden = record.key in _PARAMETERS and any(type(node.layer) is Hidden for node in row.nodes)
    if record.key in _KNOWN and not hidden:
        return value
    if len(row.nodes) == row.repeat or record.combine != "sum" or record.form == "share":
        return None
    return AtLeast(value)


def graph_notes(graph: Graph) -> list[str]:
    """How a file was understood, and which costs it states."""
    stated = [f"stated in the spec, not derived: the costs of {graph.stated}"] if graph.stated else []
    return [*stated, *graph.notes]


def shared_notes(graph: Graph) -> list[str]:
    """How many layers use the parameters of others."""
    users = [node for node in graph.layers if node.shared]
    if not users:
        return []
    again = total(node.borrowed * node.count for node in users)
    again = f"{again:,}" if type(again) is int else again
    layers = "1 layer shares" if len(users) == 1 else f"{len(users)} layers share"
    return [f"{layers} the parameters of others, which are counted once; counted again, there would be {again} more"]


def file_notes(graph: Graph) -> list[str]:
    """What a reader must know of a file: what is stated or unknown of it, and how it was understood."""
    notes = graph_notes(graph)
    light = Counter(operation.operator for operation in graph.unknown if not operation.heavy)
    if light:
        listed = ", ".join(f"{count} {name}" for name, count in light.items())
        notes.insert(0, f"not counted, without multiply-accumulates: {listed}")
    if graph.status == "partial":
        notes.insert(0, f"partial: >= are lower bounds. Not known: {unknown_line(graph)}")
    return notes


def rows_table(analysis: Analysis, parts: Parts = NOTHING, **how: Any) -> Table:
    """:func:`cost_table` under a heading that names the network."""
    return cost_table(analysis, title=heading(analysis.graph, analysis.batch), parts=parts, **how)


def analysis_data(analysis: Analysis, rows: Table, by: str, parts: Parts = NOTHING) -> dict[str, Any]:
    """The result of ``analyze`` or of another command with rows.

    Args:
        analysis: what was counted.
        rows: its rows, in the columns to print.
        by: what a row stands for.
        parts: what the command adds.
    """
    graph, context = analysis.graph, analysis.context
    data = parts.data(analysis)
    counts = totals_data(analysis.totals, analysis.reported, analysis.batch)
    totals = {**_shown_totals(rows, analysis), **counts, **data.pop("totals", {})}
    return {
        "schema": schema(analysis.preset.command),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "inputs": {name: graph.nodes[index].shape for name, index in graph.inputs.items()},
        "output": graph.nodes[graph.output].shape,
        "outputs": {name: graph.nodes[index].shape for name, index in graph.outputs.items()},
        "batch": analysis.batch,
        "dtype": context.dtype,
        "weights_dtype": context.weights_dtype,
        "fused": context.fused,
        "device": None if context.device is None else device_data(context.device),
        "by": by,
        "convention": convention_data(analysis.convention),
        **data,
        "totals": totals if graph.status == "complete" else _bounds(totals, graph),
        "status": graph.status,
        "unknown": unknown_data(graph),
        "notes": [*([parts.doc] if parts.doc else []), *graph_notes(graph), *analysis.reported.written.notes],
        "rows": records(rows),
    }


def _bounds(totals: dict[str, Any], graph: Graph) -> dict[str, Any]:
    """Totals of a graph that is known in part: nothing in place of lower bounds, which have a key of their own."""
    names = ("macs", "flops", "reported", *(("params",) if graph.hides_parameters else ()))
    bounds = {name: totals[name] for name in names}
    return {**totals, **dict.fromkeys(bounds), "at_least": bounds}


def unknown_data(graph: Graph) -> list[dict[str, Any]]:
    """What is not known of a graph, by operator and reason."""
    counts = Counter((operation.operator, operation.reason, operation.heavy) for operation in graph.unknown)
    return [
        {"operator": operator, "count": count, "reason": reason, "may_have_macs": heavy}
        for (operator, reason, heavy), count in counts.items()
    ]


def machine_columns(analysis: Analysis, *, reported: bool = False) -> tuple[str, ...]:
    """The columns that machine formats have where none are asked for."""
    keys = analysis.preset.machine
    return (*keys, "reported") if reported or analysis.convention is not PLAIN else keys


def _shown_totals(rows: Table, analysis: Analysis) -> dict[str, Any]:
    """The metrics of the whole network that are shown."""
    shown = [METRICS[column.key] for column in rows.columns if column.key in METRICS]
    whole = [record for record in shown if record.key not in ("path", *_WITHOUT_TOTAL)]
    return {record.key: data_of(known_total(record, analysis), record.form) for record in whole}


def joined(tables: Sequence[tuple[str, Table]]) -> Table:
    """The rows of the tables of several targets as one table, each with its target."""
    first = tables[0][1]
    rows = [(target, *row) for target, table in tables for row in table.rows]
    return Table("", (TARGET, *first.columns), rows, None, first.notes)
