"""Places for the boxes of a drawing and lines between them: layers from top to bottom, a column for each branch.

Each item is put one layer below the lowest item it reads. A tensor that is read further down gets a place of its own
in every layer between, so that its line never meets a box. The places of a layer are ordered so that few lines cross;
items and lines that continue each other are joined to columns, which are straight by construction. Between two layers
a line has at most one horizontal piece, on a track of its own.

Source of the method: Sugiyama, Tagawa and Toda (1981); of the columns: Brandes and Koepf (2001).
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SWEEPS = 12  # of the order of places, and of the positions of columns
_EXACT = 400  # places in a drawing up to which neighbours are exchanged as well


class Spacing(NamedTuple):
    """Distances, in the unit of the sizes of items.

    Attributes:
        boxes: between two boxes beside each other.
        lines: between a line and a box, or two lines.
        stub: below an item, where its label is.
        track: between two horizontal lines.
        arrow: above an item.
    """

    boxes: int
    lines: int
    stub: int
    track: int
    arrow: int


class Item(NamedTuple):
    """A box, or a frame that is laid out already, relative to its axis.

    Attributes:
        left: how far it extends to the left of its axis.
        right: to the right, the label of its output included.
        height: from top to bottom.
        enters: where a tensor enters, by its key, relative to the axis; elsewhere on the axis.
        leaves: where a tensor leaves, by its key, relative to the axis; elsewhere on the axis.
        spread: the width over which the lines into it are spread; 0 where all end at one point.
    """

    left: int
    right: int
    height: int
    enters: dict[int, int]
    leaves: dict[int, int]
    spread: int = 0


class Edge(NamedTuple):
    """A tensor from the item that makes it to one that reads it, by their places in the list of items."""

    source: int
    target: int
    tensor: int


class Route(NamedTuple):
    """The line of an edge: its corners from source to target."""

    edge: Edge
    points: tuple[tuple[int, int], ...]


class Placed(NamedTuple):
    """A finished layout.

    Attributes:
        width: of all of it.
        height: of all of it.
        axes: where the axis of each item is.
        tops: where the upper side of each item is.
        routes: a line for each edge.
        rows: the layer of each item.
    """

    width: int
    height: int
    axes: tuple[int, ...]
    tops: tuple[int, ...]
    routes: tuple[Route, ...]
    rows: tuple[int, ...]


def place(
    items: Sequence[Item],
    edges: Sequence[Edge],
    spacing: Spacing,
    *,
    first: Iterable[int] = (),
    last: Iterable[int] = (),
) -> Placed:
    """A layout of ``items``.

    Args:
        items: in an order in which every edge points forwards.
        edges: between them.
        spacing: distances.
        first: items that belong above all others; they read nothing.
        last: items that belong below all others.
    """
    if not items:
        return Placed(0, 0, (), (), (), ())
    return _Layout(items, edges, spacing, frozenset(first), frozenset(last)).placed()


class _Place:
    """An item in its layer, or the line of a tensor that passes it."""

    __slots__ = ("above", "below", "column", "depth", "height", "item", "layer", "left", "offset", "order", "right")

    def __init__(self, layer: int, item: int | None, left: int, right: int) -> None:
        self.layer = layer
        self.item = item
        self.left = left
        self.right = right
        self.order = 0
        self.above: list[_Link] = []
        self.below: list[_Link] = []
        self.depth = 0  # items on the longest way from the top
        self.height = 0  # and to the bottom
        self.column: _Column | None = None
        self.offset = 0


class _Link:
    """A piece of an edge between two layers next to each other."""

    __slots__ = ("aligned", "end", "lower", "start", "upper")

    def __init__(self, upper: _Place, lower: _Place, start: int, end: int) -> None:
        self.upper = upper
        self.lower = lower
        self.start = start  # relative to the axis of the upper place
        self.end = end
        self.aligned = False


class _Column:
    """Places whose lines continue each other."""

    __slots__ = ("members", "x")

    def __init__(self) -> None:
        self.members: list[_Place] = []
        self.x = 0


class _Layout:
    def __init__(
        self,
        items: Sequence[Item],
        edges: Sequence[Edge],
        spacing: Spacing,
        first: frozenset[int],
        last: frozenset[int],
    ) -> None:
        self.items = items
        self.edges = edges
        self.spacing = spacing
        self.rows = _rows(len(items), edges, first, last)
        self.layers: list[list[_Place]] = [[] for _ in range(max(self.rows) + 1)]
        self.own = [_Place(row, index, items[index].left, items[index].right) for index, row in enumerate(self.rows)]
        for place_ in self.own:
            self.layers[place_.layer].append(place_)
        self.links: dict[tuple[int, int, int], list[_Link]] = {}  # by edge
        self.ways = [self._way(edge) for edge in edges]
        self._lengths()

    # --- places ---

    def _way(self, edge: Edge) -> list[_Link]:
        """The pieces of an edge; edges of one tensor share the places between layers."""
        source, target = self.own[edge.source], self.own[edge.target]
        start = self.items[edge.source].leaves.get(edge.tensor, 0)
        way: list[_Link] = []
        upper = source
        for layer in range(source.layer + 1, target.layer + 1):
            final = layer == target.layer
            end = self.items[edge.target].enters.get(edge.tensor, 0) if final else 0
            key = (edge.source, edge.tensor, -1 - layer if not final else edge.target)
            known = self.links.get(key)
            if known is not None and known[0].upper is upper:
                link = known[0]
            else:
                lower = target if final else _Place(layer, None, 0, 0)
                link = _Link(upper, lower, start if upper is source else 0, end)
                self.links[key] = [link]
                upper.below.append(link)
                lower.above.append(link)
                if not final:
                    self.layers[layer].append(lower)
            way.append(link)
            upper = link.lower
        return way

    def _lengths(self) -> None:
        for layer in self.layers:
            for each in layer:
                each.depth = max((link.upper.depth for link in each.above), default=0) + (each.item is not None)
        for layer in reversed(self.layers):
            for each in layer:
                each.height = max((link.lower.height for link in each.below), default=0) + (each.item is not None)

    # --- order ---

    def _order(self) -> None:
        """An order of each layer with few crossings: by the places above, then by sweeps as long as they help."""
        for layer in self.layers:
            layer.sort(key=lambda each: (_mean(each.above, upper=True), each.item is None, each.item or 0))
            self._number(layer)
        best, kept = self._crossings(), self._orders()
        for sweep in range(_SWEEPS):
            if not best:
                break
            upwards = sweep % 2 == 0
            for layer in reversed(self.layers) if upwards else self.layers:
                layer.sort(key=_below if upwards else _above)
                self._number(layer)
            if sum(map(len, self.layers)) <= _EXACT:
                self._exchange()
            crossings = self._crossings()
            if crossings < best:
                best, kept = crossings, self._orders()
        for layer, order in zip(self.layers, kept, strict=True):
            layer[:] = order
            self._number(layer)

    def _orders(self) -> list[list[_Place]]:
        return [list(layer) for layer in self.layers]

    @staticmethod
    def _number(layer: list[_Place]) -> None:
        for index, each in enumerate(layer):
            each.order = index

    def _crossings(self) -> int:
        return sum(_crossings([link for each in layer for link in each.below]) for layer in self.layers)

    def _exchange(self) -> None:
        """Exchange neighbours where fewer lines cross then."""
        for layer in self.layers:
            for index in range(len(layer) - 1):
                former, other = layer[index], layer[index + 1]
                links = [*former.above, *other.above], [*former.below, *other.below]
                before = sum(map(_crossings, links))
                if not before:
                    continue
                former.order, other.order = index + 1, index
                if sum(map(_crossings, links)) < before:
                    layer[index], layer[index + 1] = other, former
                else:
                    former.order, other.order = index, index + 1

    # --- columns ---

    def _align(self) -> None:
        """Join places to columns: each with the one that its longest way continues to, lines of long edges first."""
        for layer in self.layers[:-1]:
            links = [link for each in layer for link in each.below]
            links.sort(key=lambda link: (link.upper.item is not None) + (link.lower.item is not None))
            taken: list[_Link] = []
            for link in links:
                inner = link.upper.item is None and link.lower.item is None
                if not inner and not (_main(link.upper.below, link) and _main(link.lower.above, link)):
                    continue
                if any(
                    link.upper is other.upper or link.lower is other.lower or _cross(link, other) for other in taken
                ):
                    continue
                link.aligned = True
                taken.append(link)
        for layer in self.layers:
            for each in layer:
                spine = next((link for link in each.above if link.aligned), None)
                column = _Column() if spine is None else _column(spine.upper)
                if spine is not None:
                    each.offset = spine.upper.offset + spine.start - spine.end
                each.column = column
                column.members.append(each)

    def _gap(self, former: _Place, other: _Place) -> int:
        boxes = former.item is not None and other.item is not None
        return former.right + other.left + (self.spacing.boxes if boxes else self.spacing.lines)

    def _position(self) -> list[_Column]:
        """The least position of every column, then positions close to what each is connected to."""
        columns = list(dict.fromkeys(_column(each) for layer in self.layers for each in layer))
        pairs = [pair for layer in self.layers for pair in pairwise(layer)]
        for _ in range(len(columns) + 1):
            moved = False
            for former, other in pairs:
                left, right = _column(former), _column(other)
                least = left.x + former.offset + self._gap(former, other) - other.offset
                if right.x < least:
                    right.x, moved = least, True
            if not moved:
                break
        before = {id(other): former for former, other in pairs}
        after = {id(former): other for former, other in pairs}
        for sweep in range(2 * _SWEEPS):
            for column in sorted(columns, key=lambda column: column.x, reverse=sweep % 2 == 0):
                self._settle(column, before, after)
        return columns

    def _settle(self, column: _Column, before: dict[int, _Place], after: dict[int, _Place]) -> None:
        low: int | None = None
        high: int | None = None
        wishes: list[int] = []
        for each in column.members:
            left, right = before.get(id(each)), after.get(id(each))
            if left is not None:
                least = _column(left).x + left.offset + self._gap(left, each) - each.offset
                low = least if low is None else max(low, least)
            if right is not None:
                most = _column(right).x + right.offset - self._gap(each, right) - each.offset
                high = most if high is None else min(high, most)
            wishes += [
                _column(link.upper).x + link.upper.offset + link.start - link.end - each.offset
                for link in each.above
                if not link.aligned
            ]
            wishes += [
                _column(link.lower).x + link.lower.offset + link.end - link.start - each.offset
                for link in each.below
                if not link.aligned
            ]
        if not wishes:
            return
        x = round(sum(wishes) / len(wishes))
        x = x if high is None else min(x, high)
        column.x = x if low is None else max(x, low)

    # --- the result ---

    def placed(self) -> Placed:
        """Everything in its place."""
        self._order()
        self._align()
        self._position()
        x = {id(each): _column(each).x + each.offset for layer in self.layers for each in layer}
        shift = -min(x[id(each)] - each.left for layer in self.layers for each in layer)
        x = {key: value + shift for key, value in x.items()}
        width = max(x[id(each)] + each.right for layer in self.layers for each in layer)
        ports = self._ports(x)
        starts, ends, tracks = self._heights(x, ports)
        tops = [0] * len(self.items)
        for each in self.own:
            space = ends[each.layer] - starts[each.layer] - self.items[each.item or 0].height
            tops[each.item or 0] = starts[each.layer] + space // 2
        routes = []
        for edge, way in zip(self.edges, self.ways, strict=True):
            points = [(x[id(way[0].upper)] + way[0].start, tops[edge.source] + self.items[edge.source].height)]
            for link in way:
                start, end = x[id(link.upper)] + link.start, x[id(link.lower)] + ports[id(link)]
                if start != end:
                    points += [(start, tracks[id(link)]), (end, tracks[id(link)])]
            points.append((x[id(way[-1].lower)] + ports[id(way[-1])], tops[edge.target]))
            routes.append(Route(edge, tuple(points)))
        axes = tuple(x[id(each)] for each in self.own)
        return Placed(width, ends[-1], axes, tuple(tops), tuple(routes), tuple(self.rows))

    def _ports(self, x: dict[int, int]) -> dict[int, int]:
        """Where each piece ends, relative to the axis of its lower place; lines into a merge side by side."""
        ports = {id(link): link.end for layer in self.layers for each in layer for link in each.above}
        for each in self.own:
            spread = self.items[each.item or 0].spread
            links = sorted(each.above, key=lambda link: (x[id(link.upper)] + link.start, link.upper.order))
            if not spread or len(links) < 2:  # noqa: PLR2004
                continue
            middle = next((index for index, link in enumerate(links) if link.aligned), None)
            centre = (len(links) - 1) / 2 if middle is None else middle
            step = spread / 2 / max(centre, len(links) - 1 - centre)
            for index, link in enumerate(links):
                ports[id(link)] = round((index - centre) * step)
        return ports

    def _heights(self, x: dict[int, int], ports: dict[int, int]) -> tuple[list[int], list[int], dict[int, int]]:
        """Where each layer starts and ends, and the height of the horizontal piece of each link."""
        starts, ends, tracks = [], [], {}
        y = 0
        for layer in self.layers:
            starts.append(y)
            y += max((self.items[each.item].height for each in layer if each.item is not None), default=0)
            ends.append(y)
            if layer is self.layers[-1]:
                break
            links = [link for each in layer for link in each.below]
            numbers = _tracks([(x[id(link.upper)] + link.start, x[id(link.lower)] + ports[id(link)]) for link in links])
            below = self.layers[layer[0].layer + 1]
            if any(each.item is not None and self.items[each.item].height for each in layer):
                y += self.spacing.stub
            for link, track in zip(links, numbers, strict=True):
                tracks[id(link)] = y + track * self.spacing.track
            y += (max(numbers, default=-1) + 1) * self.spacing.track
            if any(each.item is not None and self.items[each.item].height for each in below):
                y += self.spacing.arrow
        return starts, ends, tracks


def _column(each: _Place) -> _Column:
    if each.column is None:
        raise AssertionError(each)
    return each.column


def _rows(count: int, edges: Sequence[Edge], first: frozenset[int], last: frozenset[int]) -> list[int]:
    """The layer of every item: below all that it reads; what reads nothing close to what reads it."""
    rows = [0] * count
    for edge in sorted(edges, key=lambda edge: edge.target):
        rows[edge.target] = max(rows[edge.target], rows[edge.source] + 1)
    read = {edge.target for edge in edges}
    for index in range(count):
        if index not in read and index not in first:
            below = [rows[edge.target] for edge in edges if edge.source == index]
            rows[index] = min(below) - 1 if below else 0
    bottom = max(rows)
    for index in last:
        rows[index] = bottom
    return rows


def _above(each: _Place) -> float:
    return _mean(each.above, upper=True, default=each.order)


def _below(each: _Place) -> float:
    return _mean(each.below, upper=False, default=each.order)


def _mean(links: Sequence[_Link], *, upper: bool, default: float = -1) -> float:
    if not links:
        return default
    return sum((link.upper if upper else link.lower).order for link in links) / len(links)


def _cross(former: _Link, other: _Link) -> bool:
    upper = (former.upper.order, former.start), (other.upper.order, other.start)
    lower = (former.lower.order, former.end), (other.lower.order, other.end)
    return (upper[0] < upper[1] and lower[0] > lower[1]) or (upper[0] > upper[1] and lower[0] < lower[1])


def _crossings(links: Sequence[_Link]) -> int:
    """How many pairs of lines between two layers cross."""
    ends = [
        (link.lower.order, link.end)
        for link in sorted(links, key=lambda link: (link.upper.order, link.start, link.lower.order, link.end))
    ]
    return sum(before > after for index, before in enumerate(ends) for after in ends[index + 1 :])


def _main(links: Sequence[_Link], link: _Link) -> bool:
    """Whether the longest way continues along ``link``; of several as long, the one in the middle."""
    below = link in link.upper.below and links is link.upper.below

    def length(each: _Link) -> int:
        return each.lower.height if below else each.upper.depth

    longest = max(map(length, links))
    if sum(length(each) == longest for each in links) == 1:
        return length(link) == longest
    ordered = sorted(links, key=lambda each: (each.lower if below else each.upper).order)
    return len(ordered) % 2 == 1 and ordered[len(ordered) // 2] is link


def _tracks(spans: Sequence[tuple[int, int]]) -> list[int]:
    """A track for the horizontal piece of each line from one x to another, so that few lines cross; -1 for none.

    Lines that start at one x share a track.
    """
    fans: dict[int, _Fan] = {}
    for start, end in spans:
        if start != end:
            fans.setdefault(start, _Fan(start, [])).ends.append(end)
    above: dict[int, set[int]] = {start: set() for start in fans}
    for former, other in combinations(fans.values(), 2):
        if former.meets(other):
            first, second = former.crossings(other), other.crossings(former)
            if first < second:
                above[other.start].add(former.start)
            elif second < first:
                above[former.start].add(other.start)
    track: dict[int, int] = {}
    while len(track) < len(fans):
        left = [fan for fan in fans.values() if fan.start not in track]
        fan = next((fan for fan in left if above[fan.start] <= track.keys()), left[0])
        track[fan.start] = 1 + max((track[other] for other in track if fan.meets(fans[other])), default=-1)
    return [-1 if start == end else track[start] for start, end in spans]


class _Fan(NamedTuple):
    """Lines from one x to several."""

    start: int
    ends: list[int]

    @property
    def left(self) -> int:
        return min(self.start, *self.ends)

    @property
    def right(self) -> int:
        return max(self.start, *self.ends)

    def meets(self, other: _Fan) -> bool:
        """Whether both cannot be on one track."""
        return self.left <= other.right and other.left <= self.right

    def crossings(self, low: _Fan) -> int:
        """Where ``low`` is below: the ends of the one above pass the track of ``low``, whose start passes its track."""
        passed = sum(low.left <= end <= low.right for end in self.ends)
        return passed + (self.left <= low.start <= self.right)
