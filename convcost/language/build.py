"""From a linked spec and values to a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import Problem, SpecError, UsageError
from convcost.language.bind import bind, find, from_python
from convcost.language.flow import whole
from convcost.language.input import input_shape as entering
from convcost.language.input import replaced_sizes
from convcost.language.parts import Fault
from convcost.language.run import Runner
from convcost.language.scope import Budget, Scope
from convcost.network.graph import Builder, Graph
from convcost.numbers import assumptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from convcost.language.model import Spec
    from convcost.language.parts import Value
    from convcost.layers.base import Shape


MAX_CHAIN = 8  # calls named in an error


def build(spec: Spec, given: Mapping[str, Any] | None = None, input_shape: Shape | None = None) -> Graph:
    """Run ``spec`` alone.

    Args:
        spec: linked.
        given: values of parameters, and of the sizes a block reads off its input; the rest takes its example
            or default. Numbers of any algebra.
        input_shape: ``(channels, *spatial)``, in place of what the spec states; of a network it has as many axes as
            the spec's own input, or the spatial ones alone, and other channels only where the spec names them.

    Returns:
        The graph, whose ``parameters`` hold every value used.

    Raises:
        UsageError: there is no such parameter, a value does not fit it, or ``input_shape`` does not fit the spec.
        SpecError: a layer refuses its input, ...
    """
    values = _given(spec, given or {})
    budget = Budget()
    try:
        scope = Scope(spec, None, values, budget, alone=True)
        builder = Builder(entering(spec, scope, input_shape))
        output = Runner(builder, budget).body(spec, scope, builder.input)
        parameters = _parameters(spec, scope, replaced_sizes(spec, input_shape))
    except Fault as fault:
        raise SpecError([explain(fault, spec)]) from None
    session = assumptions.current()
    assumed = tuple(session.assumptions) if session is not None else ()
    return builder.graph(spec.name, spec.title, parameters, output, assumed)


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


def _parameters(spec: Spec, scope: Scope, replaced: tuple[Value, ...]) -> dict[str, Any]:
    """Every value the run used; those of ``replaced`` sizes of the input are left out."""
    hidden = {name for size in replaced for used, _ in size.expressions() for name in used.names}
    names = [*(spec.input_names or ()), *spec.parameters]
    found: dict[str, Any] = {}
    for name in names:
        if name not in hidden and (name in spec.parameters or name in scope):
            found[name] = scope[name]
    return found


def explain(fault: Fault, spec: Spec) -> Problem:
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
