"""``convcost conventions``."""

from __future__ import annotations

import click

from convcost.cli.options import (
    TARGET,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show_table,
    write,
)
from convcost.conventions.survey import known, survey
from convcost.errors import UsageError
from convcost.render import conventions as render
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue


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
    """Whose number is what: the conventions, or TARGET under each of them and why they differ.

    Differences are from plain multiply-accumulates, split by cause.
    """
    if target is None:
        if settings or input_ or files:
            raise UsageError("--set, --input and --convention need a network")
        if format_ == "json":
            from convcost.render.formats import as_json  # noqa: PLC0415 - tables do not pay for it

            write(as_json(render.list_data(known())), output)
        else:
            show_table(render.list_table(known()), format_, output, exact=exact)
        return
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    readings = survey(graph, spec, files)
    if format_ == "json":
        from convcost.render.formats import as_json  # noqa: PLC0415

        write(as_json(render.survey_data(graph, readings)), output)
        return
    show_table(render.survey_table(graph, readings), format_, output, exact=exact)
