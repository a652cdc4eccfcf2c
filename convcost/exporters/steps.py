"""A graph as steps of the language: chains, merges with branches, and names for what is read elsewhere.

A merge is written with its branches inside it where nothing else reads them. Any other tensor that is not the one of
the step before is read by its name, so that every graph with one input has a form.
"""

from __future__ import annotations

import heapq
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import UnsupportedError
from convcost.exporters.fields import ROOT, Layers
from convcost.language.model import RESERVED
from convcost.language.syntax import is_identifier
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from convcost.network.graph import Graph, Node

MAX_LAYERS = 5_000  # of a graph that is written: finding the branches takes a square of this at worst
_DEEPEST = 8  # merges inside one another; a file may nest brackets and indents 60 deep
_LONGEST = 40  # characters of a name
_MOST_SHOWN = 4  # reasons of a refusal


class Step(NamedTuple):
    """A step of a spec.

    Attributes:
        key: name of a layer or block, or ``do``.
        fields: names and values, those that are numbers with their defaults.
        branches: of a merge or of ``output``.
        steps: of a ``do``.
        source: the tensor that ``from`` names; empty for that of the step before.
        name: of its tensor; empty for none.
        repeat: how many copies run one after another.
        shares: the name of its weights, where other steps use them too.
    """

    key: str
    fields: tuple[tuple[str, Any], ...] = ()
    branches: tuple[Branch, ...] = ()
    steps: tuple[Step, ...] = ()
    source: str = ""
    name: str = ""
    repeat: int = 1
    shares: str = ""


class Branch(NamedTuple):
    """A branch of a merge: steps, or else the tensor that ``source`` names.

    Attributes:
        repeat: how many identical copies run in parallel.
    """

    name: str
    steps: tuple[Step, ...] = ()
    source: str = ""
    repeat: int = 1


class _Part(NamedTuple):
    """One operand of a merge: the layers of its branch, or else the tensor that is read; and the number of copies."""

    steps: list[_Planned]
    source: str
    repeat: int


class _Planned:
    """A step whose name is not known yet: a later step may read its tensor."""

    __slots__ = ("node", "parts", "source")

    def __init__(self, node: int, source: str, parts: list[_Part]) -> None:
        self.node = node
        self.source = source
        self.parts = parts


class Written(NamedTuple):
    """A graph in the words of the language.

    Attributes:
        inputs: a name for each input, by its index.
        outputs: names of outputs, each with the name of a tensor; empty where the last step makes the output.
        steps: each with the path of its layer; of a merge, that of the merge.
    """

    inputs: dict[int, str]
    outputs: dict[str, str]
    steps: list[tuple[Step, str]]


def written_graph(graph: Graph) -> Written:
    """A graph as steps.

    Raises:
        UnsupportedError: the language cannot say a layer, or how layers are connected; the text names them.
    """
    _check(graph)
    return _Writer(graph).written()


def _check(graph: Graph) -> None:
    """Refuse what concerns the whole graph."""
    if graph.status == "partial":
        raise refusal(graph, ["its cost is known in part only"])
    if not graph.layers:
        raise refusal(graph, ["it has no layers"])
    if len(graph.layers) > MAX_LAYERS:
        raise refusal(graph, [f"it has more than {MAX_LAYERS:,} layers"])


