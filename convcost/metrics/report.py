"""A report on a network: its rows, their context, the value of any metric, and what commands say beside the rows."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.errors import ConvcostError
from convcost.metrics.presets import COSTS, PRESETS, TREE
from convcost.metrics.registry import Context, metric
from convcost.metrics.rows import check_grouping, fold, rows_of
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence
    from fractions import Fraction

    from convcost.conventions.model import Convention
    from convcost.conventions.reported import Reported
    from convcost.layers.base import Work
    from convcost.metrics.channels import Mixed
    from convcost.metrics.devices import Device
    from convcost.metrics.memory import Peak
    from convcost.metrics.presets import Preset
    from convcost.metrics.receptive import Seen
    from convcost.metrics.rows import Row
    from convcost.metrics.training import Kept, Training
    from convcost.network.graph import Graph


class Analysis(Printable):
    """The cost of a network.

    Attributes:
        by: how rows are grouped.
        context: what the metrics are evaluated for: graph, batch, number formats, device, fusing, convention.
        preset: which metrics are shown where none are asked for.
    """

    __slots__ = ("_depth", "_rows", "by", "context", "preset")

    def __init__(self, by: str, depth: int | None, context: Context, preset: Preset = PRESETS["analyze"]) -> None:
        self.by = by
        self.context = context
        self.preset = preset
        self._depth = depth
        self._rows: tuple[Row, ...] | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows in execution order, made when they are first asked for: totals do without."""
        if self._rows is None:
            self._rows = rows_of(self.graph, self.by, depth=self._depth, batch=self.batch)
        return self._rows

    def __repr__(self) -> str:
        try:
            values = [(key, self.value(key)) for key in self.preset.totals]
            totals = "".join(f", {key} {_shown(value)}" for key, value in values if value is not None)
        except ConvcostError:  # symbols, or no device
            totals = ""
        return f"<{self.preset.command} {self.graph.name}: {len(self.rows)} rows by {self.by}{totals}>"

    def shown_as(self, command: str) -> Analysis:
        """The same analysis with the metrics that a command shows."""
        return Analysis(self.by, self._depth, self.context, PRESETS[command])

    @property
    def graph(self) -> Graph:
        """What was analysed."""
        return self.context.graph

    @property
    def batch(self) -> int:
        """Samples that operations are counted for."""
        return self.context.batch

    @property
    def totals(self) -> Work:
        """The counts of the whole network."""
        return self.context.whole.work

    @property
    def convention(self) -> Convention:
        """The convention of :attr:`reported`."""
        return self.context.convention

    @property
    def reported(self) -> Reported:
        """What the tool of the convention would print."""
        return self.context.reported

    def value(self, key: str, row: Row | None = None) -> Any:
        """A metric of a row, or of the whole network where no row is given.

        Args:
            key: a key of :data:`convcost.metrics.registry.METRICS`.
            row: one of :attr:`rows`.

        Raises:
            UsageError: no such metric, or it needs a device.
            UnsupportedError: it cannot be evaluated on these sizes.
        """
        return metric(key).of(self.context.whole if row is None else row, self.context)

    def records(self, *keys: str) -> list[dict[str, Any]]:
        """The rows as dicts of metrics.

        Args:
            *keys: the metrics; those of the preset where none are given.

        Raises:
            UsageError: no such metric, or it needs a device.
        """
        shown = [metric(key) for key in keys or self.preset.machine]
        return [{record.key: record.of(row, self.context) for record in shown} for row in self.rows]

    @property
    def peaks(self) -> list[Peak]:
        """The peak of activation memory: as it is, with activations in place, with norms folded, and with both.

        Raises:
            UnsupportedError: a size is no number.
        """
        from convcost.metrics.memory import peak  # noqa: PLC0415 - only memory pays for it

        ways = ((in_place, folded) for folded in (False, True) for in_place in (False, True))
        return [peak(self.graph, in_place=in_place, folded=folded) for in_place, folded in ways]

    @property
    def kept(self) -> Kept:
        """What the forward pass keeps for the backward pass, per sample.

        Raises:
            UnsupportedError: a size is no number.
        """
        from convcost.metrics.training import kept  # noqa: PLC0415

        return kept(self.graph)

    def training(self, optimiser: str = "adam") -> Training:
        """The estimate of training memory with an optimiser, in bytes by part.

        Raises:
            UsageError: no such optimiser.
            UnsupportedError: a size is no number.
        """
        from convcost.metrics.training import training  # noqa: PLC0415

        formats = {"dtype": self.context.dtype, "weights_dtype": self.context.weights_dtype}
        return training(self.graph, optimiser, batch=self.batch, **formats)

    @property
    def channels(self) -> list[Mixed]:
        """The channels of the input that each channel of every layer depends on.

        Raises:
            UnsupportedError: a size is no number, or a layer does not say which channels it reads.
        """
        from convcost.metrics.channels import channels  # noqa: PLC0415 - only channels pay for it

        return channels(self.graph)

    @property
    def last_map(self) -> Seen:
        """The receptive field of the last layer whose map has more than one position.

        Raises:
            UnsupportedError: a size is no number, or the input is flat.
        """
        from convcost.metrics.receptive import last_map  # noqa: PLC0415 - only receptive fields pay for it

        return self.context.fields[last_map(self.graph).index]

    @property
    def images_per_second(self) -> Fraction:
        """The most samples a second on the device; 0 where nothing takes time.

        Raises:
            UsageError: there is no device, or it states no peak for the number format.
            UnsupportedError: a size is no number.
        """
        seconds: Fraction = self.value("time")
        return self.batch / seconds if seconds else seconds

    @property
    def ridge(self) -> Fraction:
        """FLOPs per byte from which on the peak of the device, and no longer its bandwidth, is the limit.

        Raises:
            UsageError: there is no device, or it states no peak for the number format.
        """
        return self.context.machine.ridge(self.context.dtype)

    def folded(self, keys: Sequence[str], rows: Iterable[Row] | None = None) -> tuple[Row, ...]:
        """Rows, with repeats that agree in all of these metrics as one row of all their layers.

        Args:
            keys: the metrics.
            rows: some of :attr:`rows`; all of them where not given.
        """
        own = [metric(key) for key in keys if key not in ("path", *COSTS)]  # costs follow from the work
        counts = cache(lambda work: tuple(work.as_dict().values()))  # equal layers share one work

        def same(row: Row) -> Hashable:
            return (counts(row.work), *[record.of(row, self.context) for record in own])

        return fold(self.rows if rows is None else rows, same, self.batch)


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "x".join(map(_shown, value))
    return f"{value:,}" if isinstance(value, int) else f"{float(value):.4g}"


