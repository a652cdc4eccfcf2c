"""From a graph to rows: by layer, block, stage, kind, or to a depth of the tree of paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.algebra import is_symbolic
from convcost.conventions.model import PLAIN
from convcost.conventions.reported import Reported
from convcost.cost import per_batch, sum_work
from convcost.errors import UsageError, did_you_mean
from convcost.layers.window import per_axis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.algebra import Num
    from convcost.conventions.model import Convention
    from convcost.graph import Graph, Node
    from convcost.layers.base import Layer, Shape, Work

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
    """

    __slots__ = ("count", "groups", "input", "kernel", "kind", "layers", "nodes", "output", "path", "stride", "work")

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


class Analysis:
    """The cost of a network.

    Attributes:
        graph: what was analysed.
        by: how rows are grouped.
        batch: samples that operations are counted for.
        rows: in execution order, or largest first where the caller sorted.
        totals: the counts of the whole network.
        reported: what the tool of the convention would print.
    """

    __slots__ = ("batch", "by", "graph", "reported", "rows", "totals")

    def __init__(
        self, graph: Graph, by: str, batch: int, rows: tuple[Row, ...], totals: Work, reported: Reported
    ) -> None:
        self.graph = graph
        self.by = by
        self.batch = batch
        self.rows = rows
        self.totals = totals
        self.reported = reported

    @property
    def convention(self) -> Convention:
        """Whose number :attr:`reported` is."""
        return self.reported.convention

    def reported_of(self, row: Row) -> Num:
        """The share of a row in what the tool would print."""
        return self.reported.of(row.nodes, self.batch)


def analyze(
    graph: Graph,
    *,
    by: str = "layer",
    batch: int = 1,
    depth: int | None = None,
    convention: Convention = PLAIN,
) -> Analysis:
    """Rows and totals of ``graph``.

    Args:
        graph: any network or block.
        by: ``layer``, ``block`` (the outermost block a layer came from), ``stage`` (first segment of the
            path) or ``kind``.
        batch: samples; operations grow with it, parameters do not.
        depth: sum up all layers that share this many leading segments of their paths.
        convention: whose number is reported beside the plain ones.

    Raises:
        UsageError: ``by``, ``batch`` or ``depth`` is none of these.
    """
    if by not in GROUPINGS:
        raise UsageError(f"`by` is one of {', '.join(GROUPINGS)}; found '{by}'{did_you_mean(by, GROUPINGS)}")
    if batch < 1:
        raise UsageError(f"`batch` must be at least 1, found {batch}")
    if depth is not None and depth < 1:
        raise UsageError(f"`depth` must be at least 1, found {depth}")
    if by == "layer" and depth is None:
        rows = tuple(_layer_row(node, batch) for node in graph.layers)
    elif by == "kind":
        rows = _kind_rows(graph.layers, batch)
    else:
        rows = tuple(_group_row(name, nodes, batch) for name, nodes in _grouped(graph.layers, _key(by, depth)))
    totals = per_batch(sum_work(graph.layers), batch)
    return Analysis(graph, by, batch, rows, totals, Reported(graph, convention))


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
