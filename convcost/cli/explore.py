"""``convcost explore``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli import completion
from convcost.cli.options import (
    TARGET,
    convention_option,
    dtype_options,
    free_option,
    input_option,
    names_in,
    output_option,
    set_option,
)
from convcost.cli.output import format_by_suffix, write
from convcost.cli.typed import parse_input, targets_of
from convcost.metrics.devices import device_names


@click.command("explore")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="TARGET [OTHER]")
@free_option
@set_option
@input_option
@click.option(
    "--device",
    metavar="NAME|FILE",
    shell_complete=completion.names_of(device_names),
    help="Device for times and a roofline; `convcost roofline` lists them.",
)
@dtype_options
@convention_option
@output_option
def command(  # noqa: PLR0913 - one argument per option
    targets: tuple[str, ...],
    settings: tuple[str, ...],
    input_: str | None,
    free: tuple[str, ...],
    device: str | None,
    dtype: str,
    weights_dtype: str | None,
    convention_: str,
    output: str | None,
) -> None:
    """An HTML page of TARGET, on which its parameters can be moved; with OTHER, of both side by side.

    The page computes totals, the cost and shapes of every layer, and memory over time from closed forms, exactly. It is
    one file, needs no server and loads nothing. --free chooses the parameters; by default all that can be symbols.
    """
    format_by_suffix(output, ("html",))
    from convcost.render.explorer import explorer_page  # noqa: PLC0415 - only formulas need it

    explorer = api.explore(
        *targets_of(targets, settings),
        free=names_in(free),
        input=parse_input(input_),
        dtype=dtype,
        weights_dtype=weights_dtype,
        device=device,
        convention=convention_,
    )
    write(explorer_page(explorer), output)
