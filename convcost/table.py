"""A report as columns and rows of plain values, before anything is said about how it looks."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.conventions.model import PLAIN
from convcost.cost import CONVENTION_LINE
from convcost.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.conventions.model import Convention
    from convcost.conventions.reported import Reported
    from convcost.graph import Graph
    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row


class Column(NamedTuple):
    """One column.

    Attributes:
        key: its name in ``--columns`` and in machine formats.
        title: its heading for people.
        form: how its values are written: ``name``, ``text``, ``shape``, ``sizes``, ``count``, ``share``, ``times``,
            ``decimal``, ``duration``.
        keep: where space is short, columns with the smallest are dropped first; 9 is never dropped.
    """

    key: str
    title: str
    form: str
    keep: int


class Table(NamedTuple):
    """Columns, rows, an optional row of totals, and lines below."""

    title: str
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]
    total: tuple[Any, ...] | None
    notes: tuple[str, ...]


COLUMNS = {
    column.key: column
    for column in (
        Column("path", "layer", "name", 9),
        Column("kind", "kind", "text", 8),
        Column("input", "input", "shape", 5),
        Column("output", "output", "shape", 7),
        Column("kernel", "kernel", "sizes", 6),
        Column("stride", "stride", "sizes", 4),
        Column("groups", "groups", "times", 4),
        Column("count", "copies", "times", 3),
        Column("layers", "layers", "times", 3),
        Column("params", "params", "count", 9),
        Column("params_share", "%", "share", 2),
        Column("macs", "MACs", "count", 9),
        Column("macs_share", "%", "share", 3),
        Column("flops", "FLOPs", "count", 8),
        Column("flops_share", "%", "share", 1),
        Column("reported", "reported", "count", 9),
        Column("weights", "weights", "count", 5),
        Column("biases", "biases", "count", 5),
        Column("norm_params", "norm params", "count", 5),
        Column("other_params", "other params", "count", 5),
        Column("buffers", "buffers", "count", 5),
        Column("read", "read", "count", 5),
        Column("written", "written", "count", 5),
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
REPEAT = Column("repeat", "x", "times", 9)
_SHARES = {"params_share": "params", "macs_share": "macs", "flops_share": "flops"}


def cost_table(
    analysis: Analysis,
    *,
    columns: Sequence[str] | None = None,
    sort: str | None = None,
    top: int | None = None,
    fold: bool = False,
    title: str = "",
) -> Table:
    """The rows of ``analysis`` as a table.

    Args:
        analysis: what to show.
        columns: keys of :data:`COLUMNS`; those that suit the grouping where not given.
        sort: key to sort by, largest first; execution order where not given.
        top: how many rows to keep.
        fold: show equal repeats as one row, with how many there are.
        title: heading.

    Raises:
        UsageError: an unknown column.
    """
    wanted = tuple(_titled(_column(key), analysis) for key in columns or _default_columns(analysis))
    totals = {name: getattr(analysis.totals, name) for name in ("params", "macs", "flops")}
    folded = _fold(analysis) if fold else [(row, 1, row.path) for row in analysis.rows]
    repeats = any(times > 1 for _, times, _ in folded)
    records = [(_values(row, wanted, analysis, totals, times, path), times, row) for row, times, path in folded]
    if sort is not None:
        key = _column(sort).key
        records.sort(key=lambda record: _sort_key(_value(record[2], key, analysis, totals, record[1], record[2].path)))
    notes = [CONVENTION_LINE, *reported_notes(analysis.reported)]
    if top is not None and top < len(records):
        notes.insert(0, f"{len(records) - top} more rows")
        records = records[:top]
    shown = [(*values, times) if repeats else values for values, times, _ in records]
    if repeats:
        wanted = (*wanted, REPEAT)
    return Table(title, wanted, shown, _total(analysis, wanted), tuple(notes))


def _default_columns(analysis: Analysis) -> tuple[str, ...]:
    keys = DEFAULT_COLUMNS[analysis.by]
    if analysis.convention is not PLAIN:
        keys = (*keys, "reported")
    if analysis.by == "layer" and any(type(row.count) is not int or row.count != 1 for row in analysis.rows):
        return (*keys[:7], "count", *keys[7:])
    return keys


def _column(key: str) -> Column:
    key = key.strip().lower()
    key = "path" if key == "layer" else key  # as its heading says
    if key not in COLUMNS:
        raise UsageError(unknown("column", key, COLUMNS))
    return COLUMNS[key]


def _titled(column: Column, analysis: Analysis) -> Column:
    """``column`` with its heading; the reported number is headed by whose it is."""
    return column._replace(title=reported_title(analysis.convention)) if column.key == "reported" else column


def reported_title(convention: Convention) -> str:
    """The heading of a reported number: whose it is, and its unit."""
    return f"{convention.name} {convention.unit}"


def reported_notes(reported: Reported) -> list[str]:
    """What a reader must know of a reported number; nothing for the default convention."""
    convention = reported.convention
    if convention is PLAIN:
        return []
    what = f": {convention.doc}" if convention.doc else ""
    return [f"{reported_title(convention)}{what}", *reported.written.notes]


def _values(
    row: Row, columns: Iterable[Column], analysis: Analysis, totals: dict[str, Any], times: int, path: str
) -> tuple[Any, ...]:
    return tuple(_value(row, column.key, analysis, totals, times, path) for column in columns)


def _value(row: Row, key: str, analysis: Analysis, totals: dict[str, Any], times: int, path: str) -> Any:
    if key == "path":
        return path
    if key == "reported":
        return analysis.reported_of(row) * times
    if key in _SHARES:
        whole = totals[_SHARES[key]]
        return Fraction(times * getattr(row.work, _SHARES[key]), whole) if whole else None
    if key in ("kind", "input", "output", "kernel", "stride", "groups", "count"):
        return getattr(row, key)
    if key == "layers":
        return row.layers * times
    return getattr(row.work, key) * times


def _sort_key(value: Any) -> tuple[int, Any]:
    if value is None:
        return (2, 0)
    return (0, -value) if isinstance(value, int | Fraction) else (1, str(value))


def _total(analysis: Analysis, columns: Iterable[Column]) -> tuple[Any, ...]:
    values: list[Any] = []
    for column in columns:
        if column.key == "reported":
            values.append(analysis.reported.value(analysis.batch))
        elif column.form == "count":
            values.append(getattr(analysis.totals, column.key))
        elif column.form == "share":
            values.append(Fraction(1) if getattr(analysis.totals, _SHARES[column.key]) else None)
        elif column.key == "layers":
            values.append(sum(row.layers for row in analysis.rows))
        else:
            values.append("total" if not values else None)
    return tuple(values)


_COPY = re.compile(r"\[(\d+)\]")


def heading(graph: Graph, batch: int = 1) -> str:
    """One line that says what was counted: title, parameters, input."""
    values = ", ".join(f"{name}={shown_value(value)}" for name, value in graph.parameters.items())
    batches = "" if batch == 1 else f", batch {batch}"
    return f"{graph.title}{f' ({values})' if values else ''}, input {'x'.join(map(str, graph.input))}{batches}"


def shown_value(value: Any) -> str:
    """A parameter's value as ``--set`` takes it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, Fraction):
        decimal = str(float(value))
        return decimal if Fraction(decimal) == value else str(value)
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def sorted_rows(analysis: Analysis, sort: str) -> list[Row]:
    """The rows of ``analysis``, largest first in the column ``sort``.

    Raises:
        UsageError: an unknown column.
    """
    key = _column(sort).key
    totals = {name: getattr(analysis.totals, name) for name in _SHARES.values()}
    return sorted(analysis.rows, key=lambda row: _sort_key(_value(row, key, analysis, totals, 1, row.path)))


