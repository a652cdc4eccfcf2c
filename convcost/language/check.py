"""Checks that need no run of a spec: which layer or block a step names, its arguments, and the names in expressions.

The parameters that can be symbols follow from the same tree: those that change sizes but not the structure of the
network. A parameter with choices, a switch or a word selects a structure. So does the repeat count of a chain, the list
of a loop, or the index of a table entry, in the spec itself or in a block that receives the parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from convcost.errors import ConvcostError, Position, SpecError, closest, did_you_mean, not_among, unknown
from convcost.language.model import (
    BODIES,
    BROKEN,
    OTHER_NAMES,
    Arguments,
    Branch,
    Imported,
    Loop,
    Parameter,
    Spec,
    Step,
    Template,
    Value,
    own_name,
    walk,
)
from convcost.language.operations import BUILTINS, describe
from convcost.language.syntax import is_identifier, parse_parameter
from convcost.language.yaml import Mapping
from convcost.layers import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from convcost.errors import Problems
    from convcost.language.expression import Expression
    from convcost.language.yaml import Node, Scalar
    from convcost.layers.fields import Field


_FIXED_FIELDS = ("flag", "word")


def free_names(spec: Spec) -> list[str]:
    """The parameters, and sizes read off the input, that can be symbols, in the order they are written."""
    fixed = fixed_names(spec)
    return [name for name in spec.names if name not in fixed]


def fixed_names(spec: Spec) -> set[str]:
    """The parameters that cannot be symbols."""
    return spec.structural() if isinstance(spec, Imported) else _Search().fixed(spec)


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
        for value in _sized_values(spec):
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


def _sized_values(spec: Spec) -> Iterator[Value]:
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
            if name in spec.parameters or name in spec.lets or (spec.input_names and name in spec.input_names):
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
            yield from (*spec.names, *spec.lets)
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


class Finder(Protocol):
    """Where a linker finds the specs of other files."""

    def find(self, name: str, beside: Spec) -> Spec | None:
        """The linked spec called ``name``, searched from the folder of ``beside``; None if there is no such spec."""

    def names(self, beside: Spec) -> Iterable[str]:
        """Every name :meth:`find` would know."""


def link(spec: Spec, finder: Finder, errors: Problems, warnings: Problems) -> None:
    """Link ``spec`` and its local blocks in place; faults go to ``errors``, what is unused to ``warnings``."""
    if spec.extends is not None:
        _extend(spec, finder, errors)
        NameCheck(errors, warnings).parameters(spec)
        spec.finish()
        return
    called: set[int] = set()
    for block in _nested(spec):
        _words_of_defaults(block.parameters.values(), errors)
        if block.name in REGISTRY and block is not spec:
            errors.add(block.position, f"a block cannot be called `{block.name}`: that is a layer")
        for step in walk(block.layers):
            _link_step(step, block, finder, errors)
            if step.block is not None:
                called.add(id(step.block))
            step.finish()
        block.finish()
    _recursion(spec, errors)
    for block in _nested(spec):
        if block is not spec and id(block) not in called:
            warnings.add(block.position, f"block `{block.name}` is never used")
    NameCheck(errors, warnings).check(spec)


def _nested(spec: Spec) -> list[Spec]:
    return [spec, *(inner for block in spec.blocks.values() for inner in _nested(block))]


def _extend(spec: Spec, finder: Finder, errors: Problems) -> None:
    name, position = spec.extends or ("", spec.position)
    try:
        base = finder.find(name, spec)
    except SpecError as error:
        errors.include(error, position)
        return
    except ConvcostError as error:
        errors.add(position, f"cannot extend `{name[:60]}`: {error}")
        return
    if base is None:
        errors.add(position, unknown("spec", name, finder.names(spec), listed_by="`convcost list`"))
        return
    spec.body = base.body
    for slot in ("input_sizes", "input_names", "layout", "lets", "blocks", "layers"):
        setattr(spec, slot, getattr(base, slot))
    spec.family = spec.family or base.family
    spec.source = spec.source or base.source
    spec.year = spec.year if spec.year is not None else base.year
    spec.parameters = dict(base.parameters)
    for key, node in spec.overrides:
        own = own_name(key.text, base.parameters)
        if own in base.parameters:
            spec.parameters[own] = _override(base.parameters[own], key, node, base, errors)
        else:
            errors.add(key.position, _no_argument("parameter", key.text, base.parameters, name))
    _words_of_defaults(spec.parameters.values(), errors)


def _override(parameter: Parameter, key: Scalar, node: Node, base: Spec, errors: Problems) -> Parameter:
    by = parse_parameter(key, node, errors, words=parameter.choices)
    for fixed in ("choices", "min", "max"):
        if isinstance(node, Mapping) and fixed in node:
            errors.add(key.position, f"`{key.text}` takes another default here; its `{fixed}` is the extended spec's")
    result = Parameter(parameter.name, by.position)
    written = by.default.expression.text if by.default is not None and by.default.expression is not None else ""
    if parameter.choices and is_identifier(written) and written not in (*base.parameters, *base.lets):
        errors.add(key.position, not_among(key.text, written, parameter.choices))
        by.default = None
    result.default = by.default or parameter.default
    result.example = by.example or parameter.example
    result.type = parameter.type
    result.choices = parameter.choices
    result.minimum, result.maximum = parameter.minimum, parameter.maximum
    result.doc = by.doc or parameter.doc
    return result


def _as_word(value: Value, words: tuple[object, ...]) -> Value:
    expression = value.expression
    if value.is_fixed and value.constant is None and "none" in words:
        return Value(value.position, constant="none")
    if expression is not None and expression.text in words:
        return Value(value.position, constant=expression.text)
    return value


def _words_of_defaults(parameters: Iterable[Parameter], errors: Problems) -> None:
    for parameter in parameters:
        if parameter.default is not None:
            parameter.default = _as_word(parameter.default, parameter.words)
            if parameter.default.is_fixed:
                _check_choice(parameter, parameter.default, errors)


def _link_step(step: Step, owner: Spec, finder: Finder, errors: Problems) -> None:
    if step.body in BODIES:
        return
    if step.body in REGISTRY and REGISTRY[step.body].merges:
        _check_layer_arguments(step, errors)
        return
    step.block = _find_block(step.body, owner, finder, step.position, errors)
    if step.block is not None:
        if step.faults is not None:
            errors.found += step.faults.found
        _check_block_arguments(step, step.block, errors)
    elif step.body in REGISTRY:
        _check_layer_arguments(step, errors)
    else:
        errors.add(step.position, _no_body(step.body, [*finder.names(owner), *_local_names(owner)]))
        step.arguments, step.first = Arguments({}, {}), None  # nothing that is inside can be judged


def _no_body(name: str, blocks: list[str]) -> str:
    from convcost.layers.words import layer_hint  # noqa: PLC0415 - only an error pays for it

    names = [*REGISTRY, *BODIES, *blocks]
    return unknown("layer or block", name, names, hint=layer_hint(name, blocks), listed_by="`convcost layers`")


def _no_argument(what: str, name: str, known: Collection[str], of: str) -> str:
    from convcost.layers.words import field_hint  # noqa: PLC0415 - only an error pays for it

    return unknown(what, name, known, of=of, hint=field_hint(name, _accepted(known)))


def _accepted(known: Collection[str]) -> list[str]:
    """The names in ``known``, and the other standard names of the same parameters."""
    return [*known, *(OTHER_NAMES[own] for own in known if own in OTHER_NAMES)]


def _meant(name: str, known: Collection[str]) -> str | None:
    """Which of the ``known`` names an unknown one is probably meant for."""
    from convcost.layers.words import field_meant  # noqa: PLC0415 - only an error pays for it

    return own_name(field_meant(name, _accepted(known)), known) or closest(name, known)


def _find_block(name: str, owner: Spec, finder: Finder, position: Position, errors: Problems) -> Spec | None:
    scope: Spec | None = owner
    while scope is not None:
        if name in scope.blocks:
            return scope.blocks[name]
        scope = scope.parent
    if name in REGISTRY:
        return None
    try:
        return finder.find(name, owner)
    except SpecError as error:
        errors.include(error, position)
    except ConvcostError as error:
        errors.add(position, f"cannot use `{name[:60]}`: {error}")
    return Spec(name, position)


def _local_names(owner: Spec) -> list[str]:
    return [*owner.blocks, *(_local_names(owner.parent) if owner.parent else [])]


def _check_layer_arguments(step: Step, errors: Problems) -> None:
    layer = REGISTRY[step.body]
    given = _check_keys(step, list(layer.fields), "field", errors)
    for name, field in layer.fields.items():
        if field.required and name not in given and not step.arguments.broken:
            errors.add(step.position, f"{step.body} needs `{name}`: {field.doc}")
        for arguments in filter(None, (step.arguments, step.first)):
            value = arguments.values.get(name)
            if value is not None and value.is_fixed and value.constant is not BROKEN:
                _check_fixed(field, value, errors)


def _check_fixed(field: Field, value: Value, errors: Problems) -> None:
    try:
        field.check(value.constant)
    except ConvcostError as error:
        errors.add(value.position, str(error))


def _check_block_arguments(step: Step, block: Spec, errors: Problems) -> None:
    if not block.layers and not block.parameters:
        return  # its errors are already reported
    for name in list(step.arguments.keys):
        if block.input_names and name in block.input_names:
            errors.add(
                step.arguments.keys[name],
                f"`{name}` of {step.body} is read off its input and cannot be passed",
            )
            del step.arguments.keys[name], step.arguments.values[name]
    for arguments in filter(None, (step.arguments, step.first)):
        _own_names(arguments, block, errors)
    given = _check_keys(step, list(block.parameters), "parameter", errors)
    for arguments in filter(None, (step.arguments, step.first)):
        for name, value in arguments.values.items():
            if name in block.parameters:
                arguments.values[name] = _checked_word(block.parameters[name], value, errors)
    for name, parameter in block.parameters.items():
        if parameter.default is None and name not in given and not step.arguments.broken:
            doc = f": {parameter.doc}" if parameter.doc else ""
            errors.add(step.position, f"{step.body} needs `{name}`{doc}")


def _own_names(arguments: Arguments, block: Spec, errors: Problems) -> None:
    """Give arguments that were given by a standard name the names that ``block`` has for them."""
    for name in [name for name in arguments.keys if own_name(name, block.parameters) != name]:
        own, place, value = own_name(name, block.parameters), arguments.keys.pop(name), arguments.values.pop(name)
        if own in arguments.keys:
            errors.add(place, f"`{name}` and `{own}` are one parameter of {block.name}; give one of them")
        else:
            arguments.keys[own], arguments.values[own] = place, value


def _checked_word(parameter: Parameter, value: Value, errors: Problems) -> Value:
    value = _as_word(value, parameter.words)
    if value.is_fixed:
        _check_choice(parameter, value, errors)
    else:
        value.words = parameter.words
    return value


def _check_choice(parameter: Parameter, value: Value, errors: Problems) -> None:
    if parameter.choices and value.constant is not BROKEN and value.constant not in parameter.choices:
        constant = value.constant
        errors.add(value.position, not_among(parameter.name, constant, parameter.choices, describe(constant)))


def _check_keys(step: Step, known: list[str], what: str, errors: Problems) -> set[str | None]:
    """Refuse arguments that are not ``known``; what is given, with what the refused ones are probably meant for."""
    given: set[str | None] = set(step.arguments.values)
    for arguments in filter(None, (step.arguments, step.first)):
        for name, position in arguments.keys.items():
            if name not in known:
                errors.add(position, _no_argument(what, name, known, step.body))
                given.add(_meant(name, known))
    return given


def _recursion(spec: Spec, errors: Problems) -> None:
    """A local block may not call itself, whatever the way round."""
    done: set[int] = set()

    def visit(block: Spec, trail: tuple[Spec, ...]) -> None:
        if id(block) in done:
            return
        for step in walk(block.layers):
            inner = step.block
            if inner is None or inner.root is not spec:
                continue
            if inner in trail or inner is block:
                names = " -> ".join(item.name for item in (*trail, block, inner))
                errors.add(step.position, f"`{inner.name}` includes itself: {names}")
                step.block = None
            else:
                visit(inner, (*trail, block))
        done.add(id(block))

    for block in _nested(spec):
        visit(block, ())
