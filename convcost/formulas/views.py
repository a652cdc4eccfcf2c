"""The forms of a closed form: exact, with named parts, on one residue class of sizes, or without rounding."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.errors import UsageError, unknown
from convcost.formulas.simplify import collected
from convcost.formulas.subexpressions import Let, groups, named
from convcost.metrics.quantities import QUANTITIES
from convcost.numbers.arithmetic import normal
from convcost.numbers.printing import text
from convcost.numbers.symbols import CeilDiv, FloorDiv, MakeDivisible, RoundEven, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from convcost.formulas.closed import Formula

VIEWS = ("exact", "named", "ideal", "unrounded")
READABLE = 160  # characters of a total that a reader still takes in
_ROUNDING = (FloorDiv, CeilDiv, MakeDivisible, RoundEven)
_FACTOR = sympy.Symbol("C", positive=True, integer=True)  # written c; a capital stands before other names


class Residue(NamedTuple):
    """A size written as ``period * symbol + rest``, so that what is divided comes out even."""

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
        return (self.size - self.rest) / self.period


class View(NamedTuple):
    """Closed forms in one shape.

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

    kind: str
    exprs: dict[str, Any]
    symbols: tuple[Any, ...]
    values: dict[Any, Any]
    lets: tuple[Let, ...] = ()
    residues: tuple[Residue, ...] = ()
    rounded: tuple[str, ...] = ()
    groups: tuple[frozenset[Any], ...] = ()
    change: Callable[[Any], Any] = lambda expr: expr

    def shown(self, quantity: str) -> Any:
        """The form the way a person would write it."""
        return collected(self.exprs[quantity], self.groups)

    @property
    def exact(self) -> bool:
        """Whether the forms hold to the unit."""
        return not self.rounded

    @property
    def where(self) -> tuple[str, ...]:
        """The meaning of its names, and what was left out, as text."""
        lets = (f"{let.name.name} = {text(let.stands_for)}" for let in self.lets)
        return (*lets, *(one.text for one in self.residues), *self.rounded)

    def value(self, quantity: str) -> Any:
        """The number at the witness; a fraction where rounding was left out."""
        values = dict(self.values)
        for let in self.lets:
            values[let.name] = evaluate(let.stands_for, values)
        return normal(Fraction(evaluate(self.exprs[quantity], values)))


def view(formula: Formula, kind: str, quantities: Iterable[str] = tuple(QUANTITIES)) -> View:
    """The totals of ``formula`` in one shape.

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
        together = groups(lets, exact.symbols)
        return exact._replace(kind=kind, exprs=exprs, lets=lets, groups=together, change=_naming(lets))
    ideal = _ideal(exact)
    return ideal if kind == "ideal" else _unrounded(ideal)


def _naming(lets: Sequence[Let]) -> Callable[[Any], Any]:
    names = {let.whole: let.name for let in lets}
    return lambda expr: expr.xreplace(names)


def _exact(formula: Formula, quantities: Iterable[str]) -> View:
    exprs = {name: formula.totals[name].expr for name in quantities}
    return View("exact", exprs, tuple(formula.symbols.values()), formula.values)


def readable(
    formula: Formula, quantities: Sequence[str] = tuple(QUANTITIES), judged: Sequence[str] = ("params", "macs")
) -> View:
    """The exact forms if a reader can take them in, else the same with names for what is rounded.

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
    """Whether a form is readable; what is very long before terms are collected is not tried."""
    return len(text(exact.exprs[quantity])) <= 2 * READABLE and len(text(exact.shown(quantity))) <= READABLE


