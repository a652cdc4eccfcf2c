"""Elements and bytes that move between layers and memory.

Every layer is taken to read its inputs and its constants from memory once and to write its output once; nothing stays
in a cache from one layer to the next. By default norms and activations are fused into the layer before them. Views
(flatten, slice, split, crop, identity, dropout) move nothing. A concatenation copies: it reads every operand and writes
the result; a framework that lets branches write into one tensor saves that. Tensors inside a layer, such as the scores
of attention, are written once and read once.
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import TYPE_CHECKING

from convcost.layers.base import elements
from convcost.metrics.dtypes import bytes_of
from convcost.network.fusion import fusions, need_alike_copies
from convcost.numbers.arithmetic import Num, is_symbolic, total
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.network.graph import Graph, Node

_CONSTANTS = ("weights", "biases", "norm_params", "other_params", "buffers")


class Moved(NamedTuple):
    """What one or more layers move, all copies, per sample.

    Attributes:
        read: elements of input tensors.
        constants: weights, biases and other stored numbers; a batch reads them once.
        written: elements of output tensors.
        flops: operations done on them.
    """

    read: Num
    constants: Num
    written: Num
    flops: Num

    def elements(self, batch: int = 1) -> Num:
        """Elements moved for ``batch`` samples."""
        return (self.read + self.written) * batch + self.constants

    def bytes(self, dtype: str = "float32", weights_dtype: str | None = None, batch: int = 1) -> Num:
        """Bytes moved for ``batch`` samples.

        Raises:
            UsageError: no such number format.
        """
        moving = bytes_of((self.read + self.written) * batch, dtype)
        return moving + bytes_of(self.constants, weights_dtype or dtype)

    def intensity(self, dtype: str = "float32", weights_dtype: str | None = None, batch: int = 1) -> Num | None:
        """Operational intensity: FLOPs per byte; None where nothing moves."""
        size = self.bytes(dtype, weights_dtype, batch)
        if not is_symbolic(size) and not size:
            return None
        if is_symbolic(size) or is_symbolic(self.flops):  # layers that are fused move nothing
            return self.flops * batch / size
        return Fraction(self.flops * batch) / size


NOTHING = Moved(0, 0, 0, 0)


def sum_moved(parts: Iterable[Moved]) -> Moved:
    """The parts of a whole, summed."""
    columns = list(zip(*parts, strict=True))
    return Moved(*(total(column) for column in columns)) if columns else NOTHING


def traffic(graph: Graph, *, fused: bool = True) -> dict[int, Moved]:
    """What every layer moves, by index.

    Args:
        graph: numbers, symbols or arrays.
        fused: as inference engines do it, norms and activations run on the output of the convolution or linear layer
            before them, before it is written (see :func:`convcost.network.fusion.fusions`): they move nothing but
            their slopes, a folded norm leaves a bias per channel, and its operations are those of that bias.

    >>> from convcost import load
    >>> moved = sum_moved(traffic(load("pointwise_conv")).values())
    >>> moved.read == 32 * 56 * 56, moved.written == 64 * 56 * 56, moved.constants == 32 * 64
    (True, True, True)
    """
    by_layer = {node.index: _unfused(node) for node in graph.layers}
    if fused:
        _fuse(graph, by_layer)
    return by_layer


def _constants(node: Node) -> Num:
    return total(getattr(node.work, name) for name in _CONSTANTS) + node.borrowed


def _unfused(node: Node) -> Moved:
    work, count = node.work, node.count
    read, written = work.read + work.inside, work.written + work.inside
    constants = _constants(node)
    return Moved(read * count, constants * count, written * count, work.flops * count)


def _fuse(graph: Graph, by_layer: dict[int, Moved]) -> None:
    biased: set[int] = set()
    fused = fusions(graph)
    need_alike_copies(graph, fused)
    for index, into in fused.items():
        node, head = graph.nodes[index], graph.nodes[into]
        moved = by_layer[into]
        if node.layer.fusing != "folds":
            by_layer[into] = moved._replace(
                constants=moved.constants + _constants(node) * node.count, flops=moved.flops + by_layer[index].flops
            )
        elif "bias_adds" not in vars(head.work) or (is_none(head.work.bias_adds) and into not in biased):
            biased.add(into)
            count = node.count
            by_layer[into] = moved._replace(
                constants=moved.constants + node.shape[0] * count, flops=moved.flops + elements(node.shape) * count
            )
        by_layer[index] = NOTHING


def is_none(count: Num) -> bool:
    """Whether a count is plainly 0; a symbol is not."""
    return type(count) is int and count == 0


class AccessCost(NamedTuple):
    """ShuffleNet V2's memory access cost of a 1x1 convolution.

    Attributes:
        cost: ``hw (c1 + c2) + c1 c2 / g``: elements of the maps and of the weights.
        bound: the least it can be for the same multiply-accumulates, with equally many channels in and out:
            ``2 hw sqrt(c1 c2) + c1 c2 / g``. A float: it is a square root.
    """

    cost: int
    bound: float

    @property
    def excess(self) -> float:
        """How many times the least it is."""
        return self.cost / self.bound


def access_cost(node: Node) -> AccessCost | None:
    """The memory access cost of a layer; None where it is no 1x1 convolution with stride 1, on numbers.

    Source: Ma et al., "ShuffleNet V2" (2018), section 2, equations 1 and 2 (there ``B = hw c1 c2 / g``, so that
    ``2 sqrt(hw B g) + B / hw`` is the bound above; equation 1 is the case g = 1).
    """
    if not node.layer.is_pointwise(node.input, node.shape) or node.input[1:] != node.shape[1:]:
        return None
    c1, c2, area, weights = node.input[0], node.shape[0], elements(node.shape[1:]), node.work.weights
    if not all(isinstance(value, int) for value in (c1, c2, area, weights)):
        return None
    return AccessCost(area * (c1 + c2) + weights, 2 * area * sqrt(c1 * c2) + weights)


def of_additions(graph: Graph, *, fused: bool = True) -> Moved:
    """What the element-wise additions of a residual network move."""
    moved = traffic(graph, fused=fused)
    return sum_moved(
        moved[node.index] for node in graph.layers if node.layer.is_merge and "additions" in vars(node.work)
    )
