"""Proofs of the sign of a closed form.

Every symbol is written as its least value plus a new symbol. If all coefficients of a polynomial are then positive, it
is positive for all values. Before that, ``max`` and ``min`` are split into a case for each argument, divided sizes into
residue classes, on which floors are polynomials, and other functions are replaced by linear bounds. A function without
a proved bound is not assumed to be positive.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from math import ceil, comb, prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcost.formulas.simplify import factored, has_short_numbers
from convcost.formulas.views import periods
from convcost.numbers.bounds import lower_bound
from convcost.numbers.exact import normal
from convcost.numbers.functions import (
    CeilDiv,
    FloorDiv,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    is_whole_polynomial,
)
from convcost.numbers.polynomial import (
    Expr,
    Function,
    Group,
    Power,
    Symbol,
    atoms_of,
    expanded,
    functions_in,
    has,
    key_of,
    outermost,
    over_common,
    replaced,
    single,
    sort_key,
    symbols_in,
    term,
    terms_in,
    terms_of,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from convcost.numbers.arithmetic import Num
    from convcost.numbers.decisions import Condition
    from convcost.numbers.polynomial import Monomial

Proof: TypeAlias = Literal[">", ">=", ""]  # of the relation to zero; empty where neither is proved

MAX_FACTORED = 60  # terms beyond which always positive factors are not looked for
MAX_ROUNDS = 4  # of putting functions between lines: one a level of nesting
MAX_CLASSES = 64
MAX_SPLIT_TERMS = 100
MAX_EXTREMES = 3  # beyond that there are too many branches
MAX_SMALL = 16  # values of a name that are gone through one by one
_HALF = Fraction(1, 2)
_Branch = tuple[Any, dict[Any, "Num"]]


def least_values(symbols: Sequence[Any], conditions: Sequence[Condition]) -> dict[Any, Num]:
    """The least value of each symbol: 1 for whole numbers, 0 for ratios (not included), or more by a condition.

    What conditions say of a function, as that a rounded width is at least 1, is added.
    """
    floor: dict[Any, Num] = {symbol: 1 if symbol.whole else 0 for symbol in symbols}
    for condition in conditions:
        if condition.relation != ">=" or isinstance(condition.right, Expr):
            continue
        if condition.left in floor:
            floor[condition.left] = max(floor[condition.left], condition.right)
        elif isinstance(condition.left, Function):
            floor[condition.left] = condition.right
    return floor


def numerator(difference: Any, least: Mapping[Any, Num] | None = None) -> Any:
    """A polynomial with the sign of ``difference``, without factors that are always positive; None if none is known.

    Args:
        difference: a closed form.
        least: the least value of each symbol; by default 1 of whole ones, 0 of ratios.
    """
    if least is None:
        least = least_values(list(symbols_in(difference)), ())
    top, divisor = over_common(expanded(difference))
    bottom = expanded(divisor)
    known = {**least, **bounds_of(outermost(top, bottom), least)}
    sign = 1 if _piece(bottom, known) == ">" else -1 if _piece(-bottom, known) == ">" else 0
    if not sign:
        return None
    if len(terms_in(top)) > MAX_FACTORED or not has_short_numbers(top):
        return sign * top
    form = terms_in(factored(top))
    if len(form) != 1:
        form = {((Group(top), 1),): 1} if form else {}
    result: Any = 0
    for monomial, content in form.items():
        result = sign if content > 0 else -sign
        for atom, power in monomial:
            inside = atom.inside if isinstance(atom, Group) else atom
            if _piece(inside, known) != ">":
                result = result * inside**power
    return result


def relation_to_zero(polynomial: Any, floor: Mapping[Any, Num]) -> Proof:
    """``>`` or ``>=`` if that is proved for all symbols of at least ``floor``; else empty."""
    relation: Proof = ">"
    for branch, least in branches(polynomial, floor):
        for part in split(branch, least):
            proof = _piece(part.expr, part.least)
            for _ in range(MAX_ROUNDS):
                if proof or not outermost(part.expr):
                    break
                part = between_lines(part)  # noqa: PLW2901 - a bound of it
                proof = _piece(part.expr, part.least)
            if not proof:
                return ""  # one class without a proof is enough
            if proof == ">=":
                relation = proof
    return relation


def _piece(polynomial: Any, floor: Mapping[Any, Num | None]) -> Proof:
    """The same for a polynomial of symbols alone; a symbol whose floor is None can have either sign."""
    symbols = sorted(atoms_of(polynomial), key=key_of)
    above = {symbol for symbol in symbols if floor[symbol] == 0 and _is_ratio(symbol)}  # never 0 itself
    terms = _shifted(polynomial, symbols, floor)
    for coefficient, powers in terms:
        either = any(floor[symbol] is None and power % 2 for symbol, power in powers.items())
        if coefficient < 0 or (coefficient and either):
            return ""
    return ">" if any(coefficient > 0 and set(powers) <= above for coefficient, powers in terms) else ">="


def _is_ratio(symbol: Any) -> bool:
    return isinstance(symbol, Symbol) and symbol.positive and not symbol.whole


@lru_cache(maxsize=512)
def _terms(polynomial: Any, symbols: tuple[Any, ...]) -> dict[tuple[int, ...], Num] | None:
    """Coefficients by the powers of ``symbols``; None if it is not a polynomial."""
    terms = terms_in(polynomial)
    if any(power < 0 or isinstance(atom, Power) for monomial in terms for atom, power in monomial):
        return None
    result = {}
    for monomial, coefficient in terms.items():
        powers = dict(monomial)
        result[tuple(powers.get(symbol, 0) for symbol in symbols)] = coefficient
    return result


def _shifted(
    polynomial: Any, symbols: Sequence[Any], floor: Mapping[Any, Num | None]
) -> list[tuple[Any, dict[Any, int]]]:
    """Coefficient and powers of every term, with each symbol written as its least value plus a new symbol."""
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


# --- branches of max and min ---


def branches(expr: Any, least: Mapping[Any, Num]) -> Iterator[_Branch]:
    """The cases of ``expr`` without ``max`` and ``min``, each with the least values of its symbols.

    Where ``I >= O``, ``I`` is written as ``O`` plus something, so that the branch knows it. Together the branches
    hold for at least all values from ``least`` on.

    Args:
        expr: a closed form.
        least: the least value of each symbol.
    """
    extremes = sorted((each for each in functions_in(expr) if isinstance(each, Maximum | Minimum)), key=sort_key)
    innermost = next(
        (extreme for extreme in extremes if not any(extreme != other and has(extreme, other) for other in extremes)),
        None,
    )
    if innermost is None or len(extremes) > MAX_EXTREMES or len(innermost.args) > 2:  # noqa: PLR2004 - one question
        yield expr, dict(least)
        return
    first, second = innermost.args
    if isinstance(innermost, Minimum):
        first, second = second, first
    for larger, smaller, chosen in ((first, second, innermost.args[0]), (second, first, innermost.args[1])):
        there = replaced(expr, {innermost: chosen})
        for branch, floor in _where(larger - smaller, there, least):
            yield from branches(branch, floor)


def _where(difference: Any, expr: Any, least: Mapping[Any, Num]) -> Iterator[_Branch]:
    """``expr`` where ``difference`` is not negative, or for more values than that."""
    terms = dict(terms_of(difference))
    constant = terms.pop((), 0)
    slopes = {single(monomial): coefficient for monomial, coefficient in terms.items()}
    if slopes and all(isinstance(name, Symbol) and name.whole for name in slopes):
        for name, slope in slopes.items() if len(slopes) == 1 else ():
            if abs(slope) == 1:
                yield from _alone(name, int(slope), constant, expr, least)
                return
        for name, slope in slopes.items():
            if isinstance(name, Symbol) and slope == 1:  # at least what the rest asks for: that, and something more
                more = Symbol(f"{name.name}+", positive=False)
                yield replaced(expr, {name: name - difference + more}), {**least, more: 0}
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
            yield replaced(expr, {symbol: value}), dict(least)


# --- residue classes ---


class Class(NamedTuple):
    """A closed form on a residue class of its divided sizes.

    Attributes:
        expr: a polynomial of symbols, and of the functions that do not become polynomials.
        least: the least value of every symbol and function; None where none is known.
    """

    expr: Any
    least: dict[Any, Num | None]


def split(expr: Any, least: Mapping[Any, Num]) -> Iterator[Class]:
    """``expr`` on each residue class of its divided sizes; on a single class if there are too many.

    Args:
        expr: a closed form without denominators.
        least: the least value of each symbol, and of functions for which one is known.
    """
    divided = {size: period for size, period in periods([expr]).items() if isinstance(size, Symbol)}
    if prod(divided.values()) > MAX_CLASSES or len(terms_in(expr)) > MAX_SPLIT_TERMS:
        divided = {}
    for rests in product(*(range(period) for period in divided.values())):
        floor: dict[Any, Any] = dict(least)
        for (size, period), rest in zip(divided.items(), rests, strict=True):
            floor[_part(size)] = max(0, ceil(Fraction(least[size] - rest) / period))
        plain = _on_class(expr, tuple(divided.items()), rests)
        yield Class(plain, floor | bounds_of(outermost(plain), floor))


def bounds_of(functions: Iterable[Any], least: Mapping[Any, Num]) -> dict[Any, Num | None]:
    """The least value of every function; None if no bound is known."""
    return {function: lower_bound(function, least) for function in functions}


def between_lines(part: Class) -> Class:
    """A lower bound of a class: a linear bound in place of one function in every term.

    ``floor(x)`` is between ``x - 1`` and ``x``. A term that adds gets the line below, one that subtracts the line
    above; neither is done to a term of which another factor may be negative.
    """
    expr = total(_with_line(monomial, coefficient, part) for monomial, coefficient in terms_in(part.expr).items())
    known = {atom: bound for atom, bound in part.least.items() if bound is not None}
    return Class(expr, known | bounds_of(outermost(expr), known))


def _with_line(monomial: Monomial, coefficient: Num, part: Class) -> Any:
    for function, power in monomial:
        others = [atom for atom, own in monomial if atom != function or own > 1]
        least = [part.least[atom] for atom in others]
        if not isinstance(function, Function) or any(bound is None or bound < 0 for bound in least):
            continue
        line = _line(function, above=coefficient < 0)
        if line is not None:
            rest = tuple((atom, own - (atom == function)) for atom, own in monomial if atom != function or power > 1)
            return term(rest, coefficient) * line
    return term(monomial, coefficient)


def _line(function: Any, *, above: bool) -> Any:
    """A linear upper or lower bound of ``function``; None if none is known."""
    value, step = function.args[0], function.args[-1]
    if isinstance(function, RoundEven):
        return value + (_HALF if above else -_HALF)
    if not isinstance(function, FloorDiv | CeilDiv | MakeDivisible) or isinstance(step, Expr):
        return None
    if isinstance(function, MakeDivisible):  # to the nearest multiple, from there at most to the next
        return value + (step if above else -Fraction(step) / 2)
    if isinstance(function, CeilDiv):
        return value / step + (1 if above else 0)
    cut_off = Fraction(step - 1) / step if is_whole_polynomial(value) else 1
    return value / step - (0 if above else cut_off)


def _part(size: Any) -> Any:
    return Symbol(f"{size.name}_", positive=False)


@lru_cache(maxsize=4 * MAX_CLASSES)  # asked for the same classes with many least values
def _on_class(expr: Any, divided: tuple[tuple[Any, int], ...], rests: tuple[int, ...]) -> Any:
    there = {size: period * _part(size) + rest for (size, period), rest in zip(divided, rests, strict=True)}
    return replaced(expr, there)


def identically_zero(expr: Any) -> bool:
    """Whether ``expr`` is 0 for all values of its symbols, as far as splitting its sizes shows."""
    least = {symbol: 1 if symbol.whole else 0 for symbol in symbols_in(expr)}
    return all(expanded(part.expr) == 0 for part in split(expr, least))
