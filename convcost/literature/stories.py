"""Candidate counts for a reported number of one graph. A story is what was counted, and the factor on it.

The complexity of a story is the sum of the costs of its assumptions (:data:`COST`). ``explain`` tries the stories of a
network and of its variants, ``verify`` those of the network that an open claim is about.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import ceil, floor
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.conventions.counts import QUANTITIES
from convcost.conventions.model import PLAIN, Convention, Rules
from convcost.conventions.reported import Reported
from convcost.conventions.survey import known
from convcost.numbers import printed
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.literature.numbers import Counted
    from convcost.numbers.printed import Figure

WHAT = ("macs", "params")
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
FITS = ("is", "rounds to", "truncates to", "is near")
EXACT, ROUNDED, TRUNCATED, NEAR = FITS
CLOSE = Fraction(5, 1000)  # how far a simple count may be from a number that is not its rounding
FEW_DIGITS = 4  # a number with more of them is no approximation
COST = {
    "twice": 1,  # 2 x MACs
    "flops": 2,  # every arithmetic operation
    "convention": 3,  # of a tool, or another way to count parameters
    "factor": 2,  # of a tool's count
    "without linear layers": 2,
    "change": 4,  # of a parameter, or of the input
    "printed change": 3,  # one that a published figure of the network has
    "this figure's change": 1,  # one that a published figure of this very value has
    "batch": 6,
    "tool on a variant": 6,  # a tool's convention and another network together
    "off": 3,  # not the rounding of the number
}
_PLAIN = ("macs", "all trainable parameters")
_MEBI = Fraction(1024**2, 10**6)
_PARAMS = {
    "trainable": "all trainable parameters",
    "weights": "weights alone",
    "weights_and_biases": "weights and biases",
    "weights_and_norms": "weights and norms",
    "folded": "batch norms folded into one bias a channel",
    "total": "parameters and running statistics (Keras)",
    "folded_total": "parameters and running statistics, norms without a scale",
    "folded_total_of_convolutions": "parameters and running statistics, norms without a scale, without linear layers",
}
MERGES = "MACs and merges"
_LINEAR = ("linear layers",)
TWICE, HALF = "two operations a MAC", "half the FLOPs called MACs"
Story: TypeAlias = (  # a candidate before it is compared: tuples are made in a third of the time
    "tuple[int, int, Counted, Convention, Mapping[str, Any], bool, bool, Fraction, str, int, str]"
)
PARTS = 16384  # in so many parts of one, the value of every story is whole: 2^20 / 10^6 is 16384 / 15625


class Candidate(NamedTuple):
    """One story: a count, and how it compares to what was printed.

    Attributes:
        parts: what it gives, in parts of 1 / :data:`PARTS`.
        cost: its complexity, the sum of :data:`COST` over its departures.
        network: whose count it is.
        convention: what is counted.
        settings: parameters that differ from the spec's own.
        resized: whether the input is not the spec's own.
        without_linear: whether linear layers are left out.
        factor: what the count is multiplied by, and why; 1 where it is not.
        why: the reason for the factor.
        batch: samples.
        what: ``macs`` (operations) or ``params``.
        fit: how it compares to what was printed: one of :data:`FITS`, or empty.
        off: by how much, relative to what was printed.
    """

    parts: int
    cost: int
    network: Counted
    convention: Convention
    settings: Mapping[str, Any]
    resized: bool
    without_linear: bool
    factor: Fraction
    why: str
    batch: int
    what: str
    fit: str = ""
    off: Fraction = Fraction(0)

    @property
    def value(self) -> Fraction:
        """What it gives."""
        return Fraction(self.parts, PARTS)

    @property
    def reported(self) -> Reported:
        """The count itself; the network is built for it."""
        return Reported(self.network.graph, self.convention, self.network.ledger)

    @property
    def input(self) -> tuple[int, ...]:
        """The shape that the network runs on."""
        return self.network.input

    @property
    def plain(self) -> bool:
        """Whether what is counted is plain multiply-accumulates, or all trainable parameters."""
        return self.convention.name in _PLAIN

    @property
    def simple(self) -> bool:
        """Whether it is MACs, 2 x MACs, FLOPs or trainable parameters of the network at its defaults."""
        counted = self.why in ("", TWICE) if self.convention.name == "macs" else not self.why
        named = self.plain or (self.what == "macs" and self.convention.name == PLAIN.name)
        return named and counted and not (self.settings or self.resized or self.without_linear or self.batch > 1)

    @property
    def reproduces(self) -> bool:
        """Whether it would print as what was printed."""
        return self.fit not in ("", NEAR)

    def is_near(self, figure: Figure) -> bool:
        """Whether it is a simple count within half a per cent of a number that has few digits."""
        close = abs(self.value - figure.value) <= CLOSE * figure.value
        return self.simple and close and figure.significant <= FEW_DIGITS

    @property
    def departures(self) -> frozenset[Any]:
        """How it departs from the spec at its defaults, counted plainly."""
        taken: list[Any] = [("set", name, value) for name, value in self.settings.items()]
        taken += [("convention", self.convention.name)] if not self.plain else []
        taken += [("input", self.input)] if self.resized else []
        taken += [("without linear layers",)] if self.without_linear else []
        taken += [("factor", self.why)] if self.why else []
        taken += [("batch", self.batch)] if self.batch > 1 else []
        return frozenset(taken)

    @property
    def rank(self) -> tuple[int, int, Fraction]:
        """What candidates are sorted by: complexity, kind of fit, distance."""
        off = COST["off"] if self.fit == NEAR else 0
        return self.cost + off, FITS.index(self.fit), abs(self.off)

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """The parts of the count, by name, before factor and batch; they add up to it."""
        reported = self.reported
        if self.what == "params":
            terms = [(self.convention.name, reported.params)]
        else:
            causes = {cause: value for cause, value in reported.causes().items() if value}
            terms = [("MACs", reported.operations - sum(causes.values())), *causes.items()]
        if self.without_linear:
            terms.append(("linear layers", -_linear_share(reported, self.what)))
        return tuple(terms)


def stories(
    network: Counted, what: str, *, settings: Mapping[str, Any], resized: bool, changed: int
) -> Iterator[Story]:
    """Every count of a network that is tried, as the first fields of a :class:`Candidate`.

    Args:
        network: the network, or a variant of it.
        what: ``macs`` (operations) or ``params``.
        settings: how its parameters differ from the spec's own.
        resized: whether its input differs.
        changed: what the settings and the input cost; 0 where nothing is changed.
    """
    counts = _counts(network, what)
    for index, (account, own) in enumerate(_accounts(what)):
        whole, share = counts[2 * index : 2 * index + 2]
        base = own + changed + (COST["tool on a variant"] if changed > 1 and own else 0)
        for without_linear in (False, True) if share else (False,):
            total = whole - share if without_linear else whole
            left_out = COST["without linear layers"] if without_linear else 0
            batches = BATCHES if what == "macs" and not (changed or without_linear) else ()
            for factor, parts, why, more in _factors(account.unit, plain=account.name in _PLAIN, what=what):
                cost = base + left_out + more
                for batch in (1, *batches):
                    yield (
                        total * parts * batch,
                        cost + COST["batch"] if batch > 1 else cost,
                        network,
                        account,
                        settings,
                        resized,
                        without_linear,
                        factor,
                        why,
                        batch,
                        what,
                    )


def plain_count(network: Counted, what: str) -> int:
    """The count of a network that its stories start from: plain multiply-accumulates, or all trainable parameters."""
    names = [account.name for account, _ in _accounts(what)]
    return _counts(network, what)[2 * next(index for index, name in enumerate(names) if name in _PLAIN)]


def _counts(network: Counted, what: str) -> list[int]:
    """For each of the accounts the count of the whole network, and the share of its linear layers."""

    def count() -> Iterator[int]:
        for account, _ in _accounts(what):
            reported = Reported(network.graph, account, network.ledger)
            yield int(reported.params if what == "params" else reported.operations)
            yield _linear_share(reported, what)

    return network.numbers(f"{what} of every account", count)


def compared(story: Story, figure: Figure, near: Fraction) -> Candidate | None:
    """A story with how it compares to ``figure``; None where it is further off than ``near``."""
    candidate = Candidate(*story)
    fit = _fit(candidate, figure, near)
    return None if fit is None else candidate._replace(fit=fit, off=(candidate.value - figure.value) / figure.value)


def reach(figure: Figure, near: Fraction) -> tuple[int, int]:
    """The least and the greatest count that could be compared to ``figure``, in parts of 1 / :data:`PARTS`.

    Outside of them :func:`compared` gives None for every story. A doubled number that was cut off before is up to two
    units of the last digit above.
    """
    furthest = max(near * figure.value, CLOSE * figure.value, 2 * figure.unit)
    return floor((figure.value - furthest) * PARTS), ceil((figure.value + furthest) * PARTS)


def _fit(story: Candidate, figure: Figure, near: Fraction) -> str | None:
    value = story.value
    fit = figure.fit(value)
    if fit == printed.EXACT:
        return EXACT
    if (fit == printed.ROUNDS and figure.unit > 1) or (story.simple and _rounds_roughly(story, figure)):
        return ROUNDED
    if fit and figure.unit > 1:
        return TRUNCATED
    return NEAR if abs(value - figure.value) <= near * figure.value else None


def _rounds_roughly(story: Candidate, figure: Figure) -> bool:
    """Whether the zeros of the number only fill places, as in ``4100M``, or a rounded count was doubled."""
    close = abs(story.value - figure.value) <= CLOSE * figure.value
    if close and figure.coarse.rounds_from(story.value):
        return True
    half, value = figure.half, story.value / 2
    return story.why == TWICE and half is not None and (half.rounds_from(value) or half.truncates_from(value))


@cache
def _accounts(what: str) -> list[tuple[Convention, int]]:
    """What may have been counted, with what it costs to assume it."""
    if what == "params":
        nothing = Rules({})
        return [
            (
                Convention(_PARAMS[count.name], operations=nothing, params=count.rows),
                COST["convention"] if index else 0,
            )
            for index, count in enumerate(QUANTITIES["params"].counts)
        ]
    merges = QUANTITIES["flops"].counted_as("macs_and_merges")
    costs = {"macs": 0, PLAIN.name: COST["flops"]}
    return [
        *((tool, costs.get(tool.name, COST["convention"])) for tool in known() if not tool.counts_parameters),
        (Convention(MERGES, operations=merges.rows, params=PLAIN.params), COST["convention"]),
    ]


@cache
def _factors(unit: str, *, plain: bool, what: str) -> list[tuple[Fraction, int, str, int]]:
    """What a count may have been multiplied by, the same in parts of 1 / :data:`PARTS`, why, and what that costs."""
    factors = [(Fraction(1), "", 0)]
    if what == "params":
        factors.append((Fraction(4), "bytes of float32", COST["factor"]))
        factors.append((1 / _MEBI, "M = 1,048,576", COST["factor"]))
    elif unit == "MACs":
        factors.append((Fraction(2), TWICE, COST["twice"] if plain else COST["factor"]))
    else:
        factors.append((Fraction(1, 2), HALF, COST["factor"]))
    return [(factor, int(factor * PARTS), why, cost) for factor, why, cost in factors]


def _linear_share(reported: Reported, what: str) -> int:
    rules = reported.convention.params if what == "params" else reported.convention.operations
    layers = reported.graph.layers
    _, linear = reported.ledger.part(_LINEAR, lambda: [node for node in layers if node.layer.is_linear])
    return int(linear.total(rules))
