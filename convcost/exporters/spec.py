"""A graph as the text of a spec."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.exporters.fields import is_default, is_same
from convcost.exporters.folding import Block, repeated, with_blocks
from convcost.exporters.stages import in_stages
from convcost.exporters.steps import refusal, written_graph
from convcost.language.inputs import needs_layout
from convcost.language.syntax import LAYOUTS
from convcost.language.writing import Inline, Text, yaml_text
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from convcost.exporters.steps import Branch, Step
    from convcost.network.graph import Graph

_LONGEST_TITLE = 100


def spec_text(graph: Graph) -> str:
    """A spec of a graph, as YAML: copies in a row as ``repeat``, and blocks for what differs in numbers only.

    Args:
        graph: of numbers; it is known in whole.

    Raises:
        UnsupportedError: the language cannot say a layer of it, or how layers are connected; the text names them.
    """
    written = written_graph(graph)
    steps, blocks = with_blocks(repeated(in_stages(written.steps)))
    tree: dict[str, Any] = {"title": Text(_title(graph)), **_input(graph, written.inputs)}
    if written.outputs:
        tree["outputs"] = Inline(written.outputs)
    writer = _Writer(blocks)
    if blocks:
        tree["blocks"] = {block.name: writer.block(block) for block in blocks}
    tree["layers"] = writer.steps(steps)
    return yaml_text(tree)


def _input(graph: Graph, names: dict[int, str]) -> dict[str, Any]:
    """The sizes of the inputs, and their layout where it must be stated."""
    shapes = {name: graph.nodes[index].shape for index, name in names.items()}
    for shape in shapes.values():
        if len(shape) not in LAYOUTS:
            raise refusal(graph, [f"its input has {len(shape)} axes, and that of a spec has 1 to {max(LAYOUTS)}"])
    layouts = {LAYOUTS[len(shape)] for shape in shapes.values() if needs_layout(shape)}
    if len(layouts) > 1:
        raise refusal(graph, ["its inputs look like several layouts, and a spec states one"])
    sizes = {name: tuple(map(str, shape)) for name, shape in shapes.items()}
    tree: dict[str, Any] = {"input": Inline(sizes) if len(sizes) > 1 else sizes[names[0]]}
    if layouts:
        tree["layout"] = layouts.pop()
    return tree


def _title(graph: Graph) -> str:
    """The title on one line, without characters that a terminal would act on."""
    words = "".join(sign if sign.isprintable() else " " for sign in graph.title or graph.name).split()
    return " ".join(words)[:_LONGEST_TITLE].strip() or "network"


class _Writer:
    """Steps as the data of YAML; values that are the default of a layer or of a block are left out."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._defaults = {block.name: dict(block.parameters) for block in blocks}

    def block(self, block: Block) -> dict[str, Any] | list[Any]:
        """What stands below the name of a block."""
        layers = self.steps(block.steps)
        if not block.parameters:
            return layers
        parameters = {name: None if default is None else _value(default) for name, default in block.parameters}
        return {"parameters": parameters, "layers": layers}

    def steps(self, steps: Iterable[Step]) -> list[Any]:
        """The items of ``layers``, of a group or of a branch."""
        return list(map(self._step, steps))

    def _is_default(self, key: str, name: str, value: Any) -> bool:
        if key in self._defaults:
            default = self._defaults[key][name]
            return type(default) is type(value) and bool(default == value)
        return is_default(key, name, value)

    def _step(self, step: Step) -> Any:
        fields = dict(step.fields)
        if step.key in REGISTRY and is_same(step.key, fields):
            del fields["padding"]
        values = {name: _value(value) for name, value in fields.items() if not self._is_default(step.key, name, value)}
        controls: dict[str, Any] = {}
        if step.name:
            controls["name"] = step.name
        if step.source:
            controls["from"] = step.source
        if step.shares:
            controls["shares"] = step.shares
        if step.repeat != 1:
            controls["repeat"] = str(step.repeat)
        if step.steps:
            return {**controls, "do": self.steps(step.steps)}
        if step.branches:
            return {**controls, step.key: {**{branch.name: self._branch(branch) for branch in step.branches}, **values}}
        if not values and not controls:
            return step.key
        return {step.key: Inline(values) if values else None, **controls}

    def _branch(self, branch: Branch) -> Any:
        if not branch.steps:
            copies = Inline({"from": branch.source, "repeat": str(branch.repeat)})
            return branch.source if branch.repeat == 1 else copies
        steps = self.steps(branch.steps)
        return steps if branch.repeat == 1 else {"repeat": str(branch.repeat), "do": steps}


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_value, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    return str(value)
