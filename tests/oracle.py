"""Layers counted by walking their loops, one operation at a time. Shares no code with the rules it checks.

Each function takes the layer's fields and its input shape, and returns the output shape and a tally: how
many weights are indexed, how many multiply-accumulates, additions, comparisons ... are made. Slow on purpose.
"""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

Tally = Counter[str]


def _axes(value: Any, count: int) -> list[int]:
    return list(value) if isinstance(value, list | tuple) else [value] * count


def _pads(padding: Any, count: int) -> list[tuple[int, int]]:
    if padding == "valid":
        padding = 0
    return [tuple(p) if isinstance(p, list | tuple) else (p, p) for p in _axes(padding, count)]


def _starts(size: int, reach: int, step: int, before: int, after: int, *, ceil_mode: bool) -> int:
    """How many windows there are, found by sliding one.

    Rounding up (Caffe, PyTorch) adds one that sticks out at the end, and drops those that begin behind the input.
    """
    count = 0
    position = -before
    while position + reach <= size + after:
        count += position < size or not ceil_mode
        position += step
    covered = position - step + reach
    count += ceil_mode and covered < size + after and position < size
    if not count:
        raise ValueError("does not fit")
    return count


def _same(size: int, step: int) -> int:
    """``same`` puts a window at every ``step``-th input position."""
    return len(range(0, size, step))


def area(x: tuple[int, ...], fields: dict[str, Any], *, ceil_mode: bool = False) -> list[int]:
    n = len(x) - 1
    kernel, stride = _axes(fields["kernel"], n), _axes(fields["stride"], n)
    dilation = _axes(fields.get("dilation", 1), n)
    if fields["padding"] == "same":
        return [_same(size, step) for size, step in zip(x[1:], stride, strict=True)]
    return [
        _starts(size, 1 + sum(d for _ in range(k - 1)), s, before, after, ceil_mode=ceil_mode)
        for size, k, s, d, (before, after) in zip(
            x[1:], kernel, stride, dilation, _pads(fields["padding"], n), strict=True
        )
    ]


