"""From a checked spec and values to a graph: the interpreter of the language."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, product
from math import prod
from typing import TYPE_CHECKING, Any

from convcost.errors import (
    ConvcostError,
    FieldError,
    Problem,
    ShapeError,
    SpecError,
    UnsupportedError,
    UsageError,
    did_you_mean,
    not_among,
    unknown,
)
from convcost.language.expression import ExpressionError, compile_expression
from convcost.language.model import Fault, Imported, own_name
from convcost.language.operations import describe, truth
from convcost.language.syntax import LAYOUTS
from convcost.language.tree import dims, scan
from convcost.layers import REGISTRY
from convcost.layers.window import show
from convcost.limits import MAX_CALL_DEPTH, MAX_FUNCTION_CALLS, MAX_FUNCTION_DEPTH, MAX_ITEMS, MAX_STEPS
from convcost.network.cost import unknown_line
from convcost.network.graph import Builder, Graph, Tensor
from convcost.network.replay import Recording
from convcost.network.sharing import has_parameters, share
from convcost.numbers import assumptions
from convcost.numbers.arithmetic import (
    Relation,
    exact_value,
    is_array,
    is_number,
    is_symbolic,
    is_whole,
    normal,
    provably,
    require,
)
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from convcost.errors import Position
    from convcost.language.choices import Choices
    from convcost.language.model import Arguments, Branch, Choose, Let, Loop, Parameter, Spec, Step, Template, Value
    from convcost.layers.base import Shape
    from convcost.numbers.arithmetic import Num


EXPECTED = {
    "whole": "a whole number",
    "ratio": "a positive number",
    "switch": "true or false",
    "word": "a word",
}


def bind(parameter: Parameter, value: Any, position: Position) -> Any:
    """``value``, which must fit ``parameter``.

    Raises:
        Fault: it does not.
    """
    value = normal(value)
    if type(value) is int and parameter.any_int:
        return value
    if not _fits(parameter.type, value):
        hint = ""
        if parameter.type == "whole" and isinstance(value, Fraction) and parameter.default is not None:
            default = parameter.default.constant
            hint = f"; its default {default} makes it whole, and a default of {default}.0 would allow fractions"
        message = f"`{parameter.name}` must be {EXPECTED[parameter.type]}, found {describe(value)}{hint}"
        raise Fault(message, position)
    if parameter.choices and not is_array(value) and value not in parameter.choices:
        raise Fault(not_among(parameter.name, value, parameter.choices, describe(value)), position)
    _check_range(parameter, value, position)
    return value


def _fits(type_: str, value: Any) -> bool:
    if is_symbolic(value) or is_array(value):
        return type_ in ("whole", "ratio", "any")
    if type_ == "whole":
        return type(value) is int or (isinstance(value, tuple) and all(_fits("whole", item) for item in value))
    if type_ == "ratio":
        return is_number(value) and value > 0
    if type_ == "switch":
        return isinstance(value, bool)
    return type_ == "any" or isinstance(value, str)


def _check_range(parameter: Parameter, value: Any, position: Position) -> None:
    sides: tuple[tuple[Value | None, Relation, str], ...] = (
        (parameter.minimum, ">=", "least"),
        (parameter.maximum, "<=", "most"),
    )
    for bound, relation, word in sides:
        if bound is None:
            continue
        limit = bound.constant
        message = f"`{parameter.name}` must be at {word} {limit}, found {describe(value)}"
        if not is_number(value) and not is_symbolic(value) and not is_array(value):
            raise Fault(message, position)
        try:
            require(relation, value, limit, message)
        except ConvcostError as error:
            raise Fault(str(error), position) from None


def from_text(spec: Spec, name: str, text: str) -> Any:
    """The value that ``NAME=TEXT`` on a command line means.

    Raises:
        UsageError: there is no such parameter, or the text is no value.
    """
    parameter = find(spec, name)
    words = parameter.words if parameter is not None else ()
    if text in words:
        return text
    value = dims(text) or scan(text.strip(), quoted=True)
    if not isinstance(value, str) or (parameter is not None and parameter.type in ("switch", "word")):
        return value
    try:
        expression = compile_expression(text)
        if expression.is_constant:
            return expression.evaluate({})
    except ConvcostError:
        pass
    hint = did_you_mean(text, map(str, words)) if words else ""
    raise UsageError(f"`{name}`: expected a value, found '{text[:60]}'{hint}")


def no_parameter(spec: Spec, name: str) -> str:
    """The error about a name that is no parameter of a spec."""
    return unknown("parameter", name, spec.names, of=spec.name, hint=spec.without_parameters)


def find(spec: Spec, name: str) -> Parameter | None:
    """The parameter called ``name``, or by the other standard name; None for a size that the spec reads off its input.

    Raises:
        UsageError: there is neither.
    """
    own = own_name(name, spec.parameters)
    if own in spec.parameters:
        return spec.parameters[own]
    if spec.input_names and name in spec.input_names:
        return None
    raise UsageError(no_parameter(spec, name))


def from_python(value: Any) -> Any:
    """A value handed in by a Python caller, made exact: a float means the decimal that it prints as.

    Raises:
        UsageError: an array holds something other than finite numbers.
    """
    value = exact_value(value)  # before floats: those of numpy are among them
    if isinstance(value, float):
        return normal(Fraction(str(value)))
    if isinstance(value, list | tuple):
        return tuple(from_python(item) for item in value)
    return value


class Budget:
    """What all scopes of a run share: its remaining evaluation budget, which guarantees that it ends, and its choices.

    Attributes:
        calls: calls of ``let`` functions left.
        depth: how deep they nest now.
        choices: what a run for a design space takes and notes; None for a plain run.
    """

    __slots__ = ("calls", "choices", "depth")

    def __init__(self, choices: Choices | None = None) -> None:
        self.calls = MAX_FUNCTION_CALLS
        self.depth = 0
        self.choices = choices

    def enter(self, name: str) -> None:
        """Note the beginning of a call."""
        self.calls -= 1
        self.depth += 1
        if self.calls < 0:
            raise ExpressionError(f"functions are called more than {MAX_FUNCTION_CALLS:,} times")
        if self.depth > MAX_FUNCTION_DEPTH:
            raise ExpressionError(f"`{name}`: functions call each other deeper than {MAX_FUNCTION_DEPTH} levels")

    def leave(self) -> None:
        """Note its end."""
        self.depth -= 1


class Weights(NamedTuple):
    """Layers whose weights have a name.

    Attributes:
        start, end: their indices.
        shared: whether the name is one under ``shares``.
    """

    start: int
    end: int
    shared: bool


class Scope(dict[str, Any]):
    """Names to values: loop variables, taps and whatever was computed; the rest is computed when first asked for.

    Attributes:
        spec: whose names these are.
        parent: the scope around a local block.
        alone: whether no step called the spec, so that examples replace parameters that are not given.
        inner: scopes of the named block calls, for taps such as ``backbone/pool4``.
        named: which step gave each tap its name.
        weights: the layers whose weights each name of a step, or under ``shares``, means.
        serial: its number; no other scope has it.
    """

    __slots__ = ("_budget", "_busy", "alone", "inner", "named", "parent", "serial", "spec", "weights")

    _serials = count(1)

    def __init__(
        self, spec: Spec, parent: Scope | None, given: dict[str, Any], budget: Budget, *, alone: bool = False
    ) -> None:
        super().__init__(spec.constants)
        if alone:
            for parameter in spec.parameters.values():
                if parameter.example is not None:
                    self.pop(parameter.name, None)
        self.update(given)
        if alone and budget.choices is not None:
            for name in budget.choices.parameters:
                self.pop(name, None)
        self.spec = spec
        self.parent = parent
        self.inner: dict[str, Scope] | None = None
        self.named: dict[str, object] | None = None
        self.weights: dict[str, Weights] | None = None
        self.alone = alone
        self.serial = next(self._serials)
        self._budget = budget
        self._busy: set[str] | None = None

    def enter(self, tensor: Tensor) -> None:
        """Let ``tensor`` be the input, and read the names of the spec's ``input`` off it."""
        self["x"] = self["input"] = tensor
        for name in self.spec.inputs:  # of several, the others are there already
            self.setdefault(name, tensor)
        names = self.spec.input_names
        if names:
            shape = tensor.shape
            if len(names) == len(shape):
                for name, size in zip(names, shape, strict=True):
                    self[name] = size
            else:
                self[next(iter(names))] = shape[0]

    def __missing__(self, name: str) -> Any:
        spec, choices = self.spec, self._budget.choices
        if choices is not None and self.alone and name in choices.parameters:
            return choices.read(name)
        if name in spec.parameters or name in spec.lets:
            if self._busy is None:
                self._busy = set()
            if name in self._busy:
                raise ExpressionError(f"`{name}` is defined by itself")
            self._busy.add(name)
            before = 0 if choices is None else choices.reads
            try:
                value = self._parameter(name) if name in spec.parameters else self._let(spec.lets[name])
            finally:
                self._busy.discard(name)
            if choices is None or choices.reads == before:  # what depends on a choice is computed anew, and noted
                self[name] = value
            return value
        if spec.input_names and name in spec.input_names:
            tensor = self.get("input")
            entering = f"a tensor of shape {'x'.join(map(str, tensor.shape))}" if tensor is not None else "nothing"
            raise ExpressionError(f"`{name}` cannot be read off {entering}")
        if self.parent is not None:
            return self.parent[name]
        raise ExpressionError(unknown("value", name, []))

    def _parameter(self, name: str) -> Any:
        parameter = self.spec.parameters[name]
        value = parameter.example if self.alone and parameter.example is not None else parameter.default
        if value is None:
            doc = f": {parameter.doc}" if parameter.doc else ""
            raise ExpressionError(f"{self.spec.name} needs a value for `{name}`{doc}")
        own = evaluate(value, self)
        return own if type(own) is int and parameter.any_int else bind(parameter, own, value.position)

    def _let(self, let: Let) -> Any:
        if let.arguments is None:
            return evaluate(let.value, self)
        return self._function(let.name, let.arguments, let.value)

    def _function(self, name: str, arguments: tuple[str, ...], body: Value) -> Any:
        def function(*values: Any) -> Any:
            self._budget.enter(name)
            try:
                return evaluate(body, Local(self, dict(zip(arguments, values, strict=True))))
            finally:
                self._budget.leave()

        return function


