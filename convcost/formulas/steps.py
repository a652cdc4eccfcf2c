"""Step functions of one symbol: the exact breakpoints of floors and rounded widths."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.numbers.functions import ROUNDING, CeilDiv, FloorDiv, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import line_in, outermost, replaced, single, terms_of
from convcost.numbers.printing import text
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_STEPS = 100_000
_HALF = Fraction(1, 2)
_PULLED_UP = 5  # multiples of the step below which the 90 % rule can set in


class Piece(NamedTuple):
    """A point, or the open interval between two: a step function has one value on each."""

    low: Fraction
    high: Fraction

    @property
    def inside(self) -> Fraction:
        """A number in the piece."""
        return (self.low + self.high) / 2


def pieces(points: list[Fraction], low: Fraction, high: Fraction) -> Iterator[Piece]:
    """The points in ``low < x < high`` and the intervals between them, from left to right."""
    ends = [low, *points, high]
    for index, (left, right) in enumerate(pairwise(ends)):
        if index:
            yield Piece(left, left)
        yield Piece(left, right)


@lru_cache(maxsize=4096)
def _functions_of(value: Any) -> list[Any]:
    """The outermost functions of an expression, or of a tuple of them."""
    return outermost(*value) if isinstance(value, tuple) else outermost(value)


def breaks(expr: Any, symbol: Any, low: Fraction, high: Fraction) -> list[Fraction]:
    """Where ``expr`` may change its value, or bend, between ``low`` and ``high``; in order, ends excluded.

    Args:
        expr: an expression in ``symbol`` alone, or a tuple of several.
        symbol: what changes.
        low: where to begin.
        high: where to end.

    Raises:
        UnsupportedError: the steps are at no rational place (a floor of a square), or too many.
    """
    points: set[Fraction] = set()
    for function in _functions_of(expr):
        if symbol in function.symbols:
            points |= set(_breaks_of(function, symbol, low, high))
            _check(len(points))
    return sorted(point for point in points if low < point < high)


def _check(count: int) -> None:
    if count > MAX_STEPS:
        raise UnsupportedError(f"more than {MAX_STEPS:,} steps to look at; narrow the range or give a --step")


def _breaks_of(function: Any, symbol: Any, low: Fraction, high: Fraction) -> Iterator[Fraction]:
    arguments = function.args if isinstance(function, Maximum | Minimum) else function.args[:1]
    inner = sorted({point for argument in arguments for point in breaks(argument, symbol, low, high)})
    yield from inner
    for left, right in pairwise([low, *inner, high]):
        lines = [line(argument, symbol, (left + right) / 2) for argument in arguments]
        if isinstance(function, ROUNDING):
            slope, start = lines[0]
            if slope:
                ends = sorted((slope * left + start, slope * right + start))
                yield from ((value - start) / slope for value in _thresholds(function, ends[0], ends[1]))
        else:
            for (a, b), (c, d) in combinations(lines, 2):
                if a != c:
                    yield (d - b) / (a - c)


def _thresholds(function: Any, low: Fraction, high: Fraction) -> Iterator[Fraction]:
    """Values of its argument, from ``low`` to ``high``, where a function steps."""
    if isinstance(function, FloorDiv | CeilDiv):
        step, offset = _step(function), Fraction(0)
    elif isinstance(function, RoundEven):
        step, offset = Fraction(1), _HALF
    else:
        step = _step(function)
        offset = step / 2
        yield from (step * k * Fraction(10, 9) for k in range(1, _PULLED_UP))
    first, last = ceil((low - offset) / step), floor((high - offset) / step)
    _check(last - first)
    yield from (offset + step * k for k in range(first, last + 1))


def _step(function: Any) -> Fraction:
    """What a function rounds to multiples of, or divides by; 1 if that is no number."""
    step = function.args[-1] if len(function.args) > 1 else 1
    return Fraction(step) if isinstance(step, int | Fraction) else Fraction(1)


def line(expr: Any, symbol: Any, at: Fraction) -> tuple[Fraction, Fraction]:
    """Slope and start of ``expr`` near ``at``, where it is linear.

    Raises:
        UnsupportedError: it is not.
    """
    fixed = {
        function: evaluate(function, {symbol: at}) for function in _functions_of(expr) if symbol in function.symbols
    }
    plain = replaced(expr, fixed)
    straight = line_in(plain, symbol)
    if straight is None:
        raise UnsupportedError(f"cannot tell where {text(plain)} takes its steps: it is not linear in {symbol.name}")
    return straight


class Trend(NamedTuple):
    """``slope * x + least <= value <= slope * x + most`` for all positive ``x``."""

    slope: Fraction
    least: Fraction
    most: Fraction


def trend(expr: Any, symbol: Any) -> Trend | None:
    """The linear bounds of ``expr``; None if there are none."""
    slope = least = most = Fraction(0)
    for monomial, coefficient in terms_of(expr).items():
        part = _trend_of(monomial, symbol)
        if part is None:
            return None
        ends = sorted((coefficient * part.least, coefficient * part.most))
        slope, least, most = slope + coefficient * part.slope, least + ends[0], most + ends[1]
    return Trend(slope, least, most)


def _trend_of(monomial: Any, symbol: Any) -> Trend | None:
    zero = Fraction(0)
    if not monomial:
        return Trend(zero, Fraction(1), Fraction(1))
    atom = single(monomial)
    if atom == symbol:
        return Trend(Fraction(1), zero, zero)
    inner = trend(atom.args[0], symbol) if isinstance(atom, ROUNDING) else None
    if inner is None:
        return None
    step = _step(atom)
    if isinstance(atom, FloorDiv):
        return Trend(inner.slope / step, inner.least / step - 1, inner.most / step)
    if isinstance(atom, CeilDiv):
        return Trend(inner.slope / step, inner.least / step, inner.most / step + 1)
    most = inner.most + (step if isinstance(atom, MakeDivisible) else _HALF)  # up to the next multiple
    return Trend(inner.slope, inner.least - step / 2, most)
