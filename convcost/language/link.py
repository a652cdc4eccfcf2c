"""Resolves the layer or block that every step names, and makes all checks that need no run of the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from convcost.errors import ConvcostError, Position, SpecError, closest, not_among, unknown
from convcost.language.model import BODIES, OTHER_NAMES, Parameter, Spec, Step, own_name, walk
from convcost.language.names import NameCheck
from convcost.language.operations import describe
from convcost.language.parse import parse_parameter
from convcost.language.parts import BROKEN, Arguments, Value
from convcost.language.reader import Mapping
from convcost.language.values import is_identifier
from convcost.layers import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from convcost.language.reader import Node, Scalar
    from convcost.language.values import Problems
    from convcost.layers.fields import Field


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
    if step.body in BODIES or (step.body in REGISTRY and REGISTRY[step.body].merges):
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
