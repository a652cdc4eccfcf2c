"""The feasible values of one parameter on a stretch where one structure holds.

They are evenly spaced (a lattice), or they are all values of the stretch. Then costs change at breakpoints only, and a
candidate is a breakpoint, or the interval between two of them.
"""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from itertools import chain, islice
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from convcost.formulas.lattice import WHOLE_NUMBERS, Lattice, common, lattice_of
from convcost.formulas.regions import Stretch, overlap
from convcost.formulas.steps import Piece, breaks, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from convcost.numbers.decisions import Condition
    from convcost.solving.costs import Structure

EVERYTHING = Stretch(Fraction(0), low_in=False, high=None, high_in=False)
MAX_SQUARINGS = 14  # up to 2^16,384: a bound has at most 4,096 bits, and so has a coefficient
MAX_WALK = 20_000
_CLOSE = 256  # a bracket this much narrower than its position has few breakpoints in it


class Candidates:
    """The values of ``symbol`` on a stretch where one structure holds.

    Attributes:
        spaced: the lattice that conditions and a step leave; None where a value may be any, and costs change in steps.
        empty: whether conditions contradict each other.
    """

    def __init__(self, structure: Structure, symbol: Any, stretch: Stretch, step: Lattice | None) -> None:
        self._symbol = symbol
        self._stretch = stretch
        self._structure = structure
        self.spaced = WHOLE_NUMBERS if symbol.whole else None
        self.empty = False
        for lattice in (step, *(lattice_of(condition, symbol) for condition in structure.conditions)):
            if lattice is not None and not self.empty:
                both = lattice if self.spaced is None else common(self.spaced, lattice)
                self.empty = both is None
                self.spaced = both

    @property
    def low(self) -> Fraction:
        """Where the values begin."""
        return self._stretch.low

    @property
    def high(self) -> Fraction | None:
        """Where they end; None where they do not."""
        return self._stretch.high

    def are_few(self, most: int) -> bool:
        """Whether the values are a lattice of at most ``most`` values."""
        if self.spaced is None or self.high is None:
            return False
        return (self.high - self.low) / self.spaced.step <= most

    def between(self, low: Fraction, high: Fraction) -> list[Piece]:
        """The candidates between two values, ends included, from left to right."""
        inside = []
        if self.spaced is not None:
            value = self.spaced.above(low)
            while value <= high:
                inside.append(Piece(value, value))
                value += self.spaced.step
        else:
            points = breaks(self._structure.stepping, self._symbol, low, high)
            inside = [Piece(low, low), *pieces(points, low, high), Piece(high, high)]
        return [piece for piece in inside if piece.inside in self._stretch]

    def descending(self) -> Iterator[Piece]:
        """All candidates from the upper end down; the end itself is one where the stretch is closed."""
        if self.high is not None:
            yield from self._at(self.high)
            yield from self.downwards(self.high)

    def ascending(self) -> Iterator[Piece]:
        """All candidates from the lower end up; the end itself is one where the stretch is closed."""
        yield from self._at(self.low)
        yield from self.upwards(self.low)

    def _at(self, value: Fraction) -> Iterator[Piece]:
        if value in self._stretch and (self.spaced is None or value in self.spaced):
            yield Piece(value, value)

    def downwards(self, value: Fraction) -> Iterator[Piece]:
        """All candidates below ``value``, nearest first."""
        if self.spaced is not None:
            lower = self.spaced.below(value)
            lower = lower - self.spaced.step if lower == value else lower
            while lower > 0 and lower >= self.low:
                if lower in self._stretch:
                    yield Piece(lower, lower)
                lower -= self.spaced.step
            return
        right, width = value, value / _CLOSE
        while right > self.low:
            left = max(self.low, right - width)
            yield from reversed([piece for piece in self.between(left, right) if piece.low < right])
            right, width = left, width * 2

    def upwards(self, value: Fraction) -> Iterator[Piece]:
        """All candidates above ``value``, nearest first."""
        if self.spaced is not None:
            upper = self.spaced.above(max(value, self.low))
            upper = upper + self.spaced.step if upper == value else upper
            while self.high is None or upper <= self.high:
                if upper in self._stretch:
                    yield Piece(upper, upper)
                upper += self.spaced.step
            return
        left, width = max(value, self.low), max(value, Fraction(1, 8)) / _CLOSE
        while self.high is None or left < self.high:
            right = left + width if self.high is None else min(self.high, left + width)
            yield from (piece for piece in self.between(left, right) if piece.high > left)
            left, width = right, width * 2

    def last(self, test: Callable[[Fraction], bool], start: Fraction) -> tuple[Piece | None, bool]:
        """The last candidate from ``start`` on where ``test`` holds; once it fails it must go on failing.

        Returns:
            The candidate, None where it holds nowhere; and whether it holds without end, so that there is no last one.
        """
        low, high = start, self.high
        if high is None:
            high = self._failing(test, start)
            if high is None:
                return None, True
        while high - low > (high / _CLOSE if self.spaced is None else 2 * self.spaced.step):
            middle = _round(low, high) if self.spaced is None else self.spaced.above((low + high) / 2)
            low, high = (middle, high) if test(middle) else (low, middle)
        near = self.between(low, high)
        first_failing = bisect_left(near, True, key=lambda piece: not test(piece.inside))  # noqa: FBT003
        if first_failing:
            return near[first_failing - 1], False
        return (next(iter(self.downwards(low)), None) if low > start else None), False

    def _failing(self, test: Callable[[Fraction], bool], start: Fraction) -> Fraction | None:
        high, factor = max(start, Fraction(1)), Fraction(2)
        for _ in range(MAX_SQUARINGS):
            if not test(high):
                return high
            high, factor = high * factor, factor * factor
        return None

    def first(self, test: Callable[[Fraction], bool], start: Fraction) -> Piece | None:
        """The first candidate from ``start`` on where ``test`` holds; once it holds it must go on holding."""
        before, never = self.last(lambda value: not test(value), start)
        if never:
            return None
        after = start if before is None else before.high
        near = [piece for piece in self.between(after, after) if before is None or piece.low > before.low]
        above = islice(self.upwards(after), MAX_WALK)
        return next((piece for piece in chain(near, above) if test(piece.inside)), None)


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


