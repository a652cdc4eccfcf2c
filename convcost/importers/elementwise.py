"""Operators on single elements, normalisations and pools.

Source of all rules: the operator's page in the ONNX documentation (onnx.ai/onnx/operators). What one element costs
follows the layers of the language: a comparison for each limit, a division for a square root, an exponential for each
transcendental function. Signs, absolute values and tests are free of arithmetic.
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.errors import FieldError, ShapeError
from convcost.importers.compute import window
from convcost.importers.data import Data, axis_of, broadcast, combined, is_true, number, reduced, whole_list
from convcost.importers.rules import operator
from convcost.layers.base import REGISTRY, Saved
from convcost.layers.operator import Activating, Merging, Normalising, Operator, Pooling
from convcost.layers.window import show, windows
from convcost.numbers.arithmetic import (
    RELATIONS,
    Num,
    ceil,
    decide,
    divide,
    floor,
    floor_div,
    is_symbolic,
    maximum,
    minimum,
    normal,
    power,
    prod,
    provably,
    require,
    total,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.importers.evaluate import Call
    from convcost.numbers.exact import Relation


class _Each(NamedTuple):
    """What one element of an operator costs, and how its value follows where it is known.

    Attributes:
        kind: what reports group by.
        counts: of one element.
        saved: what the backward pass needs; None where that is not known here.
        backward: counts of the gradient of one element.
        value: of one element.
    """

    kind: str
    counts: dict[str, int]
    saved: Saved | None = None
    backward: dict[str, int] | None = None
    value: Callable[..., Any] | None = None


_INPUT, _OUTPUT, _NOTHING = Saved(input=True), Saved(output=True), Saved()


def _whole_part(value: Any) -> Any:
    return -floor(-value) if not is_symbolic(value) and value < 0 else floor(value)


def _round(value: Any) -> Any:
    return round(value) if not is_symbolic(value) else floor(value + Fraction(1, 2))


UNARY = {
    "Abs": _Each("abs", {}, _INPUT, {}, abs),
    "Neg": _Each("negate", {}, _NOTHING, {}, lambda value: -value),
    "Sign": _Each("sign", {}, _NOTHING, {}, lambda value: (value > 0) - (value < 0)),
    "Floor": _Each("floor", {"additions": 1}, _NOTHING, {}, floor),
    "Ceil": _Each("ceil", {"additions": 1}, _NOTHING, {}, ceil),
    "Round": _Each("round", {"additions": 1}, _NOTHING, {}, _round),
    "Not": _Each("not", {}, _NOTHING, {}, lambda value: not is_true(value)),
    "IsNaN": _Each("is_nan", {}, _NOTHING, {}),
    "IsInf": _Each("is_inf", {}, _NOTHING, {}),
    "Reciprocal": _Each("reciprocal", {"divisions": 1}, _OUTPUT, {"multiplications": 2}, partial(divide, 1)),
    "Sqrt": _Each("sqrt", {"divisions": 1}, _OUTPUT, {"multiplications": 1, "divisions": 1}),
    "Exp": _Each("exp", {"exponentials": 1}, _OUTPUT, {"multiplications": 1}),
    "Log": _Each("log", {"exponentials": 1}, _INPUT, {"divisions": 1}),
    "Erf": _Each("erf", {"exponentials": 1}, _INPUT, {"exponentials": 1, "multiplications": 3}),
    **{
        name: _Each(name.lower(), {"exponentials": 1}, _INPUT, {"exponentials": 1, "multiplications": 1})
        for name in ("Sin", "Cos", "Sinh", "Cosh")
    },
    **{
        name: _Each(name.lower(), {"exponentials": 1})
        for name in ("Tan", "Asin", "Acos", "Atan", "Asinh", "Acosh", "Atanh")
    },
    **{
        name: _Each(name.lower(), {"exponentials": 1, "additions": 1, "multiplications": 1, "comparisons": 1})
        for name in ("Elu", "Celu", "Selu")
    },
    "Softplus": _Each("softplus", {"exponentials": 2, "additions": 1}),
    "Softsign": _Each("softsign", {"additions": 1, "divisions": 1}),
    "ThresholdedRelu": _Each("thresholded_relu", {"comparisons": 1}, _INPUT, {"comparisons": 1}),
    "Shrink": _Each("shrink", {"comparisons": 2, "additions": 1}, _INPUT, {"comparisons": 2}),
    "Mish": _Each("mish", {"exponentials": 3, "additions": 1, "multiplications": 1}),
    "QuantizeLinear": _Each("quantize", {"divisions": 1, "additions": 2, "comparisons": 2}, _NOTHING, {}),
    "DequantizeLinear": _Each("dequantize", {"additions": 1, "multiplications": 1}, _NOTHING, {}),
    "BitwiseNot": _Each("bitwise_not", {}, _NOTHING, {}),
}
LAYERS = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "HardSwish": "hard_swish",
    "HardSigmoid": "hard_sigmoid",
    "Tanh": "tanh",
    "Gelu": "gelu",
    "LeakyRelu": "leaky_relu",
    "Swish": "swish",
    "com.microsoft:Gelu": "gelu",
    "com.microsoft:QuickGelu": "gelu",
    "com.microsoft:FastGelu": "gelu",
}


def _unary(call: Call) -> list[Data]:
    x = call.input(0)
    each = UNARY[call.node.op]
    if call.is_constant:
        if call.node.op == "DequantizeLinear":
            made = x.seen(x.sizes)
            made.floating, made.stored = True, x.count
            return [made]
        values = None
        if each.value is not None and x.values is not None:
            _, values = combined(each.value, [x])
        return [call.constant(x.sizes, values)]
    return [_single(call, x, each.kind, each.counts, each.saved, each.backward)]


for _name in UNARY:
    operator(_name)(_unary)


def _layer(call: Call, key: str, values: dict[str, Any], x: Data, params: Sequence[Data] = ()) -> Data:
    """A layer of the language that keeps the shape.

    Raises:
        ShapeError: it does not take this tensor.
    """
    made = call.on_sample(key, values, [x], x.sizes, params)
    if made is None:
        raise ShapeError(f"expected a tensor that {key} takes, found {show(x.sizes) or 'a number'}")
    return made


def _single(
    call: Call,
    x: Data,
    kind: str,
    each: dict[str, int],
    saved: Saved | None,
    backward: dict[str, int] | None,
) -> Data:
    """An element-wise layer on one tensor."""
    count = x.count
    gradient = None if backward is None else {name: times * count for name, times in backward.items()}
    counts = {name: times * count for name, times in each.items()}
    reads = [x] if x.tensor is not None else call.given
    return call.stated(Activating, kind, x.sizes, counts, reads, pointwise=True, saved=saved, backward=gradient)


def _activation(call: Call) -> list[Data]:
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    name = f"{call.node.domain}:{call.node.op}" if call.node.domain else call.node.op
    return [_layer(call, LAYERS[name], {}, x)]


for _name in LAYERS:
    operator(_name)(_activation)


@operator("PRelu", weights=(1,))
def prelu(call: Call) -> list[Data]:
    """A leaky ReLU with trained slopes."""
    x, slopes = call.input(0), call.input(1)
    if call.is_constant:
        return [call.constant(x.sizes)]
    counts: dict[str, Num] = {"comparisons": x.count, "multiplications": x.count}
    if slopes.tensor is None:
        counts["other_params"] = slopes.count
    return [call.stated(Activating, "prelu", x.sizes, counts, [x], [slopes], pointwise=True, saved=_INPUT)]


@operator("Clip")
def clip(call: Call) -> list[Data]:
    """Limits on both sides, or on one."""
    x = call.input(0)
    low, high = (_limit(call, name, index) for index, name in ((1, "min"), (2, "max")))
    if call.is_constant or (x.tensor is None and x.values is not None):
        if x.values is None or "unknown" in (low, high):
            return [call.constant(x.sizes)]
        return [call.constant(x.sizes, [_clipped(value, low, high) for value in x.values])]
    if (low, high) == (0, 6):
        return [_layer(call, "relu6", {}, x)]
    sides = (low is not None) + (high is not None)
    return [_single(call, x, "clip", {"comparisons": sides}, _INPUT, {"comparisons": sides})]


def _limit(call: Call, name: str, index: int) -> Any:
    value = call.attribute(name)
    if value is not None:
        return normal(value)
    data = call.maybe(index)
    if data is None:
        return None
    return normal(data.values[0]) if data.values else "unknown"


def _clipped(value: Any, low: Any, high: Any) -> Any:
    if low is not None:
        value = maximum(value, low)
    return value if high is None else minimum(value, high)


# operators on two tensors or more


def _quotient(a: Any, b: Any, *, floating: bool) -> Any:
    if floating:
        return divide(a, b)
    if is_symbolic(a) or is_symbolic(b):
        return floor_div(a, b)
    return _whole_part(divide(a, b))


def _rest(a: Any, b: Any, *, toward_zero: bool = False) -> Any:
    if toward_zero and not is_symbolic(a) and not is_symbolic(b):
        return a - b * _whole_part(divide(a, b))
    return a - b * floor_div(a, b)


def _related(relation: Relation, a: Any, b: Any) -> bool:
    if is_symbolic(a) or is_symbolic(b):
        return decide(relation, a, b)
    return bool(RELATIONS[relation](a, b))


BINARY = {
    "Add": _Each("add", {"additions": 1}, _NOTHING, {}, lambda a, b: a + b),
    "Sub": _Each("subtract", {"additions": 1}, _NOTHING, {}, lambda a, b: a - b),
    "Mul": _Each("multiply", {"multiplications": 1}, _INPUT, {"multiplications": 2}, lambda a, b: a * b),
    "Div": _Each("divide", {"divisions": 1}, _INPUT, {"divisions": 1, "multiplications": 2}),
    "Mod": _Each("modulo", {"divisions": 1}, None, None, _rest),
    "Pow": _Each("power", {"exponentials": 1}, _INPUT, {"exponentials": 1, "multiplications": 1}, power),
    "Equal": _Each("compare", {"comparisons": 1}, _NOTHING, {}, partial(_related, "==")),
    "Less": _Each("compare", {"comparisons": 1}, _NOTHING, {}, partial(_related, "<")),
    "Greater": _Each("compare", {"comparisons": 1}, _NOTHING, {}, partial(_related, ">")),
    "LessOrEqual": _Each("compare", {"comparisons": 1}, _NOTHING, {}, partial(_related, "<=")),
    "GreaterOrEqual": _Each("compare", {"comparisons": 1}, _NOTHING, {}, partial(_related, ">=")),
    "And": _Each("logic", {}, _NOTHING, {}, lambda a, b: is_true(a) and is_true(b)),
    "Or": _Each("logic", {}, _NOTHING, {}, lambda a, b: is_true(a) or is_true(b)),
    "Xor": _Each("logic", {}, _NOTHING, {}, lambda a, b: is_true(a) != is_true(b)),
    "BitwiseAnd": _Each("logic", {}, _NOTHING, {}),
    "BitwiseOr": _Each("logic", {}, _NOTHING, {}),
    "BitwiseXor": _Each("logic", {}, _NOTHING, {}),
    "BitShift": _Each("shift", {}, _NOTHING, {}),
    "Max": _Each("maximum", {"comparisons": 1}, _INPUT, {"comparisons": 1}, maximum),
    "Min": _Each("minimum", {"comparisons": 1}, _INPUT, {"comparisons": 1}, minimum),
    "Sum": _Each("add", {"additions": 1}, _NOTHING, {}, lambda *values: total(values)),
    "Mean": _Each("mean", {"additions": 1}, _NOTHING, {}),
    "Where": _Each("where", {}, _INPUT, {}, lambda chosen, a, b: a if is_true(chosen) else b),
}


def _binary(call: Call) -> list[Data]:
    each, operands = BINARY[call.node.op], call.given
    if not operands:
        raise ShapeError("expected at least 1 input, found 0")
    if call.is_constant:
        value = each.value
        if call.node.op == "Div":
            value = partial(_quotient, floating=any(item.floating for item in operands))
        if call.node.op == "Mod":
            value = partial(_rest, toward_zero=bool(call.integer("fmod", 0)))
        if value is None:
            return [call.constant(broadcast([item.sizes for item in operands]))]
        shape, values = combined(value, operands)
        return [call.constant(shape, values)]
    return [merged(call, each.kind, each.counts, each.saved, each.backward, operands)]


for _name in BINARY:
    operator(_name)(_binary)


def merged(
    call: Call,
    kind: str,
    each: dict[str, int],
    saved: Saved | None,
    backward: dict[str, int] | None,
    operands: list[Data],
) -> Data:
    """An element-wise layer on several tensors; one that is a constant of several floats is a parameter of it."""
    shape = broadcast([item.sizes for item in operands])
    reads = [item for item in operands if item.tensor is not None]
    if kind in REGISTRY and len(reads) == len(operands) > 1:
        made = call.on_sample(kind, {}, operands, shape)
        if made is not None:
            return made
    count = prod(shape)
    trained = kind in ("add", "subtract", "multiply", "divide")  # of other operators constants are limits and masks
    if kind == "power" and operands[-1].values == [2]:
        each = {"multiplications": 1}
    turns = max(len(operands) - 1, 1)
    counts: dict[str, Num] = {name: times * count * turns for name, times in each.items()}
    params = [item for item in operands if item.tensor is None and item.floating and item.ident] if trained else []
    params = [
        item
        for item in params
        if not provably(item.stored, 0) and (call.run.exact or not provably(item.stored, 1))  # an epsilon of a file
    ]
    if params:
        counts["other_params"] = total([item.stored for item in params])
    summed = total([count - item.count for item in reads])
    gradient = None if backward is None else {name: times * count * turns for name, times in backward.items()}
    if gradient is not None and not provably(summed, 0):
        gradient["additions"] = gradient.get("additions", 0) + summed
    make = Merging if len(reads) > 1 else Activating
    return call.stated(make, kind, shape, counts, reads, params, pointwise=True, saved=saved, backward=gradient)


@operator("com.microsoft:QLinearAdd", "com.microsoft:QLinearMul")
def qlinear_merge(call: Call) -> list[Data]:
    """A sum or product of integers with scales."""
    kind = "add" if call.node.op.endswith("Add") else "multiply"
    each = {"additions": 1} if kind == "add" else {"multiplications": 1}
    operands = [call.input(0), call.input(3)]
    if call.is_constant:
        return [call.constant(broadcast([item.sizes for item in operands]))]
    return [merged(call, kind, each, None, None, operands)]


@operator("DynamicQuantizeLinear")
def dynamic_quantize(call: Call) -> list[Data]:
    """Integers with a scale that is worked out from the smallest and largest element."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes), call.constant(()), call.constant(())]
    made = _single(call, x, "quantize", {"divisions": 1, "additions": 2, "comparisons": 4}, None, None)
    return [made, made.seen(()), made.seen(())]


