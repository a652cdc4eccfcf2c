"""Explanations of a number as a table and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.algebra import normal
from convcost.render.results import schema
from convcost.render.values import plain
from convcost.table import Column, Table

if TYPE_CHECKING:
    from convcost.conventions.explain import Candidate, Explanation

_COLUMNS = (
    Column("value", "number", "times", 9),
    Column("fit", "", "text", 8),
    Column("how", "how", "text", 9),
    Column("arithmetic", "arithmetic", "text", 7),
)


def _how(one: Candidate, found: Explanation) -> str:
    """The departures from the spec at its defaults, in words."""
    parts = [] if found.what == "macs" and one.plain else [one.convention.name]
    parts += [f"{name}={_shown(value)}" for name, value in one.settings.items()]
    if one.resized:
        parts.append("x".join(map(str, one.input)))
    if one.without_linear:
        parts.append("without linear layers")
    if one.why:
        parts.append(one.why)
    if one.batch > 1:
        parts.append(f"batch {one.batch}")
    return ", ".join(parts) or "plain MACs"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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


def explanation_table(found: Explanation) -> Table:
    """The candidates, best first."""
    rows = [
        (
            _number(normal(one.value)),
            f"{one.fit} {found.quantity.text}" + ("" if one.reproduces else f" ({float(one.off * 100):+.2f} %)"),
            _how(one, found),
            arithmetic(one),
        )
        for one in found.candidates
    ]
    plain_count = "plain MACs" if found.what == "macs" else "trainable parameters"
    title = f"{plain(found.spec.title)}, {found.quantity.text} {'operations' if found.what == 'macs' else 'parameters'}"
    notes = [f"at its defaults the network has {found.default:,} {plain_count}"]
    if not found.found:
        notes.insert(0, _nothing(found))
    notes += [f"try: {command_of(one, found)}" for one in found.candidates[:1] if one.reproduces]
    return Table(title, _COLUMNS, rows, None, tuple(notes))


def _nothing(found: Explanation) -> str:
    tried = "conventions, variants, input sizes, factors of two, batches, with and without linear layers"
    if found.what == "params":
        tried = "what is counted as a parameter, variants, bytes, with and without linear layers"
    near = "; above is what comes within 1 %" if found.candidates else ", and nothing comes within 1 %"
    return f"nothing that was tried prints as {found.quantity.text}{near} (tried: {tried})"


def command_of(one: Candidate, found: Explanation) -> str:
    """The command that shows the count."""
    parts = ["convcost analyze", plain(found.spec.name)]
    parts += [f"--set {name}={_shown(value)}" for name, value in one.settings.items()]
    if one.resized:
        parts.append(f"--input {'x'.join(map(str, one.input))}")
    if found.what == "macs" and one.convention.name not in ("macs", "convcost"):
        parts.append(f"--convention {one.convention.name}")
    if one.batch > 1:
        parts.append(f"--batch {one.batch}")
    return " ".join([*parts, *(["--by kind"] if one.without_linear else [])])


def explanation_data(found: Explanation) -> dict[str, Any]:
    """The result of ``explain``."""
    return {
        "schema": schema("explain"),
        "name": found.spec.name,
        "title": found.spec.title,
        "reported": {"text": found.quantity.text, "value": found.quantity.value, "last_digit": found.quantity.unit},
        "what": found.what,
        "found": found.found,
        "default": found.default,
        "candidates": [
            {
                "value": one.value,
                "fit": one.fit,
                "off": float(one.off),
                "effort": one.effort,
                "convention": one.convention.name,
                "settings": dict(one.settings),
                "input": one.input,
                "without_linear_layers": one.without_linear,
                "factor": one.factor,
                "why": one.why,
                "batch": one.batch,
                "how": _how(one, found),
                "arithmetic": arithmetic(one),
                "command": command_of(one, found),
            }
            for one in found.candidates
        ],
    }
