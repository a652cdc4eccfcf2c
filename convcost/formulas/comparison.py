"""Costs of several networks or blocks, and the ratio of each to the last."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from convcost.conventions.model import PLAIN
from convcost.conventions.reported import Reported
from convcost.errors import ConvcostError, UsageError, unknown
from convcost.language.check import open_names
from convcost.language.interpret import build
from convcost.language.model import unique_names
from convcost.network.cost import PLAIN_QUANTITIES, sum_work
from convcost.numbers.arithmetic import RELATIONS
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.conventions.model import Convention
    from convcost.formulas.closed import Formula
    from convcost.formulas.naming import Named
    from convcost.formulas.order import Order
    from convcost.formulas.ratio import Fractions
    from convcost.language.model import Spec
    from convcost.layers.base import Work
    from convcost.network.graph import Graph
    from convcost.numbers.decisions import Condition

QUANTITIES = PLAIN_QUANTITIES


class Ratio:
    """The cost of one item divided by the cost of another.

    Attributes:
        exact: the ratio of the numbers; None where the divisor is 0.
        fractions: the ratio of the closed forms, simplified; None where there are none, or too long to read.
        limits: ``(limit, name)`` pairs: what the formula tends to as that name grows.
        unknown_limits: names for which no limit is known.
        order: which of the two costs less, and where; None where there are no closed forms, or too long ones.
    """

    __slots__ = ("exact", "fractions", "limits", "order", "unknown_limits")

    def __init__(
        self,
        exact: Fraction | None,
        fractions: Fractions | None = None,
        limits: Sequence[tuple[Any, str]] = (),
        order: Order | None = None,
        unknown_limits: Sequence[str] = (),
    ) -> None:
        self.exact = exact
        self.unknown_limits = tuple(unknown_limits)
        self.fractions = fractions
        self.limits = tuple(limits)
        self.order = order

    @property
    def formula(self) -> Any:
        """The ratio of the closed forms as it is written shortest, if there is one."""
        return None if self.fractions is None else self.fractions.shortest

    @property
    def expr(self) -> Any:
        """The same as an expression of sympy, which is imported for it."""
        from convcost.numbers.conversion import to_sympy  # noqa: PLC0415 - imports sympy

        return None if self.fractions is None else to_sympy(self.fractions.shortest)


class Item:
    """One side of a comparison.

    Attributes:
        name: the spec's name; a second one of the same name gets ``#2``.
        graph: what was counted.
        totals: its counts.
        formula: its closed forms, where the comparison has formulas; in the names of its own parameters.
        reported: what the tool of the convention would print.
        names: its free parameters, with the symbols that stand for them in the formulas of the comparison.
    """

    __slots__ = ("_count", "formula", "graph", "name", "names", "reported", "totals")

    def __init__(
        self,
        name: str,
        graph: Graph,
        totals: Work,
        formula: Formula | None,
        reported: Reported,
        count: Callable[[Mapping[str, Any]], Work],
    ) -> None:
        self.name = name
        self.graph = graph
        self.totals = totals
        self.formula = formula
        self.reported = reported
        self.names: dict[str, Any] = {} if formula is None else dict(formula.symbols)
        self._count = count

    @property
    def renamed(self) -> dict[Any, Any]:
        """The symbols of ``formula``, with those that stand for them in the formulas of the comparison."""
        if self.formula is None:
            return {}
        return {self.formula.symbols[name]: symbol for name, symbol in self.names.items()}

    @property
    def values(self) -> dict[Any, Any]:
        """The value of every symbol in the formulas of the comparison."""
        if self.formula is None:
            return {}
        return {symbol: self.formula.witness[name] for name, symbol in self.names.items()}

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What its closed forms rely on, in the names of the comparison."""
        if self.formula is None:
            return ()
        return tuple(condition.renamed(self.renamed) for condition in self.formula.conditions)

    def at(self, values: Mapping[Any, Any]) -> Work | None:
        """Its cost at values of the symbols, counted; None where there is no such network."""
        try:
            return self._count({name: values[symbol] for name, symbol in self.names.items()})
        except ConvcostError:
            return None

    def quantity(self, name: str) -> Any:
        """One of :data:`QUANTITIES`, or ``reported``."""
        return self.reported.value() if name == "reported" else getattr(self.totals, name)


class Comparison(Printable):
    """Costs side by side.

    Attributes:
        items: in the order given; the last is the baseline.
        ratios: by name of each other item, then by quantity.
        notes: what a reader should know before trusting the numbers: defaults that differ, assumptions made.
        conditions: what the formulas of all items rely on.
        names: the meaning of each name in the formulas whose parameter is not the same in all targets.
    """

    __slots__ = ("conditions", "items", "names", "notes", "ratios")

    def __init__(
        self,
        items: tuple[Item, ...],
        ratios: dict[str, dict[str, Ratio]],
        notes: tuple[str, ...],
        conditions: tuple[Condition, ...] = (),
        names: tuple[Named, ...] = (),
    ) -> None:
        self.names = names
        self.items = items
        self.ratios = ratios
        self.notes = notes
        self.conditions = conditions

    def __repr__(self) -> str:
        return f"Comparison({', '.join(item.name for item in self.items)})"

    @property
    def baseline(self) -> Item:
        """What the others are divided by."""
        return self.items[-1]

    @property
    def quantities(self) -> tuple[str, ...]:
        """What is compared: :data:`QUANTITIES`, and the reported number where a convention was named."""
        named = self.baseline.reported.convention is not PLAIN
        return (*QUANTITIES, "reported") if named else QUANTITIES


