"""The sites of a network: what each option of a step with ``choose`` costs, and what is alive while it runs."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.metrics.memory import timeline
from convcost.network.cost import ALL_QUANTITIES, sum_work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from convcost.language.choices import Site
    from convcost.network.graph import Graph, Node
    from convcost.network.schedule import Tensor

Key = tuple[int, ...]


class Run(NamedTuple):
    """One network, and what was chosen and read on the way."""

    graph: Graph
    sites: dict[Key, Site]
    depends: Mapping[int, set[str]]
    outside: set[str]


class Apart(Exception):  # noqa: N818 - a finding on its way, not an error
    """Options of several sites may depend on each other, so that they are to be tried one by one."""


class Seen(NamedTuple):
    """An option of a site as it was built.

    Attributes:
        own: its layers without those of sites in it, in short.
        cost: of these.
        live: most elements alive while one of them runs.
        crossed: why that depends on what is outside the site; empty where it does not.
        inner: the sites in it.
    """

    own: list[Any]
    cost: dict[str, int]
    live: int | None
    crossed: str
    inner: list[Place]


class Place:
    """A site where certain options are taken around it.

    Attributes:
        key: of the site.
        path: where it is in the network.
        names, rows: what is chosen, and from what.
        shape: of the tensor that leaves it.
        seen: its options so far, in order.
        number: the option that is taken.
        done: whether all options were taken, with all that is chosen in them.
        ends: the kinds of its last layers, as far as layers after it may run on their output.
        reader: the path of such a layer.
        empty: whether an option hands on what it gets.
    """

    def __init__(self, run: Run, key: Key) -> None:
        site = run.sites[key]
        self.key = key
        self.path = _path(run, site)
        self.names = site.names
        self.rows = site.options
        self.shape = site.leaving.shape
        self.seen: list[Seen] = []
        self.number = 0
        self.done = False
        self.ends: set[Any] = set()
        self.reader = ""
        self.empty = False

    def advance(self, together: bool) -> Place | None:  # noqa: FBT001 - one of two ways
        """Take the next option of the sites in it, or of itself; the last place that changed, None if there is none."""
        if self.done:
            return None
        if moved := _advance(self.seen[self.number].inner, together):
            return moved
        if self.number + 1 < len(self.rows):
            self.number += 1
            return self
        self.number, self.done = 0, True
        return None

    def picks(self) -> Iterator[tuple[Key, int]]:
        """The options that are taken in it, by the keys of their sites."""
        yield self.key, self.number
        if self.number < len(self.seen):
            for inner in self.seen[self.number].inner:
                yield from inner.picks()

    def mixed(self, needed: Mapping[Key, str]) -> str:
        """Why the memory of what follows depends on the option; empty where it does not."""
        if self.empty and self.key in needed:
            return f"the peak of a part is not its own: {needed[self.key]}"
        if not self.reader or len(self.ends) == 1:
            return ""
        return f"the peak of a part is not its own: {self.reader} runs in the memory of what {self.path} chooses"


def _advance(places: Iterable[Place], together: bool) -> Place | None:  # noqa: FBT001
    """Let the next options be taken, of all places or of the first that has one."""
    moved = None
    for place in places:
        moved = place.advance(together) or moved
        if moved and not together:
            break
    return moved


class Sites:
    """The sites of a member, whose options are tried: those of all sites together, one network for the first of each.

    That is enough if a site can only see the shape of what another one hands on. It could see more by a name that is
    given inside the other one. Where there is such a name, options are tried one by one, the other sites being at their
    first.

    Attributes:
        own: the layers outside all sites.
        live: most elements alive while one of them runs.
        places: the sites outside others.
        needed: the sites that must have a layer for peaks, with the reason.
    """

    def __init__(self, base: Run, *, fused: bool, parts: bool, together: bool) -> None:
        self._fused = fused
        self._with_parts = parts
        self._together = together
        self._moved: Place | None = None
        self.places = [Place(base, key) for key in base.sites if len(key) == 1]
        self.own = [node for node in _outside(base) if not base.depends.get(node.index)]
        self._signature: list[Any] | None = None  # of the layers outside all sites
        self.needed: dict[Key, str] = {}
        self.live: int | None = None
        self.note(base)

    def advance(self) -> bool:
        """Take options that were not taken; whether there are some."""
        self._moved = _advance(self.places, self._together)
        return self._moved is not None

    def picks(self) -> dict[Key, int]:
        """The options that are taken."""
        return dict(pair for place in self.places for pair in place.picks())

    def note(self, run: Run) -> None:
        """Note the options of a network.

        Raises:
            Apart: it does not have the layers that others have, and several options are new.
            UnsupportedError: it does not, and one option is.
        """
        if self._together and any(site.opened for site in run.sites.values()):
            raise Apart
        if self.places:
            signature = _signatures(run, _outside(run))
            self._signature = self._signature or signature
            if signature != self._signature:
                self._refuse(run)
        parts = _Parts(run, self._fused) if self._with_parts else None
        if parts is not None and self.live is None:
            self.live = parts.live(self.own)
        inner: dict[Key, list[Key]] = {}
        for key in run.sites:
            inner.setdefault(key[:-1], []).append(key)
        for place in self.places:
            self._note(place, run, parts, inner)

    def _note(self, place: Place, run: Run, parts: _Parts | None, inner: Mapping[Key, list[Key]]) -> None:
        site = run.sites.get(place.key)
        if site is None or site.leaving.shape != place.shape or site.options != place.rows:
            self._refuse(run)
            return
        keys = inner.get(place.key, [])
        covered = {index for key in keys for index in range(run.sites[key].start, run.sites[key].end)}
        own = [node for node in run.graph.nodes[site.start : site.end] if node.index not in covered]
        signature = _signatures(run, own)
        if place.number == len(place.seen):
            live = None if parts is None else parts.live(own)
            crossed, needed = ("", {}) if parts is None else parts.crossed(site)
            self.needed |= needed
            places = [Place(run, key) for key in keys]
            place.seen.append(Seen(signature, cost_of(own), live, crossed, places))
        place.empty = place.empty or site.leaving.node == site.entering.node
        seen = place.seen[place.number]
        if seen.own != signature or [within.key for within in seen.inner] != keys:
            self._refuse(run)
        if parts is not None and self._fused:
            place.ends.add(parts.end(site))
            place.reader = place.reader or parts.reader(site)
        for within in seen.inner:
            self._note(within, run, parts, inner)

    def _refuse(self, run: Run) -> None:
        moved = self._moved
        if self._together or moved is None:
            raise Apart
        site = run.sites[moved.key]
        names = ", ".join(f"`{name}`" for name in moved.names)
        raise UnsupportedError(
            f"{site.path}: the choice of {names} at {site.position} changes what later layers see. Costs add up only "
            "where every option has the same output; give it as a parameter, then each value is a space of its own"
        )


def _signatures(run: Run, nodes: Iterable[Node]) -> list[Any]:
    return [signature_of(run.graph, node) for node in nodes]


def _outside(run: Run) -> list[Node]:
    """The layers outside all sites."""
    inside = {index for key, site in run.sites.items() if len(key) == 1 for index in range(site.start, site.end)}
    return [node for node in run.graph.layers if node.index not in inside]


def signature_of(graph: Graph, node: Node) -> Any:
    """What the cost of a layer follows from, and that cost."""
    return (node.kind, graph.input_of(node), node.shape, node.work, node.count)


def cost_of(nodes: Sequence[Node]) -> dict[str, int]:
    """Every quantity of some layers."""
    work = sum_work(nodes)
    return {name: int(record.of(nodes, work)) for name, record in ALL_QUANTITIES.items()}


def _path(run: Run, site: Site) -> str:
    """Where a site is: the part of their paths that its layers have in common, if that is not all of what is around."""
    paths = [node.path.split("/") for node in run.graph.nodes[site.start : site.end]]
    common = []
    for segments in zip(*paths, strict=False):
        if len(set(segments)) > 1:
            break
        common.append(segments[0])
    shared = "/".join(common)
    return shared if len(shared) > len(site.path.rpartition("/")[0]) else site.path


class _Parts:
    """The memory of one network, in parts."""

    # a layer of these kinds may run in the memory of the layer before it, or in its weights
    _ON_OUTPUT = ("folds", "follows")

    def __init__(self, run: Run, fused: bool) -> None:  # noqa: FBT001 - one of two ways to count
        self._time = timeline(run.graph, in_place=fused, folded=fused)
        self._graph = run.graph
        self._sites = [*run.sites.values()]
        self._numbers: dict[int, list[int]] = {}
        for number, step in enumerate(self._time.steps, 1):
            self._numbers.setdefault(step.node.index, []).append(number)

    def live(self, nodes: Iterable[Node]) -> int:
        """Most elements alive while one of ``nodes`` runs."""
        alive = self._time.alive
        numbers = [number for node in nodes for number in self._numbers.get(node.index, ())]
        return max((alive[number] for number in numbers), default=0)

    def crossed(self, site: Site) -> tuple[str, dict[Key, str]]:
        """Why the memory inside a site depends on what is outside it; empty where it does not. And what is held.

        What enters and what leaves must be one tensor, in memory of its own size. Something else may be alive
        meanwhile if no other choice can change that: it is held for a layer outside all choices, such as an addition
        around the site. Then what is alive inside is the same whatever the other choices are.

        Returns:
            The reason; and the sites that must not be left out for that, with the reason if they are.
        """
        numbers = [number for index in range(site.start, site.end) for number in self._numbers.get(index, ())]
        if not numbers:
            return "", {}
        first, last = min(numbers), max(numbers)
        lives, sizes, memory = self._time.lives, self._time.sizes, self._time.memory
        held = [what for what, (born, end) in lives.items() if born < first and end > last]
        needed: dict[Key, str] = {}
        for what in held:
            path = self._graph.nodes[what[0]].path
            makers = self._makers(what, site)
            if makers is None:
                return f"the peak of a part is not its own: {path} is alive during {site.path}", {}
            needed[site.key] = f"{path} is alive during {site.path}, which may be left out"
            needed |= {own.key: f"{own.path} may be left out, and is alive during {site.path}" for own in makers}
        entering = [sizes[what] for what, (born, end) in lives.items() if born < first <= end and what not in held]
        leaving = [sizes[what] for what, (born, end) in lives.items() if born <= last < end and what not in held]
        enters, leaves = ([prod(tensor.shape)] for tensor in (site.entering, site.leaving))
        if memory.get((site.entering.node, 0)) in held:
            enters = []
        if entering != enters or leaving not in (leaves, []) or memory.get((site.leaving.node, 0)) in held:
            return f"the peak of a part is not its own: more than one tensor enters or leaves {site.path}", {}
        return "", needed

    def _makers(self, what: Tensor, site: Site) -> list[Site] | None:
        """The sites that hand on a piece of memory which is held during ``site``; None where choices can change it.

        Other choices must not read it. The layers of the site may read it, but must not make a tensor in it.
        """
        within = {tensor for tensor, own in self._time.memory.items() if own == what}
        made = {index for index, _ in within}
        touching = made | {step.node.index for step in self._time.steps if within & {*step.reads}}
        others = [own for own in self._sites if own.key[: len(site.key)] != site.key[: len(own.key)]]
        makers = [own for own in others if own.start <= what[0] < own.end and own.leaving.node in made]
        rest = [own for own in others if own not in makers]
        if any(own.start <= index < own.end for own in rest for index in touching):
            return None
        return None if any(site.start <= index < site.end for index in made) else makers

    def end(self, site: Site) -> Any:
        """What a layer after a site must know of its last one, to run in its memory or in its weights."""
        node = self._graph.nodes[site.leaving.node]
        first = node
        while first.inputs and first.layer.is_view:
            first = self._graph.nodes[first.inputs[0][0]]
        return node.layer.fusing == "head", node.count, not first.inputs

    def reader(self, site: Site) -> str:
        """The path of a layer after a site that may run in the memory of its last one; empty if there is none."""
        return next((node.path for node in self._on_output.get(site.leaving.node, ()) if node.index >= site.end), "")

    @cached_property
    def _on_output(self) -> dict[int, list[Node]]:
        """The layers that may run on an output, by the index of the layer that makes it."""
        readers: dict[int, list[Node]] = {}
        for node in self._graph.layers:
            if node.layer.fusing in self._ON_OUTPUT:
                readers.setdefault(node.inputs[0][0], []).append(node)
        return readers
