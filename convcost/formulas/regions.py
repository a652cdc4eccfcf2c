"""Combined conditions on one symbol: the intervals where all hold, and the required divisors."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.formulas.lattice import WHOLE_NUMBERS, as_condition, common, lattice_of
from convcost.formulas.steps import breaks, line, pieces, trend
from convcost.numbers.decisions import DIVIDES, WHOLE, Condition
from convcost.numbers.exact import RELATIONS
from convcost.numbers.polynomial import Expr, Symbol, atoms_of, replaced
from convcost.numbers.values import Evaluator, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_READABLE = 3  # stretches; more of them say less than the condition itself


class Stretch(NamedTuple):
    """An interval from ``low`` to ``high`` (None: infinity), with or without each end."""

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
    """The condition that a symbol is in one of several intervals."""

    __slots__ = ("stretches",)

    def __init__(self, symbol: Any, stretches: Sequence[Stretch], *, structural: bool) -> None:
        super().__init__(symbol, "in", None, structural=structural)
        self.stretches = tuple(stretches)

    def renamed(self, names: Mapping[Any, Any]) -> Within:
        """The same of another symbol."""
        return Within(replaced(self.left, names), self.stretches, structural=self.structural)

    @property
    def text(self) -> str:
        """``alpha > 5/18``; several stretches are joined by "or"."""
        return " or ".join(_stretch_text(self.left.name, stretch) for stretch in self.stretches)

    def holds(self, values: Mapping[Any, Any]) -> bool:
        """Whether the value of the symbol lies on one of them."""
        value = evaluate(self.left, values)
        return any(value in stretch for stretch in self.stretches)


def _stretch_text(name: str, stretch: Stretch) -> str:
    if stretch.high is None:
        return f"{name} {'>=' if stretch.low_in else '>'} {stretch.low}"
    right = f"{name} {'<=' if stretch.high_in else '<'} {stretch.high}"
    return right if stretch.low == 0 else f"{stretch.low} {'<=' if stretch.low_in else '<'} {right}"


def brought_together(conditions: Iterable[Condition], *, ranges: bool = True) -> tuple[Condition, ...]:
    """Equivalent conditions, fewer of them.

    Steps of a width multiplier become a range of it, divisibilities of one symbol a single one.

    Args:
        conditions: what holds.
        ranges: whether steps become ranges, which takes long: code compares two widths as quickly.
    """
    merges = (_ranges, _lattices, _divisors) if ranges else (_lattices, _divisors)
    left = list(dict.fromkeys(conditions))
    for symbol in sorted({free for condition in left for free in condition.symbols}, key=lambda s: s.name):
        own = [condition for condition in left if condition.symbols == {symbol}]
        for merge in merges:
            merged = merge(symbol, own)
            if merged is not None:
                before, together = merged
                place = left.index(before[0])
                left = [condition for condition in left if condition not in before]
                left.insert(place, together)
                own = [condition for condition in left if condition.symbols == {symbol}]
    return tuple(left)


_Merged = tuple[list[Condition], Condition] | None


def _lattices(symbol: Any, conditions: list[Condition]) -> _Merged:
    evenly = [condition for condition in conditions if lattice_of(condition, symbol) is not None]
    lattice = WHOLE_NUMBERS if symbol.whole else None
    for condition in evenly:
        own = lattice_of(condition, symbol)
        if own is not None:
            lattice = own if lattice is None else common(lattice, own)
            if lattice is None:
                return None  # they exclude each other; leave it to be seen
    if len(evenly) < (2 if symbol.whole else 1) or lattice is None:
        return None
    return evenly, as_condition(lattice, symbol)


def _divisors(symbol: Any, conditions: list[Condition]) -> _Merged:
    """``G divides 64`` and ``G divides 96`` as ``G divides 32``."""
    numbers = {
        condition: condition.right
        for condition in conditions
        if condition.relation == DIVIDES and condition.left == symbol
    }
    shared = [condition for condition, number in numbers.items() if type(number) is int]
    if len(shared) < 2:  # noqa: PLR2004 - two to bring together
        return None
    return shared, Condition(symbol, DIVIDES, gcd(*(int(numbers[condition] or 0) for condition in shared)))


def _ranges(symbol: Any, conditions: list[Condition]) -> _Merged:
    """Relations between step functions of a ratio, as the intervals where they all hold."""
    if symbol.whole:
        return None
    stepped = [
        condition for condition in conditions if condition.relation not in (DIVIDES, WHOLE, "in") and _steps(condition)
    ]
    if not stepped:
        return None
    try:
        stretches = where(stepped, symbol)
    except UnsupportedError:
        return None
    if stretches is None or not 1 <= len(stretches) <= _READABLE:
        return None
    return stepped, Within(symbol, stretches, structural=any(condition.structural for condition in stepped))


def _steps(condition: Condition) -> bool:
    return not (
        isinstance(condition.left, Symbol) and condition.right is not None and not isinstance(condition.right, Expr)
    )


def where(conditions: Sequence[Condition], symbol: Any) -> list[Stretch] | None:
    """The intervals of a positive ``symbol`` on which all relations hold; None if they cannot be determined."""
    stretches = [Stretch(Fraction(0), low_in=False, high=None, high_in=False)]
    for condition in conditions:
        own = _where(condition, symbol)
        if own is None:
            return None
        stretches = [both for a in stretches for b in own if (both := overlap(a, b)) is not None]
    return stretches


def _where(condition: Condition, symbol: Any) -> list[Stretch] | None:
    high = _settled(condition, symbol)
    if high is None:
        return None
    stretches: list[Stretch] = []
    sides, holds = Evaluator([condition.left, condition.right], [symbol]), RELATIONS[condition.relation]
    for piece in pieces([*_changes(condition, symbol, high), high], Fraction(0), high + 1):
        if not holds(*sides([piece.inside])):
            continue
        point = piece.low == piece.high
        new = Stretch(piece.low, point, None if piece.high > high else piece.high, point)
        if stretches and stretches[-1].high == new.low and (stretches[-1].high_in or new.low_in):
            new = new._replace(low=stretches[-1].low, low_in=stretches[-1].low_in)
            stretches.pop()
        stretches.append(new)
    return stretches


def overlap(a: Stretch, b: Stretch) -> Stretch | None:
    """The intersection of two intervals; None if it is empty."""
    low, low_in = max((a.low, not a.low_in), (b.low, not b.low_in))
    ends = [(stretch.high, stretch.high_in) for stretch in (a, b) if stretch.high is not None]
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
    if symbol not in atoms_of(difference):
        return points  # between them it is a number
    crossings = []
    for piece in pieces(points, Fraction(0), high):
        if piece.low < piece.high:
            slope, start = line(difference, symbol, piece.inside)
            if slope and piece.low < -start / slope < piece.high:
                crossings.append(-start / slope)
    return sorted({*points, *crossings})
