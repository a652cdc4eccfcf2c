"""A roofline as an SVG or PNG file, by matplotlib: the extra ``plot``."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, UsageError
from convcost.tables.values import plain

if TYPE_CHECKING:
    from convcost.metrics.roofline import Roofline

FORMATS = (".svg", ".png", ".pdf")


def drawn_roofline(found: Roofline, path: str) -> bytes:
    """The layers under the roof, as the content of a file of that name.

    Raises:
        UsageError: the name does not end in .svg, .png or .pdf.
        ConvcostError: matplotlib is not installed.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in FORMATS:
        raise UsageError(f"--figure takes a name that ends in {', '.join(FORMATS)}, found '{path[:60]}'")
    figure_class = _matplotlib()
    figure: Any = figure_class(figsize=(8, 5), layout="constrained")
    axes: Any = figure.add_subplot()
    points = [layer for layer in found.layers if layer.flops and layer.bytes]
    low = min([float(layer.intensity) for layer in points] + [float(found.ridge)]) / 2
    high = max([float(layer.intensity) for layer in points] + [float(found.ridge)]) * 2
    peak, bandwidth = float(found.peak), float(found.device.bandwidth.value)
    axes.plot([low, float(found.ridge), high], [low * bandwidth, peak, peak], color="black", label="roof")
    for kind in dict.fromkeys(layer.kind for layer in points):
        mine = [layer for layer in points if layer.kind == kind]
        axes.plot([float(one.intensity) for one in mine], [float(one.rate) for one in mine], "o", label=kind)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="FLOPs per byte",
        ylabel="FLOP/s, at most",
        title=f"{plain(found.graph.title)} on {plain(found.device.title)}, {found.dtype}, batch {found.batch}",
    )
    axes.legend(fontsize="small")
    drawn = io.BytesIO()
    figure.savefig(drawn, format=extension[1:])
    return drawn.getvalue()


def _matplotlib() -> Any:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - an extra, and slow to load
    except ImportError:
        raise ConvcostError("a figure needs matplotlib: pip install 'convcost[plot]'") from None
    return Figure
