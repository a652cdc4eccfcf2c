"""Points that no other point beats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK = 512  # points that are compared with the front at once
_TWO = 2


def front(scores: Sequence[Any]) -> Any:
    """The points that are not beaten: no other is at least as good in every score and better in one.

    Args:
        scores: an array for each, larger being better.

    Returns:
        The places of the points in ascending order; points with equal scores are all kept or none.
    """
    count = len(scores[0])
    if not count:
        return np.arange(0)
    order = np.lexsort([-score for score in reversed(scores)])
    table = np.stack([score[order] for score in scores], axis=1)
    new = np.ones(count, bool)
    new[1:] = (table[1:] != table[:-1]).any(axis=1)
    distinct = table[new]
    kept = _of_two(distinct) if len(scores) <= _TWO else _of_several(distinct)
    return np.sort(order[kept[np.cumsum(new) - 1]])


def _of_two(table: Any) -> Any:
    """Of one or two scores: in falling order of the first, those whose last is larger than all before."""
    last = table[:, -1]
    kept = np.ones(len(table), bool)
    kept[1:] = last[1:] > np.maximum.accumulate(last)[:-1]
    return kept


def _of_several(table: Any) -> Any:
    """Of distinct points in falling order, a point is only beaten by one before it."""
    kept = np.zeros(len(table), bool)
    best = table[:0]
    for start in range(0, len(table), _BLOCK):
        block = table[start : start + _BLOCK]
        places = np.arange(start, start + len(block))
        if len(best):
            free = ~_beaten(block, best)
            block, places = block[free], places[free]
        own = ~np.array([bool((block[:number] >= point).all(axis=1).any()) for number, point in enumerate(block)], bool)
        kept[places[own]] = True
        best = np.concatenate([best, block[own]])
    return kept


def _beaten(block: Any, best: Any) -> Any:
    """Which points of a block another is at least as good as, in every score."""
    beaten = np.ones((len(block), len(best)), bool)
    for score in range(block.shape[1]):
        beaten &= best[None, :, score] >= block[:, None, score]
    return beaten.any(axis=1)
