"""Step functions of one symbol: the exact breakpoints of floors and rounded widths."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise
from math import ceil, floor
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.errors import UnsupportedError
from convcost.numbers.printing import text
from convcost.numbers.symbols import (
    CeilDiv,
    FloorDiv,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    evaluate,
    terms_of,
    to_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

STEPPING = (FloorDiv, CeilDiv, MakeDivisible, RoundEven)
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
def functions_in(expr: Any) -> frozenset[Any]:
    """The outermost functions in ``expr``: what is left is a polynomial of these and of symbols."""
    if isinstance(expr, sympy.Function):
        return frozenset({expr})
    return frozenset(function for argument in expr.args for function in functions_in(argument))


def breaks(expr: Any, symbol: Any, low: Fraction, high: Fraction) -> list[Fraction]:
    """Where ``expr`` may change its value, or bend, between ``low`` and ``high``; in order, ends excluded.

    Args:
        expr: an expression in ``symbol`` alone.
        symbol: what changes.
        low: where to begin.
        high: where to end.

    Raises:
        UnsupportedError: the steps are at no rational place (a floor of a square), or too many.
    """
    points: set[Fraction] = set()
    for function in functions_in(expr):
        if function.has(symbol):
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
        if isinstance(function, STEPPING):
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
        step, offset = Fraction(to_number(function.args[1]) or 1), Fraction(0)
    elif isinstance(function, RoundEven):
        step, offset = Fraction(1), _HALF
    else:
        step = Fraction(to_number(function.args[1]) or 1)
        offset = step / 2
        yield from (step * k * Fraction(10, 9) for k in range(1, _PULLED_UP))
    first, last = ceil((low - offset) / step), floor((high - offset) / step)
    _check(last - first)
    yield from (offset + step * k for k in range(first, last + 1))


def line(expr: Any, symbol: Any, at: Fraction) -> tuple[Fraction, Fraction]:
    """Slope and start of ``expr`` near ``at``, where it is linear.

    Raises:
        UnsupportedError: it is not.
    """
    fixed = {function: evaluate(function, {symbol: at}) for function in functions_in(expr) if function.has(symbol)}
    return _plain_line(
        expr.xreplace({function: sympy.Rational(Fraction(value)) for function, value in fixed.items()}), symbol
    )


@lru_cache(maxsize=4096)
def _plain_line(expr: Any, symbol: Any) -> tuple[Fraction, Fraction]:
    terms = terms_of(expr)
    if not set(terms) <= {symbol, sympy.S.One}:
        raise UnsupportedError(f"cannot tell where {text(expr)} takes its steps: it is not linear in {symbol.name}")
    slope, start = (Fraction(to_number(terms.get(term, sympy.S.Zero)) or 0) for term in (symbol, sympy.S.One))
    return slope, start


class Trend(NamedTuple):
    """``slope * x + least <= value <= slope * x + most`` for all positive ``x``."""

    slope: Fraction
    least: Fraction
    most: Fraction


def trend(expr: Any, symbol: Any) -> Trend | None:
    """The linear bounds of ``expr``; None if there are none."""
    slope = least = most = Fraction(0)
    for monomial, factor in terms_of(expr).items():
        coefficient = Fraction(to_number(factor) or 0)
        part = _trend_of(monomial, symbol)
        if part is None:
            return None
        ends = sorted((coefficient * part.least, coefficient * part.most))
        slope, least, most = slope + coefficient * part.slope, least + ends[0], most + ends[1]
    return Trend(slope, least, most)


def _trend_of(monomial: Any, symbol: Any) -> Trend | None:
    zero = Fraction(0)
    if monomial == symbol:
        return Trend(Fraction(1), zero, zero)
    if monomial == 1:
        return Trend(zero, Fraction(1), Fraction(1))
    inner = trend(monomial.args[0], symbol) if isinstance(monomial, STEPPING) else None
    if inner is None:
        return None
    step = Fraction(1) if isinstance(monomial, RoundEven) else Fraction(to_number(monomial.args[1]) or 1)
    if isinstance(monomial, FloorDiv):
        return Trend(inner.slope / step, inner.least / step - 1, inner.most / step)
    if isinstance(monomial, CeilDiv):
        return Trend(inner.slope / step, inner.least / step, inner.most / step + 1)
    most = inner.most + (step if isinstance(monomial, MakeDivisible) else _HALF)  # up to the next multiple
    return Trend(inner.slope, inner.least - step / 2, most)
