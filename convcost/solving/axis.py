"""The values of one parameter for a search: evenly spaced ones, or the plateaus of a step function."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain, islice
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import sympy

from convcost.formulas.lattice import WHOLE_NUMBERS, Lattice, common, lattice_of
from convcost.formulas.steps import Piece, breaks, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from convcost.formulas.regions import Stretch
    from convcost.solving.landscape import Known

_CLOSE = 256  # a bracket this much narrower than its place has few steps in it
_FEW = 64
MAX_SQUARINGS = 14  # up to 2^16,384: a bound has at most 4,096 bits, and so has a coefficient
MAX_WALK = 20_000


class Axis:
    """The values of ``symbol`` on a stretch where one structure holds.

    Attributes:
        spaced: the values that conditions and a step leave, where they leave evenly spaced ones; None where a value
            may be any, and cost changes in steps.
        empty: whether conditions contradict each other.
    """

    def __init__(self, known: Known, symbol: Any, stretch: Stretch, step: Lattice | None) -> None:
        self._symbol = symbol
        self._stretch = stretch
        found = WHOLE_NUMBERS if symbol.is_integer else None
        self.empty = False
        for own in (step, *(lattice_of(one, symbol) for one in known.conditions)):
            if own is not None and not self.empty:
                both = own if found is None else common(found, own)
                self.empty = both is None
                found = both
        self.spaced = found
        self._stepping = sympy.Tuple(
            *known.margins, *(side for one in known.conditions for side in (one.left, one.right) if side is not None)
        )

    @property
    def low(self) -> Fraction:
        """Where the values begin."""
        return self._stretch.low

    @property
    def high(self) -> Fraction | None:
        """Where they end; None where they do not."""
        return self._stretch.high

    def between(self, low: Fraction, high: Fraction) -> list[Piece]:
        """What lies between two values, ends included, from left to right."""
        inside = []
        if self.spaced is not None:
            value = self.spaced.above(low)
            while value <= high:
                inside.append(Piece(value, value))
                value += self.spaced.step
        else:
            inside = [Piece(low, low), *pieces(breaks(self._stepping, self._symbol, low, high), low, high)]
            inside.append(Piece(high, high))
        return [one for one in inside if one.inside in self._stretch]

    def descending(self) -> Iterator[Piece]:
        """Everything on the stretch from its upper end down; the end itself is in it where the stretch is closed."""
        if self.high is not None:
            yield from self._at(self.high)
            yield from self.downwards(self.high)

    def ascending(self) -> Iterator[Piece]:
        """Everything on the stretch from its lower end up; the end itself is in it where the stretch is closed."""
        yield from self._at(self.low)
        yield from self.upwards(self.low)

    def _at(self, value: Fraction) -> Iterator[Piece]:
        if value in self._stretch and (self.spaced is None or value in self.spaced):
            yield Piece(value, value)

    def downwards(self, value: Fraction) -> Iterator[Piece]:
        """Everything below ``value``, nearest first."""
        if self.spaced is not None:
            place = self.spaced.below(value)
            place = place - self.spaced.step if place == value else place
            while place > 0 and place >= self.low:
                if place in self._stretch:
                    yield Piece(place, place)
                place -= self.spaced.step
            return
        right, width = value, value / _CLOSE
        while right > self.low:
            left = max(self.low, right - width)
            yield from reversed([one for one in self.between(left, right) if one.high <= right and one.low < right])
            right, width = left, width * 2

    def upwards(self, value: Fraction) -> Iterator[Piece]:
        """Everything above ``value``, nearest first."""
        if self.spaced is not None:
            place = self.spaced.above(max(value, self.low))
            place = place + self.spaced.step if place == value else place
            while self.high is None or place <= self.high:
                if place in self._stretch:
                    yield Piece(place, place)
                place += self.spaced.step
            return
        left, width = max(value, self.low), max(value, Fraction(1, 8)) / _CLOSE
        while self.high is None or left < self.high:
            right = left + width if self.high is None else min(self.high, left + width)
            yield from (one for one in self.between(left, right) if one.low >= left and one.high > left)
            left, width = right, width * 2

    def last(self, test: Callable[[Fraction], bool], start: Fraction) -> tuple[Piece | None, bool]:
        """The last place from ``start`` on where ``test`` holds; once it fails it must go on failing.

        Returns:
            The place, None where it holds nowhere; and whether it holds without end, which has no last place.
        """
        low, high = start, self.high
        if high is None:
            high = self._fails(test, start)
            if high is None:
                return None, True
        while (self.spaced is not None or high - low > high / _CLOSE) and not self._few(low, high):
            middle = _round(low, high)
            low, high = (middle, high) if test(middle) else (low, middle)
        found = [one for one in self.between(low, high) if test(one.inside)]
        if found:
            return found[-1], False
        return (next(iter(self.downwards(low)), None) if low > start else None), False

    def _fails(self, test: Callable[[Fraction], bool], start: Fraction) -> Fraction | None:
        high = max(start, Fraction(1))
        factor = Fraction(2)
        for _ in range(MAX_SQUARINGS):
            if not test(high):
                return high
            high, factor = high * factor, factor * factor
        return None

    def first(self, test: Callable[[Fraction], bool], start: Fraction) -> Piece | None:
        """The first place from ``start`` on where ``test`` holds; once it holds it must go on holding."""
        before, never = self.last(lambda value: not test(value), start)
        if never:
            return None
        after = start if before is None else before.high
        near = [one for one in self.between(after, after) if before is None or one.low > before.low]
        return next((one for one in chain(near, islice(self.upwards(after), MAX_WALK)) if test(one.inside)), None)

    def _few(self, low: Fraction, high: Fraction) -> bool:
        return self.spaced is not None and (high - low) / self.spaced.step <= _FEW


def _round(low: Fraction, high: Fraction) -> Fraction:
    """A number about halfway, with a short denominator, so that exact arithmetic stays quick."""
    middle = (low + high) / 2
    scale = 1
    while (high - low) * scale < 4:  # noqa: PLR2004 - four steps of the scale fit in between
        scale *= 2
    return Fraction(floor(middle * scale), scale)


def simplest(low: Fraction, *, low_in: bool, high: Fraction, high_in: bool) -> Fraction:
    """The decimal with the fewest digits in an interval; the least of them. The one number of a point as it is.

    >>> simplest(Fraction(767, 1024), low_in=True, high=Fraction(769, 1024), high_in=False)
    Fraction(3, 4)
    """
    if low == high:
        return low
    scale = 1
    while True:
        value = Fraction(ceil(low * scale), scale)
        if value == low and not low_in:
            value += Fraction(1, scale)
        if value < high or (high_in and value == high):
            return value
        scale *= 10
