"""Sizes that are divided, split into their residue classes: on each, floors are polynomials."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.symbolic.bounds import lower_bound
from convcost.symbolic.simplify import hide
from convcost.symbolic.views import periods

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.algebra import Num

MAX_CLASSES = 64
MAX_SPLIT_TERMS = 100


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
