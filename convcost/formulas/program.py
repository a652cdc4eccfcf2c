"""A closed form as a list of operations on whole numbers, from which code in any language is generated.

A ratio such as ``alpha`` is a numerator and a denominator; every floor and rounded width becomes one statement on
whole numbers, so that nothing is rounded by accident.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, Any, NamedTuple

import sympy

from convcost.errors import UnsupportedError
from convcost.formulas.subexpressions import Let, groups, named
from convcost.numbers import arithmetic as algebra
from convcost.numbers.printing import text
from convcost.numbers.symbols import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven, terms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from convcost.numbers.arithmetic import Num

OPERATIONS = {
    FloorDiv: "floor_div",
    MakeDivisible: "make_divisible",
    RoundEven: "round_even",
    Gcd: "gcd",
    Maximum: "maximum",
    Minimum: "minimum",
}


class Parameter(NamedTuple):
    """An argument: a whole number, or a ratio given as two of them."""

    name: str
    parts: tuple[Any, ...]


class Statement(NamedTuple):
    """``name = operation(*arguments)``, all polynomials with whole coefficients.

    ``floor_div(top, bottom)``, ``round_even(top, bottom)``, ``make_divisible(top, bottom, step)`` take a fraction
    with a positive bottom; ``gcd``, ``maximum`` and ``minimum`` take whole numbers.
    """

    name: Any
    operation: str
    arguments: tuple[Any, ...]


class Program:
    """Statements, then a fraction per output, which comes out whole wherever the closed form holds."""

    def __init__(
        self, parameters: Sequence[Parameter], statements: Sequence[Statement], outputs: Mapping[str, tuple[Any, Any]]
    ) -> None:
        self.parameters = tuple(parameters)
        self.statements = tuple(statements)
        self.outputs = dict(outputs)
        self._compiled: Callable[[Sequence[int]], dict[str, Num]] | None = None

    @property
    def groups(self) -> tuple[frozenset[Any], ...]:
        """Names that belong together when terms are collected; see :func:`convcost.formulas.simplify.collected`."""
        lets = [Let(one.name, sympy.Add(*one.arguments), None) for one in self.statements]
        return groups(lets, [part for parameter in self.parameters for part in parameter.parts])

    def run(self, values: Mapping[str, Num]) -> dict[str, Num]:
        """The outputs with these numbers for the free names: exact, a fraction where it does not come out whole."""
        numbers: list[int] = []
        for parameter in self.parameters:
            value = Fraction(values[parameter.name])
            numbers += [value.numerator, value.denominator][: len(parameter.parts)]
        if self._compiled is None:
            self._compiled = _compiled(self)
        return self._compiled(numbers)


def program(exprs: Mapping[str, Any], symbols: Sequence[Any], reserved: Collection[str] = ()) -> Program:
    """The program that computes ``exprs``.

    Args:
        exprs: closed forms by the name of their output.
        symbols: the free names, in the order of the arguments.
        reserved: words that no variable may be called.

    Raises:
        UnsupportedError: a width is rounded to something that is no whole number.
    """
    names = [one.name for one in symbols]
    parameters = [Parameter(one.name, _parts(one, {*names, *reserved} - ({one.name} - {*reserved}))) for one in symbols]
    used = {part.name for parameter in parameters for part in parameter.parts}
    shown, lets = named({name: _with_floors(expr) for name, expr in exprs.items()}, {*used, *names, *reserved})
    there = {
        symbol: parameter.parts[0] if len(parameter.parts) == 1 else parameter.parts[0] / parameter.parts[1]
        for symbol, parameter in zip(symbols, parameters, strict=True)
    }
    statements = []
    for let in lets:
        statement, stands_for = _statement(let.name, let.stands_for, there)
        statements.append(statement)
        there[let.name] = stands_for
    outputs = {name: _fraction(expr.xreplace(there)) for name, expr in shown.items()}
    return Program(parameters, statements, outputs)


def _with_floors(expr: Any) -> Any:
    """``expr`` with a floor in place of every ceiling: no language needs a rule for both."""
    if not expr.has(CeilDiv):
        return expr
    arguments = [_with_floors(argument) for argument in expr.args]
    if not isinstance(expr, CeilDiv):
        return expr.func(*arguments)
    return -FloorDiv(-arguments[0], arguments[1], evaluate=False)


def _parts(symbol: Any, taken: Collection[str]) -> tuple[Any, ...]:
    if symbol.is_integer:
        return (_whole(_free(symbol.name, taken)),)
    return tuple(_whole(_free(f"{symbol.name}_{part}", taken)) for part in ("num", "den"))


def _whole(name: str) -> Any:
    return sympy.Symbol(name, positive=True, integer=True)


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _statement(name: Any, expr: Any, there: Mapping[Any, Any]) -> tuple[Statement, Any]:
    operation = OPERATIONS[expr.func]
    arguments = [argument.xreplace(dict(there)) for argument in expr.args]
    if isinstance(expr, FloorDiv):
        return Statement(name, operation, _fraction(arguments[0] / arguments[1])), name
    if isinstance(expr, RoundEven):
        return Statement(name, operation, _fraction(arguments[0])), name
    if isinstance(expr, MakeDivisible):
        if not arguments[1].is_Integer:
            raise UnsupportedError(f"no code for a width that is rounded to {text(expr.args[1])}")
        return Statement(name, operation, (*_fraction(arguments[0]), arguments[1])), name
    fractions = [_fraction(argument) for argument in arguments]
    bottom = sympy.lcm_list([below for _, below in fractions])
    tops = tuple(sympy.expand(above * sympy.cancel(bottom / below)) for above, below in fractions)
    return Statement(name, operation, tops), name / bottom


def _fraction(expr: Any) -> tuple[Any, Any]:
    """``expr`` as a fraction of polynomials with whole coefficients.

    Raises:
        UnsupportedError: it has a root, or a name in an exponent.
    """
    for power in expr.atoms(sympy.Pow):
        if not power.exp.is_Integer:
            raise UnsupportedError(f"no code for {text(power)}: exponents must be whole numbers")
    if not any(_divides(one) for one in expr.atoms(sympy.Pow, sympy.Rational)):
        return sympy.expand(expr), sympy.S.One
    top, bottom = sympy.fraction(sympy.together(expr))
    return sympy.expand(top), sympy.expand(bottom)


def _divides(part: Any) -> bool:
    return not part.is_Integer if part.is_Rational else not (part.exp.is_Integer and part.exp > 0)


def _compiled(made: Program) -> Callable[[Sequence[int]], dict[str, Num]]:
    """A function of the arguments, in order; sympy is not asked any more."""
    places: dict[Any, int] = {}
    for parameter in made.parameters:
        for part in parameter.parts:
            places[part] = len(places)
    steps = []
    for statement in made.statements:
        steps.append((RULES[statement.operation], [_polynomial(one, places) for one in statement.arguments]))
        places[statement.name] = len(places)
    outputs = {name: [_polynomial(part, places) for part in both] for name, both in made.outputs.items()}

    def run(numbers: Sequence[int]) -> dict[str, Num]:
        values = list(numbers)
        for rule, arguments in steps:
            values.append(rule(*[_value(one, values) for one in arguments]))
        return {name: algebra.divide(_value(top, values), _value(low, values)) for name, (top, low) in outputs.items()}

    return run


_Polynomial = list[tuple[int, list[tuple[int, int]]]]


def _polynomial(expr: Any, places: Mapping[Any, int]) -> _Polynomial:
    """Coefficients, each with the places and powers of its factors."""
    terms = []
    for monomial, coefficient in terms_of(expr).items():
        factors = [one.as_base_exp() for one in sympy.Mul.make_args(monomial) if not one.is_Number]
        terms.append((int(coefficient), [(places[base], int(power)) for base, power in factors]))
    return terms


def _value(polynomial: _Polynomial, values: Sequence[int]) -> int:
    total = 0
    for coefficient, factors in polynomial:
        term = coefficient
        for place, power in factors:
            term *= values[place] ** power
        total += term
    return total


def _make_divisible(top: int, bottom: int, step: int) -> int:
    return int(algebra.make_divisible(Fraction(top, bottom), step))


RULES: dict[str, Callable[..., int]] = {
    "floor_div": lambda top, bottom: top // bottom,
    "gcd": gcd,
    "make_divisible": _make_divisible,
    "round_even": lambda top, bottom: round(Fraction(top, bottom)),
    "maximum": max,
    "minimum": min,
}
