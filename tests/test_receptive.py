"""Receptive fields, against published figures and against dependence propagated position by position."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import sympy
from conftest import DATA, ROOT
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from inprocess import convcost

from convcost.api import load, loads
from convcost.errors import SpecError, UnsupportedError
from convcost.metrics.receptive import last_map, outgrown_at, path_of, receptive_fields
from convcost.spec.bind import from_text
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue

if TYPE_CHECKING:
    from convcost.graph import Graph


def _published() -> list[list[str]]:
    lines = (DATA / "receptive_field.csv").read_text().splitlines()
    return [line.split(",") for line in lines if not line.startswith("#")][1:]


@pytest.mark.parametrize("row", _published(), ids=lambda row: str(row[0]))
def test_published_fields(row: list[str]) -> None:
    _, target, size, stride, padding = row
    name, *given_ = target.split()
    spec = Catalogue().target(str(ROOT / name) if name.endswith(".yaml") else name)
    values = {key: from_text(spec, key, text) for key, text in (one.split("=") for one in given_)}
    graph = build(spec, values)
    for field in receptive_fields(graph)[last_map(graph).index].fields:
        assert (field.size, field.stride) == (int(size), int(stride))
        if padding:
            assert field.padding == int(padding)


def test_slims_resnet_strides_elsewhere_and_sees_the_same() -> None:
    """TF-slim's ResNet-50: stride 2 at the 3x3 of the last unit of a stage, padding as conv2d_same."""
    text = """
    input: [3, 224, 224]
    blocks:
      unit:
        parameters: {w, s: 1}
        layers:
          - conv: {out: w, kernel: 1}
          - conv: {out: w, kernel: 3, stride: s, padding: 1}
          - conv: {out: 4*w, kernel: 1}
      stage:
        parameters: {w, n, s}
        layers: [{unit: {w}, repeat: n - 1}, unit: {w, s}]
    layers:
      - conv: {out: 64, kernel: 7, stride: 2, padding: 3}
      - max_pool: {kernel: 3, stride: 2, padding: same}
      - {stage: {w, n, s}, for: [w, n, s], in: [[64, 3, 2], [128, 4, 2], [256, 6, 2], [512, 3, 1]]}
    """
    graph = loads(text)
    field = receptive_fields(graph)[last_map(graph).index].fields[0]
    assert (field.size, field.stride, field.padding) == (483, 32, 239)


def test_one_5x5_sees_what_two_3x3_see() -> None:
    two, one = (receptive_fields(load(name)) for name in ("two_3x3", "one_5x5"))
    assert two[2].sizes == one[1].sizes == (5, 5)
    assert two[2].fields == one[1].fields


# --- by brute force: sets of input positions, along one axis; None stands for something beyond the end of a map ---


def _window(layer: dict[str, Any], length: int, out: int) -> list[list[int]]:
    k, s, d, p = layer["k"], layer["s"], layer.get("d", 1), layer["p"]
    if p == "same":
        p = max((out - 1) * s + d * (k - 1) + 1 - length, 0) // 2
    return [[m * s - p + d * i for i in range(k)] for m in range(out)]


