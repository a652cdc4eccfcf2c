"""From a checked spec and values to a graph: the interpreter of the language."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, FieldError, Problem, ShapeError, SpecError, UnsupportedError
from convcost.language.given import bind, given_values
from convcost.language.inputs import entering_shapes, replaced_names
from convcost.language.model import Fault, Imported
from convcost.language.scope import (
    Budget,
    Scope,
    Weights,
    condition,
    evaluate,
    name_passed,
    name_tensor,
    name_weights,
    options,
    parallel,
    rows,
    tap,
    times,
    turns,
)
from convcost.layers import REGISTRY
from convcost.limits import MAX_CALL_DEPTH, MAX_FUNCTION_CALLS, MAX_NODES, MAX_STEPS
from convcost.network.cost import unknown_line
from convcost.network.graph import Builder, Graph, Tensor
from convcost.network.replay import Recording
from convcost.network.sharing import has_parameters, share
from convcost.numbers import assumptions
from convcost.numbers.arithmetic import decide, is_symbolic, provably

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from convcost.errors import Position
    from convcost.language.choices import Choices
    from convcost.language.model import Arguments, Branch, Spec, Step
    from convcost.layers.base import Shape
    from convcost.network.graph import Series
    from convcost.numbers.arithmetic import Num


class Frame:
    """A place in the tree of paths: its prefix, and how often each segment was used below it."""

    __slots__ = ("prefix", "used")

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.used: dict[str, int] = {}

    def path(self, segment: str) -> str:
        """The path of one more ``segment`` here; a second one of the same name gets ``#2``."""
        used = self.used
        if segment not in used:
            used[segment] = 1
            return self.prefix + segment
        used[segment] += 1
        return f"{self.prefix}{segment}#{used[segment]}"

    def numbered(self, segment: str) -> str:
        """The path of one more copy of ``segment``: ``[1]``, ``[2]`` ..."""
        times = self.used[segment] = self.used.get(segment, 0) + 1
        return f"{self.prefix}{segment}[{times}]"


class Open(Fault):
    """A repeat whose number of copies cannot be a symbol."""


