"""Input channels that a channel depends on, against products of connection matrices."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from inprocess import convcost as command
from pictures import rect
from test_plot import drawn

import convcost
from convcost.errors import UnsupportedError
from convcost.metrics.channels import channels


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
    done = command("receptive", "vit", "--channels")
    assert done.code == 1
    assert "does not say which channels it reads" in done.err


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
