"""The article's arithmetic, by command: every figure here is worked out in the article or in a paper."""

from __future__ import annotations

import json

import pytest
from inprocess import convcost

EXAMPLES = [
    # item, baseline, params of each, ratio, ratio as a formula, limit
    ("bottleneck", "plain", 69_632, 589_824, "17/144", None, None),
    ("pw_reduced_5x5", "direct_5x5", 204_800, 819_200, "1/4", "M/I", None),
    ("pw_then_5x5", "direct_5x5", 204_800 + 128 * 32, 819_200, "51/200", None, None),
    ("two_3x3", "one_5x5", 2 * 9 * 64 * 64, 25 * 64 * 64, "18/25", "18/25", None),
    ("asymmetric_nxn", "square_nxn", 6 * 192 * 192, 9 * 192 * 192, "2/3", "2/n", None),
    ("group_conv", "standard_conv", 9 * 32 * 64 // 4, 9 * 32 * 64, "1/4", "1/G", None),
    ("depthwise_separable_conv", "standard_conv", 9 * 32 + 32 * 64, 9 * 32 * 64, "73/576", "1/O + 1/K^2", "1/K^2"),
    ("resnext_a", "resnext_c", 70_144, 70_144, "1", "1", None),
    ("resnext_b", "resnext_c", 70_144, 70_144, "1", "1", None),
    ("simplified_inception", "segmented_inception", 122_880, 122_880, "1", "1", None),
]


@pytest.mark.parametrize(("name", "base", "params", "base_params", "ratio", "formula", "limit"), EXAMPLES)
def test_example(
    name: str, base: str, params: int, base_params: int, ratio: str, formula: str | None, limit: str | None
) -> None:
    result = convcost("compare", name, base, "--format", "json")
    assert result.code == 0, result.err
    data = json.loads(result.out)
    totals = {item["name"]: item["totals"]["params"] for item in data["items"]}
    assert totals == {name: params, base: base_params}
    found = data["ratios"][name]["params"]
    assert found["exact"] == ratio
    if formula is not None:
        assert found["formula"] == formula
    if limit is not None:
        assert f"{limit} as O -> oo" in found["limit"]
