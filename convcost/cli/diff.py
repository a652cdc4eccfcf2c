"""``convcost diff``."""

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
from convcost.conventions import convention
from convcost.metrics.difference import difference
from convcost.metrics.report import analyze
from convcost.metrics.rows import GROUPINGS
from convcost.render.differences import DIFFERENCE_COLUMNS, difference_data, difference_table
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue

if TYPE_CHECKING:
    from convcost.metrics.devices import Device


@click.command("diff")
@click.argument("before", type=TARGET)
@click.argument("after", type=TARGET)
@click.option("--by", type=click.Choice(GROUPINGS), default="stage", show_default=True, help="What a row stands for.")
@click.option("--columns", metavar="NAME,...", default=",".join(DIFFERENCE_COLUMNS), show_default=True, help="Metrics.")
@click.option("--changed", is_flag=True, help="Only rows in which a metric changes.")
@set_option
@input_option
@batch_option
@dtype_options
@fused_option
@device_option
@convention_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    before: str,
    after: str,
    by: str,
    columns: str,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    dtype: str,
    weights_dtype: str | None,
    convention_: str,
    format_: str,
    output: str | None,
    *,
    changed: bool,
    device: Device | None,
    fused: bool,
    exact: bool,
) -> None:
    """What changes from one network to another, row by row: before, after, difference and per cent.

    Rows are matched by their paths; what is left is matched by kind and output shape. --set NAME=VALUE reaches both
    networks, --set A:NAME=VALUE only A.
    """
    catalogue = Catalogue()
    specs = [catalogue.target(target) for target in (before, after)]
    analyses = [
        analyze(
            build(spec, values, parse_input(input_)),
            by=by,
            batch=batch,
            convention=convention(convention_, spec),
            dtype=dtype,
            weights_dtype=weights_dtype,
            device=device,
            fused=fused,
        )
        for spec, values in zip(specs, settings_for(specs, settings), strict=True)
    ]
    found = difference(*analyses)
    names = columns.split(",")
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [difference_table(found, names, changed=changed)],
        data=lambda: difference_data(found, names, by, changed=changed),
    )
