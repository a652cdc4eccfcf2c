"""Expressions as LaTeX."""

from __future__ import annotations

from typing import Any

from sympy.printing.latex import LatexPrinter

from convcost.numbers import atoms
from convcost.numbers.text import floor_or_ceiling, ordered_terms
from convcost.numbers.typeset import GREEK, split_number
from convcost.tables.values import latex_text

_NAMES = {
    "MakeDivisible": r"make\_divisible",
    "RoundEven": "round",
    "Gcd": "gcd",
    "Maximum": "max",
    "Minimum": "min",
}


class _Printer(LatexPrinter):
    """sympy's printer, with the functions of this package; sympy calls ``_print_`` and the class name."""

    def _print_FloorDiv(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        name, top, bottom = floor_or_ceiling(expr)
        inside = self._print(top) if bottom == 1 else rf"\frac{{{self._print(top)}}}{{{self._print(bottom)}}}"
        return _raised(rf"\left\l{name} {inside} \right\r{name}", exp)

    def _print_CeilDiv(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        return self._print_FloorDiv(expr, exp)

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        name = _NAMES[type(expr).__name__]
        inside = ", ".join(self._print(argument) for argument in expr.args)
        return _raised(rf"\operatorname{{{name}}}\left({inside}\right)", exp)

    def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:  # noqa: ARG002 - sympy's signature
        return ordered_terms(expr)

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:  # noqa: ARG002, N802 - sympy's signature
        return name_latex(str(expr.name))


def _raised(text: str, exponent: str | None) -> str:
    return text if exponent is None else f"{text}^{{{exponent}}}"


def name_latex(name: str) -> str:
    """A parameter's name for math mode: ``alpha`` as the Greek letter, ``c3`` with an index, primes kept."""
    plain = name.rstrip("'")
    letters, number = split_number(plain)
    if letters in GREEK:
        letters = f"\\{letters}"
    elif len(letters) != 1:
        letters = rf"\mathrm{{{latex_text(letters)}}}"
    return (f"{letters}_{{{number}}}" if number else letters) + name[len(plain) :]


def latex(expr: Any) -> str:
    """``expr`` as LaTeX, for math mode."""
    return str(_Printer({"order": "lex"}).doprint(atoms.to_sympy(expr)))
