"""Functions of sizes and widths: floors, rounded widths and others, each with its normal form, value and bounds.

Nested floors are simplified, so that two layers of stride 2 and one of stride 4 look the same:
``floor((floor(P/a) + c) / b)`` becomes ``floor((P + a c) / (a b))``, and whole parts are taken out. A ceiling of whole
numbers is a floor with a larger constant; a ceiling of ratios is a function of its own. A floor of a negative value is
written as the negative of a ceiling. Equal sizes are then equal expressions.

All is proved for every value of the symbols. Decisions that depend on values are in :mod:`convcost.numbers.decisions`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import floor, gcd, inf, lcm
from typing import TYPE_CHECKING, Any

from convcost.numbers.bounds import Range, each, inverse, is_monotone, lower_bound, times, value_range
from convcost.numbers.exact import EXACT, Number, normal, ratio
from convcost.numbers.polynomial import (
    Expr,
    Function,
    Monomial,
    Terms,
    Value,
    constant_of,
    divided,
    functions_in,
    is_positive,
    is_whole,
    is_whole_monomial,
    made,
    over_common,
    single,
    term,
    terms_in,
    terms_of,
    total,
)
from convcost.numbers.polynomial import (
    inverse as inverse_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class FloorDiv(Function):
    """``floor(p / q)``: ``p`` with integer coefficients, ``q`` a positive integer (or a symbol)."""

    __slots__ = ()

    written = "floor"
    number = EXACT.floor_div
    _arguments = 2

    def __new__(cls, p: Value, q: Value) -> Any:
        """The normal form."""
        if q == 1 and is_whole(p):
            return p
        if isinstance(q, Expr):
            quotient = _whole_quotient(p, q)
            return cls.bare(p, q) if quotient is None else quotient
        if not isinstance(p, Expr):
            return EXACT.floor_div(p, q)
        whole, numerator, divisor = _normal(p, q)
        if not isinstance(numerator, Expr):
            return whole
        if _falls(numerator):
            return whole - CeilDiv(-numerator, divisor)
        return whole + cls.bare(numerator, divisor)

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:
        """Its range, from those of its arguments."""
        bounds = each(floor, times(parts[0], inverse(parts[1])))
        numerator, divisor = self.args
        if isinstance(divisor, Expr) and bounds.low == 0 and value_range(numerator - divisor, least).low >= 0:
            return bounds._replace(low=1)  # ceil(H/stride), of which intervals do not see that both strides are one
        return bounds

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        return not isinstance(self.args[1], Expr) and is_monotone(self.args[0])


class CeilDiv(Function):
    """``ceil(p / q)`` where ``p`` is made of ratios; of whole numbers it becomes a :class:`FloorDiv`."""

    __slots__ = ()

    written = "ceil"
    number = EXACT.ceil_div
    _arguments = 2

    def __new__(cls, p: Value, q: Value) -> Any:
        """The normal form."""
        if isinstance(q, Expr) or (q == 1 and is_whole(p)):
            return cls._of_symbols(p, q)
        if not isinstance(p, Expr):
            return EXACT.ceil_div(p, q)
        whole, numerator, divisor = _normal(-p, q)  # ceil(x) is -floor(-x)
        if not isinstance(numerator, Expr):
            return -whole
        if is_whole_polynomial(numerator):
            return FloorDiv(divisor - 1 - numerator, divisor) - whole
        if _falls(-numerator):
            return -whole - FloorDiv(numerator, divisor)
        return cls.bare(-numerator, divisor) - whole

    @classmethod
    def _of_symbols(cls, p: Value, q: Value) -> Value:
        """The normal form with a divisor that is no number, or 1."""
        if q == 1 and is_whole(p):
            return p
        if is_whole_polynomial(p) and is_whole(q):
            return FloorDiv(p + q - 1, q)
        quotient = _whole_quotient(p, q)
        return cls.bare(p, q) if quotient is None else quotient

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:  # noqa: ARG002 - of every function
        """Its range, from those of its arguments."""
        bounds = each(lambda x: -floor(-x), times(parts[0], inverse(parts[1])))
        if bounds.low == 0 and is_positive(self.args[0]):
            return bounds._replace(low=1)  # a ratio is above 0, which an end of a range does not say
        return bounds

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        return not isinstance(self.args[1], Expr) and is_monotone(self.args[0])


def _falls(numerator: Value) -> bool:
    """Whether every term of a sum, apart from its constant, has a negative coefficient."""
    return all(coefficient < 0 for monomial, coefficient in terms_of(numerator).items() if monomial)


def quotient_of(p: Value, q: Value) -> Value | None:
    """``p / q`` where that is a sum without divisors of sums; else None."""
    if len(terms_in(q)) == 1:
        return p * inverse_of(q)
    top, below = over_common(p)
    bottom, above = over_common(q)
    quotient = divided(top, bottom)
    return None if quotient is None else quotient * above * inverse_of(below)


def _whole_quotient(p: Value, q: Value) -> Value | None:
    """``p / q`` if that is certainly whole; else None."""
    quotient = quotient_of(p, q)
    return quotient if quotient is not None and is_whole_polynomial(quotient) else None


def is_whole_polynomial(value: Value) -> bool:
    """Whether ``value`` is whole for all values of its symbols, as far as its terms show."""
    return all(_is_whole_term(coefficient, monomial) for monomial, coefficient in terms_of(value).items())


def _is_whole_term(coefficient: Number, monomial: Monomial) -> bool:
    """Whether ``coefficient * monomial`` is certainly whole; a width that was rounded to 8 can be divided by 4."""
    if not is_whole_monomial(monomial):
        return False
    if type(coefficient) is int:
        return True
    for atom, exponent in monomial:
        if isinstance(atom, MakeDivisible) and type(atom.args[1]) is int:
            coefficient *= atom.args[1] ** exponent
    return Fraction(coefficient).denominator == 1


@lru_cache(maxsize=10_000)
def _normal(p: Value, q: Number) -> tuple[Value, Value, Any]:
    """``floor(p / q)`` as a whole part and a floor of a reduced quotient (None where nothing is left)."""
    constant: Number = 0
    whole: Terms = {}
    rest: Terms = {}
    for monomial, number in terms_of(p).items():
        coefficient = ratio(number, q)
        if not monomial:
            constant = coefficient
        elif _is_whole_term(coefficient, monomial):
            whole[monomial] = coefficient
        else:
            rest[monomial] = coefficient
    base = floor(constant)
    constant -= base
    taken = made(whole) + base
    if not rest:
        return taken, None, None
    divisor = lcm(*(coefficient.denominator for coefficient in rest.values()))
    if all(map(is_whole_monomial, rest)):  # then only a whole constant can matter
        constant = ratio(floor(constant * divisor), divisor)
    divisor = lcm(divisor, constant.denominator)
    folded = _fold_nest(rest, divisor, constant)
    if folded is not None:
        more, numerator, divisor = _normal(*folded)
        return taken + more, numerator, divisor
    terms: Terms = {monomial: normal(coefficient * divisor) for monomial, coefficient in rest.items()}
    if constant:
        terms[()] = normal(constant * divisor)
    return taken, made(terms), divisor


def _fold_nest(rest: Terms, divisor: int, constant: Number) -> tuple[Value, int] | None:
    """``floor((floor(P/a) + n m + c) / b)`` as ``(P + a (n m + c), a b)``, where there is one such inner floor."""
    inner: list[tuple[Monomial, FloorDiv]] = []
    for monomial, coefficient in rest.items():
        atom = single(monomial)
        if isinstance(atom, FloorDiv) and coefficient * divisor == 1 and type(atom.args[1]) is int:
            inner.append((monomial, atom))
        elif isinstance(atom, FloorDiv) or not is_whole_monomial(monomial):
            return None
    if len(inner) != 1:
        return None
    ((own, nested),) = inner
    p, a = nested.args
    others = {monomial: normal(coefficient * divisor) for monomial, coefficient in rest.items() if monomial != own}
    return p + a * (made(others) + normal(constant * divisor)), a * divisor


class MakeDivisible(Function):
    """``make_divisible(v, d)`` of a symbolic width; see :func:`convcost.numbers.arithmetic.make_divisible`."""

    __slots__ = ()

    written = "make_divisible"
    number = EXACT.make_divisible
    positive = True
    _arguments = 2

    def __new__(cls, v: Value, d: Value) -> Any:
        """The number, once its arguments are numbers."""
        if not isinstance(v, Expr) and not isinstance(d, Expr):
            return normal(EXACT.make_divisible(v, d))
        return _divisible(v, d)

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:  # noqa: ARG002 - of every function
        """Its range, from those of its arguments."""
        value, step = parts
        if step.low != step.high:
            return Range(step.low, inf)  # the rule never goes below its step
        rounded = each(lambda x: EXACT.make_divisible(x, step.low), value)
        return Range(max(step.low, rounded.low), rounded.high)

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        # the 90 % rule only ever moves on to the next multiple
        return not isinstance(self.args[1], Expr) and is_monotone(self.args[0])


@lru_cache(maxsize=10_000)
def _divisible(v: Value, d: Value) -> Value:
    """The normal form of a symbolic width."""
    if type(d) is int and isinstance(v, Expr) and is_whole_polynomial(v / d):
        least = lower_bound(v)  # a multiple already, and at least d unless v is below
        if least is not None and least >= d:
            return v
    return MakeDivisible.bare(v, d)


class RoundEven(Function):
    """``round(v)``, a half to the even neighbour, of a symbolic value."""

    __slots__ = ()

    written = "round"
    number = EXACT.round_even
    _arguments = 1

    def __new__(cls, v: Value) -> Any:
        """The number, once its argument is one; a whole value as it is."""
        if not isinstance(v, Expr):
            return round(v)
        return v if is_whole_polynomial(v) else cls.bare(v)

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:  # noqa: ARG002 - of every function
        """Its range, from that of its argument."""
        return each(EXACT.round_even, parts[0])

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        return is_monotone(self.args[0])


class Gcd(Function):
    """The greatest common divisor of two whole values."""

    __slots__ = ()

    written = "gcd"
    number = EXACT.gcd
    positive = True
    _arguments = 2

    def __new__(cls, a: Value, b: Value) -> Any:
        """The number, once both are; 1 beside a 1; the value itself beside an equal one."""
        if type(a) is int and type(b) is int:
            return gcd(a, b)
        if a == b:
            return a
        return 1 if 1 in (a, b) else cls.bare(a, b)

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:  # noqa: ARG002 - of every function
        """At least 1 if an argument is above 0, and at most that argument."""
        largest = [argument.high for argument in parts if argument.low > 0]
        return Range(1, min(largest)) if largest else Range(0, inf)

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        return False


class _Extreme(Function):
    """The largest or the smallest of several values."""

    __slots__ = ()

    def __new__(cls, *values: Value) -> Any:
        """Without duplicates and values that another always beats, and with all numbers as one."""
        kept: list[Value] = []
        for value in dict.fromkeys(values):
            rivals = {rival: gap for rival in kept if (gap := _gap(value, rival)) is not None}
            if not any(cls.number(gap, 0) == 0 for gap in rivals.values()):  # none of them is always the better choice
                kept = [rival for rival in kept if rival not in rivals] + [value]
        kept.sort(key=lambda value: not isinstance(value, Expr))  # numbers last
        return kept[0] if len(kept) == 1 else cls.bare(*kept)

    @property
    def whole(self) -> bool:  # type: ignore[override]
        """Whether all its arguments are whole."""
        return all(map(is_whole, self.args))

    def interval(self, parts: Sequence[Range], least: Mapping[Any, Number]) -> Range:  # noqa: ARG002 - of every function
        """Its range, from those of its arguments."""
        return Range(self.number(*(part.low for part in parts)), self.number(*(part.high for part in parts)))

    def grows(self) -> bool:
        """Whether it certainly never falls when a symbol grows."""
        return all(map(is_monotone, self.args))


class Maximum(_Extreme):
    """The largest of several values."""

    __slots__ = ()

    written = "max"

    @staticmethod
    def number(*values: Any) -> Any:
        """The value at numbers."""
        return max(values)


class Minimum(_Extreme):
    """The smallest of several values."""

    __slots__ = ()

    written = "min"

    @staticmethod
    def number(*values: Any) -> Any:
        """The value at numbers."""
        return min(values)


def _gap(a: Value, b: Value) -> Number | None:
    """A number with the sign that ``a - b`` has for all values (0 counts as either); None if the sign is not known."""
    difference = a - b
    if not isinstance(difference, Expr):
        return difference
    (start, floor_a), (end, floor_b) = map(_floor_and_constant, (a, b))
    if floor_a is None or floor_b is None or floor_a.args[1] != floor_b.args[1]:
        return None
    gap = floor_a.args[0] - floor_b.args[0] + (start - end) * floor_a.args[1]
    whole = type(start) is int and type(end) is int
    return gap if whole and not isinstance(gap, Expr) else None


def _floor_and_constant(value: Value) -> tuple[Number, FloorDiv | None]:
    """The parts of ``floor(p/q) + c``; None in place of the floor where ``value`` is something else."""
    constant = constant_of(value)
    rest = value - constant
    return constant, rest if isinstance(rest, FloorDiv) else None


ROUNDING = (FloorDiv, CeilDiv, MakeDivisible, RoundEven)


def without_floors(value: Value) -> Value:
    """A lower bound of ``value`` without floors of whole quotients: each is replaced by its bound."""
    parts = []
    for monomial, coefficient in terms_of(value).items():
        atom = single(monomial)
        part = term(monomial, coefficient)
        if isinstance(atom, FloorDiv) and type(atom.args[1]) is int and is_whole_polynomial(atom.args[0]):
            p, q = atom.args
            part = without_floors(coefficient * (p - q + 1 if coefficient > 0 else p) * inverse_of(q))
        parts.append(part)
    return total(parts)


def has_floor(value: Value) -> bool:
    """Whether there is a floor anywhere in ``value``."""
    return any(isinstance(function, FloorDiv) for function in functions_in(value))
