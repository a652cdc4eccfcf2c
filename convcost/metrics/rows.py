"""From a graph to rows: sets of layers that a report shows as one line.

A row is one layer, or the layers of a block, a stage, a kind, a depth of the tree of paths, or of repeats that are
shown as one. Metrics (:mod:`convcost.metrics.registry`) are functions of a row.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from convcost.errors import UsageError, not_among
from convcost.layers.window import per_axis
from convcost.network.cost import per_batch, sum_work
from convcost.numbers.arithmetic import is_symbolic
from convcost.tables.table import common_path, without_copies

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from convcost.layers.base import Layer, Shape, Work
    from convcost.network.graph import Graph, Node
    from convcost.numbers.arithmetic import Num

GROUPINGS = ("layer", "block", "stage", "kind")


class Row:
    """One line of a report.

    Attributes:
        path: the layer's, or the common beginning of a group's; the kind's name in a report by kind.
        kind: what the layer is; of a group, the block's or layer's name.
        input: shape of the first tensor read; None where a group has several.
        output: shape of what leaves; None in a report by kind.
        kernel, stride: one size per spatial axis, of convolutions and pools.
        groups: of convolutions.
        count: identical parallel copies that the row's figures are for.
        layers: how many layers of the graph it sums up.
        work: the counts of all of them, for the report's batch.
        nodes: the layers themselves.
        repeat: how many equal rows this one is shown for; its figures are for all of them.
    """

    __slots__ = (
        "count",
        "groups",
        "input",
        "kernel",
        "kind",
        "layers",
        "nodes",
        "output",
        "path",
        "repeat",
        "stride",
        "work",
    )

    def __init__(  # noqa: PLR0913 - a record
        self,
        path: str,
        kind: str,
        input_: Shape | None,
        output: Shape | None,
        work: Work,
        *,
        kernel: tuple[Num, ...] | None = None,
        stride: tuple[Num, ...] | None = None,
        groups: Num | None = None,
        count: Num = 1,
        nodes: tuple[Node, ...] = (),
        repeat: int = 1,
    ) -> None:
        self.path = path
        self.kind = kind
        self.input = input_
        self.output = output
        self.work = work
        self.kernel = kernel
        self.stride = stride
        self.groups = groups
        self.count = count
        self.layers = len(nodes)
        self.nodes = nodes
        self.repeat = repeat

    def __repr__(self) -> str:
        what = self.kind if self.layers == 1 else f"{self.layers} layers"
        return f"<row {self.path}: {what}, params {self.work.params}, MACs {self.work.macs}>"


def check_grouping(by: str, depth: int | None, batch: int) -> None:
    """Make sure that :func:`rows_of` takes these arguments.

    Raises:
        UsageError: one has a wrong value.
    """
    if by not in GROUPINGS:
        raise UsageError(not_among("by", by, GROUPINGS))
    if batch < 1:
        raise UsageError(f"`batch` must be at least 1, found {batch}")
    if depth is not None and depth < 1:
        raise UsageError(f"`depth` must be at least 1, found {depth}")


def rows_of(graph: Graph, by: str = "layer", *, depth: int | None = None, batch: int = 1) -> tuple[Row, ...]:
    """The layers of ``graph`` in rows.

    Args:
        graph: any network or block.
        by: ``layer``, ``block`` (the outermost block a layer came from), ``stage`` (first segment of the path) or
            ``kind``.
        depth: layers that share this many leading segments of their paths are one row.
        batch: samples; operations grow with it, parameters do not.

    Raises:
        UsageError: ``by``, ``depth`` or ``batch`` has a wrong value.
    """
    check_grouping(by, depth, batch)
    if by == "layer" and depth is None:
        return tuple(_layer_row(node, batch) for node in graph.layers)
    if by == "kind":
        return _kind_rows(graph.layers, batch)
    return tuple(_group_row(name, nodes, batch) for name, nodes in _grouped(graph.layers, _key(by, depth)))


def whole_row(graph: Graph, batch: int = 1) -> Row:
    """One row of all layers: the totals of a report are the metrics of this row."""
    nodes = graph.layers
    return Row(
        "total", "total", graph.input, graph.nodes[graph.output].shape, per_batch(sum_work(nodes), batch), nodes=nodes
    )


def fold(rows: Iterable[Row], same: Callable[[Row], Hashable], batch: int = 1) -> tuple[Row, ...]:
    """Rows that differ only in the number of a copy in their paths, as one row of all their layers.

    Args:
        rows: in execution order.
        same: what must be equal, beside the path without its numbers.
        batch: what the work of the rows is for.
    """
    numbered = [(without_copies(row.path), row) for row in rows]
    times = Counter(path for path, _ in numbered)
    groups: dict[Hashable, list[Row]] = {}
    for path, row in numbered:
        groups.setdefault((path, same(row)) if times[path] > 1 else path, []).append(row)
    return tuple(_folded(members, batch) for members in groups.values())


def _folded(members: list[Row], batch: int) -> Row:
    first = members[0]
    if len(members) == 1:
        return first
    nodes = tuple(node for row in members for node in row.nodes)
    return Row(
        common_path([row.path for row in members]),
        first.kind,
        first.input,
        first.output,
        per_batch(sum_work(nodes), batch),
        kernel=first.kernel,
        stride=first.stride,
        groups=first.groups,
        count=first.count,
        nodes=nodes,
        repeat=len(members),
    )


def _key(by: str, depth: int | None) -> Callable[[Node], str]:
    if by == "layer":
        return lambda node: _head(node.path, depth or 1)
    if by == "stage":
        return lambda node: _head(node.path, depth or 1)
    return lambda node: _head(node.path, min(node.block, depth or node.block))


def _head(path: str, segments: int) -> str:
    return "/".join(path.split("/", segments)[:segments])


def _grouped(nodes: Iterable[Node], key: Callable[[Node], str]) -> list[tuple[str, list[Node]]]:
    groups: dict[str, list[Node]] = {}
    for node in nodes:
        groups.setdefault(key(node), []).append(node)
    return list(groups.items())


def _layer_row(node: Node, batch: int) -> Row:
    work = node.work if _is_one(node.count) else sum_work((node,))
    layer = node.layer
    return Row(
        node.path,
        node.kind,
        node.input,
        node.shape,
        per_batch(work, batch),
        kernel=_sizes(layer, "kernel", node.input),
        stride=_sizes(layer, "stride", node.input),
        groups=getattr(layer, "groups", None),
        count=node.count,
        nodes=(node,),
    )


def _is_one(count: Num) -> bool:
    return not is_symbolic(count) and type(count) is int and count == 1


def _sizes(layer: Layer, field: str, input_: Shape) -> tuple[Num, ...] | None:
    if field not in layer.fields:
        return None
    value: Any = getattr(layer, field)
    if value is None:  # a pool's stride is its kernel where none is given
        value = getattr(layer, "kernel", None)
    return per_axis(value, len(input_) - 1, field)


def _group_row(name: str, nodes: list[Node], batch: int) -> Row:
    if len(nodes) == 1 and nodes[0].path == name:
        return _layer_row(nodes[0], batch)
    own = {node.index for node in nodes}
    outside = {index for node in nodes for index, _ in node.inputs if index not in own}
    entry = nodes[0].input if len(outside) == 1 else None
    kind = name.rsplit("/", 1)[-1].partition("[")[0].partition("#")[0]
    work = per_batch(sum_work(nodes), batch)
    return Row(name, kind, entry, nodes[-1].shape, work, nodes=tuple(nodes))


def _kind_rows(nodes: Iterable[Node], batch: int) -> tuple[Row, ...]:
    grouped = _grouped(nodes, lambda node: node.kind)
    return tuple(
        Row(kind, kind, None, None, per_batch(sum_work(members), batch), nodes=tuple(members))
        for kind, members in grouped
    )
