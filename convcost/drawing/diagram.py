"""The boxes and frames of a drawing, from a graph: norms and activations in the box before them, repeats once.

A box holds the layers that are drawn together. A frame is around the boxes of one block; where copies of a block
follow each other, one of them is drawn and the frame says how many they are. The nesting is that of the paths.
"""

from __future__ import annotations

import heapq
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from convcost.drawing.words import name_of, text_of
from convcost.errors import ConvcostError, UnsupportedError, UsageError
from convcost.network.cost import sum_work
from convcost.network.fusion import kept_outputs
from convcost.tables.table import without_copies
from convcost.tables.values import shape as sizes
from convcost.tables.values import share as percent
from convcost.tables.values import si

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from convcost.network.graph import Graph, Node

Form: TypeAlias = Literal["layer", "join", "input", "output", "frame", "summary"]

MOST = 100  # boxes in a drawing whose depth is not given
LIMIT = 2000  # boxes in any drawing
_PERIOD = 8  # blocks that alternate, at most


class Link(NamedTuple):
    """A tensor between two parts of a drawing.

    Attributes:
        source: which part makes it; None where it enters the frame around them.
        target: which part reads it; None where it leaves the frame.
        tensor: the index of the layer that makes it.
    """

    source: int | None
    target: int | None
    tensor: int


class Part(NamedTuple):
    """A box of a drawing, or a frame with what is in it.

    Attributes:
        form: an input or output of the network, a layer, a merge, a summary of several layers, or a frame.
        lines: what is written in it; of a frame, its label.
        layers: indices of the layers in it, of all copies.
        times: how many copies it is drawn for.
        macs: of one copy; None for inputs and outputs.
        share: the part of all copies in the MACs of the network; None where the network has none.
        output: the shape of its output as text, for its lower side.
        parts: what is in a frame.
        links: the tensors between them.
        aliases: outputs of the last copy, and which output of the drawn copy each is.
    """

    form: Form
    lines: tuple[str, ...]
    layers: tuple[int, ...]
    times: int
    macs: int | None
    share: Fraction | None
    output: str
    parts: tuple[Part, ...] = ()
    links: tuple[Link, ...] = ()
    aliases: tuple[tuple[int, int], ...] = ()


class Diagram(NamedTuple):
    """A drawing before it has a layout.

    Attributes:
        graph: what is drawn.
        parts: its boxes and frames.
        links: the tensors between them.
    """

    graph: Graph
    parts: tuple[Part, ...]
    links: tuple[Link, ...]

    @property
    def boxes(self) -> tuple[Part, ...]:
        """Every box, also those in frames, apart from inputs and outputs."""
        return tuple(part for part in _boxes(self.parts) if part.form not in ("input", "output"))


def _boxes(parts: Iterable[Part]) -> Iterable[Part]:
    for part in parts:
        if part.form == "frame":
            yield from _boxes(part.parts)
        else:
            yield part


def diagram(
    graph: Graph, depth: int | None = None, *, fits: Callable[[Diagram], bool] | None = None, repeats: bool = True
) -> Diagram:
    """The boxes of a network.

    Args:
        graph: a network or block with sizes that are numbers.
        depth: levels of blocks that are drawn; what is deeper is summed up in a box. Where not given, as many as give
            at most :data:`MOST` boxes, and as fit.
        fits: whether there is room for a drawing.
        repeats: whether equal blocks in a row are drawn once.

    Raises:
        UsageError: ``depth`` is less than 1.
        ConvcostError: there would be more than :data:`LIMIT` boxes.
    """
    if depth is not None and depth < 1:
        raise UsageError(f"`depth` must be at least 1, found {depth}")
    builder = _Builder(graph, repeats=repeats)
    deepest = max((node.path.count("/") + 1 for node in graph.layers), default=1)
    if depth is None:
        return _fitting(builder, deepest, fits)
    made = builder.diagram(min(depth, deepest))
    if len(made.boxes) > LIMIT:
        raise ConvcostError(
            f"{graph.name} has {len(made.boxes):,} boxes to draw, more than {LIMIT:,}; try a lower --depth"
        )
    return made