def analyze(  # noqa: PLR0913 - a context has as many parts
    graph: Graph,
    *,
    by: str | None = None,
    batch: int = 1,
    depth: int | None = None,
    convention: Convention = PLAIN,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    device: Device | None = None,
    fused: bool = True,
    preset: str = "analyze",
) -> Analysis:
    """Rows of ``graph``, and the context in which metrics of them are evaluated.

    Args:
        graph: any network or block.
        by: ``layer``, ``block``, ``stage`` or ``kind``; see :func:`convcost.metrics.rows.rows_of`. That of the preset
            where not given.
        batch: samples; operations grow with it, parameters do not.
        depth: sum up all layers that share this many leading segments of their paths.
        convention: whose number is reported beside the plain ones.
        dtype: number format of feature maps and arithmetic, for bytes and times.
        weights_dtype: number format of parameters; that of the maps where not given.
        device: what times are for.
        fused: whether norms and activations run on the output of the layer before them, before it is written.
        preset: which metrics are shown where none are asked for.

    Raises:
        UsageError: ``by``, ``batch`` or ``depth`` has a wrong value.
    """
    shown = PRESETS[preset]
    by = by or ("layer" if shown.by == TREE else shown.by)
    check_grouping(by, depth, batch)
    context = Context(
        graph,
        batch=batch,
        dtype=dtype,
        weights_dtype=weights_dtype,
        device=device,
        fused=fused,
        convention=convention,
    )
    return Analysis(by, depth, context, shown)
