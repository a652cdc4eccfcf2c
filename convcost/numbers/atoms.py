"""The functions that sizes and widths are made of, as sympy atoms with a normal form of their own.

sympy does not simplify nested floors, so that two layers of stride 2 and one of stride 4 look different. Here
``floor((floor(P/a) + c) / b)`` becomes ``floor((P + a c) / (a b))``, and whole parts are taken out. A ceiling of whole
numbers is a floor with its constant raised; one of ratios is a function of its own. A floor of what is negative is
written as the negative of a ceiling. Equal sizes are then equal expressions.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, gcd, lcm
from typing import Any

import sympy
from sympy import Add, Expr, Integer, Mul, Rational

from convcost.errors import UnsupportedError

Number = int | Fraction


class FloorDiv(sympy.Function):
    """``floor(p / q)``: ``p`` with integer coefficients, ``q`` a positive integer (or a symbol)."""

    nargs = 2
    is_integer = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, p: Any, q: Any) -> Any:
        """The normal form; None where it is one already."""
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
        """The normal form; None where it is one already."""
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
    """Whether every term of a sum but the number in it has a negative coefficient."""
    return all(coefficient < 0 for monomial, coefficient in terms_of(numerator).items() if monomial != 1)


def _symbolic_divisor(p: Any, q: Any) -> Any:
    quotient = sympy.cancel(p / q)
    return quotient if is_whole_polynomial(quotient) else None


def is_whole_polynomial(expr: Any) -> bool:
    """Whether ``expr`` is whole whatever its symbols are: a polynomial of whole atoms with integer coefficients."""
    return all(
        _is_whole_term(coefficient, monomial) and monomial.as_numer_denom()[1] == 1
        for monomial, coefficient in terms_of(expr).items()
    )


def _is_whole_term(coefficient: Any, monomial: Any) -> bool:
    """Whether ``coefficient * monomial`` is plainly whole; a width that was rounded to 8 can be divided by 4."""
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
    """``expr`` as a sum of monomials; sympy's own way there is slow even where there is nothing to do."""
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
    """``make_divisible(v, d)`` of a symbolic width; see :func:`convcost.numbers.rounding.make_divisible`."""

    nargs = 2
    is_integer = True
    is_positive = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, v: Any, d: Any) -> Any:
        """The number, once its arguments are numbers."""
        if v.is_Rational and d.is_Rational:
            from convcost.numbers.rounding import make_divisible  # noqa: PLC0415 - algebra imports this module

            return to_sympy(make_divisible(Fraction(v.p, v.q), Fraction(d.p, d.q)))
        if d.is_Integer and is_whole_polynomial(v / d):  # a multiple already, and at least d unless v is below
            from convcost.numbers.bounds import lower_bound  # noqa: PLC0415 - bounds imports this module

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
        rivals = {one: gap for one in kept if (gap := _gap(value, one)) is not None}
        if not any(choose(gap, 0) == 0 for gap in rivals.values()):  # none of them is always the better choice
            kept = [one for one in kept if one not in rivals] + [value]
    kept.sort(key=lambda one: bool(one.is_Rational))  # numbers last
    if len(kept) == 1:
        return kept[0]
    return None if kept == list(values) else cls(*kept)


def _gap(a: Any, b: Any) -> Any:
    """A number with the sign that ``a - b`` always has (0 counts as either); None where it has none."""
    difference = sympy.expand(a - b)
    if difference.is_Rational:
        return difference
    (start, floor_a), (end, floor_b) = (one.as_coeff_Add() for one in (a, b))
    if not (isinstance(floor_a, FloorDiv) and isinstance(floor_b, FloorDiv) and floor_a.args[1] == floor_b.args[1]):
        return None
    divisor = floor_a.args[1]
    gap = sympy.expand(floor_a.args[0] - floor_b.args[0] + (start - end) * divisor)
    return gap if gap.is_Rational and start.is_Integer and end.is_Integer else None


def to_sympy(value: Any) -> Expr:
    """An exact number as sympy has it; an expression as it is."""
    if isinstance(value, bool):
        raise TypeError("a switch is no number")
    if isinstance(value, int):
        return Integer(value)
    if isinstance(value, Fraction):
        return Rational(value.numerator, value.denominator)
    return value


def to_number(value: Any) -> Number | None:
    """A sympy number as an exact one; None where it is an expression."""
    if isinstance(value, int | Fraction):
        return value
    if value.is_Integer:
        return int(value)
    return Fraction(value.p, value.q) if value.is_Rational else None


def evaluate(expr: Any, values: dict[Any, Number]) -> Number:
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
    arguments = [evaluate(argument, values) for argument in expr.args]
    return apply(expr, arguments)


def apply(expr: Any, arguments: list[Number]) -> Number:
    """The operation of ``expr`` on numbers."""
    from convcost.numbers import arithmetic as algebra  # noqa: PLC0415 - arithmetic imports this module
    from convcost.numbers import rounding  # noqa: PLC0415 - likewise

    if expr.is_Add:
        return sum(arguments)
    if expr.is_Mul:
        return algebra.normal(algebra.prod(arguments))
    if expr.is_Pow:
        return _power(*arguments)
    functions: dict[Any, Any] = {
        FloorDiv: algebra.floor_div,
        CeilDiv: algebra.ceil_div,
        MakeDivisible: rounding.make_divisible,
        RoundEven: rounding.round_even,
        Gcd: algebra.gcd,
        Maximum: algebra.maximum,
        Minimum: algebra.minimum,
    }
    result: Number = functions[expr.func](*arguments)
    return result


def _power(base: Number, exponent: Number) -> Number:
    """``base ** exponent``, exactly.

    Raises:
        UnsupportedError: the result is not rational.
        ZeroDivisionError: ``base`` is 0 and ``exponent`` negative.
    """
    from convcost.numbers import arithmetic as algebra  # noqa: PLC0415 - algebra imports this module

    power = Fraction(base) ** Fraction(exponent).numerator
    degree = Fraction(exponent).denominator
    if degree == 1:
        return algebra.normal(power)
    top, exact_top = sympy.integer_nthroot(power.numerator, degree) if power >= 0 else (0, False)
    bottom, exact_bottom = sympy.integer_nthroot(power.denominator, degree)
    if not exact_top or not exact_bottom:
        raise UnsupportedError(f"{base} to the power of {exponent} is not a rational number")
    return algebra.normal(Fraction(int(top), int(bottom)))
