"""Arithmetic for three kinds of number: int, expression of symbols, numpy array. No other file treats them differently.

A rule written with the operators ``+ - *`` and the functions below runs over

* ``int``, and ``Fraction`` where a spec divides: exact, and nothing else is imported (:class:`.exact.Exact`);
* expressions of symbols: closed forms (:class:`.decisions.Symbols`);
* numpy arrays: many configurations at once, converted to exact numbers on entry (:class:`.arrays.Arrays`).

A class is loaded when a value of its kind occurs for the first time, so numbers alone do not load numpy. The
functions answer for two ints at once and choose a class for everything else.

Conditions could make the three kinds disagree, so each kind of condition is a function here:
:func:`require`, :func:`exact_div`, :func:`same`, :func:`decide`. Their decisions about symbols are recorded in
:mod:`convcost.numbers.assumptions`.
"""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.errors import ShapeError
from convcost.numbers.exact import EXACT, NEGATION, RELATIONS, Relation, is_number, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.numbers.arrays import Arrays
    from convcost.numbers.decisions import Symbols
    from convcost.numbers.exact import Exact

__all__ = [
    "NEGATION",
    "RELATIONS",
    "Num",
    "Relation",
    "bounded",
    "ceil",
    "ceil_div",
    "decide",
    "divide",
    "exact_div",
    "exact_value",
    "floor",
    "floor_div",
    "gcd",
    "is_array",
    "is_number",
    "is_symbolic",
    "is_whole",
    "make_divisible",
    "maximum",
    "minimum",
    "normal",
    "power",
    "prod",
    "provably",
    "require",
    "round_even",
    "round_to",
    "same",
    "times",
    "total",
    "weighted",
]

Num: TypeAlias = Any  # int, Fraction, an expression of symbols or a numpy array

_SMALL = 1 << 62


def is_symbolic(value: object) -> bool:
    """Whether ``value`` is an expression of symbols (:class:`.polynomial.Expr`)."""
    if type(value) is int:
        return False
    polynomial = sys.modules.get("convcost.numbers.polynomial")
    return polynomial is not None and isinstance(value, polynomial.Expr)


def is_array(value: object) -> bool:
    """Whether ``value`` is a numpy array."""
    if type(value) is int:
        return False
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _arithmetic(*values: object) -> Exact | Arrays | Symbols:
    """The arithmetic that covers all ``values``; a module that is not loaded yet has no values."""
    if any(map(is_symbolic, values)):
        from convcost.numbers.decisions import SYMBOLS  # noqa: PLC0415 - numbers need no symbols

        return SYMBOLS
    if any(map(is_array, values)):
        from convcost.numbers.arrays import ARRAYS  # noqa: PLC0415 - imports numpy

        return ARRAYS
    return EXACT


def exact_value(values: Any) -> Any:
    """A numpy array, or a single number of numpy, made exact; an expression of sympy as one of this package.

    Any other value is returned unchanged.

    Raises:
        UsageError: an array contains something other than finite numbers.
    """
    sympy = sys.modules.get("sympy.core.basic")
    if sympy is not None and isinstance(values, sympy.Basic):
        from convcost.numbers.conversion import from_sympy  # noqa: PLC0415 - imports sympy

        return from_sympy(values)
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(values, numpy.ndarray | numpy.generic):
        return values
    from convcost.numbers.arrays import exact  # noqa: PLC0415 - imports numpy

    return exact(values)


def divide(a: Num, b: Num) -> Num:
    """The exact quotient ``a / b``: an int if there is no remainder, else a ``Fraction``.

    Raises:
        ShapeError: ``b`` is zero.
    """
    if type(a) is int and type(b) is int and b != 0 and a % b == 0:
        return a // b
    return _arithmetic(a, b).divide(a, b)


