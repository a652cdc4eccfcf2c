"""Receptive fields of the layers of a graph: the positions of the input that each depends on, through all paths.

Source: Araujo, Norris and Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill (2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.layers.reach import ITSELF, merged, mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.layers.reach import ReceptiveField
    from convcost.network.graph import Graph, Node


class Seen(NamedTuple):
    """What a layer's output sees of the input.

    Attributes:
        node: the layer.
        fields: per axis of the input.
        through: index of the layer whose output carries the largest field to it; None for the input.
        everywhere: whether every position sees the whole input besides, through a global pool that scales or shifts
            the map (squeeze-and-excitation) or a group norm; ``fields`` are those of the other paths.
    """

    node: Node
    fields: tuple[ReceptiveField, ...]
    through: int | None
    everywhere: bool

    @property
    def sizes(self) -> tuple[int, ...]:
        """Receptive field per axis."""
        return tuple(field.size for field in self.fields)


def receptive_fields(graph: Graph) -> dict[int, Seen]:
    """What the output of every layer sees of the input, by index; the input itself under 0.

    A flat tensor (after a linear or flatten layer) sees all that any position of the map before it sees.

    Raises:
        UnsupportedError: a size is no number, the input is flat, or branches of different strides are merged.

    >>> from convcost import load
    >>> receptive_fields(load("two_3x3"))[2].sizes, receptive_fields(load("one_5x5"))[1].sizes
    ((5, 5), (5, 5))
    """
    if any(type(size) is not int for node in graph.nodes for size in node.shape):
        raise UnsupportedError("receptive fields are evaluated on numbers; this network has symbolic sizes")
    axes = len(graph.input) - 1
    if axes == 0:
        raise UnsupportedError("a flat input has no positions, so nothing has a receptive field")
    if any(len(graph.nodes[index].shape) - 1 != axes for index in graph.inputs.values()):
        raise UnsupportedError("its inputs have different numbers of axes, so no position has one receptive field")
    seen = {
        index: Seen(graph.nodes[index], (ITSELF,) * axes, None, everywhere=False) for index in graph.inputs.values()
    }
    for node in graph.layers:
        operands = [seen[index] for index, _ in node.inputs]
        if node.layer.operands is not None:
            made = _combine(node, operands, graph.input_of(node))
        elif node.layer.merges:
            made = _merge(node, list(dict.fromkeys(operands)))
        else:
            made = _pass(node, operands[0])
        seen[node.index] = made
    return seen


def _combine(node: Node, operands: Sequence[Seen], x: Any) -> Seen:
    """What a layer with a fixed number of operands makes of them, which it states for all of them at once."""
    axes = range(len(operands[0].fields))
    fields = tuple(
        node.layer.reads([operand.fields[axis] for operand in operands], axis, x, node.shape) for axis in axes
    )
    widest = max(operands, key=lambda operand: operand.sizes)
    everywhere = node.layer.reads_whole_map or any(operand.everywhere for operand in operands)
    return Seen(node, fields, widest.node.index, everywhere)


def _merge(node: Node, operands: Sequence[Seen]) -> Seen:
    """A position sees what it reads of every operand; a map of 1x1 beside larger ones reaches all positions."""
    maps = [operand for operand in operands if operand.node.shape[1:] == node.shape[1:]]
    axes = range(len(operands[0].fields))
    if maps:
        fields = tuple(_along(node, [operand.fields[axis] for operand in maps], axis) for axis in axes)
    else:
        shapes = [operand.node.shape for operand in operands]
        fields = tuple(mixed([operand.fields[axis] for operand in operands], axis, shapes) for axis in axes)
    widest = max(maps or operands, key=lambda operand: operand.sizes)
    beside = bool(maps) and len(maps) < len(operands)
    everywhere = beside or node.layer.reads_whole_map or any(operand.everywhere for operand in operands)
    return Seen(node, fields, widest.node.index, everywhere)


def _pass(node: Node, before: Seen) -> Seen:
    fields = before.fields
    if len(node.input) > 1:  # what is flat already has seen all of the map before it
        fields = tuple(_along(node, field, axis) for axis, field in enumerate(fields))
    return Seen(node, fields, before.node.index, before.everywhere or node.layer.reads_whole_map)


def _along(node: Node, field: ReceptiveField | list[ReceptiveField], axis: int) -> ReceptiveField:
    """What the output of a layer depends on along an axis, where its input depends on ``field``."""
    if isinstance(field, list):
        if any(part.jump == 0 for part in field):
            return merged(field)
    elif field.jump == 0:  # all positions see the same, whatever the layer reads of them
        return field
    try:
        return node.layer.reads(field, axis, node.input, node.shape)
    except UnsupportedError as error:
        raise UnsupportedError(f"{node.path}: {error}") from None


def last_map(graph: Graph) -> Node:
    """The last layer before the output whose map has more than one position; the input if no layer has."""
    leads = {graph.output}
    for node in reversed(graph.nodes):
        if node.index in leads:
            if any(size != 1 for size in node.shape[1:]):
                return node
            leads.update(index for index, _ in node.inputs)
    return graph.nodes[0]


def path_of(graph: Graph, seen: dict[int, Seen], index: int) -> list[Node]:
    """The layers that carry the largest field from the input to a layer, the layer itself last."""
    path = []
    here: int | None = index
    while here:
        path.append(graph.nodes[here])
        here = seen[here].through
    return path[::-1]


def outgrown_at(seen: dict[int, Seen]) -> Node | None:
    """The first layer with a map of several positions that sees more along some axis than the input has."""
    sizes = seen[0].node.shape[1:]
    for layer in seen.values():
        is_map = any(size != 1 for size in layer.node.shape[1:])
        if is_map and any(field > size for field, size in zip(layer.sizes, sizes, strict=True)):
            return layer.node
    return None
