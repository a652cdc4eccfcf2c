"""Quantities of a published figure, and the ways to count them.

A claim in a spec names a quantity (``params``, ``macs`` ...) and the way it was counted, if that is not the
default: ``4.2M`` parameters of MobileNet are its weights alone, ``23.85M`` of Keras' Inception
include moving averages. A way of counting is rows of weights, as a convention's are; ``verify`` checks printed
figures by them, ``explain`` tries them, and ``--convention paper`` reports by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PARAMETERS, PLAIN, TRAINABLE, Rules, Tally
from convcost.layers.base import elements
from convcost.layers.conv import Conv, Linear
from convcost.layers.merge import Add
from convcost.layers.pool import AvgPool, MaxPool
from convcost.numbers.arithmetic import Num, divide, total
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from convcost.layers.base import Shape
    from convcost.network.graph import Node


class Count(NamedTuple):
    """One way of counting.

    Attributes:
        name: what ``counts`` calls it.
        doc: what is counted, in words.
        counter: rows of weights over the layers; a function of the layers in order where it is not a sum over them.
        unit: what the number is called: MACs, FLOPs, parameters; empty for other quantities.
        divisor: what the sum is divided by.
    """

    name: str
    doc: str
    counter: Rules | Callable[[Sequence[Node]], Num]
    unit: str = ""
    divisor: int = 1

    def rule(self, nodes: Sequence[Node], tally: Tally | None = None) -> Num:
        """The count of ``nodes``, per sample.

        Args:
            nodes: layers of one graph.
            tally: the same layers, gathered, where several counts of them are made.
        """
        if isinstance(self.counter, Rules):
            return divide((tally or Tally(nodes)).total(self.counter), self.divisor)
        return self.counter(nodes)

    @property
    def rows(self) -> Rules:
        """Its rows of weights; a count without rows has no place in a convention.

        Raises:
            TypeError: it is not a sum over layers.
        """
        if not isinstance(self.counter, Rules):
            raise TypeError(f"`{self.name}` is not a sum over layers")
        return self.counter


class Quantity(NamedTuple):
    """What a figure is a figure of.

    Attributes:
        name: its key in a claim.
        title: its name in tables.
        counts: the ways it can be counted, the default first.
        share: whether figures are per cent of the whole network.
    """

    name: str
    title: str
    counts: tuple[Count, ...]
    share: bool = False

    def counted_as(self, name: str) -> Count:
        """The way of counting called ``name``; the default one if no way has that name."""
        return next((count for count in self.counts if count.name == name), self.counts[0])


def _depth(nodes: Sequence[Node]) -> int:
    longest: dict[int, int] = {}
    for node in nodes:
        before = max((longest.get(index, 0) for index, _ in node.inputs), default=0)
        longest[node.index] = before + int(node.layer.is_weighted)
    return max(longest.values(), default=0)


def _connections(nodes: Sequence[Node]) -> Num:
    """One for each use of a weight and of a bias; a pooled unit has one for each unit it covers."""
    counts: list[Num] = []
    for node in nodes:
        work = node.work
        if node.layer.is_weighted:
            counts.append((work.macs + work.bias_adds + work.buffers) * node.count)
        elif node.layer.is_pool and "kernel" in node.layer.fields:  # a window, and not the whole map
            counts.append((work.additions + work.comparisons + elements(node.shape)) * node.count)
        elif node.layer.is_norm and "other_params" in vars(work):  # a trained factor, and an offset that is used
            counts.append(work.additions * node.count)
    return total(counts)


def _last(axis: int) -> Callable[[Sequence[Node]], Num]:
    def size(nodes: Sequence[Node]) -> Num:
        shape: Shape = nodes[-1].shape
        return shape[axis] if axis < len(shape) else 1

    return size


def _rows(everything: Mapping[str, Num], rows: Mapping[str, Mapping[str, Num]] | None = None) -> Rules:
    return Rules({"all": everything, **(rows or {})})


_EVERY: dict[str, Any] = TRAINABLE.rows["all"]
_FOLDED = {"weights": 1, "biases": 1, "other_params": 1, "folded_channels": 1}
_PARAMS = tuple(
    Count(name, doc, rules, PARAMETERS)
    for name, doc, rules in (
        ("trainable", "every trainable parameter", TRAINABLE),
        ("weights", "weights of convolutions and linear layers; no bias, no norm", _rows({"weights": 1})),
        ("weights_and_biases", "weights and biases; no norm", _rows({"weights": 1, "biases": 1})),
        ("weights_and_norms", "weights, and norms; no bias", _rows({"weights": 1, "norm_params": 1})),
        (
            "folded",
            "batch norms folded into one bias a channel, and PReLU slopes",
            _rows(_FOLDED),
        ),
        ("total", "trainable ones and the moving averages of batch norms", _rows({**_EVERY, "buffers": 1})),
        (
            "folded_total",
            "as total, where batch norms have a shift and no scale",
            _rows({**_FOLDED, "buffers": 1}),
        ),
        (
            "folded_total_of_convolutions",
            "as folded_total, without linear layers",
            _rows({**_FOLDED, "buffers": 1}, {Linear.family: {}}),
        ),
    )
)
_MAC_ROWS = _rows({"macs": 1})
_OF_CONVOLUTIONS = Rules({Conv.family: {"macs": 1}})
_OUTPUTS = Rules({family: {"written": 1} for family in (Conv.family, Linear.family)})
_OUTPUTS_AND_POOLS = Rules({**_OUTPUTS.rows, MaxPool.key: {"written": 1}, AvgPool.key: {"written": 1}})
_MACS = (
    Count("all", "multiply-accumulates of convolutions and linear layers", _MAC_ROWS, "MACs"),
    Count("convolutions", "multiply-accumulates of convolutions; the classifier is left out", _OF_CONVOLUTIONS, "MACs"),
)
_FLOPS = (
    Count("every", "2 x MACs and every other arithmetic operation", PLAIN.operations, "FLOPs"),
    Count("macs", "MACs: a multiplication and its addition are one", _MAC_ROWS, "MACs"),
    Count(
        "macs_and_biases",
        "MACs, and one for each addition of a bias",
        _rows({"macs": 1, "bias_adds": 1}),
        "MACs",
    ),
    Count("macs_of_convolutions", "MACs of convolutions; the classifier is left out", _OF_CONVOLUTIONS, "MACs"),
    Count(
        "macs_and_merges",
        "MACs, and the additions and products of shortcuts and gates",
        _rows({"macs": 1}, {Add.family: {"additions": 1, "multiplications": 1}}),
        "MACs",
    ),
    Count("twice_macs", "2 x MACs and nothing else", _rows({"macs": 2}), "FLOPs"),
)
_BYTES = _rows({name: 4 * weight for name, weight in _EVERY.items()})
_STORED = _rows({**{name: 4 * weight for name, weight in _EVERY.items()}, "buffers": 4})
_MEGABYTES = (
    Count("binary", "trainable parameters of 4 bytes each, in 2^20 bytes", _BYTES, divisor=2**20),
    Count("decimal", "trainable parameters of 4 bytes each, in millions of bytes", _BYTES, divisor=10**6),
    Count("binary_total", "as binary, with the moving averages of batch norms", _STORED, divisor=2**20),
)

QUANTITIES: dict[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("params", "parameters", _PARAMS),
        Quantity("macs", "MACs", _MACS),
        Quantity("flops", "FLOPs", _FLOPS),
        Quantity("params_share", "% of parameters", _PARAMS, share=True),
        Quantity("macs_share", "% of MACs", _MACS, share=True),
        Quantity("megabytes", "MB", _MEGABYTES),
        Quantity(
            "connections",
            "connections",
            (Count("uses", "one for each use of a weight and of a bias", _connections),),
        ),
        Quantity(
            "activations",
            "activations",
            (
                Count("outputs", "outputs of convolutions and linear layers (units, neurons)", _OUTPUTS),
                Count("outputs_and_pools", "as outputs, and those of pools with a window", _OUTPUTS_AND_POOLS),
            ),
        ),
        Quantity(
            "depth",
            "layers deep",
            (Count("weighted", "convolutions and linear layers on the longest way through", _depth),),
        ),
        Quantity("channels", "channels", (Count("output", "channels of the output", _last(0)),)),
        Quantity("height", "height of the map", (Count("output", "height of the output", _last(1)),)),
    )
}
