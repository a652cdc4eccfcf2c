"""Stages of a network: steps that the exporter kept in one module become a group of its name."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from convcost.exporters.folding import is_closed
from convcost.exporters.steps import Step
from convcost.language.model import RESERVED
from convcost.language.syntax import is_identifier
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 40  # characters of a name


def in_stages(steps: Sequence[tuple[Step, str]]) -> tuple[Step, ...]:
    """Steps in groups by the first segment of the path of their layers, where such a segment names a module.

    Args:
        steps: each with the path of its layer.
    """
    plain = tuple(step for step, _ in steps)
    if not all(is_closed(step) for step in plain):
        return plain
    paths = [path.split("/") for _, path in steps]
    while len({path[0] for path in paths}) == 1 and all(len(path) > 1 for path in paths):
        paths = [path[1:] for path in paths]
    groups = [(first, list(members)) for first, members in groupby(range(len(plain)), lambda place: paths[place][0])]
    firsts = [first for first, _ in groups]
    made: list[Step] = []
    for first, members in groups:
        own = tuple(plain[place] for place in members)
        named = is_identifier(first) and len(first) <= _LONGEST and first not in REGISTRY and first not in RESERVED
        if named and len(own) > 1 and firsts.count(first) == 1:
            made.append(Step("do", steps=own, name=first))
        else:
            made += own
    return tuple(made)
