"""Numbers of networks: a network is built only for a number that is not known yet.

``explain`` and ``verify`` ask for thousands of numbers of hundreds of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.conventions.reported import Ledger
from convcost.errors import ConvcostError
from convcost.language.interpret import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from convcost.language.model import Spec
    from convcost.network.graph import Graph

Page = dict[str, list[int]]  # numbers of a network, by what they are; empty if it cannot be built


class Counted:
    """The numbers of one network.

    Args:
        build: makes its graph.
        page: the numbers that are known; new ones are added to it.
    """

    __slots__ = ("_build", "_ledger", "_page")

    def __init__(self, build: Callable[[], Graph], page: Page) -> None:
        self._build = build
        self._page = page
        self._ledger: Ledger | None = None

    @property
    def ledger(self) -> Ledger:
        """Sums over the graph, which is built when it is first needed."""
        if self._ledger is None:
            self._ledger = Ledger(self._build())
        return self._ledger

    @property
    def graph(self) -> Graph:
        """The network, built when it is first needed."""
        return self.ledger.graph

    @property
    def input(self) -> tuple[int, ...]:
        """The shape that the network runs on."""
        return tuple(self.numbers("input", lambda: self.graph.input))

    @property
    def size(self) -> int:
        """How many nodes its graph has."""
        return self.numbers("nodes", lambda: [len(self.graph.nodes)])[0]

    def numbers(self, name: str, count: Callable[[], Iterable[int]]) -> list[int]:
        """Numbers of the network, counted if they are not known.

        Args:
            name: what they are; no other numbers of a network have this name.
            count: counts them.
        """
        numbers = self._page.get(name)
        if numbers is None:
            numbers = self._page[name] = list(count())
        return numbers


class Book:
    """The numbers of the networks that a spec builds.

    Args:
        linked: the spec; asked for when a network is built.
        pages: what is known about its networks.

    Attributes:
        pages: the numbers of each network, by the values and the input that it is built with.
    """

    __slots__ = ("_extent", "_failed", "_linked", "_networks", "pages")

    def __init__(self, linked: Callable[[], Spec], pages: dict[str, Page] | None = None) -> None:
        self._linked = linked
        self.pages: dict[str, Page] = {} if pages is None else pages
        self._extent = self._size()
        self._networks: dict[str, Counted] = {}
        self._failed: dict[str, ConvcostError] = {}

    def _size(self) -> int:
        return len(self.pages) + sum(map(len, self.pages.values()))

    @property
    def grown(self) -> bool:
        """Whether numbers were added."""
        return self._size() > self._extent

    def network(self, values: Mapping[str, Any], shape: tuple[int, ...] | None = None) -> Counted:
        """A network; it is built if nothing is known about it.

        Args:
            values: of parameters.
            shape: an input in place of the spec's own, or None.

        Raises:
            ConvcostError: it cannot be built.
        """
        key = repr((sorted(values.items(), key=str), shape))
        if key in self._failed:
            raise self._failed[key]
        if self.pages.get(key) == {}:
            raise ConvcostError("this network cannot be built")
        if key not in self._networks:
            self._networks[key] = self._made(key, lambda: build(self._linked(), values, shape))
        return self._networks[key]

    def _made(self, key: str, graph: Callable[[], Graph]) -> Counted:
        """A network of which at least the input and the size are known."""
        network = Counted(graph, self.pages.setdefault(key, {}))
        try:
            _ = network.input, network.size
        except ConvcostError as error:
            self._failed[key] = error
            raise
        return network
