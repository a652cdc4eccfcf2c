"""Layers of Keras as layers of the language; those that are none of it with counts of their own.

Source of all rules: the layer's page in the Keras documentation (keras.io/api/layers) and its class in keras/src/layers
of Keras 3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError, shorten
from convcost.importers.data import Data, MissingError, vector
from convcost.importers.evaluate import PARAMETERS
from convcost.importers.keras_step import Step, activation_name, axis_at, listed, rule, same_sizes, shown
from convcost.layers.base import REGISTRY, Saved
from convcost.layers.operator import Activating, Merging, Multiplying, Normalising, Operator, Product, Recurring
from convcost.layers.window import extent, show
from convcost.numbers.arithmetic import Num, exact_div, floor_div, prod, require

if TYPE_CHECKING:
    from collections.abc import Sequence

_MAP = 3  # axes of the smallest map, samples included
_ROWS = 2  # axes of a tensor of samples and features
_SIX = 6  # the limit of a ReLU6


def _axes_in(step: Step) -> int:
    """The number of sizes of a map that the name of a class says: 2 of ``Conv2D``."""
    return next(int(letter) for letter in step.layer.kind if letter in "123")


# convolutions


def _window(step: Step, axes: int, padding: Sequence[str] = ("valid", "same")) -> dict[str, Any]:
    kernel, dilation = step.sizes("kernel_size", axes), step.sizes("dilation_rate", axes, 1)
    word = step.word("padding", "valid", padding)
    return {
        "kernel": kernel,
        "stride": step.sizes("strides", axes, 1),
        "dilation": dilation,
        "padding": ((extent(kernel[0], dilation[0]) - 1, 0),) if word == "causal" else word,
    }


def _on_map(step: Step, axes: int) -> tuple[Data, int]:
    """The map that a layer reads, its channels where the run has them; and where the file has them."""
    x = step.map(axes)
    axis = step.channels(len(x.sizes))
    return step.turned(x, axis), axis


@rule("Conv1D", "Conv2D", "Conv3D", "Convolution2D", heavy=True, holds=True)
def conv(step: Step) -> Data:
    """A convolution, and the activation after it."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    name = step.activation
    step.parts = bool(name)
    fields = _window(step, axes, ("valid", "same", "causal") if axes == 1 else ("valid", "same"))
    fields |= {
        "out": step.whole("filters"),
        "groups": step.whole("groups", 1),
        "bias": step.flag("use_bias", default=True),
    }
    made = step.add("conv", fields, x, "conv")
    return step.back(step.activated(made, name), axis)


def _channels_of(step: Step, x: Data) -> Num:
    return x.sizes[-1 if step.run.channels_last else 1]


@rule("DepthwiseConv1D", "DepthwiseConv2D", heavy=True, holds=True)
def depthwise(step: Step) -> Data:
    """A convolution of every channel on its own."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    name = step.activation
    step.parts = bool(name)
    channels = _channels_of(step, x)
    fields = _window(step, axes) | {
        "out": channels * step.whole("depth_multiplier", 1),
        "groups": channels,
        "bias": step.flag("use_bias", default=True),
    }
    made = step.add("conv", fields, x, "conv")
    return step.back(step.activated(made, name), axis)


@rule("SeparableConv1D", "SeparableConv2D", heavy=True, holds=True)
def separable(step: Step) -> Data:
    """A convolution of every channel on its own, and one of single positions."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    step.parts = True
    channels = _channels_of(step, x)
    words = ("valid", "same", "causal") if axes == 1 else ("valid", "same")
    fields = _window(step, axes, words) | {
        "out": channels * step.whole("depth_multiplier", 1),
        "groups": channels,
        "bias": False,
    }
    made = step.add("conv", fields, x, "depthwise")
    fields = {"out": step.whole("filters"), "bias": step.flag("use_bias", default=True)}
    made = step.add("conv", fields, made, "pointwise")
    return step.back(step.activated(made, step.activation), axis)


@rule("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", heavy=True, holds=True)
def transposed(step: Step) -> Data:
    """A transposed convolution."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    name = step.activation
    step.parts = bool(name)
    fields = _window(step, axes)
    reach = [extent(size, times) for size, times in zip(fields["kernel"], fields["dilation"], strict=True)]
    same = fields["padding"] == "same"
    if step.config.get("output_padding") is not None:
        fields["padding"] = tuple(size // 2 if same else 0 for size in reach)
        fields["output_padding"] = step.sizes("output_padding", axes, 0, least=0)
    elif not same:
        fields["padding"] = 0
        fields["output_padding"] = tuple(
            max(stride - size, 0) for stride, size in zip(fields["stride"], reach, strict=True)
        )
    fields |= {
        "out": step.whole("filters"),
        "groups": step.whole("groups", 1),
        "bias": step.flag("use_bias", default=True),
    }
    made = step.add("conv_transpose", fields, x, "conv")
    return step.back(step.activated(made, name), axis)


@rule("LocallyConnected1D", "LocallyConnected2D", heavy=True, holds=True)
def local(step: Step) -> Data:
    """A convolution with a kernel of its own at every position."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    name = step.activation
    step.parts = bool(name)
    fields = _window(step, axes)
    fields |= {"out": step.whole("filters"), "bias": step.flag("use_bias", default=True)}
    del fields["dilation"]
    made = step.add("locally_connected", fields, x, "conv")
    return step.back(step.activated(made, name), axis)


