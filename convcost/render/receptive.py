"""Receptive fields as tables and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.metrics.receptive import last_map, outgrown_at, path_of, receptive_fields
from convcost.metrics.report import analyze
from convcost.numbers.arithmetic import normal
from convcost.render.headings import heading
from convcost.render.results import schema
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from convcost.metrics.receptive import Seen
    from convcost.network.graph import Graph

_COLUMNS = (
    Column("path", "path", "name", 9),
    Column("kind", "kind", "text", 7),
    Column("output", "output", "shape", 6),
    Column("kernel", "kernel", "sizes", 5),
    Column("step", "stride", "sizes", 4),
    Column("field", "receptive field", "sizes", 9),
    Column("jump", "effective stride", "sizes", 8),
    Column("start", "start", "sizes", 6),
    Column("through", "through", "name", 5),
)
NOTE = (
    "receptive field: the positions of the input that one position depends on; effective stride: the step in the input "
    "from one position to the next; start: the centre of the first receptive field, counted from 0; at a merge the "
    "largest field, with the branch it comes through"
)


def receptive_table(graph: Graph) -> Table:
    """One row a layer that has positions."""
    seen = receptive_fields(graph)
    shapes = {row.path: row for row in analyze(graph).rows}
    rows = []
    for node in graph.layers:
        if len(node.shape) == 1:
            continue
        found, row = seen[node.index], shapes[node.path]
        through = graph.nodes[found.through or 0].path if node.layer.merges else None
        values = (_sizes(found), _strides(found), _starts(found))
        rows.append((node.path, node.kind, node.shape, row.kernel, row.stride, *values, through))
    return Table(heading(graph), _COLUMNS, rows, None, (*summary(graph, seen), NOTE))


def _sizes(seen: Seen) -> tuple[int, ...]:
    return seen.sizes


def _strides(seen: Seen) -> tuple[Any, ...]:
    return tuple(normal(field.stride) for field in seen.fields)


def _starts(seen: Seen) -> tuple[Any, ...]:
    return tuple(_decimal(field.start) for field in seen.fields)


def _decimal(value: Any) -> Any:
    """A centre falls on a position or between two: 15 or 15.5."""
    return value if value is None else normal(value) if value.denominator == 1 else float(value)


def summary(graph: Graph, seen: dict[int, Seen]) -> list[str]:
    """What to know first: the last map, where the input is outgrown, where everything is seen."""
    last = last_map(graph)
    found = seen[last.index]
    lines = [f"last map: {last.path}, {_by(last.shape[1:])} positions that see {_by(found.sizes)}"]
    lines[0] += f", one every {_by(_strides(found))}"
    grown = outgrown_at(seen)
    if grown is not None:
        lines.append(f"larger than the input of {_by(graph.input[1:])} from {grown.path} on")
    everywhere = next((one for one in seen.values() if one.everywhere), None)
    if everywhere is not None:
        lines.append(
            f"from {everywhere.node.path} on every position also sees the whole input, through a global pool, a "
            "norm over the map or taps at any offset; the sizes are those of the other paths"
        )
    return lines


def _by(values: Any) -> str:
    return "x".join(str(value) for value in values)


def receptive_data(graph: Graph) -> dict[str, Any]:
    """The result of ``receptive``."""
    seen = receptive_fields(graph)
    last = last_map(graph)
    grown = outgrown_at(seen)
    return {
        "schema": schema("receptive"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "last_map": {
            **_seen_data(graph, seen[last.index]),
            "path_of_layers": [node.path for node in path_of(graph, seen, last.index)],
        },
        "outgrown_at": None if grown is None else grown.path,
        "rows": [_seen_data(graph, seen[node.index]) for node in graph.layers],
        "notes": [NOTE],
    }


def _seen_data(graph: Graph, seen: Seen) -> dict[str, Any]:
    return {
        "path": seen.node.path,
        "kind": seen.node.kind,
        "output": seen.node.shape,
        "size": seen.sizes,
        "stride": _strides(seen),
        "start": [_decimal(field.start) for field in seen.fields],
        "padding": [field.padding for field in seen.fields],
        "through": None if seen.through is None else graph.nodes[seen.through].path,
        "everywhere": seen.everywhere,
    }
