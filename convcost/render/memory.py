"""Memory as tables and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.metrics.dtypes import bytes_of
from convcost.metrics.memory import all_outputs, conv_outputs, parameter_elements, peak
from convcost.metrics.training import FORMULA, STATES, kept, training
from convcost.render.headings import heading
from convcost.render.results import schema
from convcost.tables.table import Column, Table

if TYPE_CHECKING:
    from convcost.metrics.memory import Peak
    from convcost.network.graph import Graph

_COLUMNS = (
    Column("what", "", "text", 9),
    Column("elements", "elements", "count", 8),
    Column("bytes", "bytes", "count", 9),
    Column("where", "where", "text", 7),
)
_STEPS = (
    Column("path", "path", "name", 9),
    Column("live", "live elements", "count", 9, "max"),
    Column("bytes", "bytes", "count", 9, "max"),
)
PEAK_NOTE = (
    "peak: tensors alive at once in execution order, evaluated on numbers; branches are held, views share memory, "
    "a concatenation copies; work space is not counted"
)
TRAINING_NOTE = f"training = {FORMULA}; an estimate"


class Setting(NamedTuple):
    """What bytes are counted for: formats of activations and weights, and samples."""

    dtype: str
    weights_dtype: str
    batch: int


def peaks(graph: Graph) -> list[Peak]:
    """The peak without and with activations in place, without and with folded norms."""
    return [peak(graph, in_place=in_place, folded=folded) for folded in (False, True) for in_place in (False, True)]


def _name(one: Peak) -> str:
    parts = [*(["activations in place"] if one.in_place else []), *(["norms folded"] if one.folded else [])]
    return "peak of activations" + (f", {', '.join(parts)}" if parts else "")


def memory_table(graph: Graph, setting: Setting) -> Table:
    """Parameters, activations, the peak, and an estimate of training."""
    dtype, weights, batch = setting
    params, buffers = parameter_elements(graph)
    rows: list[tuple[Any, ...]] = [
        ("parameters", params, bytes_of(params, weights), None),
        ("stored beside them (running statistics)", buffers, bytes_of(buffers, weights), None),
    ]
    outputs = (("outputs of convolutions", conv_outputs(graph)), ("outputs of all layers", all_outputs(graph)))
    rows += [(name, count * batch, bytes_of(count * batch, dtype), None) for name, count in outputs]
    rows += [
        (_name(one), one.elements * batch, bytes_of(one.elements * batch, dtype), one.path) for one in peaks(graph)
    ]
    held = kept(graph)
    rows.append(("kept for backward", held.elements * batch, bytes_of(held.elements * batch, dtype), None))
    for optimiser in STATES:
        done = training(graph, optimiser, batch=batch, dtype=dtype, weights_dtype=weights)
        rows.append((f"training with {optimiser}", None, done.total, None))
    formats = f"activations {dtype}, parameters {weights}"
    return Table(f"{heading(graph, batch)}; {formats}", _COLUMNS, rows, None, (PEAK_NOTE, TRAINING_NOTE))


def steps_table(graph: Graph, setting: Setting, *, in_place: bool, folded: bool) -> Table:
    """What is alive at every step, in execution order."""
    found = peak(graph, in_place=in_place, folded=folded)
    batch = setting.batch
    rows = [(path, live * batch, bytes_of(live * batch, setting.dtype)) for path, live in found.steps]
    total = ("peak", found.elements * batch, bytes_of(found.elements * batch, setting.dtype))
    return Table(heading(graph, batch), _STEPS, rows, total, (f"peak at {found.path}", PEAK_NOTE))


def _peak_data(one: Peak, setting: Setting) -> dict[str, Any]:
    return {
        "in_place": one.in_place,
        "folded_norms": one.folded,
        "elements": one.elements * setting.batch,
        "bytes": bytes_of(one.elements * setting.batch, setting.dtype),
        "path": one.path,
        "held": [{"path": path, "elements": count * setting.batch} for path, count in one.held],
    }


def memory_data(graph: Graph, setting: Setting) -> dict[str, Any]:
    """The result of ``memory``."""
    dtype, weights, batch = setting
    params, buffers = parameter_elements(graph)

    def sized(count: Any, format_: str) -> dict[str, Any]:
        return {"elements": count, "bytes": bytes_of(count, format_)}

    held = kept(graph)
    runs = [training(graph, name, batch=batch, dtype=dtype, weights_dtype=weights) for name in STATES]
    return {
        "schema": schema("memory"),
        "name": graph.name,
        "title": graph.title,
        "parameters": graph.parameters,
        "input": graph.input,
        "batch": batch,
        "dtype": dtype,
        "weights_dtype": weights,
        "params": sized(params, weights),
        "buffers": sized(buffers, weights),
        "activations": {
            "conv_outputs": sized(conv_outputs(graph) * batch, dtype),
            "all_outputs": sized(all_outputs(graph) * batch, dtype),
        },
        "peak": [_peak_data(one, setting) for one in peaks(graph)],
        "kept_for_backward": {**sized(held.elements * batch, dtype), "pool_indices": held.indices * batch},
        "training": [{**run._asdict(), "total": run.total} for run in runs],
        "training_formula": FORMULA,
        "notes": [PEAK_NOTE, TRAINING_NOTE],
    }
