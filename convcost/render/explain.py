"""Explanations of a number as sentences, as a table and as data."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from convcost.conventions.catalogue import names
from convcost.conventions.model import PLAIN
from convcost.conventions.reported import CAUSES
from convcost.layers.base import OTHER
from convcost.literature.stories import EXACT, HALF, MERGES, NEAR, ROUNDED, TRUNCATED, TWICE, WITHIN
from convcost.literature.verify import CONVENTION, ERRATUM, REPRODUCED
from convcost.numbers.arithmetic import normal
from convcost.render.findings import how, place, settings, written
from convcost.render.headings import shown_value
from convcost.render.results import schema
from convcost.tables.table import Column, Table
from convcost.tables.values import plain, shape, si

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.literature.explain import Explanation
    from convcost.literature.stories import Candidate
    from convcost.literature.verify import Finding

_COLUMNS = (
    Column("value", "number", "times", 9),
    Column("fit", "", "text", 8),
    Column("how", "how", "text", 9),
    Column("arithmetic", "arithmetic", "text", 7),
)
_FITS = {
    EXACT: "exactly",
    ROUNDED: "rounded",
    TRUNCATED: "truncated",
    WITHIN: "within one unit of the last digit",
    NEAR: "nearly",
}
_COUNTED = {
    "": "it counts a multiplication and its addition as one",
    TWICE: "it counts a multiplication and an addition separately",
}
_FLOPS = "it counts every arithmetic operation, a multiplication and an addition separately"
_WEAK, _STRONG = 0.5, 0.1


def arithmetic(one: Candidate) -> str:
    """``2 x (4,089,184,256 MACs + 1,000 bias) = 8,178,370,512``."""
    text = ""
    terms = dict(one.terms)
    times = 1 + terms.pop("factor", 0) // terms.get("MACs", 1)  # a tool that counts a MAC as two
    for name, value in terms.items():
        sign = " - " if value < 0 else " + "
        each = f"{times} x " if name == "MACs" and times != 1 else ""
        text += f"{sign if text else ''}{each}{abs(value):,} {name}"
    outside = [_number(factor) for factor in (one.batch, normal(one.factor)) if factor != 1]
    if outside and (len(terms) > 1 or times != 1):
        text = f"({text})"
    return f"{' x '.join([*outside, text])} = {_number(normal(one.value))}"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value) if value < 1 else f"{float(value):,.1f}"


def answer(found: Explanation) -> str:
    """The best explanation in a sentence; before it what the spec's published figures say about the number."""
    sentences = [*_published(found.published)]
    printed = found.quantity.text
    if not found.candidates or not found.found:
        return " ".join([*sentences, f"{_nothing(found)}."])
    one = found.candidates[0]
    fit = _FITS[one.fit] if one.fit != NEAR else f"to within {abs(float(one.off)) * 100:.2g} %"
    verb = "may be" if _strength(found.evidence.as_simple_by_chance) == "weak" else "is"
    rest = [f"at {_at(one)}"] if one.settings else []
    rest += ["without the linear layers"] if one.without_linear else []
    rest += [f"for {one.batch} samples"] if one.batch > 1 else []
    rest += [] if found.what == "params" else [f"for the {shape(one.input)} input"]
    counted = f": {_counts(one)}" if _counts(one) else ""
    return " ".join(
        [
            *sentences,
            f"{printed} {verb} {_named(one)} ({_short(one)}), {fit}{counted}{', ' if rest else ''}{', '.join(rest)}.",
        ]
    )


def _at(one: Candidate) -> str:
    return ", ".join(f"{name}={shown_value(value)}" for name, value in one.settings.items())


def _short(one: Candidate) -> str:
    """``601.5 M``: the count itself, with so many digits that it can be told from what was printed."""
    value = normal(one.value)
    return f"{value:,}" if one.fit == EXACT and isinstance(value, int) else si(round(value))


def _named(one: Candidate) -> str:
    """What was counted, as the subject of a sentence."""
    if one.what == "params":
        return f"the number of {one.convention.name}" + (f" ({one.why})" if one.why else "")
    name = {
        "macs": "MACs",
        PLAIN.name: "FLOPs",
        MERGES: "MACs with the operations of shortcuts and gates",
    }.get(one.convention.name, f"what {one.convention.name} counts")
    if one.why == TWICE:
        return f"2 x {name}"
    return (
        f"half the {name}"
        if one.why == HALF and one.convention.name == PLAIN.name
        else f"half of {name}"
        if one.why
        else name
    )


def _counts(one: Candidate) -> str:
    """What the count counts, in words."""
    if one.what == "params":
        return ""
    if one.convention.name == "macs":
        return _COUNTED[one.why]
    if one.convention.name == PLAIN.name:
        return f"{_FLOPS}, and halves the sum" if one.why else _FLOPS
    terms = [(name, value) for name, value in one.terms if name != "linear layers" and value]
    listed = [f"{si(value)} {name}" if name == "MACs" else f"{si(value)} for {_CAUSES[name]}" for name, value in terms]
    return " + ".join(listed)


_CAUSES = {**CAUSES, "factor": "counting a MAC as two", "bias": "biases", OTHER: "other layers"}


