"""Runs a linked spec: evaluates its steps and makes the builder calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, FieldError
from convcost.language.bind import bind
from convcost.language.flow import condition, parallel, rows, times, turns
from convcost.language.parts import Fault
from convcost.language.scope import Budget, Scope
from convcost.language.taps import fill, name_passed, name_tensor, tap
from convcost.limits import MAX_CALL_DEPTH, MAX_STEPS
from convcost.network.replay import Recording
from convcost.numbers.arithmetic import provably

if TYPE_CHECKING:
    from convcost.errors import Position
    from convcost.language.model import Branch, Spec, Step
    from convcost.language.parts import Arguments
    from convcost.network.graph import Builder, Tensor
    from convcost.numbers.arithmetic import Num


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
        self._count: Num = 1  # identical parallel copies that the current branch stands for
        self._block = 0  # leading segments that name the outermost block, 0 outside any
        self._recordings: dict[Any, Recording] = {}

    def body(self, spec: Spec, scope: Scope, tensor: Tensor) -> Tensor:
        """Run the layers of ``spec`` on ``tensor`` in ``scope``, at the top of the tree of paths."""
        scope.enter(tensor)
        return self._steps(spec.layers, scope, tensor, Frame(""))

    def _steps(self, steps: tuple[Step, ...], scope: Scope, tensor: Tensor, frame: Frame) -> Tensor:
        for step in steps:
            self._steps_left -= 1
            if self._steps_left < 0:
                self._spend(0, step)
            if step.plain:
                scope["x"] = tensor
                tensor = self._once(step, step.arguments, scope, tensor, frame, numbered=False)
            else:
                tensor = self._controlled(step, scope, tensor, frame)
        return tensor

    def _controlled(self, step: Step, scope: Scope, tensor: Tensor, frame: Frame) -> Tensor:
        if step.from_ is not None:
            tensor = tap(step.from_, scope)
        scope["x"] = tensor
        if step.loop is None:
            return self._copies(step, scope, tensor, frame, looped=False)
        looped = step.name is None or step.name.fixed
        ran = False
        for _ in rows(step.loop, scope):
            ran = True
            tensor = self._copies(step, scope, tensor, frame, looped=looped)
            scope["x"] = tensor
        if not ran and looped:  # a name that depends on the row has no value without one
            name_passed(step, scope, tensor)
        return tensor

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
        if step.name is not None:
            name_tensor(step, scope, result, inner)
        return result

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
            key = _signature(spec, around, values, tensor) if step.name is None else None
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
        base, outputs, left = len(builder.nodes), len(builder.outputs), self._steps_left
        self._depth += 1
        if self._depth > MAX_CALL_DEPTH:
            raise Fault(f"blocks call each other deeper than {MAX_CALL_DEPTH} levels", step.position)
        result = self._steps(spec.layers, inner, tensor, Frame(path + "/"))
        self._depth -= 1
        alone = type(self._count) is int and self._count == 1
        if key is not None and alone and len(builder.outputs) == outputs:
            self._recordings[key] = Recording(builder, base, tensor, path, result, left - self._steps_left)
        return result

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
                    self._output(branch, made[0], step.position)
        scope["x"] = tensor
        if step.body == "output":
            return tensor
        if not operands:
            raise Fault(f"{step.body}: no branch is left", step.position)
        if len(operands) == 1 and lone and provably(operands[0][1], 1):
            return operands[0][0]
        return self._layer(step, step.arguments, {}, tuple(operands), inside.path(step.body))

    def _branch(
        self, branch: Branch, scope: Scope, tensor: Tensor, frame: Frame, *, looped: bool
    ) -> tuple[Tensor, Num] | None:
        if branch.when is not None and not condition(branch.when, scope):
            return None
        copies = 1 if branch.repeat is None else parallel(branch.repeat, scope)
        if branch.from_ is not None:
            tensor = tap(branch.from_, scope)
        if branch.steps:
            path = frame.numbered(branch.name) if looped else frame.path(branch.name)
            before, self._count = self._count, self._count * copies
            tensor = self._steps(branch.steps, scope, tensor, Frame(path + "/"))
            self._count = before
        return tensor, copies

    def _output(self, branch: Branch, tensor: Tensor, position: Position) -> None:
        if branch.name in self._builder.outputs:
            raise Fault(f"there is an output `{branch.name}` already", position)
        self._builder.outputs[branch.name] = tensor.node


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
