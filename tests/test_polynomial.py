"""Expressions: their arithmetic against numbers and sympy, their normal forms, and the way to sympy and back."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction
from typing import Any

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.errors import ConvcostError, ShapeError, UnsupportedError
from convcost.formulas.ratio import cancelled
from convcost.formulas.simplify import collected, factored, is_irreducible, tidy
from convcost.language.expression import compile_expression
from convcost.numbers.conversion import from_sympy, to_sympy
from convcost.numbers.functions import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import (
    Expr,
    Function,
    Symbol,
    divided,
    expanded,
    functions_in,
    made,
    over_common,
    primitive,
    replaced,
    terms_in,
)
from convcost.numbers.printing import text
from convcost.numbers.values import evaluate

n, m, a = Symbol("n"), Symbol("m"), Symbol("a", whole=False)
SYMBOLS = (n, m, a)
whole = st.integers(-6, 6)
points = st.tuples(st.integers(1, 30), st.integers(1, 30), st.fractions(Fraction(1, 8), 3, max_denominator=8))
atoms = st.sampled_from(
    [
        *SYMBOLS,
        FloorDiv(n + 1, 2),
        FloorDiv(m, n),
        CeilDiv(5 * a, 3),
        MakeDivisible(24 * a, 8),
        RoundEven(3 * a),
        Gcd(n, m),
    ]
)


def sums(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Sums of a few products."""
    products = st.builds(lambda c, x, y, p: c * x**p * y, whole, of, of, st.integers(0, 2))
    return st.builds(lambda parts, c: sum(parts, c), st.lists(products, max_size=3), whole)


polynomials = sums(atoms)
extremes = st.builds(lambda make, x, y: make(x, y), st.sampled_from([Maximum, Minimum]), polynomials, polynomials)


def at(value: Any, point: tuple[Any, ...]) -> Any:
    return evaluate(value, dict(zip(SYMBOLS, point, strict=True)))


@settings(max_examples=40, deadline=None)
@given(polynomials, polynomials, extremes, points)
def test_arithmetic_is_that_of_numbers(x: Any, y: Any, z: Any, point: tuple[Any, ...]) -> None:
    p, q, r = (at(value, point) for value in (x, y, z))
    assert at(x + y - z, point) == p + q - r
    assert at(x * y, point) == p * q
    assert at(x**2 - 3 * z, point) == p * p - 3 * r
    assert (x + y) * z == z * y + x * z
    assert x - x == 0
    if isinstance(y, Expr) and q:
        assert at(x / y, point) == Fraction(p) / q
        assert x / y * y == x


@settings(max_examples=30, deadline=None)
@given(polynomials, polynomials, points)
def test_the_way_to_sympy_and_back(x: Any, y: Any, point: tuple[Any, ...]) -> None:
    assert from_sympy(to_sympy(x)) == x
    assert sympy.expand(to_sympy(x) * to_sympy(y) - to_sympy(x * y)) == 0
    numbers = {to_sympy(symbol): to_sympy(value) for symbol, value in zip(SYMBOLS, point, strict=True)}
    assert to_sympy(x).xreplace(numbers).doit() == to_sympy(at(x, point))


@settings(max_examples=25, deadline=None)
@given(polynomials, polynomials, points)
def test_forms_of_an_expression_are_equal_to_it(x: Any, y: Any, point: tuple[Any, ...]) -> None:
    both = x * y
    for form in (factored(both), tidy(both), collected(both)):
        assert at(form, point) == at(both, point)
        assert expanded(form) == both
        names = {symbol.name: value for symbol, value in zip(SYMBOLS, point, strict=True)}
        assert compile_expression(text(form)).evaluate(names) == at(both, point)
    if isinstance(y, Expr):
        assert divided(over_common(both)[0], over_common(y)[0]) is not None
        top, bottom = cancelled(x, y)
        assert top * y == x * bottom


@settings(max_examples=80, deadline=None)
@given(sums(st.sampled_from(SYMBOLS)), sums(st.sampled_from(SYMBOLS)), sums(st.sampled_from(SYMBOLS)))
def test_what_is_proved_to_have_no_factor_has_none(x: Any, y: Any, z: Any) -> None:
    """sympy factors anything; the short proof must never claim more."""
    for value in (x, x * y, x * y + z, x + n * y):
        _, rest = primitive(terms_in(value)) if value != 0 else ({}, {})
        if len(rest) > 1 and is_irreducible(rest):
            _, factors = sympy.factor_list(to_sympy(made(rest)))
            assert sum(power for _, power in factors) == 1


@given(st.integers(1, 5), st.integers(-6, 6), st.integers(1, 5), st.integers(-6, 6), st.integers(-3, 3))
def test_products_of_two_lines_are_those_of_sympy(p: int, q: int, r: int, s: int, shift: int) -> None:
    for value in ((p * n + q) * (r * n + s) + shift, m * (p * n + q) * (r * n + s)):
        if isinstance(value, Expr):
            assert sympy.srepr(to_sympy(factored(value))) == sympy.srepr(
                to_sympy(from_sympy(sympy.factor(to_sympy(value))))
            )


@settings(max_examples=40, deadline=None)
@given(polynomials, st.integers(1, 9), st.sampled_from([FloorDiv, CeilDiv]), points)
def test_a_normal_form_is_its_own(x: Any, step: int, make: Any, point: tuple[Any, ...]) -> None:
    form = make(x, step)
    assert at(form, point) == make.number(at(x, point), step)
    for function in functions_in(form):
        assert type(function)(*function.args) == function


@settings(max_examples=30, deadline=None)
@given(polynomials, st.integers(1, 9), st.integers(1, 9), points)
def test_what_is_put_in_gets_its_normal_form(x: Any, shift: int, factor: int, point: tuple[Any, ...]) -> None:
    moved = replaced(x, {n: factor * n + shift})
    assert at(moved, point) == at(x, (factor * point[0] + shift, *point[1:]))


@given(polynomials)
def test_copies_are_equal(x: Any) -> None:
    for other in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):  # noqa: S301 - made here
        assert other == x
        assert hash(other) == hash(x)


def test_what_is_no_expression() -> None:
    for other in ("x", None, 1.5, True):
        with pytest.raises(TypeError):
            n + other
        assert n != other
    with pytest.raises(ShapeError):
        n / (m - m)
    with pytest.raises(UnsupportedError, match="no exact value is known of sin"):
        from_sympy(sympy.sin(sympy.Symbol("x")))


def test_sympy_takes_expressions() -> None:
    symbol = sympy.Symbol("n", positive=True, integer=True)
    assert sympy.sympify(n + 1) == symbol + 1
    assert sympy.diff(n**2 * m, n) == to_sympy(2 * n * m)
    assert n + 1 == symbol + 1
    assert to_sympy(FloorDiv(n, 2)).subs(symbol, 7) == 3


def test_a_product_that_is_too_long_is_refused_before_it_is_computed() -> None:
    long = sum((Symbol(f"x{place}") for place in range(300)), 0)
    with pytest.raises(ConvcostError, match="more than 50,000 terms"):
        long * long
    with pytest.raises(ConvcostError, match="more than 50,000 terms"):
        long**3


def test_terms_have_no_zeros_and_whole_numbers_are_ints() -> None:
    value = n / 2 + n / 2 + m - m
    assert value is not None
    assert terms_in(value) == {((n, 1),): 1}
    assert all(type(number) is int for number in terms_in(value).values())
    assert isinstance(FloorDiv(n, 2), Function)
