"""Choices of a run: what each step with ``choose`` takes, which layers it makes, and what reads a chosen parameter.

A plain run takes the first value of every list. A run for a design space is told what to take, and notes what happened:
the places where something was chosen, as a tree, and for each layer the chosen parameters that were read on the way to
it. A layer that no chosen parameter was read for is the same for all their values, as long as what it reads has the
same shape: this is what makes costs of independent choices add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.errors import Position
    from convcost.network.graph import Tensor


class Site:
    """One run of a step with ``choose``.

    Attributes:
        key: its place in the tree of sites: numbers of the sites around it and its own, from 0 each.
        path: where it is in the network.
        names: what is chosen.
        options: the values of the names, a row for each combination.
        picked: the index of the row that was taken.
        start, end: the layers that it made: indices of nodes.
        entering, leaving: the tensors before and after it.
        scope: the number of the scope that it runs in.
        position: where its ``choose`` is written.
        opened: whether later steps may read more of it than the leaving tensor, by a name that was given in it.
    """

    __slots__ = (
        "end",
        "entering",
        "inside",
        "key",
        "leaving",
        "named",
        "names",
        "opened",
        "options",
        "path",
        "picked",
        "position",
        "scope",
        "start",
    )

    def __init__(  # noqa: PLR0913 - a record
        self,
        key: tuple[int, ...],
        path: str,
        names: Sequence[str],
        options: Sequence[tuple[Any, ...]],
        picked: int,
        start: int,
        entering: Tensor,
        scope: int,
        position: Position,
    ) -> None:
        self.key = key
        self.path = path
        self.names = tuple(names)
        self.options = options
        self.picked = picked
        self.start = self.end = start
        self.entering = self.leaving = entering
        self.scope = scope
        self.position = position
        self.opened = False
        self.named: list[Tensor] = []  # tensors that got a name in it
        self.inside = 0  # sites directly in it so far


class Choices:
    """What a run takes, and what it noted.

    Attributes:
        picks: the option of each site by its key; the first of those that are not in it.
        parameters: values of the parameters whose reads are noted.
        sites: in the order in which they began.
        reads: how many reads of these parameters there were.
        depends: for each layer, by index of its node, the parameters that were read on the way to it.
        outside: the parameters that were read outside all steps, as in the size of the input.
    """

    def __init__(self, picks: Mapping[tuple[int, ...], int], parameters: Mapping[str, Any]) -> None:
        self.picks = picks
        self.parameters = parameters
        self.sites: list[Site] = []
        self.reads = 0
        self.depends: dict[int, set[str]] = {}
        self.outside: set[str] = set()
        self._open: list[Site] = []
        self._top = 0
        self._steps: list[set[str]] = []
        self._closed = False

    def begin(
        self,
        path: str,
        names: Sequence[str],
        options: Sequence[tuple[Any, ...]],
        start: int,
        entering: Tensor,
        scope: int,
        position: Position,
    ) -> tuple[Any, ...]:
        """The row that a site takes, which begins with the layer ``start``."""
        if self._open:
            around = self._open[-1]
            key = (*around.key, around.inside)
            around.inside += 1
        else:
            key = (self._top,)
            self._top += 1
        site = Site(key, path, names, options, self.picks.get(key, 0), start, entering, scope, position)
        self.sites.append(site)
        self._open.append(site)
        return site.options[site.picked]

    def finish(self, end: int, leaving: Tensor) -> None:
        """Note the end of the site that began last."""
        site = self._open.pop()
        site.end, site.leaving = end, leaving
        site.opened = site.opened or any(tensor.node != leaving.node for tensor in site.named)

    def name(self, scope: int, tensor: Tensor, *, inside: bool) -> None:
        """Note that a tensor got a name in a scope, and whether those inside its block can be read as well."""
        for site in self._open:
            if site.scope == scope:
                site.named.append(tensor)
                site.opened = site.opened or inside

    def read(self, name: str) -> Any:
        """The value of a chosen parameter, for the step that runs."""
        self.reads += 1
        if self._steps:
            self._steps[-1].add(name)
        elif not self._closed:
            self.outside.add(name)
        return self.parameters[name]

    def close(self) -> None:
        """Note no further reads: the network is whole."""
        self._closed = True

    def enter(self) -> None:
        """Note that a step begins."""
        self._steps.append(set())

    def leave(self, start: int, end: int) -> None:
        """Note that the step ends, which made the layers from ``start`` up to ``end``."""
        names = self._steps.pop()
        if names:
            for index in range(start, end):
                self.depends.setdefault(index, set()).update(names)
