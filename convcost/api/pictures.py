"""Pictures of networks."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from convcost.api.counts import analyze, apart, roofline, table
from convcost.api.targets import Network, Sizes, Target, built, resolve
from convcost.catalogue.loader import bundled_names
from convcost.errors import ConvcostError, SpecError, UsageError, not_among
from convcost.network.graph import Graph

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
        over: of ``ratio`` and ``scaling``: a name, or ``NAME=LOW:HIGH`` or ``NAME=LOW:HIGH:STEP``.
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
    return charts.ratio((labels[0], labels[1]), record, name, points, _formula(targets, name, metric, context))


def _target(network: Network) -> Any:
    if isinstance(network, Graph):
        raise UsageError("a name is varied in a target, not in a graph; give the name or the file")
    return network


def _at(target: Target, name: str, value: Any, context: Mapping[str, Any]) -> Analysis:
    """A target with another value of a name, if it has that name."""
    given = {name: value} if name in target.spec.names else {}
    return analyze(target._replace(values={**target.values, **given}), **context)


def _formula(targets: Sequence[Target], name: str, metric: str, context: Mapping[str, Any]) -> Ratio | None:
    """The ratio of the closed forms in ``name``, where the metric has some and both targets take the name or not."""
    from convcost.api.formulas import compare  # noqa: PLC0415 - imports sympy

    try:
        comparison = compare(*targets, free=[name], input=context.get("input"))
    except ConvcostError:  # the name is no symbol: it shapes the network
        return None
    return comparison.ratios[targets[0].name].get(metric)


def _values(over: str, targets: Sequence[Target]) -> tuple[str, list[Any]]:
    """The name and the values of ``NAME``, ``NAME=LOW:HIGH`` or ``NAME=LOW:HIGH:STEP``.

    Raises:
        UsageError: it is none of these, there is no such name, or there are too many values.
    """
    from convcost.api.targets import check_names  # noqa: PLC0415

    name, equals, text = over.partition("=")
    check_names([name], targets)
    try:
        numbers = [Fraction(part) for part in text.split(":")] if equals else []
    except (ValueError, ZeroDivisionError):
        numbers = [Fraction(0)]
    if not equals:
        usual = next(_default(target, name) for target in targets if name in target.spec.names)
        low, high = (usual / 4, 2 * usual) if usual.denominator > 1 or usual < 4 else (Fraction(1), 2 * usual)  # noqa: PLR2004
        numbers = [low, high]
    if len(numbers) not in (2, 3) or numbers[0] > numbers[1] or numbers[-1] <= 0:
        raise UsageError(f"`over` takes NAME, NAME=LOW:HIGH or NAME=LOW:HIGH:STEP, found '{over[:60]}'")
    low, high = numbers[:2]
    step = numbers[2] if len(numbers) == 3 else (high - low) / _POINTS  # noqa: PLR2004 - the step is the third
    if len(numbers) == 2 and low.denominator == high.denominator == 1 and high - low >= 4:  # noqa: PLR2004
        step = max(Fraction(round(step)), Fraction(1))
    if step <= 0 or (high - low) / step > _MOST_POINTS:
        raise UsageError(f"`over` takes at most {_MOST_POINTS:,} values, found '{over[:60]}'")
    values = [low + index * step for index in range(int((high - low) / step) + 1)]
    return name, [int(value) if value.denominator == 1 else value for value in values]


def _default(target: Target, name: str) -> Fraction:
    value = target.values.get(name, target.build(partial=True).parameters.get(name))
    if not isinstance(value, int | Fraction) or isinstance(value, bool) or value <= 0:
        raise UsageError(f"`over` takes NAME=LOW:HIGH for {name}, which has no positive number as its default")
    return Fraction(value)
