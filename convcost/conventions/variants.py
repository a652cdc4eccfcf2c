"""A network in the variants that people build: other values of its switches and choices, other input sizes."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError
from convcost.spec.build import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from convcost.graph import Graph
    from convcost.spec.model import Spec

SIZES = (32, 64, 96, 112, 128, 160, 192, 224, 227, 231, 240, 256, 260, 288, 299, 300, 320, 331, 380, 384, 416, 448, 512)
MOST_GRAPHS = 200
MOST_LAYERS = 500_000  # of all variants together, so that a huge network is not built again and again
MOST_CHANGES = 2
EFFORT = 2  # of a changed parameter, and of another input


def variants(
    spec: Spec, given: Mapping[str, Any], input_shape: tuple[int, ...] | None, own: Graph, *, resize: bool
) -> Iterator[tuple[dict[str, Any], Graph, int]]:
    """The network itself, then variants of it and other inputs.

    Args:
        spec: linked.
        given: values that are not varied.
        input_shape: an input that is not varied, if given.
        own: the network itself.
        resize: whether to try other input sizes.

    Yields:
        Settings that differ, the graph, and the effort that it takes to assume it. What cannot be built is left out.
    """
    yield {}, own, 0
    left, layers = MOST_GRAPHS, len(own.nodes)
    inputs = _inputs(spec, input_shape, own) if resize else []
    for changes in _changes(spec, given, own):
        for shape in (None, *(inputs if len(changes) < MOST_CHANGES else [])):
            if not changes and shape is None:
                continue
            if left == 0 or layers > MOST_LAYERS:
                return
            left -= 1
            try:
                graph = build(spec, {**given, **changes}, shape or input_shape)
            except ConvcostError:  # a variant, or a size, that this network cannot be built with
                continue
            layers += len(graph.nodes)
            yield changes, graph, EFFORT * (len(changes) + (shape is not None))


def _changes(spec: Spec, given: Mapping[str, Any], own: Graph) -> Iterator[dict[str, Any]]:
    """Other values of the parameters that pick a variant: none changed, one changed, two changed."""
    options = {name: _others(spec, name, own) for name in spec.parameters if name not in given}
    singles = [(name, value) for name, values in options.items() for value in values]
    yield {}
    yield from ({name: value} for name, value in singles)
    for (a, x), (b, y) in combinations(singles, MOST_CHANGES):
        if a != b:
            yield {a: x, b: y}


def _others(spec: Spec, name: str, own: Graph) -> list[Any]:
    parameter = spec.parameters[name]
    if spec.extends is not None and parameter.position.file != spec.body.file:
        return []  # the spec is the variant that this value makes it
    values = (True, False) if parameter.type == "switch" else parameter.choices
    return [value for value in values if value != own.parameters.get(name)]


def _inputs(spec: Spec, input_shape: tuple[int, ...] | None, own: Graph) -> list[tuple[int, ...]]:
    """Square inputs of the sizes that are in use, where the network takes a square input of any size."""
    square = len(own.input) > 1 and len(set(own.input[1:])) == 1
    if input_shape is not None or spec.is_block or not square:
        return []
    axes = len(own.input) - 1
    return [(own.input[0], *(size,) * axes) for size in SIZES if size != own.input[1]]
