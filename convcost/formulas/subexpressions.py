"""Common subexpressions: floors and rounded widths get short names, which keeps long formulas and code readable.

``w32 = make_divisible(32*alpha, 8)`` is defined once, and the formula contains ``w32``.
"""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.numbers.printing import floor_or_ceiling
from convcost.numbers.symbols import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven

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
    used = {*taken, *(symbol.name for expr in exprs.values() for symbol in expr.free_symbols)}
    symbols: dict[Any, Any] = {}
    lets = []
    for function in _in_order(exprs.values()):
        value = function.func(*(argument.xreplace(symbols) for argument in function.args), evaluate=False)
        name = _free(_name(value), used)
        used.add(name)
        symbols[function] = sympy.Symbol(name, positive=True, integer=bool(function.is_integer) or None)
        lets.append(Let(symbols[function], value, function))
    return {key: expr.xreplace(symbols) for key, expr in exprs.items()}, tuple(lets)


def _in_order(exprs: Iterable[Any]) -> list[Any]:
    """Every function in ``exprs``, each after those inside it; sizes by their divisor, widths by their factor."""
    functions: set[Any] = set().union(*(expr.atoms(sympy.Function) for expr in exprs))
    return sorted(functions, key=lambda f: (_depth(f), _divisor(f), _factor(f), f.sort_key()))


def _depth(function: Any) -> int:
    inner = set().union(*(argument.atoms(sympy.Function) for argument in function.args))
    return 1 + max(map(_depth, inner), default=0)


def _divisor(function: Any) -> int:
    divides = isinstance(function, FloorDiv | CeilDiv) and function.args[1].is_Integer
    return int(function.args[1]) if divides else 0


def _factor(function: Any) -> float:
    """The factor of the symbol, in a function of a single term: 32 in ``make_divisible(32*alpha, 8)``."""
    return float(function.args[0].as_coeff_Mul()[0]) if not function.args[0].is_Add else 0.0


def _name(function: Any) -> str:
    """``w32`` for a width of 32 times a ratio, ``s4`` for a size divided by 4, else a letter for the function."""
    symbols = sorted(function.free_symbols, key=lambda symbol: symbol.name)
    if len(symbols) == 1 and isinstance(function, FloorDiv) and symbols[0].is_integer:
        _, _, divisor = floor_or_ceiling(function)
        return f"{symbols[0].name[0].lower()}{divisor}"
    if _is_multiple(function):
        return f"w{function.args[0].as_coeff_Mul()[0]}"
    return _LETTER[type(function)]


def _is_multiple(function: Any) -> bool:
    """Whether ``function`` rounds a whole multiple of a ratio, as widths do."""
    factor, rest = function.args[0].as_coeff_Mul()
    rounds = isinstance(function, FloorDiv | CeilDiv | MakeDivisible)
    return bool(rounds and factor.is_Integer and factor > 0 and rest.is_Symbol)


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
        sources[name] = set().union(*(sources[symbol] for symbol in value.free_symbols))
    return tuple(frozenset(name for name, source in sources.items() if symbol in source) for symbol in symbols)
