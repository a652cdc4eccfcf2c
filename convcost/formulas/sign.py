"""Proofs of the sign of a closed form.

Every symbol is written as its least value plus a new symbol. If all coefficients of a polynomial are then positive, it
is positive for all values. Before that, ``max`` and ``min`` are split into a case for each argument, divided sizes into
residue classes, on which floors are polynomials, and other functions are replaced by linear bounds. A function without
a proved bound is not assumed to be positive.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, comb, prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import sympy

from convcost.formulas.simplify import has_short_numbers, hide
from convcost.formulas.views import periods
from convcost.numbers.arithmetic import normal
from convcost.numbers.symbols import (
    CeilDiv,
    FloorDiv,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    is_whole_polynomial,
    lower_bound,
    terms_of,
    to_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

Proof: TypeAlias = Literal[">", ">=", ""]  # of the relation to zero; empty where neither is proved

MAX_FACTORED = 60  # terms beyond which always positive factors are not looked for
MAX_ROUNDS = 4  # of putting functions between lines: one a level of nesting
MAX_CLASSES = 64
MAX_SPLIT_TERMS = 100
MAX_EXTREMES = 3  # beyond that there are too many branches
MAX_SMALL = 16  # values of a name that are gone through one by one
_HALF = sympy.Rational(1, 2)
_Branch = tuple[Any, dict[Any, "Num"]]


def least_values(symbols: Sequence[Any], conditions: Sequence[Condition]) -> dict[Any, Num]:
    """The least value of each symbol: 1 for whole numbers, 0 for ratios (not included), or more by a condition.

    What conditions say of a function, as that a rounded width is at least 1, is added.
    """
    floor: dict[Any, Num] = {symbol: 1 if symbol.is_integer else 0 for symbol in symbols}
    for condition in conditions:
        number = to_number(condition.right) if condition.relation == ">=" else None
        if number is None:
            continue
        if condition.left in floor:
            floor[condition.left] = max(floor[condition.left], number)
        elif isinstance(condition.left, sympy.Function):
            floor[condition.left] = number
    return floor


def numerator(difference: Any, least: Mapping[Any, Num] | None = None) -> Any:
    """A polynomial with the sign of ``difference``, without factors that are always positive; None if none is known.

    Args:
        difference: a closed form.
        least: the least value of each symbol; by default 1 of whole ones, 0 of ratios.
    """
    if least is None:
        least = least_values(list(difference.free_symbols), ())
    plain, back = hide(sympy.together(difference))
    known = {**least, **bounds_of(back, least)}
    top, bottom = sympy.fraction(plain)
    sign = 1 if _piece(bottom, known) == ">" else -1 if _piece(-bottom, known) == ">" else 0
    if not sign:
        return None
    if len(sympy.Add.make_args(top)) > MAX_FACTORED or not has_short_numbers(top):
        return sympy.expand(sign * sympy.expand(top).xreplace(back))
    content, factors = sympy.factor_list(top)
    result = sympy.Integer(sign if content > 0 else -sign)
    for factor, power in factors:
        if _piece(factor, known) != ">":
            result *= factor**power
    return sympy.expand(sympy.expand(result).xreplace(back))


def relation_to_zero(polynomial: Any, floor: Mapping[Any, Num]) -> Proof:
    """``>`` or ``>=`` if that is proved for all symbols of at least ``floor``; else empty."""
    relation: Proof = ">"
    for branch, least in branches(polynomial, floor):
        for part in split(branch, least):
            proof = _piece(part.expr, part.least)
            for _ in range(MAX_ROUNDS):
                if proof or not part.hidden:
                    break
                part = between_lines(part)  # noqa: PLW2901 - a bound of it
                proof = _piece(part.expr, part.least)
            if not proof:
                return ""  # one class without a proof is enough
            if proof == ">=":
                relation = proof
    return relation


def _piece(polynomial: Any, floor: Mapping[Any, Num | None]) -> Proof:
    """The same for a polynomial of symbols alone; a symbol whose floor is None can have either sign."""
    symbols = sorted(polynomial.free_symbols, key=lambda symbol: symbol.name)
    above = {symbol for symbol in symbols if floor[symbol] == 0 and _is_ratio(symbol)}  # never 0 itself
    terms = _shifted(polynomial, symbols, floor)
    for coefficient, powers in terms:
        either = any(floor[symbol] is None and power % 2 for symbol, power in powers.items())
        if coefficient < 0 or (coefficient and either):
            return ""
    return ">" if any(coefficient > 0 and set(powers) <= above for coefficient, powers in terms) else ">="


def _is_ratio(symbol: Any) -> bool:
    return bool(symbol.is_positive and not symbol.is_integer and not isinstance(symbol, sympy.Dummy))


@lru_cache(maxsize=512)
def _terms(polynomial: Any, symbols: tuple[Any, ...]) -> dict[tuple[int, ...], Num] | None:
    """Coefficients by the powers of ``symbols``; None if it is not a polynomial with rational coefficients."""
    if not symbols:
        number = to_number(polynomial)
        return None if number is None else {(): number}
    whole = polynomial.as_poly(*symbols)
    if whole is None or not all(coefficient.is_Rational for coefficient in whole.coeffs()):
        return None
    return {powers: normal(Fraction(int(coefficient.p), int(coefficient.q))) for powers, coefficient in whole.terms()}


def _shifted(
    polynomial: Any, symbols: Sequence[Any], floor: Mapping[Any, Num | None]
) -> list[tuple[Any, dict[Any, int]]]:
    """Coefficient and powers of every term, with each symbol written as its least value plus a new symbol."""
    terms = _terms(polynomial, tuple(symbols))
    if terms is None:
        return [(-1, {})]  # no polynomial: nothing is proved of it
    for place, symbol in enumerate(symbols):
        least = normal(floor[symbol] or 0)
        if not least:
            continue
        moved: dict[tuple[int, ...], Num] = {}
        for powers, coefficient in terms.items():  # by the binomial theorem: sympy takes a hundred times as long
            for power in range(powers[place] + 1):
                key = (*powers[:place], power, *powers[place + 1 :])
                times = comb(powers[place], power) * least ** (powers[place] - power)
                moved[key] = moved.get(key, 0) + coefficient * times
        terms = moved
    return [
        (coefficient, {symbol: power for symbol, power in zip(symbols, powers, strict=True) if power})
        for powers, coefficient in terms.items()
    ]


# --- branches of max and min ---


def branches(expr: Any, least: Mapping[Any, Num]) -> Iterator[_Branch]:
    """The cases of ``expr`` without ``max`` and ``min``, each with the least values of its symbols.

    Where ``I >= O``, ``I`` is written as ``O`` plus something, so that the branch knows it. Together the branches
    hold for at least all values from ``least`` on.

    Args:
        expr: a closed form.
        least: the least value of each symbol.
    """
    extremes = sorted(expr.atoms(Maximum, Minimum), key=lambda extreme: extreme.sort_key())
    innermost = next(
        (extreme for extreme in extremes if not any(extreme != other and extreme.has(other) for other in extremes)),
        None,
    )
    if innermost is None or len(extremes) > MAX_EXTREMES or len(innermost.args) > 2:  # noqa: PLR2004 - one question
        yield expr, dict(least)
        return
    first, second = innermost.args
    if isinstance(innermost, Minimum):
        first, second = second, first
    for larger, smaller, chosen in ((first, second, innermost.args[0]), (second, first, innermost.args[1])):
        there = expr.xreplace({innermost: chosen})
        for branch, floor in _where(sympy.expand(larger - smaller), there, least):
            yield from branches(sympy.expand(branch), floor)


def _where(difference: Any, expr: Any, least: Mapping[Any, Num]) -> Iterator[_Branch]:
    """``expr`` where ``difference`` is not negative, or for more values than that."""
    terms = terms_of(difference)
    constant = to_number(terms.get(sympy.S.One, sympy.S.Zero))
    names = [monomial for monomial in terms if monomial != 1]
    if names and all(name.is_Symbol and name.is_integer for name in names) and constant is not None:
        if len(names) == 1 and abs(terms[names[0]]) == 1:
            yield from _alone(names[0], int(terms[names[0]]), constant, expr, least)
            return
        for name in names:
            if terms[name] == 1:  # at least what the rest asks for: that, and something more
                more = sympy.Symbol(f"{name.name}+", integer=True, nonnegative=True)
                yield expr.xreplace({name: name - difference + more}), {**least, more: 0}
                return
    yield expr, dict(least)


def _alone(symbol: Any, slope: int, constant: Any, expr: Any, least: Mapping[Any, Num]) -> Iterator[_Branch]:
    """``expr`` where ``slope * symbol + constant >= 0``, of a slope of 1 or -1."""
    if slope > 0:
        yield expr, {**least, symbol: max(least[symbol], -constant)}
    elif constant - least[symbol] > MAX_SMALL:
        yield expr, dict(least)
    else:
        for value in range(int(least[symbol]), int(constant) + 1):
            yield expr.xreplace({symbol: sympy.Integer(value)}), dict(least)


# --- residue classes ---


class Class(NamedTuple):
    """A closed form on a residue class of its divided sizes.

    Attributes:
        expr: a polynomial; what does not become one has its functions hidden as symbols of their own.
        least: the least value of every symbol and hidden function; None where none is known.
        hidden: the hidden functions, by their symbols.
    """

    expr: Any
    least: dict[Any, Num | None]
    hidden: dict[Any, Any]


def split(expr: Any, least: Mapping[Any, Num]) -> Iterator[Class]:
    """``expr`` on each residue class of its divided sizes; on a single class if there are too many.

    Args:
        expr: a closed form without denominators.
        least: the least value of each symbol, and of functions for which one is known.
    """
    divided = {size: period for size, period in periods([expr]).items() if size.is_Symbol}
    if prod(divided.values()) > MAX_CLASSES or len(sympy.Add.make_args(expr)) > MAX_SPLIT_TERMS:
        divided = {}
    for rests in product(*(range(period) for period in divided.values())):
        floor: dict[Any, Any] = dict(least)
        for (size, period), rest in zip(divided.items(), rests, strict=True):
            floor[_part(size)] = max(0, ceil(Fraction(least[size] - rest) / period))
        plain, back = _on_class(expr, tuple(divided.items()), rests)
        yield Class(plain, floor | bounds_of(back, floor), back)


def bounds_of(hidden: Mapping[Any, Any], least: Mapping[Any, Num]) -> dict[Any, Num | None]:
    """The least value of every hidden function, by its symbol; None if no bound is known."""
    return {dummy: lower_bound(function, least) for dummy, function in hidden.items()}


def between_lines(part: Class) -> Class:
    """A lower bound of a class: a linear bound in place of one function in every term.

    ``floor(x)`` is between ``x - 1`` and ``x``. A term that adds gets the line below, one that subtracts the line
    above; neither is done to a term of which another factor may be negative.
    """
    expr = sympy.Add(*(_with_line(term, part) for term in sympy.Add.make_args(part.expr)))
    plain, back = hide(sympy.expand(expr.xreplace(part.hidden)))
    known = {symbol: bound for symbol, bound in part.least.items() if symbol not in part.hidden}
    return Class(plain, known | bounds_of(back, known), back)


def _with_line(term: Any, part: Class) -> Any:
    coefficient, factors = term.as_coeff_mul()
    powers = dict(factor.as_base_exp() for factor in factors)
    for dummy in powers:
        others = [factor for factor, power in powers.items() if factor != dummy or power > 1]
        if dummy not in part.hidden or any(
            (part.least[factor] or 0) < 0 or part.least[factor] is None for factor in others
        ):
            continue
        line = _line(part.hidden[dummy], above=coefficient < 0)
        if line is not None:
            return sympy.expand(term / dummy * line)
    return term


def _line(function: Any, *, above: bool) -> Any:
    """A linear upper or lower bound of ``function``; None if none is known."""
    value, step = function.args[0], function.args[-1]
    if isinstance(function, RoundEven):
        return value + (_HALF if above else -_HALF)
    if not isinstance(function, FloorDiv | CeilDiv | MakeDivisible) or not step.is_Rational:
        return None
    if isinstance(function, MakeDivisible):  # to the nearest multiple, from there at most to the next
        return value + (step if above else -step / 2)
    if isinstance(function, CeilDiv):
        return value / step + (1 if above else 0)
    cut_off = (step - 1) / step if is_whole_polynomial(value) else 1
    return value / step - (0 if above else cut_off)


def _part(size: Any) -> Any:
    return sympy.Symbol(f"{size.name}_", integer=True, nonnegative=True)


@lru_cache(maxsize=4 * MAX_CLASSES)  # asked for the same classes with many least values
def _on_class(expr: Any, divided: tuple[tuple[Any, int], ...], rests: tuple[int, ...]) -> tuple[Any, dict[Any, Any]]:
    there = {size: period * _part(size) + rest for (size, period), rest in zip(divided, rests, strict=True)}
    return hide(sympy.expand(expr.xreplace(there)))


def identically_zero(expr: Any) -> bool:
    """Whether ``expr`` is 0 for all values of its symbols, as far as splitting its sizes shows."""
    least = {symbol: 1 if symbol.is_integer else 0 for symbol in expr.free_symbols}
    return all(sympy.expand(part.expr) == 0 for part in split(expr, least))
