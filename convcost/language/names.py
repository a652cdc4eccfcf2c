"""Static check of the names in expressions: unknown, misused, shadowed or unused names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import Position, did_you_mean, unknown
from convcost.language.model import Branch, Spec, Step, walk
from convcost.language.operations import BUILTINS
from convcost.language.parts import Loop, Template, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from convcost.language.expression import Expression
    from convcost.language.values import Problems

TENSORS = ("x", "input")


class NameCheck:
    """Walks a spec and its local blocks; see the module."""

    def __init__(self, errors: Problems, warnings: Problems) -> None:
        self._errors = errors
        self._warnings = warnings
        self._used: set[tuple[int, str]] = set()

    def check(self, spec: Spec) -> None:
        """Check ``spec``, then say what of it is never used."""
        self._spec(spec)
        self._unused(spec)

    def _spec(self, spec: Spec) -> None:
        self._definitions(spec)
        own: frozenset[str] = frozenset()
        self.parameters(spec)
        for let in spec.lets.values():
            self._once(let.value, spec, frozenset(let.arguments or ()))
        for size in (*(spec.input_sizes or ()), *(spec.input_names or {}).values()):
            self._once(size, spec, own)
            for expression, position in size.expressions():
                if "input" in expression.names:
                    self._errors.add(position, "`input` cannot be used in the size of the input")
        taps = frozenset(_taps(spec.layers))
        self._steps(spec.layers, spec, own, taps)
        self._sizes_only_in_input(spec)
        for block in spec.blocks.values():
            self._spec(block)

    def _once(self, value: Value, spec: Spec, own: frozenset[str]) -> None:
        """A value that is computed once, while the tensor called `x` changes from step to step."""
        self._value(value, spec, own, frozenset())
        for expression, position in value.expressions():
            if "x" in expression.names and "x" not in own:
                self._errors.add(position, "`x` changes from step to step; here, use `input`")

    def parameters(self, spec: Spec) -> None:
        """Check what the parameters of ``spec`` are computed from."""
        for parameter in spec.parameters.values():
            for value in (parameter.default, parameter.example, parameter.minimum, parameter.maximum):
                if value is not None:
                    self._once(value, spec, frozenset())

    def _definitions(self, spec: Spec) -> None:
        for name in spec.input_names or {}:
            if name in spec.parameters or name in spec.lets:
                place = spec.parameters[name].position if name in spec.parameters else spec.lets[name].position
                self._errors.add(place, f"`{name}` is already read off the input")
        for name, let in spec.lets.items():
            if name in spec.parameters:
                self._errors.add(let.position, f"`{name}` is already a parameter")
            elif spec.parent is not None and self._defined(name, spec.parent) is not None:
                self._errors.add(let.position, f"`{name}` hides a name of the spec around this block")
            for argument in let.arguments or ():
                if self._defined(argument, spec) is not None:
                    self._errors.add(let.position, f"argument `{argument}` hides another name")

    def _defined(self, name: str, spec: Spec | None) -> Spec | None:
        """The spec, from here outwards, that defines ``name``."""
        while spec is not None:
            if name in spec.parameters or name in spec.lets or name in (spec.input_names or {}):
                return spec
            spec = spec.parent
        return None

    def _steps(self, steps: Iterable[Step], spec: Spec, own: frozenset[str], taps: frozenset[str]) -> None:
        for step in steps:
            inner = self._loop(step.loop, spec, own, taps)
            self._template(step.from_, spec, own, taps)
            for value in (step.when, step.repeat):
                if value is not None:
                    self._value(value, spec, inner, taps)
            for arguments in filter(None, (step.arguments, step.first)):
                for value in arguments.values.values():
                    self._value(value, spec, inner, taps)
            self._template(step.name, spec, inner, taps)
            if step.name is not None and step.name.fixed:
                self._shadow(step.name.text, step.name.position, spec, inner, "step")
            self._steps(step.steps, spec, inner, taps)
            for branch in step.branches:
                self._branch(branch, spec, inner, taps)

    def _branch(self, branch: Branch, spec: Spec, own: frozenset[str], taps: frozenset[str]) -> None:
        inner = self._loop(branch.loop, spec, own, taps)
        self._template(branch.from_, spec, inner, taps)
        for value in (branch.when, branch.repeat):
            if value is not None:
                self._value(value, spec, inner, taps)
        self._steps(branch.steps, spec, inner, taps)

    def _loop(self, loop: Loop | None, spec: Spec, own: frozenset[str], taps: frozenset[str]) -> frozenset[str]:
        if loop is None:
            return own
        for value in filter(None, (loop.rows, *loop.columns)):
            self._value(value, spec, own, taps)
        for name, position in loop.variables:
            self._shadow(name, position, spec, own, "loop variable")
        return own | {name for name, _ in loop.variables}

    def _shadow(self, name: str, position: Position, spec: Spec, own: frozenset[str], what: str) -> None:
        if name in own or name in TENSORS or self._defined(name, spec) is not None:
            self._errors.add(position, f"{what} `{name}` hides another name")

    def _template(self, template: Template | None, spec: Spec, own: frozenset[str], taps: frozenset[str]) -> None:
        for part in template.parts if template is not None else ():
            if isinstance(part, Value):
                self._value(part, spec, own, taps)

    def _value(self, value: Value, spec: Spec, own: frozenset[str], taps: frozenset[str]) -> None:
        for expression, position in value.expressions():
            for name in expression.names:
                self._name(name, position, spec, own, taps, value.words)
            self._calls(expression, position, spec)
            for name, word in expression.comparisons:
                self._comparison(name, word, position, spec)

    def _name(
        self, name: str, position: Position, spec: Spec, own: frozenset[str], taps: frozenset[str], words: Iterable[str]
    ) -> None:
        if name in own or name in taps or name in TENSORS:
            return
        owner = self._defined(name, spec)
        if owner is None and name in words:
            self._errors.add(position, f"`{name}` is a word; inside an expression it needs quotes, as '{name}'")
            return
        if owner is None:
            known = [*own, *taps, *TENSORS, *self._visible(spec), *map(str, words)]
            self._errors.add(position, unknown("value", name, known))
            return
        self._used.add((id(owner), name))
        let = owner.lets.get(name)
        if let is not None and let.arguments is not None:
            self._errors.add(position, f"`{name}` is a function: {name}({', '.join(let.arguments)})")

    def _calls(self, expression: Expression, position: Position, spec: Spec) -> None:
        for name, count in expression.calls:
            owner = self._defined(name, spec)
            let = owner.lets.get(name) if owner is not None else None
            if owner is None or let is None or let.arguments is None:
                known = [*BUILTINS, *(word for word, one in self._all_lets(spec) if one)]
                self._errors.add(position, unknown("function", name, known))
                continue
            self._used.add((id(owner), name))
            if count != len(let.arguments):
                takes = f"{name}({', '.join(let.arguments)})"
                plural = "" if len(let.arguments) == 1 else "s"
                self._errors.add(position, f"{takes} takes {len(let.arguments)} argument{plural}, found {count}")

    def _comparison(self, name: str, word: str, position: Position, spec: Spec) -> None:
        owner = self._defined(name, spec)
        parameter = owner.parameters.get(name) if owner is not None else None
        if parameter is None or not parameter.choices or word in parameter.choices:
            return
        choices = [str(choice) for choice in parameter.choices]
        hint = did_you_mean(word, choices)
        self._errors.add(position, f"`{name}` is never '{word}': it is one of {', '.join(choices)}{hint}")

    def _visible(self, spec: Spec | None) -> Iterator[str]:
        while spec is not None:
            yield from (*spec.parameters, *spec.lets, *(spec.input_names or {}))
            spec = spec.parent

    def _all_lets(self, spec: Spec | None) -> Iterator[tuple[str, bool]]:
        while spec is not None:
            yield from ((name, let.arguments is not None) for name, let in spec.lets.items())
            spec = spec.parent

    def _sizes_only_in_input(self, spec: Spec) -> None:
        """A size stated by the input may not be used inside: another input may be put in its place."""
        sizes = spec.size_parameters()
        for value in _values(spec):
            for expression, position in value.expressions():
                for name in expression.names:
                    if name in sizes:
                        self._errors.add(
                            position,
                            f"`{name}` states the input's size; inside, use input.h, input.w or input.c",
                        )

    def _unused(self, spec: Spec) -> None:
        for name, parameter in spec.parameters.items():
            if (id(spec), name) not in self._used:
                self._warnings.add(parameter.position, f"parameter `{name}` is never used")
        for name, let in spec.lets.items():
            if (id(spec), name) not in self._used:
                self._warnings.add(let.position, f"`{name}` under let is never used")
        for block in spec.blocks.values():
            self._unused(block)


def _taps(steps: Iterable[Step]) -> Iterator[str]:
    for step in walk(tuple(steps)):
        if step.name is not None and step.name.fixed:
            yield step.name.text


def _values(spec: Spec) -> Iterator[Value]:
    """Every value of the body of ``spec``: lets, steps and local blocks."""
    yield from (let.value for let in spec.lets.values())
    for step in walk(spec.layers):
        for arguments in filter(None, (step.arguments, step.first)):
            yield from arguments.values.values()
        yield from filter(None, (step.when, step.repeat))
        for loop in (step.loop, *(branch.loop for branch in step.branches)):
            if loop is not None:
                yield from filter(None, (loop.rows, *loop.columns))
        for branch in step.branches:
            yield from filter(None, (branch.when, branch.repeat))
    for block in spec.blocks.values():
        yield from (parameter.default for parameter in block.parameters.values() if parameter.default)
        yield from _values(block)
