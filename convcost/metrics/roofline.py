"""The roofline model: a lower bound on the time of each layer on a device, and what limits it.

A layer takes at least ``max(operations / peak, bytes / bandwidth)``. Bytes are those of
:mod:`convcost.metrics.traffic`: every map and every weight passes memory once per layer. A device whose caches hold a
map from one layer to the next moves fewer bytes, so that it can be faster than this where memory is the limit;
everything else (work space, launching, imperfect use of the units) makes it slower.

Source: Williams, Waterman and Patterson, "Roofline: An Insightful Visual Performance Model" (2009).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.metrics.devices import Device
    from convcost.metrics.registry import Context
    from convcost.metrics.traffic import Moved


class Bound(NamedTuple):
    """The least seconds of a layer: for its operations at the peak, and for its bytes at the bandwidth."""

    compute: Fraction
    memory: Fraction

    @property
    def seconds(self) -> Fraction:
        """The larger of the two, which run at the same time."""
        return max(self.compute, self.memory)

    @property
    def limit(self) -> str:
        """What takes that long: ``compute`` or ``memory``."""
        return "compute" if self.compute > self.memory else "memory"


def bound(moved: Moved, device: Device, dtype: str, weights_dtype: str, batch: int) -> Bound:
    """The bound for a layer that moves ``moved`` a sample, all copies.

    Raises:
        UsageError: the device states no peak for ``dtype``.
    """
    return Bound(
        Fraction(moved.flops * batch) / device.peak_of(dtype).value,
        Fraction(moved.bytes(dtype, weights_dtype, batch)) / device.bandwidth.value,
    )


def limit_of(limits: Iterable[str]) -> str:
    """What limits a group of layers: what limits each of them, or ``both``."""
    several = set(limits)
    return several.pop() if len(several) == 1 else "both"


class Point(NamedTuple):
    """A layer on a roofline.

    Attributes:
        kind: of the layer.
        intensity: operations per byte.
        rate: operations a second that its bound allows.
    """

    kind: str
    intensity: Fraction
    rate: Fraction


def points(context: Context) -> list[Point]:
    """The layers that compute and move something, in execution order.

    Raises:
        UsageError: there is no device, or it states no peak for the number format.
        UnsupportedError: a size is no number.
    """
    layers = []
    for node in context.graph.layers:
        moved, least = context.moved[node.index], context.bounds[node.index]
        flops, size = moved.flops * context.batch, moved.bytes(context.dtype, context.weights_dtype, context.batch)
        if flops and size:
            layers.append(Point(node.kind, Fraction(flops) / size, flops / least.seconds))
    return layers
