"""Which of two costs is smaller: proofs against counted points, roots against equality."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import sympy
from exactness import drawn, repaired
from inprocess import convcost

from convcost.catalogue.loader import Catalogue
from convcost.formulas.comparison import Comparison, compare
from convcost.formulas.order import order
from convcost.formulas.points import points
from convcost.formulas.sign import identically_zero
from convcost.language.interpret import build
from convcost.metrics.quantities import quantities
from convcost.numbers import arithmetic as algebra
from convcost.numbers.conversion import to_sympy
from convcost.numbers.decisions import Condition
from convcost.numbers.functions import FloorDiv
from convcost.numbers.polynomial import Symbol, replaced, symbols_in
from convcost.numbers.printing import text

if TYPE_CHECKING:
    from convcost.formulas.order import Order

PAIRS = [
    ("depthwise_separable_conv", "standard_conv"),
    ("bottleneck", "plain"),
    ("group_conv", "standard_conv"),
    ("two_3x3", "one_5x5"),
    ("asymmetric_nxn", "square_nxn"),
    ("pw_then_5x5", "direct_5x5"),
    ("pool_then_inception", "inception_then_pool"),
    ("linear_bottleneck_c", "linear_bottleneck_d"),
    ("shuffle_unit", "dw_bottleneck"),
    ("inception_module", "inception_naive"),
    ("resnext_a", "resnext_c"),
]


def compared(first: str, second: str) -> Comparison:
    catalogue = Catalogue()
    return compare([catalogue.target(first), catalogue.target(second)], [{}, {}])


def costs(comparison: Comparison, values: dict[str, Any], quantity: str) -> list[int]:
    found = []
    for item in comparison.items:
        assert item.formula is not None
        spec = Catalogue().target(item.name)
        own = {name: values[symbol.name] for name, symbol in item.names.items()}
        found.append(quantities(build(spec, own).layers)[quantity])
    return found


def proved(comparison: Comparison, quantity: str) -> Order:
    found = comparison.ratios[comparison.items[0].name][quantity].order
    assert found is not None
    return found


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("quantity", ["params", "macs", "flops"])
def test_what_is_proved_holds_where_it_is_counted(first: str, second: str, quantity: str) -> None:
    comparison = compared(first, second)
    known = proved(comparison, quantity)
    generator = random.Random(f"{first} {second}")  # noqa: S311 - repeatable, not secret
    formulas = [item.formula for item in comparison.items if item.formula is not None]
    checked = 0
    for _ in range(60):
        values: dict[str, Any] = {}
        for found in reversed(formulas):  # conditions of both, on the names of both
            shared = {name: value for name, value in values.items() if name in found.symbols}
            values |= repaired(found, {**drawn(found, generator), **shared}, generator)
        if any(found.violated({name: values[name] for name in found.symbols}) for found in formulas):
            continue
        one, other = costs(comparison, values, quantity)
        if known.relation and all(values[name] >= least for name, least in known.least.items()):
            checked += 1
            assert algebra.RELATIONS[known.relation](one, other), values
        for threshold in known.thresholds:
            checked += 1
            root = to_sympy(
                replaced(threshold.root, {symbol: values[symbol.name] for symbol in symbols_in(threshold.root)})
            )
            if root.is_real and root != values[threshold.name]:
                expected = bool(values[threshold.name] < root) == (threshold.relation == "<")
                assert (one < other) == expected, values
    assert checked > 10 or not (known.relation or known.thresholds)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_counterexamples_contradict_and_roots_balance(first: str, second: str) -> None:
    comparison = compared(first, second)
    defaults: dict[str, Any] = {}
    for item in comparison.items:
        assert item.formula is not None
        defaults |= {symbol.name: item.formula.witness[name] for name, symbol in item.names.items()}
    for quantity in ("params", "macs"):
        known = proved(comparison, quantity)
        if known.counterexample is not None:
            here, there = (costs(comparison, {**defaults, **values}, quantity) for values in ({}, known.counterexample))
            assert (here[0] - here[1]) * (there[0] - there[1]) < 0
        for entry in known.break_even:
            if isinstance(entry.value, int):
                one, other = costs(comparison, {**defaults, entry.name: entry.value}, quantity)
                assert one == other


def test_depthwise_separable_is_cheaper_from_2_on() -> None:
    known = proved(compared("depthwise_separable_conv", "standard_conv"), "params")
    assert (known.relation, known.least) == ("<", {"K": 2, "O": 2})
    assert known.counterexample == {"O": 1, "K": 1}  # 2 I against I
    assert {(one.name, text(one.root)) for one in known.break_even} == {
        ("K", "sqrt(O/(O - 1))"),
        ("O", "K^2/(K^2 - 1)"),
    }


def test_the_width_at_which_a_bottleneck_pays() -> None:
    """9 M^2 + 512 M = 9 * 256^2 gives M = (sqrt(512^2 + 4 * 9 * 589824) - 512) / 18."""
    (known,) = proved(compared("bottleneck", "plain"), "params").thresholds
    assert (known.name, known.relation) == ("M", "<")
    numbers = {"I": 256, "O": 256, "K": 3}
    at_default = to_sympy(replaced(known.root, {symbol: numbers[symbol.name] for symbol in symbols_in(known.root)}))
    assert sympy.simplify(at_default - (sympy.sqrt(512**2 + 4 * 9 * 589_824) - 512) / 18) == 0


def test_sizes_that_are_halved_are_split_into_even_and_odd() -> None:
    known = proved(compared("pool_then_inception", "inception_then_pool"), "macs")
    assert (known.relation, known.least, known.counterexample) == ("<", {}, None)


def test_the_three_resnext_forms_differ_in_additions_only() -> None:
    comparison = compared("resnext_a", "resnext_c")
    assert proved(comparison, "macs").relation == "=="
    assert proved(comparison, "flops").relation == ">="  # C sums of I maps each, where one is left


N, M = Symbol("N"), Symbol("M")


def test_identity_of_floors_that_only_parity_shows() -> None:
    assert identically_zero(FloorDiv(N, 2) + FloorDiv(N + 1, 2) - N)
    assert not identically_zero(FloorDiv(N, 2) * 2 - N)


def test_points_come_by_their_sum_and_fulfil_the_conditions() -> None:
    conditions = [Condition(4, "divides", N), Condition(M, "divides", N), Condition(M, ">=", 2)]
    found = [(point[N], point[M]) for point, _ in zip(points([N, M], {N, M}, conditions), range(12), strict=False)]
    assert found == sorted(found, key=sum)
    assert found[:4] == [(4, 2), (4, 4), (8, 2), (8, 4)]
    assert all(n % 4 == 0 and m >= 2 and n % m == 0 for n, m in found)


def test_no_relation_is_claimed_where_none_holds() -> None:
    found = order(N * M, N + M, [], {N: 5, M: 5})
    assert found is not None
    assert (found.relation, found.least) == (">=", {"M": 2, "N": 2})
    assert found.counterexample is not None
    assert found.counterexample["N"] * found.counterexample["M"] < sum(found.counterexample.values())


def test_json_adds_to_what_was_there() -> None:
    data = json.loads(convcost("compare", "depthwise_separable_conv", "standard_conv", "--format", "json").out)
    found = data["ratios"]["depthwise_separable_conv"]["params"]
    assert (found["exact"], found["formula"], found["limit"]) == ("73/576", "1/O + 1/K^2", "1/K^2 as O -> oo")
    assert found["decimal"] == pytest.approx(73 / 576)
    assert found["single_fraction"] == "(K^2 + O)/(K^2*O)"
    assert found["partial_fractions"] == "1/O + 1/K^2"
    assert found["order"]["relation"] == "<"
    assert found["order"]["from"] == {"O": 2, "K": 2}
    assert {entry["name"]: entry["exact"] for entry in found["order"]["break_even"]} == {"K": None, "O": "9/8"}
    assert Fraction(found["order"]["break_even"][1]["exact"]) == Fraction(9, 8)


def test_text_says_where() -> None:
    out = convcost("compare", "depthwise_separable_conv", "standard_conv").out
    assert ": depthwise_separable_conv < standard_conv for all whole I, H, W >= 1 and O, K >= 2; " in out
    assert "; the order reverses at O = 1, K = 1\n" in out
