"""``convcost receptive``."""

from __future__ import annotations

import click

from convcost.cli.rows import Asked, report, rows_options
from convcost.render.receptive import RECEPTIVE


@click.command("receptive")
@rows_options()
def command(asked: Asked) -> None:
    """Receptive field, effective stride and start of every layer of TARGET, per axis, through all branches.

    The options and metrics are those of `convcost analyze`.
    """
    report(asked, "receptive", RECEPTIVE)
