"""Proved bounds of expressions, by interval arithmetic; and whether an expression grows with its symbols."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.numbers.polynomial import Expr, Function, Group, Power, Symbol, Value, terms_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from convcost.numbers.exact import Number
    from convcost.numbers.polynomial import Atom, Monomial


class Range(NamedTuple):
    """``low <= value <= high``; an end is infinite if no bound is known."""

    low: Any
    high: Any


ANY = Range(-inf, inf)


def lower_bound(value: Value, least: Mapping[Any, Number] | None = None) -> Number | None:
    """A number that ``value`` never falls below; None if none is known.

    Args:
        value: a number or an expression.
        least: the least value of symbols, and of functions where one is known. Of those not listed: 1 of a symbol
            for whole numbers above 0, 0 of others.
    """
    low: Number = value_range(value, least or {}).low
    return None if low == -inf else low


def value_range(value: Value, least: Mapping[Any, Number]) -> Range:
    """Numbers that ``value`` lies between, by interval arithmetic; arguments as :func:`lower_bound`."""
    if not isinstance(value, Expr):
        return Range(value, value)
    low: Any = 0
    high: Any = 0
    for monomial, coefficient in value.terms.items():
        part = Range(coefficient, coefficient)
        for atom, exponent in monomial:
            part = times(part, _raised(_range_of(atom, least), exponent))
        low, high = low + part.low, high + part.high
    return Range(low, high)


def _range_of(atom: Atom, least: Mapping[Any, Number]) -> Range:
    if isinstance(atom, Symbol):
        return Range(least.get(atom, int(atom.whole and atom.positive)), inf)
    if isinstance(atom, Group):
        return value_range(atom.inside, least)
    if isinstance(atom, Power) or not isinstance(atom, Function):
        return ANY
    bounds = atom.interval([value_range(argument, least) for argument in atom.args], least)
    return bounds._replace(low=max(bounds.low, least[atom])) if atom in least else bounds


def each(rule: Callable[[Any], Any], argument: Range) -> Range:
    """The range of a monotone function."""
    return Range(*(end if end in (inf, -inf) else rule(Fraction(end)) for end in argument))


def times(a: Range, b: Range) -> Range:
    """The range of a product."""
    ends = [0 if 0 in (x, y) else x * y for x in a for y in b]
    return Range(min(ends), max(ends))


def inverse(divisor: Range) -> Range:
    """The range of ``1 / value``, of a divisor that is above 0."""
    if divisor.low < 0:
        return ANY
    high = inf if divisor.low == 0 else 1 / Fraction(divisor.low)
    return Range(0 if divisor.high == inf else 1 / Fraction(divisor.high), high)


def _raised(base: Range, exponent: int) -> Range:
    if exponent == 1:
        return base
    if exponent < 0:
        return _raised(inverse(base), -exponent) if base.low >= 0 else ANY
    odd = exponent % 2
    ends = [end if end in (inf, -inf) and odd else abs(end) if end in (inf, -inf) else end**exponent for end in base]
    if odd:
        return Range(*ends)
    return Range(0 if base.low < 0 < base.high else min(ends), max(ends))


def is_monotone(value: Value) -> bool:
    """Whether ``value`` certainly never falls when one of its positive symbols grows."""
    for monomial, coefficient in terms_in(value).items():
        if not monomial:
            continue
        alone = len(monomial) == 1 and monomial[0][1] == 1 and coefficient == 1
        if not alone and (coefficient < 0 or not _is_not_negative(monomial)):
            return False
        if not all(exponent > 0 and _grows(atom) for atom, exponent in monomial):
            return False
    return True


def _is_not_negative(monomial: Monomial) -> bool:
    return all(_range_of(atom, {}).low >= 0 for atom, _ in monomial)


def _grows(atom: Atom) -> bool:
    if isinstance(atom, Function):
        return atom.grows()
    return isinstance(atom, Symbol) or (isinstance(atom, Group) and is_monotone(atom.inside))
