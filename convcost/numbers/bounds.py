"""Proved properties of an expression for all values of its symbols: bounds and monotonicity."""

from __future__ import annotations

from fractions import Fraction
from math import floor, inf
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy
from sympy import Add

from convcost.numbers.atoms import (
    CeilDiv,
    FloorDiv,
    Gcd,
    MakeDivisible,
    Maximum,
    Minimum,
    Number,
    RoundEven,
    is_whole_polynomial,
    terms_of,
    to_number,
)
from convcost.numbers.rounding import make_divisible, round_even

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Range(NamedTuple):
    """``low <= value <= high``; an end is infinite where no number is known."""

    low: Any
    high: Any


ANY = Range(-inf, inf)


def lower_bound(expr: Any, least: Mapping[Any, Number] | None = None) -> Number | None:
    """A number that ``expr`` never falls below; None if none is known.

    Args:
        expr: an expression.
        least: the least value of symbols, and of functions where one is known. Of those not listed: 1 of a symbol
            for whole numbers above 0, 0 of others.
    """
    low: Number = value_range(expr, least or {}).low
    return None if low == -inf else low


def value_range(expr: Any, least: Mapping[Any, Number]) -> Range:
    """Numbers that ``expr`` lies between, by interval arithmetic; arguments as :func:`lower_bound`."""
    number = to_number(expr)
    if number is not None:
        return Range(number, number)
    if expr.is_Symbol:
        return Range(least.get(expr, _least_of(expr)), inf)
    found = _combined(expr, [value_range(argument, least) for argument in expr.args])
    if isinstance(expr, FloorDiv) and not expr.args[1].is_Rational and found.low == 0:
        numerator, divisor = expr.args  # ceil(H/stride), of which intervals do not see that both strides are one
        if value_range(sympy.expand(numerator - divisor), least).low >= 0:
            found = found._replace(low=1)
    return found._replace(low=max(found.low, least[expr])) if expr in least else found


def _least_of(symbol: Any) -> Any:
    if symbol.is_positive:
        return 1 if symbol.is_integer else 0
    return 0 if symbol.is_nonnegative else -inf


def _combined(expr: Any, parts: list[Range]) -> Range:
    if expr.is_Add:
        return Range(sum(one.low for one in parts), sum(one.high for one in parts))
    if expr.is_Mul:
        product = Range(1, 1)
        for one in parts:
            product = _times(product, one)
        return product
    if expr.is_Pow:
        return _raised(parts[0], expr.exp)
    rules: dict[Any, Callable[..., Range]] = {
        FloorDiv: lambda p, q: _each(floor, _times(p, _inverse(q))),
        CeilDiv: lambda p, q: _each(lambda x: -floor(-x), _times(p, _inverse(q))),
        MakeDivisible: _of_make_divisible,
        RoundEven: lambda v: _each(round_even, v),
        Gcd: _of_gcd,
        Maximum: lambda *v: Range(max(one.low for one in v), max(one.high for one in v)),
        Minimum: lambda *v: Range(min(one.low for one in v), min(one.high for one in v)),
    }
    rule = rules.get(expr.func)
    found = ANY if rule is None else rule(*parts)
    if isinstance(expr, CeilDiv) and found.low == 0 and expr.args[0].is_positive:
        return found._replace(low=1)  # a ratio is above 0, which an end of a range does not say
    return found


def _each(rule: Callable[[Any], Any], one: Range) -> Range:
    """The range of a function that grows."""
    return Range(*(end if end in (inf, -inf) else rule(Fraction(end)) for end in one))


def _times(a: Range, b: Range) -> Range:
    ends = [0 if 0 in (x, y) else x * y for x in a for y in b]
    return Range(min(ends), max(ends))


def _inverse(one: Range) -> Range:
    """``1 / value``, of a divisor that is above 0."""
    if one.low < 0:
        return ANY
    high = inf if one.low == 0 else 1 / Fraction(one.low)
    return Range(0 if one.high == inf else 1 / Fraction(one.high), high)


def _raised(base: Range, exponent: Any) -> Range:
    if not exponent.is_Integer:
        return ANY
    power = int(exponent)
    if power < 0:
        return _raised(_inverse(base), -exponent) if base.low >= 0 else ANY
    ends = [one if one in (inf, -inf) and power % 2 else abs(one) if one in (inf, -inf) else one**power for one in base]
    if power % 2:
        return Range(*ends)
    return Range(0 if base.low < 0 < base.high else min(ends), max(ends))


def _of_make_divisible(value: Range, step: Range) -> Range:
    if step.low != step.high:
        return Range(step.low, inf)  # the rule never goes below its step
    rounded = _each(lambda x: make_divisible(x, step.low), value)
    return Range(max(step.low, rounded.low), rounded.high)


def _of_gcd(a: Range, b: Range) -> Range:
    """At least 1 where one of both is not 0, and never above one that is not."""
    largest = [one.high for one in (a, b) if one.low > 0]
    return Range(1, min(largest)) if largest else Range(0, inf)


def without_floors(expr: Any) -> Any:
    """Something that ``expr`` never falls below, with what floors of whole quotients cut off at its worst."""
    parts = []
    for monomial, coefficient in terms_of(expr).items():
        if isinstance(monomial, FloorDiv) and monomial.args[1].is_Integer and is_whole_polynomial(monomial.args[0]):
            p, q = monomial.args
            inner = p - q + 1 if coefficient > 0 else p
            monomial = without_floors(coefficient * inner / q) / coefficient  # noqa: PLW2901 - a bound of it
        parts.append(coefficient * monomial)
    return sympy.expand(Add(*parts))


def is_monotone(expr: Any) -> bool:  # noqa: PLR0911 - one answer a kind
    """Whether ``expr`` plainly grows (or stays) with every one of its positive symbols."""
    if expr.is_Rational or expr.is_Symbol:
        return True
    if isinstance(expr, FloorDiv | CeilDiv):
        return expr.args[1].is_Rational and is_monotone(expr.args[0])
    if isinstance(expr, MakeDivisible):  # the 90 % rule only ever moves on to the next multiple
        return expr.args[1].is_Rational and is_monotone(expr.args[0])
    if isinstance(expr, RoundEven | Maximum | Minimum):
        return all(map(is_monotone, expr.args))
    if expr.is_Add:
        return all(map(is_monotone, expr.args))
    if expr.is_Mul:
        coefficient, rest = expr.as_coeff_mul()
        return coefficient > 0 and all(is_monotone(part) and _not_negative(part) for part in rest)
    if expr.is_Pow:
        return bool(expr.exp.is_Integer and expr.exp > 0 and is_monotone(expr.base) and _not_negative(expr.base))
    return False


def _not_negative(expr: Any) -> bool:
    bound = lower_bound(expr)
    return bound is not None and bound >= 0
