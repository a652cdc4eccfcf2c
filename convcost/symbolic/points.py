"""Values of free names in the order of their sum: where counterexamples are looked for, the smallest first."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from convcost.algebra import Num
    from convcost.symbolic.conditions import Condition

MAX_TRIED = 20_000
MAX_FITTING = 3_000
_DENOMINATOR = 4  # ratios are tried in quarters


def points(
    symbols: Sequence[Any], involved: Collection[Any], conditions: Sequence[Condition], defaults: Mapping[Any, Num]
) -> Iterator[dict[Any, Num]]:
    """Points that fulfil ``conditions``, with growing sums of what is varied; a bounded number of them.

    Args:
        symbols: all free names.
        involved: those that make a difference.
        conditions: what must hold.
        defaults: their default values, which the others keep where the conditions leave no smaller choice.
    """
    bound = {one for condition in conditions for one in condition.symbols}
    varied = [one for one in symbols if one in involved or one in bound]
    still = {one: _smallest(one) for one in symbols if one not in varied}
    tried = fitting = 0
    total = len(varied)
    while varied and tried < MAX_TRIED and fitting < MAX_FITTING:
        for parts in compositions(total, len(varied)):
            tried += 1
            values = {**still, **{one: _value(one, part) for one, part in zip(varied, parts, strict=True)}}
            if all(one.holds(values) for one in conditions):
                fitting += 1
                yield values
            if tried >= MAX_TRIED:
                break
        total += 1
    if fitting == 0:
        yield dict(defaults)


def _smallest(symbol: Any) -> Num:
    return 1 if symbol.is_integer else Fraction(1)


def _value(symbol: Any, part: int) -> Num:
    return part if symbol.is_integer else Fraction(part, _DENOMINATOR)


def compositions(total: int, count: int) -> Iterator[tuple[int, ...]]:
    """The ways to write ``total`` as a sum of ``count`` positive whole numbers, in order.

    >>> list(compositions(4, 2))
    [(1, 3), (2, 2), (3, 1)]
    """
    if count == 1:
        if total >= 1:
            yield (total,)
        return
    for first in range(1, total - count + 2):
        for rest in compositions(total - first, count - 1):
            yield (first, *rest)
