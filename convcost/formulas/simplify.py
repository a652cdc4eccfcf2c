"""Simplification: of several equal forms of an expression, the shortest."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache, partial
from math import isqrt
from typing import TYPE_CHECKING, Any

from convcost.numbers.polynomial import (
    Expr,
    Function,
    Group,
    Power,
    Symbol,
    atoms_of,
    divided,
    expanded,
    factors_of,
    leading,
    made,
    powers_of,
    primitive,
    product,
    raised,
    single,
    sort_key,
    terms_in,
    terms_of,
    times,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.numbers.exact import Number
    from convcost.numbers.polynomial import Atom, Monomial, Terms

_CALL = 8  # what the name of a function and its brackets take
_NAMES_TRIED = 4  # for a proof that a sum has no factor
_NAME = 2  # what the name of a part takes
_MANY, _FEW = 4, 5  # terms from which grouping pays, and up to which a group is worth factoring
MAX_TERMS = 16  # factoring is for formulas that a person reads
MAX_BITS = 128  # and for numbers that a person reads


@lru_cache(maxsize=10_000)
def tidy(value: Any) -> Any:
    """``value`` as a sum or as a product, whichever is shorter to write.

    A polynomial of one name stays a sum of its powers, and a number alone is not put in front of a sum.

    >>> x, y, z = map(Symbol, "xyz")
    >>> tidy(x * x + x * y + x * z), tidy(8 * x * x + 16 * y), tidy(6 * x * x + 9 * x)
    (x*(x + y + z), 8*x^2 + 16*y, 6*x^2 + 9*x)
    """
    whole = expanded(value)
    terms = terms_in(whole)
    if not 1 < len(terms) <= MAX_TERMS:
        return whole
    if len(atoms_of(whole)) == 1 and all(
        power > 0 and not isinstance(atom, Power) for atom, power in factors_of(whole)
    ):
        return whole
    if _has_no_factor(terms):
        return whole
    form = terms_in(factored(whole))
    if len(form) > 1 or isinstance(single(next(iter(form))), Group):
        return whole
    return shortest([whole, made(form)])


def factored(value: Any) -> Any:
    """``value`` as a product, if its numbers are short enough to factor."""
    whole = expanded(value)
    terms = terms_in(whole)
    if len(terms) < 2 or not has_short_numbers(whole):  # noqa: PLR2004 - a sum
        return value
    if not any(isinstance(atom, Group | Power) for atom in atoms_of(whole)):
        content, rest = primitive(terms)
        ((monomial, number),) = content.items()
        if leading(rest, generators(rest))[1] < 0:
            number, rest = -number, {own: -coefficient for own, coefficient in rest.items()}
        factors = [made(rest)] if is_irreducible(rest) else _linear_factors(made(rest))
        if factors:
            return times(made({monomial: number}), *factors)
    import sympy  # noqa: PLC0415 - only what is not easily factored pays for it

    from convcost.numbers.conversion import from_sympy, hidden  # noqa: PLC0415 - imports sympy

    (plain,), back = hidden(whole)
    return from_sympy(sympy.factor(plain), back)


def _linear_factors(value: Any) -> list[Any]:
    """The two factors of a quadratic polynomial of one name with coprime whole coefficients, if it has any."""
    names = atoms_of(value)
    powers = powers_of(value, names[0])
    if len(names) > 1 or max(powers) != 2:  # noqa: PLR2004 - quadratic
        return []
    a, b, c = (powers.get(power, 0) for power in (2, 1, 0))
    square = b * b - 4 * a * c
    if square < 0 or isqrt(square) ** 2 != square:
        return []
    slopes = [Fraction(-b + sign * isqrt(square), 2 * a) for sign in (-1, 1)]
    return [root.denominator * names[0] - root.numerator for root in slopes]


def has_short_numbers(value: Any) -> bool:
    """Whether factoring is quick: it is done modulo primes beyond the largest coefficient."""
    return all(
        max(abs(coefficient.numerator), coefficient.denominator).bit_length() <= MAX_BITS
        for coefficient in terms_of(value).values()
    )


def is_irreducible(terms: Terms) -> bool:
    """Whether a sum without a common factor of its terms certainly has no factor.

    If a name occurs in its first power only, one of two factors would be without the name: it would divide both what
    the name is multiplied by and the rest. These have no common factor if the former is a product of names alone, or
    if what is left of it without such a product has no factor itself and does not divide the rest.
    """
    if len(terms) == 1 or _has_no_factor(terms) or _is_quadratic_without_roots(terms):
        return True
    degrees: dict[Atom, int] = {}
    counts: dict[Atom, int] = {}
    for monomial in terms:
        for atom, power in monomial:
            degrees[atom] = max(power, degrees.get(atom, power))
            counts[atom] = counts.get(atom, 0) + 1
    linear = sorted((atom for atom, degree in degrees.items() if degree == 1), key=lambda atom: counts[atom])
    return any(_is_coprime(terms, atom) for atom in linear[:_NAMES_TRIED])


def _is_quadratic_without_roots(terms: Terms) -> bool:
    """Whether a sum is a quadratic polynomial of one name that has no factor."""
    value = made(terms)
    quadratic = len(atoms_of(value)) == 1 and max(power for _, power in factors_of(value)) == 2  # noqa: PLR2004
    return quadratic and all(power > 0 for _, power in factors_of(value)) and not _linear_factors(value)


def _is_coprime(terms: Terms, atom: Atom) -> bool:
    """Whether what the first power of ``atom`` is multiplied by certainly has no common factor with the rest."""
    parts = powers_of(made(terms), atom)
    rest = parts.get(0, 0)
    _, factor = primitive(terms_in(parts[1]))
    if len(factor) == 1:
        return True
    if rest == 0 or len(factor) == len(terms):
        return False
    shared = {own for monomial in factor for own, _ in monomial} & set(atoms_of(rest))
    if len(shared) < 2:  # noqa: PLR2004 - a common factor would be a polynomial of one name
        return not shared or _is_coprime_in(shared.pop(), made(factor), rest)
    return is_irreducible(factor) and divided(rest, made(factor)) is None


def _is_coprime_in(atom: Atom, *values: Any) -> bool:
    """Whether ``values`` have no common factor that is a polynomial of ``atom`` alone, by Euclid's algorithm."""
    parts: dict[Monomial, dict[int, Fraction]] = {}
    for place, value in enumerate(values):
        for power, coefficient in powers_of(value, atom).items():
            for monomial, number in terms_in(coefficient).items():
                parts.setdefault((*monomial, (atom, place)), {})[power] = Fraction(number)
    common: dict[int, Fraction] = {}
    for part in parts.values():
        a, b = common, part
        while b:
            a, b = b, _rest_of(a, b)
        common = a
    return max(common) == 0


