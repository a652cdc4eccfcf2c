"""The value at which a budget is met exactly without rounding: a root of a polynomial."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.formulas.roots import roots
from convcost.formulas.scaling import resolved, without_steps
from convcost.formulas.views import view
from convcost.numbers.symbols import to_sympy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.solving.budgets import Budget
    from convcost.solving.landscape import Known

_QUADRATIC = 2
_BOUNDS = ("<", "<=", ">", ">=")
_DIGITS = 4000  # a root may be the small difference of two numbers of 4,096 bits


class IdealRoot(NamedTuple):
    """The root for one budget.

    Attributes:
        budget: which.
        polynomial: what exceeds the bound, without rounding; its root is where it is met.
        root: in closed form; None where that is longer than it is worth.
        value: as a number; None where there is no positive one for which the network exists.
    """

    budget: Budget
    polynomial: Any
    root: Any
    value: float | None


def ideal_roots(known: Known, symbol: Any, budgets: Sequence[Budget], near: Num | None) -> tuple[IdealRoot, ...]:
    """The root for each budget; of several at which the network exists, that nearest to ``near``."""
    at = Fraction(near if near is not None else known.formula.witness[symbol.name])
    plain = view(known.formula, "unrounded", [one.quantity for one in budgets])
    back = {one.symbol: one.back for one in plain.residues}
    found = []
    for budget, margin in zip(budgets, known.margins, strict=True):
        smooth = without_steps(plain.change(margin).xreplace(back))
        expr = sympy.together(resolved(smooth, symbol, {symbol: at}, side=1))
        top = sympy.expand(sympy.fraction(expr)[0])
        found.append(_root(budget, top, symbol, at, known))
    return tuple(found)


def _root(budget: Budget, top: Any, symbol: Any, near: Fraction, known: Known) -> IdealRoot:
    if not top.is_polynomial(symbol) or top.free_symbols != {symbol}:
        return IdealRoot(budget, top, None, None)
    polynomial = sympy.Poly(top, symbol)
    closed = roots(polynomial) if polynomial.degree() <= _QUADRATIC else polynomial.real_roots()
    values = {one: one.evalf(maxn=_DIGITS) for one in closed if one.is_real}
    possible = [one for one, value in values.items() if value > 0 and _in_range(known, symbol, value)]
    if not possible:
        return IdealRoot(budget, top, None, None)
    best = min(possible, key=lambda one: abs(values[one] - to_sympy(near)))
    return IdealRoot(budget, top, best if polynomial.degree() <= _QUADRATIC else None, float(best))


def _in_range(known: Known, symbol: Any, value: Any) -> bool:
    """Whether the name may be that large or small; divisibility is left aside, as rounding is."""
    at = Fraction(str(sympy.Float(value, 30)))
    bounds = [one for one in known.conditions if one.relation in _BOUNDS and one.symbols == {symbol}]
    return all(one.holds({symbol: at}) for one in bounds)