def compare(
    specs: Sequence[Spec],
    given: Sequence[Mapping[str, Any]],
    free: Sequence[str] | None = None,
    input_shape: tuple[int, ...] | None = None,
    conventions: Sequence[Convention] | None = None,
) -> Comparison:
    """Compare ``specs``, each with its own values.

    Args:
        specs: two or more, linked; the last is the baseline.
        given: values for each.
        free: names that become symbols in the formulas, in every spec that has them. Where not given, blocks
            are compared with all their names free, and networks by their numbers alone.
        input_shape: an input for all of them.
        conventions: whose number is compared beside the plain ones, for each; by default the plain ones alone.

    Raises:
        UsageError: fewer than two specs, or a free name that none of them has.
        SpecError: a spec is wrong, or a value does not fit.
    """
    if len(specs) < 2:  # noqa: PLR2004 - one thing has no ratio
        raise UsageError("compare needs at least two targets")
    symbolic = free is not None or all(spec.is_block for spec in specs)
    items = []
    counted_by = conventions or [PLAIN] * len(specs)
    for name, spec, values, convention in zip(unique_names(specs), specs, given, counted_by, strict=True):
        graph = build(spec, values, input_shape)
        closed = _formula(spec, specs, free, values, input_shape) if symbolic else None
        reported = Reported(graph, convention)
        count = partial(_count, spec, values, input_shape)
        items.append(Item(name, graph, sum_work(graph.layers), closed, reported, count))
    several = _rename(items) if symbolic else []
    ratios = {item.name: _ratios(item, items[-1]) for item in items[:-1]}
    conditions = {condition.text: condition for item in items for condition in item.conditions}
    notes = [*_differing_inputs(items)]
    notes += dict.fromkeys(note for item in items for note in item.reported.written.notes)
    notes += [f"formulas assume {text}" for text in sorted(conditions)]
    return Comparison(tuple(items), ratios, tuple(notes), tuple(conditions.values()), tuple(several))


def _count(
    spec: Spec, given: Mapping[str, Any], input_shape: tuple[int, ...] | None, values: Mapping[str, Any]
) -> Work:
    return sum_work(build(spec, {**given, **values}, input_shape).layers)


def _rename(items: Sequence[Item]) -> list[Named]:
    """Give every item its symbols: one for each name and value."""
    from convcost.formulas.naming import shared_names  # noqa: PLC0415 - only formulas need it

    chosen, several = shared_names([item.names for item in items], [item.graph.parameters for item in items])
    for item, names in zip(items, chosen, strict=True):
        item.names = names
    return several


def _formula(
    spec: Spec,
    specs: Sequence[Spec],
    free: Sequence[str] | None,
    values: Mapping[str, Any],
    input_shape: tuple[int, ...] | None,
) -> Formula:
    from convcost.formulas.closed import formula  # noqa: PLC0415 - only formulas need it

    if free is None:
        return formula(spec, None, values, input_shape)
    known = {name for spec in specs for name in open_names(spec)}
    for name in free:
        if name not in known:
            raise UsageError(unknown("free parameter of the targets", name, sorted(known)))
    return formula(spec, [name for name in free if name in open_names(spec)], values, input_shape)


def _ratios(item: Item, baseline: Item) -> dict[str, Ratio]:
    ratios = {}
    named = baseline.reported.convention is not PLAIN
    for quantity in (*QUANTITIES, "reported") if named else QUANTITIES:
        top, bottom = item.quantity(quantity), baseline.quantity(quantity)
        exact = Fraction(top) / bottom if bottom else None
        if item.formula is None or baseline.formula is None or quantity == "reported":
            ratios[quantity] = Ratio(exact)
            continue
        ratios[quantity] = _symbolic(exact, item, baseline, quantity)
    return ratios


def _symbolic(exact: Fraction | None, item: Item, baseline: Item, quantity: str) -> Ratio:
    from convcost.formulas.order import order  # noqa: PLC0415
    from convcost.formulas.ratio import limits, ratio_of  # noqa: PLC0415
    from convcost.numbers.polynomial import replaced  # noqa: PLC0415

    sides = (item, baseline)
    forms = [side.formula.totals[quantity].polynomial for side in sides if side.formula is not None]
    top, bottom = (replaced(form, side.renamed) for form, side in zip(forms, sides, strict=True))
    here = _sign(item.totals, baseline.totals, quantity)

    def reverses(values: Mapping[Any, Any]) -> bool:
        there = _sign(item.at(values), baseline.at(values), quantity)
        return there is not None and here is not None and there * here < 0

    values = {**item.values, **baseline.values}
    conditions = [*item.conditions, *baseline.conditions]
    proved = order(top, bottom, conditions, values, reverses)
    if proved is not None and proved.relation and proved.covers(values) and not RELATIONS[proved.relation](here, 0):
        proved = None  # no proof is worth more than the two numbers in the table
    fractions = ratio_of(top, bottom)
    tends_to, unknown = ([], []) if fractions is None else limits(fractions.shortest, conditions, values)
    return Ratio(exact, fractions, tends_to, proved, unknown)


def _sign(work: Work | None, other: Work | None, quantity: str) -> Literal[-1, 0, 1] | None:
    """The sign of the first cost less the second."""
    if work is None or other is None:
        return None
    first, second = int(getattr(work, quantity)), int(getattr(other, quantity))
    return 0 if first == second else 1 if first > second else -1


def _differing_inputs(items: Sequence[Item]) -> list[str]:
    """A note if the inputs differ: then the costs do not compare the networks alone."""
    shapes = {item.name: item.graph.entering for item in items}
    if len(set(shapes.values())) == 1:
        return []
    return ["inputs differ: " + ", ".join(f"{shape} for {name}" for name, shape in shapes.items())]
