"""Results as data: the documented JSON of every command (see ``docs/json.md``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.cost import CONVENTION
from convcost.table import sorted_rows

if TYPE_CHECKING:
    from convcost.layers.base import Work
    from convcost.report import Analysis, Row

SCHEMA_VERSION = 1


def schema(command: str) -> str:
    """The name of the shape of a result: ``convcost/analyze/1``."""
    return f"convcost/{command}/{SCHEMA_VERSION}"


def totals_data(work: Work) -> dict[str, Any]:
    """Totals, and the parts of params."""
    names = ("params", "macs", "flops", "weights", "biases", "norm_params", "other_params", "buffers")
    return {name: getattr(work, name) for name in names}


def row_data(row: Row) -> dict[str, Any]:
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
        "convention": CONVENTION,
        "totals": totals_data(analysis.totals),
        "rows": [row_data(row) for row in rows[:top]],
    }
