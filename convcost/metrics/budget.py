"""Budgets: a bound on a metric of a whole network, such as ``macs<=150M`` or ``time<=3ms``.

A budget is given to ``convcost check --budget`` or written under ``budget`` in a spec. ``convcost solve`` reads its
budgets with the same names and units (:func:`split_budget`, :func:`amount`); its bounds may be expressions.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import Problem, SpecError, UsageError
from convcost.language.tree import Scalar, Sequence
from convcost.metrics.registry import METRICS, metric
from convcost.numbers.arithmetic import RELATIONS
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.language.model import Spec
    from convcost.language.tree import Node
    from convcost.metrics.registry import Metric
    from convcost.metrics.report import Analysis

_BUDGET = re.compile(r"\s*([A-Za-z_]+)\s*(<=|>=|==|<(?!=)|>(?!=)|~)\s*(.*?)\s*", re.DOTALL)
_AMOUNT = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([A-Za-z%]*)")
_POWERS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_UNITS: dict[str, dict[str, Fraction]] = {
    "count": {unit: Fraction(size) for unit, size in _POWERS.items()},
    "bytes": {prefix + letter: Fraction(size) for prefix, size in (_POWERS | _BINARY).items() for letter in ("", "B")},
    "duration": {"s": Fraction(1), "ms": Fraction(1, 10**3), "us": Fraction(1, 10**6), "ns": Fraction(1, 10**9)},
    "share": {"": Fraction(1), "%": Fraction(1, 100)},
    "decimal": {"": Fraction(1)},
    "sizes": {"": Fraction(1)},
}
# numbers of single layers
_NOT_OF_A_NETWORK = (
    "kernel",
    "stride",
    "start",
    "excess",
    "access_cost",
    "access_cost_bound",
)  # numbers of single layers
NEAR = "~"
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


class Verdicts(Records[Verdict]):
    """What became of several budgets."""

    @property
    def met(self) -> bool:
        """Whether all of them are met."""
        return all(verdict.met for verdict in self)


def budget_names() -> list[str]:
    """Names of the metrics that a budget can bound."""
    return [
        key
        for key, record in METRICS.items()
        if record.form in _UNITS and not key.endswith("_share") and key not in _NOT_OF_A_NETWORK
    ]


def split_budget(text: str, option: str = "--budget", *, near: bool = False) -> tuple[Metric, str, str]:
    """The metric, the relation and the bound of a budget, the bound as it is typed.

    Args:
        text: ``METRIC<=BOUND``, also ``<``, ``>=``, ``>`` or ``==``.
        option: where it was given, for errors.
        near: whether ``~`` is a relation too.

    Raises:
        UsageError: it is not a budget, or names no metric with a number.
    """
    match = _BUDGET.fullmatch(text)
    if match is None or not match[3] or (match[2] == NEAR and not near):
        raise UsageError(f"{option} takes METRIC<=VALUE, as macs<=150M or time<=3ms; found '{text[:60]}'")
    record = metric(match[1])
    if record.key not in budget_names():
        raise UsageError(f"{option}: {record.key} is not a number to bound; known are {', '.join(budget_names())}")
    return record, match[2], match[3]


def units(record: Metric) -> dict[str, Fraction]:
    """The units in which a metric is bounded, with their sizes; the empty one where it takes plain numbers."""
    return _UNITS[record.form]


def amount(text: str, record: Metric, where: str) -> Fraction | None:
    """The number that ``text`` means as a bound on a metric; None if it is not a number with a unit.

    Raises:
        UsageError: the metric has no such unit, or needs one; ``where`` is the beginning of the message.
    """
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    sizes = units(record)
    if match[2] not in sizes:
        known = ", ".join(unit for unit in sizes if unit)
        asked = f"found '{match[2][:20]}'" if match[2] else "found none"
        takes = f"takes one of the units {known}" if known else "takes no unit"
        raise UsageError(f"{where}: {record.key} {takes}; {asked}")
    return Fraction(match[1]) * sizes[match[2]]


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
    record, relation, rest = split_budget(text, option)
    bound = amount(rest, record, f"{option} {text.strip()[:60]}")
    if bound is None:
        raise UsageError(f"{option} takes METRIC<=VALUE, as macs<=150M or time<=3ms; found '{text[:60]}'")
    return Budget(text.strip(), record, relation, bound)


def budgets_of(texts: Iterable[str], option: str = "--budget") -> list[Budget]:
    """The budgets that some texts mean, or one text alone.

    Args:
        texts: see :func:`budget`.
        option: where they were given, for errors.

    Raises:
        UsageError: one of them is malformed.
    """
    return [budget(text, option) for text in ([texts] if isinstance(texts, str) else texts)]


def fulfils(value: Any, relation: str, bound: Any) -> bool:
    """Whether a metric's value keeps to a bound: every axis of one that has several; never where it does not apply."""
    if isinstance(value, tuple):
        return all(fulfils(axis, relation, bound) for axis in value)
    return value is not None and bool(RELATIONS[relation](value, bound))


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


def check(analysis: Analysis, budgets: Iterable[Budget]) -> Verdicts:
    """Whether a network meets its budgets.

    Raises:
        UsageError: a time is bounded and the analysis has no device.
        UnsupportedError: a metric cannot be evaluated for this network.
    """
    verdicts = []
    for bounded in budgets:
        value = analysis.value(bounded.metric.key)
        verdicts.append(Verdict(bounded, value, fulfils(value, bounded.relation, bounded.bound)))
    return Verdicts(verdicts)
