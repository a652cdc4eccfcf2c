"""Break-even values: for each parameter, the value at which both sides cost the same."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import isqrt
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from convcost.errors import UnsupportedError
from convcost.formulas.ratio import cancelled, fraction
from convcost.formulas.sign import relation_to_zero
from convcost.formulas.simplify import factored, length, shortest
from convcost.numbers.decisions import DIVIDES, WHOLE
from convcost.numbers.polynomial import (
    Expr,
    Power,
    Symbol,
    inverse,
    outermost,
    powers_of,
    replaced,
    symbols_in,
    terms_in,
)
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

_QUADRATIC = 2
MAX_TERMS = 24  # of a difference whose roots are written down; beyond that nobody reads them
MAX_LENGTH = 160  # characters of it
MAX_NAMES = 7  # names in it: to factor more takes long, and the root is long too
_HALF = Fraction(1, 2)
_DIGITS = 40  # of a root that is not rational
_MAX_DIGITS = 4000  # a root may be the small difference of two numbers of 4,096 bits


class BreakEven(NamedTuple):
    """A value of one name at which both cost the same.

    Attributes:
        name: of the symbol.
        root: an expression of the others; None where there is none to write down.
        value: the number at the default values.
    """

    name: str
    root: Any
    value: Num | float


class Threshold(NamedTuple):
    """The first costs less exactly where ``name`` is ``relation`` (``<`` or ``>``) ``root``."""

    name: str
    relation: Literal["<", ">"]
    root: Any


def thresholds(top: Any, names: Sequence[Any], floor: Mapping[Any, Num]) -> tuple[Threshold, ...]:
    """Names in which the coefficients change their sign once: by Descartes' rule one value decides.

    Args:
        top: of the sign of the second cost less the first.
        names: those to look at.
        floor: the least value of each symbol.
    """
    result = []
    for symbol in names if _is_readable(top) else ():
        powers = powers_of(top, symbol)
        if not 0 < max(powers) <= _QUADRATIC:
            continue
        signs = [_sign(powers[power], floor) for power in sorted(powers, reverse=True)]
        changes = sum(sign != other for sign, other in pairwise(signs))
        if changes == 1 and 0 not in signs:
            result.append(Threshold(symbol.name, ">" if signs[0] > 0 else "<", roots(powers)[-1]))
    return tuple(result)


def _sign(coefficient: Any, floor: Mapping[Any, Num]) -> Literal[-1, 0, 1]:
    """1 or -1 if a coefficient is proved to be above or below 0, else 0."""
    if relation_to_zero(coefficient, floor) == ">":
        return 1
    return -1 if relation_to_zero(-coefficient, floor) == ">" else 0


def break_even(
    top: Any, names: Sequence[Any], values: Mapping[Any, Num], conditions: Sequence[Condition] = ()
) -> tuple[BreakEven, ...]:
    """For each name, where ``top`` is 0, if that is positive (for whole numbers, at least 1) at the defaults.

    Args:
        top: of the sign of the second cost less the first.
        names: those to look at.
        values: the defaults.
        conditions: what must hold at the defaults with the value put in.
    """
    result = []
    for symbol in names:
        powers = powers_of(top, symbol)
        at_default = {power: evaluate(coefficient, values) for power, coefficient in powers.items()}
        degree = max((power for power, number in at_default.items() if number), default=0)
        if degree and not _changes_sign(at_default):
            continue  # nothing above 0 at the defaults, and an expression takes long to find
        if 0 < max(powers) <= _QUADRATIC and _is_readable(top):
            pairs = [(root, _number(root, values)) for root in roots(powers)]
        else:
            pairs = [(None, float(root)) for root in real_roots(at_default)] if degree else []
        for root, value in pairs:
            positive = value is not None and value > 0 and (value >= 1 or not symbol.whole)
            if positive and _allowed(symbol, value, values, conditions):
                result.append(BreakEven(symbol.name, root, value))
    return tuple(result)


def _changes_sign(coefficients: Mapping[int, Num]) -> bool:
    """Whether a polynomial can be 0 above 0: by Descartes' rule, only if its coefficients have both signs."""
    return min(coefficients.values()) < 0 < max(coefficients.values())


