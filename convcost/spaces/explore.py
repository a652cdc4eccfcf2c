"""From a spec to its design space: which choices are independent, and what each option costs.

Every option is built once, the other choices being at their first values, and the layers are compared:

* A step with ``choose`` hands on one tensor. If that has the same shape for all options, and the layers outside the
  step are the same, nothing outside depends on the choice.
* A parameter may be read anywhere. The interpreter notes for each layer which chosen parameters were read on the way to
  it. If no other layer changes with the parameter, only these depend on it. Parameters that meet in one layer are one
  factor. A parameter that changes other layers too, such as the size of the input, is a choice of the whole network:
  each of its values is a space of its own.

So the costs of two independent choices add up: the layers of one read the same values and the same shapes whatever the
other is.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError, UsageError
from convcost.language.choices import Choices
from convcost.language.interpret import build
from convcost.language.model import Imported
from convcost.metrics.memory import timeline
from convcost.network.cost import ALL_QUANTITIES, sum_work
from convcost.spaces.model import Factor, Member, Option, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.language.choices import Site
    from convcost.language.model import Spec
    from convcost.network.graph import Graph, Node

MAX_MEMBERS = 20_000  # combinations of the parameters that change every layer
MAX_BUILDS = 200_000  # networks that are built to learn the costs of the options

Key = tuple[int, ...]


class _Whole(Exception):  # noqa: N818 - a finding on its way, not an error
    """Parameters that are found late to change the whole network."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names


class _Run(NamedTuple):
    """One network, and what was chosen and read on the way."""

    graph: Graph
    sites: dict[Key, Site]
    depends: Mapping[int, set[str]]
    outside: set[str]