# products


def linear(step: Step, x: Data, out: Num, part: str = "", *, bias: bool = True) -> Data:
    """The same weights for the last axis at every position."""
    if len(x.sizes) < _ROWS:
        raise ShapeError(f"expected samples and features, found {show(x.sizes)}")
    fields: dict[str, Any] = {"out": out, "bias": bias}
    if len(x.sizes) > _ROWS:
        fields["axis"] = step.axis(len(x.sizes) - 1, x)
    return step.add("linear", fields, x, part)


@rule("Dense", heavy=True, holds=True)
def dense(step: Step) -> Data:
    """A linear layer over the last axis, and the activation after it."""
    name = step.activation
    step.parts = bool(name)
    bias = step.flag("use_bias", default=True)
    return step.activated(linear(step, step.x, step.whole("units"), "linear", bias=bias), name)


@rule("EinsumDense", heavy=True, holds=True)
def einsum_dense(step: Step) -> Data:
    """A product with weights that an equation describes, a bias along some axes, and an activation."""
    x, name = step.x, step.activation
    equation = step.config.get("equation")
    if not isinstance(equation, str) or equation.count("->") != 1 or equation.count(",") != 1:
        raise ShapeError(f"`equation`: expected one such as 'abc,cd->abd', found {shown(equation)}")
    left, result = equation.replace(" ", "").split("->")
    term, kernel = left.split(",")
    sizes = _labelled(x.sizes, term)
    wanted = listed(step.config.get("output_shape"))
    wanted = wanted if isinstance(wanted, list) else [wanted]
    own = [label for label in result if label not in "."]
    for label, size in zip(own[len(own) - len(wanted) :], wanted, strict=False):
        if size is not None:
            sizes.setdefault(label, size)
    lacking = [label for label in (*own, *kernel) if label not in sizes and label != "."]
    if lacking or len(wanted) > len(own):
        raise ShapeError(f"`output_shape`: expected sizes for all of {shorten(result)}, found {shown(wanted)}")
    hidden = x.sizes[term.index(".") : len(x.sizes) - (len(term) - term.index(".") - 3)] if "." in term else ()
    shape: tuple[Num, ...] = ()
    for label in result.replace("...", "."):
        shape += hidden if label == "." else (sizes[label],)
    weights = prod(sizes[label] for label in kernel if label != ".")
    labels = dict.fromkeys(label for label in (*term, *kernel) if label != ".")
    macs = prod(sizes[label] for label in labels) * prod(hidden)
    counts: dict[str, Num] = {"weights": weights, "macs": macs}
    axes = step.config.get("bias_axes")
    if isinstance(axes, str) and axes:
        counts |= {"biases": prod(sizes[label] for label in axes if label in sizes), "bias_adds": prod(shape)}
    step.parts = bool(name)
    facts: dict[str, Any] = {"saved": Saved(input=True), "backward": {"macs": 2 * macs}}
    return step.activated(step.stated(Multiplying, "linear", shape, counts, [x], "linear", **facts), name)


def _labelled(shape: Sequence[Num], term: str) -> dict[str, Num]:
    """The size of each label of a term of an equation."""
    before, dots, after = term.partition("...")
    if len(before) + len(after) > len(shape) or (not dots and len(before) != len(shape)):
        raise ShapeError(f"`equation`: expected a label for each of {show(tuple(shape))}, found {shorten(term)}")
    ends = tuple(shape[len(shape) - len(after) :]) if after else ()
    return {**dict(zip(before, shape, strict=False)), **dict(zip(after, ends, strict=True))}


@rule("Embedding", holds=True)
def embedding(step: Step) -> Data:
    """A row of a table for each number."""
    x = step.x
    table = step.whole("input_dim") * step.whole("output_dim")
    shape = (*x.sizes, step.whole("output_dim"))
    counts = {"other_params": table, "read": x.count + prod(shape)}
    return step.stated(Operator, "embedding", shape, counts, [x], saved=Saved(input=True), backward={})


@rule("Dot", heavy=True)
def dot(step: Step) -> Data:
    """A product of two tensors over one axis of each."""
    tensors = step.tensors
    if len(tensors) != 2:  # noqa: PLR2004
        raise ShapeError(f"expected two tensors, found {len(tensors)}")
    a, b = tensors
    value = listed(step.config.get("axes"))
    pair = value if isinstance(value, list) else [value, value]
    if len(pair) != 2:  # noqa: PLR2004
        raise ShapeError(f"`axes`: expected an axis of each tensor, found {shown(value)}")
    if step.flag("normalize", default=False):
        raise MissingError("a product of normalised tensors is not counted")
    first, second = axis_at("axes", pair[0], len(a.sizes)), axis_at("axes", pair[1], len(b.sizes))
    require("==", a.sizes[first], b.sizes[second], f"expected axes of one size, found {show(a.sizes)}, {show(b.sizes)}")
    left = [size for axis, size in enumerate(a.sizes) if axis not in (0, first)]
    right = [size for axis, size in enumerate(b.sizes) if axis not in (0, second)]
    shape = (a.sizes[0], *left, *right) if left or right else (a.sizes[0], 1)
    macs = a.count * prod(right)
    facts: dict[str, Any] = {"saved": Saved(input=True), "backward": {"macs": 2 * macs}}
    return step.stated(Product, "matmul", shape, {"macs": macs}, tensors, **facts)


