"""What an account of lightweight backbones states, each statement by the command that shows it.

Symbols are those of the account: I input channels, O output channels, K kernel, H x W map, G groups, M width of a
bottleneck, t expansion, C cardinality, d width of a path. Its "computation" is the number of weights, which is the
multiply-accumulates per output position.
"""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from inprocess import convcost

from convcost.language.expression import compile_expression


def run(*arguments: str) -> str:
    result = convcost(*arguments)
    assert result.code == 0, result.err
    return result.out


def data(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--format", "json"))


def params(comparison: Any) -> list[int]:
    return [item["totals"]["params"] for item in comparison["items"]]


def same_formula(printed: str, stated: str, names: str) -> bool:
    """Whether two formulas agree at many points; what is printed reads back."""
    for values in product((1, 2, 6), repeat=len(names.split())):
        scope = dict(zip(names.split(), values, strict=True))
        if compile_expression(printed).evaluate(scope) != compile_expression(stated).evaluate(scope):
            return False
    return True


def test_01_a_1x1_before_a_5x5_quarters_it() -> None:
    """256*5*5*128 = 819,200; on 32 channels 32*5*5*256 = 204,800, a quarter; with the 1x1 itself 208,896."""
    reduced = data("compare", "pw_reduced_5x5", "direct_5x5")
    assert params(reduced) == [32 * 5 * 5 * 256, 256 * 5 * 5 * 128] == [204_800, 819_200]
    assert reduced["ratios"]["pw_reduced_5x5"]["params"]["exact"] == "1/4"
    assert params(data("compare", "pw_then_5x5", "direct_5x5")) == [128 * 32 + 204_800, 819_200]


def test_02_a_1x1_also_widens() -> None:
    rows = data("formula", "inverted_residual")["rows"]
    assert rows[0]["kind"] == "pointwise"
    assert (rows[0]["input"][0], rows[0]["output"][0]) == ("I", "I*t")
    assert data("formula", "inverted_residual")["witness"]["t"] == 6


def test_03_two_3x3_for_one_5x5() -> None:
    one = data("compare", "plain", "plain", "--set", "plain:K=5", "--set", "plain#2:K=3")
    assert one["ratios"]["plain"]["params"]["exact"] == "25/9"
    two = data("compare", "two_3x3", "one_5x5")["ratios"]["two_3x3"]["params"]
    assert (two["exact"], two["formula"]) == ("18/25", "18/25")
    fields = [data("receptive", name)["last_map"] for name in ("two_3x3", "one_5x5")]
    assert [(row["field"], row["effective_stride"]) for row in fields] == [([5, 5], [1, 1])] * 2


def test_04_3x3_as_3x1_and_1x3() -> None:
    found = data("compare", "asymmetric_nxn", "square_nxn")
    assert found["ratios"]["asymmetric_nxn"]["params"]["exact"] == "2/3"
    assert found["ratios"]["asymmetric_nxn"]["params"]["formula"] == "2/n"
    assert all(12 <= size <= 20 for item in found["items"] for size in item["input"][1:])


def test_05_downsampling() -> None:
    """Pooling first is cheaper whatever the map; both side by side lies below Inception first."""
    found = data("compare", "pool_then_inception", "parallel_reduction", "inception_then_pool")
    first = found["ratios"]["pool_then_inception"]["macs"]["order"]
    assert (first["relation"], first["from"], first["counterexample"]) == ("<", {}, None)
    macs = [item["totals"]["macs"] for item in found["items"]]
    assert macs[1] < macs[2]


def test_06_the_bottleneck() -> None:
    found = data("compare", "bottleneck", "plain")
    assert params(found) == [256 * 64 + 64 * 3 * 3 * 64 + 64 * 256, 256 * 3 * 3 * 256] == [69_632, 589_824]
    ratio = found["ratios"]["bottleneck"]["params"]
    assert ratio["exact"] == "17/144"
    assert ratio["order"]["less_where"][0]["name"] == "M"


@pytest.mark.parametrize(
    ("name", "params", "macs", "blocks"),
    [
        # timm 1.0.31 and pytorchcv 0.0.74
        ("inception_resnet_v2", 55_843_464, 13_155_794_016, 10 + 20 + 10),
        ("inception_resnet_v1", None, None, 5 + 10 + 5),
    ],
)
def test_07_inception_with_residuals(name: str, params: int | None, macs: int | None, blocks: int) -> None:
    """Every block is an Inception module whose output is added to its input (Szegedy et al., 2017, figure 15)."""
    found = data("analyze", name)
    rows = found["rows"]
    adds = [row for row in rows if row["kind"] == "add"]
    concats = [row for row in rows if row["kind"] == "concat"]
    assert len(adds) == blocks
    assert len(concats) >= blocks  # each has one, and the reductions and the stem have theirs
    if params is not None:
        assert (found["totals"]["params"], found["totals"]["macs"]) == (params, macs)


def test_08_and_09_group_convolution() -> None:
    """O*K*K*I parameters become O*K*K*I/G: of the K*K*I weights of a kernel, 1/G remain."""
    standard = data("formula", "standard_conv")["totals"]["params"]
    grouped = data("formula", "group_conv")["totals"]["params"]
    assert same_formula(standard, "O*K*K*I", "I O K")
    assert same_formula(grouped, "O*K*K*I/G", "I O K G")
    ratio = data("compare", "group_conv", "standard_conv")
    assert ratio["ratios"]["group_conv"]["params"]["formula"] == "1/G"
    assert {one["text"] for one in ratio["conditions"]} == {"G divides I", "G divides O"}


def test_10_depthwise_is_grouping_to_the_end() -> None:
    run("equal", "group_conv", "depthwise_conv", "--where", "G=I", "--where", "O=I", "--in", "params,macs,flops")
    assert same_formula(data("formula", "depthwise_conv")["totals"]["params"], "I*K*K", "I K")
    separable = data("formula", "depthwise_separable_conv")["totals"]["params"]
    assert same_formula(separable, "I*K*K + I*O", "I O K")


def test_11_global_depthwise_convolution() -> None:
    found = data("formula", "global_depthwise_conv")
    assert same_formula(found["totals"]["params"], "I*H*W", "I H W")
    assert found["rows"][0]["output"] == ["I", "1", "1"]
    pooled = data("formula", "global_avg_pool")
    assert (pooled["totals"]["params"], pooled["rows"][0]["output"]) == ("0", ["I", "1", "1"])


def test_12_from_inception_to_its_extreme() -> None:
    run("equal", "simplified_inception", "segmented_inception")
    run("equal", "segmented_inception", "extreme_inception", "--where", "S=M")
    run("equal", "simplified_inception", "extreme_inception", "--where", "S=M")
    rows = data("formula", "extreme_inception")["rows"]
    assert [row["kind"] for row in rows] == ["pointwise", "depthwise"]
    assert not any("pool" in row["kind"] for row in data("formula", "simplified_inception")["rows"])
    module = data("compare", "inception_module", "inception_naive")
    assert params(module)[0] < params(module)[1]


def test_13_depthwise_separable_against_standard() -> None:
    found = data("compare", "depthwise_separable_conv", "standard_conv")["ratios"]["depthwise_separable_conv"]["params"]
    assert (found["formula"], found["limit"]) == ("1/O + 1/K^2", "1/K^2 as O -> oo")
    assert (found["order"]["relation"], found["order"]["from"]) == ("<", {"O": 2, "K": 2})
    run("equal", "depthwise_separable_conv", "pointwise_depthwise_conv", "--where", "O=I")
    swapped = convcost("equal", "depthwise_separable_conv", "pointwise_depthwise_conv")
    assert swapped.code == 1
    assert "the difference is K^2*(I - O)" in swapped.out


def test_14_mobilenet_is_1x1_convolutions() -> None:
    """95 % of the computation and 75 % of the parameters (Howard et al., 2017, Table 2: 94.86 and 74.59)."""
    text = run("analyze", "mobilenet_v1", "--by", "kind", "--format", "csv", "--columns", "kind,weights,macs")
    rows = {row["kind"]: row for row in csv.DictReader(io.StringIO(text))}
    totals = {key: sum(int(row[key]) for row in rows.values()) for key in ("macs", "weights")}
    shares = [Fraction(int(rows["pointwise"][key]), total) for key, total in totals.items()]
    assert [round(float(share) * 100, 2) for share in shares] == [94.86, 74.59]


@pytest.mark.parametrize(
    ("free", "quantity", "degree"),
    [("alpha", "params", 2), ("alpha", "macs", 2), ("rho", "macs", 2), ("rho", "params", 0)],
)
def test_15_width_and_resolution(free: str, quantity: str, degree: int) -> None:
    """alpha reduces both by about alpha^2; rho reduces computation by about rho^2 and leaves the parameters alone."""
    (row,) = data("scaling", "mobilenet_v1", "--free", free, "--in", quantity)["rows"]
    assert row["degree"] == degree
    assert row["fixed"]["exact"] == "1" or degree == 2
    assert degree == 0 or 1.7 < row["elasticity"]["decimal"] < 2


def test_16_the_evolution_of_separable_blocks() -> None:
    found = data("compare", *(f"linear_bottleneck_{letter}" for letter in "abcd"))
    a, b, c, d = params(found)
    assert (a, b, c, d) == (
        9 * 144 * 144,
        9 * 144 + 144 * 144,
        9 * 144 + 144 * 24,
        24 * 144 + 9 * 144 + 144 * 24,
    )


def test_17_few_operations_are_not_speed() -> None:
    """SqueezeNet has fewer parameters and more operations than MobileNet V2; at equal widths, 64 and 256 on the same
    map, a residual block adds maps four times as wide as an inverted residual does.
    """
    small = data("compare", "squeezenet1_0", "mobilenet_v2")["ratios"]["squeezenet1_0"]
    assert small["params"]["decimal"] < 1 < small["macs"]["decimal"]
    widths = ("--set", "inverted_residual:I=64", "--set", "inverted_residual:t=4")
    found = data("compare", "inverted_residual", "bottleneck_residual", "--traffic", *widths)
    inverted, residual = (item["traffic"] for item in found["items"])
    assert (inverted["add_elements"], residual["add_elements"]) == (3 * 64 * 56**2, 3 * 256 * 56**2)
    assert residual["add_share"] > 2 * inverted["add_share"]


def test_18_three_forms_of_resnext() -> None:
    out = run("equal", "resnext_a", "resnext_b", "resnext_c")
    assert out.count(", proved") == 4
    assert "(for all whole I, H, W, C, d >= 1)" in out


def test_19_width_of_paths_times_cardinality() -> None:
    rows = data("formula", "resnext_c")["rows"]
    assert [row["output"][0] for row in rows[:2]] == ["C*d", "C*d"]
    ratios = data("compare", "resnext50", "resnet50")["ratios"]["resnext50"]
    assert all(abs(ratios[quantity]["decimal"] - 1) < 0.04 for quantity in ("params", "macs"))


def test_20_costs_of_units() -> None:
    """ResNet hw(2cm + 9m^2), ResNeXt hw(2cm + 9m^2/g), ShuffleNet hw(2cm/g + 9m) (Zhang et al., 2018, section 3.2)."""
    resnext = data("formula", "bottleneck_residual", "--free", "I,H,W,M,G")["totals"]["macs"]
    shuffle = data("formula", "shuffle_unit", "--free", "I,H,W,M,g")["totals"]["macs"]
    resnet = data("formula", "bottleneck_residual", "--free", "I,H,W,M")["totals"]["macs"]
    assert same_formula(resnet, "H*W*(2*I*M + 9*M^2)", "I H W M")
    assert same_formula(resnext, "H*W*(2*I*M + 9*M^2/G)", "I H W M G")
    assert same_formula(shuffle, "H*W*(2*I*M/g + 9*M)", "I H W M g")


def test_21_the_strided_shuffle_unit() -> None:
    """A pool on the shortcut, a concat for the sum; no shuffle after the second 1x1, no ReLU after the depthwise."""
    rows = data("analyze", "shuffle_unit", "--set", "stride=2")["rows"]
    kinds = [row["kind"] for row in rows]
    assert kinds[0] == "avg_pool"
    assert "concat" in kinds
    assert "add" not in kinds
    branch = [row["kind"] for row in rows if row["path"].startswith("main/")]
    assert branch.count("channel_shuffle") == 1
    after_depthwise = branch[branch.index("depthwise") + 1 :]
    assert "relu" not in after_depthwise
    assert "channel_shuffle" not in after_depthwise


def test_22_depthwise_is_cheap_and_hard_to_run() -> None:
    """Nine products for each element read and written: on a small device every depthwise layer waits for memory."""
    found = data("roofline", "mobilenet_v1", "--device", "raspberry_pi_4")
    rows = [row for row in found["rows"] if row["kind"] == "depthwise"]
    assert len(rows) == 13
    assert {row["limit"] for row in rows} == {"memory"}
    time = sum(row["time_share"] for row in rows)
    operations = sum(row["executed"] for row in rows) / found["totals"]["executed"]
    assert time > 1.5 * operations
    moved = data("traffic", "mobilenet_v1", "--by", "kind", "--fused")["rows"]
    intensity = {row["kind"]: row["intensity"] for row in moved}
    assert intensity["pointwise"] > 10 * intensity["depthwise"]


def test_23_groups_in_alexnet_and_wiring_in_lenet() -> None:
    """Two GPUs: groups in the second, fourth and fifth convolution. C3: 6 maps see three, 9 see four, one all six."""
    groups = [row["groups"] for row in data("analyze", "alexnet")["rows"] if row["groups"]]
    assert groups == [1, 2, 1, 2, 2]
    c3 = [row for row in data("analyze", "lenet5")["rows"] if row["path"].startswith("C3/") and row["macs"]]
    assert [(row["count"], row["input"][0]) for row in c3] == [(6, 3), (9, 4), (1, 6)]
    assert sum(row["params"] for row in c3) == 1516
