"""``convcost table``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.compare import settings_for
from convcost.cli.options import (
    TARGET,
    batch_option,
    convention_option,
    device_option,
    dtype_options,
    fused_option,
    input_option,
    output_options,
    parse_input,
    set_option,
    show,
)
from convcost.comparison import unique_names
from convcost.conventions import convention
from convcost.metrics.report import analyze
from convcost.render.differences import NETWORK_COLUMNS, networks_data, networks_table
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue

if TYPE_CHECKING:
    from convcost.metrics.devices import Device


@click.command("table")
@click.argument("targets", type=TARGET, nargs=-1, required=True, metavar="TARGET ...")
@click.option("--columns", metavar="NAME,...", default=",".join(NETWORK_COLUMNS), show_default=True, help="Metrics.")
@click.option("--sort", metavar="METRIC", help="Sort by a metric, largest first.")
@set_option
@input_option
@batch_option
@dtype_options
@fused_option
@device_option
@convention_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    targets: tuple[str, ...],
    columns: str,
    sort: str | None,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    dtype: str,
    weights_dtype: str | None,
    convention_: str,
    format_: str,
    output: str | None,
    *,
    device: Device | None,
    fused: bool,
    exact: bool,
) -> None:
    """One row for each of several networks, with any metrics: the table of a paper.

    --set NAME=VALUE reaches every network that has the parameter, --set A:NAME=VALUE only A.
    """
    catalogue = Catalogue()
    specs = [catalogue.target(target) for target in targets]
    analyses = [
        analyze(
            build(spec, values, parse_input(input_)),
            batch=batch,
            convention=convention(convention_, spec),
            dtype=dtype,
            weights_dtype=weights_dtype,
            device=device,
            fused=fused,
        )
        for spec, values in zip(specs, settings_for(specs, settings), strict=True)
    ]
    labels, names = unique_names(specs), columns.split(",")
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [networks_table(analyses, labels, names, sort)],
        data=lambda: networks_data(analyses, labels, names),
    )
