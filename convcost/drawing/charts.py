"""The kinds of charts: from analyses of networks to bars, curves and dots."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from convcost.drawing.chart import Bar, Chart, Curve, Dot, Rule, Strip, counted, linear, logarithmic, short
from convcost.errors import UsageError
from convcost.metrics.dtypes import bytes_of
from convcost.metrics.registry import metric
from convcost.metrics.rows import rows_of
from convcost.network.headings import heading
from convcost.numbers.printing import text as formula_text
from convcost.tables.terminal import shortened
from convcost.tables.values import decimal, duration, share, si, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.formulas.comparison import Ratio
    from convcost.metrics.channels import Mixed
    from convcost.metrics.registry import Metric
    from convcost.metrics.report import Analysis
    from convcost.metrics.rows import Row

OF_ONE = ("layers", "cumulative", "memory", "receptive", "roofline", "channels")  # kinds of charts of one network
KINDS = (*OF_ONE, "scatter", "ratio", "scaling")
_MOST = 48  # bars, where nothing says what they stand for
_NAMED = 6  # layers of a roofline
_SHOWN = 40  # rows of a terminal
_MOST_WIRES = 600  # lines between two strips of channels
_SLOWEST = 20  # layers of a roofline in a terminal


def layers(analysis: Analysis, key: str, by: str | None = None) -> Chart:
    """A bar for each row, with equal repeats as one.

    Args:
        analysis: of one network.
        key: a metric that adds up.
        by: what a bar stands for; layers where not given, or blocks or stages where those are too many.
    """
    record = summed(key)
    rows, left = _rows(analysis, record, by)
    names = shortened(row.path for row in rows)
    bars = [_bar(row, names[row.path], record, analysis) for row in rows]
    notes = [f"left out: {left} without {record.title}"] if left else []
    return Chart(
        "layers",
        f"{record.title} of {heading(analysis.graph, analysis.batch)}",
        linear(record.title, (bar.value for bar in bars), _written_by(record)),
        bars=bars,
        notes=[*notes, *_partial(analysis)],
    )


def beside(analyses: Sequence[Analysis], names: Sequence[str], key: str, by: str | None = None) -> Chart:
    """A bar for each row of each network; rows of one path are neighbours, and each network has a colour.

    Args:
        analyses: of two networks or more.
        names: what the networks are called, each in another way.
        key: a metric that adds up.
        by: what a bar stands for at least; layers where not given, and blocks or stages where those are too many.
    """
    record = summed(key)
    grains = ["layer", "block", "stage"]
    for each in grains[grains.index(by) :] if by in grains else [by or "stage"]:
        rows = [
            (name, row, record.of(row, analysis.context))
            for name, analysis in zip(names, analyses, strict=True)
            for row in rows_of(analysis.graph, each, batch=analysis.batch)
        ]
        rows = [row for row in rows if row[2]]
        if len(rows) <= _MOST:
            break
    order = {path: place for place, path in enumerate(dict.fromkeys(row.path for _, row, _ in rows))}
    rows.sort(key=lambda each: order[each[1].path])
    shown = shortened(order)
    bars = [Bar(shown[row.path], value, written(value, record.form, exact=False), name) for name, row, value in rows]
    return Chart(
        "layers",
        f"{record.title} of {', '.join(names)}",
        linear(record.title, (bar.value for bar in bars), _written_by(record)),
        bars=bars,
        notes=list(dict.fromkeys(note for analysis in analyses for note in _partial(analysis))),
    )


def summed(key: str) -> Metric:
    """A metric of which several layers have the sum.

    Raises:
        UsageError: there is no such metric, or layers do not add up in it.
    """
    record = metric(key)
    if record.combine != "sum" or record.form not in ("count", "bytes", "duration"):
        raise UsageError(f"a bar needs a metric that adds up, such as params, macs, flops or bytes; found '{key[:40]}'")
    return record


def _rows(analysis: Analysis, record: Metric, by: str | None) -> tuple[list[Row], int]:
    """The rows that have some of a metric, and how many have none."""
    for each in [by] if by is not None else ["layer", "block", "stage"]:
        rows = analysis.folded([record.key], rows_of(analysis.graph, each, batch=analysis.batch))
        shown = [row for row in rows if record.of(row, analysis.context)]
        if len(shown) <= _MOST:
            break
    return shown, len(rows) - len(shown)


def _bar(row: Row, name: str, record: Metric, analysis: Analysis) -> Bar:
    value = record.of(row, analysis.context)
    times = f" x {row.repeat}" if row.repeat > 1 else ""
    group = row.kind if len({node.kind for node in row.nodes}) == 1 else ""
    return Bar(name + times, value, written(value, record.form, exact=False), group)


def _written_by(record: Metric) -> Callable[[Any], str]:
    return duration if record.form == "duration" else short


def _partial(analysis: Analysis) -> list[str]:
    return ["the network is known in part only: these are lower bounds"] if analysis.graph.status == "partial" else []


def cumulative(analysis: Analysis, keys: Sequence[str]) -> Chart:
    """The share of the network up to each layer, for several metrics."""
    curves: list[Curve] = []
    rules: list[Rule] = []
    names = shortened(node.path for node in analysis.graph.layers)
    for key in keys:
        record = summed(key)
        values = [record.of(row, analysis.context) for row in rows_of(analysis.graph, batch=analysis.batch)]
        total = sum(values)
        if total:
            points = [(0, Fraction(0)), *((n, Fraction(part) / total) for n, part in enumerate(accumulate(values), 1))]
            curves.append(Curve(record.title, tuple(points)))
            half = next(n for n, part in points if part >= Fraction(1, 2))
            rules.append(Rule("x", half, f"half of {record.title}: {names[analysis.graph.layers[half - 1].path]}"))
    if not curves:
        raise UsageError(f"{analysis.graph.name} has none of {', '.join(keys)}")
    record = summed(keys[0])
    rows = rows_of(analysis.graph, "stage", batch=analysis.batch)
    total = record.of(analysis.context.whole, analysis.context) or 1
    parts = accumulate(Fraction(record.of(row, analysis.context)) / total for row in rows)
    return Chart(
        "cumulative",
        f"Cost up to each layer of {heading(analysis.graph, analysis.batch)}",
        counted("layers", len(analysis.graph.layers)),
        linear("share of the network", [1], lambda value: f"{float(value):.0%}"),
        curves=curves,
        rules=rules,
        rows=[Bar(row.path, part, share(part)) for row, part in zip(rows, parts, strict=True)],
        about_rows=f"rows: {record.title} up to the end of each stage",
    )


def memory(analysis: Analysis) -> Chart:
    """Bytes of feature maps that are alive at every step, with the peak."""
    context = analysis.context
    peak = context.peak
    steps = [(path, bytes_of(count * context.batch, context.dtype)) for path, count in peak.steps]
    most = max(value for _, value in steps)
    place = next(index for index, (path, value) in enumerate(steps) if value == most and path == peak.path)
    points = [*enumerate(value for _, value in steps), (len(steps), steps[-1][1])]
    highest: dict[str, int] = {}
    for path, value in steps:
        stage = path.partition("/")[0]
        highest[stage] = max(highest.get(stage, 0), value)
    return Chart(
        "memory",
        f"Feature maps alive at every step of {heading(analysis.graph, analysis.batch)}",
        counted("step", len(steps)),
        linear(f"bytes, {context.dtype}", [value for _, value in steps], _short_bytes),
        curves=[Curve("", tuple(points), steps=True, filled=True)],
        rules=[Rule("y", most, f"peak {_bytes(most)}"), Rule("x", place, f"step {place + 1}: {peak.path}")],
        rows=[Bar(stage, value, _bytes(value)) for stage, value in highest.items()],
        about_rows="rows: the most bytes of feature maps alive while a stage runs",
    )


def _short_bytes(value: Any) -> str:
    text = short(value)
    return f"{text}B" if text[-1].isalpha() else f"{text} B"


def _bytes(value: int) -> str:
    text = si(value)
    return f"{text}B" if text[-1].isalpha() else f"{text} B"


def receptive(analysis: Analysis) -> Chart:
    """The receptive field of every layer along the first axis of the input, beside the size of the input."""
    graph, fields = analysis.graph, analysis.context.fields
    size = graph.input[1]
    seen = [(node, fields[node.index].fields[0].size) for node in graph.layers]
    points = [*enumerate(field for _, field in seen), (len(seen), seen[-1][1])]
    bars: dict[int, Bar] = {}
    for node, field in seen:
        bars.setdefault(field, Bar(node.path, field, str(field)))
    rules = [Rule("y", size, f"size of the input: {size}")]
    outgrown = next((index for index, (_, field) in enumerate(seen) if field > size), None)
    if outgrown is not None:
        rules.append(Rule("x", outgrown, f"outgrown at {seen[outgrown][0].path}"))
    return Chart(
        "receptive",
        f"Receptive field of every layer of {heading(graph)}",
        counted("layer", len(seen)),
        linear("positions of the input", [size, *(field for _, field in seen)], short),
        curves=[Curve("", tuple(points), steps=True)],
        rules=rules,
        rows=list(bars.values())[:_SHOWN],
        about_rows="rows: the first layer with each receptive field",
    )


def channels(analysis: Analysis) -> Chart:
    """Which channels of the input the channels of each layer depend on, up to the first merge.

    Layers that read each channel on its own are left out. Input channels that always come together have one colour.

    Raises:
        UsageError: no layer mixes channels before the first merge.
    """
    graph = analysis.graph
    width = graph.input[0]
    strips: list[Strip] = []
    chain: list[tuple[Mixed, list[int]]] = []
    for mixed in analysis.channels:
        if len(mixed.node.inputs) != 1 or mixed.node.inputs[0][0] != mixed.node.index - 1:
            break
        before = graph.nodes[mixed.node.inputs[0][0]].shape[0]
        alone = [1 << place for place in range(before)]
        read = mixed.node.layer.reads_channels([alone], mixed.node.input, mixed.node.shape)
        if read != alone:
            chain.append((mixed, read))
    if not chain:
        raise UsageError(f"no layer of {graph.name} mixes channels before its first merge")
    colours = _colours(chain, width)
    strips.append(Strip("input", tuple((colour,) for colour in colours), ()))
    for mixed, read in chain:
        cells = tuple(tuple(sorted({colours[place] for place in _places(bits)})) for bits in mixed.seen)
        wires = [(source, target) for target, bits in enumerate(read) for source in _places(bits)]
        strips.append(Strip(mixed.node.path, cells, tuple(wires) if len(wires) <= _MOST_WIRES else ()))
    last = chain[-1][0]
    return Chart(
        "channels",
        f"Input channels that each channel of {heading(graph)} depends on",
        counted("channels of the input", width),
        strips=strips,
        rows=[Bar(mixed.node.path, mixed.most, f"{mixed.most} of {width}") for mixed, _ in chain],
        notes=[f"a channel of {last.node.path} depends on {_from_to(last.least, last.most)} of {width} input channels"],
    )


def _from_to(least: int, most: int) -> str:
    return str(most) if least == most else f"{least} to {most}"


def _colours(chain: Sequence[tuple[Mixed, list[int]]], width: int) -> list[int]:
    """A number for each input channel: the same for those that the first layer that reads several puts together."""
    first = next((mixed.seen for mixed, _ in chain if 1 < mixed.most < width), (1,) * width)
    seen = [tuple(place for place, bits in enumerate(first) if bits >> channel & 1) for channel in range(width)]
    numbers = {places: number for number, places in enumerate(dict.fromkeys(seen))}
    return [numbers[places] for places in seen]


def _places(bits: int) -> list[int]:
    return [place for place in range(bits.bit_length()) if bits >> place & 1]


def roofline(analysis: Analysis) -> Chart:
    """Layers under the roof of a device: the area of a disc is the time of the layer, and the slowest have names."""
    context, device, ridge = analysis.context, analysis.context.machine, analysis.ridge
    peak, bandwidth = device.peak_of(context.dtype).value, device.bandwidth.value
    rows = analysis.folded(["time", "executed", "bytes"], rows_of(analysis.graph, batch=context.batch))
    made = [(row, *(metric(key).of(row, context) for key in ("intensity", "executed", "time"))) for row in rows]
    made = sorted((each for each in made if each[1] and each[2]), key=lambda each: -each[3])
    if not made:
        raise UsageError(f"no layer of {analysis.graph.name} does arithmetic, so there is nothing to plot")
    total = analysis.value("time")
    names = shortened(row.path for row, *_ in made)
    x = logarithmic("FLOPs per byte", [*(each[1] for each in made), ridge / 4, ridge * 4], short)
    low = min([Fraction(x.low) * bandwidth, *(flops / seconds for _, _, flops, seconds in made)])
    dots: list[Dot] = []
    bars: list[Bar] = []
    for row, intensity, flops, seconds in made:
        name = names[row.path] + (f" x {row.repeat}" if row.repeat > 1 else "")
        weight = float(seconds / made[0][3])
        text = f"{name}, {share(seconds / total)}"
        dots.append(Dot(text, intensity, flops / seconds, row.kind, weight, named=len(dots) < _NAMED))
        bars.append(Bar(name, seconds, f"{duration(seconds)} {share(seconds / total)}"))
    return Chart(
        "roofline",
        f"{heading(analysis.graph, analysis.batch)}, on {device.title}, {context.dtype}",
        x,
        logarithmic("FLOP/s, at most", [low, 4 * peak], short),
        curves=[Curve("", ((x.low, Fraction(x.low) * bandwidth), (ridge, peak), (x.high, peak)))],
        dots=dots,
        rules=[Rule("x", ridge, f"ridge: {decimal(ridge)} FLOPs per byte")],
        rows=bars[:_SLOWEST],
        notes=[
            f"the area of a disc is the time of its layers; all layers take at least {duration(total)}",
            "left of the ridge the bandwidth limits a layer, right of it the peak",
        ],
    )


def scatter(analyses: Sequence[Analysis], labels: Sequence[str], keys: tuple[str, str]) -> Chart:
    """Networks by two metrics, each with its name.

    Raises:
        UsageError: a metric has no positive number for a network.
    """
    across, up = (metric(key) for key in keys)
    values = [
        (across.of(each.context.whole, each.context), up.of(each.context.whole, each.context)) for each in analyses
    ]
    for label, pair in zip(labels, values, strict=True):
        for record, value in zip((across, up), pair, strict=True):
            if not isinstance(value, int | Fraction) or value <= 0:
                raise UsageError(f"a scatter needs positive numbers; {label} has {record.title} {value}")
    names: dict[tuple[Any, ...], str] = {}
    for label, pair in zip(labels, values, strict=True):  # of names for one network, the longest says most
        names[pair] = max(names.get(pair, ""), label, key=len)
    dots = [Dot(label, *pair) for pair, label in names.items()]
    rows = sorted(zip(labels, values, strict=True), key=lambda row: row[1][1])
    return Chart(
        "scatter",
        f"{up.title} against {across.title}",
        logarithmic(across.title, [pair[0] for pair in values], _written_by(across)),
        logarithmic(up.title, [pair[1] for pair in values], _written_by(up)),
        dots=dots,
        rows=[Bar(label, pair[1], written(pair[1], up.form, exact=False)) for label, pair in rows],
        notes=[f"left out: {len(values) - len(names)} that cost the same as another network here"]
        if len(names) < len(values)
        else [],
    )


def ratio(
    names: tuple[str, str], record: Metric, over: str, points: Sequence[tuple[Any, Fraction]], formula: Ratio | None
) -> Chart:
    """The cost of one network divided by that of another, over one name, with its limit and its break-even.

    Args:
        names: of both.
        record: the metric.
        over: the name.
        points: its values with the exact ratio.
        formula: the ratio of the closed forms in this name, where there is one.
    """
    title = f"{record.title} of {names[0]} / {names[1]}"
    rules = [Rule("y", Fraction(1), f"{names[0]} = {names[1]}")]
    notes: list[str] = []
    low, high = points[0][0], points[-1][0]
    if formula is not None and formula.formula is not None:
        notes.append(f"{names[0]} / {names[1]} = {formula_text(formula.formula)}")
        for limit, name in formula.limits:
            number = limit if isinstance(limit, int | Fraction) else _number(limit)
            if name == over and number is not None:
                rules.append(Rule("y", number, f"limit {formula_text(limit)} as {over} -> oo"))
                notes.append(rules[-1].text)
        for entry in formula.order.break_even if formula.order is not None else ():
            if entry.name == over:
                notes.append(f"break-even at {over} = {_shown(entry.value)}")
                if low <= entry.value <= high:
                    rules.append(Rule("x", entry.value, f"break-even at {over} = {_shown(entry.value)}"))
    values = [value for _, value in points]
    heights = [*values, *(rule.value for rule in rules if rule.axis == "y")]
    return Chart(
        "ratio",
        f"{title} over {over}",
        _between(over, low, high),
        linear(title, heights, decimal),
        curves=[Curve("", tuple(points))],
        rules=rules,
        rows=[Bar(f"{over} = {_shown(value)}", part, decimal(part)) for value, part in _few(points)],
        notes=notes,
    )


def _number(limit: Any) -> Fraction | None:
    """A limit of sympy as a number; None where it is another formula or not finite."""
    if not getattr(limit, "is_Rational", False):
        return None
    return Fraction(int(limit.p), int(limit.q))


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, int) else decimal(value)


def _few(points: Sequence[Any], most: int = 20) -> list[Any]:
    """At most so many of ``points``, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[round(index * (len(points) - 1) / (most - 1))] for index in range(most)]


