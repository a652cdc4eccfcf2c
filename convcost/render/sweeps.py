"""Results of ``sweep``, as a table and as data."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from convcost.metrics.registry import METRICS
from convcost.render.results import schema
from convcost.solving.budgets import REPORTED
from convcost.sweeps.sweep import columns_of
from convcost.tables.data import data_of
from convcost.tables.table import Column, Table
from convcost.tables.values import exact

if TYPE_CHECKING:
    from convcost.sweeps.sweep import Plan, Sweep

SHOWN = 20  # points of a table where no number is asked for


def sweep_table(sweep: Sweep) -> Table:
    """A row for each point; the first ones where there are many and no number was asked for."""
    plan = sweep.plan
    shown = len(sweep) if plan.top is not None else min(len(sweep), SHOWN)
    axes = [Column(axis.name, axis.name, "times", 9) for axis in plan.axes]
    metrics = [
        METRICS[key].column._replace(key=name, keep=9)
        for key, name in zip(plan.metrics, columns_of(plan)[len(axes) :], strict=True)
    ]
    rows = [
        (*map(exact, cells[: len(axes)]), *cells[len(axes) :])
        for cells in (tuple(point.values()) for point in islice(sweep, shown))
    ]
    spec = plan.network.spec
    title = f"{spec.title or spec.name} over {', '.join(axis.name for axis in plan.axes)}"
    more = [f"the first {shown:,} of {len(sweep):,} points; --top N shows more"] if shown < len(sweep) else []
    return Table(title, (*axes, *metrics), rows, None, (*more, *notes(plan)))


def notes(plan: Plan) -> list[str]:
    """How many points there were, what became of them, and what the metrics are evaluated for."""
    lines = [f"{plan.seen:,} points" + (f", kept where {', '.join(b.text for b in plan.keep)}" if plan.keep else "")]
    if plan.absent:
        lines.append(f"{plan.absent:,} of them have no network; the first: {first_reason(plan)}")
    forms = {METRICS[key].form for key in plan.metrics}
    setting = plan.setting
    context = [] if setting.batch == 1 else [f"batch {setting.batch}"]
    if forms & {"bytes", "duration", "decimal"}:
        weights = setting.weights_dtype or setting.dtype
        context.append(setting.dtype if weights == setting.dtype else f"{setting.dtype}, weights {weights}")
        context.append("norms and activations fused" if setting.fused else "norms and activations not fused")
    if setting.device is not None:
        context.append(f"on {setting.device.title}")
    if REPORTED in plan.metrics:
        context.append(f"reported: {setting.convention.name}")
    return [*lines, *([", ".join(context)] if context else [])]


def first_reason(plan: Plan) -> str:
    """Why the first point without a network has none, in one line."""
    return str(plan.first).split("\n", 1)[0]


def sweep_data(sweep: Sweep) -> dict[str, Any]:
    """The result of ``sweep``; values exact."""
    plan, setting = sweep.plan, sweep.plan.setting
    names = columns_of(plan)
    costs = dict(zip(names[len(plan.axes) :], plan.metrics, strict=True))
    return {
        "schema": schema("sweep"),
        "name": plan.network.spec.name,
        "over": [axis.name for axis in plan.axes],
        "zipped": plan.zipped,
        "metrics": list(plan.metrics),
        "batch": setting.batch,
        "dtype": setting.dtype,
        "weights_dtype": setting.weights_dtype or setting.dtype,
        "fused": setting.fused,
        "device": None if setting.device is None else setting.device.name,
        "convention": setting.convention.name,
        "budgets": [bound.text for bound in plan.keep],
        "objectives": [str(goal) for goal in plan.objectives],
        "evaluated": plan.seen,
        "without_network": plan.absent,
        "points": [
            {
                "values": {axis.name: point[axis.name] for axis in plan.axes},
                "costs": {key: data_of(point[name], METRICS[key].form) for name, key in costs.items()},
            }
            for point in sweep
        ],
    }