class Local(dict[str, Any]):
    """The arguments of a ``let`` function, over the scope it was defined in."""

    __slots__ = ("_around",)

    def __init__(self, around: Scope, values: dict[str, Any]) -> None:
        super().__init__(values)
        self._around = around

    def __missing__(self, name: str) -> Any:
        return self._around[name]


def evaluate(value: Value, scope: Any) -> Any:
    """The value of ``value`` in ``scope``.

    Raises:
        Fault: it cannot be computed; with its place.
    """
    try:
        return value.evaluate(scope)
    except Fault as fault:
        fault.places.append(value.position)
        raise
    except ConvcostError as error:
        raise Fault(str(error), value.position) from None


def condition(value: Value, scope: Scope) -> bool:
    """Whether ``value`` holds.

    Raises:
        Fault: it is neither true nor false.
    """
    answer = evaluate(value, scope)
    if answer is True or answer is False:
        return bool(answer)
    try:
        return truth(answer)
    except ConvcostError as error:
        raise Fault(str(error), value.position) from None


def times(value: Value, scope: Scope) -> int:
    """How many copies in sequence a ``repeat`` makes.

    Raises:
        Fault: it is no whole number, or too large.
    """
    copies = normal(evaluate(value, scope))
    if is_symbolic(copies):
        raise Fault(f"`repeat` of a chain needs a number, found {copies}", value.position)
    if type(copies) is not int or copies < 0:
        raise Fault(f"`repeat` must be a whole number, found {describe(copies)}", value.position)
    if copies > MAX_STEPS:
        raise Fault(f"`repeat` may be at most {MAX_STEPS:,}, found {describe(copies)}", value.position)
    return copies


