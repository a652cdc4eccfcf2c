"""The rules against loops that were walked, and against what one element costs written out."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from conftest import DATA, run_convcost
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import ORACLES
from strategies import layers

from convcost.api import loads
from convcost.errors import FieldError, ShapeError
from convcost.layers import REGISTRY
from convcost.metrics.memory import peak
from convcost.metrics.traffic import sum_moved, traffic
from convcost.metrics.training import kept, operations
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from pathlib import Path

    from convcost.layers.base import Work

COUNTS = ("weights", "biases", "norm_params", "other_params", "buffers", "macs", "bias_adds")
OPERATIONS = ("multiplications", "additions", "comparisons", "divisions", "exponentials")


def tally(work: Work) -> dict[str, int]:
    return {name: getattr(work, name) for name in (*COUNTS, *OPERATIONS) if getattr(work, name)}


@pytest.mark.parametrize("key", ORACLES)
@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_loops_agree(key: str, data: st.DataObject) -> None:
    values, x = data.draw(layers(key))
    if key in ("max_pool", "avg_pool") and values.get("stride") is None:
        values["stride"] = values["kernel"]
    try:
        expected_shape, expected = ORACLES[key](x, values)
    except ValueError:
        refused = REGISTRY[key](**values)
        with pytest.raises(ShapeError):
            refused.shape(x)
        return
    layer = REGISTRY[key](**values)
    y = layer.shape(x)
    assert y == expected_shape
    work = layer.work(x, y)
    assert tally(work) == {name: count for name, count in expected.items() if count}
    read = sum(times * _product(shape) for shape, times in x) if layer.merges else _product(x)
    assert (work.read, work.written) == (read, _product(y))


def test_sizes_of_windows_written_out() -> None:
    """In TensorFlow ``same`` is ceil(in / stride); PyTorch drops a last window that would start beyond the input."""
    assert REGISTRY["conv"](out=1, kernel=3, stride=2, padding="same").shape((1, 5, 7)) == (1, 3, 4)
    last_at_6 = REGISTRY["max_pool"](kernel=1, stride=3, padding=0, ceil_mode=True)
    assert last_at_6.shape((1, 5, 7)) == (1, 2, 3)


X = (6, 5, 7)
N = 6 * 5 * 7

# What one element costs, from the formula each layer computes; slopes and factors are one per channel.
ELEMENTWISE: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    ("relu", {}, {"comparisons": N}),
    ("relu6", {}, {"comparisons": 2 * N}),
    ("leaky_relu", {}, {"comparisons": N, "multiplications": N}),
    ("prelu", {}, {"other_params": 6, "comparisons": N, "multiplications": N}),
    ("prelu", {"per_element": True}, {"other_params": N, "comparisons": N, "multiplications": N}),
    ("prelu", {"shared": True}, {"other_params": 1, "comparisons": N, "multiplications": N}),
    ("sigmoid", {}, {"exponentials": N, "additions": N, "divisions": N}),
    ("hard_sigmoid", {}, {"additions": N, "comparisons": 2 * N, "multiplications": N}),
    ("swish", {}, {"exponentials": N, "additions": N, "divisions": N, "multiplications": N}),
    ("hard_swish", {}, {"additions": N, "comparisons": 2 * N, "multiplications": 2 * N}),
    ("gelu", {}, {"exponentials": N, "additions": N, "multiplications": 3 * N}),
    ("tanh", {}, {"exponentials": N}),
    ("lrn", {"size": 5}, {"multiplications": 2 * N, "additions": (4 + 1) * N, "exponentials": N, "divisions": N}),
    ("scale", {}, {"other_params": 6, "multiplications": N}),
    ("scale", {"bias": True}, {"other_params": 12, "multiplications": N, "additions": N}),
    ("rbf", {"out": 3}, {"buffers": 3 * N, "multiplications": 3 * N, "additions": 3 * (N + N - 1)}),
    ("global_avg_pool", {}, {"additions": 6 * (5 * 7 - 1), "divisions": 6}),
    ("global_max_pool", {}, {"comparisons": 6 * (5 * 7 - 1)}),
    ("activation", {"kind": "relu6"}, {"comparisons": 2 * N}),
    ("activation", {"kind": "none"}, {}),
    ("dropout", {}, {}),
    ("identity", {}, {}),
    ("flatten", {}, {}),
    ("reshape", {"to": [5, 6, 7]}, {}),
    ("slice", {"out": 2, "start": 4}, {}),
    ("slice", {"out": 2, "start": 3, "axis": "h"}, {}),
    ("permute", {"order": ["w", "c", "h"]}, {}),
    ("split", {"parts": 3, "index": 2}, {}),
    ("split", {"parts": 7, "index": 6, "axis": -1}, {}),
    ("crop", {"size": [3, 2]}, {}),
    ("zero_pad", {"sides": [[1, 2], [0, 3]]}, {}),
    ("channel_shuffle", {"groups": 3}, {}),
    ("max_unpool", {"factor": [2, 1]}, {}),
    ("max_unpool", {"size": [10, 7]}, {}),
    ("parameter", {"to": [6, 4]}, {"other_params": 24}),
    ("parameter", {"to": [6, 4], "trained": False}, {"buffers": 24}),
    ("custom", {"macs": 7, "params": 5, "operations": 3}, {"other_params": 5, "macs": 7, "additions": 3}),
    ("custom", {"to": [9, 2], "buffers": 2, "inside": 4}, {"buffers": 2}),
    ("elementwise", {}, {}),
    (
        "elementwise",
        {"multiplications": 2, "additions": 1, "comparisons": 3, "divisions": 4, "exponentials": 5, "params": 9},
        {
            "other_params": 9,
            "multiplications": 2 * N,
            "additions": N,
            "comparisons": 3 * N,
            "divisions": 4 * N,
            "exponentials": 5 * N,
        },
    ),
    ("select", {"index": 2}, {}),
    ("select", {"index": 6, "axis": "w"}, {}),
    ("pixel_shuffle", {"factor": 1}, {}),
    ("pixel_unshuffle", {"factor": 1}, {}),
]
VIEWS = {
    "dropout",
    "identity",
    "flatten",
    "reshape",
    "permute",
    "slice",
    "select",
    "split",
    "crop",
}  # which move nothing
READ = {"parameter": 0, "max_unpool": 2 * N}  # other than what enters: nothing, and the places of the maxima
SHAPES: dict[str, tuple[int, ...]] = {
    "rbf": (3,),
    "global_avg_pool": (6, 1, 1),
    "global_max_pool": (6, 1, 1),
    "flatten": (N,),
    "reshape": (5, 6, 7),
    "slice": (2, 5, 7),
    "slice h": (6, 2, 7),
    "select": (5, 7),
    "select w": (6, 5),
    "permute": (7, 6, 5),
    "split": (2, 5, 7),
    "split -1": (6, 5, 1),
    "crop": (6, 3, 2),
    "zero_pad": (6, 8, 10),
    "max_unpool": (6, 10, 7),
}


@pytest.mark.parametrize(("key", "values", "expected"), ELEMENTWISE)
def test_written_out(key: str, values: dict[str, Any], expected: dict[str, int]) -> None:
    layer = REGISTRY[key](**values)
    x = (N,) if key == "rbf" else X
    y = layer.shape(x)
    if "to" in values:
        assert y == tuple(values["to"])
    else:
        assert y == SHAPES.get(f"{key} {values['axis']}" if "axis" in values else key, X)
    work = layer.work(x, y)
    assert tally(work) == expected
    moved = (0, 0) if key in VIEWS or values.get("kind") == "none" else (READ.get(key, N), _product(y))
    assert (work.read, work.written) == moved


MERGES = [
    ("add", ((X, 1), (X, 1)), X, {"additions": N}),
    ("add", ((X, 1), (X, 4)), X, {"additions": 4 * N}),
    ("multiply", ((X, 1), ((6, 1, 1), 1)), X, {"multiplications": N}),
    ("multiply", (((6, 1, 1), 1), (X, 1)), X, {"multiplications": N}),
    ("multiply", ((X, 1), ((1, 5, 7), 1)), X, {"multiplications": N}),  # one channel against many
    ("multiply", (((6, 1, 1), 1), ((1, 5, 7), 1)), X, {"multiplications": N}),  # an outer product
    ("add", ((X, 1), ((6,), 1)), X, {"additions": N}),  # a vector against a map
    ("add", ((X, 1), ((1, 1, 7), 2)), X, {"additions": 2 * N}),
    ("subtract", ((X, 1), ((6, 1, 1), 1)), X, {"additions": N}),
    ("divide", ((X, 1), ((1, 5, 7), 1)), X, {"divisions": N}),
    ("maximum", ((X, 3),), X, {"comparisons": 2 * N}),
    ("minimum", ((X, 1), (X, 1)), X, {"comparisons": N}),
    ("concat", ((X, 1), ((2, 5, 7), 3)), (12, 5, 7), {}),
    ("concat h", ((X, 1), ((6, 2, 7), 3)), (6, 11, 7), {}),
]


@pytest.mark.parametrize(("key", "operands", "shape", "expected"), MERGES)
def test_merges(key: str, operands: Any, shape: tuple[int, ...], expected: dict[str, int]) -> None:
    name, _, axis = key.partition(" ")
    layer = REGISTRY[name](axis=axis) if axis else REGISTRY[name]()
    assert layer.shape(operands) == shape
    work = layer.work(operands, shape)
    assert tally(work) == expected
    elements = [times * _product(one) for one, times in operands]
    assert (work.read, work.written) == (sum(elements), _product(shape))


MISFITS = [
    ("add", ((2, 5, 7), (3, 5, 7)), "add: 2x5x7 and 3x5x7 differ in channels"),
    ("multiply", ((6, 5, 7), (6, 5, 6)), "multiply: the maps of 6x5x7 and 6x5x6 differ in size"),
    ("maximum", ((6, 5), (6, 5, 7)), "maximum: 6x5 and 6x5x7 do not fit"),
    ("concat", ((6, 5, 7), (6, 5)), "concat: the maps of 6x5x7 and 6x5 differ in size"),
    ("matmul", ((6, 5, 7), (6, 5, 7)), "matmul: 6x5x7 times 6x5x7: 7 columns meet 5 rows"),
    ("matmul", ((6, 5, 7), (5, 7, 3)), "matmul: batches of 6 and 5 matrices do not fit"),
    ("matmul", ((6, 5, 7), (7,)), "matmul needs tensors with at least two axes, found one of shape 7"),
    ("matmul", ((6, 5, 7),), "matmul takes 2 tensors, found 1"),
]


@pytest.mark.parametrize(("key", "shapes", "message"), MISFITS)
def test_tensors_that_do_not_fit(key: str, shapes: tuple[tuple[int, ...], ...], message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        REGISTRY[key]().shape(tuple((shape, 1) for shape in shapes))
    assert str(caught.value) == message


def test_a_slope_is_shared_or_not() -> None:
    with pytest.raises(FieldError, match="exclude each other"):
        REGISTRY["prelu"](shared=True, per_element=True).shape(X)
    # Keras 3.15: PReLU on a map of 32 channels and 128x128, without shared_axes
    assert REGISTRY["prelu"](per_element=True).work((32, 128, 128), (32, 128, 128)).params == 524_288


def test_locally_connected_layers_of_deepface() -> None:
    """Figure 2 and section 3: L4 to L6 make 16x55x55, 16x25x25 and 16x21x21; of about 120 million parameters more than
    95 % are theirs and those of the layers after them.
    """
    steps = (
        "conv: {out: 32, kernel: 11, padding: valid}, max_pool: {kernel: 3, stride: 2, padding: 1}, "
        "conv: {out: 16, kernel: 9, padding: valid}, locally_connected: {out: 16, kernel: 9, padding: valid}, "
        "locally_connected: {out: 16, kernel: 7, stride: 2, padding: valid}, "
        "locally_connected: {out: 16, kernel: 5, padding: valid}, flatten, linear: {out: 4096}, linear: {out: 4030}"
    )
    graph = loads(f"{{input: [3, 152, 152], layers: [{steps}]}}")
    assert [node.shape for node in graph.layers[3:6]] == [(16, 55, 55), (16, 25, 25), (16, 21, 21)]
    local = sum(node.work.params for node in graph.layers[3:])
    params = sum_work(graph.layers).params
    assert local > 0.95 * params
    assert params == pytest.approx(120_000_000, rel=0.01)


def test_a_layer_of_ones_own_is_marked_as_stated_in_every_output(tmp_path: Path) -> None:
    """The costs are expressions of the sizes that enter; tables, data and formulas say that they are stated."""
    spec = tmp_path / "fourier.yaml"
    spec.write_text(
        "input: {I: 8, H: 6, W: 6}\n"
        "layers:\n"
        "  - conv: {out: 4, kernel: 1, bias: false}\n"
        "  - custom: {to: [x.c, x.h, x.w], params: 2*x.c, macs: x.c^2*x.h*x.w, operations: x.c*x.h, sees: position}\n"
    )
    node = loads(spec.read_text("utf-8")).layers[1]
    assert (node.kind, node.work.params, node.work.macs) == ("stated", 2 * 4, 4 * 4 * 6 * 6)
    assert node.work.flops == 2 * 4 * 4 * 6 * 6 + 4 * 6
    note = "stated in the spec, not derived: the costs of custom"
    for command in ("analyze", "memory", "traffic", "receptive"):
        assert note in run_convcost(command, str(spec)).out, command
        assert note in run_convcost(command, str(spec), "--format", "json").out, command
    formula = run_convcost("formula", str(spec), "--free", "H,W").out
    assert "assuming the costs of custom as the spec states them" in formula
    assert "MACs = 48*H*W" in formula  # 4 x 8 of the convolution and 4^2 of the layer


def test_an_axis_that_is_not_there() -> None:
    for key, values, message in (
        ("softmax", {"axis": "d"}, "a tensor of shape 6x5x7 has no axis 'd'"),
        ("mean", {"axis": ["h", 1]}, "`axis` names an axis twice"),
        ("slice", {"out": 1, "axis": 3}, "`axis` 3 is outside a tensor of shape 6x5x7"),
        ("permute", {"order": ["w", "c"]}, "permute: `order` names 2 of the 3 axes of 6x5x7"),
    ):
        layer = REGISTRY[key](**values)
        with pytest.raises(FieldError) as caught:
            layer.shape(X)
        assert message in str(caught.value), key
    for key, value in (("softmax", "z"), ("softmax", 0.5), ("mean", [])):
        with pytest.raises(FieldError):
            REGISTRY[key](axis=value)


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def test_pixels_become_channels_and_back() -> None:
    shuffle, back = REGISTRY["pixel_shuffle"](factor=2), REGISTRY["pixel_unshuffle"](factor=2)
    for x, y in (((8, 3, 5), (2, 6, 10)), ((6, 4), (3, 8)), ((16, 2, 3, 4), (2, 4, 6, 8))):
        assert shuffle.shape(x) == y
        assert back.shape(y) == x
        for layer, before, after in ((shuffle, x, y), (back, y, x)):
            work = layer.work(before, after)
            assert tally(work) == {}
            assert work.read == work.written == _product(x)
    for layer, x in ((shuffle, (6, 4, 4)), (back, (6, 5, 4))):
        with pytest.raises(FieldError):
            layer.shape(x)


TORCH = list(
    csv.DictReader(
        (line for line in (DATA / "torch_layers.csv").read_text("utf-8").splitlines() if line[0] != "#"), delimiter=";"
    )
)


@pytest.mark.parametrize("row", TORCH, ids=lambda row: str(row["spec"])[:60])
def test_layers_are_those_of_torch(row: dict[str, str]) -> None:
    """The shapes, the parameters and FlopCounterMode's FLOPs (2 x MACs), forward and with the backward pass."""
    graph = loads(row["spec"])
    assert "x".join(map(str, graph.nodes[-1].shape)) == row["output"]
    step = operations(graph)
    assert step.forward.params == int(row["params"])
    assert 2 * step.forward.macs == int(row["forward"])
    if row["backward"]:
        assert 2 * step.backward.macs == int(row["backward"])


