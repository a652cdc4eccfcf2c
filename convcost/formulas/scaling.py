"""Growth of a cost with each free parameter: degree, leading term, elasticity, and the constant part."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.formulas.ratio import cancelled, fraction
from convcost.formulas.simplify import factored
from convcost.formulas.views import View, view
from convcost.numbers.arithmetic import normal
from convcost.numbers.functions import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import (
    expanded,
    functions_in,
    inverse,
    made,
    outermost,
    over_common,
    powers_of,
    replaced,
    symbols_in,
    terms_in,
    times,
)
from convcost.numbers.printing import floor_or_ceiling
from convcost.numbers.values import evaluate
from convcost.tables.printable import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from convcost.formulas.closed import Formula
    from convcost.numbers.arithmetic import Num


class Scaling(NamedTuple):
    """How a quantity grows with a name, without rounding.

    Attributes:
        name: of the free name.
        quantity: see :mod:`convcost.metrics.quantities`.
        degree: the power that it grows with in the end; negative where it shrinks.
        leading: the term of that power.
        elasticity: ``d ln quantity / d ln name`` at the default, approached from below and from above, which
            differ where a ``max`` takes over.
        fixed: the share, at the default, of what does not depend on the name.
    """

    name: str
    quantity: str
    degree: int
    leading: Any
    elasticity: tuple[Num, Num]
    fixed: Num


class Scalings(Records[Scaling]):
    """How quantities grow, by name, then by quantity.

    Attributes:
        formula: the closed forms that this is taken from.
    """

    def __init__(self, rows: Iterable[Scaling], formula: Formula) -> None:
        super().__init__(rows)
        self.formula = formula


def scaling(formula: Formula, quantities: Iterable[str]) -> Scalings:
    """How ``quantities`` grow with each free name: by name, then by quantity."""
    quantities = list(quantities)
    plain = view(formula, "unrounded", quantities)
    smooth = {quantity: _smooth(plain, quantity) for quantity in quantities}
    values = {symbol: Fraction(number) for symbol, number in formula.values.items()}
    rows = (
        _scaling(symbol, quantity, expr, values)
        for symbol in formula.symbols.values()
        for quantity, expr in smooth.items()
    )
    return Scalings(rows, formula)


def _smooth(plain: View, quantity: str) -> Any:
    """The form in the free names themselves, without floors."""
    back = {residue.symbol: residue.back for residue in plain.residues}
    form = plain.exprs[quantity]
    # a common divisor is bounded, so it has no part in the growth
    common = {each: evaluate(each, plain.values) for each in functions_in(form) if isinstance(each, Gcd)}
    return without_steps(replaced(replaced(form, common), back))


def without_steps(value: Any) -> Any:
    """``value`` with every floor and rounding replaced by its argument."""
    return replaced(value, {function: _smoothed(function) for function in outermost(value)})


def _smoothed(function: Any) -> Any:
    if isinstance(function, FloorDiv | CeilDiv):
        _, top, bottom = floor_or_ceiling(function)
        return without_steps(top) * inverse(without_steps(bottom))
    arguments = [without_steps(argument) for argument in function.args]
    return arguments[0] if isinstance(function, MakeDivisible | RoundEven) else type(function)(*arguments)


def _scaling(symbol: Any, quantity: str, expr: Any, values: Mapping[Any, Fraction]) -> Scaling:
    degree, leading = _leading(resolved(expr, symbol, values, side=None), symbol)
    whole_cost = Fraction(evaluate(expr, values))
    sides = []
    for side in (-1, 1):
        change = _slope(resolved(expr, symbol, values, side=side), symbol, values) * values[symbol]
        sides.append(normal(change / whole_cost) if whole_cost else 0)
    still = made(
        {
            monomial: number
            for monomial, number in terms_in(expr).items()
            if symbol not in symbols_in(made({monomial: 1}))
        }
    )
    fixed = Fraction(evaluate(still, values))
    share = normal(fixed / whole_cost) if whole_cost else 1
    return Scaling(symbol.name, quantity, degree, leading, (sides[0], sides[1]), share)


def _slope(value: Any, symbol: Any, values: Mapping[Any, Fraction]) -> Fraction:
    """The derivative of a quotient of polynomials, at ``values``."""
    top, bottom = (powers_of(part, symbol) for part in over_common(expanded(value)))
    (above, rise), (below, fall) = (_at(powers, values, values[symbol]) for powers in (top, bottom))
    return (rise * below - above * fall) / (below * below)


def _at(powers: Mapping[int, Any], values: Mapping[Any, Fraction], here: Fraction) -> tuple[Fraction, Fraction]:
    """A polynomial and its derivative at ``here``, from its coefficients by their powers."""
    numbers = {power: Fraction(evaluate(coefficient, values)) for power, coefficient in powers.items()}
    value = sum((number * here**power for power, number in numbers.items()), Fraction(0))
    slope = sum((power * number * here ** (power - 1) for power, number in numbers.items() if power), Fraction(0))
    return value, slope


def _leading(expr: Any, symbol: Any) -> tuple[int, Any]:
    """The degree of a quotient of polynomials, and its term of that degree."""
    top, bottom = over_common(expanded(expr))
    if top == 0:
        return 0, top
    above, below = powers_of(top, symbol), powers_of(bottom, symbol)
    degree = max(above) - max(below)
    numerator, denominator = cancelled(above[max(above)], below[max(below)])
    return degree, times(fraction(factored(numerator), factored(denominator)), symbol**degree)


def resolved(expr: Any, symbol: Any, values: Mapping[Any, Fraction], *, side: int | None) -> Any:
    """``expr`` with every ``max`` and ``min`` replaced by the argument that determines its value.

    Args:
        expr: an expression without steps.
        symbol: what is varied.
        values: where to look.
        side: just below (-1) or above (1) the value of ``symbol``; None: where it is very large.
    """
    return replaced(expr, {function: _chosen(function, symbol, values, side) for function in outermost(expr)})


def _chosen(function: Any, symbol: Any, values: Mapping[Any, Fraction], side: int | None) -> Any:
    arguments = [resolved(argument, symbol, values, side=side) for argument in function.args]
    if not isinstance(function, Maximum | Minimum):
        return type(function)(*arguments)
    choose = max if isinstance(function, Maximum) else min
    return choose(arguments, key=lambda argument: _rank(argument, symbol, values, side))


def _rank(expr: Any, symbol: Any, values: Mapping[Any, Fraction], side: int | None) -> tuple[Any, ...]:
    if side is None:
        degree, leading = _leading(expr, symbol)
        return (degree, Fraction(evaluate(leading, {**values, symbol: Fraction(1)})))
    here = Fraction(evaluate(expr, values))
    return (here, side * _slope(expr, symbol, values))
