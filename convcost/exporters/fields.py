"""Layers of a graph as a spec writes them: the key, and the fields in their shortest form."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, FieldError, ShapeError
from convcost.layers.base import AXES, REGISTRY, elements
from convcost.layers.conv import Conv
from convcost.layers.operator import Operator
from convcost.layers.window import extent, per_axis, show
from convcost.network.cost import PER_MODEL
from convcost.network.graph import Builder, Tensor
from convcost.numbers.arithmetic import floor_div, provably

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.layers.base import Layer, Shape
    from convcost.network.graph import Graph, Node

ROOT = 0  # index of the input among the nodes
_EXACT = (int, Fraction, str, bool, type(None))
SAME = "same"
_SHAPES = ("to",)  # fields that list the sizes of a tensor, so that a list of equal sizes is not a size


class Expression(str):
    """A value that the spec computes, such as ``x.c``."""

    __slots__ = ()


INCOMING = Expression("x.c")  # channels of the tensor that enters the step


class Layers:
    """What a spec writes for each layer of a graph.

    Attributes:
        written: key and fields by the index of the node; fields of numbers with their defaults, others without.
        reasons: what the language cannot say, one text for each kind of reason, with the layers that it concerns.
    """

    def __init__(self, graph: Graph) -> None:
        self.written: dict[int, tuple[str, tuple[tuple[str, Any], ...]]] = {}
        self._graph = graph
        self._builder = Builder(graph.input)
        self._shapes: dict[int, Shape] = {index: graph.nodes[index].shape for index in graph.inputs.values()}
        self._words = any(map(_strides_on_same, graph.layers))
        refused: dict[str, list[str]] = {}
        for node in graph.layers:
            try:
                self._write(node)
            except ConvcostError as error:
                refused.setdefault(str(error), []).append(node.path)
                self._shapes[node.index] = node.shape
        self.reasons = [
            f"{paths[0]}: {reason}" + (f" (and {len(paths) - 1} more)" if len(paths) > 1 else "")
            for reason, paths in refused.items()
        ]

    def _write(self, node: Node) -> None:
        """Find the key and the fields of a layer, and the shape of its output in the spec.

        Raises:
            ConvcostError: the language cannot say it.
        """
        if any(type(times) is not int for times in (node.count, *(times for _, times in node.inputs))):
            raise ShapeError("the number of its copies is not a number")
        if not node.layer.merges and len(node.inputs) > 1:
            raise ShapeError(f"the language has no such layer of several tensors: {node.kind}")
        copies = sum(times for _, times in node.inputs)
        if node.layer.merges and copies == 1 and node.layer.operands is None:
            raise ShapeError(f"{node.kind} of a single tensor, which a spec leaves out")
        operands = tuple((Tensor(index, self._shapes[index]), times) for index, times in node.inputs)
        reason: ConvcostError = ShapeError(f"the language has no layer for {_operator(node)}")
        for key, values in self._candidates(node, operands[0][0].shape):
            if not all(_is_exact(value) for value in values.values()):
                reason = ShapeError("its fields are not numbers")
                continue
            try:
                _, kind, shape, work = self._builder.infer(key, values, operands)
            except ConvcostError as error:
                reason = error
                continue
            counts = {name: 0 if node.shared and name in PER_MODEL else count for name, count in work.as_dict().items()}
            if counts != node.work.as_dict() or (kind != node.kind and key == node.layer.key):
                reason = ShapeError(f"`{key}` of the language has another cost than {_operator(node)}")
                continue
            self._shapes[node.index] = shape
            self.written[node.index] = key, _fields(key, values, operands[0][0].shape)
            return
        raise reason

    def _candidates(self, node: Node, x: Shape) -> Iterator[tuple[str, dict[str, Any]]]:
        """Keys and fields that may be what the layer is, the shortest first."""
        layer = node.layer
        if not isinstance(layer, Operator):
            if layer.key not in REGISTRY or REGISTRY[layer.key] is not type(layer):
                return
            values = {name: vars(layer)[name] for name in layer.fields}
            yield layer.key, _shorter(layer, values, x, words=self._words)
            yield layer.key, values
            return
        if layer.is_view and node.shape:
            yield "reshape", {"to": node.shape}
        if node.kind == "reduce_mean":
            yield "global_avg_pool", {}
        if node.kind in REGISTRY and not REGISTRY[node.kind].needs:
            yield node.kind, {}
        if not layer.is_view:
            yield from _stated(node, x)


def _stated(node: Node, x: Shape) -> Iterator[tuple[str, dict[str, Any]]]:
    """An operator without a word, as a layer whose operations are stated: of each element, or in all."""
    work, count = node.work, elements(x)
    if node.layer.fusing == "follows":
        names = [name for name in REGISTRY["elementwise"].fields if name != "params"]
        each = {name: floor_div(getattr(work, name), count) for name in names}
        yield "elementwise", {**each, "params": work.other_params}
    elif node.layer.fusing == "alone" and provably(work.macs, 0) and node.shape:
        totals = {"params": work.other_params, "operations": work.additions}
        yield "custom", {"to": node.shape, **totals, "buffers": work.buffers, "inside": work.inside}


def _strides_on_same(node: Node) -> bool:
    """Whether a layer has padding ``same`` that is no number: this one depends on the size of what comes in."""
    values = {name: vars(node.layer)[name] for name in node.layer.fields}
    if node.layer.defaults.get("padding") != SAME or values["padding"] != SAME:
        return False
    return same_padding(values, len(node.input) - 1) is None


def _operator(node: Node) -> str:
    if isinstance(node.layer, Operator):
        return f"{node.layer.name} of {show(node.input)}"
    return node.layer.key


def _is_exact(value: Any) -> bool:
    return isinstance(value, _EXACT) or (isinstance(value, tuple) and all(map(_is_exact, value)))


def _shorter(layer: Layer, values: dict[str, Any], x: Shape, *, words: bool) -> dict[str, Any]:
    """Fields with one size in place of equal ones, letters of axes, and padding as a word or in numbers.

    Args:
        layer: whose fields they are.
        values: its fields.
        x: what it reads.
        words: whether padding that is ``same`` whatever comes in is this word, else a number.
    """
    short = dict(values)
    for name, field in layer.fields.items():
        if field.type in ("axes", "padding") and name not in _SHAPES:
            short[name] = _joined(short[name])
        elif field.type in ("axis", "axis_list") and len(x) in AXES:
            short[name] = _lettered(short[name], AXES[len(x)])
    if layer.defaults.get("padding") == SAME and (own := same_padding(short, len(x) - 1)) is not None:
        if words and short["padding"] == own:
            short["padding"] = SAME
        elif not words and short["padding"] == SAME:
            short["padding"] = own
    if "stride" in short and layer.defaults.get("stride", 0) is None and short["stride"] == short.get("kernel"):
        short["stride"] = None
    return short


def _joined(value: Any) -> Any:
    """One size in place of a list of equal ones, and one side in place of a pair of equal ones."""
    if not isinstance(value, tuple):
        return value
    if all(isinstance(pair, tuple) and len(set(pair)) == 1 for pair in value):
        value = tuple(pair[0] for pair in value)
    return value[0] if len(set(value)) == 1 and not isinstance(value[0], tuple) else value


def _lettered(value: Any, letters: tuple[str, ...]) -> Any:
    """Indices of axes as their letters, and a list of a single axis as this axis; -1 stays the last one."""
    if isinstance(value, tuple):
        lettered = tuple(_lettered(axis, letters) for axis in value)
        return lettered[0] if len(lettered) == 1 else lettered
    return letters[value] if type(value) is int and 0 <= value < len(letters) else value


def same_padding(values: dict[str, Any], axes: int) -> Any:
    """The padding that ``same`` is for every input: half of what the kernel reaches beyond a position, on both sides.

    None where there is none: with a stride the output has as many positions, but ``same`` may begin elsewhere.

    Args:
        values: fields of a convolution: kernel, dilation and stride.
        axes: spatial axes.
    """
    try:
        kernels, dilations, strides = (per_axis(values[name], axes, name) for name in ("kernel", "dilation", "stride"))
    except FieldError:
        return None
    if not all(type(size) is int for size in (*kernels, *dilations)):
        return None
    reach = [extent(kernel, dilation) - 1 for kernel, dilation in zip(kernels, dilations, strict=True)]
    steady = all(stride == 1 or not more for stride, more in zip(strides, reach, strict=True))
    if not steady or any(more % 2 for more in reach):
        return None
    return _joined(tuple(more // 2 for more in reach))


def _fields(key: str, values: dict[str, Any], x: Shape) -> tuple[tuple[str, Any], ...]:
    """What is written: numbers with their defaults, since an equal layer elsewhere may have others."""
    cls = REGISTRY[key]
    written = {
        name: value
        for name, value in values.items()
        if value is not None and (is_number(value) or not is_default(key, name, value))
    }
    if cls.family == Conv.family and written.get("groups") == x[0] and x[0] != 1:  # a depthwise convolution
        written["groups"] = INCOMING
        if written.get("out") == x[0]:
            written["out"] = INCOMING
    return tuple(written.items())


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a list of numbers."""
    if isinstance(value, tuple):
        return all(map(is_number, value))
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def is_default(key: str, name: str, value: Any) -> bool:
    """Whether a layer has this value in a field where none is written."""
    defaults = REGISTRY[key].defaults
    return name in defaults and type(defaults[name]) is type(value) and bool(defaults[name] == value)


def is_same(key: str, fields: dict[str, Any]) -> bool:
    """Whether the padding of a layer is what ``same`` is for every input, where that is the default."""
    if REGISTRY[key].defaults.get("padding") != SAME or type(fields.get("padding")) is not int:
        return False
    return bool(same_padding(fields, 1) == fields["padding"])
