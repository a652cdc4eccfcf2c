"""``convcost list``."""

from __future__ import annotations

import click

from convcost import api
from convcost.cli.options import convention_option, output_options
from convcost.cli.output import show_view
from convcost.render.views import view


@click.command("list")
@click.option("--blocks/--networks", "blocks", default=None, help="Only blocks, or only networks.")
@convention_option
@output_options
def command(*, blocks: bool | None, convention_: str, format_: str, output: str | None, exact: bool) -> None:
    """Bundled networks and blocks, with their cost at default values."""
    show_view(view(api.list_specs(blocks=blocks, convention=convention_)), format_, output, exact=exact)
