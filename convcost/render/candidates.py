"""Candidates for what a printed number counts, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.network.headings import shown_value
from convcost.numbers.arithmetic import normal
from convcost.numbers.printed import spelled
from convcost.tables.values import shape

if TYPE_CHECKING:
    from convcost.literature.stories import Candidate


def how(candidate: Candidate) -> str:
    """The departures from the spec at its defaults, in words."""
    parts = [] if candidate.what == "macs" and candidate.plain else [candidate.convention.name]
    parts += [f"{name}={shown_value(value)}" for name, value in candidate.settings.items()]
    if candidate.resized:
        parts.append(shape(candidate.input))
    if candidate.without_linear:
        parts.append("without linear layers")
    if candidate.why:
        parts.append(candidate.why)
    if candidate.batch > 1:
        parts.append(f"batch {candidate.batch}")
    return ", ".join(parts) or "plain MACs"


def arithmetic(candidate: Candidate) -> str:
    """``2 x (4,089,184,256 MACs + 1,000 bias) = 8,178,370,512``."""
    text = ""
    terms = dict(candidate.terms)
    times = 1 + terms.pop("factor", 0) // terms.get("MACs", 1)  # a tool that counts a MAC as two
    for name, value in terms.items():
        sign = " - " if value < 0 else " + "
        each = f"{times} x " if name == "MACs" and times != 1 else ""
        text += f"{sign if text else ''}{each}{abs(value):,} {name}"
    outside = [number_text(factor) for factor in (candidate.batch, normal(candidate.factor)) if factor != 1]
    if outside and (len(terms) > 1 or times != 1):
        text = f"({text})"
    return f"{' x '.join([*outside, text])} = {number_text(normal(candidate.value))}"


def number_text(value: Any) -> str:
    """A count with every digit, a factor below 1 as a fraction, other values with candidate decimal."""
    return f"{value:,}" if isinstance(value, int) else str(value) if value < 1 else f"{float(value):,.1f}"


def candidate_text(candidate: Candidate) -> str:
    """A count of ``explain`` that prints as an unexplained figure: ``ptflops, two operations a MAC: 719,965,456``."""
    return f"{how(candidate)}: {spelled(candidate.value)}"
