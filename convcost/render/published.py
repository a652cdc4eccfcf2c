"""The page of published figures: the claims of papers, network by network, with their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.catalogue.loader import natural
from convcost.conventions.counts import QUANTITIES
from convcost.literature.verify import ERRATUM, UNEXPLAINED, VERDICTS
from convcost.numbers.printed import spelled
from convcost.render.candidates import candidate_text
from convcost.render.findings import (
    FIGURE_COLUMNS,
    figure_name,
    figure_rows,
    settings,
    summary,
    tally,
    verdict,
)
from convcost.tables.table import Column, Table
from convcost.tables.text import as_markdown, escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from convcost.language.model import Spec
    from convcost.literature.verify import Finding, Verification

_INTRODUCTION = """\
# Published figures

What papers printed about their networks, checked against the networks themselves. Each figure below is a claim in a
spec (`published:`); `convcost verify` builds the network at the parameters that the claim names, counts what the
claim says was counted, and compares. This page is its output: `convcost verify --format markdown -o docs/published.md`.

A figure is **reproduced** when it is within one unit of its last printed digit, because papers truncate as often as
they round, sometimes within one table. It is **reproduced under another convention** when that takes another way of
counting than this project's default (all trainable parameters; multiply-accumulates of convolutions and linear
layers), and the convention is named. It is an **erratum** when it does not follow from the architecture that the same
paper describes, with the arithmetic that shows it. What is left is **unexplained**, and marked as open with what is
known about it. Where another count of the same network, as `convcost explain` tries them, prints as an open figure, it
is named as a candidate: of many counts some print as a number of two or three digits by chance.

Most of the disagreements between papers, tools and textbooks are not errors but conventions. The ones to know:

* *FLOPs* in most papers since ResNet are multiply-accumulates: a multiplication and the addition after it are one.
  darknet, and one table of the MobileNet paper, count two.
* *Parameters* may be the weights alone, or with biases, or with the two parameters of a batch norm, or with those
  folded into one, or (Keras) with moving averages that are not trained at all.
* The classifier is left out of some figures for computation, and auxiliary classifiers out of nearly all.
* The stride of a bottleneck stands in its first 1x1 (the ResNet paper) or in its 3x3 (most code): 3.8 or 4.1 billion.
"""


def published_page(verifications: Sequence[Verification]) -> str:
    """The page, in Markdown: an introduction, the conventions, a summary, then a section for each spec.

    Args:
        verifications: networks and blocks with published figures; they are put in the order of their years.
    """
    ordered = sorted(
        verifications,
        key=lambda each: (each.spec.is_block, _first_year(each.spec, verifications)),
    )
    parts = [_INTRODUCTION, summary(ordered) + ".\n", _conventions(), _overview(ordered)]
    parts += [_exceptions("Errata", ERRATUM, ordered), _exceptions("Open", UNEXPLAINED, ordered)]
    family = ""
    for verification in ordered:
        name = "Blocks" if verification.spec.is_block else verification.spec.family or verification.spec.title
        if name != family:
            parts.append(f"## {escaped(name)}\n")
            family = name
        parts.append("\n".join(_section(verification)))
    return "\n".join(parts).rstrip() + "\n"


def _first_year(spec: Spec, verifications: Sequence[Verification]) -> tuple[int, str, int, list[tuple[int, str]]]:
    years = [verification.spec.year or 0 for verification in verifications if verification.spec.family == spec.family]
    return (min(years), spec.family, spec.year or 0, natural(spec.name))


def _conventions() -> str:
    columns = tuple(Column(title, title, "text", 9) for title in ("quantity", "counted as", "what is counted"))
    rows = [
        (quantity.name, count.name + (" (default)" if count is quantity.counts[0] else ""), count.doc)
        for quantity in QUANTITIES.values()
        if not quantity.share
        for count in quantity.counts
    ]
    return "## Conventions\n\n" + as_markdown([Table("", columns, rows, None, ())], exact=False)


def _overview(verifications: Sequence[Verification]) -> str:
    titles = ("spec", "figures", *VERDICTS)
    columns = tuple(Column(title, title, "times" if title != "spec" else "name", 9) for title in titles)
    rows = []
    for verification in verifications:
        counts = tally(verification.findings)
        rows.append((verification.spec.name, len(verification.findings), *(counts[name] or None for name in VERDICTS)))
    return "## Summary\n\n" + as_markdown([Table("", columns, rows, None, ())], exact=False)


def _exceptions(title: str, kind: str, verifications: Sequence[Verification]) -> str:
    """The findings of one kind at a glance; why is said in the sections."""
    titles = {"spec": "name", "figure": "text", "at": "text", "printed": "times", "ours": "times", "where": "text"}
    columns = tuple(Column(name, name, form, 9) for name, form in titles.items())
    rows = [
        (verification.spec.name, *row[:4], row[-1])
        for verification in verifications
        for finding, row in zip(verification.findings, figure_rows(verification.findings), strict=True)
        if finding.verdict == kind
    ]
    return f"## {title}\n\n" + as_markdown([Table("", columns, rows, None, ())], exact=False)


def _section(verification: Verification) -> Iterator[str]:
    spec = verification.spec
    yield f"### {escaped(spec.title)}\n"
    yield f"`{spec.name}`{_source(spec)}\n"
    for paragraph in spec.notes.strip().split("\n"):
        if paragraph.strip():
            yield f"{escaped(paragraph.strip())}\n"
    yield as_markdown([Table("", FIGURE_COLUMNS, figure_rows(verification.findings), None, ())], exact=False)
    remarks = [line for finding in verification.findings if (line := _remark(finding))]
    if remarks:
        yield "\n".join(remarks) + "\n"


def _source(spec: Spec) -> str:
    named = {key: value for key, value in spec.source.items() if key not in ("paper", "arxiv", "url", "doi")}
    parts = [spec.source.get("paper", ""), f"arXiv {spec.source['arxiv']}" if "arxiv" in spec.source else ""]
    parts += [f"{key} {value}" for key, value in named.items()]
    listed = ", ".join(part for part in parts if part)
    return f": {escaped(listed)}" if listed else ""


def _remark(finding: Finding) -> str:
    claim = finding.claim
    text = claim.erratum or claim.open or claim.note
    if not text and claim.arithmetic is None:
        return ""
    remark = f"{text.rstrip('.')}." if text else ""
    if claim.arithmetic is not None:
        remark = f"{remark} {_sum(*claim.arithmetic)}.".lstrip()
    if finding.candidate is not None:
        remark = f"{remark} A candidate is {candidate_text(finding.candidate)}.".lstrip()
    kind = "" if claim.note == text else f" ({verdict(finding)})"
    at = f" at {settings(claim)}" if settings(claim) else ""
    return f"* {escaped(figure_name(claim) + at)}, **{escaped(claim.figure.text)}**{kind}: {escaped(remark)}"


def _sum(expression: str, value: int | Fraction) -> str:
    """An expression as people write it, and what it comes to; a number alone is just that."""
    written = expression.replace("**", "^").replace("*", " x ")
    return spelled(value) if expression.isdigit() else f"{' '.join(written.split())} = {spelled(value)}"