# normalisations


@operator("BatchNormalization", weights=(1, 2, 3, 4))
def batch_norm(call: Call) -> list[Data]:
    """A batch norm with stored statistics."""
    x, scale = call.input(0), call.input(1)
    if call.is_constant:
        return [call.constant(x.sizes)]
    if len(x.sizes) < 2:  # noqa: PLR2004 - samples, channels
        raise ShapeError(f"expected samples and channels, found {show(x.sizes)}")
    require("==", scale.count, x.sizes[1], f"expected {scale.count} channels, found {show(x.sizes)}")
    return [call.layer("batch_norm", {}, x, call.given[1:])]


@operator("InstanceNormalization", weights=(1, 2))
def instance_norm(call: Call) -> list[Data]:
    """Every channel of every sample on its own."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    return [call.layer("group_norm", {"groups": x.sizes[1]}, x, call.given[1:])]


@operator("GroupNormalization", "com.microsoft:GroupNorm", weights=(1, 2))
def group_norm(call: Call) -> list[Data]:
    """Groups of channels of every sample."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    groups = call.integer("num_groups", 0) or call.integer("groups", 1)
    return [call.layer("group_norm", {"groups": groups}, x, call.given[1:])]


@operator("LRN")
def lrn(call: Call) -> list[Data]:
    """Local response normalisation."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    return [call.layer("lrn", {"size": call.integer("size", 5)}, x)]


@operator(
    "LayerNormalization",
    "RMSNormalization",
    "SimplifiedLayerNormalization",
    "com.microsoft:SimplifiedLayerNormalization",
    weights=(1, 2),
)
def layer_norm(call: Call) -> list[Data]:
    """Statistics over the last axes, with a scale and a shift for each of their elements."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    axis = axis_of(call.integer("axis", -1), len(x.sizes))
    params = [item for item in call.given[1:] if item.tensor is None]
    root = "LayerNorm" not in call.node.op or "Simplified" in call.node.op  # no mean, no shift
    first = call.axis_of_sample(axis, x.sizes)
    rank = len(call.run.shape_of(x.sizes))
    statistics = (*x.sizes[:axis], *(1 for _ in x.sizes[axis:]))
    made = None
    if not root and first >= 0 and len(params) in (0, 2):
        fields = {"axis": tuple(range(first, rank)), "affine": bool(params)}
        made = call.on_sample("layer_norm", fields, [x], x.sizes, params)
    if made is None:
        sets = prod(x.sizes[:axis])
        work = _normalised(floor_div(x.count, sets), sets, affine=bool(params))
        work["norm_params"] = total([item.count for item in params] or [0])
        if root:
            work |= {"additions": x.count, "divisions": 3 * sets}
        made = call.stated(Normalising, "layer_norm", x.sizes, work, [x], params, pointwise=True, saved=_INPUT)
    return [made, made.seen(statistics), made.seen(statistics)]


