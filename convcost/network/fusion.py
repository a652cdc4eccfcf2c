"""Structure of a graph that several metrics need: readers of a tensor, views, layers folded into a convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.numbers.arithmetic import provably

if TYPE_CHECKING:
    from convcost.network.graph import Graph


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
    result: dict[int, int] = {}
    for node in graph.layers:
        if node.layer.fusing not in ("folds", "follows"):
            continue
        before = graph.nodes[node.inputs[0][0]]
        into = result.get(before.index, before.index if before.layer.fusing == "head" else None)
        private = read_by[before.index] == [node.index] and before.index not in outputs
        if into is not None and private and provably(before.count, node.count):
            result[node.index] = into
    return result
