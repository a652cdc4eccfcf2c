"""What is bundled: networks and blocks with their cost at default values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from convcost.cost import sum_work
from convcost.spec.build import build
from convcost.spec.catalogue import Catalogue, bundled_names

if TYPE_CHECKING:
    from convcost.algebra import Num
    from convcost.layers.base import Shape


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
    """

    name: str
    title: str
    family: str
    year: int | None
    input: Shape
    params: Num
    macs: Num
    parameters: tuple[str, ...]


def catalogue(*, blocks: bool | None = None) -> list[Entry]:
    """The bundled networks (``blocks=False``), blocks (``True``) or both: by family, year and name.

    Raises:
        SpecError: a bundled spec is wrong.
    """
    loader = Catalogue()
    entries = [_entry(loader, name) for name in bundled_names(blocks=blocks)]
    return sorted(entries, key=_order)


def _order(entry: Entry) -> tuple[bool, str, int, list[tuple[int, str]]]:
    """By family, then year, then name; ``resnet50`` comes before ``resnet101``."""
    return (entry.family == "blocks", entry.family.lower(), entry.year or 0, natural(entry.name))


def natural(name: str) -> list[tuple[int, str]]:
    """What to sort names by, so that numbers in them stand in their order.

    >>> sorted(["resnet101", "resnet50"], key=natural)
    ['resnet50', 'resnet101']
    """
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _entry(loader: Catalogue, name: str) -> Entry:
    spec = loader.target(name)
    graph = build(spec)
    work = sum_work(graph.layers)
    family = "blocks" if spec.is_block else spec.family or spec.title
    names = (*(spec.input_names or ()), *spec.parameters)
    return Entry(name, spec.title, family, spec.year, graph.input, work.params, work.macs, names)
