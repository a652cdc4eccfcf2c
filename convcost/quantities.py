"""Numbers as people print them: ``4.11G``, ``138M``, ``25,557,032``, ``3.8e9``."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

from convcost.errors import UsageError

SCALES = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "B": 10**9, "T": 10**12, "P": 10**15}
_WHOLE, _PART, _EXPONENT = r"([0-9]{1,30}|[0-9]{1,3}(?:,[0-9]{3}){1,9})", r"([0-9]{1,30})", r"([+-]?[0-9]{1,2})"
_NUMBER = re.compile(rf"{_WHOLE}(?:\.{_PART})?(?:[eE]{_EXPONENT})? ?([kKMGBTP]?)")


class Quantity(NamedTuple):
    """A printed number.

    Attributes:
        value: what it says.
        unit: what one more in its last printed digit is worth: 0.01 G of ``4.11G``.
        text: as it was printed.
    """

    value: Fraction
    unit: Fraction
    text: str

    def digits_off(self, number: Fraction | int) -> Fraction:
        """How far ``number`` is from the printed one, in units of its last digit."""
        return (number - self.value) / self.unit

    def rounds_from(self, number: Fraction | int) -> bool:
        """Whether ``number`` rounded to as many digits is what was printed."""
        return abs(self.digits_off(number)) <= Fraction(1, 2)

    def truncates_from(self, number: Fraction | int) -> bool:
        """Whether ``number`` cut off after as many digits is what was printed."""
        return 0 <= self.digits_off(number) < 1


def parse_quantity(text: str, what: str) -> Quantity:
    """The number that ``text`` prints.

    Args:
        text: digits, with a point, separators, an exponent or one of k, M, G, B (billion), T, P.
        what: whose value it is, for the error: ``--reported``.

    Raises:
        UsageError: it is no positive number.

    >>> parse_quantity("4.11G", "value").value, parse_quantity("4.11G", "value").unit
    (Fraction(4110000000, 1), Fraction(10000000, 1))
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{what} takes a number such as 4.11G, 138M or 25557032, found '{text[:60]}'")
    whole, part, exponent, scale = match[1].replace(",", ""), match[2] or "", int(match[3] or 0), SCALES[match[4]]
    unit = Fraction(10) ** (exponent - len(part)) * scale
    value = int(whole + part) * unit
    if value <= 0:
        raise UsageError(f"{what} must be more than 0, found '{text[:60]}'")
    return Quantity(value, unit, text.strip())
