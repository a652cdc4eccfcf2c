"""Networks that go down and up again, such as U-Net: two columns with the levels side by side, and lines across.

The first half is drawn from top to bottom, the second half beside it from bottom to top, so that a map that is kept for
later leads straight across to the level that reads it, as in figure 1 of Ronneberger et al. (2015).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from convcost.drawing.layout import Placed
from convcost.drawing.scene import Line, Scene, frame_scene, inside_of, item_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.drawing.diagram import Diagram, Link, Part
    from convcost.drawing.scene import Style

_LEAST = 2  # lines across


class _Shape(NamedTuple):
    """Which parts are kept for later, and which read them.

    Attributes:
        across: the links that lead across, the outermost first.
        along: the links from each part to the next one.
    """

    across: tuple[Link, ...]
    along: tuple[Link, ...]


class _Piece(NamedTuple):
    """One part with its own picture.

    Attributes:
        part: what it is.
        scene: its picture; turned over in the second half.
        enters: by tensor, where its line ends, from the left side.
        leaves: by tensor, where its line begins.
        axis: where lines end and begin that have no place of their own.
    """

    part: Part
    scene: Scene
    enters: dict[int, int]
    leaves: dict[int, int]
    axis: int

    def leave(self, tensor: int) -> int:
        """Where the line of a tensor begins."""
        return self.leaves.get(tensor, self.axis)

    def enter(self, tensor: int) -> int:
        """Where the line of a tensor ends."""
        return self.enters.get(tensor, self.axis)


def valley(drawing: Diagram, style: Style) -> Scene | None:
    """The two columns of a network of that shape; None for any other."""
    shape = _shape(drawing)
    if shape is None:
        return None
    turn = _target(shape.across[-1])
    pieces = [
        _piece(part, style, up=index >= turn, entering=[link.tensor for link in shape.across if link.target == index])
        for index, part in enumerate(drawing.parts)
    ]
    for link in shape.across:
        read = pieces[_target(link)]
        if not read.enter(link.tensor) < read.enter(shape.along[_target(link) - 1].tensor):
            return None  # lines would cross
    return _arranged(pieces, shape, style)


def _shape(drawing: Diagram) -> _Shape | None:
    """The links along and across, where the parts are one chain and the others are nested in each other."""
    parts, links = drawing.parts, drawing.links
    along = [link for link in links if _target(link) == _source(link) + 1]
    across = sorted((link for link in links if _target(link) != _source(link) + 1), key=_source)
    if len(across) < _LEAST or sorted(map(_source, along)) != list(range(len(parts) - 1)):
        return None
    sources, targets = [_source(link) for link in across], [_target(link) for link in across]
    nested = all(a < b for a, b in pairwise(sources)) and all(a > b for a, b in pairwise(targets))
    if not nested or targets[-1] - sources[-1] < 2:  # noqa: PLR2004 - something is in between
        return None
    return _Shape(tuple(across), tuple(sorted(along, key=_source)))


def _source(link: Link) -> int:
    return -1 if link.source is None else link.source


def _target(link: Link) -> int:
    return -1 if link.target is None else link.target


def _piece(part: Part, style: Style, *, up: bool, entering: Sequence[int]) -> _Piece:
    """A part with its picture.

    Args:
        part: what it is.
        style: the sizes.
        up: whether it is drawn from bottom to top.
        entering: tensors whose lines come from the side, and so end on the left.
    """
    within = inside_of(part, style, entering)
    item = item_of(part, within, style, 1 + len(entering))
    placed = Placed(item.left + item.right, item.height, (item.left,), (0,), (), (0,))
    scene = frame_scene(part, within, item, placed, style)
    enters = {tensor: item.left + x for tensor, x in item.enters.items()}
    leaves = {tensor: item.left + x for tensor, x in item.leaves.items()}
    if within is None and entering:
        enters = {tensor: item.left - min(style.port, item.left // 2) for tensor in entering}
    return _Piece(part, scene.turned() if up else scene, enters, leaves, item.left)


def _arranged(pieces: Sequence[_Piece], shape: _Shape, style: Style) -> Scene:
    turn, last = _target(shape.across[-1]), len(pieces)
    bounds = [0, *(_source(link) + 1 for link in shape.across), turn]
    down = [range(*span) for span in pairwise(bounds)]  # the parts of each level
    bounds = [*(_target(link) for link in shape.across[::-1]), last]
    up = [range(*span) for span in pairwise(bounds)][::-1]
    lefts = _columns(pieces, shape, turn, style)
    tops = [0] * last
    spacing = style.spacing
    between = spacing.stub + spacing.track + spacing.arrow
    y, lows = 0, []
    for level, first in enumerate(down):
        second = up[level] if level < len(up) else range(0)
        heights = [
            sum(pieces[index].scene.height for index in side) + between * (len(side) - 1)
            for side in (first, second)
            if side
        ]
        low = y + max(heights)
        for side in (first[::-1], second):
            at = low
            for index in side:
                tops[index] = at - pieces[index].scene.height
                at = tops[index] - between
        lows.append(low)
        y = low + 2 * (spacing.stub + spacing.track)
    scenes = [piece.scene.moved(left, top) for piece, left, top in zip(pieces, lefts, tops, strict=True)]
    lines = [
        Line(
            link.tensor,
            _points(link, pieces, lefts, tops, turn, style),
            arrow=pieces[_target(link)].part.form != "frame",
        )
        for link in (*shape.along, *shape.across)
    ]
    return Scene(
        max(max(box.x + box.width for box in scene.boxes) for scene in scenes),
        max(y for line in lines for _, y in line.points),
        tuple(box for scene in scenes for box in scene.boxes),
        (*(line for scene in scenes for line in scene.lines), *lines),
    )


def _columns(pieces: Sequence[_Piece], shape: _Shape, turn: int, style: Style) -> list[int]:
    """The left side of every part: chains down are straight, and all that leads up does so at one place."""
    lefts: list[int] = []
    for index, piece in enumerate(pieces):
        if index in (0, turn):
            lefts.append(0)
        elif index < turn:
            tensor = shape.along[index - 1].tensor
            lefts.append(lefts[-1] + pieces[index - 1].leave(tensor) - piece.enter(tensor))
        else:
            leaving = shape.along[index].tensor if index < len(shape.along) else -1
            before = pieces[turn].leave(shape.along[turn].tensor)
            lefts.append(lefts[turn] + before - piece.leave(leaving))
    first = min(lefts[:turn])
    width = max(left + piece.scene.width for left, piece in zip(lefts[:turn], pieces, strict=False)) - first
    second = width + 2 * style.spacing.boxes - min(lefts[turn:])
    return [left - first if index < turn else left + second for index, left in enumerate(lefts)]


def _points(
    link: Link, pieces: Sequence[_Piece], lefts: Sequence[int], tops: Sequence[int], turn: int, style: Style
) -> tuple[tuple[int, int], ...]:
    """The corners of a line."""
    source, target, spacing = _source(link), _target(link), style.spacing
    x, far = lefts[source] + pieces[source].leave(link.tensor), lefts[target] + pieces[target].enter(link.tensor)
    low = tops[source] + pieces[source].scene.height
    if target < turn:
        return (x, low), (far, tops[target])
    end = tops[target] + pieces[target].scene.height
    if source < turn:
        across = low + spacing.stub
        return (x, low), (x, across), (far, across), (far, end)
    if x == far:
        return (x, tops[source]), (far, end)
    across = end + spacing.stub + spacing.track
    return (x, tops[source]), (x, across), (far, across), (far, end)