def parallel(value: Value, scope: Scope) -> Num:
    """How many identical parallel branches a ``repeat`` on a branch makes; may be symbolic."""
    return whole(evaluate(value, scope), "`repeat` of a branch", value.position)


def whole(size: Any, what: str, position: Position) -> Num:
    """``size``, which must be a whole number of at least 1 (or a symbol or array that can be).

    Raises:
        Fault: it is not.
    """
    size = normal(size)
    message = f"{what} must be a whole number of at least 1, found {describe(size)}"
    if isinstance(size, bool | str | tuple | dict) or size is None or not is_whole(size):
        raise Fault(message, position)
    try:
        require(">=", size, 1, message)
    except ConvcostError as error:
        raise Fault(str(error), position) from None
    return size


def options(choose: Choose, scope: Scope) -> list[tuple[Any, ...]]:
    """Every combination of the values that ``choose`` lists, the last name changing fastest.

    Raises:
        Fault: a list is no list, is empty or has a value twice, or there are too many combinations.
    """
    columns = [_rows_of(column, scope, "`choose` takes") for column in choose.columns]
    for (name, position), column in zip(choose.variables, columns, strict=True):
        if not column:
            raise Fault(f"`{name}` needs at least one value to choose from", position)
        if len(set(map(repr, column))) < len(column):
            raise Fault(f"`choose` of `{name}` lists a value twice", position)
    if prod(map(len, columns)) > MAX_ITEMS:
        raise Fault(f"one step chooses among at most {MAX_ITEMS:,} combinations", choose.position)
    return list(product(*columns))


def turns(branch: Branch, scope: Scope) -> Iterator[int | None]:
    """The rows of a branch's loop, bound one after another; one None where it has no loop."""
    if branch.loop is None:
        yield None
    else:
        yield from rows(branch.loop, scope)


def rows(loop: Loop, scope: Scope) -> Iterator[int]:
    """Bind the loop's variables to one row after another; yields the number of the row."""
    names = [name for name, _ in loop.variables]
    before = {name: scope[name] for name in names if name in scope}
    if loop.rows is not None:
        table = _rows_of(loop.rows, scope)
        rows = [(row,) for row in table] if loop.whole else [_row(row, len(names), loop) for row in table]
    else:
        columns = [_rows_of(column, scope) for column in loop.columns]
        lengths = {len(column) for column in columns}
        if len(lengths) > 1:
            listed = ", ".join(f"{name} has {len(column)}" for name, column in zip(names, columns, strict=True))
            raise Fault(f"the columns differ in length: {listed}", loop.position)
        rows = list(zip(*columns, strict=True))
    try:
        for number, row in enumerate(rows):
            scope.update(zip(names, row, strict=True))
            yield number
    finally:
        for name in names:
            scope.pop(name, None)
        scope.update(before)


def _rows_of(value: Value, scope: Scope, what: str = "`for` runs over") -> tuple[Any, ...]:
    table = evaluate(value, scope)
    if not isinstance(table, tuple):
        raise Fault(f"{what} a list, found {describe(table)}", value.position)
    if len(table) > MAX_ITEMS:
        raise Fault(f"{what} at most {MAX_ITEMS:,} rows, found {len(table):,}", value.position)
    return table


def _row(row: Any, count: int, loop: Loop) -> tuple[Any, ...]:
    if not isinstance(row, tuple) or len(row) != count:
        raise Fault(f"a row needs {count} values, found {describe(row)}", loop.position)
    return row


def fill(template: Template, scope: Scope) -> str:
    """The name that ``template`` gives in ``scope``.

    Raises:
        Fault: an expression in it cannot be computed.
    """
    try:
        return template.fill(scope)
    except Fault as fault:
        fault.places.append(template.position)
        raise
    except ConvcostError as error:
        raise Fault(str(error), template.position) from None


def tap(template: Template, scope: Scope) -> Tensor:
    """The tensor of that name: ``x``, ``input``, a named step, or ``NAME/INNER`` inside a named block.

    Raises:
        Fault: no earlier step has that name.
    """
    path = fill(template, scope)
    name, *deeper = path.split("/")
    inside = scope
    tensor = scope.get(name)
    if not isinstance(tensor, Tensor) and scope.parent is not None:
        tensor = _outer_tap(name, scope)
    for part in deeper:
        if inside.inner is None or name not in inside.inner:
            tensor = None
            break
        inside, name = inside.inner[name], part
        tensor = inside.get(name)
    if not isinstance(tensor, Tensor):
        known = [key for key, value in scope.items() if isinstance(value, Tensor)]
        raise Fault(unknown("earlier step", path, known), template.position)
    return tensor


def _outer_tap(name: str, scope: Scope) -> Any:
    if name in ("x", "input"):
        return None
    around = scope.parent
    while around is not None:
        if isinstance(around.get(name), Tensor):
            return around[name]
        around = around.parent
    return None


