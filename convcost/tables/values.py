"""The text of a value, for people and for machines."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.tables.table import AtLeast, Branch, Math

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_THOUSAND = 1000


def si(value: int) -> str:
    """Four significant digits and an SI unit; small numbers whole.

    >>> si(137460672), si(999), si(69632), si(999960)
    ('137.5 M', '999', '69.63 k', '1.000 M')
    """
    if abs(value) < _THOUSAND:
        return str(value)
    power = min((len(str(abs(value))) - 1) // 3, len(_UNITS) - 1)
    while True:
        unit = _THOUSAND**power
        digits = max(4 - len(str(abs(value) // unit)), 0)
        text = f"{value / unit:,.{digits}f}"
        if abs(float(text.replace(",", ""))) < _THOUSAND or power == len(_UNITS) - 1:
            return f"{text} {_UNITS[power]}"
        power += 1


def count(value: Any, *, exact: bool) -> str:
    """A count for people: SI units, or every digit with thousands separators."""
    if not isinstance(value, int):
        return str(value)
    return f"{value:,}" if exact else si(value)


def shape(value: tuple[Any, ...]) -> str:
    """``3x224x224``; nothing along an axis is a dash.

    >>> shape((3, 224, 224)), shape((Fraction(31, 2), None))
    ('3x224x224', '15.5x-')
    """
    return "x".join(["-" if size is None else _decimal(size) for size in value])


def _decimal(size: Any) -> str:
    """A size, or a place between two positions: 15.5."""
    if isinstance(size, int):
        return str(size)
    exact_decimal = isinstance(size, Fraction) and Fraction(str(float(size))) == size
    return str(float(size)) if exact_decimal else str(size)


def share(value: Fraction) -> str:
    """A share as a percentage with one decimal; a small one is not rounded to nothing.

    >>> share(Fraction(1, 3)), share(Fraction(1, 10**4)), share(Fraction(-1, 10**4)), share(Fraction(0))
    ('33.3 %', '<0.1 %', '>-0.1 %', '0.0 %')
    """
    percent = value.numerator * 100 / value.denominator
    if 0 < abs(percent) < 0.05:  # noqa: PLR2004 - half of the last digit shown
        return "<0.1 %" if percent > 0 else ">-0.1 %"
    return f"{percent:.1f} %"


def decimal(value: Fraction | float) -> str:
    """A ratio with four significant digits.

    >>> decimal(Fraction(1, 3)), decimal(1234.5), decimal(20)
    ('0.3333', '1234', '20')
    """
    number = float(value)
    return f"{number:.0f}" if abs(number) >= _THOUSAND else f"{number:.4g}"


def duration(seconds: Fraction | float) -> str:
    """A time with four significant digits, in the unit that suits it.

    >>> duration(Fraction(1, 400)), duration(Fraction(3, 10**6)), duration(2)
    ('2.5 ms', '3 us', '2 s')
    """
    number = float(seconds)
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if number * scale >= 1:
            return f"{decimal(number * scale)} {unit}"
    return f"{decimal(number * 1e9)} ns"


def plain(text: str) -> str:
    r"""``text`` with control characters made visible: a name from a file must not steer a terminal.

    >>> plain("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in text)


_FORMS: dict[str, Callable[..., str]] = {
    "count": count,
    "bytes": count,
    "shape": shape,
    "sizes": shape,
    "share": share,
    "bar": share,
    "decimal": decimal,
    "duration": duration,
}
_NO_NUMBERS = (bool, AtLeast, Math, Branch)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}


def latex_text(text: str) -> str:
    r"""``text`` so that LaTeX prints it as it is.

    >>> print(latex_text("50 % of a_b"))
    50 \% of a\_b
    """
    return "".join(_SPECIAL.get(mark, mark) for mark in plain(text))


def written(value: Any, form: str, *, exact: bool) -> str:
    """A cell for people, by the form of its column."""
    if value is None:
        return ""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, _NO_NUMBERS):
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f">= {written(value.value, form, exact=exact)}" if isinstance(value, AtLeast) else plain(value.shown)
    write = _FORMS.get(form, str)
    return count(value, exact=exact) if write is count else write(value)


def exact(value: Any) -> str:
    """A cell for machines: every digit, no separators, no units; a share as a decimal."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return shape(value)
    if isinstance(value, Fraction):
        return str(value.numerator if value.denominator == 1 else float(value))
    return str(value)
