"""Models of Keras: parameters and shapes that Keras states, MACs that PyTorch and TensorFlow count, and bad files."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import random
import struct
import sys
import zipfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from conftest import ROOT, sampled
from hypothesis import given, settings
from hypothesis import strategies as st
from inprocess import convcost as command

import convcost
from convcost.api.targets import Target
from convcost.errors import ConvcostError, UsageError
from convcost.importers.keras import KerasSource, segments_of
from convcost.importers.keras_file import config_of, network_from
from convcost.language.interpret import build
from convcost.limits import MAX_BYTES, MAX_CALL_DEPTH
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from convcost.network.graph import Graph

DATA = ROOT / "tests" / "data" / "keras"
LAYERS = json.loads(gzip.decompress((DATA / "layers.json.gz").read_bytes()))["models"]
KERAS2 = json.loads(gzip.decompress((DATA / "keras2.json.gz").read_bytes()))["models"]
APPLICATIONS = json.loads((DATA / "applications.json").read_text("utf-8"))["models"]
# Keras on PyTorch runs a cell once more than there are steps, to learn the shape of its output: MACs of that step
ONCE_MORE = {
    "rnn": 66,
    "rnn steps": 66,
    "rnn both concat": 132,
    "rnn both sum": 132,
    "rnn both ave": 132,
    "gru before": 198,
    "cell": 264,
    "conv lstm 1d": 3 * 4 * 4 * (2 + 4) * 9,
    "conv lstm 1d last": 3 * 4 * 4 * (2 + 4) * 4,
    "conv lstm 2d": 9 * 4 * 4 * (2 + 4) * 72,
    "conv lstm 2d last": 9 * 4 * 4 * (2 + 4) * 12,
}


def source(model: Any, name: str = "net") -> KerasSource:
    return KerasSource(network_from(json.dumps(model).encode(), f"{name}.json"), f"{name}.json", name)


def graph_of(model: Any, values: dict[str, int] | None = None, name: str = "net") -> Graph:
    return build(source(model, name), values or {}, partial=True)


def row(kind: str, name: str, reads: Any = None, **config: Any) -> dict[str, Any]:
    """A layer as Keras 3 writes it, called once on the outputs of others."""
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [item, 0, 0]}} for item in _listed(reads)]
    args = tensors if not isinstance(reads, list) else [tensors]
    nodes = [{"args": args, "kwargs": {}}] if tensors else []
    return {"class_name": kind, "config": {"name": name, **config}, "name": name, "inbound_nodes": nodes}


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def functional(*layers: dict[str, Any], shape: tuple[int | None, ...] = (8, 8, 3), end: str = "") -> dict[str, Any]:
    """A model of one input ``x`` and these layers, the last of which leaves."""
    entering = row("InputLayer", "x", batch_shape=[None, *shape])
    config = {
        "name": "net",
        "layers": [entering, *layers],
        "input_layers": [["x", 0, 0]],
        "output_layers": [[end or layers[-1]["name"], 0, 0]],
    }
    return {"class_name": "Functional", "config": config}


def packed(member: str = "config.json", data: bytes = b"{}", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr(member, data)
    return stream.getvalue()


# what Keras, PyTorch and TensorFlow say


@pytest.mark.parametrize("known", LAYERS, ids=lambda known: known["name"])
def test_a_layer_costs_what_keras_and_pytorch_say(known: dict[str, Any]) -> None:
    made = source(known["model"])
    graph = build(made, dict(zip(made.free, known["sizes"], strict=True)), partial=True)
    assert graph.unknown == ()
    agree(graph, known)
    assert sum_work(graph.layers).params == known["trainable"]


def agree(graph: Graph, known: dict[str, Any]) -> None:
    """Parameters, MACs and the number of elements of every output."""
    work = sum_work(graph.layers)
    assert work.params + work.buffers == known["params"]
    if known["macs"] is not None:
        assert work.macs == known["macs"] - ONCE_MORE.get(known.get("name", ""), 0)
    shapes = zip((graph.output, *graph.outputs.values()), known["outputs"], strict=True)
    for index, shape in dict(reversed(list(shapes))).items():  # states come with the sequence of the same layer
        own = graph.nodes[index].shape
        last = (shape[-1], *shape[1:-1])  # the channels are first here
        assert [size for size in own if size != 1] in ([s for s in last if s != 1], [s for s in shape[1:] if s != 1])


@pytest.mark.parametrize("known", KERAS2, ids=lambda known: known["name"])
def test_models_of_keras_2_cost_what_tensorflow_says(known: dict[str, Any]) -> None:
    made = source(known["model"])
    graph = build(made, dict(zip(made.free, known["sizes"], strict=True)), partial=True)
    assert graph.unknown == ()
    agree(graph, known)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_networks_of_keras_applications(name: str) -> None:
    known = APPLICATIONS[name]
    height, width, channels = known["input"]
    graph = convcost.load(str(DATA / f"{name}.keras"), input=(channels, height, width))
    assert graph.status == "complete"
    assert graph.input == (channels, height, width)
    agree(graph, known)
    assert sum_work(graph.layers).params == known["trainable"]


@pytest.mark.parametrize("name", ["VGG16", "MobileNetV2"])
def test_a_file_costs_what_the_spec_of_its_paper_says(name: str) -> None:
    spec = {"VGG16": "vgg16", "MobileNetV2": "mobilenet_v2"}[name]
    totals = [convcost.analyze(target).totals for target in (str(DATA / f"{name}.keras"), spec)]
    assert totals[0].params == totals[1].params
    assert totals[0].macs == totals[1].macs


def test_norms_and_activations_are_those_of_a_spec() -> None:
    """FLOPs too: ResNet-50 of Keras has its stride in the first convolution of a block, and biases before its norms."""
    spec = """
        input: [3, 30, 30]
        layers:
          - zero_pad: {sides: 3}
          - conv: {out: 8, kernel: 7, stride: 2, padding: valid}
          - batch_norm
          - relu
          - add: {one: [conv: {out: 8, kernel: 3}, gelu], two: x}
          - global_avg_pool
          - flatten
          - linear: {out: 5}
          - softmax
    """
    model = functional(
        row("ZeroPadding2D", "pad", "x", padding=[[3, 3], [3, 3]]),
        row("Conv2D", "conv", "pad", filters=8, kernel_size=[7, 7], strides=2),
        row("BatchNormalization", "norm", "conv", axis=-1),
        row("ReLU", "relu", "norm"),
        row("Conv2D", "again", "relu", filters=8, kernel_size=3, padding="same", activation="gelu"),
        row("Add", "add", ["again", "relu"]),
        row("GlobalAveragePooling2D", "mean", "add"),
        row("Dense", "head", "mean", units=5, activation="softmax"),
        shape=(30, 30, 3),
    )
    first, second = graph_of(model), convcost.loads(spec)
    assert sum_work(first.layers).as_dict() == sum_work(second.layers).as_dict()
    rows = [(node.kind, node.shape) for node in first.layers if node.kind != "flatten"]
    assert rows == [(node.kind, node.shape) for node in second.layers if node.kind != "flatten"]


# parameters, names, sizes


def test_a_layer_that_is_called_twice_has_its_parameters_once() -> None:
    model = functional(row("Conv2D", "conv", "x", filters=3, kernel_size=3, padding="same"), end="conv")
    layer = model["config"]["layers"][1]
    second = copy.deepcopy(layer["inbound_nodes"][0])
    second["args"][0]["config"]["keras_history"] = ["conv", 0, 0]
    layer["inbound_nodes"].append(second)
    model["config"]["output_layers"] = [["conv", 1, 0]]
    graph = graph_of(model)
    assert [node.path for node in graph.layers] == ["conv", "conv#2"]
    assert graph.layers[1].shared == "conv"
    work = sum_work(graph.layers)
    assert (work.params, work.macs) == (3 * 3 * 9 + 3, 2 * 3 * 3 * 9 * 64)


def test_layers_without_parameters_share_none_and_axes_that_move_are_rows() -> None:
    """So that what is written from the graph, as a spec or as ONNX, has the same shapes."""
    model = next(known["model"] for known in LAYERS if known["name"] == "nested models")
    assert all(node.borrowed for node in graph_of(model).layers if node.shared)
    model = functional(row("BatchNormalization", "norm", "x", axis=1), row("Dense", "head", "norm", units=2))
    rows = [(node.path, node.shape) for node in graph_of(model).layers]
    assert rows == [
        ("norm/permute", (8, 8, 3)),
        ("norm/batch_norm", (8, 8, 3)),
        ("norm/permute#2", (3, 8, 8)),
        ("head", (2, 8, 8)),
    ]


def test_paths_group_stages_and_blocks() -> None:
    names = "stem conv2_block1_1_conv conv2_block1_add conv2_block2_add block_1_expand block_1_add fc_9_x"
    names += " conv2d_1 conv2d_2 separable_conv2d_1_a separable_conv2d_1_b mixed5_1 mixed5_2 block2d_a block2d_b"
    assert segments_of(dict.fromkeys(names.split())) == {
        "stem": ("stem",),
        "conv2_block1_1_conv": ("conv2", "block1", "1_conv"),
        "conv2_block1_add": ("conv2", "block1", "add"),
        "conv2_block2_add": ("conv2", "block2_add"),
        "block_1_expand": ("block_1", "expand"),
        "block_1_add": ("block_1", "add"),
        "fc_9_x": ("fc_9_x",),
        "conv2d_1": ("conv2d_1",),
        "conv2d_2": ("conv2d_2",),
        "separable_conv2d_1_a": ("separable_conv2d_1_a",),
        "separable_conv2d_1_b": ("separable_conv2d_1_b",),
        "mixed5_1": ("mixed5_1",),
        "mixed5_2": ("mixed5_2",),
        "block2d_a": ("block2d", "a"),
        "block2d_b": ("block2d", "b"),
    }
    stages = convcost.analyze(str(DATA / "ResNet50.keras"), by="stage").rows
    paths = ["conv1", "pool1", "conv2", "conv3", "conv4", "conv5", "avg_pool", "predictions"]
    assert [item.path for item in stages] == paths


def test_open_sizes_are_parameters() -> None:
    path = str(DATA / "MobileNetV3Large.keras")
    with pytest.raises(UsageError, match=r"leaves the sizes input_layer\.1, input_layer\.2 open: give them with --set"):
        convcost.load(path)
    sizes = {"input_layer.1": 224, "input_layer.2": 160}
    assert convcost.load(path, **sizes).input == (3, 224, 160)
    assert convcost.load(path, input=(3, 224, 160)).input == (3, 224, 160)
    assert convcost.load(path, input=(224, 160)).input == (3, 224, 160)
    assert convcost.load(path, input=(4, 224, 160)).input == (4, 224, 160)
    with pytest.raises(UsageError, match="the channels first, as 3x224x160; found 224x160x3"):
        convcost.load(path, input=(224, 160, 3))
    with pytest.raises(UsageError, match="input_layer has 3 sizes, found 1x3x224x160"):
        convcost.load(path, input={"input_layer": (1, 3, 224, 160)})


def test_a_formula_in_the_sizes_is_right_at_other_sizes() -> None:
    model = functional(
        row("Conv2D", "a", "x", filters=4, kernel_size=3, strides=2, padding="same"),
        row("SeparableConv2D", "b", "a", filters=6, kernel_size=5, padding="valid"),
        row("Conv2D", "c", "b", filters=2, kernel_size=[1, 3], dilation_rate=2),
        shape=(None, None, 3),
    )
    made = source(model)
    form = convcost.formula(Target("net", "net", made, {"x.1": 41, "x.2": 37})).totals["macs"].expr
    names = {symbol.name: symbol for symbol in form.free_symbols}
    for height, width in ((41, 37), (64, 50), (99, 128)):
        a = (-(-height // 2), -(-width // 2))
        b = (a[0] - 4, a[1] - 4)
        c = (b[0], b[1] - 4)
        expected = 4 * 27 * a[0] * a[1] + (4 * 25 + 24) * b[0] * b[1] + 2 * 6 * 3 * c[0] * c[1]
        assert sum_work(graph_of(model, {"x.1": height, "x.2": width}).layers).macs == expected
        assert form.subs({names["x.1"]: height, names["x.2"]: width}) == expected


def test_inputs_whose_names_are_alike_have_sizes_of_their_own() -> None:
    model = functional(row("Concatenate", "end", ["x", "a b"], axis=-1), shape=(4,))
    model["config"]["layers"][1:1] = [
        row("InputLayer", "a b", batch_shape=[None, 5]),
        row("InputLayer", "a_b", batch_shape=[None, 6]),
    ]
    model["config"]["input_layers"] += [["a b", 0, 0], ["a_b", 0, 0]]
    graph = graph_of(model)
    assert [graph.nodes[index].shape for index in graph.inputs.values()] == [(4,), (5,), (6,)]


def test_a_batch_in_the_file_is_taken_apart() -> None:
    model = functional(row("Dense", "a", "x", units=4), shape=(7,))
    model["config"]["layers"][0]["config"]["batch_shape"] = [8, 7]
    graph = graph_of(model)
    assert sum_work(graph.layers).macs == 28
    assert "numbers are for one of the 8 samples of the input" in graph.notes


def test_frozen_parameters_are_noted() -> None:
    model = functional(row("Dense", "a", "x", units=4, trainable=False), row("Dense", "b", "a", units=2), shape=(7,))
    assert "32 of the parameters are frozen (trainable is false)" in graph_of(model).notes
    model["config"]["layers"][0]["config"]["batch_shape"] = [None, None]
    form = convcost.formula(Target("net", "net", source(model), {"x.1": 7})).totals["params"].expr
    assert str(form) == "4*x.1 + 14"


def test_a_sequence_without_sizes_asks_for_them() -> None:
    rows = [{"class_name": "Conv2D", "config": {"name": "a", "filters": 4, "kernel_size": 3}}]
    model = {"class_name": "Sequential", "config": {"name": "net", "layers": rows}}
    with pytest.raises(UsageError, match=r"net\.json states no sizes of its input: give them with --input"):
        graph_of(model)
    assert build(source(model), {}, (3, 10, 10)).layers[0].shape == (4, 8, 8)


# what is not known


def test_an_unknown_layer_makes_a_lower_bound_and_its_shape_is_that_of_the_file() -> None:
    model = functional(
        row("Dense", "a", "x", units=4),
        row("Mystery", "b", "a"),
        row("Dense", "c", "b", units=2),
        shape=(7,),
    )
    graph = graph_of(model)
    assert [(item.operator, item.heavy) for item in graph.unknown] == [("Mystery", True), ("Dense", True)]
    assert graph.hides_parameters
    assert sum_work(graph.layers).macs == 28
    model["config"]["layers"][3]["inbound_nodes"][0]["args"][0]["config"]["shape"] = [None, 5]
    graph = graph_of(model)
    assert [item.operator for item in graph.unknown] == ["Mystery"]
    assert sum_work(graph.layers).macs == 28 + 10
    assert len(graph_of(model, {"x.1": 9}).unknown) == 2  # the shapes of the file are for its own sizes


def test_partial_totals_in_every_form(tmp_path: Path) -> None:
    model = functional(row("Dense", "a", "x", units=4), row("Mystery", "b", "a"), shape=(7,))
    (tmp_path / "net.json").write_text(json.dumps(model), "utf-8")
    shown = command("analyze", "net.json", cwd=tmp_path)
    assert "partial: >= are lower bounds. Not known: 1 Mystery (no rule for this layer)" in shown.out
    assert ">= 32" in shown.out
    data = json.loads(command("analyze", "net.json", "--format", "json", cwd=tmp_path).out)
    assert data["status"] == "partial"
    assert data["totals"]["params"] is None
    assert data["totals"]["macs"] is None
    assert (data["totals"]["at_least"]["params"], data["totals"]["at_least"]["macs"]) == (32, 28)
    assert command("analyze", "net.json", "--strict", cwd=tmp_path).code == 1
    assert "is known in part only: 1 Mystery" in command("memory", "net.json", cwd=tmp_path).err
    light = functional(row("Dense", "a", "x", units=4), row("Lambda", "b", "a"), shape=(7,))
    assert not graph_of(light).hides_parameters
    assert graph_of(light).status == "partial"


def test_an_unknown_activation_leaves_the_total_complete() -> None:
    model = functional(row("Dense", "a", "x", units=4, activation="swirl"), shape=(7,))
    graph = graph_of(model)
    assert graph.status == "complete"
    assert [(item.operator, item.reason) for item in graph.unknown] == [("swirl", "no rule for this activation")]


# commands


def test_the_commands(tmp_path: Path) -> None:
    path = str(DATA / "MobileNetV2.keras")
    shown = command("analyze", path, "--columns", "params,macs", "--format", "csv", "--by", "stage")
    assert shown.code == 0
    assert command("convert", path, "-o", str(tmp_path / "net.yaml")).code == 0
    again = command("diff", path, str(tmp_path / "net.yaml"), "--format", "json")
    totals = json.loads(again.out)["totals"]
    assert totals["macs"]["before"] == totals["macs"]["after"] == APPLICATIONS["MobileNetV2"]["macs"]
    assert totals["params"]["before"] == totals["params"]["after"] == APPLICATIONS["MobileNetV2"]["trainable"]
    for words in (("memory", path), ("compare", path, "mobilenet_v2"), ("check", path, "--budget", "macs<=301M")):
        assert command(*words).code == 0
    old = command("analyze", "net.h5", cwd=tmp_path)
    assert old.code == 2
    assert "net.h5: HDF5 files of Keras are not read; save the model with `model.save('net.keras')`" in old.err
    assert command("analyze", "missing.keras", cwd=tmp_path).code == 2
    (tmp_path / "spec.json").write_text('{"input": [3, 8, 8], "layers": ["relu"]}', "utf-8")
    assert command("analyze", "spec.json", cwd=tmp_path).code == 0


@pytest.mark.parametrize("known", sampled(LAYERS, 4), ids=lambda known: known["name"])
def test_what_is_written_as_a_spec_or_as_onnx_costs_the_same(known: dict[str, Any], tmp_path: Path) -> None:
    """The functions check what they wrote: none of these models may be written wrongly, only refused."""
    made = source(known["model"])
    graph = build(made, dict(zip(made.free, known["sizes"], strict=True)))
    with contextlib.suppress(convcost.UnsupportedError):  # the language has no word for it
        again = convcost.loads(convcost.convert(graph))
        assert sum_work(again.layers).as_dict() == sum_work(graph.layers).as_dict()
    with contextlib.suppress(convcost.UnsupportedError):
        (tmp_path / "net.onnx").write_bytes(convcost.to_onnx(graph))
        assert sum_work(convcost.load(str(tmp_path / "net.onnx")).layers).macs == sum_work(graph.layers).macs


def test_a_model_or_its_text_is_a_target() -> None:
    class Model:
        def to_json(self) -> str:
            return json.dumps(functional(row("Dense", "a", "x", units=4), shape=(7,)))

    class Subclassed:
        def to_json(self) -> str:
            raise NotImplementedError("no config")

    targets = [convcost.from_keras(Model()), convcost.from_keras(Model().to_json())]
    assert [convcost.analyze(target).totals.macs for target in targets] == [28, 28]
    assert convcost.load(targets[0], **{"x.1": 9}).layers[0].work.macs == 36
    with pytest.raises(UsageError, match="expected a model of Keras or its JSON, found int"):
        convcost.from_keras(3)
    with pytest.raises(ConvcostError, match="cannot be written as JSON: NotImplementedError: no config"):
        convcost.from_keras(Subclassed())
    with pytest.raises(ConvcostError, match="the model:1:1: expected the JSON of a model of Keras"):
        convcost.from_keras("layers")


@pytest.mark.parametrize("target", ["torch:nets:small", "net.onnx", str(DATA / "VGG16.keras")])
def test_show_says_how_to_see_a_model(target: str) -> None:
    done = command("show", target)
    assert done.code == 2
    assert "is a model and no spec; `convcost convert " in done.err


def test_nothing_heavy_is_imported() -> None:
    assert not {"keras", "tensorflow"} & {name.partition(".")[0] for name in sys.modules}


# bad files

BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "net.keras:1:1: expected the JSON of a model of Keras"),
    "text": (lambda: b"layers: [relu]", "net.keras:1:1: expected the JSON of a model of Keras"),
    "a later place": (lambda: b'{"class_name":\n "Functional",,', "net.keras:2:15: expected the JSON"),
    "no text": (lambda: b"\xff\xfe\x00", "net.keras: expected JSON in UTF-8"),
    "other binary": (lambda: b"\x89HDF\r\n\x1a\n", "found an HDF5 file"),
    "a pointer": (lambda: b"version https://git-lfs.github.com/spec/v1", "found a Git LFS pointer"),
    "a list": (lambda: b"[]", "with `class_name` and `config`"),
    "a number": (lambda: b"1" * 5_000, "a number in it is too long"),
    "deep": (lambda: b"[" * 100_000, "brackets nest too deep"),
    "large": (lambda: b" " * (MAX_BYTES + 1), "config.json has more than 8 MiB"),
    "no layers": (
        lambda: b'{"class_name": "Net", "config": {}}',
        "no layers of Net: .*export a subclassed model to",
    ),
    "no member": (lambda: packed("other.json"), "expected one member config.json, as .keras files have; found none"),
    "packed otherwise": (lambda: packed(method=zipfile.ZIP_BZIP2), "expected a member that is stored or deflated"),
    "a bomb": (lambda: packed(data=b"\x20" * (MAX_BYTES * 4)), "config.json has more than 8 MiB"),
    "torn": (lambda: packed()[:-30], "expected a zip archive with config.json; its end is missing"),
    "torn inside": (lambda: packed()[:60] + b"?" * 60 + packed()[120:], "expected a zip archive with config.json"),
    "a long list of members": (
        lambda: packed()[:-10] + struct.pack("<II", 2**31, 0) + b"\x00\x00",
        "the list of its members has more than 8 MiB",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_have_one_clear_error(case: str, tmp_path: Path) -> None:
    make, message = BAD[case]
    (tmp_path / "net.keras").write_bytes(make())
    with pytest.raises(ConvcostError, match=message) as caught:
        convcost.load(str(tmp_path / "net.keras"))
    assert "net.keras" in str(caught.value)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("config.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("config.json", "[]")
    (tmp_path / "net.keras").write_bytes(stream.getvalue())
    with pytest.raises(ConvcostError, match=r"expected one member config\.json, .*; found 2 of them"):
        convcost.load(str(tmp_path / "net.keras"))


def nested(depth: int) -> dict[str, Any]:
    """Models inside one another."""
    model: dict[str, Any] = {"class_name": "Dense", "config": {"name": "d", "units": 2}}
    for place in range(depth):
        model = {"class_name": "Sequential", "config": {"name": f"m{place}", "layers": [model]}}
    return model


def doubling(times: int) -> dict[str, Any]:
    """A model that is called twice in a model that is called twice, and so on."""
    inner = functional(row("Dense", "d", "x", units=3), shape=(3,))
    for place in range(times):
        name = f"m{place}"
        layer = {**inner, "name": name, "inbound_nodes": row("", "", "x")["inbound_nodes"]}
        layer["config"] = {**inner["config"], "name": name}
        second = copy.deepcopy(layer["inbound_nodes"][0])
        second["args"][0]["config"]["keras_history"] = [name, 0, 0]
        layer["inbound_nodes"] = [layer["inbound_nodes"][0], second]
        inner = functional(layer, shape=(3,))
        inner["config"]["output_layers"] = [[name, 2, 0]]
    return inner


WRONG: dict[str, tuple[Callable[[], Any], str]] = {
    "a cycle": (
        lambda: functional(row("Dense", "a", "b", units=2), row("Dense", "b", "a", units=2), shape=(4,)),
        "layer 'b': its input depends on its own output",
    ),
    "a short cycle": (
        lambda: functional(row("Dense", "a", "a", units=2), shape=(4,)),
        "layer 'a': its input depends on its own output",
    ),
    "no such layer": (
        lambda: functional(row("Dense", "first", "x", units=2), row("Dense", "b", "fist", units=2), shape=(4,)),
        "the model has no layer 'fist'; did you mean 'first'",
    ),
    "no such call": (
        lambda: {**functional(row("Dense", "a", "x", units=2), shape=(4,))} | _outputs([["a", 3, 0]]),
        "layer 'a': its call 3, counted from 0, is read; the calls in the file are 1",
    ),
    "no such output": (
        lambda: {**functional(row("Dense", "a", "x", units=2), shape=(4,))} | _outputs([["a", 0, 5000]]),
        "expected an output below 4096 of 'a'",
    ),
    "no outputs": (
        lambda: {**functional(row("Dense", "a", "x", units=2), shape=(4,))} | _outputs([]),
        "expected `input_layers` and `output_layers` with a layer each",
    ),
    "two of a name": (
        lambda: functional(row("Dense", "a", "x", units=2), row("Dense", "a", "x", units=2), shape=(4,)),
        "net.json: a: two layers have this name",
    ),
    "too deep": (lambda: nested(MAX_CALL_DEPTH + 2), "inside one another more than 40 deep"),
    "too many": (lambda: doubling(18), "more than 250,000 layers, models that are layers written out"),
    "a setting of another type": (
        lambda: functional(row("Conv2D", "a", "x", filters="many", kernel_size=3)),
        r"net.json: layer 'a' \(Conv2D\): `filters`: expected a whole number of at least 1, found many",
    ),
    "a setting that is missing": (
        lambda: functional(row("Dense", "a", "x")),
        r"net.json: layer 'a' \(Dense\): `units`: expected a whole number of at least 1, found nothing",
    ),
    "a word that is none": (
        lambda: functional(row("Conv2D", "a", "x", filters=2, kernel_size=3, padding="sane")),
        "`padding` must be one of valid, same; found sane; did you mean 'same'",
    ),
    "a large number": (
        lambda: functional(row("RepeatVector", "a", "x", n=2**70), shape=(4,)),
        "`n`: expected a whole number of at least 1, found 1180591620717411303424",
    ),
    "a large size": (
        lambda: functional(row("UpSampling2D", "a", "x", size=2**62), row("UpSampling2D", "b", "a", size=2**62)),
        "63 bits",
    ),
    "a kernel that is too large": (
        lambda: functional(row("Conv2D", "a", "x", filters=2, kernel_size=99)),
        r"layer 'a' \(Conv2D\): ",
    ),
    "an input of another shape": (
        lambda: functional(row("Conv2D", "a", "x", filters=2, kernel_size=3), shape=(4,)),
        r"layer 'a' \(Conv2D\): expected samples, channels and 2 more axes, found 1x4",
    ),
    "an axis that is none": (
        lambda: functional(row("LayerNormalization", "a", "x", axis=7), shape=(4,)),
        "`axis`: expected an axis of a tensor with 2, found 7",
    ),
    "a bad shape": (lambda: functional(row("Dense", "a", "x", units=1), shape=(0,)), "x: expected a shape such as"),
    "other calls": (
        lambda: functional({**row("Dense", "a", "x"), "inbound_nodes": "x"}),
        "net.json: a: `inbound_nodes`: expected a list, found text",
    ),
}


def _outputs(refs: list[Any]) -> dict[str, Any]:
    model = functional(row("Dense", "a", "x", units=2), shape=(4,))
    model["config"]["output_layers"] = refs
    return model


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_model_has_one_clear_error(case: str) -> None:
    make, message = WRONG[case]
    with pytest.raises(ConvcostError, match=message) as caught:
        graph_of(make())
    assert str(caught.value).startswith("net.json: ")


@pytest.mark.parametrize("word", ["a/b", "a\x1b[31mb", "a b", "[red]", "../x", "é", "a\nb", "*"])
def test_names_of_layers_are_cleaned_in_paths_and_errors(word: str, tmp_path: Path) -> None:
    model = functional(row("ReLU", word, "x"), row("Dense", "last", word, units=2), shape=(4,))
    (tmp_path / "net.json").write_text(json.dumps(model), "utf-8")
    shown = command("analyze", "net.json", "--format", "csv", cwd=tmp_path)
    assert shown.code == 0
    assert len(shown.out.splitlines()) == 3
    model["config"]["layers"][1]["config"]["max_value"] = []
    model["config"]["layers"][2]["config"]["units"] = word
    (tmp_path / "net.json").write_text(json.dumps(model), "utf-8")
    failed = command("analyze", "net.json", cwd=tmp_path)
    assert failed.code == 1
    for text in (shown.out, failed.err):
        assert "\x1b" not in text


def test_a_long_chain_is_no_recursion() -> None:
    count = 2_000
    names = ["x", *(f"a{place}" for place in range(count))]
    layers = [row("ReLU", name, before) for before, name in pairwise(names)]
    graph = graph_of(functional(*layers[::-1], shape=(4,), end=names[-1]))
    assert len(graph.layers) == count


OTHER = (*range(-3, 10), 2**70, -(10**9), 1.5, None, True, False, "same", "x", "a", [], {}, [[1]])
SEEDS = [known["model"] for known in (*LAYERS, *KERAS2[:5])]


def changed(model: Any, chance: random.Random) -> None:
    """Put another value anywhere in a description."""
    while True:
        keys: list[Any] = list(model) if isinstance(model, dict) else list(range(len(model)))
        if not keys:
            return
        key = chance.choice(keys)
        if not isinstance(model[key], dict | list) or chance.random() < 0.1:
            model[key] = copy.deepcopy(chance.choice(OTHER))
            return
        model = model[key]


@settings(max_examples=150)
@given(st.integers(0, 2**32))
def test_changed_models_are_understood_or_refused(seed: int) -> None:
    """Values anywhere in a description replaced: no error but those of the package, and none that takes long."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    model = copy.deepcopy(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 3)):
        changed(model, chance)
    try:
        made = source(model)
        graph = build(made, dict.fromkeys(made.free, 9), partial=True)
    except ConvcostError:
        return
    sum_work(graph.layers)


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_torn_archives_are_refused(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    whole = bytearray((DATA / "VGG16.keras").read_bytes())
    for _ in range(chance.randint(1, 4)):
        whole[chance.randrange(len(whole))] = chance.randrange(256)
    whole = whole[: chance.randint(len(whole) // 2, len(whole))]
    try:
        network_from(config_of(io.BytesIO(bytes(whole)), "net.keras"), "net.keras")
    except ConvcostError as error:
        known = str(error)
    else:
        known = "net.keras: read"
    assert known.startswith("net.keras")