def name_tensor(step: Step, scope: Scope, tensor: Tensor, inner: Scope | None) -> None:
    """Let the name of ``step`` mean ``tensor`` from here on; a loop rebinds it.

    Raises:
        Fault: another step or variable has it.
    """
    template: Any = step.name
    name = fill(template, scope)
    if scope.named is None:
        scope.named = {}
    owner = scope.named.setdefault(name, step)
    if owner is not step:
        raise Fault(f"there is a step named `{name[:60]}` already", template.position)
    if name in scope and not isinstance(scope[name], Tensor):
        raise Fault(f"the name `{name[:60]}` is taken by a variable", template.position)
    scope[name] = tensor
    if inner is not None:
        if scope.inner is None:
            scope.inner = {}
        scope.inner[name] = inner


def name_weights(step: Step, scope: Scope, weights: Weights) -> None:
    """Let the name of ``step`` mean these weights too.

    Raises:
        Fault: steps before this one share weights of the name, and this step does not.
    """
    template: Any = step.name
    name = fill(template, scope)
    if scope.weights is None:
        scope.weights = {}
    before = scope.weights.get(name)
    if before is None or not before.shared:
        scope.weights[name] = weights
    elif step.shares is None:
        message = f"steps before this one share the weights `{name[:60]}`; write `shares: {name[:60]}` here too"
        raise Fault(message, template.position)


def name_passed(step: Step, scope: Scope, tensor: Tensor) -> None:
    """Let the name of ``step``, which makes no layer and passes ``tensor`` on, mean that tensor.

    Alternative steps, of which only one runs, may share a name; the step that runs defines it.
    """
    if step.name is not None and (name := fill(step.name, scope)) not in scope:
        scope[name] = tensor


PICTURE = (1, 3)  # channels of a grey or colour picture
LARGE = 16  # the least size of a picture
BATCHED = 4  # entries of a shape with a batch axis before channels, height and width


def entering_shape(spec: Spec, scope: Scope, other: Shape | None) -> Shape:
    """The shape of the tensor that enters ``spec``.

    Args:
        spec: whose input it is.
        scope: its names.
        other: sizes in place of those that the spec states; a network may be given its spatial sizes alone.

    Returns:
        ``(channels, *spatial)``.

    Raises:
        Fault: the spec states no input, or one that looks like another layout.
        UsageError: ``other`` has not as many axes as the spec, or other channels where the spec fixes them.
    """
    if spec.input_sizes is None:
        return other if other is not None else _of_block(spec, scope)
    return _stated(spec, spec.input_sizes, scope, other)


def entering_shapes(spec: Spec, scope: Scope, other: Any) -> dict[str, Shape]:
    """The shapes of all tensors that enter ``spec``, by name; see :func:`entering_shape`.

    Args:
        spec: whose inputs they are.
        scope: its names.
        other: sizes in place of those that the spec states; of inputs with names a mapping.

    Raises:
        Fault: the spec states no input, or one that looks like another layout.
        UsageError: ``other`` does not fit.
    """
    if not spec.inputs:
        if isinstance(other, dict):
            raise UsageError(f"{spec.name} has one input, without a name; found {', '.join(other)[:60]}")
        return {"input": entering_shape(spec, scope, other)}
    named = _by_name(spec, other)
    return {name: _stated(spec, sizes, scope, named.get(name), name) for name, sizes in spec.inputs.items()}


def _by_name(spec: Spec, other: Any) -> dict[str, Shape]:
    if other is None:
        return {}
    if not isinstance(other, dict):
        first = next(iter(spec.inputs))
        if len(spec.inputs) > 1:
            names = ", ".join(spec.inputs)
            raise UsageError(f"{spec.name} has the inputs {names}: give their sizes by name, as {first}={show(other)}")
        return {first: other}
    for name in other:
        if name not in spec.inputs:
            raise UsageError(unknown("input", name, spec.inputs, of=spec.name))
    return other


def _stated(spec: Spec, written: tuple[Value, ...], scope: Scope, other: Shape | None, name: str = "") -> Shape:
    if other is not None:
        return _replaced(spec, written, scope, other, name)
    shape = tuple(_size(value, scope) for value in written)
    if spec.layout != LAYOUTS[len(shape)]:
        _refuse_other_layouts(shape, written)
    return shape


def replaced_names(spec: Spec, other: Any) -> set[str]:
    """The parameters that state nothing but sizes of ``input`` that ``other`` takes the place of."""
    if other is None or spec.input_sizes is None:
        return set()
    inputs = spec.inputs or {"input": spec.input_sizes}
    own = other if isinstance(other, dict) else dict.fromkeys(inputs, other)
    replaced = [size for name, sizes in own.items() for size in inputs[name][-len(sizes) :]]
    kept = [size for name, sizes in inputs.items() if name not in own for size in sizes]
    return _names(replaced) - _names(kept)


def _names(values: Iterable[Value]) -> set[str]:
    return {name for value in values for used, _ in value.expressions() for name in used.names}


def _of_block(spec: Spec, scope: Scope) -> Shape:
    if spec.input_names is None:
        raise Fault(f"{spec.name} states no input; give one with --input, as 3x224x224", spec.position)
    return tuple(scope[name] if name in scope else _size(value, scope) for name, value in spec.input_names.items())


def _size(value: Value, scope: Scope) -> Num:
    return whole(evaluate(value, scope), "a size of the input", value.position)


