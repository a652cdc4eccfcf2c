"""Expressions in the shape a person would choose: of several equal ones, the shortest."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy

from convcost.symbolic.atoms import expanded
from convcost.symbolic.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TERMS = 16  # factoring is for formulas that a person reads


@lru_cache(maxsize=10_000)
def tidy(expr: Any) -> Any:
    """``expr`` as a sum or as a product, whichever is shorter to write.

    >>> from sympy.abc import x, y, z
    >>> text(tidy(x * z + y * z + 2 * z))
    'z*(x + y + 2)'
    """
    terms = expanded(expr)
    if not terms.is_Add or len(terms.args) > MAX_TERMS:
        return terms
    plain, back = hide(terms)
    return shortest([terms, show(sympy.factor(plain), back)])


def hide(*exprs: Any) -> Any:
    """Expressions with their functions (floors ...) replaced by symbols, so that sympy sees polynomials.

    Returns:
        The expressions (one, or a list where several were given), and what :func:`show` needs to undo it.
    """
    functions = sorted({atom for expr in exprs for atom in expr.atoms(sympy.Function)}, key=lambda f: f.sort_key())
    outermost = [f for f in functions if not any(f != other and other.has(f) for other in functions)]
    there = {f: sympy.Dummy(f"f{index}", positive=True) for index, f in enumerate(outermost)}
    hidden = [expr.xreplace(there) for expr in exprs]
    back = {dummy: f for f, dummy in there.items()}
    return (hidden[0] if len(hidden) == 1 else hidden), back


def show(expr: Any, back: dict[Any, Any]) -> Any:
    """Undo :func:`hide`."""
    return expr.xreplace(back)


def shortest(candidates: Iterable[Any]) -> Any:
    """The one with the shortest text; the first of equals."""
    return min(candidates, key=lambda expr: len(text(expr)))
