"""What ``memory`` says beside its rows: the whole network, its four peaks, training, and every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.metrics.dtypes import bytes_of
from convcost.metrics.registry import METRICS
from convcost.metrics.training import FORMULA, STATES
from convcost.network.headings import heading
from convcost.render.analysis import Parts
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from convcost.metrics.memory import Peak
    from convcost.metrics.report import Analysis

_COLUMNS = (
    Column("what", "whole network", "text", 9),
    Column("elements", "elements", "count", 8),
    Column("bytes", "bytes", "count", 9),
    Column("where", "where", "text", 7),
)
PEAK_NOTE = (
    "peak: tensors alive at once in execution order, evaluated on numbers; branches are held, views share memory, "
    "a concatenation copies; work space is not counted"
)
TRAINING_NOTE = f"training = {FORMULA}; an estimate"


def _name(peak: Peak) -> str:
    parts = [*(["activations in place"] if peak.in_place else []), *(["norms folded"] if peak.folded else [])]
    return "peak of activations" + (f", {', '.join(parts)}" if parts else "")


def whole_table(analysis: Analysis) -> Table:
    """Parameters, activations, the peaks, and an estimate of training."""
    context, batch = analysis.context, analysis.batch

    def sized(name: str, count: Any, dtype: str, where: str | None = None) -> tuple[Any, ...]:
        return (name, count, bytes_of(count, dtype), where)

    rows = [
        sized("parameters", analysis.totals.params, context.weights_dtype),
        sized("stored beside them (running statistics)", analysis.totals.buffers, context.weights_dtype),
        sized("outputs of convolutions", analysis.value("conv_activations"), context.dtype),
        sized("outputs of all layers", analysis.value("outputs"), context.dtype),
        *(sized(_name(peak), peak.elements * batch, context.dtype, peak.path) for peak in analysis.peaks),
        sized("kept for backward", analysis.value("saved"), context.dtype),
        *((f"training with {name}", None, analysis.training(name).total, None) for name in STATES),
    ]
    return Table("", _COLUMNS, rows, None, (TRAINING_NOTE,))


def steps_table(analysis: Analysis) -> Table:
    """What is alive at every step, in execution order; a step for every copy of a layer."""
    context, batch = analysis.context, analysis.batch
    peak = context.peak
    rows = [(path, live * batch, bytes_of(live * batch, context.dtype)) for path, live in peak.steps]
    total = ("peak", analysis.value("live"), analysis.value("peak"))
    fused = "in place and norms folded" if context.fused else "not in place, norms not folded"
    return Table(
        heading(analysis.graph, batch),
        tuple(METRICS[key].column for key in ("path", "live", "peak")),
        rows,
        total,
        (f"peak at {peak.path}", f"maps {context.dtype}; activations {fused}", PEAK_NOTE),
    )


def memory_data(analysis: Analysis) -> dict[str, Any]:
    """Elements and bytes of the whole network, its peaks with what is held then, and training."""
    context, batch = analysis.context, analysis.batch

    def sized(count: Any, dtype: str) -> dict[str, Any]:
        return {"elements": count, "bytes": bytes_of(count, dtype)}

    runs = [analysis.training(name) for name in STATES]
    return {
        "params": sized(analysis.totals.params, context.weights_dtype),
        "buffers": sized(analysis.totals.buffers, context.weights_dtype),
        "activations": {
            "conv_outputs": sized(analysis.value("conv_activations"), context.dtype),
            "all_outputs": sized(analysis.value("outputs"), context.dtype),
        },
        "peak": [
            {
                "in_place": peak.in_place,
                "folded_norms": peak.folded,
                **sized(peak.elements * batch, context.dtype),
                "path": peak.path,
                "held": [{"path": path, "elements": count * batch} for path, count in peak.held],
            }
            for peak in analysis.peaks
        ],
        "kept_for_backward": {
            **sized(analysis.value("saved"), context.dtype),
            "pool_indices": analysis.kept.indices * batch,
        },
        "training": [{**run._asdict(), "total": run.total} for run in runs],
        "training_formula": FORMULA,
    }


MEMORY = Parts(tables=lambda analysis: [whole_table(analysis)], data=memory_data, doc=PEAK_NOTE)
