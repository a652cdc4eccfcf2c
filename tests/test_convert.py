"""Networks written as specs: what is loaded again costs the same, and reads like a page that a person wrote."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import onnx_writer as onnx
import pytest
from conftest import ROOT, sampled
from inprocess import convcost as command

import convcost
from convcost.catalogue.loader import bundled_names
from convcost.importers.onnx import OnnxSource
from convcost.importers.onnx_file import model_from
from convcost.importers.protobuf import Buffer
from convcost.language.interpret import build
from convcost.layers.operator import Operator
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.network.graph import Graph

DATA = ROOT / "tests" / "data" / "onnx"
EXPORTS = json.loads((DATA / "exports.json").read_text("utf-8"))["files"]


def export(name: str) -> Graph:
    return convcost.load(str(DATA / "exports" / f"{name}.onnx"), **EXPORTS[name]["dims"])


def agree(before: Graph, after: Graph) -> None:
    """All counts, the number of layers of every kind, and what depends on the order and on positions."""
    assert sum_work(after.layers).as_dict() == sum_work(before.layers).as_dict()
    first, second = convcost.analyze(before), convcost.analyze(after)
    for key in ("layers", "peak", "bytes"):
        assert first.value(key) == second.value(key), key
    renamed = {"reduce_mean": "global_avg_pool"}  # the mean of a map that leaves out the axes of size 1
    kinds = Counter(renamed.get(node.kind, node.kind) for node in before.layers)
    again = Counter(node.kind for node in after.layers)
    nameless = {node.kind for node in before.layers if isinstance(node.layer, Operator)}
    assert (kinds - again).keys() <= nameless  # operators that no layer of the language is have their counts instead
    assert (again - kinds).keys() <= {"elementwise", "stated", "reshape"}
    assert after.nodes[after.output].shape == before.nodes[before.output].shape


@pytest.mark.parametrize("name", EXPORTS)
def test_a_file_as_a_spec_costs_the_same(name: str) -> None:
    network = export(name)
    agree(network, convcost.loads(convcost.convert(network)))


def test_operators_without_a_word_are_layers_that_state_their_counts() -> None:
    """A GELU and a layer norm that an exporter takes apart, one of several tensors by its place, and quantised maps."""
    text = convcost.convert(export("export-tv_vit_b_16.ts14"))
    assert "elementwise: {exponentials: 1}" in text  # erf
    assert "custom: {to: [197, 768], params: 768}" in text  # the class token, in front of the patches
    assert f"elementwise: {{additions: 1, params: {197 * 768}}}" in text  # a table of positions
    assert "select: {index: index}" in text
    quantised = convcost.load(str(DATA / "traps" / "qdq_conv.onnx"))
    agree(quantised, convcost.loads(convcost.convert(quantised)))


@pytest.mark.parametrize("name", sampled(bundled_names(), 4))
def test_a_bundled_network_written_again_costs_the_same(name: str) -> None:
    network = convcost.load(name)
    text = convcost.convert(network)
    again = convcost.loads(text)
    agree(network, again)
    agree(network, convcost.loads(convcost.convert(again)))


def test_several_inputs_outputs_and_shared_weights_are_written() -> None:
    text = convcost.convert(convcost.load("siamese"))
    assert "input: {first: [1, 105, 105], second: [1, 105, 105]}" in text
    assert text.count("shares: w") == 2 * 5
    network = convcost.load("retinanet_r50_fpn")
    again = convcost.loads(convcost.convert(network))
    assert sorted(node.borrowed for node in again.layers) == sorted(node.borrowed for node in network.layers)
    pyramid = convcost.load("resnet50_fpn")
    again = convcost.loads(convcost.convert(pyramid))
    shapes = [[graph.nodes[index].shape for index in graph.outputs.values()] for graph in (pyramid, again)]
    assert shapes[0] == shapes[1]
    assert list(again.outputs) == ["p3", "p4", "p5", "p6", "p7"]


def test_a_resnet_50_is_a_page() -> None:
    text = convcost.convert(export("export-tv_resnet50.ts17.dynhw"))
    assert len(text.splitlines()) <= 60
    assert text.count("repeat:") == 4
    assert "residual: {width: 256}\n        repeat: 5\n" in text
    assert "conv: {out: 4*width}" in text
    stages = [row.path for row in convcost.analyze(convcost.loads(text), by="stage").rows]
    assert stages[3:7] == ["layer1", "layer2", "layer3", "layer4"]


def test_branches_that_share_a_part_are_written_as_a_list() -> None:
    """A layer read by two merges, one of which is not between it and its own source."""
    source = """
        input: [8, 16, 16]
        layers:
          - {conv: {out: 8}, name: a}
          - {relu, name: b}
          - conv: {out: 8, kernel: 3}
          - {add: {one: x, two: a}, name: c}
          - multiply: {one: x, two: b}
          - concat: {one: x, two: c, three: input}
    """
    network = convcost.loads(source)
    text = convcost.convert(network)
    assert "name: a" in text
    agree(network, convcost.loads(text))


HOSTILE = (
    "x",
    "input",
    "a: b",
    "- a",
    "{a: 1}",
    "'",
    '"',
    "*x",
    "!!python/object:os.system",
    "#",
    "\n  - relu",
    "\x1b[2J",
    "é/ü",
)


@pytest.mark.parametrize("word", HOSTILE)
def test_names_of_a_file_cannot_change_the_spec(word: str) -> None:
    """Nodes, tensors, outputs and the network are called so: the spec has the layers all the same, and no more."""
    nodes = [
        onnx.node("Conv", "image w1", "a", word, kernel_shape=[1, 1]),
        onnx.node("Relu", "a", "b", f"{word}/{word}"),
        onnx.node("Conv", "b w2", "c", word, kernel_shape=[1, 1]),
        onnx.node("Add", "c a", "d", word),
        onnx.node("Mul", "d b", "e", word),
        onnx.node("Sigmoid", "b", "f", word),
    ]
    named = [word.replace(" ", "_") or "_", "f"]
    nodes[4] = (
        onnx.field(1, "d") + onnx.field(1, "b") + onnx.field(2, named[0]) + onnx.field(3, word) + onnx.field(4, "Mul")
    )
    weights = [onnx.tensor("w1", [4, 3, 1, 1]), onnx.tensor("w2", [4, 4, 1, 1])]
    ends = [onnx.info(name, 1, 4, 8, 8) for name in named]
    data = onnx.model(nodes, [onnx.info("image", 1, 3, 8, 8)], ends, weights)
    network = build(OnnxSource(model_from(Buffer(data), "net.onnx"), word))
    assert len(network.layers) == 6
    text = convcost.convert(network)
    assert "\x1b" not in text
    again = convcost.loads(text)
    agree(network, again)
    assert len(again.outputs) == 1


def test_side_outputs_are_written() -> None:
    network = convcost.loads("{input: [3, 8, 8], layers: [conv: {out: 4}, output: {side: [relu]}, conv: {out: 5}]}")
    again = convcost.loads(convcost.convert(network))
    agree(network, again)
    assert list(again.outputs) == ["side"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("traps/custom_domain", "known in part only"),
        ("traps/loop_trip_count_from_input", "known in part only"),
    ],
)
def test_what_a_spec_cannot_say_is_refused(name: str, message: str) -> None:
    done = command("convert", str(DATA / f"{name}.onnx"))
    assert done.code == 1
    assert message in done.err


def test_the_command_writes_a_file_that_other_commands_take(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    done = command("convert", str(DATA / "exports" / "export-tv_resnet18.ts11.onnx"), "-o", str(path))
    assert (done.code, done.err) == (0, "")
    assert command("check", str(path)).code == 0
    words = ["equal", str(path), "resnet18", "--in", "macs", "--set", "size=224", "--set", "classes=1000"]
    assert "proved" in command(*words).out
