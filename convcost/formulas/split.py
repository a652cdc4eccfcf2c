"""Divided sizes split into residue classes; on each class, floors are polynomials."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.formulas.simplify import hide
from convcost.formulas.views import periods
from convcost.numbers.symbols import CeilDiv, FloorDiv, MakeDivisible, RoundEven, is_whole_polynomial, lower_bound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.numbers.arithmetic import Num

MAX_CLASSES = 64
MAX_SPLIT_TERMS = 100
_HALF = sympy.Rational(1, 2)


class Class(NamedTuple):
    """A closed form where its divided sizes leave certain rests.

    Attributes:
        expr: a polynomial; what does not become one has its functions hidden as symbols of their own.
        least: the least value of every symbol and hidden function; None where none is known.
        hidden: the hidden functions, by their symbols.
    """

    expr: Any
    least: dict[Any, Num | None]
    hidden: dict[Any, Any]


def split(expr: Any, least: Mapping[Any, Num]) -> Iterator[Class]:
    """``expr`` on each class of its divided sizes; on one class for all where there are too many of them.

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
    """The least value of every hidden function, by its symbol; None where none is known."""
    return {dummy: lower_bound(function, least) for dummy, function in hidden.items()}


def between_lines(part: Class) -> Class:
    """Something that a class never falls below: a line in place of one function in every term.

    ``floor(x)`` is between ``x - 1`` and ``x``. A term that adds gets the line below, one that subtracts the line
    above; neither is done to a term of which another factor may be negative.
    """
    expr = sympy.Add(*(_with_line(term, part) for term in sympy.Add.make_args(part.expr)))
    plain, back = hide(sympy.expand(expr.xreplace(part.hidden)))
    known = {one: bound for one, bound in part.least.items() if one not in part.hidden}
    return Class(plain, known | bounds_of(back, known), back)


def _with_line(term: Any, part: Class) -> Any:
    coefficient, factors = term.as_coeff_mul()
    powers = dict(factor.as_base_exp() for factor in factors)
    for dummy in powers:
        others = [one for one, power in powers.items() if one != dummy or power > 1]
        if dummy not in part.hidden or any((part.least[one] or 0) < 0 or part.least[one] is None for one in others):
            continue
        line = _line(part.hidden[dummy], above=coefficient < 0)
        if line is not None:
            return sympy.expand(term / dummy * line)
    return term


def _line(function: Any, *, above: bool) -> Any:
    """A line that ``function`` never exceeds, or never falls below; None where none is known."""
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
    least = {one: 1 if one.is_integer else 0 for one in expr.free_symbols}
    return all(sympy.expand(part.expr) == 0 for part in split(expr, least))
