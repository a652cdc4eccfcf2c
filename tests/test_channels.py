"""Input channels that a channel depends on, against products of connection matrices."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from inprocess import convcost as command
from pictures import rect
from test_plot import drawn

import convcost
from convcost.errors import UnsupportedError
from convcost.layers import REGISTRY, Work
from convcost.layers.operator import Activating, Merging, Operator
from convcost.metrics.channels import channels

if TYPE_CHECKING:
    from collections.abc import Callable


def grouped(inputs: int, outputs: int, groups: int) -> np.ndarray:
    """Which inputs each output of a group convolution reads: blocks on the diagonal."""
    return np.kron(np.eye(groups, dtype=int), np.ones((outputs // groups, inputs // groups), dtype=int))


def shuffled(size: int, groups: int) -> np.ndarray:
    """The matrix of "reshape to (g, n), transpose, flatten" (Zhang et al., 2018, section 3.1)."""
    return np.eye(size, dtype=int)[np.arange(size).reshape(groups, size // groups).T.flatten()]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize(("groups", "wide"), [*itertools.product([1, 2, 3, 4, 8], [1, 2, 3])])
def test_stacked_group_convolutions_by_matrices(groups: int, wide: int, *, shuffle: bool) -> None:
    inputs, between, outputs = 2 * groups, wide * groups, 3 * groups
    graph = convcost.load("stacked_group_convs", I=inputs, M=between, O=outputs, g=groups, shuffle=shuffle)
    middle = shuffled(between, groups) if shuffle else np.eye(between, dtype=int)
    product = grouped(between, outputs, groups) @ middle @ grouped(inputs, between, groups)
    found = channels(graph)[-1].seen
    assert [[bits >> place & 1 for place in range(inputs)] for bits in found] == (product > 0).astype(int).tolist()
    # the formula of the tour
    met = min(groups, between // groups) if shuffle else 1
    assert {bits.bit_count() for bits in found} == {inputs // groups * met}


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("depthwise_conv", 1, 1),
        ("depthwise_separable_conv", 32, 32),
        ("group_conv", 8, 8),
        ("squeeze_excite", 64, 64),
        ("inception_module", 192, 192),
        ("ghost_module", 64, 64),
        ("shuffle_unit", 240, 240),
        ("mobilenet_v1", 3, 3),
        ("shufflenet_v1", 3, 3),
        ("shufflenet_v2", 3, 3),
    ],
)
def test_what_is_known_of_blocks(name: str, least: int, most: int) -> None:
    last = channels(convcost.load(name))[-1]
    assert (last.least, last.most) == (least, most)


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ("[{slice: {out: 2, start: 1}}]", [1, 1]),
        ("[{split: {parts: 2, index: 1}}, {conv: {out: 1}}]", [2]),
        ("[{concat: {a: [{conv: {out: 1}}], b: x}}]", [4, 1, 1, 1, 1]),
        ("[{add: {a: x, b: [{channel_shuffle: {groups: 2}}]}}]", [1, 2, 2, 1]),
        ("[{multiply: {a: x, b: [{conv: {out: 1}}]}}]", [4, 4, 4, 4]),
        ("[{conv: {out: 4, groups: 2}}, relu, batch_norm, {max_pool: {kernel: 2}}, dropout]", [2, 2, 2, 2]),
        ("[{deform_conv: {out: 2, kernel: 3, padding: 1, groups: 2}}]", [4, 4]),
        ("[{conv_transpose: {out: 2, kernel: 2, stride: 2, groups: 2}}]", [2, 2]),
        ("[global_avg_pool, flatten, {linear: {out: 2}}]", [4, 4]),
    ],
)
def test_each_layer_passes_on_what_it_reads(steps: str, counts: list[int]) -> None:
    graph = convcost.loads(f"{{input: [4, 4, 4], layers: {steps}}}")
    assert [bits.bit_count() for bits in channels(graph)[-1].seen] == counts


def test_the_command_prints_the_least_and_the_most() -> None:
    done = command("receptive", "stacked_group_convs", "--channels", "--format", "json", "--set", "shuffle=false")
    rows = json.loads(done.out)["rows"]
    assert [(row["least_channels"], row["most_channels"]) for row in rows] == [(4, 4), (4, 4)]
    assert "33.3 %" in command("receptive", "stacked_group_convs", "--channels", "--set", "shuffle=false").out


def test_what_cannot_be_followed_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="too many channels to follow"):
        channels(convcost.loads("{input: [9000, 1, 1], layers: [{conv: {out: 9000}}]}"))
    with pytest.raises(convcost.UsageError, match="no layer of depthwise_conv mixes channels"):
        convcost.plot("depthwise_conv", kind="channels")


def test_the_picture_has_the_colours_of_what_a_channel_depends_on() -> None:
    for shuffle, colours in ((True, 3), (False, 1)):
        picture = drawn(convcost.plot("stacked_group_convs", kind="channels", shuffle=shuffle))
        cells = picture.all("rect", "cell")
        columns = {cell.get("x") for cell in cells}
        assert len(columns) == 12
        low = max(float(cell.get("y", "")) for cell in cells)
        last = [cell for cell in cells if float(cell.get("y", "")) > low - 24]
        assert len(last) == 12 * colours
        for x in columns:
            own = {cell.get("class") for cell in last if cell.get("x") == x}
            assert len(own) == colours
            assert sum(rect(cell).low - rect(cell).y for cell in last if cell.get("x") == x) == pytest.approx(
                24, abs=0.1
            )
        wires = picture.all("path", "leader")
        assert len(wires) == 2 * 3 * 4 * 4 + 12 * shuffle


# --- every layer, by changing one channel of numbers at a time ---

Array = Any
SEED = 7


def weights(*shape: int) -> Array:
    return np.random.default_rng(sum(shape)).uniform(0.5, 1.5, shape)


def convolved(x: Array, out: int, kernel: int, groups: int = 1) -> Array:
    """A convolution without padding, by its definition."""
    size, height, width = x.shape[0] // groups, x.shape[1] - kernel + 1, x.shape[2] - kernel + 1
    w = weights(out, size, kernel, kernel)
    y = np.zeros((out, height, width))
    for o, i, j in np.ndindex(*y.shape):
        first = o // (out // groups) * size
        y[o, i, j] = (w[o] * x[first : first + size, i : i + kernel, j : j + kernel]).sum()
    return y


def transposed(x: Array, out: int, kernel: int, groups: int) -> Array:
    size, made = x.shape[0] // groups, out // groups
    w = weights(x.shape[0], made, kernel, kernel)
    y = np.zeros((out, kernel * x.shape[1], kernel * x.shape[2]))
    for c, i, j in np.ndindex(*x.shape):
        first = c // size * made
        y[first : first + made, kernel * i : kernel * (i + 1), kernel * j : kernel * (j + 1)] += x[c, i, j] * w[c]
    return y


def deformed(x: Array, out: int) -> Array:
    """A 1x1 deformable convolution along rows: the sample is between the neighbours that an offset points to."""
    w, offsets = weights(out, x.shape[0]), convolved(x, 1, 1)[0]
    y = np.zeros((out, *x.shape[1:]))
    for i, j in np.ndindex(*x.shape[1:]):
        place = (j + abs(offsets[i, j])) % (x.shape[2] - 1)
        left, part = int(place), place - int(place)
        y[:, i, j] = w @ ((1 - part) * x[:, i, left] + part * x[:, i, left + 1])
    return y


def local(x: Array, out: int, groups: int) -> Array:
    size = x.shape[0] // groups
    w = weights(out, size, *x.shape[1:])
    return np.array([(w[o] * x[o // (out // groups) * size :][:size]).sum(0) for o in range(out)])


def dynamic(x: Array, mixture: Array, groups: int) -> Array:
    size = x.shape[0] // groups
    w = np.tensordot(mixture, weights(len(mixture), x.shape[0], size), 1)
    return np.array([np.tensordot(w[o], x[o // size * size :][:size], 1) for o in range(x.shape[0])])


def normal(x: Array, axes: tuple[int, ...]) -> Array:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)


def group_normal(x: Array, groups: int) -> Array:
    return normal(x.reshape(groups, -1), (1,)).reshape(x.shape)


def response(x: Array) -> Array:
    """Woo et al. (2023), algorithm 1."""
    lengths = np.sqrt((x**2).sum((1, 2), keepdims=True))
    return x + x * lengths / lengths.mean()


def local_response(x: Array, size: int) -> Array:
    """Krizhevsky et al. (2012), section 3.3; of an even window, PyTorch has the larger half before."""
    after = (size - 1) // 2
    sums = [sum(x[c] ** 2 for c in range(max(0, i - size // 2), min(len(x), i + after + 1))) for i in range(len(x))]
    return x / (2 + np.array(sums)) ** 0.75


def exponential(x: Array, axis: int) -> Array:
    return np.exp(x) / np.exp(x).sum(axis, keepdims=True)


def attended(q: Array, k: Array, v: Array, heads: int) -> Array:
    """Vaswani et al. (2017), equation 1 and section 3.2.2, without the projections; positions last."""
    parts = []
    for qh, kh, vh in zip(*(np.split(each, heads) for each in (q, k, v)), strict=True):
        parts.append(vh @ exponential(qh.T @ kh, 1).T)
    return np.concatenate(parts)


def recurrent(x: Array, hidden: int, gates: int, *, backwards: bool = False) -> Array:
    """Steps with a state that is squashed; the gates of LSTM and GRU multiply it."""
    w, u = weights(gates, hidden, len(x)) / 9, weights(gates, hidden, hidden) / 9
    state, made = np.zeros(hidden), []
    for step in x.T[::-1] if backwards else x.T:
        inner = w @ step + u @ state
        state = np.tanh(inner[0]) * np.prod(1 / (1 + np.exp(-inner[1:])), axis=0)
        made.append(state)
    return np.array(made[::-1] if backwards else made).T


def pooled(x: Array, reduce: Any, kernel: int = 2) -> Array:
    c, h, w = x.shape
    return reduce(x.reshape(c, h // kernel, kernel, w // kernel, kernel), axis=(2, 4))


def shuffled_pixels(x: Array, factor: int) -> Array:
    """torch.nn.PixelShuffle: channel c f f + i f + j goes to row i and column j of channel c."""
    c, h, w = x.shape
    return x.reshape(c // factor**2, factor, factor, h, w).transpose(0, 3, 1, 4, 2).reshape(-1, h * factor, w * factor)


def patches(x: Array, factor: int) -> Array:
    c, h, w = x.shape
    split = x.reshape(c, h // factor, factor, w // factor, factor)
    return split.transpose(0, 2, 4, 1, 3).reshape(-1, h // factor, w // factor)


def repeated(x: Array) -> Array:
    return x.repeat(2, 1).repeat(2, 2)


MAP, SEQUENCE = (6, 4, 4), (6, 5)
TWICE = (MAP, MAP)
CASES: list[tuple[str, dict[str, Any], tuple[tuple[int, ...], ...], Callable[..., Array]]] = [
    ("conv", {"out": 4, "kernel": 3, "padding": 0}, (MAP,), lambda x: convolved(x, 4, 3)),
    ("conv", {"out": 4, "kernel": 1, "groups": 2}, (MAP,), lambda x: convolved(x, 4, 1, 2)),
    ("conv_transpose", {"out": 4, "kernel": 2, "stride": 2, "groups": 2}, (MAP,), lambda x: transposed(x, 4, 2, 2)),
    ("deform_conv", {"out": 4, "kernel": 1, "groups": 2}, (MAP,), lambda x: deformed(x, 4)),
    ("locally_connected", {"out": 4, "kernel": 1, "groups": 2}, (MAP,), lambda x: local(x, 4, 2)),
    ("dynamic_conv", {"out": 6, "kernel": 1, "groups": 3}, (MAP, (2,)), lambda x, m: dynamic(x, m, 3)),
    ("linear", {"out": 4}, ((6,),), lambda x: weights(4, 6) @ x),
    ("linear", {"out": 4, "axis": "c"}, (SEQUENCE,), lambda x: weights(4, 6) @ x),
    ("linear", {"out": 4, "axis": "w"}, (SEQUENCE,), lambda x: x @ weights(5, 4)),
    ("rbf", {"out": 4}, ((6,),), lambda x: ((x - weights(4, 6)) ** 2).sum(1)),
    ("batch_norm", {}, (MAP,), lambda x: x * weights(6, 1, 1)),
    ("scale", {}, (MAP,), lambda x: x * weights(6, 1, 1)),
    ("layer_norm", {}, (MAP,), lambda x: normal(x, (0,))),
    ("layer_norm", {"axis": ["c", "h", "w"]}, (MAP,), lambda x: normal(x, (0, 1, 2))),
    ("layer_norm", {"axis": ["h", "w"]}, (MAP,), lambda x: normal(x, (1, 2))),
    ("rms_norm", {}, (MAP,), lambda x: x / np.sqrt((x**2).mean(0))),
    ("rms_norm", {"axis": "w"}, (MAP,), lambda x: x / np.sqrt((x**2).mean(2, keepdims=True))),
    ("l2_norm", {}, (MAP,), lambda x: x / np.sqrt((x**2).sum(0))),
    ("group_norm", {"groups": 3}, (MAP,), lambda x: group_normal(x, 3)),
    ("group_norm", {"groups": 6}, (MAP,), lambda x: group_normal(x, 6)),
    ("grn", {}, (MAP,), response),
    ("lrn", {"size": 3}, (MAP,), lambda x: local_response(x, 3)),
    ("lrn", {"size": 4}, (MAP,), lambda x: local_response(x, 4)),
    ("softmax", {}, (MAP,), lambda x: exponential(x, 0)),
    ("softmax", {"axis": "w"}, (MAP,), lambda x: exponential(x, 2)),
    ("log_softmax", {}, (MAP,), lambda x: np.log(exponential(x, 0))),
    ("matmul", {}, ((6, 5), (5, 4)), lambda a, b: a @ b),
    ("matmul", {"transpose": "first"}, ((5, 6), (5, 4)), lambda a, b: a.T @ b),
    ("matmul", {"transpose": "second"}, ((6, 5), (4, 5)), lambda a, b: a @ b.T),
    ("matmul", {"transpose": "both"}, ((5, 6), (4, 5)), lambda a, b: a.T @ b.T),
    ("matmul", {}, ((3, 6, 5), (3, 5, 4)), lambda a, b: a @ b),
    ("matmul", {}, ((3, 6, 5), (5, 4)), lambda a, b: a @ b),
    ("matmul", {}, ((1, 6, 5), (3, 5, 4)), lambda a, b: a @ b),
    ("attention", {"heads": 2}, ((6, 5), (6, 4), (6, 4)), lambda q, k, v: attended(q, k, v, 2)),
    ("attention", {"heads": 2}, ((6, 5), (6, 4), (8, 4)), lambda q, k, v: attended(q, k, v, 2)),
    ("attention", {}, ((6, 5), (6, 4), (6, 4)), lambda q, k, v: attended(q, k, v, 1)),
    ("rnn", {"hidden": 4}, (SEQUENCE,), lambda x: recurrent(x, 4, 1)),
    ("lstm", {"hidden": 4}, (SEQUENCE,), lambda x: recurrent(x, 4, 3)),
    (
        "gru",
        {"hidden": 4, "bidirectional": True},
        (SEQUENCE,),
        lambda x: np.concatenate([recurrent(x, 4, 2), recurrent(x, 4, 2, backwards=True)]),
    ),
    ("max_pool", {"kernel": 2}, (MAP,), lambda x: pooled(x, np.max)),
    ("avg_pool", {"kernel": 2}, (MAP,), lambda x: pooled(x, np.mean)),
    ("adaptive_avg_pool", {"size": 2}, (MAP,), lambda x: pooled(x, np.mean)),
    ("global_avg_pool", {}, (MAP,), lambda x: x.mean((1, 2), keepdims=True)),
    ("global_max_pool", {}, (MAP,), lambda x: x.max((1, 2), keepdims=True)),
    ("mean", {"axis": "c"}, (MAP,), lambda x: x.mean(0, keepdims=True)),
    ("mean", {"axis": ["h", "w"]}, (MAP,), lambda x: x.mean((1, 2), keepdims=True)),
    ("max", {"axis": "c"}, (MAP,), lambda x: x.max(0, keepdims=True)),
    ("max_unpool", {"factor": 2}, (MAP,), lambda x: repeated(x) * (np.indices((8, 8)) % 2).prod(0)),
    ("upsample", {"factor": 2}, (MAP,), repeated),
    ("zero_pad", {"channels": 2}, (MAP,), lambda x: np.pad(x, ((0, 2), (0, 0), (0, 0)))),
    ("crop", {"size": 2}, (MAP,), lambda x: x[:, 1:3, 1:3]),
    ("identity", {}, (MAP,), lambda x: x),
    ("dropout", {}, (MAP,), lambda x: x),
    ("flatten", {}, (MAP,), lambda x: x.reshape(-1)),
    ("reshape", {"to": [2, 48]}, (MAP,), lambda x: x.reshape(2, 48)),
    ("reshape", {"to": [4, 24]}, (MAP,), lambda x: x.reshape(4, 24)),
    ("reshape", {"to": [12, 4, 2]}, (MAP,), lambda x: x.reshape(12, 4, 2)),
    ("permute", {"order": ["c", "w", "h"]}, (MAP,), lambda x: x.transpose(0, 2, 1)),
    ("permute", {"order": ["h", "w", "c"]}, (MAP,), lambda x: x.transpose(1, 2, 0)),
    ("slice", {"out": 2, "start": 3}, (MAP,), lambda x: x[3:5]),
    ("slice", {"out": 2, "axis": "w"}, (MAP,), lambda x: x[:, :, :2]),
    ("select", {"index": 2}, (MAP,), lambda x: x[2]),
    ("select", {"axis": "h"}, (MAP,), lambda x: x[:, 0]),
    ("split", {"parts": 3, "index": 1}, (MAP,), lambda x: x[2:4]),
    ("channel_shuffle", {"groups": 3}, (MAP,), lambda x: x.reshape(3, 2, 16).swapaxes(0, 1).reshape(MAP)),
    ("pixel_shuffle", {"factor": 2}, ((8, 3, 3),), lambda x: shuffled_pixels(x, 2)),
    ("pixel_unshuffle", {"factor": 2}, ((3, 4, 4),), lambda x: patches(x, 2)),
    ("concat", {}, (MAP, (2, 4, 4)), lambda a, b: np.concatenate([a, b])),
    ("concat", {"axis": "w"}, TWICE, lambda a, b: np.concatenate([a, b], 2)),
    ("add", {}, (MAP, (1, 4, 4)), np.add),
    ("subtract", {}, TWICE, np.subtract),
    ("multiply", {}, (MAP, (6,)), lambda a, b: a * b[:, None, None]),
    ("divide", {}, TWICE, np.divide),
    ("maximum", {}, TWICE, np.maximum),
    ("minimum", {}, TWICE, np.minimum),
    ("parameter", {"to": [6, 4]}, (MAP,), lambda _: weights(6, 4)),
]
STATED = {"custom"}  # all channels: a spec does not say how its outputs are computed


@pytest.mark.parametrize(("key", "fields", "shapes", "forward"), CASES, ids=lambda part: str(part)[:20])
def test_a_channel_that_is_changed_changes_what_reads_it(
    key: str, fields: dict[str, Any], shapes: tuple[tuple[int, ...], ...], forward: Callable[..., Array]
) -> None:
    layer = REGISTRY[key](**fields)
    x: Any = tuple((shape, 1) for shape in shapes) if layer.merges else shapes[0]
    y = layer.shape(x)
    rng = np.random.default_rng(SEED)
    before = [rng.uniform(0.5, 1.5, shape) for shape in shapes]
    usual = forward(*before)
    assert usual.shape == y
    ends = list(itertools.accumulate((shape[0] for shape in shapes), initial=0))
    seen = [[1 << place for place in range(first, end)] for first, end in itertools.pairwise(ends)]
    stated = layer.reads_channels(seen, x, y)
    assert len(stated) == y[0]
    for operand, shape in enumerate(shapes):
        for channel in range(shape[0]):
            changed = np.zeros(y[0], dtype=bool)
            for factor in (0.3, 1.1, 2.9):  # a maximum moves with a large number, a minimum with a small one
                after = [values.copy() for values in before]
                after[operand][channel] *= factor * rng.uniform(0.9, 1.1, shape[1:])
                difference = np.abs(forward(*after) - usual).reshape(y[0], -1).max(1)
                changed |= difference > 1e-9
            expected = [bool(bits >> (ends[operand] + channel) & 1) for bits in stated]
            assert changed.tolist() == expected, (operand, channel)


def test_an_operand_that_is_given_twice_has_one_entry() -> None:
    layer = REGISTRY["attention"](heads=2)
    assert layer.reads_channels([[1, 2, 4, 8]], (((4, 5), 3),), (4, 5)) == [3, 3, 12, 12]


def test_every_layer_is_compared_with_numbers() -> None:
    """Activations of single elements apart, of which each output is made of one input."""
    compared = {key for key, *_ in CASES}
    assert compared | STATED <= set(REGISTRY)
    for key in sorted(set(REGISTRY) - compared - STATED):
        layer = REGISTRY[key]
        assert layer.family == "activation", key
        values = dict.fromkeys(layer.needs, 2)
        assert layer(**values).shape((4, 2, 2)) == (4, 2, 2)
        assert layer(**values).reads_channels([[1, 2, 4, 8]], (4, 2, 2), (4, 2, 2)) == [1, 2, 4, 8]


def test_a_network_with_attention_is_followed() -> None:
    """The projections before attention read all channels, so a patch of three channels is all that is seen."""
    for name in ("vit", "swin"):
        assert {(mixed.least, mixed.most) for mixed in channels(convcost.load(name))[-1:]} == {(3, 3)}


def test_an_operator_whose_channels_are_not_known_is_refused_by_its_name() -> None:
    layer = Operator("Einsum", (4, 2), Work())
    with pytest.raises(UnsupportedError, match="Einsum does not say which channels it reads"):
        layer.reads_channels([[1]], (1, 2), (4, 2))
    same = Activating("Erf", (2, 2), Work(), pointwise=True)
    assert same.reads_channels([[1, 2]], (2, 2), (2, 2)) == [1, 2]
    both = Merging("Where", (2, 2), Work(), pointwise=True)
    assert both.reads_channels([[1, 2], [4]], (((2, 2), 1), ((1, 2), 1)), (2, 2)) == [5, 6]
    with pytest.raises(UnsupportedError, match="Where does not say"):
        both.reads_channels([[1, 2], [4]], (((2, 2), 1), ((2,), 1)), (2, 2))
