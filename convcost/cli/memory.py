"""``convcost memory``."""

from __future__ import annotations

import click

from convcost.cli.rows import Asked, report, rows_options
from convcost.render.memory import MEMORY, steps_table


@click.command("memory")
@click.option("--steps", is_flag=True, help="In place of rows, what is alive at every step.")
@rows_options()
def command(asked: Asked, *, steps: bool) -> None:
    """Memory of TARGET: parameters, activations, the peak of activation memory, and an estimate for training.

    Rows are stages unless --by asks for others. The options and metrics are those of `convcost analyze`.
    """
    report(asked, "memory", MEMORY, steps_table if steps else None)
