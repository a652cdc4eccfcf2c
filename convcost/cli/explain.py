"""``convcost explain``."""

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
from convcost.conventions.explain import WHAT, explain
from convcost.figures import positive
from convcost.render import explain as render
from convcost.spec.catalogue import Catalogue


@click.command("explain")
@click.argument("target", type=TARGET)
@click.option("--reported", required=True, metavar="NUMBER", help="What somebody printed, as 4.11G or 25,557,032.")
@click.option("--what", type=click.Choice(WHAT), default="macs", show_default=True, help="What it is a number of.")
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many explanations.")
@set_option
@input_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    reported: str,
    what: str,
    top: int,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    exact: bool,
) -> None:
    """What gives the number that a paper or a tool prints for TARGET.

    Tries conventions, variants, input sizes, a factor of two, batches, and leaving linear layers out; values given by
    --set and --input are taken as known.
    """
    spec = Catalogue().target(target)
    number = positive(reported, "--reported")
    given, shape = parse_settings(spec, settings), parse_input(input_)
    found = explain(spec, number, what=what, given=given, input_shape=shape, top=top)
    if format_ == "json":
        from convcost.render.formats import as_json  # noqa: PLC0415 - tables do not pay for it

        write(as_json(render.explanation_data(found)), output)
        return
    show_table(render.explanation_table(found), format_, output, exact=exact)
