"""The order of two costs: which is smaller, for all values or for some, and where both are equal.

A polynomial whose coefficients are all positive once every symbol is written as its least value plus something is
positive from there on: that is the proof. Sizes that are halved are first split into even and odd ones, ``max`` and
``min`` into the cases of either argument, and what is left of floors is put between lines. Nothing is taken to be
positive for which no bound is proved. Where the proof fails, the smallest values that contradict are looked for.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache, partial
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.formulas.points import points
from convcost.formulas.program import program
from convcost.formulas.roots import BreakEven, Threshold, break_even, thresholds
from convcost.formulas.simplify import has_short_numbers, hide
from convcost.formulas.split import between_lines, bounds_of, split
from convcost.numbers.arithmetic import normal
from convcost.numbers.branches import branches
from convcost.numbers.decisions import with_equalities
from convcost.numbers.symbols import evaluate, to_number, to_sympy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

MAX_TERMS = 400  # beyond that a difference is not taken apart
MAX_FACTORED = 60  # terms beyond which always positive factors are not looked for
MAX_LEAST = 64  # least values that are tried
MAX_COUNTED = 40  # points at which a contradiction is counted before none is given
MAX_ROUNDS = 4  # of putting functions between lines: one a level of nesting
_OPPOSITE = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "": ""}


class Reach(NamedTuple):
    """The values of a name that a statement is about: whole numbers from ``least`` on, or ratios.

    Attributes:
        name: of the symbol.
        whole: whether it stands for whole numbers.
        least: of a ratio, 0 stands for all above 0.
    """

    name: str
    whole: bool
    least: Num


class Order(NamedTuple):
    """What is known of two costs.

    Attributes:
        relation: of the first to the second: ``==`` (for all values), ``<``, ``<=``, ``>``, ``>=``; empty where none
            is proved.
        least: the least values of the names from which ``relation`` is proved; of those not listed, all.
        counterexample: the smallest values found at which it is the other way than at the defaults.
        thresholds: names whose value decides, with where.
        break_even: names for which both can cost the same.
        domain: every name, with the values for which ``relation`` is proved.
    """

    relation: str
    least: dict[str, Num]
    counterexample: dict[str, Num] | None
    thresholds: tuple[Threshold, ...]
    break_even: tuple[BreakEven, ...]
    domain: tuple[Reach, ...] = ()

    def covers(self, values: Mapping[Any, Num]) -> bool:
        """Whether ``relation`` is proved for these values of the symbols."""
        return all(value >= self.least.get(symbol.name, value) for symbol, value in values.items())


def order(
    a: Any,
    b: Any,
    conditions: Sequence[Condition],
    values: Mapping[Any, Num],
    reverses: Callable[[Mapping[Any, Num]], bool] | None = None,
) -> Order | None:
    """Compare two closed forms.

    Args:
        a: the first.
        b: the second.
        conditions: what both rely on; points that violate it are not looked at.
        values: the defaults.
        reverses: whether the order at a point is the other way, where that can be counted; by default the closed
            forms are trusted.

    Returns:
        None where they are too long to take apart.
    """
    a, b = (with_equalities(to_sympy(one), conditions) for one in (a, b))
    difference = sympy.expand(b - a)
    names = [one for one in values if with_equalities(one, conditions) == one]
    floor = least_values(names, conditions)
    if difference == 0:
        return Order("==", {}, None, (), (), _domain(names, floor))
    if len(difference.args) > MAX_TERMS:
        return None
    top = numerator(difference, floor)
    if top is None:
        return None
    here = evaluate(difference, dict(values))
    signs = (1, -1) if here == 0 else (1,) if here > 0 else (-1,)
    proved, raised, sign = "", None, signs[0]
    for one in signs:
        raised = _least(one * top, floor)
        if raised is not None:
            proved, sign = relation_to_zero(one * top, raised), one
            break
    everywhere = raised == floor
    against = None if everywhere or here == 0 else _against(sign * top, conditions, values, reverses)
    plain, back = hide(top)
    readable = all(bound is not None and bound >= 0 for bound in bounds_of(back, floor).values())
    named = sorted(plain.free_symbols - set(back), key=lambda one: one.name)
    free = [one for one in named if one not in _stepped(back)] if readable else []
    return Order(
        proved if sign < 0 else _OPPOSITE[proved],
        {one.name: number for one, number in (raised or {}).items() if one.is_Symbol and number > floor[one]},
        against,
        () if proved else thresholds(plain, back, free, floor),
        break_even(plain, back, free, values, conditions),
        _domain(names, raised or floor),
    )


def _domain(names: Sequence[Any], least: Mapping[Any, Num]) -> tuple[Reach, ...]:
    return tuple(Reach(one.name, bool(one.is_integer), least[one]) for one in names)


def least_values(symbols: Sequence[Any], conditions: Sequence[Condition]) -> dict[Any, Num]:
    """The least value of each symbol: 1 for whole ones, above 0 for ratios, and more where conditions say so.

    What conditions say of a function, as that a rounded width is at least 1, is added.
    """
    floor: dict[Any, Num] = {one: 1 if one.is_integer else 0 for one in symbols}
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
    """A polynomial of the sign of ``difference``, without factors that are always positive; None where none is seen.

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


