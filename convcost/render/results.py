"""Results as data: the documented JSON of every command (see ``docs/json.md``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.network.cost import PLAIN_COUNTS

if TYPE_CHECKING:
    from convcost.conventions.model import Convention
    from convcost.conventions.reported import Reported
    from convcost.layers.base import Work
    from convcost.metrics.devices import Device, Rated

_VERSIONS = {"analyze": 2, "traffic": 2, "receptive": 2, "roofline": 2}  # of the results that changed


def schema(command: str) -> str:
    """The name of the shape of a result: ``convcost/analyze/2``."""
    return f"convcost/{command}/{_VERSIONS.get(command, 1)}"


def convention_data(convention: Convention) -> dict[str, Any]:
    """The convention and the unit of ``reported``, and what the plain params, macs and flops count."""
    return {
        "name": convention.name,
        "unit": convention.unit,
        "reported": convention.doc,
        "source": convention.source,
        **PLAIN_COUNTS,
    }


def totals_data(work: Work, reported: Reported, batch: int = 1) -> dict[str, Any]:
    """Totals, the parts of params, and what the convention's tool would print."""
    names = ("params", "macs", "flops", "weights", "biases", "norm_params", "other_params", "buffers")
    counts = {name: getattr(work, name) for name in names}
    return {**counts, "reported": reported.value(batch), "reported_params": reported.params}


def device_data(device: Device) -> dict[str, Any]:
    """A device with the source of every figure."""

    def figure(rated: Rated) -> dict[str, Any]:
        return {"value": rated.value, "source": rated.source, "note": rated.note}

    return {
        "name": device.name,
        "title": device.title,
        "peak": {dtype: figure(rated) for dtype, rated in device.peak.items()},
        "bandwidth": figure(device.bandwidth),
        "notes": device.notes,
    }
