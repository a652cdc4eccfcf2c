"""The number that a tool would print for a graph, and the causes of its difference from plain MACs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.conventions.catalogue import DEFAULT, PAPER, implementations
from convcost.conventions.model import Tally, weighted
from convcost.conventions.written import as_written
from convcost.layers.base import FAMILIES, OTHER
from convcost.numbers.arithmetic import Num, total

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from convcost.conventions.model import Convention, Rules
    from convcost.conventions.written import Written
    from convcost.network.graph import Graph, Node

CAUSES: dict[str, str] = {
    "factor": "a multiply-accumulate counted as more or fewer than one",
    "bias": "additions of biases",
    **{family.cause: family.title for family in FAMILIES.values() if family.cause != OTHER},
    OTHER: "everything else: resizing, layers counted by their weights in place of their positions",
}
_BIAS = ("bias_adds", "biases")


class Ledger:
    """A graph under many conventions: what they have in common is gathered once.

    Attributes:
        graph: what is counted.
    """

    __slots__ = ("_parts", "_tallies", "_written", "graph")

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._written: dict[bool, Written] = {}
        self._tallies: dict[int, tuple[Written, Tally]] = {}
        self._parts: dict[tuple[str, ...], tuple[Sequence[Node], Tally]] = {}

    def written(self, convention: Convention) -> Written:
        """How the graph is written, as far as that matters to the tool of ``convention``."""
        named = convention.name not in (DEFAULT, PAPER)
        if convention.written and named:
            return as_written(self.graph, (*convention.written, *implementations()))
        if named not in self._written:
            self._written[named] = as_written(self.graph, implementations() if named else ())
        return self._written[named]

    def total(self, rules: Rules, written: Written) -> Num:
        """The sum of ``rules`` over the graph as it is written."""
        if id(written) not in self._tallies:
            self._tallies[id(written)] = (written, Tally(self.graph.layers, written.forms))
        return self._tallies[id(written)][1].total(rules)

    def part(self, name: tuple[str, ...], layers: Callable[[], Sequence[Node]]) -> tuple[Sequence[Node], Tally]:
        """A part of the graph, whose layers are looked for once, all as modules."""
        if name not in self._parts:
            nodes = layers()
            self._parts[name] = (nodes, Tally(nodes))
        return self._parts[name]


class Reported:
    """What the tool of a convention prints for a graph.

    Args:
        graph: what is counted.
        convention: whose number it is.
        ledger: of the same graph, where several conventions are applied to it.

    Attributes:
        convention: whose number it is.
        graph: what was counted.
        ledger: sums over the graph.
        written: how the graph is written, as far as that matters to the tool.
    """

    __slots__ = ("convention", "graph", "ledger", "written")

    def __init__(self, graph: Graph, convention: Convention, ledger: Ledger | None = None) -> None:
        self.convention = convention
        self.graph = graph
        self.ledger = ledger or Ledger(graph)
        self.written = self.ledger.written(convention)

    @property
    def operations(self) -> Num:
        """Operations of the whole graph, per sample, in the tool's unit."""
        return self.ledger.total(self.convention.operations, self.written)

    @property
    def params(self) -> Num:
        """Parameters, as the tool counts them."""
        return self.ledger.total(self.convention.params, self.written)

    def value(self, batch: int = 1) -> Num:
        """The number itself: operations for ``batch`` samples, or parameters where the tool prints those."""
        return self.params if self.convention.counts_parameters else self.operations * batch

    def of(self, nodes: Iterable[Node], batch: int = 1) -> Num:
        """The share of ``nodes`` in :meth:`value`."""
        if self.convention.counts_parameters:
            return self._sum(nodes, self.convention.params)
        return self._sum(nodes, self.convention.operations) * batch

    def _sum(self, nodes: Iterable[Node], rules: Rules) -> Num:
        return rules.total(nodes, self.written.forms)

    def _form(self, node: Node) -> str:
        return self.written.forms.get(node.index, "module")

    def causes(self) -> dict[str, Num]:
        """The difference of :attr:`operations` from plain multiply-accumulates, by cause; they add up to it."""
        parts_of: dict[str, list[Num]] = {cause: [] for cause in CAUSES}
        every_use = self.convention.operations.every_use
        for node in self.graph.layers:
            weights = self.convention.operations.weights(node, self._form(node))
            counted = weighted(node, weights, every_use=every_use)
            cause = FAMILIES[node.layer.family].cause
            if cause != OTHER:
                parts_of[cause].append(counted * node.count)
                continue
            plain = node.work.macs
            bias = weighted(
                node, {name: weight for name, weight in weights.items() if name in _BIAS}, every_use=every_use
            )
            factor = plain * (weights["macs"] - 1) if weights.get("macs") else 0
            parts_of["bias"].append(bias * node.count)
            parts_of["factor"].append(factor * node.count)
            parts_of[OTHER].append((counted - plain - bias - factor) * node.count)
        return {cause: total(parts) for cause, parts in parts_of.items()}


def reported(graph: Graph, convention: Convention) -> Reported:
    """What the tool of ``convention`` prints for ``graph``."""
    return Reported(graph, convention)
