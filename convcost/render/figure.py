"""A roofline as an SVG or PNG file, by matplotlib: the extra ``plot``."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, UsageError
from convcost.metrics.roofline import points
from convcost.tables.values import plain

if TYPE_CHECKING:
    from convcost.metrics.report import Analysis

FORMATS = (".svg", ".png", ".pdf")


def drawn_roofline(analysis: Analysis, path: str) -> bytes:
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
    context, ridge = analysis.context, float(analysis.ridge)
    layers = points(context)
    intensities = [*(float(layer.intensity) for layer in layers), ridge]
    low, high = min(intensities) / 2, max(intensities) * 2
    device = context.machine
    peak, bandwidth = float(device.peak_of(context.dtype).value), float(device.bandwidth.value)
    axes.plot([low, ridge, high], [low * bandwidth, peak, peak], color="black", label="roof")
    for kind in dict.fromkeys(layer.kind for layer in layers):
        of_kind = [layer for layer in layers if layer.kind == kind]
        intensity, rate = ([float(getattr(layer, axis)) for layer in of_kind] for axis in ("intensity", "rate"))
        axes.plot(intensity, rate, "o", label=kind)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="FLOPs per byte",
        ylabel="FLOP/s, at most",
        title=f"{plain(analysis.graph.title)} on {plain(device.title)}, {context.dtype}, batch {context.batch}",
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
