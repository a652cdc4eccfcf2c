"""``convcost traffic``."""

from __future__ import annotations

import click

from convcost.cli.rows import Asked, report, rows_options
from convcost.render.traffic import TRAFFIC


@click.command("traffic")
@rows_options()
def command(asked: Asked) -> None:
    """Traffic of each TARGET: elements and bytes that every layer reads and writes, and operations per byte.

    The options and metrics are those of `convcost analyze`.
    """
    report(asked, "traffic", TRAFFIC)
