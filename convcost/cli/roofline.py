"""``convcost roofline``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from convcost.catalogue.loader import Catalogue
from convcost.cli.completion import names_of
from convcost.cli.options import (
    TARGET,
    batch_option,
    dtype_options,
    fused_option,
    input_option,
    output_options,
    parse_input,
    parse_settings,
    set_option,
    show,
    write,
)
from convcost.errors import UsageError
from convcost.language.interpret import build
from convcost.metrics.devices import Device, device, device_names, made_up
from convcost.metrics.roofline import Roofline, roofline
from convcost.metrics.rows import GROUPINGS
from convcost.render import roofline as render
from convcost.tables.table import folded

if TYPE_CHECKING:
    from convcost.tables.table import Table


@click.command("roofline")
@click.argument("target", type=TARGET, required=False)
@click.option(
    "--device",
    "device_",
    metavar="NAME|FILE",
    shell_complete=names_of(device_names),
    help="A device; without TARGET they are listed.",
)
@click.option("--peak", metavar="FLOP/S", help="In place of a device: operations a second, as 1T.")
@click.option("--bandwidth", metavar="B/S", help="In place of a device: bytes a second, as 25G.")
@set_option
@input_option
@batch_option
@dtype_options
@click.option("--by", type=click.Choice(GROUPINGS), default="layer", show_default=True, help="What a row stands for.")
@fused_option
@click.option("--plot", is_flag=True, help="A plot for the terminal in place of the table.")
@click.option("--figure", metavar="FILE", help="Draw an .svg, .png or .pdf too (extra `plot`).")
@output_options
def command(  # noqa: PLR0913 - one argument per option
    target: str | None,
    device_: str | None,
    peak: str | None,
    bandwidth: str | None,
    settings: tuple[str, ...],
    input_: str | None,
    batch: int,
    dtype: str,
    weights_dtype: str | None,
    by: str,
    figure: str | None,
    format_: str,
    output: str | None,
    *,
    fused: bool,
    plot: bool,
    exact: bool,
) -> None:
    """A lower bound on the time of TARGET on a device, and what limits every layer: compute or memory.

    A lower bound from peak operations and memory bandwidth; without TARGET, the bundled devices.
    """
    if target is None:
        _list(format_, output, exact=exact)
        return
    spec = Catalogue().target(target)
    graph = build(spec, parse_settings(spec, settings), parse_input(input_))
    machine = _device(device_, peak, bandwidth, dtype)
    found = roofline(graph, machine, dtype=dtype, weights_dtype=weights_dtype, batch=batch, fused=fused, by=by)
    if figure is not None:
        from convcost.render.figure import drawn_roofline  # noqa: PLC0415 - only a figure pays for it

        write(drawn_roofline(found, figure), figure)
    _show(found, format_, output, plot=plot, exact=exact)


def _show(found: Roofline, format_: str, output: str | None, *, plot: bool, exact: bool) -> None:
    if plot:
        write(render.text_plot(found), output)
        return

    def table() -> Table:
        every = render.roofline_table(found)
        return folded(every) if format_ == "table" else every

    show(format_, output, exact=exact, tables=lambda: [table()], data=lambda: render.roofline_data(found))


def _device(name: str | None, peak: str | None, bandwidth: str | None, dtype: str) -> Device:
    if name is not None:
        if peak or bandwidth:
            raise UsageError("--device or --peak and --bandwidth, not both")
        return device(name)
    if peak is None or bandwidth is None:
        names = ", ".join(device_names())
        raise UsageError(f"roofline needs --device NAME|FILE ({names}), or --peak and --bandwidth")
    return made_up(peak, bandwidth, dtype)


def _list(format_: str, output: str | None, *, exact: bool) -> None:
    devices = render.bundled_devices()
    show(
        format_,
        output,
        exact=exact,
        tables=lambda: [render.devices_table(devices)],
        data=lambda: render.devices_data(devices),
    )