def test_attention_is_what_its_products_and_softmax_are() -> None:
    """Written out with matmul and softmax it has the same operations and traffic, and keeps the same tensors."""
    first = "do: [{linear: {out: 3*8*5, axis: c}, name: qkv}]"
    names = {"q": "key: x", "k": "key: x", "v": "key: x"}
    parts = [
        f"output: {{{name}: [{{slice: {{out: 40, start: {40 * n}}}, from: qkv, name: {name}}}]}}"
        for n, name in enumerate(names)
    ]
    heads = [
        f"output: {{{name}h: [{{reshape: {{to: [8, 5, 12]}}, from: {name}, name: {name}h}}]}}"
        for name in ("q", "k", "v")
    ]
    written = [
        "matmul: {q: qh, k: kh, transpose: first}",
        "softmax: {axis: w}",
        "matmul: {v: vh, weights: x, transpose: second}",
        "reshape: {to: [40, 12]}",
    ]
    layer = "attention: {q: q, k: k, v: v, heads: 8, scale: false}"
    start = f"input: [6, 12]\nlayers:\n  - {first}\n"
    lines = [*parts, *heads]
    body = start + "".join(f"  - {line}\n" for line in lines)
    long = loads(body + "".join(f"  - {line}\n" for line in written))
    short = loads(body + f"  - {layer}\n")
    assert long.nodes[-1].shape == short.nodes[-1].shape == (40, 12)
    assert tally(sum_work(long.layers)) == tally(sum_work(short.layers))
    assert sum_moved(traffic(long).values()) == sum_moved(traffic(short).values())
    assert kept(long) == kept(short)
    assert operations(long).backward.as_dict() == operations(short).backward.as_dict()
    scores = 8 * 12 * 12
    # queries, keys, values, which are outputs too; their common projection, whose memory they share; scores twice
    assert peak(short).elements == 3 * 40 * 12 + 40 * 12 + 2 * scores


