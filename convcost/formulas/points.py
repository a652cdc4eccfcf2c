"""Values of free parameters in the order of their sum, for a search that finds the smallest counterexample first."""

from __future__ import annotations

import heapq
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from convcost.formulas.lattice import WHOLE_NUMBERS, Lattice, common, lattice, lattice_of
from convcost.numbers.arithmetic import normal
from convcost.numbers.symbols import evaluate, to_number

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

MAX_TRIED = 20_000
MAX_FITTING = 3_000
_QUARTERS = lattice(0, Fraction(1, 4))  # ratios are tried in quarters where nothing asks for other steps


def points(
    symbols: Sequence[Any],
    involved: Collection[Any],
    conditions: Sequence[Condition],
    tried: int = MAX_TRIED,
) -> Iterator[dict[Any, Num]]:
    """Points that fulfil ``conditions``, by growing sum; a bounded number of them.

    Args:
        symbols: all free names.
        involved: those that make a difference; the others keep their least value unless a condition speaks of them.
        conditions: what must hold.
        tried: how many points to try.
    """
    ties = _ties(symbols, conditions)
    bound = {one for condition in conditions for one in condition.symbols}
    axes = {one: axis for one in symbols if one not in ties and (axis := _axis(one, conditions)) is not None}
    if len(axes) + len(ties) < len(symbols):
        return  # a name is left without a value
    varied = [one for one in axes if one in involved or one in bound]
    weights = {one: 1 + sum(other == one for other in ties.values()) for one in varied}
    still = {one: normal(axis[1]) for one, axis in axes.items()}
    spaces = [
        (one, still[one], normal(axes[one][0].step)) for one in varied
    ]  # ints where they are whole: it is quicker
    fitting = 0
    for steps in _by_sum([axes[one][0].step * weights[one] for one in varied], tried):
        values: dict[Any, Num] = dict(still)
        for (one, first, step), count in zip(spaces, steps, strict=True):
            values[one] = first + count * step
        values |= {one: evaluate(other, values) for one, other in ties.items()}
        if all(condition.holds(values) for condition in conditions):
            fitting += 1
            yield values
            if fitting >= MAX_FITTING:
                return


def _ties(symbols: Sequence[Any], conditions: Sequence[Condition]) -> dict[Any, Any]:
    """Names that conditions make equal to an expression of names that are not tied themselves."""
    ties: dict[Any, Any] = {}
    used: set[Any] = set()
    for one in conditions:
        if one.relation == "==" and one.right in symbols and one.right not in used | set(ties):
            names = one.left.free_symbols
            if not names & {one.right, *ties}:
                ties[one.right] = one.left
                used |= names
    return ties


def _axis(symbol: Any, conditions: Sequence[Condition]) -> tuple[Lattice, Fraction] | None:
    """The values that conditions on one symbol leave: their lattice, and the least; None where none are left."""
    found: Lattice | None = None
    least = Fraction(1 if symbol.is_integer else 0)
    for condition in conditions:
        own = lattice_of(condition, symbol)
        if own is not None:
            found = own if found is None else common(found, own)
            if found is None:
                return None
        number = to_number(condition.right) if condition.relation == ">=" and condition.left == symbol else None
        least = least if number is None else max(least, Fraction(number))
    if symbol.is_integer:
        found = WHOLE_NUMBERS if found is None else common(found, WHOLE_NUMBERS)
    elif found is None:
        found = _QUARTERS
    if found is None:
        return None
    first = found.above(least)
    return found, first if first > 0 else first + found.step


def _by_sum(steps: Sequence[Fraction], limit: int) -> Iterator[tuple[int, ...]]:
    """Tuples of counts from 0 in the order of the sum of ``count * step``; each once.

    >>> list(_by_sum([Fraction(1), Fraction(2)], 5))
    [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1)]
    """
    scale = lcm(*(step.denominator for step in steps))
    sizes = [int(step * scale) for step in steps]
    queue: list[tuple[int, tuple[int, ...], int]] = [(0, (0,) * len(steps), 0)]
    for _ in range(limit):
        if not queue:
            return
        total, counts, last = heapq.heappop(queue)
        yield counts
        for index in range(last, len(steps)):
            more = (*counts[:index], counts[index] + 1, *counts[index + 1 :])
            heapq.heappush(queue, (total + sizes[index], more, index))
