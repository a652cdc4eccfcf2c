"""Figures as papers print them: ``569M``, ``4.2 million``, ``3.8x10^9``, ``60,000``, ``94.86 %``."""

from __future__ import annotations

import re
from fractions import Fraction

from convcost.errors import ConvcostError, UsageError
from convcost.records import NamedTuple

_FIGURE = (
    r"(?P<mark>[<~]|about|around)?\s*(?P<number>[0-9][0-9,]*(?:\.[0-9]+)?)"
    r"(?:\s*(?:e|[x*]\s*10\^)(?P<power>[0-9]{1,2}))?\s*(?P<unit>[A-Za-z%]*)"
)
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?"
_UNITS = {
    "": 1,
    "%": 1,
    "k": 10**3,
    "m": 10**6,
    "million": 10**6,
    "g": 10**9,
    "b": 10**9,
    "bn": 10**9,
    "billion": 10**9,
    "t": 10**12,
    "p": 10**15,
}
MAX_LENGTH = 40
FITS = ("exact", "rounds", "truncates")
EXACT, ROUNDS, TRUNCATES = FITS


class Figure(NamedTuple):
    """A printed figure.

    Attributes:
        text: as printed.
        value: the exact number that is printed.
        unit: one in its last printed digit.
        bound: it says "less than" rather than "equal to".
        rough: it says "about" (``~``).
    """

    text: str
    value: Fraction
    unit: Fraction
    bound: bool
    rough: bool = False

    @property
    def digits(self) -> int:
        """How many digits are printed, from the first that is not zero to the last."""
        return len(str(int(self.value / self.unit)))

    @property
    def significant(self) -> int:
        """The number of significant digits; zeros at the end of a whole number may not be significant."""
        return len(str(int(self.value / self.coarse.unit)))

    @property
    def coarse(self) -> Figure:
        """The same figure without significant zeros at the end of a whole number: ``4100M`` has two digits."""
        if "." in self.text or self.value == 0:
            return self
        unit = self.unit
        while self.value % (10 * unit) == 0:
            unit *= 10
        return self._replace(unit=unit)

    @property
    def half(self) -> Figure | None:
        """Half the figure, to the same last digit; None if it needs another digit."""
        half = self.value / 2
        return None if half % self.unit else self._replace(value=half)

    def difference(self, value: Fraction) -> Fraction:
        """How far ``value`` is from the figure, in units of its last printed digit."""
        return (value - self.value) / self.unit

    def rounds_from(self, value: Fraction) -> bool:
        """Whether ``value``, rounded to as many digits, is what was printed."""
        return abs(self.difference(value)) <= Fraction(1, 2)

    def truncates_from(self, value: Fraction) -> bool:
        """Whether ``value``, cut off after as many digits, is what was printed."""
        return 0 <= self.difference(value) < 1

    def fit(self, value: Fraction) -> str:
        """How ``value`` prints as the figure: one of :data:`FITS`; empty where it does not.

        A figure of one digit is never cut off: 5 would stand for anything up to 6.

        >>> figure("4.1G").fit(Fraction(4_089_184_256)), figure("3.8G").fit(Fraction(3_857_973_248))
        ('rounds', 'truncates')
        """
        off = value - self.value
        if not off:
            return EXACT
        steps, unit = (
            off.numerator * self.unit.denominator,
            off.denominator * self.unit.numerator,
        )  # off by steps / unit
        if 2 * abs(steps) <= unit:
            return ROUNDS
        return TRUNCATES if 0 < steps < unit and self.digits > 1 else ""


def spelled(value: int | Fraction) -> str:
    """A number for people: every digit of a whole one, five significant digits of another.

    >>> spelled(294912), spelled(Fraction(27 * 32, 453))
    ('294,912', '1.9073')
    """
    value = Fraction(value)
    return f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.5g}"


def figure(text: str, *, digits: int | None = None, k: int = 1000) -> Figure:
    """The figure printed as ``text``.

    Args:
        text: a number, with ``<``, ``~`` or ``about`` before it, and K, M, G, B, million, billion, e6, x10^9 or % after
            it.
        digits: how many of its digits are significant (``15300M``: 3).
        k: the value of the prefix K; 1024 in some papers.

    Raises:
        ConvcostError: the text is no figure.

    >>> figure("569M").value, figure("569M").unit, figure("15300M", digits=3).unit
    (Fraction(569000000, 1), Fraction(1000000, 1), Fraction(100000000, 1))
    """
    match = re.fullmatch(_FIGURE, text.strip()) if len(text) <= MAX_LENGTH else None
    scale = _UNITS.get(match["unit"].lower()) if match is not None else None
    number = match["number"] if match is not None else ""
    if match is None or scale is None or ("," in number and re.fullmatch(_GROUPED, number) is None):
        raise ConvcostError(f"'{text[:MAX_LENGTH]}' is no printed figure such as 569M, 4.2 million, 60,000 or 94.86 %")
    if match["unit"].lower() == "k":
        scale = k
    whole, _, decimals = number.replace(",", "").partition(".")
    ten, parts = 10 ** int(match["power"] or 0) * scale, 10 ** len(decimals)
    last = Fraction(ten, parts) if digits is None else ten * Fraction(10) ** (len(whole) - digits)
    value = Fraction(int(whole + decimals) * ten, parts)
    return Figure(text, value, last, match["mark"] == "<", match["mark"] not in (None, "<"))