def _normalised(elements: Num, sets: Num, *, affine: bool) -> dict[str, Num]:
    """The operations of a layer norm of so many sets of elements."""
    shape = (elements, sets)
    work = REGISTRY["layer_norm"](affine=affine).work(shape, shape)
    return {name: count for name, count in vars(work).items() if name not in ("read", "written", "norm_params")}


@operator("LpNormalization", "MeanVarianceNormalization")
def other_norms(call: Call) -> list[Data]:
    """Elements divided by their norm along an axis, or normalised over axes."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    if call.node.op == "LpNormalization":
        axis = axis_of(call.integer("axis", -1), len(x.sizes))
        sets = floor_div(x.count, x.sizes[axis])
        counts = {"multiplications": x.count, "additions": x.count - sets, "divisions": x.count + sets}
    else:
        axes = [axis_of(axis, len(x.sizes)) for axis in call.integers("axes") or [0, 2, 3]]
        sets = prod(size for axis, size in enumerate(x.sizes) if axis not in axes)
        counts = _normalised(floor_div(x.count, sets), sets, affine=False)
    return [call.stated(Normalising, "norm", x.sizes, counts, [x])]


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(call: Call) -> list[Data]:
    """A softmax along an axis; before version 13 over all axes from there on."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    old = call.version < 13  # noqa: PLR2004 - the version that changed it
    axis = axis_of(call.integer("axis", 1 if old else -1), max(len(x.sizes), 1), extra=int(old))
    key = "log_softmax" if call.node.op == "LogSoftmax" else "softmax"
    inner = prod(x.sizes[axis + 1 :])
    first = call.axis_of_sample(axis, x.sizes)
    if first >= 0 and (not old or provably(inner, 1)):
        return [_layer(call, key, {"axis": first}, x)]
    sets = prod(x.sizes[:axis]) if old else floor_div(x.count, x.sizes[axis])
    shape = (floor_div(x.count, sets), sets)
    layer = REGISTRY[key]()
    work = layer.work(shape, shape)
    counts = {name: count for name, count in vars(work).items() if name not in ("read", "written")}
    gradient = vars(layer.backward(shape, shape).input)
    return [call.stated(Activating, key, x.sizes, counts, [x], saved=_OUTPUT, backward=gradient)]


