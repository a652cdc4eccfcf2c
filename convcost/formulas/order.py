"""The order of two costs: which is smaller, for all values or for some, and where both are equal.

The order is proved by the sign of the difference (:mod:`convcost.formulas.sign`). If there is no proof, the smallest
values that contradict the order at the defaults are searched.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcost.formulas.points import points
from convcost.formulas.roots import BreakEven, Threshold, break_even, thresholds
from convcost.formulas.sign import bounds_of, least_values, numerator, relation_to_zero
from convcost.numbers.arithmetic import normal
from convcost.numbers.decisions import with_equalities
from convcost.numbers.polynomial import Symbol, atoms_of, expanded, outermost, symbols_in, terms_in
from convcost.numbers.values import Evaluator, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition

Verdict: TypeAlias = Literal["==", "<", "<=", ">", ">=", ""]  # empty where no order is proved

MAX_TERMS = 400  # beyond that a difference is not taken apart
MAX_LEAST = 64  # least values that are tried
MAX_COUNTED = 40  # points at which a contradiction is counted before none is given
_OPPOSITE: dict[Verdict, Verdict] = {">": "<", ">=": "<=", "": ""}


class Reach(NamedTuple):
    """The values of a name that a statement is about: whole numbers from ``least`` on, or ratios.

    Attributes:
        name: of the symbol.
        whole: whether its values are whole numbers.
        least: the least value; for a ratio, 0 means all values above 0.
    """

    name: str
    whole: bool
    least: Num


class Order(NamedTuple):
    """The order of two costs, as far as it is known.

    Attributes:
        relation: of the first to the second: ``==`` (for all values), ``<``, ``<=``, ``>``, ``>=``; empty where none
            is proved.
        least: the least values of the names from which ``relation`` is proved; of those not listed, all.
        counterexample: the smallest known values at which the order is the opposite of that at the defaults.
        thresholds: names whose value decides, with where.
        break_even: names for which both can cost the same.
        domain: every name, with the values for which ``relation`` is proved.
    """

    relation: Verdict
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
    a, b = (expanded(with_equalities(form, conditions)) for form in (a, b))
    difference = b - a
    names = [symbol for symbol in values if with_equalities(symbol, conditions) == symbol]
    floor = least_values(names, conditions)
    if difference == 0:
        return Order("==", {}, None, (), (), _domain(names, floor))
    if len(terms_in(difference)) > MAX_TERMS:
        return None
    top = numerator(difference, floor)
    if top is None:
        return None
    here = evaluate(difference, values)
    signs = (1, -1) if here == 0 else (1,) if here > 0 else (-1,)
    proved: Verdict = ""
    raised, sign = None, signs[0]
    for candidate in signs:
        raised = _least(candidate * top, floor)
        if raised is not None:
            proved, sign = relation_to_zero(candidate * top, raised), candidate
            break
    everywhere = raised == floor
    against = None if everywhere or here == 0 else _against(sign * top, conditions, values, reverses)
    functions = outermost(top)
    readable = all(bound is not None and bound >= 0 for bound in bounds_of(functions, floor).values())
    named = sorted((atom for atom in atoms_of(top) if isinstance(atom, Symbol)), key=lambda symbol: symbol.name)
    free = [symbol for symbol in named if symbol not in _stepped(functions)] if readable else []
    return Order(
        proved if sign < 0 else _OPPOSITE[proved],
        {
            symbol.name: number
            for symbol, number in (raised or {}).items()
            if isinstance(symbol, Symbol) and number > floor[symbol]
        },
        against,
        () if proved else thresholds(top, free, floor),
        break_even(top, free, values, conditions),
        _domain(names, raised or floor),
    )


def _domain(names: Sequence[Any], least: Mapping[Any, Num]) -> tuple[Reach, ...]:
    return tuple(Reach(symbol.name, symbol.whole, least[symbol]) for symbol in names)


def _least(polynomial: Any, floor: dict[Any, Num]) -> dict[Any, Num] | None:
    """Least values from which ``polynomial`` is proved not to be negative, each as small as can be; None if none."""
    names = sorted(
        (symbol for symbol in floor if isinstance(symbol, Symbol) and symbol.whole), key=lambda symbol: symbol.name
    )

    def at(level: int) -> dict[Any, Num]:
        return {**floor, **{symbol: max(level, floor[symbol]) for symbol in names}}

    if not relation_to_zero(polynomial, at(MAX_LEAST)):
        return None

    def alone(name: Any, level: int) -> dict[Any, Num]:
        return {**raised, name: level}

    raised = at(_first(polynomial, at, 1, MAX_LEAST))
    for symbol in names:
        raised[symbol] = _first(polynomial, partial(alone, symbol), int(floor[symbol]), int(raised[symbol]))
    return raised


def _first(polynomial: Any, at: Callable[[int], dict[Any, Num]], low: int, high: int) -> int:
    """The least level from ``low`` to ``high`` with a proof; a proof for a level holds for larger levels."""
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
    """The smallest values (by their sum) at which the sign is not that at the defaults; only names that matter."""
    symbols = list(values)
    involved = symbols_in(signed).union(*(condition.symbols for condition in conditions))
    difference = Evaluator([signed], symbols)
    counted = 0
    for point in points(symbols, symbols_in(signed), conditions):
        if difference([point[symbol] for symbol in symbols])[0] < 0:
            shown = {symbol: normal(Fraction(point[symbol])) for symbol in symbols if symbol in involved}
            if reverses is None or reverses({**values, **shown}):
                return {symbol.name: value for symbol, value in shown.items()}
            counted += 1
            if counted == MAX_COUNTED:
                return None
    return None


def _stepped(functions: Iterable[Any]) -> set[Any]:
    """Symbols inside functions, for which no root is written down."""
    return set().union(*(function.symbols for function in functions))
