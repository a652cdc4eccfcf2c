"""``convcost table``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.api.counts import Networks
from convcost.cli.asked import analyzed
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, input_option, output_options, set_option
from convcost.cli.output import show_view
from convcost.cli.typed import targets_of
from convcost.metrics.presets import NETWORK_COLUMNS
from convcost.render.views import view

if TYPE_CHECKING:
    from convcost.api.context import Context


@click.command("table")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="TARGET ...")
@click.option("--columns", metavar="NAME,...", default=",".join(NETWORK_COLUMNS), show_default=True, help="Metrics.")
@click.option("--sort", metavar="METRIC", help="Sort by a metric, largest first.")
@set_option
@input_option
@context_options
@output_options
def command(  # noqa: PLR0913 - one argument per option
    targets: tuple[str, ...],
    columns: str,
    sort: str | None,
    settings: tuple[str, ...],
    input_: str | None,
    format_: str,
    output: str | None,
    *,
    context: Context,
    exact: bool,
) -> None:
    """One row for each of several networks, with any metrics: the table of a paper.

    --set NAME=VALUE reaches every network that has the parameter, --set A:NAME=VALUE only A.
    """
    resolved = targets_of(targets, settings)
    analyses = [analyzed(context, target, input_) for target in resolved]
    networks = Networks(analyses, [target.name for target in resolved], columns.split(","), sort)
    show_view(view(networks), format_, output, exact=exact)
