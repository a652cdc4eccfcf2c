"""Arithmetic of arrays of exact numbers: int64 if every element certainly fits, else Python's integers and fractions.

numpy overflows silently when a result does not fit its type. Here each operation is bounded first, in Python's
integers, by the largest magnitudes of its operands. If the bound fits int64 the operation runs on int64, else on
Python's integers, which do not overflow.

The only module that imports numpy. It is loaded when a caller passes an array.
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from convcost.errors import ShapeError, UnsupportedError, UsageError
from convcost.limits import MAX_BITS
from convcost.numbers.exact import EXACT, RELATIONS, Relation, bits, normal

if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 2**63 - 1  # the magnitude that int64 holds on either side of zero
_KEPT = {  # no result is larger than the largest operand
    np.floor_divide,
    np.remainder,
    np.maximum,
    np.minimum,
    np.negative,
    np.absolute,
    np.gcd,
}
_GROWING = {np.add, np.subtract, np.multiply, np.power, np.square, np.left_shift, np.lcm, np.matmul}


class ExactArray(np.ndarray[Any, Any]):
    """An array of int64, or of Python's numbers, whose arithmetic never wraps around."""

    def __array_ufunc__(self, ufunc: Any, method: Any, *inputs: Any, **options: Any) -> Any:
        """Run ``ufunc`` on int64 where its result is sure to fit, else on Python's numbers."""
        plain = [_plain(value) for value in inputs]
        if "out" in options:
            options["out"] = tuple(_plain(value) for value in options["out"])
        if (ufunc in _KEPT or ufunc in _GROWING) and not _fits(ufunc, method, plain):
            plain = [value.astype(object) if isinstance(value, np.ndarray) else value for value in plain]
        result = getattr(ufunc, method)(*plain, **options)
        if not isinstance(result, np.ndarray) or result.dtype.kind not in "biO":
            return result
        return _narrowed(result) if ufunc is np.floor_divide else result.view(ExactArray)


def exact(values: Any) -> Any:
    """A numpy array, or one of its numbers, made exact: a float means the decimal that it prints as.

    Returns:
        An :class:`ExactArray`; a plain number for one of numpy's, or for an array without an axis.

    Raises:
        UsageError: it holds something other than finite numbers.
    """
    if isinstance(values, np.generic) or values.ndim == 0:
        scalar = values if isinstance(values, np.generic) else values[()]
        return scalar.item() if isinstance(scalar, np.bool_) else _number(scalar)
    if values.dtype.kind in "iu":
        return _narrowed(values)
    numbers = np.empty(values.size, dtype=object)
    numbers[:] = [_number(value) for value in values.ravel()]
    return _narrowed(numbers.reshape(values.shape))


def _number(value: Any) -> Any:
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating) and np.isfinite(value):
        return normal(Fraction(str(value)))
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return normal(value)
    raise UsageError(f"an array holds numbers, found {str(value)[:60]}")


def _narrowed(values: Any) -> ExactArray:
    """``values`` as int64 if all are integers that fit, else as Python's numbers."""
    whole = values.dtype.kind in "iu" or all(type(value) is int for value in values.flat)
    fits = whole and _reach(values) <= LARGEST
    narrow: ExactArray = values.astype(np.int64 if fits else object).view(ExactArray)
    return narrow


def _plain(value: Any) -> Any:
    """``value`` for numpy's own arithmetic: integers are int64 or Python's, so that no two types meet."""
    if isinstance(value, np.integer):
        return int(value)
    if not isinstance(value, np.ndarray):
        return value
    plain = value.view(np.ndarray)
    if plain.dtype.kind in "iu" and plain.dtype != np.int64:
        return _narrowed(plain).view(np.ndarray)
    return plain


def _reach(value: Any) -> int:
    """The largest magnitude in ``value``."""
    if isinstance(value, np.ndarray):
        return max(abs(int(value.min())), abs(int(value.max()))) if value.size else 0
    return abs(int(value))


