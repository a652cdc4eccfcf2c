"""The cost of a network as a tree of its stages, blocks and layers: what a terminal shows first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.conventions.model import PLAIN
from convcost.metrics.registry import Metric, metric
from convcost.metrics.rows import rows_of
from convcost.network.headings import heading
from convcost.render.analysis import NOTHING, counting_notes, known_part, titled
from convcost.render.headings import reported_title
from convcost.tables.table import HINT, Branch, Column, Table, common_path, without_copies
from convcost.tables.values import shape, si

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row
    from convcost.render.analysis import Parts

SCREEN = 40  # rows that are taken in at once
LEVEL = "level"
_LEVEL = Column(LEVEL, LEVEL, "times", 3, "same")


class Twig(NamedTuple):
    """A stage, block or layer, or several equal ones, with what is inside.

    Attributes:
        row: one of them.
        path: of all of them.
        times: how many they are.
        inside: what each of them consists of, to the depth that is shown.
    """

    row: Row
    path: str
    times: int
    inside: tuple[Twig, ...]


def twigs(analysis: Analysis, depth: int | None, *, fold: bool, shown: Sequence[Metric] = ()) -> tuple[Twig, ...]:
    """The tree of a network.

    Args:
        analysis: of which graph, for which batch.
        depth: how many levels; all of them where None.
        fold: whether equal blocks that differ only in their number are one twig.
        shown: metrics in which they must be equal too.
    """
    deepest = max((node.path.count("/") + 1 for node in analysis.graph.layers), default=1)
    inside: dict[str, list[Row]] = {}
    seen: set[str] = set()
    for level in range(1, min(depth or deepest, deepest) + 1):
        for row in rows_of(analysis.graph, depth=level, batch=analysis.batch):
            if row.path not in seen:
                seen.add(row.path)
                inside.setdefault(row.path.rpartition("/")[0] if level > 1 else "", []).append(row)
    own = [record for record in shown if record.key not in ("path", "repeat")]

    def values(row: Row) -> tuple[Any, ...]:
        return tuple(record.of(row, analysis.context) for record in own)

    return _grown("", inside, values if fold else None)


def _grown(
    parent: str, inside: dict[str, list[Row]], values: Callable[[Row], tuple[Any, ...]] | None
) -> tuple[Twig, ...]:
    grown = [Twig(row, row.path, 1, _grown(row.path, inside, values)) for row in inside.get(parent, ())]
    if values is None:
        return tuple(grown)
    groups: dict[Any, list[Twig]] = {}
    for twig in grown:
        groups.setdefault((_alike(twig), values(twig.row)), []).append(twig)
    return tuple(
        members[0]._replace(path=common_path([twig.path for twig in members]), times=len(members))
        for members in groups.values()
    )


def _alike(twig: Twig) -> Any:
    """What twigs must have in common to be shown as one."""
    row = twig.row
    own = (without_copies(_label(row.path)), row.kind, row.input, row.output, row.count, *row.work.as_dict().values())
    return (*own, twig.times, *map(_alike, twig.inside))


def _label(path: str) -> str:
    return path.rpartition("/")[2]


def screenful(analysis: Analysis, *, fold: bool) -> int:
    """The most levels that fit on a screen; at least one."""
    depth, rows = 1, _rows(twigs(analysis, 1, fold=fold))
    while True:
        more = _rows(twigs(analysis, depth + 1, fold=fold))
        if more > SCREEN or more == rows:
            return depth
        depth, rows = depth + 1, more


def _rows(grown: Sequence[Twig]) -> int:
    return sum(1 + _rows(twig.inside) for twig in grown)


def tree_table(
    analysis: Analysis,
    *,
    columns: Sequence[str] | None = None,
    depth: int | None = None,
    fold: bool = True,
    usual: Sequence[str] | None = None,
    parts: Parts = NOTHING,
) -> Table:
    """One row for each stage, block and layer, what is inside below it; figures of a row include what is inside.

    Args:
        analysis: what to show.
        columns: metrics by key or heading; ``usual`` where not given.
        depth: how many levels; all of them where not given.
        fold: show equal blocks as one row, with how many there are.
        usual: the columns to show where none are asked for; those of the preset where not given.
        parts: what the command adds.

    Raises:
        UsageError: an unknown metric, or one that needs a device.
    """
    usual = analysis.preset.tree if usual is None else usual
    if any(node.shared for node in analysis.graph.layers):
        usual = (*usual, "shared")
    asked = [None if key.strip().lower() == LEVEL else metric(key) for key in (usual if columns is None else columns)]
    shown = [record for record in asked if record is not None]
    grown = twigs(analysis, depth, fold=fold, shown=shown)
    notes = (
        *parts.notes(analysis),
        *counting_notes(shown, analysis),
        *([parts.doc] if parts.doc else []),
        "every layer: --by layer; --depth N for fewer levels",
    )
    return Table(
        heading(analysis.graph, analysis.batch),
        tuple(_LEVEL if record is None else _column(record, analysis) for record in asked),
        [
            tuple(line.level if record is None else _cell(line, record, analysis) for record in asked)
            for line in _lines(grown, "", 1)
        ],
        None,
        notes,
        box=_facts(analysis),
        hint=HINT if columns is None and analysis.preset.hides else "",
    )


def _column(record: Metric, analysis: Analysis) -> Column:
    column = titled(record.column, analysis)
    return column._replace(form="bar", keep=8) if column.key == "macs_share" else column


class _Line(NamedTuple):
    twig: Twig
    times: int
    branch: Branch
    level: int


def _lines(grown: Sequence[Twig], lead: str, level: int, times: int = 1) -> Iterator[_Line]:
    """The lines of a tree, each with how often its figures count."""
    for place, twig in enumerate(grown):
        last = place == len(grown) - 1
        corner = "" if level == 1 else "└─ " if last else "├─ "
        label = _label(twig.path) + (f" x {twig.times}" if twig.times > 1 else "")
        yield _Line(twig, times * twig.times, Branch(lead + corner, label, twig.path, level - 1), level)
        below = "" if level == 1 else "   " if last else "│  "
        yield from _lines(twig.inside, lead + below, level + 1, times * twig.times)


def _cell(line: _Line, record: Metric, analysis: Analysis) -> Any:
    if record.key == "path":
        return line.branch
    if record.key == "repeat":
        return line.times
    value = record.of(line.twig.row, analysis.context)
    value = value * line.times if record.combine == "sum" and value is not None else value
    return known_part(record, line.twig.row, value)


def _facts(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """The box of totals."""
    from convcost.metrics.dtypes import bytes_of  # noqa: PLC0415 - only the tree pays for it

    totals, graph, dtype = analysis.totals, analysis.graph, analysis.context.weights_dtype
    size = si(int(bytes_of(totals.params, dtype)))
    least = ">= " if graph.status == "partial" else ""
    hidden = ">= " if graph.hides_parameters else ""
    facts = [
        *((name, shape(graph.nodes[index].shape)) for name, index in graph.inputs.items()),
        ("output", shape(graph.nodes[graph.output].shape)),
        *((f"output {name}", shape(graph.nodes[index].shape)) for name, index in graph.outputs.items()),
        ("layers", f"{len(graph.layers):,}"),
        ("parameters", f"{hidden}{totals.params:,} ({size}{'B' if size[-1].isalpha() else ' B'} in {dtype})"),
        ("MACs", f"{least}{totals.macs:,} ({si(totals.macs)})"),
        ("FLOPs", f"{least}{totals.flops:,} ({si(totals.flops)})"),
    ]
    if analysis.convention is not PLAIN:
        value = analysis.reported.value(analysis.batch)
        facts.append((reported_title(analysis.convention), f"{value:,}"))
    return tuple(facts)
