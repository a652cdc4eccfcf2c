"""Every metric of a layer, a group of layers or a whole network, in one table.

A metric has one rule over a *row*: a set of layers, be it one layer, the layers of a stage, the repeats that are shown
as one line, or the whole network. A total is the metric of the row of all layers, so that totals and groups are right
for sums, maxima and ratios alike: there is no second way to add them up.

To add a metric, add one record to :data:`METRICS`, or call :func:`register` from outside the package. Every command
with rows then takes it as a column, and every budget takes it as a name.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.conventions.reported import Reported
from convcost.errors import UnsupportedError, UsageError, unknown
from convcost.metrics.dtypes import bytes_of
from convcost.metrics.rows import whole_row
from convcost.network.cost import ALL_QUANTITIES, PARTS, TENSORS
from convcost.network.graph import UNKNOWN
from convcost.network.sharing import has_parameters
from convcost.numbers.arithmetic import Num, normal, total
from convcost.plugins import load_installed
from convcost.records import NamedTuple
from convcost.tables.table import COMBINATIONS, FORMS, Column, Ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.conventions.model import Convention
    from convcost.layers.base import Shape, Work
    from convcost.metrics.devices import Device
    from convcost.metrics.memory import Peak
    from convcost.metrics.receptive import Seen
    from convcost.metrics.roofline import Bound
    from convcost.metrics.rows import Row
    from convcost.metrics.traffic import Moved
    from convcost.metrics.training import Kept
    from convcost.network.graph import Graph, Node
    from convcost.tables.table import Combine


class Context:
    """What metrics are evaluated for; each analysis of the graph is made once, when a metric first asks for it.

    Attributes:
        graph: the network.
        batch: samples; operations and feature maps grow with it, parameters do not.
        dtype: number format of feature maps and of arithmetic.
        weights_dtype: number format of parameters.
        device: for times; None where no metric asks for one.
        fused: whether norms and activations run on the output of the layer before them, before it is written.
        convention: whose number ``reported`` is.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        batch: int = 1,
        dtype: str = "float32",
        weights_dtype: str | None = None,
        device: Device | None = None,
        fused: bool = True,
        convention: Convention = PLAIN,
    ) -> None:
        self.graph = graph
        self.batch = batch
        self.dtype = dtype
        self.weights_dtype = weights_dtype or dtype
        self.device = device
        self.fused = fused
        self.convention = convention

    @cached_property
    def whole(self) -> Row:
        """The row of all layers: what totals are metrics of."""
        return whole_row(self.graph, self.batch)

    @cached_property
    def partial(self) -> bool:
        """Whether the graph has layers of unknown cost."""
        return any(node.kind == UNKNOWN for node in self.graph.layers)

    @cached_property
    def reported(self) -> Reported:
        """What the tool of the convention prints."""
        return Reported(self.graph, self.convention)

    @cached_property
    def moved(self) -> Mapping[int, Moved]:
        """What every layer moves, per sample, by its index."""
        from convcost.metrics.traffic import traffic  # noqa: PLC0415 - only metrics of traffic pay for it

        return traffic(self.graph, fused=self.fused)

    def traffic(self, nodes: Iterable[Node]) -> Moved:
        """What ``nodes`` move, per sample."""
        from convcost.metrics.traffic import sum_moved  # noqa: PLC0415

        return sum_moved(self.moved[node.index] for node in nodes)

    @cached_property
    def peak(self) -> Peak:
        """The elements alive at every step, per sample."""
        from convcost.metrics.memory import peak  # noqa: PLC0415

        return peak(self.graph, in_place=self.fused, folded=self.fused)

    @cached_property
    def live(self) -> Mapping[str, int]:
        """The most elements alive while a layer runs, per sample, by its path."""
        most: dict[str, int] = {}
        for path, count in self.peak.steps:
            most[path] = max(most.get(path, 0), count)
        return most

    @cached_property
    def fields(self) -> Mapping[int, Seen]:
        """Receptive fields, by index of the layer."""
        from convcost.metrics.receptive import receptive_fields  # noqa: PLC0415

        return receptive_fields(self.graph)

    @cached_property
    def kept(self) -> Mapping[int, Kept]:
        """What every layer keeps for the backward pass, per sample, by its index."""
        from convcost.metrics.training import kept_by_layer  # noqa: PLC0415

        return kept_by_layer(self.graph)

    @cached_property
    def gradients(self) -> Mapping[int, tuple[Work, ...]]:
        """The work of the gradients that every layer computes, per sample and copy, by its index."""
        from convcost.metrics.training import backward_by_layer  # noqa: PLC0415

        return backward_by_layer(self.graph)

    @property
    def machine(self) -> Device:
        """The device.

        Raises:
            UsageError: there is none.
        """
        if self.device is None:
            raise UsageError("a time needs a device: --device NAME|FILE")
        return self.device

    @cached_property
    def bounds(self) -> Mapping[int, Bound]:
        """The least seconds of every layer for its operations and for its bytes, by index.

        Raises:
            UsageError: there is no device, or it states no peak for the number format.
            UnsupportedError: a size is a symbol or an array.
        """
        device = self.machine
        _need_numbers(self.graph, "time on a roofline")
        from convcost.metrics.roofline import bound  # noqa: PLC0415 - only metrics of time pay for it

        return {
            index: bound(moved, device, self.dtype, self.weights_dtype, self.batch)
            for index, moved in self.moved.items()
        }


