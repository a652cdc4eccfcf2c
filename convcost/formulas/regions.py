"""Combined conditions on one symbol: the intervals where all hold, and the required divisors."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.formulas.lattice import WHOLE_NUMBERS, as_condition, common, lattice_of
from convcost.formulas.steps import breaks, line, pieces, trend
from convcost.numbers.decisions import DIVIDES, WHOLE, Condition
from convcost.numbers.symbols import evaluate, to_number, to_sympy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_READABLE = 3  # stretches; more of them say less than the condition itself


class Stretch(NamedTuple):
    """From ``low`` to ``high`` (None: without end), each end in it or not."""

    low: Fraction
    low_in: bool
    high: Fraction | None
    high_in: bool

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | Fraction):
            return False
        above = value > self.low or (self.low_in and value == self.low)
        return above and (self.high is None or value < self.high or (self.high_in and value == self.high))


class Within(Condition):
    """That a symbol lies on one of several stretches."""

    __slots__ = ("stretches",)

    def __init__(self, symbol: Any, stretches: Sequence[Stretch], *, structural: bool) -> None:
        super().__init__(symbol, "in", None, structural=structural)
        self.stretches = tuple(stretches)

    def renamed(self, names: Mapping[Any, Any]) -> Within:
        """The same of another symbol."""
        return Within(self.left.xreplace(dict(names)), self.stretches, structural=self.structural)

    @property
    def text(self) -> str:
        """``alpha > 5/18``; several stretches are joined by "or"."""
        return " or ".join(_stretch_text(self.left.name, one) for one in self.stretches)

    def holds(self, values: Mapping[Any, Any]) -> bool:
        """Whether the value of the symbol lies on one of them."""
        value = evaluate(self.left, dict(values))
        return any(value in one for one in self.stretches)


def _stretch_text(name: str, one: Stretch) -> str:
    if one.high is None:
        return f"{name} {'>=' if one.low_in else '>'} {one.low}"
    right = f"{name} {'<=' if one.high_in else '<'} {one.high}"
    return right if one.low == 0 else f"{one.low} {'<=' if one.low_in else '<'} {right}"


def brought_together(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """``conditions`` in fewer words; what holds stays the same.

    Steps of a width multiplier become a range of it, divisibilities of one symbol a single one.
    """
    left = list(dict.fromkeys(conditions))
    for symbol in sorted({one for condition in left for one in condition.symbols}, key=lambda s: s.name):
        own = [one for one in left if one.symbols == {symbol}]
        for merge in (_ranges, _lattices, _divisors):
            merged = merge(symbol, own)
            if merged is not None:
                replaced, together = merged
                place = left.index(replaced[0])
                left = [one for one in left if one not in replaced]
                left.insert(place, together)
                own = [one for one in left if one.symbols == {symbol}]
    return tuple(left)


_Merged = tuple[list[Condition], Condition] | None


def _lattices(symbol: Any, conditions: list[Condition]) -> _Merged:
    replaced = [one for one in conditions if lattice_of(one, symbol) is not None]
    found = WHOLE_NUMBERS if symbol.is_integer else None
    for one in replaced:
        own = lattice_of(one, symbol)
        if own is not None:
            found = own if found is None else common(found, own)
            if found is None:
                return None  # they exclude each other; leave it to be seen
    if len(replaced) < (2 if symbol.is_integer else 1) or found is None:
        return None
    return replaced, as_condition(found, symbol)


def _divisors(symbol: Any, conditions: list[Condition]) -> _Merged:
    """``G divides 64`` and ``G divides 96`` as ``G divides 32``."""
    numbers = {one: to_number(one.right) for one in conditions if one.relation == DIVIDES and one.left == symbol}
    replaced = [one for one, number in numbers.items() if type(number) is int]
    if len(replaced) < 2:  # noqa: PLR2004 - two to bring together
        return None
    return replaced, Condition(symbol, DIVIDES, to_sympy(gcd(*(int(numbers[one] or 0) for one in replaced))))


def _ranges(symbol: Any, conditions: list[Condition]) -> _Merged:
    """Relations between step functions of a ratio, as the stretches where they all hold."""
    if symbol.is_integer:
        return None
    stepped = [one for one in conditions if one.relation not in (DIVIDES, WHOLE, "in") and _steps(one)]
    if not stepped:
        return None
    try:
        stretches = where(stepped, symbol)
    except UnsupportedError:
        return None
    if stretches is None or not 1 <= len(stretches) <= _READABLE:
        return None
    return stepped, Within(symbol, stretches, structural=any(one.structural for one in stepped))


def _steps(condition: Condition) -> bool:
    return not (condition.left.is_Symbol and condition.right is not None and condition.right.is_Number)


def where(conditions: Sequence[Condition], symbol: Any) -> list[Stretch] | None:
    """The intervals of a positive ``symbol`` on which all relations hold; None if they cannot be determined."""
    found = [Stretch(Fraction(0), low_in=False, high=None, high_in=False)]
    for one in conditions:
        own = _where(one, symbol)
        if own is None:
            return None
        found = [both for a in found for b in own if (both := overlap(a, b)) is not None]
    return found


def _where(condition: Condition, symbol: Any) -> list[Stretch] | None:
    high = _settled(condition, symbol)
    if high is None:
        return None
    found: list[Stretch] = []
    for piece in pieces([*_changes(condition, symbol, high), high], Fraction(0), high + 1):
        if not condition.holds({symbol: piece.inside}):
            continue
        point = piece.low == piece.high
        new = Stretch(piece.low, point, None if piece.high > high else piece.high, point)
        if found and found[-1].high == new.low and (found[-1].high_in or new.low_in):
            new = new._replace(low=found[-1].low, low_in=found[-1].low_in)
            found.pop()
        found.append(new)
    return found


def overlap(a: Stretch, b: Stretch) -> Stretch | None:
    """What two stretches share."""
    low, low_in = max((a.low, not a.low_in), (b.low, not b.low_in))
    ends = [(one.high, one.high_in) for one in (a, b) if one.high is not None]
    high, high_in = min(ends) if ends else (None, False)
    both = Stretch(low, not low_in, high, high_in)
    empty = high is not None and (low > high or (low == high and not (both.low_in and both.high_in)))
    return None if empty else both


def _settled(condition: Condition, symbol: Any) -> Fraction | None:
    """A value of ``symbol`` beyond which the relation no longer changes."""
    course = trend(condition.left - condition.right, symbol)
    if course is None:
        return None
    if course.slope == 0:
        return None
    return max(abs(course.least), abs(course.most)) / abs(course.slope) or Fraction(1)


def _changes(condition: Condition, symbol: Any, high: Fraction) -> list[Fraction]:
    """Where the relation may change between 0 and ``high``."""
    difference = condition.left - condition.right
    points = breaks(difference, symbol, Fraction(0), high)
    crossings = []
    for piece in pieces(points, Fraction(0), high):
        if piece.low < piece.high:
            slope, start = line(difference, symbol, piece.inside)
            if slope and piece.low < -start / slope < piece.high:
                crossings.append(-start / slope)
    return sorted({*points, *crossings})
