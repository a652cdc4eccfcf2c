"""Expressions as those of sympy and back: for factoring, cancelling and roots, and for callers who work with sympy."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import TYPE_CHECKING, Any

import sympy
from sympy.core.sympify import converter

from convcost.errors import UnsupportedError
from convcost.numbers import functions
from convcost.numbers.exact import normal
from convcost.numbers.polynomial import (
    Atom,
    Expr,
    Group,
    Power,
    Symbol,
    Value,
    factor,
    outermost,
    sort_key,
    times,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.numbers.exact import Number
    from convcost.numbers.polynomial import Monomial


class _Foreign(sympy.Function):
    """A function of sizes for sympy; its normal form is that of the expression."""

    is_real = True
    is_finite = True
    own: Any

    @classmethod
    def eval(cls, *args: Any) -> Any:
        """The normal form; None if it is already one."""
        values = tuple(map(from_sympy, args))
        form = cls.own(*values)
        return None if isinstance(form, cls.own) and form.args == values else to_sympy(form)

    def _eval_is_integer(self) -> bool | None:
        return True if from_sympy(self).whole else None

    def _eval_is_positive(self) -> bool | None:
        return True if self.own.positive else None


_OWN = (
    functions.FloorDiv,
    functions.CeilDiv,
    functions.MakeDivisible,
    functions.RoundEven,
    functions.Gcd,
    functions.Maximum,
    functions.Minimum,
)
_FOREIGN: dict[Any, Any] = {own: type(own.__name__, (_Foreign,), {"own": own}) for own in _OWN}


def to_sympy(value: Any) -> Any:
    """An exact number or an expression as an expression of sympy; one of sympy is returned unchanged."""
    if isinstance(value, bool):
        raise TypeError("a switch is no number")
    return value if isinstance(value, sympy.Basic) else _converted(value, {})


def hidden(*values: Value) -> tuple[list[Any], dict[Any, Atom]]:
    """Values as polynomials of sympy, with a symbol in place of every outermost function; and what each stands for."""
    there: dict[Atom, Any] = {
        function: sympy.Dummy(f"f{index}", positive=True)
        for index, function in enumerate(sorted(outermost(*values), key=sort_key))
    }
    return [_converted(value, there) for value in values], {dummy: atom for atom, dummy in there.items()}


def _converted(value: Value, there: Mapping[Atom, Any]) -> Any:
    if isinstance(value, int):
        return sympy.Integer(value)
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    if value == inf:
        return sympy.oo
    if not isinstance(value, Expr):
        raise TypeError(f"not a number or an expression: {value!r}")
    return sympy.Add(*(_term(monomial, coefficient, there) for monomial, coefficient in value.terms.items()))


def _term(monomial: Monomial, coefficient: Number, there: Mapping[Atom, Any]) -> Any:
    parts = [_atom(atom, there) ** power for atom, power in monomial]
    if coefficient != 1 and len(parts) == 1 and parts[0].is_Add:
        return sympy.Mul(_converted(coefficient, there), parts[0], evaluate=False)  # which would be multiplied out
    return sympy.Mul(_converted(coefficient, there), *parts)


def _atom(atom: Any, there: Mapping[Atom, Any]) -> Any:
    if atom in there:
        return there[atom]
    if isinstance(atom, Symbol):
        return _symbol(atom)
    if isinstance(atom, Group):
        return _converted(atom.inside, there)
    if isinstance(atom, Power):
        return _converted(atom.base, there) ** _converted(atom.exponent, there)
    return _FOREIGN[type(atom)](*(_converted(argument, there) for argument in atom.args), evaluate=False)


def _symbol(symbol: Symbol) -> Any:
    sign = {"positive": True} if symbol.positive else {"nonnegative": True}
    return sympy.Symbol(symbol.name, **sign, **({"integer": True} if symbol.whole else {"rational": True}))


def from_sympy(expr: Any, back: Mapping[Any, Atom] | None = None) -> Value:
    """An expression of sympy as one of this package, with its products of sums as they are.

    Args:
        expr: made of rational numbers, symbols, sums, products, powers and the functions of this package.
        back: what symbols stand for, as :func:`hidden` gives it.

    Raises:
        UnsupportedError: there is something else in it.
    """
    back = back or {}
    if expr in back:
        return back[expr]
    if expr.is_Number:
        return _number(expr)
    if expr.is_Symbol:
        positive = not expr.is_nonnegative or bool(expr.is_positive)
        return Symbol(expr.name, whole=bool(expr.is_integer), positive=positive)
    return _compound(expr, back)


def _compound(expr: Any, back: Mapping[Any, Atom]) -> Value:
    if expr.is_Add:
        return total(from_sympy(term, back) for term in expr.args)
    if expr.is_Mul:
        return times(*(from_sympy(part, back) for part in expr.args))
    if expr.is_Pow and expr.exp.is_Rational:
        base, exponent = from_sympy(expr.base, back), _number(expr.exp)
        return factor(base, exponent) if type(exponent) is int else Power(base, exponent)
    if isinstance(expr, _Foreign):
        return expr.own(*(from_sympy(argument, back) for argument in expr.args))
    raise UnsupportedError(f"no exact value is known of {type(expr).__name__}")


def _number(expr: Any) -> Any:
    if expr.is_Rational:
        return normal(Fraction(int(expr.p), int(expr.q)))
    if expr == sympy.oo:
        return inf
    raise UnsupportedError(f"no exact value is known of {type(expr).__name__}")


converter[Expr] = to_sympy  # what sympy does with an expression of this package that it meets