def _need_numbers(graph: Graph, what: str) -> None:
    if any(type(size) is not int for node in graph.nodes for size in (*node.shape, node.count)):
        raise UnsupportedError(f"{what} is evaluated on numbers; this network has symbolic sizes")


class Metric(NamedTuple):
    """One metric.

    Attributes:
        key: its name in ``--columns``, ``--budget`` and machine formats.
        title: its heading for people.
        form: how a value is written: ``name``, ``text``, ``shape``, ``sizes``, ``count``, ``bytes``, ``share``,
            ``times``, ``decimal``, ``duration``.
        keep: columns with the smallest are hidden first where a table is too wide; 9 is never hidden.
        combine: how it relates to those of its parts: their ``sum``, their largest (``max``), a :class:`Ratio` of two
            other metrics, or the ``same`` for each where it does not add up. A law holds it; values always come from
            the rule.
        doc: what it counts, in words.
        of: its value for a row; None where it does not apply. The counts in ``row.work`` are those of the whole batch;
            those of its layers (``node.work``) and of ``context.traffic`` are for one sample.
    """

    key: str
    title: str
    form: str
    keep: int
    combine: Combine
    doc: str
    of: Callable[[Row, Context], Any]

    @property
    def column(self) -> Column:
        """The metric as a column of a table."""
        return Column(self.key, self.title, self.form, self.keep, self.combine)


def _field(name: str) -> Callable[[Row, Context], Any]:
    return lambda row, _: getattr(row, name)


def _work(name: str) -> Callable[[Row, Context], Num]:
    return lambda row, _: getattr(row.work, name)


def _moved(name: str, *, per_sample: bool = True) -> Callable[[Row, Context], Num]:
    def of(row: Row, context: Context) -> Num:
        return getattr(context.traffic(row.nodes), name) * (context.batch if per_sample else 1)

    return of


def _share(part: Callable[[Row, Context], Any]) -> Callable[[Row, Context], Any]:
    """The part of a row in the whole network."""

    def of(row: Row, context: Context) -> Fraction | None:
        whole = part(context.whole, context)
        return Fraction(part(row, context), whole) if whole else None

    return of


def _bytes(row: Row, context: Context) -> Num:
    return context.traffic(row.nodes).bytes(context.dtype, context.weights_dtype, context.batch)


def _elements(row: Row, context: Context) -> Num:
    return context.traffic(row.nodes).elements(context.batch)