# pools and reductions


@operator("MaxPool", "AveragePool", "LpPool")
def pool(call: Call) -> list[Data]:
    """A window without weights."""
    x = call.input(0)
    kernel = call.integers("kernel_shape") or []
    if len(kernel) != len(x.sizes) - 2 or not kernel:
        raise ShapeError(
            f"attribute kernel_shape: expected a size for each axis of {show(x.sizes)}, found {kernel[:8]}"
        )
    values = window(call, kernel)
    up = bool(call.integer("ceil_mode", 0))
    area = windows(
        x.sizes[1:],
        call.node.op,
        values["kernel"],
        values["stride"],
        values["padding"],
        values["dilation"],
        ceil_mode=up,
    )
    whole = (*x.sizes[:2], *area)
    if call.is_constant:
        return [call.constant(whole), call.constant(whole)]
    key = {"MaxPool": "max_pool", "AveragePool": "avg_pool"}.get(call.node.op, "")
    fields = values | {"ceil_mode": up}
    if key == "avg_pool" and all(item == 1 for item in fields.pop("dilation")):
        fields["count_include_pad"] = bool(call.integer("count_include_pad", 0))
    elif key == "avg_pool":
        key = ""
    if key:
        try:
            made = call.layer(key, fields, x)
        except FieldError:  # padding that the language refuses
            key = ""
        else:
            return [made, made.seen(whole)]
    taps = prod(kernel)
    out = prod(whole)
    counts: dict[str, Num] = {"comparisons": out * (taps - 1)}
    if call.node.op != "MaxPool":
        counts = {"additions": out * (taps - 1), "divisions": out}
    if call.node.op == "LpPool":
        counts["multiplications"] = out * taps
    made = call.stated(Pooling, "pool", whole, counts, [x])
    return [made, made.seen(whole)]