def _ideal(exact: View) -> View:
    """Every size on the residue class of its value, where floors of it collapse."""
    divided = periods(exact.exprs.values())
    taken = {one.name for one in exact.symbols}
    residues = []
    for size in sorted(divided, key=lambda one: one.sort_key()):
        number = evaluate(size, exact.values)
        name = _short(size, taken)
        taken.add(name)
        new = sympy.Symbol(name, positive=True, integer=True)
        residues.append(Residue(size, new, divided[size], int(number) % divided[size]))
    there = {one.size: one.period * one.symbol + one.rest for one in residues}

    def change(expr: Any) -> Any:
        return sympy.expand(expr.xreplace(there))

    exprs = {name: change(expr) for name, expr in exact.exprs.items()}
    values, symbols = dict(exact.values), list(exact.symbols)
    for one in residues:
        values[one.symbol] = Fraction(evaluate(one.size, exact.values) - one.rest, one.period)
        if one.size in symbols:
            symbols[symbols.index(one.size)] = one.symbol
        else:
            symbols.append(one.symbol)
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
    found: dict[Any, int] = {}
    floors: set[Any] = set().union(*(expr.atoms(FloorDiv) for expr in exprs))
    for floor in floors:
        for size in _sizes(floor):
            found[size] = lcm(found.get(size, 1), _divisor(floor))
    return {size: period for size, period in found.items() if period > 1}


def _sizes(floor: Any) -> set[Any]:
    """The whole numbers that a floor of whole numbers is made of; none of a floor of a ratio."""
    found: set[Any] = set()
    for argument in floor.args:
        for part in _whole_parts(argument):
            if part is None:
                return set()
            found.add(part)
    return found


def _whole_parts(expr: Any) -> Iterable[Any]:
    if expr.is_Number:
        return
    if isinstance(expr, FloorDiv) and _sizes(expr):
        yield from _sizes(expr)
    elif expr.is_Symbol or isinstance(expr, sympy.Function):
        yield expr if expr.is_integer else None
    else:
        for argument in expr.args:
            yield from _whole_parts(argument)


def _divisor(floor: Any) -> int:
    inner = lcm(*(_divisor(one) for argument in floor.args for one in argument.atoms(FloorDiv)))
    return inner * (int(floor.args[1]) if floor.args[1].is_Integer else 1)


def _short(size: Any, taken: Collection[str]) -> str:
    """``r`` for ``size`` (a resolution), the small letter of a capital, else any letter that is free."""
    name = size.name if size.is_Symbol else "r"
    wanted = name.lower() if len(name) == 1 else "r"
    return next(one for one in (wanted, *"rnmhwuvpqxyz", f"{wanted}_") if one not in taken)


def _unrounded(ideal: View) -> View:
    """Widths as they are before rounding; sizes that are themselves rounded, likewise."""
    there = {one.symbol: _plain(one.back) for one in ideal.residues if not one.size.is_Symbol}
    rounding = {one.size for one in ideal.residues if one.symbol in there}
    rounding |= {atom for expr in ideal.exprs.values() for atom in expr.atoms(*_ROUNDING) if _plain(atom) != atom}

    def change(expr: Any) -> Any:
        return sympy.expand(_plain(ideal.change(expr).xreplace(there)))

    exprs = {name: sympy.expand(_plain(expr.xreplace(there))) for name, expr in ideal.exprs.items()}
    patterns = [_pattern(atom) for atom in sorted(rounding, key=lambda one: one.sort_key())]
    letter = {_FACTOR: "c"}
    rounded = dict.fromkeys(f"{text(one, letter)} as {text(_plain(one), letter)}" for one in patterns)
    symbols = tuple(one for one in ideal.symbols if one not in there)
    kept = tuple(one for one in ideal.residues if one.symbol not in there)
    return ideal._replace(
        kind="unrounded", exprs=exprs, symbols=symbols, residues=kept, rounded=tuple(rounded), change=change
    )


def _pattern(expr: Any) -> Any:
    """``expr`` with a letter for what a ratio is multiplied by, so that one line stands for all widths."""
    coefficient, rest = expr.as_coeff_Mul()
    if coefficient != 1 and coefficient.is_Integer and rest.is_Symbol and not rest.is_integer:
        return _FACTOR * rest
    return expr.func(*(_pattern(argument) for argument in expr.args)) if expr.args else expr


def _plain(expr: Any) -> Any:
    """``expr`` without the rounding of ratios."""
    if not expr.args:
        return expr
    arguments = [_plain(argument) for argument in expr.args]
    if isinstance(expr, FloorDiv | CeilDiv) and any(not one.is_integer for one in expr.free_symbols):
        return arguments[0] / arguments[1]
    if isinstance(expr, MakeDivisible | RoundEven):
        return arguments[0]
    return expr.func(*arguments)
