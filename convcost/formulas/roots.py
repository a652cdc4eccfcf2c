"""Break-even values: for each parameter, the value at which both sides cost the same."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sympy

from convcost.formulas.sign import relation_to_zero
from convcost.formulas.simplify import factored, length, shortest, show
from convcost.numbers.arithmetic import normal
from convcost.numbers.decisions import DIVIDES, WHOLE
from convcost.numbers.symbols import evaluate, to_number, to_sympy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

_QUADRATIC = 2
MAX_TERMS = 24  # of a difference whose roots are written down; beyond that nobody reads them
MAX_LENGTH = 160  # characters of it
MAX_NAMES = 7  # names in it: to factor more takes long, and the root is long too
_HALF = sympy.Rational(1, 2)


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


def thresholds(
    top: Any, back: Mapping[Any, Any], names: Sequence[Any], floor: Mapping[Any, Num]
) -> tuple[Threshold, ...]:
    """Names in which the coefficients change their sign once: by Descartes' rule one value decides.

    Args:
        top: of the sign of the second cost less the first, functions hidden.
        back: the hidden functions.
        names: those to look at.
        floor: the least value of each symbol.
    """
    result = []
    for symbol in names if _is_readable(top) else ():
        polynomial = sympy.Poly(top, symbol)
        if not 0 < polynomial.degree() <= _QUADRATIC:
            continue
        signs = [
            _sign(show(coefficient, dict(back)), floor) for coefficient in polynomial.all_coeffs() if coefficient != 0
        ]
        changes = sum(sign != other for sign, other in pairwise(signs))
        if changes == 1 and 0 not in signs:
            result.append(Threshold(symbol.name, ">" if signs[0] > 0 else "<", show(roots(polynomial)[-1], dict(back))))
    return tuple(result)


def _sign(coefficient: Any, floor: Mapping[Any, Num]) -> Literal[-1, 0, 1]:
    """1 or -1 if a coefficient is proved to be above or below 0, else 0."""
    expanded = sympy.expand(coefficient)
    if relation_to_zero(expanded, floor) == ">":
        return 1
    return -1 if relation_to_zero(sympy.expand(-expanded), floor) == ">" else 0


def break_even(
    top: Any,
    back: Mapping[Any, Any],
    names: Sequence[Any],
    values: Mapping[Any, Num],
    conditions: Sequence[Condition] = (),
) -> tuple[BreakEven, ...]:
    """For each name, where ``top`` is 0, if that is positive (for whole numbers, at least 1) at the defaults.

    Args:
        top: of the sign of the second cost less the first, functions hidden.
        back: the hidden functions.
        names: those to look at.
        values: the defaults.
        conditions: what must hold at the defaults with the value put in.
    """
    numbers = {symbol: to_sympy(value) for symbol, value in values.items()}
    numbers |= {dummy: to_sympy(evaluate(function, dict(values))) for dummy, function in back.items()}
    result = []
    for symbol in names:
        others = {name: value for name, value in numbers.items() if name != symbol}
        at_default = sympy.Poly(top.xreplace(others), symbol)
        if at_default.degree() > 0 and not at_default.count_roots(0):
            continue  # nothing above 0 at the defaults, and an expression takes long to find
        polynomial = sympy.Poly(top, symbol)
        if 0 < polynomial.degree() <= _QUADRATIC and _is_readable(top):
            pairs = [(show(root, dict(back)), _number(root, others)) for root in roots(polynomial)]
        else:
            pairs = (
                [(None, float(root)) for root in at_default.real_roots(radicals=False)]
                if at_default.degree() > 0
                else []
            )
        for root, value in pairs:
            positive = value is not None and value > 0 and (value >= 1 or not symbol.is_integer)
            if positive and _allowed(symbol, value, values, conditions):
                result.append(BreakEven(symbol.name, root, value))
    return tuple(result)


def _allowed(symbol: Any, value: Any, values: Mapping[Any, Num], conditions: Sequence[Condition]) -> bool:
    """Whether ``conditions`` hold at ``value``; between two whole numbers, divisibilities are left out."""
    there = {**values, symbol: Fraction(value)}
    for condition in conditions:
        if condition.relation == "==" and symbol in (condition.left, condition.right):
            there |= {
                side: there[symbol] for side in (condition.left, condition.right) if side is not None and side.is_Symbol
            }
    whole = there[symbol].denominator == 1 or not symbol.is_integer
    return all(
        condition.holds(there) for condition in conditions if whole or condition.relation not in (DIVIDES, WHOLE)
    )


def _is_readable(top: Any) -> bool:
    few = len(sympy.Add.make_args(top)) <= MAX_TERMS and len(top.free_symbols) <= MAX_NAMES
    return few and length(top) <= MAX_LENGTH


def _number(root: Any, others: Mapping[Any, Any]) -> Num | float | None:
    """A root at the defaults, exact if it is rational; None if it is not real."""
    value = root.xreplace(dict(others)).doit()
    if value.has(sympy.zoo, sympy.nan) or not value.is_real:
        return None
    number = to_number(value)
    return float(value) if number is None else normal(Fraction(number))


def roots(polynomial: Any) -> list[Any]:
    """The roots of a linear or quadratic polynomial. If only one of two can be positive, it is the last."""
    coefficients = polynomial.all_coeffs()
    if len(coefficients) == _QUADRATIC:
        a, b = coefficients
        return [_short(-b / a)]
    a, b, c = coefficients
    if b == 0:
        square = _short(-c / a)
        if square == 0:
            return [square]
        root = sympy.Pow(square, _HALF, evaluate=False)
        return [-root, root]
    if a.could_extract_minus_sign():
        a, b, c = -a, -b, -c
    discriminant = sympy.sqrt(factored(b * b - 4 * a * c))
    return [(-b + plus * discriminant) / (2 * a) for plus in (-1, 1)]


def _short(expr: Any) -> Any:
    return shortest([factored(expr), sympy.cancel(expr)])
