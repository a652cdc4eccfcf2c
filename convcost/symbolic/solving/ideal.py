"""The value at which a budget is met exactly without rounding: a root of a polynomial."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.symbolic.atoms import to_sympy
from convcost.symbolic.roots import roots
from convcost.symbolic.scaling import resolved, without_steps
from convcost.symbolic.views import view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.algebra import Num
    from convcost.symbolic.solving.budgets import Budget
    from convcost.symbolic.solving.landscape import Known

_QUADRATIC = 2
_DIGITS = 4000  # a root may be the small difference of two numbers of 4,096 bits


class IdealRoot(NamedTuple):
    """The root for one budget.

    Attributes:
        budget: which.
        polynomial: what exceeds the bound, without rounding; its root is where it is met.
        root: in closed form; None where that is longer than it is worth.
        value: as a number; None where there is no positive one.
    """

    budget: Budget
    polynomial: Any
    root: Any
    value: float | None


def ideal_roots(known: Known, symbol: Any, budgets: Sequence[Budget], near: Num | None) -> tuple[IdealRoot, ...]:
    """The root for each budget; of several positive ones, that nearest to ``near``."""
    at = Fraction(near if near is not None else known.formula.witness[symbol.name])
    plain = view(known.formula, "unrounded", [one.quantity for one in budgets])
    back = {one.symbol: one.back for one in plain.residues}
    found = []
    for budget, margin in zip(budgets, known.margins, strict=True):
        smooth = without_steps(plain.change(margin).xreplace(back))
        expr = sympy.together(resolved(smooth, symbol, {symbol: at}, side=1))
        top = sympy.expand(sympy.fraction(expr)[0])
        found.append(_root(budget, top, symbol, at))
    return tuple(found)


def _root(budget: Budget, top: Any, symbol: Any, near: Fraction) -> IdealRoot:
    if not top.is_polynomial(symbol) or top.free_symbols != {symbol}:
        return IdealRoot(budget, top, None, None)
    polynomial = sympy.Poly(top, symbol)
    closed = roots(polynomial) if polynomial.degree() <= _QUADRATIC else polynomial.real_roots()
    values = {one: one.evalf(maxn=_DIGITS) for one in closed if one.is_real}
    positive = [one for one, value in values.items() if value > 0]
    if not positive:
        return IdealRoot(budget, top, None, None)
    best = min(positive, key=lambda one: abs(values[one] - to_sympy(near)))
    return IdealRoot(budget, top, best if polynomial.degree() <= _QUADRATIC else None, float(best))
