"""Networks written as ONNX files: onnx.checker accepts them, onnx finds their shapes, and their costs are in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import onnx
import onnx_writer
import pytest
from conftest import DATA, sampled
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from inprocess import convcost as command
from strategies import layers

import convcost
from convcost.catalogue.loader import bundled_names
from convcost.errors import ConvcostError, ShapeError, UnsupportedError
from convcost.importers.onnx import from_bytes
from convcost.importers.protobuf import written, written_varint
from convcost.language.interpret import build
from convcost.layers import REGISTRY
from convcost.network.cost import sum_work
from convcost.network.graph import Builder

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.network.graph import Graph

EXPORTS = json.loads((DATA / "onnx" / "exports.json").read_text("utf-8"))["files"]


def sizes(info: Any) -> list[int]:
    return [dim.dim_value for dim in info.type.tensor_type.shape.dim]


def checked(graph: Graph) -> Any:
    """A graph written, as the onnx package reads it: valid, with the shapes that onnx infers, and the graph's costs."""
    data = convcost.to_onnx(graph)
    model = onnx.load_model_from_string(data)
    stated = {info.name: sizes(info) for info in (*model.graph.value_info, *model.graph.output)}
    # onnx has no rule for the shape of a group norm: it keeps the stated one, and every layer after it is inferred
    norms = {node.output[0] for node in model.graph.node if node.op_type == "GroupNormalization"}
    kept = [info for info in model.graph.value_info if info.name in norms]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    found = {info.name: sizes(info) for info in (*inferred.graph.value_info, *inferred.graph.output)}
    assert {name: found[name] for name in stated} == stated
    totals = {entry.key: int(entry.value) for entry in model.metadata_props}
    work = sum_work(graph.layers)
    assert (totals["params"], totals["macs"], totals["flops"]) == (work.params, work.macs, work.flops)
    for key in ("params", "macs", "flops"):
        each = [int(e.value) for node in model.graph.node for e in node.metadata_props if e.key == key]
        assert sum(each) == totals[key]
    again = sum_work(build(from_bytes(data, "again")).layers)
    assert (again.params, again.macs) == (work.params, work.macs)
    return model


