"""Checks that need no run of a spec: which layer or block a step names, its arguments, and the names in expressions.

The parameters that can be symbols follow from the same walk over the steps: those that change sizes but not the
structure of the network. A parameter with choices, a switch or a word selects a structure. So does the repeat count of
a chain, the list of a loop, or the index of a table entry, in the spec itself or in a block that receives the
parameter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from convcost.errors import ConvcostError, Position, SpecError, closest, did_you_mean, not_among, unknown
from convcost.language.expression import compile_expression
from convcost.language.model import (
    BODIES,
    BROKEN,
    NO_ARGUMENTS,
    OTHER_NAMES,
    Arguments,
    Branch,
    Choose,
    Imported,
    Loop,
    Parameter,
    Spec,
    Step,
    Template,
    Value,
    own_name,
)
from convcost.language.operations import BUILTINS, describe
from convcost.language.syntax import is_identifier, parse_parameter
from convcost.language.tree import Mapping
from convcost.layers import REGISTRY
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from convcost.errors import Problems
    from convcost.language.expression import Expression
    from convcost.language.tree import Node, Scalar
    from convcost.layers.base import Layer
    from convcost.layers.fields import Field

TENSORS = ("x", "input")
_FIXED_FIELDS = ("flag", "word")  # types of layer fields whose value selects a structure
_NOTHING: frozenset[str] = frozenset()


class Finder(Protocol):
    """Where the check finds the specs of other files."""

    def find(self, name: str, beside: Spec) -> Spec | None:
        """The checked spec called ``name``, searched from the folder of ``beside``; None if there is no such spec."""

    def names(self, beside: Spec) -> Iterable[str]:
        """Every name :meth:`find` would know."""


class Place(NamedTuple):
    """A step or a branch, with the variables of loops and choices around it and, with its own, inside it."""

    item: Step | Branch
    step: Step
    around: frozenset[str]
    inside: frozenset[str]


class Use(NamedTuple):
    """A value that is computed in the body of a spec.

    Attributes:
        value: an expression, or a list with some.
        variables: the loop variables it can use.
        step: where it is used.
        structural: whether the structure depends on it: how often steps repeat, or which tensor a name means.
        argument: of which argument it is the value; empty for a control.
        counts: whether it is how often a step repeats.
    """

    value: Value
    variables: frozenset[str]
    step: Step
    structural: bool = False
    argument: str = ""
    counts: bool = False


def places(steps: Iterable[Step], variables: frozenset[str] = _NOTHING) -> Iterator[Place]:
    """Every step and branch in ``steps``, those in groups and branches included."""
    for step in steps:
        inside = variables if step.plain else _with_names(step.loop, _with_names(step.choose, variables))
        yield Place(step, step, variables, inside)
        if step.steps:
            yield from places(step.steps, inside)
        for branch in step.branches:
            within = _with_names(branch.loop, inside)
            yield Place(branch, step, inside, within)
            yield from places(branch.steps, within)


def _with_names(binding: Loop | Choose | None, variables: frozenset[str]) -> frozenset[str]:
    return variables if binding is None else variables | {name for name, _ in binding.variables}


def uses(place: Place) -> Iterator[Use]:
    """Every value of a step or branch, without those of the steps in it."""
    item, step = place.item, place.step
    if isinstance(item, Branch):
        yield from _of_controls(place)
        for value in _parts(item.title):
            yield Use(value, place.inside, step, structural=True)
        return
    for arguments in filter(None, (item.arguments, item.first)):
        for name, _ in arguments.evaluators:
            yield Use(arguments.values[name], place.inside, step, argument=name)
    if not item.plain:
        yield from _of_controls(place)
        for value in (*_parts(item.name), *_parts(item.shares)):
            yield Use(value, place.inside, step, structural=True)


def _of_controls(place: Place) -> Iterator[Use]:
    item, step, around, inside = place
    if item.loop is not None:
        for value in filter(None, (item.loop.rows, *item.loop.columns)):
            yield Use(value, around, step, structural=value.items is None)  # else its length is written
    if isinstance(item, Step) and item.choose is not None:
        for value in item.choose.columns:
            yield Use(value, _with_names(item.loop, around), step, structural=True)
    for value in _parts(item.from_):
        yield Use(value, inside, step, structural=True)
    if item.when is not None:
        yield Use(item.when, inside, step)
    if item.repeat is not None:  # the copies of a branch are parallel: their number can be a symbol
        yield Use(item.repeat, inside, step, structural=item is step, counts=True)


def _parts(template: Template | None) -> Iterator[Value]:
    if template is not None and not template.fixed:
        yield from (part for part in template.parts if isinstance(part, Value))


def free_names(spec: Spec) -> list[str]:
    """The parameters, and sizes read off the input, that can be symbols, in the order they are written."""
    fixed = fixed_names(spec)
    return [name for name in spec.names if name not in fixed]


def fixed_names(spec: Spec) -> set[str]:
    """The parameters that cannot be symbols, or only as the number of copies of a repeat (:func:`count_names`)."""
    return spec.structural() if isinstance(spec, Imported) else _Structure().fixed(spec)


def count_names(spec: Spec) -> set[str]:
    """The parameters that select a structure only as the number of copies of repeats."""
    return set() if isinstance(spec, Imported) else fixed_names(spec) - _Structure(counts=False).fixed(spec)


def open_names(spec: Spec) -> list[str]:
    """The names of :func:`free_names`, and the parameters that can be symbols as numbers of copies."""
    fixed = fixed_names(spec) - count_names(spec)
    return [name for name in spec.names if name not in fixed]


class _Structure:
    """Which parameters of specs select a structure; each spec is searched once.

    Args:
        counts: whether the number of copies of a chain does.
    """

    def __init__(self, *, counts: bool = True) -> None:
        self._fixed: dict[int, set[str]] = {}
        self._counts = counts

    def fixed(self, spec: Spec) -> set[str]:
        key = id(spec)
        if key not in self._fixed:
            self._fixed[key] = set()  # recursion guard: a local block can be reached again during its own search
            self._fixed[key] = self._search(spec)
        return self._fixed[key]

    def _search(self, spec: Spec) -> set[str]:
        by_type = {name for name, parameter in spec.parameters.items() if _selects(parameter)}
        return by_type | (_through_lets(spec, _through_loops(spec, self._names(spec))) & set(spec.parameters))

    def _names(self, spec: Spec) -> Iterator[str]:
        """Names that must be numbers, used in ``spec`` or in its local blocks."""
        defaults = (parameter.default for parameter in spec.parameters.values() if parameter.default is not None)
        for value in (*(let.value for let in spec.lets.values()), *defaults, *spec.sizes()):
            yield from _counting(value)
        for template in spec.outputs.values():
            for value in _parts(template):
                yield from _read(value)
        for place in places(spec.layers):
            for use in uses(place):
                selects = use.structural or (use.argument and self._selects(use.step, use.argument))
                if use.counts and not self._counts:
                    selects = False
                yield from _read(use.value) if selects else _counting(use.value)
        for block in spec.blocks.values():
            inner = _through_loops(block, self._names(block)) | self.fixed(block)
            yield from _through_lets(block, inner) - set(block.parameters)

    def _selects(self, step: Step, argument: str) -> bool:
        """Whether an argument of ``step`` selects a structure in the layer or block."""
        if step.block is not None:
            return argument in self.fixed(step.block)
        layer = REGISTRY.get(step.body)
        field = layer.fields.get(argument) if layer is not None else None
        return field is not None and field.type in _FIXED_FIELDS


def _selects(parameter: Parameter) -> bool:
    """Whether a parameter can have no number as its value, or only listed ones."""
    default = parameter.default
    number = default is None or not default.is_fixed or hasattr(default.constant, "numerator")
    return bool(parameter.choices) or parameter.type in ("switch", "word") or not number


def _counting(value: Value) -> Iterator[str]:
    for expression, _ in value.expressions():
        yield from expression.counting


def _read(value: Value | None) -> Iterator[str]:
    if value is not None:
        for expression, _ in value.expressions():
            yield from expression.names
            yield from (name for name, _ in expression.calls)


def _through_loops(spec: Spec, names: Iterable[str]) -> set[str]:
    """``names``, and those in the cells of tables that loop variables among them take."""
    reached = set(names)
    for place in places(spec.layers):
        loop = place.item.loop
        for name, cells in _cells(loop) if loop is not None else ():
            if name in reached:
                reached.update(other for cell in cells for other in _read(cell))
    return reached


def _cells(loop: Loop) -> Iterator[tuple[str, list[Value]]]:
    """The variables of a loop over a table that is written, each with the cells it takes which are not data."""
    names = [name for name, _ in loop.variables]
    rows = () if loop.rows is None else loop.rows.items or ()
    if loop.whole:
        yield names[0], list(rows)
        return
    for place, name in enumerate(names):
        column = loop.columns[place].items or () if loop.columns else ()
        yield name, [*column, *(row.items[place] for row in rows if row.items is not None)]


def _through_lets(spec: Spec, names: Iterable[str]) -> set[str]:
    """``names``, and what the ``let`` values and defaults among them are computed from."""
    reached: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in reached:
            continue
        reached.add(name)
        if name in spec.lets:
            todo += _read(spec.lets[name].value)
        elif name in spec.parameters:
            todo += _read(spec.parameters[name].default)
    return reached


class NameCheck:
    """Check of the names in expressions: unknown, misused, hidden or unused names."""

    def __init__(self, errors: Problems, warnings: Problems) -> None:
        self._errors = errors
        self._warnings = warnings
        self._used: set[tuple[int, str]] = set()

    def check(self, spec: Spec) -> None:
        """Check ``spec`` and its local blocks, then warn of what is never used."""
        self._spec(spec)
        self._unused(spec)

    def _spec(self, spec: Spec) -> None:
        self._definitions(spec)
        self.parameters(spec)
        for let in spec.lets.values():
            self._once(let.value, spec, frozenset(let.arguments or ()))
        for size in (*spec.sizes(), *(spec.input_names or {}).values()):
            self._value(size, spec, _NOTHING, _NOTHING)
            for expression, position in size.expressions():
                for name in ("x", "input"):
                    if name in expression.names:
                        self._errors.add(position, f"`{name}` cannot be used in the size of the input")
        for template in spec.outputs.values():
            for value in _parts(template):
                self._value(value, spec, _NOTHING, _NOTHING)
        self._steps(spec)
        for block in spec.blocks.values():
            self._spec(block)

    def _steps(self, spec: Spec) -> None:
        walked = [place for place in places(spec.layers) if _is_written_with_names(place)]
        names = [place.step.name for place in walked if place.item is place.step]
        taps = frozenset(name.text for name in names if name is not None and name.fixed) | frozenset(spec.inputs)
        sizes = _inherited_sizes(spec)
        for place in walked:
            self._hidden(place, spec)
            before = len(self._errors.all)
            for use in uses(place):
                self._value(use.value, spec, use.variables, taps)
                self._no_sizes(use.value, sizes)
            if len(self._errors.all) > before:
                self._errors.place(before, place.step.position)
        alone = _unshared(spec.layers)
        for name, step in alone:
            template: Any = step.shares
            names_of_steps = [own.text for own in names if own is not None and own is not step.name]
            if name not in names_of_steps:
                others = [*names_of_steps, *(other for other, _ in alone if other != name)]
                message = f"no other step shares the weights `{name[:60]}` or has this name"
                self._errors.add(template.position, message + did_you_mean(name, others))
        for let in spec.lets.values():
            self._no_sizes(let.value, sizes)
        if spec.parent is not None:
            for parameter in spec.parameters.values():
                if parameter.default is not None:
                    self._no_sizes(parameter.default, sizes)

    def _once(self, value: Value, spec: Spec, own: frozenset[str] = _NOTHING) -> None:
        """A value that is computed once, while the tensor called `x` changes from step to step."""
        self._value(value, spec, own, frozenset(spec.inputs))
        for expression, position in value.expressions():
            if "x" in expression.names and "x" not in own:
                self._errors.add(position, "`x` changes from step to step; here, use `input`")

    def parameters(self, spec: Spec) -> None:
        """Check what the parameters of ``spec`` are computed from."""
        for parameter in spec.parameters.values():
            for value in (parameter.default, parameter.example, parameter.minimum, parameter.maximum):
                if value is not None:
                    self._once(value, spec)

    def _definitions(self, spec: Spec) -> None:
        for name in spec.inputs:
            if name in spec.parameters or name in spec.lets:
                place = spec.parameters[name].position if name in spec.parameters else spec.lets[name].position
                self._errors.add(place, f"`{name}` is already an input")
        for name in spec.input_names or {}:
            if name in spec.parameters or name in spec.lets:
                place = spec.parameters[name].position if name in spec.parameters else spec.lets[name].position
                self._errors.add(place, f"`{name}` is already read off the input")
        for name, let in spec.lets.items():
            if name in spec.parameters:
                self._errors.add(let.position, f"`{name}` is already a parameter")
            elif spec.parent is not None and _owner(name, spec.parent) is not None:
                self._errors.add(let.position, f"`{name}` hides a name of the spec around this block")
            for argument in let.arguments or ():
                if _owner(argument, spec) is not None:
                    self._errors.add(let.position, f"argument `{argument}` hides another name")

    def _hidden(self, place: Place, spec: Spec) -> None:
        """Refuse variables of loops and choices, and names of steps, that hide another name."""
        item = place.item
        if item.loop is not None:
            for name, position in item.loop.variables:
                self._shadow(name, position, spec, place.around, "loop variable")
        if isinstance(item, Step) and item.choose is not None:
            for name, position in item.choose.variables:
                self._shadow(name, position, spec, _with_names(item.loop, place.around), "choice")
        if isinstance(item, Step) and item.name is not None and item.name.fixed:
            self._shadow(item.name.text, item.name.position, spec, place.inside, "step")

    def _shadow(self, name: str, position: Position, spec: Spec, variables: frozenset[str], what: str) -> None:
        if name in variables or name in TENSORS or name in spec.inputs or _owner(name, spec) is not None:
            self._errors.add(position, f"{what} `{name}` hides another name")

    def _value(self, value: Value, spec: Spec, variables: frozenset[str], taps: frozenset[str]) -> None:
        for expression, position in value.expressions():
            for name in expression.names:
                if name not in variables and name not in taps and name not in TENSORS:
                    self._name(name, position, spec, (*sorted(variables), *sorted(taps)), value.words)
            self._calls(expression, position, spec)
            for name, word in expression.comparisons:
                self._comparison(name, word, position, spec)

    def _name(self, name: str, position: Position, spec: Spec, local: Iterable[str], words: Iterable[str]) -> None:
        owner = _owner(name, spec)
        if owner is None and name in words:
            self._errors.add(position, f"`{name}` is a word; inside an expression it needs quotes, as '{name}'")
            return
        if owner is None:
            self._errors.add(position, unknown("value", name, [*local, *TENSORS, *_visible(spec), *map(str, words)]))
            return
        self._used.add((id(owner), name))
        let = owner.lets.get(name)
        if let is not None and let.arguments is not None:
            self._errors.add(position, f"`{name}` is a function: {name}({', '.join(let.arguments)})")

    def _calls(self, expression: Expression, position: Position, spec: Spec) -> None:
        for name, count in expression.calls:
            owner = _owner(name, spec)
            let = owner.lets.get(name) if owner is not None else None
            if owner is None or let is None or let.arguments is None:
                self._errors.add(position, unknown("function", name, [*BUILTINS, *_functions(spec)]))
                continue
            self._used.add((id(owner), name))
            if count != len(let.arguments):
                takes = f"{name}({', '.join(let.arguments)})"
                plural = "" if len(let.arguments) == 1 else "s"
                self._errors.add(position, f"{takes} takes {len(let.arguments)} argument{plural}, found {count}")

    def _comparison(self, name: str, word: str, position: Position, spec: Spec) -> None:
        owner = _owner(name, spec)
        parameter = owner.parameters.get(name) if owner is not None else None
        if parameter is None or not parameter.choices or word in parameter.choices:
            return
        choices = [str(choice) for choice in parameter.choices]
        hint = did_you_mean(word, choices)
        self._errors.add(position, f"`{name}` is never '{word}': it is one of {', '.join(choices)}{hint}")

    def _no_sizes(self, value: Value, sizes: Collection[str]) -> None:
        """A size that the input states may not be used inside: another input may take its place."""
        for expression, position in value.expressions() if sizes else ():
            for name in expression.names:
                if name in sizes:
                    self._errors.add(
                        position, f"`{name}` states the input's size; inside, use input.h, input.w or input.c"
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


def _is_written_with_names(place: Place) -> bool:
    """Whether a step or branch has names to check; most steps are a layer with numbers."""
    item = place.item
    return item is not place.step or not place.step.plain or bool(place.step.arguments.evaluators)


def _unshared(steps: tuple[Step, ...]) -> list[tuple[str, Step]]:
    """The steps that share weights of a fixed name with no other step, and run once."""
    users: dict[str, list[tuple[Step, bool]]] = {}

    def walk(steps: tuple[Step, ...], *, often: bool) -> None:
        for step in steps:
            again = often or step.loop is not None or step.repeat is not None
            if step.shares is not None and step.shares.fixed:
                users.setdefault(step.shares.text, []).append((step, again))
            if step.steps:
                walk(step.steps, often=again)
            for branch in step.branches:
                walk(branch.steps, often=again or branch.loop is not None)

    walk(steps, often=False)
    return [(name, items[0][0]) for name, items in users.items() if len(items) == 1 and not items[0][1]]


def _enclosing(spec: Spec | None) -> Iterator[Spec]:
    """``spec`` and the specs around it, outwards."""
    while spec is not None:
        yield spec
        spec = spec.parent


def _owner(name: str, spec: Spec) -> Spec | None:
    """The spec, from here outwards, that defines ``name``."""
    for owner in _enclosing(spec):
        if name in owner.parameters or name in owner.lets or (owner.input_names and name in owner.input_names):
            return owner
    return None


def _visible(spec: Spec) -> Iterator[str]:
    for owner in _enclosing(spec):
        yield from (*owner.parameters, *owner.lets, *(owner.input_names or {}))


def _functions(spec: Spec) -> Iterator[str]:
    for owner in _enclosing(spec):
        yield from (name for name, let in owner.lets.items() if let.arguments is not None)


def _inherited_sizes(spec: Spec) -> set[str]:
    """The parameters that state the size of an input, of ``spec`` or of a spec around it."""
    return {name for owner in _enclosing(spec) for name in owner.size_parameters()}


def link(spec: Spec, finder: Finder, errors: Problems, warnings: Problems) -> None:
    """Check ``spec`` and its local blocks and complete them; what is unused goes to ``warnings``."""
    names = NameCheck(errors, warnings)
    if spec.extends is not None:
        _extend(spec, finder, errors)
        names.parameters(spec)
        spec.constants = spec.fixed_values()
        return
    called: set[int] = set()
    blocks = _nested(spec)
    for block in blocks:
        _words_of_defaults(block, errors)
        if block.name in REGISTRY and block is not spec:
            errors.add(block.position, f"a block cannot be called `{block.name}`: that is a layer")
        block.layers = _Resolver(block, finder, errors, called).steps(block.layers)
        block.constants = block.fixed_values()
    _recursion(spec, errors)
    for block in blocks:
        if block is not spec and id(block) not in called:
            warnings.add(block.position, f"block `{block.name}` is never used")
    names.check(spec)


def complete(spec: Spec, finder: Finder, errors: Problems) -> None:
    """Complete the parameters of ``spec`` alone: it has names and defaults, and cannot be built."""
    if spec.extends is not None:
        _extend(spec, finder, errors)
    else:
        _words_of_defaults(spec, errors)


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
    spec.base = base.body
    for slot in ("input_sizes", "input_names", "inputs", "outputs", "layout", "lets", "blocks", "layers"):
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
    _words_of_defaults(spec, errors)


def _override(parameter: Parameter, key: Scalar, node: Node, base: Spec, errors: Problems) -> Parameter:
    by = parse_parameter(key, node, errors, words=parameter.choices)
    for fixed in ("choices", "min", "max"):
        if isinstance(node, Mapping) and fixed in node:
            errors.add(key.position, f"`{key.text}` takes another default here; its `{fixed}` is the extended spec's")
    default = by.default
    written = default.expression.text if default is not None and default.expression is not None else ""
    if parameter.choices and is_identifier(written) and written not in (*base.parameters, *base.lets):
        errors.add(key.position, not_among(key.text, written, parameter.choices))
        default = None
    return parameter.changed(default=default or parameter.default, example=by.example, position=by.position, doc=by.doc)


def _as_word(value: Value, words: tuple[object, ...]) -> Value:
    expression = value.expression
    if value.is_fixed and value.constant is None and "none" in words:
        return Value(value.position, constant="none")
    if expression is not None and expression.text in words:
        return Value(value.position, constant=expression.text)
    return value


def _words_of_defaults(spec: Spec, errors: Problems) -> None:
    for name, parameter in spec.parameters.items():
        if parameter.default is not None:
            default = _as_word(parameter.default, parameter.words)
            if default is not parameter.default:
                spec.parameters[name] = parameter.changed(default=default)
            if default.is_fixed:
                _check_choice(parameter, default, errors)


class _Resolver:
    """Finds the layer or block of every step of one spec, and checks the arguments; makes the completed steps.

    Args:
        owner: the spec.
        finder: where the specs of other files are found.
        errors: where errors go.
        called: where the identities of the called blocks go.
    """

    def __init__(self, owner: Spec, finder: Finder, errors: Problems, called: set[int]) -> None:
        self._owner = owner
        self._finder = finder
        self._errors = errors
        self._called = called
        self._known: dict[tuple[str, int], tuple[Arguments, Step]] = {}

    def steps(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """The completed ``steps``."""
        return tuple([self._step(step) for step in steps])

    def _step(self, step: Step) -> Step:
        """The completed ``step``: of plain steps with the same arguments, as lines of the same text are, once."""
        key = (step.body, id(step.arguments))
        if step.plain and key in self._known:
            _, known = self._known[key]
            return step if known.block is None else known._replace(position=step.position)
        before = len(self._errors.all)
        made = self._completed(step)
        if len(self._errors.all) > before:
            self._errors.place(before, step.position)
        elif step.plain and not step.branches and not step.steps:
            self._known[key] = (step.arguments, made)  # both are kept: another object may not get the identity
        return made

    def _completed(self, step: Step) -> Step:
        if step.steps:
            step = step._replace(steps=self.steps(step.steps))
        if step.branches:
            branches = [
                branch._replace(steps=self.steps(branch.steps), loop=_with_parameters(branch.loop, self._owner))
                for branch in step.branches
            ]
            step = step._replace(branches=tuple(branches))
        if step.loop is not None:
            step = step._replace(loop=_with_parameters(step.loop, self._owner))
        layer = REGISTRY.get(step.body)
        if step.body in BODIES or (layer is not None and layer.merges):
            return step
        block = _find_block(step.body, self._owner, self._finder, step.position, self._errors)
        if block is not None:
            self._called.add(id(block))
            self._errors.all += step.faults
            return _of_block(step, block, self._errors)
        if layer is not None:
            if step.first is not None or step.arguments.checked is not layer:
                _check_layer_arguments(step, layer, self._errors)
            return step
        names = [*self._finder.names(self._owner), *_local_names(self._owner)]
        self._errors.add(step.position, _no_body(step.body, names))
        return step._replace(arguments=NO_ARGUMENTS, first=None)  # nothing that is inside can be judged


def _with_parameters(loop: Loop | None, spec: Spec) -> Loop | None:
    """``loop`` with the values of parameters in place of the words in its tables that are names of parameters."""
    names = {name for owner in _enclosing(spec) for name in owner.parameters}
    if loop is None or not names:
        return loop
    rows = None if loop.rows is None else _table(loop.rows, names)
    return loop._replace(rows=rows, columns=tuple([_table(column, names) for column in loop.columns]))


def _table(value: Value, names: Collection[str]) -> Value:
    return _cell(value.constant, value, names) if _has_word(value.constant, names) else value


def _has_word(cell: object, names: Collection[str]) -> bool:
    if isinstance(cell, tuple):
        return any(_has_word(item, names) for item in cell)
    return isinstance(cell, str) and cell in names


def _cell(cell: object, table: Value, names: Collection[str]) -> Value:
    if not _has_word(cell, names):
        return Value(table.position, constant=cell)
    if isinstance(cell, tuple):
        return Value(table.position, items=tuple([_cell(item, table, names) for item in cell]))
    return Value(table.position, expression=compile_expression(str(cell)))


def _no_body(name: str, blocks: list[str]) -> str:
    from convcost.layers.docs import layer_hint  # noqa: PLC0415 - only an error pays for it

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


def _check_layer_arguments(step: Step, layer: type[Layer], errors: Problems) -> None:
    before, fields = len(errors.all), layer.fields
    given = _check_keys(step, fields, "field", errors)
    for name in layer.needs:
        if name not in given and not step.arguments.broken:
            errors.add(step.position, f"{step.body} needs `{name}`: {fields[name].doc}")
    for arguments in (step.arguments,) if step.first is None else (step.arguments, step.first):
        for name, value in arguments.values.items():
            if name in fields and value.is_fixed and value.constant is not BROKEN:
                _check_fixed(fields[name], value, errors)
    if len(errors.all) == before:
        step.arguments.checked = layer


def _check_fixed(field: Field, value: Value, errors: Problems) -> None:
    try:
        field.check(value.constant)
    except ConvcostError as error:
        errors.add(value.position, str(error))


def _of_block(step: Step, block: Spec, errors: Problems) -> Step:
    """``step`` as a call of ``block``, with its arguments under the block's own names."""
    if not block.layers and not block.parameters:
        return step._replace(block=block)  # its errors are already reported
    if len(block.inputs) > 1:
        errors.add(step.position, f"{step.body} has the inputs {', '.join(block.inputs)}; a step passes one tensor")
    arguments = _block_arguments(step, step.arguments, block, errors)
    first = None if step.first is None else _block_arguments(step, step.first, block, errors)
    step = step._replace(block=block, arguments=arguments, first=first, first_arguments=arguments.overridden(first))
    given = _check_keys(step, block.parameters, "parameter", errors)
    for name, parameter in block.parameters.items():
        if parameter.default is None and name not in given and not arguments.broken:
            doc = f": {parameter.doc}" if parameter.doc else ""
            errors.add(step.position, f"{step.body} needs `{name}`{doc}")
    return step


