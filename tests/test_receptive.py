"""Receptive fields, against published figures and against dependence propagated position by position."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
import sympy
from conftest import DATA, ROOT, run_convcost
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from inprocess import convcost

from convcost.api import load, loads
from convcost.catalogue.loader import Catalogue
from convcost.errors import SpecError, UnsupportedError
from convcost.language.given import from_text
from convcost.language.interpret import build
from convcost.layers.reach import ITSELF, ReceptiveField, merged
from convcost.metrics.receptive import last_map, outgrown_at, path_of, receptive_fields

if TYPE_CHECKING:
    from convcost.network.graph import Graph


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


def _written_by(layer: dict[str, Any], length: int, out: int) -> list[list[int]]:
    """A transposed convolution: every input position i adds to the outputs i s + d t - p."""
    k, s, p, d = layer["k"], layer["s"], layer["p"], layer.get("d", 1)
    if p == "same":  # undoes a convolution with that padding, from a map of length * s to one of length
        p = max((length - 1) * s + d * (k - 1) + 1 - length * s, 0) // 2
    reads: list[list[int]] = [[] for _ in range(out)]
    for i in range(-k * d, length + k * d):
        for t in range(k):
            if 0 <= i * s + d * t - p < out:
                reads[i * s + d * t - p].append(i)
    return reads


def _taps(layer: dict[str, Any], length: int, out: int) -> list[list[int]]:
    """The positions that each output position reads, from the definition of the layer; some lie beyond the map."""
    kind = layer["kind"]
    if kind in ("conv", "pool"):
        return _window(layer, length, out)
    if kind == "up":
        return _written_by(layer, length, out)
    if kind in ("crop", "pad", "nearest"):
        places = {
            "crop": lambda m: m + (length - out) // 2,
            "pad": lambda m: m - layer["before"],
            "nearest": lambda m: m // layer["f"],
        }
        return [[places[kind](m)] for m in range(out)]
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
        values = f"kernel: {layer['k']}, stride: {layer['s']}, dilation: {layer.get('d', 1)}, padding: {layer['p']}"
        return f"conv_transpose: {{out: 2, {values}}}"
    if kind == "crop":
        return f"crop: {{size: {layer['to']}}}"
    if kind == "pad":
        return f"zero_pad: {{sides: [[{layer['before']}, {layer['after']}]]}}"
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


CONV = {"kind": "conv", "k": 3, "s": 2, "d": 1, "p": 1}
CHAINS: list[list[dict[str, Any]]] = [
    [CONV, {"kind": "crop", "to": 15}, {**CONV, "s": 1}],
    [{"kind": "crop", "to": 33}, {"kind": "crop", "to": 8}],
    [CONV, {"kind": "crop", "to": 4}],
    [CONV, {"kind": "pad", "before": 3, "after": 1}, {**CONV, "p": 0}],
    [{"kind": "pad", "before": 0, "after": 2}, CONV, {"kind": "pad", "before": 2, "after": 0}],
    [{"kind": "up", "k": 3, "s": 2, "p": 0}, {"kind": "crop", "to": 21}, CONV],
    *(
        [{**CONV, "s": 1}, {"kind": "up", "k": k, "s": s, "d": d, "p": "same"}, CONV]
        for k, s, d in ((2, 2, 1), (3, 2, 1), (4, 2, 1), (6, 2, 1), (2, 3, 1), (3, 2, 2), (3, 3, 3), (1, 4, 1))
    ),
    *(
        [CONV, {"kind": "up", "k": k, "s": 2, "d": d, "p": p}]
        for k, d, p in ((3, 1, 1), (4, 1, 2), (3, 2, 1), (5, 1, 0))
    ),
    [{"kind": "up", "k": 2, "s": 2, "p": 0}, {"kind": "up", "k": 3, "s": 3, "p": 1}, {**CONV, "s": 4}],
    [{"kind": "nearest", "f": 3}, {**CONV, "s": 2, "d": 2, "p": 2}, {"kind": "bilinear", "f": 2}],
    [CONV, {"kind": "bilinear", "f": 3}, {"kind": "adaptive", "to": 9}],
    *(  # a map with holes
        [{"kind": "up", "k": 1, "s": 2, "p": 0}, {"kind": "conv", "k": k, "s": 1, "d": d, "p": 0}]
        for k, d in ((2, 2), (3, 1), (3, 2), (2, 3))
    ),
]


@pytest.mark.parametrize("layers", CHAINS, ids=lambda layers: "-".join(one["kind"] for one in layers))
def test_moved_maps_by_brute_force(layers: list[dict[str, Any]]) -> None:
    length = 36
    graph = loads(f"{{input: [1, {length}], layers: [{', '.join(map(_text, layers))}]}}")
    taps = {n.index: _taps(one, n.input[1], n.shape[1]) for n, one in zip(graph.layers, layers, strict=True)}
    assert _check(graph, taps, length) > 10


def test_each_axis_by_itself() -> None:
    """Along an axis a layer does what a layer with that axis alone does."""
    wide = [
        ("conv", "kernel: {}, stride: {}, dilation: {}, padding: {}", [(3, 2, 1, [1, 1]), (2, 1, 2, [0, 1])]),
        ("max_pool", "kernel: {}, stride: {}, padding: {}", [(2, 2, [1, 0]), (3, 1, [0, 1])]),
        ("conv_transpose", "kernel: {}, stride: {}, dilation: {}, padding: {}", [(3, 2, 1, [1, 0]), (2, 3, 2, [0, 1])]),
        ("zero_pad", "sides: {}", [([1, 0],), ([3, 2],)]),
        ("crop", "size: {}", [(9,), (14,)]),
        ("upsample", "factor: {}", [(2,), (3,)]),
        ("adaptive_avg_pool", "size: {}", [(5,), (3,)]),
    ]

    def text(values: tuple[list[Any], ...], sizes: list[int]) -> str:
        steps = []
        for (key, form, _), one in zip(wide, values, strict=True):
            out = "out: 2, " if key.startswith("conv") else ""
            steps.append(f"{key}: {{{out}{form.format(*one)}}}")
        return f"{{input: [1, {', '.join(map(str, sizes))}], layers: [{', '.join(steps)}]}}"

    both = tuple([[one, two] for one, two in zip(*each, strict=True)] for _, _, each in wide)
    alone = [tuple([[one] for one in each[axis]] for _, _, each in wide) for axis in (0, 1)]
    together = receptive_fields(loads(text(both, [25, 19])))
    for axis, size in enumerate((25, 19)):
        one = receptive_fields(loads(text(alone[axis], [size])))
        assert [seen.fields[axis] for seen in list(together.values())[1:]] == [
            seen.fields[0] for seen in list(one.values())[1:]
        ]


def test_a_field_position_by_position() -> None:
    field = ReceptiveField(((-1, 1), None, (2, 6)), 4)
    assert [field.at(position) for position in range(-3, 6)] == [
        (-5, -3),
        None,
        (-2, 2),
        (-1, 1),
        None,
        (2, 6),
        (3, 5),
        None,
        (6, 10),
    ]
    assert (field.size, field.stride, field.start, field.padding) == (5, Fraction(4, 3), 0, 1)
    hole = ReceptiveField((None, (0, 3)), 1)
    assert (hole.size, hole.start, hole.padding) == (4, None, None)
    assert ReceptiveField((None,), 1).size == 0
    assert ReceptiveField(((1, 2),), 1).start == Fraction(3, 2)


def test_borders_of_two_widths() -> None:
    def field(layer: str) -> ReceptiveField:
        return receptive_fields(loads(f"{{input: [1, 12], layers: [{layer}]}}"))[1].fields[0]

    # position 0 of a window of 3 with 2 of padding before sees -2 to 0
    assert field("conv: {out: 1, kernel: 3, padding: [[2, 0]]}") == ReceptiveField(((-2, 0),), 1)
    assert field("max_pool: {kernel: 3, stride: 2, padding: [[0, 1]]}") == ReceptiveField(((0, 2),), 2)
    assert field("avg_pool: {kernel: 3}") == ReceptiveField(((0, 2),), 3)
    # and of a transposed one, whose output has lost that much at its beginning, the patches of 0 to 2 or of -1 to 1
    assert field("conv_transpose: {out: 1, kernel: 3, padding: [[2, 1]]}") == ReceptiveField(((0, 2),), 1)
    assert field("conv_transpose: {out: 1, kernel: 3, padding: [[1, 2]]}") == ReceptiveField(((-1, 1),), 1)
    assert field("zero_pad: {sides: [[2, 0]]}") == ReceptiveField(((-2, -2),), 1)
    assert field("crop: {size: 7}") == ReceptiveField(((2, 2),), 1)
    assert field("global_avg_pool") == field("flatten") == ReceptiveField(((0, 11),), 12)
    # TensorFlow's same: of an odd number of zeros one more comes behind
    assert field("conv: {out: 1, kernel: 4}") == ReceptiveField(((-1, 2),), 1)
    assert field("conv: {out: 1, kernel: 2, stride: 3}") == ReceptiveField(((0, 1),), 3)


def test_merged_fields() -> None:
    one, two = ReceptiveField(((0, 1), (2, 2)), 2), ReceptiveField(((-1, 0), None, (3, 4)), 3)
    both = merged([one, two])
    # period 6; of the first: (0,1) (2,2) (2,3) (4,4) (4,5) (6,6); of the second: (-1,0) - (3,4) (2,3) - (6,7)
    assert both == ReceptiveField(((-1, 1), (2, 2), (2, 4), (2, 4), (4, 5), (6, 7)), 6)
    with pytest.raises(UnsupportedError) as caught:
        merged([one, ITSELF, ReceptiveField(((0, 0),), 2)])
    assert str(caught.value) == "its branches have different strides, so no position has a receptive field of its own"
    most = ReceptiveField(tuple((place, place) for place in range(4096)), 4096)
    assert merged([most, ITSELF]).size == 1
    more = ReceptiveField(tuple((place, place) for place in range(4097)), 4097)
    with pytest.raises(UnsupportedError) as caught:
        merged([more, ITSELF])
    assert str(caught.value) == "a receptive field with more than 4,096 different positions"


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


def test_refusals_in_full() -> None:
    symbol = sympy.Symbol("H", positive=True, integer=True)
    refused = [
        (load("two_3x3", H=symbol), "receptive fields are evaluated on numbers; this network has symbolic sizes"),
        (
            loads("{input: [10], layers: [linear: {out: 3}]}"),
            "a flat input has no positions, so nothing has a receptive field",
        ),
        (
            loads("{input: [1, 9, 9], layers: [concat: {a: [conv: {out: 1, stride: 3}], b: [crop: {size: 3}]}]}"),
            "concat: its branches have different strides, so no position has a receptive field of its own",
        ),
        (
            loads("{input: [1, 4097], layers: [upsample: {size: 4099}]}"),
            "upsample: a receptive field with more than 4,096 different positions",
        ),
    ]
    for graph, message in refused:
        with pytest.raises(UnsupportedError) as caught:
            receptive_fields(graph)
        assert str(caught.value) == message
    at_most = receptive_fields(loads("{input: [1, 4097], layers: [upsample: {size: 4096}]}"))[1].fields[0]
    assert (len(at_most.ranges), at_most.jump) == (4096, 4097)


def test_what_sees_everything() -> None:
    def seen(layers: str) -> list[tuple[tuple[int, ...], bool]]:
        found = receptive_fields(loads(f"{{input: [4, 8, 8], layers: [{layers}]}}"))
        return [(one.sizes, one.everywhere) for one in found.values()][1:]

    assert seen("conv: {out: 4, kernel: 3}, group_norm: {groups: 2}, conv: {out: 4, kernel: 3}") == [
        ((3, 3), False),
        ((3, 3), True),
        ((5, 5), True),
    ]
    assert seen("batch_norm, layer_norm, relu") == [((1, 1), False)] * 3
    assert seen("global_avg_pool") == [((8, 8), False)]
    assert seen("global_max_pool, conv: {out: 2}") == [((8, 8), False)] * 2
    assert seen("flatten, linear: {out: 3}, relu") == [((8, 8), False)] * 3
    assert seen("conv: {out: 2, kernel: 3, padding: 0}, linear: {out: 3, axis: c}") == [((3, 3), False)] * 2
    assert seen("add: {a: [conv: {out: 4, kernel: 5}], b: x}") == [((5, 5), False)] * 2
    assert seen("multiply: {a: [global_avg_pool], b: x}, relu") == [
        ((8, 8), False),
        ((1, 1), True),
        ((1, 1), True),
    ]
    assert seen("add: {a: [group_norm: {groups: 2}], b: x}, relu")[1:] == [((1, 1), True)] * 2


def test_through_whom_the_widest_field_comes() -> None:
    branches = "{a: [conv: {out: 4, kernel: 3}], b: [conv: {out: 4, kernel: 5}], c: x}"
    graph = loads(f"{{input: [4, 8, 8], layers: [add: {branches}, relu]}}")
    seen = receptive_fields(graph)
    assert [seen[index].through for index in range(5)] == [None, 0, 0, 2, 3]
    assert [node.index for node in path_of(graph, seen, 4)] == [2, 3, 4]
    assert path_of(graph, seen, 0) == []


def test_the_last_map() -> None:
    def last(layers: str, input_: str = "[4, 8, 8]") -> str:
        return last_map(loads(f"{{input: {input_}, layers: [{layers}]}}")).path

    assert last("conv: {out: 2}, relu") == "relu"
    assert last("conv: {out: 2}, global_avg_pool, linear: {out: 3}") == "conv"
    assert last("global_avg_pool, linear: {out: 3}") == "input"
    assert last("linear: {out: 3}, relu", "[7]") == "input"
    assert last("conv: {out: 2, kernel: [8, 1], padding: 0}, relu") == "relu"  # 1x8
    assert last("conv: {out: 2}, conv: {out: 2, kernel: 7, padding: 0}, flatten") == "conv#2"  # 2x2
    assert last("conv: {out: 2}, relu, conv: {out: 2, kernel: 8, padding: 0}", "[4, 8]") == "relu"
    # the side output is no way to the output
    assert last("global_avg_pool, output: {side: [upsample: {factor: 2}]}, linear: {out: 3}") == "input"


def test_outgrown_on_one_axis_and_only_by_maps() -> None:
    def outgrown(layers: str, input_: str) -> str | None:
        found = outgrown_at(receptive_fields(loads(f"{{input: {input_}, layers: [{layers}]}}")))
        return None if found is None else found.path

    twice = "conv: {out: 1, kernel: [3, 1]}, conv: {out: 1, kernel: [3, 1]}"
    assert outgrown(twice, "[1, 4, 9]") == "conv#2"
    assert outgrown(twice, "[1, 5, 9]") is None  # sees just the whole
    assert outgrown("{conv: {out: 1, kernel: 3}, repeat: 4}", "[1, 8]") == "conv[4]"
    assert outgrown("conv: {out: 1, kernel: 3, stride: 2}, conv: {out: 1, kernel: 3}", "[1, 4, 4]") == "conv#2"  # 2x2
    assert outgrown("conv: {out: 1, kernel: 3}, global_avg_pool, conv: {out: 1, kernel: 3}", "[1, 4, 4]") is None


def test_command() -> None:
    data = json.loads(convcost("receptive", "mobilenet_v1", "--format", "json").out)
    assert data["last_map"]["field"] == data["totals"]["field"] == [315, 315]
    assert data["last_map"]["effective_stride"] == data["totals"]["effective_stride"] == [32, 32]
    assert data["outgrown_at"] == "separable[12]/depthwise_bn_relu/conv"
    assert len(data["last_map"]["path_of_layers"]) == 81
    lines = convcost("receptive", "two_3x3", "--format", "csv").out.splitlines()
    assert lines == [
        "path,kind,output,kernel,stride,field,effective_stride,start,padding,through,everywhere",
        "conv,standard,64x28x28,3x3,1x1,3x3,1x1,0x0,1x1,,false",
        "conv#2,standard,64x28x28,3x3,1x1,5x5,1x1,0x0,2x2,,false",
    ]


def test_positions_that_are_mixed_see_the_whole_map() -> None:
    """By hand: four windows of 3 with step 2 cover 9 positions; what mixes them sees 9, whatever comes after."""
    conv = "conv: {out: 4, kernel: 3, stride: 2, padding: valid}"
    tokens = loads(f"{{input: [3, 9, 7], layers: [{conv}, reshape: {{to: [4, 12]}}, linear: {{out: 4, axis: c}}]}}")
    assert [seen.sizes for seen in receptive_fields(tokens).values()] == [(1, 1), (3, 3), (9, 7), (9, 7)]
    assert receptive_fields(tokens)[3].fields[0].stride == 0  # the next position sees the same
    rows = loads(f"{{input: [3, 9, 7], layers: [{conv}, softmax: {{axis: w}}]}}")
    assert receptive_fields(rows)[2].sizes == (3, 7)
    product = loads(f"{{input: [3, 9, 7], layers: [{conv}, matmul: {{q: x, k: x, transpose: second}}]}}")
    assert receptive_fields(product)[2].sizes == (9, 7)
    added = loads(f"{{input: [3, 9, 7], layers: [{conv}, add: {{a: x, b: [softmax: {{axis: w}}]}}]}}")
    assert receptive_fields(added)[3].sizes == (3, 7)
    moved = loads(f"{{input: [3, 9, 7], layers: [{conv}, slice: {{out: 2, start: 1, axis: h}}]}}")
    assert [field.start for field in receptive_fields(moved)[2].fields] == [3, 1]
    assert [field.size for field in receptive_fields(moved)[2].fields] == [3, 3]


def test_windows_of_attention() -> None:
    """By hand: a position sees its window; in a moved one, the windows of all that are in it."""
    window = "attention: {q: x, k: x, v: x, window: 4}"
    moved = "attention: {q: x, k: x, v: x, window: 4, shift: 2}"
    seen = receptive_fields(loads(f"{{input: [4, 8, 8], layers: [{window}, {moved}]}}"))
    first, second = seen[1].fields[0], seen[2].fields[0]
    assert [first.at(place) for place in (0, 3, 4, 7)] == [(0, 3), (0, 3), (4, 7), (4, 7)]
    assert [second.at(place) for place in (0, 1, 2, 5, 6)] == [(-4, 3), (-4, 3), (0, 7), (0, 7), (4, 11)]
    assert (first.stride, second.stride) == (1, 1)
    whole = receptive_fields(loads("{input: [4, 8, 6], layers: [attention: {q: x, k: x, v: x}]}"))[1]
    assert (whole.sizes, whole.fields[0].stride) == ((8, 6), 0)
    pooled = "attention: {q: x, k: [max_pool: {kernel: 2}], v: [max_pool: {kernel: 2}]}"
    assert receptive_fields(loads(f"{{input: [4, 8, 6], layers: [{pooled}]}}"))[3].sizes == (8, 6)
    mixed = "dynamic_conv: {map: x, mixture: [global_avg_pool, slice: {out: 2}], out: 4, kernel: 3, stride: 2}"
    strided = receptive_fields(loads(f"{{input: [4, 9, 9], layers: [{mixed}]}}"))[3]
    assert (strided.sizes, strided.fields[0].stride, strided.everywhere) == ((3, 3), 2, True)


def test_the_report_says_that_all_positions_see_the_same() -> None:
    spec = "{input: [3, 9, 7], layers: [conv: {out: 4, kernel: 3}, attention: {q: x, k: x, v: x}]}"
    out = run_convcost("receptive", "-", stdin=spec.encode()).out
    assert "9x7 positions that all see 11x9" in out  # the map, and a border of padding on each side