def _fitting(builder: _Builder, deepest: int, fits: Callable[[Diagram], bool] | None) -> Diagram:
    best = builder.diagram(1)
    for depth in range(2, deepest + 1):
        made = builder.diagram(depth)
        if len(made.boxes) > MOST or (fits is not None and not fits(made)):
            break
        best = made
    if len(best.boxes) > LIMIT:
        raise ConvcostError(f"{builder.graph.name} has {len(best.boxes):,} boxes to draw, more than {LIMIT:,}")
    return best


class _Group:
    """Layers below one path, or one layer with what is folded into it, or several of these that come back together.

    Attributes:
        path: of the group, or of the layer; empty for several groups.
        nodes: the layers, in order.
        inside: what it consists of; nothing for a layer.
    """

    __slots__ = ("inside", "nodes", "path")

    def __init__(self, path: str, nodes: list[Node], inside: list[_Group]) -> None:
        self.path = path
        self.nodes = nodes
        self.inside = inside


class _Builder:
    def __init__(self, graph: Graph, *, repeats: bool) -> None:
        self.repeats = repeats
        self.graph = graph
        self.read = {node.index: () if _reads_nothing(node) else node.inputs for node in graph.layers}
        self.readers: dict[int, list[int]] = {node.index: [] for node in graph.nodes}
        for reader, inputs in self.read.items():
            for index in dict.fromkeys(index for index, _ in inputs):
                self.readers[index].append(reader)
        self.kept = kept_outputs(graph)
        self.macs = sum_work(graph.layers).macs
        self.into = self._folded()
        self._signatures: dict[int, Any] = {}

    def diagram(self, depth: int) -> Diagram:
        """The drawing with this many levels."""
        graph = self.graph
        boxes: dict[int, list[Node]] = {}
        for node in graph.layers:
            boxes.setdefault(self.into.get(node.index, node.index), []).append(node)
        leaves = [_Group(nodes[0].path, nodes, []) for nodes in boxes.values()]
        groups = self._nested(leaves, 0, depth)
        parts = [
            Part("input", (f"{name} {sizes(graph.nodes[index].shape)}",), (), 1, None, None, "")
            for name, index in graph.inputs.items()
        ]
        owner = {index: place for place, index in enumerate(graph.inputs.values())}
        inner, links, owner = self._level(groups, owner, len(parts), 1)
        parts += inner
        for name, index in {"output": graph.output, **graph.outputs}.items():
            links.append(Link(owner[index], len(parts), index))
            text = f"{name} {sizes(graph.nodes[index].shape)}"
            parts.append(Part("output", (text,), (), 1, None, None, ""))
        return Diagram(graph, tuple(parts), tuple(links))

    def _folded(self) -> dict[int, int]:
        """Norms, activations and views of the same shape that are drawn in the box before them: into which."""
        into: dict[int, int] = {}
        for node in self.graph.layers:
            layer = node.layer
            read = self.read[node.index]
            if len(read) != 1 or not (layer.drawn_beside or (layer.is_view and node.shape == node.input)):
                continue
            before = self.graph.nodes[read[0][0]]
            head = self.graph.nodes[into.get(before.index, before.index)]
            private = self.readers[before.index] == [node.index] and before.index not in self.kept
            beside = node.path.rpartition("/")[0] == head.path.rpartition("/")[0]
            if private and beside and before.path not in self.graph.inputs and before.count == node.count:
                into[node.index] = head.index
        return into

    # --- nesting ---

    def _nested(self, leaves: list[_Group], level: int, depth: int) -> list[_Group]:
        """Groups by the next segment of their paths, in an order in which each reads only those before it."""
        children: dict[str, list[_Group]] = {}
        for leaf in leaves:
            parts = leaf.path.split("/")
            key = "/".join(parts[: level + 1])
            children.setdefault(key, []).append(leaf)
        groups: list[_Group] = []
        for key, members in list(children.items()):
            if len(members) == 1:
                groups.append(members[0])
                children[members[0].path] = members
                continue
            nodes = sorted((node for leaf in members for node in leaf.nodes), key=lambda node: node.index)
            groups.append(_Group(key, nodes, []))
        for group in groups:
            members = children[group.path]
            if len(members) > 1:
                below = depth + self._is_branch(group, groups)  # a branch is no level of its own
                group.inside = self._nested(members, level + 1, below) if level + 1 < below else []
                while len(group.inside) == 1:  # a path with nothing beside it
                    group.inside = group.inside[0].inside
        return self._in_order(groups)

    def _in_order(self, groups: list[_Group]) -> list[_Group]:
        """``groups`` in order of execution; those that read each other in a circle are dissolved."""
        while True:
            owner = {node.index: place for place, group in enumerate(groups) for node in group.nodes}
            waits: list[set[int]] = [set() for _ in groups]
            frees: list[set[int]] = [set() for _ in groups]
            for place, group in enumerate(groups):
                for node in group.nodes:
                    for index, _ in self.read[node.index]:
                        source = owner.get(index, place)
                        if source != place:
                            waits[place].add(source)
                            frees[source].add(place)
            queue = [(groups[place].nodes[0].index, place) for place, need in enumerate(waits) if not need]
            heapq.heapify(queue)
            order: list[int] = []
            while queue:
                _, place = heapq.heappop(queue)
                order.append(place)
                for other in frees[place]:
                    waits[other].discard(place)
                    if not waits[other]:
                        heapq.heappush(queue, (groups[other].nodes[0].index, other))
            if len(order) == len(groups):
                return [groups[place] for place in order]
            left = set(range(len(groups))) - set(order)
            groups = [
                each
                for place, group in enumerate(groups)
                for each in (self._dissolved(group) if place in left else [group])
            ]

    def _dissolved(self, group: _Group) -> list[_Group]:
        if group.inside:
            return group.inside
        leaves: dict[int, list[Node]] = {}
        for node in group.nodes:
            leaves.setdefault(self.into.get(node.index, node.index), []).append(node)
        return [_Group(nodes[0].path, nodes, []) for nodes in leaves.values()]

    # --- parts and links ---

    def _level(
        self, groups: Sequence[_Group], owner: dict[int, int], start: int, times: int
    ) -> tuple[list[Part], list[Link], dict[int, int]]:
        """Parts for groups beside each other, the tensors between them, and which part makes each tensor.

        Args:
            groups: in order of execution.
            owner: the parts before them, by tensor.
            start: the number of parts before them.
            times: copies of all of them.
        """
        owner = dict(owner)
        parts: list[Part] = []
        links: list[Link] = []
        for run in self._runs(self._spliced(groups)):
            place = start + len(parts)
            part = self._part(run, times)
            first = run[0]
            own = {node.index for node in first.nodes}
            read = dict.fromkeys(index for node in first.nodes for index, _ in self.read[node.index])
            links += [Link(owner.get(index), place, index) for index in read if index not in own]
            owner |= {node.index: place for group in run for node in group.nodes}
            parts.append(part)
        return parts, links, owner

    def _spliced(self, groups: Sequence[_Group]) -> list[_Group]:
        """Groups without those that are only a branch: what is in them is drawn beside the rest."""
        result: list[_Group] = []
        for group in groups:
            if group.inside and self._is_branch(group, groups):
                result += self._spliced(group.inside)
            else:
                result.append(group)
        return result

    def _is_branch(self, group: _Group, beside: Sequence[_Group]) -> bool:
        """Whether only merges beside it read what it makes."""
        merges = {each.nodes[0].index for each in beside if not each.inside and each.nodes[0].layer.merges}
        own = {node.index for node in group.nodes}
        outside = {reader for index in own for reader in self.readers[index] if reader not in own}
        return bool(outside) and outside <= merges and not own & self.kept

    def _runs(self, groups: Sequence[_Group]) -> list[list[_Group]]:
        """Groups, with equal ones that follow each other in one list; of groups that alternate, several as one."""
        runs: list[list[_Group]] = []
        place = 0
        while place < len(groups):
            best = [groups[place]]
            covered = 1
            for period in range(1, _PERIOD + 1) if self.repeats else ():
                run = self._run(groups, place, period)
                if len(run) > 1 and len(run) * period > covered:
                    best, covered = run, len(run) * period
            runs.append(best)
            place += covered
        return runs

    def _run(self, groups: Sequence[_Group], place: int, period: int) -> list[_Group]:
        """What comes back from ``place`` on, ``period`` groups each time."""
        run: list[_Group] = []
        while place + period <= len(groups):
            part = groups[place : place + period]
            if run and not self._matches(groups[place - period : place], part):
                break
            run.append(_joined(part))
            if len(run) > 1 and not self._continues(run[-2], run[-1]):
                return run[:-1]
            place += period
        return run

    def _matches(self, before: Sequence[_Group], after: Sequence[_Group]) -> bool:
        """Whether blocks of the same names have the same layers."""
        return all(_alike(each, other) for each, other in zip(before, after, strict=True)) and all(
            self._signature(each) == self._signature(other) for each, other in zip(before, after, strict=True)
        )

    def _continues(self, before: _Group, group: _Group) -> bool:
        """Whether one tensor leads from a group to one that is equal, and to nothing else."""
        if self._leaving(before) != self._entering(group) or len(self._entering(group)) != 1:
            return False
        (tensor,) = self._entering(group)
        own = {node.index for node in group.nodes}
        if tensor in self.kept or not own.issuperset(self.readers[tensor]):
            return False
        return bool(self._signature(before) == self._signature(group))

    def _entering(self, group: _Group) -> list[int]:
        own = {node.index for node in group.nodes}
        return list(
            dict.fromkeys(index for node in group.nodes for index, _ in self.read[node.index] if index not in own)
        )

    def _leaving(self, group: _Group) -> list[int]:
        own = {node.index for node in group.nodes}
        return [
            node.index
            for node in group.nodes
            if node.index in self.kept or not own.issuperset(self.readers[node.index])
        ]

    def _signature(self, group: _Group) -> Any:
        """What copies of a block have in common: the structure and the costs, and what is written in boxes."""
        known = self._signatures.get(id(group))
        if known is not None:
            return known[1]
        place = {node.index: number for number, node in enumerate(group.nodes)}
        entering = self._entering(group)
        members = [group] if group.path else group.inside
        names = {
            node.index: (number, node.path[len(each.path) :] if each.inside or len(each.nodes) > 1 else "")
            for number, each in enumerate(members)
            for node in each.nodes
        }
        shown = self._shown(group)
        made = tuple(
            (
                names[node.index],
                node.kind,
                text_of(node) if node.index in shown else "",
                node.input,
                node.shape,
                node.count,
                (node.work.macs, node.work.params),
                tuple(
                    (place.get(index, -1 - entering.index(index) if index in entering else 0), times)
                    for index, times in self.read[node.index]
                ),
            )
            for node in group.nodes
        )
        self._signatures[id(group)] = (group, made)  # the group is kept, so that its id stays its own
        return made

    def _shown(self, group: _Group) -> set[int]:
        """The layers that have a box with their text, and not one that sums up several."""
        if group.inside:
            return {index for each in group.inside for index in self._shown(each)}
        return {node.index for node in group.nodes} if self._is_single(group) else set()

    def _is_single(self, group: _Group) -> bool:
        """Whether all layers of a box are drawn beside the first one."""
        head = group.nodes[0].index
        return all(self.into.get(node.index, node.index) == head for node in group.nodes)

    def _part(self, run: Sequence[_Group], times: int) -> Part:
        first, copies = run[0], len(run)
        layers = tuple(node.index for group in run for node in group.nodes)
        macs = sum_work(first.nodes).macs
        portion = Fraction(macs * copies * times, self.macs) if self.macs else None
        output = self._output(first)
        if first.inside:
            parts, links, owner = self._level(first.inside, {}, 0, times * copies)
            leaving = self._leaving(run[-1])
            drawn = [first.nodes[run[-1].nodes.index(self.graph.nodes[index])].index for index in leaving]
            links += [Link(owner[index], None, index) for index in drawn]
            if len(parts) == 1 and copies == 1:
                return parts[0]
            aliases = tuple(zip(leaving, drawn, strict=True))
            lines = _frame_lines(first, copies, portion)
            return Part("frame", lines, layers, copies, macs, portion, output, tuple(parts), tuple(links), aliases)
        form, lines = self._box(first, copies, portion, macs)
        return Part(form, lines, layers, copies, macs, portion, output)

    def _box(self, group: _Group, copies: int, portion: Fraction | None, macs: int) -> tuple[Form, tuple[str, ...]]:
        head = group.nodes[0]
        single = self._is_single(group)
        lines: list[str]
        if single:
            form: Form = "join" if head.layer.merges else "layer"
            lines = _broken(text_of(head))
            follow = " ".join(name_of(node) for node in group.nodes[1:])
            if form == "join" and follow and len(lines) == 1:
                lines = [f"{lines[0]}  {follow}"]
            elif follow:
                lines += _broken(follow)
        else:
            form = "summary"
            lines = [_label(group), f"{len(group.nodes)} layers{self._reduction(group)}"]
        if head.count != 1 and single:
            lines.append(f"{head.count} in parallel")
        if copies > 1:
            lines[0] += f"  x {copies}"
        if macs and portion is not None:
            lines.append(f"{si(macs)}, {percent(portion)}")
        return form, tuple(lines)

    def _reduction(self, group: _Group) -> str:
        """``, /2`` where a summary makes the map smaller."""
        before, after = group.nodes[0].input[1:], group.nodes[-1].shape[1:]
        if not after or len(before) != len(after) or before == after:
            return ""
        factors = [Fraction(small, large) for small, large in zip(after, before, strict=True)]
        inverse = {round(1 / factor) for factor in factors}
        factor = inverse.pop()
        return f", /{factor}" if not inverse and factor > 1 else ""

    def _output(self, group: _Group) -> str:
        """Channels of what leaves; the whole shape where the map has another size than what enters."""
        node = group.nodes[-1]
        same_map = node.shape[1:] == group.nodes[0].input[1:]
        return str(node.shape[0]) if same_map and len(node.shape) > 1 else sizes(node.shape)


