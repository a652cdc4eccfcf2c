"""Places for the names of dots, so that no name covers another one or a dot."""

from __future__ import annotations

from math import cos, pi, sin
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_RINGS = (6, 12, 20, 30, 42, 56, 72, 90, 110, 130, 160, 190, 230)  # distances from the side of a dot
_DIRECTIONS = 16
_PASSED = 60  # the distance that a line over a name counts as
_GAP = 2  # between two names, and between a name and a dot


class Area(NamedTuple):
    """A rectangle."""

    x: float
    y: float
    right: float
    low: float

    def meets(self, other: Area) -> bool:
        """Whether both are closer than the gap."""
        return (
            self.x < other.right + _GAP
            and other.x < self.right + _GAP
            and self.y < other.low + _GAP
            and other.y < self.low + _GAP
        )


class Named(NamedTuple):
    """A dot that wants a name: its middle, its radius, and the size of the name."""

    x: float
    y: float
    radius: float
    width: float
    height: float

    @property
    def area(self) -> Area:
        """The square around the dot."""
        return Area(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


class Spot(NamedTuple):
    """Where a name is, and the end of a line to it where it is far from its dot."""

    area: Area
    leader: tuple[float, float] | None


Segment = tuple[float, float, float, float]  # from (x, y) to (x, y)


def placed(
    dots: Sequence[Named], within: Area, taken: Sequence[Area] = (), lines: Sequence[Segment] = ()
) -> list[Spot | None]:
    """A place for each name, close to its dot; None where there is no room.

    No name meets another one, a dot or a taken area. A name covers a line, also one that leads to another name, only
    where a place beside it is much further away.

    Args:
        dots: in the order in which they get their places.
        within: where names may be.
        taken: areas that are not free.
        lines: what names should not cover.
    """
    used = [*taken, *(dot.area for dot in dots)]
    leaders = list(lines)
    names: list[Area] = []
    result: list[Spot | None] = []
    for dot in dots:
        area = _closest(dot, within, used, names, leaders)
        if area is None:
            result.append(None)
            continue
        used.append(area)
        names.append(area)
        leader = _leader(dot, area)
        if leader is not None:
            leaders.append((dot.x, dot.y, *leader))
        result.append(Spot(area, leader))
    return result


def _free(area: Area, within: Area, used: Sequence[Area]) -> bool:
    x, y, right, low = area
    if not (within.x <= x and right <= within.right and within.y <= y and low <= within.low):
        return False
    x, y, right, low = x - _GAP, y - _GAP, right + _GAP, low + _GAP
    return not any(x < far and near < right and y < bottom and top < low for near, top, far, bottom in used)


def _leader(dot: Named, area: Area) -> tuple[float, float] | None:
    """The point of an area that is closest to a dot, where that is far enough for a line to help."""
    x, y = min(max(dot.x, area.x), area.right), min(max(dot.y, area.y), area.low)
    return (x, y) if abs(x - dot.x) + abs(y - dot.y) > dot.radius + _RINGS[1] else None


def _closest(
    dot: Named, within: Area, used: Sequence[Area], names: Sequence[Area], lines: Sequence[Segment]
) -> Area | None:
    """The free place with the least distance, where each line that passes it counts as a distance."""
    best: Area | None = None
    least = float("inf")
    for ring, area in _around(dot):
        if ring >= least:
            break
        if _free(area, within, used):
            cost = ring + _PASSED * _passed(dot, area, names, lines)
            if cost < least:
                best, least = area, cost
    return best


def _passed(dot: Named, area: Area, names: Sequence[Area], lines: Sequence[Segment]) -> int:
    """How many lines pass the area, and how many names the line to it passes."""
    leader = _leader(dot, area)
    crossed = 0 if leader is None else sum(passes((dot.x, dot.y, *leader), name) for name in names)
    return crossed + sum(passes(line, area) for line in lines)


def passes(line: Segment, area: Area) -> bool:
    """Whether a line from (x, y) to (x, y) meets an area: the part of it that is inside is not empty."""
    x, y, right, low = line
    start, end = 0.0, 1.0
    for begin, delta, least, most in ((x, right - x, area.x, area.right), (y, low - y, area.y, area.low)):
        if delta == 0:
            if not least <= begin <= most:
                return False
            continue
        first, second = sorted(((least - begin) / delta, (most - begin) / delta))
        start, end = max(start, first), min(end, second)
    return start <= end


def _around(dot: Named) -> Iterator[tuple[int, Area]]:
    """Places around a dot with their distances, the closest first; to the right before elsewhere."""
    for ring in _RINGS:
        for step in range(_DIRECTIONS):
            angle = 2 * pi * (step // 2 + step % 2) / _DIRECTIONS * (1 if step % 2 else -1)
            across, down = cos(angle), sin(angle)
            x = dot.x + across * (dot.radius + ring) + (across - 1) / 2 * dot.width
            y = dot.y + down * (dot.radius + ring) + (down - 1) / 2 * dot.height
            yield ring, Area(x, y, x + dot.width, y + dot.height)
