"""The best networks of a space: those that no other network equals or beats in every objective.

Sums and maxima grow with each of their parts. So a part that another one beats in every objective is in no better
network either, and is left out while the parts are put together.
"""

from __future__ import annotations

from operator import add
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError
from convcost.limits import MAX_FRONT, MAX_OBJECTIVES
from convcost.numbers.front import unbeaten
from convcost.spaces.model import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.metrics.objective import Objective
    from convcost.spaces.model import Factor, Member, Option, Picks


class _Part(NamedTuple):
    """A combination of options and its score in each objective, larger being better."""

    scores: tuple[int, ...]
    member: Member
    picks: Picks


def front(members: Iterable[Member], goals: Sequence[Objective], allowed: Callable[[Option], bool]) -> list[Choice]:
    """The networks that no other one equals or beats, best in the first objective first.

    Args:
        members: of a space.
        goals: what is better; three at most. Their keys are quantities that add up, and ``live``.
        allowed: which options may be taken.

    Raises:
        UnsupportedError: there are more than three objectives, or 50,000 parts that no other beats.
    """
    if len(goals) > MAX_OBJECTIVES:
        keys = ", ".join(goal.key for goal in goals)
        most = f"at most {MAX_OBJECTIVES} objectives and bounds on other quantities together"
        raise UnsupportedError(f"{most}, found {keys}")
    parts: list[_Part] = []
    for member in members:
        start = _Part(_scores(goals, member.cost, member.live), member, ())
        parts += _with_factors([start], member.factors, goals, allowed)
    return [Choice(part.member, part.picks) for part in _best(parts)]


def best_of(choices: Sequence[Choice], goals: Sequence[Objective]) -> list[Choice]:
    """Those of some networks that no other of them equals or beats, best in the first objective first."""
    scores = []
    for choice in choices:
        values = [choice.live if goal.key == "live" else choice.cost(goal.key) for goal in goals]
        scores.append(tuple(value if goal.largest else -value for goal, value in zip(goals, values, strict=True)))
    return [choices[place] for place in unbeaten(scores)]


def _scores(goals: Sequence[Objective], cost: Mapping[str, int], live: int | None) -> tuple[int, ...]:
    values = [(live or 0) if goal.key == "live" else cost[goal.key] for goal in goals]
    return tuple(value if goal.largest else -value for goal, value in zip(goals, values, strict=True))


def _with_factors(
    parts: list[_Part], factors: Sequence[Factor], goals: Sequence[Objective], allowed: Callable[[Option], bool]
) -> list[_Part]:
    """``parts``, each with every combination of options of ``factors``; without those that others beat."""
    joins = [add if goal.key != "live" else max if goal.largest else min for goal in goals]
    for factor in factors:
        made: list[_Part] = []
        for option in factor.options:
            if not allowed(option):
                continue
            own = _scores(goals, option.cost, option.live)
            pick = ((factor, option),)
            taken = [
                _Part(
                    tuple([join(a, b) for join, a, b in zip(joins, part.scores, own, strict=True)]),
                    part.member,
                    part.picks + pick,
                )
                for part in parts
            ]
            made += _with_factors(taken, option.factors, goals, allowed)
        parts = _best(made)
    return parts


def _best(parts: Sequence[_Part]) -> list[_Part]:
    kept = unbeaten([part.scores for part in parts])
    if len(kept) > MAX_FRONT:
        raise UnsupportedError(f"more than {MAX_FRONT:,} combinations that no other beats; state fewer objectives")
    return [parts[place] for place in kept]
