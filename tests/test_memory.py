"""Memory and its peak, against a simulation that shares no code with it, and against what PyTorch keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sympy
from conftest import DATA, ROOT
from inprocess import convcost

from convcost.api import load, loads, memory
from convcost.catalogue.loader import Catalogue
from convcost.errors import UnsupportedError, UsageError
from convcost.language.given import from_text
from convcost.language.interpret import build
from convcost.metrics.memory import peak
from convcost.metrics.quantities import quantities
from convcost.metrics.training import kept, training
from convcost.network.schedule import schedule

if TYPE_CHECKING:
    from convcost.network.graph import Graph

FACTS = [line.split(",") for line in (DATA / "layer_facts.csv").read_text("utf-8").splitlines() if line[0] != "#"]
VIEWS = {name for name, view, *_ in FACTS if view == "yes"}  # which share the storage of their input in torch
# torch.nn modules with an `inplace` argument or an in-place function of the same name (torch 2.13.0)
IN_PLACE = [
    *("relu", "relu6", "leaky_relu", "prelu", "sigmoid"),
    *("hard_sigmoid", "swish", "hard_swish", "gelu", "tanh"),
]


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
        alone = in_place and node.kind in IN_PLACE and needed[source] == 1 and source != 0
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
    assert quantities(short.layers)["outputs"] == quantities(long.layers)["outputs"]
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
    assert abs(quantities(build(spec, given).layers)["conv_activations"] / 1e6 - ACTIVATION_COUNTS[target]) <= 0.05


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
    assert steps[0] == "path,live,peak"
    assert len(steps) == 1 + 9


def test_symbols() -> None:
    size_, classes = sympy.symbols("size classes", positive=True, integer=True)
    layers = "[conv: {out: c, kernel: 3}, relu, conv: {out: 2, kernel: 1}]"
    graph = loads(f"{{parameters: {{r: 8, c: 4}}, input: [3, r, r], layers: {layers}}}", r=size_, c=classes)
    found = quantities(graph.layers)
    assert sympy.expand(found["conv_activations"] - (classes + 2) * size_**2) == 0
    assert sympy.expand(found["outputs"] - (2 * classes + 2) * size_**2) == 0
    with pytest.raises(UnsupportedError, match="evaluated on numbers"):
        peak(graph)
    with pytest.raises(UnsupportedError, match="evaluated on numbers"):
        kept(graph)


def test_parameters_of_copies() -> None:
    # three copies of a convolution with 8*2 weights and 2 biases, and of a norm of 2 channels
    branch = "[conv: {out: 2, kernel: 1}, batch_norm]"
    graph = loads(f"{{input: [8, 4, 4], layers: [concat: {{p: {{repeat: 3, do: {branch}}}}}, conv: {{out: 5}}]}}")
    assert graph.nodes[1].count == 3
    analysis = memory(graph)
    assert (analysis.totals.params, analysis.totals.buffers) == (3 * (18 + 4) + 6 * 5 + 5, 3 * 4)
    assert analysis.value("conv_activations") == (3 * 2 + 5) * 16
    assert analysis.value("outputs") == (3 * (2 + 2) + 6 + 5) * 16


def test_a_network_that_does_nothing_holds_its_input() -> None:
    graph = loads("{input: [3, 4, 4], layers: [{relu: {}, repeat: 0}]}")
    assert peak(graph) == (48, "input", (), False, False, ())
    assert peak(graph, in_place=True, folded=True) == (48, "input", (), True, True, ())
    view = loads("{input: [3, 4, 4], layers: [flatten]}")
    assert peak(view) == (48, "flatten", (("input", 48),), False, False, (("flatten", 48),))
    views = loads("{input: [3, 4, 4], layers: [flatten, dropout]}")
    assert peak(views).path == "flatten"  # the first of equals


def test_a_view_holds_all_of_what_it_looks_at() -> None:
    # of the nine channels of b one is read, but all lie in memory until it is
    text = """
    input: [2, 3, 3]
    layers:
      - concat: {a: [conv: {out: 4}], b: [{conv: {out: 9}}, slice: {out: 1}]}
      - conv: {out: 1}
    """
    graph = loads(text)
    assert [live for _, live in peak(graph).steps] == [
        9 * (2 + 4),
        9 * (2 + 4 + 9),
        9 * (4 + 9),
        9 * (4 + 9 + 5),
        9 * (5 + 1),
    ]
    assert peak(graph).path == "concat"


SYMBOLIC = "{parameters: {r: 8}, input: [3, r, r], layers: [conv: {out: 4}]}"


def test_symbols_are_refused_in_full() -> None:
    graph = loads(SYMBOLIC, r=sympy.Symbol("r", positive=True, integer=True))
    with pytest.raises(UnsupportedError, match=r"^peak memory is .* numbers; this network has symbolic sizes$"):
        peak(graph)
    with pytest.raises(
        UnsupportedError, match=r"^the memory of training is evaluated on numbers; this network has symbolic sizes$"
    ):
        kept(graph)
    copies = "concat: {p: {repeat: n, do: [conv: {out: 2}]}}"
    many = loads(
        f"{{parameters: {{n: 3}}, input: [3, 4, 4], layers: [{copies}]}}",
        n=sympy.Symbol("n", positive=True, integer=True),
    )
    with pytest.raises(
        UnsupportedError, match=r"^an execution order needs numbers; this network has a symbolic number of copies$"
    ):
        schedule(many)


def test_steps_are_bounded() -> None:
    copies = "{{input: [1, 1, 1], layers: [{{concat: {{p: {{repeat: {n}, do: [conv: {{out: 1}}]}}}}}}]}}"
    assert len(schedule(loads(copies.format(n=3)))) == 4
    with pytest.raises(UnsupportedError, match=r"^more than 1,000,000 steps, copies written out$"):
        schedule(loads(copies.format(n=10**6)))


def test_steps_name_the_copies_they_read() -> None:
    branch = "{repeat: 2, do: [concat: {q: {repeat: 3, do: [conv: {out: 1}, relu]}}, conv: {out: 2}]}"
    graph = loads(f"{{input: [4, 2, 2], layers: [{{conv: {{out: 4}}, name: stem}}, concat: {{p: {branch}}}]}}")
    steps = [(step.node.index, step.makes[1], step.reads) for step in schedule(graph)]
    expected: list[tuple[int, int, tuple[tuple[int, int], ...]]] = [(1, 0, ((0, 0),))]
    for outer in range(2):
        for inner in range(3 * outer, 3 * outer + 3):
            expected += [(2, inner, ((1, 0),)), (3, inner, ((2, inner),))]
        expected += [
            (4, outer, tuple((3, inner) for inner in range(3 * outer, 3 * outer + 3))),
            (5, outer, ((4, outer),)),
        ]
    expected.append((6, 0, ((5, 0), (5, 1))))
    assert steps == expected


def test_inner_copies_read_what_their_outer_copy_made() -> None:
    branch = "{repeat: 2, do: [conv: {out: 2}, concat: {q: {repeat: 3, do: [relu]}}]}"
    graph = loads(f"{{input: [4, 2, 2], layers: [concat: {{p: {branch}}}]}}")
    relus = [(step.makes, step.reads) for step in schedule(graph) if step.node.kind == "relu"]
    assert relus == [((2, copy), ((1, copy // 3),)) for copy in range(6)]


KEPT = [  # layers on a map of 4x6x6; elements and places of maxima kept, by the derivatives PyTorch declares
    ("conv: {out: 2}", 144, 0),
    ("batch_norm", 144, 0),
    ("relu", 144, 0),
    ("conv: {out: 2}, relu", 144 + 72, 0),
    ("conv: {out: 2}, sigmoid", 144 + 72, 0),
    ("conv: {out: 2}, tanh", 144 + 72, 0),
    ("conv: {out: 2}, softmax", 144 + 72, 0),
    ("conv: {out: 2}, gelu", 144 + 72, 0),
    ("relu, gelu", 144, 0),  # the output of one is the input of the other
    ("tanh, conv: {out: 2}", 144, 0),
    ("max_pool: {kernel: 2}", 144, 36),
    ("global_max_pool", 144, 4),
    ("avg_pool: {kernel: 2}", 144, 0),
    ("global_avg_pool", 0, 0),
    ("upsample: {factor: 2}", 0, 0),
    ("zero_pad: {sides: 1}", 0, 0),
    ("channel_shuffle: {groups: 2}", 0, 0),
    ("flatten, dropout", 0, 0),
    ("flatten, linear: {out: 3}", 144, 0),
    ("slice: {out: 1}, conv: {out: 2}", 144, 0),  # a view keeps all of what it looks at
    ("add: {a: [batch_norm], b: x}", 144, 0),
    ("concat: {a: [batch_norm], b: x}", 144, 0),
    ("multiply: {a: [global_avg_pool], b: x}", 144 + 4, 0),
    ("add: {a: [conv: {out: 4}], b: [conv: {out: 4}]}", 144, 0),
]


@pytest.mark.parametrize(("layers", "elements", "indices"), KEPT)
def test_what_each_layer_keeps(layers: str, elements: int, indices: int) -> None:
    assert kept(loads(f"{{input: [4, 6, 6], layers: [{layers}]}}")) == (elements, indices)


def test_training_part_by_part() -> None:
    graph = loads("{input: [3, 4, 4], layers: [conv: {out: 2, kernel: 3}, batch_norm, max_pool: {kernel: 2}]}")
    params, statistics, activations, indices = 2 * 27 + 2 + 4, 4, (3 + 2 + 2) * 16, 8
    found = training(graph)
    assert found.optimiser == "adam"
    assert (found.weights, found.gradients, found.states) == (4 * params, 4 * params, 8 * params)
    assert (found.buffers, found.activations, found.indices) == (4 * statistics, 4 * activations, 8 * indices)
    assert found.total == 16 * params + 4 * statistics + 4 * activations + 8 * indices
    mixed = training(graph, "momentum", batch=3, dtype="float16", weights_dtype="int8")
    assert (mixed.optimiser, mixed.weights, mixed.states, mixed.buffers) == ("momentum", params, params, statistics)
    assert (mixed.activations, mixed.indices) == (2 * 3 * activations, 8 * 3 * indices)
    assert training(graph, "sgd", dtype="float16").weights == 2 * params
    with pytest.raises(UsageError) as caught:
        training(graph, "adan")
    assert str(caught.value) == "`optimiser` must be one of sgd, momentum, adam; found 'adan'; did you mean 'adam'?"
    with pytest.raises(UsageError) as caught:
        training(graph, "z" * 61)
    assert str(caught.value) == f"`optimiser` must be one of sgd, momentum, adam; found '{'z' * 57}...'"