def _intensity(row: Row, context: Context) -> Any:
    return context.traffic(row.nodes).intensity(context.dtype, context.weights_dtype, context.batch)


def _access(name: str) -> Callable[[Row, Context], Any]:
    def of(row: Row, _: Context) -> Any:
        from convcost.metrics.traffic import access_cost  # noqa: PLC0415

        cost = access_cost(row.nodes[0]) if len(row.nodes) == row.repeat else None  # one layer, or its repeats
        return None if cost is None else getattr(cost, name)

    return of


def _time(row: Row, context: Context) -> Fraction:
    return sum((context.bounds[node.index].seconds for node in row.nodes), Fraction(0))


def _limit(row: Row, context: Context) -> str | None:
    from convcost.metrics.roofline import limit_of  # noqa: PLC0415

    bounds = [context.bounds[node.index] for node in row.nodes]
    limits = [bound.limit for bound in bounds if bound.seconds]
    return limit_of(limits) if limits else None


def _compute_time(row: Row, context: Context) -> Fraction:
    return sum((context.bounds[node.index].compute for node in row.nodes), Fraction(0))


def _of_peak(row: Row, context: Context) -> Fraction | None:
    seconds = _time(row, context)
    return _compute_time(row, context) / seconds if seconds else None


def _live(row: Row, context: Context) -> Num:
    paths = [node.path for node in row.nodes if node.path in context.live]
    return max((context.live[path] for path in paths), default=0) * context.batch


def _peak(row: Row, context: Context) -> Num:
    return bytes_of(_live(row, context), context.dtype)


def _seen(row: Row, context: Context) -> Seen | None:
    """The receptive field of the last layer of a row that has positions; of the network, of its last map."""
    from convcost.metrics.receptive import last_map  # noqa: PLC0415

    node = last_map(context.graph) if row is context.whole else row.nodes[-1]
    return context.fields[node.index] if len(node.shape) > 1 else None


def _receptive(row: Row, context: Context) -> Shape | None:
    seen = _seen(row, context)
    return None if seen is None else seen.sizes


def _effective_stride(row: Row, context: Context) -> tuple[Num, ...] | None:
    seen = _seen(row, context)
    return None if seen is None else tuple(normal(field.stride) for field in seen.fields)


def _start(row: Row, context: Context) -> tuple[Any, ...] | None:
    seen = _seen(row, context)
    return None if seen is None else tuple(None if f.start is None else normal(f.start) for f in seen.fields)


def _padding(row: Row, context: Context) -> tuple[Any, ...] | None:
    seen = _seen(row, context)
    return None if seen is None else tuple(field.padding for field in seen.fields)


def _shared(row: Row, _: Context) -> str | None:
    """Whose parameters the layers of a row use; None where one of them has its own."""
    users = [node for node in row.nodes if has_parameters(node)]
    owners = list(dict.fromkeys(node.shared for node in users))
    if not owners or "" in owners:
        return None
    return owners[0] if len(owners) == 1 else _beginning(owners) or f"{owners[0]} and {len(owners) - 1} more"


def _beginning(paths: Sequence[str]) -> str:
    """The segments that all of several paths begin with."""
    split = [path.split("/") for path in paths]
    same = 0
    while all(len(parts) > same + 1 and parts[same] == split[0][same] for parts in split):
        same += 1
    return "/".join(split[0][:same])


def _through(row: Row, context: Context) -> str | None:
    seen = _seen(row, context)
    if seen is None or seen.through is None or not seen.node.layer.merges:
        return None
    return context.graph.nodes[seen.through].path


def _everywhere(row: Row, context: Context) -> bool | None:
    seen = _seen(row, context)
    return None if seen is None else seen.everywhere


def _size(row: Row, context: Context) -> Num:
    return bytes_of(row.work.params + row.work.buffers, context.weights_dtype)


def _saved(row: Row, context: Context) -> Num:
    return sum(context.kept[node.index].elements for node in row.nodes) * context.batch


