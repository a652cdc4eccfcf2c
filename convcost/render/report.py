"""Reports: one HTML file about a network, or about several that were compared, to read, send and print."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from convcost.conventions.model import PLAIN
from convcost.conventions.survey import survey
from convcost.drawing import charts
from convcost.drawing.drawing import Drawing
from convcost.errors import ConvcostError
from convcost.metrics.registry import metric
from convcost.network.headings import heading
from convcost.render.analysis import known_total
from convcost.render.conventions import survey_table, surveys_table
from convcost.tables.html import html_table
from convcost.tables.page import page, picture, text
from convcost.tables.values import exact, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from convcost.drawing.chart import Chart
    from convcost.language.model import Spec
    from convcost.metrics.report import Analysis
    from convcost.network.graph import Graph
    from convcost.tables.table import Table

_BESIDE = ("macs", "params")  # of which there are bars of several networks
_TOTALS = ("params", "macs", "flops", "reported", "activations", "size", "peak", "time")


def report_page(items: Sequence[tuple[Analysis, Spec, Sequence[Table]]], *, exact_digits: bool = False) -> str:
    """What ``analyze`` found, as a page: totals, also of every convention, drawing, formulas and rows.

    Args:
        items: of every target, its analysis, its spec, and the tables that a terminal shows.
        exact_digits: every digit in tables.
    """
    names = [analysis.graph.name for analysis, _, _ in items]
    parts = [_report(*item, exact_digits=exact_digits) for item in items]
    return page(f"{', '.join(names)}: convcost report", "\n".join(["<main>", *parts, "</main>"]), styles=("page.css",))


def compared_page(
    analyses: Sequence[Analysis], tables: Sequence[Table], *, by: str | None = None, exact_digits: bool
) -> str:
    """What ``compare`` or ``diff`` found, as a page: the tables, charts of all networks, and a drawing of each.

    Args:
        analyses: of every network.
        tables: what a terminal shows.
        by: what a bar stands for at least.
        exact_digits: every digit in tables.
    """
    graphs = [analysis.graph for analysis in analyses]
    names = _different([graph.name for graph in graphs])
    title = " and ".join(dict.fromkeys(graph.title for graph in graphs))
    parts = ["<header>", f"<h1>{text(title)}</h1>"]
    parts += [
        f'<p class="soft">{text(f"{name}: {heading(graph)}" if name != graph.name else heading(graph))}</p>'
        for name, graph in zip(names, graphs, strict=True)
    ]
    parts += ["</header>", "<main>", *(html_table(table, exact=exact_digits) for table in tables)]
    parts.append(_section("Side by side", _pair(partial(charts.beside, analyses, names, key, by) for key in _BESIDE)))
    parts.append(_section("Memory over time", _pair(partial(charts.memory, each) for each in analyses)))
    if all(analysis.context.device for analysis in analyses):
        parts.append(_section("Roofline", _pair(partial(charts.roofline, each) for each in analyses)))
    surveys = [survey(graph) for graph in graphs]
    parts.append(html_table(surveys_table(surveys, names)._replace(title="Under each convention"), exact=exact_digits))
    drawings = "".join(map(_drawing, graphs))
    parts.append(_section("Drawings", drawings and f'<div class="side">{drawings}</div>'))
    body = "\n".join(part for part in [*parts, "</main>"] if part)
    return page(
        f"{', '.join(dict.fromkeys(graph.name for graph in graphs))}: convcost report", body, styles=("page.css",)
    )


def _different(names: Sequence[str]) -> list[str]:
    """Each name; a second network of the same name gets ``#2``."""
    return [
        name if names.index(name) == place else f"{name}#{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]


def _pair(makers: Iterable[Callable[[], Chart]]) -> str:
    """Charts in two columns, where the window is wide enough."""
    shown = "".join(f"<div>{drawn}</div>" for drawn in map(_chart, makers) if drawn)
    return shown and f'<div class="pair">{shown}</div>'


def _report(analysis: Analysis, spec: Spec, tables: Sequence[Table], *, exact_digits: bool) -> str:
    graph = analysis.graph
    parts = [
        f"<header><h1>{text(graph.title)}</h1>",
        f'<p class="soft">{text(heading(graph, analysis.batch))}</p></header>',
        _section("Totals", _totals(analysis)),
        _conventions(graph, exact_digits=exact_digits),
        _section("Drawing", _drawing(graph)),
        _section("MACs of the layers", _chart(partial(charts.layers, analysis, "macs"))),
        _section("Memory over time", _chart(partial(charts.memory, analysis))),
        _section("Roofline", _chart(partial(charts.roofline, analysis)) if analysis.context.device else ""),
        _formulas(spec, graph),
        *(html_table(table, exact=exact_digits) for table in tables),
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, content: str) -> str:
    return f"<section><h2>{text(title)}</h2>{content}</section>" if content else ""


def _totals(analysis: Analysis) -> str:
    tiles = []
    for key in _TOTALS:
        if (key == "time" and analysis.context.device is None) or (key == "reported" and analysis.convention is PLAIN):
            continue
        record = metric(key)
        value = _or_nothing(partial(known_total, record, analysis))
        if value is None:
            continue
        shown, digits = written(value, record.form, exact=False), exact(value) if isinstance(value, int) else ""
        number = f"{int(digits):,}" if digits else ""
        tiles.append(
            f"<div><dt>{text(record.title)}</dt><dd><b>{text(shown)}</b>"
            f"{f'<span>{number}</span>' if number and number != shown else ''}</dd></div>"
        )
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def _or_nothing(make: Callable[[], Any]) -> Any:
    """What ``make`` gives; None where a network has no such thing."""
    try:
        return make()
    except ConvcostError:
        return None


def _conventions(graph: Graph, *, exact_digits: bool) -> str:
    table = survey_table(survey(graph))
    return html_table(table._replace(title="Under each convention"), exact=exact_digits)


def _drawing(graph: Graph) -> str:
    """The network as boxes and lines; nothing where it has too many boxes."""
    svg = _or_nothing(Drawing(graph).svg)
    return _scroll(picture(svg, f"{graph.title} as boxes and lines")) if svg is not None else ""


def _scroll(drawn: str) -> str:
    """What can be wider than a phone."""
    return f'<div class="scroll" tabindex="0">{drawn}</div>'


def _chart(make: Callable[[], Chart]) -> str:
    """A chart; nothing where the network has no such chart."""
    made = _or_nothing(lambda: make().svg())
    return _scroll(picture(made, "Chart of the numbers of the tables")) if made is not None else ""


def _formulas(spec: Spec, graph: Graph) -> str:
    from convcost.formulas.closed import formula  # noqa: PLC0415 - only formulas need it
    from convcost.render.typeset import typeset_totals  # noqa: PLC0415

    values = {name: value for name, value in graph.parameters.items() if name in spec.names}
    closed = _or_nothing(lambda: formula(spec, None, values))
    return _section("Closed form", typeset_totals(closed)) if closed is not None and closed.symbols else ""
