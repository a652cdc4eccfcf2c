"""``convcost conventions``."""

from __future__ import annotations

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.options import (
    TARGET,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show,
)
from convcost.conventions.survey import known, survey
from convcost.errors import UsageError
from convcost.language.interpret import build
from convcost.render import conventions as render


@click.command("conventions")
@click.argument("target", type=TARGET, required=False)
@set_option
@input_option
@click.option("--convention", "files", multiple=True, metavar="FILE", help="A convention of your own; may be repeated.")
@output_options
def command(
    target: str | None,
    settings: tuple[str, ...],
    input_: str | None,
    files: tuple[str, ...],
    format_: str,
    output: str | None,
    *,
    exact: bool,
) -> None:
    """The counting conventions; with TARGET, its number under each convention and the causes of the differences.

    Differences are from plain multiply-accumulates, split by cause.
    """
    if target is None:
        if settings or input_ or files:
            raise UsageError("--set, --input and --convention need a network")
        show(
            format_,
            output,
            exact=exact,
            tables=lambda: [render.list_table(known())],
            data=lambda: render.list_data(known()),
        )
        return
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    readings = survey(graph, spec, files)
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [render.survey_table(graph, readings)],
        data=lambda: render.survey_data(graph, readings),
    )
