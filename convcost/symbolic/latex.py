"""Expressions as LaTeX."""

from __future__ import annotations

from typing import Any

from sympy.printing.latex import LatexPrinter

from convcost.symbolic import atoms
from convcost.symbolic.text import floor_or_ceiling, ordered_terms
from convcost.symbolic.typeset import GREEK, split_number

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{one: f"\\{one}" for one in "&%$#_{}"},
}


class _Printer(LatexPrinter):
    """sympy's printer, with the functions of this package; sympy calls ``_print_`` and the class name."""

    def _print_FloorDiv(self, expr: Any) -> str:  # noqa: N802
        name, top, bottom = floor_or_ceiling(expr)
        inside = self._print(top) if bottom == 1 else rf"\frac{{{self._print(top)}}}{{{self._print(bottom)}}}"
        return rf"\left\l{name} {inside} \right\r{name}"

    def _print_MakeDivisible(self, expr: Any) -> str:  # noqa: N802
        return self._call("make\\_divisible", expr)

    def _print_RoundEven(self, expr: Any) -> str:  # noqa: N802
        return self._call("round", expr)

    def _print_Maximum(self, expr: Any) -> str:  # noqa: N802
        return self._call("max", expr)

    def _print_Minimum(self, expr: Any) -> str:  # noqa: N802
        return self._call("min", expr)

    def _call(self, name: str, expr: Any) -> str:
        inside = ", ".join(self._print(argument) for argument in expr.args)
        return rf"\operatorname{{{name}}}\left({inside}\right)"

    def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:  # noqa: ARG002 - sympy's signature
        return ordered_terms(expr)

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:  # noqa: ARG002, N802 - sympy's signature
        name, number = split_number(str(expr.name))
        letters = f"\\{name}" if name in GREEK else name if len(name) == 1 else rf"\mathrm{{{escaped(name)}}}"
        return f"{letters}_{{{number}}}" if number else letters


def latex(expr: Any) -> str:
    """``expr`` as LaTeX, for math mode."""
    return str(_Printer({"order": "lex"}).doprint(atoms.to_sympy(expr)))


def escaped(text: str) -> str:
    """Plain text for LaTeX: nothing in a name is a command."""
    return "".join(_SPECIAL.get(one, one) for one in text if one.isprintable())