def _taps(layer: dict[str, Any], length: int, out: int) -> list[list[int]]:
    """The positions that each output position reads, from the definition of the layer; some lie beyond the map."""
    kind = layer["kind"]
    if kind in ("conv", "pool"):
        return _window(layer, length, out)
    if kind == "up":  # every input position i adds to the outputs i s + t - p
        k, s, p = layer["k"], layer["s"], layer["p"]
        reads: list[list[int]] = [[] for _ in range(out)]
        for i in range(-k, length + k):
            for t in range(k):
                if 0 <= i * s + t - p < out:
                    reads[i * s + t - p].append(i)
        return reads
    if kind == "nearest":
        return [[m // layer["f"]] for m in range(out)]
    if kind == "bilinear":
        reads = []
        for m in range(out):
            place = (m + Fraction(1, 2)) / layer["f"] - Fraction(1, 2)
            low = place.numerator // place.denominator
            reads.append([low] if place == low else [low, low + 1])
        return reads
    if kind == "adaptive":
        return [list(range(m * length // out, -(-(m + 1) * length // out))) for m in range(out)]
    raise AssertionError(kind)


def _text(layer: dict[str, Any]) -> str:
    kind = layer["kind"]
    if kind == "conv":
        values = f"kernel: {layer['k']}, stride: {layer['s']}, dilation: {layer['d']}, padding: {layer['p']}"
        return f"conv: {{out: 2, {values}}}"
    if kind == "pool":
        return f"max_pool: {{kernel: {layer['k']}, stride: {layer['s']}, padding: {layer['p']}}}"
    if kind == "up":
        return f"conv_transpose: {{out: 2, kernel: {layer['k']}, stride: {layer['s']}, padding: {layer['p']}}}"
    if kind == "adaptive":
        return f"adaptive_avg_pool: {{size: {layer['to']}}}"
    return f"upsample: {{factor: {layer['f']}, mode: {kind}}}"


def _check(graph: Graph, taps: dict[int, list[list[int]]], length: int) -> int:
    """Compare every position that depends on nothing beyond a map; the others see no more than they are told to."""
    seen = receptive_fields(graph)
    sets: dict[int, list[set[int | None]]] = {0: [{i} for i in range(length)]}
    compared = 0
    for node in graph.layers:
        inputs = [index for index, _ in node.inputs]
        if node.index in taps:
            before = dict(enumerate(sets[inputs[0]]))
            sets[node.index] = [set().union(*(before.get(i, {None}) for i in reads)) for reads in taps[node.index]]
        else:  # a merge: position by position
            operands = zip(*(sets[index] for index in inputs), strict=True)
            sets[node.index] = [set().union(*parts) for parts in operands]
        field = seen[node.index].fields[0]
        for position, found in enumerate(sets[node.index]):
            told = field.at(position)
            inside = {i for i in found if i is not None}
            if inside:
                assert told is not None
                assert told[0] <= min(inside)
                assert max(inside) <= told[1]
            if None not in found:
                assert told == ((min(inside), max(inside)) if inside else None), (node.path, position)
                compared += 1
    return compared


_LAYERS = st.one_of(
    st.fixed_dictionaries(
        {
            "kind": st.just("conv"),
            "k": st.integers(1, 4),
            "s": st.integers(1, 3),
            "d": st.integers(1, 2),
            "p": st.one_of(st.just("same"), st.integers(0, 2)),
        }
    ),
    st.fixed_dictionaries(
        {"kind": st.just("pool"), "k": st.integers(2, 3), "s": st.integers(1, 3), "p": st.integers(0, 1)}
    ),
    st.fixed_dictionaries(
        {"kind": st.just("up"), "k": st.integers(1, 4), "s": st.integers(1, 3), "p": st.integers(0, 0)}
    ),
    st.fixed_dictionaries({"kind": st.sampled_from(["nearest", "bilinear"]), "f": st.integers(1, 3)}),
)


def _built(text: str) -> Graph | None:
    """The graph, unless so little is left of a map that a kernel does not fit."""
    try:
        return loads(text)
    except SpecError:
        return None


@settings(max_examples=100, deadline=None)
@given(st.lists(_LAYERS, min_size=1, max_size=5))
def test_chains_by_brute_force(layers: list[dict[str, Any]]) -> None:
    length = 48
    graph = _built(f"{{input: [1, {length}], layers: [{', '.join(map(_text, layers))}]}}")
    assume(graph is not None)
    assert graph is not None
    taps = {
        node.index: _taps(layer, node.input[1], node.shape[1]) for node, layer in zip(graph.layers, layers, strict=True)
    }
    _check(graph, taps, length)


def test_branches_by_brute_force() -> None:
    a = {"kind": "conv", "k": 3, "s": 2, "d": 1, "p": 1}
    b = {"kind": "conv", "k": 5, "s": 1, "d": 2, "p": 4}
    c = {"kind": "conv", "k": 4, "s": 2, "d": 1, "p": 1}
    d = {"kind": "up", "k": 3, "s": 2, "p": 0}
    text = f"""
    input: [2, 41]
    layers:
      - add:
          main: [{_text(b)}, {_text(a)}]
          shortcut: [{_text(a)}]
      - concat: {{deep: [{_text(c)}, {_text(d)}], flat: x}}
    """
    graph = loads(text)
    kinds = [b, a, a, None, c, d, None]
    taps = {
        node.index: _taps(kind, node.input[1], node.shape[1])
        for node, kind in zip(graph.layers, kinds, strict=True)
        if kind is not None
    }
    assert _check(graph, taps, 41) > 60


def test_adaptive_pool_by_brute_force() -> None:
    steps = "conv: {out: 1, kernel: 3}, adaptive_avg_pool: {size: 7}, conv: {out: 1, kernel: 2, padding: 0}"
    graph = loads(f"{{input: [1, 30], layers: [{steps}]}}")
    layers = [
        {"kind": "conv", "k": 3, "s": 1, "d": 1, "p": 1},
        {"kind": "adaptive", "to": 7},
        {"kind": "conv", "k": 2, "s": 1, "d": 1, "p": 0},
    ]
    taps = {n.index: _taps(one, n.input[1], n.shape[1]) for n, one in zip(graph.layers, layers, strict=True)}
    assert _check(graph, taps, 30) > 30


# --- what is told about a network ---


def test_the_widest_branch_is_named() -> None:
    graph = load("inception_module")
    seen = receptive_fields(graph)
    last = graph.layers[-1]
    assert seen[last.index].sizes == (5, 5)
    assert [node.path for node in path_of(graph, seen, last.index)] == [
        "5x5/unit/conv",
        "5x5/unit/relu",
        "5x5/unit#2/conv",
        "5x5/unit#2/relu",
        "concat",
    ]


def test_a_side_of_its_own() -> None:
    graph = loads(
        "{input: [3, 32, 64], layers: [conv: {out: 4, kernel: [1, 7], stride: [1, 2]}, max_pool: {kernel: 2}]}"
    )
    seen = receptive_fields(graph)[2]
    assert seen.sizes == (2, 9)
    assert [field.stride for field in seen.fields] == [2, 4]


def test_where_the_input_is_outgrown() -> None:
    # 3x3 convolutions see 3, 5, 7, 9: the fourth sees more than 8 positions
    graph = loads("{input: [1, 8, 8], layers: [{conv: {out: 1, kernel: 3}, repeat: 5}]}")
    found = outgrown_at(receptive_fields(graph))
    assert found is not None
    assert found.path == "conv[4]"
    assert outgrown_at(receptive_fields(load("two_3x3"))) is None


def test_squeeze_and_excitation_sees_everything_and_says_so() -> None:
    seen = receptive_fields(load("squeeze_excite"))
    last = seen[max(seen)]
    assert last.everywhere
    assert last.sizes == (1, 1)
    assert "every position also sees the whole input" in convcost("receptive", "efficientnet_b0").out


def test_refusals() -> None:
    with pytest.raises(UnsupportedError, match="evaluated on numbers"):
        receptive_fields(load("two_3x3", H=sympy.Symbol("H", positive=True, integer=True)))
    with pytest.raises(UnsupportedError, match="a flat input has no positions"):
        receptive_fields(loads("{input: [10], layers: [linear: {out: 3}]}"))
    crossed = "{input: [1, 9, 9], layers: [concat: {a: [conv: {out: 1, stride: 3}], b: [crop: {size: 3}]}]}"
    with pytest.raises(UnsupportedError, match="branches have different strides"):
        receptive_fields(loads(crossed))


def test_command() -> None:
    data = json.loads(convcost("receptive", "mobilenet_v1", "--format", "json").out)
    assert data["last_map"]["size"] == [315, 315]
    assert data["last_map"]["stride"] == [32, 32]
    assert data["outgrown_at"] == "separable[12]/depthwise_bn_relu/conv"
    assert len(data["last_map"]["path_of_layers"]) == 81
    lines = convcost("receptive", "two_3x3", "--format", "csv").out.splitlines()
    assert lines == [
        "path,kind,output,kernel,step,field,jump,start,through",
        "conv,standard,64x28x28,3x3,1x1,3x3,1x1,0x0,",
        "conv#2,standard,64x28x28,3x3,1x1,5x5,1x1,0x0,",
    ]
