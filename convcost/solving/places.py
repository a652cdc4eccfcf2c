"""A value of one parameter, its plateau of equal cost, its costs, and the adjacent plateaus."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError
from convcost.formulas.regions import Stretch
from convcost.numbers.arithmetic import normal
from convcost.solving.axis import Axis, simplest
from convcost.solving.search import EVERYTHING, structure_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.formulas.lattice import Lattice
    from convcost.numbers.arithmetic import Num
    from convcost.solving.budgets import Budget
    from convcost.solving.landscape import Known, Landscape

MAX_NEIGHBOURS = 400  # places looked through for the next one that makes a network, or costs something else


class Place(NamedTuple):
    """A value of the name, and all others that cost the same.

    Attributes:
        value: the simplest number of them.
        range: from where to where; a single value where the name takes whole or evenly spaced ones.
        costs: by quantity, counted layer by layer.
        broken: the budgets that it does not meet.
    """

    value: Num
    range: Stretch
    costs: dict[str, Num]
    broken: tuple[Budget, ...]


class Places:
    """Makes places of values on one landscape."""

    def __init__(self, landscape: Landscape, step: Lattice | None) -> None:
        self._landscape = landscape
        self._step = step
        (self._name,) = landscape.names
        self._symbol = landscape.first.formula.symbols[self._name]

    def at(self, value: Fraction) -> Place:
        """The place that ``value`` belongs to."""
        known = self._landscape.at({self._name: normal(value)})
        if known is None:
            raise UnsupportedError(f"there is no such network at {self._name} = {normal(value)}")
        stretch = next(one for one in structure_parts(known, self._symbol, EVERYTHING) if value in one)
        axis = Axis(known, self._symbol, stretch, self._step)
        wide = Stretch(value, low_in=True, high=value, high_in=True)
        if axis.spaced is None:
            wide = self._widened(known, axis, value)
        high = value if wide.high is None else wide.high
        shown = normal(simplest(wide.low, low_in=wide.low_in, high=high, high_in=wide.high_in))
        counted = self._landscape.count({self._name: shown})
        broken = self._landscape.broken(known.costs({self._name: shown}))
        return Place(shown, wide, {name: counted[name] for name in self._landscape.reported}, tuple(broken))

    def _widened(self, known: Known, axis: Axis, value: Fraction) -> Stretch:
        """From where to where the cost stays what it is at ``value``."""
        here = self._cost(known, value)
        wide = Stretch(value, low_in=True, high=value, high_in=True)
        for one in islice(axis.downwards(value), MAX_NEIGHBOURS):
            if self._cost(known, one.inside) != here:
                break
            wide = wide._replace(low=one.low, low_in=one.low == one.high)
        for one in islice(axis.upwards(value), MAX_NEIGHBOURS):
            if self._cost(known, one.inside) != here:
                break
            wide = wide._replace(high=one.high, high_in=one.low == one.high)
        return wide

    def _cost(self, known: Known, value: Fraction) -> list[Num] | None:
        values = {self._name: normal(value)}
        costs = known.costs(values) if known.holds(values) else None
        return None if costs is None else [costs[name] for name in self._landscape.reported]

    def beside(self, place: Place, side: int) -> Place | None:
        """The next place above (1) or below (-1) that makes a network; None where there is none near."""
        edge = place.range.high if side > 0 else place.range.low
        if edge is None:
            return None
        for value in islice(self._from(edge, side), MAX_NEIGHBOURS):
            if value > 0 and value not in place.range and self._landscape.at({self._name: normal(value)}) is not None:
                return self.at(value)
        return None

    def _from(self, edge: Fraction, side: int) -> Iterator[Fraction]:
        known = self._landscape.at({self._name: normal(edge)}) or self._landscape.first
        axis = Axis(known, self._symbol, EVERYTHING, self._step)
        yield edge
        for one in axis.upwards(edge) if side > 0 else axis.downwards(edge):
            yield one.inside

    def first(self) -> Place | None:
        """The smallest value that makes a network."""
        axis = Axis(self._landscape.first, self._symbol, EVERYTHING, self._step)
        for one in islice(axis.upwards(Fraction(0)), MAX_NEIGHBOURS):
            if self._landscape.at({self._name: normal(one.inside)}) is not None:
                return self.at(one.inside)
        return None