def _rest_of(a: dict[int, Fraction], b: dict[int, Fraction]) -> dict[int, Fraction]:
    """The rest of the division of two polynomials, given by their coefficients by power."""
    rest, degree = dict(a), max(b)
    while rest and max(rest) >= degree:
        shift = max(rest) - degree
        quotient = rest[max(rest)] / b[degree]
        for power, number in b.items():
            rest[power + shift] = rest.get(power + shift, Fraction(0)) - quotient * number
        rest = {power: number for power, number in rest.items() if number}
    return rest


def _has_no_factor(terms: Terms) -> bool:
    """Whether a sum certainly has no factor except a number; this saves most of the time for the total of a network.

    It has none if a name is a term of its own and occurs in no other term (then all terms would have to share its
    factor), or if it is a sum of three or more squares of different names, and perhaps a number.
    """
    alone = [atom for atom in map(single, terms) if atom is not None]
    if any(sum(any(own == atom for own, _ in monomial) for monomial in terms) == 1 for atom in alone):
        return True
    squares = [monomial for monomial in terms if len(monomial) == 1 and monomial[0][1] == 2]  # noqa: PLR2004
    return len(squares) >= 3 and all(len(monomial) == 0 or monomial in squares for monomial in terms)  # noqa: PLR2004


_NUMBERED = re.compile(r"(.*?)(\d*)", re.DOTALL)
_LETTERS = {letter: place for place, letter in enumerate("xyzpqrstuvwabcdefghijklmno")}


def generators(terms: Terms) -> Sequence[Atom]:
    """The names of a polynomial in the order that decides on the sign of its factors: that of sympy's polynomials."""
    atoms = {atom: None for monomial in terms for atom, _ in monomial}
    functions = sorted((atom for atom in atoms if not isinstance(atom, Symbol)), key=sort_key)

    def order(atom: Atom) -> tuple[int, str, int]:
        if not isinstance(atom, Symbol):
            return len(_LETTERS), "_f", functions.index(atom)
        numbered = _NUMBERED.fullmatch(atom.name)
        name, number = (atom.name, "") if numbered is None else numbered.groups()
        return _LETTERS.get(name, len(_LETTERS)), name, int(number or 0)

    return sorted(atoms, key=order)


@lru_cache(maxsize=512)
def collected(value: Any, groups: tuple[frozenset[Any], ...] = ()) -> Any:
    """``value`` as :func:`tidy` writes it, or with terms of one size brought together, whichever is shorter.

    Widths are then grouped behind the size of the map: ``s2^2*w32*(w64 + 36) + ...``.

    Args:
        value: a sum of products.
        groups: names that belong together, as all that stand for sizes do; by default, what shares a symbol.
    """
    whole = tidy(value)
    if len(terms_in(whole)) < _MANY:
        return whole
    atoms = {atom for atom in atoms_of(whole) if atom.symbols}
    keys = [group & atoms for group in groups] or _by_symbol(sorted(atoms, key=sort_key))
    return shortest([whole, *(_grouped(whole, key) for key in keys if key and key != atoms)])


