"""Rules of ONNX operators: the node tests of the onnx package, numpy for constants, and counts by hand."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from fractions import Fraction
from functools import cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_writer import BOOL, INT64, Graph, info, ints, model, node, tensor

from convcost.errors import ConvcostError, ShapeError
from convcost.importers.data import Data, combined, gathered, joined, reduced, transposed
from convcost.importers.evaluate import Run, Scope
from convcost.importers.onnx import OnnxSource
from convcost.importers.onnx_file import model_from
from convcost.importers.protobuf import Buffer
from convcost.network.cost import sum_work
from convcost.network.graph import Builder, Tensor

if TYPE_CHECKING:
    from convcost.network.graph import Graph as Network

CASES = ROOT / "tests" / "data" / "onnx" / "node_tests.jsonl.gz"
# operators that the importer does not follow; only those of the last line have multiply-accumulates
NOT_FOLLOWED = {
    "AffineGrid", "BlackmanWindow", "Col2Im", "DFT", "Det", "HammingWindow", "HannWindow", "ImageDecoder",
    "MelWeightMatrix", "NonMaxSuppression", "Compress", "OptionalHasElement", "RegexFullMatch", "STFT",
    "SequenceLength", "SplitToSequence", "StringConcat", "StringNormalizer", "StringSplit", "TfIdfVectorizer",
    "Unique", "Loop", "Slice", "Resize", "Upsample", "SequenceConstruct",
    "SequenceEmpty", "Optional", "Scan", "SequenceMap",
    "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss",
    "LinearAttention", "CausalConvWithState", "FlexAttention", "SwiGLU",
}  # fmt: skip


@cache
def cases() -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.open(CASES, "rt", encoding="utf-8")]


def exact(value: Any) -> Any:
    return value if isinstance(value, bool) else Fraction(value) if "/" in value or "." in value else int(value)


def test_node_tests_of_the_onnx_package() -> None:
    """The shape of every output, and its values where these follow from constants."""
    checked: Counter[str] = Counter()
    for case in cases():
        source = model_from(Buffer(base64.b64decode(case["model"])), case["name"])
        builder, scope = Builder((1,), "first"), Scope()
        for name, dims, floating, values in case["inputs"]:
            shape = tuple(dims)
            made = Tensor(builder.enter(shape, name).node, shape) if values is None else None
            numbers = None if values is None else [exact(value) for value in values]
            scope.own[name] = Data(shape, numbers, tensor=made, floating=floating)
        run = Run(source, {}, 1, builder)
        assert source.graph is not None
        run.body(source.graph, scope)
        for name, dims, *values in case["outputs"]:
            data = scope.find(name)
            assert data is not None, case["name"]
            if data.shape is None:
                operators = {one.operator.split(":")[-1] for one in run.unknown}
                assert operators & NOT_FOLLOWED or "preview" in run.unknown[0].operator, (case["name"], run.unknown)
                checked["unknown"] += 1
                continue
            assert data.shape == tuple(dims), case["name"]
            checked["shapes"] += 1
            if values and data.values is not None:
                assert [float(value) for value in data.values] == pytest.approx(values[0], rel=1e-3), case["name"]
                checked["values"] += 1
    assert checked["shapes"] > 1450
    assert checked["values"] > 120
    assert checked["unknown"] < 0.1 * checked["shapes"]


# constants against numpy

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple)


def filled(shape: tuple[int, ...]) -> tuple[Data, np.ndarray[Any, Any]]:
    values = list(range(prod(shape)))
    return Data(shape, [*values]), np.array(values).reshape(shape)


def same(shape: Any, values: Any, expected: np.ndarray[Any, Any]) -> bool:
    return tuple(shape) == expected.shape and values == expected.reshape(-1).tolist()


@settings(max_examples=200, deadline=None)
@given(shapes, st.data())
def test_constants_move_as_in_numpy(shape: tuple[int, ...], data: st.DataObject) -> None:
    mine, array = filled(shape)
    order = data.draw(st.permutations(range(len(shape))))
    moved = transposed(mine, order)
    assert same(moved.shape, moved.values, array.transpose(order))
    axis = data.draw(st.integers(0, len(shape) - 1))
    places = data.draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), max_size=3))
    assert same(*gathered(mine, Data((len(places),), [*places]), axis), np.take(array, np.array(places, int), axis))
    assert same(*joined([mine, mine], axis), np.concatenate([array, array], axis))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    for keep in (True, False):
        assert same(*reduced(mine, sorted(axes), sum, keep=keep), array.sum(tuple(axes), keepdims=keep))


@settings(max_examples=200, deadline=None)
@given(shapes, st.data())
def test_constants_are_sliced_as_in_numpy(shape: tuple[int, ...], data: st.DataObject) -> None:
    """Starts, ends and steps of any sign, also far outside."""
    axis = data.draw(st.integers(0, len(shape) - 1))
    ends = st.one_of(st.integers(-6, 6), st.sampled_from([2**63 - 1, -(2**63) + 1]))
    start, end, step = data.draw(ends), data.draw(ends), data.draw(st.sampled_from([1, 2, 3, -1, -2]))
    if step < 0:
        start = max(start, -shape[axis])  # ONNX begins at the first place there, numpy before it
    _, array = filled(shape)
    values = tensor("x", list(shape), array.reshape(-1).tolist(), INT64)
    lists = [ints("s", start), ints("e", end), ints("a", axis), ints("t", step)]
    found = constant(node("Slice", "x s e a t", "y"), values, *lists)
    place = tuple(slice(start, end, step) if one == axis else slice(None) for one in range(len(shape)))
    assert same(found.shape, found.values, array[place])


@settings(max_examples=100, deadline=None)
@given(shapes, st.data())
def test_constants_are_broadcast_as_in_numpy(shape: tuple[int, ...], data: st.DataObject) -> None:
    other = tuple(data.draw(st.sampled_from([1, size])) for size in shape)[data.draw(st.integers(0, len(shape))) :]
    (a, first), (b, second) = filled(shape), filled(other)
    assert same(*combined(lambda x, y: 10 * x + y, [a, b]), 10 * first + second)


def constant(one: bytes, *stored: bytes) -> Data:
    """The value that a node makes of constants."""
    source = model_from(Buffer(model([one], [info("unused", 1, 1)], [info("y", 1)], list(stored))), "made.onnx")
    assert source.graph is not None
    scope = Scope()
    scope.own["unused"] = Data((1, 1), None)
    Run(source, {}, 1, Builder((1,), "unused")).body(source.graph, scope)
    found = scope.find("y")
    assert found is not None
    return found


# counts by hand


def built(nodes: list[bytes], inputs: list[bytes], stored: list[bytes] | None = None, **values: Any) -> Network:
    data = model(nodes, inputs, [info("y", 1)], stored or [])
    return OnnxSource(model_from(Buffer(data), "made.onnx"), "made").make(values, None)


def test_recurrent_layers() -> None:
    """Every gate is a product of the step's input and of the state before it; onnxruntime counts the same MACs."""
    steps, width, hidden = 7, 5, 3
    for operator, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        for directions in (1, 2):
            stored = [
                tensor("w", [directions, gates * hidden, width]),
                tensor("r", [directions, gates * hidden, hidden]),
                tensor("b", [directions, 2 * gates * hidden]),
            ]
            network = built([node(operator, "x w r b", "y", hidden_size=hidden)], [info("x", steps, 1, width)], stored)
            work = sum_work(network.layers)
            loop = sum(width + hidden for _ in range(steps) for _ in range(directions) for _ in range(gates * hidden))
            assert work.macs == loop
            assert work.weights == directions * gates * hidden * (width + hidden)
            assert work.biases == directions * 2 * gates * hidden
            assert network.layers[0].shape == (steps, directions, 1, hidden)


