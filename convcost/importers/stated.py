"""Operators of our own domain: layers that are no operator of ONNX, with their shape and counts as attributes.

:mod:`convcost.exporters.onnx` writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from convcost.errors import ShapeError
from convcost.importers.evaluate import per_sample
from convcost.importers.rules import ANY, operator
from convcost.layers.base import WORK_FIELDS, Work
from convcost.layers.operator import operator_of_family

if TYPE_CHECKING:
    from convcost.importers.data import Data
    from convcost.importers.evaluate import Call

DOMAIN = "convcost"


@operator(f"{DOMAIN}:{ANY}", heavy=True)
def stated(call: Call) -> list[Data]:
    """A layer whose shape and counts are written in the node; counts that are not written are zero."""
    shape = call.integers("shape")
    if not shape or min(shape) < 0:
        raise ShapeError(f"attribute shape: expected sizes of at least 0, found {str(shape)[:40]}")
    counts = {name: call.integer(name, 0) for name in WORK_FIELDS}
    wrong = next((name for name, count in counts.items() if count < 0), None)
    if wrong is not None:
        raise ShapeError(f"attribute {wrong}: expected a count of at least 0, found {counts[wrong]}")
    if call.is_constant:
        return [call.constant(tuple(shape))]
    reads = [data for data in call.given if data.tensor is not None]
    make = operator_of_family(call.word("family", ""))
    work = per_sample(Work(**counts), call.run.batch)
    own = call.run.shape_of(tuple(shape))
    layer = make(call.node.op, own, work)
    return [call.put(layer, call.node.op, work, [call.run.sample(data) for data in reads], own, tuple(shape), ())]
