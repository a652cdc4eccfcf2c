"""Expressions of sizes and widths: their functions, exact values, proved bounds, and bounds on their length.

sympy does not simplify nested floors, so that two layers of stride 2 and one of stride 4 look different. Here
``floor((floor(P/a) + c) / b)`` becomes ``floor((P + a c) / (a b))``, and whole parts are taken out. A ceiling of whole
numbers is a floor with a larger constant; a ceiling of ratios is a function of its own. A floor of a negative value is
written as the negative of a ceiling. Equal sizes are then equal expressions.

All is proved for every value of the symbols. Decisions that depend on values are in :mod:`convcost.numbers.decisions`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, floor, gcd, inf, lcm
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy
from sympy import Add, Expr, Integer, Mul, Rational

from convcost.errors import UnsupportedError
from convcost.limits import MAX_TERMS
from convcost.numbers.exact import EXACT, Number, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_FORM_TERMS = 50_000  # of a closed form


# --- functions with a normal form ---


class FloorDiv(sympy.Function):
    """``floor(p / q)``: ``p`` with integer coefficients, ``q`` a positive integer (or a symbol)."""

    nargs = 2
    is_integer = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, p: Any, q: Any) -> Any:
        """The normal form; None if it is already one."""
        if p.is_Rational and q.is_Rational:
            return Integer(floor(Fraction(p.p, p.q) / Fraction(q.p, q.q)))
        if not q.is_Rational:
            return _symbolic_divisor(p, q)
        whole, numerator, divisor = _normal(p, q)
        if numerator is None:
            return whole
        if _falls(numerator):
            return whole - CeilDiv(-numerator, divisor)
        if whole == 0 and numerator == p and divisor == q:
            return None
        return whole + cls(numerator, divisor)


class CeilDiv(sympy.Function):
    """``ceil(p / q)`` where ``p`` is made of ratios; of whole numbers it becomes a :class:`FloorDiv`."""

    nargs = 2
    is_integer = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, p: Any, q: Any) -> Any:  # noqa: PLR0911 - one answer a kind
        """The normal form; None if it is already one."""
        if p.is_Rational and q.is_Rational:
            return Integer(-floor(-Fraction(p.p, p.q) / Fraction(q.p, q.q)))
        if not q.is_Rational:
            whole = is_whole_polynomial(p) and q.is_integer
            return FloorDiv(p + q - 1, q) if whole else _symbolic_divisor(p, q)
        whole, numerator, divisor = _normal(-p, q)  # ceil(x) is -floor(-x)
        if numerator is None:
            return -whole
        if is_whole_polynomial(numerator):
            return FloorDiv(divisor - 1 - numerator, divisor) - whole
        if _falls(-numerator):
            return -whole - FloorDiv(numerator, divisor)
        if whole == 0 and -numerator == p and divisor == q:
            return None
        return cls(-numerator, divisor) - whole


def _falls(numerator: Any) -> bool:
    """Whether every term of a sum, apart from its constant, has a negative coefficient."""
    return all(coefficient < 0 for monomial, coefficient in terms_of(numerator).items() if monomial != 1)


def _symbolic_divisor(p: Any, q: Any) -> Any:
    quotient = sympy.cancel(p / q)
    return quotient if is_whole_polynomial(quotient) else None


def is_whole_polynomial(expr: Any) -> bool:
    """Whether ``expr`` is whole for all values: a polynomial of whole atoms with integer coefficients."""
    return all(
        _is_whole_term(coefficient, monomial) and monomial.as_numer_denom()[1] == 1
        for monomial, coefficient in terms_of(expr).items()
    )


def _is_whole_term(coefficient: Any, monomial: Any) -> bool:
    """Whether ``coefficient * monomial`` is certainly whole; a width that was rounded to 8 can be divided by 4."""
    if not monomial.is_integer:
        return False
    if coefficient.is_Integer:
        return True
    for factor in sympy.Mul.make_args(monomial):
        base, power = factor.as_base_exp()
        if isinstance(base, MakeDivisible) and base.args[1].is_Integer and power.is_Integer and power > 0:
            coefficient *= base.args[1] ** power
    return bool(coefficient.is_Integer)


def terms_of(expr: Any) -> dict[Any, Any]:
    """``expr`` expanded, as monomials with rational coefficients."""
    return dict(expanded(expr).as_coefficients_dict())


def expanded(expr: Any) -> Any:
    """``expr`` as a sum of monomials. ``sympy.expand`` is slow even for an expression that is such a sum already."""
    return expr if all(map(_is_monomial, Add.make_args(expr))) else sympy.expand(expr)


def _is_monomial(term: Any) -> bool:
    return not any(
        factor.is_Add or (factor.is_Pow and (factor.base.is_Add or factor.base.is_Mul))
        for factor in Mul.make_args(term)
    )


def _normal(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """``floor(p / q)`` as a whole part and a floor of a reduced quotient (None where nothing is left)."""
    constant = Rational(0)
    whole: list[Any] = []
    rest: dict[Any, Any] = {}
    for monomial, coefficient in terms_of(p / q).items():
        if monomial == 1:
            constant = coefficient
        elif _is_whole_term(coefficient, monomial):
            whole.append(coefficient * monomial)
        else:
            rest[monomial] = coefficient
    base = floor(Fraction(constant.p, constant.q))
    constant -= base
    whole.append(Integer(base))
    if not rest:
        return Add(*whole), None, None
    divisor = lcm(*(coefficient.q for coefficient in rest.values()))
    if all(monomial.is_integer for monomial in rest):  # then only a whole constant can matter
        constant = Rational(floor(Fraction(constant.p * divisor, constant.q)), divisor)
    divisor = lcm(divisor, constant.q)
    numerator = Add(*(monomial * coefficient * divisor for monomial, coefficient in rest.items()), constant * divisor)
    folded = _fold_nest(rest, divisor, constant)
    if folded is not None:
        more, numerator, divisor = _normal(*folded)
        return Add(*whole, more), numerator, divisor
    return Add(*whole), numerator, Integer(divisor)


def _fold_nest(rest: dict[Any, Any], divisor: int, constant: Any) -> tuple[Any, Any] | None:
    """``floor((floor(P/a) + n m + c) / b)`` as ``(P + a (n m + c), a b)``, where there is one such inner floor."""
    inner = [m for m, c in rest.items() if isinstance(m, FloorDiv) and c * divisor == 1 and m.args[1].is_Integer]
    others = [m for m in rest if m not in inner]
    if len(inner) != 1 or any(isinstance(m, FloorDiv) or not m.is_integer for m in others):
        return None
    p, a = inner[0].args
    outside = Add(*(m * rest[m] * divisor for m in others), constant * divisor)
    return p + a * outside, a * divisor


class MakeDivisible(sympy.Function):
    """``make_divisible(v, d)`` of a symbolic width; see :func:`convcost.numbers.arithmetic.make_divisible`."""

    nargs = 2
    is_integer = True
    is_positive = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, v: Any, d: Any) -> Any:
        """The number, once its arguments are numbers."""
        if v.is_Rational and d.is_Rational:
            return to_sympy(EXACT.make_divisible(Fraction(v.p, v.q), Fraction(d.p, d.q)))
        if d.is_Integer and is_whole_polynomial(v / d):  # a multiple already, and at least d unless v is below
            least = lower_bound(v)
            return v if least is not None and least >= d else None
        return None


class RoundEven(sympy.Function):
    """``round(v)``, a half to the even neighbour, of a symbolic value."""

    nargs = 1
    is_integer = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, v: Any) -> Any:
        """The number, once its argument is one; a whole value as it is."""
        if v.is_Rational:
            return Integer(round(Fraction(v.p, v.q)))
        return v if v.is_integer and is_whole_polynomial(v) else None


class Gcd(sympy.Function):
    """The greatest common divisor of two whole values."""

    nargs = 2
    is_integer = True
    is_positive = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        """The number, once both are; 1 beside a 1; the value itself beside an equal one."""
        if a.is_Integer and b.is_Integer:
            return Integer(gcd(int(a), int(b)))
        if a == b:
            return a
        return Integer(1) if Integer(1) in (a, b) else None


class Maximum(sympy.Function):
    """The largest of several values."""

    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, *values: Any) -> Any:
        """Without duplicates, and with all numbers as one."""
        return _extreme(cls, max, values)

    def _eval_is_integer(self) -> bool | None:
        return True if all(value.is_integer for value in self.args) else None


class Minimum(sympy.Function):
    """The smallest of several values."""

    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, *values: Any) -> Any:
        """Without duplicates, and with all numbers as one."""
        return _extreme(cls, min, values)

    def _eval_is_integer(self) -> bool | None:
        return True if all(value.is_integer for value in self.args) else None


def _extreme(cls: Any, choose: Any, values: tuple[Any, ...]) -> Any:
    kept: list[Any] = []
    for value in dict.fromkeys(values):
        rivals = {rival: gap for rival in kept if (gap := _gap(value, rival)) is not None}
        if not any(choose(gap, 0) == 0 for gap in rivals.values()):  # none of them is always the better choice
            kept = [rival for rival in kept if rival not in rivals] + [value]
    kept.sort(key=lambda value: bool(value.is_Rational))  # numbers last
    if len(kept) == 1:
        return kept[0]
    return None if kept == list(values) else cls(*kept)


def _gap(a: Any, b: Any) -> Any:
    """A number with the sign that ``a - b`` has for all values (0 counts as either); None if the sign is not known."""
    difference = sympy.expand(a - b)
    if difference.is_Rational:
        return difference
    (start, floor_a), (end, floor_b) = (value.as_coeff_Add() for value in (a, b))
    if not (isinstance(floor_a, FloorDiv) and isinstance(floor_b, FloorDiv) and floor_a.args[1] == floor_b.args[1]):
        return None
    divisor = floor_a.args[1]
    gap = sympy.expand(floor_a.args[0] - floor_b.args[0] + (start - end) * divisor)
    return gap if gap.is_Rational and start.is_Integer and end.is_Integer else None


def to_sympy(value: Any) -> Expr:
    """An exact number as a number of sympy; an expression is returned unchanged."""
    if isinstance(value, bool):
        raise TypeError("a switch is no number")
    if isinstance(value, int):
        return Integer(value)
    if isinstance(value, Fraction):
        return Rational(value.numerator, value.denominator)
    return value


def to_number(value: Any) -> Number | None:
    """A number of sympy as an int or a Fraction; None for an expression."""
    if isinstance(value, int | Fraction):
        return value
    if value.is_Integer:
        return int(value)
    return Fraction(value.p, value.q) if value.is_Rational else None


# --- values ---


class Evaluator:
    """The exact values of expressions, which are translated once to steps on a list of numbers.

    Each function in them is a step of its own, so that a size that occurs in many terms is computed once.
    """

    def __init__(self, exprs: Sequence[Any], symbols: Sequence[Any]) -> None:
        self._places = {symbol: place for place, symbol in enumerate(symbols)}
        self._steps: list[tuple[Callable[..., Any], list[_Polynomial]]] = []
        self._results = [self._polynomial(expr) for expr in exprs]

    def __call__(self, numbers: Sequence[Number]) -> list[Number]:
        """The values of the expressions.

        Args:
            numbers: a value for each symbol, in the order of the symbols.

        Raises:
            UnsupportedError: a root is not rational, so that there is no exact value.
        """
        values = list(numbers)
        for rule, arguments in self._steps:
            values.append(rule(*[_value(argument, values) for argument in arguments]))
        return [_value(result, values) for result in self._results]

    def _polynomial(self, expr: Any) -> _Polynomial:
        terms = []
        for term in Add.make_args(expr):
            coefficient: Number = 1
            factors = []
            for factor in Mul.make_args(term):
                number = to_number(factor)
                if number is not None:
                    coefficient *= number
                    continue
                base, power = factor.as_base_exp()
                if power.is_Integer and power > 0:
                    factors.append((self._place(base), int(power)))
                else:
                    factors.append((self._place(factor), 1))
            terms.append((normal(coefficient), factors))
        return terms

    def _place(self, expr: Any) -> int:
        """The place of the value of a symbol, or of the step that computes ``expr``."""
        if expr not in self._places:
            step = self._step(expr)  # whose arguments come first
            self._places[expr] = len(self._places)
            self._steps.append(step)
        return self._places[expr]

    def _step(self, expr: Any) -> tuple[Callable[..., Any], list[_Polynomial]]:
        if expr.is_Add or expr.is_Mul:
            return normal, [self._polynomial(expr)]
        if expr.is_Symbol:
            raise KeyError(expr)
        rule = _power if expr.is_Pow else _RULES.get(expr.func)
        if rule is None:
            raise UnsupportedError(f"no exact value is known of {type(expr).__name__}")
        return rule, [self._polynomial(argument) for argument in expr.args]


_Polynomial = list[tuple[Number, list[tuple[int, int]]]]  # coefficients, each with the places and powers of its factors


def _value(polynomial: _Polynomial, values: Sequence[Any]) -> Number:
    result: Any = 0
    for coefficient, factors in polynomial:
        term: Any = coefficient
        for place, power in factors:
            term *= values[place] ** power
        result += term
    return result if type(result) is int else normal(result)


def _power(base: Number, exponent: Number) -> Number:
    """``base ** exponent``, exactly.

    Raises:
        UnsupportedError: the result is not rational.
        ZeroDivisionError: ``base`` is 0 and ``exponent`` negative.
    """
    power = Fraction(base) ** Fraction(exponent).numerator
    degree = Fraction(exponent).denominator
    if degree == 1:
        return normal(power)
    top, exact_top = sympy.integer_nthroot(power.numerator, degree) if power >= 0 else (0, False)
    bottom, exact_bottom = sympy.integer_nthroot(power.denominator, degree)
    if not exact_top or not exact_bottom:
        raise UnsupportedError(f"{base} to the power of {exponent} is not a rational number")
    return normal(Fraction(int(top), int(bottom)))


_RULES: dict[Any, Callable[..., Number]] = {
    FloorDiv: EXACT.floor_div,
    CeilDiv: EXACT.ceil_div,
    MakeDivisible: EXACT.make_divisible,
    RoundEven: EXACT.round_even,
    Gcd: EXACT.gcd,
    Maximum: max,
    Minimum: min,
}


def evaluate(expr: Any, values: Mapping[Any, Number]) -> Number:
    """The exact value of ``expr`` with a number for every symbol.

    Args:
        expr: made of sums, products, powers and the functions of this module.
        values: by symbol.

    Raises:
        UnsupportedError: a root is not rational, so that there is no exact value.

    >>> from sympy import Symbol, sqrt
    >>> evaluate(sqrt(Symbol("x")), {Symbol("x"): 4})
    2
    """
    number = to_number(expr)
    if number is not None:
        return number
    if expr.is_Symbol:
        return values[expr]
    symbols, evaluator = _translated(expr)
    return evaluator([values[symbol] for symbol in symbols])[0]


@lru_cache(maxsize=4096)
def _translated(expr: Any) -> tuple[tuple[Any, ...], Evaluator]:
    symbols = tuple(expr.free_symbols)
    return symbols, Evaluator([expr], symbols)


# --- proved bounds ---


class Range(NamedTuple):
    """``low <= value <= high``; an end is infinite if no bound is known."""

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
    bounds = _combined(expr, [value_range(argument, least) for argument in expr.args])
    if isinstance(expr, FloorDiv) and not expr.args[1].is_Rational and bounds.low == 0:
        numerator, divisor = expr.args  # ceil(H/stride), of which intervals do not see that both strides are one
        if value_range(sympy.expand(numerator - divisor), least).low >= 0:
            bounds = bounds._replace(low=1)
    return bounds._replace(low=max(bounds.low, least[expr])) if expr in least else bounds


def _least_of(symbol: Any) -> Any:
    if symbol.is_positive:
        return 1 if symbol.is_integer else 0
    return 0 if symbol.is_nonnegative else -inf


def _combined(expr: Any, parts: list[Range]) -> Range:
    if expr.is_Add:
        return Range(sum(part.low for part in parts), sum(part.high for part in parts))
    if expr.is_Mul:
        product = Range(1, 1)
        for part in parts:
            product = _times(product, part)
        return product
    if expr.is_Pow:
        return _raised(parts[0], expr.exp)
    rules: dict[Any, Callable[..., Range]] = {
        FloorDiv: lambda p, q: _each(floor, _times(p, _inverse(q))),
        CeilDiv: lambda p, q: _each(lambda x: -floor(-x), _times(p, _inverse(q))),
        MakeDivisible: _of_make_divisible,
        RoundEven: lambda v: _each(EXACT.round_even, v),
        Gcd: _of_gcd,
        Maximum: lambda *v: Range(max(value.low for value in v), max(value.high for value in v)),
        Minimum: lambda *v: Range(min(value.low for value in v), min(value.high for value in v)),
    }
    rule = rules.get(expr.func)
    bounds = ANY if rule is None else rule(*parts)
    if isinstance(expr, CeilDiv) and bounds.low == 0 and expr.args[0].is_positive:
        return bounds._replace(low=1)  # a ratio is above 0, which an end of a range does not say
    return bounds


def _each(rule: Callable[[Any], Any], argument: Range) -> Range:
    """The range of a monotone function."""
    return Range(*(end if end in (inf, -inf) else rule(Fraction(end)) for end in argument))


def _times(a: Range, b: Range) -> Range:
    ends = [0 if 0 in (x, y) else x * y for x in a for y in b]
    return Range(min(ends), max(ends))


def _inverse(divisor: Range) -> Range:
    """``1 / value``, of a divisor that is above 0."""
    if divisor.low < 0:
        return ANY
    high = inf if divisor.low == 0 else 1 / Fraction(divisor.low)
    return Range(0 if divisor.high == inf else 1 / Fraction(divisor.high), high)


def _raised(base: Range, exponent: Any) -> Range:
    if not exponent.is_Integer:
        return ANY
    power = int(exponent)
    if power < 0:
        return _raised(_inverse(base), -exponent) if base.low >= 0 else ANY
    ends = [end if end in (inf, -inf) and power % 2 else abs(end) if end in (inf, -inf) else end**power for end in base]
    if power % 2:
        return Range(*ends)
    return Range(0 if base.low < 0 < base.high else min(ends), max(ends))


def _of_make_divisible(value: Range, step: Range) -> Range:
    if step.low != step.high:
        return Range(step.low, inf)  # the rule never goes below its step
    rounded = _each(lambda x: EXACT.make_divisible(x, step.low), value)
    return Range(max(step.low, rounded.low), rounded.high)


def _of_gcd(a: Range, b: Range) -> Range:
    """At least 1 if an argument is above 0, and at most that argument."""
    largest = [argument.high for argument in (a, b) if argument.low > 0]
    return Range(1, min(largest)) if largest else Range(0, inf)


def without_floors(expr: Any) -> Any:
    """A lower bound of ``expr`` without floors of whole quotients: each is replaced by its bound."""
    parts = []
    for monomial, coefficient in terms_of(expr).items():
        if isinstance(monomial, FloorDiv) and monomial.args[1].is_Integer and is_whole_polynomial(monomial.args[0]):
            p, q = monomial.args
            inner = p - q + 1 if coefficient > 0 else p
            monomial = without_floors(coefficient * inner / q) / coefficient  # noqa: PLW2901 - a bound of it
        parts.append(coefficient * monomial)
    return sympy.expand(Add(*parts))


def is_monotone(expr: Any) -> bool:  # noqa: PLR0911 - one answer a kind
    """Whether ``expr`` certainly never falls when one of its positive symbols grows."""
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


# --- how long an expression gets when it is multiplied out, without doing it ---


@lru_cache(maxsize=4096)
def term_bound(expr: Any) -> int:
    """An upper bound of the number of terms of ``expr`` multiplied out.

    >>> from sympy.abc import x, y
    >>> term_bound((x + y + 1) ** 3 * (x + 1))
    20
    """
    if expr.is_Add:
        return sum(map(term_bound, expr.args))
    if expr.is_Mul:
        count = 1
        for factor in expr.args:
            count *= term_bound(factor)
        return count
    if expr.is_Pow and expr.exp.is_Integer:
        base, power = term_bound(expr.base), abs(int(expr.exp))
        if base == 1:
            return 1
        return comb(base + power - 1, power) if power <= MAX_TERMS else MAX_FORM_TERMS + 1
    return 1


@lru_cache(maxsize=4096)
def degree_bound(expr: Any) -> int:
    """An upper bound of the total degree of ``expr``; a function counts as a name.

    >>> from sympy.abc import x, y
    >>> degree_bound((x * y + 1) ** 3 / x)
    7
    """
    if expr.is_Number:
        return 0
    if expr.is_Add:
        return max(map(degree_bound, expr.args))
    if expr.is_Mul:
        return sum(map(degree_bound, expr.args))
    if expr.is_Pow and expr.exp.is_Integer:
        return abs(int(expr.exp)) * degree_bound(expr.base)
    return 1
