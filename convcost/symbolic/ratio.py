"""Ratios of costs: as an exact number, as a formula, and where it tends to."""

from __future__ import annotations

from typing import Any

import sympy

from convcost.symbolic.atoms import to_sympy
from convcost.symbolic.simplify import hide, shortest, show

MAX_OPERATIONS = 2000  # beyond that a ratio is not a formula anyone reads
_NOT_WIDTHS = ("K", "H", "W", "D", "G", "stride", "kernel", "groups")


def ratio_of(a: Any, b: Any) -> Any:
    """``a / b`` of two closed forms, in its shortest form; None where ``b`` is 0 or the result is too long to read."""
    a, b = to_sympy(a), to_sympy(b)
    if b == 0:
        return None
    if a.count_ops() + b.count_ops() > MAX_OPERATIONS:
        return None
    (top, bottom), back = hide(a, b)
    quotient = sympy.cancel(top / bottom)
    numerator, denominator = sympy.fraction(quotient)
    candidates = [sympy.factor(numerator) / sympy.factor(denominator)]
    if not denominator.is_Add:
        candidates.insert(0, sympy.Add(*(sympy.cancel(term / denominator) for term in _terms(numerator))))
    return show(shortest(candidates), back)


def _terms(expr: Any) -> tuple[Any, ...]:
    return tuple(sympy.Add.make_args(sympy.expand(expr)))


def limits(formula: Any) -> tuple[tuple[Any, str], ...]:
    """What ``formula`` tends to as one of its names grows without end, where that is a simpler formula, not 0.

    Only widths grow without end: the limit for a larger and larger kernel tells nothing.
    """
    hidden, back = hide(formula)
    if back:
        return ()
    numerator, denominator = sympy.fraction(sympy.together(hidden))
    symbols = sorted(hidden.free_symbols, key=lambda one: one.name)
    found = []
    for symbol in symbols:
        top, bottom = sympy.Poly(numerator, symbol), sympy.Poly(denominator, symbol)
        if top.degree() == bottom.degree() > 0:
            found.append((_short(top.LC() / bottom.LC()), symbol.name))
    return tuple(pair for pair in found if pair[1] not in _NOT_WIDTHS)


def _short(expr: Any) -> Any:
    return shortest([sympy.factor(sympy.cancel(expr)), sympy.expand(sympy.cancel(expr))])
