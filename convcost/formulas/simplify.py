"""Simplification: of several equal forms of an expression, the shortest."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sympy

from convcost.numbers.symbols import expanded

if TYPE_CHECKING:
    from collections.abc import Iterable

_CALL = 8  # what the name of a function and its brackets take
_MANY, _FEW = 4, 5  # terms from which grouping pays, and up to which a group is worth factoring
MAX_TERMS = 16  # factoring is for formulas that a person reads
MAX_BITS = 128  # and for numbers that a person reads


@lru_cache(maxsize=10_000)
def tidy(expr: Any) -> Any:
    """``expr`` as a sum or as a product, whichever is shorter to write.

    A polynomial of one name stays a sum of its powers, and a number alone is not put in front of a sum.

    >>> from sympy.abc import x, y, z
    >>> tidy(x * x + x * y + x * z), tidy(8 * x * x + 16 * y), tidy(6 * x * x + 9 * x)
    (x*(x + y + z), 8*x**2 + 16*y, 6*x**2 + 9*x)
    """
    whole = expanded(expr)
    if not whole.is_Add or len(whole.args) > MAX_TERMS:
        return whole
    plain, back = hide(whole)
    if len(plain.free_symbols) == 1 and plain.is_polynomial():
        return whole
    if _is_irreducible(plain):
        return whole
    product = factored(plain)
    _, factors = product.as_coeff_mul()
    return whole if len(factors) == 1 and factors[0].is_Add else shortest([whole, show(product, back)])


def factored(expr: Any) -> Any:
    """``expr`` as a product, if its numbers are short enough to factor."""
    return sympy.factor(expr) if has_short_numbers(expr) else expr


def has_short_numbers(expr: Any) -> bool:
    """Whether factoring is quick: it is done modulo primes beyond the largest coefficient."""
    return all(max(abs(int(number.p)), int(number.q)).bit_length() <= MAX_BITS for number in expr.atoms(sympy.Rational))


def _is_irreducible(polynomial: Any) -> bool:
    """Whether a sum certainly has no factor except a number; this saves most of the time for the total of a network.

    It has none if a name is a term of its own and occurs in no other term (then all terms would have to share its
    factor), or if it is a sum of three or more squares of different names, and perhaps a number.
    """
    terms = [term.as_coeff_Mul()[1] for term in polynomial.args]
    alone = [term for term in terms if term.is_Symbol]
    if any(sum(other.has(term) for other in terms) == 1 for term in alone):
        return True
    squares = [term for term in terms if term.is_Pow and term.base.is_Symbol and term.exp == 2]  # noqa: PLR2004
    return len(squares) >= 3 and all(term in squares or term == 1 for term in terms)  # noqa: PLR2004


@lru_cache(maxsize=512)
def collected(expr: Any, groups: tuple[frozenset[Any], ...] = ()) -> Any:
    """``expr`` as :func:`tidy` writes it, or with terms of one size brought together, whichever is shorter.

    Widths are then grouped behind the size of the map: ``s2^2*w32*(w64 + 36) + ...``.

    Args:
        expr: a sum of products.
        groups: names that belong together, as all that stand for sizes do; by default, what shares a symbol.
    """
    whole = tidy(expr)
    if not whole.is_Add or len(whole.args) < _MANY:
        return whole
    generators = {factor.as_base_exp()[0] for term in whole.args for factor in sympy.Mul.make_args(term)}
    generators = {generator for generator in generators if generator.free_symbols}
    keys = [group & generators for group in groups] or _by_symbol(sorted(generators, key=lambda each: each.sort_key()))
    return shortest([whole, *(_grouped(whole, key) for key in keys if key and key != generators)])


def _by_symbol(generators: Iterable[Any]) -> list[frozenset[Any]]:
    groups: dict[Any, set[Any]] = {}
    for generator in generators:
        for symbol in sorted(generator.free_symbols, key=lambda each: each.name):
            groups.setdefault(symbol, set()).add(generator)
    return list(map(frozenset, groups.values()))


def _grouped(expr: Any, keys: frozenset[Any]) -> Any:
    groups: dict[Any, list[Any]] = {}
    for term in expr.args:
        factors = sympy.Mul.make_args(term)
        front = sympy.Mul(*(factor for factor in factors if factor.as_base_exp()[0] in keys))
        groups.setdefault(front, []).append(term / front)
    rest = groups.pop(sympy.S.One, [])
    parts = [_product(front, _inside(terms)) for front, terms in groups.items()]
    return sympy.Add(*parts, *rest, evaluate=False)


def _inside(terms: list[Any]) -> Any:
    total = sympy.Add(*terms)
    return tidy(total) if len(terms) <= _FEW else total


def _product(front: Any, inside: Any) -> Any:
    """``front * inside`` with the sign of a sum in front, where all of it is negative."""
    if inside.is_Add and all(term.could_extract_minus_sign() for term in inside.args):
        return sympy.Mul(-1, front, -inside)
    return front * inside


def hide(*exprs: Any) -> Any:
    """Expressions with their functions (floors ...) replaced by symbols, so that sympy sees polynomials.

    Returns:
        The expressions (one, or a list where several were given), and what :func:`show` needs to undo it.
    """
    functions = sorted({atom for expr in exprs for atom in expr.atoms(sympy.Function)}, key=lambda f: f.sort_key())
    outermost = [f for f in functions if not any(f != other and other.has(f) for other in functions)]
    there = {f: sympy.Dummy(f"f{index}", positive=True) for index, f in enumerate(outermost)}
    hidden = [expr.xreplace(there) for expr in exprs]
    back = {dummy: f for f, dummy in there.items()}
    return (hidden[0] if len(hidden) == 1 else hidden), back


def show(expr: Any, back: dict[Any, Any]) -> Any:
    """Undo :func:`hide`."""
    return expr.xreplace(back)


def shortest(candidates: Iterable[Any]) -> Any:
    """The candidate with the fewest characters, approximately; the first of equals."""
    return min(candidates, key=length)


@lru_cache(maxsize=8192)
def length(expr: Any) -> int:
    """About how many characters the text of ``expr`` has; writing it would take far longer."""
    if expr.is_Symbol:
        return len(expr.name)
    if expr.is_Number:
        return len(str(expr))
    parts = [length(argument) + 2 * (argument.is_Add and not expr.is_Add) for argument in expr.args]
    if expr.is_Add:
        return sum(parts) + 3 * (len(parts) - 1)
    if isinstance(expr, sympy.Function):
        return sum(parts) + _CALL
    if expr.is_Pow and expr.exp == -1:
        return parts[0] + 1
    return sum(parts) + len(parts) - 1
