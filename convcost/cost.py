"""Totals of a graph: counts summed over its layers, and what the default convention makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.algebra import Num, total
from convcost.layers.base import Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.graph import Node

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
    times: dict[int, list[Num]] = {}
    works: dict[int, Work] = {}
    for node in nodes:  # equal layers share one Work, so that a sum has as many terms as there are kinds of layer
        key = id(node.work)
        works[key] = node.work
        times.setdefault(key, []).append(node.count)
    counts = {key: total(copies) for key, copies in times.items()}
    if len(works) == 1:
        (key, work), count = next(iter(works.items())), next(iter(counts.values()))
        if type(count) is int and count == 1:
            return work
    terms: dict[str, list[Num]] = {}
    for key, work in works.items():
        count = counts[key]
        for name, value in vars(work).items():  # only what it has: most counts of most layers are zero
            terms.setdefault(name, []).append(value * count)
    return Work(**{name: total(values) for name, values in terms.items()})


def per_batch(work: Work, batch: int) -> Work:
    """The counts of ``batch`` samples: operations and elements grow with it, parameters do not."""
    if batch == 1:
        return work
    return Work(**{name: value if name in PER_MODEL else value * batch for name, value in work.as_dict().items()})
