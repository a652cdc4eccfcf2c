"""How each result of the library is written: its tables and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.tables.printable import View

if TYPE_CHECKING:
    from collections.abc import Callable

    from convcost.api.counts import Networks
    from convcost.conventions.survey import Conventions, Readings
    from convcost.drawing.chart import Chart
    from convcost.drawing.drawing import Drawing
    from convcost.formulas.equal import Equalities
    from convcost.formulas.scaling import Scalings
    from convcost.literature.explain import Explanation
    from convcost.literature.verify import Verifications
    from convcost.metrics.budget import Verdicts
    from convcost.metrics.difference import Difference
    from convcost.metrics.report import Analysis
    from convcost.network.graph import Graph
    from convcost.render.analysis import Parts
    from convcost.solving.pareto import Points
    from convcost.solving.solution import Solution
    from convcost.sweeps.sweep import Sweep
    from convcost.tables.table import Table

# What a result needs is imported when it is written.


def view(result: Any) -> View:
    """The view of a result of the library, with the defaults of its command."""
    return _VIEWS[type(result).__name__](result)


def _analysis(result: Analysis) -> View:
    from convcost.render.analysis import NOTHING, analysis_data, machine_columns, rows_table  # noqa: PLC0415

    parts = _parts().get(result.preset.command, NOTHING)

    def rows(*, reported: bool) -> Table:
        return rows_table(result, parts, usual=machine_columns(result, reported=reported))

    return View(
        tables=lambda: [rows_table(result, parts, fold=True), *parts.tables(result)],
        data=lambda: analysis_data(result, rows(reported=True), result.by, parts),
        flat=lambda: rows(reported=False),
    )


def _graph(result: Graph) -> View:
    from convcost.metrics.report import analyze  # noqa: PLC0415

    return _analysis(analyze(result))


def _comparison(result: Any) -> View:
    from convcost.render.comparisons import comparison_view  # noqa: PLC0415

    return comparison_view(result)


def _formula(result: Any) -> View:
    from convcost.render.formulas import formula_view  # noqa: PLC0415

    return formula_view(result)


def _cases(result: Any) -> View:
    from convcost.render.formulas import cases_view  # noqa: PLC0415

    return cases_view(result)


def _explorer(result: Any) -> View:
    from convcost.render.explorer import explorer_page  # noqa: PLC0415

    return View(tables=list, data=lambda: result.contents, text=lambda: explorer_page(result))


def _scalings(result: Scalings) -> View:
    from convcost.render.scalings import scaling_data, scaling_table  # noqa: PLC0415

    return View(tables=lambda: [scaling_table(result)], data=lambda: scaling_data(result))


def _equalities(result: Equalities) -> View:
    from convcost.render.equalities import equality_data, equality_text  # noqa: PLC0415

    return View(tables=list, data=lambda: equality_data(result), text=lambda: equality_text(result))


def _solution(result: Solution) -> View:
    from convcost.render.solutions import solution_data, solution_table  # noqa: PLC0415

    return View(tables=lambda: [solution_table(result)], data=lambda: solution_data(result), exact=True)


def _points(result: Points) -> View:
    from convcost.render.solutions import points_data, points_table  # noqa: PLC0415

    return View(tables=lambda: [points_table(result)], data=lambda: points_data(result), exact=True)


def _space(result: Any) -> View:
    from convcost.render.spaces import answers_view  # noqa: PLC0415
    from convcost.spaces.space import Answers  # noqa: PLC0415

    return answers_view(Answers.of(result))


def _answers(result: Any) -> View:
    from convcost.render.spaces import answers_view  # noqa: PLC0415

    return answers_view(result)


def _chosen(result: Any) -> View:
    from convcost.render.spaces import networks_view  # noqa: PLC0415

    return networks_view(result)


def _difference(result: Difference) -> View:
    from convcost.metrics.presets import DIFFERENCE_COLUMNS  # noqa: PLC0415
    from convcost.render.differences import difference_data, difference_table  # noqa: PLC0415

    return View(
        tables=lambda: [difference_table(result, DIFFERENCE_COLUMNS)],
        data=lambda: difference_data(result, DIFFERENCE_COLUMNS, result.after.by),
    )


def _networks(result: Networks) -> View:
    from convcost.render.differences import networks_data, networks_table  # noqa: PLC0415

    return View(tables=lambda: [networks_table(result)], data=lambda: networks_data(result))


def _verdicts(result: Verdicts) -> View:
    from convcost.render.budgets import verdicts_data, verdicts_text  # noqa: PLC0415

    return View(tables=list, data=lambda: verdicts_data(result), text=lambda: verdicts_text(result))


def _explanation(result: Explanation) -> View:
    from convcost.render.explain import explanation_data, explanation_table  # noqa: PLC0415

    return View(tables=lambda: [explanation_table(result)], data=lambda: explanation_data(result))


def _verifications(result: Verifications) -> View:
    from convcost.render.findings import findings_data, findings_tables, flat_table  # noqa: PLC0415

    return View(
        tables=lambda: findings_tables(result), data=lambda: findings_data(result), flat=lambda: flat_table(result)
    )


def _conventions(result: Conventions) -> View:
    from convcost.render.conventions import list_data, list_table  # noqa: PLC0415

    return View(tables=lambda: [list_table(result)], data=lambda: list_data(result))


def _readings(result: Readings) -> View:
    from convcost.render.conventions import survey_data, survey_table  # noqa: PLC0415

    return View(tables=lambda: [survey_table(result)], data=lambda: survey_data(result))


def _specs(result: Any) -> View:
    from convcost.render.listings import specs_view  # noqa: PLC0415

    return specs_view(result)


def _layers(result: Any) -> View:
    from convcost.render.listings import layers_view  # noqa: PLC0415

    return layers_view(result)


def _parts() -> dict[str, Parts]:
    """What each command with rows adds to them."""
    from convcost.render.memory import MEMORY  # noqa: PLC0415
    from convcost.render.receptive import RECEPTIVE  # noqa: PLC0415
    from convcost.render.roofline import ROOFLINE  # noqa: PLC0415
    from convcost.render.traffic import TRAFFIC  # noqa: PLC0415

    return {"memory": MEMORY, "receptive": RECEPTIVE, "roofline": ROOFLINE, "traffic": TRAFFIC}


def _sweep(result: Sweep) -> View:
    from convcost.render.sweeps import sweep_data, sweep_table  # noqa: PLC0415

    return View(tables=lambda: [sweep_table(result)], data=lambda: sweep_data(result))


def _drawing(result: Drawing) -> View:
    from convcost.render.pictures import drawing_data  # noqa: PLC0415

    return View(tables=list, data=lambda: drawing_data(result), text=result.text)


def _chart(result: Chart) -> View:
    from convcost.render.pictures import chart_data  # noqa: PLC0415

    return View(tables=list, data=lambda: chart_data(result), text=result.text)


_VIEWS: dict[str, Callable[[Any], View]] = {
    "Analysis": _analysis,
    "Answers": _answers,
    "Cases": _cases,
    "Chart": _chart,
    "Chosen": _chosen,
    "Comparison": _comparison,
    "Conventions": _conventions,
    "Entries": _specs,
    "Difference": _difference,
    "Drawing": _drawing,
    "Equalities": _equalities,
    "Explanation": _explanation,
    "Explorer": _explorer,
    "Formula": _formula,
    "Graph": _graph,
    "LayerDocs": _layers,
    "Networks": _networks,
    "Points": _points,
    "Readings": _readings,
    "Scalings": _scalings,
    "Solution": _solution,
    "Space": _space,
    "Sweep": _sweep,
    "Verdicts": _verdicts,
    "Verifications": _verifications,
}
