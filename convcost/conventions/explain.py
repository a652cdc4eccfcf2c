"""Which convention, variant, input, factor or batch gives a number that somebody printed.

Candidates are combinations of a few departures from the spec at its defaults, each with an effort: a named convention,
a factor of two and the fully connected layers left out count 1, another variant or input size 2, a batch 3. Those that
print as the number are ranked by effort, then by closeness; one that takes all departures of another, and more, is
left out. Where none prints as the number, the closest are told as what they are.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.conventions.catalogue import DEFAULT, convention
from convcost.conventions.model import TRAINABLE, Convention, Rules
from convcost.conventions.paper import PARAMS
from convcost.conventions.reported import Reported
from convcost.conventions.survey import known
from convcost.conventions.variants import variants
from convcost.errors import UsageError
from convcost.spec.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.figures import Figure
    from convcost.graph import Graph
    from convcost.spec.model import Spec

WHAT = ("macs", "params")
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
NEAR = Fraction(1, 100)
FITS = ("is", "rounds to", "is cut off to", "is within one of the last digit of", "is near")
_PLAIN = ("macs", "all trainable parameters")
_MEBI = Fraction(1024**2, 10**6)


class Candidate(NamedTuple):
    """One way to come near the number.

    Attributes:
        value: what it gives.
        fit: how that compares to what was printed: one of :data:`FITS`.
        off: by how much, relative to what was printed.
        effort: how many departures it takes, weighted.
        convention: what is counted.
        settings: parameters that differ from the spec's own.
        input: shape that the network runs on.
        resized: whether that is not the spec's own.
        without_linear: whether linear layers are left out.
        factor: what the count is multiplied by, and why; 1 where it is not.
        why: the reason for the factor.
        batch: samples.
        terms: the parts of the count, by name, before factor and batch; they add up to it.
    """

    value: Fraction
    fit: str
    off: Fraction
    effort: int
    convention: Convention
    settings: Mapping[str, Any]
    input: tuple[int, ...]
    resized: bool
    without_linear: bool
    factor: Fraction
    why: str
    batch: int
    terms: tuple[tuple[str, int], ...]

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
    def plain(self) -> bool:
        """Whether what is counted is plain multiply-accumulates, or all trainable parameters."""
        return self.convention.name in _PLAIN

    @property
    def is_close(self) -> bool:
        """Whether the number, rounded or cut off, is what was printed."""
        return self.fit in FITS[:3]

    @property
    def reproduces(self) -> bool:
        """Whether the number would print as what was printed."""
        return self.fit != FITS[-1]


class Explanation(NamedTuple):
    """What was found.

    Attributes:
        spec: the network.
        quantity: what was printed.
        what: ``macs`` (operations) or ``params``.
        candidates: best first; all reproduce the number, or none does.
        default: the network's own count at its defaults: plain multiply-accumulates, or trainable parameters.
    """

    spec: Spec
    quantity: Figure
    what: str
    candidates: tuple[Candidate, ...]
    default: int

    @property
    def found(self) -> bool:
        """Whether anything reproduces the number."""
        return bool(self.candidates) and self.candidates[0].reproduces


def explain(
    spec: Spec,
    quantity: Figure,
    *,
    what: str = "macs",
    given: Mapping[str, Any] | None = None,
    input_shape: tuple[int, ...] | None = None,
    top: int = 5,
) -> Explanation:
    """Look for what gives a printed number.

    Args:
        spec: linked.
        quantity: the number; see :func:`convcost.figures.positive`.
        what: ``macs`` (operations of any kind) or ``params``.
        given: values that are known; they are not varied.
        input_shape: an input that is known; it is not varied.
        top: how many candidates to keep.

    Raises:
        UsageError: ``what`` is neither.
        SpecError: a given value does not fit.
    """
    if what not in WHAT:
        raise UsageError(f"`what` is one of {', '.join(WHAT)}, found '{what[:60]}'")
    own = build(spec, given, input_shape)
    found: dict[tuple[Fraction, str], Candidate] = {}
    for settings, graph, effort in variants(spec, given or {}, input_shape, own, resize=what == "macs"):
        for candidate in _candidates(graph, own, settings, effort, quantity, what):
            key = (candidate.value, candidate.convention.name)
            if key not in found or candidate.effort < found[key].effort:
                found[key] = candidate
    fitting = [one for one in found.values() if one.reproduces] or list(found.values())
    ranked = sorted(_simplest(fitting), key=_rank)
    counted = Reported(own, convention("macs" if what == "macs" else DEFAULT))
    total = counted.operations if what == "macs" else counted.params
    return Explanation(spec, quantity, what, tuple(ranked[:top]), total)


def _simplest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates that take no departure beyond those of another one that fits as well."""
    kinds = {(one.departures, one.is_close) for one in candidates}
    return [
        one
        for one in candidates
        if not any(other < one.departures and (close or not one.is_close) for other, close in kinds)
    ]


