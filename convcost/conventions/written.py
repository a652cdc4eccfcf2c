"""How a network is written in a framework, where a tool that hooks modules or calls would tell the difference."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.graph import Node
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.graph import Graph


class FormRule(NamedTuple):
    """Layers that are written as ``form``: of a kind, name or family, at paths that fit a pattern."""

    form: str
    kind: str = ""
    path: str = "*"

    def fits(self, node: Node) -> bool:
        """Whether it speaks of ``node``."""
        named = not self.kind or self.kind in (node.kind, node.layer.key, node.layer.family)
        return named and fnmatchcase(node.path, self.path)


class Addition(NamedTuple):
    """A layer that an implementation has after the last layer at ``after``, and that changes nothing at that size."""

    layer: str
    values: Mapping[str, Any]
    after: str


class Implementation(NamedTuple):
    """What is known of one implementation of one or more networks.

    Attributes:
        networks: names of the specs it is about.
        of: what it is called.
        at: values of parameters for which it holds.
        forms: what layers are written as; the first rule that fits a layer decides.
        adds: layers that the spec does not have.
    """

    networks: tuple[str, ...]
    of: str
    at: Mapping[str, Any]
    forms: tuple[FormRule, ...]
    adds: tuple[Addition, ...]

    def fits(self, graph: Graph) -> bool:
        """Whether it is about ``graph``."""
        values = graph.parameters
        return graph.name in self.networks and all(values.get(name) == value for name, value in self.at.items())


class Written(NamedTuple):
    """A graph as an implementation writes it.

    Attributes:
        forms: of every layer that is not a module, by index.
        extra: layers that the graph does not have.
        notes: what a reader must know of it.
    """

    forms: Mapping[int, str]
    extra: tuple[Node, ...]
    notes: tuple[str, ...]


def as_written(graph: Graph, implementations: Sequence[Implementation]) -> Written:
    """How the first of ``implementations`` that is about ``graph`` writes it; all modules where none is."""
    found = next((one for one in implementations if one.fits(graph)), None)
    if found is None:
        return Written({}, (), ())
    forms: dict[int, str] = {}
    for node in graph.layers:
        rule = next((rule for rule in found.forms if rule.fits(node)), None)
        if rule is not None and rule.form != "module":
            forms[node.index] = rule.form
    adds = [one for one in found.adds if all(node.layer.key != one.layer for node in graph.layers)]
    notes = [f"{graph.name} as {found.of} writes it"] if forms or adds else []
    extra: list[Node] = []
    for addition in adds:
        added = _added(graph, addition)
        if added is not None:
            extra.append(added)
            notes.append(f"with its {addition.layer} after the last pool, which changes nothing at this size")
        else:
            notes.append(f"without its {addition.layer} after the last pool, which makes another network at this size")
    return Written(forms, tuple(extra), tuple(notes))


def _added(graph: Graph, addition: Addition) -> Node | None:
    """The layer as a node; None where it would change the shape, or there is nothing to add it to."""
    before = next((node for node in reversed(graph.layers) if fnmatchcase(node.path, addition.after)), None)
    if before is None:
        return None
    layer = REGISTRY[addition.layer](**addition.values)
    shape = layer.shape(before.shape)
    if shape != before.shape:
        return None
    work = layer.work(before.shape, shape)
    reads = ((before.index, 1),)
    path = f"{before.path}+{addition.layer}"
    kind = layer.kind_of(before.shape, shape)
    return Node(len(graph.nodes), path, 1, layer, kind, reads, before.shape, shape, work, before.count, None)
