"""A roofline as a table, as data, and as a plot for a terminal."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

from convcost.metrics.devices import device_names
from convcost.render.headings import heading
from convcost.render.results import schema
from convcost.tables.table import Column, Ratio, Table
from convcost.tables.values import decimal, duration, plain, si

if TYPE_CHECKING:
    from convcost.metrics.devices import Device, Rated
    from convcost.metrics.roofline import Roofline, Timed

_COLUMNS = (
    Column("path", "path", "name", 9),
    Column("kind", "kind", "text", 8),
    Column("flops", "FLOPs", "count", 6, "sum"),
    Column("bytes", "bytes", "count", 6, "sum"),
    Column("intensity", "FLOPs/byte", "decimal", 7, Ratio("flops", "bytes")),
    Column("limit", "limit", "text", 9),
    Column("seconds", "at least", "duration", 9, "sum"),
    Column("share", "time %", "share", 8, "sum"),
    Column("attained", "of peak", "share", 7, "same"),
)
NOTE = (
    "a lower bound: max(FLOPs / peak, bytes / bandwidth) for each layer, one after another; every map and weight "
    "passes memory once a layer, so that a cache that keeps maps can beat the memory-bound part; all else is slower"
)


def _row(row: Timed, found: Roofline) -> tuple[Any, ...]:
    share = row.seconds / found.seconds if found.seconds else None
    return (
        row.path,
        row.kind,
        row.flops,
        row.bytes,
        row.intensity,
        row.limit,
        row.seconds,
        share,
        row.rate / found.peak,
    )


def roofline_table(found: Roofline) -> Table:
    """The least time of every row."""
    rows = [_row(row, found) for row in found.rows]
    moved = sum(row.bytes for row in found.layers)
    total = ("total", None, found.flops, moved, None, None, found.seconds, None, found.attained)
    title = f"{heading(found.graph, found.batch)} on {plain(found.device.title)}"
    return Table(title, _COLUMNS, rows, total, (*_summary(found), NOTE))


def _summary(found: Roofline) -> list[str]:
    device = found.device
    compute, memory = (
        sum((layer.seconds for layer in found.layers if layer.limit == limit), start=found.seconds * 0)
        for limit in ("compute", "memory")
    )
    fused = "norms and activations fused" if found.fused else "norms and activations on their own"
    lines = [
        f"at least {duration(found.seconds)}: at most {decimal(found.images_per_second)} images a second, "
        f"{float(found.attained * 100):.1f} % of peak",
        f"compute bound {duration(compute)}, memory bound {duration(memory)}; the ridge is at "
        f"{decimal(found.ridge)} FLOPs/byte",
        f"{found.dtype}, weights {found.weights_dtype}; {fused}; peak {si(int(found.peak))}FLOP/s"
        f"{_because(device.peak_of(found.dtype))}; bandwidth {si(int(device.bandwidth.value))}B/s"
        f"{_because(device.bandwidth)}",
    ]
    return [*lines, *([plain(device.notes)] if device.notes else [])]


def _because(figure: Rated) -> str:
    parts = [part for part in (figure.source, figure.note) if part]
    return f" ({'; '.join(parts)})" if parts else ""


def roofline_data(found: Roofline) -> dict[str, Any]:
    """The result of ``roofline``; seconds are floats."""
    graph = found.graph
    return {
        "schema": schema("roofline"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "batch": found.batch,
        "dtype": found.dtype,
        "weights_dtype": found.weights_dtype,
        "fused": found.fused,
        "device": device_data(found.device),
        "ridge": float(found.ridge),
        "totals": {
            "flops": found.flops,
            "bytes": sum(row.bytes for row in found.layers),
            "seconds": float(found.seconds),
            "images_per_second": float(found.images_per_second),
            "of_peak": float(found.attained),
        },
        "rows": [
            {
                "path": row.path,
                "kind": row.kind,
                "flops": row.flops,
                "bytes": row.bytes,
                "flops_per_byte": float(row.intensity),
                "limit": row.limit,
                "seconds": float(row.seconds),
                "share": float(row.seconds / found.seconds) if found.seconds else None,
                "of_peak": float(row.rate / found.peak),
            }
            for row in found.rows
        ],
        "notes": [NOTE],
    }


def device_data(device: Device) -> dict[str, Any]:
    """A device with the source of every figure."""

    def figure(one: Rated) -> dict[str, Any]:
        return {"value": one.value, "source": one.source, "note": one.note}

    return {
        "name": device.name,
        "title": device.title,
        "peak": {dtype: figure(one) for dtype, one in device.peak.items()},
        "bandwidth": figure(device.bandwidth),
        "notes": device.notes,
    }


def devices_data(devices: list[Device]) -> dict[str, Any]:
    """The result of ``roofline`` without a network."""
    return {"schema": schema("roofline"), "devices": [device_data(one) for one in devices]}


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
        (one.name, one.title, dtype, int(figure.value), int(one.bandwidth.value), one.ridge(dtype), figure.source)
        for one in devices
        for dtype, figure in one.peak.items()
    ]
    return Table("", columns, rows, None, ("ridge: FLOPs per byte from which on the peak is the limit",))


# --- a plot of a few lines ---

_WIDTH, _HEIGHT = 72, 20


def text_plot(found: Roofline) -> str:
    """The layers under the roof, for a terminal: both axes logarithmic, one letter for each kind of layer."""
    points = [layer for layer in found.layers if layer.flops and layer.bytes]
    if not points:
        return "nothing to plot: no layer does arithmetic\n"
    kinds = list(dict.fromkeys(layer.kind for layer in points))
    letters = {kind: "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[index % 26] for index, kind in enumerate(kinds)}
    left, right = _decades([float(layer.intensity) for layer in points] + [float(found.ridge)])
    roof = log10(found.peak)
    slope = roof - log10(found.ridge)
    bottom = min(left + slope, *(log10(layer.rate) for layer in points))
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
    for layer in points:
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
