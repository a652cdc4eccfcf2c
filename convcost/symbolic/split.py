"""Sizes that are divided, split into their residue classes: on each, floors are polynomials."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, prod
from typing import TYPE_CHECKING, Any

import sympy

from convcost.symbolic.bounds import lower_bound
from convcost.symbolic.simplify import hide
from convcost.symbolic.views import periods

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.algebra import Num

MAX_CLASSES = 64
MAX_SPLIT_TERMS = 100


def split(expr: Any, least: Mapping[Any, Num]) -> Iterator[tuple[Any, dict[Any, Num]]]:
    """``expr`` on each class of its divided sizes, as a polynomial, with the least value of every symbol.

    What does not become a polynomial, or has too many classes, has its functions hidden as symbols of their own.

    Args:
        expr: a closed form without denominators.
        least: the least value of each symbol.
    """
    divided = {size: period for size, period in periods([expr]).items() if size.is_Symbol}
    if prod(divided.values()) > MAX_CLASSES or len(sympy.Add.make_args(expr)) > MAX_SPLIT_TERMS:
        divided = {}
    for rests in product(*(range(period) for period in divided.values())):
        floor = dict(least)
        for (size, period), rest in zip(divided.items(), rests, strict=True):
            floor[_part(size)] = max(0, ceil(Fraction(least[size] - rest) / period))
        plain, back = _on_class(expr, tuple(divided.items()), rests)
        for dummy, function in back.items():
            bound = lower_bound(function)
            floor[dummy] = max(bound, 0) if bound is not None else 0
        yield plain, floor


def _part(size: Any) -> Any:
    return sympy.Symbol(f"{size.name}_", integer=True, nonnegative=True)


@lru_cache(maxsize=4 * MAX_CLASSES)  # asked for the same classes with many least values
def _on_class(expr: Any, divided: tuple[tuple[Any, int], ...], rests: tuple[int, ...]) -> tuple[Any, dict[Any, Any]]:
    there = {size: period * _part(size) + rest for (size, period), rest in zip(divided, rests, strict=True)}
    return hide(sympy.expand(expr.xreplace(there)))


def identically_zero(expr: Any) -> bool:
    """Whether ``expr`` is 0 for all values of its symbols, as far as splitting its sizes shows."""
    least = {one: 1 if one.is_integer else 0 for one in expr.free_symbols}
    return all(sympy.expand(part) == 0 for part, _ in split(expr, least))
