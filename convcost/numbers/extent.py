"""Bounds on the size of an expanded expression, found without expanding it; they stop hostile formulas."""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Any

from convcost.limits import MAX_TERMS

MAX_FORM_TERMS = 50_000  # of a closed form


@lru_cache(maxsize=4096)
def terms(expr: Any) -> int:
    """An upper bound of the number of terms of ``expr`` multiplied out.

    >>> from sympy.abc import x, y
    >>> terms((x + y + 1) ** 3 * (x + 1))
    20
    """
    if expr.is_Add:
        return sum(map(terms, expr.args))
    if expr.is_Mul:
        count = 1
        for factor in expr.args:
            count *= terms(factor)
        return count
    if expr.is_Pow and expr.exp.is_Integer:
        base, power = terms(expr.base), abs(int(expr.exp))
        if base == 1:
            return 1
        return comb(base + power - 1, power) if power <= MAX_TERMS else MAX_FORM_TERMS + 1
    return 1


@lru_cache(maxsize=4096)
def degree(expr: Any) -> int:
    """An upper bound of the total degree of ``expr``, a function counting as a name.

    >>> from sympy.abc import x, y
    >>> degree((x * y + 1) ** 3 / x)
    7
    """
    if expr.is_Number:
        return 0
    if expr.is_Add:
        return max(map(degree, expr.args))
    if expr.is_Mul:
        return sum(map(degree, expr.args))
    if expr.is_Pow and expr.exp.is_Integer:
        return abs(int(expr.exp)) * degree(expr.base)
    return 1
