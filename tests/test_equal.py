"""Identity of costs: proofs, counterexamples, ties."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from inprocess import convcost

from convcost.catalogue.loader import Catalogue
from convcost.formulas.equal import Side, identities
from convcost.language.interpret import build
from convcost.metrics.quantities import quantities

if TYPE_CHECKING:
    from pathlib import Path

EQUAL = [
    "resnext_a resnext_b resnext_c",
    "depthwise_separable_conv pointwise_depthwise_conv --where O=I",
    "simplified_inception segmented_inception",
    "segmented_inception extreme_inception --where S=M",
    "group_conv pointwise_conv --set K=1 --set G=1",
    "group_conv standard_conv --set G=1 --in params,macs,flops,activations",
    "global_depthwise_conv depthwise_conv --set H=1 --set W=1 --set K=1",
    "linear_bottleneck_a plain --where O=I",
    "conv_bn conv_bn_relu",
    "basic_residual basic_residual --in params,macs,flops",
    "resnet50 resnet --in params,macs,flops,activations",
    "shufflenet_v1 shufflenet_v1",
]


@pytest.mark.parametrize("arguments", EQUAL)
def test_equal(arguments: str) -> None:
    result = convcost("equal", *arguments.split())
    assert result.code == 0, result.out + result.err
    assert ", proved" in result.out


DIFFERENT = [
    # arguments, quantity, smallest values, costs there
    ("resnext_a resnext_c --in flops", {"I": 1, "H": 1, "W": 1, "C": 2, "d": 1}, (46, 45)),
    ("depthwise_separable_conv pointwise_depthwise_conv --in params", {"I": 1, "H": 1, "W": 1, "O": 2, "K": 1}, (3, 4)),
    ("two_3x3 one_5x5 --in params", {"I": 1, "H": 1, "W": 1}, (18, 25)),
    ("simplified_inception extreme_inception --in params", {"I": 1, "H": 1, "W": 1, "M": 2, "S": 1, "K": 1}, (6, 4)),
    ("pool_then_inception inception_then_pool --in macs", {"I": 1, "H": 3, "W": 3, "O": 4}, (31, 279)),
]


@pytest.mark.parametrize(("arguments", "values", "costs"), DIFFERENT)
def test_different(arguments: str, values: dict[str, int], costs: tuple[int, int]) -> None:
    result = convcost("equal", *arguments.split(), "--format", "json")
    assert result.code == 1
    (pair,) = json.loads(result.out)["pairs"]
    (found,) = pair["quantities"].values()
    assert found["equal"] is False
    assert found["counterexample"]["values"] == values
    assert (found["counterexample"]["first"], found["counterexample"]["second"]) == costs


def test_the_counterexample_is_the_smallest() -> None:
    """Every point with a smaller sum, counted."""
    catalogue = Catalogue()
    first, second = (catalogue.target(name) for name in ("depthwise_separable_conv", "pointwise_depthwise_conv"))
    pair = identities(Side("a", first, {"H": 1, "W": 1}, {}), Side("b", second, {"H": 1, "W": 1}, {}), ["macs"])
    against = pair.quantities[0].counterexample
    assert against is not None
    size = sum(against.values.values())
    for i in range(1, size):
        for o in range(1, size - i):
            for k in range(1, size - i - o):
                values = {"I": i, "O": o, "K": k, "H": 1, "W": 1}
                costs = {quantities(build(spec, values).layers)["macs"] for spec in (first, second)}
                assert len(costs) == 1, values


def test_every_structure_is_looked_at() -> None:
    """A spec equals itself where it takes its shortcut and where it does not; with one fixed it does not."""
    same = json.loads(convcost("equal", "inverted_residual", "inverted_residual", "--format", "json").out)
    assert (same["equal"], same["pairs"][0]["structures"]) == (True, 4)
    other = convcost("equal", "inverted_residual", "inverted_residual", "--set", "inverted_residual:t=1")
    assert other.code == 1
    assert "t = 2" in other.out


def test_nothing_is_proved_of_structures_that_were_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convcost.formulas.cases.MAX_CASES", 1)
    spec = Catalogue().target("inverted_residual")
    pair = identities(Side("a", spec, {}, {}), Side("b", spec, {}, {}), ["params"])
    assert (pair.quantities[0].equal, pair.quantities[0].counterexample) == (None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("plain", "error: equal needs at least two targets"),
        ("plain plain --where O", "error: --where takes NAME=EXPR, found 'O'"),
        ("plain plain --where Q=1", "error: --where: no parameter of the targets is called 'Q'"),
        ("plain plain --where O=flor(I)", "error: --where: no function is called 'flor'; did you mean 'floor'?"),
        ("plain plain --where O=1+", "error: --where: '1+' is not an expression: invalid syntax"),
        (
            "plain plain --where O=Q",
            "error: `O` is tied to 'Q': no other parameter is called 'Q'; known are I, H, W, K",
        ),
        ("plain plain --in parms", "error: --in: no quantity is called 'parms'; did you mean 'params'?"),
        ("plain plain --free Z", "error: no parameter of the targets is called 'Z'"),
    ],
)
def test_misuse(arguments: str, message: str) -> None:
    result = convcost("equal", *arguments.split())
    assert result.code == 2
    assert result.err.startswith(message)
    assert result.err.count("\n") == 1


EXPORTS = "tests/data/onnx/exports/export-"
UNET = """
parameters: {rows: 64, columns: 96}
input: [3, rows, columns]
layers:
  - conv: {out: 16, kernel: 3}
  - relu
  - concat:
      skip: x
      down:
        - conv: {out: 32, kernel: 3, stride: 2, padding: 1}
        - relu
        - conv_transpose: {out: 16, kernel: 3, stride: 2, padding: 1, output_padding: 1}
  - conv: {out: 2}
"""


def test_an_exported_file_is_proved_equal_to_its_spec_for_all_sizes(tmp_path: Path) -> None:
    """Names of the file and of the spec are tied; what is free is in no list of what is fixed."""
    sizes = "--set h=224 --set w=224 --free h --where w=h --where size=h --in macs --set classes=1000"
    done = convcost("equal", f"{EXPORTS}tv_resnet50.ts17.dynhw.onnx", "resnet50", *sizes.split())
    assert (done.code, done.out.splitlines()[1]) == (0, "  (for all whole h >= 1, w = h)"), done.out + done.err
    assert "resnet50, proved" in done.out
    spec = tmp_path / "unet.yaml"
    ties = "--set h=64 --set w=96 --free h,w --where rows=h --where columns=w --in macs"
    for text, code in ((UNET, 0), (UNET.replace("out: 32", "out: 33"), 1)):
        spec.write_text(text, "utf-8")
        done = convcost("equal", f"{EXPORTS}own_unet.ts17.dynhw.onnx", str(spec), *ties.split(), "--format", "json")
        (pair,) = json.loads(done.out)["pairs"]
        assert (done.code, pair["fixed"]) == (code, [])
    # at the smallest map that the file takes, 2x2, the wider layer has a channel more at one position, twice
    assert pair["quantities"]["macs"]["counterexample"]["values"] == {"h": 2, "w": 2}


def test_a_tie_to_a_name_that_no_target_has_is_refused() -> None:
    done = convcost("equal", "resnet50", "resnet18", "--where", "size=zebra")
    assert done.code == 2
    assert "`size` is tied to 'zebra': no other parameter is called 'zebra'" in done.err
