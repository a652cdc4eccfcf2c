"""Where the largest or smallest value of one name lies that meets every budget.

The values fall into stretches on which the network has one structure. On each, a budget that provably gets harder
or easier to meet as the name grows is settled by halving; any other is settled by going through the values.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from sympy import divisors

from convcost.errors import UnsupportedError
from convcost.formulas.regions import Stretch, Within, overlap, where
from convcost.formulas.steps import Piece
from convcost.numbers.arithmetic import normal
from convcost.numbers.decisions import Condition, Kind
from convcost.numbers.symbols import to_number
from convcost.solving.axis import Axis, simplest
from convcost.solving.budgets import NEAR
from convcost.solving.growth import DOWN, growth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.formulas.lattice import Lattice
    from convcost.solving.landscape import Known, Landscape

    Test = Callable[[Fraction], bool]

EVERYTHING = Stretch(Fraction(0), low_in=False, high=None, high_in=False)
MAX_SCANNED = 20_000
_MAX_DEPTH = 40
_TRIED = 64  # values at which a structure is looked for on a stretch
_FAR = Fraction(2**40)  # whether a network goes on for ever is looked up beyond here
_TINY = Fraction(1, 4096)
_DOUBLINGS = 24
_RANGES = ("==", "!=", "<", "<=", ">", ">=")


class Search:
    """One search over one name of a landscape.

    Attributes:
        unbounded: whether the budgets were found to hold however large the value is.
    """

    def __init__(self, landscape: Landscape, *, largest: bool, step: Lattice | None) -> None:
        self.unbounded = False
        self._landscape = landscape
        self._largest = largest
        self._step = step
        (self._name,) = landscape.names
        self._symbol = landscape.first.formula.symbols[self._name]

    def best(self, stretch: Stretch = EVERYTHING, known: Known | None = None, depth: int = 0) -> Piece | None:
        """The best place on ``stretch`` that meets the budgets; None where there is none, or no last one."""
        if depth > _MAX_DEPTH:
            raise UnsupportedError(f"`{self._name}` changes the structure of the network too often to look at each")
        known = known or self._landscape.first
        parts = structure_parts(known, self._symbol, stretch)
        segments = [*((one, known) for one in parts), *((one, None) for one in gaps(stretch, parts))]
        segments.sort(key=lambda one: (one[0].low, not one[0].low_in), reverse=self._largest)
        for segment, own in segments:
            other = None if own is not None else self._structure_on(segment)
            if own is not None:
                found = self._on_part(own, segment)
            elif other is not None:
                found = self.best(segment, other, depth + 1)
            else:
                continue
            if found is not None or self.unbounded:
                return found
        return None

    def _structure_on(self, stretch: Stretch) -> Known | None:
        axis = Axis(self._landscape.first, self._symbol, stretch, self._step)
        middle = simplest(
            stretch.low, low_in=stretch.low_in, high=stretch.high or stretch.low + 2, high_in=stretch.high_in
        )
        for value in (middle, *(one.inside for one in islice(axis.upwards(stretch.low), _TRIED))):
            known = self._landscape.at({self._name: normal(value)}) if value in stretch else None
            if known is not None:
                return known
        return None

    def _on_part(self, known: Known, stretch: Stretch) -> Piece | None:
        axis = Axis(known, self._symbol, stretch, self._step)
        if axis.empty:
            return None
        listed = self._divisors(known, stretch)
        if listed is not None:
            return self._scan(reversed(listed) if self._largest else listed)
        start = stretch.low or (axis.spaced.above(_TINY) if axis.spaced is not None else _TINY)
        base = self._settled_from(known, start, stretch)
        if base is None:
            if stretch.high is None:
                raise UnsupportedError(f"cannot tell how the cost goes with `{self._name}` as it grows")
            return self._scan(axis.descending() if self._largest else axis.ascending())
        if self._largest:
            found = self._last(known, axis, base)
            settled = found is not None or self.unbounded or base == start
            return found if settled else self._scan(axis.downwards(base))
        early = self._scan(one for one in axis.between(start, base) if one.low < base) if base > start else None
        return early or self._first(known, axis, base)

    def _settled_from(self, known: Known, start: Fraction, stretch: Stretch) -> Fraction | None:
        """A value from which on every budget provably goes one way; None where none is seen."""
        base = start
        for _ in range(_DOUBLINGS):
            if all(growth(margin, self._symbol, base) is not None for margin in known.margins):
                return base
            base = max(Fraction(1), base * 2)
            if stretch.high is not None and base >= stretch.high:
                return None
        return None

    def _last(self, known: Known, axis: Axis, base: Fraction) -> Piece | None:
        keep, come = self._tests(known, base)
        found, endless = axis.last(lambda value: all(test(value) for test in keep), base)
        if endless:
            self.unbounded = axis.first(lambda value: all(test(value) for test in come), base) is not None
            far = axis.upwards(max(base, _FAR))
            if self.unbounded and not any(self._meets(one.inside) for one in islice(far, _TRIED)):
                raise UnsupportedError(f"cannot tell whether there is such a network for every large `{self._name}`")
        return None if found is None else self._scan(chain([found], axis.downwards(found.low)), come)

    def _first(self, known: Known, axis: Axis, base: Fraction) -> Piece | None:
        keep, come = self._tests(known, base)
        found = axis.first(lambda value: all(test(value) for test in come), base)
        return None if found is None else self._scan(chain([found], axis.upwards(found.high)), keep)

    def _tests(self, known: Known, base: Fraction) -> tuple[list[Test], list[Test]]:
        """Budgets that hold up to some value, and those that hold from some value on."""
        keep: list[Test] = []
        come: list[Test] = []
        for index, budget in enumerate(self._landscape.budgets):
            falls = growth(known.margins[index], self._symbol, base) == DOWN
            relations = ("<=", ">=") if budget.relation == "==" else (budget.relation,)
            for relation in relations:
                one = budget._replace(relation=relation)
                at_most = relation in ("<=", "<", NEAR)
                (keep if at_most != falls else come).append(self._test(known, index, one.holds))
        for needed in self._unlisted(known):
            course = growth(needed.left - needed.right, self._symbol, base)
            if course is None:
                continue
            falls = course == DOWN
            sides: tuple[Kind, ...] = ("<=", ">=") if needed.relation == "==" else (needed.relation,)
            for kind in sides:
                side = Condition(needed.left, kind, needed.right)
                (keep if (kind in ("<=", "<")) != falls else come).append(self._network(side))
        return keep, come

    def _unlisted(self, known: Known) -> list[Condition]:
        """The relations that the name must fulfil and of which it is not known on what stretches they hold."""
        own = [one for one in known.conditions if one.symbols == {self._symbol} and one.relation in _RANGES]
        return [one for one in own if one.relation != "!=" and _stretches(one, self._symbol) is None]

    def _network(self, needed: Condition) -> Test:
        return lambda value: needed.holds({self._symbol: normal(value)})

    def _test(self, known: Known, index: int, holds: Callable[[Any], bool]) -> Test:
        return lambda value: holds(known.costs({self._name: value})[f"margin {index}"])

    def _scan(self, places: Iterable[Piece], stop: Iterable[Test] = ()) -> Piece | None:
        """The first of ``places`` that makes a network and meets every budget; not beyond where a ``stop`` fails."""
        tests = list(stop)
        for count, place in enumerate(places):
            if count > MAX_SCANNED:
                raise UnsupportedError(f"more than {MAX_SCANNED:,} values of `{self._name}` to look at; give a --step")
            if not all(test(place.inside) for test in tests):
                return None
            if self._meets(place.inside):
                return place
        return None

    def _meets(self, value: Fraction) -> bool:
        values = {self._name: normal(value)}
        known = self._landscape.at(values)
        return known is not None and not self._landscape.broken(known.costs(values))

    def _divisors(self, known: Known, stretch: Stretch) -> list[Piece] | None:
        """The values there are, in order, where they must divide a number."""
        for one in known.conditions:
            number = to_number(one.right) if one.relation == "divides" and one.left == self._symbol else None
            if type(number) is int and number > 0:
                values = [Fraction(int(value)) for value in divisors(number)]
                return [Piece(value, value) for value in values if value in stretch]
        return None


def structure_parts(known: Known, symbol: Any, stretch: Stretch) -> list[Stretch]:
    """The stretches within ``stretch`` on which conditions on ``symbol`` alone hold, as far as they are ranges."""
    found = [stretch]
    for one in known.conditions:
        if one.symbols != {symbol}:
            continue
        own = _stretches(one, symbol)
        if own is not None:
            found = [both for a in found for b in own if (both := overlap(a, b)) is not None]
    return found


def _stretches(condition: Any, symbol: Any) -> list[Stretch] | None:
    if isinstance(condition, Within):
        return list(condition.stretches)
    if condition.relation not in _RANGES:
        return None
    try:
        return where([condition], symbol)
    except UnsupportedError:
        return None


def gaps(stretch: Stretch, parts: Iterable[Stretch]) -> list[Stretch]:
    """What ``parts`` leave of ``stretch``, from left to right."""
    left = [stretch]
    for part in parts:
        before = Stretch(Fraction(0), low_in=False, high=part.low, high_in=not part.low_in)
        pieces = [overlap(one, before) for one in left if part.low > 0]
        if part.high is not None:
            after = Stretch(part.high, low_in=not part.high_in, high=None, high_in=False)
            pieces += [overlap(one, after) for one in left]
        left = [one for one in pieces if one is not None]
    return sorted(left, key=lambda one: one.low)
