"""Expressions as plain text: ``9408*ceil(size/2)^2 + 2048*classes``.

The text is an expression of the spec language, so that it can be parsed again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy

from convcost.numbers import atoms

if TYPE_CHECKING:
    from collections.abc import Callable

_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # how tightly a piece of text holds together


def text(expr: Any, names: dict[Any, str] | None = None) -> str:
    """``expr`` as text.

    Args:
        expr: a number, or a sympy expression of sums, products, powers and the functions of this package.
        names: what to write for a symbol in place of its name, to put values in.
    """
    return Writer(names).write(expr)[0] if names else _plain(expr)


@lru_cache(maxsize=10_000)
def _plain(expr: Any) -> str:
    """Without values put in: the sizes of a network come up again and again."""
    return Writer({}).write(expr)[0]


class Writer:
    """Writes an expression; a subclass may use other signs."""

    times, over = "*", "/"

    def __init__(self, names: dict[Any, str]) -> None:
        self._names = names

    def write(self, expr: Any) -> tuple[str, int]:  # noqa: PLR0911 - one answer a kind
        """The text of ``expr``, and how tightly it holds together."""
        if not isinstance(expr, sympy.Basic):
            return str(expr), _ATOM if expr >= 0 else _SUM
        if expr.is_Symbol:
            return self._names.get(expr) or self.name(expr.name), _ATOM
        if expr is sympy.oo:
            return "oo", _ATOM
        if expr.is_Rational:
            return str(expr), _SUM if expr < 0 else (_ATOM if expr.is_Integer else _PRODUCT)
        if expr.is_Add:
            return self._sum(expr), _SUM
        if expr.is_Mul:
            return self._product(expr)
        if expr.is_Pow:
            return self._power(expr)
        return self._function(expr), _ATOM

    def _held(self, expr: Any, level: int) -> str:
        written, tightness = self.write(expr)
        return written if tightness >= level else f"({written})"

    def _sum(self, expr: Any) -> str:
        terms = ordered_terms(expr)
        parts = [self._held(terms[0], _PRODUCT)]
        if _negative(terms[0]):
            parts = [f"-{self._held(-terms[0], _PRODUCT)}"]
        for term in terms[1:]:
            sign, positive_term = (" - ", -term) if _negative(term) else (" + ", term)
            parts.append(sign + self._held(positive_term, _PRODUCT))
        return "".join(parts)

    def _product(self, expr: Any) -> tuple[str, int]:
        if _negative(expr):
            return f"-{self._held(-expr, _PRODUCT)}", _SUM
        numerator, denominator = (expr, 1) if all(map(_is_whole, expr.args)) else expr.as_numer_denom()
        if denominator != 1:
            bottom = self._held(denominator, _POWER)
            return f"{self._held(numerator, _PRODUCT)}{self.over}{bottom}", _PRODUCT
        return self.times.join(self._held(factor, _POWER) for factor in ordered_factors(expr)), _PRODUCT

    def _power(self, expr: Any) -> tuple[str, int]:
        if expr.exp.is_Number and expr.exp < 0:
            return f"1{self.over}{self._held(expr.base**-expr.exp, _POWER)}", _PRODUCT
        if expr.exp == sympy.Rational(1, 2):
            return self._call("sqrt", expr.base), _ATOM
        return self.raised(self._held(expr.base, _ATOM), self._held(expr.exp, _ATOM)), _POWER

    def _call(self, name: str, *arguments: Any) -> str:
        return f"{name}({', '.join(self.write(argument)[0] for argument in arguments)})"

    def name(self, name: str) -> str:
        """A symbol."""
        return name

    def raised(self, base: str, exponent: str) -> str:
        """A power."""
        return f"{base}^{exponent}"

    def rounded(self, name: str, inside: str) -> str:
        """A floor or a ceiling."""
        return f"{name}({inside})"

    def _function(self, expr: Any) -> str:
        writers: dict[Any, Callable[[Any], str]] = {
            atoms.FloorDiv: self._floor,
            atoms.CeilDiv: self._floor,
            atoms.MakeDivisible: lambda e: self._call("make_divisible", *e.args),
            atoms.Gcd: lambda e: self._call("gcd", *e.args),
            atoms.RoundEven: lambda e: self._call("round", *e.args),
            atoms.Maximum: lambda e: self._call("max", *e.args),
            atoms.Minimum: lambda e: self._call("min", *e.args),
        }
        return writers[expr.func](expr)

    def _floor(self, expr: Any) -> str:
        name, top, bottom = floor_or_ceiling(expr)
        if bottom == 1:
            return self.rounded(name, self.write(top)[0])
        return self.rounded(name, f"{self._held(top, _PRODUCT)}{self.over}{self._held(bottom, _POWER)}")


def floor_or_ceiling(expr: Any) -> tuple[str, Any, Any]:
    """A floor as whichever of ``floor(p/q)`` and ``ceil(p/q)`` reads better, a ceiling as it is: name, p, q."""
    p, q = expr.args
    if isinstance(expr, atoms.CeilDiv):
        return "ceil", p, q
    if q == 1:
        return "floor", p, q
    raised = p - (q - 1)
    return ("ceil", raised, q) if _simpler(raised, p) else ("floor", p, q)


def _simpler(one: Any, other: Any) -> bool:
    """Whether ``one`` has a smaller constant: which of floor and ceiling reads better."""
    whole = all(monomial.is_integer for monomial in atoms.terms_of(one))
    constants = [abs(expr.as_coeff_Add()[0]) for expr in (one, other)]
    return bool(whole and constants[0] < constants[1])


def _is_whole(factor: Any) -> bool:
    """Whether there is plainly no fraction in a factor: asking sympy takes most of the time of a long sum."""
    base, exponent = factor.as_base_exp()
    return bool((base.is_Integer or base.is_Symbol or base.is_Function) and exponent.is_Integer and exponent > 0)


def _negative(term: Any) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _degree(term: Any) -> int:
    """Total degree, an atom such as ``ceil(size/2)`` counting as its argument does."""
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
    """The terms of a sum as people order them, a positive one first if there is one.

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
    if len(terms) > 1 and _negative(terms[0]):
        positive = next((index for index, term in enumerate(terms) if not _negative(term)), 0)
        terms.insert(0, terms.pop(positive))
    return terms


def _as_power(factor: Any) -> tuple[Any, int]:
    base, power = factor.as_base_exp()
    return (base, int(power)) if power.is_Integer else (factor, 1)


def _sizes(term: Any) -> list[int]:
    """What the floors in ``term`` divide by, and the numbers in its names: 32 in ``ceil(size/32)`` and in ``s32``."""
    divisors = [int(atom.args[1]) for atom in term.atoms(atoms.FloorDiv, atoms.CeilDiv) if atom.args[1].is_Integer]
    numbers = [_number_in(one.name) for one in term.free_symbols]
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