def _by_symbol(atoms: Iterable[Any]) -> list[frozenset[Any]]:
    groups: dict[Any, set[Any]] = {}
    for atom in atoms:
        for symbol in sorted(atom.symbols, key=lambda each: each.name):
            groups.setdefault(symbol, set()).add(atom)
    return list(map(frozenset, groups.values()))


def _grouped(value: Any, keys: frozenset[Any]) -> Any:
    groups: dict[Monomial, Terms] = {}
    for monomial, coefficient in terms_in(value).items():
        front = tuple(factor for factor in monomial if factor[0] in keys)
        groups.setdefault(front, {})[product(monomial, raised(front, -1))] = coefficient
    rest = groups.pop((), {})
    parts = [_product(made({front: 1}), _inside(terms)) for front, terms in groups.items()]
    return total([*parts, made(rest)])


def _inside(terms: Terms) -> Any:
    whole = made(terms)
    return tidy(whole) if len(terms) <= _FEW else whole


def _product(front: Any, inside: Any) -> Any:
    """``front * inside`` with the sign of a sum in front, where all of it is negative."""
    terms = terms_in(inside)
    if len(terms) > 1 and all(coefficient < 0 for coefficient in terms.values()):
        return times(-1, front, -inside)
    return times(front, inside)


def operations(value: Any, *, inside: bool = True) -> int:
    """How many operations ``value`` takes: signs, sums, products, quotients, powers and functions.

    Args:
        value: a number or an expression.
        inside: whether a function counts, with what is in it; otherwise it counts as a name.
    """
    if not isinstance(value, Expr):
        return int(value < 0) + (Fraction(value).denominator != 1)
    terms = value.terms
    own = sum(_operations_of_term(monomial, abs(Fraction(number)), inside) for monomial, number in terms.items())
    return own + len(terms) - 1 + all(coefficient < 0 for coefficient in terms.values())


def _operations_of_term(monomial: Monomial, number: Fraction, inside: bool) -> int:  # noqa: FBT001 - private
    above = [(atom, power) for atom, power in monomial if power > 0]
    below = [(atom, -power) for atom, power in monomial if power < 0]
    count = _operations_of_product(above, number.numerator, inside)
    divides = below or number.denominator != 1
    return count + 1 + _operations_of_product(below, number.denominator, inside) if divides else count


def _operations_of_product(factors: Sequence[tuple[Atom, int]], coefficient: int, inside: bool) -> int:  # noqa: FBT001
    count = len(factors) + (coefficient != 1) - 1
    for atom, power in factors:
        parts: tuple[Any, ...] = ()
        if isinstance(atom, Function) and inside:
            parts = atom.args
        elif isinstance(atom, Group):
            parts = (atom.inside,)
        own = isinstance(atom, Power) or (isinstance(atom, Function) and inside)
        count += (power != 1) + own + sum(operations(part, inside=inside) for part in parts)
    return max(count, 0)


def shortest(candidates: Iterable[Any], *, inside: bool = True) -> Any:
    """The candidate with the fewest characters, approximately; the first of equals.

    Args:
        candidates: numbers and expressions.
        inside: whether what is in a function counts; otherwise it counts as a short name.
    """
    return min(candidates, key=partial(length, inside=inside))


@lru_cache(maxsize=8192)
def length(value: Any, *, inside: bool = True) -> int:
    """About how many characters the text of ``value`` has; writing it would take far longer."""
    if not isinstance(value, Expr):
        return len(str(value))
    parts = [_length_of_term(monomial, coefficient, inside) for monomial, coefficient in value.terms.items()]
    return sum(parts) + 3 * (len(parts) - 1)


def _length_of_term(monomial: Monomial, coefficient: Number, inside: bool) -> int:  # noqa: FBT001 - private
    parts = [len(str(coefficient))] if coefficient != 1 or not monomial else []
    parts += [_length_of_factor(atom, power, inside) for atom, power in monomial]
    return sum(parts) + len(parts) - 1


def _length_of_factor(atom: Atom, power: int, inside: bool) -> int:  # noqa: FBT001 - private
    exponent: Number = power
    if isinstance(atom, Symbol):
        base = len(atom.name)
    elif isinstance(atom, Power):
        base, exponent = _length_in_parentheses(atom.base, inside), atom.exponent * power
    elif isinstance(atom, Group):
        base = _length_in_parentheses(atom.inside, inside)
    elif isinstance(atom, Function) and inside:
        base = sum(_length_in_parentheses(argument, inside) for argument in atom.args) + _CALL
    else:
        base = _NAME
    if exponent == 1:
        return base
    return base + 1 if exponent == -1 else base + len(str(exponent)) + 1


def _length_in_parentheses(value: Any, inside: bool) -> int:  # noqa: FBT001 - private
    return length(value, inside=inside) + 2 * (isinstance(value, Expr) and len(value.terms) > 1)