def test_attention_is_two_products() -> None:
    tokens, heads, width = 9, 4, 8
    inputs = [info(name, 1, tokens, heads * width) for name in ("q", "k", "v")]
    network = built([node("Attention", "q k v", "y", q_num_heads=heads, kv_num_heads=heads)], inputs)
    macs = 0
    for _ in range(heads):
        for _ in range(tokens):
            for _ in range(tokens):
                macs += width + width  # a score, and its share in the output
    assert sum_work(network.layers).macs == macs


@pytest.mark.parametrize(
    ("equation", "first", "second", "macs"),
    [
        ("ij,jk->ik", (3, 4), (4, 5), 3 * 4 * 5),
        ("bhid,bhjd->bhij", (1, 2, 3, 4), (1, 2, 5, 4), 2 * 3 * 5 * 4),
        ("...ij,...jk", (2, 3, 4), (2, 4, 5), 2 * 3 * 4 * 5),
        ("i,j->ij", (3,), (4,), 0),
    ],
)
def test_einsum(equation: str, first: tuple[int, ...], second: tuple[int, ...], macs: int) -> None:
    network = built([node("Einsum", "a b", "y", equation=equation)], [info("a", *first), info("b", *second)])
    assert sum_work(network.layers).macs == macs
    made = np.einsum(equation, np.zeros(first), np.zeros(second))
    assert prod(network.layers[0].shape) == made.size