def _replaced(spec: Spec, written: tuple[Value, ...], scope: Scope, other: Shape, name: str) -> Shape:
    fixed = written[0].is_fixed
    if len(other) == len(written) - 1:
        channels = _size(written[0], scope)
        if provably(other[0], channels):
            sizes = f"{show((channels, *other))}, or {show((*other, other[-1]))}"
            raise _refusal(spec, written, name, other, f"write {sizes}")
        return (channels, *other)
    if len(other) != len(written):
        batched = len(other) == len(written) + 1 and (not fixed or provably(other[1], written[0].constant))
        hint = f"a shape has no batch axis: write {show(other[1:])}" if batched else ""
        raise _refusal(spec, written, name, other, hint or "the number of sizes differs")
    if fixed and not provably(other[0], written[0].constant):
        if provably(other[-1], written[0].constant):
            raise _refusal(spec, written, name, other, f"channels come first: write {show((other[-1], *other[:-1]))}")
        hint = "the channels differ, and only a spec whose `input` begins with a parameter takes another number"
        raise _refusal(spec, written, name, other, hint)
    if not fixed and not spec.layout and _ends_in_channels(other, lambda _: True):
        hint = f"channels come first: write {show((other[-1], *other[:-1]))}"
        hint = f"{hint}, or add `layout: {LAYOUTS[len(other)]}` to the spec if it has {other[0]}"
        raise _refusal(spec, written, name, other, hint)
    return other


def _refusal(spec: Spec, written: Sequence[Value], name: str, other: Shape, why: str) -> UsageError:
    called = f"{name} " if name else ""
    return UsageError(f"{spec.name} has the input {called}{_listed_sizes(written)}; found {show(other)}: {why}")


def _refuse_other_layouts(shape: Shape, written: Sequence[Value]) -> None:
    """Refuse NCHW and HWC.

    Only a number of channels that is written as a number counts: what is a parameter was put there on purpose.

    Raises:
        Fault: at the first entry.
    """

    def is_written(index: int) -> bool:
        return written[index].is_fixed

    layout = LAYOUTS[len(shape)]
    if _begins_with_batch(shape, is_written):
        better = _listed_sizes(written[1:])
        reading = "a batch, channels, height, width; a spec has no batch axis"
        meant = f"if {shape[0]} is the channels and {shape[1]} the depth"
    elif _ends_in_channels(shape, is_written):
        sizes = written[1:-1] if len(shape) == BATCHED and provably(shape[0], 1) else written[:-1]
        better = _listed_sizes([written[-1], *sizes])
        reading = "sizes before channels; channels come first"
        meant = f"if {shape[0]} is the channels"
    else:
        return
    raise Fault(
        f"{_listed_sizes(written)} looks like {reading}: write {better}, or add `layout: {layout}` {meant}",
        written[0].position,
    )


def needs_layout(shape: Shape) -> bool:
    """Whether an ``input`` written as these numbers looks like another layout, so that ``layout`` must be written."""

    def written(_index: int) -> bool:
        return True

    return _begins_with_batch(shape, written) or _ends_in_channels(shape, written)


def _begins_with_batch(shape: Shape, is_written: Callable[[int], bool]) -> bool:
    return len(shape) == BATCHED and is_written(1) and _is_picture(shape[1]) and all(map(_is_large, shape[2:]))


def _ends_in_channels(shape: Shape, is_written: Callable[[int], bool]) -> bool:
    if len(shape) < BATCHED - 1:
        return False
    return is_written(len(shape) - 1) and _is_picture(shape[-1]) and all(map(_is_large, shape[-3:-1]))


def _is_picture(channels: Num) -> bool:
    return type(channels) is int and channels in PICTURE


def _is_large(size: Num) -> bool:
    return type(size) is int and size >= LARGE


def _listed_sizes(written: Sequence[Value]) -> str:
    texts = (str(value.constant) if value.expression is None else value.expression.text for value in written)
    return f"[{', '.join(texts)}]"


class Frame:
    """A place in the tree of paths: its prefix, and how often each segment was used below it."""

    __slots__ = ("prefix", "used")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.used: dict[str, int] = {}

    def path(self, segment: str) -> str:
        """The path of one more ``segment`` here; a second one of the same name gets ``#2``."""
        times = self.used[segment] = self.used.get(segment, 0) + 1
        return f"{self.prefix}{segment}" if times == 1 else f"{self.prefix}{segment}#{times}"

    def numbered(self, segment: str) -> str:
        """The path of one more copy of ``segment``: ``[1]``, ``[2]`` ..."""
        times = self.used[segment] = self.used.get(segment, 0) + 1
        return f"{self.prefix}{segment}[{times}]"


