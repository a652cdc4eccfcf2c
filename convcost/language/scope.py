"""The values of the names of a spec while it runs."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, unknown
from convcost.language.bind import bind
from convcost.language.expression import ExpressionError
from convcost.language.parts import Fault
from convcost.limits import MAX_FUNCTION_CALLS, MAX_FUNCTION_DEPTH

if TYPE_CHECKING:
    from convcost.language.model import Let, Spec
    from convcost.language.parts import Value
    from convcost.network.graph import Tensor


class Budget:
    """The remaining evaluation budget of a run; it guarantees that every run ends.

    Attributes:
        calls: calls of ``let`` functions left.
        depth: how deep they nest now.
    """

    __slots__ = ("calls", "depth")

    def __init__(self) -> None:
        self.calls = MAX_FUNCTION_CALLS
        self.depth = 0

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


class Scope(dict[str, Any]):
    """Names to values: loop variables, taps and whatever was computed; the rest is computed when first asked for.

    Attributes:
        spec: whose names these are.
        parent: the scope around a local block.
        alone: whether no step called the spec, so that examples replace parameters that are not given.
        inner: scopes of the named block calls, for taps such as ``backbone/pool4``.
        named: which step gave each tap its name.
        serial: its number; no other scope has it.
    """

    __slots__ = ("_budget", "_busy", "alone", "inner", "named", "parent", "serial", "spec")

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
        self.spec = spec
        self.parent = parent
        self.inner: dict[str, Scope] | None = None
        self.named: dict[str, object] | None = None
        self.alone = alone
        self.serial = next(self._serials)
        self._budget = budget
        self._busy: set[str] | None = None

    def enter(self, tensor: Tensor) -> None:
        """Let ``tensor`` be the input, and read the names of the spec's ``input`` off it."""
        self["x"] = self["input"] = tensor
        names = self.spec.input_names
        if names:
            shape = tensor.shape
            if len(names) == len(shape):
                for name, size in zip(names, shape, strict=True):
                    self[name] = size
            else:
                self[next(iter(names))] = shape[0]

    def __missing__(self, name: str) -> Any:
        spec = self.spec
        if name in spec.parameters or name in spec.lets:
            if self._busy is None:
                self._busy = set()
            if name in self._busy:
                raise ExpressionError(f"`{name}` is defined by itself")
            self._busy.add(name)
            try:
                value = self[name] = self._parameter(name) if name in spec.parameters else self._let(spec.lets[name])
            finally:
                self._busy.discard(name)
            return value
        if spec.input_names and name in spec.input_names:
            tensor = self.get("input")
            found = f"a tensor of shape {'x'.join(map(str, tensor.shape))}" if tensor is not None else "nothing"
            raise ExpressionError(f"`{name}` cannot be read off {found}")
        if self.parent is not None:
            return self.parent[name]
        raise ExpressionError(unknown("value", name, []))

    def _parameter(self, name: str) -> Any:
        parameter = self.spec.parameters[name]
        value = parameter.example if self.alone and parameter.example is not None else parameter.default
        if value is None:
            doc = f": {parameter.doc}" if parameter.doc else ""
            raise ExpressionError(f"{self.spec.name} needs a value for `{name}`{doc}")
        found = evaluate(value, self)
        return found if type(found) is int and parameter.any_int else bind(parameter, found, value.position)

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
