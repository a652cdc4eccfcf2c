"""A drawing as the library returns it: of one network, in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.drawing.diagram import diagram
from convcost.errors import UsageError
from convcost.network.cost import sum_work
from convcost.network.headings import heading, inputs_line
from convcost.tables.printable import Printable
from convcost.tables.values import si

if TYPE_CHECKING:
    from convcost.drawing.picture import Titled
    from convcost.network.graph import Graph

WIDTH = 80  # of a terminal, where it is not known
_SCREENFUL = 24  # boxes of a drawing for a terminal
NOTES = (
    "In a box: MACs of one copy, and the share of all copies in the MACs of the network, which is also its tint. "
    "Below a box: channels of its output, with the size of the map where that changes.",
)


class Drawing(Printable):
    """Networks as boxes and lines, beside each other.

    Attributes:
        graphs: what is drawn.
        depth: how many levels of blocks; None for as many as fit.
    """

    __slots__ = ("depth", "graphs")

    def __init__(self, *graphs: Graph, depth: int | None = None) -> None:
        if depth is not None and depth < 1:
            raise UsageError(f"`depth` must be at least 1, found {depth}")
        if not graphs:
            raise UsageError("a drawing needs a network")
        self.graphs = graphs
        self.depth = depth

    def __repr__(self) -> str:
        boxes = sum(len(diagram(graph, self.depth).boxes) for graph in self.graphs)
        layers = sum(len(graph.layers) for graph in self.graphs)
        return f"<drawing of {', '.join(graph.name for graph in self.graphs)}: {boxes} boxes for {layers} layers>"

    def _repr_html_(self) -> str:
        return self.svg()

    def svg(self) -> str:
        """The drawing as an SVG file, readable on a light and on a dark page.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.picture import svg  # noqa: PLC0415 - other formats do not pay for it

        drawings = self.titled()
        return svg(drawings, "; ".join(each.title for each in drawings), NOTES)

    def titled(self) -> list[Titled]:
        """The boxes and frames of each network, with its title and totals.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.picture import Titled  # noqa: PLC0415 - likewise

        alone = len(self.graphs) == 1
        titles = [heading(graph) if alone else f"{graph.title}, {inputs_line(graph)}" for graph in self.graphs]
        return [
            Titled(diagram(graph, self.depth), title, _totals(graph))
            for graph, title in zip(self.graphs, titles, strict=True)
        ]

    def text(self, width: int = WIDTH, *, ascii_only: bool = False) -> str:
        """The drawing for a terminal.

        Args:
            width: columns of the terminal; blocks are summed up until the drawing fits, where no depth is given.
            ascii_only: draw without box-drawing characters.

        Raises:
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.text import text_drawing, width_of  # noqa: PLC0415 - likewise

        parts: list[str] = []
        for graph in self.graphs:
            made = diagram(
                graph, self.depth, fits=lambda made: len(made.boxes) <= _SCREENFUL and width_of(made) <= width
            )
            title = f"{graph.title}, {inputs_line(graph)}: {_totals(graph)}\n\n" if len(self.graphs) > 1 else ""
            parts.append(title + text_drawing(made, ascii_only=ascii_only))
        return "\n".join(parts)

    def mermaid(self) -> str:
        """The drawing as a Mermaid flowchart.

        Raises:
            UsageError: there are several networks.
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.exports import mermaid  # noqa: PLC0415 - likewise

        return mermaid(diagram(self._only("mermaid"), self.depth))

    def dot(self) -> str:
        """The drawing in the DOT language.

        Raises:
            UsageError: there are several networks.
            ConvcostError: there are too many boxes.
        """
        from convcost.drawing.exports import dot  # noqa: PLC0415 - likewise

        return dot(diagram(self._only("dot"), self.depth))

    def written(self, format_: str, width: int = WIDTH, *, ascii_only: bool = False) -> str:
        """The drawing as ``text``, ``svg``, ``mermaid`` or ``dot``; the other arguments are those of :meth:`text`.

        Raises:
            ConvcostError: there are too many boxes.
        """
        if format_ == "text":
            return self.text(width, ascii_only=ascii_only)
        return {"svg": self.svg, "mermaid": self.mermaid, "dot": self.dot}[format_]()

    def _only(self, format_: str) -> Graph:
        if len(self.graphs) > 1:
            raise UsageError(f"the format {format_} holds one network, found {len(self.graphs)}")
        return self.graphs[0]


def _totals(graph: Graph) -> str:
    work = sum_work(graph.layers)
    least = "at least " if graph.status == "partial" else ""
    return f"{si(work.params)} parameters, {least}{si(work.macs)} MACs"
