"""Values of free parameters in the order of their sum, for a search that finds the smallest counterexample first."""

from __future__ import annotations

import heapq
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from convcost.formulas.lattice import WHOLE_NUMBERS, Lattice, common, lattice, lattice_of
from convcost.numbers.arithmetic import normal
from convcost.numbers.polynomial import symbols_in
from convcost.numbers.values import evaluate

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
    """Points that fulfil ``conditions``, in the order of their sum; a bounded number of them.

    Args:
        symbols: all free names.
        involved: those that make a difference; the others keep their least value unless a condition speaks of them.
        conditions: what must hold.
        tried: how many points to try.
    """
    ties = _ties(symbols, conditions)
    bound = {symbol for condition in conditions for symbol in condition.symbols}
    axes = {
        symbol: axis for symbol in symbols if symbol not in ties and (axis := _axis(symbol, conditions)) is not None
    }
    if len(axes) + len(ties) < len(symbols):
        return  # a name is left without a value
    varied = [symbol for symbol in axes if symbol in involved or symbol in bound]
    weights = {symbol: 1 + sum(other == symbol for other in ties.values()) for symbol in varied}
    still = {symbol: normal(axis[1]) for symbol, axis in axes.items()}
    spaces = [
        (symbol, still[symbol], normal(axes[symbol][0].step)) for symbol in varied
    ]  # ints where they are whole: it is quicker
    fitting = 0
    for steps in _by_sum([axes[symbol][0].step * weights[symbol] for symbol in varied], tried):
        values: dict[Any, Num] = dict(still)
        for (symbol, first, step), count in zip(spaces, steps, strict=True):
            values[symbol] = first + count * step
        values |= {symbol: evaluate(other, values) for symbol, other in ties.items()}
        if all(condition.holds(values) for condition in conditions):
            fitting += 1
            yield values
            if fitting >= MAX_FITTING:
                return


def _ties(symbols: Sequence[Any], conditions: Sequence[Condition]) -> dict[Any, Any]:
    """Names that are equal to an expression of other names by a condition; those others are not tied."""
    ties: dict[Any, Any] = {}
    used: set[Any] = set()
    for condition in conditions:
        if condition.relation == "==" and condition.right in symbols and condition.right not in used | set(ties):
            names = symbols_in(condition.left)
            if not names & {condition.right, *ties}:
                ties[condition.right] = condition.left
                used |= names
    return ties


def _axis(symbol: Any, conditions: Sequence[Condition]) -> tuple[Lattice, Fraction] | None:
    """The values that the conditions on a symbol allow: their lattice, and the least; None if there are none."""
    steps: Lattice | None = None
    least = Fraction(1 if symbol.whole else 0)
    for condition in conditions:
        own = lattice_of(condition, symbol)
        if own is not None:
            steps = own if steps is None else common(steps, own)
            if steps is None:
                return None
        if condition.relation == ">=" and condition.left == symbol and isinstance(condition.right, int | Fraction):
            least = max(least, Fraction(condition.right))
    if symbol.whole:
        steps = WHOLE_NUMBERS if steps is None else common(steps, WHOLE_NUMBERS)
    elif steps is None:
        steps = _QUARTERS
    if steps is None:
        return None
    first = steps.above(least)
    return steps, first if first > 0 else first + steps.step


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
