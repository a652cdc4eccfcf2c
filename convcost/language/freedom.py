"""The parameters of a spec that can be symbols: those that change sizes but not the structure of the network.

A parameter with choices, a switch or a word selects a structure. So does the repeat count of a chain, the list of a
loop, or the index of a table entry, in the spec itself or in a block that receives the parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.language.model import Spec, walk
from convcost.layers.base import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from convcost.language.model import Step
    from convcost.language.parts import Value

_FIXED_FIELDS = ("flag", "word")


def free_names(spec: Spec) -> list[str]:
    """The parameters, and sizes read off the input, that can be symbols, in the order they are written."""
    fixed = fixed_names(spec)
    names = [*(spec.input_names or ()), *spec.parameters]
    return [name for name in names if name not in fixed]


def fixed_names(spec: Spec) -> set[str]:
    """The parameters that cannot be symbols."""
    return _Search().fixed(spec)


class _Search:
    def __init__(self) -> None:
        self._known: dict[int, set[str]] = {}

    def fixed(self, spec: Spec) -> set[str]:
        key = id(spec)
        if key not in self._known:
            self._known[key] = set()  # recursion guard: a local block can be reached again during its own search
            self._known[key] = self._search(spec)
        return self._known[key]

    def _search(self, spec: Spec) -> set[str]:
        found = {p.name for p in spec.parameters.values() if p.choices or p.type in ("switch", "word")}
        found |= {
            p.name
            for p in spec.parameters.values()
            if p.default is not None
            and p.default.is_fixed
            and not isinstance(p.default.constant, int)
            and not hasattr(p.default.constant, "numerator")
        }
        names = set(self._names(spec))
        return found | (_through_lets(spec, names) & set(spec.parameters))

    def _names(self, spec: Spec) -> Iterator[str]:
        """Names that must be numbers, used in ``spec`` or in its local blocks."""
        for value in _values(spec):
            for expression, _ in value.expressions():
                yield from expression.counting
        for step in walk(spec.layers):
            yield from self._step(step)
        for block in spec.blocks.values():
            inner = set(self._names(block)) | self.fixed(block)
            yield from _through_lets(block, inner) - set(block.parameters)

    def _step(self, step: Step) -> Iterator[str]:
        counted: list[Value | None] = [step.repeat]
        for loop in (step.loop, *(branch.loop for branch in step.branches)):
            if loop is not None:
                counted += [loop.rows, *loop.columns]
        for value in counted:
            yield from _read(value)
        for template in (step.name, step.from_, *(branch.from_ for branch in step.branches)):
            for part in template.parts if template is not None else ():
                if not isinstance(part, str):
                    yield from _read(part)
        for arguments in filter(None, (step.arguments, step.first)):
            for name, value in arguments.values.items():
                if self._must_be_number(step, name):
                    yield from _read(value)

    def _must_be_number(self, step: Step, argument: str) -> bool:
        if step.block is not None:
            return argument in self.fixed(step.block)
        layer = REGISTRY.get(step.body)
        field = layer.fields.get(argument) if layer is not None else None
        return field is not None and field.type in _FIXED_FIELDS


def _read(value: Value | None) -> Iterator[str]:
    if value is not None:
        for expression, _ in value.expressions():
            yield from expression.names
            yield from (name for name, _ in expression.calls)


def _values(spec: Spec) -> Iterator[Value]:
    yield from (let.value for let in spec.lets.values())
    yield from (p.default for p in spec.parameters.values() if p.default is not None)
    yield from spec.input_sizes or ()
    for step in walk(spec.layers):
        for arguments in filter(None, (step.arguments, step.first)):
            yield from arguments.values.values()
        yield from filter(None, (step.when, step.repeat))
        for loop in (step.loop, *(branch.loop for branch in step.branches)):
            if loop is not None:
                yield from filter(None, (loop.rows, *loop.columns))
        for branch in step.branches:
            yield from filter(None, (branch.when, branch.repeat))


def _through_lets(spec: Spec, names: Iterable[str]) -> set[str]:
    """``names``, and what the ``let`` values and defaults among them are made of."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found.add(name)
        if name in spec.lets:
            todo += _read(spec.lets[name].value)
        elif name in spec.parameters:
            todo += _read(spec.parameters[name].default)
    return found
