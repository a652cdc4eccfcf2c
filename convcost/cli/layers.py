"""``convcost layers``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.completion import names_of
from convcost.cli.options import format_options
from convcost.cli.output import show_view
from convcost.layers import REGISTRY
from convcost.render.views import view


@click.command("layers")
@click.argument("name", required=False, shell_complete=names_of(lambda: REGISTRY))
@format_options
def command(name: str | None, format_: str, output: str | None) -> None:
    """Reference of the layers: fields, formulas, source. With NAME, of one."""
    show_view(view(api.list_layers(name)), format_, output)