def explore(
    spec: Spec,
    given: Mapping[str, Any],
    input_shape: Any = None,
    *,
    fused: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Tree:
    """The design space of ``spec``.

    Args:
        spec: linked.
        given: values of parameters; these are not chosen.
        input_shape: in place of the spec's own.
        fused: whether peaks are those of norms and activations that run on the output of the layer before them.
        progress: called with the number of members that are done, and of all.

    Raises:
        UsageError: nothing is chosen in the spec, or the parameters have too many combinations.
        UnsupportedError: choices are not independent where they have to be, with the name.
        SpecError: a network of the space cannot be built.
    """
    return _Explorer(spec, given, input_shape, fused=fused).tree(progress)


class _Explorer:
    def __init__(self, spec: Spec, given: Mapping[str, Any], input_shape: Any, *, fused: bool) -> None:
        self._spec = spec
        self._given = dict(given)
        self._input = input_shape
        self._fused = fused
        self._builds = 0
        self._choices = _chosen_parameters(spec, given)
        self._labels: dict[Key, str] = {}
        self._whole: set[str] = set()  # the parameters that are known to change the whole network

    def tree(self, progress: Callable[[int, int], None] | None) -> Tree:
        while True:
            try:
                return self._tree(progress)
            except _Whole as late:
                self._whole |= late.names

    def _tree(self, progress: Callable[[int, int], None] | None) -> Tree:
        whole, groups = self._sorted_parameters()
        count = prod(len(self._choices[name]) for name in whole)
        if count > MAX_MEMBERS:
            raise UsageError(
                f"{', '.join(whole)} of {self._spec.name} change what later layers see and have {count:,} "
                f"combinations; at most {MAX_MEMBERS:,} are tried: fix some with --set"
            )
        members = []
        for values in product(*(self._choices[name] for name in whole)):
            members.append(self._member(dict(zip(whole, values, strict=True)), groups))
            if progress is not None:
                progress(len(members), count)
        if all(not member.factors for member in members) and not self._choices:
            raise UsageError(f"nothing is chosen in {self._spec.name}: no step and no parameter has `choose`")
        return Tree(self._spec, self._given, self._input, tuple(members), self._choices)

    def _build(self, values: Mapping[str, Any], picks: Mapping[Key, int], noted: Mapping[str, Any]) -> _Run:
        self._builds += 1
        if self._builds > MAX_BUILDS:
            raise UsageError(
                f"the space of {self._spec.name} has more than {MAX_BUILDS:,} options; fix some with --set"
            )
        choices = Choices(picks, noted)
        graph = build(self._spec, {**self._given, **values}, self._input, choices=choices)
        return _Run(graph, {site.key: site for site in choices.sites}, choices.depends, choices.outside)

    # --- parameters ---

    def _sorted_parameters(self) -> tuple[list[str], list[tuple[str, ...]]]:
        """The parameters that change the whole network, and groups of the others that are read together."""
        names = list(self._choices)
        first = {name: values[0] for name, values in self._choices.items()}
        groups: list[tuple[str, ...]] = [(name,) for name in names if name not in self._whole]
        whole = [name for name in names if name in self._whole]
        while True:
            noted = {name: first[name] for group in groups for name in group}
            kept = {name: value for name, value in first.items() if name not in noted}
            base = self._build(kept, {}, noted)
            bad, joined = self._judged(base, groups, kept, noted)
            if not bad and not joined:
                return whole, groups
            whole = [name for name in names if name in whole or name in bad]
            groups = _united([group for group in groups if not bad & {*group}], joined)

    def _judged(
        self, base: _Run, groups: list[tuple[str, ...]], kept: Mapping[str, Any], noted: Mapping[str, Any]
    ) -> tuple[set[str], list[set[str]]]:
        """The parameters that are found to change the whole network, and sets that are found to be read together."""
        bad: set[str] = set()
        joined: list[set[str]] = []
        for group in groups:
            for values in product(*(self._choices[name] for name in group)):
                run = self._build(kept, {}, {**noted, **dict(zip(group, values, strict=True))})
                bad |= run.outside | _around_choices(run)
                joined += [names for names in run.depends.values() if len(names) > 1]
                if not bad & {*group} and _others(run, group) != _others(base, group):
                    bad |= {*group}
        groups_of = {name: set(group) for group in groups for name in group}
        return bad, [names for names in joined if any(not names <= groups_of[name] for name in names)]

    # --- members ---

    def _member(self, values: dict[str, Any], groups: Sequence[tuple[str, ...]]) -> Member:
        noted = {name: self._choices[name][0] for group in groups for name in group}
        base = self._build(values, {}, noted)
        tops = [key for key in base.sites if len(key) == 1]
        _refuse_shared_weights(base, self._spec)
        joined = ""
        if groups:
            joined = f"the peak of {self._spec.name} is not that of its parts: {groups[0][0]} is read at several places"
        factors = [self._of_group(group, values, noted, base) for group in groups]
        parts = _Parts(base, self._fused)
        for key in tops:
            factor, why = self._of_site(key, values, {}, noted, base)
            factors.append(factor)
            joined = joined or why
        inside = {index for key in tops for index in range(base.sites[key].start, base.sites[key].end)}
        own = [
            node for node in base.graph.layers if node.index not in inside and not base.depends.get(node.index, _NOBODY)
        ]
        live = None if joined else parts.live(own, entering=True)
        return Member(values, _cost(own), live, tuple(factors), joined)

    def _of_group(
        self, group: tuple[str, ...], values: Mapping[str, Any], noted: Mapping[str, Any], base: _Run
    ) -> Factor:
        options = []
        for chosen in product(*(self._choices[name] for name in group)):
            run = self._build(values, {}, {**noted, **dict(zip(group, chosen, strict=True))})
            if _others(run, group) != _others(base, group):  # at these values of the member, if not at the first
                raise _Whole({*group})
            together = {name for names in run.depends.values() if names & {*group} for name in names}
            if together - {*group}:
                raise _Whole(together)
            _refuse_shared_weights(run, self._spec)
            own = [node for node in run.graph.layers if run.depends.get(node.index, _NOBODY) & {*group}]
            options.append(Option(chosen, _cost(own), None, ()))
        return Factor("", group, tuple(options))

    def _of_site(
        self,
        key: Key,
        values: Mapping[str, Any],
        picks: Mapping[Key, int],
        noted: Mapping[str, Any],
        base: _Run,
    ) -> tuple[Factor, str]:
        """The factor of one step with ``choose``; and why its peak is not that of the parts, if it is not.

        Args:
            key: the site.
            values: of the member.
            picks: what is taken around it.
            noted: parameters whose reads are noted.
            base: the network with the first option.
        """
        site = base.sites[key]
        options, why = [], ""
        for number, chosen in enumerate(site.options):
            taken = {**picks, key: number}
            run = base if number == 0 else self._build(values, taken, noted)
            if reads := _around_choices(run):
                raise _Whole(reads)
            _refuse_shared_weights(run, self._spec)
            here = run.sites[key]
            if here.leaving.shape != site.leaving.shape or _around(run, key) != _around(base, key):
                names = ", ".join(f"`{name}`" for name in site.names)
                raise UnsupportedError(
                    f"{site.path}: the choice of {names} changes what later layers see; costs add up only if every "
                    "option has the same output. Choose it with a parameter, which each of its values then is a space"
                )
            inner = [other for other in run.sites if len(other) == len(key) + 1 and other[:-1] == key]
            factors = []
            for other in inner:
                factor, reason = self._of_site(other, values, taken, noted, run)
                factors.append(factor)
                why = why or reason
            covered = {index for other in inner for index in range(run.sites[other].start, run.sites[other].end)}
            own = [node for node in run.graph.nodes[here.start : here.end] if node.index not in covered]
            parts = _Parts(run, self._fused)
            why = why or parts.crossed(here)
            options.append(Option(chosen, _cost(own), parts.live(own), tuple(factors)))
        return Factor(self._label(base, site), site.names, tuple(options)), why

    def _label(self, run: _Run, site: Site) -> str:
        """The path of a site, with a number where another one has the same."""
        if site.key not in self._labels:
            path = _path(run, site)
            times = sum(label.partition("#choice")[0] == path for label in self._labels.values())
            self._labels[site.key] = path if not times else f"{path}#choice{times + 1}"
        return self._labels[site.key]


_NOBODY: set[str] = set()


def _path(run: _Run, site: Site) -> str:
    """Where a site is: the part of their paths that its layers have in common, if that is not all of what is around."""
    paths = [node.path.split("/") for node in run.graph.nodes[site.start : site.end]]
    common = []
    for segments in zip(*paths, strict=False):
        if len(set(segments)) > 1:
            break
        common.append(segments[0])
    shared = "/".join(common)
    return shared if len(shared) > len(site.path.rpartition("/")[0]) else site.path


def _chosen_parameters(spec: Spec, given: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    if isinstance(spec, Imported):
        raise UsageError(f"{spec.name} is no spec: a design space is a spec with `choose`")
    return {
        name: parameter.choose for name, parameter in spec.parameters.items() if parameter.choose and name not in given
    }


def _united(groups: Iterable[tuple[str, ...]], joined: Iterable[set[str]]) -> list[tuple[str, ...]]:
    """The groups, with those united that have names of one of the sets."""
    united = [list(group) for group in groups]
    for names in joined:
        touched = [group for group in united if names & {*group}]
        if len(touched) > 1:
            united = [group for group in united if group not in touched]
            united.append([name for group in touched for name in group])
    return [tuple(group) for group in united]


def _signature(graph: Graph, node: Node) -> Any:
    return (node.kind, graph.input_of(node), node.shape, node.work, node.count)


def _others(run: _Run, group: Iterable[str]) -> list[Any]:
    """The layers that no parameter of ``group`` was read for."""
    names = {*group}
    return [
        _signature(run.graph, node) for node in run.graph.layers if not run.depends.get(node.index, _NOBODY) & names
    ]


def _around(run: _Run, key: Key) -> list[Any]:
    """The layers outside a site."""
    site = run.sites[key]
    return [_signature(run.graph, node) for node in run.graph.layers if not site.start <= node.index < site.end]


def _around_choices(run: _Run) -> set[str]:
    """The parameters that are read for a layer inside a step with ``choose``."""
    inside = (index for site in run.sites.values() for index in range(site.start, site.end))
    return {name for index in inside for name in run.depends.get(index, _NOBODY)}


def _refuse_shared_weights(run: _Run, spec: Spec) -> None:
    """Refuse weights that are shared among choices, which may not fit each other.

    Raises:
        UnsupportedError: there are such layers.
    """
    inside = {index for site in run.sites.values() for index in range(site.start, site.end)} | {*run.depends}
    for node in run.graph.layers:
        if node.shared and node.index in inside:
            raise UnsupportedError(f"{spec.name}: {node.path} shares its weights, so that its cost is not its own")


def _cost(nodes: Sequence[Node]) -> dict[str, int]:
    work = sum_work(nodes)
    return {name: int(record.of(nodes, work)) for name, record in ALL_QUANTITIES.items()}


class _Parts:
    """The memory of one network, in parts."""

    def __init__(self, run: _Run, fused: bool) -> None:  # noqa: FBT001 - one of two ways to count
        self._time = timeline(run.graph, in_place=fused, folded=fused)
        self._graph = run.graph
        self._numbers: dict[int, list[int]] = {}
        for number, step in enumerate(self._time.steps, 1):
            self._numbers.setdefault(step.node.index, []).append(number)

    def live(self, nodes: Iterable[Node], *, entering: bool = False) -> int:
        """Most elements alive while one of ``nodes`` runs."""
        alive = self._time.alive
        numbers = [number for node in nodes for number in self._numbers.get(node.index, ())]
        return max((alive[number] for number in numbers), default=alive[0] if entering else 0)

    def crossed(self, site: Site) -> str:
        """Why the memory inside a site depends on what is outside it; empty where it does not.

        What enters and what leaves must be one tensor, in memory of its own size, and nothing else may be alive
        meanwhile: then what is alive inside is the same whatever the other choices are.
        """
        numbers = [number for index in range(site.start, site.end) for number in self._numbers.get(index, ())]
        if not numbers:
            return ""
        first, last = min(numbers), max(numbers)
        lives, sizes = self._time.lives, self._time.sizes
        for what, (born, end) in lives.items():
            if born < first and end > last:
                return (
                    f"the peak of a part is not its own: {self._graph.nodes[what[0]].path} is alive during {site.path}"
                )
        entering = [sizes[what] for what, (born, end) in lives.items() if born < first <= end]
        leaving = [sizes[what] for what, (born, end) in lives.items() if born <= last < end]
        wanted = [prod(site.entering.shape)], [prod(site.leaving.shape)]
        if entering != wanted[0] or leaving not in (wanted[1], []):
            return f"the peak of a part is not its own: more than one tensor enters or leaves {site.path}"
        return ""