def test_closed_forms_of_attention_and_recurrence(tmp_path: Path) -> None:
    """Vaswani et al. (2017), table 1: n^2 d for self-attention, n d^2 for recurrence; here with projections, gates."""
    attention = run_convcost("formula", "multi_head_attention", "--free", "I,W").out
    assert "MACs = 2*I*W*(2*I + W)" in attention  # four projections of I^2 W, two products of I W^2
    assert "params = 4*I^2 + 4*I " in attention
    block = tmp_path / "encoder.yaml"
    block.write_text("input: {I: 64, L: 100}\nparameters: {H: 64}\nlayers: [lstm: {hidden: H}]\n")
    recurrent = run_convcost("formula", str(block), "--free", "I,L,H").out
    assert "MACs = 4*H*L*(H + I)" in recurrent
    assert "params = 4*H*(H + I + 2)" in recurrent


def test_flash_attention_keeps_and_moves_no_scores() -> None:
    """torch 2.13.0's CPU kernel keeps queries, keys, values, the output and one number per head and query."""
    tokens = (((12, 10), 1),) * 3
    flash = REGISTRY["attention"](heads=3, flash=True)
    assert flash.saves(tokens, (12, 10)) == (True, True, 3 * 10, 0)
    assert flash.work(tokens, (12, 10)).inside == 0
    plain = REGISTRY["attention"](heads=3)
    assert plain.saves(tokens, (12, 10)) == (True, False, 3 * 10 * 10, 0)
    assert flash.work(tokens, (12, 10)).macs == plain.work(tokens, (12, 10)).macs
    # sdpa_flop_count and sdpa_backward_flop_count of torch.utils.flop_counter, for values of half the width too
    for width, forward, backward in ((192, 1_920_000, 4_800_000), (96, 1_440_000, 3_840_000)):
        tokens = (((192, 50), 1), ((192, 50), 1), ((width, 50), 1))
        layer = REGISTRY["attention"](heads=3, flash=True)
        assert 2 * layer.work(tokens, (width, 50)).macs == forward
        assert 2 * layer.backward(tokens, (width, 50)).input.macs == backward


