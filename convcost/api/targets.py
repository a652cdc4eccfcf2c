"""Targets: what a caller names, resolved into specs with values for their parameters.

Every function and every command resolves its targets, parameters, input and convention here.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.catalogue.loader import Catalogue
from convcost.conventions import DEFAULT
from convcost.conventions.catalogue import PAPER
from convcost.conventions.catalogue import convention as general_convention
from convcost.errors import UsageError, shorten, unknown
from convcost.language.given import find, from_text, no_parameter
from convcost.language.interpret import build
from convcost.language.model import own_name, unique_names
from convcost.network.graph import Graph
from convcost.numbers.arithmetic import exact_value
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.conventions import Convention
    from convcost.language.model import Spec
    from convcost.layers.base import Shape


class Target(NamedTuple):
    """A network or block, with values for its parameters.

    Attributes:
        name: of the spec; a second target of one name gets ``#2``.
        given: what the caller wrote: a bundled name or a path.
        spec: linked.
        values: by the names of the spec's parameters.
    """

    name: str
    given: str
    spec: Spec
    values: Mapping[str, Any]

    def build(self, input_shape: Shape | None = None, *, partial: bool = False) -> Graph:
        """The graph.

        Args:
            input_shape: in place of the spec's own.
            partial: whether the caller shows what is not known of a file.

        Raises:
            SpecError: a value does not fit.
            UnsupportedError: a file is known in part only, and the caller does not show that.
        """
        return build(self.spec, self.values, input_shape, partial=partial)


Name: TypeAlias = "str | os.PathLike[str]"
TargetLike: TypeAlias = "Name | tuple[Name, Mapping[str, Any]] | Target"
Network: TypeAlias = "Graph | TargetLike"
Sizes: TypeAlias = "Sequence[int] | Mapping[str, Sequence[int]]"  # of the input, or of inputs by name
_MOST, _MOST_NAMED = 4, 8  # axes of an input


class Typed(str):
    """A value as it is typed on a command line, such as ``0.5`` or ``[3, 3]``; read once its parameter is known."""

    __slots__ = ()


def resolve(
    targets: Iterable[TargetLike],
    parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    *,
    catalogue: Catalogue | None = None,
    option: str = "",
) -> list[Target]:
    """Load the specs of targets, and give each the values of its parameters.

    Args:
        targets: names, paths, pairs of one and a dict of parameters, or targets resolved before.
        parameters: values. ``NAME`` is for every target that has the parameter, ``TARGET:NAME`` for one; the latter
            comes first, and so does the dict of a pair.
        catalogue: what loads the specs, and keeps their warnings.
        option: where the parameters come from, for errors.

    Raises:
        UsageError: there is no such target or parameter, or a parameter is given twice.
        SpecError: a spec is wrong.
    """
    loader = catalogue or Catalogue()
    loaded = [target if isinstance(target, Target) else _load(target, loader) for target in targets]
    names = unique_names([target.spec for target in loaded])
    shared: list[dict[str, Any]] = [{} for _ in loaded]
    own: list[dict[str, Any]] = [dict(target.values) for target in loaded]
    for key, value in parameters.items() if hasattr(parameters, "items") else parameters:
        which, colon, name = key.rpartition(":")
        if colon and which not in names:
            raise UsageError(f"{option}{': ' if option else ''}{unknown('target', which, names)}")
        reached = [
            index for index, target in enumerate(loaded) if which in ("", names[index]) and _has(target.spec, name)
        ]
        if not reached:
            raise UsageError(_unknown(name, [target.spec for target in loaded], which))
        for index in reached:
            spec = loaded[index].spec
            _put((own if colon else shared)[index], spec, name, value, option)
    return [
        Target(name, target.given, target.spec, {**all_get, **one_gets})
        for name, target, all_get, one_gets in zip(names, loaded, shared, own, strict=True)
    ]


def _load(target: Name | tuple[Name, Mapping[str, Any]], catalogue: Catalogue) -> Target:
    name, parameters = target if isinstance(target, tuple) else (target, {})
    given = os.fspath(name)
    spec = catalogue.target(given)
    values: dict[str, Any] = {}
    for parameter, value in parameters.items():
        find(spec, parameter)
        _put(values, spec, parameter, value)
    return Target(spec.name, given, spec, values)


def _put(values: dict[str, Any], spec: Spec, name: str, value: Any, option: str = "") -> None:
    own = own_name(name, spec.parameters)
    if own in values:
        raise UsageError(f"{option} gives `{shorten(own)}` twice" if option else f"`{shorten(own)}` is given twice")
    values[own] = from_text(spec, own, str(value)) if isinstance(value, Typed) else value


def _has(spec: Spec, name: str) -> bool:
    return own_name(name, spec.parameters) in spec.names


def _unknown(name: str, specs: Sequence[Spec], which: str) -> str:
    known = dict.fromkeys(known for spec in specs for known in spec.names)
    if len(specs) == 1:
        return no_parameter(specs[0], name)
    return unknown("parameter" if which else "parameter of the targets", name, sorted(known), of=which)


def check_names(names: Iterable[str], targets: Sequence[Target], option: str = "") -> None:
    """Refuse names that are a parameter of none of the targets.

    Raises:
        UsageError: there is such a name.
    """
    specs = [target.spec for target in targets]
    for name in names:
        if not any(_has(spec, name) for spec in specs):
            raise UsageError(f"{option}{_unknown(name, specs, '')}")


def input_shape(sizes: Sizes | None) -> Any:
    """``sizes`` as a shape; of inputs by name, a shape for each.

    Raises:
        UsageError: not one to four whole numbers of at least 1; of an input by name up to eight.
    """
    if sizes is None:
        return None
    if isinstance(sizes, dict):
        return {name: _shape(own, _MOST_NAMED) for name, own in sizes.items()}
    return _shape(sizes, _MOST)


def _shape(sizes: Any, most: int) -> Shape:
    shape = tuple(map(exact_value, sizes))
    if not 1 <= len(shape) <= most or any(isinstance(size, bool | str | float) for size in shape):
        raise UsageError(f"`input` is channels and up to three sizes, found {shape!r}")
    if any(isinstance(size, int) and size < 1 for size in shape):
        raise UsageError(f"sizes of `input` must be at least 1, found {shape!r}")
    return shape


def built(
    network: Network,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    parameters: Mapping[str, Any] | None = None,
    *,
    partial: bool = False,
) -> tuple[Graph, Spec | None]:
    """The graph of a network, built where it is not built yet, and the spec that it was built from.

    Args:
        network: a graph, or a target.
        input: ``(channels, *spatial)`` in place of the spec's own.
        parameters: of a target.
        partial: whether the caller shows what is not known of a file.

    Raises:
        UsageError: a graph has been built already, so that its input and parameters are fixed.
        SpecError: the spec is wrong, or a value does not fit.
    """
    if isinstance(network, Graph):
        if input is not None or parameters:
            raise UsageError("a graph is built already; `input` and parameters are for names and files of specs")
        return network, None
    (target,) = resolve([network], parameters or {})
    return target.build(input_shape(input), partial=partial), target.spec


def convention_of(name: str = DEFAULT, spec: Spec | None = None) -> Convention:
    """The convention called ``name``.

    Args:
        name: a bundled one, the path of a file, or ``paper``: the convention of the network's own figures.
        spec: the network, which ``paper`` needs.

    Raises:
        UsageError: there is no such convention, or the network states no figures.
        SpecError: the file is wrong.
    """
    if name != PAPER:
        return general_convention(name)
    if spec is None:
        raise UsageError("the convention `paper` is that of one network; name the network")
    from convcost.literature.paper import paper  # noqa: PLC0415 - rarely asked for

    return paper(spec)
