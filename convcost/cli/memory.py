"""``convcost memory``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.row_options import rows_options
from convcost.cli.rows import report
from convcost.render.memory import MEMORY, steps_table

if TYPE_CHECKING:
    from convcost.cli.asked import Asked


@click.command("memory")
@click.option("--steps", is_flag=True, help="In place of rows, what is alive at every step.")
@rows_options()
def command(asked: Asked, *, steps: bool) -> int:
    """Memory of TARGET: parameters, activations, the peak of activation memory, and an estimate for training.

    Rows are stages unless --by asks for others. The options and metrics are those of `convcost analyze`.
    """
    return report(asked, "memory", MEMORY, steps_table if steps else None)