def _joined(groups: Sequence[_Group]) -> _Group:
    """Several groups as one."""
    if len(groups) == 1:
        return groups[0]
    nodes = sorted((node for group in groups for node in group.nodes), key=lambda node: node.index)
    return _Group("", nodes, list(groups))


def _alike(before: _Group, group: _Group) -> bool:
    """Whether two groups have one name, apart from the number of a copy."""
    return without_copies(before.path) == without_copies(group.path) or _stem(before.path) == _stem(group.path)


def _reads_nothing(node: Node) -> bool:
    """Whether no channel of a layer depends on what enters it: it is a tensor of parameters."""
    if node.work.read or node.layer.is_view or node.layer.merges:
        return False
    try:
        return not any(node.layer.reads_channels([[1] * node.input[0]], node.input, node.shape))
    except UnsupportedError:
        return False


def _label(group: _Group) -> str:
    if not group.path:
        return ", ".join(map(_label, group.inside))
    return group.path.rpartition("/")[2].partition("[")[0].partition("#")[0]


def _stem(path: str) -> str:
    return path.rpartition("#")[0] if path.rpartition("#")[2].isdigit() else path


def _frame_lines(group: _Group, copies: int, portion: Fraction | None) -> tuple[str, ...]:
    times = f" x {copies}" if copies > 1 else ""
    return (_label(group) + times, percent(portion) if portion else "")


def _broken(text: str, width: int = 30) -> list[str]:
    """``text`` in lines of at most ``width`` characters where it has spaces."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and len(joined) > width:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines
