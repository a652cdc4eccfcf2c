"""The exact values of expressions at numbers for their symbols."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING, Any

from convcost.errors import UnsupportedError
from convcost.numbers.exact import Number, normal
from convcost.numbers.polynomial import Expr, Function, Group, Power, Symbol, Value, symbols_in, terms_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.numbers.polynomial import Atom


class Evaluator:
    """The exact values of expressions, which are translated once to steps on a list of numbers.

    Each function in them is a step of its own, so that a size that occurs in many terms is computed once.
    """

    def __init__(self, values: Sequence[Value], symbols: Sequence[Any]) -> None:
        self._places: dict[Any, int] = {symbol: place for place, symbol in enumerate(symbols)}
        self._steps: list[tuple[Callable[..., Any], list[_Polynomial]]] = []
        self._results = [self._polynomial(value) for value in values]

    def __call__(self, numbers: Sequence[Number]) -> list[Number]:
        """The values of the expressions.

        Args:
            numbers: a value for each symbol, in the order of the symbols.

        Raises:
            UnsupportedError: a root is not rational, so that there is no exact value.
        """
        values = list(numbers)
        for rule, arguments in self._steps:
            values.append(rule(*[_value(argument, values) for argument in arguments]))
        return [_value(result, values) for result in self._results]

    def _polynomial(self, value: Value) -> _Polynomial:
        return [
            (coefficient, [self._factor(atom, exponent) for atom, exponent in monomial])
            for monomial, coefficient in terms_in(value).items()
        ]

    def _factor(self, atom: Atom, exponent: int) -> tuple[int, int]:
        """The place of the value of an atom, or of its inverse, and the power of it."""
        place = self._place(atom)
        if exponent > 0:
            return place, exponent
        if (atom, -1) not in self._places:
            self._places[atom, -1] = len(self._places)
            self._steps.append((_inverse, [[(1, [(place, 1)])]]))
        return self._places[atom, -1], -exponent

    def _place(self, atom: Atom) -> int:
        """The place of the value of a symbol, or of the step that computes ``atom``."""
        if atom not in self._places:
            step = self._step(atom)  # whose arguments come first
            self._places[atom] = len(self._places)
            self._steps.append(step)
        return self._places[atom]

    def _step(self, atom: Atom) -> tuple[Callable[..., Any], list[_Polynomial]]:
        if isinstance(atom, Group):
            return normal, [self._polynomial(atom.inside)]
        if isinstance(atom, Power):
            return _power, [self._polynomial(atom.base), [(atom.exponent, [])]]
        if isinstance(atom, Function):
            return type(atom).number, [self._polynomial(argument) for argument in atom.args]
        raise KeyError(atom)


_Polynomial = list[tuple[Number, list[tuple[int, int]]]]  # coefficients, each with the places and powers of its factors


def _value(polynomial: _Polynomial, values: Sequence[Any]) -> Number:
    result: Any = None
    for coefficient, factors in polynomial:
        term: Any = coefficient
        for place, exponent in factors:
            term *= values[place] if exponent == 1 else values[place] ** exponent
        result = term if result is None else result + term
    return result if type(result) is int else normal(result or 0)


def _inverse(value: Number) -> Number:
    return normal(1 / Fraction(value))


def _power(base: Number, exponent: Number) -> Number:
    """``base ** exponent``, exactly.

    Raises:
        UnsupportedError: the result is not rational.
        ZeroDivisionError: ``base`` is 0 and ``exponent`` negative.
    """
    power = Fraction(base) ** Fraction(exponent).numerator
    degree = Fraction(exponent).denominator
    top, bottom = (_root(part, degree) for part in (power.numerator, power.denominator))
    if top is None or bottom is None:
        raise UnsupportedError(f"{base} to the power of {exponent} is not a rational number")
    return normal(Fraction(top, bottom))


def _root(number: int, degree: int) -> int | None:
    """The whole root of a number, if there is one."""
    if number < 0:
        return None
    if degree == 2:  # noqa: PLR2004 - a square root
        root = isqrt(number)
        return root if root * root == number else None
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= number else (low, middle - 1)
    return low if low**degree == number else None


def evaluate(value: Value, values: Mapping[Any, Number]) -> Number:
    """The exact value of a number or an expression with a number for every symbol.

    Args:
        value: what to evaluate.
        values: by symbol.

    Raises:
        UnsupportedError: a root is not rational, so that there is no exact value.

    >>> n = Symbol("n")
    >>> evaluate(3 * n**2 + 1 / n, {n: 2})
    Fraction(25, 2)
    """
    if not isinstance(value, Expr):
        return normal(value)
    if isinstance(value, Symbol):
        return values[value]
    symbols, evaluator = _translated(value)
    return evaluator([values[symbol] for symbol in symbols])[0]


@lru_cache(maxsize=4096)
def _translated(value: Expr) -> tuple[tuple[Any, ...], Evaluator]:
    symbols = tuple(symbols_in(value))
    return symbols, Evaluator([value], symbols)