def real_roots(coefficients: Mapping[int, Num]) -> list[Fraction]:
    """The real roots of a polynomial with these coefficients by their powers, in order, to 40 digits."""
    degree = max(power for power, number in coefficients.items() if number)
    if degree == 1:
        return [-Fraction(coefficients.get(0, 0)) / coefficients[1]]
    import sympy  # noqa: PLC0415 - only roots need it

    from convcost.numbers.conversion import to_sympy  # noqa: PLC0415 - imports sympy

    x = sympy.Symbol("x")
    polynomial = sympy.Poly([to_sympy(coefficients.get(power, 0)) for power in range(degree, -1, -1)], x)
    return [_to_digits(root) for root in polynomial.real_roots(radicals=False)]


def _to_digits(root: Any) -> Fraction:
    return Fraction(str(root.evalf(_DIGITS, maxn=_MAX_DIGITS)))


def _allowed(symbol: Any, value: Any, values: Mapping[Any, Num], conditions: Sequence[Condition]) -> bool:
    """Whether ``conditions`` hold at ``value``; between two whole numbers, divisibilities are left out."""
    there = {**values, symbol: Fraction(value)}
    for condition in conditions:
        if condition.relation == "==" and symbol in (condition.left, condition.right):
            there |= {side: there[symbol] for side in (condition.left, condition.right) if isinstance(side, Symbol)}
    whole = there[symbol].denominator == 1 or not symbol.whole
    return all(
        condition.holds(there) for condition in conditions if whole or condition.relation not in (DIVIDES, WHOLE)
    )


def _is_readable(top: Any) -> bool:
    names = {atom for monomial in terms_in(top) for atom, _ in monomial}
    return len(terms_in(top)) <= MAX_TERMS and len(names) <= MAX_NAMES and length(top, inside=False) <= MAX_LENGTH


def _number(root: Any, values: Mapping[Any, Num]) -> Num | float | None:
    """A root at the defaults, exact if it is rational; None if it is not real."""
    try:
        return evaluate(root, values)
    except ZeroDivisionError:
        return None
    except UnsupportedError:
        functions = {function: evaluate(function, values) for function in outermost(root)}
        value = number_of(replaced(replaced(root, functions), values))
        return None if value is None else float(value)


def number_of(root: Any) -> Fraction | None:
    """A root without symbols as a number, exact if it is rational, else to 40 digits; None if it is not real."""
    ((monomial, coefficient),) = terms_in(root).items() if len(terms_in(root)) == 1 else [((), 0)]
    square = monomial[0][0] if len(monomial) == 1 and monomial[0][1] == 1 else None
    if isinstance(square, Power) and square.exponent == _HALF and not isinstance(square.base, Expr):
        if square.base < 0:
            return None
        top, bottom = Fraction(square.base).as_integer_ratio()
        return coefficient * Fraction(isqrt(top * bottom * 10 ** (2 * _DIGITS)), bottom * 10**_DIGITS)
    try:
        return Fraction(evaluate(root, {}))
    except UnsupportedError:
        from convcost.numbers.conversion import to_sympy  # noqa: PLC0415 - imports sympy

        value = to_sympy(root)
        return _to_digits(value) if value.is_real else None


def roots(powers: Mapping[int, Any]) -> list[Any]:
    """The real roots of a linear or quadratic polynomial. If only one of two can be positive, it is the last.

    Args:
        powers: its coefficients by their powers.
    """
    a, b, c = (powers.get(power, 0) for power in (2, 1, 0))
    if a == 0:
        return [_short(-c, b)]
    if b == 0:
        square = _short(-c, a)
        root = square if square == 0 else Power(square, _HALF)
        return [root] if root == 0 else [-root, root]
    import sympy  # noqa: PLC0415 - only roots need it

    from convcost.numbers.conversion import from_sympy, hidden  # noqa: PLC0415 - imports sympy

    ((a, b, inside), back) = hidden(a, b, factored(b * b - 4 * a * c))
    if a.could_extract_minus_sign():
        a, b = -a, -b
    if inside.is_negative:
        return []
    discriminant = sympy.sqrt(inside)
    return [from_sympy((-b + plus * discriminant) / (2 * a), back) for plus in (-1, 1)]


def _short(a: Any, b: Any) -> Any:
    numerator, denominator = cancelled(a, b)
    whole = fraction(numerator, denominator) if symbols_in(denominator) else numerator * inverse(denominator)
    return shortest([fraction(factored(numerator), factored(denominator)), whole], inside=False)
