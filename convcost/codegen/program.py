"""A closed form as a list of operations on whole numbers, from which code in any language is generated.

A ratio such as ``alpha`` is a numerator and a denominator; every floor and rounded width is a statement on whole
numbers, so that nothing is rounded by accident.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcost.errors import UnsupportedError
from convcost.formulas.subexpressions import groups, named
from convcost.numbers.functions import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import (
    Power,
    Symbol,
    common_divisor,
    expanded,
    factors_of,
    functions_in,
    inverse,
    outermost,
    over_common,
    replaced,
    term,
    without_divisors,
)
from convcost.numbers.printing import text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Operation: TypeAlias = Literal["floor_div", "make_divisible", "round_even", "gcd", "maximum", "minimum"]

OPERATIONS: dict[Any, Operation] = {
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
    """``symbol = operation(*arguments)``, all polynomials with whole coefficients.

    ``floor_div(top, bottom)``, ``round_even(top, bottom)``, ``make_divisible(top, bottom, step)`` take a fraction
    with a positive bottom; ``gcd``, ``maximum`` and ``minimum`` take whole numbers.
    """

    symbol: Any
    operation: Operation
    arguments: tuple[Any, ...]


class Program(NamedTuple):
    """Statements, then a fraction per output, which is whole wherever the closed form holds."""

    parameters: tuple[Parameter, ...]
    statements: tuple[Statement, ...]
    outputs: dict[str, tuple[Any, Any]]

    @property
    def arguments(self) -> list[Any]:
        """A symbol for every whole number that is passed in."""
        return [part for parameter in self.parameters for part in parameter.parts]

    @property
    def groups(self) -> tuple[frozenset[Any], ...]:
        """Names that belong together when terms are collected; see :func:`convcost.formulas.simplify.collected`."""
        return groups(((line.symbol, sum(line.arguments)) for line in self.statements), self.arguments)


def program(exprs: Mapping[str, Any], symbols: Sequence[Any], reserved: Collection[str] = ()) -> Program:
    """The program that computes ``exprs``.

    Args:
        exprs: closed forms by the name of their output.
        symbols: the free names, in the order of the arguments.
        reserved: words that no variable may be called.

    Raises:
        UnsupportedError: a width is rounded to a step that is not a whole number, or there is a root.
    """
    names = {symbol.name for symbol in symbols}
    parameters = tuple(
        Parameter(symbol.name, _parts(symbol, names - {symbol.name} | {*reserved})) for symbol in symbols
    )
    used = {part.name for parameter in parameters for part in parameter.parts}
    outputs, lets = named({name: _with_floors(expr) for name, expr in exprs.items()}, {*used, *names, *reserved})
    values = {
        symbol: parameter.parts[0] if len(parameter.parts) == 1 else parameter.parts[0] / parameter.parts[1]
        for symbol, parameter in zip(symbols, parameters, strict=True)
    }
    statements = []
    for let in lets:
        statement, values[let.symbol] = _statement(let.symbol, let.value, values)
        statements.append(statement)
    return Program(
        parameters, tuple(statements), {name: _fraction(replaced(expr, values)) for name, expr in outputs.items()}
    )


def _with_floors(value: Any) -> Any:
    """``value`` with a floor in place of every ceiling: no language needs a rule for both."""
    if not any(isinstance(function, CeilDiv) for function in functions_in(value)):
        return value
    return replaced(value, {function: _with_floor(function) for function in outermost(value)})


def _with_floor(function: Any) -> Any:
    arguments = [_with_floors(argument) for argument in function.args]
    if isinstance(function, CeilDiv):
        return -FloorDiv.bare(-arguments[0], arguments[1])
    return type(function)(*arguments)


def _parts(symbol: Any, taken: Collection[str]) -> tuple[Any, ...]:
    if symbol.whole:
        return (Symbol(_free(symbol.name, taken)),)
    return tuple(Symbol(_free(f"{symbol.name}_{part}", taken)) for part in ("num", "den"))


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _statement(symbol: Any, expr: Any, values: Mapping[Any, Any]) -> tuple[Statement, Any]:
    """The statement that computes ``expr``, and the value of ``expr`` in terms of its result."""
    operation = OPERATIONS[type(expr)]
    arguments = [replaced(argument, values) for argument in expr.args]
    if isinstance(expr, FloorDiv):
        return Statement(symbol, operation, _fraction(arguments[0] * inverse(arguments[1]))), symbol
    if isinstance(expr, RoundEven):
        return Statement(symbol, operation, _fraction(arguments[0])), symbol
    if isinstance(expr, MakeDivisible):
        if type(arguments[1]) is not int:
            raise UnsupportedError(f"no code for a width that is rounded to {text(expr.args[1])}")
        return Statement(symbol, operation, (*_fraction(arguments[0]), arguments[1])), symbol
    for argument in arguments:
        _check(argument)
    divisor = common_divisor(*arguments)
    tops = tuple(without_divisors(argument, *divisor) for argument in arguments)
    return Statement(symbol, operation, tops), symbol * inverse(term(*divisor))


def _fraction(value: Any) -> tuple[Any, Any]:
    """``value`` as a fraction of polynomials with whole coefficients.

    Raises:
        UnsupportedError: it has a root.
    """
    _check(value)
    top, bottom = over_common(value)
    return expanded(top), expanded(bottom)


def _check(value: Any) -> None:
    for atom, power in factors_of(value):
        if isinstance(atom, Power):
            raise UnsupportedError(f"no code for {text(term(((atom, power),)))}: exponents must be whole numbers")
