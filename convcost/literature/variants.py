"""Common variants of a network: other values of its switches and choices, other input sizes."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError
from convcost.literature.stories import COST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.language.model import Spec
    from convcost.literature.numbers import Book, Counted

SIZES = (32, 64, 96, 112, 128, 160, 192, 224, 227, 231, 240, 256, 260, 288, 299, 300, 320, 331, 380, 384, 416, 448, 512)
MOST_GRAPHS = 200
MOST_LAYERS = 500_000  # of all variants together, so that a huge network is not built again and again
MOST_CHANGES = 2


def variants(
    spec: Spec,
    given: Mapping[str, Any],
    input_shape: tuple[int, ...] | None,
    own: Counted,
    printed: Sequence[tuple[Mapping[str, Any], tuple[int, ...] | None, int]] = (),
    *,
    resize: bool,
    book: Book,
) -> Iterator[tuple[dict[str, Any], Counted, int]]:
    """The network itself, then those that its published figures are about, then other variants and inputs.

    Args:
        spec: linked.
        given: values that are not varied.
        input_shape: an input that is not varied, if given.
        own: the network itself.
        printed: settings and inputs of published figures, each with what it costs to assume them.
        resize: whether to try other input sizes.
        book: what is known about these networks; new ones are added to it.

    Yields:
        Settings that differ, the network, and what it costs to assume it. What cannot be built is left out.
    """
    yield {}, own, 0
    left, layers = MOST_GRAPHS, own.size
    seen = {_key({}, None, own)}
    for settings, shape, cost in printed:
        if any(name in given for name in settings) or (shape is not None and input_shape is not None):
            continue
        network = _built(book, {**given, **settings}, shape or input_shape)
        if network is None:
            continue
        changes = {name: value for name, value in settings.items() if value != own.graph.parameters.get(name)}
        key = _key(changes, shape, own)
        if key not in seen:
            seen.add(key)
            layers += network.size
            yield changes, network, cost
    inputs = _inputs(spec, input_shape, own) if resize else []
    for changes in _changes(spec, given, own):
        for shape in (None, *(inputs if len(changes) < MOST_CHANGES else [])):
            if _key(changes, shape, own) in seen:
                continue
            if left == 0 or layers > MOST_LAYERS:
                return
            left -= 1
            network = _built(book, {**given, **changes}, shape or input_shape)
            if network is not None:
                layers += network.size
                yield changes, network, COST["change"] * (len(changes) + (shape is not None))


def _built(book: Book, values: Mapping[str, Any], shape: tuple[int, ...] | None) -> Counted | None:
    """A variant; None where this network cannot be built with these values or at this size."""
    try:
        return book.network(values, shape)
    except ConvcostError:
        return None


def _key(changes: Mapping[str, Any], shape: tuple[int, ...] | None, own: Counted) -> str:
    return repr((sorted(changes.items(), key=str), shape or own.input))


def _changes(spec: Spec, given: Mapping[str, Any], own: Counted) -> Iterator[dict[str, Any]]:
    """Other values of the parameters that pick a variant: none changed, one changed, two changed."""
    options = {name: _others(spec, name, own) for name in spec.parameters if name not in given}
    singles = [(name, value) for name, values in options.items() for value in values]
    yield {}
    yield from ({name: value} for name, value in singles)
    for (a, x), (b, y) in combinations(singles, MOST_CHANGES):
        if a != b:
            yield {a: x, b: y}


def _others(spec: Spec, name: str, own: Counted) -> list[Any]:
    parameter = spec.parameters[name]
    if spec.extends is not None and parameter.position.file != spec.body.file:
        return []  # the spec is the variant that this value makes it
    values = (True, False) if parameter.type == "switch" else parameter.choices
    return [value for value in values if value != own.graph.parameters.get(name)]


def _inputs(spec: Spec, input_shape: tuple[int, ...] | None, own: Counted) -> list[tuple[int, ...]]:
    """Square inputs of the sizes that are in use, where the network takes a square input of any size."""
    square = len(own.input) > 1 and len(set(own.input[1:])) == 1
    if input_shape is not None or spec.is_block or not square:
        return []
    axes = len(own.input) - 1
    return [(own.input[0], *(size,) * axes) for size in SIZES if size != own.input[1]]
