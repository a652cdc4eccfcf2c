"""Closed forms: against the int algebra at other points, and against formulas worked out by hand or in papers."""

from __future__ import annotations

import json
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import convcost

from convcost.api import load
from convcost.catalogue.loader import Catalogue
from convcost.errors import UnsupportedError
from convcost.formulas.closed import formula
from convcost.language.expression import compile_expression
from convcost.network.cost import sum_work
from convcost.numbers.arithmetic import ceil_div
from convcost.numbers.functions import CeilDiv, FloorDiv, Gcd, MakeDivisible, Maximum, Minimum, RoundEven
from convcost.numbers.polynomial import Expr, Power, Symbol, replaced
from convcost.numbers.printing import text
from convcost.numbers.values import Evaluator, evaluate

n, m, a = Symbol("n"), Symbol("m"), Symbol("a", whole=False)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.integers(1, 6), st.integers(-9, 9), st.integers(1, 6), st.integers(-9, 9), st.integers(1, 6), st.integers(1, 60)
)
def test_nested_floors_collapse_exactly(p: int, c: int, q: int, d: int, r: int, value: int) -> None:
    nested = FloorDiv(FloorDiv(p * n + c, q) + d, r)
    assert evaluate(nested, {n: value}) == ((p * value + c) // q + d) // r
    raised = ceil_div(ceil_div(p * n + c, q) + d, r)
    assert evaluate(raised, {n: value}) == ceil(Fraction(ceil(Fraction(p * value + c, q)) + d, r))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 99), st.fractions(0, 3, max_denominator=32).filter(bool), st.integers(1, 9))