def test_quantised_operators_have_the_macs_of_their_floats() -> None:
    x, weights = info("x", 1, 3, 8, 8), tensor("w", [4, 3, 3, 3])
    small = [tensor(name, []) for name in ("s", "z")]
    plain = sum_work(built([node("Conv", "x w", "y")], [x], [weights]).layers)
    for one in (
        node("QLinearConv", "x s z w s z s z", "y"),
        node("ConvInteger", "x w z z", "y"),
    ):
        work = sum_work(built([one], [x], [weights, *small]).layers)
        assert (work.macs, work.weights) == (plain.macs, plain.weights) == (6 * 6 * 4 * 27, 108)
    a, b = info("a", 1, 6, 8), tensor("b", [8, 5])
    for one in (
        node("MatMul", "a b", "y"),
        node("MatMulInteger", "a b z z", "y"),
        node("QLinearMatMul", "a s z b s z s z", "y"),
        node("DynamicQuantizeMatMul", "a b s z", "y", domain="com.microsoft"),
    ):
        work = sum_work(built([one], [a], [b, *small]).layers)
        assert (work.macs, work.weights) == (6 * 8 * 5, 40)


def test_a_scan_counts_its_slices() -> None:
    body = Graph(
        [node("MatMul", "s w", "so"), node("Identity", "e", "eo")],
        [info("s", 1, 4), info("e", 1, 2)],
        [info("so", 1, 4), info("eo", 1, 2)],
    )
    one = node("Scan", "x0 xs", "y z", body=body, num_scan_inputs=1)
    network = built([one], [info("x0", 1, 4), info("xs", 6, 1, 2)], [tensor("w", [4, 4])])
    work = sum_work(network.layers)
    assert (work.macs, work.weights) == (6 * 16, 16)


def test_a_bias_that_is_added_belongs_to_the_product() -> None:
    nodes = [node("MatMul", "x w", "m"), node("Add", "m b", "y")]
    network = built(nodes, [info("x", 1, 7, 8)], [tensor("w", [8, 5]), tensor("b", [5])])
    (layer,) = network.layers
    assert (layer.kind, layer.work.biases, layer.work.bias_adds) == ("linear", 5, 35)
    table = [tensor("w", [8, 5]), tensor("b", [7, 5])]  # one for every position is no bias
    first, second = built(nodes, [info("x", 1, 7, 8)], table).layers
    assert (first.work.biases, second.work.other_params) == (0, 35)


def test_a_table_that_is_looked_up_is_a_parameter() -> None:
    nodes = [node("Gather", "t x", "y")]
    network = built(nodes, [info("x", 1, 16, dtype=INT64)], [tensor("t", [1000, 64])])
    (layer,) = network.layers
    assert (layer.kind, layer.shape, layer.work.other_params) == ("embedding", (16, 64), 64000)


def test_a_static_batch_that_is_mixed_is_counted_whole() -> None:
    nodes = [node("Reshape", "x s", "r"), node("MatMul", "r w", "y")]
    network = built(nodes, [info("x", 8, 3, 4, 2)], [ints("s", 4, 48), tensor("w", [48, 5])])
    assert sum_work(network.layers).macs == 4 * 48 * 5
    assert "all numbers are for the 8 samples" in network.notes[0]


