"""The operators and functions of the spec language, over any algebra.

Each function here returns a closure of a scope. Sizes are bounded, and types are checked: a list cannot be
multiplied, a switch is not a number.
"""

from __future__ import annotations

import operator
import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError, unknown
from convcost.limits import MAX_ITEMS
from convcost.numbers import arithmetic as algebra

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.numbers.arithmetic import Num

_MAX_EXPONENT = 300
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_NUMBER = rf"(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE]([+-]?[0-9]{{1,6}}))?"
_NUMBER_BEGINS = tuple("0123456789.")
# what other languages read as a number: hexadecimal, octal, binary, and underscores anywhere
_LIKE_A_NUMBER = r"[+-]?(?:0[bBoOxX][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]+)?)"
NUMBERS = f"a number is written in decimal, as 19, 0.75, 1_000 or 1e3, up to 1e{_MAX_EXPONENT}"


def decimal(text: str) -> Num | None:
    """The exact number written ``0.75``, ``1_000`` or ``1e3``: the one way to write a number, wherever it is.

    Returns:
        None if the text is not a number, or one that is too large or too small to be meant.
    """
    if text.isascii() and text.isdecimal():
        return int(text)
    match = re.fullmatch(_NUMBER, text) if text.startswith(_NUMBER_BEGINS) else None
    if match is None or abs(int(match[1] or 0)) > _MAX_EXPONENT:
        return None
    return algebra.normal(Fraction(text.replace("_", "")))


def is_misspelt(text: str) -> bool:
    """Whether ``text`` looks like a number, but is written in a way that the language does not have.

    >>> is_misspelt("0b11"), is_misspelt("1__0"), is_misspelt("1_0"), is_misspelt("4b")
    (True, True, False, False)
    """
    like = text.lstrip("+-").startswith(_NUMBER_BEGINS) and re.fullmatch(_LIKE_A_NUMBER, text) is not None
    return like and decimal(text.lstrip("+-")) is None


def constant(value: Any) -> Callable[[Any], Any]:
    """Always ``value``."""
    return lambda _scope: value


def lookup(name: str) -> Callable[[Any], Any]:
    """The value of ``name``."""
    return operator.itemgetter(name)


