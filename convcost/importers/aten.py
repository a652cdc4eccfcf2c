"""Operators of PyTorch as nodes of ONNX, whose rules say which layers they are and what these cost.

A rule appends nodes to a trace. Sizes that PyTorch worked out are written into the nodes, so that nothing is worked
out twice. Operators without arithmetic move elements; what is in no table is taken apart by PyTorch where it can be,
and is not known otherwise.

Source of all rules: the operator's page in the PyTorch documentation (pytorch.org/docs/stable), and
aten/src/ATen/native/native_functions.yaml of PyTorch for the names of arguments.
"""

from __future__ import annotations

from fractions import Fraction
from math import isfinite, prod
from typing import TYPE_CHECKING, Any, TypeAlias

from convcost.importers.data import Data, scalar, vector
from convcost.importers.rules import operator
from convcost.layers.base import REGISTRY, Saved
from convcost.layers.operator import Multiplying, Operator, Recurring
from convcost.network.graph import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from convcost.importers.evaluate import Call
    from convcost.importers.torch import Trace

    Given: TypeAlias = "dict[str, Any]"
    Rule: TypeAlias = "Callable[[Trace, Given, list[Any]], None]"

ATEN: dict[str, Rule] = {}  # by name, without the overload and without the underscore of what works in place
HEAVY = frozenset(
    "addbmm addmm addmv addr baddbmm bilinear bmm conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d "
    "conv_transpose3d convolution _convolution dot linear matmul mm mv scaled_dot_product_attention vdot".split()
)
SAME = frozenset(
    "alias alpha_dropout clone contiguous detach dropout feature_dropout lift lift_fresh native_dropout "
    "_conj resolve_conj resolve_neg _to_copy to type_as requires_grad".split()
)
RESHAPED = frozenset(
    "_reshape_alias _unsafe_view flatten ravel reshape reshape_as select squeeze unflatten unsqueeze view view_as "
    "_unsafe_reshape".split()
)
MOVED = frozenset(
    "_unsafe_index as_strided bernoulli col2im diagonal flip fill full_like gather im2col index index_copy index_fill "
    "index_put index_select masked_fill masked_scatter masked_select new_empty new_full new_ones new_zeros normal "
    "ones_like rand_like randn_like reflection_pad1d reflection_pad2d reflection_pad3d repeat replication_pad1d "
    "replication_pad2d replication_pad3d roll rot90 scatter select_scatter slice_scatter tril triu uniform unfold "
    "zero zeros_like empty_like channel_shuffle native_channel_shuffle randperm nonzero repeat_interleave "
    "_local_scalar_dense argsort sort nms".split()
)
UNARY = {
    "abs": "Abs",
    "acos": "Acos",
    "asin": "Asin",
    "atan": "Atan",
    "bitwise_not": "BitwiseNot",
    "ceil": "Ceil",
    "celu": "Celu",
    "cos": "Cos",
    "cosh": "Cosh",
    "elu": "Elu",
    "erf": "Erf",
    "exp": "Exp",
    "floor": "Floor",
    "gelu": "Gelu",
    "hardsigmoid": "HardSigmoid",
    "hardswish": "HardSwish",
    "isinf": "IsInf",
    "isnan": "IsNaN",
    "leaky_relu": "LeakyRelu",
    "log": "Log",
    "logical_not": "Not",
    "mish": "Mish",
    "neg": "Neg",
    "reciprocal": "Reciprocal",
    "relu": "Relu",
    "round": "Round",
    "selu": "Selu",
    "sigmoid": "Sigmoid",
    "sign": "Sign",
    "silu": "Swish",
    "sin": "Sin",
    "sinh": "Sinh",
    "softplus": "Softplus",
    "sqrt": "Sqrt",
    "tan": "Tan",
    "tanh": "Tanh",
    "threshold": "ThresholdedRelu",
}
BINARY = {
    "__and__": "And",
    "__or__": "Or",
    "add": "Add",
    "bitwise_and": "BitwiseAnd",
    "bitwise_or": "BitwiseOr",
    "bitwise_xor": "BitwiseXor",
    "div": "Div",
    "eq": "Equal",
    "floor_divide": "Div",
    "fmod": "Mod",
    "ge": "GreaterOrEqual",
    "gt": "Greater",
    "le": "LessOrEqual",
    "logical_and": "And",
    "logical_or": "Or",
    "logical_xor": "Xor",
    "lt": "Less",
    "maximum": "Max",
    "minimum": "Min",
    "mul": "Mul",
    "ne": "Equal",
    "pow": "Pow",
    "remainder": "Mod",
    "rsub": "Sub",
    "sub": "Sub",
    "true_divide": "Div",
}
_MAP = 3  # axes of a map with samples and one size


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operators."""

    def registered(function: Rule) -> Rule:
        for name in names:
            ATEN[name] = function
        return function

    return registered


# single elements


def _unary(op: str) -> Rule:
    def made(trace: Trace, given: Given, outs: list[Any]) -> None:
        trace.node(op, [given["self"]], outs[0])

    return made


def _binary(op: str) -> Rule:
    def made(trace: Trace, given: Given, outs: list[Any]) -> None:
        second = given.get("other", given.get("exponent"))
        trace.node(op, [trace.operand(given["self"]), trace.operand(second)], outs[0])

    return made


for _name, _op in UNARY.items():
    ATEN[_name] = _unary(_op)
for _name, _op in BINARY.items():
    ATEN[_name] = _binary(_op)


def number(value: Any) -> Data:
    """A number as a constant."""
    if isinstance(value, bool | int):
        return scalar(value)
    if isinstance(value, float) and isfinite(value):
        made = scalar(Fraction(value))
        made.floating = True
        return made
    return Data((), floating=True)


@rule("rsqrt")
def _rsqrt(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("Reciprocal", [trace.node("Sqrt", [given["self"]], None)], outs[0])


@rule("square")
def _square(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("Pow", [given["self"], trace.operand(2)], outs[0])


@rule("prelu")
def _prelu(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("PRelu", [given["self"], given["weight"]], outs[0])


@rule("addcmul", "addcdiv")
def _added(trace: Trace, given: Given, outs: list[Any]) -> None:
    op = "Mul" if trace.operator == "addcmul" else "Div"
    factors = [given["tensor1"], given["tensor2"]]
    trace.node("Add", [given["self"], trace.node(op, factors, None)], outs[0])


@rule("where")
def _where(trace: Trace, given: Given, outs: list[Any]) -> None:
    operands = [trace.operand(given[name]) for name in ("condition", "self", "other")]
    trace.node("Where", operands, outs[0])


@rule("relu6", "hardtanh", "clamp", "clamp_min", "clamp_max")
def _clip(trace: Trace, given: Given, outs: list[Any]) -> None:
    low, high = given.get("min", given.get("min_val")), given.get("max", given.get("max_val"))
    if trace.operator == "relu6":
        low, high = 0, 6
    trace.node(
        "Clip", [given["self"], *(None if side is None else trace.operand(side) for side in (low, high))], outs[0]
    )


@rule("softmax", "_softmax", "_safe_softmax")
def _softmax(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("Softmax", [given["self"]], outs[0], axis=given["dim"])


@rule("log_softmax", "_log_softmax")
def _log_softmax(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("LogSoftmax", [given["self"]], outs[0], axis=given["dim"])


# products


@rule("linear")
def _linear(trace: Trace, given: Given, outs: list[Any]) -> None:
    x, weights, bias = (given.get(name) for name in ("input", "weight", "bias"))
    _multiplied(trace, x, trace.turned(weights), bias, outs[0])


@rule("addmm", "addmv", "baddbmm")
def _addmm(trace: Trace, given: Given, outs: list[Any]) -> None:
    pairs = (("mat1", "mat2"), ("mat", "vec"), ("batch1", "batch2"))
    first, second = next(pair for pair in pairs if pair[0] in given)
    _multiplied(trace, given[first], given[second], given["self"], outs[0])


@rule("mm", "matmul", "bmm", "mv", "dot")
def _matmul(trace: Trace, given: Given, outs: list[Any]) -> None:
    second = next(given[name] for name in ("mat2", "other", "vec", "tensor") if name in given)
    _multiplied(trace, given["self"], second, None, outs[0])


def _multiplied(trace: Trace, x: Any, weights: Any, bias: Any, out: Any) -> None:
    if bias is None:
        trace.node("MatMul", [x, weights], out)
    else:
        trace.node("Add", [trace.node("MatMul", [x, weights], None), bias], out)


@rule(
    "conv1d",
    "conv2d",
    "conv3d",
    "convolution",
    "_convolution",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
)
def _conv(trace: Trace, given: Given, outs: list[Any]) -> None:
    x, weights = given["input"], given["weight"]
    count = len(weights.shape) - 2
    transposed = bool(given.get("transposed", "transpose" in trace.operator))
    dilations = spread(given.get("dilation", 1), count)
    sides = given.get("padding", 0)
    if sides == "same":
        both = [times * (size - 1) for times, size in zip(dilations, weights.shape[2:], strict=True)]
        pads = [side // 2 for side in both] + [side - side // 2 for side in both]
    else:
        pads = [0] * (2 * count) if sides == "valid" else spread(sides, count) * 2
    attributes: dict[str, Any] = {
        "strides": spread(given.get("stride", 1), count),
        "pads": pads,
        "dilations": dilations,
        "group": given.get("groups", 1),
    }
    if transposed:
        attributes["output_padding"] = spread(given.get("output_padding", 0), count)
    whole = trace.with_samples(x, count + 2)
    made = trace.node(
        "ConvTranspose" if transposed else "Conv", [whole, weights, given.get("bias")], outs[0], **attributes
    )
    if len(x.shape) < count + 2:
        trace.node("Reshape", [made], outs[0], shape=list(outs[0].shape))


def spread(value: Any, count: int) -> list[int]:
    """A size for each of ``count`` axes."""
    sizes = [value] if isinstance(value, int) else list(value)
    return sizes * count if len(sizes) == 1 else sizes


@rule(
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_attention_math",
    "_scaled_dot_product_fused_attention_overrideable",
)
def _attention(trace: Trace, given: Given, outs: list[Any]) -> None:
    heads = [given[name] for name in ("query", "key", "value")]
    shape = list(outs[0].shape)
    if len(shape) in (3, 4):
        mask = given.get("attn_mask", given.get("attn_bias"))
        bias = [] if mask is None else [trace.computed(mask)]
        trace.node("Attention", [*heads, *bias], outs[0])
        return
    flat = [trace.node("Reshape", [part], None, shape=[-1, 1, *part.shape[-2:]]) for part in heads]
    trace.node("Reshape", [trace.node("Attention", flat, None)], outs[0], shape=shape)


@rule("lstm", "gru", "rnn_tanh", "rnn_relu")
def _recurrent(trace: Trace, given: Given, outs: list[Any]) -> None:
    params, x = list(given["params"]), given["input"]
    key = trace.operator.partition("_")[0]
    gates = {"lstm": 4, "gru": 3}.get(key, 1)
    each = 4 if given["has_biases"] else 2
    turns = given["num_layers"] * (2 if given["bidirectional"] else 1)
    hidden = params[0].shape[0] // gates
    fields = {
        "hidden": hidden,
        "layers": given["num_layers"],
        "bidirectional": bool(given["bidirectional"]),
        "biases": 2 if given["has_biases"] else 0,
    }
    if len(params) != each * turns:  # further matrices project the state
        trace.not_known([x, *params], outs)
        return
    attributes: dict[str, Any] = {"key": key, "fields": fields, "shapes": [list(out.shape) for out in outs]}
    trace.node("recurrent", [x, *params], outs, domain="torch", **attributes)


@rule("deform_conv2d")
def _deform(trace: Trace, given: Given, outs: list[Any]) -> None:
    pad = [given["pad_h"], given["pad_w"]]
    trace.node(
        "DeformConv",
        [given["input"], given["weight"], given["offset"], given["bias"], given["mask"] if given["use_mask"] else None],
        outs[0],
        strides=[given["stride_h"], given["stride_w"]],
        pads=pad * 2,
        dilations=[given["dilation_h"], given["dilation_w"]],
        group=given["groups"],
        offset_group=given["offset_groups"],
    )


# norms


@rule(
    "batch_norm",
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "cudnn_batch_norm",
    "_batch_norm_impl_index",
)
def _batch_norm(trace: Trace, given: Given, outs: list[Any]) -> None:
    weights, bias = given["weight"], given["bias"]
    fields = {"scale": weights is not None, "shift": bias is not None}
    trace.node("layer", [given["input"], weights, bias], outs, domain="torch", key="batch_norm", fields=fields)


@rule("instance_norm", "group_norm", "native_group_norm")
def _group_norm(trace: Trace, given: Given, outs: list[Any]) -> None:
    x = given["input"]
    groups = given.get("num_groups", given.get("group", x.shape[1]))
    fields = {"groups": groups, "affine": given["weight"] is not None}
    trace.node("layer", [x, given["weight"], given["bias"]], outs, domain="torch", key="group_norm", fields=fields)


@rule("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm")
def _layer_norm(trace: Trace, given: Given, outs: list[Any]) -> None:
    op = "RMSNormalization" if "rms" in trace.operator else "LayerNormalization"
    params = [given[name] for name in ("weight", "bias") if given.get(name) is not None]
    trace.node(op, [given["input"], *params], outs, axis=-len(given["normalized_shape"]))


# pools and reductions


@rule(
    *(f"max_pool{axes}d{also}" for axes in (1, 2, 3) for also in ("", "_with_indices")),
    *(f"avg_pool{axes}d" for axes in (1, 2, 3)),
)
def _pool(trace: Trace, given: Given, outs: list[Any]) -> None:
    x, highest = given["self"], trace.operator.startswith("max")
    count = int(trace.operator[8])
    kernel = spread(given["kernel_size"], count)
    attributes: dict[str, Any] = {
        "kernel_shape": kernel,
        "strides": spread(given.get("stride") or kernel, count),
        "pads": spread(given.get("padding", 0), count) * 2,
        "ceil_mode": int(given.get("ceil_mode", False)),
    }
    if highest:
        attributes["dilations"] = spread(given.get("dilation", 1), count)
    else:
        attributes["count_include_pad"] = int(given.get("count_include_pad", True))
    whole = trace.with_samples(x, count + 2)
    made = trace.node("MaxPool" if highest else "AveragePool", [whole], outs, **attributes)
    if len(x.shape) < count + 2:
        trace.node("Reshape", [made], outs[0], shape=list(outs[0].shape))


@rule(*(f"{also}adaptive_avg_pool{axes}d" for axes in (1, 2, 3) for also in ("", "_")))
def _adaptive(trace: Trace, given: Given, outs: list[Any]) -> None:
    x, size = given["self"], list(outs[0].shape)
    count = int(trace.operator[-2])
    if len(x.shape) < count + 2:
        trace.not_known([x], outs, heavy=False)
    elif all(length == 1 for length in size[2:]):
        trace.node("GlobalAveragePool", [x], outs[0])
    else:
        fields = {"size": tuple(size[2:])}
        trace.node("layer", [x], outs, domain="torch", key="adaptive_avg_pool", fields=fields)


@rule(*(f"adaptive_max_pool{axes}d" for axes in (1, 2, 3)))
def _adaptive_max(trace: Trace, given: Given, outs: list[Any]) -> None:
    x, size = given["self"], list(outs[0].shape)
    if len(x.shape) >= _MAP and all(length == 1 for length in size[2:]):
        trace.node("GlobalMaxPool", [x], outs)
    else:
        trace.not_known([x], outs, heavy=False)


@rule("mean", "sum", "amax", "amin", "max", "min", "prod", "logsumexp", "linalg_vector_norm", "norm")
def _reduced(trace: Trace, given: Given, outs: list[Any]) -> None:
    if given.get("other") is not None:  # the larger or smaller of two tensors
        op = "Max" if trace.operator == "max" else "Min"
        trace.node(op, [given["self"], given["other"]], outs[0])
        return
    axes = given.get("dim")
    chosen = [axes] if isinstance(axes, int) else list(axes or range(len(given["self"].shape)))
    op = {
        "mean": "ReduceMean",
        "sum": "ReduceSum",
        "prod": "ReduceProd",
        "logsumexp": "ReduceLogSumExp",
        "linalg_vector_norm": "ReduceL2",
        "norm": "ReduceL2",
    }.get(trace.operator, "ReduceMax" if "max" in trace.operator else "ReduceMin")
    trace.node(op, [given["self"]], outs, axes=chosen, keepdims=int(bool(given.get("keepdim", False))))


@rule("argmax", "argmin")
def _arg(trace: Trace, given: Given, outs: list[Any]) -> None:
    if given["dim"] is None:
        trace.not_known([given["self"]], outs, heavy=False)
        return
    op = "ArgMax" if trace.operator == "argmax" else "ArgMin"
    trace.node(op, [given["self"]], outs[0], axis=given["dim"], keepdims=int(given["keepdim"]))


@rule("cumsum", "cumprod")
def _cumulative(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("CumSum" if trace.operator == "cumsum" else "CumProd", [given["self"]], outs[0])


# elements that move


@rule("permute", "transpose", "t", "swapaxes", "movedim", "numpy_T", "mT", "adjoint")
def _permute(trace: Trace, given: Given, outs: list[Any]) -> None:
    x = given["self"]
    order = list(range(len(x.shape)))
    if trace.operator == "permute":
        order = [axis % len(order) for axis in given["dims"]]
    elif trace.operator in ("transpose", "swapaxes"):
        word = "dim" if "dim0" in given else "axis"
        a, b = given[f"{word}0"], given[f"{word}1"]
        order[a], order[b] = order[b], order[a]
    elif trace.operator == "movedim":
        sources, targets = (spread(given[name], 1) for name in ("source", "destination"))
        rest = [axis for axis in order if axis not in [source % len(order) for source in sources]]
        for target, source in sorted(zip([end % len(order) for end in targets], sources, strict=True)):
            rest.insert(target, source % len(order))
        order = rest
    elif trace.operator == "numpy_T":
        order = order[::-1]
    elif len(order) > 1:
        order[-2:] = order[:-3:-1]
    trace.node("Transpose", [x], outs[0], perm=order)


@rule("expand", "expand_as", "broadcast_to")
def _expand(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("Expand", [given["self"], trace.constant(vector(list(outs[0].shape)))], outs[0])


@rule("copy")
def _copy(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("Expand", [given["src"], trace.constant(vector(list(outs[0].shape)))], outs[0])


@rule("cat", "concat", "concatenate")
def _cat(trace: Trace, given: Given, outs: list[Any]) -> None:
    parts = [part for part in given["tensors"] if part.shape != (0,)]
    trace.node("Concat", parts, outs[0], axis=given.get("dim", 0))


@rule("stack")
def _stack(trace: Trace, given: Given, outs: list[Any]) -> None:
    rank = len(outs[0].shape)
    axis = given["dim"] % rank
    shape = list(outs[0].shape)
    shape[axis] = 1
    parts = [trace.node("Reshape", [part], None, shape=shape) for part in given["tensors"]]
    trace.node("Concat", parts, outs[0], axis=axis)


@rule("split", "split_with_sizes", "chunk", "tensor_split", "unsafe_split", "unsafe_chunk", "unbind")
def _split(trace: Trace, given: Given, outs: list[Any]) -> None:
    axis = given.get("dim", 0)
    if trace.operator != "unbind":
        trace.node("Split", [given["self"]], outs, axis=axis, split=[out.shape[axis] for out in outs])
        return
    parts = trace.node("Split", [given["self"]], [None] * len(outs), axis=axis, split=[1] * len(outs))
    for part, out in zip([parts] if isinstance(parts, str) else parts, outs, strict=True):
        trace.node("Reshape", [part], out, shape=list(out.shape))


@rule("slice", "narrow")
def _slice(trace: Trace, given: Given, outs: list[Any]) -> None:
    x, axis = given["self"], given.get("dim", 0)
    start, step = given.get("start") or 0, given.get("step") or 1
    start = max(start + x.shape[axis] if start < 0 else start, 0)
    end = start + (outs[0].shape[axis] - 1) * step + 1 if outs[0].shape[axis] else start
    limits = [trace.constant(vector([value])) for value in (start, end, axis, step)]
    trace.node("Slice", [x, *limits], outs[0])


@rule("select")
def _select(trace: Trace, given: Given, outs: list[Any]) -> None:
    place = trace.constant(scalar(given["index"]))
    trace.node("Gather", [given["self"], place], outs[0], axis=given["dim"])


@rule("embedding")
def _embedding(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("Gather", [given["weight"], given["indices"]], outs[0])


@rule("constant_pad_nd", "pad")
def _pad(trace: Trace, given: Given, outs: list[Any]) -> None:
    x = given["self"]
    if given.get("mode", "constant") != "constant":
        trace.moved([x], outs)
        return
    pairs = list(zip(given["pad"][::2], given["pad"][1::2], strict=True))[::-1]
    pairs = [(0, 0)] * (len(x.shape) - len(pairs)) + pairs
    trace.node("Pad", [x], outs[0], pads=[pair[0] for pair in pairs] + [pair[1] for pair in pairs])


@rule(
    *(f"{also}upsample_nearest{axes}d" for axes in (1, 2, 3) for also in ("", "_")),
    *(f"_upsample_nearest_exact{axes}d" for axes in (1, 2, 3)),
    "upsample_linear1d",
    "upsample_bilinear2d",
    "upsample_trilinear3d",
    "upsample_bicubic2d",
    "_upsample_bilinear2d_aa",
    "_upsample_bicubic2d_aa",
)
def _resize(trace: Trace, given: Given, outs: list[Any]) -> None:
    mode = "nearest" if "nearest" in trace.operator else "cubic" if "cubic" in trace.operator else "linear"
    x = given.get("self", given.get("input"))
    sizes = trace.constant(vector(list(outs[0].shape)))
    trace.node("Resize", [x, None, None, sizes], outs[0], mode=mode)


@rule("pixel_shuffle", "pixel_unshuffle")
def _pixels(trace: Trace, given: Given, outs: list[Any]) -> None:
    shuffled = trace.operator == "pixel_shuffle"
    factor = given["upscale_factor" if shuffled else "downscale_factor"]
    trace.node("DepthToSpace" if shuffled else "SpaceToDepth", [given["self"]], outs[0], blocksize=factor)


@rule("topk")
def _topk(trace: Trace, given: Given, outs: list[Any]) -> None:
    trace.node("TopK", [given["self"], trace.constant(vector([given["k"]]))], outs, axis=given["dim"])


@rule("roi_align", "roi_pool", "ps_roi_align")
def _roi(trace: Trace, given: Given, outs: list[Any]) -> None:
    sizes = [given["pooled_height"], given["pooled_width"]]
    points = max(given.get("sampling_ratio", 0), 0)
    x, rois = given["input"], given["rois"]
    trace.node("RoiAlign", [x, rois], outs[0], output_height=sizes[0], output_width=sizes[1], sampling_ratio=points)


# operators that ONNX has not


@operator("torch:layer")
def layer_of(call: Call) -> list[Data]:
    """A layer of the language on maps."""
    made = call.layer(call.word("key", ""), call.attribute("fields", {}), call.input(0), call.inputs[1:])
    return [made, *(made.seen(()) for _ in call.node.outputs[1:])]


@operator("torch:recurrent", heavy=True)
def recurrent_of(call: Call) -> list[Data]:
    """Layers of a recurrent network, one after another."""
    x, key, shapes = call.input(0), call.word("key", ""), call.attribute("shapes")
    fields: dict[str, Any] = call.attribute("fields", {})
    layer = REGISTRY[key](**fields)
    steps = (x.sizes[-1], prod(x.sizes[:-1]))
    work = layer.work(steps, layer.shape(steps))
    counts = {name: count for name, count in vars(work).items() if name not in ("read", "written")}
    made = call.stated(Recurring, key, tuple(shapes[0]), counts, [x], call.inputs[1:])
    return [made, *(made.seen(tuple(shape)) for shape in shapes[1:])]


@operator("torch:moved")
def moved_of(call: Call) -> list[Data]:
    """Elements that move."""
    return _shaped(call, Operator, call.word("kind", "move"), {})


@operator("torch:parameter")
def parameter_of(call: Call) -> list[Data]:
    """Parameters that are worked on in each run, in place of an input."""
    stored = call.input(1)
    counts = {"read": 0, "other_params": stored.stored}
    return [
        call.stated(Operator, "parameter", stored.sizes, counts, [call.input(0)], [stored], saved=Saved(), backward={})
    ]


@operator("torch:unknown", heavy=True)
def unknown_of(call: Call) -> list[Data]:
    """An operator that has no rule; PyTorch says what shape it makes."""
    params = [data for data in call.given if data.tensor is None and data.ident and data.stored]
    counts = {"other_params": sum(data.stored for data in params)}
    made = _shaped(call, Multiplying, UNKNOWN, counts, params)
    path = call.run.builder.nodes[-1].path
    name, heavy = call.word("name", ""), bool(call.integer("heavy", 1))
    call.run.unknown.append(Unknown(path, name, "no rule for this operator", heavy))
    return made


def _shaped(
    call: Call, make: type[Operator], kind: str, counts: dict[str, Any], params: Sequence[Data] = ()
) -> list[Data]:
    shapes = [tuple(shape) for shape in call.attribute("shapes")]
    known: dict[str, Any] = {} if kind == UNKNOWN else {"saved": Saved(), "backward": {}}
    made = call.stated(make, kind, shapes[0], counts, call.given, params, **known)
    return [made, *(made.seen(shape) for shape in shapes[1:])]
