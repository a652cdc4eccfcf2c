"""``convcost analyze``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.context import context_options
from convcost.cli.options import (
    MACHINE_FORMATS,
    TARGET,
    RowOptions,
    input_option,
    on_terminal,
    output_options,
    parse_settings,
    rows_options,
    set_option,
    show,
)
from convcost.errors import UsageError
from convcost.metrics.rows import GROUPINGS
from convcost.render.analysis import analysis_data, cost_table, machine_columns
from convcost.render.headings import heading
from convcost.render.tree import USUAL, screenful, tree_table

if TYPE_CHECKING:
    from convcost.cli.context import ContextOptions
    from convcost.metrics.report import Analysis
    from convcost.tables.table import Table

TREE = "tree"


@click.command("analyze")
@click.argument("target", type=TARGET)
@set_option
@input_option
@rows_options((*GROUPINGS, TREE))
@context_options
@output_options
def command(
    target: str,
    settings: tuple[str, ...],
    input_: str | None,
    rows: RowOptions,
    format_: str,
    output: str | None,
    *,
    context: ContextOptions,
    exact: bool,
) -> None:
    """Cost of TARGET: a tree on a terminal, a row for each layer elsewhere, and in total.

    TARGET is a spec file, - for standard input, or the name of a bundled network or block. --columns takes any metric:
    params, macs, flops, size, bytes, intensity, peak, saved, backward_macs, field, time (with --device) and more.
    """
    spec = Catalogue().target(target)
    by = rows.by or _usual(rows, format_, output)
    grouping, depth = ("layer", None) if by == TREE else (by, rows.depth)
    analysis = context.analyze(spec, parse_settings(spec, settings), input_, grouping, depth)
    made = _tree if by == TREE else _rows
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [made(analysis, rows, format_)],
        data=lambda: analysis_data(analysis, made(analysis, rows, format_), by),
    )


def _usual(rows: RowOptions, format_: str, output: str | None) -> str:
    """A person at a terminal sees the tree, unless what is asked for are rows."""
    asks_for_rows = rows.columns is not None or rows.sort is not None or rows.top is not None
    return TREE if format_ == "table" and on_terminal(output) and not asks_for_rows else "layer"


def _rows(analysis: Analysis, rows: RowOptions, format_: str) -> Table:
    how = rows.arrangement(format_)
    usual = machine_columns(analysis, reported=format_ == "json") if format_ in MACHINE_FORMATS else None
    return cost_table(analysis, **how._asdict(), title=heading(analysis.graph, analysis.batch), usual=usual)


def _tree(analysis: Analysis, rows: RowOptions, format_: str) -> Table:
    if rows.sort is not None or rows.top is not None:
        raise UsageError("a tree is in order of execution; --sort and --top are for --by layer, block, stage or kind")
    how = rows.arrangement(format_)
    machine = format_ in MACHINE_FORMATS
    depth = rows.depth or (None if machine else screenful(analysis, fold=how.fold))
    usual = ("level", *machine_columns(analysis, reported=format_ == "json")) if machine else USUAL
    return tree_table(analysis, columns=how.columns, depth=depth, fold=how.fold, usual=usual)
