"""Which of two costs is smaller, for all values or where; and for which values they are the same.

A polynomial whose coefficients are all positive once every symbol is written as its least value plus something is
positive from there on: that is the proof. Sizes that are halved are first split into even and odd ones. Where the
proof fails, the smallest values that contradict are looked for.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.algebra import normal
from convcost.symbolic.atoms import evaluate, to_number, to_sympy
from convcost.symbolic.points import points
from convcost.symbolic.program import program
from convcost.symbolic.roots import BreakEven, Threshold, break_even, thresholds
from convcost.symbolic.simplify import has_short_numbers, hide
from convcost.symbolic.split import split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.algebra import Num
    from convcost.symbolic.conditions import Condition

MAX_TERMS = 400  # beyond that a difference is not taken apart
MAX_FACTORED = 60  # terms beyond which always positive factors are not looked for
MAX_LEAST = 64  # least values that are tried
_OPPOSITE = {">": "<", ">=": "<=", "": ""}


class Order(NamedTuple):
    """What is known of two costs.

    Attributes:
        relation: of the first to the second: ``==`` (for all values), ``<``, ``<=``, ``>``, ``>=``; empty where none
            is proved.
        least: the least values of the names from which ``relation`` is proved; of those not listed, all.
        counterexample: the smallest values found at which it is the other way.
        thresholds: names whose value decides, with where.
        break_even: names for which both can cost the same.
    """

    relation: str
    least: dict[str, Num]
    counterexample: dict[str, Num] | None
    thresholds: tuple[Threshold, ...]
    break_even: tuple[BreakEven, ...]


def order(a: Any, b: Any, conditions: Sequence[Condition], values: Mapping[Any, Num]) -> Order | None:
    """Compare two closed forms.

    Args:
        a: the first.
        b: the second.
        conditions: what both rely on; points that violate it are not looked at.
        values: the defaults.

    Returns:
        None where they are too long to take apart.
    """
    difference = with_equalities(sympy.expand(to_sympy(b) - to_sympy(a)), conditions)
    if difference == 0:
        return Order("==", {}, None, (), ())
    if len(difference.args) > MAX_TERMS:
        return None
    floor = least_values([one for one in values if one in difference.free_symbols], conditions)
    top = numerator(difference)
    if top is None:
        return None
    sign = 1 if evaluate(difference, dict(values)) >= 0 else -1
    raised = _least(sign * top, floor)
    proved = "" if raised is None else relation_to_zero(sign * top, raised)
    everywhere = raised == floor
    against = None if everywhere else _against(sign * top, conditions, values)
    plain, back = hide(top)
    named = sorted(plain.free_symbols - set(back), key=lambda one: one.name)
    names = [one for one in named if one not in _stepped(back)]
    return Order(
        proved if sign < 0 else _OPPOSITE[proved],
        {one.name: number for one, number in (raised or {}).items() if number > floor[one]},
        against,
        () if proved else thresholds(plain, back, names, floor),
        break_even(plain, back, names, values),
    )


def with_equalities(expr: Any, conditions: Sequence[Condition]) -> Any:
    """``expr`` with one name for what conditions such as ``I == O`` make equal."""
    for one in conditions:
        if one.relation == "==" and one.left.is_Symbol and one.right is not None and one.right.is_Symbol:
            expr = sympy.expand(expr.xreplace({one.right: one.left}))
    return expr


def least_values(symbols: Sequence[Any], conditions: Sequence[Condition]) -> dict[Any, Num]:
    """The least value of each symbol that conditions allow: 1 for whole ones, above 0 for ratios."""
    floor: dict[Any, Num] = {one: 1 if one.is_integer else 0 for one in symbols}
    for condition in conditions:
        if condition.relation == ">=" and condition.left in floor:
            number = to_number(condition.right)
            if number is not None:
                floor[condition.left] = max(floor[condition.left], number)
    return floor


def numerator(difference: Any) -> Any:
    """A polynomial of the sign of ``difference``, without factors that are always positive; None where none is seen."""
    plain, back = hide(sympy.together(difference))
    top, bottom = sympy.fraction(plain)
    sign = 1 if _all_positive(bottom) else -1 if _all_positive(-bottom) else 0
    if not sign:
        return None
    if len(sympy.Add.make_args(top)) > MAX_FACTORED or not has_short_numbers(top):
        return sympy.expand(sign * sympy.expand(top).xreplace(back))
    content, factors = sympy.factor_list(top)
    result = sympy.Integer(sign if content > 0 else -sign)
    for factor, power in factors:
        if not _all_positive(factor):
            result *= factor**power
    return sympy.expand(sympy.expand(result).xreplace(back))


def _all_positive(polynomial: Any) -> bool:
    return all(coefficient > 0 for coefficient in sympy.expand(polynomial).as_coefficients_dict().values())


def relation_to_zero(polynomial: Any, floor: Mapping[Any, Num]) -> str:
    """``>`` or ``>=`` where that is proved for all symbols of at least ``floor``; else empty."""
    relation = ">"
    for part, least in split(polynomial, floor):
        found = _piece(part, least)
        if not found:
            return ""  # one class without a proof is enough
        if found == ">=":
            relation = found
    return relation


def _piece(polynomial: Any, floor: Mapping[Any, Num]) -> str:
    symbols = sorted(polynomial.free_symbols, key=lambda one: one.name)
    ratios = {one for one in symbols if not one.is_integer and floor[one] == 0}
    terms = _shifted(polynomial, symbols, floor)
    if any(coefficient < 0 for coefficient, _ in terms):
        return ""
    return ">" if any(coefficient > 0 and names <= ratios for coefficient, names in terms) else ">="


@lru_cache(maxsize=512)
def _terms(polynomial: Any, symbols: tuple[Any, ...]) -> dict[tuple[int, ...], Num] | None:
    """Coefficients by the powers of ``symbols``; None where it is no polynomial with rational ones."""
    whole = polynomial.as_poly(*symbols) if symbols else None
    if whole is None or not all(one.is_Rational for one in whole.coeffs()):
        return None
    return {powers: normal(Fraction(int(one.p), int(one.q))) for powers, one in whole.terms()}


def _shifted(polynomial: Any, symbols: Sequence[Any], floor: Mapping[Any, Num]) -> list[tuple[Any, set[Any]]]:
    """Coefficient and symbols of every term, each symbol written as its least value plus something."""
    terms = _terms(polynomial, tuple(symbols))
    if terms is None:
        whole = sympy.expand(polynomial.xreplace({one: one + to_sympy(floor[one]) for one in symbols}))
        return [(coefficient, term.free_symbols) for term, coefficient in whole.as_coefficients_dict().items()]
    for place, symbol in enumerate(symbols):
        least = normal(floor[symbol])
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
        (coefficient, {symbol for symbol, power in zip(symbols, powers, strict=True) if power})
        for powers, coefficient in terms.items()
    ]


def _least(polynomial: Any, floor: dict[Any, Num]) -> dict[Any, Num] | None:
    """Least values from which ``polynomial`` is proved not to be negative, each as small as can be; None if none."""
    names = sorted((one for one in floor if one.is_integer), key=lambda one: one.name)

    def at(level: int) -> dict[Any, Num]:
        return {**floor, **{one: max(level, floor[one]) for one in names}}

    if not relation_to_zero(polynomial, at(MAX_LEAST)):
        return None

    def alone(name: Any, level: int) -> dict[Any, Num]:
        return {**raised, name: level}

    raised = at(_first(polynomial, at, 1, MAX_LEAST))
    for one in names:
        raised[one] = _first(polynomial, partial(alone, one), int(floor[one]), int(raised[one]))
    return raised


def _first(polynomial: Any, at: Callable[[int], dict[Any, Num]], low: int, high: int) -> int:
    """The least level from ``low`` to ``high`` with a proof; what is proved from some on is proved from larger ones."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if relation_to_zero(polynomial, at(middle)) else (middle + 1, high)
    return high


def _against(signed: Any, conditions: Sequence[Condition], values: Mapping[Any, Num]) -> dict[str, Num] | None:
    """The smallest values (by their sum) at which the sign is not that at the defaults; of what makes a difference."""
    symbols = list(values)
    involved = signed.free_symbols.union(*(one.symbols for one in conditions))
    run = program({"difference": signed}, symbols).run
    for point in points(symbols, signed.free_symbols, conditions):
        if run({symbol.name: value for symbol, value in point.items()})["difference"] < 0:
            return {one.name: normal(Fraction(point[one])) for one in symbols if one in involved}
    return None


def _stepped(back: Mapping[Any, Any]) -> set[Any]:
    """Symbols inside of functions: no root can be written down for them."""
    return set().union(*(function.free_symbols for function in back.values()))
