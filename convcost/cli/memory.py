"""``convcost memory``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.options import (
    TARGET,
    batch_option,
    dtype_options,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show,
)
from convcost.language.interpret import build
from convcost.render import memory as render
from convcost.tables.table import folded

if TYPE_CHECKING:
    from convcost.tables.table import Table


@click.command("memory")
@click.argument("target", type=TARGET)
@set_option
@input_option
@batch_option
@dtype_options
@click.option("--steps", is_flag=True, help="What is alive at every step.")
@click.option("--in-place", is_flag=True, help="With --steps: activations overwrite their input where they may.")
@click.option("--fold-norm", is_flag=True, help="With --steps: norms after a convolution are folded into it.")
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    dtype: str,
    weights_dtype: str | None,
    format_: str,
    output: str | None,
    *,
    steps: bool,
    in_place: bool,
    fold_norm: bool,
    exact: bool,
) -> None:
    """Memory of TARGET: parameters, activations, the peak of activation memory, and an estimate for training."""
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    setting = render.Setting(dtype, weights_dtype or dtype, batch)

    def table() -> Table:
        if not steps:
            return render.memory_table(graph, setting)
        every = render.steps_table(graph, setting, in_place=in_place, folded=fold_norm)
        return folded(every) if format_ == "table" else every

    data = partial(render.memory_data, graph, setting)
    show(format_, output, exact=exact, tables=lambda: [table()], data=data)
