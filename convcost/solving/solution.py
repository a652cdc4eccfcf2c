"""The answer of ``solve`` for one parameter: its plateau of equal cost, the adjacent plateaus, and exact roots."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.formulas.lattice import lattice
from convcost.formulas.regions import Stretch, overlap
from convcost.formulas.roots import number_of, real_roots, roots
from convcost.formulas.scaling import resolved, without_steps
from convcost.formulas.views import view
from convcost.metrics.budget import NEAR
from convcost.numbers.arithmetic import normal
from convcost.numbers.polynomial import atoms_of, expanded, over_common, powers_of, replaced
from convcost.solving.candidates import EVERYTHING, Candidates, simplest, structure_parts
from convcost.solving.search import Nearest, Search
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convcost.formulas.lattice import Lattice
    from convcost.numbers.arithmetic import Num
    from convcost.solving.budgets import Budget
    from convcost.solving.costs import Costs, Structure

MAX_NEIGHBOURS = 400  # candidates tried for the next one that makes a network, or costs something else
_QUADRATIC = 2
_BOUNDS = ("<", "<=", ">", ">=", "in")


class Plateau(NamedTuple):
    """A value of the name, and all others that cost the same.

    Attributes:
        value: the simplest number of them.
        range: from where to where; a single value where the name takes whole or evenly spaced ones.
        costs: by key of the metric, counted layer by layer.
        broken: the budgets that it does not meet.
    """

    value: Num
    range: Stretch
    costs: dict[str, Num]
    broken: tuple[Budget, ...]


class IdealRoot(NamedTuple):
    """The value at which a budget is met exactly without rounding: a root of a polynomial.

    Attributes:
        budget: which.
        polynomial: what exceeds the bound, without rounding; its root is where it is met.
        root: in closed form; None where that is longer than it is worth.
        value: as a number; None where there is no positive one for which the network exists.
    """

    budget: Budget
    polynomial: Any
    root: Any
    value: float | None


class _Solution(NamedTuple):
    name: str
    goal: str
    place: Plateau | None
    unbounded: bool
    below: Plateau | None
    above: Plateau | None
    ideal: tuple[IdealRoot, ...]
    needs: tuple[str, ...]
    unproved: tuple[str, ...]
    costs: Costs


class Solution(Printable, _Solution):
    """The answer for one parameter.

    Attributes:
        name: what was solved for.
        goal: ``max``, ``min`` or ``near``.
        place: the answer with its plateau; None where no value meets the budgets, or ``unbounded``.
        unbounded: whether the budgets hold however large the value is.
        below, above: the adjacent values to either side that make a network.
        ideal: where each budget is met exactly if nothing is rounded; only budgets on metrics with a polynomial.
        needs: what else must hold for there to be a network.
        unproved: what the answer takes for granted, as sentences; empty where everything is proved.
        costs: the network, its budgets and its metrics.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        answer = "unbounded" if self.unbounded else None if self.place is None else self.place.value
        return f"<{self.costs.spec.name}: {self.goal} {self.name} = {answer}>"


def solve(
    costs: Costs,
    *,
    largest: bool | None = None,
    step: Num | None = None,
    within: tuple[Num, Num] | None = None,
) -> Solution:
    """The extreme value of the one name of ``costs`` that meets its budgets.

    Args:
        costs: of one name.
        largest: or the smallest; with ``~``, of the values that are equally near. Where neither is asked for: the
            smallest if every budget is a lower bound (``>=`` or ``>``), else the largest.
        step: only multiples of it count.
        within: the least and the greatest value to consider.

    Raises:
        UsageError: more than one budget is to be met nearly.
        UnsupportedError: it is not proved how a cost changes, and there are too many values to try all.
    """
    if largest is None:
        largest = any(budget.relation not in (">=", ">") for budget in costs.budgets)
    spaced = None if step is None else lattice(0, Fraction(step))
    stretch = EVERYTHING
    if within is not None:
        stretch = Stretch(Fraction(within[0]), low_in=True, high=Fraction(within[1]), high_in=True)
    search: Nearest | Search
    near = any(budget.relation == NEAR for budget in costs.budgets)
    if near:
        search = Nearest(costs, spaced, stretch)
        piece, unbounded = search.best(largest=largest)
    else:
        search = Search(costs, largest=largest, step=spaced, within=stretch)
        piece, unbounded = search.best(), search.unbounded
    plateaus = Plateaus(costs, spaced)
    place = None if piece is None else plateaus.at(piece.inside, stretch)
    (name,) = costs.names
    structure = costs.first if place is None else costs.at({name: place.value}) or costs.first
    below, above = (None if place is None else plateaus.beside(place, side) for side in (-1, 1))
    better = above if largest else below
    if not near and better is not None and better.value in stretch and not better.broken:
        raise UnsupportedError(
            f"found {name} = {place.value if place else None}, yet {name} = {better.value} meets the budgets too; "
            "this is a bug in convcost"
        )
    return Solution(
        name,
        "near" if near else "max" if largest else "min",
        place,
        unbounded,
        below,
        above,
        ideal_roots(structure, structure.formula.symbols[name], costs.budgets, None if place is None else place.value),
        tuple(condition.text for condition in structure.stated),
        tuple(search.unproved),
        costs,
    )