def refusal(graph: Graph, reasons: Sequence[str]) -> UnsupportedError:
    """The error for a graph that cannot be written, with the first reasons."""
    more = f"; and {len(reasons) - _MOST_SHOWN} more" if len(reasons) > _MOST_SHOWN else ""
    return UnsupportedError(f"{graph.name} cannot be written as a spec: {'; '.join(reasons[:_MOST_SHOWN])}{more}")


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._nodes = graph.nodes
        self._layers = Layers(graph)
        if self._layers.reasons:
            raise refusal(graph, self._layers.reasons)
        self._readers: list[list[int]] = [[] for _ in graph.nodes]
        for node in graph.layers:
            for index, _ in node.inputs:
                self._readers[index].append(node.index)
        self._last = graph.output if not self._readers[graph.output] and graph.output != ROOT else -1
        self._inputs = _names_of_inputs(graph)
        self._leaving = {graph.output, *graph.outputs.values(), *graph.inputs.values()}
        self._before = self._dominators()
        self._names = dict(self._inputs)
        self._taken: set[str] = {*RESERVED, *self._inputs.values()}
        self._indices = {node.path: node.index for node in graph.layers}
        self._owners = {node.shared for node in graph.layers if node.shared}
        self._taken |= {f"w{self._indices[path]}" for path in self._owners}

    def _dominators(self) -> list[int]:
        """For each node the last one that every way from the input to it passes."""
        before = [ROOT]
        for node in self._nodes[1:]:
            common = node.inputs[0][0] if node.inputs else ROOT
            for index, _ in node.inputs[1:]:
                common = _common(before, common, index)
            before.append(common)
        return before

    def written(self) -> Written:
        """The names of inputs and outputs, and the steps."""
        graph = self._graph
        planned = self._level([node.index for node in graph.layers], ROOT, 1, 0)
        last = planned[-1].node
        labels = _distinct([_word(name) or "output" for name in graph.outputs])
        sides = dict(zip(labels, graph.outputs.values(), strict=True))
        if last != graph.output and graph.output not in sides.values():
            sides = {**dict.fromkeys(_distinct([*labels, "main"])[-1:], graph.output), **sides}
        ordered = sorted(sides.items(), key=lambda pair: pair[1] != graph.output)
        outputs = {name: self._named(index) for name, index in ordered} if last != graph.output else {}
        extra = {} if outputs else {name: "x" if index == last else self._named(index) for name, index in sides.items()}
        made = [(self._made(step), self._nodes[step.node].path) for step in planned]
        if extra:
            branches = tuple(Branch(name, source=source) for name, source in extra.items())
            made.append((Step("output", branches=branches), ""))
        return Written(self._inputs, outputs, made)

    def _level(self, members: Sequence[int], entry: int, count: Any, depth: int) -> list[_Planned]:
        """The steps that make the last of ``members`` out of the tensor of ``entry``.

        Args:
            members: layers in their order; what they read is among them, or is ``entry``.
            entry: index of the node whose tensor enters.
            count: identical parallel copies of every member that is not in a branch.
            depth: how many merges are around them.
        """
        inside = {entry, *members, *(self._inputs if depth == 0 else ())}
        nested: dict[int, tuple[int, list[list[int]]]] = {}
        absorbed: set[int] = set()
        for index in reversed(members):
            if index in absorbed or not self._nodes[index].layer.merges or depth >= _DEEPEST:
                continue
            branches = self._branches(self._nodes[index], inside)
            if branches is not None:
                nested[index] = branches
                absorbed.update(*branches[1])
        planned = []
        previous = entry
        for index in self._ordered([index for index in members if index not in absorbed], nested, entry):
            node = self._nodes[index]
            if node.count != count:
                raise refusal(self._graph, [f"{node.path}: its {node.count} copies are not in a branch of their own"])
            fork, parts = nested.get(index, (previous, []))
            incoming = fork if node.layer.merges else node.inputs[0][0]
            source = "" if incoming == previous else self._named(incoming)
            operands: list[_Part] = []
            for place, (operand, times) in enumerate(node.inputs if node.layer.merges else ()):
                inner = self._level(parts[place], fork, count * times, depth + 1) if parts and parts[place] else []
                tensor = "" if inner else "x" if operand == incoming else self._named(operand)
                operands.append(_Part(inner, tensor, times))
            planned.append(_Planned(index, source, operands))
            previous = index
        return planned

    def _branches(self, merge: Node, inside: set[int]) -> tuple[int, list[list[int]]] | None:
        """Where the branches of a merge begin, and the layers of each; None where other layers read these too."""
        heads = []
        for head, _ in merge.inputs:
            while self._nodes[head].count != merge.count and head != ROOT:
                head = self._before[head]  # noqa: PLW2901 - up to where the copies begin
            heads.append(head)
        fork = heads[0]
        for head in heads[1:]:
            fork = _common(self._before, fork, head)
        if fork not in inside:
            return None
        branches: list[list[int]] = []
        seen: set[int] = set()
        for operand, _ in merge.inputs:
            branch = self._branch(merge, operand, fork) if operand != fork else set()
            if branch is None or branch & seen:
                return None
            seen |= branch
            branches.append(sorted(branch))
        return fork, branches

    def _branch(self, merge: Node, operand: int, fork: int) -> set[int] | None:
        """The layers between the fork and an operand of the merge; None where other layers read any of them."""
        if any(reader != merge.index for reader in self._readers[operand]):
            return None
        branch: set[int] = set()
        waiting = [operand]
        while waiting:
            index = waiting.pop()
            if index in self._leaving:
                return None
            branch.add(index)
            waiting += [read for read, _ in self._nodes[index].inputs if read != fork and read not in branch]
        within = {merge.index, *branch}
        return None if any(reader not in within for index in branch for reader in self._readers[index]) else branch

    def _ordered(self, members: Sequence[int], nested: dict[int, tuple[int, Any]], entry: int) -> Iterable[int]:
        """``members``, each after what it reads, and where that is possible right after it; the output last."""
        reads = {
            index: {nested[index][0]} if index in nested else {read for read, _ in self._nodes[index].inputs}
            for index in members
        }
        waiting = {index: len(own & reads.keys()) for index, own in reads.items()}
        readers: dict[int, list[int]] = {}
        for index, own in reads.items():
            for read in own:
                readers.setdefault(read, []).append(index)
        ready = [index for index, missing in waiting.items() if not missing]
        previous = entry
        done: set[int] = set()
        while len(done) < len(members):
            free = [index for index in readers.get(previous, []) if not waiting[index] and index not in done]
            free = [index for index in free if index != self._last]
            index = min(free) if free else heapq.heappop(ready)
            if index in done:
                continue
            if index == self._last and len(done) + 1 < len(members):
                heapq.heappush(ready, len(self._nodes) + index)  # after all others
                continue
            index %= len(self._nodes)
            done.add(index)
            yield index
            previous = index
            for reader in readers.get(index, []):
                waiting[reader] -= 1
                if not waiting[reader]:
                    heapq.heappush(ready, reader)

    def _named(self, index: int) -> str:
        """The name of a tensor, so that the step that makes it gets this name."""
        if index not in self._names:
            word = _word(self._nodes[index].path) or self._nodes[index].kind
            name, number = word, 1
            while name in self._taken or name in REGISTRY or not is_identifier(name):
                number += 1
                name = f"{word}_{number}" if is_identifier(word) else f"t_{number}"
            self._taken.add(name)
            self._names[index] = name
        return self._names[index]

    def _made(self, planned: _Planned) -> Step:
        node = self._nodes[planned.node]
        key, fields = self._layers.written[planned.node]
        branches: tuple[Branch, ...] = ()
        if planned.parts:
            labels = self._labels(node, planned.parts)
            branches = tuple(
                Branch(label, tuple(map(self._made, part.steps)), part.source, part.repeat)
                for label, part in zip(labels, planned.parts, strict=True)
            )
        owner = node.shared or (node.path if node.path in self._owners else "")
        shares = f"w{self._indices[owner]}" if owner else ""
        return Step(key, fields, branches, (), planned.source, self._names.get(planned.node, ""), shares=shares)

    def _labels(self, merge: Node, parts: list[_Part]) -> list[str]:
        """Names for the branches of a merge: those of the modules that they are, where these are known."""
        around = merge.path.split("/")[:-1]
        known = [self._module([self._nodes[step.node].path for step in part.steps], around) for part in parts]
        known = ["" if word in REGISTRY[merge.layer.key].fields or word in RESERVED else word for word in known]
        if len(parts) == _PAIR:
            whole = [not part.steps for part in parts]
            if any(whole) and merge.layer.key == "multiply":
                others = ["map" if bare else "gate" for bare in whole]
            elif all(whole) or merge.layer.key != "add":
                others = ["first", "second"]
            else:
                long = max(range(_PAIR), key=lambda place: len(parts[place].steps))
                others = ["main" if place == long else "shortcut" for place in range(_PAIR)]
        else:
            others = [f"branch{place}" for place in range(1, len(parts) + 1)]
        return _distinct([word or other for word, other in zip(known, others, strict=True)])

    @staticmethod
    def _module(paths: list[str], around: list[str]) -> str:
        """The word by which the module of a branch is known inside the module of its merge; empty for none."""
        if not paths:
            return ""
        above = [path.split("/")[:-1] for path in paths]
        size = len(around)
        words = {parts[size] if len(parts) > size and parts[:size] == around else "" for parts in above}
        word = words.pop() if len(words) == 1 else ""
        return word if is_identifier(word) and len(word) <= _LONGEST else ""


