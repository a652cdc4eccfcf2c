"""``convcost analyze``."""

from __future__ import annotations

import click

from convcost.cli.options import (
    TARGET,
    batch_option,
    convention_option,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show_table,
    write,
)
from convcost.conventions import DEFAULT, convention
from convcost.metrics.report import analyze
from convcost.metrics.rows import GROUPINGS
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue
from convcost.table import MACHINE_COLUMNS, cost_table, heading


@click.command("analyze")
@click.argument("target", type=TARGET)
@set_option
@input_option
@batch_option
@click.option("--by", type=click.Choice(GROUPINGS), default="layer", show_default=True, help="What a row stands for.")
@click.option("--depth", type=click.IntRange(min=1), help="Sum up layers below this many segments of their paths.")
@click.option("--columns", metavar="NAME,...", help="Columns to show.")
@click.option("--sort", metavar="COLUMN", help="Sort by a column, largest first.")
@click.option("--top", type=click.IntRange(min=1), help="Show this many rows.")
@click.option("--fold/--no-fold", default=True, show_default=True, help="Show equal repeats as one row.")
@convention_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    by: str,
    depth: int | None,
    columns: str | None,
    sort: str | None,
    top: int | None,
    convention_: str,
    format_: str,
    output: str | None,
    *,
    fold: bool,
    exact: bool,
) -> None:
    """Cost of TARGET per layer and in total.

    TARGET is a spec file, - for standard input, or the name of a bundled network or block.
    """
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    analysis = analyze(graph, by=by, batch=batch, depth=depth, convention=convention(convention_, spec))
    chosen = None if columns is None else columns.split(",")
    if format_ == "json":
        from convcost.render.formats import as_json  # noqa: PLC0415 - tables do not pay for it
        from convcost.render.results import analysis_data  # noqa: PLC0415

        write(as_json(analysis_data(analysis, sort=sort, top=top)), output)
        return
    if format_ == "csv" and chosen is None:
        chosen = [*MACHINE_COLUMNS, *([] if convention_ == DEFAULT else ["reported"])]
    table = cost_table(
        analysis,
        columns=chosen,
        sort=sort,
        top=top,
        fold=fold and format_ == "table",
        title=heading(graph, batch),
    )
    show_table(table, format_, output, exact=exact)