def test_equal_windows_are_copies() -> None:
    """A convolution of 4 windows per sample, as one of 4 samples."""
    nodes = [node("Reshape", "x s", "r"), node("Conv", "r w", "y")]
    network = built(nodes, [info("x", 1, 12, 6, 6)], [ints("s", 4, 3, 6, 6), tensor("w", [5, 3, 3, 3])])
    work = sum_work(network.layers)
    assert (work.macs, work.weights) == (4 * 4 * 4 * 5 * 27, 135)


def test_a_branch_that_does_not_take_the_sizes_is_not_chosen() -> None:
    """As in a model with one branch for each of two sampling rates."""
    wide = Graph([node("Conv", "x w", "t")], [], [info("t", 1)], [tensor("w", [2, 1, 9, 9])])
    narrow = Graph([node("Conv", "x w", "e")], [], [info("e", 1)], [tensor("w", [2, 1, 3, 3])])
    branches = node("If", "c", "y", then_branch=wide, else_branch=narrow)
    inputs = [info("x", 1, 1, 8, 8), info("c", dtype=BOOL)]
    network = built([branches], inputs)
    assert sum_work(network.layers).macs == 6 * 6 * 2 * 9
    assert "the other one does not take these sizes" in network.notes[-1]
    with pytest.raises(ConvcostError, match="kernel 9 is larger"):
        built([branches], inputs, c=True)


def test_a_grid_made_of_single_numbers_is_no_parameter() -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("ConstantOfShape", "s", "ones", value=tensor("v", [1], [1.0])),
        node("Mul", "ones step", "grid"),
        node("Add", "x grid", "y"),
    ]
    network = built(nodes, [info("x", 1, 16, 4)], [tensor("step", [1], [8.0])])
    assert sum_work(network.layers).params == 0
    learned = built([node("Add", "x grid", "y")], [info("x", 1, 16, 4)], [tensor("grid", [1, 16, 4])])
    assert sum_work(learned.layers).params == 64


def test_numbers_and_sizes_cannot_explode() -> None:
    squares = [node("Mul", f"n{i} n{i}", f"n{i + 1}") for i in range(64)]
    network = built([*squares, node("Add", "x n64", "y")], [info("x", 1, 1)], [ints("n0", 3)])
    assert network.layers[0].shape == (1,)  # 3 to the power of 2^64 was not computed
    tiles = [
        part for i in range(9) for part in (node("Shape", f"t{i}", f"s{i}"), node("Tile", f"t{i} s{i}", f"t{i + 1}"))
    ]
    with pytest.raises(ConvcostError, match="at most 63 bits"):
        built([*tiles, node("Relu", "t9", "y")], [info("t0", 1, 9)])
    zeros = [node("Concat", "z z", "y", axis=1)]  # of 10^9 rows without elements
    assert constant(zeros[0], tensor("z", [10**9, 0], [], INT64)).shape == (10**9, 0)


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (node("Transpose", "x", "y", perm=[0, 0, 1]), "expected an order of 3 axes"),
        (node("Concat", "x x", "y", axis=5), "expected an axis of a tensor with 3"),
        (node("MaxPool", "x", "y", kernel_shape=[2, 2]), "expected a size for each axis"),
        (node("Reshape", "x s", "y"), "expected a shape for 64 elements"),
        (node("Add", "x s", "y"), "expected shapes that fit each other"),
        (node("Relu", "nothing", "y"), "found 'nothing'"),
        (node("Gemm", "x x", "y"), "expected two matrices"),
        (node("Conv", "x", "y"), "expected at least 2 inputs, found 1"),
    ],
)
def test_a_wrong_node_is_refused(one: bytes, message: str) -> None:
    with pytest.raises(Exception, match=message) as caught:
        built([one], [info("x", 1, 8, 8)], [ints("s", 7, 5)])
    assert str(caught.value).startswith("made.onnx: node 0 (")
    assert not isinstance(caught.value, ShapeError)