@rule("MultiHeadAttention", heavy=True, holds=True)
def multi_head(step: Step) -> list[Data]:
    """Projections of queries, keys and values, attention, and a projection of its result."""
    heads, width = step.whole("num_heads"), step.whole("key_dim")
    values = width if step.config.get("value_dim") is None else step.whole("value_dim")
    return _projected(step, heads, heads, width, values)


@rule("GroupedQueryAttention", "GroupQueryAttention", heavy=True, holds=True)
def grouped(step: Step) -> list[Data]:
    """Attention whose keys and values are shared by groups of heads."""
    width = step.whole("head_dim")
    return _projected(step, step.whole("num_query_heads"), step.whole("num_key_value_heads"), width, width)


def _projected(step: Step, heads: int, groups: int, width: int, values: int) -> list[Data]:
    query, value = step.tensor(0, "query"), step.tensor(1, "value")
    key = step.tensor(2, "key") or value
    if query is None or value is None or key is None:
        raise ShapeError("expected a query and a value, found fewer tensors")
    if any(len(item.sizes) != _MAP for item in (query, key, value)):
        raise MissingError("attention over several axes is not followed")
    if step.config.get("use_gate"):
        raise MissingError("its gate is not counted")
    wanted = listed(step.config.get("output_shape"))
    out = query.sizes[-1] if wanted is None else prod(wanted if isinstance(wanted, list) else [wanted])
    step.parts = True
    bias = step.flag("use_bias", default=True)
    q = linear(step, query, heads * width, "query", bias=bias)
    k = linear(step, key, groups * width, "key", bias=bias)
    v = linear(step, value, groups * values, "value", bias=bias)
    rows, places = query.sizes[1], key.sizes[1]
    scores = (query.sizes[0], heads, rows, places)
    if groups == heads:
        made = _attended(step, heads, q, k, v)
    else:
        shape = (query.sizes[0], rows, heads * values)
        pairs = prod(scores)
        counts = {
            "macs": pairs * (width + values),
            "multiplications": pairs,
            "comparisons": pairs - floor_div(pairs, places),
            "additions": 2 * pairs - floor_div(pairs, places),
            "exponentials": pairs,
            "divisions": pairs,
        }
        made = step.stated(Product, "attention", shape, counts, [q, k, v], "attention")
    return [linear(step, made, out, "output", bias=bias), query.seen(scores)]


def _attended(step: Step, heads: int, q: Data, k: Data, v: Data, *, scale: bool = True) -> Data:
    """Attention of sequences whose features are divided into heads."""
    if step.run.channels_last:
        return step.add("attention", {"heads": heads, "scale": scale}, q, "attention", also=(k, v), own=False)
    turned = [step.turned(item, len(item.sizes) - 1) for item in (q, k, v)]
    made = step.add(
        "attention", {"heads": heads, "scale": scale}, turned[0], "attention", also=tuple(turned[1:]), own=False
    )
    return step.back(made, len(made.sizes) - 1)


@rule("Attention", heavy=True, holds=True)
def attention(step: Step) -> list[Data]:
    """Attention of queries, values and keys without projections."""
    tensors = step.tensors
    if len(tensors) not in (2, 3) or any(len(item.sizes) != _MAP for item in tensors):
        raise MissingError("only sequences of queries, values and keys are followed")
    query, value, key = (*tensors, tensors[1])[:3]
    if step.word("score_mode", "dot", ("dot", "concat")) != "dot":
        raise MissingError("`score_mode` 'concat' is not counted")
    scale = step.flag("use_scale", default=False)
    scores = (*query.sizes[:2], key.sizes[1])
    if not scale:
        return [_attended(step, 1, query, key, value, scale=False), query.seen(scores)]
    step.parts = True
    facts: dict[str, Any] = {
        "pointwise": True,
        "saved": Saved(input=True),
        "backward": {"multiplications": 2 * query.count},
    }
    counts = {"other_params": 1, "multiplications": query.count}
    query = step.stated(Activating, "scale", query.sizes, counts, [query], "scale", **facts)
    return [_attended(step, 1, query, key, value, scale=False), query.seen(scores)]


@rule("AdditiveAttention", heavy=True, holds=True)
def additive_attention(step: Step) -> list[Data]:
    """Attention whose scores are weighted sums over ``tanh(query + key)``."""
    tensors = step.tensors
    if len(tensors) not in (2, 3) or any(len(item.sizes) != _MAP for item in tensors):
        raise MissingError("only sequences of queries, values and keys are followed")
    query, value, key = (*tensors, tensors[1])[:3]
    width, scores = query.sizes[-1], (*query.sizes[:2], key.sizes[1])
    pairs = prod(scores)
    sets = query.sizes[0] * query.sizes[1]
    scale = step.flag("use_scale", default=True)
    counts: dict[str, Num] = {
        "macs": pairs * (value.sizes[-1] + (width if scale else 0)),
        "additions": pairs * width + 2 * pairs - sets + (0 if scale else pairs * (width - 1)),
        "exponentials": pairs * width + pairs,
        "comparisons": pairs - sets,
        "divisions": pairs,
    }
    if scale:
        counts["other_params"] = width
    shape = (*query.sizes[:2], value.sizes[-1])
    return [step.stated(Product, "attention", shape, counts, tensors), query.seen(scores)]


