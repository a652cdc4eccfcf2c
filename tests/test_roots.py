"""Powers with fractions for exponents: exact where the result is rational, refused where it is not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from convcost.codegen.program import program
from convcost.errors import UnsupportedError
from convcost.formulas.roots import roots
from convcost.numbers.polynomial import Power, Symbol, powers_of
from convcost.numbers.values import evaluate


@pytest.mark.parametrize(
    ("exponent", "base", "value"),
    [
        (Fraction(1, 2), 4, 2),
        (Fraction(1, 3), Fraction(8, 27), Fraction(2, 3)),
        (Fraction(-3, 2), 4, Fraction(1, 8)),
        (Fraction(1, 2), 0, 0),
        (-2, Fraction(1, 3), 9),
    ],
)
def test_a_root_is_exact(exponent: Fraction, base: Fraction, value: Fraction) -> None:
    x = Symbol("x", whole=False)
    assert evaluate(Power(x, Fraction(exponent)), {x: base}) == value


@pytest.mark.parametrize(("exponent", "base"), [(Fraction(1, 2), 2), (Fraction(2, 3), 4), (Fraction(1, 2), -4)])
def test_a_root_that_is_not_rational_is_refused(exponent: Fraction, base: int) -> None:
    x = Symbol("x", whole=False)
    with pytest.raises(UnsupportedError, match="is not a rational number"):
        evaluate(Power(x, exponent), {x: base})


def test_no_program_with_a_root() -> None:
    x = Symbol("x")
    with pytest.raises(UnsupportedError, match="exponents must be whole numbers"):
        program({"root": Power(x, Fraction(1, 2))}, [x])


def test_a_double_root_at_zero_is_one_root() -> None:
    x, a = Symbol("x"), Symbol("a")
    assert roots(powers_of(a * x**2, x)) == [0]
