"""How a framework implements a network, where the implementation changes what a tool counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.network.graph import Graph, Node


class FormRule(NamedTuple):
    """Layers that are written as ``form``: of a kind, name or family, at paths that fit a pattern."""

    form: str
    kind: str = ""
    path: str = "*"

    def fits(self, node: Node) -> bool:
        """Whether it speaks of ``node``."""
        named = not self.kind or self.kind in (node.kind, node.layer.key, node.layer.family)
        if not named or self.path == "*":
            return named
        from fnmatch import fnmatchcase  # noqa: PLC0415 - only implementations that name layers pay for it

        return fnmatchcase(node.path, self.path)


class Implementation(NamedTuple):
    """What is known of one implementation of one or more networks.

    Attributes:
        networks: names of the specs it is about.
        of: what it is called.
        at: values of parameters for which it holds.
        forms: what layers are written as; the first rule that fits a layer decides.
    """

    networks: tuple[str, ...]
    of: str
    at: Mapping[str, Any]
    forms: tuple[FormRule, ...]

    def fits(self, graph: Graph) -> bool:
        """Whether it is about ``graph``."""
        values = graph.parameters
        return graph.name in self.networks and all(values.get(name) == value for name, value in self.at.items())


class Written(NamedTuple):
    """A graph as an implementation writes it.

    Attributes:
        forms: of every layer that is not a module, by index.
        notes: what a reader must know of it.
    """

    forms: Mapping[int, str]
    notes: tuple[str, ...]


def as_written(graph: Graph, implementations: Sequence[Implementation]) -> Written:
    """How the first of ``implementations`` that is about ``graph`` writes it; all modules where none is."""
    implementation = next((each for each in implementations if each.fits(graph)), None)
    if implementation is None:
        return Written({}, ())
    forms: dict[int, str] = {}
    for node in graph.layers:
        rule = next((rule for rule in implementation.forms if rule.fits(node)), None)
        if rule is not None and rule.form != "module":
            forms[node.index] = rule.form
    notes = (f"{graph.name} as {implementation.of} writes it",) if forms else ()
    return Written(forms, notes)
