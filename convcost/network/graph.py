"""A network as an immutable list of nodes, each after the nodes it reads.

The :class:`Builder` only appends, so the order is topological by construction. Shape and work are
inferred as each node is appended; equal layers on equal inputs are inferred once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from convcost.errors import ConvcostError, ShapeError, UnsupportedError
from convcost.errors import unknown as no_such
from convcost.layers.base import AXES, REGISTRY, Layer, Shape, Work
from convcost.layers.operator import Hidden
from convcost.limits import MAX_NODES
from convcost.numbers import assumptions
from convcost.records import NamedTuple
from convcost.tables.printable import Printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.errors import Position
    from convcost.numbers.arithmetic import Num

UNKNOWN = "unknown"  # the kind of a layer whose cost is not known

_inferred: dict[Any, tuple[Layer, str, Shape, Work]] = {}  # equal layers on equal inputs, within a process


_SHOWN = 3  # paths in a sentence


class Input(Layer):
    """The tensor that enters the network; costs nothing."""

    family = "input"
    key = ""
    kinds = ()
    reads_whole_map = False
    fusing = "alone"
    is_view = False

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def shape(self, x: Shape) -> Shape:  # noqa: ARG002 - it is where shapes come from
        """The shape it was made with."""
        return self._shape

    def work(self, x: Shape, y: Shape) -> Work:  # noqa: ARG002
        """Nothing."""
        return Work()


class Carried(Input):
    """The tensor that the last of many copies makes, of which the graph has only some; costs nothing."""


_NO_LAYERS = (Input, Carried)


class Series(NamedTuple):
    """Copies in a row that stand for a number of copies which is a symbol.

    Attributes:
        start: index of the first node of the first of them.
        size: how many nodes a copy has.
        samples: how many copies are in the graph. The counts of their nodes make their sum that of all copies.
        copies: how many copies they stand for.
        entering, leaving: index of the node that the first of them reads, and of the one that it hands on.
        counts: for each node of the first copy, how many identical ones are parallel.
        index: the number of a copy as a symbol, from 1 on, where sizes grow from copy to copy; else None.
        shapes: for each node of the copy ``index``, the shapes that it reads and makes.
    """

    start: int
    size: int
    samples: int
    copies: Num
    entering: int
    leaving: int
    counts: tuple[Num, ...]
    index: Any = None
    shapes: tuple[tuple[Shape, Shape], ...] = ()

    def again(self, block: int, shift: int, tensor: int, times: Num) -> Series:
        """The same in a second call of a block.

        Args:
            block: index of the first node of the first call.
            shift: how many nodes later the second begins.
            tensor: what the second call reads.
            times: how many identical calls are parallel.
        """
        entering, leaving = (index + shift if index >= block else tensor for index in (self.entering, self.leaving))
        counts = tuple([count * times for count in self.counts])
        return self._replace(start=self.start + shift, entering=entering, leaving=leaving, counts=counts)


class Unknown(NamedTuple):
    """A layer of a file whose cost is not known.

    Attributes:
        path: the layer.
        operator: its name, with its domain where that is not the format's own.
        reason: why its cost is not known.
        heavy: whether it may do multiply-accumulates, so that totals without it are lower bounds.
    """

    path: str
    operator: str
    reason: str
    heavy: bool


class Tensor:
    """What a builder hands out: the output of one node.

    Attributes:
        node: index of the node that makes it.
        shape: ``(channels, *spatial)``.
    """

    __slots__ = ("node", "shape")

    def __init__(self, node: int, shape: Shape) -> None:
        self.node = node
        self.shape = shape

    def axis(self, name: str) -> Num:
        """The size along ``c``, ``h``, ``w`` or ``d``.

        Raises:
            ShapeError: the tensor has no such axis.
        """
        axes = AXES.get(len(self.shape), AXES[1])
        if name not in axes:
            raise ShapeError(no_such("axis", name, axes, of=f"a tensor of shape {'x'.join(map(str, self.shape))}"))
        return self.shape[axes.index(name)]


def _sizes(shape: Shape) -> str:
    return "x".join(map(str, shape))


class Node:
    """One layer of a graph, with everything known about it.

    Attributes:
        index: place in :attr:`Graph.nodes`.
        path: unique name, segments joined by ``/``; siblings of one name get ``#2``, loop copies ``[1]``.
        block: how many leading segments of the path name the outermost block it came from (all of them
            where it came from none).
        layer: the layer itself.
        kind: what reports group by (``depthwise``, ``batch_norm`` ...).
        inputs: index of each tensor it reads, and the number of identical tensors at that index.
        input: shape of the first tensor it reads.
        shape: output shape.
        work: counts per sample of **one** of ``count`` identical parallel copies.
        count: the number of identical parallel copies of the node.
        position: where in a spec it was written, if it came from one.
        shared: path of the layer whose parameters it uses again; ``work`` has no parameters then, so that sums count
            them once.
        borrowed: how many parameters those are.
    """

    __slots__ = (
        "block",
        "borrowed",
        "count",
        "index",
        "input",
        "inputs",
        "kind",
        "layer",
        "path",
        "position",
        "shape",
        "shared",
        "work",
    )

    def __init__(  # noqa: PLR0913 - a record
        self,
        index: int,
        path: str,
        block: int,
        layer: Layer,
        kind: str,
        inputs: tuple[tuple[int, Num], ...],
        input_shape: Shape,
        shape: Shape,
        work: Work,
        count: Num,
        position: Position | None,
        *,
        shared: str = "",
        borrowed: Num = 0,
    ) -> None:
        self.index = index
        self.path = path
        self.block = block
        self.layer = layer
        self.kind = kind
        self.inputs = inputs
        self.input = input_shape
        self.shape = shape
        self.work = work
        self.count = count
        self.position = position
        self.shared = shared
        self.borrowed = borrowed

    def __repr__(self) -> str:
        return f"<{self.path}: {self.kind}, {_sizes(self.input)} -> {_sizes(self.shape)}>"


class Graph(Printable):
    """A network: immutable, topologically ordered, one output per node.

    Attributes:
        name: the spec's name.
        title: the spec's title.
        parameters: the values it was built with, defaults included.
        nodes: the first input, then the layers in order of execution, with any further inputs among them.
        layers: the nodes that are layers: all but the inputs.
        inputs: index of each input by its name.
        output: index of the node whose tensor leaves the network.
        outputs: index of each further output by its name.
        assumptions: what was decided at default values in a symbolic run.
        unknown: the layers whose cost is not known.
        notes: what a reader must know of how a file was understood.
        fixed: parameters that headings need not repeat: those that stand for sizes of inputs which a file states, and
            the quiet ones of a spec at their defaults.
        series: the repeats whose number of copies is a symbol. Only sums over layers are right for such a graph.
        limits: what a network must meet that this graph stands for: each a number and the most that it may be.
    """

    __slots__ = (
        "assumptions",
        "fixed",
        "inputs",
        "layers",
        "limits",
        "name",
        "nodes",
        "notes",
        "output",
        "outputs",
        "parameters",
        "series",
        "title",
        "unknown",
    )

    def __init__(  # noqa: PLR0913 - a record
        self,
        name: str,
        title: str,
        parameters: Mapping[str, Any],
        nodes: tuple[Node, ...],
        output: int,
        outputs: Mapping[str, int],
        assumptions: tuple[str, ...] = (),
        *,
        unknown: tuple[Unknown, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.title = title
        self.parameters = dict(parameters)
        self.nodes = nodes
        self.layers = tuple([node for node in nodes if type(node.layer) not in _NO_LAYERS])
        others = nodes if len(nodes) > len(self.layers) + 1 else nodes[:1]  # nearly always the input alone
        self.inputs = {node.path: node.index for node in others if type(node.layer) is Input}
        self.output = output
        self.outputs = dict(outputs)
        self.assumptions = assumptions
        self.unknown = unknown
        self.notes = notes
        self.fixed: frozenset[str] = frozenset()
        self.series: tuple[Series, ...] = ()
        self.limits: tuple[tuple[Num, int], ...] = ()

    def __repr__(self) -> str:
        shapes = f"{_sizes(self.input)} -> {_sizes(self.nodes[self.output].shape)}"
        return f"<{self.name}: {len(self.layers)} layers, {shapes}>"

    @property
    def input(self) -> Shape:
        """Shape of the tensor that enters; of several, the first."""
        return self.nodes[0].shape

    @property
    def entering(self) -> str:
        """The sizes of the input as text; of several inputs each after its name.

        >>> from convcost import loads
        >>> loads("{input: {image: [3, 8, 8], pose: [7]}, layers: [relu]}").entering
        'image 3x8x8, pose 7'
        """
        shapes = {name: "x".join(map(str, self.nodes[index].shape)) for name, index in self.inputs.items()}
        if len(shapes) == 1:
            return next(iter(shapes.values()))
        return ", ".join(f"{name} {own}" for name, own in shapes.items())

    @property
    def status(self) -> Literal["complete", "partial"]:
        """Whether totals are whole, or lower bounds since a layer of unknown cost may do multiply-accumulates."""
        return "partial" if any(item.heavy for item in self.unknown) else "complete"

    @property
    def hides_parameters(self) -> bool:
        """Whether a layer of unknown cost may have parameters that are not counted, so that their total is a bound."""
        return any(type(node.layer) is Hidden for node in self.layers)

    @property
    def stated(self) -> str:
        """The layers whose costs a spec states, so that they are not derived, in words; empty without such layers."""
        paths = [node.path for node in self.layers if node.layer.stated]
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        return ", ".join(paths[:_SHOWN]) + more

    def need_every_copy(self, what: str) -> None:
        """Refuse a graph that does not have every copy of its repeats, since their number is a symbol.

        Raises:
            UnsupportedError: it is such a graph.
        """
        if self.series:
            names = dict.fromkeys(name for series in self.series for name in sorted(map(str, series.copies.symbols)))
            free = ", ".join(f"`{name}`" for name in names)
            raise UnsupportedError(f"{what} needs every copy of a repeat, and the number of copies is free with {free}")

    def input_of(self, node: Node) -> Any:
        """What the rules of a layer take: the shape it reads, or operands where it merges."""
        if not node.layer.merges:
            return node.input
        return tuple((self.nodes[index].shape, times) for index, times in node.inputs)


def signature_of(values: Mapping[str, Any]) -> tuple[Any, ...]:
    """What distinguishes values of fields from others: their names, what they are, and their types, as True is no 1."""
    own = values.values()
    return (*values, *own, *map(type, own))


class Builder:
    """Appends nodes; see the module.

    Attributes:
        nodes: what was appended so far, the input first.
        outputs: index of each named side output.
        series: see :attr:`Graph.series`.
    """

    def __init__(self, input_shape: Shape, name: str = "input") -> None:
        self.nodes: list[Node] = []
        self.enter(input_shape, name)
        # a run over symbols records what it assumes, so that it must not find its layers inferred already
        self._memo = _inferred if assumptions.current() is None else {}
        self.outputs: dict[str, int] = {}
        self.series: list[Series] = []

    @property
    def input(self) -> Tensor:
        """The tensor that enters."""
        return Tensor(0, self.nodes[0].shape)

    def enter(self, shape: Shape, name: str) -> Tensor:
        """Append a further input, of this shape and name."""
        self.make_room(1)
        index = len(self.nodes)
        self.nodes.append(Node(index, name, 1, Input(shape), "input", (), shape, shape, Work(), 1, None))
        return Tensor(index, shape)

    def carry(self, tensor: Tensor, shape: Shape) -> Tensor:
        """Append the tensor of this shape that copies make which the graph does not have, after ``tensor``."""
        self.make_room(1)
        index = len(self.nodes)
        path = f"{self.nodes[tensor.node].path}/..."
        inputs = ((tensor.node, 1),)
        self.nodes.append(Node(index, path, 1, Carried(shape), "carried", inputs, tensor.shape, shape, Work(), 1, None))
        return Tensor(index, shape)

    def put(  # noqa: PLR0913 - a record
        self,
        layer: Layer,
        kind: str,
        work: Work,
        inputs: tuple[tuple[Tensor, Num], ...],
        shape: Shape,
        path: str,
        *,
        block: int = 0,
        count: Num = 1,
        shared: str = "",
        borrowed: Num = 0,
    ) -> Tensor:
        """Append a layer that is made already, with the shape and the work that a file gives it.

        Args:
            layer: the layer.
            kind: what reports group by.
            work: counts of one of ``count`` copies.
            inputs: the tensors it reads, each with the number of identical ones; one at least.
            shape: of its output.
            path: unique name of the node.
            block: see :attr:`Node.block`; 0 for all segments.
            count: the number of identical parallel copies.
            shared: see :attr:`Node.shared`.
            borrowed: see :attr:`Node.borrowed`.

        Raises:
            ConvcostError: the graph has grown beyond the limit.
        """
        self.make_room(1)
        index = len(self.nodes)
        read = tuple([(tensor.node, times) for tensor, times in inputs])
        block = block or path.count("/") + 1
        first = inputs[0][0].shape
        self.nodes.append(
            Node(
                index,
                path,
                block,
                layer,
                kind,
                read,
                first,
                shape,
                work,
                count,
                None,
                shared=shared,
                borrowed=borrowed,
            )
        )
        return Tensor(index, shape)

    def add(
        self,
        key: str,
        values: Mapping[str, Any],
        inputs: tuple[tuple[Tensor, Num], ...],
        path: str,
        *,
        block: int = 0,
        count: Num = 1,
        position: Position | None = None,
        signature: tuple[Any, ...] | None = None,
    ) -> Tensor:
        """Append a layer.

        Args:
            key: the layer's name in the registry.
            values: its fields; numbers exact, lists as lists or tuples.
            inputs: the tensors it reads, each with the number of identical ones.
            path: unique name of the node.
            block: see :attr:`Node.block`; 0 for all segments.
            count: the number of identical parallel copies of the node.
            position: where it was written.
            signature: of ``values``, where the caller knows it; see :func:`signature_of`.

        Returns:
            The tensor it makes.

        Raises:
            ShapeError: the layer refuses its fields or its input.
            ConvcostError: the graph has grown beyond the limit.
        """
        nodes = self.nodes
        index = len(nodes)
        if index > MAX_NODES:
            self.make_room(1)
        layer, kind, shape, work = self.infer(key, values, inputs, signature)
        read = tuple([(tensor.node, times) for tensor, times in inputs])
        block = block or path.count("/") + 1
        nodes.append(Node(index, path, block, layer, kind, read, inputs[0][0].shape, shape, work, count, position))
        return Tensor(index, shape)

    def make_room(self, count: int) -> None:
        """Make sure that ``count`` more nodes may be appended.

        Raises:
            ConvcostError: the graph would grow beyond the limit.
        """
        if len(self.nodes) + count > MAX_NODES + 1:
            raise ConvcostError(f"more than {MAX_NODES:,} layers")

    def infer(
        self,
        key: str,
        values: Mapping[str, Any],
        inputs: tuple[tuple[Tensor, Num], ...],
        signature: tuple[Any, ...] | None = None,
    ) -> tuple[Layer, str, Shape, Work]:
        """A layer on these inputs: the layer itself, its kind, output shape and work; arguments as for :meth:`add`.

        Raises:
            ShapeError: it refuses its fields or its input.
        """
        cls = REGISTRY[key]
        x: Any = tuple((tensor.shape, times) for tensor, times in inputs) if cls.merges else inputs[0][0].shape
        asked = (key, x, signature_of(values) if signature is None else signature)
        try:
            known = self._memo.get(asked)
        except TypeError:  # arrays and lists have no hash: infer anew
            return self._apply(cls, values, x)
        if known is None:
            if len(self._memo) > MAX_NODES:
                self._memo.clear()
            known = self._memo[asked] = self._apply(cls, values, x)
        return known

    @staticmethod
    def _apply(layer_class: type[Layer], values: Mapping[str, Any], x: Any) -> tuple[Layer, str, Shape, Work]:
        layer = layer_class(**values)
        shape = layer.shape(x)
        first = x[0][0] if layer_class.merges else x
        return layer, layer.kind_of(first, shape), shape, layer.work(x, shape)

    def graph(
        self,
        name: str,
        title: str,
        parameters: Mapping[str, Any],
        output: Tensor,
        assumptions: tuple[str, ...] = (),
        *,
        unknown: tuple[Unknown, ...] = (),
        notes: tuple[str, ...] = (),
    ) -> Graph:
        """The finished graph, whose value is ``output``."""
        nodes = tuple(self.nodes)
        graph = Graph(
            name, title, parameters, nodes, output.node, self.outputs, assumptions, unknown=unknown, notes=notes
        )
        graph.series = tuple(self.series)
        return graph
