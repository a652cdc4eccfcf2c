"""Results as data: the documented JSON of every command (see ``docs/json.md``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.cost import PLAIN_COUNTS
from convcost.table import sorted_rows

if TYPE_CHECKING:
    from convcost.conventions.model import Convention
    from convcost.conventions.reported import Reported
    from convcost.layers.base import Work
    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row

SCHEMA_VERSION = 1


def schema(command: str) -> str:
    """The name of the shape of a result: ``convcost/analyze/1``."""
    return f"convcost/{command}/{SCHEMA_VERSION}"


def convention_data(convention: Convention) -> dict[str, Any]:
    """Whose number ``reported`` is and in which unit; what the plain params, macs and flops count."""
    return {
        "name": convention.name,
        "unit": convention.unit,
        "reported": convention.doc,
        "source": convention.source,
        **PLAIN_COUNTS,
    }


def totals_data(work: Work, reported: Reported, batch: int = 1) -> dict[str, Any]:
    """Totals, the parts of params, and what the convention's tool would print."""
    names = ("params", "macs", "flops", "weights", "biases", "norm_params", "other_params", "buffers")
    counts = {name: getattr(work, name) for name in names}
    return {**counts, "reported": reported.value(batch), "reported_params": reported.params}


def row_data(row: Row, analysis: Analysis) -> dict[str, Any]:
    """One row; figures are for all ``count`` copies."""
    return {
        "path": row.path,
        "kind": row.kind,
        "input": row.input,
        "output": row.output,
        "kernel": row.kernel,
        "stride": row.stride,
        "groups": row.groups,
        "count": row.count,
        "layers": row.layers,
        "params": row.work.params,
        "macs": row.work.macs,
        "flops": row.work.flops,
        "reported": analysis.reported_of(row),
    }


def analysis_data(analysis: Analysis, *, sort: str | None = None, top: int | None = None) -> dict[str, Any]:
    """The result of ``analyze``."""
    graph = analysis.graph
    rows = analysis.rows if sort is None else sorted_rows(analysis, sort)
    return {
        "schema": schema("analyze"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "output": graph.nodes[graph.output].shape,
        "batch": analysis.batch,
        "by": analysis.by,
        "convention": convention_data(analysis.convention),
        "totals": totals_data(analysis.totals, analysis.reported, analysis.batch),
        "notes": list(analysis.reported.written.notes),
        "rows": [row_data(row, analysis) for row in rows[:top]],
    }