def conv(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    n, out, groups = len(x) - 1, fields["out"], fields["groups"]
    sizes = area(x, fields)
    seen: set[tuple[Any, ...]] = set()
    tally: Tally = Counter()
    for o, position in product(range(out), product(*map(range, sizes))):
        group = o // (out // groups)
        inputs = [c for c in range(x[0]) if c // (x[0] // groups) == group]
        for c, tap in product(inputs, product(*map(range, _axes(fields["kernel"], n)))):
            seen.add((o, c, tap))
            tally["macs"] += 1
        if fields["bias"]:
            tally["bias_adds"] += 1
        del position
    tally["weights"] = len(seen)
    tally["biases"] = out if fields["bias"] else 0
    return (out, *sizes), tally


def conv_transpose(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """Every input position adds a patch to the output; the output ends where the last patch does, less the padding."""
    n, out, groups = len(x) - 1, fields["out"], fields["groups"]
    kernel, stride, dilation = (_axes(fields[name], n) for name in ("kernel", "stride", "dilation"))
    extra = _axes(fields["output_padding"], n)
    sizes = []
    for axis in range(n):
        touched = {i * stride[axis] + k * dilation[axis] for i, k in product(range(x[axis + 1]), range(kernel[axis]))}
        if fields["padding"] == "same":
            sizes.append(x[axis + 1] * stride[axis])
        else:
            before, after = _pads(fields["padding"], n)[axis]
            sizes.append(max(touched) + 1 - before - after + extra[axis])
    if min(sizes) < 1:
        raise ValueError("nothing is left")
    seen: set[tuple[Any, ...]] = set()
    tally: Tally = Counter()
    for c, _ in product(range(x[0]), product(*map(range, x[1:]))):
        group = c // (x[0] // groups)
        for o in (o for o in range(out) if o // (out // groups) == group):
            for tap in product(*map(range, kernel)):
                seen.add((c, o, tap))
                tally["macs"] += 1
    tally["weights"] = len(seen)
    tally["biases"] = out if fields["bias"] else 0
    tally["bias_adds"] = sum(1 for _ in product(range(out), *map(range, sizes))) if fields["bias"] else 0
    return (out, *sizes), tally


def _place(axis: str | int, x: tuple[int, ...]) -> int:
    """The index of an axis: letters are c, then the last of d, h, w."""
    return axis % len(x) if isinstance(axis, int) else ["c", *"dhw"[4 - len(x) :]].index(axis)


def _sets(axes: Any, x: tuple[int, ...]) -> list[list[tuple[int, ...]]]:
    """The places of a tensor in sets that differ only along the axes."""
    along = {_place(axis, x) for axis in (axes if isinstance(axes, list | tuple) else [axes])}
    sets: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for place in product(*map(range, x)):
        sets.setdefault(tuple(n for axis, n in enumerate(place) if axis not in along), []).append(place)
    return list(sets.values())


def linear(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    out = fields["out"]
    if fields["axis"] is None and any(size != 1 for size in x[1:]):
        raise ValueError("a map is not flat")
    along = 0 if fields["axis"] is None else _place(fields["axis"], x)
    used, biases = set(), set()
    for features in _sets(along, x):
        for unit in range(out):
            for feature in features:
                tally["macs"] += 1
                used.add((unit, feature[along]))
            if fields["bias"]:
                tally["bias_adds"] += 1
                biases.add(unit)
    tally["weights"], tally["biases"] = len(used), len(biases)
    return (out,) if fields["axis"] is None else (*x[:along], out, *x[along + 1 :]), tally


def matmul(x: tuple[Any, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """Rows times columns, each pair of matrices that broadcasting puts side by side."""
    shapes = [list(shape) for shape, _ in x]
    for shape, word in zip(shapes, ("first", "second"), strict=True):
        if fields["transpose"] in (word, "both"):
            shape[-2:] = shape[:-3:-1]
    (*left, n, k), (*right, rows, m) = shapes
    if rows != k:
        raise ValueError("they do not fit")
    while len(left) < len(right):
        left.insert(0, 1)
    while len(right) < len(left):
        right.insert(0, 1)
    if any(a != b and 1 not in (a, b) for a, b in zip(left, right, strict=True)):
        raise ValueError("they do not fit")
    batch = [b if a == 1 else a for a, b in zip(left, right, strict=True)]
    tally: Tally = Counter()
    for _ in product(*map(range, (*batch, n, m, k))):
        tally["macs"] += 1
    return (*batch, n, m), tally


def attention(x: tuple[Any, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """Head by head, query by query: the keys of its window that it may see, one after another."""
    query, key, value = (shape for shape, _ in x)
    heads, count = fields["heads"], len(query) - 1
    window = _axes(fields["window"], count) if fields["window"] else list(query[1:])
    _refuse_tokens(query, key, value, fields, window)
    tally: Tally = Counter()
    for _, place in product(range(heads), product(*map(range, query[1:]))):
        seen = 0
        for other in product(*map(range, key[1:])):
            if fields["window"] and any(a // w != b // w for a, b, w in zip(place, other, window, strict=True)):
                continue
            if fields["causal"] and _inside(other, window) > _inside(place, window):
                continue
            tally["macs"] += query[0] // heads + value[0] // heads
            tally["multiplications"] += fields["scale"]
            tally["additions"] += any(_axes(fields["shift"], count))  # the mask
            tally["additions"] += fields["position_bias"]
            tally["comparisons"] += seen > 0
            tally["additions"] += 1 + (seen > 0)
            tally["exponentials"] += 1
            tally["divisions"] += 1
            seen += 1
    offsets = product(range(heads), *(range(1 - side, side) for side in window))
    tally["other_params"] = sum(1 for _ in offsets) if fields["position_bias"] else 0
    return (value[0], *query[1:]), tally


def _inside(place: tuple[int, ...], window: list[int]) -> tuple[int, ...]:
    return tuple(n % side for n, side in zip(place, window, strict=True))


def _refuse_tokens(
    query: tuple[int, ...], key: tuple[int, ...], value: tuple[int, ...], fields: dict[str, Any], window: list[int]
) -> None:
    if query[0] != key[0] or key[1:] != value[1:] or query[0] % fields["heads"] or value[0] % fields["heads"]:
        raise ValueError("they do not fit")
    if (fields["window"] or fields["causal"] or fields["position_bias"]) and query[1:] != key[1:]:
        raise ValueError("they differ in positions")
    if any(n % side for n, side in zip(query[1:], window, strict=True)):
        raise ValueError("the window does not divide the map")


def _recurrent(x: tuple[int, ...], fields: dict[str, Any], gates: int, unit: Tally) -> tuple[tuple[int, ...], Tally]:
    """Layer by layer, direction by direction, step by step, gate by gate."""
    hidden, directions = fields["hidden"], 2 if fields["bidirectional"] else 1
    if fields["biases"] > 2:
        raise ValueError("biases")
    projection = fields.get("projection")
    features, state = x[0], projection or hidden
    tally: Tally = Counter()
    for _ in range(fields["layers"]):
        for _ in range(directions):
            tally["weights"] += gates * hidden * features + gates * hidden * state + (projection or 0) * hidden
            tally["biases"] += gates * hidden * fields["biases"]
            for _ in product(*map(range, x[1:])):
                for _ in range(gates * hidden):
                    tally["macs"] += features + state
                    tally["additions"] += 1  # of both products
                    tally["bias_adds"] += fields["biases"]
                for _ in range(hidden):
                    tally += unit
                    tally["macs"] += projection or 0
        features = state * directions
    return ((features,) if fields["last"] else (features, *x[1:])), tally


SIGMOID, TANH, PRODUCT, SUM = (
    Counter(exponentials=1, additions=1, divisions=1),
    Counter(exponentials=1),
    Counter(multiplications=1),
    Counter(additions=1),
)


def rnn(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    return _recurrent(x, fields, 1, TANH if fields["nonlinearity"] == "tanh" else Counter(comparisons=1))


def lstm(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """``i, f, o = sigmoid; g = tanh; c = f c + i g; h = o tanh(c)``."""
    unit = SIGMOID + SIGMOID + SIGMOID + TANH + PRODUCT + PRODUCT + SUM + TANH + PRODUCT
    return _recurrent(x, fields, 4, unit)


def gru(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """``r, z = sigmoid; n = tanh(a + r b); h = (1 - z) n + z h``; the sum in ``n`` is that of both products."""
    unit = SIGMOID + SIGMOID + PRODUCT + TANH + SUM + PRODUCT + PRODUCT + SUM
    return _recurrent(x, fields, 3, unit)


def mean(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    shape, tally = maximum_along(x, fields)
    outputs = sum(1 for _ in product(*map(range, shape)))
    return shape, Counter({"additions": tally["comparisons"], "divisions": outputs})


def maximum_along(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    sets = _sets(fields["axis"], x)
    for members in sets:
        for _ in members[1:]:  # the first is the maximum so far
            tally["comparisons"] += 1
    moving = [{place[axis] for place in sets[0]} for axis in range(len(x))]
    return tuple(1 if len(seen) == size else size for seen, size in zip(moving, x, strict=True)), tally


def _refuse_wide_padding(fields: dict[str, Any], n: int) -> None:
    """PyTorch: "pad should be at most half of kernel size"."""
    if fields["padding"] != "same":
        for k, pads in zip(_axes(fields["kernel"], n), _pads(fields["padding"], n), strict=True):
            if max(pads) > k // 2:
                raise ValueError("padding")


def max_pool(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    n = len(x) - 1
    _refuse_wide_padding(fields, n)
    sizes = area(x, fields, ceil_mode=fields["ceil_mode"])
    tally: Tally = Counter()
    for _ in product(range(x[0]), *map(range, sizes)):
        window = list(product(*map(range, _axes(fields["kernel"], n))))
        for _ in window[1:]:  # the first is the maximum so far
            tally["comparisons"] += 1
    return (x[0], *sizes), tally


def avg_pool(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    shape, tally = max_pool(x, fields)
    positions = sum(1 for _ in product(*map(range, shape)))
    return shape, Counter({"additions": tally["comparisons"], "divisions": positions})


def adaptive_avg_pool(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    sizes = _axes(fields["size"], len(x) - 1)
    tally: Tally = Counter()
    for _, position in product(range(x[0]), product(*map(range, sizes))):
        windows = [
            range(i * size // parts, -(-(i + 1) * size // parts))
            for i, size, parts in zip(position, x[1:], sizes, strict=True)
        ]
        tally["additions"] += sum(1 for _ in product(*windows)) - 1
        tally["divisions"] += 1
    return (x[0], *sizes), tally


def layer_norm(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    sets = _sets(fields["axis"], x)
    for members in sets:
        tally += _normalised(len(members), affine=fields["affine"])
    tally["norm_params"] = sum(2 for _ in sets[0]) if fields["affine"] else 0
    return x, tally


def rms_norm(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    sets = _sets(fields["axis"], x)
    for members in sets:
        for index, _ in enumerate(members):
            tally["multiplications"] += 1  # the square
            tally["additions"] += index > 0
        tally["divisions"] += 1  # the mean
        tally["additions"] += 1  # epsilon
        tally["divisions"] += 2  # the root, and its reciprocal
        for _ in members:
            tally["multiplications"] += 1 + fields["scale"]
    tally["norm_params"] = len(sets[0]) if fields["scale"] else 0
    return x, tally


def l2_norm(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    for members in _sets(fields["axis"], x):
        for index, _ in enumerate(members):
            tally["multiplications"] += 1
            tally["additions"] += index > 0
        tally["divisions"] += 1  # the root
        tally["comparisons"] += 1  # with epsilon
        for _ in members:
            tally["divisions"] += 1
            tally["multiplications"] += fields["scale"]
    tally["other_params"] = x[0] if fields["scale"] else 0
    return x, tally


def grn(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """``g = root(sum(x^2)); n = g / (mean(g) + epsilon); gamma (x n) + beta + x``."""
    del fields
    tally: Tally = Counter()
    positions = list(product(*map(range, x[1:])))
    for channel in range(x[0]):
        for index, _ in enumerate(positions):
            tally["multiplications"] += 1
            tally["additions"] += index > 0
        tally["divisions"] += 1
        tally["additions"] += channel > 0  # to the mean
    tally["divisions"] += 1
    tally["additions"] += 1
    for _ in range(x[0]):
        tally["divisions"] += 1
        tally["norm_params"] += 2
        for _ in positions:
            tally["multiplications"] += 2
            tally["additions"] += 2
    return x, tally


def locally_connected(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """As a convolution, of which every use of a weight and of a bias is one of its own."""
    shape, tally = conv(x, fields)
    tally["weights"], tally["biases"] = tally["macs"], tally["bias_adds"]
    return shape, tally


def dynamic_conv(x: tuple[Any, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """Mix the kernels of the experts weight by weight, then convolve."""
    (image, _), (mixture, _) = x
    if any(size != 1 for size in mixture[1:]):
        raise ValueError("a map is not flat")
    shape, tally = conv(image, fields)
    single = Counter({name: tally[name] for name in ("weights", "biases")})
    for expert in range(mixture[0]):
        if expert:
            tally += single
        for _ in range(single["weights"] + single["biases"]):
            tally["multiplications"] += 1
            tally["additions"] += expert > 0
    return shape, tally


def group_norm(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    members = list(product(*map(range, x)))
    for group in range(fields["groups"]):
        own = [m for m in members if m[0] // (x[0] // fields["groups"]) == group]
        tally += _normalised(len(own), affine=fields["affine"])
    tally["norm_params"] = 2 * x[0] if fields["affine"] else 0
    return x, tally


def _normalised(count: int, *, affine: bool) -> Tally:
    """Mean, variance, normalisation of one set of ``count`` elements, step by step."""
    tally: Tally = Counter()
    for index in range(count):  # mean
        tally["additions"] += index > 0
    tally["divisions"] += 1
    for index in range(count):  # variance
        tally["additions"] += 1  # the difference from the mean
        tally["multiplications"] += 1  # its square
        tally["additions"] += index > 0
    tally["divisions"] += 1
    tally["additions"] += 1  # epsilon
    tally["divisions"] += 2  # the root, and its reciprocal
    for _ in range(count):
        tally["multiplications"] += 1
        if affine:
            tally["multiplications"] += 1
            tally["additions"] += 1
    return tally


def batch_norm(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    for _ in product(*map(range, x)):  # factor and offset of a channel are known beforehand
        tally["multiplications"] += 1
        tally["additions"] += 1
    tally["norm_params"] = sum(x[0] for part in ("scale", "shift") if fields[part])
    tally["buffers"] = x[0] + x[0]
    return x, tally


def softmax(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    tally: Tally = Counter()
    for members in _sets(fields["axis"], x):
        for index, _ in enumerate(members):
            tally["comparisons"] += index > 0
        for index, _ in enumerate(members):
            tally["additions"] += 1
            tally["exponentials"] += 1
            tally["additions"] += index > 0
        tally["divisions"] += len(members)
    return x, tally


def log_softmax(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    _, tally = softmax(x, fields)
    for members in _sets(fields["axis"], x):
        tally["exponentials"] += 1  # the logarithm of the sum
        for _ in members:  # is subtracted, where softmax divides
            tally["divisions"] -= 1
            tally["additions"] += 1
    return x, tally


def upsample(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    n = len(x) - 1
    if fields["size"] is not None:
        sizes = _axes(fields["size"], n)
    else:
        sizes = [size * factor for size, factor in zip(x[1:], _axes(fields["factor"], n), strict=True)]
    tally: Tally = Counter()
    if fields["mode"] == "bilinear":
        for _ in product(range(x[0]), *map(range, sizes)):
            corners = 2**n
            while corners > 1:  # means of pairs, axis by axis
                corners //= 2
                tally["multiplications"] += corners
                tally["additions"] += 2 * corners
    return (x[0], *sizes), tally


def deform_conv(x: tuple[int, ...], fields: dict[str, Any]) -> tuple[tuple[int, ...], Tally]:
    """Predict an offset per tap and axis, interpolate at each, multiply and add."""
    n = len(x) - 1
    taps = list(product(*map(range, _axes(fields["kernel"], n))))
    predicted = fields["offset_groups"] * len(taps) * (n + (1 if fields["modulated"] else 0))
    shape, tally = conv(x, fields)
    _, inner = conv(x, {**fields, "out": predicted, "groups": 1, "bias": True})
    tally += inner
    corners = list(product((0, 1), repeat=n))
    for _ in product(*map(range, shape[1:])):
        for _ in product(range(fields["offset_groups"]), taps):
            for _ in range(n):
                tally["additions"] += 1  # the offset to the tap's place
                tally["additions"] += 1  # the distance from the lower neighbour
                tally["additions"] += 1  # the distance from the upper one
            for _ in corners:
                tally["multiplications"] += n - 1  # the weight of a neighbour: a product of n distances
            if fields["modulated"]:
                tally += Counter(exponentials=1, additions=1, divisions=1)
        for _ in product(range(x[0]), taps):
            for index, _ in enumerate(corners):
                tally["multiplications"] += 1
                tally["additions"] += index > 0
            if fields["modulated"]:
                tally["multiplications"] += 1
    return shape, tally


ORACLES = {
    "conv": conv,
    "deform_conv": deform_conv,
    "conv_transpose": conv_transpose,
    "linear": linear,
    "max_pool": max_pool,
    "avg_pool": avg_pool,
    "adaptive_avg_pool": adaptive_avg_pool,
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "group_norm": group_norm,
    "rms_norm": rms_norm,
    "l2_norm": l2_norm,
    "grn": grn,
    "locally_connected": locally_connected,
    "dynamic_conv": dynamic_conv,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "matmul": matmul,
    "attention": attention,
    "rnn": rnn,
    "lstm": lstm,
    "gru": gru,
    "mean": mean,
    "max": maximum_along,
    "upsample": upsample,
}