def structure_parts(structure: Structure, symbol: Any, stretch: Stretch) -> list[Stretch]:
    """The stretches within ``stretch`` on which conditions on ``symbol`` alone hold, as far as they are ranges."""
    return _where_all(structure, structure.conditions, symbol, stretch)


def other_structures(structure: Structure, symbol: Any, stretch: Stretch) -> list[Stretch]:
    """The stretches within ``stretch`` on which the network may have another structure.

    Where all conditions of structure hold and another condition does not, there is no network at all.
    """
    structural = [condition for condition in structure.conditions if condition.structural]
    if all(structure.stretches(condition, symbol) is not None for condition in structural):
        return gaps(stretch, _where_all(structure, structural, symbol, stretch))
    return gaps(stretch, structure_parts(structure, symbol, stretch))


def _where_all(structure: Structure, conditions: Iterable[Condition], symbol: Any, stretch: Stretch) -> list[Stretch]:
    parts = [stretch]
    for condition in conditions:
        own = structure.stretches(condition, symbol)
        if own is not None:
            parts = [both for a in parts for b in own if (both := overlap(a, b)) is not None]
    return parts


def gaps(stretch: Stretch, parts: Iterable[Stretch]) -> list[Stretch]:
    """What ``parts`` leave of ``stretch``, from left to right."""
    left = [stretch]
    for part in parts:
        before = Stretch(Fraction(0), low_in=False, high=part.low, high_in=not part.low_in)
        remains = [overlap(gap, before) for gap in left if part.low > 0]
        if part.high is not None:
            after = Stretch(part.high, low_in=not part.high_in, high=None, high_in=False)
            remains += [overlap(gap, after) for gap in left]
        left = [gap for gap in remains if gap is not None]
    return sorted(left, key=lambda gap: gap.low)
