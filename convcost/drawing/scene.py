"""A diagram with places for everything in it: boxes, frames and lines, in pixels or in the cells of a terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from convcost.drawing.columns import in_columns, page
from convcost.drawing.layout import Edge, Item, Spacing, place
from convcost.drawing.svg import text_width

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.drawing.diagram import Diagram, Link, Part
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
        tip: the same, where there are many.
        columns: whether a chain that is too high for a page is continued in further columns: never, that of the whole
            network, or those in frames as well.
    """

    width: Callable[[str], float]
    line: int
    pad: int
    rim: int
    frame: int
    spacing: Spacing
    least: int
    port: int
    tip: int
    columns: Literal["never", "outside", "everywhere"]


class Box(NamedTuple):
    """A box or frame in its place.

    Attributes:
        part: what it shows.
        x, y: the upper left corner.
        width, height: its size.
        port: the x of the line that the label of its output is beside; of a frame, of the line beside its own label.
        up: whether lines enter it below and leave it above.
    """

    part: Part
    x: int
    y: int
    width: int
    height: int
    port: int
    up: bool = False


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

    def turned(self) -> Scene:
        """All of it, from bottom to top."""
        return Scene(
            self.width,
            self.height,
            tuple(box._replace(y=self.height - box.y - box.height, up=not box.up) for box in self.boxes),
            tuple(line._replace(points=tuple((x, self.height - y) for x, y in line.points)) for line in self.lines),
        )


_BOLD = 1.15  # labels of frames are bold
FONT_SIZE = 12
PIXELS = Style(
    width=lambda text: text_width(text, FONT_SIZE),
    line=16,
    pad=10,
    rim=6,
    frame=12,
    spacing=Spacing(boxes=24, lines=16, stub=20, track=10, arrow=12),
    least=44,
    port=14,
    tip=10,
    columns="outside",
)


def scene(drawing: Diagram, style: Style = PIXELS) -> Scene:
    """Places for everything in a diagram; of two drawings, with and without columns in frames, the smaller one."""
    made = _placed(drawing, style)
    if style.columns == "never":
        return made
    other = _placed(drawing, style._replace(columns="everywhere"))
    return min(made, other, key=lambda each: page(each.width, each.height))


def _placed(drawing: Diagram, style: Style) -> Scene:
    inner = [inside_of(part, style) for part in drawing.parts]
    items = _items(drawing.parts, inner, drawing.links, style)
    edges = [Edge(link.source or 0, link.target or 0, link.tensor) for link in drawing.links]
    last = [index for index, part in enumerate(drawing.parts) if part.form == "output"]
    placed = place(items, edges, style.spacing, last=last)
    if style.columns != "never":
        placed = in_columns(placed, items, style.spacing)
    return _scene(drawing.parts, inner, items, placed, style)


class Inside(NamedTuple):
    """What is in a frame, with where tensors enter and leave it."""

    scene: Scene
    enters: dict[int, int]
    leaves: dict[int, int]
    top: int


def inside_of(part: Part, style: Style, left: Sequence[int] = ()) -> Inside | None:
    """What is in a frame; None for a box.

    Args:
        part: a box or frame.
        style: the sizes.
        left: tensors that enter on the left.
    """
    if part.form != "frame":
        return None
    entering = list(dict.fromkeys([*left, *(link.tensor for link in part.links if link.source is None)]))
    leaving = list(dict.fromkeys(link.tensor for link in part.links if link.target is None))
    inner = [inside_of(each, style) for each in part.parts]
    items = [Item(0, 0, 0, {}, {}) for _ in entering]
    items += _items(part.parts, inner, part.links, style)
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
    if style.columns == "everywhere":
        placed = _down_to_end(in_columns(placed, items, style.spacing), range(end, len(items)))
    inside = _scene(part.parts, inner, items, placed, style, first)
    enters = {tensor: placed.axes[index] for index, tensor in enumerate(entering)}
    alias = {drawn: outer for outer, drawn in part.aliases}
    leaves = {alias[tensor]: placed.axes[end + index] for index, tensor in enumerate(leaving)}
    return Inside(inside, enters, leaves, style.line + style.rim)


def _down_to_end(placed: Placed, leaving: range) -> Placed:
    """A layout whose last items, and the lines to them, are at its lower side, in whatever column they are."""
    tops = [placed.height if index in leaving else top for index, top in enumerate(placed.tops)]
    routes = [
        route._replace(points=(*route.points[:-1], (route.points[-1][0], placed.height)))
        if route.edge.target in leaving
        else route
        for route in placed.routes
    ]
    return placed._replace(tops=tuple(tops), routes=tuple(routes))


def _items(parts: Sequence[Part], inner: Sequence[Inside | None], links: Sequence[Link], style: Style) -> list[Item]:
    """The sizes of parts beside each other; a merge has room for the lines that end at it."""
    ends = Counter(link.target for link in links)
    return [
        item_of(part, within, style, ends[place]) for place, (part, within) in enumerate(zip(parts, inner, strict=True))
    ]


def item_of(part: Part, within: Inside | None, style: Style, ends: int) -> Item:
    """The sizes of a part, around its axis: the line into a frame, or the middle of a box."""
    if within is None:
        width = round(max(style.least, *(style.width(line) for line in part.lines)) + 2 * style.pad)
        spread = 0
        if part.form == "join":
            width = max(width, 4 * style.port, 2 * (ends - 1) * style.tip + 2 * style.port)
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


def frame_scene(part: Part, within: Inside | None, item: Item, placed: Placed, style: Style) -> Scene:
    """One box, or one frame with what is in it."""
    return _scene([part], [within], [item], placed, style)


def _scene(
    parts: Sequence[Part],
    inner: Sequence[Inside | None],
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
