"""Networks written as specs: what is loaded again costs the same, and reads like a page that a person wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from inprocess import convcost as command

import convcost
from convcost.catalogue.loader import bundled_names
from convcost.errors import UnsupportedError
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
    assert vars(sum_work(after.layers)) == vars(sum_work(before.layers))
    first, second = convcost.analyze(before), convcost.analyze(after)
    for key in ("layers", "peak", "bytes"):
        assert first.value(key) == second.value(key), key
    assert sorted(node.kind for node in before.layers) == sorted(node.kind for node in after.layers)
    assert after.nodes[after.output].shape == before.nodes[before.output].shape


CONVERTED = list(EXPORTS)
NOT_SAYABLE = (
    "vit_b_16",
    "convnext",
    "shufflenet_v2",
    "own_shared",
)  # element-wise parameters and reductions without a word


@pytest.mark.parametrize("name", CONVERTED)
def test_a_file_as_a_spec_costs_the_same(name: str) -> None:
    network = export(name)
    if any(word in name for word in NOT_SAYABLE):
        with pytest.raises(UnsupportedError, match="the spec language has no word for"):
            convcost.convert(network)
        return
    agree(network, convcost.loads(convcost.convert(network)))


@pytest.mark.parametrize("name", bundled_names())
def test_a_bundled_network_written_again_costs_the_same(name: str) -> None:
    network = convcost.load(name)
    try:
        text = convcost.convert(network)
    except UnsupportedError as error:
        assert str(error) == "identical parallel branches are not written"  # noqa: PT017 - most are written
        assert any(node.count != 1 or any(times != 1 for _, times in node.inputs) for node in network.layers)
        return
    again = convcost.loads(text)
    agree(network, again)
    assert convcost.convert(again).partition("input:")[2] == text.partition("input:")[2]


def test_several_inputs_outputs_and_shared_weights_are_written() -> None:
    text = convcost.convert(convcost.load("siamese"))
    assert "input: {first: [1, 105, 105], second: [1, 105, 105]}" in text
    assert text.count("shares: w") == 2 * 5
    network = convcost.load("retinanet_r50_fpn")
    again = convcost.loads(convcost.convert(network))
    assert [node.borrowed for node in again.layers] == [node.borrowed for node in network.layers]
    pyramid = convcost.load("resnet50_fpn")
    again = convcost.loads(convcost.convert(pyramid))
    shapes = [[graph.nodes[index].shape for index in graph.outputs.values()] for graph in (pyramid, again)]
    assert shapes[0] == shapes[1]
    assert list(again.outputs) == ["p3", "p4", "p5", "p6", "p7"]


def test_a_resnet_50_is_a_page() -> None:
    text = convcost.convert(export("export-tv_resnet50.ts17.dynhw"))
    assert len(text.splitlines()) < 80
    assert text.count("repeat:") == 4
    assert "unit2: {out: 256, out2: 1024}" in text
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
    assert "name: t1" in text
    agree(network, convcost.loads(text))


def test_side_outputs_are_written() -> None:
    network = convcost.loads("{input: [3, 8, 8], layers: [conv: {out: 4}, output: {side: [relu]}, conv: {out: 5}]}")
    again = convcost.loads(convcost.convert(network))
    agree(network, again)
    assert list(again.outputs) == ["side"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("traps/two_inputs_two_outputs", "networks with one input are written; two_inputs_two_outputs has 2"),
        ("traps/layer_used_twice", "uses the weights of"),
        ("traps/custom_domain", "known in part only"),
        ("exports/export-tv_vit_b_16.ts14", "no word for 260 layers: 63 add, 61 multiply"),
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
