"""The value whose cost is nearest to a bound, wherever the cost rises and falls."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from convcost.errors import UnsupportedError, UsageError
from convcost.numbers.arithmetic import normal
from convcost.solving.budgets import NEAR
from convcost.solving.search import Search

if TYPE_CHECKING:
    from convcost.formulas.lattice import Lattice
    from convcost.formulas.steps import Piece
    from convcost.numbers.arithmetic import Num
    from convcost.solving.landscape import Landscape

_MAX_HALVINGS = 5000  # a distance has at most 4,096 bits


class Nearest:
    """One search for the value that meets the one ``~`` budget of a landscape best and all others exactly.

    Whether some cost lies within a distance of the bound is a question with two ordinary budgets. The distance is
    halved until no nearer cost is left, so a cost that is not monotone is no special case.
    """

    def __init__(self, landscape: Landscape, step: Lattice | None) -> None:
        """Prepare the search.

        Raises:
            UsageError: more than one budget is to be met nearly.
        """
        near = [one for one in landscape.budgets if one.relation == NEAR]
        if len(near) > 1:
            texts = " and ".join(one.text for one in near)
            raise UsageError(f"one budget with ~ at most, found {texts}; bound the others with <= or >=")
        (self._near,) = near
        self._others = [one for one in landscape.budgets if one.relation != NEAR]
        self._landscape = landscape
        self._step = step
        (self._name,) = landscape.names

    def best(self, *, largest: bool) -> tuple[Piece | None, bool]:
        """The nearest place, and whether values that near go on without end.

        Of several that are equally near, those within the bound come first, and of these the largest or smallest.

        Raises:
            UnsupportedError: the values cannot be told apart exactly, or are too many to go through.
        """
        distance = self._least_distance()
        if distance is None:
            return None, False
        for offset in dict.fromkeys((-distance, distance)):
            place, unbounded = self._search(("==", offset), largest=largest)
            if place is not None or unbounded:
                return place, unbounded
        raise UnsupportedError(f"cannot tell which `{self._name}` is nearest to {self._near.text}")

    def _least_distance(self) -> Fraction | None:
        """How near the cost comes to the bound; None where there is no network that meets the other budgets."""
        below, endless = self._search(("<=", Fraction(0)), largest=True)
        if endless:
            below, _ = self._search(("<=", Fraction(0)), largest=False)
        above, _ = self._search((">=", Fraction(0)), largest=False)
        distances = [self._distance(one) for one in (below, above) if one is not None]
        if not distances:
            return None
        least, high = Fraction(0), min(distances)
        for _ in range(_MAX_HALVINGS):
            nearer, _ = self._search((">", -high), ("<", high), largest=False)
            if nearer is None:
                return high
            high = self._distance(nearer)
            middle = (least + high) / 2
            halfway, _ = self._search((">=", -middle), ("<=", middle), largest=False)
            if halfway is None:
                least = middle
            else:
                high = self._distance(halfway)
        raise UnsupportedError(f"no `{self._name}` is nearest: the cost comes ever closer to {self._near.text}")

    def _search(self, *bounds: tuple[str, Fraction], largest: bool) -> tuple[Piece | None, bool]:
        """The best place whose cost fulfils relations to the bound plus an offset; and whether there is no last."""
        near = [self._near._replace(relation=relation, offset=normal(offset)) for relation, offset in bounds]
        self._landscape = self._landscape.against([*near, *self._others])
        search = Search(self._landscape, largest=largest, step=self._step)
        return search.best(), search.unbounded

    def _distance(self, place: Piece) -> Fraction:
        """How far the cost of ``place`` is from the bound itself."""
        values: dict[str, Num] = {self._name: normal(place.inside)}
        known = self._landscape.at(values)
        if known is None:
            raise UnsupportedError(f"there is no such network at {self._name} = {values[self._name]}")
        offset = self._landscape.budgets[0].offset
        return abs(Fraction(known.costs(values)["margin 0"]) + Fraction(offset))