@pytest.mark.parametrize("key", sorted(REGISTRY))
@settings(max_examples=6, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_layer_is_written_with_its_shape_and_cost(key: str, data: st.DataObject) -> None:
    values, x = data.draw(layers(key))
    merges = REGISTRY[key].merges
    reads = x if merges else ((x, 1),)
    builder = Builder(reads[0][0])
    operands = [(builder.input, reads[0][1])]
    operands += [(builder.enter(shape, f"in{place}"), times) for place, (shape, times) in enumerate(reads[1:])]
    try:
        output = builder.add(key, values, tuple(operands), key)
    except ShapeError:
        assume(False)
    checked(builder.graph("one", "One", {}, output))


@pytest.mark.parametrize("name", sampled(bundled_names(), 30))
def test_a_bundled_network_is_written(name: str) -> None:
    graph = convcost.load(name)
    model = checked(graph)
    names = [node.name for node in model.graph.node if node.metadata_props]
    assert len(set(names)) == len(names)
    assert {name.partition("~")[0] for name in names} == {node.path for node in graph.layers}


@pytest.mark.parametrize("name", sampled(EXPORTS, 8))
def test_a_file_of_another_tool_is_written(name: str) -> None:
    """Operators that no layer is (of transformers, of shapes) are in the file too, with their costs."""
    checked(convcost.load(str(DATA / "onnx" / "exports" / f"{name}.onnx"), **EXPORTS[name]["dims"]))


def test_netron_is_told_what_the_layers_of_a_resnet_cost() -> None:
    model = onnx.load_model_from_string(convcost.to_onnx("resnet50"))
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    assert first.name == "conv1/conv"
    assert {entry.key: int(entry.value) for entry in first.metadata_props} == {
        "params": 7 * 7 * 3 * 64,
        "macs": 7 * 7 * 3 * 64 * 112 * 112,
        "flops": 2 * 7 * 7 * 3 * 64 * 112 * 112,
        "activation_bytes": 4 * 64 * 112 * 112,
    }
    totals = {entry.key: int(entry.value) for entry in model.metadata_props}
    assert totals["params"] == 25_557_032  # torchvision
    assert (model.producer_name, model.graph.name) == ("convcost", "resnet50")
    assert [sizes(info) for info in (*model.graph.input, *model.graph.output)] == [[1, 3, 224, 224], [1, 1000]]


def test_weights_are_zeros_of_a_few_bytes() -> None:
    data = convcost.to_onnx("vgg16")
    assert len(data) < 25_000
    constants = {
        node.output[0]: node.attribute[0]
        for node in onnx.load_model_from_string(data).graph.node
        if node.op_type == "Constant"
    }
    shapes = [list(item.sparse_tensor.dims) for item in constants.values() if item.name == "sparse_value"]
    assert [64, 3, 3, 3] in shapes
    assert [4096, 25088] in shapes
    assert all(not item.sparse_tensor.values.dims[0] for item in constants.values() if item.name == "sparse_value")


def test_shared_weights_and_parallel_copies() -> None:
    """Both branches of the siamese network read the same tensors; copies of a branch have tensors of their own."""
    model = checked(convcost.load("siamese"))
    shared = [entry.value for node in model.graph.node for entry in node.metadata_props if entry.key == "shared"]
    assert len(shared) == 5
    copies = convcost.loads("{input: [8, 4, 4], layers: [add: {same: {repeat: 3, do: [conv: {out: 8}]}}]}")
    model = checked(copies)
    assert [node.name for node in model.graph.node if node.op_type == "Conv"] == [f"same/conv~{n}" for n in (1, 2, 3)]
    assert len({node.input[1] for node in model.graph.node if node.op_type == "Conv"}) == 3
    twice = convcost.loads(
        "{input: [8, 4, 4], layers: [{conv: {out: 8}, name: a}, add: {one: a, two: a}, output: {side: x}]}"
    )
    model = checked(twice)
    assert [len(node.input) for node in model.graph.node if node.op_type == "Add"] == [2]


def test_a_table_of_words_that_is_also_a_layers_weights_counts_once() -> None:
    """The embedding is no operator with weights here, so that the layer cannot read them from it."""
    nodes = [
        onnx_writer.node("Gather", "words x", "a", "embedding"),
        onnx_writer.node("Reshape", "a to", "b", "rows"),
        onnx_writer.node("Gemm", "b words", "y", "head", transB=1),
    ]
    tensors = [onnx_writer.tensor("words", [11, 4]), onnx_writer.ints("to", 7, 4)]
    ids = onnx_writer.info("x", 1, 7, dtype=onnx_writer.INT64)
    data = onnx_writer.model(nodes, [ids], [onnx_writer.info("y", 7, 11)], tensors)
    graph = build(from_bytes(data, "tied"))
    assert (sum_work(graph.layers).params, sum_work(graph.layers).macs) == (44, 7 * 44)
    checked(graph)


def test_parameters_are_kept_wherever_they_are_read() -> None:
    """Of a free parameter that is no operand of a sum, the onnx package and other readers would make a constant."""
    for steps in (
        "[parameter: {to: [4, 4, 4]}]",
        "[parameter: {to: [4, 4, 4]}, conv: {out: 8}]",
        "[add: {a: [parameter: {to: [4]}], b: x}]",
    ):
        checked(convcost.loads(f"{{input: [4, 4, 4], layers: {steps}}}"))


def test_the_suffix_says_what_is_written(tmp_path: Path) -> None:
    for name in ("net.onnx", "net.ONNX"):
        path = tmp_path / name
        assert command("convert", "lenet5", "--set", "size=32", "-o", str(path)).code == 0
        onnx.checker.check_model(onnx.load(str(path)), full_check=True)
        assert convcost.analyze(str(path)).totals.macs == convcost.analyze("lenet5").totals.macs
    for name in ("net.tflite", "net.onx", "net.pb"):
        done = command("convert", "lenet5", "-o", str(tmp_path / name))
        assert done.code == 2
        assert f"expected a file that ends in .yaml, .yml or .onnx, found '{name[3:]}'" in done.err
        assert not (tmp_path / name).exists()
    for name in ("net.yaml", "net.yml", "net"):
        assert command("convert", "lenet5", "-o", str(tmp_path / name)).code == 0
        assert (tmp_path / name).read_text("utf-8").startswith("title: LeNet-5\n")


@pytest.mark.parametrize(
    ("words", "suffix", "written"),
    [
        ("analyze lenet5", ".onnx", ".csv"),
        ("analyze lenet5", ".py", ".json"),
        ("memory lenet5", ".yaml", ".md"),
        ("formula plain", ".csv", ".py"),
        ("equal plain plain", ".csv", ".json"),
    ],
)
def test_no_command_writes_its_own_format_under_the_name_of_another(
    words: str, suffix: str, written: str, tmp_path: Path
) -> None:
    path = tmp_path / f"out{suffix}"
    done = command(*words.split(), "-o", str(path))
    assert (done.code, path.exists()) == (2, False)
    assert f"found '{suffix}'" in done.err
    assert written in done.err
    assert command(*words.split(), "-o", str(path.with_suffix(".txt"))).code == 0  # what asks for no format


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (f"{{input: [1, {2**63}], layers: [relu]}}", "a number of it has more than 64 bits"),
        (f"{{input: [1, 8], layers: [conv: {{out: 4, stride: {2**64}}}]}}", "a number of it has more than 64 bits"),
        (f"{{input: [1, 8], layers: [leaky_relu: {{slope: {10**300}}}]}}", "is no float of 32"),
        (
            "{input: [1, 8], layers: [add: {a: {repeat: 300000, do: [relu]}}]}",
            "more than 250,000 layers",
        ),
    ],
)
def test_what_does_not_fit_into_the_format_is_refused(source: str, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        convcost.to_onnx(convcost.loads(source))


def test_a_network_that_is_known_in_part_or_has_no_numbers_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="its cost is known in part only"):
        convcost.to_onnx(str(DATA / "onnx" / "traps" / "custom_domain.onnx"))
    from sympy import Symbol  # noqa: PLC0415

    with pytest.raises(UnsupportedError, match="its sizes are not numbers"):
        convcost.to_onnx(convcost.load("plain", H=Symbol("H", integer=True, positive=True)))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"macs": 5}, "attribute shape: expected sizes of at least 0, found None"),
        ({"shape": [1, -3]}, "attribute shape: expected sizes of at least 0"),
        ({"shape": [1, 3], "macs": -1}, "attribute macs: expected a count of at least 0, found -1"),
        ({"shape": [1, 3], "macs": "many"}, "attribute macs: expected a whole number, found many"),
    ],
)
def test_a_layer_that_a_file_states_wrongly_is_refused(attributes: dict[str, Any], message: str) -> None:
    node = onnx_writer.node("anything", "x", "y", "n", "convcost", **attributes)
    data = onnx_writer.model([node], [onnx_writer.info("x", 1, 3)], [onnx_writer.info("y", 1, 3)])
    with pytest.raises(ConvcostError, match=message):
        build(from_bytes(data, "net.onnx"))


def test_numbers_of_the_wire_format() -> None:
    """Examples of protobuf.dev/programming-guides/encoding; a negative integer takes ten bytes."""
    assert written_varint(150) == b"\x96\x01"
    assert written(2, "testing") == b"\x12\x07testing"
    assert written_varint(-2) == b"\xfe" + b"\xff" * 8 + b"\x01"
    with pytest.raises(OverflowError):
        written_varint(1 << 63)
