"""The forms of a closed form: exact, with named parts, on one residue class of sizes, or without rounding."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcost.errors import UsageError, unknown
from convcost.formulas.simplify import collected
from convcost.formulas.subexpressions import Let, groups, named
from convcost.metrics.quantities import QUANTITIES
from convcost.numbers.arithmetic import normal
from convcost.numbers.functions import ROUNDING, CeilDiv, FloorDiv, MakeDivisible, RoundEven
from convcost.numbers.polynomial import (
    Function,
    Symbol,
    atoms_of,
    functions_in,
    inverse,
    outermost,
    replaced,
    single,
    sort_key,
    term,
    terms_in,
    total,
)
from convcost.numbers.printing import text
from convcost.numbers.values import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from convcost.formulas.closed import Formula

Kind: TypeAlias = Literal["exact", "named", "ideal", "unrounded"]

VIEWS: tuple[Kind, ...] = ("exact", "named", "ideal", "unrounded")
READABLE = 160  # characters of a total that a reader still takes in
_FACTOR = Symbol("C")  # written c; a capital stands before other names


class Residue(NamedTuple):
    """A size written as ``period * symbol + rest``, so that its quotients have no remainder."""

    size: Any
    symbol: Any
    period: int
    rest: int

    @property
    def text(self) -> str:
        """``size = 32*r + 11``."""
        return f"{text(self.size)} = {text(self.period * self.symbol + self.rest)}"

    @property
    def back(self) -> Any:
        """The symbol as an expression of the size."""
        return (self.size - self.rest) * inverse(self.period)


class View(NamedTuple):
    """Closed forms of one kind.

    Attributes:
        kind: one of :data:`VIEWS`.
        exprs: by quantity.
        symbols: the names that the expressions are over, in the order of the free names they come from.
        values: the witness, in these names.
        lets: names for parts, in the order they are computed; what they stand for is exact.
        residues: sizes that are written in another variable.
        rounded: what rounding was left out, as text; empty where the forms are exact.
        groups: names that belong together when terms are collected.
        change: from an exact expression to this shape.
    """

    kind: Kind
    exprs: dict[str, Any]
    symbols: tuple[Any, ...]
    values: dict[Any, Any]
    lets: tuple[Let, ...] = ()
    residues: tuple[Residue, ...] = ()
    rounded: tuple[str, ...] = ()
    groups: tuple[frozenset[Any], ...] = ()
    change: Callable[[Any], Any] = lambda expr: expr

    def shown(self, quantity: str) -> Any:
        """The form as a reader would write it."""
        return collected(self.exprs[quantity], self.groups)

    @property
    def exact(self) -> bool:
        """Whether the forms are exact."""
        return not self.rounded

    @property
    def where(self) -> tuple[str, ...]:
        """The meaning of its names, and what was left out, as text."""
        lets = (f"{let.symbol.name} = {text(let.value)}" for let in self.lets)
        return (*lets, *(residue.text for residue in self.residues), *self.rounded)

    def value(self, quantity: str) -> Any:
        """The number at the witness; a fraction where rounding was left out."""
        full = replaced(self.exprs[quantity], {let.symbol: let.full for let in self.lets})
        return normal(evaluate(full, self.values))


def view(formula: Formula, kind: str, quantities: Iterable[str] = tuple(QUANTITIES)) -> View:
    """The totals of ``formula`` as one kind of form.

    Args:
        formula: closed forms.
        quantities: which totals.
        kind: ``exact``; ``named``, the same with names for what is rounded; ``ideal``, exact for sizes that leave
            the rest of the default when divided; ``unrounded``, ideal and with widths not rounded.

    Raises:
        UsageError: there is no such shape.
    """
    if kind not in VIEWS:
        raise UsageError(unknown("form", kind, VIEWS))
    exact = _exact(formula, quantities)
    if kind == "exact":
        return exact
    if kind == "named":
        exprs, lets = named(exact.exprs, formula.graph.parameters)
        together = groups(((let.symbol, let.value) for let in lets), exact.symbols)
        return exact._replace(kind="named", exprs=exprs, lets=lets, groups=together, change=_naming(lets))
    ideal = _ideal(exact)
    return ideal if kind == "ideal" else _unrounded(ideal)


def _naming(lets: Sequence[Let]) -> Callable[[Any], Any]:
    names = {let.full: let.symbol for let in lets}
    return lambda expr: replaced(expr, names)


def _exact(formula: Formula, quantities: Iterable[str]) -> View:
    exprs = {name: formula.totals[name].polynomial for name in quantities}
    return View("exact", exprs, tuple(formula.symbols.values()), formula.values)


def readable(
    formula: Formula, quantities: Sequence[str] = tuple(QUANTITIES), judged: Sequence[str] = ("params", "macs")
) -> View:
    """The exact forms if they are short enough to read, else the same with names for roundings.

    Args:
        formula: closed forms.
        quantities: which totals.
        judged: those of them that must be short enough; the others are as long as they are.
    """
    exact = view(formula, "exact", quantities)
    if all(_is_short(exact, name) for name in judged if name in exact.exprs):
        return exact
    with_names = view(formula, "named", quantities)
    return with_names if with_names.lets else exact


def _is_short(exact: View, quantity: str) -> bool:
    """Whether a form is short enough to read; a form that is very long before terms are collected is not tried."""
    return len(text(exact.exprs[quantity])) <= 2 * READABLE and len(text(exact.shown(quantity))) <= READABLE


def _ideal(exact: View) -> View:
    """Every size on the residue class of its value, where floors of it collapse."""
    divided = periods(exact.exprs.values())
    taken = {symbol.name for symbol in exact.symbols}
    residues = []
    for size in sorted(divided, key=sort_key):
        number = evaluate(size, exact.values)
        name = _short(size, taken)
        taken.add(name)
        new = Symbol(name)
        residues.append(Residue(size, new, divided[size], int(number) % divided[size]))
    there = {residue.size: residue.period * residue.symbol + residue.rest for residue in residues}

    def change(expr: Any) -> Any:
        return replaced(expr, there)

    exprs = {name: change(expr) for name, expr in exact.exprs.items()}
    values, symbols = dict(exact.values), list(exact.symbols)
    for residue in residues:
        values[residue.symbol] = Fraction(evaluate(residue.size, exact.values) - residue.rest, residue.period)
        if residue.size in symbols:
            symbols[symbols.index(residue.size)] = residue.symbol
        else:
            symbols.append(residue.symbol)
    return exact._replace(
        kind="ideal",
        exprs=exprs,
        symbols=tuple(symbols),
        values=values,
        residues=tuple(residues),
        change=change,
    )


def periods(exprs: Iterable[Any]) -> dict[Any, int]:
    """What each size in ``exprs`` is divided by: whole symbols, and roundings of a ratio such as ``round(224*rho)``."""
    result: dict[Any, int] = {}
    floors = [function for function in functions_in(*exprs) if isinstance(function, FloorDiv)]
    for floor in floors:
        for size in _sizes(floor):
            result[size] = lcm(result.get(size, 1), _divisor(floor))
    return {size: period for size, period in result.items() if period > 1}


def _sizes(floor: Any) -> set[Any]:
    """The whole numbers in a floor of whole numbers; none for a floor of a ratio."""
    sizes: set[Any] = set()
    for atom in (atom for argument in floor.args for atom in atoms_of(argument)):
        inner = _sizes(atom) if isinstance(atom, FloorDiv) else set()
        if not inner and not (atom.whole and isinstance(atom, Symbol | Function)):
            return set()
        sizes |= inner or {atom}
    return sizes


def _divisor(floor: Any) -> int:
    floors = [function for function in functions_in(*floor.args) if isinstance(function, FloorDiv)]
    return lcm(*map(_divisor, floors)) * (floor.args[1] if type(floor.args[1]) is int else 1)


def _short(size: Any, taken: Collection[str]) -> str:
    """``r`` for ``size`` (a resolution), the small letter of a capital, else any letter that is free."""
    name = size.name if isinstance(size, Symbol) else "r"
    wanted = name.lower() if len(name) == 1 else "r"
    return next(letter for letter in (wanted, *"rnmhwuvpqxyz", f"{wanted}_") if letter not in taken)


def _unrounded(ideal: View) -> View:
    """Widths as they are before rounding; sizes that are themselves rounded, likewise."""
    there = {residue.symbol: _plain(residue.back) for residue in ideal.residues if not isinstance(residue.size, Symbol)}
    rounding = {residue.size for residue in ideal.residues if residue.symbol in there}
    inside = [atom for atom in functions_in(*ideal.exprs.values()) if isinstance(atom, ROUNDING)]
    rounding |= {atom for atom in inside if _plain(atom) != atom}

    def change(expr: Any) -> Any:
        return _plain(replaced(ideal.change(expr), there))

    exprs = {name: _plain(replaced(expr, there)) for name, expr in ideal.exprs.items()}
    patterns = [_pattern(atom) for atom in sorted(rounding, key=sort_key)]
    letter = {_FACTOR: "c"}
    rounded = dict.fromkeys(f"{text(pattern, letter)} as {text(_plain(pattern), letter)}" for pattern in patterns)
    symbols = tuple(symbol for symbol in ideal.symbols if symbol not in there)
    kept = tuple(residue for residue in ideal.residues if residue.symbol not in there)
    return ideal._replace(
        kind="unrounded", exprs=exprs, symbols=symbols, residues=kept, rounded=tuple(rounded), change=change
    )


def _pattern(value: Any) -> Any:
    """``value`` with a letter for what a ratio is multiplied by, so that one line stands for all widths."""
    if isinstance(value, Function):
        return type(value)(*map(_pattern, value.args))
    parts = []
    for monomial, coefficient in terms_in(value).items():
        atom = single(monomial)
        if isinstance(atom, Symbol) and not atom.whole and type(coefficient) is int and coefficient != 1:
            parts.append(_FACTOR * atom)
        else:
            part = term(monomial, coefficient)
            parts.append(replaced(part, {function: _pattern(function) for function in outermost(part)}))
    return total(parts)


def _plain(value: Any) -> Any:
    """``value`` without the rounding of ratios."""
    return replaced(value, {function: _without_rounding(function) for function in outermost(value)})


def _without_rounding(function: Any) -> Any:
    arguments = [_plain(argument) for argument in function.args]
    if isinstance(function, FloorDiv | CeilDiv) and any(not symbol.whole for symbol in function.symbols):
        return arguments[0] * inverse(arguments[1])
    if isinstance(function, MakeDivisible | RoundEven):
        return arguments[0]
    return type(function)(*arguments)
