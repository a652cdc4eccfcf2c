"""``convcost compare``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import (
    TARGET,
    convention_option,
    format_options,
    free_option,
    input_option,
    names_in,
    set_option,
)
from convcost.cli.output import show_view
from convcost.cli.typed import parse_input, targets_of
from convcost.render.comparisons import comparison_view


@click.command("compare")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="A B [C ...]")
@set_option
@input_option
@free_option
@convention_option
@click.option(
    "--traffic",
    "with_traffic",
    is_flag=True,
    help="Also the elements that are read and written, and the part of additions.",
)
@format_options
def command(
    targets: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    free: tuple[str, ...],
    convention_: str,
    format_: str,
    output: str | None,
    *,
    with_traffic: bool,
) -> None:
    """Costs side by side, and the ratio of each to the last: a fraction, a decimal and a formula.

    --set NAME=VALUE reaches every target that has the parameter, --set A:NAME=VALUE only A.
    """
    resolved = targets_of(targets, settings)
    comparison = api.compare(*resolved, free=names_in(free), input=parse_input(input_), convention=convention_)
    show_view(comparison_view(comparison, with_traffic=with_traffic), format_, output)
