"""Searched cells and detectors against counts made elsewhere, and against sums written out by hand."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import convcost
from convcost.network.cost import sum_work

LEVELS = (100, 50, 25, 13, 7)  # sides of the maps of a feature pyramid, of a picture of 800 pixels
FROZEN = 53_120  # scales and shifts of the batch norms of ResNet-50, which torchvision freezes in detectors
BACKBONE = 25_557_032 - 2_049_000 - FROZEN  # of torchvision's resnet50: without its classifier
PYRAMID = (512 + 1024 + 2048) * 256 + 3 * 256 + 5 * (9 * 256 * 256 + 256)


def totals(name: str, **parameters: Any) -> tuple[Any, Any]:
    """Parameters and MACs of a bundled spec."""
    work = sum_work(convcost.load(name, **parameters).layers)
    return work.params, work.macs


def head_macs(outputs: int) -> int:
    """Four 3x3 of 256 channels and one to the outputs, on every level."""
    return sum(side * side * 9 * 256 * (4 * 256 + outputs) for side in LEVELS)


def test_retinanet() -> None:
    params, macs = totals("retinanet_r50_fpn")
    heads = 2 * 4 * (9 * 256 * 256 + 256) + sum(9 * 256 * outputs + outputs for outputs in (9 * 91, 9 * 4))
    assert params - FROZEN == BACKBONE + PYRAMID + heads == 34_014_999  # num_params of torchvision's weights
    without_heads = macs - head_macs(9 * 91) - head_macs(9 * 4)
    pyramid = (512 * 100**2 + 1024 * 50**2 + 2048 * 25**2) * 256
    pyramid += sum(side * side for side in LEVELS) * 9 * 256 * 256
    # convolutions of resnet50: its 4,089,184,256 MACs at 224 less those of the classifier; the maps are 25/7 as wide
    assert without_heads - pyramid == (4_089_184_256 - 2_048_000) * 25**2 // 7**2
    assert round(macs / 10**9, 2) == 151.54


def test_fcos() -> None:
    params, macs = totals("fcos_r50_fpn")
    towers = 2 * 4 * (9 * 256 * 256 + 256 + 2 * 256)
    assert params - FROZEN == BACKBONE + PYRAMID + towers + (9 * 256 + 1) * (91 + 4 + 1) == 32_269_600
    retinanet = totals("retinanet_r50_fpn")[1] - head_macs(9 * 91) - head_macs(9 * 4)
    assert macs == retinanet + head_macs(91) + head_macs(4 + 1)
    assert round(macs / 10**9, 3) == 128.207


def test_shared_heads_over_symbolic_levels() -> None:
    graph = convcost.load("retinanet_r50_fpn", classes=21)
    assert sum_work(graph.layers).params - FROZEN == 34_014_999 - (9 * 256 + 1) * 9 * (91 - 21)
    assert [name for name in graph.outputs if name.startswith("scores")] == [f"scores{level}" for level in range(3, 8)]
    assert [graph.nodes[graph.outputs[f"boxes{level}"]].shape for level in range(3, 8)] == [(36, n, n) for n in LEVELS]


def test_ssd() -> None:
    params, macs = totals("ssd300_vgg16")
    assert params == 35_641_826  # num_params of torchvision's weights
    assert round(macs / 10**9, 3) == 34.858
    sources = [(512, 38, 4), (1024, 19, 6), (512, 10, 6), (256, 5, 6), (256, 3, 4), (256, 1, 4)]
    heads = sum(9 * channels * side * side * boxes * (91 + 4) for channels, side, boxes in sources)
    fewer = totals("ssd300_vgg16", classes=21)[1]
    assert macs - fewer == heads * (91 - 21) // (91 + 4)
    boxes = sum(side * side * boxes for _, side, boxes in sources)
    assert boxes == 8732  # the paper's number of default boxes
    graph = convcost.load("ssd300_vgg16")
    made = [graph.nodes[graph.outputs[f"boxes{i}"]].shape for i in range(1, 7)]
    assert sum(channels * height * width for channels, height, width in made) == 4 * boxes


def test_darts() -> None:
    assert totals("darts")[0] == 4_718_752
    cifar = {"stem": "cifar", "C": 36, "cells": 20, "size": 32, "classes": 10}
    assert totals("darts", **cifar)[0] == 3_349_342  # both counted cell by cell from the code of the authors
    # the first cell by hand: two 1x1 beside each other, a 1x1, five separable and one dilated convolution at 28x28
    graph = convcost.load("darts")
    first = sum(node.work.macs for node in graph.layers if node.path.startswith("c2/"))
    assert first == 28 * 28 * (48 * 48 + 48 * 48 + 11 * (9 * 48 + 48 * 48))


@pytest.mark.parametrize(
    ("edges", "params", "macs_and_biases"),
    [
        # n10, n20, n21, n30, n31, n32; parameters and FLOPs that the benchmark's API gives for CIFAR-10
        ("avg_pool_3x3 nor_conv_1x1 skip_connect nor_conv_1x1 skip_connect skip_connect", 129_306, 15_647_370),
        ("skip_connect none nor_conv_3x3 avg_pool_3x3 nor_conv_3x3 nor_conv_3x3", 802_426, 113_951_370),
    ],
)
def test_topologies_of_nats_bench(edges: str, params: int, macs_and_biases: int) -> None:
    names = ("n10", "n20", "n21", "n30", "n31", "n32")
    graph = convcost.load("nats_bench", **dict(zip(names, edges.split(), strict=True)))
    work = sum_work(graph.layers)
    assert (work.params, work.macs + work.bias_adds) == (params, macs_and_biases)


def test_every_topology_of_two_edges() -> None:
    """Parameters and MACs are sums over the edges, written out here for 25 of the 15,625 cells."""
    weights = {"none": 0, "skip_connect": 0, "avg_pool_3x3": 0, "nor_conv_1x1": 1, "nor_conv_3x3": 9}
    fixed = {"n10": "skip_connect", "n20": "skip_connect", "n30": "skip_connect", "n32": "none"}
    for n21, n31 in product(weights, repeat=2):
        work = sum_work(convcost.load("nats_bench", **fixed, n21=n21, n31=n31).layers)
        cells = sum(5 * (weights[op] * C * C + 2 * C * (weights[op] > 0)) for op in (n21, n31) for C in (16, 32, 64))
        macs = sum(
            5 * weights[op] * C * C * side * side for op in (n21, n31) for C, side in ((16, 32), (32, 16), (64, 8))
        )
        assert work.params == 464 + 14_464 + 57_600 + 128 + 650 + cells
        assert work.macs == 442_368 + 2 * 3_670_016 + 640 + macs


def test_siamese_network() -> None:
    params, macs = totals("siamese")
    assert params == 38_951_745  # what Keras prints for the model of the paper
    tower = 96**2 * 100 * 64 + 42**2 * 49 * 64 * 128 + 18**2 * 16 * 128 * 128 + 6**2 * 16 * 128 * 256 + 9216 * 4096
    assert macs == 2 * tower + 4096


def test_two_streams() -> None:
    params, macs = totals("rgbd_objects")
    caffenet = 60_965_224 - (4096 * 1000 + 1000)  # of BVLC CaffeNet: without its last layer
    assert params == 2 * caffenet + 8192 * 4096 + 4096 + 4096 * 51 + 51
    conv = 55**2 * 121 * 3 * 96 + 27**2 * 25 * 48 * 256 + 13**2 * 9 * (256 * 384 + 192 * 384 + 192 * 256)
    assert macs == 2 * (conv + 9216 * 4096 + 4096 * 4096) + 8192 * 4096 + 4096 * 51
