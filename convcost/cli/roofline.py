"""``convcost roofline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.cli.output import format_by_suffix, show, write
from convcost.cli.row_options import rows_options
from convcost.cli.rows import analyses, report
from convcost.errors import UsageError
from convcost.metrics.devices import chosen
from convcost.render.roofline import ROOFLINE, bundled_devices, devices_data, devices_table, text_plot

if TYPE_CHECKING:
    from convcost.cli.asked import Asked


@click.command("roofline")
@click.option("--peak", metavar="FLOP/S", help="In place of a device: operations a second, as 1T.")
@click.option("--bandwidth", metavar="B/S", help="In place of a device: bytes a second, as 25G.")
@click.option("--plot", is_flag=True, help="A plot for the terminal in place of the table.")
@click.option(
    "--figure", metavar="FILE", help="Also draw a figure: an .svg file, or .png or .pdf (with the extra `plot`)."
)
@rows_options(required=False)
def command(asked: Asked, *, peak: str | None, bandwidth: str | None, plot: bool, figure: str | None) -> int:
    """A lower bound on the time of TARGET on a device, and what limits every layer: compute or memory.

    The bound follows from peak operations and memory bandwidth. Without TARGET, the devices are listed. The options and
    metrics are those of `convcost analyze`.
    """
    if not asked.targets:
        devices = bundled_devices()
        show(
            asked.format_,
            asked.output,
            exact=asked.exact,
            tables=lambda: [devices_table(devices)],
            data=lambda: devices_data(devices),
        )
        return 0
    machine = chosen(asked.context.device, peak, bandwidth, asked.context.dtype)
    asked = asked._replace(context=asked.context._replace(device=machine))
    if (plot or figure is not None) and len(asked.targets) > 1:
        raise UsageError("--plot and --figure draw one target")
    if figure is not None:
        from convcost.drawing.charts import roofline  # noqa: PLC0415 - only a figure pays for it

        format_ = format_by_suffix(figure, ("svg", "png", "pdf"), "--figure")
        write(roofline(analyses(asked, "roofline")[0]).written(format_), figure)
    if not plot:
        return report(asked, "roofline", ROOFLINE)
    write(text_plot(analyses(asked, "roofline")[0]), asked.output)
    return 0
