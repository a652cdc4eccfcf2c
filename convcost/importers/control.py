"""Control flow: branches and loops, evaluated like the graph around them.

Source: the pages of If, Loop and Scan in the ONNX documentation (onnx.ai/onnx/operators).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ConvcostError, ShapeError
from convcost.importers.data import Data, MissingError, axis_of, scalar, unknown, whole
from convcost.importers.evaluate import Scope, UnevenError, condition, scaled
from convcost.importers.onnx_file import Body
from convcost.importers.rules import operator
from convcost.network.graph import Unknown
from convcost.numbers.arithmetic import Num, decide, provably, total

if TYPE_CHECKING:
    from convcost.importers.evaluate import Call


def _body(call: Call, name: str) -> Body:
    body = call.node.attributes.get(name)
    if not isinstance(body, Body):
        raise ShapeError(f"attribute {name}: expected a graph, found none")
    return body


def _outputs(body: Body, scope: Scope) -> list[Data]:
    result = []
    for info in body.outputs:
        data = scope.find(info.name)
        if data is None:
            raise ShapeError(f"expected a node that makes the output '{info.name[:60]}' of a graph, found none")
        result.append(data)
    return result


def _evaluated(call: Call, body: Body, part: str) -> list[Data]:
    scope = Scope(call.scope)
    call.run.body(body, scope, f"{call.path}/{part}/", call.depth + 1)
    return _outputs(body, scope)


def _macs(call: Call, start: int) -> Num:
    return total([node.work.macs for node in call.run.builder.nodes[start:]] or [0])


@operator("If", heavy=True, lenient=True)
def branch(call: Call) -> list[Data]:
    """One of two graphs; the one with more multiply-accumulates where the condition is not known."""
    chosen = condition(call.input(0)) if call.input(0).shape is not None else None
    bodies = {True: _body(call, "then_branch"), False: _body(call, "else_branch")}
    names = {True: "then", False: "else"}
    if chosen is not None:
        return _evaluated(call, bodies[chosen], names[chosen])
    run = call.run
    start = run.state()
    outputs, costs, states = {}, {}, {}
    wrong: ConvcostError | None = None
    for answer in (True, False):
        run.restore(start)
        try:
            outputs[answer] = _evaluated(call, bodies[answer], names[answer])
        except ConvcostError as error:  # these sizes are for the other branch
            if wrong is not None or isinstance(error, UnevenError):
                raise
            wrong = error
            continue
        costs[answer] = _macs(call, start.nodes)
        states[answer] = run.state(start.nodes)
    dearer = decide(">=", costs[True], costs[False]) if wrong is None else True in costs
    run.restore(start)
    run.restore(states[dearer])
    name = call.node.inputs[0]
    run.asked[name] = f"the condition of {call.path}"
    other = "the other one does not take these sizes" if wrong is not None else f"against {costs[not dearer]}"
    run.note(
        f"{call.path}: the condition '{name[:60]}' is not in the file; the {names[dearer]} branch is counted, with "
        f"{costs[dearer]} MACs; {other}"
    )
    return outputs[dearer]


@operator("Loop", heavy=True, lenient=True)
def loop(call: Call) -> list[Data]:
    """A graph that is run again and again: counted once, times the number of trips."""
    body = _body(call, "body")
    carried = call.inputs[2:]
    name = f"{next(filter(None, call.node.outputs), call.path)}.trips"
    trips = call.run.value(name)
    limit = call.maybe(0)
    if trips is None and limit is not None and limit.values:
        trips = whole(limit.values[0], "the number of trips")
    run = call.run
    start = run.state()
    scope = Scope(call.scope)
    values = [scalar(None), Data((), [True]), *carried]
    values[0] = Data(())
    for info, data in zip(body.inputs, values, strict=False):
        scope.own[info.name] = data if data is not None else unknown("an input of a loop that is left out")
    run.body(body, scope, f"{call.path}/body/", call.depth + 1)
    made = _outputs(body, scope)[1:]
    for before, after in zip(carried, made, strict=False):
        if before is None or before.shape is None or after.shape is None:
            continue
        same = len(before.shape) == len(after.shape) and all(
            provably(a, b) for a, b in zip(before.shape, after.shape, strict=True)
        )
        if not same:
            return _grows(call, made)
    count = trips
    if count is None:
        each = _macs(call, start.nodes)
        run.asked[name] = f"the trips of {call.path}"
        reason = f"its number of trips depends on data, with {each} MACs a trip; --set {name}=N gives it"
        run.unknown.append(Unknown(call.path, call.node.op, reason, not provably(each, 0)))
        count = 0
    nodes = run.builder.nodes
    nodes[start.nodes :] = [scaled(node, count) for node in nodes[start.nodes :]]
    outputs = [
        Data(data.shape, tensor=data.tensor, floating=data.floating, reason=data.reason)
        for data in made[: len(carried)]
    ]
    for data in made[len(carried) :]:
        if data.shape is None or trips is None:
            outputs.append(unknown(data.reason or "a loop whose number of trips is not known"))
            outputs[-1].tensor = data.tensor
        else:
            outputs.append(Data((trips, *data.shape), tensor=data.tensor, floating=data.floating))
    return outputs


def _grows(call: Call, made: list[Data]) -> list[Data]:
    """A loop whose tensors change their shapes from trip to trip."""
    reason = "the shapes in its loop change from trip to trip"
    inside = [node.work.macs for node in call.run.builder.nodes if node.path.startswith(f"{call.path}/")]
    heavy = not provably(total(inside or [0]), 0)
    call.run.unknown.append(Unknown(call.path, call.node.op, reason, heavy))
    outputs = []
    for data in made:
        outputs.append(unknown(f"after {call.path}: {reason}"))
        outputs[-1].tensor = data.tensor
    return outputs


@operator("Scan", heavy=True, lenient=True)
def scan(call: Call) -> list[Data]:
    """A graph that is run for every slice of its inputs."""
    body = _body(call, "body")
    count = call.integer("num_scan_inputs", 0)
    inputs = call.inputs
    if not 0 < count <= len(inputs):
        raise ShapeError(f"attribute num_scan_inputs: expected 1 to {len(inputs)}, found {count}")
    states, scanned = inputs[: len(inputs) - count], inputs[len(inputs) - count :]
    axes = call.integers("scan_input_axes") or [0] * count
    run = call.run
    start = run.state()
    scope = Scope(call.scope)
    trips: Any = None
    values: list[Data | None] = list(states)
    for data, axis_ in zip(scanned, axes, strict=False):
        if data is None or data.shape is None:
            raise MissingError("an input of the scan is not known")
        axis = axis_of(axis_, len(data.sizes))
        trips = data.sizes[axis]
        values.append(Data((*data.sizes[:axis], *data.sizes[axis + 1 :]), tensor=data.tensor, floating=data.floating))
    for info, given in zip(body.inputs, values, strict=False):
        scope.own[info.name] = given if given is not None else unknown("an input that is left out")
    run.body(body, scope, f"{call.path}/body/", call.depth + 1)
    made = _outputs(body, scope)
    nodes = run.builder.nodes
    nodes[start.nodes :] = [scaled(node, trips) for node in nodes[start.nodes :]]
    outputs = made[: len(states)]
    for data in made[len(states) :]:
        shape = None if data.shape is None else (trips, *data.shape)
        outputs.append(Data(shape, tensor=data.tensor, floating=data.floating, reason=data.reason))
    return outputs
