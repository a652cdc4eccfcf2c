"""A graph as the text of a spec: branches inside one another, repeats as one step, stages by their names.

A merge with its branches is found from the last layer that all of them come from. Where branches share a part without
coming from one layer, the whole network is written as a flat list, in which layers name the tensors that they read.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.language.model import RESERVED
from convcost.language.syntax import is_identifier
from convcost.layers.base import REGISTRY
from convcost.layers.operator import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from convcost.network.graph import Graph, Node

_NAME = re.compile(r"[A-Za-z_]\w*")
_TAP = re.compile(r"t\d+")  # the names that tensors are given here
_WORDS = ("x", "input", "true", "false", "none")  # which no input can be called
_LONGEST = 40  # steps that are repeated together
_MOST = 2_000  # steps of a list in which repeats are searched
_WORTH = 2  # steps that a repeat must save
_MOST_PARAMETERS = 6  # of a block


class _Step(NamedTuple):
    """One step of a spec; equal steps cost the same.

    Attributes:
        key: the layer, or ``do``.
        fields: those that differ from their defaults.
        branches: of a merge, and the steps of a ``do``: by name, steps or the name of a tensor.
        controls: ``repeat``, ``name`` and ``from``.
    """

    key: str
    fields: tuple[tuple[str, Any], ...] = ()
    branches: tuple[tuple[str, Any], ...] = ()
    controls: tuple[tuple[str, Any], ...] = ()


def as_spec(graph: Graph) -> str:
    """The text of a spec that builds the same layers.

    Raises:
        UnsupportedError: a layer has no word in the spec language, or the network has identical parallel branches or
            sizes that are no numbers.

    >>> from convcost import load
    >>> print(as_spec(load("two_3x3")).partition("layers:")[2].strip())
    - conv: {out: 64, kernel: 3, bias: false}
        repeat: 2
    """
    _refuse(graph)
    steps = _nested(graph)
    blocks: dict[str, _Block] = {}
    steps = _flat(graph) if steps is None else _with_blocks(steps, blocks)
    title = graph.title if graph.title.isprintable() else graph.name
    lines = [f"title: {_text(title)}", "", f"input: {_inputs(graph)}"]
    if not graph.layers or graph.output != graph.layers[-1].index:
        lines.append(f"outputs: {{{', '.join(f'{name}: {source}' for name, source in _outputs(graph))}}}")
    if blocks:
        lines.append("blocks:")
    for name, block in blocks.items():
        lines += [f"  {name}:", "    parameters:", *(f"      {parameter}:" for parameter in block.parameters)]
        lines += ["    layers:", *_lines((block.step,), "      ")]
    return "\n".join([*lines, "layers:", *_lines(steps, "  ")]) + "\n"


def _inputs(graph: Graph) -> str:
    if len(graph.inputs) == 1:
        return _value(graph.input)
    names = _names_of_inputs(graph)
    return f"{{{', '.join(f'{name}: {_value(graph.nodes[index].shape)}' for index, name in names.items())}}}"


def _names_of_inputs(graph: Graph) -> dict[int, str]:
    """A name for each input, by its index; that of the only one is `input`."""
    if len(graph.inputs) == 1:
        return dict.fromkeys(graph.inputs.values(), "input")
    return {
        index: name if is_identifier(name) and name not in _WORDS and not _TAP.fullmatch(name) else f"input{place}"
        for place, (name, index) in enumerate(graph.inputs.items(), 1)
    }


def _outputs(graph: Graph) -> list[tuple[str, str]]:
    """The names under `outputs`, that of the output of the network first, each with the name of a tensor."""
    inputs = _names_of_inputs(graph)
    outputs = [(_side(name, place), index) for place, (name, index) in enumerate(graph.outputs.items(), 1)]
    first = next((pair for pair in outputs if pair[1] == graph.output), ("main", graph.output))
    ordered = [first, *(pair for pair in outputs if pair != first)]
    return [(name, inputs.get(index, f"t{index}")) for name, index in ordered]


def _refuse(graph: Graph) -> None:
    """Refuse what the language cannot say."""
    if any(type(size) is not int for node in graph.nodes for size in (*node.shape, node.count)):
        raise UnsupportedError("a spec is written at numbers; this network has symbolic sizes")
    if any(node.count != 1 or any(times != 1 for _, times in node.inputs) for node in graph.layers):
        raise UnsupportedError("identical parallel branches are not written")
    unsayable = Counter(node.kind for node in graph.layers if not _is_sayable(node))
    if unsayable:
        listed = ", ".join(f"{count} {kind}" for kind, count in unsayable.most_common())
        raise UnsupportedError(f"the spec language has no word for {sum(unsayable.values())} layers: {listed}")


def _is_sayable(node: Node) -> bool:
    return node.layer.key in REGISTRY or (isinstance(node.layer, Operator) and node.kind == "reshape")


# from nodes to steps


def _step(node: Node, branches: tuple[tuple[str, Any], ...] = (), *controls: tuple[str, Any]) -> _Step:
    if node.layer.key not in REGISTRY:
        return _Step("reshape", (("to", node.shape),), (), controls)
    fields = []
    for name, field in node.layer.fields.items():
        value = getattr(node.layer, name)
        if field.type == "axis" and value == 0 and field.default == "c":
            value = "c"  # the channels, by their letter
        fields.append((name, _simplest(field.type, value)))
    return _Step(node.layer.key, tuple(fields), branches, controls)


def _simplest(type_: str, value: Any) -> Any:
    """A list of equal sizes as one size, and pairs of equal sides as one side."""
    if type_ not in ("axes", "padding") or not isinstance(value, tuple):
        return value
    sides = tuple(
        side[0] if isinstance(side, tuple) and len(side) > 1 and side[0] == side[1] else side for side in value
    )
    if any(isinstance(side, tuple) for side in sides):
        return value
    return sides[0] if len(set(sides)) == 1 else sides


def _nested(graph: Graph) -> tuple[_Step, ...] | None:
    """The steps with their branches inside them; None where branches share a part without coming from one layer."""
    if graph.outputs or len(graph.inputs) > 1 or any(node.shared for node in graph.layers):
        return None
    above = _dominators(graph)
    seen: list[int] = []
    try:
        chain = _chain(graph, above, 0, graph.output, seen)
    except (KeyError, RecursionError):
        return None
    if sorted(seen) != [node.index for node in graph.layers]:
        return None
    return _folded(_staged(graph, chain))


def _dominators(graph: Graph) -> dict[int, int]:
    """For every layer the last one that all ways from the input to it lead through."""
    above: dict[int, int] = {}
    depth = {0: 0}
    for node in graph.layers:
        common = node.inputs[0][0]
        for other, _ in node.inputs[1:]:
            while common != other:
                if depth[common] >= depth[other]:
                    common = above[common]
                else:
                    other = above[other]  # noqa: PLW2901 - both climb to where they meet
        above[node.index] = common
        depth[node.index] = depth[common] + 1
    return above


def _chain(graph: Graph, above: dict[int, int], start: int, end: int, seen: list[int]) -> list[tuple[_Step, int]]:
    """The steps from one tensor to another, each with the index of its layer."""
    steps: list[tuple[_Step, int]] = []
    here = end
    while here != start:
        node = graph.nodes[here]
        seen.append(here)
        if len(seen) > len(graph.nodes):
            raise KeyError(here)
        branches: tuple[tuple[str, Any], ...] = ()
        if node.layer.merges:
            ways = [_chain(graph, above, above[here], index, seen) for index, _ in node.inputs]
            bodies = [_folded([step for step, _ in way]) if way else "x" for way in ways]
            branches = tuple(zip(_branch_names(bodies), bodies, strict=True))
        steps.append((_step(node, branches), here))
        here = above[here]
    return steps[::-1]


def _branch_names(bodies: Sequence[Any]) -> list[str]:
    if len(bodies) == 2 and list(bodies).count("x") == 1:  # noqa: PLR2004 - a residual unit
        return ["shortcut" if body == "x" else "main" for body in bodies]
    return [f"branch{place}" for place in range(1, len(bodies) + 1)]


def _staged(graph: Graph, chain: list[tuple[_Step, int]]) -> list[_Step]:
    """The steps of one stage as a group with its name, where the paths tell the stages."""
    runs: list[tuple[str, list[_Step]]] = []
    for step, index in chain:
        path = graph.nodes[index].path
        stage = path.partition("/")[0] if "/" in path else ""
        if runs and stage and runs[-1][0] == stage:
            runs[-1][1].append(step)
        else:
            runs.append((stage, [step]))
    times = Counter(stage for stage, _ in runs)
    steps: list[_Step] = []
    for stage, members in runs:
        usable = _NAME.fullmatch(stage) and times[stage] == 1 and stage not in RESERVED and stage not in REGISTRY
        if usable and len(members) > 1 and len(runs) > 1:
            steps.append(_Step("do", (), (("", _folded(members)),), (("name", stage),)))
        else:
            steps += members
    return steps


def _folded(steps: Sequence[_Step]) -> tuple[_Step, ...]:
    """The steps with those that come again and again as one, the largest saving first."""
    best = (0, 0, 0, 0)  # steps saved, how long, from where, how often
    count = len(steps)
    if count <= _MOST:
        numbers: dict[_Step, int] = {}
        marks = [numbers.setdefault(step, len(numbers)) for step in steps]
        for length in range(1, min(count // 2, _LONGEST) + 1):
            run = 0
            for place in range(count - length - 1, -1, -1):
                run = run + 1 if marks[place] == marks[place + length] else 0
                times = run // length + 1
                saved = (times - 1) * length
                if saved > best[0]:
                    best = (saved, length, place, times)
    saved, length, place, times = best
    if saved < (1 if length == 1 else _WORTH):
        return tuple(steps)
    inner = _folded(steps[place : place + length])
    repeat = ("repeat", times)
    if len(inner) == 1 and not inner[0].controls:
        made = inner[0]._replace(controls=(repeat,))
    else:
        made = _Step("do", (), (("", inner),), (repeat,))
    return (*_folded(steps[:place]), made, *_folded(steps[place + length * times :]))


def _flat(graph: Graph) -> tuple[_Step, ...]:
    """One step a layer, which names the tensors that it reads where these are not the one before."""
    inputs = _names_of_inputs(graph)
    indices = {node.path: node.index for node in graph.layers}
    owners = {node.shared for node in graph.layers if node.shared}
    taps = {
        *graph.outputs.values(),
        *([] if graph.layers and graph.output == graph.layers[-1].index else [graph.output]),
    }
    before = 0
    for node in graph.layers:
        operands = [index for index, _ in node.inputs]
        taps |= {index for index in operands if index != before}
        before = node.index
    steps, before = [], 0

    def named(index: int) -> str:
        return "x" if index == before else inputs.get(index) or f"t{index}"

    for node in graph.layers:
        controls: list[tuple[str, Any]] = [("name", f"t{node.index}")] if node.index in taps else []
        branches: tuple[tuple[str, Any], ...] = ()
        if node.layer.merges:
            branches = tuple((f"branch{place}", named(index)) for place, (index, _) in enumerate(node.inputs, 1))
        elif node.inputs[0][0] != before:
            controls.append(("from", named(node.inputs[0][0])))
        if node.shared or node.path in owners:
            controls.append(("shares", f"w{indices[node.shared or node.path]}"))
        steps.append(_step(node, branches, *controls))
        before = node.index
    if graph.outputs and graph.output == before:
        names = tuple(
            (_side(name, place), named(index)) for place, (name, index) in enumerate(graph.outputs.items(), 1)
        )
        steps.append(_Step("output", (), names))
    return tuple(steps)


def _side(name: str, place: int) -> str:
    return name if _NAME.fullmatch(name) and name not in RESERVED else f"output{place}"


# blocks: merges that differ in numbers only


class _Block(NamedTuple):
    """A local block: names of its parameters, and its step, with the names in place of what differs."""

    parameters: tuple[str, ...]
    step: _Step


def _with_blocks(steps: tuple[_Step, ...], blocks: dict[str, _Block]) -> tuple[_Step, ...]:
    """The steps with merges that differ in numbers only as calls of blocks, which are added to ``blocks``."""
    result: dict[Any, list[_Step]] = {}
    for step in _merges(steps):
        result.setdefault(_form(step), []).append(step)
    calls: dict[_Step, _Step] = {}
    for alike in result.values():
        different = list(dict.fromkeys(alike))
        made = _block(different) if len(different) > 1 else None
        if made is not None:
            name = f"unit{len(blocks) + 1}"
            block, values = made
            blocks[name] = block
            for step, own in zip(different, values, strict=True):
                fields = tuple(zip(block.parameters, own, strict=True))
                calls[step] = _Step(name, fields, (), step.controls)
    return _replaced(steps, calls)


def _merges(steps: Sequence[_Step]) -> Iterator[_Step]:
    """Every merge that is in no other merge and has steps in it."""
    for step in steps:
        if step.key == "do":
            yield from _merges(step.branches[0][1])
        elif any(not isinstance(body, str) for _, body in step.branches):
            yield step


def _form(step: _Step) -> Any:
    """What steps that differ in numbers only have in common."""
    fields = tuple((name, "number" if _is_number(value) else value) for name, value in step.fields)
    bodies = tuple((name, body if isinstance(body, str) else tuple(map(_form, body))) for name, body in step.branches)
    controls = tuple((name, value) for name, value in step.controls if name == "repeat")
    return (step.key, fields, bodies, controls)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | tuple) and not isinstance(value, bool)


def _numbers(step: _Step) -> Iterator[tuple[str, Any]]:
    """All numbers of a step, in order, with the fields that they are in."""
    for name, value in step.fields:
        if _is_number(value):
            yield name, value
    for _, body in step.branches:
        if not isinstance(body, str):
            for inner in body:
                yield from _numbers(inner)


def _block(different: Sequence[_Step]) -> tuple[_Block, list[tuple[Any, ...]]] | None:
    """A block for steps of one form, and its arguments for each; None where it would have too many parameters."""
    rows = [list(_numbers(step)) for step in different]
    fields = [name for name, _ in rows[0]]
    columns = list(zip(*([value for _, value in row] for row in rows), strict=True))
    names: dict[tuple[Any, ...], str] = {}
    used: Counter[str] = Counter()
    for field, column in zip(fields, columns, strict=True):
        if len(set(column)) > 1 and column not in names:
            used[field] += 1
            names[column] = field if used[field] == 1 else f"{field}{used[field]}"
    if not 0 < len(names) <= _MOST_PARAMETERS:
        return None
    words = iter([names.get(column) for column in columns])
    values = [tuple(column[place] for column in names) for place in range(len(different))]
    return _Block(tuple(names.values()), _filled(different[0], words)._replace(controls=())), values


def _filled(step: _Step, words: Iterator[str | None]) -> _Step:
    """A step with names in place of numbers, in the order of :func:`_numbers`."""
    fields = tuple((name, (next(words) or value) if _is_number(value) else value) for name, value in step.fields)
    branches = tuple(
        (name, body if isinstance(body, str) else tuple(_filled(inner, words) for inner in body))
        for name, body in step.branches
    )
    return step._replace(fields=fields, branches=branches)


def _replaced(steps: Sequence[_Step], calls: dict[_Step, _Step]) -> tuple[_Step, ...]:
    made = []
    for step in steps:
        if step in calls:
            made.append(calls[step])
        elif step.key == "do":
            ((name, body),) = step.branches
            made.append(step._replace(branches=((name, _replaced(body, calls)),)))
        else:
            made.append(step)
    return tuple(made)


# from steps to text


def _lines(steps: Sequence[_Step], indent: str) -> Iterator[str]:
    for step in steps:
        yield from _of_step(step, indent)


def _of_step(step: _Step, indent: str) -> Iterator[str]:
    if step.key == "do":
        yield from _of_group(step, indent)
        return
    shown = _shown(step)
    fields = ", ".join(f"{name}: {_value(value)}" for name, value in shown)
    if step.branches:
        yield f"{indent}- {step.key}:"
        for name, value in shown:
            yield f"{indent}    {name}: {_value(value)}"
        for name, body in step.branches:
            yield f"{indent}    {name}: {body}" if isinstance(body, str) else f"{indent}    {name}:"
            if not isinstance(body, str):
                yield from _lines(body, f"{indent}      ")
    elif fields:
        yield f"{indent}- {step.key}: {{{fields}}}"
    else:
        yield f"{indent}- {step.key}{':' if step.controls else ''}"
    for name, value in step.controls:
        yield f"{indent}  {name}: {_value(value)}"


def _of_group(step: _Step, indent: str) -> Iterator[str]:
    """A ``do``: its name before the steps, where it has one, and the number of repeats after them."""
    ((_, body),) = step.branches
    controls = [f"{name}: {_value(value)}" for name, value in step.controls]
    lead = [line for line in controls if line.startswith("name")]
    first, *rest = [*lead, "do:"]
    yield f"{indent}- {first}"
    for line in rest:
        yield f"{indent}  {line}"
    yield from _lines(body, f"{indent}    ")
    for line in controls:
        if line not in lead:
            yield f"{indent}  {line}"


def _shown(step: _Step) -> list[tuple[str, Any]]:
    """The fields that differ from their defaults; a padding that ``same`` means is left out too."""
    if step.key not in REGISTRY:
        return list(step.fields)
    values = dict(step.fields)
    known = REGISTRY[step.key].fields
    if step.key == "conv" and all(type(values[name]) is int for name in ("kernel", "padding", "dilation")):
        steady = values["stride"] == 1 or values["kernel"] == 1  # else `same` begins at another position
        if steady and 2 * values["padding"] == values["dilation"] * (values["kernel"] - 1):
            del values["padding"]
    return [(name, value) for name, value in values.items() if known[name].required or value != known[name].default]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return str(value)


def _text(text: str) -> str:
    """A title as YAML: in quotes where it could be read as something else."""
    plain = re.fullmatch(r"[A-Za-z][\w .,()/+-]*", text) and not text.endswith(" ")
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
