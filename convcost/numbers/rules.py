"""The part of :mod:`convcost.numbers.arithmetic` for symbols: arithmetic, and decisions about conditions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy
from sympy import Add, Expr

from convcost.errors import ShapeError, UnsupportedError
from convcost.limits import MAX_DEGREE, MAX_TERMS
from convcost.numbers import arithmetic as algebra
from convcost.numbers import assumptions
from convcost.numbers.atoms import (
    CeilDiv,
    FloorDiv,
    Gcd,
    MakeDivisible,
    Maximum,
    Minimum,
    RoundEven,
    evaluate,
    expanded,
    is_whole_polynomial,
    terms_of,
    to_number,
    to_sympy,
)
from convcost.numbers.bounds import is_monotone, lower_bound, without_floors
from convcost.numbers.conditions import DIVIDES, WHOLE, Condition
from convcost.numbers.extent import degree, terms
from convcost.numbers.text import text

_NEGATION = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def divide(a: Any, b: Any) -> Expr:
    """``a / b``."""
    return to_sympy(a) / _divisor(a, b)


def floor_div(a: Any, b: Any) -> Expr:
    """``floor(a / b)``."""
    return FloorDiv(to_sympy(a), _divisor(a, b))


def _divisor(a: Any, b: Any) -> Expr:
    divisor = to_sympy(b)
    if divisor == 0:
        raise ShapeError(f"{text(to_sympy(a))} is divided by zero")
    return divisor


def ceil_div(a: Any, b: Any) -> Expr:
    """``ceil(a / b)``: of whole numbers, a floor with the constant raised."""
    return CeilDiv(to_sympy(a), _divisor(a, b))


def round_even(value: Any) -> Expr:
    """``round(value)``."""
    return RoundEven(value)


def make_divisible(value: Any, step: Any) -> Expr:
    """The width rule of the MobileNets."""
    return MakeDivisible(to_sympy(value), to_sympy(step))


def gcd(a: Any, b: Any) -> Expr:
    """The greatest common divisor."""
    return Gcd(to_sympy(a), to_sympy(b))


def maximum(*values: Any) -> Expr:
    """The largest."""
    return Maximum(*map(to_sympy, values))


def minimum(*values: Any) -> Expr:
    """The smallest."""
    return Minimum(*map(to_sympy, values))


def total(values: list[Any]) -> Expr:
    """The sum, in one step."""
    return Add(*map(to_sympy, values))


def power(base: Any, exponent: Any) -> Expr:
    """``base ** exponent``.

    Raises:
        ShapeError: the exponent is not a whole number, zero has to be divided by, or the result would be too large.
    """
    over, under = to_sympy(exponent), to_sympy(base)
    if not over.is_Integer:
        raise ShapeError(f"an exponent must be a whole number, found {text(over)}")
    if under.is_Rational:  # a number after all, such as the cost of a network in which nothing is free
        return to_sympy(algebra.power(to_number(under), int(over)))
    bounded(sympy.Pow(under, over, evaluate=False))  # before it is computed: its coefficients are powers too
    return under**over


def bounded(value: Any) -> None:
    """Make sure that a formula does not grow beyond what anyone would read.

    Raises:
        ShapeError: it would have too many terms, or too high a degree.
    """
    if terms(value) > MAX_TERMS:
        raise ShapeError(f"a formula grew beyond {MAX_TERMS:,} terms")
    if degree(value) > MAX_DEGREE:
        raise ShapeError(f"a formula grew beyond degree {MAX_DEGREE}")


def identical(a: Any, b: Any) -> bool:
    """Whether ``a == b`` whatever the symbols are."""
    return a == b or _difference(a, b) == 0


def _difference(a: Any, b: Any) -> Any:
    return expanded(to_sympy(a) - to_sympy(b))


def exact_div(a: Any, b: Any, what: str) -> Expr:
    """``a / b``; that ``b`` divides ``a`` is assumed, and recorded, where it does not follow."""
    dividend, divisor = to_sympy(a), to_sympy(b)
    quotient = sympy.cancel(dividend / divisor)
    if is_whole_polynomial(quotient):
        return quotient
    session = assumptions.current()
    if session is not None:
        top, bottom = (evaluate(side, session.witness) for side in (dividend, divisor))
        if top % bottom:
            raise ShapeError(f"cannot divide {what}: {top} is not a multiple of {bottom}")
        session.assume(Condition(divisor, DIVIDES, dividend))
    return quotient


def is_whole(value: Any) -> bool:
    """Whether ``value`` is whole: by algebra, else at the witness, which is recorded as a divisibility."""
    if is_whole_polynomial(value):
        return True
    session = assumptions.current()
    if session is None:
        return value.is_integer is not False
    if Fraction(evaluate(value, session.witness)).denominator != 1:
        return False
    top, bottom = sympy.fraction(sympy.together(value))
    session.assume(Condition(top, WHOLE) if bottom == 1 else Condition(bottom, DIVIDES, top))
    return True


def decide(relation: str, a: Any, b: Any) -> bool:
    """Whether ``a relation b``: by algebra, else at the witness, which is recorded."""
    known = _proved(relation, _difference(a, b))
    if known is not None:
        return known
    session = assumptions.current()
    if session is None:
        raise UnsupportedError(f"cannot tell whether {text(a)} {relation} {text(b)}")
    question, asked = _question(relation, _difference(a, b))
    if question not in session.answers:
        left, right = (evaluate(to_sympy(side), session.witness) for side in (a, b))
        at_witness = bool(algebra.RELATIONS[relation](left, right))
        session.answers[question] = session.forced.get(question, at_witness == asked)
    holds = session.answers[question] == asked
    session.assume(Condition(a, relation if holds else _NEGATION[relation], b, structural=True))
    return holds


def _question(relation: str, difference: Any) -> tuple[Any, bool]:
    """The question behind ``difference relation 0``, one for all ways to ask it; and whether yes means yes."""
    opposite = sympy.expand(-difference)
    if relation in ("==", "!="):
        return ("==", min(difference, opposite, key=lambda one: one.sort_key())), relation == "=="
    if relation in ("<", ">="):
        return ("<", difference), relation == "<"
    return ("<", opposite), relation == ">"


def require(relation: str, a: Any, b: Any, message: str) -> None:
    """Demand ``a relation b``: it must hold at the witness, and is recorded where it does not follow."""
    if relation == ">=" and b == 1 and to_sympy(a).is_positive:
        return  # what is asked of sizes, and a size that is whole and above 0 is at least 1
    known = _proved(relation, _difference(a, b))
    if known:
        return
    session = assumptions.current()
    if known is False or session is None:
        raise ShapeError(message)
    left, right = (evaluate(to_sympy(side), session.witness) for side in (a, b))
    if not algebra.RELATIONS[relation](left, right):
        raise ShapeError(message)
    _record(session, relation, a, b)


def _proved(relation: str, difference: Any) -> bool | None:
    """Whether ``difference relation 0`` always holds (True), never (False), or neither is known."""
    number = to_number(difference)
    if number is not None:
        return bool(algebra.RELATIONS[relation](number, 0))
    least = _least(difference)
    if least is not None:
        if relation in (">", ">=", "!=") and algebra.RELATIONS[relation](least, 0) and (relation != "!=" or least > 0):
            return True
        if relation in ("<", "<=", "==") and algebra.RELATIONS[_NEGATION[relation]](least, 0) and least > 0:
            return False
    opposite = _least(expanded(-difference))
    if opposite is None and difference.is_nonpositive is None:
        opposite = _least_of_quotient(-difference)
    if opposite is not None:
        if relation in ("<", "<=", "!=") and (opposite > 0 or (relation == "<=" and opposite == 0)):
            return True
        if relation in (">", ">=", "==") and opposite > 0:
            return False
    return None


def _least(difference: Any) -> Any:
    """A number that ``difference`` never falls below; None where none is seen."""
    known = lower_bound(difference)
    return lower_bound(without_floors(difference)) if known is None and difference.has(FloorDiv) else known


def _least_of_quotient(expr: Any) -> int | None:
    """0 where a quotient of polynomials is plainly not negative for whole symbols of at least 1; else None."""
    top, _ = sympy.fraction(sympy.together(expr))
    if top.atoms(sympy.Function):
        return None
    shifted = top.xreplace({one: one + 1 for one in top.free_symbols if one.is_integer})
    return 0 if all(coefficient >= 0 for coefficient in terms_of(shifted).values()) else None


def _record(session: assumptions.Session, relation: str, a: Any, b: Any) -> None:
    if relation not in (">=", ">", "<=", "<") or not _bound(session, relation, a, b):
        session.assume(Condition(a, relation, b))


def _bound(session: assumptions.Session, relation: str, a: Any, b: Any) -> bool:
    """Record an inequality in one symbol as the least value of that symbol; False if it is no such thing."""
    difference = _difference(a, b) if relation in (">=", ">") else _difference(b, a)
    symbols = difference.free_symbols
    if len(symbols) != 1 or not is_monotone(difference):
        return False
    symbol = next(iter(symbols))
    if relation in (">", "<"):
        return False
    least = _least_whole(difference, symbol, session) if symbol.is_integer else _least_ratio(difference, symbol)
    if least is None:
        return False
    session.least[symbol] = max(session.least.get(symbol, least), least)
    return True


def _least_whole(difference: Any, symbol: Any, session: assumptions.Session) -> int:
    """The least whole ``symbol`` with ``difference >= 0``, which grows with it and holds at the witness."""
    low, high = 0, int(session.witness[symbol])
    while high - low > 1:
        middle = (low + high) // 2
        if evaluate(difference, {symbol: middle}) >= 0:
            high = middle
        else:
            low = middle
    return high


def _least_ratio(difference: Any, symbol: Any) -> Fraction | None:
    """The least ``symbol`` with ``floor(p/q) + c >= 0`` or ``p + c >= 0``, for ``p`` linear in it."""
    constant, rest = difference.as_coeff_Add()
    linear = rest
    if isinstance(rest, FloorDiv) and constant.is_Integer:
        linear = rest.args[0] / rest.args[1]  # floor(v) >= n just where v >= n, for whole n
    terms = dict(expanded(linear).as_coefficients_dict())
    if not set(terms) <= {symbol, sympy.S.One} or symbol not in terms:
        return None
    found = (-constant - terms.get(sympy.S.One, 0)) / terms[symbol]
    return Fraction(found.p, found.q)
