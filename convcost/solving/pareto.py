"""Several parameters at once: the Pareto-optimal points of a grid that meet the budgets."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import ConvcostError, UsageError
from convcost.formulas.lattice import lattice
from convcost.metrics.budget import NEAR
from convcost.numbers.arithmetic import normal
from convcost.numbers.front import unbeaten
from convcost.solving.solution import solve
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.metrics.objective import Objective
    from convcost.numbers.arithmetic import Num
    from convcost.solving.costs import Costs

MAX_POINTS = 20_000
_TRIED = 1000


class Point(NamedTuple):
    """A point of the grid: its values, and what it costs."""

    values: dict[str, Num]
    costs: dict[str, Num]

    def score(self, objectives: Sequence[Objective]) -> tuple[Num, ...]:
        """Its worth in each objective, larger being better."""
        both = {**self.costs, **self.values}
        return tuple(both[goal.key] if goal.largest else -both[goal.key] for goal in objectives)


class Points(Records[Point]):
    """Points of a grid that no other point beats, best in the first objective first.

    Attributes:
        costs: the network, its budgets and its metrics.
        objectives: what is better.
    """

    def __init__(self, points: Iterable[Point], costs: Costs, objectives: Sequence[Objective]) -> None:
        super().__init__(points)
        self.costs = costs
        self.objectives = tuple(objectives)


def pareto(
    costs: Costs,
    steps: Mapping[str, Num],
    ranges: Mapping[str, tuple[Num, Num]],
    objectives: Sequence[Objective],
) -> Points:
    """The points of a grid that meet every budget and that no other such point equals or beats in every objective.

    Args:
        costs: of the names to vary.
        steps: the step of each; its multiples are the grid.
        ranges: the least and greatest value of a name; where not given, from the first value that makes a network
            to the last that can meet the budgets while the other names are at their least.
        objectives: what is better.

    Returns:
        The points in the order of the first objective, best first.

    Raises:
        UsageError: a budget is to be met nearly, a name lacks a step, has no end, or the grid has too many points.
    """
    near = [budget.text for budget in costs.budgets if budget.relation == NEAR]
    if near:
        raise UsageError(f"--budget {near[0]}: the nearest value is found for one parameter; use <= or >= for several")
    axes = _axes(costs, steps, ranges)
    count = prod(map(len, axes.values()))
    if count > MAX_POINTS:
        raise UsageError(f"the grid has {count:,} points, more than {MAX_POINTS:,}; give larger steps or a --range")
    points = (_point(costs, dict(zip(axes, values, strict=True))) for values in product(*axes.values()))
    met = [point for point in points if point is not None]
    best = unbeaten([point.score(objectives) for point in met])
    return Points((met[place] for place in best), costs, objectives)


def _axes(costs: Costs, steps: Mapping[str, Num], ranges: Mapping[str, tuple[Num, Num]]) -> dict[str, list[Num]]:
    for name in costs.names:
        if name not in steps:
            raise UsageError(f"`{name}` needs a step: --step {name}=VALUE")
    least = {name: ranges[name][0] if name in ranges else _least(costs, name, steps[name]) for name in costs.names}
    axes = {}
    for name in costs.names:
        spaced = lattice(0, Fraction(steps[name]))
        high = ranges[name][1] if name in ranges else _greatest(costs, name, steps[name], least)
        value = spaced.above(Fraction(least[name])) or spaced.step
        values = []
        while value <= high:
            values.append(normal(value))
            value += spaced.step
            if len(values) > MAX_POINTS:
                raise UsageError(f"`{name}` has more than {MAX_POINTS:,} values; give a larger step or a --range")
        axes[name] = values
    return axes


def _least(costs: Costs, name: str, step: Num) -> Num:
    """The first multiple of the step that makes a network, the other names being at their defaults."""
    for count in range(1, _TRIED):
        value = normal(Fraction(step) * count)
        if costs.at({**costs.witness, name: value}) is not None:
            return value
    raise UsageError(f"no value of `{name}` up to {normal(Fraction(step) * _TRIED)} makes a network; give a --range")


def _greatest(costs: Costs, name: str, step: Num, least: Mapping[str, Num]) -> Num:
    """The last value that can meet the budgets, the other names being at their least."""
    others = {other: value for other, value in least.items() if other != name}
    try:
        solution = solve(costs.narrowed(name, others), step=step)
    except ConvcostError as error:
        raise UsageError(f"cannot tell how far `{name}` goes ({error}); give a --range {name}=LOW..HIGH") from None
    if solution.unbounded:
        raise UsageError(f"the budgets put no end to `{name}`; give a --range {name}=LOW..HIGH")
    return 0 if solution.place is None else solution.place.value


def _point(costs: Costs, values: dict[str, Num]) -> Point | None:
    structure = costs.at(values)
    counts = None if structure is None else structure.values(values)
    if counts is None or costs.broken(counts) or any(counts[key] is None for key in costs.reported):
        return None
    return Point(values, {key: counts[key] for key in costs.reported})
