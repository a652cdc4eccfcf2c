"""The functions that sizes and widths are made of, as sympy atoms with a normal form of their own.

sympy's floor does not collapse a nest, so that two layers of stride 2 and one of stride 4 look different. Here
``floor((floor(P/a) + c) / b)`` becomes ``floor((P + a c) / (a b))``, whole parts are taken out, and a ceiling is
a floor with its constant raised; equal sizes are then equal expressions.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, gcd, lcm
from typing import Any

import sympy
from sympy import Add, Expr, Integer, Mul, Rational

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
        if whole == 0 and numerator == p and divisor == q:
            return None
        return whole + cls(numerator, divisor)


def _symbolic_divisor(p: Any, q: Any) -> Any:
    quotient = sympy.cancel(p / q)
    return quotient if is_whole_polynomial(quotient) else None


def is_whole_polynomial(expr: Any) -> bool:
    """Whether ``expr`` is whole whatever its symbols are: a polynomial of whole atoms with integer coefficients."""
    terms = terms_of(expr)
    return all(coefficient.is_Integer for coefficient in terms.values()) and all(
        monomial.is_integer and monomial.as_numer_denom()[1] == 1 for monomial in terms
    )


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
        elif coefficient.is_Integer and monomial.is_integer:
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
    """``make_divisible(v, d)`` of a symbolic width; see :func:`convcost.rounding.make_divisible`."""

    nargs = 2
    is_integer = True
    is_positive = True
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, v: Any, d: Any) -> Any:
        """The number, once its arguments are numbers."""
        if v.is_Rational and d.is_Rational:
            from convcost.rounding import make_divisible  # noqa: PLC0415 - algebra imports this module

            return to_sympy(make_divisible(Fraction(v.p, v.q), Fraction(d.p, d.q)))
        if d.is_Integer and is_whole_polynomial(v / d):  # a multiple already, and at least d unless v is below
            return v if lower_bound(v) is not None and lower_bound(v) >= d else None
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
    numbers = [value for value in values if value.is_Rational]
    others = list(dict.fromkeys(value for value in values if not value.is_Rational))
    kept = [*others, *([choose(numbers)] if numbers else [])]
    if len(kept) == 1:
        return kept[0]
    return None if kept == list(values) else cls(*kept)


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
        expr: made of sums, products, whole powers and the functions of this module.
        values: by symbol.
    """
    number = to_number(expr)
    if number is not None:
        return number
    if expr.is_Symbol:
        return values[expr]
    arguments = [evaluate(argument, values) for argument in expr.args]
    return _apply(expr, arguments)


def _apply(expr: Any, arguments: list[Number]) -> Number:
    from convcost import algebra, rounding  # noqa: PLC0415 - algebra imports this module

    if expr.is_Add:
        return sum(arguments)
    if expr.is_Mul:
        return algebra.normal(algebra.prod(arguments))
    if expr.is_Pow:
        return algebra.normal(Fraction(arguments[0]) ** int(arguments[1]))
    functions: dict[Any, Any] = {
        FloorDiv: algebra.floor_div,
        MakeDivisible: rounding.make_divisible,
        RoundEven: rounding.round_even,
        Gcd: algebra.gcd,
        Maximum: algebra.maximum,
        Minimum: algebra.minimum,
    }
    result: Number = functions[expr.func](*arguments)
    return result


def lower_bound(expr: Any) -> Number | None:  # noqa: PLR0911 - one answer per kind of expression
    """A number that ``expr`` never falls below, for whole symbols of at least 1 and others above 0; None if unknown."""
    number = to_number(expr)
    if number is not None:
        return number
    if expr.is_Symbol:
        return 1 if expr.is_integer else 0
    if isinstance(expr, MakeDivisible):
        return to_number(expr.args[1])  # the rule never goes below its step
    if isinstance(expr, Gcd):
        return 1
    if expr.is_Mul and expr.as_coeff_Mul()[0] < 0:
        return None
    if expr.is_Pow and not (expr.exp.is_Integer and expr.exp > 0):
        return None
    found = [lower_bound(argument) for argument in expr.args]
    bounds = [bound for bound in found if bound is not None]
    if len(bounds) < len(found):
        return None
    if isinstance(expr, FloorDiv) and not expr.args[1].is_Rational:
        return None
    if (expr.is_Mul or expr.is_Pow) and any(bound < 0 for bound in bounds):
        return None
    return _apply(expr, bounds)  # every one of these grows with each argument


def is_monotone(expr: Any) -> bool:  # noqa: PLR0911 - one answer a kind
    """Whether ``expr`` plainly grows (or stays) with every one of its positive symbols."""
    if expr.is_Rational or expr.is_Symbol:
        return True
    if isinstance(expr, FloorDiv):
        return expr.args[1].is_Rational and is_monotone(expr.args[0])
    if isinstance(expr, MakeDivisible | Gcd):
        return False  # the one falls by a step where the 90 % rule sets in, the other all the time
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
