"""``convcost explain``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import TARGET, format_options, input_option, set_option
from convcost.cli.output import show_view
from convcost.cli.typed import parse_input, target_of
from convcost.literature.stories import WHAT
from convcost.numbers.printed import printed
from convcost.render.views import view


@click.command("explain")
@click.argument("target", type=TARGET)
@click.option(
    "--reported", required=True, metavar="NUMBER", help="What somebody printed, as 4.11G, '300 MFLOPs' or 25,557,032."
)
@click.option(
    "--in",
    "what",
    type=click.Choice(WHAT),
    help="Whether it counts operations or parameters.  [default: both are tried]",
)
@click.option("--what", "former", type=click.Choice(WHAT), hidden=True)  # its name before it was --in everywhere
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many explanations.")
@set_option
@input_option
@format_options
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
) -> None:
    """Find what was counted to get the number that a paper or a tool prints for TARGET.

    Tries conventions, variants, input sizes, a factor of two, batches, and leaving linear layers out, the simple ones
    first. Values given by --set and --input are taken as known.
    """
    number = printed(reported, "--reported")
    resolved = target_of(target, settings)
    explanation = api.explain(resolved, number, what=what or former, top=top, input=parse_input(input_))
    show_view(view(explanation), format_, output)
