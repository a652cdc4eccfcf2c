"""Results of ``equal``, as text and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.formulas.simplify import tidy
from convcost.metrics.quantities import title
from convcost.network.headings import shown_value
from convcost.numbers.printing import text
from convcost.render.orders import for_all
from convcost.render.results import schema
from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.formulas.equal import Identities, Identity

_LONG = 200  # a difference beyond that is left to --format json


def equality_text(pairs: Sequence[Identities]) -> str:
    """One line per pair and quantity, then what the proofs are about."""
    lines: list[str] = []
    for pair in pairs:
        first, second = plain(pair.first.name), plain(pair.second.name)
        lines += [_line(identity, first, second) for identity in pair.quantities]
        about = for_all(pair.domain) if pair.domain else "no name is free"
        ties = {name: tie.text for side in (pair.first, pair.second) for name, tie in side.ties.items()}
        about += "".join(f", {name} = {tie}" for name, tie in ties.items())
        needs = f", where {', '.join(condition.text for condition in pair.conditions)}" if pair.conditions else ""
        needs += "".join(f", {name} = {shown_value(value)} in {side}" for side, name, value in pair.fixed)
        structures = f", in all {pair.structures} pairs of structures" if pair.structures > 1 else ""
        lines += [f"  ({plain(about + needs + structures)})"]
    return "\n".join(lines) + "\n"


def _line(identity: Identity, first: str, second: str) -> str:
    if identity.equal:
        return f"{title(identity.quantity)}: {first} == {second}, proved"
    if identity.counterexample is None:
        return f"{title(identity.quantity)}: {first} and {second}: neither proved equal nor found to differ"
    values = ", ".join(f"{name} = {value}" for name, value in identity.counterexample.values.items())
    numbers = f"{identity.counterexample.first:,} against {identity.counterexample.second:,}"
    difference = text(tidy(identity.difference))
    shown = f"; the difference is {difference}" if len(difference) <= _LONG else ""
    return f"{title(identity.quantity)}: {first} != {second}, as at {values or 'the values given'}: {numbers}{shown}"


def equality_data(pairs: Sequence[Identities]) -> dict[str, Any]:
    """The result of ``equal``."""
    return {
        "schema": schema("equal"),
        "equal": all(identity.equal for pair in pairs for identity in pair.quantities),
        "pairs": [
            {
                "first": pair.first.name,
                "second": pair.second.name,
                "free": list(pair.names),
                "conditions": [each.text for each in pair.conditions],
                "structures": pair.structures,
                "for_all": [{"name": each.name, "whole": each.whole, "least": each.least} for each in pair.domain],
                "fixed": [{"target": side, "name": name, "value": value} for side, name, value in pair.fixed],
                "quantities": {identity.quantity: _data(identity) for identity in pair.quantities},
            }
            for pair in pairs
        ],
    }


def _data(identity: Identity) -> dict[str, Any]:
    against = identity.counterexample
    return {
        "equal": identity.equal,
        "difference": text(tidy(identity.difference)),
        "counterexample": None
        if against is None
        else {"values": against.values, "first": against.first, "second": against.second},
    }