class Runner:
    """One run of a spec into one builder."""

    def __init__(self, builder: Builder, budget: Budget) -> None:
        self._builder = builder
        self._budget = budget
        self._steps_left = MAX_STEPS
        self._depth = 0
        self._count: Num = 1  # identical parallel copies of the current branch
        self._block = 0  # leading segments that name the outermost block, 0 outside any
        self._recordings: dict[Any, Recording] = {}
        self._made: dict[str, list[tuple[Branch, int]]] = {}  # side outputs, by name in the order they are made
        self._outputs = 0  # how many those are
        self._choices = budget.choices

    def body(self, spec: Spec, scope: Scope, tensor: Tensor) -> Tensor:
        """Run the layers of ``spec`` on ``tensor`` in ``scope``, at the top of the tree of paths."""
        scope.enter(tensor)
        result = self._steps(spec.layers, scope, tensor, Frame(""))
        outputs = self._builder.outputs
        outputs |= {name: tap(source, scope).node for name, source in spec.outputs.items()}
        for name, made in self._made.items():
            names = [name] if len(made) == 1 else [f"{name}{number}" for number in range(1, len(made) + 1)]
            for own, (branch, node) in zip(names, made, strict=True):
                if own in outputs:
                    raise Fault(f"there is an output `{own}` already", branch.position)
                outputs[own] = node
        return leaving(spec, scope, result)

    def _steps(self, steps: tuple[Step, ...], scope: Scope, tensor: Tensor, frame: Frame) -> Tensor:
        for step in steps:
            self._steps_left -= 1
            if self._steps_left < 0:
                self._spend(0, step)
            start = len(self._builder.nodes)
            if self._choices is not None:
                self._choices.enter()
            if step.plain:
                scope["x"] = tensor
                tensor = self._once(step, step.arguments, scope, tensor, frame, numbered=False)
            else:
                tensor = self._controlled(step, scope, tensor, frame)
            if self._choices is not None:
                self._choices.leave(start, len(self._builder.nodes))
        return tensor

    def _controlled(self, step: Step, scope: Scope, tensor: Tensor, frame: Frame) -> Tensor:
        source = step.from_
        if source is not None and (step.loop is None or not source.uses([name for name, _ in step.loop.variables])):
            tensor, source = tap(source, scope), None
        scope["x"] = tensor
        if step.loop is None:
            return self._chosen(step, scope, tensor, frame, looped=False)
        looped = step.name is None or step.name.fixed
        ran = False
        for _ in rows(step.loop, scope):
            ran = True
            if source is not None:
                scope["x"] = tensor = tap(source, scope)
            tensor = self._chosen(step, scope, tensor, frame, looped=looped)
            scope["x"] = tensor
        if not ran and looped:  # a name with loop variables has no value where there is no row
            name_passed(step, scope, tensor)
        return tensor

    def _chosen(self, step: Step, scope: Scope, tensor: Tensor, frame: Frame, *, looped: bool) -> Tensor:
        """Run ``step`` with one of the values that it chooses from: the first, unless the run is for a design space."""
        if step.choose is None:
            return self._copies(step, scope, tensor, frame, looped=looped)
        names = [name for name, _ in step.choose.variables]
        rows = options(step.choose, scope)
        row = rows[0]
        if self._choices is not None:
            path = frame.prefix + (step.body if step.name is None else fill(step.name, scope))
            row = self._choices.begin(path, names, rows, len(self._builder.nodes), tensor)
        before = {name: scope[name] for name in names if name in scope}
        scope.update(zip(names, row, strict=True))
        try:
            result = self._copies(step, scope, tensor, frame, looped=looped)
        finally:
            for name in names:
                scope.pop(name, None)
            scope.update(before)
        if self._choices is not None:
            self._choices.finish(len(self._builder.nodes), result)
        return result

    def _copies(self, step: Step, scope: Scope, tensor: Tensor, frame: Frame, *, looped: bool) -> Tensor:
        if step.when is not None and not condition(step.when, scope):
            name_passed(step, scope, tensor)
            return tensor
        if step.repeat is None:
            return self._once(step, step.arguments, scope, tensor, frame, numbered=looped)
        copies = times(step.repeat, scope)
        if not copies:
            name_passed(step, scope, tensor)
        for copy in range(copies):
            self._spend(1, step)
            arguments = step.first_arguments if copy == 0 else step.arguments
            tensor = self._once(step, arguments, scope, tensor, frame, numbered=True)
            scope["x"] = tensor
        return tensor

    def _once(
        self, step: Step, arguments: Arguments, scope: Scope, tensor: Tensor, frame: Frame, *, numbered: bool
    ) -> Tensor:
        inner: Scope | None = None
        start = len(self._builder.nodes)
        if step.branches:
            result = self._merge(step, scope, tensor, frame, numbered=numbered)
        elif step.body == "do":
            inside = frame if step.name is None else Frame(_path(step, scope, frame, numbered=numbered) + "/")
            result = self._steps(step.steps, scope, tensor, inside)
        else:
            path = _path(step, scope, frame, numbered=numbered)
            values = _arguments(arguments, scope)
            if step.block is None:
                result = self._layer(step, arguments, values, ((tensor, 1),), path)
            else:
                result, inner = self._call(step, arguments, values, scope, tensor, path)
        if step.shares is not None:
            self._share(step, scope, start)
        if step.name is not None:
            name_tensor(step, scope, result, inner)
            name_weights(step, scope, Weights(start, len(self._builder.nodes), shared=False))
        return result

    def _share(self, step: Step, scope: Scope, start: int) -> None:
        """Let the layers from ``start`` on use the weights of the name that ``step`` shares, which may be their own."""
        template: Any = step.shares
        name = fill(template, scope)
        if scope.weights is None:
            scope.weights = {}
        nodes = self._builder.nodes
        own = Weights(start, len(nodes), shared=True)
        owner = scope.weights.setdefault(name, own)
        try:
            if owner is not own:
                share(nodes, range(owner.start, owner.end), range(start, len(nodes)), name)
                # what was noted for repeating has lost its parameters
                self._recordings = {key: made for key, made in self._recordings.items() if made.start < start}
            elif type(self._count) is not int or self._count != 1:
                raise Fault("weights cannot be shared among parallel copies of `repeat`; use `for`", template.position)
            elif not any(map(has_parameters, nodes[start:])):
                raise Fault("no layer in this step has weights to share", template.position)
        except ShapeError as error:
            raise Fault(str(error), template.position) from None

    def _layer(
        self,
        step: Step,
        arguments: Arguments,
        values: dict[str, Any],
        inputs: tuple[tuple[Tensor, Num], ...],
        path: str,
    ) -> Tensor:
        try:
            return self._builder.add(
                step.body, values, inputs, path, block=self._block, count=self._count, position=step.position
            )
        except FieldError as error:
            raise _at_argument(Fault(str(error)), arguments, error.field, step) from None
        except ConvcostError as error:
            raise Fault(str(error), step.position) from None

    def _call(
        self,
        step: Step,
        arguments: Arguments,
        values: dict[str, Any],
        scope: Scope,
        tensor: Tensor,
        path: str,
    ) -> tuple[Tensor, Scope | None]:
        spec: Any = step.block
        for name, value in values.items():
            parameter = spec.parameters[name]
            if type(value) is not int or not parameter.any_int:
                values[name] = bind(parameter, value, arguments.values[name].position)
        around = None if spec.parent is None else _around(spec, scope)
        outermost = self._block == 0
        if outermost:
            self._block = path.count("/") + 1
        try:
            # a named call is expanded anew: its inner taps may be asked for
            key = _signature(spec, around, values, tensor) if step.name is None and not self._notes_reads else None
            try:
                known = self._recordings.get(key)
            except TypeError:  # an array has no hash: expand anew
                key = known = None
            if known is not None and known.can_repeat(self._builder):
                self._spend(known.steps, step)
                return self._repeated(known, step, tensor, path), None
            inner = Scope(spec, around, values, self._budget)
            inner.enter(tensor)
            return self._expand(step, spec, inner, tensor, path, key), inner
        except Fault as fault:
            _at_argument(fault, arguments, fault.parameter, step)
            raise
        finally:
            if outermost:
                self._block = 0

    def _repeated(self, known: Recording, step: Step, tensor: Tensor, path: str) -> Tensor:
        try:
            return known.repeat(self._builder, tensor, path, self._block, self._count)
        except ConvcostError as error:
            raise Fault(str(error), step.position) from None

    def _expand(self, step: Step, spec: Spec, inner: Scope, tensor: Tensor, path: str, key: Any) -> Tensor:
        builder = self._builder
        base, outputs, left = len(builder.nodes), self._outputs, self._steps_left
        chosen = 0 if self._choices is None else len(self._choices.sites)
        self._depth += 1
        if self._depth > MAX_CALL_DEPTH:
            raise Fault(f"blocks call each other deeper than {MAX_CALL_DEPTH} levels", step.position)
        result = leaving(spec, inner, self._steps(spec.layers, inner, tensor, Frame(path + "/")))
        self._depth -= 1
        alone = type(self._count) is int and self._count == 1
        chose = self._choices is not None and len(self._choices.sites) > chosen
        if key is not None and alone and self._outputs == outputs and not chose:
            self._recordings[key] = Recording(builder, base, tensor, path, result, left - self._steps_left)
        return result

    @property
    def _notes_reads(self) -> bool:
        """Whether every step must run, so that what it reads is noted: no block is repeated from memory."""
        return self._choices is not None and bool(self._choices.parameters)

    def _spend(self, steps: int, step: Step) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise Fault(f"more than {MAX_STEPS:,} steps", step.position)

    def _merge(self, step: Step, scope: Scope, tensor: Tensor, frame: Frame, *, numbered: bool) -> Tensor:
        inside = frame if step.name is None else Frame(_path(step, scope, frame, numbered=numbered) + "/")
        operands: list[tuple[Tensor, Num]] = []
        lone = False  # whether the number of copies is written down, so that it is the same for symbols and numbers
        for branch in step.branches:
            for turn in turns(branch, scope):
                scope["x"] = tensor
                made = self._branch(branch, scope, tensor, inside, looped=turn is not None)
                if made is None:
                    continue
                operands.append(made)
                lone = branch.repeat is None or branch.repeat.is_fixed
                if step.body == "output":
                    self._output(branch, scope, made[0], step.position)
        scope["x"] = tensor
        if step.body == "output":
            return tensor
        if not operands:
            raise Fault(f"{step.body}: no branch is left", step.position)
        if REGISTRY[step.body].operands is None and len(operands) == 1 and lone and provably(operands[0][1], 1):
            return operands[0][0]
        values = _arguments(step.arguments, scope)
        return self._layer(step, step.arguments, values, tuple(operands), inside.path(step.body))

    def _branch(
        self, branch: Branch, scope: Scope, tensor: Tensor, frame: Frame, *, looped: bool
    ) -> tuple[Tensor, Num] | None:
        if branch.when is not None and not condition(branch.when, scope):
            return None
        copies = 1 if branch.repeat is None else parallel(branch.repeat, scope)
        if branch.from_ is not None:
            tensor = tap(branch.from_, scope)
        if branch.steps:
            if branch.title is not None:
                path = frame.path(fill(branch.title, scope))
            else:
                path = frame.numbered(branch.name) if looped else frame.path(branch.name)
            before, self._count = self._count, self._count * copies
            tensor = self._steps(branch.steps, scope, tensor, Frame(path + "/"))
            self._count = before
        return tensor, copies

    def _output(self, branch: Branch, scope: Scope, tensor: Tensor, position: Position) -> None:
        name = branch.name if branch.title is None else fill(branch.title, scope)
        made = self._made.setdefault(name, [])
        if made and (made[0][0] is not branch or branch.title is not None):
            raise Fault(f"there is an output `{name}` already", position)
        made.append((branch, tensor.node))
        self._outputs += 1