@operator("GlobalAveragePool", "GlobalMaxPool", "com.microsoft:QLinearGlobalAveragePool", "GlobalLpPool")
def global_pool(call: Call) -> list[Data]:
    """One value for every map."""
    x = call.input(0)
    whole = (*x.sizes[:2], *(1 for _ in x.sizes[2:]))
    if call.is_constant:
        return [call.constant(whole)]
    key = "global_max_pool" if call.node.op == "GlobalMaxPool" else "global_avg_pool"
    if call.node.op == "GlobalLpPool":
        counts = {"multiplications": x.count, "additions": x.count - prod(whole), "divisions": prod(whole)}
        return [call.stated(Pooling, "pool", whole, counts, [x])]
    return [call.layer(key, {}, x)]


def _product_of(values: list[Any]) -> Any:
    return prod(values)


_REDUCTIONS: dict[str, Callable[[list[Any]], Any] | None] = {
    "ReduceSum": total,
    "ReduceProd": _product_of,
    "ReduceMax": lambda values: maximum(*values),
    "ReduceMin": lambda values: minimum(*values),
    "ReduceMean": lambda values: divide(total(values), len(values)),
    "ReduceL1": None,
    "ReduceL2": None,
    "ReduceSumSquare": None,
    "ReduceLogSum": None,
    "ReduceLogSumExp": None,
}


