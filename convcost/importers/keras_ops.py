"""Operations between layers, such as ``x + 1`` or ``keras.ops.mean(x)``: most are operators of ONNX by another name.

Keras 3 writes them as entries of a model with their class in ``keras.src.ops``, Keras 2 as ``TFOpLambda`` layers with
the name of a function of TensorFlow.

Source of all rules: the operation's page in the Keras documentation (keras.io/api/ops) and its class in keras/src/ops
of Keras 3; of Keras 2 the function's page in the TensorFlow documentation.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError, shorten
from convcost.importers.data import Data, MissingError, axis_of, scalar, vector
from convcost.importers.keras_step import Slot, Step, listed, rule, shown
from convcost.importers.rules import OPERATORS
from convcost.layers.base import Saved
from convcost.layers.operator import Activating, Operator
from convcost.numbers.arithmetic import Num, prod

if TYPE_CHECKING:
    from collections.abc import Callable

UNARY = {
    "Absolute": "Abs",
    "Arccos": "Acos",
    "Arccosh": "Acosh",
    "Arcsin": "Asin",
    "Arcsinh": "Asinh",
    "Arctan": "Atan",
    "Arctanh": "Atanh",
    "BitwiseInvert": "BitwiseNot",
    "BitwiseNot": "BitwiseNot",
    "Ceil": "Ceil",
    "Cos": "Cos",
    "Cosh": "Cosh",
    "Erf": "Erf",
    "Exp": "Exp",
    "Floor": "Floor",
    "Isinf": "IsInf",
    "Isnan": "IsNaN",
    "Log": "Log",
    "LogicalNot": "Not",
    "Negative": "Neg",
    "Reciprocal": "Reciprocal",
    "Round": "Round",
    "Sign": "Sign",
    "Sin": "Sin",
    "Sinh": "Sinh",
    "Sqrt": "Sqrt",
    "Tan": "Tan",
    "Tanh": "Tanh",
}
BINARY = {
    "Add": "Add",
    "Divide": "Div",
    "Equal": "Equal",
    "FloorDivide": "Div",
    "Greater": "Greater",
    "GreaterEqual": "GreaterOrEqual",
    "Less": "Less",
    "LessEqual": "LessOrEqual",
    "LogicalAnd": "And",
    "LogicalOr": "Or",
    "LogicalXor": "Xor",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mod": "Mod",
    "Multiply": "Mul",
    "NotEqual": "Equal",
    "Power": "Pow",
    "Subtract": "Sub",
    "TrueDivide": "Div",
    "Where": "Where",
}
REDUCED = {
    "Amax": "ReduceMax",
    "Amin": "ReduceMin",
    "Logsumexp": "ReduceLogSumExp",
    "Max": "ReduceMax",
    "Mean": "ReduceMean",
    "Min": "ReduceMin",
    "Prod": "ReduceProd",
    "Sum": "ReduceSum",
}
ACTIVATIONS = {
    "Celu": "celu",
    "Elu": "elu",
    "Gelu": "gelu",
    "HardSigmoid": "hard_sigmoid",
    "HardSilu": "hard_silu",
    "HardShrink": "hard_shrink",
    "LeakyRelu": "leaky_relu",
    "Relu": "relu",
    "Relu6": "relu6",
    "Selu": "selu",
    "Sigmoid": "sigmoid",
    "Silu": "silu",
    "SoftShrink": "soft_shrink",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Threshold": "threshold",
}
MOVED = ("Flip", "Fliplr", "Flipud", "Roll", "Tril", "Triu", "Sort", "Argsort")
SAME = ("Cast", "Copy", "ConvertToTensor", "StopGradient", "SaturateCast", "NanToNum")
FUNCTIONS = {
    "__operators__.add": "Add",
    "__operators__.getitem": "GetItem",
    "abs": "Absolute",
    "cast": "Cast",
    "clip_by_value": "Clip",
    "compat.v1.transpose": "Transpose",
    "concat": "Concatenate",
    "convert_to_tensor": "ConvertToTensor",
    "einsum": "Einsum",
    "expand_dims": "ExpandDims",
    "identity": "Copy",
    "linalg.matmul": "Matmul",
    "math.add": "Add",
    "math.divide": "Divide",
    "math.exp": "Exp",
    "math.log": "Log",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
    "math.multiply": "Multiply",
    "math.negative": "Negative",
    "math.pow": "Power",
    "math.reduce_max": "Max",
    "math.reduce_mean": "Mean",
    "math.reduce_min": "Min",
    "math.reduce_sum": "Sum",
    "math.rsqrt": "Rsqrt",
    "math.sigmoid": "Sigmoid",
    "math.sqrt": "Sqrt",
    "math.square": "Square",
    "math.subtract": "Subtract",
    "math.tanh": "Tanh",
    "math.truediv": "Divide",
    "nn.elu": "Elu",
    "nn.gelu": "Gelu",
    "nn.leaky_relu": "LeakyRelu",
    "nn.relu": "Relu",
    "nn.relu6": "Relu6",
    "nn.selu": "Selu",
    "nn.sigmoid": "Sigmoid",
    "nn.silu": "Silu",
    "nn.softmax": "Softmax",
    "nn.softplus": "Softplus",
    "nn.swish": "Silu",
    "nn.tanh": "Tanh",
    "reshape": "Reshape",
    "split": "Split",
    "squeeze": "Squeeze",
    "stack": "Stack",
    "stop_gradient": "StopGradient",
    "tile": "Tile",
    "transpose": "Transpose",
}
_WORDS = {"dims": "axis", "perm": "axes", "shape": "newshape", "num_or_size_splits": "indices_or_sections"}


def operation(*names: str, heavy: bool = False) -> Callable[[Any], Any]:
    """Register a rule for operations of Keras."""
    return rule(*(f"ops.{name}" for name in names), heavy=heavy)


def _operand(step: Step, value: Any) -> Data:
    """A tensor, or a number as a constant."""
    if isinstance(value, Slot):
        return step.call.input(value.place)
    if isinstance(value, bool | int):
        return scalar(int(value))
    if isinstance(value, float) and isfinite(value):
        made = scalar(Fraction(value))
        made.floating = True
        return made
    return Data((), floating=True)


def _operands(step: Step) -> list[Data]:
    """All that an operation reads, in the order of its arguments; settings among them are left out."""
    values = [*step.args, *(value for key, value in step.named.items() if key not in ("name", "dtype", "out_type"))]
    return [_operand(step, value) for value in values if isinstance(value, Slot | int | float)]


def _setting(step: Step, name: str, place: int, default: Any = None) -> Any:
    """A setting of an operation: of its construction, by name, or the argument at a place."""
    other = next((word for word, known in _WORDS.items() if known == name), "")
    for key in (name, other, "target_shape" if name == "newshape" else ""):
        for where in (step.config, step.named):
            if key and key in where:
                return listed(where[key])
    return listed(step.args[place]) if place < len(step.args) else default


def _whole(step: Step, name: str, place: int, default: int | None = None) -> int:
    value = _setting(step, name, place, default)
    if type(value) is not int:
        raise ShapeError(f"`{name}`: expected a whole number, found {shown(value)}")
    return value


def _wholes(step: Step, name: str, place: int) -> list[int]:
    value = _setting(step, name, place)
    items = value if isinstance(value, list) else [value]
    if any(type(item) is not int for item in items):
        raise MissingError(f"its {name} is not a list of numbers")
    return items


@operation(*UNARY)
def _unary(step: Step) -> list[Data]:
    op = UNARY[_kind(step)]
    if op == "Tanh":
        return [step.add("tanh", {}, step.x)]
    return step.via(op, [step.x])


@operation(*BINARY)
def _binary(step: Step) -> list[Data]:
    operands = _operands(step)
    if len(operands) < 2:  # noqa: PLR2004
        raise ShapeError(f"expected two operands, found {len(operands)}")
    return step.via(BINARY[_kind(step)], operands[: 3 if _kind(step) == "Where" else 2])


@operation(*ACTIVATIONS)
def _activation(step: Step) -> Data:
    return step.activated(step.x, ACTIVATIONS[_kind(step)])


@operation("Softmax", "LogSoftmax")
def _softmax(step: Step) -> Data:
    x = step.x
    axis = axis_of(_setting(step, "axis", 1, -1), len(x.sizes))
    return step.add("softmax" if _kind(step) == "Softmax" else "log_softmax", {"axis": step.axis(axis, x)}, x)


@operation("Square")
def _square(step: Step) -> list[Data]:
    return step.via("Pow", [step.x, scalar(2)])


@operation("Rsqrt")
def _rsqrt(step: Step) -> list[Data]:
    step.parts = True
    return step.via("Reciprocal", step.via("Sqrt", [step.x], "sqrt"), "reciprocal")


@operation("Clip")
def _clip(step: Step) -> Data:
    x = step.x
    counts = {"comparisons": 2 * x.count}
    facts: dict[str, Any] = {"pointwise": True, "saved": Saved(input=True), "backward": {"comparisons": 2 * x.count}}
    return step.stated(Activating, "clip", x.sizes, counts, [x], **facts)


@operation(*REDUCED)
def _reduced(step: Step) -> list[Data]:
    x = step.x
    axes = _setting(step, "axis", 1)
    chosen = list(range(len(x.sizes))) if axes is None else _wholes(step, "axis", 1)
    return step.via(REDUCED[_kind(step)], [x], axes=chosen, keepdims=int(bool(_setting(step, "keepdims", 2))))


@operation("Argmax", "Argmin")
def _arg(step: Step) -> list[Data]:
    axis = _setting(step, "axis", 1)
    if axis is None:
        raise MissingError("a place among all samples is not followed")
    op = "ArgMax" if _kind(step) == "Argmax" else "ArgMin"
    return step.via(op, [step.x], axis=axis, keepdims=int(bool(_setting(step, "keepdims", 2))))


@operation("Matmul", heavy=True)
def _matmul(step: Step) -> list[Data]:
    operands = _operands(step)
    if len(operands) < 2:  # noqa: PLR2004
        raise ShapeError(f"expected two tensors, found {len(operands)}")
    for key in ("transpose_a", "transpose_b", "adjoint_a", "adjoint_b"):
        if step.named.get(key) is True:
            place = int(key.endswith("_b"))
            order = list(range(len(operands[place].sizes)))
            order[-2:] = order[:-3:-1]
            operands[place] = operands[place].seen(tuple(operands[place].sizes[axis] for axis in order))
    return step.via("MatMul", operands[:2])


@operation("Einsum", heavy=True)
def _einsum(step: Step) -> list[Data]:
    equation = _setting(step, "subscripts", len(step.args))
    equation = step.args[0] if isinstance(step.args[0] if step.args else None, str) else equation
    if not isinstance(equation, str):
        raise MissingError("its equation is not in the file")
    return step.via("Einsum", [step.call.input(place) for place in range(len(step.call.inputs))], equation=equation)


# sizes and order of axes


@operation("Reshape", "Ravel")
def _reshape(step: Step) -> list[Data]:
    sizes = [-1] if _kind(step) == "Ravel" else _wholes(step, "newshape", 1)
    x = step.x
    if sizes and sizes[0] == -1 and sizes.count(-1) > 1:  # the samples and one more
        return step.via("Reshape", [x, vector([x.sizes[0], *sizes[1:]])])
    return step.via("Reshape", [x, vector(sizes)])


@operation("Transpose", "Swapaxes", "Moveaxis")
def _transpose(step: Step) -> list[Data]:
    x = step.x
    order = list(range(len(x.sizes)))
    if _kind(step) == "Transpose":
        order = order[::-1] if _setting(step, "axes", 1) is None else _wholes(step, "axes", 1)
        order = [axis_of(axis, len(order)) for axis in order]
    elif _kind(step) == "Swapaxes":
        a, b = (axis_of(_whole(step, f"axis{place}", place), len(order)) for place in (1, 2))
        order[a], order[b] = order[b], order[a]
    else:
        sources, targets = _wholes(step, "source", 1), _wholes(step, "destination", 2)
        pairs = sorted((axis_of(b, len(order)), axis_of(a, len(order))) for a, b in zip(sources, targets, strict=False))
        order = [axis for axis in order if axis not in [source for _, source in pairs]]
        for target, source in pairs:
            order.insert(target, source)
    return step.via("Transpose", [x], perm=order)


@operation("ExpandDims")
def _expand_dims(step: Step) -> list[Data]:
    return step.via("Unsqueeze", [step.x], axes=_wholes(step, "axis", 1))


@operation("Squeeze")
def _squeeze(step: Step) -> list[Data]:
    x = step.x
    axes = _setting(step, "axis", 1)
    if axes is None:
        chosen = [axis for axis, size in enumerate(x.sizes) if axis and type(size) is int and size == 1]
        return step.via("Squeeze", [x], axes=chosen)
    return step.via("Squeeze", [x], axes=_wholes(step, "axis", 1))


@operation("Concatenate", "Stack")
def _concatenate(step: Step) -> list[Data]:
    tensors = step.tensors
    axis = _whole(step, "axis", 1, -1 if _kind(step) == "Concatenate" else 0)
    if _kind(step) == "Stack":
        axis = axis_of(axis, len(tensors[0].sizes) + 1)
        tensors = [item.seen((*item.sizes[:axis], 1, *item.sizes[axis:])) for item in tensors]
    return tensors if len(tensors) == 1 else step.via("Concat", tensors, axis=axis)


@operation("Split")
def _split(step: Step) -> list[Data]:
    x = step.x
    value = _setting(step, "indices_or_sections", 1)
    axis = axis_of(_whole(step, "axis", 2, 0), len(x.sizes))
    size = x.sizes[axis]
    if type(size) is not int:
        raise MissingError("parts of a size that is a symbol are not followed")
    if type(value) is int and value > 0:
        sizes = [size // value] * value
    elif isinstance(value, list) and all(type(item) is int for item in value):
        ends = [0, *value, size]
        sizes = [b - a for a, b in pairwise(ends)]
    else:
        raise MissingError("its parts are not in the file")
    if len(sizes) > size or min(sizes) < 0:
        raise ShapeError(f"expected parts of {size}, found {shown(value)}")
    return step.via("Split", [x], outs=len(sizes), axis=axis, split=sizes)


@operation("GetItem")
def _get_item(step: Step) -> Data:
    """A part of a tensor: places, slices, further axes."""
    x = step.x
    keys = step.args[1] if len(step.args) > 1 else step.named.get("key", step.named.get("slice_spec"))
    keys = list(keys) if isinstance(keys, list) else [keys]
    taken = sum(key is not None and not _is_rest(key) for key in keys)
    if not any(_is_rest(key) for key in keys):
        keys.append({"class_name": "__ellipsis__"})
    limits: list[list[Any]] = [[], [], [], []]
    shape: list[Any] = []
    axis = 0
    for key in keys:
        if key is None:
            shape.append("new")
        elif _is_rest(key):
            rest = max(len(x.sizes) - taken, 0)
            shape += ["kept"] * rest
            axis += rest
        else:
            start, stop, step_, kind = _limits(key)
            for place, value in enumerate((start, stop, axis, step_)):
                limits[place].append(value)
            shape.append(kind)
            axis += 1
    if axis > len(x.sizes):
        raise ShapeError(f"expected at most {len(x.sizes)} places, found {axis}")
    step.parts = "new" in shape or "dropped" in shape
    made = step.via("Slice", [x, *map(vector, limits)], "slice")[0] if limits[0] else x
    sizes = iter(made.sizes)
    wanted: list[Num] = []
    for kind in shape:
        size = 1 if kind == "new" else next(sizes)
        if kind != "dropped":
            wanted.append(size)
    return step.via("Reshape", [made, vector(wanted)], "reshape")[0] if step.parts else made


_END = 2**62


def _is_rest(key: Any) -> bool:
    return isinstance(key, dict) and "ellipsis" in str(key.get("class_name"))


def _limits(key: Any) -> tuple[int, int, int, str]:
    """Start, end and step of a place or slice, and what becomes of its axis."""
    if type(key) is int:
        return key, key + 1 if key != -1 else _END, 1, "dropped"
    config = key.get("config", key) if isinstance(key, dict) else None
    if not isinstance(config, dict) or not {"start", "stop", "step"} <= set(config):
        raise MissingError("its places are not in the file")
    start, stop, every = config["start"], config["stop"], config["step"]
    every = 1 if every is None else every
    if any(item is not None and type(item) is not int for item in (start, stop, every)) or not every:
        raise MissingError("its places are not numbers")
    if every < 0:
        return (_END if start is None else start), (-_END if stop is None else stop), every, "kept"
    return start or 0, _END if stop is None else stop, every, "kept"


@operation("Pad")
def _pad(step: Step) -> list[Data]:
    x = step.x
    pairs = _setting(step, "pad_width", 1)
    pairs = [listed(pair) for pair in pairs] if isinstance(pairs, list) else [[pairs, pairs]]
    pairs = pairs * len(x.sizes) if len(pairs) == 1 else pairs
    sizes = [size for pair in pairs if isinstance(pair, list) for size in pair]
    if len(sizes) != 2 * len(x.sizes) or any(type(size) is not int for size in sizes):
        raise ShapeError(f"`pad_width`: expected a pair for each of {len(x.sizes)} axes, found {shown(pairs)}")
    return step.via("Pad", [x], pads=[*sizes[::2], *sizes[1::2]])


@operation("BroadcastTo")
def _broadcast(step: Step) -> list[Data]:
    x, sizes = step.x, _wholes(step, "shape", 1)
    sizes = [x.sizes[0], *sizes[1:]] if sizes[:1] == [-1] else sizes
    return step.via("Expand", [x, vector(sizes)])


@operation("Tile")
def _tile(step: Step) -> list[Data]:
    x, repeats = step.x, _wholes(step, "repeats" if "repeats" in step.config else "multiples", 1)
    return step.via("Tile", [x, vector([*([1] * (len(x.sizes) - len(repeats))), *repeats])])


@operation("Repeat")
def _repeat(step: Step) -> Data:
    x, times = step.x, _setting(step, "repeats", 1)
    axis = _setting(step, "axis", 2)
    if type(times) is not int or times < 1 or type(axis) is not int:
        raise MissingError("its numbers of repeats are not followed")
    place = axis_of(axis, len(x.sizes))
    shape = (*x.sizes[:place], x.sizes[place] * times, *x.sizes[place + 1 :])
    return step.stated(Operator, "repeat", shape, {}, [x], saved=Saved(), backward={"additions": prod(shape) - x.count})


@operation(*MOVED)
def _moved(step: Step) -> Data:
    x = step.x
    return step.stated(Operator, _kind(step).lower(), x.sizes, {}, [x], saved=Saved(), backward={})


@operation(*SAME)
def _same(step: Step) -> Data:
    return step.x


def _kind(step: Step) -> str:
    """The name of the operation."""
    if step.layer.kind == "SlicingOpLambda":
        return "GetItem"
    if step.layer.kind == "TFOpLambda":
        return FUNCTIONS.get(str(step.config.get("function")), "")
    return step.layer.kind


@rule("TFOpLambda", "SlicingOpLambda", heavy=True)
def _function(step: Step) -> list[Data]:
    """A function of TensorFlow, by its name."""
    name = str(step.config.get("function"))
    kind = _kind(step)
    known = OPERATORS.get(f"keras:ops.{kind}")
    if known is None:
        raise MissingError(f"no rule for tf.{shorten(name)}")
    return known.rule(step.call)
