"""The cost of a spec over some of its names, wherever there is such a network: one closed form per structure."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

import sympy

from convcost.conventions import DEFAULT, convention, reported
from convcost.errors import ConvcostError
from convcost.formulas.closed import formula
from convcost.formulas.program import program
from convcost.language.check import free_names
from convcost.language.interpret import build
from convcost.metrics.quantities import REPORTED, quantities
from convcost.numbers.arithmetic import normal
from convcost.numbers.symbols import to_sympy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convcost.formulas.closed import Form, Formula
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition
    from convcost.solving.budgets import Budget

MAX_STRUCTURES = 60


class _Expressions(Mapping[str, Any]):
    """The closed forms of some totals by quantity, each made when it is asked for."""

    def __init__(self, totals: Mapping[str, Form]) -> None:
        self._totals = totals

    def __getitem__(self, name: str) -> Any:
        return self._totals[name].expr

    def __iter__(self) -> Iterator[str]:
        return iter(self._totals)

    def __len__(self) -> int:
        return len(self._totals)


class Known:
    """The closed forms of one structure.

    Attributes:
        formula: of the spec.
        margins: of each budget, what its quantity exceeds its bound by, as an expression.
        conditions: where all that holds.
    """

    def __init__(
        self, found: Formula, others: Mapping[str, Formula], budgets: Sequence[Budget], wanted: Sequence[str]
    ) -> None:
        self.formula = found
        self._others = others
        self.conditions = [*found.conditions, *(one for other in others.values() for one in other.conditions)]
        forms = {name: _Expressions(other.totals) for name, other in others.items()}
        own = _Expressions(found.totals)
        self.margins = [
            sympy.expand(to_sympy(own[one.quantity]) - to_sympy(one.bound_of(own, forms)) - to_sympy(one.offset))
            for one in budgets
        ]
        outputs = {name: own[name] for name in wanted}
        outputs |= {f"margin {index}": margin for index, margin in enumerate(self.margins)}
        self._run = program(outputs, list(found.symbols.values())).run

    def against(self, budgets: Sequence[Budget]) -> Known:
        """The same structure with the margins of other budgets, and no quantity besides them."""
        return Known(self.formula, self._others, budgets, ())

    def costs(self, values: Mapping[str, Num]) -> dict[str, Num]:
        """The quantities of interest, and the margins as ``margin 0`` ..., at these values."""
        return self._run(values)

    def violated(self, values: Mapping[str, Num]) -> list[Condition]:
        """The conditions that do not hold at ``values``."""
        numbers = {symbol: values[name] for name, symbol in self.formula.symbols.items()}
        return [one for one in self.conditions if not one.holds(numbers)]

    def holds(self, values: Mapping[str, Num]) -> bool:
        """Whether these closed forms are those at ``values``."""
        return not self.violated(values)


class Landscape:
    """Costs over the names that are asked for.

    Attributes:
        spec: linked.
        names: what is varied.
        given: values of everything else.
        budgets: what is to be met.
        reported: the quantities that an answer states.
        structures: the closed forms met so far.
    """

    def __init__(
        self,
        spec: Spec,
        names: Sequence[str],
        given: Mapping[str, Any],
        budgets: Sequence[Budget],
        others: Mapping[str, Mapping[str, Any]] | None = None,
        input_shape: Shape | None = None,
        reported: Sequence[str] = (),
        whose: str = DEFAULT,
    ) -> None:
        """Derive the closed forms at the defaults.

        Args:
            spec: linked.
            names: what to vary.
            given: values of its parameters.
            budgets: what is to be met.
            others: the values given to each other spec that the budgets speak of.
            input_shape: in place of the spec's own.
            reported: quantities to state besides params, MACs and those that have a budget.
            whose: the convention whose number is ``reported``; a name or a file.

        Raises:
            UsageError: a name cannot be varied, or there is no such convention.
            SpecError: the spec is wrong.
        """
        self.spec = spec
        self.names = tuple(names)
        self.given = dict(given)
        self.budgets = tuple(budgets)
        self._others = {name: dict(values) for name, values in (others or {}).items()}
        self._input_shape = input_shape
        self.whose = whose
        named = [] if whose == DEFAULT else [REPORTED]
        self.reported = list(dict.fromkeys(["params", "macs", *named, *(one.quantity for one in budgets), *reported]))
        self.structures: list[Known] = []
        self.first = self._derived(self.given)
        self.witness: dict[str, Num] = dict(self.first.formula.witness)

    def _derived(self, given: Mapping[str, Any]) -> Known:
        found = formula(self.spec, self.names, given, self._input_shape, whose=self.whose)
        others = {}
        for budget in self.budgets:
            for name, spec in budget.others.items():
                shared = [one for one in self.names if one in free_names(spec)]
                values = {**self._others.get(name, {}), **{one: found.witness[one] for one in shared}}
                shape = self._input_shape if spec.is_block else None
                others[name] = formula(spec, shared, values, shape, whose=self.whose)
        known = Known(found, others, self.budgets, self.reported)
        self.structures.append(known)
        return known

    def at(self, values: Mapping[str, Num]) -> Known | None:
        """The closed forms that hold at ``values``; None where there is no such network."""
        for known in self.structures:
            violated = known.violated(values)
            if not violated:
                return known
            if not any(one.structural for one in violated):
                return None  # the structure is this one, and lacks something it needs
        if len(self.structures) >= MAX_STRUCTURES:
            return None
        try:
            known = self._derived({**self.given, **values})
        except ConvcostError:
            return None
        return known if known.holds(values) else None

    def against(self, budgets: Sequence[Budget]) -> Landscape:
        """The same network and names with other budgets; these speak of no spec that the former do not speak of."""
        other = copy(self)
        other.budgets = tuple(budgets)
        other.reported = []
        other.structures = [one.against(budgets) for one in self.structures]
        other.first = other.structures[0]
        return other

    def narrowed(self, name: str, values: Mapping[str, Num]) -> Landscape:
        """The same over one name alone, with ``values`` for others."""
        given = {**self.given, **values}
        return Landscape(self.spec, [name], given, self.budgets, self._others, self._input_shape, whose=self.whose)

    def count(self, values: Mapping[str, Num]) -> dict[str, Num]:
        """Every quantity at ``values``, counted layer by layer rather than read off a closed form."""
        given = {**self.given, **{name: normal(value) for name, value in values.items()}}
        graph = build(self.spec, given, self._input_shape)
        counted = quantities(graph.layers)
        if self.whose != DEFAULT:
            counted[REPORTED] = reported(graph, convention(self.whose, self.spec)).value()
        return counted

    def broken(self, costs: Mapping[str, Num]) -> list[Budget]:
        """The budgets that do not hold where :meth:`Known.costs` gave ``costs``."""
        return [one for index, one in enumerate(self.budgets) if not one.holds(costs[f"margin {index}"])]
