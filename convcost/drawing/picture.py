"""A diagram as SVG: boxes with their text, frames, lines with arrows, and the share of MACs as tint."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from convcost.drawing.layout import Edge, Item, Route, Spacing, place
from convcost.drawing.svg import document, element, label, number, path, text_width, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from convcost.drawing.diagram import Diagram, Part
    from convcost.drawing.layout import Placed

Point = tuple[int, int]


class Style(NamedTuple):
    """Sizes of a drawing in one unit: pixels, or the cells of a terminal.

    Attributes:
        width: of a line of text, at most.
        line: height of a line of text.
        pad: between text and the side of a box, beside it.
        rim: between text and the side of a box, above and below it.
        frame: between a frame and what is in it.
        spacing: see :class:`~convcost.drawing.layout.Spacing`.
        least: width of the smallest box.
        port: between two lines that end at one merge.
    """

    width: Callable[[str], float]
    line: int
    pad: int
    rim: int
    frame: int
    spacing: Spacing
    least: int
    port: int


class Box(NamedTuple):
    """A box or frame in its place.

    Attributes:
        part: what it shows.
        x, y: the upper left corner.
        width, height: its size.
        port: the x of the line that the label of its output is beside; of a frame, of the line beside its own label.
    """

    part: Part
    x: int
    y: int
    width: int
    height: int
    port: int


class Line(NamedTuple):
    """The line of a tensor.

    Attributes:
        tensor: index of the layer that makes it.
        points: its corners.
        arrow: whether it ends at a box, and not at the side of a frame.
    """

    tensor: int
    points: tuple[Point, ...]
    arrow: bool


class Scene(NamedTuple):
    """A drawing with all its places.

    Attributes:
        width, height: of all of it.
        boxes: boxes and frames, a frame before what is in it.
        lines: between them.
    """

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]

    def moved(self, x: int, y: int) -> Scene:
        """All of it, shifted."""
        return Scene(
            self.width,
            self.height,
            tuple(box._replace(x=box.x + x, y=box.y + y, port=box.port + x) for box in self.boxes),
            tuple(line._replace(points=tuple((a + x, b + y) for a, b in line.points)) for line in self.lines),
        )


_BOLD = 1.15  # labels of frames are bold
_PAGE = 1.2  # height by width of a drawing in columns
_WORTH = 0.75  # the part of its height that a drawing in columns has at most
_TALL = 900  # the height from which a drawing is continued in a further column
FONT_SIZE = 12
_SMALL = 11
PIXELS = Style(
    width=lambda text: text_width(text, FONT_SIZE),
    line=16,
    pad=10,
    rim=6,
    frame=12,
    spacing=Spacing(boxes=24, lines=16, stub=20, track=10, arrow=12),
    least=44,
    port=14,
)


def scene(drawing: Diagram, style: Style = PIXELS, *, columns: bool = True) -> Scene:
    """Places for everything in a diagram.

    Args:
        drawing: what to place.
        style: the sizes.
        columns: whether a high drawing is continued in further columns.
    """
    inner = [_inside(part, style) for part in drawing.parts]
    items = [_item(part, within, style) for part, within in zip(drawing.parts, inner, strict=True)]
    edges = [Edge(link.source or 0, link.target or 0, link.tensor) for link in drawing.links]
    last = [index for index, part in enumerate(drawing.parts) if part.form == "output"]
    placed = place(items, edges, style.spacing, last=last)
    if columns:
        placed = _in_columns(placed, items, edges, style)
    return _scene(drawing.parts, inner, items, placed, style)


class _Inside(NamedTuple):
    """What is in a frame, with where tensors enter and leave it."""

    scene: Scene
    enters: dict[int, int]
    leaves: dict[int, int]
    top: int


def _inside(part: Part, style: Style) -> _Inside | None:
    if part.form != "frame":
        return None
    entering = list(dict.fromkeys(link.tensor for link in part.links if link.source is None))
    leaving = list(dict.fromkeys(link.tensor for link in part.links if link.target is None))
    inner = [_inside(each, style) for each in part.parts]
    items = [Item(0, 0, 0, {}, {}) for _ in entering]
    items += [_item(each, within, style) for each, within in zip(part.parts, inner, strict=True)]
    items += [Item(0, 0, 0, {}, {}) for _ in leaving]
    first, end = len(entering), len(entering) + len(part.parts)
    edges = [
        Edge(
            entering.index(link.tensor) if link.source is None else link.source + first,
            end + leaving.index(link.tensor) if link.target is None else link.target + first,
            link.tensor,
        )
        for link in part.links
    ]
    placed = place(items, edges, style.spacing, first=range(first), last=range(end, len(items)))
    inside = _scene(part.parts, inner, items, placed, style, first)
    enters = {tensor: placed.axes[index] for index, tensor in enumerate(entering)}
    alias = {drawn: outer for outer, drawn in part.aliases}
    leaves = {alias[tensor]: placed.axes[end + index] for index, tensor in enumerate(leaving)}
    return _Inside(inside, enters, leaves, style.line + style.rim)


def _item(part: Part, within: _Inside | None, style: Style) -> Item:
    """The sizes of a part, around its axis: the line into a frame, or the middle of a box."""
    if within is None:
        width = round(max(style.least, *(style.width(line) for line in part.lines)) + 2 * style.pad)
        spread = 0
        if part.form == "join":
            width = max(width, 4 * style.port)
            spread = width - 2 * style.port
        width += width % 2
        beside = round(style.width(part.output) + style.pad) if part.output else 0
        return Item(width // 2, max(width // 2, beside), len(part.lines) * style.line + 2 * style.rim, {}, {}, spread)
    axis = next(iter(within.enters.values()), within.scene.width // 2)
    beside = max(within.enters.values(), default=axis) - axis  # the label is to the right of all lines that enter
    text = round(sum(_BOLD * style.width(line) for line in part.lines))
    right = max(within.scene.width - axis + style.frame, beside + text + 3 * style.pad)
    height = within.top + within.scene.height + style.rim
    enters = {tensor: x - axis for tensor, x in within.enters.items()}
    leaves = {tensor: x - axis for tensor, x in within.leaves.items()}
    return Item(axis + style.frame, right, height, enters, leaves)


def _scene(
    parts: Sequence[Part],
    inner: Sequence[_Inside | None],
    items: Sequence[Item],
    placed: Placed,
    style: Style,
    first: int = 0,
) -> Scene:
    boxes: list[Box] = []
    lines: list[Line] = []
    for index, (part, within) in enumerate(zip(parts, inner, strict=True), start=first):
        item, axis, top = items[index], placed.axes[index], placed.tops[index]
        if within is None:
            boxes.append(Box(part, axis - item.left, top, 2 * item.left, item.height, axis))
            continue
        label_at = axis + max(item.enters.values(), default=0)
        boxes.append(Box(part, axis - item.left, top, item.left + item.right, item.height, label_at))
        start = axis - item.left + style.frame
        moved = within.scene.moved(start, top + within.top)
        boxes += moved.boxes
        lines += moved.lines
        for tensor, x in within.enters.items():
            lines.append(Line(tensor, ((start + x, top), (start + x, top + within.top)), arrow=False))
        for tensor, x in within.leaves.items():
            low = top + within.top + within.scene.height
            lines.append(Line(tensor, ((start + x, low), (start + x, top + item.height)), arrow=False))
    end = first + len(parts)
    for route in placed.routes:
        ends_at_box = first <= route.edge.target < end and inner[route.edge.target - first] is None
        lines.append(Line(route.edge.tensor, route.points, arrow=ends_at_box))
    return Scene(placed.width, placed.height, tuple(boxes), tuple(lines))


def _in_columns(placed: Placed, items: Sequence[Item], edges: Sequence[Edge], style: Style) -> Placed:
    """A tall layout continued in further columns, where a single line leads on, so that it fits a page."""
    columns = _columns(placed, items, edges)
    if len(set(columns)) == 1:
        return placed
    gutter = 2 * style.spacing.boxes
    boxes = list(enumerate(zip(placed.axes, placed.tops, items, strict=True)))
    shifts: list[Point] = []
    left, height = 0, 0
    for column in sorted(set(columns)):
        members = [box for index, box in boxes if columns[placed.rows[index]] == column]
        inner = [
            x
            for route in placed.routes
            if columns[placed.rows[route.edge.source]] == column == columns[placed.rows[route.edge.target]]
            for x, _ in route.points
        ]
        first = min(axis - item.left for axis, _, item in members)
        most = max([*(axis + item.right for axis, _, item in members), *inner])
        first = min([first, *inner])
        top = min(top for _, top, _ in members)
        above = style.spacing.arrow + style.spacing.track if column else 0
        shifts.append((left - first, above - top))
        left += most - first + gutter
        height = max(height, above - top + max(top + item.height for _, top, item in members))
    lefts = [
        min(
            axis - item.left + shifts[columns[placed.rows[index]]][0]
            for index, (axis, _, item) in boxes
            if columns[placed.rows[index]] == column
        )
        for column in sorted(set(columns))
    ]
    axes = [axis + shifts[columns[row]][0] for axis, row in zip(placed.axes, placed.rows, strict=True)]
    tops = [top + shifts[columns[row]][1] for top, row in zip(placed.tops, placed.rows, strict=True)]
    routes: list[Route] = []
    bottom = 0
    for route in placed.routes:
        before, after = columns[placed.rows[route.edge.source]], columns[placed.rows[route.edge.target]]
        (dx, dy), (ex, ey) = shifts[before], shifts[after]
        points = tuple((x + dx, y + dy) for x, y in route.points)
        if before != after:
            (x, y), (far, end) = points[0], route.points[-1]
            far, end = far + ex, end + ey
            low = y + style.spacing.stub
            bottom = max(bottom, low)
            side = min(lefts[after], far) - gutter // 2
            points = (
                (x, y),
                (x, low),
                (side, low),
                (side, end - style.spacing.arrow),
                (far, end - style.spacing.arrow),
                (far, end),
            )
        routes.append(Route(route.edge, points))
    return placed._replace(
        width=left - gutter, height=max(height, bottom), axes=tuple(axes), tops=tuple(tops), routes=tuple(routes)
    )


def _columns(placed: Placed, items: Sequence[Item], edges: Sequence[Edge]) -> list[int]:
    """The column of each layer: as many as make the drawing about as wide as it is high."""
    layers = max(placed.rows) + 1
    wanted = round((placed.height / max(placed.width, 1) / _PAGE) ** 0.5)
    if placed.height < _TALL or wanted < 2:  # noqa: PLR2004
        return [0] * layers
    starts, ends = [placed.height] * layers, [0] * layers
    for row, top, item in zip(placed.rows, placed.tops, items, strict=True):
        starts[row], ends[row] = min(starts[row], top), max(ends[row], top + item.height)
    rows = [(placed.rows[edge.source], placed.rows[edge.target]) for edge in edges]
    cuts = [
        layer
        for layer in range(1, layers)
        if [(source, target) for source, target in rows if source < layer <= target] == [(layer - 1, layer)]
    ]
    for height in range(placed.height // wanted, placed.height + 1, max(placed.height // 100, 1)):
        columns = _filled(starts, ends, cuts, height)
        if columns[-1] < wanted:
            return columns if height < _WORTH * placed.height else [0] * layers
    return [0] * layers


def _filled(starts: Sequence[int], ends: Sequence[int], cuts: Sequence[int], height: int) -> list[int]:
    """The column of each layer where a column is continued as long as it is no higher than ``height``."""
    bounds = [0, *cuts, len(starts)]
    columns: list[int] = []
    column, top = 0, starts[0]
    for first, after in pairwise(bounds):
        if first and ends[after - 1] - top > height:
            column, top = column + 1, starts[first]
        columns += [column] * (after - first)
    return columns


# --- SVG ---

_MARGIN = 16
_ALONE, _BESIDE = 340, 250  # the least width of a drawing
_TITLE = 13
_LINE = 0.85  # the part of the page that a line of text is broken at, since fonts differ
_STRONGEST = 0.4  # opacity of the tint of the largest share


class Titled(NamedTuple):
    """A drawing with a title above it and a line of figures below that."""

    drawing: Diagram
    title: str
    figures: str


class Beside(NamedTuple):
    """Drawings beside each other, in their places.

    Attributes:
        scenes: what is drawn of each.
        headings: the lines of each title.
        lefts: where each title begins.
        width: of the page.
        top: of the drawings.
    """

    scenes: tuple[Scene, ...]
    headings: tuple[list[str], ...]
    lefts: tuple[int, ...]
    width: int
    top: int


def beside(drawings: Sequence[Titled]) -> Beside:
    """Places for drawings beside each other, from left to right."""
    least = _ALONE if len(drawings) == 1 else _BESIDE
    scenes = [scene(each.drawing) for each in drawings]
    widths = [max(made.width, least) for made in scenes]
    headings = [
        wrapped(each.title, width * _LINE, _TITLE, bold=True) for each, width in zip(drawings, widths, strict=True)
    ]
    top = _MARGIN + 17 * max(map(len, headings)) + 26
    left = _MARGIN
    lefts: list[int] = []
    placed: list[Scene] = []
    for made, width in zip(scenes, widths, strict=True):
        lefts.append(left)
        placed.append(made.moved(left + (width - made.width) // 2, top))
        left += width + 2 * _MARGIN
    return Beside(tuple(placed), tuple(headings), tuple(lefts), left - _MARGIN, top)


def svg(drawings: Sequence[Titled], title: str, notes: Sequence[str] = ()) -> str:
    """Drawings beside each other as an SVG file.

    Args:
        drawings: from left to right.
        title: for people who cannot see it.
        notes: lines below them.
    """
    made = beside(drawings)
    content: list[str] = []
    for each, placed, left, heading in zip(drawings, made.scenes, made.lefts, made.headings, strict=True):
        content += [
            label(line, left, _MARGIN + 8 + 17 * index, _TITLE, font_weight="bold")
            for index, line in enumerate(heading)
        ]
        content.append(label(each.figures, left, _MARGIN + 8 + 17 * len(heading), _SMALL, class_="quiet"))
        content += _drawn(placed)
    y = made.top + max(placed.height for placed in made.scenes) + 20
    for note in notes:
        for line in wrapped(note, _LINE * made.width, _SMALL):
            content.append(label(line, _MARGIN, y, _SMALL, class_="quiet"))
            y += 15
    return document(title, made.width, y, *content)


def _drawn(made: Scene) -> Iterator[str]:
    most = max((box.part.share or 0 for box in made.boxes if box.part.form != "frame"), default=0)
    yield element("g", *map(_line, made.lines), shape_rendering="crispEdges")  # sharp, where lines overlap
    for box in made.boxes:
        yield _box(box, float((box.part.share or 0) / most) if most else 0)


def _line(line: Line) -> str:
    (x, y), points = line.points[-1], line.points
    drawn = path(points, class_="line")
    if not line.arrow:
        return drawn
    head = f"M{number(x)} {number(y)}L{number(x - 4)} {number(y - 7)}L{number(x + 4)} {number(y - 7)}Z"
    return drawn + element("path", d=head, class_="arrow")


_CLASSES = {"layer": "box", "summary": "box", "join": "join", "input": "end", "output": "end", "frame": "frame"}


def _box(box: Box, strength: float) -> str:
    part = box.part
    round_ = box.height / 2 if part.form in ("input", "output") else 6 if part.form in ("join", "frame") else 2
    rect = {"x": box.x, "y": box.y, "width": box.width, "height": box.height, "rx": round_}
    parts = [element("rect", class_=_CLASSES[part.form], **rect)]
    if part.form == "frame":
        name, portion = part.lines
        x = box.port + 8
        parts.append(label(name, x, box.y + 15, FONT_SIZE, font_weight="bold"))
        after = x + text_width(name, FONT_SIZE, bold=True) + 8
        parts.append(label(portion, after, box.y + 15, _SMALL, class_="quiet"))
        return element("g", *parts)
    if strength:
        parts.append(element("rect", class_="tint", fill_opacity=strength * _STRONGEST, **rect))
    y = box.y + 6 + 12
    for index, text in enumerate(part.lines):
        small = index > 0
        parts.append(
            label(
                text,
                box.x + box.width / 2,
                y,
                _SMALL if small else FONT_SIZE,
                text_anchor="middle",
                class_="quiet" if small else None,
            )
        )
        y += PIXELS.line
    if part.output:
        parts.append(label(part.output, box.port + 5, box.y + box.height + 13, _SMALL, class_="quiet"))
    return element("g", *parts)
