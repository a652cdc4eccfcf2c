"""Ratios of costs: the exact number, the formula, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.formulas.simplify import factored, hide, shortest, show
from convcost.numbers.decisions import with_equalities
from convcost.numbers.symbols import CeilDiv, FloorDiv, MakeDivisible, RoundEven, to_sympy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

MAX_OPERATIONS = 2000  # beyond that a ratio is not a formula anyone reads
MAX_APART = 60  # beyond that a fraction is not taken apart
MAX_NAMES = 5  # beyond that none of its forms is short
_LARGE = 2**40 * 3**4 * 25 * 7 * 11 * 13  # times a default: what widths are divided by divides that too
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
    """``a / b`` of two closed forms; None if ``b`` is 0 or the result is too long to read."""
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
    """Partial fractions: term by term, or in the name that gives the shortest result for a sum in the denominator."""
    if not denominator.is_Add:
        return sympy.Add(*(sympy.cancel(term / denominator) for term in sympy.Add.make_args(sympy.expand(numerator))))
    whole = numerator / denominator
    if whole.count_ops() > MAX_APART or len(whole.free_symbols) > MAX_NAMES:
        return whole
    names = sorted(denominator.free_symbols, key=lambda symbol: symbol.name)
    return shortest([whole, *(sympy.apart(whole, name) for name in names)])


def limits(
    formula: Any, conditions: Sequence[Condition] = (), values: Mapping[Any, Num] | None = None
) -> tuple[list[tuple[Any, str]], list[str]]:
    """The limits of ``formula`` as one of its names goes to infinity.

    Of widths where that is another formula, not 0; if there is none, of all names, 0 and infinity as well. Rounding
    is left out in the limit: of a name that is rounded only where all terms add, so that they cannot cancel. A name
    that conditions bound, as the groups that divide a width, has no limit.

    Args:
        formula: a ratio.
        conditions: what it relies on.
        values: the defaults.

    Returns:
        ``(limit, name)`` pairs, and the names that grow without end but whose limit is not known.
    """
    formula = with_equalities(formula, conditions, expand=False)
    known, unknown = [], []
    for symbol in sorted(formula.free_symbols, key=lambda symbol: symbol.name):
        if not _grows(symbol, conditions, values or {}):
            continue
        limit = _limit(formula, symbol)
        if limit is None:
            unknown.append(symbol.name)
        else:
            known.append((limit, symbol.name))
    finite = [pair for pair in known if pair[0] not in (0, sympy.oo)]
    widths = [pair for pair in finite if pair[1].rstrip("'") not in _NOT_WIDTHS]
    return widths or finite or known, unknown


def _grows(symbol: Any, conditions: Sequence[Condition], values: Mapping[Any, Num]) -> bool:
    """Whether the conditions allow any large value of a name while all others keep their values."""
    tied = {
        condition.right: condition.left
        for condition in conditions
        if condition.relation == "==" and condition.left.is_Symbol
    }
    large = {**values, symbol: values.get(symbol, 1) * _LARGE}
    large |= {other: large[symbol] for other, left in tied.items() if left == symbol}
    return all(condition.holds(large) for condition in conditions)


def _limit(formula: Any, symbol: Any) -> Any:
    hidden, back = hide(formula)
    parts = [sympy.expand(part) for part in sympy.fraction(sympy.together(hidden))]
    rounded = {dummy: function for dummy, function in back.items() if function.has(symbol)}
    if rounded:
        plain = {dummy: without_rounding(function) for dummy, function in rounded.items()}
        signs = [expr.as_coefficients_dict().values() for expr in (*parts, *plain.values())]
        if any(coefficient < 0 for values in signs for coefficient in values) or any(
            expr.has(sympy.Function) for expr in plain.values()
        ):
            return None
        parts = [sympy.expand(part.xreplace(plain)) for part in parts]
    top, bottom = (sympy.Poly(part, symbol) for part in parts)
    if top.degree() < bottom.degree():
        return sympy.S.Zero
    quotient = show(_short(top.LC() / bottom.LC()), back)
    if top.degree() > bottom.degree():
        return sympy.oo if _plainly_positive(top.LC()) and _plainly_positive(bottom.LC()) else None
    return quotient


def without_rounding(function: Any) -> Any:
    """The argument of a rounding, as a sum."""
    if isinstance(function, FloorDiv | CeilDiv):
        return sympy.expand(function.args[0] / function.args[1])
    return function.args[0] if isinstance(function, MakeDivisible | RoundEven) else function


def _plainly_positive(expr: Any) -> bool:
    return all(coefficient > 0 for coefficient in sympy.expand(expr).as_coefficients_dict().values())


def _short(expr: Any) -> Any:
    return shortest([factored(sympy.cancel(expr)), sympy.expand(sympy.cancel(expr))])