def _between(title: str, low: Any, high: Any) -> Any:
    """An axis from ``low`` to ``high``, with marks at round numbers."""
    axis = linear(title, [high], _shown)
    ticks = tuple(tick for tick in axis.ticks if float(low) <= tick[0] <= float(high))
    return axis._replace(low=float(low), high=float(high), ticks=ticks)


def scaling(record: Metric, over: str, curves: Sequence[tuple[str, Sequence[tuple[Any, Any]]]]) -> Chart:
    """A metric of networks over one name: a curve for each."""
    every = [point for _, points in curves for point in points]
    positive = all(x > 0 and y > 0 for x, y in every)
    low, high = min(x for x, _ in every), max(x for x, _ in every)
    log = positive and high >= 4 * low
    values = [y for _, y in every]
    shown = _written_by(record)
    several = len(curves) > 1
    return Chart(
        "scaling",
        f"{record.title} over {over}{'' if several else f' of {curves[0][0]}'}",
        logarithmic(over, [low, high], _shown) if log else _between(over, low, high),
        logarithmic(record.title, values, shown) if log else linear(record.title, values, shown),
        curves=[Curve(name if several else "", tuple(points)) for name, points in curves],
        rows=[
            Bar(f"{f'{name} ' if several else ''}{over} = {_shown(x)}", y, written(y, record.form, exact=False))
            for name, points in curves
            for x, y in _few(points, 20 // len(curves) + 1)
        ],
        notes=["both axes are logarithmic: the slope is the degree"] if log else [],
    )
