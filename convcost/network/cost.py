"""Totals of a graph: counts summed over its layers, and the quantities that are made of them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from convcost.layers.base import Work
from convcost.numbers.arithmetic import Num, total, weighted
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from convcost.layers.base import Layer
    from convcost.network.graph import Graph, Node


class Quantity(NamedTuple):
    """A count of a network that formulas, ratios, budgets, proofs and tables name alike.

    Attributes:
        key: its name.
        title: how it is written for people.
        doc: what is counted, in a phrase.
        field: the count of :class:`~convcost.layers.base.Work` that is summed.
        layers: of which layers; of all of them where None.
        full: all that is in it, in words, where the phrase leaves something out.
    """

    key: str
    title: str
    doc: str
    field: str
    layers: Callable[[Layer], bool] | None = None
    full: str = ""

    def of(self, nodes: Iterable[Node], work: Work) -> Num:
        """The count of ``nodes``, parallel copies included, per sample: of any algebra.

        Args:
            nodes: the layers.
            work: the sum of their counts.
        """
        if self.layers is None:
            return getattr(work, self.field)
        return total(getattr(node.work, self.field) * node.count for node in nodes if self.layers(node.layer))


_PLAIN = (
    Quantity(
        "params",
        "params",
        "all trainable",
        "params",
        full="all trainable parameters (weights, biases, norm scale and shift, PReLU slopes)",
    ),
    Quantity(
        "macs",
        "MACs",
        "convolutions, linear layers and matrix products, without bias",
        "macs",
        full="multiply-accumulates of convolutions, linear layers and matrix products, bias not counted",
    ),
    Quantity(
        "flops",
        "FLOPs",
        "2 x MACs + all other arithmetic",
        "flops",
        full="2 x MACs plus every other arithmetic operation (bias, norm, activation, pooling, add)",
    ),
)
_TENSORS = (
    Quantity(
        "activations",
        "activations",
        "elements of the outputs of convolutions and linear layers",
        "written",
        lambda layer: layer.is_weighted,
    ),
    Quantity(  # Radosavovic et al., "Designing Network Design Spaces" (2020), section 3.3
        "conv_activations",
        "conv activations",
        "elements of the outputs of convolutions",
        "written",
        lambda layer: layer.is_convolution,
    ),
    Quantity("outputs", "outputs", "elements of the outputs of all layers", "written"),
)
_PARTS = (
    Quantity("weights", "weights", "weights of convolutions and linear layers", "weights"),
    Quantity("biases", "biases", "biases", "biases"),
    Quantity("norm_params", "norm params", "scales and shifts of norms", "norm_params"),
    Quantity("other_params", "other params", "PReLU slopes and layer scales", "other_params"),
)
PLAIN_QUANTITIES = tuple(quantity.key for quantity in _PLAIN)  # what every table of costs has
TENSORS = tuple(quantity.key for quantity in _TENSORS)
PARTS = tuple(quantity.key for quantity in _PARTS)  # of the parameters
ALL_QUANTITIES: dict[str, Quantity] = {quantity.key: quantity for quantity in (*_PLAIN, *_TENSORS, *_PARTS)}
QUANTITIES = {key: quantity for key, quantity in ALL_QUANTITIES.items() if key not in PARTS}
PLAIN_COUNTS = {quantity.key: quantity.full for quantity in _PLAIN}
CONVENTION_LINE = " ".join(f"{quantity.title}: {quantity.doc}." for quantity in _PLAIN)
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
        return Work(**{name: value * count for name, value in vars(work).items()})
    terms: defaultdict[str, list[tuple[Num, Num]]] = defaultdict(list)
    for work, count in counts.items():
        for name, value in vars(work).items():  # only what it has: most counts of most layers are zero
            terms[name].append((value, count))
    return Work(**{name: weighted(parts) for name, parts in terms.items()})


def unknown_line(graph: Graph) -> str:
    """What may do multiply-accumulates and is not known, by operator with its count and a reason.

    >>> from convcost import load
    >>> unknown_line(load("plain"))
    ''
    """
    reasons_of: dict[str, list[str]] = {}
    for operation in graph.unknown:
        if operation.heavy:
            reasons_of.setdefault(operation.operator, []).append(operation.reason)
    return "; ".join(f"{len(reasons)} {name} ({reasons[0]})" for name, reasons in reasons_of.items())


def folded_channels(node: Node) -> Num:
    """Channels of a norm with stored statistics (a batch norm): a bias each is left of it once it is folded."""
    return node.shape[0] if node.layer.is_norm and "buffers" in vars(node.work) else 0


def per_batch(work: Work, batch: int) -> Work:
    """The counts of ``batch`` samples: operations and elements grow with it, parameters do not."""
    if batch == 1:
        return work
    return Work(**{name: value if name in PER_MODEL else value * batch for name, value in work.as_dict().items()})
