"""``convcost explain``."""

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
from convcost.literature.explain import explain
from convcost.literature.stories import WHAT
from convcost.numbers.printed import printed
from convcost.render import explain as render


@click.command("explain")
@click.argument("target", type=TARGET)
@click.option(
    "--reported", required=True, metavar="NUMBER", help="What somebody printed, as 4.11G, '300 MFLOPs' or 25,557,032."
)
@click.option("--in", "what", type=click.Choice(WHAT), help="What it is a number of.  [default: what fits]")
@click.option("--what", "former", type=click.Choice(WHAT), hidden=True)  # its name before it was --in everywhere
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many explanations.")
@set_option
@input_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    reported: str,
    what: str | None,
    former: str | None,
    top: int,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    exact: bool,
) -> None:
    """Find what was counted to get the number that a paper or a tool prints for TARGET.

    Tries conventions, variants, input sizes, a factor of two, batches, and leaving linear layers out, the simple ones
    first. Values given by --set and --input are taken as known.
    """
    spec = Catalogue().target(target)
    number = printed(reported, "--reported")
    given, shape = parse_settings(spec, settings), parse_input(input_)
    found = explain(spec, number, what=what or former, given=given, input_shape=shape, top=top, target=target)
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [render.explanation_table(found)],
        data=lambda: render.explanation_data(found),
    )
