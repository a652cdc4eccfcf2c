"""The numbers of one network under every convention, and the causes of the differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.conventions.catalogue import PAPER, convention, names
from convcost.conventions.reported import CAUSES, Reported
from convcost.errors import UsageError
from convcost.numbers.arithmetic import total

if TYPE_CHECKING:
    from convcost.conventions.model import Convention
    from convcost.language.model import Spec
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


def known(spec: Spec | None = None) -> list[Convention]:
    """Every convention; ``paper`` only for a network with published figures."""
    found = [convention(name) for name in names() if name != PAPER]
    if spec is not None:
        try:
            found.append(convention(PAPER, spec))
        except UsageError:
            return found
    return found


def survey(graph: Graph, spec: Spec | None = None, also: tuple[str, ...] = ()) -> list[Reading]:
    """What every convention reports for ``graph``.

    Args:
        graph: a network or block.
        spec: what it was built from, for its own convention.
        also: files of further conventions.

    Raises:
        UsageError: there is no such file.
        SpecError: a file is wrong.
    """
    return [_reading(Reported(graph, one)) for one in [*known(spec), *(convention(path) for path in also)]]


def _reading(reported: Reported) -> Reading:
    plain = total(node.work.macs * node.count for node in reported.graph.layers)
    one = reported.convention
    if one.counts_parameters:
        return Reading(one, reported.value(), reported.params, None, {}, reported.written.notes)
    value, causes = reported.value(), reported.causes()
    return Reading(one, value, reported.params, value - plain, causes, reported.written.notes)


__all__ = ["CAUSES", "Reading", "known", "survey"]
