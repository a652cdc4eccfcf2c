"""The largest or smallest value of one name that meets the budgets, with its neighbours: exact, rounding included."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from convcost.symbolic.lattice import lattice
from convcost.symbolic.solving.budgets import NEAR
from convcost.symbolic.solving.ideal import IdealRoot, ideal_roots
from convcost.symbolic.solving.places import Place, Places
from convcost.symbolic.solving.search import Search

if TYPE_CHECKING:
    from convcost.algebra import Num
    from convcost.symbolic.solving.landscape import Landscape


class Solution(NamedTuple):
    """What was found.

    Attributes:
        name: what was solved for.
        goal: ``max``, ``min`` or ``near``.
        place: the answer; None where no value meets the budgets, or ``unbounded``.
        unbounded: whether the budgets hold however large the value is.
        below, above: the next values to either side that make a network.
        ideal: where each budget is met to the unit if nothing is rounded.
        needs: what else must hold for there to be a network.
    """

    name: str
    goal: str
    place: Place | None
    unbounded: bool
    below: Place | None
    above: Place | None
    ideal: tuple[IdealRoot, ...]
    needs: tuple[str, ...]


def solve(landscape: Landscape, *, largest: bool | None = None, step: Num | None = None) -> Solution:
    """The extreme value of the one name of ``landscape`` that meets its budgets.

    Args:
        landscape: of one name.
        largest: or the smallest. Where neither is asked for: the smallest if every budget is a lower bound (``>=`` or
            ``>``), else the largest.
        step: only multiples of it count.

    Raises:
        UnsupportedError: the values cannot be told apart exactly, or are too many to go through.
    """
    if largest is None:
        largest = any(budget.relation not in (">=", ">") for budget in landscape.budgets)
    spaced = None if step is None else lattice(0, Fraction(step))
    search = Search(landscape, largest=largest, step=spaced)
    places = Places(landscape, spaced)
    found = search.best()
    place = None if found is None else places.at(found.inside)
    near = any(budget.relation == NEAR for budget in landscape.budgets)
    if near and not search.unbounded:
        place = _nearest(landscape, places, place, side=1 if largest else -1)
    (name,) = landscape.names
    known = landscape.first if place is None else landscape.at({name: place.value}) or landscape.first
    symbol = known.formula.symbols[name]
    below, above = (None if place is None else places.beside(place, side) for side in (-1, 1))
    better = above if largest else below
    if not near and better is not None and not better.broken:
        raise AssertionError(f"{name} = {better.value} meets the budgets too; this is a bug in convcost")
    return Solution(
        name,
        "near" if near else "max" if largest else "min",
        place,
        search.unbounded,
        below,
        above,
        ideal_roots(known, symbol, landscape.budgets, None if place is None else place.value),
        tuple(one.text for one in known.conditions),
    )


def _nearest(landscape: Landscape, places: Places, place: Place | None, *, side: int) -> Place | None:
    """Of the best place within a bound that is to be met nearly, and the next one beyond it, the nearer."""
    (name,) = landscape.names
    beyond = places.first() if place is None else places.beside(place, side)
    if beyond is None or any(one.relation != NEAR for one in beyond.broken):
        return place
    if place is None:
        return beyond
    index = next(index for index, one in enumerate(landscape.budgets) if one.relation == NEAR)
    distances = []
    for one in (place, beyond):
        known = landscape.at({name: one.value})
        distances.append(abs(known.costs({name: one.value})[f"margin {index}"]) if known is not None else 0)
    return place if distances[0] <= distances[1] else beyond
