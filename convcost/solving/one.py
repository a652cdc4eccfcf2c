"""The largest or smallest value of one name that meets the budgets, with its neighbours: exact, rounding included."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError
from convcost.formulas.lattice import lattice
from convcost.solving.budgets import NEAR
from convcost.solving.ideal import IdealRoot, ideal_roots
from convcost.solving.nearest import Nearest
from convcost.solving.places import Place, Places
from convcost.solving.search import Search

if TYPE_CHECKING:
    from convcost.numbers.arithmetic import Num
    from convcost.solving.landscape import Landscape


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
        largest: or the smallest; with ``~``, of the values that are equally near. Where neither is asked for: the
            smallest if every budget is a lower bound (``>=`` or ``>``), else the largest.
        step: only multiples of it count.

    Raises:
        UsageError: more than one budget is to be met nearly.
        UnsupportedError: the values cannot be told apart exactly, or are too many to go through.
    """
    if largest is None:
        largest = any(budget.relation not in (">=", ">") for budget in landscape.budgets)
    spaced = None if step is None else lattice(0, Fraction(step))
    near = any(budget.relation == NEAR for budget in landscape.budgets)
    if near:
        found, unbounded = Nearest(landscape, spaced).best(largest=largest)
    else:
        search = Search(landscape, largest=largest, step=spaced)
        found, unbounded = search.best(), search.unbounded
    places = Places(landscape, spaced)
    place = None if found is None else places.at(found.inside)
    (name,) = landscape.names
    known = landscape.first if place is None else landscape.at({name: place.value}) or landscape.first
    symbol = known.formula.symbols[name]
    below, above = (None if place is None else places.beside(place, side) for side in (-1, 1))
    better = above if largest else below
    if not near and better is not None and not better.broken:
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
        ideal_roots(known, symbol, landscape.budgets, None if place is None else place.value),
        tuple(one.text for one in known.conditions),
    )