def _rank(one: Candidate) -> tuple[Any, ...]:
    return (not one.is_close, one.effort, abs(one.off)) if one.reproduces else (abs(one.off), one.effort)


def _candidates(
    graph: Graph, own: Graph, settings: Mapping[str, Any], effort: int, quantity: Figure, what: str
) -> Iterator[Candidate]:
    untouched = graph is own
    for account, extra in _accounts(what):
        reported = Reported(graph, account)
        for without_linear in (False, True):
            total = _total(reported, what, without_linear=without_linear)
            if total is None:
                continue
            for factor, why, more in _factors(account, what, quantity):
                for batch in (1, *BATCHES) if untouched and what == "macs" and not without_linear else (1,):
                    value = total * factor * batch
                    fit = _fit(Fraction(value), quantity)
                    if fit is None:
                        continue
                    yield Candidate(
                        Fraction(value),
                        fit,
                        (value - quantity.value) / quantity.value,
                        effort + extra + more + without_linear + (3 if batch > 1 else 0),
                        account,
                        settings,
                        graph.input,
                        graph.input != own.input,
                        without_linear,
                        factor,
                        why,
                        batch,
                        _terms(reported, what, without_linear=without_linear),
                    )


def _accounts(what: str) -> list[tuple[Convention, int]]:
    """What may have been counted, with the effort it takes to assume it."""
    if what == "macs":
        conventions = [one for one in known() if not one.counts_parameters]
        return [(one, 0 if one.name == "macs" else 1) for one in conventions]
    counts = {"all trainable parameters": (TRAINABLE, 0), **{words: (Rules(PARAMS[key]), 1) for key, words in _WORDS}}
    nothing = Rules({})
    return [(Convention(name, operations=nothing, params=rules), extra) for name, (rules, extra) in counts.items()]


_WORDS = (
    ("weights", "weights alone"),
    ("weights_and_biases", "weights and biases"),
    ("total", "parameters and running statistics (Keras)"),
)


def _total(reported: Reported, what: str, *, without_linear: bool) -> int | None:
    """A count; None where leaving linear layers out leaves nothing out."""
    total = reported.params if what == "params" else reported.operations
    if not without_linear:
        return int(total)
    share = _linear_share(reported, what)
    return int(total) - share if share else None


def _linear_share(reported: Reported, what: str) -> int:
    rules = reported.convention.params if what == "params" else reported.convention.operations
    linear = [node for node in reported.graph.layers if node.layer.is_linear]
    return int(sum(rules.count(node) * node.count for node in linear))


def _terms(reported: Reported, what: str, *, without_linear: bool) -> tuple[tuple[str, int], ...]:
    """The parts of a count."""
    if what == "params":
        terms = [(reported.convention.name, reported.params)]
    else:
        causes = {cause: value for cause, value in reported.causes().items() if value}
        terms = [("MACs", reported.operations - sum(causes.values())), *causes.items()]
    if without_linear:
        terms.append(("linear layers", -_linear_share(reported, what)))
    return tuple(terms)


def _factors(account: Convention, what: str, quantity: Figure) -> list[tuple[Fraction, str, int]]:
    """What a count may have been multiplied by, why, and the effort it takes to assume it."""
    factors = [(Fraction(1), "", 0)]
    if what == "params":
        factors.append((Fraction(4), "bytes of float32", 2))
        if quantity.text[-1:] == "M":
            factors.append((1 / _MEBI, "M = 1,048,576", 2))
    elif account.unit == "MACs":
        factors.append((Fraction(2), "two operations a MAC", 1))
    else:
        factors.append((Fraction(1, 2), "half the FLOPs called MACs", 2))
    return factors


def _fit(value: Fraction, quantity: Figure) -> str | None:
    """How ``value`` compares to what was printed; None where it is far off."""
    if value == quantity.value:
        return FITS[0]
    if quantity.unit > 1 and quantity.rounds_from(value):
        return FITS[1]
    if quantity.unit > 1 and quantity.truncates_from(value):
        return FITS[2]
    if quantity.unit > 1 and abs(quantity.difference(value)) <= 1:
        return FITS[3]
    return FITS[4] if abs(value - quantity.value) <= NEAR * quantity.value else None
