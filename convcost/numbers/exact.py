"""Arithmetic of exact numbers: ``int``, and ``Fraction`` where a spec divides."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from convcost.errors import ShapeError
from convcost.limits import MAX_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Number: TypeAlias = int | Fraction
Relation: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NEGATION: dict[Relation, Relation] = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def is_number(value: object) -> bool:
    """Whether ``value`` is an exact number (a switch is not)."""
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def normal(value: Any) -> Any:
    """``value`` with a whole fraction turned into an int.

    >>> normal(Fraction(6, 3))
    2
    """
    if type(value) is Fraction and value.denominator == 1:
        return value.numerator
    return value


def ratio(top: Number, bottom: Number) -> Number:
    """``top / bottom``: an int where that is whole; quicker than a fraction that is made normal.

    >>> ratio(6, 3), ratio(3, 6)
    (2, Fraction(1, 2))
    """
    if type(top) is int and type(bottom) is int:
        return Fraction(top, bottom) if top % bottom else top // bottom
    quotient: Number = normal(Fraction(top) / bottom)
    return quotient


def bits(value: Any) -> int:
    """The length of a number: of its numerator or its denominator, whichever is longer."""
    fraction = Fraction(value)
    return max(abs(fraction.numerator), fraction.denominator).bit_length()


class Exact:
    """The functions of :mod:`convcost.numbers.arithmetic` on ints and Fractions."""

    def divide(self, a: Any, b: Any) -> Any:
        """``a / b``, exactly."""
        _refuse_zero(a, b)
        return normal(Fraction(a) / b)

    def exact_div(self, a: Any, b: Any, what: str) -> Any:
        """``a / b`` without a remainder."""
        _refuse_zero(a, b)
        if a % b != 0:
            raise ShapeError(f"cannot divide {what}: {a} is not a multiple of {b}")
        return a // b

    def floor_div(self, a: Any, b: Any) -> Any:
        """``floor(a / b)``."""
        _refuse_zero(a, b)
        return a // b

    def ceil_div(self, a: Any, b: Any) -> Any:
        """``ceil(a / b)``."""
        _refuse_zero(a, b)
        return -(-a // b)

    def gcd(self, a: Any, b: Any) -> Any:
        """The greatest common divisor of two whole numbers."""
        return math.gcd(normal(a), normal(b))

    def maximum(self, values: Sequence[Any]) -> Any:
        """The largest of ``values``."""
        return max(values)

    def minimum(self, values: Sequence[Any]) -> Any:
        """The smallest of ``values``."""
        return min(values)

    def total(self, values: Sequence[Any]) -> Any:
        """The sum of ``values``."""
        return sum(values)

    def power(self, base: Any, exponent: Any) -> Any:
        """``base ** exponent``, of bounded size."""
        if normal(exponent) != exponent or not isinstance(normal(exponent), int):
            raise ShapeError(f"an exponent must be whole, found {exponent}")
        if base == 0 and exponent < 0:
            raise ShapeError("zero has no negative power")
        too_large = f"{base}**{exponent} is too large (more than {MAX_BITS:,} bits)"
        if (bits(base) - 1) * abs(exponent) > MAX_BITS:  # before it is computed
            raise ShapeError(too_large)
        result = normal(Fraction(base) ** int(exponent))
        if bits(result) > MAX_BITS:
            raise ShapeError(too_large)
        return result

    def bounded(self, value: Any) -> Any:
        """``value``, if it has at most 4,096 bits."""
        if is_number(value) and bits(value) > MAX_BITS:
            raise ShapeError(f"a number grew beyond {MAX_BITS:,} bits")
        return value

    def round_even(self, value: Any) -> Any:
        """The nearest integer; a half goes to the even one."""
        return round(value)

    def make_divisible(self, value: Any, step: Any) -> Any:
        """The nearest multiple of ``step``, at least one, and never below 90 % of ``value``."""
        top, bottom = value.as_integer_ratio()  # whole numbers are several times as fast as fractions
        rounded = max(step, (2 * top + step * bottom) // (2 * step * bottom) * step)
        return rounded + step if 10 * rounded * bottom < 9 * top else rounded

    def decide(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b``."""
        return bool(RELATIONS[relation](a, b))

    def provably(self, a: Any, b: Any) -> bool:
        """Whether ``a == b``."""
        return bool(a == b)

    def holds(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b``."""
        return bool(RELATIONS[relation](a, b))

    def is_whole(self, value: Any) -> bool:
        """Whether ``value`` is an integer."""
        return not isinstance(value, bool) and isinstance(value, int)


def _refuse_zero(a: Any, b: Any) -> None:
    if b == 0:
        raise ShapeError(f"{a} is divided by zero")


EXACT = Exact()
