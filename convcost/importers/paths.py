"""Names of layers: the module that a node comes from, where the exporter kept it, else the node's own name.

TorchScript writes ``/layer1/layer1.0/conv1/Conv``, dynamo notes the scopes beside the node, tf2onnx writes
``model/block1/conv1/Conv2D``. A layer with weights is also known by the name of its weights: ``layer1.0.conv1.weight``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convcost.importers.onnx_file import Body, Node

_SCOPES = "pkg.torch.onnx.name_scopes"
_MOST = 40  # segments of a path
_LONGEST = 4_000  # characters of a note that are read
_QUOTED = re.compile(r"'([^']*)'")
_WORD = re.compile(r"[^\w.+-]+")
_NUMBERED = re.compile(r"_\d+$")
_WEIGHTS = re.compile(r"[A-Za-z_][\w]*(?:\.[\w]+)*\.weight")


class Paths:
    """Paths of the nodes of a model, each once."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}
        self._known: dict[int, list[tuple[str, int]]] = {}

    def unique(self, path: str) -> str:
        """``path``, with the number of its copy where it is used already."""
        times = self._used.get(path, 0) + 1
        self._used[path] = times
        if times == 1:
            return path
        made = f"{path}#{times}"
        while made in self._used:
            times += 1
            made = f"{path}#{times}"
        self._used[path] = times
        self._used[made] = 1
        return made

    def saved(self) -> dict[str, int]:
        """What is used so far."""
        return dict(self._used)

    def restore(self, saved: dict[str, int]) -> None:
        """Forget what was used since."""
        self._used = dict(saved)

    def give(self, body: Body, paths: list[tuple[str, int]]) -> None:
        """Say what :meth:`of` returns for a graph that was not read from a file."""
        self._known[id(body)] = paths

    def of(self, body: Body) -> list[tuple[str, int]]:
        """For every node of a graph its path, and how many segments of it name the block."""
        if id(body) not in self._known:
            self._known[id(body)] = _paths(body)
        return self._known[id(body)]


def _paths(body: Body) -> list[tuple[str, int]]:
    scopes = [_scope(node) for node in body.nodes]
    scopes = _without_common(scopes)
    kinds: dict[tuple[str, ...], set[str]] = {}
    inner: set[tuple[str, ...]] = set()
    for node, scope in zip(body.nodes, scopes, strict=True):
        kinds.setdefault(scope, set()).add(node.op)
        for length in range(len(scope)):
            inner.add(scope[:length])
    result = []
    for number, (node, scope) in enumerate(zip(body.nodes, scopes, strict=True)):
        weights = next((name for name in node.inputs[1:2] if _WEIGHTS.fullmatch(name)), "")
        if weights and not node.name.startswith("/"):
            parts = tuple(weights.split(".")[:-1])
        elif not scope:
            parts = (_own_name(node, number),)
        elif scope in inner or len(kinds[scope]) > 1:
            parts = (*scope, node.op.lower() or "node")
        else:
            parts = scope
        parts = parts[:_MOST]
        result.append(("/".join(parts), block_of(parts)))
    return result


def block_of(parts: tuple[str, ...]) -> int:
    """How many segments name the block: up to the first number, and the numbers directly after it.

    >>> (
    ...     block_of(("layer1", "0", "downsample", "0")),
    ...     block_of(("encoder", "layers", "layer_3", "mlp", "0")),
    ...     block_of(("fc",)),
    ... )
    (2, 3, 1)
    """
    length = next((place for place, part in enumerate(parts, 1) if part[-1:].isdigit()), len(parts))
    while length < len(parts) and parts[length].isdigit():
        length += 1
    return max(min(length, len(parts) - 1), 1)


def _own_name(node: Node, number: int) -> str:
    name = _clean(node.name.removeprefix("node_").rsplit("/", 1)[-1])
    return name or f"{_clean(node.op.lower()) or 'node'}_{number}"


def _clean(text: str) -> str:
    return _WORD.sub("_", text[:100]).strip("_")


def _scope(node: Node) -> tuple[str, ...]:
    """The modules around a node, from the outermost."""
    noted = node.metadata.get(_SCOPES)
    if noted:
        return _noted(noted)
    parts = [part for part in node.name.split("/") if part]
    return _relative([_clean(part) or "_" for part in parts[:-1]])


def _noted(text: str) -> tuple[str, ...]:
    """The scopes that dynamo notes: a list of dotted names, the last of which is the operator's."""
    scopes = _QUOTED.findall(text[:_LONGEST])
    return _relative([_clean(item) for item in scopes[:-1] if item])


def _relative(names: list[str]) -> tuple[str, ...]:
    """Dotted names inside one another as single segments: ``layer1``, ``layer1.0`` as ``layer1``, ``0``."""
    parts: list[str] = []
    before = ""
    for name in names:
        if before and name.startswith(f"{before}."):
            parts += name[len(before) + 1 :].split(".")
        elif "." in name and parts and name.split(".")[0] == parts[-1]:
            parts += name.split(".")[1:]
        else:
            parts += name.split(".") if not parts else [name]
        before = name
    return tuple(parts[:_MOST])


def _without_common(scopes: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Scopes without the segments that all of them begin with: the name of the whole model."""
    named = [scope for scope in scopes if scope]
    if len(named) < 2:  # noqa: PLR2004
        return scopes
    first, last = min(named), max(named)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return [scope[same:] for scope in scopes]