def _fold(analysis: Analysis) -> list[tuple[Row, int, str]]:
    """Rows that differ only in the number of their copy, as one: ``unit[2-4]``, three times."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in analysis.rows:
        key = (
            _COPY.sub("[]", row.path),
            row.kind,
            row.input,
            row.output,
            row.kernel,
            row.stride,
            row.groups,
            row.count,
            row.layers,
            None if analysis.convention is PLAIN else analysis.reported_of(row),
            *row.work.as_dict().values(),
        )
        groups.setdefault(key, []).append(row)
    return [(members[0], len(members), _common_path([row.path for row in members])) for members in groups.values()]


def _common_path(paths: list[str]) -> str:
    if len(paths) == 1:
        return paths[0]
    numbers = [[int(number) for number in _COPY.findall(path)] for path in paths]
    spans = iter([_span(sorted(set(column))) for column in zip(*numbers, strict=True)])
    return _COPY.sub(lambda _: f"[{next(spans)}]", paths[0])


def _span(numbers: list[int]) -> str:
    """``2-4`` for 2, 3, 4; ``2-4,7`` where there is a gap."""
    parts: list[str] = []
    start = previous = numbers[0]
    for number in [*numbers[1:], None]:
        if number is not None and number == previous + 1:
            previous = number
            continue
        parts.append(str(start) if start == previous else f"{start}-{previous}")
        if number is not None:
            start = previous = number
    return ",".join(parts)


def fold_rows(table: Table, additive: Iterable[str]) -> Table:
    """``table`` with rows that differ only in the number of their copy as one row, with how many there are.

    Args:
        table: its column ``path`` names the rows.
        additive: keys of columns whose values are summed over the copies.
    """
    keys = [column.key for column in table.columns]
    place, sums = keys.index("path"), set(additive)
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in table.rows:
        same = (*row[:place], _COPY.sub("[]", row[place]), *row[place + 1 :])
        groups.setdefault(same, []).append(row)
    if all(len(members) == 1 for members in groups.values()):
        return table
    rows = []
    for members in groups.values():
        times = len(members)
        merged = [
            value * times if key in sums and value is not None else value
            for key, value in zip(keys, members[0], strict=True)
        ]
        merged[place] = _common_path([member[place] for member in members])
        rows.append((*merged, times))
    total = None if table.total is None else (*table.total, None)
    return table._replace(columns=(*table.columns, REPEAT), rows=rows, total=total)
