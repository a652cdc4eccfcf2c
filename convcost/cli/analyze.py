"""``convcost analyze``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.row_options import rows_options
from convcost.cli.rows import report

if TYPE_CHECKING:
    from convcost.cli.asked import Asked


@click.command("analyze")
@rows_options()
@click.option("--strict", is_flag=True, help="Exit 1 where totals are only lower bounds.")
def command(asked: Asked, *, strict: bool) -> int:
    """Cost of each TARGET: a tree on a terminal, a row for each layer elsewhere, and in total.

    TARGET is a spec file, an ONNX file, a .keras file, - for standard input, the name of a bundled network or block, or
    torch:package.module:callable for a module of PyTorch: convcost imports that package and runs that callable, so name
    only code that you trust.

    --columns takes any metric: params, macs, flops, size, bytes, intensity, peak, saved, backward_macs, field, time
    (with --device) and more.

    A spec that is wrong is reported, the others are printed all the same, and the exit code is 1.
    """
    return report(asked, "analyze", strict=strict)
