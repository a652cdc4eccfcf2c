"""Traffic, against sums over the maps of small networks written out by hand, and against printed figures."""

from __future__ import annotations

import json
from fractions import Fraction
from math import sqrt

import pytest
import sympy
from inprocess import convcost

from convcost.api import load, loads
from convcost.api import traffic as rows_of
from convcost.errors import UsageError
from convcost.metrics.dtypes import bits, bytes_of
from convcost.metrics.traffic import AccessCost, Moved, access_cost, of_additions, sum_moved, traffic
from convcost.network.fusion import folded_norms, fusions, kept_outputs, readers
from convcost.numbers.polynomial import Symbol
from convcost.render.analysis import cost_table

CONV_BN_RELU = "{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 3, bias: false}, batch_norm, relu]}"


def test_unfused_counts_every_map() -> None:
    moved = sum_moved(traffic(loads(CONV_BN_RELU), fused=False).values())
    assert moved.read == 3 * 64 + 4 * 64 + 4 * 64
    assert moved.written == 3 * (4 * 64)
    assert moved.constants == 4 * 9 * 3 + 4 * 4  # weights; scale, shift, mean, variance
    assert moved.elements(batch=2) == 2 * (moved.read + moved.written) + moved.constants


def test_fused_counts_one_map_and_a_bias() -> None:
    moved = sum_moved(traffic(loads(CONV_BN_RELU), fused=True).values())
    assert (moved.read, moved.written) == (3 * 64, 4 * 64)
    assert moved.constants == 4 * 9 * 3 + 4
    # two for each multiply-accumulate; one addition of the folded bias and one comparison per output
    assert moved.flops == 2 * 64 * 4 * 27 + 4 * 64 + 4 * 64


def test_fusing_stops_where_somebody_else_reads() -> None:
    text = """
    input: [4, 6, 6]
    layers:
      - {conv: {out: 4, kernel: 1}, name: a}
      - relu
      - add: {main: [conv: {out: 4, kernel: 1}, batch_norm], other: {from: a}}
      - relu
      - batch_norm
    """
    graph = loads(text)
    paths = {graph.nodes[index].path: graph.nodes[into].path for index, into in fusions(graph).items()}
    assert paths == {"main/batch_norm": "main/conv"}
    assert {graph.nodes[index].path for index in folded_norms(graph)} == {"main/batch_norm"}


def test_a_prelu_keeps_its_slopes_when_fused() -> None:
    text = "{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 1}, batch_norm, prelu]}"
    moved = sum_moved(traffic(loads(text), fused=True).values())
    assert moved.constants == 4 * 3 + 4 + 4  # the bias is there already


def test_views_move_nothing_and_a_concatenation_copies() -> None:
    text = "{input: [8, 4, 4], layers: [concat: {a: [split], b: [split: {index: 1}]}, dropout, flatten]}"
    graph = loads(text)
    moved = traffic(graph)
    assert [node.kind for node in graph.layers if node.layer.is_view] == ["split", "split", "dropout", "flatten"]
    assert sum_moved(moved.values())[:3] == (8 * 16, 0, 8 * 16)


def test_intensity_by_hand() -> None:
    # a 1x1 convolution, 32 -> 64 channels on 56x56: 2*32*64 operations a position
    moved = sum_moved(traffic(load("pointwise_conv")).values())
    operations, elements = 2 * 32 * 64 * 56 * 56, (32 + 64) * 56 * 56 + 32 * 64
    assert moved.intensity() == pytest.approx(operations / (4 * elements), rel=1e-12)
    assert moved.intensity("int8", "int4") * (96 * 56 * 56 + 1024) == operations


def test_access_cost_of_shufflenet_v2() -> None:
    # Ma et al. (2018), table 1: for the same operations the ratio of channels 1:1 costs least; equation 1 bounds it
    h = w = 56
    for c1, c2 in ((128, 128), (90, 180), (60, 360), (52, 624)):  # the paper's channels at 56x56
        text = f"{{input: [{c1}, {h}, {w}], layers: [conv: {{out: {c2}, kernel: 1, bias: false}}]}}"
        found = access_cost(loads(text).layers[0])
        assert found is not None
        b = h * w * c1 * c2
        assert found.cost == h * w * (c1 + c2) + c1 * c2
        assert found.bound == pytest.approx(2 * sqrt(h * w * b) + b / (h * w), rel=1e-12)
        assert found.cost >= found.bound * (1 - 1e-12)
        assert (found.excess == pytest.approx(1)) == (c1 == c2)
    grouped = access_cost(loads("{input: [64, 8, 8], layers: [conv: {out: 32, kernel: 1, groups: 4}]}").layers[0])
    assert grouped is not None
    # equation 2: hw (c1 + c2) + c1 c2 / g
    assert grouped.cost == 64 * (64 + 32) + 64 * 32 // 4
    assert access_cost(load("standard_conv").layers[0]) is None


