"""No statement of ``compare`` is false: bundled and generated pairs against networks that are built and counted."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from conftest import sampled
from inprocess import convcost
from orders import Findings, Pair, blocks, check

from convcost.catalogue.loader import Catalogue
from convcost.errors import ConvcostError
from convcost.language.check import free_names
from convcost.language.interpret import build
from convcost.numbers.printing import latex, text, typeset

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.formulas.comparison import Comparison
    from convcost.language.model import Spec

INPUT = "input: {I: 16, H: 8, W: 8}\n"


def written(folder: Path, name: str, text_: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(text_, "utf-8")
    return str(path)


def one_conv(out: str, parameters: str, kernel: int | str = 1) -> str:
    return f'{INPUT}parameters: {{{parameters}}}\nlayers: [conv: {{out: "{out}", kernel: {kernel}, bias: false}}]\n'


def paired(first: str, second: str, given: tuple[dict[str, Any], dict[str, Any]] = ({}, {})) -> Pair:
    catalogue = Catalogue()
    return Pair([catalogue.target(first), catalogue.target(second)], given)


def held(pair: Pair, points: int = 30) -> Findings:
    findings = Findings()
    check(pair, findings, points)
    assert findings.points
    assert findings.false == []
    return findings


def relations(comparison: Comparison) -> set[str]:
    (by_quantity,) = comparison.ratios.values()
    return {ratio.order.relation for ratio in by_quantity.values() if ratio.order is not None}


NAMES = blocks()
PAIRS = list(combinations(NAMES, 2))
SAMPLE = [
    *random.Random(10).sample(PAIRS, 8),  # noqa: S311 - repeatable, not secret
    ("bottleneck", "ghost_module"),
    ("pw_reduced_5x5", "ghost_module"),
    ("ghost_module", "pw_reduced_5x5"),
    ("two_3x3", "one_5x5"),
    ("pool_then_inception", "inception_then_pool"),
]


@pytest.mark.parametrize(("first", "second"), sampled(SAMPLE, 4))
def test_statements_about_bundled_blocks(first: str, second: str) -> None:
    held(paired(first, second))


SETTINGS = [
    ("depthwise_conv", "standard_conv", {"K": 7}, {}),
    ("depthwise_conv", "standard_conv", {"K": 2, "I": 6}, {"I": 9, "O": 5}),
    ("bottleneck", "plain", {"M": 40, "I": 100}, {"K": 5}),
    ("group_conv", "standard_conv", {"G": 8}, {"I": 24, "O": 8}),
    ("bottleneck", "ghost_module", {"M": 1, "I": 125, "O": 256, "H": 244, "W": 2}, {"I": 125, "O": 256}),
]


@pytest.mark.parametrize(("first", "second", "one", "other"), SETTINGS)
def test_statements_at_values_of_each_side(first: str, second: str, one: dict[str, Any], other: dict[str, Any]) -> None:
    held(paired(first, second, (one, other)))


@pytest.mark.parametrize("seed", range(6))
def test_statements_at_random_values_of_each_side(seed: int) -> None:
    generator = random.Random(seed)  # noqa: S311 - repeatable, not secret
    catalogue = Catalogue()
    first, second = generator.choice(PAIRS)
    given = tuple(_random_values(catalogue.target(name), generator) for name in (first, second))
    held(paired(first, second, given), 15)  # type: ignore[arg-type]


def _random_values(spec: Spec, generator: random.Random) -> dict[str, Any]:
    """Values of two of its free names at which it can be built."""
    names = free_names(spec)
    while True:
        values = {name: generator.choice((1, 2, 3, 4, 8, 12, 64, 97)) for name in generator.sample(names, 2)}
        try:
            build(spec, values)
        except ConvcostError:
            continue
        return values


OUT = [
    "O",
    "500",
    "max(1, floor(I*r))",
    "ceil(I*r)",
    "500 + (I - O)//100",
    "max(I, O)",
    "min(I, O)",
    "max(I, O, 3)",
    "max(1, round(O*r))",
    "make_divisible(O*r, 8)",
    "max(1, O//3)",
    "ceil(O/3)",
    "ceil(O/4) + O//4",
    "max(1, 7 - O)",
    "O*(I//4 + 1)",
    "gcd(I, O) + 1",
    "max(1, round_to(O, 4))",
    "abs(I - O) + 1",
]


@pytest.mark.parametrize("index", range(len(OUT)))
def test_statements_about_rounded_widths(tmp_path: Path, index: int) -> None:
    """Every width against two others, in this order: floors, ceilings, differences, extremes, divisors."""
    for step in (1, 7):
        first, second = OUT[index], OUT[(index + step) % len(OUT)]
        specs = [written(tmp_path, name, one_conv(out, "O: 12, r: 0.5")) for name, out in (("a", first), ("b", second))]
        held(paired(*specs), 20)


def test_a_function_that_can_be_negative_proves_nothing(tmp_path: Path) -> None:
    """500 against 500 + floor((I - O)/100): equal at the defaults, dearer at I = 1, O = 900 (500 > 491)."""
    first = written(tmp_path, "a", one_conv("500", "O: 8"))
    second = written(tmp_path, "b", one_conv("500 + (I - O)//100", "O: 8"))
    assert relations(paired(first, second).comparison) == {""}
    at = paired(first, second, ({"I": 1, "O": 900}, {"I": 1, "O": 900}))
    assert [item.totals.params for item in at.comparison.items] == [500, 491]


def test_a_ceiling_is_at_least_a_floor(tmp_path: Path) -> None:
    """Equal where I r is whole: never less is true, less is not; and there is no counterexample to it."""
    first_layer = f'{INPUT}parameters: {{O: 32, r: 0.5}}\nlayers: [conv: {{out: "%s", kernel: 1}}, conv: {{out: O}}]\n'
    two = [first_layer % out for out in ("ceil(I*r)", "max(1, floor(I*r))")]
    first, second = (written(tmp_path, name, spec) for name, spec in zip("ab", two, strict=True))
    comparison = paired(first, second).comparison
    assert relations(comparison) == {">="}
    assert relations(paired(second, first).comparison) == {"<="}
    assert all(ratio.order.counterexample is None for ratio in comparison.ratios["a"].values() if ratio.order)


@pytest.mark.parametrize("out", ["max(1, round_to(P, 4))", "max(1, 4*((P+2)//4))"])
def test_a_residue_class_begins_at_0(tmp_path: Path, out: str) -> None:
    """Both are 1 at P = 1, below the 2 of the other side, and 4 at P = 4, above it."""
    first = written(tmp_path, "a", one_conv("2", "P: 4"))
    second = written(tmp_path, "b", one_conv(out, "P: 4"))
    order = paired(first, second).comparison.ratios["a"]["params"].order
    assert order is not None
    assert (order.relation, order.counterexample) == ("", {"P": 1})


def test_the_domain_is_named(tmp_path: Path) -> None:
    """8 + P is more than 8 for whole P of at least 1, and is not at P = -1, which the spec takes."""
    first = written(tmp_path, "a", one_conv("8 + P", "P: 1"))
    second = written(tmp_path, "b", one_conv("8", "P: 1"))
    out = convcost("compare", first, second).out
    assert "params, MACs, FLOPs: a > b for all whole I, H, W, P >= 1\n" in out
    data = json.loads(convcost("compare", first, second, "--format", "json").out)["ratios"]["a"]["params"]["order"]
    assert {"name": "P", "whole": True, "least": 1} in data["for_all"]
    assert data["counterexample"] is None
    ratio = convcost(
        "compare", *(written(tmp_path, n, one_conv(o, "r: 0.5")) for n, o in (("c", "1"), ("d", "ceil(r)")))
    )
    assert "c <= d for all whole I, H, W >= 1, all r > 0\n" in ratio.out


def test_the_larger_of_two_is_at_least_the_smaller(tmp_path: Path) -> None:
    first = written(tmp_path, "a", one_conv("max(I, O)", "O: 32"))
    second = written(tmp_path, "b", one_conv("min(I, O)", "O: 32"))
    assert relations(paired(first, second).comparison) == {">="}


def test_a_map_has_a_position_after_every_stride() -> None:
    """A convolution multiplies at every stride; a global average pool never does."""
    ratio = paired("conv_bn_relu6", "global_avg_pool").comparison.ratios["conv_bn_relu6"]["macs"]
    assert ratio.order is not None
    assert ratio.order.relation == ">"


def test_values_that_differ_are_two_names() -> None:
    """K = 7 against K = 3: 7^2/(3^2 * 64)."""
    pair = paired("depthwise_conv", "standard_conv", ({"K": 7}, {}))
    ratio = pair.comparison.ratios["depthwise_conv"]["params"]
    assert ratio.exact == Fraction(49, 576)
    assert text(ratio.formula) == "K^2/(K'^2*O)"
    assert typeset(ratio.formula).count("K\N{PRIME}") == 1
    assert "K'" in latex(ratio.formula)
    out = convcost("compare", "depthwise_conv", "standard_conv", "--set", "depthwise_conv:K=7").out
    assert "K is 7 in depthwise_conv, K' is 3 in standard_conv; --set K=VALUE makes them one name\n" in out
    data = json.loads(
        convcost("compare", "depthwise_conv", "standard_conv", "--set", "depthwise_conv:K=7", "--format", "json").out
    )
    assert [(one["name"], one["items"], one["value"]) for one in data["names"]] == [
        ("K", ["depthwise_conv"], 7),
        ("K'", ["standard_conv"], 3),
    ]


def test_equal_values_are_one_name() -> None:
    comparison = paired("bottleneck", "plain").comparison
    assert comparison.names == ()
    assert {symbol.name for item in comparison.items for symbol in item.names.values()} == set("IHWOMK")


def test_a_name_that_one_side_fixes_is_another_name() -> None:
    """mbconv has choices of K; extreme_inception leaves it free."""
    comparison = paired("extreme_inception", "mbconv").comparison
    ours = comparison.items[0].names["K"]
    assert ours.name == "K'"
    assert "K" not in comparison.items[1].names
    assert any(
        one.fixed and one.name == "K" and comparison.items[one.targets[0]].name == "mbconv" for one in comparison.names
    )


def test_the_order_reverses_only_where_it_is_opposite_to_the_table() -> None:
    comparison = paired("pointwise_depthwise_conv", "shuffle_unit").comparison
    first, second = (item.totals.params for item in comparison.items)
    assert first < second
    order = comparison.ratios["pointwise_depthwise_conv"]["params"].order
    assert order is not None
    assert order.counterexample is not None
    there = [
        item.at(
            {**comparison.items[0].values, **comparison.items[1].values, **_by_symbol(comparison, order.counterexample)}
        )
        for item in comparison.items
    ]
    assert there[0].params > there[1].params  # type: ignore[union-attr]


def _by_symbol(comparison: Comparison, values: dict[str, Any]) -> dict[Any, Any]:
    symbols = {symbol.name: symbol for item in comparison.items for symbol in item.names.values()}
    return {symbols[name]: value for name, value in values.items()}


def test_break_even_values_fulfil_the_assumptions(tmp_path: Path) -> None:
    """A K by K kernel against K by 1 and 1 by K on a map of 14: H = K - 1 and K = 15 leave no map."""
    square = "input: {I: 16, H: 14, W: 14}\nparameters: {O: 32, K: 3}\nlayers:\n"
    first = written(tmp_path, "a", f"{square}  - conv: {{out: O, kernel: K, padding: valid, bias: false}}\n")
    parts = "".join(f"  - conv: {{out: O, kernel: {k}, padding: valid, bias: false}}\n" for k in ("[K, 1]", "[1, K]"))
    pair = paired(first, written(tmp_path, "b", square + parts))
    held(pair)
    for ratio in pair.comparison.ratios["a"].values():
        assert ratio.order is not None
        assert all(one.name != "H" for one in ratio.order.break_even)
        assert all(one.value <= 14 for one in ratio.order.break_even if one.name == "K")


def test_a_ratio_that_tends_to_0_says_so() -> None:
    out = convcost("compare", "depthwise_conv", "standard_conv").out
    assert "0 as O -> oo" in out


def test_groups_that_must_divide_have_no_limit() -> None:
    (ratio, *_) = paired("group_conv", "standard_conv").comparison.ratios["group_conv"].values()
    assert all(name != "G" for _, name in ratio.limits)


def test_ceilings_print_as_ceilings(tmp_path: Path) -> None:
    first = written(tmp_path, "a", one_conv("1", "r: 0.5"))
    second = written(tmp_path, "b", one_conv("ceil(I*r)", "r: 0.5"))
    assert text(paired(first, second).comparison.ratios["a"]["params"].formula) == "1/ceil(I*r)"


def test_equal_names_its_domain_and_what_is_fixed() -> None:
    out = convcost("equal", "depthwise_conv", "depthwise_conv", "--set", "depthwise_conv:K=3").out
    assert "for all whole I, H, W, K >= 1" in out
    assert "K = 3 in depthwise_conv" in out
