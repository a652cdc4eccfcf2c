"""The number of another counter as a closed form and as a budget, against what the counter prints elsewhere."""

from __future__ import annotations

import csv
import json
from fractions import Fraction

import pytest
from conftest import DATA
from inprocess import convcost

import convcost as package
from convcost.errors import UsageError
from convcost.numbers.values import evaluate

LINES = (DATA / "counters_elsewhere.csv").read_text("utf-8").splitlines()
PRINTED = list(csv.DictReader(line for line in LINES if not line.startswith("#")))
TOOLS = ("fvcore", "ptflops", "thop", "torchinfo")


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("spec", ["resnet50", "mobilenet_v2"])
def test_one_closed_form_says_what_the_tool_prints_everywhere(spec: str, tool: str) -> None:
    rows = [row for row in PRINTED if row["spec"] == spec]
    found = package.formula(spec, [rows[0]["free"]], convention=tool)
    form = found.totals["reported"].polynomial
    (symbol,) = found.symbols.values()
    for row in rows:
        assert evaluate(form, {symbol: Fraction(row["value"])}) == int(row[tool]), row
    layers = sum(row.forms["reported"].value for row in found.rows)
    assert layers == found.totals["reported"].value


def test_a_budget_in_the_number_of_a_tool() -> None:
    # at 0.75 thop prints 232,491,008: a budget of just that is met there, one less is not
    solved = package.solve("mobilenet_v2", "alpha", "reported<=232491008", convention="thop")
    assert solved.place is not None
    assert solved.place.costs["reported"] == 232_491_008
    assert solved.place.range.low < Fraction(3, 4) < solved.place.range.high
    less = package.solve("mobilenet_v2", "alpha", "reported<=232491007", convention="thop")
    assert less.place is not None
    assert less.place.value < Fraction(3, 4)


def test_commands_say_whose_number_it_is() -> None:
    out = convcost("formula", "resnet50", "--free", "size", "--total", "--convention", "fvcore").out
    assert "fvcore MACs = 9536*ceil(size/2)^2 + " in out
    assert "fvcore MACs: one for each multiply-accumulate" in out
    data = json.loads(
        convcost("formula", "resnet50", "--free", "size", "--convention", "fvcore", "--format", "json").out
    )
    assert data["convention"]["name"] == "fvcore"
    assert data["values"]["reported"] == 4_111_512_576
    assert sum(row["values"]["reported"] for row in data["rows"]) == 4_111_512_576
    table = convcost("solve", "resnet50", "--for", "size", "--convention", "torch", "--budget", "reported<=4G").out
    assert "torch FLOPs" in table.splitlines()[1]
    scaled = convcost("scaling", "resnet50", "--free", "size", "--convention", "keras").out
    assert "size  keras parameters       0  does not depend on it" in scaled
    code = convcost(
        "formula", "resnet50", "--free", "size", "--in", "reported", "--convention", "thop", "--format", "python"
    )
    scope: dict[str, object] = {}
    exec(code.out, scope)  # noqa: S102 - our own output is what is tested
    assert scope["resnet50"](193) == {"reported": 3_504_677_824}  # type: ignore[operator]


def test_several_names_and_cases() -> None:
    options = ("--for", "alpha,size", "--step", "alpha=0.25", "--step", "size=224", "--range", "size=224..224")
    budget = ("--convention", "fvcore", "--budget", "reported<=220843120", "--objective", "max reported")
    points = json.loads(convcost("solve", "mobilenet_v2", *options, *budget, "--format", "json").out)["points"]
    assert points[0] == {"values": {"alpha": 0.75, "size": 224}, "costs": points[0]["costs"]}
    assert points[0]["costs"]["reported"] == 220_843_120
    all_cases = convcost(
        "formula", "bottleneck_residual", "--cases", "--convention", "macs", "--in", "macs,reported"
    ).out
    forms = [line.split(" = ")[1] for line in all_cases.splitlines() if " = " in line and "MACs" in line]
    assert forms
    assert forms[::2] == forms[1::2]


def test_misuse() -> None:
    result = convcost("solve", "mobilenet_v2", "--for", "alpha", "--budget", "reported<=1M")
    assert (result.code, result.err) == (
        2,
        "error: --budget: whose reported number? name its convention with --convention\n",
    )
    with pytest.raises(UsageError, match="did you mean 'fvcore'"):
        package.formula("resnet50", ["size"], convention="fvcor")
    with pytest.raises(UsageError, match="no published figures"):
        package.solve("bottleneck", "M", "reported<=1M", convention="paper")
