"""``convcost plot``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from convcost import api
from convcost.cli.context import context_options
from convcost.cli.options import TARGET, formats, input_option, set_option
from convcost.cli.output import show_picture
from convcost.cli.typed import parse_input, targets_of
from convcost.drawing.charts import KINDS
from convcost.metrics.devices import chosen
from convcost.metrics.rows import GROUPINGS

if TYPE_CHECKING:
    from convcost.api.context import Context


@click.command("plot")
@click.argument("targets", type=TARGET, nargs=-1, metavar="[TARGET] ...")
@click.option("--kind", type=click.Choice(KINDS), default="layers", show_default=True, help="What is plotted.")
@click.option("--metric", metavar="NAME", help="The metric: macs where not given; of a scatter two, as params,macs.")
@click.option("--by", type=click.Choice(GROUPINGS), help="What a bar stands for; by default the finest that fits.")
@click.option("--over", metavar="NAME[=VALUES]", help="The name of a ratio or scaling, and its values.")
@click.option("--peak", metavar="FLOP/S", help="In place of a device: operations a second, as 1T.")
@click.option("--bandwidth", metavar="B/S", help="In place of a device: bytes a second, as 25G.")
@set_option
@input_option
@context_options
@formats("text", "svg", "png", "pdf", "json", usual=())
def command(  # noqa: PLR0913 - an option each
    targets: tuple[str, ...],
    *,
    kind: str,
    metric: str | None,
    by: str | None,
    over: str | None,
    peak: str | None,
    bandwidth: str | None,
    format_: str,
    settings: tuple[str, ...],
    input_: str | None,
    context: Context,
    output: str | None,
) -> None:
    r"""Plot costs of TARGET: bars in the terminal, or an .svg, .json, .png or .pdf file (the last two by extra `plot`).

    \b
    layers      a bar for each layer, or for each block or stage where there are many layers
    cumulative  the share of the network up to each layer
    memory      bytes of feature maps alive at every step, with the peak
    receptive   the receptive field of every layer
    channels    the input channels that each channel depends on, up to the first merge
    roofline    layers under the roof of a device; the area of a disc is time
    scatter     networks by two metrics; without TARGET, all that are bundled
    ratio       the cost of one TARGET divided by that of another over a name, with its limit and its break-even
    scaling     a metric of each TARGET over a name
    """
    options: dict[str, Any] = context._asdict()
    if kind == "roofline":
        options["device"] = chosen(options["device"], peak, bandwidth, context.dtype)
    chart = api.plot(
        *targets_of(targets, settings),
        kind=kind,
        metric=metric,
        by=by,
        over=over,
        input=parse_input(input_),
        **options,
    )
    show_picture(chart, format_, output)
