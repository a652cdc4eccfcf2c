"""Traffic as tables and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.metrics.traffic import sum_moved, traffic_rows
from convcost.render.headings import heading
from convcost.render.results import schema
from convcost.tables.table import Column, Ratio, Table

if TYPE_CHECKING:
    from convcost.metrics.traffic import TrafficRow
    from convcost.network.graph import Graph
    from convcost.render.memory import Setting

_COLUMNS = (
    Column("path", "path", "name", 9),
    Column("kind", "kind", "text", 8),
    Column("read", "read", "count", 6, "sum"),
    Column("constants", "weights", "count", 6, "sum"),
    Column("written", "written", "count", 6, "sum"),
    Column("bytes", "bytes", "count", 9, "sum"),
    Column("flops", "FLOPs", "count", 7, "sum"),
    Column("intensity", "FLOPs/byte", "decimal", 9, Ratio("flops", "bytes")),
    Column("excess", "MAC/least", "decimal", 4, "same"),
)
NOTES = (
    "read, weights, written: elements; every layer reads its input and its weights from memory once and writes its "
    "output once; views move nothing, a concatenation copies",
    "MAC/least: ShuffleNet V2's memory access cost of a 1x1 convolution, as a multiple of its lower bound",
)
FUSED = "fused: norms and activations run on the output of the convolution or linear layer before them"
UNFUSED = "unfused: norms and activations read and write memory like every other layer"


def traffic_table(graph: Graph, setting: Setting, *, by: str, fused: bool) -> Table:
    """Elements, bytes and operations per byte of every row."""
    rows = traffic_rows(graph, by, fused=fused)
    whole = sum_moved(row.moved for row in rows)
    dtype, weights, batch = setting
    shown = [_row(row, setting) for row in rows]
    total: tuple[Any, ...] = (
        "total",
        None,
        whole.read * batch,
        whole.constants,
        whole.written * batch,
        whole.bytes(dtype, weights, batch),
        whole.flops * batch,
        whole.intensity(dtype, weights, batch),
        None,
    )
    columns = _COLUMNS if any(row.access for row in rows) else _COLUMNS[:-1]
    width = len(columns)
    if by == "kind":
        columns, width = (_COLUMNS[0], *columns[2:]), width - 1
        shown = [(row[0], *row[2:]) for row in shown]
        total = (total[0], *total[2:])
    notes = NOTES if any(row.access for row in rows) else NOTES[:1]
    formats = f"maps {dtype}, weights {weights}"
    return Table(
        f"{heading(graph, batch)}; {formats}",
        columns,
        [row[:width] for row in shown],
        total[:width],
        (*notes, FUSED if fused else UNFUSED),
    )


def _row(row: TrafficRow, setting: Setting) -> tuple[Any, ...]:
    dtype, weights, batch = setting
    moved = row.moved
    return (
        row.path,
        row.kind,
        moved.read * batch,
        moved.constants,
        moved.written * batch,
        moved.bytes(dtype, weights, batch),
        moved.flops * batch,
        moved.intensity(dtype, weights, batch),
        None if row.access is None else row.access.excess,
    )


def traffic_data(graph: Graph, setting: Setting, *, by: str, fused: bool) -> dict[str, Any]:
    """The result of ``traffic``."""
    dtype, weights, batch = setting
    rows = traffic_rows(graph, by, fused=fused)
    whole = sum_moved(row.moved for row in rows)
    return {
        "schema": schema("traffic"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "batch": batch,
        "dtype": dtype,
        "weights_dtype": weights,
        "fused": fused,
        "by": by,
        "totals": moved_data(whole, setting),
        "rows": [
            {
                "path": row.path,
                "kind": row.kind,
                **moved_data(row.moved, setting),
                "access_cost": None if row.access is None else row.access.cost,
                "access_cost_bound": None if row.access is None else row.access.bound,
            }
            for row in rows
        ],
        "notes": [*NOTES, FUSED if fused else UNFUSED],
    }


def moved_data(moved: Any, setting: Setting) -> dict[str, Any]:
    """Elements and bytes of one or more layers."""
    dtype, weights, batch = setting
    intensity = moved.intensity(dtype, weights, batch)
    return {
        "read": moved.read * batch,
        "weights": moved.constants,
        "written": moved.written * batch,
        "elements": moved.elements(batch),
        "bytes": moved.bytes(dtype, weights, batch),
        "flops": moved.flops * batch,
        "flops_per_byte": None if intensity is None else float(intensity),
    }
