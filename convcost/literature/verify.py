"""Checks of published figures: which ones the networks reproduce, under which way of counting, and which ones not."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.errors import ConvcostError, Problem, SpecError, unknown
from convcost.language.interpret import build
from convcost.literature.claims import claims
from convcost.literature.stories import WITHIN, Candidate, compared, stories
from convcost.numbers.printed import spelled
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.conventions.counts import Count
    from convcost.language.model import Spec
    from convcost.literature.claims import Claim
    from convcost.network.graph import Graph, Node

REPRODUCED = "reproduced"
CONVENTION = "reproduced under another convention"
ERRATUM = "erratum"
UNEXPLAINED = "unexplained"
_CONTRIVED = 5  # a candidate that takes more, such as half of a count without linear layers, explains nothing
_WHAT = {"macs": "macs", "flops": "macs", "params": "params"}
VERDICTS = (REPRODUCED, CONVENTION, ERRATUM, UNEXPLAINED)


class Finding(NamedTuple):
    """The result of the check of one claim.

    Attributes:
        claim: the printed figure.
        input: the input of the network it was checked with.
        value: ours, by the convention below; per cent for a share.
        convention: how ours is counted.
        difference: ours minus printed, in units of the last printed digit.
        verdict: one of :data:`VERDICTS`.
        fault: why the claim fails, empty where it does not: an unexplained figure that is not marked as open, an
            erratum that is reproduced, arithmetic with another result.
        candidate: of a figure of the whole network that is not explained, the simplest count of the same network that
            prints as it; None if there is no such count. It is a candidate, not an explanation: of many counts that are
            tried, some print as a short number by chance.
    """

    claim: Claim
    input: tuple[int, ...]
    value: Fraction
    convention: Count
    difference: Fraction
    verdict: str
    fault: str
    candidate: Candidate | None = None


class Verification(NamedTuple):
    """The findings about one spec."""

    spec: Spec
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether any claim fails."""
        return any(finding.fault for finding in self.findings)


class Verifications(Records[Verification]):
    """The findings about several specs."""

    @property
    def failed(self) -> bool:
        """Whether any claim fails."""
        return any(verification.failed for verification in self)


def verify(names: Sequence[str] = ()) -> Verifications:
    """Check the published figures of specs against their networks.

    Args:
        names: bundled names or files; every bundled spec that has published figures where there are none.

    Raises:
        ConvcostError: there is no such spec.
        SpecError: a spec or one of its claims is wrong.
    """
    loader = Catalogue()
    specs = [loader.target(name) for name in names or bundled_names()]
    return Verifications(verify_spec(spec) for spec in specs if names or spec.published is not None)


def verify_spec(spec: Spec) -> Verification:
    """The findings about one linked spec.

    Raises:
        SpecError: a claim is wrong: a key, a convention, a part that the network does not have.
    """
    graphs: dict[str, Graph] = {}
    return Verification(spec, tuple(verify_claim(spec, claim, graphs) for claim in claims(spec)))


def verify_claim(spec: Spec, claim: Claim, built: dict[str, Graph]) -> Finding:
    """The finding about one claim of a linked spec.

    Args:
        spec: linked.
        claim: one of its claims.
        built: networks by what they were built with, for claims about the same one; new ones are added.

    Raises:
        SpecError: the claim is wrong.
    """
    key = repr((sorted(claim.at.items()), claim.input))
    if key not in built:
        built[key] = _network(spec, claim)
    return _finding(claim, built[key])


def _network(spec: Spec, claim: Claim) -> Graph:
    try:
        return build(spec, claim.at, claim.input)
    except SpecError as error:
        first = error.problems[0]
        message = f"the network of this claim cannot be built: {first.message}"
        raise SpecError([Problem(claim.position, message, (f"at {first.position}", *first.chain))]) from None
    except ConvcostError as error:
        raise SpecError([Problem(claim.position, f"the network of this claim cannot be built: {error}")]) from None


def _finding(claim: Claim, graph: Graph) -> Finding:
    nodes = _part(claim, graph)
    stated = claim.counts or claim.quantity.counts[0]
    fits = stated
    if not _agrees(claim, graph, nodes, stated) and claim.counts is None and not claim.erratum and not claim.open:
        others = (count for count in claim.quantity.counts[1:] if _agrees(claim, graph, nodes, count))
        fits = next(others, stated)
    value = _value(claim, graph, nodes, fits)
    verdict = _verdict(claim, value, fits)
    difference = claim.figure.difference(value)
    candidate = _candidate(claim, graph) if verdict == UNEXPLAINED else None
    return Finding(claim, graph.input, value, fits, difference, verdict, _fault(claim, value, verdict), candidate)


def _candidate(claim: Claim, graph: Graph) -> Candidate | None:
    """The simplest story of ``explain`` that prints as the figure, of the network that the claim is about."""
    what = _WHAT.get(claim.quantity.name)
    if what is None or claim.of or claim.figure.bound:
        return None
    tried = stories(graph, what, settings={}, resized=False, changed=0)
    near = [one for story in tried if (one := compared(story, claim.figure, Fraction(0))) is not None]
    fitting = [one for one in near if one.reproduces and one.fit != WITHIN and one.cost <= _CONTRIVED]
    return min(fitting, key=lambda one: one.rank, default=None)


def _agrees(claim: Claim, graph: Graph, nodes: Sequence[Node], count: Count) -> bool:
    return claim.figure.agrees(_value(claim, graph, nodes, count))


def _value(claim: Claim, graph: Graph, nodes: Sequence[Node], count: Count) -> Fraction:
    value = Fraction(count.rule(nodes))
    if not claim.quantity.share:
        return value
    whole = Fraction(count.rule(graph.layers))
    return 100 * value / whole if whole else Fraction(0)


def _verdict(claim: Claim, value: Fraction, count: Count) -> str:
    if not claim.figure.agrees(value):
        return ERRATUM if claim.erratum else UNEXPLAINED
    return REPRODUCED if count is claim.quantity.counts[0] else CONVENTION


def _fault(claim: Claim, value: Fraction, verdict: str) -> str:
    if verdict in (REPRODUCED, CONVENTION) and (claim.erratum or claim.open):
        return f"marked as {'an erratum' if claim.erratum else 'open'}, but it is {verdict}"
    if claim.arithmetic is not None:
        text, result = claim.arithmetic
        if result != value and not claim.figure.agrees(Fraction(result)):
            return f"{text} is {spelled(result)}, neither the printed figure nor ours"
    return "not explained, and not marked as open" if verdict == UNEXPLAINED and not claim.open else ""


def _part(claim: Claim, graph: Graph) -> Sequence[Node]:
    if not claim.of:
        return graph.layers
    chosen = [_matcher(name, graph, claim) for name in claim.of]
    return [node for node in graph.layers if any(node.index in indexes for indexes in chosen)]


def _matcher(name: str, graph: Graph, claim: Claim) -> set[int]:
    """The layers below the path ``name``, whichever copy of it; or those of that kind."""
    below = re.compile(re.escape(name) + r"(?:[\[#/]|$)")
    found = {node.index for node in graph.layers if below.match(node.path) or node.kind == name}
    if not found:
        message = unknown("part or kind of layer", name, sorted(_names(graph.layers)), of=graph.name)
        raise SpecError([Problem(claim.position, message)])
    return found


def _names(nodes: Iterable[Node]) -> set[str]:
    paths = {node.path for node in nodes}
    heads = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, 1 + path.count("/") + 1)}
    return heads | {node.kind for node in nodes}