def exact_div(a: Num, b: Num, what: str) -> Num:
    """The quotient ``a / b``, which must have no remainder.

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
    return _arithmetic(a, b).exact_div(a, b, what)


def floor_div(a: Num, b: Num) -> Num:
    """``floor(a / b)``."""
    if type(a) is int and type(b) is int and b != 0:
        return a // b
    return _arithmetic(a, b).floor_div(a, b)


def ceil_div(a: Num, b: Num) -> Num:
    """``ceil(a / b)``.

    >>> ceil_div(7, 2)
    4
    """
    if type(a) is int and type(b) is int and b != 0:
        return -(-a // b)
    return _arithmetic(a, b).ceil_div(a, b)


def gcd(a: Num, b: Num) -> Num:
    """The greatest common divisor of two whole numbers.

    >>> gcd(14, 4)
    2
    """
    return _arithmetic(a, b).gcd(a, b)


def floor(value: Num) -> Num:
    """The greatest integer not above ``value``."""
    return floor_div(value, 1)


def ceil(value: Num) -> Num:
    """The least integer not below ``value``."""
    return ceil_div(value, 1)


def maximum(*values: Num) -> Num:
    """The largest of ``values``."""
    if set(map(type, values)) == {int}:
        return max(values)
    return _arithmetic(*values).maximum(values)


def minimum(*values: Num) -> Num:
    """The smallest of ``values``."""
    if set(map(type, values)) == {int}:
        return min(values)
    return _arithmetic(*values).minimum(values)


def prod(values: Iterable[Num]) -> Num:
    """The product of ``values``; 1 for none."""
    result: Num = 1
    for value in values:
        result = result * value
    return result


def times(a: Num, b: Num) -> Num:
    """The product ``a * b`` of two values that a spec computes.

    Raises:
        ShapeError: a formula of more than 1,000 terms.
    """
    if is_symbolic(a) and is_symbolic(b):
        from convcost.numbers.decisions import SYMBOLS  # noqa: PLC0415 - numbers need no symbols

        return SYMBOLS.times(a, b)
    return a * b


def weighted(parts: Iterable[tuple[Num, Num]]) -> Num:
    """The sum of products of two values each; with symbols in a single step."""
    pairs = list(parts)
    if set(map(type, chain.from_iterable(pairs))) == {int}:
        return sum(value * times for value, times in pairs)
    if any(map(is_symbolic, chain.from_iterable(pairs))):
        from convcost.numbers.decisions import SYMBOLS  # noqa: PLC0415 - numbers need no symbols

        return SYMBOLS.weighted(pairs)
    return total([value * times for value, times in pairs])


def total(values: Iterable[Num]) -> Num:
    """The sum of ``values``; with symbols in a single step, which keeps whole networks fast."""
    terms = list(values)
    if len(terms) == 1:
        return terms[0]
    if set(map(type, terms)) == {int}:  # nearly always, and quicker than a call for each term
        return sum(terms)
    return _arithmetic(*terms).total(terms)


def power(base: Num, exponent: Num) -> Num:
    """``base ** exponent`` with the size of the result bounded.

    Raises:
        ShapeError: the result would have more than 4,096 bits, or is no exact number.
    """
    return _arithmetic(base, exponent).power(base, exponent)


def bounded(value: Num) -> Num:
    """``value``, unless it has grown beyond what any network can mean.

    Raises:
        ShapeError: more than 4,096 bits, or a formula of more than 1,000 terms.
    """
    if type(value) is int and -_SMALL < value < _SMALL:
        return value
    return _arithmetic(value).bounded(value)


def round_even(value: Num) -> Num:
    """The nearest integer; a half goes to the even one, as in Python."""
    return _arithmetic(value).round_even(value)


def round_to(value: Num, step: Num) -> Num:
    """The multiple of ``step`` nearest to ``value``; a half goes up.

    >>> round_to(12, 8)
    16
    """
    return floor_div(2 * value + step, 2 * step) * step


def make_divisible(value: Num, step: Num) -> Num:
    """The width rule of the MobileNets: nearest multiple of ``step``, at least one, never below 90 %.

    Source: ``make_divisible`` of the authors' code for MobileNet V2 (Sandler et al., 2018).

    >>> from fractions import Fraction
    >>> make_divisible(Fraction(336, 10), 8), make_divisible(12, 8), make_divisible(11, 8)
    (32, 16, 16)
    """
    return _arithmetic(value, step).make_divisible(value, step)


def decide(relation: Relation, a: Any, b: Any) -> bool:
    """Whether ``a relation b`` holds, for choices of structure.

    What algebra cannot decide about symbols is decided at their witness and recorded as an assumption.
    Arrays must agree on the answer.

    Raises:
        UnsupportedError: it differs between the points of an array, or there is no witness.
    """
    if type(a) is int and type(b) is int:
        return bool(RELATIONS[relation](a, b))
    return _arithmetic(a, b).decide(relation, a, b)


def same(a: Num, b: Num) -> bool:
    """Whether two sizes are equal, for choices of structure; see :func:`decide`."""
    return a is b or decide("==", a, b)


def provably(a: Num, b: Num) -> bool:
    """Whether two sizes are equal for all values of the symbols; never assumes anything."""
    if type(a) is int and type(b) is int:
        return a == b
    return _arithmetic(a, b).provably(a, b)


def require(relation: Relation, a: Num, b: Num, message: str | Callable[[], str]) -> None:
    """Demand that ``a relation b`` holds.

    With symbols it must hold at the witness; if algebra cannot show it in general it is recorded.

    Args:
        relation: what must hold.
        a: on its left.
        b: on its right.
        message: the text of the error, or what makes it: a text with symbols in it takes longer than the algebra.

    Raises:
        ShapeError: it does not hold.
    """
    arithmetic = EXACT if type(a) is int and type(b) is int else _arithmetic(a, b)
    if not arithmetic.holds(relation, a, b):
        raise ShapeError(message if isinstance(message, str) else message())


def is_whole(value: Num) -> bool:
    """Whether ``value`` is an integer.

    With symbols it must be an integer at the witness; if it is not an integer in general, that is recorded.
    """
    return _arithmetic(value).is_whole(value)
