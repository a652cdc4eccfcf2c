"""Results of ``verify``: as tables and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.literature.claims import COUNTED, MEASURED, PRINTED
from convcost.literature.verify import APPROXIMATE, CONVENTION, ERRATUM, VARIANT, VERDICTS
from convcost.network.headings import shown_value
from convcost.render.candidates import candidate_text
from convcost.render.results import schema
from convcost.tables.table import Column, Table
from convcost.tables.values import shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.literature.claims import Claim
    from convcost.literature.verify import Finding, Verification

FIGURE_COLUMNS = (
    Column("figure", "figure", "text", 9),
    Column("at", "at", "text", 6),
    Column("printed", "printed", "times", 9),
    Column("ours", "ours", "times", 9),
    Column("verdict", "verdict", "text", 9),
    Column("evidence", "evidence", "text", 7),
    Column("where", "where", "text", 5),
)
_FLAT = (
    *("name", "class", "quantity", "of", "at", "variant", "input", "printed", "value", "ours", "convention"),
    *("difference", "verdict", "fit", "digits", "tried", "cite", "where", "url", "read", "tool"),
    *("note", "explained", "erratum", "arithmetic", "instead", "derived", "open", "candidate", "chance", "fault"),
)
_FLAT_COLUMNS = tuple(Column(key, key, "text", 9) for key in _FLAT)


def figure_rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    """One row for each finding, in the columns of :data:`FIGURE_COLUMNS`."""
    return [
        (
            figure_name(finding.claim),
            settings(finding.claim),
            finding.claim.figure.text,
            written(finding),
            verdict(finding),
            evidence(finding),
            place(finding.claim),
        )
        for finding in findings
    ]


def findings_tables(verifications: Sequence[Verification]) -> list[Table]:
    """For people: a table for each spec; the last ends with what fails, and a count of the verdicts."""
    tables = [
        Table(f"{spec.name}: {spec.title}", FIGURE_COLUMNS, figure_rows(findings), None, tuple(_faults(findings)))
        for spec, findings in verifications
    ]
    if tables:
        tables[-1] = tables[-1]._replace(notes=(*tables[-1].notes, "", summary(verifications)))
    return tables


def _faults(findings: Sequence[Finding]) -> Iterable[str]:
    if not findings:
        yield "no published figures"
    for finding in findings:
        if finding.fault:
            claim = finding.claim
            yield f"{claim.position}: {figure_name(claim)}, printed {claim.figure.text}: {finding.fault}"
        if finding.candidate is not None:
            name = f"{figure_name(finding.claim)}, printed {finding.claim.figure.text}"
            yield f"{name}: a candidate is {candidate_text(finding.candidate)}"


def figure_name(claim: Claim) -> str:
    """What is counted: ``MACs``, ``parameters of conv1``."""
    of = "in" if claim.quantity.share else "of"
    return claim.quantity.title + (f" {of} {' + '.join(claim.of)}" if claim.of else "")


def settings(claim: Claim) -> str:
    """The parameters that a claim sets, and its input."""
    parts = [f"{name}={shown_value(value)}" for name, value in claim.at.items()]
    return ", ".join([*parts, *([f"input {shape(claim.input)}"] if claim.input else [])])


def written(finding: Finding) -> str:
    """Our value: every digit of a count, decimals of what is none."""
    if finding.claim.quantity.share:
        return f"{float(finding.value):.3f} %"
    return f"{finding.value.numerator:,}" if finding.value.denominator == 1 else f"{float(finding.value):,.2f}"


def verdict(finding: Finding) -> str:
    """The verdict in few words: with the convention, the parameters or the distance where it has one."""
    claim = finding.claim
    if finding.fault:
        return f"FAILS ({finding.verdict})"
    detail = {
        CONVENTION: "explained" if claim.explained else finding.convention.name,
        VARIANT: ", ".join(f"{name}={shown_value(value)}" for name, value in claim.variant.items()),
        ERRATUM: "derived" if finding.derived else "not derived",
    }.get(finding.verdict, "")
    if finding.verdict == APPROXIMATE and not claim.figure.bound:
        detail = f"{float((finding.value / claim.figure.value - 1) * 100):+.1f} %"
    return f"{finding.verdict}: {detail}" if detail else finding.verdict


def evidence(finding: Finding) -> str:
    """How many digits are printed, and how many counts were tried until one fitted."""
    digits = finding.claim.figure.digits
    parts = [f"{digits} digit{'s' if digits > 1 else ''}"]
    if finding.tried > 1:
        parts.append(f"{finding.tried} ways tried")
    if finding.evidence is not None:
        tried = finding.evidence
        parts.append(f"{tried.fitting} of {tried.tried} counts fit, {chance(finding)} by chance")
    return ", ".join(parts)


def chance(finding: Finding) -> str:
    """How many of the counts that were tried would print as an open figure by chance."""
    return "" if finding.evidence is None else f"{finding.evidence.by_chance:.2g}"


def place(claim: Claim) -> str:
    """Where a claim is printed."""
    return ", ".join(part for part in (claim.cite.name if claim.cite else claim.tool, claim.where) if part)


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """How many printed figures have each verdict."""
    counts = dict.fromkeys(VERDICTS, 0)
    for finding in findings:
        if finding.claim.kind == PRINTED:
            counts[finding.verdict] += 1
    return counts


def summary(verifications: Sequence[Verification]) -> str:
    """One line: how many printed figures, and what became of them; how many others."""
    findings = [finding for verification in verifications for finding in verification.findings]
    counts = tally(findings)
    failing = sum(bool(finding.fault) for finding in findings)
    words = {ERRATUM: "errata" if counts[ERRATUM] != 1 else ERRATUM}
    listed = ", ".join(f"{counts[name]} {words.get(name, name)}" for name in VERDICTS if counts[name])
    others = {kind: sum(finding.claim.kind == kind for finding in findings) for kind in (MEASURED, COUNTED)}
    also = ", ".join(f"{count} {kind}" for kind, count in others.items() if count)
    total = sum(counts.values())
    head = f"{total} printed figure{'' if total == 1 else 's'}"
    parts = [f"{head}: {listed}" if listed else head, *([f"besides {also}"] if also else [])]
    return "; ".join([*parts, *([f"{failing} fail{'s' if failing == 1 else ''}"] if failing else [])])


def flat_table(verifications: Sequence[Verification]) -> Table:
    """For CSV: one row for each figure of every spec."""
    rows: list[tuple[Any, ...]] = []
    for verification in verifications:
        for finding in verification.findings:
            claim = finding.claim
            record = finding_data(finding)
            record |= {"name": verification.spec.name, "of": " + ".join(claim.of), "at": _listed(claim.at)}
            record |= {"input": shape(finding.input), "variant": _listed(claim.variant)}
            rows.append(tuple(_cell(record[column.key]) for column in _FLAT_COLUMNS))
    return Table("", _FLAT_COLUMNS, rows, None, ())


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={shown_value(value)}" for name, value in values.items())


def _cell(value: Any) -> Any:
    return round(float(value), 4) if isinstance(value, Fraction) else value


def finding_data(finding: Finding) -> dict[str, Any]:
    """One finding as data."""
    claim = finding.claim
    return {
        "class": claim.kind,
        "quantity": claim.quantity.name,
        "of": claim.of,
        "at": claim.at,
        "variant": claim.variant,
        "input": finding.input,
        "printed": claim.figure.text,
        "value": _exact(claim.figure.value),
        "ours": _exact(finding.value),
        "convention": finding.convention.name,
        "difference": round(float(finding.difference), 4),
        "verdict": finding.verdict,
        "fit": finding.fit,
        "digits": claim.figure.digits,
        "tried": finding.tried,
        "cite": "" if claim.cite is None else claim.cite.key,
        "where": claim.where,
        "url": "" if claim.cite is None else claim.cite.link,
        "read": claim.read,
        "tool": claim.tool,
        "note": claim.note,
        "explained": claim.explained,
        "erratum": claim.erratum,
        "arithmetic": None if claim.arithmetic is None else claim.arithmetic[0],
        "instead": None if claim.instead is None else claim.instead[0],
        "derived": finding.derived,
        "open": claim.open,
        "fault": finding.fault,
        "candidate": "" if finding.candidate is None else candidate_text(finding.candidate),
        "chance": chance(finding),
    }


def _exact(value: Fraction) -> int | float:
    return value.numerator if value.denominator == 1 else float(value)


def findings_data(verifications: Sequence[Verification]) -> dict[str, Any]:
    """The result of ``verify``."""
    findings = [finding for verification in verifications for finding in verification.findings]
    return {
        "schema": schema("verify"),
        "figures": sum(tally(findings).values()),
        "verdicts": tally(findings),
        "failing": sum(bool(finding.fault) for finding in findings),
        "specs": [
            {
                "name": verification.spec.name,
                "title": verification.spec.title,
                "findings": [finding_data(finding) for finding in verification.findings],
            }
            for verification in verifications
        ],
    }
