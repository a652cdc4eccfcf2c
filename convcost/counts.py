"""What papers count: one function per convention, over the nodes of a network or of a part of it.

A printed figure names a quantity (``params``, ``macs`` ...) and, where it is not the default one, the convention
that it was counted by: ``4.2M`` parameters of MobileNet are its weights alone, ``23.85M`` of Keras' Inception
include moving averages. ``convcost verify`` holds printed figures against these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.algebra import Num, divide, total
from convcost.cost import folded_channels, sum_work
from convcost.layers.base import Shape, Work, elements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.graph import Node


class Count(NamedTuple):
    """One convention.

    Attributes:
        name: what ``counts`` calls it.
        doc: what is counted, in words.
        rule: the count of some nodes, per sample.
    """

    name: str
    doc: str
    rule: Callable[[Sequence[Node]], Num]


class Quantity(NamedTuple):
    """What a figure is a figure of.

    Attributes:
        name: its key in a claim.
        title: its name in tables.
        counts: the conventions it can be counted by, the default first.
        share: whether figures are per cent of the whole network.
    """

    name: str
    title: str
    counts: tuple[Count, ...]
    share: bool = False


def _of_work(rule: Callable[[Work], Num]) -> Callable[[Sequence[Node]], Num]:
    return lambda nodes: rule(sum_work(nodes))


def _normalised(nodes: Sequence[Node]) -> Num:
    """Channels that pass a norm with stored statistics (a batch norm), each as often as they do."""
    return total(folded_channels(node) * node.count for node in nodes)


def _folded(nodes: Sequence[Node]) -> Num:
    work = sum_work(nodes)
    return work.weights + work.biases + work.other_params + _normalised(nodes)


def _folded_total(nodes: Sequence[Node]) -> Num:
    return _folded(nodes) + sum_work(nodes).buffers


def _convolutions(nodes: Sequence[Node]) -> Num:
    return sum_work(node for node in nodes if node.layer.is_convolution).macs


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


def _merges(nodes: Sequence[Node]) -> Num:
    merged = sum_work(node for node in nodes if node.layer.is_merge)
    return sum_work(nodes).macs + merged.additions + merged.multiplications


def _bytes(divisor: int) -> Callable[[Sequence[Node]], Num]:
    return lambda nodes: divide(4 * sum_work(nodes).params, divisor)


def _activations(nodes: Sequence[Node]) -> Num:
    counted = (node for node in nodes if node.layer.is_weighted)
    return total(elements(node.shape) * node.count for node in counted)


def _depth(nodes: Sequence[Node]) -> int:
    longest: dict[int, int] = {}
    for node in nodes:
        before = max((longest.get(index, 0) for index, _ in node.inputs), default=0)
        longest[node.index] = before + int(node.layer.is_weighted)
    return max(longest.values(), default=0)


def _last(axis: int) -> Callable[[Sequence[Node]], Num]:
    def size(nodes: Sequence[Node]) -> Num:
        shape: Shape = nodes[-1].shape
        return shape[axis] if axis < len(shape) else 1

    return size


_PARAMS = (
    Count("trainable", "every trainable parameter", _of_work(lambda w: w.params)),
    Count("weights", "weights of convolutions and linear layers; no bias, no norm", _of_work(lambda w: w.weights)),
    Count("weights_and_biases", "weights and biases; no norm", _of_work(lambda w: w.weights + w.biases)),
    Count("weights_and_norms", "weights, and norms; no bias", _of_work(lambda w: w.weights + w.norm_params)),
    Count("folded", "batch norms folded into one bias a channel, and PReLU slopes", _folded),
    Count("total", "trainable ones and the moving averages of batch norms", _of_work(lambda w: w.params + w.buffers)),
    Count("folded_total", "as total, where batch norms have a shift and no scale", _folded_total),
)
_MACS = (
    Count("all", "multiply-accumulates of convolutions and linear layers", _of_work(lambda w: w.macs)),
    Count("convolutions", "multiply-accumulates of convolutions; the classifier is left out", _convolutions),
)
_FLOPS = (
    Count("every", "2 x MACs and every other arithmetic operation", _of_work(lambda w: w.flops)),
    Count("macs", "MACs: a multiplication and its addition are one", _of_work(lambda w: w.macs)),
    Count("macs_of_convolutions", "MACs of convolutions; the classifier is left out", _convolutions),
    Count("macs_and_merges", "MACs, and the additions and products of shortcuts and gates", _merges),
    Count("twice_macs", "2 x MACs and nothing else", _of_work(lambda w: 2 * w.macs)),
)

_MEGABYTES = (
    Count("binary", "trainable parameters of 4 bytes each, in 2^20 bytes", _bytes(2**20)),
    Count("decimal", "trainable parameters of 4 bytes each, in millions of bytes", _bytes(10**6)),
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
            (Count("outputs", "outputs of convolutions and linear layers (units, neurons)", _activations),),
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