def relation_to_zero(polynomial: Any, floor: Mapping[Any, Num]) -> str:
    """``>`` or ``>=`` where that is proved for all symbols of at least ``floor``; else empty."""
    relation = ">"
    for branch, least in branches(polynomial, floor):
        for part in split(branch, least):
            found = _piece(part.expr, part.least)
            for _ in range(MAX_ROUNDS):
                if found or not part.hidden:
                    break
                part = between_lines(part)  # noqa: PLW2901 - a bound of it
                found = _piece(part.expr, part.least)
            if not found:
                return ""  # one class without a proof is enough
            if found == ">=":
                relation = found
    return relation


def _piece(polynomial: Any, floor: Mapping[Any, Num | None]) -> str:
    """The same for a polynomial of symbols alone; a symbol whose floor is None can have either sign."""
    symbols = sorted(polynomial.free_symbols, key=lambda one: one.name)
    above = {one for one in symbols if floor[one] == 0 and _is_ratio(one)}  # never 0 itself
    terms = _shifted(polynomial, symbols, floor)
    for coefficient, powers in terms:
        either = any(floor[one] is None and power % 2 for one, power in powers.items())
        if coefficient < 0 or (coefficient and either):
            return ""
    return ">" if any(coefficient > 0 and set(powers) <= above for coefficient, powers in terms) else ">="


def _is_ratio(symbol: Any) -> bool:
    return bool(symbol.is_positive and not symbol.is_integer and not isinstance(symbol, sympy.Dummy))


@lru_cache(maxsize=512)
def _terms(polynomial: Any, symbols: tuple[Any, ...]) -> dict[tuple[int, ...], Num] | None:
    """Coefficients by the powers of ``symbols``; None where it is no polynomial with rational ones."""
    if not symbols:
        number = to_number(polynomial)
        return None if number is None else {(): number}
    whole = polynomial.as_poly(*symbols)
    if whole is None or not all(one.is_Rational for one in whole.coeffs()):
        return None
    return {powers: normal(Fraction(int(one.p), int(one.q))) for powers, one in whole.terms()}


def _shifted(
    polynomial: Any, symbols: Sequence[Any], floor: Mapping[Any, Num | None]
) -> list[tuple[Any, dict[Any, int]]]:
    """Coefficient and powers of every term, each symbol written as its least value plus something."""
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


def _against(
    signed: Any,
    conditions: Sequence[Condition],
    values: Mapping[Any, Num],
    reverses: Callable[[Mapping[Any, Num]], bool] | None,
) -> dict[str, Num] | None:
    """The smallest values (by their sum) at which the sign is not that at the defaults; of what makes a difference."""
    symbols = list(values)
    involved = signed.free_symbols.union(*(one.symbols for one in conditions))
    run = program({"difference": signed}, symbols).run
    counted = 0
    for point in points(symbols, signed.free_symbols, conditions):
        if run({symbol.name: value for symbol, value in point.items()})["difference"] < 0:
            shown = {one: normal(Fraction(point[one])) for one in symbols if one in involved}
            if reverses is None or reverses({**values, **shown}):
                return {one.name: value for one, value in shown.items()}
            counted += 1
            if counted == MAX_COUNTED:
                return None
    return None


def _stepped(back: Mapping[Any, Any]) -> set[Any]:
    """Symbols inside of functions: no root can be written down for them."""
    return set().union(*(function.free_symbols for function in back.values()))
