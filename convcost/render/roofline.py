"""What ``roofline`` says beside its rows, a plot for a terminal, and the list of devices."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from convcost.metrics.devices import device_names
from convcost.metrics.roofline import points
from convcost.render.analysis import Parts
from convcost.render.results import device_data, schema
from convcost.tables.table import Column, Table
from convcost.tables.values import decimal, duration, plain, si

if TYPE_CHECKING:
    from convcost.metrics.devices import Device, Rated
    from convcost.metrics.report import Analysis

NOTE = (
    "a lower bound: max(FLOPs / peak, bytes / bandwidth) for each layer, one after another; every map and weight "
    "passes memory once a layer, so that a cache that keeps maps can beat the memory-bound part; all else is slower"
)


def summary(analysis: Analysis) -> list[str]:
    """What to know first: the least time, what bounds it, and the figures of the device with their sources."""
    context, device = analysis.context, analysis.context.machine
    by_limit = {limit: Fraction(0) for limit in ("compute", "memory")}
    for bound in context.bounds.values():
        by_limit[bound.limit] += bound.seconds
    peak = device.peak_of(context.dtype)
    lines = [
        f"at least {duration(analysis.value('time'))}: at most {decimal(analysis.images_per_second)} images a second, "
        f"{float((analysis.value('of_peak') or 0) * 100):.1f} % of peak",
        f"compute bound {duration(by_limit['compute'])}, memory bound {duration(by_limit['memory'])}; the ridge is at "
        f"{decimal(analysis.ridge)} FLOPs/byte",
        f"peak {si(int(peak.value))}FLOP/s{_because(peak)}; bandwidth {si(int(device.bandwidth.value))}B/s"
        f"{_because(device.bandwidth)}",
    ]
    return [*lines, *([plain(device.notes)] if device.notes else [])]


def _because(figure: Rated) -> str:
    parts = [part for part in (figure.source, figure.note) if part]
    return f" ({'; '.join(parts)})" if parts else ""


def roofline_data(analysis: Analysis) -> dict[str, Any]:
    """The ridge of the device, and the most images a second."""
    return {"ridge": float(analysis.ridge), "totals": {"images_per_second": float(analysis.images_per_second)}}


ROOFLINE = Parts(notes=summary, data=roofline_data, doc=NOTE)


def devices_data(devices: list[Device]) -> dict[str, Any]:
    """The result of ``roofline`` without a network."""
    return {"schema": schema("roofline"), "devices": list(map(device_data, devices))}


def devices_table(devices: list[Device]) -> Table:
    """Every bundled device, a row for each number format."""
    columns = (
        Column("name", "device", "name", 9),
        Column("title", "", "text", 7),
        Column("dtype", "format", "text", 9),
        Column("peak", "FLOP/s", "count", 9),
        Column("bandwidth", "bytes/s", "count", 9),
        Column("ridge", "ridge", "decimal", 8),
        Column("source", "source of the peak", "text", 3),
    )
    rows = [
        (
            device.name,
            device.title,
            dtype,
            int(figure.value),
            int(device.bandwidth.value),
            device.ridge(dtype),
            figure.source,
        )
        for device in devices
        for dtype, figure in device.peak.items()
    ]
    return Table("", columns, rows, None, ("ridge: FLOPs per byte from which on the peak is the limit",))


# --- a plot of a few lines ---

_WIDTH, _HEIGHT = 72, 20


def text_plot(analysis: Analysis) -> str:
    """The layers under the roof, for a terminal: both axes logarithmic, one letter for each kind of layer."""
    layers = points(analysis.context)
    if not layers:
        return "nothing to plot: no layer does arithmetic\n"
    ridge, peak = analysis.ridge, analysis.context.machine.peak_of(analysis.context.dtype).value
    kinds = list(dict.fromkeys(layer.kind for layer in layers))
    letters = {kind: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index % 26] for index, kind in enumerate(kinds)}
    left, right = _decades([float(layer.intensity) for layer in layers] + [float(ridge)])
    roof = log10(peak)
    slope = roof - log10(ridge)
    bottom = min(left + slope, *(log10(layer.rate) for layer in layers))
    floor_, top = floor(bottom), ceil(roof + 0.1)
    grid = [[" "] * _WIDTH for _ in range(_HEIGHT)]

    def place(x: float, y: float, mark: str) -> None:
        column = round((x - left) / (right - left) * (_WIDTH - 1))
        row = _HEIGHT - 1 - round((y - floor_) / (top - floor_) * (_HEIGHT - 1))
        if 0 <= column < _WIDTH and 0 <= row < _HEIGHT:
            grid[row][column] = mark

    for column in range(_WIDTH):
        x = left + column / (_WIDTH - 1) * (right - left)
        place(x, min(roof, x + slope), "-" if x + slope >= roof else "/")
    for layer in layers:
        place(log10(layer.intensity), log10(layer.rate), letters[layer.kind])
    labels = {0: f"{si(10**top)}FLOP/s", _HEIGHT - 1: f"{si(10**floor_)}FLOP/s"}
    lines = [f"{labels.get(index, ''):>14} |{''.join(row).rstrip()}" for index, row in enumerate(grid)]
    lines.append(" " * 15 + "+" + "-" * _WIDTH)
    first, last = f"{10.0**left:g}", f"{10.0**right:g} FLOPs/byte"
    lines.append(" " * 16 + first + last.rjust(_WIDTH - len(first)))
    lines.append(" " * 16 + "  ".join(f"{letter} {kind}" for kind, letter in letters.items()))
    return "\n".join(lines) + "\n"


def _decades(values: list[float]) -> tuple[int, int]:
    """The powers of ten around ``values``, at least two apart."""
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 2)


def bundled_devices() -> list[Device]:
    """Every bundled device."""
    from convcost.metrics.devices import device  # noqa: PLC0415 - only the list pays for all of them

    return [device(name) for name in device_names()]