# norms


@rule("BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization", holds=True)
def batch_norm(step: Step) -> Data:
    """A batch norm along the axis of the channels, or another one."""
    x = step.x
    axes = step.axes("axis", len(x.sizes))
    if len(axes) != 1 or not axes[0]:
        raise MissingError("a batch norm over several axes is not counted")
    fields = {"scale": step.flag("scale", default=True), "shift": step.flag("center", default=True)}
    return step.back(step.add("batch_norm", fields, step.turned(x, axes[0])), axes[0])


def _affine(step: Step, work: dict[str, Num], x: Data, params: Num) -> dict[str, Num]:
    """The counts of a norm whose scale or shift is left out, from those of one without both."""
    scale, shift = step.flag("scale", default=True), step.flag("center", default=True)
    made = dict(work)
    if scale:
        made["multiplications"] = made.get("multiplications", 0) + x.count
    if shift:
        made["additions"] = made.get("additions", 0) + x.count
    made["norm_params"] = params * (scale + shift)
    return made


def _normed(step: Step, key: str, fields: dict[str, Any], x: Data, params: Num) -> Data:
    """A norm with scale and shift, with neither, or with one of them."""
    scale, shift = step.flag("scale", default=True), step.flag("center", default=True)
    if scale == shift:
        return step.add(key, {**fields, "affine": scale}, x)
    tensor, copies = step.run.maps(x)
    _, _, _, work = step.run.builder.infer(key, {**fields, "affine": False}, ((tensor, 1),))
    counts = {name: count * copies for name, count in vars(work).items() if name not in ("read", "written")}
    made = _affine(step, counts, x, params)
    return step.stated(Normalising, key, x.sizes, made, [x], pointwise=True, saved=Saved(input=True))


@rule("LayerNormalization", holds=True)
def layer_norm(step: Step) -> Data:
    """A layer norm along one axis or several."""
    x = step.x
    axes = sorted(set(step.axes("axis", len(x.sizes))))
    places = tuple(step.axis(axis, x) for axis in axes)
    if step.flag("rms_scaling", default=False):
        return step.add("rms_norm", {"axis": places, "scale": True}, x)
    return _normed(step, "layer_norm", {"axis": places}, x, prod(x.sizes[axis] for axis in axes))


@rule("RMSNormalization", holds=True)
def rms_norm(step: Step) -> Data:
    """Elements divided by the root of their mean square."""
    x = step.x
    axes = sorted(set(step.axes("axis", len(x.sizes))))
    return step.add("rms_norm", {"axis": tuple(step.axis(axis, x) for axis in axes)}, x)


@rule("UnitNormalization")
def unit_norm(step: Step) -> Data:
    """Elements divided by their Euclidean length along some axes."""
    x = step.x
    axes = sorted(set(step.axes("axis", len(x.sizes))))
    return step.add("l2_norm", {"axis": tuple(step.axis(axis, x) for axis in axes)}, x)


@rule("GroupNormalization", holds=True)
def group_norm(step: Step) -> Data:
    """Statistics over groups of channels; with ``groups`` -1 over each channel."""
    x = step.x
    (axis, *more) = step.axes("axis", len(x.sizes))
    if more or not axis:
        raise MissingError("a group norm over several axes is not counted")
    groups = x.sizes[axis] if step.config.get("groups") == -1 else step.whole("groups", 32)
    made = _normed(step, "group_norm", {"groups": groups}, step.turned(x, axis), x.sizes[axis])
    return step.back(made, axis)


@rule("LayerScale", holds=True)
def layer_scale(step: Step) -> Data:
    """A trained factor for each channel, as in ConvNeXt of keras.applications."""
    x = step.x
    return step.back(step.add("scale", {}, step.turned(x, len(x.sizes) - 1)), len(x.sizes) - 1)


@rule("Normalization", holds=True)
def normalisation(step: Step) -> Data:
    """Elements less a stored mean, divided by a stored deviation; mean, variance and a count are no trained weights."""
    x = step.x
    value = listed(step.config.get("axis", -1))
    axes = [] if value is None else [axis_at("axis", item, len(x.sizes)) for item in _each(value)]
    counts: dict[str, Num] = {"additions": x.count, "divisions": x.count}
    if step.config.get("mean") is None:
        counts["buffers"] = 2 * prod(x.sizes[axis] for axis in axes) + 1
    facts: dict[str, Any] = {"pointwise": True, "saved": Saved(), "backward": {"divisions": x.count}}
    return step.stated(Normalising, "normalization", x.sizes, counts, [x], **facts)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# pools


