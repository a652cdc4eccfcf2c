"""Common subexpressions: floors and rounded widths get short names, which keeps long formulas readable.

``w32 = make_divisible(32*alpha, 8)`` is defined once, and the formula contains ``w32``.
"""

from __future__ import annotations

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
        name: a symbol.
        stands_for: with earlier lets in it.
        whole: the same in free names only.
    """

    name: Any
    stands_for: Any
    whole: Any


def named(exprs: Mapping[str, Any], taken: Collection[str] = ()) -> tuple[dict[str, Any], tuple[Let, ...]]:
    """``exprs`` with a name in place of every function, and the names in the order they must be computed.

    Args:
        exprs: by any key.
        taken: names that are in use already.
    """
    atoms = _in_order(exprs.values())
    used = {*taken, *(one.name for expr in exprs.values() for one in expr.free_symbols)}
    names: dict[Any, Any] = {}
    lets = []
    for atom in atoms:
        inside = atom.func(*(argument.xreplace(names) for argument in atom.args), evaluate=False)
        name = _free(_name(inside), used)
        used.add(name)
        names[atom] = sympy.Symbol(name, positive=True, integer=bool(atom.is_integer) or None)
        lets.append(Let(names[atom], inside, atom))
    return {key: expr.xreplace(names) for key, expr in exprs.items()}, tuple(lets)


def _in_order(exprs: Iterable[Any]) -> list[Any]:
    """Every function in ``exprs``, each after those inside it; sizes by what divides them, widths by their factor."""
    found: set[Any] = set().union(*(expr.atoms(sympy.Function) for expr in exprs))
    return sorted(found, key=lambda one: (_depth(one), _divisor(one), _factor(one), one.sort_key()))


def _depth(atom: Any) -> int:
    inner = set().union(*(argument.atoms(sympy.Function) for argument in atom.args))
    return 1 + max(map(_depth, inner), default=0)


def _divisor(atom: Any) -> int:
    return int(atom.args[1]) if isinstance(atom, FloorDiv | CeilDiv) and atom.args[1].is_Integer else 0


def _factor(atom: Any) -> float:
    """What the symbol is multiplied by, in a function of one term: 32 in ``make_divisible(32*alpha, 8)``."""
    return float(atom.args[0].as_coeff_Mul()[0]) if not atom.args[0].is_Add else 0.0


def _name(atom: Any) -> str:
    """``w32`` for a width of 32 times a ratio, ``s4`` for a size divided by 4, else a letter for the function."""
    symbols = sorted(atom.free_symbols, key=lambda one: one.name)
    if len(symbols) == 1 and isinstance(atom, FloorDiv) and symbols[0].is_integer:
        _, _, divisor = floor_or_ceiling(atom)
        return f"{symbols[0].name[0].lower()}{divisor}"
    if _is_multiple(atom):
        return f"w{atom.args[0].as_coeff_Mul()[0]}"
    return _LETTER[type(atom)]


def _is_multiple(atom: Any) -> bool:
    """Whether ``atom`` rounds a whole multiple of a ratio, as widths are."""
    factor, rest = atom.args[0].as_coeff_Mul()
    return bool(
        isinstance(atom, FloorDiv | CeilDiv | MakeDivisible) and factor.is_Integer and factor > 0 and rest.is_Symbol
    )


def _free(name: str, used: Collection[str]) -> str:
    if name not in used:
        return name
    separator = "" if name[-1].isdigit() else "_"
    letters: Sequence[str] = [*_LETTERS, *(f"{a}{b}" for a in _LETTERS for b in _LETTERS)]
    return next(candidate for one in letters if (candidate := f"{name}{separator}{one}") not in used)


def groups(lets: Iterable[Let], symbols: Sequence[Any]) -> tuple[frozenset[Any], ...]:
    """For each of ``symbols``, the names of functions of that symbol alone, with the symbol itself."""
    sources: dict[Any, set[Any]] = {one: {one} for one in symbols}
    for let in lets:
        sources[let.name] = set().union(*(sources[one] for one in let.stands_for.free_symbols))
    return tuple(frozenset(name for name, source in sources.items() if symbol in source) for symbol in symbols)
