"""Layers as operators of ONNX: for each the node, or the few nodes, that compute it on a batch of a single sample.

Source of all operators: their pages in the ONNX documentation (onnx.ai/onnx/operators). A layer without an operator, or
whose operator has other multiply-accumulates or parameters, has no entry here.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from convcost.layers.activation import ACTIVATIONS
from convcost.layers.window import axes_of, axis_of, extent, per_axis, sides

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.layers.base import Layer

    Sizes: TypeAlias = tuple[int, ...]
    Rule: TypeAlias = Callable[["Call"], bool | None]

LATER = 23  # the version of the operators that has attention and the root mean square norm
_PAIR, _MAP = 2, 3  # operands of a sum; axes of a map of channels, height and width


class Made(NamedTuple):
    """A node of ONNX.

    Attributes:
        op: its operator.
        inputs: names of tensors; empty for one that is left out.
        attributes: whole numbers, floats, texts, and tuples of whole numbers.
        output: the name of its tensor.
    """

    op: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]
    output: str


class Call:
    """One layer on its way to ONNX: what a rule gets, and what it has made.

    Attributes:
        layer: the layer.
        x: the shapes of what it reads, without the axis of the samples.
        y: the shape of what it makes.
        inputs: the tensors that it reads.
        made: the nodes so far; the last one makes the output.
        main: place of the node that does what the layer is for; None for the last one.
        weights: sizes of its parameters by their names within the layer.
        constants: lists of whole numbers, and single floats, by name.
        version: the least version of the operators.
    """

    def __init__(self, layer: Layer, x: Sequence[Sizes], y: Sizes, inputs: Sequence[str], name: str) -> None:
        self.layer: Any = layer
        self.x = tuple(x)
        self.y = y
        self.inputs = tuple(inputs)
        self.made: list[Made] = []
        self.main: int | None = None
        self.weights: dict[str, Sizes] = {}
        self.constants: dict[str, Sizes | float] = {}
        self.version = 0
        self._name = name

    def put(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Append a node, and give the name of its output."""
        output = f"{self._name}:{len(self.made)}"
        self.made.append(Made(op, inputs, attributes, output))
        return output

    def main_put(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Append the node that stands for the layer, among others that move elements for it."""
        self.main = len(self.made)
        return self.put(op, *inputs, **attributes)

    def weight(self, role: str, *sizes: int) -> str:
        """A tensor of parameters."""
        self.weights[role] = sizes
        return role

    def constant(self, value: Sizes | float) -> str:
        """A list of whole numbers, or a single float."""
        name = f"{self._name}:c{len(self.constants)}"
        self.constants[name] = value
        return name

    def reshape(self, x: str, *sizes: int) -> str:
        """The same elements in another shape, which begins with the one sample."""
        return self.put("Reshape", x, self.constant((1, *sizes)))

    def transpose(self, x: str, order: Sequence[int]) -> str:
        """The axes of a sample in another order."""
        return self.put("Transpose", x, perm=(0, *(1 + place for place in order)))


RULES: dict[str, Rule] = {}  # by the key of a layer; False: this layer has no operator


def rule(*keys: str) -> Callable[[Rule], Rule]:
    """Register how a layer is written."""

    def registered(function: Rule) -> Rule:
        for key in keys:
            RULES[key] = function
        return function

    return registered


# activations

_PLAIN: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "sigmoid": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "hard_swish": ("HardSwish", {}),
    "gelu": ("Gelu", {}),
    "tanh": ("Tanh", {}),
    "identity": ("Identity", {}),
    "dropout": ("Dropout", {}),
    "global_avg_pool": ("GlobalAveragePool", {}),
    "global_max_pool": ("GlobalMaxPool", {}),
    "flatten": ("Flatten", {"axis": 1}),
}


def _plain(call: Call) -> None:
    op, attributes = _PLAIN[call.layer.key]
    call.put(op, *call.inputs, **attributes)


for _key in _PLAIN:
    rule(_key)(_plain)


@rule("relu6")
def _relu6(call: Call) -> None:
    call.put("Clip", call.inputs[0], call.constant(0.0), call.constant(6.0))


@rule("leaky_relu")
def _leaky_relu(call: Call) -> None:
    call.put("LeakyRelu", call.inputs[0], alpha=float(call.layer.slope))


@rule("prelu")
def _prelu(call: Call) -> None:
    x = call.x[0]
    one_each = (x[0], *(1 for _ in x[1:]))
    sizes = (1,) if call.layer.shared else x if call.layer.per_element else one_each
    call.put("PRelu", call.inputs[0], call.weight("slope", *sizes))


@rule("swish")
def _swish(call: Call) -> None:
    call.put("Mul", call.inputs[0], call.put("Sigmoid", call.inputs[0]))


@rule("softmax", "log_softmax")
def _softmax(call: Call) -> None:
    op = "Softmax" if call.layer.key == "softmax" else "LogSoftmax"
    call.put(op, call.inputs[0], axis=1 + axis_of(call.layer.axis, call.x[0]))


@rule("activation")
def _activation(call: Call) -> bool | None:
    if call.layer.kind == "none":
        call.put("Identity", call.inputs[0])
        return None
    call.layer = ACTIVATIONS[call.layer.kind]()
    return RULES[call.layer.key](call)


# convolutions and products


def _window(call: Call) -> dict[str, Any]:
    """Kernel, strides, dilations and explicit pads of a window."""
    layer, x, y = call.layer, call.x[0], call.y
    count = len(x) - 1
    kernel = per_axis(layer.kernel, count, "kernel")
    stride = per_axis(layer.kernel if layer.stride is None else layer.stride, count, "stride")
    dilation = per_axis(getattr(layer, "dilation", 1), count, "dilation")
    if layer.padding == "same":
        wide = [
            max((out - 1) * step + extent(k, spread) - size, 0)
            for out, step, k, spread, size in zip(y[1:], stride, kernel, dilation, x[1:], strict=True)
        ]
        pads = [(total // 2, total - total // 2) for total in wide]
    else:
        pads = list(sides(layer.padding, count))
    return {
        "kernel_shape": kernel,
        "strides": stride,
        "dilations": dilation,
        "pads": (*(before for before, _ in pads), *(after for _, after in pads)),
    }


@rule("conv")
def _conv(call: Call) -> None:
    layer = call.layer
    window = _window(call)
    weights = call.weight("weight", layer.out, call.x[0][0] // layer.groups, *window["kernel_shape"])
    bias = [call.weight("bias", layer.out)] if layer.bias else []
    call.put("Conv", call.inputs[0], weights, *bias, **window, group=layer.groups)


@rule("conv_transpose")
def _conv_transpose(call: Call) -> None:
    layer, x, y = call.layer, call.x[0], call.y
    count = len(x) - 1
    kernel, stride, dilation = (
        per_axis(getattr(layer, field), count, field) for field in ("kernel", "stride", "dilation")
    )
    extra = list(per_axis(layer.output_padding, count, "output_padding"))
    if layer.padding == "same":
        pads = []
        for axis in range(count):
            cut = (x[1 + axis] - 1) * stride[axis] + extent(kernel[axis], dilation[axis]) - y[1 + axis]
            extra[axis], cut = max(-cut, 0), max(cut, 0)
            pads.append((cut // 2, cut - cut // 2))
    else:
        pads = list(sides(layer.padding, count))
    weights = call.weight("weight", x[0], layer.out // layer.groups, *kernel)
    bias = [call.weight("bias", layer.out)] if layer.bias else []
    call.put(
        "ConvTranspose",
        call.inputs[0],
        weights,
        *bias,
        kernel_shape=kernel,
        strides=stride,
        dilations=dilation,
        pads=(*(before for before, _ in pads), *(after for _, after in pads)),
        output_padding=tuple(extra),
        group=layer.groups,
    )


@rule("deform_conv")
def _deform_conv(call: Call) -> bool | None:
    layer, x = call.layer, call.x[0]
    if len(x) != _MAP:
        return False
    window = _window(call)
    kernel = window["kernel_shape"]
    taps = layer.offset_groups * prod(kernel)
    predicted = taps * (3 if layer.modulated else 2)
    weights = call.weight("offset_weight", predicted, x[0], *kernel)
    offsets = call.put("Conv", call.inputs[0], weights, call.weight("offset_bias", predicted), **window)
    factors = []
    if layer.modulated:
        ends, axis = (call.constant((end,)) for end in (predicted, 1))
        middle = call.constant((2 * taps,))
        factors = [call.put("Sigmoid", call.put("Slice", offsets, middle, ends, axis))]
        offsets = call.put("Slice", offsets, call.constant((0,)), middle, axis)
    own = call.weight("weight", layer.out, x[0] // layer.groups, *kernel)
    bias = [call.weight("bias", layer.out)] if layer.bias else []
    inputs = [call.inputs[0], own, offsets, *(bias or [""] if factors else bias), *factors]
    call.put("DeformConv", *inputs, **window, group=layer.groups, offset_group=layer.offset_groups)
    return None


@rule("linear")
def _linear(call: Call) -> bool | None:
    layer, x = call.layer, call.x[0]
    rank = len(x)
    if layer.axis is None or rank == 1:
        flat = call.inputs[0] if rank == 1 else call.put("Flatten", call.inputs[0], axis=1)
        bias = [call.weight("bias", layer.out)] if layer.bias else []
        call.main_put("Gemm", flat, call.weight("weight", layer.out, prod(x)), *bias, transB=1)
        return None
    if layer.bias and layer.out == 1:  # a vector of one number is taken for a constant
        return False
    place = axis_of(layer.axis, x)
    last = [*(axis for axis in range(rank) if axis != place), place]
    value = call.inputs[0] if place == rank - 1 else call.transpose(call.inputs[0], last)
    value = call.main_put("MatMul", value, call.weight("weight", x[place], layer.out))
    if layer.bias:
        value = call.put("Add", value, call.weight("bias", layer.out))
    if place != rank - 1:
        call.transpose(value, [last.index(axis) for axis in range(rank)])
    return None


@rule("matmul")
def _matmul(call: Call) -> None:
    rank = max(map(len, call.x))
    operands = []
    for name, shape, word in zip(call.inputs, call.x, ("first", "second"), strict=True):
        value = name
        sizes = (*(1 for _ in range(rank - len(shape))), *shape)
        if len(shape) < rank:
            value = call.reshape(value, *sizes)
        if call.layer.transpose in (word, "both"):
            value = call.transpose(value, [*range(rank - 2), rank - 1, rank - 2])
        operands.append(value)
    call.main_put("MatMul", *operands)


@rule("attention")
def _attention(call: Call) -> bool | None:
    layer = call.layer
    if layer.window is not None or layer.causal or layer.position_bias or not layer.scale:
        return False
    sequences = []
    for name, shape in zip(call.inputs, call.x, strict=True):
        tokens = name if len(shape) == _PAIR else call.reshape(name, shape[0], prod(shape[1:]))
        sequences.append(call.transpose(tokens, (1, 0)))
    call.version = LATER
    value = call.main_put("Attention", *sequences, q_num_heads=layer.heads, kv_num_heads=layer.heads)
    value = call.transpose(value, (1, 0))
    if len(call.y) != _PAIR:
        call.reshape(value, *call.y)
    return None


_RECURRENT = {"rnn": ("RNN", 1), "gru": ("GRU", 3), "lstm": ("LSTM", 4)}


@rule(*_RECURRENT)
def _recurrent(call: Call) -> bool | None:
    layer, x = call.layer, call.x[0]
    op, gates = _RECURRENT[layer.key]
    if len(x) != _PAIR or layer.biases == 1 or getattr(layer, "projection", None) is not None:
        return False
    directions, hidden, steps = 2 if layer.bidirectional else 1, layer.hidden, x[1]
    attributes: dict[str, Any] = {"hidden_size": hidden}
    if layer.bidirectional:
        attributes["direction"] = "bidirectional"
    if layer.key == "rnn" and layer.nonlinearity == "relu":
        attributes["activations"] = ("Relu",) * directions
    if layer.key == "gru":
        attributes["linear_before_reset"] = 1
    value, width = call.put("Transpose", call.inputs[0], perm=(2, 0, 1)), x[0]  # steps, samples, features
    for turn in range(layer.layers):
        tensors = [
            call.weight(f"weight_{turn}", directions, gates * hidden, width),
            call.weight(f"recurrence_{turn}", directions, gates * hidden, hidden),
        ]
        if layer.biases:
            tensors.append(call.weight(f"bias_{turn}", directions, 2 * gates * hidden))
        value = call.main_put(op, value, *tensors, **attributes)
        width = directions * hidden
        value = call.put("Transpose", value, perm=(0, 2, 1, 3))
        value = call.put("Reshape", value, call.constant((steps, 1, width)))
    value = call.put("Transpose", value, perm=(1, 2, 0))
    if layer.last:
        ends, axis = (call.constant((end,)) for end in (steps, 2))
        call.reshape(call.put("Slice", value, call.constant((steps - 1,)), ends, axis), width)
    return None


# element-wise sums and products, concatenation

_MERGES = {
    "add": ("Add", "Sum"),
    "subtract": ("Sub", ""),
    "multiply": ("Mul", ""),
    "divide": ("Div", ""),
    "maximum": ("Max", "Max"),
    "minimum": ("Min", "Min"),
}


@rule(*_MERGES)
def _merge(call: Call) -> None:
    of_two, of_many = _MERGES[call.layer.key]
    rank = len(call.y)
    operands = [
        name if len(shape) == rank else call.reshape(name, *shape, *(1 for _ in range(rank - len(shape))))
        for name, shape in zip(call.inputs, call.x, strict=True)
    ]
    if len(operands) == 1:
        call.put("Identity", operands[0])
    elif len(operands) == _PAIR:
        call.main_put(of_two, *operands)
    elif of_many:
        call.main_put(of_many, *operands)
    else:
        value = operands[0]
        for operand in operands[1:]:
            value = call.put(of_two, value, operand)


@rule("concat")
def _concat(call: Call) -> None:
    call.put("Concat", *call.inputs, axis=1 + axis_of(call.layer.axis, call.x[0]))


# normalisations


def _each_channel(call: Call, role: str) -> str:
    return call.weight(role, call.x[0][0], *(1 for _ in call.x[0][1:]))


@rule("batch_norm")
def _batch_norm(call: Call) -> bool | None:
    if not (call.layer.scale and call.layer.shift):
        return False
    tensors = [call.weight(role, call.x[0][0]) for role in ("scale", "shift", "mean", "variance")]
    call.put("BatchNormalization", call.inputs[0], *tensors)
    return None


def _along_last(call: Call, op: str, roles: Sequence[str]) -> None:
    """A norm of the last axes, with the axes of the layer moved there."""
    x = call.x[0]
    chosen = axes_of(call.layer.axis, x)
    order = [*(place for place in range(len(x)) if place not in chosen), *sorted(chosen)]
    moved = order != list(range(len(x)))
    value = call.transpose(call.inputs[0], order) if moved else call.inputs[0]
    tensors = [call.weight(role, *(x[place] for place in sorted(chosen))) for role in roles]
    value = call.main_put(op, value, *tensors, axis=-len(chosen))
    if moved:
        call.transpose(value, [order.index(place) for place in range(len(x))])


@rule("layer_norm")
def _layer_norm(call: Call) -> None:
    if call.layer.affine:
        _along_last(call, "LayerNormalization", ("scale", "shift"))
        return
    axes = tuple(1 + place for place in sorted(axes_of(call.layer.axis, call.x[0])))
    call.put("MeanVarianceNormalization", call.inputs[0], axes=axes)


@rule("rms_norm")
def _rms_norm(call: Call) -> bool | None:
    if not call.layer.scale:
        return False
    call.version = LATER
    _along_last(call, "RMSNormalization", ("scale",))
    return None


@rule("l2_norm")
def _l2_norm(call: Call) -> bool | None:
    axes = axes_of(call.layer.axis, call.x[0])
    if len(axes) > 1 or (call.layer.scale and call.x[0][0] == 1):
        return False
    value = call.main_put("LpNormalization", call.inputs[0], axis=1 + axes[0], p=2)
    if call.layer.scale:
        call.put("Mul", value, _each_channel(call, "scale"))
    return None


@rule("grn")
def _grn(call: Call) -> bool | None:
    x = call.x[0]
    if x[0] == 1 or len(x) == 1:
        return False
    value = call.inputs[0]
    lengths = call.put("ReduceL2", value, call.constant(tuple(range(2, 1 + len(x)))), keepdims=1)
    mean = call.put("ReduceMean", lengths, call.constant((1,)), keepdims=1)
    scaled = call.main_put("Mul", value, call.put("Div", lengths, mean))
    scaled = call.put("Mul", scaled, _each_channel(call, "scale"))
    call.put("Add", call.put("Add", scaled, _each_channel(call, "shift")), value)
    return None


@rule("group_norm")
def _group_norm(call: Call) -> bool | None:
    x, groups = call.x[0], call.layer.groups
    if len(x) == 1:
        return False
    if call.layer.affine:
        tensors = [call.weight(role, x[0]) for role in ("scale", "shift")]
        call.put("GroupNormalization", call.inputs[0], *tensors, num_groups=groups)
        return None
    value = call.reshape(call.inputs[0], groups, prod(x) // groups)
    call.reshape(call.main_put("MeanVarianceNormalization", value, axes=(2,)), *x)
    return None


@rule("lrn")
def _lrn(call: Call) -> None:
    call.put("LRN", call.inputs[0], size=call.layer.size)


@rule("scale")
def _scale(call: Call) -> bool | None:
    if call.x[0][0] == 1:  # a tensor of one number is taken for a constant
        return False
    value = call.main_put("Mul", call.inputs[0], _each_channel(call, "scale"))
    if call.layer.bias:
        call.put("Add", value, _each_channel(call, "shift"))
    return None


# pools


@rule("max_pool", "avg_pool")
def _pool(call: Call) -> None:
    layer, x, y = call.layer, call.x[0], call.y
    window = _window(call)
    count = len(x) - 1
    pads = list(window["pads"])
    attributes: dict[str, Any] = {}
    for axis in range(count):  # a last window that sticks out is written as padding
        reach = extent(window["kernel_shape"][axis], window["dilations"][axis])
        covered = (y[1 + axis] - 1) * window["strides"][axis] + reach - x[1 + axis] - pads[axis]
        pads[axis + count] = max(pads[axis + count], covered)
    if layer.key == "avg_pool":
        attributes["count_include_pad"] = int(layer.count_include_pad)
    window["pads"] = tuple(pads)
    call.put("MaxPool" if layer.key == "max_pool" else "AveragePool", call.inputs[0], **window, **attributes)


@rule("mean", "max")
def _reduce(call: Call) -> None:
    op = "ReduceMean" if call.layer.key == "mean" else "ReduceMax"
    axes = tuple(1 + place for place in sorted(axes_of(call.layer.axis, call.x[0])))
    call.put(op, call.inputs[0], call.constant(axes), keepdims=1)


@rule("adaptive_avg_pool")
def _adaptive(call: Call) -> bool | None:
    area, to = call.x[0][1:], call.y[1:]
    if any(size % out for size, out in zip(area, to, strict=True)):
        return False
    kernel = tuple(size // out for size, out in zip(area, to, strict=True))
    if all(out == 1 for out in to):
        call.put("GlobalAveragePool", call.inputs[0])
    else:
        call.put("AveragePool", call.inputs[0], kernel_shape=kernel, strides=kernel)
    return None


# layers that move elements


@rule("reshape")
def _reshape(call: Call) -> None:
    call.reshape(call.inputs[0], *call.y)


@rule("permute")
def _permute(call: Call) -> None:
    call.transpose(call.inputs[0], axes_of(call.layer.order, call.x[0], "order"))


def _cut(call: Call, starts: Sizes, ends: Sizes, axes: Sizes) -> None:
    call.put("Slice", call.inputs[0], call.constant(starts), call.constant(ends), call.constant(axes))


@rule("slice")
def _slice(call: Call) -> None:
    start = call.layer.start
    _cut(call, (start,), (start + call.layer.out,), (1 + axis_of(call.layer.axis, call.x[0]),))


@rule("select")
def _select(call: Call) -> None:
    place, index = axis_of(call.layer.axis, call.x[0]), call.layer.index
    _cut(call, (index,), (index + 1,), (1 + place,))
    call.main = 0
    call.reshape(call.made[0].output, *call.y)


@rule("split")
def _split(call: Call) -> None:
    place = axis_of(call.layer.axis, call.x[0])
    start = call.layer.index * call.y[place]
    _cut(call, (start,), (start + call.y[place],), (1 + place,))


@rule("crop")
def _crop(call: Call) -> None:
    starts = tuple((size - out) // 2 for size, out in zip(call.x[0][1:], call.y[1:], strict=True))
    ends = tuple(start + out for start, out in zip(starts, call.y[1:], strict=True))
    _cut(call, starts, ends, tuple(range(2, 1 + len(call.y))))


@rule("channel_shuffle")
def _channel_shuffle(call: Call) -> None:
    x, groups = call.x[0], call.layer.groups
    value = call.reshape(call.inputs[0], groups, x[0] // groups, *x[1:])
    value = call.transpose(value, (1, 0, *range(2, 1 + len(x))))
    call.main = len(call.made) - 1
    call.reshape(value, *x)


@rule("pixel_shuffle")
def _pixel_shuffle(call: Call) -> None:
    x, factor = call.x[0], call.layer.factor
    if len(x) == _MAP:
        call.put("DepthToSpace", call.inputs[0], blocksize=factor, mode="CRD")
        return
    count = len(x) - 1
    value = call.reshape(call.inputs[0], call.y[0], *(factor for _ in range(count)), *x[1:])
    pairs = [place for axis in range(count) for place in (1 + count + axis, 1 + axis)]
    call.reshape(call.transpose(value, (0, *pairs)), *call.y)


@rule("pixel_unshuffle")
def _pixel_unshuffle(call: Call) -> None:
    x, y, factor = call.x[0], call.y, call.layer.factor
    if len(x) == _MAP:
        call.put("SpaceToDepth", call.inputs[0], blocksize=factor)
        return
    count = len(x) - 1
    value = call.reshape(call.inputs[0], x[0], *(size for out in y[1:] for size in (out, factor)))
    order = (0, *(2 + 2 * axis for axis in range(count)), *(1 + 2 * axis for axis in range(count)))
    call.reshape(call.transpose(value, order), *y)


@rule("upsample")
def _upsample(call: Call) -> None:
    mode = "nearest" if call.layer.mode == "nearest" else "linear"
    call.put("Resize", call.inputs[0], "", "", call.constant((1, *call.y)), mode=mode)


@rule("zero_pad")
def _zero_pad(call: Call) -> None:
    pads = sides(call.layer.sides, len(call.x[0]) - 1)
    before = (0, 0, *(start for start, _ in pads))
    after = (0, call.layer.channels, *(end for _, end in pads))
    call.put("Pad", call.inputs[0], call.constant((*before, *after)))


@rule("parameter")
def _parameter(call: Call) -> bool | None:
    if not call.layer.trained or prod(call.y) == 1:  # a table of numbers, or what is taken for a constant
        return False
    call.put("Identity", call.weight("weight", 1, *call.y))
    return None
