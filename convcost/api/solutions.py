"""Parameter values that meet budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.api.context import Context
from convcost.api.targets import Sizes, TargetLike, convention_of, input_shape, resolve
from convcost.catalogue.loader import Catalogue
from convcost.conventions import DEFAULT
from convcost.errors import UsageError
from convcost.language.model import own_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from convcost.metrics.devices import Device
    from convcost.solving.costs import Costs
    from convcost.solving.pareto import Points
    from convcost.solving.solution import Solution


def solve(  # noqa: PLR0913 - a context has as many parts
    target: TargetLike,
    name: str,
    *budgets: str,
    largest: bool | None = None,
    step: Any = None,
    within: tuple[Any, Any] | None = None,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    convention: str = DEFAULT,
    device: str | Device | None = None,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    batch: int = 1,
    fused: bool = True,
    **parameters: Any,
) -> Solution:
    """The largest or smallest value of a parameter that meets the budgets, exact with all rounding.

    Args:
        target: a network or block.
        name: what to solve for.
        *budgets: on any metric, as ``macs<=300M`` or ``peak<=512k``; see ``convcost solve --help``.
        largest: the largest or the smallest value. Where neither is asked for: the smallest if every budget is a lower
            bound (``>=`` or ``>``), else the largest.
        step: only multiples of it count.
        within: the least and the greatest value to consider.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: whose number ``reported`` is in a budget, as ``reported<=300M``.
        device: for metrics of time; a name or a file.
        dtype: number format of feature maps and arithmetic, for metrics of bytes and time.
        weights_dtype: number format of parameters; that of the maps where not given.
        batch: samples that operations, bytes and times are counted for.
        fused: whether norms and activations run on the output of the layer before them, before it is written.
        **parameters: values of the others; also for the networks and blocks that a budget names.

    Raises:
        UsageError: there is no such parameter, convention or device, or a budget is malformed.
        UnsupportedError: it cannot be proved how a cost changes with the parameter, and there are too many values to
            try all.

    >>> solve("bottleneck", "M", "macs<=1/2*plain").place.value
    154
    >>> solve("mobilenet_v2", "size", "peak<=1MB", dtype="int8", step=32).place.value
    160
    """
    from convcost.language.given import from_python  # noqa: PLC0415
    from convcost.solving import solution  # noqa: PLC0415 - only formulas need it

    setting = Context(batch, dtype, weights_dtype, device, fused, convention)
    costs = costs_of(target, [name], budgets, parameters, input=input, context=setting)
    return solution.solve(
        costs,
        largest=largest,
        step=None if step is None else from_python(step),
        within=None if within is None else (from_python(within[0]), from_python(within[1])),
    )


def pareto(  # noqa: PLR0913 - a context has as many parts
    target: TargetLike,
    steps: Mapping[str, Any],
    *budgets: str,
    ranges: Mapping[str, tuple[Any, Any]] | None = None,
    objectives: Sequence[str] = (),
    input: Sizes | None = None,  # noqa: A002
    convention: str = DEFAULT,
    device: str | Device | None = None,
    dtype: str = "float32",
    weights_dtype: str | None = None,
    batch: int = 1,
    fused: bool = True,
    **parameters: Any,
) -> Points:
    """The points of a grid over several parameters that meet the budgets and that no other point beats.

    Args:
        target: a network or block.
        steps: what to vary, and the step of each: its multiples are the grid.
        *budgets: as for :func:`solve`.
        ranges: the least and the greatest value of a parameter.
        objectives: what is better, as ``"max alpha"`` or ``"min macs"``; by default the largest of each parameter.
        input: ``(channels, *spatial)`` in place of the spec's own.
        convention: as for :func:`solve`, as are the others.
        device: for metrics of time; a device, or the name or file of one.
        dtype: number format of feature maps and arithmetic.
        weights_dtype: number format of parameters.
        batch: samples.
        fused: whether norms and activations run on the output of the layer before them.
        **parameters: values of the others; also for the networks and blocks that a budget names.

    Returns:
        The points in the order of the first objective, best first.

    Raises:
        UsageError: there is no such parameter, metric, convention or device, a budget is malformed or to be met nearly,
            or the grid has too many points.

    >>> steps = {"alpha": 0.25, "rho": 0.25}
    >>> points = pareto("mobilenet_v1", steps, "macs<=100M", ranges={"alpha": (0.25, 1), "rho": (0.25, 1)})
    >>> [(float(point.values["alpha"]), float(point.values["rho"])) for point in points]
    [(1.0, 0.25), (0.75, 0.5), (0.5, 0.75), (0.25, 1.0)]
    """
    from convcost.language.given import from_python  # noqa: PLC0415
    from convcost.metrics.objective import Objective, objectives_of  # noqa: PLC0415
    from convcost.solving import pareto as grid  # noqa: PLC0415 - only formulas need it

    setting = Context(batch, dtype, weights_dtype, device, fused, convention)
    costs = costs_of(target, list(steps), budgets, parameters, input=input, context=setting, objectives=objectives)
    own = costs.spec.parameters
    named = convention != DEFAULT
    goals = objectives_of(objectives, costs.names, named=named)
    return grid.pareto(
        costs,
        {own_name(name, own): from_python(step) for name, step in steps.items()},
        {own_name(name, own): (from_python(low), from_python(high)) for name, (low, high) in (ranges or {}).items()},
        goals or [Objective(name, largest=True) for name in costs.names],
    )


def costs_of(
    target: TargetLike,
    names: Iterable[str],
    budgets: Iterable[str],
    parameters: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
    *,
    input: Sizes | None = None,  # noqa: A002
    context: Context = Context(),  # noqa: B008 - immutable
    objectives: Iterable[str] = (),
    option: str = "",
) -> Costs:
    """The metrics of a network over some of its parameters, and the budgets to be met.

    Args:
        target: a network or block.
        names: of the parameters to vary.
        budgets: as for :func:`solve`.
        parameters: values, for the target and for the networks and blocks that a budget names.
        input: ``(channels, *spatial)`` in place of the spec's own.
        context: what metrics are evaluated for.
        objectives: as for :func:`pareto`.
        option: where the parameters come from, for errors.

    Raises:
        UsageError: there is no such parameter, metric, convention or device, or a budget is malformed.
        SpecError: a spec is wrong, or a value does not fit.
    """
    from convcost.metrics.devices import device as device_of  # noqa: PLC0415
    from convcost.metrics.objective import objectives_of  # noqa: PLC0415
    from convcost.solving.budgets import parse_budget  # noqa: PLC0415
    from convcost.solving.costs import Costs, Setting  # noqa: PLC0415 - only formulas need it

    catalogue = Catalogue()
    named = context.convention != DEFAULT
    bounds = [parse_budget(text, catalogue, named=named) for text in budgets]
    if not bounds:
        raise UsageError("solve needs a budget, as macs<=300M")
    others = list(dict.fromkeys(other for bound in bounds for other in bound.others))
    own, *theirs = resolve([target, *others], parameters, catalogue=catalogue, option=option)
    wanted = list(dict.fromkeys(own_name(name, own.spec.parameters) for name in names))
    goals = [goal.key for goal in objectives_of(objectives, wanted, named=named)]
    setting = Setting(
        context.batch,
        context.dtype,
        context.weights_dtype,
        device_of(context.device) if isinstance(context.device, str) else context.device,
        context.fused,
        convention_of(context.convention, own.spec),
    )
    return Costs(
        own.spec,
        wanted,
        own.values,
        bounds,
        {other: their.values for other, their in zip(others, theirs, strict=True)},
        input_shape(input),
        [key for key in goals if key not in wanted],
        setting,
    )
