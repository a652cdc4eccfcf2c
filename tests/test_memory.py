"""Memory and its peak, against a simulation that shares no code with it, and against what PyTorch keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sympy
from conftest import DATA, ROOT
from inprocess import convcost

from convcost.api import load, loads
from convcost.errors import UnsupportedError
from convcost.metrics.memory import all_outputs, conv_outputs, peak
from convcost.metrics.training import kept, training
from convcost.spec.bind import from_text
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue

if TYPE_CHECKING:
    from convcost.graph import Graph

VIEWS = {"flatten", "reshape", "slice", "split", "crop", "identity", "dropout"}
ACTIVATIONS = {"relu", "relu6", "leaky_relu", "prelu", "sigmoid", "hard_sigmoid", "swish", "hard_swish", "gelu", "tanh"}


def size(shape: tuple[int, ...]) -> int:
    count = 1
    for one in shape:
        count *= one
    return count


def simulate(graph: Graph, *, in_place: bool, folded: bool) -> int:
    """Run the network with reference counts: allocate an output, note what is allocated, free what nobody will read.

    Only for graphs without repeated branches. A buffer is a list with one number, how many tensors still need it.
    """
    uses = [0] * len(graph.nodes)
    for node in graph.nodes:
        for index, _ in node.inputs:
            uses[index] += 1
    for index in (graph.output, *graph.outputs.values()):
        uses[index] += 1  # the caller will read it
    buffers: dict[int, int] = {0: 0}  # the buffer of each tensor
    needed = {0: uses[0]}  # readers to come of each buffer
    sizes = {0: size(graph.nodes[0].shape)}
    most = 0
    for node in graph.nodes[1:]:
        reads = list(dict.fromkeys(index for index, _ in node.inputs))
        times = [index for index, _ in node.inputs]
        source = buffers[reads[0]]
        conv_before = graph.nodes[reads[0]].layer.key in ("conv", "conv_transpose", "linear")
        is_fold = folded and node.layer.key in ("batch_norm", "scale") and conv_before and uses[reads[0]] == 1
        alone = in_place and node.kind in ACTIVATIONS and needed[source] == 1 and source != 0
        shares = node.kind in VIEWS or is_fold or (alone and sizes[source] == size(node.shape))
        if shares:
            buffers[node.index] = source
            needed[source] += uses[node.index]
        else:
            buffers[node.index] = node.index
            needed[node.index] = uses[node.index]
            sizes[node.index] = size(node.shape)
        most = max(most, sum(sizes.values()))
        for index in times:
            needed[buffers[index]] -= 1
        for buffer in [one for one in sizes if needed[one] == 0]:
            del sizes[buffer]
    return most


NETWORKS = [
    "resnet18",
    "resnet50",
    "mobilenet_v2",
    "densenet121",
    "inception_v3",
    "shufflenet_v1",
    "shufflenet_v2",
    "squeezenet",
    "efficientnet_b0",
    "mobilenet_v3",
    "unet",
    "fcn_vgg16",
    "yolov3_tiny",
    "xception",
    "convnext",
    "vgg16",
]


@pytest.mark.parametrize("name", NETWORKS)
def test_peak_against_a_simulation(name: str) -> None:
    graph = load(name)
    assert all(node.count == 1 for node in graph.nodes)
    for in_place in (False, True):
        for folded in (False, True):
            expected = simulate(graph, in_place=in_place, folded=folded)
            assert peak(graph, in_place=in_place, folded=folded).elements == expected, (in_place, folded)


def test_peak_of_a_residual_block_by_hand() -> None:
    # x: 8x4x4 = 128 elements. conv to 2 channels: 32; its norm 32; conv back: 128; add: 128.
    text = """
    input: [8, 4, 4]
    layers:
      - add:
          main: [conv: {out: 2, kernel: 1}, batch_norm, relu, conv: {out: 8, kernel: 1}, batch_norm]
          shortcut: x
    """
    graph = loads(text)
    # while the last norm runs: x is held for the add, its input and its output: 128 + 128 + 128
    plain = peak(graph)
    assert (plain.elements, plain.path) == (384, "main/batch_norm#2")
    assert [live for _, live in plain.steps] == [160, 192, 192, 288, 384, 384]
    assert dict(plain.held) == {"input": 128, "main/conv#2": 128, "main/batch_norm#2": 128}
    # folded, the second norm is part of its convolution; then the add holds both operands and makes a third
    folded = peak(graph, folded=True, in_place=True)
    assert [live for _, live in folded.steps] == [160, 160, 160, 288, 256, 384]
    assert folded.path == "add"


REPEATED = [
    (
        "add: {p: {repeat: 3, do: [conv: {out: 2, kernel: 1}, relu, conv: {out: 8, kernel: 3}]}, s: x}",
        "add: {p: [A], q: [A], r: [A], s: x}",
        "[conv: {out: 2, kernel: 1}, relu, conv: {out: 8, kernel: 3}]",
    ),
    (
        "concat: {p: {repeat: 2, do: [conv: {out: 4, kernel: 1}, relu, "
        "concat: {u: x, v: [conv: {out: 6, kernel: 1}]}]}}",
        "concat: {p: [A], q: [A]}",
        "[conv: {out: 4, kernel: 1}, relu, concat: {u: x, v: [conv: {out: 6, kernel: 1}]}]",
    ),
    (
        "add: {p: {repeat: 2, do: [concat: {u: {repeat: 3, do: [conv: {out: 5, kernel: 1}, relu]}}, "
        "conv: {out: 8, kernel: 1}]}, s: x}",
        "add: {p: [A], q: [A], s: x}",
        "[concat: {u: [B], v: [B], w: [B]}, conv: {out: 8, kernel: 1}]",
    ),
    (
        "concat: {p: {repeat: 3, do: [conv: {out: 9, kernel: 1}, conv: {out: 2, kernel: 1}]}, "
        "q: {repeat: 3, do: [relu, conv: {out: 3, kernel: 1}]}}",
        "concat: {p1: [A], p2: [A], p3: [A], q1: [C], q2: [C], q3: [C]}",
        "[conv: {out: 9, kernel: 1}, conv: {out: 2, kernel: 1}]",
    ),
]


@pytest.mark.parametrize(("repeated", "written_out", "block"), REPEATED)
def test_copies_are_as_if_written_out(repeated: str, written_out: str, block: str) -> None:
    head = "{input: [8, 6, 6], layers: ["
    blocks = f"blocks: {{A: {block}, B: [conv: {{out: 5, kernel: 1}}, relu], C: [relu, conv: {{out: 3, kernel: 1}}]}}"
    short = loads(f"{head}{repeated}]}}")
    long = loads(f"{head}{written_out}], {blocks}}}")
    assert any(node.count > 1 for node in short.nodes)
    assert all(node.count == 1 for node in long.nodes)
    for in_place in (False, True):
        for folded in (False, True):
            found = peak(short, in_place=in_place, folded=folded)
            expected = simulate(long, in_place=in_place, folded=folded)
            assert found.elements == expected
            assert [live for _, live in found.steps] == [
                live for _, live in peak(long, in_place=in_place, folded=folded).steps
            ]
    assert all_outputs(short) == all_outputs(long)
    assert kept(short) == kept(long)


def test_side_outputs_are_held_to_the_end() -> None:
    text = "{input: [2, 4, 4], layers: [output: {side: [conv: {out: 50, kernel: 1}]}, conv: {out: 3, kernel: 1}]}"
    # side 50x16 stays while the second convolution runs on x 2x16 and makes 3x16
    assert peak(loads(text)).elements == (50 + 2 + 3) * 16


# Model zoo of pycls (MODEL_ZOO.md, "acts (M)") and Radosavovic et al. (2020), tables 3 and 8: outputs of convolutions
ACTIVATION_COUNTS = {
    "resnet50": 11.1,
    "resnet101": 16.2,
    "resnet152": 22.6,
    "resnext50": 14.4,
    "resnext101 d=4 C=32": 21.2,
    "efficientnet_b0": 6.7,
    "efficientnet_b1": 10.9,
    "regnet_x_1_6gf": 7.9,
    "regnet_y_400mf": 3.9,
}


@pytest.mark.parametrize("target", ACTIVATION_COUNTS)
def test_outputs_of_convolutions_are_pycls_activations(target: str) -> None:
    name, *settings = target.split()
    spec = Catalogue().target(name)
    given = {key: from_text(spec, key, text) for key, text in (one.split("=") for one in settings)}
    assert abs(conv_outputs(build(spec, given)) / 1e6 - ACTIVATION_COUNTS[target]) <= 0.05


def _saved() -> list[list[str]]:
    lines = (DATA / "saved_activations.csv").read_text().splitlines()
    return [line.split(",") for line in lines if not line.startswith("#")][1:]


@pytest.mark.parametrize("row", _saved(), ids=lambda row: str(row[0]))
def test_kept_for_backward_is_what_pytorch_keeps(row: list[str]) -> None:
    _, target, elements, indices = row
    name, *settings = target.split()
    spec = Catalogue().target(str(ROOT / name) if name.endswith(".yaml") else name)
    given = {key: from_text(spec, key, text) for key, text in (one.split("=") for one in settings)}
    found = kept(build(spec, given))
    assert (found.elements, found.indices) == (int(elements), int(indices))


def test_training_adds_up() -> None:
    graph = load("resnet18")
    params, statistics, activations, indices = 11_689_512, 9_600, 5_143_552, 200_704
    for optimiser, states in (("sgd", 0), ("momentum", 1), ("adam", 2)):
        found = training(graph, optimiser, batch=16)
        assert found.total == 4 * ((2 + states) * params + statistics + 16 * activations) + 8 * 16 * indices
    half = training(graph, "adam", batch=16, dtype="float16", weights_dtype="float32")
    assert half.total == 4 * (4 * params + statistics) + 16 * (2 * activations + 8 * indices)


def test_bytes_by_format() -> None:
    data = json.loads(
        convcost("memory", "resnet18", "--dtype", "int8", "--weights-dtype", "int4", "--format", "json").out
    )
    assert data["params"] == {"elements": 11_689_512, "bytes": 11_689_512 // 2}
    assert data["activations"]["conv_outputs"]["bytes"] == data["activations"]["conv_outputs"]["elements"]
    assert [(one["in_place"], one["folded_norms"]) for one in data["peak"]] == [
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    ]
    batched = json.loads(convcost("memory", "resnet18", "--batch", "8", "--format", "json").out)
    assert batched["peak"][0]["elements"] == 8 * data["peak"][0]["elements"]
    assert batched["params"]["elements"] == 11_689_512


def test_commands_write_tables() -> None:
    assert "peak of activations" in convcost("memory", "shufflenet_v1").out
    steps = convcost("memory", "inverted_residual", "--steps", "--format", "csv").out.splitlines()
    assert steps[0] == "path,live,bytes"
    assert len(steps) == 1 + 9


def test_symbols() -> None:
    size_, classes = sympy.symbols("size classes", positive=True, integer=True)
    layers = "[conv: {out: c, kernel: 3}, relu, conv: {out: 2, kernel: 1}]"
    graph = loads(f"{{parameters: {{r: 8, c: 4}}, input: [3, r, r], layers: {layers}}}", r=size_, c=classes)
    assert sympy.expand(conv_outputs(graph) - (classes + 2) * size_**2) == 0
    assert sympy.expand(all_outputs(graph) - (2 * classes + 2) * size_**2) == 0
    with pytest.raises(UnsupportedError, match="evaluated on numbers"):
        peak(graph)
    with pytest.raises(UnsupportedError, match="evaluated on numbers"):
        kept(graph)
