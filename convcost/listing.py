"""The bundled networks and blocks, with their cost at default values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from convcost.catalogue.loader import Catalogue, bundled_names
from convcost.conventions.catalogue import PAPER
from convcost.conventions.catalogue import convention as find_convention
from convcost.conventions.model import PLAIN
from convcost.conventions.reported import Reported
from convcost.errors import UsageError
from convcost.language.interpret import build
from convcost.network.cost import sum_work

if TYPE_CHECKING:
    from convcost.language.model import Spec
    from convcost.layers.base import Shape
    from convcost.network.graph import Graph
    from convcost.numbers.arithmetic import Num


class Entry(NamedTuple):
    """One bundled spec, at its defaults.

    Attributes:
        name: what commands call it.
        title: what people call it.
        family: networks of one kind; ``blocks`` for blocks.
        year: of the paper, if stated.
        input: shape it runs on.
        params, macs: cost in the default convention.
        parameters: names that ``--set`` takes.
        reported: the number that the tool of the convention would print; None for a network without a convention.
    """

    name: str
    title: str
    family: str
    year: int | None
    input: Shape
    params: Num
    macs: Num
    parameters: tuple[str, ...]
    reported: Num | None


def catalogue(*, blocks: bool | None = None, convention: str = PLAIN.name) -> list[Entry]:
    """The bundled networks (``blocks=False``), blocks (``True``) or both: by family, year and name.

    Args:
        blocks: which.
        convention: whose number is reported beside the plain ones: a name or a file.

    Raises:
        SpecError: a bundled spec is wrong.
        UsageError: there is no such convention.
    """
    loader = Catalogue()
    entries = [_entry(loader, name, convention) for name in bundled_names(blocks=blocks)]
    return sorted(entries, key=_order)


def _order(entry: Entry) -> tuple[bool, str, int, list[tuple[int, str]]]:
    """By family, then year, then name; ``resnet50`` comes before ``resnet101``."""
    return (entry.family == "blocks", entry.family.lower(), entry.year or 0, natural(entry.name))


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key for names: numbers in them are ordered by value.

    >>> sorted(["resnet101", "resnet50"], key=natural)
    ['resnet50', 'resnet101']
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _reported(graph: Graph, spec: Spec, convention: str) -> Num | None:
    try:
        return Reported(graph, find_convention(convention, spec)).value()
    except UsageError:
        if convention != PAPER:
            raise
        return None


def _entry(loader: Catalogue, name: str, convention: str) -> Entry:
    spec = loader.target(name)
    graph = build(spec)
    work = sum_work(graph.layers)
    family = "blocks" if spec.is_block else spec.family or spec.title
    number = _reported(graph, spec, convention)
    return Entry(name, spec.title, family, spec.year, graph.input, work.params, work.macs, spec.names, number)
