"""Scalars of a spec file, by rules of our own: YAML's would read ``no`` as false and ``010`` as eight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from convcost.language.operations import decimal
from convcost.limits import MAX_DIGITS

if TYPE_CHECKING:
    from fractions import Fraction

_DIMS = re.compile(r"[0-9]{1,9}(?:x[0-9]{1,9}){1,3}")
_WORDS = {"true": True, "false": False, "-": None, "~": None}


def scan(text: str, *, quoted: bool) -> int | Fraction | bool | str | tuple[int, ...] | None:
    """The value a table's cell stands for: a number, true or false, none, the list of ``1x7``, or a word.

    Quotes make no difference to a value, so ``quoted`` only tells an empty text from a missing one.

    >>> scan("010", quoted=False), scan("0.75", quoted=False), scan("no", quoted=False)
    (10, Fraction(3, 4), 'no')
    >>> scan("1x7", quoted=False), scan("1_000", quoted=False)
    ((1, 7), 1000)
    """
    if text in _WORDS:
        return _WORDS[text]
    if text == "" and not quoted:
        return None
    if len(text) > MAX_DIGITS:
        return text
    sizes = dims(text)
    if sizes is not None:
        return sizes
    number: int | Fraction | None = decimal(text[1:] if text[:1] in ("+", "-") else text)
    if number is None:
        return text
    return -number if text[0] == "-" else number


def dims(text: str) -> tuple[int, ...] | None:
    """The sizes of ``1x7``; None where ``text`` is something else.

    >>> dims("1x7"), dims("7")
    ((1, 7), None)
    """
    if _DIMS.fullmatch(text) is None:
        return None
    return tuple(int(part) for part in text.split("x"))
