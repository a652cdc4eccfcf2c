"""Growth of a cost with each free parameter: degree, leading term, elasticity, and the constant part."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.formulas.simplify import factored
from convcost.formulas.views import View, view
from convcost.numbers.arithmetic import normal
from convcost.numbers.printing import floor_or_ceiling
from convcost.numbers.symbols import (
    CeilDiv,
    FloorDiv,
    Gcd,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    evaluate,
    to_number,
    to_sympy,
)
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
    common = {divisor: to_sympy(evaluate(divisor, plain.values)) for divisor in form.atoms(Gcd)}
    return sympy.expand(without_steps(form.xreplace(common).xreplace(back)))


def without_steps(expr: Any) -> Any:
    """``expr`` with every floor and rounding replaced by its argument."""
    if not expr.args:
        return expr
    if isinstance(expr, FloorDiv | CeilDiv):
        _, top, bottom = floor_or_ceiling(expr)
        return without_steps(top) / without_steps(bottom)
    arguments = [without_steps(argument) for argument in expr.args]
    return arguments[0] if isinstance(expr, MakeDivisible | RoundEven) else expr.func(*arguments)


def _scaling(symbol: Any, quantity: str, expr: Any, values: Mapping[Any, Fraction]) -> Scaling:
    degree, leading = _leading(resolved(expr, symbol, values, side=None), symbol)
    total = Fraction(evaluate(expr, dict(values)))
    sides = []
    for side in (-1, 1):
        slope = sympy.diff(resolved(expr, symbol, values, side=side), symbol)
        change = Fraction(evaluate(sympy.together(slope), dict(values))) * values[symbol]
        sides.append(normal(change / total) if total else 0)
    still = sympy.Add(*(term for term in sympy.Add.make_args(expr) if not term.has(symbol)))
    fixed = Fraction(evaluate(still, dict(values)))
    return Scaling(symbol.name, quantity, degree, leading, (sides[0], sides[1]), normal(fixed / total) if total else 1)


def _leading(expr: Any, symbol: Any) -> tuple[int, Any]:
    """The degree of a quotient of polynomials, and its term of that degree."""
    top, bottom = sympy.fraction(sympy.together(expr))
    if top == 0:
        return 0, top
    above, below = sympy.Poly(top, symbol), sympy.Poly(bottom, symbol)
    degree = above.degree() - below.degree()
    return degree, factored(sympy.cancel(above.LC() / below.LC())) * symbol**degree


def resolved(expr: Any, symbol: Any, values: Mapping[Any, Fraction], *, side: int | None) -> Any:
    """``expr`` with every ``max`` and ``min`` replaced by the argument that determines its value.

    Args:
        expr: an expression without steps.
        symbol: what is varied.
        values: where to look.
        side: just below (-1) or above (1) the value of ``symbol``; None: where it is very large.
    """
    if not expr.args or not expr.atoms(Maximum, Minimum):
        return expr
    arguments = [resolved(argument, symbol, values, side=side) for argument in expr.args]
    if not isinstance(expr, Maximum | Minimum):
        return expr.func(*arguments)
    choose = max if isinstance(expr, Maximum) else min
    return choose(arguments, key=lambda argument: _rank(argument, symbol, values, side))


def _rank(expr: Any, symbol: Any, values: Mapping[Any, Fraction], side: int | None) -> tuple[Any, ...]:
    if side is None:
        degree, leading = _leading(expr, symbol)
        return (degree, Fraction(evaluate(leading, {**values, symbol: Fraction(1)})))
    slope = sympy.diff(expr, symbol)
    here = Fraction(evaluate(expr, dict(values)))
    number = to_number(slope)
    return (here, side * Fraction(number if number is not None else evaluate(sympy.together(slope), dict(values))))