@rule(*(f"{name}Pooling{axes}D" for name in ("Max", "Average") for axes in (1, 2, 3)))
def pool(step: Step) -> Data:
    """Maximum or mean over a window."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    kernel = step.sizes("pool_size", axes, 2)
    stride = kernel if step.config.get("strides") is None else step.sizes("strides", axes)
    fields: dict[str, Any] = {
        "kernel": kernel,
        "stride": stride,
        "padding": step.word("padding", "valid", ("valid", "same")),
    }
    key = "max_pool" if step.layer.kind.startswith("Max") else "avg_pool"
    if key == "avg_pool":
        fields["count_include_pad"] = False
    return step.back(step.add(key, fields, x), axis)


@rule(*(f"Global{name}Pooling{axes}D" for name in ("Max", "Average") for axes in (1, 2, 3)))
def global_pool(step: Step) -> Data:
    """One value for every channel."""
    x, axis = _on_map(step, _axes_in(step))
    key = "global_max_pool" if "Max" in step.layer.kind else "global_avg_pool"
    made = step.back(step.add(key, {}, x), axis)
    if step.flag("keepdims", default=False):
        return made
    return made.seen((made.sizes[0], made.sizes[axis]))


@rule(*(f"AdaptiveAveragePooling{axes}D" for axes in (1, 2, 3)))
def adaptive_pool(step: Step) -> Data:
    """Means over windows that give an output of a stated size."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    return step.back(step.add("adaptive_avg_pool", {"size": step.sizes("output_size", axes)}, x), axis)


# sizes and order of axes


@rule(*(f"ZeroPadding{axes}D" for axes in (1, 2, 3)))
def zero_padding(step: Step) -> Data:
    """Zeros around a map."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    return step.back(step.add("zero_pad", {"sides": _sides(step, "padding", axes)}, x), axis)


def _sides(step: Step, key: str, axes: int) -> tuple[tuple[int, int], ...]:
    """A setting that is a size for all sides, one for each axis, or a pair for each axis."""
    value = listed(step.config.get(key, 1))
    items = [listed(item) for item in value] if isinstance(value, list) else [value] * axes
    if axes == 1 and len(items) == 2:  # noqa: PLR2004 - before and after
        items = [items]
    pairs = [item if isinstance(item, list) else [item, item] for item in items]
    sizes = [size for pair in pairs for size in pair]
    if len(pairs) != axes or len(sizes) != 2 * axes or any(type(size) is not int or size < 0 for size in sizes):
        raise ShapeError(f"`{key}`: expected sizes before and after for each of {axes} axes, found {shown(value)}")
    return tuple((pair[0], pair[1]) for pair in pairs)


@rule(*(f"Cropping{axes}D" for axes in (1, 2, 3)))
def cropping(step: Step) -> Data:
    """Positions left out around a map."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    sides = _sides(step, "cropping", axes)
    sizes = x.sizes[1:-1] if step.run.channels_last else x.sizes[2:]
    left = tuple(size - before - after for size, (before, after) in zip(sizes, sides, strict=True))
    for size in left:
        require(">=", size, 1, f"`cropping`: nothing is left of {show(x.sizes)}")
    return step.back(step.add("crop", {"size": left}, x), axis)


@rule("CenterCrop")
def center_crop(step: Step) -> Data:
    """The middle of a map."""
    x, axis = _on_map(step, 2)
    return step.back(step.add("crop", {"size": (step.whole("height"), step.whole("width"))}, x), axis)


@rule(*(f"UpSampling{axes}D" for axes in (1, 2, 3)))
def up_sampling(step: Step) -> Data:
    """A larger map."""
    axes = _axes_in(step)
    x, axis = _on_map(step, axes)
    factors = step.sizes("size", axes, 2)
    sizes = x.sizes[1:-1] if step.run.channels_last else x.sizes[2:]
    larger = tuple(size * factor for size, factor in zip(sizes, factors, strict=True))
    return step.back(_resized(step, x, larger), axis)


@rule("Resizing")
def resizing(step: Step) -> Data:
    """A map of a stated size."""
    x, axis = _on_map(step, 2)
    return step.back(_resized(step, x, (step.whole("height"), step.whole("width"))), axis)


def _resized(step: Step, x: Data, sizes: tuple[Num, ...]) -> Data:
    words = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area", "gaussian", "mitchellcubic")
    default = "nearest" if step.layer.kind.startswith("Up") else "bilinear"
    mode = step.word("interpolation", default, words)
    if mode in ("nearest", "bilinear"):
        return step.add("upsample", {"size": sizes, "mode": mode}, x)
    whole = (x.sizes[0], *sizes, x.sizes[-1]) if step.run.channels_last else (*x.sizes[:2], *sizes)
    if mode != "bicubic":
        step.light(step.layer.kind, f"interpolation '{mode}' is not counted")
        return step.stated(Operator, "resize", whole, {}, [x])
    return step.via("Resize", [x, None, None, vector(whole)], mode="cubic")[0]


@rule("Flatten")
def flatten(step: Step) -> Data:
    """All axes but that of the samples as one."""
    return step.via("Flatten", [step.x])[0]


