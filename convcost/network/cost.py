"""Totals of a graph: counts summed over its layers, and parameters, MACs and FLOPs from them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from convcost.layers.base import Work
from convcost.numbers.arithmetic import Num, total

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.network.graph import Node

PLAIN_COUNTS = {
    "params": "all trainable parameters (weights, biases, norm scale and shift, PReLU slopes)",
    "macs": "multiply-accumulates of convolutions and linear layers, bias not counted",
    "flops": "2 x MACs plus every other arithmetic operation (bias, norm, activation, pooling, add)",
}
CONVENTION_LINE = (
    "params: all trainable. MACs: convolutions and linear layers, without bias. FLOPs: 2 x MACs + all other arithmetic."
)
PER_MODEL = ("weights", "biases", "norm_params", "other_params", "buffers")  # a batch does not multiply these


def sum_work(nodes: Iterable[Node]) -> Work:
    """The counts of ``nodes`` summed, parallel copies included, per sample."""
    return sum_of((node.work, node.count) for node in nodes)


def sum_of(parts: Iterable[tuple[Work, Num]]) -> Work:
    """A sum of works, each times a number of copies."""
    copies: defaultdict[Work, list[Num]] = defaultdict(list)
    for work, times in parts:  # equal layers share one Work, so that a sum has as many terms as kinds of layer
        copies[work].append(times)
    counts = {work: total(times) for work, times in copies.items()}
    if len(counts) == 1:
        ((work, count),) = counts.items()
        if type(count) is int and count == 1:
            return work
    terms: defaultdict[str, list[Num]] = defaultdict(list)
    for work, count in counts.items():
        for name, value in vars(work).items():  # only what it has: most counts of most layers are zero
            terms[name].append(value * count)
    return Work(**{name: total(values) for name, values in terms.items()})


def folded_channels(node: Node) -> Num:
    """Channels of a norm with stored statistics (a batch norm): a bias each is left of it once it is folded."""
    return node.shape[0] if node.layer.is_norm and "buffers" in vars(node.work) else 0


def per_batch(work: Work, batch: int) -> Work:
    """The counts of ``batch`` samples: operations and elements grow with it, parameters do not."""
    if batch == 1:
        return work
    return Work(**{name: value if name in PER_MODEL else value * batch for name, value in work.as_dict().items()})
