"""Ratios of costs: the exact number, the formula, and its limits."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.formulas.simplify import factored, generators, is_irreducible, operations, shortest
from convcost.numbers.decisions import with_equalities
from convcost.numbers.functions import CeilDiv, FloorDiv, MakeDivisible, RoundEven
from convcost.numbers.polynomial import (
    Symbol,
    atoms_of,
    divided,
    expanded,
    factor,
    functions_in,
    inverse,
    leading,
    made,
    outermost,
    over_common,
    parts_of,
    powers_of,
    primitive,
    replaced,
    symbols_in,
    terms_in,
    terms_of,
    times,
    total,
)

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
    if b == 0:
        return None
    if operations(a) + operations(b) > MAX_OPERATIONS:
        return None
    numerator, denominator = cancelled(a, b)
    single = fraction(factored(numerator), factored(denominator))
    parts = _parts(numerator, denominator)
    forms = [parts, single] if len(terms_in(denominator)) == 1 else [single, parts]
    best = shortest(forms, inside=False)
    return Fractions(best, single, parts)


def cancelled(a: Any, b: Any) -> tuple[Any, Any]:
    """``a / b`` as a fraction of sums with whole coefficients that have no common factor."""
    top, below = over_common(expanded(a))
    bottom, above = over_common(expanded(b))
    if top == 0:
        return 0, 1
    (first, numerator), (second, denominator) = primitive(terms_in(top)), primitive(terms_in(bottom))
    outside, inside = over_common(made(first) * above * inverse(made(second) * below))
    over, under = _without_common(made(numerator), made(denominator))
    over, under = over * outside, under * inside
    if leading(terms_in(under), generators(terms_in(under)))[1] < 0:
        over, under = -over, -under
    return over, under


def _without_common(top: Any, bottom: Any) -> tuple[Any, Any]:
    """Two sums without the factors that both have."""
    if len(terms_in(bottom)) == 1 or len(terms_in(top)) == 1:
        return top, bottom
    quotient = divided(top, bottom)
    if quotient is not None:
        return quotient, 1
    quotient = divided(bottom, top)
    if quotient is not None:
        return 1, quotient
    if any(map(is_irreducible, map(terms_in, (top, bottom)))):
        return top, bottom
    import sympy  # noqa: PLC0415 - only what has no simpler proof pays for it

    from convcost.numbers.conversion import from_sympy, hidden  # noqa: PLC0415 - imports sympy

    plain, back = hidden(top, bottom)
    over, under = sympy.fraction(sympy.cancel(plain[0] / plain[1]))
    return expanded(from_sympy(over, back)), expanded(from_sympy(under, back))


def fraction(numerator: Any, denominator: Any) -> Any:
    """A fraction of sums or products, with its sums in parentheses."""
    terms = terms_in(denominator)
    return times(numerator, factor(denominator, -1) if len(terms) > 1 else inverse(denominator))


def _parts(numerator: Any, denominator: Any) -> Any:
    """Partial fractions: term by term, or in the name that gives the shortest result for a sum in the denominator."""
    if len(terms_in(denominator)) == 1:
        return numerator * inverse(denominator)
    whole = fraction(numerator, denominator)
    names = {atom for part in (numerator, denominator) for atom in atoms_of(part)}
    if operations(whole, inside=False) > MAX_APART or len(names) > MAX_NAMES:
        return whole
    import sympy  # noqa: PLC0415 - only what has no simpler proof pays for it

    from convcost.numbers.conversion import from_sympy, hidden  # noqa: PLC0415 - imports sympy

    (plain, below), back = hidden(whole, denominator)
    symbols = sorted(below.free_symbols, key=lambda symbol: symbol.name)
    return shortest([whole, *(from_sympy(sympy.apart(plain, symbol), back) for symbol in symbols)], inside=False)


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
    formula = with_equalities(formula, conditions)
    known, unknown = [], []
    for symbol in sorted(symbols_in(formula), key=lambda symbol: symbol.name):
        if not _grows(symbol, conditions, values or {}):
            continue
        limit = _limit(formula, symbol)
        if limit is None:
            unknown.append(symbol.name)
        else:
            known.append((limit, symbol.name))
    finite = [pair for pair in known if pair[0] not in (0, inf)]
    widths = [pair for pair in finite if pair[1].rstrip("'") not in _NOT_WIDTHS]
    return widths or finite or known, unknown


def _grows(symbol: Any, conditions: Sequence[Condition], values: Mapping[Any, Num]) -> bool:
    """Whether the conditions allow any large value of a name while all others keep their values."""
    tied = {
        condition.right: condition.left
        for condition in conditions
        if condition.relation == "==" and isinstance(condition.left, Symbol)
    }
    large = {**values, symbol: values.get(symbol, 1) * _LARGE}
    large |= {other: large[symbol] for other, left in tied.items() if left == symbol}
    return all(condition.holds(large) for condition in conditions)


def _limit(formula: Any, symbol: Any) -> Any:
    parts = [expanded(part) for part in over_common(expanded(formula))]
    rounded = [function for function in outermost(*parts) if symbol in function.symbols]
    if rounded:
        plain = {function: without_rounding(function) for function in rounded}
        coefficients = [number for value in (*parts, *plain.values()) for number in terms_of(value).values()]
        if any(number < 0 for number in coefficients) or functions_in(*plain.values()):
            return None
        parts = [replaced(part, plain) for part in parts]
    top, bottom = (powers_of(part, symbol) for part in parts)
    above, below = max(top), max(bottom)
    if above < below:
        return 0
    if above > below:
        return inf if _is_plainly_positive(top[above]) and _is_plainly_positive(bottom[below]) else None
    return short_quotient(top[above], bottom[below])


def without_rounding(function: Any) -> Any:
    """The argument of a rounding, as a sum."""
    if isinstance(function, FloorDiv | CeilDiv):
        return function.args[0] * inverse(function.args[1])
    return function.args[0] if isinstance(function, MakeDivisible | RoundEven) else function


def _is_plainly_positive(value: Any) -> bool:
    return all(coefficient > 0 for coefficient in terms_of(value).values())


def short_quotient(a: Any, b: Any) -> Any:
    """``a / b``, as a product or as a sum, whichever is shorter."""
    numerator, denominator = cancelled(a, b)
    whole = [fraction(part, denominator) for part in parts_of(numerator)]
    return shortest([fraction(factored(numerator), factored(denominator)), total(whole)], inside=False)