def leaving(spec: Spec, scope: Scope, tensor: Tensor) -> Tensor:
    """The tensor that leaves ``spec``: ``tensor``, or the first of the outputs that the spec lists.

    Every one of these is a tensor of its name, for a step that calls the spec.
    """
    made = [(name, tap(source, scope)) for name, source in spec.outputs.items()]
    for name, output in made:
        scope.setdefault(name, output)
    return made[0][1] if made else tensor


def _at_argument(fault: Fault, arguments: Arguments, name: str, step: Step) -> Fault:
    """Add to ``fault`` the value that ``name`` was given, else the step; and what that value passes on, if it does."""
    value = arguments.values.get(name)
    fault.places.append(step.position if value is None else value.position)
    bare = value is not None and value.expression is not None and value.expression.names == (value.expression.text,)
    fault.parameter = value.expression.text if value is not None and value.expression is not None and bare else ""
    return fault


def _path(step: Step, scope: Scope, frame: Frame, *, numbered: bool) -> str:
    segment = step.body if step.name is None else fill(step.name, scope)
    return frame.numbered(segment) if numbered else frame.path(segment)


def _around(spec: Spec, scope: Scope) -> Scope | None:
    """The scope that a local block was written in, looking outwards from its caller."""
    if spec.parent is None:
        return None
    around: Scope | None = scope
    while around is not None and around.spec.body is not spec.parent.body:
        around = around.parent
    return around


