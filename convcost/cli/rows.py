"""Commands with rows, and how they answer for one target or for many. Nothing here needs click.

``analyze``, ``memory``, ``traffic``, ``receptive`` and ``roofline`` share all of it. Each has a preset of metrics
(:mod:`convcost.metrics.presets`) and what it adds to the rows.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from convcost.api.targets import resolve
from convcost.catalogue.loader import Catalogue
from convcost.cli.asked import analyzed
from convcost.cli.output import report_error, show
from convcost.cli.typed import targets_of
from convcost.errors import ConvcostError, UsageError
from convcost.metrics.presets import PRESETS, TREE
from convcost.network.cost import unknown_line
from convcost.render.analysis import NOTHING, analysis_data, joined, machine_columns, rows_table
from convcost.render.results import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from convcost.api.targets import Target
    from convcost.cli.asked import Asked
    from convcost.language.model import Spec
    from convcost.metrics.report import Analysis
    from convcost.render.analysis import Parts
    from convcost.tables.table import Table


def report(
    asked: Asked,
    command: str,
    parts: Parts = NOTHING,
    rows: Callable[[Analysis], Table] | None = None,
    *,
    strict: bool = False,
) -> int:
    """Print the rows of every target.

    A spec that is wrong is reported, and the others are printed all the same.

    Args:
        asked: targets and options.
        command: the name of its preset.
        parts: what the command adds to its rows.
        rows: makes the rows in place of the preset.
        strict: whether it is an error if a network is known in part only.

    Returns:
        The exit code: 1 if a spec is wrong, else 0.

    Raises:
        ConvcostError: one is, and ``strict`` is asked for.
    """
    by = asked.by(PRESETS[command].by)

    def table(analysis: Analysis) -> Table:
        return _rows(asked, analysis, by, parts) if rows is None else rows(analysis)

    made: list[tuple[str, list[Table], dict[str, Any]]] = []
    measured: list[tuple[Analysis, Spec, list[Table]]] = []
    partial = ""
    for resolved, analysis in _analyses(asked, command, by):
        target = resolved.given
        if analysis.graph.status == "partial":
            partial = partial or f"{target} is known in part only: {unknown_line(analysis.graph)}"
        with _reported(asked, target):
            first = table(analysis)
            further = [] if asked.machine or rows is not None else parts.tables(analysis)
            data = analysis_data(analysis, first, by, parts) if asked.format_ == "json" else {}
            made.append((target, [first, *further], data))
            measured.append((analysis, resolved.spec, made[-1][1]))
    if made:
        items = [{"target": target, **data} for target, _, data in made]
        several = len(asked.targets) > 1
        show(
            asked.format_,
            asked.output,
            exact=asked.exact,
            tables=lambda: [table for _, tables, _ in made for table in tables],
            data=lambda: {"schema": schema(command), "items": items} if several else made[0][2],
            flat=(lambda: joined([(target, tables[0]) for target, tables, _ in made])) if several else None,
            page=(lambda: _page(measured, exact=asked.exact)) if command == "analyze" else None,
        )
    if strict and partial:
        raise ConvcostError(partial)
    return int(len(made) < len(asked.targets))


def _page(measured: list[tuple[Analysis, Spec, list[Table]]], *, exact: bool) -> str:
    from convcost.render.report import report_page  # noqa: PLC0415 - only a page pays for it

    return report_page(measured, exact_digits=exact)


def _rows(asked: Asked, analysis: Analysis, by: str, parts: Parts) -> Table:
    rows, usual = asked.rows, None
    if asked.machine:
        usual = machine_columns(analysis, reported=asked.format_ == "json")
    if by != TREE:
        return rows_table(
            analysis, parts, columns=asked.columns, sort=rows.sort, top=rows.top, fold=asked.fold, usual=usual
        )
    if rows.sort is not None or rows.top is not None:
        raise UsageError("a tree is in order of execution; --sort and --top are for --by layer, block, stage or kind")
    from convcost.render.tree import LEVEL, screenful, tree_table  # noqa: PLC0415 - only a tree pays for it

    depth = rows.depth or (None if asked.machine else screenful(analysis, fold=asked.fold))
    keys = None if usual is None else (LEVEL, *usual)
    return tree_table(analysis, columns=asked.columns, depth=depth, fold=asked.fold, usual=keys, parts=parts)


def analyses(asked: Asked, command: str) -> list[Analysis]:
    """The targets, measured; for what is drawn beside the rows."""
    return [analysis for _, analysis in _analyses(asked, command, "layer")]


def _analyses(asked: Asked, command: str, by: str) -> Iterator[tuple[Target, Analysis]]:
    """Every target with its analysis; those that are wrong are left out."""
    grouping, depth = ("layer", None) if by == TREE else (by, asked.rows.depth)
    for target in _targets(asked):
        analysis = None
        with _reported(asked, target.given):
            partial = command == "analyze"
            analysis = analyzed(asked.context, target, asked.input_, grouping, depth, command, partial=partial)
        if analysis is not None:
            yield target, analysis


def _targets(asked: Asked) -> list[Target]:
    """Every target that can be read, with the values for it."""
    if len(asked.targets) == 1:
        return targets_of(asked.targets, asked.settings)
    read = []
    catalogue = Catalogue()
    for target in asked.targets:
        with _reported(asked, target):
            read += resolve([target], catalogue=catalogue)
    return targets_of(read, asked.settings) if read else []


@contextmanager
def _reported(asked: Asked, target: str) -> Iterator[None]:
    """Print the error of one target of several, so that the others go on; misuse ends the command."""
    try:
        yield
    except UsageError:
        raise
    except ConvcostError as error:
        if len(asked.targets) == 1:
            raise
        report_error(error, target)
