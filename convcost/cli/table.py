"""``convcost table``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.compare import settings_for
from convcost.cli.context import context_options
from convcost.cli.options import (
    TARGET,
    input_option,
    output_options,
    set_option,
    show,
)
from convcost.formulas.comparison import unique_names
from convcost.metrics.presets import NETWORK_COLUMNS
from convcost.render.differences import networks_data, networks_table

if TYPE_CHECKING:
    from convcost.cli.context import ContextOptions


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
    context: ContextOptions,
    exact: bool,
) -> None:
    """One row for each of several networks, with any metrics: the table of a paper.

    --set NAME=VALUE reaches every network that has the parameter, --set A:NAME=VALUE only A.
    """
    catalogue = Catalogue()
    specs = [catalogue.target(target) for target in targets]
    values = settings_for(specs, settings)
    analyses = [context.analyze(spec, given, input_) for spec, given in zip(specs, values, strict=True)]
    labels, names = unique_names(specs), columns.split(",")
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [networks_table(analyses, labels, names, sort)],
        data=lambda: networks_data(analyses, labels, names),
    )
