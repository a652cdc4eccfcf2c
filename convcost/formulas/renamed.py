"""A network under other names of its parameters, so that formulas of several networks can share a name."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from convcost.language.check import fixed_names
from convcost.language.interpret import build
from convcost.language.model import Imported
from convcost.network.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.language.model import Spec


class Renamed(Imported):
    """A network with other names for some of its parameters.

    Args:
        spec: linked.
        names: the new name of a parameter, by its own.
    """

    __slots__ = ("_names", "_spec")

    def __init__(self, spec: Spec, names: Mapping[str, str]) -> None:
        super().__init__(spec.name, spec.position)
        self._spec, self._names = spec, dict(names)
        self.title = spec.title
        self.input_names = spec.input_names
        self.input_sizes = spec.input_sizes
        for name, parameter in spec.parameters.items():
            twin = copy(parameter)
            twin.name = self._new(name)
            self.parameters[twin.name] = twin

    def _new(self, name: str) -> str:
        return self._names.get(name, name)

    def size_parameters(self) -> set[str]:
        """Those of the network."""
        return set(map(self._new, self._spec.size_parameters()))

    def structural(self) -> set[str]:
        """Those that cannot be symbols in the network."""
        return set(map(self._new, fixed_names(self._spec)))

    def make(self, values: Mapping[str, Any], input_shape: Any) -> Graph:
        """The graph at these values; see :meth:`convcost.language.model.Imported.make`."""
        own = {name: values[self._new(name)] for name in self._spec.names if self._new(name) in values}
        graph = build(self._spec, own, input_shape, partial=True)
        parameters = {self._new(name): value for name, value in graph.parameters.items()}
        made = Graph(
            graph.name,
            graph.title,
            parameters,
            graph.nodes,
            graph.output,
            graph.outputs,
            graph.assumptions,
            unknown=graph.unknown,
            notes=graph.notes,
        )
        made.series, made.limits = graph.series, graph.limits
        return made
