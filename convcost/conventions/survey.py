"""The numbers of one network under every convention, and the causes of the differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.conventions.catalogue import PAPER, convention, names
from convcost.conventions.reported import CAUSES, Ledger, Reported
from convcost.numbers.arithmetic import total
from convcost.records import NamedTuple
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.conventions.model import Convention
    from convcost.network.graph import Graph
    from convcost.numbers.arithmetic import Num


class Reading(NamedTuple):
    """A network under one convention.

    Attributes:
        convention: whose.
        value: the number that is reported, in the convention's unit.
        params: parameters, as it counts them.
        difference: of the number from plain multiply-accumulates; None where it is one of parameters.
        causes: the parts of the difference, by name of :data:`~convcost.conventions.reported.CAUSES`.
        notes: what a reader must know of it.
    """

    convention: Convention
    value: Num
    params: Num
    difference: Num | None
    causes: dict[str, Num]
    notes: tuple[str, ...]


class Readings(Records[Reading]):
    """A network under several conventions.

    Attributes:
        graph: the network or block.
    """

    def __init__(self, readings: Iterable[Reading], graph: Graph) -> None:
        super().__init__(readings)
        self.graph = graph


class Conventions(Records["Convention"]):
    """Several conventions."""


def known() -> Conventions:
    """Every convention that is not of one network."""
    return Conventions(convention(name) for name in names() if name != PAPER)


def survey(graph: Graph, more: Iterable[Convention] = ()) -> Readings:
    """What every convention reports for ``graph``.

    Args:
        graph: a network or block.
        more: further conventions.
    """
    ledger = Ledger(graph)
    return Readings((_reading(Reported(graph, each, ledger)) for each in (*known(), *more)), graph)


def _reading(reported: Reported) -> Reading:
    plain = total(node.work.macs * node.count for node in reported.graph.layers)
    convention = reported.convention
    if convention.counts_parameters:
        return Reading(convention, reported.value(), reported.params, None, {}, reported.written.notes)
    value, causes = reported.value(), reported.causes()
    return Reading(convention, value, reported.params, value - plain, causes, reported.written.notes)


__all__ = ["CAUSES", "Conventions", "Reading", "Readings", "known", "survey"]
