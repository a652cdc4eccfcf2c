"""Formulas as MathML, which browsers typeset without a script or a font of ours.

The input is a formula as text (:func:`convcost.numbers.printing.text`), so that every form that can be printed can be
typeset. A sum becomes one ``<math>`` element a term: a browser breaks a long formula between them, as it breaks text.
"""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import TYPE_CHECKING

from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

GREEK = frozenset(
    ("alpha", "beta", "gamma", "delta", "epsilon", "theta", "mu", "rho", "sigma", "tau", "phi", "psi", "omega")
)
_TOKEN = re.compile(r"\s*(?:([0-9]+)|([^\W\d]\w*'*)|(==|!=|<=|>=|.))")
_NUMBERED = re.compile(r"([^\W\d_]+)([0-9]+)('*)")
_THIN = '<mspace width="0.17em"/>'
_MINUS = "\N{MINUS SIGN}"
_BRACKETS = {"floor": ("⌊", "⌋"), "ceil": ("⌈", "⌉")}


def terms(formula: str) -> list[str]:
    """The terms of a formula, each as an element ``<math>`` with its sign.

    Raises:
        ValueError: the text is no formula.

    >>> for term in terms("2*w32 + 1/K^2"):
    ...     print(term)
    <math><mn>2</mn><mspace width="0.17em"/><msub><mi>w</mi><mn>32</mn></msub></math>
    <math><mo form="infix">+</mo><mfrac><mn>1</mn><msup><mi>K</mi><mn>2</mn></msup></mfrac></math>
    """
    return [f"<math>{term}</math>" for term in _Parser(formula).whole()]


def typeset(formula: str) -> str:
    """A formula of elements that a line can be broken between; another text, such as one with words, as it is.

    >>> typeset("1/9 as O -> oo")
    '1/9 as O -&gt; oo'
    """
    try:
        return " ".join(terms(formula))
    except ValueError:
        return escape(plain(formula))


def equation(name: str, formula: str) -> str:
    """``name = formula``, of elements that a line can be broken between."""
    first, *rest = terms(formula)
    lead = first.replace("<math>", f"<math>{_name(name)}<mo>=</mo>", 1)
    return " ".join([lead, *rest])


def titled(title: str, formula: str) -> str:
    """``title = formula``, where the title is a word such as ``MACs``."""
    first, *rest = terms(formula)
    lead = first.replace("<math>", f"<math><mtext>{escape(title)}</mtext><mo>=</mo>", 1)
    return " ".join([lead, *rest])


class _Parser:
    """A formula is a sum of products of powers; sums and products are read in loops, so they may be long."""

    def __init__(self, formula: str) -> None:
        self._tokens = list(_tokens(formula))
        self._at = 0

    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, expected: str = "") -> tuple[str, str]:
        mark = self._next()
        if not mark or (expected and mark != expected):
            raise ValueError(f"expected {expected or 'more of a formula'}, found {mark or 'its end'}")
        self._at += 1
        return self._tokens[self._at - 1]

    def whole(self) -> list[str]:
        """The terms of all the text.

        Raises:
            ValueError: it is no formula.
        """
        parts = self.sum()
        if self._at < len(self._tokens):
            raise ValueError(f"found {self._next()} after a formula")
        return parts

    def sum(self) -> list[str]:
        """The terms, each with its sign in front."""
        lead = ""
        if self._next() == "-":
            self._take()
            lead = f'<mo form="prefix">{_MINUS}</mo>'
        parts = [lead + self._product()]
        while self._next() in ("+", "-"):
            _, sign = self._take()
            parts.append(f'<mo form="infix">{_MINUS if sign == "-" else "+"}</mo>{self._product()}')
        return parts

    def _joined(self) -> str:
        return "".join(self.sum()).replace(' form="infix"', "")

    def _product(self) -> str:
        result, is_number = self._power()
        while self._next() in ("*", "/"):
            _, sign = self._take()
            factor, also_number = self._power(bare=sign == "/")
            if sign == "/":
                result = f"<mfrac>{_row(_unwrapped(result))}{_row(factor)}</mfrac>"
            else:
                result += f"<mo>·</mo>{factor}" if also_number else f"{_THIN}{factor}"
            is_number = is_number and also_number
        return result

    def _power(self, *, bare: bool = False) -> tuple[str, bool]:
        base, is_number = self._atom(bare=bare)
        if self._next() != "^":
            return base, is_number
        self._take()
        exponent, _ = self._atom(bare=True)
        if base.startswith("<msub>") and _is_single(base):
            return f"<msubsup>{base[6:-7]}{_row(exponent)}</msubsup>", is_number
        return f"<msup>{_row(base)}{_row(exponent)}</msup>", is_number

    def _atom(self, *, bare: bool) -> tuple[str, bool]:
        kind, mark = self._take()
        if kind == "number":
            return f"<mn>{mark}</mn>", True
        if kind == "name":
            return (self._call(mark) if self._next() == "(" else _name(mark)), False
        if mark != "(":
            raise ValueError(f"expected a number, a name or a bracket, found {mark}")
        inside = self._joined()
        self._take(")")
        closed_at_once = bare and self._next() != "^"
        return (inside if closed_at_once else f"<mrow><mo>(</mo>{inside}<mo>)</mo></mrow>"), False

    def _call(self, function: str) -> str:
        self._take()
        arguments = [self._joined()]
        while self._next() == ",":
            self._take()
            arguments.append(self._joined())
        self._take(")")
        if function == "sqrt":
            return f"<msqrt>{arguments[0]}</msqrt>"
        if function in _BRACKETS:
            left, right = _BRACKETS[function]
            return f"<mrow><mo>{left}</mo>{arguments[0]}<mo>{right}</mo></mrow>"
        inside = "<mo>,</mo>".join(arguments)
        return f"<mrow><mi>{escape(function)}</mi><mo>(</mo>{inside}<mo>)</mo></mrow>"


def _tokens(formula: str) -> Iterator[tuple[str, str]]:
    for number, name, sign in _TOKEN.findall(formula):
        yield ("number", number) if number else ("name", name) if name else ("sign", sign)


def _name(name: str) -> str:
    """``w32`` with an index, ``alpha`` as the Greek letter."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered is not None:
        return f"<msub>{_name(numbered[1] + numbered[3])}<mn>{numbered[2]}</mn></msub>"
    letters = name.rstrip("'")
    primes = "\N{PRIME}" * (len(name) - len(letters))
    if letters in GREEK:
        letters = unicodedata.lookup(f"GREEK SMALL LETTER {letters.upper()}")
    return f"<mi>{escape(letters + primes)}</mi>"


def _row(content: str) -> str:
    """``content`` as one element."""
    return f"<mrow>{content}</mrow>" if content.count("<m") != 1 and not _is_single(content) else content


def _is_single(content: str) -> bool:
    """Whether the first element of ``content`` is all of it."""
    depth = 0
    for match in re.finditer(r"<(/?)m[^>]*>", content):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.end() == len(content)
    return False


def _unwrapped(content: str) -> str:
    """The numerator of a fraction without the brackets around all of it, which the bar makes superfluous."""
    opening, closing = "<mrow><mo>(</mo>", "<mo>)</mo></mrow>"
    if content.startswith(opening) and content.endswith(closing) and _is_single(content):
        return content[len(opening) : -len(closing)]
    return content
