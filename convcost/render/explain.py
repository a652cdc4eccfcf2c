"""Explanations of a number as sentences, as a table and as data."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from convcost.conventions.catalogue import names
from convcost.conventions.model import PLAIN
from convcost.conventions.reported import CAUSES
from convcost.layers.base import OTHER
from convcost.literature.claims import COUNTED, MEASURED, PRINTED
from convcost.literature.stories import EXACT, HALF, MERGES, NEAR, ROUNDED, TRUNCATED, TWICE
from convcost.literature.verify import APPROXIMATE, ERRATUM, REPRODUCED, VARIANT
from convcost.network.headings import shown_value
from convcost.numbers.arithmetic import normal
from convcost.render.candidates import arithmetic, how, number_text
from convcost.render.findings import place, settings, verdict, written
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
    NEAR: "nearly",
}
_COUNTED = {
    "": "it counts a multiplication and its addition as one",
    TWICE: "it counts a multiplication and an addition separately",
}
_FLOPS = "it counts every arithmetic operation, a multiplication and an addition separately"


def answer(explanation: Explanation) -> str:
    """The best explanation in a sentence; before it what the spec's published figures say about the number."""
    sentences = [*_published(explanation.published)]
    printed = explanation.quantity.text
    if not explanation.candidates or not explanation.explained:
        return " ".join([*sentences, f"{_nothing(explanation)}."])
    candidate = explanation.candidates[0]
    fit = _FITS[candidate.fit] if candidate.fit != NEAR else f"to within {abs(float(candidate.off)) * 100:.2g} %"
    verb = "is" if explanation.answered else "may be"
    rest = [f"at {_at(candidate)}"] if candidate.settings else []
    rest += ["without the linear layers"] if candidate.without_linear else []
    rest += [f"for {candidate.batch} samples"] if candidate.batch > 1 else []
    rest += [] if explanation.what == "params" else [f"for the {shape(candidate.input)} input"]
    counted = f": {_counts(candidate)}" if _counts(candidate) else ""
    return " ".join(
        [
            *sentences,
            f"{printed} {verb} {_named(candidate)} ({_short(candidate)}), {fit}{counted}"
            f"{', ' if rest else ''}{', '.join(rest)}.",
        ]
    )


def _at(candidate: Candidate) -> str:
    return ", ".join(f"{name}={shown_value(value)}" for name, value in candidate.settings.items())


def _short(candidate: Candidate) -> str:
    """``601.5 M``: the count itself, with so many digits that it can be told from what was printed."""
    value = normal(candidate.value)
    return f"{value:,}" if candidate.fit == EXACT and isinstance(value, int) else si(round(value))


def _named(candidate: Candidate) -> str:
    """What was counted, as the subject of a sentence."""
    if candidate.what == "params":
        return f"the number of {candidate.convention.name}" + (f" ({candidate.why})" if candidate.why else "")
    name = {
        "macs": "MACs",
        PLAIN.name: "FLOPs",
        MERGES: "MACs with the operations of shortcuts and gates",
    }.get(candidate.convention.name, f"what {candidate.convention.name} counts")
    if candidate.why == TWICE:
        return f"2 x {name}"
    return (
        f"half the {name}"
        if candidate.why == HALF and candidate.convention.name == PLAIN.name
        else f"half of {name}"
        if candidate.why
        else name
    )


def _counts(candidate: Candidate) -> str:
    """What the count counts, in words."""
    if candidate.what == "params":
        return ""
    if candidate.convention.name == "macs":
        return _COUNTED[candidate.why]
    if candidate.convention.name == PLAIN.name:
        return f"{_FLOPS}, and halves the sum" if candidate.why else _FLOPS
    terms = [(name, value) for name, value in candidate.terms if name != "linear layers" and value]
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
        printed = f"{printed} is {claim.kind} {_WHERE[claim.kind]}"
        where = place(claim)
        listed = places.setdefault((printed, _became(finding)), [])
        if where not in listed:
            listed.append(where)
    for (printed, became), listed in places.items():
        yield f"{printed} {' and in '.join(listed)}; {became}."


_WHERE = {PRINTED: "in", MEASURED: "with", COUNTED: "for"}


def _became(finding: Finding) -> str:
    """The verdict on a published figure."""
    claim, count = finding.claim, finding.convention
    if claim.explained and finding.verdict in REPRODUCED:
        return f"it follows from {written(finding)}: {claim.explained.rstrip('.')}"
    if finding.verdict == APPROXIMATE:
        return f"it says about, or less than: {written(finding)} {count.unit or claim.quantity.title}"
    if finding.verdict == VARIANT:
        return f"it follows from another variant ({verdict(finding).partition(': ')[2]}): {written(finding)}"
    if finding.verdict in REPRODUCED:
        usual = count.name in ("macs", "all", "every", "trainable")
        unit = count.unit or claim.quantity.title
        return f"it follows: {written(finding)} {unit}" + (
            "" if usual else f", counted as {count.name.replace('_', ' ')}"
        )
    if finding.verdict == ERRATUM:
        return f"it is an error there: {claim.erratum.rstrip('.')}"
    return f"it is open: {claim.open.rstrip('.')}" if claim.open else "it is not explained"


