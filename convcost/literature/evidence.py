"""Which of the counts that were tried print as a number, and how many would by chance.

The value of an explanation depends on how many counts were tried: among many counts, some print as a number of two
digits by chance. ``explain`` and ``verify`` both rank by this module, so that a figure is open for both or for none.
"""

from __future__ import annotations

import math
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from convcost.literature.stories import PARTS, compared, reach
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.literature.stories import Candidate, Story
    from convcost.numbers.printed import Figure

STRONG, MODERATE, WEAK = "strong", "moderate", "weak"
_STRONG, _WEAK = 0.1, 0.5  # how many counts as simple as the first would fit by chance: fewer, and as many
_CONTRIVED = 5  # a story that costs more, such as half of a count without linear layers, explains nothing
_AROUND = 1.5  # the density of counts is taken from those within this factor of the number
_WINDOW = Fraction(3, 2)  # units of the last digit: rounding takes half a unit below the number, truncation one above


class Evidence(NamedTuple):
    """How many counts fit, and how many would by chance.

    Attributes:
        tried: different counts that were tried.
        fitting: those that print as the number.
        by_chance: how many would if the counts around the number were spread evenly.
        as_simple: different counts as simple as the first explanation, or simpler.
        as_simple_by_chance: how many of those would.
    """

    tried: int
    fitting: int
    by_chance: float
    as_simple: int
    as_simple_by_chance: float

    @property
    def strength(self) -> str:
        """``strong``, ``moderate`` or ``weak``; only with strong evidence is the first explanation an answer."""
        if self.as_simple_by_chance < _STRONG:
            return STRONG
        return WEAK if self.as_simple_by_chance >= _WEAK else MODERATE


def answers(ranked: Sequence[Candidate], evidence: Evidence) -> bool:
    """Whether the first of the ranked stories explains the number: chance would not have given one as simple."""
    return bool(ranked) and ranked[0].reproduces and ranked[0].cost <= _CONTRIVED and evidence.strength == STRONG


def search(tried: Sequence[Story], figure: Figure, near: Fraction) -> tuple[list[Candidate], Evidence]:
    """The stories that print as ``figure``, best first; if none does, those that are near.

    Args:
        tried: stories of a network, and of its variants.
        figure: the number.
        near: how far a count may be from it, relative to it, to be near.
    """
    least, greatest = reach(figure, near)
    within = [story for story in tried if least <= story[0] <= greatest]
    close = [each for story in within if (each := compared(story, figure, near)) is not None]
    fitting = [each for each in close if each.reproduces]
    shown = [*fitting, *(each for each in close if each.is_near(figure) and not each.reproduces)] if fitting else close
    ranked = sorted(_simplest(_different(shown)), key=lambda each: each.rank)
    return ranked, _evidence(tried, fitting, ranked[:1], figure)


def _different(candidates: Iterable[Candidate]) -> list[Candidate]:
    """One candidate for each count of each convention: the simplest."""
    best: dict[tuple[int, str], Candidate] = {}
    for each in candidates:
        key = (each.parts, each.convention.name)
        if key not in best or each.rank < best[key].rank:
            best[key] = each
    return list(best.values())


def _simplest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates that take no departure beyond those of another one that fits as well."""
    kinds = {each.departures for each in candidates if each.reproduces}
    return [each for each in candidates if not any(other < each.departures for other in kinds)]


def _evidence(
    tried: Sequence[Story], fitting: Sequence[Candidate], best: Sequence[Candidate], figure: Figure
) -> Evidence:
    values = {story[0] for story in tried}
    fits = {each.parts for each in fitting}
    cost = best[0].cost if best else 0
    simple = {story[0] for story in tried if story[1] <= cost}
    return Evidence(len(values), len(fits), _by_chance(values, figure), len(simple), _by_chance(simple, figure))


def _by_chance(values: Iterable[int], figure: Figure) -> float:
    """How many of ``values`` would print as ``figure`` if those around it were spread evenly over their logarithms."""
    middle = figure.value * PARTS
    least, greatest = ceil(middle / Fraction(_AROUND)), floor(middle * Fraction(_AROUND))
    around = sum(least <= value <= greatest for value in values)
    window = float(_WINDOW * figure.unit / figure.value)
    return float(around) * min(window / (2 * math.log(_AROUND)), 1.0)
