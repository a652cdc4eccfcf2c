"""A report on a network: its rows, their context, and the value of any metric for any row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.metrics.registry import Context, metric
from convcost.metrics.rows import fold, rows_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from convcost.conventions.model import Convention
    from convcost.conventions.reported import Reported
    from convcost.layers.base import Work
    from convcost.metrics.devices import Device
    from convcost.metrics.rows import Row
    from convcost.network.graph import Graph


class Analysis:
    """The cost of a network.

    Attributes:
        by: how rows are grouped.
        rows: in execution order.
        context: what the metrics are evaluated for: graph, batch, number formats, device, fusing, convention.
    """

    __slots__ = ("by", "context", "rows")

    def __init__(self, by: str, rows: tuple[Row, ...], context: Context) -> None:
        self.by = by
        self.rows = rows
        self.context = context

    def __repr__(self) -> str:
        return f"Analysis({self.graph.name}, by={self.by!r}, {len(self.rows)} rows)"

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

    def folded(self, keys: Sequence[str]) -> tuple[Row, ...]:
        """The rows, with repeats that agree in all of these metrics as one row of all their layers."""
        own = [metric(key) for key in keys if key != "path"]

        def same(row: Row) -> Hashable:
            return (*row.work.as_dict().values(), *(record.of(row, self.context) for record in own))

        return fold(self.rows, same, self.batch)


def analyze(  # noqa: PLR0913 - a context has as many parts
    graph: Graph,
    *,
    by: str = "layer",
    batch: int = 1,
    depth: int | None = None,
    convention: Convention = PLAIN,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    device: Device | None = None,
    fused: bool = True,
) -> Analysis:
    """Rows of ``graph``, and the context in which metrics of them are evaluated.

    Args:
        graph: any network or block.
        by: ``layer``, ``block``, ``stage`` or ``kind``; see :func:`convcost.metrics.rows.rows_of`.
        batch: samples; operations grow with it, parameters do not.
        depth: sum up all layers that share this many leading segments of their paths.
        convention: whose number is reported beside the plain ones.
        dtype: number format of feature maps and arithmetic, for bytes and times.
        weights_dtype: number format of parameters; that of the maps where not given.
        device: what times are for.
        fused: whether norms and activations run on the output of the layer before them, before it is written.

    Raises:
        UsageError: ``by``, ``batch`` or ``depth`` has a wrong value.
    """
    rows = rows_of(graph, by, depth=depth, batch=batch)
    context = Context(
        graph,
        batch=batch,
        dtype=dtype,
        weights_dtype=weights_dtype,
        device=device,
        fused=fused,
        convention=convention,
    )
    return Analysis(by, rows, context)
