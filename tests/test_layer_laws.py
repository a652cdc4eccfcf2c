"""Laws over the registry: what every layer states of itself fits together, and fits what PyTorch does."""

from __future__ import annotations

import ast
import csv
from typing import Any

import pytest
from conftest import DATA, ROOT
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import layers

from convcost.api import load, loads
from convcost.errors import ShapeError, UnsupportedError
from convcost.layers import REGISTRY, Layer, Work
from convcost.layers.base import FAMILIES, STATEMENTS, Backward, Saved
from convcost.layers.reach import ITSELF, ReceptiveField
from convcost.metrics.receptive import receptive_fields
from convcost.metrics.traffic import sum_moved, traffic
from convcost.metrics.training import kept, operations
from convcost.network.fusion import fusions

KEYS = sorted(REGISTRY)
# What each layer is made with on a map of 4x6x6 in tests/data/layer_facts.csv
VALUES: dict[str, dict[str, Any]] = {
    "conv": {"out": 8, "kernel": 3},
    "conv_transpose": {"out": 8, "kernel": 3, "padding": 1},
    "max_pool": {"kernel": 2},
    "avg_pool": {"kernel": 2},
    "adaptive_avg_pool": {"size": 3},
    "group_norm": {"groups": 2},
    "reshape": {"to": [2, 12, 6]},
    "slice": {"out": 2, "start": 1},
    "crop": {"size": 4},
    "channel_shuffle": {"groups": 2},
    "pixel_shuffle": {"factor": 2},
    "pixel_unshuffle": {"factor": 2},
    "upsample": {"factor": 2},
    "zero_pad": {"sides": 1},
    "linear": {"out": 5, "axis": "c"},
    "permute": {"order": ["c", "w", "h"]},
    "mean": {"axis": "c"},
    "max": {"axis": "c"},
}
X = (4, 6, 6)
# Outside torch.nn: the activation takes after another layer, the others are compositions without a fused kernel.
# What is kept inside these is in tests of their own.
WITHOUT_FACTS = {
    *("activation", "lrn", "rbf", "deform_conv", "dynamic_conv", "locally_connected", "grn", "l2_norm", "parameter"),
    *("custom", "elementwise", "max_unpool", "attention", "rnn", "lstm", "gru"),
}


def rows(name: str, delimiter: str = ",") -> list[dict[str, str]]:
    lines = [line for line in (DATA / name).read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter=delimiter))


FACTS = {row["layer"]: row for row in rows("layer_facts.csv")}


def test_facts_are_of_every_layer() -> None:
    assert set(FACTS) == set(REGISTRY) - WITHOUT_FACTS


@pytest.mark.parametrize("key", sorted(FACTS))
def test_views_and_what_is_saved_are_pytorchs(key: str) -> None:
    layer, fact = REGISTRY[key](**VALUES.get(key, {})), FACTS[key]
    x: Any = ((X, 1), (X, 1)) if layer.merges else X
    saved = layer.saves(x, layer.shape(x))
    assert layer.is_view == (fact["view"] == "yes")
    assert (saved.input, saved.output) == (fact["saves_input"] == "yes", fact["saves_output"] == "yes")
    assert (saved.inside, saved.indices) == (0, int(fact["indices"]))


@pytest.mark.parametrize("row", rows("training_flops.csv", ";"), ids=lambda row: str(row["forward"]))
def test_the_backward_pass_is_pytorchs(row: dict[str, str]) -> None:
    step = operations(loads(row["spec"]))
    assert 2 * step.forward.macs == int(row["forward"])
    assert 2 * step.backward.macs == int(row["backward"])