class Plateaus:
    """Finds the plateaus of values."""

    def __init__(self, costs: Costs, step: Lattice | None) -> None:
        self._costs = costs
        self._step = step
        (self._name,) = costs.names
        self._symbol = costs.first.formula.symbols[self._name]

    def at(self, value: Fraction, within: Stretch = EVERYTHING) -> Plateau:
        """The plateau that ``value`` belongs to, and its simplest number on ``within``."""
        structure = self._costs.at({self._name: normal(value)})
        if structure is None:
            raise UnsupportedError(f"there is no such network at {self._name} = {normal(value)}")
        stretch = next(part for part in structure_parts(structure, self._symbol, EVERYTHING) if value in part)
        candidates = Candidates(structure, self._symbol, stretch, self._step)
        wide = Stretch(value, low_in=True, high=value, high_in=True)
        if candidates.spaced is None:
            wide = self._widened(structure, candidates, value)
        inside = overlap(wide, within) or wide
        high = value if inside.high is None else inside.high
        shown = normal(simplest(inside.low, low_in=inside.low_in, high=high, high_in=inside.high_in))
        values = structure.values({self._name: shown})
        own = self._costs.measured({self._name: shown})
        if values is None or own is None:
            raise UnsupportedError(f"there is no such network at {self._name} = {shown}")
        return Plateau(shown, wide, {key: own[key] for key in self._costs.reported}, tuple(self._costs.broken(values)))

    def _widened(self, structure: Structure, candidates: Candidates, value: Fraction) -> Stretch:
        """From where to where the cost stays what it is at ``value``."""
        here = self._cost(structure, value)
        wide = Stretch(value, low_in=True, high=value, high_in=True)
        for piece in islice(candidates.downwards(value), MAX_NEIGHBOURS):
            if self._cost(structure, piece.inside) != here:
                break
            wide = wide._replace(low=piece.low, low_in=piece.low == piece.high)
        for piece in islice(candidates.upwards(value), MAX_NEIGHBOURS):
            if self._cost(structure, piece.inside) != here:
                break
            wide = wide._replace(high=piece.high, high_in=piece.low == piece.high)
        return wide

    def _cost(self, structure: Structure, value: Fraction) -> list[Any] | None:
        values = {self._name: normal(value)}
        costs = structure.values(values) if structure.holds(values) else None
        return None if costs is None else [costs[key] for key in self._costs.reported]

    def beside(self, plateau: Plateau, side: int) -> Plateau | None:
        """The next plateau above (1) or below (-1) that makes a network; None where there is none near."""
        edge = plateau.range.high if side > 0 else plateau.range.low
        if edge is None:
            return None
        for value in islice(self._from(edge, side), MAX_NEIGHBOURS):
            if value > 0 and value not in plateau.range and self._costs.at({self._name: normal(value)}) is not None:
                return self.at(value)
        return None

    def _from(self, edge: Fraction, side: int) -> Iterator[Fraction]:
        structure = self._costs.at({self._name: normal(edge)}) or self._costs.first
        candidates = Candidates(structure, self._symbol, EVERYTHING, self._step)
        yield edge
        for piece in candidates.upwards(edge) if side > 0 else candidates.downwards(edge):
            yield piece.inside


def ideal_roots(
    structure: Structure, symbol: Any, budgets: Sequence[Budget], near: Num | None
) -> tuple[IdealRoot, ...]:
    """The root for each budget; of several at which the network exists, that nearest to ``near``."""
    at = Fraction(near if near is not None else structure.formula.witness[symbol.name])
    names = [budget.metric.key for budget in budgets if budget.metric.key in structure.formula.totals]
    others = len(names) < len(budgets)  # their sizes are those of the maps
    plain = view(structure.formula, "unrounded", [*names, *(["macs", "outputs"] if others else [])])
    back = {residue.symbol: residue.back for residue in plain.residues}
    ideals = []
    for budget, margin in zip(budgets, structure.margins, strict=True):
        if margin is None:
            continue
        smooth = without_steps(replaced(plain.change(margin), back))
        top, _ = over_common(expanded(resolved(smooth, symbol, {symbol: at}, side=1)))
        ideals.append(_root(budget, top, symbol, at, structure))
    return tuple(ideals)


def _root(budget: Budget, top: Any, symbol: Any, near: Fraction, structure: Structure) -> IdealRoot:
    if atoms_of(top) != [symbol]:
        return IdealRoot(budget, top, None, None)
    powers = powers_of(top, symbol)
    if max(powers) <= _QUADRATIC:
        closed = [(root, number_of(root)) for root in roots(powers)]
    else:
        closed = [(None, value) for value in real_roots(powers)]
    possible = [
        (root, value)
        for root, value in closed
        if value is not None and value > 0 and _in_range(structure, symbol, value)
    ]
    if not possible:
        return IdealRoot(budget, top, None, None)
    root, value = min(possible, key=lambda pair: abs(pair[1] - near))
    return IdealRoot(budget, top, root, float(value))


def _in_range(structure: Structure, symbol: Any, value: Fraction) -> bool:
    """Whether the name may be that large or small; divisibility is left aside, as rounding is."""
    bounds = [c for c in structure.conditions if c.relation in _BOUNDS and c.symbols == {symbol}]
    return all(condition.holds({symbol: value}) for condition in bounds)
