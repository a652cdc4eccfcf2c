"""What ``receptive`` says beside its rows: what the last map sees, and where the input is outgrown."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.metrics.presets import PRESETS
from convcost.metrics.receptive import outgrown_at, path_of
from convcost.metrics.registry import METRICS
from convcost.metrics.rows import Row, rows_of
from convcost.network.headings import heading
from convcost.render.analysis import Parts
from convcost.tables.table import Column, Table
from convcost.tables.values import shape

if TYPE_CHECKING:
    from convcost.metrics.report import Analysis

NOTE = "at a merge, the receptive field is the largest of its branches"


def summary(analysis: Analysis) -> list[str]:
    """What to know first: the last map, where the input is outgrown, where everything is seen."""
    last, seen = analysis.last_map, analysis.context.fields
    field, stride = analysis.value("field"), analysis.value("effective_stride")
    step = f"see {shape(field)}, one every {shape(stride)}" if any(stride) else f"all see {shape(field)}"
    lines = [f"last map: {last.node.path}, {shape(last.node.shape[1:])} positions that {step}"]
    grown = outgrown_at(dict(seen))
    if grown is not None:
        lines.append(f"larger than the input of {shape(analysis.graph.input[1:])} from {grown.path} on")
    everywhere = next((node for node in seen.values() if node.everywhere), None)
    if everywhere is not None:
        lines.append(
            f"from {everywhere.node.path} on every position also sees the whole input, through a global pool, a "
            "norm over the map or taps at any offset; the sizes are those of the other paths"
        )
    return lines


def receptive_data(analysis: Analysis) -> dict[str, Any]:
    """The last map, as a row with the layers that carry its receptive field, and where the input is outgrown."""
    graph, seen, last = analysis.graph, dict(analysis.context.fields), analysis.last_map
    grown = outgrown_at(seen)
    start = Row("input", "input", None, graph.input, last.node.work, nodes=(graph.nodes[0],))
    row = next((row for row in rows_of(graph) if row.nodes[0] is last.node), start)
    record = {key: METRICS[key].of(row, analysis.context) for key in PRESETS["receptive"].machine}
    path = [node.path for node in path_of(graph, seen, last.node.index)]
    return {
        "last_map": {**record, "path_of_layers": path},
        "outgrown_at": None if grown is None else grown.path,
    }


def channels_table(analysis: Analysis) -> Table:
    """How many channels of the input a channel of every layer depends on."""
    whole = sum(analysis.graph.nodes[index].shape[0] for index in analysis.graph.inputs.values())
    mixed = analysis.channels
    rows = [
        (each.node.path, each.node.kind, each.node.shape, each.least, each.most, Fraction(each.least, whole))
        for each in mixed
    ]
    last = next(each for each in mixed if each.node.index == analysis.graph.output)
    total = (None, None, None, last.least, last.most, Fraction(last.least, whole))
    columns = (
        METRICS["path"].column,
        METRICS["kind"].column,
        METRICS["output"].column,
        Column("least_channels", "at least", "count", 9),
        Column("most_channels", "at most", "count", 9),
        Column("channels_share", "of the input", "share", 8),
    )
    note = f"channels of the input, of {whole}, that a channel depends on, through all paths; of the input: the least"
    return Table(heading(analysis.graph), columns, rows, total, (note,))


RECEPTIVE = Parts(notes=summary, data=receptive_data, doc=NOTE)
