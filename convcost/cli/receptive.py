"""``convcost receptive``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.row_options import rows_options
from convcost.cli.rows import report
from convcost.render.analysis import NOTHING
from convcost.render.receptive import RECEPTIVE, channels_table

if TYPE_CHECKING:
    from convcost.cli.asked import Asked


@click.command("receptive")
@click.option("--channels", is_flag=True, help="In place of positions, the input channels that a channel depends on.")
@rows_options()
def command(asked: Asked, *, channels: bool) -> int:
    """Receptive field, effective stride and start of every layer of TARGET, per axis, through all branches.

    The options and metrics are those of `convcost analyze`.
    """
    return report(asked, "receptive", NOTHING if channels else RECEPTIVE, channels_table if channels else None)
