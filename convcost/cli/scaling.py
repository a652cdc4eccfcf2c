"""``convcost scaling``."""

from __future__ import annotations

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.options import (
    TARGET,
    convention_option,
    free_option,
    input_option,
    names_in,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show,
)
from convcost.conventions import DEFAULT
from convcost.metrics.quantities import REPORTED, quantity_names

_USUAL = ("params", "macs", "flops", "activations")


@click.command("scaling")
@click.argument("target", type=TARGET)
@free_option
@set_option
@input_option
@convention_option
@click.option("--in", "wanted", metavar="NAME,...", help="Quantities: params, macs, flops, activations ...")
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    free: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    convention_: str,
    wanted: str | None,
    format_: str,
    output: str | None,
    *,
    exact: bool,
) -> None:
    """Growth of the cost of TARGET with each free parameter, and the part that does not grow."""
    from convcost.formulas.closed import everything_free, formula  # noqa: PLC0415
    from convcost.formulas.scaling import scaling  # noqa: PLC0415
    from convcost.render import scalings  # noqa: PLC0415 - imports sympy

    spec = Catalogue().target(target)
    given, shape = parse_settings(spec, settings), parse_input(input_)
    found = formula(spec, names_in(free) or everything_free(spec, given, shape), given, shape, whose=convention_)
    named = convention_ != DEFAULT
    rows = scaling(found, quantity_names(wanted or (*_USUAL, *((REPORTED,) if named else ())), named=named))
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [scalings.scaling_table(found, rows)],
        data=lambda: scalings.scaling_data(found, rows),
    )
