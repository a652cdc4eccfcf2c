"""Arithmetic for three kinds of number: int, sympy expression, numpy array. No other file treats them differently.

A rule written with the operators ``+ - *`` and the functions below runs over

* ``int`` (and ``Fraction`` where a spec divides): exact, and nothing heavy is imported;
* sympy expressions: closed forms; the functions for them are in :mod:`convcost.numbers.rules`;
* numpy arrays: many configurations at once, converted to exact numbers on entry (:mod:`convcost.numbers.arrays`).

Neither sympy nor numpy is imported here: a caller that passes their values has imported them.
Conditions could make the three algebras disagree, so each kind of condition is a function here:
:func:`require`, :func:`exact_div`, :func:`same`, :func:`decide`. Their decisions about symbols are recorded in
:mod:`convcost.numbers.assumptions`.
"""

from __future__ import annotations

import math
import operator
import sys
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.errors import ShapeError, UnsupportedError
from convcost.limits import MAX_BITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Num: TypeAlias = Any  # int, Fraction, a sympy expression or a numpy array

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_symbolic(value: object) -> bool:
    """Whether ``value`` is a sympy expression."""
    if type(value) is int:
        return False
    basic = sys.modules.get("sympy.core.basic")
    return basic is not None and isinstance(value, basic.Basic)


