"""Two networks row by row, and several networks as one plain table; as tables and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.errors import UsageError
from convcost.metrics.registry import metric
from convcost.network.cost import CONVENTION_LINE
from convcost.network.headings import heading
from convcost.render.analysis import meanings, titled
from convcost.render.results import schema
from convcost.tables.data import data_of
from convcost.tables.table import HINT, NUMBERS, Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.api.counts import Networks
    from convcost.metrics.difference import Change, Difference
    from convcost.metrics.registry import Metric
    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row
    from convcost.network.graph import Graph


def numbers(names: Iterable[str]) -> list[Metric]:
    """The metrics called ``names``, which must be numbers.

    Raises:
        UsageError: a name is no metric, or its metric is not a number.
    """
    records = [metric(name) for name in names]
    for record in records:
        if record.form not in NUMBERS:
            raise UsageError(f"--columns: {record.key} is not a number")
    return records


def difference_table(difference: Difference, names: Sequence[str], *, changed: bool = False) -> Table:
    """Before, after, the difference and the change in per cent, of each metric, for each row.

    Args:
        difference: two networks and their matched rows.
        names: metrics that are numbers.
        changed: leave out rows in which none of them changes.

    Raises:
        UsageError: an unknown metric, one that is not a number, or one that needs a device.
    """
    records = numbers(names)
    columns = [Column("path", "path", "name", 9, "same")]
    for record in records:
        title = titled(record.column, difference.after).title
        columns += [
            Column(f"{record.key}_before", title, record.form, record.keep),
            Column(f"{record.key}_after", "after", record.form, record.keep),
            Column(f"{record.key}_delta", "change", record.form, record.keep),
            Column(f"{record.key}_change", "%", "share", 7),
        ]
    rows = [(change.path, *_cells(change, records, difference)) for change in difference.changes]
    if changed:
        rows = [row for row in rows if any(row[3::4])]
    whole = [_values(*_totals(record, difference)) for record in records]
    before, after = difference.before.graph, difference.after.graph
    return Table(
        f"{heading(before, difference.before.batch)} -> {heading(after, difference.after.batch)}",
        tuple(columns),
        rows,
        ("total", *(cell for cells in whole for cell in cells)),
        (*meanings(records, difference.after.context), CONVENTION_LINE),
        hint=HINT,
    )


def _cells(change: Change, records: Sequence[Metric], difference: Difference) -> Iterable[Any]:
    for record in records:
        before = _of(record, change.before, difference.before)
        after = _of(record, change.after, difference.after)
        yield from _values(before, after)


def _of(record: Metric, row: Row | None, analysis: Analysis) -> Any:
    return None if row is None else record.of(row, analysis.context)


def _totals(record: Metric, difference: Difference) -> tuple[Any, Any]:
    return difference.before.value(record.key), difference.after.value(record.key)


def _values(before: Any, after: Any) -> tuple[Any, Any, Any, Fraction | None]:
    """Before, after, the difference, and its share of before; what one side does not have counts as nothing."""
    if before is None and after is None:
        return None, None, None, None
    delta = (0 if after is None else after) - (0 if before is None else before)
    return before, after, delta, Fraction(delta) / Fraction(before) if before else None


def difference_data(difference: Difference, names: Sequence[str], by: str, *, changed: bool = False) -> dict[str, Any]:
    """The result of ``diff``."""
    records = numbers(names)

    def compared(record: Metric, before: Any, after: Any) -> dict[str, Any]:
        first, second, delta, change = _values(before, after)
        costs = {"before": first, "after": second, "delta": delta}
        return {
            **{key: data_of(value, record.form) for key, value in costs.items()},
            "change": data_of(change, "share"),
        }

    rows = []
    for change in difference.changes:
        values = {
            record.key: compared(
                record, _of(record, change.before, difference.before), _of(record, change.after, difference.after)
            )
            for record in records
        }
        if not changed or any(value["delta"] for value in values.values()):
            paths = {
                "before": None if change.before is None else change.before.path,
                "after": None if change.after is None else change.after.path,
            }
            rows.append({"path": change.path, "paths": paths, **values})
    return {
        "schema": schema("diff"),
        "before": _network(difference.before.graph),
        "after": _network(difference.after.graph),
        "by": by,
        "totals": {record.key: compared(record, *_totals(record, difference)) for record in records},
        "rows": rows,
    }


def _network(graph: Graph) -> dict[str, Any]:
    return {"name": graph.name, "title": graph.title, "parameters": graph.parameters, "input": graph.input}


def networks_table(networks: Networks) -> Table:
    """One row for each network."""
    records = [metric(name) for name in networks.columns]
    first = networks.analyses[0]
    rows = [
        (label, analysis.graph.entering, *(analysis.value(record.key) for record in records))
        for label, analysis in zip(networks.labels, networks.analyses, strict=True)
    ]
    columns = (
        Column("network", "network", "name", 9),
        Column("input_size", "input", "text", 7),
        *(titled(record.column, first) for record in records),
    )
    return Table("", columns, rows, None, (*meanings(records, first.context), CONVENTION_LINE), hint=HINT)


def networks_data(networks: Networks) -> dict[str, Any]:
    """The result of ``table``."""
    records = [metric(name) for name in networks.columns]
    items = [
        {
            **_network(analysis.graph),
            "label": label,
            "totals": {record.key: data_of(analysis.value(record.key), record.form) for record in records},
        }
        for label, analysis in zip(networks.labels, networks.analyses, strict=True)
    ]
    return {"schema": schema("table"), "items": items}
