"""Expressions in Unicode: ``⌈size/2⌉²·(w₃₂ + 36)``."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from convcost.numbers.text import Writer

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_NUMBERED = re.compile(r"([A-Za-z]+)([0-9]+)")
GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "theta", "mu", "rho", "sigma", "tau", "phi", "psi", "omega")
_BRACKETS = {"floor": ("⌊", "⌋"), "ceil": ("⌈", "⌉")}


def typeset(expr: Any, names: dict[Any, str] | None = None) -> str:
    """``expr`` in Unicode; arguments as :func:`convcost.numbers.text.text`."""
    return _Typesetter(names or {}).write(expr)[0]


def split_number(name: str) -> tuple[str, str]:
    """A name and the number at its end.

    >>> split_number("w32"), split_number("size"), split_number("c3_x")
    (('w', '32'), ('size', ''), ('c3_x', ''))
    """
    numbered = _NUMBERED.fullmatch(name)
    return (numbered[1], numbered[2]) if numbered is not None else (name, "")


class _Typesetter(Writer):
    times = "·"

    def name(self, name: str) -> str:
        letters, number = split_number(name.rstrip("'"))
        primes = "\N{PRIME}" * (len(name) - len(name.rstrip("'")))
        if letters in GREEK:
            letters = unicodedata.lookup(f"GREEK SMALL LETTER {letters.upper()}")
        return letters + number.translate(_SUBSCRIPTS) + primes

    def raised(self, base: str, exponent: str) -> str:
        if exponent.lstrip("-").isdigit():
            return base + exponent.translate(_SUPERSCRIPTS)
        return super().raised(base, exponent)

    def rounded(self, name: str, inside: str) -> str:
        left, right = _BRACKETS[name]
        return f"{left}{inside}{right}"
