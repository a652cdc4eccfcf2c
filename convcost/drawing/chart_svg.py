"""Charts as SVG: bars with their names, or curves and dots between two axes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from convcost.drawing.labels import Area, Named, passes, placed
from convcost.drawing.svg import clipped, document, element, label, path, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.drawing.chart import Axis, Chart, Curve, Dot, Rule
    from convcost.drawing.labels import Segment

_COLOURS = 8
_SIZE, _SMALL, _TITLE = 12, 11, 13
_MARGIN = 16
_ROW, _BAR = 20, 13
_NAMES = 260  # width of the names of bars, at most
_BARS = 460
_CELLS, _WIDE_CELL, _CELL, _WIRES = 720, 40, 24, 64  # channels: of all, of one, the height of one, and of lines
_WIDTH, _HEIGHT = 760, 420
_LARGE = (1080, 800)  # of a chart in which every dot has a name
_MANY = 30  # names
_ROOMY = 1.06  # space for a name by its width, since fonts differ
_GROUND = 0.75  # opacity of the ground below a name
_DOT, _DISC = 3.5, 26.0  # radius of a mark, and of the largest disc


def chart_svg(chart: Chart) -> str:
    """The chart as an SVG file."""
    if chart.strips:
        drawn, width, height = _strips(chart)
    else:
        drawn, width, height = _bars(chart) if chart.y is None else _plane(chart, chart.y)
    page = width + 2 * _MARGIN
    titles = wrapped(chart.title, 0.85 * page, _TITLE, bold=True)
    content = [
        label(line, _MARGIN, _MARGIN + 8 + 17 * index, _TITLE, font_weight="bold") for index, line in enumerate(titles)
    ]
    top = _MARGIN + 17 * len(titles) + 8
    content.append(element("g", *drawn, transform=f"translate({_MARGIN} {top})"))
    y = top + height + 18
    for note in chart.notes:
        for line in wrapped(note, 0.85 * page, _SMALL):
            content.append(label(line, _MARGIN, y, _SMALL, class_="quiet"))
            y += 15
    return document(chart.title, page, y, *content)


def _legend(groups: Sequence[str], width: float) -> tuple[list[str], float]:
    """A mark and a name for each group, and the height of the lines that they take."""
    if len(groups) < 2:  # noqa: PLR2004 - one group needs no legend
        return [], 0
    drawn: list[str] = []
    x, y = 0.0, 12.0
    for index, group in enumerate(groups):
        needed = 14 + text_width(group, _SMALL) + 18
        if x and x + needed > width:
            x, y = 0.0, y + 18
        drawn.append(element("rect", class_=f"mark c{index % _COLOURS}", x=x, y=y - 9, width=10, height=10))
        drawn.append(label(group, x + 14, y, _SMALL))
        x += needed
    return drawn, y + 10


def _groups(members: Sequence[str]) -> list[str]:
    return [group for group in dict.fromkeys(members) if group]


# --- bars ---


def _bars(chart: Chart) -> tuple[list[str], float, float]:
    axis, bars = chart.x, chart.bars
    groups = _groups([bar.group for bar in bars])
    names = min(_NAMES, max((text_width(bar.label, _SMALL) for bar in bars), default=0)) + 8
    values = max((text_width(bar.text, _SMALL) for bar in bars), default=0) + 10
    width = names + _BARS + values
    drawn, top = _legend(groups, width)
    bottom = top + _ROW * len(bars)
    for value, text in axis.ticks:
        x = names + axis.at(value) * _BARS
        drawn.append(path([(x, top), (x, bottom + 4)], class_="grid"))
        drawn.append(label(text, x, bottom + 16, _SMALL, text_anchor="middle", class_="quiet tick"))
    for index, bar in enumerate(bars):
        y = top + index * _ROW
        colour = groups.index(bar.group) % _COLOURS if bar.group else 0
        length = axis.at(bar.value) * _BARS
        drawn.append(label(_end(bar.label, names - 8), names - 6, y + 14, _SMALL, text_anchor="end", class_="name"))
        drawn.append(element("rect", class_=f"bar c{colour}", x=names, y=y + 4, width=length, height=_BAR))
        drawn.append(label(bar.text, names + length + 4, y + 14, _SMALL, class_="quiet"))
    drawn.append(label(axis.title, names + _BARS / 2, bottom + 32, _SMALL, text_anchor="middle"))
    return drawn, width, bottom + 34


def _end(text: str, width: float) -> str:
    """The end of a path that is too long: it says most."""
    if text_width(text, _SMALL) <= width:
        return text
    return clipped(text[::-1], _SMALL, width)[::-1]


# --- channels ---


def _strips(chart: Chart) -> tuple[list[str], float, float]:
    """Channels as cells in the colours of what they depend on, and a line for each that is read."""
    names = min(_NAMES, max(text_width(strip.label, _SMALL) for strip in chart.strips)) + 12
    most = max(len(strip.cells) for strip in chart.strips)
    step = min(_WIDE_CELL, _CELLS / most)
    size = 0.8 * step
    drawn: list[str] = []
    above: list[float] = []
    for row, strip in enumerate(chart.strips):
        y = row * (_CELL + _WIRES)
        left = names + (most - len(strip.cells)) * step / 2
        middles = [left + (index + 0.5) * step for index in range(len(strip.cells))]
        drawn += [
            path([(above[source], y - _WIRES), (middles[target], y)], class_="leader") for source, target in strip.wires
        ]
        drawn.append(label(_end(strip.label, names - 12), names - 10, y + 14, _SMALL, text_anchor="end"))
        for middle, colours in zip(middles, strip.cells, strict=True):
            height = _CELL / max(len(colours), 1)
            drawn += [
                element(
                    "rect",
                    class_=f"cell c{colour % _COLOURS}",
                    x=middle - size / 2,
                    y=y + part * height,
                    width=size,
                    height=height,
                )
                for part, colour in enumerate(colours)
            ]
        above = middles
    return drawn, names + most * step, len(chart.strips) * (_CELL + _WIRES) - _WIRES


# --- curves and dots ---


def _plane(chart: Chart, vertical: Axis) -> tuple[list[str], float, float]:
    named = sum(dot.named for dot in chart.dots)
    width, height = _LARGE if named > _MANY else (_WIDTH, _HEIGHT)
    groups = _groups([curve.name for curve in chart.curves] + [dot.group for dot in chart.dots])
    left = max(text_width(text, _SMALL) for _, text in vertical.ticks) + 24
    drawn, top = _legend(groups, left + width)
    top += 8
    plane = _Plane(chart.x, vertical, left, top, width, height)
    drawn += plane.grid()
    for curve in chart.curves:
        neutral = bool(chart.dots) and not curve.name  # a roof over dots
        drawn += plane.curve(curve, -1 if neutral else groups.index(curve.name) % _COLOURS if curve.name else 0)
    named_at = [plane.named(dot) for dot in chart.dots]
    drawn += plane.marks(chart, groups)
    taken = [dot.area for dot in named_at]
    lines = plane.lines(chart)
    for rule in chart.rules:
        drawn += plane.rule(rule, taken, lines)
    drawn += plane.names(chart, named_at, taken, lines)
    return drawn, left + width + 24, top + height + 40


def _over(text: str, area: Area, class_: str, *, to_right: bool = False) -> list[str]:
    """Text that can be read over lines; it begins at the left side of an area, or ends at the right side."""
    width, height = area.right - area.x, area.low - area.y
    ground = element("rect", class_="page", fill_opacity=_GROUND, x=area.x, y=area.y, width=width, height=height)
    x, anchor = (area.right, "end") if to_right else (area.x, None)
    return [ground, label(text, x, area.low - 3, _SMALL, class_=class_, text_anchor=anchor)]


class _Plane:
    """The area between two axes."""

    def __init__(self, x: Axis, y: Axis, left: float, top: float, width: float, height: float) -> None:
        self.horizontal = x
        self.vertical = y
        self.area = Area(left, top, left + width, top + height)

    def x(self, value: Any) -> float:
        return self.area.x + self.horizontal.at(value) * (self.area.right - self.area.x)

    def y(self, value: Any) -> float:
        return self.area.low - self.vertical.at(value) * (self.area.low - self.area.y)

    def grid(self) -> list[str]:
        """Marks with their texts, and the titles of the axes."""
        left, top, right, low = self.area
        drawn: list[str] = []
        for value, text in self.horizontal.ticks:
            x = self.x(value)
            drawn.append(path([(x, top), (x, low + 4)], class_="grid"))
            drawn.append(label(text, x, low + 16, _SMALL, text_anchor="middle", class_="quiet tick across"))
        for value, text in self.vertical.ticks:
            y = self.y(value)
            drawn.append(path([(left - 4, y), (right, y)], class_="grid"))
            drawn.append(label(text, left - 7, y + 4, _SMALL, text_anchor="end", class_="quiet tick up"))
        drawn.append(label(self.horizontal.title, (left + right) / 2, low + 34, _SMALL, text_anchor="middle"))
        middle = (top + low) / 2
        turned = f"rotate(-90 10 {middle:.2f})"
        drawn.append(label(self.vertical.title, 10, middle, _SMALL, text_anchor="middle", transform=turned))
        return drawn

    def points(self, curve: Curve) -> list[tuple[float, float]]:
        """The corners of a curve."""
        points = [(self.x(x), self.y(y)) for x, y in curve.points]
        if not curve.steps:
            return points
        corners = [corner for (x, y), (after, _) in pairwise(points) for corner in ((x, y), (after, y))]
        return [*corners, points[-1]]

    def curve(self, curve: Curve, colour: int) -> list[str]:
        points = self.points(curve)
        drawn: list[str] = []
        if curve.filled:
            closed = [(points[0][0], self.area.low), *points, (points[-1][0], self.area.low)]
            drawn.append(path(closed, class_=f"area c{colour}"))
        drawn.append(path(points, class_="curve line" if colour < 0 else f"curve c{colour}"))
        return drawn

    def line(self, rule: Rule) -> Segment:
        """From one side of the area to the other."""
        left, top, right, low = self.area
        if rule.axis == "y":
            return left, self.y(rule.value), right, self.y(rule.value)
        return self.x(rule.value), top, self.x(rule.value), low

    def lines(self, chart: Chart) -> list[Segment]:
        """All that texts should not cover: pieces of curves, and rules."""
        pieces = [(*start, *end) for curve in chart.curves for start, end in pairwise(self.points(curve))]
        return [*pieces, *map(self.line, chart.rules)]

    def rule(self, rule: Rule, taken: list[Area], lines: Sequence[Segment]) -> list[str]:
        """A dashed line with its text in the first free place beside it that no other line passes."""
        left, top, right, low = self.area
        width = text_width(rule.text, _SMALL)
        x, y, *_ = line = self.line(rule)
        if rule.axis == "y":
            starts = [
                right - width - 4,
                left + 6,
                *(left + part * (right - left - width) / 8 for part in range(7, 0, -1)),
            ]
            places = [Area(start, high, start + width, high + 12) for start in starts for high in (y - 15, y + 3)]
        else:
            starts = [start for start in (x + 5, x - width - 5) if left <= start and start + width <= right] or [left]
            heights = [top + 4 + 16 * row for row in range(int((low - top) / 16) - 1)]
            places = [Area(start, high, start + width, high + 12) for high in heights for start in starts]
        free = [place for place in places if not any(place.meets(other) for other in taken)]
        others = [other for other in lines if other != line]
        clear = (place for place in free if not any(passes(other, place) for other in others))
        place = next(clear, (free or places)[0])
        taken.append(place)
        drawn = [path([line[:2], line[2:]], class_="rule", stroke_dasharray="5 4")]
        beside = rule.axis == "x" and place.right <= x  # fonts differ in width: no text grows into its own line
        return [*drawn, *_over(rule.text, place, "quiet of-rule", to_right=beside)]

    def named(self, dot: Dot) -> Named:
        """Where a dot is, with the size of its name."""
        width = _ROOMY * text_width(dot.label, _SMALL) if dot.named else 0
        return Named(self.x(dot.x), self.y(dot.y), _radius(dot), width, _SMALL + 1)

    def marks(self, chart: Chart, groups: Sequence[str]) -> list[str]:
        """Marks or discs, the largest first."""
        drawn: list[str] = []
        for dot in sorted(chart.dots, key=lambda dot: -_radius(dot)):
            colour = groups.index(dot.group) % _COLOURS if dot.group else 0
            form = "disc" if dot.weight else "dot"
            where = self.named(dot)
            drawn.append(element("circle", class_=f"{form} c{colour}", cx=where.x, cy=where.y, r=where.radius))
        return drawn

    def names(self, chart: Chart, dots: Sequence[Named], taken: Sequence[Area], lines: Sequence[Segment]) -> list[str]:
        """The names of dots, those of the largest in the best places."""
        drawn: list[str] = []
        order = [index for index, dot in enumerate(chart.dots) if dot.named]
        order.sort(key=lambda index: -dots[index].radius)
        spots = placed([dots[index] for index in order], self.area, taken, lines)
        for index, spot in zip(order, spots, strict=True):
            if spot is None:
                continue
            if spot.leader is not None:
                drawn.append(path([(dots[index].x, dots[index].y), spot.leader], class_="leader"))
            drawn += _over(chart.dots[index].label, spot.area, "of-dot")
        return drawn


def _radius(dot: Dot) -> float:
    return float(_DISC * dot.weight**0.5) if dot.weight else _DOT
