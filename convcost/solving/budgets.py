"""Budgets as they are typed: ``macs<=300M``, ``params<=1/2*plain``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.catalogue.loader import bundled_names
from convcost.errors import ConvcostError, UsageError, unknown
from convcost.language.expression import typed_expression
from convcost.language.operations import describe
from convcost.metrics.quantities import PARTS, QUANTITIES, REPORTED, quantity_names
from convcost.numbers.arithmetic import RELATIONS, is_number, is_symbolic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.catalogue.loader import Catalogue
    from convcost.language.expression import Expression
    from convcost.language.model import Spec
    from convcost.numbers.arithmetic import Num

NEAR = "~"
_BUDGET = re.compile(r"\s*([A-Za-z_]+)\s*(<=|>=|==|<(?!=)|>(?!=)|~)\s*(.+)")
_SUFFIXED = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)([kKMGT])(?!\w)")
_POWERS = {"k": 3, "K": 3, "M": 6, "G": 9, "T": 12}


class Budget(NamedTuple):
    """A bound on one quantity.

    Attributes:
        text: as typed.
        quantity: what is bounded.
        relation: how: ``<= >= < > ==``, or ``~`` for as near as can be.
        bound: an expression of numbers, of the spec's own quantities and of other specs.
        others: the specs it speaks of, by name.
        offset: what is added to the value of the bound.
    """

    text: str
    quantity: str
    relation: str
    bound: Expression
    others: dict[str, Spec]
    offset: Num = 0

    def holds(self, margin: Num) -> bool:
        """Whether it holds where its quantity less its bound is ``margin``."""
        return bool(RELATIONS["<=" if self.relation == NEAR else self.relation](margin, 0))

    def bound_of(self, own: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Any:
        """The value of the bound.

        Args:
            own: quantities of the spec itself, by name.
            others: quantities of each other spec, by its name.
        """
        scope: dict[str, Any] = {name: own[name] for name in self.bound.names if name in own}
        for name in self.others:
            whole = re.search(rf"\b{re.escape(name)}\s*\.", self.bound.text) is not None
            scope[name] = {**others[name]} if whole else others[name][self.quantity]
        try:
            value = self.bound.evaluate(scope)
        except ConvcostError as error:
            raise UsageError(f"--budget {self.text}: {error}") from None
        if not is_number(value) and not is_symbolic(value):
            raise UsageError(f"--budget {self.text}: a bound is a number, found {describe(value)}")
        return value


def parse_budget(text: str, catalogue: Catalogue, *, named: bool = False) -> Budget:
    """The budget that ``text`` means.

    Args:
        text: as typed.
        catalogue: where to find the specs that it speaks of.
        named: whether a convention was named, so that there is a ``reported`` number.

    Raises:
        UsageError: it is none, or speaks of what there is not.
    """
    match = _BUDGET.fullmatch(text)
    if match is None:
        raise UsageError(f"--budget takes QUANTITY<=VALUE, as macs<=300M; found '{text[:60]}'")
    (quantity,) = quantity_names([match[1]], "--budget", named=named)
    written = _SUFFIXED.sub(lambda found: f"({found[1]}*10^{_POWERS[found[2]]})", match[3])
    bound = typed_expression(written, "--budget")
    others = {}
    for name in bound.names:
        if name in (*QUANTITIES, *PARTS, REPORTED):
            continue
        if name not in bundled_names():
            known = [*QUANTITIES, *bundled_names()]
            raise UsageError(f"--budget: {unknown('quantity, network or block', name, known)}")
        others[name] = catalogue.target(name)
    return Budget(text.strip(), quantity, match[2], bound, others)
