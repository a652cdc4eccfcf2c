"""Closed forms typeset for pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.formulas.views import readable
from convcost.metrics.quantities import title
from convcost.numbers.printing import text as formula_text
from convcost.tables.mathml import equation, titled
from convcost.tables.page import text

if TYPE_CHECKING:
    from convcost.formulas.closed import Formula

TYPESET = ("params", "macs", "flops")
_SHOWN = 12  # short names; more of them are folded away
_LONGEST = 3_000  # characters of a formula that is typeset


def typeset_totals(case: Formula) -> str:
    """The totals of a network as formulas, with the conditions they hold under and the meaning of short names."""
    shown = readable(case, TYPESET)
    lines = []
    for key in TYPESET:
        written = formula_text(shown.shown(key))
        if len(written) <= _LONGEST:
            lines.append(f'<p class="formula">{titled(title(key), written)}</p>')
        else:
            lines.append(f"<p>{text(title(key))}: a form of {len(written):,} characters, too long to read.</p>")
    lets = [f"<li>{equation(let.symbol.name, formula_text(let.value))}</li>" for let in shown.lets]
    if case.assumptions:
        lines.append(f'<p class="small">Where {text(in_words("; ".join(case.assumptions)))}.</p>')
    if lets:
        opened = " open" if len(lets) <= _SHOWN else ""
        meaning = f'<ul class="formula lets">{"".join(lets)}</ul>'
        lines.append(f"<details{opened}><summary>Meaning of the {len(lets)} short names</summary>{meaning}</details>")
    return "".join(lines)


def in_words(conditions: str) -> str:
    """Relations with the signs of print."""
    for relation, mark in (("==", "="), ("!=", "≠"), ("<=", "≤"), (">=", "≥")):
        conditions = conditions.replace(relation, mark)
    return conditions