def _arguments(arguments: Arguments, scope: Scope) -> dict[str, Any]:
    values = arguments.fixed.copy()
    name = ""
    try:
        for name, evaluate in arguments.evaluators:
            values[name] = evaluate(scope)
    except Fault as fault:
        fault.places.append(arguments.values[name].position)
        raise
    except ConvcostError as error:
        raise Fault(str(error), arguments.values[name].position) from None
    return values


def _signature(spec: Spec, around: Scope | None, values: dict[str, Any], tensor: Tensor) -> Any:
    """The key that distinguishes one call from another."""
    serial = 0 if around is None else around.serial
    return (spec, serial, tensor.shape, *values, *values.values(), *map(type, values.values()))


MAX_CHAIN = 8  # calls named in an error


def build(
    spec: Spec,
    given: Mapping[str, Any] | None = None,
    input_shape: Shape | None = None,
    *,
    partial: bool = False,
    choices: Choices | None = None,
) -> Graph:
    """Run ``spec`` alone.

    Args:
        spec: linked.
        given: values of parameters, and of the sizes a block reads off its input; the rest takes its example
            or default. Numbers of any algebra.
        input_shape: ``(channels, *spatial)``, in place of what the spec states; of a network it has as many axes as
            the spec's own input, or the spatial ones alone, and other channels only where the spec names them.
            Of inputs with names it is a mapping of these to their sizes.
        partial: whether the caller shows what is not known of a file; a graph that is known in part is refused else.
        choices: what the steps with ``choose`` take; the first of their values where not given.

    Returns:
        The graph, whose ``parameters`` hold every value used.

    Raises:
        UsageError: there is no such parameter, a value does not fit it, or ``input_shape`` does not fit the spec.
        SpecError: a layer refuses its input, ...
        UnsupportedError: a file is known in part only, and the caller does not show that.
    """
    values = _given(spec, given or {})
    if isinstance(spec, Imported):
        return _of_file(spec, values, input_shape, partial=partial)
    budget = Budget(choices)
    try:
        scope = Scope(spec, None, values, budget, alone=True)
        (first, shape), *others = entering_shapes(spec, scope, input_shape).items()
        builder = Builder(shape, first)
        for name, own in others:
            scope[name] = builder.enter(own, name)
        output = Runner(builder, budget).body(spec, scope, builder.input)
        if choices is not None:
            choices.close()
        parameters = _parameters(spec, scope, replaced_names(spec, input_shape))
    except Fault as fault:
        raise SpecError([problem_of(fault, spec)]) from None
    session = assumptions.current()
    assumed = tuple(session.assumptions) if session is not None else ()
    return builder.graph(spec.name, spec.title, parameters, output, assumed)


def _of_file(spec: Imported, values: Mapping[str, Any], input_shape: Any, *, partial: bool) -> Graph:
    graph = spec.make(values, input_shape)
    if graph.status == "partial" and not partial:
        raise UnsupportedError(
            f"{spec.name} is known in part only: {unknown_line(graph)}; `convcost analyze` shows what is known"
        )
    return graph


def _given(spec: Spec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values handed in, each checked against what it is for."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        parameter = find(spec, name)
        made = from_python(value)
        try:
            if parameter is not None and parameter.name in values:
                raise UsageError(f"`{parameter.name}` of {spec.name} is given twice")
            if parameter is None:
                values[name] = whole(made, f"`{name}`", spec.position)
            else:
                values[parameter.name] = bind(parameter, made, parameter.position)
        except Fault as fault:
            raise UsageError(fault.message) from None
    return values


def _parameters(spec: Spec, scope: Scope, hidden: set[str]) -> dict[str, Any]:
    """Every value the run used but the ``hidden`` ones."""
    used_values: dict[str, Any] = {}
    for name in spec.names:
        if name not in hidden and (name in spec.parameters or name in scope):
            used_values[name] = scope[name]
    return used_values


def problem_of(fault: Fault, spec: Spec) -> Problem:
    """The fault as its reader wants it: the line of their own file first, then the way from there.

    A fault carries places from the innermost outwards.
    """
    places = list(dict.fromkeys(fault.places)) or [spec.position]
    mine = next((index for index, place in enumerate(places) if place.file == spec.file), 0)
    inside = [f"in {place}" for place in reversed(places[:mine])]
    around = [f"called from {place}" for place in places[mine + 1 :]]
    chain = [*inside, *around]
    if len(chain) > MAX_CHAIN:
        chain = [*chain[: MAX_CHAIN - 1], f"... and {len(chain) - MAX_CHAIN + 1} more calls"]
    return Problem(places[mine], fault.message, tuple(chain))
