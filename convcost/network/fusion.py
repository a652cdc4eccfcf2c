"""Structure of a graph that several metrics need: readers of a tensor, views, layers folded into a convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.numbers.arithmetic import provably

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.network.graph import Graph
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
        copy = range(series.start, series.start + series.size)
        reads = {index for node in graph.nodes[series.start : copy.stop] for index, _ in node.inputs}
        within = all(index in copy or index == series.entering for index in reads)
        ends = (series.entering, series.leaving)
        alike = _end(graph, fused, ends[0]) == _end(graph, fused, ends[1]) or not followed.intersection(ends)
        if series.index is not None or not within or not alike:
            graph.need_every_copy("what layers move after fusing")


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
