"""Common subexpressions: floors and rounded widths get short names, which keeps long formulas and code readable.

``w32 = make_divisible(32*alpha, 8)`` is defined once, and the formula contains ``w32``.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.numbers.functions import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import Symbol, functions_in, replaced, single, sort_key, symbols_in, terms_in
from convcost.numbers.printing import floor_or_ceiling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

_LETTER = {FloorDiv: "q", CeilDiv: "q", MakeDivisible: "w", RoundEven: "n", Gcd: "d", Maximum: "most", Minimum: "least"}
_LETTERS = "bcdefghijklmnopqrstuvwxyz"


class Let(NamedTuple):
    """A name for a function, and its value: an expression of free names and of earlier lets.

    Attributes:
        symbol: the name.
        value: with earlier lets in it.
        full: the same in free names only.
    """

    symbol: Any
    value: Any
    full: Any


def named(exprs: Mapping[str, Any], taken: Collection[str] = ()) -> tuple[dict[str, Any], tuple[Let, ...]]:
    """``exprs`` with a name in place of every function, and the names in the order of computation.

    Args:
        exprs: by any key.
        taken: names that are in use already.
    """
    used = {*taken, *(symbol.name for expr in exprs.values() for symbol in symbols_in(expr))}
    symbols: dict[Any, Any] = {}
    lets = []
    for function in _in_order(exprs.values()):
        value = function.bare(*(replaced(argument, symbols) for argument in function.args))
        name = _free(_name(value), used)
        used.add(name)
        symbols[function] = Symbol(name, whole=function.whole)
        lets.append(Let(symbols[function], value, function))
    return {key: replaced(expr, symbols) for key, expr in exprs.items()}, tuple(lets)


def _in_order(exprs: Iterable[Any]) -> list[Any]:
    """Every function in ``exprs``, each after those inside it; sizes by their divisor, widths by their factor."""
    return sorted(functions_in(*exprs), key=lambda f: (_depth(f), _divisor(f), _factor(f), sort_key(f)))


def _depth(function: Any) -> int:
    return 1 + max(map(_depth, functions_in(*function.args)), default=0)


def _divisor(function: Any) -> int:
    divides = isinstance(function, FloorDiv | CeilDiv) and type(function.args[1]) is int
    return function.args[1] if divides else 0


def _factor(function: Any) -> float:
    """The factor of the symbol, in a function of a single term: 32 in ``make_divisible(32*alpha, 8)``."""
    terms = terms_in(function.args[0])
    return float(next(iter(terms.values()))) if len(terms) == 1 else 0.0


def _name(function: Any) -> str:
    """``w32`` for a width of 32 times a ratio, ``s4`` for a size divided by 4, else a letter for the function."""
    symbols = sorted(function.symbols, key=lambda symbol: symbol.name)
    if len(symbols) == 1 and isinstance(function, FloorDiv) and symbols[0].whole:
        _, _, divisor = floor_or_ceiling(function)
        return f"{symbols[0].name[0].lower()}{divisor}"
    if _is_multiple(function):
        return f"w{next(iter(terms_in(function.args[0]).values()))}"
    return _LETTER[type(function)]


def _is_multiple(function: Any) -> bool:
    """Whether ``function`` rounds a whole multiple of a ratio, as widths do."""
    terms = terms_in(function.args[0])
    if len(terms) != 1 or not isinstance(function, FloorDiv | CeilDiv | MakeDivisible):
        return False
    ((monomial, factor),) = terms.items()
    return type(factor) is int and factor > 0 and isinstance(single(monomial), Symbol)


def _free(name: str, used: Collection[str]) -> str:
    if name not in used:
        return name
    separator = "" if name[-1].isdigit() else "_"
    letters = chain(_LETTERS, map("".join, product(_LETTERS, _LETTERS)))
    return next(new for letter in letters if (new := f"{name}{separator}{letter}") not in used)


def groups(definitions: Iterable[tuple[Any, Any]], symbols: Sequence[Any]) -> tuple[frozenset[Any], ...]:
    """For each of ``symbols``, the names that depend on that symbol alone, with the symbol itself.

    Args:
        definitions: names with their values, which are expressions of ``symbols`` and of earlier names.
        symbols: the free names.
    """
    sources: dict[Any, set[Any]] = {symbol: {symbol} for symbol in symbols}
    for name, value in definitions:
        sources[name] = set().union(*(sources[symbol] for symbol in symbols_in(value)))
    return tuple(frozenset(name for name, source in sources.items() if symbol in source) for symbol in symbols)
