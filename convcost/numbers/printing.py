"""Expressions as text, in Unicode and as LaTeX.

Text is an expression of the spec language, such as ``9408*ceil(size/2)^2 + 2048*classes``, so that it can be parsed
again. Unicode is the same with other signs: ``⌈size/2⌉²·(w₃₂ + 36)``.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from convcost.numbers.exact import Number, normal
from convcost.numbers.functions import CeilDiv, FloorDiv
from convcost.numbers.polynomial import (
    Expr,
    Function,
    Group,
    Power,
    Symbol,
    Value,
    constant_of,
    functions_in,
    is_whole_monomial,
    made,
    primitive,
    single,
    symbols_in,
    term_key,
    terms_in,
    terms_of,
    times,
    total,
)
from convcost.tables.values import latex_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.numbers.polynomial import Atom, Monomial

    Factor: TypeAlias = tuple[Any, int]  # a number or an atom, and its power

Rounding: TypeAlias = Literal["floor", "ceil"]

GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "theta", "mu", "rho", "sigma", "tau", "phi", "psi", "omega")
SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly a text holds together
_HALF = Fraction(1, 2)
_NUMBERED = re.compile(r"([A-Za-z]+)([0-9]+)")
_ENDS_IN_NUMBER = re.compile(r"[0-9][} ]*$")
_STARTS_WITH_NUMBER = re.compile(r"\d|\\frac{\d+}{\d+}")


def text(value: Value, names: Mapping[Any, str] | None = None) -> str:
    """A number or an expression as text.

    Args:
        value: a number, infinity, or an expression.
        names: what to write for a symbol in place of its name, to put values in.
    """
    if type(value) is int:
        return str(value)
    return TextPrinter(names)(value) if names else _plain(value)


@lru_cache(maxsize=10_000)
def _plain(value: Value) -> str:
    """Without values put in: the sizes of a network occur again and again."""
    return _TEXT(value)


def typeset(value: Value, names: Mapping[Any, str] | None = None) -> str:
    """``value`` in Unicode; arguments as for :func:`text`."""
    return _UnicodePrinter(names)(value)


class TextPrinter:
    """Writes a value in the notation of specs; a subclass may use other signs.

    Args:
        names: what to write for a symbol in place of its name.
    """

    times, over = "*", "/"

    def __init__(self, names: Mapping[Any, str] | None = None) -> None:
        self._names = names or {}

    def __call__(self, value: Value) -> str:
        """``value`` as text."""
        if not isinstance(value, Expr):
            return self.number(value)
        terms = value.terms
        if len(terms) == 1:
            return self._term(*next(iter(terms.items())))
        return self._sum(ordered_terms(value))

    def strength(self, value: Value) -> int:
        """How tightly the text of ``value`` holds together."""
        terms = terms_in(value)
        if len(terms) != 1:
            return SUM if terms else ATOM
        ((monomial, coefficient),) = terms.items()
        if coefficient < 0:
            return SUM
        if coefficient != 1 or len(monomial) != 1:
            return ATOM if not monomial and type(coefficient) is int else PRODUCT
        return self._strength_of_power(*monomial[0])

    def _strength_of_power(self, atom: Any, power: int) -> int:
        base, exponent = _base_and_exponent(atom, power)
        if exponent < 0:
            return PRODUCT
        if exponent != 1:
            return ATOM if exponent == _HALF else POWER
        if isinstance(base, Group):
            return SUM
        return self._strength_of_name(base) if isinstance(base, Symbol) else ATOM

    def _strength_of_name(self, symbol: Symbol) -> int:
        value = self._names.get(symbol)
        if value is None:
            return ATOM
        return SUM if value.startswith("-") else PRODUCT if "/" in value else ATOM

    def parenthesize(self, value: Value, level: int) -> str:
        """The text of ``value``, in parentheses if it holds together less tightly than ``level``."""
        return self(value) if self.strength(value) >= level else f"({self(value)})"

    def _sum(self, terms: list[tuple[Monomial, Number]]) -> str:
        parts = []
        for place, (monomial, coefficient) in enumerate(terms):
            negative = coefficient < 0
            term = made({monomial: -coefficient if negative and place else coefficient})
            sign = "" if place == 0 else " - " if negative else " + "
            parts.append(sign + self.parenthesize(term, SUM if negative and place == 0 else PRODUCT))
        return "".join(parts)

    def _term(self, monomial: Monomial, coefficient: Number) -> str:
        if coefficient < 0:
            return f"-{self.parenthesize(made({monomial: -coefficient}), PRODUCT)}"
        if not monomial:
            return self.number(coefficient)
        if coefficient == 1 and len(monomial) == 1:
            return self._power(*monomial[0])
        numerator, denominator = fraction_of(monomial, coefficient)
        if denominator != 1:
            return f"{self.parenthesize(numerator, PRODUCT)}{self.over}{self.parenthesize(denominator, POWER)}"
        factors = ordered_factors(monomial, coefficient)
        return self.times.join(self._factor(base, power) for base, power in factors)

    def _factor(self, base: Any, power: int) -> str:
        if not isinstance(base, Expr):
            return self.number(base)
        factor = self._power(base, power)
        return factor if self._strength_of_power(base, power) >= POWER else f"({factor})"

    def _power(self, atom: Any, power: int) -> str:
        base, exponent = _base_and_exponent(atom, power)
        if exponent < 0:
            return f"1{self.over}{self._factor(atom, -power)}"
        if exponent == _HALF:
            return f"sqrt({self(base)})"
        if exponent != 1:
            inside = base.inside if isinstance(base, Group) else base
            return self.raised(self.parenthesize(inside, ATOM), exponent)
        if isinstance(base, Group):
            return self(base.inside)
        if isinstance(base, Symbol):
            return self._names.get(base) or self.name(base.name)
        return self._function(base)

    def _function(self, function: Any) -> str:
        if not isinstance(function, FloorDiv | CeilDiv):
            return f"{function.written}({', '.join(map(self, function.args))})"
        name, top, bottom = floor_or_ceiling(function)
        if bottom == 1:
            return self.rounded(name, self(top))
        inside = f"{self.parenthesize(top, PRODUCT)}{self.over}{self.parenthesize(bottom, POWER)}"
        return self.rounded(name, inside)

    def number(self, value: Number) -> str:
        """A number."""
        return "oo" if value == inf else str(value)

    def name(self, name: str) -> str:
        """A symbol."""
        return name

    def raised(self, base: str, exponent: Number) -> str:
        """A power."""
        return f"{base}^{self.parenthesize(exponent, ATOM)}"

    def rounded(self, name: Rounding, inside: str) -> str:
        """A floor or a ceiling."""
        return f"{name}({inside})"


_TEXT = TextPrinter()
Expr.written_by = _TEXT


def _base_and_exponent(atom: Any, power: int) -> tuple[Any, Number]:
    """The base and the exponent of a factor, with the root that it may be."""
    if isinstance(atom, Power):
        return atom.base, normal(atom.exponent * power)
    return atom, power


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

    def raised(self, base: str, exponent: Number) -> str:
        if type(exponent) is int:
            return base + str(exponent).translate(self._superscripts)
        return super().raised(base, exponent)

    def rounded(self, name: Rounding, inside: str) -> str:
        left, right = ("⌊", "⌋") if name == "floor" else ("⌈", "⌉")
        return f"{left}{inside}{right}"


# --- LaTeX ---


def latex(value: Value) -> str:
    """A number, infinity or an expression as LaTeX, for math mode."""
    if not isinstance(value, Expr):
        return _latex_number(value)
    parts = []
    for place, (monomial, coefficient) in enumerate(ordered_terms(value)):
        negative = coefficient < 0
        sign = "" if place == 0 else " - " if negative else " + "
        parts.append(sign + _latex_term(monomial, -coefficient if negative and place else coefficient))
    return "".join(parts)


def _latex_number(value: Number) -> str:
    if value == inf:
        return r"\infty"
    if not isinstance(value, Fraction):
        return str(value)
    return rf"{'- ' if value < 0 else ''}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _latex_term(monomial: Monomial, coefficient: Number) -> str:
    if not monomial:
        return _latex_number(coefficient)
    sign = "- " if coefficient < 0 else ""
    above = [factor for factor in monomial if factor[1] > 0]
    below = [(atom, -power) for atom, power in monomial if power < 0]
    top, bottom = abs(Fraction(coefficient)).as_integer_ratio()
    if not below and bottom == 1:
        return sign + _latex_product(above, top)
    return rf"{sign}\frac{{{_latex_product(above, top)}}}{{{_latex_product(below, bottom)}}}"


def _latex_product(factors: list[tuple[Atom, int]], coefficient: int) -> str:
    ordered = sorted(factors, key=lambda factor: term_key((factor,)))
    parts = [str(coefficient)] if coefficient != 1 or not factors else []
    alone = len(ordered) + len(parts) == 1
    for atom, power in ordered:
        factor = _latex_power(atom, power)
        parts.append(rf"\left({factor}\right)" if isinstance(atom, Group) and power == 1 and not alone else factor)
    written = parts[0]
    for before, part in pairwise(parts):
        numbers = _ENDS_IN_NUMBER.search(before) and _STARTS_WITH_NUMBER.match(part)
        written += (r" \cdot " if numbers else " ") + part
    return written


def _latex_power(atom: Any, power: int) -> str:
    base, exponent = _base_and_exponent(atom, power)
    if exponent == _HALF:
        return rf"\sqrt{{{latex(base)}}}"
    if isinstance(base, Function):
        return _latex_function(base) if exponent == 1 else f"{_latex_function(base)}^{{{_latex_number(exponent)}}}"
    if isinstance(base, Symbol):
        written = name_latex(base.name)
        return written if exponent == 1 else f"{written}^{{{_latex_number(exponent)}}}"
    inside = latex(base.inside if isinstance(base, Group) else base)
    if exponent == 1:
        return inside
    bare = not isinstance(base, Expr) and base >= 0 and type(base) is int
    return (inside if bare else rf"\left({inside}\right)") + f"^{{{_latex_number(exponent)}}}"


def _latex_function(function: Any) -> str:
    if isinstance(function, FloorDiv | CeilDiv):
        name, top, bottom = floor_or_ceiling(function)
        inside = latex(top) if bottom == 1 else rf"\frac{{{latex(top)}}}{{{latex(bottom)}}}"
        return rf"\left\l{name} {inside} \right\r{name}"
    inside = ", ".join(map(latex, function.args))
    return rf"\operatorname{{{latex_text(function.written)}}}\left({inside}\right)"


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


def floor_or_ceiling(function: Any) -> tuple[Rounding, Value, Value]:
    """Name, p and q of a floor or ceiling: of ``floor(p/q)`` and ``ceil(p/q)``, the simpler notation of a floor."""
    p, q = function.args
    if isinstance(function, CeilDiv):
        return "ceil", p, q
    if q == 1:
        return "floor", p, q
    raised = p - (q - 1)
    return ("ceil", raised, q) if _simpler(raised, p) else ("floor", p, q)


def _simpler(value: Value, other: Value) -> bool:
    """Whether ``value`` is whole and has a smaller constant: which of floor and ceiling reads better."""
    whole = all(map(is_whole_monomial, terms_of(value)))
    return whole and abs(Fraction(constant_of(value))) < abs(Fraction(constant_of(other)))


def fraction_of(monomial: Monomial, coefficient: Number) -> tuple[Value, Value]:
    """A term as a fraction; the sums in it are each brought over a common divisor."""
    above: Value = Fraction(coefficient).numerator
    below: Value = Fraction(coefficient).denominator
    for atom, power in monomial:
        top, bottom = _sum_as_fraction(atom.inside) if isinstance(atom, Group) else (atom, 1)
        if power < 0:
            top, bottom = bottom, top
        above, below = times(above, *[top] * abs(power)), times(below, *[bottom] * abs(power))
    return _multiplied_in(above), _multiplied_in(below)


def _multiplied_in(value: Value) -> Value:
    """``value`` without the parentheses of a number times a sum: a fraction brings its own."""
    terms = terms_in(value)
    only = single(next(iter(terms))) if len(terms) == 1 else None
    return terms[((only, 1),)] * only.inside if isinstance(only, Group) else value


def _sum_as_fraction(value: Value) -> tuple[Value, Value]:
    """A sum as a fraction; the terms of one divisor stay together."""
    ((_, number),) = primitive(terms_in(value))[0].items()
    by_divisor: dict[Monomial, list[Value]] = {}
    for monomial, coefficient in terms_in(value).items():
        divisor = tuple((atom, -power) for atom, power in monomial if power < 0)
        above = tuple(factor for factor in monomial if factor[1] > 0)
        by_divisor.setdefault(divisor, []).append(made({above: normal(Fraction(coefficient) / number)}))
    top, bottom = Fraction(number).numerator, Fraction(number).denominator
    if len(by_divisor) == 1:
        ((divisor, tops),) = by_divisor.items()
        return top * total(tops), made({divisor: bottom})
    divisors = [made({divisor: 1}) for divisor in by_divisor]
    parts = [
        times(total(tops), *(other for other in divisors if other is not divisor))
        for divisor, tops in zip(divisors, by_divisor.values(), strict=True)
    ]
    return times(top, total(parts)), times(bottom, *divisors)


def _degree(monomial: Monomial) -> int:
    """The total degree; a function such as ``ceil(size/2)`` has degree 1."""
    return sum(power * _degree_of(atom) for atom, power in monomial)


def _degree_of(atom: Atom) -> int:
    return max(map(_degree, atom.inside.terms)) if isinstance(atom, Group) else 1


def ordered_terms(value: Value) -> list[tuple[Monomial, Number]]:
    """The terms of a sum in the order of a reader, a positive term first if there is one.

    Higher degrees first; of equal ones those whose names have the higher powers elsewhere, so that ``r^2`` is
    followed by ``r``; then sizes by how much they divide, then by name.
    """
    powers: dict[Any, int] = {}
    for monomial in terms_in(value):
        for atom, power in monomial:
            powers[atom] = max(powers.get(atom, 0), power)

    def order(term: tuple[Monomial, Number]) -> tuple[Any, ...]:
        monomial = term[0]
        highest = max((powers[atom] for atom, _ in monomial), default=0)
        return (-_degree(monomial), -highest, _sizes(made({monomial: 1})), term_key(*term))

    terms = sorted(terms_in(value).items(), key=order)
    if len(terms) > 1 and terms[0][1] < 0:
        positive = next((index for index, term in enumerate(terms) if term[1] > 0), 0)
        terms.insert(0, terms.pop(positive))
    return terms


@lru_cache(maxsize=10_000)
def _sizes(value: Value) -> list[int]:
    """The divisors of the floors in ``value``, and the numbers in its names: 32 in ``ceil(size/32)`` and in ``s32``."""
    divisors = [
        function.args[1]
        for function in functions_in(value)
        if isinstance(function, FloorDiv | CeilDiv) and type(function.args[1]) is int
    ]
    numbers = [_number_in(symbol.name) for symbol in symbols_in(value)]
    return sorted([*divisors, *(number for number in numbers if number is not None)])


def _number_in(name: str) -> int | None:
    digits = name.lstrip("abcdefghijklmnopqrstuvwxyz").rstrip("abcdefghijklmnopqrstuvwxyz_")
    return int(digits) if digits.isdigit() and len(digits) < len(name) else None


def ordered_factors(monomial: Monomial, coefficient: Number = 1) -> list[Factor]:
    """The factors of a term: its number, then symbols, then functions, then sums."""
    first: list[Factor] = [(coefficient, 1)] if coefficient != 1 else []
    return [*first, *sorted(monomial, key=_factor_order)]


def _factor_order(factor: tuple[Atom, int]) -> tuple[Any, ...]:
    base = factor[0].base if isinstance(factor[0], Power) else factor[0]
    rank = 1 if isinstance(base, Symbol) else 3 if isinstance(base, Group) or len(terms_in(base)) > 1 else 2
    return (rank, _sizes(made({((factor[0], 1),): 1})), term_key((factor,)))
