"""Results of ``solve``, as tables and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.numbers.printing import text
from convcost.render.results import schema
from convcost.render.whose import quantity_title, whose_data, whose_notes
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.formulas.regions import Stretch
    from convcost.numbers.arithmetic import Num
    from convcost.solving.grid import Objective, Point
    from convcost.solving.ideal import IdealRoot
    from convcost.solving.landscape import Landscape
    from convcost.solving.one import Solution
    from convcost.solving.places import Place

_LONG = 60  # a root beyond that is given as a number only
_GOALS = {"max": "largest", "min": "smallest", "near": "nearest"}


def solution_table(landscape: Landscape, found: Solution) -> Table:
    """The answer between its neighbours, then the roots without rounding."""
    heading = f"{landscape.first.formula.graph.title}: {', '.join(one.text for one in landscape.budgets)}"
    if found.place is None:
        sentence = f"no value of {found.name} meets the budget"
        if found.unbounded:
            sentence = f"every large value of {found.name} meets the budget: there is no largest one"
        return Table(heading, (Column("answer", "", "text", 9),), [(sentence,)], None, tuple(_notes(found)))
    wide = any(place is not None and place.range.low != place.range.high for place in _places(found))
    columns = [Column("value", found.name, "times", 9)]
    columns += [Column("range", "same cost for", "text", 8)] if wide else []
    columns += [Column(name, quantity_title(landscape.first.formula, name), "count", 9) for name in found.place.costs]
    columns.append(Column("budget", "", "text", 9))
    rows = [_row(place, found, wide=wide) for place in _places(found) if place is not None]
    notes = (*_notes(found), *whose_notes(landscape.first.formula))
    return Table(heading, tuple(columns), rows, None, notes)


def _places(found: Solution) -> tuple[Place | None, ...]:
    return (found.below, found.place, found.above)


def _row(place: Place, found: Solution, *, wide: bool) -> tuple[Any, ...]:
    if place is found.place:
        said = f"<- {_GOALS[found.goal]}"
    else:
        broken = [one.text for one in place.broken if one.relation != "~"]
        said = f"not {', '.join(broken)}" if broken else ""
    cells: list[Any] = [written(place.value)]
    if wide:
        cells.append(_range(place.range))
    return (*cells, *place.costs.values(), said)


def written(value: Num) -> str:
    """A value: a decimal where it is a short one, else a fraction."""
    if isinstance(value, Fraction):
        decimal = str(float(value))
        return decimal if Fraction(decimal) == value else str(value)
    return str(value)


def _range(stretch: Stretch) -> str:
    low = f"{float(stretch.low):.6g} {'<=' if stretch.low_in else '<'} "
    return f"{low}.. {'<=' if stretch.high_in else '<'} {float(stretch.high or 0):.6g}"


def _notes(found: Solution) -> list[str]:
    notes = []
    for one in found.ideal:
        if one.value is not None:
            root = None if one.root is None else text(one.root)
            decimal = f"{one.value:.6g}"
            closed = f" = {root}" if root is not None and root != decimal and len(root) <= _LONG else ""
            notes.append(f"without rounding, {one.budget.text} is met exactly at {found.name}{closed} = {decimal}")
    return [*notes, *(f"valid for {one}" for one in found.needs)]


def solution_data(landscape: Landscape, found: Solution) -> dict[str, Any]:
    """The result of ``solve`` for one name; values exact, as text where they are no decimals."""
    return {
        "schema": schema("solve"),
        "name": landscape.spec.name,
        "for": [found.name],
        "goal": found.goal,
        **whose_data(landscape.first.formula),
        "budgets": [one.text for one in landscape.budgets],
        "unbounded": found.unbounded,
        "answer": _place_data(found.place),
        "below": _place_data(found.below),
        "above": _place_data(found.above),
        "ideal": [_ideal_data(one) for one in found.ideal],
        "needs": list(found.needs),
    }


def _place_data(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    return {
        "value": place.value,
        "exact": str(place.value),
        "range": {
            "low": str(place.range.low),
            "low_included": place.range.low_in,
            "high": str(place.range.high),
            "high_included": place.range.high_in,
        },
        "costs": place.costs,
        "broken": [one.text for one in place.broken],
    }


def _ideal_data(one: IdealRoot) -> dict[str, Any]:
    return {
        "budget": one.budget.text,
        "polynomial": text(one.polynomial),
        "root": None if one.root is None else text(one.root),
        "decimal": one.value,
    }


def points_table(landscape: Landscape, objectives: Sequence[Objective], points: Sequence[Point]) -> Table:
    """One row per point, best in the first objective first."""
    heading = f"{landscape.first.formula.graph.title}: {', '.join(one.text for one in landscape.budgets)}"
    costs = landscape.reported
    columns = [Column(name, name, "times", 9) for name in landscape.names]
    columns += [Column(name, quantity_title(landscape.first.formula, name), "count", 9) for name in costs]
    rows = [
        (*(written(point.values[name]) for name in landscape.names), *(point.costs[name] for name in costs))
        for point in points
    ]
    goals = ", ".join(f"{'max' if one.largest else 'min'} {one.key}" for one in objectives)
    claim = f"no other point of the grid is at least as good in {goals}"
    notes = (claim if points else "no point of the grid meets the budget", *whose_notes(landscape.first.formula))
    return Table(heading, tuple(columns), rows, None, notes)


def points_data(landscape: Landscape, objectives: Sequence[Objective], points: Sequence[Point]) -> dict[str, Any]:
    """The result of ``solve`` for several names."""
    return {
        "schema": schema("solve"),
        "name": landscape.spec.name,
        "for": list(landscape.names),
        **whose_data(landscape.first.formula),
        "budgets": [one.text for one in landscape.budgets],
        "objectives": [{"key": one.key, "goal": "max" if one.largest else "min"} for one in objectives],
        "points": [{"values": point.values, "costs": point.costs} for point in points],
    }
