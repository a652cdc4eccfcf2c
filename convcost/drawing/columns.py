"""A layout that is too tall for a page, continued in further columns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from convcost.drawing.layout import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.drawing.layout import Item, Placed, Spacing

Point = tuple[int, int]
_PAGE = 1.2  # height by width of a drawing in columns
_WORTH = 0.75  # the part of its height that a drawing in columns has at most
_TALL = 900  # the height from which a drawing is continued in a further column
_MOST_COLUMNS = 8
_MOST_LINES = 3  # that lead on
_BENT = 1.3  # by how much the page must become smaller for each further line that leads on
_FURTHER = 1.08  # and for every further column


class _Cut(NamedTuple):
    """Where a column ends, and the next one begins.

    Attributes:
        layer: the first one of the next column.
        bundles: lines that lead on, from left to right: where each is above, and where it is below.
    """

    layer: int
    bundles: tuple[tuple[int, tuple[int, ...]], ...]


class _Extents(NamedTuple):
    """How far the layers of a layout reach, lines included."""

    lefts: tuple[int, ...]
    rights: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


def in_columns(placed: Placed, items: Sequence[Item], spacing: Spacing) -> Placed:
    """A tall layout continued in further columns, where few lines lead on, so that it fits a page.

    Args:
        placed: the layout in one column.
        items: what is in it.
        spacing: distances.
    """
    if placed.height < _TALL:
        return placed
    extents = _extents(placed, items)
    best: tuple[_Cut, ...] = ()
    score = page(placed.width, placed.height)
    solid = [end > start for start, end in zip(extents.starts, extents.ends, strict=True)]
    layers = [layer for layer in range(1, len(solid)) if solid[layer - 1] and solid[layer]]
    possible = [cut for cut in map(_cut_at(placed, extents), layers) if cut is not None]
    for most in range(1, _MOST_LINES + 1):
        penalty = _BENT ** (most - 1)
        cuts = [cut for cut in possible if len(cut.bundles) <= most]
        for height in range(placed.height // _MOST_COLUMNS, placed.height, max(placed.height // 100, 1)):
            chosen = _filled(extents, cuts, height)
            width, high = _sizes(extents, chosen, spacing)
            made = penalty * _FURTHER ** len(chosen) * page(width, high)
            if chosen and high < _WORTH * placed.height and made < score:
                best, score = chosen, made
    return _folded(placed, best, extents, spacing) if best else placed


def page(width: int, height: int) -> float:
    """How large a page of the usual form must be."""
    return max(height, _PAGE * width)


def _extents(placed: Placed, items: Sequence[Item]) -> _Extents:
    layers = range(max(placed.rows) + 1)
    members: list[list[tuple[int, int, Item]]] = [[] for _ in layers]
    for row, axis, top, item in zip(placed.rows, placed.axes, placed.tops, items, strict=True):
        members[row].append((axis, top, item))
    starts = tuple(min(top for _, top, _ in layer) for layer in members)
    ends = tuple(max(top + item.height for _, top, item in layer) for layer in members)
    lefts = [min(axis - item.left for axis, _, item in layer) for layer in members]
    rights = [max(axis + item.right for axis, _, item in layer) for layer in members]
    for route in placed.routes:
        for (x, y), (far, low) in pairwise(route.points):
            for layer in layers:
                if starts[layer] <= low and y <= (starts[layer + 1] if layer + 1 < len(starts) else low):
                    lefts[layer] = min(lefts[layer], x, far)
                    rights[layer] = max(rights[layer], x, far)
    return _Extents(tuple(lefts), tuple(rights), starts, ends)


def _x_at(route: Route, y: int) -> int:
    """Where a line is at a height at which it is vertical."""
    return next(x for (x, top), (_, low) in pairwise(route.points) if top <= y <= low)


def _cut_at(placed: Placed, extents: _Extents) -> Callable[[int], _Cut | None]:
    """The cut before a layer; None where lines would cross."""

    def cut(layer: int) -> _Cut | None:
        ends = [
            (_x_at(route, extents.ends[layer - 1]), _x_at(route, extents.starts[layer]))
            for route in placed.routes
            if placed.rows[route.edge.source] < layer <= placed.rows[route.edge.target]
        ]
        if any((x < y and low > far) or (x > y and low < far) for x, low in ends for y, far in ends):
            return None
        lows: dict[int, set[int]] = {}
        for x, low in sorted(ends):
            lows.setdefault(x, set()).add(low)
        return _Cut(layer, tuple((x, tuple(sorted(below))) for x, below in lows.items()))

    return cut


def _filled(extents: _Extents, cuts: Sequence[_Cut], height: int) -> tuple[_Cut, ...]:
    """The cuts where a column is continued as long as it is no higher than ``height``."""
    chosen: list[_Cut] = []
    top = extents.starts[0]
    bounds = [*(cut.layer for cut in cuts), len(extents.starts)]
    for cut, after in zip(cuts, bounds[1:], strict=True):
        if extents.ends[after - 1] - top > height:
            chosen.append(cut)
            top = extents.starts[cut.layer]
    return tuple(chosen)


def _spans(extents: _Extents, cuts: Sequence[_Cut]) -> list[range]:
    """The layers of each column."""
    return [range(*span) for span in pairwise([0, *(cut.layer for cut in cuts), len(extents.starts)])]


def _sizes(extents: _Extents, cuts: Sequence[_Cut], spacing: Spacing) -> tuple[int, int]:
    """The width and the height of a layout with these cuts."""
    spans = _spans(extents, cuts)
    width = sum(
        max(extents.rights[span.start : span.stop]) - min(extents.lefts[span.start : span.stop]) for span in spans
    )
    gutters = sum(_gutter(cut, spacing) for cut in cuts)
    return width + gutters, max(extents.ends[span.stop - 1] - extents.starts[span.start] for span in spans)


def _gutter(cut: _Cut, spacing: Spacing) -> int:
    return 2 * spacing.boxes + (len(cut.bundles) - 1) * spacing.track


def _folded(placed: Placed, cuts: Sequence[_Cut], extents: _Extents, spacing: Spacing) -> Placed:
    """A layout with its parts between the cuts side by side, and lines that lead around."""
    spans = _spans(extents, cuts)
    column = {layer: place for place, span in enumerate(spans) for layer in span}
    above = spacing.arrow + max(len(cut.bundles) for cut in cuts) * spacing.track
    shifts: list[Point] = []
    lefts: list[int] = []
    left = 0
    for place, span in enumerate(spans):
        first, last = min(extents.lefts[span.start : span.stop]), max(extents.rights[span.start : span.stop])
        left += _gutter(cuts[place - 1], spacing) if place else 0
        lefts.append(left)
        shifts.append((left - first, (above if place else 0) - extents.starts[span.start]))
        left += last - first
    around = [
        _around(cut, shifts[place : place + 2], lefts[place + 1], extents, spacing) for place, cut in enumerate(cuts)
    ]
    routes: list[Route] = []
    for route in placed.routes:
        start, end = column[placed.rows[route.edge.source]], column[placed.rows[route.edge.target]]
        points: list[Point] = []
        for place in range(start, end + 1):
            dx, dy = shifts[place]
            top = extents.starts[spans[place].start] if place > start else None
            low = extents.ends[spans[place].stop - 1] if place < end else None
            points += [(x + dx, y + dy) for x, y in _between(route, top, low)]
            if place < end:
                layer = cuts[place].layer
                points += around[place](_x_at(route, extents.ends[layer - 1]), _x_at(route, extents.starts[layer]))
        routes.append(Route(route.edge, tuple(dict.fromkeys(points))))
    bottoms = [extents.ends[span.stop - 1] + dy for span, (_, dy) in zip(spans, shifts, strict=True)]
    return placed._replace(
        width=left,
        height=max(*bottoms, *(y for route in routes for _, y in route.points)),
        axes=tuple(x + shifts[column[row]][0] for x, row in zip(placed.axes, placed.rows, strict=True)),
        tops=tuple(y + shifts[column[row]][1] for y, row in zip(placed.tops, placed.rows, strict=True)),
        routes=tuple(routes),
    )


def _between(route: Route, top: int | None, low: int | None) -> list[Point]:
    """The corners of a line between two heights at which it is vertical, and its ends there."""
    points = [(x, y) for x, y in route.points if (top is None or y > top) and (low is None or y < low)]
    before = [] if top is None else [(_x_at(route, top), top)]
    after = [] if low is None else [(_x_at(route, low), low)]
    return [*before, *points, *after]


def _around(
    cut: _Cut, shifts: Sequence[Point], left: int, extents: _Extents, spacing: Spacing
) -> Callable[[int, int], list[Point]]:
    """The corners of a line from the end of a column to the next one, by where it is above and below the cut.

    The line on the right turns first, so that lines do not cross. ``left`` is where the next column begins.
    """
    (dx, dy), (ex, ey) = shifts
    count = len(cut.bundles)
    turns = {x: count - 1 - place for place, (x, _) in enumerate(cut.bundles)}
    side = left - spacing.boxes - (count - 1) * spacing.track

    def corners(above: int, below: int) -> list[Point]:
        turn = turns[above]
        low = extents.ends[cut.layer - 1] + dy + spacing.stub + turn * spacing.track
        top = extents.starts[cut.layer] + ey - spacing.arrow - (count - 1 - turn) * spacing.track
        across = side + turn * spacing.track
        return [(above + dx, low), (across, low), (across, top), (below + ex, top)]

    return corners
