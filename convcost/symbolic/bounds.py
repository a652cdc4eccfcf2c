"""What can be said about an expression for all values of its symbols: bounds, and whether it grows."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Add

from convcost.symbolic.atoms import (
    FloorDiv,
    Gcd,
    MakeDivisible,
    Maximum,
    Minimum,
    Number,
    RoundEven,
    apply,
    is_whole_polynomial,
    terms_of,
    to_number,
)


def lower_bound(expr: Any) -> Number | None:  # noqa: C901, PLR0911 - one answer per kind of expression
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
    if isinstance(expr, Maximum) and bounds:
        return max(bounds)
    if len(bounds) < len(found):
        return None
    if isinstance(expr, FloorDiv) and not expr.args[1].is_Rational:
        return None
    if (expr.is_Mul or expr.is_Pow) and any(bound < 0 for bound in bounds):
        return None
    return apply(expr, bounds)  # every one of these grows with each argument


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
    if isinstance(expr, FloorDiv):
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
