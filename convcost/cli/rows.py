"""Commands with rows: their options, and how they answer for one target or for many.

``analyze``, ``memory``, ``traffic``, ``receptive`` and ``roofline`` share all of it. Each has a preset of metrics
(:mod:`convcost.metrics.presets`) and what it adds to the rows.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from convcost.api.targets import resolve
from convcost.catalogue.loader import Catalogue
from convcost.cli.context import context_options
from convcost.cli.options import (
    MACHINE_FORMATS,
    TARGET,
    input_option,
    on_terminal,
    output_options,
    report_error,
    set_option,
    show,
    targets_of,
)
from convcost.errors import ConvcostError, UsageError
from convcost.metrics.presets import PRESETS, TREE
from convcost.metrics.rows import GROUPINGS
from convcost.network.cost import unknown_line
from convcost.records import NamedTuple
from convcost.render.analysis import NOTHING, analysis_data, joined, machine_columns, rows_table
from convcost.render.results import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from convcost.api.targets import Target
    from convcost.cli.context import ContextOptions
    from convcost.language.model import Spec
    from convcost.metrics.report import Analysis
    from convcost.render.analysis import Parts
    from convcost.tables.table import Table


class RowOptions(NamedTuple):
    """Which rows and columns; ``by`` and ``fold`` are None where the command chooses."""

    by: str | None
    depth: int | None
    columns: str | None
    sort: str | None
    top: int | None
    fold: bool | None


class Asked(NamedTuple):
    """What a command with rows was given.

    Attributes:
        targets: specs, as typed.
        settings: values of ``--set``.
        input_: what ``--input`` gives.
        rows: which rows and columns.
        context: what metrics are evaluated for.
        format_: one of the output formats.
        output: a path, or None for standard output.
        exact: every digit in place of SI units.
    """

    targets: tuple[str, ...]
    settings: tuple[str, ...]
    input_: str | None
    rows: RowOptions
    context: ContextOptions
    format_: str
    output: str | None
    exact: bool

    @property
    def machine(self) -> bool:
        """Whether a program will read the output."""
        return self.format_ in MACHINE_FORMATS

    @property
    def fold(self) -> bool:
        """Equal repeats are one row for people, unless asked otherwise."""
        return self.format_ in ("table", "html") if self.rows.fold is None else self.rows.fold

    @property
    def columns(self) -> list[str] | None:
        """The columns asked for."""
        return None if self.rows.columns is None else self.rows.columns.split(",")

    def by(self, usual: str) -> str:
        """What a row stands for: a person at a terminal sees a tree where that is usual, unless rows are asked for."""
        if self.rows.by is not None or usual != TREE:
            return self.rows.by or usual
        asks_for_rows = self.rows.columns is not None or self.rows.sort is not None or self.rows.top is not None
        return TREE if self.format_ == "table" and on_terminal(self.output) and not asks_for_rows else "layer"


def rows_options(*, required: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``TARGET ...`` and every option of a command with rows, handed to the command as one :class:`Asked`.

    Args:
        required: whether there must be a target.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def with_rows(**options: Any) -> Any:
            rows = RowOptions(*(options.pop(name) for name in RowOptions._fields))
            asked = Asked(rows=rows, **{name: options.pop(name) for name in Asked._fields if name != "rows"})
            return command(asked, **options)

        wrapped: Callable[..., Any] = with_rows
        for option in (
            output_options,
            context_options,
            click.option("--fold/--no-fold", default=None, help="One row for equal repeats; by default in tables."),
            click.option("--top", type=click.IntRange(min=1), help="Show this many rows."),
            click.option("--sort", metavar="COLUMN", help="Sort by a column, largest first."),
            click.option("--columns", metavar="NAME,...", help="Metrics to show, in this order."),
            click.option("--depth", type=click.IntRange(min=1), help="Sum up below this many segments of the paths."),
            click.option("--by", type=click.Choice((*GROUPINGS, TREE)), help="What a row stands for."),
            input_option,
            set_option,
            click.argument("targets", type=TARGET, nargs=-1, required=required, metavar="TARGET ..."),
        ):
            wrapped = option(wrapped)
        return wrapped

    return decorated


def report(
    asked: Asked,
    command: str,
    parts: Parts = NOTHING,
    rows: Callable[[Analysis], Table] | None = None,
    *,
    strict: bool = False,
) -> None:
    """Print the rows of every target.

    A spec that is wrong is reported, and the others are printed all the same; the exit code is then 1.

    Args:
        asked: targets and options.
        command: the name of its preset.
        parts: what the command adds to its rows.
        rows: makes the rows in place of the preset.
        strict: whether it is an error if a network is known in part only.

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
    if len(made) < len(asked.targets):
        click.get_current_context().exit(1)


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
            analysis = asked.context.analyze(target, asked.input_, grouping, depth, command, partial=partial)
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
