"""The pages of published figures: a summary, and a page for each family of networks."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from convcost.catalogue.loader import natural
from convcost.conventions.counts import QUANTITIES
from convcost.literature.claims import MEASURED, PRINTED, READ
from convcost.literature.references import references
from convcost.literature.verify import APPROXIMATE, CONVENTION, ERRATUM, OPEN, REPRODUCED, VARIANT, VERDICTS
from convcost.numbers.printed import EXACT, ROUNDS, TRUNCATES, spelled
from convcost.render.candidates import candidate_text
from convcost.render.findings import (
    evidence,
    figure_name,
    figure_rows,
    finding_data,
    place,
    settings,
    summary,
    tally,
    verdict,
    written,
)
from convcost.render.results import schema
from convcost.tables.data import as_json, json_value
from convcost.tables.table import Column, Table
from convcost.tables.text import as_markdown, escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from fractions import Fraction

    from convcost.language.model import Spec
    from convcost.literature.claims import Claim
    from convcost.literature.verify import Finding, Verification

FOLDER = "published"
_BLOCKS = "Blocks"
_IN_WORDS = {
    EXACT: "exactly",
    ROUNDS: "rounded",
    TRUNCATES: "cut off after the printed digits",
    CONVENTION: "by another way of counting than the default",
    VARIANT: "with parameters that the source does not state there",
    APPROXIMATE: 'within what "about" or "less than" allows',
}


def published_page(verifications: Sequence[Verification]) -> str:
    """One page in Markdown: the summary line, then the networks, family by family."""
    parts = [f"# Published figures\n\n{summary(verifications)}.\n"]
    parts += [family_page(name, members, level=2) for name, members in families(verifications).items()]
    return "\n".join(parts).rstrip() + "\n"


def summary_parts(verifications: Sequence[Verification]) -> dict[str, str]:
    """What the page about all families holds, in Markdown, by name: totals, contents, disagreements and so on."""
    grouped = families(verifications)
    ordered = [each for members in grouped.values() for each in members]
    findings = [(each.spec, finding) for each in ordered for finding in each.findings]
    contents = [
        f"* [{escaped(name)}]({FOLDER}/{slug(name)}.md): {summary(members)}" for name, members in grouped.items()
    ]
    return {
        "totals": f"{summary(ordered)}.",
        "summary": _in_words(findings),
        "contents": "\n".join(contents),
        "resnet50": _operations(finding for spec, finding in findings if spec.name == "resnet50"),
        "read": _read(finding.claim for _, finding in findings),
        "disagreements": _disagreements(findings),
        "conventions": _conventions(),
        "sources": _sources(finding for _, finding in findings),
        "networks": _overview(ordered),
    }


def bibliography(verifications: Iterable[Verification]) -> str:
    """The cited sources as BibTeX, in the order of their keys."""
    cited = {finding.claim.cite.key for each in verifications for finding in each.findings if finding.claim.cite}
    return "\n".join(source.bibtex for key, source in sorted(references().items()) if key in cited)


def figures_json(verifications: Sequence[Verification]) -> str:
    """Every figure with its verdict as JSON, a figure a line.

    The keys are those of ``convcost verify --format json``. Keys without a value are left out, and the sources are
    listed once, by their citation keys.
    """
    sources = {
        finding.claim.cite.key: {"name": finding.claim.cite.name, "url": finding.claim.cite.link}
        for each in verifications
        for finding in each.findings
        if finding.claim.cite is not None
    }
    lines = [
        _line({"name": each.spec.name, **finding_data(finding)}) for each in verifications for finding in each.findings
    ]
    head = {"schema": schema("published"), "count": len(lines), "sources": dict(sorted(sources.items()))}
    return as_json(head).removesuffix("\n}\n") + ',\n  "figures": [\n' + ",\n".join(lines) + "\n  ]\n}\n"


def _line(record: dict[str, Any]) -> str:
    kept = {key: value for key, value in record.items() if key != "url" and not _is_empty(value)}
    return "    " + json.dumps(json_value(kept), ensure_ascii=False)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", (), [], {})


def families(verifications: Sequence[Verification]) -> dict[str, list[Verification]]:
    """Networks by family, in the order of their years; blocks last."""
    grouped: dict[str, list[Verification]] = {}
    for each in sorted(verifications, key=lambda each: (each.spec.is_block, _first_year(each.spec, verifications))):
        grouped.setdefault(_BLOCKS if each.spec.is_block else each.spec.family or each.spec.title, []).append(each)
    return grouped


def slug(title: str) -> str:
    """The name of a page, and the anchor of a heading.

    >>> slug("GoogLeNet (Inception V1)")
    'googlenet-inception-v1'
    """
    return "-".join(re.sub(r"[^\w\s-]", "", title).lower().split())


def family_page(name: str, members: Sequence[Verification], *, level: int = 1) -> str:
    """The page of a family in Markdown: contents, disagreements, then each network, table by table.

    Args:
        name: of the family.
        members: its networks.
        level: of its heading.
    """
    head = "#" * level
    parts = [f"{head} {escaped(name)}: published figures\n" if level == 1 else f"{head} {escaped(name)}\n"]
    if level == 1:
        parts.append(
            f"{summary(members)}. [All families](../published.md), [what verdicts mean](../published.md#method).\n"
        )
        parts.append("\n".join(f"* [{escaped(each.spec.title)}](#{slug(each.spec.title)})" for each in members) + "\n")
        listed = [(each.spec, finding) for each in members for finding in each.findings]
        if any(finding.verdict in (ERRATUM, OPEN) for _, finding in listed):
            parts.append(f"{head}# Disagreements\n\n{_disagreements(listed)}")
    parts += ["\n".join(_section(each, f"{head}#")) for each in members]
    return "\n".join(parts).rstrip() + "\n"


def _first_year(spec: Spec, verifications: Sequence[Verification]) -> tuple[int, str, int, list[tuple[int, str]]]:
    years = [each.spec.year or 0 for each in verifications if each.spec.family == spec.family]
    return (min(years), spec.family, spec.year or 0, natural(spec.name))


def _table(columns: dict[str, str], rows: Iterable[tuple[object, ...]]) -> str:
    heads = tuple(Column(name, name, form, 9) for name, form in columns.items())
    return as_markdown([Table("", heads, list(rows), None, ())], exact=False)


def _operations(findings: Iterable[Finding]) -> str:
    """Every figure for the operations of a whole network at its own size, by value."""
    chosen = [each for each in findings if each.claim.quantity.name in ("macs", "flops") and not each.claim.of]
    columns = {"number": "times", "by": "text", "at": "text", "our count": "times", "what is counted": "text"}
    rows = [
        (each.claim.figure.text, place(each.claim), settings(each.claim), written(each), each.convention.doc)
        for each in sorted(chosen, key=lambda each: (each.claim.figure.value, each.claim.kind, place(each.claim)))
    ]
    return _table(columns, rows)


def _read(claims: Iterable[Claim]) -> str:
    counts = dict.fromkeys(READ, 0)
    for claim in claims:
        if claim.kind == PRINTED:
            counts[claim.read] += 1
    words = {"pdf": "in the PDF", "repository": "in a repository", "transcription": "in a transcription"}
    listed = ", ".join(f"{count} {words.get(name, 'from memory')}" for name, count in counts.items() if count)
    return f"How the printed figures were read: {listed}."


def _in_words(findings: Iterable[tuple[Spec, Finding]]) -> str:
    """The result of all checks in sentences that can be quoted."""
    printed = [(spec, finding) for spec, finding in findings if finding.claim.kind == PRINTED]
    sources = {finding.claim.cite for _, finding in printed if finding.claim.cite is not None}
    papers = sum(bool(source.arxiv or source.doi or source.venue) for source in sources)
    counts = tally(finding for _, finding in printed)
    total = len(printed)
    following = sum(counts[name] for name in REPRODUCED)
    derived = sum(finding.derived for _, finding in printed)
    parts = ", ".join(f"{counts[name]} {words}" for name, words in _IN_WORDS.items())
    networks = len({spec.name for spec, _ in printed})
    sentences = (
        f"{total:,} figures were checked, which {papers} papers and {len(sources) - papers} repositories and pages "
        f"print about {networks} networks and blocks.",
        f"{following:,} of them ({following / total:.1%}) follow from the network that the source describes: {parts}.",
        f"{counts[ERRATUM]} ({counts[ERRATUM] / total:.1%}) do not follow from it; for {derived} of these, arithmetic "
        "makes the printed number.",
        f"{counts[OPEN]} ({counts[OPEN] / total:.1%}) have no explanation.",
    )
    return " ".join(sentences)


def _disagreements(findings: Iterable[tuple[Spec, Finding]]) -> str:
    columns = {"spec": "name", "figure": "text", "at": "text", "printed": "times", "ours": "times"}
    columns |= {"verdict": "text", "where": "text"}
    places: dict[tuple[str, ...], list[str]] = {}  # one row for a number that several tables print
    listed = list(findings)
    for kind in (ERRATUM, OPEN):
        for spec, finding in listed:
            if finding.verdict == kind:
                (row,) = figure_rows([finding])
                places.setdefault((spec.name, *row[:5]), []).append(row[-1])
    return _table(columns, [(*row, "; ".join(dict.fromkeys(each))) for row, each in places.items()])


def _conventions() -> str:
    rows = [
        (quantity.name, count.name + (" (default)" if count is quantity.counts[0] else ""), count.doc)
        for quantity in QUANTITIES.values()
        if not quantity.share
        for count in quantity.counts
    ]
    return _table({"quantity": "text", "counted as": "text", "what is counted": "text"}, rows)


def _sources(findings: Iterable[Finding]) -> str:
    """What became of the figures of every source."""
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.claim.cite is not None and finding.claim.kind == PRINTED:
            grouped.setdefault(finding.claim.cite.key, []).append(finding)
    columns = {"source": "text", "key": "name", "printed": "times", **dict.fromkeys(VERDICTS, "times")}
    rows = [
        (references()[key].name, key, len(members), *(count or None for count in tally(members).values()))
        for key, members in sorted(grouped.items())
    ]
    return _table(columns, rows)


def _overview(verifications: Iterable[Verification]) -> str:
    columns = {"spec": "name", "printed": "times", **dict.fromkeys(VERDICTS, "times")}
    rows = []
    for each in verifications:
        counts = tally(each.findings)
        rows.append((each.spec.name, sum(counts.values()), *(counts[name] or None for name in VERDICTS)))
    return _table(columns, rows)


def _section(verification: Verification, head: str) -> Iterator[str]:
    spec = verification.spec
    yield f"{head} {escaped(spec.title)}\n"
    yield f"`convcost verify {spec.name}`\n"
    for paragraph in spec.notes.strip().split("\n"):
        if paragraph.strip():
            yield f"{escaped(paragraph.strip())}\n"
    tables: dict[tuple[str, ...], list[Finding]] = {}
    for finding in verification.findings:
        claim = finding.claim
        source = claim.cite.key if claim.cite else ""
        tables.setdefault((claim.kind, source, claim.where, claim.tool, claim.read), []).append(finding)
    for findings in tables.values():
        yield f"{_source(findings[0].claim)}\n"
        columns = {"figure": "text", "at": "text", "printed": "times", "ours": "times", "verdict": "text"}
        yield _table({**columns, "evidence": "text"}, [row[:6] for row in figure_rows(findings)])
        remarks = "\n".join(_remarks(findings))
        if remarks:
            yield remarks + "\n"


def _source(claim: Claim) -> str:
    """Who prints a table, with a link, where it is and how it was read."""
    if claim.cite is None:
        kind = "Measured with" if claim.kind == MEASURED else "Counted:"
        return f"**{kind} {escaped(', '.join(part for part in (claim.tool, claim.where) if part))}**"
    name = f"[{escaped(claim.cite.name)}]({claim.cite.link})"
    read = {"memory": "from memory", "pdf": "read in the PDF"}.get(claim.read, f"read in a {claim.read}")
    return f"**{name}, {escaped(claim.where)}** ({read})"


def _remarks(findings: Iterable[Finding]) -> Iterator[str]:
    """What is said of the figures of a table; what is said of several is said once."""
    grouped: dict[tuple[str, str, str], list[Claim]] = {}
    for finding in findings:
        claim = finding.claim
        text = _remark(finding)
        if text:
            kind = (
                "" if claim.note == (claim.erratum or claim.open or claim.explained or claim.note) else verdict(finding)
            )
            grouped.setdefault((figure_name(claim), kind, text), []).append(claim)
    for (name, kind, text), claims in grouped.items():
        each = ", ".join(
            f"**{escaped(claim.figure.text)}**" + (f" at {escaped(settings(claim))}" if settings(claim) else "")
            for claim in claims
        )
        yield f"* {escaped(name)}, {each}{f' ({escaped(kind)})' if kind else ''}: {escaped(text)}"


def _remark(finding: Finding) -> str:
    """What is said of a figure, in sentences; our count is in the table, and is not repeated."""
    claim = finding.claim
    text = claim.erratum or claim.open or claim.explained or claim.note
    sums = [
        _sum(*each) for each in (claim.arithmetic, claim.instead) if each is not None and not each[0].strip().isdigit()
    ]
    sentences = [f"{text.rstrip('.')}."] if text else []
    if claim.note and claim.note != text:
        sentences.append(f"{claim.note.rstrip('.')}.")
    sentences += [f"{each}." for each in sums]
    if finding.candidate is not None:
        sentences.append(f"A candidate is {candidate_text(finding.candidate)} ({evidence(finding)}).")
    return " ".join(sentences)


def _sum(expression: str, value: int | Fraction) -> str:
    """An expression as people write it, and what it comes to."""
    written_out = expression.replace("**", "^").replace("*", " x ")
    written_out = re.sub(r"\b\d{5,}\b", lambda match: f"{int(match[0]):,}", written_out)
    return f"{' '.join(written_out.split())} = {spelled(value)}"