class Printed(NamedTuple):
    """A number as somebody printed it, with its possible readings.

    Attributes:
        text: as typed.
        figures: its possible readings; more than one if it has no unit.
        what: ``macs`` or ``params`` where a word after it says so; else empty.
    """

    text: str
    figures: tuple[Figure, ...]
    what: str


_WORDS = {
    "macs": ("flops", "flop", "macs", "mac", "madds", "madd", "multadds", "multadd", "multiplyadds", "ops", "muladds"),
    "params": ("parameters", "parameter", "params", "param", "weights"),
}
_SCALES = {"G": 10**9, "M": 10**6, "": 1}
_ENOUGH_DIGITS = 6  # of a number without a unit that is certainly written in full
_ZEROS = 3


def printed(text: str, what: str) -> Printed:
    """A number of operations or parameters that somebody printed: ``4.11G``, ``300 MFLOPs``, ``25.6M params``.

    Args:
        text: a figure, with the name of what it counts or without it; a bare ``3.8`` or ``300`` leaves open whether
            thousands of millions or millions are meant.
        what: whose value it is, for the error: ``--reported``.

    Raises:
        UsageError: it is none.

    >>> printed("300 MFLOPs", "n").figures[0].value, printed("25.6M params", "n").what
    (Fraction(300000000, 1), 'params')
    >>> [figure.text for figure in printed("3.8", "n").figures]
    ['3.8G', '3.8M', '3.8']
    """
    shown = text.strip()
    number = re.match(r"[~0-9.,\s]*(?:(?:e|[x*]\s*10\^)[0-9]{1,2})?", shown)
    rest = shown[number.end() :] if number else ""
    letters = re.sub(r"(?<=[A-Za-z])[\s-]+(?=[A-Za-z])", "", rest).lower()
    kind, word = next(
        ((kind, word) for kind, words in _WORDS.items() for word in words if letters.endswith(word)), ("", "")
    )
    scale = letters.removesuffix(word)
    base = shown[: number.end()].strip() if number else ""
    try:
        read = figure(base + scale) if len(shown) <= MAX_LENGTH and "%" not in shown else None
    except ConvcostError:
        read = None
    if read is None or read.bound or read.value <= 0:
        raise UsageError(
            f"{what} takes a positive number such as 4.11G, '300 MFLOPs' or 25,557,032; found '{text[:MAX_LENGTH]}'"
        )
    read = read._replace(text=shown)
    whole = base.lstrip("~").strip()
    if scale or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", whole):
        return Printed(shown, (read,), kind)
    digits = whole.split(".")[0]
    if len(digits) > _ENOUGH_DIGITS:
        return Printed(shown, (_in_full(whole, shown),), kind)
    return Printed(shown, tuple(_scaled(read, letter, whole, word) for letter in _SCALES), kind)


def _scaled(number: Figure, letter: str, whole: str, word: str) -> Figure:
    times = _SCALES[letter]
    text = whole + letter + (f" {word}" if word and not letter else "")
    return number._replace(text=text, value=number.value * times, unit=number.unit * times)


def _in_full(whole: str, shown: str) -> Figure:
    """A number with all its digits; Python writes 4.11e9 as 4110000000.0, whose zeros fill places."""
    digits = whole.split(".")[0] if set(whole.partition(".")[2]) <= {"0"} else whole
    zeros = len(digits) - len(digits.rstrip("0"))
    if zeros < _ZEROS:
        return figure(digits)._replace(text=shown)
    return figure(digits, digits=len(digits) - zeros)._replace(text=shown)


def positive(text: str, what: str) -> Figure:
    """The positive number that somebody gave as ``text``.

    Args:
        text: as a figure is printed.
        what: whose value it is, for the error: ``--reported``.

    Raises:
        UsageError: it is none.
    """
    try:
        read = figure(text)
    except ConvcostError:
        read = None
    if read is None or read.bound or read.value <= 0:
        raise UsageError(f"{what} takes a positive number such as 4.11G or 25,557,032; found '{text[:MAX_LENGTH]}'")
    return read
