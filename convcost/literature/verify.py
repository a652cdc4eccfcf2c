"""Checks of published figures: which ones the networks reproduce, under which way of counting, and which ones not."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from convcost.catalogue.loader import SPECS, Catalogue, Heads, bundled_names, whole
from convcost.conventions.catalogue import convention
from convcost.conventions.reported import Reported
from convcost.errors import ConvcostError, Problem, SpecError, UsageError, unknown
from convcost.literature.claims import claims
from convcost.literature.evidence import answers, search
from convcost.literature.store import VERIFY, bundled_name, closed, opened
from convcost.literature.stories import stories
from convcost.numbers.printed import EXACT, FITS, ROUNDS, TRUNCATES, spelled
from convcost.records import NamedTuple
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.conventions.counts import Count
    from convcost.conventions.reported import Ledger
    from convcost.language.model import Spec
    from convcost.literature.claims import Claim
    from convcost.literature.evidence import Evidence
    from convcost.literature.numbers import Book, Counted
    from convcost.literature.stories import Candidate
    from convcost.network.graph import Graph, Node

CONVENTION = "other convention"
VARIANT = "other variant"
APPROXIMATE = "approximate"
ERRATUM = "erratum"
OPEN = "open"
VERDICTS = (EXACT, ROUNDS, TRUNCATES, CONVENTION, VARIANT, APPROXIMATE, ERRATUM, OPEN)
REPRODUCED = VERDICTS[:6]
ABOUT = Fraction(5, 100)  # how far a count may be from a figure that says "about", relative to it
_WHAT = {"macs": "macs", "flops": "macs", "params": "params"}


class Finding(NamedTuple):
    """The result of the check of one claim.

    Attributes:
        claim: the figure.
        input: the input of the network it was checked with.
        value: ours, by the convention below; per cent for a share.
        convention: how ours is counted.
        difference: ours minus printed, in units of the last printed digit.
        verdict: one of :data:`VERDICTS`.
        fit: how ours prints as the figure: exact, rounds, truncates; empty where it does not.
        tried: how many ways of counting were tried until one fitted; 1 for a claim that states what it counts.
        fault: why the claim fails, empty where it does not: an unexplained figure that is not marked as open, a mark on
            a figure that is reproduced, arithmetic with another result.
        candidate: of an open figure of the whole network, the simplest count of the same network that prints as it;
            None if there is no such count. It is a candidate, not an explanation: of many counts that are tried, some
            print as a short number by chance.
        evidence: of an open figure of the whole network, how many counts were tried and how many would fit by chance.
    """

    claim: Claim
    input: tuple[int, ...]
    value: Fraction
    convention: Count
    difference: Fraction
    verdict: str
    fit: str
    tried: int
    fault: str
    candidate: Candidate | None = None
    evidence: Evidence | None = None

    @property
    def derived(self) -> bool:
        """Whether the arithmetic of an erratum makes the number that is printed, and not only the right one."""
        return self.claim.arithmetic is not None


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
    if names:
        return Verifications([verify_spec(loader.target(name)) for name in names])
    heads = Heads()
    return Verifications([_bundled(name, loader, heads) for name in with_figures()])


def _bundled(name: str, loader: Catalogue, heads: Heads) -> Verification:
    """The findings about a bundled spec, which is linked only if its numbers are not recorded."""
    book = opened(name, VERIFY, lambda: loader.target(name))
    spec = heads.named(name) if book.pages else loader.target(name)
    verification = findings(spec, book)
    closed(book, name, VERIFY)
    return verification


def with_figures() -> list[str]:
    """The names of the bundled specs in whose text there is the key of published figures; others need no checks."""
    paths = {name: SPECS.bundled(name) for name in bundled_names()}
    return [name for name, path in paths.items() if path is not None and b"published" in whole(path)]


def printed_in(verifications: Verifications, where: str, cite: str) -> Verifications:
    """The findings about figures of one table or section, and of one source.

    Args:
        verifications: of any specs.
        where: a table, figure or section as claims name it; what follows a comma in a claim may be left out. Empty for
            every one.
        cite: a citation key; empty for every source.

    Raises:
        UsageError: no figure is printed there.
    """
    cited = [claim for verification in verifications for claim in (each.claim for each in verification.findings)]
    sources = {claim.cite.key for claim in cited if claim.cite}
    if cite and cite not in sources:
        raise UsageError(unknown("source of these figures", cite, sorted(sources)))
    kept = Verifications(
        verification._replace(findings=tuple(each for each in verification.findings if _is_in(each.claim, where, cite)))
        for verification in verifications
    )
    if not any(verification.findings for verification in kept):
        places = {claim.where for claim in cited if _is_in(claim, "", cite)}
        raise UsageError(unknown("place of these figures", where, sorted(places)))
    return Verifications(verification for verification in kept if verification.findings)


def _is_in(claim: Claim, where: str, cite: str) -> bool:
    place = not where or claim.where == where or claim.where.startswith(f"{where},")
    return place and (not cite or (claim.cite is not None and claim.cite.key == cite))


def verify_spec(spec: Spec) -> Verification:
    """The findings about one linked spec.

    Raises:
        SpecError: a claim is wrong: a key, a convention, a part that the network does not have.
    """
    name = bundled_name(spec)
    book = opened(name, VERIFY, lambda: spec)
    verification = findings(spec, book)
    closed(book, name, VERIFY)
    return verification


def findings(spec: Spec, book: Book) -> Verification:
    """The findings about a spec.

    Args:
        spec: its parameters are known, and its published figures.
        book: numbers of its networks; new ones are added.

    Raises:
        SpecError: as :func:`verify_spec`.
    """
    return Verification(spec, tuple([verify_claim(claim, book) for claim in claims(spec)]))


def verify_claim(claim: Claim, book: Book) -> Finding:
    """The finding about one claim of a spec.

    Args:
        claim: the claim.
        book: numbers of networks of the spec; new ones are added.

    Raises:
        SpecError: the claim is wrong.
    """
    network = _network(claim, claim.settings, book)
    bare = _network(claim, claim.at, book) if claim.variant else None
    return _finding(claim, network, bare)


def _network(claim: Claim, settings: dict[str, object], book: Book) -> Counted:
    try:
        return book.network(settings, claim.input)
    except SpecError as error:
        first = error.problems[0]
        message = f"the network of this claim cannot be built: {first.message}"
        raise SpecError([Problem(claim.position, message, (f"at {first.position}", *first.chain))]) from None
    except ConvcostError as error:
        raise SpecError([Problem(claim.position, f"the network of this claim cannot be built: {error}")]) from None


def _finding(claim: Claim, network: Counted, bare: Counted | None) -> Finding:
    """The finding about a claim.

    Args:
        claim: the claim.
        network: the network that it follows from.
        bare: the network without the claim's `variant`, if it has one.
    """
    count, value, tried = _counted(claim, network)
    fit = claim.figure.fit(value)
    if claim.explained and claim.arithmetic is not None:
        fit = claim.figure.fit(Fraction(claim.arithmetic[1]))
    verdict = _verdict(claim, value, count, fit)
    ranked, evidence = _stories(claim, network) if verdict == OPEN else ([], None)
    candidate = ranked[0] if ranked else None
    fault = _fault(claim, value, verdict)
    if evidence is not None and answers(ranked, evidence):
        fault = "marked as open, but `convcost explain` answers it" if claim.open else "`convcost explain` answers it"
    if not fault and bare is not None and verdict != VARIANT:
        fault = "names a variant by which it does not follow"
    if not fault and bare is not None and claim.figure.fit(_value(claim, bare, count)):
        fault = "names a variant, but follows without it"
    off = claim.figure.difference(value)
    return Finding(claim, network.input, value, count, off, verdict, fit, tried, fault, candidate, evidence)


def _counted(claim: Claim, network: Counted) -> tuple[Count, Fraction, int]:
    """How the claim counts, its value, and how many ways were tried.

    Where it does not say, the default way is tried, then the others; where none fits, it is the default.
    """
    marked = claim.erratum or claim.open or claim.explained or claim.figure.rough or claim.figure.bound
    ways = [claim.counts] if claim.counts is not None else list(claim.quantity.counts[: 1 if marked else None])
    values = [_value(claim, network, way) for way in ways]
    fitting = (index for index, value in enumerate(values) if claim.figure.fit(value))
    chosen = next(fitting, None)
    if chosen is None:
        return ways[0], values[0], len(ways)
    return ways[chosen], values[chosen], chosen + 1


def _stories(claim: Claim, network: Counted) -> tuple[list[Candidate], Evidence | None]:
    """The stories of ``explain`` that print as the figure, of the network that the claim is about."""
    what = _WHAT.get(claim.quantity.name)
    if what is None or claim.of:
        return [], None
    return search(list(stories(network, what, settings={}, resized=False, changed=0)), claim.figure, Fraction(0))


def _value(claim: Claim, network: Counted, count: Count) -> Fraction:
    """What the network of a claim has, by one way of counting."""
    name = " ".join((claim.quantity.name, count.name, *map(repr, claim.of)))
    ratio = network.numbers(name, lambda: _count(claim, network.ledger, count).as_integer_ratio())
    return Fraction(*ratio)


def _count(claim: Claim, ledger: Ledger, count: Count) -> Fraction:
    graph = ledger.graph
    nodes, tally = ledger.part(claim.of, lambda: _part(claim, graph))
    if count not in claim.quantity.counts:  # that of a tool
        reported = Reported(graph, convention(count.name), ledger)
        return Fraction(reported.params if claim.quantity.name == "params" else reported.of(nodes))
    value = Fraction(count.rule(nodes, tally))
    if not claim.quantity.share:
        return value
    whole = Fraction(count.rule(*ledger.part((), lambda: graph.layers)))
    return 100 * value / whole if whole else Fraction(0)


def _verdict(claim: Claim, value: Fraction, count: Count, fit: str) -> str:
    figure = claim.figure
    if claim.explained:
        return CONVENTION if fit else OPEN
    if figure.bound:
        return APPROXIMATE if value < figure.value else ERRATUM if claim.erratum else OPEN
    if figure.rough and not fit and abs(value - figure.value) <= ABOUT * figure.value:
        return APPROXIMATE
    if not fit or _derived_better(claim, fit):
        return ERRATUM if claim.erratum else OPEN
    if claim.variant:
        return VARIANT
    return fit if count is claim.quantity.counts[0] else CONVENTION


def _derived_better(claim: Claim, fit: str) -> bool:
    """Whether the arithmetic of an erratum is, or rounds to, a figure that the network's count only truncates to."""
    if not claim.erratum or claim.arithmetic is None:
        return False
    derived = claim.figure.fit(Fraction(claim.arithmetic[1]))
    return derived != "" and FITS.index(derived) < FITS.index(fit)