def test_deformable_convolution_of_a_table() -> None:
    # 3x3, 64 to 64 channels on 64x64; the offsets are a 3x3 convolution to 2 x 9 channels
    layer = REGISTRY["deform_conv"](out=64, kernel=3, padding=1)
    work = layer.work((64, 64, 64), (64, 64, 64))
    assert work.macs == 150_994_944 + 42_467_328
    assert work.params == 36_928 + 10_386
    sampled = 9 * 64 * 64 * 64
    assert work.multiplications == 4 * sampled + 4 * 9 * 64 * 64
    assert work.additions == 3 * sampled + 6 * 9 * 64 * 64


def test_every_layer_is_counted_by_someone() -> None:
    covered = {*ORACLES, *(key for key, _, _ in ELEMENTWISE), *(key.partition(" ")[0] for key, *_ in MERGES)}
    assert set(REGISTRY) == covered


KINDS = [
    ({"out": 8, "kernel": 3}, "standard"),
    ({"out": 8, "kernel": 1}, "pointwise"),
    ({"out": 8, "kernel": 1, "groups": 2}, "pointwise-grouped"),
    ({"out": 8, "kernel": 3, "groups": 2}, "grouped"),
    ({"out": 4, "kernel": 3, "groups": 4}, "depthwise"),
    ({"out": 8, "kernel": 3, "groups": 4}, "depthwise"),
    ({"out": 4, "kernel": 9, "groups": 4, "padding": "valid"}, "global-depthwise"),
    ({"out": 4, "kernel": 9, "groups": 4}, "depthwise"),
    ({"out": 4, "kernel": 9, "groups": 4, "padding": [[4, 4], [0, 0]]}, "depthwise"),  # to 9x1
    ({"out": 4, "kernel": 9, "groups": 4, "padding": [[0, 0], [4, 4]]}, "depthwise"),  # to 1x9
    ({"out": 8, "kernel": [1, 7]}, "spatially-separable"),
    ({"out": 8, "kernel": [7, 1]}, "spatially-separable"),
    ({"out": 8, "kernel": 3, "dilation": 2}, "dilated"),
]


@pytest.mark.parametrize(("values", "kind"), KINDS)
def test_kind_of_a_convolution(values: dict[str, Any], kind: str) -> None:
    layer = REGISTRY["conv"](**values)
    x = (4, 9, 9)
    assert layer.kind_of(x, layer.shape(x)) == kind


def test_kind_of_a_transposed_convolution() -> None:
    assert REGISTRY["conv_transpose"](out=4, kernel=2).kind_of((4, 9, 9), (4, 10, 10)) == "transposed"