def test_floors_of_ratios_are_exact(width: int, ratio: Fraction, divisor: int) -> None:
    assert evaluate(FloorDiv(width * a, divisor), {a: ratio}) == floor(width * ratio / divisor)
    rounded = MakeDivisible(width * a, 8)
    exact = width * ratio
    expected = max(8, int(exact + 4) // 8 * 8)
    expected += 8 if 10 * expected < 9 * exact else 0
    assert evaluate(rounded, {a: ratio}) == expected


def test_equal_sizes_are_equal_expressions() -> None:
    half = ceil_div(n, 2)
    assert ceil_div(half, 2) == ceil_div(n, 4)
    assert FloorDiv(n + 1, 2) == half
    assert FloorDiv(4 * n + 2, 8) == FloorDiv(2 * n + 1, 4) == FloorDiv(n, 2)
    assert FloorDiv(6 * n + 3, 2) == 3 * n + 1


WRITTEN = [
    (ceil_div(n, 32), "ceil(n/32)"),
    (FloorDiv(n + 3, 8), "floor((n + 3)/8)"),
    (9408 * ceil_div(n, 2) ** 2 + 2048 * m, "9408*ceil(n/2)^2 + 2048*m"),
    (n * m / (n + 1), "m*n/(n + 1)"),
    (1 / n + 1 / m**2, "1/n + 1/m^2"),
    (-n - 2, "-n - 2"),
    (m - n, "m - n"),
    (n / 3, "n/3"),
    (Fraction(3, 4) * n, "3*n/4"),
    (FloorDiv(32 * a, 1), "floor(32*a)"),
]


@pytest.mark.parametrize(("expr", "written"), WRITTEN, ids=[written for _, written in WRITTEN])
def test_what_is_written_reads_back(expr: Expr, written: str) -> None:
    assert text(expr) == written
    for value in (1, 2, 5, 33):
        names = {"n": value, "m": value + 3, "a": Fraction(value, 7)}
        symbols = {n: value, m: value + 3, a: Fraction(value, 7)}
        assert compile_expression(written).evaluate(names) == evaluate(expr, symbols)


@pytest.mark.parametrize("expr", [*(expr for expr, _ in WRITTEN), a**2 * n, n / a, 3 * m / (a * n), -(a**3)], ids=str)
def test_values_put_in_read_back(expr: Expr) -> None:
    for value in (1, 5, 33):
        values = {n: value, m: value + 3, a: Fraction(value, 7)}
        written = text(expr, {symbol: str(number) for symbol, number in values.items()})
        assert compile_expression(written).evaluate({}) == evaluate(expr, values), written


FUNCTIONS = [
    FloorDiv(3 * n + 1, 2) ** 2 * m,
    CeilDiv(5 * a, 3) - CeilDiv(a, 2),
    MakeDivisible(24 * a, 8) * (RoundEven(7 * a) + n) ** 3,
    Gcd(n, 6 * m) / (n + m) ** 2,
    Maximum(n, 2 * m) - Minimum(n + 3, m),
]


@given(st.integers(1, 60), st.integers(1, 60), st.fractions(Fraction(1, 20), 4, max_denominator=20))
def test_values_are_those_that_are_put_in(n_value: int, m_value: int, a_value: Fraction) -> None:
    there = {n: n_value, m: m_value, a: a_value}
    expected = [replaced(expr, there) for expr in FUNCTIONS]
    assert Evaluator(FUNCTIONS, [n, m, a])([n_value, m_value, a_value]) == expected
    assert all(type(value) is int or value.denominator > 1 for value in expected if value is not None)


@pytest.mark.parametrize("expr", [Power(2, Fraction(1, 2)) * n, Power(n, Fraction(1, 3))])
def test_what_has_no_exact_value_is_refused(expr: Expr) -> None:
    with pytest.raises(UnsupportedError):
        evaluate(expr, {n: 3})


# network, free names, params, MACs: worked out by hand from the layer tables of the papers
TOTALS = [
    (
        "resnet50",
        ["size", "classes"],
        "23508032 + 2049*classes",
        "9408*ceil(size/2)^2 + 245760*ceil(size/4)^2 + 1310720*ceil(size/8)^2 + 7471104*ceil(size/16)^2"
        " + 14417920*ceil(size/32)^2 + 2048*classes",
    ),
    ("bottleneck", ["I", "M", "O", "K"], "I*M + K^2*M^2 + M*O", "196*(I*M + K^2*M^2 + M*O)"),
    ("depthwise_separable_conv", None, "I*K^2 + I*O", "H*W*(I*K^2 + I*O)"),
    ("group_conv", None, "O*K^2*I/G", "H*W*O*K^2*I/G"),
    # ShuffleNet's paper, section 3.2, with c = I and m = M: hw(2cm/g + 9m), hw(2cm + 9m^2/g), hw(2cm + 9m^2)
    ("shuffle_unit", ["I", "M", "g", "H", "W"], None, "H*W*(2*I*M/g + 9*M)"),
    ("bottleneck_residual", ["I", "M", "G", "H", "W"], None, "H*W*(2*I*M + 9*M^2/G)"),
    ("dw_bottleneck", ["I", "M", "H", "W"], None, "H*W*(2*I*M + 9*M)"),
    # an inverted residual: expansion, depthwise, projection (Sandler et al., section 3.4)
    ("inverted_residual", ["I", "O", "t", "K", "H", "W"], None, "H*W*I*t*(I + K^2 + O)"),
]


@pytest.mark.parametrize(("name", "free", "params", "macs"), TOTALS, ids=[f"{t[0]} {t[1]}" for t in TOTALS])
def test_closed_forms(name: str, free: list[str] | None, params: str | None, macs: str) -> None:
    found = formula(Catalogue().target(name), free)
    for quantity, expected in (("params", params), ("macs", macs)):
        if expected is None:
            continue
        for shift in (0, 1, 7, 30):
            point = {key: value + shift for key, value in found.witness.items()}
            symbols = {found.symbols[key]: value for key, value in point.items()}
            form = found.totals[quantity].polynomial
            assert evaluate(form, symbols) == compile_expression(expected).evaluate(point), (
                quantity,
                point,
            )


POINTS = [
    ("resnet50", {"size": [224, 97, 193, 33, 1], "classes": [1000, 10, 1, 7, 3]}),
    ("mobilenet_v1", {"alpha": ["1", "0.75", "0.33", "1.7", "0.06"], "size": [224, 97, 193, 33, 160]}),
    ("mobilenet_v2", {"alpha": ["1", "0.75", "0.5", "1.4", "1.3"], "size": [224, 97, 193, 33, 160]}),
    ("vgg16", {"size": [224, 32, 97, 193, 255]}),
    ("shufflenet_v1", {"size": [224, 97, 193, 33, 160]}),
    ("resnext50", {"C": [32, 2, 64, 16, 8], "d": [4, 40, 4, 12, 24]}),
]


@pytest.mark.parametrize(("name", "points"), POINTS, ids=[name for name, _ in POINTS])
def test_closed_forms_equal_the_ints(name: str, points: dict[str, list[object]]) -> None:
    found = formula(Catalogue().target(name), list(points))
    for values in zip(*points.values(), strict=True):
        point = {
            key: Fraction(value) if isinstance(value, str) else value for key, value in zip(points, values, strict=True)
        }
        exact = sum_work(load(name, **point).layers)
        symbols = {found.symbols[key]: value for key, value in point.items()}
        for quantity in ("params", "macs", "flops"):
            assert evaluate(found.totals[quantity].polynomial, symbols) == getattr(exact, quantity), (quantity, point)


def test_assumptions_are_told() -> None:
    def assumptions(*args: str) -> list[str]:
        found: list[str] = json.loads(convcost("formula", *args, "--format", "json").out)["assumptions"]
        return found

    assert assumptions("group_conv") == ["G divides I", "G divides O"]
    assert assumptions("inverted_residual") == ["t != 1", "I == O"]
    assert assumptions("resnext_c") == []
    assert assumptions("segmented_inception") == ["S divides M"]
    assert assumptions("inception_v3", "--free", "size") == ["size >= 75"]
    assert assumptions("mobilenet_v1", "--free", "alpha") == ["alpha >= 1/32"]


def test_formula_for_people_shows_the_way_to_the_number() -> None:
    out = convcost("formula", "bottleneck").out
    assert "params = I*M = 256*64 = 16,384" in out
    assert "= 69,632" in out
    assert "free: I = 256" in out


def test_formula_as_json_and_latex() -> None:
    data = json.loads(convcost("formula", "depthwise_separable_conv", "--format", "json", "--latex").out)
    assert data["schema"] == "convcost/formula/1"
    assert data["free"] == ["I", "H", "W", "O", "K"]
    assert data["values"]["params"] == 9 * 32 + 32 * 64
    assert set(data["totals"]) >= {"params", "macs", "latex"}
    assert [row["kind"] for row in data["rows"]] == ["depthwise", "pointwise"]
    latex = convcost("formula", "group_conv", "--format", "latex").out
    assert r"\frac{I K^{2} O}{G}" in latex
    assert r"\left\lceil" in convcost("formula", "resnet18", "--free", "size", "--format", "latex").out
