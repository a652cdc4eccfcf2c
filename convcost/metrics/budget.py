"""Budgets: a bound on a metric of a whole network, such as ``macs<=150M`` or ``time<=3ms``.

A budget is given to ``convcost check --budget`` or written under ``budget`` in a spec.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import Problem, SpecError, UsageError
from convcost.language.yaml import Scalar, Sequence
from convcost.metrics.registry import METRICS, metric
from convcost.numbers.arithmetic import RELATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.language.model import Spec
    from convcost.language.yaml import Node
    from convcost.metrics.registry import Metric
    from convcost.metrics.report import Analysis

_BUDGET = re.compile(r"\s*([A-Za-z_]+)\s*(<=|>=|==|<|>)\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([A-Za-z%]*)\s*")
_POWERS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_UNITS: dict[str, dict[str, Fraction]] = {
    "count": {unit: Fraction(size) for unit, size in _POWERS.items()},
    "bytes": {prefix + letter: Fraction(size) for prefix, size in (_POWERS | _BINARY).items() for letter in ("", "B")},
    "duration": {"s": Fraction(1), "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6), "ns": Fraction(1, 10**9)},
    "share": {"": Fraction(1), "%": Fraction(1, 100)},
    "decimal": {"": Fraction(1)},
}
MAX_BUDGETS = 100


class Budget(NamedTuple):
    """A bound on a metric.

    Attributes:
        text: as written.
        metric: what is bounded.
        relation: ``<=``, ``<``, ``>=``, ``>`` or ``==``.
        bound: the exact number, in elements, operations, bytes or seconds.
    """

    text: str
    metric: Metric
    relation: str
    bound: Fraction


class Verdict(NamedTuple):
    """What became of a budget.

    Attributes:
        budget: the budget.
        value: of its metric.
        met: whether the bound holds.
    """

    budget: Budget
    value: Any
    met: bool


def budget_names() -> list[str]:
    """Names of the metrics that a budget can bound."""
    return [key for key, record in METRICS.items() if record.form in _UNITS and not key.endswith(("_share", "excess"))]


def budget(text: str, option: str = "--budget") -> Budget:
    """The budget that ``text`` means.

    Args:
        text: ``METRIC<=VALUE``, with a unit where the metric takes one: ``150M``, ``512k``, ``256KiB``, ``3ms``.
        option: where it was given, for errors.

    Raises:
        UsageError: it is not a budget, or names no metric with a number.

    >>> budget("peak<=256KiB").bound, budget("time<=3ms").bound
    (Fraction(262144, 1), Fraction(3, 1000))
    """
    match = _BUDGET.fullmatch(text)
    if match is None:
        raise UsageError(f"{option} takes METRIC<=VALUE, as macs<=150M or time<=3ms; found '{text[:60]}'")
    record = metric(match[1])
    if record.key not in budget_names():
        raise UsageError(f"{option}: {record.key} is not a number to bound; known are {', '.join(budget_names())}")
    units = _UNITS[record.form]
    if match[4] not in units:
        known = ", ".join(unit for unit in units if unit)
        asked = f"found '{match[4][:20]}'" if match[4] else "found none"
        raise UsageError(f"{option} {text.strip()[:60]}: {record.key} takes one of the units {known}; {asked}")
    return Budget(text.strip(), record, match[2], Fraction(match[3]) * units[match[4]])


def spec_budgets(spec: Spec) -> tuple[Budget, ...]:
    """The budgets that a spec states under ``budget``.

    Raises:
        SpecError: one of them is wrong.
    """
    if spec.budget is None:
        return ()
    items: list[Node] = list(spec.budget.items) if isinstance(spec.budget, Sequence) else [spec.budget]
    problems, budgets = [], []
    if len(items) > MAX_BUDGETS:
        raise SpecError([Problem(spec.budget.position, f"a spec may have {MAX_BUDGETS} budgets")])
    for item in items:
        try:
            budgets.append(budget(item.text if isinstance(item, Scalar) else "", "`budget`"))
        except UsageError as error:
            problems.append(Problem(item.position, str(error)))
    if problems:
        raise SpecError(problems)
    return tuple(budgets)


def check(analysis: Analysis, budgets: Iterable[Budget]) -> list[Verdict]:
    """Whether a network meets its budgets.

    Raises:
        UsageError: a time is bounded and the analysis has no device.
        UnsupportedError: a metric cannot be evaluated for this network.
    """
    verdicts = []
    for bounded in budgets:
        value = analysis.value(bounded.metric.key)
        verdicts.append(Verdict(bounded, value, bool(RELATIONS[bounded.relation](value, bounded.bound))))
    return verdicts