@rule("Reshape")
def reshape(step: Step) -> Data:
    """The same elements in another shape."""
    x = step.x
    target = listed(step.config.get("target_shape"))
    if not isinstance(target, list) or any(item is not None and type(item) is not int for item in target):
        raise ShapeError(f"`target_shape`: expected a list of sizes, found {shown(target)}")
    sizes = [-1 if item is None else item for item in target]
    if any(size < -1 or size == 0 for size in sizes):
        raise ShapeError(f"`target_shape`: expected sizes of at least 1, or -1 for the rest, found {shown(target)}")
    return step.via("Reshape", [x, vector([x.sizes[0], *sizes])])[0]


@rule("Permute")
def permute(step: Step) -> Data:
    """The axes in another order."""
    dims = listed(step.config.get("dims"))
    if not isinstance(dims, list) or any(type(item) is not int for item in dims):
        raise ShapeError(f"`dims`: expected a list of axes, found {shown(dims)}")
    return step.via("Transpose", [step.x], perm=[0, *dims])[0]


@rule("RepeatVector")
def repeat_vector(step: Step) -> Data:
    """Copies of a row of features, one for each step of a sequence."""
    x = step.x
    if len(x.sizes) != _ROWS:
        raise ShapeError(f"expected samples and features, found {show(x.sizes)}")
    shape = (x.sizes[0], step.whole("n"), x.sizes[1])
    return step.stated(Operator, "repeat", shape, {}, [x], saved=Saved(), backward={"additions": prod(shape) - x.count})


# merges


_ONNX = {
    "Add": "Add",
    "Subtract": "Sub",
    "Multiply": "Mul",
    "Maximum": "Max",
    "Minimum": "Min",
}


@rule(*_ONNX)
def merge(step: Step) -> Data:
    """A sum, difference, product, maximum or minimum of tensors."""
    tensors = step.tensors
    rank = max(len(item.sizes) for item in tensors)
    wide = [item.seen((*item.sizes[:1], *[1] * (rank - len(item.sizes)), *item.sizes[1:])) for item in tensors]
    return step.via(_ONNX[step.layer.kind], wide)[0]


@rule("Average")
def average(step: Step) -> Data:
    """The mean of tensors."""
    tensors = step.tensors
    if any(not same_sizes(item.sizes, tensors[0].sizes) for item in tensors):
        raise MissingError("a mean of tensors of different shapes is not followed")
    shape, turns = tensors[0].sizes, len(tensors) - 1
    counts = {"additions": turns * prod(shape), "divisions": prod(shape)}
    facts: dict[str, Any] = {"pointwise": True, "saved": Saved(), "backward": {"divisions": prod(shape)}}
    return step.stated(Merging if turns else Activating, "mean", shape, counts, tensors, **facts)


@rule("Concatenate")
def concatenate(step: Step) -> Data:
    """Tensors one after another."""
    tensors = step.tensors
    (axis,) = step.axes("axis", len(tensors[0].sizes))[:1]
    return tensors[0] if len(tensors) == 1 else step.via("Concat", tensors, axis=axis)[0]


@rule("CustomScaleLayer")
def custom_scale(step: Step) -> Data:
    """A sum with a second tensor times a number, as in Inception-ResNet of keras.applications."""
    a, b = (*step.tensors, step.tensors[0])[:2]
    step.parts = True
    counts = {"multiplications": b.count}
    facts: dict[str, Any] = {"pointwise": True, "saved": Saved(), "backward": {"multiplications": b.count}}
    return step.via("Add", [a, step.stated(Activating, "scale", b.sizes, counts, [b], "scale", **facts)], "add")[0]


# activations


@rule("Activation")
def activation(step: Step) -> Data:
    """An activation by its name."""
    return step.activated(step.x, step.activation)


@rule("ReLU")
def relu(step: Step) -> Data:
    """A ReLU, with a limit, a slope or a threshold."""
    x = step.x
    limit, slope, threshold = (step.config.get(name) or 0 for name in ("max_value", "negative_slope", "threshold"))
    slope = step.config.get("alpha") or slope
    if slope:
        made = step.add("leaky_relu", {}, x)
        if step.config.get("max_value") is None:
            return made
        step.parts = True
        return _single(step, made, "clip", {"comparisons": 1}, "clip")
    if step.config.get("max_value") is None:
        return step.add("relu", {}, x)
    if limit == _SIX and not threshold:
        return step.add("relu6", {}, x)
    return _single(step, x, "clip", {"comparisons": 2})


def _single(step: Step, x: Data, kind: str, each: dict[str, int], part: str = "") -> Data:
    counts = {name: times * x.count for name, times in each.items()}
    return step.stated(Activating, kind, x.sizes, counts, [x], part, pointwise=True, saved=Saved(input=True))


@rule("LeakyReLU")
def leaky_relu(step: Step) -> Data:
    """A ReLU with a slope on the other side."""
    return step.add("leaky_relu", {}, step.x)


@rule("ELU", "ThresholdedReLU", "Swish", "SELU", "GELU", "Silu", "Gelu", "Tanh", "Sigmoid")
def other_activation(step: Step) -> Data:
    """An activation that is a layer."""
    names = {"ThresholdedReLU": "threshold"}
    return step.activated(step.x, names.get(step.layer.kind, step.layer.kind.lower()))


