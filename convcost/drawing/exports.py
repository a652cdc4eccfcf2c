"""A diagram as text for other programs: Mermaid and the DOT language of Graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from convcost.tables.values import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from convcost.drawing.diagram import Diagram, Link, Part

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _.,%+-/")
_INDENT = "  "


class Arrow(NamedTuple):
    """A tensor from box to box, by their numbers, with the shape at its start.

    Attributes:
        source, target: numbers of the boxes.
        output: the shape as text.
        tensor: index of the layer that makes it.
    """

    source: int
    target: int
    output: str
    tensor: int


def numbered(drawing: Diagram) -> dict[int, int]:
    """The number of every box and frame, by the identity of its part, in the order in which they are written."""
    return {id(part): number for number, part in enumerate(_all(drawing.parts))}


def _all(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _all(part.parts)


def arrows(drawing: Diagram) -> list[Arrow]:
    """The lines of a drawing from box to box, without the sides of the frames that they pass."""
    numbers = numbered(drawing)
    return [
        Arrow(numbers[id(source)], numbers[id(target)], source.output, tensor)
        for source, target, tensor in _ends(drawing.parts, drawing.links)
    ]


def _ends(parts: Sequence[Part], links: Iterable[Link]) -> Iterator[tuple[Part, Part, int]]:
    """The boxes at both ends of every line, and its tensor."""
    for link in links:
        if link.source is not None and link.target is not None:
            source = _source(parts[link.source], link.tensor)
            for target in _targets(parts[link.target], link.tensor):
                yield source, target, link.tensor
    for part in parts:
        yield from _ends(part.parts, part.links)


def _source(part: Part, tensor: int) -> Part:
    """The box in ``part`` that makes a tensor."""
    while part.form == "frame":
        tensor = dict(part.aliases).get(tensor, tensor)
        place = next(link.source for link in part.links if link.target is None and link.tensor == tensor)
        part = part.parts[_known(place)]
    return part


def _targets(part: Part, tensor: int) -> Iterator[Part]:
    """The boxes in ``part`` that read a tensor."""
    if part.form != "frame":
        yield part
    for link in part.links:
        if link.source is None and link.tensor == tensor and link.target is not None:
            yield from _targets(part.parts[link.target], tensor)


def _known(place: int | None) -> int:
    if place is None:
        raise AssertionError("a tensor leaves a frame that does not make it")
    return place


def mermaid(drawing: Diagram) -> str:
    """The drawing as a Mermaid flowchart, for Markdown pages.

    Every character that could have a meaning of its own is written as its number.
    """
    numbers = numbered(drawing)

    def box(part: Part) -> str:
        text = "<br/>".join(_for_mermaid(line) for line in part.lines if line)
        before, after = ("([", "])") if part.form in ("input", "output") else "()" if part.form == "join" else "[]"
        return f'n{numbers[id(part)]}{before}"{text}"{after}'

    def frame(part: Part) -> tuple[str, str]:
        text = "  ".join(_for_mermaid(line) for line in part.lines if line)
        return f'subgraph n{numbers[id(part)]} ["{text}"]', "end"

    lines = ["flowchart TB", *_nested(drawing.parts, box, frame)]
    for arrow in arrows(drawing):
        shape = f'|"{_for_mermaid(arrow.output)}"|' if arrow.output else ""
        lines.append(f"{_INDENT}n{arrow.source} -->{shape} n{arrow.target}")
    return "\n".join(lines) + "\n"


def _for_mermaid(text: str) -> str:
    return "".join(mark if mark in _SAFE else f"#{ord(mark)};" for mark in plain(text))


def dot(drawing: Diagram) -> str:
    """The drawing in the DOT language, for Graphviz."""
    numbers = numbered(drawing)
    shapes = {"input": "oval", "output": "oval", "join": "ellipse"}

    def box(part: Part) -> str:
        text = r"\n".join(_for_dot(line) for line in part.lines if line)
        return f'n{numbers[id(part)]} [label="{text}", shape={shapes.get(part.form, "box")}];'

    def frame(part: Part) -> tuple[str, str]:
        text = "  ".join(_for_dot(line) for line in part.lines if line)
        return f'subgraph cluster_{numbers[id(part)]} {{ label="{text}";', "}"

    lines = [f'digraph "{_for_dot(drawing.graph.name)}" {{', *_nested(drawing.parts, box, frame)]
    for arrow in arrows(drawing):
        shape = f' [label="{_for_dot(arrow.output)}"]' if arrow.output else ""
        lines.append(f"{_INDENT}n{arrow.source} -> n{arrow.target}{shape};")
    return "\n".join([*lines, "}"]) + "\n"


def _for_dot(text: str) -> str:
    return plain(text).replace("\\", r"\\").replace('"', r"\"")


def _nested(
    parts: Iterable[Part], box: Callable[[Part], str], frame: Callable[[Part], tuple[str, str]], indent: str = _INDENT
) -> Iterator[str]:
    for part in parts:
        if part.form == "frame":
            begin, end = frame(part)
            yield indent + begin
            yield from _nested(part.parts, box, frame, indent + _INDENT)
            yield indent + end
        else:
            yield indent + box(part)
