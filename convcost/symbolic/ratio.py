"""Ratios of costs: as an exact number, as a formula, and where it tends to."""

from __future__ import annotations

from typing import Any, NamedTuple

import sympy

from convcost.symbolic.atoms import to_sympy
from convcost.symbolic.simplify import factored, hide, shortest, show

MAX_OPERATIONS = 2000  # beyond that a ratio is not a formula anyone reads
MAX_APART = 60  # beyond that a fraction is not taken apart
_NOT_WIDTHS = ("K", "H", "W", "D", "G", "stride", "kernel", "groups")


class Fractions(NamedTuple):
    """A quotient of two closed forms, simplified.

    Attributes:
        shortest: whichever of the two is shorter to write.
        single: one fraction, factored: ``(K^2 + O)/(O*K^2)``.
        parts: a sum of fractions: ``1/O + 1/K^2``.
    """

    shortest: Any
    single: Any
    parts: Any


def ratio_of(a: Any, b: Any) -> Fractions | None:
    """``a / b`` of two closed forms; None where ``b`` is 0 or the result is too long to read."""
    a, b = to_sympy(a), to_sympy(b)
    if b == 0:
        return None
    if a.count_ops() + b.count_ops() > MAX_OPERATIONS:
        return None
    (top, bottom), back = hide(a, b)
    numerator, denominator = sympy.fraction(sympy.cancel(top / bottom))
    single = factored(numerator) / factored(denominator)
    parts = _parts(numerator, denominator)
    best = shortest([parts, single] if not denominator.is_Add else [single, parts])
    return Fractions(show(best, back), show(single, back), show(parts, back))


def _parts(numerator: Any, denominator: Any) -> Any:
    """Partial fractions: term by term, or in the name that takes a sum of denominators apart the shortest."""
    if not denominator.is_Add:
        return sympy.Add(*(sympy.cancel(term / denominator) for term in sympy.Add.make_args(sympy.expand(numerator))))
    whole = numerator / denominator
    if whole.count_ops() > MAX_APART:
        return whole
    names = sorted(denominator.free_symbols, key=lambda one: one.name)
    return shortest([whole, *(sympy.apart(whole, name) for name in names)])


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
    return shortest([factored(sympy.cancel(expr)), sympy.expand(sympy.cancel(expr))])
