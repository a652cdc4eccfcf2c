"""A drawing as the library returns it: of one network, in every format."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from convcost.drawing.diagram import diagram
from convcost.errors import UsageError
from convcost.network.headings import heading
from convcost.tables.values import si

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.network.graph import Graph

FORMATS: Mapping[str, str] = {"text": ".txt", "svg": ".svg", "mermaid": ".mmd", "dot": ".dot"}
WIDTH = 80  # of a terminal, where it is not known
_SCREENFUL = 24  # boxes of a drawing for a terminal
NOTES = (
    "In a box: MACs of one copy, and the share of all copies in the MACs of the network, which is also its tint. "
    "Below a box: channels of its output, with the size of the map where that changes.",
)


class Drawing:
    """A network as boxes and lines.

    Attributes:
        graph: what is drawn.
        depth: how many levels of blocks; None for as many as fit.
    """

    __slots__ = ("depth", "graph")

    def __init__(self, graph: Graph, depth: int | None = None) -> None:
        if depth is not None and depth < 1:
            raise UsageError(f"`depth` must be at least 1, found {depth}")
        self.graph = graph
        self.depth = depth

    def __repr__(self) -> str:
        made = diagram(self.graph, self.depth)
        return f"<drawing of {self.graph.name}: {len(made.boxes)} boxes for {len(self.graph.layers)} layers>"

    def __str__(self) -> str:
        return self.text().rstrip("\n")

    def _repr_svg_(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """The drawing as an SVG file, readable on a light and on a dark page.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.picture import svg  # noqa: PLC0415 - other formats do not pay for it

        made = diagram(self.graph, self.depth)
        return svg(made, heading(self.graph), [self._totals(), *NOTES])

    def text(self, width: int = WIDTH, *, ascii_only: bool = False) -> str:
        """The drawing for a terminal.

        Args:
            width: columns of the terminal; blocks are summed up until the drawing fits, where no depth is given.
            ascii_only: draw without box-drawing characters.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.text import text_drawing, width_of  # noqa: PLC0415 - likewise

        made = diagram(
            self.graph, self.depth, fits=lambda made: len(made.boxes) <= _SCREENFUL and width_of(made) <= width
        )
        return text_drawing(made, ascii_only=ascii_only)

    def mermaid(self) -> str:
        """The drawing as a Mermaid flowchart.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.exports import mermaid  # noqa: PLC0415 - likewise

        return mermaid(diagram(self.graph, self.depth))

    def dot(self) -> str:
        """The drawing in the DOT language.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.exports import dot  # noqa: PLC0415 - likewise

        return dot(diagram(self.graph, self.depth))

    def written(self, format_: str, width: int = WIDTH, *, ascii_only: bool = False) -> str:
        """The drawing in one of :data:`FORMATS`; the other arguments are those of :meth:`text`.

        Raises:
            ConvcostError: there are too many boxes.
        """
        if format_ == "text":
            return self.text(width, ascii_only=ascii_only)
        return {"svg": self.svg, "mermaid": self.mermaid, "dot": self.dot}[format_]()

    def _totals(self) -> str:
        from convcost.network.cost import sum_work  # noqa: PLC0415 - likewise

        work = sum_work(self.graph.layers)
        least = "at least " if self.graph.status == "partial" else ""
        return f"{si(work.params)} parameters, {least}{si(work.macs)} MACs."


def format_of(path: str) -> str:
    """The format that the name of a file asks for.

    Raises:
        UsageError: it asks for none.
    """
    suffix = os.path.splitext(path)[1].lower()
    for name, known in FORMATS.items():
        if suffix == known:
            return name
    raise UsageError(f"-o takes a name that ends in {', '.join(FORMATS.values())}, found '{path[-60:]}'")
