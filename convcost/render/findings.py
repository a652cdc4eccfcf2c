"""Results of ``verify``: as tables, as data, and as the page ``docs/published.md``."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.literature.verify import CONVENTION, ERRATUM, UNEXPLAINED, VERDICTS
from convcost.render.candidates import candidate_text
from convcost.render.headings import shown_value
from convcost.render.results import schema
from convcost.tables.table import Column, Table
from convcost.tables.values import shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.literature.claims import Claim
    from convcost.literature.verify import Finding, Verification

FIGURE_COLUMNS = (
    Column("figure", "figure", "text", 9),
    Column("at", "at", "text", 6),
    Column("printed", "printed", "times", 9),
    Column("ours", "ours", "times", 9),
    Column("difference", "units off", "times", 7),
    Column("verdict", "verdict", "text", 9),
    Column("where", "where", "text", 5),
)
_FLAT_COLUMNS = tuple(
    Column(key, key, "text", 9)
    for key in (
        "name",
        "quantity",
        "of",
        "at",
        "input",
        "printed",
        "ours",
        "convention",
        "difference",
        "verdict",
        "open",
        "fault",
        "where",
    )
)


def figure_rows(findings: Iterable[Finding]) -> list[tuple[str, ...]]:
    """One row for each finding, in the columns of :data:`FIGURE_COLUMNS`."""
    return [
        (
            figure_name(finding.claim),
            settings(finding.claim),
            finding.claim.figure.text,
            written(finding),
            off(finding),
            verdict(finding),
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


def off(finding: Finding) -> str:
    """The difference in units of the last printed digit; 0 where there is none."""
    return f"{float(finding.difference):+,.2f}" if finding.difference else "0"


def verdict(finding: Finding) -> str:
    """The verdict in few words, with the convention where it is not the default one."""
    if finding.fault:
        return f"FAILS ({finding.verdict})"
    if finding.verdict == CONVENTION:
        return f"reproduced as {finding.convention.name}"
    return f"{finding.verdict}, open" if finding.verdict == UNEXPLAINED else finding.verdict


def place(claim: Claim) -> str:
    """Where a claim stands."""
    return ", ".join(part for part in (claim.source, claim.where) if part)


def tally(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings have each verdict."""
    counts = dict.fromkeys(VERDICTS, 0)
    for finding in findings:
        counts[finding.verdict] += 1
    return counts


def summary(verifications: Sequence[Verification]) -> str:
    """One line: how many figures, and what became of them."""
    findings = [finding for verification in verifications for finding in verification.findings]
    counts = tally(findings)
    failing = sum(bool(finding.fault) for finding in findings)
    errata = f"{counts[ERRATUM]} {'erratum' if counts[ERRATUM] == 1 else 'errata'}"
    parts = [f"{counts[name]} {name}" for name in VERDICTS if name not in (ERRATUM, UNEXPLAINED)]
    listed = ", ".join([*parts, errata, f"{counts[UNEXPLAINED]} unexplained"])
    return f"{len(findings)} figures: {listed}; {failing} fail" if failing else f"{len(findings)} figures: {listed}"


def flat_table(verifications: Sequence[Verification]) -> Table:
    """For CSV: one row for each figure of every spec."""
    rows: list[tuple[Any, ...]] = []
    for verification in verifications:
        for finding in verification.findings:
            record = finding_data(finding)
            record |= {
                "name": verification.spec.name,
                "of": " + ".join(finding.claim.of),
                "at": settings(finding.claim),
            }
            rows.append(tuple(_cell(record[column.key]) for column in _FLAT_COLUMNS))
    return Table("", _FLAT_COLUMNS, rows, None, ())


def _cell(value: Any) -> Any:
    return round(float(value), 4) if isinstance(value, Fraction) else value


def finding_data(finding: Finding) -> dict[str, Any]:
    """One finding as data."""
    claim = finding.claim
    return {
        "quantity": claim.quantity.name,
        "of": claim.of,
        "at": claim.at,
        "input": finding.input,
        "printed": claim.figure.text,
        "ours": finding.value.numerator if finding.value.denominator == 1 else float(finding.value),
        "convention": finding.convention.name,
        "difference": round(float(finding.difference), 4),
        "verdict": finding.verdict,
        "where": place(claim),
        "note": claim.note,
        "erratum": claim.erratum,
        "arithmetic": None if claim.arithmetic is None else claim.arithmetic[0],
        "open": claim.open,
        "fault": finding.fault,
        "candidate": "" if finding.candidate is None else candidate_text(finding.candidate),
    }


def findings_data(verifications: Sequence[Verification]) -> dict[str, Any]:
    """The result of ``verify``."""
    findings = [finding for verification in verifications for finding in verification.findings]
    return {
        "schema": schema("verify"),
        "figures": len(findings),
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
