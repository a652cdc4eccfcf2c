"""Results of ``solve``, as tables and as data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.metrics.registry import METRICS
from convcost.numbers.printing import text
from convcost.render.results import schema
from convcost.render.whose import quantity_title, whose_data, whose_notes
from convcost.solving.budgets import REPORTED
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from convcost.formulas.regions import Stretch
    from convcost.numbers.arithmetic import Num
    from convcost.solving.costs import Costs
    from convcost.solving.pareto import Points
    from convcost.solving.solution import IdealRoot, Plateau, Solution

_LONG = 60  # a root beyond that is given as a number only
_GOALS = {"max": "largest", "min": "smallest", "near": "nearest"}


def solution_table(solution: Solution) -> Table:
    """The answer between its neighbours, then the roots without rounding."""
    costs = solution.costs
    heading = f"{costs.first.formula.graph.title}: {', '.join(budget.text for budget in costs.budgets)}"
    if solution.place is None:
        sentence = f"no value of {solution.name} meets the budget"
        if solution.unbounded:
            sentence = f"every large value of {solution.name} meets the budget: there is no largest one"
        return Table(heading, (Column("answer", "", "text", 9),), [(sentence,)], None, tuple(_notes(costs, solution)))
    plateaus = [place for place in (solution.below, solution.place, solution.above) if place is not None]
    wide = any(place.range.low != place.range.high for place in plateaus)
    columns = [Column("value", solution.name, "times", 9)]
    columns += [Column("range", "same cost for", "text", 8)] if wide else []
    columns += [_column(costs, key) for key in solution.place.costs]
    columns.append(Column("budget", "", "text", 9))
    rows = [_row(place, solution, wide=wide) for place in plateaus]
    notes = (*_notes(costs, solution), *whose_notes(costs.first.formula))
    return Table(heading, tuple(columns), rows, None, notes)


def _column(costs: Costs, key: str) -> Column:
    """A metric as a column that is never hidden."""
    if key == REPORTED:
        return Column(key, quantity_title(costs.first.formula, key), "count", 9)
    return METRICS[key].column._replace(keep=9)


def _row(place: Plateau, solution: Solution, *, wide: bool) -> tuple[Any, ...]:
    if place is solution.place:
        remark = f"<- {_GOALS[solution.goal]}"
    else:
        broken = [budget.text for budget in place.broken if budget.relation != "~"]
        remark = f"not {', '.join(broken)}" if broken else ""
    cells: list[Any] = [written(place.value)]
    if wide:
        cells.append(_range(place.range))
    return (*cells, *place.costs.values(), remark)


def written(value: Num) -> str:
    """A value: a decimal where it is a short one, else a fraction."""
    if isinstance(value, Fraction):
        decimal = str(float(value))
        return decimal if Fraction(decimal) == value else str(value)
    return str(value)


def _range(stretch: Stretch) -> str:
    low = f"{float(stretch.low):.6g} {'<=' if stretch.low_in else '<'} "
    return f"{low}.. {'<=' if stretch.high_in else '<'} {float(stretch.high or 0):.6g}"


def _notes(costs: Costs, solution: Solution) -> list[str]:
    notes = []
    for ideal in solution.ideal:
        if ideal.value is not None:
            root = None if ideal.root is None else text(ideal.root)
            decimal = f"{ideal.value:.6g}"
            closed = f" = {root}" if root is not None and root != decimal and len(root) <= _LONG else ""
            notes.append(f"without rounding, {ideal.budget.text} is met exactly at {solution.name}{closed} = {decimal}")
    notes += [f"valid for {condition}" for condition in solution.needs]
    return [*notes, *(f"not proved: {sentence}" for sentence in solution.unproved), *_context_notes(costs)]


def _context_notes(costs: Costs) -> list[str]:
    """What metrics of bytes and time are evaluated for; nothing where none is shown and there is one sample."""
    setting, forms = costs.setting, {METRICS[key].form for key in costs.reported}
    parts = [] if setting.batch == 1 else [f"batch {setting.batch}"]
    if forms & {"bytes", "duration", "decimal"}:
        weights = setting.weights_dtype or setting.dtype
        parts.append(setting.dtype if weights == setting.dtype else f"{setting.dtype}, weights {weights}")
        parts.append("norms and activations fused" if setting.fused else "norms and activations not fused")
    if setting.device is not None:
        parts.append(f"on {setting.device.title}")
    return [", ".join(parts)] if parts else []


def solution_data(solution: Solution) -> dict[str, Any]:
    """The result of ``solve`` for one name; values exact, as text where they are no decimals."""
    costs = solution.costs
    return {
        "schema": schema("solve"),
        "name": costs.spec.name,
        "for": [solution.name],
        "goal": solution.goal,
        **whose_data(costs.first.formula),
        **_context_data(costs),
        "budgets": [budget.text for budget in costs.budgets],
        "unbounded": solution.unbounded,
        "answer": _place_data(solution.place),
        "below": _place_data(solution.below),
        "above": _place_data(solution.above),
        "ideal": [_ideal_data(ideal) for ideal in solution.ideal],
        "needs": list(solution.needs),
        "not_proved": list(solution.unproved),
    }


def _context_data(costs: Costs) -> dict[str, Any]:
    setting = costs.setting
    return {
        "batch": setting.batch,
        "dtype": setting.dtype,
        "weights_dtype": setting.weights_dtype or setting.dtype,
        "fused": setting.fused,
        "device": None if setting.device is None else setting.device.name,
    }


def _place_data(place: Plateau | None) -> dict[str, Any] | None:
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
        "broken": [budget.text for budget in place.broken],
    }


def _ideal_data(ideal: IdealRoot) -> dict[str, Any]:
    return {
        "budget": ideal.budget.text,
        "polynomial": text(ideal.polynomial),
        "root": None if ideal.root is None else text(ideal.root),
        "decimal": ideal.value,
    }


def points_table(points: Points) -> Table:
    """One row per point, best in the first objective first."""
    costs, objectives = points.costs, points.objectives
    heading = f"{costs.first.formula.graph.title}: {', '.join(budget.text for budget in costs.budgets)}"
    columns = [Column(name, name, "times", 9) for name in costs.names]
    columns += [_column(costs, key) for key in costs.reported]
    rows = [
        (*(written(point.values[name]) for name in costs.names), *(point.costs[key] for key in costs.reported))
        for point in points
    ]
    goals = ", ".join(map(str, objectives))
    claim = f"no other point of the grid is at least as good in {goals}"
    notes = (claim if points else "no point of the grid meets the budget", *_context_notes(costs))
    return Table(heading, tuple(columns), rows, None, (*notes, *whose_notes(costs.first.formula)))


def points_data(points: Points) -> dict[str, Any]:
    """The result of ``solve`` for several names."""
    costs, objectives = points.costs, points.objectives
    return {
        "schema": schema("solve"),
        "name": costs.spec.name,
        "for": list(costs.names),
        **whose_data(costs.first.formula),
        **_context_data(costs),
        "budgets": [budget.text for budget in costs.budgets],
        "objectives": [{"key": goal.key, "goal": "max" if goal.largest else "min"} for goal in objectives],
        "points": [{"values": point.values, "costs": point.costs} for point in points],
    }