def _fits(ufunc: Any, method: str, operands: list[Any]) -> bool:
    """Whether the result certainly fits int64; also true for floats, which do not wrap."""
    kinds = {value.dtype.kind if isinstance(value, np.ndarray) else type(value).__name__ for value in operands}
    if kinds & {"f", "float"}:
        return True
    if not kinds <= {"i", "b", "int", "bool"}:
        return False
    reaches = [_reach(value) for value in operands]
    if ufunc in _KEPT:
        return max(reaches) <= LARGEST
    if method in ("reduce", "accumulate"):
        return bool(ufunc is np.add) and reaches[0] * operands[0].size <= LARGEST
    return max(*reaches, _bound(ufunc, reaches)) <= LARGEST


def _bound(ufunc: Any, reaches: list[int]) -> int:
    """An upper bound of the magnitudes in the result; for rare operations such as shifts, more than int64 holds."""
    if ufunc in (np.add, np.subtract):
        return sum(reaches)
    if ufunc is np.multiply:
        return reaches[0] * reaches[1]
    if ufunc is np.power:
        return int(2 ** min(reaches[0].bit_length() * reaches[1], LARGEST.bit_length() + 1))
    return LARGEST + 1


class Arrays:
    """The functions of :mod:`convcost.numbers.arithmetic` on arrays, element by element, also beside plain numbers."""

    def divide(self, a: Any, b: Any) -> Any:
        """``a / b``, exactly: integers if no element has a remainder, else fractions."""
        _refuse_zero(a, b)
        if np.all(a % b == 0):
            return a // b
        return np.asarray(a, dtype=object) * Fraction(1) / b

    def exact_div(self, a: Any, b: Any, what: str) -> Any:
        """``a / b`` without a remainder in any element."""
        _refuse_zero(a, b)
        if not np.all(a % b == 0):
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
        """The greatest common divisors."""
        return np.gcd(a, b)

    def maximum(self, values: Sequence[Any]) -> Any:
        """The largest of ``values``."""
        return reduce(np.maximum, values)

    def minimum(self, values: Sequence[Any]) -> Any:
        """The smallest of ``values``."""
        return reduce(np.minimum, values)

    def total(self, values: Sequence[Any]) -> Any:
        """The sum of ``values``."""
        return sum(values)

    def power(self, base: Any, exponent: Any) -> Any:
        """``base ** exponent``, of bounded size."""
        if not (self if isinstance(exponent, np.ndarray) else EXACT).is_whole(exponent):
            raise ShapeError(f"an exponent must be whole, found {exponent}")
        if np.any(exponent < 0):
            raise ShapeError(f"an exponent of an array must be at least 0, found {exponent}")
        longest = max(map(bits, np.ravel(base).tolist()), default=0)
        if (longest - 1) * int(np.max(exponent)) > MAX_BITS:
            raise ShapeError(f"{base}**{exponent} is too large (more than {MAX_BITS:,} bits)")
        return base**exponent

    def bounded(self, value: Any) -> Any:
        """``value``: each operation of an array is bounded already."""
        return value

    def round_even(self, value: Any) -> Any:
        """The nearest integers; a half goes to the even one."""
        return exact(np.array([round(element) for element in value.ravel()], dtype=object).reshape(value.shape))

    def make_divisible(self, value: Any, step: Any) -> Any:
        """The nearest multiples of ``step``, at least one, and never below 90 % of ``value``."""
        rounded = self.maximum((step, self.floor_div(2 * value + step, 2 * step) * step))
        return rounded + step * (10 * rounded < 9 * value)

    def decide(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b``; all elements must agree."""
        holds = RELATIONS[relation](a, b)
        if np.any(holds) and not np.all(holds):
            raise UnsupportedError(f"the structure differs between the points: {a} {relation} {b}")
        return bool(np.all(holds))

    def provably(self, a: Any, b: Any) -> bool:
        """Whether all elements are equal."""
        return bool(np.all(a == b))

    def holds(self, relation: Relation, a: Any, b: Any) -> bool:
        """Whether ``a relation b`` of every element."""
        return bool(np.all(RELATIONS[relation](a, b)))

    def is_whole(self, value: Any) -> bool:
        """Whether all elements are integers."""
        return bool(np.all(value % 1 == 0))


def _refuse_zero(a: Any, b: Any) -> None:
    if np.any(b == 0):
        raise ShapeError(f"{a} is divided by zero")


ARRAYS = Arrays()