@pytest.mark.parametrize("key", KEYS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_statements_fit_each_other(key: str, data: st.DataObject) -> None:
    values, x = data.draw(layers(key))
    layer = REGISTRY[key](**values)
    try:
        y = layer.shape(x)
    except ShapeError:
        assume(False)
    work, saved, backward = layer.work(x, y), layer.saves(x, y), layer.backward(x, y)
    first = x[0][0] if layer.merges else x
    kind = layer.kind_of(first, y)
    assert kind in layer.kinds if layer.kinds else kind == key
    assert layer.is_view == (work.written == 0)
    assert layer.family in FAMILIES
    assert layer.merges or layer.family not in ("merge", "product")
    assert isinstance(saved, Saved)
    assert isinstance(backward, Backward)
    nothing = Work().as_dict()
    if layer.is_view:  # a view has no work, keeps nothing and has no gradient to compute
        assert work.as_dict() == backward.input.as_dict() == backward.params.as_dict() == nothing
        assert saved == Saved()
        assert layer.fusing == "alone"
    # gradients have as many multiply-accumulates as the forward pass for the input, and for the weights
    again = work.macs if values.get("flash") else 0  # scores that are computed once more
    assert 0 <= backward.input.macs + backward.params.macs - 2 * work.macs <= again
    if work.params == 0:
        assert backward.params.as_dict() == nothing
    else:
        assert backward.params.as_dict() != nothing
    for part in (backward.input, backward.params):  # the backward pass has no parameters of its own
        assert part.params == part.buffers == 0
    # a head is what has weights; what runs on its output keeps the shape and reads one position
    assert (layer.fusing == "head") == (work.weights > 0 and layer.is_weighted)
    if layer.fusing in ("folds", "follows"):
        assert y == first
        assert not layer.reads_whole_map
        for axis in range(len(y) - 1):
            assert layer.reads(ITSELF, axis, x, y) == ITSELF
    if layer.fusing == "folds":
        assert work.multiplications == work.written


@pytest.mark.parametrize("key", [key for key in KEYS if key != "parameter"])  # which sees nothing
@settings(max_examples=20, deadline=None, derandomize=True)
@given(data=st.data())
def test_receptive_fields_fit_the_shapes(key: str, data: st.DataObject) -> None:
    """Along each axis the field's stride is that of the shapes, and the positions that are read cover the input."""
    values, x = data.draw(layers(key))
    layer = REGISTRY[key](**values)
    try:
        y = layer.shape(x)
    except ShapeError:
        assume(False)
    first = x[0][0] if layer.merges else x
    assume(len(first) > 1 and len(y) in (1, len(first)))
    for axis in range(len(first) - 1):
        try:
            field = layer.reads([ITSELF] * len(x) if layer.merges else ITSELF, axis, x, y)
        except UnsupportedError:  # a reshape that mixes positions
            assert layer.is_view
            continue
        assert isinstance(field, ReceptiveField)
        if len(y) == 1:
            assert field.at(0) == (0, first[1 + axis] - 1)
            continue
        size, out = first[1 + axis], y[1 + axis]
        read = [place for place in map(field.at, range(out)) if place is not None]
        assert any(start < size and end >= 0 for start, end in read)  # something of the input is seen
        if out == size and field.stride == 1 and not layer.merges:
            assert abs(read[0][0]) <= field.size
        if field.stride != 1:  # what strides or enlarges has about as many positions as the stride says
            assert abs(out * field.stride - size) <= field.size + field.stride + 12


# --- a new layer that derives from another one or from nothing, as strangers write them ---


def test_a_layer_that_states_nothing_is_refused_with_all_that_is_missing() -> None:
    with pytest.raises(TypeError) as caught:
        type("Bare", (Layer,), {"key": "bare"})
    assert all(f"\n  {name}: " in str(caught.value) for name in STATEMENTS)
    assert "bare" not in REGISTRY


def test_a_layer_without_kinds_of_its_own_is_refused() -> None:
    with pytest.raises(TypeError, match="would report itself under the kinds of conv"):
        type("Hidden", (REGISTRY["conv"],), {"key": "hidden"})
    with pytest.raises(TypeError, match="`family` is one of conv, linear"):
        type("Lost", (REGISTRY["flatten"],), {"key": "lost", "family": "zebra"})
    with pytest.raises(TypeError, match="layer half does not state each_backward"):
        type("Half", (REGISTRY["relu"].__bases__[0],), {"key": "half", "each": {}, "derivative": "input"})
    assert not {"hidden", "lost", "half"} & set(REGISTRY)


@pytest.mark.parametrize(
    ("statement", "value", "message"),
    [
        ("fusing", "follow", "layer typo: `fusing` is one of head, folds, follows, alone; found 'follow'"),
        ("is_view", "no", "layer typo: `is_view` is one of True, False; found 'no'"),
        ("reads_whole_map", None, "layer typo: `reads_whole_map` is one of True, False; found None"),
        ("kinds", "typo", "layer typo: `kinds` is a tuple of names; found 'typo'"),
        ("derivative", "outputs", "layer typo: `derivative` is one of input, output; found 'outputs'"),
        ("each", {"comparision": 1}, "no count is called 'comparision'; did you mean 'comparisons'?"),
        (
            "each_backward",
            {"multiplication": 1},
            "no count is called 'multiplication'; did you mean 'multiplications'?",
        ),
    ],
)
def test_a_misspelt_statement_is_refused(statement: str, value: object, message: str) -> None:
    """A word that no metric knows would cost nothing, without a word about it."""
    with pytest.raises(TypeError) as caught:
        type("Typo", (REGISTRY["relu"],), {"key": "typo", "kinds": (), statement: value})
    assert str(caught.value) == message
    assert "typo" not in REGISTRY


CONV = "conv: {out: 8, kernel: 3, padding: 1}"


def test_a_deformable_convolution_is_one_in_every_metric() -> None:
    tail = "deform_conv: {out: 8, kernel: 3, padding: 1}, batch_norm, relu"
    deformed = loads(f"{{input: [3, 16, 16], layers: [{CONV}, {tail}]}}")
    plain = loads(f"{{input: [3, 16, 16], layers: [{CONV}, {tail.replace('deform_conv', 'conv')}]}}")
    fields = [receptive_fields(graph)[2].sizes for graph in (deformed, plain)]
    assert fields == [(5, 5), (5, 5)]
    assert receptive_fields(deformed)[2].everywhere  # an offset may lead anywhere
    assert fusions(deformed) == fusions(plain) == {3: 2, 4: 2}
    # kept: the image, the inputs of the second convolution, of the norm, the output of the ReLU; and 18 offsets a place
    assert kept(plain).elements == (3 + 8 + 8 + 8) * 256
    assert kept(deformed).elements == kept(plain).elements + 18 * 256
    assert sum_moved(traffic(deformed).values()).written == sum_moved(traffic(plain).values()).written
    assert load("plain").layers  # the bundled specs are as they were


def test_pixel_shuffle_moves_and_keeps_nothing() -> None:
    graph = loads(f"{{input: [3, 16, 16], layers: [{CONV}, pixel_shuffle: {{factor: 2}}, {CONV}]}}")
    assert kept(graph).elements == 3 * 256 + 2 * 32 * 32  # what the two convolutions read
    # three neighbours of a map of twice the size lie in two positions of the map before, which see 3 each: 4 together
    assert receptive_fields(graph)[3].sizes == (4, 4)
    assert traffic(graph)[2][:3] == (8 * 256, 0, 8 * 256)
    back = loads("{input: [1, 12, 12], layers: [pixel_unshuffle: {factor: 3}, conv: {out: 1, kernel: 3, padding: 1}]}")
    assert receptive_fields(back)[2].sizes == (9, 9)


# --- no list of layers outside layers/ ---

# Words that are also names of layers, kinds or families, but do not mean them:
OTHER_MEANINGS = {
    "shape": "the sizes of a tensor, as a column and an attribute",
    "max": "the largest of some numbers, in expressions, as the largest layer of a row, and of a parameter",
    "parameter": "a value that a spec takes",
    "mean": "a form in which a global average pool is written (conventions/model.py, FORMS)",
    "maximum": "the larger of two numbers (numbers/arithmetic.py); a parameter's largest value",
    "minimum": "the smaller of two numbers (numbers/arithmetic.py); a parameter's smallest value",
    "divide": "a quotient of numbers (numbers/arithmetic.py)",
    "linear": "a form in which a 1x1 convolution is written (conventions/model.py, FORMS)",
}


def test_no_layer_kind_or_family_is_named_outside_layers() -> None:
    """Importers and exporters are the exception: they translate between layers and what others write."""
    kinds = {kind for layer in REGISTRY.values() for kind in layer.kinds}
    words = {*REGISTRY, *FAMILIES, *kinds}
    named = [
        (str(path.relative_to(ROOT)), node.lineno, node.value)
        for path in sorted((ROOT / "convcost").rglob("*.py"))
        if not {"layers", "importers", "exporters"} & set(path.relative_to(ROOT).parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in words and node.value not in OTHER_MEANINGS
    ]
    assert named == []