def _block_arguments(step: Step, arguments: Arguments, block: Spec, errors: Problems) -> Arguments:
    """``arguments`` with the names that ``block`` has for them, and with the words that its parameters take."""
    values: dict[str, Value] = {}
    keys: dict[str, Position] = {}
    for name, position in arguments.keys.items():
        value = arguments.values[name]
        own = own_name(name, block.parameters)
        if block.input_names and name in block.input_names and arguments is step.arguments:
            errors.add(position, f"`{name}` of {step.body} is read off its input and cannot be passed")
        elif own != name and own in arguments.keys:
            errors.add(position, f"`{name}` and `{own}` are one parameter of {block.name}; give one of them")
        else:
            keys[own] = position
            values[own] = _checked_word(block.parameters[own], value, errors) if own in block.parameters else value
    return Arguments(values, keys, broken=arguments.broken)


def _checked_word(parameter: Parameter, value: Value, errors: Problems) -> Value:
    value = _as_word(value, parameter.words)
    if not value.is_fixed:
        return Value(value.position, expression=value.expression, items=value.items, words=parameter.words)
    _check_choice(parameter, value, errors)
    return value


def _check_choice(parameter: Parameter, value: Value, errors: Problems) -> None:
    if parameter.choices and value.constant is not BROKEN and value.constant not in parameter.choices:
        constant = value.constant
        errors.add(value.position, not_among(parameter.name, constant, parameter.choices, describe(constant)))


def _check_keys(step: Step, known: Collection[str], what: str, errors: Problems) -> set[str | None]:
    """Refuse arguments that are not ``known``; what is given, with what the refused ones are probably meant for."""
    given: set[str | None] = set(step.arguments.values)
    for arguments in (step.arguments,) if step.first is None else (step.arguments, step.first):
        for name, position in arguments.keys.items():
            if name not in known:
                errors.add(position, _no_argument(what, name, known, step.body))
                given.add(_meant(name, known))
    return given


def _recursion(spec: Spec, errors: Problems) -> None:
    """A local block may not call itself, whatever the way round."""
    if not spec.blocks:
        return
    done: set[int] = set()

    def visit(block: Spec, trail: tuple[Spec, ...]) -> None:
        if id(block) in done:
            return
        for place in places(block.layers):
            step, inner = place.step, place.step.block
            if inner is None or inner.root is not spec:
                continue
            if inner in trail or inner is block:
                names = " -> ".join(item.name for item in (*trail, block, inner))
                errors.add(step.position, f"`{inner.name}` includes itself: {names}")
            else:
                visit(inner, (*trail, block))
        done.add(id(block))

    for block in _nested(spec):
        visit(block, ())