def _backward(name: str) -> Callable[[Row, Context], Num]:
    def of(row: Row, context: Context) -> Num:
        parts = [getattr(work, name) * node.count for node in row.nodes for work in context.gradients[node.index]]
        return total(parts) * context.batch

    return of


def _reported(row: Row, context: Context) -> Num:
    return context.reported.of(row.nodes, context.batch)


def _counted(key: str, keep: int = 5) -> Metric:
    """A quantity that formulas and proofs name too, for the batch."""
    quantity = ALL_QUANTITIES[key]

    def of(row: Row, context: Context) -> Num:
        count = quantity.of(row.nodes, row.work)  # the work of a row is that of the batch
        return count if quantity.layers is None else count * context.batch

    return Metric(key, quantity.title, "count", keep, "sum", quantity.full or quantity.doc, of)


METRICS: dict[str, Metric] = {
    metric.key: metric
    for metric in (
        Metric("path", "path", "name", 9, "same", "path of the layer or group", _field("path")),
        Metric("kind", "kind", "text", 8, "same", "kind of the layer", _field("kind")),
        Metric("input", "input", "shape", 5, "same", "shape of the first tensor read", _field("input")),
        Metric("output", "output", "shape", 7, "same", "shape of the output", _field("output")),
        Metric("kernel", "kernel", "sizes", 6, "same", "kernel size per axis", _field("kernel")),
        Metric("stride", "stride", "sizes", 4, "same", "stride per axis", _field("stride")),
        Metric("groups", "groups", "times", 4, "same", "groups of a convolution", _field("groups")),
        Metric("count", "count", "times", 3, "same", "identical parallel copies", _field("count")),
        Metric("layers", "layers", "times", 3, "sum", "layers that the row sums up", _field("layers")),
        _counted("params", 9),
        Metric("params_share", "params %", "share", 2, "sum", "share of the parameters", _share(_work("params"))),
        _counted("macs", 9),
        Metric("macs_share", "MACs %", "share", 3, "sum", "share of the MACs", _share(_work("macs"))),
        _counted("flops", 8),
        Metric("flops_share", "FLOPs %", "share", 1, "sum", "share of the FLOPs", _share(_work("flops"))),
        Metric("reported", "reported", "count", 9, "sum", "what the tool of the convention prints", _reported),
        *map(_counted, PARTS),
        Metric("buffers", "buffers", "count", 5, "sum", "stored numbers that are not trained", _work("buffers")),
        Metric("size", "size", "bytes", 6, "sum", "bytes of parameters and buffers", _size),
        *map(_counted, TENSORS),
        Metric("saved", "saved", "count", 5, "sum", "elements kept for the backward pass", _saved),
        Metric("backward_macs", "backward MACs", "count", 6, "sum", "MACs of all gradients", _backward("macs")),
        Metric("backward_flops", "backward FLOPs", "count", 5, "sum", "FLOPs of all gradients", _backward("flops")),
        Metric("read", "read", "count", 6, "sum", "elements of feature maps read from memory", _moved("read")),
        Metric(
            "constants",
            "constants",
            "count",
            6,
            "sum",
            "weights, biases and other stored numbers read",
            _moved("constants", per_sample=False),
        ),
        Metric(
            "written", "written", "count", 6, "sum", "elements of feature maps written to memory", _moved("written")
        ),
        Metric("elements", "elements", "count", 5, "sum", "elements read and written", _elements),
        Metric("bytes", "bytes", "bytes", 9, "sum", "bytes read and written", _bytes),
        Metric("executed", "FLOPs run", "count", 7, "sum", "FLOPs left after norms are folded", _moved("flops")),
        Metric(
            "intensity", "FLOPs/byte", "decimal", 9, Ratio("executed", "bytes"), "FLOPs run per byte moved", _intensity
        ),
        Metric(
            "access_cost", "access cost", "count", 4, "same", "memory access cost of a 1x1 convolution", _access("cost")
        ),
        Metric(
            "access_cost_bound",
            "least access cost",
            "decimal",
            4,
            "same",
            "lower bound of that cost for the same operations",
            _access("bound"),
        ),
        Metric(
            "excess",
            "access/least",
            "decimal",
            4,
            "same",
            "ShuffleNet V2's memory access cost of a 1x1 convolution over its lower bound",
            _access("excess"),
        ),
        Metric("time", "time", "duration", 9, "sum", "least time on the device's roofline", _time),
        Metric("time_share", "time %", "share", 5, "sum", "share of the least time", _share(_time)),
        Metric("compute_time", "compute time", "duration", 4, "sum", "time at the device's peak", _compute_time),
        Metric("limit", "limit", "text", 8, "same", "what bounds the time: compute or memory", _limit),
        Metric("of_peak", "of peak", "share", 4, Ratio("compute_time", "time"), "share of the device's peak", _of_peak),
        Metric("live", "live", "count", 8, "max", "most elements alive while the layers run", _live),
        Metric("peak", "peak", "bytes", 9, "max", "most bytes of feature maps alive at once", _peak),
        Metric(
            "field",
            "receptive field",
            "sizes",
            9,
            "same",
            "positions of the input that one position depends on",
            _receptive,
        ),
        Metric(
            "effective_stride",
            "effective stride",
            "sizes",
            8,
            "same",
            "step in the input from one position to the next",
            _effective_stride,
        ),
        Metric("start", "start", "sizes", 6, "same", "centre of the first receptive field, counted from 0", _start),
        Metric(
            "padding",
            "padding before",
            "sizes",
            5,
            "same",
            "how far the first receptive field reaches out before the input",
            _padding,
        ),
        Metric(
            "shared", "shared with", "name", 5, "same", "whose parameters it uses; they count for that row", _shared
        ),
        Metric(
            "through", "through", "name", 5, "same", "of a merge, the branch with the largest receptive field", _through
        ),
        Metric(
            "everywhere",
            "everywhere",
            "text",
            4,
            "same",
            "whether each position also sees the whole input",
            _everywhere,
        ),
        Metric("repeat", "repeat", "times", 9, "sum", "equal rows that the row is shown for", _field("repeat")),
    )
}
_HEADINGS = {record.title.lower(): key for key, record in METRICS.items()}
_OWN = {*METRICS, *_HEADINGS}  # which no plug-in can redefine
SYNONYMS = {
    "layer": "path",
    "copies": "count",
    "x": "repeat",
    "latency": "time",
    "seconds": "time",
    "receptive_field": "field",
}


