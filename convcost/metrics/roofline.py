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

from convcost.errors import UnsupportedError
from convcost.metrics.rows import rows_of
from convcost.metrics.traffic import Moved, traffic_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.metrics.devices import Device
    from convcost.network.graph import Graph


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
    found = set(limits)
    return found.pop() if len(found) == 1 else "both"


class Timed(NamedTuple):
    """One line of a report.

    Attributes:
        path: of the layer or group.
        kind: of it.
        flops: operations for the batch.
        bytes: moved for the batch.
        seconds: the least that they take.
        limit: ``compute`` or ``memory``; ``both`` for a group whose layers differ.
    """

    path: str
    kind: str
    flops: int
    bytes: int
    seconds: Fraction
    limit: str

    @property
    def intensity(self) -> Fraction:
        """Operations per byte."""
        return Fraction(self.flops, self.bytes) if self.bytes else Fraction(0)

    @property
    def rate(self) -> Fraction:
        """Operations a second that the bound allows."""
        return Fraction(self.flops) / self.seconds if self.seconds else Fraction(0)


class Roofline(NamedTuple):
    """A network on a device.

    Attributes:
        graph: the network.
        device: the machine.
        dtype: number format of maps and operations; ``weights_dtype`` that of weights.
        batch: samples at once.
        fused: whether norms and activations run on outputs before they are written.
        rows: by layer, block, stage or kind.
        layers: every layer, for a plot.
    """

    graph: Graph
    device: Device
    dtype: str
    weights_dtype: str
    batch: int
    fused: bool
    rows: tuple[Timed, ...]
    layers: tuple[Timed, ...]

    @property
    def seconds(self) -> Fraction:
        """The least that the network takes: the sum over its layers, one after another."""
        return sum((layer.seconds for layer in self.layers), Fraction(0))

    @property
    def images_per_second(self) -> Fraction:
        """The most samples a second."""
        return self.batch / self.seconds if self.seconds else Fraction(0)

    @property
    def flops(self) -> int:
        """Operations for the batch."""
        return sum(layer.flops for layer in self.layers)

    @property
    def attained(self) -> Fraction:
        """Share of the peak that the bound allows."""
        return self.flops / self.seconds / self.peak if self.seconds else Fraction(0)

    @property
    def peak(self) -> Fraction:
        """Operations a second of the device, in this number format."""
        return self.device.peak_of(self.dtype).value

    @property
    def ridge(self) -> Fraction:
        """Operations per byte from which on memory is no limit."""
        return self.device.ridge(self.dtype)


def roofline(
    graph: Graph,
    device: Device,
    *,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    batch: int = 1,
    fused: bool = True,
    by: str = "layer",
) -> Roofline:
    """The least time of ``graph`` on ``device``.

    Raises:
        UsageError: the device states no peak for ``dtype``, or ``by`` is no grouping.
        UnsupportedError: a size is no number.
    """
    if any(type(size) is not int for node in graph.nodes for size in (*node.shape, node.count)):
        raise UnsupportedError("a roofline is evaluated on numbers; this network has symbolic sizes")
    weights = weights_dtype or dtype

    def timed(path: str, kind: str, moved: Moved) -> Timed:
        least = bound(moved, device, dtype, weights, batch)
        size = moved.bytes(dtype, weights, batch)
        return Timed(path, kind, moved.flops * batch, size, least.seconds, least.limit)

    single = {row.path: timed(row.path, row.kind, row.moved) for row in traffic_rows(graph, fused=fused)}
    layers = tuple(single.values())
    if by == "layer":
        return Roofline(graph, device, dtype, weights, batch, fused, layers, layers)
    return Roofline(graph, device, dtype, weights, batch, fused, _grouped(graph, single, by), layers)


def _grouped(graph: Graph, single: dict[str, Timed], by: str) -> tuple[Timed, ...]:
    """Sums over the layers of each group: the least time of a group is that of its layers one after another."""
    rows = []
    for row in rows_of(graph, by):
        parts = [single[node.path] for node in row.nodes if node.path in single]
        if parts:
            rows.append(
                Timed(
                    row.path,
                    row.kind,
                    sum(part.flops for part in parts),
                    sum(part.bytes for part in parts),
                    sum((part.seconds for part in parts), Fraction(0)),
                    limit_of(part.limit for part in parts),
                )
            )
    return tuple(rows)
