"""Which channels of the input a channel of the output depends on, through all layers and paths.

A standard convolution reads all channels, a group convolution those of its group. So the channels of stacked group
convolutions never meet those of another group, unless something moves them between: a channel shuffle.

Source: Zhang et al., "ShuffleNet" (2018), section 3.1 and figure 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError

if TYPE_CHECKING:
    from convcost.network.graph import Graph, Node

MOST = 1 << 26  # bits of all sets together


class Mixed(NamedTuple):
    """What the channels of one layer depend on.

    Attributes:
        node: the layer.
        seen: for each channel, the set of input channels as bits.
    """

    node: Node
    seen: tuple[int, ...]

    @property
    def least(self) -> int:
        """Input channels that the channel with the fewest depends on."""
        return min(bits.bit_count() for bits in self.seen)

    @property
    def most(self) -> int:
        """Input channels that the channel with the most depends on."""
        return max(bits.bit_count() for bits in self.seen)


def channels(graph: Graph) -> list[Mixed]:
    """What the channels of every layer depend on; of several inputs, their channels are numbered one after another.

    Raises:
        UnsupportedError: a size is no number, a layer does not say which channels it reads, or there are too many.

    >>> from convcost import load
    >>> [(mixed.least, mixed.most) for mixed in channels(load("shuffle_unit", I=12, M=6, g=3))][:4]
    [(4, 4), (4, 4), (4, 4), (4, 4)]
    """
    if any(type(size) is not int for node in graph.nodes for size in node.shape):
        raise UnsupportedError("channels are followed through numbers; this network has symbolic sizes")
    width = sum(graph.nodes[index].shape[0] for index in graph.inputs.values())
    if width * sum(node.shape[0] for node in graph.nodes) > MOST:
        raise UnsupportedError("the network has too many channels to follow each of them")
    seen: dict[int, tuple[int, ...]] = {}
    first = 0
    for index in graph.inputs.values():
        own = graph.nodes[index].shape[0]
        seen[index] = tuple(1 << channel for channel in range(first, first + own))
        first += own
    result: list[Mixed] = []
    for node in graph.layers:
        operands = [seen[index] for index, _ in node.inputs]
        try:
            made = node.layer.reads_channels(operands, graph.input_of(node), node.shape)
        except UnsupportedError as error:
            raise UnsupportedError(f"{node.path}: {error}") from None
        seen[node.index] = tuple(made)
        result.append(Mixed(node, seen[node.index]))
    return result