def register(record: Metric) -> Metric:
    """Add a metric, from outside the package.

    Raises:
        ValueError: its key or title is one of a metric of the package, or its form or combination is none.
    """
    if record.form not in FORMS:
        raise ValueError(unknown("form", record.form, FORMS))
    if not isinstance(record.combine, Ratio) and record.combine not in COMBINATIONS:
        raise ValueError(unknown("combination", str(record.combine), COMBINATIONS))
    for part in record.combine if isinstance(record.combine, Ratio) else ():
        if part not in METRICS:
            raise ValueError(unknown("metric", part, METRICS))
    for name in (record.key, record.title.lower()):
        if name in _OWN or name in SYNONYMS:
            raise ValueError(f"there is a metric {name} already")
    METRICS[record.key] = record
    _HEADINGS[record.title.lower()] = record.key
    return record


def metric(key: str) -> Metric:
    """The metric with this key or heading.

    Raises:
        UsageError: there is none, or the key is empty.
    """
    key = " ".join(key.lower().split())
    if not key:
        raise UsageError("expected the name of a metric, found nothing; names are separated by single commas")
    key = SYNONYMS.get(key, _HEADINGS.get(key, key))
    if key not in METRICS:
        load_installed("convcost.metrics")
        key = _HEADINGS.get(key, key)
    if key not in METRICS:
        raise UsageError(unknown("metric", key, (*METRICS, *SYNONYMS)))
    return METRICS[key]