def test_an_inverted_residual_adds_narrow_maps() -> None:
    """The two blocks have the same two widths, 64 and 256, on the same map, in reverse order."""
    args = ("--set", "inverted_residual:I=64", "--set", "inverted_residual:t=4")
    result = convcost("compare", "inverted_residual", "bottleneck_residual", *args, "--traffic", "--format", "json")
    inverted, residual = (item["traffic"] for item in json.loads(result.out)["items"])
    assert inverted["add_elements"] == 3 * 64 * 56 * 56
    assert residual["add_elements"] == 3 * 256 * 56 * 56
    assert residual["add_elements"] == 4 * inverted["add_elements"]
    assert residual["add_share"] > 2 * inverted["add_share"]
    shown = convcost("compare", "inverted_residual", "bottleneck_residual", *args, "--traffic")
    assert "in adds" in shown.out
    flat = convcost("compare", "inverted_residual", "bottleneck_residual", *args, "--traffic", "--format", "csv")
    assert flat.out.splitlines()[0].endswith("read,constants,written,moved,add_elements,add_share,flops_per_byte")


def test_a_resnet_moves_a_seventh_of_its_elements_in_adds() -> None:
    # 16 additions: 3 of 256x56x56, 4 of 512x28x28, 6 of 1024x14x14, 3 of 2048x7x7, each two operands and a result
    adds = 3 * (3 * 256 * 56**2 + 4 * 512 * 28**2 + 6 * 1024 * 14**2 + 3 * 2048 * 7**2)
    assert of_additions(load("resnet50")).elements() == adds


def test_depthwise_layers_do_least_with_a_byte() -> None:
    data = json.loads(convcost("traffic", "mobilenet_v1", "--by", "kind", "--fused", "--format", "json").out)
    intensity = {row["kind"]: row["intensity"] for row in data["rows"]}
    assert intensity["depthwise"] < 2
    assert intensity["pointwise"] > 10 * intensity["depthwise"]


def test_command() -> None:
    data = json.loads(convcost("traffic", "shufflenet_v1", "--batch", "2", "--unfused", "--format", "json").out)
    assert sum(row["elements"] for row in data["rows"]) == data["totals"]["elements"]
    assert data["rows"][5]["access_cost"] == 28 * 28 * 0 + 56 * 56 * (24 + 60) + 24 * 60
    lines = convcost("traffic", "bottleneck", "--format", "csv").out.splitlines()
    assert lines[0] == (
        "path,kind,read,constants,written,elements,bytes,executed,intensity,access_cost,access_cost_bound,excess"
    )
    assert lines[2].startswith("conv#2,standard,12544,36864,12544,")


def test_symbols() -> None:
    channels, out, edge = sympy.symbols("I O H", positive=True, integer=True)
    graph = load("pointwise_conv", I=channels, O=out, H=edge, W=edge)
    moved = sum_moved(traffic(graph, fused=True).values())
    # ShuffleNet V2, equation 1: hw (c1 + c2) + c1 c2
    assert sympy.expand(moved.elements() - (edge**2 * (channels + out) + channels * out)) == 0
    assert sympy.expand(moved.bytes("float16") - 2 * moved.elements()) == 0


