"""Conditions, brought together, against their meaning point by point."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcost.errors import UnsupportedError
from convcost.formulas.lattice import common, lattice, lattice_of
from convcost.formulas.regions import brought_together
from convcost.formulas.steps import breaks, pieces
from convcost.numbers.arithmetic import make_divisible
from convcost.numbers.decisions import DIVIDES, WHOLE, Condition
from convcost.numbers.functions import FloorDiv, MakeDivisible, Maximum, RoundEven, without_floors
from convcost.numbers.polynomial import Expr, Symbol, total
from convcost.numbers.values import evaluate

ALPHA, N = Symbol("alpha", whole=False), Symbol("N")
widths = st.integers(1, 80).map(lambda c: MakeDivisible(c * ALPHA, 8))
ratios = st.fractions(Fraction(1, 50), 3, max_denominator=64)
steps = st.fractions(Fraction(1, 12), 6, max_denominator=12)


@given(st.lists(st.tuples(widths, st.sampled_from(["==", "!=", "<=", ">"]), widths), max_size=3), ratios)
def test_ranges_mean_what_the_conditions_mean(parts: list[tuple[object, str, object]], value: Fraction) -> None:
    conditions = [Condition(a, relation, b) for a, relation, b in parts if a != b]
    together = brought_together(conditions)
    values = {ALPHA: value}
    assert all(one.holds(values) for one in together) == all(one.holds(values) for one in conditions)


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ([Condition(MakeDivisible(32 * ALPHA, 8), "!=", MakeDivisible(16 * ALPHA, 8))], ["alpha > 5/18"]),
        ([Condition(60 * ALPHA, WHOLE), Condition(3, DIVIDES, 60 * ALPHA)], ["20*alpha is whole"]),
        ([Condition(2, DIVIDES, N), Condition(6, DIVIDES, N)], ["6 divides N"]),
        ([Condition(N, DIVIDES, 256), Condition(N, DIVIDES, 96)], ["N divides 32"]),
        ([Condition(3, DIVIDES, 240 * ALPHA - 25)], ["3 divides 240*alpha - 1"]),
    ],
)
def test_brought_together(conditions: list[Condition], text: list[str]) -> None:
    assert [one.text for one in brought_together(conditions)] == text


@given(steps, steps, steps, steps, st.integers(-200, 200))
def test_common_lattice(a: Fraction, b: Fraction, c: Fraction, d: Fraction, k: int) -> None:
    one, other = lattice(a, b), lattice(c, d)
    both = common(one, other)
    value = one.offset + k * one.step
    assert (value in other) == (both is not None and value in both)


def test_a_lattice_off_zero() -> None:
    found = lattice_of(Condition(3, DIVIDES, 240 * ALPHA - 25), ALPHA)
    assert found is not None
    assert found.above(0) == Fraction(1, 240)
    assert (240 * found.above(0) - 25) % 3 == 0


STEPPING = [
    FloorDiv(7 * ALPHA, 2),
    MakeDivisible(24 * ALPHA, 8),
    RoundEven(5 * ALPHA),
    MakeDivisible(MakeDivisible(72 * ALPHA, 8) / 4, 8),
    Maximum(20, MakeDivisible(16 * ALPHA, 8)),
    FloorDiv(RoundEven(30 * ALPHA) + 1, 2),
    MakeDivisible(10 * ALPHA + FloorDiv(3 * ALPHA, 1), 4),
]


@pytest.mark.parametrize("expr", STEPPING, ids=str)
def test_a_step_function_is_constant_between_its_breaks(expr: Expr) -> None:
    points = breaks(expr, ALPHA, Fraction(0), Fraction(3))
    for piece in pieces(points, Fraction(0), Fraction(3)):
        inside = [piece.low + (piece.high - piece.low) * Fraction(k, 7) for k in range(1, 7)]
        assert len({evaluate(expr, {ALPHA: value}) for value in inside}) == 1


sizes = st.builds(
    lambda c, shift, q: c * FloorDiv(N + shift, q),
    st.integers(-4, 4),
    st.integers(-3, 9),
    st.sampled_from([2, 3, 4, 8]),
)


@given(st.lists(sizes, min_size=1, max_size=3), st.integers(-3, 3), st.integers(1, 200))
def test_a_bound_without_floors_is_never_above(parts: list[Expr], slope: int, value: int) -> None:
    expr = total([*parts, slope * N])
    assert evaluate(without_floors(expr), {N: value}) <= evaluate(expr, {N: value})


def test_steps_at_no_rational_place_are_refused() -> None:
    with pytest.raises(UnsupportedError, match=r"it is not linear in alpha"):
        breaks(FloorDiv(ALPHA**2, 3), ALPHA, Fraction(0), Fraction(3))


@given(
    st.fractions(Fraction(1, 90), 100, max_denominator=90), st.fractions(0, 5, max_denominator=90), st.integers(1, 16)
)
def test_rounded_widths_never_fall(value: Fraction, more: Fraction, step: int) -> None:
    assert make_divisible(value + more, step) >= make_divisible(value, step)
