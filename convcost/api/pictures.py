"""Pictures of networks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.api.counts import analyze, apart, roofline, table
from convcost.api.targets import Network, Sizes, Target, built, resolve
from convcost.catalogue.loader import bundled_names
from convcost.errors import ConvcostError, SpecError, UsageError, not_among
from convcost.network.graph import Graph
from convcost.numbers.arithmetic import is_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from convcost.drawing.chart import Chart
    from convcost.drawing.drawing import Drawing
    from convcost.formulas.comparison import Ratio
    from convcost.metrics.report import Analysis

_POINTS = 48  # values of a name, where no step is given
_MOST_POINTS = 2000


def draw(
    *networks: Network,
    depth: int | None = None,
    input: Sizes | None = None,  # noqa: A002 - the language's own word
    **parameters: Any,
) -> Drawing:
    """Networks as boxes and lines: norms and activations in the box before them, equal blocks in a row once.

    Args:
        *networks: targets or graphs, which are drawn beside each other.
        depth: levels of blocks that are drawn; what is deeper is summed up in a box. Where not given, as many as fit.
        input: ``(channels, *spatial)`` in place of the targets' own.
        **parameters: values, for every target that has the name.

    Returns:
        A drawing; ``svg()``, ``text()``, ``mermaid()`` and ``dot()`` write it. A notebook shows it.

    Raises:
        UsageError: ``depth`` has a wrong value, there is no network, or no such parameter or target.
        SpecError: the spec is wrong, or a value does not fit.

    >>> draw("bottleneck_residual")
    <drawing of bottleneck_residual: 4 boxes for 10 layers>
    """
    from convcost.drawing.drawing import Drawing  # noqa: PLC0415 - only this question pays for it

    if not any(isinstance(network, Graph) for network in networks):
        networks, parameters = tuple(resolve([_target(network) for network in networks], parameters)), {}
    return Drawing(*(built(network, input, parameters, partial=True)[0] for network in networks), depth=depth)


def plot(
    *networks: Network,
    kind: str = "layers",
    metric: str | None = None,
    by: str | None = None,
    over: str | None = None,
    input: Sizes | None = None,  # noqa: A002
    **options: Any,
) -> Chart:
    """A chart of the cost of networks.

    Args:
        *networks: targets or graphs: one, two for ``ratio``, any number for ``scatter`` and ``scaling``.
        kind: ``layers`` (a bar for each row), ``cumulative`` (the share of the network up to each layer), ``memory``
            (bytes alive at every step), ``receptive`` (receptive field of every layer), ``channels`` (input channels
            that each channel depends on), ``roofline`` (layers under the roof of a device), ``scatter`` (networks by
            two metrics), ``ratio`` (two networks over a name) or ``scaling`` (a metric over a name).
        metric: what is plotted: ``macs`` where not given; of a scatter two, as ``params,macs``.
        by: of ``layers``: ``layer``, ``block``, ``stage`` or ``kind``; where not given, the finest that fits.
        over: of ``ratio`` and ``scaling``: a name, or ``NAME=VALUES`` with the values as in :func:`sweep`; a range
            without a step has some fifty.
        input: ``(channels, *spatial)`` in place of the targets' own.
        **options: as for :func:`analyze`, values of parameters among them; ``roofline`` needs a ``device``.

    Returns:
        A chart; ``svg()``, ``text()``, ``png()`` and ``pdf()`` write it. A notebook shows it.

    Raises:
        UsageError: there is no such kind or metric, or the kind needs other networks or options.
        SpecError: a spec is wrong, or a value does not fit.

    >>> plot("resnet50")
    <layers chart: 25 bars>
    >>> plot("depthwise_separable_conv", "standard_conv", kind="ratio", over="O=1:64").rules[1].text
    'limit 1/9 as O -> oo'
    """
    from convcost.drawing import charts  # noqa: PLC0415 - only this question pays for it

    if kind not in charts.KINDS:
        raise UsageError(not_among("kind", kind, charts.KINDS))
    for name, value, kinds in (("over", over, ("ratio", "scaling")), ("by", by, ("layers",))):
        if value is not None and kind not in kinds:
            raise UsageError(f"`{name}` is for plots of kind {' and '.join(kinds)}, found {kind}")
    if kind in charts.OF_ONE:
        return _of_one(networks, kind, metric, by, {"input": input, **options})
    if kind == "scatter":
        return _scatter(networks, metric or "params,macs", {"input": input, **options})
    return _over(networks, kind, metric or "macs", over, {"input": input, **options})


def _of_one(
    networks: Sequence[Network], kind: str, metric: str | None, by: str | None, options: Mapping[str, Any]
) -> Chart:
    """A chart of the layers of one network."""
    from convcost.drawing import charts  # noqa: PLC0415

    if len(networks) != 1:
        raise UsageError(f"a plot of kind {kind} takes one network, found {len(networks)}")
    if kind == "roofline":
        return charts.roofline(roofline(networks[0], **options))
    analysis = analyze(networks[0], **options)
    if kind == "layers":
        return charts.layers(analysis, metric or "macs", by)
    if kind == "cumulative":
        return charts.cumulative(analysis, (metric or "macs,params").split(","))
    return {"memory": charts.memory, "receptive": charts.receptive, "channels": charts.channels}[kind](analysis)


def _scatter(networks: Sequence[Network], metrics: str, options: Mapping[str, Any]) -> Chart:
    """A chart of networks by two metrics."""
    from convcost.drawing import charts  # noqa: PLC0415

    across, _, up = metrics.partition(",")
    if not up or "," in up:
        raise UsageError(f"a scatter takes two metrics, such as params,macs; found '{metrics[:60]}'")
    made = table(*(networks or bundled_names(blocks=False)), columns=(), **options)
    return charts.scatter(made.analyses, made.labels, (across, up))


def _over(networks: Sequence[Network], kind: str, metric: str, over: str | None, options: Mapping[str, Any]) -> Chart:
    """A chart of a metric, or of its ratio, over one name."""
    from convcost.drawing import charts  # noqa: PLC0415
    from convcost.metrics.registry import metric as metric_of  # noqa: PLC0415

    record = metric_of(metric)
    if over is None:
        raise UsageError(f"a plot of kind {kind} needs `over`: a name, such as alpha or alpha=0.25:1.5")
    if kind == "ratio" and len(networks) != 2:  # noqa: PLR2004
        raise UsageError(f"a plot of kind ratio takes two networks, found {len(networks)}")
    if not networks:
        raise UsageError("a plot of kind scaling takes a network")
    context, parameters = apart(options)
    targets = resolve([_target(network) for network in networks], parameters)
    name, values = _values(over, targets)
    made: list[list[tuple[Any, Any]]] = [[] for _ in targets]
    failed: SpecError | None = None
    for value in values:
        try:
            costs = [_at(target, name, value, context).value(metric) for target in targets]
        except SpecError as error:  # not every value has a network
            failed = error
            continue
        for points, cost in zip(made, costs, strict=True):
            points.append((value, cost))
    if len(made[0]) < 2:  # noqa: PLR2004 - a line needs two points
        raise failed or UsageError(f"--over {over}: one value makes no line")
    labels = [target.name for target in targets]
    if kind == "scaling":
        return charts.scaling(record, name, list(zip(labels, made, strict=True)))
    first, second = made
    points = [(x, Fraction(a) / b) for (x, a), (_, b) in zip(first, second, strict=True) if b]
    return charts.ratio(
        (labels[0], labels[1]), record, name, points, _formula(targets, name, points[-1][0], metric, context)
    )


def _target(network: Network) -> Any:
    if isinstance(network, Graph):
        raise UsageError("a name is varied in a target, not in a graph; give the name or the file")
    return network


def _at(target: Target, name: str, value: Any, context: Mapping[str, Any]) -> Analysis:
    """A target with another value of a name, if it has that name."""
    given = {name: value} if name in target.spec.names else {}
    return analyze(target._replace(values={**target.values, **given}), **context)


def _formula(targets: Sequence[Target], name: str, value: Any, metric: str, context: Mapping[str, Any]) -> Ratio | None:
    """The ratio of the closed forms in ``name``, where the metric has some and both targets take the name or not."""
    from convcost.api.formulas import compare  # noqa: PLC0415 - imports sympy

    shared = [
        target._replace(values={**target.values, name: value}) if name in target.spec.names else target
        for target in targets
    ]  # with one value the name is one symbol, as it is one axis
    try:
        comparison = compare(*shared, free=[name], input=context.get("input"))
    except ConvcostError:  # the name is no symbol: it shapes the network
        return None
    return comparison.ratios[targets[0].name].get(metric)


def _values(over: str, targets: Sequence[Target]) -> tuple[str, list[Any]]:
    """The name and the values of ``NAME`` or ``NAME=VALUES``, in ascending order.

    Raises:
        UsageError: it is neither, there is no such name, or the values are no numbers or too many.
    """
    from convcost.api.targets import check_names  # noqa: PLC0415
    from convcost.sweeps.axes import axes_of  # noqa: PLC0415

    name, equals, text = over.partition("=")
    check_names([name], targets)
    target = next(target for target in targets if name in target.spec.names)
    parameter = target.spec.parameters.get(name)
    step = _whole_step if parameter is not None and parameter.type == "whole" else _step
    (axis,) = axes_of(target.spec, [(name, text if equals else _around(_default(target, name)))], step)
    if len(axis.values) > _MOST_POINTS:
        raise UsageError(f"`over` takes at most {_MOST_POINTS:,} values, found {len(axis.values):,} in '{over[:60]}'")
    others = [value for value in axis.values if not is_number(value)]
    if others:
        raise UsageError(f"a line needs numbers; --over {over[:60]} has {str(others[0])[:60]}")
    return name, sorted(set(axis.values))


def _step(low: Fraction, high: Fraction) -> Fraction:
    """Some fifty steps; whole ones between whole numbers that are not close."""
    whole = low.denominator == high.denominator == 1 and high - low >= 4  # noqa: PLR2004 - values of a line
    return _whole_step(low, high) if whole else (high - low) / _POINTS


def _whole_step(low: Fraction, high: Fraction) -> Fraction:
    """At most some fifty whole steps."""
    return max(Fraction(round((high - low) / _POINTS)), Fraction(1))


def _around(usual: Fraction) -> str:
    """From a quarter of a default to twice the default; of a whole number from 1."""
    low = usual / 4 if usual.denominator > 1 or usual < 4 else Fraction(1)  # noqa: PLR2004
    return f"{low}:{2 * usual}"


def _default(target: Target, name: str) -> Fraction:
    value = target.values.get(name, target.build(partial=True).parameters.get(name))
    if not isinstance(value, int | Fraction) or isinstance(value, bool) or value <= 0:
        raise UsageError(f"`over` takes NAME=LOW:HIGH for {name}, which has no positive number as its default")
    return Fraction(value)
