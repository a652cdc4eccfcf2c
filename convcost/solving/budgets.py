"""Budgets of ``solve``: a bound on any metric of a network, which may be an expression: ``params<=1/2*plain``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.catalogue.loader import bundled_names
from convcost.errors import ConvcostError, UsageError, unknown
from convcost.language.expression import typed_expression
from convcost.language.operations import describe
from convcost.metrics.budget import NEAR, amount, budget_names, split_budget, units
from convcost.metrics.registry import metric
from convcost.numbers.arithmetic import RELATIONS, is_number, is_symbolic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from fractions import Fraction

    from convcost.catalogue.loader import Catalogue
    from convcost.language.expression import Expression
    from convcost.language.model import Spec
    from convcost.metrics.registry import Metric
    from convcost.numbers.arithmetic import Num

REPORTED = "reported"
_WITH_UNIT = re.compile(r"(?<![\w.])(\d{1,30}(?:\.\d{1,30})?)([A-Za-z]+)(?!\w)")
_OF_OTHER = re.compile(r"\b([A-Za-z_]\w*)\s*\.\s*([A-Za-z_]\w*)")


class Budget(NamedTuple):
    """A bound on one metric.

    Attributes:
        text: as typed.
        metric: what is bounded.
        relation: how: ``<= >= < > ==``, or ``~`` for as near as can be.
        bound: an expression of numbers, of the spec's own metrics and of other specs.
        others: the specs that the bound names, by name.
        offset: what is added to the value of the bound.
    """

    text: str
    metric: Metric
    relation: str
    bound: Expression
    others: dict[str, Spec]
    offset: Num = 0

    @property
    def keys(self) -> tuple[str, ...]:
        """The metrics that it depends on, the bounded one first."""
        own = [name for name in self.bound.names if name not in self.others]
        named = [key for name, key in _OF_OTHER.findall(self.bound.text) if name in self.others]
        return tuple(dict.fromkeys((self.metric.key, *own, *named)))

    def holds(self, margin: Any) -> bool:
        """Whether it holds where its metric less its bound is ``margin``; of a metric of every axis, on each of them.

        It does not hold where the metric does not apply (``margin`` is None).
        """
        if isinstance(margin, tuple):
            return all(map(self.holds, margin))
        return margin is not None and bool(RELATIONS["<=" if self.relation == NEAR else self.relation](margin, 0))

    def margin(self, own: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Any:
        """What the metric exceeds the bound by; a tuple for a metric of every axis, None where it does not apply.

        Args:
            own: metrics of the spec itself, by key.
            others: metrics of each other spec, by its name.
        """
        bound = self.bound_of(own, others) + self.offset
        value = own[self.metric.key]
        if isinstance(value, tuple):
            return tuple(axis - bound for axis in value)
        return None if value is None else value - bound

    def bound_of(self, own: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Any:
        """The value of the bound; arguments as in :meth:`margin`.

        Raises:
            UsageError: it is not a number.
        """
        scope: dict[str, Any] = {name: own[name] for name in self.bound.names if name not in self.others}
        for name in self.others:
            keys = {key for other, key in _OF_OTHER.findall(self.bound.text) if other == name}
            scope[name] = {key: others[name][key] for key in keys} if keys else others[name][self.metric.key]
        try:
            value = self.bound.evaluate(scope)
        except ConvcostError as error:
            raise UsageError(f"--budget {self.text}: {error}") from None
        if not is_number(value) and not is_symbolic(value):
            raise UsageError(f"--budget {self.text}: a bound is a number, found {describe(value)}")
        return value


def parse_budget(text: str, catalogue: Catalogue, *, named: bool = False) -> Budget:
    """The budget that ``text`` means; metrics and units are those of :mod:`convcost.metrics.budget`.

    Args:
        text: as typed.
        catalogue: where to find the specs that the bound names.
        named: whether a convention was named, so that there is a ``reported`` number.

    Raises:
        UsageError: it is not a budget, or names an unknown metric or spec.
    """
    record, relation, typed = split_budget(text, near=True)
    amount(typed, record, f"--budget {text.strip()[:60]}")  # a plain number with a wrong unit is refused here
    bound = typed_expression(_without_units(typed, units(record)), "--budget")
    others = {}
    for name in bound.names:
        if name in bundled_names():
            others[name] = catalogue.target(name)
        elif name not in budget_names():
            known = [*budget_names(), *bundled_names()]
            raise UsageError(f"--budget: {unknown('metric, network or block', name, known)}")
    keys = [record.key, *(name for name in bound.names if name not in others)]
    for name, key in _OF_OTHER.findall(bound.text):
        if name in others:
            keys.append(metric(key).key)
            if key not in budget_names():
                raise UsageError(f"--budget: {unknown('metric', key, budget_names())}")
    if REPORTED in keys and not named:
        raise UsageError("--budget: whose reported number? name its convention with --convention")
    if relation == NEAR and record.form == "sizes":
        raise UsageError(f"--budget {text.strip()[:60]}: {record.key} has a size for each axis; use <= or >=")
    return Budget(text.strip(), record, relation, bound, others)


def _without_units(text: str, sizes: Mapping[str, Fraction]) -> str:
    """The expression with every unit multiplied out: ``300M`` as ``(300*1000000)``, ``3ms`` as ``(3*1/1000)``."""

    def multiplied(match: re.Match[str]) -> str:
        size = sizes.get(match[2])
        return match[0] if size is None else f"({match[1]}*{size})"

    return _WITH_UNIT.sub(multiplied, text)