class _Copies:
    """The copies of a step, for :func:`convcost.language.series.run`."""

    def __init__(self, runner: Runner, step: Step, scope: Scope, frame: Frame) -> None:
        self.builder = runner.builder
        self._runner, self._step, self._scope, self._frame = runner, step, scope, frame

    def copy(self, tensor: Tensor, *, first: bool) -> Tensor:
        """Run one more copy on ``tensor``."""
        return self._runner.copy(self._step, self._scope, tensor, self._frame, first=first)

    def tensors(self) -> dict[str, Tensor]:
        """The named tensors that a copy can read."""
        return {name: value for name, value in self._scope.items() if isinstance(value, Tensor) and name != "x"}

    def rename(self, tensors: Mapping[str, Tensor]) -> None:
        """Let these names mean other tensors; what is inside a block that has changed has no name any more."""
        inner = self._scope.inner
        for name, tensor in tensors.items():
            if inner is not None and tensor is not self._scope[name]:
                inner.pop(name, None)
        self._scope.update(tensors)

    def carry(self, tensor: Tensor, shape: Shape) -> Tensor:
        """The tensor of this shape that the last of all copies makes in place of ``tensor``."""
        self._runner.leave_out((-1, 0, 0))  # no layer of the network
        return self.builder.carry(tensor, shape)

    @contextmanager
    def scratch(self) -> Iterator[None]:
        """A context whose end undoes what was run in it."""
        scope, frame = self._scope, self._frame
        names, used, start = dict(scope), dict(frame.used), len(self.builder.nodes)
        inner = None if scope.inner is None else dict(scope.inner)
        weights = None if scope.weights is None else dict(scope.weights)
        with self._runner.undone():
            yield
        del self.builder.nodes[start:]
        self.forget(start)
        scope.clear()
        scope.update(names)
        scope.inner, scope.weights, frame.used = inner, weights, used

    def spent(self) -> tuple[Num, ...]:
        """What the run has spent of its limits."""
        return self._runner.spent

    def spend(self, more: Sequence[Num]) -> None:
        """Note that the copies which are not run would spend this in addition."""
        self._runner.leave_out(more)

    def forget(self, start: int) -> None:
        """Repeat no block from memory whose layers begin at the node ``start`` or later."""
        self._runner.forget(start)


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
        self._not_run: tuple[Num, ...] = (0, 0, 0)  # what copies would have spent that are not run; see `spent`
        self._left_out: dict[Any, tuple[tuple[Num, ...], list[Series]]] = {}  # the same of a recorded block, by its key

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
        choices = self._choices
        for step in steps:
            self._steps_left -= 1
            if self._steps_left < 0:
                self._spend(0, step)
            if choices is not None:
                start = len(self._builder.nodes)
                choices.enter()
                tensor = self._controlled(step, scope, tensor, frame)
                choices.leave(start, len(self._builder.nodes))
            elif not step.plain:
                tensor = self._controlled(step, scope, tensor, frame)
            elif step.branches or step.body == "do":
                scope["x"] = tensor
                tensor = self._once(step, step.arguments, scope, tensor, frame, numbered=False)
            else:  # nearly every step is a layer or block and nothing else
                scope["x"] = tensor
                tensor, _ = self._body(step, step.arguments, scope, tensor, frame.path(step.body))
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
            path = frame.prefix + (step.body if step.name is None else evaluate(step.name, scope))
            start, position = len(self._builder.nodes), step.choose.position
            row = self._choices.begin(path, names, rows, start, tensor, scope.serial, position)
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
        if type(copies) is not int:
            return self._series(step, copies, scope, tensor, frame)
        if not copies:
            name_passed(step, scope, tensor)
        for copy in range(copies):
            self._spend(1, step)
            arguments = step.first_arguments if copy == 0 else step.arguments
            tensor = self._once(step, arguments, scope, tensor, frame, numbered=True)
            scope["x"] = tensor
        return tensor

    def _series(self, step: Step, copies: Num, scope: Scope, tensor: Tensor, frame: Frame) -> Tensor:
        """A repeat whose number of copies is an expression of symbols.

        Raises:
            Open: there is no closed form in this number.
        """
        from convcost.language.series import Refused, at_least, run  # noqa: PLC0415 - numbers need no symbols

        if not decide(">=", *at_least(copies, 1)):
            name_passed(step, scope, tensor)
            return tensor
        outputs = self._outputs
        try:
            result = run(_Copies(self, step, scope, frame), copies, tensor)
            reason = "every copy makes an output of the network" if self._outputs != outputs else ""
        except Refused as error:
            reason = str(error)
        if _shares_weights(step):
            reason = "copies share weights"
        if reason:
            names = ", ".join(f"`{name}`" for name in sorted(map(str, copies.symbols)))
            raise Open(f"{names} cannot be free: {reason}", getattr(step.repeat, "position", step.position))
        scope["x"] = result
        return result

    def copy(self, step: Step, scope: Scope, tensor: Tensor, frame: Frame, *, first: bool) -> Tensor:
        """Run one copy of a repeat on ``tensor``."""
        self._spend(1, step)
        scope["x"] = tensor
        arguments = step.first_arguments if first else step.arguments
        return self._once(step, arguments, scope, tensor, frame, numbered=True)

    @property
    def builder(self) -> Builder:
        """What the layers are appended to."""
        return self._builder

    @contextmanager
    def undone(self) -> Iterator[None]:
        """A context at whose end what was spent in it is not."""
        before = (self._steps_left, self._budget.calls, self._not_run, len(self._builder.series))
        yield
        self._steps_left, self._budget.calls, self._not_run, series = before
        del self._builder.series[series:]

    def leave_out(self, more: Sequence[Num]) -> None:
        """Note what copies would have spent that are not run; see :attr:`spent`."""
        self._not_run = tuple(before + own for before, own in zip(self._not_run, more, strict=True))

    def forget(self, start: int) -> None:
        """Repeat no block from memory whose layers begin at the node ``start`` or later."""
        self._recordings = {key: made for key, made in self._recordings.items() if made.start < start}

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
            result, inner = self._body(step, arguments, scope, tensor, path)
        if step.shares is not None:
            self._share(step, scope, start)
        if step.name is not None:
            name_tensor(step, scope, result, inner)
            name_weights(step, scope, Weights(start, len(self._builder.nodes), shared=False))
        return result

    def _body(
        self, step: Step, arguments: Arguments, scope: Scope, tensor: Tensor, path: str
    ) -> tuple[Tensor, Scope | None]:
        """Run the layer or block of ``step``; of a block, with the scope in it."""
        try:
            if step.block is not None:
                return self._call(step, arguments, _arguments(arguments, scope), scope, tensor, path)
            values = _arguments(arguments, scope) if arguments.evaluators else arguments.fixed
            return self._layer(step, arguments, values, ((tensor, 1),), path), None
        except Fault as fault:
            fault.places = [place.within(step.position) for place in fault.places]
            raise

    def _share(self, step: Step, scope: Scope, start: int) -> None:
        """Let the layers from ``start`` on use the weights of the name that ``step`` shares, which may be their own."""
        template: Any = step.shares
        name = evaluate(template, scope)
        if scope.weights is None:
            scope.weights = {}
        nodes = self._builder.nodes
        own = Weights(start, len(nodes), shared=True)
        owner = scope.weights.setdefault(name, own)
        try:
            if owner is not own:
                share(nodes, range(owner.start, owner.end), range(start, len(nodes)), name)
                self.forget(start)  # what was noted for repeating has lost its parameters
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
                step.body,
                values,
                inputs,
                path,
                block=self._block,
                count=self._count,
                position=step.position,
                signature=arguments.signature,
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
                if key in self._left_out:
                    self._leave_out_again(*self._left_out[key], known.start, tensor)
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
        not_run, series = self._not_run, len(builder.series)
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
            if len(builder.series) > series:
                more = tuple(after - before for after, before in zip(self._not_run, not_run, strict=True))
                self._left_out[key] = (more, builder.series[series:])
        return result

    def _leave_out_again(self, more: tuple[Num, ...], series: list[Series], start: int, tensor: Tensor) -> None:
        """Note what a block that is repeated from memory leaves out: the copies of its repeats that are not run."""
        self._not_run = tuple(before + own for before, own in zip(self._not_run, more, strict=True))
        shift = len(self._builder.nodes) - start
        self._builder.series += [own.again(start, shift, tensor.node, self._count) for own in series]

    @property
    def spent(self) -> tuple[Num, ...]:
        """Layers, steps and calls of functions so far, those of copies that were not run included."""
        own = (len(self._builder.nodes), MAX_STEPS - self._steps_left, MAX_FUNCTION_CALLS - self._budget.calls)
        return tuple(here + more for here, more in zip(own, self._not_run, strict=True))

    @property
    def limits(self) -> tuple[tuple[Num, int], ...]:
        """What the copies that were not run need of each limit, if there are some, with the limit."""
        most = (MAX_NODES + 1, MAX_STEPS, MAX_FUNCTION_CALLS)
        return tuple((spent, limit) for spent, limit in zip(self.spent, most, strict=True) if is_symbolic(spent))

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
                path = frame.path(evaluate(branch.title, scope))
            else:
                path = frame.numbered(branch.name) if looped else frame.path(branch.name)
            before, self._count = self._count, self._count * copies
            tensor = self._steps(branch.steps, scope, tensor, Frame(path + "/"))
            self._count = before
        return tensor, copies

    def _output(self, branch: Branch, scope: Scope, tensor: Tensor, position: Position) -> None:
        name = branch.name if branch.title is None else evaluate(branch.title, scope)
        made = self._made.setdefault(name, [])
        if made and (made[0][0] is not branch or branch.title is not None):
            raise Fault(f"there is an output `{name}` already", position)
        made.append((branch, tensor.node))
        self._outputs += 1


