"""Operators with multiply-accumulates: convolutions, products, recurrent layers.

Source of all rules: the operator's page in the ONNX documentation (onnx.ai/onnx/operators), and for the domain
``com.microsoft`` docs/ContribOperators.md of onnxruntime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from convcost.errors import ShapeError
from convcost.importers.data import Data, MissingError, broadcast
from convcost.importers.rules import operator
from convcost.layers.base import REGISTRY, Saved
from convcost.layers.operator import Merging, Multiplying, Operator, Product, Recurring
from convcost.layers.window import extent, show
from convcost.numbers.arithmetic import Num, decide, exact_div, floor_div, prod, provably, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from convcost.importers.evaluate import Call
    from convcost.layers.base import Shape

SAME = ("SAME_UPPER", "SAME_LOWER")


def window(call: Call, kernel: Sequence[Num]) -> dict[str, Any]:
    """The fields of a window from the attributes of a convolution or pool."""
    count = len(kernel)
    strides = call.integers("strides") or [1] * count
    pads = call.integers("pads") or [0] * (2 * count)
    dilations = call.integers("dilations") or [1] * count
    if len(strides) != count or len(dilations) != count or len(pads) != 2 * count:
        raise ShapeError(f"expected strides, dilations and pads for {count} axes")
    auto = call.word("auto_pad", "NOTSET")
    if auto not in (*SAME, "NOTSET", "VALID", ""):
        raise ShapeError(f"attribute auto_pad: expected SAME_UPPER, SAME_LOWER, VALID or NOTSET, found {auto[:40]}")
    padding: Any = tuple((pads[axis], pads[axis + count]) for axis in range(count))
    if auto in SAME:
        padding = "same"
    elif auto == "VALID":
        padding = "valid"
    return {
        "kernel": tuple(kernel),
        "stride": tuple(strides),
        "padding": padding,
        "dilation": tuple(dilations),
    }


@operator("Conv", "com.microsoft:FusedConv", heavy=True, weights=(1, 2))
def conv(call: Call) -> list[Data]:
    """A convolution of maps by weights."""
    return [_conv(call, call.input(0), call.input(1), call.maybe(2))]


@operator("ConvInteger", heavy=True, weights=(1,))
def conv_integer(call: Call) -> list[Data]:
    """A convolution of integers."""
    return [_conv(call, call.input(0), call.input(1), None)]


@operator("QLinearConv", "com.microsoft:QLinearConv", heavy=True, weights=(3, 8))
def qlinear_conv(call: Call) -> list[Data]:
    """A convolution of integers with scales."""
    return [_conv(call, call.input(0), call.input(3), call.maybe(8))]


def _conv(call: Call, x: Data, weights: Data, bias: Data | None) -> Data:
    _need(x, weights)
    groups = call.integer("group", 1)
    values = {
        **window(call, weights.sizes[2:]),
        "out": weights.sizes[0],
        "groups": groups,
        "bias": bias is not None,
    }
    require(
        "==",
        x.sizes[1],
        weights.sizes[1] * groups,
        f"expected {weights.sizes[1] * groups} channels, found a map of {show(x.sizes)}",
    )
    if x.tensor is not None and weights.tensor is None:
        return call.layer("conv", values, x, [weights, bias])
    layer = REGISTRY["conv"](**values)
    shape = layer.shape(x.sizes[1:])
    whole = (x.sizes[0], *shape)
    if call.is_constant:
        return call.constant(whole)
    macs = layer.work(x.sizes[1:], shape).macs * x.sizes[0]
    return _product(call, "conv", whole, macs, x, weights)


def _need(x: Data, weights: Data) -> None:
    if len(x.sizes) < 3 or len(weights.sizes) != len(x.sizes):  # noqa: PLR2004 - samples, channels, an axis
        raise ShapeError(f"expected a map and weights of as many axes, found {show(x.sizes)} and {show(weights.sizes)}")


def _product(call: Call, kind: str, whole: Shape, macs: Num, *operands: Data) -> Data:
    """A product of which both operands are computed, or the first is a constant."""
    computed = [item for item in operands if item.tensor is not None]
    if len(computed) == 1:
        weights = next(item for item in operands if item.tensor is None)
        counts = {"weights": weights.count, "macs": macs} if weights.ident else {"macs": macs}
        return call.stated(
            Multiplying, kind, whole, counts, computed, [weights], saved=Saved(input=True), backward={"macs": 2 * macs}
        )
    return call.stated(
        Product, kind, whole, {"macs": macs}, computed, saved=Saved(input=True), backward={"macs": 2 * macs}
    )


@operator("ConvTranspose", heavy=True, weights=(1, 2))
def conv_transpose(call: Call) -> list[Data]:
    """A transposed convolution; with ``output_shape`` the padding follows from it."""
    x, weights, bias = call.input(0), call.input(1), call.maybe(2)
    _need(x, weights)
    groups = call.integer("group", 1)
    require("==", x.sizes[1], weights.sizes[0], f"expected {weights.sizes[0]} channels, found a map of {show(x.sizes)}")
    values = {
        **window(call, weights.sizes[2:]),
        "out": weights.sizes[1] * groups,
        "groups": groups,
        "bias": bias is not None,
    }
    count = len(x.sizes) - 2
    extra = call.integers("output_padding") or [0] * count
    wanted = call.integers("output_shape")
    if wanted is not None:
        wanted, extra, pads = wanted[-count:], list(extra), []
        for axis in range(count):
            full = (x.sizes[2 + axis] - 1) * values["stride"][axis] + extra[axis]
            cut = full + extent(values["kernel"][axis], values["dilation"][axis]) - wanted[axis]
            if decide("<", cut, 0):
                extra[axis], cut = extra[axis] - cut, 0
            half = floor_div(cut, 2)
            pads.append((cut - half, half) if call.word("auto_pad", "") == "SAME_UPPER" else (half, cut - half))
        values["padding"] = tuple(pads)
    values["output_padding"] = tuple(extra)
    if x.tensor is not None and weights.tensor is None:
        return [call.layer("conv_transpose", values, x, [weights, bias])]
    layer = REGISTRY["conv_transpose"](**values)
    shape = layer.shape(x.sizes[1:])
    whole = (x.sizes[0], *shape)
    if call.is_constant:
        return [call.constant(whole)]
    macs = layer.work(x.sizes[1:], shape).macs * x.sizes[0]
    return [_product(call, "conv_transpose", whole, macs, x, weights)]


@operator("Gemm", "com.microsoft:FusedGemm", heavy=True, weights=(1, 2))
def gemm(call: Call) -> list[Data]:
    """A product of two matrices and a bias."""
    return [_gemm(call, call.input(0), call.input(1), call.maybe(2))]


@operator("com.microsoft:QGemm", heavy=True, weights=(3, 6))
def qgemm(call: Call) -> list[Data]:
    """A product of two matrices of integers with scales."""
    return [_gemm(call, call.input(0), call.input(3), call.maybe(6))]


def _gemm(call: Call, a: Data, b: Data, bias: Data | None) -> Data:
    if len(a.sizes) != 2 or len(b.sizes) != 2:  # noqa: PLR2004 - matrices
        raise ShapeError(f"expected two matrices, found {show(a.sizes)} and {show(b.sizes)}")
    rows, inner = a.sizes if not call.integer("transA", 0) else a.sizes[::-1]
    depth, columns = b.sizes if not call.integer("transB", 0) else b.sizes[::-1]
    require("==", inner, depth, f"expected matrices that fit each other, found {show(a.sizes)} and {show(b.sizes)}")
    whole = (rows, columns)
    if call.is_constant:
        return call.constant(whole)
    if b.tensor is None and not call.integer("transA", 0):
        trained = bias is not None and bias.tensor is None
        made = _linear(call, a, columns, whole, b, bias if trained else None)
        return made if bias is None or trained else _plus(call, made, bias)
    return _product(call, "matmul", whole, rows * inner * columns, a, b)


def _plus(call: Call, made: Data, bias: Data) -> Data:
    """A product plus a tensor that is computed."""
    return call.stated(
        Merging, "add", made.sizes, {"additions": made.count}, [made, bias], saved=Saved(), backward={}, pointwise=True
    )


def _linear(call: Call, x: Data, out: Num, whole: Shape, weights: Data, bias: Data | None) -> Data:
    """The same weights for the last axis of ``x`` at every position."""
    values = {"out": out, "bias": bias is not None}
    if len(call.run.shape_of(x.sizes)) > 1:
        values["axis"] = 0 if call.run.channels_last else -1
    made = call.on_sample("linear", values, [x], whole, [weights, bias])
    if made is None:
        raise ShapeError(f"expected features along the last axis, found {show(x.sizes)}")
    return made


@operator("MatMul", "MatMulInteger", heavy=True)
def matmul(call: Call) -> list[Data]:
    """A product of matrices, or of stacks of them."""
    return [_matmul(call, call.input(0), call.input(1))]


@operator("QLinearMatMul", heavy=True, weights=(3,))
def qlinear_matmul(call: Call) -> list[Data]:
    """A product of matrices of integers with scales."""
    return [_matmul(call, call.input(0), call.input(3))]


@operator("com.microsoft:DynamicQuantizeMatMul", "com.microsoft:MatMulIntegerToFloat", heavy=True)
def quantised_matmul(call: Call) -> list[Data]:
    """A product of matrices that are made integers first."""
    return [_matmul(call, call.input(0), call.input(1))]


@operator("com.microsoft:FusedMatMul", heavy=True)
def fused_matmul(call: Call) -> list[Data]:
    """A product of matrices, either transposed."""
    a, b = call.input(0), call.input(1)
    return [_matmul(call, _swapped(call, a, "transA"), _swapped(call, b, "transB"))]


def _swapped(call: Call, data: Data, attribute: str) -> Data:
    if not call.integer(attribute, 0) or len(data.sizes) < 2:  # noqa: PLR2004 - a vector is its own
        return data
    return data.seen((*data.sizes[:-2], data.sizes[-1], data.sizes[-2]))


def _matmul(call: Call, a: Data, b: Data) -> Data:
    if not a.sizes or not b.sizes:
        raise ShapeError("expected two matrices, found a number")
    left = a.sizes if len(a.sizes) > 1 else (1, *a.sizes)
    right = b.sizes if len(b.sizes) > 1 else (*b.sizes, 1)
    inner = left[-1]
    require("==", inner, right[-2], f"expected matrices that fit each other, found {show(a.sizes)} and {show(b.sizes)}")
    stack = broadcast([left[:-2], right[:-2]]) if len(left) > 2 or len(right) > 2 else ()  # noqa: PLR2004
    whole = (*stack, *([left[-2]] if len(a.sizes) > 1 else []), *([right[-1]] if len(b.sizes) > 1 else []))
    if call.is_constant:
        return call.constant(whole)
    if b.tensor is None and len(b.sizes) == 2 and len(a.sizes) > 1:  # noqa: PLR2004
        return _linear(call, a, b.sizes[1], whole, b, None)
    if a.tensor is not None and b.tensor is not None and not call.run.channels_last:
        made = call.on_sample("matmul", {}, [a, b], whole)
        if made is not None:
            return made
    macs = prod(stack) * left[-2] * inner * right[-1]
    return _product(call, "matmul", whole, macs, a, b)


@operator("Einsum", heavy=True)
def einsum(call: Call) -> list[Data]:
    """A sum over the labels that the result lacks; a product where it lacks none."""
    equation = call.word("equation", "").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(call.given):
        raise ShapeError(f"attribute equation: expected a term for each of {len(call.given)} inputs, found {left[:40]}")
    sizes, hidden = _labels(terms, call.given)
    if not arrow:
        once = sorted(label for label in sizes if left.count(label) == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    names, dots, rest = right.partition("...")
    if any(label not in sizes for label in names + rest):
        raise ShapeError(f"attribute equation: the result has a label that no input has: {right[:40]}")
    whole = (*(sizes[label] for label in names), *(hidden if dots else ()), *(sizes[label] for label in rest))
    if call.is_constant:
        return [call.constant(whole)]
    summed = [label for label in sizes if label not in right]
    every = prod(sizes.values()) * prod(hidden)
    if len(terms) == 1:
        counts = {"additions": every - prod(whole)}
        return [call.stated(Operator, "einsum", whole, counts, [call.input(0)])]
    if len(terms) > 2:  # noqa: PLR2004 - its cost depends on the order of the products
        raise MissingError("a product of more than two tensors has no order in the file")
    if not summed:
        computed = [data for data in call.given if data.tensor is not None]
        make = Merging if len(computed) > 1 else Multiplying
        return [call.stated(make, "multiply", whole, {"multiplications": every}, computed)]
    return [_product(call, "einsum", whole, every, call.input(0), call.input(1))]


def _labels(terms: Sequence[str], operands: Sequence[Data]) -> tuple[dict[str, Num], Shape]:
    """The size of every label of the terms, and the axes that the dots stand for."""
    sizes: dict[str, Num] = {}
    hidden: Shape = ()
    for term, data in zip(terms, operands, strict=True):
        names, dots, rest = term.partition("...")
        labels = [*names, *rest]
        spare = len(data.sizes) - len(labels)
        if spare < 0 or (spare and not dots):
            raise ShapeError(
                f"attribute equation: expected {len(labels)} axes for {term[:20]}, found {show(data.sizes)}"
            )
        cut = len(names)
        if dots:
            hidden = broadcast([hidden, data.sizes[cut : cut + spare]])
        for label, size in zip(labels, (*data.sizes[:cut], *data.sizes[cut + spare :]), strict=True):
            known = sizes.setdefault(label, size)
            if provably(known, 1):
                sizes[label] = size
            elif not provably(size, 1):
                require("==", size, known, f"label {label} of the equation has the sizes {known} and {size}")
    return sizes, hidden


@operator("Attention", heavy=True)
def attention(call: Call) -> list[Data]:
    """Softmax of products of queries and keys, times values; heads are axes, or parts of the last axis."""
    q, k, v = call.input(0), call.input(1), call.input(2)
    flat = len(q.sizes) == 3  # noqa: PLR2004 - samples, sequence, heads x width
    heads, groups = call.integer("q_num_heads", 1), call.integer("kv_num_heads", 1)
    queries, keys, values = (
        _heads(data, number) if flat else data.sizes for data, number in ((q, heads), (k, groups), (v, groups))
    )
    past = call.maybe(4)
    length = keys[2] + (past.sizes[2] if past is not None and past.sizes else 0)
    scores = (*queries[:3], length)
    whole = (*queries[:3], values[3])
    shape = (q.sizes[0], q.sizes[1], queries[1] * values[3]) if flat else whole
    present = [(*keys[:2], length, keys[3]), (*values[:2], length, values[3])]
    made = _attended(call, shape, scores, queries[3], values[3])
    return [made, made.seen(present[0]), made.seen(present[1]), made.seen(scores)]


def _heads(data: Data, heads: Num) -> Shape:
    """A shape of samples, sequence and heads x width as samples, heads, sequence, width."""
    samples, length, width = data.sizes
    return (samples, heads, length, exact_div(width, heads, "the last size by heads"))


def _attended(
    call: Call, shape: Shape, scores: Shape, width: Num, values: Num, extra: dict[str, Num] | None = None
) -> Data:
    """Attention with scores of samples, heads, queries and keys, and these widths of a head."""
    if call.is_constant:
        return call.constant(shape)
    samples, heads, queries, keys = scores
    operands = tuple(
        ((heads * size, positions), 1) for size, positions in ((width, queries), (width, keys), (values, keys))
    )
    layer = REGISTRY["attention"](heads=heads)
    work = layer.work(operands, layer.shape(operands))
    counts = {name: times * samples for name, times in vars(work).items() if name not in ("read", "written")}
    for name, times in (extra or {}).items():
        counts[name] = counts.get(name, 0) + times
    params = [item for item in call.given if item.tensor is None and item.floating and item.ident] if extra else []
    make = Multiplying if extra else Product
    return call.stated(make, "attention", shape, counts, call.given, params)


@operator("com.microsoft:MultiHeadAttention", heavy=True)
def multi_head(call: Call) -> list[Data]:
    """Attention of projected queries, keys and values, all of them with heads in the last axis."""
    q, k, v = call.input(0), call.maybe(1), call.maybe(2)
    if k is None or v is None or not len(q.sizes) == len(k.sizes) == len(v.sizes) == 3:  # noqa: PLR2004
        raise MissingError("packed queries, keys and values are not followed")
    heads = call.integer("num_heads", 1)
    queries, keys, values = (_heads(data, heads) for data in (q, k, v))
    made = _attended(call, (*q.sizes[:2], v.sizes[2]), (*queries[:3], keys[2]), queries[3], values[3])
    return [made, made.seen(keys), made.seen(values)]


@operator("com.microsoft:Attention", heavy=True, weights=(1, 2))
def projected_attention(call: Call) -> list[Data]:
    """Attention with the projection to queries, keys and values before it."""
    x, weights, bias = call.input(0), call.input(1), call.maybe(2)
    if len(x.sizes) != 3 or len(weights.sizes) != 2:  # noqa: PLR2004
        raise ShapeError(f"expected samples, sequence and features, and a matrix, found {show(x.sizes)}")
    parts = call.integers("qkv_hidden_sizes") or [floor_div(weights.sizes[1], 3)] * 3
    if len(parts) != 3 or weights.tensor is not None:  # noqa: PLR2004 - queries, keys, values
        raise MissingError("its projection is not followed")
    heads = call.integer("num_heads", 1)
    samples, length, _ = x.sizes
    width = exact_div(parts[0], heads, "the width of queries by heads")
    extra: dict[str, Num] = {"macs": x.count * weights.sizes[1], "weights": weights.count}
    if bias is not None:
        extra |= {"biases": bias.count, "bias_adds": samples * length * weights.sizes[1]}
    scores = (samples, heads, length, length)
    made = _attended(call, (samples, length, parts[2]), scores, width, exact_div(parts[2], heads, "heads"), extra)
    return [made, made.seen((2, samples, heads, length, width))]


@operator("DeformConv", heavy=True, weights=(1, 3))
def deform_conv(call: Call) -> list[Data]:
    """A convolution at places that offsets move; a value between positions is a mean of its neighbours."""
    x, weights, bias = call.input(0), call.input(1), call.maybe(3)
    _need(x, weights)
    groups = call.integer("group", 1)
    fields = window(call, weights.sizes[2:])
    values = {**fields, "out": weights.sizes[0], "groups": groups, "bias": bias is not None}
    layer = REGISTRY["conv"](**values)
    shape = layer.shape(x.sizes[1:])
    whole = (x.sizes[0], *shape)
    if call.is_constant:
        return [call.constant(whole)]
    work = layer.work(x.sizes[1:], shape)
    axes = len(shape) - 1
    sampled = x.sizes[0] * x.sizes[1] * prod(weights.sizes[2:]) * prod(shape[1:])
    counts = {
        "weights": work.weights,
        "biases": work.biases,
        "macs": work.macs * x.sizes[0],
        "bias_adds": work.bias_adds * x.sizes[0],
        "multiplications": sampled * (2**axes + (1 if call.maybe(4) is not None else 0)),
        "additions": sampled * (2**axes - 1),
    }
    return [call.stated(Multiplying, "deform_conv", whole, counts, call.given, [weights, bias])]


@operator("LSTM", "GRU", "RNN", heavy=True, weights=(1, 2, 3))
def recurrent(call: Call) -> list[Data]:
    """A recurrent layer over a sequence, in one or both directions."""
    return _recurrent(call, call.input(0), call.input(1), call.input(2), call.maybe(3), transposed=False)


@operator("com.microsoft:DynamicQuantizeLSTM", heavy=True, weights=(1, 2, 3))
def quantised_lstm(call: Call) -> list[Data]:
    """An LSTM with weights that are integers."""
    return _recurrent(call, call.input(0), call.input(1), call.input(2), call.maybe(3), transposed=True)


def _recurrent(call: Call, x: Data, weights: Data, again: Data, bias: Data | None, *, transposed: bool) -> list[Data]:
    key = "lstm" if call.node.op.endswith("LSTM") else call.node.op.lower()
    if len(x.sizes) != 3 or len(weights.sizes) != 3 or len(again.sizes) != 3:  # noqa: PLR2004
        raise ShapeError(f"expected three axes of input and weights, found {show(x.sizes)} and {show(weights.sizes)}")
    layout = call.integer("layout", 0)
    steps, samples = (x.sizes[0], x.sizes[1]) if not layout else (x.sizes[1], x.sizes[0])
    directions = weights.sizes[0]
    hidden = again.sizes[1] if transposed else again.sizes[2]
    width = weights.sizes[1] if transposed else weights.sizes[2]
    require("==", width, x.sizes[2], f"expected an input of width {width}, found {show(x.sizes)}")
    state = (samples, directions, hidden) if layout else (directions, samples, hidden)
    output = (samples, steps, directions, hidden) if layout else (steps, directions, samples, hidden)
    if call.is_constant:
        return [call.constant(output), call.constant(state), call.constant(state)]
    layer = REGISTRY[key](hidden=hidden, bidirectional=provably(directions, 2), biases=0 if bias is None else 2)
    steps_of_all = (width, steps * samples)
    work = layer.work(steps_of_all, layer.shape(steps_of_all))
    counts = {name: count for name, count in vars(work).items() if name not in ("read", "written")}
    peepholes = call.maybe(7)
    if peepholes is not None and key == "lstm":
        counts["weights"] = counts["weights"] + peepholes.count
        counts["multiplications"] = counts["multiplications"] + 3 * hidden * directions * steps * samples
    reads = [data for data in (x, call.maybe(5), call.maybe(6)) if data is not None and data.tensor is not None]
    if not reads:
        raise MissingError("only its parameters depend on an input")
    made = call.stated(Recurring, key, output, counts, reads, [weights, again, bias])
    return [made, made.seen(state), made.seen(state)]