@rule("Softmax")
def softmax(step: Step) -> Data:
    """A softmax along an axis, or over several."""
    x = step.x
    axes = sorted(set(step.axes("axis", len(x.sizes))))
    if len(axes) == 1:
        return step.add("softmax", {"axis": step.axis(axes[0], x)}, x)
    sets = exact_div(x.count, prod(x.sizes[axis] for axis in axes), "elements by those of a set")
    counts = {
        "comparisons": x.count - sets,
        "additions": 2 * x.count - sets,
        "exponentials": x.count,
        "divisions": x.count,
    }
    return step.stated(Activating, "softmax", x.sizes, counts, [x], saved=Saved(output=True))


@rule("PReLU", holds=True)
def prelu(step: Step) -> Data:
    """A ReLU with trained slopes, which some axes share."""
    x = step.x
    value = listed(step.config.get("shared_axes"))
    shared = set() if value is None else {axis_at("shared_axes", axis, len(x.sizes)) for axis in _each(value)}
    own = [axis for axis in range(1, len(x.sizes)) if axis not in shared]
    channel = len(x.sizes) - 1 if step.run.channels_last else 1
    if own == [channel]:
        return step.add("prelu", {}, x)
    if len(own) in (0, len(x.sizes) - 1):
        return step.add("prelu", {"shared": not own, "per_element": bool(own)}, x)
    counts = {
        "other_params": prod(x.sizes[axis] for axis in own),
        "comparisons": x.count,
        "multiplications": x.count,
    }
    return step.stated(Activating, "prelu", x.sizes, counts, [x], pointwise=True, saved=Saved(input=True))


# recurrent layers

_GATES = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}