def _shares_weights(step: Step) -> bool:
    """Whether a step, or a step in it, has weights in common with others."""
    inner = [*step.steps, *(inside for branch in step.branches for inside in branch.steps)]
    return step.shares is not None or any(map(_shares_weights, inner))


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
    segment = step.body if step.name is None else evaluate(step.name, scope)
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
    values = given_values(spec, given or {})
    if isinstance(spec, Imported):
        return _of_file(spec, values, input_shape, partial=partial)
    budget = Budget(choices)
    try:
        scope, builder = _entered(spec, values, budget, input_shape)
        runner = Runner(builder, budget)
        output = runner.body(spec, scope, builder.input)
        if choices is not None:
            choices.close()
        parameters = _parameters(spec, scope, replaced_names(spec, input_shape))
    except Open as fault:
        raise UnsupportedError(str(problem_of(fault, spec))) from None
    except Fault as fault:
        raise SpecError([problem_of(fault, spec)]) from None
    session = assumptions.current()
    assumed = tuple(session.assumptions) if session is not None else ()
    graph = builder.graph(spec.name, spec.title, parameters, output, assumed)
    graph.limits = runner.limits
    graph.fixed = frozenset(name for name, own in spec.parameters.items() if own.quiet and name not in values)
    return graph


def bound(spec: Spec, given: Mapping[str, Any], input_shape: Shape | None = None) -> dict[str, Any]:
    """The values of the parameters of ``spec`` in a run of it, without the run; arguments as :func:`build`.

    Raises:
        UsageError: there is no such parameter, a value does not fit it, or ``input_shape`` does not fit the spec.
        SpecError: a default cannot be computed.
    """
    values = given_values(spec, given)
    if isinstance(spec, Imported):
        return _of_file(spec, values, input_shape, partial=True).parameters
    try:
        scope, builder = _entered(spec, values, Budget(), input_shape)
        scope.enter(builder.input)
        return _parameters(spec, scope, replaced_names(spec, input_shape))
    except Fault as fault:
        raise SpecError([problem_of(fault, spec)]) from None


def _entered(spec: Spec, values: dict[str, Any], budget: Budget, input_shape: Any) -> tuple[Scope, Builder]:
    """The scope of a run alone, and a builder with what enters."""
    scope = Scope(spec, None, values, budget, alone=True)
    (first, shape), *others = entering_shapes(spec, scope, input_shape).items()
    builder = Builder(shape, first)
    for name, own in others:
        scope[name] = builder.enter(own, name)
    return scope, builder


def _of_file(spec: Imported, values: Mapping[str, Any], input_shape: Any, *, partial: bool) -> Graph:
    graph = spec.make(values, input_shape)
    if graph.status == "partial" and not partial:
        raise UnsupportedError(
            f"{spec.name} is known in part only: {unknown_line(graph)}; `convcost analyze` shows what is known"
        )
    return graph


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
