"""Budgets in words."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.render.results import schema
from convcost.tables.data import data_of
from convcost.tables.values import decimal, duration, si

if TYPE_CHECKING:
    from convcost.metrics.budget import Verdict, Verdicts


def exceeded(verdict: Verdict) -> str:
    """One line for a budget that is not met: ``macs is 300.8 M (300,774,272), not macs<=150M: 100.5 % above``."""
    budget, value = verdict.budget, verdict.value
    if value is None:
        return f"{budget.metric.key} does not apply here, so {budget.text} is not met"
    form = budget.metric.form
    if isinstance(value, tuple):
        return f"{budget.metric.key} is {'x'.join(map(decimal, value))}, not {budget.text}"
    if form == "duration":
        shown = duration(value)
    elif isinstance(value, int):
        unit = "B" if form == "bytes" else ""
        shown = str(value) if value < 1000 else f"{si(value)}{unit} ({value:,})"  # noqa: PLR2004 - no SI unit below
    else:
        shown = decimal(value)
    off = ""
    if budget.bound:
        share = Fraction(value) / budget.bound - 1
        off = f": {abs(float(share * 100)):.1f} % {'above' if share > 0 else 'below'}" if share else ""
    return f"{budget.metric.key} is {shown}, not {budget.text}{off}"


def verdicts_text(verdicts: Verdicts) -> str:
    """One line for each budget."""
    lines = [f"{verdict.budget.text}: met" if verdict.met else exceeded(verdict) for verdict in verdicts]
    return "\n".join(lines) or "no budgets"


def verdicts_data(verdicts: Verdicts) -> dict[str, Any]:
    """The result of ``check``."""
    return {
        "schema": schema("check"),
        "met": verdicts.met,
        "budgets": [
            {
                "text": verdict.budget.text,
                "metric": verdict.budget.metric.key,
                "value": data_of(verdict.value, verdict.budget.metric.form),
                "met": verdict.met,
            }
            for verdict in verdicts
        ],
    }
