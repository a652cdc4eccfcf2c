"""Pareto fronts: of some points those that no other point beats.

A point has a score for each objective, and larger is better. Another point beats it if it is at least as good in every
score and better in one. Scores are compared and never computed with, so that numbers of any size and kind are exact.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_STAIRS = 3  # scores with which a point is compared with all others in the time of a search
_SAMPLE = 1000  # points of an array among which good ones are looked for
_GOOD = 16  # good points with which all others are compared first
_BLOCK = 64  # points that are compared with the front at once where they have more than three scores


def unbeaten(scores: Sequence[tuple[Any, ...]]) -> list[int]:
    """The places of the points that no other point equals or beats, best in the first score first.

    Of several equal points the first one is kept.

    Args:
        scores: of each point, larger being better; as many for each.
    """
    order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
    if not order or len(scores[0]) > _STAIRS:
        return _of_many(scores, order)
    return _of_three(scores, order)


def _of_three(scores: Sequence[tuple[Any, ...]], order: Sequence[int]) -> list[int]:
    """With the points in the order of the first score, only an earlier point can beat one.

    The second and third scores of the points that are not beaten so far form stairs: while one rises, the other falls.
    """
    kept: list[int] = []
    seconds: list[Any] = []  # rising
    thirds: list[Any] = []  # of each, falling
    for place in order:
        _, second, third = (*scores[place], 0, 0)[:_STAIRS]
        above = bisect_left(seconds, second)
        if above < len(seconds) and thirds[above] >= third:
            continue
        end = bisect_right(seconds, second)
        start = above
        while start and thirds[start - 1] <= third:
            start -= 1
        seconds[start:end], thirds[start:end] = [second], [third]
        kept.append(place)
    return kept


def _of_many(scores: Sequence[tuple[Any, ...]], order: Sequence[int]) -> list[int]:
    kept: list[int] = []
    for place in order:
        own = scores[place]
        if not any(all(a >= b for a, b in zip(scores[other], own, strict=True)) for other in kept):
            kept.append(place)
    return kept


def unbeaten_of_arrays(columns: Sequence[Any]) -> Any:
    """The places of the points that no other point beats, as an array in ascending order.

    Points with equal scores are all kept or none.

    Args:
        columns: an array for each score, larger being better.
    """
    import numpy as np  # noqa: PLC0415 - numbers alone do without it

    count = len(columns[0])
    if not count:
        return np.arange(0)
    scores = list(columns)
    if any(column.dtype != np.int64 for column in columns):  # ranks instead: arrays of one kind, with nothing rounded
        scores = [np.unique(column, return_inverse=True)[1].reshape(count) for column in columns]
    order = np.lexsort([-score for score in reversed(scores)])
    table = np.stack([score[order] for score in scores], axis=1)
    new = np.ones(count, bool)
    new[1:] = (table[1:] != table[:-1]).any(axis=1)
    distinct = table[new]
    left = _thinned(distinct)
    size = len(left) if len(columns) <= _STAIRS else _BLOCK
    best = left[:0]
    for start in range(0, len(left), size):
        block = left[start : start + size]
        block = block[~_beaten(distinct[block], distinct[best])]
        best = np.concatenate([best, block[unbeaten([*map(tuple, distinct[block].tolist())])]])
    kept = np.zeros(len(distinct), bool)
    kept[best] = True
    return np.sort(order[kept[np.cumsum(new) - 1]])


def _thinned(table: Any) -> Any:
    """The places of distinct points in falling order, without most of those that others beat.

    All are compared with a few good points, which are looked for in a sample.
    """
    import numpy as np  # noqa: PLC0415

    places = np.arange(len(table))
    step = max(1, len(table) // _SAMPLE)
    sample = table[::step].tolist()
    good = sorted(unbeaten([*map(tuple, sample)]), key=lambda place: sum(sample[place]), reverse=True)
    for number in good[:: max(1, len(good) // _GOOD)]:
        left = table[places]
        beaten = places > number * step  # a point is only beaten by one before it
        for score, own in enumerate(sample[number]):
            beaten &= left[:, score] <= own
        places = places[~beaten]
    return places


def _beaten(block: Any, best: Any) -> Any:
    """Which points of a block one of the best is at least as good as, in every score."""
    at_least = best[None, :, 0] >= block[:, None, 0]
    for score in range(1, block.shape[1]):
        at_least &= best[None, :, score] >= block[:, None, score]
    return at_least.any(axis=1)
