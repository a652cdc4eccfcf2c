"""``convcost analyze``."""

from __future__ import annotations

import click

from convcost.cli.options import (
    TARGET,
    RowOptions,
    batch_option,
    convention_option,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    rows_options,
    set_option,
    show,
)
from convcost.conventions import convention
from convcost.metrics.report import analyze
from convcost.metrics.rows import GROUPINGS
from convcost.render.analysis import analysis_data, analysis_table
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue


@click.command("analyze")
@click.argument("target", type=TARGET)
@set_option
@input_option
@batch_option
@rows_options(GROUPINGS)
@convention_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    rows: RowOptions,
    convention_: str,
    format_: str,
    output: str | None,
    *,
    exact: bool,
) -> None:
    """Cost of TARGET per layer and in total.

    TARGET is a spec file, - for standard input, or the name of a bundled network or block.
    """
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    how = rows.arrangement(format_)
    whose = convention(convention_, spec)
    analysis = analyze(graph, by=rows.by or "layer", batch=batch, depth=rows.depth, convention=whose)
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [analysis_table(analysis, how)],
        data=lambda: analysis_data(analysis, how),
        flat=lambda: analysis_table(analysis, how, machine=True),
    )
