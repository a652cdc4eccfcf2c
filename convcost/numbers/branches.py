"""Case distinction for ``max`` and ``min``: one branch for each argument that can be the extreme one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sympy

from convcost.numbers.symbols import Maximum, Minimum, terms_of, to_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.numbers.arithmetic import Num

MAX_EXTREMES = 3  # beyond that there are too many branches
MAX_SMALL = 16  # values of a name that are gone through one by one

_Branch = tuple[Any, dict[Any, "Num"]]


def branches(expr: Any, least: Mapping[Any, Num]) -> Iterator[_Branch]:
    """Forms without ``max`` and ``min`` that together are ``expr``, each with the least values of its symbols.

    Where ``I >= O``, ``I`` is written as ``O`` plus something, so that the branch knows it. Together the branches
    hold for at least all values from ``least`` on.

    Args:
        expr: a closed form.
        least: the least value of each symbol.
    """
    found = sorted(expr.atoms(Maximum, Minimum), key=lambda one: one.sort_key())
    innermost = next((one for one in found if not any(one != other and one.has(other) for other in found)), None)
    if innermost is None or len(found) > MAX_EXTREMES or len(innermost.args) > 2:  # noqa: PLR2004 - one question
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
    names = [one for one in terms if one != 1]
    if names and all(one.is_Symbol and one.is_integer for one in names) and constant is not None:
        if len(names) == 1 and abs(terms[names[0]]) == 1:
            yield from _alone(names[0], int(terms[names[0]]), constant, expr, least)
            return
        for one in names:
            if terms[one] == 1:  # at least what the rest asks for: that, and something more
                more = sympy.Symbol(f"{one.name}+", integer=True, nonnegative=True)
                yield expr.xreplace({one: one - difference + more}), {**least, more: 0}
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
