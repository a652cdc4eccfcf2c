"""Structure of a graph that several metrics need: readers of a tensor, views, layers folded into a convolution."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from convcost.network.graph import Graph
from convcost.numbers.arithmetic import minimum, provably

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.network.graph import Series
    from convcost.numbers.arithmetic import Num


def readers(graph: Graph) -> dict[int, list[int]]:
    """Indices of the layers that read each tensor, by the index of the layer that makes it; each once."""
    result: dict[int, list[int]] = {node.index: [] for node in graph.nodes}
    for node in graph.layers:
        for index in dict.fromkeys(index for index, _ in node.inputs):
            result[index].append(node.index)
    return result


def kept_outputs(graph: Graph) -> set[int]:
    """Indices of the tensors that leave the network, which nothing may overwrite."""
    return {graph.output, *graph.outputs.values()}


def folded_norms(graph: Graph) -> dict[int, int]:
    """Norms whose factor and offset can be put into the weights before them, by index: into which layer.

    Such a norm directly follows a convolution or linear layer that nothing else reads.
    """
    return {
        index: into
        for index, into in fusions(graph).items()
        if graph.nodes[index].layer.fusing == "folds" and graph.nodes[index].inputs[0][0] == into
    }


def fusions(graph: Graph) -> dict[int, int]:
    """Norms and activations that run on an output before it is written, by index: of which layer.

    A chain of batch norms, scales and element-wise activations after a convolution or linear layer, as long as nobody
    else reads what lies between.
    """
    read_by = readers(graph)
    outputs = kept_outputs(graph)
    counts = _in_parallel(graph)
    result: dict[int, int] = {}
    for node in graph.layers:
        if node.layer.fusing not in ("folds", "follows"):
            continue
        before = graph.nodes[node.inputs[0][0]]
        into = result.get(before.index, before.index if before.layer.fusing == "head" else None)
        private = read_by[before.index] == [node.index] and before.index not in outputs
        alike = provably(counts.get(before.index, before.count), counts.get(node.index, node.count))
        if into is not None and private and alike:
            result[node.index] = into
    return result


def _in_parallel(graph: Graph) -> dict[int, Num]:
    """How many identical nodes are parallel, by index of those that count for several copies of a repeat too."""
    counts: dict[int, Num] = {}
    for series in graph.series:  # a repeat inside another one comes first, and its counts are those
        for place in range(series.size * series.samples):
            counts.setdefault(series.start + place, series.counts[place % series.size])
    return counts


def need_alike_copies(graph: Graph, fused: Mapping[int, int]) -> None:
    """Refuse a graph in which layers of a repeat are fused in other ways in other copies that the graph does not have.

    A copy is fused as the one in the graph if it reads nothing but the copy before it, and if all copies hand on a
    tensor that nothing is fused into, or that layers are fused into in the same way.

    Args:
        graph: numbers or symbols.
        fused: its :func:`fusions`.

    Raises:
        UnsupportedError: that is not proved.
    """
    followed = {node.inputs[0][0] for node in graph.layers if node.layer.fusing in ("folds", "follows")}
    for series in graph.series:
        ends = (series.entering, series.leaving)
        alike = _end(graph, fused, ends[0]) == _end(graph, fused, ends[1]) or not followed.intersection(ends)
        if not _reads_one(graph, series) or not alike:
            graph.need_every_copy("what layers move after fusing")


def with_copies_once(graph: Graph) -> tuple[Graph, dict[int, Num]]:
    """A graph in which a copy of a repeat counts once, though it stands for several.

    What is alive at the steps of one copy is the same in all copies but the first, if they read nothing but the copy
    before, and if nothing overwrites or looks at the tensor that one copy hands on to the next.

    Returns:
        The graph; and for the nodes that exist only with enough copies, by index, a number that is 1 then, else 0.

    Raises:
        UnsupportedError: that is not so.
    """
    nodes = [copy(node) for node in graph.nodes]
    for index, count in _in_parallel(graph).items():
        nodes[index].count = count
    tied = {
        node.inputs[0][0] for node in graph.layers if node.layer.is_view or node.layer.fusing in ("folds", "follows")
    }
    exist: dict[int, Num] = {}
    for series in graph.series:
        if not _reads_one(graph, series) or tied.intersection((series.entering, series.leaving)):
            graph.need_every_copy("what is alive at each step")
        for index in range(series.start, series.start + series.size):
            exist[index] = exist.get(index, 1) * minimum(series.copies, 1)
    made = Graph(graph.name, graph.title, graph.parameters, tuple(nodes), graph.output, graph.outputs)
    return made, exist


def _reads_one(graph: Graph, series: Series) -> bool:
    """Whether a copy keeps all sizes, and reads nothing but what the copy before it hands on."""
    own = range(series.start, series.start + series.size)
    reads = {index for node in graph.nodes[own.start : own.stop] for index, _ in node.inputs}
    return series.index is None and all(index in own or index == series.entering for index in reads)


def _end(graph: Graph, fused: Mapping[int, int], index: int) -> tuple[bool, ...]:
    """What decides how the reader of a tensor is fused: whether there is a head, no bias, a norm folded into it."""
    into = fused.get(index, index if graph.nodes[index].layer.fusing == "head" else None)
    if into is None:
        return (False,)
    folded = [
        graph.nodes[other].layer.fusing == "folds" for other, head in fused.items() if head == into and other <= index
    ]
    biases = vars(graph.nodes[into].work).get("bias_adds", 0)
    return (True, type(biases) is int and biases == 0, any(folded))
