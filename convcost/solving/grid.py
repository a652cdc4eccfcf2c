"""Several parameters at once: the Pareto-optimal points of a grid that meet the budgets."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import ConvcostError, UsageError, unknown
from convcost.formulas.lattice import lattice
from convcost.metrics.quantities import PARTS, QUANTITIES, REPORTED
from convcost.numbers.arithmetic import normal
from convcost.solving.budgets import NEAR
from convcost.solving.one import solve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.solving.landscape import Landscape

MAX_POINTS = 20_000
_TRIED = 1000


class Objective(NamedTuple):
    """What a better point has more of, or less."""

    key: str
    largest: bool


class Point(NamedTuple):
    """A point of the grid: its values, and what it costs."""

    values: dict[str, Num]
    costs: dict[str, Num]

    def score(self, objectives: Sequence[Objective]) -> tuple[Num, ...]:
        """Its worth in each objective, larger being better."""
        both = {**self.costs, **self.values}
        return tuple(both[one.key] if one.largest else -both[one.key] for one in objectives)


def objective(text: str, names: Sequence[str], *, named: bool = False) -> Objective:
    """The objective that ``max alpha`` or ``min:macs`` means.

    Raises:
        UsageError: it is none.
    """
    goal, _, key = text.strip().replace(":", " ").partition(" ")
    key = key.strip()
    known = (*names, *QUANTITIES, *PARTS, *((REPORTED,) if named else ()))
    if goal not in ("max", "min") or not key:
        raise UsageError(f"--objective takes max NAME or min NAME, found '{text[:60]}'")
    if key not in known:
        raise UsageError(f"--objective: {unknown('quantity or parameter', key, known)}")
    return Objective(key, goal == "max")


def pareto(
    landscape: Landscape,
    steps: Mapping[str, Num],
    ranges: Mapping[str, tuple[Num, Num]],
    objectives: Sequence[Objective],
) -> list[Point]:
    """The points of a grid that meet every budget and that no other such point equals or beats in every objective.

    Args:
        landscape: of the names to vary.
        steps: the step of each; its multiples are the grid.
        ranges: the least and greatest value of a name; where not given, from the first value that makes a network
            to the last that can meet the budgets while the other names are at their least.
        objectives: what is better.

    Returns:
        The points in the order of the first objective, best first.

    Raises:
        UsageError: a budget is to be met nearly, a name lacks a step, has no end, or the grid has too many points.
    """
    near = [budget.text for budget in landscape.budgets if budget.relation == NEAR]
    if near:
        raise UsageError(f"--budget {near[0]}: the nearest value is found for one parameter; use <= or >= for several")
    axes = _axes(landscape, steps, ranges)
    count = prod(map(len, axes.values()))
    if count > MAX_POINTS:
        raise UsageError(f"the grid has {count:,} points, more than {MAX_POINTS:,}; give larger steps or a --range")
    found = []
    for values in product(*axes.values()):
        point = _point(landscape, dict(zip(axes, values, strict=True)))
        if point is not None:
            found.append(point)
    return _unbeaten(found, objectives)


def _axes(
    landscape: Landscape, steps: Mapping[str, Num], ranges: Mapping[str, tuple[Num, Num]]
) -> dict[str, list[Num]]:
    for name in landscape.names:
        if name not in steps:
            raise UsageError(f"`{name}` needs a step: --step {name}=VALUE")
    least = {
        name: ranges[name][0] if name in ranges else _least(landscape, name, steps[name]) for name in landscape.names
    }
    axes = {}
    for name in landscape.names:
        spaced = lattice(0, Fraction(steps[name]))
        high = ranges[name][1] if name in ranges else _greatest(landscape, name, steps[name], least)
        value = spaced.above(Fraction(least[name])) or spaced.step
        values = []
        while value <= high:
            values.append(normal(value))
            value += spaced.step
            if len(values) > MAX_POINTS:
                raise UsageError(f"`{name}` has more than {MAX_POINTS:,} values; give a larger step or a --range")
        axes[name] = values
    return axes


def _least(landscape: Landscape, name: str, step: Num) -> Num:
    """The first multiple of the step that makes a network, the other names being at their defaults."""
    for count in range(1, _TRIED):
        value = normal(Fraction(step) * count)
        if landscape.at({**landscape.witness, name: value}) is not None:
            return value
    raise UsageError(f"no value of `{name}` up to {normal(Fraction(step) * _TRIED)} makes a network; give a --range")


def _greatest(landscape: Landscape, name: str, step: Num, least: Mapping[str, Num]) -> Num:
    """The last value that can meet the budgets, the other names being at their least."""
    others = {other: value for other, value in least.items() if other != name}
    try:
        found = solve(landscape.narrowed(name, others), step=step)
    except ConvcostError as error:
        raise UsageError(f"cannot tell how far `{name}` goes ({error}); give a --range {name}=LOW..HIGH") from None
    if found.unbounded:
        raise UsageError(f"the budgets put no end to `{name}`; give a --range {name}=LOW..HIGH")
    return 0 if found.place is None else found.place.value


def _point(landscape: Landscape, values: dict[str, Num]) -> Point | None:
    known = landscape.at(values)
    if known is None:
        return None
    costs = known.costs(values)
    if landscape.broken(costs):
        return None
    return Point(values, {name: value for name, value in costs.items() if not name.startswith("margin")})


def _unbeaten(points: Sequence[Point], objectives: Sequence[Objective]) -> list[Point]:
    scored = sorted(((point.score(objectives), point) for point in points), key=lambda one: one[0], reverse=True)
    front: list[tuple[tuple[Num, ...], Point]] = []
    for score, point in scored:
        if not any(_at_least(other, score) for other, _ in front):
            front.append((score, point))
    return [point for _, point in front]


def _at_least(one: tuple[Num, ...], other: tuple[Num, ...]) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True))
