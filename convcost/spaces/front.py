"""The best networks of a space: those that no other network equals or beats in every objective.

Sums and maxima grow with each of their parts. So a part that another one beats in every objective is in no better
network either, and is left out while the parts are put together.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import UnsupportedError
from convcost.spaces.model import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from convcost.spaces.model import Factor, Member, Option, Picks

MAX_GOALS = 3  # a part is compared with the others in the time of a search as long as there are no more
MAX_FRONT = 50_000  # parts that no other beats


class Goal(NamedTuple):
    """What a better network has more of, or less.

    Attributes:
        key: a quantity that adds up, or ``live``.
        largest: whether more is better.
    """

    key: str
    largest: bool


class _Part(NamedTuple):
    """A combination of options and its score in each goal, of which less is better."""

    scores: tuple[int, ...]
    member: Member
    picks: Picks


def front(members: Iterable[Member], goals: Sequence[Goal], allowed: Callable[[Option], bool]) -> list[Choice]:
    """The networks that no other one equals or beats, best in the first goal first.

    Args:
        members: of a space.
        goals: what is better; three at most.
        allowed: which options may be taken.

    Raises:
        UnsupportedError: there are more than three goals, or 50,000 parts that no other beats.
    """
    if len(goals) > MAX_GOALS:
        keys = ", ".join(goal.key for goal in goals)
        raise UnsupportedError(f"at most {MAX_GOALS} objectives and bounds on other quantities together, found {keys}")
    parts: list[_Part] = []
    for member in members:
        start = _Part(_scores(goals, member.cost, member.live), member, ())
        parts += _with_factors([start], member.factors, goals, allowed)
    return [Choice(part.member, part.picks) for part in _unbeaten(parts)]


def unbeaten(choices: Iterable[Choice], goals: Sequence[Goal]) -> list[Choice]:
    """Those of some networks that no other of them equals or beats, best in the first goal first."""
    parts = []
    for choice in choices:
        scores = tuple(
            choice.live if goal.key == "live" else choice.cost(goal.key) * (-1 if goal.largest else 1) for goal in goals
        )
        parts.append(_Part(scores, choice.member, choice.picks))
    return [Choice(part.member, part.picks) for part in _unbeaten(parts)]


def _scores(goals: Sequence[Goal], cost: Mapping[str, int], live: int | None) -> tuple[int, ...]:
    return tuple(
        (live or 0) if goal.key == "live" else -cost[goal.key] if goal.largest else cost[goal.key] for goal in goals
    )


def _with_factors(
    parts: list[_Part], factors: Sequence[Factor], goals: Sequence[Goal], allowed: Callable[[Option], bool]
) -> list[_Part]:
    """``parts``, each with every combination of options of ``factors``; without those that others beat."""
    peaks = [goal.key == "live" for goal in goals]
    for factor in factors:
        made: list[_Part] = []
        for option in factor.options:
            if not allowed(option):
                continue
            own = _scores(goals, option.cost, option.live)
            pick = ((factor, option),)
            taken = [
                _Part(
                    tuple([max(a, b) if peak else a + b for peak, a, b in zip(peaks, part.scores, own, strict=True)]),
                    part.member,
                    part.picks + pick,
                )
                for part in parts
            ]
            made += _with_factors(taken, option.factors, goals, allowed)
        parts = _unbeaten(made)
    return parts


def _unbeaten(parts: Sequence[_Part]) -> list[_Part]:
    """The parts that no other equals or beats in all scores, in the order of their scores."""
    kept: list[_Part] = []
    seconds: list[int] = []  # of the second score, rising; the third falls along it
    thirds: list[int] = []
    for part in sorted(parts, key=lambda part: part.scores):
        _, second, third = (*part.scores, 0, 0)[:MAX_GOALS]
        place = bisect_right(seconds, second)
        if place and thirds[place - 1] <= third:
            continue  # an earlier part, whose first score is no worse, is no worse in the others either
        start = bisect_left(seconds, second)
        end = start
        while end < len(thirds) and thirds[end] >= third:
            end += 1
        seconds[start:end], thirds[start:end] = [second], [third]
        kept.append(part)
    if len(kept) > MAX_FRONT:
        raise UnsupportedError(f"more than {MAX_FRONT:,} combinations that no other beats; state fewer objectives")
    return kept
