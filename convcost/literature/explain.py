"""Search for the convention, variant, input, factor or batch that gives a reported number.

The stories that are tried depart from the spec at its defaults in a few ways; see
:mod:`convcost.literature.stories`. Those that print as the number come first by complexity, then by fit and
distance; one that takes all departures of another, and more, is left out. A simple count that is near the number
without being its rounding is listed too. Where nothing prints as the number, the closest counts are listed.

:mod:`convcost.literature.evidence` ranks them and says how many would fit by chance.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.errors import UsageError
from convcost.literature.claims import claims
from convcost.literature.evidence import Evidence, answers, search
from convcost.literature.store import EXPLAIN, bundled_name, closed, opened
from convcost.literature.stories import COST, WHAT, Candidate, plain_count, stories
from convcost.literature.variants import variants
from convcost.literature.verify import Finding, verify_claim
from convcost.records import NamedTuple
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.language.model import Spec
    from convcost.literature.claims import Claim
    from convcost.literature.stories import Story
    from convcost.numbers.printed import Figure, Printed

NEAR = Fraction(1, 100)
_OPERATIONS = ("macs", "flops")


class _Explanation(NamedTuple):
    spec: Spec
    target: str
    quantity: Figure
    what: str
    candidates: tuple[Candidate, ...]
    default: int
    evidence: Evidence
    published: tuple[Finding, ...]
    given: Mapping[str, Any]
    input: tuple[int, ...] | None
    guesses: tuple[str, ...]


class Explanation(Printable, _Explanation):
    """What explains a number.

    Attributes:
        spec: the network.
        target: what the network was asked for by: a name, a path.
        quantity: what was printed, as it was read.
        what: ``macs`` (operations) or ``params``.
        candidates: best first; the first reproduces the number, or none does.
        default: the network's own count at its defaults: plain multiply-accumulates, or trainable parameters.
        evidence: how many counts were tried, how many fit.
        published: what the spec's published figures of this value are, and whether they follow.
        given: values that were given, not varied.
        input: an input that was given, or None.
        guesses: what was assumed in order to read the number, in sentences.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Explanation({self.spec.name}, {self.quantity.text!r}, {len(self.candidates)} candidates)"

    @property
    def explained(self) -> bool:
        """Whether anything reproduces the number."""
        return bool(self.candidates) and any(candidate.reproduces for candidate in self.candidates)

    @property
    def answered(self) -> bool:
        """Whether the first explanation is an answer, and not one that so many tries were to be expected to give."""
        return answers(self.candidates, self.evidence)

    @property
    def rank(self) -> tuple[Any, ...]:
        """What the readings of one text are compared by: an explanation, its complexity, the distance."""
        best = self.candidates[0].rank if self.candidates else (99, 0, Fraction(0))
        far = abs(math.log(self.quantity.value / self.default)) if self.default else math.inf
        return not self.published, not self.candidates, not self.explained, best[:2], far


def explain(
    spec: Spec,
    printed: Printed,
    *,
    what: str | None = None,
    given: Mapping[str, Any] | None = None,
    input_shape: tuple[int, ...] | None = None,
    top: int = 5,
    target: str = "",
) -> Explanation:
    """Look for what gives a printed number.

    Args:
        spec: linked.
        printed: the number; see :func:`convcost.numbers.printed.printed`.
        what: ``macs`` (operations of any kind) or ``params``; None takes what the number says of itself, or what fits.
        given: values that are known; they are not varied.
        input_shape: an input that is known; it is not varied.
        top: how many candidates to keep.
        target: what the network was asked for by; the spec's name where it is empty.

    Raises:
        UsageError: ``what`` is neither.
        SpecError: a given value does not fit, or a published figure of the spec is wrong.
    """
    if what is not None and what not in WHAT:
        raise UsageError(f"`what` is one of {', '.join(WHAT)}, found '{what[:60]}'")
    asked = (what or printed.what,) if what or printed.what else WHAT
    given = given or {}
    search = _Search(spec, given, input_shape, printed, asked)
    readings = [
        Explanation(
            spec,
            target or spec.name,
            figure,
            each,
            *search.candidates(figure, each, top),
            search.published(figure, each),
            given,
            input_shape,
            (),
        )
        for each in asked
        for figure in printed.figures
    ]
    search.close()
    best = min(readings, key=lambda reading: reading.rank)
    return best._replace(guesses=tuple(_guesses(best, readings, printed, asked)))


def _guesses(
    best: Explanation, readings: Sequence[Explanation], printed: Printed, asked: tuple[str, ...]
) -> Iterable[str]:
    if len(printed.figures) > 1:
        others = ", ".join(figure.text for figure in printed.figures if figure.text != best.quantity.text)
        yield f"{printed.text} has no unit: read as {best.quantity.text} (also tried: {others})"
    if len(asked) > 1 and best.what == "params":
        other = next(each for each in readings if each.what == "macs" and each.quantity.text == best.quantity.text)
        simpler = "the count of operations that prints as it is less simple"
        why = simpler if other.explained else "no count of operations fits"
        yield f"{best.quantity.text} is read as a number of parameters: {why} (--in macs asks for operations)"


class _Search:
    """The stories of a network and of its variants."""

    def __init__(
        self,
        spec: Spec,
        given: Mapping[str, Any],
        input_shape: tuple[int, ...] | None,
        printed: Printed,
        asked: tuple[str, ...],
    ) -> None:
        self.spec = spec
        self.claims = claims(spec)
        # a record of all networks that somebody asks for would grow without end
        self._name = "" if given or input_shape is not None else bundled_name(spec)
        self.stories: dict[str, list[Story]] = {what: [] for what in asked}
        self.book = opened(self._name, EXPLAIN, lambda: spec)
        self.network = self.book.network(given, input_shape)
        resize = "macs" in asked
        for settings, network, cost in variants(
            spec, given, input_shape, self.network, self._printed_settings(printed), resize=resize, book=self.book
        ):
            resized = network.input != self.network.input
            for what in asked:
                if what == "macs" or not resized:
                    self.stories[what] += stories(network, what, settings=settings, resized=resized, changed=cost)

    def close(self) -> None:
        """Record new numbers for the next command."""
        closed(self.book, self._name, EXPLAIN)

    def _printed_settings(self, printed: Printed) -> list[tuple[Mapping[str, Any], tuple[int, ...] | None, int]]:
        """The settings and inputs of the published figures; those of this very number cost the least."""
        values = {figure.value for figure in printed.figures}
        ours = [
            (
                claim.settings,
                claim.input,
                COST["this figure's change" if claim.figure.value in values else "printed change"],
            )
            for claim in self.claims
            if claim.settings or claim.input
        ]
        return sorted(ours, key=lambda changed: changed[2])

    def candidates(self, figure: Figure, what: str, top: int) -> tuple[tuple[Candidate, ...], int, Evidence]:
        """The best candidates for one number, the network's own count, and the evidence."""
        ranked, evidence = search(self.stories[what], figure, NEAR)
        return tuple(ranked[:top]), plain_count(self.network, what), evidence

    def published(self, figure: Figure, what: str) -> tuple[Finding, ...]:
        """The spec's published figures of this value."""
        names = ("params",) if what == "params" else _OPERATIONS
        same = [each for each in self.claims if each.figure.value == figure.value and each.quantity.name in names]
        return tuple(self._finding(claim) for claim in same)

    def _finding(self, claim: Claim) -> Finding:
        return verify_claim(claim, self.book)