def test_bytes_and_intensity_of_a_batch() -> None:
    moved = Moved(read=100, constants=30, written=60, flops=700)
    assert moved.elements() == 190
    assert moved.elements(3) == 3 * 160 + 30
    assert moved.bytes() == 4 * 190
    assert moved.bytes(batch=3) == 4 * (3 * 160 + 30)
    assert moved.bytes("float16", "int8", 3) == 2 * 3 * 160 + 30
    assert moved.bytes("int8") == 190
    assert moved.intensity() == Fraction(700, 760)
    assert moved.intensity(batch=3) == Fraction(2100, 4 * 510)
    assert moved.intensity("float16", "int8", 3) == Fraction(2100, 990)
    assert Moved(0, 0, 0, 5).intensity() is None
    size = Symbol("N")
    symbolic = Moved(size, 0, size, 6 * size**2).intensity("int8", batch=5)
    assert symbolic == 3 * size  # 5 * 6 N^2 operations on 5 * 2 N bytes
    assert sum_moved([]) == Moved(0, 0, 0, 0)
    assert sum_moved([moved, Moved(1, 2, 3, 4)]) == Moved(101, 32, 63, 704)


def test_a_second_norm_finds_the_bias_there() -> None:
    text = "{input: [3, 8, 8], layers: [conv: {out: 4, kernel: 3, bias: false}, batch_norm, scale, batch_norm, relu]}"
    moved = sum_moved(traffic(loads(text), fused=True).values())
    # three factors and offsets in a row are one factor, which goes into the weights, and one offset
    assert moved.constants == 4 * 9 * 3 + 4
    assert moved.flops == 2 * 64 * 4 * 27 + 4 * 64 + 4 * 64
    two = "{input: [3, 8, 8], layers: [{conv: {out: 4, kernel: 3, bias: false}, repeat: 2}, batch_norm]}"
    graph = loads(two)
    assert [one.constants for one in traffic(graph, fused=True).values()] == [4 * 9 * 3, 4 * 9 * 4 + 4, 0]


def test_copies_are_fused_copy_by_copy() -> None:
    branch = "[conv: {out: 2, kernel: 1, bias: false}, batch_norm, prelu]"
    graph = loads(f"{{input: [8, 4, 4], layers: [concat: {{p: {{repeat: 3, do: {branch}}}}}]}}")
    assert graph.nodes[1].count == 3
    conv, norm, prelu, merge = traffic(graph, fused=True).values()
    assert conv == Moved(3 * 8 * 16, 3 * (16 + 2 + 2), 3 * 2 * 16, 3 * (2 * 16 * 16 + 32 + 64))
    assert (norm, prelu) == (Moved(0, 0, 0, 0), Moved(0, 0, 0, 0))
    assert merge == Moved(6 * 16, 0, 6 * 16, 0)
    conv, norm, prelu, _ = traffic(graph, fused=False).values()
    assert norm == Moved(3 * 32, 3 * 8, 3 * 32, 3 * 64)
    assert prelu.constants == 3 * 2


def test_rows_by_group() -> None:
    text = """
    input: [8, 4, 4]
    blocks: {pair: [conv: {out: 8, kernel: 1, bias: false}, batch_norm]}
    layers: [pair, flatten, linear: {out: 5, bias: false}]
    """
    graph = loads(text)
    keys = ("path", "kind", "read", "constants", "written", "access_cost", "access_cost_bound")
    conv, norm, flat, linear = (tuple(row.values()) for row in rows_of(graph, fused=False).records(*keys))
    weights = 8 * 8
    assert conv == ("pair/conv", "pointwise", 128, weights, 128, 16 * 16 + weights, 2 * 16 * 8 + weights)
    assert norm == ("pair/batch_norm", "batch_norm", 128, 4 * 8, 128, None, None)
    assert flat[2:5] == (0, 0, 0)
    assert linear == ("linear", "linear", 128, 128 * 5, 5, None, None)
    block, *_ = rows_of(graph, by="block", fused=False).records(*keys)
    assert tuple(block.values())[2:] == (256, weights + 4 * 8, 256, None, None)  # the cost is that of a convolution
    shown = cost_table(rows_of(graph))
    assert [row[0] for row in shown.rows] == ["pair/conv", "linear"]
    assert shown.notes[0] == "2 more rows, which move nothing"
    with pytest.raises(UsageError):
        rows_of(graph, by="zebra")


def test_access_cost_is_that_of_1x1_convolutions_with_stride_1() -> None:
    def of(layer: str) -> AccessCost | None:
        return access_cost(loads(f"{{input: [8, 6, 4], layers: [{layer}]}}").layers[0])

    assert of("conv: {out: 4, kernel: 1, stride: 2}") is None
    assert of("conv: {out: 4, kernel: 3}") is None
    assert of("conv: {out: 8, kernel: 1, groups: 8}") is None
    found = of("conv: {out: 2, kernel: 1, groups: 2}")
    assert found is not None
    assert (found.cost, found.bound) == (24 * 10 + 8, 2 * 24 * 4 + 8)
    assert found.excess == 248 / 200
    size = sympy.Symbol("H", positive=True, integer=True)
    assert access_cost(load("pointwise_conv", H=size).layers[0]) is None