def _reduce(call: Call) -> list[Data]:
    x = call.input(0)
    axes = call.integers("axes") if "axes" in call.node.attributes else whole_list(call.maybe(1), "axes")
    if not axes:
        if axes is not None and call.integer("noop_with_empty_axes", 0):
            return [x]
        axes = list(range(len(x.sizes)))
    chosen = sorted({axis_of(axis, len(x.sizes)) for axis in axes})
    keep = bool(call.integer("keepdims", 1))
    op = call.node.op
    function = _REDUCTIONS[op]
    shape, values = reduced(x, chosen, function or total, keep=keep)
    if call.is_constant:
        return [call.constant(shape, values if function is not None else None)]
    spatial = chosen == (list(range(1, len(x.sizes) - 1)) if call.run.channels_last else list(range(2, len(x.sizes))))
    key = {"ReduceMean": "global_avg_pool", "ReduceMax": "global_max_pool"}.get(op)
    if key and spatial and keep and 1 <= len(chosen) <= 3:  # noqa: PLR2004 - the axes of a map
        return [call.layer(key, {}, x)]
    key = {"ReduceMean": "mean", "ReduceMax": "max"}.get(op)
    places = tuple(sorted(call.axis_of_sample(axis, x.sizes) for axis in chosen))
    if key and keep and all(place >= 0 for place in places):
        made = call.on_sample(key, {"axis": places}, [x], shape)
        if made is not None:
            return [made]
    out = prod(shape)
    rest = x.count - out
    counts: dict[str, dict[str, Num]] = {
        "ReduceMax": {"comparisons": rest},
        "ReduceMin": {"comparisons": rest},
        "ReduceProd": {"multiplications": rest},
        "ReduceMean": {"additions": rest, "divisions": out},
        "ReduceL2": {"multiplications": x.count, "additions": rest, "divisions": out},
        "ReduceSumSquare": {"multiplications": x.count, "additions": rest},
        "ReduceLogSum": {"additions": rest, "exponentials": out},
        "ReduceLogSumExp": {"additions": rest, "exponentials": x.count + out},
    }
    gradient = {"divisions": out} if op == "ReduceMean" else {} if op == "ReduceSum" else None
    saved = _NOTHING if gradient is not None else None
    kind = op.removeprefix("Reduce").lower()
    counted = counts.get(op, {"additions": rest})
    return [call.stated(Pooling, f"reduce_{kind}", shape, counted, [x], saved=saved, backward=gradient)]


for _name in _REDUCTIONS:
    operator(_name)(_reduce)


@operator("ArgMax", "ArgMin")
def arg(call: Call) -> list[Data]:
    """The place of the largest or smallest element along an axis."""
    x = call.input(0)
    axis = axis_of(call.integer("axis", 0), len(x.sizes))
    shape, _ = reduced(x, [axis], total, keep=bool(call.integer("keepdims", 1)))
    if call.is_constant:
        return [call.constant(shape, floating=False)]
    return [call.stated(Pooling, "arg", shape, {"comparisons": x.count - prod(shape)}, [x], saved=_NOTHING)]


@operator("CumSum", "CumProd")
def cumulative(call: Call) -> list[Data]:
    """Running sums along an axis."""
    x = call.input(0)
    if call.is_constant:
        return [call.constant(x.sizes)]
    sums = call.node.op == "CumSum"
    counts = {"additions" if sums else "multiplications": x.count}
    return [call.stated(Operator, "cumsum" if sums else "cumprod", x.sizes, counts, [x])]


def one_number(data: Data | None) -> int | None:
    """The value of a scalar; None where there is none."""
    return None if data is None or not data.values else number(data.values[0], "a number")
