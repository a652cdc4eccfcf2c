"""``convcost traffic``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.options import (
    TARGET,
    batch_option,
    dtype_options,
    fused_option,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show,
)
from convcost.language.interpret import build
from convcost.metrics.rows import GROUPINGS
from convcost.render import traffic as render
from convcost.render.memory import Setting
from convcost.tables.table import folded

if TYPE_CHECKING:
    from convcost.tables.table import Table


@click.command("traffic")
@click.argument("target", type=TARGET)
@set_option
@input_option
@batch_option
@dtype_options
@click.option("--by", type=click.Choice(GROUPINGS), default="layer", show_default=True, help="What a row stands for.")
@fused_option
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    dtype: str,
    weights_dtype: str | None,
    by: str,
    format_: str,
    output: str | None,
    *,
    fused: bool,
    exact: bool,
) -> None:
    """Traffic of TARGET: elements and bytes that every layer reads and writes, and operations per byte."""
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    setting = Setting(dtype, weights_dtype or dtype, batch)

    def table() -> Table:
        every = render.traffic_table(graph, setting, by=by, fused=fused)
        return folded(every) if format_ == "table" else every

    data = partial(render.traffic_data, graph, setting, by=by, fused=fused)
    show(format_, output, exact=exact, tables=lambda: [table()], data=data)
