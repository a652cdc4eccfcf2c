"""Reading the tables of ``tests/data`` and building the networks they speak of."""

from __future__ import annotations

import csv
from collections import Counter
from math import prod
from typing import TYPE_CHECKING, Any

from conftest import DATA

from convcost.catalogue.loader import Catalogue
from convcost.language.given import from_text
from convcost.language.interpret import build
from convcost.layers.window import per_axis

if TYPE_CHECKING:
    from convcost.network.graph import Graph

LAYERS = ("conv", "conv_transpose", "linear")


def rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file below its header of comments."""
    with open(DATA / name, encoding="utf-8") as stream:
        return list(csv.DictReader(line for line in stream if not line.startswith("#")))


def network(spec_name: str, settings: str = "", input_: str = "") -> Graph:
    """The network that ``--set`` with each of ``settings`` and ``--input`` give."""
    spec = Catalogue().target(spec_name)
    pairs = [setting.split("=") for setting in settings.split()]
    values = {name: from_text(spec, name, text) for name, text in pairs}
    return build(spec, values, sizes(input_) or None)


def sizes(text: str) -> tuple[int, ...]:
    """``3x224x224`` as a tuple."""
    return tuple(map(int, text.split("x"))) if text else ()


def totals(graph: Graph) -> dict[str, int]:
    """Sums over the layers, each node as often as it stands for."""
    sums: Counter[str] = Counter()
    for node in graph.layers:
        for name, value in node.work.as_dict().items():
            sums[name] += value * node.count
        sums["params"] += node.work.params * node.count
        if node.layer.key in ("conv", "conv_transpose"):
            sums["conv_macs"] += node.work.macs * node.count
        if node.layer.key in LAYERS:
            sums["layers"] += node.count
    return sums


def layer_key(row: dict[str, str]) -> tuple[Any, ...]:
    """What a table says of a layer."""
    return _key(
        row["type"],
        sizes(row["input"]),
        sizes(row["output"]),
        sizes(row["kernel"]),
        sizes(row["stride"]),
        int(row["groups"] or 1),
        (int(row["params"]), int(row["macs"])),
    )


def layer_keys(graph: Graph) -> Counter[tuple[Any, ...]]:
    """The same of every convolution and linear layer of a graph, with how many there are."""
    found: Counter[tuple[Any, ...]] = Counter()
    for node in graph.layers:
        layer: Any = node.layer
        if layer.key not in LAYERS:
            continue
        kernel, stride, groups = (getattr(layer, name, 1) for name in ("kernel", "stride", "groups"))
        axes = len(node.input) - 1
        key = _key(
            layer.key,
            node.input,
            node.shape,
            per_axis(kernel, axes, "kernel"),
            per_axis(stride, axes, "stride"),
            groups,
            (node.work.params, node.work.macs),
        )
        found[key] += node.count
    return found


def _key(
    kind: str,
    input_: tuple[int, ...],
    output: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    groups: int,
    costs: tuple[int, int],
) -> tuple[Any, ...]:
    """A 1x1 convolution of a 1x1 map is a linear layer: libraries write gates and classifiers either way."""
    on_one_position = prod(input_[1:]) == 1 and prod(kernel) == 1
    if kind == "linear" or on_one_position:
        return ("linear", prod(input_), prod(output), costs)
    return (kind, input_, output, kernel, stride, groups, costs)
