"""Names and their values while a spec runs, and the values of everything that is written in terms of them."""

from __future__ import annotations

from itertools import count, product
from math import prod
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, unknown
from convcost.language.expression import ExpressionError
from convcost.language.given import bind, whole
from convcost.language.model import Fault
from convcost.language.operations import describe, truth
from convcost.limits import MAX_FUNCTION_CALLS, MAX_FUNCTION_DEPTH, MAX_ITEMS, MAX_STEPS
from convcost.network.graph import Tensor
from convcost.numbers.arithmetic import is_symbolic, is_whole, normal
from convcost.records import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from convcost.language.choices import Choices
    from convcost.language.model import Branch, Choose, Let, Loop, Spec, Step, Template, Value
    from convcost.numbers.arithmetic import Num


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
        if self.spec.inputs:
            for name in self.spec.inputs:  # of several, the others are there already
                self.setdefault(name, tensor)
        names = self.spec.input_names
        if names:
            shape = tensor.shape
            if len(names) == len(shape):
                self.update(zip(names, shape, strict=True))
            else:
                self[next(iter(names))] = shape[0]

    def note_name(self, tensor: Tensor, *, inside: bool) -> None:
        """Note for a design space that a tensor has a name, and whether those inside its block can be read as well."""
        if self._budget.choices is not None:
            self._budget.choices.name(self.serial, tensor, inside=inside)

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


def evaluate(value: Value | Template, scope: Any) -> Any:
    """The value of ``value`` in ``scope``, or the name that a template gives there.

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


def times(value: Value, scope: Scope) -> Num:
    """How many copies in sequence a ``repeat`` makes; may be an expression of symbols.

    Raises:
        Fault: it is no whole number, or too large.
    """
    copies = normal(evaluate(value, scope))
    if is_symbolic(copies) and is_whole(copies):
        return copies
    if type(copies) is not int or copies < 0:
        raise Fault(f"`repeat` must be a whole number, found {describe(copies)}", value.position)
    if copies > MAX_STEPS:
        raise Fault(f"`repeat` may be at most {MAX_STEPS:,}, found {describe(copies)}", value.position)
    return copies


def parallel(value: Value, scope: Scope) -> Num:
    """How many identical parallel branches a ``repeat`` on a branch makes; may be symbolic."""
    return whole(evaluate(value, scope), "`repeat` of a branch", value.position)


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


def tap(template: Template, scope: Scope) -> Tensor:
    """The tensor of that name: ``x``, ``input``, a named step, or ``NAME/INNER`` inside a named block.

    Raises:
        Fault: no earlier step has that name.
    """
    path = evaluate(template, scope)
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
    name = evaluate(template, scope)
    if scope.named is None:
        scope.named = {}
    owner = scope.named.setdefault(name, step)
    if owner is not step:
        raise Fault(f"there is a step named `{name[:60]}` already", template.position)
    if name in scope and not isinstance(scope[name], Tensor):
        raise Fault(f"the name `{name[:60]}` is taken by a variable", template.position)
    scope[name] = tensor
    scope.note_name(tensor, inside=inner is not None)
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
    name = evaluate(template, scope)
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
    if step.name is not None and (name := evaluate(step.name, scope)) not in scope:
        scope[name] = tensor
        scope.note_name(tensor, inside=False)
