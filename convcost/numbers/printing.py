"""Expressions as text, in Unicode and as LaTeX, on the printers of sympy.

Text is an expression of the spec language, such as ``9408*ceil(size/2)^2 + 2048*classes``, so that it can be parsed
again. Unicode is the same with other signs: ``⌈size/2⌉²·(w₃₂ + 36)``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import sympy
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter

from convcost.numbers.symbols import CeilDiv, FloorDiv, terms_of, to_sympy
from convcost.tables.values import latex_text

if TYPE_CHECKING:
    from collections.abc import Mapping

Rounding: TypeAlias = Literal["floor", "ceil"]

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "theta", "mu", "rho", "sigma", "tau", "phi", "psi", "omega")
SUM, PRODUCT, POWER, ATOM = (PRECEDENCE[kind] for kind in ("Add", "Mul", "Pow", "Atom"))
_FUNCTIONS = {
    "MakeDivisible": "make_divisible",
    "RoundEven": "round",
    "Gcd": "gcd",
    "Maximum": "max",
    "Minimum": "min",
}
_HALF = sympy.Rational(1, 2)
_NUMBERED = re.compile(r"([A-Za-z]+)([0-9]+)")


def text(expr: Any, names: Mapping[Any, str] | None = None) -> str:
    """``expr`` as text.

    Args:
        expr: a number, or a sympy expression of sums, products, powers and the functions of this package.
        names: what to write for a symbol in place of its name, to put values in.
    """
    if type(expr) is int:
        return str(expr)
    return TextPrinter(names).doprint(to_sympy(expr)) if names else _plain(to_sympy(expr))


@lru_cache(maxsize=10_000)
def _plain(expr: Any) -> str:
    """Without values put in: the sizes of a network occur again and again."""
    return str(_TEXT.doprint(expr))


def typeset(expr: Any, names: Mapping[Any, str] | None = None) -> str:
    """``expr`` in Unicode; arguments as for :func:`text`."""
    return str(_UnicodePrinter(names).doprint(to_sympy(expr)))


def latex(expr: Any) -> str:
    """``expr`` as LaTeX, for math mode."""
    return str(_LatexPrinter({"order": "lex"}).doprint(to_sympy(expr)))


# --- text; sympy calls the method `_print_` and the name of the class ---


class TextPrinter(StrPrinter):
    """Writes an expression in the notation of specs; a subclass may use other signs.

    Args:
        names: what to write for a symbol in place of its name.
    """

    times, over = "*", "/"

    def __init__(self, names: Mapping[Any, str] | None = None) -> None:
        super().__init__()
        self._names = names or {}

    def strength(self, expr: Any) -> int:
        """How tightly the text of ``expr`` holds together, as a precedence of sympy."""
        if expr.is_Symbol:
            return self._strength_of_value(self._names[expr]) if expr in self._names else ATOM
        if expr.is_Add or _is_negative(expr):
            return SUM
        if expr.is_Mul or (expr.is_Rational and not expr.is_Integer):
            return PRODUCT
        if expr.is_Pow:
            return self._strength_of_power(expr)
        return ATOM

    def _strength_of_value(self, value: str) -> int:
        return SUM if value.startswith("-") else PRODUCT if "/" in value else ATOM

    def _strength_of_power(self, expr: Any) -> int:
        if expr.exp.is_Number and expr.exp < 0:
            return PRODUCT
        return ATOM if expr.exp == _HALF else POWER

    def parenthesize(self, item: Any, level: int, strict: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002 - sympy's
        """The text of ``item``, in parentheses if it holds together less tightly than ``level``."""
        return self._print(item) if self.strength(item) >= level else f"({self._print(item)})"

    def _print_Symbol(self, expr: Any) -> str:  # noqa: N802
        return self._names.get(expr) or self.name(expr.name)

    def _print_Add(self, expr: Any, order: Any = None) -> str:  # noqa: ARG002, N802
        first, *rest = ordered_terms(expr)
        parts = [self.parenthesize(first, SUM if _is_negative(first) else PRODUCT)]
        for term in rest:
            sign, positive = (" - ", -term) if _is_negative(term) else (" + ", term)
            parts.append(sign + self.parenthesize(positive, PRODUCT))
        return "".join(parts)

    def _print_Mul(self, expr: Any) -> str:  # noqa: N802
        if _is_negative(expr):
            return f"-{self.parenthesize(-expr, PRODUCT)}"
        numerator, denominator = (expr, 1) if all(map(_is_whole, expr.args)) else expr.as_numer_denom()
        if denominator != 1:
            return f"{self.parenthesize(numerator, PRODUCT)}{self.over}{self.parenthesize(denominator, POWER)}"
        return self.times.join(self.parenthesize(factor, POWER) for factor in ordered_factors(expr))

    def _print_Pow(self, expr: Any, rational: bool = False) -> str:  # noqa: ARG002, FBT001, FBT002, N802
        if expr.exp.is_Number and expr.exp < 0:
            return f"1{self.over}{self.parenthesize(expr.base**-expr.exp, POWER)}"
        if expr.exp == _HALF:
            return f"sqrt({self._print(expr.base)})"
        return self.raised(self.parenthesize(expr.base, ATOM), self.parenthesize(expr.exp, ATOM))

    def _print_Function(self, expr: Any) -> str:  # noqa: N802
        return f"{_FUNCTIONS[type(expr).__name__]}({', '.join(map(self._print, expr.args))})"

    def _print_FloorDiv(self, expr: Any) -> str:  # noqa: N802
        name, top, bottom = floor_or_ceiling(expr)
        if bottom == 1:
            return self.rounded(name, self._print(top))
        inside = f"{self.parenthesize(top, PRODUCT)}{self.over}{self.parenthesize(bottom, POWER)}"
        return self.rounded(name, inside)

    def _print_CeilDiv(self, expr: Any) -> str:  # noqa: N802
        return self._print_FloorDiv(expr)

    def name(self, name: str) -> str:
        """A symbol."""
        return name

    def raised(self, base: str, exponent: str) -> str:
        """A power."""
        return f"{base}^{exponent}"

    def rounded(self, name: Rounding, inside: str) -> str:
        """A floor or a ceiling."""
        return f"{name}({inside})"


_TEXT = TextPrinter()


def split_number(name: str) -> tuple[str, str]:
    """A name and the number at its end.

    >>> split_number("w32"), split_number("size"), split_number("c3_x")
    (('w', '32'), ('size', ''), ('c3_x', ''))
    """
    numbered = _NUMBERED.fullmatch(name)
    return (numbered[1], numbered[2]) if numbered is not None else (name, "")


class _UnicodePrinter(TextPrinter):
    times = "·"
    _superscripts = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
    _subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

    def name(self, name: str) -> str:
        letters, number = split_number(name.rstrip("'"))
        primes = "\N{PRIME}" * (len(name) - len(name.rstrip("'")))
        if letters in GREEK:
            letters = unicodedata.lookup(f"GREEK SMALL LETTER {letters.upper()}")
        return letters + number.translate(self._subscripts) + primes

    def raised(self, base: str, exponent: str) -> str:
        if exponent.lstrip("-").isdigit():
            return base + exponent.translate(self._superscripts)
        return super().raised(base, exponent)

    def rounded(self, name: Rounding, inside: str) -> str:
        left, right = ("⌊", "⌋") if name == "floor" else ("⌈", "⌉")
        return f"{left}{inside}{right}"


class _LatexPrinter(LatexPrinter):
    def _print_FloorDiv(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        name, top, bottom = floor_or_ceiling(expr)
        inside = self._print(top) if bottom == 1 else rf"\frac{{{self._print(top)}}}{{{self._print(bottom)}}}"
        return _raised(rf"\left\l{name} {inside} \right\r{name}", exp)

    def _print_CeilDiv(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        return self._print_FloorDiv(expr, exp)

    def _print_Function(self, expr: Any, exp: str | None = None) -> str:  # noqa: N802
        name = latex_text(_FUNCTIONS[type(expr).__name__])
        inside = ", ".join(self._print(argument) for argument in expr.args)
        return _raised(rf"\operatorname{{{name}}}\left({inside}\right)", exp)

    def _as_ordered_terms(self, expr: Any, order: Any = None) -> list[Any]:  # noqa: ARG002
        return ordered_terms(expr)

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:  # noqa: ARG002, N802
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


# --- the order of terms and factors ---


def floor_or_ceiling(expr: Any) -> tuple[Rounding, Any, Any]:
    """Name, p and q of a floor or ceiling: of ``floor(p/q)`` and ``ceil(p/q)``, the simpler notation of a floor."""
    p, q = expr.args
    if isinstance(expr, CeilDiv):
        return "ceil", p, q
    if q == 1:
        return "floor", p, q
    raised = p - (q - 1)
    return ("ceil", raised, q) if _simpler(raised, p) else ("floor", p, q)


def _simpler(expr: Any, other: Any) -> bool:
    """Whether ``expr`` is whole and has a smaller constant: which of floor and ceiling reads better."""
    whole = all(monomial.is_integer for monomial in terms_of(expr))
    return bool(whole and abs(expr.as_coeff_Add()[0]) < abs(other.as_coeff_Add()[0]))


def _is_whole(factor: Any) -> bool:
    """Whether a factor certainly contains no fraction; sympy takes most of the time of a long sum to find out."""
    base, exponent = factor.as_base_exp()
    return bool((base.is_Integer or base.is_Symbol or base.is_Function) and exponent.is_Integer and exponent > 0)


def _is_negative(term: Any) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _degree(term: Any) -> int:
    """The total degree; a function such as ``ceil(size/2)`` has degree 1."""
    if term.is_Number:
        return 0
    if term.is_Pow and term.exp.is_Integer:
        return int(term.exp) * _degree(term.base)
    if term.is_Mul:
        return sum(map(_degree, term.args))
    if term.is_Add:
        return max(map(_degree, term.args))
    return 1


def ordered_terms(expr: Any) -> list[Any]:
    """The terms of a sum in the order of a reader, a positive term first if there is one.

    Higher degrees first; of equal ones those whose names have the higher powers elsewhere, so that ``r^2`` is
    followed by ``r``; then sizes by how much they divide, then by name.
    """

    def factors(term: Any) -> list[tuple[Any, int]]:
        return [_as_power(factor) for factor in sympy.Mul.make_args(term)]

    powers: dict[Any, int] = {}
    for term in expr.args:
        for base, power in factors(term):
            powers[base] = max(powers.get(base, 0), power)

    def order(term: Any) -> tuple[Any, ...]:
        highest = max((powers[base] for base, _ in factors(term) if not base.is_Number), default=0)
        return (-_degree(term), -highest, _sizes(term), term.sort_key())

    terms = sorted(expr.args, key=order)
    if len(terms) > 1 and _is_negative(terms[0]):
        positive = next((index for index, term in enumerate(terms) if not _is_negative(term)), 0)
        terms.insert(0, terms.pop(positive))
    return terms


def _as_power(factor: Any) -> tuple[Any, int]:
    base, power = factor.as_base_exp()
    return (base, int(power)) if power.is_Integer else (factor, 1)


def _sizes(term: Any) -> list[int]:
    """The divisors of the floors in ``term``, and the numbers in its names: 32 in ``ceil(size/32)`` and in ``s32``."""
    divisors = [int(atom.args[1]) for atom in term.atoms(FloorDiv, CeilDiv) if atom.args[1].is_Integer]
    numbers = [_number_in(symbol.name) for symbol in term.free_symbols]
    return sorted([*divisors, *(number for number in numbers if number is not None)])


def _number_in(name: str) -> int | None:
    digits = name.lstrip("abcdefghijklmnopqrstuvwxyz").rstrip("abcdefghijklmnopqrstuvwxyz_")
    return int(digits) if digits.isdigit() and len(digits) < len(name) else None


def ordered_factors(expr: Any) -> list[Any]:
    """The factors of a product: numbers, then symbols, then functions, then sums."""
    return sorted(sympy.Mul.make_args(expr), key=_factor_order)


def _factor_order(factor: Any) -> tuple[Any, ...]:
    base = factor.base if factor.is_Pow else factor
    if factor.is_Number:
        rank = 0
    elif base.is_Symbol:
        rank = 1
    else:
        rank = 3 if base.is_Add else 2
    return (rank, _sizes(factor), factor.sort_key())
