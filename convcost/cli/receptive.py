"""``convcost receptive``."""

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
from convcost.language.interpret import build
from convcost.render import receptive as render


@click.command("receptive")
@click.argument("target", type=TARGET)
@set_option
@input_option
@output_options
def command(
    target: str,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    exact: bool,
) -> None:
    """Receptive field, effective stride and start of every layer of TARGET, per axis, through all branches."""
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [render.receptive_table(graph)],
        data=lambda: render.receptive_data(graph),
    )