def is_array(value: object) -> bool:
    """Whether ``value`` is a numpy array."""
    if type(value) is int:
        return False
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def exact_array(values: Any) -> Any:
    """An array of numpy, or one of its numbers, made exact; anything else as it is.

    Raises:
        UsageError: an array holds something other than finite numbers.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(values, numpy.ndarray | numpy.generic):
        return values
    from convcost.numbers.arrays import exact  # noqa: PLC0415 - imports numpy

    return exact(values)


def is_number(value: object) -> bool:
    """Whether ``value`` is a plain exact number (a switch is not)."""
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def rules() -> Any:
    """The symbolic half of this arithmetic; only asked for once a symbol was seen."""
    from convcost.numbers import rules as symbolic  # noqa: PLC0415 - imports sympy

    return symbolic


def normal(value: Num) -> Num:
    """``value`` with a whole fraction turned into an int.

    >>> normal(Fraction(6, 3))
    2
    """
    if type(value) is Fraction and value.denominator == 1:
        return value.numerator
    return value


def divide(a: Num, b: Num) -> Num:
    """The exact quotient ``a / b``: an int where it comes out even, else a ``Fraction``.

    Raises:
        ShapeError: ``b`` is zero.
    """
    if type(a) is int and type(b) is int and b != 0 and a % b == 0:
        return a // b
    if is_number(a) and is_number(b):
        if b == 0:
            raise ShapeError(f"{a} is divided by zero")
        return normal(Fraction(a) / b)
    if is_array(a) or is_array(b):
        numpy = sys.modules["numpy"]
        _refuse_zero(a, b)
        if (a % b == 0).all():
            return a // b
        return numpy.asarray(a, dtype=object) * Fraction(1) / b
    return rules().divide(a, b)


def exact_div(a: Num, b: Num, what: str) -> Num:
    """The quotient ``a / b`` where it must come out even.

    With symbols the quotient is returned and "b divides a" recorded as an assumption.

    Args:
        a: dividend.
        b: divisor.
        what: what is divided by what, for the error: "in_channels by groups".

    Raises:
        ShapeError: ``b`` does not divide ``a``.
    """
    if type(b) is int:
        if b == 1:
            return a
        if type(a) is int and b != 0 and a % b == 0:
            return a // b
    if is_symbolic(a) or is_symbolic(b):
        return rules().exact_div(a, b, what)
    _refuse_zero(a, b)
    _check_even(a, b, what)
    return a // b


def _refuse_zero(a: Num, b: Num) -> None:
    if (b == 0).any() if is_array(b) else b == 0:
        raise ShapeError(f"{a} is divided by zero")


def _check_even(a: Num, b: Num, what: str) -> None:
    remainder = a % b
    even = bool((remainder == 0).all()) if is_array(remainder) else remainder == 0
    if not even:
        raise ShapeError(f"cannot divide {what}: {a} is not a multiple of {b}")


def floor_div(a: Num, b: Num) -> Num:
    """``floor(a / b)``."""
    if type(a) is int and type(b) is int and b != 0:
        return a // b
    if is_symbolic(a) or is_symbolic(b):
        return rules().floor_div(a, b)
    _refuse_zero(a, b)
    return a // b


def ceil_div(a: Num, b: Num) -> Num:
    """``ceil(a / b)``.

    >>> ceil_div(7, 2)
    4
    """
    if is_symbolic(a) or is_symbolic(b):
        return rules().ceil_div(a, b)
    _refuse_zero(a, b)
    return -((-a) // b)


def gcd(a: Num, b: Num) -> Num:
    """The greatest common divisor of two whole numbers.

    >>> gcd(14, 4)
    2
    """
    if is_symbolic(a) or is_symbolic(b):
        return rules().gcd(a, b)
    if is_array(a) or is_array(b):
        return sys.modules["numpy"].gcd(a, b)
    return math.gcd(normal(a), normal(b))


def floor(value: Num) -> Num:
    """The greatest integer not above ``value``."""
    return floor_div(value, 1)


def ceil(value: Num) -> Num:
    """The least integer not below ``value``."""
    return ceil_div(value, 1)


def maximum(*values: Num) -> Num:
    """The largest of ``values``."""
    return _extreme("maximum", max, values)


def minimum(*values: Num) -> Num:
    """The smallest of ``values``."""
    return _extreme("minimum", min, values)


def _extreme(name: str, plain: Callable[..., Any], values: tuple[Num, ...]) -> Num:
    if any(map(is_symbolic, values)):
        return getattr(rules(), name)(*values)
    if any(map(is_array, values)):
        ufunc = getattr(sys.modules["numpy"], name)
        result = values[0]
        for value in values[1:]:
            result = ufunc(result, value)
        return result
    return plain(values)


def prod(values: Iterable[Num]) -> Num:
    """The product of ``values``; 1 for none."""
    result: Num = 1
    for value in values:
        result = result * value
    return result


def total(values: Iterable[Num]) -> Num:
    """The sum of ``values``; with symbols in one step, which is what makes whole networks quick."""
    terms = list(values)
    if len(terms) == 1:
        return terms[0]
    if set(map(type, terms)) == {int}:  # nearly always, and then told without a call for each
        return sum(terms)
    if any(map(is_symbolic, terms)):
        return rules().total(terms)
    return sum(terms)


_SMALL = 1 << 62


def power(base: Num, exponent: Num) -> Num:
    """``base ** exponent`` with the size of the result bounded.

    Raises:
        ShapeError: the result would have more than 4,096 bits, or is no exact number.
    """
    if is_symbolic(base) or is_symbolic(exponent):
        return rules().power(base, exponent)
    if is_array(base) or is_array(exponent):
        return _power_of_arrays(base, exponent)
    if normal(exponent) != exponent or not isinstance(normal(exponent), int):
        raise ShapeError(f"an exponent must be whole, found {exponent}")
    if base == 0 and exponent < 0:
        raise ShapeError("zero has no negative power")
    too_large = f"{base}**{exponent} is too large (more than {MAX_BITS:,} bits)"
    if (_bits(base) - 1) * abs(exponent) > MAX_BITS:  # before it is computed
        raise ShapeError(too_large)
    result = normal(Fraction(base) ** int(exponent))
    if _bits(result) > MAX_BITS:
        raise ShapeError(too_large)
    return result


def _power_of_arrays(base: Num, exponent: Num) -> Num:
    numpy = sys.modules["numpy"]
    if not is_whole(exponent):
        raise ShapeError(f"an exponent must be whole, found {exponent}")
    require(">=", exponent, 0, f"an exponent of an array must be at least 0, found {exponent}")
    largest = max(map(_bits, numpy.ravel(base).tolist()), default=0)
    if (largest - 1) * int(numpy.max(exponent)) > MAX_BITS:
        raise ShapeError(f"{base}**{exponent} is too large (more than {MAX_BITS:,} bits)")
    return base**exponent


def _bits(value: Num) -> int:
    fraction = Fraction(value)
    return max(abs(fraction.numerator), fraction.denominator).bit_length()


def bounded(value: Num) -> Num:
    """``value``, unless it has grown beyond what any network can mean.

    Raises:
        ShapeError: more than 4,096 bits, or a formula of more than 1,000 terms.
    """
    if type(value) is int and -_SMALL < value < _SMALL:
        return value
    if is_number(value) and _bits(value) > MAX_BITS:
        raise ShapeError(f"a number grew beyond {MAX_BITS:,} bits")
    if is_symbolic(value):
        rules().bounded(value)
    return value


def decide(relation: str, a: Any, b: Any) -> bool:
    """Whether ``a relation b`` holds, for choices of structure.

    What algebra cannot decide about symbols is decided at their witness and recorded as an assumption.
    Arrays must agree on the answer.

    Raises:
        UnsupportedError: it differs between the points of an array, or no witness is at hand.
    """
    if type(a) is int and type(b) is int:
        return bool(RELATIONS[relation](a, b))
    if is_symbolic(a) or is_symbolic(b):
        return bool(rules().decide(relation, a, b))
    holds = RELATIONS[relation](a, b)
    if is_array(holds):
        if holds.all() or not holds.any():
            return bool(holds.all())
        raise UnsupportedError(f"the structure differs between the points: {a} {relation} {b}")
    return bool(holds)


def same(a: Num, b: Num) -> bool:
    """Whether two sizes are equal, for choices of structure; see :func:`decide`."""
    return a is b or decide("==", a, b)


def provably(a: Num, b: Num) -> bool:
    """Whether two sizes are equal whatever the symbols are; never assumes anything."""
    if type(a) is int and type(b) is int:
        return a == b
    if is_symbolic(a) or is_symbolic(b):
        return bool(rules().identical(a, b))
    if is_array(a) or is_array(b):
        return bool(RELATIONS["=="](a, b).all())
    return bool(a == b)


def require(relation: str, a: Num, b: Num, message: str) -> None:
    """Demand that ``a relation b`` holds.

    With symbols it must hold at the witness; if algebra cannot show it in general it is recorded.

    Raises:
        ShapeError: it does not hold; the text is ``message``.
    """
    if is_symbolic(a) or is_symbolic(b):
        rules().require(relation, a, b, message)
        return
    holds = RELATIONS[relation](a, b)
    if not (holds.all() if is_array(holds) else holds):
        raise ShapeError(message)


def is_whole(value: Num) -> bool:
    """Whether ``value`` is an integer.

    With symbols it must be one at the witness; that it is one in general is recorded where it does not follow.
    """
    if is_symbolic(value):
        return bool(rules().is_whole(value))
    if is_array(value):
        return bool((value % 1 == 0).all())
    return not isinstance(value, bool) and isinstance(value, int)
