"""Monotonicity: a proof that a budget gets harder to meet as a parameter grows, if there is a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from convcost.formulas.order import numerator
from convcost.formulas.simplify import hide
from convcost.numbers.symbols import evaluate, is_monotone, to_sympy

if TYPE_CHECKING:
    from fractions import Fraction

UP, DOWN, STILL = 1, -1, 0


def growth(expr: Any, symbol: Any, low: Fraction) -> int | None:
    """How the sign of ``expr`` goes with ``symbol`` from ``low`` on.

    Every function in it that grows with the symbol is written as its value at ``low`` plus something that grows from
    0; if then all coefficients have one sign, so has the change.

    Returns:
        1: once positive it stays so; -1: once negative it stays so; 0: it does not change; None: not known.
    """
    top = numerator(expr) if any(_divides(power) for power in expr.atoms(sympy.Pow)) else expr
    if top is None:
        return None
    plain, back = hide(top)
    if symbol not in top.free_symbols:
        return STILL
    if not all(is_monotone(function) for function in back.values() if function.has(symbol)):
        return None
    least = {dummy: evaluate(function, {symbol: low}) for dummy, function in back.items()}
    least[symbol] = low
    shifted = sympy.expand(plain.xreplace({one: one + to_sympy(least[one]) for one in plain.free_symbols}))
    coefficients = [value for term, value in shifted.as_coefficients_dict().items() if term != 1]
    if all(value > 0 for value in coefficients):
        return UP
    return DOWN if all(value < 0 for value in coefficients) else None


def _divides(power: Any) -> bool:
    return not (power.exp.is_Integer and power.exp > 0)
