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
from typing import TYPE_CHECKING, Any

from convcost.errors import UnsupportedError, UsageError
from convcost.language.choices import Choices
from convcost.language.interpret import build
from convcost.language.model import Imported
from convcost.limits import MAX_OPTIONS, MAX_SPACES
from convcost.spaces.model import Factor, Member, Option, Tree
from convcost.spaces.sites import Apart, Run, Sites, cost_of, signature_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.language.model import Spec
    from convcost.spaces.sites import Key, Place


class _Whole(Exception):  # noqa: N818 - a finding on its way, not an error
    """Parameters that are found late to change the whole network."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names


def explore(
    spec: Spec,
    given: Mapping[str, Any],
    input_shape: Any = None,
    *,
    fused: bool = True,
    apart: Iterable[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Tree:
    """The design space of ``spec``.

    Args:
        spec: linked.
        given: values of parameters; these are not chosen.
        input_shape: in place of the spec's own.
        fused: whether peaks are those of norms and activations that run on the output of the layer before them.
        apart: parameters each value of which is to be a space of its own.
        progress: called with the number of members that are done, and of all.

    Raises:
        UsageError: nothing is chosen in the spec, or the parameters have too many combinations.
        UnsupportedError: choices are not independent where they have to be, with the name.
        SpecError: a network of the space cannot be built.
    """
    return _Explorer(spec, given, input_shape, apart, fused=fused).tree(progress)


class _Explorer:
    def __init__(
        self, spec: Spec, given: Mapping[str, Any], input_shape: Any, apart: Iterable[str], *, fused: bool
    ) -> None:
        self._spec = spec
        self._given = dict(given)
        self._input = input_shape
        self._fused = fused
        self._builds = 0
        self._choices = _chosen_parameters(spec, given)
        self._together = True  # whether options of several sites are tried in one network
        self._labels: dict[Key, str] = {}
        self._whole = set(apart)  # the parameters that are known to change the whole network

    def tree(self, progress: Callable[[int, int], None] | None) -> Tree:
        while True:
            try:
                return self._tree(progress)
            except _Whole as late:
                self._whole |= late.names

    def _tree(self, progress: Callable[[int, int], None] | None) -> Tree:
        whole, groups = self._sorted_parameters()
        count = prod(len(self._choices[name]) for name in whole)
        if count > MAX_SPACES:
            raise UsageError(
                f"{', '.join(whole)} of {self._spec.name} change what later layers see and have {count:,} "
                f"combinations; at most {MAX_SPACES:,} are tried: fix some with --set"
            )
        members = []
        for values in product(*(self._choices[name] for name in whole)):
            members.append(self._member(dict(zip(whole, values, strict=True)), groups))
            if progress is not None:
                progress(len(members), count)
        if all(not member.factors for member in members) and not self._choices:
            raise UsageError(f"nothing is chosen in {self._spec.name}: no step and no parameter has `choose`")
        scattered = tuple(name for group in groups for name in group)
        return Tree(self._spec, self._given, self._input, tuple(members), self._choices, scattered)

    def _build(self, values: Mapping[str, Any], picks: Mapping[Key, int], noted: Mapping[str, Any]) -> Run:
        self._builds += 1
        if self._builds > MAX_OPTIONS:
            raise UsageError(
                f"the space of {self._spec.name} has more than {MAX_OPTIONS:,} options; fix some with --set"
            )
        choices = Choices(picks, noted)
        graph = build(self._spec, {**self._given, **values}, self._input, choices=choices)
        return Run(graph, {site.key: site for site in choices.sites}, choices.depends, choices.outside)

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
        self, base: Run, groups: list[tuple[str, ...]], kept: Mapping[str, Any], noted: Mapping[str, Any]
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
        base = self._checked(self._build(values, {}, noted))
        factors = [self._of_group(group, values, noted, base) for group in groups]
        joined = f"layers read the parameter `{groups[0][0]}`, which is no part for itself" if groups else ""
        try:
            sites = self._with_sites(base, values, noted)
        except Apart:
            self._together = False
            sites = self._with_sites(base, values, noted)
        for place in sites.places:
            factor, why = self._factor(place, sites.needed)
            factors.append(factor)
            joined = joined or why
        return Member(values, cost_of(sites.own), None if joined else sites.live, tuple(factors), joined)

    def _with_sites(self, base: Run, values: Mapping[str, Any], noted: Mapping[str, Any]) -> Sites:
        """The sites of a member with all their options.

        Raises:
            Apart: a network does not have the layers that others have, where options of several sites were taken.
            UnsupportedError: the choice of a site changes what other layers see.
        """
        sites = Sites(base, fused=self._fused, parts=not noted, together=self._together)
        while sites.advance():
            sites.note(self._checked(self._build(values, sites.picks(), noted)))
        return sites

    def _checked(self, run: Run) -> Run:
        """A network that does not read a parameter inside a step with ``choose``, and shares no weights among choices.

        Raises:
            _Whole: it reads one.
            UnsupportedError: it shares weights.
        """
        if reads := _around_choices(run):
            raise _Whole(reads)
        _refuse_shared_weights(run, self._spec)
        return run

    def _factor(self, place: Place, needed: Mapping[Key, str]) -> tuple[Factor, str]:
        """The factor of one step with ``choose``; and why its peak is not that of the parts, if it is not."""
        options, why = [], ""
        for values, seen in zip(place.rows, place.seen, strict=True):
            factors = []
            for inner in seen.inner:
                factor, reason = self._factor(inner, needed)
                factors.append(factor)
                why = why or reason
            why = why or seen.crossed
            options.append(Option(values, seen.cost, seen.live, tuple(factors)))
        return Factor(self._label(place), place.names, tuple(options)), why or place.mixed(needed)

    def _of_group(
        self, group: tuple[str, ...], values: Mapping[str, Any], noted: Mapping[str, Any], base: Run
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
            options.append(Option(chosen, cost_of(own), None, ()))
        return Factor("", group, tuple(options))

    def _label(self, place: Place) -> str:
        """The path of a site, with a number where another one has the same."""
        if place.key not in self._labels:
            times = sum(label.partition("#choice")[0] == place.path for label in self._labels.values())
            self._labels[place.key] = place.path if not times else f"{place.path}#choice{times + 1}"
        return self._labels[place.key]


_NOBODY: set[str] = set()


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


def _others(run: Run, group: Iterable[str]) -> list[Any]:
    """The layers that no parameter of ``group`` was read for."""
    names = {*group}
    return [
        signature_of(run.graph, node) for node in run.graph.layers if not run.depends.get(node.index, _NOBODY) & names
    ]


def _around_choices(run: Run) -> set[str]:
    """The parameters that are read for a layer inside a step with ``choose``."""
    inside = (index for site in run.sites.values() for index in range(site.start, site.end))
    return {name for index in inside for name in run.depends.get(index, _NOBODY)}


def _refuse_shared_weights(run: Run, spec: Spec) -> None:
    """Refuse weights that are shared among choices, which may not fit each other.

    Raises:
        UnsupportedError: there are such layers.
    """
    inside = {index for site in run.sites.values() for index in range(site.start, site.end)} | {*run.depends}
    for node in run.graph.layers:
        if node.shared and node.index in inside:
            raise UnsupportedError(f"{spec.name}: {node.path} shares its weights, so that its cost is not its own")