def _fault(claim: Claim, value: Fraction, verdict: str) -> str:
    if verdict in REPRODUCED and (claim.erratum or claim.open):
        return f"marked as {'an erratum' if claim.erratum else 'open'}, but the verdict is: {verdict}"
    if claim.arithmetic is not None and not claim.figure.fit(Fraction(claim.arithmetic[1])):
        text, result = claim.arithmetic
        return f"the arithmetic {text} is {spelled(result)}, which does not print as {claim.figure.text}"
    if claim.instead is not None and claim.instead[1] != value:
        text, result = claim.instead
        return f"the arithmetic {text} is {spelled(result)}, not ours"
    if claim.explained and claim.arithmetic is not None and not _starts_from(claim.arithmetic[0], value):
        return f"the arithmetic does not start from our count, {spelled(value)}"
    return "not explained, and not marked as open" if verdict == OPEN and not claim.open else ""


def _starts_from(arithmetic: str, value: Fraction) -> bool:
    return str(value) in re.findall(r"\d+", arithmetic)


def _part(claim: Claim, graph: Graph) -> Sequence[Node]:
    if not claim.of:
        return graph.layers
    chosen = [_matcher(name, graph, claim) for name in claim.of]
    return [node for node in graph.layers if any(node.index in indexes for indexes in chosen)]


def _matcher(name: str, graph: Graph, claim: Claim) -> set[int]:
    """The layers below the path ``name``, whichever copy of it; or those of that kind."""
    below = re.compile(re.escape(name) + r"(?:[\[#/]|$)")
    indexes = {node.index for node in graph.layers if below.match(node.path) or node.kind == name}
    if not indexes:
        message = unknown("part or kind of layer", name, sorted(_names(graph.layers)), of=graph.name)
        raise SpecError([Problem(claim.position, message)])
    return indexes


def _names(nodes: Iterable[Node]) -> set[str]:
    paths = {node.path for node in nodes}
    heads = {"/".join(path.split("/")[:depth]) for path in paths for depth in range(1, 1 + path.count("/") + 1)}
    return heads | {node.kind for node in nodes}