def test_fused_is_the_default_everywhere() -> None:
    graph = loads(CONV_BN_RELU)
    assert traffic(graph) == traffic(graph, fused=True) != traffic(graph, fused=False)
    assert list(traffic(graph, fused=False).values())[1] == Moved(4 * 64, 16, 4 * 64, 2 * 4 * 64)
    assert rows_of(graph).records() == rows_of(graph, fused=True).records() != rows_of(graph, fused=False).records()
    machine = ("--peak", "1T", "--bandwidth", "10G")
    for flags in ((), ("--fused",), ("--unfused",)):
        moved = json.loads(convcost("traffic", "resnet18", *flags, "--format", "json").out)
        timed = json.loads(convcost("roofline", "resnet18", *machine, *flags, "--format", "json").out)
        assert moved["fused"] == timed["fused"] == ("--unfused" not in flags)
        assert moved["totals"]["bytes"] == timed["totals"]["bytes"]


def test_additions_are_those_of_maps() -> None:
    assert of_additions(loads(CONV_BN_RELU)) == Moved(0, 0, 0, 0)
    text = "{input: [4, 3, 3], layers: [add: {a: [relu], b: x}, multiply: {a: [relu], b: x}]}"
    assert of_additions(loads(text)) == Moved(2 * 36, 0, 36, 36)


def test_what_fuses_into_what() -> None:
    def fused(layers: str) -> dict[str, str]:
        graph = loads(f"{{input: [4, 6, 6], layers: [{layers}]}}")
        return {graph.nodes[index].path: graph.nodes[into].path for index, into in fusions(graph).items()}

    assert fused("conv: {out: 4}, batch_norm, relu") == {"batch_norm": "conv", "relu": "conv"}
    assert fused("conv_transpose: {out: 4}, relu6, scale") == {"relu6": "conv_transpose", "scale": "conv_transpose"}
    assert fused("linear: {out: 4, axis: c}, activation: {kind: gelu}") == {"activation": "linear"}
    assert fused("batch_norm, relu") == {}
    assert fused("max_pool: {kernel: 2}, relu") == {}
    assert fused("conv: {out: 4}, layer_norm, relu") == {}
    assert fused("conv: {out: 4}, softmax") == {}
    assert fused("conv: {out: 4}, activation: {kind: softmax}") == {}
    assert fused("output: {side: [conv: {out: 2}]}, conv: {out: 4}, relu") == {"relu": "conv"}
    graph = loads("{input: [4, 6, 6], layers: [conv: {out: 4}, relu, batch_norm]}")
    assert folded_norms(graph) == {}  # a norm behind an activation runs with it, but folds into nothing
    assert readers(graph) == {0: [1], 1: [2], 2: [3], 3: []}
    twice = loads("{input: [4, 6, 6], layers: [add: {a: x, b: x}]}")
    assert readers(twice) == {0: [1], 1: []}


def test_a_tensor_that_leaves_the_network_is_written() -> None:
    text = "{input: [4, 6, 6], layers: [{conv: {out: 4}, name: side}, output: {kept: x}, relu]}"
    graph = loads(text)
    assert fusions(graph) == {}
    assert kept_outputs(graph) == {1, 2}


def test_bits_of_formats() -> None:
    assert [bits(dtype) for dtype in ("float32", "float16", "bfloat16", "int8", "int4")] == [32, 16, 16, 8, 4]
    assert [bytes_of(5, dtype) for dtype in ("float32", "float16", "bfloat16", "int8", "int4")] == [20, 10, 10, 5, 3]
    with pytest.raises(UsageError) as caught:
        bits("int9" + "9" * 70)
    assert str(caught.value) == (
        f"`dtype` must be one of float32, float16, bfloat16, int8, int4; found 'int9{'9' * 53}...'"
    )
    with pytest.raises(UsageError, match=r"; found 'flot32'; did you mean 'float32'\?$"):
        bytes_of(3, "flot32")
