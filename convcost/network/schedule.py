"""A graph as a sequence of steps: identical parallel copies written out, one after another.

A repeated branch is run copy by copy, as it would be if it were written so many times; each copy's result is held
until the merge that reads them all.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError
from convcost.limits import MAX_STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convcost.network.graph import Graph, Node

Tensor = tuple[int, int]  # index of the node that makes it, and which of its copies


class Step(NamedTuple):
    """One execution of one layer: the tensor it makes and those it reads, each once."""

    node: Node
    makes: Tensor
    reads: tuple[Tensor, ...]


def schedule(graph: Graph) -> list[Step]:
    """The steps of ``graph`` in execution order, without its input.

    Raises:
        UnsupportedError: counts are no numbers, or there are more than a million steps.
    """
    graph.need_every_copy("an execution order")
    counts = [node.count for node in graph.nodes]
    if not all(type(count) is int for count in counts):
        raise UnsupportedError("an execution order needs numbers; this network has a symbolic number of copies")
    if sum(counts) > MAX_STEPS:
        raise UnsupportedError(f"more than {MAX_STEPS:,} steps, copies written out")
    steps = []
    for node, copy in _ordered(graph.layers, 1, 0):
        reads = dict.fromkeys(
            (index, which)
            for index, _ in node.inputs
            for which in copies_read(graph.nodes[index].count, node.count, copy)
        )
        steps.append(Step(node, (node.index, copy), tuple(reads)))
    return steps


def copies_read(made: int, reading: int, copy: int) -> range:
    """Which of ``made`` copies the given one of ``reading`` copies reads: its own, its share, or the common one."""
    if made >= reading:
        share = made // reading
        return range(copy * share, (copy + 1) * share)
    common = copy * made // reading
    return range(common, common + 1)


def _ordered(nodes: Sequence[Node], outer: int, copy: int) -> Iterator[tuple[Node, int]]:
    """The nodes of one of ``outer`` copies, the given one, with the number of each execution."""
    for group, times in _groups(nodes, outer):
        if times == 1:
            for node in group:
                yield node, copy
            continue
        for inner in range(copy * times, (copy + 1) * times):
            yield from _ordered(group, outer * times, inner)


def _groups(nodes: Sequence[Node], outer: int) -> Iterator[tuple[list[Node], int]]:
    """Runs of nodes that are repeated together, and how often within one of ``outer`` copies.

    Neighbours belong together if they are connected; two repeated branches side by side are not.
    """
    open_runs: list[list[Node]] = []
    for node in nodes:
        if _times(node, outer) == 1:
            yield from _closed(open_runs, outer)
            open_runs = []
            yield [node], 1
            continue
        start = open_runs[0][0].index if open_runs else node.index
        first = min((index for index, _ in node.inputs if index >= start), default=node.index)
        joined = [run for run in open_runs if run[-1].index >= first]
        open_runs = open_runs[: len(open_runs) - len(joined)]
        open_runs.append([*(earlier for run in joined for earlier in run), node])
    yield from _closed(open_runs, outer)


def _closed(runs: list[list[Node]], outer: int) -> Iterator[tuple[list[Node], int]]:
    for run in runs:
        yield run, gcd(*(_times(node, outer) for node in run))


def _times(node: Node, outer: int) -> int:
    return int(node.count) // outer
