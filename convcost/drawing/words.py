"""What a drawing writes into the box of a layer: ``3x3 conv, 64, /2``, and ``BN ReLU`` for what follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.layers.base import REGISTRY
from convcost.layers.window import per_axis

if TYPE_CHECKING:
    from convcost.layers.base import Layer
    from convcost.network.graph import Node

_COUNTED = {"groups": "groups", "dilation": "dilation"}
_SAID_ELSEWHERE = ("kernel", "stride", "out", "bias", "padding", "output_padding", "ceil_mode", "size")
_MOST = 3  # further fields in a box


def name_of(node: Node) -> str:
    """What the layer is called in a drawing, without its sizes.

    >>> from convcost import loads
    >>> graph = loads("{input: [8, 4, 4], layers: [conv: {out: 8, groups: 8, kernel: 3}, batch_norm, relu, flatten]}")
    >>> [name_of(node) for node in graph.layers]
    ['depthwise', 'BN', 'ReLU', 'flatten']
    """
    layer = node.layer
    known = REGISTRY.get(node.kind, type(layer))  # a layer may report itself as another: an activation by its name
    if known.drawn:
        return known.drawn
    if known.key and known.drawn_beside:  # their classes have the spelling of the papers
        return known.__name__
    return layer.drawn_as(node.kind)


def text_of(node: Node) -> str:
    """The layer with its sizes: kernel, output channels, stride, and what else is not as usual.

    >>> from convcost import loads
    >>> [text_of(node) for node in loads("{input: [8, 4, 4], layers: [conv: {out: 8, kernel: 3, stride: 2}]}").layers]
    ['3x3 conv, 8, /2']
    """
    layer, axes = node.layer, len(node.input) - 1
    kernel, stride = _sizes(layer, "kernel", axes), _stride(node, axes)
    first = f"{_joined(kernel)} {name_of(node)}" if kernel else name_of(node)
    parts = [first]
    if "out" in layer.fields and (layer.is_convolution or layer.is_linear):
        parts.append(str(node.shape[0]))
    if stride:
        parts.append(stride)
    alone = getattr(layer, "groups", 1) == node.input[0]  # as many groups as channels
    others = [
        f"{getattr(layer, name)} groups" if name == "groups" else _named(name, getattr(layer, name))
        for name, field in layer.fields.items()
        if name not in _SAID_ELSEWHERE and not (name == "groups" and alone) and _is_unusual(layer, name, field)
    ]
    return ", ".join([*parts, *others[:_MOST]])


def _is_unusual(layer: Layer, name: str, field: Any) -> bool:
    value = getattr(layer, name)
    if (layer.is_linear or "kernel" in layer.fields) and name not in _COUNTED:
        return False
    if isinstance(value, tuple | list) and isinstance(field.default, int):
        return any(size != field.default for size in value)
    return bool(field.required or value != field.default) and isinstance(value, int | str | tuple | list)


def _named(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    return f"{words} {_value(value)}"


def _value(value: Any) -> str:
    return _joined(tuple(value)) if isinstance(value, tuple | list) else str(value)


def _sizes(layer: Layer, field: str, axes: int) -> tuple[Any, ...]:
    if field not in layer.fields or axes < 1:
        return ()
    value: Any = getattr(layer, field)
    if value is None:  # the stride of a pool is its kernel where none is given
        value = getattr(layer, "kernel", None)
    return () if value is None else tuple(per_axis(value, axes, field))


def _stride(node: Node, axes: int) -> str:
    """``/2`` where the map becomes smaller, ``x2`` where it grows; for a layer without strides, by the shapes."""
    sizes = _sizes(node.layer, "stride", axes)
    if not any(size != 1 for size in sizes):
        return ""
    grows = any(after > before for before, after in zip(node.input[1:], node.shape[1:], strict=False))
    shown = str(sizes[0]) if len(set(sizes)) == 1 else _joined(sizes)
    return f"{'x' if grows else '/'}{shown}"


def _joined(sizes: tuple[Any, ...]) -> str:
    return "x".join(map(str, sizes))