def explanation_table(explanation: Explanation) -> Table:
    """The answer, then the candidates, best first."""
    rows = [
        (
            number_text(normal(candidate.value)),
            f"{candidate.fit} {explanation.quantity.text}"
            + ("" if candidate.reproduces else f" ({float(candidate.off * 100):+.2f} %)"),
            how(candidate),
            arithmetic(candidate),
        )
        for candidate in explanation.candidates
    ]
    plain_count = "plain MACs" if explanation.what == "macs" else "trainable parameters"
    notes = [f"{plain(explanation.spec.title)} has {explanation.default:,} {plain_count} at its defaults"]
    notes += [*explanation.guesses, *([evidence(explanation)] if explanation.explained else [])]
    notes += [f"try: {command_of(explanation.candidates[0], explanation)}"] if explanation.explained else []
    return Table(plain(answer(explanation)), _COLUMNS, rows, None, tuple(plain(note) for note in notes))


def evidence(explanation: Explanation) -> str:
    """How many of the counts that were tried fit, and how many would by chance."""
    tried = explanation.evidence
    verb = "prints" if tried.fitting == 1 else "print"
    simple = f"of the {tried.as_simple} as simple as the first" if tried.as_simple > 1 else "of the simplest alone"
    return (
        f"evidence: {tried.fitting} of the {tried.tried:,} counts tried {verb} as {explanation.quantity.text}; "
        f"at this precision {_about(tried.by_chance)} would by chance, "
        f"and {_about(tried.as_simple_by_chance)} {simple}: {tried.strength}"
    )


def _about(number: float) -> str:
    return f"about {number:.2g}" if number >= 0.001 else "fewer than 0.001"  # noqa: PLR2004 - two digits are enough


def _nothing(explanation: Explanation) -> str:
    tried = "conventions, variants, input sizes, factors of two, batches, with and without linear layers"
    if explanation.what == "params":
        tried = "what is counted as a parameter, variants, bytes, with and without linear layers"
    near = "the table shows what comes within 1 %" if explanation.candidates else "nothing comes within 1 %"
    counts = f"None of the {explanation.evidence.tried:,} counts that were tried"
    return f"{counts} prints as {explanation.quantity.text}; {near} (tried: {tried})"


def command_of(candidate: Candidate, explanation: Explanation) -> str:
    """The command that shows the count."""
    values = {**explanation.given, **candidate.settings}
    parts = ["convcost analyze", shlex.quote(plain(explanation.target))]
    parts += [f"--set {shlex.quote(f'{name}={shown_value(value)}')}" for name, value in values.items()]
    if candidate.resized or explanation.input is not None:
        parts.append(f"--input {shape(candidate.input)}")
    if (
        explanation.what == "macs"
        and candidate.convention.name not in ("macs", PLAIN.name)
        and candidate.convention.name in names()
    ):
        parts.append(f"--convention {candidate.convention.name}")
    if candidate.batch > 1:
        parts.append(f"--batch {candidate.batch}")
    return " ".join([*parts, *(["--by kind"] if candidate.without_linear else [])])


def candidate_data(candidate: Candidate) -> dict[str, Any]:
    """One candidate as data."""
    return {
        "value": candidate.value,
        "fit": candidate.fit,
        "off": float(candidate.off),
        "effort": candidate.rank[0],
        "convention": candidate.convention.name,
        "settings": dict(candidate.settings),
        "input": candidate.input,
        "without_linear_layers": candidate.without_linear,
        "factor": candidate.factor,
        "why": candidate.why,
        "batch": candidate.batch,
        "how": how(candidate),
        "arithmetic": arithmetic(candidate),
    }


def explanation_data(explanation: Explanation) -> dict[str, Any]:
    """The result of ``explain``."""
    return {
        "schema": schema("explain"),
        "name": explanation.spec.name,
        "title": explanation.spec.title,
        "target": explanation.target,
        "reported": {
            "text": explanation.quantity.text,
            "value": explanation.quantity.value,
            "last_digit": explanation.quantity.unit,
        },
        "what": explanation.what,
        "answer": answer(explanation),
        "found": explanation.explained,
        "default": explanation.default,
        "evidence": explanation.evidence._asdict(),
        "guesses": explanation.guesses,
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
            for finding in explanation.published
        ],
        "candidates": [
            {**candidate_data(candidate), "command": command_of(candidate, explanation)}
            for candidate in explanation.candidates
        ],
    }