@rule("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "RNN", heavy=True, holds=True)
def recurrent(step: Step) -> list[Data]:
    """A recurrent layer over a sequence."""
    made = _run_over(step, step.layer.kind, step.config, both=False)
    state = made[0].seen((step.x.sizes[0], made[1]))
    return [made[0], state, state] if step.flag("return_state", default=False) else [made[0]]


@rule("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", heavy=True, holds=True)
def conv_lstm(step: Step) -> list[Data]:
    """An LSTM whose products are convolutions: one of the input and, with the same padding, one of the state."""
    axes = _axes_in(step)
    x = step.x
    if len(x.sizes) != axes + _MAP:
        raise ShapeError(f"expected samples, steps, channels and {axes} more axes, found {show(x.sizes)}")
    samples, steps = x.sizes[:2]
    last = step.channels(axes + 2) != 1
    channels, *sizes = (x.sizes[-1], *x.sizes[2:-1]) if last else x.sizes[2:]
    hidden, fields = step.whole("filters"), _window(step, axes)
    entering = REGISTRY["conv"](out=4 * hidden, **fields, bias=False)
    _, *area = entering.shape((channels, *sizes))
    bias = step.flag("use_bias", default=True)
    positions = steps * prod(area)
    gates = REGISTRY["lstm"](hidden=hidden, biases=int(bias))
    cells = vars(gates.work((channels, positions), gates.shape((channels, positions))))
    counts = {name: count * samples for name, count in cells.items() if name not in (*PARAMETERS, "read", "written")}
    counts["weights"] = prod(fields["kernel"]) * 4 * hidden * (channels + hidden)
    counts["macs"] = counts["weights"] * positions * samples
    if bias:
        counts["biases"] = 4 * hidden
    made = (*area, hidden) if last else (hidden, *area)
    whole = (samples, steps, *made) if step.flag("return_sequences", default=False) else (samples, *made)
    output = step.stated(Recurring, "conv_lstm", whole, counts, [x])
    states = [output.seen((samples, *made))] * 2
    return [output, *states] if step.flag("return_state", default=False) else [output]


@rule("Bidirectional", heavy=True, holds=True)
def bidirectional(step: Step) -> list[Data]:
    """A recurrent layer over a sequence from both ends."""
    inner = step.layer.inner
    if inner is None:
        raise ShapeError("`layer`: expected a recurrent layer, found none")
    mode = (
        ""
        if step.config.get("merge_mode") is None
        else step.word("merge_mode", "concat", ("concat", "sum", "mul", "ave"))
    )
    step.parts = mode not in ("", "concat")
    made, hidden = _run_over(step, inner.kind, inner.config, both=True)
    samples = made.sizes[0]
    states = [made.seen((samples, hidden))] * 4
    if mode == "concat":
        return [made, *states]
    half = (*made.sizes[:-1], hidden)
    if not mode:
        return [made.seen(half), made.seen(half), *states]
    each = {"mul": "multiplications"}.get(mode, "additions")
    counts: dict[str, Num] = {each: prod(half)}
    if mode == "ave":
        counts["divisions"] = prod(half)
    return [step.stated(Activating, f"merge_{mode}", half, counts, [made], "merge"), *states]


def _run_over(step: Step, kind: str, config: dict[str, Any], *, both: bool) -> tuple[Data, int]:
    """A recurrent layer by the name of its class, and the size of its state."""
    x = step.x
    if len(x.sizes) != _MAP:
        raise MissingError("only sequences of features are followed")
    if kind == "RNN":
        cell = config.get("cell")
        if not isinstance(cell, dict) or not isinstance(cell.get("config"), dict):
            raise MissingError("its cell is not followed")
        kind, config = str(cell.get("class_name")).removesuffix("Cell"), {**config, **cell["config"]}
    before, step.config = step.config, config
    try:
        return _unrolled(step, kind.removeprefix("CuDNN"), x, both=both, fast=kind.startswith("CuDNN"))
    finally:
        step.config = before


def _unrolled(step: Step, kind: str, x: Data, *, both: bool, fast: bool) -> tuple[Data, int]:
    key = _GATES.get(kind)
    if key is None:
        raise MissingError(f"no rule for the recurrent layer '{shorten(kind)}'")
    hidden = step.whole("units")
    biases = 0 if not step.flag("use_bias", default=True) else 1
    if fast or (key == "gru" and step.flag("reset_after", default=False)):
        biases *= 2  # one for the input and one for the state
    fields: dict[str, Any] = {
        "hidden": hidden,
        "biases": biases,
        "bidirectional": both,
        "last": not step.flag("return_sequences", default=False),
    }
    name = activation_name(step.config.get("activation", "tanh"))
    if key == "rnn" and name == "relu":
        fields["nonlinearity"] = "relu"
    elif name != "tanh":
        step.run.note(f"activation '{name or 'linear'}' of {shorten(step.layer.name)} is counted as tanh")
    turned = step.turned(x, len(x.sizes) - 1)
    made = step.add(key, fields, turned, key)
    if fields["last"]:
        return made.seen((x.sizes[0], prod(made.sizes[1:]))), hidden
    return step.back(made, len(made.sizes) - 1), hidden


# what does nothing to shapes, or prepares data


@rule(
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "AlphaDropout",
    "GaussianDropout",
    "GaussianNoise",
    "ActivityRegularization",
    "StochasticDepth",
    "Masking",
    "Identity",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomGrayscale",
    "RandomHue",
    "RandomPosterization",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomPerspective",
    "RandomGaussianBlur",
    "RandomErasing",
    "RandomInvert",
    "RandomElasticTransform",
    "RandomHeight",
    "RandomWidth",
    "AutoContrast",
    "AugMix",
    "CutMix",
    "MixUp",
    "RandAugment",
)
def nothing(step: Step) -> Data:
    """What does nothing at inference."""
    return step.x


@rule("Rescaling")
def rescaling(step: Step) -> Data:
    """Elements times a number, plus a number."""
    x = step.x
    counts = {"multiplications": x.count}
    if step.config.get("offset"):
        counts["additions"] = x.count
    facts: dict[str, Any] = {"pointwise": True, "saved": Saved(), "backward": {"multiplications": x.count}}
    return step.stated(Activating, "rescale", x.sizes, counts, [x], **facts)


@rule("RandomCrop")
def random_crop(step: Step) -> Data:
    """At inference the middle of a map, or a smaller copy of it."""
    x, axis = _on_map(step, 2)
    size = (step.whole("height"), step.whole("width"))
    whole = (x.sizes[0], *size, x.sizes[-1]) if step.run.channels_last else (*x.sizes[:2], *size)
    return step.back(step.stated(Operator, "crop", whole, {}, [x], saved=Saved(), backward={}), axis)


@rule("CategoryEncoding", "IntegerLookup", "StringLookup", "Hashing", "Discretization", "TextVectorization")
def encoding(step: Step) -> Data:
    """Numbers or marks in place of values; without arithmetic that counts."""
    x = step.x
    mode = step.config.get("output_mode", "int")
    bins = step.config.get("num_tokens") or step.config.get("num_bins") or step.config.get("vocabulary_size")
    if mode == "int" and step.layer.kind != "CategoryEncoding":
        length = step.config.get("output_sequence_length")
        shape = (x.sizes[0], step.whole("output_sequence_length")) if length is not None else x.sizes
        if step.layer.kind == "TextVectorization" and length is None:
            raise MissingError("the length of its output depends on data")
    elif type(bins) is not int or bins < 1:
        raise MissingError("the number of its tokens is not in the file")
    elif mode == "one_hot":
        shape = (*(x.sizes[:-1] if len(x.sizes) > 1 and x.sizes[-1] == 1 else x.sizes), bins)
    else:
        shape = (*x.sizes[:-1], bins) if len(x.sizes) > 1 else (*x.sizes, bins)
    return step.stated(Operator, "encoding", shape, {}, [x], saved=Saved(), backward={})


@rule("Lambda", heavy=True)
def function(step: Step) -> Data:
    """A function of Python, which is neither read nor run."""
    raise MissingError(f"a function of Python, which is not run: {shorten(step.layer.name)}")


@rule("time: fold")
def fold(step: Step) -> Data:
    """The steps of a sequence as so many samples."""
    x = step.x
    if len(x.sizes) < _MAP:
        raise ShapeError(f"expected samples, steps and features, found {show(x.sizes)}")
    return x.seen((x.sizes[0] * x.sizes[1], *x.sizes[2:]))


@rule("time: unfold")
def unfold(step: Step) -> Data:
    """The samples of a sequence as its steps again."""
    x, before = step.x, step.call.input(1)
    return x.seen((*before.sizes[:2], *x.sizes[1:]))
