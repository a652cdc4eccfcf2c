"""``convcost conventions``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import TARGET, input_option, output_options, set_option
from convcost.cli.output import show_view
from convcost.cli.typed import parse_input, target_of
from convcost.errors import UsageError
from convcost.render.views import view


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
        show_view(view(api.list_conventions()), format_, output, exact=exact)
        return
    readings = api.survey(target_of(target, settings), conventions=files, input=parse_input(input_))
    show_view(view(readings), format_, output, exact=exact)
