"""``convcost scaling``."""

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
from convcost.cli.typed import parse_input, target_of
from convcost.conventions import DEFAULT
from convcost.metrics.quantities import quantity_names
from convcost.render.views import view


@click.command("scaling")
@click.argument("target", type=TARGET)
@free_option
@set_option
@input_option
@convention_option
@click.option("--in", "wanted", metavar="NAME,...", help="Quantities: params, macs, flops, activations ...")
@format_options
def command(
    target: str,
    free: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    convention_: str,
    wanted: str | None,
    format_: str,
    output: str | None,
) -> None:
    """Growth of the cost of TARGET with each free parameter, and the part that does not grow."""
    scalings = api.scaling(
        target_of(target, settings),
        names_in(free),
        quantity_names(wanted, named=convention_ != DEFAULT) if wanted else None,
        input=parse_input(input_),
        convention=convention_,
    )
    show_view(view(scalings), format_, output)
