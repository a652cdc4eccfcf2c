"""Conventions against what the tools themselves print; see ``data/counters.csv``."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import DATA, ROOT
from inprocess import convcost

from convcost.api import load, loads, survey
from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.conventions import convention, names, reported
from convcost.conventions.counts import QUANTITIES
from convcost.conventions.model import Rules, selectors
from convcost.errors import SpecError, UsageError
from convcost.language.given import from_text
from convcost.language.interpret import build
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.network.graph import Graph

TOOLS = {
    "fvcore": "fvcore",
    "ptflops": "ptflops",
    "ptflops-aten": "ptflops_aten",
    "thop": "thop",
    "torchinfo": "torchinfo",
    "torch": "torch",
    "macs": "conv_linear",
}


def _measured(name: str = "counters.csv", delimiter: str = ",") -> list[dict[str, str]]:
    lines = (DATA / name).read_text().splitlines()
    return list(csv.DictReader((line for line in lines if not line.startswith("#")), delimiter=delimiter))


def _graph(row: dict[str, str]) -> Graph:
    name, *settings = row["spec"].split()
    spec = Catalogue().target(str(ROOT / name) if name.endswith(".yaml") else name)
    values = dict(setting.split("=") for setting in settings)
    given = {key: from_text(spec, key, value) for key, value in values.items()}
    return build(spec, given, tuple(map(int, row["input"].split("x"))))


@pytest.mark.parametrize("row", _measured(), ids=lambda row: f"{row['network']}-{row['input']}")
def test_every_tool_to_the_unit(row: dict[str, str]) -> None:
    graph = _graph(row)
    found = {tool: reported(graph, convention(tool)) for tool in TOOLS}
    assert {tool: one.value() for tool, one in found.items()} == {t: int(row[key]) for t, key in TOOLS.items()}
    params = {tool: int(row["thop_params" if tool == "thop" else "params"]) for tool in TOOLS}
    assert {tool: one.params for tool, one in found.items()} == params


@pytest.mark.parametrize("row", _measured("counters_of_layers.csv", ";"), ids=lambda row: str(row["spec"])[:50])
def test_layers_without_convolutions_to_the_unit(row: dict[str, str]) -> None:
    graph = loads(f"{{input: [{row['input'].replace('x', ', ')}], layers: [{row['spec']}]}}")
    tools = {tool: key for tool, key in TOOLS.items() if key in row}
    assert len(tools) == 5
    found = {tool: reported(graph, convention(tool)).value() for tool in tools}
    assert found == {tool: int(row[key]) for tool, key in tools.items()}


def test_counters_cover_more_networks_than_the_documented_four() -> None:
    assert len({row["network"] for row in _measured()}) >= 20


# Keras 3.15.1, keras.applications, weights=None: count_params() and the trainable weights alone. Its Inception has no
# gamma and its EfficientNet a normalisation of the input (7 values), so that those are other networks.
KERAS = {
    "mobilenet_v1": (4_253_864, 4_231_976),
    "mobilenet_v2": (3_538_984, 3_504_872),
    "xception": (22_910_480, 22_855_952),
    "densenet121": (8_062_504, 7_978_856),
    "mobilenet_v3": (5_507_432, 5_483_032),
    "vgg16": (138_357_544, 138_357_544),
}


@pytest.mark.parametrize("name", KERAS)
def test_keras_counts_moving_statistics(name: str) -> None:
    graph = load(name)
    total, trainable = KERAS[name]
    assert reported(graph, convention("keras")).value() == total
    assert reported(graph, convention("keras")).params == total
    assert reported(graph, convention("macs")).params == trainable


def test_pycls_counts_a_bias_once() -> None:
    # pycls blocks.py: flops of a convolution are k*k*w_in*w_out*h*w//groups + (w_out if bias); of a linear layer
    # w_in*w_out + w_out. Two convolutions with bias on a 4x8x8 map, one of them grouped, then a linear layer.
    layers = "[conv: {out: 6, kernel: 3}, conv: {out: 8, kernel: 1, groups: 2}, flatten, linear: {out: 5}]"
    expected = (9 * 4 * 6 * 64 + 6) + (6 * 8 * 64 // 2 + 8) + (8 * 64 * 5 + 5)
    graph = loads(f"{{input: [4, 8, 8], layers: {layers}}}")
    assert reported(graph, convention("pycls")).value() == expected


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "convnext", "unet", "lenet5"])
def test_causes_add_up_to_the_difference(name: str) -> None:
    readings = [reading for reading in survey(name) if reading.difference is not None]
    assert len(readings) >= 8
    for reading in readings:
        assert sum(reading.causes.values()) == reading.difference, reading.convention.name


def test_causes_of_resnet50() -> None:
    # 11,113,984 elements of batch norm, 9,608,704 of ReLU, max pool of 64x112x112, average pool of 2048x7x7
    graph = load("resnet50")
    norm, relu, pools = 11_113_984, 9_608_704, 64 * 112 * 112 + 2048 * 49
    causes = reported(graph, convention("ptflops")).causes()
    assert (causes["norm"], causes["activation"], causes["pooling"]) == (2 * norm, 2 * relu, 2 * pools)
    assert (causes["bias"], causes["factor"], causes["other"]) == (1000, 0, 0)
    assert reported(graph, convention("torch")).causes()["factor"] == 4_089_184_256
    assert reported(graph, convention("thop")).causes()["pooling"] == 50 * 2048


def test_rows_of_an_analysis_add_up_to_the_reported_total() -> None:
    for by in ("layer", "block", "stage", "kind"):
        data = json.loads(convcost("analyze", "resnet50", "--by", by, "--convention", "fvcore", "--format", "json").out)
        assert sum(row["reported"] for row in data["rows"]) == data["totals"]["reported"] == 4_111_512_576
        assert data["totals"]["macs"] == 4_089_184_256
        assert data["convention"]["name"] == "fvcore"
        assert data["convention"]["unit"] == "MACs"
        assert {"params", "macs", "flops"} <= data["convention"].keys()


def test_default_convention_reports_flops() -> None:
    totals = json.loads(convcost("analyze", "bottleneck", "--format", "json").out)["totals"]
    assert totals["reported"] == totals["flops"] == 2 * 13_647_872
    assert totals["reported_params"] == totals["params"] == 69_632


def test_batch_multiplies_operations_but_not_parameters() -> None:
    macs = json.loads(convcost("analyze", "resnet50", "--batch", "4", "--convention", "fvcore", "--format", "json").out)
    assert macs["totals"]["reported"] == 4 * 4_111_512_576
    keras = json.loads(convcost("analyze", "resnet50", "--batch", "4", "--convention", "keras", "--format", "json").out)
    assert keras["totals"]["reported"] == keras["totals"]["reported_params"] == 25_557_032 + 53_120


def test_compare_and_list_report_too() -> None:
    data = json.loads(convcost("compare", "resnet50", "mobilenet_v2", "--convention", "thop", "--format", "json").out)
    assert [item["totals"]["reported"] for item in data["items"]] == [4_133_742_592, 327_486_720]
    assert data["ratios"]["resnet50"]["reported"]["decimal"] == pytest.approx(4_133_742_592 / 327_486_720)
    listed = json.loads(convcost("list", "--networks", "--convention", "torch", "--format", "json").out)
    found = {entry["name"]: entry["reported"] for entry in listed["networks"]}
    assert found["resnet50"] == 8_178_368_512


def test_paper_is_the_networks_own() -> None:
    # the MobileNet paper prints weights alone: 4.2M are 4,209,088, not the 4,231,976 with batch norm and bias
    data = json.loads(convcost("analyze", "mobilenet_v1", "--convention", "paper", "--format", "json").out)
    assert data["totals"]["reported_params"] == 4_209_088
    assert data["totals"]["reported"] == 568_740_352
    refused = convcost("analyze", "bottleneck", "--convention", "paper")
    assert refused.code == 2
    assert "no published figures" in refused.err


def _sum(graph: Graph, *names: str, family: str = "") -> int:
    """Fields of the work of every layer, of those of a family alone where one is named, added up one by one."""
    nodes = [node for node in graph.layers if not family or node.layer.family == family]
    return sum(int(getattr(node.work, name)) * int(node.count) for node in nodes for name in names)


def _by_hand(graph: Graph) -> dict[tuple[str, str], int]:
    """What each way of counting a figure means, as sums over layers that use no rows of weights."""
    norms = sum(node.shape[0] * node.count for node in graph.layers if node.layer.key == "batch_norm")
    trainable = _sum(graph, "weights", "biases", "norm_params", "other_params")
    folded = _sum(graph, "weights", "biases", "other_params") + norms
    fields = ("weights", "biases", "other_params", "buffers")
    without_linear = _sum(graph, *fields) - _sum(graph, *fields, family="linear") + norms
    weighted = [node for node in graph.layers if node.layer.family in ("conv", "linear")]
    macs = _sum(graph, "macs")
    arithmetic = ("multiplications", "additions", "comparisons", "divisions", "exponentials", "bias_adds")
    return {
        ("params", "trainable"): trainable,
        ("params", "weights"): _sum(graph, "weights"),
        ("params", "weights_and_biases"): _sum(graph, "weights", "biases"),
        ("params", "weights_and_norms"): _sum(graph, "weights", "norm_params"),
        ("params", "folded"): folded,
        ("params", "total"): trainable + _sum(graph, "buffers"),
        ("params", "folded_total"): folded + _sum(graph, "buffers"),
        ("params", "folded_total_of_convolutions"): without_linear,
        ("macs", "all"): macs,
        ("macs", "convolutions"): _sum(graph, "macs", family="conv"),
        ("flops", "every"): 2 * macs + _sum(graph, *arithmetic),
        ("flops", "macs"): macs,
        ("flops", "macs_and_biases"): macs + _sum(graph, "bias_adds"),
        ("flops", "macs_of_convolutions"): _sum(graph, "macs", family="conv"),
        ("flops", "macs_and_merges"): macs + _sum(graph, "additions", "multiplications", family="merge"),
        ("flops", "twice_macs"): 2 * macs,
        ("activations", "outputs"): sum(math.prod(node.shape) * node.count for node in weighted),
    }


@pytest.mark.parametrize("name", ["mobilenet_v2", "inception_v3", "mobilefacenet", "lenet5", "vgg16", "se_resnet50"])
def test_every_way_of_counting_is_the_sum_that_it_says(name: str) -> None:
    graph = load(name)
    for (quantity, count), value in _by_hand(graph).items():
        assert QUANTITIES[quantity].counted_as(count).rule(graph.layers) == value, count


def test_every_way_of_counting_operations_and_parameters_has_a_sum() -> None:
    counted = _by_hand(load("lenet5"))
    assert {(q, count.name) for q in ("params", "macs", "flops") for count in QUANTITIES[q].counts} <= counted.keys()


SHARED_NAMES = {"conv", "linear", "activation"}


def test_a_row_named_as_a_family_is_a_row_for_the_family() -> None:
    """The names that are a layer's and its family's are the ones documented."""
    families = {layer.family for layer in REGISTRY.values()}
    assert families & set(REGISTRY) == SHARED_NAMES
    graph = loads("{input: [4, 8, 8], layers: [conv: {out: 4, kernel: 1}, conv_transpose: {out: 2, kernel: 1}, gelu]}")
    one, transposed = (node.work.macs for node in graph.layers[:2])
    assert (one, transposed) == (4 * 4 * 64, 4 * 2 * 64)
    assert Rules({"conv": {"macs": 1}}).total(graph.layers) == one + transposed
    assert Rules({"conv": {"macs": 1}, "conv_transpose": {}}).total(graph.layers) == one
    assert Rules({"activation": {"written": 1}}).total(graph.layers) == 2 * 64


def test_conventions_command_lists_all() -> None:
    data = json.loads(convcost("conventions", "--format", "json").out)
    assert [one["name"] for one in data["conventions"]] == [name for name in names() if name != "paper"]
    assert all(one["doc"] and one["source"] for one in data["conventions"])
    assert "ptflops-aten" in convcost("conventions").out


def test_conventions_of_a_network() -> None:
    data = json.loads(convcost("conventions", "mobilenet_v2", "--format", "json").out)
    found = {one["convention"]["name"]: one["reported"] for one in data["conventions"]}
    assert found["fvcore"] == 314_193_216
    assert found["ptflops"] == 320_300_008
    assert found["keras"] == 3_538_984
    assert "mobilenet_v2 as torchvision writes it" in data["conventions"][2]["notes"]
    lines = convcost("conventions", "resnet50", "--format", "csv").out.splitlines()
    assert lines[0] == "convention,unit,reported,difference,factor,bias,norm,activation,pooling,merge,params"


def test_own_convention(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "doc: as ptflops, for a network whose activations are function calls\n"
        "extends: ptflops\n"
        "operations: {batch_norm: {}}\n"
        "written: [{networks: [resnet50], of: our code, forms: [{form: functional, kind: relu}]}]\n"
    )
    found = reported(load("resnet50"), convention(str(file)))
    assert found.value() == 4_132_436_968 - 2 * 11_113_984 - 9_608_704
    assert found.written.notes == ("resnet50 as our code writes it",)
    result = convcost("analyze", "resnet50", "--convention", str(file), "--format", "json")
    assert json.loads(result.out)["totals"]["reported"] == found.value()


BAD = [
    ("operations: {cov: {macs: 1}}", "1:14: no layer, kind or family is called 'cov'; did you mean 'conv'?"),
    ("operations: {conv: {mac: 1}}", "1:21: a row has no key 'mac'; did you mean 'macs'?"),
    ("operations: {conv: {macs: two}}", "1:27: the weight of `macs` must be a number"),
    ("operations: {conv: 1}", "1:20: a row is `{quantity: weight}`; `{}` counts nothing"),
    (
        "unit: flop\noperations: {}",
        "1:7: `unit` must be one of MACs, FLOPs, parameters; found 'flop'; did you mean 'FLOPs'?",
    ),
    ("operation: {}", "1:1: a convention has no key 'operation'; did you mean 'operations'?"),
    ("doc: nothing", "1:1: a convention needs `operations` or `params`: rows of weights"),
    ("extends: fvcor", "1:10: no bundled convention is called 'fvcor'; did you mean 'fvcore'?"),
    ("- a list", "1:1: a convention is a mapping of keys and values"),
    (
        "operations: {}\nwritten: [{networks: [a], forms: [{form: inline}]}]",
        "2:42: `form` must be one of module, functional, mean, linear, subclass; found 'inline'; "
        "did you mean 'linear'?",
    ),
    ("operations: {}\nwritten: [{of: me}]", "2:11: an implementation needs `networks`, a list of names"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_bad_files_say_where_and_what(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(SpecError) as caught:
        convention(str(file))
    assert str(caught.value) == f"{file}:{message}"


def test_unknown_convention_is_misuse() -> None:
    with pytest.raises(UsageError, match="no convention is called 'fvcor'; did you mean 'fvcore'"):
        convention("fvcor")
    result = convcost("analyze", "resnet50", "--convention", "nowhere.yaml")
    assert (result.code, result.err) == (
        2,
        "error: no convention file is called 'nowhere.yaml'\n",
    )


def test_every_kind_of_layer_can_be_named() -> None:
    kinds = {node.kind for name in bundled_names() for node in load(name).layers}
    assert kinds <= {*selectors()}


def test_plain_analyze_reads_no_convention_file() -> None:
    code = (
        "import sys\n"
        "from convcost.api import analyze\n"
        "analyze('resnet50')\n"
        "assert 'convcost.conventions.read' not in sys.modules\n"
        "assert 'sympy' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
