"""``convcost receptive``."""

from __future__ import annotations

import click

from convcost.cli.rows import Asked, report, rows_options
from convcost.render.analysis import NOTHING
from convcost.render.receptive import RECEPTIVE, channels_table


@click.command("receptive")
@click.option("--channels", is_flag=True, help="In place of positions, the input channels that a channel depends on.")
@rows_options()
def command(asked: Asked, *, channels: bool) -> None:
    """Receptive field, effective stride and start of every layer of TARGET, per axis, through all branches.

    The options and metrics are those of `convcost analyze`.
    """
    report(asked, "receptive", NOTHING if channels else RECEPTIVE, channels_table if channels else None)