def _published(findings: Iterable[Finding]) -> Iterable[str]:
    """What the spec's published figures of this value are, and what became of them; one sentence for each figure."""
    places: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        claim = finding.claim
        of = f" of {' + '.join(claim.of)}" if claim.of else ""
        at = f" at {settings(claim)}" if settings(claim) else ""
        printed = f"{claim.figure.text} {claim.quantity.title}{of}{at}"
        where = place(claim) if claim.source else f"the network's own paper ({claim.where})"
        listed = places.setdefault((printed, _became(finding)), [])
        if where not in listed:
            listed.append(where)
    for (printed, became), listed in places.items():
        yield f"{printed} is printed in {' and in '.join(listed)}; {became}."


def _became(finding: Finding) -> str:
    """The verdict on a published figure."""
    claim, count = finding.claim, finding.convention
    if finding.verdict in (REPRODUCED, CONVENTION):
        usual = count.name in ("macs", "all", "every", "trainable")
        unit = count.unit or claim.quantity.title
        return f"it follows: {written(finding)} {unit}" + (
            "" if usual else f", counted as {count.name.replace('_', ' ')}"
        )
    if finding.verdict == ERRATUM:
        return f"it is an error there: {claim.erratum.rstrip('.')}"
    return f"it is unexplained: {claim.open.rstrip('.')}" if claim.open else "it is unexplained"


def explanation_table(found: Explanation) -> Table:
    """The answer, then the candidates, best first."""
    rows = [
        (
            _number(normal(one.value)),
            f"{one.fit} {found.quantity.text}" + ("" if one.is_close else f" ({float(one.off * 100):+.2f} %)"),
            how(one),
            arithmetic(one),
        )
        for one in found.candidates
    ]
    plain_count = "plain MACs" if found.what == "macs" else "trainable parameters"
    notes = [f"{plain(found.spec.title)} has {found.default:,} {plain_count} at its defaults"]
    notes += [*found.guesses, *([evidence(found)] if found.found else [])]
    notes += [f"try: {command_of(one, found)}" for one in found.candidates[:1] if found.found]
    return Table(plain(answer(found)), _COLUMNS, rows, None, tuple(plain(note) for note in notes))


def evidence(found: Explanation) -> str:
    """How many of the counts that were tried fit, and how many would by chance."""
    tried = found.evidence
    verb = "prints" if tried.fitting == 1 else "print"
    simple = f"of the {tried.as_simple} as simple as the first" if tried.as_simple > 1 else "of the simplest alone"
    return (
        f"evidence: {tried.fitting} of the {tried.tried:,} counts tried {verb} as {found.quantity.text}; "
        f"at this precision {_about(tried.by_chance)} would by chance, "
        f"and {_about(tried.as_simple_by_chance)} {simple}: {_strength(tried.as_simple_by_chance)}"
    )


def _strength(by_chance: float) -> str:
    if by_chance < _STRONG:
        return "strong"
    return "weak" if by_chance >= _WEAK else "moderate"


def _about(number: float) -> str:
    return f"about {number:.2g}" if number >= 0.001 else "fewer than 0.001"  # noqa: PLR2004 - two digits are enough


def _nothing(found: Explanation) -> str:
    tried = "conventions, variants, input sizes, factors of two, batches, with and without linear layers"
    if found.what == "params":
        tried = "what is counted as a parameter, variants, bytes, with and without linear layers"
    near = "the table shows what comes within 1 %" if found.candidates else "nothing comes within 1 %"
    counts = f"None of the {found.evidence.tried:,} counts that were tried"
    return f"{counts} prints as {found.quantity.text}; {near} (tried: {tried})"


def command_of(one: Candidate, found: Explanation) -> str:
    """The command that shows the count."""
    values = {**found.given, **one.settings}
    parts = ["convcost analyze", shlex.quote(plain(found.target))]
    parts += [f"--set {shlex.quote(f'{name}={shown_value(value)}')}" for name, value in values.items()]
    if one.resized or found.input is not None:
        parts.append(f"--input {shape(one.input)}")
    if found.what == "macs" and one.convention.name not in ("macs", PLAIN.name) and one.convention.name in names():
        parts.append(f"--convention {one.convention.name}")
    if one.batch > 1:
        parts.append(f"--batch {one.batch}")
    return " ".join([*parts, *(["--by kind"] if one.without_linear else [])])


def candidate_data(one: Candidate) -> dict[str, Any]:
    """One candidate as data."""
    return {
        "value": one.value,
        "fit": one.fit,
        "off": float(one.off),
        "effort": one.rank[0],
        "convention": one.convention.name,
        "settings": dict(one.settings),
        "input": one.input,
        "without_linear_layers": one.without_linear,
        "factor": one.factor,
        "why": one.why,
        "batch": one.batch,
        "how": how(one),
        "arithmetic": arithmetic(one),
    }


def explanation_data(found: Explanation) -> dict[str, Any]:
    """The result of ``explain``."""
    return {
        "schema": schema("explain"),
        "name": found.spec.name,
        "title": found.spec.title,
        "target": found.target,
        "reported": {"text": found.quantity.text, "value": found.quantity.value, "last_digit": found.quantity.unit},
        "what": found.what,
        "answer": answer(found),
        "found": found.found,
        "default": found.default,
        "evidence": found.evidence._asdict(),
        "guesses": found.guesses,
        "published": [
            {
                "printed": finding.claim.figure.text,
                "quantity": finding.claim.quantity.name,
                "of": finding.claim.of,
                "at": finding.claim.at,
                "where": place(finding.claim),
                "verdict": finding.verdict,
                "ours": finding.value,
            }
            for finding in found.published
        ],
        "candidates": [{**candidate_data(one), "command": command_of(one, found)} for one in found.candidates],
    }