_PAIR = 2


def _names_of_inputs(graph: Graph) -> dict[int, str]:
    """A name for each input, by its index; that of the only one is ``input``."""
    if len(graph.inputs) == 1:
        return {ROOT: "input"}
    barred = {*RESERVED, *REGISTRY, "true", "false", "none"} - {"first"}
    names = [
        name if is_identifier(name) and len(name) <= _LONGEST and name not in barred else f"input{place}"
        for place, name in enumerate(graph.inputs, 1)
    ]
    return dict(zip(graph.inputs.values(), _distinct(names), strict=True))


def _common(before: Sequence[int], a: int, b: int) -> int:
    """The last node that every way to both passes."""
    while a != b:
        if a > b:
            a = before[a]
        else:
            b = before[b]
    return a


def _word(text: str) -> str:
    """The end of a path or a name, as the name of a tensor; empty where nothing is left of it."""
    word = re.sub(r"[^A-Za-z0-9]+", "_", text[-_LONGEST:]).strip("_")
    return word if is_identifier(word) else f"t_{word}" if word else ""


def _distinct(words: list[str]) -> list[str]:
    """The words, each but once: further ones get a number."""
    taken: set[str] = set()
    for place, word in enumerate(words):
        number, name = 1, word
        while name in taken:
            number += 1
            name = f"{word}_{number}"
        taken.add(name)
        words[place] = name
    return words
