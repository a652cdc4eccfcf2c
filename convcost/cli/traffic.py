"""``convcost traffic``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.row_options import rows_options
from convcost.cli.rows import report
from convcost.render.traffic import TRAFFIC

if TYPE_CHECKING:
    from convcost.cli.asked import Asked


@click.command("traffic")
@rows_options()
def command(asked: Asked) -> int:
    """Traffic of each TARGET: elements and bytes that every layer reads and writes, and operations per byte.

    The options and metrics are those of `convcost analyze`.
    """
    return report(asked, "traffic", TRAFFIC)
