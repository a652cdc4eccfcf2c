"""Scalars of a spec file, by rules of our own: YAML's would read ``no`` as false and ``010`` as eight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from convcost.limits import MAX_DIGITS
from convcost.operations import decimal

if TYPE_CHECKING:
    from fractions import Fraction

_WHOLE = re.compile(r"[+-]?[0-9][0-9_]*")
_DECIMAL = re.compile(r"([+-]?)([0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]{1,4})?|\.[0-9]+)")
_DIMS = re.compile(r"[0-9]{1,9}(?:x[0-9]{1,9}){1,3}")
_WORDS = {"true": True, "false": False, "-": None, "~": None}


def scan(text: str, *, quoted: bool) -> int | Fraction | bool | str | None:  # noqa: PLR0911 - one answer a kind
    """The value a table's cell stands for: a number, true or false, none, or a word.

    Quotes make no difference to a value, so ``quoted`` only tells an empty text from a missing one.

    >>> scan("010", quoted=False), scan("0.75", quoted=False), scan("no", quoted=False)
    (10, Fraction(3, 4), 'no')
    """
    if text in _WORDS:
        return _WORDS[text]
    if text == "" and not quoted:
        return None
    if len(text) > MAX_DIGITS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text.replace("_", ""))
    match = _DECIMAL.fullmatch(text)
    if match is None:
        return text
    value = decimal(match[2])
    if value is None:
        return text
    signed: int | Fraction = -value if match[1] == "-" else value
    return signed


def dims(text: str) -> tuple[int, ...] | None:
    """The sizes of ``1x7``; None where ``text`` is something else.

    >>> dims("1x7"), dims("7")
    ((1, 7), None)
    """
    if _DIMS.fullmatch(text) is None:
        return None
    return tuple(int(part) for part in text.split("x"))
