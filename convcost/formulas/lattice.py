"""Arithmetic progressions: the values of one symbol for which an expression is whole or a multiple."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple

from convcost.numbers.decisions import DIVIDES, WHOLE, Condition
from convcost.numbers.polynomial import Expr, line_in


class Lattice(NamedTuple):
    """The numbers ``offset + step * k`` for whole ``k``; ``0 <= offset < step``."""

    offset: Fraction
    step: Fraction

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | Fraction) and (value - self.offset) % self.step == 0

    def below(self, value: Fraction | int) -> Fraction:
        """The greatest member that is not above ``value``."""
        return value - (value - self.offset) % self.step

    def above(self, value: Fraction | int) -> Fraction:
        """The least member that is not below ``value``."""
        return value + (self.offset - value) % self.step


WHOLE_NUMBERS = Lattice(Fraction(0), Fraction(1))


def lattice(offset: Fraction | int, step: Fraction | int) -> Lattice:
    """``offset + step * k``, with the offset reduced to 0 or more and less than ``step``."""
    step = abs(Fraction(step))
    return Lattice(Fraction(offset) % step, step)


def common(a: Lattice, b: Lattice) -> Lattice | None:
    """The numbers that are in both; None if there are none.

    >>> common(lattice(0, Fraction(1, 4)), lattice(0, Fraction(1, 6)))
    Lattice(offset=Fraction(0, 1), step=Fraction(1, 2))
    """
    scale = lcm(*(part.denominator for part in (*a, *b)))
    (x, m), (y, n) = ((int(progression.offset * scale), int(progression.step * scale)) for progression in (a, b))
    shared = gcd(m, n)
    if (y - x) % shared:
        return None
    turns = (y - x) // shared * pow(m // shared, -1, n // shared) if n != shared else 0
    return lattice(Fraction(x + m * turns, scale), Fraction(lcm(m, n), scale))


def lattice_of(condition: Condition, symbol: Any) -> Lattice | None:
    """The values at which a divisibility holds; None if it is not linear in ``symbol`` alone."""
    if condition.relation not in (DIVIDES, WHOLE) or condition.symbols != {symbol}:
        return None
    divided = condition.left if condition.relation == WHOLE else condition.right
    divisor = Fraction(1) if condition.relation == WHOLE else condition.left
    line = None if isinstance(divisor, Expr) else line_in(divided, symbol)
    if line is None:
        return None
    slope, start = line
    return lattice(-start / slope, divisor / slope)


def as_condition(progression: Lattice, symbol: Any) -> Condition:
    """The condition that ``symbol`` is on the lattice."""
    scale = lcm(progression.offset.denominator, progression.step.denominator)
    top = scale * symbol - progression.offset * scale
    divisor = int(progression.step * scale)
    return Condition(top, WHOLE) if divisor == 1 else Condition(divisor, DIVIDES, top)