def binary(
    rule: Callable[[Any, Any], Any], left: Callable[[Any], Any], right: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """``rule`` of two values."""
    return lambda scope: rule(left(scope), right(scope))


def listed(items: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A list."""
    return lambda scope: tuple(item(scope) for item in items)


def choice(test: Callable[[Any], Any], then: Callable[[Any], Any], other: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``then if test else other``; the side not taken is not computed."""
    return lambda scope: then(scope) if truth(test(scope)) else other(scope)


def every(parts: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """``and``, from left to right."""
    return lambda scope: all(truth(part(scope)) for part in parts)


def some(parts: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """``or``, from left to right."""
    return lambda scope: any(truth(part(scope)) for part in parts)


def apply(function: Callable[..., Any], arguments: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A call of a built-in function."""
    return lambda scope: function(*[argument(scope) for argument in arguments])


def call(name: str, arguments: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """A call of a function defined under ``let``."""

    def called(scope: Any) -> Any:
        function = scope[name]
        if not callable(function):
            raise ShapeError(f"`{name}` is no function, but {describe(function)}")
        return function(*[argument(scope) for argument in arguments])

    return called


def attribute(value: Callable[[Any], Any], name: str) -> Callable[[Any], Any]:
    """``value.name``: a size of a tensor, or an entry of a table."""
    return lambda scope: item(value(scope), name)


def truth(value: Any) -> bool:
    """``value`` as the condition it must be."""
    if value is True or value is False:
        return bool(value)
    raise ShapeError(f"expected true or false, found {describe(value)}")


def describe(value: Any) -> str:
    """``value`` as an error names it."""
    from convcost.layers.fields import shown  # noqa: PLC0415 - only an error pays for it

    if isinstance(value, dict):
        return "a table"
    if callable(value):
        return "a function"
    return "a tensor" if hasattr(value, "shape") and hasattr(value, "node") else shown(value)


def item(value: Any, index: Any) -> Any:
    """``value[index]`` or ``value.index``."""
    if isinstance(value, tuple):
        if type(index) is not int:
            raise ShapeError(f"a list is indexed by a whole number, found {describe(index)}")
        if not -len(value) <= index < len(value):
            raise ShapeError(f"index {index} is outside a list of {len(value)}")
        return value[index]
    if isinstance(value, dict):
        try:
            return value[index]
        except (KeyError, TypeError):
            word = index if isinstance(index, str) else describe(index)
            raise ShapeError(unknown("entry", word, map(str, value), of="the table")) from None
    axis = getattr(value, "axis", None)
    if axis is not None and isinstance(index, str):
        return axis(index)
    raise ShapeError(f"{describe(value)} has no entries")


def _operand(value: Any, sign: str) -> Num:
    if algebra.is_number(value) or algebra.is_symbolic(value) or algebra.is_array(value):
        return value
    raise ShapeError(f"`{sign}` needs numbers, found {describe(value)}")


def _arithmetic(sign: str, rule: Callable[[Num, Num], Num]) -> Callable[[Any, Any], Num]:
    def operate(a: Any, b: Any) -> Num:
        if type(a) is not int or type(b) is not int:
            a, b = _operand(a, sign), _operand(b, sign)
        return algebra.bounded(rule(a, b))

    return operate


def _modulo(a: Num, b: Num) -> Num:
    return a - b * algebra.floor_div(a, b)


BINARY: dict[str, Callable[[Any, Any], Num]] = {
    "Add": _arithmetic("+", operator.add),
    "Sub": _arithmetic("-", operator.sub),
    "Mult": _arithmetic("*", algebra.times),
    "Div": _arithmetic("/", algebra.divide),
    "FloorDiv": _arithmetic("//", algebra.floor_div),
    "Mod": _arithmetic("%", _modulo),
    "Pow": _arithmetic("**", algebra.power),
}


def _negate(value: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda scope: -_operand(value(scope), "-")


def _plus(value: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda scope: _operand(value(scope), "+")


def _invert(value: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda scope: not truth(value(scope))


UNARY: dict[str, Callable[[Callable[[Any], Any]], Callable[[Any], Any]]] = {
    "USub": _negate,
    "UAdd": _plus,
    "Not": _invert,
}


def _is_num(value: Any) -> bool:
    return type(value) is int or algebra.is_number(value) or algebra.is_symbolic(value) or algebra.is_array(value)


def _equal(a: Any, b: Any) -> bool:
    if type(a) is type(b) and type(a) in (int, str):  # nearly always
        return bool(a == b)
    if _is_num(a) and _is_num(b):
        return algebra.decide("==", a, b)
    return type(a) is type(b) and bool(a == b)


def _ordering(sign: algebra.Relation) -> Callable[[Any, Any], bool]:
    relation = algebra.RELATIONS[sign]

    def compare(a: Any, b: Any) -> bool:
        if type(a) is int and type(b) is int:
            return bool(relation(a, b))
        return algebra.decide(sign, _operand(a, sign), _operand(b, sign))

    return compare


def _contains(value: Any, group: Any) -> bool:
    if not isinstance(group, tuple | dict):
        raise ShapeError(f"`in` needs a list or a table, found {describe(group)}")
    return any(_equal(value, item) for item in group)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "Eq": _equal,
    "NotEq": lambda a, b: not _equal(a, b),
    "Lt": _ordering("<"),
    "LtE": _ordering("<="),
    "Gt": _ordering(">"),
    "GtE": _ordering(">="),
    "In": _contains,
    "NotIn": lambda a, b: not _contains(a, b),
}


def _spread(values: tuple[Any, ...], name: str) -> tuple[Num, ...]:
    numbers = values[0] if len(values) == 1 and isinstance(values[0], tuple) else values
    if not numbers:
        raise ShapeError(f"{name} of nothing")
    return tuple(_operand(value, name) for value in numbers)


def _range(*bounds: Any) -> tuple[int, ...]:
    whole = [algebra.normal(bound) for bound in bounds]
    if any(type(bound) is not int for bound in whole):
        raise ShapeError(f"range needs whole numbers, found {', '.join(map(describe, bounds))}")
    start, stop, step = (0, whole[0], 1) if len(whole) == 1 else (*whole, 1)[:3]
    if step == 0:
        raise ShapeError("range needs a step other than 0")
    count = max(algebra.ceil_div(stop - start, step), 0)  # len() of a huge range overflows
    if count > MAX_ITEMS:
        raise ShapeError(f"range may have {MAX_ITEMS:,} items, found {describe(count)}")
    return tuple(range(start, stop, step))


def _len(value: Any) -> int:
    if not isinstance(value, tuple | dict):
        raise ShapeError(f"len needs a list or a table, found {describe(value)}")
    return len(value)


def _sum(value: Any) -> Num:
    if not isinstance(value, tuple):
        raise ShapeError(f"sum needs a list, found {describe(value)}")
    return algebra.bounded(algebra.total(_operand(item, "sum") for item in value))


def _whole(value: Any, name: str) -> Num:
    number = algebra.normal(_operand(value, name))
    if not algebra.is_whole(number):
        raise ShapeError(f"{name} needs whole numbers, found {describe(value)}")
    return number


def _positive(step: Any, name: str) -> Num:
    if algebra.is_number(_operand(step, name)) and step <= 0:
        raise ShapeError(f"{name} needs a positive divisor, found {step}")
    return step


_MANY = 1000

BUILTINS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "min": (lambda *v: algebra.minimum(*_spread(v, "min")), 1, _MANY),
    "max": (lambda *v: algebra.maximum(*_spread(v, "max")), 1, _MANY),
    "abs": (lambda v: algebra.maximum(_operand(v, "abs"), -v), 1, 1),
    "floor": (lambda v: algebra.floor(_operand(v, "floor")), 1, 1),
    "ceil": (lambda v: algebra.ceil(_operand(v, "ceil")), 1, 1),
    "round": (lambda v: algebra.round_even(_operand(v, "round")), 1, 1),
    "gcd": (lambda a, b: algebra.gcd(_whole(a, "gcd"), _whole(b, "gcd")), 2, 2),
    "round_to": (lambda v, d: algebra.round_to(_operand(v, "round_to"), _positive(d, "round_to")), 2, 2),
    "make_divisible": (
        lambda v, d: algebra.make_divisible(_operand(v, "make_divisible"), _positive(d, "make_divisible")),
        2,
        2,
    ),
    "range": (_range, 1, 3),
    "len": (_len, 1, 1),
    "sum": (_sum, 1, 1),
}
